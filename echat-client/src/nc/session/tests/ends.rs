//! How sessions end.

use super::*;

#[test]
fn an_empty_script_ends_at_once() {
    ends(&mut scripted("", Rules::default()), 0, Exit::Success);
}

#[test]
fn while_input_is_open_the_session_stays() {
    let mut session = ScriptSession::new(Rules::default(), []);
    waits(&mut session, 0, None);
    for step in steps("QUERY_SERVER_TIME", false) {
        session.push(step);
    }
    assert_eq!(sends(&mut session), "QUERY_SERVER_TIME");
    comes(&mut session, "SEND_SERVER_TIME 5");
    waits(&mut session, 9, None);
    session.end_of_input();
    ends(&mut session, 9, Exit::Success);
}

#[test]
fn only_an_expected_end_of_the_connection_is_success() {
    let closed = |script, notify| {
        let mut session = scripted(script, Rules::default());
        drive(&mut session, secs(0));
        if notify {
            let line = comes(&mut session, "CLOSE_NOTIFY 2").unwrap();
            assert_eq!(line, r#"{"command":"CLOSE_NOTIFY","params":2}"#);
        }
        session.disconnected();
        session
    };
    let note = ends(&mut closed("LIST_ROOMS", true), 0, Exit::Refused);
    assert_eq!(note, "the server closed the connection (2, Malformed)");
    ends(&mut closed("LIST_ROOMS", false), 0, Exit::Protocol);
    ends(
        &mut closed(".frame 00\n.expect CLOSE_NOTIFY 2", true),
        0,
        Exit::Success,
    );
    ends(
        &mut closed(".frame 00\n.expect CLOSE_NOTIFY 3", true),
        0,
        Exit::Unexpected,
    );
    ends(
        &mut closed(".raw 00\n.expect-close", false),
        0,
        Exit::Success,
    );
    ends(
        &mut closed(".raw 00\n.expect-close\nLIST_ROOMS", false),
        0,
        Exit::Refused,
    );
    ends(
        &mut closed("LIST_ROOMS\n.expect ROOMS", false),
        0,
        Exit::Unexpected,
    );
    ends(
        &mut closed("CLOSE_NOTIFY 0\n.sleep 1", false),
        1,
        Exit::Success,
    );
    ends(
        &mut closed("LIST_ROOMS\nCLOSE_NOTIFY 0\n.sleep 1", false),
        1,
        Exit::Protocol,
    );
}

#[test]
fn the_end_of_the_connection_can_be_waited_for() {
    let mut session = scripted(".raw 00\n.expect-close", Rules::default());
    assert_eq!(sends(&mut session), "00");
    waits(&mut session, 9, Some(10));
    let note = ends(&mut session, 10, Exit::Unexpected);
    assert_eq!(
        note,
        "line 2: expected the end of the connection: timed out"
    );
}

#[test]
fn the_time_limit_is_a_time_out_only_if_something_is_missing() {
    let rules = Rules {
        deadline: Some(secs(5)),
        ..Rules::default()
    };
    let mut session = scripted("LIST_ROOMS", rules);
    sends(&mut session);
    waits(&mut session, 4, Some(5));
    let note = ends(&mut session, 5, Exit::TimeOut);
    assert_eq!(note, "timed out; not answered: LIST_ROOMS");

    let listen = Rules {
        listen: true,
        ..rules
    };
    let mut session = scripted("", listen);
    waits(&mut session, 0, Some(5));
    ends(&mut session, 5, Exit::Success);
    for missing in [
        Rules {
            count: Some(1),
            ..rules
        },
        Rules {
            until: Some(109),
            ..rules
        },
    ] {
        ends(&mut scripted("", missing), 5, Exit::TimeOut);
    }
    // It replaces the patience of expectations, and they fail as expectations.
    let mut session = scripted(".expect ON_NEW_MESSAGE", rules);
    waits(&mut session, 0, Some(5));
    ends(&mut session, 5, Exit::Unexpected);
    ends(
        &mut scripted(".sleep 9\nLIST_ROOMS", rules),
        5,
        Exit::TimeOut,
    );
}

#[test]
fn listening_stops_after_a_count_or_a_matching_message() {
    let mut session = scripted(
        "",
        Rules {
            count: Some(2),
            ..Rules::default()
        },
    );
    waits(&mut session, 0, None);
    comes(&mut session, "ON_NEW_ROOM \"a\"");
    assert!(comes(&mut session, "PING").is_none());
    comes(&mut session, "ON_NEW_ROOM \"b\"");
    ends(&mut session, 0, Exit::Success);

    let mut session = scripted(
        "LIST_ROOMS",
        Rules {
            until: Some(110),
            ..Rules::default()
        },
    );
    sends(&mut session);
    comes(&mut session, "ROOMS []");
    waits(&mut session, 0, None);
    comes(&mut session, "ON_NEW_ROOM \"a\"");
    ends(&mut session, 0, Exit::Success);
}

#[test]
fn quit_ends_without_waiting() {
    let mut session = scripted("LIST_ROOMS\n.quit\nFIND {}", Rules::default());
    assert_eq!(sends(&mut session), "LIST_ROOMS");
    ends(&mut session, 0, Exit::Success);
}

#[test]
fn a_raw_connection_lasts_until_the_server_closes_it() {
    let rules = Rules {
        raw: true,
        ..Rules::default()
    };
    let mut session = scripted(".raw 0000", rules);
    assert_eq!(sends(&mut session), "0000");
    waits(&mut session, 60, None);
    session.disconnected();
    ends(&mut session, 60, Exit::Success);
}
