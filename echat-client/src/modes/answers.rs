//! News as every mode tells them that does nothing else with them.

use echat_proto::commands::Event;
use echat_proto::records::{Fail, MemberLine};

use super::World;
use super::lines::{plain, styled};
use crate::session::{Asked, News};
use crate::styled::{Line, Style};
use crate::target::Target;
use crate::text::Text;

/// What to show.
pub(super) fn tell(news: &News, world: &World) -> Vec<Line> {
    match news {
        News::Message(target, said) if said.mine => world.sent(said, target.name()),
        News::Message(Target::Friend(_), said) => {
            vec![world.line(Text::NewMessage { from: &said.sender })]
        }
        News::Message(Target::Room(room), said) => vec![world.line(Text::NewRoomMessage {
            from: &said.sender,
            room,
        })],
        News::FriendRequest(name) => vec![world.bold(Text::FriendRequest { name })],
        News::NewContact(name) => vec![world.line(Text::NewContact { name })],
        News::NewRoom(room) => vec![world.line(Text::NewRoom { room })],
        News::LeftRoom(_) | News::Friend(..) | News::Member(..) => Vec::new(),
        News::HistoryReplaced => vec![world.error(Text::HistoryReplaced)],
        News::Answer(asked, Ok(event)) => answer(asked, event, world),
        News::Answer(asked, Err(fail)) => refusal(asked, fail, world),
    }
}

fn refusal(asked: &Asked, fail: &Fail, world: &World) -> Vec<Line> {
    match asked {
        // Those are told where they are sent from, or asked again.
        Asked::Send | Asked::MarkRead(_) | Asked::CatchUp => Vec::new(),
        _ => vec![styled(&world.language.refusal(fail), Style::Error)],
    }
}

fn answer(asked: &Asked, event: &Event, world: &World) -> Vec<Line> {
    let line = |text| vec![world.line(text)];
    match (asked, event) {
        (_, Event::SendServerTime { time }) => line(Text::ServerTime {
            time: &world.settings.zone.at(*time).to_string(),
        }),
        (_, Event::RegisterSuccess { username }) => line(Text::Registered { name: username }),
        // Crossed requests made a friendship at once, which was told already.
        (Asked::AddFriend(name), _) if !world.session.friends().contains_key(name) => {
            line(Text::RequestSent { name })
        }
        (
            Asked::Resolve {
                name,
                accepted: false,
            },
            _,
        ) => line(Text::Declined { name }),
        (Asked::Create(room), _) => line(Text::RoomMade { room }),
        (Asked::AddMembers(room), _) => line(Text::MembersAdded { room }),
        (_, Event::LeftRoom { roomname }) => line(Text::LeftRoom { room: roomname }),
        (_, Event::LoggedOut {}) => line(Text::LoggedOut),
        (_, Event::Found { users, rooms, more }) => found(users, rooms, *more, world),
        (_, Event::Rooms { rooms }) => {
            let rows = rooms.iter().map(|room| {
                world.language.say(Text::RoomLine {
                    room: &room.roomname,
                    members: room.members,
                    owner: &room.owner,
                    unread: room.unread,
                })
            });
            world.list(Text::Rooms, Text::NoRooms, rows)
        }
        (Asked::Members(room), Event::Members { members }) => {
            let mut lines = vec![world.bold(Text::Members { room })];
            lines.extend(
                members
                    .iter()
                    .map(|member| plain(&member_row(member, world))),
            );
            lines
        }
        _ => Vec::new(),
    }
}

fn member_row(member: &MemberLine, world: &World) -> String {
    let presence = if member.online {
        Text::IsOnline
    } else {
        Text::IsOffline
    };
    let mut row = format!("  {}  {}", member.username, world.language.say(presence));
    if member.owner {
        row += "  ";
        row += &world.language.say(Text::Owner);
    }
    row
}

fn found(users: &[String], rooms: &[String], more: bool, world: &World) -> Vec<Line> {
    let mut lines = Vec::new();
    for (heading, names) in [(Text::FoundUsers, users), (Text::FoundRooms, rooms)] {
        if !names.is_empty() {
            lines.extend(world.list(heading, Text::FoundNothing, names.iter().cloned()));
        }
    }
    if lines.is_empty() {
        lines.push(world.line(Text::FoundNothing));
    }
    if more {
        lines.push(world.line(Text::FoundMore));
    }
    lines
}
