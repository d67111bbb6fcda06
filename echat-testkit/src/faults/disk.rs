//! A disk made of notes, whose power can be cut at any moment.
//!
//! It keeps to what POSIX promises and not a bit more: a sync of a file makes its bytes and its
//! length durable, a sync of a folder the names in it. Of everything that was not synced, each
//! sector of each write, each change of a length and each change of a name survives a cut or does
//! not, by itself. A sync that fails leaves what it was asked for to chance, and no later sync makes
//! it good: the system takes those pages for clean.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::record::Note;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing {
    Folder,
    /// A file, by its place in `Disk::files`; inodes are used again.
    File(usize),
}

/// A change of a name: what it stands for from then on, and a name that ends with it.
#[derive(Clone, Debug)]
struct Naming {
    path: PathBuf,
    thing: Option<Thing>,
    instead_of: Option<PathBuf>,
}

#[derive(Clone, Debug)]
enum Change {
    Bytes { at: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Clone, Debug, Default)]
struct File {
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

/// The disk under one folder, which itself is there already.
pub struct Disk {
    files: Vec<File>,
    by_inode: HashMap<u64, usize>,
    now: BTreeMap<PathBuf, Thing>,
    durable: BTreeMap<PathBuf, Thing>,
    unsynced: Vec<Naming>,
    /// For what failing syncs leave behind.
    rng: StdRng,
}

impl Disk {
    /// An empty one; `seed` decides what failing syncs leave behind.
    pub fn new(seed: u64) -> Self {
        Self {
            files: Vec::new(),
            by_inode: HashMap::new(),
            now: BTreeMap::new(),
            durable: BTreeMap::new(),
            unsynced: Vec::new(),
            rng: StdRng::seed_from_u64(seed),
        }
    }

    /// Does what the server did.
    pub fn apply(&mut self, note: &Note) {
        match note {
            Note::Made { path, file } => {
                self.by_inode.insert(*file, self.files.len());
                self.name(path, Some(Thing::File(self.files.len())), None);
                self.files.push(File::default());
            }
            Note::MadeFolder { path } => self.name(path, Some(Thing::Folder), None),
            Note::Removed { path } => self.name(path, None, None),
            Note::Renamed { from, to } => {
                let thing = self.now.remove(from);
                self.name(to, thing, Some(from.clone()));
            }
            Note::Written { file, at, bytes } => self.change(
                *file,
                Change::Bytes {
                    at: usize::try_from(*at).unwrap(),
                    bytes: bytes.clone(),
                },
            ),
            Note::Resized { file, length } => {
                self.change(*file, Change::Length(usize::try_from(*length).unwrap()));
            }
            Note::Synced { file } => {
                let file = &mut self.files[self.by_inode[file]];
                for change in std::mem::take(&mut file.unsynced) {
                    write(&mut file.durable, &change);
                }
            }
            Note::NotSynced { file } => {
                let file = &mut self.files[self.by_inode[file]];
                let lost = std::mem::take(&mut file.unsynced);
                Chance::new(&mut self.rng).write(&mut file.durable, &lost);
            }
            Note::SyncedFolder { path } => self.sync_names(path),
            Note::NotSyncedFolder { .. }
            | Note::Started
            | Note::Ready
            | Note::Accepted { .. }
            | Note::Sent { .. } => {}
        }
    }

    fn change(&mut self, inode: u64, change: Change) {
        self.files[self.by_inode[&inode]].unsynced.push(change);
    }

    fn name(&mut self, path: &Path, thing: Option<Thing>, instead_of: Option<PathBuf>) {
        let naming = Naming {
            path: path.to_owned(),
            thing,
            instead_of,
        };
        naming.apply(&mut self.now);
        self.unsynced.push(naming);
    }

    fn sync_names(&mut self, folder: &Path) {
        let durable = &mut self.durable;
        self.unsynced.retain(|naming| {
            let here = naming.path.parent() == Some(folder);
            if here {
                naming.apply(durable);
            }
            !here
        });
    }

    /// The power is cut: what is there when it comes back. Folders have no content.
    pub fn cut(&self, rng: &mut StdRng) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut chance = Chance::new(rng);
        let mut names = self.durable.clone();
        for naming in &self.unsynced {
            if chance.keeps() {
                naming.apply(&mut names);
            }
        }
        let mut found = BTreeMap::new();
        for (path, thing) in &names {
            let content = match thing {
                Thing::Folder => None,
                Thing::File(file) => {
                    let mut content = self.files[*file].durable.clone();
                    chance.write(&mut content, &self.files[*file].unsynced);
                    Some(content)
                }
            };
            found.insert(path.clone(), content);
        }
        found
    }
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<PathBuf, Thing>) {
        if let Some(from) = &self.instead_of {
            names.remove(from);
        }
        match self.thing {
            Some(thing) => names.insert(self.path.clone(), thing),
            None => names.remove(&self.path),
        };
    }
}

/// How kind one cut is: how large its sectors are, and how many of them it keeps.
struct Chance<'r> {
    rng: &'r mut StdRng,
    sector: usize,
    kept: f64,
}

impl<'r> Chance<'r> {
    fn new(rng: &'r mut StdRng) -> Self {
        let sector = [512, 4096][rng.random_range(0..2)];
        let kept = [0.0, 0.1, 0.5, 0.9, 1.0][rng.random_range(0..5)];
        Self { rng, sector, kept }
    }

    fn keeps(&mut self) -> bool {
        self.rng.random_bool(self.kept)
    }

    /// Makes some of these changes, sector by sector.
    fn write(&mut self, content: &mut Vec<u8>, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Bytes { at, bytes } => {
                    let end = at + bytes.len();
                    let mut from = *at;
                    while from < end {
                        let to = end.min((from / self.sector + 1) * self.sector);
                        if self.keeps() {
                            put(content, from, &bytes[from - at..to - at]);
                        }
                        from = to;
                    }
                }
                Change::Length(_) if self.keeps() => write(content, change),
                Change::Length(_) => {}
            }
        }
    }
}

fn write(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Bytes { at, bytes } => put(content, *at, bytes),
        Change::Length(length) => content.resize(*length, 0),
    }
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}
