//! What is known of the secrets that resume sessions, from what clients said and heard. It knows no row of the database:
//! a secret must log in, or must not, by the rules of PROTOCOL.md, section 5.8, or the rules leave it open.

use crate::fail;
use echat_proto::names::ResumeSecret;
use std::collections::BTreeSet;

/// A secret, by the order in which clients heard of them.
pub(crate) type SecretId = usize;

/// A secret that a client was given.
#[derive(Debug)]
struct Secret {
    user: usize,
    text: ResumeSecret,
    /// The first secret of its chain.
    chain: SecretId,
    /// How often it was presented.
    presented: u64,
    /// Whether it is void for sure.
    is_void: bool,
}

/// A secret that a LOGIN presents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presented {
    /// `None` for a text that no client was given.
    pub(crate) secret: Option<SecretId>,
    /// Whether it was void before.
    was_void: bool,
}

/// All secrets of a case.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    all: Vec<Secret>,
    /// Chains of which the rules leave open whether they go on: two clients may have presented their secrets, a session
    /// may have logged out, the disk or the clock may have been in trouble.
    open: BTreeSet<SecretId>,
    /// Users who ended sessions, or meant to: which of their secrets that voided is not known.
    ending: BTreeSet<usize>,
}

impl Secrets {
    /// The secret that a user was given as the `nth` before the last, as it is about to be presented; some text if there
    /// is none.
    pub(crate) fn present(&mut self, user: usize, nth: usize) -> (ResumeSecret, Presented) {
        let mut given = (0..self.all.len()).rev();
        let found = given
            .by_ref()
            .filter(|id| self.all[*id].user == user)
            .nth(nth);
        let Some(id) = found else {
            let wrong = ResumeSecret::from_bytes(&[0x5a; ResumeSecret::BYTES]);
            let presented = Presented {
                secret: None,
                was_void: true,
            };
            return (wrong, presented);
        };
        let chain = self.all[id].chain;
        let newest = self.all.iter().rposition(|secret| secret.chain == chain);
        let secret = &mut self.all[id];
        if secret.presented > 0 || newest != Some(id) {
            self.open.insert(chain);
        }
        secret.presented += 1;
        let presented = Presented {
            secret: Some(id),
            was_void: secret.is_void,
        };
        (secret.text.clone(), presented)
    }

    /// Whether a LOGIN may be refused with `bad_credentials`.
    pub(crate) fn may_refuse(&self, presented: Presented) -> bool {
        let is_open = |id: SecretId| self.open.contains(&self.all[id].chain);
        presented.was_void || presented.secret.is_none_or(is_open)
    }

    /// Whether a LOGIN may succeed, as this user.
    pub(crate) fn may_log_in(&self, presented: Presented, user: usize) -> bool {
        let secret = presented.secret.map(|id| &self.all[id]);
        secret.is_some_and(|secret| secret.user == user && !presented.was_void)
    }

    /// A LOGIN gave a secret, by which a password or another secret was presented.
    pub(crate) fn give(
        &mut self,
        user: usize,
        secret: &ResumeSecret,
        presented: Option<Presented>,
    ) -> Result<SecretId, String> {
        self.open
            .extend(self.ending.contains(&user).then_some(self.all.len()));
        if self.all.iter().any(|other| other.text == *secret) {
            return fail("a secret is given twice");
        }
        if secret.bytes().is_none() {
            return fail("what is given has not the form of a secret");
        }
        let id = self.all.len();
        let before = presented.and_then(|presented| presented.secret);
        self.all.push(Secret {
            user,
            text: secret.clone(),
            chain: before.map_or(id, |before| self.all[before].chain),
            presented: 0,
            is_void: false,
        });
        Ok(id)
    }

    /// A session has a reply to a request: the secret that opened it is used up.
    pub(crate) fn use_up(&mut self, presented: Option<Presented>) {
        if let Some(id) = presented.and_then(|presented| presented.secret) {
            self.all[id].is_void = true;
        }
    }

    /// How many were given so far.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// A user is about to end sessions, and to void the secrets of all.
    pub(crate) fn end_all(&mut self, user: usize) {
        self.ending.insert(user);
        let chains = self.all.iter().filter(|secret| secret.user == user);
        self.open.extend(chains.map(|secret| secret.chain));
    }

    /// A user has ended all sessions: the secrets that were given before it was asked are void.
    pub(crate) fn void_all(&mut self, user: usize, before: usize) {
        for secret in self.all[..before]
            .iter_mut()
            .filter(|secret| secret.user == user)
        {
            secret.is_void = true;
        }
    }

    /// A session is about to log out.
    pub(crate) fn leave(&mut self, given: Option<SecretId>) {
        self.open.extend(given.map(|id| self.all[id].chain));
    }

    /// A session has logged out: the secret that it was given is void.
    pub(crate) fn left(&mut self, given: Option<SecretId>) {
        if let Some(id) = given {
            self.all[id].is_void = true;
        }
    }

    /// The disk or the clock is in trouble: what was not written, and how old a secret is, is not known here.
    pub(crate) fn trouble(&mut self) {
        self.open.extend(self.all.iter().map(|secret| secret.chain));
    }
}
