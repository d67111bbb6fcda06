//! Tracks device secrets from requests and replies alone, without the database (except in [`Devices::check_stored`]).
//! By PROTOCOL.md, section 5.9, the server must recognise a device, must not, or may do either.

use crate::fail;
use crate::plan::USERS;
use echat_proto::names::DeviceSecret;
use sha2::{Digest, Sha256};

/// Index of a device, in the order in which clients received the secrets.
pub(crate) type DeviceId = usize;

/// How long an unused device is remembered, in seconds.
const KNOWN_SECONDS: i64 = 90 * 86_400;
/// Devices that are remembered for each user.
const MAX_DEVICES: u64 = 20;

/// A device whose secret a client has received.
#[derive(Debug)]
struct Device {
    user: usize,
    text: DeviceSecret,
    state: Validity,
    /// The last use lies between these unix times.
    used: (i64, i64),
    /// Whether more than 90 days may have passed since: the device may be forgotten.
    may_be_forgotten: bool,
    /// Unanswered logins that present it.
    unanswered: usize,
    /// Upper bound of the password attempts that were counted for it since the server started.
    attempts: u64,
}

/// Whether a new password or the deletion of the account made a device void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Validity {
    Valid,
    Unknown,
    Void,
}

/// A device that a LOGIN presents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PresentedDevice {
    pub(crate) device: DeviceId,
    /// Whether it was certainly void or forgotten when it was sent.
    was_unknown: bool,
}

/// Whether the server must recognise a presented device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recognition {
    Known,
    Unknown,
    Undetermined,
}

/// When a login was sent and answered.
#[derive(Clone, Copy)]
pub(crate) struct LoginTiming {
    /// The tick before it was sent.
    pub(crate) tick: u64,
    /// The unix time when it was sent, and when it was answered.
    pub(crate) unix: (i64, i64),
    /// Whether the wall clock jumped in between.
    pub(crate) jumped: bool,
    /// Whether a storage fault was active in between.
    pub(crate) storage_faulty: bool,
}

/// All devices of a case.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    all: Vec<Device>,
    /// Logins of each user that were not refused.
    logins: [u64; USERS.len()],
    /// How many of them were answered.
    answered: [u64; USERS.len()],
    /// Unanswered requests of each user that make all devices void.
    voiding: [usize; USERS.len()],
    /// The tick of the last answer to such a request.
    voided: [u64; USERS.len()],
    /// Attempts at the own password, in sessions of unrecognised devices.
    own_attempts: [u64; USERS.len()],
}

impl Devices {
    /// Devices so far.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// A user is about to log in with a device, which may belong to another user.
    pub(crate) fn present(
        &mut self,
        user: usize,
        device: Option<DeviceId>,
        unix: i64,
    ) -> Option<(String, PresentedDevice)> {
        self.logins[user] += 1;
        let id = device?;
        let device = &mut self.all[id];
        let is_old = device.unanswered == 0 && unix.saturating_sub(device.used.1) > KNOWN_SECONDS;
        device.unanswered += 1;
        device.attempts += 1;
        let presented = PresentedDevice {
            device: id,
            was_unknown: device.state == Validity::Void || is_old || device.user != user,
        };
        Some((device.text.to_text(), presented))
    }

    /// Whether the server must recognise a device of a user.
    pub(crate) fn recognition(
        &self,
        user: usize,
        presented: Option<PresentedDevice>,
        jumped: bool,
    ) -> Recognition {
        let Some(presented) = presented else {
            return Recognition::Unknown;
        };
        let device = &self.all[presented.device];
        let has_place = self.logins[user] <= MAX_DEVICES;
        if device.user != user || presented.was_unknown && !jumped {
            Recognition::Unknown
        } else if device.state == Validity::Valid
            && !device.may_be_forgotten
            && has_place
            && !jumped
        {
            Recognition::Known
        } else {
            Recognition::Undetermined
        }
    }

    /// A login was refused.
    pub(crate) fn refuse(&mut self, user: usize, presented: Option<PresentedDevice>) {
        self.logins[user] -= 1;
        if let Some(presented) = presented {
            self.all[presented.device].unanswered -= 1;
        }
    }

    /// A login received the secret of its device.
    pub(crate) fn give(
        &mut self,
        user: usize,
        presented: Option<PresentedDevice>,
        text: &DeviceSecret,
        timing: LoginTiming,
    ) -> Result<Option<DeviceId>, String> {
        let recognition = self.recognition(user, presented, timing.jumped);
        self.answered[user] += 1;
        if let Some(presented) = presented {
            self.all[presented.device].unanswered -= 1;
        }
        if text.is_none() {
            return if timing.storage_faulty {
                Ok(None)
            } else {
                fail("a login gives no secret of a device")
            };
        }
        let (from, to) = timing.unix;
        let moments = if timing.jumped {
            (i64::MIN, i64::MAX)
        } else {
            (from, to)
        };
        let same = presented.filter(|presented| self.all[presented.device].text == *text);
        match (recognition, same) {
            (Recognition::Known, None) => fail("a device that is known has another secret"),
            (Recognition::Unknown, Some(_)) => fail("a device is known that must not be"),
            (_, Some(PresentedDevice { device: id, .. })) => {
                let device = &mut self.all[id];
                // The use of the device may not have been written.
                let from = if timing.storage_faulty {
                    device.used.0
                } else {
                    moments.0
                };
                device.used = (from, moments.1);
                device.may_be_forgotten &= timing.storage_faulty;
                Ok(Some(id))
            }
            (_, None) if self.all.iter().any(|device| device.text == *text) => {
                fail("the secret of a device is given twice")
            }
            (_, None) => {
                if text.bytes().is_none() {
                    return fail("what is given has not the form of a secret");
                }
                let may_be_void = self.voiding[user] > 0 || self.voided[user] >= timing.tick;
                self.all.push(Device {
                    user,
                    text: text.clone(),
                    state: if may_be_void {
                        Validity::Unknown
                    } else {
                        Validity::Valid
                    },
                    used: moments,
                    may_be_forgotten: false,
                    unanswered: 0,
                    attempts: 0,
                });
                Ok(Some(self.all.len() - 1))
            }
        }
    }

    /// Updates all devices to the present time.
    pub(crate) fn age(&mut self, unix: i64) {
        for device in &mut self.all {
            device.may_be_forgotten |= unix.saturating_sub(device.used.0) > KNOWN_SECONDS;
        }
    }

    /// A request that makes all devices of a user void was sent.
    pub(crate) fn begin_void(&mut self, user: usize) {
        self.voiding[user] += 1;
        for device in self.all.iter_mut().filter(|device| device.user == user) {
            if device.state == Validity::Valid {
                device.state = Validity::Unknown;
            }
        }
    }

    /// That request was answered. If it succeeded, the first `void` devices are void as far as they are the user's.
    pub(crate) fn void_answered(&mut self, user: usize, tick: u64, void: Option<usize>) {
        self.voiding[user] = self.voiding[user].saturating_sub(1);
        self.voided[user] = tick;
        for device in &mut self.all[..void.unwrap_or(0)] {
            if device.user == user {
                device.state = Validity::Void;
            }
        }
    }

    /// One of these users is about to present the own password in a session. The device of the session is used if the
    /// user is certain.
    pub(crate) fn attempt_own(&mut self, users: &[usize], device: Option<DeviceId>) {
        match (users, device) {
            ([_], Some(id)) => self.all[id].attempts += 1,
            _ => users.iter().for_each(|user| self.own_attempts[*user] += 1),
        }
    }

    /// Upper bound of the password attempts that were counted for a device.
    pub(crate) fn attempts(&self, id: DeviceId) -> u64 {
        let device = &self.all[id];
        device.attempts + self.own_attempts[device.user]
    }

    /// The server restarted, and its counters with it.
    pub(crate) fn restart(&mut self) {
        self.own_attempts = Default::default();
        self.all.iter_mut().for_each(|device| device.attempts = 0);
    }

    /// Checks the rows of a quiescent database: the user, and the hash of the secret.
    pub(crate) fn check_stored(&self, rows: &[(usize, Vec<u8>)]) -> Result<(), String> {
        for user in 0..USERS.len() {
            let stored = rows.iter().filter(|(of, _)| *of == user);
            if stored.clone().count() as u64 > MAX_DEVICES {
                return fail("more devices of a user are known than may be");
            }
            let mut unheard = 0;
            for (_, stored) in stored {
                let mut own = self.all.iter().filter(|device| device.user == user);
                match own.find(|device| device.is_stored_as(stored)) {
                    Some(device) if device.state == Validity::Void => {
                        return fail("a device is stored that is void");
                    }
                    Some(_) => {}
                    None => unheard += 1,
                }
            }
            if unheard > self.logins[user] - self.answered[user] {
                return fail("something is stored that is no hash of the secret of a device");
            }
        }
        Ok(())
    }
}

impl Device {
    fn is_stored_as(&self, stored: &[u8]) -> bool {
        let bytes = self.text.bytes().expect("it was looked at");
        Sha256::digest(*bytes).as_slice() == stored
    }
}
