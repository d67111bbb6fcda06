//! Without a terminal.

use super::*;
use crate::target::Target;

fn pipe() -> Stage {
    let mut settings = Settings::new("p");
    settings.interactive = false;
    settings.user = Some("ann".to_owned());
    settings.password = Some(Zeroizing::new("password1".to_owned()));
    settings.deadline = Some(1_700_000_060);
    let app = App::new(settings, Language::English);
    let mut stage = Stage {
        app,
        effects: Vec::new(),
    };
    stage
        .happens(Input::Tick { now: 1_700_000_000 })
        .happens(Input::Start);
    stage
}

#[test]
fn a_line_is_sent_and_the_program_ends() {
    let mut stage = pipe();
    stage
        .happens(Input::Line("@r room1 done".to_owned()))
        .happens(Input::EndOfInput);
    stage.happens(Input::Connected);
    assert_eq!(stage.sent(), [RequestKind::Login]);
    stage.welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(String::new()),
    });
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
    assert!(!stage.has(&Effect::Quit(Exit::Success)));
    stage.says(live(in_room(3, "ann", "done"), Some("p-1")));
    assert_eq!(stage.printed(), ["[2023-11-14 22:13:23] me to room1: done"]);
    assert!(stage.has(&Effect::Quit(Exit::Success)));
    assert!(!stage.has(&Effect::Prompt));
}

#[test]
fn lines_for_a_room_that_cannot_be_opened_are_not_taken_for_commands() {
    let mut stage = pipe();
    stage.app.world.settings.open = Some(Target::Room("nowhere".to_owned()));
    stage.happens(Input::Line("other=bob".to_owned()));
    stage.happens(Input::Connected).welcome("ann", vec![]);
    assert_eq!(
        stage.printed(),
        ["No friend and no room of yours is called nowhere."]
    );
    assert_eq!(stage.sent(), [RequestKind::Login]);
    assert!(stage.has(&Effect::Quit(Exit::Refused)));
}

#[test]
fn what_is_not_there_is_a_mistake() {
    let mut stage = pipe();
    stage
        .happens(Input::Line("&r nowhere".to_owned()))
        .happens(Input::EndOfInput);
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(String::new()),
    });
    assert!(stage.has(&Effect::Quit(Exit::Usage)));
}

#[test]
fn every_way_to_fail_has_its_code() {
    let quits = |inputs: Vec<Input>| {
        let mut stage = pipe();
        stage
            .happens(Input::Line("@r room1 done".to_owned()))
            .happens(Input::EndOfInput);
        for input in inputs {
            stage.happens(input);
        }
        stage.effects.pop()
    };
    let quit = |exit| Some(Effect::Quit(exit));
    assert_eq!(quits(vec![unreachable()]), quit(Exit::CannotConnect));
    let wrong = Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    };
    assert_eq!(
        quits(vec![Input::Connected, Input::Event(wrong)]),
        quit(Exit::Refused)
    );
    assert_eq!(
        quits(vec![Input::Tick { now: 1_700_000_060 }]),
        quit(Exit::TimeOut)
    );

    let mut stage = pipe();
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: None,
    });
    stage
        .happens(Input::Line("@r room1 done".to_owned()))
        .happens(Input::EndOfInput);
    stage.says(Event::SendMessageFailure {
        fail: fail("not_a_member", &[]),
    });
    assert!(stage.has(&Effect::Quit(Exit::Refused)));

    let mut stage = pipe();
    stage
        .happens(Input::Line("@x room1".to_owned()))
        .happens(Input::EndOfInput);
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(String::new()),
    });
    assert!(stage.has(&Effect::Quit(Exit::Usage)));
}
