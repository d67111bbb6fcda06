//! An engine with logged-in users and nothing around it: no sockets, workers or clock. Powers of handshakes are
//! computed once, passwords are believed, and what the engine sends is not opened, so that what remains is the engine's
//! own work. Everything follows from fixed seeds.

#![allow(dead_code, reason = "each program uses its own part")]

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use echat_proto::channel::Channel;
use echat_proto::commands::Request;
use echat_proto::group::{EXPONENT, Ephemeral, KeyShare, PUBLIC, Public};
use echat_proto::handshake::{
    AwaitClientFinished, AwaitServerHello, ClientHello, ClientStart, Step, respond,
};
use echat_proto::names::{Content, NameQuery, Password, RoomName, Username};
use echat_proto::param::TargetType;
use echat_server::clock::Now;
use echat_server::config::Limits;
use echat_server::conn::ConnId;
use echat_server::engine::Engine;
use echat_server::storage::{Store, UserId};
use echat_server::workers::jobs::{JobResult, Task, Verdict};
use ed25519_dalek::SigningKey;
use rand::SeedableRng;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

/// The text of every message: 100 bytes.
const TEXT: &str = "0123456789012345678901234567890123456789012345678901234567890123456\
                    789012345678901234567890123456789";
/// The exponents of every handshake: the client's and the server's.
const EXPONENTS: [[u8; EXPONENT]; 2] = [[0x5a; EXPONENT], [0xa6; EXPONENT]];
/// Their public values, and the number they agree on.
static AGREED: LazyLock<([[u8; PUBLIC]; 2], [u8; PUBLIC])> = LazyLock::new(|| {
    let [client, server] = EXPONENTS.map(|exponent| Ephemeral::from_exponent(&exponent));
    let publics = [*client.public(), *server.public()];
    let z = client.agree(&Public::new(&publics[1]).expect("a power of g"));
    (publics, *z)
});

/// One side's exponent, whose power is computed already.
#[derive(Clone, Copy)]
enum Share {
    Client,
    Server,
}

impl KeyShare for Share {
    fn public(&self) -> &[u8; PUBLIC] {
        &AGREED.0[*self as usize]
    }

    fn agree(self, _: &Public) -> Zeroizing<[u8; PUBLIC]> {
        Zeroizing::new(AGREED.1)
    }
}

/// A hello of a client whose power is computed already.
pub(crate) fn client_hello() -> (Vec<u8>, AwaitServerHello<impl KeyShare>) {
    ClientStart::with(Share::Client, &[3; 32]).send()
}

/// A server's answer to it.
pub(crate) fn server_flight(
    hello: &ClientHello,
    rng: &mut StdRng,
) -> (Vec<u8>, AwaitClientFinished) {
    respond(hello, Share::Server, &SigningKey::from_bytes(&[1; 32]), rng)
}

/// An engine and the clients' sides of its connections.
pub(crate) struct Stage {
    engine: Engine,
    users: Vec<User>,
    key: SigningKey,
    rng: StdRng,
    now: Now,
}

struct User {
    conn: ConnId,
    channel: Channel,
}

impl Stage {
    /// An engine over a database, without limits on rates.
    pub(crate) fn new(store: Store) -> Self {
        let limits = Limits {
            message_rate: 0,
            user_bytes_a_day: 0,
            rooms_a_day: 0,
            free_bytes: 0,
            registrations: 0,
            friend_requests: 0,
            login_failures: 0,
            unauthenticated: 100_000,
            ..Limits::default()
        };
        Self {
            engine: Engine::new(limits, store, StdRng::seed_from_u64(1)),
            users: Vec::new(),
            key: SigningKey::from_bytes(&[1; 32]),
            rng: StdRng::seed_from_u64(2),
            now: Now {
                running: Duration::ZERO,
                unix: 1_500_000_000,
            },
        }
    }

    /// A connection of a user whose account exists. Users count from zero.
    pub(crate) fn log_in(&mut self, name: &str) {
        self.connect();
        let last = self.users.len() - 1;
        let frame = self.seal(last, &log_in(name));
        self.receive(last, &frame);
        self.settle();
    }

    /// A connection without a login.
    pub(crate) fn connect(&mut self) {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let conn = self.engine.accept(address, self.now).expect("a place");
        let (hello, state) = client_hello();
        self.engine.receive(conn, &hello, self.now);
        let flight = self.settle_for(conn);
        let Ok(Step::Next(shown)) = state.next(&flight) else {
            panic!("no ServerHello")
        };
        let Ok(Step::Next((channel, finished))) = shown.next(&[], &mut self.rng) else {
            panic!("no FINISHED")
        };
        self.engine.receive(conn, &finished, self.now);
        self.settle();
        self.users.push(User { conn, channel });
    }

    /// A request as a user's next frame.
    pub(crate) fn seal(&mut self, user: usize, request: &Request) -> Vec<u8> {
        let plain = request.to_message().encode();
        let plain = plain.expect("requests have a wire form");
        let mut frame = Vec::new();
        let channel = &mut self.users[user].channel;
        channel.sealer().seal(&plain, &mut self.rng, &mut frame);
        frame
    }

    /// Hands a user's bytes to the engine. Nothing happens before the stage settles.
    pub(crate) fn receive(&mut self, user: usize, bytes: &[u8]) {
        self.engine.receive(self.users[user].conn, bytes, self.now);
    }

    /// Lets time pass: cool-downs end.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now.running += time;
        self.settle();
    }

    /// Ticks until nothing more happens. Returns how many bytes were sent.
    pub(crate) fn settle(&mut self) -> usize {
        let mut sent = 0;
        self.settle_with(|_, bytes| sent += bytes.len());
        sent
    }

    /// The same; returns what was sent to one connection.
    fn settle_for(&mut self, conn: ConnId) -> Vec<u8> {
        let mut sent = Vec::new();
        self.settle_with(|to, bytes| {
            if to == conn {
                sent.extend_from_slice(bytes);
            }
        });
        sent
    }

    fn settle_with(&mut self, mut sent: impl FnMut(ConnId, &[u8])) {
        loop {
            self.engine.tick(self.now).expect("a database that works");
            if let Some(checkpoint) = self.engine.take_checkpoint() {
                let outcome = checkpoint.run();
                let done = self.engine.checkpoint_done(outcome);
                done.expect("a database that works");
            }
            let jobs = self.engine.take_jobs();
            let is_idle = jobs.is_empty() && !self.engine.has_work();
            for job in jobs {
                if let Some(done) = done(job.task, &self.key, &mut self.rng) {
                    self.engine.complete(job.conn, done);
                }
            }
            for conn in self.engine.take_dirty() {
                loop {
                    let bytes = self.engine.output(conn, self.now);
                    let length = bytes.len();
                    if length == 0 {
                        break;
                    }
                    sent(conn, bytes);
                    self.engine.wrote(conn, length, self.now);
                }
            }
            if is_idle {
                return;
            }
        }
    }
}

/// The result of a job without its arithmetic; `None` for an exponent that is not needed.
fn done(task: Task, key: &SigningKey, rng: &mut StdRng) -> Option<JobResult> {
    Some(match task {
        Task::Respond { hello, .. } => {
            let (flight, waiting) = respond(&hello, Share::Server, key, rng);
            JobResult::Responded(flight, Box::new(waiting))
        }
        Task::Prepare => return None,
        Task::Hash { .. } => JobResult::Hashed(HASH.to_owned().into()),
        Task::Change { .. } => JobResult::Changed(Some(HASH.to_owned().into())),
        Task::Verify { .. } => JobResult::Verified(Verdict::Right { upgrade: None }),
    })
}

/// In the place of a password's hash, which nothing here compares with.
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The name of a user with an account.
pub(crate) fn user(number: usize) -> String {
    format!("user-{number}")
}

/// Makes accounts; users 0 and 1 are friends.
pub(crate) fn accounts(store: &mut Store, count: usize) -> Vec<UserId> {
    let mut batch = store.batch();
    let mut ids = Vec::new();
    for number in 0..count {
        let name = Username::new(&user(number)).expect("a good name");
        let id = batch.create_user(&name, HASH, 1).expect("a good store");
        ids.push(id.expect("a new name"));
    }
    if let [one, other, ..] = ids[..] {
        batch.befriend(one, other, 1).expect("a good store");
    }
    drop(batch.commit().expect("a good store"));
    ids
}

/// Makes a room; the first member owns it.
pub(crate) fn room(store: &mut Store, name: &str, members: &[UserId]) {
    let name = RoomName::new(name).expect("a good name");
    let mut batch = store.batch();
    let room = batch.create_room(&name, members[0], 1);
    let room = room.expect("a good store").expect("a new name");
    for member in members {
        batch.add_member(room, *member, 1).expect("a good store");
    }
    drop(batch.commit().expect("a good store"));
}

/// Stores a friend request of each of several users to one.
pub(crate) fn requests(store: &mut Store, from: &[UserId], to: UserId) {
    let mut batch = store.batch();
    for sender in from {
        let added = batch.add_request(*sender, to, 1);
        added.expect("a good store");
    }
    drop(batch.commit().expect("a good store"));
}

/// Stores messages of the owner of a room.
pub(crate) fn messages(store: &mut Store, room: &str, count: usize) {
    let text = text();
    let mut batch = store.batch();
    let room = batch.find_room(room).expect("a good store");
    let room = room.expect("made before");
    for number in 0..count {
        let at = 1_000_000_000 + i64::try_from(number).expect("few");
        let stored = batch.insert_message(room.id, room.owner.expect("an owner"), &text, None, at);
        stored.expect("a good store");
    }
    drop(batch.commit().expect("a good store"));
}

fn text() -> Content {
    Content::new(TEXT).expect("a good text")
}

pub(crate) fn log_in(name: &str) -> Request {
    Request::Login {
        username: NameQuery::new(name),
        password: Some(Password::presented("correct horse").expect("short")),
        resume: None,
        device: None,
        messages: None,
        token: None,
    }
}

/// A message of 100 bytes.
pub(crate) fn say(target_type: TargetType, target: &str) -> Request {
    Request::SendMessage {
        target_type,
        target: NameQuery::new(target),
        content: text(),
        txn_id: None,
        reply_to: None,
    }
}
