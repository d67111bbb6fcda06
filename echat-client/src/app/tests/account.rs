use super::*;
use crate::line_editor::Key;

#[test]
fn registering_in_both_languages() {
    let mut stage = stage(Language::English);
    stage.types("register").types("help");
    assert!(stage.printed().contains(&"  help  this list".to_owned()));
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
    assert_eq!(stage.printed().last().unwrap(), "Registered as ann.");
    assert_eq!(stage.prompt(), "command> ");

    let mut stage = super::stage(Language::Chinese);
    stage.types("register").types("ann");
    assert_eq!(stage.prompt(), "register 密码: ");
    stage.printed();
    for _ in 0..3 {
        stage.types("password1").types("password2");
    }
    let printed = stage.printed();
    assert!(printed.contains(&"两次输入的密码不一致，还可以试 2 次。".to_owned()));
    assert_eq!(
        printed.last().unwrap(),
        "三次输入的密码都不一致，没有注册。"
    );
    assert!(!printed.iter().any(|line| line.contains("password")));
    assert_eq!(stage.prompt(), "command> ");
}

#[test]
fn where_a_password_may_be_anything_the_way_out_is_a_key_and_is_told() {
    let mut stage = stage(Language::English);
    for (mode, prompt) in [
        ("register", "register password: "),
        ("login", "login password: "),
    ] {
        stage.types(mode).types("ann").types("");
        let told = stage.printed();
        assert_eq!(
            told.last().map(String::as_str),
            Some("No password was typed; Ctrl-C goes back.")
        );
        assert_eq!(stage.prompt(), prompt);
        stage.happens(Input::Key(Key::Ctrl('c')));
        assert_eq!(stage.prompt(), "command> ");
    }
}

#[test]
fn a_wrong_password_is_said_and_forgotten() {
    let mut stage = stage(Language::Chinese);
    stage
        .types("login")
        .types("ann")
        .types("password1")
        .happens(Input::Connected);
    assert_eq!(stage.sent(), [RequestKind::Login]);
    stage.says(Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    });
    assert_eq!(
        stage.printed().last().unwrap(),
        "登录失败：用户名或密码不对。"
    );
    assert_eq!(stage.prompt(), "command> ");
    stage.happens(Input::Closed(Some(1)));
    assert_eq!(stage.printed(), Vec::<String>::new());
    stage.types("query").types("server time");
    assert!(stage.has(&Effect::Connect));
}
