//! Signals that a server gets without being meant to end: it says what it does, and serves on.

use std::fs::File;
use std::io::Write;
use std::process::Command;

use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr};
use echat_testkit::wire::Client;
use rustix::process::Signal;

#[test]
fn a_hangup_reloads_and_other_signals_are_ignored() {
    let dir = ServerFolder::new();
    let mut server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    for signal in [
        Signal::USR2,
        Signal::PIPE,
        Signal::XFSZ,
        Signal::ALARM,
        Signal::VTALARM,
        Signal::PROF,
        Signal::IO,
    ] {
        server.signal(signal);
        ann.is_served();
    }
    let words = "SIGHUP: the configuration was read again";
    for _ in 0..2 {
        server.signal(Signal::HUP);
        server.logs(words);
        ann.is_served();
    }
    let output = server.stop();
    assert_eq!(output.status.code(), Some(0));
    let lines = |words: &str| {
        stderr(&output)
            .lines()
            .filter(|l| l.contains(words))
            .count()
    };
    // Of the reloads, and of the stop.
    assert_eq!(
        (lines("SIGHUP"), lines("SIG")),
        (2, 3),
        "{}",
        stderr(&output)
    );
}

#[test]
fn sigterm_ends_a_start_and_a_hangup_does_not() {
    let dir = ServerFolder::new();
    dir.start(&[]).stop();
    // The start hangs at its configuration, a pipe that nothing was written to yet.
    let hanging = || {
        let shell = "rm -f config.json; mkfifo config.json; echo begun";
        let args = ["--listen", "127.0.0.1:0"];
        let mut server = ServerProcess::begin(dir.command(shell, &args));
        assert_eq!(server.prints().as_deref(), Some("begun"));
        // Only the server opens the pipe to read: then this opens it to write.
        let config = File::options().write(true).open(dir.path("config.json"));
        (server, config.unwrap())
    };
    let (mut server, mut config) = hanging();
    for signal in [Signal::HUP, Signal::USR1, Signal::USR2] {
        server.signal(signal);
    }
    config.write_all(b"{}").unwrap();
    drop(config);
    assert!(server.becomes_ready());
    Client::register(&server, "ann").is_served();
    assert_eq!(server.stop().status.code(), Some(0));

    let (server, config) = hanging();
    server.signal(Signal::TERM);
    assert_eq!(server.end().status.code(), None, "by the signal, at once");
    drop(config);
}

/// As in a container, where the kernel drops signals that have their default action.
#[test]
fn sigterm_ends_the_start_of_process_1_too() {
    let unshare = "unshare --user --map-root-user --pid --fork --kill-child";
    let trial = Command::new("sh")
        .args(["-c", &format!("{unshare} true")])
        .status();
    if !trial.is_ok_and(|status| status.success()) {
        eprintln!("NOT RUN: the system gives no process namespaces");
        return;
    }
    for (is_ready, code) in [(false, 143), (true, 0)] {
        let dir = ServerFolder::new();
        let shell = format!(
            r#"mkfifo config.json stop; echo begun
               exec {unshare} sh -c '(read _ <stop; kill -TERM 1) & exec "$0" "$@"' "$0" "$@""#
        );
        let mut server = ServerProcess::begin(dir.command(&shell, &["--listen", "127.0.0.1:0"]));
        assert_eq!(server.prints().as_deref(), Some("begun"));
        let open = |name: &str| File::options().write(true).open(dir.path(name)).unwrap();
        // The start hangs at its configuration, a pipe, until something is written to it.
        let mut config = open("config.json");
        if is_ready {
            config.write_all(b"{}").unwrap();
            drop(config);
            assert!(server.becomes_ready());
        }
        open("stop").write_all(b"now\n").unwrap();
        assert_eq!(server.end().status.code(), Some(code));
    }
}

#[test]
fn the_limit_on_file_sizes_is_an_error_and_no_signal() {
    let dir = ServerFolder::new();
    dir.write(
        "config.json",
        r#"{"server": {"limits": {"message_rate": 0}}}"#,
    );
    // In blocks of 512 bytes.
    let server = dir.start_behind("ulimit -f 1024", &["--log", "warn"]);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    let content = "x".repeat(3_900);
    let send = format!(r#"SEND_MESSAGE {{"target_type":1,"target":"tea","content":"{content}"}}"#);
    while ann.says(&[&send]) {}
    let code = server.end().status.code();
    assert_eq!(code, Some(74));
}
