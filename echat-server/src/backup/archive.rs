//! The format of a backup: an SQLite database, and after its last page what else belongs to the data folder.
//!
//! ```text
//! the database, as SQLite writes it, without a write-ahead log
//! {"format":1,"echat":"0.1.0","created_at":1764381600,...}         the manifest: one line of JSON
//! echat-backup 1 database 00000000000000053248 sha256 4f0c...      the last line, of a fixed length
//! ```
//!
//! A newline stands before the manifest. The last line gives the version of the format, the bytes of the database, and
//! the SHA-256 of everything before it and of itself up to the sum. A file that is cut off has no last line, and a
//! changed bit changes the sum, which `PRAGMA integrity_check` would not see in a text.
//!
//! Why not a tar: the database is written once, in place, and verified there by SQLite, which cannot open a member of a
//! tar. SQLite ignores bytes after the last page, so `sqlite3 FILE` reads a backup too. Why not a table: the database
//! stays the one that the server had, page by page, with echat's schema and without the key in its pages.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::storage::Summary;

/// The version of the format.
pub const FORMAT: u64 = 1;

/// The first word of the last line.
const MAGIC: &str = "echat-backup ";

/// Bytes of the last line: `echat-backup`, the format in up to 4 digits padded with spaces on its right, `database` and
/// 20 digits, `sha256` and 64 digits, and the newline.
const LAST_LINE: usize = 13 + 5 + 9 + 21 + 7 + 64 + 1;

/// Bytes of a manifest at most: the longest configuration, each byte of it as six in JSON, and the rest generously.
const MANIFEST_BYTES: u64 = 8 * 1024 * 1024;

/// Bytes that are read at a time.
const CHUNK: usize = 256 * 1024;

/// What a backup has beside the database. The key is wiped from memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachments {
    /// The text of the file `host_key`.
    pub host_key: Option<Zeroizing<String>>,
    /// The text of the configuration file. It may contain no secret, and is wiped as one.
    pub config: Option<Zeroizing<String>>,
}

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The version of the program that made it.
    pub echat: String,
    /// When it was made, in unix seconds.
    pub created_at: i64,
    /// What the database holds.
    pub summary: Summary,
    /// What is in the file beside the database.
    pub attachments: Attachments,
}

/// Why a file is not a backup.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The file does not end as a backup does.
    #[error("this is no complete backup of echat: its last line is missing")]
    NotOne,
    /// A newer program made it.
    #[error("this backup has format {0}, this echat knows format {FORMAT}")]
    Newer(u64),
    /// A byte of it is not as it was written.
    #[error("this backup has changed since it was made: its SHA-256 differs")]
    Changed,
    /// The manifest does not have what this format has.
    #[error("the manifest of this backup cannot be read")]
    Manifest,
    /// The database has other rows than those that were counted.
    #[error("the database in this backup is not the one that its manifest describes")]
    Contents,
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Manifest {
    /// The manifest of a backup that is made now.
    pub(super) fn new(summary: Summary, attachments: Attachments, now: i64) -> Self {
        Self {
            echat: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: now,
            summary,
            attachments,
        }
    }

    /// As one object, without the contents of the attachments: for people and scripts.
    pub fn described(&self) -> Value {
        let Summary {
            schema,
            newest_id,
            history,
            rows,
            deleted_users,
        } = &self.summary;
        let mut value = json!({
            "format": FORMAT,
            "echat": self.echat,
            "created_at": self.created_at,
            "schema": schema,
            "newest_id": newest_id,
            "history": history,
            "rows": rows,
            "host_key": self.attachments.host_key.is_some(),
            "config": self.attachments.config.is_some(),
        });
        if let Some(deleted) = deleted_users {
            value["deleted_users"] = (*deleted).into();
        }
        value
    }

    /// As it stands in a backup.
    fn text(&self) -> Zeroizing<String> {
        let mut value = self.described();
        let text = |text: &Option<Zeroizing<String>>| {
            text.as_ref()
                .map_or(Value::Null, |text| Value::String(text.to_string()))
        };
        value["host_key"] = text(&self.attachments.host_key);
        value["config"] = text(&self.attachments.config);
        let line = Zeroizing::new(value.to_string());
        wipe(&mut value);
        line
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut value: Value = serde_json::from_slice(text).ok()?;
        let manifest = Self::of(&value);
        wipe(&mut value);
        manifest
    }

    fn of(value: &Value) -> Option<Self> {
        let text = |key: &str| match &value[key] {
            Value::Null => Some(None),
            Value::String(text) => Some(Some(Zeroizing::new(text.clone()))),
            _ => None,
        };
        let rows = value["rows"].as_object()?.iter();
        let rows = rows.map(|(table, count)| Some((table.clone(), count.as_u64()?)));
        Some(Self {
            echat: value["echat"].as_str()?.to_owned(),
            created_at: value["created_at"].as_i64()?,
            summary: Summary {
                schema: value["schema"].as_u64()?.try_into().ok()?,
                newest_id: value["newest_id"].as_u64()?,
                history: value["history"].as_str()?.to_owned(),
                rows: rows.collect::<Option<BTreeMap<_, _>>>()?,
                // Not in backups of the first programs.
                deleted_users: value["deleted_users"].as_u64(),
            },
            attachments: Attachments {
                host_key: text("host_key")?,
                config: text("config")?,
            },
        })
    }
}

/// Wipes the texts of the attachments.
fn wipe(value: &mut Value) {
    for key in ["host_key", "config"] {
        if let Value::String(text) = &mut value[key] {
            drop(Zeroizing::new(std::mem::take(text)));
        }
    }
}

/// Appends the manifest and the last line to a file that contains the database.
pub(super) fn append(file: &File, manifest: &Manifest) -> io::Result<()> {
    let database = file.metadata()?.len();
    let text = manifest.text();
    let mut tail = Zeroizing::new(Vec::with_capacity(text.len() + 2));
    tail.push(b'\n');
    tail.extend_from_slice(text.as_bytes());
    tail.push(b'\n');
    file.write_all_at(&tail, database)?;
    let mut sum = Sha256::new();
    let end = database + tail.len() as u64;
    each_chunk(file, 0, end, |chunk| {
        sum.update(chunk);
        Ok(())
    })?;
    let head = head(FORMAT, database);
    sum.update(&head);
    let line = format!("{head}{}\n", hex(&sum.finalize()));
    file.write_all_at(line.as_bytes(), end)
}

/// The last line up to its sum.
fn head(format: u64, database: u64) -> String {
    format!("{MAGIC}{format:<4} database {database:020} sha256 ")
}

/// Checks a backup against its sum, writes its database to `database` and returns its manifest.
///
/// # Errors
/// See [`FormatError`]; what was written is then not to be used.
pub(super) fn read(file: &File, database: &mut impl Write) -> Result<Manifest, FormatError> {
    let length = file.metadata()?.len();
    let end = length
        .checked_sub(LAST_LINE as u64)
        .ok_or(FormatError::NotOne)?;
    let mut line = [0; LAST_LINE];
    file.read_exact_at(&mut line, end)?;
    let (format, bytes, expected) = parse_last(&line).ok_or(FormatError::NotOne)?;
    if format != FORMAT {
        return Err(FormatError::Newer(format));
    }
    let size = end.checked_sub(bytes).ok_or(FormatError::NotOne)?;
    let mut sum = Sha256::new();
    let mut copied = 0;
    each_chunk(file, 0, end, |chunk| {
        sum.update(chunk);
        let left = usize::try_from(bytes - copied).unwrap_or(usize::MAX);
        let part = &chunk[..chunk.len().min(left)];
        copied += part.len() as u64;
        database.write_all(part)
    })?;
    sum.update(head(format, bytes));
    if hex(&sum.finalize()) != expected {
        return Err(FormatError::Changed);
    }
    if size > MANIFEST_BYTES {
        return Err(FormatError::Manifest);
    }
    let mut text = Zeroizing::new(vec![0; usize::try_from(size).unwrap_or(0)]);
    file.read_exact_at(&mut text, bytes)?;
    Manifest::parse(&text).ok_or(FormatError::Manifest)
}

/// Format, bytes of the database and sum of a last line.
fn parse_last(line: &[u8]) -> Option<(u64, u64, &str)> {
    let text = str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (format, rest) = text.strip_prefix(MAGIC)?.split_once(" database ")?;
    let (bytes, sum) = rest.split_once(" sha256 ")?;
    let format = format.trim_end().parse().ok()?;
    let bytes = bytes.parse().ok()?;
    (text.strip_suffix(sum)? == head(format, bytes)).then_some((format, bytes, sum))
}

fn each_chunk(
    file: &File,
    from: u64,
    to: u64,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    // Allocated in full: the last chunk has the key.
    let mut chunk = Zeroizing::new(vec![0; CHUNK]);
    let mut at = from;
    while at < to {
        let length = usize::try_from(to - at).unwrap_or(CHUNK).min(CHUNK);
        file.read_exact_at(&mut chunk[..length], at)?;
        each(&chunk[..length])?;
        at += length as u64;
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes all text");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const DATABASE: &[u8] = &[7; 3 * CHUNK / 2];

    fn manifest() -> Manifest {
        let summary = Summary {
            schema: 6,
            newest_id: 12,
            history: "1f".to_owned(),
            rows: BTreeMap::from([("users".to_owned(), 3)]),
            deleted_users: None,
        };
        let attachments = Attachments {
            host_key: Some(Zeroizing::new("echat-host-key-ed25519 AAEC\n".to_owned())),
            config: Some(Zeroizing::new("{}\n".to_owned())),
        };
        Manifest::new(summary, attachments, 1_764_381_600)
    }

    fn file() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        fs::write(&path, DATABASE).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        append(&file, &manifest()).unwrap();
        (folder, path)
    }

    fn opened(bytes: &[u8], path: &std::path::Path) -> Result<Manifest, FormatError> {
        fs::write(path, bytes).unwrap();
        read(&File::open(path).unwrap(), &mut io::sink())
    }

    #[test]
    fn the_format_does_not_change() {
        let (_folder, path) = file();
        let bytes = fs::read(&path).unwrap();
        let (database, tail) = bytes.split_at(DATABASE.len());
        assert!(database == DATABASE);
        let tail = str::from_utf8(tail).unwrap();
        assert_eq!(
            tail,
            "\n{\"config\":\"{}\\n\",\"created_at\":1764381600,\"echat\":\"0.1.0\",\"format\":1,\
             \"history\":\"1f\",\"host_key\":\"echat-host-key-ed25519 AAEC\\n\",\"newest_id\":12,\
             \"rows\":{\"users\":3},\"schema\":6}\n\
             echat-backup 1    database 00000000000000393216 sha256 \
             SUM\n"
                .replace("SUM", &tail[tail.len() - 65..tail.len() - 1])
        );
        let mut copy = Vec::new();
        let read = read(&File::open(&path).unwrap(), &mut copy).unwrap();
        assert!(copy == DATABASE);
        assert_eq!(read, manifest());
    }

    #[test]
    fn a_file_that_is_cut_off_is_none() {
        let (_folder, path) = file();
        let bytes = fs::read(&path).unwrap();
        for length in [
            0,
            1,
            LAST_LINE,
            DATABASE.len(),
            bytes.len() - LAST_LINE,
            bytes.len() - 1,
        ] {
            let cut = opened(&bytes[..length], &path).unwrap_err();
            assert!(matches!(cut, FormatError::NotOne), "{length}: {cut}");
        }
    }

    /// In the database, the manifest, each field of the last line, the sum.
    #[test]
    fn a_changed_byte_is_noticed_wherever_it_is() {
        let (_folder, path) = file();
        let whole = fs::read(&path).unwrap();
        let tail = (DATABASE.len()..whole.len()).step_by(3);
        for at in [0, 1, CHUNK, DATABASE.len() - 1]
            .into_iter()
            .chain(tail)
            .chain([whole.len() - 1])
        {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            assert!(opened(&bytes, &path).is_err(), "{at}");
        }
    }

    #[test]
    fn a_newer_format_is_named() {
        let (_folder, path) = file();
        let text = fs::read(&path).unwrap();
        let at = text.len() - LAST_LINE + MAGIC.len();
        let mut newer = text;
        newer[at] = b'2';
        let refused = opened(&newer, &path).unwrap_err();
        assert!(matches!(refused, FormatError::Newer(2)), "{refused}");
    }
}
