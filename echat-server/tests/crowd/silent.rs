//! Connections that send nothing, or one byte in ten seconds. The server closes each that has not sent its
//! hello after five seconds; another connection replaces it.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::watch::Watch;

/// The next connection comes in the place of one that is so old, which the server still keeps: so there are
/// never fewer.
const RENEWED: Duration = Duration::from_secs(4);
/// A connection is checked this long after it was opened, when the server must have closed it.
const LIFE: Duration = Duration::from_millis(5_500);
/// How often the crowd is checked.
const ROUND: Duration = Duration::from_millis(50);
/// Files of a test besides those of a crowd.
const OTHER_FILES: u64 = 500;

/// As many as may be opened of `wanted`, and as many again that come in their place, with the limit of this process
/// raised as far as it goes.
pub(crate) fn as_many_as_allowed(wanted: usize) -> usize {
    let hard = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: hard,
        maximum: hard,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let most = hard.map_or(usize::MAX, |hard| {
        usize::try_from(hard.saturating_sub(OTHER_FILES) / 2).unwrap()
    });
    if most < wanted {
        println!("only {most} connections instead of {wanted}: the limit on open files is lower");
    }
    most.min(wanted)
}

/// Connections that are kept up by a thread.
pub(crate) struct Silent {
    over: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Silent {
    /// Opens the connections, every other of which sends one byte, and keeps their number constant.
    pub(crate) fn gather(address: SocketAddr, count: usize) -> Self {
        let watch = Watch::start();
        let mut crowd: VecDeque<_> = (0..count)
            .map(|n| (watch.elapsed(), open(address, n)))
            .collect();
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut again = 0;
            let mut old = VecDeque::new();
            while !until.load(Ordering::Relaxed) {
                // Old ones are closed between two that are opened: on a busy machine opening all may take long.
                loop {
                    while let Some((_, closed)) =
                        old.pop_front_if(|(since, _)| watch.elapsed() >= *since + LIFE)
                    {
                        is_closed_in_silence(closed);
                    }
                    let Some(renewed) =
                        crowd.pop_front_if(|(since, _)| watch.elapsed() >= *since + RENEWED)
                    else {
                        break;
                    };
                    old.push_back(renewed);
                    again += 1;
                    crowd.push_back((watch.elapsed(), open(address, again)));
                }
                watch.pause_until(watch.elapsed() + ROUND);
            }
            again
        });
        Self { over, thread }
    }

    /// Closes them all; how many had to be opened again.
    pub(crate) fn go(self) -> usize {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn open(address: SocketAddr, n: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    if n.is_multiple_of(2) {
        stream.write_all(b"E").unwrap();
    }
    stream
}

/// The server has had five seconds and one more; a busy one may take a little longer.
fn is_closed_in_silence(mut stream: TcpStream) {
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    match stream.read(&mut [0]) {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("not closed in silence: {other:?}"),
    }
}
