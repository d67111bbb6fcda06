//! What the programs are started with: an output that takes nothing, passwords that are none, files
//! that are not theirs.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use echat_testkit::scene::{Outcome, SECRET, outcome};
use echat_testkit::terminal::person::{Person, SETSID};

use crate::server_folder::{ECHAT, ECHAT_NC, PASSWORD, ServerFolder};

/// Runs a program of a shell, whose output goes where the redirection says.
fn redirected(
    folder: &ServerFolder,
    redirection: &str,
    program: &str,
    arguments: &[&str],
) -> Outcome {
    let script = format!("exec \"$0\" \"$@\" {redirection}");
    let mut command = folder.command("/bin/sh", "C.UTF-8");
    command.args(["-c", &script, program]).args(arguments);
    run(command)
}

fn run(mut command: Command) -> Outcome {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    outcome(command.spawn().unwrap())
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    folder.scene.write("in", "@r room1 hello\n");
    folder.scene.write("ask", "query\nserver time\n");
    folder.scene.write("requests", "QUERY_SERVER_TIME\n");
    folder.scene.write("bytes", "1\n");
    let link = folder.link();
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
        let full = redirected(&folder, &format!("<{input} >/dev/full"), program, arguments);
        let said = full.err.clone();
        full.exits(8);
        assert!(
            said.contains("No space left"),
            "{program} {arguments:?}: {said}"
        );
    }
    // Nothing to write is no failure.
    redirected(&folder, ">/dev/full", ECHAT, &login).exits(0);
}

#[test]
fn a_closed_output_is_a_silent_failure() {
    let folder = ServerFolder::new();
    folder.scene.write("ask", "query\nserver time\n");
    folder.scene.write("requests", "QUERY_SERVER_TIME\n");
    let link = folder.link();
    for (program, arguments, input) in [
        (ECHAT, &["--help"][..], "/dev/null"),
        (ECHAT, &[&link], "ask"),
        (ECHAT_NC, &["--version"], "/dev/null"),
        (ECHAT_NC, &["commands"], "/dev/null"),
        (ECHAT_NC, &[&link], "requests"),
    ] {
        let mut command = folder.command(program, "C.UTF-8");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let input = fs::File::open(folder.scene.path(input)).unwrap();
        command
            .args(arguments)
            .stdin(input)
            .stdout(writer)
            .stderr(Stdio::piped());
        let outcome = outcome(command.spawn().unwrap()).exits(8);
        assert_eq!(outcome.err, "", "{program} {arguments:?}");
    }
}

#[test]
fn a_password_file_that_others_can_read_is_refused() {
    let folder = ServerFolder::new();
    folder.scene.registers(&folder.link(), "ann");
    let link = folder.link();
    let file = folder.scene.write("given", SECRET);
    let config = format!(r#"{{"client": {{"user": "ann", "password_file": "{file}"}}}}"#);
    let config = folder.scene.write("named.json", &config);
    let by_config = ["--config", &config, &link];
    for (mode, code) in [(0o644, 2), (0o620, 2), (0o600, 0)] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        for option in ["--password-file", "--token-file"] {
            // What is in the file is no token.
            if option == "--token-file" && code == 0 {
                continue;
            }
            for program in [ECHAT, ECHAT_NC] {
                let login = ["--user", "ann", option, &file, &link];
                let outcome = redirected(&folder, "", program, &login).exits(code);
                let told = outcome.err.contains(&format!("run chmod 600 {file}"));
                assert_eq!(told, code == 2, "{program} {option}: {}", outcome.err);
            }
        }
        let outcome = redirected(&folder, "", ECHAT, &by_config).exits(code);
        assert_eq!(
            outcome.err.contains("chmod 600"),
            code == 2,
            "{}",
            outcome.err
        );
    }
}

#[test]
fn a_timeout_of_any_length_is_one() {
    let folder = ServerFolder::new();
    let (input, link) = ("query\nserver time\n", folder.link());
    for timeout in ["18446744073709551615", "1e300", "9223372036854775808"] {
        let outcome = folder.pipes(&["--timeout", timeout, &link], input).exits(0);
        assert!(outcome.err.is_empty(), "{}", outcome.err);
    }
}

#[test]
fn an_impossible_password_is_reported_before_anything_is_sent() {
    let folder = ServerFolder::new();
    folder.scene.registers(&folder.link(), "ann");
    let link = folder.link();
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
        let file = folder.scene.write("given", contents);
        for program in [ECHAT, ECHAT_NC] {
            let login = ["--user", "ann", "--password-file", &file, &link];
            let outcome = redirected(&folder, "", program, &login).exits(code);
            assert_eq!(outcome.err.is_empty(), code == 0, "{program} {contents:?}");
        }
        let command = format!("cat {file}");
        let login = ["--user", "ann", "--password-command", &command, &link];
        redirected(&folder, "", ECHAT, &login).exits(code);
    }
    for program in [ECHAT, ECHAT_NC] {
        for missing in ["/", "/nowhere/at/all"] {
            let login = ["--user", "ann", "--password-file", missing, &link];
            let outcome = redirected(&folder, "", program, &login).exits(8);
            assert!(outcome.err.contains(missing), "{}", outcome.err);
        }
        let mut command = folder.command(program, "C.UTF-8");
        command
            .env("EMPTY", "")
            .args(["--user", "ann", "--password-env", "EMPTY", &link]);
        assert!(run(command).exits(2).err.contains("no password"));
    }
}

#[test]
fn the_reason_why_unsent_lines_cannot_be_kept_is_shown() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    folder.scene.write("in", "@r room1 hello\n");
    let state = folder.scene.path(".local/state/echat");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("unsent"), "a file where a folder should be").unwrap();
    let link = folder.link();
    let login = ["--user", "ann", "--password-file", PASSWORD, &link];
    let outcome = folder.pipes(&login, "@r room1 hello\n").exits(0);
    assert!(
        outcome.out.contains("me to room1: hello"),
        "{}",
        outcome.out
    );
    assert!(outcome.err.contains("unsent/"), "{}", outcome.err);
    assert!(
        outcome.err.contains("Not a directory") || outcome.err.contains("exists"),
        "{}",
        outcome.err
    );
    assert!(!outcome.err.contains("nother client"), "{}", outcome.err);
    assert!(!outcome.out.contains("nother client"), "{}", outcome.out);
}

#[test]
fn a_config_json_in_the_current_folder_is_read_only_if_it_belongs_to_echat() {
    let folder = ServerFolder::new();
    let link = folder.link();
    for (contents, named) in [
        (r#"{"name": "a-package", "version": "1.0.0"}"#, 0),
        (r#"{"server": {"port": 8080}}"#, 0),
        ("not even JSON", 2),
        (r#"{"client": {"adress": "a:1"}}"#, 2),
        (r#"{"client": {"password_command": "touch trapped"}}"#, 0),
    ] {
        folder.scene.write("config.json", contents);
        let outcome = folder.pipes(&[&link], "").exits(0);
        assert!(
            outcome.err.contains("ignored: ./config.json"),
            "{contents}: {}",
            outcome.err
        );
        if named != 0 {
            let config = ["--config", "config.json", &link];
            let outcome = folder.pipes(&config, "").exits(named);
            assert!(outcome.err.contains("config.json: "), "{}", outcome.err);
        }
        // The same in the user's own folder.
        fs::remove_file(folder.scene.path("config.json")).unwrap();
        fs::create_dir_all(folder.scene.path(".config/echat")).unwrap();
        if named != 0 {
            folder.scene.write(".config/echat/config.json", contents);
            let outcome = folder.pipes(&[&link], "").exits(0);
            let is_read = contents.contains("a-package");
            assert_eq!(
                outcome.err.contains("ignored: "),
                !is_read,
                "{}",
                outcome.err
            );
            fs::remove_file(folder.scene.path(".config/echat/config.json")).unwrap();
        }
    }
    assert!(!folder.scene.path("trapped").exists());
    // A pipe without a writer is not waited for.
    let made = Command::new("mkfifo")
        .arg(folder.scene.path("config.json"))
        .status();
    assert!(made.unwrap().success());
    let outcome = folder.pipes(&[&link], "").exits(0);
    assert!(
        outcome.err.contains("ignored: ./config.json"),
        "{}",
        outcome.err
    );
}

#[test]
fn a_config_json_in_the_current_folder_grants_no_trust() {
    let folder = ServerFolder::new();
    let (address, key) = (folder.server.address(), folder.server.fingerprint());
    let config = |address: &str| {
        let client = format!(r#"{{"client": {{"address": "{address}"}}}}"#);
        folder.scene.write("config.json", &client);
    };
    for pinned in [
        format!("echat://{address}/#{key}"),
        format!("echat://ann@{address}"),
    ] {
        config(&pinned);
        let outcome = folder.pipes(&["--user", "ann", "--password-file", PASSWORD], "");
        assert!(
            outcome.err.contains("ignored: ./config.json"),
            "{}",
            outcome.err
        );
        // It went to the address of old, where no server is, or one that is not known.
        assert!(
            !outcome.err.contains(&address.to_string()) || outcome.code != 0,
            "{}",
            outcome.err
        );
    }
    config(&address.to_string());
    let outcome = folder
        .pipes(&["--user", "ann", "--password-file", PASSWORD], "")
        .exits(4);
    assert!(
        outcome.err.contains(&address.to_string()),
        "{}",
        outcome.err
    );
    let login = ["--user", "ann", "--password-file", PASSWORD];
    let mut person = Person::starts(folder.command(SETSID, "C.UTF-8"), ECHAT, &login);
    person.sees("./config.json");
    person.sees(&address.to_string());
    person.sees("Type yes");
    person.types("no\n");
    assert_eq!(person.ends().0, 4);
    assert!(!folder.scene.known_hosts().exists());
}
