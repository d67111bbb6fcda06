//! The engine without its sockets: the test owns the time, the workers and the bytes, and nothing happens by
//! itself.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use echat_proto::channel::{Channel, Incoming, Message};
use echat_proto::handshake::{ClientStart, Step};
use echat_server::clock::Now;
use echat_server::config::Limits;
use echat_server::conn::ConnId;
use echat_server::engine::Engine;
use echat_server::storage::{Checkpoint, Store};
use echat_server::workers::jobs::HashMemory;
use echat_testkit::wire::{credentials, line, message};
use ed25519_dalek::SigningKey;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// The engine and what a reactor would keep for it.
pub(crate) struct Harness {
    engine: Engine,
    /// Checkpoints that are to be run beside the engine.
    pub(crate) checkpoints: Vec<Checkpoint>,
    /// What was written to each connection and not read yet.
    wires: HashMap<ConnId, Vec<u8>>,
    key: SigningKey,
    rng: StdRng,
    now: Now,
}

/// The other end of a connection.
pub(crate) struct Actor {
    conn: ConnId,
    channel: Channel,
}

impl Harness {
    /// An engine over this store, without a rate of messages.
    pub(crate) fn new(store: Store) -> Self {
        let limits = Limits {
            message_rate: 0,
            ..Limits::default()
        };
        Self {
            engine: Engine::new(limits, store, StdRng::seed_from_u64(1)),
            checkpoints: Vec::new(),
            wires: HashMap::new(),
            key: SigningKey::from_bytes(&[1; 32]),
            rng: StdRng::seed_from_u64(2),
            now: Now {
                running: Duration::ZERO,
                unix: 1,
            },
        }
    }

    /// The engine itself.
    pub(crate) fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Lets time pass, and what is due happen.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now.running += time;
        self.settle();
    }

    /// Ticks until nothing more happens. All results of workers that are done come in one tick.
    pub(crate) fn settle(&mut self) {
        loop {
            self.engine.tick(self.now).unwrap();
            self.checkpoints.extend(self.engine.take_checkpoint());
            let jobs = self.engine.take_jobs();
            let idle = jobs.is_empty() && !self.engine.has_work();
            for job in jobs {
                self.engine.complete(
                    job.conn,
                    job.task
                        .run(&self.key, &mut self.rng, &mut HashMemory::default()),
                );
            }
            for conn in self.engine.take_dirty() {
                let wire = self.wires.entry(conn).or_default();
                loop {
                    let bytes = self.engine.output(conn, self.now);
                    let length = bytes.len();
                    wire.extend_from_slice(bytes);
                    if length == 0 {
                        break;
                    }
                    self.engine.wrote(conn, length, self.now);
                }
            }
            if idle {
                return;
            }
        }
    }

    fn take(&mut self, conn: ConnId) -> Vec<u8> {
        self.wires.remove(&conn).unwrap_or_default()
    }

    /// A connection with a channel.
    pub(crate) fn connect(&mut self) -> Actor {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let conn = self.engine.accept(address, self.now).expect("a place");
        let (hello, state) = ClientStart::new(&mut self.rng).send();
        self.engine.receive(conn, &hello, self.now);
        self.settle();
        let flight = self.take(conn);
        let Ok(Step::Next(shown)) = state.next(&flight) else {
            panic!("no ServerHello")
        };
        let Ok(Step::Next((channel, finished))) = shown.next(&[], &mut self.rng) else {
            panic!("no FINISHED")
        };
        self.engine.receive(conn, &finished, self.now);
        Actor { conn, channel }
    }

    /// A connection of a user, who is made if they are new.
    pub(crate) fn enter(&mut self, name: &str) -> Actor {
        let mut actor = self.connect();
        let credentials = credentials(name);
        actor.asks(self, &format!("REGISTER {credentials}"));
        let bundle = actor.asks(self, &format!("LOGIN {credentials}"));
        assert!(
            line(&bundle).starts_with("LOGIN_BUNDLE"),
            "{}",
            line(&bundle)
        );
        actor
    }
}

impl Actor {
    /// Sends messages, one frame each. Nothing happens before the stage settles.
    pub(crate) fn says(&mut self, harness: &mut Harness, lines: &[impl AsRef<str>]) {
        for line in lines {
            let plain = message(line.as_ref()).encode().unwrap();
            let mut frame = Vec::new();
            self.channel
                .sealer()
                .seal(&plain, &mut harness.rng, &mut frame);
            harness.engine.receive(self.conn, &frame, harness.now);
        }
    }

    /// Closes the connection.
    pub(crate) fn hangs_up(self, harness: &mut Harness) {
        harness.engine.sever(self.conn);
        harness.settle();
    }

    /// All that has come.
    pub(crate) fn hears(&mut self, harness: &mut Harness) -> Vec<Incoming> {
        self.channel.receive(&harness.take(self.conn));
        let mut heard = Vec::new();
        while let Some(incoming) = self.channel.next_incoming().expect("a frame") {
            heard.push(incoming);
        }
        heard
    }

    /// All messages that have come.
    pub(crate) fn hears_messages(&mut self, harness: &mut Harness) -> Vec<Message> {
        let of = |incoming| match incoming {
            Incoming::Message(message) => message,
            other => panic!("no message but {other:?}"),
        };
        self.hears(harness).into_iter().map(of).collect()
    }

    /// Sends one request; the last message that comes, which is the final reply if no other client acts.
    pub(crate) fn asks(&mut self, harness: &mut Harness, request: &str) -> Message {
        self.says(harness, &[request]);
        harness.settle();
        self.hears_messages(harness).pop().expect("a reply")
    }
}
