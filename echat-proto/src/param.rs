//! [`Param`]: a [`Value`] as a Rust type, so that nothing behind it checks types again.

use std::fmt;

use crate::code::{Code, Fail};
use crate::codec::{EncodeError, Encoder};
use crate::limits::{KEYWORD_BYTES, NAMES};
use crate::names::{
    BotToken, Content, InvitationCode, NameQuery, Password, ReasonText, ResumeSecret, RoomName,
    Topic, TxnId, Username,
};
use crate::value::{Keys, Value};

/// Why a parameter is refused: `bad_params`, or the code that its own type has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamError {
    /// The parameter's name.
    pub field: String,
    /// The code that the refusal carries.
    pub code: Code,
    /// A sentence for people.
    pub message: String,
}

impl ParamError {
    /// `bad_params` for `field`.
    pub fn new(field: &str, message: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            code: Code::BadParams,
            message: message.into(),
        }
    }

    /// The same error, said of the parameter that holds the value.
    #[must_use]
    pub fn of(mut self, field: &str) -> Self {
        field.clone_into(&mut self.field);
        self
    }

    /// The same error, said of the only parameter of a request, unless the error names a part of it.
    #[must_use]
    pub fn of_whole(self, field: &str) -> Self {
        if self.field.is_empty() {
            self.of(field)
        } else {
            self
        }
    }
}

/// A Rust type that parameters are made of.
pub trait Param: Sized {
    /// The type in the words of the protocol document.
    const KIND: &'static str;
    /// Whether the parameter may be left out.
    const OPTIONAL: bool = false;
    /// Whether the value is a secret: it is wiped after use and shown nowhere.
    const SECRET: bool = false;

    /// Reads a value; the error names no field yet.
    fn from_value(value: &Value) -> Result<Self, ParamError>;

    /// The value to send.
    fn to_value(&self) -> Value;

    /// Writes the bytes of [`to_value`](Self::to_value). Types of frequent events do it without making the value.
    fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
        to.value(&self.to_value())
    }

    /// What stands for a parameter that is left out, if it may be.
    fn absent() -> Option<Self> {
        None
    }

    /// Whether to leave the parameter out when sending.
    fn is_absent(&self) -> bool {
        false
    }

    /// The part of the value that has a limit of its own, which a client checks before it sends a request.
    fn part(&self) -> Option<Part<'_>> {
        None
    }

    /// The reason for a refusal, if the value says that a request was refused.
    fn refusal(&self) -> Option<&Fail> {
        None
    }

    /// The value that refuses a request for this reason; `None` for a type that cannot refuse.
    fn refusing(_: Fail) -> Option<Self> {
        None
    }
}

/// A part of a request that has a limit of its own.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// A name to look up. One that no user and no room can have finds nothing.
    Name(&'a NameQuery),
    /// Names of users, [`NAMES`] at most.
    Names(&'a [String]),
    /// A text.
    Text {
        /// Its bytes.
        bytes: usize,
        /// The bytes that are allowed.
        limit: usize,
    },
}

fn wrong_kind<T: Param>(value: &Value) -> ParamError {
    ParamError::new("", format!("must be {}, not {}", T::KIND, value.kind()))
}

/// Types that a single variant of [`Value`] holds.
macro_rules! plain_params {
    ($($type:ty = $kind:literal, $variant:ident, $read:expr, $write:expr, $encode:expr;)*) => {$(
        impl Param for $type {
            const KIND: &'static str = $kind;
            fn from_value(value: &Value) -> Result<Self, ParamError> {
                match value {
                    Value::$variant(inner) => Ok($read(inner)),
                    other => Err(wrong_kind::<Self>(other)),
                }
            }
            fn to_value(&self) -> Value {
                Value::$variant($write(self))
            }
            fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
                $encode(self, to)
            }
        }
    )*};
}

plain_params! {
    u64 = "int", Int, |n: &u64| *n, |n: &u64| *n, |n: &u64, to: &mut Encoder<'_>| to.int(*n);
    bool = "bool", Bool, |b: &bool| *b, |b: &bool| *b, |b: &bool, to: &mut Encoder<'_>| to.truth(*b);
    String = "str", Str, Clone::clone, Clone::clone, |s: &String, to: &mut Encoder<'_>| to.text(s);
}

impl Param for NameQuery {
    const KIND: &'static str = "str";

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        match value {
            Value::Str(name) => Ok(Self::new(name)),
            other => Err(wrong_kind::<Self>(other)),
        }
    }

    fn to_value(&self) -> Value {
        self.raw().into()
    }

    fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
        to.text(self.raw())
    }

    fn part(&self) -> Option<Part<'_>> {
        Some(Part::Name(self))
    }
}

/// A text of at most so many bytes. The limit is checked where a request is read; a client that makes one checks
/// [`Param::part`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortText<const BYTES: usize>(pub String);

/// A part of a name to look for.
pub type Keyword = ShortText<KEYWORD_BYTES>;

/// The most bytes of a search.
pub const SEARCH_BYTES: usize = 256;

/// What to search messages for.
pub type SearchText = ShortText<SEARCH_BYTES>;

/// The most bytes of an emoji.
pub const EMOJI_BYTES: usize = 32;

/// An emoji of a reaction. The server refuses a text that is none.
pub type Emoji = ShortText<EMOJI_BYTES>;

impl<const BYTES: usize> Param for ShortText<BYTES> {
    const KIND: &'static str = "str";

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        match value {
            Value::Str(text) if text.len() > BYTES => {
                let message = format!("must have at most {BYTES} bytes");
                Err(ParamError::new("", message))
            }
            Value::Str(text) => Ok(Self(text.clone())),
            other => Err(wrong_kind::<Self>(other)),
        }
    }

    fn to_value(&self) -> Value {
        self.0.as_str().into()
    }

    fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
        to.text(&self.0)
    }

    fn part(&self) -> Option<Part<'_>> {
        let bytes = self.0.len();
        Some(Part::Text {
            bytes,
            limit: BYTES,
        })
    }
}

/// Types with a constructor that refuses some texts.
macro_rules! text_params {
    ($($type:ty, $code:ident, secret: $secret:literal, $read:expr, $write:expr;)*) => {$(
        impl Param for $type {
            const KIND: &'static str = "str";
            const SECRET: bool = $secret;
            fn from_value(value: &Value) -> Result<Self, ParamError> {
                let Value::Str(text) = value else { return Err(wrong_kind::<Self>(value)) };
                $read(text).map_err(|error| ParamError {
                    field: String::new(),
                    code: Code::$code,
                    message: error.to_string(),
                })
            }
            fn to_value(&self) -> Value {
                Value::Str($write(self).into())
            }
            fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
                to.text($write(self).as_ref())
            }
        }
    )*};
}

text_params! {
    Username, BadName, secret: false, Username::new, Username::as_str;
    RoomName, BadName, secret: false, RoomName::new, RoomName::as_str;
    Content, BadContent, secret: false, Content::new, Content::as_str;
    TxnId, BadParams, secret: false, TxnId::new, TxnId::as_str;
    Topic, BadParams, secret: false, Topic::new, Topic::as_str;
    ReasonText, BadParams, secret: false, ReasonText::new, ReasonText::as_str;
    NewPassword, BadPassword, secret: true,
        |t: &String| Password::new(t).map(NewPassword), |p: &NewPassword| p.0.to_text();
    Password, BadParams, secret: true, Password::presented, Password::to_text;
    InvitationCode, BadParams, secret: true, InvitationCode::presented, InvitationCode::to_text;
    ResumeSecret, BadParams, secret: true, ResumeSecret::presented, ResumeSecret::to_text;
    BotToken, BadParams, secret: true, BotToken::presented, BotToken::to_text;
}

/// A password to be kept: refused when too weak, while one presented at login is only compared.
#[derive(Debug)]
pub struct NewPassword(pub Password);

/// Names that a request lists as they were typed, [`NAMES`] at most: a frame holds thousands, and to
/// normalise one ([`NameQuery`]) takes longer than to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl Param for Names {
    const KIND: &'static str = "list";

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        match value {
            Value::List(items) if items.len() > NAMES => {
                let message = format!("must be at most {NAMES} names");
                Err(ParamError::new("", message))
            }
            list => Vec::from_value(list).map(Self),
        }
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }

    fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.0.encode(to)
    }

    fn part(&self) -> Option<Part<'_>> {
        Some(Part::Names(&self.0))
    }
}

/// A dict whose keys depend on what it belongs to. `Debug` shows the keys alone: a value may be a secret.
#[derive(Clone, Default, PartialEq)]
pub struct Dict(pub Vec<(String, Value)>);

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dict")?;
        f.debug_list()
            .entries(self.0.iter().map(|(key, _)| key))
            .finish()
    }
}

impl Param for Dict {
    const KIND: &'static str = "dict";

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        match value {
            Value::Dict(entries) => Ok(Self(entries.clone())),
            other => Err(wrong_kind::<Self>(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Dict(self.0.clone())
    }
}

/// What a user who is away says, or null for a user who is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwayText(pub Option<String>);

impl Param for AwayText {
    const KIND: &'static str = "str or null";

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        match value {
            Value::Null => Ok(Self(None)),
            Value::Str(text) => Ok(Self(Some(text.clone()))),
            other => Err(wrong_kind::<Self>(other)),
        }
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }

    fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.0.encode(to)
    }
}

/// Whether a conversation is a private one or a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetType {
    /// 0: a private conversation; the target is the other one's name.
    Friend,
    /// 1: a room; the target is its name.
    Room,
}

impl TargetType {
    const fn number(self) -> u64 {
        match self {
            TargetType::Friend => 0,
            TargetType::Room => 1,
        }
    }
}

impl Param for TargetType {
    const KIND: &'static str = "int 0 (friend) or 1 (room)";

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        match value {
            Value::Int(0) => Ok(TargetType::Friend),
            Value::Int(1) => Ok(TargetType::Room),
            other => Err(wrong_kind::<Self>(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Int(self.number())
    }

    fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
        to.int(self.number())
    }
}

/// What became of a friend request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestState {
    /// The user sent it.
    Sent,
    /// The user accepted it.
    Accepted,
    /// The user declined it.
    Declined,
}

impl RequestState {
    /// The state as the wire has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
        }
    }
}

impl Param for RequestState {
    const KIND: &'static str = "str sent, accepted or declined";

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        let states = [Self::Sent, Self::Accepted, Self::Declined];
        let named = |state: &Self| matches!(value, Value::Str(text) if text == state.as_str());
        let state = states.into_iter().find(named);
        state.ok_or_else(|| match value {
            Value::Str(_) => ParamError::new("", format!("must be {}", Self::KIND)),
            other => wrong_kind::<Self>(other),
        })
    }

    fn to_value(&self) -> Value {
        Value::Str(self.as_str().to_owned())
    }

    fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
        to.text(self.as_str())
    }
}

/// What a user may do in a room. A role may do all that a lower one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoomRole {
    /// Reads and writes.
    Member,
    /// Also invites, sends away, bans, and changes how the room works.
    Operator,
    /// Also changes its name, its privacy and the roles of others, and closes it.
    Owner,
}

impl RoomRole {
    /// The role as the wire has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }
}

impl Param for RoomRole {
    const KIND: &'static str = "str member, operator or owner";

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        let roles = [Self::Member, Self::Operator, Self::Owner];
        let named = |role: &Self| matches!(value, Value::Str(text) if text == role.as_str());
        let role = roles.into_iter().find(named);
        role.ok_or_else(|| match value {
            Value::Str(_) => ParamError::new("", format!("must be {}", Self::KIND)),
            other => wrong_kind::<Self>(other),
        })
    }

    fn to_value(&self) -> Value {
        Value::Str(self.as_str().to_owned())
    }

    fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
        to.text(self.as_str())
    }
}

/// Days that a room keeps its messages, in a request that changes the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepDays {
    /// Left out: nothing changes.
    Unchanged,
    /// A number of days, 0 for none; null for as many as the server keeps.
    Set(Option<u64>),
}

impl Param for KeepDays {
    const KIND: &'static str = "int or null";
    const OPTIONAL: bool = true;

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        match value {
            Value::Null => Ok(Self::Set(None)),
            Value::Int(days) => Ok(Self::Set(Some(*days))),
            other => Err(wrong_kind::<Self>(other)),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Unchanged | Self::Set(None) => Value::Null,
            Self::Set(Some(days)) => Value::Int(*days),
        }
    }

    fn absent() -> Option<Self> {
        Some(Self::Unchanged)
    }

    fn is_absent(&self) -> bool {
        *self == Self::Unchanged
    }
}

/// The members that LIST_MEMBERS asks for: of a room, all that one reply can hold, or a page of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembersOf {
    /// The room.
    pub roomname: NameQuery,
    /// The page; `None` for a list without pages.
    pub page: Option<MemberPage>,
}

/// A page of a room's members, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberPage {
    /// Only names behind this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: Option<u64>,
}

impl From<NameQuery> for MembersOf {
    /// The list without pages.
    fn from(roomname: NameQuery) -> Self {
        Self {
            roomname,
            page: None,
        }
    }
}

impl Param for MembersOf {
    const KIND: &'static str = "str or {roomname: str, after?: str, limit?: int}";

    fn part(&self) -> Option<Part<'_>> {
        self.roomname.part()
    }

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        match value {
            Value::Str(name) => Ok(NameQuery::new(name).into()),
            Value::Dict(_) => {
                let mut fields = Fields::of(value)?;
                let roomname = fields.take("roomname")?;
                let page = MemberPage {
                    after: fields.take("after")?,
                    limit: fields.take("limit")?,
                };
                fields.finish()?;
                Ok(Self {
                    roomname,
                    page: Some(page),
                })
            }
            other => Err(wrong_kind::<Self>(other)),
        }
    }

    fn to_value(&self) -> Value {
        let Some(page) = &self.page else {
            return self.roomname.to_value();
        };
        let mut entries = Vec::new();
        put(&mut entries, "roomname", &self.roomname);
        put(&mut entries, "after", &page.after);
        put(&mut entries, "limit", &page.limit);
        Value::Dict(entries)
    }
}

/// A parameter that may be left out or null.
impl<T: Param> Param for Option<T> {
    const KIND: &'static str = T::KIND;
    const OPTIONAL: bool = true;
    const SECRET: bool = T::SECRET;

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        match (T::from_value(value), value) {
            (Ok(inner), _) => Ok(Some(inner)),
            (Err(_), Value::Null) => Ok(None),
            (Err(error), _) => Err(error),
        }
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, Param::to_value)
    }

    fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
        match self {
            Some(inner) => inner.encode(to),
            None => to.null(),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn part(&self) -> Option<Part<'_>> {
        self.as_ref().and_then(Param::part)
    }
}

/// A mark that is sent only when it is true: left out or null, it is false.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark(pub bool);

impl Param for Mark {
    const KIND: &'static str = bool::KIND;
    const OPTIONAL: bool = true;

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        Option::<bool>::from_value(value).map(|mark| Self(mark.unwrap_or(false)))
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }

    fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.0.encode(to)
    }

    fn absent() -> Option<Self> {
        Some(Self(false))
    }

    fn is_absent(&self) -> bool {
        !self.0
    }
}

/// A parameter that is always there and may be null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nullable<T>(pub Option<T>);

impl<T: Param> Param for Nullable<T> {
    const KIND: &'static str = T::KIND;
    const SECRET: bool = T::SECRET;

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        Option::from_value(value).map(Self)
    }

    fn part(&self) -> Option<Part<'_>> {
        self.0.part()
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }

    fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.0.encode(to)
    }
}

impl<T: Param> Param for Vec<T> {
    const KIND: &'static str = "list";
    const SECRET: bool = T::SECRET;

    fn from_value(value: &Value) -> Result<Self, ParamError> {
        match value {
            Value::List(items) => items.iter().map(T::from_value).collect(),
            other => Err(wrong_kind::<Self>(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::List(self.iter().map(Param::to_value).collect())
    }

    fn encode(&self, to: &mut Encoder<'_>) -> Result<(), EncodeError> {
        to.list(|to| self.iter().try_for_each(|item| item.encode(to)))
    }
}

/// The entries of a dict, read by name.
pub(crate) struct Fields<'a> {
    entries: &'a [(String, Value)],
    // Which parameters have been asked for: what is left is unknown.
    known: Keys<'static>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a Value) -> Result<Self, ParamError> {
        match value {
            Value::Dict(entries) => Ok(Self {
                entries,
                known: Keys::new(),
            }),
            other => Err(ParamError::new(
                "params",
                format!("must be dict, not {}", other.kind()),
            )),
        }
    }

    pub(crate) fn take<T: Param>(&mut self, field: &'static str) -> Result<T, ParamError> {
        self.known.push(field);
        match self.entries.iter().find(|(key, _)| key == field) {
            Some((_, value)) => T::from_value(value).map_err(|error| error.of(field)),
            None => T::absent().ok_or_else(|| ParamError::new(field, "is missing")),
        }
    }

    /// Refuses keys that nothing asked for: requests are read so, replies and events are not.
    pub(crate) fn finish(self) -> Result<(), ParamError> {
        match self
            .entries
            .iter()
            .find(|(key, _)| !self.known.contains(&key.as_str()))
        {
            Some((key, _)) => Err(ParamError::new(key, "is not a parameter of this command")),
            None => Ok(()),
        }
    }
}

pub(crate) fn put<T: Param>(entries: &mut Vec<(String, Value)>, field: &str, value: &T) {
    if !value.is_absent() {
        entries.push((field.to_owned(), value.to_value()));
    }
}

/// Writes an entry of a dict as [`put`] makes it.
pub(crate) fn encode_entry<T: Param>(
    to: &mut Encoder<'_>,
    field: &str,
    value: &T,
) -> Result<(), EncodeError> {
    if value.is_absent() {
        return Ok(());
    }
    to.key(field)?;
    value.encode(to)
}
