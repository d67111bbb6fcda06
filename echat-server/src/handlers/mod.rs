//! The handlers of requests, one plain function each, called after the gate. They know no bytes, sockets, clocks or
//! SQL.
//!
//! A request that writes goes through four steps, always in this order. Its handler **decides**: it
//! reads and refuses, or gives a plan. **Admission** judges the plan by rates, quotas and free space.
//! The plan **writes** its rows. Its **effects** reach the roster and the outbox. The first and the
//! third step are functions of database, request, caller and the time of day alone, so the same requests
//! give the same rows on any database ([`journal`]). Until the third step nothing has changed: a
//! request that finds the database busy is handled again from the first step.

#![allow(
    clippy::needless_pass_by_value,
    reason = "the route table gives each handler its own"
)]

pub(crate) mod account;
pub(crate) mod administration;
pub(crate) mod admission;
pub(crate) mod blocks;
pub(crate) mod bots;
mod bundle;
mod deferred_writes;
pub(crate) mod deletion;
mod devices;
mod effects;
pub(crate) mod friends;
pub(crate) mod gate;
pub(crate) mod invitation_codes;
pub(crate) mod journal;
pub(crate) mod lobby;
mod mentions;
pub(crate) mod message_changes;
pub(crate) mod messages;
pub(crate) mod moderation;
mod page;
pub(crate) mod password;
pub(crate) mod people;
mod posting;
pub(crate) mod presence;
mod refusal;
mod resume;
pub(crate) mod room_settings;
pub(crate) mod rooms;
pub(crate) mod search;
pub(crate) mod session_ends;
mod targets;
pub(crate) mod unwritten_revocations;

pub(crate) use deferred_writes::{DeferredWrite, DeferredWrites};
pub(crate) use refusal::{Refusal, Reject, refuse};

use administration::MemoryChange;

use crate::clock::Now;
use crate::config::{Limits, Settings};
use crate::conn::ConnId;
use crate::limits::RateLimits;
use crate::outbox::Outbox;
use crate::roster::Roster;
use crate::session_log::SessionLog;
use crate::storage::{Batch, ChangedLists, Kind, Mentions, Removal, Search, User, UserId};
use crate::workers::jobs::Task;
use echat_proto::commands::{Event, RequestKind};
use echat_proto::param::TargetType;
use echat_proto::records::Outcome;
use journal::Journal;
use rand::rngs::StdRng;
use session_ends::SessionsEnd;
use std::net::IpAddr;

/// What a handler works with.
pub(crate) struct Ctx<'t, 's> {
    pub(crate) conn: ConnId,
    pub(crate) address: IpAddr,
    pub(crate) now: Now,
    pub(crate) limits: &'t Limits,
    pub(crate) settings: &'t Settings,
    pub(crate) batch: &'t mut Batch<'s>,
    pub(crate) roster: &'t mut Roster,
    pub(crate) outbox: &'t mut Outbox,
    pub(crate) throttle: &'t mut RateLimits,
    pub(crate) session_log: &'t mut SessionLog,
    pub(crate) deferred_writes: &'t mut DeferredWrites,
    pub(crate) journal: &'t mut Journal,
    /// The source of secrets. What is stored of them is part of the write that the journal keeps.
    pub(crate) random: &'t mut StdRng,
    /// What follows the commit of this tick.
    pub(crate) after_commit: &'t mut AfterCommit,
    /// Whether less space is free than `free_bytes`.
    pub(crate) disk_is_low: bool,
    /// Whether no space is free.
    pub(crate) disk_is_full: bool,
    /// What the administration is shown of the server.
    pub(crate) gauges: &'t Gauges,
}

/// What follows the commit of a tick, and is dropped with a tick that is rolled back.
#[derive(Debug, Default)]
pub(crate) struct AfterCommit {
    /// Sessions to end; the tick ends with the request that asks for it.
    pub(crate) session_ends: Vec<SessionsEnd>,
    /// What is to be removed in portions.
    pub(crate) removals: Vec<Removal>,
    /// Users to be told of changed lists, a few at a time.
    pub(crate) changed_lists: ChangedLists,
    /// Changes in memory of the administration; the tick ends with the request that asks for one.
    pub(crate) memory_changes: Vec<MemoryChange>,
}

/// What the administration is shown of the server besides its database and its users.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges {
    /// When the server started, in unix seconds.
    pub(crate) started_at: i64,
    /// The addresses that it listens on.
    pub(crate) listening: Vec<String>,
    /// The fingerprint of its host key.
    pub(crate) fingerprint: String,
    /// The number of its process, for signals.
    pub(crate) process: u32,
    /// Connections, with and without a login.
    pub(crate) connections: usize,
    /// The most that the system lets this process have; `None` if that is not known.
    pub(crate) places: Option<usize>,
    /// When a drain ends and the server stops, in unix seconds; `None` while it does not drain.
    pub(crate) stops_at: Option<i64>,
}

/// The authenticated user of a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) id: UserId,
    pub(crate) name: std::rc::Rc<str>,
    /// Whether the user is a bot.
    pub(crate) bot: bool,
}

impl Caller {
    /// The caller's identity for other users.
    fn user(&self) -> User {
        User {
            id: self.id,
            name: String::from(&*self.name),
        }
    }
}

/// The outcome of a request that was not refused.
pub(crate) enum Answer {
    /// Its final reply.
    Reply(Event),
    /// A worker thread has to compute first; then `account` goes on.
    Wait(Task, account::Pending),
    /// A login that needs no worker: `account` goes on as soon as the session may begin.
    LogIn(account::LoginAttempt),
    /// A part of a request that takes several turns: it is handled again in the next tick, and goes on with it.
    Unfinished(Unfinished),
}

/// What the turns before left of a request that takes several.
pub(crate) enum Unfinished {
    /// SEARCH.
    Search(Box<Search>),
    /// LIST_MENTIONS.
    Mentions(Box<Mentions>),
}

impl From<Event> for Answer {
    fn from(event: Event) -> Self {
        Answer::Reply(event)
    }
}

/// DONE for a request of this kind.
fn done_with(kind: RequestKind) -> Event {
    Event::Done {
        command: kind.info().number.into(),
    }
}

fn done(message: &str) -> Outcome {
    Outcome::Done(message.to_owned())
}

/// A time on the wire. Times before 1970 are sent as 0: the wire has no negative numbers.
fn unix(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0)
}

fn target_type(kind: Kind) -> TargetType {
    match kind {
        Kind::Private => TargetType::Friend,
        Kind::Room => TargetType::Room,
    }
}
