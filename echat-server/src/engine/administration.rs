//! The administration: commands from the server's own terminal and its socket, and what operations change in memory.
//! Commands of administrators in the chat are requests as others.
//!
//! An operation of the terminal or the socket is a transaction of its own between two ticks.

use super::{Engine, Fatal, NO_CONNECTION, tick};
use crate::clock::Now;
use crate::config::{Limits, LogFilter, Settings};
use crate::conn::{Departure, End};
use crate::handlers::administration::{
    self, Actor, AdminOutcome, AdminReport, AdminTask, MemoryChange, Operation, Overridden,
    RawArguments,
};
use crate::handlers::{Ctx, Gauges, Refusal, Reject};
use crate::limits::{AddressBans, AddressPrefix};
use crate::peer::Peer;
use crate::secrets::{PasswordHash, SecretSeed};
use crate::storage::{Batch, Removal, StoreError, Sweep};
use echat_proto::Value;
use echat_proto::commands::CloseReason;
use echat_proto::records::Code;
use std::net::Ipv4Addr;

/// What the administration keeps besides the database.
#[derive(Default)]
pub(super) struct Administration {
    /// The settings of the configuration.
    pub(super) configured: Settings,
    /// What is stored in place of some.
    overridden: Overridden,
    /// The addresses that are not served.
    pub(super) bans: AddressBans,
    /// What is to be logged from now on.
    log: Option<LogFilter>,
}

impl Administration {
    /// The settings that hold.
    pub(super) fn settings(&self) -> Settings {
        self.overridden.over(&self.configured)
    }
}

/// A command that was not carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct AdminRefusal {
    /// The code.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// Further keys.
    pub detail: Vec<(String, Value)>,
}

impl AdminRefusal {
    /// A refusal without further keys.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            detail: Vec::new(),
        }
    }
}

impl From<Code> for AdminRefusal {
    fn from(code: Code) -> Self {
        Refusal::from(code).into()
    }
}

impl From<Refusal> for AdminRefusal {
    fn from(refusal: Refusal) -> Self {
        let code = refusal.code();
        // Some codes have the sentence of the program of 2017, for its users.
        let message = match code {
            Code::UnknownUser => "There is no such user.",
            Code::UnknownRoom => "There is no such room.",
            Code::NotAMember => "This user is no member of the room.",
            Code::NameTaken => "This name, or one that looks like it, is or was another user's.",
            _ => refusal.message(),
        };
        Self {
            code: code.as_str(),
            message: message.to_owned(),
            detail: refusal.detail().to_vec(),
        }
    }
}

/// An operation whose task is not done yet.
#[derive(Debug)]
pub struct PendingOperation(Operation);

impl PendingOperation {
    /// The actor and the interface, as the log names them.
    pub fn by(&self) -> String {
        self.0.by()
    }
}

/// The answer to a command.
#[derive(Debug)]
pub enum AdminAnswer {
    /// It is done.
    Done(AdminReport),
    /// First this has to be done, and then [`Engine::note_result`] or [`Engine::resume_operation`] called.
    Task(AdminTask, Box<PendingOperation>),
    /// It is refused.
    Refused(AdminRefusal),
}

impl Engine {
    /// Tells the administration about the server. Called once, at a start.
    ///
    /// # Errors
    /// The database failed, which ends the server. So does damage of the settings and bans, which is logged with what
    /// to do: without them the server would let in users that it must not.
    pub fn begin_administration(
        &mut self,
        listening: Vec<String>,
        fingerprint: String,
        process: u32,
        now: Now,
    ) -> Result<(), Fatal> {
        self.state.gauges = Gauges {
            started_at: now.unix,
            listening,
            fingerprint,
            process,
            connections: 0,
            places: self.state.gauges.places,
            stops_at: None,
        };
        let batch = self.store.batch();
        let read = Overridden::read(&batch).and_then(|overridden| {
            let bans = administration::read_address_bans(&batch, now.unix)?;
            Ok((overridden, bans))
        });
        drop(batch);
        self.damage.report(&mut self.store, now);
        (self.administration.overridden, self.administration.bans) = read.map_err(Fatal)?;
        self.state.settings = self.administration.settings();
        Ok(())
    }

    /// Carries out a command of the operator: of the process's own terminal, or of a user of the system at the socket.
    ///
    /// # Errors
    /// The database failed, which ends the server.
    pub fn administer(
        &mut self,
        system_user: Option<u32>,
        command: &str,
        arguments: RawArguments,
        now: Now,
    ) -> Result<AdminAnswer, Fatal> {
        let actor = system_user.map_or(Actor::Terminal, Actor::Ctl);
        let seed = SecretSeed::draw(&mut self.state.random);
        match Operation::read(actor, command, arguments, seed, now.unix) {
            Ok(operation) => self.carry_out(operation, now),
            Err(reject) => NotCommitted::from(reject).answer(),
        }
    }

    /// Continues an operation whose password is hashed.
    ///
    /// # Errors
    /// The database failed, which ends the server.
    pub fn resume_operation(
        &mut self,
        pending: PendingOperation,
        hash: PasswordHash,
        now: Now,
    ) -> Result<AdminAnswer, Fatal> {
        self.carry_out(pending.0.hashed(hash), now)
    }

    /// Records the result of an operation's task in the audit: `done`, or a code.
    ///
    /// # Errors
    /// The database failed, which ends the server.
    pub fn note_result(
        &mut self,
        pending: &PendingOperation,
        result: &str,
        now: Now,
    ) -> Result<(), Fatal> {
        self.write_audit(now, |ctx| {
            administration::note_result(ctx, &pending.0, result)
        })
    }

    /// Records in the audit what a signal has done: `done` is the command that does the same, `result` as for
    /// [`note_result`](Self::note_result).
    ///
    /// # Errors
    /// The database failed, which ends the server.
    pub fn note_signal(
        &mut self,
        signal: &'static str,
        done: &str,
        result: &str,
        now: Now,
    ) -> Result<(), Fatal> {
        self.write_audit(now, |ctx| {
            administration::note_signal(ctx, signal, done, result)
        })
    }

    /// Writes to the audit. What the disk does not take is in the log.
    fn write_audit(
        &mut self,
        now: Now,
        write: impl FnOnce(&mut Ctx<'_, '_>) -> Result<(), StoreError>,
    ) -> Result<(), Fatal> {
        let written = self.transact(now, |state, batch| {
            let address = Ipv4Addr::UNSPECIFIED.into();
            let mut ctx = state.ctx(batch, NO_CONNECTION, address, now);
            Ok(write(&mut ctx)?)
        });
        match written {
            Ok(()) => Ok(()),
            Err(NotCommitted::Refused(refused)) => {
                tracing::warn!("a command is missing in the audit: {}", refused.message);
                Ok(())
            }
            Err(NotCommitted::Fatal(error)) => Err(error),
        }
    }

    fn carry_out(&mut self, operation: Operation, now: Now) -> Result<AdminAnswer, Fatal> {
        let outcome = self.transact(now, |state, batch| {
            let address = Ipv4Addr::UNSPECIFIED.into();
            let mut ctx = state.ctx(batch, NO_CONNECTION, address, now);
            administration::perform(&mut ctx, &operation)
        });
        match outcome {
            Ok(AdminOutcome::Report(report)) => Ok(AdminAnswer::Done(report)),
            Ok(AdminOutcome::Task(task)) => {
                let pending = Box::new(PendingOperation(operation));
                Ok(AdminAnswer::Task(task, pending))
            }
            Ok(AdminOutcome::Refused(refusal)) => Ok(AdminAnswer::Refused(refusal.into())),
            Err(error) => error.answer(),
        }
    }

    /// Writes in a transaction of its own, between ticks, and releases what follows from it.
    fn transact<T>(
        &mut self,
        now: Now,
        write: impl FnOnce(&mut super::MemoryState, &mut Batch<'_>) -> Result<T, Reject>,
    ) -> Result<T, NotCommitted> {
        self.state.gauges.connections = self.connections.len();
        let mark = self.state.outbox.mark();
        let mut batch = self.store.batch_at(now.unix);
        let written = write(&mut self.state, &mut batch);
        let committed = written.and_then(|written| Ok((written, batch.commit()?)));
        match committed {
            Ok((written, receipt)) => {
                let released = tick::release(self, now, receipt).map_err(Fatal);
                released.map_err(NotCommitted::Fatal)?;
                Ok(written)
            }
            Err(Reject::Store(error @ StoreError::Fatal(_))) => {
                Err(NotCommitted::Fatal(Fatal(error)))
            }
            Err(reject) => {
                self.state.roll_back();
                drop(self.state.outbox.split_off(mark));
                Err(reject.into())
            }
        }
    }

    /// Makes the changes in memory of committed operations.
    pub(super) fn apply_memory_changes(&mut self, changes: Vec<MemoryChange>, now: Now) {
        for change in changes {
            match change {
                MemoryChange::Override(one) => {
                    self.administration.overridden.set(one);
                    self.state.settings = self.administration.settings();
                }
                MemoryChange::UseConfigured(setting) => {
                    self.administration.overridden.unset(setting);
                    self.state.settings = self.administration.settings();
                }
                MemoryChange::Ban(prefix, until) => {
                    self.administration.bans.add(prefix, until, now.unix);
                    self.close_banned(prefix, now);
                }
                MemoryChange::Unban(prefix) => self.administration.bans.remove(prefix),
                MemoryChange::AdministratorMade => self.state.administrator_is_made = true,
                MemoryChange::NewPassword(name, addresses) => {
                    self.state.rates.guesses.forget(&name, &addresses);
                }
                MemoryChange::Prune => {
                    let sweep = Removal::TooOld(Sweep::of_all(true));
                    self.removals.add([sweep], now);
                }
                MemoryChange::Limits(limits) => self.limit(*limits, now),
                MemoryChange::Log(filter) => {
                    filter
                        .text()
                        .clone_into(&mut self.administration.configured.log);
                    self.state.settings = self.administration.settings();
                    self.administration.log = Some(filter);
                }
            }
        }
    }

    /// Closes the connections from addresses that are not served any more.
    fn close_banned(&mut self, prefix: AddressPrefix, now: Now) {
        let banned = self.connections.from(|address| prefix.contains(address));
        for conn in banned {
            let (why, end) = (Departure::AddressBanned, End::Notify(CloseReason::Kicked));
            let close = |peer: &mut Peer| peer.close_because(why, end, now);
            self.connections.with(conn, &self.state.limits, close);
        }
    }

    /// The keys of the configuration in whose place something is stored.
    pub fn overridden(&self) -> Vec<&'static str> {
        self.administration.overridden.keys()
    }

    /// What is to be logged from now on, once.
    pub fn take_log_filter(&mut self) -> Option<LogFilter> {
        self.administration.log.take()
    }

    /// Says how many connections the system lets this process have. No limit is above it from then on.
    pub fn bound_connections(&mut self, places: usize) {
        self.state.gauges.places = Some(places);
        let limits = &mut self.state.limits;
        limits.connections = limits.connections.min(places);
    }

    /// Changes the limits, from the next request on. The deadlines of all connections follow.
    pub fn limit(&mut self, mut limits: Limits, now: Now) {
        let places = self.state.gauges.places.unwrap_or(usize::MAX);
        limits.connections = limits.connections.min(places);
        let old = std::mem::replace(&mut self.state.limits, limits);
        let new = &self.state.limits;
        let is_silence_new =
            (old.ping_seconds, old.dead_seconds) != (new.ping_seconds, new.dead_seconds);
        self.connections.change_limits(new, is_silence_new, now);
    }

    /// Tells all users that are logged in that the server stops in so many seconds. The status says so from now on.
    pub fn announce_stop(&mut self, seconds: u64, now: Now) {
        let seconds_left = i64::try_from(seconds).unwrap_or(i64::MAX);
        self.state.gauges.stops_at = Some(now.unix.saturating_add(seconds_left));
        let to = self.state.roster.sessions().map(|(conn, _)| conn).collect();
        let text = format!("The server stops in {seconds} s.");
        let event = echat_proto::commands::Event::OnBroadcast { text };
        self.state.outbox.send_all(to, &event);
    }
}

/// Why a transaction of the administration is not committed.
enum NotCommitted {
    /// The command is refused.
    Refused(AdminRefusal),
    /// The database failed, which ends the server.
    Fatal(Fatal),
}

impl NotCommitted {
    /// The answer to the command, unless the server ends.
    fn answer(self) -> Result<AdminAnswer, Fatal> {
        match self {
            Self::Refused(refused) => Ok(AdminAnswer::Refused(refused)),
            Self::Fatal(error) => Err(error),
        }
    }
}

impl From<Reject> for NotCommitted {
    fn from(reject: Reject) -> Self {
        let code = match reject {
            Reject::Refused(refusal) => return Self::Refused(refusal.into()),
            Reject::Store(error @ StoreError::Fatal(_)) => return Self::Fatal(Fatal(error)),
            Reject::Store(StoreError::Busy) => Code::StorageBusy,
            Reject::Store(StoreError::Full) => Code::StorageFull,
            Reject::Store(StoreError::Damaged(_)) => Code::StorageDamaged,
        };
        Self::Refused(code.into())
    }
}
