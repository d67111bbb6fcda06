use super::*;
use crate::param::Nullable;
use crate::records::MemberLine;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::HashSet;

/// Any value of a type that events are made of.
pub(super) trait Sample: Sized {
    fn any() -> BoxedStrategy<Self>;
}

macro_rules! samples {
    ($($type:ty = $strategy:expr;)*) => {$(
        impl Sample for $type {
            fn any() -> BoxedStrategy<Self> {
                $strategy.boxed()
            }
        }
    )*};
}

samples! {
    u64 = prop_oneof![0_u64..300, any::<u64>()];
    bool = any::<bool>();
    String = ".{0,20}";
    RoomRole = prop_oneof![Just(RoomRole::Member), Just(RoomRole::Operator), Just(RoomRole::Owner)];
    TargetType = prop_oneof![Just(TargetType::Friend), Just(TargetType::Room)];
    RequestState = prop_oneof![
        Just(RequestState::Sent), Just(RequestState::Accepted), Just(RequestState::Declined)
    ];
    TxnId = "[a-z0-9]{1,20}".prop_map(|text| TxnId::new(&text).expect("a good one"));
    ResumeSecret = any::<[u8; ResumeSecret::BYTES]>().prop_map(|bytes| ResumeSecret::from_bytes(&bytes));
    BotToken = any::<[u8; BotToken::BYTES]>().prop_map(|bytes| BotToken::from_bytes(&bytes));
    Mark = any::<bool>().prop_map(Mark);
    Fail = (String::any(), String::any(), btree_map("d[a-z]{1,8}", Value::any(), 0..3)).prop_map(
        |(code, message, detail)| Fail { code, message, detail: detail.into_iter().collect() }
    );
    Outcome = prop_oneof![
        String::any().prop_map(Outcome::Done),
        Fail::any().prop_map(Outcome::Refused),
    ];
    AwayText = Option::any().prop_map(AwayText);
    Dict = btree_map("d[a-z]{1,8}", Value::any(), 0..3).prop_map(|entries| Dict(entries.into_iter().collect()));
    Value = prop_oneof![
        Just(Value::Null),
        u64::any().prop_map(Value::Int),
        vec(String::any().prop_map(Value::Str), 0..4).prop_map(Value::List),
    ];
}

impl<T: Sample + std::fmt::Debug + 'static> Sample for Option<T> {
    fn any() -> BoxedStrategy<Self> {
        proptest::option::of(T::any()).boxed()
    }
}

impl<T: Sample + std::fmt::Debug + 'static> Sample for Nullable<T> {
    fn any() -> BoxedStrategy<Self> {
        Option::any().prop_map(Nullable).boxed()
    }
}

impl<T: Sample + std::fmt::Debug + 'static> Sample for Vec<T> {
    fn any() -> BoxedStrategy<Self> {
        vec(T::any(), 0..4).boxed()
    }
}

macro_rules! sample_records {
    ($($name:ident { $($field:ident),* })*) => {$(
        impl Sample for $name {
            fn any() -> BoxedStrategy<Self> {
                let fields = sample_records!(@any $($field)*);
                fields.prop_map(|sample_records!(@pattern $($field)*)| $name { $($field),* }).boxed()
            }
        }
    )*};
    // Pairs in pairs, because tuples of strategies have at most twelve parts.
    (@any) => { Just(()) };
    (@any $field:ident $($rest:ident)*) => { (Sample::any(), sample_records!(@any $($rest)*)) };
    (@pattern) => { () };
    (@pattern $field:ident $($rest:ident)*) => { ($field, sample_records!(@pattern $($rest)*)) };
}

sample_records! {
    ChatMessage { id, username, sender, send_time, target, target_type, sent, content, deleted, bot, reply_to, edited,
        mentions, reactions }
    Reaction { emoji, count, mine }
    Reacted { emoji, on }
    Unread { target_type, target, count, read_id, mentions }
    Older { target_type, target, before }
    RoomLine { roomname, members, owner, unread, topic, private, role, mentions }
    RoomInfo {
        roomname, topic, owner, operators, private, read_only, slow_seconds, keep_days, members, created, role
    }
    PublicRoom { roomname, topic, members }
    MemberLine { username, online, owner, role, away, bot }
    MemberList { members, more }
    BanLine { username, by, at, until, reason }
    InvitationLine { roomname, by }
    AwayLine { username, text }
    FriendLine { username, online, away, last_seen }
    SessionLine { address, since, this }
    InvitationCodeLine { code, uses, expires }
    Keeps { days }
    GivenLimits { frame_bytes, content_bytes, message_burst, message_rate }
    BotLine { username, rooms, created, expires, last_seen }
}

#[test]
fn an_event_is_encoded_as_its_message_is() {
    let events = any_events();
    assert_eq!(events.len(), EVENTS.len());
    for (event, row) in events.into_iter().zip(EVENTS) {
        proptest!(|(event in event)| {
            let mut bytes = Vec::new();
            event.encode(&mut bytes).expect("a short event");
            prop_assert_eq!(event.number(), row.number);
            prop_assert_eq!(event.to_message().encode(), Ok(bytes));
        });
    }
}

#[test]
fn an_event_with_too_many_values_is_not_encoded() {
    let rooms = Event::Found {
        users: vec![String::new(); crate::limits::VALUES],
        rooms: Vec::new(),
        more: false,
    };
    let error = rooms.encode(&mut Vec::new());
    assert_eq!(error, Err(EncodeError::TooMany));
    assert_eq!(rooms.to_message().encode(), Err(EncodeError::TooMany));
}

fn rows() -> impl Iterator<Item = &'static CommandInfo> {
    COMMANDS.iter().copied().flatten()
}

#[test]
fn the_form_of_all_parameters_is_judged_before_their_contents() {
    let code = |kind: RequestKind, params: &str| {
        let params = crate::json::from_json(params).expect("JSON");
        kind.read(&params).expect_err("it is refused").code
    };
    for params in [
        r#"{"username":"a b","password":"zzz","zzz":1}"#,
        r#"{"username":"a b","password":"zzz","invitation":1}"#,
        r#"{"username":"a b"}"#,
    ] {
        assert_eq!(
            code(RequestKind::Register, params),
            Code::BadParams,
            "{params}"
        );
    }
    let weak = r#"{"username":"a b","password":"zzz"}"#;
    assert_eq!(code(RequestKind::Register, weak), Code::BadName);
}

#[test]
fn numbers_and_names_are_given_once() {
    let numbers: HashSet<_> = rows().map(|row| row.number).collect();
    let names: HashSet<_> = rows().map(|row| row.name).collect();
    assert_eq!(
        (numbers.len(), names.len()),
        (rows().count(), rows().count())
    );
}

#[test]
fn every_request_names_replies_and_refusals_of_the_right_kind() {
    for kind in RequestKind::ALL {
        let info = kind.info();
        assert_eq!(RequestKind::from_number(info.number), Some(*kind));
        let answers = kind.answers();
        let reply = by_number(answers.reply).expect("a row");
        assert!(
            matches!(reply.direction, Direction::Reply | Direction::ReplyOrEvent),
            "{}: {} is no reply",
            info.name,
            reply.name
        );
        let fail = Fail {
            code: "code".to_owned(),
            message: String::new(),
            detail: Vec::new(),
        };
        for number in answers.refusals() {
            let refusal = Event::refusing(number, fail.clone());
            assert!(
                refusal.is_some_and(|refusal| refusal.refusal() == Some(&fail)),
                "{}: {number} cannot refuse",
                info.name
            );
        }
    }
}

#[test]
fn a_row_that_can_refuse_is_a_refusal_or_a_reply() {
    for row in EVENTS {
        let fail = Fail {
            code: String::new(),
            message: String::new(),
            detail: Vec::new(),
        };
        let refuses = Event::refusing(row.number, fail).is_some();
        let fits = match row.direction {
            Direction::Refusal => refuses,
            Direction::Reply => true,
            _ => !refuses,
        };
        assert!(fits, "{}", row.name);
    }
}

#[test]
fn rows_with_a_secret_are_known() {
    let secret: Vec<&str> = rows()
        .filter(|row| row.is_secret())
        .map(|row| row.name)
        .collect();
    assert_eq!(
        secret,
        [
            "REGISTER",
            "LOGIN",
            "CHANGE_PASSWORD",
            "DELETE_ACCOUNT",
            "REVOKE_INVITATION",
            "LOGIN_BUNDLE",
            "BOT_TOKEN"
        ]
    );
}

#[test]
fn one_request_begins_a_session_and_two_end_it() {
    let of = |session| {
        let kinds = RequestKind::ALL.iter();
        let found = kinds.filter(move |kind| kind.answers().session == session);
        found.copied().collect::<Vec<_>>()
    };
    assert_eq!(of(SessionEffect::Begins), [RequestKind::Login]);
    assert_eq!(
        of(SessionEffect::Ends),
        [RequestKind::Logout, RequestKind::DeleteAccount]
    );
}

#[test]
fn requests_come_back_and_unknown_keys_are_refused() {
    let login = |extra: Option<(String, Value)>| {
        let mut entries = vec![
            ("username".to_owned(), Value::from("bob")),
            ("password".to_owned(), Value::from("correct horse")),
        ];
        entries.extend(extra);
        RequestKind::Login.read(&Value::Dict(entries))
    };
    let request = login(None).expect("all there");
    assert_eq!(request.kind(), RequestKind::Login);
    let message = request.to_message();
    assert_eq!(message.command, 3);
    assert_eq!(
        message.params.at("password"),
        Some(&Value::from("correct horse"))
    );
    let error = login(Some(("admin".to_owned(), Value::Bool(true)))).expect_err("a stranger");
    assert_eq!(
        (error.field.as_str(), error.code),
        ("admin", crate::records::Code::BadParams)
    );
}

#[test]
fn an_error_names_its_parameter() {
    let cases: &[(RequestKind, Value, &str, &str)] = &[
        (
            RequestKind::AddFriend,
            Value::Int(1),
            "username",
            "bad_params",
        ),
        (RequestKind::Login, Value::Null, "params", "bad_params"),
        (
            RequestKind::Logout,
            Value::Dict(vec![]),
            "params",
            "bad_params",
        ),
        (
            RequestKind::Login,
            Value::Dict(vec![]),
            "username",
            "bad_params",
        ),
        (
            RequestKind::Register,
            Value::Dict(vec![
                ("username".into(), Value::from(" ")),
                ("password".into(), Value::from("a good password")),
            ]),
            "username",
            "bad_name",
        ),
        (
            RequestKind::SendMessage,
            Value::Dict(vec![("target_type".into(), Value::Int(2))]),
            "target_type",
            "bad_params",
        ),
    ];
    for (kind, params, field, code) in cases {
        let error = kind.read(params).expect_err("refused");
        assert_eq!(
            (error.field.as_str(), error.code.as_str()),
            (*field, *code),
            "{kind:?}"
        );
    }
}

#[test]
fn an_acknowledgement_differs_from_an_event_by_its_key() {
    let message = |txn_id| Event::OnNewMessage {
        id: 1,
        content: "hi".into(),
        sender: "bob".into(),
        target_type: TargetType::Room,
        send_time: 2,
        target: "room1".into(),
        txn_id,
        deleted: None,
        bot: Mark::default(),
        reply_to: None,
        edited: None,
        mentions: None,
    };
    for (event, key) in [
        (message(None), None),
        (
            message(Some(crate::param::Nullable(None))),
            Some(&Value::Null),
        ),
    ] {
        let sent = event.to_message();
        assert_eq!(sent.params.at("txn_id"), key);
        assert_eq!(Event::from_message(&sent), Some(Ok(event)));
    }
}

#[test]
fn receivers_ignore_what_they_do_not_know() {
    let params = Value::Dict(vec![
        ("messages".into(), Value::List(vec![])),
        ("more".into(), Value::Bool(false)),
        ("from_the_future".into(), Value::Null),
    ]);
    let history = Event::from_message(&Message {
        command: 117,
        params,
    });
    assert_eq!(
        history,
        Some(Ok(Event::History {
            messages: vec![],
            more: false,
            newer: None
        }))
    );
    assert_eq!(
        Event::from_message(&Message {
            command: 999,
            params: Value::Null
        }),
        None
    );
}
