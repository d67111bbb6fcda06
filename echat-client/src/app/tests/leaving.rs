//! Rooms that are left, here and elsewhere, and how a chat says what can be typed.

use super::*;
use crate::line_editor::Key;
use crate::target::Target;

#[test]
fn a_room_left_in_another_session_is_left_here() {
    let left = |membername: &str| Event::OnMemberOffline {
        roomname: "room1".to_owned(),
        membername: membername.to_owned(),
        left: None,
    };
    let mut stage = ann(Language::English);
    stage.says(live(in_room(5, "bob", "hello"), None)).printed();
    stage.says(left("ann"));
    assert_eq!(stage.printed(), Vec::<String>::new());
    assert_eq!(stage.prompt(), "contact> ");
    stage.types(":r").types(":m");
    assert_eq!(stage.printed()[3], "No messages.");
    stage.says(Event::OnNewRoom {
        roomname: "room1".to_owned(),
    });
    assert_eq!(
        stage.printed(),
        ["You are a member of room1 now. Type `/msg #room1` to open it."]
    );
    stage.types("&r room1").printed();
    stage.says(left("bob"));
    assert_eq!(stage.prompt(), "room1> ");
    stage.says(left("ann"));
    assert_eq!(stage.printed(), ["You left room1."]);
    assert_eq!(stage.prompt(), "contact> ");
}

#[test]
fn a_room_that_was_left_while_offline_is_closed() {
    let mut stage = ann(Language::English);
    stage.says(live(in_room(5, "bob", "hello"), None));
    stage.types("&r room1");
    stage.happens(Input::Closed(None)).happens(Input::Connected);
    stage.printed();
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    stage.says(LoginBundle::default().into());
    assert_eq!(
        stage.printed()[0],
        "You are no longer a member of room1: it was closed or renamed, or you were removed or left it elsewhere, while you were away."
    );
    assert_eq!(stage.prompt(), "contact> ");
}

#[test]
fn a_room_left_in_another_session_disappears_from_the_lists() {
    let mut stage = ann(Language::English);
    stage.says(live(in_room(5, "bob", "hello"), None));
    stage.types("\\c").types("query").types("rooms").printed();
    stage.says(Event::Rooms { rooms: vec![] });
    stage.types("\\c").types("chat").printed();
    assert_eq!(stage.prompt(), "command> ");
    stage.types("contact").types(":m");
    assert_eq!(stage.printed().last().unwrap(), "No messages.");
}

#[test]
fn commands_for_rooms_need_a_room_in_the_chat_of_a_friend() {
    let mut stage = ann(Language::English);
    stage.types("&f bob").printed();
    for (line, form) in [
        ("/help members", "/members <room>"),
        ("/help leave", "/leave <room>"),
    ] {
        stage.types(line);
        let help = stage.printed().join("\n");
        assert!(help.contains(form), "{help}");
    }
    for (line, said) in [
        ("/members", "Usage: /members <room>"),
        ("/leave", "Usage: /leave <room>"),
    ] {
        stage.types(line);
        assert_eq!(stage.printed()[1..], [said]);
    }
}

#[test]
fn a_message_may_consist_of_the_word_quit() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").types("/help").types("/help quit");
    let printed = stage.printed();
    let helps = |form: &str| {
        printed
            .iter()
            .any(|line| line.trim_start().starts_with(form))
    };
    assert!(helps("/quit ") && helps("\\quit "), "{printed:?}");
    // Alone on a line it is asked about: it answers another user, or ends echat.
    for (language, said) in [
        (
            Language::English,
            "`/quit` quits echat. Send `quit` as text? (Y/N)",
        ),
        (
            Language::Chinese,
            "退出 echat 请输入 `/quit`。将 `quit` 作为消息发送？(Y/N)",
        ),
    ] {
        stage.app.common.context.language = language;
        stage.types(" quit ");
        assert!(!stage.has(&Effect::Quit(Exit::Success)));
        assert_eq!(stage.printed().last().unwrap(), said);
        stage.types("n");
    }
    stage.sent();
    stage.types("\\quit");
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
    let room = Target::Room("room1".to_owned());
    let waiting = stage.app.common.context.outgoing.waiting_for("ann", &room);
    let waiting: Vec<&str> = waiting.map(|entry| entry.content.as_str()).collect();
    assert_eq!(waiting, ["quit"]);
}

fn asks_to_leave() -> String {
    "leave room2? (Y/N) room2> ".to_owned()
}

/// Ann in a second room.
fn in_room2() -> Stage {
    let mut stage = ann(Language::English);
    stage.says(Event::OnNewRoom {
        roomname: "room2".to_owned(),
    });
    stage.types("&r room2").printed();
    stage.sent();
    stage
}

fn left_elsewhere() -> Event {
    Event::OnMemberOffline {
        roomname: "room2".to_owned(),
        membername: "ann".to_owned(),
        left: None,
    }
}

#[test]
fn an_open_question_does_not_report_a_left_room_as_kept() {
    let mut stage = in_room2();
    stage.presses("/leave\n/leave\n").looks();
    let asked = stage.printed();
    let asks = asked
        .iter()
        .filter(|line| line.starts_with("Leave room2?"))
        .count();
    assert_eq!((asks, stage.prompt()), (1, asks_to_leave()), "{asked:?}");
    stage.presses("y\n");
    assert_eq!(stage.sent(), [RequestKind::LeaveRoom]);
    // Asked once more before the answer.
    stage.presses("/leave\n").looks().printed();
    stage.says(Event::LeftRoom {
        roomname: "room2".to_owned(),
    });
    assert_eq!(stage.printed(), ["You left room2."]);
    assert_eq!(stage.prompt(), "contact> ");
}

#[test]
fn a_repeated_question_becomes_the_newest() {
    let mut stage = in_room2();
    stage.presses("/leave\nhelp\n/leave\n").looks();
    assert_eq!(stage.prompt(), asks_to_leave());
    stage.types("n").types("n");
    assert_eq!(stage.prompt(), "room2> ");
}

#[test]
fn withdrawing_an_older_question_repeats_no_other() {
    let mut stage = in_room2();
    stage.presses("/leave\n/leave room1\n").looks().printed();
    stage.says(left_elsewhere());
    assert_eq!(stage.printed(), ["You left room2."]);
    assert_eq!(stage.prompt(), "leave room1? (Y/N) contact> ");
    // The newest goes away: the one before it is asked again.
    let mut stage = in_room2();
    stage.presses("/leave room1\n/leave\n").looks().printed();
    stage.says(left_elsewhere());
    let printed = stage.printed();
    assert!(printed[1].starts_with("Leave room1?"), "{printed:?}");
}

#[test]
fn leaving_a_room_while_offline_is_queued_and_says_so() {
    let mut stage = in_room2();
    stage.happens(Input::Closed(None));
    stage.types("/leave").printed();
    stage.types("y");
    let said = "`/leave room2` will be carried out when the connection is back.".to_owned();
    let printed = stage.printed();
    assert!(printed.contains(&said), "{printed:?}");
    // A queued request is named when it is dropped.
    stage.types("\\c").printed();
    stage.types("logout");
    let printed = stage.printed();
    let dropped = "Not sent: `/leave room2`.".to_owned();
    assert!(printed.contains(&dropped), "{printed:?}");
}

#[test]
fn an_open_question_is_named_when_the_session_ends() {
    for way_out in ["\\d", "logout"] {
        let mut stage = in_room2();
        stage.presses("help\n");
        if way_out == "logout" {
            stage.presses("\\c\n").types("logout");
            stage.says(Event::LoggedOut {});
        } else {
            stage.happens(Input::Key(Key::Ctrl('d')));
        }
        let printed = stage.printed();
        assert!(printed.contains(&"Not sent.".to_owned()), "{printed:?}");
    }
}

#[test]
fn a_query_that_waits_is_named_with_its_room_and_is_not_run() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").happens(Input::Closed(None));
    stage.types("/members");
    let said = "`/members room1` will be carried out when the connection is back.".to_owned();
    let printed = stage.printed();
    assert!(printed.contains(&said), "{printed:?}");
    stage.types("/quit");
    let printed = stage.printed();
    assert!(
        printed.contains(&"Not run: `/members room1`.".to_owned()),
        "{printed:?}"
    );
}
