//! Accounts and people: passwords, invitation codes, friends who are away, blocked users.

use echat_proto::names::DeviceSecret;
use echat_proto::param::{AwayText, RequestState};
use echat_proto::records::{
    AwayLine, FriendLine, GivenLimits, InvitationCodeLine, Keeps, MUST_CHANGE_PASSWORD, SessionLine,
};

use super::*;
use RequestKind as R;

const KEY: &str = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";

fn done(kind: R) -> Event {
    Event::Done {
        command: u64::from(kind.info().number),
    }
}

fn refused(stage: &mut Stage, kind: R, code: &str) {
    let mut fail = fail(code, &[]);
    let number = u64::from(kind.info().number);
    fail.detail.push(("command".to_owned(), Value::Int(number)));
    stage.says(Event::Refused { fail });
}

/// The parameters of the requests sent since the last look.
fn params(stage: &mut Stage, kind: R) -> Vec<Value> {
    let mut params = Vec::new();
    stage.effects.retain(|effect| match effect {
        Effect::Send(message) | Effect::LogIn { login: message, .. }
            if message.command == kind.info().number =>
        {
            params.push(message.params.clone());
            false
        }
        _ => true,
    });
    params
}

fn text_at(params: &Value, key: &str) -> Option<String> {
    match params.at(key) {
        Some(Value::Str(text)) => Some(text.clone()),
        _ => None,
    }
}

fn from_carol(id: u64, text: &str) -> Event {
    live(in_room(id, "carol", text), None)
}

/// What a login brings of people.
fn comes_back(stage: &mut Stage, must_change: bool, welcome: Option<Event>) {
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    if let Some(welcome) = welcome {
        stage.says(welcome);
    }
    stage.says(
        LoginBundle {
            chat_rooms: vec!["room1".to_owned()],
            friends: vec!["bob".to_owned()],
            online: vec!["bob".to_owned()],
            must_change_password: Some(must_change),
            away: Some(vec![AwayLine {
                username: "bob".to_owned(),
                text: "lunch".to_owned(),
            }]),
            device: Some(DeviceSecret::from_bytes(&[7; 32])),
            blocked: Some(vec!["carol".to_owned()]),
            ..LoginBundle::default()
        }
        .into(),
    );
}

fn newcomer(language: Language) -> Stage {
    let mut stage = stage(language);
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected);
    stage.printed();
    stage
}

#[test]
fn a_login_brings_who_is_away_who_is_blocked_and_the_secret_of_the_device() {
    let mut stage = newcomer(Language::English);
    comes_back(&mut stage, true, None);
    assert!(stage.has(&Effect::KeepDevice {
        user: "ann".to_owned(),
        device: DeviceSecret::from_bytes(&[7; 32]),
    }));
    stage.says(Event::Blocked { usernames: vec![] });
    let printed = stage.printed();
    assert!(
        printed.iter().any(|line| line.contains("`/passwd`")),
        "{printed:?}"
    );
    stage.types(":f");
    let printed = stage.printed();
    assert!(printed.contains(&"  bob  online, away: lunch".to_owned()));
    assert!(stage.app.common.context.session.blocked().contains("carol"));
}

#[test]
fn a_password_is_changed_without_a_trace_and_used_from_then_on() {
    for language in [Language::English, Language::Chinese] {
        let mut stage = ann(language);
        stage.types("&r room1").types("/passwd");
        assert!(stage.app.editor().is_masked() && stage.app.is_secret());
        stage.printed();
        stage
            .types("password1")
            .types("password2")
            .types("password3");
        assert_eq!(params(&mut stage, R::ChangePassword), []);
        stage.types("password2").types("password2");
        let sent = params(&mut stage, R::ChangePassword);
        assert_eq!(text_at(&sent[0], "old").unwrap(), "password1");
        assert_eq!(text_at(&sent[0], "new").unwrap(), "password2");
        assert!(!stage.printed().join(" ").contains("password2"));
        stage.says(done(R::ChangePassword));
        let said = language.say(Text::PasswordChanged);
        assert!(stage.printed().contains(&said));
        assert_eq!(stage.prompt(), "room1> ");
        stage.happens(Input::Key(Key::Up));
        assert_ne!(stage.line(), "password2");
        stage.happens(Input::Closed(None)).happens(Input::Connected);
        let login = params(&mut stage, R::Login);
        assert_eq!(text_at(&login[0], "password").unwrap(), "password2");
    }
}

#[test]
fn a_wrong_password_changes_nothing_and_is_asked_for_again() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").types("/passwd").types("wrong");
    stage.types("password2").types("password2").printed();
    refused(&mut stage, R::ChangePassword, "bad_credentials");
    assert_eq!(
        stage.printed(),
        ["Wrong password. Type it again, or press Ctrl-C to go back."]
    );
    // The password that is typed now is no message, and the new one is known.
    assert!(stage.app.is_secret());
    assert_eq!(stage.prompt(), "passwd current password: ");
    params(&mut stage, R::ChangePassword);
    stage.types("password1");
    let sent = params(&mut stage, R::ChangePassword);
    assert_eq!(text_at(&sent[0], "old").unwrap(), "password1");
    assert_eq!(text_at(&sent[0], "new").unwrap(), "password2");
    refused(&mut stage, R::ChangePassword, "bad_password");
    // Behind the prompt of the current password.
    assert_eq!(
        stage.printed()[1..],
        [
            "This password is not allowed. A temporary password has to be replaced by another one.",
            "Enter the password again, or press Ctrl-C to go back."
        ]
    );
    assert_eq!(stage.prompt(), "passwd new password: ");
    for _ in 0..4 {
        stage.types("password2").types("passwords");
        assert!(stage.app.is_secret());
    }
    assert!(stage.contents().is_empty());
    stage.happens(Input::Key(Key::Ctrl('c')));
    assert_eq!(stage.prompt(), "room1> ");
    stage.happens(Input::Closed(None)).happens(Input::Connected);
    let login = params(&mut stage, R::Login);
    assert_eq!(text_at(&login[0], "password").unwrap(), "password1");
    stage.welcome("ann", vec![]);
    stage.types("/passwd").printed();
    stage.happens(Input::Key(Key::Ctrl('c')));
    assert_eq!(stage.printed(), ["Nothing was changed."]);
}

#[test]
fn a_wrong_password_deletes_no_account_and_is_asked_for_again() {
    let mut stage = ann(Language::Chinese);
    stage.types("&r room1").types("/delete-account");
    stage.types("ann").types("y").types("wrong").printed();
    for code in ["bad_credentials", "login_throttled"] {
        refused(&mut stage, R::DeleteAccount, code);
        let printed = stage.printed();
        let said = printed.last().unwrap();
        assert!(said.ends_with("重新输入，或按 Ctrl-C 返回。") || said.contains("重新输入密码"));
        assert!(stage.app.is_secret());
        params(&mut stage, R::DeleteAccount);
        stage.types("password1");
        assert!(stage.contents().is_empty());
        let sent = params(&mut stage, R::DeleteAccount);
        assert_eq!(text_at(&sent[0], "password").unwrap(), "password1");
    }
    stage.says(Event::LoggedOut {});
    assert_eq!(stage.prompt(), "command> ");
}

/// What is typed for a request that changes the account, and what the request is called.
const CHANGES: [(&[&str], &str, R); 2] = [
    (
        &["/passwd", "password1", "password2", "password2"],
        "/passwd",
        R::ChangePassword,
    ),
    (
        &["/delete-account", "ann", "y", "password1"],
        "/delete-account",
        R::DeleteAccount,
    ),
];

#[test]
fn ctrl_c_drops_a_change_of_the_account_that_waits_for_the_connection() {
    for (language, said) in [
        (Language::English, "Not sent: `{}`."),
        (Language::Chinese, "未发送：`{}`。"),
    ] {
        for (lines, command, kind) in CHANGES {
            let mut stage = ann(language);
            stage.types("&r room1").happens(Input::Closed(None));
            for line in lines {
                stage.types(line);
            }
            stage.printed();
            stage.happens(Input::Key(Key::Ctrl('c')));
            assert_eq!(stage.printed()[0], said.replace("{}", command));
            assert!(stage.prompt().starts_with("room1"));
            stage.happens(Input::Connected);
            let login = params(&mut stage, R::Login);
            assert_eq!(text_at(&login[0], "password").unwrap(), "password1");
            stage.welcome("ann", vec![]);
            assert_eq!(params(&mut stage, kind), []);
        }
    }
}

#[test]
fn leaving_a_registration_that_waits_for_the_connection_drops_it() {
    for is_typed in [true, false] {
        let mut stage = stage(Language::English);
        stage.types("register").types("ann");
        stage.types("password1").types("password1").printed();
        if is_typed {
            stage.types("\\c");
        } else {
            stage.happens(Input::Key(Key::Ctrl('c')));
        }
        let printed = stage.printed();
        assert_eq!(printed.last().unwrap(), "Not sent: `register`.");
        assert_eq!(stage.prompt(), "command> ");
        stage.happens(Input::Connected);
        assert_eq!(params(&mut stage, R::Register), []);
    }
}

#[test]
fn the_answer_to_a_registration_that_was_left_is_not_that_of_the_next_one() {
    let mut stage = stage(Language::English);
    stage.types("register").types("ann");
    stage.types("password1").types("password1");
    stage.happens(Input::Connected);
    stage.happens(Input::Key(Key::Ctrl('c')));
    stage.types("register").types("bob").printed();
    stage.says(Event::RegisterSuccess {
        username: "ann".to_owned(),
    });
    assert_eq!(stage.printed(), ["Registered as ann."]);
    assert_eq!(stage.prompt(), "register password: ");
}

#[test]
fn ctrl_c_says_of_a_change_that_was_sent_that_it_cannot_be_taken_back() {
    for (lines, command, kind) in CHANGES {
        let mut stage = ann(Language::English);
        stage.types("&r room1");
        for line in lines {
            stage.types(line);
        }
        stage.printed();
        stage.happens(Input::Key(Key::Ctrl('c')));
        let said = format!(
            "`{command}` was sent already and cannot be taken back. The server's answer will be shown."
        );
        assert_eq!(stage.printed(), [said]);
        assert_eq!(stage.prompt(), "room1> ");
        // One at a time: each answer has its own request.
        stage.types(command);
        assert_eq!(
            stage.printed().last().unwrap(),
            "Please wait for the server's answer."
        );
        assert_eq!(stage.prompt(), "room1> ");
        if kind == R::ChangePassword {
            stage.says(done(kind));
            let said = Language::English.say(Text::PasswordChanged);
            assert_eq!(stage.printed(), [said]);
            stage.happens(Input::Closed(None)).happens(Input::Connected);
            let login = params(&mut stage, R::Login);
            assert_eq!(text_at(&login[0], "password").unwrap(), "password2");
        } else {
            stage.says(Event::LoggedOut {});
            assert_eq!(stage.printed(), ["Your account is deleted."]);
            assert_eq!(stage.prompt(), "command> ");
        }
    }
}

#[test]
fn a_prompt_waits_as_long_as_its_request_is_queued() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").happens(Input::Closed(None));
    for line in CHANGES[0].0 {
        stage.types(line);
    }
    stage.happens(Input::Connected).happens(Input::Closed(None));
    assert!(
        stage.prompt().starts_with("passwd ..."),
        "{}",
        stage.prompt()
    );
    stage.happens(Input::Connected).printed();
    stage.says(Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    });
    let printed = stage.printed();
    let said = "Not sent: `/passwd`.".to_owned();
    assert!(printed.contains(&said), "{printed:?}");
    assert!(!stage.prompt().contains("..."), "{}", stage.prompt());
}

#[test]
fn the_words_of_the_question_say_whether_messages_are_erased() {
    for (words, erase) in [
        ("删除", true),
        ("对所有人删除", true),
        ("remove them", true),
        ("ok", true),
        ("保留", false),
        ("Keep", false),
        ("不要", false),
    ] {
        let mut stage = ann(Language::Chinese);
        stage.types("/delete-account").types("ann").types(words);
        stage.types("password1");
        let sent = params(&mut stage, R::DeleteAccount);
        assert_eq!(sent[0].at("erase"), Some(&Value::Bool(erase)), "{words}");
    }
}

#[test]
fn an_account_is_deleted_only_by_its_name_and_password() {
    let mut stage = ann(Language::English);
    stage.types("/delete-account").types("bob");
    assert_eq!(
        stage.printed().last().unwrap(),
        "Your account was not deleted."
    );
    assert_eq!(stage.prompt(), "contact> ");
    stage
        .types("/delete-account")
        .types("Ann")
        .types("perhaps")
        .types("y");
    assert!(stage.app.is_secret());
    stage.types("password1");
    let sent = params(&mut stage, R::DeleteAccount);
    assert_eq!(sent[0].at("erase"), Some(&Value::Bool(true)));
    assert_eq!(text_at(&sent[0], "password").unwrap(), "password1");
    stage.printed();
    stage.says(Event::LoggedOut {});
    assert_eq!(stage.printed(), ["Your account is deleted."]);
    assert_eq!(stage.prompt(), "command> ");
    assert_eq!(stage.app.common.context.session.me(), None);
}

#[test]
fn a_code_is_asked_for_when_the_server_needs_one() {
    let mut stage = stage(Language::English);
    stage.types("register").types("ann");
    stage.types("password1").types("password1");
    stage.happens(Input::Connected);
    assert_eq!(
        text_at(&params(&mut stage, R::Register)[0], "invitation"),
        None
    );
    stage.printed();
    refused(&mut stage, R::Register, "bad_invitation");
    assert_eq!(
        stage.printed()[0],
        "To register on this server, you need a valid invitation code."
    );
    assert_eq!(stage.prompt(), "register invitation code: ");
    stage.types("7KQM-2XWD-RT9H-C4VB");
    let sent = params(&mut stage, R::Register);
    assert_eq!(text_at(&sent[0], "username").unwrap(), "ann");
    assert_eq!(text_at(&sent[0], "password").unwrap(), "password1");
    let given = text_at(&sent[0], "invitation").unwrap();
    assert_eq!(given, "7KQM-2XWD-RT9H-C4VB");
    stage.says(Event::RegisterSuccess {
        username: "ann".to_owned(),
    });
    assert_eq!(stage.prompt(), "command> ");
}

#[test]
fn a_code_of_the_command_line_is_sent_at_once() {
    let mut settings = Settings::new("t");
    settings.invitation = Some("7KQM-2XWD-RT9H-C4VB".into());
    let mut stage = Stage::of(App::new(settings, Language::English));
    stage.happens(Input::Start);
    stage.types("ann");
    stage.types("password1").types("password1");
    stage.happens(Input::Connected);
    let sent = params(&mut stage, R::Register);
    let given = text_at(&sent[0], "invitation").unwrap();
    assert_eq!(given, "7KQM-2XWD-RT9H-C4VB");
}

/// A client that was started with an address that has a room and an invitation code.
fn invited(language: Language, room: Option<&str>) -> Stage {
    let mut settings = Settings::new("t");
    settings.invitation = Some("7KQM-2XWD-RT9H-C4VB".into());
    settings.open = room.map(|room| Target::Room(room.to_owned()));
    let mut stage = Stage::of(App::new(settings, language));
    stage.happens(Input::Start);
    stage
}

#[test]
fn an_address_with_a_code_registers_logs_in_and_joins_the_room() {
    let mut stage = invited(Language::English, Some("class"));
    assert!(stage.printed()[1].starts_with("You are invited to this server."));
    assert_eq!(stage.prompt(), "register user name: ");
    stage.types("ann").types("password1").types("password1");
    let server = format!("echat://chat.example.org:1024/#{KEY}");
    stage.happens(Input::Server(server.parse().unwrap()));
    stage.happens(Input::Connected);
    let sent = params(&mut stage, R::Register);
    let given = text_at(&sent[0], "invitation").unwrap();
    assert_eq!(given, "7KQM-2XWD-RT9H-C4VB");
    stage.says(Event::RegisterSuccess {
        username: "ann".to_owned(),
    });
    let next = format!(
        "Next time, start echat with: echat 'echat://ann@chat.example.org:1024/class#{KEY}'"
    );
    assert_eq!(stage.printed()[3..], ["Registered as ann.", &next]);
    assert_eq!(stage.sent(), [R::Login]);
    stage.given("ann", None);
    assert_eq!(stage.prompt(), "contact> ");
    assert_eq!(stage.sent(), [R::Admin, R::JoinRoom]);
    refused(&mut stage, R::Admin, "not_allowed");
    stage.says(Event::OnNewRoom {
        roomname: "class".to_owned(),
    });
    assert_eq!(stage.prompt(), "class> ");
}

#[test]
fn a_code_that_is_used_up_is_asked_for_again_and_the_login_follows() {
    let mut stage = invited(Language::English, None);
    stage.types("ann").types("password1").types("password1");
    stage.happens(Input::Connected).printed();
    refused(&mut stage, R::Register, "bad_invitation");
    assert_eq!(
        stage.printed(),
        [
            "The invitation code 7KQM-2XWD-RT9H-C4VB is not valid: it is mistyped, used up, expired or revoked.",
            "Enter another code, press Enter to register without one, or press Ctrl-C to go back.",
        ]
    );
    assert_eq!(stage.prompt(), "register invitation code: ");
    stage.types("8KQM-2XWD-RT9H-C4VB").sent();
    stage.says(Event::RegisterSuccess {
        username: "ann".to_owned(),
    });
    assert_eq!(stage.sent(), [R::Login]);
}

#[test]
fn a_code_that_is_refused_can_be_left_out() {
    let mut stage = invited(Language::English, None);
    stage.types("ann").types("password1").types("password1");
    stage.happens(Input::Connected).sent();
    refused(&mut stage, R::Register, "bad_invitation");
    stage.types("");
    let sent = params(&mut stage, R::Register);
    assert_eq!(text_at(&sent[0], "invitation"), None);
    // The server needs one.
    refused(&mut stage, R::Register, "bad_invitation");
    assert_eq!(
        stage.printed().last().unwrap(),
        "Enter an invitation code, or press Ctrl-C to go back."
    );
    stage.types("");
    assert_eq!(stage.sent(), []);
    // Another wrong one does not make the server need none.
    stage.types("8KQM-2XWD-RT9H-C4VB").sent();
    stage.printed();
    refused(&mut stage, R::Register, "bad_invitation");
    assert_eq!(
        stage.printed(),
        [
            "The invitation code 8KQM-2XWD-RT9H-C4VB is not valid: it is mistyped, used up, expired or revoked.",
            "Enter an invitation code, or press Ctrl-C to go back.",
        ]
    );
    stage.types("");
    assert_eq!(stage.sent(), []);
}

#[test]
fn a_wrong_code_is_not_left_out_where_the_server_has_asked_for_one() {
    let mut stage = stage(Language::English);
    stage.happens(Input::Connected);
    stage.types("register").types("ann");
    stage.types("password1").types("password1").sent();
    refused(&mut stage, R::Register, "bad_invitation");
    stage.types("abc").sent();
    stage.printed();
    refused(&mut stage, R::Register, "bad_invitation");
    assert_eq!(
        stage.printed().last().unwrap(),
        "Enter an invitation code, or press Ctrl-C to go back."
    );
    stage.types("");
    assert_eq!(stage.sent(), []);
}

#[test]
fn only_the_name_is_typed_again_if_it_is_taken() {
    for (language, said) in [
        (
            Language::English,
            [
                "The name ann, or one that looks like it, is taken. Please choose another one.",
                "You do not have to type the password again.",
            ],
        ),
        (
            Language::Chinese,
            [
                "用户名“ann”已被占用，或与已有的名字过于相似，请换一个。",
                "密码不用重新输入。",
            ],
        ),
    ] {
        let mut stage = invited(language, None);
        stage.types("ann").types("password1").types("password1");
        stage.happens(Input::Connected).printed();
        params(&mut stage, R::Register);
        refused(&mut stage, R::Register, "name_taken");
        assert_eq!(stage.printed(), said);
        assert!(!stage.app.is_secret(), "a name is not hidden");
        stage.types("anna");
        let sent = params(&mut stage, R::Register);
        assert_eq!(text_at(&sent[0], "username").unwrap(), "anna");
        assert_eq!(text_at(&sent[0], "password").unwrap(), "password1");
        let given = text_at(&sent[0], "invitation").unwrap();
        assert_eq!(given, "7KQM-2XWD-RT9H-C4VB");
        // The login that follows has that password.
        stage.says(Event::RegisterSuccess {
            username: "anna".to_owned(),
        });
        let login = params(&mut stage, R::Login);
        assert_eq!(text_at(&login[0], "password").unwrap(), "password1");
    }
    // The next registration begins anew.
    let mut stage = invited(Language::English, None);
    stage.types("ann").types("password1").types("password1");
    stage.happens(Input::Connected);
    refused(&mut stage, R::Register, "name_taken");
    stage.types("\\c").types("register").types("anna");
    assert_eq!(stage.prompt(), "register password: ");
}

/// The first login of a new account, which is a member of the lobby.
fn first_login(stage: &mut Stage) {
    stage.says(Event::RegisterSuccess {
        username: "ann".to_owned(),
    });
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    stage.printed();
    stage.says(
        LoginBundle {
            chat_rooms: vec!["lobby".to_owned()],
            ..LoginBundle::default()
        }
        .into(),
    );
}

#[test]
fn a_new_user_reads_where_they_are_and_an_administrator_that_they_are_one() {
    for (language, lobby, administrator) in [
        (
            Language::English,
            "You are in the room lobby, like every new user. Type `/msg #lobby` to open it.",
            "You are an administrator of this server. `/admin help` lists what administrators can do.",
        ),
        (
            Language::Chinese,
            "新用户都会加入聊天室“lobby”，你已经在其中，输入 `/msg #lobby` 打开。",
            "你是这台服务器的管理员。输入 `/admin help` 查看管理命令。",
        ),
    ] {
        for is_administrator in [true, false] {
            let mut stage = invited(language, None);
            stage.types("ann").types("password1").types("password1");
            stage.happens(Input::Connected);
            first_login(&mut stage);
            assert_eq!(stage.printed()[1..], [lobby]);
            if is_administrator {
                stage.says(Event::AdminResult {
                    result: echat_proto::param::Dict(vec![]),
                    text: "help".to_owned(),
                });
                assert_eq!(stage.printed(), [administrator]);
            } else {
                refused(&mut stage, R::Admin, "not_allowed");
                assert_eq!(stage.printed(), [""; 0]);
            }
            // It is told once.
            stage.happens(Input::Closed(None)).happens(Input::Connected);
            stage.given("ann", None);
            let told = stage.printed().concat();
            assert!(!told.contains("/msg") && !told.contains("/admin"), "{told}");
        }
    }
    // Without a code the user is no administrator.
    let mut stage = stage(Language::English);
    stage.types("register").types("ann");
    stage.types("password1").types("password1");
    stage.happens(Input::Connected);
    stage.says(Event::RegisterSuccess {
        username: "ann".to_owned(),
    });
    stage.types("login").types("ann").types("password1");
    stage.sent();
    stage.given("ann", None);
    assert!(!stage.sent().contains(&R::Admin));
}

#[test]
fn a_code_without_an_end_says_so() {
    let mut stage = ann(Language::Chinese);
    stage.types("/invitation").says(Event::Invitations {
        invitations: vec![InvitationCodeLine {
            code: "ABCD".to_owned(),
            uses: 10,
            expires: None,
        }],
    });
    let printed = stage.printed();
    assert_eq!(
        printed.last().unwrap(),
        "  ABCD  还可注册 10 个账号，没有期限"
    );
}

#[test]
fn last_seen_is_hidden_in_chinese_too() {
    for (word, shown) in [("开", true), ("关", false), ("打开", true), ("关闭", false)] {
        let mut stage = ann(Language::Chinese);
        stage.types(&format!("/privacy last-seen {word}"));
        let sent = params(&mut stage, R::SetPrivacy);
        assert_eq!(sent[0].at("last_seen"), Some(&Value::Bool(shown)), "{word}");
    }
}

#[test]
fn a_bot_is_created_in_the_open_room_or_in_those_that_are_named() {
    let mut stage = ann(Language::English);
    stage.types("/bots new helper");
    assert_eq!(
        stage.printed().last().unwrap(),
        "Usage: /bots new <user> <room> ..."
    );
    stage.types("&r room1").types("/bots new helper");
    let rooms = |rooms: &[&str]| Value::List(rooms.iter().map(|room| Value::from(*room)).collect());
    let sent = params(&mut stage, R::CreateBot);
    assert_eq!(sent[0].at("rooms"), Some(&rooms(&["room1"])));
    stage.types("/bots new helper tea #den");
    let sent = params(&mut stage, R::CreateBot);
    assert_eq!(sent[0].at("rooms"), Some(&rooms(&["tea", "den"])));
}

#[test]
fn who_removes_a_bot_reads_that_it_does_not_come_back() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").says(Event::Room {
        room: info("room1"),
    });
    let bot = ChatMessage {
        bot: Mark(true),
        ..in_room(1, "clerk", "built")
    };
    stage.says(live(bot, None));
    stage.says(Event::Marked {
        target_type: TargetType::Room,
        target: "room1".to_owned(),
        id: 1,
    });
    for (name, said) in [
        (
            "clerk",
            "You removed the bot clerk from room1. It cannot come back. To have a bot in room1 again, create another one: `/bots new <user> room1`.",
        ),
        (
            "carol",
            "You removed carol from room1. To keep them out, type `/ban #room1 carol`.",
        ),
    ] {
        stage.types(&format!("/kick {name}")).printed();
        stage.says(done(R::Kick));
        assert_eq!(stage.printed(), [said]);
    }
    stage.types("/bots").printed();
    stage.says(Event::Bots {
        bots: vec![echat_proto::records::BotLine {
            username: "clerk".to_owned(),
            rooms: vec![],
            created: 1,
            expires: None,
            last_seen: None,
        }],
    });
    assert_eq!(
        stage.printed()[1],
        "  clerk  in no room; it cannot join one, so create another bot: `/bots new <user> <room>`"
    );
}

#[test]
fn a_room_of_the_address_that_refuses_leaves_the_user_logged_in() {
    let mut stage = invited(Language::English, Some("class"));
    stage
        .types("\\c")
        .types("login")
        .types("ann")
        .types("password1");
    stage.happens(Input::Connected).given("ann", None).printed();
    refused(&mut stage, R::JoinRoom, "unknown_room");
    let said = "Room class does not exist, or it is private and you are not invited.";
    assert_eq!(stage.printed(), [said]);
    assert_eq!(stage.prompt(), "contact> ");
}

#[test]
fn the_room_of_the_address_is_joined_after_a_lost_connection_too() {
    let mut stage = invited(Language::English, Some("class"));
    stage
        .types("\\c")
        .types("login")
        .types("ann")
        .types("password1");
    stage.happens(Input::Connected).given("ann", None);
    assert!(stage.sent().contains(&R::JoinRoom));
    stage.happens(Input::Closed(None)).happens(Input::Connected);
    stage.given("ann", None);
    assert!(stage.sent().contains(&R::JoinRoom));
    stage.says(Event::OnNewRoom {
        roomname: "class".to_owned(),
    });
    assert_eq!(stage.prompt(), "class> ");
}

#[test]
fn a_suspended_user_reads_until_when_and_why() {
    for (language, said) in [
        (
            Language::English,
            "This account is suspended. The suspension ends at 2023-11-14 22:13:20. Reason: spam",
        ),
        (
            Language::Chinese,
            "该账号已被停用。停用将于 2023-11-14 22:13:20 结束。原因：spam",
        ),
    ] {
        let mut stage = newcomer(language);
        let mut fail = fail("suspended", &[("until", 1_700_000_000)]);
        let reason = Value::Str("spam".to_owned());
        fail.detail.push(("reason".to_owned(), reason));
        stage.says(Event::LoginFailure { fail });
        assert_eq!(stage.printed()[0], said);
    }
}

#[test]
fn no_password_is_asked_for_after_a_suspension() {
    let mut settings = Settings::new("t");
    settings.user = Some("ann".to_owned());
    settings.password = Some("password1".into());
    let mut stage = Stage::of(App::new(settings, Language::English));
    stage.happens(Input::Start).happens(Input::Connected);
    stage.printed();
    stage.says(Event::LoginFailure {
        fail: fail("suspended", &[]),
    });
    assert_eq!(stage.printed(), ["This account is suspended."]);
    assert_eq!(stage.prompt(), "command> ");
    // Also where the login was typed.
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected).printed();
    stage.says(Event::LoginFailure {
        fail: fail("suspended", &[]),
    });
    assert_eq!(stage.printed(), ["This account is suspended."]);
    assert_eq!(stage.prompt(), "command> ");
}

#[test]
fn a_server_without_registration_is_asked_for_no_code() {
    let mut stage = stage(Language::English);
    stage.types("register").types("ann").types("password1");
    stage.types("password1").happens(Input::Connected);
    stage.printed();
    refused(&mut stage, R::Register, "registration_closed");
    assert_eq!(stage.printed(), ["This server takes no new accounts."]);
    assert_eq!(stage.prompt(), "command> ");
}

#[test]
fn a_new_bot_is_told_the_address_of_its_server() {
    let token = echat_proto::names::BotToken::from_bytes(&[1; 32]);
    let made = Event::BotToken {
        username: "helper".to_owned(),
        token,
    };
    let mut stage = ann(Language::English);
    stage.types("/bots new helper room1").says(made.clone());
    let said = stage.printed().concat();
    assert!(said.contains("echat-nc HOST:PORT --user helper"), "{said}");
    let server = "echat://ann@chat.example:7000/room1".parse().unwrap();
    stage.happens(Input::Server(server));
    stage.types("/bots new helper room1").says(made);
    let said = stage.printed().concat();
    assert!(
        said.contains("echat-nc 'echat://chat.example:7000/' --user helper"),
        "{said}"
    );
}

#[test]
fn the_message_of_the_day_is_shown_once_a_login() {
    let welcome = |text: &str| Event::OnWelcome {
        server: "echat 0".to_owned(),
        message_of_the_day: Some(text.to_owned()),
        keeps: Keeps { days: None },
        limits: GivenLimits {
            frame_bytes: 70_000,
            content_bytes: 5,
            message_burst: 1,
            message_rate: 1,
        },
    };
    let mut stage = newcomer(Language::English);
    let text = "Be kind.\u{1b}[2J\n[2026-01-01 00:00:00] bob: hi";
    comes_back(&mut stage, false, Some(welcome(text)));
    let printed = stage.printed();
    let at = printed.iter().position(|line| line == "Logged in as ann.");
    assert_eq!(printed[at.unwrap() + 1], "From the server: Be kind.␛[2J");
    assert!(printed.last().unwrap().starts_with("    ["), "{printed:?}");
    assert_eq!(stage.app.common.context.session.limits().content_bytes, 5);
    stage.types("@f bob too long");
    assert!(stage.printed().last().unwrap().contains("limit is 5 bytes"));
    for (text, shows) in [(text, false), ("New.", true)] {
        stage.happens(Input::Closed(None)).happens(Input::Connected);
        comes_back(&mut stage, false, Some(welcome(text)));
        let printed = stage.printed();
        let told = printed
            .iter()
            .any(|line| line.starts_with("From the server"));
        assert_eq!(told, shows, "{printed:?}");
    }
}

#[test]
fn a_friend_who_is_away_is_told_of_in_contact_mode_and_in_the_chat() {
    let away = |text: Option<&str>| Event::OnAway {
        username: "bob".to_owned(),
        text: AwayText(text.map(str::to_owned)),
    };
    let mut stage = ann(Language::English);
    stage.says(away(Some("lunch")));
    assert_eq!(stage.printed(), ["bob is away: lunch"]);
    stage.types("/who");
    assert!(stage.printed().contains(&"  bob, away: lunch".to_owned()));
    stage.types("&f bob");
    assert_eq!(stage.printed().last().unwrap(), "bob is away: lunch");
    stage.says(away(Some("lunch")));
    assert!(stage.printed().is_empty());
    stage.says(away(None));
    assert_eq!(stage.printed(), ["bob is back"]);
    stage.types("\\c").types("chat room1").printed();
    stage.says(away(Some("lunch")));
    assert!(stage.printed().is_empty());
    stage.says(Event::OnAway {
        username: "carol".to_owned(),
        text: AwayText(Some("no friend".to_owned())),
    });
    assert_eq!(stage.app.common.context.session.away("carol"), None);
}

#[test]
fn a_former_friend_can_be_read_and_not_written_to() {
    let mut stage = ann(Language::English);
    stage.types("&f bob").types("/unfriend bob");
    assert!(stage.prompt().starts_with("unfriend bob? (Y/N)"));
    stage.types("y");
    assert_eq!(stage.sent(), [R::RemoveFriend]);
    stage.printed();
    for _ in 0..2 {
        stage.says(Event::OnFriendRemoved {
            username: "bob".to_owned(),
        });
    }
    stage.says(done(R::RemoveFriend));
    assert_eq!(
        stage.printed(),
        ["You and bob are no longer friends. You can still read the conversation."]
    );
    stage.types("hello");
    assert!(stage.contents().is_empty());
    let printed = stage.printed();
    assert!(printed[0].contains("`/add bob`"), "{printed:?}");
    assert_eq!(printed[1], "(not sent) hello");
    // The next text is not glued to it.
    assert_eq!(stage.line(), "");
    stage.types("\\c").types("contact").types("&f bob");
    assert_eq!(stage.prompt(), "bob> ");
    stage.says(Event::NewContact {
        username: "bob".to_owned(),
    });
    stage.types("hello again");
    assert_eq!(stage.contents(), ["hello again"]);
}

#[test]
fn what_another_session_did_is_so_here() {
    let mut stage = ann(Language::English);
    for id in 1..=3 {
        stage.says(live(in_room(id, "bob", "hello"), None));
    }
    assert_eq!(stage.app.common.context.session.unread(), 3);
    for (id, left) in [(2, 1), (1, 1), (3, 0), (3, 0)] {
        stage.says(Event::OnRead {
            target_type: TargetType::Room,
            target: "room1".to_owned(),
            id,
        });
        assert_eq!(stage.app.common.context.session.unread(), left);
    }
    for name in ["dave", "erin"] {
        stage.says(Event::IncommingFriendRequest {
            username: name.to_owned(),
        });
    }
    for (name, state) in [
        ("dave", RequestState::Declined),
        ("erin", RequestState::Accepted),
    ] {
        stage.says(Event::OnRequestChanged {
            username: name.to_owned(),
            state,
        });
    }
    assert!(stage.app.common.context.session.pending().is_empty());
    stage.printed();
    stage.says(Event::OnSelfChanged {
        blocked: Some(vec!["carol".to_owned()]),
        invitations: None,
        away: Some(AwayText(Some("lunch".to_owned()))),
        last_seen: None,
    });
    assert!(stage.app.common.context.session.blocked().contains("carol"));
    assert_eq!(stage.app.common.context.session.own_away(), Some("lunch"));
    assert_eq!(
        stage.printed(),
        [
            "You blocked carol on another device.",
            "On another device you said that you are away: lunch"
        ]
    );
    assert_eq!(stage.prompt(), "contact (away)> ");
    // Those that were blocked before are no news.
    stage.says(Event::OnSelfChanged {
        blocked: Some(vec!["carol".to_owned(), "dave".to_owned()]),
        invitations: None,
        away: None,
        last_seen: None,
    });
    assert_eq!(stage.printed(), ["You blocked dave on another device."]);
}

#[test]
fn the_prompt_says_that_the_user_is_away() {
    for (language, away) in [
        (Language::English, "room1 (away)> "),
        (Language::Chinese, "room1 (离开)> "),
    ] {
        let mut stage = ann(language);
        stage.types("&r room1").types("/away lunch");
        assert_eq!(stage.prompt(), "room1> ", "the server has not answered");
        stage.says(done(R::SetAway));
        assert_eq!(stage.prompt(), away);
        stage.types("/back");
        stage.says(done(R::SetAway));
        assert_eq!(stage.prompt(), "room1> ");
        stage.types("/away lunch").says(done(R::SetAway));
        stage.says(Event::OnSelfChanged {
            blocked: None,
            invitations: None,
            away: Some(AwayText(None)),
            last_seen: None,
        });
        assert_eq!(stage.prompt(), "room1> ", "on another device");
    }
}

#[test]
fn a_login_finds_out_whether_the_user_is_away() {
    let mut stage = super::stage(Language::English);
    stage.away = Some("lunch".to_owned());
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected).welcome("ann", vec![]);
    assert_eq!(stage.prompt(), "contact (away)> ");
    // The user came back on another device while the connection was lost.
    stage.happens(Input::Closed(None));
    stage.away = None;
    stage.happens(Input::Connected).welcome("ann", vec![]);
    assert_eq!(stage.prompt(), "contact> ");
    // A script has no prompt.
    let mut settings = Settings::new("t");
    settings.interactive = false;
    settings.user = Some("ann".to_owned());
    settings.password = Some("password1".into());
    let mut stage = Stage::of(App::new(settings, Language::English));
    stage.away = Some("lunch".to_owned());
    stage.happens(Input::Tick { now: 1_700_000_000 });
    stage.happens(Input::Start).happens(Input::Connected);
    stage.given("ann", None);
    assert_eq!(stage.app.common.context.session.own_away(), None);
}

#[test]
fn requests_and_invitations_of_a_blocked_user_are_listed_no_more() {
    let blocks: [fn(&mut Stage); 2] = [
        |stage| {
            stage.types("/block Carol").types("y");
            stage.says(done(R::Block));
        },
        // Another session did it; the invitations are as before if carol made none.
        |stage| {
            stage.says(Event::OnSelfChanged {
                blocked: Some(vec!["carol".to_owned()]),
                invitations: None,
                away: None,
                last_seen: None,
            });
        },
    ];
    for block in blocks {
        let mut stage = ann(Language::English);
        for (roomname, by) in [("den", "carol"), ("tea", "bob")] {
            stage.says(Event::OnInvitation {
                roomname: roomname.to_owned(),
                by: Some(by.to_owned()),
            });
        }
        stage.says(Event::IncommingFriendRequest {
            username: "carol".to_owned(),
        });
        block(&mut stage);
        let session = &stage.app.common.context.session;
        assert_eq!(session.pending(), [""; 0]);
        let open = session
            .invitations()
            .iter()
            .map(|open| open.roomname.as_str());
        assert_eq!(open.collect::<Vec<_>>(), ["tea"]);
    }
}

#[test]
fn messages_of_a_blocked_user_are_folded_and_ring_nobody() {
    let mut stage = ann(Language::English);
    stage.types("/block Carol");
    assert!(stage.printed().join(" ").contains("sees you offline"));
    stage.types("y");
    assert_eq!(stage.sent(), [R::Block]);
    stage.says(done(R::Block));
    stage.types("&r room1").printed();
    for (id, text) in [(1, "one ann"), (2, "two")] {
        stage.says(from_carol(id, text));
    }
    assert_eq!(
        stage.printed(),
        ["(message from a blocked user; `/show` to read it)"]
    );
    assert!(stage.alerts().is_empty());
    stage.says(live(in_room(3, "bob", "three"), None));
    stage.says(from_carol(4, "four"));
    let printed = stage.printed();
    assert_eq!(printed.len(), 3, "{printed:?}");
    assert_eq!(
        printed[0],
        "(1 more message from a blocked user; `/show` to read it)"
    );
    assert!(printed[1].ends_with("bob: three"));
    stage.types("/show");
    let printed = stage.printed().join("|");
    for text in ["one ann", "two", "four"] {
        assert!(printed.contains(text), "{printed}");
    }
    stage.types("/show");
    assert_eq!(stage.printed().last().unwrap(), "Nothing is folded here.");
    stage.types("\\c").types("contact").types("&r room1");
    let printed = stage.printed();
    let folded = "(2 messages from blocked users; `/show` to read them)";
    assert!(printed.contains(&folded.to_owned()), "{printed:?}");
    assert!(!printed.join(" ").contains("one ann"));
    while stage.sent().contains(&R::MarkRead) {
        stage.says(Event::Marked {
            target_type: TargetType::Room,
            target: "room1".to_owned(),
            id: 4,
        });
    }
    stage.types("/unblock carol");
    stage.says(done(R::Unblock)).printed();
    stage.says(from_carol(5, "five"));
    assert!(stage.printed()[0].ends_with("carol: five"));
}

#[test]
fn bots_and_deleted_messages_are_marked() {
    for (language, bot, deleted) in [
        (Language::English, "build (bot): ok", "bob: (deleted)"),
        (Language::Chinese, "build（机器人）：ok", "bob：（已删除）"),
    ] {
        let mut stage = ann(language);
        stage.types("&r room1").printed();
        let mut message = in_room(1, "build", "ok");
        message.bot = Mark(true);
        stage.says(live(message, None));
        assert!(stage.printed()[0].ends_with(bot));
        stage.says(Event::OnNewMessage {
            id: 2,
            content: String::new(),
            sender: "bob".to_owned(),
            target_type: TargetType::Room,
            send_time: 1_700_000_002,
            target: "room1".to_owned(),
            txn_id: None,
            deleted: Some(true),
            bot: Mark(false),
            reply_to: None,
            edited: None,
            mentions: None,
        });
        assert!(stage.printed()[0].ends_with(deleted));
    }
}

#[test]
fn lists_show_what_the_server_tells() {
    let mut stage = ann(Language::English);
    stage.types("/friends").printed();
    stage.says(Event::Friends {
        friends: vec![FriendLine {
            username: "bob".to_owned(),
            online: false,
            away: None,
            last_seen: Some(1_700_000_000),
        }],
    });
    let row = "  bob  offline, last seen 2023-11-14 22:13:20";
    assert_eq!(stage.printed()[1], row);
    stage.types("/sessions").printed();
    stage.says(Event::Sessions {
        sessions: vec![SessionLine {
            address: "192.0.2.1".to_owned(),
            since: 1_700_000_000,
            this: true,
        }],
    });
    let row = "  192.0.2.1, since 2023-11-14 22:13:20 (this one)";
    assert_eq!(stage.printed()[1], row);
    stage.types("/invitation new 3 7").printed();
    assert_eq!(stage.sent().last(), Some(&R::QueryServerTime));
    stage.says(Event::SendServerTime {
        time: 1_800_000_000,
    });
    let sent = params(&mut stage, R::CreateInvitation);
    assert_eq!(sent[0].at("uses"), Some(&Value::Int(3)));
    let expires = 1_800_000_000 + 7 * 86_400;
    assert_eq!(sent[0].at("expires"), Some(&Value::Int(expires)));
    stage.says(Event::Invitation {
        code: "7KQM-2XWD-RT9H-C4VB".to_owned(),
        uses: 3,
        expires: None,
    });
    assert_eq!(
        stage.printed()[1],
        "  7KQM-2XWD-RT9H-C4VB  for 3 accounts, without an end"
    );
    for (server, is_loopback) in [("chat.example.org:1024", false), ("127.0.0.1:1024", true)] {
        let link = format!("echat://{server}/#{KEY}");
        stage.happens(Input::Server(link.parse().unwrap()));
        stage.types("/invitation new").printed();
        stage.says(Event::Invitation {
            code: "7KQM-2XWD-RT9H-C4VB".to_owned(),
            uses: 1,
            expires: None,
        });
        let said = stage.printed();
        let command = format!("  echat '{link}&invitation=7KQM-2XWD-RT9H-C4VB'");
        assert_eq!(said[3], command);
        let hint = "127.0.0.1 is this machine only";
        assert_eq!(said[4].starts_with(hint), is_loopback);
    }
    stage.types("/invitation new");
    refused(&mut stage, R::CreateInvitation, "not_allowed");
    let said = "Only administrators of this server can make invitation codes.";
    assert_eq!(stage.printed().last().unwrap(), said);
}

#[test]
fn unread_messages_of_a_blocked_user_are_not_counted() {
    let mut stage = ann(Language::English);
    let message = ChatMessage {
        target: "bob".to_owned(),
        target_type: TargetType::Friend,
        ..in_room(1, "bob", "hello")
    };
    stage.says(live(message, None));
    assert_eq!(stage.prompt(), "contact [1]> ");
    stage.says(Event::OnFriendRemoved {
        username: "bob".to_owned(),
    });
    // The client has asked whether the account still exists.
    refused(&mut stage, R::Whois, "storage_busy");
    assert_eq!(stage.prompt(), "contact [1]> ");
    stage.types("/block bob").types("y").says(done(R::Block));
    assert_eq!(stage.prompt(), "contact> ");
    stage.printed();
    stage.types("?");
    assert_eq!(stage.printed()[1..], ["No unread messages."]);
}

#[test]
fn a_question_for_a_password_leaves_the_open_chat_as_it_is() {
    let mut stage = ann(Language::English);
    stage.says(live(in_room(1, "bob", "one"), None));
    stage.types("&r room1").printed();
    stage.types("/passwd");
    stage.says(live(in_room(2, "bob", "two"), None));
    stage.printed();
    stage.happens(Input::Key(Key::Ctrl('c')));
    assert_eq!(stage.prompt(), "room1> ");
    let printed = stage.printed();
    assert_eq!(printed.len(), 2, "{printed:?}");
    assert_eq!(printed[0], "Nothing was changed.");
    assert!(printed[1].ends_with("bob: two"));
    stage.types("/history");
    assert!(stage.printed().join("|").contains("no older messages"));
}

#[test]
fn the_chat_behind_a_question_for_a_password_follows_its_room() {
    let renamed = Event::OnRoomChanged {
        was: "room1".to_owned(),
        by: Some("bob".to_owned()),
        room: info("den"),
    };
    let closed = Event::OnRoomClosed {
        roomname: "room1".to_owned(),
        by: Some("bob".to_owned()),
    };
    let left = Event::OnMemberOffline {
        roomname: "room1".to_owned(),
        membername: "ann".to_owned(),
        left: Some(true),
    };
    for question in ["/passwd", "/delete-account"] {
        for (event, prompt, said) in [
            (&renamed, "den> ", "bob renamed the room room1 to den."),
            (
                &closed,
                "contact> ",
                "bob closed the room room1. Its messages are gone.",
            ),
            (&left, "contact> ", "You left room1."),
        ] {
            let mut stage = ann(Language::English);
            stage.types("&r room1").types(question).printed();
            stage.says(event.clone());
            assert_eq!(stage.printed(), [said]);
            stage.happens(Input::Key(Key::Ctrl('c')));
            assert_eq!(stage.prompt(), prompt, "{said}");
        }
    }
}

#[test]
fn the_chat_behind_a_question_for_a_password_follows_its_friend() {
    let mut stage = ann(Language::English);
    stage.types("&f bob").types("/passwd");
    stage.says(Event::OnUserRenamed {
        was: "bob".to_owned(),
        username: "ella".to_owned(),
    });
    stage.happens(Input::Key(Key::Ctrl('c')));
    assert_eq!(stage.prompt(), "ella> ");
}

#[test]
fn the_chat_behind_a_question_for_a_password_begins_anew_with_another_history() {
    let mut stage = ann(Language::English);
    stage.says(live(in_room(9, "bob", "nine"), None));
    stage.types("&r room1").types("/passwd");
    stage.happens(Input::Closed(None)).happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    stage.says(
        LoginBundle {
            chat_rooms: vec!["room1".to_owned()],
            messages: vec![in_room(2, "bob", "two")],
            newest: Some(2),
            ..LoginBundle::default()
        }
        .into(),
    );
    stage.printed();
    stage.happens(Input::Key(Key::Ctrl('c')));
    let printed = stage.printed();
    let is_shown = printed.iter().any(|line| line.ends_with("bob: two"));
    assert!(is_shown, "{printed:?}");
}

#[test]
fn messages_show_at_once_after_a_temporary_password_is_changed() {
    let refusal = || Fail {
        detail: vec![(MUST_CHANGE_PASSWORD.to_owned(), Value::Bool(true))],
        ..fail("not_allowed", &[])
    };
    let mut stage = ann(Language::English);
    stage.says(live(in_room(1, "bob", "before"), None));
    stage.types("&r room1").happens(Input::Closed(None));
    stage.happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    stage.sent();
    stage.says(
        LoginBundle {
            chat_rooms: vec!["room1".to_owned()],
            messages: vec![in_room(1, "bob", "before")],
            newest: Some(2),
            must_change_password: Some(true),
            ..LoginBundle::default()
        }
        .into(),
    );
    stage.says(Event::Refused { fail: refusal() });
    assert!(stage.sent().contains(&RequestKind::QueryHistory));
    // The request by which the client knows that it is a temporary one.
    stage.says(Event::Refused { fail: refusal() });
    // A line that is typed now waits, and is not lost.
    stage.types("early");
    stage.says(Event::SendMessageFailure { fail: refusal() });
    assert_eq!(stage.contents(), ["early"]);
    stage.types("/passwd").types("temporary1");
    stage.types("password2").types("password2");
    stage.printed();
    stage.sent();
    stage.says(done(RequestKind::ChangePassword));
    let mut sent = stage.sent();
    // The chat asks for its room when it is opened again.
    sent.retain(|kind| *kind != RequestKind::RoomInfo);
    assert_eq!(sent, [RequestKind::QueryHistory, RequestKind::SendMessage]);
    stage.says(Event::History {
        messages: vec![in_room(2, "bob", "missed")],
        more: false,
        newer: None,
    });
    stage.says(live(in_room(3, "ann", "early"), Some("t-1")));
    stage.says(live(in_room(4, "bob", "live"), None));
    let printed = stage.printed().join("\n");
    for text in ["bob: missed", "me: early", "bob: live"] {
        assert!(printed.contains(text), "{text}: {printed}");
    }
    assert_eq!(stage.prompt(), "room1> ");
}

#[test]
fn a_temporary_password_and_a_weak_one_are_told_apart() {
    let refusal = Fail {
        detail: vec![(MUST_CHANGE_PASSWORD.to_owned(), Value::Bool(true))],
        ..fail("not_allowed", &[])
    };
    let blocked = Event::Blocked { usernames: vec![] };
    for (event, said) in [
        (
            Event::Refused { fail: refusal },
            "这是管理员给你的临时密码。请先用 `/passwd` 改成自己的密码，在此之前不能做别的事。",
        ),
        (
            blocked,
            "你的密码不符合服务器的要求，请用 `/passwd` 换一个。",
        ),
    ] {
        let is_temporary = matches!(event, Event::Refused { .. });
        let mut stage = stage(Language::Chinese);
        stage.types("login").types("ann").types("password1");
        stage.happens(Input::Connected);
        comes_back(&mut stage, true, None);
        stage.happens(Input::Outgoing {
            user: "ann".to_owned(),
            lines: Some(Vec::new()),
        });
        assert!(stage.sent().contains(&R::ListBlocked));
        stage.printed();
        stage.says(event);
        assert_eq!(stage.printed(), [said]);
        stage.types("@f bob hi");
        let printed = stage.printed().concat();
        assert_eq!(printed.contains("临时密码"), is_temporary, "{printed}");
    }
}
