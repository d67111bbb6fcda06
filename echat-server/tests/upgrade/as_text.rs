//! A database as text that SQLite reads, for a person to read and change.

use std::fmt::Write as _;

use rusqlite::types::Value;
use rusqlite::{Connection, Result};

/// What the index of words has of one message: the number of the message, and its words in order.
type IndexedWords = (i64, Vec<String>);

/// The statements that make a database of this one's schema and rows. `about` is the comment at its head.
pub(super) fn as_text(db: &Connection, about: &str) -> Result<String> {
    let pragma = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let mut text = format!(
        "{about}PRAGMA foreign_keys = OFF;\nPRAGMA application_id = {:#x};\nPRAGMA user_version = {};\nBEGIN;\n",
        pragma("application_id")?,
        pragma("user_version")?
    );
    // The tables of an index of words are made with it.
    let own =
        "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'sqlite_sequence'
               AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
               ORDER BY type <> 'table', rowid";
    for schema in rows(db, own)? {
        let [Value::Text(name), Value::Text(sql)] = &schema[..] else {
            continue;
        };
        let _ = writeln!(text, "{sql};");
        if sql.starts_with("CREATE VIRTUAL") {
            write_index(db, name, &mut text)?;
        } else if sql.starts_with("CREATE TABLE") {
            write_rows(db, name, &mut text)?;
        }
    }
    text.push_str("DELETE FROM \"sqlite_sequence\";\n");
    write_rows(db, "sqlite_sequence", &mut text)?;
    text.push_str("COMMIT;\n");
    Ok(text)
}

fn write_rows(db: &Connection, table: &str, text: &mut String) -> Result<()> {
    let columns = "SELECT group_concat(format('quote(\"%w\")', name), ' || '','' || ') FROM pragma_table_info(?1)";
    let columns: String = db.query_row(columns, [table], |row| row.get(0))?;
    for row in rows(db, &format!("SELECT {columns} FROM \"{table}\""))? {
        if let [Value::Text(values)] = &row[..] {
            let _ = writeln!(text, "INSERT INTO \"{table}\" VALUES({values});");
        }
    }
    Ok(())
}

/// The settings and the words of an index.
fn write_index(db: &Connection, name: &str, text: &mut String) -> Result<()> {
    let settings =
        format!("SELECT quote(k) || ', ' || quote(v) FROM {name}_config WHERE k <> 'version'");
    for row in rows(db, &settings)? {
        if let [Value::Text(setting)] = &row[..] {
            let _ = writeln!(
                text,
                "INSERT INTO {name} ({name}, rank) VALUES ({setting});"
            );
        }
    }
    for (id, words) in words(db, name)? {
        let words = words.join(" ").replace('\'', "''");
        let _ = writeln!(
            text,
            "INSERT INTO {name} (rowid, words) VALUES ({id}, '{words}');"
        );
    }
    Ok(())
}

/// What an index of words has.
pub(super) fn words(db: &Connection, name: &str) -> Result<Vec<IndexedWords>> {
    let vocabulary = format!(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.{name}_words USING fts5vocab(main, {name}, instance)"
    );
    db.execute_batch(&vocabulary)?;
    let mut found: Vec<IndexedWords> = Vec::new();
    let query = format!("SELECT doc, term FROM temp.{name}_words ORDER BY doc, \"offset\"");
    for row in rows(db, &query)? {
        if let [Value::Integer(id), Value::Text(word)] = &row[..] {
            match found.last_mut() {
                Some((last, words)) if last == id => words.push(word.clone()),
                _ => found.push((*id, vec![word.clone()])),
            }
        }
    }
    Ok(found)
}

/// All rows of a query.
pub(super) fn rows(db: &Connection, sql: &str) -> Result<Vec<Vec<Value>>> {
    let mut statement = db.prepare(sql)?;
    let columns = statement.column_count();
    let found = statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect())?;
    found.collect()
}
