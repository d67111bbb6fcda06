//! A flood of hellos. Each is valid, so that the server computes a modular power for it; the sender has no
//! costs, since all are the same and the answers are not read.

use std::collections::VecDeque;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use echat_proto::channel::{Incoming, Message};
use echat_proto::handshake::ClientStart;
use echat_testkit::server_process::ServerProcess;
use echat_testkit::wire::{Client, credentials, message, raw_connection, some_bytes};
use rustix::net::{self, AddressFamily, SocketType};

use super::watch::Watch;

/// Connections that a flood keeps open: more than may be there without a login.
const KEPT: usize = 1_000;
/// How often a flood makes up for the time that has passed.
const ROUND: Duration = Duration::from_millis(2);
/// Connections that say hello at once while the capacity is measured.
const AT_ONCE: usize = 32;
/// Attempts of an honest client before a test fails.
const ATTEMPTS: u32 = 100;

/// Where the hellos come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    /// The address of all other clients.
    Home,
    /// So many addresses of their own.
    Others(u8),
}

impl From {
    fn address(self, n: usize) -> Ipv4Addr {
        match self {
            From::Home => Ipv4Addr::LOCALHOST,
            From::Others(count) => {
                let last = u8::try_from(n % usize::from(count)).expect("less than a count");
                Ipv4Addr::new(127, 0, 1, last)
            }
        }
    }
}

/// A flood under way.
pub(crate) struct Flood {
    over: Arc<AtomicBool>,
    thread: JoinHandle<(usize, Duration)>,
}

impl Flood {
    /// Sends this many hellos a second from now on.
    pub(crate) fn start(to: SocketAddr, from: From, per_second: u32) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let watch = Watch::start();
            let hello = hello();
            let mut kept = VecDeque::new();
            let mut sent = 0;
            while !until.load(Ordering::Relaxed) {
                let due = watch.elapsed().as_secs_f64() * f64::from(per_second);
                while f64::from(u32::try_from(sent).expect("a short flood")) < due {
                    kept.extend(say_hello(from.address(sent), to, &hello));
                    sent += 1;
                    if kept.len() > KEPT {
                        kept.pop_front();
                    }
                }
                watch.pause_until(watch.elapsed() + ROUND);
            }
            (sent, watch.elapsed())
        });
        Self { over, thread }
    }

    /// Ends it; how many hellos a second there were.
    pub(crate) fn stop(self) -> f64 {
        self.over.store(true, Ordering::Relaxed);
        let (sent, lasted) = self.thread.join().unwrap();
        f64::from(u32::try_from(sent).expect("a short flood")) / lasted.as_secs_f64()
    }
}

fn hello() -> Vec<u8> {
    ClientStart::new(&mut rand::rng()).send().0
}

/// Connects without waiting and says hello; `None` if the server has no place for it now.
fn say_hello(from: Ipv4Addr, to: SocketAddr, hello: &[u8]) -> Option<TcpStream> {
    let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    net::bind(&socket, &SocketAddr::from((from, 0))).ok()?;
    let mut stream = TcpStream::from(socket);
    stream.set_nonblocking(true).unwrap();
    // It is under way, and over before this returns, since both ends are here.
    let _ = net::connect(&stream, &to);
    stream.write_all(hello).ok()?;
    Some(stream)
}

/// How many hellos a second the server answers when it has nothing else to do.
pub(crate) fn capacity(server: &ServerProcess, hellos: usize) -> u32 {
    let hello = hello();
    let watch = Watch::start();
    for _ in 0..hellos / AT_ONCE {
        let mut crowd: Vec<_> = (0..AT_ONCE)
            .map(|_| raw_connection(server.address()))
            .collect();
        for stream in &mut crowd {
            stream.write_all(&hello).unwrap();
        }
        for stream in &mut crowd {
            assert!(!some_bytes(stream).is_empty());
        }
    }
    let millis = u32::try_from(watch.elapsed().as_millis()).expect("a short while");
    u32::try_from(hellos / AT_ONCE * AT_ONCE).unwrap() * 1_000 / millis.max(1)
}

/// A client that is closed and connects again, until it is logged in.
pub(crate) struct Honest<'a> {
    pub(crate) server: &'a ServerProcess,
    pub(crate) name: &'a str,
}

impl Honest<'_> {
    /// Tries until it is logged in; how often, and how long that took. `wait` says how long to wait
    /// after so many attempts.
    pub(crate) fn logs_in(&self, wait: impl Fn(u32) -> Duration) -> (u32, Duration) {
        let watch = Watch::start();
        let mut attempts = 0;
        loop {
            attempts += 1;
            if self.tries().is_some() {
                return (attempts, watch.elapsed());
            }
            assert!(attempts < ATTEMPTS, "never logged in");
            watch.pause_until(watch.elapsed() + wait(attempts));
        }
    }

    /// One attempt; `None` if the server closed before there was an answer.
    fn tries(&self) -> Option<Client> {
        let mut client = Client::try_connect(self.server)?;
        if !client.says(&[format!("LOGIN {}", credentials(self.name))]) {
            return None;
        }
        let bundle = message("LOGIN_BUNDLE").command;
        loop {
            match client.hears()? {
                Incoming::Message(Message { command, .. }) if command == bundle => {
                    return Some(client);
                }
                Incoming::Message(other) => assert!(other.command < 200, "{other:?}"),
                Incoming::Close(_) => return None,
                Incoming::Ping | Incoming::Pong => {}
            }
        }
    }
}
