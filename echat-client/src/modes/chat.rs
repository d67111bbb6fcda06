//! Chat mode: history, a rule, and everything that is said.

use echat_proto::commands::{Event, Request, RequestKind};
use echat_proto::limits::HISTORY_MAX;
use jiff::civil::Date;

use super::folding::FoldedMessages;
use super::lines::{day_rule, emoji, span};
use super::numbers::{NUMBERED, Numbers, newest_first};
use super::presence::{PresenceChange, PresenceDigest};
use super::{Act, Context, Goto, Mode, ReadLine, answers, meant, mistake, print, read, rooms};
use crate::render::styled::{Line, Style};
use crate::session::{
    Conversation, Jump, MembershipChange, MessageChange, MessageUpdate, Post, RequestContext,
    Update,
};
use crate::statement::{self, ParseError, Scope, Statement, Substitution};
use crate::target::Target;
use crate::text::Text;

/// How many old messages a chat begins with, and how many `/history` adds.
const PAGE: usize = 50;

/// How many messages `/open` shows behind the one that was found, which is to be seen above them.
const BEHIND: usize = 5;

/// Quits in other modes. Alone on a line of a chat it may be meant so.
pub(crate) const QUIT: &str = "quit";
/// Says the word that leaves.
pub(super) const SAY_QUIT: &str = "\\quit";

/// Chat mode.
#[derive(Debug)]
pub(super) struct ChatMode {
    target: Target,
    /// Whether what it begins with is on its way from the server.
    opening: bool,
    /// The oldest message shown.
    top: Option<u64>,
    /// Whether the server has nothing older.
    at_the_top: bool,
    /// The day of the newest message shown.
    day: Option<Date>,
    presence: PresenceDigest,
    folded: FoldedMessages,
    begins: InitialView,
    /// Messages that were jumped to.
    window: Option<Window>,
    unread: UnreadView,
    numbers: Numbers,
}

/// What a chat shows when it is opened.
#[derive(Clone, Copy, Debug, Default)]
enum InitialView {
    /// The end of the history, and what is unread.
    #[default]
    Newest,
    /// The messages around this one.
    Around(u64),
    /// What came after this one: the chat was left only for a question.
    After(u64),
}

/// Whether what is unread is shown. What is not shown is not marked as read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum UnreadView {
    /// It is, as far as it can be remembered.
    #[default]
    Shown,
    /// Other messages were jumped to.
    LeftOut,
    /// There was no connection to ask for it, or the server refused it. `/history` asks for it.
    Missing,
}

impl UnreadView {
    /// What is unread of this conversation is not shown, for this reason.
    fn without(conversation: Option<&Conversation>, reason: Self) -> Self {
        let has_unread = conversation.is_some_and(|found| found.unread() > 0);
        if has_unread { reason } else { Self::Shown }
    }
}

/// Messages that were jumped to, which do not follow on the newest.
#[derive(Clone, Copy, Debug)]
struct Window {
    /// The oldest.
    first: u64,
    /// The newest.
    last: u64,
}

impl ChatMode {
    pub(super) fn new(target: Target) -> Self {
        let presence = if target.is_room() {
            PresenceDigest::in_room(target.name())
        } else {
            PresenceDigest::default()
        };
        Self {
            target,
            opening: false,
            top: None,
            at_the_top: false,
            day: None,
            presence,
            folded: FoldedMessages::default(),
            begins: InitialView::default(),
            window: None,
            unread: UnreadView::default(),
            numbers: Numbers::default(),
        }
    }

    /// The chat, with the messages around one of it.
    pub(super) fn around(target: Target, id: u64) -> Self {
        Self {
            begins: InitialView::Around(id),
            ..Self::new(target)
        }
    }

    /// The chat that shows the messages up to this one already.
    pub(super) fn after(target: Target, id: u64) -> Self {
        Self {
            begins: InitialView::After(id),
            ..Self::new(target)
        }
    }

    /// The history and a rule below it, what is unread, and the reader's unsent lines.
    fn show(&mut self, context: &Context) -> Vec<Act> {
        let conversation = context.session.conversation(&self.target);
        let all: Vec<&Post> = conversation
            .iter()
            .flat_map(|found| found.lines())
            .collect();
        let read_id = conversation.map_or(0, Conversation::read_id);
        let has_unread = conversation.is_some_and(|found| found.unread() > 0);
        let is_new = |post: &&&Post| has_unread && !post.mine && post.id > read_id;
        let rule = all
            .iter()
            .position(|post| is_new(&post))
            .unwrap_or(all.len());
        let start = rule.min(all.len().saturating_sub(PAGE));
        let start = start.min(rule.saturating_sub(PAGE / 5));
        self.top = all.get(start).map(|post| post.id);
        self.day = None;
        self.folded.clear();
        if let InitialView::After(id) = std::mem::take(&mut self.begins) {
            let shown = all.partition_point(|post| post.id <= id);
            let date = |post: &&Post| context.settings.zone.at(post.time).date();
            self.day = all[..shown].last().map(date);
            let lines = self.days(&all[shown..], context);
            return self.shown(lines);
        }
        context.begin_list();
        let lacking = conversation.filter(|found| found.older().is_some());
        let lacking = lacking.map_or(0, Conversation::lacking_unread);
        let mut lines = Vec::new();
        if lacking > 0 {
            lines.push(context.dim(Text::OlderUnread { count: lacking }));
        }
        lines.extend(self.days(&all[start..rule], context));
        if rule > start {
            lines.push(context.rule(Text::HistoryRule));
        }
        lines.extend(self.days(&all[rule..], context));
        lines.extend(self.waiting(context));
        lines.extend(self.away(context));
        let settings = context.session.room_settings(&self.target);
        lines.extend(settings.and_then(|room| rooms::topic_on_opening(room, context)));
        self.shown(lines)
    }

    /// Messages that are new to the reader. If all that is unread is shown by now, it is read.
    fn shown(&self, lines: Vec<Line>) -> Vec<Act> {
        let mut acts = vec![Act::Print(lines)];
        acts.extend(self.read_target().cloned().map(Act::Read));
        acts
    }

    /// What the friend says who is away.
    fn away(&self, context: &Context) -> Option<Line> {
        let name = self.target.name();
        let text = context.session.away(name);
        let text = text.filter(|_| !self.target.is_room())?;
        Some(context.dim(Text::FriendAway { name, text }))
    }

    /// The reader's unsent lines, where no rows above the prompt show them.
    fn waiting(&self, context: &Context) -> Vec<Line> {
        let me = context.session.me().filter(|_| !context.has_footer());
        me.map_or_else(Vec::new, |me| {
            let waiting = context.outgoing.waiting_for(me, &self.target);
            waiting
                .flat_map(|entry| context.pending_line(entry.content.as_str()))
                .collect()
        })
    }

    /// Messages, with a line wherever a day begins, and one for those of blocked users that follow one another.
    fn days(&mut self, messages: &[&Post], context: &Context) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut count = 0;
        for post in messages {
            if context.session.folds(&self.target, &post.sender) {
                count += 1;
                self.folded.keep(post);
                continue;
            }
            lines.extend(fold(&mut count, context));
            let time = context.settings.zone.at(post.time);
            // In the compact style every message sees to that itself.
            let is_new = self.day.is_some_and(|day| day != time.date());
            if is_new && !context.settings.config.compact {
                lines.push(day_rule(time));
            }
            self.day = Some(time.date());
            lines.extend(context.message(post));
        }
        lines.extend(fold(&mut count, context));
        lines
    }

    fn arrived(&mut self, post: &Post, context: &Context) -> Vec<Act> {
        if self.opening {
            return Vec::new();
        }
        let mut lines = self.presence.flush(context);
        if context.session.folds(&self.target, &post.sender) {
            lines.extend(self.folded.arrive(post, context));
        } else {
            lines.extend(self.folded.end_row(context));
            lines.extend(self.days(&[post], context));
        }
        self.top.get_or_insert(post.id);
        self.shown(lines)
    }

    /// Older messages: from memory, else from the server.
    fn older(&mut self, context: &Context) -> Vec<Act> {
        if let Some(window) = self.window {
            let jump = self.jump(Jump::Older, (Some(window.first), None), (None, None));
            return vec![jump];
        }
        if self.unread == UnreadView::Missing && !context.is_offline {
            self.unread = UnreadView::Shown;
            return self.begin(context);
        }
        let top = self.top.unwrap_or(u64::MAX);
        let conversation = context.session.conversation(&self.target);
        let known: Vec<&Post> = conversation
            .iter()
            .flat_map(|found| found.lines().filter(|post| post.id < top))
            .collect();
        if !known.is_empty() {
            return self.show_older(&known[known.len().saturating_sub(PAGE)..], context);
        }
        let more = conversation.is_some_and(|found| found.older().is_some());
        if self.at_the_top || !more {
            return print(vec![context.dim(Text::NoOlder)]);
        }
        let mut acts = print(vec![context.dim(Text::LoadingOlder)]);
        acts.push(self.ask(self.top, PAGE as u64));
        acts
    }

    /// Asks for messages that need not follow on the remembered ones: before or after a message, around one, or from
    /// a time on.
    fn jump(
        &self,
        to: Jump,
        (before, after): (Option<u64>, Option<u64>),
        (around, at): (Option<u64>, Option<u64>),
    ) -> Act {
        let request = Request::QueryHistory {
            target_type: Some(self.target.target_type()),
            target: Some(self.target.query()),
            before,
            after,
            limit: Some(PAGE as u64),
            around,
            at,
        };
        Act::AskFor(request, RequestContext::Jump(self.target.clone(), to))
    }

    /// `/newer`
    fn newer(&self, context: &Context) -> Vec<Act> {
        match self.window {
            Some(window) => {
                vec![self.jump(Jump::Newer, (None, Some(window.last)), (None, None))]
            }
            None => print(vec![context.dim(Text::NoNewer)]),
        }
    }

    /// `/date`
    fn date(&self, typed: &str, context: &Context) -> Vec<Act> {
        let zone = &context.settings.zone;
        let today = zone.at(context.now).date();
        match statement::day(typed, today) {
            Some(day) if day > today => mistake(context, Text::FutureDay { typed }),
            Some(day) => {
                let at = zone.start_of(day);
                vec![self.jump(Jump::At(at), (None, None), (None, Some(at)))]
            }
            None => mistake(context, Text::NoDay { typed }),
        }
    }

    /// A page that was jumped to: between rules, since the terminal shows it below newer messages, and with numbers.
    fn jumped(&mut self, to: Jump, event: &Event, context: &Context) -> Vec<Act> {
        let Event::History {
            messages,
            more,
            newer,
        } = event
        else {
            return Vec::new();
        };
        let page = messages.iter().cloned();
        let mut page: Vec<Post> = page
            .map(|message| context.session.post_of(message))
            .collect();
        let count = page.len();
        if let Jump::Around(id) = to {
            let until = page.partition_point(|post| post.id <= id) + BEHIND;
            page.truncate(until);
        }
        let is_newest = *newer == Some(false) && page.len() == count;
        let (Some(first), Some(last)) = (page.first(), page.last()) else {
            return print(vec![context.dim(match to {
                Jump::Older => Text::NoOlder,
                Jump::Newer => Text::NoNewer,
                _ => Text::NothingSince,
            })]);
        };
        let ends = Window {
            first: first.id,
            last: last.id,
        };
        self.window = Some(ends);
        let at = |unix| context.settings.zone.at(unix);
        let hit = |id| page.iter().find(|post| post.id == id).unwrap_or(first);
        let mut lines = vec![match to {
            Jump::Around(id) => {
                let time = &at(hit(id).time).to_string();
                context.rule(Text::JumpAround { time })
            }
            Jump::At(unix) => {
                let time = &at(unix).date().to_string();
                context.rule(Text::JumpFrom { time })
            }
            Jump::Older => context.rule(Text::OlderRule),
            Jump::Newer => context.rule(Text::NewerRule),
        }];
        let found = match to {
            Jump::Around(id) => Some(id),
            _ => None,
        };
        lines.extend(self.with_numbers(&page, found, context));
        lines.push(context.rule(Text::JumpEnd));
        lines.push(context.dim(if is_newest {
            Text::HowToGoBack
        } else {
            Text::HowToGoOn
        }));
        let conversation = context.session.conversation(&self.target);
        let read_id = conversation.map_or(0, Conversation::read_id);
        let shows_unread = is_newest && (!more || ends.first <= read_id);
        if self.unread != UnreadView::Shown && shows_unread {
            self.unread = UnreadView::Shown;
            return self.shown(lines);
        }
        print(lines)
    }

    /// Messages with numbers beside them, counted from below. Those of blocked users have none: a line stands in their
    /// place. The `found` one is marked.
    fn with_numbers(&mut self, page: &[Post], found: Option<u64>, context: &Context) -> Vec<Line> {
        let folds = |post: &Post| context.session.folds(&self.target, &post.sender);
        let (hidden, shown): (Vec<Post>, Vec<Post>) = page.iter().cloned().partition(folds);
        for post in &hidden {
            self.folded.keep(post);
        }
        self.numbers.show(&shown);
        context.begin_list();
        let mut lines = Vec::new();
        let mut day = None;
        let mut number = shown.len() as u64;
        let mut count = 0;
        for post in page {
            if context.session.folds(&self.target, &post.sender) {
                count += 1;
                continue;
            }
            lines.extend(fold(&mut count, context));
            let time = context.settings.zone.at(post.time);
            let is_new = day.replace(time.date()) != Some(time.date());
            if is_new && !context.settings.config.compact {
                lines.push(day_rule(time));
            }
            let is_found = found == Some(post.id);
            lines.extend(context.numbered(post, number, is_found));
            number -= 1;
        }
        lines.extend(fold(&mut count, context));
        context.begin_list();
        lines
    }

    /// `/show`: with numbers, so that operators can delete what blocked users say.
    fn show_folded(&mut self, context: &Context) -> Vec<Line> {
        let posts = self.folded.unfold();
        if posts.is_empty() {
            return vec![context.dim(Text::NothingFolded)];
        }
        self.numbers.show(&posts);
        context.begin_list();
        let numbers = (1..=posts.len() as u64).rev();
        let posts = posts.iter().zip(numbers);
        posts
            .flat_map(|(post, number)| context.numbered(post, number, false))
            .collect()
    }

    /// `/n`
    fn show_numbers(&mut self, context: &Context) -> Vec<Act> {
        let newest = newest_first(&self.target, context).take(NUMBERED).cloned();
        let mut page: Vec<Post> = newest.collect();
        page.reverse();
        if page.is_empty() {
            return print(vec![context.line(Text::NoMessages)]);
        }
        print(self.with_numbers(&page, None, context))
    }

    /// Commands about messages.
    fn carry_out(&mut self, statement: Statement, context: &Context) -> Vec<Act> {
        match statement {
            Statement::History => self.older(context),
            Statement::Newer => self.newer(context),
            Statement::Date(day) => self.date(&day, context),
            Statement::Show => print(self.show_folded(context)),
            Statement::Numbers => self.show_numbers(context),
            Statement::Edit(..)
            | Statement::Delete(_)
            | Statement::Reply(..)
            | Statement::React(..) => {
                meant::carry_out(&self.target, &self.numbers, statement, context)
            }
            Statement::Action(does) => {
                self.numbers.forget();
                let text = statement::of_action(&does);
                vec![Act::Send(self.target.clone(), text)]
            }
            _ => Vec::new(),
        }
    }

    /// A message of the open chat has changed.
    fn message_changed(&mut self, changed: &MessageUpdate, context: &Context) -> Vec<Act> {
        let post = &changed.post;
        self.folded.change(post);
        let is_by_blocked = context.session.folds(&self.target, &changed.by);
        let is_folded = context.session.folds(&self.target, &changed.post.sender);
        if is_folded && !self.opening && self.folded.has_opened(post.id) {
            return print(self.opened_changed(changed, context));
        }
        if self.opening || is_folded || is_by_blocked {
            return Vec::new();
        }
        let mut lines = self.presence.flush(context);
        lines.extend(self.folded.end_row(context));
        let reacted = match &changed.change {
            MessageChange::Edited => {
                lines.extend(context.message(post));
                return print(lines);
            }
            MessageChange::Deleted => {
                lines.push(deletion(changed, context));
                return print(lines);
            }
            MessageChange::Reacted(emoji) => (emoji, true),
            MessageChange::Unreacted(emoji) => (emoji, false),
        };
        let by = &rooms::actor(Some(&changed.by), context);
        let name = &if post.mine && changed.by == post.sender {
            context.language.say(Text::YourMessage)
        } else {
            sender_inside(post, context)
        };
        let emoji = &emoji(reacted.0);
        let head = context.language.say(if reacted.1 {
            Text::ReactedTo { by, emoji, name }
        } else {
            Text::UnreactedTo { by, emoji, name }
        });
        let head = vec![span(&head, Style::Plain)];
        lines.extend(context.excerpt(head, &context.short(post), Style::Dim));
        print(lines)
    }

    /// A message of a blocked user that `/show` has shown is another one now, or is deleted.
    fn opened_changed(&mut self, changed: &MessageUpdate, context: &Context) -> Vec<Line> {
        let line = match &changed.change {
            MessageChange::Edited => {
                self.folded.fold_again(&changed.post);
                context.dim(Text::FoldedChanged)
            }
            MessageChange::Deleted => deletion(changed, context),
            MessageChange::Reacted(_) | MessageChange::Unreacted(_) => return Vec::new(),
        };
        let mut lines = self.presence.flush(context);
        lines.extend(self.folded.end_row(context));
        lines.push(line);
        lines
    }

    fn ask(&self, before: Option<u64>, limit: u64) -> Act {
        Act::Ask(Request::QueryHistory {
            target_type: Some(self.target.target_type()),
            target: Some(self.target.query()),
            before,
            after: None,
            limit: Some(limit),
            around: None,
            at: None,
        })
    }

    /// A page above those shown: the terminal shows it below them, so it stands between rules.
    fn show_older(&mut self, page: &[&Post], context: &Context) -> Vec<Act> {
        let Some(first) = page.first() else {
            return print(vec![context.dim(Text::NoOlder)]);
        };
        self.top = Some(first.id);
        let day = self.day.take();
        context.begin_list();
        let mut lines = vec![context.rule(Text::OlderRule)];
        lines.extend(self.days(page, context));
        lines.push(context.rule(Text::HistoryRule));
        lines.extend(self.waiting(context));
        self.day = day;
        print(lines)
    }

    fn took_page(&mut self, event: &Event, context: &Context) -> Vec<Act> {
        let Event::History { messages, more, .. } = event else {
            return Vec::new();
        };
        if self.opening {
            let first = messages.first().map(|message| message.id);
            let conversation = context.session.conversation(&self.target);
            // A page for which there is no room is not remembered.
            let lacks_more = conversation
                .is_some_and(|found| *more && found.lacking_unread() > 0 && found.older() == first);
            if lacks_more {
                return vec![self.ask(first, HISTORY_MAX)];
            }
            self.opening = false;
            return self.show(context);
        }
        self.at_the_top = !more;
        let page = messages
            .iter()
            .cloned()
            .map(|message| context.session.post_of(message));
        let page: Vec<Post> = page.collect();
        self.show_older(&page.iter().collect::<Vec<_>>(), context)
    }

    /// The page that the chat begins with is refused: shows why, and what is remembered.
    fn page_refused(&mut self, update: &Update, context: &Context) -> Vec<Act> {
        self.opening = false;
        let conversation = context.session.conversation(&self.target);
        self.unread = UnreadView::without(conversation, UnreadView::Missing);
        let mut acts = print(answers::tell(update, context));
        acts.extend(self.show(context));
        acts
    }

    /// The chat from its beginning, or out of it if the server knows nothing of it any more.
    fn begin_anew(&mut self, context: &Context) -> Vec<Act> {
        let mut lines = self.presence.flush(context);
        lines.push(context.error(Text::HistoryReplaced));
        let is_there = context.session.can_read(&self.target);
        if !is_there {
            let name = self.target.name();
            lines.push(context.error(Text::NoTarget { name }));
        }
        let place = if is_there {
            Goto::Chat(self.target.clone())
        } else {
            Goto::Contact
        };
        vec![Act::Print(lines), Act::Goto(place)]
    }

    /// What the chat shows first, and what it asks for.
    fn begin(&mut self, context: &Context) -> Vec<Act> {
        let conversation = context.session.conversation(&self.target);
        if let InitialView::Around(id) = self.begins {
            self.begins = InitialView::default();
            let jump = self.jump(Jump::Around(id), (None, None), (Some(id), None));
            self.unread = UnreadView::without(conversation, UnreadView::LeftOut);
            return vec![jump];
        }
        // What is unread is shown before it is marked as read, as far as it can be remembered.
        let lacks_unread = |found: &Conversation| found.lacking_unread() > 0 && found.has_room();
        let lacks = |found: &&Conversation| {
            let has_none = found.lines().len() == 0;
            let lacks_unread = lacks_unread(found);
            // Without a connection, what is remembered is shown at once.
            has_none && (found.older().is_some() || lacks_unread)
                || lacks_unread && !context.is_offline
        };
        let Some(found) = conversation.filter(lacks) else {
            if context.is_offline && conversation.is_some_and(lacks_unread) {
                self.unread = UnreadView::Missing;
            }
            return self.show(context);
        };
        self.opening = true;
        let has_page = found.lines().len() >= PAGE;
        let before = found.older().filter(|_| has_page);
        let limit = if has_page { HISTORY_MAX } else { PAGE as u64 };
        vec![self.ask(before, limit)]
    }

    fn is_here(&self, room: &str) -> bool {
        self.target.is_room() && self.target.name() == room
    }
}

/// The line in place of so many folded messages, which are counted anew.
fn fold(count: &mut u64, context: &Context) -> Option<Line> {
    let count = std::mem::take(count);
    (count > 0).then(|| context.dim(Text::Folded { count }))
}

/// Says that a message was deleted.
fn deletion(changed: &MessageUpdate, context: &Context) -> Line {
    let post = &changed.post;
    let time = &context.settings.zone.at(post.time).to_string();
    let by = &rooms::actor(Some(&changed.by), context);
    if changed.by == post.sender {
        return context.dim(Text::DeletedOwn { name: by, time });
    }
    let name = &sender_inside(post, context);
    context.dim(Text::DeletedOf { by, name, time })
}

/// The sender of a message, inside a sentence.
fn sender_inside(post: &Post, context: &Context) -> String {
    if post.mine {
        context.language.say(Text::YouInside)
    } else {
        rooms::inviter(Some(&post.sender), context.language)
    }
}

/// Whether a line is a command of another mode with a name that is known: it answers an open friend
/// request, or opens a chat. With other names the words begin a sentence.
fn has_known_name(line: &str, context: &Context) -> bool {
    let session = &context.session;
    [Scope::Contact, Scope::Command]
        .into_iter()
        .any(|scope| match statement::parse(scope, line) {
            Ok(Statement::Ask(typed)) => {
                let asks = typed.kind() == RequestKind::ResolveFriendRequest;
                let user = typed.user().filter(|_| asks);
                user.is_some_and(|user| session.pending().contains(&user))
            }
            Ok(Statement::Chat(Some(name))) => [Target::Friend, Target::Room]
                .into_iter()
                .any(|kind| session.has(&kind(name.clone()).normal())),
            _ => false,
        })
}

impl Mode for ChatMode {
    fn scope(&self) -> Option<Scope> {
        Some(Scope::Chat)
    }

    fn prompt(&self, context: &Context) -> String {
        context.target_name(&self.target)
    }

    fn history(&self) -> Option<&'static str> {
        Some("chat")
    }

    fn target(&self) -> Option<&Target> {
        Some(&self.target)
    }

    fn read_target(&self) -> Option<&Target> {
        let is_shown = !self.opening && self.unread == UnreadView::Shown;
        Some(&self.target).filter(|_| is_shown)
    }

    fn opening(&self) -> Option<&Target> {
        Some(&self.target).filter(|_| self.opening)
    }

    fn open_again(&mut self, context: &Context) -> Vec<Act> {
        self.opening = false;
        self.begin(context)
    }

    fn on_rename(&mut self, was: &Target, now: &Target) {
        if self.target == *was {
            self.target = now.clone();
            self.presence.rename(now.name());
        }
    }

    fn enter(&mut self, context: &Context) -> Vec<Act> {
        let mut acts = self.begin(context);
        let is_known = context.session.room_settings(&self.target).is_some();
        if self.target.is_room() && !is_known && context.settings.interactive {
            let (request, asked) = RequestContext::introduce(self.target.name(), false);
            acts.push(Act::AskFor(request, asked));
        }
        acts
    }

    fn submit(&mut self, line: &str, context: &Context) -> Vec<Act> {
        let mut acts = print(self.presence.flush(context));
        // A path begins like a command.
        let is_unknown = statement::parse(Scope::Chat, line) == Err(ParseError::Unknown);
        if is_unknown && context.settings.interactive {
            acts.push(Act::SendIfMeant(self.target.clone(), line.to_owned()));
            return acts;
        }
        acts.extend(match read(Scope::Chat, line, Some(&self.target), context) {
            ReadLine::Statement(Statement::Say(text)) if text.trim() == QUIT => {
                vec![Act::SendIfMeant(self.target.clone(), text)]
            }
            ReadLine::Statement(Statement::Say(text)) if text.trim() == SAY_QUIT => {
                vec![Act::Send(self.target.clone(), QUIT.to_owned())]
            }
            // Without the last slash it is meant so only if it fits the last message.
            ReadLine::Statement(Statement::Say(text))
                if context.settings.interactive
                    && (Substitution::read(line).is_some()
                        || meant::may_replace(&text, &self.target, context)) =>
            {
                meant::carry_out(&self.target, &self.numbers, Statement::Say(text), context)
            }
            ReadLine::Statement(Statement::Say(text))
                if !statement::begins_with_two_slashes(line)
                    && (statement::looks_like_command(&text) || has_known_name(&text, context)) =>
            {
                vec![Act::SendIfMeant(self.target.clone(), text)]
            }
            ReadLine::Statement(Statement::Say(text)) => {
                self.numbers.forget();
                vec![Act::Send(self.target.clone(), text)]
            }
            ReadLine::Statement(statement) => self.carry_out(statement, context),
            // What is unread and not shown is shown when a question leads back, before it counts as read.
            ReadLine::Done(acts) if self.read_target().is_none() => {
                acts.into_iter().map(Act::back_to_beginning).collect()
            }
            ReadLine::Done(acts) => acts,
        });
        acts
    }

    fn on_update(&mut self, update: &Update, context: &Context) -> Vec<Act> {
        self.folded.rename(update);
        match update {
            Update::Message(target, post) if *target == self.target => self.arrived(post, context),
            Update::Changed(target, changed) if *target == self.target => {
                self.message_changed(changed, context)
            }
            Update::Answer(RequestContext::Jump(target, to), Ok(event))
                if *target == self.target =>
            {
                self.jumped(*to, event, context)
            }
            Update::Member(room, name, step) if self.is_here(room) => {
                let moved = match (step, context.session.friends().get(name)) {
                    (MembershipChange::Online, _) => PresenceChange::CameOnline,
                    (MembershipChange::Joined, _) => PresenceChange::Joined,
                    // The server reports a friend who goes offline before the member of a room.
                    (MembershipChange::Left, _) | (MembershipChange::Gone, Some(true)) => {
                        PresenceChange::Left
                    }
                    (MembershipChange::Offline, _) | (MembershipChange::Gone, Some(false)) => {
                        PresenceChange::WentOffline
                    }
                    (MembershipChange::Gone, None) => PresenceChange::LeftOrWentOffline,
                };
                print(self.presence.record(name, moved, context))
            }
            Update::Room(update) if self.is_here(update.room()) => {
                let mut lines = self.presence.flush(context);
                lines.extend(rooms::update_lines(update, context));
                print(lines)
            }
            Update::Friend(name, _) | Update::NewFriendIsOnline(name)
                if self.target == Target::Friend(name.clone()) =>
            {
                let change = PresenceChange::of_friend(update);
                print(self.presence.record(name, change, context))
            }
            Update::Away(name, text) if self.target == Target::Friend(name.clone()) => {
                print(context.away_lines(name, text.as_deref()))
            }
            Update::HistoryReplaced => self.begin_anew(context),
            Update::AccountDeleted { .. } | Update::Answer(RequestContext::Login, Ok(_)) => {
                self.folded.confirm(context);
                print(answers::tell(update, context))
            }
            Update::FriendRequest(name) => {
                print(vec![context.bold(Text::FriendRequestInChat { name })])
            }
            Update::Answer(RequestContext::Page(target, _), Ok(event))
                if *target == self.target =>
            {
                self.took_page(event, context)
            }
            Update::Answer(RequestContext::Page(target, _), Err(_))
                if *target == self.target && self.opening =>
            {
                self.page_refused(update, context)
            }
            Update::Answer(_, Ok(Event::LeftRoom { roomname: room })) | Update::LeftRoom(room)
                if self.is_here(room) =>
            {
                let mut acts = print(vec![context.line(Text::LeftRoom { room })]);
                acts.push(Act::Goto(Goto::Contact));
                acts
            }
            _ => print(answers::tell(update, context)),
        }
    }

    fn on_cut(&mut self) -> Vec<Act> {
        self.presence.drop_pending();
        Vec::new()
    }

    fn on_gap(&mut self) {
        // The chat begins again with a page of its own, unless the reader is elsewhere in it.
        if self.unread != UnreadView::LeftOut {
            self.opening = true;
            self.unread = UnreadView::Shown;
            self.window = None;
        }
    }

    fn on_tick(&mut self, context: &Context) -> Vec<Act> {
        print(self.presence.tick(context))
    }

    fn wakes_at(&self) -> Option<u64> {
        self.presence.due()
    }
}
