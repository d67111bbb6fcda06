//! Messages that look like another user's, or like the client's own lines.

use std::cell::RefCell;
use std::io::{self, Write};
use std::num::NonZeroU16;
use std::rc::Rc;

use crate::terminal::{Look, Painter};

use super::*;

/// Rows of the terminal: enough for all that is printed at once.
const ROWS: u16 = 700;
/// What pads a text up to the end of a row.
const FILLERS: [&str; 8] = [
    "x",
    " ",
    "你",
    "e\u{301}",
    "👩\u{200d}👩\u{200d}👧",
    "🇨🇳",
    "\t",
    "\u{3000}",
];
/// What a forger wants to stand at the beginning of a row.
const FORGED: [&str; 7] = [
    "[2023-11-14 22:13:20] carol: I owe you",
    "22:13 carol: I owe you",
    "------ 2023-11-15 ------",
    "------ history above ------",
    "command> login",
    "  room1: 3 unread",
    "Logged in as ann.",
];

/// Bytes that are looked at from outside.
#[derive(Clone, Debug, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Texts that want `forged` at the beginning of a row, wherever the text itself begins.
fn attacks(forged: &str, turn: usize, cols: usize) -> Vec<String> {
    let filler = FILLERS[turn % FILLERS.len()];
    let columns = filler.trim().chars().count().clamp(1, 2);
    let pad = |columns_before: usize| filler.repeat(columns_before / columns);
    vec![
        format!("ok\n{forged}"),
        format!("ok {}{forged}", pad(cols - turn % 40 % cols)),
        format!("ok {}{forged}", pad(2 * cols - turn * 7 % 40)),
        format!("ok{}{forged}", "\n".repeat(turn % 3 + 1)),
        format!("{}{forged}", "\t".repeat(turn % 9)),
        format!("ok {}{forged}{forged}", " ".repeat(cols)),
    ]
}

/// Everything that was printed since the last look.
fn lines(stage: &mut Stage) -> Vec<Line> {
    let printed = std::mem::take(&mut stage.effects).into_iter();
    let lines = printed.filter_map(|effect| match effect {
        Effect::Print(lines) => Some(lines),
        _ => None,
    });
    lines.flatten().collect()
}

/// Every row that does not begin with the spaces of a further row is one of the lines' first.
fn has_no_forged_row(lines: &[Line], look: Look, cols: usize) {
    let out = Shared::default();
    let mut painter = Painter::new(out.clone(), look, cols, ROWS.into());
    painter.print(lines).unwrap();
    let size = NonZeroU16::new(u16::try_from(cols).unwrap()).unwrap();
    let mut terminal = vt100::Parser::new(NonZeroU16::new(ROWS).unwrap(), size, 0);
    let bytes = String::from_utf8(out.0.borrow().clone()).unwrap();
    let bytes = bytes.replace("\r\n", "\n").replace('\n', "\r\n");
    terminal.process(bytes.as_bytes());
    let screen = terminal.screen();
    assert!(
        usize::from(screen.cursor_position().0) < usize::from(ROWS) - 1,
        "it fits"
    );
    let mut started = lines
        .iter()
        .map(text)
        .filter(|line| !line.starts_with("    "));
    for (row, shown) in screen.rows(0, size.get()).enumerate() {
        let shown = shown.trim_end();
        let wrapped = row > 0 && screen.row_wrapped(u16::try_from(row).unwrap() - 1);
        assert!(
            !wrapped,
            "{cols} columns: divided by the terminal: {shown:?}"
        );
        if !shown.is_empty() && !shown.starts_with("    ") {
            let line = started.next().expect("a row too many");
            assert!(
                line.starts_with(shown),
                "{cols} columns: {shown:?} for {line:?}"
            );
        }
    }
    assert_eq!(started.next(), None, "{cols} columns");
}

fn everything(language: Language, compact: bool, folds: bool, cols: usize) -> Vec<Line> {
    let mut stage = ann(language);
    let settings = &mut stage.app.context.settings;
    (settings.config.compact, settings.folds) = (compact, folds);
    stage.types("&r room1");
    let mut id = 1;
    for (turn, forged) in FORGED.iter().enumerate() {
        for attack in attacks(forged, turn + cols, cols) {
            id += 1;
            stage.says(live(in_room(id, "bob", &attack), None));
        }
    }
    // The same words where lists of messages are shown.
    stage.types("\\c").types("contact").types(":m").types("?");
    stage.types("&r room1").types("/history");
    lines(&mut stage)
}

#[test]
fn no_row_of_a_message_looks_like_another_message() {
    for cols in 20..=200 {
        let compact = cols % 2 == 0;
        let language = [Language::English, Language::Chinese][cols / 2 % 2];
        let (look, folds) = if cols / 4 % 2 == 0 {
            let colour = false;
            (
                Look {
                    colour,
                    ..Look::FULL
                },
                false,
            )
        } else {
            (Look::PLAIN, true)
        };
        let lines = everything(language, compact, folds, cols);
        let (first, last) = lines.split_at(lines.len() / 2);
        has_no_forged_row(first, look, cols);
        has_no_forged_row(last, look, cols);
    }
}

/// A terminal that becomes narrower, or a pipe's reader, divides rows as it likes: then what looks like
/// a head or a rule is not where a row can be made to begin.
#[test]
fn text_that_looks_like_a_head_begins_an_indented_row() {
    for (compact, forged) in [
        (false, FORGED[0]),
        (true, FORGED[0]),
        (true, FORGED[1]),
        (false, FORGED[2]),
    ] {
        let mut stage = ann(Language::English);
        stage.app.context.settings.config.compact = compact;
        stage.types("&r room1").printed();
        stage.says(live(
            in_room(2, "bob", &format!("ok {} {forged}", "x".repeat(99))),
            None,
        ));
        let printed = stage.printed();
        let begin = &forged[..10];
        let found: Vec<&String> = printed.iter().filter(|line| line.contains(begin)).collect();
        let (own, rest) = found.split_at(found.len() - 1);
        assert!(
            own.iter().all(|line| line.starts_with(begin)),
            "{printed:?}"
        );
        assert!(rest[0].starts_with(&format!("    {begin}")), "{printed:?}");
    }
}

#[test]
fn blanks_are_folded_in_plain_output() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").printed();
    let blanks = "ok  \t \u{3000}\u{a0}\u{2800}\u{2003}  forged";
    stage.says(live(in_room(2, "bob", "a   b"), None));
    stage.app.context.settings.folds = true;
    stage.says(live(in_room(3, "bob", blanks), None));
    let printed = stage.printed();
    assert!(printed[0].ends_with("bob: a   b"), "{printed:?}");
    assert!(printed[1].ends_with("bob: ok forged"), "{printed:?}");
}
