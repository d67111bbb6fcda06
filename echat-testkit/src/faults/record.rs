//! What the shim noted: everything a server did to its files and told its clients, in order.

use std::collections::HashMap;
use std::path::PathBuf;

/// One thing that was done. A file is named by its inode, because an open file has no other name.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are named like those of shim.c")]
pub enum Note {
    /// A process began; it has no connections yet.
    Started,
    /// A file was created.
    Made { path: PathBuf, file: u64 },
    /// A folder was created.
    MadeFolder { path: PathBuf },
    /// A name was removed.
    Removed { path: PathBuf },
    /// A file got another name.
    Renamed { from: PathBuf, to: PathBuf },
    /// Bytes were written from this offset on.
    Written { file: u64, at: u64, bytes: Vec<u8> },
    /// A file was cut or extended to this length in bytes.
    Resized { file: u64, length: u64 },
    /// A sync of a file succeeded.
    Synced { file: u64 },
    /// A sync of a file failed.
    NotSynced { file: u64 },
    /// A sync of a folder succeeded.
    SyncedFolder { path: PathBuf },
    /// A sync of a folder failed, whose names stay as they are.
    NotSyncedFolder { path: PathBuf },
    /// The ready line was written.
    Ready,
    /// A connection from this port was accepted.
    Accepted { conn: u64, port: u16 },
    /// So many bytes were sent on a connection.
    Sent { conn: u64, length: u64 },
}

/// Bytes before a note's data: its kind, two numbers, and the length of the data.
const HEAD: usize = 32;

/// Reads the notes back, in the words of `enum note` in shim.c.
pub fn parse(mut record: &[u8]) -> Vec<Note> {
    let mut notes = Vec::new();
    while let Some((head, rest)) = record.split_at_checked(HEAD) {
        let [kind, file, at, length] = [0, 1, 2, 3].map(|n| {
            let bytes = head[n * 8..][..8].try_into().unwrap();
            u64::from_le_bytes(bytes)
        });
        let (data, rest) = rest.split_at(usize::try_from(length).unwrap());
        notes.push(note(kind, file, at, data));
        record = rest;
    }
    assert_eq!(record, b"", "half a note");
    notes
}

fn note(kind: u64, file: u64, at: u64, data: &[u8]) -> Note {
    let text = || str::from_utf8(data).unwrap();
    let path = || PathBuf::from(text());
    match kind {
        1 => Note::Started,
        2 => Note::Made { path: path(), file },
        3 => Note::MadeFolder { path: path() },
        4 => Note::Removed { path: path() },
        5 => {
            let (from, to) = text().split_once('\n').unwrap();
            Note::Renamed {
                from: from.into(),
                to: to.into(),
            }
        }
        6 => Note::Written {
            file,
            at,
            bytes: data.to_vec(),
        },
        7 => Note::Resized { file, length: at },
        8 => Note::Synced { file },
        9 => Note::NotSynced { file },
        10 => Note::SyncedFolder { path: path() },
        11 => Note::Ready,
        12 => Note::Accepted {
            conn: file,
            port: u16::try_from(at).unwrap(),
        },
        13 => Note::Sent {
            conn: file,
            length: at,
        },
        14 => Note::NotSyncedFolder { path: path() },
        _ => panic!("a note of kind {kind}"),
    }
}

/// One connection: which server of the record it was to, counted from 0, and the client's port.
type Connection = (usize, u16);

/// When bytes left for a client: how many by then, and the note of the call.
pub struct SentBytes(HashMap<Connection, Vec<(u64, usize)>>);

impl SentBytes {
    /// From the notes of one or several servers.
    pub fn new(notes: &[Note]) -> Self {
        let mut servers = 0;
        let mut open = HashMap::new();
        let mut sent: HashMap<Connection, Vec<(u64, usize)>> = HashMap::new();
        for (index, note) in notes.iter().enumerate() {
            match note {
                Note::Started => {
                    servers += 1;
                    open.clear();
                }
                Note::Accepted { conn, port } => {
                    let connection = (servers - 1, *port);
                    open.insert(*conn, connection);
                    let before = sent.insert(connection, Vec::new());
                    assert_eq!(before, None, "port {port} again");
                }
                Note::Sent { conn, length } => {
                    // Signals are passed on over a socket of the process's own.
                    if let Some(connection) = open.get(conn) {
                        let sent = sent.entry(*connection).or_default();
                        let before = sent.last().map_or(0, |(sum, _)| *sum);
                        sent.push((before + length, index));
                    }
                }
                _ => {}
            }
        }
        Self(sent)
    }

    /// The note of the call that sent a client's byte with this number.
    pub fn index(&self, connection: Connection, received: u64) -> usize {
        let sends = &self.0[&connection];
        sends[sends.partition_point(|(sum, _)| *sum < received)].1
    }
}
