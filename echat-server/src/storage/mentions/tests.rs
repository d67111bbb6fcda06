use echat_proto::names::{Content, RoomName, Username};
use proptest::prelude::*;

use super::super::{ConversationId, Extras, Mention, Store};
use super::*;

/// Ann, whom others mention, bob, and eve, whom ann blocks.
fn users(batch: &mut Batch<'_>) -> [UserId; 3] {
    let users = ["ann", "bob", "eve"].map(|name| {
        let name = Username::new(name).unwrap();
        batch.create_user(&name, "phc", 1).unwrap().unwrap()
    });
    batch.block(users[0], users[2], 1).unwrap();
    users
}

fn rooms(batch: &mut Batch<'_>, users: &[UserId], count: usize) -> Vec<ConversationId> {
    let rooms = (0..count).map(|number| {
        let name = RoomName::new(&format!("r{number}")).unwrap();
        let room = batch.create_room(&name, users[1], 1).unwrap().unwrap();
        for user in users {
            batch.add_member(room, *user, 1).unwrap();
        }
        room
    });
    rooms.collect()
}

fn say(batch: &mut Batch<'_>, to: ConversationId, from: UserId, mentions: &[Mention]) -> i64 {
    let extras = Extras {
        mentions: mentions.to_vec(),
        ..Extras::default()
    };
    let text = Content::new("x").unwrap();
    let said = batch.insert_message_with((to, from), &text, None, &extras, 7);
    said.unwrap().row()
}

/// A page, the number of portions that it took, and the most steps of one.
fn listed(
    batch: &Batch<'_>,
    user: UserId,
    before: Option<i64>,
    limit: usize,
) -> (Page, usize, u64) {
    let mut begun = batch.usage().steps;
    let before = before.map(MessageId::of_row);
    let mut listed = batch.mentions(user, before, limit, 100_000).unwrap();
    let (mut portions, mut most) = (1, 0);
    loop {
        let steps = batch.usage().steps;
        most = most.max(steps - begun);
        begun = steps;
        match listed {
            MentionsProgress::Page(page) => return (page, portions, most),
            MentionsProgress::Part(mentions) => listed = batch.mentions_on(mentions).unwrap(),
        }
        portions += 1;
    }
}

fn ids(page: &Page) -> Vec<i64> {
    page.messages
        .iter()
        .map(|message| message.id.row())
        .collect()
}

#[test]
fn mentions_by_blocked_users_are_passed_over_in_portions() {
    let portion = |count: usize, each: usize| {
        let mut store = Store::in_memory().unwrap();
        let mut batch = store.batch();
        let users = users(&mut batch);
        let rooms = rooms(&mut batch, &users, count);
        let oldest = say(&mut batch, rooms[0], users[1], &[Mention::User(users[0])]);
        for room in &rooms {
            for _ in 0..each {
                say(&mut batch, *room, users[2], &[Mention::All]);
            }
        }
        let (page, portions, most) = listed(&batch, users[0], None, 50);
        assert_eq!(ids(&page), [oldest]);
        assert!(!page.more);
        assert!(portions >= count * each / 1_000, "{portions}");
        most
    };
    let (few, many) = (portion(3, 700), portion(12, 700));
    // 50 ns each: about a millisecond.
    assert!(few < 40_000 && many < 40_000, "{few} {many}");
}

#[test]
fn a_page_of_the_newest_mentions_reads_little_of_other_rooms() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let users = users(&mut batch);
    let rooms = rooms(&mut batch, &users, 10);
    let mut said = Vec::new();
    for room in &rooms {
        for _ in 0..100 {
            said.push(say(&mut batch, *room, users[1], &[Mention::User(users[0])]));
        }
    }
    let (page, portions, _) = listed(&batch, users[0], None, 50);
    assert_eq!(ids(&page), said[950..]);
    assert!(page.more);
    assert_eq!(portions, 1);
    let before = batch.usage();
    listed(&batch, users[0], None, 1);
    let steps = batch.usage().steps - before.steps;
    assert!(steps < 2_500, "{steps}");
}

#[test]
fn what_is_not_seen_any_more_at_the_end_is_left_out() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let users = users(&mut batch);
    let rooms = rooms(&mut batch, &users, 2);
    let ann = Mention::User(users[0]);
    let kept = say(&mut batch, rooms[0], users[1], &[ann]);
    for _ in 0..700 {
        say(&mut batch, rooms[0], users[2], &[Mention::All]);
    }
    let edited = say(&mut batch, rooms[0], users[1], &[ann]);
    say(&mut batch, rooms[1], users[1], &[ann]);
    let MentionsProgress::Part(begun) = batch.mentions(users[0], None, 50, 10_000).unwrap() else {
        panic!("it ends with the first portion");
    };
    batch.remove_member(rooms[1], users[0]).unwrap();
    let text = Content::new("y").unwrap();
    let edited = MessageId::of_row(edited);
    batch.set_content(edited, &text, &[], 8).unwrap();
    let mut listed = batch.mentions_on(begun).unwrap();
    let page = loop {
        match listed {
            MentionsProgress::Page(page) => break page,
            MentionsProgress::Part(mentions) => listed = batch.mentions_on(mentions).unwrap(),
        }
    };
    assert_eq!(ids(&page), [kept]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_pages_of_a_list_have_each_mention_once(
        said in prop::collection::vec((0..4_usize, 0..3_usize, 0..4_usize), 0..150),
        limit in 1..8_usize,
    ) {
        let mut store = Store::in_memory().unwrap();
        let mut batch = store.batch();
        let users = users(&mut batch);
        let rooms = rooms(&mut batch, &users, 4);
        let mut expected = Vec::new();
        for (room, sender, names) in said {
            let all = [Mention::User(users[0]), Mention::All];
            let names = [&all[..0], &all[..1], &all[1..], &all[..]][names];
            let id = say(&mut batch, rooms[room], users[sender], names);
            if sender != 2 && !names.is_empty() {
                expected.push(id);
            }
        }
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let (page, ..) = listed(&batch, users[0], before, limit);
            let ids = ids(&page);
            prop_assert!(ids.len() <= limit);
            found.splice(0..0, ids.iter().copied());
            before = ids.first().copied();
            if !page.more {
                break;
            }
        }
        prop_assert_eq!(found, expected);
    }
}
