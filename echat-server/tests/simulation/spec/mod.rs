//! What the wire's description says of a request in a given state: whether it is refused, and what
//! reading gives. Written from PROTOCOL.md, not from the handlers.

pub(crate) mod bundle;
mod messages;
mod people;
mod rooms;

use crate::plan::{Door, OfAccount, OfBot, OfCode, PlannedRequest, ROOMS, Target};
use crate::replies::Asked;
use crate::request::later;
use crate::tokens::Presented;
use crate::truth::{Stored, Truth};
use crate::value::{dict, list, text, time};
use echat_proto::Value;
use echat_proto::config::{Inviters, Registration};
use echat_server::config::Limits;
use std::collections::BTreeSet;

pub(crate) use messages::{message, waits};

/// Bytes of messages that an answer surely holds.
pub(crate) const SURE: usize = 150_000;

/// What a request meets.
#[derive(Clone, Copy)]
pub(crate) struct Spec<'w> {
    pub(crate) truth: &'w Truth,
    pub(crate) limits: &'w Limits,
    pub(crate) door: Door,
    pub(crate) now: i64,
}

/// Refused with a code, or not.
type Verdict = Result<(), &'static str>;

fn refuse(whether: bool, code: &'static str) -> Verdict {
    if whether { Err(code) } else { Ok(()) }
}

impl Spec<'_> {
    /// Why a request is refused, if it is. Rates and the disk are not looked at.
    pub(crate) fn refusal(&self, asked: &Asked, user: Option<usize>) -> Option<&'static str> {
        let verdict = match (&asked.planned, user) {
            (PlannedRequest::Time, _) => Ok(()),
            (PlannedRequest::Nonsense, _) => Err("unknown_command"),
            (
                PlannedRequest::Register(_)
                | PlannedRequest::RegisterBy { .. }
                | PlannedRequest::Login { .. }
                | PlannedRequest::Token { .. }
                | PlannedRequest::Resume { .. },
                Some(_),
            ) => Err("already_logged_in"),
            (_, None) => self.of_guest(asked),
            (_, Some(me)) => self.of_user(asked, me),
        };
        verdict.err()
    }

    fn of_guest(&self, asked: &Asked) -> Verdict {
        let (truth, now) = (self.truth, self.now);
        match &asked.planned {
            PlannedRequest::Register(name) | PlannedRequest::RegisterBy { user: name, .. } => {
                self.ticket(asked.code.as_deref())?;
                refuse(truth.accounts.contains_key(name), "name_taken")
            }
            PlannedRequest::Login { user, .. } => {
                let right = asked.password.is_some() && asked.password == truth.password(*user);
                refuse(!right, "bad_credentials")?;
                refuse(truth.is_suspended(*user, now), "suspended")
            }
            PlannedRequest::Token { bot, .. } => {
                let found = truth.bot(*bot);
                let right = found.is_some_and(|found| {
                    let stored = Presented::Stored(found.token.clone());
                    asked.token == Some(stored)
                        && found.expires.is_none_or(|at| now < at)
                        && !truth.is_suspended(found.owner, now)
                });
                refuse(!right, "bad_credentials")
            }
            // What becomes of a secret is judged by `secrets`.
            PlannedRequest::Resume { .. } => Ok(()),
            _ => Err("not_logged_in"),
        }
    }

    fn of_user(&self, asked: &Asked, me: usize) -> Verdict {
        let (truth, limits) = (self.truth, self.limits);
        if truth.is_bot(me) && !is_for_bots(&asked.planned) {
            return Err("not_for_bots");
        }
        match &asked.planned {
            PlannedRequest::Befriend(other) => self.befriend(me, *other),
            PlannedRequest::Resolve(other, accepted) => self.resolve(me, *other, *accepted),
            PlannedRequest::Send { .. } => self.send(&asked.planned, me, asked.known),
            PlannedRequest::Message(of) => self.message(of, me, asked.known),
            PlannedRequest::Around { of, nth, .. } => {
                self.around(me, *of, asked.known.saturating_sub(*nth))
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
            PlannedRequest::Search(_) | PlannedRequest::SearchOn => {
                let of = asked.search.as_ref().and_then(|search| search.planned.of);
                of.map_or(Ok(()), |of| self.reads(me, of))
            }
            PlannedRequest::Account(OfAccount::ChangePassword(_) | OfAccount::Delete { .. }) => {
                let right = asked.password.is_some() && asked.password == truth.password(me);
                refuse(!right, "bad_credentials")
            }
            PlannedRequest::People(of) => self.of_people(of, me),
            PlannedRequest::Room(of) => self.of_room(asked, of, me),
            PlannedRequest::Bot(of) => self.of_bot(asked, of, me, limits),
            PlannedRequest::Code(of) => self.of_code(asked, of, me),
            _ => Ok(()),
        }
    }

    fn of_bot(&self, asked: &Asked, of: &OfBot, me: usize, limits: &Limits) -> Verdict {
        let truth = self.truth;
        let own = |bot: &usize| {
            let found = truth.bot(*bot).is_some_and(|bot| bot.owner == me);
            refuse(!found, "unknown_user")
        };
        match of {
            OfBot::Create(bot, rooms, seconds) => {
                self.lies_ahead(asked, *seconds)?;
                for room in rooms {
                    self.exists(me, *room)?;
                }
                for room in rooms {
                    refuse(!truth.operates(me, *room), "not_operator")?;
                }
                refuse(truth.accounts.contains_key(bot), "name_taken")?;
                refuse(truth.bots_of(me).count() >= BOTS, "too_many")?;
                let full = |room: &usize| truth.members(*room).len() >= limits.room_members;
                refuse(rooms.iter().any(full), "too_many")?;
                let rooms: BTreeSet<usize> = rooms.iter().copied().collect();
                refuse(rooms.len() > limits.rooms, "too_many")
            }
            OfBot::List => Ok(()),
            OfBot::Remove(bot) => own(bot),
            OfBot::NewToken(bot, seconds) => {
                self.lies_ahead(asked, *seconds)?;
                own(bot)
            }
        }
    }

    /// What an account is made with. A code that is given has to be good, also where none is needed.
    fn ticket(&self, code: Option<&str>) -> Verdict {
        match (self.door.registration, code) {
            (Registration::Closed, _) => Err("registration_closed"),
            (Registration::Open, None) => Ok(()),
            (Registration::Invitation, None) => Err("bad_invitation"),
            (_, Some(code)) => {
                let found = self.truth.codes.get(code);
                let is_good = found.is_some_and(|code| code.is_good(self.now));
                refuse(!is_good, "bad_invitation")
            }
        }
    }

    /// Nobody here is an administrator.
    fn of_code(&self, asked: &Asked, of: &OfCode, me: usize) -> Verdict {
        let may = self.door.inviters == Inviters::Users;
        match of {
            OfCode::Make(_, seconds) => {
                self.lies_ahead(asked, *seconds)?;
                refuse(!may, "not_allowed")?;
                let open = self.truth.codes_of(me, self.now).len();
                refuse(open >= CODES, "too_many")
            }
            OfCode::List => refuse(!may, "not_allowed"),
            OfCode::Revoke(_) => Ok(()),
        }
    }

    /// The open codes of a user.
    fn codes(&self, me: usize) -> Value {
        let open = self.truth.codes_of(me, self.now).into_iter();
        list(open.map(|(code, found)| {
            let entries = [("code", text(code)), ("uses", Value::Int(found.uses))];
            let expires = found.expires.map(|at| ("expires", time(at)));
            dict(entries.into_iter().chain(expires))
        }))
    }

    /// A time in a request that lies in the past is refused.
    fn lies_ahead(&self, asked: &Asked, seconds: Option<u32>) -> Verdict {
        let until = later(asked.unix, seconds).map(u64::cast_signed);
        refuse(until.is_some_and(|until| until <= self.now), "bad_params")
    }
}

/// Open codes of one user.
const CODES: usize = 10;
/// Bots of one owner.
const BOTS: usize = 10;

/// What bots may ask.
fn is_for_bots(planned: &PlannedRequest) -> bool {
    use crate::plan::OfRoom;
    match planned {
        PlannedRequest::Send { to, .. } => matches!(to, Target::Room(_)),
        PlannedRequest::Logout
        | PlannedRequest::History { .. }
        | PlannedRequest::Around { .. }
        | PlannedRequest::Mentions(_)
        | PlannedRequest::Search(_)
        | PlannedRequest::SearchOn
        | PlannedRequest::Message(_)
        | PlannedRequest::Read(_)
        | PlannedRequest::Rooms
        | PlannedRequest::Members(_)
        | PlannedRequest::Room(OfRoom::Info(_)) => true,
        _ => false,
    }
}

/// What reading gives, for what it depends on besides what is committed.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'c> {
    pub(crate) me: usize,
    /// The newest message that the client knew.
    pub(crate) known: u64,
    /// The friends that the client was told are online.
    pub(crate) online: &'c BTreeSet<usize>,
}

impl Spec<'_> {
    /// The parameters of the reply to a request that only reads; `None` for others, and for what is only judged in part.
    pub(crate) fn answer(&self, planned: &PlannedRequest, reading: Reading<'_>) -> Option<Value> {
        match planned {
            PlannedRequest::History {
                of,
                from_known,
                limit,
            } => self.history(reading.me, *of, from_known.then_some(reading.known), *limit),
            PlannedRequest::Around { of, nth, limit } => {
                let id = reading.known.saturating_sub(*nth);
                self.page_around(reading.me, *of, id, *limit)
            }
            PlannedRequest::Mentions(limit) => self.mentions(reading.me, *limit),
            PlannedRequest::Rooms => Some(self.own_rooms(reading.me)),
            PlannedRequest::Find(keyword) => Some(self.found(reading.me, keyword)),
            PlannedRequest::People(of) => self.people(of, reading),
            PlannedRequest::Room(of) => self.room_answer(of, reading.me),
            PlannedRequest::Bot(OfBot::List) => Some(self.bots(reading.me)),
            PlannedRequest::Code(OfCode::List) => Some(self.codes(reading.me)),
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
pub(crate) fn user_names(users: impl IntoIterator<Item = usize>, truth: &Truth) -> Vec<&str> {
    let mut names: Vec<&str> = users.into_iter().map(|user| truth.name(user)).collect();
    names.sort_unstable();
    names
}

/// Whether a message is shown to its readers with its content.
pub(crate) fn content<'m>(message: &'m Stored, truth: &Truth) -> &'m str {
    if truth.is_hidden(message) {
        ""
    } else {
        &message.content
    }
}
