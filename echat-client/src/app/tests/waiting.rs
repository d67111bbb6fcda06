//! Commands that are typed before the login is answered.

use super::*;

/// A user whose login is under way from the start.
fn coming(interactive: bool) -> Stage {
    let mut settings = Settings::new("t");
    settings.interactive = interactive;
    settings.user = Some("ann".to_owned());
    settings.password = Some("password1".to_owned().into());
    let mut stage = Stage {
        app: App::new(settings, Language::English),
        effects: Vec::new(),
    };
    stage.happens(Input::Tick { now: 1_700_000_000 });
    stage.happens(Input::Start);
    stage
}

#[test]
fn they_wait_for_it() {
    let mut stage = coming(true);
    stage.printed();
    stage.types(":r");
    assert_eq!(
        stage.printed()[1..],
        ["This line will run after the login."]
    );
    stage.happens(Input::Connected).types(":f").printed();
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    assert_eq!(stage.printed(), Vec::<String>::new());
    stage.welcome("ann", vec![]);
    let printed = stage.printed();
    let of = |part: &str| printed.iter().position(|line| line.contains(part));
    let (welcome, rooms, friends) = (of("ogged in as ann"), of("Rooms:"), of("Friends:"));
    assert!(
        welcome < rooms && rooms < friends && welcome.is_some(),
        "{printed:?}"
    );
    stage.types(":r");
    assert_eq!(stage.printed()[1], "Rooms:");
}

#[test]
fn what_needs_no_login_does_not_wait() {
    let mut stage = coming(true);
    stage.printed();
    stage.types("help");
    assert!(stage.printed().len() > 5);
    stage.types("what?");
    assert!(stage.printed()[1].contains("what?"));
    stage.types("\\d");
    assert!(stage.has(&Effect::Quit(Exit::Success)));
}

#[test]
fn without_a_login_they_are_not_done_and_that_is_said() {
    for ends in [
        Input::Event(Event::LoginFailure {
            fail: fail("bad_credentials", &[]),
        }),
        Input::Key(Key::Ctrl('c')),
    ] {
        let mut stage = coming(true);
        stage.happens(Input::Connected).types(":r").types(":f");
        stage.printed();
        stage.happens(ends);
        let printed = stage.printed().join("\n");
        assert!(printed.contains("lines not run: 2."), "{printed}");
        assert!(!printed.contains("No rooms"), "{printed}");
    }
}

#[test]
fn a_login_that_is_made_again_keeps_what_is_known() {
    let mut stage = ann(Language::English);
    stage.happens(Input::Closed(None)).printed();
    stage.types(":r");
    assert_eq!(stage.printed()[1], "Rooms:");
}

#[test]
fn without_a_terminal_they_wait_too() {
    let mut stage = coming(false);
    stage.happens(Input::Line(":r".to_owned()));
    stage.happens(Input::Connected);
    assert_eq!(stage.printed(), Vec::<String>::new());
    stage.welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    assert_eq!(stage.printed()[0], "Rooms:");
}
