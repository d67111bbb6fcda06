//! Tab, with the names that the client has seen.

use super::*;
use crate::session::RequestContext;
use echat_proto::records::{MemberLine, MemberList};

fn comes(stage: &mut Stage, name: &str) {
    stage.says(Event::OnMemberOnline {
        roomname: "room1".to_owned(),
        membername: name.to_owned(),
        joined: None,
    });
}

/// What stands in the line after these keys; the line is emptied.
fn line(stage: &mut Stage, keys: &str) -> String {
    stage.presses(keys);
    let line = stage.line().to_owned();
    stage.happens(Input::Key(Key::Ctrl('u')));
    line
}

#[test]
fn a_mention_is_completed_behind_its_sign() {
    let mut stage = ann(Language::Chinese);
    stage.types("&r room1");
    comes(&mut stage, "carol");
    comes(&mut stage, "小明");
    for (keys, expected) in [
        ("@ca\t", "@carol"),
        ("请@小\t", "请@小明"),
        ("请问@ca\t", "请问@carol"),
        ("/reply 2 @ca\t", "/reply 2 @carol"),
        ("/me @小\t", "/me @小明"),
    ] {
        assert_eq!(line(&mut stage, keys), expected);
    }
}

#[test]
fn members_are_completed_once_they_were_seen() {
    let mut stage = ann(Language::English);
    stage.types("&r room1");
    assert_eq!(line(&mut stage, "ca\t"), "ca");
    comes(&mut stage, "carol");
    assert_eq!(line(&mut stage, "ca\t"), "carol");
    // A list that the server answers.
    stage.types("/members");
    let member = |name: &str| MemberLine {
        username: name.to_owned(),
        online: false,
        owner: false,
        bot: Mark::default(),
        role: None,
        away: None,
    };
    stage.says(Event::Marked {
        target_type: TargetType::Room,
        target: "room1".to_owned(),
        id: 0,
    });
    stage.says(Event::Members {
        members: MemberList {
            members: vec![member("小明"), member("小红"), member("ann")],
            more: None,
        },
    });
    assert_eq!(line(&mut stage, "请问小红\t"), "请问小红");
    assert_eq!(line(&mut stage, "请问（小明\t"), "请问（小明");
    assert_eq!(line(&mut stage, "请问小\t"), "请问小明");
    assert_eq!(line(&mut stage, "请问小\t\t"), "请问小红");
    // The latest speakers come first; also one that no list has named.
    stage.says(live(in_room(5, "小红", "在"), None));
    stage.says(live(in_room(6, "小李", "在"), None));
    assert_eq!(line(&mut stage, "“小\t"), "“小李");
    assert_eq!(line(&mut stage, "“小\t\t"), "“小红");
    assert_eq!(line(&mut stage, "“小\t\t\t"), "“小明");
    assert_eq!(line(&mut stage, "an\t"), "an", "the reader");
    // In another place they are not named, and after leaving not known.
    stage.types("\\c").types("contact");
    assert_eq!(line(&mut stage, "@r room1 问小\t"), "@r room1 问小李");
    stage.types("&f bob");
    assert_eq!(line(&mut stage, "问小\t"), "问小");
    assert_eq!(line(&mut stage, "(B\t"), "(bob");
}

#[test]
fn a_page_of_history_adds_its_senders_to_completion() {
    let mut stage = ann(Language::English);
    stage.types("&r room1");
    stage.app.common.context.session.apply(
        Event::History {
            messages: vec![in_room(2, "older", "x")],
            more: false,
            newer: None,
        },
        Some(RequestContext::Page(
            crate::target::Target::Room("room1".to_owned()),
            None,
        )),
    );
    assert_eq!(line(&mut stage, "[old\t"), "[older");
}

#[test]
fn an_answer_is_completed_with_the_names_of_open_requests() {
    let mut stage = ann(Language::English);
    stage.says(Event::IncommingFriendRequest {
        username: "carol".to_owned(),
    });
    assert_eq!(line(&mut stage, "y \t"), "y carol");
    assert_eq!(line(&mut stage, "+f c\t"), "+f carol");
    stage.types("&r room1");
    assert_eq!(line(&mut stage, "/n \t"), "/n carol");
}

#[test]
fn commands_of_the_administration_are_completed_with_their_words() {
    let mut stage = ann(Language::English);
    stage.types("&r room1");
    comes(&mut stage, "carol");
    for (keys, expected) in [
        ("/admin invitation \t", "/admin invitation new "),
        ("/admin invitation \t\t", "/admin invitation list "),
        ("/admin invitation r\t", "/admin invitation revoke "),
        ("/admin Invitation R\t", "/admin Invitation revoke "),
        ("/admin invitation revoke \t", "/admin invitation revoke "),
        ("/admin registration \t", "/admin registration open"),
        ("/admin registration i\t", "/admin registration invitation"),
        (
            "/admin reset-password bob k\t",
            "/admin reset-password bob keep-tokens",
        ),
        (
            "/admin delete-user bob \t",
            "/admin delete-user bob keep-messages",
        ),
        (
            "/admin message-of-the-day \t",
            "/admin message-of-the-day none",
        ),
        (
            "/admin use-configured r\t",
            "/admin use-configured registration",
        ),
        ("/admin log-level d\t", "/admin log-level debug"),
        ("/admin limits frame_b\t", "/admin limits frame_bytes"),
        ("/admin help log\t", "/admin help log-level"),
        ("/admin help drain\t", "/admin help drain"),
        // What is no choice is completed as in any text.
        ("/admin kick ca\t", "/admin kick carol"),
        (
            "/admin broadcast hello @ca\t",
            "/admin broadcast hello @carol",
        ),
    ] {
        assert_eq!(line(&mut stage, keys), expected, "{keys:?}");
    }
}

#[test]
fn a_tab_that_cannot_decide_lists_the_names_once() {
    let mut stage = ann(Language::English);
    stage.types("&r room1");
    comes(&mut stage, "eve");
    comes(&mut stage, "eveline");
    stage.printed();
    stage.presses("/kick ev\t");
    assert_eq!(stage.printed(), [""; 0]);
    assert_eq!(stage.line(), "/kick eve");
    stage.presses("\t");
    assert_eq!(stage.printed(), ["  eve  eveline"]);
    stage.presses("\t");
    assert_eq!(stage.printed(), [""; 0]);
    stage.happens(Input::Key(Key::Ctrl('u')));
    stage.presses("/kick evel\t");
    assert_eq!(stage.printed(), [""; 0], "there is no choice");
}
