//! Searches against a model that reads every text, while the index is anywhere between empty and complete.

use echat_proto::names::{Content, RoomName, Username};
use proptest::prelude::*;

use super::super::search_index::{self, BLOCK};
use super::super::{Store, Usage};
use super::*;

const USERS: usize = 3;
const ROOMS: usize = 3;
const TEXTS: [&str; 9] = [
    "hello world",
    "Hello, 世界",
    "今天天气很好",
    "天 foo_bar C++",
    "see #123 at https://example.org/foo",
    "👍 hello hello",
    "ｗｏｒｌｄ café",
    "bar 天气 world",
    "one two three four five six seven eight nine ten eleven twelve hello world a b c d e f g h",
];
const QUERIES: [&str; 15] = [
    "hello",
    "天",
    "天气",
    "今天天气",
    "world hello",
    "\"hello world\"",
    "foo*",
    "foo_bar",
    "c++",
    "👍",
    "cafe",
    // More words than the index is asked for.
    "\"two three four five six seven eight nine ten eleven twelve hello world a b c d e f\"",
    "\"two three four five six seven eight nine ten eleven twelve hello world a b c d f e\"",
    "one two three four five six seven eight nine ten eleven twelve a b c d e f world h*",
    "",
];

/// What happens to the database between searches.
#[derive(Clone, Debug)]
enum Step {
    Say {
        room: usize,
        sender: usize,
        text: usize,
    },
    Edit {
        message: usize,
        text: usize,
    },
    Delete {
        message: usize,
    },
    Leave {
        room: usize,
    },
    Join {
        room: usize,
    },
    Erase {
        sender: usize,
    },
    Index,
    /// The clock is put back.
    PutBack {
        by: i64,
    },
    Search {
        query: usize,
        room: Option<usize>,
        sender: Option<usize>,
        since: Option<i64>,
        until: Option<i64>,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (room, sender, text) = (0..ROOMS, 0..USERS, 0..TEXTS.len());
    let say = (room.clone(), sender.clone(), text.clone());
    let when = || prop::option::weighted(0.2, 0_i64..60);
    let search = (
        0..QUERIES.len(),
        prop::option::weighted(0.3, room.clone()),
        prop::option::weighted(0.3, sender.clone()),
        when(),
        when(),
    );
    prop_oneof![
        8 => say.prop_map(|(room, sender, text)| Step::Say { room, sender, text }),
        2 => (any::<usize>(), text).prop_map(|(message, text)| Step::Edit { message, text }),
        2 => any::<usize>().prop_map(|message| Step::Delete { message }),
        1 => room.clone().prop_map(|room| Step::Leave { room }),
        2 => room.prop_map(|room| Step::Join { room }),
        1 => sender.prop_map(|sender| Step::Erase { sender }),
        4 => Just(Step::Index),
        1 => (1_i64..30).prop_map(|by| Step::PutBack { by }),
        6 => search.prop_map(|(query, room, sender, since, until)| Step::Search {
            query, room, sender, since, until,
        }),
    ]
}

/// A message as the model has it.
struct ModelMessage {
    id: i64,
    room: usize,
    sender: usize,
    time: i64,
    text: &'static str,
    deleted: bool,
}

/// The database, and what it should have.
struct World {
    store: Store,
    users: Vec<UserId>,
    rooms: Vec<ConversationId>,
    said: Vec<ModelMessage>,
    erased: [bool; USERS],
    /// The id after which the first user sees each room.
    after: [Option<i64>; ROOMS],
    now: i64,
}

impl World {
    fn new() -> Self {
        let mut store = Store::in_memory().unwrap();
        let mut batch = store.batch();
        let users = ["ann", "bob", "cyn"].map(|name| {
            let name = Username::new(name).unwrap();
            batch.create_user(&name, "phc", 1).unwrap().unwrap()
        });
        let rooms = ["r0", "r1", "r2"].map(|name| {
            let name = RoomName::new(name).unwrap();
            let room = batch.create_room(&name, users[1], 1).unwrap().unwrap();
            batch.add_member(room, users[1], 1).unwrap();
            room
        });
        batch.add_member(rooms[0], users[0], 1).unwrap();
        let _ = batch.commit().unwrap();
        Self {
            store,
            users: users.into(),
            rooms: rooms.into(),
            said: Vec::new(),
            erased: [false; USERS],
            after: [Some(0), None, None],
            now: 1,
        }
    }

    fn act(&mut self, step: &Step) {
        self.now += 1;
        let mut batch = self.store.batch();
        match *step {
            Step::Say { room, sender, text } => {
                let content = Content::new(TEXTS[text]).unwrap();
                let (at, from) = (self.rooms[room], self.users[sender]);
                let id = batch.insert_message(at, from, &content, None, self.now);
                self.said.push(ModelMessage {
                    id: id.unwrap().row(),
                    room,
                    sender,
                    time: self.now,
                    text: TEXTS[text],
                    deleted: false,
                });
            }
            Step::Edit { message, text } => {
                edit(&mut batch, &mut self.said, message, text, self.now);
            }
            Step::Delete { message } => {
                let count = self.said.len().max(1);
                if let Some(said) = self.said.get_mut(message % count) {
                    said.deleted = true;
                    batch
                        .remove_content(MessageId::of_row(said.id), self.now)
                        .unwrap();
                }
            }
            Step::Leave { room } => {
                batch
                    .remove_member(self.rooms[room], self.users[0])
                    .unwrap();
                self.after[room] = None;
            }
            Step::Join { room } => {
                let came = batch.add_member(self.rooms[room], self.users[0], self.now);
                if came.unwrap() {
                    let newest = self.said.last().map_or(0, |said| said.id);
                    self.after[room] = Some(newest);
                }
            }
            Step::Erase { sender } => {
                let sql = "UPDATE users SET erased = 1 WHERE id = ?1";
                batch.write(sql, [self.users[sender]]).unwrap();
                self.erased[sender] = true;
            }
            Step::Index => {
                batch.index_messages().unwrap();
            }
            Step::PutBack { by } => self.now = (self.now - by).max(1),
            Step::Search {
                query,
                room,
                sender,
                since,
                until,
            } => {
                drop(batch);
                self.search(query, room, sender, (since, until));
                return;
            }
        }
        let _ = batch.commit().unwrap();
    }

    /// Compares all pages of a search with the model.
    fn search(
        &mut self,
        query: usize,
        room: Option<usize>,
        sender: Option<usize>,
        (since, until): (Option<i64>, Option<i64>),
    ) {
        let query = SearchQuery::new(QUERIES[query]);
        let expected: Vec<i64> = self
            .said
            .iter()
            .rev()
            .filter(|said| {
                self.after[said.room].is_some_and(|after| after < said.id)
                    && !said.deleted
                    && !self.erased[said.sender]
                    && room.is_none_or(|room| room == said.room)
                    && sender.is_none_or(|sender| sender == said.sender)
                    && since.is_none_or(|since| since <= said.time)
                    && until.is_none_or(|until| said.time <= until)
                    && query.matches(said.text)
            })
            .map(|said| said.id)
            .collect();
        let mut wanted = SearchRequest {
            query,
            conversation: room.map(|room| self.rooms[room]),
            sender: sender.map(|sender| self.users[sender]),
            since,
            until,
            before: None,
            limit: 3,
            budget: 10_000,
        };
        let mut found = Vec::new();
        loop {
            let page = searched(&mut self.store, self.users[0], &wanted).0;
            assert!(page.messages.len() <= 3);
            assert_eq!(page.indexed, None);
            found.extend(page.messages.iter().map(|message| message.id.row()));
            let Some(next) = page.next else { break };
            assert!(Some(next) < wanted.before || wanted.before.is_none());
            wanted.before = Some(next);
        }
        assert_eq!(found, expected, "{wanted:?}");
    }
}

/// Edits a message, unless it is deleted.
fn edit(batch: &mut Batch<'_>, said: &mut [ModelMessage], message: usize, text: usize, now: i64) {
    let count = said.len().max(1);
    if let Some(said) = said.get_mut(message % count).filter(|said| !said.deleted) {
        said.text = TEXTS[text];
        let content = Content::new(said.text).unwrap();
        let edited = batch.set_content(MessageId::of_row(said.id), &content, &[], now);
        edited.unwrap();
    }
}

/// A page, and the number of portions that it took.
fn searched(store: &mut Store, user: UserId, wanted: &SearchRequest) -> (FoundMessages, usize) {
    let batch = store.batch();
    let mut searched = batch.search(user, wanted.clone()).unwrap();
    let mut portions = 1;
    loop {
        match searched {
            SearchProgress::Page(page) => return (page, portions),
            SearchProgress::Part(search) => searched = batch.search_on(search).unwrap(),
        }
        portions += 1;
    }
}

fn wanted(query: &str) -> SearchRequest {
    SearchRequest {
        query: SearchQuery::new(query),
        conversation: None,
        sender: None,
        since: None,
        until: None,
        before: None,
        limit: 50,
        budget: 100_000,
    }
}

fn ids(page: &FoundMessages) -> Vec<i64> {
    page.messages
        .iter()
        .map(|message| message.id.row())
        .collect()
}

/// Says texts in the first room, and indexes them if so wanted.
fn say(world: &mut World, room: usize, texts: impl IntoIterator<Item = String>, index: bool) {
    let mut batch = world.store.batch();
    for text in texts {
        let content = Content::new(text).unwrap();
        let sent = batch.insert_message(world.rooms[room], world.users[1], &content, None, 1);
        sent.unwrap();
    }
    while index && batch.index_messages().unwrap().is_some() {}
    let _ = batch.commit().unwrap();
}

/// Words of the index, without the numbers of their blocks.
fn index_words(store: &Store) -> Vec<String> {
    let db = store.connection();
    let vocabulary =
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.all_words USING fts5vocab(main, search, row)";
    db.execute_batch(vocabulary).unwrap();
    let mut words = db
        .prepare("SELECT substr(term, 7) FROM temp.all_words")
        .unwrap();
    let words = words.query_map([], |row| row.get(0)).unwrap();
    words.collect::<rusqlite::Result<_>>().unwrap()
}

proptest! {
    #[test]
    fn a_search_finds_what_reading_every_text_finds(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            world.act(step);
        }
        for query in 0..QUERIES.len() {
            world.search(query, None, None, (None, None));
        }
        prop_assert_eq!(search_index::faults(world.store.connection()).unwrap(), Vec::<String>::new());
        let mut batch = world.store.batch();
        while batch.index_messages().unwrap().is_some() {}
        let _ = batch.commit().unwrap();
        prop_assert!(!world.store.is_unindexed());
        prop_assert_eq!(world.store.batch().search_lag().unwrap(), 0);
        prop_assert_eq!(search_index::faults(world.store.connection()).unwrap(), Vec::<String>::new());
        for query in 0..QUERIES.len() {
            world.search(query, None, None, (None, None));
        }
        // Nothing of a text that was deleted or edited away is left.
        let kept: Vec<&str> = world.said.iter().filter(|said| !said.deleted).map(|said| said.text).collect();
        let kept: Vec<String> = kept.iter().flat_map(|text| super::super::search_words::words(text)).collect();
        for word in index_words(&world.store) {
            prop_assert!(kept.contains(&word), "{}", word);
        }
    }
}

#[test]
fn a_long_search_is_cut_into_portions_of_the_same_result() {
    let mut world = World::new();
    say(
        &mut world,
        0,
        (0..3_000).map(|number| format!("tea {number}")),
        false,
    );
    let (page, portions) = searched(&mut world.store, world.users[0], &wanted("tea 7"));
    assert_eq!(ids(&page), [8]);
    // A text of eight bytes is 2 us of 1,000.
    assert_eq!(portions, 7);
    let mut batch = world.store.batch();
    while batch.index_messages().unwrap().is_some() {}
    let _ = batch.commit().unwrap();
    let (indexed, portions) = searched(&mut world.store, world.users[0], &wanted("tea 7"));
    assert_eq!((indexed, portions), (page, 1));
}

#[test]
fn few_messages_take_one_portion_unless_segments_are_to_merge() {
    let mut world = World::new();
    let mut portions = Vec::new();
    for number in 0..9 {
        say(&mut world, 0, [format!("tea {number}")], false);
        let mut made = 1;
        let mut batch = world.store.batch();
        while batch.index_messages().unwrap().is_some() {
            made += 1;
        }
        let _ = batch.commit().unwrap();
        portions.push(made);
    }
    let in_one = portions.iter().filter(|made| **made == 1).count();
    assert!(in_one >= 6, "{portions:?}");
    assert!(in_one < 9, "segments are merged: {portions:?}");
}

#[test]
fn a_message_that_is_edited_during_a_search_is_found_if_it_matches_before_and_after() {
    // So many words in so long a text cost more than a portion: a portion visits one block.
    let words: Vec<String> = (0..60).map(|number| format!("w{number}")).collect();
    let words = words.join(" ");
    let text = [words.as_str(); 40].join(" ");
    for (indexes, is_visited) in [(0, false), (1, false), (2, false), (0, true), (2, true)] {
        let mut world = World::new();
        let edited = i64::from(is_visited);
        for room in 0..2 {
            say(&mut world, room, [text.clone()], true);
        }
        // The newest block is visited first.
        let batch = world.store.batch();
        let begun = batch.search(world.users[1], wanted(&words)).unwrap();
        drop(batch);
        let SearchProgress::Part(mut search) = begun else {
            panic!("it ends with the first portion")
        };
        let mut batch = world.store.batch();
        let later = Content::new(format!("{text} later")).unwrap();
        let id = MessageId::of_row(edited + 1);
        batch.set_content(id, &later, &[], 2).unwrap();
        for _ in 0..indexes {
            batch.index_messages().unwrap();
        }
        let _ = batch.commit().unwrap();
        let page = loop {
            match world.store.batch().search_on(search).unwrap() {
                SearchProgress::Part(left) => search = left,
                SearchProgress::Page(page) => break page,
            }
        };
        assert_eq!(ids(&page), [2, 1], "{indexes} {is_visited}");
    }
}

#[test]
fn a_message_of_a_batch_that_is_not_kept_is_no_other_one_with_its_id() {
    // As above: one portion is not enough.
    let words: Vec<String> = (0..60).map(|number| format!("w{number}")).collect();
    let words = words.join(" ");
    let text = [words.as_str(); 40].join(" ");
    let mut world = World::new();
    say(&mut world, 0, [text.clone()], true);
    let mut batch = world.store.batch();
    let content = Content::new(text).unwrap();
    let said = batch.insert_message(world.rooms[0], world.users[1], &content, None, 1);
    let lost = said.unwrap().row();
    let begun = batch.search(world.users[1], wanted(&words)).unwrap();
    let SearchProgress::Part(mut search) = begun else {
        panic!("it ends with the first portion")
    };
    assert!(search.found.contains_key(&lost));
    drop(batch);
    // The id is given out again, elsewhere.
    say(&mut world, 1, ["a secret".to_owned()], true);
    let page = loop {
        match world.store.batch().search_on(search).unwrap() {
            SearchProgress::Part(left) => search = left,
            SearchProgress::Page(page) => break page,
        }
    };
    assert_eq!(world.store.batch().newest_id().unwrap().row(), lost);
    assert_eq!(ids(&page), [lost - 1]);
}

#[test]
fn the_lag_of_the_index_counts_new_edited_and_deleted_messages_and_ends() {
    let mut world = World::new();
    let lag = |world: &mut World| world.store.batch().search_lag().unwrap();
    assert_eq!(lag(&mut world), 0);
    let texts = |count: i64| (0..count).map(|number| format!("tea {number}"));
    say(&mut world, 0, texts(300), false);
    assert_eq!(lag(&mut world), 300);
    let mut batch = world.store.batch();
    assert!(
        batch.index_messages().unwrap().is_some(),
        "a portion is not all"
    );
    assert!((1..300).contains(&batch.search_lag().unwrap()));
    while batch.index_messages().unwrap().is_some() {}
    assert_eq!(batch.search_lag().unwrap(), 0);
    let other = Content::new("coffee").unwrap();
    batch
        .set_content(MessageId::of_row(1), &other, &[], 2)
        .unwrap();
    batch.remove_content(MessageId::of_row(2), 2).unwrap();
    assert_eq!(batch.search_lag().unwrap(), 2);
    while batch.index_messages().unwrap().is_some() {}
    assert_eq!(batch.search_lag().unwrap(), 0);
    // A database from before the index: older messages follow, from the newest one on.
    batch
        .write("UPDATE search_progress SET above = 100", [])
        .unwrap();
    assert_eq!(batch.search_lag().unwrap(), 100);
    let _ = batch.commit().unwrap();
    // The count reads a bounded number of rows.
    let counted = search_index::LAG_COUNTED;
    let mut world = World::new();
    say(&mut world, 0, texts(counted + 10), false);
    assert_eq!(lag(&mut world), counted.unsigned_abs());
}

#[test]
fn messages_of_several_blocks_are_found_in_order() {
    let mut world = World::new();
    let many = usize::try_from(BLOCK).unwrap() + 100;
    let texts = (0..many).map(|number| format!("w{}", number % 97));
    say(&mut world, 0, texts, true);
    let blocks: i64 = world
        .store
        .connection()
        .query_row("SELECT count(*) FROM search_blocks", [], |row| row.get(0))
        .unwrap();
    assert_eq!(blocks, 2);
    let expected = (0..many).rev().filter(|number| number % 97 == 5);
    let expected: Vec<i64> = expected
        .map(|number| i64::try_from(number).unwrap() + 1)
        .collect();
    let mut wanted = SearchRequest {
        limit: 20,
        ..wanted("w5")
    };
    let mut found = Vec::new();
    loop {
        let page = searched(&mut world.store, world.users[0], &wanted).0;
        found.extend(ids(&page));
        let Some(next) = page.next else { break };
        wanted.before = Some(next);
    }
    assert_eq!(found, expected);
}

/// What a search costs, in all that is counted.
fn cost(world: &mut World, query: &str) -> Usage {
    let batch = world.store.batch();
    let found = batch.search(world.users[0], wanted(query)).unwrap();
    assert!(matches!(found, SearchProgress::Page(_)), "one portion");
    batch.usage()
}

#[test]
fn a_search_costs_the_same_with_a_thousand_rooms_of_others() {
    for index in [false, true] {
        let mut world = World::new();
        let texts = (0..50).map(|number| format!("tea 天气 {number}"));
        say(&mut world, 0, texts.clone(), index);
        let queries = ["tea", "天", "tea 7", "\"tea 天气\"", "te*"];
        let alone = queries.map(|query| cost(&mut world, query));
        let mut batch = world.store.batch();
        for number in 0..1_000 {
            let name = RoomName::new(&format!("other{number}")).unwrap();
            let room = batch
                .create_room(&name, world.users[1], 1)
                .unwrap()
                .unwrap();
            batch.add_member(room, world.users[1], 1).unwrap();
            for text in texts.clone().take(3) {
                let text = Content::new(text).unwrap();
                batch
                    .insert_message(room, world.users[1], &text, None, 1)
                    .unwrap();
            }
        }
        while index && batch.index_messages().unwrap().is_some() {}
        let _ = batch.commit().unwrap();
        let among = queries.map(|query| cost(&mut world, query));
        for ((query, among), alone) in queries.iter().zip(&among).zip(&alone) {
            let work = |usage: &Usage| (usage.statements, usage.index_micros);
            assert_eq!(work(among), work(alone), "indexed: {index}");
            // A search for a number in a tree may take one more step, or one less. Other queries than one word are
            // looked up in each segment of the index.
            let most = if index && *query != "tea" { 2_000 } else { 3 };
            assert!(
                among.steps.abs_diff(alone.steps) <= most,
                "{query}: {among:?} {alone:?}"
            );
        }
    }
}

#[test]
fn a_search_of_a_time_reads_the_messages_of_that_time() {
    let mut world = World::new();
    let mut batch = world.store.batch();
    for number in 0..4_000 {
        let content = Content::new(format!("tea {number}")).unwrap();
        let sent = batch.insert_message(world.rooms[0], world.users[1], &content, None, number);
        sent.unwrap();
    }
    while batch.index_messages().unwrap().is_some() {}
    let _ = batch.commit().unwrap();
    for query in ["tea", ""] {
        let mut work = |since: i64| {
            let batch = world.store.batch();
            let request = SearchRequest {
                since: Some(since),
                until: Some(since + 9),
                ..wanted(query)
            };
            let SearchProgress::Page(page) = batch.search(world.users[0], request).unwrap() else {
                panic!("more than one portion");
            };
            let newest = 1 + since + 9;
            assert_eq!(ids(&page), (newest - 9..=newest).rev().collect::<Vec<_>>());
            (batch.usage().steps, batch.usage().index_micros)
        };
        // The newest ones, those of the middle, and the oldest ones.
        for since in [3_990, 2_000, 0] {
            let (steps, micros) = work(since);
            assert!(
                steps < 2_000 && micros < 200,
                "{query:?} {since}: {steps} {micros}"
            );
        }
    }
}

#[test]
fn what_the_asker_cannot_see_is_not_read() {
    let mut world = World::new();
    say(
        &mut world,
        1,
        (0..2_000).map(|number| format!("tea {number}")),
        true,
    );
    let before = cost(&mut world, "tea");
    // A member who came later sees nothing of it, at the cost of one block at most.
    let mut batch = world.store.batch();
    batch.add_member(world.rooms[1], world.users[0], 1).unwrap();
    let _ = batch.commit().unwrap();
    let after = cost(&mut world, "tea");
    assert!(after.steps < before.steps + 50, "{before:?} {after:?}");
    assert_eq!(
        searched(&mut world.store, world.users[0], &wanted("tea"))
            .0
            .messages,
        []
    );
}

#[test]
fn an_older_database_is_indexed_from_the_newest_message_back() {
    let mut world = World::new();
    say(
        &mut world,
        0,
        (0..600).map(|number| format!("tea {number}")),
        false,
    );
    // As a migration leaves it.
    let db = world.store.connection();
    db.execute_batch("INSERT INTO search_progress (id, above, upto) VALUES (1, 600, 600)")
        .unwrap();
    let mut lowest = 601;
    loop {
        let page = searched(
            &mut world.store,
            world.users[0],
            &SearchRequest {
                limit: 200,
                ..wanted("tea")
            },
        )
        .0;
        let Some(indexed) = page.indexed else { break };
        assert!(indexed.row() <= lowest);
        lowest = indexed.row();
        let expected = (lowest..=600).rev().take(200);
        assert_eq!(ids(&page), expected.collect::<Vec<_>>());
        let mut batch = world.store.batch();
        batch.index_messages().unwrap();
        assert!(batch.writes() > 0, "a portion is made");
        // A new message is found at once, and indexed before the older ones.
        let _ = batch.commit().unwrap();
    }
    say(&mut world, 0, ["tea 599 again".to_owned()], false);
    let page = searched(&mut world.store, world.users[0], &wanted("599")).0;
    assert_eq!(ids(&page), [601, 600]);
    assert_eq!(
        search_index::faults(world.store.connection()).unwrap(),
        Vec::<String>::new()
    );
}

#[test]
fn the_longest_text_is_indexed_and_removed_in_portions() {
    let mut world = World::new();
    let long: Vec<String> = (0..8_000).map(|number| format!("w{number}")).collect();
    let long = long.join(" ");
    say(&mut world, 0, [long, "tea".to_owned()], true);
    let found = |world: &mut World, query: &str| {
        let page = searched(&mut world.store, world.users[0], &wanted(query)).0;
        ids(&page)
    };
    assert_eq!(found(&mut world, "w7999 w1"), [1]);
    let mut batch = world.store.batch();
    batch.remove_content(MessageId(1), 2).unwrap();
    let _ = batch.commit().unwrap();
    let mut portions = 0;
    loop {
        assert_eq!(found(&mut world, "w7999"), [] as [i64; 0]);
        assert_eq!(found(&mut world, "tea"), [2]);
        let faults = search_index::faults(world.store.connection()).unwrap();
        assert_eq!(faults, Vec::<String>::new());
        let mut batch = world.store.batch();
        let has_more = batch.index_messages().unwrap().is_some();
        let _ = batch.commit().unwrap();
        portions += 1;
        if !has_more {
            break;
        }
    }
    assert!(portions >= 80, "{portions}");
    assert_eq!(index_words(&world.store), ["tea"]);
}

#[test]
fn a_closed_room_leaves_no_word_behind() {
    let mut world = World::new();
    say(
        &mut world,
        0,
        (0..400).map(|number| format!("tea {number}")),
        true,
    );
    let mut batch = world.store.batch();
    let room = batch.find_room("r0").unwrap().unwrap();
    batch.close_room(&room).unwrap();
    let _ = batch.commit().unwrap();
    assert_eq!(
        searched(&mut world.store, world.users[0], &wanted("tea"))
            .0
            .messages,
        []
    );
    for _ in 0..1_000 {
        let mut batch = world.store.batch();
        let (closed, index) = (
            batch.remove_closed(100, 1).unwrap(),
            batch.index_messages().unwrap().is_some(),
        );
        let _ = batch.commit().unwrap();
        if !closed && !index {
            break;
        }
    }
    assert_eq!(index_words(&world.store), [] as [String; 0]);
    let rows = "SELECT (SELECT count(*) FROM search_blocks) + (SELECT count(*) FROM search_stale)
                     + (SELECT count(*) FROM messages)";
    let left: i64 = world
        .store
        .connection()
        .query_row(rows, [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
}

/// The page of a search, its portions, and what they cost in microseconds of the index.
fn measured(world: &mut World, query: &str) -> (Vec<i64>, usize, u64) {
    let batch = world.store.batch();
    let mut searched = batch.search(world.users[0], wanted(query)).unwrap();
    let mut portions = 1;
    loop {
        match searched {
            SearchProgress::Page(page) => {
                return (ids(&page), portions, batch.usage().index_micros);
            }
            SearchProgress::Part(search) => searched = batch.search_on(search).unwrap(),
        }
        portions += 1;
    }
}

#[test]
fn words_that_the_texts_of_a_block_repeat_are_compared_in_portions() {
    let mut world = World::new();
    let text = format!("{}b c", "a ".repeat(1_990));
    say(&mut world, 0, vec![text; 200], true);
    let phrase = format!("\"{}c\"", "a ".repeat(125));
    let (found, portions, micros) = measured(&mut world, &phrase);
    assert_eq!(found, [] as [i64; 0]);
    // All texts are read: a microsecond for each 64 bytes.
    assert!(micros > 200 * 3_984 / 64, "{micros}");
    assert!(portions > 10, "{portions}");
    // Words that are rare in the texts cost little.
    let (found, portions, micros) = measured(&mut world, "\"b c\"");
    // As many texts as a page has room for.
    assert_eq!(found.len(), 23);
    assert!(portions == 1 && micros < 1_000, "{portions} {micros}");
}

#[test]
fn a_beginning_of_many_words_is_read_in_portions() {
    let mut world = World::new();
    let text = |number: usize| {
        let words = (0..300).map(|word| format!("a{:x}", (number * 300 + word) * 7_919));
        words.collect::<Vec<String>>().join(" ")
    };
    let rare = [format!("tea {}", text(0)), "other text".to_owned()];
    say(
        &mut world,
        0,
        rare.into_iter().chain((1..300).map(text)),
        true,
    );
    let (found, portions, micros) = measured(&mut world, "a* other");
    assert_eq!(found, [] as [i64; 0]);
    assert!(
        micros < 100 && portions == 1,
        "the index is asked for the other word: {micros}"
    );
    let (found, _, micros) = measured(&mut world, "a* tea");
    assert_eq!(found, [1]);
    assert!(micros < 500, "{micros}");
    let (found, portions, micros) = measured(&mut world, "a* e*");
    assert_eq!(found, [] as [i64; 0]);
    assert!(micros < 100 && portions == 1, "{micros}");
    // The newest texts have it, so few are read.
    let (found, _, micros) = measured(&mut world, "a*");
    assert_eq!(found.len(), 30);
    assert!(micros < 10_000, "{micros}");
    // A phrase with it is looked for in the texts.
    let (found, portions, micros) = measured(&mut world, "\"zz a\"*");
    assert_eq!(found, [] as [i64; 0]);
    assert!(
        portions > 5 && micros > 300 * 2_000 / 64,
        "{portions} {micros}"
    );
}

#[test]
fn what_the_index_is_not_asked_for_costs_as_much_as_its_texts() {
    let query = "a b ".repeat(60);
    let many: Vec<String> = (0..80).map(|number| format!("w{number}")).collect();
    let mut world = World::new();
    let text = many.join(" ");
    say(&mut world, 0, vec![text.clone(); 100], true);
    let near = text.replace("w79", "other");
    let queries = [
        (text.as_str(), true),
        (near.as_str(), false),
        (query.as_str(), false),
    ];
    for (query, is_found) in queries {
        let plan = world.store.batch();
        let asked = plan.block_query(&SearchQuery::new(query), 1).unwrap();
        let asked = asked.unwrap();
        assert!(asked.expression.matches('"').count() <= 2 * 16);
        drop(plan);
        let (found, _, micros) = measured(&mut world, query);
        assert_eq!(found.len(), if is_found { 50 } else { 0 });
        assert!(!is_found || micros > 50 * 80 / 8, "{micros}");
    }
}

#[test]
fn removals_and_new_messages_share_the_portions_of_the_index() {
    let mut world = World::new();
    let texts =
        |from: i64| (from..from + 100).map(|number| format!("w{number} x{number} y{number}"));
    say(&mut world, 0, texts(0), true);
    let mut batch = world.store.batch();
    for id in 1..=100 {
        let text = Content::new("z").unwrap();
        let id = MessageId::of_row(id);
        if id.row() % 2 == 0 {
            batch.remove_content(id, 2).unwrap();
        } else {
            batch.set_content(id, &text, &[], 2).unwrap();
        }
    }
    let _ = batch.commit().unwrap();
    say(&mut world, 0, texts(100), false);
    let count = |world: &World, of: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM search_stale WHERE {of}");
        world
            .store
            .connection()
            .query_row(&sql, [], |row| row.get(0))
            .unwrap()
    };
    let mut batch = world.store.batch();
    batch.index_messages().unwrap();
    let _ = batch.commit().unwrap();
    // 25 words of each kind, and 100 messages of 128.
    assert_eq!(count(&world, "id % 2 = 0"), 50 - 8);
    assert_eq!(count(&world, "id % 2 = 1"), 50 - 8);
    assert_eq!(
        search_index::covered(&world.store.batch()).unwrap().upto,
        200
    );
    let mut portions = 1;
    loop {
        let mut batch = world.store.batch();
        let is_left = batch.index_messages().unwrap().is_some();
        let _ = batch.commit().unwrap();
        let faults = search_index::faults(world.store.connection()).unwrap();
        assert_eq!(faults, Vec::<String>::new());
        if !is_left {
            break;
        }
        portions += 1;
    }
    assert!(portions >= 4, "{portions}");
}
