//! `/export`: pages become lines of a file, and nothing but a whole export leaves one.

use echat_proto::records::Reaction;
use serde_json::json;

use super::*;

/// A user who types the command; the file is begun.
fn exporting(language: Language) -> Stage {
    let mut stage = ann(language);
    stage.types("/export ~/my data");
    assert_eq!(created(&mut stage), ["~/my data"]);
    stage.happens(Input::Export(ExportReport::Created));
    stage
}

/// The files that were begun since the last look.
fn created(stage: &mut Stage) -> Vec<String> {
    let mut files = Vec::new();
    stage.effects.retain(|effect| match effect {
        Effect::CreateExport { file } => {
            files.push(file.clone());
            false
        }
        _ => true,
    });
    files
}

/// The lines that were written since the last look. Each write is done.
fn written(stage: &mut Stage) -> Vec<serde_json::Value> {
    let mut lines = Vec::new();
    while let Some(at) = stage
        .effects
        .iter()
        .position(|effect| matches!(effect, Effect::WriteExport { .. }))
    {
        let Effect::WriteExport { lines: text } = stage.effects.remove(at) else {
            unreachable!()
        };
        assert!(text.ends_with('\n'), "{text}");
        lines.extend(text.lines().map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            line
        }));
        stage.happens(Input::Export(ExportReport::Written));
    }
    lines
}

fn says_page(stage: &mut Stage, messages: Vec<ChatMessage>, more: bool) {
    stage.says(Event::History {
        messages,
        more,
        newer: None,
    });
}

#[test]
fn an_empty_page_before_the_last_one_is_no_end_of_an_export() {
    let mut stage = exporting(Language::English);
    written(&mut stage);
    says_room(&mut stage);
    written(&mut stage);
    asked(&mut stage);
    stage.printed();
    says_page(&mut stage, vec![], true);
    assert!(stage.has(&Effect::DropExport));
    assert_eq!(
        stage.printed(),
        ["Nothing was exported to ~/my data: the server has more messages and sends none"]
    );
    assert_eq!(asked(&mut stage), []);
}

/// So many conversations and new names are remembered, as in `app::export`.
const REMEMBERED: usize = 50_000;

#[test]
fn an_export_that_names_too_many_conversations_ends() {
    let too_many = "Nothing was exported to a: there are too many conversations";
    let mut stage = reading(Language::English);
    asked(&mut stage);
    stage.printed();
    let page = (0..REMEMBERED).map(|number| private(1, &format!("u{number}"), "ann", ""));
    says_page(&mut stage, page.collect(), true);
    assert!(stage.has(&Effect::DropExport));
    assert_eq!(stage.printed(), [too_many]);
    // The server gives the friend other names.
    let mut stage = reading(Language::Chinese);
    asked(&mut stage);
    for number in 0..REMEMBERED + 9 {
        let target = |number: usize| Target::Friend(format!("u{number}"));
        let exporter = &mut stage.app.exporter;
        exporter.rename(&target(number + 1_000_000), &target(number));
    }
    stage.printed();
    says_page(&mut stage, vec![private(1, "bob", "bob", "hi")], true);
    assert_eq!(stage.printed(), ["没有导出到 a：会话太多"]);
}

/// The requests since the last look, with their parameters.
fn asked(stage: &mut Stage) -> Vec<(RequestKind, String)> {
    let mut sent = Vec::new();
    stage.effects.retain(|effect| match effect {
        Effect::Send(message) => {
            let kind = RequestKind::from_number(message.command).unwrap();
            sent.push((kind, echat_proto::json::to_json(&message.params)));
            false
        }
        _ => true,
    });
    sent
}

fn says_room(stage: &mut Stage) {
    let room = RoomInfo {
        role: Some(RoomRole::Operator),
        topic: "tea".to_owned(),
        ..info("room1")
    };
    stage.happens(Input::Event(Event::Room { room }));
}

/// The server knows messages up to this id.
fn newest(stage: &mut Stage, id: u64) {
    stage.says(live(in_room(id, "bob", "newest"), None));
    stage.printed();
}

fn private(id: u64, friend: &str, sender: &str, content: &str) -> ChatMessage {
    ChatMessage {
        target: friend.to_owned(),
        target_type: TargetType::Friend,
        ..in_room(id, sender, content)
    }
}

/// An export whose room has been asked for and told, so that the first page is asked for. The newest message is 9.
fn reading(language: Language) -> Stage {
    let mut stage = ann(language);
    newest(&mut stage, 9);
    stage.types("/export a").sent();
    stage.happens(Input::Export(ExportReport::Created));
    written(&mut stage);
    says_room(&mut stage);
    written(&mut stage);
    stage.printed();
    stage
}

#[test]
fn an_export_begins_with_the_user_the_friends_and_the_rooms() {
    let mut stage = ann(Language::English);
    newest(&mut stage, 9);
    stage.types("/export ~/my data");
    assert_eq!(created(&mut stage), ["~/my data"]);
    assert_eq!(asked(&mut stage), []);
    stage.happens(Input::Export(ExportReport::Created));
    assert_eq!(
        stage.printed().last().unwrap(),
        "Exporting your data to ~/my data. Ctrl-C cancels."
    );
    assert_eq!(
        written(&mut stage),
        [
            json!({"type": "export", "format": 1, "echat": env!("CARGO_PKG_VERSION"), "scope": "user",
                "name": "ann", "created_at": 1_700_000_000, "newest_id": 9}),
            json!({"type": "user", "name": "ann"}),
            json!({"type": "friends", "users": ["ann", "bob"], "ended_at": null}),
        ]
    );
    assert_eq!(
        asked(&mut stage),
        [(RequestKind::RoomInfo, "\"room1\"".to_owned())]
    );
    says_room(&mut stage);
    assert_eq!(
        written(&mut stage),
        [
            json!({"type": "room", "name": "room1", "owner": "bob", "topic": "tea", "private": false,
                "read_only": false, "slow_seconds": 0, "keep_days": null, "created_at": 1_700_000_000}),
            json!({"type": "member", "room": "room1", "user": "ann", "operator": true}),
        ]
    );
    assert_eq!(asked(&mut stage), [page(0)]);
}

/// The request for the page after this id.
fn page(after: u64) -> (RequestKind, String) {
    let params = format!(r#"{{"after":{after},"limit":200}}"#);
    (RequestKind::QueryHistory, params)
}

#[test]
fn a_message_is_a_line_with_everything_but_a_text_that_is_gone() {
    let mut stage = reading(Language::English);
    let deleted = ChatMessage {
        deleted: Some(true),
        ..in_room(2, "eve", "")
    };
    let reaction = |emoji: &str, count, mine| Reaction {
        emoji: emoji.to_owned(),
        count,
        mine,
    };
    let rich = ChatMessage {
        reply_to: Some(2),
        edited: Some(1_700_000_009),
        mentions: Some(vec!["@all".to_owned(), "ann".to_owned()]),
        reactions: Some(vec![reaction("👍", 3, Some(true)), reaction("🍵", 1, None)]),
        ..in_room(3, "bob", "tea @all @ann\n{\"type\":\"end\"}")
    };
    says_page(&mut stage, vec![deleted, rich], true);
    assert_eq!(
        written(&mut stage),
        [
            json!({"type": "message", "room": "room1", "id": 2, "from": "eve", "time": 1_700_000_002,
                "deleted": true}),
            json!({"type": "message", "room": "room1", "id": 3, "from": "bob", "time": 1_700_000_003,
                "text": "tea @all @ann\n{\"type\":\"end\"}", "reply_to": 2, "edited_at": 1_700_000_009,
                "mentions": ["@all", "ann"],
                "reactions": [{"emoji": "👍", "count": 3, "users": ["ann"]},
                    {"emoji": "🍵", "count": 1, "users": []}]}),
        ]
    );
}

#[test]
fn pages_become_lines_and_the_end_says_that_they_are_all() {
    let mut stage = reading(Language::English);
    assert_eq!(asked(&mut stage).last(), Some(&page(0)));
    says_page(&mut stage, vec![in_room(3, "bob", "tea?")], true);
    assert_eq!(written(&mut stage).len(), 1);
    assert_eq!(asked(&mut stage), [page(3)]);
    let messages = vec![
        private(4, "bob", "ann", "to bob"),
        private(5, "carol", "carol", "a friend of old"),
        in_room(9, "ann", "me"),
        in_room(10, "bob", "later"),
    ];
    says_page(&mut stage, messages, true);
    assert_eq!(
        written(&mut stage),
        [
            json!({"type": "message", "friends": ["ann", "bob"], "id": 4, "from": "ann",
                "time": 1_700_000_004, "text": "to bob"}),
            json!({"type": "friends", "users": ["ann", "carol"], "ended": true}),
            json!({"type": "message", "friends": ["ann", "carol"], "id": 5, "from": "carol",
                "time": 1_700_000_005, "text": "a friend of old"}),
            json!({"type": "message", "room": "room1", "id": 9, "from": "ann", "time": 1_700_000_009,
                "text": "me"}),
            json!({"type": "end", "lines": 10}),
        ]
    );
    assert_eq!(asked(&mut stage), []);
    assert!(stage.has(&Effect::FinishExport) && stage.printed().is_empty());
    stage.happens(Input::Export(ExportReport::Finished));
    assert_eq!(
        stage.printed(),
        ["Export complete: a (friends: 1, rooms: 1, messages: 4)."]
    );
    assert!(!stage.app.exporter.is_running());
}

#[test]
fn an_export_is_told_in_chinese_too() {
    let mut stage = exporting(Language::Chinese);
    assert_eq!(
        stage.printed().last().unwrap(),
        "正在把你的数据导出到 ~/my data，按 Ctrl-C 取消。"
    );
    written(&mut stage);
    says_room(&mut stage);
    written(&mut stage);
    says_page(&mut stage, Vec::new(), false);
    assert_eq!(
        written(&mut stage).last().unwrap(),
        &json!({"type": "end", "lines": 5})
    );
    stage.happens(Input::Export(ExportReport::Finished));
    assert_eq!(
        stage.printed(),
        ["导出完成：~/my data（好友 1 位，聊天室 1 个，消息 0 条）。"]
    );
}

#[test]
fn nothing_of_an_export_is_shown_or_remembered_and_the_user_goes_on_typing() {
    let mut stage = exporting(Language::English);
    newest(&mut stage, 9);
    written(&mut stage);
    stage.sent();
    stage.types("@r room1 hello");
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
    says_room(&mut stage);
    written(&mut stage);
    assert_eq!(stage.sent(), [RequestKind::QueryHistory]);
    says_page(&mut stage, vec![in_room(3, "bob", "old")], true);
    written(&mut stage);
    stage.happens(Input::Event(live(in_room(11, "ann", "hello"), Some("t-1"))));
    assert_eq!(stage.contents(), [""; 0]);
    let printed = stage.printed();
    assert!(
        !printed.iter().any(|line| line.contains("old")),
        "{printed:?}"
    );
    let room1 = Target::Room("room1".to_owned());
    let conversation = stage.app.common.context.session.conversation(&room1);
    assert!(
        conversation
            .unwrap()
            .lines()
            .all(|post| post.content != "old")
    );
    // A prompt does not wait for the pages.
    assert!(stage.app.exporter.is_running() && !stage.app.is_expecting());
}

/// Every way in which an export ends without a file: what happens, and why there is none.
#[test]
fn what_ends_an_export_leaves_no_file_and_says_why() {
    let closed = || Input::Closed(None);
    let key = |key| Input::Key(key);
    for (what, why) in [
        (
            closed(),
            "the connection was lost; type the command again when it is back",
        ),
        (
            Input::Event(Event::ServerKick {}),
            "you are no longer logged in",
        ),
        (
            Input::Event(Event::LoggedOut {}),
            "you are no longer logged in",
        ),
        (key(Key::Ctrl('c')), "the export was cancelled"),
        (key(Key::Ctrl('d')), "the export was cancelled"),
    ] {
        for begun in [false, true] {
            let mut stage = exporting(Language::English);
            if begun {
                written(&mut stage);
            }
            stage.printed();
            let name = format!("{what:?}, {begun}");
            stage.happens(again(&what));
            assert!(stage.has(&Effect::DropExport), "{name}");
            let printed = stage.printed();
            let said = format!("Nothing was exported to ~/my data: {why}");
            assert_eq!(
                printed.iter().filter(|line| **line == said).count(),
                1,
                "{name}: {printed:?}"
            );
            assert!(!stage.app.exporter.is_running(), "{name}");
            // What comes late begins nothing.
            stage.effects.clear();
            stage.happens(Input::Export(ExportReport::Written));
            assert_eq!(stage.sent(), [], "{name}");
        }
    }
}

/// The same input once more.
fn again(input: &Input) -> Input {
    match input {
        Input::Closed(reason) => Input::Closed(*reason),
        Input::Key(key) => Input::Key(key.clone()),
        Input::Event(event) => Input::Event(event.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn ctrl_c_first_ends_a_question_and_then_the_export() {
    let mut stage = exporting(Language::English);
    stage.types("/leave room1");
    assert!(
        stage.prompt().contains("leave room1?"),
        "{}",
        stage.prompt()
    );
    stage.happens(Input::Key(Key::Ctrl('c')));
    assert!(stage.app.exporter.is_running());
    stage.happens(Input::Key(Key::Ctrl('c')));
    assert!(!stage.app.exporter.is_running());
}

#[test]
fn a_name_that_is_taken_ends_the_export() {
    let mut stage = ann(Language::Chinese);
    stage.types("/export a").printed();
    stage.happens(Input::Export(ExportReport::Exists));
    assert_eq!(stage.printed(), ["导出失败：a 已存在，请换一个文件名。"]);
    assert!(!stage.app.exporter.is_running());
}

#[test]
fn a_file_that_cannot_be_written_ends_the_export() {
    let why = || ExportReport::Failed {
        why: "No space left on device".to_owned(),
    };
    for after in 0..3 {
        let mut stage = ann(Language::English);
        stage.types("/export a");
        if after > 0 {
            stage.happens(Input::Export(ExportReport::Created));
        }
        if after > 1 {
            written(&mut stage);
            says_room(&mut stage);
        }
        stage.effects.clear();
        stage.happens(Input::Export(why()));
        assert_eq!(
            stage.printed(),
            ["Nothing was exported to a: No space left on device"]
        );
        assert!(!stage.app.exporter.is_running());
        // Another one is not disturbed by the reply to the first one's request.
        stage.types("/export b");
        stage.happens(Input::Export(ExportReport::Created));
        written(&mut stage);
        if after > 0 {
            stage.effects.clear();
            says_page(&mut stage, vec![in_room(1, "bob", "x")], false);
        }
        assert!(stage.app.exporter.is_running());
    }
}

#[test]
fn a_reply_to_an_export_that_was_cancelled_is_not_taken_for_the_next_one() {
    let mut stage = exporting(Language::English);
    written(&mut stage);
    stage.happens(Input::Key(Key::Ctrl('c')));
    stage.types("/export b");
    stage.happens(Input::Export(ExportReport::Created));
    written(&mut stage);
    stage.effects.clear();
    // The room of the first export, then that of the second one.
    says_room(&mut stage);
    assert_eq!(written(&mut stage), [json!(null); 0]);
    says_room(&mut stage);
    assert_eq!(written(&mut stage).len(), 2);
}

#[test]
fn a_refusal_ends_the_export_but_a_room_that_is_gone_is_left_out() {
    let mut stage = exporting(Language::English);
    written(&mut stage);
    stage.effects.clear();
    let refused = |code: &str| Event::Refused {
        fail: fail(code, &[]),
    };
    stage.happens(Input::Event(refused("unknown_room")));
    assert_eq!(stage.sent(), [RequestKind::QueryHistory]);
    stage.happens(Input::Event(refused("storage_busy")));
    assert!(stage.has(&Effect::DropExport));
    let printed = stage.printed();
    assert!(
        printed[0].starts_with("Nothing was exported to ~/my data: "),
        "{printed:?}"
    );
}

#[test]
fn names_in_the_file_are_those_of_the_beginning() {
    let mut stage = reading(Language::English);
    for (was, now) in [("bob", "robert"), ("robert", "rob")] {
        stage.happens(Input::Event(Event::OnUserRenamed {
            was: was.to_owned(),
            username: now.to_owned(),
        }));
    }
    stage.happens(Input::Event(Event::OnRoomChanged {
        was: "room1".to_owned(),
        by: None,
        room: info("room2"),
    }));
    let in_room2 = ChatMessage {
        target: "room2".to_owned(),
        mentions: Some(vec!["rob".to_owned()]),
        ..in_room(2, "rob", "hi")
    };
    says_page(
        &mut stage,
        vec![in_room2, private(3, "rob", "rob", "ho")],
        false,
    );
    let lines = written(&mut stage);
    assert_eq!(
        lines[..2],
        [
            json!({"type": "message", "room": "room1", "id": 2, "from": "bob", "time": 1_700_000_002,
                "text": "hi", "mentions": ["bob"]}),
            json!({"type": "message", "friends": ["ann", "bob"], "id": 3, "from": "bob",
                "time": 1_700_000_003, "text": "ho"}),
        ]
    );
    assert_eq!(lines.len(), 3);
}

#[test]
fn a_room_that_is_renamed_while_it_is_asked_for_is_asked_for_again() {
    let another = Event::Room {
        room: info("room1"),
    };
    let refused = Event::Refused {
        fail: fail("unknown_room", &[]),
    };
    for first in [refused, another] {
        let mut stage = ann(Language::English);
        newest(&mut stage, 9);
        stage.types("/export a").sent();
        stage.happens(Input::Export(ExportReport::Created));
        written(&mut stage);
        asked(&mut stage);
        stage.happens(Input::Event(Event::OnRoomChanged {
            was: "room1".to_owned(),
            by: None,
            room: info("den"),
        }));
        stage.happens(Input::Event(first));
        let again = (RequestKind::RoomInfo, "\"den\"".to_owned());
        assert_eq!(asked(&mut stage), [again]);
        stage.happens(Input::Event(Event::Room { room: info("den") }));
        let lines = written(&mut stage);
        assert_eq!(lines[0]["name"], "room1", "the name of the beginning");
        assert_eq!(asked(&mut stage)[0].0, RequestKind::QueryHistory);
    }
}

#[test]
fn the_command_is_completed_and_in_every_help() {
    for (language, form) in [
        (Language::English, "/export <file>"),
        (Language::Chinese, "/export <文件>"),
    ] {
        let mut stage = ann(language);
        stage.presses("/exp\t");
        assert_eq!(stage.line(), "/export ");
        stage.presses("a\n");
        assert_eq!(created(&mut stage), ["a"]);
        for (line, form) in [("help", "/export"), ("/help export", form)] {
            stage.printed();
            stage.types(line);
            let printed = stage.printed();
            assert!(
                printed.iter().any(|line| line.contains(form)),
                "{line}: {printed:?}"
            );
        }
    }
}

#[test]
fn an_export_needs_a_login_a_connection_a_file_and_no_other_export() {
    let mut stage = stage(Language::English);
    stage.types("/export a");
    assert_eq!(stage.printed().last().unwrap(), "Please log in first.");
    let mut stage = ann(Language::English);
    stage.types("/export");
    assert_eq!(stage.printed().last().unwrap(), "Usage: /export <file>");
    stage.types("/export a").types("／export b");
    assert_eq!(
        stage.printed().last().unwrap(),
        "Nothing was exported to b: another export is under way"
    );
    assert_eq!(created(&mut stage), ["a"]);
    stage.happens(Input::Closed(None));
    stage.printed();
    stage.types("/export c");
    assert_eq!(
        stage.printed().last().unwrap(),
        "Nothing was exported to c: you are offline; type the command again when the connection is back"
    );
    assert_eq!(created(&mut stage), [""; 0]);
}

/// A user in a pipe, whose script has these lines.
fn piped(lines: &[&str]) -> Stage {
    let mut settings = Settings::new("p");
    settings.interactive = false;
    settings.user = Some("ann".to_owned());
    settings.password = Some("password1".into());
    let mut stage = Stage::of(App::new(settings, Language::English));
    stage
        .happens(Input::Tick { now: 1_700_000_000 })
        .happens(Input::Start);
    for line in lines {
        stage.happens(Input::Line((*line).into()));
    }
    stage.happens(Input::EndOfInput);
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    stage
}

#[test]
fn a_script_waits_for_the_end_of_its_export() {
    let mut stage = piped(&["/export a", "@r room1 done"]);
    stage.happens(Input::Export(ExportReport::Created));
    written(&mut stage);
    says_room(&mut stage);
    written(&mut stage);
    says_page(&mut stage, Vec::new(), false);
    written(&mut stage);
    assert!(!stage.sent().contains(&RequestKind::SendMessage));
    stage.happens(Input::Export(ExportReport::Finished));
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
    stage.says(live(in_room(3, "ann", "done"), Some("p-1")));
    assert!(stage.has(&Effect::Quit(Exit::Success)));
}

#[test]
fn the_exit_code_of_a_script_tells_of_an_export_without_a_file() {
    let begun = || {
        let mut stage = piped(&["/export a"]);
        stage.happens(Input::Export(ExportReport::Created));
        stage
    };
    let mut stage = begun();
    let why = "No space left on device".to_owned();
    stage.happens(Input::Export(ExportReport::Failed { why }));
    assert!(stage.has(&Effect::Quit(Exit::Local)));

    let mut stage = begun();
    written(&mut stage);
    stage.happens(Input::Event(Event::Refused {
        fail: fail("storage_busy", &[]),
    }));
    assert!(stage.has(&Effect::Quit(Exit::Refused)));

    let mut stage = begun();
    written(&mut stage);
    stage.happens(Input::Closed(None));
    stage.happens(Input::Connected).welcome("ann", vec![]);
    // What was missed in the meantime.
    says_page(&mut stage, Vec::new(), false);
    assert!(stage.has(&Effect::Quit(Exit::Protocol)));
}
