//! The parameters of commands: words as people type them, or values by name, as Rust types.

use super::super::Reject;
use crate::clock::LAST_TIME;
use crate::config::{LogFilter, Registration};
use crate::limits::AddressPrefix;
use echat_proto::Value;
use echat_proto::config::{MESSAGE_OF_THE_DAY_BYTES, is_message_of_the_day};
use echat_proto::names::{InvitationCode, NameQuery, Username, refused_in_one_line};
use echat_proto::param::{Param, ParamError};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::path::PathBuf;

/// The name under which words stand in place of values by name.
pub(super) const WORDS: &str = "words";
/// Most bytes of a text, such as a reason: as of a reason on the wire.
const TEXT_BYTES: usize = 200;
/// Most bytes of a text that users are shown, such as a broadcast.
const LONG_TEXT_BYTES: usize = 1_000;

/// A type of parameters.
pub(super) trait Argument: Sized {
    /// The type in a word, for help.
    const KIND: &'static str;
    /// Whether the parameter may be left out.
    const OPTIONAL: bool = false;
    /// Whether it takes all words that are left.
    const IS_REST: bool = false;
    /// Whether it is a secret, which is neither logged nor in the audit.
    const IS_SECRET: bool = false;

    /// Reads a value; the error is a sentence about the parameter. `now` is in unix seconds.
    fn read(value: &Value, now: i64) -> Result<Self, ParamError>;

    /// What stands for a parameter that is left out, if it may be.
    fn absent() -> Option<Self> {
        None
    }

    /// Whether a typed word is meant for this parameter. An optional one leaves others to the next.
    fn claims(_: &str) -> bool {
        true
    }
}

impl<T: Argument> Argument for Option<T> {
    const KIND: &'static str = T::KIND;
    const OPTIONAL: bool = true;
    const IS_REST: bool = T::IS_REST;
    const IS_SECRET: bool = T::IS_SECRET;

    fn read(value: &Value, now: i64) -> Result<Self, ParamError> {
        match value {
            Value::Null => Ok(None),
            value => T::read(value, now).map(Some),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn claims(word: &str) -> bool {
        T::claims(word)
    }
}

fn wrong(message: impl Into<String>) -> ParamError {
    ParamError::new("", message)
}

fn text(value: &Value) -> Result<&str, ParamError> {
    match value {
        Value::Str(text) => Ok(text),
        other => Err(wrong(format!("must be text, not {}", other.kind()))),
    }
}

/// Types of the wire.
macro_rules! wire_arguments {
    ($($type:ty = $kind:literal, secret: $secret:literal;)*) => {$(
        impl Argument for $type {
            const KIND: &'static str = $kind;
            const IS_SECRET: bool = $secret;
            fn read(value: &Value, _: i64) -> Result<Self, ParamError> {
                <Self as Param>::from_value(value)
            }
        }
    )*};
}

wire_arguments! {
    NameQuery = "name", secret: false;
    Username = "name", secret: false;
    InvitationCode = "code", secret: true;
}

/// A whole number of a range.
pub(super) struct Whole<const LEAST: u64, const MOST: u64>(pub(super) u64);

/// A whole number.
pub(super) type Number = Whole<0, { u64::MAX }>;

impl<const LEAST: u64, const MOST: u64> Argument for Whole<LEAST, MOST> {
    const KIND: &'static str = "number";

    fn read(value: &Value, _: i64) -> Result<Self, ParamError> {
        let number = match value {
            Value::Int(number) => Some(*number),
            value => text(value).ok().and_then(|text| text.parse().ok()),
        };
        let number = number.filter(|number| (LEAST..=MOST).contains(number));
        number
            .map(Self)
            .ok_or_else(|| wrong(format!("must be a whole number from {LEAST} to {MOST}")))
    }

    fn claims(word: &str) -> bool {
        word.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// The word for no end.
const FOREVER: &str = "forever";

/// A time to come: unix seconds, a duration from now (`30m`, `12h`, `7d`), a day in UTC (`2026-12-31`), or `forever`,
/// which is no end. It claims its word whatever that is: a misspelt time is an error, and not the beginning of a
/// reason.
pub(super) struct EndTime(pub(super) Option<i64>);

impl Argument for EndTime {
    const KIND: &'static str = "time";
    const OPTIONAL: bool = true;

    fn read(value: &Value, now: i64) -> Result<Self, ParamError> {
        let at = match value {
            Value::Null => return Ok(Self(None)),
            Value::Str(text) if text == FOREVER => return Ok(Self(None)),
            Value::Int(at) => i64::try_from(*at).ok(),
            value => text(value).ok().and_then(|text| time(text, now)),
        };
        let at = at.ok_or_else(|| {
            wrong("must be a time, such as 30m, 12h, 7d or 2026-12-31, or forever")
        })?;
        if at <= now {
            return Err(wrong("must be a time to come"));
        }
        if at > LAST_TIME {
            return Err(wrong("must be a time before the year 10000, or forever"));
        }
        Ok(Self(Some(at)))
    }

    fn absent() -> Option<Self> {
        Some(Self(None))
    }
}

fn time(text: &str, now: i64) -> Option<i64> {
    if let Ok(day) = text.parse::<Date>() {
        let midnight = day.at(0, 0, 0, 0).to_zoned(TimeZone::UTC).ok()?;
        return Some(midnight.timestamp().as_second());
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.as_second());
    }
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let count: i64 = text[..text.len() - 1].parse().ok()?;
    now.checked_add(count.checked_mul(unit)?)
}

/// One line of text.
pub(super) struct OneLine<const BYTES: usize>(pub(super) String);

/// A reason.
pub(super) type Reason = OneLine<TEXT_BYTES>;
/// A text for users.
pub(super) type Announcement = OneLine<LONG_TEXT_BYTES>;

impl<const BYTES: usize> Argument for OneLine<BYTES> {
    const KIND: &'static str = "text";
    const IS_REST: bool = true;

    fn read(value: &Value, _: i64) -> Result<Self, ParamError> {
        let text = text(value)?.trim();
        if text.is_empty() || text.len() > BYTES {
            return Err(wrong(format!("must have 1 to {BYTES} bytes")));
        }
        if refused_in_one_line(text).is_some() {
            return Err(wrong("must be one line without control characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A message of the day, or the word `none` for no message.
pub(super) struct MessageOfTheDay(pub(super) Option<String>);

/// The word for no message.
const NO_MESSAGE: &str = "none";

impl Argument for MessageOfTheDay {
    const KIND: &'static str = "TEXT|none";
    const IS_REST: bool = true;

    fn read(value: &Value, _: i64) -> Result<Self, ParamError> {
        let text = text(value)?.trim();
        if text == NO_MESSAGE {
            return Ok(Self(None));
        }
        if !is_message_of_the_day(text) {
            return Err(wrong(format!(
                "must have 1 to {MESSAGE_OF_THE_DAY_BYTES} bytes without control characters; {NO_MESSAGE} removes it"
            )));
        }
        Ok(Self(Some(text.to_owned())))
    }
}

/// The name behind which a list begins.
pub(super) struct NameCursor(pub(super) String);

impl Argument for NameCursor {
    const KIND: &'static str = "name";

    fn read(value: &Value, _: i64) -> Result<Self, ParamError> {
        let after = NameQuery::new(text(value)?);
        Ok(Self(after.key().unwrap_or(after.raw()).to_owned()))
    }
}

/// One of a few words.
pub(super) trait Choices: Sized + Copy + 'static {
    /// All of them.
    const ALL: &'static [Self];
    /// Their words with bars between.
    const KIND: &'static str;

    /// The word.
    fn word(self) -> &'static str;

    /// The choice of a word.
    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.word() == word)
    }
}

/// A parameter that is one of a few words.
pub(super) struct Choice<T>(pub(super) T);

impl<T: Choices> Argument for Choice<T> {
    const KIND: &'static str = T::KIND;

    fn read(value: &Value, _: i64) -> Result<Self, ParamError> {
        let found = T::of_word(text(value)?);
        found
            .map(Self)
            .ok_or_else(|| wrong(format!("must be {}", T::KIND)))
    }

    fn claims(word: &str) -> bool {
        T::of_word(word).is_some()
    }
}

impl Choices for Registration {
    const ALL: &'static [Self] = &[Self::Open, Self::Invitation, Self::Closed];
    const KIND: &'static str = "open|invitation|closed";

    fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invitation => "invitation",
            Self::Closed => "closed",
        }
    }
}

/// What becomes of the messages of a deleted account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageDisposal {
    Keep,
    Erase,
}

impl Choices for MessageDisposal {
    const ALL: &'static [Self] = &[Self::Keep, Self::Erase];
    const KIND: &'static str = "keep-messages|erase-messages";

    fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep-messages",
            Self::Erase => "erase-messages",
        }
    }
}

/// What becomes of the tokens of a user's bots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenDisposal {
    Void,
    Keep,
}

impl Choices for TokenDisposal {
    const ALL: &'static [Self] = &[Self::Void, Self::Keep];
    const KIND: &'static str = "void-tokens|keep-tokens";

    fn word(self) -> &'static str {
        match self {
            Self::Void => "void-tokens",
            Self::Keep => "keep-tokens",
        }
    }
}

impl Argument for LogFilter {
    const KIND: &'static str = "level";

    fn read(value: &Value, _: i64) -> Result<Self, ParamError> {
        Self::parse(text(value)?).map_err(|bad| wrong(bad.to_string()))
    }
}

impl Argument for AddressPrefix {
    const KIND: &'static str = "address";

    fn read(value: &Value, _: i64) -> Result<Self, ParamError> {
        let prefix = text(value)?.parse().ok();
        prefix.ok_or_else(|| wrong("must be an address or a prefix, such as 192.0.2.0/24"))
    }
}

impl Argument for PathBuf {
    const KIND: &'static str = "file";

    fn read(value: &Value, _: i64) -> Result<Self, ParamError> {
        let path = PathBuf::from(text(value)?);
        if path.as_os_str() == "-" {
            return Err(wrong("must be a file: the server reads and writes it"));
        }
        if !path.is_absolute() {
            return Err(wrong("must be a full path"));
        }
        Ok(path)
    }
}

/// A name among those of the command's own.
pub(super) struct Identifier(pub(super) String);

impl Argument for Identifier {
    const KIND: &'static str = "name";

    fn read(value: &Value, _: i64) -> Result<Self, ParamError> {
        let label = text(value)?;
        if label.is_empty() || label.len() > 64 {
            return Err(wrong("is no such name"));
        }
        Ok(Self(label.to_owned()))
    }
}

/// What the table says of a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParamInfo {
    /// Its name.
    pub name: &'static str,
    /// Its type in a word.
    pub kind: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
    pub(super) is_rest: bool,
    pub(super) is_secret: bool,
    pub(super) claims: fn(&str) -> bool,
    /// Whether a value is one of the type. The time is in unix seconds.
    is_valid: fn(&Value, i64) -> bool,
}

impl ParamInfo {
    pub(super) const fn of<T: Argument>(name: &'static str) -> Self {
        Self {
            name,
            kind: T::KIND,
            optional: T::OPTIONAL,
            is_rest: T::IS_REST,
            is_secret: T::IS_SECRET,
            claims: T::claims,
            is_valid: |value, now| T::read(value, now).is_ok(),
        }
    }

    /// A value for the audit: neither a secret nor what is no value of the type, which may be a secret in a wrong
    /// place.
    pub(super) fn shown(&self, value: &Value, now: i64) -> String {
        match value {
            _ if self.is_secret || !(self.is_valid)(value, now) => HIDDEN.to_owned(),
            Value::Str(text) => text.clone(),
            Value::Int(number) => number.to_string(),
            _ => HIDDEN.to_owned(),
        }
    }
}

/// In the audit in place of what is not shown.
pub(super) const HIDDEN: &str = "...";

/// The arguments of a command, by name.
pub(super) type Arguments = Vec<(String, Value)>;

/// Reads an argument.
pub(super) fn take<T: Argument>(
    arguments: &Arguments,
    name: &'static str,
    now: i64,
) -> Result<T, Reject> {
    let found = arguments.iter().find(|(given, _)| given == name);
    let read = match found {
        Some((_, value)) => T::read(value, now),
        None => T::absent().ok_or_else(|| wrong("is missing")),
    };
    read.map_err(|error| error.of(name).into())
}

/// Gives words to parameters in their order, as [`assign`] does.
pub(super) fn from_words(params: &[ParamInfo], words: &[String]) -> Result<Arguments, Reject> {
    match assign(params, words) {
        (arguments, None) => Ok(arguments),
        (_, Some(word)) => {
            Err(ParamError::new(WORDS, format!("are too many: {word:?} is left")).into())
        }
    }
}

/// Gives words to parameters in their order. An optional parameter leaves a word that it does not claim to the next
/// one. Also returns the first word that is left.
pub(super) fn assign<'w>(
    params: &[ParamInfo],
    words: &'w [String],
) -> (Arguments, Option<&'w String>) {
    let mut arguments = Arguments::new();
    let mut words = words.iter().peekable();
    for (index, param) in params.iter().enumerate() {
        let Some(word) = words.peek() else {
            break;
        };
        let is_last = index + 1 == params.len();
        if param.optional && !is_last && !(param.claims)(word) {
            continue;
        }
        let value = if param.is_rest {
            let rest: Vec<&str> = words.by_ref().map(String::as_str).collect();
            rest.join(" ")
        } else {
            words.next().cloned().unwrap_or_default()
        };
        arguments.push((param.name.to_owned(), Value::Str(value)));
    }
    (arguments, words.next())
}

/// Refuses arguments that the command does not have.
pub(super) fn known(params: &[ParamInfo], arguments: &Arguments) -> Result<(), Reject> {
    let is_known = |name: &str| params.iter().any(|param| param.name == name);
    match arguments.iter().find(|(name, _)| !is_known(name)) {
        Some((name, _)) => Err(ParamError::new(name, "is not a parameter of this command").into()),
        None => Ok(()),
    }
}
