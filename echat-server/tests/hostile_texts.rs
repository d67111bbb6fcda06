//! No text of a client controls the terminal that the server runs on: hostile texts in every field
//! of every request and in the log's own values, through the log and the console to a terminal.
//!
//! `ECHAT_HOSTILE=1000000` tries so many.

mod sim;

use std::io::{self, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};

use echat_proto::Value;
use echat_proto::commands::RequestKind;
use echat_server::config::LogFilter;
use echat_server::console::{self, Response};
use echat_server::logging;
use echat_server::storage::Store;
use echat_testkit::campaign;
use echat_testkit::hostile_texts::WEAPONS;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sim::script::ann_and_a_guest;
use sim::{HOME, Sim, seed};
use vt100::Parser;

/// Texts of the ordinary run.
const TEXTS: usize = 600;
const ROWS: NonZeroU16 = NonZeroU16::new(24).expect("not zero");
const COLUMNS: NonZeroU16 = NonZeroU16::new(80).expect("not zero");
fn texts() -> usize {
    campaign::count("ECHAT_HOSTILE", TEXTS)
}

fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => prop::sample::select(WEAPONS).prop_map(str::to_owned),
        1 => prop::sample::select(WEAPONS).prop_map(|weapon| weapon.repeat(30)),
        1 => any::<String>(),
        1 => "[ -~]{0,30}",
        1 => "[你👍é한\u{5e9}]{1,8}",
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

/// Where the log is written.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().expect("no thread panics with it"));
        String::from_utf8(bytes).expect("UTF-8")
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("no thread panics with it")
            .write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Ann, who is logged in and alone in a room, and a guest, without rate limits.
fn sim() -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann"]);
    ann_and_a_guest(store)
}

/// The requests that a text can be in, in every field that takes one.
fn requests(text: &str) -> Vec<(&'static str, RequestKind, Value)> {
    use RequestKind::{
        CreateRoom, Find, JoinRoom, ListRooms, Login, MarkRead, Register, SendMessage,
    };
    let is = || Value::from(text);
    let dict = |entries: &[(&str, Value)]| {
        let entry = |(key, value): &(&str, Value)| ((*key).to_owned(), value.clone());
        Value::Dict(entries.iter().map(entry).collect())
    };
    let room = ("target_type", Value::Int(1));
    let key: String = text.chars().take(16).collect();
    let key = if key.is_empty() { "key" } else { &key };
    vec![
        (
            "guest",
            Login,
            dict(&[("username", is()), ("password", is())]),
        ),
        (
            "guest",
            Register,
            dict(&[("username", is()), ("password", is())]),
        ),
        ("ann", JoinRoom, is()),
        (
            "ann",
            CreateRoom,
            dict(&[("roomname", is()), ("members", Value::List(vec![is()]))]),
        ),
        (
            "ann",
            MarkRead,
            dict(&[room.clone(), ("target", is()), ("id", Value::Int(1))]),
        ),
        (
            "ann",
            SendMessage,
            dict(&[
                room,
                ("target", "tea".into()),
                ("content", is()),
                ("txn_id", is()),
            ]),
        ),
        ("ann", Find, dict(&[("keyword", is())])),
        ("ann", ListRooms, dict(&[(key, is())])),
    ]
}

/// Everything that is printed because of a text: the log's own values, what clients cause, what an
/// administrator is told who pastes it.
fn print_all(sim: &mut Sim, text: &str, paper: &Paper) {
    tracing::warn!(target: "echat_server", value = %text, quoted = ?text, "{text}");
    for (user, kind, params) in requests(text) {
        sim.say(user, kind.info().number, params);
    }
    sim.settle();
    for end in sim.ends.values_mut() {
        end.take_messages();
        assert!(end.is_open(), "{text:?}");
    }
    let mut paper = paper.clone();
    for line in [text, "users", "rooms", "sessions"] {
        if let Ok(Response::Text(text)) = console::run(&mut sim.engine, line, sim.now) {
            paper.write_all(text.as_bytes()).expect("memory");
        }
    }
}

/// What is left of lines when the formatter's own colours are taken away.
fn without_colours(printed: &str) -> String {
    let mut parts = printed.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (colour, rest) = part.split_once('m').expect("only colours begin so");
        assert!(
            colour.chars().all(|c| c.is_ascii_digit() || c == ';'),
            "{colour:?}"
        );
        plain.push_str(rest);
    }
    plain
}

/// The terminal shows each line where it belongs: the end below it, the cursor at the beginning of
/// the next row, no mode changed.
fn is_calm(terminal: &mut Parser, printed: &str, text: &str) {
    let plain = without_colours(printed);
    let controls = plain.chars().any(|c| c.is_control() && c != '\n');
    assert!(!controls, "{text:?} printed {plain:?}");
    // A line break is escaped, but the console repeats an unknown command in a line of its own.
    for weapon in WEAPONS.iter().filter(|weapon| !weapon.starts_with('\n')) {
        assert!(
            !plain.contains(weapon),
            "{text:?} printed {weapon:?} in {plain:?}"
        );
    }
    let modes = terminal.screen().input_mode_formatted();
    terminal.process(printed.replace('\n', "\r\n").as_bytes());
    terminal.process(b"end\r\n");
    let screen = terminal.screen();
    let (row, column) = screen.cursor_position();
    assert_eq!(column, 0, "{text:?}");
    let last = screen.rows(0, COLUMNS.get()).nth(usize::from(row) - 1);
    assert_eq!(last.as_deref(), Some("end"), "{text:?}");
    assert_eq!(screen.input_mode_formatted(), modes, "{text:?}");
    assert!(
        !screen.alternate_screen() && !screen.hide_cursor(),
        "{text:?}"
    );
    assert_eq!(screen.fgcolor(), vt100::Color::Default, "{text:?}");
    assert!(!screen.bold() && !screen.inverse(), "{text:?}");
}

fn all_is_calm(colours: bool) {
    let (mut runner, strategy) = (TestRunner::deterministic(), hostile());
    let (paper, mut terminal) = (Paper::default(), Parser::new(ROWS, COLUMNS, 0));
    let out = paper.clone();
    let filter = LogFilter::parse("trace").expect("a filter");
    let subscriber = logging::subscriber(&filter, colours, move || out.clone());
    let count = texts() / 2;
    echat_testkit::log_capture::with_subscriber(subscriber, || {
        let mut sim = sim();
        for number in 0..count {
            let text = strategy.new_tree(&mut runner).expect("a text").current();
            print_all(&mut sim, &text, &paper);
            is_calm(&mut terminal, &paper.take(), &text);
            // A client that logged in with a text as name and password is a guest again.
            if sim.engine.roster().sessions().count() > 1 {
                sim.ask("guest", "LOGOUT", "null");
            }
            // A guest has a minute.
            if number % 100 == 0 {
                sim.end("guest").hang_up();
                sim.settle();
                sim.connect("guest", HOME);
            }
        }
    });
    println!("{count} hostile texts, colours {colours}: no control character, no cell outside");
}

#[test]
fn no_text_controls_a_terminal_through_the_log_or_the_console() {
    all_is_calm(false);
}

#[test]
fn no_text_controls_a_terminal_where_the_log_has_colours() {
    all_is_calm(true);
}
