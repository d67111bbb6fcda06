//! Sending messages, reading the history, and read markers.

use super::admission::{Demand, Plan, View, Written};
use super::effects::{Effect, MessageAudience};
use super::mentions::{MentionScope, mentioned};
use super::posting::{Poster, check_length};
use super::{
    Answer, Caller, Ctx, Reject, Unfinished, page, target_type as wire_type, targets, unix,
};
use crate::storage::{
    ALL, Batch, ConversationId, Extras, Kind, Mention, MentionsProgress, MessageId, SentBefore,
    StoreError, StoredMessage, UserId,
};
use echat_proto::commands::Event;
use echat_proto::limits::PAGE_BYTES;
use echat_proto::names::{Content, NameQuery, TxnId};
use echat_proto::param::{Mark, Nullable, TargetType};
use echat_proto::records::{ChatMessage, Code, Reaction};

/// Looks up what a sender has sent with a transaction id: the acknowledgement of the same message again, or `None` if
/// the sender has sent nothing with it. Refuses another message than that. For a user that has left the room, and for
/// a closed room, the acknowledgement has the target and the content of the request: not the name of the room, nor an
/// edit. Any target that can be a room is acknowledged then, since a refusal would tell which names the room has not.
/// The acknowledgement of a message that is too old to be shown has the content of the request, too.
fn sent_before(
    view: &View<'_, '_>,
    me: &Caller,
    target: (TargetType, &NameQuery),
    content: &Content,
    txn: &TxnId,
) -> Result<Option<Event>, Reject> {
    let Some(sent) = view.batch.find_txn(me.id, txn, content)? else {
        return Ok(None);
    };
    let is_outside = is_outside(view, me, &sent)?;
    let is_target = match target.1.key() {
        Some(name) if wire_type(sent.kind) == target.0 => {
            let conversation = (sent.conversation, sent.kind);
            is_outside || view.batch.went_by(conversation, me.id, name)?
        }
        _ => false,
    };
    if !sent.is_same || !is_target {
        return Err(Code::TxnReused.into());
    }
    let sent = if is_outside {
        SentBefore {
            target: None,
            message: None,
            ..sent
        }
    } else {
        sent
    };
    let echo = Nullable(Some(txn.clone()));
    Ok(Some(match sent.message {
        Some(message) => new_message(me, message, echo),
        None => removed_message(me, sent, (target.1, content.clone()), echo),
    }))
}

/// Whether the sender of a message is not in its room any more, or the room was closed since. What is left of a closed
/// room is removed in portions, and its members are as well.
fn is_outside(view: &View<'_, '_>, me: &Caller, sent: &SentBefore) -> Result<bool, StoreError> {
    Ok(sent.kind == Kind::Room
        && (sent.target.is_none() || !view.batch.is_member(sent.conversation, me.id)?))
}

/// Stores a message, or only its id where nothing is kept.
fn insert(
    batch: &mut Batch<'_>,
    conversation: &targets::Conversation,
    me: &Caller,
    (content, txn_id, extras): (&Content, Option<&TxnId>, &Extras),
    now: i64,
) -> Result<MessageId, StoreError> {
    let sent_by = (conversation.id, me.id);
    if conversation.keeps_nothing {
        batch.insert_unkept(sent_by, content, txn_id, now)
    } else {
        batch.insert_message_with(sent_by, content, txn_id, extras, now)
    }
}

/// SEND_MESSAGE: one row, whatever the size of the room.
pub(crate) fn send_message(
    view: &View<'_, '_>,
    me: Caller,
    target_type: TargetType,
    target: NameQuery,
    content: Content,
    txn_id: Option<TxnId>,
    reply_to: Option<u64>,
) -> Result<Plan, Reject> {
    // This comes before the right to send: a message sent again is acknowledged even after its sender left the room.
    if let Some(txn) = &txn_id
        && let Some(again) = sent_before(view, &me, (target_type, &target), &content, txn)?
    {
        return Ok(Plan::Reply(again));
    }
    if me.bot && target_type == TargetType::Friend {
        return Err(Code::NotForBots.into());
    }
    check_length(view, &content)?;
    let conversation = targets::open_conversation(view.batch, &me, target_type, &target)?;
    let reply_to = reply_to.map(MessageId);
    check_reply_target(view, &me, conversation.id, reply_to)?;
    let poster = Poster {
        me: &me,
        conversation: conversation.id,
        restriction: conversation.restriction,
    };
    poster.check_sending(view)?;
    let send_time = view.now;
    let demand = Demand::Message(content.as_str().len());
    Ok(Plan::write(demand, move |batch| {
        if conversation.restriction.is_some() {
            batch.note_sent(conversation.id, me.id, send_time)?;
        }
        let scope = MentionScope {
            conversation: conversation.id,
            name: &conversation.name,
            friend: conversation.friend,
        };
        let mentions = mentioned(batch, &me, scope, &content)?;
        let extras = Extras { reply_to, mentions };
        let message = (&content, txn_id.as_ref(), &extras);
        let id = insert(batch, &conversation, &me, message, send_time)?;
        let mentions = names(batch, &extras.mentions)?;
        let effects = vec![Effect::TellMessage(audience(&conversation, me.id))];
        Ok(Written {
            reply: Event::OnNewMessage {
                id: id.0,
                content: content.into_text(),
                sender: String::from(&*me.name),
                target_type,
                send_time: unix(send_time),
                target: conversation.name,
                txn_id: Some(Nullable(txn_id)),
                deleted: None,
                bot: Mark(me.bot),
                reply_to: extras.reply_to.map(|id| id.0),
                edited: None,
                mentions: listed(mentions),
            },
            effects,
        })
    }))
}

/// Refuses an answer to a message that is not in the conversation, that the caller does not see, or that is deleted.
fn check_reply_target(
    view: &View<'_, '_>,
    me: &Caller,
    conversation: ConversationId,
    reply_to: Option<MessageId>,
) -> Result<(), Reject> {
    let Some(answered) = reply_to else {
        return Ok(());
    };
    let answered = view.batch.seen_message(me.id, answered)?;
    let is_there = |seen: &StoredMessage| seen.conversation == conversation && !seen.deleted;
    if answered.as_ref().is_some_and(is_there) {
        Ok(())
    } else {
        Err(Code::UnknownMessage.into())
    }
}

/// The users that a new message is told to.
fn audience(conversation: &targets::Conversation, sender: UserId) -> MessageAudience {
    match conversation.friend {
        Some(friend) => MessageAudience::Friend(friend),
        None => MessageAudience::Room {
            room: conversation.id,
            except: sender,
        },
    }
}

/// QUERY_HISTORY: of one conversation, or of all conversations of the caller after an id.
#[expect(clippy::too_many_arguments, reason = "the parameters of the request")]
pub(crate) fn query_history(
    ctx: &Ctx<'_, '_>,
    me: Caller,
    target_type: Option<TargetType>,
    target: Option<NameQuery>,
    before: Option<u64>,
    after: Option<u64>,
    limit: Option<u64>,
    around: Option<u64>,
    at: Option<u64>,
) -> Result<Event, Reject> {
    let limit = page::of_messages(limit)?;
    if around.is_some() || at.is_some() {
        let field = if around.is_some() { "around" } else { "at" };
        let is_alone = before.is_none() && after.is_none() && (around.is_none() || at.is_none());
        if !is_alone {
            let why = "excludes before, after, around and at";
            return Err(Reject::bad_params(field, why));
        }
        if target_type.is_none() && target.is_none() {
            return Err(Reject::bad_params(field, "needs a target"));
        }
    }
    let (before, after) = (before.map(MessageId), after.map(MessageId));
    let page = match (target_type, target) {
        (Some(target_type), Some(target)) => {
            let conversation = targets::conversation(ctx.batch, &me, target_type, &target)?.id;
            if around.is_some() || at.is_some() {
                return history_around(ctx, &me, conversation, (around, at), limit);
            }
            ctx.batch
                .history(me.id, conversation, before, after, limit, PAGE_BYTES)?
        }
        (None, None) if before.is_some() => {
            return Err(Reject::bad_params("before", "needs a target"));
        }
        (None, None) => {
            ctx.batch
                .catch_up(me.id, after.unwrap_or(MessageId(0)), limit, PAGE_BYTES)?
        }
        (None, Some(_)) => return Err(Reject::bad_params("target_type", "is missing")),
        (Some(_), None) => return Err(Reject::bad_params("target", "is missing")),
    };
    Ok(history(&me, page.messages, page.more, None))
}

fn history(me: &Caller, messages: Vec<StoredMessage>, more: bool, newer: Option<bool>) -> Event {
    let messages = messages.into_iter();
    Event::History {
        messages: messages.map(|message| chat_message(me, message)).collect(),
        more,
        newer,
    }
}

/// QUERY_HISTORY of one conversation around a message, or from a time on.
fn history_around(
    ctx: &Ctx<'_, '_>,
    me: &Caller,
    conversation: ConversationId,
    (around, at): (Option<u64>, Option<u64>),
    limit: usize,
) -> Result<Event, Reject> {
    let (from, before) = if let Some(id) = around {
        let id = MessageId(id);
        let message = ctx.batch.seen_message(me.id, id)?;
        if message.is_none_or(|message| message.conversation != conversation) {
            return Err(Code::UnknownMessage.into());
        }
        (id, limit / 2)
    } else {
        let time = at.map_or(0, |time| i64::try_from(time).unwrap_or(i64::MAX));
        let first = ctx.batch.first_at(me.id, conversation, time)?;
        (first.unwrap_or(MessageId(u64::MAX)), 0)
    };
    let page = ctx
        .batch
        .history_around(me.id, conversation, from, (before, limit), PAGE_BYTES)?;
    Ok(history(me, page.messages, page.older, Some(page.newer)))
}

/// LIST_MENTIONS, in as many turns as it takes. `unfinished` is what the turns before left.
pub(crate) fn list_mentions(
    ctx: &Ctx<'_, '_>,
    me: Caller,
    unfinished: Option<Unfinished>,
    before: Option<u64>,
    limit: Option<u64>,
) -> Result<Answer, Reject> {
    let listed = if let Some(Unfinished::Mentions(mentions)) = unfinished {
        ctx.batch.mentions_on(*mentions)?
    } else {
        let limit = page::of_messages(limit)?;
        let before = before.map(MessageId);
        ctx.batch.mentions(me.id, before, limit, PAGE_BYTES)?
    };
    Ok(match listed {
        MentionsProgress::Page(page) => history(&me, page.messages, page.more, None).into(),
        MentionsProgress::Part(mentions) => {
            Answer::Unfinished(Unfinished::Mentions(Box::new(mentions)))
        }
    })
}

/// MARK_READ.
pub(crate) fn mark_read(
    view: &View<'_, '_>,
    me: Caller,
    target_type: TargetType,
    target: NameQuery,
    id: u64,
) -> Result<Plan, Reject> {
    let conversation = targets::conversation(view.batch, &me, target_type, &target)?;
    Ok(Plan::write(Demand::Nothing, move |batch| {
        let before = batch.writes();
        let marker = batch.mark_read(me.id, conversation.id, MessageId(id))?;
        let id = marker.map_or(0, |marker| marker.0);
        let mut effects = Vec::new();
        if batch.writes() > before {
            effects.push(Effect::TellOthers(Event::OnRead {
                target_type,
                target: conversation.name.clone(),
                id,
            }));
        }
        Ok(Written {
            reply: Event::Marked {
                target_type,
                target: conversation.name,
                id,
            },
            effects,
        })
    }))
}

/// A stored message as one reader sees it.
pub(super) fn chat_message(reader: &Caller, message: StoredMessage) -> ChatMessage {
    let reactions = reactions(&message);
    ChatMessage {
        id: message.id.0,
        username: String::from(&*reader.name),
        sender: message.sender,
        send_time: unix(message.send_time),
        target: message.target,
        target_type: wire_type(message.kind),
        sent: message.sent,
        content: message.content,
        deleted: message.deleted.then_some(true),
        bot: Mark(message.bot),
        reply_to: message.reply_to.map(|id| id.0),
        edited: message.edited_at.map(unix),
        mentions: listed(message.mentions),
        reactions,
    }
}

/// The acknowledgement of a message of the caller that was removed, or never kept. A closed room is named as the
/// request names it.
fn removed_message(
    me: &Caller,
    sent: SentBefore,
    (target, content): (&NameQuery, Content),
    txn_id: Nullable<TxnId>,
) -> Event {
    let named = || target.key().unwrap_or_default().to_owned();
    Event::OnNewMessage {
        id: sent.id.0,
        content: content.into_text(),
        sender: String::from(&*me.name),
        target_type: wire_type(sent.kind),
        send_time: unix(sent.send_time),
        target: sent.target.unwrap_or_else(named),
        txn_id: Some(txn_id),
        deleted: None,
        bot: Mark(me.bot),
        reply_to: None,
        edited: None,
        mentions: None,
    }
}

/// The acknowledgement of a message of the caller that is stored already.
fn new_message(me: &Caller, sent: StoredMessage, txn_id: Nullable<TxnId>) -> Event {
    Event::OnNewMessage {
        id: sent.id.0,
        content: sent.content,
        sender: sent.sender,
        target_type: wire_type(sent.kind),
        send_time: unix(sent.send_time),
        target: sent.target,
        txn_id: Some(txn_id),
        deleted: sent.deleted.then_some(true),
        bot: Mark(me.bot),
        reply_to: sent.reply_to.map(|id| id.0),
        edited: sent.edited_at.map(unix),
        mentions: listed(sent.mentions),
    }
}

/// A list on the wire, where an empty one is left out.
pub(super) fn listed<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

/// The reactions to a message, as its reader sees them.
pub(super) fn reactions(message: &StoredMessage) -> Option<Vec<Reaction>> {
    let reactions = message.reactions.iter().map(|reaction| Reaction {
        emoji: reaction.emoji.clone(),
        count: reaction.count,
        mine: Some(reaction.mine),
    });
    listed(reactions.collect())
}

/// The names of what a message mentions.
fn names(batch: &Batch<'_>, mentions: &[Mention]) -> Result<Vec<String>, Reject> {
    let mut names = Vec::new();
    for mention in mentions {
        match mention {
            Mention::All => names.push(ALL.to_owned()),
            Mention::User(user) => names.extend(batch.user_name(*user)?),
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
