use echat_proto::config::Notify;

use super::*;
use crate::target::Target;
use RequestKind as R;

#[test]
fn contact_mode_asks_and_lists() {
    let mut stage = ann(Language::Chinese);
    stage
        .types("+f dave")
        .types("new=bob")
        .types("公开")
        .types("new+=bob")
        .types("find b")
        .types("+r other");
    let asked = [
        R::AddFriend,
        R::CreateRoom,
        R::AddMembers,
        R::Find,
        R::JoinRoom,
    ];
    assert_eq!(stage.sent(), asked);
    stage.printed();
    stage.says(Event::AddFriendResult {
        result: Outcome::Done(String::new()),
    });
    stage.says(Event::OnNewRoom {
        roomname: "new".to_owned(),
    });
    stage.says(Event::CreateRoomResult {
        result: Outcome::Done(String::new()),
    });
    stage.says(Event::AddMembersResult {
        result: Outcome::Refused(fail("already_member", &[])),
    });
    stage.says(Event::Found {
        users: vec!["bob".to_owned()],
        rooms: vec![],
        more: false,
    });
    stage.says(Event::JoinRoomResult {
        result: Outcome::Refused(fail("unknown_room", &[])),
    });
    assert_eq!(
        stage.printed(),
        [
            "好友请求已发送给“dave”。",
            "已加入聊天室“new”。",
            "公开聊天室“new”已创建，本服务器的所有用户都能找到和加入。",
            "“bob”已经在聊天室“new”中。",
            "名字含有“b”的用户：",
            "  bob",
            "聊天室“other”不存在，或者它是私密的而你没有收到邀请。",
        ]
    );
    stage.types(":f");
    assert_eq!(stage.printed(), ["contact> :f", "好友：", "  bob  在线"]);
}

#[test]
fn a_message_in_another_chat_is_counted_and_announced() {
    let mut stage = ann(Language::Chinese);
    stage.says(live(in_room(5, "bob", "hello"), None));
    assert_eq!(stage.printed(), [""; 0]);
    let notice = stage.app.footer(9);
    assert_eq!(text(&notice[0]), "聊天室“room1”有一条新消息");
    assert_eq!(stage.prompt(), "contact [1]> ");
    assert!(stage.alerts().is_empty());
    stage.types("&r room1");
    assert_eq!(stage.printed()[1..], ["[2023-11-14 22:13:25] bob：hello",]);
    assert_eq!(stage.sent(), [RequestKind::MarkRead]);
    assert_eq!(stage.prompt(), "room1> ");
}

#[test]
fn chatting() {
    let mut stage = stage(Language::English);
    stage
        .types("login")
        .types("ann")
        .types("password1")
        .happens(Input::Connected);
    stage.welcome(
        "ann",
        vec![in_room(1, "bob", "old"), in_room(2, "bob", "new\nlines")],
    );
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    stage.printed();
    stage.types("&r room1");
    assert_eq!(
        stage.printed(),
        [
            "contact [1]> &r room1",
            "[2023-11-14 22:13:21] bob: old",
            "------ history above ------",
            "[2023-11-14 22:13:22] bob: new",
            "    lines",
        ]
    );
    stage.sent();
    stage.says(Event::Marked {
        target_type: TargetType::Room,
        target: "room1".into(),
        id: 2,
    });
    stage.types("hi");
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
    assert_eq!(stage.prompt(), "room1 (1 pending)> ");
    stage.says(live(in_room(3, "ann", "hi"), Some("t-1")));
    assert_eq!(stage.printed(), ["[2023-11-14 22:13:23] me: hi"]);
    assert_eq!(stage.prompt(), "room1> ");
    stage.says(live(mentioning(in_room(90_000, "bob", "@Ann?")), None));
    assert_eq!(
        stage.printed(),
        [
            "------ 2023-11-15 ------",
            "[2023-11-15 23:13:20] bob: @Ann?",
        ]
    );
    let alerts = stage.alerts();
    assert_eq!(alerts.len(), 1);
    assert!(alerts[0].rings && alerts[0].note.is_none());
}

#[test]
fn a_message_that_looks_like_a_command_is_confirmed_first() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").sent();
    stage.types("+f bob");
    assert_eq!(stage.sent(), []);
    assert_eq!(stage.prompt(), "send as text? (Y/N) room1> ");
    stage.types("n");
    assert_eq!(stage.printed().last().unwrap(), "Not sent.");
    stage.types("help").types("y");
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
    stage.types("login").types("//something else");
    assert!(stage.printed().contains(&"Not sent.".to_owned()));
    stage.types("\\c");
    assert_eq!(stage.prompt(), "command (2 pending)> ");
    stage.types("chat room1").types(" \\d ");
    assert!(stage.has(&Effect::Quit(Exit::Success)));
}

#[test]
fn pasted_lines_are_counted() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").sent();
    let lines = || vec!["one".to_owned(), "two".to_owned()];
    stage.pastes_lines(lines());
    stage.looks();
    assert_eq!(stage.prompt(), "2 lines (Y/O/N) room1> ");
    stage.types("o");
    assert_eq!(stage.app.common.context.pending(), 1);
    stage.pastes_lines(lines());
    stage.looks().types("Y");
    assert_eq!(stage.app.common.context.pending(), 3);
}

#[test]
fn older_messages_come_from_the_server() {
    let mut stage = ann(Language::English);
    for id in 1_000..1_600 {
        stage.says(live(in_room(id, "bob", "x"), None));
    }
    stage.types("&r room1").types("/history").printed();
    for _ in 0..20 {
        stage.types("/history");
    }
    assert!(stage.sent().contains(&RequestKind::QueryHistory));
    stage.printed();
    stage.says(Event::Marked {
        target_type: TargetType::Room,
        target: "room1".into(),
        id: 1_599,
    });
    stage.says(Event::History {
        messages: vec![in_room(7, "bob", "first")],
        more: false,
        newer: None,
    });
    let printed = stage.printed();
    assert_eq!(
        printed,
        [
            "------ older messages ------",
            "[2023-11-14 22:13:27] bob: first",
            "------ history above ------",
        ]
    );
}

#[test]
fn presence_changes_are_shown_in_one_line() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").printed();
    let member = |name: &str| (("room1".to_owned()), name.to_owned());
    for name in ["carol", "dave", "erin"] {
        let (roomname, membername) = member(name);
        stage.says(Event::OnMemberOnline {
            roomname,
            membername,
            joined: None,
        });
    }
    let (roomname, membername) = member("dave");
    stage.says(Event::OnMemberOffline {
        roomname,
        membername,
        left: None,
    });
    assert_eq!(stage.printed(), Vec::<String>::new());
    stage.happens(Input::Tick {
        now: stage.app.wakes_at().unwrap(),
    });
    assert_eq!(stage.printed(), ["carol, erin came online"]);
}

#[test]
fn query_mode_asks_the_server() {
    let mut stage = ann(Language::English);
    stage.types("\\c").types("query").printed();
    stage
        .types("server time")
        .types("rooms")
        .types("members room1")
        .types("who");
    assert_eq!(
        stage.sent(),
        [R::QueryServerTime, R::ListRooms, R::ListMembers]
    );
    assert_eq!(
        stage.printed()[3..],
        ["query> who", "Friends online:", "  bob"]
    );
    stage.says(Event::SendServerTime { time: 0 });
    stage.says(Event::Rooms { rooms: vec![] });
    stage.says(Event::Refused {
        fail: fail("not_a_member", &[("command", 18)]),
    });
    assert_eq!(
        stage.printed(),
        [
            "Server time: 1970-01-01 00:00:00",
            "No rooms yet. Type `/join <room>` to join one, or `/create <room>` to create one.",
            "You are not a member of room1. Type `/join room1` to join it.",
        ]
    );
}

#[test]
fn compact_lines_and_the_switches() {
    let mut stage = ann(Language::Chinese);
    let settings = &mut stage.app.common.context.settings;
    (
        settings.config.compact,
        settings.config.title,
        settings.config.notify,
        settings.config.bell,
    ) = (true, true, Notify::Bell, false);
    stage.types("&r room1").printed();
    let title = Effect::Title("echat room1".to_owned());
    assert!(stage.has(&title));
    stage.effects.clear();
    stage.happens(Input::Resume);
    assert!(stage.has(&title), "the shell named the window in between");
    stage.says(live(mentioning(in_room(5, "bob", "@ann\u{1b}[2J")), None));
    assert_eq!(stage.printed().len(), 2, "with the day");
    let alerts = stage.alerts();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].conversation, Target::Room("room1".to_owned()));
    let note = ("bob".to_owned(), "@ann␛[2J".to_owned());
    assert!(!alerts[0].rings && alerts[0].note == Some(note));
    stage.says(live(in_room(6, "bob", "later"), None));
    assert_eq!(stage.printed(), ["22:13 bob: later"]);
    let nods = in_room(7, "bob", "/me nods at @ann");
    stage.says(live(mentioning(nods), None));
    let note = ("bob".to_owned(), "* nods at @ann".to_owned());
    assert_eq!(stage.alerts().pop().unwrap().note, Some(note));
}

#[test]
fn keys_reach_the_mode_and_names_are_completed() {
    let mut stage = ann(Language::English);
    for c in "&r ro".chars() {
        stage.happens(Input::Key(Key::Char(c)));
    }
    stage
        .happens(Input::Key(Key::Tab))
        .happens(Input::Key(Key::Enter));
    assert_eq!(stage.prompt(), "room1> ");
}

#[test]
fn help_lists_what_the_mode_reads() {
    let mut stage = ann(Language::Chinese);
    stage.types("help");
    let printed = stage.printed();
    let rows: Vec<String> = printed
        .iter()
        .map(|row| row.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for row in [
        "+f <用户名> 添加好友",
        "<聊天室>+=<用户名>+<用户名> 拉好友进自己的聊天室",
    ] {
        assert!(rows.contains(&row.to_owned()), "{rows:?}");
    }
    assert_eq!(printed[1], "联系人模式的命令：");
    assert!(printed.contains(&"好友和聊天室（`/help 好友`）：".to_owned()));
    stage.types("&r room1").printed();
    stage.types("/help");
    assert!(
        stage
            .printed()
            .iter()
            .any(|line| line.starts_with("  /history  "))
    );
}

#[test]
fn help_is_short_before_the_login() {
    let mut stage = stage(Language::Chinese);
    stage.types("help");
    let printed = stage.printed();
    assert!(printed.len() < 18, "{printed:?}");
    assert!(printed.iter().any(|line| line.starts_with("  register ")));
    assert_eq!(printed.last().unwrap(), "登录后还有更多命令。");
    stage.types("/help 机器人");
    let printed = stage.printed();
    assert!(printed.iter().any(|line| line.starts_with("  /bots new ")));
}

#[test]
fn help_finds_commands_by_group_and_by_word() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").printed();
    let mut helps = |line: &str| {
        stage.types(line);
        stage.printed()[1..].to_vec()
    };
    let group = helps("/help messages");
    assert_eq!(group[0], "Messages:");
    assert!(group.iter().any(|line| line.starts_with("  /history  ")));
    // A command and a group have this name.
    let both = helps("/help rooms");
    assert!(both[0].starts_with("  /rooms ") && both.contains(&"In rooms:".to_owned()));
    let found = helps("/help password");
    assert_eq!(found, ["  /passwd  change your password"]);
    assert_eq!(
        helps("/help xyz"),
        ["No command has to do with xyz. Type `/help` for a list."]
    );
}

#[test]
fn a_command_of_another_mode_names_the_way_there() {
    let mut stage = ann(Language::English);
    let said =
        |command: &str, way: &str| format!("`{command}` is a command of another mode. Type {way}.");
    for (line, command, way) in [
        ("server time", "server time", "`\\c`, then `query`"),
        ("logout", "logout", "`\\c` first"),
    ] {
        stage.types(line);
        assert_eq!(stage.printed()[1], said(command, way));
    }
    for line in ["login", "register"] {
        stage.types(line);
        assert_eq!(stage.printed()[1], "You are already logged in as ann.");
    }
    stage.types("\\c").printed();
    // What the command is about may be private.
    for (line, command, way) in [
        ("+f carol", "+f", "`contact` first"),
        ("@f bob my secret", "@f", "`contact` first"),
        ("plans=bob", "plans", "`contact` first"),
        ("find", "find", "`contact` first"),
        ("：pr", "：pr", "`contact` first"),
        ("who", "who", "`query` first"),
    ] {
        stage.types(line);
        assert_eq!(stage.printed()[1], said(command, way));
    }
    stage.types("hello");
    assert_eq!(
        stage.printed()[1],
        "Unknown command: hello. Type `help` for a list."
    );
}

#[test]
fn a_member_who_leaves_is_told_from_one_who_goes_offline() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").printed();
    stage.app.common.context.settings.config.presence = crate::settings::Presence::Show;
    let gone = |name: &str| Event::OnMemberOffline {
        roomname: "room1".to_owned(),
        membername: name.to_owned(),
        left: None,
    };
    // bob is an online friend; carol is not a friend.
    stage.says(gone("bob")).says(gone("carol"));
    assert_eq!(
        stage.printed(),
        ["bob left room1", "carol left or went offline"]
    );
    stage
        .says(Event::OnFriendOffline {
            username: "bob".to_owned(),
        })
        .says(gone("bob"));
    assert_eq!(stage.printed(), ["bob went offline"]);
}

#[test]
fn a_chat_without_history_has_no_rule() {
    let mut stage = ann(Language::English);
    stage.types("&r room1");
    assert_eq!(stage.printed(), ["contact> &r room1"]);
}

#[test]
fn a_slash_command_is_read_in_every_mode() {
    for (language, in_vain, unknown) in [
        (
            Language::English,
            "/history works only in a chat.",
            "Unknown command: /nothing.",
        ),
        (
            Language::Chinese,
            "/history 只能在聊天中使用。",
            "未知命令：/nothing。",
        ),
    ] {
        for way in [&["\\c"][..], &[], &["\\c", "query"], &["&r room1"]] {
            let mut stage = ann(language);
            for line in way {
                stage.types(line);
            }
            let is_chat = way == ["&r room1"];
            stage.sent();
            stage.types("／ｍｅｍｂｅｒｓ　room1");
            assert_eq!(stage.sent(), [RequestKind::ListMembers], "{way:?}");
            stage.printed();
            stage.types("/history");
            let said = stage.printed();
            assert_eq!(
                said.iter().any(|line| line == in_vain),
                !is_chat,
                "{said:?}"
            );
            stage.types("/nothing");
            let said = stage.printed();
            assert!(
                said.iter().any(|line| line.starts_with(unknown)),
                "{said:?}"
            );
            assert!(!stage.sent().contains(&RequestKind::SendMessage), "{way:?}");
        }
    }
}

#[test]
fn two_slashes_send_a_line_that_begins_with_one() {
    for (line, sent) in [
        ("//etc/hosts", "/etc/hosts"),
        ("／／etc", "／etc"),
        ("//help", "/help"),
    ] {
        let mut stage = ann(Language::English);
        stage.types("&r room1").types(line);
        let room = Target::Room("room1".to_owned());
        let waiting = stage.app.common.context.outgoing.waiting_for("ann", &room);
        let waiting: Vec<&str> = waiting.map(|entry| entry.content.as_str()).collect();
        assert_eq!(waiting, [sent]);
    }
}

#[test]
fn a_known_command_that_goes_on_wrongly_says_how_it_is_typed() {
    for (line, said) in [
        ("/friends x", "Usage: /friends"),
        ("/quit now", "Usage: /quit"),
        (
            "/privacy",
            "Usage: /privacy last-seen on; /privacy last-seen off",
        ),
        ("/sessions foo", "Usage: /sessions; /sessions end"),
    ] {
        for mode in ["\\c", "contact", "&r room1"] {
            let mut stage = ann(Language::English);
            stage.types(mode).printed();
            stage.types(line);
            assert_eq!(stage.printed().last().unwrap(), said, "{line}");
        }
    }
    // A path begins with no command.
    let mut stage = ann(Language::English);
    stage.types("&r room1").types("/friends/x");
    assert!(stage.prompt().contains("(Y/N)"));
}

#[test]
fn help_on_a_command_shows_its_lines() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").printed();
    for line in ["/help ban", "/help /ban", "／help BAN"] {
        stage.types(line);
        let printed = stage.printed();
        assert_eq!(
            printed.last().unwrap().trim_start(),
            "/ban [#<room>] <user> [for <duration>] [<reason>]  remove a user and keep them out, for a time (10m, 2h, 3d, 1w) or until /unban"
        );
    }
    stage.types("/help topic");
    let printed = stage.printed();
    assert!(
        printed.last().unwrap().contains("/topic [#<room>]  show"),
        "{printed:?}"
    );
    stage.types("/help nothing");
    assert!(stage.printed().last().unwrap().contains("nothing"));
}
