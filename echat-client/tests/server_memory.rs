//! The memory of the clients is bounded, whatever a server sends.
#![cfg(target_os = "linux")]

use std::io::Write;
use std::process::{Child, Stdio};
use std::thread;

use echat_proto::channel::Incoming;
use echat_proto::commands::request::QUERY_HISTORY;
use echat_system::proc;
use echat_testkit::campaign;
use echat_testkit::scene::{SECRET, Scene};
use echat_testkit::server_end::End;
use echat_testkit::side_by_side;

const ECHAT_NC: &str = env!("CARGO_BIN_EXE_echat-nc");
const ECHAT: &str = env!("CARGO_BIN_EXE_echat");
/// By how much the memory of a client may grow while it answers PINGs, in KiB. The PONGs that wait take 256 KiB.
const GROWTH: u64 = 4 * 1024;

/// A client that has logged in, and its connection.
fn logged_in(scene: &Scene, program: &str, words: &[&str]) -> (Child, End) {
    let mut command = scene.command(program);
    let login = ["--user", "ann", "--password-env", "TEST_PASSWORD"];
    command.args(words).args(login).arg(scene.link());
    command.env("TEST_PASSWORD", SECRET).env("LANG", "C.UTF-8");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let child = command.spawn().unwrap();
    let end = logs_in(scene);
    (child, end)
}

/// The next connection, with a login.
fn logs_in(scene: &Scene) -> End {
    let mut end = scene.server.accept();
    end.hears().expect("LOGIN");
    end.says(&[
        "LOGIN_SUCCESS \"ann\"",
        r#"LOGIN_BUNDLE {"chat_rooms":["room1"],"friends":["bob"],"online":[],
            "pending_requests":[],"messages":[],"unread":[],"more":[]}"#,
    ]);
    end
}

fn ends(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Sends PINGs without reading, and then reads until all are answered.
fn answers(end: &mut End, count: usize) {
    for _ in 0..count / 100 {
        end.says(&["PING"; 100]);
    }
    let mut answered = 0;
    while answered < count {
        answered += usize::from(end.hears().expect("a PONG") == Incoming::Pong);
    }
}

/// A PONG has 69 bytes. The system takes some MiB of them, the rest stays with the client.
#[test]
fn pings_of_a_server_that_does_not_read_are_counted() {
    let count = campaign::count("ECHAT_PINGS", 400_000);
    let clients = [
        (ECHAT, &[][..]),
        (ECHAT_NC, &["follow"]),
        (ECHAT_NC, &["-l"]),
    ];
    side_by_side::each(clients.into_iter(), |(program, words)| {
        let scene = Scene::new();
        let (child, mut end) = logged_in(&scene, program, words);
        answers(&mut end, 100);
        let before = proc::peak_resident_kib(child.id()).unwrap();
        answers(&mut end, count);
        let after = proc::peak_resident_kib(child.id()).unwrap();
        campaign::report(format_args!(
            "{program} {words:?}, {count} PINGs: {before} KiB, then {after} KiB"
        ));
        assert!(
            after - before < GROWTH,
            "{program} {words:?}: {before} KiB, then {after} KiB"
        );
        ends(child);
    });
}

/// By how much echat may grow with messages, in KiB. 1 MiB of them are held until the pages of what was missed come.
const HELD: u64 = 12 * 1024;

#[test]
fn messages_that_wait_for_what_was_missed_are_bounded() {
    let scene = Scene::new();
    let (child, end) = logged_in(&scene, ECHAT, &[]);
    drop(end);
    // The connection comes back, and what was missed is asked for and not told.
    let mut end = logs_in(&scene);
    let text = "x".repeat(20_000);
    let mut says = |ids: std::ops::Range<u64>| {
        for id in ids {
            let said = format!(
                r#"ON_NEW_MESSAGE {{"id":{id},"content":"{text}","sender":"bob","target_type":1,
                "send_time":1,"target":"room1"}}"#
            );
            end.says(&[&said, "PING"]);
            while end.hears().expect("a PONG") != Incoming::Pong {}
        }
    };
    says(1..20);
    let before = proc::peak_resident_kib(child.id()).unwrap();
    says(20..2_000);
    let after = proc::peak_resident_kib(child.id()).unwrap();
    campaign::report(format_args!(
        "40 MB held back: {before} KiB, then {after} KiB"
    ));
    assert!(after - before < HELD, "{before} KiB, then {after} KiB");
    ends(child);
}

/// Before, a follower read as long as there was something to read, and printed nothing.
#[test]
fn a_program_that_sends_requests_without_end_is_not_read_without_end() {
    let scene = Scene::new();
    let (mut child, mut end) = logged_in(&scene, ECHAT_NC, &["follow", "--send"]);
    while !matches!(end.hears(), Some(Incoming::Message(asked)) if asked.command == QUERY_HISTORY) {
    }
    let mut input = child.stdin.take().unwrap();
    let writer = thread::spawn(move || {
        let lines = "QUERY_SERVER_TIME\n".repeat(1_000);
        while input.write_all(lines.as_bytes()).is_ok() {}
    });
    let message = r#"{"id":5,"username":"ann","content":"hello","sender":"bob","target_type":1,
        "send_time":1,"target":"room1","sent":false}"#;
    end.says(&[&format!(
        r#"HISTORY {{"messages":[{message}],"more":false}}"#
    )]);
    end.hears_line("QUERY_SERVER_TIME");
    ends(child);
    writer.join().unwrap();
}
