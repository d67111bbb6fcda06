//! Removed text is in no file of the data folder a second later: the text of edited, deleted and expired messages, of
//! closed rooms and of erased accounts. While another program reads the database, the text stays in the log.

use super::log_lines::{count, logged};
use super::retention::{DAY, database, sim, stored};
use crate::sim::script::log_in;
use crate::sim::{Sim, seed};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::by_name;
use echat_proto::json::from_json;
use echat_proto::names::Content;
use echat_server::config::Limits;
use echat_server::engine::WaitReason;
use echat_server::storage::Store;
use echat_testkit::campaign;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{RngExt, SeedableRng};
use rusqlite::Connection;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

/// The names of the files in a folder that contain a text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).expect("a folder") {
        let file = file.expect("a file");
        let bytes = std::fs::read(file.path()).expect("readable");
        let text = text.as_bytes();
        if bytes.windows(text.len()).any(|window| window == text) {
            found.push(file.file_name().into_string().expect("text"));
        }
    }
    found.sort();
    found
}

#[test]
fn a_removed_text_is_in_no_file_a_second_later() {
    let close = r#"CLOSE_ROOM "tea""#;
    let keep_none = r#"SET_ROOM {"roomname":"tea","keep_days":0}"#;
    let erase = &format!(
        r#"DELETE_ACCOUNT {{"password":"{}","erase":true}}"#,
        seed::PASSWORD
    );
    for removal in [close, keep_none, erase] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut sim = sim(database(&folder.path().join("a.db")), None);
        log_in(&mut sim, &["ann", "bob"]);
        // A short text and a long one.
        let secrets = ["4711-a-secret".to_owned(), "4712-long".repeat(200)];
        for secret in &secrets {
            let params = format!(r#"{{"target_type":1,"target":"tea","content":"{secret}"}}"#);
            let said = sim.ask("ann", "SEND_MESSAGE", &params);
            assert_eq!(said.last().map(|said| said.command), Some(109));
        }
        let left = |text: &str| files_with(folder.path(), text);
        assert!(!left("4711-a-secret").is_empty());
        let (command, params) = removal.split_once(' ').expect("a request");
        sim.ask("ann", command, params);
        sim.advance(Duration::from_secs(2));
        for text in ["4711-a-secret", "4712-long"] {
            assert_eq!(left(text), Vec::<String>::new(), "{removal}");
        }
        assert!(!sim.engine.store().has_leftovers(), "{removal}");
    }
}

/// 1,296 words, the most that a text of the default size may have.
fn shortest_words() -> String {
    let digits = || "0123456789abcdefghijklmnopqrstuvwxyz".chars();
    let words = digits().flat_map(|first| digits().map(move |second| format!("{first}{second}")));
    words.collect::<Vec<String>>().join(" ")
}

/// Ann and bob have said long texts in tea, and then cyn a short one.
fn long_texts(path: &Path) -> (Sim, Vec<u64>) {
    let mut store = Store::open(path).expect("a new database");
    let names = ["ann", "bob", "cyn"];
    seed::accounts(&mut store, &names);
    seed::room(&mut store, "tea", &names);
    let mut batch = store.batch();
    let users = names.map(|name| batch.find_user(name).expect("readable").expect("there").id);
    let tea = batch.find_room("tea").expect("readable").expect("there").id;
    let long = Content::new(shortest_words()).expect("a good text");
    let short = Content::new("4711-a-secret").expect("a good text");
    let mut ids = Vec::new();
    for number in 0..101 {
        let (from, text) = match number {
            100 => (users[2], &short),
            _ => (users[number % 2], &long),
        };
        let said = batch.insert_message(tea, from, text, None, 1);
        ids.push(said.expect("it is stored").0);
    }
    while batch.index_messages().expect("it is indexed").is_some() {}
    let _ = batch.commit().expect("it is stored");
    let mut sim = sim(store, None);
    log_in(&mut sim, &names);
    sim.advance(Duration::from_secs(2));
    (sim, ids)
}

#[test]
fn edits_of_long_texts_do_not_delay_the_removal_of_a_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut sim, ids) = long_texts(&folder.path().join("a.db"));
    let edit = |sim: &mut Sim, number: usize| {
        let params = format!(r#"{{"id":{},"content":"x"}}"#, ids[number]);
        let params = from_json(&params).expect("JSON");
        let command = by_name("EDIT_MESSAGE").expect("a command");
        sim.say(["ann", "bob"][number % 2], command.number, params);
    };
    for number in 0..40 {
        edit(&mut sim, number);
    }
    let delete = format!(r#"{{"id":{}}}"#, ids[100]);
    sim.ask("cyn", "DELETE_MESSAGE", &delete);
    for number in 40..60 {
        edit(&mut sim, number);
        sim.advance(Duration::from_millis(100));
    }
    let left = files_with(folder.path(), "4711-a-secret");
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn an_edit_of_a_long_text_makes_its_author_cool_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut sim, ids) = long_texts(&folder.path().join("a.db"));
    let edit = |sim: &mut Sim, id: u64| {
        let edit = format!(r#"{{"id":{id},"content":"x"}}"#);
        let params = from_json(&edit).expect("JSON");
        let command = by_name("EDIT_MESSAGE").expect("a command");
        sim.say("ann", command.number, params);
        sim.settle();
        let conn = sim.end("ann").conn.expect("a connection");
        sim.engine.why_waiting(conn)
    };
    // The first has nothing to wait for.
    assert_eq!(edit(&mut sim, ids[0]), Some(WaitReason::InboxEmpty));
    let Some(WaitReason::CoolingDown { until }) = edit(&mut sim, ids[2]) else {
        panic!("1,296 words are to be removed")
    };
    assert!(until >= sim.now.running + Duration::from_millis(500));
    sim.move_to(until);
    sim.settle();
    sim.end("ann").take_messages();
    assert_eq!(sim.end("ann").unanswered(), 0);
}

#[test]
fn a_reader_of_another_program_keeps_a_removed_text_in_the_log_until_it_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let mut sim = sim(database(&path), None);
    log_in(&mut sim, &["ann", "bob"]);
    let said = r#"{"target_type":1,"target":"tea","content":"4711-a-secret"}"#;
    sim.ask("ann", "SEND_MESSAGE", said);
    let other = Connection::open(&path).expect("it opens");
    other.execute_batch("BEGIN").expect("a transaction");
    assert_eq!(stored(&other), 21);
    let lines = logged(|| {
        sim.ask("ann", "CLOSE_ROOM", r#""tea""#);
        sim.advance(Duration::from_secs(3));
    });
    let found = files_with(folder.path(), "4711-a-secret");
    assert!(found.contains(&"a.db-wal".to_owned()), "{found:?}");
    let held = "removed text is still in the write-ahead log";
    assert_eq!(count(&lines, held), 1, "{lines:?}");
    let lines = logged(|| {
        other.execute_batch("COMMIT").expect("it ends");
        sim.advance(Duration::from_secs(1));
    });
    assert!(files_with(folder.path(), "4711-a-secret").is_empty());
    let gone = "removed text is out of the write-ahead log";
    assert_eq!(count(&lines, gone), 1, "{lines:?}");
}

/// Bytes at the end of a [`Talk::mark`] that the files are searched for. The index omits the common prefix of a word
/// and the word before it.
const TAIL: usize = 9;

/// A conversation with random changes, and the texts that were removed from it.
struct Talk {
    sim: Sim,
    rng: StdRng,
    /// The senders and their rooms.
    senders: Vec<&'static str>,
    rooms: Vec<&'static str>,
    /// The stored messages by id: the sender and the mark.
    kept: BTreeMap<u64, (&'static str, String)>,
    gone: Vec<String>,
}

impl Talk {
    /// Four users in three rooms, who are friends of each other. The server keeps everything; the room `den` keeps one
    /// day.
    fn new(path: &Path, number: u64) -> Self {
        let names = ["ann", "bob", "cat", "dan"];
        let mut store = Store::open(path).expect("a new database");
        seed::accounts(&mut store, &names);
        seed::friends(&mut store, &names);
        for room in ["tea", "den", "hut"] {
            seed::room(&mut store, room, &names);
        }
        let limits = Limits {
            content_bytes: 20_000,
            message_rate: 0,
            user_bytes_a_day: 0,
            ..Limits::default()
        };
        let mut sim = Sim::new(number, limits, store);
        sim.skip_hashing = true;
        log_in(&mut sim, &names);
        let keep = r#"{"roomname":"den","keep_days":1}"#;
        assert!(is_done(&sim.ask("ann", "SET_ROOM", keep)));
        Self {
            sim,
            rng: StdRng::seed_from_u64(number),
            senders: names.to_vec(),
            rooms: vec!["tea", "tea", "den", "hut"],
            kept: BTreeMap::new(),
            gone: Vec::new(),
        }
    }

    /// A unique word.
    fn mark(&mut self) -> String {
        let letters = (0..16).map(|_| self.rng.random_range(b'a'..=b'z'));
        letters.map(char::from).collect()
    }

    /// A text with a mark, of any length: a few bytes, or several pages of the database.
    fn text(&mut self) -> (String, String) {
        let mark = self.mark();
        let times = [1, 1, 1, 2, 6, 20, 80, 300, 1_000].choose(&mut self.rng);
        let text = vec![mark.clone(); *times.expect("some")].join(" ");
        (mark, text)
    }

    fn send(&mut self) {
        let sender = *self.senders.choose(&mut self.rng).expect("some");
        let room = *self.rooms.choose(&mut self.rng).expect("some");
        let (kind, target) = match self.rng.random_range(0..5) {
            0 if sender != "bob" => (0, "bob"),
            _ => (1, room),
        };
        let (mark, text) = self.text();
        let params = format!(r#"{{"target_type":{kind},"target":"{target}","content":"{text}"}}"#);
        let said = self.sim.ask(sender, "SEND_MESSAGE", &params);
        let own = said.iter().rfind(|said| said.command == 109);
        let Some(Value::Int(id)) = own.and_then(|said| said.params.at("id")) else {
            panic!("{said:?}")
        };
        self.kept.insert(*id, (sender, mark));
    }

    /// A message is edited or deleted by its sender.
    fn change(&mut self) {
        let Some((id, (sender, mark))) = self.kept.iter().choose(&mut self.rng) else {
            return;
        };
        let (id, sender) = (*id, *sender);
        self.gone.push(mark.clone());
        let reply = if self.rng.random_range(0..3) > 0 {
            let (mark, text) = self.text();
            self.kept.insert(id, (sender, mark));
            let params = format!(r#"{{"id":{id},"content":"{text}"}}"#);
            self.sim.ask(sender, "EDIT_MESSAGE", &params)
        } else {
            self.kept.remove(&id);
            self.sim
                .ask(sender, "DELETE_MESSAGE", &format!(r#"{{"id":{id}}}"#))
        };
        assert!(is_done(&reply), "{reply:?}");
    }

    /// Messages are sent and changed, while the index follows or not.
    fn go_on(&mut self, steps: usize) {
        for _ in 0..steps {
            match self.rng.random_range(0..10) {
                0..6 => self.send(),
                6..9 => self.change(),
                _ => self.sim.advance(Duration::from_millis(300)),
            }
        }
    }

    /// Removes the messages that a query selects from the kept ones.
    fn remove(&mut self, db: &Connection, which: &str) {
        let sql = format!("SELECT id FROM messages WHERE {which}");
        let mut statement = db.prepare(&sql).expect("a query");
        let ids = statement
            .query_map([], |row| row.get::<_, i64>(0))
            .expect("a query");
        for id in ids {
            let id = id.expect("an id").cast_unsigned();
            self.gone
                .extend(self.kept.remove(&id).map(|(_, mark)| mark));
        }
    }

    /// The files of a folder that contain each mark.
    fn found(&self, folder: &Path) -> HashMap<Vec<u8>, Vec<String>> {
        let all = self.kept.values().map(|(_, mark)| mark).chain(&self.gone);
        let tails = all.map(|mark| tail(mark).to_vec());
        let mut found: HashMap<Vec<u8>, Vec<String>> =
            tails.map(|tail| (tail, Vec::new())).collect();
        for file in std::fs::read_dir(folder).expect("a folder") {
            let file = file.expect("a file");
            let name = file.file_name().into_string().expect("text");
            for window in std::fs::read(file.path()).expect("readable").windows(TAIL) {
                if let Some(files) = found.get_mut(window)
                    && files.last() != Some(&name)
                {
                    files.push(name.clone());
                }
            }
        }
        found
    }

    /// Checks that no removed text is in the files or found by a search, and that all others are.
    fn holds(&mut self, folder: &Path) {
        let found = self.found(folder);
        let gone: Vec<_> = self
            .gone
            .iter()
            .map(|mark| (mark, &found[tail(mark)]))
            .collect();
        let left: Vec<_> = gone.iter().filter(|(_, files)| !files.is_empty()).collect();
        assert!(
            left.is_empty(),
            "{} of {} texts are left: {left:?}",
            left.len(),
            gone.len()
        );
        for (_, mark) in self.kept.values() {
            assert!(!found[tail(mark)].is_empty(), "{mark} is nowhere");
        }
        let kept = self
            .kept
            .values()
            .map(|(_, mark)| (mark.clone(), 1))
            .take(20);
        let gone = self
            .gone
            .iter()
            .rev()
            .map(|mark| (mark.clone(), 0))
            .take(20);
        for (mark, times) in kept.chain(gone).collect::<Vec<_>>() {
            let reply = self
                .sim
                .ask("bob", "SEARCH", &format!(r#"{{"query":"{mark}"}}"#));
            let page = reply.iter().find(|reply| reply.command == 132);
            let messages = page.and_then(|page| page.params.at("messages"));
            assert!(
                matches!(messages, Some(Value::List(found)) if found.len() == times),
                "{mark}: {reply:?}"
            );
        }
    }
}

/// Whether a request succeeded with DONE.
fn is_done(replies: &[Message]) -> bool {
    replies.iter().any(|reply| reply.command == 124)
}

fn tail(mark: &str) -> &[u8] {
    &mark.as_bytes()[mark.len() - TAIL..]
}

/// `ECHAT_SCANS` sets the number of scans.
#[test]
fn removed_text_is_in_no_file_however_it_was_removed() {
    for number in 0..campaign::count("ECHAT_SCANS", 4) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let mut talk = Talk::new(&path, number);
        talk.go_on(60);
        talk.sim.advance(Duration::from_secs(2));
        // A connection of another program is open all the time, and reads for a while.
        let other = Connection::open(&path).expect("it opens");
        stored(&other);
        talk.holds(folder.path());
        other.execute_batch("BEGIN").expect("a transaction");
        stored(&other);
        talk.change();
        talk.go_on(30);
        talk.sim.advance(Duration::from_secs(3));
        let found = talk.found(folder.path());
        let is_left = |mark: &String| !found[tail(mark)].is_empty();
        assert!(
            talk.gone.iter().any(is_left),
            "the scan finds what the log has"
        );
        other.execute_batch("COMMIT").expect("it ends");
        talk.sim.advance(Duration::from_secs(1));
        talk.holds(folder.path());
        // A room is closed, an account is erased, and the day of another room ends.
        talk.remove(
            &other,
            "conversation = (SELECT id FROM rooms WHERE name = 'hut')",
        );
        assert!(is_done(&talk.sim.ask("ann", "CLOSE_ROOM", r#""hut""#)));
        talk.rooms.retain(|room| *room != "hut");
        talk.go_on(10);
        talk.remove(&other, "sender = (SELECT id FROM users WHERE name = 'dan')");
        let erase = format!(r#"{{"password":"{}","erase":true}}"#, seed::PASSWORD);
        talk.sim.ask("dan", "DELETE_ACCOUNT", &erase);
        talk.senders.retain(|user| *user != "dan");
        talk.remove(
            &other,
            "conversation = (SELECT id FROM rooms WHERE name = 'den')",
        );
        talk.sim.now.unix += DAY + 1;
        talk.sim.advance(Duration::from_secs(63));
        talk.holds(folder.path());
        assert!(!talk.sim.engine.store().has_leftovers());
    }
}
