//! Cases that the model once judged wrongly, each at its smallest, and some that random steps meet too seldom.

use crate::outcome;
use crate::plan::{
    Action, Case, Climate, Door, LOBBY, OfAccount, OfMessage, OfRoom, PlannedRequest, Setting,
    Step, Target, Word,
};
use crate::truth::UNREAD_MOST;
use std::num::NonZeroUsize;
use std::time::Duration;

const LOGIN: PlannedRequest = login(0);

const fn login(user: usize) -> PlannedRequest {
    PlannedRequest::Login {
        user,
        password: Word::Right,
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
        climate: Climate::Roomy,
        accounts: 2,
        acquainted: true,
        door: Door::default(),
        sessions: NonZeroUsize::MIN.saturating_add(1),
        turn_cost: Duration::from_millis(1),
        portion: 128,
        steps: actions.into_iter().map(step).collect(),
    }
}

fn holds(actions: Vec<Action>) {
    holds_in(&case(actions));
}

fn holds_in(case: &Case) {
    let done = outcome(case, false);
    assert!(done.is_ok(), "{}", done.unwrap_err());
}

#[test]
fn a_session_is_told_of_what_was_read_before_its_user_left() {
    let read = PlannedRequest::Read(Target::Room(0));
    let send = PlannedRequest::Send {
        to: Target::User(1),
        number: 0,
        size: 5,
        txn: false,
        reply: None,
    };
    holds(vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::Ask(0, LOGIN),
        Action::Ask(1, LOGIN),
        Action::Ask(1, send),
        Action::Ask(1, PlannedRequest::Create(0, vec![], false)),
        Action::Together(vec![(1, vec![read, PlannedRequest::Part(0)])]),
        Action::Calm,
    ]);
}

#[test]
fn a_secret_that_was_given_up_before_it_was_heard_is_refused() {
    let resume = PlannedRequest::Resume { user: 0, nth: 0 };
    holds(vec![
        Action::Connect(0),
        Action::Say(0, vec![LOGIN, PlannedRequest::Logout]),
        Action::Calm,
        Action::Connect(2),
        Action::Ask(2, resume),
    ]);
}

#[test]
fn a_session_that_ends_with_its_connection_is_listed() {
    let sessions = PlannedRequest::Account(OfAccount::Sessions);
    holds(vec![
        Action::Connect(0),
        Action::Ask(0, LOGIN),
        Action::Stall(0),
        Action::Ask(0, PlannedRequest::Logout),
        Action::Ask(0, LOGIN),
        Action::Ask(0, sessions),
        Action::HangUp(0),
    ]);
}

#[test]
fn a_guest_is_silent_from_the_logout_on_whatever_it_says_later() {
    let delete = OfAccount::Delete {
        password: Word::Right,
        erase: true,
    };
    holds(vec![
        Action::Connect(0),
        Action::Ask(0, LOGIN),
        Action::Stall(0),
        Action::Say(0, vec![PlannedRequest::Logout]),
        Action::Wait(32_000),
        Action::Say(0, vec![PlannedRequest::Account(delete)]),
        Action::Wait(40_000),
    ]);
}

#[test]
fn a_user_who_leaves_and_comes_back_may_have_owned_the_room_in_between() {
    let join = PlannedRequest::Join(0);
    let actions = vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::Ask(0, login(0)),
        Action::Ask(1, login(1)),
        Action::Ask(0, PlannedRequest::Create(0, vec![1, 2], false)),
        Action::Together(vec![
            (0, vec![PlannedRequest::Part(0)]),
            (1, vec![PlannedRequest::Part(0), join]),
        ]),
        Action::Calm,
    ];
    holds_in(&Case {
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
        actions.push(Action::Ask(user, login(user)));
        actions.push(Action::Ask(user, PlannedRequest::Join(LOBBY)));
    }
    actions.push(Action::Connect(3));
    actions.push(Action::Ask(3, PlannedRequest::Register(4)));
    actions.push(Action::Calm);
    holds_in(&Case {
        accounts: 4,
        climate: Climate::Tight,
        door: Door {
            lobby: true,
            ..Door::default()
        },
        ..case(actions)
    });
}

#[test]
fn a_departure_is_written_alike_whoever_is_online() {
    holds(vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::Ask(0, LOGIN),
        Action::Ask(1, login(1)),
        Action::Ask(0, PlannedRequest::Create(0, vec![1], false)),
        Action::Ask(1, PlannedRequest::Part(0)),
        Action::Calm,
    ]);
}

#[test]
fn a_user_who_joins_a_room_that_is_renamed_is_told_of_either_name() {
    let rename = PlannedRequest::Room(OfRoom::Set(1, Setting::Name(3)));
    holds(vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::Ask(0, LOGIN),
        Action::Ask(1, login(1)),
        Action::Ask(1, PlannedRequest::Create(1, vec![], false)),
        Action::Together(vec![(0, vec![PlannedRequest::Join(1)]), (1, vec![rename])]),
        Action::Calm,
    ]);
}

#[test]
fn members_are_told_of_each_setting_of_a_room_that_is_renamed() {
    let set = |setting| PlannedRequest::Room(OfRoom::Set(0, setting));
    let settings = vec![set(Setting::Topic(1)), set(Setting::Name(1))];
    holds(vec![
        Action::Connect(0),
        Action::Connect(1),
        Action::Ask(0, LOGIN),
        Action::Ask(1, login(1)),
        Action::Ask(0, PlannedRequest::Create(0, vec![1], false)),
        Action::Together(vec![(0, settings)]),
        Action::Calm,
    ]);
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
        Action::Ask(user, send)
    };
    let more = |user: usize| (0..=UNREAD_MOST).map(move |_| say(user));
    let delete = |nth| Action::Ask(2, PlannedRequest::Message(OfMessage::Delete(nth)));
    let erase = OfAccount::Delete {
        password: Word::Right,
        erase: true,
    };
    let own: Vec<_> = more(0).collect();
    let deleted = more(2).chain((0..=UNREAD_MOST).map(delete)).collect();
    let erased = more(2).chain([Action::Ask(2, PlannedRequest::Account(erase))]);
    for rest in [own, deleted, erased.collect()] {
        let mut actions: Vec<_> = (0..3).map(Action::Connect).collect();
        actions.extend((0..3).map(|user| Action::Ask(user, login(user))));
        let create = PlannedRequest::Create(0, vec![0, 2], false);
        actions.extend([Action::Ask(1, create), say(1)]);
        actions.extend(rest);
        actions.push(Action::Ask(0, PlannedRequest::Rooms));
        holds_in(&Case {
            accounts: 3,
            ..case(actions)
        });
    }
}
