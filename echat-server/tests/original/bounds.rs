//! The bounds of what the original's database can have: ids, names, texts, times, passwords, and rows and tables that
//! are not as the original made them. Through the library, with a hash that costs nothing.

use std::fs;
use std::path::PathBuf;

use echat_proto::limits::{CONTENT_MAX, NAME_BYTES, NAME_CHARS, PASSWORD_MAX, PASSWORD_MIN};
use echat_server::storage::{
    ImportedOriginal, MessageId, TransferError, create_template, import_original,
};
use echat_testkit::folder;
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use tempfile::TempDir;

use super::ORIGINAL;

/// The time of the import, in unix seconds.
const NOW: i64 = 1_800_000_000;
/// The end of the year 9999, in unix seconds: the last time that a message can have (docs/export.md).
const LAST_TIME: i64 = 253_402_300_799;

/// A database of the original and an empty one of today.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(folder::in_memory());
        create_template(&folder.database()).unwrap();
        folder.original().execute_batch(ORIGINAL).unwrap();
        folder
    }

    fn database(&self) -> PathBuf {
        self.0.path().join("database.db")
    }

    fn original_path(&self) -> PathBuf {
        self.0.path().join("original.db")
    }

    /// The original's database, with foreign keys as the original had them.
    fn original(&self) -> Connection {
        let db = Connection::open(self.original_path()).unwrap();
        db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        db
    }

    /// A message of alice to the room, as bob received it.
    fn says(&self, id: i64, time: impl Into<Value>, content: impl Into<Value>) {
        let row = params![id, time.into(), content.into()];
        let sql = "INSERT INTO messages VALUES (?1, ?2, 'bob', 'alice', 1, 'room1', ?3, 1)";
        self.original().execute(sql, row).unwrap();
    }

    fn joins(
        &self,
        name: impl Into<Value>,
        created_at: impl Into<Value>,
        password: impl Into<Value>,
    ) {
        let row = params![created_at.into(), name.into(), password.into()];
        let sql = "INSERT INTO users VALUES (?1, ?2, ?3)";
        self.original().execute(sql, row).unwrap();
    }

    fn import_above(&self, above: u64) -> Result<ImportedOriginal, TransferError> {
        let mut hash = |_: &_| String::from("a hash").into();
        import_original(
            &self.original_path(),
            &self.database(),
            (above, NOW),
            &mut hash,
        )
    }

    fn imports(&self) -> ImportedOriginal {
        self.import_above(0).unwrap()
    }

    /// The rows of a query of the new database: the texts of their columns, joined.
    fn rows(&self, sql: &str) -> Vec<String> {
        let db = Connection::open(self.database()).unwrap();
        let mut statement = db.prepare(sql).unwrap();
        let columns = statement.column_count();
        let shown = |value: Value| match value {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text,
            other => format!("{other:?}"),
        };
        let rows = statement.query_map([], |row| {
            let values: Result<Vec<_>, _> = (0..columns).map(|at| row.get(at)).collect();
            let values: Vec<String> = values?.into_iter().map(shown).collect();
            Ok(values.join(" "))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Times and texts of the messages, in the order of their ids.
    fn messages(&self) -> Vec<String> {
        self.rows("SELECT send_time, content FROM messages ORDER BY id")
    }

    fn is_empty(&self) -> bool {
        let sql = "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM messages)
                        + (SELECT count(*) FROM imported_names)";
        self.rows(sql) == ["0"]
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// The report has this line of what was left out.
#[track_caller]
fn leaves_out(done: &ImportedOriginal, line: &str) {
    assert!(
        done.left_out.iter().any(|said| said == line),
        "{line}: {done:#?}"
    );
}

#[test]
fn rows_may_have_any_integer_as_their_id_and_keep_their_order() {
    let folder = Folder::new();
    folder
        .original()
        .execute("DELETE FROM messages", [])
        .unwrap();
    for (id, content) in [
        (i64::MAX, "e"),
        (0, "c"),
        (i64::MIN, "a"),
        (1, "d"),
        (-1, "b"),
    ] {
        folder.says(id, 100, text(content));
    }
    assert_eq!(folder.imports().messages, 5);
    let all = folder.rows("SELECT id, content FROM messages ORDER BY id");
    assert_eq!(all, ["1 a", "2 b", "3 c", "4 d", "5 e"]);
    // They are found again, whatever their ids were.
    let again = folder.imports();
    assert_eq!((again.messages, again.known), (0, 5));
}

#[test]
fn new_ids_are_above_those_given_out_and_none_is_imported_above_the_last_one() {
    let last = MessageId::LAST_IMPORTED.0;
    let folder = Folder::new();
    assert_eq!(folder.import_above(last).unwrap().messages, 3);
    let ids = folder.rows("SELECT id FROM messages ORDER BY id");
    let expected = [1, 2, 3].map(|number| (last + number).to_string());
    assert_eq!(ids, expected);
    // The newest id of the database itself is too high now.
    folder.says(10, 100, text("later"));
    let refused = folder.import_above(0).unwrap_err();
    assert!(matches!(refused, TransferError::NoIds(_)), "{refused}");
    assert_eq!(folder.rows("SELECT count(*) FROM messages"), ["3"]);
    for above in [last + 1, u64::MAX] {
        let folder = Folder::new();
        let refused = folder.import_above(above).unwrap_err();
        assert!(matches!(refused, TransferError::NoIds(_)), "{refused}");
        assert!(folder.is_empty());
    }
}

#[test]
fn a_name_up_to_the_limits_stays_and_a_longer_one_is_cut() {
    let long = |letter: &str, count: usize| letter.repeat(count);
    // Letters of one, three and four bytes.
    let (latin, chinese, rare) = ("x", "小", "𠜎");
    let chars = NAME_CHARS;
    let bytes = NAME_BYTES / rare.len();
    for (name, stored) in [
        (long(latin, 1), long(latin, 1)),
        (long(latin, chars), long(latin, chars)),
        (long(latin, chars + 1), long(latin, chars)),
        (long(latin, 10_000), long(latin, chars)),
        (long(chinese, chars), long(chinese, chars)),
        (long(chinese, chars + 1), long(chinese, chars)),
        (long(rare, bytes), long(rare, bytes)),
        (long(rare, chars), long(rare, bytes)),
    ] {
        let folder = Folder::new();
        folder.joins(text(&name), text("2026-11-23 00:00:00"), text("a password"));
        let sql = "INSERT INTO chat_rooms VALUES ('2026-11-23 00:00:00', ?1)";
        folder.original().execute(sql, [&name]).unwrap();
        let sql = "INSERT INTO room_users VALUES (?1, 'alice')";
        folder.original().execute(sql, [&name]).unwrap();
        let done = folder.imports();
        let is_renamed = name != stored;
        assert_eq!(done.renamed.len(), 2 * usize::from(is_renamed), "{done:#?}");
        for table in ["users", "rooms"] {
            let sql = format!("SELECT name FROM {table} ORDER BY id DESC LIMIT 1");
            assert_eq!(folder.rows(&sql), [stored.as_str()], "{name}");
        }
    }
}

#[test]
fn names_that_become_one_when_they_are_cut_are_numbered_within_the_limits() {
    let folder = Folder::new();
    let rare = "𠜎".repeat(NAME_CHARS);
    let latin = "x".repeat(NAME_CHARS);
    for name in [
        latin.clone(),
        format!("{latin}1"),
        format!("{latin}2"),
        rare.clone(),
        format!("{rare}1"),
    ] {
        folder.joins(text(&name), text("2026-11-23 00:00:00"), text("a password"));
    }
    folder.imports();
    let cut = "x".repeat(NAME_CHARS - 2);
    let cut_rare = "𠜎".repeat((NAME_BYTES - 2) / 4);
    let mut expected = [
        latin,
        format!("{cut}-2"),
        format!("{cut}-3"),
        "𠜎".repeat(NAME_BYTES / 4),
        format!("{cut_rare}-2"),
    ];
    expected.sort();
    let names = folder
        .rows("SELECT name FROM users WHERE name NOT IN ('alice', 'bob', 'carol') ORDER BY name");
    assert_eq!(names, expected);
}

#[test]
fn a_name_that_is_no_text_is_left_out_and_its_rows_with_it() {
    let folder = Folder::new();
    folder.joins(
        Value::Blob(vec![0x61]),
        text("2026-11-23 00:00:00"),
        text("a password"),
    );
    let db = folder.original();
    // A text that is not UTF-8.
    db.execute_batch(
        "INSERT INTO users VALUES ('2026-11-23 00:00:00', CAST(x'ff61' AS TEXT), 'a password');
         INSERT INTO chat_rooms VALUES ('2026-11-23 00:00:00', x'62');
         INSERT INTO room_users VALUES ('room1', x'61'), (x'62', 'bob');
         INSERT INTO freinds VALUES ('alice', x'61', '2026-11-23 00:00:00', 1);
         INSERT INTO messages VALUES (20, 100, 'bob', x'61', 1, 'room1', 'x', 1), (21, 100, 'bob', 'alice', 1, x'62', 'x', 1);",
    )
    .unwrap();
    let done = folder.imports();
    assert_eq!((done.users, done.rooms, done.messages), (3, 1, 3));
    for line in [
        "user ?, ? (2): the name is no text",
        "room ? (1): the name is no text",
        r#"friendship of "alice" and "?" (1): a user does not exist"#,
        r#"member "?" of "room1" (1): a user does not exist"#,
        r#"member "bob" of "?" (1): the room does not exist, or has no members"#,
        "message row 20 (1): a user does not exist",
        "message row 21 (1): the room does not exist, or has no members",
    ] {
        // Members without a room come before those without a user, in one line for each reason.
        leaves_out(&done, line);
    }
}

#[test]
fn a_text_up_to_the_limit_of_echat_is_imported_and_a_longer_one_is_left_out() {
    let folder = Folder::new();
    folder
        .original()
        .execute("DELETE FROM messages", [])
        .unwrap();
    let fits = "x".repeat(CONTENT_MAX);
    let chinese = "好".repeat(CONTENT_MAX / 3);
    folder.says(1, 100, text("x"));
    folder.says(2, 101, text(&fits));
    folder.says(3, 102, text(&format!("{fits}x")));
    folder.says(4, 103, text(&chinese));
    folder.says(5, 104, text(&format!("{chinese}好")));
    folder.says(6, 105, Value::Blob(b"x".to_vec()));
    folder.says(7, 106, 7);
    let done = folder.imports();
    let lengths = folder.rows("SELECT length(CAST(content AS BLOB)) FROM messages ORDER BY id");
    // SQLite makes a text of a number in a column of texts.
    let expected = [1, CONTENT_MAX, chinese.len(), 1].map(|length| length.to_string());
    assert_eq!(lengths, expected);
    leaves_out(
        &done,
        "message row 3, 5 (2): the text has characters that echat does not allow, or is too long",
    );
    leaves_out(&done, "message row 6 (1): the text is no text");
}

#[test]
fn times_out_of_range_become_the_nearest_and_what_is_no_time_is_not_one() {
    let folder = Folder::new();
    folder
        .original()
        .execute("DELETE FROM messages", [])
        .unwrap();
    for (id, time) in [
        (1, i64::MIN),
        (2, -1),
        (3, 0),
        (4, LAST_TIME),
        (5, LAST_TIME + 1),
        (6, i64::MAX),
    ] {
        folder.says(id, time, text(&format!("at {id}")));
    }
    folder.says(7, 1.5, text("real"));
    folder.says(8, text("soon"), text("text"));
    let done = folder.imports();
    let clamped = [0, 0, 0, LAST_TIME, LAST_TIME, LAST_TIME];
    let expected: Vec<String> = (1..)
        .zip(clamped)
        .map(|(id, time)| format!("{time} at {id}"))
        .collect();
    assert_eq!(folder.messages(), expected);
    leaves_out(&done, "message row 7, 8 (2): the time is no number");
}

#[test]
fn an_account_has_a_time_whatever_the_original_has() {
    let folder = Folder::new();
    for (name, created_at) in [
        ("first", text("1970-01-01 00:00:00")),
        ("before", text("1969-12-31 23:59:59")),
        ("precise", text("2026-11-23 00:00:00.123456")),
        ("ancient", text("0000-01-01 00:00:00")),
        ("late", text("9999-12-29 00:00:00")),
        ("beyond", text("99999-01-01 00:00:00")),
        ("wordy", text("yesterday")),
        ("numeric", Value::Integer(5)),
        ("blob", Value::Blob(vec![0xff])),
    ] {
        folder.joins(text(name), created_at, text("a password"));
    }
    folder.imports();
    let time = |name: &str| {
        let all = folder.rows("SELECT name, created_at FROM users");
        let row = all.iter().find(|row| row.starts_with(&format!("{name} ")));
        row.and_then(|row| row.split(' ').nth(1)?.parse::<i64>().ok())
    };
    assert_eq!(time("first"), Some(0));
    assert_eq!(time("before"), Some(0));
    assert_eq!(time("precise"), Some(1_795_392_000));
    assert_eq!(time("ancient"), Some(0));
    assert_eq!(time("late"), Some(LAST_TIME - 3 * 86_400 + 1));
    for name in ["beyond", "wordy", "numeric", "blob"] {
        assert_eq!(time(name), Some(NOW), "{name}");
    }
}

#[test]
fn passwords_at_their_limits() {
    let folder = Folder::new();
    folder.original().execute("DELETE FROM users", []).unwrap();
    let long = |length: usize| text(&"x".repeat(length));
    for (name, password) in [
        ("none", text("")),
        ("one", long(1)),
        ("short", long(PASSWORD_MIN - 1)),
        ("enough", long(PASSWORD_MIN)),
        ("longest", long(PASSWORD_MAX)),
        ("longer", long(PASSWORD_MAX + 1)),
        ("blob", Value::Blob(b"a password".to_vec())),
    ] {
        folder.joins(text(name), text("2026-11-23 00:00:00"), password);
    }
    let done = folder.imports();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(sorted(done.weak), ["one", "short"]);
    assert_eq!(sorted(done.without_password), ["blob", "longer", "none"]);
    let open = folder.rows("SELECT name FROM users WHERE password <> '*' ORDER BY name");
    assert_eq!(open, ["enough", "longest", "one", "short"]);
}

#[test]
fn each_missing_table_and_column_is_named_and_nothing_is_added() {
    let tables = [
        ("users", &["created_at", "username", "password"][..]),
        (
            "freinds",
            &["from_user", "to_user", "created_at", "accepted"],
        ),
        ("chat_rooms", &["created_at", "room_name"]),
        ("room_users", &["room", "user"]),
        (
            "messages",
            &[
                "id",
                "send_time",
                "username",
                "sender",
                "target_type",
                "target",
                "content",
                "sent",
            ],
        ),
    ];
    let is_refused = |change: &str, missing: &str| {
        let folder = Folder::new();
        folder.original().execute_batch(change).unwrap();
        let refused = folder.import_above(0).unwrap_err();
        assert!(
            matches!(refused, TransferError::NotOriginal(_)),
            "{change}: {refused}"
        );
        assert!(refused.to_string().contains(missing), "{change}: {refused}");
        assert!(folder.is_empty(), "{change}");
    };
    for (table, columns) in tables {
        is_refused(&format!("DROP TABLE {table}"), table);
        for column in columns {
            is_refused(
                &format!("ALTER TABLE {table} RENAME {column} TO other"),
                column,
            );
        }
    }
}

/// Tables without types and keys, as a tool that copies rows makes them: any column may hold anything.
#[test]
fn rows_of_any_types_are_left_out_one_by_one() {
    let folder = Folder::new();
    let untyped = "CREATE TABLE copy AS SELECT * FROM messages;
         DROP TABLE messages;
         CREATE TABLE messages (id, send_time, username, sender, target_type, target, content, sent);
         INSERT INTO messages SELECT * FROM copy;
         DROP TABLE copy;
         INSERT INTO messages VALUES
             (NULL, 1795332181, 'bob', 'alice', 1, 'room1', 'a', 1), ('x', 1795332181, 'bob', 'alice', 1, 'room1', 'b', 1),
             (1.5, 1795332181, 'bob', 'alice', 1, 'room1', 'c', 1), (x'00', 1795332181, 'bob', 'alice', 1, 'room1', 'd', 1),
             (30, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (31, 1795332181, 'bob', 'alice', 1, 'room1', 'e', 'yes'),
             (32, 1795332181, 'bob', 'alice', '1', 'room1', 'f', 1), (33, '1795332181', 'bob', 'alice', 1, 'room1', 'g', 1);";
    folder.original().execute_batch(untyped).unwrap();
    let done = folder.imports();
    assert_eq!(done.messages, 4, "{done:#?}");
    leaves_out(&done, "message row ?, ?, ?, ? (4): the id is no number");
    leaves_out(&done, "message row 30, 33 (2): the time is no number");
    leaves_out(
        &done,
        "message row 32 (1): the kind of its target is unknown",
    );
}

/// A page of the original's database after the other is struck: all is imported as from the sound one, or nothing is.
#[test]
fn a_damaged_original_is_imported_whole_or_not_at_all() {
    let folder = Folder::new();
    let original = folder.original_path();
    // More than one page of each large table.
    let filler = "WITH n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
         INSERT INTO messages SELECT i, 1795400000 + i, 'bob', 'alice', 1, 'room1', hex(zeroblob(40)), 1 FROM n";
    folder.original().execute_batch(filler).unwrap();
    let whole = fs::read(&original).unwrap();
    let sound = folder.imports();
    let page = 4_096;
    let (mut refused, mut unharmed) = (0, 0);
    for at in (0..whole.len()).step_by(page) {
        let folder = Folder::new();
        let mut bytes = whole.clone();
        bytes[at..at + page].fill(0xff);
        fs::write(folder.original_path(), bytes).unwrap();
        match folder.import_above(0) {
            Ok(done) => {
                assert_eq!(done, sound, "page at {at}");
                unharmed += 1;
            }
            Err(error) => {
                assert!(folder.is_empty(), "page at {at}: {error}");
                // A repair is for databases of echat.
                assert!(
                    !error.to_string().contains("--repair"),
                    "page at {at}: {error}"
                );
                refused += 1;
            }
        }
    }
    // Indexes that an import does not read may be damaged.
    assert!(refused > unharmed && refused > 10, "{refused}, {unharmed}");
}
