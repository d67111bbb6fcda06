//! The sentences of refusals. Each names the user or room that it is about, because it may appear long after
//! the command. A refusal about another user does not address the reader.

use echat_proto::records::{Code, Fail};
use echat_proto::value::Value;

use super::{Language, Text, code_of};

/// What was asked of the server.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is the request of its name")]
pub enum Doing<'a> {
    Register {
        name: &'a str,
    },
    Befriend {
        name: &'a str,
    },
    Resolve {
        name: &'a str,
        accepted: bool,
    },
    Join {
        room: &'a str,
    },
    Leave {
        room: &'a str,
    },
    Create {
        room: &'a str,
    },
    AddMembers {
        room: &'a str,
        names: &'a [String],
    },
    Find {
        word: &'a str,
    },
    Members {
        room: &'a str,
    },
    /// Older messages of a friend's or a room's chat.
    History {
        name: &'a str,
    },
    /// A command without parameters.
    Plain(&'static str),
    /// What was not typed.
    Other,
}

impl Doing<'_> {
    /// The command as it could be typed.
    pub fn command(self) -> String {
        match self {
            Self::Register { .. } => "register".to_owned(),
            Self::Befriend { name } => format!("+f {name}"),
            Self::Resolve {
                name,
                accepted: true,
            } => format!("y {name}"),
            Self::Resolve { name, .. } => format!("n {name}"),
            Self::Join { room } => format!("+r {room}"),
            Self::Leave { room } => format!("-r {room}"),
            Self::Create { room } => format!("{room}="),
            Self::AddMembers { room, names } => format!("{room}+={}", names.join("+")),
            Self::Find { word } => format!("find {word}"),
            Self::Members { room } => format!("members {room}"),
            Self::History { .. } => "/history".to_owned(),
            Self::Plain(command) => command.to_owned(),
            Self::Other => String::new(),
        }
    }
}

impl Language {
    /// What the refusal of a request means. `own` is how many friends the asker has, if it was about
    /// friends, or else how many rooms.
    pub fn refusal_of(self, doing: Doing<'_>, fail: &Fail, own: u64) -> String {
        let names = self.names_of(doing, fail);
        let specific = code_of(fail)
            .and_then(|code| specific(doing, code, &names))
            .or_else(|| limit(doing, fail, own));
        if let Some(text) = specific {
            return self.say(text);
        }
        let reason = self.refusal(fail);
        match doing {
            // What they are about was typed last, and is not shown again if it is secret.
            Doing::Register { .. } | Doing::Plain(_) | Doing::Other => reason,
            doing => self.say(Text::CommandRefused {
                command: &doing.command(),
                reason: &reason,
            }),
        }
    }

    /// The users whom a refusal is about: those that the server names, or all that were named.
    fn names_of(self, doing: Doing<'_>, fail: &Fail) -> String {
        let listed = fail.detail.iter().find_map(|(key, value)| match value {
            Value::List(names) if key == "names" => Some(self.joined(names)),
            _ => None,
        });
        match (listed, doing) {
            (Some(names), _) => names,
            (None, Doing::AddMembers { names, .. }) => names.join(&self.say(Text::Comma)),
            (None, _) => String::new(),
        }
    }
}

/// The sentence of a code for what was asked, where it has one of its own.
fn specific<'a>(doing: Doing<'a>, code: Code, names: &'a str) -> Option<Text<'a>> {
    use Doing as D;
    Some(match (code, doing) {
        (Code::NameTaken, D::Register { name }) => Text::UserTaken { name },
        (Code::UnknownUser, D::Befriend { name } | D::Resolve { name, .. }) => {
            Text::NoSuchUser { name }
        }
        (Code::AlreadyAsked, D::Befriend { name }) => Text::AskedBefore { name },
        (Code::AlreadyFriends, D::Befriend { name } | D::Resolve { name, .. }) => {
            Text::FriendsBefore { name }
        }
        (Code::NoRequest, D::Resolve { name, .. }) => Text::NoRequestOf { name },
        (Code::NotAFriend | Code::UnknownUser, D::History { name }) => Text::NotYourFriend { name },
        (
            Code::UnknownRoom,
            D::Join { room }
            | D::Leave { room }
            | D::AddMembers { room, .. }
            | D::Members { room }
            | D::History { name: room },
        ) => Text::NoSuchRoom { room },
        (
            Code::NotAMember,
            D::Leave { room }
            | D::AddMembers { room, .. }
            | D::Members { room }
            | D::History { name: room },
        ) => Text::NotYourRoom { room },
        (Code::NotOwner, D::AddMembers { room, .. }) => Text::OwnerOnly { room },
        (Code::AlreadyMember, D::Join { room }) => Text::MemberBefore { room },
        (Code::AlreadyMember, D::AddMembers { room, .. }) => Text::MembersBefore { room, names },
        (Code::RoomExists, D::Create { room }) => Text::RoomTaken { room },
        (Code::NotFriends, D::Create { .. } | D::AddMembers { .. }) if !names.is_empty() => {
            Text::NotYourFriends { names }
        }
        (Code::NotAllowed, D::AddMembers { room, .. }) if !names.is_empty() => {
            Text::LeftBefore { room, names }
        }
        _ => return None,
    })
}

/// Whose limit is reached, as far as the asker's own numbers tell.
fn limit<'a>(doing: Doing<'a>, fail: &Fail, own: u64) -> Option<Text<'a>> {
    if code_of(fail) != Some(Code::TooMany) {
        return None;
    }
    let limit = fail.detail.iter().find_map(|(key, value)| match value {
        Value::Int(limit) if key == "limit" => Some(*limit),
        _ => None,
    })?;
    let is_own = own >= limit;
    Some(match doing {
        Doing::Befriend { .. } | Doing::Resolve { .. } if is_own => Text::OwnFriends { limit },
        Doing::Befriend { name } => Text::RequestsOfOther { name, limit },
        Doing::Resolve { name, .. } => Text::FriendsOfOther { name, limit },
        Doing::Join { .. } | Doing::Create { .. } if is_own => Text::OwnRooms { limit },
        Doing::Join { room } => Text::FullRoom { room, limit },
        Doing::Create { room } => Text::CreateLimit { room, limit },
        Doing::AddMembers { room, .. } => Text::AddLimit { room, limit },
        _ => return None,
    })
}
