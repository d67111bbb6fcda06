//! The composite parameters of replies and events: refusals and results with their codes, messages,
//! lines of lists.

use crate::names::TxnId;
use crate::param::{Fields, Param, ParamError, TargetType, put};
use crate::value::Value;
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $message:literal;)*) => {
        /// Why a request was refused. Clients go by the code; the message is for people.
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
    /// The name, or one that looks like it, belongs to somebody.
    NameTaken = "name_taken", "用户已存在";
    /// No name can be like this.
    BadName = "bad_name", "This is not a possible name.";
    /// No password can be like this.
    BadPassword = "bad_password", "This password cannot be used.";
    /// The name or the password is wrong.
    BadCredentials = "bad_credentials", "登录失败";
    /// Too many failed logins; has `retry_after`.
    LoginThrottled = "login_throttled", "Too many failed logins; try again later.";
    /// Nobody has this name.
    UnknownUser = "unknown_user", "用户不存在";
    /// The target is the asker.
    IsSelf = "is_self", "无法添加自己为好友";
    /// The same request is pending.
    AlreadyAsked = "already_asked", "已经申请过";
    /// The two are friends.
    AlreadyFriends = "already_friends", "好友已存在";
    /// There is no such request to resolve.
    NoRequest = "no_request", "There is no request from this user.";
    /// Only friends may be written to.
    NotAFriend = "not_a_friend", "还不是好友";
    /// Only members may do this.
    NotAMember = "not_a_member", "还没有加入聊天室";
    /// Only the room's owner may do this.
    NotOwner = "not_owner", "Only the owner of the room may do this.";
    /// There is no such room.
    UnknownRoom = "unknown_room", "聊天室不存在";
    /// The asker is a member already.
    AlreadyMember = "already_member", "已经在聊天室中";
    /// The name, or one that looks like it, belongs to a room.
    RoomExists = "room_exists", "聊天室已存在";
    /// Some of the named are not friends of the asker; has `names`.
    NotFriends = "not_friends", "Some of these are not your friends.";
    /// A message is empty, too long or holds control characters.
    BadContent = "bad_content", "This text cannot be sent.";
    /// The txn_id stands for another message.
    TxnReused = "txn_reused", "This txn_id was used for another message.";
    /// Too many messages in a short time; has `retry_after`.
    RateLimited = "rate_limited", "Too fast; try again later.";
    /// A number is at its limit; has `limit`.
    TooMany = "too_many", "There are too many of these.";
    /// The server's disk is full.
    StorageFull = "storage_full", "The server cannot store anything just now.";
    /// The database is held by another program.
    StorageBusy = "storage_busy", "The server's database is busy; try again.";
    /// The command is unknown, or not for clients.
    UnknownCommand = "unknown_command", "There is no such request.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// FAIL = {code: str, message: str, ...}: what a refused request gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Fail {
    /// The code; text, since a newer server may know more codes than [`Code`].
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// What the code has beside them (`field`, `retry_after`, `names`, `limit`, `command`).
    pub detail: Vec<(String, Value)>,
}

impl Param for Fail {
    const KIND: &'static str = "FAIL {code: str, message: str, ...}";

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        let mut fields = Fields::of(value)?;
        let (code, message) = (fields.take("code")?, fields.take("message")?);
        Ok(Self {
            code,
            message,
            detail: detail_of(value, &["code", "message"]),
        })
    }

    fn to_value(&self) -> Value {
        let mut entries = Vec::with_capacity(2 + self.detail.len());
        put(&mut entries, "code", &self.code);
        put(&mut entries, "message", &self.message);
        entries.extend_from_slice(&self.detail);
        Value::Dict(entries)
    }
}

/// RESULT = {success: bool, code: str or null, message: str, ...}: success, or a [`Fail`].
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was done; a sentence for people.
    Done(String),
    /// It was refused.
    Refused(Fail),
}

impl Param for Outcome {
    const KIND: &'static str = "RESULT {success: bool, code: str or null, message: str, ...}";

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        let mut fields = Fields::of(value)?;
        if fields.take("success")? {
            return Ok(Outcome::Done(fields.take("message")?));
        }
        let (code, message) = (fields.take("code")?, fields.take("message")?);
        let detail = detail_of(value, &["success", "code", "message"]);
        Ok(Outcome::Refused(Fail {
            code,
            message,
            detail,
        }))
    }

    fn to_value(&self) -> Value {
        let mut entries = vec![(
            "success".to_owned(),
            Value::Bool(matches!(self, Self::Done(_))),
        )];
        match self {
            Outcome::Done(message) => {
                entries.push(("code".to_owned(), Value::Null));
                put(&mut entries, "message", message);
            }
            Outcome::Refused(fail) => {
                let Value::Dict(rest) = fail.to_value() else {
                    unreachable!("a FAIL is a dict")
                };
                entries.extend(rest);
            }
        }
        Value::Dict(entries)
    }
}

fn detail_of(value: &Value, fixed: &[&str]) -> Vec<(String, Value)> {
    let Value::Dict(entries) = value else {
        return Vec::new();
    };
    entries
        .iter()
        .filter(|(key, _)| !fixed.contains(&key.as_str()))
        .cloned()
        .collect()
}

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident = $kind:literal {
        $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)?
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }

        impl Param for $name {
            const KIND: &'static str = $kind;

            fn from_value(value: &Value) -> Result<Self, ParamError> {
                let mut fields = Fields::of(value)?;
                Ok(Self { $($field: fields.take(stringify!($field))?),* })
            }

            fn to_value(&self) -> Value {
                let mut entries = Vec::new();
                $(put(&mut entries, stringify!($field), &self.$field);)*
                Value::Dict(entries)
            }
        }
    )*};
}

records! {
    /// A stored message as one reader sees it.
    M = "M {id, username, sender, send_time, target, target_type, sent, content}" {
        /// Grows over the whole server.
        id: u64,
        /// The reader.
        username: String,
        /// Who wrote it.
        sender: String,
        /// Unix seconds.
        send_time: u64,
        /// The room, or the other one of a private conversation.
        target: String,
        /// Which of both.
        target_type: TargetType,
        /// Own, or not after the reader's read marker.
        sent: bool,
        /// The text.
        content: String,
    }
    /// A conversation with unread messages.
    Unread = "{target_type, target, count, read_id}" {
        /// Friend or room.
        target_type: TargetType,
        /// Its name.
        target: String,
        /// Others' messages after the marker; stops counting at 1,000.
        count: u64,
        /// The read marker: id of the newest message read, 0 for none.
        read_id: u64,
    }
    /// A conversation that has messages older than those in the bundle.
    Older = "{target_type, target, before}" {
        /// Friend or room.
        target_type: TargetType,
        /// Its name.
        target: String,
        /// What to ask QUERY_HISTORY with.
        before: u64,
    }
    /// A room of the asker's.
    RoomLine = "{roomname, members: int, owner, unread}" {
        /// Its name.
        roomname: String,
        /// How many members it has.
        members: u64,
        /// Who made it.
        owner: String,
        /// Others' messages after the marker; stops counting at 1,000.
        unread: u64,
    }
    /// A member of a room.
    MemberLine = "{username, online, owner}" {
        /// The name.
        username: String,
        /// Whether logged in now.
        online: bool,
        /// Whether the room is theirs.
        owner: bool,
    }
}

/// The `txn_id` of an acknowledgement: the sender's, or null.
pub type TxnEcho = crate::param::Nullable<TxnId>;
