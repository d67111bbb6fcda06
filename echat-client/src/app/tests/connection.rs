use super::*;

fn cut(stage: &mut Stage) {
    stage.happens(Input::Closed(None));
}

#[test]
fn a_line_typed_offline_is_kept_shown_and_sent_once() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").printed();
    cut(&mut stage);
    assert_eq!(
        stage.printed(),
        [
            "Connection lost.",
            "Reconnecting; press Enter to retry now. Lines you type are sent later.",
        ]
    );
    assert_eq!(stage.failures(), 1);
    stage.types("hello").sent();
    assert_eq!(stage.printed(), [""; 0]);
    let footer: Vec<String> = stage.app.footer(9).iter().map(text).collect();
    assert_eq!(footer, ["(pending) hello"]);
    assert_eq!(stage.prompt(), "room1 (1 pending) (offline)> ");
    let kept = |stage: &mut Stage| {
        let mut kept = None;
        for effect in stage.effects.drain(..) {
            if let Effect::SaveOutgoing { lines, .. } = effect {
                kept = Some(lines);
            }
        }
        kept
    };
    assert!(kept(&mut stage).unwrap().contains("hello"));
    stage.happens(unreachable());
    assert_eq!(stage.failures(), 1, "a try before its time");
    for _ in 0..2 {
        stage.happens(Input::Connected);
        assert_eq!(stage.sent(), [RequestKind::Login]);
        stage.welcome("ann", vec![]);
        assert_eq!(
            stage.sent(),
            [RequestKind::QueryHistory, RequestKind::SendMessage]
        );
        stage.happens(Input::Closed(Some(5)));
    }
    stage.happens(Input::Connected).welcome("ann", vec![]);
    let mine = in_room(9, "ann", "hello");
    stage.printed();
    stage.says(Event::History {
        messages: vec![mine.clone()],
        more: false,
        newer: None,
    });
    stage.says(live(mine, Some("t-1")));
    assert_eq!(stage.printed(), ["[2023-11-14 22:13:29] me: hello"]);
    assert_eq!(stage.prompt(), "room1> ");
    assert_eq!(kept(&mut stage).unwrap(), "");
}

/// The logins sent since the last look: the secret of each, or `None` for the password.
fn logins(stage: &mut Stage) -> Vec<Option<String>> {
    let mut logins = Vec::new();
    for effect in stage.effects.drain(..) {
        let Effect::LogIn { login: message, .. } = effect else {
            continue;
        };
        if message.command == RequestKind::Login.info().number {
            let secret = message.params.at("resume").cloned();
            let has_password = message.params.at("password").is_some();
            assert_ne!(secret.is_some(), has_password, "exactly one of both");
            logins.push(secret.map(|secret| match secret {
                Value::Str(secret) => secret,
                other => panic!("{other:?}"),
            }));
        }
    }
    logins
}

fn comes_back(stage: &mut Stage) -> Vec<Option<String>> {
    stage.happens(Input::Closed(Some(5))).effects.clear();
    stage.happens(Input::Connected);
    logins(stage)
}

#[test]
fn the_secret_of_the_last_login_logs_in_again_and_the_password_if_it_is_refused() {
    let mut stage = ann(Language::English);
    assert_eq!(comes_back(&mut stage), [None], "there is no secret yet");
    stage.given("ann", Some("one"));
    assert_eq!(comes_back(&mut stage), [Some("one".to_owned())]);
    // No answer came: the same secret logs in again.
    assert_eq!(comes_back(&mut stage), [Some("one".to_owned())]);
    stage.given("ann", Some("two"));
    assert_eq!(comes_back(&mut stage), [Some("two".to_owned())]);
    stage.printed();
    stage.says(Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    });
    assert_eq!(stage.printed(), [""; 0], "nothing has failed yet");
    assert_eq!(logins(&mut stage), [None]);
    stage.given("ann", Some("three"));
    assert_eq!(comes_back(&mut stage), [Some("three".to_owned())]);
    // A server whose disk is full gives none.
    stage.given("ann", Some(""));
    assert_eq!(comes_back(&mut stage), [None]);
    stage.given("ann", None);
    assert_eq!(comes_back(&mut stage), [None]);
}

#[test]
fn a_refusal_that_is_not_about_the_secret_is_that_of_a_login() {
    for code in [
        "login_throttled",
        "storage_busy",
        "storage_full",
        "too_many",
    ] {
        let refused = |mut stage: Stage| {
            stage.says(Event::LoginFailure {
                fail: fail(code, &[]),
            });
            assert_eq!(logins(&mut stage), [], "{code}: the password is not tried");
            (stage.app.upstream.login.is_wanted(), stage.prompt())
        };
        let mut by_secret = ann(Language::English);
        comes_back(&mut by_secret);
        by_secret.given("ann", Some("one"));
        assert_eq!(comes_back(&mut by_secret), [Some("one".to_owned())]);
        let mut by_password = ann(Language::English);
        assert_eq!(comes_back(&mut by_password), [None]);
        assert_eq!(refused(by_secret), refused(by_password), "{code}");
    }
}

#[test]
fn a_secret_is_forgotten_with_the_password() {
    let mut stage = ann(Language::English);
    comes_back(&mut stage);
    stage.given("ann", Some("one"));
    stage.types("logout").says(Event::LoggedOut {});
    assert!(!stage.app.upstream.login.is_wanted());

    let mut stage = ann(Language::English);
    comes_back(&mut stage);
    stage.given("ann", Some("two"));
    assert_eq!(comes_back(&mut stage), [Some("two".to_owned())]);
    stage.says(Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    });
    assert_eq!(logins(&mut stage), [None]);
    stage.says(Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    });
    assert_eq!(logins(&mut stage), [], "the password is refused as well");
    assert!(!stage.app.upstream.login.is_wanted());
}

#[test]
fn a_replaced_session_does_not_reconnect() {
    let mut stage = ann(Language::English);
    stage
        .says(Event::ServerKick {})
        .happens(Input::Closed(Some(6)));
    assert_eq!(stage.printed().len(), 1);
    assert!(!stage.effects.iter().any(|e| matches!(e, Effect::Connect)));
    assert!(!stage.app.upstream.connection().is_coming());
    stage.types("\\c").types("login");
    assert_eq!(stage.prompt(), "login user name (Enter: ann) (offline): ");
}

#[test]
fn a_client_whose_address_is_banned_comes_back() {
    let mut stage = ann(Language::English);
    stage.happens(Input::Closed(Some(6)));
    assert_eq!(
        stage.printed()[0],
        "The server refuses connections from your address for now."
    );
    assert!(stage.app.upstream.connection().is_coming());
    assert!(stage.app.upstream.login.is_wanted());
}

#[test]
fn a_daily_limit_returns_the_line_and_delays_no_other() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").types("long").types("hi").sent();
    stage.printed();
    stage.says(Event::SendMessageFailure {
        fail: fail("rate_limited", &[("retry_after", 86_400)]),
    });
    assert_eq!(
        stage.printed(),
        [
            "Not sent to room1: The daily limit is reached. Try again in about 24 h.",
            "(not sent) long",
        ]
    );
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
    assert_eq!(stage.app.common.context.pending(), 1);
}

#[test]
fn a_rate_limited_line_is_sent_again_after_its_wait() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").types("hi").sent();
    stage.printed();
    stage.says(Event::SendMessageFailure {
        fail: fail("rate_limited", &[("retry_after", 3)]),
    });
    assert_eq!(
        stage.printed(),
        ["The message to room1 will be sent in 3 s: Too fast.",]
    );
    assert_eq!(stage.sent(), []);
    let at = stage.app.wakes_at().unwrap();
    assert_eq!(at, 1_700_000_003);
    stage.happens(Input::Tick { now: at });
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
    stage.says(Event::SendMessageFailure {
        fail: fail("not_a_member", &[]),
    });
    assert_eq!(
        stage.printed(),
        [
            "Not sent to room1: You are not a member of this room.",
            "(not sent) hi",
        ]
    );
    assert_eq!(stage.app.common.context.pending(), 0);
}

#[test]
fn the_server_says_why_it_closes() {
    for (reason, said) in [
        (4, "The server is full."),
        (5, "The server has stopped, or is restarting."),
        (99, "The server closed the connection (reason 99)."),
    ] {
        let mut stage = ann(Language::English);
        stage.happens(Input::Closed(Some(reason)));
        assert_eq!(stage.printed()[0], said);
        assert_eq!(stage.failures(), 1);
        stage.printed();
        stage.happens(Input::Connected);
        stage.happens(Input::Closed(Some(reason)));
        assert_eq!(stage.printed(), Vec::<String>::new(), "it is said once");
        assert_eq!(stage.failures(), 2);
    }
    let mut stage = ann(Language::English);
    stage.types("+f dave").happens(Input::Closed(Some(8)));
    assert_eq!(
        stage.printed()[1..],
        ["The connection was lost before the answer to `+f dave`. Please try again."]
    );
}

#[test]
fn lines_of_one_user_are_never_sent_by_another() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").types("secret");
    stage
        .says(Event::ServerKick {})
        .happens(Input::Closed(Some(6)));
    stage
        .types("\\c")
        .types("login")
        .types("bob")
        .types("password2")
        .happens(Input::Connected);
    stage.sent();
    stage.welcome("bob", vec![]);
    stage.happens(Input::Outgoing {
        user: "bob".to_owned(),
        lines: Some(Vec::new()),
    });
    assert_eq!(stage.sent(), []);
    assert_eq!(stage.prompt(), "contact> ");
}

#[test]
fn leaving_names_unsent_lines() {
    let mut stage = ann(Language::English);
    cut(&mut stage);
    stage.types("@r room1 later").printed();
    stage.types("quit");
    let printed = stage.printed();
    assert_eq!(printed[1], "Unsent lines: 1.");
    assert_eq!(printed[3..], ["Goodbye."]);
    assert!(stage.has(&Effect::Quit(Exit::Success)));
    assert_eq!(stage.app.step(Input::Connected), []);
}

#[test]
fn missed_messages_are_counted_and_shown_in_their_chat() {
    let mut stage = ann(Language::English);
    cut(&mut stage);
    stage
        .happens(Input::Connected)
        .welcome("ann", vec![in_room(9, "bob", "missed")]);
    stage.printed();
    stage.says(Event::History {
        messages: vec![in_room(9, "bob", "missed")],
        more: false,
        newer: None,
    });
    assert_eq!(stage.printed(), Vec::<String>::new());
    assert_eq!(stage.prompt(), "contact [1]> ");
    stage.types("&r room1");
    assert_eq!(stage.printed()[1..], ["[2023-11-14 22:13:29] bob: missed",]);
}

/// A user who has typed name and password, before the server has answered.
fn logging_in() -> Stage {
    let mut stage = stage(Language::English);
    stage.types("login").types("ann").types("password1");
    stage.printed();
    stage
}

const UNREACHABLE: [&str; 2] = [
    "Cannot connect to chat:1: no route",
    "Reconnecting; press Enter to retry now.",
];

#[test]
fn each_login_that_fails_is_reported() {
    let mut stage = logging_in();
    stage.happens(unreachable());
    assert_eq!(stage.printed(), UNREACHABLE);
    stage.happens(Input::Connected);
    stage.says(Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    });
    stage.happens(Input::Closed(Some(1)));
    stage.printed();
    stage.types("login").types("ann").types("password2");
    stage.printed();
    stage.happens(unreachable());
    assert_eq!(stage.printed(), UNREACHABLE);
}

#[test]
fn a_server_that_answered_and_then_closes_says_why() {
    let mut stage = stage(Language::English);
    stage.types("register").types("ann");
    stage.types("password1").types("password1");
    stage.happens(unreachable()).happens(Input::Connected);
    stage.says(Event::RegisterSuccess {
        username: "ann".to_owned(),
    });
    stage.types("login").types("ann").types("password1");
    stage.printed();
    stage.happens(Input::Closed(Some(5)));
    assert_eq!(
        stage.printed(),
        ["The server has stopped, or is restarting.", UNREACHABLE[1]]
    );
}

#[test]
fn a_first_login_that_is_retried_promises_no_delivery() {
    let mut stage = stage(Language::English);
    stage.types("login").types("ann").types("password1");
    stage.happens(unreachable());
    assert_eq!(stage.printed().last().unwrap(), UNREACHABLE[1]);
    assert!(stage.prompt().contains("(offline, "), "{}", stage.prompt());
}

#[test]
fn a_logout_without_a_connection_needs_no_server() {
    let mut stage = ann(Language::English);
    cut(&mut stage);
    stage.types("\\c").printed();
    stage.types("logout");
    assert!(stage.printed().contains(&"Logged out.".to_owned()));
    assert!(stage.has(&Effect::Disconnect));
    assert_eq!(stage.prompt(), "command> ");
    stage.types("login");
    assert_eq!(stage.prompt(), "login user name (Enter: ann): ");
}

#[test]
fn a_rate_limit_is_reported_once_for_several_lines() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").printed();
    stage.types("one").types("two").types("three");
    assert_eq!(stage.printed(), [""; 0]);
    let refused = || Event::SendMessageFailure {
        fail: fail("rate_limited", &[("retry_after", 1)]),
    };
    stage.says(refused());
    assert_eq!(stage.printed().len(), 1);
    stage.happens(Input::Tick { now: 1_700_000_001 });
    stage.says(live(in_room(9, "ann", "one"), Some("t-1")));
    stage.printed();
    stage.says(refused());
    assert_eq!(stage.printed(), [""; 0]);
}
