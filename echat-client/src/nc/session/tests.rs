use super::*;
use echat_proto::names::InvitationCode;

use crate::nc::args::SecretKind;
use crate::nc::script;
use crate::nc::step::compile;

mod ends;
mod property;
mod silence;

fn steps(script: &str, raw: bool) -> Vec<ScriptStep> {
    let statements = script::parse_all(script.as_bytes()).unwrap();
    statements
        .into_iter()
        .map(|(line, said)| compile(said, line, raw).unwrap())
        .collect()
}

/// A session whose input is this script and nothing more.
fn scripted(script: &str, rules: Rules) -> ScriptSession {
    let mut session = ScriptSession::new(rules, steps(script, rules.raw));
    session.end_of_input();
    session
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Does everything that can be done now: the names of what is sent, and what is next.
fn drive(session: &mut ScriptSession, now: Duration) -> (Vec<String>, Next) {
    let mut sent = Vec::new();
    loop {
        match session.next(now, true) {
            Next::Send(plain) => {
                let number = plain
                    .first_chunk()
                    .map(|number| u32::from_be_bytes(*number));
                sent.push(number.map_or("?".to_owned(), message::name));
            }
            Next::Raw(bytes) => sent.push(hex::encode(bytes)),
            next => return (sent, next),
        }
    }
}

/// What is sent at once, separated by blanks.
fn sends(session: &mut ScriptSession) -> String {
    drive(session, secs(0)).0.join(" ")
}

/// One message comes; `None` if it is not shown.
fn comes(session: &mut ScriptSession, line: &str) -> Option<String> {
    comes_as_secret(session, line).map(|line| line.to_string())
}

fn comes_as_secret(session: &mut ScriptSession, line: &str) -> Option<Secret> {
    let line = script::parse_line(line).unwrap();
    let plain = message::resolve(&line).unwrap().encode().unwrap();
    let mut incoming = echat_proto::channel::Channel::read_plain(&plain).unwrap();
    session.received(incoming.remove(0))
}

#[track_caller]
fn ends(session: &mut ScriptSession, now: u64, exit: Exit) -> String {
    match drive(session, secs(now)) {
        (_, Next::End(end)) => {
            assert_eq!(end.exit, exit, "{:?}", end.note);
            end.note.unwrap_or_default()
        }
        (_, next) => panic!("it goes on: {next:?}"),
    }
}

#[track_caller]
fn waits(session: &mut ScriptSession, now: u64, until: Option<u64>) {
    assert_eq!(
        drive(session, secs(now)),
        (vec![], Next::Wait(until.map(secs)))
    );
}

#[test]
fn lines_are_sent_without_waiting_and_the_end_waits_for_the_answers() {
    let mut session = scripted("QUERY_SERVER_TIME\nLIST_ROOMS\n", Rules::default());
    assert_eq!(sends(&mut session), "QUERY_SERVER_TIME LIST_ROOMS");
    waits(&mut session, 0, None);
    let shown = comes(&mut session, "SEND_SERVER_TIME 5");
    assert_eq!(
        shown.unwrap(),
        r#"{"command":"SEND_SERVER_TIME","params":5}"#
    );
    waits(&mut session, 1, None);
    comes(&mut session, "ON_FRIEND_ONLINE \"bob\"");
    waits(&mut session, 1, None);
    comes(&mut session, "ROOMS []");
    assert_eq!(ends(&mut session, 1, Exit::Success), "");
}

#[test]
fn the_line_of_a_token_is_a_secret() {
    let new_token = r#"NEW_BOT_TOKEN {"username":"clerk"}"#;
    let mut session = scripted(new_token, Rules::default());
    sends(&mut session);
    let told = comes_as_secret(
        &mut session,
        r#"BOT_TOKEN {"username":"clerk","token":"canary"}"#,
    );
    assert!(told.as_ref().is_some_and(|line| line.contains("canary")));
    assert!(!format!("{told:?}").contains("canary"));
}

#[test]
fn input_is_not_read_while_too_much_is_queued() {
    let mut session =
        ScriptSession::new(Rules::default(), steps(&"LIST_ROOMS\n".repeat(1024), false));
    assert!(!session.wants_input());
    assert_eq!(session.next(secs(0), false), Next::Wait(None));
    assert!(matches!(session.next(secs(0), true), Next::Send(_)));
    assert!(session.wants_input());
    session.end_of_input();
    assert!(!session.wants_input());
}

#[test]
fn the_parameters_of_expectations_count_as_queued() {
    let session = |expect: &str, count: usize| {
        ScriptSession::new(Rules::default(), steps(&expect.repeat(count), false))
    };
    let text = format!(".expect 101 \"{}\"\n", "x".repeat(1_000_000));
    assert!(session(&text, 4).wants_input());
    assert!(!session(&text, 5).wants_input());
    // Small values take more than their text.
    let list = format!(".expect 101 [{}0]\n", "0,".repeat(100_000));
    assert!(!session(&list, 2).wants_input());
    assert!(session(".expect 101\n", 1_023).wants_input());
}

#[test]
fn a_refusal_is_an_exit_code_unless_it_was_expected() {
    let refused = |script, rules| {
        let mut session = scripted(script, rules);
        sends(&mut session);
        comes(
            &mut session,
            "REFUSED {\"code\":\"not_logged_in\",\"command\":17}",
        );
        session
    };
    let rules = Rules::default();
    ends(&mut refused("LIST_ROOMS", rules), 0, Exit::Refused);
    let forgiving = Rules {
        forgiving: true,
        ..rules
    };
    ends(&mut refused("LIST_ROOMS", forgiving), 0, Exit::Success);
    ends(
        &mut refused("LIST_ROOMS\n.expect REFUSED", rules),
        0,
        Exit::Success,
    );
    ends(
        &mut refused(
            "LIST_ROOMS\n.expect 205 {\"code\":\"not_logged_in\"}",
            rules,
        ),
        0,
        Exit::Success,
    );
}

#[test]
fn a_refusal_of_the_login_sequence_that_was_expected_counts_neither_way() {
    for (line, exit) in [
        ("QUERY_SERVER_TIME", Exit::Success),
        ("LIST_ROOMS", Exit::Refused),
    ] {
        let sequence = LoginSequence::new("ann", "secret", SecretKind::Password).unwrap();
        let sequence = ScriptStep::LogIn(Box::new(sequence.joining("class").unwrap()));
        let mut session = ScriptSession::new(Rules::default(), [sequence]);
        for step in steps(&format!(".expect JOIN_ROOM_RESULT\n{line}"), false) {
            session.push(step);
        }
        session.end_of_input();
        sends(&mut session);
        comes(&mut session, "LOGIN_SUCCESS \"ann\"");
        comes(&mut session, "LOGIN_BUNDLE {}");
        sends(&mut session);
        let reply = r#"JOIN_ROOM_RESULT {"success":false,"code":"already_member","message":""}"#;
        comes(&mut session, reply);
        assert_eq!(sends(&mut session), line);
        comes(&mut session, "SEND_SERVER_TIME 5");
        comes(&mut session, "REFUSED {\"code\":\"x\",\"command\":17}");
        ends(&mut session, 0, exit);
    }
}

#[test]
fn an_expectation_pauses_the_next_steps_and_skips_other_events() {
    let script = "QUERY_SERVER_TIME\n.expect SEND_SERVER_TIME\nLIST_ROOMS";
    let mut session = scripted(script, Rules::default());
    assert_eq!(sends(&mut session), "QUERY_SERVER_TIME");
    waits(&mut session, 0, Some(10));
    assert!(comes(&mut session, "ON_FRIEND_ONLINE \"bob\"").is_some());
    waits(&mut session, 3, Some(10));
    comes(&mut session, "SEND_SERVER_TIME 5");
    assert_eq!(sends(&mut session), "LIST_ROOMS");
}

#[test]
fn earlier_messages_satisfy_an_expectation_once() {
    let script = "LOGIN {}\n.sleep 2\n.expect LOGIN_SUCCESS\n.expect LOGIN_BUNDLE\n.expect 105";
    let mut session = scripted(script, Rules::default());
    assert_eq!(sends(&mut session), "LOGIN");
    waits(&mut session, 0, Some(2));
    comes(&mut session, "LOGIN_SUCCESS \"ann\"");
    comes(&mut session, "LOGIN_BUNDLE {}");
    waits(&mut session, 1, Some(2));
    waits(&mut session, 2, Some(12));
    let note = ends(&mut session, 12, Exit::Unexpected);
    assert_eq!(
        note,
        "line 5: expected LOGIN_BUNDLE: timed out\n  received nothing"
    );
}

#[test]
fn an_expectation_fails_when_the_request_is_answered_otherwise() {
    let script = "LIST_ROOMS\nQUERY_SERVER_TIME\n.expect SEND_SERVER_TIME 6";
    let mut session = scripted(script, Rules::default());
    sends(&mut session);
    // The refusal of an earlier request proves nothing.
    comes(&mut session, "REFUSED {\"command\":17}");
    waits(&mut session, 0, Some(10));
    comes(&mut session, "SEND_SERVER_TIME 5");
    let note = ends(&mut session, 0, Exit::Unexpected);
    assert!(note.starts_with("line 3: expected SEND_SERVER_TIME 6: another reply was received\n"));
    assert!(
        note.contains("received instead: {\"command\":\"REFUSED\""),
        "{note}"
    );
    assert!(note.ends_with("received instead: {\"command\":\"SEND_SERVER_TIME\",\"params\":5}"));
}

#[test]
fn a_successful_login_fails_an_expected_refusal() {
    let mut session = scripted("LOGIN {}\n.expect LOGIN_FAILURE", Rules::default());
    sends(&mut session);
    comes(&mut session, "LOGIN_SUCCESS \"ann\"");
    waits(&mut session, 0, Some(10));
    comes(&mut session, "LOGIN_BUNDLE {}");
    ends(&mut session, 0, Exit::Unexpected);
}

#[test]
fn a_receipt_does_not_satisfy_an_expected_message() {
    let expect = ".expect ON_NEW_MESSAGE {\"sender\":\"bob\"}";
    let receipt = r#"109 {"sender":"ann","txn_id":null}"#;
    let mut session = scripted(&format!("SEND_MESSAGE {{}}\n{expect}"), Rules::default());
    sends(&mut session);
    comes(&mut session, receipt);
    waits(&mut session, 0, Some(10));
    comes(&mut session, r#"109 {"sender":"bob"}"#);
    ends(&mut session, 0, Exit::Success);

    let mut session = scripted(&format!("SEND_MESSAGE {{}}\n{expect}"), Rules::default());
    sends(&mut session);
    comes(
        &mut session,
        "SEND_MESSAGE_FAILURE {\"code\":\"not_a_friend\"}",
    );
    let said = ends(&mut session, 0, Exit::Unexpected);
    assert!(said.contains("not_a_friend"), "{said}");
}

#[test]
fn a_login_comes_first_and_does_not_count() {
    let sequence = LoginSequence::new("ann", "secret", SecretKind::Password).unwrap();
    let login = ScriptStep::LogIn(Box::new(sequence));
    let rules = Rules {
        count: Some(1),
        ..Rules::default()
    };
    let mut session = ScriptSession::new(rules, [login.clone()]);
    session.push(steps("LIST_ROOMS", false).remove(0));
    assert_eq!(sends(&mut session), "LOGIN");
    comes(&mut session, "LOGIN_SUCCESS \"ann\"");
    waits(&mut session, 0, None);
    comes(&mut session, "LOGIN_BUNDLE {}");
    assert_eq!(sends(&mut session), "LIST_ROOMS");
    comes(&mut session, "ROOMS []");
    ends(&mut session, 0, Exit::Success);

    let mut session = ScriptSession::new(rules, [login]);
    sends(&mut session);
    comes(&mut session, "LOGIN_FAILURE {}");
    assert_eq!(
        ends(&mut session, 0, Exit::Refused),
        "the login was refused"
    );
}

#[test]
fn an_entry_registers_and_joins_and_only_its_end_counts() {
    let code = InvitationCode::presented("7KQM-2XWD-RT9H-C4VB").unwrap();
    let sequence = LoginSequence::new("ann", "secret", SecretKind::Password).unwrap();
    let sequence = sequence.registering("ann", "secret", &code).unwrap();
    let sequence = ScriptStep::LogIn(Box::new(sequence.joining("class").unwrap()));
    let rules = Rules {
        only_replies: true,
        ..Rules::default()
    };
    let mut session = ScriptSession::new(rules, [sequence.clone()]);
    session.push(steps("LIST_ROOMS", false).remove(0));
    session.end_of_input();
    assert_eq!(sends(&mut session), "LOGIN");
    let hidden =
        |session: &mut ScriptSession, line| assert_eq!(comes(session, line), None, "{line}");
    hidden(&mut session, r#"LOGIN_FAILURE {"code":"bad_credentials"}"#);
    assert_eq!(sends(&mut session), "REGISTER");
    hidden(&mut session, r#"REGISTER_SUCCESS "ann""#);
    assert_eq!(sends(&mut session), "LOGIN");
    hidden(&mut session, r#"LOGIN_SUCCESS "ann""#);
    hidden(&mut session, "LOGIN_BUNDLE {}");
    assert_eq!(sends(&mut session), "JOIN_ROOM");
    hidden(&mut session, r#"ON_NEW_ROOM "class""#);
    hidden(&mut session, r#"JOIN_ROOM_RESULT {"success":true}"#);
    assert_eq!(sends(&mut session), "LIST_ROOMS");
    hidden(&mut session, r#"ON_NEW_ROOM "other""#);
    assert!(comes(&mut session, "ROOMS []").is_some());
    ends(&mut session, 0, Exit::Success);

    let mut session = ScriptSession::new(rules, [sequence]);
    sends(&mut session);
    hidden(&mut session, r#"LOGIN_FAILURE {"code":"bad_credentials"}"#);
    sends(&mut session);
    let refusal = r#"USERNAME_EXIST {"code":"name_taken"}"#;
    assert!(comes(&mut session, refusal).is_some());
    ends(&mut session, 0, Exit::Refused);
}

/// The replies on the way to a one-shot's request, each with the one that ends it, and what is said of that.
const REFUSED_LOGINS: &[(&[&str], &str)] = &[
    (
        &[r#"LOGIN_FAILURE {"code":"login_throttled"}"#],
        "the login was refused",
    ),
    (
        &[
            r#"LOGIN_FAILURE {"code":"bad_credentials"}"#,
            r#"REFUSED {"command":2,"code":"bad_invitation"}"#,
        ],
        "the registration was refused",
    ),
    (
        &[
            r#"LOGIN_FAILURE {"code":"bad_credentials"}"#,
            r#"USERNAME_EXIST {"code":"name_taken"}"#,
        ],
        "the name is taken, and the password is not that of its user",
    ),
    (
        &[
            r#"LOGIN_FAILURE {"code":"bad_credentials"}"#,
            r#"REGISTER_SUCCESS "ann""#,
            r#"LOGIN_FAILURE {"code":"suspended"}"#,
        ],
        "the account is registered, but the login was refused",
    ),
    (
        &[
            r#"LOGIN_FAILURE {"code":"bad_credentials"}"#,
            r#"REGISTER_SUCCESS "ann""#,
            "LOGIN_BUNDLE {}",
            r#"JOIN_ROOM_RESULT {"success":false,"code":"unknown_room"}"#,
        ],
        "the account is registered, but it cannot join the room of the address",
    ),
    (
        &[
            "LOGIN_BUNDLE {}",
            r#"JOIN_ROOM_RESULT {"success":false,"code":"banned"}"#,
        ],
        "the room of the address cannot be joined",
    ),
];

#[test]
fn the_reply_that_ends_a_login_is_shown() {
    let code = InvitationCode::presented("7KQM-2XWD-RT9H-C4VB").unwrap();
    let sequence = LoginSequence::new("ann", "secret", SecretKind::Password).unwrap();
    let sequence = sequence.registering("ann", "secret", &code).unwrap();
    let sequence = ScriptStep::LogIn(Box::new(sequence.joining("class").unwrap()));
    let rules = Rules {
        only_replies: true,
        ..Rules::default()
    };
    let goodbye = &["CLOSE_NOTIFY 7"][..];
    for (replies, why) in REFUSED_LOGINS {
        // A goodbye in place of any of the replies ends it, too.
        for count in 0..=replies.len() {
            let is_whole = count == replies.len();
            let last = if is_whole { &[][..] } else { goodbye };
            let mut session = ScriptSession::new(rules, [sequence.clone()]);
            session.push(steps("LIST_ROOMS", false).remove(0));
            session.end_of_input();
            let mut shown = Vec::new();
            for reply in replies[..count].iter().chain(last) {
                sends(&mut session);
                shown.extend(comes(&mut session, reply));
            }
            let ending = replies[..count].last().filter(|_| is_whole);
            let ending = ending.unwrap_or(&"CLOSE_NOTIFY").split(' ').next().unwrap();
            assert_eq!(shown.len(), 1, "{shown:?}");
            assert!(shown[0].contains(ending), "{shown:?}");
            let note = ends(&mut session, 0, Exit::Refused);
            let why = if is_whole { why } else { "the server closed" };
            assert!(note.contains(why), "{note}");
        }
    }
}

#[test]
fn no_large_request_is_sent_before_the_login() {
    let long = format!("FIND {{\"keyword\":\"{}\"}}", "x".repeat(4096));
    ends(&mut scripted(&long, Rules::default()), 0, Exit::Usage);

    let mut session = scripted(&format!("LOGIN {{}}\n{long}"), Rules::default());
    assert_eq!(sends(&mut session), "LOGIN");
    waits(&mut session, 0, None);
    comes(&mut session, "LOGIN_SUCCESS \"ann\"");
    assert_eq!(sends(&mut session), "FIND");

    let frame = format!(".frame {}", "00".repeat(5000));
    assert_ne!(sends(&mut scripted(&frame, Rules::default())), "");
}

#[test]
fn a_pong_is_shown_only_if_asked_for() {
    let mut session = scripted("PING\n.expect PONG", Rules::default());
    assert_eq!(sends(&mut session), "PING");
    assert_eq!(session.next(secs(0), false), Next::Wait(Some(secs(10))));
    assert!(comes(&mut session, "PONG").is_some());
    assert!(comes(&mut session, "PONG").is_none());
    ends(&mut session, 0, Exit::Success);
}

#[test]
fn debug_shows_no_password_of_a_script() {
    const SECRET: &str = "canary-in-a-coal-mine";
    let line = format!("LOGIN {{\"username\":\"ann\",\"password\":\"{SECRET}\"}}");
    let statement = script::parse(line.as_bytes()).unwrap().unwrap();
    let plain = format!("{:?}", SECRET.as_bytes()).replace(['[', ']'], "");
    let sequence = LoginSequence::new("ann", SECRET, SecretKind::Password).unwrap();
    let first = ScriptStep::LogIn(Box::new(sequence));
    let mut session = ScriptSession::new(Rules::default(), [first]);
    session.push(compile(statement.clone(), 1, false).unwrap());
    let before = format!("{statement:?} {session:?}");
    let next = session.next(secs(0), true);
    let shown = format!("{before} {next:?} {session:?}");
    for secret in [SECRET, &plain] {
        assert!(!shown.contains(secret), "{secret} is in {shown}");
    }
}
