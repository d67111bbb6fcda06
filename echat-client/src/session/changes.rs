//! Messages that change after they were sent: edits, deletions, reactions.

use std::collections::{BTreeMap, BTreeSet};

use echat_proto::commands::Event;
use echat_proto::records::{ChatMessage, Reacted, Reaction};

use super::conversation::ReactionCount;
use super::{Post, RequestContext, Session, Update};
use crate::target::Target;

/// What changed of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageChange {
    /// It has another text.
    Edited,
    /// It was deleted.
    Deleted,
    /// A reaction came.
    Reacted(String),
    /// A reaction went.
    Unreacted(String),
}

/// News of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageUpdate {
    /// The message as it is now.
    pub post: Post,
    /// What changed.
    pub change: MessageChange,
    /// By which user.
    pub by: String,
}

impl Session {
    /// A message that is remembered, by its id: of a conversation, of a page that was jumped to, or found.
    pub fn message(&self, id: u64) -> Option<(&Target, &Post)> {
        let mut held = self.conversations.iter();
        let held = held.find_map(|(target, conversation)| Some((target, conversation.get(id)?)));
        held.or_else(|| self.detached.get(id))
    }

    /// Applies an event about a message that changed.
    pub(super) fn take_change(&mut self, event: &Event, updates: &mut Vec<Update>) {
        let Event::OnMessageChanged {
            id,
            sender,
            send_time,
            target,
            target_type,
            content,
            deleted,
            bot,
            reply_to,
            edited,
            mentions,
            reactions,
            by,
            reacted,
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
            sent: self.me.as_deref() == Some(sender),
            content: content.clone(),
            deleted: *deleted,
            bot: *bot,
            reply_to: *reply_to,
            edited: *edited,
            mentions: mentions.clone(),
            reactions: self.told(*id, reactions.as_deref(), by, reacted.as_ref()),
        };
        // One that is on its way comes as it is now.
        if self.feed.replace(&message) || self.feed.missed_after().is_some_and(|last| *id > last) {
            return;
        }
        let change = match reacted {
            Some(Reacted { emoji, on: true }) => MessageChange::Reacted(emoji.clone()),
            Some(Reacted { emoji, on: false }) => MessageChange::Unreacted(emoji.clone()),
            None if *deleted == Some(true) => MessageChange::Deleted,
            None => MessageChange::Edited,
        };
        let target = Target::new(*target_type, target.clone());
        let post = self.post_of(message);
        self.change(target, post, change, by.clone(), updates);
    }

    /// Takes the messages of a login in the place of those that are remembered. The others are forgotten: they may have
    /// been edited or deleted while there was no connection.
    pub(super) fn confirm(&mut self, messages: &[ChatMessage], updates: &mut Vec<Update>) {
        let mut brought: BTreeMap<Target, BTreeSet<u64>> = BTreeMap::new();
        for message in messages {
            let target = Target::new(message.target_type, message.target.clone());
            let post = self.post_of(message.clone());
            brought.entry(target.clone()).or_default().insert(post.id);
            let before = self.replace(&target, &post);
            updates.extend(own_text_gone(before.as_ref(), &post));
        }
        let none = BTreeSet::new();
        for (target, conversation) in &mut self.conversations {
            conversation.keep_only(brought.get(target).unwrap_or(&none));
        }
        self.detached
            .keep_only(&brought.into_values().flatten().collect());
    }

    /// Puts messages as they are now in the place of those that are held.
    pub(super) fn replace_held(&mut self, messages: &[ChatMessage], updates: &mut Vec<Update>) {
        for message in messages {
            if self.message(message.id).is_some() {
                let target = Target::new(message.target_type, message.target.clone());
                let post = self.post_of(message.clone());
                let before = self.replace(&target, &post);
                updates.extend(own_text_gone(before.as_ref(), &post));
            }
        }
    }

    /// Puts a message as it is now in the place of what it was. The message as it was, if it is remembered.
    fn replace(&mut self, target: &Target, post: &Post) -> Option<Post> {
        let conversation = self.conversations.get_mut(target);
        let held = conversation.and_then(|held| held.replace(post.clone()));
        held.or(self.detached.replace(post))
    }

    /// The reactions that an event names, with the reader's own, which it does not mark.
    fn told(
        &self,
        id: u64,
        reactions: Option<&[Reaction]>,
        by: &str,
        reacted: Option<&Reacted>,
    ) -> Option<Vec<Reaction>> {
        let before = self.message(id).map(|(_, post)| post.reactions.as_slice());
        let was_mine = |emoji: &str| {
            let mut before = before.unwrap_or_default().iter();
            before.any(|known| known.mine && known.emoji == emoji)
        };
        let own = reacted.filter(|_| self.me.as_deref() == Some(by));
        let is_mine = |emoji: &str| match own {
            Some(reacted) if reacted.emoji == emoji => reacted.on,
            _ => was_mine(emoji),
        };
        reactions.map(|reactions| {
            let marked = reactions.iter().map(|reaction| Reaction {
                mine: Some(is_mine(&reaction.emoji)),
                ..reaction.clone()
            });
            marked.collect()
        })
    }

    /// A request of this session that changes a message is done.
    pub(super) fn apply_own_change(&mut self, asked: &RequestContext, updates: &mut Vec<Update>) {
        let (RequestContext::Edit { id, .. }
        | RequestContext::Delete { id }
        | RequestContext::React { id, .. }) = asked
        else {
            return;
        };
        let Some((target, post)) = self.message(*id) else {
            return;
        };
        let (target, mut post) = (target.clone(), post.clone());
        let change = match asked {
            RequestContext::Edit { text, .. } => {
                post.content.clone_from(text);
                post.edited = true;
                MessageChange::Edited
            }
            RequestContext::React { emoji, on, .. } => {
                react(&mut post.reactions, emoji, *on);
                if *on {
                    MessageChange::Reacted(emoji.clone())
                } else {
                    MessageChange::Unreacted(emoji.clone())
                }
            }
            _ => {
                post.content.clear();
                post.reactions.clear();
                post.deleted = true;
                MessageChange::Deleted
            }
        };
        let me = self.me.clone().unwrap_or_default();
        self.change(target, post, change, me, updates);
    }

    /// Remembers a message as it is now. What the reader knows already is no news.
    fn change(
        &mut self,
        target: Target,
        post: Post,
        change: MessageChange,
        by: String,
        updates: &mut Vec<Update>,
    ) {
        let before = self.replace(&target, &post);
        updates.extend(own_text_gone(before.as_ref(), &post));
        let is_known = before.is_some_and(|before| {
            before.content == post.content
                && before.deleted == post.deleted
                && before.reactions == post.reactions
        });
        if !is_known {
            let update = MessageUpdate { post, change, by };
            updates.push(Update::Changed(target, Box::new(update)));
        }
    }
}

/// Says that a message of the reader's has lost its text, if it has.
fn own_text_gone(before: Option<&Post>, now: &Post) -> Option<Update> {
    let before = before.filter(|before| before.mine && !before.deleted)?;
    (before.content != now.content).then(|| Update::OwnTextGone(before.content.clone()))
}

/// Adds the reader's reaction, or takes it back.
fn react(reactions: &mut Vec<ReactionCount>, emoji: &str, on: bool) {
    let known = reactions.iter_mut().find(|known| known.emoji == emoji);
    match known {
        Some(known) if known.mine != on => {
            known.mine = on;
            known.count = if on {
                known.count.saturating_add(1)
            } else {
                known.count.saturating_sub(1)
            };
        }
        None if on => reactions.push(ReactionCount {
            emoji: emoji.to_owned(),
            count: 1,
            mine: true,
        }),
        _ => {}
    }
    reactions.retain(|known| known.count > 0);
}
