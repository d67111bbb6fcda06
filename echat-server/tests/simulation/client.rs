//! One simulated client: what it requested, and its view of the server's state, built from what it received. A
//! connection delivers events in one order, so each event is checked against this view. The committed state is checked
//! in [`crate::changes`].

use crate::committed::{CommittedState, StoredMessage};
use crate::devices::DeviceId;
use crate::fail;
use crate::plan::{PeopleRequest, PlannedRequest, RoomRequest, Target, USERS};
use crate::replies::PendingRequest;
use crate::request::content;
use crate::search::PendingSearch;
use crate::secrets::{PresentedSecret, SecretId};
use crate::value::{Params, room, without};
use echat_proto::Value;
use echat_proto::channel::Message;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// The first event of a session.
const LOGIN_SUCCESS: u32 = 103;
/// Another session or an administrator ended the session.
const SERVER_KICK: u32 = 104;

/// An event that a connection must or may receive. Users and rooms have the names from before the tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ExpectedEvent {
    Message(u64),
    FriendRequest(usize),
    FriendAdded(usize),
    RoomJoined(usize),
    /// A friend ended the friendship.
    FriendRemoved(usize),
    /// A setting of a room changed.
    RoomChanged(usize),
    RoomClosed(usize),
    Invitation(usize),
    /// Room and removed member.
    MemberRemoved(usize, usize),
    /// Room and member.
    RoleChanged(usize, usize),
    /// Another session moved the read marker.
    ReadMarker(Target),
    /// A message was edited or deleted, or its reactions changed.
    MessageChanged(u64),
}

impl ExpectedEvent {
    /// Whether one tick may cause it several times: it tells of a state that can change back and forth.
    fn may_repeat(self) -> bool {
        !matches!(self, Self::Message(_))
    }
}

/// A client has one connection at a time.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Client {
    pub(crate) connected: bool,
    /// Whether the client closed, half-closed or reset its connection.
    pub(crate) leaving: bool,
    /// Whether it stopped reading, so that it may miss the server's CLOSE_NOTIFY.
    pub(crate) stopped_reading: bool,
    /// Whether anything was received on the encrypted channel, so that the server has the client's FINISHED.
    pub(crate) opened: bool,
    /// The reason in the server's CLOSE_NOTIFY.
    pub(crate) close_reason: Option<u64>,
    /// The earliest time since when no user is logged in on this connection.
    pub(crate) unauthenticated_since: Duration,
    pub(crate) connected_at: Duration,
    /// Bytes in the server's send queue.
    pub(crate) waiting: usize,
    /// Since when they are over the soft limit.
    pub(crate) slow_since: Option<Duration>,
    /// Whether one tick may have produced more than the send queue may hold.
    pub(crate) queue_exceeded: bool,
    pub(crate) user: Option<usize>,
    /// The secret that opened the session, if one did.
    pub(crate) opened_by: Option<PresentedSecret>,
    /// The secret that the session was given.
    pub(crate) secret: Option<SecretId>,
    /// The session began between these unix times.
    pub(crate) since: (i64, i64),
    /// The tick in which the session began.
    pub(crate) began_in: u64,
    /// The device of the session.
    pub(crate) device: Option<DeviceId>,
    /// The device that the server last assigned to it, by user.
    pub(crate) devices: BTreeMap<usize, DeviceId>,
    pub(crate) kicked: bool,
    /// Whether another session may have displaced this one while the network was slow. Then SERVER_KICK may arrive too
    /// late.
    pub(crate) displaced: bool,
    /// Unknown commands that it sent.
    pub(crate) unknown_commands: usize,
    /// Requests that wait for the handshake.
    pub(crate) queued: VecDeque<PlannedRequest>,
    /// Requests without a final reply, oldest first.
    pub(crate) unanswered: VecDeque<PendingRequest>,
    /// Unacknowledged messages with a transaction id, by sender.
    pub(crate) unacknowledged: Vec<(usize, PlannedRequest)>,
    /// The newest message id that the client has ever seen.
    pub(crate) known: u64,
    /// The newest message of this connection.
    newest: u64,
    pub(crate) friends: BTreeSet<usize>,
    pub(crate) online: BTreeSet<usize>,
    /// Rooms with the members that are online, once they were listed.
    pub(crate) rooms: BTreeMap<usize, Option<BTreeSet<usize>>>,
    /// Members of rooms that were listed, until an event about the member comes: the list may have included already
    /// what the event tells.
    pub(crate) listed: BTreeMap<usize, BTreeSet<usize>>,
    /// Users with an open friend request to the client's user.
    pub(crate) friend_requests: BTreeSet<usize>,
    /// Users that the client's user blocks.
    pub(crate) blocked: BTreeSet<usize>,
    /// Invitations with their inviters.
    pub(crate) invitations: BTreeMap<usize, Option<usize>>,
    /// Absent friends, with the texts.
    pub(crate) away: BTreeMap<usize, String>,
    /// The latest properties of rooms that changed.
    pub(crate) latest_rooms: BTreeMap<usize, Value>,
    /// Rooms from which the client was removed, until the event that it left.
    pub(crate) removed_from: BTreeSet<usize>,
    /// New names of renamed rooms, until the event for clients that do not know the other name.
    pub(crate) renamed_to: BTreeSet<usize>,
    /// The last search, and where its next page begins, if there is one.
    pub(crate) search: Option<(PendingSearch, u64)>,
    /// The latest version of messages.
    pub(crate) messages: BTreeMap<u64, Value>,
    /// Events that must still arrive on this connection.
    pub(crate) required: BTreeSet<ExpectedEvent>,
    /// Events that may still arrive.
    pub(crate) possible: BTreeSet<ExpectedEvent>,
}

impl Client {
    /// The connection ended, and the view with it. Unacknowledged messages, the newest known message and the devices
    /// stay.
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
        let logins = self
            .unanswered
            .iter()
            .filter_map(|pending| match pending.planned {
                PlannedRequest::Login { user, .. } if pending.password.is_some() => Some(user),
                PlannedRequest::Resume { user, .. } => Some(user),
                PlannedRequest::Token { bot, .. } => Some(bot),
                _ => None,
            });
        logins.chain(self.user).collect()
    }

    /// The device that it presents at a login: the user's own, or another user's, as a confused client would.
    pub(crate) fn device_of(&self, user: usize) -> Option<DeviceId> {
        let own = self.devices.get(&user);
        own.or_else(|| self.devices.values().next()).copied()
    }

    /// Whether a request of this client may have caused the event. Then the reply reports it instead.
    pub(crate) fn may_have_caused(&self, event: ExpectedEvent, committed: &CommittedState) -> bool {
        self.unanswered
            .iter()
            .any(|pending| match (&pending.planned, event) {
                (PlannedRequest::Send { number, size, .. }, ExpectedEvent::Message(id)) => {
                    committed.versions(id).next().is_some()
                        && committed.original_text(id) == content(*number, *size)
                }
                (PlannedRequest::Read(_), ExpectedEvent::ReadMarker(_)) => true,
                (PlannedRequest::Room(of), _) => match (of, event) {
                    (RoomRequest::Set(..), ExpectedEvent::RoomChanged(_))
                    | (RoomRequest::Close(_), ExpectedEvent::RoomClosed(_))
                    | (RoomRequest::SetRole(..), ExpectedEvent::RoleChanged(..)) => true,
                    (
                        RoomRequest::Kick(_, user) | RoomRequest::Ban(_, user, _),
                        ExpectedEvent::MemberRemoved(_, of),
                    ) => *user == of,
                    _ => false,
                },
                _ => false,
            })
    }

    /// Whether an event is about this client's own user, from another session.
    pub(crate) fn is_named_by(&self, message: &Message, committed: &CommittedState) -> bool {
        let key = match message.command {
            109 => "sender",
            114 | 146 | 147 => "membername",
            _ => return false,
        };
        match message.params.at(key) {
            Some(Value::Str(name)) => self.user == Some(committed.user_named(name)),
            _ => false,
        }
    }

    /// Handles an event, or a message before a final reply.
    pub(crate) fn event(
        &mut self,
        message: &Message,
        committed: &CommittedState,
    ) -> Result<(), String> {
        if self.kicked {
            return fail("an event after SERVER_KICK");
        }
        let params = Params {
            all: &message.params,
            committed,
        };
        match message.command {
            LOGIN_SUCCESS => {
                let user = committed.user_named(params.text()?);
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
            return fail("an event for an unauthenticated connection");
        };
        match message.command {
            107 => {
                let sender = committed.user_named(params.text()?);
                self.friend_requests.insert(sender);
                self.take_expected(ExpectedEvent::FriendRequest(sender))
            }
            108 => self.friend_added(committed.user_named(params.text()?)),
            109 => self.message(me, params),
            148 => self.message_changed(me, params),
            110 => self.room_joined(room(params.text()?)?),
            111 => {
                let friend = committed.user_named(params.text()?);
                let came = self.friends.contains(&friend) && self.online.insert(friend);
                check(
                    came,
                    "an online event of a stranger, or of a user that is online",
                )
            }
            112 => {
                let friend = committed.user_named(params.text()?);
                let went = self.friends.contains(&friend) && self.online.remove(&friend);
                check(
                    went,
                    "an offline event of a stranger, or of a user that is offline",
                )
            }
            113 => self.member(params, true),
            114 => self.member(params, false),
            _ => self.later_event(message.command, params),
        }
    }

    fn friend_added(&mut self, friend: usize) -> Result<(), String> {
        self.take_expected(ExpectedEvent::FriendAdded(friend))?;
        self.friend_requests.remove(&friend);
        let is_new = self.friends.insert(friend);
        check(is_new, "the added friend is a friend already")
    }

    fn room_joined(&mut self, room: usize) -> Result<(), String> {
        // The other name of a room that was renamed.
        if self.renamed_to.remove(&room) {
            return Ok(());
        }
        self.take_expected(ExpectedEvent::RoomJoined(room))?;
        self.listed.remove(&room);
        self.latest_rooms.remove(&room);
        self.invitations.remove(&room);
        let is_new = self.rooms.insert(room, None).is_none();
        check(is_new, "two events for joining one room")
    }

    fn member(&mut self, params: Params<'_>, online: bool) -> Result<(), String> {
        let (room, member) = (params.room("roomname")?, params.user("membername")?);
        let moved = params.flag("joined") || params.flag("left");
        check(
            !params.has(if online { "left" } else { "joined" }),
            "a member who joins and leaves in one event",
        )?;
        if self.user == Some(member) && !online {
            return self.room_left(room);
        }
        let Some(members) = self.rooms.get_mut(&room) else {
            return fail("presence in a room that the client is not in");
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
        // An offline member may be removed, and a bot joins and leaves without being shown as present.
        let unseen = moved && (!online || params.committed.is_bot(member));
        if moved
            && params.committed.is_bot(member)
            && let Some(Some(members)) = self.rooms.get_mut(&room)
        {
            members.remove(&member);
        }
        check(
            (changed || again || unseen) && self.user != Some(member),
            "a member comes twice, goes twice, or is the user itself",
        )
    }

    /// The user left a room in another session, or was removed.
    fn room_left(&mut self, room: usize) -> Result<(), String> {
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
        self.take_expected(ExpectedEvent::Message(id))?;
        if id <= self.newest {
            return fail("messages come out of order");
        }
        self.note_received(id);
        self.note_message(id, params);
        let known = match params.target()? {
            Target::User(target) => {
                let sender = params.user("sender")?;
                self.friends.contains(&target) || self.friends.contains(&sender)
            }
            Target::Room(room) => self.rooms.contains_key(&room),
        };
        check(
            known,
            "a message of a conversation that the client is not in",
        )
    }

    /// A message was edited or deleted, or its reactions changed.
    fn message_changed(&mut self, me: usize, params: Params<'_>) -> Result<(), String> {
        let id = matches(params, me)?;
        self.take_expected(ExpectedEvent::MessageChanged(id))?;
        let bare = !["mentions", "reactions", "reply_to", "edited"]
            .iter()
            .any(|key| params.has(key));
        check(
            !params.flag("deleted") || bare,
            "a deleted message has other fields",
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
                "a new reaction that the message does not have",
            )?;
        }
        self.note_message(id, params);
        Ok(())
    }

    /// Stores the version of a message, without fields that depend on the reader or on names.
    pub(crate) fn note_message(&mut self, id: u64, params: Params<'_>) {
        self.messages.insert(id, shown(params.all));
    }

    /// Stores an acknowledged message. An acknowledgement has every field but the reactions.
    pub(crate) fn note_acknowledged(&mut self, id: u64, params: Params<'_>) {
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

    /// Notes that a message arrived on this connection for the first time.
    pub(crate) fn note_received(&mut self, id: u64) {
        self.newest = self.newest.max(id);
        self.known = self.known.max(id);
    }

    /// Whether this message or a later one arrived on this connection.
    pub(crate) fn has_received(&self, id: u64) -> bool {
        id <= self.newest
    }

    /// Handles an event about people, rooms or messages with a number of 140 or above.
    pub(crate) fn later_event(&mut self, command: u32, params: Params<'_>) -> Result<(), String> {
        match command {
            140 => Ok(()),
            141 => self.is_away(params),
            142 => self.friend_removed(params.committed.user_named(params.text()?)),
            143 => self.room_changed(params),
            144 => {
                let room = params.room("roomname")?;
                self.take_expected(ExpectedEvent::RoomClosed(room))?;
                self.note_removal(room);
                self.latest_rooms.remove(&room);
                Ok(())
            }
            145 => {
                let room = params.room("roomname")?;
                let by = params.has("by").then(|| params.user("by")).transpose()?;
                self.invitations.insert(room, by);
                self.take_expected(ExpectedEvent::Invitation(room))
            }
            146 => self.member_removed(params),
            147 => {
                let (room, member) = (params.room("roomname")?, params.user("membername")?);
                self.take_expected(ExpectedEvent::RoleChanged(room, member))
            }
            149 => self.take_expected(ExpectedEvent::ReadMarker(params.target()?)),
            150 => self.request_changed(params),
            152 => self.self_changed(params),
            _ => fail("an unknown event"),
        }
    }

    fn is_away(&mut self, params: Params<'_>) -> Result<(), String> {
        let user = params.user("username")?;
        if self.friends.contains(&user) {
            match params.at("text")?.text() {
                Ok(text) => self.away.insert(user, text.to_owned()),
                Err(_) => self.away.remove(&user),
            };
            return Ok(());
        }
        // The user is a member of a common room, or was one when the event was sent.
        if self.rooms.is_empty() {
            return fail("the absence of a stranger");
        }
        Ok(())
    }

    fn friend_removed(&mut self, friend: usize) -> Result<(), String> {
        self.take_expected(ExpectedEvent::FriendRemoved(friend))?;
        self.online.remove(&friend);
        self.away.remove(&friend);
        if self.friends.remove(&friend) {
            Ok(())
        } else {
            fail("the end of a friendship that does not exist")
        }
    }

    fn room_changed(&mut self, params: Params<'_>) -> Result<(), String> {
        let was = params.room("was")?;
        let told = params.at("room")?;
        let now = told.room("roomname")?;
        self.take_expected(ExpectedEvent::RoomChanged(was))?;
        if !self.rooms.contains_key(&was) && !self.rooms.contains_key(&now) {
            return fail("a change of a room that the client is not in");
        }
        self.renamed(was, now);
        self.latest_rooms.insert(now, told.all.clone());
        if told.has("role") {
            return fail("a role in the properties of a room for all members");
        }
        Ok(())
    }

    /// A room has another name.
    fn renamed(&mut self, was: usize, now: usize) {
        if was == now {
            return;
        }
        if let Some(members) = self.rooms.remove(&was) {
            self.rooms.insert(now, members);
            self.removed_from.insert(was);
            self.renamed_to.insert(now);
        }
        if let Some(listed) = self.listed.remove(&was) {
            self.listed.insert(now, listed);
        }
        self.latest_rooms.remove(&was);
    }

    fn member_removed(&mut self, params: Params<'_>) -> Result<(), String> {
        let (room, member) = (params.room("roomname")?, params.user("membername")?);
        self.take_expected(ExpectedEvent::MemberRemoved(room, member))?;
        if self.user == Some(member) {
            self.note_removal(room);
            return Ok(());
        }
        if self.rooms.contains_key(&room) {
            Ok(())
        } else {
            fail("a removal from a room that the client is not in")
        }
    }

    /// The client is no longer a member. ON_MEMBER_OFFLINE tells it, too.
    fn note_removal(&mut self, room: usize) {
        if self.rooms.remove(&room).is_some() {
            self.removed_from.insert(room);
        }
    }

    fn request_changed(&mut self, params: Params<'_>) -> Result<(), String> {
        let user = params.user("username")?;
        match params.at("state")?.text()? {
            "sent" => Ok(()),
            "accepted" | "declined" => {
                self.friend_requests.remove(&user);
                Ok(())
            }
            other => fail(&format!("a request cannot be {other}")),
        }
    }

    fn self_changed(&mut self, params: Params<'_>) -> Result<(), String> {
        if params.has("blocked") {
            self.blocked = params.users("blocked")?;
            let blocked = &self.blocked;
            self.friend_requests
                .retain(|sender| !blocked.contains(sender));
        }
        if params.has("invitations") {
            self.invitations = invitations(params.at("invitations")?)?;
        }
        Ok(())
    }

    /// Applies the effect of this client's own request, after its final reply.
    pub(crate) fn apply_own_request(&mut self, planned: &PlannedRequest) {
        match planned {
            PlannedRequest::Resolve(user, _) => {
                self.friend_requests.remove(user);
            }
            PlannedRequest::People(PeopleRequest::Block(user)) => {
                self.blocked.insert(*user);
                self.friend_requests.remove(user);
                self.invitations.retain(|_, by| *by != Some(*user));
            }
            PlannedRequest::People(PeopleRequest::Unblock(user)) => {
                self.blocked.remove(user);
            }
            PlannedRequest::Room(RoomRequest::Decline(room)) => {
                self.invitations.remove(room);
            }
            PlannedRequest::Room(RoomRequest::Close(room)) => {
                self.rooms.remove(room);
            }
            _ => {}
        }
    }

    pub(crate) fn take_expected(&mut self, event: ExpectedEvent) -> Result<(), String> {
        // A request may be made, declined and made again several times before the client reads.
        let again = event.may_repeat() && self.possible.contains(&event);
        if self.required.remove(&event) || again || self.possible.remove(&event) {
            Ok(())
        } else {
            fail(&format!("{event:?} is not expected, or comes twice"))
        }
    }
}

/// Rooms that the user is invited to, with the inviters.
pub(crate) fn invitations(told: Params<'_>) -> Result<BTreeMap<usize, Option<usize>>, String> {
    let line = |line: Params<'_>| {
        let by = line.has("by").then(|| line.user("by")).transpose()?;
        Ok((line.room("roomname")?, by))
    };
    told.items()?.map(line).collect()
}

/// The fields of a message that are the same for all its readers.
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

/// Returns the id of an ON_NEW_MESSAGE or ON_MESSAGE_CHANGED, if the event agrees with a stored version of the message.
pub(crate) fn matches(params: Params<'_>, me: usize) -> Result<u64, String> {
    let committed = params.committed;
    let id = params.at("id")?.int()?;
    let content = params.at("content")?.text()?;
    let sender = params.user("sender")?;
    let target = params.target()?;
    let mut known = committed.versions(id).peekable();
    if known.peek().is_none() {
        return fail(&format!("message {id} is not stored"));
    }
    let says = |stored: &StoredMessage| {
        let time = Value::Int(u64::try_from(stored.time).unwrap_or(0));
        // In a private message to the user, `target` is the sender's friend; in the sender's copy it is the same. A
        // room may have been renamed or closed since.
        let named = match committed.target(me, stored.conversation) {
            Some(found @ Target::User(_)) => target == found,
            _ => stored.is_private(committed) == matches!(target, Target::User(_)),
        };
        let says = content == &*stored.content || committed.may_have_had_text(id, content);
        says && sender == stored.sender && params.all.at("send_time") == Some(&time) && named
    };
    if known.any(says) {
        Ok(id)
    } else {
        fail(&format!("message {id} differs from the stored one"))
    }
}

fn check(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { fail(otherwise) }
}
