//! Names and short texts in what the server says. The session keeps many of them, and copies some to every message of a
//! sender, so their lengths are checked where an event arrives. An event with a longer one is malformed.

use echat_proto::commands::Event;
use echat_proto::limits::{NAME_BYTES, TOPIC_BYTES};
use echat_proto::records::{ChatMessage, InvitationLine, Reaction, RoomInfo};

/// Bytes of a name: four times the longest that this protocol has, for servers of later versions.
const NAME_MAX: usize = 4 * NAME_BYTES;
/// Bytes of a topic and of what users say of being away, which is shorter: four times the longest topic, likewise.
const TEXT_MAX: usize = 4 * TOPIC_BYTES;

/// Whether a name or a short text that the session would keep is longer than any server has them.
pub fn has_long_name(event: &Event) -> bool {
    match event {
        Event::LoginBundle { .. } => is_long_bundle(event),
        Event::History { messages, .. } | Event::FoundMessages { messages, .. } => {
            messages.iter().any(is_long_message)
        }
        Event::OnNewMessage { sender, target, .. } => any([sender, target]),
        Event::OnMessageChanged {
            sender,
            target,
            by,
            reactions,
            ..
        } => any([sender, target, by]) || any(emoji(reactions.as_ref())),
        Event::Rooms { rooms } => any(rooms.iter().flat_map(|line| [&line.roomname, &line.owner])),
        Event::Members { members } => any(members.members.iter().map(|line| &line.username)),
        Event::Bots { bots } => any(bots.iter().map(|line| &line.username)),
        Event::Room { room } => is_long_room(room),
        Event::OnRoomChanged { was, by, room } => any([was]) || any(by) || is_long_room(room),
        Event::OnSelfChanged {
            blocked,
            invitations,
            ..
        } => any(blocked.iter().flatten()) || any(invited(invitations.as_ref())),
        Event::OnAway { username, text } => any([username]) || is_long(text.0.iter(), TEXT_MAX),
        _ => is_long_in_news(event),
    }
}

/// The same of events that have nothing but names.
fn is_long_in_news(event: &Event) -> bool {
    match event {
        Event::LoginSuccess { username }
        | Event::IncommingFriendRequest { username }
        | Event::NewContact { username }
        | Event::OnFriendOnline { username }
        | Event::OnFriendOffline { username }
        | Event::OnFriendRemoved { username }
        | Event::OnRequestChanged { username, .. }
        | Event::BotToken { username, .. } => any([username]),
        Event::OnNewRoom { roomname } | Event::LeftRoom { roomname } => any([roomname]),
        Event::OnMemberOnline {
            roomname,
            membername,
            ..
        }
        | Event::OnMemberOffline {
            roomname,
            membername,
            ..
        } => any([roomname, membername]),
        Event::OnRoomClosed { roomname, by } | Event::OnInvitation { roomname, by } => {
            any([roomname]) || any(by)
        }
        Event::OnMemberRemoved {
            roomname,
            membername,
            by,
            ..
        } => any([roomname, membername, by]),
        Event::OnRole {
            roomname,
            membername,
            by,
            ..
        } => any([roomname, membername]) || any(by),
        Event::OnRead { target, .. } => any([target]),
        Event::OnUserRenamed { was, username } => any([was, username]),
        _ => false,
    }
}

fn is_long_bundle(event: &Event) -> bool {
    let Event::LoginBundle {
        chat_rooms,
        friends,
        pending_requests,
        messages,
        unread,
        more,
        away,
        blocked,
        invitations,
        ..
    } = event
    else {
        return false;
    };
    let names = chat_rooms.iter().chain(friends).chain(pending_requests);
    let targets = unread.iter().map(|line| &line.target);
    let targets = targets.chain(more.iter().map(|line| &line.target));
    let away = || away.iter().flatten();
    any(names.chain(targets).chain(blocked.iter().flatten()))
        || messages.iter().any(is_long_message)
        || any(away().map(|line| &line.username))
        || is_long(away().map(|line| &line.text), TEXT_MAX)
        || any(invited(invitations.as_ref()))
}

fn is_long_message(message: &ChatMessage) -> bool {
    any([&message.sender, &message.target]) || any(emoji(message.reactions.as_ref()))
}

fn is_long_room(room: &RoomInfo) -> bool {
    let owner = [&room.roomname, &room.owner].into_iter();
    any(owner.chain(&room.operators)) || is_long([&room.topic], TEXT_MAX)
}

fn emoji(reactions: Option<&Vec<Reaction>>) -> impl Iterator<Item = &String> {
    reactions
        .into_iter()
        .flatten()
        .map(|reaction| &reaction.emoji)
}

fn invited(invitations: Option<&Vec<InvitationLine>>) -> impl Iterator<Item = &String> {
    let lines = invitations.into_iter().flatten();
    lines.flat_map(|line| [&line.roomname].into_iter().chain(&line.by))
}

/// Whether one of these names is too long.
fn any<'a>(names: impl IntoIterator<Item = &'a String>) -> bool {
    is_long(names, NAME_MAX)
}

fn is_long<'a>(texts: impl IntoIterator<Item = &'a String>, most: usize) -> bool {
    texts.into_iter().any(|text| text.len() > most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use echat_proto::names::DELETED_ACCOUNT;
    use echat_proto::param::AwayText;

    #[test]
    fn names_are_as_long_as_a_server_has_them() {
        let fits = [
            "x".repeat(NAME_BYTES),
            format!("{DELETED_ACCOUNT}{}", u64::MAX),
            "x".repeat(NAME_MAX),
        ];
        for (username, is_long) in fits
            .into_iter()
            .map(|name| (name, false))
            .chain([("x".repeat(NAME_MAX + 1), true)])
        {
            let roomname = username.clone();
            for event in [
                Event::NewContact {
                    username: username.clone(),
                },
                Event::OnNewRoom {
                    roomname: roomname.clone(),
                },
                Event::OnUserRenamed {
                    was: "ann".to_owned(),
                    username: username.clone(),
                },
                Event::OnInvitation {
                    roomname: "room1".to_owned(),
                    by: Some(username.clone()),
                },
            ] {
                assert_eq!(has_long_name(&event), is_long, "{event:?}");
            }
        }
        for (length, is_long) in [(TEXT_MAX, false), (TEXT_MAX + 1, true)] {
            let text = AwayText(Some("x".repeat(length)));
            let username = "bob".to_owned();
            assert_eq!(has_long_name(&Event::OnAway { username, text }), is_long);
        }
    }
}
