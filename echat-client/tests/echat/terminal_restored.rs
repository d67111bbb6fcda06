//! The terminal is given back as it was, whatever ends or stops the client.

use std::fs::{self, File};
use std::process::Command;

use echat_testkit::side_by_side;
use echat_testkit::terminal::person::{Person, SETSID};
use rustix::process::{Signal, WaitStatus};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::server_folder::{ECHAT, ServerFolder};

/// The window is named, so that its name has to be given back too.
const TITLED: &str = r#"{"client": {"title": true, "notify": "osc9"}}"#;

/// What people may be in the middle of when a signal comes.
#[derive(Clone, Copy, Debug)]
enum Middle {
    Typing,
    Password,
    PasswordNotRedrawn,
    Trusting,
}

impl Middle {
    fn of(self, folder: &ServerFolder) -> Person {
        let address = folder.server.address().to_string();
        let (link, plain) = (folder.link(), "--plain");
        match self {
            Self::Typing => {
                let mut person = folder.person("C.UTF-8", &[&link]);
                person.sees("command> ");
                person.types("half a line 你好");
                person.sees("half a line 你好");
                person
            }
            Self::Password | Self::PasswordNotRedrawn => {
                let arguments = [link.as_str(), "--user", "ann", plain];
                let count = if matches!(self, Self::Password) { 3 } else { 4 };
                let mut person = folder.person("C.UTF-8", &arguments[..count]);
                person.sees("password: ");
                person.types("secret");
                person
            }
            Self::Trusting => {
                let mut person = folder.person("C.UTF-8", &[&address, "--user", "ann"]);
                person.sees("password: ");
                person.types("correct horse\r");
                person.sees("Type yes");
                person
            }
        }
    }
}

#[test]
fn a_terminating_signal_restores_the_terminal() {
    let folder = ServerFolder::with(TITLED);
    let middles = [
        Middle::Typing,
        Middle::Password,
        Middle::PasswordNotRedrawn,
        Middle::Trusting,
    ];
    side_by_side::each(middles.into_iter(), |middle| {
        for signal in [Signal::TERM, Signal::HUP, Signal::QUIT] {
            let mut person = middle.of(&folder);
            person.signals(signal);
            person.reads_to_the_end();
            person.has_the_terminal_back();
            assert!(!person.shown().contains("secret"), "{middle:?}");
            let by = WaitStatus::terminating_signal(person.waits());
            assert_eq!(by, Some(signal.as_raw()), "{middle:?}");
        }
    });
}

#[test]
fn an_interrupt_clears_only_the_line() {
    let folder = ServerFolder::with(TITLED);
    let mut person = Middle::Typing.of(&folder);
    person.signals(Signal::INT);
    person.sees("to quit.");
    person.types("quit\r");
    person.reads_to_the_end();
    person.has_the_terminal_back();
    assert_eq!(person.ends().0, 0);
}

#[test]
fn the_question_of_trust_can_be_interrupted() {
    let folder = ServerFolder::with(TITLED);
    let mut person = Middle::Trusting.of(&folder);
    person.types("\x1a");
    assert!(person.waits().stopped());
    person.has_the_terminal_back();
    person.signals(Signal::CONT);
    person.sees("Type yes");
    person.types("\x03");
    person.reads_to_the_end();
    person.has_the_terminal_back();
    assert_eq!(person.ends().0, 4);
    assert!(!folder.scene.known_hosts().exists());
}

#[test]
fn a_stopped_and_continued_client_redraws() {
    let folder = ServerFolder::with(TITLED);
    for stop in [None, Some(Signal::TSTP), Some(Signal::STOP)] {
        let mut person = Middle::Typing.of(&folder);
        let before = tcgetattr(person.terminal()).unwrap();
        match stop {
            None => person.types("\x1a"),
            Some(signal) => person.signals(signal),
        }
        let stopped = person.waits();
        assert!(stopped.stopped(), "{stopped:?}");
        if stop == Some(Signal::STOP) {
            // No program can catch that one, and the shell sets its own modes after it.
            let mut shells = before;
            shells
                .local_modes
                .insert(LocalModes::ECHO | LocalModes::ICANON);
            tcsetattr(person.terminal(), OptionalActions::Now, &shells).unwrap();
        } else {
            person.sees("\x1b[?2004l");
            person.has_the_terminal_back();
        }
        // The window may be another one when it comes back.
        person.resizes(33, 7);
        person.signals(Signal::CONT);
        person.sees("\x1b[?2004h");
        person.sees_that("the line that was begun", |screen| {
            screen.rest_from("command> ").as_deref() == Some("command> half a line 你好")
        });
        person.types("!");
        person.sees_that("a key, shown once", |screen| {
            screen.rest_from("command> ").as_deref() == Some("command> half a line 你好!")
        });
        person.types("\x15quit\r");
        person.reads_to_the_end();
        person.has_the_terminal_back();
        assert_eq!(person.ends().0, 0);
    }
}

/// The source of randomness fails from when a file is there: a system without it is one on which
/// the standard library and cryptography panic.
const NO_RANDOMNESS: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t getrandom(void *buffer, size_t length, unsigned int flags) {
    if (access(getenv("NO_RANDOMNESS"), F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_getrandom, buffer, length, flags);
}
"#;

#[test]
fn a_panic() {
    let folder = ServerFolder::with(TITLED);
    let source = folder.scene.write("no_randomness.c", NO_RANDOMNESS);
    // Libraries cannot be loaded from memory on every system.
    let place = tempfile::tempdir().unwrap();
    let library = place.path().join("no_randomness.so");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", &source, "-o"])
        .arg(&library);
    assert!(compiler.status().unwrap().success());
    let switch = folder.scene.path("no_randomness_now");
    let mut command = folder.command(SETSID, "C.UTF-8");
    command
        .env("LD_PRELOAD", library)
        .env("NO_RANDOMNESS", &switch);
    let mut person = Person::starts(command, ECHAT, &[&folder.link()]);
    person.sees("command> ");
    File::create(&switch).unwrap();
    // The thread that connects may panic before the first line is read, or the loop with the request.
    person.types("query\rserver time\r");
    person.reads_to_the_end();
    person.has_the_terminal_back();
    let (code, shown) = person.ends();
    let report = shown.split("\x1b[?2004l").last().unwrap();
    assert!(report.contains("panicked at"), "{shown}");
    for prompt in ["command> ", "query> "] {
        assert!(!report.contains(prompt), "it is over: {shown}");
    }
    assert_eq!(code, 101);
    fs::remove_file(switch).unwrap();
}
