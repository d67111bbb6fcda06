//! Why requests are refused: the codes that clients go by, and the values that carry them.

use crate::limits::RATES_FILL_UP;
use crate::value::Value;
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $message:literal;)*) => {
        /// Why a request was refused. Clients decide by the code; the message is for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant),* }

        impl Code {
            /// Every code.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            /// The code as the wire has it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text),* }
            }

            /// A sentence for people: the original's where it had one.
            pub const fn message(self) -> &'static str {
                match self { $(Code::$variant => $message),* }
            }
        }
    };
}

codes! {
    /// A parameter is missing, unknown, or of the wrong type or size; has `field`.
    BadParams = "bad_params", "The parameters are wrong.";
    /// The request needs a login.
    NotLoggedIn = "not_logged_in", "Please log in first.";
    /// REGISTER or LOGIN on a connection that is logged in.
    AlreadyLoggedIn = "already_logged_in", "You are logged in already; log out first.";
    /// The name, or a confusable one, belongs to another user.
    NameTaken = "name_taken", "用户已存在";
    /// The name is not valid.
    BadName = "bad_name", "This is not a possible name.";
    /// The password is not valid.
    BadPassword = "bad_password", "This password cannot be used.";
    /// The name or the password is wrong.
    BadCredentials = "bad_credentials", "登录失败";
    /// An administrator suspended the account; has `until` unless the suspension has no end, and `reason` if one was
    /// given.
    Suspended = "suspended", "This account is suspended.";
    /// The invitation to register is missing, unknown, used up or expired.
    BadInvitation = "bad_invitation", "To register, you need an invitation that is good.";
    /// The server takes no new accounts.
    RegistrationClosed = "registration_closed", "This server takes no new accounts.";
    /// Too many failed logins; has `retry_after`.
    LoginThrottled = "login_throttled", "Too many failed logins; try again later.";
    /// There is no such user.
    UnknownUser = "unknown_user", "用户不存在";
    /// The target is the caller.
    IsSelf = "is_self", "无法添加自己为好友";
    /// The same request is pending.
    AlreadyAsked = "already_asked", "已经申请过";
    /// The two users are friends already.
    AlreadyFriends = "already_friends", "好友已存在";
    /// There is no such request to resolve.
    NoRequest = "no_request", "There is no request from this user.";
    /// Only friends may be written to.
    NotAFriend = "not_a_friend", "还不是好友";
    /// Only members may do this.
    NotAMember = "not_a_member", "还没有加入聊天室";
    /// Only the room's owner may do this.
    NotOwner = "not_owner", "Only the owner of the room may do this.";
    /// Only the room's operators and its owner may do this.
    NotOperator = "not_operator", "Only operators of the room may do this.";
    /// There is no such room.
    UnknownRoom = "unknown_room", "聊天室不存在";
    /// The user is a member already.
    AlreadyMember = "already_member", "已经在聊天室中";
    /// The name, or a confusable one, belongs to another room.
    RoomExists = "room_exists", "聊天室已存在";
    /// Some of the named users are not friends of the caller; has `names`.
    NotFriends = "not_friends", "Some of these are not your friends.";
    /// The caller may not do this, or not to these users; may have `names`. With [`MUST_CHANGE_PASSWORD`] the password
    /// is a temporary one, and only CHANGE_PASSWORD and LOGOUT are allowed until it is changed.
    NotAllowed = "not_allowed", "This is not allowed.";
    /// The caller blocks this user.
    Blocked = "blocked", "You block this user; unblock them first.";
    /// The user is banned from the room; has `until` unless the ban has no end, and `reason` if one was given.
    Banned = "banned", "This user is banned from the room.";
    /// A bot may not ask for this.
    NotForBots = "not_for_bots", "Bots may not do this.";
    /// Only operators may write to the room.
    ReadOnly = "read_only", "Only operators may write to this room.";
    /// The room has slow mode, and the user wrote to it a short time ago; has `retry_after`.
    SlowMode = "slow_mode", "This room has slow mode; try again later.";
    /// There is no such message in a conversation that the caller can read.
    UnknownMessage = "unknown_message", "There is no such message.";
    /// The message was sent by another user.
    NotYours = "not_yours", "This message is not yours.";
    /// The message is too old to be edited.
    TooLate = "too_late", "It is too late to edit this message.";
    /// A message is empty, too long or holds control characters.
    BadContent = "bad_content", "This text cannot be sent.";
    /// The txn_id belongs to another message.
    TxnReused = "txn_reused", "This txn_id was used for another message.";
    /// Too many messages in a short time; has `retry_after`.
    RateLimited = "rate_limited", "Too fast; try again later.";
    /// A count is at its limit; has `limit`.
    TooMany = "too_many", "There are too many of these.";
    /// The server's disk is full.
    StorageFull = "storage_full", "The server cannot store anything just now.";
    /// Another program has locked the database.
    StorageBusy = "storage_busy", "The server's database is busy; try again.";
    /// A part of the server's database cannot be read.
    StorageDamaged = "storage_damaged", "A part of the server's database is damaged; its operator must repair it.";
    /// The command is unknown, or not for clients.
    UnknownCommand = "unknown_command", "There is no such request.";
}

/// Seconds until a refused request is sent again where the refusal names no time.
const RETRY_AFTER: u64 = 5;

/// In how many seconds the same request may be accepted; `None` if to send it again does not help. A request over the
/// limit of a day is not sent again either: it would hold up all others for hours.
pub fn passes_in(code: &str, retry_after: Option<u64>) -> Option<u64> {
    let passing = [
        Code::RateLimited,
        Code::SlowMode,
        Code::StorageBusy,
        Code::StorageFull,
    ];
    let seconds = retry_after.unwrap_or(RETRY_AFTER).max(1);
    let passes = passing.iter().any(|passing| passing.as_str() == code);
    Some(seconds).filter(|seconds| passes && *seconds <= RATES_FILL_UP)
}

/// The key of a refusal because of a temporary password: true. LOGIN_BUNDLE has the same one.
pub const MUST_CHANGE_PASSWORD: &str = "must_change_password";

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// FAIL = {code: str, message: str, ...}: the reason for a refusal (PROTOCOL.md, section 5).
#[derive(Clone, Debug, PartialEq)]
pub struct Fail {
    /// The code; text, since a newer server may know more codes than [`Code`].
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// Further keys, which depend on the code (`field`, `retry_after`, `names`, `limit`, `until`, `reason`, `command`).
    pub detail: Vec<(String, Value)>,
}

impl Fail {
    /// Whether the password is a temporary one, and nothing else is allowed until it is changed.
    pub fn wants_new_password(&self) -> bool {
        let mut detail = self.detail.iter();
        detail.any(|(key, value)| key == MUST_CHANGE_PASSWORD && *value == Value::Bool(true))
    }

    /// In how many seconds the server may answer otherwise, if it said so.
    pub fn retry_after(&self) -> Option<u64> {
        self.detail.iter().find_map(|(key, value)| match value {
            Value::Int(seconds) if key == "retry_after" => Some(*seconds),
            _ => None,
        })
    }

    /// [`passes_in`] of this refusal.
    pub fn passes_in(&self) -> Option<u64> {
        passes_in(&self.code, self.retry_after())
    }
}

/// RESULT = {success: bool, code: str or null, message: str, ...}: success, or a [`Fail`].
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The request was done; a sentence for people.
    Done(String),
    /// The request was refused.
    Refused(Fail),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_refusals_pass() {
        let passing = |code: &Code| passes_in(code.as_str(), None).is_some();
        let names: Vec<_> = Code::ALL.iter().filter(|code| passing(code)).collect();
        let expected = [
            Code::SlowMode,
            Code::RateLimited,
            Code::StorageFull,
            Code::StorageBusy,
        ];
        assert_eq!(names, expected.iter().collect::<Vec<_>>());
        for (retry_after, seconds) in [
            (None, Some(5)),
            (Some(0), Some(1)),
            (Some(3_600), Some(3_600)),
            (Some(3_601), None),
        ] {
            assert_eq!(passes_in("slow_mode", retry_after), seconds);
        }
    }
}
