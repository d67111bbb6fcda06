//! What the client knows: its user, friends, rooms, conversations. Every event of the server is
//! applied here, once; each [`Update`] is something that the reader does not know yet. [`outgoing`] keeps the lines
//! that the server has not acknowledged.
//!
//! Only the session has the texts of messages. Numbers, questions and the search results that can be opened hold ids,
//! so a text that is edited or deleted is gone everywhere at once. Copies that must be made are brought up to date by
//! the same event: the message under edit (`Composer::revise`), folded messages, the history of typed lines
//! ([`Update::OwnTextGone`]). An event that was missed brings nothing, so a later login keeps only the messages that
//! its LOGIN_BUNDLE has (`Session::confirm`); the others are asked for again. No event tells that an account is
//! deleted, and its messages perhaps with it: the client asks about users who leave, and learns from pages (`people`).

mod bundle;
mod changes;
mod conversation;
mod detached;
mod feed;
mod history_identity;
mod limits;
mod members;
mod names;
pub mod outgoing;
mod pending;
mod people;
mod recall;
mod room_identities;
mod room_updates;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use echat_proto::commands::{Event, RequestKind};
use echat_proto::limits::VALUES;
use echat_proto::records::{
    ChatMessage, Code, Fail, GivenLimits, Keeps, MemberLine, Reaction, RoomInfo, RoomLine,
};

use crate::statement::TypedRequest;
use crate::target::Target;

pub use changes::{MessageChange, MessageUpdate};
pub use conversation::{Conversation, Post, ReactionCount};
pub use detached::{Lookup, LookupKind, Search};
pub use limits::{LimitError, Limits, possible};
pub use names::has_long_name;
pub use pending::{Jump, PendingRequests, RequestContext, TimedRequest};
pub use recall::{Recall, Recalled};
pub use room_identities::{NamedRoom, RoomIdentity, SendDecision};
pub use room_updates::{MembershipChange, RoomUpdate};

use detached::DetachedMessages;
use feed::Feed;
use history_identity::HistoryIdentity;
use members::Members;
use people::People;
use room_identities::RoomIdentities;
use room_updates::RoomState;

/// Something that the reader does not know yet.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "an update lives for one step of the application"
)]
pub enum Update {
    /// A message, one's own or another's.
    Message(Target, Post),
    /// A message has another text, was deleted, or a reaction to it came or went.
    Changed(Target, Box<MessageUpdate>),
    /// A message of the reader's has another text than this one now, or was deleted.
    OwnTextGone(String),
    /// Another user sent a friend request.
    FriendRequest(String),
    /// Another user is a friend now.
    NewContact(String),
    /// The reader is a member now.
    NewRoom(String),
    /// The reader is no member any more: another session of theirs left it.
    LeftRoom(String),
    /// A friend came (true) or went.
    Friend(String, bool),
    /// A new friend is online.
    NewFriendIsOnline(String),
    /// A friend is away, with a text, or is back.
    Away(String, Option<String>),
    /// Another user is no friend any more.
    FriendRemoved(String),
    /// The account of a friend, or of a user whose messages are held, is deleted.
    AccountDeleted {
        /// The name until now.
        name: String,
        /// A message of the conversation with the user, whose name now is to be asked for.
        message: Option<u64>,
    },
    /// Another session of the reader blocked a user.
    BlockedElsewhere(String),
    /// Another session of the reader says that the reader is away, with a text, or is back.
    OwnAway(Option<String>),
    /// An administrator says something to everybody.
    Broadcast(String),
    /// The reader, a friend or a member of a room has another name.
    Renamed {
        /// The name until now.
        was: String,
        /// The new one.
        name: String,
    },
    /// What the server tells everybody who logs in.
    MessageOfTheDay(String),
    /// A member of a room, who came or went.
    Member(String, String, MembershipChange),
    /// News of a room.
    Room(RoomUpdate),
    /// The server has another history than at the last login: an older database was put in place.
    /// What was known of messages is forgotten, and the bundle is all that is known.
    HistoryReplaced,
    /// The final reply to a request.
    Answer(RequestContext, Result<Event, Fail>),
}

/// Names of one kind that are kept, such as friends or rooms: as many as a LOGIN_BUNDLE can list, so that no server has
/// more. What comes beyond that is not applied.
const NAMED: usize = VALUES;
/// Conversations that are remembered. Those of friends, former friends and rooms are far fewer.
const CONVERSATIONS: usize = NAMED;
/// Bytes of the messages of all conversations, of which each has 256 KiB at most. Then those that were used least
/// recently are forgotten, and asked for again when they are opened.
const MESSAGE_BYTES: usize = 32 << 20;
/// What is left of them then, so that this does not happen with each message.
const MESSAGE_BYTES_LEFT: usize = 24 << 20;

/// Names every member of a room in a list of mentions.
const ALL: &str = "@all";

/// The client's knowledge of the server's state.
#[derive(Debug, Default)]
pub struct Session {
    me: Option<String>,
    friends: BTreeMap<String, bool>,
    /// The user whom the last event made a friend. The server says directly behind that if the user is online.
    befriended: Option<String>,
    /// For how many days the server keeps messages; `None` before it has said so.
    kept: Option<Keeps>,
    rooms: BTreeSet<String>,
    pending: Vec<String>,
    conversations: BTreeMap<Target, Conversation>,
    /// The most recent first.
    recent: Vec<Target>,
    feed: Feed,
    identity: HistoryIdentity,
    limits: Limits,
    members: Members,
    room_state: RoomState,
    identities: RoomIdentities,
    detached: DetachedMessages,
    people: People,
    message_of_the_day: MessageOfTheDay,
}

/// The message of the day, which is shown once a login: when a connection comes back, only a new one.
#[derive(Debug, Default)]
struct MessageOfTheDay {
    text: Option<String>,
    is_shown: bool,
}

impl MessageOfTheDay {
    /// The server tells it with each login.
    fn tell(&mut self, text: Option<&str>) {
        if self.text.as_deref() != text {
            self.text = text.map(str::to_owned);
            self.is_shown = false;
        }
    }

    /// The text, if it is to be shown now.
    fn take(&mut self) -> Option<String> {
        let is_shown = std::mem::replace(&mut self.is_shown, true);
        self.text.clone().filter(|_| !is_shown)
    }
}

impl Session {
    /// The user of the session. It stays set while the connection is lost.
    pub fn me(&self) -> Option<&str> {
        self.me.as_deref()
    }

    /// What the server takes at most.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The server has said what it takes at most.
    #[cfg(test)]
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Friends by name, and whether they are online.
    pub fn friends(&self) -> &BTreeMap<String, bool> {
        &self.friends
    }

    /// One's rooms.
    pub fn rooms(&self) -> &BTreeSet<String> {
        &self.rooms
    }

    /// The senders of open friend requests.
    pub fn pending(&self) -> &[String] {
        &self.pending
    }

    /// The members of a room as far as they were seen, the latest speakers first, without the reader.
    pub fn members(&self, room: &str) -> impl Iterator<Item = &str> {
        let me = self.me();
        let seen = self.members.of(room).into_iter();
        seen.filter(move |name| Some(*name) != me)
    }

    /// Whether one may write to this target.
    pub fn has(&self, target: &Target) -> bool {
        match target {
            Target::Friend(name) => self.friends.contains_key(name),
            Target::Room(name) => self.rooms.contains(name),
        }
    }

    /// Whether a user has this name, as far as the client has seen users.
    pub fn is_user(&self, name: &str) -> bool {
        self.me() == Some(name)
            || self.friends.contains_key(name)
            || self.people.blocks(name)
            || self.pending.iter().any(|asker| asker == name)
            || self
                .conversations
                .contains_key(&Target::Friend(name.to_owned()))
            || self.members.has_seen(name)
    }

    /// A conversation, if anything is known of it.
    pub fn conversation(&self, target: &Target) -> Option<&Conversation> {
        self.conversations.get(target)
    }

    /// Conversations, the most recent first.
    pub fn recent(&self) -> impl Iterator<Item = (&Target, &Conversation)> {
        let known = |target| self.conversations.get(target).map(|found| (target, found));
        self.recent.iter().filter_map(known)
    }

    /// How many messages are unread, in all conversations.
    pub fn unread(&self) -> u64 {
        let counted = self
            .conversations
            .iter()
            .filter(|(target, _)| self.counts(target));
        counted.map(|(_, conversation)| conversation.unread()).sum()
    }

    /// How many unread messages name the reader, in all conversations.
    pub fn mentions(&self) -> u64 {
        let counted = self
            .conversations
            .iter()
            .filter(|(target, _)| self.counts(target));
        counted
            .map(|(_, conversation)| conversation.mentions())
            .sum()
    }

    /// What is set for a room, if the server has said so since the login.
    pub fn room_settings(&self, target: &Target) -> Option<&RoomInfo> {
        self.room_state.settings(target)
    }

    /// Whether to keep messages of a room for this many days, or as the server keeps them, removes none, as far as is
    /// known. The shorter time counts, that of the room or that of the server.
    pub fn keeps_all(&self, room: &Target, days: Option<u64>) -> bool {
        let Some(server) = &self.kept else {
            return false;
        };
        let for_days = |days: Option<u64>| {
            let both = days.into_iter().chain(server.days);
            both.min().unwrap_or(u64::MAX)
        };
        let now = self.room_settings(room);
        let now = now.map_or(u64::MAX, |settings| for_days(settings.keep_days));
        for_days(days) >= now
    }

    /// Makes this conversation the most recent.
    pub fn touch(&mut self, target: &Target) {
        if self.recent.first() != Some(target) {
            self.recent.retain(|other| other != target);
            self.recent.insert(0, target.clone());
        }
    }

    /// Everything of a conversation has been shown.
    pub fn read(&mut self, target: &Target) {
        if let Some(conversation) = self.conversations.get_mut(target) {
            conversation.read();
        }
    }

    /// The id to send with MARK_READ, if the server's marker stands lower.
    pub fn unmarked(&mut self, target: &Target) -> Option<u64> {
        self.conversations.get_mut(target)?.unmarked()
    }

    /// After what id to ask for messages that were missed; `None` when none are.
    pub fn missed_after(&self) -> Option<u64> {
        self.feed.missed_after()
    }

    /// What was missed cannot be fetched. The messages that arrived since are let through; what lies before them is
    /// asked for when a conversation is shown.
    pub fn leave_gap(&mut self) -> Vec<Update> {
        let before = self.newest().saturating_add(1);
        for conversation in self.conversations.values_mut() {
            conversation.leave_gap(before);
        }
        let mut updates = Vec::new();
        for message in self.feed.leave_gap() {
            self.store(message, true, &mut updates);
        }
        updates
    }

    /// The highest message id that the server is known to have assigned; 0 for none.
    pub fn newest(&self) -> u64 {
        self.identity.newest().max(self.feed.seen())
    }

    /// Forgets all users, rooms and messages, as after LOGOUT.
    pub fn forget(&mut self) {
        // The limits belong to the server, not to a user.
        *self = Self {
            limits: self.limits,
            ..Self::default()
        };
    }

    /// The login has succeeded. What was known of another user is forgotten.
    pub fn log_in(&mut self, name: &str) {
        if self.me.as_deref() != Some(name) {
            self.forget();
            self.me = Some(name.to_owned());
        }
    }

    /// Applies what the server said. `asked` is what it is the final reply to.
    pub fn apply(&mut self, event: Event, asked: Option<RequestContext>) -> Vec<Update> {
        let mut updates = Vec::new();
        let mut replaced = false;
        let befriended = self.befriended.take();
        match &event {
            Event::LoginSuccess { username } => self.log_in(username),
            Event::LoginBundle { .. } => replaced = self.take_bundle(&event, &mut updates),
            Event::IncommingFriendRequest { username } => {
                self.request(username, &mut updates);
            }
            Event::OnNewRoom { roomname } => self.joined(roomname, &mut updates),
            Event::OnMemberOnline {
                roomname,
                membername,
                joined,
            } => {
                self.members.see(roomname, membername, 0);
                self.is_in_sight(membername);
                let step = RoomState::coming(*joined);
                updates.push(Update::Member(roomname.clone(), membername.clone(), step));
            }
            Event::OnMemberOffline {
                roomname,
                membername,
                ..
            } if self.me() == Some(membername) => self.left_elsewhere(roomname, &mut updates),
            Event::OnMemberOffline {
                roomname,
                membername,
                left,
            } => {
                self.members.see(roomname, membername, 0);
                if let Some(step) = self.room_state.going(roomname, membername, *left) {
                    updates.push(Update::Member(roomname.clone(), membername.clone(), step));
                }
            }
            Event::OnNewMessage { .. } => self.take_message(&event, &mut updates),
            Event::OnMessageChanged { .. } => self.take_change(&event, &mut updates),
            Event::History { messages, more, .. } => {
                self.take_page(asked.as_ref(), messages, *more, &mut updates);
            }
            Event::LeftRoom { roomname } => self.leave(roomname),
            Event::Rooms { rooms } => self.take_rooms(rooms, &mut updates),
            Event::Members { members } => self.take_members(asked.as_ref(), &members.members),
            Event::LoggedOut {} => self.forget(),
            Event::OnWelcome {
                message_of_the_day,
                keeps,
                limits,
                ..
            } => self.welcome(message_of_the_day.as_deref(), keeps, limits),
            _ => {
                self.take_people_event(&event, befriended.as_deref(), &mut updates);
                self.apply_to_rooms(&event, &mut updates);
            }
        }
        self.forget_least_recent();
        if let Some(asked) = asked {
            self.take_answer(asked, event, replaced, &mut updates);
        }
        updates
    }

    /// Forgets the messages of the conversations that were used least recently, if all have too many, and whole
    /// conversations, if there are too many.
    fn forget_least_recent(&mut self) {
        let mut bytes: usize = self.conversations.values().map(Conversation::bytes).sum();
        if bytes <= MESSAGE_BYTES && self.conversations.len() <= CONVERSATIONS {
            return;
        }
        let listed: BTreeSet<&Target> = self.recent.iter().collect();
        let unlisted = self.conversations.keys().rev();
        let unlisted = unlisted.filter(|target| !listed.contains(target));
        let order: Vec<Target> = unlisted.chain(self.recent.iter().rev()).cloned().collect();
        for target in order {
            if self.conversations.len() > CONVERSATIONS {
                let gone = self.conversations.remove(&target);
                bytes -= gone.map_or(0, |gone| gone.bytes());
                self.recent.retain(|other| *other != target);
            } else if bytes <= MESSAGE_BYTES_LEFT {
                return;
            } else if let Some(conversation) = self.conversations.get_mut(&target) {
                bytes -= conversation.bytes();
                conversation.forget();
            }
        }
    }

    fn joined(&mut self, room: &str, updates: &mut Vec<Update>) {
        self.room_state.settle(room);
        if self.rooms.len() < NAMED && self.rooms.insert(room.to_owned()) {
            self.identities.forget(room);
            updates.push(Update::NewRoom(room.to_owned()));
        }
    }

    /// Takes the final reply to a request. `replaced`: it is a login to another history.
    fn take_answer(
        &mut self,
        asked: RequestContext,
        event: Event,
        replaced: bool,
        updates: &mut Vec<Update>,
    ) {
        if let RequestContext::Lookup(lookup) = &asked {
            self.take_found(lookup, &event, updates);
        }
        self.take_recalled(&asked, &event, updates);
        let outcome = pending::outcome(event);
        if !outcome.as_ref().err().is_some_and(Fail::wants_new_password) {
            self.learn_identity(&asked);
        }
        if matches!(outcome, Ok(Event::Done { .. })) {
            self.apply_own_request(&asked);
            self.apply_own_change(&asked, updates);
        }
        let message_of_the_day = match &outcome {
            Ok(Event::LoginBundle { .. }) => self.message_of_the_day.take(),
            _ => None,
        };
        if asked.kind() == RequestKind::ResolveFriendRequest
            && outcome.as_ref().err().is_none_or(says_no_request)
            && let Some(name) = asked.typed().and_then(TypedRequest::user)
        {
            self.pending.retain(|other| *other != name);
        }
        if asked.kind() == RequestKind::DeclineInvitation
            && outcome.as_ref().err().is_none_or(says_no_invitation)
            && let Some(room) = asked.typed().and_then(TypedRequest::room)
        {
            self.room_state.settle(&room);
        }
        if let RequestContext::Departed { name } = &asked
            && outcome.as_ref().err().is_some_and(says_no_user)
        {
            let (name, message) = (name.clone(), self.account_deleted(name));
            updates.push(Update::AccountDeleted { name, message });
        }
        if let (RequestContext::Departed { name }, Ok(Event::User { rooms, .. })) =
            (&asked, &outcome)
            && rooms.is_empty()
        {
            self.is_out_of_sight(name);
        }
        if let (RequestContext::OwnAway, Ok(Event::User { away, .. })) = (&asked, &outcome) {
            self.is_away(away.clone());
        }
        if let (RequestContext::DeletedAs { was, id }, Ok(event)) = (&asked, &outcome) {
            self.take_name_of_deleted(was, *id, event);
        }
        self.take_marker(&asked, outcome.is_ok());
        let is_login = asked == RequestContext::Login && outcome.is_ok();
        updates.push(Update::Answer(asked, outcome));
        // What is pending is told to a user who has read that the login holds.
        if let Some(first) = updates.iter().position(is_pending).filter(|_| is_login) {
            updates[first..].rotate_right(1);
        }
        if replaced {
            let answer = updates
                .iter()
                .position(|update| matches!(update, Update::Answer(..)));
            let answer = answer.map(|place| updates.remove(place));
            // The login and the reason stand before what else is new.
            updates.splice(0..0, answer.into_iter().chain([Update::HistoryReplaced]));
        }
        updates.extend(message_of_the_day.map(Update::MessageOfTheDay));
    }

    /// The server has moved the marker of what is read, or refuses to.
    fn take_marker(&mut self, asked: &RequestContext, is_moved: bool) {
        if let RequestContext::MarkRead(target) = asked
            && let Some(conversation) = self.conversations.get_mut(target)
        {
            conversation.marked(is_moved);
        }
    }

    /// The server has told its limits and its message of the day.
    fn welcome(&mut self, message: Option<&str>, keeps: &Keeps, limits: &GivenLimits) {
        self.kept = Some(keeps.clone());
        self.message_of_the_day.tell(message);
        let bytes = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        self.limits = Limits {
            frame_bytes: bytes(limits.frame_bytes),
            content_bytes: bytes(limits.content_bytes),
        };
    }

    fn take_members(&mut self, asked: Option<&RequestContext>, members: &[MemberLine]) {
        let typed = asked.and_then(RequestContext::typed);
        if let Some(room) = typed.and_then(TypedRequest::room) {
            for member in members {
                self.members.see(&room, &member.username, 0);
                if member.bot.0 {
                    self.people.note_bot(&member.username);
                }
            }
        }
    }

    fn request(&mut self, name: &str, updates: &mut Vec<Update>) {
        if self.pending.len() < NAMED && !self.pending.iter().any(|known| known == name) {
            self.pending.push(name.to_owned());
            updates.push(Update::FriendRequest(name.to_owned()));
        }
    }

    fn leave(&mut self, room: &str) {
        let target = Target::Room(room.to_owned());
        self.rooms.remove(room);
        self.room_state.forget(room);
        self.identities.forget(room);
        self.members.forget(room);
        self.conversations.remove(&target);
        self.recent.retain(|other| *other != target);
    }

    fn left_elsewhere(&mut self, room: &str, updates: &mut Vec<Update>) {
        if self.rooms.contains(room) {
            self.leave(room);
            updates.push(Update::LeftRoom(room.to_owned()));
        }
    }

    fn take_rooms(&mut self, rooms: &[RoomLine], updates: &mut Vec<Update>) {
        let names = rooms.iter().map(|line| line.roomname.clone());
        self.are_rooms(names.collect(), updates);
    }

    /// These are all of one's rooms.
    fn are_rooms(&mut self, rooms: BTreeSet<String>, updates: &mut Vec<Update>) {
        let gone: Vec<String> = self.rooms.difference(&rooms).cloned().collect();
        for room in gone {
            self.left_elsewhere(&room, updates);
        }
        self.rooms = rooms;
    }

    /// A conversation that lists show, as the least recent if it was in none.
    fn listed(&mut self, target: Target) -> &mut Conversation {
        if !self.recent.contains(&target) {
            self.recent.push(target.clone());
        }
        self.conversations.entry(target).or_default()
    }

    fn take_message(&mut self, event: &Event, updates: &mut Vec<Update>) {
        let Event::OnNewMessage {
            id,
            content,
            sender,
            target_type,
            send_time,
            target,
            txn_id,
            deleted,
            bot,
            reply_to,
            edited,
            mentions,
        } = event
        else {
            return;
        };
        let message = ChatMessage {
            id: *id,
            username: self.me.clone().unwrap_or_default(),
            sender: sender.clone(),
            send_time: *send_time,
            target: target.clone(),
            target_type: *target_type,
            sent: txn_id.is_some(),
            content: content.clone(),
            deleted: *deleted,
            bot: *bot,
            reply_to: *reply_to,
            edited: *edited,
            mentions: mentions.clone(),
            reactions: None,
        };
        if self.feed.is_known(*id) {
            return;
        }
        // What arrives is counted when it arrives, even if it is shown later: at login the server
        // counted all that came before.
        if self.me.as_deref() != Some(sender) {
            let target = Target::new(*target_type, target.clone());
            let names_me = self.names_me(&message);
            let conversation = self.conversations.entry(target).or_default();
            conversation.count_unread(names_me);
        }
        for message in self.feed.live(message) {
            self.store(message, true, updates);
        }
    }

    fn take_page(
        &mut self,
        asked: Option<&RequestContext>,
        messages: &[ChatMessage],
        more: bool,
        updates: &mut Vec<Update>,
    ) {
        match asked {
            Some(RequestContext::CatchUp) => {
                for message in self.feed.page(messages, more) {
                    self.store(message, true, updates);
                }
            }
            Some(RequestContext::Page(target, before)) => {
                self.take_as_now(messages, updates);
                // What was missed comes with the pages that are asked for after a reconnect.
                let last = self.feed.missed_after().unwrap_or(u64::MAX);
                let page: Vec<Post> = messages
                    .iter()
                    .filter(|message| message.id <= last)
                    .cloned()
                    .map(|message| self.post_of(message))
                    .collect();
                if let Target::Room(room) = target {
                    for post in &page {
                        self.see_sender(room, post);
                    }
                }
                let conversation = self.conversations.entry(target.clone()).or_default();
                conversation.prepend(page, *before, more);
            }
            Some(RequestContext::Jump(target, _)) => {
                self.take_as_now(messages, updates);
                let page: Vec<Post> = messages
                    .iter()
                    .cloned()
                    .map(|message| self.post_of(message))
                    .collect();
                // Where there is nothing more, the numbers of the page before still count.
                if !page.is_empty() {
                    self.detached.jump(target, &page);
                }
            }
            _ => {}
        }
    }

    /// The sender of a message is, or was, a member of its room.
    fn see_sender(&mut self, room: &str, post: &Post) {
        self.members.see(room, &post.sender, post.id);
        if post.bot {
            self.people.note_bot(&post.sender);
        }
    }

    fn store(&mut self, message: ChatMessage, is_new: bool, updates: &mut Vec<Update>) {
        let target = Target::new(message.target_type, message.target.clone());
        let post = self.post_of(message);
        if let Target::Room(room) = &target {
            self.see_sender(room, &post);
        }
        self.conversations
            .entry(target.clone())
            .or_default()
            .push(post.clone());
        self.touch(&target);
        if is_new {
            updates.push(Update::Message(target, post));
        }
    }

    /// A message as it is remembered.
    pub fn post_of(&self, message: ChatMessage) -> Post {
        Post {
            id: message.id,
            mine: self.me.as_deref() == Some(message.sender.as_str()),
            names_me: self.names_me(&message),
            sender: message.sender,
            time: message.send_time,
            content: message.content,
            bot: message.bot.0,
            deleted: message.deleted.unwrap_or(false),
            reply_to: message.reply_to,
            edited: message.edited.is_some(),
            reactions: reactions(message.reactions),
        }
    }

    /// Whether the server says that a message of another user names the reader. Those of blocked users count for
    /// nothing.
    fn names_me(&self, message: &ChatMessage) -> bool {
        let me = self.me.as_deref();
        let named = message.mentions.as_deref().unwrap_or_default().iter();
        let target = Target::new(message.target_type, message.target.clone());
        me != Some(message.sender.as_str())
            && !self.folds(&target, &message.sender)
            && named
                .map(String::as_str)
                .any(|name| name == ALL || Some(name) == me)
    }
}

/// Reactions as they are remembered.
fn reactions(reactions: Option<Vec<Reaction>>) -> Vec<ReactionCount> {
    let reactions = reactions.unwrap_or_default().into_iter();
    let kept = reactions.map(|reaction| ReactionCount {
        emoji: reaction.emoji,
        count: reaction.count,
        mine: reaction.mine.unwrap_or(false),
    });
    kept.collect()
}

/// Whether an update is about something that the user may accept.
fn is_pending(update: &Update) -> bool {
    matches!(
        update,
        Update::FriendRequest(_) | Update::Room(RoomUpdate::Invitation(_))
    )
}

/// Whether a refusal means that there is nothing to answer any more. Others leave the request open.
fn says_no_request(fail: &Fail) -> bool {
    [Code::NoRequest, Code::UnknownUser, Code::AlreadyFriends]
        .iter()
        .any(|code| code.as_str() == fail.code)
}

/// Whether a refusal means that there is no such user.
fn says_no_user(fail: &Fail) -> bool {
    fail.code == Code::UnknownUser.as_str()
}

/// The same of an invitation.
fn says_no_invitation(fail: &Fail) -> bool {
    [Code::NoRequest, Code::UnknownRoom]
        .iter()
        .any(|code| code.as_str() == fail.code)
}
