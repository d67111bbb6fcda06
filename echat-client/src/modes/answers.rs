//! News as every mode tells them that does nothing else with them.

use echat_proto::commands::Event;
use echat_proto::records::{Code, Fail, MemberLine};

use super::World;
use super::lines::{plain, styled};
use crate::render::styled::{Line, Style};
use crate::session::{Asked, News};
use crate::text::{Doing, Text};

/// What to show.
pub(super) fn tell(news: &News, world: &World) -> Vec<Line> {
    match news {
        News::Message(target, said) if said.mine => world.sent(said, target.name()),
        News::Message(target, _) => world.first_notice(target).into_iter().collect(),
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
    // Those are told where they are sent from, or asked again.
    if matches!(asked, Asked::Send | Asked::MarkRead(_) | Asked::CatchUp) {
        return Vec::new();
    }
    if let Asked::Resolve { name, .. } = asked
        && fail.code == Code::NoRequest.as_str()
        && world.session.friends().contains_key(name)
    {
        return vec![world.error(Text::FriendsBefore { name })];
    }
    let own = match asked {
        Asked::AddFriend(_) | Asked::Resolve { .. } => world.session.friends().len(),
        _ => world.session.rooms().len(),
    };
    let said = world.language.refusal_of(doing(asked), fail, own as u64);
    vec![styled(&said, Style::Error)]
}

/// What was asked, for the sentence that answers it.
fn doing(asked: &Asked) -> Doing<'_> {
    match asked {
        Asked::Register(name) => Doing::Register { name },
        Asked::AddFriend(name) => Doing::Befriend { name },
        Asked::Resolve { name, accepted } => Doing::Resolve {
            name,
            accepted: *accepted,
        },
        Asked::Join(room) => Doing::Join { room },
        Asked::Leave(room) => Doing::Leave { room },
        Asked::Create(room) => Doing::Create { room },
        Asked::AddMembers(room, names) => Doing::AddMembers { room, names },
        Asked::Find(part) => Doing::Find { word: part },
        Asked::Members(room) => Doing::Members { room },
        Asked::Page(target) => Doing::History {
            name: target.name(),
        },
        Asked::ServerTime => Doing::Plain("server time"),
        Asked::Rooms => Doing::Plain("rooms"),
        Asked::Logout => Doing::Plain("logout"),
        Asked::Login => Doing::Plain("login"),
        Asked::Send | Asked::CatchUp | Asked::MarkRead(_) => Doing::Other,
    }
}

/// The command that a request came from, as it could be typed. Empty for a request that was not typed.
pub fn command_of(asked: &Asked) -> String {
    doing(asked).command()
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
        (Asked::AddMembers(room, names), _) => {
            let names = &names.join(&world.language.say(Text::Comma));
            line(Text::MembersAdded { room, names })
        }
        (_, Event::LeftRoom { roomname }) => line(Text::LeftRoom { room: roomname }),
        (_, Event::LoggedOut {}) => line(Text::LoggedOut),
        (Asked::Find(part), Event::Found { users, rooms, more }) => {
            found(part, (users, rooms), *more, world)
        }
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

fn found(
    part: &str,
    (users, rooms): (&[String], &[String]),
    more: bool,
    world: &World,
) -> Vec<Line> {
    let mut lines = Vec::new();
    for (heading, names) in [
        (Text::FoundUsers { word: part }, users),
        (Text::FoundRooms { word: part }, rooms),
    ] {
        if !names.is_empty() {
            lines.extend(world.list(heading, heading, names.iter().cloned()));
        }
    }
    if lines.is_empty() {
        lines.push(world.line(Text::FoundNothing { word: part }));
    }
    if more {
        lines.push(world.line(Text::FoundMore));
    }
    lines
}
