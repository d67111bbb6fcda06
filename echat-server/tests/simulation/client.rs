//! One simulated client: what it asked and what it believes from what it was told. Its connection
//! tells one story in one order, so every event is judged against the story so far; what is stored
//! is judged elsewhere.

use crate::devices::DeviceId;
use crate::fail;
use crate::plan::{OfRoom, PlannedRequest, Target, USERS};
use crate::replies::Asked;
use crate::request::content;
use crate::search::Searching;
use crate::secrets::{Presented, SecretId};
use crate::truth::{Stored, Truth};
use crate::value::{Params, room, without};
use echat_proto::Value;
use echat_proto::channel::Message;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// What begins a session, and what ends it from outside.
const LOGIN_SUCCESS: u32 = 103;
const SERVER_KICK: u32 = 104;

/// An event that is due on a connection, with users and rooms as they are called at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    Message(u64),
    Asked(usize),
    Contact(usize),
    Room(usize),
    /// A friend is one no longer.
    Parted(usize),
    /// A room has other properties.
    Changed(usize),
    Closed(usize),
    Invited(usize),
    /// From this room, this member.
    Removed(usize, usize),
    /// In this room, of this member.
    Role(usize, usize),
    /// How far one has read, at another session.
    Read(Target),
    /// A message is another one than before.
    Altered(u64),
}

impl Due {
    /// Whether it may be told several times of one tick: it names a state that may come and go.
    fn may_repeat(self) -> bool {
        !matches!(self, Self::Message(_))
    }
}

/// A client of one connection at a time.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Client {
    pub(crate) connected: bool,
    /// Whether it has ended, or left in the lurch, its connection itself.
    pub(crate) leaving: bool,
    /// Whether it did not read, so that a goodbye may be lost.
    pub(crate) deaf: bool,
    /// Whether anything came on the channel: the server has its FINISHED.
    pub(crate) opened: bool,
    /// Why the server says that it closes the connection.
    pub(crate) goodbye: Option<u64>,
    /// Since when, at the earliest, no user is logged in here.
    pub(crate) guest_since: Duration,
    pub(crate) connected_at: Duration,
    /// Bytes that wait for it at the server, and since when they are too many.
    pub(crate) waiting: usize,
    pub(crate) slow_since: Option<Duration>,
    /// Whether one tick had more for it than a queue may hold.
    pub(crate) flooded: bool,
    pub(crate) user: Option<usize>,
    /// The secret that opened its session, if one did, and the one that the session was given.
    pub(crate) opened_by: Option<Presented>,
    pub(crate) secret: Option<SecretId>,
    /// When its session began: between these times in unix seconds, and in this tick. And the device of it.
    pub(crate) since: (i64, i64),
    pub(crate) began_in: u64,
    pub(crate) device: Option<DeviceId>,
    /// The devices that it was last told it is, by user.
    pub(crate) devices: BTreeMap<usize, DeviceId>,
    pub(crate) kicked: bool,
    /// Whether another session took its place while the network was slow, when a goodbye may come too late.
    pub(crate) displaced: bool,
    /// Commands said that do not exist.
    pub(crate) nonsense: usize,
    /// What is to be said once the handshake is done.
    pub(crate) todo: VecDeque<PlannedRequest>,
    /// Requests without a final reply, oldest first.
    pub(crate) asked: VecDeque<Asked>,
    /// Messages with a transaction id that were not acknowledged, by their sender.
    pub(crate) unacknowledged: Vec<(usize, PlannedRequest)>,
    /// The newest message that was ever heard of.
    pub(crate) known: u64,
    /// The newest message that came on this connection.
    newest: u64,
    pub(crate) friends: BTreeSet<usize>,
    pub(crate) online: BTreeSet<usize>,
    /// Rooms, and the members that are online, once they were listed.
    pub(crate) rooms: BTreeMap<usize, Option<BTreeSet<usize>>>,
    /// Rooms whose members were listed, and those of whom nothing was told since: a list may have said
    /// already what the room is told later.
    pub(crate) listed: BTreeMap<usize, BTreeSet<usize>>,
    /// Requests of others, users who are blocked, rooms that one is invited to, and friends who are away, as told.
    pub(crate) pending: BTreeSet<usize>,
    pub(crate) blocked: BTreeSet<usize>,
    /// The invitations with their inviters.
    pub(crate) invitations: BTreeMap<usize, Option<usize>>,
    pub(crate) away: BTreeMap<usize, String>,
    /// What was told last of rooms that changed.
    pub(crate) told_rooms: BTreeMap<usize, Value>,
    /// Rooms that one was told to have been removed from, and not yet to have left.
    pub(crate) removed_from: BTreeSet<usize>,
    /// Names of rooms that were renamed, and were not yet told to clients that know no other names.
    pub(crate) renamed_to: BTreeSet<usize>,
    /// What was searched for last, and where its next page begins, if there is one.
    pub(crate) search: Option<(Searching, u64)>,
    /// What was told last of messages.
    pub(crate) messages: BTreeMap<u64, Value>,
    /// What must still be told here, and what may be.
    pub(crate) must: BTreeSet<Due>,
    pub(crate) may: BTreeSet<Due>,
}

impl Client {
    /// The connection is over, and what was believed with it. What was sent and not acknowledged is
    /// remembered, and so is what was read, and the secrets of devices.
    pub(crate) fn forget(&mut self) {
        let unacknowledged = std::mem::take(&mut self.unacknowledged);
        let devices = std::mem::take(&mut self.devices);
        *self = Self {
            unacknowledged,
            devices,
            known: self.known,
            ..Self::default()
        };
    }

    /// The users that may be logged in when a request that is sent now is handled.
    pub(crate) fn candidates(&self) -> Vec<usize> {
        let logins = self.asked.iter().filter_map(|asked| match asked.planned {
            PlannedRequest::Login { user, .. } if asked.password.is_some() => Some(user),
            PlannedRequest::Resume { user, .. } => Some(user),
            PlannedRequest::Token { bot, .. } => Some(bot),
            _ => None,
        });
        logins.chain(self.user).collect()
    }

    /// The device that it presents at a login: the user's, or else another user's, as a client that mixes them up.
    pub(crate) fn device_of(&self, user: usize) -> Option<DeviceId> {
        let own = self.devices.get(&user);
        own.or_else(|| self.devices.values().next()).copied()
    }

    /// Whether it may be what this client itself does: then the reply tells of it.
    pub(crate) fn may_have_caused(&self, due: Due, truth: &Truth) -> bool {
        self.asked.iter().any(|asked| match (&asked.planned, due) {
            (PlannedRequest::Send { number, size, .. }, Due::Message(id)) => {
                truth.told(id).next().is_some() && truth.first(id) == content(*number, *size)
            }
            (PlannedRequest::Read(_), Due::Read(_)) => true,
            (PlannedRequest::Room(of), _) => match (of, due) {
                (OfRoom::Set(..), Due::Changed(_))
                | (OfRoom::Close(_), Due::Closed(_))
                | (OfRoom::SetRole(..), Due::Role(..)) => true,
                (OfRoom::Kick(_, user) | OfRoom::Ban(_, user, _), Due::Removed(_, of)) => {
                    *user == of
                }
                _ => false,
            },
            _ => false,
        })
    }

    /// Whether an event is about what its user does elsewhere.
    pub(crate) fn is_named_by(&self, message: &Message, truth: &Truth) -> bool {
        let key = match message.command {
            109 => "sender",
            114 | 146 | 147 => "membername",
            _ => return false,
        };
        match message.params.at(key) {
            Some(Value::Str(name)) => self.user == Some(truth.named(name)),
            _ => false,
        }
    }

    /// Takes an event, or what comes before a final reply.
    pub(crate) fn event(&mut self, message: &Message, truth: &Truth) -> Result<(), String> {
        if self.kicked {
            return fail("an event after the goodbye");
        }
        let params = Params {
            all: &message.params,
            truth,
        };
        match message.command {
            LOGIN_SUCCESS => {
                let user = truth.named(params.text()?);
                if self.user.replace(user).is_some() {
                    return fail("logged in twice");
                }
                return Ok(());
            }
            SERVER_KICK => {
                self.kicked = true;
                return Ok(());
            }
            _ => {}
        }
        let Some(me) = self.user else {
            return fail("an event for a guest");
        };
        match message.command {
            107 => {
                let sender = truth.named(params.text()?);
                self.pending.insert(sender);
                self.owed(Due::Asked(sender))
            }
            108 => self.contact(truth.named(params.text()?)),
            109 => self.message(me, params),
            148 => self.altered(me, params),
            110 => self.comes(room(params.text()?)?),
            111 => {
                let friend = truth.named(params.text()?);
                let came = self.friends.contains(&friend) && self.online.insert(friend);
                check(
                    came,
                    "an online event of a stranger, or of a user that is online",
                )
            }
            112 => {
                let friend = truth.named(params.text()?);
                let went = self.friends.contains(&friend) && self.online.remove(&friend);
                check(
                    went,
                    "an offline event of a stranger, or of a user that is offline",
                )
            }
            113 => self.member(params, true),
            114 => self.member(params, false),
            _ => self.news(message.command, params),
        }
    }

    fn contact(&mut self, friend: usize) -> Result<(), String> {
        self.owed(Due::Contact(friend))?;
        self.pending.remove(&friend);
        let is_new = self.friends.insert(friend);
        check(is_new, "a contact who was one")
    }

    fn comes(&mut self, room: usize) -> Result<(), String> {
        // The other name of a room that was renamed.
        if self.renamed_to.remove(&room) {
            return Ok(());
        }
        self.owed(Due::Room(room))?;
        self.listed.remove(&room);
        self.told_rooms.remove(&room);
        self.invitations.remove(&room);
        let is_new = self.rooms.insert(room, None).is_none();
        check(is_new, "told twice of being in a room")
    }

    fn member(&mut self, params: Params<'_>, online: bool) -> Result<(), String> {
        let (room, member) = (params.room("roomname")?, params.user("membername")?);
        let moved = params.flag("joined") || params.flag("left");
        check(
            !params.has(if online { "left" } else { "joined" }),
            "a member who comes and leaves at once",
        )?;
        if self.user == Some(member) && !online {
            return self.left(room);
        }
        let Some(members) = self.rooms.get_mut(&room) else {
            return fail("presence in a room that one is not in");
        };
        let changed = members.as_mut().is_none_or(|members| {
            if online {
                members.insert(member)
            } else {
                members.remove(&member)
            }
        });
        let listed = self.listed.get_mut(&room);
        let again = listed.is_some_and(|listed| listed.remove(&member));
        // A member who is offline may be removed, and a bot comes and goes without being present.
        let unseen = moved && (!online || params.truth.is_bot(member));
        if moved
            && params.truth.is_bot(member)
            && let Some(Some(members)) = self.rooms.get_mut(&room)
        {
            members.remove(&member);
        }
        check(
            (changed || again || unseen) && self.user != Some(member),
            "a member comes twice, goes twice, or is oneself",
        )
    }

    /// One has left a room, by another session or by another user's will.
    fn left(&mut self, room: usize) -> Result<(), String> {
        let was_there = self.rooms.remove(&room).is_some();
        let was_told = self.removed_from.remove(&room);
        check(
            was_there || was_told,
            "left a room elsewhere without being in it",
        )
    }

    /// A message of another user.
    fn message(&mut self, me: usize, params: Params<'_>) -> Result<(), String> {
        let id = matches(params, me)?;
        self.owed(Due::Message(id))?;
        if id <= self.newest {
            return fail("messages come out of order");
        }
        self.heard_of(id);
        self.told(id, params);
        let known = match params.target()? {
            Target::User(target) => {
                let sender = params.user("sender")?;
                self.friends.contains(&target) || self.friends.contains(&sender)
            }
            Target::Room(room) => self.rooms.contains_key(&room),
        };
        check(known, "a message of a conversation that one is not in")
    }

    /// A message is another one than before.
    fn altered(&mut self, me: usize, params: Params<'_>) -> Result<(), String> {
        let id = matches(params, me)?;
        self.owed(Due::Altered(id))?;
        let bare = !["mentions", "reactions", "reply_to", "edited"]
            .iter()
            .any(|key| params.has(key));
        check(
            !params.flag("deleted") || bare,
            "a deleted message has something left",
        )?;
        let reactions = params.at("reactions").map_or(Ok(Vec::new()), |list| {
            list.items().map(Iterator::collect::<Vec<_>>)
        })?;
        let mut emoji = BTreeSet::new();
        for reaction in &reactions {
            let users = reaction.at("count")?.int()?;
            let is_new = emoji.insert(reaction.at("emoji")?.text()?);
            let may_be = (1..=USERS.len() as u64).contains(&users);
            check(
                is_new && may_be && !reaction.has("mine"),
                "reactions that cannot be",
            )?;
        }
        if let Ok(reacted) = params.at("reacted") {
            let is_there = emoji.contains(reacted.at("emoji")?.text()?);
            check(
                !reacted.flag("on") || is_there,
                "a reaction came that is not there",
            )?;
        }
        self.told(id, params);
        Ok(())
    }

    /// Notes what was told of a message, without what depends on the reader and on names that may change.
    pub(crate) fn told(&mut self, id: u64, params: Params<'_>) {
        self.messages.insert(id, shown(params.all));
    }

    /// An acknowledgement has everything but the reactions.
    pub(crate) fn acknowledges(&mut self, id: u64, params: Params<'_>) {
        let reactions = self
            .messages
            .get(&id)
            .and_then(|told| told.at("reactions").cloned());
        let mut all = params.all.clone();
        if let (Value::Dict(entries), Some(reactions)) = (&mut all, reactions) {
            entries.push(("reactions".to_owned(), reactions));
        }
        self.messages.insert(id, shown(&all));
    }

    /// Notes a message that came on this connection for the first time.
    pub(crate) fn heard_of(&mut self, id: u64) {
        self.newest = self.newest.max(id);
        self.known = self.known.max(id);
    }

    /// Whether it, or a later one, came on this connection.
    pub(crate) fn has_heard_of(&self, id: u64) -> bool {
        id <= self.newest
    }

    pub(crate) fn owed(&mut self, due: Due) -> Result<(), String> {
        // Asked, declined and asked again, over and over, while it was not read.
        let again = due.may_repeat() && self.may.contains(&due);
        if self.must.remove(&due) || again || self.may.remove(&due) {
            Ok(())
        } else {
            fail(&format!(
                "{due:?} is sent to a client that must not get it, or twice"
            ))
        }
    }
}

/// What all readers are told of a message at all times.
pub(crate) fn shown(message: &Value) -> Value {
    let other = [
        "username",
        "sender",
        "send_time",
        "target",
        "target_type",
        "sent",
        "mine",
        "by",
        "reacted",
        "txn_id",
        "bot",
    ];
    without(message, &other)
}

/// The id of an ON_NEW_MESSAGE or an ON_MESSAGE_CHANGED, if it says of the message what is stored, or was.
pub(crate) fn matches(params: Params<'_>, me: usize) -> Result<u64, String> {
    let truth = params.truth;
    let id = params.at("id")?.int()?;
    let content = params.at("content")?.text()?;
    let sender = params.user("sender")?;
    let target = params.target()?;
    let mut known = truth.told(id).peekable();
    if known.peek().is_none() {
        return fail(&format!("message {id} is not stored"));
    }
    let says = |stored: &Stored| {
        let time = Value::Int(u64::try_from(stored.time).unwrap_or(0));
        // To the friend of a private message, target is the other one; the same to the sender. A room may have been
        // renamed or closed since.
        let named = match truth.target(me, stored.conversation) {
            Some(found @ Target::User(_)) => target == found,
            _ => stored.is_private(truth) == matches!(target, Target::User(_)),
        };
        let says = content == &*stored.content || truth.may_have_said(id, content);
        says && sender == stored.sender && params.all.at("send_time") == Some(&time) && named
    };
    if known.any(says) {
        Ok(id)
    } else {
        fail(&format!(
            "message {id} is told as another one than is stored"
        ))
    }
}

fn check(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { fail(otherwise) }
}
