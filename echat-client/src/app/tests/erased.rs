//! Texts that a message does not have any more: nothing that the client keeps in memory brings them back.

use super::messages::{asked, changed, deleted, done, edited, in_chat};
use super::*;
use RequestKind as R;

/// What the client shows from here on.
fn shown(stage: &mut Stage) -> String {
    stage.printed().join("|")
}

/// Walks through the history of lines from the newest on.
fn recalled(stage: &mut Stage) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..10 {
        stage.presses_key(Key::Up);
        lines.push(stage.line().to_owned());
    }
    lines
}

/// Ann says this in room1, as message 4.
fn say(stage: &mut Stage, text: &str) {
    stage.presses(text).presses("\n");
    stage.sent();
    stage.says(live(in_room(4, "ann", text), Some("t-1")));
    stage.printed();
}

#[test]
fn a_folded_message_is_shown_as_it_is_now() {
    for is_deleted in [true, false] {
        let mut stage = in_chat(Language::English);
        stage.says(Event::OnSelfChanged {
            blocked: Some(vec!["carol".to_owned()]),
            invitations: None,
            away: None,
            last_seen: None,
        });
        stage.says(live(in_room(4, "carol", "secret"), None));
        stage.says(live(in_room(5, "carol", "harmless"), None));
        let now = if is_deleted {
            deleted(4, "carol")
        } else {
            edited(4, "carol", "better")
        };
        stage.says(changed(now, "carol", None));
        stage.printed();
        stage.types("/show");
        let shown = shown(&mut stage);
        assert!(!shown.contains("secret"), "{shown}");
        assert!(shown.contains("harmless"), "{shown}");
        assert_eq!(shown.contains("better"), !is_deleted, "{shown}");
    }
}

#[test]
fn a_question_about_a_message_ends_when_it_is_deleted() {
    let mut stage = in_chat(Language::English);
    stage.types("/delete");
    assert!(stage.prompt().starts_with("delete the message?"));
    stage.printed();
    stage.says(changed(deleted(3, "ann"), "bob", None));
    let shown = shown(&mut stage);
    assert!(!shown.contains("three"), "{shown}");
    assert!(!shown.contains("The message was not deleted"), "{shown}");
    assert_eq!(stage.prompt(), "room1> ");
    stage.types("/rooms");
    assert_eq!(asked(&mut stage), "ListRooms");
}

#[test]
fn a_question_about_a_message_that_was_edited_shows_the_new_text() {
    let mut stage = in_chat(Language::English);
    stage.types("/delete");
    stage.says(changed(edited(3, "ann", "drei"), "ann", None));
    stage.printed();
    stage.types("hello");
    let shown = shown(&mut stage);
    assert!(
        shown.contains("drei") && !shown.contains("three"),
        "{shown}"
    );
}

#[test]
fn a_message_under_edit_leaves_the_line_when_it_is_deleted() {
    let mut stage = in_chat(Language::English);
    stage.presses_key(Key::Up);
    assert_eq!(stage.line(), "three");
    stage.says(changed(deleted(3, "ann"), "bob", None));
    assert_eq!((stage.line(), stage.prompt().as_str()), ("", "room1> "));
    for key in [Key::Ctrl('_'), Key::Ctrl('y'), Key::Up, Key::Up] {
        stage.presses_key(key.clone());
        assert_eq!(stage.line(), "", "{key:?}");
    }
}

#[test]
fn a_text_that_was_typed_over_a_deleted_message_is_not_lost() {
    let mut stage = in_chat(Language::English);
    stage.presses_key(Key::Up).presses_key(Key::Ctrl('a'));
    stage.presses("something else").presses_key(Key::Ctrl('k'));
    stage.printed();
    stage.says(changed(deleted(3, "ann"), "bob", None));
    assert_eq!((stage.line(), stage.prompt().as_str()), ("", "room1> "));
    let shown = shown(&mut stage);
    assert!(shown.contains("(not sent) something else"), "{shown}");
    // What Ctrl-K cut was the text of the message.
    stage.presses_key(Key::Ctrl('y'));
    assert_eq!(stage.line(), "");
}

#[test]
fn a_message_under_edit_has_the_text_that_another_session_gave_it() {
    let mut stage = in_chat(Language::English);
    stage.presses_key(Key::Up);
    stage.says(changed(edited(3, "ann", "drei"), "ann", None));
    assert_eq!(stage.line(), "drei");
    assert_eq!(stage.prompt(), "(editing, Esc leaves) room1> ");
    stage.presses_key(Key::Ctrl('_'));
    assert_ne!(stage.line(), "three");
    // A line that was touched stays what it is.
    let mut stage = in_chat(Language::English);
    stage.presses_key(Key::Up).presses("!");
    stage.says(changed(edited(3, "ann", "drei"), "ann", None));
    assert_eq!(stage.line(), "three!");
}

#[test]
fn a_deleted_text_is_not_in_the_history_of_lines() {
    for (line, text) in [
        ("secret", "secret"),
        ("/reply secret", "secret"),
        ("//secret", "/secret"),
        ("/me waves", "/me waves"),
        ("@r room1 secret", "secret"),
    ] {
        let mut stage = in_chat(Language::English);
        if line.starts_with('@') {
            stage.types("\\c").types("contact");
        }
        stage.presses(line).presses("\n");
        stage.sent();
        stage.says(live(in_room(4, "ann", text), Some("t-1")));
        stage.presses("/whois bob\n");
        stage.says(changed(deleted(4, "ann"), "ann", None));
        let lines = recalled(&mut stage);
        assert!(
            lines.contains(&"/whois bob".to_owned()),
            "{line}: {lines:?}"
        );
        assert!(!lines.contains(&line.to_owned()), "{line}: {lines:?}");
    }
}

#[test]
fn a_text_that_was_edited_or_deleted_here_is_not_in_the_history_of_lines() {
    for (command, reply) in [
        ("/delete\ny\n", R::DeleteMessage),
        ("/edit harmless\n", R::EditMessage),
    ] {
        let mut stage = in_chat(Language::English);
        say(&mut stage, "secret");
        for line in command.split_inclusive('\n') {
            stage.presses(line).looks();
        }
        stage.sent();
        stage.says(done(reply));
        let lines = recalled(&mut stage);
        assert!(!lines.contains(&"secret".to_owned()), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with('/')), "{lines:?}");
    }
}

#[test]
fn a_recalled_line_gives_way_when_its_text_is_deleted() {
    let mut stage = in_chat(Language::English);
    say(&mut stage, "secret");
    stage.presses("draft").presses_key(Key::Ctrl('p'));
    assert_eq!(stage.line(), "secret");
    stage.says(changed(deleted(4, "ann"), "bob", None));
    assert_eq!(stage.line(), "draft");
    let mut stage = in_chat(Language::English);
    say(&mut stage, "secret");
    stage.presses_key(Key::Ctrl('r')).presses("cret");
    assert_eq!(stage.line(), "secret");
    stage.says(changed(deleted(4, "ann"), "bob", None));
    assert_eq!(stage.line(), "");
}

#[test]
fn texts_of_others_leave_the_history_of_lines_alone() {
    let mut stage = in_chat(Language::English);
    say(&mut stage, "two");
    stage.says(changed(deleted(2, "bob"), "bob", None));
    assert!(recalled(&mut stage).contains(&"two".to_owned()));
}

#[test]
fn what_was_deleted_while_the_connection_was_lost_is_forgotten() {
    let mut stage = in_chat(Language::English);
    say(&mut stage, "four");
    stage.types("/n").printed();
    // Message 1 is not among those of the login, message 2 was edited, 3 and 4 were deleted.
    let messages = vec![
        edited(2, "bob", "zwei"),
        deleted(3, "ann"),
        deleted(4, "ann"),
    ];
    reconnect(&mut stage, messages);
    for line in ["/n", "/edit 1", "/edit 2", "/reply 3 yes", "/edit"] {
        stage.types(line);
        let shown = shown(&mut stage);
        for text in ["one", "two", "three", "four"] {
            assert!(!shown.contains(&format!(": {text}")), "{line}: {shown}");
            assert_ne!(stage.line(), text, "{line}");
        }
    }
    assert!(!recalled(&mut stage).contains(&"four".to_owned()));
}

#[test]
fn numbers_of_messages_that_a_login_did_not_bring_mean_nothing_else() {
    let mut stage = in_chat(Language::English);
    stage.types("/n").printed();
    reconnect(&mut stage, vec![in_room(2, "bob", "two")]);
    stage.types("/react 2 👍");
    assert_eq!(asked(&mut stage), "react 2 👍 true");
    stage.says(done(RequestKind::React));
    stage.types("/react 3 👍");
    assert_eq!(asked(&mut stage), "history None None Some(1) None");
}

#[test]
fn messages_that_a_login_did_not_bring_are_asked_for_again() {
    let mut stage = in_chat(Language::English);
    reconnect(&mut stage, vec![in_room(3, "ann", "three")]);
    stage.types("\\c").types("chat room1");
    assert!(!shown(&mut stage).contains("two"));
    stage.types("/history");
    assert_eq!(asked(&mut stage), "history Some(3) None None None");
    stage.says(Event::History {
        messages: vec![deleted(1, "bob"), in_room(2, "bob", "two")],
        more: false,
        newer: None,
    });
    let shown = shown(&mut stage);
    assert!(shown.contains("two") && !shown.contains("one"), "{shown}");
}

#[test]
fn a_quote_of_a_message_that_a_login_did_not_bring_is_not_shown() {
    let mut stage = in_chat(Language::English);
    reconnect(&mut stage, vec![in_room(3, "ann", "three")]);
    let mut reply = live(in_room(5, "bob", "yes"), None);
    if let Event::OnNewMessage { reply_to, .. } = &mut reply {
        *reply_to = Some(1);
    }
    stage.says(reply);
    let shown = shown(&mut stage);
    assert!(shown.contains("yes") && !shown.contains("one"), "{shown}");
}

#[test]
fn a_folded_message_that_a_login_did_not_bring_is_not_shown() {
    let mut stage = in_chat(Language::English);
    stage.says(Event::OnSelfChanged {
        blocked: Some(vec!["carol".to_owned()]),
        invitations: None,
        away: None,
        last_seen: None,
    });
    stage.says(live(in_room(4, "carol", "secret"), None));
    reconnect(&mut stage, vec![in_room(3, "ann", "three")]);
    stage.types("/show");
    assert!(!shown(&mut stage).contains("secret"));
}

#[test]
fn found_messages_can_be_opened_after_a_login_and_are_not_quoted() {
    let mut stage = in_chat(Language::English);
    stage.types("/search secret");
    stage.says(Event::FoundMessages {
        messages: vec![in_room(1, "bob", "secret")],
        more: false,
        next: None,
        indexed: None,
    });
    assert!(shown(&mut stage).contains("secret"));
    reconnect(&mut stage, vec![in_room(3, "ann", "three")]);
    assert!(stage.app.common.context.session.message(1).is_none());
    stage.types("/open 1");
    assert_eq!(asked(&mut stage), "history None None Some(1) None");
}

/// The server refuses what it was asked last.
fn refuses(stage: &mut Stage, code: &str) {
    stage.sent();
    stage.says(Event::Refused {
        fail: fail(code, &[]),
    });
}

/// The server has noted what was read in room1.
fn read_to(id: u64) -> Event {
    Event::Marked {
        target_type: TargetType::Room,
        target: "room1".into(),
        id,
    }
}

/// A member of room1 leaves.
fn leaves(stage: &mut Stage, name: &str) {
    stage.says(Event::OnMemberOffline {
        roomname: "room1".to_owned(),
        membername: name.to_owned(),
        left: Some(true),
    });
}

fn page(messages: Vec<ChatMessage>) -> Event {
    Event::History {
        messages,
        more: false,
        newer: Some(false),
    }
}

/// A message of the conversation with this user.
fn private(id: u64, user: &str, content: &str) -> ChatMessage {
    ChatMessage {
        target: user.to_owned(),
        target_type: TargetType::Friend,
        ..in_room(id, user, content)
    }
}

#[test]
fn texts_of_a_member_whose_account_is_deleted_are_forgotten() {
    for is_open in [true, false] {
        let mut stage = in_chat(Language::Chinese);
        stage.says(live(in_room(4, "carol", "secret"), None));
        stage.says(read_to(4));
        if !is_open {
            stage.types("\\c");
        }
        stage.sent();
        stage.printed();
        leaves(&mut stage, "carol");
        assert_eq!(stage.sent(), [R::Whois]);
        refuses(&mut stage, "unknown_user");
        let printed = shown(&mut stage);
        assert_eq!(
            printed.contains("账号“carol”已注销。"),
            is_open,
            "{printed}"
        );
        if !is_open {
            stage.types("chat room1");
        }
        assert_eq!(asked(&mut stage), "history None None None None");
        stage.says(page(vec![
            in_room(3, "ann", "three"),
            deleted(4, "deleted account 6"),
        ]));
        for line in ["/n", "/history", "\\c", "chat room1", "/n"] {
            stage.types(line);
        }
        let shown = shown(&mut stage);
        assert!(!shown.contains("secret"), "{shown}");
        assert!(shown.contains("已注销账号 6"), "{shown}");
    }
}

#[test]
fn texts_of_a_user_out_of_sight_are_asked_for_again_when_a_chat_is_opened() {
    let mut stage = in_chat(Language::English);
    stage.says(live(in_room(4, "carol", "secret"), None));
    stage.says(read_to(4));
    stage.types("\\c");
    leaves(&mut stage, "carol");
    assert_eq!(stage.sent().last(), Some(&R::Whois));
    stage.says(stranger("carol"));
    stage.printed();
    stage.types("chat room1");
    assert_eq!(asked(&mut stage), "history None None None None");
    assert!(!shown(&mut stage).contains("secret"));
    // Nothing is asked about a user whose messages the client does not have.
    let mut stage = in_chat(Language::English);
    stage.sent();
    leaves(&mut stage, "dave");
    assert_eq!(stage.sent(), []);
}

#[test]
fn a_page_tells_that_an_account_is_deleted() {
    let mut stage = in_chat(Language::Chinese);
    stage.says(live(in_room(4, "carol", "secret"), None));
    stage.says(read_to(4));
    stage.types("/date 2023-11-14").printed();
    stage.sent();
    stage.says(page(vec![deleted(4, "deleted account 6")]));
    assert_eq!(stage.sent().last(), Some(&R::QueryHistory));
    stage.says(page(vec![
        in_room(3, "ann", "three"),
        deleted(4, "deleted account 6"),
    ]));
    for line in ["/n", "\\c", "chat room1", "/n"] {
        stage.types(line);
    }
    let shown = shown(&mut stage);
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("已注销账号 6"), "{shown}");
}

#[test]
fn the_conversation_with_a_deleted_account_has_its_name() {
    let mut stage = ann(Language::Chinese);
    stage.says(live(private(4, "bob", "good-bye"), None));
    stage.says(Event::OnFriendRemoved {
        username: "bob".to_owned(),
    });
    refuses(&mut stage, "unknown_user");
    assert_eq!(asked(&mut stage), "history None Some(3) None None");
    stage.says(page(vec![private(4, "deleted account 7", "good-bye")]));
    stage.printed();
    stage.types("/msg bob");
    let prompt = stage.prompt();
    assert!(prompt.contains("已注销账号 7"), "{prompt}");
    assert_eq!(asked(&mut stage), "history None None None None");
    stage.says(page(vec![private(4, "deleted account 7", "good-bye")]));
    stage.types("hello");
    let shown = shown(&mut stage);
    assert!(shown.contains("good-bye"), "{shown}");
    assert!(!shown.contains("deleted account"), "{shown}");
}

#[test]
fn a_found_message_of_a_deleted_account_can_be_opened() {
    let mut stage = ann(Language::Chinese);
    stage.types("/search good-bye");
    stage.says(Event::FoundMessages {
        messages: vec![private(4, "deleted account 7", "good-bye")],
        more: false,
        next: None,
        indexed: None,
    });
    stage.sent();
    stage.types("/open 1");
    assert_eq!(asked(&mut stage), "history None None Some(4) None");
    stage.types("/msg dave");
    assert!(!shown(&mut stage).contains("deleted account"));
}

#[test]
fn messages_that_are_held_have_the_name_that_their_sender_has_now() {
    let mut stage = in_chat(Language::English);
    stage.says(live(private(5, "bob", "hi"), None));
    stage.says(Event::OnUserRenamed {
        was: "bob".to_owned(),
        username: "bert".to_owned(),
    });
    stage.printed();
    stage.types("/n").types("\\c").types("chat room1");
    stage.types("\\c").types("contact").types("&f bert");
    let shown = shown(&mut stage);
    assert!(shown.contains("bert: one"), "{shown}");
    assert!(shown.contains("bert: hi"), "{shown}");
    assert!(!shown.contains("bob"), "{shown}");
}
