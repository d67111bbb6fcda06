//! What the server refuses, said of the one it is about.

use super::*;

/// A refusal in the form of the request that was asked last.
fn refused(kind: RequestKind, fail: Fail) -> Event {
    let result = Outcome::Refused(fail.clone());
    match kind {
        RequestKind::AddFriend => Event::AddFriendResult { result },
        RequestKind::ResolveFriendRequest => Event::ResolveResult { result },
        RequestKind::JoinRoom => Event::JoinRoomResult { result },
        RequestKind::CreateRoom => Event::CreateRoomResult { result },
        RequestKind::AddMembers => Event::AddMembersResult { result },
        _ => Event::Refused { fail },
    }
}

fn answer(line: &str, code: &str, detail: &[(&str, u64)], language: Language) -> String {
    answer_to(line, fail(code, detail), language)
}

fn answer_to(line: &str, fail: Fail, language: Language) -> String {
    let code = fail.code.clone();
    let mut stage = ann(language);
    if line.starts_with("members") {
        stage.types("\\c").types("query");
    }
    if line.starts_with('/') {
        stage.types("&r room1");
        stage.sent();
    }
    stage.types(line);
    if line.starts_with("new=") {
        // It asks who can find and join the room.
        stage.types("public");
    }
    let kind = *stage.sent().last().expect("it is asked");
    stage.printed();
    stage.says(refused(kind, fail));
    let printed = stage.printed();
    assert_eq!(printed.len(), 1, "{line} {code}: {printed:?}");
    printed.into_iter().next().unwrap()
}

/// Commands, and what each is about.
const COMMANDS: [(&str, &[&str]); 9] = [
    ("+f dave", &["dave"]),
    ("y dave", &["dave"]),
    ("n dave", &["dave"]),
    ("+r other", &["other"]),
    ("-r other", &["other"]),
    ("new=bob", &["new", "bob"]),
    ("room1+=bob+carol", &["room1", "bob"]),
    ("find word", &["word"]),
    ("members other", &["other"]),
];

#[test]
fn every_refusal_of_every_command_names_what_it_is_about() {
    for (line, subjects) in COMMANDS {
        for code in echat_proto::records::Code::ALL {
            for language in [Language::English, Language::Chinese] {
                let said = answer(line, code.as_str(), &[("limit", 7)], language);
                // What is about the reader alone need not name another.
                let is_named = subjects.iter().any(|subject| said.contains(subject));
                assert!(is_named, "{line} {code}: {said}");
            }
        }
    }
}

#[test]
fn a_refusal_because_of_a_temporary_password_leads_to_a_new_one() {
    for (line, _) in COMMANDS {
        for (language, said) in [
            (
                Language::English,
                "Your password is temporary. Type `/passwd` to change it first.",
            ),
            (
                Language::Chinese,
                "你的密码是临时密码，请先用 `/passwd` 修改密码。",
            ),
        ] {
            let detail = vec![(
                "must_change_password".to_owned(),
                echat_proto::Value::Bool(true),
            )];
            let refusal = Fail {
                detail,
                ..fail("not_allowed", &[])
            };
            assert_eq!(answer_to(line, refusal, language), said, "{line}");
        }
    }
}

#[test]
fn a_refusal_about_another_user_does_not_address_the_reader() {
    let english = |line, code| answer(line, code, &[], Language::English);
    for (line, code, said) in [
        (
            "room1+=bob+carol",
            "already_member",
            "Already members of room1: bob, carol.",
        ),
        (
            "+r other",
            "already_member",
            "You are already a member of other. Type `&r other` to open it.",
        ),
        ("+f dave", "unknown_user", "User dave does not exist."),
        (
            "+r other",
            "unknown_room",
            "Room other does not exist, or it is private and you are not invited.",
        ),
        (
            "-r other",
            "not_a_member",
            "You are not a member of other. Type `/join other` to join it.",
        ),
        (
            "room1+=bob",
            "not_owner",
            "Only the owner of room1 can add members.",
        ),
        (
            "+f dave",
            "storage_busy",
            "`+f dave`: The server's database is busy.",
        ),
    ] {
        assert_eq!(english(line, code), said);
    }
    assert_eq!(
        answer("room1+=bob", "already_member", &[], Language::Chinese),
        "“bob”已经在聊天室“room1”中。"
    );
}

#[test]
fn a_limit_names_its_cause_and_what_to_do() {
    for (line, limit, words) in [
        // Ann has one friend and one room.
        (
            "+f dave",
            1,
            &["You have reached", "limit of 1 friends"][..],
        ),
        ("+f dave", 200, &["dave has reached", "200", "Try again"]),
        ("y dave", 500, &["dave has reached", "500", "stays open"]),
        ("+r other", 1, &["limit of 1 rooms", "`/leave <room>`"]),
        (
            "+r other",
            10_000,
            &["other has reached", "10000", "Try again"],
        ),
        ("new=bob", 200, &["new was not created", "200", "fewer"]),
        ("room1+=bob", 200, &["Not added to room1", "200", "fewer"]),
    ] {
        let said = answer(line, "too_many", &[("limit", limit)], Language::English);
        for word in words {
            assert!(said.contains(word), "{line}: {said}");
        }
    }
}

#[test]
fn a_request_made_offline_is_reported_as_queued() {
    let mut stage = ann(Language::English);
    stage.happens(Input::Closed(None)).printed();
    assert!(stage.prompt().starts_with("contact (offline, retrying in "));
    for line in ["+r other", "+f dave", "find word", "room1+=bob", "y dave"] {
        stage.types(line);
        let waits = format!("`{line}` will be carried out when the connection is back.");
        assert_eq!(stage.printed()[1..], [waits]);
    }
    stage.types(":r");
    assert_eq!(stage.printed()[1..], ["Rooms:", "  room1"], "is known");
    stage.happens(Input::Connected);
    assert_eq!(stage.printed(), [""; 0], "it is said once");
    stage.welcome("ann", vec![]);
    stage.says(Event::History {
        messages: vec![],
        more: false,
        newer: None,
    });
    stage.printed();
    stage.says(Event::JoinRoomResult {
        result: Outcome::Refused(fail("unknown_room", &[])),
    });
    stage.says(Event::AddFriendResult {
        result: Outcome::Done(String::new()),
    });
    stage.says(Event::Found {
        users: vec![],
        rooms: vec![],
        more: false,
    });
    assert_eq!(
        stage.printed(),
        [
            "Room other does not exist, or it is private and you are not invited.",
            "Friend request sent to dave.",
            "No user or room name contains word.",
        ]
    );
    stage.happens(Input::Closed(None));
    let said =
        "The connection was lost before the answer to `room1+=bob`, `y dave`. Please try again.";
    assert!(stage.printed().contains(&said.to_owned()));
}

#[test]
fn a_request_that_is_not_queued_is_not_reported_as_queued() {
    let mut stage = ann(Language::English);
    stage.happens(Input::Closed(None));
    stage.types("\\c").types("logout");
    assert!(!stage.printed().concat().contains("will be sent"));
}

#[test]
fn a_first_request_is_queued_silently() {
    let mut stage = stage(Language::English);
    stage.types("query").types("server time");
    assert!(
        !stage
            .printed()
            .iter()
            .any(|line| line.contains("will be sent"))
    );
}

#[test]
fn a_name_shows_the_character_that_it_cannot_have() {
    let mut stage = ann(Language::English);
    for (line, said) in [
        ("a!b=", "A name cannot contain \"!\" (U+0021)."),
        (
            "_a=",
            "A name must start with a letter or a digit, not with \"_\" (U+005F).",
        ),
        ("a\u{202e}b=", "A name cannot contain U+202E."),
    ] {
        stage.types(line);
        assert_eq!(stage.printed()[1], said);
    }
    let mut stage = super::stage(Language::Chinese);
    stage.types("register").types("小 明").types("a！");
    let printed = stage.printed();
    assert!(
        printed.contains(&"名字不能含有空格（U+0020）。".to_owned()),
        "{printed:?}"
    );
}
