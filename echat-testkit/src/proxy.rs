//! Stands between clients and a server: cuts connections where a test says, swallows what they
//! carry, and goes on with another server at another address.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// A cut is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Up,
    /// From the server.
    Down,
}

/// A proxy on a free port of loopback. Its threads end with the test program.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Where the server is; `None` while there is none.
    server: Option<SocketAddr>,
    /// After how many more bytes which way everything is cut.
    fuse: Option<(Direction, usize)>,
    cuts: usize,
    /// The bytes that went down.
    down: usize,
    /// Connections so far.
    connections: usize,
    /// Connections before this one carry nothing any more, and stay open.
    silent_before: usize,
    /// Bytes for the server that were swallowed.
    swallowed: usize,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// A proxy that leads to `server`.
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let proxy = Self {
            address,
            shared: Arc::clone(&shared),
        };
        proxy.leads_to(Some(server));
        thread::spawn(move || {
            for client in listener.incoming() {
                shared.connects(client.unwrap());
            }
        });
        proxy
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on connections go there.
    pub fn leads_to(&self, server: Option<SocketAddr>) {
        self.state().server = server;
    }

    /// Cuts every connection after so many more bytes this way, once.
    pub fn cuts_after(&self, way: Direction, bytes: usize) {
        self.state().fuse = Some((way, bytes));
    }

    /// Cuts every connection.
    pub fn cuts_now(&self) {
        self.shared.cut();
    }

    /// How often it has cut.
    pub fn cuts(&self) -> usize {
        self.state().cuts
    }

    /// How many bytes came from servers.
    pub fn down(&self) -> usize {
        self.state().down
    }

    /// Waits until it has cut so often.
    #[track_caller]
    pub fn waits_for_cut(&self, cuts: usize) {
        let waits = |state: &mut State| state.cuts < cuts;
        let changed = &self.shared.changed;
        let (state, late) = changed
            .wait_timeout_while(self.state(), PATIENCE, waits)
            .unwrap();
        drop(state);
        assert!(!late.timed_out(), "nothing was cut");
    }

    /// From now on the present connections swallow everything, like a network that is gone.
    pub fn goes_silent(&self) {
        let mut state = self.state();
        state.silent_before = state.connections;
    }

    /// Waits until something for the server was swallowed.
    #[track_caller]
    pub fn waits_for_swallowed(&self) {
        let waits = |state: &mut State| state.swallowed == 0;
        let changed = &self.shared.changed;
        let (state, late) = changed
            .wait_timeout_while(self.state(), PATIENCE, waits)
            .unwrap();
        drop(state);
        assert!(!late.timed_out(), "nothing was sent");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }
}

impl Shared {
    fn connects(self: &Arc<Self>, client: TcpStream) {
        let target = self.state.lock().unwrap().server;
        // A client without a server is hung up on, which is what a closed port would say.
        let Some(server) = target.and_then(|target| TcpStream::connect(target).ok()) else {
            return;
        };
        let both = |stream: &TcpStream| stream.try_clone().unwrap();
        let streams = [both(&client), both(&server)];
        let mut state = self.state.lock().unwrap();
        state.open.extend(streams);
        let id = state.connections;
        state.connections += 1;
        drop(state);
        let (up, down) = (Arc::clone(self), Arc::clone(self));
        let (from, to) = (both(&client), both(&server));
        thread::spawn(move || up.pumps(id, Direction::Up, from, to));
        thread::spawn(move || down.pumps(id, Direction::Down, server, client));
    }

    fn pumps(&self, id: usize, way: Direction, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let (length, last) = self.passes(id, way, length);
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
            if last {
                self.cut();
            }
        }
        // A network that is gone does not tell of an end either.
        if id >= self.state.lock().unwrap().silent_before {
            // Gone already, if that fails.
            let _ = to.shutdown(Shutdown::Write);
        }
    }

    /// How many of so many bytes pass, and whether they are the last.
    fn passes(&self, id: usize, way: Direction, length: usize) -> (usize, bool) {
        let mut state = self.state.lock().unwrap();
        if id < state.silent_before {
            if way == Direction::Up {
                state.swallowed += length;
                self.changed.notify_all();
            }
            return (0, false);
        }
        let passes = match state.fuse {
            Some((which, left)) if which == way && left <= length => {
                state.fuse = None;
                (left, true)
            }
            Some((which, left)) if which == way => {
                state.fuse = Some((way, left - length));
                (length, false)
            }
            _ => (length, false),
        };
        if way == Direction::Down {
            state.down += passes.0;
        }
        passes
    }

    fn cut(&self) {
        let mut state = self.state.lock().unwrap();
        for stream in state.open.drain(..) {
            // Gone already, if that fails.
            let _ = stream.shutdown(Shutdown::Both);
        }
        state.cuts += 1;
        self.changed.notify_all();
    }
}
