//! Accounts, friends, blocks and bots.

use super::{Reading, Spec, Verdict, refuse, room_names, user_names};
use crate::plan::{OfPeople, ROOMS, USERS};
use crate::truth::Truth;
use crate::value::{dict, list, text, time};
use echat_proto::Value;
use echat_server::config::Limits;

impl Spec<'_> {
    pub(super) fn befriend(&self, me: usize, other: usize) -> Verdict {
        let (truth, limits) = (self.truth, self.limits);
        self.there(other)?;
        refuse(other == me, "is_self")?;
        refuse(truth.are_friends(me, other), "already_friends")?;
        self.askable(other)?;
        refuse(truth.blocks(me, other), "blocked")?;
        if truth.counts_as_asked(other, me) {
            return refuse(full_of_friends(&[me, other], truth, limits), "too_many");
        }
        let silenced = truth.silenced(me, other, self.now);
        let waits = truth.asked.contains(&(me, other)) || silenced.is_some_and(|found| found.again);
        refuse(waits, "already_asked")?;
        refuse(full_of_friends(&[me], truth, limits), "too_many")?;
        // Those that are hidden take no place.
        let oldest = truth.pending(other).next();
        let old = oldest.is_some_and(|oldest| truth.is_old((oldest, other), self.now));
        let full = truth.pending(other).count() >= limits.pending_requests;
        refuse(full && !old, "too_many")
    }

    pub(super) fn resolve(&self, me: usize, other: usize, accepted: bool) -> Verdict {
        let truth = self.truth;
        self.there(other)?;
        let hidden = truth.blocks(me, other);
        refuse(hidden || !truth.asked.contains(&(other, me)), "no_request")?;
        let full = full_of_friends(&[me, other], truth, self.limits);
        refuse(accepted && full, "too_many")
    }

    pub(super) fn of_people(&self, of: &OfPeople, me: usize) -> Verdict {
        let truth = self.truth;
        match of {
            OfPeople::Friends | OfPeople::Blocked => Ok(()),
            OfPeople::Unblock(other) if truth.blocks(me, *other) => self.there(*other),
            OfPeople::WhoIs(other) | OfPeople::Unblock(other) => self.known(me, *other),
            OfPeople::Unfriend(other) => {
                self.known(me, *other)?;
                refuse(!truth.are_friends(me, *other), "not_a_friend")
            }
            OfPeople::Block(other) => {
                self.known(me, *other)?;
                refuse(me == *other, "is_self")
            }
        }
    }

    /// Whether there is a user of this name.
    pub(super) fn there(&self, other: usize) -> Verdict {
        refuse(!self.truth.is_there(other), "unknown_user")
    }

    /// Whether a user can be asked for anything: bots and suspended users cannot.
    pub(super) fn askable(&self, other: usize) -> Verdict {
        self.there(other)?;
        let suspended = self.truth.is_suspended(other, self.now);
        refuse(suspended || self.truth.is_bot(other), "unknown_user")
    }

    /// Whether a user is there for another: bots only for users who share a room with them.
    pub(super) fn known(&self, me: usize, other: usize) -> Verdict {
        let truth = self.truth;
        let shared = || !self.shared(me, other).is_empty();
        let owned = |owner: usize| owner == me;
        let hidden = truth
            .bot(other)
            .is_some_and(|bot| !shared() && !owned(bot.owner));
        refuse(!truth.is_there(other) || hidden, "unknown_user")
    }

    /// The rooms that two users are in. The lobby is none of them.
    fn shared(&self, me: usize, other: usize) -> Vec<usize> {
        let mine = self.truth.rooms_of(me);
        let theirs = self.truth.rooms_of(other);
        let is_owned = |room: &&usize| self.truth.rooms[*room].owner.is_some();
        mine.intersection(&theirs)
            .filter(is_owned)
            .copied()
            .collect()
    }

    /// What lists of people say.
    pub(super) fn people(&self, of: &OfPeople, reading: Reading<'_>) -> Option<Value> {
        let truth = self.truth;
        match of {
            OfPeople::Friends => {
                let friends = user_names(truth.friends_of(reading.me), truth);
                let lines = friends.into_iter().map(|name| {
                    let mut entries = vec![("username", text(name))];
                    entries.extend(self.shown(truth.named(name), reading));
                    dict(entries)
                });
                Some(list(lines))
            }
            OfPeople::WhoIs(other) => Some(self.who_is(*other, reading)),
            OfPeople::Blocked => {
                let names = user_names(truth.blocked_by(reading.me), truth);
                Some(list(names.into_iter().map(text)))
            }
            _ => None,
        }
    }

    /// What a friend is shown of a user: presence, why away, and since when.
    fn shown(&self, other: usize, reading: Reading<'_>) -> Vec<(&'static str, Value)> {
        let account = &self.truth.accounts[&other];
        let online = reading.online.contains(&other);
        let mut entries = vec![("online", Value::Bool(online))];
        entries.extend(account.away.as_ref().map(|away| ("away", text(away))));
        let last_seen = account.last_seen.filter(|_| !account.hides_last_seen);
        entries.extend(
            last_seen
                .filter(|_| !online)
                .map(|at| ("last_seen", time(at))),
        );
        entries
    }

    fn who_is(&self, other: usize, reading: Reading<'_>) -> Value {
        let truth = self.truth;
        let friend = truth.are_friends(reading.me, other);
        let shared = room_names(self.shared(reading.me, other));
        let mut entries = vec![("username", text(truth.name(other)))];
        if friend {
            entries.extend(self.shown(other, reading));
        } else {
            // Of users who share a room, presence is judged by what the room is told.
            entries.push(("online", Value::Bool(false)));
        }
        entries.push(("friend", Value::Bool(friend)));
        entries.push(("bot", Value::Bool(truth.is_bot(other))));
        let owner = truth.bot(other).map(|bot| bot.owner);
        entries.extend(owner.map(|owner| ("owner", text(truth.name(owner)))));
        entries.push(("rooms", list(shared.into_iter().map(text))));
        dict(entries)
    }

    pub(super) fn found(&self, me: usize, keyword: &str) -> Value {
        let truth = self.truth;
        let users = truth.users.iter().copied();
        let users = users.filter(|user| USERS[*user].contains(keyword) && !truth.is_bot(*user));
        let rooms = truth.rooms.keys().copied();
        let rooms = rooms.filter(|room| ROOMS[*room].contains(keyword) && truth.answers(me, *room));
        let rooms = room_names(rooms);
        dict([
            (
                "users",
                list(user_names(users, truth).into_iter().map(text)),
            ),
            ("rooms", list(rooms.into_iter().map(text))),
            ("more", Value::Bool(false)),
        ])
    }

    pub(super) fn bots(&self, me: usize) -> Value {
        let truth = self.truth;
        let names = user_names(truth.bots_of(me).map(|(bot, _)| bot), truth);
        list(names.into_iter().map(|name| {
            let user = truth.named(name);
            let bot = truth.bot(user).expect("a bot");
            let rooms = room_names(truth.rooms_of(user));
            let mut entries = vec![
                ("username", text(name)),
                ("rooms", list(rooms.into_iter().map(text))),
                ("created", time(bot.created)),
            ];
            entries.extend(bot.expires.map(|at| ("expires", time(at))));
            let last_seen = truth.accounts[&user].last_seen;
            entries.extend(last_seen.map(|at| ("last_seen", time(at))));
            dict(entries)
        }))
    }
}

pub(super) fn full_of_friends(users: &[usize], truth: &Truth, limits: &Limits) -> bool {
    users
        .iter()
        .any(|user| truth.friends_of(*user).len() >= limits.friends)
}
