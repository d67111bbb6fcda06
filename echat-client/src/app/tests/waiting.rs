//! Commands that are typed before the login is answered.

use super::*;

/// A user whose login is under way from the start.
fn coming(interactive: bool) -> Stage {
    let mut settings = Settings::new("t");
    settings.interactive = interactive;
    settings.user = Some("ann".to_owned());
    settings.password = Some("password1".into());
    let mut stage = Stage::of(App::new(settings, Language::English));
    stage.happens(Input::Tick { now: 1_700_000_000 });
    stage.happens(Input::Start);
    stage
}

#[test]
fn lines_wait_for_the_login() {
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
fn lines_that_wait_for_the_login_are_not_said_in_the_room_of_the_address() {
    for (lines, prompt) in [
        (&[":r", "/rooms", "what bob"][..], "room1> "),
        // What was typed last counts.
        (&["&f bob"], "bob> "),
    ] {
        let mut stage = coming(true);
        stage.app.common.context.settings.open = Some(Target::Room("room1".to_owned()));
        for line in lines {
            stage.types(line);
        }
        stage.happens(Input::Connected).printed();
        stage.welcome("ann", vec![]);
        stage.happens(Input::Outgoing {
            user: "ann".to_owned(),
            lines: Some(Vec::new()),
        });
        assert_eq!(stage.prompt(), prompt);
        assert!(stage.contents().is_empty());
        assert!(!stage.sent().contains(&RequestKind::SendMessage));
    }
}

#[test]
fn lines_that_need_no_login_run_at_once() {
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
fn lines_that_need_a_login_are_reported_when_there_is_none() {
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
fn a_repeated_login_keeps_known_conversations() {
    let mut stage = ann(Language::English);
    stage.happens(Input::Closed(None)).printed();
    stage.types(":r");
    assert_eq!(stage.printed()[1], "Rooms:");
}

#[test]
fn lines_of_a_pipe_wait_for_the_login_too() {
    let mut stage = coming(false);
    stage.happens(Input::Line(":r".into()));
    stage.happens(Input::Connected);
    assert_eq!(stage.printed(), Vec::<String>::new());
    stage.welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    assert_eq!(stage.printed()[0], "Rooms:");
}
