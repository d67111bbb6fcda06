//! What the programs are started with: an output that takes nothing, passwords that are none, files
//! that are not theirs.

use std::fs;
use std::process::{Command, Stdio};

use echat_testkit::scene::{Outcome, SECRET, outcome};
use echat_testkit::terminal::person::{Person, SETSID};

use crate::place::{ECHAT, ECHAT_NC, PASSWORD, ServerFolder};

/// Runs a program of a shell, whose output goes where the redirection says.
fn redirected(
    place: &ServerFolder,
    redirection: &str,
    program: &str,
    arguments: &[&str],
) -> Outcome {
    let script = format!("exec \"$0\" \"$@\" {redirection}");
    let mut command = place.command("/bin/sh", "C.UTF-8");
    command.args(["-c", &script, program]).args(arguments);
    run(command)
}

fn run(mut command: Command) -> Outcome {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    outcome(command.spawn().unwrap())
}

#[test]
fn what_cannot_be_written_is_no_success() {
    let place = ServerFolder::new();
    place.has("room1", &["ann"]);
    place.scene.write("in", "@r room1 hello\n");
    place.scene.write("ask", "query\nserver time\n");
    place.scene.write("requests", "QUERY_SERVER_TIME\n");
    place.scene.write("bytes", "1\n");
    let link = place.link();
    let login = ["--user", "ann", "--password-file", PASSWORD, &link];
    let plain = ["--plain", link.as_str()];
    for (program, arguments, input) in [
        (ECHAT, &["--help"][..], "/dev/null"),
        (ECHAT, &["--version"], "/dev/null"),
        (ECHAT, &login, "in"),
        (ECHAT, &plain, "ask"),
        (ECHAT_NC, &["--help"], "/dev/null"),
        (ECHAT_NC, &["--version"], "/dev/null"),
        (ECHAT_NC, &["commands"], "/dev/null"),
        (ECHAT_NC, &["describe", "LOGIN"], "/dev/null"),
        (ECHAT_NC, &["encode", "LOGOUT"], "/dev/null"),
        (ECHAT_NC, &["encode"], "requests"),
        (ECHAT_NC, &[&link], "requests"),
        (ECHAT_NC, &[&link, "QUERY_SERVER_TIME"], "/dev/null"),
    ] {
        let full = redirected(&place, &format!("<{input} >/dev/full"), program, arguments);
        let said = full.err.clone();
        full.exits(8);
        assert!(
            said.contains("No space left"),
            "{program} {arguments:?}: {said}"
        );
    }
    // Nothing to write is no failure.
    redirected(&place, ">/dev/full", ECHAT, &login).exits(0);
}

#[test]
fn a_reader_that_is_gone_is_a_failure_without_a_word() {
    let place = ServerFolder::new();
    place.scene.write("ask", "query\nserver time\n");
    place.scene.write("requests", "QUERY_SERVER_TIME\n");
    let link = place.link();
    for (program, arguments, input) in [
        (ECHAT, &["--help"][..], "/dev/null"),
        (ECHAT, &[&link], "ask"),
        (ECHAT_NC, &["--version"], "/dev/null"),
        (ECHAT_NC, &["commands"], "/dev/null"),
        (ECHAT_NC, &[&link], "requests"),
    ] {
        let mut command = place.command(program, "C.UTF-8");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let input = fs::File::open(place.scene.path(input)).unwrap();
        command
            .args(arguments)
            .stdin(input)
            .stdout(writer)
            .stderr(Stdio::piped());
        let told = outcome(command.spawn().unwrap()).exits(8);
        assert_eq!(told.err, "", "{program} {arguments:?}");
    }
}

#[test]
fn what_is_no_password_is_said_before_anything_is_sent() {
    let place = ServerFolder::new();
    place.scene.registers(&place.link(), "ann");
    let link = place.link();
    let long = "x".repeat(1025);
    for (contents, code) in [
        ("", 2),
        ("\n", 2),
        ("\r\n", 2),
        ("\u{feff}", 2),
        ("one\ntwo\n", 2),
        (long.as_str(), 2),
        ("another password\n", 1),
        (SECRET, 0),
        (&format!("\u{feff}{SECRET}\r\n"), 0),
    ] {
        let file = place.scene.write("given", contents);
        for program in [ECHAT, ECHAT_NC] {
            let login = ["--user", "ann", "--password-file", &file, &link];
            let told = redirected(&place, "", program, &login).exits(code);
            assert_eq!(told.err.is_empty(), code == 0, "{program} {contents:?}");
        }
        let command = format!("cat {file}");
        let login = ["--user", "ann", "--password-command", &command, &link];
        redirected(&place, "", ECHAT, &login).exits(code);
    }
    for program in [ECHAT, ECHAT_NC] {
        for missing in ["/", "/nowhere/at/all"] {
            let login = ["--user", "ann", "--password-file", missing, &link];
            let told = redirected(&place, "", program, &login).exits(8);
            assert!(told.err.contains(missing), "{}", told.err);
        }
        let mut command = place.command(program, "C.UTF-8");
        command
            .env("EMPTY", "")
            .args(["--user", "ann", "--password-env", "EMPTY", &link]);
        assert!(run(command).exits(2).err.contains("no password"));
    }
}

#[test]
fn the_reason_why_unsent_lines_cannot_be_kept_is_shown() {
    let place = ServerFolder::new();
    place.has("room1", &["ann"]);
    place.scene.write("in", "@r room1 hello\n");
    let state = place.scene.path(".local/state/echat");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("unsent"), "a file where a folder should be").unwrap();
    let link = place.link();
    let login = ["--user", "ann", "--password-file", PASSWORD, &link];
    let told = place.pipes(&login, "@r room1 hello\n").exits(0);
    assert!(told.out.contains("me to room1: hello"), "{}", told.out);
    assert!(told.err.contains("unsent/"), "{}", told.err);
    assert!(
        told.err.contains("Not a directory") || told.err.contains("exists"),
        "{}",
        told.err
    );
    assert!(!told.err.contains("nother client"), "{}", told.err);
    assert!(!told.out.contains("nother client"), "{}", told.out);
}

#[test]
fn a_config_json_that_merely_lies_here_counts_only_if_it_is_ours() {
    let place = ServerFolder::new();
    let link = place.link();
    for (contents, named) in [
        (r#"{"name": "a-package", "version": "1.0.0"}"#, 0),
        (r#"{"server": {"port": 8080}}"#, 0),
        ("not even JSON", 2),
        (r#"{"client": {"adress": "a:1"}}"#, 2),
        (r#"{"client": {"password_command": "touch trapped"}}"#, 0),
    ] {
        place.scene.write("config.json", contents);
        let told = place.pipes(&[&link], "").exits(0);
        assert!(
            told.err.contains("ignored: ./config.json"),
            "{contents}: {}",
            told.err
        );
        if named != 0 {
            let config = ["--config", "config.json", &link];
            let told = place.pipes(&config, "").exits(named);
            assert!(told.err.contains("config.json: "), "{}", told.err);
        }
        // The same in the user's own folder.
        fs::remove_file(place.scene.path("config.json")).unwrap();
        fs::create_dir_all(place.scene.path(".config/echat")).unwrap();
        if named != 0 {
            place.scene.write(".config/echat/config.json", contents);
            let told = place.pipes(&[&link], "").exits(0);
            let is_read = contents.contains("a-package");
            assert_eq!(told.err.contains("ignored: "), !is_read, "{}", told.err);
            fs::remove_file(place.scene.path(".config/echat/config.json")).unwrap();
        }
    }
    assert!(!place.scene.path("trapped").exists());
    // A pipe without a writer is not waited for.
    let made = Command::new("mkfifo")
        .arg(place.scene.path("config.json"))
        .status();
    assert!(made.unwrap().success());
    let told = place.pipes(&[&link], "").exits(0);
    assert!(told.err.contains("ignored: ./config.json"), "{}", told.err);
}

#[test]
fn a_config_json_that_merely_lies_here_trusts_nothing() {
    let place = ServerFolder::new();
    let (address, key) = (place.server.address(), place.server.fingerprint());
    let config = |address: &str| {
        let client = format!(r#"{{"client": {{"address": "{address}"}}}}"#);
        place.scene.write("config.json", &client);
    };
    for pinned in [
        format!("echat://{address}/#{key}"),
        format!("echat://ann@{address}"),
    ] {
        config(&pinned);
        let told = place.pipes(&["--user", "ann", "--password-file", PASSWORD], "");
        assert!(told.err.contains("ignored: ./config.json"), "{}", told.err);
        // It went to the address of old, where no server is, or one that is not known.
        assert!(
            !told.err.contains(&address.to_string()) || told.code != 0,
            "{}",
            told.err
        );
    }
    config(&address.to_string());
    let told = place
        .pipes(&["--user", "ann", "--password-file", PASSWORD], "")
        .exits(4);
    assert!(told.err.contains(&address.to_string()), "{}", told.err);
    let login = ["--user", "ann", "--password-file", PASSWORD];
    let mut person = Person::starts(place.command(SETSID, "C.UTF-8"), ECHAT, &login);
    person.sees("./config.json");
    person.sees(&address.to_string());
    person.sees("Type yes");
    person.types("no\n");
    assert_eq!(person.ends().0, 4);
    assert!(!place.scene.known_hosts().exists());
}
