//! Contact mode: friends, rooms, and messages without leaving it.

use super::lines::styled;
use super::presence::{PresenceChange, PresenceDigest};
use super::{Act, Context, Mode, ReadLine, answers, print, read, rooms};
use crate::render::styled::{Line, Style};
use crate::session::{Post, Update};
use crate::statement::{Scope, Statement};
use crate::text::Text;

/// Unsent lines that are listed at the end of `:m`, where no rows above the prompt show them.
const WAITING: usize = 20;

/// Contact mode.
#[derive(Debug, Default)]
pub(super) struct ContactMode {
    presence: PresenceDigest,
}

impl Mode for ContactMode {
    fn scope(&self) -> Option<Scope> {
        Some(Scope::Contact)
    }

    fn prompt(&self, _: &Context) -> String {
        "contact".to_owned()
    }

    fn history(&self) -> Option<&'static str> {
        Some("contact")
    }

    fn submit(&mut self, line: &str, context: &Context) -> Vec<Act> {
        let mut acts = print(self.presence.flush(context));
        acts.extend(match read(Scope::Contact, line, None, context) {
            ReadLine::Statement(statement) => carry_out(&statement, context),
            ReadLine::Done(acts) => acts,
        });
        acts
    }

    fn on_update(&mut self, update: &Update, context: &Context) -> Vec<Act> {
        if let Update::Friend(name, _) | Update::NewFriendIsOnline(name) = update {
            let change = PresenceChange::of_friend(update);
            return print(self.presence.record(name, change, context));
        }
        let mut lines = self.presence.flush(context);
        lines.extend(match update {
            Update::Away(name, text) => context.away_lines(name, text.as_deref()),
            _ => answers::tell(update, context),
        });
        print(lines)
    }

    fn on_cut(&mut self) -> Vec<Act> {
        self.presence.drop_pending();
        Vec::new()
    }

    fn on_tick(&mut self, context: &Context) -> Vec<Act> {
        print(self.presence.tick(context))
    }

    fn wakes_at(&self) -> Option<u64> {
        self.presence.due()
    }
}

fn carry_out(statement: &Statement, context: &Context) -> Vec<Act> {
    match statement {
        Statement::Rooms => {
            let rooms = context.session.rooms().iter().cloned();
            print(context.list(Text::Rooms, Text::NoRooms, rooms))
        }
        Statement::Friends => print(friends(context)),
        Statement::Messages => print(newest(context)),
        _ => Vec::new(),
    }
}

/// `:pr` and `/requests`: friend requests and invitations that are not answered.
pub(super) fn pending(context: &Context) -> Vec<Line> {
    let pending = context.session.pending().iter().cloned();
    let mut lines = context.list(Text::PendingRequests, Text::NoPending, pending);
    if !context.session.pending().is_empty() {
        lines.push(context.dim(Text::HowToAnswer));
    }
    lines.extend(invitations(context));
    lines
}

fn invitations(context: &Context) -> Vec<Line> {
    let invitations = context.session.invitations();
    if invitations.is_empty() {
        return Vec::new();
    }
    let rows = invitations.iter().map(|invitation| {
        let room = &invitation.roomname;
        let by = rooms::inviter(invitation.by.as_deref(), context.language);
        context.language.say(Text::InvitationLine { room, by: &by })
    });
    let mut lines = context.list(Text::Invitations, Text::Invitations, rows);
    lines.push(context.dim(Text::HowToAnswerInvitation));
    lines
}

fn friends(context: &Context) -> Vec<Line> {
    let rows = context.session.friends().iter().map(|(name, online)| {
        let presence = context.presence_of(*online, context.session.away(name), None);
        format!("{name}  {presence}")
    });
    context.list(Text::Friends, Text::NoFriends, rows)
}

/// The newest message of each conversation, the most recent last. Of some the login told only how
/// much is unread: opening them fetches the rest.
fn newest(context: &Context) -> Vec<Line> {
    let mut lines = Vec::new();
    context.begin_list();
    let recent: Vec<_> = context.session.recent().collect();
    for (target, conversation) in recent.into_iter().rev() {
        let folds = |post: &&Post| context.session.folds(target, &post.sender);
        let newest = conversation.lines().rev().find(|post| !folds(post));
        if let Some(post) = newest {
            lines.push(styled(&context.target_name(target), Style::Bold));
            lines.extend(context.message(post));
        } else if conversation.lines().next_back().is_some() {
            lines.push(styled(&context.target_name(target), Style::Bold));
            let count = conversation.lines().filter(folds).count() as u64;
            lines.push(context.dim(Text::Folded { count }));
        } else {
            lines.push(context.unread_of(target, conversation));
        }
    }
    let waiting = if context.has_footer() {
        Vec::new()
    } else {
        context.waiting_rows(None, WAITING)
    };
    if lines.is_empty() && waiting.is_empty() {
        return vec![context.line(Text::NoMessages)];
    }
    lines.insert(0, context.bold(Text::Messages));
    lines.extend(waiting);
    lines
}
