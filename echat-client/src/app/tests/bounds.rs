//! What the application keeps and asks for is bounded, whatever the server sends and the user types.

use super::*;

/// Messages of a user that is seen for the first time, who leaves at once.
fn comes_and_leaves(stage: &mut Stage, id: u64) {
    let membername = format!("m{id}");
    stage.happens(Input::Event(live(in_room(id, &membername, "hello"), None)));
    stage.happens(Input::Event(Event::OnMemberOffline {
        roomname: "room1".to_owned(),
        membername,
        left: Some(true),
    }));
}

/// How many WHOIS were sent since the last look.
fn asked_whois(stage: &mut Stage) -> usize {
    let sent = stage.sent();
    let is_whois = |kind: &&RequestKind| **kind == RequestKind::Whois;
    sent.iter().filter(is_whois).count()
}

#[test]
fn a_server_that_answers_nothing_is_not_asked_without_end() {
    let mut stage = ann(Language::English);
    let mut asked = 0;
    for id in 1..=1_500 {
        comes_and_leaves(&mut stage, id);
        asked += asked_whois(&mut stage);
        stage.effects.clear();
    }
    assert_eq!(asked, 1_000);
    // A command is refused, and returns to the line.
    stage.presses("/rooms\n");
    assert_eq!(
        stage.printed().last().unwrap(),
        "Please wait for the server's answer."
    );
    assert_eq!(stage.line(), "/rooms");
    assert_eq!(stage.sent(), []);
    for id in 1..=asked as u64 {
        let mut answer = stranger(&format!("m{id}"));
        if let Event::User { rooms, .. } = &mut answer {
            rooms.push("room1".to_owned());
        }
        stage.happens(Input::Event(answer));
    }
    // Whether the others exist is not known: what is held of them is asked for again.
    let room = Target::Room("room1".to_owned());
    let held = |stage: &Stage| {
        let conversation = stage.app.common.context.session.conversation(&room);
        conversation.unwrap().lines().len()
    };
    assert_eq!(held(&stage), 500);
    stage.sent();
    stage.types("&r room1");
    assert_eq!(
        (held(&stage), stage.sent()),
        (0, vec![RequestKind::QueryHistory])
    );
}

#[test]
fn many_changes_of_presence_are_shown_at_once() {
    let mut stage = ann(Language::English);
    stage.types("&r room1");
    stage.printed();
    let comes = |stage: &mut Stage, number: usize| {
        stage.says(Event::OnMemberOnline {
            roomname: "room1".to_owned(),
            membername: format!("m{number}"),
            joined: None,
        });
        stage.printed()
    };
    for number in 1..=1_000 {
        assert_eq!(comes(&mut stage, number), [""; 0]);
    }
    let printed = comes(&mut stage, 1_001);
    assert_eq!(printed.len(), 1);
    assert!(printed[0].contains("m1001"), "{printed:?}");
    assert_eq!(comes(&mut stage, 1_002), [""; 0]);
}

#[test]
fn unsent_lines_are_bounded() {
    let mut stage = stage(Language::English);
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected);
    stage.welcome("ann", vec![]);
    let line = |number: usize| {
        let room = r#""target_type":1,"target":"room1","content":"kept","typed_at":1"#;
        format!("{{\"txn_id\":\"t-{number}\",{room}}}\n")
    };
    let lines: String = (1..=4_999).map(line).collect();
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(lines.into_bytes()),
    });
    stage.types("&r room1");
    stage.printed();
    stage.presses("the last\n");
    assert_eq!(stage.line(), "");
    assert_eq!(stage.contents().len(), 5_000);
    stage.printed();
    stage.presses("too many\n");
    assert_eq!(
        stage.printed().last().unwrap(),
        "Not accepted: 5000 lines are pending. Wait until they are sent, or take them back with `/withdraw`."
    );
    assert_eq!(stage.line(), "too many");
    assert_eq!(stage.contents().len(), 5_000);
}

#[test]
fn a_user_with_ever_new_names_has_a_bounded_number_of_files() {
    let mut stage = ann(Language::English);
    let mut loaded = 1;
    for number in 0..200 {
        let name = |number: usize| match number {
            0 => "ann".to_owned(),
            number => format!("ann{number}"),
        };
        stage.happens(Input::Event(Event::OnUserRenamed {
            was: name(number),
            username: name(number + 1),
        }));
        for effect in std::mem::take(&mut stage.effects) {
            if let Effect::LoadOutgoing { user } = effect {
                loaded += 1;
                let lines = Some(Vec::new());
                stage.happens(Input::Outgoing { user, lines });
            }
        }
    }
    assert_eq!(loaded, 100);
    assert_eq!(stage.app.common.me().as_deref(), Some("ann200"));
}
