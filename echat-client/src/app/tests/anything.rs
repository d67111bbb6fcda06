//! Whatever happens, in whatever order.

use super::*;
use proptest::prelude::*;

fn lines() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "login",
            "ann",
            "password1",
            "register",
            "contact",
            "query",
            "&r room1",
            "&f bob",
            "y",
            "n",
            "o",
            "/history",
            "/leave",
            "/leave room1",
            "/pending",
            "／withdraw 1",
            "/withdraw all",
            "/usr/bin",
            "/export f",
            "／export f",
            "//",
            "\\c",
            "+f bob",
            "room=bob",
            "?",
            ":m",
            "help",
            "server time",
            "logout",
            "chat",
            "y dave",
            "/n dave",
            "＋f bob",
            "、c",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,20}",
    ]
}

fn events() -> impl Strategy<Value = Event> {
    let done = || Outcome::Done(String::new());
    let refused = || Outcome::Refused(fail("unknown_user", &[]));
    prop::sample::select(vec![
        Event::LoginSuccess {
            username: "ann".to_owned(),
        },
        Event::LoginFailure {
            fail: fail("bad_credentials", &[]),
        },
        Event::ServerKick {},
        Event::LoggedOut {},
        Event::IncommingFriendRequest {
            username: "dave".to_owned(),
        },
        Event::NewContact {
            username: "dave".to_owned(),
        },
        Event::OnNewRoom {
            roomname: "room".to_owned(),
        },
        Event::OnMemberOnline {
            roomname: "room1".to_owned(),
            membername: "eve".to_owned(),
            joined: None,
        },
        Event::LeftRoom {
            roomname: "room1".to_owned(),
        },
        Event::AddFriendResult { result: refused() },
        Event::CreateRoomResult { result: done() },
        Event::History {
            messages: vec![in_room(2, "bob", "x")],
            more: true,
            newer: None,
        },
        Event::History {
            messages: vec![],
            more: true,
            newer: None,
        },
        Event::SendMessageFailure {
            fail: fail("rate_limited", &[("retry_after", u64::MAX)]),
        },
        live(in_room(7, "bob", "ann"), None),
        live(in_room(8, "ann", "hi"), Some("t-1")),
        Event::Refused {
            fail: fail("storage_busy", &[]),
        },
    ])
}

#[derive(Clone, Debug)]
enum Step {
    Types(String),
    Says(Box<Event>),
    Welcome,
    Connected,
    Closed(Option<u64>),
    Failed,
    Tick(u64),
    Kept,
    Paste,
    Shown,
    Pressed(String),
    Export(ExportReport),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => lines().prop_map(Step::Types),
        4 => events().prop_map(|event| Step::Says(Box::new(event))),
        2 => Just(Step::Welcome),
        2 => Just(Step::Connected),
        1 => prop::option::of(0..10u64).prop_map(Step::Closed),
        1 => Just(Step::Failed),
        2 => (0..30u64).prop_map(Step::Tick),
        1 => Just(Step::Kept),
        1 => Just(Step::Paste),
        1 => Just(Step::Shown),
        2 => prop::sample::select(vec![
            ExportReport::Created,
            ExportReport::Written,
            ExportReport::Finished,
            ExportReport::Failed { why: "full".to_owned() },
        ]).prop_map(Step::Export),
        2 => "[a-z小@+\\n\\t]{0,8}".prop_map(Step::Pressed),
    ]
}

proptest! {
    #[test]
    fn any_sequence_of_inputs_is_handled(steps in prop::collection::vec(steps(), 0..80)) {
        let mut stage = stage(Language::Chinese);
        let mut now = 1_700_000_000;
        for step in steps {
            match step {
                Step::Types(line) => { stage.types(&line); }
                Step::Says(event) => { stage.says(*event); }
                Step::Welcome => { stage.welcome("ann", vec![in_room(1, "bob", "x")]); }
                Step::Connected => { stage.happens(Input::Connected); }
                Step::Closed(reason) => { stage.happens(Input::Closed(reason)); }
                Step::Failed => { stage.happens(unreachable()); }
                Step::Tick(passed) => {
                    now += passed;
                    stage.happens(Input::Tick { now });
                }
                Step::Kept => {
                    let (user, lines) = ("ann".to_owned(), Some(Vec::new()));
                    stage.happens(Input::Outgoing { user, lines });
                }
                Step::Shown => { stage.looks(); }
                Step::Export(report) => { stage.happens(Input::Export(report)); }
                Step::Pressed(keys) => { stage.presses(&keys); }
                Step::Paste => stage.pastes_lines(vec!["a".to_owned(), "+f b".to_owned()]),
            }
            prop_assert!(!stage.prompt().is_empty());
        }
        stage.happens(Input::EndOfInput);
        prop_assert!(stage.has(&Effect::Quit(Exit::Success)));
        prop_assert_eq!(stage.app.step(Input::Connected), []);
    }
}
