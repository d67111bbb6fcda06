//! Rooms and those who run them: commands, news, refusals.

use echat_proto::json::to_json;
use echat_proto::param::RoomRole;
use echat_proto::records::{
    GivenLimits, InvitationLine, Keeps, MemberLine, MemberList, Older, RoomInfo, RoomLine,
};

use super::*;
use crate::target::Target;
use RequestKind as R;

/// The requests since the last look, as echat-nc has them.
fn asked(stage: &mut Stage) -> Vec<String> {
    let mut asked = Vec::new();
    stage.effects.retain(|effect| match effect {
        Effect::Send(message) => {
            let kind = RequestKind::from_number(message.command);
            let name = kind.map_or("?", |kind| kind.info().name);
            asked.push(format!("{name} {}", to_json(&message.params)));
            false
        }
        _ => true,
    });
    asked
}

fn changed(was: &str, by: &str, room: RoomInfo) -> Event {
    Event::OnRoomChanged {
        was: was.to_owned(),
        by: Some(by.to_owned()),
        room,
    }
}

fn done(kind: R) -> Event {
    Event::Done {
        command: u64::from(kind.info().number),
    }
}

fn refused(fail: Fail) -> Event {
    Event::Refused { fail }
}

/// A logged-in user in the chat of room1, whose server tells joining from coming online.
fn in_room1(language: Language) -> Stage {
    let mut stage = stage(language);
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    stage.says(
        LoginBundle {
            chat_rooms: vec!["room1".to_owned(), "tea".to_owned()],
            friends: vec!["bob".to_owned()],
            online: vec!["bob".to_owned()],
            newest: Some(0),
            must_change_password: Some(false),
            away: Some(vec![]),
            invitations: Some(vec![]),
            blocked: Some(vec![]),
            ..LoginBundle::default()
        }
        .into(),
    );
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    stage.types("&r room1");
    stage.effects.clear();
    stage
}

/// What is typed in the chat of room1, and the request.
const TYPED: &str = r#"
/msg bob hi there | SEND_MESSAGE {"target_type":0,"target":"bob","content":"hi there","txn_id":"t-1"}
／ｍｓｇ　＃tea 你好 | SEND_MESSAGE {"target_type":1,"target":"tea","content":"你好","txn_id":"t-1"}
/join #den | JOIN_ROOM "den"
/create private den bob | CREATE_ROOM {"roomname":"den","members":["bob"],"private":true}
/create 公开 den | CREATE_ROOM {"roomname":"den","members":[],"private":false}
/invite eve | INVITE {"roomname":"room1","username":"eve"}
/invite #tea eve | INVITE {"roomname":"tea","username":"eve"}
/decline den | DECLINE_INVITATION "den"
/kick eve too loud | KICK {"roomname":"room1","username":"eve","reason":"too loud"}
/ban eve | BAN {"roomname":"room1","username":"eve"}
/ban eve 10m spam | BAN {"roomname":"room1","username":"eve","until":1800000600,"reason":"spam"}
/ban #tea eve for 2 hours | BAN {"roomname":"tea","username":"eve","until":1800007200}
/ban eve 两小时 吵 | BAN {"roomname":"room1","username":"eve","until":1800007200,"reason":"吵"}
/ban eve 半小时 | BAN {"roomname":"room1","username":"eve","until":1800001800}
/ban eve 1周 刷屏 | BAN {"roomname":"room1","username":"eve","until":1800604800,"reason":"刷屏"}
/unban eve | UNBAN {"roomname":"room1","username":"eve"}
/bans | LIST_BANS "room1"
/op eve | SET_ROLE {"roomname":"room1","username":"eve","role":"operator"}
/deop eve | SET_ROLE {"roomname":"room1","username":"eve","role":"member"}
/topic | ROOM_INFO "room1"
/topic #tea | ROOM_INFO "tea"
/topic green and black | SET_ROOM {"roomname":"room1","topic":"green and black"}
/topic #tea green | SET_ROOM {"roomname":"tea","topic":"green"}
/topic - | SET_ROOM {"roomname":"room1","topic":""}
/rename den | SET_ROOM {"roomname":"room1","new_name":"den"}
/private | SET_ROOM {"roomname":"room1","private":true}
/public tea | SET_ROOM {"roomname":"tea","private":false}
/readonly 开 | SET_ROOM {"roomname":"room1","read_only":true}
/readonly #tea off | SET_ROOM {"roomname":"tea","read_only":false}
/slow 30 | SET_ROOM {"roomname":"room1","slow_seconds":30}
/slow 2 minutes | SET_ROOM {"roomname":"room1","slow_seconds":120}
/slow #tea 半小时 | SET_ROOM {"roomname":"tea","slow_seconds":1800}
/slow 2m | SET_ROOM {"roomname":"room1","slow_seconds":120}
/slow off | SET_ROOM {"roomname":"room1","slow_seconds":0}
/rooms | LIST_ROOMS null
/rooms public | LIST_PUBLIC_ROOMS {"limit":50}
/rooms public den | LIST_PUBLIC_ROOMS {"after":"den","limit":50}
/room | ROOM_INFO "room1"
/members | LIST_MEMBERS {"roomname":"room1"}
/members #tea eve | LIST_MEMBERS {"roomname":"tea","after":"eve"}
"#;

#[test]
fn commands_of_rooms_make_requests() {
    for row in TYPED.trim().lines() {
        let (line, request) = row.split_once(" | ").unwrap();
        let mut stage = in_room1(Language::English);
        stage.types(line);
        let printed = stage.printed();
        let mut sent = asked(&mut stage);
        // What has an end is counted by the server's clock, which is asked first.
        if sent == ["QUERY_SERVER_TIME null"] {
            stage.says(Event::SendServerTime {
                time: 1_800_000_000,
            });
            assert_eq!(stage.printed(), [""; 0]);
            sent = asked(&mut stage);
        }
        assert_eq!(sent, [request], "{line}: {printed:?}");
    }
}

#[test]
fn values_that_cannot_be_are_no_request() {
    for line in [
        "/slow 5000",
        "/slow x",
        "/keep 40000",
        "/keep x",
        "/readonly maybe",
        "/ban eve for",
        "/slow -1",
        "/slow 2 spoons",
        "/keep 2x",
        "/ban",
        "/create private",
        "/op",
    ] {
        let mut stage = in_room1(Language::English);
        stage.types(line);
        let printed = stage.printed();
        assert!(
            printed.iter().any(|said| said.starts_with("Usage: ")),
            "{line}: {printed:?}"
        );
        assert_eq!(asked(&mut stage), [""; 0], "{line}");
    }
}

#[test]
fn a_duration_that_cannot_be_read_is_named() {
    for (line, typed) in [
        ("/ban eve for 10x", "10x"),
        ("/ban eve for spam", "spam"),
        ("/ban eve 2x", "2x"),
        ("/ban eve 99z spam", "99z"),
        ("/ban eve -1h", "-1h"),
        ("/ban eve ２ｘ", "２ｘ"),
        ("/ban #tea eve 3次刷屏", "3次刷屏"),
    ] {
        let mut stage = in_room1(Language::English);
        stage.types(line);
        let said = format!(
            "{typed} is no duration. Type one like 10m, 2h or 3d; a reason cannot begin with a number."
        );
        assert_eq!(stage.printed().last(), Some(&said), "{line}");
        assert_eq!(asked(&mut stage), [""; 0], "{line}");
    }
    let mut stage = in_room1(Language::Chinese);
    stage.types("/ban eve 3次刷屏");
    let said = "看不懂时长“3次刷屏”。可以写 10分钟、2小时、3天；原因不能以数字开头。";
    assert_eq!(stage.printed().last().unwrap(), said);
}

#[test]
fn a_room_is_made_public_or_private_as_the_user_says() {
    for (language, answer, private) in [
        (Language::English, "public", "false"),
        (Language::English, "private", "true"),
        (Language::Chinese, "公开", "false"),
        (Language::Chinese, "私密", "true"),
    ] {
        let mut stage = in_room1(language);
        stage.types("/create den bob");
        assert_eq!(asked(&mut stage), [""; 0]);
        stage.types("yes");
        assert_eq!(asked(&mut stage), [""; 0]);
        stage.types(answer);
        let request =
            format!(r#"CREATE_ROOM {{"roomname":"den","members":["bob"],"private":{private}}}"#);
        assert_eq!(asked(&mut stage), [request]);
    }
    // The same in the language of contact mode.
    let mut stage = ann(Language::English);
    stage.types("den=bob");
    assert_eq!(asked(&mut stage), [""; 0]);
    stage.types("private");
    let request = r#"CREATE_ROOM {"roomname":"den","members":["bob"],"private":true}"#;
    assert_eq!(asked(&mut stage), [request]);
    let mut stage = in_room1(Language::English);
    stage.types("/create den").printed();
    stage.types("no");
    assert_eq!(stage.printed().last().unwrap(), "den was not created.");
}

#[test]
fn closing_is_confirmed_by_the_name_of_the_room() {
    let mut stage = in_room1(Language::English);
    stage.types("/close").types("yes").types("tea");
    assert_eq!(asked(&mut stage), [""; 0]);
    stage.types("Room1");
    assert_eq!(asked(&mut stage), [r#"CLOSE_ROOM "room1""#]);
    stage.printed();
    stage.says(Event::OnRoomClosed {
        roomname: "room1".to_owned(),
        by: Some("ann".to_owned()),
    });
    stage.says(done(R::CloseRoom));
    assert_eq!(stage.printed(), ["You closed room1."]);
    assert_eq!(stage.prompt(), "contact> ");
    for (line, question) in [
        ("/keep 30", "room1: messages are kept for 30 days?"),
        ("/owner bob", "Make bob"),
    ] {
        let mut stage = in_room1(Language::English);
        stage.types(line);
        assert!(stage.printed().last().unwrap().starts_with(question));
        stage.types("y");
        assert_eq!(asked(&mut stage).len(), 1, "{line}");
    }
}

#[test]
fn a_renamed_room_keeps_its_chat_and_its_unsent_lines() {
    let mut stage = in_room1(Language::English);
    stage.says(live(in_room(5, "bob", "hello"), None));
    stage.says(Event::Marked {
        target_type: TargetType::Room,
        target: "room1".to_owned(),
        id: 5,
    });
    stage.types("one").types("two").printed();
    stage.says(changed("room1", "bob", info("den")));
    for event in [
        Event::OnMemberOffline {
            roomname: "room1".to_owned(),
            membername: "ann".to_owned(),
            left: Some(true),
        },
        Event::OnNewRoom {
            roomname: "den".to_owned(),
        },
    ] {
        stage.says(event);
    }
    assert_eq!(stage.printed(), ["bob renamed the room room1 to den."]);
    assert_eq!(stage.prompt(), "den (2 pending)> ");
    let session = &stage.app.common.context.session;
    let den = session.conversation(&Target::Room("den".to_owned()));
    assert_eq!(den.unwrap().lines().count(), 1);
    asked(&mut stage);
    let message = ChatMessage {
        target: "den".to_owned(),
        ..in_room(6, "ann", "one")
    };
    stage.says(live(message, Some("t-1")));
    let sent = asked(&mut stage);
    assert!(
        sent.iter().any(|sent| sent.contains(r#""target":"den""#)),
        "{sent:?}"
    );
}

/// Ann in contact mode, in room1 and tea. The server has older messages of tea and of bob.
fn with_older() -> Stage {
    let mut stage = stage(Language::English);
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    let older = |target_type, target: &str| Older {
        target_type,
        target: target.to_owned(),
        before: 100,
    };
    stage.says(
        LoginBundle {
            chat_rooms: vec!["room1".to_owned(), "tea".to_owned()],
            friends: vec!["bob".to_owned()],
            more: vec![
                older(TargetType::Room, "tea"),
                older(TargetType::Friend, "bob"),
            ],
            newest: Some(99),
            invitations: Some(vec![]),
            ..LoginBundle::default()
        }
        .into(),
    );
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    stage.printed();
    asked(&mut stage);
    stage
}

fn history(messages: Vec<ChatMessage>) -> Event {
    Event::History {
        messages,
        more: false,
        newer: None,
    }
}

#[test]
fn a_room_gets_its_own_pages_under_a_name_that_another_room_had() {
    let mut stage = with_older();
    stage.says(changed("room1", "bob", info("den")));
    stage.says(changed("tea", "bob", info("room1")));
    stage.types("/msg #room1").printed();
    let sent = asked(&mut stage);
    assert!(sent[0].contains(r#""target":"room1""#), "{sent:?}");
    stage.says(history(vec![in_room(5, "bob", "hello")]));
    let printed = stage.printed();
    assert!(printed[0].ends_with("bob: hello"), "{printed:?}");
    let session = &stage.app.common.context.session;
    let den = session.conversation(&Target::Room("den".to_owned()));
    assert!(den.is_none_or(|den| den.lines().len() == 0));
}

#[test]
fn a_page_that_is_on_its_way_over_a_rename_is_asked_for_again() {
    let of_another = ChatMessage {
        target: "tea".to_owned(),
        ..in_room(6, "eve", "elsewhere")
    };
    // Another room may have the name by then.
    for first in [
        refused(fail("unknown_room", &[])),
        history(vec![of_another]),
    ] {
        let mut stage = with_older();
        stage.types("/msg #tea");
        asked(&mut stage);
        stage.happens(Input::Event(changed("tea", "bob", info("den"))));
        let sent = asked(&mut stage);
        let page = r#"QUERY_HISTORY {"target_type":1,"target":"den","limit":50}"#;
        assert_eq!(sent, [page]);
        stage.printed();
        stage.happens(Input::Event(first));
        stage.happens(Input::Event(refused(fail("unknown_room", &[]))));
        assert!(stage.printed().is_empty());
        let message = ChatMessage {
            target: "den".to_owned(),
            ..in_room(5, "bob", "hello")
        };
        stage.happens(Input::Event(history(vec![message])));
        stage.says(Event::Room { room: info("den") });
        let printed = stage.printed();
        assert!(printed[0].ends_with("bob: hello"), "{printed:?}");
        assert_eq!(stage.prompt(), "den> ");
        let session = &stage.app.common.context.session;
        let den = session.conversation(&Target::Room("den".to_owned()));
        assert_eq!(den.unwrap().lines().count(), 1);
    }
}

#[test]
fn a_page_of_a_friend_is_asked_for_again_under_the_new_name() {
    let mut stage = with_older();
    stage.types("/msg bob");
    asked(&mut stage);
    stage.says(Event::OnUserRenamed {
        was: "bob".to_owned(),
        username: "ella".to_owned(),
    });
    let sent = asked(&mut stage);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].contains(r#""target":"ella""#), "{sent:?}");
    stage.printed();
    stage.says(refused(fail("unknown_user", &[])));
    assert!(stage.printed().is_empty());
    stage.says(history(vec![ChatMessage {
        target: "ella".to_owned(),
        target_type: TargetType::Friend,
        ..in_room(5, "ella", "hello")
    }]));
    let printed = stage.printed();
    assert!(printed[0].ends_with("ella: hello"), "{printed:?}");
    assert_eq!(stage.prompt(), "ella> ");
}

#[test]
fn a_line_that_is_in_flight_over_a_rename_is_sent_again() {
    let mut stage = in_room1(Language::English);
    stage.types("hello");
    let sent = asked(&mut stage);
    assert!(sent[0].contains(r#""target":"room1""#), "{sent:?}");
    stage.says(changed("room1", "bob", info("den"))).printed();
    let fail = || fail("unknown_room", &[]);
    stage.says(Event::SendMessageFailure { fail: fail() });
    let sent = asked(&mut stage);
    assert!(sent[0].contains(r#""target":"den""#), "{sent:?}");
    assert_eq!(stage.printed(), [""; 0]);
    // Once: the room may be gone.
    stage.says(Event::SendMessageFailure { fail: fail() });
    assert_eq!(asked(&mut stage), [""; 0]);
    let printed = stage.printed();
    assert!(printed[0].contains("den"), "{printed:?}");
}

#[test]
fn a_ban_whose_end_is_being_asked_for_follows_a_rename() {
    let mut stage = in_room1(Language::English);
    stage.types("/ban eve 10m");
    asked(&mut stage);
    stage.says(changed("room1", "bob", info("den")));
    stage.says(changed("tea", "bob", info("room1")));
    stage.says(Event::SendServerTime {
        time: 1_800_000_000,
    });
    let sent = asked(&mut stage);
    assert!(sent[0].contains(r#"BAN {"roomname":"den""#), "{sent:?}");
}

#[test]
fn a_user_who_is_renamed_is_not_taken_for_a_deleted_account() {
    let mut stage = in_room1(Language::English);
    stage.says(live(in_room(5, "eve", "hello"), None));
    stage.says(Event::Marked {
        target_type: TargetType::Room,
        target: "room1".to_owned(),
        id: 5,
    });
    stage.says(Event::OnMemberOffline {
        roomname: "room1".to_owned(),
        membername: "eve".to_owned(),
        left: Some(true),
    });
    assert_eq!(asked(&mut stage).last().unwrap(), r#"WHOIS "eve""#);
    stage.says(Event::OnUserRenamed {
        was: "eve".to_owned(),
        username: "ella".to_owned(),
    });
    assert_eq!(asked(&mut stage), [r#"WHOIS "ella""#]);
    stage.says(refused(fail("unknown_user", &[])));
    let session = &stage.app.common.context.session;
    assert!(!session.is_deleted_account("eve"));
}

#[test]
fn more_of_a_search_follows_a_rename() {
    let mut stage = in_room1(Language::English);
    stage.types("/search tea in:room1 from:bob");
    stage.says(Event::FoundMessages {
        messages: vec![in_room(5, "bob", "tea")],
        more: true,
        next: Some(5),
        indexed: None,
    });
    stage.says(changed("room1", "bob", info("den")));
    stage.says(Event::OnUserRenamed {
        was: "bob".to_owned(),
        username: "ella".to_owned(),
    });
    asked(&mut stage);
    stage.types("/more");
    let sent = asked(&mut stage);
    assert!(sent[0].contains(r#""target":"den""#), "{sent:?}");
    assert!(sent[0].contains(r#""sender":"ella""#), "{sent:?}");
}

#[test]
fn changes_of_a_room_are_told_with_what_changed() {
    let mut stage = in_room1(Language::English);
    stage.says(changed("room1", "bob", info("room1")));
    let mut now = info("room1");
    now.topic = "green".to_owned();
    now.slow_seconds = 60;
    stage.printed();
    stage.says(changed("room1", "bob", now.clone()));
    assert_eq!(
        stage.printed(),
        [
            "bob changed the topic of room1: green",
            "bob changed room1: slow mode, 1 minute between two messages of a member."
        ]
    );
    // The same state again is no news.
    stage.says(changed("room1", "bob", now.clone()));
    assert!(stage.printed().is_empty());
    // One's own change is told by the answer.
    stage.types("/topic black").printed();
    now.topic = "black".to_owned();
    stage.says(changed("room1", "ann", now.clone()));
    stage.says(done(R::SetRoom));
    assert_eq!(stage.printed(), ["The topic of room1 is now: black"]);
    // In another session it is told by the event.
    now.topic = String::new();
    stage.says(changed("room1", "ann", now));
    assert_eq!(stage.printed(), ["You removed the topic of room1."]);
}

#[test]
fn joining_leaving_coming_and_going_are_four_sentences() {
    let member = |online: bool, moved: Option<bool>| {
        let (roomname, membername) = ("room1".to_owned(), "eve".to_owned());
        if online {
            Event::OnMemberOnline {
                roomname,
                membername,
                joined: moved,
            }
        } else {
            Event::OnMemberOffline {
                roomname,
                membername,
                left: moved,
            }
        }
    };
    for (language, said) in [
        (
            Language::English,
            [
                "eve joined room1",
                "eve went offline",
                "eve came online",
                "eve left room1",
            ],
        ),
        (
            Language::Chinese,
            [
                "eve 加入了聊天室“room1”",
                "eve 下线了",
                "eve 上线了",
                "eve 退出了聊天室“room1”",
            ],
        ),
    ] {
        let mut stage = in_room1(language);
        for (event, said) in [
            member(true, Some(true)),
            member(false, None),
            member(true, None),
            member(false, Some(true)),
        ]
        .into_iter()
        .zip(said)
        {
            stage.says(event);
            let now = stage.app.common.context.now + 20;
            stage.happens(Input::Tick { now });
            assert_eq!(stage.printed(), [said]);
        }
    }
}

#[test]
fn lines_for_a_room_that_was_renamed_while_offline_go_to_its_new_name() {
    let mut stage = ann(Language::English);
    stage.says(live(in_room(3, "bob", "hello"), None));
    stage.types("&r room1").sent();
    stage.happens(Input::Closed(None)).types("are you there?");
    stage.printed();
    stage.happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    let mut message = in_room(3, "bob", "hello");
    message.target = "den".to_owned();
    let mut bundle = bundle_of(vec!["den".to_owned()]);
    if let Event::LoginBundle { messages, .. } = &mut bundle {
        messages.push(message);
    }
    stage.says(bundle);
    let printed = stage.printed();
    let said = "The room room1 is called den now.".to_owned();
    assert!(printed.contains(&said), "{printed:?}");
    assert!(stage.prompt().starts_with("den"), "{}", stage.prompt());
    let sent = asked(&mut stage);
    let line = sent
        .iter()
        .find(|line| line.starts_with("SEND_MESSAGE"))
        .unwrap();
    assert!(line.contains(r#""target":"den""#), "{line}");
}

/// A login that brings these rooms.
fn bundle_of(chat_rooms: Vec<String>) -> Event {
    LoginBundle {
        chat_rooms,
        friends: vec!["bob".to_owned()],
        ..LoginBundle::default()
    }
    .into()
}

#[test]
fn an_invitation_is_told_listed_and_answered() {
    let mut stage = in_room1(Language::Chinese);
    stage.says(Event::OnInvitation {
        roomname: "den".to_owned(),
        by: Some("bob".to_owned()),
    });
    assert_eq!(
        stage.printed(),
        ["“bob”邀请你加入聊天室“den”。输入 `/join den` 接受，输入 `/decline den` 谢绝。"]
    );
    stage.types("\\c").types("contact").printed();
    stage.types(":pr");
    let printed = stage.printed();
    assert!(
        printed.contains(&"  den（来自“bob”）".to_owned()),
        "{printed:?}"
    );
    stage.types("/decline den").printed();
    stage.says(done(R::DeclineInvitation));
    assert_eq!(stage.printed(), ["已谢绝聊天室“den”的邀请。"]);
    assert!(stage.app.common.context.session.invitations().is_empty());
    stage.says(Event::OnSelfChanged {
        blocked: None,
        invitations: Some(vec![InvitationLine {
            roomname: "tea2".to_owned(),
            by: None,
        }]),
        away: None,
        last_seen: None,
    });
    assert_eq!(stage.app.common.context.session.invitations().len(), 1);
    stage.says(Event::OnNewRoom {
        roomname: "tea2".to_owned(),
    });
    assert!(stage.app.common.context.session.invitations().is_empty());
}

#[test]
fn a_removal_says_who_did_it_and_what_can_be_done() {
    let removed = |membername: &str, by: &str, banned| Event::OnMemberRemoved {
        roomname: "room1".to_owned(),
        membername: membername.to_owned(),
        by: by.to_owned(),
        reason: Some("loud".to_owned()),
        banned,
    };
    let left = |membername: &str| Event::OnMemberOffline {
        roomname: "room1".to_owned(),
        membername: membername.to_owned(),
        left: Some(true),
    };
    let mut stage = in_room1(Language::English);
    stage.says(removed("eve", "bob", false)).says(left("eve"));
    let now = stage.app.common.context.now + 20;
    stage.happens(Input::Tick { now });
    assert_eq!(
        stage.printed(),
        ["bob removed eve from room1 (reason: loud)."]
    );
    // One's own is told by the answer.
    stage.types("/ban kim 2h").printed();
    stage.says(Event::SendServerTime {
        time: 1_700_000_000,
    });
    stage.says(removed("kim", "ann", true)).says(left("kim"));
    stage.says(done(R::Ban));
    assert_eq!(
        stage.printed(),
        ["You banned kim from room1 for 2 hours. `/unban #room1 kim` lifts the ban."]
    );
    stage.says(removed("ann", "bob", true)).says(left("ann"));
    assert_eq!(
        stage.printed(),
        [
            "bob banned you from room1 (reason: loud). You cannot join it until the ban ends; its owner and operators can lift it.",
            "`/join room1` says when the ban ends.",
        ]
    );
    assert_eq!(stage.prompt(), "contact> ");
    stage.types("/join room1").printed();
    let mut fail = fail("banned", &[("until", 1_700_003_600)]);
    fail.detail
        .push(("reason".to_owned(), Value::Str("loud".to_owned())));
    stage.says(Event::JoinRoomResult {
        result: Outcome::Refused(fail),
    });
    let printed = stage.printed();
    assert!(
        printed[0].contains("The ban ends at 2023-11-14 23:13:20.")
            && printed[0].contains("Reason: loud"),
        "{printed:?}"
    );
}

#[test]
fn a_chat_is_opened_from_any_other_by_a_slash_command() {
    let mut stage = in_room1(Language::English);
    for (line, prompt) in [
        ("/join tea", "tea> "),
        ("/join #room1", "room1> "),
        ("/msg bob", "bob> "),
        ("/msg #tea", "tea> "),
        ("/msg @bob hi", "tea> "),
    ] {
        stage.types(line);
        assert_eq!(stage.prompt(), prompt, "{line}");
    }
    assert!(!stage.sent().contains(&R::JoinRoom));
    stage.types("/msg zoe").printed();
    stage.types("/join den");
    assert_eq!(stage.sent(), [R::JoinRoom]);
    stage.types("\\c").types("/join room1");
    assert_eq!(stage.prompt(), "room1> ");
}

#[test]
fn what_a_member_cannot_do_is_refused_before_the_question() {
    let told = |role| {
        let mut stage = in_room1(Language::English);
        stage.types("/room");
        let room = RoomInfo {
            role: Some(role),
            ..info("room1")
        };
        stage.says(Event::Room { room });
        stage.printed();
        stage.sent();
        stage
    };
    for line in ["/keep 7", "/close", "/owner #room1 bob"] {
        for role in [RoomRole::Member, RoomRole::Operator] {
            let mut stage = told(role);
            stage.types(line);
            assert_eq!(stage.prompt(), "room1> ", "{line}");
            assert!(stage.sent().is_empty(), "{line}");
            let said = stage.printed().concat();
            assert!(said.contains("owner"), "{line}: {said}");
        }
        // Another role is told by an event.
        let mut stage = told(RoomRole::Member);
        for (name, role) in [("ann", RoomRole::Owner), ("bob", RoomRole::Operator)] {
            stage.says(Event::OnRole {
                roomname: "room1".to_owned(),
                membername: name.to_owned(),
                role,
                by: Some("bob".to_owned()),
            });
        }
        stage.types(line);
        assert_ne!(stage.prompt(), "room1> ", "{line}");
    }
    let mut stage = told(RoomRole::Member);
    stage.says(live(in_room(5, "bob", "hi"), None)).printed();
    stage.types("/delete 1");
    assert_eq!(stage.prompt(), "room1> ");
    assert_eq!(
        stage.printed().last().unwrap(),
        "The message was not deleted: only its sender can delete it, and in a room its owner and operators."
    );
}

#[test]
fn a_room_that_is_joined_and_opened_at_once_is_introduced_once() {
    let mut stage = stage(Language::English);
    stage.app.common.context.settings.open = Some(Target::Room("den".to_owned()));
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.says(Event::OnNewRoom {
        roomname: "den".to_owned(),
    });
    stage.says(Event::JoinRoomResult {
        result: Outcome::Done("den".to_owned()),
    });
    let asked = stage.app.upstream.requests().introductions("den");
    assert_eq!((asked, stage.prompt()), (1, "den> ".to_owned()));
}

#[test]
fn the_room_of_the_address_takes_no_password_that_is_being_typed() {
    for is_joined in [false, true] {
        let mut stage = stage(Language::English);
        let room = if is_joined { "room1" } else { "den" };
        stage.app.common.context.settings.open = Some(Target::Room(room.to_owned()));
        stage.types("login").types("ann").types("password1");
        stage.happens(Input::Connected);
        if is_joined {
            // Out of the login and into another question, before the login is answered.
            stage.happens(Input::Key(Key::Ctrl('c')));
            stage.app.go(Goto::ChangePassword(Box::new(Goto::Command)));
        }
        stage.welcome("ann", vec![]);
        if !is_joined {
            stage.types("/passwd");
        }
        stage.printed();
        stage.presses("pass");
        if !is_joined {
            stage.says(Event::OnNewRoom {
                roomname: "den".to_owned(),
            });
            stage.says(Event::JoinRoomResult {
                result: Outcome::Done("den".to_owned()),
            });
            let said = "Type `/msg #den` to open den.".to_owned();
            let printed = stage.printed();
            let count = printed.iter().filter(|line| **line == said).count();
            assert_eq!(count, 1, "{printed:?}");
        }
        assert!(stage.app.is_secret());
        assert!(stage.prompt().starts_with("passwd "), "{}", stage.prompt());
    }
}

#[test]
fn the_topic_of_a_joined_room_is_told_once() {
    let mut stage = ann(Language::English);
    stage.says(Event::OnNewRoom {
        roomname: "den".to_owned(),
    });
    let topic = "All things".to_owned();
    let room = RoomInfo {
        topic,
        ..info("den")
    };
    stage.happens(Input::Event(Event::Room { room }));
    for (line, count) in [
        ("", 1),
        ("/join den", 0),
        ("/join room1", 0),
        ("/join den", 1),
    ] {
        stage.types(line);
        let told = stage.printed().concat().matches("All things").count();
        assert_eq!(told, count, "{line:?}");
    }
}

#[test]
fn the_lobby_has_no_owner() {
    for (language, said) in [
        (
            Language::English,
            "  lobby: 3 members; the lobby of this server",
        ),
        (Language::Chinese, "  lobby：3 名成员；本服务器的大厅"),
    ] {
        let mut stage = ann(language);
        stage.types("/rooms");
        stage.says(Event::Rooms {
            rooms: vec![RoomLine {
                roomname: "lobby".to_owned(),
                owner: String::new(),
                members: 3,
                unread: 0,
                mentions: None,
                topic: None,
                private: None,
                role: None,
            }],
        });
        assert_eq!(stage.printed().last().unwrap(), said);
    }
}

#[test]
fn roles_say_who_gave_them_and_what_they_allow() {
    let role = |name: &str, role, by: Option<&str>| Event::OnRole {
        roomname: "room1".to_owned(),
        membername: name.to_owned(),
        role,
        by: by.map(str::to_owned),
    };
    let mut stage = in_room1(Language::English);
    stage.says(role("ann", RoomRole::Operator, Some("bob")));
    assert_eq!(
        stage.printed(),
        [
            "bob made you an operator of room1.",
            "Operators can use /invite, /kick, /ban, /unban, /topic, /readonly and /slow."
        ]
    );
    stage.says(role("eve", RoomRole::Owner, None));
    stage.says(role("ann", RoomRole::Member, Some("eve")));
    assert_eq!(
        stage.printed(),
        [
            "eve is now the owner of room1.",
            "eve made you a plain member of room1: you are not an operator any more."
        ]
    );
}

#[test]
fn slow_mode_keeps_a_line_and_holds_up_no_other_chat() {
    let mut stage = in_room1(Language::English);
    stage.types("one").printed();
    stage.says(Event::SendMessageFailure {
        fail: fail("slow_mode", &[("retry_after", 30)]),
    });
    let printed = stage.printed();
    assert_eq!(printed.len(), 1, "{printed:?}");
    assert!(printed[0].starts_with("The message to room1 will be sent in 30 s: "));
    asked(&mut stage);
    stage.types("/msg bob hi");
    assert_eq!(asked(&mut stage).len(), 1);
    let message = ChatMessage {
        target: "bob".to_owned(),
        target_type: TargetType::Friend,
        ..in_room(7, "ann", "hi")
    };
    stage.says(live(message, Some("t-2")));
    assert_eq!(stage.contents(), ["one"]);
    assert_eq!(stage.app.wakes_at(), Some(1_700_000_030));
    stage.happens(Input::Tick { now: 1_700_000_030 });
    assert_eq!(
        stage
            .sent()
            .iter()
            .filter(|kind| **kind == R::SendMessage)
            .count(),
        1
    );
}

#[test]
fn refusals_of_rooms_say_what_is_so() {
    for (line, code, said) in [
        (
            "/topic x",
            "not_operator",
            "Only operators and the owner of the room can do this.",
        ),
        (
            "/rename x",
            "not_owner",
            "Only the owner of the room can do this.",
        ),
        (
            "/op bob",
            "not_a_member",
            "bob is not a member of room1, or you are not.",
        ),
        ("/room #den", "unknown_room", "Room den does not exist."),
    ] {
        let mut stage = in_room1(Language::English);
        stage.types(line).printed();
        stage.says(refused(fail(code, &[])));
        let printed = stage.printed();
        assert!(printed[0].ends_with(said), "{printed:?}");
    }
    let mut stage = in_room1(Language::English);
    stage.types("hello").printed();
    stage.says(Event::SendMessageFailure {
        fail: fail("read_only", &[]),
    });
    let printed = stage.printed();
    assert!(printed[0].contains("read-only"), "{printed:?}");
}

#[test]
fn lists_show_topic_role_away_and_bots() {
    let mut stage = in_room1(Language::English);
    stage.types("/rooms").printed();
    stage.says(Event::Rooms {
        rooms: vec![
            RoomLine {
                roomname: "room1".to_owned(),
                members: 3,
                owner: "ann".to_owned(),
                unread: 0,
                topic: Some("green".to_owned()),
                private: Some(true),
                role: Some(RoomRole::Owner),
                mentions: Some(2),
            },
            RoomLine {
                roomname: "tea".to_owned(),
                members: 2,
                owner: "bob".to_owned(),
                unread: 1,
                topic: None,
                private: None,
                role: None,
                mentions: None,
            },
        ],
    });
    assert_eq!(
        stage.printed()[1..],
        [
            "  room1: 3 members; 2 mentions of you; you are the owner; private; topic: green",
            "  tea: 2 members; owner: bob; 1 unread"
        ]
    );
    stage.types("/members").printed();
    let member = |name: &str, role, away: Option<&str>, bot: bool| MemberLine {
        username: name.to_owned(),
        online: !bot,
        owner: role == RoomRole::Owner,
        role: Some(role),
        away: away.map(str::to_owned),
        bot: Mark(bot),
    };
    stage.says(Event::Members {
        members: MemberList {
            members: vec![
                member("ann", RoomRole::Owner, None, false),
                member("bob", RoomRole::Operator, Some("lunch"), false),
                member("clerk", RoomRole::Member, None, true),
            ],
            more: Some(true),
        },
    });
    assert_eq!(
        stage.printed()[1..],
        [
            "  ann  online  owner",
            "  bob  online  operator  away: lunch",
            "  clerk  bot",
            "There are more: `/members #room1 clerk`"
        ]
    );
}

#[test]
fn a_room_is_introduced_when_one_joins_it_and_its_topic_when_it_is_opened() {
    let mut stage = ann(Language::English);
    let room = |topic: &str| RoomInfo {
        topic: topic.to_owned(),
        private: true,
        ..info("den")
    };
    stage.says(Event::OnNewRoom {
        roomname: "den".to_owned(),
    });
    stage.says(Event::Room { room: room("cats") });
    assert_eq!(
        stage.printed(),
        [
            "You are a member of den now. Type `/msg #den` to open it.",
            "  private, only invited users can find and join it; owner: bob; topic: cats",
        ]
    );
    // What is known is not asked for again, and what was just told is not told again.
    stage.types("&r den");
    assert_eq!(stage.app.upstream.requests().newest(), None);
    assert!(!stage.printed().concat().contains("cats"));
    stage.types("/msg bob").types("/join den");
    assert_eq!(stage.printed().last().unwrap(), "Topic of den: cats");
    // Of a room of before the login it is asked.
    stage.types("\\c").types("chat room1").printed();
    let topic = RoomInfo {
        topic: "tea".to_owned(),
        ..info("room1")
    };
    stage.says(Event::Room { room: topic });
    assert_eq!(stage.printed(), ["Topic of room1: tea"]);
    // A server that does not know the request is no matter.
    let mut stage = ann(Language::English);
    stage.types("&r room1").printed();
    let fail = fail("unknown_command", &[]);
    stage.happens(Input::Event(Event::Refused { fail }));
    assert!(stage.printed().is_empty());
}

#[test]
fn a_topic_that_was_set_before_the_room_was_opened_is_shown() {
    for is_changed in [true, false] {
        let mut stage = ann(Language::English);
        let room = |topic: &str, slow_seconds: u64| RoomInfo {
            topic: topic.to_owned(),
            slow_seconds,
            ..info("den")
        };
        stage.says(Event::OnNewRoom {
            roomname: "den".to_owned(),
        });
        stage.says(Event::Room {
            room: room("dogs", 0),
        });
        let topic = if is_changed { "cats" } else { "dogs" };
        stage.says(changed("den", "bob", room(topic, 5)));
        stage.printed();
        stage.types("&r den");
        let printed = stage.printed();
        let shown = printed.contains(&"Topic of den: cats".to_owned());
        assert_eq!(shown, is_changed, "{printed:?}");
    }
}

#[test]
fn the_way_back_into_a_room_depends_on_its_privacy() {
    for (private, banned, expected) in [
        (true, false, "You need a new invitation to come back."),
        (false, false, "You can come back with `/join room1`."),
        (true, true, "After the ban you need a new invitation."),
        (false, true, "`/join room1` says when the ban ends."),
    ] {
        let mut stage = in_room1(Language::English);
        let room = RoomInfo {
            private,
            ..info("room1")
        };
        stage.types("/room").says(Event::Room { room }).printed();
        stage.says(Event::OnMemberRemoved {
            roomname: "room1".to_owned(),
            membername: "ann".to_owned(),
            by: "bob".to_owned(),
            reason: None,
            banned,
        });
        assert_eq!(stage.printed()[1], expected);
    }
}

#[test]
fn the_lobby_says_why_it_stays() {
    for line in ["/rename #room1 hall", "/private room1"] {
        let mut stage = in_room1(Language::English);
        stage.types(line).printed();
        stage.says(Event::Refused {
            fail: fail("not_allowed", &[]),
        });
        let printed = stage.printed();
        assert!(
            printed[0].starts_with("room1 is the lobby"),
            "{line}: {printed:?}"
        );
    }
}

fn joined(room: &str) -> Event {
    Event::OnNewRoom {
        roomname: room.to_owned(),
    }
}

/// The server's yes to JOIN_ROOM.
fn is_in() -> Event {
    Event::JoinRoomResult {
        result: Outcome::Done("in".to_owned()),
    }
}

/// The server's yes to CREATE_ROOM.
fn is_made() -> Event {
    Event::CreateRoomResult {
        result: Outcome::Done("made".to_owned()),
    }
}

#[test]
fn a_room_that_is_joined_or_created_by_a_slash_command_opens() {
    for (line, answer) in [
        ("/join den", is_in()),
        ("/create public den", is_made()),
        ("/create private den", is_made()),
    ] {
        let mut stage = in_room1(Language::English);
        stage.types(line).says(joined("den")).says(answer);
        assert_eq!(stage.prompt(), "den> ", "{line}");
        asked(&mut stage);
        stage.types("hello");
        let sent = asked(&mut stage);
        assert!(sent[0].contains(r#""target":"den""#), "{line}: {sent:?}");
    }
    // The question who can find the room stands between.
    let mut stage = in_room1(Language::English);
    stage.types("/create den").types("public");
    stage.says(joined("den")).says(is_made());
    assert_eq!(stage.prompt(), "den> ");
    // In contact mode the signs of the original stay in it.
    let mut stage = ann(Language::English);
    stage.types("+r den").says(joined("den")).says(is_in());
    stage.types("garden=bob").types("public");
    stage.says(joined("garden")).says(is_made());
    assert_eq!(stage.prompt(), "contact> ");
}

#[test]
fn a_room_that_is_joined_takes_no_line_that_was_begun_elsewhere() {
    let mut stage = in_room1(Language::English);
    stage.types("/join den").presses("for room1");
    stage.printed();
    stage.says(joined("den")).says(is_in());
    assert_eq!(stage.prompt(), "room1> ");
    assert_eq!(stage.line(), "for room1");
    assert_eq!(
        stage.printed(),
        ["You joined den.", "Type `/msg #den` to open den."]
    );
    // Another chat was opened since.
    let mut stage = in_room1(Language::English);
    stage.types("/join den").types("/msg bob");
    stage.says(joined("den")).says(is_in());
    assert_eq!(stage.prompt(), "bob> ");
    // The refusal of a room opens nothing, and neither does a room that another user brought one into.
    let mut stage = in_room1(Language::English);
    stage.types("/join den");
    stage.says(Event::JoinRoomResult {
        result: Outcome::Refused(fail("unknown_room", &[])),
    });
    stage.says(joined("den"));
    assert_eq!(stage.prompt(), "room1> ");
}

#[test]
fn a_ban_without_an_end_is_said_to_have_none() {
    for (language, said) in [
        (
            Language::English,
            "You banned eve from room1 for an unlimited time. `/unban #room1 eve` lifts the ban.",
        ),
        (
            Language::Chinese,
            "你已禁止“eve”进入聊天室“room1”，没有期限。输入 `/unban #room1 eve` 可解除。",
        ),
    ] {
        let mut stage = in_room1(language);
        stage.types("/ban eve too loud").printed();
        stage.says(done(R::Ban));
        assert_eq!(stage.printed(), [said]);
    }
}

#[test]
fn a_lifted_ban_lets_nobody_into_a_private_room() {
    for (language, private, said) in [
        (
            Language::English,
            Some(false),
            "eve is not banned from room1 any more and can join it again.",
        ),
        (
            Language::English,
            Some(true),
            "eve is not banned from room1 any more. The room is private: `/invite #room1 eve` invites them again.",
        ),
        (
            Language::Chinese,
            Some(false),
            "已解除“eve”在聊天室“room1”的封禁，对方可以再加入。",
        ),
        (
            Language::Chinese,
            Some(true),
            "已解除“eve”在聊天室“room1”的封禁。这是私密聊天室，需要重新邀请：`/invite #room1 eve`。",
        ),
        (
            Language::Chinese,
            None,
            "已解除“eve”在聊天室“room1”的封禁。如果是私密聊天室，需要重新邀请：`/invite #room1 eve`。",
        ),
    ] {
        let mut stage = ann(language);
        if let Some(private) = private {
            let room = RoomInfo {
                private,
                ..info("room1")
            };
            stage.types("&r room1").says(Event::Room { room });
        }
        stage.types("/unban #room1 eve").printed();
        stage.says(done(R::Unban));
        assert_eq!(stage.printed(), [said]);
    }
}

#[test]
fn a_command_that_changes_nothing_says_so_without_the_server() {
    let settings = || RoomInfo {
        owner: "ann".to_owned(),
        operators: vec!["bob".to_owned()],
        role: Some(RoomRole::Owner),
        ..info("room1")
    };
    for (line, english, chinese) in [
        ("/unblock bob", "bob is not blocked.", "“bob”没有被屏蔽。"),
        (
            "/kick ann",
            "You cannot remove yourself. Type `/leave room1` to leave.",
            "不能移出自己。要退出请输入 `/leave room1`。",
        ),
        (
            "/ban ann 2h",
            "You cannot remove yourself. Type `/leave room1` to leave.",
            "不能移出自己。要退出请输入 `/leave room1`。",
        ),
        (
            "/owner Ann",
            "You are the owner of room1.",
            "你就是聊天室“room1”的房主。",
        ),
        (
            "/op bob",
            "bob is already an operator of room1.",
            "“bob”已经是聊天室“room1”的房间管理员。",
        ),
        (
            "/rename Room1",
            "room1 already has this name.",
            "聊天室“room1”现在就叫这个名字。",
        ),
    ] {
        for (language, said) in [(Language::English, english), (Language::Chinese, chinese)] {
            let mut stage = in_room1(language);
            stage.happens(Input::Event(Event::Room { room: settings() }));
            stage.printed();
            stage.types(line);
            assert_eq!(stage.printed().last().unwrap(), said, "{line}");
            assert_eq!(asked(&mut stage), [""; 0], "{line}");
        }
    }
}

#[test]
fn what_is_not_allowed_is_refused_before_a_question() {
    let lobby = |role| RoomInfo {
        owner: String::new(),
        role: Some(role),
        ..info("room1")
    };
    for (line, role, said) in [
        (
            "/close",
            RoomRole::Member,
            "room1 is the lobby of this server: it cannot be renamed, made private or closed.",
        ),
        (
            "/close",
            RoomRole::Owner,
            "room1 is the lobby of this server: it cannot be renamed, made private or closed.",
        ),
        (
            "/keep 5",
            RoomRole::Member,
            "`/keep #room1 5`: Only the owner of the room can do this.",
        ),
        (
            "/owner bob",
            RoomRole::Owner,
            "The lobby has no owner, and a bot can own no room: room1 was not handed over.",
        ),
    ] {
        let mut stage = in_room1(Language::English);
        stage.happens(Input::Event(Event::Room { room: lobby(role) }));
        stage.printed();
        stage.types(line);
        assert_eq!(stage.printed().last().unwrap(), said, "{line}");
        assert_eq!(stage.prompt(), "room1> ");
    }
    let mut stage = in_room1(Language::English);
    stage.happens(Input::Event(Event::Room {
        room: lobby(RoomRole::Owner),
    }));
    stage.types("/keep 5");
    assert!(
        stage.prompt().ends_with("(Y/N) room1> "),
        "an administrator"
    );
}

#[test]
fn to_keep_everything_needs_no_question() {
    for word in ["forever", "永久"] {
        let mut stage = in_room1(Language::English);
        stage.types(&format!("/keep {word}"));
        assert_eq!(asked(&mut stage).len(), 1, "{word}");
    }
}

#[test]
fn keeping_messages_longer_needs_no_question() {
    let welcome = |days| Event::OnWelcome {
        server: "echat 0".to_owned(),
        message_of_the_day: None,
        keeps: Keeps { days },
        limits: GivenLimits {
            frame_bytes: 70_000,
            content_bytes: 4_000,
            message_burst: 1,
            message_rate: 1,
        },
    };
    for (server, room, line, asks) in [
        (None, None, "/keep server", false),
        (None, Some(30), "/keep 默认", false),
        (None, Some(30), "/keep 60", false),
        (None, Some(30), "/keep 7", true),
        (None, None, "/keep 7", true),
        (Some(10), None, "/keep 30", false),
        (Some(10), None, "/keep 7", true),
        (Some(10), Some(5), "/keep server", false),
    ] {
        let mut stage = in_room1(Language::English);
        stage.happens(Input::Event(welcome(server)));
        stage.happens(Input::Event(Event::Room {
            room: RoomInfo {
                keep_days: room,
                ..info("room1")
            },
        }));
        stage.printed();
        stage.types(line);
        let is_asked = stage.prompt().contains("(Y/N)");
        assert_eq!(is_asked, asks, "{server:?} {room:?} {line}");
    }
    let mut stage = in_room1(Language::Chinese);
    stage.types("/keep 30").types("n");
    assert_eq!(
        stage.printed().last().unwrap(),
        "没有更改，“room1”的消息仍按原来的时间保留。"
    );
}

#[test]
fn an_operator_who_becomes_a_member_again_reads_what_was_taken() {
    for (language, name, said) in [
        (
            Language::Chinese,
            "ann",
            "“bob”取消了你在聊天室“room1”的房间管理员身份。",
        ),
        (
            Language::Chinese,
            "eve",
            "“bob”取消了“eve”在聊天室“room1”的房间管理员身份。",
        ),
        (
            Language::English,
            "ann",
            "bob made you a plain member of room1: you are not an operator any more.",
        ),
    ] {
        let mut stage = in_room1(language);
        stage.printed();
        stage.says(Event::OnRole {
            roomname: "room1".to_owned(),
            membername: name.to_owned(),
            role: RoomRole::Member,
            by: Some("bob".to_owned()),
        });
        assert_eq!(stage.printed(), [said]);
    }
}

#[test]
fn a_room_is_closed_by_its_name_in_quotes_too() {
    let mut stage = in_room1(Language::Chinese);
    stage.types("/close");
    let prompt = stage.prompt();
    assert!(
        prompt.starts_with("输入“room1”确认关闭，输入“否”取消"),
        "{prompt}"
    );
    stage.types("“room1”");
    assert_eq!(asked(&mut stage), [r#"CLOSE_ROOM "room1""#]);
    let mut stage = in_room1(Language::Chinese);
    stage.types("/close").printed();
    stage.types("“否”");
    assert_eq!(stage.printed().last().unwrap(), "聊天室“room1”没有关闭。");
}

#[test]
fn several_names_stand_in_quotes_in_chinese() {
    let mut stage = ann(Language::Chinese);
    stage.types("room1+=bob+eve").says(Event::AddMembersResult {
        result: Outcome::Done(String::new()),
    });
    assert_eq!(
        stage.printed().last().unwrap(),
        "已将“bob”、“eve”拉进聊天室“room1”。"
    );
}

#[test]
fn those_who_run_a_room_are_told_of_new_members_in_every_mode() {
    let joins = |name: &str| Event::OnMemberOnline {
        roomname: "room1".to_owned(),
        membername: name.to_owned(),
        joined: Some(true),
    };
    let settings = |role| Event::Room {
        room: RoomInfo {
            role: Some(role),
            ..info("room1")
        },
    };
    for (language, said) in [
        (Language::English, "eve joined room1"),
        (Language::Chinese, "eve 加入了聊天室“room1”"),
    ] {
        for role in [RoomRole::Owner, RoomRole::Operator, RoomRole::Member] {
            let mut stage = ann(language);
            stage.says(joins("eve"));
            // One ROOM_INFO serves every join until its reply.
            stage.says(joins("mallory"));
            assert_eq!(stage.sent(), [RequestKind::RoomInfo]);
            assert_eq!(stage.printed(), [""; 0]);
            stage.says(settings(role));
            let runs = role != RoomRole::Member;
            assert_eq!(stage.printed(), if runs { vec![said] } else { vec![] });
            // The role is known now.
            stage.types("&f bob").printed();
            stage.sent();
            stage.says(joins("eve"));
            assert!(stage.sent().is_empty());
            assert_eq!(stage.printed(), if runs { vec![said] } else { vec![] });
        }
    }
    let mut stage = ann(Language::English);
    stage.app.common.context.settings.config.presence = Presence::Hide;
    stage.says(joins("eve"));
    assert_eq!((stage.sent(), stage.printed()), (vec![], vec![]));
}
