//! The reference model: for a request and a committed state, whether the request is refused, and the content of a reply
//! that only reads. It is written from PROTOCOL.md, not from the handlers.

pub(crate) mod bundle;
mod messages;
mod people;
mod rooms;

use crate::committed::{CommittedState, StoredMessage};
use crate::plan::{
    AccountRequest, BotRequest, InvitationCodeRequest, PlannedRequest, ROOMS, RegistrationPolicy,
    Target,
};
use crate::replies::PendingRequest;
use crate::request::later;
use crate::tokens::PresentedToken;
use crate::value::{dict, list, text, time};
use echat_proto::Value;
use echat_proto::config::{Inviters, Registration};
use echat_server::config::Limits;
use std::collections::BTreeSet;

pub(crate) use messages::{in_slow_mode, message};

/// Bytes of messages that a page certainly holds.
pub(crate) const CERTAIN_BYTES: usize = 150_000;

/// What the expected reply depends on.
#[derive(Clone, Copy)]
pub(crate) struct Model<'w> {
    pub(crate) committed: &'w CommittedState,
    pub(crate) limits: &'w Limits,
    pub(crate) policy: RegistrationPolicy,
    pub(crate) now: i64,
}

/// Accepted, or refused with this code.
type Expectation = Result<(), &'static str>;

fn refuse(whether: bool, code: &'static str) -> Expectation {
    if whether { Err(code) } else { Ok(()) }
}

impl Model<'_> {
    /// The code with which a request is refused, if it is. Rates and storage faults are not considered.
    pub(crate) fn refusal(
        &self,
        pending: &PendingRequest,
        user: Option<usize>,
    ) -> Option<&'static str> {
        let expectation = match (&pending.planned, user) {
            (PlannedRequest::Time, _) => Ok(()),
            (PlannedRequest::UnknownCommand, _) => Err("unknown_command"),
            (
                PlannedRequest::Register(_)
                | PlannedRequest::RegisterBy { .. }
                | PlannedRequest::Login { .. }
                | PlannedRequest::Token { .. }
                | PlannedRequest::Resume { .. },
                Some(_),
            ) => Err("already_logged_in"),
            (_, None) => self.unauthenticated(pending),
            (_, Some(me)) => self.authenticated(pending, me),
        };
        expectation.err()
    }

    fn unauthenticated(&self, pending: &PendingRequest) -> Expectation {
        let (committed, now) = (self.committed, self.now);
        match &pending.planned {
            PlannedRequest::Register(name) | PlannedRequest::RegisterBy { user: name, .. } => {
                self.registration(pending.code.as_deref())?;
                refuse(committed.accounts.contains_key(name), "name_taken")
            }
            PlannedRequest::Login { user, .. } => {
                let right =
                    pending.password.is_some() && pending.password == committed.password(*user);
                refuse(!right, "bad_credentials")?;
                refuse(committed.is_suspended(*user, now), "suspended")
            }
            PlannedRequest::Token { bot, .. } => {
                let found = committed.bot(*bot);
                let right = found.is_some_and(|found| {
                    let stored = PresentedToken::Stored(found.token.clone());
                    pending.token == Some(stored)
                        && found.expires.is_none_or(|at| now < at)
                        && !committed.is_suspended(found.owner, now)
                });
                refuse(!right, "bad_credentials")
            }
            // [`crate::secrets`] tracks which secrets are valid.
            PlannedRequest::Resume { .. } => Ok(()),
            _ => Err("not_logged_in"),
        }
    }

    fn authenticated(&self, pending: &PendingRequest, me: usize) -> Expectation {
        let (committed, limits) = (self.committed, self.limits);
        if committed.is_bot(me) && !is_for_bots(&pending.planned) {
            return Err("not_for_bots");
        }
        match &pending.planned {
            PlannedRequest::Befriend(other) => self.befriend(me, *other),
            PlannedRequest::Resolve(other, accepted) => self.resolve(me, *other, *accepted),
            PlannedRequest::Send { .. } => self.send(&pending.planned, me, pending.known),
            PlannedRequest::Message(of) => self.message(of, me, pending.known),
            PlannedRequest::Around { of, nth, .. } => {
                self.around(me, *of, pending.known.saturating_sub(*nth))
            }
            PlannedRequest::Create(room, members, _) => self.create(me, *room, members),
            PlannedRequest::Join(room) => self.join(me, *room),
            PlannedRequest::Add(room, members) => self.add(me, *room, members),
            PlannedRequest::Part(room) | PlannedRequest::Members(room) => {
                self.member(me, *room).map(drop)
            }
            PlannedRequest::History { of: Some(of), .. } | PlannedRequest::Read(of) => {
                self.reads(me, *of)
            }
            PlannedRequest::Search(_) | PlannedRequest::SearchNextPage => {
                let of = pending.search.as_ref().and_then(|search| search.planned.of);
                of.map_or(Ok(()), |of| self.reads(me, of))
            }
            PlannedRequest::Account(
                AccountRequest::ChangePassword(_) | AccountRequest::Delete { .. },
            ) => {
                let right =
                    pending.password.is_some() && pending.password == committed.password(me);
                refuse(!right, "bad_credentials")
            }
            PlannedRequest::People(of) => self.people_request(of, me),
            PlannedRequest::Room(of) => self.room_request(pending, of, me),
            PlannedRequest::Bot(of) => self.bot_request(pending, of, me, limits),
            PlannedRequest::InvitationCode(of) => self.invitation_code_request(pending, of, me),
            _ => Ok(()),
        }
    }

    fn bot_request(
        &self,
        pending: &PendingRequest,
        of: &BotRequest,
        me: usize,
        limits: &Limits,
    ) -> Expectation {
        let committed = self.committed;
        let own = |bot: &usize| {
            let found = committed.bot(*bot).is_some_and(|bot| bot.owner == me);
            refuse(!found, "unknown_user")
        };
        match of {
            BotRequest::Create(bot, rooms, seconds) => {
                self.must_be_future(pending, *seconds)?;
                for room in rooms {
                    self.room_exists(me, *room)?;
                }
                for room in rooms {
                    refuse(!committed.operates(me, *room), "not_operator")?;
                }
                refuse(committed.accounts.contains_key(bot), "name_taken")?;
                refuse(committed.bots_of(me).count() >= BOTS, "too_many")?;
                let full = |room: &usize| committed.members(*room).len() >= limits.room_members;
                refuse(rooms.iter().any(full), "too_many")?;
                let rooms: BTreeSet<usize> = rooms.iter().copied().collect();
                refuse(rooms.len() > limits.rooms, "too_many")
            }
            BotRequest::List => Ok(()),
            BotRequest::Remove(bot) => own(bot),
            BotRequest::NewToken(bot, seconds) => {
                self.must_be_future(pending, *seconds)?;
                own(bot)
            }
        }
    }

    /// How an account can be registered. An invitation code in the request has to be valid even if none is needed.
    fn registration(&self, code: Option<&str>) -> Expectation {
        match (self.policy.registration, code) {
            (Registration::Closed, _) => Err("registration_closed"),
            (Registration::Open, None) => Ok(()),
            (Registration::Invitation, None) => Err("bad_invitation"),
            (_, Some(code)) => {
                let found = self.committed.codes.get(code);
                let is_suspended = |maker| self.committed.is_suspended(maker, self.now);
                let is_good =
                    found.is_some_and(|code| code.is_good(self.now) && !is_suspended(code.maker));
                refuse(!is_good, "bad_invitation")
            }
        }
    }

    /// No user is an administrator.
    fn invitation_code_request(
        &self,
        pending: &PendingRequest,
        of: &InvitationCodeRequest,
        me: usize,
    ) -> Expectation {
        let may = self.policy.inviters == Inviters::Users;
        match of {
            InvitationCodeRequest::Make(_, seconds) => {
                self.must_be_future(pending, *seconds)?;
                refuse(!may, "not_allowed")?;
                let open = self.committed.codes_of(me, self.now).len();
                refuse(open >= CODES, "too_many")
            }
            InvitationCodeRequest::List => refuse(!may, "not_allowed"),
            InvitationCodeRequest::Revoke(_) => Ok(()),
        }
    }

    /// The open codes of a user.
    fn codes(&self, me: usize) -> Value {
        let open = self.committed.codes_of(me, self.now).into_iter();
        list(open.map(|(code, found)| {
            let entries = [("code", text(code)), ("uses", Value::Int(found.uses))];
            let expires = found.expires.map(|at| ("expires", time(at)));
            dict(entries.into_iter().chain(expires))
        }))
    }

    /// A time in a request is refused if it has passed.
    fn must_be_future(&self, pending: &PendingRequest, seconds: Option<u32>) -> Expectation {
        let until = later(pending.unix, seconds).map(u64::cast_signed);
        refuse(until.is_some_and(|until| until <= self.now), "bad_params")
    }
}

/// Open codes of one user.
const CODES: usize = 10;
/// Bots of one owner.
const BOTS: usize = 10;

/// Whether bots may send a request.
fn is_for_bots(planned: &PlannedRequest) -> bool {
    use crate::plan::RoomRequest;
    match planned {
        PlannedRequest::Send { to, .. } => matches!(to, Target::Room(_)),
        PlannedRequest::Logout
        | PlannedRequest::History { .. }
        | PlannedRequest::Around { .. }
        | PlannedRequest::Mentions(_)
        | PlannedRequest::Search(_)
        | PlannedRequest::SearchNextPage
        | PlannedRequest::Message(_)
        | PlannedRequest::Read(_)
        | PlannedRequest::Rooms
        | PlannedRequest::Members(_)
        | PlannedRequest::Room(RoomRequest::Info(_)) => true,
        _ => false,
    }
}

/// What a reply depends on besides the committed state.
#[derive(Clone, Copy)]
pub(crate) struct ReaderContext<'c> {
    pub(crate) me: usize,
    /// The newest message that the client knew.
    pub(crate) known: u64,
    /// The online friends in the client's view.
    pub(crate) online: &'c BTreeSet<usize>,
}

impl Model<'_> {
    /// The expected parameters of a reply that only reads. `None` for other requests, and for replies that are known in
    /// part.
    pub(crate) fn answer(
        &self,
        planned: &PlannedRequest,
        context: ReaderContext<'_>,
    ) -> Option<Value> {
        match planned {
            PlannedRequest::History {
                of,
                from_known,
                limit,
            } => self.history(context.me, *of, from_known.then_some(context.known), *limit),
            PlannedRequest::Around { of, nth, limit } => {
                let id = context.known.saturating_sub(*nth);
                self.page_around(context.me, *of, id, *limit)
            }
            PlannedRequest::Mentions(limit) => self.mentions(context.me, *limit),
            PlannedRequest::Rooms => Some(self.own_rooms(context.me)),
            PlannedRequest::Find(keyword) => Some(self.found(context.me, keyword)),
            PlannedRequest::People(of) => self.people(of, context),
            PlannedRequest::Room(of) => self.room_answer(of, context.me),
            PlannedRequest::Bot(BotRequest::List) => Some(self.bots(context.me)),
            PlannedRequest::InvitationCode(InvitationCodeRequest::List) => {
                Some(self.codes(context.me))
            }
            _ => None,
        }
    }
}

/// The names of rooms in order.
pub(crate) fn room_names(rooms: impl IntoIterator<Item = usize>) -> Vec<&'static str> {
    let mut names: Vec<&str> = rooms.into_iter().map(|room| ROOMS[room]).collect();
    names.sort_unstable();
    names
}

/// The names of users in order.
pub(crate) fn user_names(
    users: impl IntoIterator<Item = usize>,
    committed: &CommittedState,
) -> Vec<&str> {
    let mut names: Vec<&str> = users.into_iter().map(|user| committed.name(user)).collect();
    names.sort_unstable();
    names
}

/// The content of a message as readers see it.
pub(crate) fn content<'m>(message: &'m StoredMessage, committed: &CommittedState) -> &'m str {
    if committed.is_hidden(message) {
        ""
    } else {
        &message.content
    }
}
