//! Messages: which ones a user sees, in what order, and how many at once.

use echat_proto::names::{Content, RoomName, TxnId, Username};
use echat_server::storage::{Batch, ConversationId, Kind, MessageId, Store, StoredMessage, UserId};
use proptest::prelude::*;

const PLENTY: usize = 1 << 30;

fn user(batch: &mut Batch<'_>, name: &str) -> UserId {
    batch
        .create_user(&Username::new(name).unwrap(), "phc", 1)
        .unwrap()
        .unwrap()
}

fn room(batch: &mut Batch<'_>, name: &str, members: &[UserId]) -> ConversationId {
    let name = RoomName::new(name).unwrap();
    let room = batch.create_room(&name, members[0], 1).unwrap().unwrap();
    for &member in members {
        assert!(batch.add_member(room, member, 1).unwrap());
    }
    room
}

fn say(batch: &mut Batch<'_>, to: ConversationId, from: UserId, text: &str) -> MessageId {
    batch
        .insert_message(to, from, &Content::new(text).unwrap(), None, 7)
        .unwrap()
}

fn ids(messages: &[StoredMessage]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}

#[test]
fn each_friend_sees_the_other_as_the_target() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let (ann, bob) = (user(&mut batch, "ann"), user(&mut batch, "bob"));
    let talk = batch.befriend(ann, bob, 1).unwrap();
    let txn = TxnId::new("t1").unwrap();
    let text = Content::new("hi").unwrap();
    let id = batch
        .insert_message(talk, ann, &text, Some(&txn), 7)
        .unwrap();
    let seen = |reader: UserId| {
        batch
            .history(reader, talk, None, None, 9, PLENTY)
            .unwrap()
            .messages
            .remove(0)
    };
    let (hers, his) = (seen(ann), seen(bob));
    assert_eq!((hers.target.as_str(), hers.sent), ("bob", true));
    assert_eq!((his.target.as_str(), his.sent), ("ann", false));
    assert_eq!(
        (his.kind, his.sender.as_str(), his.send_time),
        (Kind::Private, "ann", 7)
    );
    let sent = batch.find_txn(ann, &txn, &text).unwrap().unwrap();
    assert_eq!((sent.message, sent.is_same), (Some(hers), true));
    let other = Content::new("ho").unwrap();
    assert!(!batch.find_txn(ann, &txn, &other).unwrap().unwrap().is_same);
    assert_eq!(batch.find_txn(bob, &txn, &text).unwrap(), None);
    assert_eq!(id, his.id);
}

#[test]
fn a_repeated_message_that_is_too_old_is_known_and_not_shown() {
    let mut store = Store::in_memory().unwrap();
    store.keep(Some(1));
    let txn = TxnId::new("t").unwrap();
    let text = Content::new("hi").unwrap();
    let mut batch = store.batch_at(100);
    let ann = user(&mut batch, "ann");
    let tea = room(&mut batch, "tea", &[ann]);
    batch
        .insert_message(tea, ann, &text, Some(&txn), 100)
        .unwrap();
    let _receipt = batch.commit().unwrap();
    for (now, is_shown) in [(100 + 86_400, true), (101 + 86_400, false)] {
        let batch = store.batch_at(now);
        let sent = batch.find_txn(ann, &txn, &text).unwrap().unwrap();
        assert!(sent.is_same);
        assert_eq!(sent.message.is_some(), is_shown);
        assert_eq!(sent.target.as_deref(), Some("tea"));
    }
}

#[test]
fn a_member_sees_a_room_from_the_moment_of_joining() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let (ann, bob) = (user(&mut batch, "ann"), user(&mut batch, "bob"));
    let tea = room(&mut batch, "tea", &[ann]);
    say(&mut batch, tea, ann, "before");
    batch.add_member(tea, bob, 1).unwrap();
    let during = say(&mut batch, tea, bob, "during");
    let seen = |batch: &Batch<'_>| {
        let page = batch.history(bob, tea, None, None, 9, PLENTY).unwrap();
        let caught = batch.catch_up(bob, MessageId(0), 9, PLENTY).unwrap();
        let bundle = batch.bundle(bob, 50, 500, PLENTY).unwrap();
        assert_eq!(page.messages, caught.messages);
        assert_eq!(page.messages, bundle.messages);
        assert!(bundle.more.is_empty());
        ids(&page.messages)
    };
    assert_eq!(seen(&batch), [during]);
    let txn = TxnId::new("t").unwrap();
    let text = Content::new("last").unwrap();
    batch
        .insert_message(tea, bob, &text, Some(&txn), 7)
        .unwrap();
    batch.remove_member(tea, bob).unwrap();
    assert!(seen(&batch).is_empty());
    let sent = batch.find_txn(bob, &txn, &text).unwrap().unwrap();
    assert_eq!(sent.target.as_deref(), Some("tea"));
    assert_eq!(batch.mark_read(bob, tea, during).unwrap(), None);
    batch.add_member(tea, bob, 1).unwrap();
    assert!(seen(&batch).is_empty());
    let again = say(&mut batch, tea, ann, "again");
    assert_eq!(seen(&batch), [again]);
}

#[test]
fn the_read_marker_goes_forward_to_the_newest_message_at_most() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let (ann, bob) = (user(&mut batch, "ann"), user(&mut batch, "bob"));
    let tea = room(&mut batch, "tea", &[ann, bob]);
    let first = say(&mut batch, tea, ann, "1");
    let second = say(&mut batch, tea, ann, "2");
    assert_eq!(batch.rooms_of(bob).unwrap()[0].unread, 2);
    assert_eq!(batch.rooms_of(ann).unwrap()[0].unread, 0);
    assert_eq!(batch.mark_read(bob, tea, first).unwrap(), Some(first));
    assert_eq!(
        batch.bundle(bob, 50, 500, PLENTY).unwrap().unread[0].count,
        1
    );
    assert_eq!(
        batch.mark_read(bob, tea, MessageId(u64::MAX)).unwrap(),
        Some(second)
    );
    let writes = batch.writes();
    assert_eq!(batch.mark_read(bob, tea, first).unwrap(), Some(second));
    assert_eq!(batch.writes(), writes);
    assert!(
        batch
            .bundle(bob, 50, 500, PLENTY)
            .unwrap()
            .unread
            .is_empty()
    );
    assert!(
        batch
            .history(bob, tea, None, None, 9, PLENTY)
            .unwrap()
            .messages[1]
            .sent
    );
}

#[test]
fn unread_counts_stop_at_a_thousand() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let (ann, bob) = (user(&mut batch, "ann"), user(&mut batch, "bob"));
    let tea = room(&mut batch, "tea", &[ann, bob]);
    for _ in 0..1_001 {
        say(&mut batch, tea, ann, "x");
    }
    assert_eq!(
        batch.rooms_of(bob).unwrap()[0].unread,
        echat_server::storage::UNREAD_MAX
    );
}

#[test]
fn unread_counts_end_at_a_total_over_many_rooms() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let (ann, bob) = (user(&mut batch, "ann"), user(&mut batch, "bob"));
    for n in 10..22 {
        let tea = room(&mut batch, &format!("tea{n}"), &[ann, bob]);
        for _ in 0..1_000 {
            say(&mut batch, tea, ann, "x");
        }
    }
    let counts: Vec<_> = batch.rooms_of(bob).unwrap();
    let counts: Vec<_> = counts.iter().map(|room| room.unread).collect();
    assert_eq!(counts[..10], [1_000; 10]);
    assert_eq!(
        counts[10..],
        [10; 2],
        "there is something unread all the same"
    );
    let unread = batch.bundle(bob, 50, 500, PLENTY).unwrap().unread;
    assert!(counts.into_iter().eq(unread.iter().map(|line| line.count)));
}

#[test]
fn a_bundle_has_no_message_that_does_not_fit_and_says_so() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let (ann, bob) = (user(&mut batch, "ann"), user(&mut batch, "bob"));
    let tea = room(&mut batch, "tea", &[ann, bob]);
    let said = say(&mut batch, tea, ann, &"x".repeat(4_000));
    let bundle = batch.bundle(bob, 50, 500, 3_000).unwrap();
    assert!(bundle.messages.is_empty());
    assert_eq!(
        (bundle.more.len(), bundle.more[0].target.as_str()),
        (1, "tea")
    );
    assert!(
        bundle.more[0].before > said,
        "the message itself is among the older ones"
    );
}

#[test]
fn a_budget_ends_an_answer_but_never_empties_it() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let (ann, bob) = (user(&mut batch, "ann"), user(&mut batch, "bob"));
    let tea = room(&mut batch, "tea", &[ann, bob]);
    let said: Vec<_> = (0..5)
        .map(|_| say(&mut batch, tea, ann, &"x".repeat(1_000)))
        .collect();
    let page = batch.history(bob, tea, None, None, 9, 1).unwrap();
    assert_eq!((ids(&page.messages), page.more), (said[4..].to_vec(), true));
    let page = batch.catch_up(bob, MessageId(0), 9, 3_000).unwrap();
    assert_eq!((ids(&page.messages), page.more), (said[..2].to_vec(), true));
    let bundle = batch.bundle(bob, 50, 500, 3_000).unwrap();
    assert_eq!(ids(&bundle.messages), said[3..]);
    assert_eq!((bundle.more.len(), bundle.more[0].before), (1, said[3]));
}

/// Three rooms, messages dealt to them by number; ann is in all of them, bob only speaks.
fn dealt(batch: &mut Batch<'_>, deal: &[u8]) -> (UserId, Vec<(ConversationId, Vec<MessageId>)>) {
    let (ann, bob) = (user(batch, "ann"), user(batch, "bob"));
    let mut rooms: Vec<_> = ["one", "two", "three"]
        .into_iter()
        .map(|name| (room(batch, name, &[ann, bob]), Vec::new()))
        .collect();
    for &to in deal {
        let (room, said) = &mut rooms[usize::from(to)];
        said.push(say(batch, *room, bob, "x"));
    }
    (ann, rooms)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_page_equals_the_result_of_a_plain_filter(
        deal in prop::collection::vec(0_u8..3, 0..40),
        before in prop::option::of(0_u64..45),
        after in prop::option::of(0_u64..45),
        limit in 1_usize..12,
    ) {
        let mut store = Store::in_memory().unwrap();
        let mut batch = store.batch();
        let (ann, rooms) = dealt(&mut batch, &deal);
        for (room, said) in rooms {
            let (low, high) = (after.unwrap_or(0), before.unwrap_or(u64::MAX));
            let mut wanted: Vec<_> =
                said.into_iter().filter(|id| id.0 > low && id.0 < high).collect();
            let more = wanted.len() > limit;
            if more && after.is_some() {
                wanted.truncate(limit);
            } else if more {
                wanted.drain(..wanted.len() - limit);
            }
            let (before, after) = (before.map(MessageId), after.map(MessageId));
            let page = batch.history(ann, room, before, after, limit, PLENTY).unwrap();
            prop_assert_eq!((ids(&page.messages), page.more), (wanted, more));
        }
    }

    #[test]
    fn all_conversations_equal_the_result_of_a_plain_sort(
        deal in prop::collection::vec(0_u8..3, 0..40),
        after in 0_u64..45,
        per in 1_usize..8,
        total in 1_usize..16,
    ) {
        let mut store = Store::in_memory().unwrap();
        let mut batch = store.batch();
        let (ann, rooms) = dealt(&mut batch, &deal);

        let mut wanted: Vec<_> = rooms.iter().flat_map(|(_, said)| said.clone()).collect();
        wanted.retain(|id| id.0 > after);
        wanted.sort_unstable();
        let more = wanted.len() > total;
        wanted.truncate(total);
        let page = batch.catch_up(ann, MessageId(after), total, PLENTY).unwrap();
        prop_assert_eq!((ids(&page.messages), page.more), (wanted, more));

        let newest = |said: &Vec<MessageId>| said[said.len().saturating_sub(per)..].to_vec();
        let mut wanted: Vec<_> = rooms.iter().flat_map(|(_, said)| newest(said)).collect();
        wanted.sort_unstable();
        wanted.drain(..wanted.len().saturating_sub(total));
        let bundle = batch.bundle(ann, per, total, PLENTY).unwrap();
        prop_assert_eq!(ids(&bundle.messages), &wanted[..]);
        for ((_, said), name) in rooms.iter().zip(["one", "two", "three"]) {
            let left = said.iter().rfind(|id| !wanted.contains(id));
            let next = said.iter().find(|id| wanted.contains(id));
            let before = left.map(|left| next.map_or(left.0 + 1, |next| next.0));
            let line = bundle.more.iter().find(|line| line.target == name);
            prop_assert_eq!(line.map(|line| line.before.0), before);
        }
    }
}
