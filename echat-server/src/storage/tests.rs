//! What only the inside can tell: migrations step by step, and what queries cost.

use echat_proto::names::{Content, RoomName, TxnId, Username};
use rusqlite::{Connection, StatementStatus};

use super::annotations::{
    JOINED_AFTER, MENTIONING, MENTIONS_OF, NAMED, REACTIONS_TO, UNREAD_MENTIONS,
};
use super::bans::{BAN, BAN_COUNT};
use super::blocks::BLOCK_COUNT;
use super::closed_rooms::NEXT;
use super::contacts::{FRIEND, OLDEST_PENDING, PENDING, PENDING_COUNT, PRUNE};
use super::deletion::{BLOCKERS, INVITATIONS_FROM, REQUESTS_FROM, REQUESTS_FROM_DELETED};
use super::dependents::{OF_ACCOUNT, OF_ACCOUNT_AT_ONCE, OF_ROOM};
use super::history::{
    NEWEST, NEWEST_IDS, NEXT_TIME, OLDEST, OLDEST_IDS, ONE, PARTICIPATION, PARTICIPATIONS, SEEN,
    UNREAD,
};
use super::invitations::{COUNTS, INVITED, INVITER};
use super::messages::MARKERS;
use super::migrate::{MIGRATIONS, migrate};
use super::name_search::{ROOMS, USERS};
use super::retention::{ENTRIES, FIRST_SOME, FORGOTTEN, LAST, NEXT_CONVERSATION, NEXT_ROOM};
use super::rooms::{OWN_ROOM, PUBLIC_ROOMS, SUCCESSOR};
use super::skeletons::ALIKE;
use super::*;

/// A database file as version `version` of the schema left it.
fn older_database(path: &std::path::Path, version: usize) {
    let mut db = Connection::open(path).unwrap();
    migrate(&mut db, &MIGRATIONS[..version]).unwrap();
}

#[test]
fn every_older_schema_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = dir.path().join("fresh.db");
    create_template(&fresh).unwrap();
    for version in 0..=MIGRATIONS.len() {
        let path = dir.path().join(format!("{version}.db"));
        older_database(&path, version);
        drop(Store::open(&path).unwrap());
        assert_eq!(schema_dump(&path).unwrap(), schema_dump(&fresh).unwrap());
    }
}

#[test]
fn an_upgrade_keeps_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("1.db");
    older_database(&path, 1);
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "INSERT INTO users VALUES (7, 'ann', 'ann', '$argon2id$', 1);
         INSERT INTO conversations VALUES (3, 1);
         INSERT INTO rooms VALUES (3, 'tea', 'tea', 7, 1, 1);
         INSERT INTO participants VALUES (7, 3, 0, 0, 1);",
    )
    .unwrap();
    drop(db);
    let mut store = Store::open(&path).unwrap();
    let batch = store.batch();
    assert_eq!(batch.rooms(9).unwrap(), [("tea".into(), "ann".into(), 1)]);
}

#[test]
fn an_upgrade_gives_each_room_an_owner_that_is_a_member_and_closes_empty_rooms() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("5.db");
    older_database(&path, 5);
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "INSERT INTO users VALUES (1, 'ann', 'phc', 1), (2, 'bob', 'phc', 1), (3, 'cyn', 'phc', 1);
         INSERT INTO conversations VALUES (1, 1), (2, 1), (3, 1);
         INSERT INTO rooms VALUES (1, 'kept', 1, 2, 1), (2, 'left', 1, 2, 1), (3, 'empty', 1, 0, 1);
         INSERT INTO participants VALUES (1, 1, 0, 0, 9), (2, 1, 0, 0, 1),
             (2, 2, 0, 0, 9), (3, 2, 0, 0, 8);
         INSERT INTO left_rooms VALUES (1, 2, 9), (1, 3, 9);
         INSERT INTO name_looks VALUES (1, 'empty', 3);
         INSERT INTO name_endings VALUES (1, 'empty', 3);
         INSERT INTO messages VALUES (1, 3, 1, 1, 'hello', NULL);",
    )
    .unwrap();
    drop(db);
    let mut store = Store::open(&path).unwrap();
    let mut batch = store.batch();
    let rooms = batch.rooms(9).unwrap();
    let expected = [("kept", "ann", 2), ("left", "cyn", 2)];
    let expected = expected.map(|(room, owner, members)| (room.into(), owner.into(), members));
    assert_eq!(rooms, expected);
    assert!(batch.has_left(UserId(1), ConversationId(2)).unwrap());
    // The name of the closed room is free.
    let empty = RoomName::new("empty").unwrap();
    assert!(batch.create_room(&empty, UserId(1), 2).unwrap().is_some());
    let _ = batch.commit().unwrap();
    let closed: i64 = store
        .connection()
        .query_row("SELECT id FROM closed_rooms", [], |row| row.get(0))
        .unwrap();
    assert_eq!(closed, 3);
}

#[test]
fn message_ids_go_on_after_those_that_an_older_version_assigned() {
    for (rows, sequence, next) in [("", "", 1), ("(4)", "4", 5), ("(4)", "9", 10), ("", "7", 8)] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("3.db");
        older_database(&path, 3);
        let db = Connection::open(&path).unwrap();
        db.execute_batch(
            "INSERT INTO users VALUES (1, 'ann', 'phc', 1);
             INSERT INTO conversations VALUES (1, 1);",
        )
        .unwrap();
        if !rows.is_empty() {
            let sql = format!(
                "INSERT INTO messages SELECT column1, 1, 1, 1, 'x', NULL FROM (VALUES {rows})"
            );
            db.execute(&sql, []).unwrap();
        }
        if !sequence.is_empty() {
            db.execute("DELETE FROM sqlite_sequence WHERE name = 'messages'", [])
                .unwrap();
            let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES ('messages', ?1)";
            db.execute(sql, [sequence.parse::<i64>().unwrap()]).unwrap();
        }
        drop(db);
        let mut store = Store::open(&path).unwrap();
        let mut batch = store.batch();
        assert_eq!(batch.newest_id().unwrap(), MessageId(next - 1));
        let text = Content::new("y").unwrap();
        let id = batch.insert_message(ConversationId(1), UserId(1), &text, None, 1);
        assert_eq!(id.unwrap(), MessageId(next));
    }
}

/// Accounts and rooms that are alike by today's rule, as version 2 could have them.
const ALIKE_ACCOUNTS: &str = "
    INSERT INTO users VALUES (1, 'bob', 'bob', 'phc', 1), (2, 'b0b', 'bOb', 'phc', 1),
        (5, 'bob_', 'bob_', 'phc', 1), (6, 'ann', 'ann', 'phc', 1), (7, 'жанна', 'жанна', 'phc', 1);
    UPDATE sqlite_sequence SET seq = 9 WHERE name = 'users';
    INSERT INTO conversations VALUES (3, 1), (4, 1), (8, 0);
    INSERT INTO rooms VALUES (3, 'tea', 'tea', 2, 1, 1), (4, 'tea.', 'tea.', 5, 1, 1);
    INSERT INTO friendships VALUES (1, 5, 8, 1);
    INSERT INTO participants VALUES (1, 8, 0, 0, 1), (5, 8, 0, 0, 1), (2, 3, 0, 0, 1),
        (5, 4, 0, 0, 1);
    INSERT INTO messages VALUES (1, 8, 1, 1, 'hello', NULL);
    INSERT INTO friend_requests VALUES (1, 2, 6, 1);
    INSERT INTO logins VALUES (2, '::1', 1);";

#[test]
fn older_confusable_names_stay_and_new_ones_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("2.db");
    older_database(&path, 2);
    let db = Connection::open(&path).unwrap();
    db.execute_batch(ALIKE_ACCOUNTS).unwrap();
    drop(db);

    let mut store = Store::open(&path).unwrap();
    let mut batch = store.batch();
    for (name, id) in [("bob", 1), ("b0b", 2), ("bob_", 5), ("жанна", 7)] {
        let (found, phc) = batch.credentials(name).unwrap().unwrap();
        assert_eq!(found.id, UserId(id), "{name}");
        assert_eq!(phc, Some("phc".to_owned().into()), "{name}");
    }
    assert_eq!(batch.friends(UserId(5)).unwrap()[0].name, "bob");
    assert_eq!(batch.rooms_of(UserId(2)).unwrap()[0].name, "tea");
    assert_eq!(batch.find_room("tea.").unwrap().unwrap().owner_name, "bob_");
    assert_eq!(batch.pending_requests(UserId(6)).unwrap(), ["b0b"]);
    let new = |name: &str| Username::new(name).unwrap();
    for taken in ["bob", "bob.", "в0в", "ann-", "жанна_"] {
        let made = batch.create_user(&new(taken), "x", 2).unwrap();
        assert_eq!(made, None, "{taken}");
    }
    let tea = RoomName::new("теа").unwrap();
    assert_eq!(batch.create_room(&tea, UserId(1), 2).unwrap(), None);
    // Numbers that were given out are not given out again.
    let eve = batch.create_user(&new("eve"), "x", 2).unwrap().unwrap();
    assert_eq!(eve, UserId(10));
    let _ = batch.commit().unwrap();
    // Foreign keys lead to the new tables and hold.
    let db = store.connection();
    for broken in [
        "INSERT INTO logins VALUES (99, '::1', 1)",
        "INSERT INTO rooms VALUES (99, 'den', 1, 0, 1)",
        "DELETE FROM users WHERE id = 2",
    ] {
        assert!(db.execute(broken, []).is_err(), "{broken}");
    }
    let looks = "SELECT count(*) FROM name_looks WHERE look = 'BOB'";
    let alike: i64 = db.query_row(looks, [], |row| row.get(0)).unwrap();
    assert_eq!(alike, 3);
}

#[test]
fn a_database_whose_references_are_broken_is_not_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("2.db");
    older_database(&path, 2);
    let db = Connection::open(&path).unwrap();
    db.execute_batch(ALIKE_ACCOUNTS).unwrap();
    db.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM users WHERE id = 6;")
        .unwrap();
    drop(db);
    let before = schema_dump(&path).unwrap();
    match Store::open(&path) {
        Err(OpenError::Dangling(table)) => assert_eq!(table, "friend_requests"),
        other => panic!("{other:?}"),
    }
    assert_eq!(schema_dump(&path).unwrap(), before);
}

#[test]
fn a_failing_migration_leaves_the_version_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    older_database(&path, MIGRATIONS.len());
    let before = schema_dump(&path).unwrap();
    let mut steps = MIGRATIONS.to_vec();
    steps.push("CREATE TABLE half (a) STRICT; SELECT no_such_function();");
    let mut db = Connection::open(&path).unwrap();
    assert!(migrate(&mut db, &steps).is_err());
    drop(db);
    assert_eq!(schema_dump(&path).unwrap(), before);
    assert!(Store::open(&path).is_ok());
}

#[test]
fn only_a_person_whose_account_is_in_use_can_be_asked() {
    let mut store = Store::in_memory().unwrap();
    let sql = "INSERT INTO users (id, name, password, created_at) VALUES
             (1, 'ann', 'phc', 1), (2, 'bob', 'phc', 1), (3, 'cyn', 'phc', 1), (4, 'dan', 'phc', 1),
             (5, 'eve', 'phc', 1);
         UPDATE users SET deleted_at = 1 WHERE id = 2;
         UPDATE users SET suspended_at = 1 WHERE id = 3;
         UPDATE users SET suspended_at = 1, suspended_until = 9 WHERE id = 4;
         INSERT INTO bots VALUES (5, 1, zeroblob(32), 1, NULL);";
    store.connection().execute_batch(sql).unwrap();
    let batch = store.batch();
    let can_be_asked = |now| [1, 2, 3, 4, 5].map(|id| batch.can_be_asked(UserId(id), now).unwrap());
    assert_eq!(can_be_asked(8), [true, false, false, false, false]);
    assert_eq!(can_be_asked(9), [true, false, false, true, false]);
}

#[test]
fn reading_and_searching_only_ever_seek() {
    let store = Store::in_memory().unwrap();
    let queries = [
        PARTICIPATIONS,
        PARTICIPATION,
        NEWEST,
        OLDEST,
        ONE,
        NEWEST_IDS,
        OLDEST_IDS,
        UNREAD,
        UNREAD_MENTIONS,
        MENTIONING,
        NAMED,
        MENTIONS_OF,
        REACTIONS_TO,
        JOINED_AFTER,
        SEEN,
        NEXT_TIME,
        USERS,
        ROOMS,
        ALIKE,
        PENDING,
        OLDEST_PENDING,
        PENDING_COUNT,
        BAN,
        BAN_COUNT,
        BLOCK_COUNT,
        COUNTS,
        INVITER,
        INVITED,
        INVITATIONS_FROM,
        BLOCKERS,
        REQUESTS_FROM,
        REQUESTS_FROM_DELETED,
        PRUNE,
        FRIEND,
        OWN_ROOM,
        MARKERS,
        PUBLIC_ROOMS,
        SUCCESSOR,
        NEXT,
        FORGOTTEN,
        FIRST_SOME,
        LAST,
        NEXT_CONVERSATION,
        NEXT_ROOM,
        ENTRIES,
    ];
    let removals = OF_ACCOUNT_AT_ONCE.iter().chain(&OF_ACCOUNT).chain(&OF_ROOM);
    for sql in queries.iter().chain(removals) {
        let plan = plan(&store, sql);
        for line in &plan {
            // Subqueries of one row or of bounded rows are scanned, and lists that are handed in; tables never are.
            let is_bounded = line.contains("subquery") || line.contains("VIRTUAL TABLE");
            assert!(!line.starts_with("SCAN") || is_bounded, "{sql}\n{plan:#?}");
            assert!(!line.contains("TEMP B-TREE"), "{sql}\n{plan:#?}");
        }
    }
}

fn plan(store: &Store, sql: &str) -> Vec<String> {
    let mut statement = store
        .connection()
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    for index in 1..=statement.parameter_count() {
        statement.raw_bind_parameter(index, 1).unwrap();
    }
    let mut rows = statement.raw_query();
    let mut plan = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        plan.push(row.get(3).unwrap());
    }
    plan
}

#[test]
fn a_query_is_planned_once_whatever_it_is_asked_for() {
    let store = Store::in_memory().unwrap();
    for sql in [NEWEST, OLDEST, NEWEST_IDS, OLDEST_IDS, UNREAD, USERS, ROOMS] {
        let mut statement = store.connection().prepare(sql).unwrap();
        for value in 1..=3 {
            for index in 1..=statement.parameter_count() {
                statement.raw_bind_parameter(index, value).unwrap();
            }
            let mut rows = statement.raw_query();
            while rows.next().unwrap().is_some() {}
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
    }
}

#[test]
fn the_connection_syncs_every_commit() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("a.db")).unwrap();
    let setting = |name: &str| -> i64 {
        store
            .connection()
            .pragma_query_value(None, name, |row| row.get(0))
            .unwrap()
    };
    // 2 is FULL.
    assert_eq!(setting("synchronous"), 2);
    assert_eq!(setting("foreign_keys"), 1);
    assert_eq!(setting("trusted_schema"), 0);
    assert_eq!(setting("busy_timeout"), 0);
    let mode: String = store
        .connection()
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn the_usage_of_a_batch_is_counted_and_the_same_each_time() {
    let usage = || {
        let mut store = Store::in_memory().unwrap();
        let batch = store.batch();
        assert_eq!(batch.usage(), Usage::default());
        assert!(batch.find_user("ann").unwrap().is_none());
        batch.count_name("bob");
        batch.count_name("Zoë");
        batch.count_name("ZOË");
        batch.count_scanned(1_000);
        batch.usage()
    };
    let once = usage();
    assert!(once.statements == 1 && once.steps > 0, "{once:?}");
    assert_eq!((once.plain_names, once.unicode_names), (1, 2));
    assert_eq!(once.scanned_bytes, 1_000);
    assert_eq!(usage(), once);
}

/// A room of so many members, each of whom reacted to its one message.
fn reacted(members: i64) -> (Store, MessageId) {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let ann = Username::new("ann").unwrap();
    let ann = batch.create_user(&ann, "phc", 1).unwrap().unwrap();
    let tea = RoomName::new("tea").unwrap();
    let tea = batch.create_room(&tea, ann, 1).unwrap().unwrap();
    let text = Content::new("look").unwrap();
    let message = batch.insert_message(tea, ann, &text, None, 1).unwrap();
    let _ = batch.commit().unwrap();
    let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
         INSERT INTO users (id, name, password, created_at) SELECT 100 + n, 'user' || n, 'phc', 1 FROM n";
    store.connection().execute(sql, [members]).unwrap();
    let mut batch = store.batch();
    for user in 101..=100 + members {
        batch
            .add_reaction(message, UserId(user), "\u{1f44d}")
            .unwrap();
    }
    let _ = batch.commit().unwrap();
    (store, message)
}

#[test]
fn a_message_is_deleted_at_the_same_cost_whatever_the_reactions_to_it() {
    let cost = |members| {
        let (mut store, message) = reacted(members);
        let mut batch = store.batch();
        batch.remove_content(message, 2).unwrap();
        let usage = batch.usage();
        let _ = batch.commit().unwrap();
        (store, usage)
    };
    let (_, few) = cost(10);
    let (mut store, many) = cost(5_000);
    assert_eq!(many.statements, few.statements);
    assert!(many.steps.abs_diff(few.steps) <= 20, "{few:?} {many:?}");
    let left = |store: &Store| -> i64 {
        let sql = "SELECT count(*) FROM reactors";
        store
            .connection()
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(left(&store), 5_000);
    // A repair does not make reactions of them.
    assert_eq!(
        check::count(store.connection(), check::WRONG_REACTIONS).unwrap(),
        0
    );
    let mut portions = 0;
    loop {
        let mut batch = store.batch();
        let has_more = batch
            .remove(&Removal::Reactors, Retention::default())
            .unwrap();
        assert!(batch.usage().steps < 40_000, "{:?}", batch.usage());
        let _ = batch.commit().unwrap();
        portions += 1;
        if has_more.is_none() {
            break;
        }
    }
    assert_eq!((left(&store), portions), (0, 11));
}

/// Rooms of ann and bob, and rooms of bob alone, whose messages are older. Everything is indexed, and ann has read her
/// messages.
fn stored(mine: i64, others: i64, each: i64, each_other: i64) -> Store {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    for name in ["ann", "bob"] {
        let name = Username::new(name).unwrap();
        batch.create_user(&name, "phc", 1).unwrap().unwrap();
    }
    let _ = batch.commit().unwrap();
    let numbers = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)";
    let fill = |sql: &str, rows: i64, first: i64| {
        let sql = format!("{numbers} {sql}");
        let filled = store.connection().execute(&sql, [rows, first]);
        assert_eq!(filled.unwrap(), usize::try_from(rows).unwrap());
    };
    let rooms = mine + others;
    fill(
        "INSERT INTO conversations (id, kind) SELECT n, 1 FROM n WHERE ?2 = ?2",
        rooms,
        0,
    );
    let sql = "INSERT INTO rooms (id, name, owner, members, created_at)
               SELECT n, 'room' || n, 2, 1 + (n <= ?2), 1 FROM n";
    fill(sql, rooms, mine);
    let said = "INSERT INTO messages (conversation, sender, send_time, content)
                SELECT 1 + n % (SELECT count(*) FROM rooms WHERE id > ?2) + ?2, 2, n, 'tea number ' || n FROM n";
    if others > 0 {
        fill(said, others * each_other, mine);
    }
    let said = "INSERT INTO messages (conversation, sender, send_time, content)
                SELECT 1 + n % ?2, 2, 1000000000 + n, 'tea number ' || n FROM n";
    fill(said, mine * each, mine);
    let joined =
        "INSERT INTO participants (user, conversation, after_id, read_id, joined_at, join_order)
                  SELECT ?2, n, 0, 1000000000, 1, n FROM n";
    fill(joined, mine, 1);
    fill(joined, rooms, 2);
    let mut batch = store.batch();
    while batch.index_messages().unwrap().is_some() {}
    let _ = batch.commit().unwrap();
    store
}

/// What a login of ann, a page, a search and a message cost, in steps and statements.
fn costs(store: &mut Store) -> [(u64, u64); 4] {
    let (ann, room) = (UserId(1), ConversationId(1));
    let mut cost = |act: &dyn Fn(&mut Batch<'_>)| {
        let mut batch = store.batch();
        act(&mut batch);
        (batch.usage().steps, batch.usage().statements)
    };
    let login = cost(&|batch| {
        batch.friends_shown(ann).unwrap();
        batch.room_sizes_of(ann).unwrap();
        let bundle = batch.bundle(ann, 10, 300, 1 << 20).unwrap();
        assert_eq!(bundle.messages.len(), 100);
    });
    let page = cost(&|batch| {
        let page = batch.history(ann, room, None, None, 50, 1 << 20).unwrap();
        assert_eq!((page.messages.len(), page.more), (50, true));
    });
    let search = cost(&|batch| {
        let request = SearchRequest {
            query: SearchQuery::new("tea"),
            conversation: Some(room),
            sender: None,
            since: None,
            until: None,
            before: None,
            limit: 50,
            budget: 1 << 20,
        };
        let SearchProgress::Page(found) = batch.search(ann, request).unwrap() else {
            panic!("more than one portion");
        };
        assert_eq!(found.messages.len(), 50);
    });
    let message = cost(&|batch| {
        let found = batch.find_own_room(ann, "room1").unwrap().unwrap();
        let txn = TxnId::new("t").unwrap();
        let text = Content::new("tea").unwrap();
        assert_eq!(batch.find_txn(ann, &txn, &text).unwrap(), None);
        batch
            .insert_message(found.id, ann, &text, Some(&txn), 2_000_000_000)
            .unwrap();
    });
    [login, page, search, message]
}

/// `ECHAT_STORED` sets the number of messages in the rooms of others.
#[test]
fn what_is_stored_does_not_matter_to_a_login_a_page_a_search_and_a_message() {
    let messages = std::env::var("ECHAT_STORED")
        .ok()
        .and_then(|count| count.parse().ok());
    let messages: i64 = messages.unwrap_or(20_000);
    let few = costs(&mut stored(10, 0, 60, 0));
    let many = costs(&mut stored(10, 990, 60, messages / 990));
    for (few, many) in few.iter().zip(&many) {
        assert_eq!(few.1, many.1, "statements: {few:?} {many:?}");
        // A search for a number in a tree may take some more steps, or fewer.
        assert!(few.0.abs_diff(many.0) <= 20, "steps: {few:?} {many:?}");
    }
}

#[test]
fn a_login_to_a_thousand_rooms_costs_the_same_whatever_they_hold() {
    let login = |each: i64| {
        let mut store = stored(1_000, 0, each, 0);
        let batch = store.batch();
        batch.room_sizes_of(UserId(1)).unwrap();
        let bundle = batch.bundle(UserId(1), 10, 300, 1 << 20).unwrap();
        assert!(bundle.unread.is_empty());
        batch.usage()
    };
    let (few, many) = (login(10), login(40));
    assert_eq!(few.statements, many.statements);
    assert!(
        few.steps.abs_diff(many.steps) <= few.steps / 50,
        "{few:?} {many:?}"
    );
}

#[test]
fn the_members_that_joined_after_a_message_are_found_within_a_tick() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let ann = Username::new("ann").unwrap();
    let ann = batch.create_user(&ann, "phc", 1).unwrap().unwrap();
    let tea = RoomName::new("tea").unwrap();
    let tea = batch.create_room(&tea, ann, 1).unwrap().unwrap();
    let text = Content::new("hello").unwrap();
    let message = batch.insert_message(tea, ann, &text, None, 1).unwrap();
    drop(batch.commit().unwrap());
    let sql = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
         INSERT INTO users (id, name, password, created_at) SELECT 1000 + n, 'u' || n, 'phc', 1 FROM n;
         INSERT INTO participants (user, conversation, after_id, read_id, joined_at)
         SELECT id, {}, 5, 5, 2 FROM users WHERE id > 1000;",
        tea.0
    );
    store.connection().execute_batch(&sql).unwrap();
    let batch = store.batch();
    let before = batch.usage();
    assert_eq!(batch.joined_after(tea, message).unwrap().len(), 10_000);
    let steps = batch.usage().steps - before.steps;
    // A tick has 100,000 steps. A room has at most 10,000 members.
    assert!(steps < 60_000, "{steps}");
    println!("{steps} steps");
}

/// Removes all portions of a removal. Returns what each cost.
pub(super) fn remove_all(store: &mut Store, removal: Removal) -> Vec<Usage> {
    let mut usages = Vec::new();
    let mut left = Some(removal);
    while let Some(removal) = left {
        let mut batch = store.batch();
        left = batch.remove(&removal, Retention::default()).unwrap();
        usages.push(batch.usage());
        drop(batch.commit().unwrap());
    }
    usages
}

#[test]
fn a_room_is_known_by_its_newest_hundred_former_names() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let ann = Username::new("ann").unwrap();
    let ann = batch.create_user(&ann, "phc", 1).unwrap().unwrap();
    let name = |number: usize| format!("room{number}");
    let first = RoomName::new(&name(0)).unwrap();
    let room = batch.create_room(&first, ann, 1).unwrap().unwrap();
    // Name 60 is given twice: it counts from the second time on.
    let names: Vec<usize> = (0..=150).chain([60]).chain(151..=165).collect();
    for pair in names.windows(2) {
        let was = batch.find_room(&name(pair[0])).unwrap().unwrap();
        let changed = Room {
            name: name(pair[1]),
            ..was.clone()
        };
        batch.change_room(&was, &changed).unwrap();
    }
    let goes_by = |number: &usize| {
        let room = (room, Kind::Room);
        batch.went_by(room, ann, &name(*number)).unwrap()
    };
    let known: Vec<usize> = (0..=165).filter(goes_by).collect();
    let expected: Vec<usize> = [60].into_iter().chain(66..=165).collect();
    assert_eq!(known, expected);
}
