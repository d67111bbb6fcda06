//! The login throttle: counts of wrong passwords. Every attempt counts as one until it turns out right.
//!
//! Counts belong to buckets of names, not to names: any number of names can be guessed at, and if the oldest
//! counts were forgotten for new ones, made-up names would wash out the count of a real one. Which names
//! share a bucket is a secret of the process. A name without an account is counted like any other, so
//! the count does not tell which exist.
//!
//! Attempts are counted before the hash, and returned if the password is right. They are counted for each account, for
//! all unknown addresses together, for each address from which the account logged in within 30 days, and for each
//! device from which it did within 90 days. When the budget of the unknown addresses is used up, each of them still has
//! one attempt of its own in the window, so that an owner at a new address gets in.

use super::SlidingWindow;
use super::rate_limit_prefix;
use crate::config::Limits;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// How long wrong passwords are remembered, and the longest wait for them.
pub(super) const LOGIN_WINDOW: Duration = Duration::from_mins(15);
/// The first wait, after the failures that are free. It doubles; from 30 s on, five free attempts and
/// the waits leave a guesser ten attempts in any window.
pub(super) const FIRST_WAIT: Duration = Duration::from_secs(30);

/// Own attempts of newcomers that are remembered, for all accounts together. While so many are, no other
/// newcomer has one. Each took a password's hash, or waits for it, or is taken back: so many are more work
/// than a window of 15 minutes has.
pub(super) const NEWCOMERS: usize = 131_072;

/// One of 65,536 buckets. Two names share one so seldom that it matters only while tens of thousands of names
/// are guessed at, and then only for owners on a new address.
type Bucket = u16;

/// The attempts that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Guesser {
    /// All addresses that are strange to the account.
    Strangers(Bucket),
    /// An address from which the account's owner logged in before: strangers cannot lock it out.
    Known(Bucket),
    /// A device from which the account's owner logged in before, at any address.
    Device(Bucket),
    /// One address, or network, that is strange to the account: its own attempt of a window, when the
    /// strangers' budget is used up.
    Newcomer(Bucket, Bucket),
}

/// An attempt that was counted as a wrong password, and when, by [`Now::running`](crate::clock::Now::running).
#[derive(Clone, Copy, Debug)]
pub(crate) struct CountedAttempt {
    pub(crate) guesser: Guesser,
    pub(crate) at: Duration,
}

/// Counts of wrong passwords.
#[derive(Debug)]
pub(crate) struct LoginThrottle {
    key: [u8; 32],
    failures: HashMap<Guesser, SlidingWindow>,
    /// When each newcomer had its own attempt.
    newcomers: HashMap<Guesser, Duration>,
    /// When counts that are over were last dropped.
    swept: Duration,
}

impl LoginThrottle {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self {
            key,
            failures: HashMap::new(),
            newcomers: HashMap::new(),
            swept: Duration::ZERO,
        }
    }

    /// Attempts at this name, as it is looked up, from addresses that are strange to it.
    pub(crate) fn strangers(&self, name: &str) -> Guesser {
        Guesser::Strangers(self.bucket(name, &[]))
    }

    /// Attempts at it from an address, or a network, that its owner has used.
    pub(crate) fn known(&self, name: &str, address: IpAddr) -> Guesser {
        // No name holds a zero byte, so that no name and address look like another pair.
        let address = format!("\0{}", rate_limit_prefix(address));
        Guesser::Known(self.bucket(name, address.as_bytes()))
    }

    /// Attempts at it from a device that its owner has used, named by the hash of its secret.
    pub(crate) fn device(&self, name: &str, device: &[u8; 32]) -> Guesser {
        // Three zero bytes, so that this is the bucket of no address.
        let device = [&[0; 3], device.as_slice()].concat();
        Guesser::Device(self.bucket(name, &device))
    }

    /// One address, or network, that is strange to this name, by itself.
    pub(crate) fn newcomer(&self, name: &str, address: IpAddr) -> Guesser {
        // Two zero bytes, so that this is the bucket of neither a name nor an address that is known.
        let address = format!("\0\0{}", rate_limit_prefix(address));
        Guesser::Newcomer(self.bucket(name, &[]), self.bucket("", address.as_bytes()))
    }

    fn bucket(&self, name: &str, address: &[u8]) -> Bucket {
        let digest = Sha256::new()
            .chain_update(self.key)
            .chain_update(name)
            .chain_update(address)
            .finalize();
        Bucket::from_be_bytes([digest[0], digest[1]])
    }

    /// How long to wait before the next password; `None` if not at all.
    pub(crate) fn wait(
        &self,
        guesser: Guesser,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        if limits.login_failures == 0 {
            return None;
        }
        let until = if let Guesser::Newcomer(..) = guesser {
            match self.newcomers.get(&guesser) {
                Some(at) => *at + LOGIN_WINDOW,
                None if self.newcomers.len() < NEWCOMERS => now,
                None => now + LOGIN_WINDOW,
            }
        } else {
            free_at(self.failures.get(&guesser)?, now, limits)
        };
        until.checked_sub(now).filter(|wait| !wait.is_zero())
    }

    /// Counts an attempt as a wrong password; [`Self::forgive`] takes it back if it was right, and
    /// [`Self::take_back`] if its hash was never begun. An attempt that was never judged though its hash was
    /// begun, since the worker failed or the connection was cut, stays counted: otherwise hanging up in
    /// time would make guesses free.
    pub(crate) fn count(&mut self, guesser: Guesser, now: Duration, limits: &Limits) {
        if limits.login_failures == 0 {
            return;
        }
        self.sweep(now);
        if let Guesser::Newcomer(..) = guesser {
            self.newcomers.insert(guesser, now);
            return;
        }
        let attempts = self.failures.entry(guesser).or_default();
        attempts.add(now, LOGIN_WINDOW);
    }

    /// Drops counts that are over, once a window.
    pub(crate) fn sweep(&mut self, now: Duration) {
        if now < self.swept + LOGIN_WINDOW {
            return;
        }
        self.swept = now;
        self.failures
            .retain(|_, attempts| !attempts.is_over(now, LOGIN_WINDOW));
        self.failures.shrink_to_fit();
        self.newcomers.retain(|_, at| *at + LOGIN_WINDOW > now);
        self.newcomers.shrink_to_fit();
    }

    /// Takes back what a right password was counted as. Of an address or a device that is the account's own it
    /// forgives everything; of strangers only this attempt, since the others may be a guesser's: an owner on a
    /// new address must not give a guesser a new budget.
    pub(crate) fn forgive(&mut self, guesser: Guesser) {
        let left = match guesser {
            Guesser::Newcomer(..) => {
                self.newcomers.remove(&guesser);
                return;
            }
            Guesser::Known(_) | Guesser::Device(_) => None,
            Guesser::Strangers(_) => self.failures.get_mut(&guesser),
        };
        let left = left.map_or(0, |attempts| {
            attempts.take_back();
            attempts.len()
        });
        if left == 0 {
            self.failures.remove(&guesser);
        }
    }

    /// Takes back an attempt that was counted then, and nothing else: its password's hash was never begun, so
    /// it was no guess.
    pub(crate) fn take_back(&mut self, CountedAttempt { guesser, at }: CountedAttempt) {
        if let Guesser::Newcomer(..) = guesser {
            if self.newcomers.get(&guesser) == Some(&at) {
                self.newcomers.remove(&guesser);
            }
        } else if let Some(attempts) = self.failures.get_mut(&guesser) {
            attempts.take_back_at(at);
            if attempts.len() == 0 {
                self.failures.remove(&guesser);
            }
        }
    }

    /// Forgets what was counted for an account that has a new password: the guesses were about another one.
    /// `addresses` are those that its owner has used. Its devices are no longer known.
    pub(crate) fn forget(&mut self, name: &str, addresses: &[IpAddr]) {
        let bucket = self.bucket(name, &[]);
        self.failures.remove(&Guesser::Strangers(bucket));
        for address in addresses {
            self.failures.remove(&self.known(name, *address));
        }
        self.newcomers
            .retain(|guesser, _| !matches!(guesser, Guesser::Newcomer(of, _) if *of == bucket));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.failures.len() + self.newcomers.len()
    }
}

/// When the next attempt is free, by the attempts of the last window: `login_failures`, and the few that the
/// waits let through.
fn free_at(attempts: &SlidingWindow, now: Duration, limits: &Limits) -> Duration {
    let Some(last) = attempts.last() else {
        return now;
    };
    let recent = attempts.within(now, LOGIN_WINDOW);
    let wait = recent.checked_sub(limits.login_failures).map(|over| {
        let doubled = FIRST_WAIT.saturating_mul(1 << over.min(16));
        doubled.min(LOGIN_WINDOW)
    });
    last + wait.unwrap_or_default()
}
