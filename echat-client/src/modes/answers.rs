//! Update as every mode tells them that does nothing else with them.

use echat_proto::commands::Event;
use echat_proto::records::{Code, Fail, MemberLine};

use super::Context;
use super::lines::{plain, styled};
use crate::render::styled::{Line, Style};
use crate::session::{RequestContext, Update};
use crate::text::{Doing, Text};

/// What to show.
pub(super) fn tell(update: &Update, context: &Context) -> Vec<Line> {
    match update {
        Update::Message(target, said) if said.mine => context.sent(said, target.name()),
        Update::Message(target, _) => context.first_notice(target).into_iter().collect(),
        Update::FriendRequest(name) => vec![context.bold(Text::FriendRequest { name })],
        Update::NewContact(name) => vec![context.line(Text::NewContact { name })],
        Update::NewRoom(room) => vec![context.line(Text::NewRoom { room })],
        Update::LeftRoom(_) | Update::Friend(..) | Update::Member(..) => Vec::new(),
        Update::HistoryReplaced => vec![context.error(Text::HistoryReplaced)],
        Update::Answer(asked, Ok(event)) => answer(asked, event, context),
        Update::Answer(asked, Err(fail)) => refusal(asked, fail, context),
    }
}

fn refusal(asked: &RequestContext, fail: &Fail, context: &Context) -> Vec<Line> {
    // Those are told where they are sent from, or asked again.
    if matches!(
        asked,
        RequestContext::Send | RequestContext::MarkRead(_) | RequestContext::CatchUp
    ) {
        return Vec::new();
    }
    if let RequestContext::Resolve { name, .. } = asked
        && fail.code == Code::NoRequest.as_str()
        && context.session.friends().contains_key(name)
    {
        return vec![context.error(Text::FriendsBefore { name })];
    }
    let own = match asked {
        RequestContext::AddFriend(_) | RequestContext::Resolve { .. } => {
            context.session.friends().len()
        }
        _ => context.session.rooms().len(),
    };
    let said = context.language.refusal_of(doing(asked), fail, own as u64);
    vec![styled(&said, Style::Error)]
}

/// What was asked, for the sentence that answers it.
fn doing(asked: &RequestContext) -> Doing<'_> {
    match asked {
        RequestContext::Register(name) => Doing::Register { name },
        RequestContext::AddFriend(name) => Doing::Befriend { name },
        RequestContext::Resolve { name, accepted } => Doing::Resolve {
            name,
            accepted: *accepted,
        },
        RequestContext::Join(room) => Doing::Join { room },
        RequestContext::Leave(room) => Doing::Leave { room },
        RequestContext::Create(room) => Doing::Create { room },
        RequestContext::AddMembers(room, names) => Doing::AddMembers { room, names },
        RequestContext::Find(part) => Doing::Find { word: part },
        RequestContext::Members(room) => Doing::Members { room },
        RequestContext::Page(target) => Doing::History {
            name: target.name(),
        },
        RequestContext::ServerTime => Doing::Plain("server time"),
        RequestContext::Rooms => Doing::Plain("rooms"),
        RequestContext::Logout => Doing::Plain("logout"),
        RequestContext::Login => Doing::Plain("login"),
        RequestContext::Send
        | RequestContext::CatchUp
        | RequestContext::MarkRead(_)
        | RequestContext::Other(_) => Doing::Other,
    }
}

/// The command that a request came from, as it could be typed. Empty for a request that was not typed.
pub fn command_of(asked: &RequestContext) -> String {
    doing(asked).command()
}

fn answer(asked: &RequestContext, event: &Event, context: &Context) -> Vec<Line> {
    let line = |text| vec![context.line(text)];
    match (asked, event) {
        (_, Event::SendServerTime { time }) => line(Text::ServerTime {
            time: &context.settings.zone.at(*time).to_string(),
        }),
        (_, Event::RegisterSuccess { username }) => line(Text::Registered { name: username }),
        // Crossed requests made a friendship at once, which was told already.
        (RequestContext::AddFriend(name), _) if !context.session.friends().contains_key(name) => {
            line(Text::RequestSent { name })
        }
        (
            RequestContext::Resolve {
                name,
                accepted: false,
            },
            _,
        ) => line(Text::Declined { name }),
        (RequestContext::Create(room), _) => line(Text::RoomMade { room }),
        (RequestContext::AddMembers(room, names), _) => {
            let names = &names.join(&context.language.say(Text::Comma));
            line(Text::MembersAdded { room, names })
        }
        (_, Event::LeftRoom { roomname }) => line(Text::LeftRoom { room: roomname }),
        (_, Event::LoggedOut {}) => line(Text::LoggedOut),
        (RequestContext::Find(part), Event::Found { users, rooms, more }) => {
            found(part, (users, rooms), *more, context)
        }
        (_, Event::Rooms { rooms }) => {
            let rows = rooms.iter().map(|room| {
                context.language.say(Text::RoomLine {
                    room: &room.roomname,
                    members: room.members,
                    owner: &room.owner,
                    unread: room.unread,
                })
            });
            context.list(Text::Rooms, Text::NoRooms, rows)
        }
        (RequestContext::Members(room), Event::Members { members }) => {
            let mut lines = vec![context.bold(Text::Members { room })];
            lines.extend(
                members
                    .iter()
                    .map(|member| plain(&member_row(member, context))),
            );
            lines
        }
        _ => Vec::new(),
    }
}

fn member_row(member: &MemberLine, context: &Context) -> String {
    let presence = if member.online {
        Text::IsOnline
    } else {
        Text::IsOffline
    };
    let mut row = format!("  {}  {}", member.username, context.language.say(presence));
    if member.owner {
        row += "  ";
        row += &context.language.say(Text::Owner);
    }
    row
}

fn found(
    part: &str,
    (users, rooms): (&[String], &[String]),
    more: bool,
    context: &Context,
) -> Vec<Line> {
    let mut lines = Vec::new();
    for (heading, names) in [
        (Text::FoundUsers { word: part }, users),
        (Text::FoundRooms { word: part }, rooms),
    ] {
        if !names.is_empty() {
            lines.extend(context.list(heading, heading, names.iter().cloned()));
        }
    }
    if lines.is_empty() {
        lines.push(context.line(Text::FoundNothing { word: part }));
    }
    if more {
        lines.push(context.line(Text::FoundMore));
    }
    lines
}
