//! The schema of config.json: every key with its default, its range, its unit and what it does, in one
//! table (`settings`) that server and client share.
//!
//! The file is one object with the sections `server` and `client`. Each program reads its own section in
//! full; of the other section the server checks the names of the keys. The text comes in from outside:
//! nothing here opens a file. The default config.json ([`default_json`]) and the tables in
//! `docs/configuration.md` ([`rows`]) are made from the same table.
//!
//! * `settings` is the table; a new key is one entry of it;
//! * `section` turns a section of the table into a type that serde reads and writes;
//! * `document` is the text of a file as a tree, and reads sections from it;
//! * `fault` says what is wrong with a file, and where.

mod document;
mod fault;
mod listen;
mod networks;
mod section;
mod settings;

pub use self::document::{Document, MAX_FILE_BYTES};
pub use self::fault::{Fault, JsonType, Reason, TextError, nearest, quoted};
pub use self::listen::{Listen, MetricsAddress};
pub use self::networks::Networks;
pub use self::section::{Allowed, MESSAGE_OF_THE_DAY_BYTES, Row, Section, is_message_of_the_day};
pub use self::settings::{
    ClientConfig, ConfigFile, Inviters, LanguageSetting, Limits, LogFormat, MESSAGE_OVERHEAD,
    Notify, Presence, Registration, ServerConfig,
};

/// config.json with every default spelt out, ending in a newline.
///
/// # Errors
/// None in practice: the defaults are all JSON.
pub fn default_json() -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(&ConfigFile::default())?;
    text.push('\n');
    Ok(text)
}

/// Every key that is no section, in the order of the file.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    ConfigFile::describe("", &mut rows);
    rows
}
