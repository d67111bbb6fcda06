//! The target of a message.

use echat_proto::names::NameQuery;
use echat_proto::param::TargetType;

/// The other end of a conversation. A friend and a room may have one name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A friend, by name.
    Friend(String),
    /// A room, by name.
    Room(String),
}

impl Target {
    /// The target of a message on the wire.
    pub fn new(target_type: TargetType, name: impl Into<String>) -> Self {
        match target_type {
            TargetType::Friend => Self::Friend(name.into()),
            TargetType::Room => Self::Room(name.into()),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Self::Friend(name) | Self::Room(name) => name,
        }
    }

    /// Which of both, as the wire has it.
    pub fn target_type(&self) -> TargetType {
        match self {
            Self::Friend(_) => TargetType::Friend,
            Self::Room(_) => TargetType::Room,
        }
    }

    /// Whether it is a room.
    pub fn is_room(&self) -> bool {
        matches!(self, Self::Room(_))
    }

    /// The name, to ask the server with.
    pub fn query(&self) -> NameQuery {
        NameQuery::new(self.name())
    }

    /// The same target as the server spells it: names are asked for in any case and form.
    #[must_use]
    pub fn normal(self) -> Self {
        match self {
            Self::Friend(name) => Self::Friend(normal_name(&name)),
            Self::Room(name) => Self::Room(normal_name(&name)),
        }
    }
}

/// A name as the server spells it; what cannot be a name stays as it was typed.
pub fn normal_name(name: &str) -> String {
    NameQuery::new(name).key().unwrap_or(name).to_owned()
}
