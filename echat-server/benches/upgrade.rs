//! What the upgrade of a large database costs: `cargo bench -p echat-server --bench upgrade`. It has 10^6 messages of
//! 100 bytes (`ECHAT_BENCH_MESSAGES` changes the number).
//!
//! The report has the time, and the most that the folder took on the disk, with the copy from before the upgrade, for a
//! database of each older version. The upgrade of the oldest one is then killed at each tenth of its time, and goes on:
//! it ends at the same data. Indexing follows while a server runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use echat_server::storage::Store;
use rusqlite::Connection;
use rustix::time::{ClockId, clock_gettime};

/// Messages in the database unless `ECHAT_BENCH_MESSAGES` says otherwise.
const MESSAGES: i64 = 1_000_000;
/// Databases of each version as text, by the number of the version.
const VERSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/upgrade");
/// With this argument and a path, the program opens the database there, and so upgrades it.
const OPEN: &str = "--open";
/// Parts of the upgrade's time after each of which it is killed once.
const KILLS: u32 = 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, open, path] = arguments.as_slice()
        && open == OPEN
    {
        drop(Store::open(Path::new(path)).expect("it is upgraded"));
        return ExitCode::SUCCESS;
    }
    let messages = std::env::var("ECHAT_BENCH_MESSAGES").ok();
    let messages = messages.and_then(|count| count.parse().ok());
    let messages = messages.unwrap_or(MESSAGES);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let versions = older_versions();
    println!("{messages} messages, upgraded from each older version:");
    println!("| version | MiB | time, s | of the processor | at most on the disk, MiB |");
    println!("| --- | --- | --- | --- | --- |");
    for version in &versions {
        let old = folder.path().join("old.db");
        make_old(&old, version, messages);
        let path = copy_of(&old, folder.path(), "upgraded");
        report(version, &old, &measured(&path));
        fs::remove_dir_all(path.parent().expect("a folder")).expect("it is removed");
        fs::remove_file(&old).expect("it is removed");
    }
    let old = folder.path().join("old.db");
    make_old(&old, &versions[0], messages);

    let whole = copy_of(&old, folder.path(), "whole");
    let (took, _) = measured(&whole);
    let expected = contents(&whole);
    index(&whole, messages);
    fs::remove_dir_all(whole.parent().expect("a folder")).expect("it is removed");

    println!("| killed after s | time of the next start, s |\n| --- | --- |");
    for part in 1..KILLS {
        let path = copy_of(&old, folder.path(), "killed");
        let after = took.wall * part / KILLS;
        kill(&path, after);
        let begun = time(ClockId::Monotonic);
        drop(Store::open(&path).expect("it goes on"));
        let ended = time(ClockId::Monotonic).saturating_sub(begun).as_secs_f64();
        assert_eq!(contents(&path), expected, "killed after {after:?}");
        println!("| {:.1} | {ended:.1} |", after.as_secs_f64());
        fs::remove_dir_all(path.parent().expect("a folder")).expect("it is removed");
    }
    ExitCode::SUCCESS
}

/// The files of all versions but the newest, the oldest first.
fn older_versions() -> Vec<PathBuf> {
    let entries = fs::read_dir(VERSIONS).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    paths.sort();
    paths.pop();
    paths
}

/// One row of the table.
fn report(version: &Path, old: &Path, (took, peak): &(Took, u64)) {
    let number = version.file_stem().expect("a number").to_string_lossy();
    let before = old.metadata().expect("it is there").len();
    println!(
        "| {} | {} | {:.1} | {:.1} | {} |",
        number.trim_start_matches('0'),
        before >> 20,
        took.wall.as_secs_f64(),
        took.processor.as_secs_f64(),
        peak >> 20,
    );
}

/// A database of an older version in one file.
fn make_old(path: &Path, version: &Path, messages: i64) {
    let version = fs::read_to_string(version).expect("it is text");
    let db = Connection::open(path).expect("a new database");
    db.execute_batch(&version).expect("the older version");
    let text = "x".repeat(92);
    let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
         INSERT INTO messages (conversation, sender, send_time, content, txn_id)
         SELECT 1 + n % 2, 1 + n % 7 / 4, 1735689600 + n, printf('%08d', n) || ?2, 'bench' || n FROM n";
    db.execute(sql, (messages, text)).expect("it is stored");
}

/// The database alone in a folder of its own.
fn copy_of(old: &Path, folder: &Path, name: &str) -> PathBuf {
    let folder = folder.join(name);
    fs::create_dir(&folder).expect("a folder");
    let path = folder.join("database.db");
    fs::copy(old, &path).expect("a copy");
    path
}

struct Took {
    wall: Duration,
    processor: Duration,
}

/// Upgrades a database. Returns the time, and the most bytes that its folder had.
fn measured(path: &Path) -> (Took, u64) {
    let is_done = AtomicBool::new(false);
    let folder = path.parent().expect("a folder");
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = 0;
            while !is_done.load(Ordering::Relaxed) {
                peak = peak.max(folder_bytes(folder));
                std::thread::park_timeout(Duration::from_millis(1));
            }
            peak
        });
        let (begun, processor) = (time(ClockId::Monotonic), processor_time());
        drop(Store::open(path).expect("it is upgraded"));
        let took = Took {
            wall: time(ClockId::Monotonic).saturating_sub(begun),
            processor: processor_time().saturating_sub(processor),
        };
        is_done.store(true, Ordering::Relaxed);
        (took, watch.join().expect("it counts"))
    })
}

/// Upgrades a database in a process that is killed.
fn kill(path: &Path, after: Duration) {
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new(program)
        .arg(OPEN)
        .arg(path)
        .spawn()
        .expect("it starts");
    std::thread::park_timeout(after);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}

/// Makes the index of words, as a server does while it runs.
fn index(path: &Path, messages: i64) {
    let mut store = Store::open(path).expect("it opens");
    let processor = processor_time();
    let (mut portions, mut longest) = (0, Duration::ZERO);
    loop {
        let begun = processor_time();
        let mut batch = store.batch();
        let has_more = batch.index_messages().expect("it is indexed").is_some();
        let _receipt = batch.commit().expect("it is committed");
        portions += 1;
        longest = longest.max(processor_time().saturating_sub(begun));
        if let Some(checkpoint) = store.take_checkpoint() {
            let outcome = checkpoint.run();
            store.checkpoint_done(outcome).expect("it is copied");
        }
        if !has_more {
            break;
        }
    }
    let took = processor_time().saturating_sub(processor).as_secs_f64();
    println!(
        "indexing {messages} messages: {took:.1} s of the processor in {portions} portions, the longest {:.1} ms",
        longest.as_secs_f64() * 1e3
    );
}

/// The messages, and the version.
fn contents(path: &Path) -> (i64, i64, i64, i64) {
    let db = Connection::open(path).expect("it opens");
    let sql = "SELECT count(*), sum(id * length(content)), sum(send_time + sender * conversation),
             (SELECT user_version FROM pragma_user_version) FROM messages";
    let row = db.query_row(sql, [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    });
    row.expect("it is read")
}

/// Bytes of the files of a folder.
fn folder_bytes(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).expect("a folder");
    let sizes = files.flatten().flat_map(|file| file.metadata());
    sizes.map(|file| file.len()).sum()
}

/// Processor time of this thread.
fn processor_time() -> Duration {
    time(ClockId::ThreadCPUTime)
}

fn time(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    time.try_into().expect("a time since the start")
}
