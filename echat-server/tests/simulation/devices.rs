//! What is known of the secrets of devices, from what clients said and heard. It knows no row of the database but in
//! [`Devices::hold`]: the server must know a device, or must not, by the rules of PROTOCOL.md, section 5.9, or the rules
//! leave it open.

use crate::fail;
use crate::plan::USERS;
use echat_proto::names::DeviceSecret;
use sha2::{Digest, Sha256};

/// A device, by the order in which clients heard of their secrets.
pub(crate) type DeviceId = usize;

/// How long an unused device is known, in seconds.
const KNOWN: i64 = 90 * 86_400;
/// Devices of a user that are known.
const MOST: u64 = 20;

/// A device that a client was told the secret of.
#[derive(Debug)]
struct Device {
    user: usize,
    text: DeviceSecret,
    state: State,
    /// It was used last between these times, in unix seconds.
    used: (i64, i64),
    /// Whether more than 90 days may have gone by since: it may be forgotten for good.
    may_be_forgotten: bool,
    /// Logins that presented it and have no answer.
    unanswered: usize,
    /// Tries at passwords that were counted for it since the server started, at most.
    tries: u64,
}

/// Whether a user's change of the password, or the end of the account, voided a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    Open,
    Void,
}

/// A device that a LOGIN presents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presented {
    pub(crate) device: DeviceId,
    /// Whether it was surely void or forgotten before.
    was_unknown: bool,
}

/// Whether the server knows a device that is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knows {
    Yes,
    No,
    Perhaps,
}

/// When a login was asked for and answered.
#[derive(Clone, Copy)]
pub(crate) struct Answered {
    /// The tick before it was asked.
    pub(crate) tick: u64,
    /// What the clock that people see said then, and says now.
    pub(crate) unix: (i64, i64),
    /// Whether that clock jumped between.
    pub(crate) jumped: bool,
    /// Whether the disk was in trouble.
    pub(crate) troubled: bool,
}

/// All devices of a case.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    all: Vec<Device>,
    /// Logins of each user that were not refused, and those of them that were answered.
    logins: [u64; USERS.len()],
    answered: [u64; USERS.len()],
    /// Requests of each user that void the devices and have no answer, and the tick of the last answer to one.
    ending: [usize; USERS.len()],
    ended: [u64; USERS.len()],
    /// Tries at their own password, of sessions with a device that is not known.
    own_tries: [u64; USERS.len()],
}

impl Devices {
    /// How many were given so far.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// A user is about to log in, and presents a device, perhaps another user's.
    pub(crate) fn present(
        &mut self,
        user: usize,
        device: Option<DeviceId>,
        unix: i64,
    ) -> Option<(String, Presented)> {
        self.logins[user] += 1;
        let id = device?;
        let device = &mut self.all[id];
        let is_old = device.unanswered == 0 && unix.saturating_sub(device.used.1) > KNOWN;
        device.unanswered += 1;
        device.tries += 1;
        let presented = Presented {
            device: id,
            was_unknown: device.state == State::Void || is_old || device.user != user,
        };
        Some((device.text.to_text(), presented))
    }

    /// Whether the server knows a device of a user.
    pub(crate) fn knows(&self, user: usize, presented: Option<Presented>, jumped: bool) -> Knows {
        let Some(presented) = presented else {
            return Knows::No;
        };
        let device = &self.all[presented.device];
        let has_place = self.logins[user] <= MOST;
        if device.user != user || presented.was_unknown && !jumped {
            Knows::No
        } else if device.state == State::Good && !device.may_be_forgotten && has_place && !jumped {
            Knows::Yes
        } else {
            Knows::Perhaps
        }
    }

    /// A login was refused.
    pub(crate) fn refuse(&mut self, user: usize, presented: Option<Presented>) {
        self.logins[user] -= 1;
        if let Some(presented) = presented {
            self.all[presented.device].unanswered -= 1;
        }
    }

    /// A login was told the secret of its device.
    pub(crate) fn give(
        &mut self,
        user: usize,
        presented: Option<Presented>,
        text: &DeviceSecret,
        answered: Answered,
    ) -> Result<Option<DeviceId>, String> {
        let knows = self.knows(user, presented, answered.jumped);
        self.answered[user] += 1;
        if let Some(presented) = presented {
            self.all[presented.device].unanswered -= 1;
        }
        if text.is_none() {
            return if answered.troubled {
                Ok(None)
            } else {
                fail("a login gives no secret of a device")
            };
        }
        let (from, to) = answered.unix;
        let moments = if answered.jumped {
            (i64::MIN, i64::MAX)
        } else {
            (from, to)
        };
        let same = presented.filter(|presented| self.all[presented.device].text == *text);
        match (knows, same) {
            (Knows::Yes, None) => fail("a device that is known has another secret"),
            (Knows::No, Some(_)) => fail("a device is known that must not be"),
            (_, Some(Presented { device: id, .. })) => {
                let device = &mut self.all[id];
                // The use of a device may not have been noted.
                let from = if answered.troubled {
                    device.used.0
                } else {
                    moments.0
                };
                device.used = (from, moments.1);
                device.may_be_forgotten &= answered.troubled;
                Ok(Some(id))
            }
            (_, None) if self.all.iter().any(|device| device.text == *text) => {
                fail("the secret of a device is given twice")
            }
            (_, None) => {
                if text.bytes().is_none() {
                    return fail("what is given has not the form of a secret");
                }
                let may_be_void = self.ending[user] > 0 || self.ended[user] >= answered.tick;
                self.all.push(Device {
                    user,
                    text: text.clone(),
                    state: if may_be_void {
                        State::Open
                    } else {
                        State::Good
                    },
                    used: moments,
                    may_be_forgotten: false,
                    unanswered: 0,
                    tries: 0,
                });
                Ok(Some(self.all.len() - 1))
            }
        }
    }

    /// Time goes by.
    pub(crate) fn age(&mut self, unix: i64) {
        for device in &mut self.all {
            device.may_be_forgotten |= unix.saturating_sub(device.used.0) > KNOWN;
        }
    }

    /// A user is about to void all devices.
    pub(crate) fn end_all(&mut self, user: usize) {
        self.ending[user] += 1;
        for device in self.all.iter_mut().filter(|device| device.user == user) {
            if device.state == State::Good {
                device.state = State::Open;
            }
        }
    }

    /// The answer to this: if it was done, the devices that were given before it was asked are void.
    pub(crate) fn ended(&mut self, user: usize, tick: u64, void: Option<usize>) {
        self.ending[user] = self.ending[user].saturating_sub(1);
        self.ended[user] = tick;
        for device in &mut self.all[..void.unwrap_or(0)] {
            if device.user == user {
                device.state = State::Void;
            }
        }
    }

    /// One of these users is about to try the own password, in a session of a device, if that is known.
    pub(crate) fn try_own(&mut self, users: &[usize], device: Option<DeviceId>) {
        match (users, device) {
            ([_], Some(id)) => self.all[id].tries += 1,
            _ => users.iter().for_each(|user| self.own_tries[*user] += 1),
        }
    }

    /// Tries at the password of a user that were counted for a device, at most.
    pub(crate) fn tries(&self, id: DeviceId) -> u64 {
        let device = &self.all[id];
        device.tries + self.own_tries[device.user]
    }

    /// The server restarted and counts from zero.
    pub(crate) fn restart(&mut self) {
        self.own_tries = Default::default();
        self.all.iter_mut().for_each(|device| device.tries = 0);
    }

    /// Judges the rows of a database at rest, by user and what is stored of the secret.
    pub(crate) fn hold(&self, rows: &[(usize, Vec<u8>)]) -> Result<(), String> {
        for user in 0..USERS.len() {
            let stored = rows.iter().filter(|(of, _)| *of == user);
            if stored.clone().count() as u64 > MOST {
                return fail("more devices of a user are known than may be");
            }
            let mut unheard = 0;
            for (_, stored) in stored {
                let mut own = self.all.iter().filter(|device| device.user == user);
                match own.find(|device| device.is_stored_as(stored)) {
                    Some(device) if device.state == State::Void => {
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
