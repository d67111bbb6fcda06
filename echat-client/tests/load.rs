//! `echat-load` at a small scale, with the real server: what it prints, what it leaves, and what it says when there is
//! nothing to measure. The figures themselves are worth nothing here.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use echat_testkit::{folder, programs, side_by_side};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Every measurement, with numbers that it ends with in a moment. Those of time need a second of it. Idle users settle
/// for eleven seconds first, so only the whole report has them.
const MEASUREMENTS: [&str; 10] = [
    "backup --megabytes 1 --members 2 --rate 50 --seconds 1",
    "idle --connections 3 --seconds 1",
    "handshakes --count 5",
    "logins --users 2 --times 2",
    "comeback --users 4 --at-once 2",
    "comeback --users 3 --passwords --limited",
    "room --members 3 --messages 10",
    "room --members 3 --senders 2 --messages 20 --window 4",
    "senders --count 2 --messages 10",
    "stored --messages 20 --times 2",
];

/// Runs the program to its end, with temporary files in this folder.
fn run(server: &Path, arguments: &str, temporary: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_echat-load"))
        .arg("--server")
        .arg(server)
        .args(arguments.split(' '))
        .env("TMPDIR", temporary)
        .output()
        .unwrap()
}

/// A figure: what it is, a number, and a unit, which a count has none of.
fn is_figure(line: &str) -> bool {
    let figure: Value = serde_json::from_str(line).unwrap_or_default();
    let is_text = |key: &str| figure[key].as_str().is_some_and(|text| !text.is_empty());
    let is_number = figure["value"].as_f64().is_some_and(|value| value >= 0.0);
    is_text("what") && is_number && figure["unit"].is_string()
}

#[test]
fn each_measurement_prints_figures_and_leaves_nothing() {
    side_by_side::all(MEASUREMENTS, |arguments| {
        let temporary = folder::in_memory();
        let output = run(programs::server(), arguments, temporary.path());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments}: {said}");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(
            !printed.is_empty() && printed.lines().all(is_figure),
            "{arguments}: {printed}"
        );
        let left = fs::read_dir(temporary.path()).unwrap().count();
        assert_eq!(left, 0, "{arguments}");
    });
}

#[test]
fn a_signal_leaves_neither_the_server_nor_its_folder() {
    for signal in [Signal::INT, Signal::TERM] {
        let (temporary, place) = (folder::in_memory(), tempfile::tempdir().unwrap());
        // It says its number before it becomes the server. A process of its own writes it: none of this one has it open
        // when it is started.
        let program = place.path().join("server");
        let script =
            r#"printf '#!/bin/sh\necho $$ >&2\nexec "%s" "$@"\n' "$1" > "$2" && chmod 700 "$2""#;
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]);
        let written = shell.arg(programs::server()).arg(&program).status();
        assert!(written.unwrap().success());
        let mut load = Command::new(env!("CARGO_BIN_EXE_echat-load"))
            .arg("--server")
            .arg(&program)
            .args(["idle", "--connections", "0", "--seconds", "600"])
            .env("TMPDIR", temporary.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(load.stderr.take().unwrap());
        let mut number = String::new();
        said.read_line(&mut number).unwrap();
        let server = Path::new("/proc").join(number.trim());
        assert!(server.exists(), "{number}");
        kill_process(Pid::from_child(&load), signal).unwrap();
        let ended = load.wait().unwrap();
        assert_eq!(ended.signal(), Some(signal.as_raw()), "{ended}");
        assert!(!server.exists(), "{signal:?}");
        let left = fs::read_dir(temporary.path()).unwrap().count();
        assert_eq!(left, 0, "{signal:?}");
    }
}

/// What a run says that fails, after the name of the program.
fn failure(server: &str, arguments: &str) -> String {
    let temporary = folder::in_memory();
    let output = run(server.as_ref(), arguments, temporary.path());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty(), "{arguments}");
    let left = fs::read_dir(temporary.path()).unwrap().count();
    assert_eq!(left, 0, "{arguments}");
    said.strip_prefix("echat-load: ").unwrap().to_owned()
}

#[test]
fn a_server_that_is_missing_is_named() {
    let said = failure("/nowhere/echat-server", "handshakes");
    assert!(
        said.starts_with("/nowhere/echat-server: No such file"),
        "{said}"
    );
    assert!(
        said.contains("cargo build --release") && said.contains("--server"),
        "{said}"
    );
}

#[test]
fn a_program_that_is_no_server_is_a_failure() {
    let said = failure("/bin/true", "handshakes");
    assert_eq!(said, "the server did not say where it listens\n");
}

#[test]
#[cfg(not(feature = "peers"))]
fn a_comparison_says_how_to_build_it() {
    let said = failure("/bin/true", "peers --quick");
    assert_eq!(
        said,
        "built without the comparison: cargo build --release --features echat-client/peers\n"
    );
}

/// The whole report with small numbers, which takes about a minute.
#[test]
#[ignore = "a minute; a campaign"]
fn a_quick_report_is_a_table_of_all_measurements() {
    let temporary = folder::in_memory();
    let output = run(programs::server(), "report --quick", temporary.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<&str> = printed.lines().collect();
    assert_eq!(
        rows[..2],
        [
            "| what | figure | unit | echat-load |",
            "| --- | --- | --- | --- |"
        ]
    );
    assert!(
        rows.len() > 30 && rows.iter().all(|row| row.matches(" | ").count() == 3),
        "{printed}"
    );
}
