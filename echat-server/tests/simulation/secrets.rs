//! Tracks the secrets that resume sessions, from requests and replies alone, without the database. By PROTOCOL.md,
//! section 5.8, a secret must log in, must not, or may do either.

use crate::fail;
use echat_proto::names::ResumeSecret;
use std::collections::BTreeSet;

/// Index of a secret, in the order in which clients received them.
pub(crate) type SecretId = usize;

/// A secret that a client has received.
#[derive(Debug)]
struct Secret {
    user: usize,
    text: ResumeSecret,
    /// The first secret of its chain.
    chain: SecretId,
    /// How often it was presented.
    presented: u64,
    /// Whether it is certainly void.
    is_void: bool,
}

/// A secret that a LOGIN presents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PresentedSecret {
    /// `None` for a text that no client has received.
    pub(crate) secret: Option<SecretId>,
    /// Whether it was void when it was sent.
    was_void: bool,
}

/// All secrets of a case.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    all: Vec<Secret>,
    /// Chains that may or may not be valid: a secret was presented twice, a session may have logged out, storage had a
    /// fault, or the clock jumped.
    open: BTreeSet<SecretId>,
    /// Users with a request that ends sessions. It is not known which of their secrets it makes void.
    ending: BTreeSet<usize>,
}

impl Secrets {
    /// The `nth` secret of a user counted back from the newest, as a LOGIN is about to present it. An invalid text if
    /// there are not as many.
    pub(crate) fn present(&mut self, user: usize, nth: usize) -> (ResumeSecret, PresentedSecret) {
        let mut given = (0..self.all.len()).rev();
        let found = given
            .by_ref()
            .filter(|id| self.all[*id].user == user)
            .nth(nth);
        let Some(id) = found else {
            let wrong = ResumeSecret::from_bytes(&[0x5a; ResumeSecret::BYTES]);
            let presented = PresentedSecret {
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
        let presented = PresentedSecret {
            secret: Some(id),
            was_void: secret.is_void,
        };
        (secret.text.clone(), presented)
    }

    /// Whether a LOGIN may be refused with `bad_credentials`.
    pub(crate) fn may_refuse(&self, presented: PresentedSecret) -> bool {
        let is_open = |id: SecretId| self.open.contains(&self.all[id].chain);
        presented.was_void || presented.secret.is_none_or(is_open)
    }

    /// Whether a LOGIN may succeed as this user.
    pub(crate) fn may_log_in(&self, presented: PresentedSecret, user: usize) -> bool {
        let secret = presented.secret.map(|id| &self.all[id]);
        secret.is_some_and(|secret| secret.user == user && !presented.was_void)
    }

    /// Adds the secret that a LOGIN returned.
    pub(crate) fn give(
        &mut self,
        user: usize,
        secret: &ResumeSecret,
        presented: Option<PresentedSecret>,
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

    /// A session received a reply, so the secret that opened it is used up.
    pub(crate) fn use_up(&mut self, presented: Option<PresentedSecret>) {
        if let Some(id) = presented.and_then(|presented| presented.secret) {
            self.all[id].is_void = true;
        }
    }

    /// Secrets so far.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// A request that voids all secrets of a user was sent.
    pub(crate) fn begin_void(&mut self, user: usize) {
        self.ending.insert(user);
        let chains = self.all.iter().filter(|secret| secret.user == user);
        self.open.extend(chains.map(|secret| secret.chain));
    }

    /// That request succeeded: the user's secrets among the first `before` are void.
    pub(crate) fn void_all(&mut self, user: usize, before: usize) {
        for secret in self.all[..before]
            .iter_mut()
            .filter(|secret| secret.user == user)
        {
            secret.is_void = true;
        }
    }

    /// A LOGOUT was sent.
    pub(crate) fn begin_logout(&mut self, given: Option<SecretId>) {
        self.open.extend(given.map(|id| self.all[id].chain));
    }

    /// A LOGOUT succeeded: the secret of the session is void.
    pub(crate) fn logged_out(&mut self, given: Option<SecretId>) {
        if let Some(id) = given {
            self.all[id].is_void = true;
        }
    }

    /// Storage has a fault, or the clock jumped: it is not known what was written, or how old a secret is.
    pub(crate) fn note_fault(&mut self) {
        self.open.extend(self.all.iter().map(|secret| secret.chain));
    }
}
