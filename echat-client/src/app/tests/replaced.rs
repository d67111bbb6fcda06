//! The server comes back with an older database.

use super::*;

const SAID: &str =
    "The server's history was replaced, probably from a backup. Showing what the server has now.";

/// What a login brings from a database of this name.
fn bundle(history: &str, newest: u64, friends: &[&str], messages: Vec<ChatMessage>) -> Event {
    LoginBundle {
        chat_rooms: vec!["room1".to_owned()],
        friends: friends.iter().map(|&name| name.to_owned()).collect(),
        messages,
        newest: Some(newest),
        history: Some(history.to_owned()),
        ..LoginBundle::default()
    }
    .into()
}

fn success() -> Event {
    Event::LoginSuccess {
        username: "ann".to_owned(),
    }
}

/// Ann in a room, who has seen message 9 of a history, and whose connection is cut.
fn cut(language: Language) -> Stage {
    cut_after(language, in_room(9, "bob", "lost"))
}

/// The same with another message 9.
fn cut_after(language: Language, newest: ChatMessage) -> Stage {
    let mut stage = stage(language);
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected);
    let old = vec![in_room(8, "bob", "old")];
    stage.says(success()).says(bundle("a", 8, &["bob"], old));
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    stage.types("&r room1");
    stage.says(live(newest, None));
    stage.happens(Input::Closed(None));
    stage.printed();
    stage.effects.clear();
    stage
}

/// The connection is back, with a database that ends at message 2.
fn back(stage: &mut Stage, friends: &[&str]) {
    stage.happens(Input::Connected).says(success());
    let restored = vec![in_room(2, "bob", "kept")];
    stage.printed();
    stage.says(bundle("b", 2, friends, restored));
}

#[test]
fn an_open_chat_reports_the_replaced_history_and_shows_the_new_one() {
    let mut stage = cut(Language::English);
    back(&mut stage, &["bob"]);
    assert_eq!(
        stage.printed(),
        [
            "Reconnected. Logged in as ann.",
            SAID,
            "[2023-11-14 22:13:22] bob: kept",
            "------ history above ------",
        ]
    );
    assert_eq!(stage.prompt(), "room1> ");
    // Nothing was missed of a history that has just begun.
    assert_eq!(stage.sent(), [RequestKind::Login]);
    // Their ids were known before.
    stage.types("mine");
    stage.says(live(in_room(3, "ann", "mine"), Some("t-1")));
    stage.says(live(in_room(4, "bob", "answer"), None));
    assert_eq!(
        stage.printed(),
        [
            "[2023-11-14 22:13:23] me: mine",
            "[2023-11-14 22:13:24] bob: answer",
        ]
    );
}

#[test]
fn a_replaced_history_is_reported_in_chinese_and_in_other_modes() {
    let mut stage = cut(Language::Chinese);
    stage.types("\\c");
    back(&mut stage, &["bob"]);
    let printed = stage.printed();
    assert_eq!(printed.len(), 2, "{printed:?}");
    assert!(
        printed[1].contains("服务器的历史记录已被替换"),
        "{printed:?}"
    );
    assert_eq!(stage.prompt(), "command> ");
}

#[test]
fn a_queued_line_is_sent_to_the_new_history() {
    let mut stage = cut(Language::English);
    stage.types("unsent");
    back(&mut stage, &["bob"]);
    let printed = stage.printed();
    assert_eq!(printed.last().unwrap(), "------ history above ------");
    let footer: Vec<String> = stage.app.footer(9).iter().map(text).collect();
    assert_eq!(footer, ["(pending) unsent"]);
    assert!(stage.sent().contains(&RequestKind::SendMessage));
    stage.says(live(in_room(3, "ann", "unsent"), Some("t-1")));
    assert_eq!(stage.printed(), ["[2023-11-14 22:13:23] me: unsent"]);
    assert_eq!(stage.prompt(), "room1> ");
}

#[test]
fn a_page_requested_by_an_old_id_is_dropped() {
    let mut stage = stage_with_older();
    stage.types("/history").printed();
    back(&mut stage, &["bob"]);
    let sent = stage.sent();
    assert!(!sent.contains(&RequestKind::QueryHistory), "{sent:?}");
    // The chat goes by the new ids.
    stage.printed();
    stage.types("/history");
    assert_eq!(stage.printed()[1..], ["There are no older messages."]);
}

#[test]
fn what_was_asked_of_a_message_of_the_old_history_is_dropped() {
    let mut stage = cut(Language::English);
    stage.types("/reply 1 hm");
    assert!(
        stage
            .app
            .common
            .context
            .outgoing
            .to_lines("ann")
            .contains("reply_to")
    );
    back(&mut stage, &["bob"]);
    let lines = stage.app.common.context.outgoing.to_lines("ann");
    assert!(
        lines.contains("hm") && !lines.contains("reply_to"),
        "{lines}"
    );
    // An edit that waits for the connection, and a deletion that waits for a yes.
    let mut stage = cut_after(Language::English, in_room(9, "ann", "mine"));
    stage.types("/edit new").types("/delete");
    assert!(stage.prompt().starts_with("delete the message?"));
    back(&mut stage, &["bob"]);
    let sent = stage.sent();
    let changes = [RequestKind::EditMessage, RequestKind::DeleteMessage];
    assert!(!sent.iter().any(|kind| changes.contains(kind)), "{sent:?}");
    let printed = stage.printed();
    for said in ["The message was not deleted.", "Not sent: `/edit new`."] {
        assert!(printed.contains(&said.to_owned()), "{printed:?}");
    }
    assert_eq!(stage.prompt(), "room1> ");
}

/// The same as [`cut`], in a chat that has older messages than those held.
fn stage_with_older() -> Stage {
    let mut stage = cut(Language::English);
    stage.happens(Input::Connected).says(success());
    stage.says(bundle("a", 9, &["bob"], vec![]));
    stage.says(Event::History {
        messages: vec![],
        more: false,
        newer: None,
    });
    stage.types("/history");
    stage.says(Event::History {
        messages: vec![in_room(7, "bob", "older")],
        more: true,
        newer: None,
    });
    stage.happens(Input::Closed(None));
    stage.printed();
    stage.effects.clear();
    stage
}

#[test]
fn a_chat_with_a_user_that_is_no_friend_in_the_new_history_is_closed() {
    let mut stage = cut(Language::English);
    stage
        .types("\\c")
        .types("contact")
        .types("&f bob")
        .printed();
    back(&mut stage, &[]);
    assert_eq!(
        stage.printed()[1..],
        [SAID, "You have no friend or room named bob."]
    );
    assert_eq!(stage.prompt(), "contact> ");
}

#[test]
fn a_friend_request_missing_on_the_server_is_dropped() {
    let mut stage = cut(Language::English);
    stage.happens(Input::Connected).says(success());
    stage.says(bundle("a", 9, &["bob"], vec![]));
    stage.says(Event::IncommingFriendRequest {
        username: "carol".to_owned(),
    });
    assert_eq!(stage.app.common.context.session.pending(), ["carol"]);
    stage.happens(Input::Closed(None));
    back(&mut stage, &["bob"]);
    assert!(stage.app.common.context.session.pending().is_empty());
}
