//! The event loop on mio: listening sockets, client sockets, the server's terminal, signals and the Waker of the worker
//! threads, all in one thread. It moves bytes and reads the clock. The engine interprets the bytes.
//!
//! # One round of the loop
//!
//! 1. **Poll**: wait for events until the time-out. The round has one `now`.
//! 2. **Events**: note which sources are ready (`tokens`). Signals and lines of the terminal are obeyed at once.
//! 3. **Administer**: accept clients of `echat-server ctl` and carry out one command of each; take the results of
//!    tasks.
//! 4. **Metrics**: answer the programs that read the page of metrics or check the health.
//! 5. **Accept**: at most `ACCEPTS` connections, in turn over the listeners.
//! 6. **Read**: every socket that is readable and of which the engine accepts bytes, in equal shares of the round's
//!    bytes.
//! 7. **Results**: hand what the workers computed to the engine.
//! 8. **Tick**: the engine handles requests within a budget, commits once, and queues the answers. Nothing leaves
//!    before the commit.
//! 9. **Submit**: give new jobs to the workers; begin a checkpoint or a backup that is due on its thread.
//! 10. **Write**: seal and write what is queued, most urgent connections first, `SEALED_TOGETHER` at a time.
//! 11. **Drop**: close the sockets of connections that are over.
//!
//! # Readiness
//!
//! mio is edge-triggered: a source is reported once when it becomes ready, and not again while it stays so. So each
//! source remembers that it is ready until it says otherwise: a listener until an accept returns WouldBlock, a socket
//! until a read is short or returns WouldBlock. A socket that is still readable and appears in the events of the round
//! too is read once. The loop registers for WRITABLE only after a short write.
//!
//! # Time-out
//!
//! The poll does not wait while something can be done at once: the engine has work, a ready listener may accept, or a
//! readable socket has bytes that the engine takes. Otherwise it waits until the earliest deadline of the engine, the
//! pauses of listeners, backups, a drain, HTTP clients, the service manager and a stop; without one, for ever.
//!
//! # Submodules
//!
//! * `tokens`: the sources of events. `clock`: the only reads of the clock. `signals`, `terminal`, `service_manager`,
//!   `inherited`: the process's surroundings. `ready`: the ready line.
//! * `listeners`, each a `listener`; `accepting`: when any listener accepts; `proxies`: connections that wait for a
//!   PROXY header. `sockets`, each a `socket`: those of the clients.
//! * `ctl`, `http`: the two small listeners, with `slots` for their clients.
//! * `tasks`, `backups`, `checkpoints`: work on threads. `disk`: the free space. `stop`: whether the server stops.

mod accepting;
mod backups;
mod checkpoints;
mod clock;
mod ctl;
mod disk;
mod http;
mod inherited;
mod listener;
mod listeners;
mod proxies;
mod ready;
mod service_manager;
mod signals;
mod slots;
mod socket;
mod sockets;
mod stop;
mod tasks;
mod terminal;
mod tokens;

use crate::backup::{BackupSchedule, BackupSource, last_backup};
use crate::clock::Now;
use crate::config::{ConfigError, Loaded, ServerConfig, Settings};
use crate::console::{self, Response};
use crate::ctl::{refusal_line, reply_line};
use crate::engine::{
    AdminAnswer, AdminRefusal, AdminReport, AdminTask, Engine, Fatal, LoopTask, PendingOperation,
};
use crate::logging;
use crate::metrics::{self, Durations, SystemFacts};
use crate::storage::{Store, length_of_log};
use crate::workers::{self, Pool, jobs};
use backups::Backups;
use checkpoints::Checkpoints;
use clock::Clock;
use ctl::Ctl;
use disk::Disk;
use echat_proto::config::Registration;
use echat_system::proc;
use ed25519_dalek::SigningKey;
use http::Http;
use listeners::{Accepted, Listeners};
use mio::event::Event;
use mio::{Events, Poll, Registry, Waker};
use ready::Ready;
use service_manager::ServiceManager;
use signals::SignalRequest;
use sockets::Sockets;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use stop::Stop;
use tasks::{BUSY, QueuedTask, Requester, TaskOutcome, Tasks};
use terminal::{Terminal, TerminalEnd};
use thiserror::Error;
use tokens::EventSource;

pub use inherited::Inherited;
pub use signals::Signals;

/// The most events of one poll.
const EVENTS: usize = 1024;
/// The most connections accepted in one round.
const ACCEPTS: usize = 256;
/// The code of a configuration that cannot be used.
const BAD_CONFIG: &str = "bad_config";
/// The code of a file that cannot be opened.
const CANNOT_CREATE: &str = "cannot_create";

/// Why the server does not start, or stops unrequested.
#[derive(Debug, Error)]
pub enum ReactorError {
    /// The server cannot listen on the address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The socket of the administration cannot be made.
    #[error("{}: this is the name of the socket of echat-server ctl, and something else has it; move that away", .0.display())]
    Occupied(PathBuf),
    /// The ready line cannot be written.
    #[error("stdout: {0}")]
    Stdout(#[source] io::Error),
    /// The system provides no polling, signals, threads or randomness.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
    /// The database failed.
    #[error("{0}; stopping, nothing unsaved was acknowledged")]
    Store(#[from] Fatal),
}

/// Reads the configuration again; the file that was read last, if there was one, has to be there.
pub type Reload<'a> =
    dyn Fn(Option<&Path>) -> Result<(Loaded, Option<BackupSchedule>), ConfigError> + 'a;

/// What the server needs besides its configuration and its database.
pub struct Services<'a> {
    /// The backups that it makes by itself.
    pub backups: Option<BackupSchedule>,
    /// What a backup has that an administrator asks for.
    pub source: BackupSource,
    /// Where it listens for `echat-server ctl`.
    pub socket: Option<PathBuf>,
    /// Called once when the server listens, with a link to it and a hint about the link, which may be empty.
    pub listening: &'a dyn Fn(&str, &str),
    /// Called when the code of the first administrator became void.
    pub administrator_made: &'a dyn Fn(),
    /// Reads the configuration again. It is given the file that was read last, if there was one.
    pub reload: &'a Reload<'a>,
}

/// Serves until a signal or a command stops it. Listens at the inherited sockets, or without any where the
/// configuration says.
///
/// # Errors
/// See [`ReactorError`].
pub fn run(
    loaded: &Loaded,
    store: Store,
    host_key: &SigningKey,
    signals: Signals,
    inherited: Inherited,
    services: Services<'_>,
) -> Result<(), ReactorError> {
    jobs::warm_up();
    let listening = services.listening;
    let mut reactor = Reactor::new(loaded, store, host_key, signals, inherited, services)?;
    let fingerprint = echat_proto::fingerprint(&host_key.verifying_key());
    if let Some((link, hint)) = ready::first_link(&reactor.listeners, &fingerprint) {
        listening(&link, hint);
    }
    let ended = reactor.run();
    let now = reactor.clock.now();
    let is_store_failed = matches!(ended, Err(ReactorError::Store(_)));
    reactor.engine.end_sessions(is_store_failed, now);
    if is_store_failed {
        return ended;
    }
    let closed = reactor.engine.store().close();
    ended?;
    Ok(closed.map_err(Fatal)?)
}

struct Reactor<'a> {
    poll: Poll,
    listeners: Listeners,
    ready: Ready,
    service_manager: ServiceManager,
    signals: Signals,
    terminal: Option<Terminal>,
    pool: Pool,
    checkpoints: Checkpoints,
    backups: Backups,
    ctl: Ctl,
    tasks: Tasks,
    /// What backups and exports are made of.
    source: BackupSource,
    http: Http,
    measured: Measured,
    /// The configuration that holds.
    loaded: Loaded,
    administrator_made: &'a dyn Fn(),
    reload: &'a Reload<'a>,
    engine: Engine,
    disk: Disk,
    sockets: Sockets,
    clock: Clock,
    stop: Stop,
}

/// What the loop measures for the metrics.
struct Measured {
    /// How long ticks take.
    ticks: Durations,
    /// The start, in unix seconds.
    started_at: i64,
    /// The database.
    database: PathBuf,
}

impl Measured {
    /// The page of metrics.
    fn page(&self, engine: &mut Engine, disk: &Disk, backups: &Backups) -> String {
        let process = std::process::id();
        let length = |path: &Path| Some(path.metadata().ok()?.len());
        let system = SystemFacts {
            started_at: self.started_at,
            database_bytes: length(&self.database),
            log_bytes: Some(length_of_log(&self.database)),
            free_bytes: disk.known(),
            backup_at: backups.made_at().max(last_backup(&self.database)),
            resident_bytes: proc::resident_kib(process).map(|kib| kib * 1024),
            processor: proc::cpu_time(process),
            ticks: self.ticks.clone(),
        };
        metrics::page(&engine.facts(), &system)
    }
}

/// A configuration that was read again.
struct Reloaded {
    /// The changed keys that hold after a restart.
    restart: Vec<&'static str>,
    /// The keys in whose place a command has set something.
    overridden: Vec<&'static str>,
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration was read again")?;
        if !self.restart.is_empty() {
            write!(f, "; these need a restart: {}", self.restart.join(", "))?;
        }
        if !self.overridden.is_empty() {
            let keys = self.overridden.join(", ");
            write!(f, "; these are set by a command instead: {keys}")?;
        }
        Ok(())
    }
}

/// Warns if every machine that reaches this server can make an account on it.
fn warn_of_open_registration(config: &ServerConfig, listeners: &Listeners) {
    let is_reached = |address: SocketAddr| !address.ip().is_loopback();
    if config.registration == Registration::Open && listeners.addresses().any(is_reached) {
        tracing::warn!(
            "registration is open: everyone that reaches this server can make an account; set \
             server.registration to \"invitation\", and let people in by codes"
        );
    }
}

/// Tells the administration which server this is.
fn introduce(
    engine: &mut Engine,
    listeners: &Listeners,
    fingerprint: &str,
    now: Now,
) -> Result<(), Fatal> {
    let listening = listeners.addresses().map(|address| address.to_string());
    let process = std::process::id();
    engine.begin_administration(listening.collect(), fingerprint.to_owned(), process, now)
}

/// Listens at the inherited sockets, or without any where the configuration says.
fn open_listeners(
    config: &ServerConfig,
    inherited: Inherited,
    registry: &Registry,
) -> Result<Listeners, ReactorError> {
    let listeners = if inherited.is_empty() {
        Listeners::bind(&config.listen, registry)?
    } else {
        tracing::info!("listening on passed sockets; server.listen and --listen are not used");
        Listeners::adopt(inherited, registry)?
    };
    Ok(listeners.trust(config.proxy_protocol.clone()))
}

/// An engine over a database, as it is at the start of a server.
fn open_engine(
    config: &ServerConfig,
    store: Store,
    listeners: &Listeners,
    clock: &Clock,
) -> Result<Engine, ReactorError> {
    let rng = workers::seeded().map_err(io::Error::other)?;
    let mut engine = Engine::new(config.limits.clone(), store, rng);
    engine.bound_connections(listeners.places());
    configure(&mut engine, config, clock.now());
    engine.measure_by(clock.stopwatch());
    engine.load_day(clock.now()).map_err(Fatal)?;
    engine.create_lobby(clock.now())?;
    Ok(engine)
}

/// Makes a configuration hold for an engine.
fn configure(engine: &mut Engine, config: &ServerConfig, now: Now) {
    engine.limit(config.limits.clone(), now);
    engine.configure(Settings::from(config));
    engine.allow_sessions(config.sessions_per_user);
}

impl<'a> Reactor<'a> {
    fn new(
        loaded: &Loaded,
        store: Store,
        host_key: &SigningKey,
        mut signals: Signals,
        inherited: Inherited,
        services: Services<'a>,
    ) -> Result<Self, ReactorError> {
        let config = &loaded.config;
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), EventSource::Waker.token())?);
        let listeners = open_listeners(config, inherited, poll.registry())?;
        let clock = Clock::start();
        let mut engine = open_engine(config, store, &listeners, &clock)?;
        // From here on, a stop has connections to close.
        signals.listen(poll.registry(), EventSource::Signals.token())?;
        warn_of_open_registration(config, &listeners);
        let fingerprint = echat_proto::fingerprint(&host_key.verifying_key());
        introduce(&mut engine, &listeners, &fingerprint, clock.now())?;
        let reactor = Self {
            terminal: Terminal::open(poll.registry(), EventSource::Terminal.token())?,
            pool: Pool::start(host_key, &waker)?,
            checkpoints: Checkpoints::new(&waker),
            backups: Backups::new(services.backups, &waker),
            ctl: Ctl::listen(services.socket.as_deref(), poll.registry())?,
            http: listen_for_metrics(config, poll.registry())?,
            measured: Measured {
                ticks: Durations::default(),
                started_at: clock.now().unix,
                database: services.source.database.clone(),
            },
            tasks: Tasks::new(&waker),
            source: services.source,
            loaded: loaded.clone(),
            administrator_made: services.administrator_made,
            reload: services.reload,
            ready: Ready::announce(listeners.addresses(), &fingerprint, waker)?,
            service_manager: ServiceManager::from_environment(),
            engine,
            disk: Disk::new(&config.data),
            poll,
            listeners,
            signals,
            sockets: Sockets::new(),
            clock,
            stop: Stop::No,
        };
        let addresses = reactor.listeners.addresses();
        reactor.service_manager.ready(addresses);
        Ok(reactor)
    }

    fn run(&mut self) -> Result<(), ReactorError> {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let timeout = self.timeout();
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    return Err(error.into());
                }
                _ => {}
            }
            if let Some(error) = self.ready.failure() {
                // A server without its ready line is still useful to its clients.
                if !self.sockets.has_served() {
                    return Err(ReactorError::Stdout(error));
                }
                tracing::warn!(%error, "the ready line could not be written");
            }
            let now = self.clock.now();
            self.service_manager.notify(now.running);
            if let Some(free) = self.disk.free(now.running) {
                self.engine.set_free_space(free);
            }
            self.take_events(&events, now)?;
            self.source.free_bytes = self.engine.free_bytes();
            self.administer(now)?;
            self.show_metrics(now);
            self.accept(now);
            self.sockets.read(&mut self.engine, now);
            for (conn, done) in self.pool.results() {
                self.engine.complete(conn, done);
            }
            let begun = self.clock.running();
            self.engine.tick(now)?;
            self.measured
                .ticks
                .add(self.clock.running().saturating_sub(begun));
            if self.engine.take_administrator_made() {
                (self.administrator_made)();
            }
            self.pool.submit(self.engine.take_jobs());
            self.checkpoints.step(&mut self.engine)?;
            if !self.stop.is_begun() {
                self.backups.begin_due(&self.source, now);
            }
            let registry = self.poll.registry();
            self.sockets.write(&mut self.engine, registry, now);
            self.drop_closed();
            if self.stop.is_over(self.engine.is_empty(), now) {
                return Ok(());
            }
        }
    }

    /// Takes in which sources became ready. Signals and the terminal are served at once.
    fn take_events(&mut self, events: &Events, now: Now) -> Result<(), Fatal> {
        for event in events {
            match EventSource::of(event.token()) {
                // It ended the wait: every round takes the results of threads.
                EventSource::Waker => {}
                EventSource::Signals => self.obey_signals(now)?,
                EventSource::Terminal => self.listen_to_terminal(event, now)?,
                EventSource::Listener(index) => self.listeners.ready(index),
                EventSource::Proxied(slot) => self.listeners.header_came(slot),
                EventSource::CtlListener => self.ctl.ready(),
                EventSource::CtlClient(slot) => self.ctl.take_event(slot, event),
                EventSource::HttpListener => self.http.ready(),
                EventSource::HttpClient(slot) => self.http.take_event(slot, event),
                EventSource::Connection(conn) => self.sockets.take_event(conn, event),
            }
        }
        Ok(())
    }

    /// Does what signals ask for, which is in the audit like the commands that do the same. A stop is in the log alone.
    fn obey_signals(&mut self, now: Now) -> Result<(), Fatal> {
        for asked in self.signals.asked() {
            match asked {
                SignalRequest::Stop(signal) => self.stop(signal, now),
                SignalRequest::ReopenLog => {
                    if let Some(opened) = logging::reopen() {
                        let result = opened.map_or(CANNOT_CREATE, |()| "done");
                        let command = "reopen-log";
                        self.engine.note_signal("SIGUSR1", command, result, now)?;
                    }
                }
                SignalRequest::Reload => {
                    let result = match self.reload(now) {
                        Ok(done) => {
                            tracing::info!("SIGHUP: {done}");
                            "done"
                        }
                        Err(why) => {
                            tracing::error!("SIGHUP: {why}");
                            BAD_CONFIG
                        }
                    };
                    self.engine.note_signal("SIGHUP", "reload", result, now)?;
                }
            }
        }
        Ok(())
    }

    /// Stops in order, and at once at the second request.
    fn stop(&mut self, reason: &str, now: Now) {
        if self.stop.request(now) {
            tracing::info!(%reason, "stopping");
            self.service_manager.stopping();
            self.listeners.close(self.poll.registry());
            self.engine.stop(now);
        }
    }

    fn listen_to_terminal(&mut self, event: &Event, now: Now) -> Result<(), Fatal> {
        let Some(mut terminal) = self.terminal.take() else {
            return Ok(());
        };
        for line in terminal.lines() {
            match console::run(&mut self.engine, &line, now)? {
                Response::Text(text) => logging::say(&text),
                // What is typed is not kept beyond one command. The loop does its own tasks in this round.
                Response::Task(task, operation)
                    if !matches!(task, AdminTask::Loop(_))
                        && self.tasks.waits_for_a_thread(Requester::Terminal) =>
                {
                    self.engine.note_result(&operation, BUSY, now)?;
                    logging::say("the last command is not done yet\n");
                }
                Response::Task(task, operation) => {
                    self.tasks.add(Requester::Terminal, task, None, *operation);
                }
            }
        }
        if event.is_read_closed() || event.is_error() {
            terminal.hang_up();
        }
        match terminal.end() {
            None => self.terminal = Some(terminal),
            Some(end) => {
                terminal::forget(self.poll.registry());
                match end {
                    TerminalEnd::Typed => logging::say(&terminal::farewell()),
                    TerminalEnd::Gone => {
                        self.tasks.forget(Requester::Terminal);
                        tracing::info!("the terminal is gone; the server continues");
                    }
                }
            }
        }
        Ok(())
    }

    /// Carries out commands of the socket, and the tasks of commands.
    fn administer(&mut self, now: Now) -> Result<(), Fatal> {
        let registry = self.poll.registry();
        self.ctl
            .serve(&mut self.engine, &mut self.tasks, registry, now)?;
        while let Some(task) = self.tasks.take_own() {
            self.perform(task, now)?;
        }
        while let Some((requester, operation, outcome)) =
            self.tasks.next_outcome(&self.source, now.unix)
        {
            self.finish_task(requester, operation, outcome, now)?;
        }
        if let Some(filter) = self.engine.take_log_filter() {
            logging::set_filter(&filter);
        }
        if self.stop.is_drained(now) {
            self.stop("the drain is over", now);
        }
        Ok(())
    }

    /// Does a task of the loop itself, and sends the result to its requester.
    fn perform(&mut self, queued: QueuedTask<LoopTask>, now: Now) -> Result<(), Fatal> {
        let QueuedTask {
            requester,
            task,
            operation,
        } = queued;
        let by = operation.by();
        let outcome = match task {
            LoopTask::Metrics => {
                let (engine, disk, backups) = (&mut self.engine, &self.disk, &self.backups);
                let page = self.measured.page(engine, disk, backups);
                TaskOutcome::Done(AdminReport::page("metrics", page))
            }
            LoopTask::Reload => match self.reload(now) {
                Ok(done) => {
                    tracing::info!(%by, "reload: {done}");
                    let keys = |keys: &[&'static str]| -> Vec<String> {
                        keys.iter().map(|key| (*key).to_owned()).collect()
                    };
                    let report = AdminReport::done(done.to_string())
                        .key("need_restart", keys(&done.restart))
                        .key("overridden", keys(&done.overridden));
                    TaskOutcome::Done(report)
                }
                Err(why) => {
                    tracing::error!(%by, "reload: {why}");
                    TaskOutcome::Failed(BAD_CONFIG, why)
                }
            },
            LoopTask::Drain(seconds) => {
                tracing::info!(%by, seconds, "draining: new connections are refused");
                let done = self.drain(seconds, now);
                TaskOutcome::Done(AdminReport::done(done).key("seconds", seconds))
            }
            LoopTask::Quit => {
                // Its audit entry comes before the stop.
                let stops = TaskOutcome::Done(AdminReport::done("the server stops"));
                self.finish_task(requester, operation, stops, now)?;
                self.stop(&format!("quit by {by}"), now);
                return Ok(());
            }
        };
        self.finish_task(requester, operation, outcome, now)
    }

    /// Serves the programs that watch the server.
    fn show_metrics(&mut self, now: Now) {
        let is_well = self.stop == Stop::No;
        let registry = self.poll.registry();
        self.http.serve(registry, now.running, is_well, || {
            let (engine, disk, backups) = (&mut self.engine, &self.disk, &self.backups);
            self.measured.page(engine, disk, backups)
        });
    }

    /// Sends the result of a task to its requester.
    fn finish_task(
        &mut self,
        requester: Requester,
        operation: PendingOperation,
        outcome: TaskOutcome,
        now: Now,
    ) -> Result<(), Fatal> {
        let answer = match outcome {
            TaskOutcome::Hashed(hash) => self.engine.resume_operation(operation, hash, now)?,
            TaskOutcome::Done(report) => {
                self.engine.note_result(&operation, "done", now)?;
                AdminAnswer::Done(report)
            }
            TaskOutcome::Failed(code, message) => {
                self.engine.note_result(&operation, code, now)?;
                AdminAnswer::Refused(AdminRefusal::new(code, message))
            }
        };
        match (requester, answer) {
            (requester, AdminAnswer::Task(task, operation)) => {
                self.tasks.add(requester, task, None, *operation);
            }
            (Requester::Ctl(slot, serial), AdminAnswer::Done(report)) => {
                self.ctl.answer(slot, serial, &reply_line(&report));
            }
            (Requester::Ctl(slot, serial), AdminAnswer::Refused(refused)) => {
                self.ctl.answer(slot, serial, &refusal_line(&refused));
            }
            (Requester::Terminal, AdminAnswer::Done(report)) => logging::say(&report.text()),
            (Requester::Terminal, AdminAnswer::Refused(refused)) => {
                logging::say(&console::refusal(&refused, "echat-server"));
            }
        }
        Ok(())
    }

    /// Stops after so many seconds, which users are told. New connections are refused from now on.
    fn drain(&mut self, seconds: u64, now: Now) -> String {
        self.listeners.refuse(self.poll.registry());
        self.stop.drain(seconds, now);
        self.engine.announce_stop(seconds, now);
        format!("the server stops in {seconds} s")
    }

    /// Reads the configuration again. What is wrong with it, if it cannot be used: then all stays as it is.
    fn reload(&mut self, now: Now) -> Result<Reloaded, String> {
        let kept = |error: ConfigError| format!("the configuration is kept: {error}");
        let known = self.loaded.file.as_deref();
        let (loaded, schedule) = (self.reload)(known).map_err(kept)?;
        let old = &self.loaded.config;
        // A folder that takes no backup is known now, and not when the next one is due.
        if old.backup != loaded.config.backup
            && let Some(schedule) = &schedule
        {
            let refused =
                |error| format!("the configuration is kept: server.backup.folder: {error}");
            schedule.try_folder(now.unix).map_err(refused)?;
        }
        // What needs a restart holds as it was read at the start, and is named again at the next reload.
        let (new, restart) = kept_until_a_restart(old, loaded.config);
        configure(&mut self.engine, &new, now);
        if old.backup != new.backup {
            self.backups.reschedule(schedule, now);
        }
        self.source.config.clone_from(&loaded.file);
        logging::set_filter(&loaded.log);
        self.loaded = Loaded {
            config: new,
            ..loaded
        };
        Ok(Reloaded {
            restart,
            overridden: self.engine.overridden(),
        })
    }

    fn accept(&mut self, now: Now) {
        for _ in 0..ACCEPTS {
            let accepted = self.listeners.accept(self.poll.registry(), now.running);
            let (stream, address) = match accepted {
                Accepted::None => return,
                Accepted::NotYet => continue,
                Accepted::Connection(stream, address) => (stream, address),
            };
            let Some(conn) = self.engine.accept(address, now) else {
                continue;
            };
            // The descriptor of the connection that was closed in its favour is free for the next one.
            self.drop_closed();
            let registry = self.poll.registry();
            if !self.sockets.add(conn, (stream, address), registry, now) {
                self.engine.sever(conn);
            }
        }
    }

    fn drop_closed(&mut self) {
        for conn in self.engine.take_closed() {
            self.listeners.try_again();
            self.ctl.try_again();
            self.http.try_again();
            self.sockets.remove(conn);
            if self.pool.forget(conn) {
                self.engine.dropped(conn);
            }
        }
    }

    /// The time until the next deadline; zero while there is work.
    fn timeout(&self) -> Option<Duration> {
        let now = self.clock.running();
        if self.engine.has_work()
            || self.ctl.has_work(now)
            || self.http.has_work(now)
            || self.tasks.has_work()
            || self.listeners.is_ready(now)
            || self.sockets.has_bytes(&self.engine)
        {
            return Some(Duration::ZERO);
        }
        let next = [
            self.engine.deadline(),
            self.listeners.retry_at(),
            self.backups.deadline(),
            self.ctl.deadline(),
            self.http.deadline(),
            self.service_manager.deadline(),
            self.stop.deadline(),
        ];
        next.into_iter()
            .flatten()
            .min()
            .map(|at| at.saturating_sub(now))
    }
}

/// The configuration of a reload, with the values until now of all keys that need a restart, and those of them that
/// differ.
fn kept_until_a_restart(
    old: &ServerConfig,
    mut new: ServerConfig,
) -> (ServerConfig, Vec<&'static str>) {
    let mut differing = Vec::new();
    macro_rules! keep {
        ($($key:literal: $field:ident),*) => {
            $(if new.$field != old.$field {
                differing.push($key);
                new.$field.clone_from(&old.$field);
            })*
        };
    }
    keep!(
        "server.listen": listen,
        "server.proxy_protocol": proxy_protocol,
        "server.data": data,
        "server.lobby": lobby,
        "server.log_file": log_file,
        "server.log_format": log_format,
        "server.metrics": metrics
    );
    // A key of the configuration that this does not name does not compile: it is applied by a reload, or kept above.
    let ServerConfig {
        listen: _,
        proxy_protocol: _,
        data: _,
        lobby: _,
        log_file: _,
        log_format: _,
        metrics: _,
        log: _,
        sessions_per_user: _,
        registration: _,
        invitations: _,
        message_of_the_day: _,
        keep_days: _,
        edit_seconds: _,
        audit_days: _,
        backup: _,
        limits: _,
    } = &new;
    (new, differing)
}

/// Listens for programs that read the metrics.
fn listen_for_metrics(config: &ServerConfig, registry: &Registry) -> Result<Http, ReactorError> {
    let address = config.metrics.map(|metrics| metrics.0);
    let http = Http::bind(address, registry).map_err(|source| match address {
        Some(address) => ReactorError::Listen { address, source },
        None => source.into(),
    })?;
    if let Some(address) = http.address() {
        tracing::info!("metrics at http://{address}/metrics");
        if !address.ip().is_loopback() {
            tracing::warn!("other machines can read the metrics at {address}");
        }
    }
    Ok(http)
}
