//! Users that are logged in and send byte by byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use echat_testkit::server_process::ServerProcess;
use echat_testkit::wire::Client;

use super::watch::Watch;

/// Each sends one byte in this time.
const DRIP: Duration = Duration::from_millis(20);
const REQUEST: &str = "QUERY_SERVER_TIME";

/// Users that send byte by byte until `go`.
pub(crate) struct Dripping {
    over: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Dripping {
    /// Registers them, and lets a thread of theirs begin.
    pub(crate) fn gather(server: &ServerProcess, count: usize) -> Self {
        let users = (0..count).map(|n| Client::register(server, &format!("dripping{n}")));
        let mut users: Vec<_> = users.collect();
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut rounds = 0;
            while rounds == 0 || !until.load(Ordering::Relaxed) {
                drip(&mut users);
                rounds += 1;
            }
            rounds * users.len()
        });
        Self { over, thread }
    }

    /// Ends them; how many requests they made, each of which was answered.
    pub(crate) fn go(self) -> usize {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// A request of each, byte by byte, and its answer.
fn drip(users: &mut [Client]) {
    let watch = Watch::start();
    let frames: Vec<_> = users.iter_mut().map(|user| user.sealed(REQUEST)).collect();
    let longest = frames.iter().map(Vec::len).max().unwrap_or(0);
    for (at, due) in (0..longest).zip(1..) {
        for (user, frame) in users.iter_mut().zip(&frames) {
            if let Some(byte) = frame.get(at) {
                assert!(user.says_bytes(&[*byte]));
            }
        }
        watch.pause_until(DRIP * due);
    }
    for user in users {
        user.hears_reply(REQUEST);
    }
}
