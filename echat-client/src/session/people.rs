//! What is known of users beside their presence: which friends are away, which users are blocked, which friendships
//! ended, which users are bots, and whether the reader is away.

use std::collections::{BTreeMap, BTreeSet};

use echat_proto::commands::{Event, Request};
use echat_proto::names::DELETED_ACCOUNT;
use echat_proto::param::{AwayText, RequestState, TargetType};
use echat_proto::records::{AwayLine, ChatMessage};

use super::{Conversation, NAMED, RequestContext, Session, Update};
use crate::target::{Target, normal_name};

/// Names of bots that are remembered.
const BOTS: usize = 10_000;

/// Facts about users. Servers have up to 1,000 friends and blocked users of a user.
#[derive(Debug, Default)]
pub(super) struct People {
    /// The texts of friends who are away.
    away: BTreeMap<String, String>,
    blocked: BTreeSet<String>,
    /// Users whose accounts are deleted, and the names that their messages have now, as far as those are known.
    deleted: BTreeMap<String, Option<String>>,
    /// Users that left a room and whose messages are held: nothing tells when such an account is deleted.
    out_of_sight: BTreeSet<String>,
    /// Users that were seen to be bots, up to [`BOTS`].
    bots: BTreeSet<String>,
    /// The text of the reader, while away.
    own_away: Option<String>,
}

impl People {
    /// Whether the reader blocks this user.
    pub(super) fn blocks(&self, name: &str) -> bool {
        self.blocked.contains(name)
    }

    /// A user was seen to be a bot.
    pub(super) fn note_bot(&mut self, name: &str) {
        if self.bots.len() < BOTS {
            self.bots.insert(name.to_owned());
        }
    }
}

impl Session {
    /// What a friend who is away says.
    pub fn away(&self, friend: &str) -> Option<&str> {
        self.people.away.get(friend).map(String::as_str)
    }

    /// The users that the reader blocks.
    pub fn blocked(&self) -> &BTreeSet<String> {
        &self.people.blocked
    }

    /// Whether a user is known to be a bot.
    pub fn is_bot(&self, name: &str) -> bool {
        self.people.bots.contains(name)
    }

    /// Whether the target is a user whom the reader blocks.
    pub fn is_blocked(&self, target: &Target) -> bool {
        !target.is_room() && self.people.blocks(target.name())
    }

    /// What the reader says while away, as far as this session knows.
    pub fn own_away(&self) -> Option<&str> {
        self.people.own_away.as_deref()
    }

    /// Whether messages of this sender are folded there. In a private chat they stay what they are.
    pub fn folds(&self, target: &Target, sender: &str) -> bool {
        target.is_room() && self.people.blocked.contains(sender)
    }

    /// Whether unread messages there are news: those that a blocked user sent before the block are none.
    pub fn counts(&self, target: &Target) -> bool {
        !self.is_blocked(target)
    }

    /// Whether messages with this target can be read. The conversation with a former friend stays readable.
    pub fn can_read(&self, target: &Target) -> bool {
        self.has(target) || self.is_former_friend(target)
    }

    /// Whether the target was a friend and is none any more.
    pub fn is_former_friend(&self, target: &Target) -> bool {
        !target.is_room() && !self.has(target) && self.conversations.contains_key(target)
    }

    /// Whether the account of a user is deleted.
    pub fn is_deleted_account(&self, name: &str) -> bool {
        self.people.deleted.contains_key(name) || is_name_of_deleted_account(name)
    }

    /// The same target under the name that it has now: that of a friend changes when the account is deleted.
    #[must_use]
    pub fn present_target(&self, target: Target) -> Target {
        match (&target, self.people.deleted.get(target.name())) {
            (Target::Friend(_), Some(Some(now))) => Target::Friend(now.clone()),
            _ => target,
        }
    }

    /// Whether there is a conversation with this user, whose account may be deleted.
    pub fn has_conversation_with(&self, name: &str) -> bool {
        let target = self.present_target(Target::Friend(name.to_owned()));
        self.conversations.contains_key(&target)
    }

    /// Whether a message of this user is held.
    pub fn holds_messages_of(&self, name: &str) -> bool {
        let mut held = self.conversations.values().flat_map(Conversation::lines);
        held.any(|post| post.sender == name) || self.detached.has_sender(name)
    }

    /// The account of a user is deleted. Its messages may be erased, which nothing tells: they are forgotten and asked
    /// for again. The conversation with a friend has another name now: a message of it, by which the server is asked
    /// for that name.
    pub(super) fn account_deleted(&mut self, name: &str) -> Option<u64> {
        if self.people.deleted.len() < NAMED {
            self.people.deleted.entry(name.to_owned()).or_default();
        }
        self.people.out_of_sight.remove(name);
        let mut message = None;
        for (target, conversation) in &mut self.conversations {
            let is_of = !target.is_room() && target.name() == name;
            if is_of {
                let newest = conversation.lines().next_back().map(|post| post.id);
                message = newest.or(Some(conversation.read_id()).filter(|id| *id > 0));
                if message.is_none() {
                    // Under this name the server has no messages any more.
                    *conversation = Conversation::default();
                }
            }
            if is_of || conversation.lines().any(|post| post.sender == name) {
                conversation.forget();
            }
        }
        self.detached.forget_sender(name);
        message
    }

    /// A deleted account has this name now, and so has the conversation with it.
    pub(super) fn deleted_account_is(&mut self, was: &str, now: &str) {
        if let Some(known) = self.people.deleted.get_mut(was) {
            *known = Some(now.to_owned());
        }
        self.move_private_conversation(was, now);
    }

    /// Takes the answer that tells which name the conversation with a deleted account has now.
    pub(super) fn take_name_of_deleted(&mut self, was: &str, id: u64, event: &Event) {
        let Event::History { messages, .. } = event else {
            return;
        };
        let mut found = messages.iter().filter(|message| message.id == id);
        if let Some(message) = found.find(|message| is_private_with_deleted(message)) {
            self.deleted_account_is(was, &message.target);
        }
    }

    /// Messages that the server shows are as they are now, and so tell what no event told: that the account of their
    /// sender is deleted, that they are deleted, or that they have another text.
    pub(super) fn take_as_now(&mut self, messages: &[ChatMessage], updates: &mut Vec<Update>) {
        let mut deleted: BTreeMap<String, (String, bool)> = BTreeMap::new();
        for message in messages {
            let Some((held_in, held)) = self.message(message.id) else {
                continue;
            };
            if held.sender != message.sender && is_name_of_deleted_account(&message.sender) {
                deleted.insert(held.sender.clone(), (message.sender.clone(), false));
            }
            if !held_in.is_room() && is_private_with_deleted(message) {
                let was = held_in.name().to_owned();
                deleted.insert(was, (message.target.clone(), true));
            }
        }
        deleted.retain(|was, (now, _)| was != now);
        for (was, (now, is_private)) in deleted {
            self.account_deleted(&was);
            if is_private {
                self.deleted_account_is(&was, &now);
            }
            let (name, message) = (was, None);
            updates.push(Update::AccountDeleted { name, message });
        }
        self.replace_held(messages, updates);
    }

    /// A user left a room and still exists: when the account is deleted, nothing may tell.
    pub fn is_out_of_sight(&mut self, name: &str) {
        if self.friends.contains_key(name) {
            return;
        }
        // With too many, all that is held is asked for again.
        if self.people.out_of_sight.len() >= NAMED {
            self.people.out_of_sight.clear();
            self.conversations
                .values_mut()
                .for_each(Conversation::forget);
        }
        self.people.out_of_sight.insert(name.to_owned());
    }

    /// A user is a friend or a member of a room again, and is told about.
    pub(super) fn is_in_sight(&mut self, name: &str) {
        self.people.out_of_sight.remove(name);
    }

    /// Forgets the messages of a conversation that is opened if one of them is of a user of whom nothing is told: they
    /// are asked for again.
    pub fn forget_unwatched(&mut self, target: &Target) {
        let unwatched = &self.people.out_of_sight;
        if let Some(conversation) = self.conversations.get_mut(target)
            && conversation
                .lines()
                .any(|post| unwatched.contains(&post.sender))
        {
            conversation.forget();
        }
    }

    /// Takes what a login says of users.
    pub(super) fn take_people(&mut self, away: Option<&[AwayLine]>, blocked: Option<&[String]>) {
        let lines = away.unwrap_or_default().iter();
        self.people.away = lines
            .map(|line| (line.username.clone(), line.text.clone()))
            .collect();
        self.people.blocked = blocked.unwrap_or_default().iter().cloned().collect();
        // The messages that are held are those of this login.
        self.people.out_of_sight.clear();
    }

    /// Applies an event about users. `befriended`: the user whom the event before it made a friend.
    pub(super) fn take_people_event(
        &mut self,
        event: &Event,
        befriended: Option<&str>,
        updates: &mut Vec<Update>,
    ) {
        match event {
            Event::NewContact { username } => {
                self.pending.retain(|name| name != username);
                self.is_in_sight(username);
                if self.friends.len() < NAMED
                    && self.friends.insert(username.clone(), false).is_none()
                {
                    updates.push(Update::NewContact(username.clone()));
                    self.befriended = Some(username.clone());
                }
            }
            Event::OnFriendOnline { username } if befriended == Some(username.as_str()) => {
                self.friends.insert(username.clone(), true);
                updates.push(Update::NewFriendIsOnline(username.clone()));
            }
            Event::OnFriendOnline { username } => self.presence(username, true, updates),
            Event::OnFriendOffline { username } => self.presence(username, false, updates),
            Event::OnAway { username, text } => self.set_away(username, text, updates),
            Event::BotToken { username, .. } => self.people.note_bot(username),
            Event::Bots { bots } => bots
                .iter()
                .for_each(|bot| self.people.note_bot(&bot.username)),
            Event::OnFriendRemoved { username } => {
                self.people.away.remove(username);
                if self.friends.remove(username).is_some() {
                    // The conversation stays, so that it can be opened and read.
                    self.listed(Target::Friend(username.clone()));
                    updates.push(Update::FriendRemoved(username.clone()));
                }
            }
            Event::OnBroadcast { text } => updates.push(Update::Broadcast(text.clone())),
            Event::OnUserRenamed { was, username } => self.user_renamed(was, username, updates),
            Event::OnRead {
                target_type,
                target,
                id,
            } => {
                let target = Target::new(*target_type, target.clone());
                if let Some(conversation) = self.conversations.get_mut(&target) {
                    conversation.read_to(*id);
                }
            }
            Event::OnRequestChanged {
                username,
                state: RequestState::Accepted | RequestState::Declined,
            } => self.pending.retain(|name| name != username),
            Event::OnSelfChanged { blocked, away, .. } => {
                if let Some(blocked) = blocked {
                    let before = &self.people.blocked;
                    let new = blocked.iter().filter(|name| !before.contains(*name));
                    updates.extend(new.cloned().map(Update::BlockedElsewhere));
                    self.people.blocked = blocked.iter().cloned().collect();
                    self.hide_blocked();
                }
                if let Some(AwayText(text)) = away
                    && self.people.own_away != *text
                {
                    self.people.own_away.clone_from(text);
                    updates.push(Update::OwnAway(text.clone()));
                }
            }
            _ => {}
        }
    }

    fn presence(&mut self, name: &str, online: bool, updates: &mut Vec<Update>) {
        if let Some(known) = self.friends.get_mut(name)
            && *known != online
        {
            *known = online;
            updates.push(Update::Friend(name.to_owned(), online));
        }
    }

    /// The server hides requests and invitations of blocked users, and drops them when the block ends.
    fn hide_blocked(&mut self) {
        let blocked = &self.people.blocked;
        self.pending.retain(|name| !blocked.contains(name));
        self.room_state.drop_invitations_by(blocked);
    }

    /// A user has another name: the conversation, what is known of the user, and unanswered requests stay.
    pub(super) fn user_renamed(&mut self, was: &str, name: &str, updates: &mut Vec<Update>) {
        if self.me() == Some(was) {
            self.me = Some(name.to_owned());
        }
        self.members.rename_user(was, name);
        for pending in self.pending.iter_mut().filter(|pending| *pending == was) {
            name.clone_into(pending);
        }
        if self.people.bots.remove(was) {
            self.people.bots.insert(name.to_owned());
        }
        if self.people.blocked.remove(was) {
            self.people.blocked.insert(name.to_owned());
        }
        if let Some(text) = self.people.away.remove(was) {
            self.people.away.insert(name.to_owned(), text);
        }
        if let Some(online) = self.friends.remove(was) {
            self.friends.insert(name.to_owned(), online);
        }
        if self.people.out_of_sight.remove(was) {
            self.people.out_of_sight.insert(name.to_owned());
        }
        self.feed.rename_user(was, name);
        self.move_private_conversation(was, name);
        for conversation in self.conversations.values_mut() {
            conversation.rename_sender(was, name);
        }
        self.detached.rename_sender(was, name);
        updates.push(Update::Renamed {
            was: was.to_owned(),
            name: name.to_owned(),
        });
    }

    /// The conversation with a user has another name.
    fn move_private_conversation(&mut self, was: &str, name: &str) {
        let (old, new) = (
            Target::Friend(was.to_owned()),
            Target::Friend(name.to_owned()),
        );
        if let Some(conversation) = self.conversations.remove(&old) {
            self.conversations.insert(new.clone(), conversation);
        }
        self.detached.rename(&old, &new);
        self.recent.retain(|target| *target != new);
        for target in self.recent.iter_mut().filter(|target| **target == old) {
            *target = new.clone();
        }
    }

    fn set_away(&mut self, name: &str, AwayText(text): &AwayText, updates: &mut Vec<Update>) {
        // Of members who are no friends a list of members tells.
        if !self.friends.contains_key(name) {
            return;
        }
        let before = match text {
            Some(text) => self.people.away.insert(name.to_owned(), text.clone()),
            None => self.people.away.remove(name),
        };
        if before != *text {
            updates.push(Update::Away(name.to_owned(), text.clone()));
        }
    }

    /// The server says which text the reader has, if any.
    pub(super) fn is_away(&mut self, text: Option<String>) {
        self.people.own_away = text;
    }

    /// A command of this session is done: the server tells only the user's other sessions.
    pub(super) fn apply_own_request(&mut self, asked: &RequestContext) {
        // No time is of interest here.
        let request = asked.typed().map(|typed| typed.request(0));
        match request {
            Some(Ok(Request::SetAway {
                text: AwayText(text),
            })) => self.people.own_away = text,
            Some(Ok(Request::Block { username })) => {
                self.people.blocked.insert(normal_name(username.raw()));
                self.hide_blocked();
            }
            Some(Ok(Request::Unblock { username })) => {
                self.people.blocked.remove(&normal_name(username.raw()));
            }
            _ => {}
        }
    }
}

/// Whether the server gives this name to a deleted account. No user can take such a name.
fn is_name_of_deleted_account(name: &str) -> bool {
    let number = name.strip_prefix(DELETED_ACCOUNT);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a message is of the conversation with a deleted account.
fn is_private_with_deleted(message: &ChatMessage) -> bool {
    message.target_type == TargetType::Friend && is_name_of_deleted_account(&message.target)
}
