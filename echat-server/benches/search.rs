//! What full-text search costs with 10^6 messages of mixed Chinese and English (`ECHAT_BENCH_MESSAGES` changes the
//! number): `cargo bench -p echat-server --bench search`.
//!
//! One user is in 20 rooms, which have all messages; one of them has half. The messages and the queries are made from a
//! seed, so each run measures the same. Times are processor time of the thread, without waits for the disk.

use std::time::Duration;

use echat_proto::names::{Content, RoomName, Username};
use echat_server::storage::{
    Batch, ConversationId, SearchProgress, SearchQuery, SearchRequest, Store, UserId,
};
use rustix::time::{ClockId, clock_gettime};

/// Messages in the database unless `ECHAT_BENCH_MESSAGES` says otherwise.
const MESSAGES: usize = 1_000_000;
/// Messages of one transaction.
const AT_ONCE: usize = 1_000;
/// Rooms of the user; the first has half of the messages.
const ROOMS: u64 = 20;
/// Users who send.
const SENDERS: u64 = 100;
/// Distinct words of each language, and characters that the Chinese ones are made of.
const WORDS: usize = 20_000;
const HAN: u64 = 3_000;
/// Queries of each kind.
const QUERIES: usize = 300;
/// The time of the first message, in unix seconds. Later ones follow every 16 seconds.
const BEGINNING: i64 = 1_600_000_000;
/// Messages and bytes of a page.
const PAGE: usize = 50;
const PAGE_BYTES: usize = 240 * 1024;

fn main() {
    let messages = std::env::var("ECHAT_BENCH_MESSAGES").ok();
    let messages = messages.and_then(|count| count.parse().ok());
    let messages = messages.unwrap_or(MESSAGES);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("database.db");
    let mut store = Store::open(&path).expect("a new database");
    let language = Language::new();
    let (reader, filled) = fill(&mut store, &language, messages);
    println!("{filled}");
    println!(
        "indexing each message by itself: {:.1} us",
        by_itself(&mut store, &language)
    );
    let bytes = store.search_index_bytes().expect("it is read");
    let total = std::fs::metadata(&path).expect("a file").len();
    println!(
        "index: {:.0} bytes a message, {} of {} MiB",
        ratio(bytes, messages),
        bytes >> 20,
        total >> 20
    );
    println!("| query | found | p50 ms | p99 ms | longest ms | longest part ms |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let mut random = Random(7);
    for (name, make) in kinds().into_iter().chain(filtered()) {
        let mut times = Vec::new();
        let (mut longest_part, mut found) = (Duration::ZERO, 0);
        for _ in 0..QUERIES {
            let wanted = make(&language, &mut random);
            let (parts, count) = search(&mut store, reader, &wanted);
            longest_part = longest_part.max(parts.iter().copied().max().unwrap_or_default());
            times.push(parts.iter().sum());
            found += count;
        }
        println!(
            "| {name} | {:.0} | {} | {:.1} |",
            ratio(u64::try_from(found).unwrap_or(0), QUERIES),
            quantiles(times),
            millis(longest_part)
        );
    }
}

type Make = fn(&Language, &mut Random) -> SearchRequest;

/// The kinds of queries with filters.
fn filtered() -> Vec<(&'static str, Make)> {
    vec![
        ("common word of one user", |language, random| {
            SearchRequest {
                sender: Some(UserId(
                    i64::try_from(random.between(1, SENDERS)).unwrap_or(1),
                )),
                ..plain(language.english(random.between(0, 20)))
            }
        }),
        ("common word of a day", |language, random| {
            let day = i64::try_from(random.between(0, 180)).unwrap_or(0) * 86_400;
            SearchRequest {
                since: Some(BEGINNING + day),
                until: Some(BEGINNING + day + 86_399),
                ..plain(language.english(random.between(0, 20)))
            }
        }),
    ]
}

/// The kinds of queries without.
fn kinds() -> Vec<(&'static str, Make)> {
    vec![
        ("rare word", |language, random| {
            plain(language.english(random.between(5_000, 20_000)))
        }),
        ("rare Chinese word", |language, random| {
            plain(language.chinese(random.between(5_000, 20_000)))
        }),
        ("common word", |language, random| {
            plain(language.english(random.between(0, 20)))
        }),
        ("common Chinese word", |language, random| {
            plain(language.chinese(random.between(0, 20)))
        }),
        ("one Chinese character", |language, random| {
            let word = language.chinese(random.between(0, 2_000));
            plain(&word.chars().take(1).collect::<String>())
        }),
        ("two common words", |language, random| {
            let (one, other) = (random.between(0, 20), random.between(0, 20));
            plain(&format!(
                "{} {}",
                language.english(one),
                language.chinese(other)
            ))
        }),
        ("common and rare word", |language, random| {
            let (one, other) = (random.between(0, 20), random.between(5_000, 20_000));
            plain(&format!(
                "{} {}",
                language.english(one),
                language.chinese(other)
            ))
        }),
        ("two words of the middle", |language, random| {
            let (one, other) = (random.between(50, 300), random.between(50, 300));
            plain(&format!(
                "{} {}",
                language.english(one),
                language.chinese(other)
            ))
        }),
        ("phrase", |language, random| {
            let (one, other) = (random.between(0, 100), random.between(0, 100));
            plain(&format!(
                "\"{} {}\"",
                language.english(one),
                language.english(other)
            ))
        }),
        ("beginning of a word", |language, random| {
            let word = language.english(random.between(0, 2_000));
            plain(&format!("{}*", &word[..2]))
        }),
        ("no such word", |_, random| {
            plain(&format!("zzz{}", random.next()))
        }),
    ]
}

fn plain(query: &str) -> SearchRequest {
    SearchRequest {
        query: SearchQuery::new(query),
        conversation: None,
        sender: None,
        since: None,
        until: None,
        before: None,
        limit: PAGE,
        budget: PAGE_BYTES,
    }
}

/// The time of each part of a search, and how many messages it found.
fn search(store: &mut Store, reader: UserId, wanted: &SearchRequest) -> (Vec<Duration>, usize) {
    let mut parts = Vec::new();
    let mut unfinished = None;
    loop {
        let wanted = wanted.clone();
        let before = now();
        let batch = store.batch();
        let searched = match unfinished.take() {
            None => batch.search(reader, wanted),
            Some(search) => batch.search_on(search),
        };
        drop(batch);
        parts.push(since(before));
        match searched.expect("it is found") {
            SearchProgress::Page(page) => return (parts, page.messages.len()),
            SearchProgress::Part(search) => unfinished = Some(search),
        }
    }
}

/// Stores the messages, and brings the index up to date behind them. Returns the user of all rooms and what it took.
fn fill(store: &mut Store, language: &Language, messages: usize) -> (UserId, String) {
    let mut random = Random(42);
    let mut batch = store.batch();
    let users: Vec<UserId> = (0..SENDERS)
        .map(|number| user(&mut batch, number))
        .collect();
    let rooms: Vec<ConversationId> = (0..ROOMS)
        .map(|number| room(&mut batch, number, &users))
        .collect();
    let _receipt = batch.commit().expect("it is committed");
    let (mut storing, mut indexing, mut portions) = (Duration::ZERO, Duration::ZERO, Vec::new());
    for first in (0..messages).step_by(AT_ONCE) {
        let before = now();
        let mut batch = store.batch();
        for number in first..messages.min(first + AT_ONCE) {
            let time = BEGINNING + 16 * i64::try_from(number).unwrap_or(0);
            let sender = users[random.index(users.len())];
            let room = rooms[random.index(2 * rooms.len()).saturating_sub(rooms.len())];
            let text = Content::new(language.text(&mut random)).expect("a valid text");
            let stored = batch.insert_message(room, sender, &text, None, time);
            stored.expect("it is stored");
        }
        let _receipt = batch.commit().expect("it is committed");
        storing += since(before);
        loop {
            let before = now();
            let mut batch = store.batch();
            let has_more = batch.index_messages().expect("it is indexed").is_some();
            let _receipt = batch.commit().expect("it is committed");
            portions.push(since(before));
            indexing += since(before);
            if !has_more {
                break;
            }
        }
        if let Some(checkpoint) = store.take_checkpoint() {
            let outcome = checkpoint.run();
            store.checkpoint_done(outcome).expect("it is copied");
        }
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / ratio_of(messages);
    let count = portions.len();
    let report = format!(
        "storing: {:.1} us a message, {AT_ONCE} at once\nindexing: {:.1} us a message, in {count} portions\n\
         | | p50 ms | p99 ms | longest ms |\n| --- | --- | --- | --- |\n| portion | {} |",
        each(storing),
        each(indexing),
        quantiles(portions)
    );
    (users[0], report)
}

/// Microseconds to index a message that is alone in its portion.
fn by_itself(store: &mut Store, language: &Language) -> f64 {
    const COUNT: usize = 2_000;
    let mut random = Random(3);
    let mut indexing = Duration::ZERO;
    for _ in 0..COUNT {
        let mut batch = store.batch();
        let text = Content::new(language.text(&mut random)).expect("a valid text");
        let stored = batch.insert_message(ConversationId(1), UserId(1), &text, None, BEGINNING);
        stored.expect("it is stored");
        let before = now();
        batch.index_messages().expect("it is indexed");
        // The index is written by the commit.
        let _receipt = batch.commit().expect("it is committed");
        indexing += since(before);
        while {
            let before = now();
            let mut batch = store.batch();
            let has_more = batch.index_messages().expect("it is indexed").is_some();
            let _receipt = batch.commit().expect("it is committed");
            indexing += since(before);
            has_more
        } {}
    }
    indexing.as_secs_f64() * 1e6 / ratio_of(COUNT)
}

fn user(batch: &mut Batch<'_>, number: u64) -> UserId {
    let name = Username::new(&format!("user{number}")).expect("a valid name");
    let user = batch.create_user(&name, "phc", BEGINNING);
    user.expect("it is stored").expect("a free name")
}

fn room(batch: &mut Batch<'_>, number: u64, users: &[UserId]) -> ConversationId {
    let name = RoomName::new(&format!("room{number}")).expect("a valid name");
    let room = batch.create_room(&name, users[0], BEGINNING);
    let room = room.expect("it is stored").expect("a free name");
    for user in users {
        batch
            .add_member(room, *user, BEGINNING)
            .expect("it is stored");
    }
    room
}

/// Words by how common they are: the n-th is said about 1/n times as often as the first.
struct Language {
    english: Vec<String>,
    chinese: Vec<String>,
    /// The sum of the weights up to each rank.
    weights: Vec<f64>,
}

impl Language {
    fn new() -> Self {
        let mut random = Random(1);
        let english = (0..WORDS).map(|rank| english(&mut random, rank));
        let english = english.collect();
        let chinese = (0..WORDS).map(|rank| chinese(&mut random, rank));
        let chinese = chinese.collect();
        let mut sum = 0.0;
        let weights = (1..=WORDS).map(|rank| {
            sum += 1.0 / ratio_of(rank);
            sum
        });
        Self {
            english,
            chinese,
            weights: weights.collect(),
        }
    }

    fn english(&self, rank: u64) -> &str {
        &self.english[usize::try_from(rank).unwrap_or(0)]
    }

    fn chinese(&self, rank: u64) -> &str {
        &self.chinese[usize::try_from(rank).unwrap_or(0)]
    }

    fn rank(&self, random: &mut Random) -> usize {
        let total = self.weights.last().copied().unwrap_or(0.0);
        let at = random.fraction() * total;
        self.weights.partition_point(|sum| *sum < at).min(WORDS - 1)
    }

    /// A message of 2 to 21 words: English, Chinese or both, some with an identifier or an address.
    fn text(&self, random: &mut Random) -> String {
        let kind = random.between(0, 3);
        let mut text = String::new();
        for _ in 0..random.between(2, 22) {
            let is_english = kind == 0 || (kind == 2 && random.between(0, 2) == 0);
            let rank = self.rank(random);
            if is_english {
                text.push(' ');
                text.push_str(&self.english[rank]);
                text.push(' ');
            } else {
                text.push_str(&self.chinese[rank]);
            }
        }
        let end = match random.between(0, 20) {
            0 => format!(" #{}", random.between(1, 10_000)),
            1 => format!(" https://example.org/{}", self.english[self.rank(random)]),
            2 => "👍".to_owned(),
            _ => "。".to_owned(),
        };
        text.push_str(&end);
        text
    }
}

/// Common words are short.
fn english(random: &mut Random, rank: usize) -> String {
    let length = 2 + u64::from(rank.max(1).ilog2() / 3) + random.between(0, 5);
    let letters = (0..length).map(|_| {
        let letter = u8::try_from(random.between(0, 26)).unwrap_or(0);
        char::from(b'a' + letter)
    });
    letters.collect()
}

fn chinese(random: &mut Random, rank: usize) -> String {
    let length = 1 + u64::from(rank > 30) + u64::from(random.between(0, 5) == 0);
    let characters = (0..length).map(|_| {
        // Common characters are in more words.
        let at = random.between(0, HAN) * random.between(0, HAN) / HAN;
        char::from_u32(0x4e00 + u32::try_from(at).unwrap_or(0)).unwrap_or('一')
    });
    characters.collect()
}

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

    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from)
    }

    fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.between(0, u64::try_from(count).unwrap_or(1))).unwrap_or(0)
    }

    fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
    }
}

fn since(before: Duration) -> Duration {
    now().saturating_sub(before)
}

/// Processor time of this thread.
fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.try_into().expect("a time since the start")
}

fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
    format!(
        "{:.2} | {:.1} | {:.1}",
        millis(at(50)),
        millis(at(99)),
        millis(at(100))
    )
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn ratio(bytes: u64, count: usize) -> f64 {
    ratio_of(usize::try_from(bytes).unwrap_or(usize::MAX)) / ratio_of(count)
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn ratio_of(count: usize) -> f64 {
    count as f64
}
