//! What the painter paints, as a terminal shows it.

use std::io::{self, Write};
use std::num::NonZeroU16;
use std::time::Duration;

use echat_proto::config::Notify;
use echat_testkit::terminal::requested::Requested;
use vt100::Parser;

use crate::render::safe::Safe;
use crate::render::styled::{Line, Style, colour_of};
use crate::render::view::{PromptRows, Row, cut, prompt_rows};
use crate::terminal::{Appearance, Decoder, Painter, Position, TerminalReply, Token};

/// A terminal with a painter on it, and what is being typed there.
pub(super) struct Scene {
    pub(super) terminal: Parser<Requested>,
    pub(super) painter: Painter<Vec<u8>>,
    pub(super) typed: String,
    pub(super) cursor: usize,
    /// What stands in rows above the prompt.
    footer: Vec<Line>,
}

fn nonzero(count: usize) -> NonZeroU16 {
    NonZeroU16::new(u16::try_from(count).unwrap()).unwrap()
}

impl Scene {
    pub(super) fn new(cols: usize, rows: usize) -> Self {
        let terminal =
            Parser::new_with_callbacks(nonzero(rows), nonzero(cols), 100, Requested::default());
        let mut scene = Self {
            terminal,
            painter: Painter::new(Vec::new(), Appearance::FULL, cols, rows),
            typed: String::new(),
            cursor: 0,
            footer: Vec::new(),
        };
        scene.prompt();
        scene
    }

    /// The prompt as it should be on the screen.
    pub(super) fn laid_out(&self) -> PromptRows {
        let prompt = Line::styled(Safe::ours("room> "), Style::Prompt);
        let width = self.painter.width();
        let above = self.footer.iter().map(|line| cut(line, width)).collect();
        prompt_rows(&prompt, &self.typed, self.cursor, width, false).below(above)
    }

    pub(super) fn types(&mut self, text: &str, cursor: usize) {
        self.typed = text.to_owned();
        self.cursor = cursor;
        self.prompt();
    }

    fn prompt(&mut self) {
        let rows = self.laid_out();
        self.painter.prompt(&rows).unwrap();
        self.show();
    }

    pub(super) fn prints(&mut self, lines: &[Line]) {
        self.painter.print(lines).unwrap();
        self.show();
    }

    pub(super) fn resizes(&mut self, cols: usize, rows: usize) {
        self.terminal.set_size(nonzero(rows), nonzero(cols));
        self.painter.resize(cols, rows);
        self.painter.locate().unwrap();
        self.answers();
        assert!(!self.painter.is_seeking());
        self.prompt();
    }

    /// The terminal answers what it is asked, until it is asked nothing more.
    fn answers(&mut self) {
        self.show();
        let mut decoder = Decoder::new();
        loop {
            let answers = std::mem::take(&mut self.terminal.callbacks_mut().answers);
            if answers.is_empty() {
                break;
            }
            for token in decoder.feed(&answers, Duration::ZERO) {
                let Token::Reply(reply) = token else {
                    panic!("an answer is no key: {token:?}");
                };
                self.painter.reply(reply);
            }
            self.show();
        }
    }

    /// Lets the terminal see what was painted since.
    fn show(&mut self) {
        let painted = std::mem::take(self.painter.painted());
        self.terminal.process(&painted);
    }

    pub(super) fn clears(&mut self) {
        self.painter.clear().unwrap();
        self.show();
    }

    /// The columns and rows of the terminal.
    pub(super) fn size(&self) -> (usize, usize) {
        let (rows, cols) = self.terminal.screen().size();
        (cols.get().into(), rows.get().into())
    }

    /// The rows of the screen, without spaces at their ends.
    pub(super) fn all_rows(&self) -> Vec<String> {
        let (_, cols) = self.terminal.screen().size();
        let rows = self.terminal.screen().rows(0, cols.get());
        rows.map(|row| row.trim_end().to_owned()).collect()
    }

    /// The same up to the last one that shows something.
    fn screen(&self) -> Vec<String> {
        let mut rows = self.all_rows();
        while rows.last().is_some_and(String::is_empty) {
            rows.pop();
        }
        rows
    }

    pub(super) fn place(&self) -> (u16, u16) {
        self.terminal.screen().cursor_position()
    }
}

fn says(text: &str) -> Line {
    Line::styled(Safe::ours("[9:00] "), Style::Dim)
        .with(Safe::line("小明"), Style::Name(colour_of("小明")))
        .with(Safe::ours(" says: "), Style::Plain)
        .with(Safe::text(text), Style::Plain)
}

#[test]
fn rows_above_the_prompt_move_to_the_scrollback_in_order() {
    let mut scene = Scene::new(40, 10);
    let waits = |text| Line::styled(Safe::line(&format!("(pending) {text}")), Style::Dim);
    scene.footer = vec![waits("one"), waits("two")];
    scene.types("three", 5);
    let pending = ["(pending) one", "(pending) two", "room> three"];
    assert_eq!(scene.screen(), pending);
    assert_eq!(scene.place(), (2, 11));
    scene.prints(&[says("hi")]);
    assert_eq!(scene.screen()[1..], pending);
    scene.footer.remove(0);
    let prompt = scene.laid_out();
    scene.painter.print_above(&[says("one")], &prompt).unwrap();
    let painted = String::from_utf8(scene.painter.painted().clone()).unwrap();
    assert_eq!(painted.matches("one").count(), 1, "{painted:?}");
    scene.show();
    let shown = ["[9:00] 小明 says: hi", "[9:00] 小明 says: one"];
    assert_eq!(scene.screen(), [&shown[..], &pending[1..]].concat());
}

#[test]
fn rows_above_the_prompt_are_whole_at_every_width() {
    for text in ["hello", "你好，世界", "a👨‍👩‍👧b🇨🇳c"] {
        let mut scene = Scene::new(80, 24);
        scene.prints(&[says("the first"), says("the last")]);
        let long = format!("(pending) {}", text.repeat(30));
        scene.footer = [&format!("(pending) {text}"), &long]
            .map(|line| Line::styled(Safe::line(line), Style::Dim))
            .to_vec();
        scene.types(text, text.len());
        for cols in (20..80).rev().step_by(3).chain((20..120).step_by(5)) {
            scene.resizes(cols, 24);
            let rows = scene.screen();
            let count = |start: &str| rows.iter().filter(|row| row.starts_with(start)).count();
            assert_eq!(count("(pending) "), 2, "{cols} {rows:#?}");
            assert_eq!(count("room> "), 1, "{cols} {rows:#?}");
            assert_eq!(count("[9:00]"), 2, "{cols} {rows:#?}");
            assert!(rows.last().unwrap().starts_with("room> "), "{rows:#?}");
        }
    }
}

/// Answers for a terminal that reflows, as tmux does, whose cursor is at this place of a screen of so many
/// columns.
fn reflows(painter: &mut Painter<Vec<u8>>, (cols, rows): (usize, usize), row: usize, col: usize) {
    painter.resize(cols, rows);
    painter.locate().unwrap();
    painter.reply(TerminalReply::Device(84));
    painter.reply(TerminalReply::Cursor(Position { row, col }));
    painter.reply(TerminalReply::Cursor(Position { row, col: cols }));
    assert!(!painter.is_seeking());
    painter.painted().clear();
}

#[test]
fn rows_that_left_a_low_screen_are_erased_when_they_come_back() {
    let mut painter = Painter::new(Vec::new(), Appearance::FULL, 41, 20);
    let prompt = |painter: &Painter<Vec<u8>>, rows: usize| {
        let width = painter.width();
        let line = Line::plain(Safe::line(&"x".repeat(40)));
        let above = (0..rows).map(|_| cut(&line, width)).collect();
        prompt_rows(&Line::plain(Safe::ours("> ")), "", 0, width, false).below(above)
    };
    let starts = |painter: &mut Painter<Vec<u8>>, expected: &str| {
        let bytes = String::from_utf8_lossy(painter.painted()).into_owned();
        assert!(bytes.starts_with(expected), "{bytes:?}");
    };
    let first = prompt(&painter, 3);
    painter.prompt(&first).unwrap();
    // Three rows of 40 columns become two each. Of the six, one has left a screen of six rows, and the
    // other half of it is at the top: it follows.
    reflows(&mut painter, (21, 6), 6, 3);
    let low = prompt(&painter, 1);
    painter.prompt(&low).unwrap();
    starts(
        &mut painter,
        "\x1b[4A\r\x1b[999M\x1b[J\x1b[999;1H\n\x1b[1;1H",
    );
    painter.print(&[Line::plain(Safe::ours("new"))]).unwrap();
    // The row is back, above the message and the prompt, whose row of 20 columns is one.
    reflows(&mut painter, (41, 20), 9, 3);
    painter.prompt(&first).unwrap();
    starts(&mut painter, "\x1b[3A\r\x1b[1M\r\x1b[1B\x1b[999M\x1b[J");
    // Nothing of it is left.
    reflows(&mut painter, (81, 30), 20, 3);
    painter.prompt(&first).unwrap();
    starts(&mut painter, "\x1b[3A\r\x1b[999M\x1b[J");
}

#[test]
fn a_message_leaves_a_half_typed_line_in_place() {
    let mut scene = Scene::new(40, 10);
    scene.types("hello 世界", 6);
    assert_eq!(scene.screen(), ["room> hello 世界"]);
    assert_eq!(scene.place(), (0, 12));
    scene.prints(&[says("hi"), says("are you\nthere?")]);
    let expected = [
        "[9:00] 小明 says: hi",
        "[9:00] 小明 says: are you",
        "    there?",
        "room> hello 世界",
    ];
    assert_eq!(scene.screen(), expected);
    assert_eq!(scene.place(), (3, 12));
    assert!(scene.terminal.callbacks().log.is_empty());
}

/// Counts its writes.
#[derive(Default)]
struct Writes(usize);

impl Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += 1;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn simultaneous_changes_are_one_write() {
    let mut painter = Painter::new(Writes::default(), Appearance::FULL, 20, 5);
    let prompt = Line::plain(Safe::ours("> "));
    let rows = prompt_rows(
        &prompt,
        "a long line of two rows",
        3,
        painter.width(),
        false,
    );
    painter.prompt(&rows).unwrap();
    painter.prompt(&rows).unwrap();
    painter.print(&[]).unwrap();
    assert_eq!(painter.painted().0, 1);
    painter.print(&[says("one"), says("two")]).unwrap();
    assert_eq!(painter.painted().0, 2);
}

#[test]
fn a_long_line_takes_rows_and_gives_them_back() {
    let mut scene = Scene::new(11, 6);
    scene.prints(&[Line::plain(Safe::ours("above"))]);
    scene.types("abcdefghijklmnop", 5);
    assert_eq!(scene.screen(), ["above", "room> abcd", "efghijklmn", "op"]);
    assert_eq!(scene.place(), (2, 1));
    scene.prints(&[Line::plain(Safe::ours("more"))]);
    assert_eq!(scene.screen()[..2], ["above", "more"]);
    assert_eq!(scene.place(), (3, 1));
    scene.types("ab", 2);
    assert_eq!(scene.screen(), ["above", "more", "room> ab"]);
    scene.types("x".repeat(200).as_str(), 200);
    assert_eq!(scene.screen().len(), 6);
    scene.types("", 0);
    assert_eq!(scene.screen().last().unwrap(), "room>");
}

#[test]
fn a_row_that_is_full_is_one_row() {
    let mut scene = Scene::new(10, 6);
    scene.prints(&[Line::plain(Safe::ours("012345678"))]);
    scene.prints(&[Line::plain(Safe::ours("next"))]);
    assert_eq!(scene.screen(), ["012345678", "next", "room>"]);
    scene.prints(&[Line::plain(Safe::ours("012345678901"))]);
    assert_eq!(scene.screen()[2..4], ["012345678", "    901"]);
    assert!(
        !scene.terminal.screen().row_wrapped(2),
        "not divided by the terminal"
    );
}

#[test]
fn every_width_keeps_the_cursor_where_the_text_says() {
    let family = "👩\u{200d}👩\u{200d}👧";
    let text = format!("a你{family}e\u{301}🇨🇳❤\u{fe0f}z");
    for cols in 3..40 {
        let mut scene = Scene::new(cols, 20);
        scene.types(&text, text.len() - 1);
        let (row, col) = scene.place();
        let cell = scene.terminal.screen().cell(row, col).unwrap();
        assert_eq!(cell.contents(), "z", "{cols} columns");
    }
}

#[test]
fn a_resize_paints_the_prompt_anew() {
    let mut scene = Scene::new(40, 10);
    scene.prints(&[Line::plain(Safe::ours("above"))]);
    scene.types("abcdefghijklmnopqrstuvwxyz", 26);
    scene.resizes(20, 10);
    assert_eq!(
        scene.screen(),
        ["above", "room> abcdefghijklm", "nopqrstuvwxyz"]
    );
    assert_eq!(scene.place(), (2, 13));
    scene.resizes(60, 4);
    assert_eq!(
        scene.screen(),
        ["above", "room> abcdefghijklmnopqrstuvwxyz"]
    );
    for cols in (1..30).rev() {
        scene.resizes(cols, 4);
    }
    scene.types("", 0);
    scene.resizes(40, 10);
    assert_eq!(scene.screen().last().unwrap(), "room>");
}

#[test]
fn a_terminal_that_reflows_is_followed_upwards() {
    let mut painter = Painter::new(Vec::new(), Appearance::FULL, 40, 10);
    let prompt = Line::plain(Safe::ours("> "));
    let rows = prompt_rows(&prompt, &"x".repeat(60), 62, painter.width(), false);
    painter.prompt(&rows).unwrap();
    painter.painted().clear();
    // 39 and 23 columns become 2 and 2 rows of 20; the cursor is in the fourth.
    painter.resize(20, 10);
    painter.locate().unwrap();
    painter.resize(20, 12);
    painter.locate().unwrap();
    assert_eq!(
        painter.painted(),
        b"\x1b[>c\x1b[6n\x1b7\x1b[999C\x1b[6n\x1b8\x1b[6n\x1b7\x1b[999C\x1b[6n\x1b8"
    );
    let answer = |col| TerminalReply::Cursor(Position { row: 9, col });
    painter.reply(answer(1));
    painter.reply(answer(20));
    assert!(painter.is_seeking(), "that was before the last change");
    painter.reply(answer(4));
    painter.reply(answer(20));
    painter.painted().clear();
    painter.print(&[Line::new()]).unwrap();
    assert_eq!(painter.painted(), b"\x1b[3A\r\x1b[999M\x1b[J\r\n");
}

#[test]
fn a_terminal_that_does_not_answer_loses_nothing_above_the_cursor() {
    let mut painter = Painter::new(Vec::new(), Appearance::FULL, 40, 10);
    let prompt = Line::plain(Safe::ours("> "));
    for _ in 0..2 {
        let rows = prompt_rows(&prompt, &"x".repeat(60), 62, painter.width(), false);
        painter.prompt(&rows).unwrap();
        painter.resize(20, 10);
        painter.locate().unwrap();
        assert!(painter.is_seeking());
        painter.late();
        painter.painted().clear();
        painter.print(&[Line::new()]).unwrap();
        assert_eq!(painter.painted(), b"\r\x1b[999M\x1b[J\r\n");
    }
    let rows = prompt_rows(&prompt, &"x".repeat(60), 62, painter.width(), false);
    painter.prompt(&rows).unwrap();
    painter.resize(10, 10);
    painter.locate().unwrap();
    assert!(!painter.is_seeking(), "it is not asked a third time");
    let late = TerminalReply::Cursor(Position { row: 1, col: 1 });
    painter.reply(late);
    painter.painted().clear();
    painter.print(&[Line::new()]).unwrap();
    assert_eq!(painter.painted(), b"\r\x1b[999M\x1b[J\r\n", "a late answer");
}

#[test]
fn sequences_are_counted_as_the_terminal_shows_them() {
    let family = "👩\u{200d}👩\u{200d}👧";
    for (shown, above) in [(2, 1), (6, 2)] {
        let mut painter = Painter::new(Vec::new(), Appearance::FULL, 80, 10);
        let typed = family.repeat(5) + "abc";
        let prompt = Line::plain(Safe::ours("> "));
        let rows = prompt_rows(&prompt, &typed, typed.len(), painter.width(), false);
        painter.prompt(&rows).unwrap();
        let asked = String::from_utf8_lossy(painter.painted()).into_owned();
        let measured = format!("\r{family}\x1b[6n\r\x1b[K> ");
        assert!(
            asked.starts_with(&measured),
            "once, in the empty row: {asked:?}"
        );
        painter.resize(14, 10);
        painter.locate().unwrap();
        let answer = |col| TerminalReply::Cursor(Position { row: 5, col });
        let columns = 2 + 5 * shown + 3;
        painter.reply(answer(shown + 1));
        // Sequences of two columns each leave one at the end of a row free: the second row has 3.
        painter.reply(answer((columns - 14 * above) % 14 + 1));
        painter.reply(answer(14));
        painter.painted().clear();
        painter.print(&[Line::new()]).unwrap();
        let expected = format!("\x1b[{above}A\r\x1b[999M\x1b[J\r\n");
        assert_eq!(String::from_utf8_lossy(painter.painted()), expected);
    }
}

#[test]
fn a_late_reply_does_not_answer_the_next_query() {
    let mut painter = Painter::new(Vec::new(), Appearance::FULL, 40, 10);
    let prompt = Line::plain(Safe::ours("> "));
    let rows = prompt_rows(&prompt, &"x".repeat(60), 62, painter.width(), false);
    painter.prompt(&rows).unwrap();
    painter.resize(20, 10);
    painter.locate().unwrap();
    painter.late();
    let rows = prompt_rows(&prompt, &"x".repeat(60), 62, painter.width(), false);
    painter.prompt(&rows).unwrap();
    painter.resize(30, 10);
    painter.locate().unwrap();
    let answer = |row, col| TerminalReply::Cursor(Position { row, col });
    // To the question before: four rows of 19 columns, the cursor in the fourth.
    painter.reply(answer(9, 4));
    painter.reply(answer(9, 20));
    assert!(painter.is_seeking(), "that was before the last change");
    painter.reply(answer(9, 6));
    painter.reply(answer(9, 30));
    assert!(!painter.is_seeking());
    painter.painted().clear();
    painter.print(&[Line::new()]).unwrap();
    assert_eq!(painter.painted(), b"\x1b[3A\r\x1b[999M\x1b[J\r\n");
}

#[test]
fn a_lost_reply_delays_one_query_only() {
    let mut painter = Painter::new(Vec::new(), Appearance::FULL, 40, 10);
    let prompt = Line::plain(Safe::ours("> "));
    let answer = |row, col| TerminalReply::Cursor(Position { row, col });
    let rows = prompt_rows(&prompt, &"x".repeat(60), 62, painter.width(), false);
    painter.prompt(&rows).unwrap();
    painter.resize(20, 10);
    painter.locate().unwrap();
    painter.reply(answer(9, 4));
    painter.late();
    let rows = prompt_rows(&prompt, &"x".repeat(60), 62, painter.width(), false);
    painter.prompt(&rows).unwrap();
    painter.resize(30, 10);
    painter.locate().unwrap();
    painter.reply(answer(9, 6));
    painter.reply(answer(9, 30));
    assert!(!painter.is_seeking());
}

#[test]
fn a_message_queries_the_position_of_a_prompt_of_many_rows() {
    let mut scene = Scene::new(20, 10);
    scene.prints(&[Line::plain(Safe::ours("above"))]);
    scene.types("abcdefghijklmnopqrstuvwxyz", 26);
    assert!(scene.painter.should_locate());
    // The terminal has become wider and has not said so.
    scene.terminal.set_size(nonzero(10), nonzero(40));
    scene.painter.locate().unwrap();
    scene.answers();
    assert_eq!(scene.painter.size().0, 40);
    scene.prints(&[Line::plain(Safe::ours("new"))]);
    scene.prompt();
    let expected = ["above", "new", "room> abcdefghijklmnopqrstuvwxyz"];
    assert_eq!(scene.screen(), expected);
    assert!(!scene.painter.should_locate(), "one row");
}

#[test]
fn typing_at_the_end_paints_only_the_typed_text() {
    let mut scene = Scene::new(20, 10);
    let text = "abcdefghijklmnopqrstuvwxyz你好世界hijklmnopqrstuvwxyz abc";
    let prompt = Line::styled(Safe::ours("room> "), Style::Prompt);
    for (end, c) in text.char_indices() {
        let typed = &text[..end + c.len_utf8()];
        let rows = prompt_rows(&prompt, typed, typed.len(), scene.painter.width(), false);
        scene.painter.prompt(&rows).unwrap();
        let painted = String::from_utf8_lossy(scene.painter.painted()).into_owned();
        let is_first = typed.len() == 1;
        assert!(
            is_first || !painted.contains('\x1b'),
            "{typed}: {painted:?}"
        );
        scene.show();
        let shown: Vec<String> = rows.rows.iter().map(Row::text).collect();
        assert_eq!(
            scene.screen().join("\n"),
            shown.join("\n").trim_end(),
            "{typed}"
        );
        let cell = u16::try_from(rows.cursor_col).unwrap();
        assert_eq!(scene.place().1, cell, "{typed}");
    }
}

#[test]
fn clearing_and_leaving() {
    let mut scene = Scene::new(20, 5);
    scene.prints(&[Line::plain(Safe::ours("above"))]);
    scene.types("ab", 1);
    scene.clears();
    assert_eq!(scene.screen(), ["room> ab"]);
    assert_eq!(scene.place(), (0, 7));
    scene.painter.leave().unwrap();
    scene.show();
    assert_eq!(scene.screen(), [""; 0]);
    assert_eq!(scene.place(), (0, 0));
    scene.types("ab", 1);
    assert_eq!(scene.screen(), ["room> ab"]);
}

#[test]
fn the_bell_and_the_title_print_nothing() {
    let mut scene = Scene::new(20, 5);
    scene.painter.alert(true, None).unwrap();
    scene.painter.title(&Safe::text("a;b\n\u{7}c")).unwrap();
    scene.show();
    let asked = &scene.terminal.callbacks().log;
    assert!(asked.contains(&"bell".to_owned()));
    assert!(asked.contains(&"title a,b ␇c".to_owned()), "{asked:?}");
    assert_eq!(scene.screen(), ["room>"]);
}

#[test]
fn an_alert_is_one_bell_and_one_sequence_at_most() {
    let (title, body) = (Safe::line("bo;b\u{1b}"), Safe::line("a;b\u{9c}\u{7}c"));
    let osc9 = "osc [\"9\", \"bo,b␛: a,b<U+009C>␇c\"]";
    let osc777 = "osc [\"777\", \"notify\", \"bo,b␛\", \"a,b<U+009C>␇c\"]";
    for (notify, sequence) in [
        (Notify::Off, None),
        (Notify::Bell, Some("bell")),
        (Notify::Osc9, Some(osc9)),
        (Notify::Osc777, Some(osc777)),
    ] {
        for (rings, noted) in [(false, false), (true, false), (false, true), (true, true)] {
            let mut scene = Scene::new(20, 5);
            scene.painter.look.notify = notify;
            let note = noted.then_some((&title, &body));
            scene.painter.alert(rings, note).unwrap();
            scene.show();
            let mut expected: Vec<&str> = rings.then_some("bell").into_iter().collect();
            expected.extend(sequence.filter(|_| noted));
            expected.dedup();
            let asked = &scene.terminal.callbacks().log;
            assert_eq!(asked, &expected, "{notify:?} {rings} {noted}");
            assert_eq!(scene.screen(), ["room>"]);
        }
    }
}

#[test]
fn without_utf8_the_output_is_ascii() {
    let look = Appearance {
        utf8: false,
        ..Appearance::PLAIN
    };
    let mut painter = Painter::new(Vec::new(), look, 80, 5);
    painter.print(&[says("é👍")]).unwrap();
    assert_eq!(painter.painted(), b"[9:00] ?? says: ??\n");
}

#[test]
fn plain_output_has_no_escape_sequences() {
    let mut painter = Painter::new(Vec::new(), Appearance::PLAIN, 30, 5);
    let rows = prompt_rows(
        &Line::styled(Safe::ours("> "), Style::Prompt),
        "",
        0,
        19,
        false,
    );
    painter.print(&[says("one")]).unwrap();
    painter.prompt(&rows).unwrap();
    painter.prompt(&rows).unwrap();
    painter.print(&[says("two\nthree")]).unwrap();
    let line = Line::styled(Safe::ours("> "), Style::Prompt);
    let typed = prompt_rows(&line, "half a line", 4, 19, false);
    painter.prompt(&typed).unwrap();
    painter.end_line().unwrap();
    painter.prompt(&rows).unwrap();
    painter.leave().unwrap();
    let expected = "[9:00] 小明 says: one\n> \n[9:00] 小明 says: two\n    three\n\
        > half a line\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8} a line\n> \n";
    assert_eq!(String::from_utf8_lossy(painter.painted()), expected);
}

/// The bytes that are painted for a line with a link, of so many columns.
fn linked(cols: usize, links: bool, url: &'static str) -> String {
    let look = Appearance {
        links,
        colour: false,
        ..Appearance::FULL
    };
    let mut painter = Painter::new(Vec::new(), look, cols, 20);
    let line = Line::plain(Safe::ours("look here: "))
        .with(Safe::ours(url), Style::Link)
        .with(Safe::ours(", and"), Style::Plain);
    painter.print(&[line]).unwrap();
    String::from_utf8(std::mem::take(painter.painted())).unwrap()
}

#[test]
fn a_link_is_marked_as_a_whole_however_it_is_divided() {
    let url = "https://example.org/a/long/path";
    let begin = format!("\x1b]8;id=1;{url}\x1b\\");
    let end = "\x1b]8;;\x1b\\";
    // It has room in a row of its own, and is not divided at a slash.
    let whole = linked(40, true, url);
    assert_eq!(
        whole,
        format!("look here: \r\n    {begin}{url}{end}, \r\n    and\r\n")
    );
    let divided = linked(21, true, url);
    assert_eq!(divided.matches(&begin).count(), 3, "{divided:?}");
    assert_eq!(divided.matches(end).count(), 3);
    let plain = linked(40, false, url);
    assert!(plain.contains(url) && !plain.contains('\x1b'), "{plain:?}");
    // A text with other characters is no target of a link.
    assert!(!linked(40, true, "https://a\u{e9}").contains("\x1b]8"));
}
