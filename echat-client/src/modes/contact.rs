//! Contact mode: friends, rooms, and messages without leaving it.

use echat_proto::commands::Request;
use echat_proto::names::{NameQuery, RoomName};
use echat_proto::param::Names;

use super::lines::{plain, styled};
use super::presence::Presence;
use super::{Act, Goto, Mode, World, answers, mistake, print, read, resolve};
use crate::render::styled::{Line, Style};
use crate::session::{Conversation, News};
use crate::statement::{Scope, Statement};
use crate::target::Target;
use crate::text::Text;

/// Lines that wait which stand at the end of `:m`, where no rows above the prompt show them.
const WAITING: usize = 20;

/// Contact mode.
#[derive(Debug, Default)]
pub(super) struct Contact {
    presence: Presence,
}

impl Mode for Contact {
    fn scope(&self) -> Option<Scope> {
        Some(Scope::Contact)
    }

    fn prompt(&self, _: &World) -> String {
        "contact".to_owned()
    }

    fn history(&self) -> Option<&'static str> {
        Some("contact")
    }

    fn submit(&mut self, line: &str, world: &World) -> Vec<Act> {
        let mut acts = print(self.presence.flush(world));
        acts.extend(match read(Scope::Contact, line, world) {
            Ok(statement) => obey(statement, world),
            Err(acts) => acts,
        });
        acts
    }

    fn on_news(&mut self, news: &News, world: &World) -> Vec<Act> {
        if let News::Friend(name, came) = news {
            return print(self.presence.note(name, *came, world));
        }
        let mut lines = self.presence.flush(world);
        lines.extend(answers::tell(news, world));
        print(lines)
    }

    fn on_tick(&mut self, world: &World) -> Vec<Act> {
        print(self.presence.tick(world))
    }

    fn wakes_at(&self) -> Option<u64> {
        self.presence.due()
    }
}

fn obey(statement: Statement, world: &World) -> Vec<Act> {
    let query = |name: String| NameQuery::new(name);
    match statement {
        Statement::AddFriend(name) => {
            vec![Act::Ask(Request::AddFriend {
                username: query(name),
            })]
        }
        Statement::Resolve(name, accepted) => resolve(name, accepted),
        Statement::JoinRoom(room) => vec![Act::Ask(Request::JoinRoom {
            roomname: query(room),
        })],
        Statement::CreateRoom(room, members) => match RoomName::new(&room) {
            Ok(roomname) => vec![Act::Ask(Request::CreateRoom {
                roomname,
                members: Names(members),
            })],
            Err(bad) => vec![Act::Never(world.language.bad_name(&bad))],
        },
        Statement::AddMembers(room, members) => vec![Act::Ask(Request::AddMembers {
            roomname: query(room),
            members: Names(members),
        })],
        Statement::Find(keyword) => vec![Act::Ask(Request::Find { keyword })],
        Statement::Send(target, text) => vec![Act::Send(target.normal(), text)],
        Statement::Open(target) => open(target.normal(), world),
        Statement::Rooms => {
            let rooms = world.session.rooms().iter().cloned();
            print(world.list(Text::Rooms, Text::NoRooms, rooms))
        }
        Statement::Friends => print(friends(world)),
        Statement::Pending => {
            let pending = world.session.pending().iter().cloned();
            let mut lines = world.list(Text::PendingRequests, Text::NoPending, pending);
            if !world.session.pending().is_empty() {
                lines.push(world.dim(Text::HowToAnswer));
            }
            print(lines)
        }
        Statement::Messages => print(newest(world)),
        Statement::Unread => print(unread(world)),
        _ => Vec::new(),
    }
}

fn open(target: Target, world: &World) -> Vec<Act> {
    if world.session.has(&target) {
        vec![Act::Goto(Goto::Chat(target))]
    } else {
        let name = target.name();
        mistake(world, Text::NoTarget { name })
    }
}

fn friends(world: &World) -> Vec<Line> {
    let rows = world.session.friends().iter().map(|(name, online)| {
        let presence = if *online {
            Text::IsOnline
        } else {
            Text::IsOffline
        };
        format!("{name}  {}", world.language.say(presence))
    });
    world.list(Text::Friends, Text::NoFriends, rows)
}

/// The newest message of each conversation, the most recent last. Of some the login told only how
/// much is unread: opening them fetches the rest.
fn newest(world: &World) -> Vec<Line> {
    let mut lines = Vec::new();
    world.begin_list();
    let recent: Vec<_> = world.session.recent().collect();
    for (target, conversation) in recent.into_iter().rev() {
        if let Some(said) = conversation.lines().next_back() {
            lines.push(styled(target.name(), Style::Bold));
            lines.extend(world.message(said));
        } else {
            lines.push(unread_of(target, conversation, world));
        }
    }
    let waiting = if world.has_footer() {
        Vec::new()
    } else {
        world.waiting_rows(None, WAITING)
    };
    if lines.is_empty() && waiting.is_empty() {
        return vec![world.line(Text::NoMessages)];
    }
    lines.insert(0, world.bold(Text::Messages));
    lines.extend(waiting);
    lines
}

fn unread(world: &World) -> Vec<Line> {
    let mut lines: Vec<Line> = world
        .session
        .recent()
        .filter(|(_, conversation)| conversation.unread() > 0)
        .map(|(target, conversation)| unread_of(target, conversation, world))
        .collect();
    if lines.is_empty() {
        return vec![world.line(Text::NothingUnread)];
    }
    lines.insert(0, world.bold(Text::UnreadHeading));
    lines
}

fn unread_of(target: &Target, conversation: &Conversation, world: &World) -> Line {
    let (target, count) = (target.name(), conversation.unread());
    let said = world.language.say(Text::UnreadOf { target, count });
    plain(&format!("  {said}"))
}
