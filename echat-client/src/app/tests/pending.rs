//! Unsent lines: shown above the prompt, listed, withdrawn; and commands that begin with a slash.

use super::*;
use crate::line_editor::Key;
use crate::target::Target;

impl Stage {
    /// The rows above the prompt.
    fn footer(&self, rows: usize) -> Vec<String> {
        self.app.footer(rows).iter().map(text).collect()
    }

    fn waiting(&self) -> Vec<String> {
        let listed = self.app.common.context.outgoing.listed("ann");
        listed
            .map(|(_, entry, _)| entry.content.to_string())
            .collect()
    }
}

/// Ann in a chat, whose connection is lost.
fn offline(language: Language) -> Stage {
    let mut stage = ann(language);
    stage.types("&r room1").happens(Input::Closed(None));
    stage.printed();
    stage
}

#[test]
fn queued_lines_stand_above_the_prompt_in_order() {
    let mut stage = offline(Language::English);
    stage.types("one").types("two\nlines");
    assert_eq!(stage.printed(), [""; 0]);
    assert_eq!(stage.footer(9), ["(pending) one", "(pending) two lines"]);
    stage.types("\\c");
    assert_eq!(
        stage.footer(9),
        ["(pending) to room1: one", "(pending) to room1: two lines"]
    );
    stage.types("chat bob").printed();
    assert_eq!(stage.footer(9), [""; 0]);
    stage.types("\\c").types("chat room1");
    assert!(!stage.printed().concat().contains("one"));
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.says(Event::History {
        messages: vec![],
        more: false,
        newer: None,
    });
    stage.printed();
    stage.says(live(in_room(9, "ann", "one"), Some("t-1")));
    assert_eq!(stage.printed(), ["[2023-11-14 22:13:29] me: one"]);
    assert_eq!(stage.footer(9), ["(pending) two lines"]);
    stage.says(live(in_room(10, "ann", "two\nlines"), Some("t-2")));
    assert_eq!(
        stage.printed(),
        ["[2023-11-14 22:13:30] me: two", "    lines"]
    );
    assert_eq!(stage.footer(9), [""; 0]);
}

#[test]
fn a_line_stays_visible_until_its_answer() {
    let mut stage = ann(Language::Chinese);
    stage.types("&r room1").types("你好");
    assert_eq!(stage.footer(9), ["（待发送）你好"]);
    stage.says(live(in_room(9, "bob", "hi"), None));
    assert_eq!(stage.footer(9), ["（待发送）你好"]);
    stage.says(live(in_room(10, "ann", "你好"), Some("t-1")));
    assert_eq!(stage.footer(9), [""; 0]);
}

#[test]
fn the_rows_of_queued_lines_are_bounded() {
    let mut stage = offline(Language::English);
    for n in 1..=9 {
        stage.types(&format!("line {n}"));
    }
    let rows = stage.footer(100);
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[0], "(pending) 5 more before these");
    assert_eq!(rows[4], "(pending) line 9");
    assert_eq!(stage.footer(1), ["(pending) 9 more before these"]);
    assert_eq!(stage.footer(0), [""; 0]);
    stage.types(&"a".repeat(4_000));
    assert!(stage.footer(2)[1].len() < 300);
}

#[test]
fn plain_output_prints_queued_lines_once() {
    let mut stage = offline(Language::English);
    stage.app.common.context.settings.echoes = false;
    stage.types("one");
    assert_eq!(stage.printed(), ["(pending) one"]);
    assert_eq!(stage.footer(9), [""; 0]);
    stage.types("\\c").types("chat room1");
    assert_eq!(stage.printed().last().unwrap(), "(pending) one");
    stage.types("\\c").types("contact").types(":m");
    assert_eq!(stage.printed().last().unwrap(), "(pending) to room1: one");
}

#[test]
fn queued_lines_are_listed_and_withdrawn_in_every_mode() {
    for (modes, slash) in [
        (&["\\c"][..], "/"),
        (&["\\c", "contact"], "／"),
        (&["\\c", "query"], "/"),
        (&[], "／"),
    ] {
        let mut stage = offline(Language::English);
        stage.types("one").types("two").types("three");
        for line in modes {
            stage.types(line);
        }
        stage.printed();
        stage.types(&format!("{slash}pending"));
        assert_eq!(
            stage.printed()[1..],
            [
                "Unsent lines:",
                "  1  [2023-11-14 22:13:20] to room1: one",
                "  2  [2023-11-14 22:13:20] to room1: two",
                "  3  [2023-11-14 22:13:20] to room1: three",
                "Type `/withdraw <number>` to withdraw one, or `/withdraw all`.",
            ]
        );
        stage.effects.clear();
        stage.types(&format!("{slash}withdraw 2"));
        assert_eq!(
            stage.printed()[1..],
            ["Withdrawn (to room1):", "(not sent) two"]
        );
        let saved = |effect: &Effect| match effect {
            Effect::SaveOutgoing { lines, .. } => !lines.contains("two"),
            _ => false,
        };
        assert!(stage.effects.iter().any(saved));
        assert_eq!(stage.waiting(), ["one", "three"]);
        stage.types(&format!("{slash}withdraw 2"));
        assert_eq!(
            stage.printed()[1..],
            ["There is no unsent line 2. Type `/pending` for a list."]
        );
        stage.types(&format!("{slash}withdraw all"));
        assert_eq!(stage.waiting(), [""; 0]);
        stage.types("/pending");
        let printed = stage.printed();
        assert_eq!(printed.last().unwrap(), "No unsent lines.");
    }
}

#[test]
fn pending_numbers_from_1_whatever_was_sent_before() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").types("sent");
    stage.says(live(in_room(9, "ann", "sent"), Some("t-1")));
    stage.happens(Input::Closed(None));
    stage.types("one").types("two").printed();
    stage.types("/pending");
    assert_eq!(
        stage.printed()[2..4],
        [
            "  1  [2023-11-14 22:13:20] to room1: one",
            "  2  [2023-11-14 22:13:20] to room1: two",
        ]
    );
    // The numbers that were shown hold until the lines are listed again.
    stage.types("/withdraw 1").types("three").printed();
    stage.types("/withdraw 1");
    assert_eq!(
        stage.printed()[1..],
        ["There is no unsent line 1. Type `/pending` for a list."]
    );
    stage.types("/withdraw 2").printed();
    assert_eq!(stage.waiting(), ["three"]);
    stage.types("/pending").printed();
    stage.types("/withdraw 1");
    assert_eq!(stage.waiting(), [""; 0]);
}

#[test]
fn a_line_in_flight_cannot_be_withdrawn() {
    let mut stage = ann(Language::Chinese);
    stage.types("&r room1").types("一").types("二").printed();
    stage.types("/pending");
    assert_eq!(
        stage.printed()[1..],
        [
            "待发送的消息：",
            "  1  [2023-11-14 22:13:20] （正在发送）发给“room1”：一",
            "  2  [2023-11-14 22:13:20] 发给“room1”：二",
            "输入 `/withdraw <编号>` 撤回一条，输入 `/withdraw 全部` 撤回所有。",
        ]
    );
    stage.types("/withdraw １");
    assert_eq!(stage.printed()[1..], ["这条消息正在发送，不能再撤回。"]);
    stage.types("／withdraw　全部").printed();
    assert_eq!(stage.waiting(), ["一"]);
    stage.types("/withdraw 全部");
    assert_eq!(stage.printed()[1..], ["没有可以撤回的消息。"]);
}

#[test]
fn withdrawing_a_line_without_an_answer_says_that_it_may_have_arrived() {
    for (language, said, first, second) in [
        (
            Language::English,
            "It will not be sent again, but may have been received already (to room1):",
            "(may have been received) one",
            "(not sent) two",
        ),
        (
            Language::Chinese,
            "不再重发给“room1”的消息，但对方可能已经收到：",
            "（可能已送达）one",
            "（未发送）two",
        ),
    ] {
        let mut stage = ann(language);
        stage.types("&r room1").types("one").types("two");
        stage.happens(Input::Closed(None)).printed();
        stage.types("/withdraw all");
        let printed = stage.printed();
        assert_eq!(printed[1..3], [said, first]);
        assert_eq!(printed.last().unwrap(), second);
    }
}

#[test]
fn text_that_begins_with_a_slash_is_confirmed_before_it_is_sent() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").sent();
    stage.types("/usr/bin").printed();
    assert_eq!((stage.sent(), stage.waiting()), (vec![], vec![]));
    assert_eq!(stage.prompt(), "send as text? (Y/N) room1> ");
    stage.types("n").types("／nothing").types("n");
    assert_eq!(stage.waiting(), [""; 0]);
    stage.types("/usr/bin").types("y");
    stage.types("//usr/lib").types("／／路径");
    assert_eq!(stage.waiting(), ["/usr/bin", "/usr/lib", "／路径"]);
    stage.types("/withdraw two");
    let printed = stage.printed();
    assert_eq!(printed.last().unwrap(), "Usage: /withdraw <number>|all");
    assert_eq!(stage.waiting().len(), 3);
}

#[test]
fn leaving_a_room_is_confirmed_first() {
    for (modes, line) in [
        (&["&r room1"][..], "/leave"),
        (&["&r room1"], "／leave room1"),
        (&["&f bob"], "/leave Room1"),
        (&[], "-r room1"),
        (&[], "/leave room1"),
        (&["\\c"], "/leave room1"),
        (&["\\c", "query"], "/leave room1"),
    ] {
        let mut stage = ann(Language::English);
        for line in modes {
            stage.types(line);
        }
        stage.sent();
        for no in ["n", "\\c", "不要"] {
            let mode = stage.prompt();
            stage.types(line);
            assert_eq!(stage.prompt(), format!("leave room1? (Y/N) {mode}"));
            stage.printed();
            stage.types(no);
            let printed = stage.printed();
            let stays = "You did not leave room1.".to_owned();
            assert!(printed.contains(&stays), "{printed:?}");
        }
        stage.effects.clear();
        stage.types(line);
        stage.happens(Input::Key(Key::Ctrl('c')));
        stage.types("y");
        assert!(!stage.sent().contains(&RequestKind::LeaveRoom), "{line}");
        stage.types("\\c").types("contact").types("-r room1");
        stage.types("y");
        assert!(stage.sent().contains(&RequestKind::LeaveRoom), "{line}");
        stage.says(Event::LeftRoom {
            roomname: "room1".to_owned(),
        });
        assert!(
            !stage
                .app
                .common
                .context
                .session
                .has(&Target::Room("room1".to_owned()))
        );
    }
}

#[test]
fn leave_in_contact_mode_needs_a_room() {
    let mut stage = ann(Language::English);
    stage.types("-r nowhere");
    assert_eq!(stage.sent(), [RequestKind::LeaveRoom], "the server says no");
    assert_eq!(stage.prompt(), "contact> ");
    stage.types("/leave");
    assert_eq!(stage.printed().last().unwrap(), "Usage: /leave <room>");
}

#[test]
fn slash_commands_are_in_every_help() {
    for language in [Language::English, Language::Chinese] {
        for modes in [&["\\c"][..], &[], &["\\c", "query"], &["&r room1"]] {
            let mut stage = ann(language);
            for line in modes {
                stage.types(line);
            }
            stage.printed();
            stage.types("/help");
            let printed = stage.printed().join("\n");
            for command in ["/pending", "/withdraw", "/leave"] {
                let is_word = |word| word == command;
                assert!(printed.split_whitespace().any(is_word), "{printed}");
            }
        }
    }
}
