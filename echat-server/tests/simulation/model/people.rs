//! The expected replies about accounts, friends, blocks and bots.

use super::{Expectation, Model, ReaderContext, refuse, room_names, user_names};
use crate::committed::CommittedState;
use crate::plan::{PeopleRequest, ROOMS, USERS};
use crate::value::{dict, list, text, time};
use echat_proto::Value;
use echat_server::config::Limits;

impl Model<'_> {
    pub(super) fn befriend(&self, me: usize, other: usize) -> Expectation {
        let (committed, limits) = (self.committed, self.limits);
        self.user_exists(other)?;
        refuse(other == me, "is_self")?;
        refuse(committed.are_friends(me, other), "already_friends")?;
        self.can_be_invited(other)?;
        refuse(committed.blocks(me, other), "blocked")?;
        if committed.counts_as_request(other, me) {
            return refuse(full_of_friends(&[me, other], committed, limits), "too_many");
        }
        let silenced = committed.silenced(me, other, self.now);
        let waits = committed.friend_requests.contains(&(me, other))
            || silenced.is_some_and(|found| found.again);
        refuse(waits, "already_asked")?;
        refuse(full_of_friends(&[me], committed, limits), "too_many")?;
        // Hidden requests do not count.
        let oldest = committed.incoming_requests(other).next();
        let old = oldest.is_some_and(|oldest| committed.is_replaceable((oldest, other), self.now));
        let full = committed.incoming_requests(other).count() >= limits.pending_requests;
        refuse(full && !old, "too_many")
    }

    pub(super) fn resolve(&self, me: usize, other: usize, accepted: bool) -> Expectation {
        let committed = self.committed;
        self.user_exists(other)?;
        let hidden = committed.blocks(me, other);
        refuse(
            hidden || !committed.friend_requests.contains(&(other, me)),
            "no_request",
        )?;
        let full = full_of_friends(&[me, other], committed, self.limits);
        refuse(accepted && full, "too_many")
    }

    pub(super) fn people_request(&self, of: &PeopleRequest, me: usize) -> Expectation {
        let committed = self.committed;
        match of {
            PeopleRequest::Friends | PeopleRequest::Blocked => Ok(()),
            PeopleRequest::Unblock(other) if committed.blocks(me, *other) => {
                self.user_exists(*other)
            }
            PeopleRequest::WhoIs(other) | PeopleRequest::Unblock(other) => {
                self.user_visible(me, *other)
            }
            PeopleRequest::Unfriend(other) => {
                self.user_visible(me, *other)?;
                refuse(!committed.are_friends(me, *other), "not_a_friend")
            }
            PeopleRequest::Block(other) => {
                self.user_visible(me, *other)?;
                refuse(me == *other, "is_self")
            }
        }
    }

    /// Whether there is a user of this name.
    pub(super) fn user_exists(&self, other: usize) -> Expectation {
        refuse(!self.committed.is_active(other), "unknown_user")
    }

    /// Whether a user can receive requests and invitations. Bots and suspended users cannot.
    pub(super) fn can_be_invited(&self, other: usize) -> Expectation {
        self.user_exists(other)?;
        let suspended = self.committed.is_suspended(other, self.now);
        refuse(suspended || self.committed.is_bot(other), "unknown_user")
    }

    /// Whether a user is visible to another. A bot is visible only to its owner and to users in a common room.
    pub(super) fn user_visible(&self, me: usize, other: usize) -> Expectation {
        let committed = self.committed;
        let shared = || !self.shared(me, other).is_empty();
        let owned = |owner: usize| owner == me;
        let hidden = committed
            .bot(other)
            .is_some_and(|bot| !shared() && !owned(bot.owner));
        refuse(!committed.is_active(other) || hidden, "unknown_user")
    }

    /// The rooms that two users share, except the lobby.
    fn shared(&self, me: usize, other: usize) -> Vec<usize> {
        let mine = self.committed.rooms_of(me);
        let theirs = self.committed.rooms_of(other);
        let is_owned = |room: &&usize| self.committed.rooms[*room].owner.is_some();
        mine.intersection(&theirs)
            .filter(is_owned)
            .copied()
            .collect()
    }

    /// The expected lists of people.
    pub(super) fn people(&self, of: &PeopleRequest, context: ReaderContext<'_>) -> Option<Value> {
        let committed = self.committed;
        match of {
            PeopleRequest::Friends => {
                let friends = user_names(committed.friends_of(context.me), committed);
                let lines = friends.into_iter().map(|name| {
                    let mut entries = vec![("username", text(name))];
                    entries.extend(self.shown(committed.user_named(name), context));
                    dict(entries)
                });
                Some(list(lines))
            }
            PeopleRequest::WhoIs(other) => Some(self.who_is(*other, context)),
            PeopleRequest::Blocked => {
                let names = user_names(committed.blocked_by(context.me), committed);
                Some(list(names.into_iter().map(text)))
            }
            _ => None,
        }
    }

    /// What a friend sees of a user: presence, the text of an absence, and when the last session ended.
    fn shown(&self, other: usize, context: ReaderContext<'_>) -> Vec<(&'static str, Value)> {
        let account = &self.committed.accounts[&other];
        let online = context.online.contains(&other);
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

    fn who_is(&self, other: usize, context: ReaderContext<'_>) -> Value {
        let committed = self.committed;
        let friend = committed.are_friends(context.me, other);
        let shared = room_names(self.shared(context.me, other));
        let mut entries = vec![("username", text(committed.name(other)))];
        if friend {
            entries.extend(self.shown(other, context));
        } else {
            // Presence in shared rooms is checked by events.
            entries.push(("online", Value::Bool(false)));
        }
        entries.push(("friend", Value::Bool(friend)));
        entries.push(("bot", Value::Bool(committed.is_bot(other))));
        let owner = committed.bot(other).map(|bot| bot.owner);
        entries.extend(owner.map(|owner| ("owner", text(committed.name(owner)))));
        entries.push(("rooms", list(shared.into_iter().map(text))));
        dict(entries)
    }

    pub(super) fn found(&self, me: usize, keyword: &str) -> Value {
        let committed = self.committed;
        let users = committed.users.iter().copied();
        let users = users.filter(|user| USERS[*user].contains(keyword) && !committed.is_bot(*user));
        let rooms = committed.rooms.keys().copied();
        let rooms = rooms
            .filter(|room| ROOMS[*room].contains(keyword) && committed.can_see_room(me, *room));
        let rooms = room_names(rooms);
        dict([
            (
                "users",
                list(user_names(users, committed).into_iter().map(text)),
            ),
            ("rooms", list(rooms.into_iter().map(text))),
            ("more", Value::Bool(false)),
        ])
    }

    pub(super) fn bots(&self, me: usize) -> Value {
        let committed = self.committed;
        let names = user_names(committed.bots_of(me).map(|(bot, _)| bot), committed);
        list(names.into_iter().map(|name| {
            let user = committed.user_named(name);
            let bot = committed.bot(user).expect("a bot");
            let rooms = room_names(committed.rooms_of(user));
            let mut entries = vec![
                ("username", text(name)),
                ("rooms", list(rooms.into_iter().map(text))),
                ("created", time(bot.created)),
            ];
            entries.extend(bot.expires.map(|at| ("expires", time(at))));
            let last_seen = committed.accounts[&user].last_seen;
            entries.extend(last_seen.map(|at| ("last_seen", time(at))));
            dict(entries)
        }))
    }
}

pub(super) fn full_of_friends(
    users: &[usize],
    committed: &CommittedState,
    limits: &Limits,
) -> bool {
    users
        .iter()
        .any(|user| committed.friends_of(*user).len() >= limits.friends)
}
