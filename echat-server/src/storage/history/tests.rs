use echat_proto::names::{Content, RoomName, Username};
use proptest::prelude::*;

use super::super::{Extras, Mention, Store};
use super::*;

fn user(batch: &mut Batch<'_>, name: &str) -> UserId {
    let name = Username::new(name).unwrap();
    batch.create_user(&name, "phc", 1).unwrap().unwrap()
}

fn room(batch: &mut Batch<'_>, name: &str, members: &[UserId]) -> ConversationId {
    let name = RoomName::new(name).unwrap();
    let room = batch.create_room(&name, members[0], 1).unwrap().unwrap();
    for &member in members {
        batch.add_member(room, member, 1).unwrap();
    }
    room
}

fn say(batch: &mut Batch<'_>, to: ConversationId, from: UserId, names: &[Mention]) -> MessageId {
    let extras = Extras {
        mentions: names.to_vec(),
        ..Extras::default()
    };
    let text = Content::new("x").unwrap();
    let said = batch.insert_message_with((to, from), &text, None, &extras, 7);
    said.unwrap()
}

/// Unread messages and mentions of the rooms of a user, by LIST_ROOMS and by a login, which agree.
fn unread(batch: &Batch<'_>, user: UserId) -> Vec<(u64, u64)> {
    let rooms = batch.rooms_of(user).unwrap();
    let bundle = batch.bundle(user, 0, 0, 1 << 20).unwrap();
    let lines = rooms.iter().map(|room| {
        let mut lines = bundle.unread.iter();
        let line = lines.find(|line| line.target == room.name);
        let line = line.map_or((0, 0), |line| (line.count, line.mentions));
        assert_eq!((room.unread, room.mentions), line, "{}", room.name);
        line
    });
    lines.collect()
}

/// Hides the messages of a user, who leaves the room first.
fn hide(batch: &mut Batch<'_>, room: ConversationId, user: UserId) {
    batch.remove_member(room, user).unwrap();
    batch.delete_account(user, true, 9).unwrap();
}

/// The unread count and mentions of ann: bob mentions her three times, and then `then` runs.
fn three_unread(then: impl FnOnce(&mut Batch<'_>, ConversationId, [UserId; 3])) -> (u64, u64) {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let users = ["ann", "bob", "eve"].map(|name| user(&mut batch, name));
    let [ann, bob, _] = users;
    let tea = room(&mut batch, "tea", &users);
    for _ in 0..3 {
        say(&mut batch, tea, bob, &[Mention::User(ann)]);
    }
    then(&mut batch, tea, users);
    unread(&batch, ann)[0]
}

/// More messages than a count may be.
const MANY: u64 = UNREAD_MAX + 100;

#[test]
fn messages_that_do_not_count_push_out_none_that_do() {
    let own = three_unread(|batch, tea, [ann, ..]| {
        for _ in 0..MANY {
            say(batch, tea, ann, &[]);
        }
    });
    assert_eq!(own, (3, 3), "own messages");
    let deleted = three_unread(|batch, tea, [.., eve]| {
        for _ in 0..MANY {
            let id = say(batch, tea, eve, &[]);
            batch.remove_content(id, 8).unwrap();
        }
    });
    assert_eq!(deleted, (3, 3), "deleted messages");
    let hidden = three_unread(|batch, tea, [.., eve]| {
        for _ in 0..MANY {
            say(batch, tea, eve, &[]);
        }
        hide(batch, tea, eve);
    });
    assert_eq!(
        hidden,
        (3, 3),
        "messages of an account that is being erased"
    );
    let alternating = three_unread(|batch, tea, [ann, _, eve]| {
        for _ in 0..MANY {
            say(batch, tea, ann, &[]);
            say(batch, tea, eve, &[]);
        }
        hide(batch, tea, eve);
    });
    assert_eq!(alternating, (3, 3), "own ones between erased ones");
    let between = three_unread(|batch, tea, [ann, bob, _]| {
        for _ in 0..500 {
            say(batch, tea, ann, &[]);
            say(batch, tea, ann, &[]);
            say(batch, tea, bob, &[]);
        }
    });
    assert_eq!(between, (503, 3), "own ones between those of others");
}

#[test]
fn mentions_that_do_not_count_push_out_none_that_do() {
    let own = three_unread(|batch, tea, [ann, ..]| {
        for _ in 0..MANY {
            say(batch, tea, ann, &[Mention::User(ann), Mention::All]);
        }
    });
    assert_eq!(own, (3, 3), "own mentions of oneself");
    let blocked = three_unread(|batch, tea, [ann, _, eve]| {
        batch.block(ann, eve, 8).unwrap();
        for _ in 0..MANY {
            say(batch, tea, eve, &[Mention::User(ann)]);
        }
    });
    assert_eq!(blocked, (UNREAD_MAX, 3), "mentions by a blocked user");
}

#[test]
fn a_mention_that_is_too_old_does_not_count_behind_a_message_that_is_not() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let users = ["ann", "bob"].map(|name| user(&mut batch, name));
    let [ann, bob] = users;
    let tea = room(&mut batch, "tea", &users);
    let text = Content::new("x").unwrap();
    let extras = Extras {
        mentions: vec![Mention::User(ann)],
        ..Extras::default()
    };
    // The clock is set back between them.
    for (at, extras) in [(900, &Extras::default()), (100, &extras)] {
        let said = batch.insert_message_with((tea, bob), &text, None, extras, at);
        said.unwrap();
    }
    let counts = |since| batch.counting(ann).unread(tea, 0, since).unwrap();
    assert_eq!([0, 500].map(counts), [(2, 1), (1, 0)]);
}

#[test]
fn own_messages_hide_nothing_behind_full_counts() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let (ann, bob) = (user(&mut batch, "ann"), user(&mut batch, "bob"));
    for n in 10..21 {
        let tea = room(&mut batch, &format!("tea{n}"), &[ann, bob]);
        for _ in 0..1_000 {
            say(&mut batch, tea, bob, &[]);
        }
    }
    for name in ["zx", "zy", "zz"] {
        let last = room(&mut batch, name, &[ann, bob]);
        if name != "zy" {
            for _ in 0..3 {
                say(&mut batch, last, bob, &[Mention::User(ann)]);
            }
        }
        for _ in 0..100 {
            say(&mut batch, last, ann, &[]);
        }
    }
    let counts = unread(&batch, ann);
    assert_eq!(counts[..10], [(1_000, 0); 10]);
    assert_eq!(counts[10..], [(10, 0), (3, 3), (0, 0), (3, 3)]);
}

#[test]
fn a_count_that_is_cut_is_at_least_one() {
    let mut store = Store::in_memory().unwrap();
    store.bound_unread(UnreadBounds {
        most: 10,
        examined: 20,
        least: 2,
    });
    let mut batch = store.batch();
    let users = ["ann", "bob", "eve"].map(|name| user(&mut batch, name));
    let [ann, bob, eve] = users;
    let tea = room(&mut batch, "tea", &users);
    say(&mut batch, tea, bob, &[]);
    for _ in 0..30 {
        say(&mut batch, tea, ann, &[]);
        say(&mut batch, tea, eve, &[]);
    }
    hide(&mut batch, tea, eve);
    assert_eq!(unread(&batch, ann), [(1, 0)]);
}

#[test]
fn a_count_costs_the_same_however_many_own_messages_follow() {
    let cost = |own: u64| {
        let mut store = Store::in_memory().unwrap();
        let mut batch = store.batch();
        let (ann, bob) = (user(&mut batch, "ann"), user(&mut batch, "bob"));
        let tea = room(&mut batch, "tea", &[ann, bob]);
        for _ in 0..3 {
            say(&mut batch, tea, bob, &[Mention::User(ann)]);
        }
        for _ in 0..own {
            say(&mut batch, tea, ann, &[]);
        }
        for _ in 0..10 {
            let id = say(&mut batch, tea, bob, &[]);
            batch.remove_content(id, 8).unwrap();
        }
        let before = batch.usage();
        assert_eq!(unread(&batch, ann), [(3, 3)]);
        let after = batch.usage();
        (
            after.statements - before.statements,
            after.steps - before.steps,
        )
    };
    let (few, many) = (cost(10), cost(5_000));
    assert_eq!(few.0, many.0, "statements");
    assert!(few.1.abs_diff(many.1) <= 20, "steps: {few:?} {many:?}");
}

#[derive(Clone, Debug)]
enum Act {
    Say(usize, bool),
    Delete(usize),
    Read(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => (0..3_usize, any::<bool>()).prop_map(|(by, names)| Act::Say(by, names)),
        2 => (0..20_usize).prop_map(Act::Delete),
        1 => (0..20_usize).prop_map(Act::Read),
    ];
    prop::collection::vec(act, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Against the plain definition, with a bound that a few messages reach.
    #[test]
    fn unread_counts_are_what_they_say(acts in acts(), erases in any::<bool>(), repairs in any::<bool>()) {
        let most = 3;
        let mut store = Store::in_memory().unwrap();
        store.bound_unread(UnreadBounds { most, ..UnreadBounds::default() });
        let mut batch = store.batch();
        let users = ["ann", "bob", "eve"].map(|name| user(&mut batch, name));
        let [ann, _, eve] = users;
        let tea = room(&mut batch, "tea", &users);
        let mut said: Vec<(MessageId, UserId, bool, bool)> = Vec::new();
        let mut read = MessageId(0);
        for act in acts {
            let nth = |back: usize| said.len().checked_sub(back + 1);
            match act {
                Act::Say(by, names) => {
                    let mentions = [Mention::User(ann)];
                    let id = say(&mut batch, tea, users[by], &mentions[..usize::from(names)]);
                    said.push((id, users[by], names, true));
                }
                Act::Delete(back) => if let Some(at) = nth(back) {
                    batch.remove_content(said[at].0, 8).unwrap();
                    said[at].3 = false;
                },
                Act::Read(back) => if let Some(at) = nth(back) {
                    read = read.max(said[at].0);
                    batch.mark_read(ann, tea, said[at].0).unwrap();
                },
            }
        }
        if erases {
            hide(&mut batch, tea, eve);
        }
        if repairs {
            let _ = batch.commit().unwrap();
            super::super::check::derive(store.connection()).unwrap();
            batch = store.batch();
        }
        let unread_ones = said.iter().filter(|(id, by, _, is_there)| {
            *id > read && *by != ann && *is_there && !(erases && *by == eve)
        });
        let mentions = unread_ones.clone().filter(|(_, _, names, _)| *names).count() as u64;
        let count = unread_ones.count() as u64;
        prop_assert_eq!(unread(&batch, ann), [(count.min(most), mentions.min(most))]);
    }
}
