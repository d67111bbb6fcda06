//! Log lines about sessions: each login has one logout, and a flood of events does not cause a flood of lines.

use crate::sim::script::log_in;
use crate::sim::{HOME, Sim, seed};
use echat_proto::Value;
use echat_proto::json::from_json;
use echat_server::config::Limits;
use echat_server::storage::Store;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::Level;

/// The log output.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("one thread").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs a closure and returns the lines that it logs at info or above.
pub(super) fn logged(act: impl FnOnce()) -> Vec<String> {
    logged_at(Level::INFO, act)
}

/// Runs a closure and returns the lines that it logs at this level or above.
fn logged_at(level: Level, act: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    let made = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(move || made.clone())
        .finish();
    echat_testkit::log_capture::with_subscriber(subscriber, act);
    let bytes = lines.0.lock().expect("one thread").clone();
    let text = String::from_utf8(bytes).expect("text");
    text.lines().map(str::to_owned).collect()
}

pub(super) fn count(lines: &[String], part: &str) -> u64 {
    lines.iter().filter(|line| line.contains(part)).count() as u64
}

/// The sum of a number in the lines about suppressed lines.
fn left_out(lines: &[String], key: &str) -> u64 {
    let of = |line: &String| {
        let (_, rest) = line.split_once(&format!("{key}="))?;
        rest.split(' ').next()?.parse::<u64>().ok()
    };
    let lines = lines.iter().filter(|line| line.contains("left out"));
    lines.filter_map(of).sum()
}

fn balanced(lines: &[String]) -> u64 {
    let logins = count(lines, "logged in") + left_out(lines, "logins");
    let logouts = count(lines, "logged out") + left_out(lines, "logouts");
    assert_eq!(logins, logouts, "{lines:#?}");
    logins
}

fn sim(names: &[&str]) -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, names);
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.skip_hashing = true;
    sim
}

fn credentials(name: &str) -> String {
    format!(r#"{{"username":"{name}","password":"{}"}}"#, seed::PASSWORD)
}

#[test]
fn a_login_loop_is_ten_lines_a_minute_and_the_counts_balance() {
    let mut sim = sim(&["ann"]);
    let lines = logged(|| {
        sim.connect("loop", HOME);
        for _ in 0..100 {
            sim.ask("loop", "LOGIN", &credentials("ann"));
            sim.ask("loop", "LOGOUT", "null");
        }
        assert!(sim.engine.deadline().is_some());
        sim.advance(Duration::from_mins(2));
        sim.engine.end_sessions(false, sim.now);
    });
    assert_eq!(balanced(&lines), 100);
    assert_eq!(count(&lines, "user=ann"), 10 + 1, "{lines:#?}");
    assert_eq!(
        (left_out(&lines, "logins"), left_out(&lines, "logouts")),
        (95, 95)
    );
}

#[test]
fn at_debug_each_reason_why_requests_wait_is_one_line_in_ten_seconds() {
    let act = |sim: &mut Sim| {
        sim.connect("loop", HOME);
        for _ in 0..100 {
            sim.ask("loop", "LOGIN", &credentials("ann"));
            sim.ask("loop", "LOGOUT", "null");
        }
    };
    let mut quiet = sim(&["ann"]);
    assert_eq!(count(&logged(|| act(&mut quiet)), "requests wait"), 0);
    let mut sim = sim(&["ann"]);
    let lines = logged_at(Level::DEBUG, || {
        act(&mut sim);
        sim.advance(Duration::from_secs(10));
        sim.ask("loop", "LOGIN", &credentials("ann"));
    });
    let waits = "requests wait conn=#1 reason=a worker job is not done connections=1";
    assert_eq!(count(&lines, waits), 2, "{lines:#?}");
}

#[test]
fn every_session_ends_in_the_log_with_its_reason() {
    let mut sim = sim(&["ann", "bob", "eve", "joe", "kim", "sue"]);
    let lines = logged(|| {
        log_in(&mut sim, &["ann", "bob", "eve", "joe"]);
        // Another login takes over.
        sim.connect("ann2", HOME);
        sim.ask("ann2", "LOGIN", &credentials("ann"));
        // LOGOUT, a broken connection, and one that breaks in the tick of its login.
        sim.ask("bob", "LOGOUT", "null");
        let eve = sim.end("eve").conn.expect("a connection");
        sim.engine.sever(eve);
        sim.connect("kim", HOME);
        sim.settle();
        sim.hold = true;
        sim.ask("kim", "LOGIN", &credentials("kim"));
        let kim = sim.end("kim").conn.expect("a connection");
        sim.engine.sever(kim);
        sim.hold = false;
        sim.settle();
        // joe is silent for too long.
        sim.end("joe").stalled = true;
        sim.advance(Duration::from_secs(200));
        // A session that is open at a stop.
        sim.connect("sue", HOME);
        sim.ask("sue", "LOGIN", &credentials("sue"));
        sim.engine.stop(sim.now);
        sim.engine.end_sessions(false, sim.now);
    });
    balanced(&lines);
    for (user, reason) in [
        ("ann", "displaced"),
        ("bob", "logout"),
        ("eve", "connection closed"),
        ("joe", "silent"),
        ("sue", "server stopping"),
    ] {
        let ends = |line: &&String| {
            line.contains("logged out")
                && line.contains(&format!("user={user} "))
                && line.contains(reason)
        };
        assert_eq!(lines.iter().filter(ends).count(), 1, "{user}: {lines:#?}");
    }
    assert_eq!(count(&lines, "user=kim"), 0);
}

#[test]
fn a_flood_of_refused_connections_is_a_line_every_ten_seconds() {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann"]);
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let mut sim = Sim::new(1, limits, store);
    log_in(&mut sim, &["ann"]);
    let lines = logged(|| {
        for second in 0..30 {
            for n in 0..20 {
                sim.connect(&format!("late{second}.{n}"), "192.0.2.1:1");
            }
            sim.advance(Duration::from_secs(1));
        }
        sim.advance(Duration::from_secs(20));
    });
    let refused = lines.iter().filter(|line| line.contains("full")).count();
    assert!((3..=5).contains(&refused), "{lines:#?}");
    let counted: u64 = lines
        .iter()
        .filter_map(|line| {
            line.split_once("refused=")?
                .1
                .split(' ')
                .next()?
                .parse::<u64>()
                .ok()
        })
        .sum();
    assert_eq!(counted + 1, 30 * 20);
}

/// The number of events in the lines with this part: one each, or their count.
fn times(lines: &[String], part: &str, further: &str) -> u64 {
    let counted = lines.iter().filter(|line| line.contains(further));
    let of = |line: &String| {
        let (_, rest) = line.split_once("times=")?;
        rest.split(' ').next()?.parse::<u64>().ok()
    };
    count(lines, part) + counted.filter_map(of).sum::<u64>()
}

#[test]
fn a_full_disk_logs_two_lines_every_ten_seconds_with_complete_counts() {
    const REFUSED: [&str; 2] = ["the disk is full", "the disk was full again"];
    const NOTES: [&str; 2] = ["a note about a login", "further notes about logins"];
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["bob"]);
    let limits = Limits {
        message_rate: 0,
        ..Limits::default()
    };
    let mut sim = Sim::new(1, limits, store);
    sim.skip_hashing = true;
    log_in(&mut sim, &["bob"]);
    // No page can be added, and the existing pages are full.
    sim.engine.store().limit_pages(1).expect("a pragma");
    let mut refused = 0;
    let fills = |sim: &mut Sim, length: usize, n: usize| {
        let content = "x".repeat(length);
        let params = format!(
            r#"{{"target_type":1,"target":"tea","content":"{content}","txn_id":"{length}.{n}"}}"#
        );
        let replies = sim.ask("bob", "SEND_MESSAGE", &params);
        let told = replies.last().expect("a reply").params.at("code");
        matches!(told, Some(Value::Str(code)) if code == "storage_full")
    };
    let lines = logged(|| {
        for length in [4_000, 400, 40, 1] {
            let full = (0..1_000).any(|n| fills(&mut sim, length, n));
            assert!(full, "the disk has an end");
            refused += 1;
        }
        for second in 0..30 {
            for n in 0..5 {
                refused += u64::from(fills(&mut sim, 4_000, 1_000 + 5 * second + n));
            }
            sim.advance(Duration::from_secs(1));
        }
        sim.advance(Duration::from_secs(30));
    });
    assert_eq!(times(&lines, REFUSED[0], REFUSED[1]), refused, "{lines:#?}");
    let said = count(&lines, "disk");
    assert!((3..=16).contains(&said), "{lines:#?}");

    // A full disk keeps logins, but no notes about them.
    let lines = logged(|| {
        for n in 0..250 {
            let at = format!("192.0.2.{n}:1");
            sim.connect("loop", &at);
            sim.ask("loop", "LOGIN", &credentials("ann"));
            sim.ask("loop", "LOGOUT", "null");
            sim.advance(Duration::from_millis(100));
        }
        sim.engine.end_sessions(false, sim.now);
    });
    assert!((2..=4).contains(&count(&lines, "about")), "{lines:#?}");
    assert!(times(&lines, NOTES[0], NOTES[1]) > 20, "{lines:#?}");
}

#[test]
fn names_that_are_no_account_are_not_logged() {
    let mut sim = sim(&["ann"]);
    sim.skip_hashing = false;
    let lines = logged(|| {
        sim.connect("guest", HOME);
        for typed in ["my-secret-1", "MY-SECRET-2", "not a name 3", ""] {
            for command in ["LOGIN", "REGISTER"] {
                let params = format!(r#"{{"username":"{typed}","password":"wrong"}}"#);
                sim.ask("guest", command, &params);
            }
        }
        let wrong = r#"{"username":"Ann","password":"wrong horse"}"#;
        sim.ask("guest", "LOGIN", wrong);
    });
    let text = lines.join("\n").to_lowercase();
    for part in ["secret", "not a name"] {
        assert!(!text.contains(part), "{text}");
    }
    assert_eq!(
        count(&lines, r#"login failed user="?" address=127.0.0.1"#),
        4
    );
    assert_eq!(
        count(&lines, r#"login failed user="ann" address=127.0.0.1"#),
        1
    );
}

#[test]
fn a_rolled_back_tick_logs_only_what_stays() {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob", "eve"]);
    seed::room(&mut store, "tea", &["ann"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.skip_hashing = true;
    let message = |n: usize| {
        let content = "x".repeat(3_000);
        let params = format!(r#"{{"target_type":1,"target":"tea","content":"{n} {content}"}}"#);
        from_json(&params).expect("JSON")
    };
    let lines = logged(|| {
        log_in(&mut sim, &["ann", "bob"]);
        for guest in ["guest", "new"] {
            sim.connect(guest, HOME);
        }
        sim.settle();
        sim.engine.store().limit_pages(1).expect("a pragma");
        // One tick: messages and an account that are rolled back, a login and a logout that stay.
        sim.hold = true;
        for (caller, command, name) in [("guest", 3, "eve"), ("new", 2, "kim")] {
            let params = from_json(&credentials(name)).expect("JSON");
            sim.say(caller, command, params);
        }
        sim.settle();
        for n in 0..5 {
            sim.say("ann", 6, message(n));
        }
        sim.say("bob", 11, Value::Null);
        sim.hold = false;
        sim.settle();
        sim.engine.end_sessions(false, sim.now);
    });
    assert!(count(&lines, "the disk is full") > 0, "{lines:#?}");
    assert_eq!(balanced(&lines), 3);
    assert_eq!(count(&lines, "kim"), 0, "{lines:#?}");
}
