//! Nothing of a removed text is left in the files of the database, however it was removed and whatever was moved
//! before.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use echat_proto::names::{Content, RoomName, Username};
use echat_server::storage::{ConversationId, MessageId, Purged, Removal, Store, Sweep, UserId};
use tempfile::TempDir;

/// Letters of a word, and those of them that are looked for: the index leaves out a beginning that two words share.
const LETTERS: usize = 14;
const LOOKED_FOR: usize = 10;

/// Seconds from one message to the next, and the time that messages are kept in this test.
const PAUSE: i64 = 600;
const KEPT: i64 = 86_400;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn word(&mut self) -> String {
        (0..LETTERS)
            .map(|_| char::from(b'a' + u8::try_from(self.below(26)).unwrap()))
            .collect()
    }
}

/// A message that is stored.
struct Message {
    room: ConversationId,
    sent_at: i64,
    words: Vec<String>,
}

/// A database, and what should be in it.
struct World {
    _folder: TempDir,
    path: PathBuf,
    store: Store,
    random: Random,
    ann: UserId,
    rooms: Vec<(String, ConversationId)>,
    now: i64,
    stored: BTreeMap<u64, Message>,
    removed: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut store = Store::open(&path).unwrap();
        let mut batch = store.batch();
        let ann = Username::new("ann").unwrap();
        let ann = batch.create_user(&ann, "phc", 1).unwrap().unwrap();
        let _ = batch.commit().unwrap();
        let mut world = Self {
            _folder: folder,
            path,
            store,
            random: Random(seed),
            ann,
            rooms: Vec::new(),
            now: 1_000_000,
            stored: BTreeMap::new(),
            removed: Vec::new(),
        };
        for _ in 0..3 {
            world.open_room();
        }
        world
    }

    fn open_room(&mut self) {
        let name = self.random.word();
        let mut batch = self.store.batch();
        let made = batch.create_room(&RoomName::new(&name).unwrap(), self.ann, 1);
        let room = made.unwrap().unwrap();
        let _ = batch.commit().unwrap();
        self.rooms.push((name, room));
    }

    /// A text of different words, or of one that is repeated, up to 14 KiB.
    fn words(&mut self) -> Vec<String> {
        let count = [1, 2, 6, 20, 60, 300, 1_000][self.random.below(7)];
        if count <= 60 {
            (0..count).map(|_| self.random.word()).collect()
        } else {
            vec![self.random.word(); count]
        }
    }

    /// One of the stored messages.
    fn any(&mut self) -> Option<u64> {
        let at = self.random.below(self.stored.len().max(1));
        self.stored.keys().nth(at).copied()
    }

    fn say(&mut self) {
        let words = self.words();
        let content = Content::new(words.join(" ")).unwrap();
        let room = self.rooms[self.random.below(self.rooms.len())].1;
        self.now += PAUSE;
        let mut batch = self.store.batch_at(self.now);
        let said = batch.insert_message(room, self.ann, &content, None, self.now);
        let id = said.unwrap().0;
        let _ = batch.commit().unwrap();
        let sent_at = self.now;
        let message = Message {
            room,
            sent_at,
            words,
        };
        self.stored.insert(id, message);
    }

    fn edit(&mut self, id: u64) {
        let words = self.words();
        let content = Content::new(words.join(" ")).unwrap();
        let mut batch = self.store.batch_at(self.now);
        batch
            .set_content(MessageId(id), &content, &[], self.now)
            .unwrap();
        let _ = batch.commit().unwrap();
        let message = self.stored.get_mut(&id).unwrap();
        self.removed
            .append(&mut std::mem::replace(&mut message.words, words));
    }

    fn delete(&mut self, id: u64) {
        let mut batch = self.store.batch_at(self.now);
        batch.remove_content(MessageId(id), self.now).unwrap();
        let _ = batch.commit().unwrap();
        self.forget(|key, _| key == id);
    }

    fn forget(&mut self, which: impl Fn(u64, &Message) -> bool) {
        let gone = self
            .stored
            .extract_if(.., |id, message| which(*id, message));
        let gone = gone.flat_map(|(_, message)| message.words);
        self.removed.extend(gone);
    }

    /// Removes what is too old.
    fn expire(&mut self) {
        self.store.keep(Some(1));
        self.remove(Removal::TooOld(Sweep::of_all(false)));
        self.store.keep(None);
        let kept_since = self.now - KEPT;
        self.forget(|_, message| message.sent_at < kept_since);
    }

    fn close_a_room(&mut self) {
        let at = self.random.below(self.rooms.len());
        let (name, room) = self.rooms.remove(at);
        let mut batch = self.store.batch_at(self.now);
        let closed = batch.find_room(&name).unwrap().unwrap();
        batch.close_room(&closed).unwrap();
        let _ = batch.commit().unwrap();
        self.remove(Removal::ClosedRooms);
        self.forget(|_, message| message.room == room);
        self.open_room();
    }

    fn remove(&mut self, removal: Removal) {
        let mut left = Some(removal);
        while let Some(removal) = left {
            let mut batch = self.store.batch_at(self.now);
            let retention = batch.retention();
            left = batch.remove(&removal, retention).unwrap();
            if left.is_some() {
                batch.index_messages().unwrap();
            }
            let _ = batch.commit().unwrap();
        }
    }

    fn index(&mut self) -> bool {
        let mut batch = self.store.batch_at(self.now);
        let has_more = batch.index_messages().unwrap().is_some();
        let _ = batch.commit().unwrap();
        has_more
    }

    fn step(&mut self) {
        match (self.random.below(100), self.any()) {
            (0..60, _) | (_, None) => self.say(),
            (60..75, Some(id)) => self.edit(id),
            (75..88, Some(id)) => self.delete(id),
            (88..96, _) => {
                self.index();
            }
            (96..99, _) => self.expire(),
            _ => self.close_a_room(),
        }
        if let Some(checkpoint) = self.store.take_checkpoint() {
            let outcome = checkpoint.run();
            self.store.checkpoint_done(outcome).unwrap();
        }
    }

    fn purge(&mut self) {
        while self.index() {}
        loop {
            match self.store.purge().unwrap() {
                Purged::All => return,
                Purged::Waits => {}
                Purged::Held(error) => panic!("{error}"),
            }
            if let Some(checkpoint) = self.store.take_checkpoint() {
                let outcome = checkpoint.run();
                self.store.checkpoint_done(outcome).unwrap();
            }
        }
    }

    /// How many of these words the files of the database contain.
    fn found(&self, words: impl Iterator<Item = String>) -> usize {
        let ends: HashSet<Vec<u8>> = words
            .map(|word| word.as_bytes()[LETTERS - LOOKED_FOR..].to_vec())
            .collect();
        let mut found = HashSet::new();
        for path in [self.path.clone(), log_of(&self.path)] {
            let bytes = std::fs::read(path).unwrap();
            let windows = bytes.windows(LOOKED_FOR);
            found.extend(
                windows
                    .filter(|window| ends.contains(*window))
                    .map(<[u8]>::to_vec),
            );
        }
        found.len()
    }
}

fn log_of(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}

#[test]
fn nothing_of_edited_deleted_and_expired_texts_is_left_in_the_files() {
    for seed in 3..7 {
        let mut world = World::new(seed);
        for _ in 0..400 {
            world.step();
        }
        world.purge();
        let removed = world.removed.clone();
        assert!(removed.len() > 1_000, "seed {seed}: {}", removed.len());
        assert_eq!(world.found(removed.into_iter()), 0, "seed {seed}");
        let stored: HashSet<String> = world
            .stored
            .values()
            .flat_map(|message| message.words.iter().cloned())
            .collect();
        // A short text may lie across two pages, and the index has its words in parts.
        let found = world.found(stored.iter().cloned());
        assert!(
            found * 10 > stored.len() * 9,
            "seed {seed}: {found} of {}",
            stored.len()
        );
    }
}
