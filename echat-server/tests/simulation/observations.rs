//! What a case has observed so far, including connections that are closed: acknowledged messages, secrets, and upper
//! bounds of what rate limits may have counted.

use crate::devices::Devices;
use crate::invitation_codes::InvitationCodes;
use crate::plan::{
    AccountRequest, BotRequest, MessageRequest, PeopleRequest, PlannedRequest, ROOMS, RoomRequest,
    USERS,
};
use crate::request::{content, edited};
use crate::secrets::Secrets;
use crate::tokens::Tokens;
use echat_server::config::Limits;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Observations of one case.
#[derive(Default)]
pub(crate) struct Observations {
    /// Messages that were acknowledged.
    pub(crate) acknowledged: BTreeSet<u64>,
    /// The newest message that was ever stored.
    pub(crate) newest: u64,
    /// Pairs of users (sender, receiver) with a friend request at any time.
    pub(crate) friend_requests: BTreeSet<(usize, usize)>,
    /// Requests that ended without an event for the receiver.
    pub(crate) vanished: BTreeSet<(usize, usize)>,
    /// How often each content was sent without a transaction id.
    sent_without_txn: BTreeMap<String, usize>,
    /// How often each content was stored without a transaction id.
    stored_without_txn: BTreeMap<String, usize>,
    /// When friend requests of each user were stored, on the monotonic clock.
    friend_requests_stored: [Vec<Duration>; USERS.len()],
    /// Messages and changes of messages that each user may have sent since the server started.
    message_attempts: [u64; USERS.len()],
    /// Friend requests that each user may have sent since the server started.
    friend_request_attempts: [u64; USERS.len()],
    /// Tokens for joining rooms that each user may have spent.
    room_tokens: [u64; USERS.len()],
    /// Bytes that each user may have stored. A restart does not reset them.
    bytes: [u64; USERS.len()],
    /// Rooms that each user may have created. A restart does not reset them.
    rooms_created: [u64; USERS.len()],
    /// Password attempts for each user since the server started.
    login_attempts: [u64; USERS.len()],
    /// When each user's bucket of messages is full again.
    full_at: [Duration; USERS.len()],
    /// The last tick with a storage fault.
    storage_fault: u64,
    /// The last tick whose requests may have reverted each other.
    ambiguity: u64,
    /// The last tick before which the wall clock jumped.
    clock_jump: u64,
    /// Secrets that resume sessions.
    pub(crate) secrets: Secrets,
    /// Secrets of devices.
    pub(crate) devices: Devices,
    /// Invitation codes.
    pub(crate) codes: InvitationCodes,
    /// Tokens of bots.
    pub(crate) tokens: Tokens,
    /// The last tick in which an administrator acted.
    administered: u64,
    /// The present tick.
    tick: u64,
    /// The last tick in which each user's password changed.
    passwords: [u64; USERS.len()],
    /// Requests of each user that count towards the rate of invitations, kicks, bans, roles and settings.
    room_administration: [u64; USERS.len()],
    /// The last tick in which sessions of each user began or ended.
    sessions: [u64; USERS.len()],
    /// How often each situation occurred; see [`crate::coverage`].
    pub(crate) coverage: BTreeMap<String, u64>,
}

impl Observations {
    /// Notes a request that one of these users is about to send.
    pub(crate) fn note_request(&mut self, planned: &PlannedRequest, users: &[usize]) {
        match planned {
            PlannedRequest::Send {
                number, size, txn, ..
            } => {
                if !txn {
                    *self
                        .sent_without_txn
                        .entry(content(*number, *size))
                        .or_default() += 1;
                }
                for user in users {
                    self.message_attempts[*user] += 1;
                    self.bytes[*user] += content(*number, *size).len() as u64;
                }
            }
            PlannedRequest::Message(of) => {
                let bytes = match of {
                    MessageRequest::Edit(_, number) => edited(*number).len(),
                    _ => 0,
                };
                for user in users {
                    self.message_attempts[*user] += 1;
                    self.bytes[*user] += bytes as u64;
                }
            }
            PlannedRequest::Join(_)
            | PlannedRequest::Create(..)
            | PlannedRequest::Add(..)
            | PlannedRequest::People(PeopleRequest::Unblock(_))
            | PlannedRequest::Bot(BotRequest::Create(..)) => {
                let is_new = matches!(planned, PlannedRequest::Create(..));
                for user in users {
                    self.room_tokens[*user] += 2 * joins(planned) as u64;
                    self.rooms_created[*user] += u64::from(is_new);
                }
            }
            PlannedRequest::Account(AccountRequest::Away(_))
            | PlannedRequest::Room(
                RoomRequest::Set(..)
                | RoomRequest::Invite(..)
                | RoomRequest::Kick(..)
                | RoomRequest::Ban(..)
                | RoomRequest::Unban(..)
                | RoomRequest::SetRole(..),
            ) => {
                for user in users {
                    self.room_administration[*user] += 1;
                }
            }
            PlannedRequest::Befriend(_) => {
                for user in users {
                    self.friend_request_attempts[*user] += 1;
                }
            }
            PlannedRequest::Login { user, .. }
            | PlannedRequest::Resume { user, .. }
            | PlannedRequest::Token { bot: user, .. } => self.login_attempts[*user] += 1,
            PlannedRequest::Account(
                AccountRequest::ChangePassword(_) | AccountRequest::Delete { .. },
            ) => {
                for user in users {
                    self.login_attempts[*user] += 1;
                }
            }
            _ => {}
        }
    }

    /// Notes a new message. False if its content was stored more often than sent, or if its sender exceeded the rate.
    pub(crate) fn note_message(
        &mut self,
        (sender, text, txn): (usize, &str, bool),
        now: Duration,
        limits: &Limits,
    ) -> bool {
        let mut expected = true;
        if !txn {
            let stored = self.stored_without_txn.entry(text.to_owned()).or_default();
            *stored += 1;
            expected = self
                .sent_without_txn
                .get(text)
                .is_some_and(|sent| *stored <= *sent);
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

    /// Notes a stored friend request. False if the sender exceeded the number for one hour.
    pub(crate) fn note_friend_request(
        &mut self,
        sender: usize,
        now: Duration,
        limits: &Limits,
    ) -> bool {
        let times = &mut self.friend_requests_stored[sender];
        times.push(now);
        let hour = Duration::from_hours(1);
        let recent = times.iter().filter(|at| **at + hour > now);
        limits.friend_requests == 0 || recent.count() as u64 <= limits.friend_requests
    }

    pub(crate) fn cover(&mut self, what: String) {
        *self.coverage.entry(what).or_default() += 1;
    }

    /// Whether a user may have exceeded the rate or quota of a request.
    pub(crate) fn may_exceed_rate(
        &self,
        planned: &PlannedRequest,
        user: usize,
        limits: &Limits,
    ) -> bool {
        let is_over = |most: u64, tried: u64| most > 0 && tried > most;
        let room_tokens = (self.room_tokens[user], 2 * limits.rooms as u64);
        let ((tried, burst), over) = match planned {
            PlannedRequest::Join(_)
            | PlannedRequest::Add(..)
            | PlannedRequest::People(PeopleRequest::Unblock(_))
            | PlannedRequest::Bot(BotRequest::Create(..)) => (room_tokens, false),
            PlannedRequest::Create(..) => (
                room_tokens,
                is_over(limits.rooms_a_day, self.rooms_created[user]),
            ),
            PlannedRequest::Send { .. } | PlannedRequest::Message(_) => (
                (self.message_attempts[user], limits.message_burst),
                is_over(limits.user_bytes_a_day, self.bytes[user]),
            ),
            PlannedRequest::Account(AccountRequest::Away(_)) | PlannedRequest::Room(_) => (
                (self.room_administration[user], limits.message_burst),
                false,
            ),
            PlannedRequest::Befriend(_) => {
                return is_over(limits.friend_requests, self.friend_request_attempts[user]);
            }
            _ => return false,
        };
        over || limits.message_rate > 0 && tried > burst
    }

    /// A request that voids devices was answered. If it succeeded, the first `void` devices are void as far as they are
    /// the user's.
    pub(crate) fn end_devices(&mut self, user: usize, void: Option<usize>) {
        self.devices.void_answered(user, self.tick, void);
    }

    pub(crate) fn login_attempts(&self, user: usize) -> u64 {
        self.login_attempts[user]
    }

    /// The server restarted, and its counters with it.
    pub(crate) fn restart(&mut self) {
        self.message_attempts = Default::default();
        self.friend_request_attempts = Default::default();
        self.friend_requests_stored = Default::default();
        self.room_tokens = Default::default();
        self.room_administration = Default::default();
        self.login_attempts = Default::default();
        self.full_at = Default::default();
        self.devices.restart();
    }

    /// A message was hidden, or removed with its room: it is no longer expected.
    pub(crate) fn forget_message(&mut self, id: u64) {
        self.acknowledged.remove(&id);
    }

    pub(crate) fn note_password_changed(&mut self, user: usize) {
        self.passwords[user] = self.tick;
    }

    /// Whether another password may have been valid at or after a tick.
    pub(crate) fn password_changed_since(&self, user: usize, tick: u64) -> bool {
        self.passwords[user] >= tick
    }

    /// Sessions of a user began or ended.
    pub(crate) fn note_sessions_changed(&mut self, user: usize, tick: u64) {
        self.sessions[user] = tick;
    }

    /// Whether sessions of a user may have begun or ended after a tick.
    pub(crate) fn sessions_changed_since(&self, user: usize, tick: u64) -> bool {
        self.sessions[user] > tick
    }

    pub(crate) fn begin_tick(&mut self, tick: u64) {
        self.tick = tick;
    }

    /// An administrator acts before a tick.
    pub(crate) fn note_administration(&mut self, tick: u64) {
        self.administered = tick;
    }

    pub(crate) fn is_administered(&self) -> bool {
        self.administered == self.tick
    }

    pub(crate) fn note_storage_fault(&mut self, tick: u64) {
        self.storage_fault = tick;
        self.secrets.note_fault();
    }

    pub(crate) fn storage_faulty_since(&self, tick: u64) -> bool {
        self.storage_fault >= tick
    }

    pub(crate) fn note_clock_jump(&mut self, tick: u64) {
        self.clock_jump = tick;
        self.secrets.note_fault();
    }

    pub(crate) fn clock_jumped_since(&self, tick: u64) -> bool {
        self.clock_jump >= tick
    }

    pub(crate) fn note_ambiguity(&mut self, tick: u64) {
        self.ambiguity = tick;
    }

    pub(crate) fn ambiguous_since(&self, tick: u64) -> bool {
        self.ambiguity >= tick
    }
}

/// How many joins a request is charged for.
fn joins(planned: &PlannedRequest) -> usize {
    match planned {
        // After unblocking, both users see each other again in all common rooms.
        PlannedRequest::People(_) => ROOMS.len(),
        PlannedRequest::Bot(BotRequest::Create(_, rooms, _)) => rooms.len(),
        PlannedRequest::Create(_, members, _) => members.len() + 1,
        PlannedRequest::Add(_, members) => members.len(),
        _ => 1,
    }
}
