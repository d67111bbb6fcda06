//! Resumed sessions: LOGIN_BUNDLE has a secret that logs in once in place of the password (PROTOCOL.md, section 5.8).
//!
//! A secret is 16 bytes that name its chain and 16 new ones. The secrets of a chain follow each other: each opens a
//! session, which is given the next one. So one row remembers all of them: a secret of the chain that is neither the
//! current one nor the one before was used, and the session that it opened has sent a request. Then another client has
//! a copy, and the chain ends with its sessions. ("Improved Persistent Login Cookie Best Practice", Barry Jaspan,
//! 2006.)
//!
//! Only hashes are stored. A secret has 128 new random bits, so trying them all is impossible, and SHA-256 is
//! sufficient: a slow hash protects texts that people choose.
//!
//! One row is sufficient for a chain of any length, and new secrets cannot push out the memory of a stolen one.

use super::{Ctx, DeferredWrite};
use crate::clock::HOUR;
use crate::conn::ConnId;
use crate::roster::{ResumedSession, SessionSecret};
use crate::storage::{
    Chain, ChainChange, ChainId, ChainWrite, IssuedSecret, SecretHash, StoreError, UserId,
};
use echat_proto::names::ResumeSecret;
use rand::Rng;
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a secret that all secrets of its chain share.
const SHARED: usize = 16;

/// A secret that a client presented.
pub(crate) struct PresentedSecret {
    /// The first half of the secret: a resumed session gives it on.
    shared: Zeroizing<[u8; SHARED]>,
    pub(super) chain: ChainId,
    hash: SecretHash,
}

/// Shows nothing of the secret.
impl fmt::Debug for PresentedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedSecret").finish_non_exhaustive()
    }
}

impl PresentedSecret {
    /// What was presented. A text of another form is no secret, and is looked up like one.
    pub(super) fn of(secret: &ResumeSecret) -> Self {
        let bytes = secret.bytes().unwrap_or_default();
        let mut shared = Zeroizing::new([0; SHARED]);
        shared.copy_from_slice(&bytes[..SHARED]);
        Self {
            chain: chain_id(&shared),
            hash: Sha256::digest(*bytes).into(),
            shared,
        }
    }
}

fn chain_id(shared: &[u8; SHARED]) -> ChainId {
    let digest: SecretHash = Sha256::digest(shared).into();
    *digest
        .first_chunk()
        .expect("SHA-256 has 32 bytes, an id 16")
}

/// What a presented secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// No secret of the user, or one that has expired.
    Unknown,
    /// It opens a session.
    Good {
        /// When it was issued.
        issued_at: i64,
        /// The secret of the session that it has opened before. That session has sent no request: its answer was lost.
        replaced: Option<SecretHash>,
    },
    /// It opened a session that has sent a request.
    Reused,
}

/// Judges a presented secret.
pub(super) fn judge(
    ctx: &Ctx<'_, '_>,
    user: UserId,
    presented: &PresentedSecret,
) -> Result<Judgement, StoreError> {
    let found = chain(ctx, user, &presented.chain)?;
    let issued_after = expired(ctx);
    let good = |secret: IssuedSecret, replaced| {
        if secret.issued_at > issued_after {
            Judgement::Good {
                issued_at: secret.issued_at,
                replaced,
            }
        } else {
            Judgement::Unknown
        }
    };
    let sessions: Vec<_> = ctx.roster.resumed(user, &presented.chain).collect();
    let Some(Chain { current, previous }) = found else {
        // The chain has expired. A session that it opened may still be there.
        let is_confirmed = sessions.iter().any(|session| session.is_confirmed);
        let is_current = |session: &ResumedSession| session.issued == presented.hash;
        let was_used = is_confirmed && !sessions.iter().any(is_current);
        return Ok(if was_used {
            Judgement::Reused
        } else {
            Judgement::Unknown
        });
    };
    if presented.hash == current.hash {
        return Ok(good(current, None));
    }
    let mut newest = sessions
        .iter()
        .filter(|session| session.issued == current.hash);
    let is_confirmed = newest.any(|session| session.is_confirmed);
    let retried = previous.filter(|used| used.hash == presented.hash && !is_confirmed);
    Ok(retried.map_or(Judgement::Reused, |used| good(used, Some(current.hash))))
}

/// A chain as it is, with the changes that are not written yet.
fn chain(ctx: &Ctx<'_, '_>, user: UserId, chain: &ChainId) -> Result<Option<Chain>, StoreError> {
    let stored = ctx.batch.chain(user, chain)?;
    Ok(ctx.deferred_writes.applied(user, chain, stored))
}

/// Secrets issued then or before have expired.
fn expired(ctx: &Ctx<'_, '_>) -> i64 {
    let hours = i64::try_from(ctx.limits.resume_hours).unwrap_or(i64::MAX);
    ctx.now.unix.saturating_sub(hours.saturating_mul(HOUR))
}

/// The secret of a session that begins on this connection, and the note of it for the roster. `opened_by` is the secret
/// that opened the session, if one did. The secret is stored before LOGIN_BUNDLE leaves.
pub(super) fn issue(
    ctx: &mut Ctx<'_, '_>,
    user: UserId,
    opened_by: Option<(&PresentedSecret, i64)>,
) -> Option<(ResumeSecret, SessionSecret)> {
    if ctx.limits.resume_hours == 0 {
        // All secrets of earlier settings have expired.
        let prune = DeferredWrite::PruneChains(expired(ctx));
        ctx.deferred_writes.push(prune);
        return None;
    }
    let mut bytes = Zeroizing::new([0; ResumeSecret::BYTES]);
    ctx.random.fill_bytes(&mut *bytes);
    if let Some((presented, _)) = opened_by {
        bytes[..SHARED].copy_from_slice(&*presented.shared);
    }
    let mut shared = Zeroizing::new([0; SHARED]);
    shared.copy_from_slice(&bytes[..SHARED]);
    let chain = chain_id(&shared);
    let next = IssuedSecret {
        hash: Sha256::digest(*bytes).into(),
        issued_at: ctx.now.unix,
    };
    let change = match opened_by {
        Some((presented, issued_at)) => ChainChange::Renew {
            used: IssuedSecret {
                hash: presented.hash,
                issued_at,
            },
            next,
        },
        None => ChainChange::Begin {
            current: next,
            expired: expired(ctx),
        },
    };
    push(ctx, user, chain, change);
    let session = SessionSecret {
        chain,
        issued: next.hash,
        is_resumed: opened_by.is_some(),
    };
    Some((ResumeSecret::from_bytes(&bytes), session))
}

/// The sessions that were opened with a chain's secrets; only the one that was given `issued`, if that is said.
pub(super) fn sessions(
    ctx: &Ctx<'_, '_>,
    user: UserId,
    chain: &ChainId,
    issued: Option<&SecretHash>,
) -> Vec<ConnId> {
    let sessions = ctx.roster.resumed(user, chain);
    sessions
        .filter(|session| issued.is_none_or(|issued| session.issued == *issued))
        .map(|session| session.conn)
        .collect()
}

/// Revokes a chain.
pub(super) fn revoke(ctx: &mut Ctx<'_, '_>, user: UserId, chain: ChainId) {
    push(ctx, user, chain, ChainChange::Revoke);
}

/// The secret that this connection's session was given, with its chain.
pub(super) fn of_session(ctx: &Ctx<'_, '_>) -> Option<(ChainId, SecretHash)> {
    let session = ctx.roster.secret_of(ctx.conn)?;
    Some((session.chain, session.issued))
}

/// Whether the secret that a session was given was presented since: its chain is stored and has a later secret.
pub(super) fn was_used(
    ctx: &Ctx<'_, '_>,
    user: UserId,
    (of, issued): (ChainId, SecretHash),
) -> Result<bool, StoreError> {
    match chain(ctx, user, &of) {
        // A chain that cannot be read is revoked.
        Err(StoreError::Damaged(_)) => Ok(true),
        found => Ok(found?.is_some_and(|chain| chain.current.hash != issued)),
    }
}

/// Revokes the secret of a session that ends by LOGOUT.
pub(super) fn leave(ctx: &mut Ctx<'_, '_>, user: UserId, secret: Option<(ChainId, SecretHash)>) {
    if let Some((chain, issued)) = secret {
        push(ctx, user, chain, ChainChange::Leave(issued));
    }
}

/// Revokes all secrets of a user: for a changed password, a deleted or suspended account, other sessions that are
/// ended.
pub(super) fn revoke_secrets(ctx: &mut Ctx<'_, '_>, user: UserId) {
    ctx.roster.forget_secrets(user, None);
    ctx.deferred_writes.push(DeferredWrite::RevokeChains(user));
}

fn push(ctx: &mut Ctx<'_, '_>, user: UserId, chain: ChainId, change: ChainChange) {
    let write = ChainWrite {
        user,
        chain,
        change,
    };
    ctx.deferred_writes.push(DeferredWrite::Chain(write));
}
