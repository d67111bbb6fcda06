//! Workers with a cache: the server's own arithmetic, with each costly part computed once per process. Every result was
//! computed by [`Task::run`] and by real powers. There are many simulations, but few passwords and exponents.

use super::seed;
use echat_proto::group::{EXPONENT, Ephemeral, KeyShare, PUBLIC, Public};
use echat_proto::handshake::respond;
use echat_proto::names::Password;
use echat_server::secrets::PasswordHash;
use echat_server::workers::jobs::{HashMemory, JobResult, Task, Verdict};
use ed25519_dalek::SigningKey;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};
use zeroize::Zeroizing;

/// The exponents of all connections: the client's and the server's.
const EXPONENTS: [[u8; EXPONENT]; 2] = [[0x5a; EXPONENT], [0xa6; EXPONENT]];
/// Their public values, and the shared secret.
static AGREED: LazyLock<([[u8; PUBLIC]; 2], [u8; PUBLIC])> = LazyLock::new(|| {
    let [client, server] = EXPONENTS.map(|exponent| Ephemeral::from_exponent(&exponent));
    let publics = [*client.public(), *server.public()];
    let z = client.agree(&Public::new(&publics[1]).expect("a power of g"));
    (publics, *z)
});

/// One end's exponent, with cached powers.
#[derive(Clone, Copy)]
pub(crate) enum CachedKeyShare {
    Client,
    Server,
}

impl KeyShare for CachedKeyShare {
    fn public(&self) -> &[u8; PUBLIC] {
        &AGREED.0[*self as usize]
    }

    fn agree(self, other: &Public) -> Zeroizing<[u8; PUBLIC]> {
        let [client, server] = &AGREED.0;
        let expected = if matches!(self, CachedKeyShare::Client) {
            server
        } else {
            client
        };
        if Public::new(expected).as_ref() == Ok(other) {
            return Zeroizing::new(AGREED.1);
        }
        Ephemeral::from_exponent(&EXPONENTS[self as usize]).agree(other)
    }
}

/// Cached hashes and comparisons.
#[derive(Default)]
struct Remembered {
    hashes: BTreeMap<Vec<u8>, PasswordHash>,
    right: BTreeMap<(Vec<u8>, Option<String>), bool>,
    memory: HashMemory,
}

static REMEMBERED: LazyLock<Mutex<Remembered>> = LazyLock::new(Mutex::default);

/// Runs a job.
pub(crate) fn run(task: Task, host_key: &SigningKey, rng: &mut StdRng) -> JobResult {
    match task {
        Task::Respond {
            hello,
            prepared: None,
        } => {
            let (flight, waiting) = respond(&hello, CachedKeyShare::Server, host_key, rng);
            JobResult::Responded(flight, Box::new(waiting))
        }
        Task::Hash { password } => JobResult::Hashed(hashed(password)),
        Task::Verify { password, hash } => JobResult::Verified(verified(password, hash)),
        Task::Change { old, hash, new } => {
            let verdict = verified(old, hash);
            let is_right = verdict != Verdict::Wrong;
            JobResult::Changed(is_right.then(|| hashed(new)))
        }
        other => other.run(host_key, rng, &mut HashMemory::default()),
    }
}

/// The result for a password that is not compared: it is correct, or its hash is that of the password of all users.
pub(crate) fn unhashed(task: &Task) -> JobResult {
    match task {
        Task::Verify { .. } => JobResult::Verified(Verdict::Right { upgrade: None }),
        Task::Change { .. } => JobResult::Changed(Some(seed::hash())),
        _ => JobResult::Hashed(seed::hash()),
    }
}

/// The hash of a password. All simulations share one salt for each password.
pub(crate) fn hashed(password: Password) -> PasswordHash {
    let mut remembered = REMEMBERED.lock().expect("no test panics in here");
    let key = password.as_bytes().to_vec();
    if let Some(hash) = remembered.hashes.get(&key) {
        return hash.clone();
    }
    let JobResult::Hashed(hash) = compute(Task::Hash { password }, &mut remembered.memory) else {
        unreachable!("a hash gives a hash")
    };
    remembered.hashes.insert(key, hash.clone());
    hash
}

fn verified(password: Password, hash: Option<PasswordHash>) -> Verdict {
    let mut remembered = REMEMBERED.lock().expect("no test panics in here");
    let text = hash.as_ref().map(|hash| hash.as_str().to_owned());
    let key = (password.as_bytes().to_vec(), text);
    let known = remembered.right.get(&key).copied();
    let right = known.unwrap_or_else(|| {
        let done = compute(Task::Verify { password, hash }, &mut remembered.memory);
        matches!(done, JobResult::Verified(Verdict::Right { upgrade: None }))
    });
    remembered.right.insert(key, right);
    if right {
        Verdict::Right { upgrade: None }
    } else {
        Verdict::Wrong
    }
}

fn compute(task: Task, memory: &mut HashMemory) -> JobResult {
    let key = SigningKey::from_bytes(&[7; 32]);
    task.run(&key, &mut StdRng::seed_from_u64(1), memory)
}
