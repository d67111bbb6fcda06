//! Editing and deleting messages, and reactions to them.

use super::administration::audited_in_lobby;
use super::admission::{Demand, Plan, View, Written};
use super::effects::Effect;
use super::mentions::{MentionScope, mentioned};
use super::messages::{listed, reactions};
use super::posting::{Poster, check_length};
use super::{Caller, Reject, done_with, target_type, unix};
use crate::storage::{
    Batch, Kind, MessageId, Removal, Role, Room, StoreError, StoredMessage, User,
};
use echat_proto::commands::{Event, RequestKind};
use echat_proto::emoji::is_emoji;
use echat_proto::names::Content;
use echat_proto::param::{Emoji, Mark};
use echat_proto::records::{Code, Reacted, Reaction};

/// Different emoji of the reactions to one message.
const EMOJI_MAX: usize = 20;
/// Users that are asked how they see a message: a private conversation has two, and one stands for a room.
const READERS: usize = 2;

/// A message that the caller sees, and what the caller may do where it was sent.
struct VisibleMessage {
    message: StoredMessage,
    /// The room, unless the conversation is private.
    room: Option<Room>,
    /// What the caller is in the room.
    role: Option<Role>,
    /// The friend, present or former, if the conversation is private.
    friend: Option<User>,
    /// Whether the friendship has ended.
    ended: bool,
}

/// The message of an id, if the caller sees it.
fn seen(view: &View<'_, '_>, me: &Caller, id: u64) -> Result<VisibleMessage, Reject> {
    let unknown = || Reject::from(Code::UnknownMessage);
    let message = view.batch.seen_message(me.id, MessageId(id))?;
    let message = message.ok_or_else(unknown)?;
    let room = view.batch.find_room(&message.target)?;
    let room = room.filter(|room| room.id == message.conversation);
    if let Some(room) = room {
        return Ok(VisibleMessage {
            message,
            role: view.batch.role(&room, me.id)?,
            room: Some(room),
            friend: None,
            ended: false,
        });
    }
    let friend = view.batch.find_friend(me.id, &message.target)?;
    let Some((friend, Some(conversation))) = friend else {
        return Err(unknown());
    };
    Ok(VisibleMessage {
        message,
        room: None,
        role: None,
        friend: Some(friend),
        ended: conversation.ended,
    })
}

impl VisibleMessage {
    /// Refuses a change where the caller may not write.
    fn check_writing(&self, me: &Caller) -> Result<(), Reject> {
        let Some(room) = &self.room else {
            return if self.ended {
                Err(Code::NotAFriend.into())
            } else {
                Ok(())
            };
        };
        let poster = Poster {
            me,
            conversation: room.id,
            restriction: room.restriction_of(self.role),
        };
        poster.check_writing()
    }

    /// Refuses a message that has no content any more.
    fn refuse_deleted(&self) -> Result<(), Reject> {
        if self.message.deleted {
            return Err(Code::UnknownMessage.into());
        }
        Ok(())
    }

    /// What is told of the message after a change, to all who see it.
    fn told(
        &self,
        batch: &Batch<'_>,
        me: &Caller,
        reacted: Option<Reacted>,
    ) -> Result<Vec<Effect>, StoreError> {
        let id = self.message.id;
        let Some(message) = batch.seen_message(me.id, id)? else {
            return Ok(Vec::new());
        };
        let room = message.conversation;
        let event = changed(message, me.name.to_string(), reacted);
        let Some(friend) = &self.friend else {
            let except = batch.joined_after(room, id)?;
            return Ok(vec![Effect::TellReaders(room, except, event)]);
        };
        // For the friend, the target is the caller.
        let mut theirs = event.clone();
        if let Event::OnMessageChanged { target, .. } = &mut theirs {
            *target = me.name.to_string();
        }
        Ok(vec![
            Effect::Tell(me.id, event),
            Effect::Tell(friend.id, theirs),
        ])
    }
}

/// A message as it is now that it was changed `by` a user, or by the operator of the server, whose name is empty.
fn changed(message: StoredMessage, by: String, reacted: Option<Reacted>) -> Event {
    // Each reader would have another `mine`.
    let reactions = reactions(&message).map(|reactions| {
        let shared = reactions.into_iter().map(|reaction| Reaction {
            mine: None,
            ..reaction
        });
        shared.collect()
    });
    Event::OnMessageChanged {
        id: message.id.0,
        sender: message.sender,
        send_time: unix(message.send_time),
        target: message.target,
        target_type: target_type(message.kind),
        content: message.content,
        deleted: message.deleted.then_some(true),
        bot: Mark(message.bot),
        reply_to: message.reply_to.map(|id| id.0),
        edited: message.edited_at.map(unix),
        mentions: listed(message.mentions),
        reactions,
        by,
        reacted,
    }
}

/// EDIT_MESSAGE: of the caller's own message, where the caller may still write.
pub(crate) fn edit_message(
    view: &View<'_, '_>,
    me: Caller,
    id: u64,
    content: Content,
) -> Result<Plan, Reject> {
    check_length(view, &content)?;
    let seen = seen(view, &me, id)?;
    seen.refuse_deleted()?;
    if seen.message.sender_id != me.id {
        return Err(Code::NotYours.into());
    }
    seen.check_writing(&me)?;
    if seen.message.content == content.as_str() {
        return Ok(Plan::Reply(done_with(RequestKind::EditMessage)));
    }
    let age = view.now.saturating_sub(seen.message.send_time);
    let limit = view.settings.edit_seconds;
    if limit > 0 && u64::try_from(age).is_ok_and(|age| age > limit) {
        return Err(Code::TooLate.into());
    }
    let now = view.now;
    let demand = Demand::Edit(content.as_str().len());
    Ok(Plan::write(demand, move |batch| {
        let scope = MentionScope {
            conversation: seen.message.conversation,
            name: &seen.message.target,
            friend: seen.friend.as_ref().map(|friend| friend.id),
        };
        let mentions = mentioned(batch, &me, scope, &content)?;
        batch.set_content(seen.message.id, &content, &mentions, now)?;
        Ok(Written {
            reply: done_with(RequestKind::EditMessage),
            effects: seen.told(batch, &me, None)?,
        })
    }))
}

/// DELETE_MESSAGE: of the caller's own message, or of any in a room that the caller operates.
pub(crate) fn delete_message(view: &View<'_, '_>, me: Caller, id: u64) -> Result<Plan, Reject> {
    let seen = seen(view, &me, id)?;
    if seen.message.sender_id != me.id && seen.role < Some(Role::Operator) {
        return Err(Code::NotYours.into());
    }
    if seen.message.deleted {
        return Ok(Plan::Reply(done_with(RequestKind::DeleteMessage)));
    }
    let now = view.now;
    let demand = Demand::MessageChange { stores: false };
    let room = seen
        .room
        .clone()
        .filter(|_| seen.message.sender_id != me.id);
    let caller = me.clone();
    let plan = Plan::write(demand, move |batch| {
        batch.remove_content(seen.message.id, now)?;
        let mut effects = seen.told(batch, &me, None)?;
        if !seen.message.reactions.is_empty() {
            effects.push(Effect::Remove(Removal::Reactors));
        }
        Ok(Written {
            reply: done_with(RequestKind::DeleteMessage),
            effects,
        })
    });
    let Some(room) = room else {
        return Ok(plan);
    };
    let what = id.to_string();
    let kind = RequestKind::DeleteMessage;
    Ok(audited_in_lobby(plan, view, &caller, kind, (&room, &what))?)
}

/// Deletes a message for the administration, whether any user still sees it or not; returns what its readers are told.
/// `by` is the administrator, and empty for the operator of the server.
pub(super) fn delete_by_administration(
    batch: &mut Batch<'_>,
    id: MessageId,
    kind: Kind,
    by: &str,
    now: i64,
) -> Result<Vec<Effect>, StoreError> {
    batch.remove_content(id, now)?;
    let mut effects = vec![Effect::Remove(Removal::Reactors)];
    for reader in batch.readers(id, READERS)? {
        let Some(message) = batch.seen_message(reader, id)? else {
            continue;
        };
        let room = message.conversation;
        let event = changed(message, by.to_owned(), None);
        match kind {
            // The event is the same for all readers of a room.
            Kind::Room => {
                let except = batch.joined_after(room, id)?;
                effects.push(Effect::TellReaders(room, except, event));
                return Ok(effects);
            }
            Kind::Private => effects.push(Effect::Tell(reader, event)),
        }
    }
    Ok(effects)
}

/// REACT: adds a reaction to a message, or takes it back.
pub(crate) fn react(
    view: &View<'_, '_>,
    me: Caller,
    id: u64,
    emoji: Emoji,
    on: bool,
) -> Result<Plan, Reject> {
    let emoji = emoji.0;
    if !is_emoji(&emoji) {
        return Err(Reject::bad_params("emoji", "must be one emoji"));
    }
    let seen = seen(view, &me, id)?;
    seen.refuse_deleted()?;
    seen.check_writing(&me)?;
    let given = &seen.message.reactions;
    let same = given.iter().find(|reaction| reaction.emoji == emoji);
    if same.is_some_and(|reaction| reaction.mine) == on {
        return Ok(Plan::Reply(done_with(RequestKind::React)));
    }
    if on && same.is_none() && given.len() >= EMOJI_MAX {
        return Err(Reject::too_many(EMOJI_MAX));
    }
    let demand = Demand::MessageChange { stores: on };
    Ok(Plan::write(demand, move |batch| {
        if on {
            batch.add_reaction(seen.message.id, me.id, &emoji)?;
        } else {
            batch.remove_reaction(seen.message.id, me.id, &emoji)?;
        }
        let reacted = Reacted { emoji, on };
        Ok(Written {
            reply: done_with(RequestKind::React),
            effects: seen.told(batch, &me, Some(reacted))?,
        })
    }))
}
