//! A case carried out: actions are done, the world moves, and every tick is judged.

mod actions;
mod course;
mod tick;

use crate::client::Client;
use crate::disk::Disk;
use crate::facts::Facts;
use crate::plan::{Action, Case, Door, SEATS, Seat, Step};
use crate::sim::Sim;
use crate::sim::schedule::Schedule;
use crate::truth::Truth;
use echat_server::config::Limits;
use echat_server::conn::ConnId;
use echat_server::replay::Entry;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

/// Ticks in which everything must come to rest, and in which what is due at one moment must be done.
const PATIENCE: usize = 5_000;
/// Longer than any wait for passwords, and than any silence.
const LONG: Duration = Duration::from_secs(1_000);
/// Looks at everything when the others are gone.
const AUDITOR: Seat = SEATS;

/// Users who are online, and the connections of each.
pub(crate) type Online = BTreeMap<usize, Vec<ConnId>>;

/// What was written, to be repeated.
pub(crate) enum Written {
    Request(Entry),
    Suspension {
        user: usize,
        until: Option<i64>,
        now: i64,
    },
    Pardon {
        user: usize,
    },
}

/// A world, what is known of it, and its clients.
pub(crate) struct Run {
    pub(crate) limits: Limits,
    pub(crate) door: Door,
    pub(crate) sessions: NonZeroUsize,
    turn_cost: Duration,
    portion: usize,
    pub(crate) sim: Sim,
    disk: Disk,
    /// Everything that was written and committed, in order.
    written: Vec<Written>,
    pub(crate) truth: Truth,
    facts: Facts,
    pub(crate) clients: Vec<Client>,
    ticks: u64,
    stopping: bool,
    /// Whether steps and events are printed.
    loud: bool,
}

/// A case that held.
#[derive(Debug, PartialEq)]
pub(crate) struct Held {
    /// A digest of every byte that the server sent, with its connection and time.
    pub(crate) trace: u64,
    /// What was met, and how often.
    pub(crate) met: BTreeMap<String, u64>,
}

/// Carries a case out.
pub(crate) fn run(case: &Case, loud: bool) -> Result<Held, String> {
    let mut run = Run::new(case, loud);
    for step in &case.steps {
        run.step(step)
            .map_err(|what| format!("{what}\n    at {step:?}"))?;
    }
    run.end()
        .map_err(|what| format!("{what}\n    at the end"))?;
    Ok(Held {
        trace: run.sim.trace(),
        met: run.facts.met,
    })
}

impl Run {
    fn new(case: &Case, loud: bool) -> Self {
        let (disk, store) = Disk::new(case.accounts, case.acquainted);
        let limits = case.climate.limits(case.acquainted);
        let mut sim = Sim::new(case.seed, limits.clone(), store);
        // Mostly workers find none of the time that preparing takes.
        sim.exponents = usize::from(case.seed.is_multiple_of(32));
        sim.engine.allow_sessions(case.sessions);
        sim.engine.set_turn_cost(case.turn_cost);
        sim.engine.set_portion(case.portion);
        sim.engine.keep_journal();
        sim.engine.configure(case.door.settings());
        let lobby = sim.engine.create_lobby(sim.now);
        assert!(lobby.is_ok(), "the disk is well");
        let mut truth = Truth::default();
        disk.read(&mut truth);
        Self {
            sim,
            door: case.door,
            limits,
            sessions: case.sessions,
            turn_cost: case.turn_cost,
            portion: case.portion,
            disk,
            written: Vec::new(),
            truth,
            facts: Facts::default(),
            clients: (0..=AUDITOR).map(|_| Client::default()).collect(),
            ticks: 1,
            stopping: false,
            loud,
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        self.tell(|| format!("{step:?}"));
        self.sim.schedule = Some(Schedule::new(step.schedule.into()));
        self.act(&step.action)?;
        for _ in 0..step.ticks {
            self.tick()?;
        }
        Ok(())
    }

    fn act(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Connect(seat) => self.connect(*seat),
            Action::Say(seat, planned) => {
                for request in planned {
                    self.say(*seat, request);
                }
            }
            Action::Together(planned) => return self.together(planned),
            Action::Ask(seat, planned) => return self.ask(*seat, std::slice::from_ref(planned)),
            Action::Resend(seat) => self.resend(*seat),
            Action::Leave(seat) | Action::HangUp(seat) | Action::Reset(seat) => {
                self.leave(*seat, action);
            }
            Action::Stall(seat) => self.listen(*seat, false, usize::MAX),
            Action::Mute(seat, bytes) => self.listen(*seat, true, *bytes),
            Action::Wake(seat) => self.listen(*seat, true, usize::MAX),
            Action::Hold(hold) => self.sim.hold = *hold,
            Action::Jump(seconds) => {
                self.sim.now.unix += seconds;
                self.facts.jump(self.ticks);
            }
            Action::Wait(millis) => return self.wait(Duration::from_millis(*millis)),
            Action::Suspend(user, seconds) => return self.suspend(*user, *seconds),
            Action::Pardon(user) => return self.pardon(*user),
            Action::Fill => self.disk.fill(self.sim.engine.store()),
            Action::Occupy => self.disk.occupy(),
            Action::Break => self.disk.sabotage(),
            Action::Damage => self.disk.damage(),
            Action::Mend => self.disk.mend(self.sim.engine.store()),
            Action::Crash => return self.restart(),
            Action::Stop => return self.stop(),
            Action::Calm => return self.calm(),
        }
        Ok(())
    }

    /// The users that are online, and their connections.
    pub(crate) fn online(&self) -> Online {
        let online = self.sim.engine.roster().online();
        online
            .map(|online| (self.truth.named(&online.name), online.conns.to_vec()))
            .collect()
    }

    /// A client's connection, if the server has not closed it.
    pub(crate) fn conn(&self, seat: Seat) -> Option<ConnId> {
        let end = self.sim.ends.get(name(seat))?;
        end.conn
            .filter(|_| self.clients[seat].connected && !end.is_closed())
    }

    /// Whether anything is wrong with the disk.
    pub(crate) fn is_troubled(&self) -> bool {
        self.disk.is_troubled()
    }

    /// See [`Disk::keeps_digests`].
    pub(crate) fn keeps_digests(&self) -> bool {
        self.disk.keeps_digests()
    }

    /// Requests that a client's end has counted and that got no reply.
    pub(crate) fn owed(&mut self, seat: Seat) -> usize {
        self.sim.end(name(seat)).owed()
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        if self.loud {
            println!("{:>9.3} {}", self.sim.now.running.as_secs_f64(), what());
        }
    }
}

/// Where a client comes from.
fn address(seat: Seat) -> String {
    format!("192.0.2.{}", 1 + seat / 2)
}

/// What the world calls a client's end.
fn name(seat: Seat) -> &'static str {
    ["c0", "c1", "c2", "c3", "c4", "c5", "auditor"][seat]
}
