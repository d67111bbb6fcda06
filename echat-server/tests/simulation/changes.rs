//! What a tick committed, judged: every change rests on a request that was asked and on the right to
//! ask it, every bound holds, and the events that are due follow from it.

use crate::client::Due;
use crate::facts::Facts;
use crate::fail;
use crate::plan::{PlannedRequest, Target, USERS};
use crate::request::content;
use crate::truth::{Room, Truth};
use echat_server::clock::Now;
use echat_server::config::Limits;

/// A tick, and the requests that it may have handled, each with a user that may have made it.
pub(crate) struct Changes<'w> {
    pub(crate) before: &'w Truth,
    pub(crate) after: &'w Truth,
    pub(crate) asked: &'w [(usize, PlannedRequest)],
    pub(crate) limits: &'w Limits,
    pub(crate) now: Now,
}

/// Events that are due, surely or perhaps, with their receivers.
pub(crate) type Dues = Vec<(usize, Due, bool)>;

impl Changes<'_> {
    /// Judges everything that changed.
    pub(crate) fn judge(&self, facts: &mut Facts) -> Result<Dues, String> {
        let mut dues = Dues::new();
        self.accounts()?;
        self.requests(facts, &mut dues)?;
        self.friendships(&mut dues)?;
        self.rooms()?;
        self.seats(&mut dues)?;
        self.messages(facts, &mut dues)?;
        self.bounds()?;
        Ok(dues)
    }

    pub(crate) fn was_asked(&self, user: usize, request: impl Fn(&PlannedRequest) -> bool) -> bool {
        self.asked
            .iter()
            .any(|(asker, planned)| *asker == user && request(planned))
    }

    fn accounts(&self) -> Result<(), String> {
        if !self.before.users.is_subset(&self.after.users) {
            return fail("an account is gone");
        }
        for new in self.after.users.difference(&self.before.users) {
            if !self
                .asked
                .iter()
                .any(|(_, planned)| *planned == PlannedRequest::Register(*new))
            {
                return fail("an account without a request");
            }
        }
        Ok(())
    }

    fn friendships(&self, dues: &mut Dues) -> Result<(), String> {
        for pair in self.before.friends.keys() {
            if !self.after.friends.contains_key(pair) {
                return fail("a friendship is gone");
            }
        }
        for (a, b) in self.after.friends.keys().copied() {
            if self.before.are_friends(a, b) {
                continue;
            }
            let wanted = |user: usize, other: usize| {
                self.before.counts_as_asked(user, other)
                    || self.was_asked(user, |planned| *planned == PlannedRequest::Befriend(other))
            };
            let agreed = |user: usize, other: usize| {
                self.was_asked(user, |planned| {
                    *planned == PlannedRequest::Befriend(other)
                        || *planned == PlannedRequest::Resolve(other, true)
                })
            };
            if !(wanted(a, b) && agreed(b, a) || wanted(b, a) && agreed(a, b)) {
                return fail("a friendship that was not asked for, or not agreed to");
            }
            dues.push((a, Due::Contact(b), true));
            dues.push((b, Due::Contact(a), true));
        }
        Ok(())
    }

    fn rooms(&self) -> Result<(), String> {
        for (number, before) in &self.before.rooms {
            // A room whose last member leaves is closed; another may have its name in the same tick.
            let after = self.after.rooms.get(number);
            let after = after.filter(|after| after.conversation == before.conversation);
            let leaves = |user: usize| {
                self.was_asked(user, |planned| *planned == PlannedRequest::Part(*number))
            };
            let Some(after) = after else {
                if !self.before.members(*number).into_iter().all(leaves) {
                    return fail("a room with members is gone");
                }
                continue;
            };
            if after.owner != before.owner && !leaves(before.owner) {
                return fail("a room has another owner, and its owner did not leave");
            }
            if !self.after.is_member(after.owner, *number) {
                return fail("the owner of a room is not in it");
            }
        }
        for (number, room) in &self.after.rooms {
            let made = |(_, planned): &(usize, PlannedRequest)| matches!(planned, PlannedRequest::Create(of, _) if of == number);
            let before = self.before.rooms.get(number);
            let is_new = before.is_none_or(|before| before.conversation != room.conversation);
            if is_new && !self.asked.iter().any(made) {
                return fail("a room without a request");
            }
            if room.members != self.after.members(*number).len() as u64 {
                return fail("a room counts other members than it has");
            }
        }
        Ok(())
    }

    fn seats(&self, dues: &mut Dues) -> Result<(), String> {
        for (number, room) in &self.after.rooms {
            for user in 0..USERS.len() {
                let dir = (user, room.conversation);
                let (before, after) = (self.before.seats.get(&dir), self.after.seats.get(&dir));
                let came = self.may_come(user, *number);
                let left =
                    self.was_asked(user, |planned| *planned == PlannedRequest::Part(*number));
                let note = (user, *number);
                self.leaving(note, after.is_some(), left)?;
                match (before, after) {
                    (None, Some(seat)) => {
                        let newest = self.newest(room.conversation);
                        if !came || seat.after < newest || seat.read < seat.after {
                            return fail(
                                "a member without a request, or with messages from before",
                            );
                        }
                        dues.push((user, Due::Room(*number), true));
                    }
                    (Some(_), None) if !left => return fail("a member is gone"),
                    (Some(before), Some(after)) if before != after => {
                        let read = |planned: &PlannedRequest| {
                            *planned == PlannedRequest::Read(Target::Room(*number))
                        };
                        let moved = before.after == after.after && before.read < after.read;
                        if !(moved && self.was_asked(user, read) || left && came) {
                            return fail("a member's place changes by itself");
                        }
                    }
                    _ => {}
                }
                if came {
                    dues.push((user, Due::Room(*number), false));
                }
            }
        }
        Ok(())
    }

    /// A note that a user left a room comes from leaving and goes by joining, and no member has one. So an
    /// owner never adds a user who has one.
    fn leaving(&self, note: (usize, usize), is_member: bool, left: bool) -> Result<(), String> {
        let (before, after) = (
            self.before.left.contains(&note),
            self.after.left.contains(&note),
        );
        if after && is_member {
            return fail("a member has a note of having left");
        }
        if after && !before && !left {
            return fail("a note of leaving of a user who did not leave");
        }
        if before
            && !after
            && !self.was_asked(note.0, |planned| *planned == PlannedRequest::Join(note.1))
        {
            return fail("a note of leaving is gone, and its user did not join");
        }
        Ok(())
    }

    /// Whether a user may have been let into a room in this tick.
    fn may_come(&self, user: usize, room: usize) -> bool {
        // A room may pass on within a tick.
        let owns = |user: usize| {
            let rooms = [self.before, self.after].map(|truth| truth.rooms.get(&room));
            let owner = |found: &Room| found.owner == user;
            rooms.into_iter().flatten().any(owner)
                || self.was_asked(
                    user,
                    |planned| matches!(planned, PlannedRequest::Create(of, _) if *of == room),
                )
        };
        self.was_asked(user, |planned| *planned == PlannedRequest::Join(room))
            || self.asked.iter().any(|(asker, planned)| match planned {
                PlannedRequest::Create(of, members) | PlannedRequest::Add(of, members) => {
                    let friend = self.after.are_friends(*asker, user) && members.contains(&user);
                    *of == room && owns(*asker) && (*asker == user || friend)
                }
                _ => false,
            })
    }

    /// The newest message that a conversation had before this tick.
    fn newest(&self, conversation: i64) -> u64 {
        let messages = self.before.messages.iter().rev();
        let mut there = messages.filter(|(_, message)| message.conversation == conversation);
        there.next().map_or(0, |(id, _)| *id)
    }

    fn messages(&self, facts: &mut Facts, dues: &mut Dues) -> Result<(), String> {
        let newest = self
            .before
            .messages
            .keys()
            .next_back()
            .copied()
            .unwrap_or(0);
        // Messages whose room was closed in the same tick.
        for id in self.after.closed.keys() {
            if self.before.message(*id).is_none() {
                dues.extend((0..USERS.len()).map(|user| (user, Due::Message(*id), false)));
            }
        }
        for (id, message) in self.after.messages.range(newest + 1..) {
            let sender = message.sender;
            let target = self.after.target(sender, message.conversation);
            let wanted = |planned: &PlannedRequest| match planned {
                PlannedRequest::Send {
                    to,
                    number,
                    size,
                    txn,
                } => {
                    Some(*to) == target
                        && *message.content == *content(*number, *size)
                        && message.txn == txn.then(|| number.to_string())
                }
                _ => false,
            };
            if !self.was_asked(sender, wanted) {
                return fail(&format!("message {id}, which was not sent"));
            }
            if message.time != self.now.unix {
                return fail(&format!("message {id} of another time"));
            }
            let line = (sender, &*message.content, message.txn.is_some());
            if !facts.store(line, self.now.running, self.limits) {
                return fail(&format!(
                    "message {id} was stored before, or its sender is too fast"
                ));
            }
            let mut takes_part = false;
            for user in 0..USERS.len() {
                let dir = (user, message.conversation);
                let (before, after) = (self.before.seats.get(&dir), self.after.seats.get(&dir));
                let moves = self.moves(user, target);
                let stays = before.is_some() && after.is_some() && !moves;
                let perhaps = before.is_some() || after.is_some() || moves;
                takes_part |= user == sender && perhaps;
                if perhaps {
                    dues.push((user, Due::Message(*id), stays));
                }
            }
            if !takes_part {
                return fail(&format!(
                    "message {id} of a user outside of the conversation"
                ));
            }
        }
        Ok(())
    }

    /// Whether a user may come to a room or leave it in this tick.
    fn moves(&self, user: usize, target: Option<Target>) -> bool {
        let Some(Target::Room(room)) = target else {
            return false;
        };
        self.may_come(user, room)
            || self.was_asked(user, |planned| *planned == PlannedRequest::Part(room))
    }

    fn bounds(&self) -> Result<(), String> {
        let (truth, limits) = (self.after, self.limits);
        for user in 0..USERS.len() {
            let pending = truth.asked.iter().filter(|(_, receiver)| *receiver == user);
            if truth.friends_of(user).len() > limits.friends
                || truth.rooms_of(user).len() > limits.rooms
                || pending.count() > limits.pending_requests
            {
                return fail("a user has more friends, rooms or requests than may be");
            }
        }
        if truth
            .rooms
            .keys()
            .any(|room| truth.members(*room).len() > limits.room_members)
        {
            return fail("a room has more members than may be");
        }
        Ok(())
    }
}
