//! The rows of other tables that end with an account or with a room.
//!
//! A table that refers to users or rooms has a line here, or in the tests below the reason why its rows stay.
//! [`deletion`](super::deletion) and [`closed_rooms`](super::closed_rooms) run the lines.

/// What ends with an account at once: all that could still open a session, or invite to register. `?1` is the user.
pub(super) const OF_ACCOUNT_AT_ONCE: [&str; 4] = [
    "DELETE FROM resume_secrets WHERE user = ?1",
    "DELETE FROM devices WHERE user = ?1",
    "UPDATE bots SET token = zeroblob(32), expires_at = NULL WHERE user = ?1",
    "DELETE FROM invitation_codes WHERE maker = ?1",
];

/// What is deleted with an account in portions, in this order. `?1` is the user, `?2` the most rows.
///
/// Invitations go before the blocks that hide some of them: without inviter and block, they would be shown.
pub(super) const OF_ACCOUNT: [&str; 6] = [
    "DELETE FROM logins WHERE user = ?1 AND address IN
         (SELECT address FROM logins WHERE user = ?1 LIMIT ?2)",
    "DELETE FROM left_rooms WHERE user = ?1 AND conversation IN
         (SELECT conversation FROM left_rooms WHERE user = ?1 LIMIT ?2)",
    "DELETE FROM bans WHERE user = ?1 AND room IN
         (SELECT room FROM bans WHERE user = ?1 LIMIT ?2)",
    "DELETE FROM friend_requests WHERE id IN
         (SELECT id FROM friend_requests WHERE receiver = ?1 LIMIT ?2)",
    "DELETE FROM room_invitations WHERE user = ?1 AND room IN
         (SELECT room FROM room_invitations WHERE user = ?1 LIMIT ?2)",
    "DELETE FROM blocks WHERE user = ?1 AND blocked IN
         (SELECT blocked FROM blocks WHERE user = ?1 LIMIT ?2)",
];

/// What is deleted with a closed room in portions, after its messages and in this order. `?1` is the room, `?2` the
/// most rows.
pub(super) const OF_ROOM: [&str; 5] = [
    "DELETE FROM participants WHERE conversation = ?1 AND user IN
         (SELECT user FROM participants WHERE conversation = ?1 LIMIT ?2)",
    "DELETE FROM room_invitations WHERE room = ?1 AND user IN
         (SELECT user FROM room_invitations WHERE room = ?1 LIMIT ?2)",
    "DELETE FROM bans WHERE room = ?1 AND user IN
         (SELECT user FROM bans WHERE room = ?1 LIMIT ?2)",
    "DELETE FROM slow_mode WHERE room = ?1 AND user IN
         (SELECT user FROM slow_mode WHERE room = ?1 LIMIT ?2)",
    "DELETE FROM former_room_names WHERE room = ?1 AND name IN
         (SELECT name FROM former_room_names WHERE room = ?1 LIMIT ?2)",
];

#[cfg(test)]
mod tests {
    use super::super::tests::remove_all;
    use super::super::{Removal, Store};
    use echat_proto::names::{Content, RoomName, Username};
    use rusqlite::Connection;
    use std::collections::BTreeSet;

    /// Columns that refer to a user and keep doing so when the account is deleted, and why.
    const KEPT_OF_ACCOUNTS: [(&str, &str, &str); 16] = [
        (
            "friendships",
            "low_user",
            "it ends, and its conversation stays",
        ),
        (
            "friendships",
            "high_user",
            "it ends, and its conversation stays",
        ),
        (
            "participants",
            "user",
            "rooms are left before, private conversations stay",
        ),
        ("participants", "operator", "that is a flag"),
        (
            "messages",
            "sender",
            "they stay under the name of a deleted account",
        ),
        ("mentions", "user", "they stay with their message"),
        ("mentions", "sender", "they stay with their message"),
        ("reactors", "user", "they stay with their message"),
        (
            "unkept_messages",
            "sender",
            "they are forgotten after 30 days",
        ),
        ("bots", "user", "it says that the account was a bot's"),
        ("bots", "owner", "bots are deleted before"),
        (
            "rooms",
            "owner",
            "rooms are left before, which gives them another owner",
        ),
        ("bans", "operator", "the ban of another user stays"),
        ("slow_mode", "user", "it is deleted with the room"),
        ("name_looks", "id", "the name is not given out again"),
        (
            "imported_names",
            "id",
            "a repeated import finds the account by it",
        ),
    ];
    /// The same of closed rooms.
    const KEPT_OF_ROOMS: [(&str, &str, &str); 5] = [
        ("friendships", "conversation", "that is no room"),
        (
            "left_rooms",
            "conversation",
            "a user has at most 1,000, and ids are not given out again",
        ),
        (
            "unkept_messages",
            "conversation",
            "they are forgotten after 30 days",
        ),
        (
            "search_blocks",
            "conversation",
            "they go with the words of their last message",
        ),
        (
            "imported_names",
            "id",
            "a repeated import finds by it that the room is gone",
        ),
    ];

    /// The columns that refer to one of these tables: by a foreign key, or by the name of a column that has one
    /// elsewhere. `id` beside `kind` may be of either.
    fn referring(db: &Connection, to: &[&str]) -> BTreeSet<(String, String)> {
        let all = "SELECT m.name, c.name, coalesce(f.\"table\", '') FROM sqlite_master AS m
             JOIN pragma_table_info(m.name) AS c
             LEFT JOIN pragma_foreign_key_list(m.name) AS f ON f.\"from\" = c.name
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.sql NOT LIKE 'CREATE VIRTUAL%'";
        let mut statement = db.prepare(all).unwrap();
        let columns = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let columns: Vec<(String, String, String)> = columns.unwrap().map(Result::unwrap).collect();
        let refers = |table: &String| to.contains(&table.as_str());
        let names = columns.iter().filter(|(_, _, table)| refers(table));
        let names: BTreeSet<&String> = names.map(|(_, column, _)| column).collect();
        let has_kind = |of: &String| {
            columns
                .iter()
                .any(|(table, column, _)| table == of && column == "kind")
        };
        let found = columns
            .iter()
            .filter(|(table, column, target)| match column.as_str() {
                "id" => has_kind(table) && table != "conversations" || refers(target),
                _ => target.is_empty() && names.contains(column) || refers(target),
            });
        found
            .map(|(table, column, _)| (table.clone(), column.clone()))
            .collect()
    }

    /// The columns of these that are not kept. Fails if one is listed that is not there.
    fn not_kept(
        found: BTreeSet<(String, String)>,
        kept: &[(&str, &str, &str)],
    ) -> Vec<(String, String)> {
        for (table, column, _) in kept {
            let listed = (String::from(*table), String::from(*column));
            assert!(
                found.contains(&listed),
                "there is no {table}.{column} to be kept"
            );
        }
        let is_kept = |(table, column): &(String, String)| {
            kept.iter()
                .any(|(of, kept, _)| of == table && kept == column)
        };
        found
            .into_iter()
            .filter(|column| !is_kept(column))
            .collect()
    }

    /// Adds a row whose column is this value. Its other columns have values that occur nowhere else; those that refer
    /// to messages refer to this one.
    fn add_row(db: &Connection, (table, column): (&str, &str), value: i64, message: i64) {
        let columns = "SELECT c.name, c.type, c.\"notnull\" OR c.pk > 0,
                 EXISTS (SELECT 1 FROM pragma_foreign_key_list(?1) AS f WHERE f.\"from\" = c.name AND f.\"table\" = 'messages')
             FROM pragma_table_info(?1) AS c";
        let mut statement = db.prepare(columns).unwrap();
        let columns = statement.query_map([table], |row| {
            let (name, kind): (String, String) = (row.get(0)?, row.get(1)?);
            let (is_needed, of_message): (bool, bool) = (row.get(2)?, row.get(3)?);
            let value = match kind.as_str() {
                _ if name == column => value.to_string(),
                _ if of_message => message.to_string(),
                _ if !is_needed => "NULL".to_owned(),
                "INTEGER" => "abs(random() / 2) + 1000".to_owned(),
                "TEXT" => "hex(randomblob(8))".to_owned(),
                _ => "randomblob(32)".to_owned(),
            };
            Ok((name, value))
        });
        let (names, values): (Vec<String>, Vec<String>) =
            columns.unwrap().map(Result::unwrap).unzip();
        let sql = format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            names.join(", "),
            values.join(", ")
        );
        db.execute(&sql, [])
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn rows(db: &Connection, (table, column): &(String, String), value: i64) -> i64 {
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} = ?1");
        db.query_row(&sql, [value], |row| row.get(0)).unwrap()
    }

    /// Lets rows be added that refer to nothing.
    fn set_loose(db: &Connection, is_loose: bool) {
        db.pragma_update(None, "foreign_keys", !is_loose).unwrap();
        db.pragma_update(None, "ignore_check_constraints", is_loose)
            .unwrap();
    }

    #[test]
    fn every_table_that_refers_to_a_user_is_known_to_the_deletion_of_accounts() {
        let mut store = Store::in_memory().unwrap();
        let mut batch = store.batch();
        let ann = batch.create_user(&Username::new("ann").unwrap(), "phc", 1);
        let ann = ann.unwrap().unwrap();
        drop(batch.commit().unwrap());
        let found = not_kept(referring(store.connection(), &["users"]), &KEPT_OF_ACCOUNTS);
        assert!(found.len() >= 12, "{found:?}");
        set_loose(store.connection(), true);
        for (table, column) in found.iter().filter(|(table, _)| table != "name_endings") {
            add_row(store.connection(), (table, column), ann.0, 0);
        }
        set_loose(store.connection(), false);
        for column in &found {
            assert!(rows(store.connection(), column, ann.0) > 0, "{column:?}");
        }
        let mut batch = store.batch();
        let deleted = batch.delete_account(ann, false, 2).unwrap();
        drop(batch.commit().unwrap());
        deleted.left.map(|left| remove_all(&mut store, left));
        for column in &found {
            let left = rows(store.connection(), column, ann.0);
            assert_eq!(
                left, 0,
                "{column:?} refers to a deleted account: delete it with the account, or say why it is kept"
            );
        }
    }

    #[test]
    fn every_table_that_refers_to_a_room_is_known_to_the_removal_of_closed_rooms() {
        let mut store = Store::in_memory().unwrap();
        let mut batch = store.batch();
        let ann = batch.create_user(&Username::new("ann").unwrap(), "phc", 1);
        let ann = ann.unwrap().unwrap();
        let tea = RoomName::new("tea").unwrap();
        let tea = batch.create_room(&tea, ann, 1).unwrap().unwrap();
        let text = Content::new("hello").unwrap();
        let message = batch.insert_message(tea, ann, &text, None, 1).unwrap();
        drop(batch.commit().unwrap());
        let to = ["conversations", "rooms"];
        let found = not_kept(referring(store.connection(), &to), &KEPT_OF_ROOMS);
        assert!(found.len() >= 8, "{found:?}");
        set_loose(store.connection(), true);
        let own = [
            "rooms",
            "closed_rooms",
            "messages",
            "name_endings",
            "name_looks",
        ];
        for (table, column) in found
            .iter()
            .filter(|(table, _)| !own.contains(&table.as_str()))
        {
            add_row(store.connection(), (table, column), tea.0, message.row());
        }
        set_loose(store.connection(), false);
        for column in found.iter().filter(|(table, _)| table != "closed_rooms") {
            assert!(rows(store.connection(), column, tea.0) > 0, "{column:?}");
        }
        let mut batch = store.batch();
        let room = batch.find_room("tea").unwrap().unwrap();
        batch.close_room(&room).unwrap();
        drop(batch.commit().unwrap());
        remove_all(&mut store, Removal::ClosedRooms);
        // The user has the id of a room, and names of its own.
        let of_room = |(table, _): &&(String, String)| {
            !["name_endings", "name_looks"].contains(&table.as_str())
        };
        for column in found.iter().filter(of_room) {
            let left = rows(store.connection(), column, tea.0);
            assert_eq!(
                left, 0,
                "{column:?} refers to a closed room: delete it with the room, or say why it is kept"
            );
        }
        for table in ["name_endings", "name_looks"] {
            let sql = format!("SELECT count(*) FROM {table} WHERE kind = 1");
            let left: i64 = store
                .connection()
                .query_row(&sql, [], |row| row.get(0))
                .unwrap();
            assert_eq!(left, 0, "{table}");
        }
    }
}
