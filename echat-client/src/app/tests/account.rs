use super::*;

#[test]
fn registering_in_both_languages() {
    let mut stage = stage(Language::English);
    stage.types("register").types("help");
    assert!(
        stage
            .printed()
            .contains(&"  help  list the commands".to_owned())
    );
    assert_eq!(stage.prompt(), "register user name: ");
    stage.types("ann");
    assert_eq!(stage.prompt(), "register password: ");
    stage
        .types("short")
        .types("password1")
        .types("password2")
        .types("password1")
        .printed();
    assert_eq!(stage.prompt(), "register password again: ");
    stage.types("password1");
    assert!(stage.has(&Effect::Connect));
    assert!(stage.app.is_expecting());
    assert_eq!(stage.prompt(), "register ...: ");
    stage.happens(Input::Connected);
    assert!(stage.app.is_expecting());
    assert_eq!(stage.sent(), [RequestKind::Register]);
    stage.says(Event::RegisterSuccess {
        username: "ann".to_owned(),
    });
    let printed = stage.printed();
    assert_eq!(
        printed[printed.len() - 2..],
        ["Registered as ann.", "Type `login` to log in."]
    );
    assert_eq!(stage.prompt(), "command> ");

    let mut stage = super::stage(Language::Chinese);
    stage.types("register").types("ann");
    assert_eq!(stage.prompt(), "register 密码：");
    stage.printed();
    for _ in 0..3 {
        stage.types("password1").types("password2");
    }
    let printed = stage.printed();
    assert!(printed.contains(&"两次输入的密码不一致，还可以试 2 次。".to_owned()));
    assert_eq!(
        printed.last().unwrap(),
        "三次输入的密码都不一致，注册已取消。"
    );
    assert!(!printed.iter().any(|line| line.contains("password")));
    assert_eq!(stage.prompt(), "command> ");
}

#[test]
fn a_password_prompt_names_the_key_that_cancels_it() {
    let mut stage = stage(Language::English);
    for (mode, prompt) in [
        ("register", "register password: "),
        ("login", "login password: "),
    ] {
        stage.types(mode).types("ann").types("");
        let told = stage.printed();
        assert_eq!(
            told.last().map(String::as_str),
            Some("No password entered. Press Ctrl-C to go back.")
        );
        assert_eq!(stage.prompt(), prompt);
        stage.happens(Input::Key(Key::Ctrl('c')));
        assert_eq!(stage.prompt(), "command> ");
    }
}

#[test]
fn a_wrong_password_is_asked_for_again_and_hidden() {
    let mut stage = stage(Language::Chinese);
    stage.presses("login\nann\npassword1\n");
    stage.happens(Input::Connected);
    assert_eq!(stage.sent(), [RequestKind::Login]);
    // Typed at once, before the answer is there.
    stage.presses("pass");
    stage.says(Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    });
    let printed = stage.printed();
    assert_eq!(
        printed[printed.len() - 2..],
        [
            "登录失败：用户名或密码错误。",
            "请重新输入“ann”的密码，或按 Ctrl-C 返回。"
        ]
    );
    assert_eq!(stage.prompt(), "login 密码：");
    assert!(stage.app.is_secret() && stage.app.editor().is_masked());
    stage.presses("word2\n");
    assert_eq!(stage.sent(), [RequestKind::Login]);
    assert!(!stage.printed().join("").contains("word2"));
    stage.says(Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    });
    stage.happens(Input::Key(Key::Ctrl('c')));
    assert_eq!(stage.prompt(), "command> ");
    stage.happens(Input::Key(Key::Up));
    assert_eq!(stage.line(), "login");
    stage.happens(Input::Key(Key::Down));
    stage.printed();
    stage.happens(Input::Closed(Some(1)));
    assert_eq!(stage.printed(), Vec::<String>::new());
    stage.types("query").types("server time");
    assert!(stage.has(&Effect::Connect));
}

#[test]
fn a_wrong_password_given_at_the_start_is_asked_for() {
    let mut settings = Settings::new("t");
    settings.user = Some("ann".to_owned());
    settings.password = Some("password1".into());
    let mut stage = Stage::of(App::new(settings, Language::English));
    stage.happens(Input::Tick { now: 1_700_000_000 });
    stage.happens(Input::Start).happens(Input::Connected);
    stage.says(Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    });
    assert_eq!(stage.prompt(), "login password: ");
    let last = stage.printed().pop().unwrap();
    assert_eq!(
        last,
        "Enter the password of ann again, or press Ctrl-C to go back."
    );
    assert!(stage.app.editor().is_masked());
    stage.sent();
    stage.presses("password2\n");
    assert_eq!(stage.sent(), [RequestKind::Login]);
    stage.welcome("ann", vec![]);
    assert_eq!(stage.prompt(), "contact> ");
}

#[test]
fn a_line_begun_before_the_first_login_is_refused_is_no_password() {
    let mut settings = Settings::new("t");
    settings.user = Some("ann".to_owned());
    settings.password = Some("password1".into());
    let mut stage = Stage::of(App::new(settings, Language::English));
    stage.happens(Input::Tick { now: 1_700_000_000 });
    stage.happens(Input::Start).happens(Input::Connected);
    stage.presses("@bob hel").printed();
    stage.says(Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    });
    assert_eq!(
        stage.printed().pop().unwrap(),
        "Not logged in; what you type is kept. Type `login` to try again."
    );
    assert!(!stage.app.editor().is_masked());
    stage.presses("lo");
    assert_eq!(stage.line(), "@bob hello");
    stage.happens(Input::Key(Key::Ctrl('u')));
    stage.types("login").types("ann").sent();
    stage.presses("password2\n");
    assert_eq!(stage.sent(), [RequestKind::Login]);
}

#[test]
fn a_line_being_edited_is_not_taken_as_the_password_of_a_repeated_login() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").happens(Input::Closed(None));
    stage.presses("half a line").happens(Input::Connected);
    stage.says(Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    });
    assert_eq!(stage.line(), "half a line");
}

#[test]
fn a_password_of_spaces_is_refused_with_a_reason() {
    for (mode, names) in [("register", 2), ("login", 1)] {
        let mut stage = stage(Language::English);
        stage.types(mode).printed();
        for line in ["", "   ", "\u{3000}"] {
            stage.types(line);
            let last = stage.printed().pop().unwrap();
            assert_eq!(
                last,
                "No name entered. Type `\\c` or press Ctrl-C to go back."
            );
        }
        stage.types("ann").printed();
        if names == 2 {
            for line in ["        ", "\u{3000}\u{3000}\u{3000}\u{3000}"] {
                stage.types(line);
                let last = stage.printed().pop().unwrap();
                assert!(
                    last.starts_with("A password cannot consist of spaces only"),
                    "{last}"
                );
                assert_eq!(stage.prompt(), "register password: ");
            }
        }
    }
}

#[test]
fn a_password_in_full_width_letters_is_not_read_as_a_command() {
    let mut stage = stage(Language::English);
    stage.types("register").types("ann").types("ｑｕｉｔ");
    assert_eq!(stage.prompt(), "register password again: ");
}
