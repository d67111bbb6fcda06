//! The comparison: echat beside the servers of other protocols that do less for each message, measured by the same
//! generator in the same run.
//!
//! The server under measurement has one processor and the generator another. In each round every server is started,
//! measured and stopped in turn, so that what disturbs the machine disturbs all of them alike; the median of the rounds
//! counts. What differs between servers is behind [`peer::Peer`] and [`peer::Speaker`].

mod chart;
mod echat;
mod irc;
mod machine;
mod measure;
mod page;
mod peer;
mod process;
mod redis;
mod reference;
mod results;
mod stream;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use super::Failure;
use super::cleanup::TemporaryFolder;
use super::failure::PATIENCE;
use super::figure::number;
use super::peers_args::Peers;
use super::server::Scene;
use crate::clock::Clock;
use crate::net::wait::{Interest, WatchedFd, wait};
use echat::{Echat, Reference};
use irc::{Daemon, Irc};
use measure::{Crowd, Room, cost};
use peer::{Peer, Speaker};
use process::{Cores, Process};
use redis::Redis;
use results::{Metric, Results};
use stream::{READ, Tls};

/// Messages that go before those that are measured, in windows.
const WARM_UP: u64 = 2;
/// Deliveries of a measurement with one message under way, and with several.
const DELIVERIES: (u64, u64) = (60_000, 400_000);
/// The smallest number of windows of a measurement.
const WINDOWS: u64 = 20;
/// Private messages of a measurement.
const TOLD: u64 = 2_000;
/// Handshakes of a measurement.
const HANDSHAKES: u64 = 200;
/// Messages of the measurement of latency.
const LATENCIES: u64 = 300;
/// The room in which latency is measured.
const LATENCY_ROOM: usize = 100;
/// Members of the room that is filled with users who were idle, and the messages under way in it.
const LARGE_ROOM: (usize, u64) = (5_000, 64);
/// The numbers above are divided by this for a quick look.
const QUICK: u64 = 10;
/// The time that servers have to come to rest before they are measured idle.
const SETTLED: Duration = Duration::from_secs(3);
/// Bytes of a record of TLS that every server reads in one piece.
const SHORT_RECORD: usize = 1024;
/// Files that the generator has open besides connections.
const FILES: usize = 200;

/// What every measurement needs.
struct Bench {
    clock: Clock,
    /// The program of echat's server.
    server: PathBuf,
    tls: Tls,
    /// For servers that leave the rest of a long record unread until more arrives.
    short_tls: Tls,
    cores: Cores,
    /// Data of echat with registered users.
    registered: OnceLock<TemporaryFolder>,
}

impl Bench {
    fn new(scene: &Scene) -> Result<Self, Failure> {
        Ok(Self {
            clock: scene.clock,
            server: scene.program().to_owned(),
            tls: Tls::new(None)?,
            short_tls: Tls::new(Some(SHORT_RECORD))?,
            cores: Cores::of_this_machine()?,
            registered: OnceLock::new(),
        })
    }

    /// Waits until a user has heard so many answers.
    fn answered(&self, user: &mut dyn Speaker, answers: usize) -> Result<(), Failure> {
        let deadline = self.clock.now() + PATIENCE;
        let mut scratch = vec![0; READ];
        let mut heard = 0;
        user.flush()?;
        while heard < answers {
            if self.clock.now() >= deadline {
                return Err(Failure::TimedOut);
            }
            let socket = user.socket();
            let mut fds = [WatchedFd::new(&socket, Interest::Read)];
            wait(&mut fds, &self.clock, Some(deadline))?;
            heard += user.hear(&mut scratch)?.answers;
        }
        Ok(())
    }
}

/// Every server, in the order of the columns.
fn all() -> Vec<Box<dyn Peer>> {
    let irc = |daemon, tls| Box::new(Irc { daemon, tls }) as Box<dyn Peer>;
    vec![
        Box::new(Echat),
        Box::new(Reference),
        Box::new(Redis { tls: false }),
        Box::new(Redis { tls: true }),
        irc(Daemon::Inspircd, false),
        irc(Daemon::Inspircd, true),
        irc(Daemon::Ngircd, false),
        irc(Daemon::Ngircd, true),
    ]
}

/// Fails if a server is asked for that there is not: a page without its figures would replace one that has them.
fn known(args: &Peers, peers: &[Box<dyn Peer>]) -> Result<(), Failure> {
    let is_known = |start: &&String| peers.iter().any(|peer| peer.name().starts_with(*start));
    match args.only.iter().find(|start| !is_known(start)) {
        Some(start) => Err(Failure::UnknownPeer(start.clone(), names(peers))),
        None => Ok(()),
    }
}

/// Their names, separated by commas.
fn names<'a>(peers: impl IntoIterator<Item = &'a Box<dyn Peer>>) -> String {
    let names: Vec<&str> = peers.into_iter().map(|peer| peer.name()).collect();
    names.join(", ")
}

/// Serves as the reference until it is killed.
pub(super) fn reference(address: &str) -> Result<(), Failure> {
    let address = address.parse().map_err(|_| Failure::NotReady)?;
    reference::run(address)
}

/// Measures all servers that are installed, and writes the page and its plots.
pub(super) fn run(args: &Peers, scene: &Scene) -> Result<(), Failure> {
    let peers = all();
    known(args, &peers)?;
    let bench = Bench::new(scene)?;
    let plan = Plan::new(args);
    let page = plan.page(args)?;
    let mut results = Results::default();
    let mut present = Vec::new();
    for peer in &peers {
        let version = peer.version(&bench);
        match &version {
            Some(_) => present.push(peer.as_ref()),
            None => eprintln!("{}: not installed; its column stays empty", peer.name()),
        }
        results.servers.push((peer.name(), version));
    }
    present.retain(|peer| args.chosen(peer.name()));
    if present.is_empty() {
        let chosen = peers.iter().filter(|peer| args.chosen(peer.name()));
        return Err(Failure::NoneInstalled(names(chosen)));
    }
    if present.iter().any(|peer| peer.name() == Echat.name()) {
        let users = plan.idle.max(plan.users());
        progress(&bench, &format!("registering {users} users of echat"));
        let registered = echat::register(&bench, users)?;
        assert!(bench.registered.set(registered).is_ok(), "set once");
    }
    for round in 0..plan.rounds {
        for turn in 0..present.len() {
            // Every round begins with another server.
            let peer = present[(turn + round) % present.len()];
            progress(&bench, &format!("round {}, {}", round + 1, peer.name()));
            plan.measure(&bench, peer, &mut results)?;
        }
    }
    let idle = if plan.idle > 0 {
        plan.measure_idle(&bench, &present, &mut results)
    } else {
        Ok(())
    };
    // The rounds are written even if the idle servers could not be measured.
    results.machine = machine::describe(&bench)?;
    print!("{}", results.summary());
    if let Some(folder) = page {
        page::write(&folder, &results)?;
    }
    idle
}

fn progress(bench: &Bench, what: &str) {
    eprintln!("{:>5} s  {what}", bench.clock.now().as_secs());
}

/// The first line of what a program says to an argument.
fn first_line(program: PathBuf, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned)
}

/// Whether this process may have so many files open.
fn may_open(files: usize) -> bool {
    let current = getrlimit(Resource::Nofile).current;
    current.is_none_or(|current| current >= files as u64)
}

/// How much is measured.
struct Plan {
    rounds: usize,
    rooms: Vec<usize>,
    windows: Vec<u64>,
    idle: usize,
    idle_time: Duration,
    divisor: u64,
}

impl Plan {
    fn new(args: &Peers) -> Self {
        if args.quick {
            return Self {
                rounds: 1,
                rooms: vec![10, 100],
                windows: args.windows.clone(),
                idle: 100,
                idle_time: Duration::from_secs(2),
                divisor: QUICK,
            };
        }
        Self {
            rounds: args.rounds.max(1),
            rooms: args.rooms.clone(),
            windows: args.windows.clone(),
            idle: args.idle,
            idle_time: Duration::from_secs(args.idle_seconds.max(1)),
            divisor: 1,
        }
    }

    /// The folder of the page, which is looked for before minutes are spent.
    fn page(&self, args: &Peers) -> Result<Option<PathBuf>, Failure> {
        let default = (self.divisor == 1).then(|| Path::new("docs"));
        let folder = args.docs.as_deref().or(default);
        let Some(folder) = folder else {
            return Ok(None);
        };
        page::check(folder)?;
        Ok(Some(folder.to_owned()))
    }

    fn users(&self) -> usize {
        let largest = self.rooms.iter().copied().max().unwrap_or_default();
        largest.max(LATENCY_ROOM)
    }

    /// All measurements of one server, but for idle connections.
    fn measure(
        &self,
        bench: &Bench,
        peer: &dyn Peer,
        results: &mut Results,
    ) -> Result<(), Failure> {
        let name = peer.name();
        let server = peer.start(bench, self.users(), false)?;
        let mut crowd = Crowd::gather(bench, peer, &server, self.users(), || Ok(()))?;
        for &members in &self.rooms {
            let room = format!("room-{members}");
            crowd.enter(&room, members)?;
            let room = Room {
                name: &room,
                receivers: members - usize::from(!peer.sender_gets_a_copy()),
            };
            for &window in &self.windows {
                let each = self.delivery(&server, &mut crowd, &room, (members, window))?;
                results.add(name, Metric::Delivery { members, window }, each);
            }
        }
        self.measure_latency(peer, &mut crowd, results)?;

        crowd.befriend()?;
        let told = TOLD / self.divisor;
        crowd.tell(told / 10)?;
        let each = cost(&server, told, || crowd.tell(told))?;
        results.add(name, Metric::Private, each);

        let handshakes = HANDSHAKES / self.divisor;
        let each = cost(&server, handshakes, || {
            for _ in 0..handshakes {
                peer.touch(bench, &server)?;
            }
            // What was closed last is noticed before these are answered.
            crowd.barrier()?;
            crowd.barrier()
        })?;
        results.add(name, Metric::Handshake, each);
        Ok(())
    }

    fn measure_latency(
        &self,
        peer: &dyn Peer,
        crowd: &mut Crowd<'_>,
        results: &mut Results,
    ) -> Result<(), Failure> {
        let name = "room-of-latency";
        crowd.enter(name, LATENCY_ROOM.min(crowd.len()))?;
        let room = Room {
            name,
            receivers: LATENCY_ROOM - usize::from(!peer.sender_gets_a_copy()),
        };
        crowd.latencies(&room, LATENCIES / QUICK)?;
        let mut latencies = crowd.latencies(&room, LATENCIES / self.divisor)?;
        latencies.sort_unstable();
        for (metric, share) in [(Metric::LatencyP50, 0.5), (Metric::LatencyP99, 0.99)] {
            let value = results::quantile(&latencies, share).as_secs_f64() * 1e3;
            results.add(peer.name(), metric, value);
        }
        results.add_latencies(peer.name(), &latencies);
        Ok(())
    }

    fn messages(&self, members: usize, window: u64) -> u64 {
        let (alone, together) = DELIVERIES;
        let deliveries = if window == 1 { alone } else { together };
        let messages = deliveries / self.divisor / members.max(1) as u64;
        messages.max(WINDOWS * window / self.divisor.min(WINDOWS))
    }

    /// Memory and time of idle connections: as many servers at the same time as there may be open files.
    fn measure_idle(
        &self,
        bench: &Bench,
        peers: &[&dyn Peer],
        results: &mut Results,
    ) -> Result<(), Failure> {
        let all = self.idle * peers.len() + FILES;
        let together = if may_open(all) { peers.len().max(1) } else { 1 };
        for peers in peers.chunks(together) {
            let mut idle = Vec::new();
            for peer in peers {
                progress(
                    bench,
                    &format!("{} idle connections, {}", self.idle, peer.name()),
                );
                let server = peer.start(bench, self.idle, true)?;
                // A few users first, for the memory that a server needs once.
                let mut attend = || look(&mut idle, Duration::ZERO);
                let first = FIRST.min(self.idle);
                drop(Crowd::gather(bench, *peer, &server, first, &mut attend)?);
                let before = server.resident_kib()?;
                let crowd = Crowd::gather(bench, *peer, &server, self.idle, &mut attend)?;
                idle.push((peer.name(), server, crowd, before));
            }
            pass(bench, &mut idle, SETTLED)?;
            let mut used = Vec::new();
            for (name, server, _, before) in &idle {
                let grown = server.resident_kib()?.saturating_sub(*before);
                let each = number(grown) / number(self.idle as u64);
                results.add(name, Metric::IdleMemory, each);
                used.push(server.cpu()?);
            }
            progress(bench, &format!("all of them idle for {:?}", self.idle_time));
            let started = bench.clock.now();
            pass(bench, &mut idle, self.idle_time)?;
            let lasted = bench.clock.now().saturating_sub(started);
            for ((name, server, _, _), before) in idle.iter().zip(used) {
                let cpu = server.cpu()?.saturating_sub(before);
                let share = 100.0 * cpu.as_secs_f64() / lasted.as_secs_f64();
                results.add(name, Metric::IdleCpu, share);
            }
            for (peer, (_, server, crowd, _)) in peers.iter().zip(&mut idle) {
                self.measure_large_room(bench, *peer, server, crowd, results)?;
            }
        }
        Ok(())
    }

    /// A room of many of the users that were idle, once: connecting so many in each round would take hours.
    fn measure_large_room(
        &self,
        bench: &Bench,
        peer: &dyn Peer,
        server: &Process,
        crowd: &mut Crowd<'_>,
        results: &mut Results,
    ) -> Result<(), Failure> {
        let (members, window) = LARGE_ROOM;
        if crowd.len() < members || !peer.fills_large_rooms() {
            return Ok(());
        }
        let name = peer.name();
        progress(bench, &format!("a room of {members}, {name}"));
        let room = format!("room-{members}");
        crowd.enter(&room, members)?;
        let room = Room {
            name: &room,
            receivers: members - usize::from(!peer.sender_gets_a_copy()),
        };
        let each = self.delivery(server, crowd, &room, LARGE_ROOM)?;
        results.add(name, Metric::Delivery { members, window }, each);
        Ok(())
    }

    /// What a delivery in a room costs the server, in microseconds.
    fn delivery(
        &self,
        server: &Process,
        crowd: &mut Crowd<'_>,
        room: &Room<'_>,
        (members, window): (usize, u64),
    ) -> Result<f64, Failure> {
        crowd.talk(room, window, WARM_UP * window)?;
        let messages = self.messages(members, window);
        let deliveries = messages * room.receivers as u64;
        cost(server, deliveries, || {
            crowd.talk(room, window, messages).map(drop)
        })
    }
}

/// Answers the pings of idle servers for some time.
fn pass(bench: &Bench, idle: &mut [Idle<'_>], time: Duration) -> Result<(), Failure> {
    let end = bench.clock.now() + time;
    while bench.clock.now() < end {
        look(idle, LOOK)?;
    }
    Ok(())
}

/// Answers the pings that have arrived, and for each server those that arrive within this time.
fn look(idle: &mut [Idle<'_>], time: Duration) -> Result<(), Failure> {
    for (_, _, crowd, _) in idle {
        crowd.idle(time)?;
    }
    Ok(())
}

/// A server with idle users, and its memory without them.
type Idle<'a> = (&'static str, Process, Crowd<'a>, u64);
/// Users that connect before memory is measured.
const FIRST: usize = 16;
/// How long the generator looks at one server while several are idle.
const LOOK: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};

    use super::*;

    /// What a comparison of only these servers says, with a server of echat that is not there.
    fn refused(only: &str) -> String {
        let command = Peers::augment_args(clap::Command::new("peers"));
        let given = command.get_matches_from(["peers", "--quick", "--only", only]);
        let args = Peers::from_arg_matches(&given).unwrap();
        // This test program is no server of echat.
        let scene = Scene::new(None, Clock::start()).unwrap();
        run(&args, &scene).unwrap_err().to_string()
    }

    #[test]
    fn a_comparison_needs_servers_that_it_knows() {
        let said = refused("redis,nothing");
        let start = r#"no server has a name that begins with "nothing"; there are echat, "#;
        assert!(said.starts_with(start), "{said}");
    }

    #[test]
    fn a_comparison_needs_a_server_that_is_installed() {
        let said = refused("echat");
        let start = "none of the servers to be measured is installed: echat";
        assert!(said.starts_with(start), "{said}");
    }
}
