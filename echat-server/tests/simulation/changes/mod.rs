//! Checks what a tick committed. Each change must follow from a request and from the right to make it, limits must
//! hold, and each change determines which events clients must receive.

mod friend_requests;
mod invitation_codes;
mod memberships;
mod messages;
mod people;
mod rooms;

use crate::client::ExpectedEvent;
use crate::committed::{CommittedState, Conversation};
use crate::fail;
use crate::observations::Observations;
use crate::plan::{PlannedRequest, RegistrationPolicy, Role, RoomRequest, Setting, USERS};
use echat_server::clock::Now;
use echat_server::config::Limits;

/// A request that the tick may have handled, with a user who may have made it. A request of a connection that is
/// logging in has several candidates.
#[derive(Clone, Debug)]
pub(crate) struct CandidateRequest {
    pub(crate) user: usize,
    pub(crate) planned: PlannedRequest,
    /// Which of [`crate::plan::PASSWORDS`] it presents.
    pub(crate) password: Option<usize>,
    /// The invitation code in it.
    pub(crate) code: Option<String>,
    /// The unix time when it was sent.
    pub(crate) unix: i64,
    /// The newest message id that the client knew.
    pub(crate) known: u64,
}

/// The committed state before and after a tick, and the requests that the tick may have handled.
pub(crate) struct Changes<'w> {
    pub(crate) before: &'w CommittedState,
    pub(crate) after: &'w CommittedState,
    pub(crate) requests: &'w [CandidateRequest],
    pub(crate) limits: &'w Limits,
    pub(crate) policy: RegistrationPolicy,
    pub(crate) now: Now,
}

/// Events with their receivers. True for an event that must arrive, false for one that may.
pub(crate) type ExpectedEvents = Vec<(usize, ExpectedEvent, bool)>;

impl Changes<'_> {
    /// Checks everything that changed. Returns the events that follow from it.
    pub(crate) fn check(&self, observed: &mut Observations) -> Result<ExpectedEvents, String> {
        let mut events = ExpectedEvents::new();
        self.accounts(observed, &mut events)?;
        self.codes()?;
        self.bots()?;
        self.blocks()?;
        self.friend_requests(observed, &mut events)?;
        self.friendships(&mut events)?;
        self.rooms(observed, &mut events)?;
        self.invitations(&mut events)?;
        self.bans()?;
        self.memberships(observed, &mut events)?;
        self.messages(observed, &mut events)?;
        self.check_limits()?;
        Ok(events)
    }

    /// The requests that a user may have made.
    fn requests_of(&self, user: usize) -> impl Iterator<Item = &CandidateRequest> {
        self.requests
            .iter()
            .filter(move |request| request.user == user)
    }

    pub(crate) fn has_request(&self, user: usize, fits: impl Fn(&PlannedRequest) -> bool) -> bool {
        self.requests_of(user).any(|request| fits(&request.planned))
    }

    /// Whether a user may have deleted the account in this tick.
    fn may_delete_account(&self, user: usize) -> bool {
        use crate::plan::AccountRequest;
        self.has_request(user, |planned| {
            matches!(
                planned,
                PlannedRequest::Account(AccountRequest::Delete { .. })
            )
        })
    }

    /// Whether a room may have had this name at some moment of the tick.
    fn may_be_named(&self, number: usize, conversation: Conversation) -> bool {
        let is_it = |committed: &CommittedState| {
            let room = committed.room_of(conversation);
            room.is_some_and(|(name, _)| name == number)
        };
        let renamed = self.requests.iter().any(|request| {
            matches!(&request.planned, PlannedRequest::Room(RoomRequest::Set(_, Setting::Name(new))) if *new == number)
        });
        is_it(self.before) || is_it(self.after) || renamed
    }

    /// Whether a user may have had this role at some moment of the tick.
    fn may_have_role(&self, user: usize, conversation: Conversation, role: Role) -> bool {
        let promoted = self.requests.iter().any(|request| match request.planned {
            PlannedRequest::Room(RoomRequest::SetRole(room, to, given)) => {
                to == user && given >= role && self.may_be_named(room, conversation)
            }
            _ => false,
        });
        let took_part = |committed: &CommittedState| {
            committed.participations.contains_key(&(user, conversation))
        };
        let had = |committed: &CommittedState| committed.role_in(user, conversation) >= Some(role);
        // When an owner leaves, the room passes to another member, who may use the new role in the same tick.
        let owner = self
            .before
            .room_of(conversation)
            .and_then(|(_, room)| room.owner);
        let passes_on = owner.is_some_and(|owner| {
            owner != user && self.may_leave(owner, conversation) && took_part(self.before)
        });
        promoted || passes_on || had(self.before) || had(self.after)
    }

    /// Whether a user with this role may have requested something about a room.
    fn may_be_allowed(
        &self,
        conversation: Conversation,
        role: Role,
        about: impl Fn(&RoomRequest) -> Option<usize>,
    ) -> bool {
        self.requests.iter().any(|request| {
            let PlannedRequest::Room(of) = &request.planned else {
                return false;
            };
            let room = about(of).filter(|room| self.may_be_named(*room, conversation));
            room.is_some() && self.may_have_role(request.user, conversation, role)
        })
    }

    fn check_limits(&self) -> Result<(), String> {
        let (committed, limits) = (self.after, self.limits);
        for user in 0..USERS.len() {
            if committed.friends_of(user).len() > limits.friends
                || committed.rooms_of(user).len() > limits.rooms
                || committed.incoming_requests(user).count() > limits.pending_requests
            {
                return fail("a user has more friends, rooms or requests than the limit");
            }
        }
        if committed
            .rooms
            .keys()
            .any(|room| committed.members(*room).len() > limits.room_members)
        {
            return fail("a room has more members than the limit");
        }
        Ok(())
    }
}
