//! The server's own terminal: one that is not read, one that is closed by Ctrl-D, one that is gone, one
//! that belongs to another job.

use std::fs;

use echat_testkit::server_process::{ServerFolder, ServerProcess};
use echat_testkit::terminal::pty::Pty;
use echat_testkit::wire::Client;
use rustix::process::{Pid, Signal, kill_process};

/// Questions at the console whose answers are not read: more lines than a terminal and the queue hold.
const QUESTIONS: usize = 1_000;

/// A server on a terminal of its own, in the foreground.
fn start(dir: &ServerFolder, pty: &Pty, log: &str) -> ServerProcess {
    let shell = pty.shell(r#""$0" "$@""#);
    let args = ["--listen", "127.0.0.1:0", "--log", log];
    ServerProcess::start(dir.command(&shell, &args))
}

#[test]
fn an_unread_terminal_stops_nothing_and_later_counts_lost_lines() {
    let (dir, pty) = (ServerFolder::new(), Pty::open());
    let server = start(&dir, &pty, "info");
    let mut ann = Client::register(&server, "ann");
    for _ in 0..QUESTIONS {
        pty.types("help\n");
        ann.is_served();
    }
    // Once it is read, the gap is the last of what was queued.
    pty.shows("lines of the log are missing here");
    let screen = pty.reads_on();
    assert_eq!(server.stop().status.code(), Some(0));
    let shown = screen.join().unwrap();
    assert!(shown.contains("logged out"), "{shown}");
}

#[test]
fn a_stuck_terminal_does_not_delay_the_end_of_the_server() {
    let (dir, pty) = (ServerFolder::new(), Pty::open());
    let server = start(&dir, &pty, "info");
    let mut ann = Client::register(&server, "ann");
    for _ in 0..QUESTIONS {
        pty.types("help\n");
        ann.is_served();
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn ctrl_d_closes_the_console_with_a_line() {
    let (dir, pty) = (ServerFolder::new(), Pty::open());
    let server = start(&dir, &pty, "off");
    let pid = server.pid().as_raw_nonzero();
    pty.types("users\n");
    pty.shows("none");
    pty.types("\x04");
    let words = format!("console closed; the server continues. To stop it: Ctrl-C, or kill {pid}");
    pty.shows(&words);
    // What is typed now is not the server's any more.
    pty.types("quit\n");
    Client::register(&server, "ann").is_served();
    let screen = pty.reads_on();
    pty.types("\x03");
    assert_eq!(server.end().status.code(), Some(0));
    drop(screen);
}

#[test]
fn without_its_terminal_the_server_serves_on() {
    let (dir, pty) = (ServerFolder::new(), Pty::open());
    let server = start(&dir, &pty, "info");
    let mut ann = Client::register(&server, "ann");
    drop(pty);
    for _ in 0..20 {
        ann.is_served();
    }
    Client::login(&server, "ann").is_served();
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn a_terminal_that_lets_only_the_foreground_write_does_not_stop_a_server_behind_it() {
    let (dir, pty) = (ServerFolder::new(), Pty::open());
    // The shell has the foreground, the server is its job in the background.
    let job = r#"sh -c 'stty tostop; set -m; "$0" "$@" & echo $! >pid; wait $!' "$0" "$@""#;
    let args = ["--listen", "127.0.0.1:0", "--log", "info"];
    let shell = ServerProcess::start(dir.command(&pty.shell(job), &args));
    let screen = pty.reads_on();
    let mut ann = Client::register(&shell, "ann");
    ann.is_served();
    let pid = fs::read_to_string(dir.path("pid")).unwrap();
    let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(shell.end().status.code(), Some(0));
    let shown = screen.join().unwrap();
    assert!(
        shown.contains("logged in") && shown.contains("stopping"),
        "{shown}"
    );
}
