//! A server that says nothing any more, and the wait for one that is gone.

use super::*;
use crate::net::connection::State;
use proptest::prelude::*;

/// How often this was wanted since the last look.
fn counts(stage: &mut Stage, effect: &Effect) -> usize {
    let before = stage.effects.len();
    stage.effects.retain(|other| other != effect);
    before - stage.effects.len()
}

/// When the next try is.
fn next_try(stage: &Stage) -> Duration {
    match stage.app.upstream.connection().state() {
        State::Waiting(until) => until,
        other => panic!("{other:?}"),
    }
}

/// How long it is until then.
fn wait(stage: &Stage) -> Duration {
    next_try(stage).saturating_sub(stage.app.common.at)
}

fn due(stage: &mut Stage, at: Duration) {
    stage.happens(Input::Elapsed { at }).happens(Input::Due);
}

/// Loses the connection and fails so often to make it again.
fn away(stage: &mut Stage, failures: u32) {
    stage.happens(Input::Closed(None));
    for _ in 1..failures {
        let until = next_try(stage);
        due(stage, until);
        assert_eq!(counts(stage, &Effect::Connect), 1);
        stage.happens(unreachable());
    }
    assert_eq!(stage.failures(), failures);
}

#[test]
fn an_idle_server_is_pinged_and_given_up() {
    let mut stage = ann(Language::English);
    stage.happens(Input::Heard);
    assert_eq!(stage.app.elapses_at(), Some(Duration::from_secs(90)));
    stage.passes(89);
    assert_eq!(counts(&mut stage, &Effect::Ping), 0);
    stage.passes(90);
    assert_eq!(counts(&mut stage, &Effect::Ping), 1);
    stage.happens(Input::Heard).happens(Input::Pong).passes(179);
    assert_eq!(counts(&mut stage, &Effect::Ping), 0);
    stage.passes(180);
    assert_eq!(counts(&mut stage, &Effect::Ping), 1);
    stage.passes(194);
    assert_eq!(stage.printed(), [""; 0]);
    stage.passes(195);
    assert_eq!(counts(&mut stage, &Effect::GiveUp), 1);
    assert_eq!(
        stage.printed(),
        [
            "The server is not responding. The connection was closed.",
            "Reconnecting; press Enter to retry now. Lines you type are sent later.",
        ]
    );
    assert_eq!(stage.prompt(), "contact (offline, retrying in 1 s)> ");
    stage.passes(196);
    assert_eq!(counts(&mut stage, &Effect::Connect), 1);
}

#[test]
fn an_unanswered_line_is_pinged_sooner_and_sent_again_once() {
    let mut stage = ann(Language::English);
    stage.says(Event::History {
        messages: vec![],
        more: false,
        newer: None,
    });
    stage.types("&r room1").types("hello").sent();
    stage.passes(29);
    assert_eq!(counts(&mut stage, &Effect::Ping), 0);
    stage.passes(30);
    assert_eq!(counts(&mut stage, &Effect::Ping), 1);
    stage.passes(45);
    assert_eq!(counts(&mut stage, &Effect::GiveUp), 1);
    assert_eq!(stage.app.common.context.pending(), 1);
    stage.happens(Input::Connected).sent();
    stage.welcome("ann", vec![]);
    let sent = stage.sent();
    let again = sent
        .iter()
        .filter(|kind| **kind == RequestKind::SendMessage);
    assert_eq!(again.count(), 1, "{sent:?}");
}

#[test]
fn waking_pings_an_open_connection_and_ends_a_back_off() {
    let mut stage = ann(Language::English);
    stage.passes(5);
    assert_eq!(counts(&mut stage, &Effect::Ping), 0);
    stage.happens(Input::Woke).passes(5);
    assert_eq!(counts(&mut stage, &Effect::Ping), 1);
    stage.passes(20);
    assert_eq!(counts(&mut stage, &Effect::GiveUp), 1);
    stage.happens(Input::Woke).passes(20);
    assert_eq!(counts(&mut stage, &Effect::Connect), 1);
}

#[test]
fn enter_reconnects_at_once() {
    let mut stage = ann(Language::English);
    stage.types("&r room1");
    away(&mut stage, 8);
    stage.printed();
    let before = stage.prompt();
    assert!(before.contains("(offline, retrying in "), "{before}");
    // An empty line asks for nothing else, so it is told how that went.
    stage.types("");
    assert_eq!(counts(&mut stage, &Effect::Connect), 1);
    assert!(stage.app.is_expecting());
    stage.types("");
    assert_eq!(counts(&mut stage, &Effect::Connect), 0, "one at a time");
    stage.happens(unreachable());
    assert_eq!(stage.printed(), ["Cannot connect to chat:1: no route"]);
    // A text is kept, and sent at the next chance: once, and without more words.
    stage.types("hello");
    assert_eq!(counts(&mut stage, &Effect::Connect), 1);
    stage.happens(unreachable());
    assert_eq!(stage.printed(), [""; 0]);
    assert!(
        wait(&stage) >= Duration::from_secs(15),
        "the back-off goes on"
    );
}

#[test]
fn a_queued_request_says_that_the_client_is_offline() {
    let mut stage = stage(Language::English);
    stage.types("login").types("ann").types("password1");
    stage.happens(unreachable()).printed();
    stage.types("what now");
    let offline = "You are offline. Your request will be sent when the connection is back.";
    assert_eq!(stage.printed().last().unwrap(), offline);
    stage.happens(Input::Connected).printed();
    stage.types("what now");
    let online = "Please wait for the server's answer.";
    assert_eq!(stage.printed().last().unwrap(), online);

    let mut stage = ann(Language::English);
    stage.happens(Input::Closed(None)).printed();
    stage.types("+f dave");
    let waits = "`+f dave` will be carried out when the connection is back.";
    assert_eq!(stage.printed()[1..], [waits]);
    assert_eq!(counts(&mut stage, &Effect::Connect), 1);
    stage.happens(Input::Connected).welcome("ann", vec![]);
    assert_eq!(stage.printed(), ["Reconnected. Logged in as ann."]);
    assert!(stage.sent().contains(&RequestKind::AddFriend));
}

#[test]
fn the_prompt_counts_down_without_printing() {
    let mut stage = ann(Language::English);
    stage.app.common.context.settings.config.title = true;
    away(&mut stage, 8);
    stage.printed();
    let until = next_try(&stage);
    let (mut shown, mut prompts) = (vec![stage.prompt()], 0);
    counts(
        &mut stage,
        &Effect::Title("echat contact (offline)".to_owned()),
    );
    while stage.app.elapses_at().is_some_and(|at| at < until) {
        let at = stage.app.elapses_at().unwrap();
        assert!(at > stage.app.common.at, "time stands still");
        due(&mut stage, at);
        prompts += counts(&mut stage, &Effect::Prompt);
        shown.push(stage.prompt());
    }
    assert_eq!(stage.effects, [], "nothing but the prompt");
    assert_eq!(
        shown.last().unwrap(),
        "contact (offline, retrying in 1 s)> "
    );
    shown.dedup();
    assert!(
        prompts >= shown.len() - 1 && shown.len() <= 10,
        "{prompts} {shown:?}"
    );

    // Where the prompt stays on the screen, nothing wakes up for it.
    let mut stage = ann(Language::English);
    stage.app.common.context.settings.echoes = false;
    away(&mut stage, 8);
    assert_eq!(stage.app.elapses_at(), Some(next_try(&stage)));
}

#[test]
fn every_loss_is_reported_once_whatever_the_back_off() {
    let mut stage = ann(Language::English);
    stage.printed();
    for _ in 0..3 {
        stage.happens(Input::Closed(None));
        assert_eq!(stage.printed().len(), 2);
        stage.happens(unreachable()).happens(unreachable());
        assert_eq!(stage.printed(), [""; 0]);
        stage.happens(Input::Connected).welcome("ann", vec![]);
        let told = stage.printed();
        assert_eq!(told, ["Reconnected. Logged in as ann."]);
    }
    assert_eq!(stage.failures(), 9);
}

/// What a server says between a login and the end.
fn server_events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop::sample::select(vec![
        Event::History {
            messages: vec![],
            more: false,
            newer: None,
        },
        Event::OnFriendOnline {
            username: "bob".to_owned(),
        },
        live(in_room(7, "bob", "ann"), None),
        Event::OnNewRoom {
            roomname: "room".to_owned(),
        },
    ]);
    prop::collection::vec(event, 0..5)
}

proptest! {
    /// A line that makes the server close is sent after each login: the server is called at
    /// growing intervals. Such a line is set aside after three connections; then there is another one.
    #[test]
    fn a_server_that_closes_after_each_login_is_dialled_at_growing_intervals(
        runs in prop::collection::vec(server_events(), 1..20),
        seed: u64,
    ) {
        let mut stage = ann(Language::English);
        stage
            .app
            .upstream
            .set_connection(crate::net::connection::Connection::new(seed));
        stage.happens(Input::Connected).welcome("ann", vec![]);
        stage.types("@r room1 poison");
        let mut last = Duration::ZERO;
        for events in runs {
            stage.happens(Input::Pong);
            for event in events {
                stage.happens(Input::Heard).says(event);
            }
            stage.happens(Input::Closed(None));
            let wait = wait(&stage);
            prop_assert!(wait >= last.min(Duration::from_secs(15)), "{:?} after {:?}", wait, last);
            last = wait;
            let until = next_try(&stage);
            due(&mut stage, until);
            prop_assert_eq!(counts(&mut stage, &Effect::Connect), 1);
            stage.happens(Input::Connected).welcome("ann", vec![]);
            if stage.app.common.context.pending() == 0 {
                stage.types("@r room1 poison");
            }
            prop_assert!(stage.sent().contains(&RequestKind::SendMessage));
        }
    }
}

#[test]
fn the_prompt_of_plain_output_does_not_count_attempts() {
    let mut stage = ann(Language::English);
    stage.app.common.context.settings.echoes = false;
    stage.happens(Input::Closed(None));
    assert_eq!(stage.prompt(), "contact (offline)> ");
    stage.effects.clear();
    let mut tries = 0;
    for second in 1..300 {
        stage.passes(second);
        while let Some(at) = stage
            .effects
            .iter()
            .position(|effect| *effect == Effect::Connect)
        {
            stage.effects.remove(at);
            tries += 1;
            stage.happens(unreachable());
        }
        assert_eq!(stage.prompt(), "contact (offline)> ");
        assert!(stage.printed().is_empty(), "told once");
    }
    assert!(tries > 3, "{tries}");
}
