//! No secret is in what `Debug` shows of the application, of what comes into it and of what it wants done.

use super::*;
use crate::modes::Act;

/// As nothing else is written.
const SECRET: &str = "canary-in-a-coal-mine";

/// The application and everything that it wanted done.
fn shown(stage: &Stage) -> String {
    format!("{:?} {:?}", stage.app, stage.effects)
}

#[track_caller]
fn shows_nothing(shown: &str) {
    assert!(!shown.contains(SECRET), "{shown}");
}

#[test]
fn debug_shows_no_secret_of_what_was_chosen() {
    let mut settings = Settings::new("t");
    settings.user = Some("ann".to_owned());
    settings.password = Some(SECRET.into());
    settings.token = Some(SECRET.into());
    settings.invitation = Some(SECRET.into());
    shows_nothing(&format!("{settings:?}"));
    let app = App::new(settings, Language::English);
    shows_nothing(&format!("{app:?}"));
}

#[test]
fn debug_shows_no_secret_of_what_is_typed() {
    for input in [
        Input::Line(SECRET.into()),
        Input::Lines(SECRET.into()),
        Input::Key(Key::Paste(SECRET.into())),
    ] {
        shows_nothing(&format!("{input:?}"));
    }
    for act in [
        Act::LogIn {
            name: "ann".to_owned(),
            password: SECRET.into(),
        },
        Act::ChangePassword {
            old: SECRET.into(),
            new: SECRET.into(),
        },
    ] {
        shows_nothing(&format!("{act:?}"));
    }
    for line in [
        format!("/invitation revoke {SECRET}"),
        format!("/admin set key {SECRET}"),
    ] {
        let read = statement::parse(Scope::Contact, &line);
        assert!(matches!(read, Ok(Statement::Ask(_))), "{line}");
        shows_nothing(&format!("{read:?}"));
    }
}

#[test]
fn debug_shows_no_secret_at_any_step_of_an_account() {
    let mut stage = stage(Language::English);
    stage.types("register").types("ann");
    let paste = || Input::Key(Key::Paste(SECRET.into()));
    stage.happens(paste());
    shows_nothing(&shown(&stage));
    stage.happens(Input::Key(Key::Enter));
    shows_nothing(&shown(&stage));
    stage.happens(paste()).happens(Input::Key(Key::Enter));
    assert_eq!(stage.prompt(), "register ...: ");
    shows_nothing(&shown(&stage));
    stage.happens(Input::Connected);
    shows_nothing(&shown(&stage));
    stage.says(Event::RegisterSuccess {
        username: "ann".to_owned(),
    });
    stage.types("login").types("ann").types(SECRET);
    shows_nothing(&shown(&stage));
    stage.given("ann", Some(SECRET));
    assert_eq!(stage.prompt(), "contact> ");
    shows_nothing(&shown(&stage));
    stage.types("/passwd").types(SECRET).types("another-word");
    shows_nothing(&shown(&stage));
    stage.types("another-word");
    shows_nothing(&shown(&stage));
}

#[test]
fn debug_shows_no_line_of_a_script_that_waits() {
    let mut settings = Settings::new("t");
    settings.interactive = false;
    settings.user = Some("ann".to_owned());
    settings.password = Some(SECRET.into());
    let mut stage = Stage::of(App::new(settings, Language::English));
    stage.happens(Input::Start);
    stage.happens(Input::Line("/passwd".into()));
    stage.happens(Input::Line(SECRET.into()));
    shows_nothing(&shown(&stage));
}
