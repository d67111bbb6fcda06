//! A deterministic simulation of an engine and its clients in one thread, without sockets, workers or a real clock.
//!
//! ```text
//! ClientEnd ── bytes ──> Engine ── jobs ──> run at once, results held back or not
//!     ^ bytes, limited in each step by pace or schedule ───┘
//! ```
//!
//! A [`Sim`] is a function of its seed and of the calls that are made: equal seeds give equal traces.

#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod client_end;
mod pattern;
pub(crate) mod schedule;
pub(crate) mod script;
pub(crate) mod seed;
pub(crate) mod workers;

use client_end::ClientEnd;
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::by_name;
use echat_server::clock::Now;
use echat_server::config::Limits;
use echat_server::conn::ConnId;
use echat_server::engine::{Engine, Fatal};
use echat_server::storage::{Checkpoint, Store};
use echat_server::workers::jobs::{JobResult, Task};
use ed25519_dalek::SigningKey;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use schedule::Schedule;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::time::Duration;

/// Steps within which a simulation must settle.
const STEPS: usize = 100_000;
/// The default address of clients.
pub(crate) const HOME: &str = "127.0.0.1:4000";
/// The first moment of the virtual clock: 2017-07-14, when the original program was new.
const BEGINNING: i64 = 1_500_000_000;

/// An engine and its clients.
pub(crate) struct Sim {
    pub(crate) engine: Engine,
    pub(crate) now: Now,
    pub(crate) ends: BTreeMap<String, ClientEnd>,
    /// Whether the results of workers are held back.
    pub(crate) hold: bool,
    /// Whether workers accept every password without hashing it, for tests with many logins.
    pub(crate) skip_hashing: bool,
    /// Passwords that were hashed, or accepted without hashing.
    pub(crate) hashed: usize,
    /// Bytes that move in one direction of one connection in one step.
    pub(crate) pace: usize,
    /// An irregular order and amount of bytes and results, if set.
    pub(crate) schedule: Option<Schedule>,
    /// Exponents that workers still have time to prepare. Each costs two powers that are not cached.
    pub(crate) exponents: usize,
    /// Checkpoints that ran beside the engine.
    pub(crate) checkpoints: usize,
    /// Writes of the engine's output to connections so far.
    pub(crate) writes: usize,
    by_conn: BTreeMap<ConnId, String>,
    /// Connections with output to be written.
    unwritten: BTreeSet<ConnId>,
    results: Vec<(ConnId, JobResult)>,
    /// Results that are set aside.
    aside: Vec<(ConnId, JobResult)>,
    /// A checkpoint of the database's log that has begun.
    checkpoint: Option<Checkpoint>,
    host_key: SigningKey,
    rng: StdRng,
    trace: DefaultHasher,
}

impl Sim {
    /// A simulation over a database.
    pub(crate) fn new(seed: u64, limits: Limits, store: Store) -> Self {
        Self {
            engine: Engine::new(limits, store, StdRng::seed_from_u64(seed)),
            now: Now {
                running: Duration::ZERO,
                unix: BEGINNING,
            },
            ends: BTreeMap::new(),
            hold: false,
            skip_hashing: false,
            hashed: 0,
            pace: usize::MAX,
            schedule: None,
            exponents: 0,
            checkpoints: 0,
            writes: 0,
            by_conn: BTreeMap::new(),
            unwritten: BTreeSet::new(),
            results: Vec::new(),
            aside: Vec::new(),
            checkpoint: None,
            host_key: SigningKey::from_bytes(&[7; 32]),
            rng: StdRng::seed_from_u64(!seed),
            trace: DefaultHasher::new(),
        }
    }

    /// Opens a connection. The next [`Self::settle`] completes its handshake. A connection that the engine does not
    /// accept is closed from the start.
    pub(crate) fn connect(&mut self, name: &str, address: &str) {
        let address: SocketAddr = address.parse().expect("an address of a test");
        let conn = self.engine.accept(address, self.now);
        let mut end = ClientEnd::new(conn, &mut self.rng);
        match conn {
            Some(conn) => {
                self.by_conn.insert(conn, name.to_owned());
            }
            None => end.close(),
        }
        end.heard_at = self.now.running;
        self.ends.insert(name.to_owned(), end);
    }

    /// The client's end of a connection.
    pub(crate) fn end(&mut self, name: &str) -> &mut ClientEnd {
        self.ends
            .get_mut(name)
            .unwrap_or_else(|| panic!("no client is called {name:?}"))
    }

    /// Renames an end. Bytes are carried, and so ticks are filled, in the order of names.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        let end = self.ends.remove(from).expect("a client of this name");
        if let Some(conn) = end.conn {
            self.by_conn.insert(conn, to.to_owned());
        }
        self.ends.insert(to.to_owned(), end);
    }

    /// Sends a message with the next [`Self::settle`].
    pub(crate) fn say(&mut self, name: &str, command: u32, params: Value) {
        let message = Message { command, params };
        let bytes = message.encode().expect("what a test says has a wire form");
        self.say_plain(name, &bytes);
    }

    /// Sends a frame with any plaintext.
    pub(crate) fn say_plain(&mut self, name: &str, plain: &[u8]) {
        self.settle_handshake(name);
        let end = self.ends.get_mut(name).expect("settling lost no client");
        end.send(plain, &mut self.rng);
    }

    fn settle_handshake(&mut self, name: &str) {
        if !self.end(name).is_open() {
            self.settle();
        }
    }

    /// Sends a request, settles, and returns everything that was received since.
    pub(crate) fn ask(&mut self, name: &str, command: &str, params: &str) -> Vec<Message> {
        let command = by_name(command).expect("a command of the table").number;
        let params = echat_proto::json::from_json(params).expect("a test's JSON");
        self.say(name, command, params);
        self.settle();
        self.end(name).take_messages()
    }

    /// Steps until nothing moves.
    pub(crate) fn settle(&mut self) {
        self.try_settle()
            .expect("the database of a test does not fail");
    }

    /// The same, where the database may fail.
    pub(crate) fn try_settle(&mut self) -> Result<(), Fatal> {
        for _ in 0..STEPS {
            if !self.step()? {
                return Ok(());
            }
        }
        panic!("the simulation does not settle");
    }

    /// One round, as the reactor's: bytes in, results in, a tick, jobs and bytes out. False if nothing happened and
    /// nothing is due.
    pub(crate) fn step(&mut self) -> Result<bool, Fatal> {
        let mut moved = self.carry_in();
        if !self.hold {
            moved |= self.complete_some();
            moved |= self.checkpoint()?;
        }
        self.engine.tick(self.now)?;
        moved |= self.take_jobs();
        moved |= self.carry_out();
        moved |= self.note_closed();
        Ok(moved || self.engine.has_work())
    }

    /// Runs the requested checkpoint, at once or when the schedule says so.
    fn checkpoint(&mut self) -> Result<bool, Fatal> {
        self.checkpoint = self
            .checkpoint
            .take()
            .or_else(|| self.engine.take_checkpoint());
        let Some(checkpoint) = self.checkpoint.take() else {
            return Ok(false);
        };
        if !self.schedule.as_mut().is_none_or(Schedule::is_done) {
            self.checkpoint = Some(checkpoint);
            return Ok(true);
        }
        self.engine.checkpoint_done(checkpoint.run())?;
        self.checkpoints += 1;
        Ok(true)
    }

    /// Bytes that a connection may move now.
    fn byte_budget(&mut self) -> usize {
        match &mut self.schedule {
            Some(schedule) => schedule.bytes(),
            None => self.pace,
        }
    }

    fn carry_in(&mut self) -> bool {
        let mut moved = false;
        let mut names: Vec<String> = self.ends.keys().cloned().collect();
        if let Some(schedule) = &mut self.schedule {
            schedule.shuffle(&mut names);
        }
        for name in names {
            let budget = self.byte_budget();
            let end = self.end(&name);
            let Some(conn) = end.conn.filter(|_| !end.is_closed()) else {
                continue;
            };
            if !self.engine.wants_bytes(conn) {
                continue;
            }
            let bytes = self.end(&name).outgoing(budget);
            if !bytes.is_empty() {
                self.end(&name).heard_at = self.now.running;
                self.engine.receive(conn, &bytes, self.now);
                moved = true;
            }
            if self.end(&name).take_hang_up() {
                self.engine.hang_up(conn);
                moved = true;
            }
        }
        moved
    }

    /// Runs the jobs of workers at once. Their results are delivered later.
    fn take_jobs(&mut self) -> bool {
        let mut moved = false;
        for job in self.engine.take_jobs() {
            if matches!(job.task, Task::Prepare) {
                if self.exponents == 0 {
                    continue;
                }
                self.exponents -= 1;
            }
            self.hashed += usize::from(job.task.is_hash());
            let done = if self.skip_hashing && job.task.is_hash() {
                workers::unhashed(&job.task)
            } else {
                workers::run(job.task, &self.host_key, &mut self.rng)
            };
            self.results.push((job.conn, done));
            moved |= !self.hold;
        }
        moved
    }

    /// Writes to the connections that the engine named, as the reactor does, and to no others: output that the engine
    /// does not announce is never written.
    fn carry_out(&mut self) -> bool {
        let mut moved = false;
        self.unwritten.extend(self.engine.take_dirty());
        let mut conns: Vec<ConnId> = self.unwritten.iter().copied().collect();
        if let Some(schedule) = &mut self.schedule {
            schedule.shuffle(&mut conns);
        }
        // The reactor seals in groups of this size.
        for group in conns.chunks(16) {
            let stalls = |conn: &ConnId| {
                let name = self.by_conn.get(conn);
                name.is_some_and(|name| self.ends[name].stalled)
            };
            let writable: Vec<_> = group.iter().filter(|conn| !stalls(conn)).copied().collect();
            self.engine.seal(&writable, self.now);
            for conn in group {
                moved |= self.write(*conn);
            }
        }
        moved
    }

    fn write(&mut self, conn: ConnId) -> bool {
        let budget = self.byte_budget();
        let end = self.by_conn.get(&conn).and_then(|name| {
            let end = self.ends.get_mut(name)?;
            (end.conn == Some(conn) && !end.is_closed()).then_some((name, end))
        });
        let Some((name, end)) = end else {
            return self.unwritten.remove(&conn);
        };
        if end.stalled {
            return false;
        }
        let bytes = self.engine.output(conn, self.now);
        let bytes = bytes[..bytes.len().min(budget)].to_vec();
        if !bytes.is_empty() {
            self.engine.wrote(conn, bytes.len(), self.now);
            self.writes += 1;
            (self.now.running, name, &bytes).hash(&mut self.trace);
            end.receive(&bytes, &mut self.rng);
        }
        if self.engine.output(conn, self.now).is_empty() {
            self.unwritten.remove(&conn);
        }
        let said = self.engine.is_finished(conn);
        if said {
            // A client that sees the end of the stream closes its own half.
            self.engine.hang_up(conn);
        }
        said || !bytes.is_empty()
    }

    fn note_closed(&mut self) -> bool {
        let closed = self.engine.take_closed();
        for conn in &closed {
            self.unwritten.remove(conn);
            let Some(name) = self.by_conn.remove(conn) else {
                continue;
            };
            self.trace_line(&name, b"closed");
            let end = self.ends.get_mut(&name);
            if let Some(end) = end.filter(|end| end.conn == Some(*conn)) {
                end.close();
            }
        }
        !closed.is_empty()
    }

    /// Delivers held results: all of them, or those that the schedule selects.
    fn complete_some(&mut self) -> bool {
        let mut results = std::mem::take(&mut self.results);
        if let Some(schedule) = &mut self.schedule {
            schedule.shuffle(&mut results);
            let late = results.extract_if(.., |_| !schedule.is_done());
            self.results = late.collect();
        }
        let any = !results.is_empty();
        for (conn, done) in results {
            self.engine.complete(conn, done);
        }
        any
    }

    /// Kills the process and starts another one over the same database.
    pub(crate) fn restart(&mut self, limits: Limits, store: Store) {
        let seed = self.rng.next_u64();
        self.engine = Engine::new(limits, store, StdRng::seed_from_u64(seed));
        self.by_conn.clear();
        self.results.clear();
        self.checkpoint = None;
        self.unwritten.clear();
        self.ends.values_mut().for_each(ClientEnd::close);
        self.trace_line("", b"restarted");
    }

    /// Reverses the order of held results.
    pub(crate) fn reverse_results(&mut self) {
        self.results.reverse();
    }

    /// Sets held results aside, until [`hand_in`](Self::hand_in).
    pub(crate) fn set_aside(&mut self) {
        self.aside.append(&mut self.results);
    }

    /// Adds the results that were set aside to the held ones.
    pub(crate) fn hand_in(&mut self) {
        self.results.append(&mut self.aside);
    }

    /// Lets time pass on both clocks, and handles each of the engine's deadlines.
    pub(crate) fn advance(&mut self, time: Duration) {
        let target = self.now.running + time;
        self.settle();
        while let Some(at) = self.engine.deadline().filter(|at| *at < target) {
            self.move_to(at.max(self.now.running));
            self.settle();
        }
        self.move_to(target);
        self.settle();
    }

    /// Moves both clocks at once.
    pub(crate) fn move_to(&mut self, at: Duration) {
        let passed = at.as_secs() - self.now.running.as_secs();
        self.now.unix += i64::try_from(passed).expect("a test does not last for ever");
        self.now.running = at;
    }

    fn trace_line(&mut self, name: &str, what: &[u8]) {
        (self.now.running, name, what).hash(&mut self.trace);
    }

    /// A digest of all bytes that the engine sent, with connection and time.
    pub(crate) fn trace(&self) -> u64 {
        self.trace.finish()
    }

    /// Closes every connection, and lets the longest time-out pass.
    pub(crate) fn clear(&mut self) {
        self.hold = false;
        for end in self.ends.values_mut() {
            end.stalled = false;
            end.hang_up();
        }
        self.advance(Duration::from_secs(200));
    }
}
