//! The composite parameters of replies and events: refusals and results, messages, lines of lists.

use crate::codec::{EncodeError, Encoder};
use crate::names::TxnId;
use crate::param::{Fields, Mark, Param, ParamError, RoomRole, TargetType, encode_entry, put};
use crate::value::Value;

pub use crate::code::{Code, Fail, MUST_CHANGE_PASSWORD, Outcome, passes_in};

/// What follows a page of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextPage {
    /// Nothing: it was the last one.
    None,
    /// The page after its last message.
    Ask,
    /// Nothing can: the page is empty, and yet there are more messages. The same page would be asked for without end.
    Stuck,
}

impl NextPage {
    /// What follows a page with this `more`.
    pub fn after(is_empty: bool, more: bool) -> Self {
        match (is_empty, more) {
            (_, false) => Self::None,
            (false, true) => Self::Ask,
            (true, true) => Self::Stuck,
        }
    }
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

    fn refusal(&self) -> Option<&Fail> {
        Some(self)
    }

    fn refusing(fail: Fail) -> Option<Self> {
        Some(fail)
    }
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

    fn refusal(&self) -> Option<&Fail> {
        match self {
            Outcome::Done(_) => None,
            Outcome::Refused(fail) => Some(fail),
        }
    }

    fn refusing(fail: Fail) -> Option<Self> {
        Some(Outcome::Refused(fail))
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

            fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
                to.dict(|to| {
                    $(encode_entry(to, stringify!($field), &self.$field)?;)*
                    Ok(())
                })
            }
        }
    )*};
}

records! {
    /// A stored message as one reader sees it.
    ChatMessage = "M {id, username, sender, send_time, target, target_type, sent, content, deleted?, bot?, reply_to?, edited?, mentions?, reactions?}" {
        /// Increases over the whole server.
        id: u64,
        /// The reader.
        username: String,
        /// The sender.
        sender: String,
        /// Unix seconds.
        send_time: u64,
        /// The room, or the friend of a private conversation.
        target: String,
        /// Whether the target is a room or a friend.
        target_type: TargetType,
        /// Own, or not after the reader's read marker.
        sent: bool,
        /// The text; empty for a message that was deleted.
        content: String,
        /// Whether it was deleted; left out if not.
        deleted: Option<bool>,
        /// Whether a bot sent it.
        bot: Mark,
        /// The message of the same conversation that it answers.
        reply_to: Option<u64>,
        /// When its text was changed last, in unix seconds.
        edited: Option<u64>,
        /// The users that it names, and `@all`; left out if there are none.
        mentions: Option<Vec<String>>,
        /// The reactions to it; left out if there are none.
        reactions: Option<Vec<Reaction>>,
    }
    /// Reactions to a message with the same emoji.
    Reaction = "{emoji, count: int, mine?}" {
        /// The emoji.
        emoji: String,
        /// How many users reacted with it.
        count: u64,
        /// Whether the reader did; left out in events.
        mine: Option<bool>,
    }
    /// The reaction that changed a message.
    Reacted = "{emoji, on}" {
        /// The emoji.
        emoji: String,
        /// Whether it came; if not, it went.
        on: bool,
    }
    /// A conversation with unread messages.
    Unread = "{target_type, target, count, read_id, mentions: int}" {
        /// Friend or room.
        target_type: TargetType,
        /// Its name.
        target: String,
        /// Others' messages after the marker; stops counting at 1,000.
        count: u64,
        /// The read marker: id of the newest message read, 0 for none.
        read_id: u64,
        /// Unread messages that name the reader. Older servers leave it out.
        mentions: Option<u64>,
    }
    /// A conversation that has messages older than those in the bundle.
    Older = "{target_type, target, before}" {
        /// Friend or room.
        target_type: TargetType,
        /// Its name.
        target: String,
        /// The `before` of the next QUERY_HISTORY.
        before: u64,
    }
    /// A friend who is away.
    AwayLine = "{username, text}" {
        /// The name.
        username: String,
        /// What the friend said.
        text: String,
    }
    /// A friend of the caller.
    FriendLine = "{username, online, away?, last_seen?}" {
        /// The name.
        username: String,
        /// Whether the friend is logged in.
        online: bool,
        /// The text of a friend who is away.
        away: Option<String>,
        /// The end of the last session, in unix seconds; of a friend who is offline and does not hide it.
        last_seen: Option<u64>,
    }
    /// A session of the caller.
    SessionLine = "{address, since: int, this}" {
        /// The address of the client.
        address: String,
        /// When it began, in unix seconds.
        since: u64,
        /// Whether it is the session that asks.
        this: bool,
    }
    /// An invitation code.
    InvitationCodeLine = "{code, uses: int, expires?: int}" {
        /// The code.
        code: String,
        /// How many accounts can be made with it.
        uses: u64,
        /// From when on it is refused, in unix seconds; never if there is none.
        expires: Option<u64>,
    }
    /// How long a server keeps messages.
    Keeps = "{days?: int}" {
        /// In days; for ever if there is none.
        days: Option<u64>,
    }
    /// The limits of a server that a client has to keep.
    GivenLimits = "{frame_bytes: int, content_bytes: int, message_burst: int, message_rate: int}" {
        /// The largest ciphertext of a frame.
        frame_bytes: u64,
        /// The longest content of a message.
        content_bytes: u64,
        /// Messages that may be sent at once.
        message_burst: u64,
        /// Messages a second after that; 0 for no limit.
        message_rate: u64,
    }
    /// A room that the caller is invited to.
    InvitationLine = "{roomname, by?}" {
        /// Its name.
        roomname: String,
        /// The user that invited the caller; none if it was the server's administration.
        by: Option<String>,
    }
    /// A room of the caller.
    RoomLine = "{roomname, members: int, owner, unread, topic?, private, role, mentions: int}" {
        /// Its name.
        roomname: String,
        /// How many members it has.
        members: u64,
        /// The owner; empty if the room has none.
        owner: String,
        /// Others' messages after the marker; stops counting at 1,000.
        unread: u64,
        /// The topic. Older servers leave it out, and so does a list that would be too long with it.
        topic: Option<String>,
        /// Whether strangers do not know of it. Older servers leave it out.
        private: Option<bool>,
        /// The caller's role. Older servers leave it out.
        role: Option<RoomRole>,
        /// Unread messages that name the caller. Older servers leave it out.
        mentions: Option<u64>,
    }
    /// A room with its properties.
    RoomInfo = "ROOM {roomname, topic, owner, operators, private, read_only, slow_seconds, keep_days?, members, created, role?}" {
        /// Its name.
        roomname: String,
        /// What it is about; may be empty.
        topic: String,
        /// The owner; empty if the room has none.
        owner: String,
        /// The operators, by name.
        operators: Vec<String>,
        /// Whether only members and invited users know of it.
        private: bool,
        /// Whether only operators and the owner may write to it.
        read_only: bool,
        /// Seconds between two messages of a member; 0 for no slow mode.
        slow_seconds: u64,
        /// Days that its messages are kept; absent if they are kept as the server keeps messages.
        keep_days: Option<u64>,
        /// How many members it has.
        members: u64,
        /// When it was created, in unix seconds.
        created: u64,
        /// The caller's role; absent for a user who is no member, and in events.
        role: Option<RoomRole>,
    }
    /// A room that every user may join.
    PublicRoom = "{roomname, topic, members: int}" {
        /// Its name.
        roomname: String,
        /// What it is about; may be empty.
        topic: String,
        /// How many members it has.
        members: u64,
    }
    /// A member of a room.
    MemberLine = "{username, online, owner, role?, away?, bot?}" {
        /// The name.
        username: String,
        /// Whether the member is logged in.
        online: bool,
        /// Whether the member owns the room.
        owner: bool,
        /// The member's role; in pages only.
        role: Option<RoomRole>,
        /// What the member says of being away; in pages only.
        away: Option<String>,
        /// Whether the member is a bot, which is never online.
        bot: Mark,
    }
    /// A bot of the caller.
    BotLine = "{username, rooms: list, created: int, expires?: int, last_seen?: int}" {
        /// Its name.
        username: String,
        /// Its rooms, by name; those that fit into the reply.
        rooms: Vec<String>,
        /// When it was created, in unix seconds.
        created: u64,
        /// Until when its token logs in, in unix seconds; none: until it is replaced.
        expires: Option<u64>,
        /// The end of its last session, in unix seconds.
        last_seen: Option<u64>,
    }
    /// A user that is banned from a room.
    BanLine = "{username, by, at: int, until?: int, reason?}" {
        /// The name.
        username: String,
        /// The operator that banned the user.
        by: String,
        /// When, in unix seconds.
        at: u64,
        /// When the ban ends, in unix seconds; none: when it is lifted.
        until: Option<u64>,
        /// The reason, if one was given.
        reason: Option<String>,
    }
}

/// Members of a room: a list of lines, or a page, which is a dict {members, more}.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberList {
    /// The members, by name.
    pub members: Vec<MemberLine>,
    /// Whether there are more behind the page; `None` for a list without pages.
    pub more: Option<bool>,
}

impl Param for MemberList {
    const KIND: &'static str = "list or {members: list, more: bool}";

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        let (members, more) = match value {
            Value::Dict(_) => {
                let mut fields = Fields::of(value)?;
                (fields.take("members")?, Some(fields.take("more")?))
            }
            list => (Vec::from_value(list)?, None),
        };
        Ok(Self { members, more })
    }

    fn to_value(&self) -> Value {
        let Some(more) = &self.more else {
            return self.members.to_value();
        };
        let mut entries = Vec::new();
        put(&mut entries, "members", &self.members);
        put(&mut entries, "more", more);
        Value::Dict(entries)
    }

    fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let Some(more) = &self.more else {
            return self.members.encode(to);
        };
        to.dict(|to| {
            encode_entry(to, "members", &self.members)?;
            encode_entry(to, "more", more)
        })
    }
}

/// The `txn_id` of an acknowledgement: the sender's, or null.
pub type TxnEcho = crate::param::Nullable<TxnId>;
