//! How replies about users, sessions, bots and invitation codes are shown.

use echat_proto::commands::Event;
use echat_proto::names::InvitationCode;
use echat_proto::records::{BotLine, Code, Fail, FriendLine, InvitationCodeLine, SessionLine};

use super::Context;
use super::lines::{command_line, plain, shell_line};
use super::rooms::with_local_times;
use crate::net::address::LinkTarget;
use crate::render::styled::Line;
use crate::settings::Presence;
use crate::text::{Text, code_of};

impl Context {
    /// A time as the user reads it.
    fn moment(&self, unix: u64) -> String {
        self.settings.zone.at(unix).to_string()
    }

    /// Online, away with a text, or offline with the time of the last session.
    pub(super) fn presence_of(
        &self,
        online: bool,
        away: Option<&str>,
        last_seen: Option<u64>,
    ) -> String {
        let mut sentence = self.language.say(if online {
            Text::IsOnline
        } else {
            Text::IsOffline
        });
        if let Some(text) = away {
            sentence += &self.language.say(Text::IsAway { text });
        }
        if let Some(unix) = last_seen.filter(|_| !online) {
            let time = self.moment(unix);
            sentence += &self.language.say(Text::LastSeen { time: &time });
        }
        sentence
    }

    /// A friend is away or back, where the coming and going of others is shown.
    pub(super) fn away_lines(&self, name: &str, text: Option<&str>) -> Vec<Line> {
        if self.settings.config.presence == Presence::Hide {
            return Vec::new();
        }
        vec![self.dim(match text {
            Some(text) => Text::FriendAway { name, text },
            None => Text::FriendBack { name },
        })]
    }

    /// The names of friends who are online.
    pub(super) fn online_friends(&self) -> Vec<Line> {
        let friends = self.session.friends().iter();
        let online = friends.filter(|(_, online)| **online).map(|(name, _)| {
            let away = self.session.away(name);
            let away = away.map(|text| self.language.say(Text::IsAway { text }));
            format!("{name}{}", away.unwrap_or_default())
        });
        self.list(Text::Online, Text::NoFriendsOnline, online)
    }

    fn friend_lines(&self, friends: &[FriendLine]) -> Vec<Line> {
        let rows = friends.iter().map(|friend| {
            let presence =
                self.presence_of(friend.online, friend.away.as_deref(), friend.last_seen);
            format!("{}  {presence}", friend.username)
        });
        self.list(Text::Friends, Text::NoFriends, rows)
    }

    /// A reply about users, sessions, bots or codes; `None` for another one.
    pub(super) fn people_lines(&self, event: &Event) -> Option<Vec<Line>> {
        Some(match event {
            Event::User { .. } => self.user_lines(event),
            Event::Friends { friends } => self.friend_lines(friends),
            Event::Blocked { usernames } => {
                let names = usernames.iter().cloned();
                self.list(Text::BlockedUsers, Text::NoBlocked, names)
            }
            Event::Sessions { sessions } => self.session_lines(sessions),
            Event::Bots { bots } => self.bot_lines(bots),
            Event::BotToken { username, token } => self.token_lines(username, &token.to_text()),
            Event::Invitations { invitations } => self.code_lines(invitations),
            Event::Invitation {
                code,
                uses,
                expires,
            } => {
                let row = self.code_row(code, *uses, *expires);
                let mut lines = vec![self.line(Text::NewCode), plain(&format!("  {row}"))];
                lines.extend(self.code_link(code));
                lines
            }
            _ => return None,
        })
    }

    /// The reply to WHOIS.
    fn user_lines(&self, event: &Event) -> Vec<Line> {
        let Event::User {
            username,
            online,
            away,
            last_seen,
            friend,
            bot,
            owner,
            rooms,
        } = event
        else {
            return Vec::new();
        };
        let mut first = username.clone();
        if *bot {
            first += &self.language.say(Text::BotMark);
        }
        // Of a stranger only the name is known: whether a stranger is online is told to no user.
        let is_self = self.session.me() == Some(username);
        let is_stranger = !friend && !bot && !is_self && rooms.is_empty();
        if is_stranger {
            first += &self.language.say(Text::IsStranger);
        } else if !bot {
            first += "  ";
            first += &self.presence_of(*online, away.as_deref(), *last_seen);
        }
        if *friend {
            first += &self.language.say(Text::IsFriend);
        }
        if self.session.blocked().contains(username) {
            first += &self.language.say(Text::IsBlocked);
        }
        let mut lines = vec![plain(&first)];
        if let Some(owner) = owner {
            lines.push(self.line(Text::BotOwner { owner }));
        }
        if !rooms.is_empty() {
            let rooms = rooms.join(&self.language.say(Text::Comma));
            lines.push(self.line(Text::SharedRooms { rooms: &rooms }));
        }
        lines
    }

    fn session_lines(&self, sessions: &[SessionLine]) -> Vec<Line> {
        let rows = sessions.iter().map(|session| {
            let since = self.moment(session.since);
            let address = session.address.as_str();
            let mut row = self.language.say(Text::SessionRow {
                address,
                since: &since,
            });
            if session.this {
                row += &self.language.say(Text::ThisSession);
            }
            row
        });
        let mut lines = self.list(Text::Sessions, Text::Sessions, rows);
        if sessions.len() > 1 {
            lines.push(self.dim(Text::HowToEndSessions));
        }
        lines
    }

    fn bot_lines(&self, bots: &[BotLine]) -> Vec<Line> {
        let rows = bots.iter().map(|bot| {
            let rooms = if bot.rooms.is_empty() {
                self.language.say(Text::BotInNoRoom)
            } else {
                bot.rooms.join(&self.language.say(Text::Comma))
            };
            let mut row = format!("{}  {rooms}", bot.username);
            if let Some(expires) = bot.expires {
                let time = self.moment(expires);
                row += &self.language.say(Text::Expires { time: &time });
            }
            if let Some(seen) = bot.last_seen {
                let time = self.moment(seen);
                row += &self.language.say(Text::LastSeen { time: &time });
            }
            row
        });
        self.list(Text::Bots, Text::NoBots, rows)
    }

    /// A new token, which the server does not show again.
    fn token_lines(&self, name: &str, token: &str) -> Vec<Line> {
        let server = self.server.clone().map(|server| LinkTarget {
            user: None,
            room: None,
            ..server
        });
        let server = server.map(|server| server.quoted());
        let server = &server.unwrap_or_else(|| self.language.say(Text::AServer));
        vec![
            self.line(Text::NewToken { name }),
            command_line(token),
            self.bold(Text::TokenOnce),
            shell_line(&self.language.say(Text::BotCommand { name, server })),
        ]
    }

    fn code_row(&self, code: &str, uses: u64, expires: Option<u64>) -> String {
        let mut row = self.language.say(Text::CodeRow { code, uses });
        row += &match expires {
            Some(expires) => {
                let time = self.moment(expires);
                self.language.say(Text::Expires { time: &time })
            }
            None => self.language.say(Text::NoExpiry),
        };
        row
    }

    /// The address to pass on with a code.
    fn code_link(&self, code: &str) -> Vec<Line> {
        let (Some(server), Ok(code)) = (&self.server, InvitationCode::presented(code)) else {
            return Vec::new();
        };
        let link = LinkTarget {
            invitation: Some(code),
            ..server.clone()
        };
        let command = shell_line(&format!("echat {}", link.quoted()));
        let mut lines = vec![self.line(Text::HowToUseCode), command];
        if server.address.is_loopback() {
            let host = server.address.host();
            lines.push(self.line(Text::LoopbackCode { host }));
        }
        lines.push(self.dim(Text::RoomInCode));
        lines
    }

    fn code_lines(&self, codes: &[InvitationCodeLine]) -> Vec<Line> {
        let rows = codes
            .iter()
            .map(|line| self.code_row(&line.code, line.uses, line.expires));
        self.list(Text::Codes, Text::NoCodes, rows)
    }

    /// Until when an account is suspended, and why; nothing for another refusal.
    pub(super) fn suspension(&self, fail: &Fail) -> Option<String> {
        if code_of(fail) != Some(Code::Suspended) {
            return None;
        }
        let fail = with_local_times(fail, self);
        Some(self.language.refusal(&fail))
    }
}
