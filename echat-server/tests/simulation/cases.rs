//! Regression cases: what the model once judged wrongly, each in its smallest form, and situations that random steps
//! reach too seldom.

use crate::committed::UNREAD_MAX;
use crate::outcome;
use crate::plan::{
    AccountRequest, Action, BotRequest, Case, LOBBY, LimitsProfile, MessageRequest, PasswordChoice,
    PlannedRequest, RegistrationPolicy, Role, RoomRequest, SearchRequest, Setting, Step, Target,
    Term, USERS,
};
use std::num::NonZeroUsize;
use std::time::Duration;

const LOGIN: PlannedRequest = login(0);

const fn login(user: usize) -> PlannedRequest {
    PlannedRequest::Login {
        user,
        password: PasswordChoice::Current,
    }
}

/// Two users who are friends, with up to two sessions each.
fn case(actions: Vec<Action>) -> Case {
    let step = |action| Step {
        action,
        ticks: 4,
        schedule: 1,
    };
    Case {
        seed: 1,
        profile: LimitsProfile::Defaults,
        accounts: 2,
        all_friends: true,
        policy: RegistrationPolicy::default(),
        sessions: NonZeroUsize::MIN.saturating_add(1),
        turn_cost: Duration::from_millis(1),
        portion: 128,
        steps: actions.into_iter().map(step).collect(),
    }
}

fn passes(actions: Vec<Action>) {
    passes_case(&case(actions));
}

fn passes_case(case: &Case) {
    let done = outcome(case, false);
    assert!(done.is_ok(), "{}", done.unwrap_err());
}

#[test]
fn a_read_marker_before_leaving_reaches_other_sessions() {
    let read = PlannedRequest::Read(Target::Room(0));
    let send = PlannedRequest::Send {
        to: Target::User(1),
        number: 0,
        size: 5,
        txn: false,
        reply: None,
    };
    passes(vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::RoundTrip(0, LOGIN),
        Action::RoundTrip(1, LOGIN),
        Action::RoundTrip(1, send),
        Action::RoundTrip(1, PlannedRequest::Create(0, vec![], false)),
        Action::InOneTick(vec![(1, vec![read, PlannedRequest::Part(0)])]),
        Action::Quiesce,
    ]);
}

#[test]
fn a_secret_voided_by_logout_before_it_arrives_is_refused() {
    let resume = PlannedRequest::Resume { user: 0, nth: 0 };
    passes(vec![
        Action::Connect(0),
        Action::Pipeline(0, vec![LOGIN, PlannedRequest::Logout]),
        Action::Quiesce,
        Action::Connect(2),
        Action::RoundTrip(2, resume),
    ]);
}

#[test]
fn a_session_is_listed_until_its_connection_closes() {
    let sessions = PlannedRequest::Account(AccountRequest::Sessions);
    passes(vec![
        Action::Connect(0),
        Action::RoundTrip(0, LOGIN),
        Action::StopReading(0),
        Action::RoundTrip(0, PlannedRequest::Logout),
        Action::RoundTrip(0, LOGIN),
        Action::RoundTrip(0, sessions),
        Action::HalfClose(0),
    ]);
}

#[test]
fn the_login_time_out_begins_at_the_first_logout() {
    let delete = AccountRequest::Delete {
        password: PasswordChoice::Current,
        erase: true,
    };
    passes(vec![
        Action::Connect(0),
        Action::RoundTrip(0, LOGIN),
        Action::StopReading(0),
        Action::Pipeline(0, vec![PlannedRequest::Logout]),
        Action::Wait(32_000),
        Action::Pipeline(0, vec![PlannedRequest::Account(delete)]),
        Action::Wait(40_000),
    ]);
}

#[test]
fn a_user_may_own_a_room_between_leaving_and_joining_again() {
    let join = PlannedRequest::Join(0);
    let actions = vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::RoundTrip(0, login(0)),
        Action::RoundTrip(1, login(1)),
        Action::RoundTrip(0, PlannedRequest::Create(0, vec![1, 2], false)),
        Action::InOneTick(vec![
            (0, vec![PlannedRequest::Part(0)]),
            (1, vec![PlannedRequest::Part(0), join]),
        ]),
        Action::Quiesce,
    ];
    passes_case(&Case {
        accounts: 3,
        ..case(actions)
    });
}

#[test]
fn a_full_lobby_takes_no_new_account() {
    let members = 0..3;
    let mut actions = Vec::new();
    for user in members {
        actions.push(Action::Connect(user));
        actions.push(Action::RoundTrip(user, login(user)));
        actions.push(Action::RoundTrip(user, PlannedRequest::Join(LOBBY)));
    }
    actions.push(Action::Connect(3));
    actions.push(Action::RoundTrip(3, PlannedRequest::Register(4)));
    actions.push(Action::Quiesce);
    passes_case(&Case {
        accounts: 4,
        profile: LimitsProfile::Small,
        policy: RegistrationPolicy {
            lobby: true,
            ..RegistrationPolicy::default()
        },
        ..case(actions)
    });
}

#[test]
fn a_departure_writes_the_same_rows_with_other_users_online_or_not() {
    passes(vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::RoundTrip(0, LOGIN),
        Action::RoundTrip(1, login(1)),
        Action::RoundTrip(0, PlannedRequest::Create(0, vec![1], false)),
        Action::RoundTrip(1, PlannedRequest::Part(0)),
        Action::Quiesce,
    ]);
}

#[test]
fn a_new_member_of_a_room_renamed_in_the_same_tick_gets_either_name() {
    let rename = PlannedRequest::Room(RoomRequest::Set(1, Setting::Name(3)));
    passes(vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::RoundTrip(0, LOGIN),
        Action::RoundTrip(1, login(1)),
        Action::RoundTrip(1, PlannedRequest::Create(1, vec![], false)),
        Action::InOneTick(vec![(0, vec![PlannedRequest::Join(1)]), (1, vec![rename])]),
        Action::Quiesce,
    ]);
}

#[test]
fn each_setting_of_a_renamed_room_has_an_event() {
    let set = |setting| PlannedRequest::Room(RoomRequest::Set(0, setting));
    let settings = vec![set(Setting::Topic(1)), set(Setting::Name(1))];
    passes(vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::RoundTrip(0, LOGIN),
        Action::RoundTrip(1, login(1)),
        Action::RoundTrip(0, PlannedRequest::Create(0, vec![1], false)),
        Action::InOneTick(vec![(0, settings)]),
        Action::Quiesce,
    ]);
}

#[test]
fn an_expired_message_is_not_found_before_its_removal() {
    let keep = PlannedRequest::Room(RoomRequest::Set(0, Setting::Keep(Some(1))));
    let send = |number| PlannedRequest::Send {
        to: Target::Room(0),
        number,
        size: 5,
        txn: false,
        reply: None,
    };
    let search = PlannedRequest::Search(SearchRequest {
        terms: vec![Term::Number(7)],
        limit: 10,
        ..SearchRequest::default()
    });
    let mut case = case(vec![
        Action::Connect(0),
        Action::RoundTrip(0, LOGIN),
        Action::RoundTrip(0, PlannedRequest::Create(0, vec![], false)),
        Action::RoundTrip(0, keep),
        // The newer time comes first, so that no reader passes over the expired message with those before it.
        Action::ClockJump(100_000),
        Action::RoundTrip(0, send(8)),
        Action::ClockJump(-100_000),
        Action::RoundTrip(0, send(7)),
        Action::RoundTrip(0, search.clone()),
        Action::ClockJump(86_500),
        Action::RoundTrip(0, search),
        Action::Quiesce,
    ]);
    // No tick removes the messages between the jump and the search.
    for step in &mut case.steps {
        if matches!(step.action, Action::ClockJump(_)) {
            step.ticks = 0;
        }
    }
    passes_case(&case);
}

#[test]
fn unread_messages_stay_counted_before_more_that_do_not_count() {
    let say = |user: usize| {
        let send = PlannedRequest::Send {
            to: Target::Room(0),
            number: 0,
            size: 5,
            txn: false,
            reply: None,
        };
        Action::RoundTrip(user, send)
    };
    let more = |user: usize| (0..=UNREAD_MAX).map(move |_| say(user));
    let delete = |nth| Action::RoundTrip(2, PlannedRequest::Message(MessageRequest::Delete(nth)));
    let erase = AccountRequest::Delete {
        password: PasswordChoice::Current,
        erase: true,
    };
    let own: Vec<_> = more(0).collect();
    let deleted = more(2).chain((0..=UNREAD_MAX).map(delete)).collect();
    let erased = more(2).chain([Action::RoundTrip(2, PlannedRequest::Account(erase))]);
    for rest in [own, deleted, erased.collect()] {
        let mut actions: Vec<_> = (0..3).map(Action::Connect).collect();
        actions.extend((0..3).map(|user| Action::RoundTrip(user, login(user))));
        let create = PlannedRequest::Create(0, vec![0, 2], false);
        actions.extend([Action::RoundTrip(1, create), say(1)]);
        actions.extend(rest);
        actions.push(Action::RoundTrip(0, PlannedRequest::Rooms));
        passes_case(&Case {
            accounts: 3,
            ..case(actions)
        });
    }
}

#[test]
fn a_deletion_is_told_to_a_slow_client_after_the_room_was_closed() {
    let send = PlannedRequest::Send {
        to: Target::Room(0),
        number: 5,
        size: 5,
        txn: true,
        reply: None,
    };
    let delete = PlannedRequest::Message(MessageRequest::Delete(0));
    passes(vec![
        Action::Connect(0),
        Action::RoundTrip(0, LOGIN),
        Action::Connect(1),
        Action::RoundTrip(1, LOGIN),
        Action::StopReading(1),
        Action::RoundTrip(0, PlannedRequest::Create(0, vec![], false)),
        Action::RoundTrip(0, send),
        Action::RoundTrip(0, delete),
        Action::RoundTrip(0, PlannedRequest::Part(0)),
        Action::Quiesce,
    ]);
}

#[test]
fn a_member_removed_in_the_tick_that_closes_the_room_is_told_of_the_removal() {
    let room = PlannedRequest::Room;
    let requests = vec![room(RoomRequest::Kick(0, 1)), room(RoomRequest::Close(0))];
    passes(vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::RoundTrip(0, LOGIN),
        Action::RoundTrip(1, login(1)),
        Action::RoundTrip(0, PlannedRequest::Create(0, vec![1], false)),
        Action::InOneTick(vec![(0, requests)]),
        Action::Quiesce,
    ]);
}

#[test]
fn a_user_who_joins_in_the_tick_that_closes_the_room_is_told_of_both() {
    let close = PlannedRequest::Room(RoomRequest::Close(0));
    passes(vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::RoundTrip(0, LOGIN),
        Action::RoundTrip(1, login(1)),
        Action::RoundTrip(0, PlannedRequest::Create(0, vec![], false)),
        Action::LockDatabase,
        Action::RoundTrip(1, PlannedRequest::Join(0)),
        Action::RoundTrip(0, close),
        Action::Quiesce,
    ]);
}

#[test]
fn messages_to_a_room_that_closes_in_the_same_tick_fill_the_queues_of_other_sessions() {
    let send = |number| PlannedRequest::Send {
        to: Target::Room(0),
        number,
        size: 3_900,
        txn: true,
        reply: None,
    };
    let actions = vec![
        Action::Connect(0),
        Action::RoundTrip(0, LOGIN),
        Action::Connect(1),
        Action::RoundTrip(1, LOGIN),
        Action::RoundTrip(0, PlannedRequest::Create(0, vec![], false)),
        Action::InOneTick(vec![
            (0, (0..5).map(send).collect()),
            (1, vec![PlannedRequest::Part(0)]),
        ]),
        Action::Quiesce,
    ];
    passes_case(&Case {
        profile: LimitsProfile::ShortQueues,
        ..case(actions)
    });
}

#[test]
fn a_sweep_is_planned_for_a_minute_after_the_last_room_with_a_retention_closed() {
    let room = PlannedRequest::Room;
    passes(vec![
        Action::Connect(0),
        Action::RoundTrip(0, LOGIN),
        Action::RoundTrip(0, PlannedRequest::Create(0, vec![], false)),
        Action::RoundTrip(0, room(RoomRequest::Set(0, Setting::Keep(Some(1))))),
        // A sweep ends and plans the next one.
        Action::Wait(400),
        Action::RoundTrip(0, room(RoomRequest::Close(0))),
        Action::Stop,
    ]);
}

#[test]
fn a_user_who_joins_and_becomes_an_operator_in_the_same_tick_is_told_of_both() {
    let promote = PlannedRequest::Room(RoomRequest::SetRole(0, 0, Role::Operator));
    passes(vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::RoundTrip(0, LOGIN),
        Action::RoundTrip(1, login(1)),
        Action::RoundTrip(1, PlannedRequest::Create(0, vec![], false)),
        Action::InOneTick(vec![(0, vec![PlannedRequest::Join(0)]), (1, vec![promote])]),
        Action::Quiesce,
    ]);
}

#[test]
fn a_bot_that_leaves_with_its_owner_may_have_been_told_of_two_roles_of_the_owner() {
    let role = |user, role| PlannedRequest::Room(RoomRequest::SetRole(0, user, role));
    let bot = USERS.len() - 1;
    passes(vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::Connect(2),
        Action::RoundTrip(0, LOGIN),
        Action::RoundTrip(1, login(1)),
        Action::RoundTrip(1, PlannedRequest::Create(0, vec![0], false)),
        Action::RoundTrip(
            1,
            PlannedRequest::Bot(BotRequest::Create(bot, vec![0], None)),
        ),
        Action::RoundTrip(2, PlannedRequest::Token { bot, nth: 0 }),
        Action::StopReading(2),
        Action::RoundTrip(1, role(0, Role::Owner)),
        Action::RoundTrip(0, role(1, Role::Member)),
        Action::Unstall(2),
        Action::Quiesce,
    ]);
}
