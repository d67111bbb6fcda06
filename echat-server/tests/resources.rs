//! Few open files, no terminal: the server neither spins nor falls over.

mod crowd;

use std::fs::File;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crowd::start_with_limits;
use crowd::watch::Watch;
use echat_proto::channel::Incoming;
use echat_system::proc;
use echat_testkit::server_process::{ServerFolder, ServerProcess};
use echat_testkit::wire::Client;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

/// How often a new client connects to a full server before a test fails.
const KNOCKS: usize = 200;
/// Clients that connect.
const CROWD: usize = 500;
/// Less than the second after which the kernel repeats a SYN that found the accept queue full.
const AT_ONCE: Duration = Duration::from_millis(900);

/// How long an ordinary run looks on, and a campaign.
const GLANCE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_secs(10);

#[test]
fn out_of_descriptors_the_server_serves_its_connections_and_accepts_later() {
    let dir = ServerFolder::new();
    let server = dir.start_behind("ulimit -n 64", &["--log", "warn"]);
    let mut ann = Client::register(&server, "ann");
    let mut bob = Client::register(&server, "bob");
    ann.befriends("ann", &mut bob, "bob");
    let crowd = knock(&server);
    for n in 0..20 {
        let send = format!(r#"SEND_MESSAGE {{"target_type":0,"target":"bob","content":"{n}"}}"#);
        ann.asks(&send);
        bob.is_served();
    }
    bob.events
        .retain(|event| event.params.at("content").is_some());
    assert_eq!(bob.events.len(), 20);
    // A loop that tries again at once takes all the time that the machine gives it.
    let (watch, cpu) = (Watch::start(), proc::cpu_time(server.id()).unwrap());
    watch.pause_until(GLANCE);
    let busy = proc::cpu_time(server.id()).unwrap().saturating_sub(cpu);
    assert!(
        busy < watch.elapsed() / 10,
        "{busy:?} of {:?}",
        watch.elapsed()
    );
    drop(crowd);
    is_let_in(&server, &mut ann);
    assert_eq!(server.stop().status.code(), Some(0));
}

/// Clients in the accept queue: the kernel refuses none of them.
fn knock(server: &ServerProcess) -> Vec<TcpStream> {
    let address = server.address();
    let knocks = (0..CROWD).map(|_| TcpStream::connect_timeout(&address, AT_ONCE));
    knocks.map(Result::unwrap).collect()
}

/// Connects until a new client is served. A closed connection counts until the server has seen its end;
/// until then it may refuse a new one, or not answer.
fn is_let_in(server: &ServerProcess, member: &mut Client) {
    let let_in = (0..KNOCKS).any(|_| {
        member.is_served();
        Client::try_connect(server).is_some_and(|mut client| {
            client.says(&["QUERY_SERVER_TIME"]);
            matches!(client.hears(), Some(Incoming::Message(_)))
        })
    });
    assert!(let_in, "no new client in {KNOCKS} attempts");
}

#[test]
#[ignore = "looks on for 10 s; campaign"]
fn out_of_descriptors_the_server_uses_little_time_and_soon_accepts_again() {
    let dir = ServerFolder::new();
    let server = dir.start_behind("ulimit -n 64", &["--log", "warn"]);
    let mut ann = Client::register(&server, "ann");
    let crowd = knock(&server);
    ann.is_served();
    let (watch, cpu) = (Watch::start(), proc::cpu_time(server.id()).unwrap());
    watch.pause_until(LOOK);
    let busy = proc::cpu_time(server.id())
        .unwrap()
        .saturating_sub(cpu)
        .as_secs_f64()
        / watch.elapsed().as_secs_f64();
    let watch = Watch::start();
    ann.is_served();
    println!(
        "with {CROWD} at the door: CPU {:.2} %, an answer after {:.1?}",
        busy * 100.0,
        watch.elapsed()
    );
    drop(crowd);
    let watch = Watch::start();
    is_let_in(&server, &mut ann);
    println!(
        "when they had gone, a new client was served after {:.1?}",
        watch.elapsed()
    );
}

/// A server for each kind of stdin that is no terminal, all at once.
fn without_a_terminal(test: impl Fn(&ServerProcess, &str) + Sync) {
    let dir = ServerFolder::new();
    dir.write("file", "quit\n");
    thread::scope(|scope| {
        for (n, (shell, stdin, name)) in [
            ("", Stdio::null(), "/dev/null"),
            ("", File::open(dir.path("file")).unwrap().into(), "a file"),
            ("exec <&-", Stdio::null(), "closed"),
            ("", Stdio::piped(), "a pipe at its end"),
        ]
        .into_iter()
        .enumerate()
        {
            let data = format!("data{n}");
            let args = ["--listen", "127.0.0.1:0", "--log", "off", "--data", &data];
            let mut command = dir.command(shell, &args);
            command.stdin(stdin);
            let server = ServerProcess::start(command);
            let test = &test;
            scope.spawn(move || {
                test(&server, name);
                assert_eq!(server.stop().status.code(), Some(0), "{name}");
            });
        }
    });
}

#[test]
fn without_a_terminal_standard_input_is_not_read_as_commands() {
    without_a_terminal(|server, _| {
        let mut client = Client::connect(server);
        client.is_served();
        client.is_served();
    });
}

#[test]
fn an_idle_server_does_not_wake_up() {
    without_a_terminal(|server, name| {
        let mut client = Client::connect(server);
        client.is_served();
        client
            .stream()
            .set_read_timeout(Some(Duration::from_secs(3)))
            .unwrap();
        let nothing_comes = || {
            let before = proc::voluntary_switches(server.id()).unwrap();
            let nothing = client.stream().peek(&mut [0]).unwrap_err().kind();
            assert!(matches!(
                nothing,
                ErrorKind::WouldBlock | ErrorKind::TimedOut
            ));
            proc::voluntary_switches(server.id()).unwrap() - before
        };
        // At first the workers still prepare for handshakes to come.
        assert!((0..4).any(|_| nothing_comes() < 2), "{name}");
    });
}

/// When a connection has no time limit before the one for its login.
const SETTLED: Duration = Duration::from_secs(12);
/// Idle connections of a campaign.
const IDLE: usize = 1_000;

#[test]
#[ignore = "looks on for 44 s; campaign"]
fn idle_connections_cause_no_wake_up() {
    let dir = ServerFolder::new();
    let server = start_with_limits(&dir, r#"{"unauthenticated": 10000}"#);
    for count in [0, IDLE] {
        let mut idle: Vec<_> = (0..count).map(|_| Client::connect(&server)).collect();
        idle.iter_mut().for_each(Client::is_served);
        // Workers still prepare for handshakes to come, and each hello had its time limit.
        Watch::start().pause_until(SETTLED);
        let before = proc::voluntary_switches(server.id()).unwrap();
        Watch::start().pause_until(LOOK);
        let woken = proc::voluntary_switches(server.id()).unwrap() - before;
        println!("{count} idle connections: {woken} wake-ups in {LOOK:?}");
        assert!(woken < 5, "{woken} wake-ups");
    }
}

/// Connections that are pinged in a campaign.
const PINGED: usize = 500;

/// Answers PINGs for a while; how many there were.
fn answer_pings(clients: &mut [Client], time: Duration) -> u32 {
    let mut poll = Poll::new().unwrap();
    for (number, client) in clients.iter().enumerate() {
        let fd = client.stream().as_raw_fd();
        let registry = poll.registry();
        registry
            .register(&mut SourceFd(&fd), Token(number), Interest::READABLE)
            .unwrap();
    }
    let (mut events, mut pings) = (Events::with_capacity(clients.len()), 0);
    let watch = Watch::start();
    while watch.elapsed() < time {
        poll.poll(&mut events, Some(GLANCE)).unwrap();
        for event in &events {
            let client = &mut clients[event.token().0];
            assert_eq!(client.hears(), Some(Incoming::Ping));
            assert!(client.says(&["PONG"]));
            pings += 1;
        }
    }
    pings
}

#[test]
#[ignore = "looks on for 20 s; campaign"]
fn pings_of_idle_connections_cost_little() {
    let dir = ServerFolder::new();
    let limits = r#"{"unauthenticated": 10000, "ping_seconds": 2, "dead_seconds": 0}"#;
    let server = start_with_limits(&dir, limits);
    let mut idle: Vec<_> = (0..PINGED).map(|_| Client::connect(&server)).collect();
    // Workers still prepare for handshakes to come.
    answer_pings(&mut idle, LOOK / 2);
    let (cpu, woken) = (
        proc::cpu_time(server.id()).unwrap(),
        proc::voluntary_switches(server.id()).unwrap(),
    );
    let pings = answer_pings(&mut idle, 2 * LOOK);
    let each = proc::cpu_time(server.id()).unwrap().saturating_sub(cpu) / pings;
    let woken = proc::voluntary_switches(server.id()).unwrap() - woken;
    println!("{pings} pings of {PINGED} connections: {each:?} of CPU each, {woken} wake-ups");
    assert!(pings > 0);
}
