//! Runs a case: carries out its actions, moves the simulation by ticks, and checks the state after every tick.

mod actions;
mod phases;
mod tick;

use crate::client::Client;
use crate::committed::CommittedState;
use crate::disk::Disk;
use crate::observations::Observations;
use crate::plan::{Action, CLIENTS, Case, ClientIndex, RegistrationPolicy, Step};
use crate::sim::Sim;
use crate::sim::schedule::Schedule;
use echat_server::config::Limits;
use echat_server::conn::ConnId;
use echat_server::replay::Entry;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

/// Ticks within which the simulation must settle, and within which the timers of one moment must be handled.
const MAX_TICKS: usize = 5_000;
/// Longer than any cool-down of password attempts, and than any time-out.
const LONG: Duration = Duration::from_secs(1_000);
/// The longest time to the next sweep, with the pause before it ends.
const SWEEP: Duration = Duration::from_secs(61);
/// The client that reads everything after the others have left.
const AUDITOR: ClientIndex = CLIENTS;

/// Users who are online, with their connections.
pub(crate) type Online = BTreeMap<usize, Vec<ConnId>>;

/// A committed write, for the replay.
pub(crate) enum CommittedWrite {
    Request(Entry),
    Suspension {
        user: usize,
        until: Option<i64>,
        now: i64,
    },
    Unsuspension {
        user: usize,
    },
}

/// A running case: the simulation, its clients, and the observations.
pub(crate) struct Run {
    pub(crate) limits: Limits,
    pub(crate) policy: RegistrationPolicy,
    pub(crate) sessions: NonZeroUsize,
    turn_cost: Duration,
    portion: usize,
    pub(crate) sim: Sim,
    disk: Disk,
    /// All committed writes, in order.
    writes: Vec<CommittedWrite>,
    pub(crate) committed: CommittedState,
    observed: Observations,
    pub(crate) clients: Vec<Client>,
    ticks: u64,
    /// Whether a message or a digest could expire after the last commit.
    expired: bool,
    /// Until when a sweep may be planned that finds nothing.
    sweep_planned_until: Duration,
    stopping: bool,
    /// Whether steps and events are printed.
    verbose: bool,
}

/// The result of a case without a failure.
#[derive(Debug, PartialEq)]
pub(crate) struct Passed {
    /// A digest of all bytes that the server sent, with connection and time.
    pub(crate) trace: u64,
    /// How often each situation occurred; see [`crate::coverage`].
    pub(crate) coverage: BTreeMap<String, u64>,
}

/// Runs a case.
pub(crate) fn run(case: &Case, verbose: bool) -> Result<Passed, String> {
    let mut run = Run::new(case, verbose);
    for step in &case.steps {
        run.step(step)
            .map_err(|what| format!("{what}\n    at {step:?}"))?;
    }
    run.finish()
        .map_err(|what| format!("{what}\n    at the end"))?;
    Ok(Passed {
        trace: run.sim.trace(),
        coverage: run.observed.coverage,
    })
}

impl Run {
    fn new(case: &Case, verbose: bool) -> Self {
        let (disk, store) = Disk::new(case.accounts, case.all_friends);
        let limits = case.profile.limits(case.all_friends);
        let mut sim = Sim::new(case.seed, limits.clone(), store);
        // Mostly workers have no time to prepare exponents.
        sim.exponents = usize::from(case.seed.is_multiple_of(32));
        sim.engine.allow_sessions(case.sessions);
        sim.engine.set_turn_cost(case.turn_cost);
        sim.engine.set_portion(case.portion);
        sim.engine.keep_journal();
        sim.engine.configure(case.policy.settings());
        let lobby = sim.engine.create_lobby(sim.now);
        assert!(lobby.is_ok(), "the disk is well");
        let mut committed = CommittedState::default();
        disk.read(&mut committed);
        Self {
            sim,
            policy: case.policy,
            limits,
            sessions: case.sessions,
            turn_cost: case.turn_cost,
            portion: case.portion,
            disk,
            writes: Vec::new(),
            committed,
            observed: Observations::default(),
            clients: (0..=AUDITOR).map(|_| Client::default()).collect(),
            ticks: 1,
            expired: false,
            sweep_planned_until: Duration::ZERO,
            stopping: false,
            verbose,
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        self.log(|| format!("{step:?}"));
        self.sim.schedule = Some(Schedule::new(step.schedule.into()));
        self.act(&step.action)?;
        for _ in 0..step.ticks {
            self.tick()?;
        }
        Ok(())
    }

    fn act(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Connect(index) => self.connect(*index),
            Action::Pipeline(index, planned) => {
                for request in planned {
                    self.send(*index, request);
                }
            }
            Action::InOneTick(planned) => return self.in_one_tick(planned),
            Action::RoundTrip(index, planned) => {
                return self.round_trip(*index, std::slice::from_ref(planned));
            }
            Action::Resend(index) => self.resend(*index),
            Action::CloseNotify(index) | Action::HalfClose(index) | Action::Reset(index) => {
                self.close(*index, action);
            }
            Action::StopReading(index) => self.set_flow(*index, false, usize::MAX),
            Action::StopSending(index, bytes) => self.set_flow(*index, true, *bytes),
            Action::Unstall(index) => self.set_flow(*index, true, usize::MAX),
            Action::HoldResults(hold) => self.sim.hold = *hold,
            Action::ClockJump(seconds) => {
                self.sim.now.unix += seconds;
                self.observed.note_clock_jump(self.ticks);
            }
            Action::Wait(millis) => return self.wait(Duration::from_millis(*millis)),
            Action::Suspend(user, seconds) => return self.suspend(*user, *seconds),
            Action::Unsuspend(user) => return self.unsuspend(*user),
            Action::FillDisk => self.disk.fill(self.sim.engine.store()),
            Action::LockDatabase => self.disk.lock(),
            Action::FailCommits => self.disk.fail_commits(),
            Action::DamageMessages => self.disk.damage(),
            Action::RepairStorage => self.disk.repair(self.sim.engine.store()),
            Action::Crash => return self.restart(),
            Action::Stop => return self.stop(),
            Action::Quiesce => return self.quiesce(),
        }
        Ok(())
    }

    /// The users that are online, with their connections.
    pub(crate) fn online(&self) -> Online {
        let online = self.sim.engine.roster().online();
        online
            .map(|online| {
                (
                    self.committed.user_named(&online.name),
                    online.conns.to_vec(),
                )
            })
            .collect()
    }

    /// A client's connection, if the server has not closed it.
    pub(crate) fn conn(&self, index: ClientIndex) -> Option<ConnId> {
        let end = self.sim.ends.get(name(index))?;
        end.conn
            .filter(|_| self.clients[index].connected && !end.is_closed())
    }

    /// Whether a storage fault is active.
    pub(crate) fn has_fault(&self) -> bool {
        self.disk.has_fault()
    }

    /// Whether the engine may plan to look for messages and digests that are too old. A plan stays when nothing expires
    /// any more.
    pub(crate) fn plans_sweep(&self) -> bool {
        self.expires() || self.sim.now.running < self.sweep_planned_until
    }

    /// Whether a message or a digest expires without a request.
    fn expires(&self) -> bool {
        let mut rooms = self.committed.rooms.values();
        rooms.any(|room| room.keep_days.is_some()) || self.disk.keeps_digests()
    }

    /// Notes after a commit how long a sweep may be planned.
    fn note_sweeps(&mut self) {
        let expires = self.expires();
        if expires || self.expired {
            self.sweep_planned_until = self.sim.now.running + SWEEP;
        }
        self.expired = expires;
    }

    /// A client's requests without a final reply, counted by its end of the connection.
    pub(crate) fn unanswered(&mut self, index: ClientIndex) -> usize {
        self.sim.end(name(index)).unanswered()
    }

    fn log(&self, what: impl FnOnce() -> String) {
        if self.verbose {
            println!("{:>9.3} {}", self.sim.now.running.as_secs_f64(), what());
        }
    }
}

/// The address of a client. Two clients share one.
fn address(index: ClientIndex) -> String {
    format!("192.0.2.{}", 1 + index / 2)
}

/// The name of a client's end in the simulation.
fn name(index: ClientIndex) -> &'static str {
    ["c0", "c1", "c2", "c3", "c4", "c5", "auditor"][index]
}
