//! What is known of users beside their presence: which friends are away, which users are blocked, which friendships
//! ended, which users are bots, and whether the reader is away.

use std::collections::{BTreeMap, BTreeSet};

use echat_proto::commands::{Event, Request};
use echat_proto::param::{AwayText, RequestState};
use echat_proto::records::AwayLine;

use super::{RequestContext, Session, Update};
use crate::target::{Target, normal_name};

/// Names of bots that are remembered.
const BOTS: usize = 10_000;

/// Facts about users. Friends and blocked users are bounded by the server, 1,000 of each.
#[derive(Debug, Default)]
pub(super) struct People {
    /// The texts of friends who are away.
    away: BTreeMap<String, String>,
    blocked: BTreeSet<String>,
    /// Former friends whose accounts are deleted.
    deleted: BTreeSet<String>,
    /// Users that were seen to be bots, up to [`BOTS`].
    bots: BTreeSet<String>,
    /// The text of the reader, while away. `None` also when another session set it before this login.
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

    /// Whether the account of a former friend is deleted.
    pub fn is_deleted_account(&self, name: &str) -> bool {
        self.people.deleted.contains(name)
    }

    /// The account of a former friend is deleted. Its messages may be erased, which nothing tells: they are forgotten
    /// and asked for again.
    pub(super) fn account_deleted(&mut self, name: &str) {
        self.people.deleted.insert(name.to_owned());
        let none = BTreeSet::new();
        for (target, conversation) in &mut self.conversations {
            let is_of = !target.is_room() && target.name() == name;
            if is_of || conversation.lines().any(|post| post.sender == name) {
                conversation.keep_only(&none);
            }
        }
        self.detached.forget_sender(name);
    }

    /// Takes what a login says of users.
    pub(super) fn take_people(&mut self, away: Option<&[AwayLine]>, blocked: Option<&[String]>) {
        let lines = away.unwrap_or_default().iter();
        self.people.away = lines
            .map(|line| (line.username.clone(), line.text.clone()))
            .collect();
        self.people.blocked = blocked.unwrap_or_default().iter().cloned().collect();
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
                if self.friends.insert(username.clone(), false).is_none() {
                    updates.push(Update::NewContact(username.clone()));
                    self.befriended = Some(username.clone());
                }
            }
            Event::OnFriendOnline { username } if befriended == Some(username.as_str()) => {
                if self.friends.insert(username.clone(), true) == Some(false) {
                    updates.push(Update::NewFriendIsOnline(username.clone()));
                }
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
        let (old, new) = (
            Target::Friend(was.to_owned()),
            Target::Friend(name.to_owned()),
        );
        self.feed.rename_user(was, name);
        let conversation = self.conversations.remove(&old);
        if let Some(conversation) = conversation {
            self.conversations.insert(new.clone(), conversation);
        }
        for target in self.recent.iter_mut().filter(|target| **target == old) {
            *target = new.clone();
        }
        updates.push(Update::Renamed {
            was: was.to_owned(),
            name: name.to_owned(),
        });
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
