//! Sessions under whatever comes.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum SessionInput {
    Line(&'static str),
    Comes(&'static str),
    Time(u64),
    Crowded,
    EndOfInput,
    Cut,
}

const LINES: &[&str] = &[
    "LOGIN {}",
    "LIST_ROOMS",
    "SEND_MESSAGE {}",
    "77",
    "PING",
    "CLOSE_NOTIFY 0",
    ".expect ROOMS",
    ".expect ON_NEW_MESSAGE {\"sender\":\"bob\"}",
    ".expect REFUSED",
    ".expect CLOSE_NOTIFY",
    ".expect-close",
    ".sleep 3",
    ".raw 00",
    ".frame 00",
    ".quit",
];

const MESSAGES: &[&str] = &[
    "LOGIN_SUCCESS \"ann\"",
    "LOGIN_BUNDLE {}",
    "LOGIN_FAILURE {}",
    "ROOMS []",
    "REFUSED {\"command\":17}",
    "COMMAND_WRONG {\"command\":77}",
    "ON_NEW_MESSAGE {\"sender\":\"bob\"}",
    "ON_NEW_MESSAGE {\"sender\":\"ann\",\"txn_id\":null}",
    "SEND_MESSAGE_FAILURE {}",
    "PING",
    "PONG",
    "4000 [1]",
    "CLOSE_NOTIFY 6",
];

fn session_input() -> impl Strategy<Value = SessionInput> {
    prop_oneof![
        6 => prop::sample::select(LINES).prop_map(SessionInput::Line),
        8 => prop::sample::select(MESSAGES).prop_map(SessionInput::Comes),
        3 => (0..8u64).prop_map(SessionInput::Time),
        1 => Just(SessionInput::Crowded),
        1 => Just(SessionInput::EndOfInput),
        1 => Just(SessionInput::Cut),
    ]
}

proptest! {
    #[test]
    fn every_session_ends_and_stays_ended(
        happened in prop::collection::vec(session_input(), 0..40),
        count in prop::option::of(1..9u64),
        limited: bool,
    ) {
        let deadline = limited.then(|| secs(20));
        let mut session = ScriptSession::new(Rules { count, deadline, ..Rules::default() }, []);
        let mut now = 0;
        let mut over = None;
        for event in happened {
            match event {
                SessionInput::Line(line) => session.push(steps(line, false).remove(0)),
                SessionInput::Comes(line) if session.is_connected() => drop(comes(&mut session, line)),
                SessionInput::Comes(_) => {}
                SessionInput::Time(passed) => now += passed,
                SessionInput::Crowded => drop(session.next(secs(now), false)),
                SessionInput::EndOfInput => session.end_of_input(),
                SessionInput::Cut => session.disconnected(),
            }
            let (sent, next) = drive(&mut session, secs(now));
            prop_assert!(over.is_none() || sent.is_empty());
            match next {
                Next::End(end) => prop_assert_eq!(over.get_or_insert(end.clone()), &end),
                // A time to wait for is in the future: a loop that waits for it does not spin.
                Next::Wait(until) => {
                    prop_assert!(over.is_none());
                    prop_assert!(until.is_none_or(|until| until > secs(now)));
                    prop_assert!(session.is_connected() || until.is_some());
                }
                next => prop_assert!(false, "{next:?}"),
            }
        }
        // Whatever is still waited for: no more input, no more connection, no more time.
        session.end_of_input();
        session.disconnected();
        // Each of at most 40 steps waits for 10 s at most.
        for _ in 0..40 {
            now += 10;
            drive(&mut session, secs(now));
        }
        let (_, next) = drive(&mut session, secs(now + 10));
        prop_assert!(matches!(next, Next::End(_)), "{next:?}");
    }
}
