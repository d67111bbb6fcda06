//! What was typed behind the words of a command, and the request that it makes.

use std::fmt;

use echat_proto::commands::{Request, RequestKind};
use echat_proto::limits::KEEP_DAYS_MAX;
use echat_proto::param::{KeepDays, RoomRole};
use echat_proto::records::Code;

use super::command::{Command, commands};
use super::duration;
use super::row::{
    CommandMeaning, Count, Parameter, ParameterKind, RequestError, RequestSpec, Sentence,
};
use crate::target::{Target, normal_name};
use crate::text::{Language, Text, administration_command};

/// Makes a room, and does not say who can find and join it.
const CREATE: &str = "/create";
/// The same in contact mode: `room=ann+bob`.
const CREATE_WITH: &str = "=";
const CREATE_PRIVATE: &str = "/create private";
const CREATE_PUBLIC: &str = "/create public";
/// The command of the administration that takes the id of a message.
const DELETE_MESSAGE: &str = "delete-message";

/// What was typed for each parameter of a row, in order.
#[derive(Clone)]
pub(super) struct Arguments {
    parameters: &'static [Parameter],
    typed: Vec<Vec<String>>,
}

/// Without what may be a secret: a code, and what stands behind a command of the administration.
impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.each().map(|(parameter, typed)| match parameter.kind {
            ParameterKind::Code | ParameterKind::Text => None,
            _ => Some(typed),
        });
        f.debug_list().entries(shown).finish()
    }
}

impl Arguments {
    /// `typed` has the words of each parameter.
    pub(super) fn new(parameters: &'static [Parameter], typed: Vec<Vec<String>>) -> Self {
        Self { parameters, typed }
    }

    /// The words of each parameter, as they were typed.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Vec<String>> {
        self.typed.iter()
    }

    /// The words of each parameter, with names as the server spells them.
    pub(super) fn words(&self) -> impl Iterator<Item = Vec<String>> {
        self.each().map(|(parameter, typed)| match parameter.count {
            Count::Any => typed.clone(),
            _ => typed
                .iter()
                .map(|word| normal(parameter.kind, word))
                .collect(),
        })
    }

    /// What a sentence says for each parameter. A name is spelt as the server spells it; those of a list are as
    /// typed.
    pub(super) fn spoken(&self, language: Language) -> Vec<String> {
        let between = language.say(Text::BetweenNames);
        let words = self.parameters.iter().zip(self.words());
        words
            .map(|(parameter, words)| parameter.kind.spoken(&words.join(&between), language))
            .collect()
    }

    fn each(&self) -> impl Iterator<Item = (&Parameter, &Vec<String>)> {
        self.parameters.iter().zip(&self.typed)
    }

    fn first_of(&self, kinds: &[ParameterKind]) -> Option<String> {
        let is_one = |of: &Parameter| of.count != Count::Any && kinds.contains(&of.kind);
        let (parameter, typed) = self.each().find(|(parameter, _)| is_one(parameter))?;
        typed.first().map(|word| normal(parameter.kind, word))
    }
}

fn normal(kind: ParameterKind, word: &str) -> String {
    if kind.is_name() {
        normal_name(word)
    } else {
        word.to_owned()
    }
}

impl ParameterKind {
    /// What a sentence says for a word that was typed.
    fn spoken(self, word: &str, language: Language) -> String {
        let in_words = |seconds| duration::in_words(seconds, language);
        match self {
            Self::For => match duration::seconds(word) {
                Some(seconds) => language.say(Text::ForSoLong {
                    span: &in_words(seconds),
                }),
                None if word.is_empty() => language.say(Text::ForUnlimitedTime),
                None => word.to_owned(),
            },
            Self::Slow => match duration::number(word) {
                Some(0) => language.say(Text::NoTimeBetween),
                Some(seconds) => language.say(Text::TimeBetween {
                    span: &in_words(seconds),
                }),
                None => word.to_owned(),
            },
            Self::Switch => match word {
                "on" => language.say(Text::OnlyOperatorsWrite),
                "off" => language.say(Text::MembersWrite),
                word => word.to_owned(),
            },
            Self::Keep => match duration::number(word) {
                Some(days) => kept(days, language),
                None if word == "server" => language.say(Text::KeptAsServer),
                None => word.to_owned(),
            },
            _ => word.to_owned(),
        }
    }
}

/// For how many days messages are kept, in words.
pub fn kept(days: u64, language: Language) -> String {
    language.say(match days {
        0 => Text::KeptNot,
        KEEP_DAYS_MAX => Text::KeptForEver,
        count => Text::KeptDays { count },
    })
}

/// A typed command that asks the server.
#[derive(Clone, Debug)]
pub struct TypedRequest {
    pub(super) command: Command,
    pub(super) asks: &'static RequestSpec,
    pub(super) arguments: Arguments,
    /// Whether it was typed with a slash. The signs of contact mode are for staying in it.
    pub(super) has_slash: bool,
}

/// The same command about the same, whichever of its names was typed.
impl PartialEq for TypedRequest {
    fn eq(&self, other: &Self) -> bool {
        let spoken = |request: &Self| request.arguments.spoken(Language::English);
        std::ptr::eq(self.asks, other.asks) && spoken(self) == spoken(other)
    }
}

impl Eq for TypedRequest {}

impl TypedRequest {
    /// The request's row in the table of the protocol.
    pub fn kind(&self) -> RequestKind {
        self.asks.kind
    }

    /// The command.
    pub fn command(&self) -> Command {
        self.command
    }

    /// Whether the request changes nothing on the server.
    pub fn is_query(&self) -> bool {
        !self.asks.changes
    }

    /// See [`needs_login`].
    pub fn needs_login(&self) -> bool {
        needs_login(self.kind())
    }

    /// Whether a room was left out, so that the open one is meant.
    pub fn lacks_room(&self) -> bool {
        let mut each = self.arguments.each();
        each.any(|(parameter, typed)| parameter.kind == ParameterKind::Here && typed.is_empty())
    }

    /// Fills in the open room where a room was left out.
    #[must_use]
    pub fn in_room(mut self, open: &str) -> Self {
        let parameters = self.arguments.parameters.iter();
        for (parameter, typed) in parameters.zip(&mut self.arguments.typed) {
            if parameter.kind == ParameterKind::Here && typed.is_empty() {
                typed.push(open.to_owned());
            }
        }
        self
    }

    /// A room or a user has another name: the command is about the same one.
    pub fn rename(&mut self, was: &Target, now: &Target) {
        let parameters = self.arguments.parameters.iter();
        let is_meant = |parameter: &Parameter| match parameter.kind {
            ParameterKind::Room | ParameterKind::Here => was.is_room(),
            ParameterKind::User | ParameterKind::Asker | ParameterKind::Member => !was.is_room(),
            _ => false,
        };
        let each = parameters.zip(&mut self.arguments.typed);
        let meant = each.filter(|(parameter, _)| is_meant(parameter));
        for word in meant.flat_map(|(_, typed)| typed) {
            if normal_name(word) == was.name() {
                now.name().clone_into(word);
            }
        }
    }

    /// The rooms that it is about and that exist already, as the server spells their names.
    pub fn rooms(&self) -> Vec<String> {
        // The name from which a list begins need not be that of a room.
        if self.kind() == RequestKind::ListPublicRooms {
            return Vec::new();
        }
        let is_room = |of: &Parameter| matches!(of.kind, ParameterKind::Room | ParameterKind::Here);
        let rooms = self.arguments.each();
        let rooms = rooms.filter(|(parameter, _)| is_room(parameter));
        rooms
            .flat_map(|(_, typed)| typed)
            .map(|word| normal_name(word))
            .collect()
    }

    /// The request. What lasts for a while ends that long after `now`, in unix seconds.
    ///
    /// `now` is the time of the server, in unix seconds, from which a duration is counted.
    ///
    /// # Errors
    /// What was typed makes none.
    pub fn request(&self, now: u64) -> Result<Request, RequestError> {
        let mut request = (self.asks.request)(&self.arguments)?;
        if let Request::Ban {
            until: Some(until), ..
        } = &mut request
        {
            *until = until.saturating_add(now);
        }
        Ok(request)
    }

    /// Whether its end is counted from now on.
    pub fn is_timed(&self) -> bool {
        matches!(self.request(0), Ok(Request::Ban { until: Some(_), .. }))
    }

    /// Whether it makes a room and does not say who can find and join it.
    pub fn lacks_privacy(&self) -> bool {
        [CREATE, CREATE_WITH].contains(&self.command.words())
    }

    /// The same command for a room that is private or public.
    #[must_use]
    pub fn with_privacy(self, private: bool) -> Self {
        let words = if private {
            CREATE_PRIVATE
        } else {
            CREATE_PUBLIC
        };
        let Some(command) = commands().find(|command| command.words() == words) else {
            return self;
        };
        let CommandMeaning::Request(asks) = &command.row.meaning else {
            return self;
        };
        Self {
            command,
            asks,
            arguments: Arguments::new(command.parameters(), self.arguments.typed),
            has_slash: self.has_slash,
        }
    }

    /// The room whose chat it opens when it is done.
    pub fn opens(&self) -> Option<Target> {
        let is_way_in = matches!(self.kind(), RequestKind::JoinRoom | RequestKind::CreateRoom);
        let room = self.room().filter(|_| is_way_in && self.has_slash);
        room.map(Target::Room)
    }

    /// The name that has to be typed to confirm it.
    pub fn confirmed_by(&self) -> Option<String> {
        let is_last = self.kind() == RequestKind::CloseRoom;
        is_last.then(|| self.room()).flatten()
    }

    /// The user that it is about, as the server spells the name.
    pub fn user(&self) -> Option<String> {
        self.arguments.first_of(&[
            ParameterKind::User,
            ParameterKind::Asker,
            ParameterKind::Member,
        ])
    }

    /// The room that it is about, as the server spells the name.
    pub fn room(&self) -> Option<String> {
        self.arguments.first_of(&[
            ParameterKind::Room,
            ParameterKind::Here,
            ParameterKind::Joinable,
            ParameterKind::NewRoom,
        ])
    }

    /// What is looked for.
    pub fn words(&self) -> Option<String> {
        self.arguments.first_of(&[ParameterKind::Words])
    }

    /// The words of a command of the server's administration, its name first.
    pub fn order(&self) -> Vec<String> {
        let name = self.arguments.first_of(&[ParameterKind::Order]);
        let behind = self
            .arguments
            .first_of(&[ParameterKind::Text])
            .unwrap_or_default();
        let behind = behind.split_whitespace().map(str::to_owned);
        name.into_iter().chain(behind).collect()
    }

    /// The users in its list, as they were typed.
    pub fn users(&self) -> &[String] {
        let list = self.arguments.each();
        let mut list = list.filter(|(parameter, _)| parameter.count == Count::Any);
        list.next().map_or(&[][..], |(_, typed)| typed)
    }

    /// The command as it can be typed anywhere.
    pub fn line(&self) -> String {
        self.command.line(&self.arguments)
    }

    /// The same under its name with a slash; `None` if it has none.
    pub fn slash_line(&self) -> Option<String> {
        let Command { row, .. } = self.command;
        let name = row.names.iter().find(|name| name.words.starts_with('/'));
        let command = match name {
            Some(name) => Command { row, name },
            None if self.lacks_privacy() => commands().find(|other| other.words() == CREATE)?,
            None => return None,
        };
        Some(command.line(&self.arguments))
    }

    /// The role in the room without which the server refuses it, if the row says so.
    pub fn needs(&self) -> Option<RoomRole> {
        self.asks.needs
    }

    /// The question to ask on a terminal before the request is sent, in full and for the prompt.
    pub fn question(&self, language: Language) -> Option<(String, String)> {
        let confirm = self.asks.confirm.as_ref()?;
        if self.has_own_question() {
            let say = |saying: Sentence| saying(language, &self.arguments);
            return (!self.keeps_all()).then(|| (say(confirm.question), say(confirm.prompt)));
        }
        let words = self.order();
        let (command, _) = administration_command(&words)?;
        let line = &self.line();
        command.is_irreversible.then(|| {
            let question = language.say(Text::IrreversibleCommand { line });
            (question, language.say(Text::CarryOutShort { line }))
        })
    }

    /// Whether the question of its row is about it. That of the administration is about the one command whose number
    /// is easily taken for another.
    fn has_own_question(&self) -> bool {
        let order = self.arguments.first_of(&[ParameterKind::Order]);
        order.is_none_or(|order| order == DELETE_MESSAGE)
    }

    /// Whether it keeps the messages of a room for ever, by which none is removed.
    fn keeps_all(&self) -> bool {
        self.keeps() == KeepDays::Set(Some(KEEP_DAYS_MAX))
    }

    /// For how many days it keeps the messages of a room.
    pub fn keeps(&self) -> KeepDays {
        match self.request(0) {
            Ok(Request::SetRoom { keep_days, .. }) => keep_days,
            _ => KeepDays::Unchanged,
        }
    }

    /// What a no to the question means.
    pub fn declined(&self, language: Language) -> Option<String> {
        let confirm = self.asks.confirm.as_ref()?;
        Some(if self.has_own_question() {
            (confirm.declined)(language, &self.arguments)
        } else {
            language.say(Text::CommandNotCarriedOut { line: &self.line() })
        })
    }

    /// What is said when it is done; `None` if the reply is shown instead.
    pub fn done(&self, language: Language) -> Option<String> {
        self.asks.done.map(|done| done(language, &self.arguments))
    }

    /// What a refusal by this code means, if the row says it.
    pub fn refused(&self, code: Code, language: Language) -> Option<String> {
        (self.asks.refused)(code, language, &self.arguments)
    }
}

/// Whether the server refuses a request with `not_logged_in` on a connection without a login.
pub fn needs_login(kind: RequestKind) -> bool {
    !matches!(
        kind,
        RequestKind::QueryServerTime | RequestKind::Register | RequestKind::Login
    )
}
