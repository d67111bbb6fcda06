//! Sentences and messages as lines.

use std::borrow::Cow;
use std::ops::Range;

use super::{Context, heads};
use crate::links::links;
use crate::local::local_time::LocalTime;
use crate::render::safe::Safe;
use crate::render::styled::{Line, Span, Style, colour_of};
use crate::session::outgoing::{AsideLine, UnsentLine};
use crate::session::{Conversation, LimitError, Post, ReactionCount};
use crate::statement;
use crate::target::Target;
use crate::text::Text;

/// What stands before the second and later lines of one message: as much as a terminal shows before
/// the rows that it has to begin itself.
const INDENT: &str = "    ";
/// What stands before a line of code, which is set apart by it.
const CODE_INDENT: &str = "        ";
/// What begins and ends code in a message, on a line of its own.
const FENCE: &str = "```";
/// Columns of a code line's indentation that are kept where a run of spaces is folded.
const CODE_DEPTH: usize = 24;
/// Characters of a quote.
const QUOTED: usize = 60;
/// Characters of an emoji that are shown.
const EMOJI: usize = 10;
/// Tabs in messages go to multiples of so many columns.
const TAB_STOP: usize = 8;
/// The same in the compact style.
const COMPACT_TAB_STOP: usize = 4;
/// Characters that are shown of a text that stands somewhere else as a whole.
const EXCERPT: usize = 200;
/// Bytes of a link that is shown as a whole where only a part of it would have room. A longer one is left out.
pub(super) const LINK: usize = 500;
/// Begins the name of a room where it could be that of a user, as in `/msg #room1`.
const ROOM_MARK: char = '#';
/// Lines that `/pending` lists.
const LISTED: usize = 100;

/// An ordinary line.
pub(crate) fn plain(text: &str) -> Line {
    styled(text, Style::Plain)
}

/// A text to copy, in a row of its own.
pub(super) fn command_line(text: &str) -> Line {
    Line(vec![span("  ", Style::Plain), span(text, Style::Command)])
}

/// A command, which is not divided but at its blanks, and what it does, so many columns behind it and two.
pub(super) fn help_line(form: &str, gap: usize, does: &str) -> Line {
    Line(vec![
        span("  ", Style::Plain),
        span(form, Style::Command),
        span(&format!("{}  {does}", " ".repeat(gap)), Style::Plain),
    ])
}

/// A command for a shell, in a row of its own.
pub(super) fn shell_line(command: &str) -> Line {
    Line(vec![span("  ", Style::Plain), span(command, Style::Shell)])
}

/// A line about something that went wrong.
pub fn error_line(text: &str) -> Line {
    styled(text, Style::Error)
}

pub(super) fn styled(text: &str, style: Style) -> Line {
    Line(vec![span(text, style)])
}

pub(super) fn span(text: &str, style: Style) -> Span {
    Span {
        text: Safe::line(text),
        style,
    }
}

/// The rule above the messages of a day.
pub(super) fn day_rule(at: LocalTime) -> Line {
    styled(&format!("------ {} ------", at.date()), Style::Rule)
}

impl Context {
    /// A sentence.
    pub fn line(&self, text: Text<'_>) -> Line {
        plain(&self.language.say(text))
    }

    /// A sentence about something that went wrong.
    pub fn error(&self, text: Text<'_>) -> Line {
        error_line(&self.language.say(text))
    }

    pub(super) fn bold(&self, text: Text<'_>) -> Line {
        styled(&self.language.say(text), Style::Bold)
    }

    pub(super) fn dim(&self, text: Text<'_>) -> Line {
        styled(&self.language.say(text), Style::Dim)
    }

    pub(super) fn rule(&self, text: Text<'_>) -> Line {
        styled(&self.language.say(text), Style::Rule)
    }

    /// A list under a heading, or a sentence that there is nothing.
    pub(super) fn list(
        &self,
        heading: Text<'_>,
        none: Text<'_>,
        items: impl Iterator<Item = String>,
    ) -> Vec<Line> {
        let mut lines: Vec<Line> = items.map(|item| plain(&format!("  {item}"))).collect();
        if lines.is_empty() {
            return vec![self.line(none)];
        }
        lines.insert(0, self.bold(heading));
        lines
    }

    /// `[YYYY-MM-DD HH:MM:SS] name says: text`, or the compact form.
    pub(crate) fn message(&self, post: &Post) -> Vec<Line> {
        self.message_lines(post, &self.between(), None)
    }

    /// The same with a number before it, and a mark before that if it is the one that was found.
    pub(super) fn numbered(&self, post: &Post, number: u64, is_found: bool) -> Vec<Line> {
        let mark = if is_found { ">" } else { "" };
        self.message_lines(post, &self.between(), Some(format!("{mark}{number}")))
    }

    /// What stands between the name of a sender and the text.
    fn between(&self) -> String {
        if self.settings.config.compact {
            ": ".to_owned()
        } else {
            self.language.say(Text::Says)
        }
    }

    /// A message of the user to a chat that is not open.
    pub(super) fn sent(&self, post: &Post, target: &str) -> Vec<Line> {
        self.message_lines(post, &self.language.say(Text::SentTo { target }), None)
    }

    /// How the sender of a message is called.
    pub(super) fn name_of(&self, post: &Post) -> String {
        if post.mine {
            self.language.say(Text::Me)
        } else {
            self.language.user_name(&post.sender).into_owned()
        }
    }

    fn message_lines(&self, post: &Post, between: &str, number: Option<String>) -> Vec<Line> {
        let at = self.settings.zone.at(post.time);
        let time = if self.settings.config.compact {
            format!("{} ", at.hour_and_minute())
        } else {
            format!("[{at}] ")
        };
        let style = if post.names_me {
            Style::Mention
        } else {
            Style::Plain
        };
        let number = number.map(|number| span(&format!("{number:>3} "), Style::Bold));
        let mut head: Vec<Span> = number.into_iter().collect();
        head.push(span(&time, Style::Dim));
        let name = span(&self.name_of(post), Style::Name(colour_of(&post.sender)));
        let marks = self.marks(post);
        // A text follows on what a user does without a sign between them: marks stand where no text can.
        let does = statement::action(&post.content).filter(|_| !post.deleted);
        if does.is_some() {
            let marks = marks.map(|marks| format!("{} ", marks.trim_start()));
            head.extend(marks.map(|marks| span(&marks, Style::Dim)));
            head.push(span("* ", Style::Bold));
            head.push(name);
            head.push(span(" ", Style::Plain));
        } else {
            head.push(name);
            head.extend(marks.map(|mark| span(&mark, Style::Dim)));
            head.push(span(between, Style::Plain));
        }
        let mut lines: Vec<Line> = post
            .reply_to
            .iter()
            .flat_map(|id| self.quote(*id))
            .collect();
        lines.extend(if post.deleted {
            self.with_text(head, &self.language.say(Text::Deleted), Style::Dim)
        } else {
            self.with_text(head, does.unwrap_or(&post.content), style)
        });
        lines.extend(reaction_counts(&post.reactions));
        let is_new_day = self.shown_day.replace(Some(at.date())) != Some(at.date());
        if self.settings.config.compact && is_new_day {
            lines.insert(0, day_rule(at));
        }
        lines
    }

    /// What stands behind the name of the sender, where no text of a user can stand.
    fn marks(&self, post: &Post) -> Option<String> {
        let words = [
            (post.bot, Text::Bot),
            (post.reply_to.is_some(), Text::IsReply),
            (post.edited && !post.deleted, Text::IsEdited),
        ];
        let words = words.into_iter().filter(|(is, _)| *is);
        let words: Vec<String> = words.map(|(_, word)| self.language.say(word)).collect();
        let words = words.join(&self.language.say(Text::Comma));
        (!words.is_empty()).then(|| self.language.say(Text::Marks { words: &words }))
    }

    /// The message that another one answers, in a line above it.
    pub(crate) fn quote(&self, id: u64) -> Vec<Line> {
        let Some((target, post)) = self.session.message(id) else {
            return vec![self.dim(Text::QuoteOfEarlier)];
        };
        let name = &self.name_of(post);
        let head = vec![span(&self.language.say(Text::Quote { name }), Style::Dim)];
        let text = if self.session.folds(target, &post.sender) {
            self.language.say(Text::OfBlocked)
        } else {
            self.short(post)
        };
        self.excerpt(head, &text, Style::Dim)
    }

    /// The beginning of a message, in one line.
    pub(super) fn short(&self, post: &Post) -> String {
        if post.deleted {
            return self.language.say(Text::Deleted);
        }
        shortened(&plain_excerpt(&statement::as_shown(&post.content)), QUOTED)
    }

    /// A text in one line behind a head; only what reads like a head of its own begins another one.
    pub(super) fn excerpt(&self, head: Vec<Span>, text: &str, style: Style) -> Vec<Line> {
        self.excerpt_with(head, &[(plain_excerpt(text), style)])
    }

    /// The same of a text in pieces.
    pub(super) fn excerpt_with(&self, head: Vec<Span>, pieces: &[(String, Style)]) -> Vec<Line> {
        let mut lines = vec![Line(head)];
        let pieces = pieces.iter().map(|(text, style)| (self.text(text), *style));
        self.add_row(&mut lines, &pieces.collect::<Vec<_>>(), None);
        lines
    }

    /// The message of the day, on a terminal: a script reads what it asked for.
    pub(super) fn message_of_the_day(&self, text: &str) -> Vec<Line> {
        if !self.settings.interactive {
            return Vec::new();
        }
        let head = self.language.say(Text::MessageOfTheDay);
        self.with_text(vec![span(&head, Style::Bold)], text, Style::Plain)
    }

    /// A list of messages begins: in the compact style, whose lines have no date, with a day.
    pub(super) fn begin_list(&self) {
        self.shown_day.set(None);
    }

    /// How a conversation is called. A room begins with `#` if a user has its name, too.
    pub(crate) fn target_name(&self, target: &Target) -> String {
        match target {
            Target::Room(room) if self.session.is_user(room) => format!("{ROOM_MARK}{room}"),
            Target::Room(room) => room.clone(),
            Target::Friend(name) => self.language.user_name(name).into_owned(),
        }
    }

    fn new_messages(&self, target: &Target, count: u64) -> String {
        let name = &self.target_name(target);
        self.language.say(if target.is_room() {
            Text::NewRoomMessages { room: name, count }
        } else {
            Text::NewMessages { from: name, count }
        })
    }

    /// The notice of new messages that are not shown, where it cannot be counted on in a row above the
    /// prompt: once, until the conversation is opened.
    pub(super) fn first_notice(&self, target: &Target) -> Option<Line> {
        let conversation = self.session.conversation(target)?;
        let is_first = conversation.new_messages() == 1;
        let is_shown = is_first && !self.has_footer();
        is_shown.then(|| plain(&self.new_messages(target, conversation.unread())))
    }

    /// Conversations with unread messages, and how many, the most recent first.
    fn unread(&self) -> impl Iterator<Item = (&Target, &Conversation)> {
        let recent = self.session.recent();
        recent.filter(|(target, conversation)| {
            conversation.unread() > 0 && self.session.counts(target)
        })
    }

    /// `/unread`: the conversations with unread messages.
    pub(super) fn unread_list(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = self
            .unread()
            .map(|(target, conversation)| self.unread_of(target, conversation))
            .collect();
        if lines.is_empty() {
            return vec![self.line(Text::NothingUnread)];
        }
        lines.insert(0, self.bold(Text::UnreadHeading));
        lines.push(self.dim(Text::HowToOpenUnread));
        lines
    }

    /// How much is unread of a conversation.
    pub(super) fn unread_of(&self, target: &Target, conversation: &Conversation) -> Line {
        let target = &self.target_name(target);
        let count = conversation.unread();
        let mut sentence = self.language.say(Text::UnreadOf { target, count });
        let count = conversation.mentions();
        if count > 0 {
            sentence += &self.language.say(Text::Semicolon);
            sentence += &self.language.say(Text::MentionsOfYou { count });
        }
        plain(&format!("  {sentence}"))
    }

    /// A notice for each conversation with unread messages but the `open` one, the newest conversation
    /// last: at most so many rows, of which the first counts the messages of the others.
    pub(crate) fn notice_rows(&self, open: Option<&Target>, rows: usize) -> Vec<Line> {
        let noticed: Vec<(&Target, u64)> = self
            .unread()
            .filter(|(target, _)| Some(*target) != open)
            .map(|(target, conversation)| (target, conversation.unread()))
            .collect();
        let notice = |target: &Target, count: u64| {
            let mut line = styled(&self.new_messages(target, count), Style::Bold);
            let conversation = self.session.conversation(target);
            let mentions = conversation.map_or(0, Conversation::mentions);
            if mentions > 0 {
                let count = mentions;
                let sentence = self.language.say(Text::NewMentions { count });
                line.0.push(span(&sentence, Style::Mention));
            }
            line
        };
        let shown = if noticed.len() > rows {
            rows.saturating_sub(1)
        } else {
            noticed.len()
        };
        let (shown, others) = noticed.split_at(shown);
        let mut lines = Vec::new();
        if !others.is_empty() && rows > 0 {
            let count = others.iter().map(|(_, count)| count).sum();
            lines.push(self.bold(Text::NewElsewhere { count }));
        }
        let shown = shown.iter().rev();
        lines.extend(shown.map(|(target, count)| notice(target, *count)));
        lines
    }

    /// The same in one row, for a small window, if there are several: each conversation with its count, the newest
    /// first.
    pub(crate) fn notice_row(&self, open: Option<&Target>) -> Option<Line> {
        let noticed = self.unread().filter(|(target, _)| Some(*target) != open);
        let noticed: Vec<_> = noticed.collect();
        if noticed.len() < 2 {
            return None;
        }
        let mut spans = Vec::new();
        let comma = self.language.say(Text::Comma);
        for (target, conversation) in noticed {
            let before = if spans.is_empty() {
                self.language.say(Text::UnreadRow)
            } else {
                comma.clone()
            };
            let (name, count) = (self.target_name(target), conversation.unread());
            spans.push(span(&format!("{before}{name} {count}"), Style::Bold));
            let mentions = conversation.mentions();
            if mentions > 0 {
                spans.push(span(&format!(" @{mentions}"), Style::Mention));
            }
        }
        Some(Line(spans))
    }

    /// Whether notices and unsent lines stand in rows above the prompt, which are drawn with it.
    pub fn has_footer(&self) -> bool {
        self.settings.interactive && self.settings.echoes
    }

    /// The unsent lines for `target`, or all, a row each: at most so many rows, of which the first says
    /// how many more there are before them.
    pub(crate) fn waiting_rows(&self, target: Option<&Target>, rows: usize) -> Vec<Line> {
        let Some(me) = self.session.me() else {
            return Vec::new();
        };
        let listed = self.outgoing.listed(me).map(|(_, entry, _)| entry);
        let meant: Vec<&UnsentLine> = listed
            .filter(|entry| target.is_none_or(|target| entry.target == *target))
            .collect();
        let shown = if meant.len() > rows { rows - 1 } else { rows };
        let before = meant.len().saturating_sub(shown);
        let mut lines = Vec::new();
        if before > 0 {
            lines.push(self.dim(Text::PendingBefore {
                count: before as u64,
            }));
        }
        lines.extend(meant[before..].iter().map(|entry| {
            let mut head = self.language.say(Text::Pending);
            if target.is_none() {
                let target = &self.target_name(&entry.target);
                head += &self.language.say(Text::PendingFor { target });
            }
            one_line(
                vec![span(&head, Style::Dim)],
                entry.content.as_str(),
                Style::Dim,
            )
        }));
        lines
    }

    /// The number in `/pending` of the user's last unsent line for a conversation.
    pub(crate) fn pending_number(&self, target: &Target) -> Option<u64> {
        let mut listed = self.outgoing.listed(self.session.me()?);
        listed
            .rfind(|(_, entry, _)| entry.target == *target)
            .map(|(number, ..)| number)
    }

    /// `/pending`: every unsent line, with its number, when it was typed, and for whom.
    pub(crate) fn waiting_list(&self) -> Vec<Line> {
        let Some(me) = self.session.me().filter(|_| self.pending() > 0) else {
            return vec![self.line(Text::NothingWaits)];
        };
        let mut lines = vec![self.bold(Text::PendingHeading)];
        for (number, entry, is_in_flight) in self.outgoing.listed(me).take(LISTED) {
            let at = self.settings.zone.at(entry.typed_at);
            let mut head = vec![
                span(&format!("  {number}  "), Style::Bold),
                span(&format!("[{at}] "), Style::Dim),
            ];
            if is_in_flight {
                head.push(span(&self.language.say(Text::InFlight), Style::Dim));
            }
            let target = &self.target_name(&entry.target);
            let target = self.language.say(Text::PendingFor { target });
            head.push(span(&target, Style::Plain));
            lines.push(one_line(head, entry.content.as_str(), Style::Plain));
        }
        let more = self.pending().saturating_sub(LISTED) as u64;
        if more > 0 {
            lines.push(self.line(Text::PendingMore { count: more }));
        }
        lines.push(self.dim(Text::HowToWithdraw));
        lines
    }

    /// An unsent line.
    pub(crate) fn pending_line(&self, content: &str) -> Vec<Line> {
        let mark = self.language.say(Text::Pending);
        self.with_text(vec![span(&mark, Style::Dim)], content, Style::Dim)
    }

    /// Says that a server can never accept something, and why.
    pub(crate) fn limit_sentence(&self, error: &LimitError) -> String {
        let why = self.limit_reason(error);
        match error {
            // They are said before anything is about to be sent, too.
            LimitError::Name(_) | LimitError::LongName { .. } => why,
            _ => self.language.say(Text::CannotSend { why: &why }),
        }
    }

    /// Why a server can never accept something, as it stands behind a line's number or target.
    pub(crate) fn limit_reason(&self, error: &LimitError) -> String {
        let count = |number: usize| number as u64;
        let code;
        self.language.say(match error {
            LimitError::NoText => Text::NoText,
            LimitError::Control(c) => {
                code = format!("{:04X}", u32::from(*c));
                Text::ControlCharacter { code: &code }
            }
            LimitError::Name(error) => return self.language.bad_name(error),
            LimitError::LongName { bytes, characters } => Text::NameTooLong {
                bytes: count(*bytes),
                characters: count(*characters),
            },
            LimitError::Text {
                bytes,
                characters,
                limit,
            } => Text::TooLong {
                bytes: count(*bytes),
                characters: count(*characters),
                limit: count(*limit),
            },
            LimitError::Parameter { bytes, limit } => Text::ParameterTooLong {
                bytes: count(*bytes),
                limit: count(*limit),
            },
            LimitError::Names {
                count: names,
                limit,
            } => Text::TooManyNames {
                names: count(*names),
                limit: count(*limit),
            },
            LimitError::Request { bytes, limit } => Text::RequestTooLong {
                bytes: count(*bytes),
                limit: count(*limit),
            },
        })
    }

    /// The beginning of a line of one's own that is set aside: of its text, or of the line of the file if
    /// that cannot be read.
    pub(crate) fn aside_line(&self, aside: &AsideLine) -> Vec<Line> {
        let text = aside.text.as_ref().map(|(_, text)| text.as_str());
        let text = text.map_or_else(|| Cow::Owned(aside.escaped()), Cow::Borrowed);
        let text = shortened(&text, EXCERPT);
        if aside.was_sent {
            self.unanswered_line(&text)
        } else {
            self.refused_line(&text)
        }
    }

    /// A line of one's own that the server refused.
    pub(crate) fn refused_line(&self, content: &str) -> Vec<Line> {
        self.marked_line(Text::NotSentMark, content)
    }

    /// A line of one's own that is not sent again and that the server may have.
    pub(crate) fn unanswered_line(&self, content: &str) -> Vec<Line> {
        self.marked_line(Text::UnansweredMark, content)
    }

    fn marked_line(&self, mark: Text<'_>, content: &str) -> Vec<Line> {
        let mark = self.language.say(mark);
        self.with_text(vec![span(&mark, Style::Error)], content, Style::Error)
    }

    /// A text behind a head. Its further lines stand indented under it, and so does what reads like a
    /// head or a rule of the client's own: wherever a row is cut later, by a terminal that becomes
    /// narrower or by the reader of a pipe, that does not begin one.
    fn with_text(&self, head: Vec<Span>, text: &str, style: Style) -> Vec<Line> {
        let mut lines = vec![Line(head)];
        let mut is_code = false;
        let rows: Vec<&str> = text.split('\n').collect();
        let closes = |row: &&str| is_fence(row, true);
        let last = rows.iter().rposition(closes).unwrap_or(0);
        for (index, row) in rows.iter().enumerate() {
            // A row begins code if another one ends it, behind some code. Otherwise it is text, and is not hidden.
            let may_begin = || index < last && !rows.get(index + 1).is_some_and(closes);
            if (is_code || may_begin()) && is_fence(row, is_code) {
                is_code = !is_code;
                continue;
            }
            if is_code {
                let indent = Safe::ours(CODE_INDENT);
                self.add_row(&mut lines, &[(self.code(row), Style::Code)], Some(&indent));
                continue;
            }
            let indent = (index > 0).then(|| Safe::ours(INDENT));
            self.add_row(
                &mut lines,
                &with_links(&self.text(row), style),
                indent.as_ref(),
            );
        }
        lines
    }

    /// Adds a row of a message in pieces: to the last line, or with an indent as a line of its own. Parts of it that
    /// read like a head are lines of their own, too.
    fn add_row(&self, lines: &mut Vec<Line>, pieces: &[(Safe, Style)], indent: Option<&Safe>) {
        let whole: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
        let style = pieces.first().map_or(Style::Plain, |(_, style)| *style);
        let compact = self.settings.config.compact;
        for (part, range) in heads::parts(&whole, compact).enumerate() {
            let further = || (part > 0).then(|| Safe::ours(INDENT));
            let ours = indent.cloned().or_else(further);
            if let Some(text) = ours {
                lines.push(Line(vec![Span { text, style }]));
            }
            let line = lines.last_mut().expect("there is the head");
            let mut start = 0;
            for (text, style) in pieces {
                let length = text.as_str().len();
                let from = range.start.clamp(start, start + length) - start;
                let to = range.end.clamp(start, start + length) - start;
                start += length;
                if from < to || whole.is_empty() {
                    let mut part = Safe::default();
                    part.push_part(text, from..to);
                    line.0.push(Span {
                        text: part,
                        style: *style,
                    });
                }
            }
        }
    }

    /// A line of code: it keeps its indentation everywhere.
    fn code(&self, row: &str) -> Safe {
        let code = Safe::tabbed(row, COMPACT_TAB_STOP);
        if !self.settings.folds {
            return code;
        }
        let text = code.as_str();
        let depth = text.len() - text.trim_start_matches(' ').len();
        let mut kept = Safe::line(&" ".repeat(depth.min(CODE_DEPTH)));
        let mut rest = Safe::default();
        rest.push_part(&code, depth..text.len());
        kept.push(&rest.folded());
        kept
    }

    /// One line of a message.
    fn text(&self, row: &str) -> Safe {
        let stop = if self.settings.config.compact {
            COMPACT_TAB_STOP
        } else {
            TAB_STOP
        };
        let text = Safe::tabbed(row, stop);
        if self.settings.folds {
            text.folded()
        } else {
            text
        }
    }
}

/// The reactions to a message, in a line below it.
fn reaction_counts(reactions: &[ReactionCount]) -> Option<Line> {
    let spans = reactions.iter().map(|reaction| {
        let style = if reaction.mine {
            Style::Bold
        } else {
            Style::Dim
        };
        span(
            &format!("  {} {}", emoji(&reaction.emoji), reaction.count),
            style,
        )
    });
    (!reactions.is_empty()).then(|| Line(spans.collect()))
}

/// Whether a row begins or ends code. What follows the sign of a beginning may name the language.
fn is_fence(row: &str, is_code: bool) -> bool {
    let behind = row.trim().strip_prefix(FENCE);
    let is_name = |c: char| c.is_ascii_alphanumeric() || "+#._-".contains(c);
    behind.is_some_and(|behind| behind.chars().all(|c| !is_code && is_name(c)))
}

/// A text in pieces, of which some are links.
fn with_links(text: &Safe, style: Style) -> Vec<(Safe, Style)> {
    let part = |range: Range<usize>| {
        let mut part = Safe::default();
        part.push_part(text, range);
        part
    };
    let mut pieces = Vec::new();
    let mut start = 0;
    if matches!(style, Style::Plain | Style::Mention) {
        for link in links(text.as_str()) {
            if start < link.start {
                pieces.push((part(start..link.start), style));
            }
            start = link.end;
            pieces.push((part(link), Style::Link));
        }
    }
    if start < text.as_str().len() || pieces.is_empty() {
        pieces.push((part(start..text.as_str().len()), style));
    }
    pieces
}

/// A text in one line.
pub(super) fn plain_excerpt(text: &str) -> String {
    text.replace('\n', " ")
}

/// An emoji as it is shown: the server takes only emoji, and what another one sends is short at least.
pub(super) fn emoji(emoji: &str) -> String {
    shortened(&plain_excerpt(emoji), EMOJI)
}

/// A head and the beginning of a text, whose own lines stand behind one another.
fn one_line(head: Vec<Span>, text: &str, style: Style) -> Line {
    let mut line = Line(head);
    let text = shortened(text, EXCERPT).replace('\n', " ");
    line.0.push(Span {
        text: Safe::tabbed(&text, TAB_STOP),
        style,
    });
    line
}

/// At most so many characters of a text. A link at their end is not cut, so that it can be copied.
fn shortened(text: &str, characters: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(characters) else {
        return text.to_owned();
    };
    let cut = links(text).find(|link| link.start < end && end < link.end);
    let end = match cut {
        Some(link) if link.len() <= LINK => link.end,
        Some(link) => text[..link.start].trim_end().len(),
        None => end,
    };
    if end == text.len() {
        return text.to_owned();
    }
    format!("{} ...", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shortened_has_a_link_as_a_whole_or_not_at_all() {
        let link = format!("https://a.org/{}", "x".repeat(100));
        assert_eq!(shortened(&format!("see {link}"), 60), format!("see {link}"));
        assert_eq!(
            shortened(&format!("see {link}, please"), 60),
            format!("see {link} ...")
        );
        let long = format!("https://a.org/{}", "x".repeat(600));
        assert_eq!(shortened(&format!("see {long}"), 60), "see ...");
        assert_eq!(
            shortened(&"a".repeat(61), 60),
            format!("{} ...", "a".repeat(60))
        );
    }
}
