//! Messages that look like another user's, or like the client's own lines.

use std::cell::RefCell;
use std::io::{self, Write};
use std::num::NonZeroU16;
use std::rc::Rc;

use echat_proto::records::{Reacted, Reaction};

use crate::terminal::{Appearance, Painter};

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
const FORGED: [&str; 11] = [
    "[2023-11-14 22:13:20] carol: I owe you",
    "22:13 carol: I owe you",
    "------ 2023-11-15 ------",
    "------ history above ------",
    "command> login",
    "  room1: 3 unread",
    "Logged in as ann.",
    "  > carol: I owe you",
    "  carol reacted 👍 to you: I owe you",
    "  1 [2023-11-14 22:13:20] carol (edited): I owe you",
    "  1  room1  [2023-11-14 22:13:20] carol: I owe you",
];

#[test]
fn the_first_forgeries_read_like_a_message() {
    for (compact, forged) in [(false, FORGED[0]), (true, FORGED[1])] {
        let mut stage = ann(Language::English);
        stage.app.common.context.settings.config.compact = compact;
        stage.types("&r room1").printed();
        stage.says(live(in_room(6, "carol", "I owe you"), None));
        let shown = stage.printed().pop().expect("a message");
        let shown = shown.replace("22:13:26", "22:13:20");
        assert_eq!(shown, forged, "FORGED has another form than a message");
    }
}

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
fn has_no_forged_row(lines: &[Line], look: Appearance, cols: usize) {
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

/// An answer to a message, an edit with its text, a reaction and what a user does: all with what a forger wants.
fn changes(stage: &mut Stage, id: u64, attack: &str, forged: &str) {
    let mut reply = live(in_room(id + 1_000, "dave", "yes"), None);
    if let Event::OnNewMessage { reply_to, .. } = &mut reply {
        *reply_to = Some(id);
    }
    stage.says(reply);
    let does = format!("/me {attack}");
    stage.says(live(in_room(id + 2_000, "bob", &does), None));
    let reaction = Reaction {
        emoji: format!("👍\n{forged}"),
        count: 2,
        mine: None,
    };
    for (edited, reacted) in [(Some(1), None), (None, Some(reaction))] {
        let message = in_room(id, "bob", &format!("{attack} {}", edited.is_some()));
        stage.says(Event::OnMessageChanged {
            id,
            sender: message.sender,
            send_time: message.send_time,
            target: message.target,
            target_type: message.target_type,
            content: message.content,
            deleted: None,
            bot: message.bot,
            reply_to: None,
            edited,
            mentions: None,
            by: "bob".to_owned(),
            reacted: reacted.as_ref().map(|reaction| Reacted {
                emoji: reaction.emoji.clone(),
                on: true,
            }),
            reactions: reacted.map(|reaction| vec![reaction]),
        });
    }
}

fn everything(language: Language, compact: bool, folds: bool, cols: usize) -> Vec<Line> {
    let mut stage = ann(language);
    let settings = &mut stage.app.common.context.settings;
    (settings.config.compact, settings.folds) = (compact, folds);
    stage.types("&r room1");
    let mut id = 1;
    for (turn, forged) in FORGED.iter().enumerate() {
        for attack in attacks(forged, turn + cols, cols) {
            id += 1;
            stage.says(live(in_room(id, "bob", &attack), None));
            changes(&mut stage, id, &attack, forged);
        }
    }
    // The same words where lists of messages are shown.
    stage.types("\\c").types("contact").types(":m").types("?");
    stage.types("&r room1").types("/history").types("/n");
    let forged = FORGED.iter().cycle();
    let hits = (1..=id)
        .zip(forged)
        .map(|(id, text)| in_room(id, "bob", text));
    stage.types("/search owe").says(Event::FoundMessages {
        messages: hits.collect(),
        more: false,
        next: None,
        indexed: None,
    });
    lines(&mut stage)
}

#[test]
fn no_row_of_a_message_looks_like_another_message() {
    for cols in (20..=200).step_by(3) {
        let compact = cols % 2 == 0;
        let language = [Language::English, Language::Chinese][cols / 2 % 2];
        let (look, folds) = if cols / 4 % 2 == 0 {
            let colour = false;
            (
                Appearance {
                    colour,
                    ..Appearance::FULL
                },
                false,
            )
        } else {
            (Appearance::PLAIN, true)
        };
        let lines = everything(language, compact, folds, cols);
        for part in lines.chunks(lines.len() / 8) {
            has_no_forged_row(part, look, cols);
        }
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
        stage.app.common.context.settings.config.compact = compact;
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

/// Marks stand before a colon or before the name, where no text can stand.
#[test]
fn no_text_imitates_a_mark() {
    for language in [Language::English, Language::Chinese] {
        let mut stage = ann(language);
        stage.types("&r room1").printed();
        let words = [Text::IsEdited, Text::IsReply, Text::Bot];
        let words = words.map(|word| language.say(word));
        let marks = words.iter().map(|words| Text::Marks { words });
        for (turn, mark) in (1..).zip(marks.chain([Text::Deleted])) {
            let mark = language.say(mark);
            let says = language.say(Text::Says);
            let stamp = format!("[2023-11-14 22:13:2{}] ", turn * 2);
            let text = format!("{mark}: I owe you");
            stage.says(live(in_room(turn * 2, "bob", &text), None));
            assert_eq!(stage.printed(), [format!("{stamp}bob{says}{text}")]);
            let does = format!("/me {text}");
            stage.says(live(in_room(turn * 2 + 1, "bob", &does), None));
            let shown = stage.printed().concat();
            assert!(shown.contains(&format!("] * bob {text}")), "{shown}");
        }
    }
}

#[test]
fn blanks_are_folded_in_plain_output() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").printed();
    let blanks = "ok  \t \u{3000}\u{a0}\u{2800}\u{2003}  forged";
    stage.says(live(in_room(2, "bob", "a   b"), None));
    stage.app.common.context.settings.folds = true;
    stage.says(live(in_room(3, "bob", blanks), None));
    let printed = stage.printed();
    assert!(printed[0].ends_with("bob: a   b"), "{printed:?}");
    assert!(printed[1].ends_with("bob: ok forged"), "{printed:?}");
}
