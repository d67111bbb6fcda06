//! The file that remembers the last printed message, and what an output file has beyond it.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use echat_proto::json;
use echat_proto::value::Value;
use echat_system::private_file;

use super::room::KnownRoom;

/// The largest cursor file, in bytes.
const MAX_FILE: u64 = 4 << 10;

/// The last message that was printed, and of which history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Its id; 0 for none.
    pub(super) id: u64,
    /// The name of the history; `None` before the first login.
    pub(super) history: Option<String>,
    /// The room that is followed, with `--room`.
    pub(super) room: Option<KnownRoom>,
}

impl Cursor {
    /// Moves on to a message that was printed. `is_of_room`: it is known to be one of the room.
    pub(super) fn pass(&mut self, id: u64, is_of_room: bool) {
        self.id = id;
        if let Some(room) = self.room.as_mut().filter(|_| is_of_room) {
            room.message = id;
        }
    }

    /// Goes back to the beginning of another history, in which the ids are those of other messages.
    pub(super) fn begin_again(&mut self) {
        self.pass(0, true);
    }
}

/// A regular file that lines are appended to, and where they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutputEnd {
    device: u64,
    inode: u64,
    bytes: u64,
}

impl OutputEnd {
    /// Where a file ends now; `None` if it is no regular file.
    pub(super) fn of(file: &File) -> io::Result<Option<Self>> {
        let found = file.metadata()?;
        Ok(found.is_file().then(|| Self {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.len(),
        }))
    }
}

/// What a cursor file says: the cursor, and where the output ended then, if it was a regular file.
pub(super) type Saved = (Cursor, Option<OutputEnd>);

/// Why a cursor file is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum CursorError {
    #[error("another echat-nc follows with this cursor file")]
    Locked,
    #[error("this is no cursor file of echat-nc")]
    NoCursor,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A cursor file, which no other run uses.
#[derive(Debug)]
pub(super) struct CursorFile {
    path: PathBuf,
    /// Holds the lock.
    _lock: File,
}

impl CursorFile {
    /// Locks the cursor file at `path`, and reads it if it is there.
    pub(super) fn open(path: &Path) -> Result<(Self, Option<Saved>), CursorError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(name)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(CursorError::Locked),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let found = match fs::metadata(path) {
            Ok(found) if found.len() > MAX_FILE => return Err(CursorError::NoCursor),
            Ok(_) => Some(read(&fs::read_to_string(path)?).ok_or(CursorError::NoCursor)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let file = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        Ok((file, found))
    }

    /// Replaces the file, durably.
    pub(super) fn save(&self, cursor: &Cursor, output: Option<OutputEnd>) -> io::Result<()> {
        let mut line = json::to_json(&value(cursor, output));
        line.push('\n');
        private_file::replace(&self.path, |file| file.write_all(line.as_bytes()))
    }
}

fn value(cursor: &Cursor, output: Option<OutputEnd>) -> Value {
    let mut entries = vec![("id".into(), Value::Int(cursor.id))];
    if let Some(history) = &cursor.history {
        entries.push(("history".into(), Value::from(history.as_str())));
    }
    if let Some(room) = &cursor.room {
        let mut entry = vec![
            ("option".into(), Value::from(room.option.as_str())),
            ("name".into(), Value::from(room.name.as_str())),
            ("message".into(), Value::Int(room.message)),
        ];
        if let Some(created) = room.created {
            entry.push(("created".into(), Value::Int(created)));
        }
        entries.push(("room".into(), Value::Dict(entry)));
    }
    if let Some(end) = output {
        let numbers = [
            ("device", end.device),
            ("inode", end.inode),
            ("bytes", end.bytes),
        ];
        let numbers = numbers.map(|(key, number)| (key.into(), Value::Int(number)));
        entries.push(("output".into(), Value::Dict(numbers.to_vec())));
    }
    Value::Dict(entries)
}

fn read(text: &str) -> Option<Saved> {
    let value = json::from_json(text).ok()?;
    let room = match value.at("room") {
        Some(room) => Some(KnownRoom {
            option: text_of(room, "option")?,
            name: text_of(room, "name")?,
            created: int(room, "created"),
            message: int(room, "message")?,
        }),
        None => None,
    };
    let cursor = Cursor {
        id: int(&value, "id")?,
        history: text_of(&value, "history"),
        room,
    };
    let output = match value.at("output") {
        Some(output) => Some(OutputEnd {
            device: int(output, "device")?,
            inode: int(output, "inode")?,
            bytes: int(output, "bytes")?,
        }),
        None => None,
    };
    Some((cursor, output))
}

pub(super) fn int(value: &Value, key: &str) -> Option<u64> {
    match value.at(key) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}

pub(super) fn text_of(value: &Value, key: &str) -> Option<String> {
    match value.at(key) {
        Some(Value::Str(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Moves a cursor over the lines that an output file has beyond `saved`: they were written before a kill, and the
/// cursor was not saved after them. A line that was cut is removed. Other lines are passed over.
///
/// `reading` is the same file, open for reading.
pub(super) fn recover(
    cursor: &mut Cursor,
    saved: OutputEnd,
    output: &File,
    reading: File,
) -> io::Result<()> {
    let now = OutputEnd::of(output)?;
    let is_same = now.is_some_and(|now| (now.device, now.inode) == (saved.device, saved.inode));
    if !is_same || now.is_some_and(|now| now.bytes <= saved.bytes) {
        return Ok(());
    }
    let mut lines = BufReader::new(reading);
    let mut end = lines.seek(SeekFrom::Start(saved.bytes))?;
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = lines.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            break;
        }
        end += length as u64;
        if let Ok(text) = str::from_utf8(&line) {
            pass(cursor, text);
        }
    }
    if line.starts_with(b"{") {
        output.set_len(end)?;
    }
    Ok(())
}

/// Moves a cursor over a line, if it is one of a message or of a replaced history.
fn pass(cursor: &mut Cursor, line: &str) {
    let Ok(value) = json::from_json(line) else {
        return;
    };
    let is_message = value.at("content").is_some() && value.at("target").is_some();
    if let (true, Some(id)) = (is_message, int(&value, "id")) {
        // A run that followed all rooms may have written it.
        cursor.pass(cursor.id.max(id), false);
    }
    if text_of(&value, "event").as_deref() == Some("HISTORY_REPLACED") {
        cursor.begin_again();
        cursor.history = value
            .at("params")
            .and_then(|params| text_of(params, "history"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(id: u64, history: &str) -> Cursor {
        Cursor {
            id,
            history: Some(history.to_owned()),
            room: None,
        }
    }

    #[test]
    fn a_cursor_file_keeps_what_was_saved_and_has_one_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cursor");
        let (file, found) = CursorFile::open(&path).unwrap();
        assert!(found.is_none());
        assert!(matches!(CursorFile::open(&path), Err(CursorError::Locked)));
        let end = OutputEnd::of(&File::open(folder.path().join("cursor.lock")).unwrap()).unwrap();
        file.save(&at(7, "a"), end).unwrap();
        drop(file);
        let (file, found) = CursorFile::open(&path).unwrap();
        assert_eq!(found, Some((at(7, "a"), end)));
        drop(file);
        let mut cursor = Cursor::default();
        for created in [None, Some(3)] {
            let (file, _) = CursorFile::open(&path).unwrap();
            cursor.room = Some(KnownRoom {
                created,
                ..KnownRoom::of_option("tea", None)
            });
            file.save(&cursor, None).unwrap();
            drop(file);
            let (_, found) = CursorFile::open(&path).unwrap();
            assert_eq!(found, Some((cursor.clone(), None)));
        }
    }

    #[test]
    fn another_file_is_no_cursor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cursor");
        for contents in ["", "12", "{}", r#"{"id":"1"}"#, r#"{"id":1,"output":{}}"#] {
            fs::write(&path, contents).unwrap();
            let opened = CursorFile::open(&path);
            assert!(matches!(opened, Err(CursorError::NoCursor)), "{contents}");
            assert_eq!(fs::read_to_string(&path).unwrap(), contents);
        }
    }

    #[test]
    fn lines_beyond_the_cursor_are_found_and_a_cut_line_is_removed() {
        let line = |id: u64| format!("{{\"id\":{id},\"target\":\"tea\",\"content\":\"x\"}}\n");
        let replaced = "{\"event\":\"HISTORY_REPLACED\",\"params\":{\"history\":\"b\"}}\n";
        for (beyond, expected, kept) in [
            (String::new(), at(2, "a"), 0),
            (line(3) + &line(5), at(5, "a"), 2 * line(3).len()),
            (line(3) + "{\"id\":4,\"tar", at(3, "a"), line(3).len()),
            (
                line(9) + replaced + &line(1),
                at(1, "b"),
                2 * line(1).len() + replaced.len(),
            ),
            ("not ours".to_owned(), at(2, "a"), "not ours".len()),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("output");
            fs::write(&path, line(2)).unwrap();
            let output = File::options().append(true).open(&path).unwrap();
            let saved = OutputEnd::of(&output).unwrap().unwrap();
            (&output).write_all(beyond.as_bytes()).unwrap();
            let mut cursor = at(2, "a");
            recover(&mut cursor, saved, &output, File::open(&path).unwrap()).unwrap();
            assert_eq!(cursor, expected, "{beyond}");
            let whole = fs::read(&path).unwrap().len();
            assert_eq!(whole, line(2).len() + kept, "{beyond}");
        }
    }

    #[test]
    fn another_or_a_shorter_output_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let line = "{\"id\":9,\"target\":\"tea\",\"content\":\"x\"}\n";
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        fs::write(&one, line).unwrap();
        fs::write(&other, [line, line].concat()).unwrap();
        let saved = OutputEnd::of(&File::open(&one).unwrap()).unwrap().unwrap();
        for path in [one, other] {
            let output = File::options().append(true).open(&path).unwrap();
            let mut cursor = at(2, "a");
            recover(&mut cursor, saved, &output, File::open(&path).unwrap()).unwrap();
            assert_eq!(cursor, at(2, "a"));
        }
    }
}
