//! Without a terminal.

use super::*;
use crate::target::Target;

fn pipe() -> Stage {
    let mut settings = Settings::new("p");
    settings.interactive = false;
    settings.user = Some("ann".to_owned());
    settings.password = Some("password1".into());
    settings.deadline = Some(1_700_000_060);
    let mut stage = Stage::of(App::new(settings, Language::English));
    stage
        .happens(Input::Tick { now: 1_700_000_000 })
        .happens(Input::Start);
    stage
}

#[test]
fn a_line_is_sent_and_the_program_ends() {
    let mut stage = pipe();
    stage
        .happens(Input::Line("@r room1 done".into()))
        .happens(Input::EndOfInput);
    stage.happens(Input::Connected);
    assert_eq!(stage.sent(), [RequestKind::Login]);
    stage.welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
    assert!(!stage.has(&Effect::Quit(Exit::Success)));
    stage.says(live(in_room(3, "ann", "done"), Some("p-1")));
    assert_eq!(stage.printed(), ["[2023-11-14 22:13:23] me to room1: done"]);
    assert!(stage.has(&Effect::Quit(Exit::Success)));
    assert!(!stage.has(&Effect::Prompt));
}

#[test]
fn lines_for_a_room_that_cannot_be_opened_are_not_read_as_commands() {
    let mut stage = pipe();
    stage.app.common.context.settings.open = Some(Target::Room("nowhere".to_owned()));
    stage.happens(Input::Line("other=bob".into()));
    stage.happens(Input::Connected).welcome("ann", vec![]);
    assert_eq!(stage.sent(), [RequestKind::Login, RequestKind::JoinRoom]);
    assert_eq!(stage.printed(), [""; 0]);
    stage.says(join_result(Some("unknown_room")));
    assert_eq!(
        stage.printed(),
        [
            "Room nowhere does not exist, or it is private and you are not invited.",
            "1 line was not run (from line 1)."
        ]
    );
    assert_eq!(stage.sent(), [RequestKind::Logout; 0]);
    assert!(stage.has(&Effect::Quit(Exit::Refused)));
}

#[test]
fn lines_for_a_room_of_the_address_wait_until_it_is_joined() {
    let mut stage = pipe();
    stage.app.common.context.settings.open = Some(Target::Room("class".to_owned()));
    stage.happens(Input::Line("hello".into()));
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    assert_eq!(stage.sent(), [RequestKind::Login, RequestKind::JoinRoom]);
    stage.says(Event::OnNewRoom {
        roomname: "class".to_owned(),
    });
    stage.says(join_result(None));
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
}

/// The reply to JOIN_ROOM: a success, or a refusal with this code.
fn join_result(code: Option<&str>) -> Event {
    let done = || Outcome::Done(String::new());
    Event::JoinRoomResult {
        result: code.map_or_else(done, |code| Outcome::Refused(fail(code, &[]))),
    }
}

#[test]
fn a_message_without_a_text_is_an_error() {
    let mut stage = ready();
    writes(&mut stage, &["/msg bob", "/msg #room1"]);
    let printed = stage.printed();
    assert!(
        printed[0].contains("A message needs a text: `/msg bob <text>`."),
        "{printed:?}"
    );
    assert_eq!(stage.app.mode.target(), None);
}

#[test]
fn an_unknown_room_or_user_is_an_error() {
    let mut stage = pipe();
    stage
        .happens(Input::Line("&r nowhere".into()))
        .happens(Input::EndOfInput);
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    assert!(stage.has(&Effect::Quit(Exit::Usage)));
}

#[test]
fn an_unknown_command_of_a_chat_is_an_error() {
    for line in ["/leave", "/members"] {
        let mut stage = ready();
        writes(&mut stage, &["&f bob", line]);
        stage.happens(Input::EndOfInput);
        assert!(stage.has(&Effect::Quit(Exit::Usage)), "{line}");
    }
}

#[test]
fn a_line_that_is_too_long_ends_the_input_after_the_lines_before_it_are_sent() {
    let mut stage = ready();
    writes(&mut stage, &["@r room1 good"]);
    stage
        .happens(Input::LineTooLong { line: 2 })
        .happens(Input::EndOfInput);
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
    stage.says(live(in_room(3, "ann", "good"), Some("p-1")));
    let printed = stage.printed();
    let said = "Line 2 is longer than 1 MiB. This line and everything after it were not sent.";
    assert_eq!(printed.last().unwrap(), said);
    assert!(stage.has(&Effect::Quit(Exit::Usage)));
}

#[test]
fn lines_left_unsent_by_a_lost_connection_are_named() {
    let mut stage = ready();
    writes(
        &mut stage,
        &["@r room1 one", "@r room1 two", "@r room1 three"],
    );
    stage.happens(Input::EndOfInput).sent();
    stage.happens(Input::Closed(None));
    for _ in 0..20 {
        stage.happens(unreachable());
    }
    let printed = stage.printed();
    let cannot = "Cannot connect to chat:1: no route".to_owned();
    assert!(printed.contains(&cannot), "{printed:?}");
    let left = "2 lines were not run (from line 2).".to_owned();
    assert!(printed.contains(&left), "{printed:?}");
    assert!(stage.has(&Effect::Quit(Exit::CannotConnect)));
}

#[test]
fn every_kind_of_failure_has_its_exit_code() {
    let quits = |inputs: Vec<Input>| {
        let mut stage = pipe();
        stage
            .happens(Input::Line("@r room1 done".into()))
            .happens(Input::EndOfInput);
        for input in inputs {
            stage.happens(input);
        }
        stage.effects.pop()
    };
    let quit = |exit| Some(Effect::Quit(exit));
    assert_eq!(quits(vec![unreachable()]), quit(Exit::CannotConnect));
    let wrong = Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    };
    assert_eq!(
        quits(vec![Input::Connected, Input::Event(wrong)]),
        quit(Exit::Refused)
    );
    assert_eq!(
        quits(vec![Input::Tick { now: 1_700_000_060 }]),
        quit(Exit::TimeOut)
    );

    let mut stage = pipe();
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: None,
    });
    stage
        .happens(Input::Line("@r room1 done".into()))
        .happens(Input::EndOfInput);
    stage.says(Event::SendMessageFailure {
        fail: fail("not_a_member", &[]),
    });
    assert!(stage.has(&Effect::Quit(Exit::Refused)));

    let mut stage = pipe();
    stage
        .happens(Input::Line("@x room1".into()))
        .happens(Input::EndOfInput);
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    assert!(stage.has(&Effect::Quit(Exit::Usage)));
}

/// Logged in, with nothing waiting.
fn ready() -> Stage {
    let mut stage = pipe();
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    stage.sent();
    stage
}

fn writes(stage: &mut Stage, lines: &[&str]) {
    for line in lines {
        stage.happens(Input::Line((*line).into()));
    }
}

#[test]
fn a_line_waits_for_the_answer_to_the_line_before_it() {
    let mut stage = ready();
    writes(&mut stage, &["new=", "&r new", "hello there"]);
    assert_eq!(stage.sent(), [RequestKind::CreateRoom]);
    stage.says(Event::OnNewRoom {
        roomname: "new".to_owned(),
    });
    stage.says(Event::CreateRoomResult {
        result: Outcome::Done(String::new()),
    });
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
    let lines = stage.app.common.context.outgoing.to_lines("ann");
    assert!(lines.contains("hello there"), "{lines}");
}

#[test]
fn nothing_is_done_after_leaving() {
    let mut stage = ready();
    writes(&mut stage, &["+f bob1", "\\d", "+f carol"]);
    writes(&mut stage, &["+f dave"]);
    stage.says(Event::AddFriendResult {
        result: Outcome::Done(String::new()),
    });
    assert_eq!(stage.sent(), [RequestKind::AddFriend]);
    assert!(stage.has(&Effect::Quit(Exit::Success)));
}

#[test]
fn input_is_not_read_while_many_lines_are_queued() {
    let mut stage = ready();
    writes(&mut stage, &["+f carol"; 1_000]);
    assert!(stage.app.wants_input());
    writes(&mut stage, &["+f carol"]);
    assert!(!stage.app.wants_input());
}

#[test]
fn waiting_for_an_absent_server_has_a_limit() {
    let mut stage = ready();
    stage.app.common.context.settings.deadline = None;
    writes(&mut stage, &["@r room1 done"]);
    stage.happens(Input::Closed(None));
    for _ in 0..20 {
        stage.happens(unreachable());
    }
    assert!(!stage.app.is_over, "a bot may have more to say");
    stage.happens(Input::EndOfInput).happens(unreachable());
    assert!(stage.has(&Effect::Quit(Exit::CannotConnect)));
    let printed = stage.printed();
    let [.., unsent, kept] = &printed[..] else {
        panic!("{printed:?}");
    };
    assert_eq!(unsent, "Unsent lines: 1.");
    assert!(kept.starts_with("They are not saved"), "{kept}");
}

#[test]
fn a_line_that_no_server_accepts_ends_the_input() {
    for (line, said) in [
        (format!("@r room1 {}", "a".repeat(4_001)), "4001 bytes"),
        (format!("@r room1 {}", "a".repeat(65_500)), "65500 bytes"),
        (format!("find {}", "a".repeat(65)), "65 bytes"),
        (format!("+f {}", "a".repeat(21)), "21 characters"),
        (format!("{}=bob", "a".repeat(21)), "20"),
        ("@r room1 a\u{7}".to_owned(), "U+0007"),
    ] {
        let mut stage = ready();
        writes(&mut stage, &["", "@r room1 first"]);
        stage.happens(Input::Line(line.into()));
        writes(&mut stage, &["@r room1 third"]);
        stage.happens(Input::EndOfInput);
        assert_eq!(stage.sent(), [RequestKind::SendMessage]);
        assert!(!stage.has(&Effect::Quit(Exit::Usage)));
        stage.says(live(in_room(3, "ann", "first"), Some("p-1")));
        let printed = stage.printed().join("\n");
        assert!(
            printed.contains("Line 3: ") && printed.contains(said),
            "{printed}"
        );
        assert_eq!(stage.sent(), []);
        assert!(stage.has(&Effect::Quit(Exit::Usage)));
    }
}

#[test]
fn an_impossible_password_is_bad_input() {
    for password in ["short".to_owned(), "a".repeat(1_025)] {
        let mut settings = Settings::new("p");
        settings.interactive = false;
        let mut stage = Stage::of(App::new(settings, Language::English));
        stage.happens(Input::Tick { now: 1_700_000_000 });
        stage.happens(Input::Start);
        writes(&mut stage, &["register", "ann", &password]);
        stage.happens(Input::EndOfInput);
        assert!(stage.has(&Effect::Quit(Exit::Usage)));
        assert!(!stage.has(&Effect::Connect));
    }
}

#[test]
fn a_mistake_in_a_script_names_its_line() {
    let mut stage = ready();
    writes(&mut stage, &["@r room1 one", "", "hello"]);
    stage.says(live(in_room(3, "ann", "one"), Some("p-1")));
    let printed = stage.printed();
    let said = "line 3: Unknown command: hello. Type `help` for a list.".to_owned();
    assert!(printed.contains(&said), "{printed:?}");
}

/// A script logs in, and the connection is lost with its line unanswered and comes back.
fn cut_with(line: &str) -> Stage {
    let mut stage = ready();
    writes(&mut stage, &[line]);
    stage
        .happens(Input::EndOfInput)
        .happens(Input::Closed(None));
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage
}

fn empty_page() -> Event {
    Event::History {
        messages: vec![],
        more: false,
        newer: None,
    }
}

#[test]
fn the_exit_code_tells_of_a_command_that_got_no_answer() {
    for line in ["+f carol", "find bob", "new=bob"] {
        let mut stage = cut_with(line);
        stage.says(empty_page());
        let printed = stage.printed().concat();
        assert!(printed.contains("lost before the answer"), "{printed}");
        assert!(stage.has(&Effect::Quit(Exit::Protocol)), "{line}");
    }
    // A line is sent again, and is done.
    let mut stage = cut_with("@r room1 hi");
    stage.says(empty_page());
    stage.says(live(in_room(3, "ann", "hi"), Some("p-1")));
    assert!(stage.has(&Effect::Quit(Exit::Success)));
}

#[test]
fn a_room_of_the_address_that_is_joined_again_after_a_loss_is_no_failure() {
    let mut stage = pipe();
    stage.app.common.context.settings.open = Some(Target::Room("class".to_owned()));
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage
        .happens(Input::EndOfInput)
        .happens(Input::Closed(None));
    let printed = stage.printed();
    assert!(
        !printed.concat().contains("lost before the answer"),
        "{printed:?}"
    );
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    stage.says(Event::OnNewRoom {
        roomname: "class".to_owned(),
    });
    stage.says(join_result(None)).says(empty_page());
    assert_eq!(stage.printed(), ["You joined class."]);
    assert!(stage.has(&Effect::Quit(Exit::Success)));
}
