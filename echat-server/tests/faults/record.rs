//! What the shim noted: everything a server did to its files and told its clients, in order.

use std::collections::HashMap;
use std::path::PathBuf;

/// One thing that was done. Files are called by their inode, as open files have no other name.
#[derive(Clone, Debug)]
pub(crate) enum Note {
    /// A process began; it has no connections yet.
    Started,
    Made {
        path: PathBuf,
        file: u64,
    },
    MadeFolder {
        path: PathBuf,
    },
    Removed {
        path: PathBuf,
    },
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    Written {
        file: u64,
        at: u64,
        bytes: Vec<u8>,
    },
    Resized {
        file: u64,
        length: u64,
    },
    Synced {
        file: u64,
    },
    /// A sync was asked for and failed.
    NotSynced {
        file: u64,
    },
    SyncedFolder {
        path: PathBuf,
    },
    /// The same for a folder, whose names just stay as they are.
    NotSyncedFolder {
        path: PathBuf,
    },
    /// The ready line was written.
    Ready,
    Accepted {
        conn: u64,
        port: u16,
    },
    Sent {
        conn: u64,
        length: u64,
    },
}

/// Bytes before a note's data: its kind, two numbers, and the length of the data.
const HEAD: usize = 32;

/// Reads the notes back, in the words of `enum note` in shim.c.
pub(crate) fn parse(mut record: &[u8]) -> Vec<Note> {
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

/// When bytes left for a client.
pub(crate) struct Told(HashMap<u16, Vec<(u64, usize)>>);

impl Told {
    pub(crate) fn new(notes: &[Note]) -> Self {
        let mut ports = HashMap::new();
        let mut told: HashMap<u16, Vec<(u64, usize)>> = HashMap::new();
        for (index, note) in notes.iter().enumerate() {
            match note {
                Note::Started => ports.clear(),
                Note::Accepted { conn, port } => {
                    ports.insert(*conn, *port);
                    assert!(
                        told.insert(*port, Vec::new()).is_none(),
                        "port {port} again"
                    );
                }
                Note::Sent { conn, length } => {
                    // Signals are passed on over a socket of the process's own.
                    let Some(port) = ports.get(conn) else {
                        continue;
                    };
                    let told = told.get_mut(port).unwrap();
                    let before = told.last().map_or(0, |(sum, _)| *sum);
                    told.push((before + length, index));
                }
                _ => {}
            }
        }
        Self(told)
    }

    /// The note of the call that sent a client's byte with this number.
    pub(crate) fn index(&self, port: u16, received: u64) -> usize {
        let sends = &self.0[&port];
        sends[sends.partition_point(|(sum, _)| *sum < received)].1
    }
}
