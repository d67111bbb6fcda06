//! Standard error and standard output that are not read: the server serves on, and obeys SIGTERM. What
//! the log did not take is counted.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use echat_testkit::clock::now;
use echat_testkit::server_process::{ServerFolder, ServerProcess, why_it_ended};
use echat_testkit::wire::Client;

/// Connections that each cause a line of the log: more than a pipe of 64 KiB and the queue hold.
const STRANGERS: usize = 3_000;
/// Accounts that log in and out while the log is stuck, five times each.
const ACCOUNTS: usize = 20;
/// No answer and no end takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Standard error is a pipe with the name `log`, that is held open and not read. The one of the test is
/// held open too, so that the end of the server is seen.
const STUCK_LOG: &str = "mkfifo log; exec 3>&2 2<>log";

/// Commands of the shell by which standard output is a full pipe.
const STUCK_STDOUT: &str = "mkfifo out; exec 4>&1 1<>out; head -c 65536 /dev/zero";

/// Connects with what is no hello: one line of the log at debug.
fn stranger(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    // It is closed or reset; what counts is that it is looked at.
    match stream.read_to_end(&mut Vec::new()) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("not served"),
        _ => {}
    }
}

/// Registers an account, logs in and out: eleven lines, of which ten are about its sessions. More of these
/// in a minute would be counted instead of written.
fn come_and_go(server: &ServerProcess, name: &str) {
    Client::register(server, name).asks("LOGOUT");
    for _ in 0..4 {
        Client::login(server, name).asks("LOGOUT");
    }
}

/// The whole number after these words.
fn number_after(line: &str, words: &str) -> usize {
    let rest = line.split_once(words).expect(words).1;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}

#[test]
fn an_unread_log_stops_nothing_and_later_counts_lost_lines() {
    let dir = ServerFolder::new();
    // How often the engine says why requests wait depends on the time that it takes.
    let filter = "debug,echat_server::engine=info";
    let server = dir.start_behind(STUCK_LOG, &["--log", filter]);
    for _ in 0..STRANGERS {
        stranger(server.address());
    }
    for n in 0..ACCOUNTS {
        come_and_go(&server, &format!("ann{n}"));
    }
    let mut log = File::open(dir.path("log")).unwrap();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).map(|_| text)
    });
    come_and_go(&server, "bob");
    assert_eq!(server.stop().status.code(), Some(0));

    let text = reader.join().unwrap().unwrap();
    let missing = " lines of the log are missing here";
    let (notices, kept): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.contains(missing));
    let number = |line: &&str| number_after(line, "echat_server::logging: ");
    let dropped: usize = notices.iter().map(number).sum();
    // Seven lines of the start, what clients caused, "stopping".
    let said = 7 + STRANGERS + 11 * (ACCOUNTS + 1) + 1;
    assert_eq!(kept.len() + dropped, said, "{notices:?}");
    assert!(dropped > STRANGERS / 3, "{notices:?}");
    for line in &kept {
        let (time, rest) = line.split_at(27);
        assert!(time.starts_with("20") && time.ends_with('Z'), "{line}");
        assert!(rest.contains(" echat_server"), "{line}");
    }
    let times: Vec<&str> = kept.iter().map(|line| &line[..27]).collect();
    assert!(times.is_sorted(), "lines keep their order");
    assert!(kept.last().unwrap().contains(": stopping reason="));
}

#[test]
fn sigterm_ends_the_server_with_standard_output_and_error_stuck() {
    for stuck in [
        STUCK_LOG,
        STUCK_STDOUT,
        &format!("{STUCK_LOG}; head -c 65536 /dev/zero >&2; {STUCK_STDOUT}"),
    ] {
        let dir = ServerFolder::new();
        let address = free_address();
        let args = ["--listen", &address.to_string(), "--log", "debug"];
        let server = ServerProcess::begin(dir.command(stuck, &args));
        let from = now();
        while TcpStream::connect(address).is_err() {
            assert!(from.elapsed() < PATIENCE, "it does not listen: {stuck}");
            thread::yield_now();
        }
        for _ in 0..1_000 {
            stranger(address);
        }
        assert_eq!(server.stop().status.code(), Some(0), "{stuck}");
    }
}

#[test]
fn a_stuck_standard_output_that_breaks_later_ends_no_server_with_clients() {
    let dir = ServerFolder::new();
    let address = free_address();
    let args = ["--listen", &address.to_string(), "--log", "warn"];
    // The shell waits at the pipe until it has a reader, and fills it.
    let full = "mkfifo out; exec 4>&1 1>out; head -c 65536 /dev/zero";
    let mut server = ServerProcess::begin(dir.command(full, &args));
    let from = now();
    let reader = loop {
        match File::open(dir.path("out")) {
            Ok(reader) => break reader,
            Err(error) => assert!(from.elapsed() < PATIENCE, "{error}"),
        }
        thread::yield_now();
    };
    while TcpStream::connect(address).is_err() {
        assert!(from.elapsed() < PATIENCE, "it does not listen");
        thread::yield_now();
    }
    // It is served, so the server knows that it has had clients.
    stranger(address);
    drop(reader);
    server.logs("the ready line could not be written");
    stranger(address);
    assert_eq!(server.stop().status.code(), Some(0));
}

/// An address that was free a moment ago, for a server whose ready line cannot be read.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

#[test]
fn a_failure_at_the_start_ends_the_process_with_standard_error_stuck() {
    let dir = ServerFolder::new();
    dir.write("data", "a file");
    let stuck = format!("{STUCK_LOG}; head -c 65536 /dev/zero >&2");
    let server = ServerProcess::begin(dir.command(&stuck, &[]));
    assert_eq!(server.end().status.code(), Some(73));
}

#[test]
fn a_ready_line_that_cannot_be_written_is_an_io_error() {
    let dir = ServerFolder::new();
    let args = ["--listen", "127.0.0.1:0", "--log", "off"];
    let server = ServerProcess::begin(dir.command("exec 4>&1 1>/dev/full", &args));
    let output = server.end();
    let words = "stdout: No space left on device (os error 28)\n";
    assert_eq!(
        (why_it_ended(&output), output.status.code()),
        (words, Some(74))
    );
}

#[test]
fn a_stream_that_another_process_made_nonblocking_gets_every_line() {
    let dir = ServerFolder::new();
    // perl(1) sets O_NONBLOCK on the pipe, which the server inherits.
    let perl = "perl -MFcntl -e 'fcntl(STDERR, F_SETFL, O_RDWR|O_NONBLOCK) or die'";
    let server = dir.start_behind(&format!("{STUCK_LOG}; {perl}"), &["--log", "debug"]);
    // More than the pipe holds, less than the pipe and the queue do.
    for _ in 0..1_000 {
        stranger(server.address());
    }
    let mut log = File::open(dir.path("log")).unwrap();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).map(|_| text)
    });
    assert_eq!(server.stop().status.code(), Some(0));
    let text = reader.join().unwrap().unwrap();
    assert_eq!(text.lines().count(), 7 + 1_000 + 1);
}

#[test]
fn with_standard_error_closed_the_server_serves() {
    let dir = ServerFolder::new();
    let server = dir.start_behind("exec 3>&2 2>&-", &["--log", "debug"]);
    stranger(server.address());
    Client::register(&server, "ann").is_served();
    assert_eq!(server.stop().status.code(), Some(0));
}
