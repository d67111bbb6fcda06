//! What no server accepts: refused where it is typed, and never sent again and again.

use std::time::Duration;

use echat_proto::commands::CloseReason;

use super::*;
use crate::line_editor::Key;
use crate::session::Limits;
use crate::session::outgoing::Files;

impl Stage {
    /// Types a line and Enter.
    fn enters_line(&mut self, line: &str) -> &mut Self {
        self.happens(Input::Key(Key::Paste(line.into())));
        self.happens(Input::Key(Key::Enter)).looks()
    }

    /// The lines that were set aside since the last look.
    fn set_aside(&mut self) -> Vec<String> {
        let mut aside = Vec::new();
        self.effects.retain(|effect| match effect {
            Effect::SetAside { line, .. } => {
                aside.push(String::from_utf8_lossy(line).into_owned());
                false
            }
            _ => true,
        });
        aside
    }
}

fn files() -> Input {
    Input::Kept {
        user: "ann".to_owned(),
        files: Some(Files {
            waiting: "/state/ann".to_owned(),
            aside: "/state/ann.aside".to_owned(),
        }),
    }
}

/// A line of a file, with a text of so many bytes.
fn kept(txn_id: &str, bytes: usize) -> String {
    let content = "a".repeat(bytes);
    format!(
        r#"{{"txn_id":"{txn_id}","target_type":1,"target":"room1","content":"{content}","typed_at":7}}"#
    ) + "\n"
}

#[test]
fn a_text_that_is_too_long_stays_to_be_edited() {
    for (text, said) in [
        (
            "a".repeat(4_001),
            "Not sent: the text is 4001 bytes long (4001 characters); the limit is 4000 bytes.",
        ),
        (
            "a".repeat(65_500),
            "Not sent: the text is 65500 bytes long (65500 characters); the limit is 4000 bytes.",
        ),
        (
            "你".repeat(1_334),
            "Not sent: the text is 4002 bytes long (1334 characters); the limit is 4000 bytes.",
        ),
    ] {
        let mut stage = ann(Language::English);
        stage.types("&r room1").printed();
        stage.effects.clear();
        stage.enters_line(&text);
        assert_eq!(stage.printed(), [said]);
        assert_eq!(stage.app.editor().text(), text);
        assert_eq!(
            (stage.sent(), stage.app.common.context.pending()),
            (vec![], 0)
        );
        let saves = |effect: &Effect| matches!(effect, Effect::SaveOutgoing { .. });
        assert!(!stage.effects.iter().any(saves));
        stage.happens(Input::Key(Key::Ctrl('u')));
        stage.enters_line(&"a".repeat(4_000));
        assert_eq!(stage.sent(), [RequestKind::SendMessage]);
    }
}

#[test]
fn a_line_that_no_server_accepts_is_returned_in_every_mode() {
    let names = vec!["bob"; 1_001].join("+");
    for line in [
        format!("@r room1 {}", "a".repeat(4_001)),
        format!("@f {} hello", "a".repeat(21)),
        format!("+f {}", "a".repeat(65_000)),
        "+r two/words".to_owned(),
        format!("-r {}", "a".repeat(21)),
        format!("find {}", "a".repeat(65)),
        format!("new={names}"),
        format!("new+={names}"),
        format!("new={}", "a".repeat(21)),
        format!("{}=bob", "a".repeat(21)),
    ] {
        let mut stage = ann(Language::English);
        stage.enters_line(&line);
        let shown: String = line.chars().take(30).collect();
        assert_eq!(stage.sent(), [], "{shown}");
        assert_eq!(stage.app.common.context.pending(), 0, "{shown}");
        assert_eq!(stage.app.editor().text(), line, "{shown}");
    }
}

#[test]
fn plain_output_returns_a_refused_line_too() {
    let mut stage = ann(Language::English);
    stage.app.common.context.settings.echoes = false;
    stage.types("&r room1");
    let long = "a".repeat(4_001);
    stage.enters_line(&long);
    assert_eq!(stage.line(), long);
    stage.happens(Input::Key(Key::Ctrl('u')));
    stage.enters_line("short");
    let listed = stage.app.common.context.outgoing.listed("ann");
    let texts: Vec<&str> = listed.map(|(_, entry, _)| entry.content.as_str()).collect();
    assert_eq!(texts, ["short"]);
}

#[test]
fn a_confirmed_line_over_the_limit_is_returned_too() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").printed();
    let line = format!("@f bob {}", "a".repeat(4_000));
    stage.enters_line(&line).enters_line("y");
    assert_eq!(stage.app.editor().text(), line);
    assert_eq!(stage.sent(), []);
}

#[test]
fn a_refused_command_of_a_paste_is_returned() {
    let long = format!("find {}", "k".repeat(70));
    let mut stage = ann(Language::English);
    let text = format!("{long}\n:f");
    stage.happens(Input::Key(Key::Paste(text.into()))).looks();
    stage.enters_line("y");
    assert_eq!(stage.app.editor().text(), long);
}

#[test]
fn pasted_lines_are_sent_all_or_none() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").sent();
    let long = "a".repeat(3_000);
    let text = format!("one\n{long}\n{long}");
    stage
        .happens(Input::Key(Key::Paste(text.clone().into())))
        .looks();
    stage.enters_line("o").printed();
    assert_eq!(stage.sent(), []);
    stage.happens(Input::Key(Key::Paste(text.into()))).looks();
    stage.enters_line("y");
    assert_eq!(stage.app.common.context.pending(), 3);
    let mut stage = ann(Language::English);
    stage.types("&r room1").sent();
    let text = format!("one\n{}", "a".repeat(4_001));
    stage.happens(Input::Key(Key::Paste(text.into()))).looks();
    assert_eq!(stage.prompt(), "room1> ", "nothing is asked");
    assert!(stage.printed().concat().contains("4001 bytes"));
    // Longer than the edited line can be.
    stage.happens(Input::Key(Key::Paste("a".repeat(100_000).into())));
    assert!(stage.printed().concat().contains("100000 bytes"));
    assert_eq!(stage.prompt(), "room1> ");
}

#[test]
fn an_impossible_name_is_not_sent_in_a_login() {
    let mut stage = stage(Language::English);
    stage.types("login").printed();
    stage.types(&"a".repeat(65_000)).types("two words");
    assert_eq!(stage.prompt(), "login user name: ");
    stage.types("ann");
    assert_eq!(stage.prompt(), "login password: ");
    stage.happens(Input::Key(Key::Paste("a".repeat(100_000).into())));
    stage.happens(Input::Key(Key::Enter));
    assert!(stage.printed().concat().contains("1024 bytes"));
    assert!(!stage.has(&Effect::Connect));
}

#[test]
fn lines_kept_by_an_older_version_are_shown_and_set_aside() {
    let mut stage = stage(Language::English);
    stage.created.insert("room1".to_owned(), Some(0));
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.happens(files()).printed();
    let lines = [kept("x-1", 65_500), kept("x-2", 9), kept("x-3", 70_000)];
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some((lines.concat() + "{}\n").into_bytes()),
    });
    let aside = [&lines[0], &lines[2], "{}\n"].map(str::to_owned);
    assert_eq!(stage.set_aside(), aside);
    let printed = stage.printed();
    assert_eq!(printed[0], "Unsent lines from an earlier session: 1.");
    // The first line of a file may have been sent by the run that kept it.
    for (bytes, at, said, mark) in [
        (
            65_500,
            1,
            "Not sent again to room1",
            "(may have been received)",
        ),
        (70_000, 3, "Not sent to room1", "(not sent)"),
    ] {
        let excerpt = format!("{mark} {} ...", "a".repeat(200));
        assert_eq!(
            printed[at],
            format!(
                "{said}: the text is {bytes} bytes long ({bytes} characters); the limit is 4000 bytes."
            )
        );
        assert_eq!(printed[at + 1], excerpt);
    }
    assert_eq!(
        printed[5..],
        [
            "A saved line cannot be read.",
            "(not sent) {}",
            "These 3 lines will not be sent again. They are kept in /state/ann.aside.",
        ]
    );
    assert_eq!(stage.app.common.context.pending(), 1);
    let saved = stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::SaveOutgoing { lines, .. } => Some(lines.clone()),
        _ => None,
    });
    assert_eq!(saved, Some(lines[1].clone()));
}

#[test]
fn lines_that_cannot_be_read_are_counted_and_the_first_shown() {
    let mut stage = stage(Language::Chinese);
    stage.created.insert("room1".to_owned(), Some(0));
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.happens(files()).printed();
    let good = kept("x-1", 9);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some([good.as_bytes(), &b"b\xffd\x1b\n".repeat(1_000)].concat()),
    });
    let printed = stage.printed();
    assert_eq!(printed[1], "有 1000 条已保存的消息无法读取。");
    assert_eq!(printed[2..7], [r"（未发送）b\xffd␛"; 5]);
    assert_eq!(
        printed[7..],
        ["以上 1000 条消息不再发送，已移到 /state/ann.aside。"]
    );
    assert_eq!(stage.set_aside().len(), 1_000);
    assert_eq!(stage.app.common.context.pending(), 1);
}

#[test]
fn no_reason_repeats_that_the_line_was_not_sent() {
    for language in [Language::English, Language::Chinese] {
        let (words, line) = match language {
            Language::English => ("ot sent", "Line 2: "),
            Language::Chinese => ("未发送", "第 2 行："),
        };
        for text in ["a".repeat(4_001), "a\u{1}b".to_owned()] {
            let mut stage = ann(language);
            stage.types(&format!("@r room1 {text}"));
            let said = stage.printed().concat();
            assert_eq!(said.matches(words).count(), 1, "{said}");
        }
        for text in [
            format!("@r room1 {}", "a".repeat(4_001)),
            "@r room1 a\u{1}b".to_owned(),
            format!("find {}", "a".repeat(65)),
        ] {
            let mut stage = ann(language);
            stage.app.common.context.settings.interactive = false;
            stage.happens(Input::Line("contact".into()));
            stage
                .happens(Input::Line(text.into()))
                .happens(Input::EndOfInput);
            let said = stage.printed().concat();
            assert!(said.contains(line), "{said}");
            let twice = match language {
                Language::English => "Not sent",
                Language::Chinese => "：没有发送",
            };
            assert!(!said.contains(twice), "{said}");
        }
    }
}

#[test]
fn a_line_that_loses_every_connection_is_set_aside() {
    for reason in [None, Some(2), Some(3), Some(99)] {
        let mut stage = ann(Language::English);
        stage.happens(files());
        stage.types("@r room1 bad").types("@r room1 good");
        for turn in 0..3 {
            stage.sent();
            stage.effects.clear();
            stage.happens(Input::Closed(reason));
            assert!(
                stage.app.upstream.connection().is_coming(),
                "{reason:?} {turn}"
            );
            assert_eq!(
                stage.app.common.context.pending(),
                if turn < 2 { 2 } else { 1 }
            );
            if turn < 2 {
                stage.happens(Input::Connected).welcome("ann", vec![]);
            }
        }
        let printed = stage.printed();
        let said = "The connection was lost three times in a row while a line to room1 was being sent. The server may have received it.";
        let at = printed.iter().position(|line| line == said);
        let at = at.unwrap_or_else(|| panic!("{printed:?}"));
        assert_eq!(printed[at + 1], "(may have been received) bad");
        assert!(printed[at + 2].contains("/state/ann.aside"), "{printed:?}");
        assert_eq!(stage.set_aside().len(), 1);
        stage.happens(Input::Connected).welcome("ann", vec![]);
        stage.says(Event::History {
            messages: vec![],
            more: false,
            newer: None,
        });
        stage.says(live(in_room(9, "ann", "good"), Some("t-2")));
        assert_eq!(stage.app.common.context.pending(), 0);
    }
}

#[test]
fn losses_that_no_line_causes_set_no_line_aside() {
    let closed = |reason: CloseReason| Loss::Closed(reason as u64);
    for loss in [
        closed(CloseReason::Bye),
        closed(CloseReason::Idle),
        closed(CloseReason::Full),
        closed(CloseReason::Restarting),
        closed(CloseReason::TooSlow),
        closed(CloseReason::KeyWornOut),
        Loss::Silent,
        // Long after the line was sent.
        Loss::Cut,
    ] {
        let mut stage = ann(Language::English);
        stage.happens(files()).types("@r room1 good");
        for turn in 0..5 {
            stage.happens(Input::Elapsed {
                at: Duration::from_secs(100 * (turn + 1)),
            });
            stage.app.closed(loss);
            assert_eq!(stage.app.common.context.pending(), 1, "{loss:?} {turn}");
            stage.happens(Input::Connected).welcome("ann", vec![]);
        }
        assert_eq!(stage.set_aside(), [""; 0]);
        let printed = stage.printed().concat();
        assert!(!printed.contains("perhaps received"), "{printed}");
    }
}

#[test]
fn lower_limits_set_aside_queued_lines_that_exceed_them() {
    let mut stage = ann(Language::English);
    stage.happens(files()).happens(Input::Closed(None));
    stage.types("@r room1 short");
    stage.types(&format!("@r room1 {}", "a".repeat(50)));
    stage.app.common.context.session.set_limits(Limits {
        frame_bytes: 4_096,
        content_bytes: 40,
    });
    let App { outbox, common, .. } = &mut stage.app;
    outbox.apply_limits(common);
    let effects = stage.app.finish(true);
    stage.effects.extend(effects);
    assert_eq!(stage.app.common.context.pending(), 1);
    assert_eq!(stage.set_aside().len(), 1);
    stage.types(&format!("@r room1 {}", "a".repeat(41)));
    assert_eq!(stage.app.common.context.pending(), 1);
}

#[test]
fn leaving_says_where_lines_are_kept() {
    for (files, said) in [
        (
            files(),
            "They are kept in /state/ann and will be sent when ann next logs in here.",
        ),
        (
            Input::Kept {
                user: "ann".to_owned(),
                files: None,
            },
            "They are not saved and will be lost when the program ends.",
        ),
    ] {
        let mut stage = ann(Language::English);
        stage.happens(files).happens(Input::Closed(None));
        stage.types("@r room1 later").printed();
        stage.types("quit");
        assert_eq!(stage.printed()[1..], ["Unsent lines: 1.", said, "Goodbye."]);
    }
}

#[test]
fn logging_out_says_where_lines_are_kept() {
    let mut stage = ann(Language::English);
    stage.happens(files()).happens(Input::Closed(None));
    stage.types("@r room1 later").types("\\c").printed();
    stage.types("logout");
    let printed = stage.printed();
    assert!(printed[1..3].concat().contains("/state/ann"), "{printed:?}");
    stage.types("quit");
    assert_eq!(stage.printed()[1..], ["Goodbye."]);
}
