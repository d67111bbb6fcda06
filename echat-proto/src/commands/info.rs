//! What the table says of a command, for tools and documents.

use super::{COMMANDS, channel};

/// Who sends a command, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Client to server; gets exactly one final reply.
    Request,
    /// Server to client: the final reply of a request.
    Reply,
    /// Server to client, unasked.
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

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandInfo {
    /// The number on the wire.
    pub number: u32,
    /// The name, as documents and JSON have it.
    pub name: &'static str,
    /// Who sends it.
    pub direction: Direction,
    /// Its parameters.
    pub shape: Shape,
    /// The number of a request's final reply.
    pub reply: Option<u32>,
    /// The number of a request's refusal.
    pub refusal: Option<u32>,
    /// What it is for.
    pub about: &'static str,
}

impl CommandInfo {
    /// Whether `number` ends this request: its reply, its refusal, or a refusal of any request.
    ///
    /// 109 does so only with the key `txn_id`; that is the caller's to check.
    pub fn is_ended_by(&self, number: u32) -> bool {
        let exist = self.name == "REGISTER" && number == 201;
        [self.reply, self.refusal].contains(&Some(number)) || exist || number == 204
    }
}

const fn bare(name: &'static str, kind: &'static str) -> Shape {
    Shape::One(FieldInfo {
        name,
        kind,
        optional: false,
    })
}

const fn own(number: u32, name: &'static str, shape: Shape, about: &'static str) -> CommandInfo {
    let direction = Direction::Channel;
    CommandInfo {
        number,
        name,
        direction,
        shape,
        reply: None,
        refusal: None,
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
