//! A place between the real client and the real server. A connection goes through it part by part, the
//! hello first and then frames, and one of its parts is tampered with.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use echat_proto::frame::Deframer;
use echat_proto::handshake::{CLIENT_HELLO, SERVER_HELLO};
use echat_proto::limits::FRAME_TO_CLIENT;

/// Neither end is silent for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which way a part goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    ToServer,
    ToClient,
}

/// The parts that came, each way.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) to_server: Vec<Vec<u8>>,
    pub(crate) to_client: Vec<Vec<u8>>,
}

/// What is done to which part.
#[derive(Clone, Debug)]
pub(crate) struct Tampering {
    pub(crate) way: Direction,
    pub(crate) part: usize,
    pub(crate) how: How,
}

#[derive(Clone, Debug)]
pub(crate) enum How {
    /// Nothing.
    Leave,
    /// A bit is flipped; whichever it is of a longer part, counted around.
    Flip(usize),
    /// It comes twice.
    Repeat,
    /// It never comes.
    Drop,
    /// It comes behind the next one.
    Swap,
    /// The receiver's own part comes before it.
    Reflect,
    /// This comes in its place.
    Replace(Vec<u8>),
    /// Half of it comes, and then the end.
    Truncate,
}

/// What is passed on, and whether that is all.
struct Pass {
    bytes: Vec<u8>,
    hang_up: bool,
}

impl Seen {
    fn of(&mut self, way: Direction) -> &mut Vec<Vec<u8>> {
        match way {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }
}

impl Tampering {
    /// What is passed on when the newest part that goes this way has come.
    fn passes(&self, way: Direction, seen: &mut Seen) -> Pass {
        let back = match way {
            Direction::ToServer => seen.to_client.clone(),
            Direction::ToClient => seen.to_server.clone(),
        };
        let parts = seen.of(way);
        let part = parts.last().expect("it has just come").clone();
        let index = parts.len() - 1;
        let mut pass = Pass {
            bytes: part.clone(),
            hang_up: false,
        };
        if way != self.way || (index != self.part && index != self.part + 1) {
            return pass;
        }
        match (&self.how, index == self.part) {
            (How::Swap, false) => pass.bytes.extend_from_slice(&parts[index - 1]),
            (How::Leave, _) | (_, false) => {}
            (How::Flip(bit), true) => {
                let bit = bit % (part.len() * 8);
                pass.bytes[bit / 8] ^= 1 << (bit % 8);
                // What follows a longer length would be waited for as long as the client has time.
                pass.hang_up = index > 0 && pass.bytes[..4] > part[..4];
            }
            (How::Repeat, true) => pass.bytes.extend_from_slice(&part),
            (How::Drop | How::Swap, true) => pass.bytes.clear(),
            (How::Reflect, true) => {
                let own = &back[usize::from(index > 1)];
                pass.bytes.splice(..0, own.iter().copied());
            }
            (How::Replace(other), true) => pass.bytes.clone_from(other),
            (How::Truncate, true) => {
                pass.bytes.truncate(part.len() / 2);
                pass.hang_up = true;
            }
        }
        pass
    }
}

/// Where a client is led that looks for a server.
pub(crate) struct Middle {
    listener: TcpListener,
    server: SocketAddr,
}

impl Middle {
    pub(crate) fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { listener, server }
    }

    pub(crate) fn address(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    /// Carries the next connection to its end; everything that came.
    pub(crate) fn carry(&self, tampering: &Tampering) -> Seen {
        let (client, _) = self.listener.accept().unwrap();
        let server = TcpStream::connect(self.server).unwrap();
        for stream in [&client, &server] {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.set_nodelay(true).unwrap();
        }
        let seen = Mutex::new(Seen::default());
        thread::scope(|scope| {
            scope.spawn(|| one_way(Direction::ToServer, &client, &server, tampering, &seen));
            one_way(Direction::ToClient, &server, &client, tampering, &seen);
        });
        seen.into_inner().unwrap()
    }
}

/// Passes on what comes until it ends. Where the other end is gone, that is its own affair.
fn one_way(
    way: Direction,
    mut from: &TcpStream,
    mut to: &TcpStream,
    tampering: &Tampering,
    seen: &Mutex<Seen>,
) {
    let mut cutter = Cutter::of(way);
    let mut buffer = [0; 16 * 1024];
    // A reset is an end as well.
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        for part in cutter.cut(&buffer[..length]) {
            let pass = {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.of(way).push(part);
                tampering.passes(way, &mut seen)
            };
            let _ = to.write_all(&pass.bytes);
            if pass.hang_up {
                let _ = to.shutdown(Shutdown::Both);
                let _ = from.shutdown(Shutdown::Both);
                return;
            }
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Cuts a stream into the hello and frames.
struct Cutter {
    hello: usize,
    bytes: Vec<u8>,
    frames: Deframer,
}

impl Cutter {
    fn of(way: Direction) -> Self {
        Self {
            hello: match way {
                Direction::ToServer => CLIENT_HELLO,
                Direction::ToClient => SERVER_HELLO,
            },
            bytes: Vec::new(),
            frames: Deframer::new(FRAME_TO_CLIENT),
        }
    }

    fn cut(&mut self, mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut parts = Vec::new();
        if self.bytes.len() < self.hello {
            let missing = bytes.len().min(self.hello - self.bytes.len());
            let (hello, rest) = bytes.split_at(missing);
            self.bytes.extend_from_slice(hello);
            bytes = rest;
            if self.bytes.len() == self.hello {
                parts.push(self.bytes.clone());
            }
        }
        self.frames.push(bytes);
        while let Some(frame) = self.frames.next_frame().expect("both ends are honest") {
            parts.push(frame.to_vec());
        }
        parts
    }
}
