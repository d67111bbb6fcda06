//! The engine, with queues of bytes in place of the reactor.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use echat_proto::Value;
use echat_proto::channel::{Channel, Incoming, Message};
use echat_proto::commands::channel as command;
use echat_proto::handshake::{ClientStart, Step};
use echat_server::clock::Now;
use echat_server::config::Limits;
use echat_server::conn::ConnId;
use echat_server::engine::Engine;
use echat_server::storage::Store;
use echat_server::workers::jobs::HashMemory;
use ed25519_dalek::SigningKey;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Bytes that the reactor reads at once, and in one tick.
const CHUNK: usize = 16 * 1024;
pub(crate) const BUDGET: usize = 64 * 1024;

/// The engine, with queues of bytes in place of the reactor.
pub(crate) struct Sim {
    pub(crate) engine: Engine,
    pub(crate) now: Duration,
    pub(crate) key: SigningKey,
    pub(crate) rng: StdRng,
    pub(crate) sent: HashMap<ConnId, Vec<u8>>,
    /// A connection that accepts no output.
    pub(crate) stalled: Option<ConnId>,
    /// Whether workers run their jobs.
    pub(crate) workers: bool,
}

pub(crate) struct Client {
    pub(crate) conn: ConnId,
    pub(crate) channel: Channel,
}

impl Sim {
    pub(crate) fn new() -> Self {
        Self::over(Store::in_memory().unwrap())
    }

    pub(crate) fn over(store: Store) -> Self {
        Self::with(Limits::default(), store)
    }

    /// Without a rate of messages, so that a client can send many at once.
    pub(crate) fn with(mut limits: Limits, store: Store) -> Self {
        limits.message_rate = 0;
        Self {
            engine: Engine::new(limits, store, StdRng::seed_from_u64(1)),
            now: Duration::from_secs(1),
            key: SigningKey::from_bytes(&[1; 32]),
            rng: StdRng::seed_from_u64(2),
            sent: HashMap::new(),
            stalled: None,
            workers: true,
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            running: self.now,
            unix: 1_000_000_000,
        }
    }

    /// One round of the reactor.
    pub(crate) fn round(&mut self) {
        self.engine.tick(self.now()).unwrap();
        if self.workers {
            for job in self.engine.take_jobs() {
                let done = job
                    .task
                    .run(&self.key, &mut self.rng, &mut HashMemory::default());
                self.engine.complete(job.conn, done);
            }
        }
        let now = self.now();
        for conn in self.engine.take_dirty() {
            while self.stalled != Some(conn) {
                let bytes = self.engine.output(conn, now).to_vec();
                if bytes.is_empty() {
                    break;
                }
                self.sent.entry(conn).or_default().extend_from_slice(&bytes);
                self.engine.wrote(conn, bytes.len(), now);
            }
        }
        self.engine.take_closed();
    }

    pub(crate) fn settle(&mut self) {
        for _ in 0..4 {
            self.round();
        }
        while self.engine.has_work() {
            self.round();
        }
    }

    pub(crate) fn connect(&mut self) -> Client {
        self.connect_from(Ipv4Addr::LOCALHOST)
    }

    pub(crate) fn connect_from(&mut self, address: Ipv4Addr) -> Client {
        let address = SocketAddr::from((address, 1));
        let conn = self.engine.accept(address, self.now()).unwrap();
        let (hello, waiting) = ClientStart::new(&mut self.rng).send();
        self.engine.receive(conn, &hello, self.now());
        self.settle();
        let flight = self.sent.remove(&conn).unwrap();
        let Step::Next(waiting) = waiting.next(&flight).unwrap() else {
            panic!("a whole hello")
        };
        let Step::Next((channel, finished)) = waiting.next(&[], &mut self.rng).unwrap() else {
            panic!("a whole flight")
        };
        self.engine.receive(conn, &finished, self.now());
        Client { conn, channel }
    }

    pub(crate) fn frame(&mut self, client: &mut Client, command: u32, params: Value) -> Vec<u8> {
        let plain = Message { command, params }.encode().unwrap();
        let mut bytes = Vec::new();
        client
            .channel
            .sealer()
            .seal(&plain, &mut self.rng, &mut bytes);
        bytes
    }

    /// Passes bytes on as the reactor does: within its budget, and while the engine accepts them.
    pub(crate) fn read(&mut self, client: &Client, socket: &mut VecDeque<u8>) {
        let mut budget = BUDGET;
        while budget > 0 && !socket.is_empty() && self.engine.wants_bytes(client.conn) {
            let most = CHUNK.min(budget).min(socket.len());
            let chunk: Vec<u8> = socket.drain(..most).collect();
            self.engine.receive(client.conn, &chunk, self.now());
            budget -= most;
        }
    }

    pub(crate) fn send(&mut self, client: &Client, bytes: &[u8]) {
        let mut socket: VecDeque<u8> = bytes.iter().copied().collect();
        for _ in 0..1_000 {
            self.read(client, &mut socket);
            self.round();
            if socket.is_empty() {
                break;
            }
        }
        assert!(socket.is_empty(), "{} bytes were never read", socket.len());
        self.settle();
    }

    pub(crate) fn answers(&mut self, client: &mut Client) -> Vec<Message> {
        let bytes = self.sent.remove(&client.conn).unwrap_or_default();
        client.channel.receive(&bytes);
        let mut answers = Vec::new();
        while let Some(incoming) = client.channel.next_incoming().unwrap() {
            match incoming {
                Incoming::Message(message) => answers.push(message),
                Incoming::Close(reason) => {
                    let params = Value::Int(reason);
                    answers.push(Message {
                        command: command::CLOSE_NOTIFY,
                        params,
                    });
                }
                Incoming::Ping | Incoming::Pong => {}
            }
        }
        answers
    }

    pub(crate) fn ask(&mut self, client: &mut Client, command: u32, params: Value) -> Vec<u32> {
        let frame = self.frame(client, command, params);
        self.send(client, &frame);
        self.answers(client)
            .iter()
            .map(|message| message.command)
            .collect()
    }

    /// Sends a client's request without a round.
    pub(crate) fn say(&mut self, client: &mut Client, command: u32, params: Value) {
        let frame = self.frame(client, command, params);
        self.engine.receive(client.conn, &frame, self.now());
    }

    pub(crate) fn user(&mut self, name: &str) -> Client {
        let mut client = self.connect();
        assert_eq!(self.ask(&mut client, 2, account(name)), [102]);
        assert_eq!(self.ask(&mut client, 3, account(name)), [103, 140, 105]);
        client
    }
}

pub(crate) fn account(name: &str) -> Value {
    let text = |text: &str| Value::Str(text.to_owned());
    dict(&[
        ("username", text(name)),
        ("password", text("correct horse")),
    ])
}

pub(crate) fn dict(entries: &[(&str, Value)]) -> Value {
    Value::Dict(
        entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect(),
    )
}
