//! Codes to register with, and the accounts that are made by them.

use super::{Ask, Changes};
use crate::fail;
use crate::plan::{LOBBY, OfAccount, OfCode, PlannedRequest};
use crate::request::later;
use crate::truth::{Code, Truth};
use echat_proto::config::{Inviters, Registration};

impl Changes<'_> {
    /// Judges every code that was made, used or deleted.
    pub(super) fn codes(&self) -> Result<(), String> {
        for (text, after) in &self.after.codes {
            match self.before.codes.get(text) {
                None if !self.is_made(after) => return fail("a code that no user made"),
                Some(before) => {
                    let used = before.uses.saturating_sub(after.uses);
                    let same = (before.maker, before.created, before.expires)
                        == (after.maker, after.created, after.expires);
                    if !same || after.uses > before.uses || used > self.made_by(text).count() as u64
                    {
                        return fail("a code changes without an account that uses it");
                    }
                    if self.only_by(text) > used {
                        return fail("an account uses a code, and the code loses no use");
                    }
                }
                None => {}
            }
        }
        for (text, before) in &self.before.codes {
            if !self.after.codes.contains_key(text) && !self.may_end_code(text, before) {
                return fail("a code is gone");
            }
            if self.only_by(text) > before.uses {
                return fail("a code made more accounts than it is for");
            }
        }
        Ok(())
    }

    /// Whether an account may have been made in this tick.
    pub(super) fn is_let_register(&self, user: usize) -> bool {
        self.registers(user).any(|ask| match &ask.code {
            None => self.door.registration == Registration::Open,
            Some(_) if self.door.registration == Registration::Closed => false,
            Some(code) => {
                let was_good = |truth: &Truth| {
                    let found = truth.codes.get(code);
                    found.is_some_and(|code| code.is_good(self.now.unix))
                };
                // One that was made and used up at once is in neither.
                let is_new = !self.before.codes.contains_key(code)
                    && self
                        .asked
                        .iter()
                        .any(|ask| matches!(ask.planned, PlannedRequest::Code(OfCode::Make(..))));
                was_good(self.before) || was_good(self.after) || is_new
            }
        })
    }

    /// The requests of this tick for the account of a user.
    fn registers(&self, user: usize) -> impl Iterator<Item = &Ask> {
        self.asked.iter().filter(move |ask| {
            matches!(ask.planned,
                PlannedRequest::Register(new) | PlannedRequest::RegisterBy { user: new, .. }
                    if new == user)
        })
    }

    fn new_accounts(&self) -> impl Iterator<Item = usize> {
        let users = self.after.users.iter().copied();
        users.filter(|user| !self.before.accounts.contains_key(user) && !self.after.is_bot(*user))
    }

    /// The new accounts that a code may have made.
    fn made_by<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.new_accounts().filter(move |user| {
            self.registers(*user)
                .any(|ask| ask.code.as_deref() == Some(text))
        })
    }

    /// How many accounts this code alone can have made.
    fn only_by(&self, text: &str) -> u64 {
        let only = |user: &usize| {
            self.registers(*user)
                .all(|ask| ask.code.as_deref() == Some(text))
        };
        self.made_by(text).filter(only).count() as u64
    }

    fn is_made(&self, code: &Code) -> bool {
        self.door.inviters == Inviters::Users
            && self.of(code.maker).any(|ask| match ask.planned {
                PlannedRequest::Code(OfCode::Make(uses, seconds)) => {
                    let expires = later(ask.unix, seconds).map(u64::cast_signed);
                    code.uses <= uses && code.expires == expires
                }
                _ => false,
            })
    }

    fn may_end_code(&self, text: &str, before: &Code) -> bool {
        let revoked = self.of(before.maker).any(|ask| {
            let revokes = matches!(ask.planned, PlannedRequest::Code(OfCode::Revoke(_)));
            revokes && ask.code.as_deref() == Some(text)
        });
        let replaced = !before.is_good(self.now.unix)
            && self.was_asked(before.maker, |planned| {
                matches!(planned, PlannedRequest::Code(OfCode::Make(..)))
            });
        let used_up = self.made_by(text).count() as u64 >= before.uses;
        revoked || replaced || used_up || self.is_gone(before.maker)
    }

    /// A new account is in the lobby, while that has a place.
    pub(super) fn is_in_lobby(&self, user: usize) -> Result<(), String> {
        let lobby = self.before.rooms.get(&LOBBY);
        let Some(_) = lobby.filter(|room| room.owner.is_none() && self.door.lobby) else {
            return Ok(());
        };
        let moves = self.asked.iter().any(|ask| {
            matches!(
                ask.planned,
                PlannedRequest::Join(_)
                    | PlannedRequest::Account(OfAccount::Delete { .. })
                    | PlannedRequest::Part(_)
            )
        });
        let members = self.before.members(LOBBY).len() + self.new_accounts().count();
        let has_place = members <= self.limits.room_members && !moves;
        if has_place && !self.after.is_member(user, LOBBY) {
            return fail("a new account is not in the lobby");
        }
        Ok(())
    }
}
