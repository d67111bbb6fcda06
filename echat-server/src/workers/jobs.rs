//! The heavy arithmetic: modular powers, signatures, password hashes. Pure: no state, no sockets. The pool or a
//! simulation runs it.

use crate::conn::ConnId;
use crate::secrets::PasswordHash;
use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use echat_proto::group::Ephemeral;
use echat_proto::handshake::{AwaitClientFinished, ClientHello, respond};
use echat_proto::names::Password;
use ed25519_dalek::SigningKey;
use rand::CryptoRng;
use std::fmt::Write;
use std::io;
use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;
use zeroize::{Zeroize, Zeroizing};

/// The memory of one Argon2id hash, in KiB: 19 MiB (OWASP's first choice for a server).
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes of Argon2id over its memory.
const PASSES: u32 = 2;
/// Bytes of a salt.
const SALT: usize = 16;
/// Bytes of a hash.
const OUTPUT: usize = 32;
/// Bytes that a PHC string of ours fits into: it has 97.
const PHC: usize = 128;

/// Work for a worker thread.
pub struct Job {
    /// The connection that waits.
    pub conn: ConnId,
    /// Its address: workers are shared fairly between addresses.
    pub address: IpAddr,
    /// What to compute.
    pub task: Task,
}

/// What to compute.
pub enum Task {
    /// The server's side of a handshake: one modular power, and one more when no exponent was
    /// prepared.
    Respond {
        /// What the client said.
        hello: ClientHello,
        /// An exponent whose public value is there already.
        prepared: Option<Box<Ephemeral>>,
    },
    /// An exponent for a handshake to come.
    Prepare,
    /// A new password's hash.
    Hash {
        /// The password.
        password: Password,
    },
    /// Whether a password is the one that was hashed.
    Verify {
        /// The password.
        password: Password,
        /// The hash; `None` compares with nothing and costs the same.
        hash: Option<PasswordHash>,
    },
    /// Whether a password is the one that was hashed, and if so, the hash of the next one.
    Change {
        /// The present password.
        old: Password,
        /// Its hash; `None` if the user has none.
        hash: Option<PasswordHash>,
        /// The new password.
        new: Password,
    },
}

impl Task {
    /// Whether this takes Argon2id's time and memory.
    pub fn is_hash(&self) -> bool {
        matches!(
            self,
            Task::Hash { .. } | Task::Verify { .. } | Task::Change { .. }
        )
    }
}

/// What a worker computed.
pub enum JobResult {
    /// Bytes to send, and the state that waits for the client's FINISHED.
    Responded(Vec<u8>, Box<AwaitClientFinished>),
    /// An exponent.
    Prepared(Box<Ephemeral>),
    /// The hash of a password.
    Hashed(PasswordHash),
    /// The comparison's result.
    Verified(Verdict),
    /// The hash of the new password; `None` if the present one was wrong.
    Changed(Option<PasswordHash>),
    /// Nothing: the job panicked, and the panic was logged. Its connection is closed.
    Failed,
}

/// Whether a password was right.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was.
    Right {
        /// A new hash, if the old one was made with weaker parameters.
        upgrade: Option<PasswordHash>,
    },
    /// It was not, or there was nothing to compare with.
    Wrong,
}

impl Task {
    /// Computes; hashes in memory that is kept for the next, and is wiped after each job.
    pub fn run(
        self,
        host_key: &SigningKey,
        rng: &mut impl CryptoRng,
        memory: &mut HashMemory,
    ) -> JobResult {
        let memory = &mut *WipedAfter(memory);
        match self {
            Task::Respond { hello, prepared } => {
                let ephemeral = prepared.map_or_else(|| Ephemeral::generate(rng), |ready| *ready);
                let (flight, waiting) = respond(&hello, ephemeral, host_key, rng);
                JobResult::Responded(flight, Box::new(waiting))
            }
            Task::Prepare => JobResult::Prepared(Box::new(Ephemeral::generate(rng))),
            Task::Hash { password } => JobResult::Hashed(hash(&password, rng, memory)),
            Task::Verify { password, hash } => {
                JobResult::Verified(verify(&password, hash.as_ref(), rng, memory))
            }
            Task::Change { old, hash, new } => {
                let verdict = verify(&old, hash.as_ref(), rng, memory);
                let is_right = matches!(verdict, Verdict::Right { .. });
                JobResult::Changed(is_right.then(|| self::hash(&new, rng, memory)))
            }
        }
    }
}

/// The memory that Argon2id works in. It is kept from one hash to the next: memory that is freed each time would not be
/// returned to the system. What Argon2id leaves in it depends on the password: it is wiped after each job that hashed,
/// and when it is dropped. Other jobs do not touch it: a wipe writes 19 MiB, which would cost a handshake more than its
/// powers do.
#[derive(Default)]
pub struct HashMemory {
    blocks: Vec<Block>,
    /// The first blocks, which a hash may have written since the last wipe.
    used: usize,
}

impl Drop for HashMemory {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Wipes the memory of a job when it ends, also by a panic.
struct WipedAfter<'m>(&'m mut HashMemory);

impl Deref for WipedAfter<'_> {
    type Target = HashMemory;

    fn deref(&self) -> &HashMemory {
        self.0
    }
}

impl DerefMut for WipedAfter<'_> {
    fn deref_mut(&mut self) -> &mut HashMemory {
        self.0
    }
}

impl Drop for WipedAfter<'_> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl HashMemory {
    fn wipe(&mut self) {
        let used = std::mem::take(&mut self.used);
        self.blocks[..used].iter_mut().for_each(Zeroize::zeroize);
    }

    fn blocks(&mut self, params: &Params) -> &mut [Block] {
        let count = params.block_count();
        if self.blocks.len() < count {
            self.blocks.resize_with(count, Block::default);
        }
        self.used = self.used.max(count);
        &mut self.blocks[..count]
    }
}

fn params() -> Params {
    Params::new(MEMORY_KIB, PASSES, 1, Some(OUTPUT)).expect("the parameters are in range")
}

fn digest(
    password: &[u8],
    salt: &Salt,
    params: &Params,
    memory: &mut HashMemory,
) -> Result<Output, argon2::Error> {
    let mut bytes = Zeroizing::new(vec![0; params.output_len().unwrap_or(OUTPUT)]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password, salt, &mut bytes, memory.blocks(params))?;
    Output::new(&bytes).map_err(|_| argon2::Error::OutputTooLong)
}

fn hash_with(password: &[u8], salt: &[u8; SALT], memory: &mut HashMemory) -> PasswordHash {
    let params = params();
    let salt = Salt::new(salt).expect("a salt of 16 bytes");
    let hash = digest(password, &salt, &params, memory);
    let hash = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).expect("the parameters have a text form"),
        salt: Some(salt),
        hash: Some(hash.expect("any password of a bounded length has a hash")),
    };
    // A string that grew would leave copies behind.
    let mut text = String::with_capacity(PHC);
    write!(text, "{hash}").expect("a string takes any text");
    text.into()
}

/// The hash of a password, for a thread that makes one only.
///
/// # Errors
/// The system provides no randomness.
pub fn hash_once(password: &Password) -> io::Result<PasswordHash> {
    let mut rng = super::seeded().map_err(io::Error::other)?;
    Ok(hash(password, &mut rng, &mut HashMemory::default()))
}

/// The hash of a password, with a new salt.
pub(crate) fn hash(
    password: &Password,
    rng: &mut impl CryptoRng,
    memory: &mut HashMemory,
) -> PasswordHash {
    let mut salt = [0; SALT];
    rng.fill_bytes(&mut salt);
    hash_with(password.as_bytes(), &salt, memory)
}

/// What an unknown user's password is compared with: a hash of today's parameters that no password
/// is known for.
static UNKNOWN_USER: LazyLock<PasswordHash> =
    LazyLock::new(|| hash_with(&[0x5a; 64], &[0; SALT], &mut HashMemory::default()));

fn verify(
    password: &Password,
    hash: Option<&PasswordHash>,
    rng: &mut impl CryptoRng,
    memory: &mut HashMemory,
) -> Verdict {
    let known = hash.and_then(|hash| {
        let read = parsed(hash.as_str());
        if read.is_none() {
            tracing::error!(
                "a password hash in the database cannot be read; its user cannot log in"
            );
        }
        read
    });
    let is_known = known.is_some();
    let compared = known.or_else(|| parsed(UNKNOWN_USER.as_str()));
    let Some((salt, expected, params)) = compared else {
        return Verdict::Wrong;
    };
    // Outputs are compared in constant time (phc, `Output`).
    let right =
        digest(password.as_bytes(), &salt, &params, memory).is_ok_and(|output| output == expected);
    if !(right && is_known) {
        return Verdict::Wrong;
    }
    let weaker = params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES;
    Verdict::Right {
        upgrade: weaker.then(|| self::hash(password, rng, memory)),
    }
}

/// A hash of ours, Argon2id of the version that this program makes: its salt, its output and its parameters.
fn parsed(phc: &str) -> Option<(phc::Salt, phc::Output, Params)> {
    let hash = phc::PasswordHash::new(phc).ok()?;
    let ours = hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into());
    let params = Params::try_from(&hash).ok()?;
    ours.then_some((hash.salt?, hash.hash?, params))
}

/// Computes what is computed once, so that the first unknown user costs no more than the next.
pub fn warm_up() {
    LazyLock::force(&UNKNOWN_USER);
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::PasswordHasher;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn run(task: Task) -> JobResult {
        task.run(
            &SigningKey::from_bytes(&[1; 32]),
            &mut StdRng::seed_from_u64(1),
            &mut HashMemory::default(),
        )
    }

    fn password(text: &str) -> Password {
        Password::presented(text).expect("short")
    }

    fn verified(text: &str, hash: Option<&PasswordHash>) -> Verdict {
        match run(Task::Verify {
            password: password(text),
            hash: hash.cloned(),
        }) {
            JobResult::Verified(verdict) => verdict,
            _ => panic!("a comparison gives a verdict"),
        }
    }

    #[test]
    fn passwords_are_stored_as_argon2id_and_compared() {
        let JobResult::Hashed(phc) = run(Task::Hash {
            password: password("correct horse"),
        }) else {
            panic!("a hash gives a hash")
        };
        let text = phc.as_str();
        assert!(
            text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{text}"
        );
        assert!(text.len() <= PHC);
        assert_eq!(
            verified("correct horse", Some(&phc)),
            Verdict::Right { upgrade: None }
        );
        assert_eq!(verified("wrong horse", Some(&phc)), Verdict::Wrong);
        assert_eq!(verified("correct horse", None), Verdict::Wrong);
        assert_eq!(
            verified("correct horse", Some(&"not a hash".to_owned().into())),
            Verdict::Wrong
        );
    }

    #[test]
    fn the_hash_of_an_unknown_user_costs_as_much_as_a_known_one() {
        let JobResult::Hashed(phc) = run(Task::Hash {
            password: password("correct horse"),
        }) else {
            panic!("a hash gives a hash")
        };
        let costs = |phc: &PasswordHash| {
            let (salt, output, params) = parsed(phc.as_str()).expect("a hash of ours");
            let costs = (params.m_cost(), params.t_cost(), params.p_cost());
            (costs, salt.len(), output.len())
        };
        assert_eq!(costs(&UNKNOWN_USER), costs(&phc));
    }

    /// Argon2id leaves its last pass in its memory, different in every block: how much of it was worked on,
    /// and with which result for which password.
    #[test]
    fn an_unknown_user_is_hashed_like_a_known_one() {
        let JobResult::Hashed(phc) = run(Task::Hash {
            password: password("correct horse"),
        }) else {
            panic!("a hash gives a hash")
        };
        let worked = |hash: Option<&PasswordHash>, text| {
            let mut memory = HashMemory::default();
            let mut rng = StdRng::seed_from_u64(1);
            let verdict = verify(&password(text), hash, &mut rng, &mut memory);
            assert_eq!(verdict, Verdict::Wrong);
            let blank = Block::default();
            let used = memory
                .blocks
                .iter()
                .filter(|block| block.as_ref() != blank.as_ref());
            let last = memory.blocks.last().map_or(0, |block| block.as_ref()[0]);
            (used.count(), last)
        };
        let (known, unknown) = (worked(Some(&phc), "wrong"), worked(None, "wrong"));
        assert_eq!(known.0, usize::try_from(MEMORY_KIB).expect("it fits"));
        assert_eq!(unknown.0, known.0);
        let unreadable = PasswordHash::from("not a hash".to_owned());
        assert_eq!(worked(Some(&unreadable), "wrong"), unknown);
        // It is this password that is hashed, for an unknown name as for a known one.
        assert_ne!(worked(Some(&phc), "other").1, known.1);
        assert_ne!(worked(None, "other").1, unknown.1);
    }

    #[test]
    fn the_memory_of_a_hash_is_wiped_after_the_job_and_by_no_other_job() {
        let mut memory = HashMemory::default();
        let mut rng = StdRng::seed_from_u64(1);
        let key = SigningKey::from_bytes(&[1; 32]);
        let task = Task::Hash {
            password: password("correct horse"),
        };
        task.run(&key, &mut rng, &mut memory);
        let count = usize::try_from(MEMORY_KIB).expect("it fits");
        assert_eq!(memory.blocks.len(), count);
        let blank = Block::default();
        let is_blank = |block: &Block| block.as_ref() == blank.as_ref();
        assert!(memory.blocks.iter().all(is_blank));
        // A job without a hash does not write 19 MiB.
        memory.blocks[0].as_mut()[0] = 1;
        Task::Prepare.run(&key, &mut rng, &mut memory);
        assert!(!is_blank(&memory.blocks[0]));
    }

    #[test]
    fn a_weaker_hash_is_made_anew_by_a_right_password() {
        let weak = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(8, 1, 1, None).expect("in range"),
        );
        let phc = weak
            .hash_password_with_salt(b"correct horse", &[7; SALT])
            .expect("a hash");
        match verified("correct horse", Some(&phc.to_string().into())) {
            Verdict::Right { upgrade: Some(new) } => assert!(new.as_str().contains("m=19456,t=2")),
            other => panic!("{other:?}"),
        }
    }
}
