//! Resizing in real tmux and real GNU screen: no message is lost or doubled, the prompt is whole. The
//! environment says nothing of either, as over ssh.

use std::path::Path;

use crate::place::{ECHAT, PASSWORD, Place};
use echat_client::safe::Safe;
use echat_client::styled::Line;
use echat_client::view::prompt_rows;

use crate::support::multiplexer::Multiplexer;

/// Down and up again, in small steps and large ones.
const WIDTHS: [u16; 20] = [
    79, 60, 61, 40, 39, 38, 27, 20, 33, 41, 80, 39, 78, 100, 57, 120, 26, 90, 44, 80,
];
/// What is typed, and how often: each takes two rows of 80 columns or more.
const TYPED: [(&str, usize); 7] = [
    ("x", 130),
    ("好", 80),
    ("e\u{301}", 120),
    ("👩\u{200d}👩\u{200d}👧", 30),
    ("🇨🇳", 50),
    ("❤\u{fe0f}", 60),
    ("a好é👍🏽", 20),
];
/// How many of these are tried in GNU screen: not the sequences of emoji.
const IN_SCREEN: usize = 3;
/// What everybody said before.
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
    /// A character of it and how often it stands there, where that can be asked for.
    piece: Option<(char, usize)>,
}

impl Typed {
    /// Each message stands there once, and the prompt once, at the end, with all that is typed, in as
    /// many rows as it takes at this width.
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
        // Screen copies no more than a byte of each character.
        let is_laid = if self.piece.is_some() || self.text.is_ascii() {
            rows[prompt..] == laid
        } else {
            rows.len() - prompt == laid.len()
        };
        let typed = rows[prompt..].concat();
        let all = self
            .piece
            .is_none_or(|(piece, count)| typed.matches(piece).count() == count);
        let marks = ["room1>BEGIN", "BEGIN", "END"];
        let marks = marks.into_iter().all(|mark| count(rows, mark) == 1);
        let ends = rows
            .last()
            .is_some_and(|row| row.ends_with(['E', 'N', 'D']));
        once && all && marks && ends && is_laid
    }
}

fn says(place: &Place, number: usize) {
    let filler = ["x", "好", "e\u{301}", "🇨🇳"][number % 4].repeat(20 * (number % 5));
    let content = format!("<{number}> {filler}");
    let message = format!(r#"{{"target_type":1,"target":"room1","content":"{content}"}}"#);
    place.asks("bob", &["SEND_MESSAGE", &message]);
}

fn resized(kinds: &[(&str, usize)], start: impl Fn(&Path, &[&str]) -> Multiplexer) {
    let place = Place::with(r#"{"client": {"presence": "hide"}}"#);
    place.has("room1", &["ann", "bob"]);
    (0..SAID).for_each(|number| says(&place, number));
    let (link, folder) = (place.link(), place.scene.path(""));
    let hosts = format!("ECHAT_KNOWN_HOSTS={}", place.scene.known_hosts().display());
    let home = format!("HOME={}", folder.display());
    let password = place.scene.path(PASSWORD).display().to_string();
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
        &link,
    ];
    let mut messages = SAID;
    for (turn, (piece, pieces)) in kinds.iter().copied().enumerate() {
        let own = folder.join(format!("{turn}"));
        std::fs::create_dir(&own).unwrap();
        let mut ann = start(&own, &program);
        ann.shows("the login", |rows, _| count(rows, "Logged in as ann.") == 1);
        ann.types("&r room1\r");
        ann.shows("the room", |rows, _| count(rows, "room1>") == 1);
        let text = format!("BEGIN{}END", piece.repeat(pieces));
        let first = piece.chars().next().unwrap();
        let count = pieces * piece.chars().filter(|c| *c == first).count();
        let is_exact = ann.copies_unicode();
        let mut typed = Typed {
            messages,
            text,
            piece: is_exact.then_some((first, count)),
        };
        ann.types(&typed.text);
        ann.shows(piece, |rows, above| typed.is_whole(rows, above, 80));
        for (turn, cols) in WIDTHS.into_iter().enumerate() {
            ann.resizes(cols, u16::try_from(turn % 3).unwrap());
            let what = format!("{piece:?} at {cols} columns");
            ann.shows(&what, |rows, above| typed.is_whole(rows, above, cols));
        }
        says(&place, messages);
        messages += 1;
        typed.messages = messages;
        ann.shows(piece, |rows, above| typed.is_whole(rows, above, 80));
    }
}

#[test]
#[ignore = "a campaign: needs tmux and a quiet machine"]
fn in_tmux_every_size_leaves_messages_and_prompt_whole() {
    resized(&TYPED, Multiplexer::tmux);
}

#[test]
#[ignore = "a campaign: needs GNU screen and a quiet machine"]
fn in_screen_every_size_leaves_messages_and_prompt_whole() {
    resized(&TYPED[..IN_SCREEN], Multiplexer::screen);
}
