//! Text of several lines, pasted with marks or without, and what is asked about it.

use super::*;
use crate::line_editor::{Key, PASTE_MAX};

impl Stage {
    fn strikes(&mut self, key: Key) -> &mut Self {
        self.happens(Input::Key(key)).looks()
    }

    /// As a terminal sends it that does not mark a paste.
    fn bursts(&mut self, text: &str) -> &mut Self {
        self.happens(Input::Lines(text.into())).looks()
    }

    /// With marks.
    fn inserts(&mut self, text: &str) -> &mut Self {
        self.strikes(Key::Paste(text.into()))
    }

    fn said(&self) -> Vec<String> {
        let lines = self.app.common.context.outgoing.to_lines("ann");
        let content = |line: &str| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            value["content"].as_str().unwrap().to_owned()
        };
        lines.lines().map(content).collect()
    }
}

fn in_chat() -> Stage {
    let mut stage = ann(Language::English);
    stage.types("&r room1").printed();
    stage
}

#[test]
fn lines_pasted_without_bracketed_paste_are_one_paste() {
    let mut stage = in_chat();
    stage.bursts("fn main() {\n\tprint();\n}\n");
    assert_eq!(stage.prompt(), "3 lines (Y/O/N) room1> ");
    assert_eq!(
        stage.printed(),
        ["3 lines pasted. Y: send each line; O: send as one message; N: discard."]
    );
    stage.inserts("o").strikes(Key::Enter);
    assert_eq!(stage.said(), ["fn main() {\n\tprint();\n}"]);
}

#[test]
fn in_a_dialogue_each_pasted_line_is_one_answer() {
    let mut stage = stage(Language::English);
    stage.types("login");
    stage.bursts("ann\npassword1\n");
    stage.happens(Input::Connected);
    assert_eq!(stage.sent(), [RequestKind::Login]);
    // The password was masked and is in no history.
    let printed = stage.printed().concat();
    assert!(!printed.contains("password1"), "{printed}");
    for key in [Key::Up, Key::Ctrl('y'), Key::Ctrl('_')] {
        stage.strikes(key);
        assert_eq!(stage.app.editor().text(), "");
    }
}

#[test]
fn commands_are_carried_out_and_the_first_text_begins_the_paste() {
    let mut stage = in_chat();
    stage.bursts("\\c\ncontact\n&r room1\n/help\none\ntwo\n");
    assert_eq!(stage.prompt(), "2 lines (Y/O/N) room1> ");
    stage.strikes(Key::Ctrl('c')).bursts("\\c\nhello\nhelp\n");
    assert_eq!(stage.prompt(), "2 lines (Y/N) command> ");
    stage
        .strikes(Key::Ctrl('c'))
        .bursts("contact\n&r room1\nhalf a line");
    assert_eq!(stage.app.editor().text(), "half a line");
    // What stands in the line is a part of it.
    stage.bursts("\\c\nquery\n");
    assert_eq!(stage.prompt(), "2 lines (Y/O/N) room1> ");
    assert_eq!(stage.said(), [""; 0]);
}

#[test]
fn the_question_offers_only_possible_answers() {
    let long = "x".repeat(3_000);
    let mut stage = in_chat();
    stage.inserts(&format!("{long}\n{long}"));
    assert_eq!(stage.prompt(), "2 lines (Y/N) room1> ");
    assert_eq!(
        stage.printed(),
        ["2 lines pasted, too long for one message. Y: send each line; N: discard."]
    );
    // Typed all the same, it is refused, and sent as no text either.
    stage.inserts("o").strikes(Key::Enter);
    assert_eq!(stage.said(), [""; 0]);
    let printed = stage.printed();
    let said = "Not sent: the text is 6001 bytes long (6001 characters); the limit is 4000 bytes.";
    assert!(printed.contains(&said.to_owned()), "{printed:?}");

    let mut stage = ann(Language::English);
    stage.printed();
    stage.inserts(":f\n:r");
    assert_eq!(stage.prompt(), "2 lines (Y/N) contact> ");
    assert_eq!(
        stage.printed(),
        ["2 lines pasted. Y: run each line as a command; N: discard."]
    );
}

#[test]
fn a_paste_that_cannot_be_sent_asks_no_question() {
    let mut stage = in_chat();
    stage.inserts("draft");
    stage.inserts(&format!("\n{}", "x".repeat(4_001)));
    assert_eq!(stage.prompt(), "room1> ");
    assert_eq!(stage.app.editor().text(), "draft");
    assert_eq!(
        stage.printed(),
        ["Not accepted: a pasted line has 4001 bytes; the limit is 4000."]
    );
    stage.strikes(Key::Ctrl('u')).inserts(" \n\t\n ");
    assert_eq!(stage.prompt(), "room1> ");
    // One line that does not fit into the edited line.
    let long = "x".repeat(70_000);
    stage.types("\\c").types("contact").printed();
    for (prompt, said) in [
        (
            "contact> ",
            "Not accepted: a pasted line has 70000 bytes; the limit is 65536.",
        ),
        (
            "room1> ",
            "Not sent: the text is 70000 bytes long (70000 characters); the limit is 4000 bytes.",
        ),
    ] {
        stage.inserts(&long);
        assert_eq!(stage.prompt(), prompt);
        assert_eq!(stage.printed(), [said]);
        stage.types("&r room1").printed();
    }
}

#[test]
fn interrupting_the_question_restores_the_line() {
    let mut stage = in_chat();
    stage.inserts("hello !").strikes(Key::Left);
    stage.inserts("one\ntwo");
    stage.inserts("an answer").strikes(Key::Ctrl('c'));
    assert_eq!(stage.prompt(), "room1> ");
    let editor = stage.app.editor();
    assert_eq!((editor.text(), editor.cursor()), ("hello !", 6));
    // A second paste at the question of the first.
    stage.inserts("one\ntwo").inserts("three\nfour");
    stage.strikes(Key::Ctrl('c'));
    assert_eq!(stage.app.editor().text(), "hello !");
    assert_eq!(stage.said(), [""; 0]);
}

#[test]
fn a_truncated_paste_is_reported() {
    let mut stage = in_chat();
    let whole = PASTE_MAX + 7;
    stage.happens(Input::PasteCut { whole });
    assert_eq!(
        stage.printed(),
        ["The paste was cut: it has 1048583 bytes, and only the first 1048576 were kept."]
    );
}

#[test]
fn a_line_of_several_rows_is_one_message() {
    let mut stage = in_chat();
    stage.inserts("one").strikes(Key::Alt('\r')).inserts("two");
    stage.strikes(Key::Enter);
    assert_eq!(stage.said(), ["one\ntwo"]);
    stage.strikes(Key::Ctrl('p'));
    assert_eq!(stage.app.editor().text(), "one\ntwo");
}

#[test]
fn a_search_without_a_hit_shows_that_in_the_prompt() {
    for (language, shown) in [
        (Language::English, "(Ctrl-R, no match) zz: "),
        (Language::Chinese, "(Ctrl-R, 无匹配) zz: "),
    ] {
        let mut stage = ann(language);
        assert!(stage.app.search_prompt().is_none());
        for key in [Key::Ctrl('r'), Key::Char('z'), Key::Char('z')] {
            stage.strikes(key);
        }
        let prompt = |stage: &Stage| stage.app.search_prompt().map(|line| text(&line));
        assert_eq!(prompt(&stage).as_deref(), Some(shown));
        stage.strikes(Key::Enter);
        assert_eq!(prompt(&stage).as_deref(), Some(shown));
        stage.strikes(Key::Ctrl('g'));
        assert_eq!(prompt(&stage), None);
    }
}

#[test]
fn lines_with_invalid_bytes_are_refused() {
    let mut stage = in_chat();
    stage.happens(Input::Garbled).bursts("one\ncaf\u{fffd}\n");
    assert_eq!(stage.prompt(), "room1> ");
    assert_eq!(stage.said(), [""; 0]);
}

fn saves(stage: &Stage) -> Vec<usize> {
    let lines = |effect: &Effect| match effect {
        Effect::SaveOutgoing { lines, .. } => Some(lines.lines().count()),
        _ => None,
    };
    stage.effects.iter().filter_map(lines).collect()
}

#[test]
fn lines_sent_one_by_one_are_written_to_the_file_together() {
    let pasted = (1..=1_000).map(|n| format!("line {n}\n"));
    let pasted: String = pasted.collect();
    for is_online in [true, false] {
        let mut stage = in_chat();
        if !is_online {
            stage.happens(Input::Closed(None));
        }
        stage.inserts(&pasted).effects.clear();
        stage.types("y");
        assert_eq!(stage.said().len(), 1_000);
        // The first is in the file before it is sent.
        let written: &[usize] = if is_online { &[1, 1_000] } else { &[1_000] };
        assert_eq!(saves(&stage), written);
    }
    // Each is sent by a command.
    let commands = pasted.replace("line", "@r room1 line");
    let mut stage = ann(Language::English);
    stage.inserts(&commands).effects.clear();
    stage.types("y");
    assert_eq!(stage.said().len(), 1_000);
    assert_eq!(saves(&stage), [1, 1_000]);
    let place = |wanted: fn(&Effect) -> bool| stage.effects.iter().position(wanted).unwrap();
    let saved = place(|effect| matches!(effect, Effect::SaveOutgoing { .. }));
    assert!(saved < place(|effect| matches!(effect, Effect::Send(_))));
    // As a terminal sends them that does not mark a paste.
    let mut stage = ann(Language::English);
    stage.happens(Input::Closed(None)).effects.clear();
    stage.bursts(&commands);
    assert_eq!(stage.said().len(), 1_000);
    assert_eq!(saves(&stage), [1_000]);
}

#[test]
fn blank_lines_are_not_counted() {
    let mut stage = in_chat();
    stage.inserts("one\n\n \ntwo\n\n");
    assert_eq!(stage.prompt(), "2 lines (Y/O/N) room1> ");
    assert_eq!(
        stage.printed(),
        ["2 lines pasted. Y: send each line; O: send as one message; N: discard."]
    );
    stage.types("y");
    assert_eq!(stage.said(), ["one", "two"]);
    let mut stage = in_chat();
    stage.inserts("\none");
    assert_eq!(stage.prompt(), "1 line (Y/O/N) room1> ");
    assert_eq!(
        stage.printed(),
        ["1 line pasted. Y: send each line; O: send as one message; N: discard."]
    );
}

#[test]
fn too_many_lines_are_not_sent_one_by_one() {
    let mut stage = in_chat();
    stage.inserts(&"x\n".repeat(1_001));
    assert_eq!(stage.prompt(), "1001 lines (O/N) room1> ");
    assert_eq!(
        stage.printed(),
        [
            "1001 lines pasted; at most 1000 can be sent one by one. O: send as one message; N: discard."
        ]
    );
    let refused = "Not accepted: 1001 lines pasted; the limit is 1000.";
    stage.types("y");
    assert_eq!(stage.said(), [""; 0]);
    let printed = stage.printed();
    assert!(printed.contains(&refused.to_owned()), "{printed:?}");
    stage.inserts(&"x\n".repeat(1_001)).types("o");
    assert_eq!(stage.said().len(), 1);
    // As one message they are too long.
    let mut stage = in_chat();
    stage.inserts("draft").inserts(&"four\n".repeat(1_001));
    assert_eq!(stage.prompt(), "room1> ");
    assert_eq!(stage.app.editor().text(), "draft");
    assert_eq!(stage.printed(), [refused]);
    let mut stage = ann(Language::English);
    stage.printed();
    stage.inserts(&":f\n".repeat(1_001));
    assert_eq!(stage.prompt(), "contact> ");
    assert_eq!(stage.printed(), [refused]);
}
