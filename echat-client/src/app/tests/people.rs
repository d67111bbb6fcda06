//! Friend requests: told in every mode, answered by a command that names the user.

use super::*;
use crate::settings::Presence;
use RequestKind as R;

fn asks(stage: &mut Stage, name: &str) {
    stage.says(Event::IncommingFriendRequest {
        username: name.to_owned(),
    });
}

#[test]
fn a_request_is_a_notice_in_every_mode() {
    let notice =
        "carol sent you a friend request. Type `y carol` to accept or `n carol` to decline.";
    let in_chat =
        "carol sent you a friend request. Type `/y carol` to accept or `/n carol` to decline.";
    for (way, prompt, expected) in [
        (&["\\c"][..], "command> ", notice),
        (&[], "contact> ", notice),
        (&["\\c", "query"], "query> ", notice),
        (&["&r room1"], "room1> ", in_chat),
        (&["&f bob"], "bob> ", in_chat),
    ] {
        for (accepts, answer) in [(true, "y"), (false, "n")] {
            let mut stage = ann(Language::English);
            for line in way {
                stage.types(line);
            }
            stage.printed();
            asks(&mut stage, "carol");
            assert_eq!(stage.printed(), [expected]);
            assert_eq!(stage.prompt(), prompt);
            let slash = if expected == in_chat { "/" } else { "" };
            stage.sent();
            stage.types(&format!("{slash}{answer} Carol"));
            assert_eq!(stage.sent(), [R::ResolveFriendRequest]);
            stage.printed();
            stage.says(Event::ResolveResult {
                result: Outcome::Done(String::new()),
            });
            let declined = ["Friend request from carol declined."];
            assert_eq!(stage.printed(), if accepts { &[][..] } else { &declined });
            assert!(stage.app.common.context.session.pending().is_empty());
        }
    }
}

#[test]
fn a_message_does_not_answer_a_friend_request() {
    for line in ["yes", "y", "是", "n", "no", "Y", "yes, at noon"] {
        let mut stage = ann(Language::English);
        stage.types("&f bob").sent();
        asks(&mut stage, "carol");
        stage.looks().types(line);
        assert_eq!(stage.sent(), [R::SendMessage], "{line}");
        assert_eq!(stage.contents(), [line]);
        assert_eq!(stage.app.common.context.session.pending(), ["carol"]);
    }
}

#[test]
fn an_answer_in_the_form_of_another_mode_is_confirmed_first() {
    let mut stage = ann(Language::English);
    stage.types("&f bob").sent();
    stage.types("y carol");
    assert_eq!(stage.sent(), [R::SendMessage], "no user of this name asks");
    asks(&mut stage, "carol");
    stage.types("y carol");
    assert!(stage.prompt().starts_with("send as text? (Y/N)"));
}

#[test]
fn open_requests_are_listed_with_their_answers() {
    let mut stage = ann(Language::Chinese);
    asks(&mut stage, "小明");
    asks(&mut stage, "carol");
    stage.types(":pr");
    let printed = stage.printed();
    let list = &printed[printed.len() - 4..];
    assert_eq!(list[..3], ["待处理好友请求：", "  小明", "  carol"]);
    assert!(list[3].contains("`y <用户名>`") && list[3].contains("`n <用户名>`"));
    stage.types("+f 小明");
    assert_eq!(stage.sent(), [R::AddFriend]);
}

#[test]
fn an_answer_without_a_request_is_explained() {
    let mut stage = ann(Language::English);
    for (line, code, said) in [
        (
            "y dave",
            "no_request",
            "dave has not sent you a friend request. Type `/add dave` to send one.",
        ),
        ("n bob", "no_request", "You and bob are already friends."),
        ("n dave", "unknown_user", "User dave does not exist."),
        (
            "y dave",
            "already_friends",
            "You and dave are already friends.",
        ),
    ] {
        stage.types(line).printed();
        stage.says(Event::ResolveResult {
            result: Outcome::Refused(fail(code, &[])),
        });
        assert_eq!(stage.printed(), [said]);
    }
    stage.sent();
    stage.types("/y carol");
    assert_eq!(stage.sent(), [R::ResolveFriendRequest]);
    stage.printed();
    stage.types("y").types("n two words");
    let printed = stage.printed();
    assert_eq!(printed[1], "Usage: y <user>");
    assert_eq!(printed[3], "Usage: n <user>");
}

#[test]
fn a_request_that_could_not_be_answered_stays_open() {
    let mut stage = ann(Language::English);
    asks(&mut stage, "carol");
    for (code, open) in [("storage_full", 1), ("no_request", 0)] {
        stage.types("y carol");
        stage.says(Event::ResolveResult {
            result: Outcome::Refused(fail(code, &[])),
        });
        assert_eq!(
            stage.app.common.context.session.pending().len(),
            open,
            "{code}"
        );
    }
}

#[test]
fn without_a_terminal_a_command_answers_too() {
    let mut settings = Settings::new("t");
    settings.interactive = false;
    settings.user = Some("ann".to_owned());
    settings.password = Some("password1".into());
    let mut stage = Stage::of(App::new(settings, Language::English));
    stage.happens(Input::Tick { now: 1_700_000_000 });
    stage.happens(Input::Start).happens(Input::Connected);
    stage.welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    asks(&mut stage, "carol");
    stage.sent();
    stage.happens(Input::Line("&f bob".into()));
    stage.happens(Input::Line("yes".into()));
    assert_eq!(stage.contents(), ["yes"]);
    stage.says(live(
        ChatMessage {
            target: "bob".to_owned(),
            target_type: TargetType::Friend,
            ..in_room(5, "ann", "yes")
        },
        Some("t-1"),
    ));
    stage.sent();
    stage.happens(Input::Line("/y carol".into()));
    assert_eq!(stage.sent(), [R::ResolveFriendRequest]);
}

#[test]
fn a_chat_command_with_a_known_name_is_asked_about_in_a_chat() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").printed();
    for line in ["chat bob", "chat Room1"] {
        stage.types(line);
        assert_eq!(stage.contents(), [""; 0], "{line}");
        stage.happens(Input::Key(Key::Ctrl('c')));
    }
    stage.types("chat later?");
    assert_eq!(stage.contents(), ["chat later?"]);
}

#[test]
fn an_answer_to_a_friend_request_without_its_slash_is_explained() {
    for (language, line, said) in [
        (
            Language::English,
            "y dave",
            "To accept, type `/y dave`. Send `y dave` as text? (Y/N)",
        ),
        (
            Language::English,
            "n dave",
            "To decline, type `/n dave`. Send `n dave` as text? (Y/N)",
        ),
        (
            Language::Chinese,
            "y dave",
            "要同意请输入 `/y dave`。将 `y dave` 作为消息发送？(Y/N)",
        ),
    ] {
        let mut stage = ann(language);
        stage.types("&r room1");
        asks(&mut stage, "dave");
        stage.printed();
        stage.types(line);
        assert_eq!(stage.printed(), [said]);
        stage.types("n");
        assert!(stage.contents().is_empty());
    }
}

#[test]
fn a_new_friend_who_is_online_did_not_come_online() {
    let new = |name: &str| Event::NewContact {
        username: name.to_owned(),
    };
    let online = |name: &str| Event::OnFriendOnline {
        username: name.to_owned(),
    };
    let mut stage = ann(Language::Chinese);
    stage.app.common.context.settings.config.presence = Presence::Show;
    stage.says(new("eve")).says(online("eve"));
    assert_eq!(stage.printed(), ["你和“eve”已成为好友。", "eve 在线"]);
    // One who comes later does come.
    stage.says(new("dave"));
    stage.says(Event::OnFriendOffline {
        username: "eve".to_owned(),
    });
    stage.printed();
    stage.says(online("dave"));
    assert_eq!(stage.printed(), ["dave 上线了"]);
}

#[test]
fn without_a_connection_no_friend_is_said_to_be_online() {
    for (language, heading, said) in [
        (
            Language::English,
            "Friends online:",
            "You are offline, so it is not known which friends are online.",
        ),
        (
            Language::Chinese,
            "在线好友：",
            "现在没有连接，不知道哪些好友在线。",
        ),
    ] {
        let mut stage = ann(language);
        stage.types("/who");
        assert!(stage.printed().contains(&heading.to_owned()));
        stage.happens(Input::Closed(None)).printed();
        stage.types("/who");
        let printed = stage.printed();
        assert_eq!(printed.last().unwrap(), said, "{printed:?}");
    }
}

#[test]
fn pending_requests_are_told_behind_the_login() {
    let mut stage = stage(Language::Chinese);
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    stage.printed();
    let bundle = LoginBundle {
        pending_requests: vec!["dave".to_owned()],
        ..LoginBundle::default()
    };
    stage.says(bundle.into());
    let printed = stage.printed();
    let place = |part: &str| printed.iter().position(|line| line.contains(part));
    let (login, request) = (place("登录成功"), place("dave"));
    assert!(login.is_some() && login < request, "{printed:?}");
}
