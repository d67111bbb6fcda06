//! What is remembered over a whole case, also for connections that were lost.

use crate::codes::Codes;
use crate::devices::Devices;
use crate::plan::{OfAccount, OfBot, OfMessage, OfPeople, OfRoom, PlannedRequest, ROOMS, USERS};
use crate::request::{content, edited};
use crate::secrets::Secrets;
use crate::tokens::Tokens;
use echat_server::config::Limits;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What was said and done so far.
#[derive(Default)]
pub(crate) struct Facts {
    /// Messages that were acknowledged.
    pub(crate) acknowledged: BTreeSet<u64>,
    /// The newest message that was stored so far.
    pub(crate) newest: u64,
    /// Each pair of users with a friend request so far.
    pub(crate) asked: BTreeSet<(usize, usize)>,
    /// Requests that ended without their receiver being told.
    pub(crate) vanished: BTreeSet<(usize, usize)>,
    /// How often a content was sent without a transaction id, and how often it was stored.
    sent: BTreeMap<String, usize>,
    stored: BTreeMap<String, usize>,
    /// When requests for friendship of each user were stored, by the clock that runs.
    requested: [Vec<Duration>; USERS.len()],
    /// Messages that a user tried to send, requests for friendship, rooms that one tried to come to or to leave, and logins that
    /// were tried, since the server started.
    attempts: [u64; USERS.len()],
    requests: [u64; USERS.len()],
    /// Tokens for coming to rooms that a user may have spent.
    moves: [u64; USERS.len()],
    /// Bytes and rooms that a user may have stored; a restart does not reset these.
    bytes: [u64; USERS.len()],
    made: [u64; USERS.len()],
    tries: [u64; USERS.len()],
    /// When each user's bucket of messages is full again.
    full_at: [Duration; USERS.len()],
    /// The last tick with a disk in trouble, and the last one in which something may have been done
    /// and undone at once.
    trouble: u64,
    flap: u64,
    /// The last tick before which the clock that people see jumped.
    jump: u64,
    /// Secrets that resume sessions.
    pub(crate) secrets: Secrets,
    /// Secrets of devices.
    pub(crate) devices: Devices,
    /// Codes to register with.
    pub(crate) codes: Codes,
    /// Tokens of bots.
    pub(crate) tokens: Tokens,
    /// The last tick in which an administrator did something, and the one that goes on.
    administered: u64,
    tick: u64,
    /// The last tick in which each user's password changed.
    passwords: [u64; USERS.len()],
    /// Requests of the rate of invitations, kicks, bans and roles that a user may have made.
    manages: [u64; USERS.len()],
    /// The last tick in which sessions of each user began or ended.
    sessions: [u64; USERS.len()],
    /// What was met, and how often.
    pub(crate) met: BTreeMap<String, u64>,
}

impl Facts {
    /// Notes what one of these users is about to say.
    pub(crate) fn say(&mut self, planned: &PlannedRequest, users: &[usize]) {
        match planned {
            PlannedRequest::Send {
                number, size, txn, ..
            } => {
                if !txn {
                    *self.sent.entry(content(*number, *size)).or_default() += 1;
                }
                for user in users {
                    self.attempts[*user] += 1;
                    self.bytes[*user] += content(*number, *size).len() as u64;
                }
            }
            PlannedRequest::Message(of) => {
                let bytes = match of {
                    OfMessage::Edit(_, number) => edited(*number).len(),
                    _ => 0,
                };
                for user in users {
                    self.attempts[*user] += 1;
                    self.bytes[*user] += bytes as u64;
                }
            }
            PlannedRequest::Join(_)
            | PlannedRequest::Create(..)
            | PlannedRequest::Add(..)
            | PlannedRequest::People(OfPeople::Unblock(_))
            | PlannedRequest::Bot(OfBot::Create(..)) => {
                let (comers, made) = match planned {
                    // One is seen again in all rooms that both are in.
                    PlannedRequest::People(_) => (ROOMS.len(), 0),
                    PlannedRequest::Bot(OfBot::Create(_, rooms, _)) => (rooms.len(), 0),
                    PlannedRequest::Create(_, members, _) => (members.len() + 1, 1),
                    PlannedRequest::Add(_, members) => (members.len(), 0),
                    _ => (1, 0),
                };
                for user in users {
                    self.moves[*user] += 2 * comers as u64;
                    self.made[*user] += made;
                }
            }
            PlannedRequest::Account(OfAccount::Away(_))
            | PlannedRequest::Room(
                OfRoom::Set(..)
                | OfRoom::Invite(..)
                | OfRoom::Kick(..)
                | OfRoom::Ban(..)
                | OfRoom::Unban(..)
                | OfRoom::SetRole(..),
            ) => {
                for user in users {
                    self.manages[*user] += 1;
                }
            }
            PlannedRequest::Befriend(_) => {
                for user in users {
                    self.requests[*user] += 1;
                }
            }
            PlannedRequest::Login { user, .. }
            | PlannedRequest::Resume { user, .. }
            | PlannedRequest::Token { bot: user, .. } => self.tries[*user] += 1,
            PlannedRequest::Account(OfAccount::ChangePassword(_) | OfAccount::Delete { .. }) => {
                for user in users {
                    self.tries[*user] += 1;
                }
            }
            _ => {}
        }
    }

    /// Notes a new message; false if there were too many like it, or of its sender.
    pub(crate) fn store(
        &mut self,
        (sender, text, txn): (usize, &str, bool),
        now: Duration,
        limits: &Limits,
    ) -> bool {
        let mut expected = true;
        if !txn {
            let stored = self.stored.entry(text.to_owned()).or_default();
            *stored += 1;
            expected = self.sent.get(text).is_some_and(|sent| *stored <= *sent);
        }
        let Some(each) = u32::try_from(limits.message_rate)
            .ok()
            .filter(|rate| *rate > 0)
        else {
            return expected;
        };
        let each = Duration::from_secs(1) / each;
        let full_at = &mut self.full_at[sender];
        *full_at = now.max(*full_at) + each;
        let burst = u32::try_from(limits.message_burst).expect("small");
        expected && *full_at <= now + each * burst
    }

    /// Notes that a request for friendship was stored; false if there were too many of one user's within
    /// an hour.
    pub(crate) fn request(&mut self, sender: usize, now: Duration, limits: &Limits) -> bool {
        let times = &mut self.requested[sender];
        times.push(now);
        let hour = Duration::from_hours(1);
        let recent = times.iter().filter(|at| **at + hour > now);
        limits.friend_requests == 0 || recent.count() as u64 <= limits.friend_requests
    }

    pub(crate) fn meet(&mut self, what: String) {
        *self.met.entry(what).or_default() += 1;
    }

    /// Whether a user may have used up the rate or the quota of a request.
    pub(crate) fn too_fast(&self, planned: &PlannedRequest, user: usize, limits: &Limits) -> bool {
        let is_over = |most: u64, tried: u64| most > 0 && tried > most;
        let moves = (self.moves[user], 2 * limits.rooms as u64);
        let ((tried, burst), over) = match planned {
            PlannedRequest::Join(_)
            | PlannedRequest::Add(..)
            | PlannedRequest::People(OfPeople::Unblock(_))
            | PlannedRequest::Bot(OfBot::Create(..)) => (moves, false),
            PlannedRequest::Create(..) => (moves, is_over(limits.rooms_a_day, self.made[user])),
            PlannedRequest::Send { .. } | PlannedRequest::Message(_) => (
                (self.attempts[user], limits.message_burst),
                is_over(limits.user_bytes_a_day, self.bytes[user]),
            ),
            PlannedRequest::Account(OfAccount::Away(_)) | PlannedRequest::Room(_) => {
                ((self.manages[user], limits.message_burst), false)
            }
            PlannedRequest::Befriend(_) => {
                return is_over(limits.friend_requests, self.requests[user]);
            }
            _ => return false,
        };
        over || limits.message_rate > 0 && tried > burst
    }

    /// What voids the devices of a user has an answer: with `void`, so many of all are void if they are the user's.
    pub(crate) fn end_devices(&mut self, user: usize, void: Option<usize>) {
        self.devices.ended(user, self.tick, void);
    }

    pub(crate) fn tries(&self, user: usize) -> u64 {
        self.tries[user]
    }

    /// The server restarted and counts from zero.
    pub(crate) fn restart(&mut self) {
        self.attempts = Default::default();
        self.requests = Default::default();
        self.requested = Default::default();
        self.moves = Default::default();
        self.manages = Default::default();
        self.tries = Default::default();
        self.full_at = Default::default();
        self.devices.restart();
    }

    /// A message is hidden, or gone with its room: it is no longer expected to be there.
    pub(crate) fn remove(&mut self, id: u64) {
        self.acknowledged.remove(&id);
    }

    pub(crate) fn changed_password(&mut self, user: usize) {
        self.passwords[user] = self.tick;
    }

    /// Whether another password may have been right since a tick.
    pub(crate) fn password_changed_since(&self, user: usize, tick: u64) -> bool {
        self.passwords[user] >= tick
    }

    /// Sessions of a user began or ended.
    pub(crate) fn moved(&mut self, user: usize, tick: u64) {
        self.sessions[user] = tick;
    }

    /// Whether sessions of a user may have begun or ended since a tick.
    pub(crate) fn moved_since(&self, user: usize, tick: u64) -> bool {
        self.sessions[user] > tick
    }

    pub(crate) fn begin(&mut self, tick: u64) {
        self.tick = tick;
    }

    /// An administrator does something before a tick.
    pub(crate) fn administer(&mut self, tick: u64) {
        self.administered = tick;
    }

    pub(crate) fn administers(&self) -> bool {
        self.administered == self.tick
    }

    pub(crate) fn trouble(&mut self, tick: u64) {
        self.trouble = tick;
        self.secrets.trouble();
    }

    pub(crate) fn troubled_since(&self, tick: u64) -> bool {
        self.trouble >= tick
    }

    pub(crate) fn jump(&mut self, tick: u64) {
        self.jump = tick;
        self.secrets.trouble();
    }

    pub(crate) fn jumped_since(&self, tick: u64) -> bool {
        self.jump >= tick
    }

    pub(crate) fn flap(&mut self, tick: u64) {
        self.flap = tick;
    }

    pub(crate) fn flapped_since(&self, tick: u64) -> bool {
        self.flap >= tick
    }
}
