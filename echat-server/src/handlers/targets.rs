//! Looks up the user, room or conversation of a name in a request.
//!
//! A name that cannot exist is treated as one that does not exist. Every look-up of a room by name hides private rooms
//! from strangers, here and in the query `storage::rooms::OWN_ROOM`. The index of names, which FIND reads, has public
//! rooms only.

use super::admission::View;
use super::{Caller, Reject};
use crate::storage::{
    Batch, ConversationId, OwnRoom, Restriction, Role, Room, StoreError, User, UserId,
};
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

/// The user of a name that can be asked for something: no deleted or suspended account, and no bot.
pub(super) fn askable_user(view: &View<'_, '_>, name: &NameQuery) -> Result<User, Reject> {
    let user = user(view.batch, name)?;
    if !view.batch.can_be_asked(user.id, view.now)? {
        return Err(Code::UnknownUser.into());
    }
    Ok(user)
}

/// The user of a name, as the caller may see it: a bot exists only for its owner and for members of its rooms.
pub(super) fn seen_user(batch: &Batch<'_>, me: &Caller, name: &NameQuery) -> Result<User, Reject> {
    let user = user(batch, name)?;
    if let Some(bot) = batch.bot(user.id)?
        && bot.owner.id != me.id
        && batch.shared_rooms_except_lobby(me.id, user.id)?.is_empty()
    {
        return Err(Code::UnknownUser.into());
    }
    Ok(user)
}

/// The user of a name, who is not a bot.
pub(super) fn person(batch: &Batch<'_>, name: &NameQuery) -> Result<User, Reject> {
    let user = user(batch, name)?;
    if batch.is_bot(user.id)? {
        return Err(Code::UnknownUser.into());
    }
    Ok(user)
}

/// The room of a name, and the caller's role in it. A private room exists only for its members and for users who are
/// invited.
pub(super) fn room(
    batch: &Batch<'_>,
    me: &Caller,
    name: &NameQuery,
) -> Result<(Room, Option<Role>), Reject> {
    let unknown = || Reject::from(Code::UnknownRoom);
    let room = batch.find_room(name.key().ok_or_else(unknown)?)?;
    let room = room.ok_or_else(unknown)?;
    let role = batch.role(&room, me.id)?;
    if room.private && role.is_none() && !batch.is_invited(room.id, me.id)? {
        return Err(unknown());
    }
    Ok((room, role))
}

/// The room of a name, of which the caller is a member, and the caller's role in it.
pub(super) fn own_room(
    batch: &Batch<'_>,
    me: &Caller,
    name: &NameQuery,
) -> Result<(Room, Role), Reject> {
    match room(batch, me, name)? {
        (room, Some(role)) => Ok((room, role)),
        (_, None) => Err(Code::NotAMember.into()),
    }
}

/// The room of a name, and the role in which the caller acts in it. Administrators act as the owner of the lobby,
/// whether they are in it or not; in any other room it is the role of a member.
pub(super) fn room_to_manage(
    batch: &Batch<'_>,
    me: &Caller,
    name: &NameQuery,
) -> Result<(Room, Option<Role>), Reject> {
    let (room, role) = room(batch, me, name)?;
    let role = acting_role(batch, &room, me.id, role)?;
    Ok((room, role))
}

/// The role in which a user acts in a room, given the role of the user as a member: that of the owner also for an
/// administrator that is not in the lobby.
pub(super) fn acting_role(
    batch: &Batch<'_>,
    room: &Room,
    user: UserId,
    role: Option<Role>,
) -> Result<Option<Role>, StoreError> {
    let acts = role.is_none() && room.owner.is_none() && batch.acts_as_owner(room, user)?;
    Ok(if acts { Some(Role::Owner) } else { role })
}

/// The room of a name, and the role in which the caller acts in it, for a request that only some roles may make.
pub(super) fn managed_room(
    batch: &Batch<'_>,
    me: &Caller,
    name: &NameQuery,
) -> Result<(Room, Role), Reject> {
    match room_to_manage(batch, me, name)? {
        (room, Some(role)) => Ok((room, role)),
        (_, None) => Err(Code::NotAMember.into()),
    }
}

/// A conversation of the caller.
pub(super) struct Conversation {
    pub(super) id: ConversationId,
    /// The room's or the friend's name in its stored form.
    pub(super) name: String,
    /// The friend, if the conversation is private.
    pub(super) friend: Option<UserId>,
    /// Whether it is the conversation with a former friend, which the caller can read and not write to.
    pub(super) ended: bool,
    /// What the caller's messages are held to, if the conversation is a room.
    pub(super) restriction: Option<Restriction>,
    /// Whether its messages are told to those online and not kept.
    pub(super) keeps_nothing: bool,
}

/// The conversation with a friend or in a room, to write to it.
pub(super) fn open_conversation(
    batch: &Batch<'_>,
    me: &Caller,
    target_type: TargetType,
    target: &NameQuery,
) -> Result<Conversation, Reject> {
    let conversation = conversation(batch, me, target_type, target)?;
    if conversation.ended {
        return Err(Code::NotAFriend.into());
    }
    Ok(conversation)
}

/// The conversation with a friend, present or former, or in a room.
pub(super) fn conversation(
    batch: &Batch<'_>,
    me: &Caller,
    target_type: TargetType,
    target: &NameQuery,
) -> Result<Conversation, Reject> {
    let refused = |code: Code| Err(code.into());
    let keeps_nothing = |days| batch.retention().days_in(days) == Some(0);
    match (target_type, target.key()) {
        (TargetType::Room, None) => refused(Code::UnknownRoom),
        (TargetType::Friend, None) => refused(Code::UnknownUser),
        (TargetType::Room, Some(key)) => match batch.find_own_room(me.id, key)? {
            None => refused(Code::UnknownRoom),
            Some(OwnRoom {
                is_member: false, ..
            }) => refused(Code::NotAMember),
            Some(room) => Ok(Conversation {
                id: room.id,
                name: room.name,
                friend: None,
                ended: false,
                restriction: room.restriction,
                keeps_nothing: keeps_nothing(room.keep_days),
            }),
        },
        (TargetType::Friend, Some(key)) => match batch.find_friend(me.id, key)? {
            None => refused(Code::UnknownUser),
            Some((_, None)) => {
                seen_user(batch, me, target)?;
                refused(Code::NotAFriend)
            }
            Some((friend, Some(conversation))) => Ok(Conversation {
                id: conversation.id,
                name: friend.name,
                friend: Some(friend.id),
                ended: conversation.ended,
                restriction: None,
                keeps_nothing: keeps_nothing(None),
            }),
        },
    }
}
