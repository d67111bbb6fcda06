//! What a tick committed, judged: every change rests on a request that was asked and on the right to
//! ask it, every bound holds, and the events that are due follow from it.

mod codes;
mod messages;
mod people;
mod requests;
mod rooms;
mod seats;

use crate::client::Due;
use crate::facts::Facts;
use crate::fail;
use crate::plan::{Door, OfRoom, PlannedRequest, Role, Setting, USERS};
use crate::truth::{Conversation, Truth};
use echat_server::clock::Now;
use echat_server::config::Limits;

/// A request that a tick may have handled, with a user that may have made it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) user: usize,
    pub(crate) planned: PlannedRequest,
    /// Which password it presents.
    pub(crate) password: Option<usize>,
    /// The code to register with that it names.
    pub(crate) code: Option<String>,
    /// What the clock said when it was made.
    pub(crate) unix: i64,
    /// The newest message that the client knew.
    pub(crate) known: u64,
}

/// A tick, and the requests that it may have handled.
pub(crate) struct Changes<'w> {
    pub(crate) before: &'w Truth,
    pub(crate) after: &'w Truth,
    pub(crate) asked: &'w [Ask],
    pub(crate) limits: &'w Limits,
    pub(crate) door: Door,
    pub(crate) now: Now,
}

/// Events that are due, surely or perhaps, with their receivers.
pub(crate) type Dues = Vec<(usize, Due, bool)>;

impl Changes<'_> {
    /// Judges everything that changed.
    pub(crate) fn judge(&self, facts: &mut Facts) -> Result<Dues, String> {
        let mut dues = Dues::new();
        self.accounts(facts, &mut dues)?;
        self.codes()?;
        self.bots()?;
        self.blocks()?;
        self.requests(facts, &mut dues)?;
        self.friendships(&mut dues)?;
        self.rooms(facts, &mut dues)?;
        self.invitations(&mut dues)?;
        self.bans()?;
        self.seats(facts, &mut dues)?;
        self.messages(facts, &mut dues)?;
        self.bounds()?;
        Ok(dues)
    }

    /// The requests of a tick that a user may have made.
    fn of(&self, user: usize) -> impl Iterator<Item = &Ask> {
        self.asked.iter().filter(move |ask| ask.user == user)
    }

    pub(crate) fn was_asked(&self, user: usize, request: impl Fn(&PlannedRequest) -> bool) -> bool {
        self.of(user).any(|ask| request(&ask.planned))
    }

    /// Whether a user may have deleted the account in this tick.
    fn may_end(&self, user: usize) -> bool {
        use crate::plan::OfAccount;
        self.was_asked(user, |planned| {
            matches!(planned, PlannedRequest::Account(OfAccount::Delete { .. }))
        })
    }

    /// Whether a request means a room, by one of the names that it may have had in this tick.
    fn means(&self, number: usize, conversation: Conversation) -> bool {
        let is_it = |truth: &Truth| {
            let room = truth.room_of(conversation);
            room.is_some_and(|(name, _)| name == number)
        };
        let renamed = self.asked.iter().any(|ask| {
            matches!(&ask.planned, PlannedRequest::Room(OfRoom::Set(_, Setting::Name(new))) if *new == number)
        });
        is_it(self.before) || is_it(self.after) || renamed
    }

    /// Whether a user may have had a role in a room at some moment of this tick.
    fn had(&self, user: usize, conversation: Conversation, role: Role) -> bool {
        let promoted = self.asked.iter().any(|ask| match ask.planned {
            PlannedRequest::Room(OfRoom::SetRole(room, to, given)) => {
                to == user && given >= role && self.means(room, conversation)
            }
            _ => false,
        });
        let had_a_seat = |truth: &Truth| truth.seats.contains_key(&(user, conversation));
        let had = |truth: &Truth| truth.role_in(user, conversation) >= Some(role);
        // The room of an owner who goes passes on, to a member who may do something with it at once.
        let owner = self
            .before
            .room_of(conversation)
            .and_then(|(_, room)| room.owner);
        let passes_on = owner.is_some_and(|owner| {
            owner != user && self.may_leave(owner, conversation) && had_a_seat(self.before)
        });
        promoted || passes_on || had(self.before) || had(self.after)
    }

    /// Whether somebody may have asked about a room, with the right to it.
    fn by_right(
        &self,
        conversation: Conversation,
        role: Role,
        about: impl Fn(&OfRoom) -> Option<usize>,
    ) -> bool {
        self.asked.iter().any(|ask| {
            let PlannedRequest::Room(of) = &ask.planned else {
                return false;
            };
            let room = about(of).filter(|room| self.means(*room, conversation));
            room.is_some() && self.had(ask.user, conversation, role)
        })
    }

    fn bounds(&self) -> Result<(), String> {
        let (truth, limits) = (self.after, self.limits);
        for user in 0..USERS.len() {
            if truth.friends_of(user).len() > limits.friends
                || truth.rooms_of(user).len() > limits.rooms
                || truth.pending(user).count() > limits.pending_requests
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
