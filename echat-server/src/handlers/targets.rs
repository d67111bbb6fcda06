//! Resolves the name in a request to a user, a room or a conversation.

use super::{Caller, Reject};
use crate::storage::{Batch, ConversationId, Room, User};
use echat_proto::names::NameQuery;
use echat_proto::param::TargetType;
use echat_proto::records::Code;

/// The user of a name.
pub(super) fn user(batch: &Batch<'_>, name: &NameQuery) -> Result<User, Reject> {
    let Some(key) = name.key() else {
        return Err(Code::UnknownUser.into());
    };
    batch
        .find_user(key)?
        .ok_or_else(|| Code::UnknownUser.into())
}

/// The room of a name.
pub(super) fn room(batch: &Batch<'_>, name: &NameQuery) -> Result<Room, Reject> {
    let Some(key) = name.key() else {
        return Err(Code::UnknownRoom.into());
    };
    batch
        .find_room(key)?
        .ok_or_else(|| Code::UnknownRoom.into())
}

/// The room of a name, of which the caller is a member.
pub(super) fn own_room(batch: &Batch<'_>, me: &Caller, name: &NameQuery) -> Result<Room, Reject> {
    let room = room(batch, name)?;
    if batch.is_member(room.id, me.id)? {
        Ok(room)
    } else {
        Err(Code::NotAMember.into())
    }
}

/// A conversation of the caller.
pub(super) struct Conversation {
    pub(super) id: ConversationId,
    /// The room's or the friend's name in its stored form.
    pub(super) name: String,
    /// The friend, if the conversation is private.
    pub(super) friend: Option<User>,
}

/// The conversation with a friend or in a room.
pub(super) fn conversation(
    batch: &Batch<'_>,
    me: &Caller,
    target_type: TargetType,
    target: &NameQuery,
) -> Result<Conversation, Reject> {
    match target_type {
        TargetType::Room => {
            let room = own_room(batch, me, target)?;
            Ok(Conversation {
                id: room.id,
                name: room.name,
                friend: None,
            })
        }
        TargetType::Friend => {
            let friend = user(batch, target)?;
            match batch.friendship(me.id, friend.id)? {
                Some(id) => Ok(Conversation {
                    id,
                    name: friend.name.clone(),
                    friend: Some(friend),
                }),
                None => Err(Code::NotAFriend.into()),
            }
        }
    }
}
