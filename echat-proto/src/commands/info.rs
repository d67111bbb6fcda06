//! What the table says of a command, for tools and documents.

use super::{COMMANDS, channel, event};
use crate::records::Code;

/// The direction of a command, and when it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Client to server; gets exactly one final reply.
    Request,
    /// Server to client: the final reply of a request.
    Reply,
    /// Server to client, not in reply to a request.
    Event,
    /// Server to client: as a reply it has the key `txn_id`, as an event never.
    ReplyOrEvent,
    /// Server to client: the final reply of a request that was refused.
    Refusal,
    /// Both ways, below requests.
    Channel,
}

/// A parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// Its name; for a command whose params are one bare value, what that value is.
    pub name: &'static str,
    /// Its type.
    pub kind: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether it is a secret, as a password is: wiped after use and shown nowhere.
    pub secret: bool,
}

/// The form of a command's params.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// null.
    Null,
    /// One bare value.
    One(FieldInfo),
    /// A dict.
    Dict(&'static [FieldInfo]),
}

/// What a request does to the session of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEffect {
    /// Nothing.
    Keeps,
    /// Logs a user in. LOGIN_SUCCESS says so before the final reply.
    Begins,
    /// Logs the user out.
    Ends,
}

/// How a request is answered: everything about it that both sides of the wire know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    /// The number of the final reply when the request is done.
    pub reply: u32,
    /// The number of the final reply when the request is refused.
    pub refusal: u32,
    /// Codes that are refused by a number of their own.
    pub own_refusals: &'static [(Code, u32)],
    /// Whether the reply may be as long as a page ([`limits::PAGE_BYTES`](crate::limits::PAGE_BYTES)).
    pub paged: bool,
    /// What the request does to the session.
    pub session: SessionEffect,
}

impl Answers {
    /// The number of the refusal for `code`.
    pub fn refusal_for(&self, code: Code) -> u32 {
        let own = self.own_refusals.iter().find(|(own, _)| *own == code);
        own.map_or(self.refusal, |(_, number)| *number)
    }

    /// The numbers of the row's refusals.
    pub fn refusals(&self) -> impl Iterator<Item = u32> + '_ {
        let own = self.own_refusals.iter().map(|(_, number)| *number);
        std::iter::once(self.refusal).chain(own)
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandInfo {
    /// The number on the wire.
    pub number: u32,
    /// The name, as documents and JSON have it.
    pub name: &'static str,
    /// Its direction.
    pub direction: Direction,
    /// Its parameters.
    pub shape: Shape,
    /// How a request is answered; `None` for everything else.
    pub answers: Option<Answers>,
    /// Its purpose.
    pub about: &'static str,
}

impl CommandInfo {
    /// The parameters.
    pub fn fields(&self) -> &[FieldInfo] {
        match &self.shape {
            Shape::Null => &[],
            Shape::One(field) => std::slice::from_ref(field),
            Shape::Dict(fields) => fields,
        }
    }

    /// Whether a parameter is a secret, as a password is.
    pub fn is_secret(&self) -> bool {
        self.fields().iter().any(|field| field.secret)
    }

    /// Whether the row declares `number` as a final reply of this request. COMMAND_WRONG is one of every
    /// request.
    ///
    /// ON_NEW_MESSAGE is a reply only with the key `txn_id`: see [`ending`](super::ending).
    pub fn is_ended_by(&self, number: u32) -> bool {
        let declared = |answers: &Answers| {
            answers.reply == number || answers.refusals().any(|refusal| refusal == number)
        };
        number == event::COMMAND_WRONG || self.answers.as_ref().is_some_and(declared)
    }
}

const fn bare(name: &'static str, kind: &'static str) -> Shape {
    Shape::One(FieldInfo {
        name,
        kind,
        optional: false,
        secret: false,
    })
}

const fn own(number: u32, name: &'static str, shape: Shape, about: &'static str) -> CommandInfo {
    let direction = Direction::Channel;
    CommandInfo {
        number,
        name,
        direction,
        shape,
        answers: None,
        about,
    }
}

pub(super) static CHANNEL: &[CommandInfo] = &[
    own(
        channel::FINISHED,
        "FINISHED",
        bare("mac", "bytes 32"),
        "The first frame of each direction: proof of having seen the same handshake.",
    ),
    own(
        channel::CLOSE_NOTIFY,
        "CLOSE_NOTIFY",
        bare("reason", "int"),
        "The last frame of a direction.",
    ),
    own(channel::PING, "PING", Shape::Null, "Asks for a PONG."),
    own(channel::PONG, "PONG", Shape::Null, "Answers a PING."),
    own(
        channel::BATCH,
        "BATCH",
        bare("items", "bytes"),
        "Several messages in one frame.",
    ),
];

/// The row of a number.
pub fn by_number(number: u32) -> Option<&'static CommandInfo> {
    COMMANDS
        .iter()
        .copied()
        .flatten()
        .find(|command| command.number == number)
}

/// The row of a name.
pub fn by_name(name: &str) -> Option<&'static CommandInfo> {
    COMMANDS
        .iter()
        .copied()
        .flatten()
        .find(|command| command.name == name)
}
