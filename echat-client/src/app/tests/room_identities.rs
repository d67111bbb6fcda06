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
fn the_chat_behind_a_question_for_a_password_is_not_a_room_that_took_the_name() {
    let mut stage = ann(Language::English);
    stage.has_room("room1", OLD);
    stage.types("&r room1");
    stage.says(live(in_room(1, "x", "sync"), None));
    stage.types("/passwd");
    stage.happens(Input::Closed(None)).printed();
    stage.has_room("room1", OLD + 1);
    stage.comes_back_to(&["room1"]);
    let printed = stage.printed();
    assert_eq!(
        printed[1..],
        [
            "room1 is another room now: the one that you had open was closed or renamed while you were away."
        ]
    );
    stage.happens(Input::Key(Key::Ctrl('c')));
    assert_eq!(stage.prompt(), "contact> ");
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
        user: "ann".to_owned(),
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

impl Stage {
    /// What was sent of this kind since the last look, as its parameters.
    fn asked(&mut self, kind: RequestKind) -> Vec<Value> {
        let number = kind.info().number;
        let asked = self.effects.iter().filter_map(|effect| match effect {
            Effect::Send(message) if message.command == number => Some(message.params.clone()),
            _ => None,
        });
        let asked = asked.collect();
        self.sent();
        asked
    }
}

impl Stage {
    /// The server answers what the client asks by itself.
    fn catches_up(&mut self) -> &mut Self {
        while let Some(asked) = self.app.upstream.requests().oldest() {
            let answer = match asked {
                RequestContext::CatchUp => Event::History {
                    messages: vec![],
                    more: false,
                    newer: None,
                },
                RequestContext::MarkRead(target) => Event::Marked {
                    target_type: target.target_type(),
                    target: target.name().to_owned(),
                    id: 1,
                },
                _ => break,
            };
            self.says(answer);
        }
        self
    }
}

/// Ann, who has opened room1, which is old, without a connection.
fn cut_off() -> Stage {
    let mut stage = ann(Language::English);
    stage.has_room("room1", OLD);
    stage.types("&r room1");
    stage.says(live(in_room(1, "x", "sync"), None));
    stage.happens(Input::Closed(None)).printed();
    stage.effects.clear();
    stage
}

fn at<'a>(params: &'a Value, key: &str) -> &'a Value {
    params.at(key).unwrap_or(&Value::Null)
}

#[test]
fn queued_commands_follow_a_room_that_was_renamed() {
    // Another room may have taken the name, of which the user is a member or not.
    for (taken, rooms) in [
        (None, &["den"][..]),
        (Some(OLD + 1), &["den"]),
        (Some(OLD + 1), &["room1", "den"]),
    ] {
        let mut stage = cut_off();
        stage
            .types("/topic new")
            .types("/kick #room1 x rude")
            .printed();
        stage.has_room("room1", taken).has_room("den", OLD);
        stage.comes_back_to(rooms);
        assert_eq!(stage.printed()[1], "The room room1 is called den now.");
        let topics: Vec<Value> = stage
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send(message) if message.command == RequestKind::SetRoom.info().number => {
                    Some(message.params.clone())
                }
                _ => None,
            })
            .collect();
        assert_eq!(topics.len(), 1, "{:?}", stage.effects);
        assert_eq!(at(&topics[0], "roomname"), &Value::from("den"));
        assert_eq!(at(&topics[0], "topic"), &Value::from("new"));
        let kicks = stage.asked(RequestKind::Kick);
        assert_eq!(kicks.len(), 1);
        assert_eq!(at(&kicks[0], "roomname"), &Value::from("den"));
        assert_eq!(at(&kicks[0], "username"), &Value::from("x"));
        // The answer names the room as it is called now.
        stage.catches_up().printed();
        stage.says(Event::Done {
            command: RequestKind::SetRoom.info().number.into(),
        });
        assert_eq!(stage.printed(), ["The topic of den is now: new"]);
    }
}

#[test]
fn a_queued_command_is_not_carried_out_in_a_room_that_took_the_name() {
    for (line, shown, kind) in [
        ("/topic new", "/topic #room1 new", RequestKind::SetRoom),
        ("/kick x", "/kick #room1 x", RequestKind::Kick),
        ("/bans", "/bans room1", RequestKind::ListBans),
        ("/date yesterday", "/date", RequestKind::QueryHistory),
    ] {
        let mut stage = cut_off();
        stage.types(line).printed();
        stage.has_room("room1", OLD + 1).comes_back_to(&["room1"]);
        // What was missed is asked for of all conversations.
        let mut asked = stage.asked(kind);
        asked.retain(|params| kind != RequestKind::QueryHistory || params.at("target").is_some());
        assert_eq!(asked, [], "{line}");
        let told = stage.printed();
        let not_sent = told.iter().filter(|line| line.starts_with("Not sent"));
        let expected = format!("Not sent: `{shown}`. Another room has the name room1 now.");
        assert_eq!(not_sent.collect::<Vec<_>>(), [&expected], "{told:?}");
        // It is told once.
        stage.happens(Input::Closed(None)).printed();
        stage.comes_back_to(&["room1"]);
        assert!(!stage.printed().concat().contains("Not sent"), "{line}");
    }
}

#[test]
fn a_queued_ban_with_an_end_follows_its_room() {
    let mut stage = cut_off();
    stage.types("/ban x for 1h").printed();
    stage.has_room("room1", OLD + 1).has_room("den", OLD);
    stage.comes_back_to(&["room1", "den"]).catches_up();
    stage.says(Event::SendServerTime {
        time: 1_700_000_000,
    });
    let bans = stage.asked(RequestKind::Ban);
    assert_eq!(bans.len(), 1);
    assert_eq!(at(&bans[0], "roomname"), &Value::from("den"));
    assert_eq!(at(&bans[0], "until"), &Value::Int(1_700_003_600));
}

#[test]
fn a_queued_command_for_a_room_that_was_lost_is_told() {
    let mut stage = cut_off();
    stage.types("/topic new").printed();
    stage.has_room("room1", OLD).comes_back_to(&["other"]);
    assert_eq!(stage.asked(RequestKind::SetRoom), []);
    let printed = stage.printed();
    let told = "Not sent: `/topic #room1 new`. You are not a member of room1 any more.";
    assert_eq!(printed.last().unwrap(), told, "{printed:?}");
}

#[test]
fn a_queued_command_for_a_room_of_unknown_age_goes_to_an_older_one_only() {
    for (created, count) in [(OLD, 1), (1_700_000_001, 0)] {
        let mut stage = ann(Language::English);
        stage.happens(Input::Closed(None));
        stage.types("/topic #room1 new").printed();
        stage.effects.clear();
        stage.has_room("room1", created).comes_back_to(&["room1"]);
        assert_eq!(stage.identified, ["room1"]);
        assert_eq!(stage.asked(RequestKind::SetRoom).len(), count);
    }
}

#[test]
fn queued_commands_about_no_room_of_the_users_go_as_they_were_typed() {
    let mut stage = cut_off();
    stage
        .types("/join tea")
        .types("/friends")
        .types("/topic new")
        .printed();
    stage.comes_back_to(&["room1"]);
    let joined = stage
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(message) => RequestKind::from_number(message.command),
            _ => None,
        })
        .collect::<Vec<_>>();
    let wanted = [
        RequestKind::JoinRoom,
        RequestKind::ListFriends,
        RequestKind::SetRoom,
    ];
    let joined: Vec<_> = joined
        .into_iter()
        .filter(|kind| wanted.contains(kind))
        .collect();
    assert_eq!(joined, wanted, "in the order in which they were typed");
}

#[test]
fn what_is_typed_before_a_room_is_identified_waits_for_that() {
    let mut stage = cut_off();
    stage.has_room("room1", OLD + 1).has_room("den", OLD);
    stage.happens(Input::Connected);
    // The server has not said yet which rooms these are.
    for event in [
        Event::LoginSuccess {
            username: "ann".to_owned(),
        },
        LoginBundle {
            chat_rooms: vec!["room1".to_owned(), "den".to_owned()],
            friends: vec!["bob".to_owned()],
            ..LoginBundle::default()
        }
        .into(),
    ] {
        let effects = stage.app.step(Input::Event(event));
        stage.takes(effects);
    }
    for line in ["/topic new", "hello"] {
        stage.app.typed(line);
        let effects = stage.app.finish(true);
        stage.takes(effects);
    }
    assert_eq!(
        stage
            .effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Send(_)))
            .count(),
        0,
        "{:?}",
        stage.effects
    );
    stage.identifies();
    let number = RequestKind::SetRoom.info().number;
    let topic = stage.effects.iter().find_map(|effect| match effect {
        Effect::Send(message) if message.command == number => {
            Some(at(&message.params, "roomname").clone())
        }
        _ => None,
    });
    assert_eq!(topic, Some(Value::from("den")));
    assert_eq!(stage.sent_to(), ["den"]);
}

#[test]
fn a_question_about_a_room_is_closed_if_another_one_took_the_name() {
    let mut stage = cut_off();
    stage.types("/leave");
    assert!(
        stage.prompt().starts_with("leave room1?"),
        "{}",
        stage.prompt()
    );
    stage.has_room("room1", OLD + 1).comes_back_to(&["room1"]);
    assert_eq!(stage.prompt(), "contact> ");
    stage.types("y");
    assert_eq!(stage.asked(RequestKind::LeaveRoom), []);
    // It follows the room to its new name.
    let mut stage = cut_off();
    stage.types("/leave");
    stage.has_room("room1", OLD + 1).has_room("den", OLD);
    stage.comes_back_to(&["room1", "den"]);
    assert!(
        stage.prompt().starts_with("leave den?"),
        "{}",
        stage.prompt()
    );
    stage.types("y");
    assert_eq!(stage.asked(RequestKind::LeaveRoom), [Value::from("den")]);
}

#[test]
fn a_room_whose_name_was_taken_is_no_other_history() {
    let mut stage = cut_off();
    stage.types("/topic new").types("later").printed();
    stage.has_room("room1", OLD + 1).has_room("den", OLD);
    stage.happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    let known = ChatMessage {
        target: "den".to_owned(),
        ..in_room(1, "x", "sync")
    };
    stage.says(
        LoginBundle {
            chat_rooms: vec!["room1".to_owned(), "den".to_owned()],
            messages: vec![known],
            newest: Some(1),
            history: Some("a".to_owned()),
            ..LoginBundle::default()
        }
        .into(),
    );
    assert_eq!(
        stage.printed(),
        [
            "Reconnected. Logged in as ann.",
            "The room room1 is called den now."
        ]
    );
    assert!(stage.prompt().starts_with("den "), "{}", stage.prompt());
    let topics = stage.asked(RequestKind::SetRoom);
    assert_eq!(at(&topics[0], "roomname"), &Value::from("den"));
    // The chat goes on in the room that it was.
    stage.types("and now");
    assert_eq!(stage.contents(), ["later", "and now"]);
    let lines = stage.app.common.context.outgoing.to_lines("ann");
    assert_eq!(lines.matches("\"den\"").count(), 2, "{lines}");
}
