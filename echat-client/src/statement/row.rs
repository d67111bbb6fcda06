//! What a row of the table is made of.

use echat_proto::Value;
use echat_proto::commands::{Request, RequestKind};
use echat_proto::limits::{AWAY_BYTES, REASON_BYTES, TOPIC_BYTES};
use echat_proto::names::{
    InvitationCode, NameError, NameQuery, ReasonError, ReasonText, RoomName, Topic, TopicError,
    Username,
};
use echat_proto::param::{
    AwayText, Dict, KeepDays, MemberPage, MembersOf, Names, Nullable, RoomRole, ShortText,
    TargetType,
};
use echat_proto::records::Code;

use super::typed::Arguments;
use super::{Scope, Statement, ascii_form, duration};
use crate::text::{Language, Text};

/// Makes a [`CommandRow`]. `table.rs` says how a row is written.
macro_rules! row {
    (
        $($words:literal in $scopes:ident),+ $(($parameter:ident: $kind:ident $($count:tt)?))*
        en $english:literal zh $chinese:literal
        $($meaning:tt)+
    ) => {
        $crate::statement::row::CommandRow {
            names: &[$($crate::statement::row::Name { words: $words, scopes: $scopes }),+],
            parameters: &[$($crate::statement::row::Parameter {
                kind: $crate::statement::row::ParameterKind::$kind,
                count: count!($($count)?),
            }),*],
            help: |language| match language {
                $crate::text::Language::English => $english,
                $crate::text::Language::Chinese => $chinese,
            },
            meaning: meaning!([$(($parameter $($count)?))*] $($meaning)+),
        }
    };
}

/// How many words a parameter takes: one, `?` one or none, `*` any number.
macro_rules! count {
    () => {
        $crate::statement::row::Count::One
    };
    (?) => {
        $crate::statement::row::Count::Maybe
    };
    (*) => {
        $crate::statement::row::Count::Any
    };
}

/// What a row means, behind its help.
macro_rules! meaning {
    ($parameters:tt => $statement:expr) => {
        $crate::statement::row::CommandMeaning::Local(|arguments| {
            arguments!(arguments $parameters);
            $statement
        })
    };
    ($parameters:tt queries $request:ident { $($field:ident: $value:expr),* }) => {
        $crate::statement::row::CommandMeaning::Request($crate::statement::row::RequestSpec {
            changes: false,
            kind: ::echat_proto::commands::RequestKind::$request,
            request: request!($parameters $request { $($field: $value),* }),
            needs: None,
            confirm: None,
            done: None,
            refused: |_, _, _| None,
        })
    };
    (
        $parameters:tt asks $request:ident { $($field:ident: $value:expr),* }
        $(needs $role:ident)?
        $(confirm $question:tt prompt $prompt:tt declined $declined:tt)?
        $(done $done:tt)?
        $(refused { $($code:ident $why:tt)+ })?
    ) => {
        $crate::statement::row::CommandMeaning::Request($crate::statement::row::RequestSpec {
            changes: true,
            kind: ::echat_proto::commands::RequestKind::$request,
            request: request!($parameters $request { $($field: $value),* }),
            needs: option!($(::echat_proto::param::RoomRole::$role)?),
            confirm: option!($($crate::statement::row::Confirm {
                question: saying!($parameters $question),
                prompt: saying!($parameters $prompt),
                declined: saying!($parameters $declined),
            })?),
            done: option!($(saying!($parameters $done))?),
            refused: |_code, _language, _arguments| {
                $($(if _code == ::echat_proto::records::Code::$code {
                    let sentence: $crate::statement::row::Sentence = saying!($parameters $why);
                    return Some(sentence(_language, _arguments));
                })+)?
                None
            },
        })
    };
}

macro_rules! option {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

/// The request of a row, with its parameters bound to what was typed.
macro_rules! request {
    ($parameters:tt $request:ident { $($field:ident: $value:expr),* }) => {
        |arguments| {
            arguments!(arguments $parameters);
            Ok(::echat_proto::commands::Request::$request {
                $($field: $crate::statement::row::ToParameter::to_parameter($value)?),*
            })
        }
    };
}

/// A sentence of a row, with its parameters bound to the words for them.
macro_rules! saying {
    ([$(($parameter:ident $($count:tt)?))*] { en $english:literal zh $chinese:literal }) => {
        |language, arguments| {
            let spoken = arguments.spoken(language);
            #[allow(unused_mut, unused_variables, reason = "a sentence need not name each parameter")]
            let mut words = spoken.iter();
            $(
                #[allow(unused_variables, reason = "the same")]
                let $parameter = words.next().map_or("", String::as_str);
            )*
            match language {
                $crate::text::Language::English => format!($english),
                $crate::text::Language::Chinese => format!($chinese),
            }
        }
    };
}

/// Binds the parameters of a row to what was typed: a `&str`, with `?` an `Option<&str>`, with `*` a
/// `&[String]`.
macro_rules! arguments {
    ($arguments:ident [$(($parameter:ident $($count:tt)?))*]) => {
        #[allow(unused_mut, unused_variables, reason = "a row may have no parameters")]
        let mut words = $arguments.iter();
        $(
            #[allow(unused_variables, reason = "a meaning need not use each parameter")]
            let $parameter = argument!(words $($count)?);
        )*
    };
}

macro_rules! argument {
    ($words:ident) => {
        $words
            .next()
            .and_then(|typed| typed.first())
            .map_or("", String::as_str)
    };
    ($words:ident ?) => {
        $words
            .next()
            .and_then(|typed| typed.first())
            .map(String::as_str)
    };
    ($words:ident *) => {
        $words.next().map_or(&[][..], |typed| &typed[..])
    };
}

/// A row of the table: what is typed, what it is for, and what it means.
#[derive(Debug)]
pub(super) struct CommandRow {
    pub(super) names: &'static [Name],
    pub(super) parameters: &'static [Parameter],
    pub(super) help: fn(Language) -> &'static str,
    pub(super) meaning: CommandMeaning,
}

/// The words that begin a command, and the modes that read them.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) words: &'static str,
    pub(super) scopes: &'static [Scope],
}

/// What follows the words of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) kind: ParameterKind,
    pub(super) count: Count,
}

/// How many words a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    One,
    Maybe,
    Any,
}

/// What a parameter is: how help shows it, what it takes, and what Tab offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParameterKind {
    /// The name of a user.
    User,
    /// A user with an open friend request.
    Asker,
    /// The name of a room.
    Room,
    /// The name of a room. In the chat of a room it may be left out. If something follows it, it begins with `#`,
    /// so that it can be told from that.
    Here,
    /// The name of a user or a room.
    Target,
    /// What to look for, to the end of the line.
    Words,
    /// A message, to the end of the line.
    Text,
    /// The number of an unsent line, or the word for all of them.
    Line,
    /// How often something can be used.
    Uses,
    /// A number of days.
    Days,
    /// An invitation code.
    Code,
    /// A command of the server's administration.
    Order,
    /// The name of a member of the open room.
    Member,
    /// The name of a room that the user may join.
    Joinable,
    /// A name for a room. The words that say who can join it are none.
    NewRoom,
    /// The name of a friend, or of a room with `#` before it.
    Addressee,
    /// A topic, to the end of the line.
    Topic,
    /// A reason, to the end of the line.
    Reason,
    /// How long something lasts, with or without `for` before it; kept in its shortest form.
    For,
    /// `on` or `off`.
    Switch,
    /// Seconds of slow mode, or `off`; kept as a number.
    Slow,
    /// Days that messages are kept; kept as a number or as `server`.
    Keep,
    /// The number of a message. A word that is none is left to what follows.
    Number,
    /// A day, to the end of the line.
    Day,
    /// An emoji, or a word for one.
    Emoji,
    /// The path of a file, to the end of the line.
    File,
}

impl ParameterKind {
    /// What stands for the parameter in help.
    pub(super) fn placeholder(self, language: Language) -> String {
        language.say(match self {
            Self::User | Self::Asker | Self::Member => Text::AUser,
            Self::Room | Self::Here | Self::Joinable => Text::ARoom,
            Self::Target | Self::NewRoom => Text::AName,
            Self::Addressee => Text::AnAddressee,
            Self::Topic => Text::ATopic,
            Self::Reason => Text::AReason,
            Self::For => Text::ADuration,
            Self::Switch => Text::ASwitch,
            Self::Slow => Text::ASlowness,
            Self::Keep => Text::ADayCount,
            Self::Words => Text::AWord,
            Self::Text => Text::AText,
            Self::Line => Text::ALineNumber,
            Self::Uses => Text::AUses,
            Self::Days => Text::ADays,
            Self::Code => Text::ACode,
            Self::Number => Text::ANumber,
            Self::Day => Text::ADay,
            Self::Emoji => Text::AnEmoji,
            Self::Order => Text::AnOrder,
            Self::File => Text::AFile,
        })
    }

    /// Whether it takes the rest of the line.
    pub(super) fn takes_rest(self) -> bool {
        matches!(
            self,
            Self::Words
                | Self::Text
                | Self::Topic
                | Self::Reason
                | Self::Day
                | Self::Slow
                | Self::Keep
                | Self::File
        )
    }

    /// Whether it is a name, whose spelling does not count.
    pub(super) fn is_name(self) -> bool {
        matches!(
            self,
            Self::User
                | Self::Asker
                | Self::Member
                | Self::Room
                | Self::Here
                | Self::Joinable
                | Self::NewRoom
                | Self::Target
        )
    }
}

/// A number in digits of any width; `None` for anything else.
pub(super) fn number_of(word: &str) -> Option<u64> {
    let digits: String = word.chars().map(ascii_form).collect();
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// What a command means.
#[derive(Debug)]
pub(super) enum CommandMeaning {
    /// The mode does something.
    Local(fn(&Arguments) -> Statement),
    /// The server is asked.
    Request(RequestSpec),
}

/// A request to the server, and what is said about it.
#[derive(Debug)]
pub(super) struct RequestSpec {
    /// Whether it changes something on the server.
    pub(super) changes: bool,
    pub(super) kind: RequestKind,
    pub(super) request: fn(&Arguments) -> Result<Request, RequestError>,
    /// The role in the room without which the server refuses it. A command with a question names it, so that it is
    /// refused before the question.
    pub(super) needs: Option<RoomRole>,
    /// What is asked on a terminal before the request is sent.
    pub(super) confirm: Option<Confirm>,
    /// What is said when the request is done. Replies with contents are shown by `modes::answers`.
    pub(super) done: Option<Sentence>,
    /// What a refusal means, where the row says more than the sentence of the code.
    pub(super) refused: fn(Code, Language, &Arguments) -> Option<String>,
}

/// A question before a request.
#[derive(Debug)]
pub(super) struct Confirm {
    pub(super) question: Sentence,
    /// The question in the prompt.
    pub(super) prompt: Sentence,
    /// What is said after a no.
    pub(super) declined: Sentence,
}

/// A sentence about what was typed.
pub(super) type Sentence = fn(Language, &Arguments) -> String;

/// Why what was typed makes no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// No room can have this name.
    Name(NameError),
    /// A text is too long.
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// Its characters.
        characters: usize,
        /// The bytes that are allowed.
        limit: usize,
    },
    /// A control character in a text of one line.
    Control(char),
}

impl RequestError {
    fn too_long(text: &str, limit: usize) -> Self {
        Self::TooLong {
            bytes: text.len(),
            characters: text.chars().count(),
            limit,
        }
    }
}

/// What a parameter of a request is filled with.
pub(super) trait ToParameter<T> {
    fn to_parameter(self) -> Result<T, RequestError>;
}

impl ToParameter<NameQuery> for &str {
    fn to_parameter(self) -> Result<NameQuery, RequestError> {
        Ok(NameQuery::new(self))
    }
}

impl ToParameter<RoomName> for &str {
    fn to_parameter(self) -> Result<RoomName, RequestError> {
        RoomName::new(self).map_err(RequestError::Name)
    }
}

impl ToParameter<MembersOf> for &str {
    fn to_parameter(self) -> Result<MembersOf, RequestError> {
        Ok(NameQuery::new(self).into())
    }
}

impl ToParameter<ReasonText> for &str {
    fn to_parameter(self) -> Result<ReasonText, RequestError> {
        ReasonText::new(self).map_err(|error| match error {
            ReasonError::TooLong(_) => RequestError::too_long(self, REASON_BYTES),
            ReasonError::Control(c) => RequestError::Control(c),
        })
    }
}

impl ToParameter<Topic> for &str {
    fn to_parameter(self) -> Result<Topic, RequestError> {
        Topic::new(self).map_err(|error| match error {
            TopicError::TooLong(_) => RequestError::too_long(self, TOPIC_BYTES),
            TopicError::Control(c) => RequestError::Control(c),
        })
    }
}

impl ToParameter<AwayText> for &str {
    fn to_parameter(self) -> Result<AwayText, RequestError> {
        if self.len() > AWAY_BYTES {
            return Err(RequestError::too_long(self, AWAY_BYTES));
        }
        match self.chars().find(|c| c.is_control()) {
            Some(c) => Err(RequestError::Control(c)),
            None => Ok(AwayText(Some(self.to_owned()))),
        }
    }
}

/// Without a text the user is back.
impl ToParameter<AwayText> for Option<&str> {
    fn to_parameter(self) -> Result<AwayText, RequestError> {
        self.map_or(Ok(AwayText(None)), ToParameter::to_parameter)
    }
}

impl ToParameter<Username> for &str {
    fn to_parameter(self) -> Result<Username, RequestError> {
        Username::new(self).map_err(RequestError::Name)
    }
}

impl ToParameter<InvitationCode> for &str {
    fn to_parameter(self) -> Result<InvitationCode, RequestError> {
        let code: String = self.chars().map(ascii_form).collect();
        InvitationCode::presented(&code)
            .map_err(|_| RequestError::too_long(self, InvitationCode::PRESENTED_MAX))
    }
}

impl<const BYTES: usize> ToParameter<ShortText<BYTES>> for &str {
    fn to_parameter(self) -> Result<ShortText<BYTES>, RequestError> {
        Ok(ShortText(self.to_owned()))
    }
}

impl ToParameter<Names> for &[String] {
    fn to_parameter(self) -> Result<Names, RequestError> {
        Ok(Names(self.to_vec()))
    }
}

impl ToParameter<String> for &str {
    fn to_parameter(self) -> Result<String, RequestError> {
        Ok(self.to_owned())
    }
}

/// The words behind a command of the server's administration.
impl ToParameter<Dict> for Option<&str> {
    fn to_parameter(self) -> Result<Dict, RequestError> {
        let words = self.unwrap_or_default().split_whitespace();
        let words = words.map(Value::from).collect();
        Ok(Dict(vec![("words".to_owned(), Value::List(words))]))
    }
}

/// A number of the kinds `Slow` and `For`, which is one in any of their forms.
impl ToParameter<u64> for &str {
    fn to_parameter(self) -> Result<u64, RequestError> {
        let seconds = duration::number(self).or_else(|| duration::seconds(self));
        Ok(seconds.unwrap_or_default())
    }
}

/// Days of the kind `Keep`.
impl ToParameter<KeepDays> for &str {
    fn to_parameter(self) -> Result<KeepDays, RequestError> {
        Ok(KeepDays::Set(duration::number(self)))
    }
}

impl ToParameter<KeepDays> for KeepDays {
    fn to_parameter(self) -> Result<KeepDays, RequestError> {
        Ok(self)
    }
}

impl ToParameter<RoomRole> for RoomRole {
    fn to_parameter(self) -> Result<RoomRole, RequestError> {
        Ok(self)
    }
}

/// A page of members, behind a name.
impl ToParameter<MembersOf> for (&str, Option<&str>) {
    fn to_parameter(self) -> Result<MembersOf, RequestError> {
        let (room, after) = self;
        Ok(MembersOf {
            roomname: NameQuery::new(room),
            page: Some(MemberPage {
                after: after.map(str::to_owned),
                limit: None,
            }),
        })
    }
}

impl ToParameter<u64> for u64 {
    fn to_parameter(self) -> Result<u64, RequestError> {
        Ok(self)
    }
}

/// A parameter that may be left out is given `Some` or, with its type, `None::<&str>`.
impl<Given: ToParameter<T>, T> ToParameter<Option<T>> for Option<Given> {
    fn to_parameter(self) -> Result<Option<T>, RequestError> {
        self.map(ToParameter::to_parameter).transpose()
    }
}

impl<Given: ToParameter<T>, T> ToParameter<Nullable<T>> for Option<Given> {
    fn to_parameter(self) -> Result<Nullable<T>, RequestError> {
        self.to_parameter().map(Nullable)
    }
}

impl ToParameter<TargetType> for TargetType {
    fn to_parameter(self) -> Result<TargetType, RequestError> {
        Ok(self)
    }
}

impl ToParameter<bool> for bool {
    fn to_parameter(self) -> Result<bool, RequestError> {
        Ok(self)
    }
}
