//! Few open files, no terminal: the server neither spins nor falls over.

mod place;
mod wire;

use std::fs::{self, File};
use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;

use place::{Place, Running};
use wire::{Client, naked};

/// How often a new client knocks at a full server before a test fails.
const KNOCKS: usize = 200;

#[test]
fn out_of_files_it_serves_who_is_there_and_then_accepts_again() {
    let place = Place::new();
    let server = place.start_behind("ulimit -n 64", &["--log", "warn"]);
    let mut ann = Client::register(&server, "ann");
    let mut bob = Client::register(&server, "bob");
    ann.befriends("ann", &mut bob, "bob");
    let crowd: Vec<_> = (0..100).map(|_| naked(server.address())).collect();
    for n in 0..20 {
        let send = format!(r#"SEND_MESSAGE {{"target_type":0,"target":"bob","content":"{n}"}}"#);
        ann.asks(&send);
        bob.is_served();
    }
    bob.events
        .retain(|event| event.params.at("content").is_some());
    assert_eq!(bob.events.len(), 20);
    drop(crowd);
    // Those who closed are only gone when the server has seen it: until then it may say that it
    // is full, or say nothing.
    let let_in = (0..KNOCKS).any(|_| {
        ann.is_served();
        Client::try_connect(&server).is_some_and(|mut client| {
            client.says(&["QUERY_SERVER_TIME"]);
            matches!(
                client.hears(),
                Some(echat_proto::channel::Incoming::Message(_))
            )
        })
    });
    assert!(let_in, "no new client in {KNOCKS} attempts");
    assert_eq!(server.stop().status.code(), Some(0));
}

/// A server for each kind of stdin that is no terminal.
fn without_a_terminal(test: impl Fn(&Running, &str)) {
    let place = Place::new();
    place.write("file", "quit\n");
    let args = ["--listen", "127.0.0.1:0", "--log", "off"];
    for (shell, stdin, name) in [
        ("", Stdio::null(), "/dev/null"),
        ("", File::open(place.path("file")).unwrap().into(), "a file"),
        ("exec <&-", Stdio::null(), "closed"),
        ("", Stdio::piped(), "a pipe at its end"),
    ] {
        let mut command = place.command(shell, &args);
        command.stdin(stdin);
        let server = Running::start(command);
        test(&server, name);
        assert_eq!(server.stop().status.code(), Some(0), "{name}");
    }
}

#[test]
fn without_a_terminal_it_serves_and_what_a_file_says_is_not_obeyed() {
    without_a_terminal(|server, _| {
        let mut client = Client::connect(server);
        client.is_served();
        client.is_served();
    });
}

/// How often the process's threads gave up the processor by themselves: each wake-up ends so.
fn switches(server: &Running) -> u64 {
    let tasks = format!("/proc/{}/task", server.pid().as_raw_nonzero());
    let tasks = fs::read_dir(tasks).unwrap();
    tasks
        .map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap())
        .fold(0, |sum, status| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            sum + line.unwrap().trim().parse::<u64>().unwrap()
        })
}

#[test]
#[ignore = "waits 16 s for nothing to happen; campaign"]
fn idle_it_does_not_wake_up() {
    without_a_terminal(|server, name| {
        let mut client = Client::connect(server);
        client.is_served();
        client
            .stream()
            .set_read_timeout(Some(Duration::from_secs(2)))
            .unwrap();
        let nothing_comes = || {
            let before = switches(server);
            let nothing = client.stream().peek(&mut [0]).unwrap_err().kind();
            assert!(matches!(
                nothing,
                ErrorKind::WouldBlock | ErrorKind::TimedOut
            ));
            switches(server) - before
        };
        // The helpers still prepare for handshakes to come.
        nothing_comes();
        assert!(nothing_comes() < 2, "{name}");
    });
}
