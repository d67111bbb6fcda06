//! Commands about messages that are not remembered: the message is asked for, and not shown.

use echat_proto::records::Older;

use super::messages::{asked, changed, deleted, done, edited, found, in_chat};
use super::*;
use RequestKind as R;

/// Ann in room1, of which only what bob said last is remembered.
fn with_older(language: Language) -> Stage {
    let mut stage = stage(language);
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    let bundle = LoginBundle {
        chat_rooms: vec!["room1".to_owned()],
        friends: vec!["bob".to_owned()],
        messages: vec![in_room(40, "bob", "forty"), in_room(41, "bob", "last")],
        more: vec![Older {
            target_type: TargetType::Room,
            target: "room1".to_owned(),
            before: 40,
        }],
        ..LoginBundle::default()
    };
    stage.says(bundle.into());
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    stage.types("&r room1");
    stage.says(Event::Marked {
        target_type: TargetType::Room,
        target: "room1".into(),
        id: 41,
    });
    stage.effects.clear();
    stage
}

/// The search for the last message of ann.
fn asks_for_own(stage: &mut Stage) -> bool {
    let asked = asked(stage);
    asked.starts_with("Search") && asked.contains("limit: Some(1)") && asked.contains("\"ann\"")
}

fn page(messages: Vec<ChatMessage>) -> Event {
    Event::History {
        messages,
        more: true,
        newer: None,
    }
}

#[test]
fn the_last_own_message_is_asked_for_and_edited() {
    let mut stage = with_older(Language::English);
    for (line, expected) in [
        ("/edit drei", "edit 3 drei"),
        ("s/three/drei/", "edit 3 drei"),
        ("s/three/drei", "edit 3 drei"),
    ] {
        stage.types(line).printed();
        assert!(asks_for_own(&mut stage), "{line}");
        stage.says(found(vec![in_room(3, "ann", "three")], Some(3)));
        assert_eq!(asked(&mut stage), expected, "{line}");
        assert_eq!(stage.printed(), [""; 0], "{line}");
        stage.says(Event::Refused {
            fail: fail("too_late", &[]),
        });
        stage.printed();
    }
    stage.types("/edit drei");
    stage.sent();
    stage.says(found(vec![in_room(3, "ann", "three")], Some(3)));
    stage.printed();
    stage.says(changed(edited(3, "ann", "drei"), "ann", None));
    stage.says(done(R::EditMessage));
    assert_eq!(stage.printed(), ["[2023-11-14 22:13:23] me (edited): drei"]);
}

#[test]
fn up_in_an_empty_line_asks_for_the_last_own_message() {
    for is_asked_by_key in [true, false] {
        let mut stage = with_older(Language::English);
        if is_asked_by_key {
            stage.presses_key(Key::Up);
        } else {
            stage.types("/edit");
        }
        assert!(asks_for_own(&mut stage));
        stage.says(found(vec![in_room(3, "ann", "three")], Some(3)));
        assert_eq!(stage.line(), "three");
        assert_eq!(stage.prompt(), "(editing, Esc leaves) room1> ");
        stage.presses("!\n");
        assert_eq!(asked(&mut stage), "edit 3 three!");
        stage.printed();
        stage.says(done(R::EditMessage));
        assert_eq!(
            stage.printed(),
            ["[2023-11-14 22:13:23] me (edited): three!"]
        );
    }
}

#[test]
fn a_paste_that_is_too_long_for_the_edited_message_is_told() {
    let mut stage = with_older(Language::English);
    stage.types("/edit");
    stage.says(found(vec![in_room(3, "ann", "three")], Some(3)));
    stage.printed();
    for pasted in ["x".repeat(70_000), format!("x\n{}", "y".repeat(69_998))] {
        stage.happens(Input::Key(Key::Paste(pasted.as_str().into())));
        assert_eq!(
            stage.printed(),
            ["Not accepted: a pasted line has 70005 bytes; the limit is 65536."]
        );
        assert_eq!(stage.line(), "three");
    }
    assert_eq!(stage.prompt(), "(editing, Esc leaves) room1> ");
}

#[test]
fn what_was_typed_before_the_message_came_stays_in_the_line() {
    let mut stage = with_older(Language::English);
    stage.presses_key(Key::Up).presses("hel");
    stage.says(found(vec![in_room(3, "ann", "three")], Some(3)));
    assert_eq!((stage.line(), stage.prompt().as_str()), ("hel", "room1> "));
    assert_eq!(stage.printed(), [""; 0]);
    // A message that came for a chat which is left is not edited in another one.
    let mut stage = with_older(Language::English);
    stage.presses_key(Key::Up);
    stage.types("\\c").types("contact");
    stage.says(found(vec![in_room(3, "ann", "three")], Some(3)));
    assert_eq!(stage.line(), "");
    // What was said in full is done there all the same.
    stage.types("&r room1").types("/edit drei").types("\\c");
    stage.sent();
    stage.says(found(vec![in_room(3, "ann", "three")], Some(3)));
    assert_eq!(asked(&mut stage), "edit 3 drei");
}

#[test]
fn a_second_up_goes_on_to_the_history_of_lines() {
    let mut stage = with_older(Language::English);
    stage.presses("/n\n");
    stage.sent();
    stage.presses_key(Key::Up).presses_key(Key::Up);
    assert_eq!(stage.line(), "/n");
    assert!(asks_for_own(&mut stage));
    stage.says(found(vec![in_room(3, "ann", "three")], Some(3)));
    assert_eq!((stage.line(), stage.prompt().as_str()), ("/n", "room1> "));
    // Without a connection there is only the history.
    let mut stage = with_older(Language::English);
    stage.presses("/n\n");
    stage.happens(Input::Closed(None));
    stage.presses_key(Key::Up);
    assert_eq!(stage.line(), "/n");
}

#[test]
fn that_there_is_no_own_message_is_said_and_known() {
    for (language, said) in [
        (
            Language::English,
            "There is no message of yours in this chat.",
        ),
        (Language::Chinese, "这个聊天里没有你的消息。"),
    ] {
        let mut stage = with_older(language);
        stage.presses("/edit drei\n");
        stage.printed();
        assert!(asks_for_own(&mut stage));
        stage.says(found(vec![], None));
        let printed = stage.printed();
        assert_eq!(printed[0], said);
        assert!(printed[1].ends_with("drei"), "{printed:?}");
        stage.types("/edit drei");
        assert!(stage.printed().contains(&said.to_owned()));
        stage.presses_key(Key::Up);
        assert_eq!(stage.line(), "/edit drei");
        assert_eq!(asked(&mut stage), "");
        // Until there is one.
        stage.happens(Input::Key(Key::Ctrl('u')));
        stage.says(live(in_room(42, "ann", "here"), None));
        stage.presses_key(Key::Up);
        assert_eq!(stage.line(), "here");
    }
}

#[test]
fn a_substitution_without_an_own_message_may_be_text() {
    let mut stage = with_older(Language::English);
    stage.types("s/three/drei/");
    stage.sent();
    stage.says(found(vec![], None));
    assert!(stage.prompt().starts_with("send as text?"));
    stage.types("n");
    let mut stage = with_older(Language::English);
    stage.types("s/he/they");
    stage.sent();
    stage.says(found(vec![in_room(3, "ann", "one")], None));
    assert_eq!(asked(&mut stage), "send s/he/they None");
}

#[test]
fn a_shown_number_means_its_message_also_after_a_lost_connection() {
    let mut stage = in_chat(Language::English);
    stage.types("/n");
    reconnect(&mut stage, vec![in_room(9, "bob", "nine")]);
    for (line, message, expected, command) in [
        (
            "/edit 1 drei",
            in_room(3, "ann", "three"),
            "edit 3 drei",
            R::EditMessage,
        ),
        (
            "/react 2 +1",
            in_room(2, "bob", "two"),
            "react 2 👍 true",
            R::React,
        ),
    ] {
        stage.types(line);
        let id = message.id;
        let around = format!("history None None Some({id}) None");
        assert_eq!(asked(&mut stage), around, "{line}");
        stage.printed();
        stage.says(page(vec![message]));
        assert_eq!(asked(&mut stage), expected, "{line}");
        stage.says(done(command));
    }
    stage.types("/delete 1");
    stage.sent();
    stage.printed();
    stage.says(page(vec![deleted(3, "ann")]));
    assert_eq!(stage.printed(), ["This message is deleted."]);
    stage.types("/reply 3 yes");
    stage.sent();
    stage.printed();
    stage.says(Event::Refused {
        fail: fail("unknown_message", &[]),
    });
    let printed = stage.printed();
    assert_eq!(printed[0], "the message is not there any more.");
    assert!(printed[1].ends_with("yes"), "{printed:?}");
}

#[test]
fn a_number_beyond_what_is_remembered_is_counted_on_in_one_page() {
    let mut stage = with_older(Language::English);
    let messages = || {
        page(vec![
            in_room(3, "ann", "three"),
            in_room(4, "bob", "four"),
            in_room(40, "bob", "forty"),
            in_room(41, "bob", "last"),
        ])
    };
    stage.types("/edit 4 drei");
    assert_eq!(asked(&mut stage), "history Some(42) None None None");
    stage.says(messages());
    assert_eq!(asked(&mut stage), "edit 3 drei");
    stage.says(done(R::EditMessage));
    stage.types("/edit 3 drei");
    stage.sent();
    stage.printed();
    stage.says(messages());
    let printed = stage.printed();
    assert_eq!(
        printed[0],
        "This message is from bob. You can only edit your own."
    );
    stage.types("/edit 5 x");
    stage.printed();
    stage.says(messages());
    assert_eq!(
        stage.printed()[0],
        "There is no message 5 here. Type `/n` to show the numbers."
    );
    // A page has no more.
    stage.sent();
    stage.types("/edit 201 x");
    assert_eq!(asked(&mut stage), "");
}

#[test]
fn the_last_message_of_others_is_asked_for_too() {
    let mut stage = in_chat(Language::English);
    reconnect(&mut stage, vec![in_room(3, "ann", "three")]);
    stage.types("/reply yes");
    assert_eq!(asked(&mut stage), "history Some(4) None None None");
    stage.printed();
    stage.says(page(vec![
        in_room(1, "bob", "one"),
        in_room(2, "bob", "two"),
        in_room(3, "ann", "three"),
    ]));
    assert_eq!(asked(&mut stage), "send yes Some(2)");
}

#[test]
fn a_deletion_asks_with_the_message_that_came() {
    let mut stage = with_older(Language::English);
    stage.types("/delete");
    stage.sent();
    stage.printed();
    stage.says(found(vec![in_room(3, "ann", "three")], None));
    assert_eq!(
        stage.printed(),
        [
            "Delete this message for everyone? (Y/N)",
            "[2023-11-14 22:13:23] me: three"
        ]
    );
    stage.looks().types("y");
    assert_eq!(asked(&mut stage), "delete 3");
}

#[test]
fn a_lost_connection_says_what_was_typed() {
    let mut stage = with_older(Language::English);
    stage.types("/edit drei").printed();
    stage.happens(Input::Closed(None));
    assert!(stage.printed().contains(
        &"The connection was lost before the answer to `/edit drei`. Please try again.".to_owned()
    ));
    stage.types("/edit drei");
    let printed = stage.printed();
    assert!(
        printed.iter().any(|line| line.contains("/edit drei")),
        "{printed:?}"
    );
}
