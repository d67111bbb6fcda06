//! The coming and going of others, shown as noisily as the user wants it.

use std::collections::BTreeSet;

use super::Context;
use crate::render::styled::Line;
use crate::session::Update;
use crate::settings::Presence;
use crate::text::Text;

/// For how many seconds changes are gathered into one line.
const GATHER_SECONDS: u64 = 10;

/// Changes that are gathered; with more they are shown at once.
const GATHERED: usize = 1_000;

/// What a user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PresenceChange {
    /// The user became a member of the open room.
    Joined,
    /// A new friend is online.
    IsOnline,
    CameOnline,
    WentOffline,
    /// The user is online, and no member of the open room any more.
    Left,
    /// The user is no friend: the server does not tell which of both it is.
    LeftOrWentOffline,
}

impl PresenceChange {
    /// In the order in which they are shown: a user can join and go offline, and not the other way round.
    const ALL: [Self; 6] = [
        Self::Joined,
        Self::IsOnline,
        Self::CameOnline,
        Self::WentOffline,
        Self::Left,
        Self::LeftOrWentOffline,
    ];

    /// What a friend did.
    pub(super) fn of_friend(update: &Update) -> Self {
        match update {
            Update::NewFriendIsOnline(_) => Self::IsOnline,
            Update::Friend(_, true) => Self::CameOnline,
            _ => Self::WentOffline,
        }
    }

    /// Whether it takes back what another one did. Before servers told one from the other, to come online was also to
    /// join.
    fn undoes(self, other: Self) -> bool {
        match self {
            Self::WentOffline => matches!(other, Self::CameOnline | Self::IsOnline),
            Self::Left | Self::LeftOrWentOffline => {
                matches!(other, Self::CameOnline | Self::Joined)
            }
            Self::CameOnline | Self::IsOnline | Self::Joined => false,
        }
    }

    fn text<'a>(self, names: &'a str, room: &'a str) -> Text<'a> {
        match self {
            Self::IsOnline => Text::NewFriendIsOnline { names },
            Self::CameOnline => Text::CameOnline { names },
            Self::WentOffline => Text::WentOffline { names },
            Self::Joined => Text::MembersJoined { names, room },
            Self::Left => Text::MembersLeft { names, room },
            Self::LeftOrWentOffline => Text::LeftOrWentOffline { names },
        }
    }
}

/// Changes that are not shown yet: those within some seconds become one line.
#[derive(Debug, Default)]
pub(super) struct PresenceDigest {
    /// The users of each of [`PresenceChange::ALL`] that are not shown yet.
    pending: [BTreeSet<String>; 6],
    /// The open room, or nothing.
    room: String,
    due: Option<u64>,
}

impl PresenceDigest {
    /// The presence of the members of a room.
    pub(super) fn in_room(room: &str) -> Self {
        Self {
            room: room.to_owned(),
            ..Self::default()
        }
    }

    /// The open room has another name.
    pub(super) fn rename(&mut self, room: &str) {
        room.clone_into(&mut self.room);
    }

    /// A user came or went.
    pub(super) fn record(
        &mut self,
        name: &str,
        change: PresenceChange,
        context: &Context,
    ) -> Vec<Line> {
        if context.settings.config.presence == Presence::Hide {
            return Vec::new();
        }
        let is_opposite = |other: PresenceChange| change.undoes(other) || other.undoes(change);
        let mut is_undone = false;
        for (kind, names) in PresenceChange::ALL.into_iter().zip(&mut self.pending) {
            is_undone |= is_opposite(kind) && names.remove(name);
        }
        // A user who went and came back causes no line.
        if !is_undone {
            self.pending[change as usize].insert(name.to_owned());
        }
        let gathered: usize = self.pending.iter().map(BTreeSet::len).sum();
        if context.settings.config.presence == Presence::Show || gathered > GATHERED {
            return self.flush(context);
        }
        self.due.get_or_insert(context.now + GATHER_SECONDS);
        Vec::new()
    }

    /// When there is something to show.
    pub(super) fn due(&self) -> Option<u64> {
        self.due
    }

    /// The changes, if it is time to show them.
    pub(super) fn tick(&mut self, context: &Context) -> Vec<Line> {
        let is_due = self.due.is_some_and(|due| context.now >= due);
        if is_due {
            self.flush(context)
        } else {
            Vec::new()
        }
    }

    /// The connection is lost: changes that are not shown yet are not news any more.
    pub(super) fn drop_pending(&mut self) {
        self.due = None;
        self.pending.iter_mut().for_each(BTreeSet::clear);
    }

    /// All changes that are not shown yet.
    pub(super) fn flush(&mut self, context: &Context) -> Vec<Line> {
        self.due = None;
        let mut lines = Vec::new();
        for (kind, names) in PresenceChange::ALL.into_iter().zip(&mut self.pending) {
            let names: Vec<String> = std::mem::take(names).into_iter().collect();
            if !names.is_empty() {
                let names = names.join(&context.language.say(Text::Comma));
                lines.push(context.dim(kind.text(&names, &self.room)));
            }
        }
        lines
    }
}
