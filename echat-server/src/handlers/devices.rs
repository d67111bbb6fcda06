//! Devices: LOGIN_BUNDLE has a secret by which the server knows a client again (PROTOCOL.md, section 5.9).
//!
//! The secret does not log in. A login that presents it is counted by itself in the login throttle, so that guesses
//! from the same address do not lock its owner out.

use super::{Ctx, DeferredWrite};
use crate::storage::{KNOWN_DEVICE, SecretHash, StoreError, UserId};
use echat_proto::names::DeviceSecret;
use rand::Rng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A secret that a client presented.
#[derive(Debug)]
pub(crate) struct PresentedDevice {
    secret: DeviceSecret,
    pub(super) hash: SecretHash,
}

impl PresentedDevice {
    /// What was presented; `None` for a text of another form.
    pub(super) fn of(secret: DeviceSecret) -> Option<Self> {
        let hash = Sha256::digest(*secret.bytes()?).into();
        Some(Self { secret, hash })
    }
}

/// Whether a user logged in from a device in the last 90 days. Damage of the notes of it locks no user out.
pub(super) fn is_known(
    ctx: &Ctx<'_, '_>,
    user: UserId,
    device: &PresentedDevice,
) -> Result<bool, StoreError> {
    let since = ctx.now.unix - KNOWN_DEVICE;
    match ctx.batch.knows_device(user, &device.hash, since) {
        Err(StoreError::Damaged(_)) => Ok(false),
        known => known,
    }
}

/// The secret of the device of a login, and its hash: the presented one if it is known, else a new one, which is stored
/// before LOGIN_BUNDLE leaves.
pub(super) fn issue(
    ctx: &mut Ctx<'_, '_>,
    user: UserId,
    known: Option<&PresentedDevice>,
) -> (DeviceSecret, SecretHash) {
    if let Some(device) = known {
        let note = DeferredWrite::NoteDevice(user, device.hash, ctx.now.unix);
        ctx.deferred_writes.push(note);
        return (device.secret.clone(), device.hash);
    }
    let mut bytes = Zeroizing::new([0; DeviceSecret::BYTES]);
    ctx.random.fill_bytes(&mut *bytes);
    let hash = Sha256::digest(*bytes).into();
    let new = DeferredWrite::NewDevice(user, hash, ctx.now.unix);
    ctx.deferred_writes.push(new);
    (DeviceSecret::from_bytes(&bytes), hash)
}
