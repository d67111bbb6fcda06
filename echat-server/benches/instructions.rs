//! Counts the instructions of a few fixed scenarios and compares them with `instructions.txt`. A count says nothing of
//! caches, the disk or the kernel, but it is the same on a busy machine: a gate that no other load can fail.
//!
//! `cargo bench -p echat-server --bench instructions` fails if a scenario takes over a tenth more than the file says;
//! with `ECHAT_UPDATE=1` it writes the file. It needs valgrind (Debian's package), whose callgrind counts what runs
//! inside [`measured`]. The processor is the one that valgrind shows to the program: it has AES-NI and AVX2, but
//! neither VAES nor SHA-NI nor AVX-512, so that the machine below does not matter, and so that SHA-256 costs several
//! times what it costs on a machine with SHA-NI.

#[path = "stage/mod.rs"]
mod stage;

use std::collections::VecDeque;
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use echat_proto::channel::Channel;
use echat_proto::handshake::{AwaitClientFinished, AwaitClientHello, ClientStart, Step};
use echat_proto::limits::FRAME_TO_CLIENT;
use echat_proto::names::Password;
use echat_proto::param::TargetType;
use echat_server::storage::Store;
use echat_server::workers::jobs::{HashMemory, JobResult, Task};
use ed25519_dalek::SigningKey;
use rand::SeedableRng;
use rand::rngs::StdRng;
use stage::Stage;

/// What is counted: a name, what it is, and the program of it.
const SCENARIOS: &[(&str, &str, fn())] = &[
    ("seal", "a message of 100 bytes sealed for 100 peers", seal),
    (
        "tick",
        "64 messages in a room of 100, from frames to frames",
        tick,
    ),
    (
        "private",
        "200 private messages with acknowledgements, one at a time",
        private,
    ),
    ("handshake", "the server's side of a handshake", handshake),
];
/// Percent above the file's count that fail.
const TOLERANCE: u64 = 10;
/// What stands above the counts.
const HEAD: &str = "\
# Instructions of each scenario under valgrind's callgrind. Its processor has AES-NI, but neither VAES nor SHA-NI.
# Written by: ECHAT_UPDATE=1 cargo bench -p echat-server --bench instructions
";

fn main() -> ExitCode {
    let asked = env::args().nth(1).unwrap_or_default();
    if let Some((_, _, run)) = SCENARIOS.iter().find(|(name, _, _)| *name == asked) {
        run();
        return ExitCode::SUCCESS;
    }
    match compare() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts every scenario; whether none takes too many.
fn compare() -> Result<bool, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.txt");
    let known = fs::read_to_string(&path).unwrap_or_default();
    let (mut text, mut is_good) = (HEAD.to_owned(), true);
    for (name, what, _) in SCENARIOS {
        let count = count(name)?;
        writeln!(text, "{name:<12}{count:>14}  {what}")?;
        let before = recorded(&known, name);
        let verdict = match before {
            Some(before) if exceeds(count, before) => "TOO MANY",
            Some(_) => "",
            None => "NOT IN THE FILE",
        };
        is_good &= verdict.is_empty();
        let before = before.unwrap_or_default();
        println!("{name:<12}{count:>14}  before {before:>14}  {verdict}");
    }
    if env::var_os("ECHAT_UPDATE").is_some() {
        fs::write(&path, text)?;
        return Ok(true);
    }
    Ok(is_good)
}

fn exceeds(count: u64, before: u64) -> bool {
    count * 100 > before * (100 + TOLERANCE)
}

/// The count of a scenario in the file.
fn recorded(known: &str, name: &str) -> Option<u64> {
    let mut lines = known.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next()? == name).then(|| words.next()?.parse().ok())?)
}

/// Runs a scenario under callgrind.
fn count(name: &str) -> Result<u64, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let out: PathBuf = folder.path().join("callgrind.out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg("--toggle-collect=*measured*")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe()?)
        .arg(name)
        .output()
        .map_err(|error| format!("valgrind: {error}; apt-get install valgrind"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(said.into());
    }
    let collected = said.lines().find_map(|line| {
        let (_, count) = line.split_once("Collected :")?;
        count.trim().parse().ok()
    });
    collected
        .filter(|count| *count > 0)
        .ok_or_else(|| format!("nothing was counted: {said}").into())
}

/// The part of a scenario that is counted. Its name is what callgrind looks for.
#[inline(never)]
fn measured<T>(act: impl FnOnce() -> T) -> T {
    std::hint::black_box(act())
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn seal() {
    let mut rng = rng();
    let message = [7; 204];
    let mut channels: Vec<Channel> = (0..100).map(|_| channel()).collect();
    let mut frame = Vec::with_capacity(FRAME_TO_CLIENT);
    measured(|| {
        for channel in &mut channels {
            frame.clear();
            let mut waiting = VecDeque::from([&message]);
            let sealer = channel.sealer();
            sealer.seal_waiting(&mut waiting, FRAME_TO_CLIENT, &mut rng, &mut frame);
        }
        frame.len()
    });
}

/// A server's end of a channel.
fn channel() -> Channel {
    let mut rng = rng();
    let (hello, client) = stage::client_hello();
    let Ok(Step::Next((hello, _))) = AwaitClientHello::default().next(&hello) else {
        panic!("a whole hello")
    };
    let (flight, server) = stage::server_flight(&hello, &mut rng);
    let Ok(Step::Next(client)) = client.next(&flight) else {
        panic!("a whole hello")
    };
    let Ok(Step::Next((_, finished))) = client.next(&[], &mut rng) else {
        panic!("FINISHED came with the hello")
    };
    let Ok(Step::Next(channel)) = server.next(&finished) else {
        panic!("a whole FINISHED")
    };
    channel
}

/// Members that send.
const SENDERS: usize = 10;

fn tick() {
    let (_folder, mut stage) = stage(100);
    let request = stage::say(TargetType::Room, "room");
    let burst = |stage: &mut Stage| {
        let frames =
            (0..64).map(|number| (number % SENDERS, stage.seal(number % SENDERS, &request)));
        frames.collect::<Vec<_>>()
    };
    let (first, second) = (burst(&mut stage), burst(&mut stage));
    let mut send = |frames: &[(usize, Vec<u8>)]| {
        for (sender, frame) in frames {
            stage.receive(*sender, frame);
        }
        stage.settle()
    };
    send(&first);
    measured(|| send(&second));
}

fn private() {
    let (_folder, mut stage) = stage(2);
    let request = stage::say(TargetType::Friend, &stage::user(1));
    let frames: Vec<Vec<u8>> = (0..220).map(|_| stage.seal(0, &request)).collect();
    let mut send = |frames: &[Vec<u8>]| {
        for frame in frames {
            stage.receive(0, frame);
            stage.settle();
        }
    };
    let (first, others) = frames.split_at(20);
    send(first);
    measured(|| send(others));
}

/// An engine with so many users in a room, over a database on the disk.
fn stage(members: usize) -> (tempfile::TempDir, Stage) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut store = Store::open(&folder.path().join("database.db")).expect("a new database");
    let ids = stage::accounts(&mut store, members);
    stage::room(&mut store, "room", &ids);
    let mut stage = Stage::new(store);
    for number in 0..members {
        stage.log_in(&stage::user(number));
    }
    (folder, stage)
}

fn handshake() {
    let (mut rng, mut memory) = (rng(), HashMemory::default());
    // The worker hashed a password before. What it keeps of that costs a handshake nothing.
    let password = Password::presented("correct horse").expect("short");
    Task::Hash { password }.run(&host_key(), &mut rng, &mut memory);
    // The tables of fixed powers are made by the first handshake.
    shake_hands(&mut rng, &mut memory);
    let (hello, _) = ClientStart::new(&mut rng).send();
    measured(|| answer(&hello, &mut rng, &mut memory));
}

fn host_key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn shake_hands(rng: &mut StdRng, memory: &mut HashMemory) {
    let (hello, client) = ClientStart::new(rng).send();
    let (flight, server) = answer(&hello, rng, memory);
    let Ok(Step::Next(client)) = client.next(&flight) else {
        panic!("a whole hello")
    };
    let Ok(Step::Next((_, finished))) = client.next(&[], rng) else {
        panic!("FINISHED came with the hello")
    };
    assert!(matches!(server.next(&finished), Ok(Step::Next(_))));
}

fn answer(
    hello: &[u8],
    rng: &mut StdRng,
    memory: &mut HashMemory,
) -> (Vec<u8>, Box<AwaitClientFinished>) {
    let Ok(Step::Next((hello, _))) = AwaitClientHello::default().next(hello) else {
        panic!("a whole hello")
    };
    let prepared = None;
    let task = Task::Respond { hello, prepared };
    let JobResult::Responded(flight, waiting) = task.run(&host_key(), rng, memory) else {
        panic!("a handshake is answered")
    };
    (flight, waiting)
}
