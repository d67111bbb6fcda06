//! Checks invitation codes, and the accounts that were registered with them.

use super::{CandidateRequest, Changes};
use crate::committed::{CommittedState, InvitationCode};
use crate::fail;
use crate::plan::{AccountRequest, InvitationCodeRequest, LOBBY, PlannedRequest};
use crate::request::later;
use echat_proto::config::{Inviters, Registration};

impl Changes<'_> {
    /// Checks every code that was made, used or removed.
    pub(super) fn codes(&self) -> Result<(), String> {
        for (text, after) in &self.after.codes {
            match self.before.codes.get(text) {
                None if !self.is_made(after) => return fail("a code that no user made"),
                Some(before) => {
                    let used = before.uses.saturating_sub(after.uses);
                    let same = (before.maker, before.created, before.expires)
                        == (after.maker, after.created, after.expires);
                    if !same
                        || after.uses > before.uses
                        || used > self.may_be_made_by(text).count() as u64
                    {
                        return fail("a code changes without an account that uses it");
                    }
                    if self.made_only_by(text) > used {
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
            if self.made_only_by(text) > before.uses {
                return fail("a code made more accounts than it is for");
            }
        }
        Ok(())
    }

    /// Whether an account may have been registered in this tick.
    pub(super) fn may_register(&self, user: usize) -> bool {
        self.registers(user).any(|request| match &request.code {
            None => self.policy.registration == Registration::Open,
            Some(_) if self.policy.registration == Registration::Closed => false,
            Some(code) => {
                let was_good = |committed: &CommittedState| {
                    let found = committed.codes.get(code);
                    let now = self.now.unix;
                    found.is_some_and(|code| {
                        code.is_good(now) && !committed.is_suspended(code.maker, now)
                    })
                };
                // A code that was made and used up within the tick is in neither state.
                let is_new = !self.before.codes.contains_key(code)
                    && self.requests.iter().any(|request| {
                        matches!(
                            request.planned,
                            PlannedRequest::InvitationCode(InvitationCodeRequest::Make(..))
                        )
                    });
                was_good(self.before) || was_good(self.after) || is_new
            }
        })
    }

    /// The requests of this tick that register an account with this name.
    fn registers(&self, user: usize) -> impl Iterator<Item = &CandidateRequest> {
        self.requests.iter().filter(move |request| {
            matches!(request.planned,
                PlannedRequest::Register(new) | PlannedRequest::RegisterBy { user: new, .. }
                    if new == user)
        })
    }

    fn new_accounts(&self) -> impl Iterator<Item = usize> {
        let users = self.after.users.iter().copied();
        users.filter(|user| !self.before.accounts.contains_key(user) && !self.after.is_bot(*user))
    }

    /// The new accounts that may have used this code.
    fn may_be_made_by<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.new_accounts().filter(move |user| {
            self.registers(*user)
                .any(|request| request.code.as_deref() == Some(text))
        })
    }

    /// How many new accounts can have used no other code.
    fn made_only_by(&self, text: &str) -> u64 {
        let only = |user: &usize| {
            self.registers(*user)
                .all(|request| request.code.as_deref() == Some(text))
        };
        self.may_be_made_by(text).filter(only).count() as u64
    }

    fn is_made(&self, code: &InvitationCode) -> bool {
        self.policy.inviters == Inviters::Users
            && self
                .requests_of(code.maker)
                .any(|request| match request.planned {
                    PlannedRequest::InvitationCode(InvitationCodeRequest::Make(uses, seconds)) => {
                        let expires = later(request.unix, seconds).map(u64::cast_signed);
                        code.uses <= uses && code.expires == expires
                    }
                    _ => false,
                })
    }

    fn may_end_code(&self, text: &str, before: &InvitationCode) -> bool {
        let revoked = self.requests_of(before.maker).any(|request| {
            let revokes = matches!(
                request.planned,
                PlannedRequest::InvitationCode(InvitationCodeRequest::Revoke(_))
            );
            revokes && request.code.as_deref() == Some(text)
        });
        let replaced = !before.is_good(self.now.unix)
            && self.has_request(before.maker, |planned| {
                matches!(
                    planned,
                    PlannedRequest::InvitationCode(InvitationCodeRequest::Make(..))
                )
            });
        let used_up = self.may_be_made_by(text).count() as u64 >= before.uses;
        revoked || replaced || used_up || self.was_deleted(before.maker)
    }

    /// A new account is a member of the lobby, unless the lobby is full.
    pub(super) fn check_lobby(&self, user: usize) -> Result<(), String> {
        let lobby = self.before.rooms.get(&LOBBY);
        let Some(_) = lobby.filter(|room| room.owner.is_none() && self.policy.lobby) else {
            return Ok(());
        };
        let moves = self.requests.iter().any(|request| {
            matches!(
                request.planned,
                PlannedRequest::Join(_)
                    | PlannedRequest::Account(AccountRequest::Delete { .. })
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
