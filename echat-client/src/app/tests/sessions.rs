//! Sessions that end, and the login that follows.

use super::*;

/// The server ends the session of ann, who has a chat open.
fn ended() -> Stage {
    let mut stage = ann(Language::English);
    stage.types("&r room1");
    stage.says(live(in_room(1, "bob", "hi"), None));
    stage.says(Event::ServerKick {});
    stage.happens(Input::Closed(Some(6))).printed();
    stage
}

#[test]
fn login_offers_the_last_name_and_opens_the_chat_again() {
    let mut stage = ended();
    stage.types("login");
    assert_eq!(stage.prompt(), "login user name (Enter: ann) (offline): ");
    stage.types("");
    assert_eq!(stage.prompt(), "login password (offline): ");
    stage.types("password2").happens(Input::Connected);
    stage.welcome("ann", vec![in_room(1, "bob", "hi")]);
    assert_eq!(stage.prompt(), "room1> ");
}

#[test]
fn another_user_does_not_get_the_chat_of_the_last_one() {
    let mut stage = ended();
    stage.types("login").types("dave").types("password2");
    stage.happens(Input::Connected).welcome("dave", vec![]);
    assert_eq!(stage.prompt(), "contact> ");
}

#[test]
fn login_offers_the_name_that_was_registered() {
    let mut stage = stage(Language::Chinese);
    stage.types("login");
    assert_eq!(stage.prompt(), "login 用户名：");
    stage.types("\\c").types("register").types("小红");
    stage.types("password1").types("password1");
    stage.happens(Input::Connected);
    stage.says(Event::RegisterSuccess {
        username: "小红".to_owned(),
    });
    stage.types("login");
    assert_eq!(stage.prompt(), "login 用户名（回车：小红）：");
}

#[test]
fn unsent_lines_of_another_name_are_told() {
    let mut stage = ann(Language::English);
    stage.happens(Input::Kept {
        user: "ann".to_owned(),
        files: Some(Files {
            waiting: "/state/ann".to_owned(),
            aside: "/state/ann.aside".to_owned(),
        }),
    });
    stage.types("&r room1").happens(Input::Closed(None));
    stage.types("secret");
    stage.happens(Input::Connected);
    stage.says(Event::LoginFailure {
        fail: fail("bad_credentials", &[]),
    });
    stage
        .types("login")
        .types("anna")
        .types("password1")
        .printed();
    stage.happens(Input::Connected).welcome("anna", vec![]);
    assert_eq!(
        stage.printed()[..2],
        [
            "One unsent line of ann is not sent: you are logged in under another name.",
            "They are kept in /state/ann.",
        ]
    );
}

#[test]
fn presence_that_was_held_back_is_dropped_when_the_connection_is_lost() {
    for place in ["&r room1", "contact"] {
        let mut stage = ann(Language::English);
        stage.types(place);
        stage.says(Event::OnMemberOnline {
            roomname: "room1".to_owned(),
            membername: "eve".to_owned(),
            joined: None,
        });
        stage.says(Event::OnFriendOffline {
            username: "bob".to_owned(),
        });
        stage.happens(Input::Closed(None));
        stage.happens(Input::Tick { now: 1_700_000_100 });
        stage.types("x");
        let printed = stage.printed().join("\n");
        assert!(!printed.contains("online"), "{place}: {printed}");
        assert!(!printed.contains("went offline"), "{place}: {printed}");
    }
}

#[test]
fn a_deleted_account_is_named_and_its_texts_are_forgotten() {
    let mut stage = ann(Language::English);
    stage.says(live(in_room(1, "bob", "erased"), None));
    stage.types("&r room1").printed();
    assert!(stage.sent().contains(&RequestKind::MarkRead));
    stage.says(Event::Marked {
        target_type: TargetType::Room,
        target: "room1".to_owned(),
        id: 1,
    });
    stage.says(Event::OnFriendRemoved {
        username: "bob".to_owned(),
    });
    assert!(stage.sent().contains(&RequestKind::Whois));
    stage.says(Event::Refused {
        fail: fail("unknown_user", &[]),
    });
    let printed = stage.printed().join("\n");
    assert!(
        printed.contains("The account bob was deleted."),
        "{printed}"
    );
    let room = Target::Room("room1".to_owned());
    let conversation = stage.app.common.context.session.conversation(&room);
    assert_eq!(conversation.unwrap().lines().count(), 0);
    // The open chat is asked for again.
    assert!(stage.sent().contains(&RequestKind::QueryHistory));
    stage
        .types("\\c")
        .types("contact")
        .types("&f bob")
        .printed();
    stage.types("hi");
    assert_eq!(stage.printed().last().unwrap(), "(not sent) hi");
    // A friendship that ended is no end of an account.
    let mut stage = ann(Language::English);
    stage.says(Event::OnFriendRemoved {
        username: "bob".to_owned(),
    });
    stage.printed();
    stage.says(stranger("bob"));
    assert_eq!(stage.printed(), [""; 0]);
}

/// In a chat with a server that is not trusted any more.
fn distrusted() -> Stage {
    let mut stage = ann(Language::English);
    stage.types("&r room1").happens(Input::Closed(None));
    stage.happens(Input::Untrusted(Exit::NotTrusted)).printed();
    stage
}

#[test]
fn a_paste_for_a_server_that_is_not_trusted_is_refused_and_not_in_the_line() {
    let mut stage = distrusted();
    stage.presses("kept");
    stage.pastes_lines(vec!["one".to_owned(), "two".to_owned()]);
    stage.looks().printed();
    stage.presses("y\n");
    assert_eq!(
        stage.printed()[1..],
        [
            "echat stays offline. Type `login` to try again, and then paste the lines once more.",
            "Not sent."
        ]
    );
    assert_eq!(stage.line(), "kept");
    assert_eq!(stage.contents(), [""; 0]);
}

#[test]
fn a_server_that_does_not_answer_the_next_login_gets_later_what_is_typed() {
    let mut stage = distrusted();
    stage.types("login").types("").types("password1");
    stage.happens(Input::ConnectFailed {
        address: "a:1".to_owned(),
        why: "refused".to_owned(),
    });
    stage.happens(Input::Key(Key::Ctrl('c')));
    stage.types("contact").types("&r room1").types("later");
    assert_eq!(stage.contents(), ["later"]);
}

#[test]
fn a_server_that_is_not_trusted_any_more_ends_no_program_under_a_typing_user() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").happens(Input::Closed(None));
    stage.types("pending").presses("half a li").printed();
    stage.happens(Input::Untrusted(Exit::NotTrusted));
    assert!(!stage.has(&Effect::Quit(Exit::NotTrusted)));
    assert_eq!(stage.line(), "half a li");
    assert_eq!(stage.contents(), ["pending"]);
    assert_eq!(
        stage.printed(),
        [
            "echat stays offline. What you typed is kept, but nothing more can be sent until you log in again. Type \
             `login` to try that."
        ]
    );
    // What is typed now may be an answer to that. It is no message, and stays in the line.
    for _ in 0..9 {
        stage.happens(Input::Key(Key::Backspace));
    }
    for line in ["echat-nc --forget-host chat.example", "/msg bob secret"] {
        stage.presses(&format!("{line}\n"));
        assert_eq!(
            stage.printed().last().unwrap(),
            "Not sent: echat stays offline. The message stays in the input line. Type `login` to try again."
        );
        assert_eq!(stage.line(), line);
        assert_eq!(stage.contents(), ["pending"]);
        for _ in line.chars() {
            stage.happens(Input::Key(Key::Backspace));
        }
    }
    // It does not connect by itself.
    stage.effects.clear();
    stage.passes(3_600);
    assert!(!stage.has(&Effect::Connect));
    // Another try asks for the password, and ends in the chat again.
    stage.types("login").types("").types("password1");
    assert!(stage.has(&Effect::Connect));
    stage.happens(Input::Untrusted(Exit::NotTrusted));
    assert_eq!(stage.prompt(), "room1 (1 pending) (offline)> ");
    // The server is trusted again.
    stage.types("login").types("").types("password1");
    stage.happens(Input::Connected).welcome("ann", vec![]);
    stage.types("next");
    assert_eq!(stage.contents(), ["pending", "next"]);
    // At the start there is nothing to keep.
    let mut stage = super::stage(Language::English);
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Untrusted(Exit::NotTrusted));
    assert!(stage.has(&Effect::Quit(Exit::NotTrusted)));
    // The file of known servers cannot be read.
    let mut stage = super::stage(Language::English);
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Untrusted(Exit::Local));
    assert!(stage.has(&Effect::Quit(Exit::Local)));
}
