//! Resizing in real tmux and real GNU screen: no message is lost or doubled, the prompt is whole. The
//! environment says nothing of either, as over ssh.

use std::path::Path;

use echat_client::render::safe::Safe;
use echat_client::render::styled::Line;
use echat_client::render::view::prompt_rows;
use echat_testkit::side_by_side;
use echat_testkit::terminal::multiplexer::{Multiplexer, is_installed};
use unicode_width::UnicodeWidthChar;

use crate::server_folder::{ECHAT, PASSWORD, ServerFolder};

/// Down and up again, in small steps and large ones.
const WIDTHS: [u16; 20] = [
    79, 60, 61, 40, 39, 38, 27, 20, 33, 41, 80, 39, 78, 100, 57, 120, 26, 90, 44, 80,
];
/// What is typed, and how often: each takes two rows of 80 columns or more.
const LATIN: (&str, usize) = ("x", 130);
const CHINESE: (&str, usize) = ("好", 80);
const COMBINING: (&str, usize) = ("e\u{301}", 120);
const ZWJ: (&str, usize) = ("👩\u{200d}👩\u{200d}👧", 30);
const FLAGS: (&str, usize) = ("🇨🇳", 50);
const VS16: (&str, usize) = ("❤\u{fe0f}", 60);
const MIXED: (&str, usize) = ("a好é👍🏽", 20);
const KINDS: [(&str, usize); 7] = [LATIN, CHINESE, COMBINING, ZWJ, FLAGS, VS16, MIXED];
/// The messages before the test.
const SAID: usize = 8;

/// How often a text stands in the rows, however it is divided into them.
fn count(rows: &[String], text: &str) -> usize {
    let all: String = rows.concat();
    let all: String = all.split_whitespace().collect();
    let text: String = text.split_whitespace().collect();
    all.matches(&text).count()
}

/// What should be seen of the line.
struct Typed {
    messages: usize,
    text: String,
    /// Whether the rows are texts; of others, a character is a column.
    is_text: bool,
    /// Whether parts of an earlier prompt may stand above it.
    may_be_doubled: bool,
}

impl Typed {
    /// Each message stands there once, and the prompt once, at the end, with all that is typed, in rows
    /// laid out for this width.
    fn is_whole(&self, rows: &[String], above: &[String], cols: u16) -> bool {
        let all = [above, rows].concat();
        let mut numbers = 0..self.messages;
        let once = numbers.all(|number| count(&all, &format!("<{number}>")) == 1);
        let Some(prompt) = rows.iter().rposition(|row| row.starts_with("room1> BEGIN")) else {
            return false;
        };
        let line = Line::plain(Safe::ours("room1> "));
        let width = usize::from(cols) - 1;
        let laid = prompt_rows(&line, &self.text, self.text.len(), width, false);
        let laid = laid.rows.iter().map(|row| row.text().trim_end().to_owned());
        // The cursor's own row behind a full one is empty.
        let laid: Vec<String> = laid.filter(|row| !row.is_empty()).collect();
        let shown = &rows[prompt..];
        let is_laid = if self.is_text {
            shown == laid
        } else {
            let lengths = |rows: &[String], columns: fn(&str) -> usize| -> Vec<usize> {
                rows.iter().map(|row| columns(row)).collect()
            };
            lengths(shown, |row| row.chars().count()) == lengths(&laid, columns_in_screen)
        };
        let marks = ["room1>BEGIN", "BEGIN", "END"];
        let marks = marks.into_iter().all(|mark| count(&all, mark) == 1);
        once && is_laid && (marks || self.may_be_doubled)
    }
}

/// The columns that GNU screen gives a row: it joins no sequence but for combining marks.
fn columns_in_screen(row: &str) -> usize {
    row.chars().map(|c| c.width().unwrap_or(0)).sum()
}

fn says(folder: &ServerFolder, number: usize) {
    let filler = ["x", "好", "e\u{301}", "🇨🇳"][number % 4].repeat(20 * (number % 5));
    let content = format!("<{number}> {filler}");
    let message = format!(r#"{{"target_type":1,"target":"room1","content":"{content}"}}"#);
    folder.asks("bob", &["SEND_MESSAGE", &message]);
}

/// A user in a room, in a window of a multiplexer, with a line typed.
struct Typing {
    folder: ServerFolder,
    ann: Multiplexer,
    typed: Typed,
}

fn typing((piece, pieces): (&str, usize), start: impl Fn(&Path, &[&str]) -> Multiplexer) -> Typing {
    let folder = ServerFolder::with(r#"{"client": {"presence": "hide"}}"#);
    let link = folder.link();
    let (folder, mut ann) = in_room(folder, &link, start);
    let typed = Typed {
        messages: SAID,
        text: format!("BEGIN{}END", piece.repeat(pieces)),
        is_text: ann.copies_unicode(),
        may_be_doubled: false,
    };
    ann.types(&typed.text);
    ann.shows(piece, |rows, above| typed.is_whole(rows, above, 80));
    Typing { folder, ann, typed }
}

/// Ann in a room of a multiplexer's, by way of this link.
fn in_room(
    folder: ServerFolder,
    link: &str,
    start: impl Fn(&Path, &[&str]) -> Multiplexer,
) -> (ServerFolder, Multiplexer) {
    folder.has("room1", &["ann", "bob"]);
    (0..SAID).for_each(|number| says(&folder, number));
    let path = folder.scene.path("");
    let hosts = format!("ECHAT_KNOWN_HOSTS={}", folder.scene.known_hosts().display());
    let home = format!("HOME={}", path.display());
    let password = folder.scene.path(PASSWORD).display().to_string();
    let program = [
        &hosts,
        &home,
        "LANG=C.UTF-8",
        "NO_COLOR=1",
        ECHAT,
        "--user",
        "ann",
        "--password-file",
        &password,
        link,
    ];
    let mut ann = start(&path, &program);
    ann.shows("the login", |rows, _| count(rows, "Logged in as ann.") == 1);
    ann.types("&r room1\r");
    ann.shows("the room", |rows, _| count(rows, "room1>") == 1);
    (folder, ann)
}

fn resized(kind: (&str, usize), start: impl Fn(&Path, &[&str]) -> Multiplexer) {
    let piece = kind.0;
    let Typing {
        folder,
        mut ann,
        mut typed,
    } = typing(kind, start);
    for (turn, cols) in WIDTHS.into_iter().enumerate() {
        ann.resizes(cols, u16::try_from(turn % 3).unwrap());
        let what = format!("{piece:?} at {cols} columns");
        ann.shows(&what, |rows, above| typed.is_whole(rows, above, cols));
        // The terminal alone may have made it look so: this is shown by the program, which then knows
        // the size.
        ann.types("z");
        typed.text.push('z');
        ann.shows(&what, |rows, above| typed.is_whole(rows, above, cols));
        if turn % 4 == 0 {
            says(&folder, typed.messages);
            typed.messages += 1;
            ann.shows(&what, |rows, above| typed.is_whole(rows, above, cols));
        }
    }
}

/// The window changes again before the program can have seen the last change. Every message is there once
/// then, and the prompt is whole; of earlier prompts, parts may be left.
fn dragged(kind: (&str, usize), start: impl Fn(&Path, &[&str]) -> Multiplexer) {
    let piece = kind.0;
    let Typing {
        folder,
        mut ann,
        mut typed,
    } = typing(kind, start);
    typed.may_be_doubled = true;
    for round in 0..5 {
        for (turn, cols) in WIDTHS.into_iter().enumerate() {
            ann.resizes(cols, 0);
            if turn == 4 * round {
                says(&folder, typed.messages);
                typed.messages += 1;
            }
        }
        let what = format!("{piece:?}, round {round}");
        ann.shows(&what, |rows, above| typed.is_whole(rows, above, 80));
    }
}

#[test]
#[ignore = "a campaign: needs tmux and GNU screen"]
fn a_window_that_is_dragged_loses_no_message() {
    for kind in [LATIN, CHINESE, ZWJ] {
        dragged(kind, Multiplexer::tmux);
        dragged(kind, Multiplexer::screen);
    }
}

/// The first rows of a prompt that is higher than its window leave it, come back when the window grows, and
/// are shown once then: with messages between or without.
fn pending_rows_leave_and_come_back(start: impl Fn(&Path, &[&str]) -> Multiplexer) {
    const SIZES: [(u16, u16); 11] = [
        (40, 12),
        (100, 30),
        (60, 20),
        (90, 30),
        (90, 20),
        (40, 12),
        (30, 8),
        (100, 9),
        (20, 6),
        (80, 24),
        (90, 60),
    ];
    let folder = ServerFolder::with(r#"{"client": {"presence": "hide"}}"#);
    let link = folder.link();
    let (mut folder, mut ann) = in_room(folder, &link, start);
    ann.becomes(90, 20);
    folder.falls();
    ann.shows("the loss", |rows, _| count(rows, "Reconnecting") == 1);
    for number in 0..7 {
        ann.types(&format!("begin{number} {}", "word ".repeat(30)));
        ann.shows("what is typed", |rows, _| {
            count(rows, &format!("begin{number}")) == 1
        });
        ann.types("\r");
        let waiting = format!("room1 ({} pending)", number + 1);
        ann.shows("what is entered", |rows, _| count(rows, &waiting) == 1);
    }
    for (turn, (cols, rows)) in SIZES.into_iter().enumerate() {
        ann.becomes(cols, rows);
        let kept = usize::from(rows / 3).min(5) - 1;
        ann.shows(&format!("{cols} columns, {rows} rows"), |shown, above| {
            let all = [above, shown].concat();
            let messages = (0..SAID).all(|number| count(&all, &format!("<{number}>")) == 1);
            let once = (0..7).all(|number| {
                let is_kept = usize::from(number >= 7 - kept);
                count(shown, &format!("(pending) begin{number}")) == is_kept
            });
            messages
                && once
                && count(shown, &format!("(pending) {} more", 7 - kept)) == 1
                && shown.last().is_some_and(|row| row.ends_with('>'))
        });
        if turn % 2 == 1 {
            // Says that there is no such line, above the prompt.
            ann.types(&format!("/withdraw 9{turn}\r"));
            ann.shows("an answer", |rows, _| count(rows, &format!("9{turn}")) >= 1);
        }
    }
}

#[test]
fn pending_rows_stand_once_after_a_window_was_too_low_for_them() {
    if is_installed("tmux") {
        pending_rows_leave_and_come_back(Multiplexer::tmux);
    }
}

#[test]
fn every_size_of_a_tmux_window_leaves_messages_and_prompt_whole() {
    if is_installed("tmux") {
        side_by_side::all(KINDS, |kind| resized(kind, Multiplexer::tmux));
    }
}

#[test]
fn every_size_of_a_screen_window_leaves_messages_and_prompt_whole() {
    if is_installed("screen") {
        side_by_side::all(KINDS, |kind| resized(kind, Multiplexer::screen));
    }
}
