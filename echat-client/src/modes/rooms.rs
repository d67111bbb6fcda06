//! What is shown of rooms: updates, settings, lists of rooms, members and bans.

use echat_proto::param::RoomRole;
use echat_proto::records::{BanLine, Fail, MemberLine, MemberList, PublicRoom, RoomInfo, RoomLine};
use echat_proto::value::Value;

use super::Context;
use super::lines::plain;
use crate::render::styled::Line;
use crate::session::RoomUpdate;
use crate::settings::Presence;
use crate::statement::{in_words, kept};
use crate::target::Target;
use crate::text::{Language, Text};

/// Whether an update is shown in every mode. The others are shown in the chat of the room.
pub(super) fn is_personal(update: &RoomUpdate, context: &Context) -> bool {
    let is_me = |name: &String| context.session.me() == Some(name);
    match update {
        RoomUpdate::Invitation(_)
        | RoomUpdate::Closed { .. }
        | RoomUpdate::Renamed { .. }
        | RoomUpdate::Lost { .. }
        | RoomUpdate::Replaced { .. } => true,
        RoomUpdate::Changed { was, now, .. } => *was != now.roomname,
        RoomUpdate::Removed { name, .. } | RoomUpdate::Role { name, .. } => is_me(name),
    }
}

/// News of a room, in words.
pub(super) fn update_lines(update: &RoomUpdate, context: &Context) -> Vec<Line> {
    let by = &actor(update.by(), context);
    match update {
        RoomUpdate::Changed {
            was, now, before, ..
        } => changed(by, was, now, before.as_deref(), context),
        RoomUpdate::Renamed { was, room } => {
            vec![context.line(Text::RoomHasAnotherName { was, room })]
        }
        RoomUpdate::Lost { room, still_there } => vec![context.line(match still_there {
            Some(true) => Text::RoomLostAlone { room },
            Some(false) => Text::RoomGone { room },
            None => Text::RoomLost { room },
        })],
        RoomUpdate::Replaced { room } => vec![context.line(Text::RoomReplaced { room })],
        RoomUpdate::Closed { room, .. } => vec![context.line(Text::RoomClosed { by, room })],
        RoomUpdate::Invitation(invitation) => {
            let room = &invitation.roomname;
            vec![context.bold(Text::Invitation { by, room })]
        }
        RoomUpdate::Removed {
            room,
            name,
            reason,
            banned,
            private,
            ..
        } => {
            let because = reason.as_ref().map(|reason| Text::Because { reason });
            let because = &because.map_or_else(String::new, |text| context.language.say(text));
            let is_me = context.session.me() == Some(name);
            let text = match (is_me, banned) {
                (true, false) => Text::YouWereRemoved { by, room, because },
                (true, true) => Text::YouWereBanned { by, room, because },
                (false, false) => Text::WasRemoved {
                    by,
                    name,
                    room,
                    because,
                },
                (false, true) => Text::WasBanned {
                    by,
                    name,
                    room,
                    because,
                },
            };
            if is_me {
                vec![
                    context.bold(text),
                    context.dim(way_back(room, *banned, *private)),
                ]
            } else {
                vec![context.line(text)]
            }
        }
        RoomUpdate::Role {
            room,
            name,
            role,
            by: changed_by,
        } => {
            let is_told = changed_by.as_ref().is_some_and(|by| by != name);
            role_lines((room, name, *role), is_told.then_some(by), context)
        }
    }
}

/// A user joined a room that is not open, in words: for those that run the room.
pub(super) fn joined(room: &str, name: &str, context: &Context) -> Vec<Line> {
    let settings = context
        .session
        .room_settings(&Target::Room(room.to_owned()));
    let role = settings.and_then(|settings| settings.role);
    let runs = matches!(role, Some(RoomRole::Owner | RoomRole::Operator));
    let is_shown =
        runs && context.settings.interactive && context.settings.config.presence != Presence::Hide;
    let names = &context.language.user_name(name);
    let line = is_shown.then(|| context.dim(Text::MembersJoined { names, room }));
    line.into_iter().collect()
}

/// How the reader, who was removed, comes back to a room.
fn way_back(room: &str, banned: bool, private: Option<bool>) -> Text<'_> {
    match (banned, private) {
        (false, Some(false)) => Text::ComeBack { room },
        (false, Some(true)) => Text::ComeBackInvited,
        (false, None) => Text::ComeBackOrInvited { room },
        (true, Some(false)) => Text::BanEnds { room },
        (true, Some(true)) => Text::BanEndsInvited,
        (true, None) => Text::BanEndsOrInvited { room },
    }
}

/// Another role of a member, in words. `by`: the user that gave it; `None` if it passed on by itself.
fn role_lines(
    (room, name, role): (&str, &str, RoomRole),
    by: Option<&String>,
    context: &Context,
) -> Vec<Line> {
    let is_me = context.session.me() == Some(name);
    let role_name = &role_word(role, context.language);
    let text = match (is_me, by) {
        (true, Some(by)) if role == RoomRole::Member => Text::TookYourRole { by, room },
        (false, Some(by)) if role == RoomRole::Member => Text::TookRole { by, name, room },
        (true, Some(by)) => Text::MadeYou {
            by,
            role: role_name,
            room,
        },
        (true, None) => Text::YouAreNow {
            role: role_name,
            room,
        },
        (false, Some(by)) => Text::Made {
            by,
            name,
            role: role_name,
            room,
        },
        (false, None) => Text::IsNow {
            name,
            role: role_name,
            room,
        },
    };
    let mut lines = vec![context.line(text)];
    if is_me && role != RoomRole::Member {
        let hint = match role {
            RoomRole::Owner => Text::WhatOwnersCan,
            _ => Text::WhatOperatorsCan,
        };
        lines.push(context.dim(hint));
    }
    lines
}

/// Who did it, as the beginning of a sentence.
pub(super) fn actor(by: Option<&str>, context: &Context) -> String {
    match by {
        // The operator of the server has no name.
        None | Some("") => context.language.say(Text::AnAdministrator),
        Some(name) if context.session.me() == Some(name) => context.language.say(Text::You),
        Some(name) => inviter(Some(name), context.language),
    }
}

/// The user or the administration that invited the reader, inside a sentence.
pub(super) fn inviter(by: Option<&str>, language: Language) -> String {
    match (by, language) {
        (None, Language::English) => "an administrator".to_owned(),
        (None, Language::Chinese) => language.say(Text::AnAdministrator),
        (Some(name), Language::English) => name.to_owned(),
        (Some(name), Language::Chinese) => format!("“{}”", language.user_name(name)),
    }
}

fn role_word(role: RoomRole, language: Language) -> String {
    language.say(match role {
        RoomRole::Owner => Text::TheOwner,
        RoomRole::Operator => Text::AnOperator,
        RoomRole::Member => Text::APlainMember,
    })
}

/// What changed, or if that is not known, what is set now.
fn changed(
    by: &str,
    was: &str,
    now: &RoomInfo,
    before: Option<&RoomInfo>,
    context: &Context,
) -> Vec<Line> {
    let room = &now.roomname;
    let mut lines = Vec::new();
    if was != room {
        lines.push(context.line(Text::RoomRenamed { by, was, room }));
        if before.is_none() {
            return lines;
        }
    }
    let language = context.language;
    let differs =
        |field: fn(&RoomInfo) -> String| before.is_none_or(|before| field(before) != field(now));
    let topic = &now.topic;
    if before.is_some_and(|before| before.topic != *topic) {
        lines.push(context.line(if topic.is_empty() {
            Text::TopicRemoved { by, room }
        } else {
            Text::TopicChanged { by, room, topic }
        }));
    }
    let mut settings = Vec::new();
    if before.is_none() && !topic.is_empty() {
        settings.push(language.say(Text::TopicIs { topic }));
    }
    if differs(|room| room.private.to_string()) {
        settings.push(privacy(now, language));
    }
    if differs(|room| room.read_only.to_string()) {
        settings.push(writing(now, language));
    }
    if differs(|room| room.slow_seconds.to_string()) {
        settings.push(slowness(now, language));
    }
    if differs(|room| format!("{:?}", room.keep_days)) {
        settings.push(keeping(now, language));
    }
    if !settings.is_empty() {
        let setting = &settings.join(&language.say(Text::Semicolon));
        lines.push(context.line(if before.is_some() {
            Text::SettingChanged { by, room, setting }
        } else {
            Text::SettingsAreNow { by, room, setting }
        }));
    }
    lines
}

fn privacy(room: &RoomInfo, language: Language) -> String {
    language.say(if room.private {
        Text::IsPrivate
    } else {
        Text::IsPublic
    })
}

fn writing(room: &RoomInfo, language: Language) -> String {
    language.say(if room.read_only {
        Text::OnlyOperatorsWrite
    } else {
        Text::MembersWrite
    })
}

fn slowness(room: &RoomInfo, language: Language) -> String {
    let span = &in_words(room.slow_seconds, language);
    language.say(match room.slow_seconds {
        0 => Text::NoTimeBetween,
        _ => Text::TimeBetween { span },
    })
}

fn keeping(room: &RoomInfo, language: Language) -> String {
    room.keep_days.map_or_else(
        || language.say(Text::KeptAsServer),
        |days| kept(days, language),
    )
}

/// What is set for a room, a line each.
pub(super) fn info(room: &RoomInfo, context: &Context) -> Vec<Line> {
    let language = context.language;
    let name = &room.roomname;
    let mut rows = Vec::new();
    if !room.topic.is_empty() {
        rows.push(language.say(Text::TopicIs { topic: &room.topic }));
    }
    rows.push(privacy(room, language));
    rows.push(writing(room, language));
    rows.push(slowness(room, language));
    rows.push(keeping(room, language));
    if !room.owner.is_empty() {
        rows.push(language.say(Text::OwnerIs { name: &room.owner }));
    }
    if !room.operators.is_empty() {
        let names = &room.operators.join(&language.say(Text::Comma));
        rows.push(language.say(Text::OperatorsAre { names }));
    }
    let time = &context.settings.zone.at(room.created).to_string();
    let members = room.members;
    rows.push(language.say(Text::MembersSince { members, time }));
    rows.push(match room.role {
        Some(role) => language.say(Text::YouAre {
            role: &role_word(role, language),
        }),
        None => language.say(Text::YouAreNoMember { room: name }),
    });
    let mut lines = vec![context.bold(Text::RoomHeading { room: name })];
    lines.extend(rows.iter().map(|row| plain(&format!("  {row}"))));
    lines
}

/// What a member who opens a room, or is new in it, sees of its settings.
pub(super) fn introduction(room: &RoomInfo, is_new: bool, context: &Context) -> Vec<Line> {
    // It may be left again by now.
    if !context.session.rooms().contains(&room.roomname) {
        return Vec::new();
    }
    let is_own = context.session.me() == Some(&room.owner);
    if !is_new || is_own {
        return topic_on_opening(room, context).into_iter().collect();
    }
    let language = context.language;
    let mut parts = vec![privacy(room, language)];
    if !room.owner.is_empty() {
        parts.push(language.say(Text::OwnerIs { name: &room.owner }));
    }
    if !room.topic.is_empty() {
        parts.push(language.say(Text::TopicIs { topic: &room.topic }));
    }
    let parts = parts.join(&language.say(Text::Semicolon));
    vec![plain(&format!("  {parts}"))]
}

/// The topic of a room that is opened, if it has one.
pub(super) fn topic_on_opening(room: &RoomInfo, context: &Context) -> Option<Line> {
    let (name, topic) = (&room.roomname, &room.topic);
    let is_news = !topic.is_empty() && !context.session.is_introduced(name);
    is_news.then(|| context.dim(Text::TopicOf { room: name, topic }))
}

/// The topic of a room.
pub(super) fn topic(room: &RoomInfo, context: &Context) -> Vec<Line> {
    let (name, topic) = (&room.roomname, &room.topic);
    vec![context.line(if topic.is_empty() {
        Text::NoTopic { room: name }
    } else {
        Text::TopicOf { room: name, topic }
    })]
}

/// The reader's rooms.
pub(super) fn own(rooms: &[RoomLine], context: &Context) -> Vec<Line> {
    let language = context.language;
    let rows = rooms.iter().map(|room| {
        let mut row = language.say(Text::RoomOf {
            room: &room.roomname,
            members: room.members,
        });
        let mut more = Vec::new();
        match room.owner.as_str() {
            "" => more.push(language.say(Text::IsLobby)),
            // The reader's role says it.
            _ if room.role == Some(RoomRole::Owner) => {}
            owner => more.push(language.say(Text::OwnerIs { name: owner })),
        }
        if room.unread > 0 {
            let count = room.unread;
            more.push(language.say(Text::UnreadCount { count }));
        }
        if let Some(count) = room.mentions.filter(|count| *count > 0) {
            more.push(language.say(Text::MentionsOfYou { count }));
        }
        if let Some(role) = room.role.filter(|role| *role != RoomRole::Member) {
            let role = &role_word(role, language);
            more.push(language.say(Text::YouAre { role }));
        }
        if room.private == Some(true) {
            more.push(language.say(Text::Private));
        }
        if let Some(topic) = room.topic.as_ref().filter(|topic| !topic.is_empty()) {
            more.push(language.say(Text::TopicIs { topic }));
        }
        for part in more {
            row += &language.say(Text::Semicolon);
            row += &part;
        }
        row
    });
    context.list(Text::Rooms, Text::NoRooms, rows)
}

/// Rooms that everyone can join.
pub(super) fn public(
    rooms: &[PublicRoom],
    after: Option<&str>,
    more: bool,
    context: &Context,
) -> Vec<Line> {
    let language = context.language;
    let rows = rooms.iter().map(|room| {
        let mut row = language.say(Text::RoomOf {
            room: &room.roomname,
            members: room.members,
        });
        if !room.topic.is_empty() {
            row += &language.say(Text::Semicolon);
            row += &language.say(Text::TopicIs { topic: &room.topic });
        }
        row
    });
    let none = after.map_or(Text::NoPublicRooms, |room| Text::NoPublicRoomsAfter {
        room,
    });
    let mut lines = context.list(Text::PublicRooms, none, rows);
    if let Some(last) = rooms.last() {
        let command = &format!("/rooms public {}", last.roomname);
        lines.extend(more.then(|| context.dim(Text::MoreBy { command })));
        lines.push(context.dim(Text::HowToJoin));
    }
    lines
}

/// The members of a room.
pub(super) fn members(room: &str, list: &MemberList, context: &Context) -> Vec<Line> {
    let mut lines = vec![context.bold(Text::Members { room })];
    let rows = list.members.iter();
    lines.extend(rows.map(|member| plain(&member_row(member, context))));
    let more = list.more == Some(true);
    if let Some(last) = list.members.last().filter(|_| more) {
        let command = &format!("/members #{room} {}", last.username);
        lines.push(context.dim(Text::MoreBy { command }));
    }
    lines
}

fn member_row(member: &MemberLine, context: &Context) -> String {
    let language = context.language;
    let mut marks = Vec::new();
    // A bot is never online.
    if !member.bot.0 {
        marks.push(language.say(if member.online {
            Text::IsOnline
        } else {
            Text::IsOffline
        }));
    }
    if member.owner {
        marks.push(language.say(Text::Owner));
    } else if member.role == Some(RoomRole::Operator) {
        marks.push(language.say(Text::Operator));
    }
    if member.bot.0 {
        marks.push(language.say(Text::Bot));
    }
    if let Some(text) = &member.away {
        marks.push(language.say(Text::AwayWith { text }));
    }
    format!("  {}  {}", member.username, marks.join("  "))
}

/// The bans of a room.
pub(super) fn bans(room: &str, bans: &[BanLine], context: &Context) -> Vec<Line> {
    let language = context.language;
    let rows = bans.iter().map(|ban| {
        let at = |unix| context.settings.zone.at(unix).to_string();
        let by = &language.user_name(&ban.by);
        let (name, time) = (&ban.username, &at(ban.at));
        let mut row = language.say(Text::BanLine { name, by, time });
        row += &match ban.until {
            Some(until) => language.say(Text::BanUntil { time: &at(until) }),
            None => language.say(Text::BanWithoutEnd),
        };
        if let Some(reason) = &ban.reason {
            row += &language.say(Text::Because { reason });
        }
        row
    });
    context.list(Text::Bans { room }, Text::NoBans { room }, rows)
}

/// A refusal whose times are as the reader's clock shows them.
pub(crate) fn with_local_times(fail: &Fail, context: &Context) -> Fail {
    let detail = fail.detail.iter().map(|(key, value)| match value {
        Value::Int(unix) if key == "until" => {
            let time = context.settings.zone.at(*unix).to_string();
            (key.clone(), Value::Str(time))
        }
        value => (key.clone(), value.clone()),
    });
    Fail {
        code: fail.code.clone(),
        message: fail.message.clone(),
        detail: detail.collect(),
    }
}
