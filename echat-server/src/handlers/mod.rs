//! What happens when a request has passed its gate: one plain function each. Knows no bytes, no
//! sockets, no clocks and no SQL.
//!
//! Every handler keeps one order: **ask** (read, refuse), **write** (rows), **remember** (roster),
//! **announce** (outbox). Only a write can fail, so memory needs no undo. A handler that meets a
//! busy database is simply run again later: up to its first write it has changed nothing.

#![allow(
    clippy::needless_pass_by_value,
    reason = "the route table gives each handler its own"
)]

pub(crate) mod account;
mod bundle;
pub(crate) mod friends;
pub(crate) mod gate;
pub(crate) mod messages;
mod page;
pub(crate) mod presence;
mod refusal;
pub(crate) mod rooms;
pub(crate) mod search;
mod targets;

pub(crate) use refusal::{Refusal, Reject, refuse};

use crate::clock::Now;
use crate::config::Limits;
use crate::conn::ConnId;
use crate::limits::RateLimits;
use crate::outbox::Outbox;
use crate::roster::Roster;
use crate::session_log::SessionLog;
use crate::store::{Batch, Kind, UserId};
use crate::workers::jobs::Task;
use echat_proto::commands::Event;
use echat_proto::param::TargetType;
use echat_proto::records::{Code, Outcome};
use std::net::IpAddr;

/// What a handler works with.
pub(crate) struct Ctx<'t, 's> {
    pub(crate) conn: ConnId,
    pub(crate) address: IpAddr,
    pub(crate) now: Now,
    pub(crate) limits: &'t Limits,
    pub(crate) batch: &'t mut Batch<'s>,
    pub(crate) roster: &'t mut Roster,
    pub(crate) outbox: &'t mut Outbox,
    pub(crate) throttle: &'t mut RateLimits,
    pub(crate) sessions: &'t mut SessionLog,
    pub(crate) deferred_writes: &'t mut Vec<DeferredWrite>,
    /// Set when the origin of the connection pays for the request as for a password's hash.
    pub(crate) login_refused: &'t mut bool,
    /// Whether less space is free than `free_bytes`.
    pub(crate) disk_is_low: bool,
}

impl Ctx<'_, '_> {
    /// Refuses a request that stores while less space is free than `free_bytes`. Asked before any rate.
    fn needs_space(&self) -> Result<(), Reject> {
        if self.disk_is_low {
            return Err(Code::StorageFull.into());
        }
        Ok(())
    }
}

/// Somebody who is logged in, here.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id: UserId,
    pub(crate) name: std::rc::Rc<str>,
}

/// What becomes of a request that was not refused.
pub(crate) enum Answer {
    /// Its final reply.
    Reply(Event),
    /// A worker thread has to compute first; then `account` goes on.
    Wait(Task, account::Pending),
}

impl From<Event> for Answer {
    fn from(event: Event) -> Self {
        Answer::Reply(event)
    }
}

/// A small write that no answer depends on. JobResult after the tick in a batch of its own, and dropped
/// if the disk is full.
#[derive(Debug)]
pub(crate) enum DeferredWrite {
    /// The account was logged in to from this origin.
    NoteLogin(UserId, IpAddr, i64),
    /// The password's hash was made with today's parameters.
    UpgradeHash(UserId, String),
}

fn done(message: &str) -> Outcome {
    Outcome::Done(message.to_owned())
}

fn target_type(kind: Kind) -> TargetType {
    match kind {
        Kind::Private => TargetType::Friend,
        Kind::Room => TargetType::Room,
    }
}
