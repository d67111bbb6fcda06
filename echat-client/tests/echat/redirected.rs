//! Input or outputs are not the terminal, but there is one: secrets and the question of trust go
//! there, and nothing of them is shown.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use echat_testkit::scene::SECRET;
use echat_testkit::terminal::person::{Person, SETSID};
use rustix::process::{Pid, Signal, WaitStatus, kill_process};

use crate::server_folder::{ECHAT, ECHAT_NC, PASSWORD, ServerFolder};

/// A program of a shell at a terminal, which sends one of its streams elsewhere.
fn at_a_shell(
    folder: &ServerFolder,
    redirected: &str,
    program: &str,
    arguments: &[&str],
) -> Person {
    // Something holds the terminal open all the time, or reading its other side fails.
    let script = format!("exec \"$0\" \"$@\" {redirected} 3<>/dev/tty");
    let arguments = [&["-c", &script, program], arguments].concat();
    Person::starts(folder.command(SETSID, "C.UTF-8"), "/bin/sh", &arguments)
}

fn file(folder: &ServerFolder, name: &str) -> String {
    fs::read_to_string(folder.scene.path(name)).unwrap()
}

#[test]
fn a_password_is_not_shown_wherever_the_output_goes() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    let link = folder.link();
    let login = ["--user", "ann", link.as_str()];
    folder.scene.write("in", "@r room1 hello\n");
    for (redirected, types_line) in [(">out", true), (">out 2>err", true), ("<in >out", false)] {
        let mut person = at_a_shell(&folder, redirected, ECHAT, &login);
        person.sees("Password of ann: ");
        person.types(&format!("{SECRET}x\u{7f}\r"));
        person.sees("\r\n");
        if types_line {
            person.types("@r room1 hello\n");
            person.types("\u{4}");
        }
        person.reads_to_the_end();
        person.has_the_terminal_back();
        let (code, shown) = person.ends();
        assert_eq!(code, 0, "{redirected}: {shown}");
        assert!(!shown.contains("correct"), "{redirected}: {shown}");
        let out = file(&folder, "out");
        assert!(out.contains("me to room1: hello"), "{redirected}: {out}");
    }
}

#[test]
fn the_password_typed_in_login_mode_is_not_shown() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    let mut person = at_a_shell(&folder, ">out", ECHAT, &[&folder.link()]);
    person.types("login\n");
    person.sees("user name: ");
    person.types("ann\n");
    person.sees("password: ");
    person.types(&format!("{SECRET}\n"));
    person.sees("\r\n");
    person.types("@r room1 hello\n");
    person.types("\u{4}");
    person.reads_to_the_end();
    person.has_the_terminal_back();
    let (code, shown) = person.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("correct"), "{shown}");
    assert!(file(&folder, "out").contains("me to room1: hello"));
}

#[test]
fn the_terminal_is_restored_when_the_question_is_interrupted() {
    let folder = ServerFolder::new();
    let link = folder.link();
    let asked = || {
        let mut person = at_a_shell(&folder, ">out", ECHAT, &["--user", "ann", &link]);
        person.sees("Password of ann: ");
        person.types("secret");
        person
    };
    let mut person = asked();
    person.types("\u{3}");
    person.reads_to_the_end();
    person.has_the_terminal_back();
    let by = WaitStatus::terminating_signal(person.waits());
    assert_eq!(by, Some(Signal::INT.as_raw()));
    for signal in [Signal::TERM, Signal::HUP] {
        let mut person = asked();
        person.signals(signal);
        person.reads_to_the_end();
        person.has_the_terminal_back();
        assert!(!person.shown().contains("secret"));
    }
    let mut person = asked();
    person.types("\u{1a}");
    assert!(person.waits().stopped());
    person.has_the_terminal_back();
    person.signals(Signal::CONT);
    person.sees("Password of ann: ");
    person.types("\r");
    person.reads_to_the_end();
    person.has_the_terminal_back();
    assert_eq!(person.ends().0, 2, "without a password there is no login");
}

#[test]
fn a_password_that_is_no_text_is_a_mistake_of_the_input() {
    let folder = ServerFolder::new();
    let link = folder.link();
    for (program, said) in [
        (ECHAT, "echat: the typed password is not in the encoding"),
        (ECHAT_NC, "the typed password is not UTF-8"),
    ] {
        let mut person = at_a_shell(&folder, ">out", program, &["--user", "ann", &link]);
        person.sees("assword of ");
        person.terminal().write_all(b"caf\xe9 secret\r").unwrap();
        person.sees(said);
        person.reads_to_the_end();
        person.has_the_terminal_back();
        assert!(!person.shown().contains("secret"));
        assert_eq!(person.ends().0, 2);
    }
}

#[test]
fn trust_is_asked_for_at_the_terminal() {
    let folder = ServerFolder::new();
    let address = folder.server.address().to_string();
    folder.scene.write("in", "query\nserver time\n");
    folder.scene.write("requests", "QUERY_SERVER_TIME\n");
    for (program, redirected) in [
        (ECHAT, "<in"),
        (ECHAT, "<in >out 2>err"),
        (ECHAT_NC, "<requests"),
        (ECHAT_NC, "2>err"),
        (ECHAT_NC, "<requests >out 2>err"),
    ] {
        for (answer, code) in [("no\n", 4), ("yes\n", 0)] {
            let _ = fs::remove_file(folder.scene.known_hosts());
            let mut person = at_a_shell(&folder, redirected, program, &[&address]);
            person.sees(folder.server.fingerprint());
            person.sees("Type yes");
            person.types(answer);
            if redirected == "2>err" && code == 0 {
                person.types("\u{4}");
            }
            let (ended, shown) = person.ends();
            assert_eq!(ended, code, "{program} {redirected}: {shown}");
            assert_eq!(folder.scene.known_hosts().exists(), code == 0);
        }
    }
}

#[test]
fn without_a_terminal_a_password_comes_from_the_options_only() {
    let folder = ServerFolder::new();
    let outcome = folder.pipes(&["--user", "ann", &folder.link()], SECRET);
    assert!(outcome.exits(2).err.contains("no password"));
}

#[test]
fn ignored_signals_do_not_end_a_pipe() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    // As under nohup(1), and in the background of a script.
    let mut child = folder
        .command("env", "C.UTF-8")
        .args(["--ignore-signal=HUP", "--ignore-signal=INT", ECHAT])
        .args(["--user", "ann", "--password-file", PASSWORD])
        .arg(folder.link())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    for text in ["one", "two"] {
        writeln!(input, "@r room1 {text}").unwrap();
        let sent = format!("me to room1: {text}");
        assert!(output.any(|line| line.unwrap().contains(&sent)), "{text}");
        for signal in [Signal::HUP, Signal::INT] {
            kill_process(Pid::from_child(&child), signal).unwrap();
        }
    }
    drop(input);
    assert!(output.all(|line| line.is_ok()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
