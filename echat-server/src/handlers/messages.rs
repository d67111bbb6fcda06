//! Sending messages, reading them again, and remembering what was read.

use super::{Ctx, Member, Reject, target_type as wire_type, targets};
use crate::store::{MessageId, StoredMessage};
use echat_proto::commands::Event;
use echat_proto::limits::{HISTORY_DEFAULT, HISTORY_MAX, PAGE_BYTES};
use echat_proto::names::{Content, NameQuery, TxnId};
use echat_proto::param::{Nullable, TargetType};
use echat_proto::records::{Code, M};

/// SEND_MESSAGE: one row, whatever the size of the room.
pub(crate) fn send_message(
    ctx: &mut Ctx<'_, '_>,
    me: Member,
    target_type: TargetType,
    target: NameQuery,
    content: Content,
    txn_id: Option<TxnId>,
) -> Result<Event, Reject> {
    // Before the right to send: a message sent again is acknowledged even after leaving the room.
    if let Some(txn) = &txn_id
        && let Some(sent) = ctx.batch.find_txn(me.id, txn)?
    {
        let same_target = wire_type(sent.kind) == target_type && target.key() == Some(&sent.target);
        return if same_target && sent.content == content.as_str() {
            Ok(new_message(sent, Some(Nullable(txn_id))))
        } else {
            Err(Code::TxnReused.into())
        };
    }
    if content.as_str().len() > ctx.limits.content_bytes {
        return Err(Code::BadContent.into());
    }
    let conversation = targets::conversation(ctx, &me, target_type, &target)?;
    ctx.needs_space()?;
    let (bytes, now) = (content.as_str().len(), ctx.now.running);
    if let Some(wait) = ctx.throttle.message_wait(me.id, now, ctx.limits) {
        return Err(Reject::retry_after(Code::RateLimited, wait));
    }
    if let Some(wait) = ctx.throttle.stored_wait(me.id, bytes, now, ctx.limits) {
        return Err(Reject::quota(
            "You have sent as much as a day allows; try again later.",
            wait,
        ));
    }

    let send_time = ctx.now.unix;
    let id =
        ctx.batch
            .insert_message(conversation.id, me.id, &content, txn_id.as_ref(), send_time)?;

    ctx.throttle.count_message(me.id, now, ctx.limits);
    ctx.throttle.stored.count(me.id, bytes as u64, now);
    let message = |target: String, txn_id| Event::OnNewMessage {
        id: id.0,
        content: content.as_str().to_owned(),
        sender: me.name.to_string(),
        target_type,
        send_time: unix(send_time),
        target,
        txn_id,
    };
    // To the friend, the target is the other one: the sender.
    let (others, target) = if let Some(friend) = &conversation.friend {
        let online = ctx.roster.conns_of(friend.id);
        (online.to_vec(), me.name.to_string())
    } else {
        let online = ctx.roster.in_room_but(conversation.id, me.id);
        (online, conversation.name.clone())
    };
    ctx.outbox.send_all(others, &message(target, None));
    // The sender's other sessions see it as the sender does.
    let mine = ctx.roster.others_of(ctx.conn);
    ctx.outbox
        .send_all(mine, &message(conversation.name.clone(), None));
    Ok(message(conversation.name, Some(Nullable(txn_id))))
}

/// QUERY_HISTORY: of one conversation, or of all of one's own after an id.
pub(crate) fn query_history(
    ctx: &mut Ctx<'_, '_>,
    me: Member,
    target_type: Option<TargetType>,
    target: Option<NameQuery>,
    before: Option<u64>,
    after: Option<u64>,
    limit: Option<u64>,
) -> Result<Event, Reject> {
    let limit = limit.unwrap_or(HISTORY_DEFAULT);
    if !(1..=HISTORY_MAX).contains(&limit) {
        return Err(Reject::bad_params("limit", "must be 1 to 200"));
    }
    let limit = usize::try_from(limit).expect("at most 200");
    let (before, after) = (before.map(MessageId), after.map(MessageId));
    let page = match (target_type, target) {
        (Some(target_type), Some(target)) => {
            let conversation = targets::conversation(ctx, &me, target_type, &target)?.id;
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
    let messages = page
        .messages
        .into_iter()
        .map(|message| m(&me, message))
        .collect();
    Ok(Event::History {
        messages,
        more: page.more,
    })
}

/// MARK_READ.
pub(crate) fn mark_read(
    ctx: &mut Ctx<'_, '_>,
    me: Member,
    target_type: TargetType,
    target: NameQuery,
    id: u64,
) -> Result<Event, Reject> {
    let conversation = targets::conversation(ctx, &me, target_type, &target)?;

    let marker = ctx.batch.mark_read(me.id, conversation.id, MessageId(id))?;

    let id = marker.map_or(0, |marker| marker.0);
    Ok(Event::Marked {
        target_type,
        target: conversation.name,
        id,
    })
}

/// A stored message as one reader sees it.
pub(super) fn m(reader: &Member, message: StoredMessage) -> M {
    M {
        id: message.id.0,
        username: reader.name.to_string(),
        sender: message.sender,
        send_time: unix(message.send_time),
        target: message.target,
        target_type: wire_type(message.kind),
        sent: message.sent,
        content: message.content,
    }
}

/// The acknowledgement of a message that is stored already.
fn new_message(sent: StoredMessage, txn_id: Option<Nullable<TxnId>>) -> Event {
    Event::OnNewMessage {
        id: sent.id.0,
        content: sent.content,
        sender: sent.sender,
        target_type: wire_type(sent.kind),
        send_time: unix(sent.send_time),
        target: sent.target,
        txn_id,
    }
}

/// Times before 1970 are sent as 0: the wire has no negative numbers.
fn unix(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0)
}
