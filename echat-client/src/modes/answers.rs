//! What every mode shows of an update with which it does nothing else: news, replies with their contents, what is said
//! when a command is done, refusals.

use echat_proto::commands::{Event, RequestKind};
use echat_proto::records::{Code, Fail};

use super::lines::{plain, styled};
use super::{Context, administration, found, meant, rooms};
use crate::render::styled::{Line, Style};
use crate::session::{Jump, LookupKind, MembershipChange, RequestContext, TimedRequest, Update};
use crate::statement::TypedRequest;
use crate::target::Target;
use crate::text::{RefusedRequest, Text, code_of};

/// What to show.
pub(super) fn tell(update: &Update, context: &Context) -> Vec<Line> {
    match update {
        Update::Message(target, post) if post.mine => {
            context.sent(post, &context.target_name(target))
        }
        Update::Message(target, _) => context.first_notice(target).into_iter().collect(),
        Update::FriendRequest(name) => vec![context.bold(Text::FriendRequest { name })],
        Update::NewContact(name) => vec![context.line(Text::NewContact { name })],
        Update::NewRoom(room) => vec![context.line(Text::NewRoom { room })],
        Update::Room(update) if rooms::is_personal(update, context) => {
            rooms::update_lines(update, context)
        }
        Update::Member(room, name, MembershipChange::Joined) => rooms::joined(room, name, context),
        Update::Changed(..)
        | Update::OwnTextGone(_)
        | Update::Room(_)
        | Update::LeftRoom(_)
        | Update::Friend(..)
        | Update::NewFriendIsOnline(_)
        | Update::Away(..)
        | Update::Member(..)
        | Update::Answer(
            RequestContext::Departed { .. }
            | RequestContext::DeletedAs { .. }
            | RequestContext::PasswordKind
            | RequestContext::OwnAway,
            _,
        ) => Vec::new(),
        // Of other members of rooms the open chat tells, which is loaded again.
        Update::AccountDeleted { name, .. } => {
            let is_friend = context.session.has_conversation_with(name);
            let line = is_friend.then(|| context.line(Text::AccountOfDeleted { name }));
            line.into_iter().collect()
        }
        Update::FriendRemoved(name) => vec![context.line(Text::FriendRemoved { name })],
        Update::BlockedElsewhere(name) => vec![context.line(Text::BlockedElsewhere { name })],
        Update::OwnAway(Some(text)) => vec![context.dim(Text::AwayElsewhere { text })],
        Update::OwnAway(None) => vec![context.dim(Text::BackElsewhere)],
        Update::MessageOfTheDay(text) => context.message_of_the_day(text),
        Update::Broadcast(text) => vec![context.bold(Text::Broadcast { text })],
        Update::Renamed { name, .. } if context.session.me() == Some(name) => {
            vec![context.bold(Text::Renamed { name })]
        }
        Update::Renamed { was, name } => vec![context.line(Text::UserRenamed { was, name })],
        Update::HistoryReplaced => vec![context.error(Text::HistoryReplaced)],
        Update::Answer(asked, Ok(event)) => answer(asked, event, context),
        Update::Answer(asked, Err(fail)) => refusal(asked, fail, context),
    }
}

/// Why a request is not done.
pub(crate) fn refusal(asked: &RequestContext, fail: &Fail, context: &Context) -> Vec<Line> {
    // Those are told where they are sent from, or asked again.
    if matches!(
        asked,
        RequestContext::Send
            | RequestContext::Introduce { .. }
            | RequestContext::Identify { .. }
            | RequestContext::Departed { .. }
            | RequestContext::DeletedAs { .. }
            | RequestContext::PasswordKind
            | RequestContext::OwnAway
            | RequestContext::Joined { .. }
            | RequestContext::Privileges
            | RequestContext::MarkRead(_)
            | RequestContext::CatchUp
    ) {
        return Vec::new();
    }
    if let Some(lines) = change_refusal(asked, fail, context) {
        return lines;
    }
    if *asked == RequestContext::Login
        && let Some(sentence) = context.suspension(fail)
    {
        return vec![styled(&sentence, Style::Error)];
    }
    let typed = asked.typed();
    let friends = context.session.friends();
    if fail.wants_new_password() {
        return vec![context.error(Text::TemporaryPassword)];
    }
    let (user, room) = about(asked);
    if asked.kind() == RequestKind::ResolveFriendRequest
        && fail.code == Code::NoRequest.as_str()
        && let Some(name) = &user
        && friends.contains_key(name)
    {
        return vec![context.error(Text::FriendsBefore { name })];
    }
    let own = match asked.kind() {
        RequestKind::AddFriend | RequestKind::ResolveFriendRequest => friends.len(),
        _ => context.session.rooms().len(),
    };
    let own_sentence = typed.and_then(|typed| {
        administration::refusal(typed, fail, context)
            .or_else(|| typed.refused(code_of(fail)?, context.language))
    });
    let sentence = own_sentence.unwrap_or_else(|| {
        let doing = RefusedRequest {
            kind: asked.kind(),
            command: &command_of(asked),
            user: user.as_deref(),
            room: room.as_deref(),
            names: typed.map_or(&[][..], TypedRequest::users),
        };
        let fail = rooms::with_local_times(fail, context);
        context.language.refusal_of(doing, &fail, own as u64)
    });
    vec![styled(&sentence, Style::Error)]
}

/// Why a message is not changed; `None` for another request. A text that was typed is shown again.
fn change_refusal(asked: &RequestContext, fail: &Fail, context: &Context) -> Option<Vec<Line>> {
    let code = code_of(fail);
    let say = |text| context.language.say(text);
    let reason = &match (code, asked) {
        (Some(Code::UnknownMessage), _) => say(Text::MessageGone),
        (Some(Code::TooLate), _) => say(Text::TooLateToEdit),
        (Some(Code::NotYours), RequestContext::Edit { .. }) => say(Text::OnlySenderEdits),
        (Some(Code::NotYours), _) => say(Text::OnlySenderDeletes),
        (Some(Code::BadParams), RequestContext::React { .. }) => say(Text::IsNoEmoji),
        (Some(Code::TooMany), RequestContext::React { .. }) => say(Text::TooManyReactions),
        _ => context
            .language
            .refusal(&rooms::with_local_times(fail, context)),
    };
    Some(match asked {
        RequestContext::Edit { text, .. } => {
            let mut lines = vec![context.error(Text::NotEdited { reason })];
            lines.extend(context.refused_line(text));
            lines
        }
        RequestContext::Delete { .. } => vec![context.error(Text::NotDeletedBecause { reason })],
        RequestContext::React { emoji, .. } => {
            vec![context.error(Text::NotReacted { emoji, reason })]
        }
        RequestContext::Recall(recall) => {
            let mut lines = vec![styled(reason, Style::Error)];
            let text = meant::text_of(&recall.command).into_iter();
            lines.extend(text.flat_map(|text| context.refused_line(text)));
            lines
        }
        RequestContext::Jump(..) if code == Some(Code::UnknownMessage) => {
            vec![styled(reason, Style::Error)]
        }
        _ => return None,
    })
}

/// The user and the room that a request is about.
fn about(asked: &RequestContext) -> (Option<String>, Option<String>) {
    match asked {
        RequestContext::Typed(typed) => (typed.user(), typed.room()),
        RequestContext::Register { name, .. } | RequestContext::Page(Target::Friend(name), _) => {
            (Some(name.clone()), None)
        }
        RequestContext::Page(Target::Room(room), _)
        | RequestContext::Jump(Target::Room(room), _) => (None, Some(room.clone())),
        _ => (None, None),
    }
}

/// The command that a request came from, as it could be typed. Empty for a request that was not typed.
pub fn command_of(asked: &RequestContext) -> String {
    match asked {
        RequestContext::Typed(typed) | RequestContext::Clock(TimedRequest::Typed(typed)) => {
            typed.line()
        }
        RequestContext::Register { .. } => "register".to_owned(),
        RequestContext::Login => "login".to_owned(),
        RequestContext::Page(..) | RequestContext::Jump(_, Jump::Older) => "/history".to_owned(),
        RequestContext::Jump(_, Jump::Newer) => "/newer".to_owned(),
        RequestContext::Jump(_, Jump::At(_)) => "/date".to_owned(),
        RequestContext::Jump(_, Jump::Around(_)) => "/open".to_owned(),
        RequestContext::Lookup(lookup) => match &lookup.kind {
            LookupKind::Mentions => "/mentions".to_owned(),
            LookupKind::Words(search) => format!("/search {}", search.typed),
        },
        RequestContext::Recall(recall) => meant::typed(&recall.command),
        RequestContext::Edit { text, .. } => format!("/edit {text}"),
        RequestContext::Delete { .. } => "/delete".to_owned(),
        RequestContext::React { emoji, .. } => format!("/react {emoji}"),
        RequestContext::Export { .. } => "/export".to_owned(),
        RequestContext::Other(RequestKind::ChangePassword) => "/passwd".to_owned(),
        RequestContext::Other(RequestKind::DeleteAccount) => "/delete-account".to_owned(),
        RequestContext::Other(RequestKind::CreateInvitation)
        | RequestContext::Clock(TimedRequest::Invitation { .. }) => "/invitation new".to_owned(),
        RequestContext::Send
        | RequestContext::Introduce { .. }
        | RequestContext::Identify { .. }
        | RequestContext::Departed { .. }
        | RequestContext::DeletedAs { .. }
        | RequestContext::PasswordKind
        | RequestContext::OwnAway
        | RequestContext::Joined { .. }
        | RequestContext::Privileges
        | RequestContext::CatchUp
        | RequestContext::MarkRead(_)
        | RequestContext::Other(_) => String::new(),
    }
}

fn answer(asked: &RequestContext, event: &Event, context: &Context) -> Vec<Line> {
    let line = |text| vec![context.line(text)];
    match (asked.typed(), event) {
        (_, Event::SendServerTime { time }) => line(Text::ServerTime {
            time: &context.settings.zone.at(*time).to_string(),
        }),
        (_, Event::RegisterSuccess { username }) => line(Text::Registered { name: username }),
        // Crossed requests made a friendship at once, which was told already.
        (Some(typed), Event::AddFriendResult { .. }) => match typed.user() {
            Some(name) if !context.session.friends().contains_key(&name) => {
                line(Text::RequestSent { name: &name })
            }
            _ => Vec::new(),
        },
        (_, Event::LeftRoom { roomname }) => line(Text::LeftRoom { room: roomname }),
        (_, Event::LoggedOut {}) if asked.kind() == RequestKind::DeleteAccount => {
            line(Text::AccountDeleted)
        }
        (None, Event::Done { .. }) if asked.kind() == RequestKind::ChangePassword => {
            line(Text::PasswordChanged)
        }
        (_, Event::LoggedOut {}) => line(Text::LoggedOut),
        (Some(typed), Event::Found { users, rooms, more }) => {
            let words = typed.words().unwrap_or_default();
            found_names(&words, (users, rooms), *more, context)
        }
        (_, Event::AdminResult { .. }) if *asked == RequestContext::Privileges => {
            line(Text::YouAdminister)
        }
        (typed, Event::AdminResult { result, .. }) => {
            administration::result(typed, &result.0, context)
        }
        (_, Event::Rooms { rooms }) => rooms::own(rooms, context),
        (typed, Event::PublicRooms { rooms, more }) => {
            let after = typed.and_then(TypedRequest::room);
            rooms::public(rooms, after.as_deref(), *more, context)
        }
        (Some(typed), Event::Room { room }) if typed.command().words() == "/topic" => {
            rooms::topic(room, context)
        }
        (None, _) if let RequestContext::Lookup(lookup) = asked => {
            found::lines(lookup, event, context)
        }
        (None, Event::Room { room }) if let RequestContext::Joined { name, .. } = asked => {
            rooms::joined(&room.roomname, name, context)
        }
        (None, Event::Room { room }) if let RequestContext::Introduce { is_new, .. } = asked => {
            rooms::introduction(room, *is_new, context)
        }
        (Some(_), Event::Room { room }) => rooms::info(room, context),
        (Some(typed), Event::Bans { bans }) => {
            rooms::bans(&typed.room().unwrap_or_default(), bans, context)
        }
        (Some(typed), Event::Members { members }) => {
            rooms::members(&typed.room().unwrap_or_default(), members, context)
        }
        (typed, _) => {
            if let Some(lines) = context.people_lines(event) {
                return lines;
            }
            let done = typed.and_then(|typed| {
                removed_bot(typed, context)
                    .or_else(|| unbanned(typed, context))
                    .or_else(|| typed.done(context.language))
            });
            done.iter().map(|done| plain(done)).collect()
        }
    }
}

/// What is said of a bot that was removed from a room, which no invitation brings back; `None` for another command.
fn removed_bot(typed: &TypedRequest, context: &Context) -> Option<String> {
    if typed.kind() != RequestKind::Kick {
        return None;
    }
    let (name, room) = (&typed.user()?, &typed.room()?);
    let is_bot = context.session.is_bot(name);
    is_bot.then(|| context.language.say(Text::BotRemoved { name, room }))
}

/// How a user whose ban was lifted comes back; `None` for another command, and where it is not known whether the room
/// is private.
fn unbanned(typed: &TypedRequest, context: &Context) -> Option<String> {
    if typed.kind() != RequestKind::Unban {
        return None;
    }
    let (name, room) = (&typed.user()?, &typed.room()?);
    let settings = context.session.room_settings(&Target::Room(room.clone()))?;
    Some(context.language.say(if settings.private {
        Text::UnbannedPrivate { name, room }
    } else {
        Text::UnbannedPublic { name, room }
    }))
}

fn found_names(
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
