//! Commands that change nothing, as far as the client knows. They are answered without a question and without the
//! server.

use echat_proto::commands::Request;
use echat_proto::param::RoomRole;

use super::Context;
use crate::statement::TypedRequest;
use crate::target::Target;
use crate::text::Text;

/// What is said in place of a command of a room or about a user; `None` for one that the server is asked.
pub(super) fn answer(typed: &TypedRequest, context: &Context) -> Option<String> {
    let request = typed.request(context.now).ok()?;
    let (user, room) = (typed.user(), typed.room());
    let (user, room) = (user.as_deref(), room.as_deref());
    let session = &context.session;
    let is_me = user.is_some() && user == session.me();
    let settings = room.and_then(|room| session.room_settings(&Target::Room(room.to_owned())));
    let text = match request {
        Request::Unblock { .. } if !session.blocked().contains(user?) => {
            Text::NotBlocked { name: user? }
        }
        Request::Kick { .. } | Request::Ban { .. } if is_me => Text::RemovesSelf { room: room? },
        Request::SetRole {
            role: RoomRole::Owner,
            ..
        } if user == Some(settings?.owner.as_str()) => {
            if is_me {
                Text::YouOwn { room: room? }
            } else {
                Text::OwnsAlready {
                    name: user?,
                    room: room?,
                }
            }
        }
        Request::SetRole {
            role: RoomRole::Operator,
            ..
        } if settings?
            .operators
            .iter()
            .any(|name| Some(name.as_str()) == user) =>
        {
            Text::OperatesAlready {
                name: user?,
                room: room?,
            }
        }
        Request::SetRoom {
            new_name: Some(name),
            ..
        } if Some(name.as_str()) == room => Text::NamedAlready { room: room? },
        _ => return None,
    };
    Some(context.language.say(text))
}
