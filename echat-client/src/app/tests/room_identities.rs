//! Names of rooms that stand for other rooms after a login: unsent lines and open chats follow the room, not the name.

use super::*;

/// When the rooms of these tests were created; [`info`] says 1,700,000,000 of all others.
const OLD: u64 = 1_600_000_000;

impl Stage {
    /// The connection is lost and comes back; the user is in these rooms then.
    fn comes_back_to(&mut self, rooms: &[&str]) -> &mut Self {
        self.happens(Input::Connected).logs_in_to(rooms)
    }

    fn logs_in_to(&mut self, rooms: &[&str]) -> &mut Self {
        self.says(Event::LoginSuccess {
            username: "ann".to_owned(),
        });
        self.says(
            LoginBundle {
                chat_rooms: rooms.iter().map(|room| (*room).to_owned()).collect(),
                friends: vec!["bob".to_owned()],
                ..LoginBundle::default()
            }
            .into(),
        )
    }

    /// The targets of the messages that were sent since the last look.
    fn sent_to(&mut self) -> Vec<String> {
        let number = RequestKind::SendMessage.info().number;
        let target = |effect: &Effect| match effect {
            Effect::Send(message) if message.command == number => {
                match message.params.at("target") {
                    Some(Value::Str(target)) => Some(target.clone()),
                    other => panic!("{other:?}"),
                }
            }
            _ => None,
        };
        let sent = self.effects.iter().filter_map(target).collect();
        self.sent();
        sent
    }

    /// The server knows this room, created then.
    fn has_room(&mut self, room: &str, created: impl Into<Option<u64>>) -> &mut Self {
        self.created.insert(room.to_owned(), created.into());
        self
    }

    /// The lines of the newest file of unsent lines.
    fn kept(&self) -> String {
        let kept = |effect: &Effect| match effect {
            Effect::SaveOutgoing { lines, .. } => Some(lines.clone()),
            _ => None,
        };
        self.effects.iter().rev().find_map(kept).unwrap_or_default()
    }
}

/// Ann in the chat of room1, which is old, without a connection, and with an unsent line for it.
fn offline() -> Stage {
    let mut stage = ann(Language::English);
    stage.has_room("room1", OLD);
    stage.types("&r room1");
    stage.says(live(in_room(1, "x", "sync"), None));
    stage.happens(Input::Closed(None));
    stage.types("secret").printed();
    stage
}

#[test]
fn a_line_is_not_sent_to_a_room_that_took_the_name() {
    let mut stage = offline();
    stage.effects.clear();
    stage.has_room("room1", OLD + 1);
    stage.comes_back_to(&["room1"]);
    assert_eq!(stage.sent_to(), [""; 0]);
    let printed = stage.printed();
    assert_eq!(
        printed[1..],
        [
            "room1 is another room now: the one that you had open was closed or renamed while you were away.",
            "Not sent: another room has the name room1 now. The unsent line for the old one is kept; type `/pending` to see it.",
        ],
        "{printed:?}"
    );
    assert_eq!(stage.prompt(), "contact (1 pending)> ");
    stage.types("/pending");
    assert!(stage.printed().concat().contains("to room1: secret"));
    // A line for the new room goes there, and the old one still does not.
    stage.types("&r room1").types("hello");
    assert_eq!(stage.sent_to(), ["room1"]);
    assert_eq!(stage.contents(), ["secret", "hello"]);
}

#[test]
fn lines_and_chat_follow_a_room_that_was_renamed_while_it_was_empty() {
    let mut stage = ann(Language::English);
    stage.has_room("room1", OLD).has_room("den", OLD);
    stage.types("&r room1").says(Event::OnFriendOffline {
        username: "bob".to_owned(),
    });
    stage.has_room("room1", None);
    stage.happens(Input::Closed(None)).types("secret").printed();
    stage.effects.clear();
    stage.comes_back_to(&["other", "den"]);
    assert_eq!(stage.sent_to(), ["den"]);
    assert_eq!(stage.printed()[1..], ["The room room1 is called den now."],);
    assert_eq!(stage.prompt(), "den (1 pending)> ");
    assert_eq!(stage.identified, ["room1", "den", "other"]);
}

#[test]
fn lines_and_chat_follow_a_room_whose_name_was_taken() {
    let mut stage = offline();
    stage.effects.clear();
    stage.has_room("room1", OLD + 1).has_room("den", OLD);
    stage.comes_back_to(&["room1", "den"]);
    assert_eq!(stage.sent_to(), ["den"]);
    assert_eq!(stage.prompt(), "den (1 pending)> ");
    let printed = stage.printed();
    assert_eq!(printed[1..], ["The room room1 is called den now."]);
}

#[test]
fn lines_of_an_earlier_run_do_not_go_to_a_room_that_is_joined_by_a_link() {
    for (created, rest) in [
        (OLD, ["Not sent: another room has the name room1 now. The unsent line for the old one is kept; type `/pending` to see it."].as_slice()),
        (OLD + 1, &[]),
    ] {
        let kept = {
            let stage = offline();
            stage.kept()
        };
        assert!(kept.contains(&format!("\"room_created\":{OLD}")), "{kept}");
        let mut settings = Settings::new("t");
        settings.user = Some("ann".to_owned());
        settings.password = Some("password1".into());
        settings.open = Some(Target::Room("room1".to_owned()));
        let mut stage = stage(Language::English);
        stage.app = App::new(settings, Language::English);
        // The room of the lines is in the account's rooms under another name, or not at all.
        let other = if created == OLD { OLD + 5 } else { OLD };
        stage.has_room("room1", OLD + 9).has_room("moved", other);
        stage.happens(Input::Tick { now: 1_700_000_000 });
        stage.happens(Input::Start).happens(Input::Connected);
        stage.logs_in_to(&["moved"]);
        stage.happens(Input::Outgoing {
            user: "ann".to_owned(),
            lines: Some(kept.into_bytes()),
        });
        stage.says(Event::OnNewRoom {
            roomname: "room1".to_owned(),
        });
        stage.says(Event::JoinRoomResult {
            result: Outcome::Done("room1".to_owned()),
        });
        stage.says(Event::OnFriendOffline {
            username: "bob".to_owned(),
        });
        let printed = stage.printed();
        let found: Vec<&String> = printed.iter().filter(|line| line.starts_with("Not sent")).collect();
        assert_eq!(found, rest, "{printed:?}");
        let sent = stage.sent_to();
        if rest.is_empty() {
            assert_eq!(sent, ["moved"], "{printed:?}");
            assert!(printed.contains(&"The room room1 is called moved now.".to_owned()));
        } else {
            assert_eq!(sent, [""; 0], "{printed:?}");
        }
        assert!(stage.prompt().starts_with("room1 "), "{}", stage.prompt());
    }
}

#[test]
fn a_line_that_does_not_know_its_room_goes_to_an_older_one_only() {
    for (created, sent) in [(OLD, &["room1"][..]), (1_700_000_001, &[])] {
        let line = r#"{"txn_id":"t-9","target_type":1,"target":"room1","content":"old","typed_at":1700000000}"#;
        let mut stage = stage(Language::English);
        stage.types("login").types("ann").types("password1");
        stage.has_room("room1", created);
        stage.happens(Input::Connected).welcome("ann", vec![]);
        stage.happens(Input::Outgoing {
            user: "ann".to_owned(),
            lines: Some(format!("{line}\n").into_bytes()),
        });
        assert_eq!(stage.sent_to(), sent);
        assert_eq!(stage.identified, ["room1"]);
    }
}

#[test]
fn a_lost_room_is_told_as_what_it_is_and_its_lines_stay() {
    for (created, sentence) in [
        (
            Some(OLD),
            "You are no longer a member of room1: you were removed or left it while you were away. `/join room1` brings you back, or says until when you are banned.",
        ),
        (
            None,
            "You are no longer a member of room1: it was closed or renamed while you were away, or it is private and you were removed or left it elsewhere.",
        ),
        (
            Some(OLD + 1),
            "You are no longer a member of room1: it was closed or renamed while you were away, or it is private and you were removed or left it elsewhere.",
        ),
    ] {
        let mut stage = offline();
        stage.effects.clear();
        stage.has_room("room1", created);
        stage.comes_back_to(&["other"]);
        assert_eq!(stage.sent_to(), [""; 0]);
        assert_eq!(
            stage.printed()[1..],
            [
                sentence,
                "Not sent: you are not a member of room1 any more. The unsent line is kept; type `/pending` to see it.",
            ]
        );
        assert_eq!(stage.prompt(), "contact (1 pending)> ");
        stage.says(Event::History {
            messages: vec![],
            more: false,
            newer: None,
        });
        // Back in the room, the line is sent, but not in another one.
        stage.has_room("room1", created.unwrap_or(OLD + 2));
        stage.says(Event::OnNewRoom {
            roomname: "room1".to_owned(),
        });
        stage.says(Event::OnFriendOffline {
            username: "bob".to_owned(),
        });
        let expected: &[&str] = if created == Some(OLD) {
            &["room1"]
        } else {
            &[]
        };
        assert_eq!(stage.sent_to(), expected);
    }
}

#[test]
fn held_lines_are_not_promised_to_be_sent() {
    let mut stage = offline();
    stage.happens(Input::Kept {
        files: Some(Files {
            waiting: "/state/ann".to_owned(),
            aside: "/state/ann.aside".to_owned(),
        }),
    });
    stage.has_room("room1", None).comes_back_to(&["other"]);
    stage.printed();
    stage.types("\\d");
    let printed = stage.printed();
    assert!(
        printed.contains(&"They are kept in /state/ann.".to_owned()),
        "{printed:?}"
    );
}

#[test]
fn rooms_that_were_created_in_the_same_second_are_not_mixed_up() {
    // The user was removed from the room, and is in another one of the same second.
    let mut stage = offline();
    stage.effects.clear();
    stage.has_room("den", OLD);
    stage.comes_back_to(&["den"]);
    assert_eq!(stage.sent_to(), [""; 0]);
    // Two new rooms could be it.
    let mut stage = offline();
    stage.effects.clear();
    stage.has_room("room1", None);
    stage.has_room("den", OLD).has_room("tea", OLD);
    stage.comes_back_to(&["den", "tea"]);
    assert_eq!(stage.sent_to(), [""; 0]);
    assert_eq!(stage.contents(), ["secret"]);
}

#[test]
fn a_room_that_is_neither_open_nor_written_to_is_not_asked_about() {
    let mut stage = ann(Language::English);
    stage.happens(Input::Closed(None)).printed();
    stage.comes_back_to(&["other"]);
    assert_eq!(stage.identified, [""; 0]);
    assert_eq!(
        stage.printed()[0],
        "You are no longer a member of room1: it was closed or renamed, or you were removed or left it elsewhere, while you were away."
    );
}

#[test]
fn a_line_in_a_closed_room_does_not_go_to_the_next_of_its_name() {
    let mut stage = ann(Language::English);
    stage.has_room("room1", OLD);
    stage.types("&r room1").types("one").types("two");
    stage.says(Event::SendMessageFailure {
        fail: fail("slow_mode", &[("retry_after", 8)]),
    });
    stage.sent();
    stage.says(Event::OnRoomClosed {
        roomname: "room1".to_owned(),
        by: None,
    });
    stage.has_room("room1", OLD + 1);
    stage.says(Event::OnNewRoom {
        roomname: "room1".to_owned(),
    });
    stage.happens(Input::Tick { now: 1_700_000_100 });
    assert_eq!(stage.sent_to(), [""; 0]);
    assert_eq!(stage.contents(), ["one", "two"]);
}

#[test]
fn a_script_gives_held_lines_up() {
    let mut settings = Settings::new("t");
    settings.interactive = false;
    settings.user = Some("ann".to_owned());
    settings.password = Some("password1".into());
    let mut stage = stage(Language::English);
    stage.app = App::new(settings, Language::English);
    stage.has_room("room1", OLD + 1);
    stage.happens(Input::Tick { now: 1_700_000_000 });
    stage.happens(Input::Start).happens(Input::Connected);
    stage.logs_in_to(&["room1"]);
    let line = format!(
        r#"{{"txn_id":"t-9","target_type":1,"target":"room1","room_created":{OLD},"content":"old","typed_at":1700000000}}"#
    );
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(format!("{line}\n").into_bytes()),
    });
    assert_eq!(stage.sent_to(), [""; 0]);
    assert_eq!(stage.contents(), [""; 0]);
    assert_eq!(stage.printed().last().unwrap(), "(not sent) old");
    stage.happens(Input::EndOfInput);
    assert!(
        stage.has(&Effect::Quit(Exit::Refused)),
        "{:?}",
        stage.effects
    );
}

#[test]
fn a_friend_who_was_renamed_keeps_chat_and_lines() {
    let private = |id, peer: &str| ChatMessage {
        target: peer.to_owned(),
        target_type: TargetType::Friend,
        ..in_room(id, peer, "hi")
    };
    let mut stage = ann(Language::English);
    stage.types("&f bob");
    stage.says(live(private(1, "bob"), None));
    stage.happens(Input::Closed(None)).types("later").printed();
    stage.effects.clear();
    stage.happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    stage.says(
        LoginBundle {
            chat_rooms: vec!["room1".to_owned()],
            friends: vec!["ella".to_owned()],
            messages: vec![private(1, "ella")],
            newest: Some(1),
            ..LoginBundle::default()
        }
        .into(),
    );
    assert_eq!(stage.sent_to(), ["ella"]);
    assert_eq!(stage.printed()[0], "bob is called ella now.");
    assert_eq!(stage.prompt(), "ella (1 pending)> ");
}
