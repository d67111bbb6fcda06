//! Lines on their way: kept before they are sent, sent in order, gone when the server has them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use echat_proto::commands::Request;
use echat_proto::names::TxnId;
use echat_proto::records::{Code, Fail};

use super::connection::Loss;
use super::input::WorstOutcome;
use super::question::Question;
use super::{App, Effect, Exit, Files};
use crate::modes::{error_line, with_local_times};
use crate::render::styled::Line;
use crate::session::outgoing::{Aside, Entry, NotWithdrawn};
use crate::session::{Excess, RequestContext, Timed};
use crate::statement::{TypedRequest, Which};
use crate::target::Target;
use crate::text::{HOUR, Text, retry_after};

/// How long to wait when the server cannot store and does not say how long, in seconds.
const STORAGE_WAIT: u64 = 5;
/// So many of the kept lines that cannot be read are shown.
const UNREADABLE_SHOWN: usize = 5;
/// Rows above the prompt that notices and unsent lines take at most.
const FOOTER_ROWS: usize = 5;
/// Rows of them that notices take at most.
const NOTICE_ROWS: usize = 3;

/// Whether lines may be sent, and what the user was told of the lines that are not sent yet. The lines are in
/// [`Outgoing`](crate::session::outgoing::Outgoing).
#[derive(Debug, Default)]
pub(super) struct Sending {
    hold: Hold,
    /// Whether the user was told of the hold. A line that gets through ends that, if it is the last.
    hold_said: bool,
    /// Rooms with slow mode that take no line of the user before a unix second.
    slow: BTreeMap<Target, u64>,
    /// Rooms of which the user was told that, until the last line for them got through.
    slow_said: BTreeSet<Target>,
    /// How many lines were typed in this run.
    typed: u64,
    /// When the line in flight was sent, as [`Input::Elapsed`](super::Input::Elapsed) counts.
    sent_at: Duration,
    /// Users whose files of unsent lines have been asked for.
    loaded: BTreeSet<String>,
    /// Where the user's unsent lines are kept.
    files: Option<Files>,
    /// Whether the user was told what becomes of unsent lines, since the newest was typed.
    unsent_said: bool,
    /// The user whose file does not hold the lines of now. It is written before a line is sent, and
    /// at the end of a step: once for all lines of a paste.
    unsaved: Option<String>,
    /// Whether several steps are one write.
    is_batch: bool,
}

impl Sending {
    /// Whether a line may be sent at this unix second.
    fn is_open(&self, now: u64) -> bool {
        match self.hold {
            Hold::None => true,
            Hold::Until(end) => now >= end,
            Hold::Loading => false,
        }
    }

    /// When a hold ends by itself, in unix seconds.
    pub(super) fn opens_at(&self, now: u64) -> Option<u64> {
        let whole = match self.hold {
            Hold::Until(end) => Some(end),
            _ => None,
        };
        let ends = self.slow.values().copied().chain(whole);
        ends.filter(|end| *end > now).min()
    }

    /// Holds lines for a room until a unix second. Whether the user is to be told: once, until the last line for it got
    /// through.
    fn slow_down(&mut self, room: &Target, end: u64) -> bool {
        self.slow.insert(room.clone(), end);
        self.slow_said.insert(room.clone())
    }

    /// A target has another name.
    pub(super) fn rename(&mut self, was: &Target, now: &Target) {
        if let Some(end) = self.slow.remove(was) {
            self.slow.insert(now.clone(), end);
        }
        if self.slow_said.remove(was) {
            self.slow_said.insert(now.clone());
        }
    }

    /// Whether the file of unsent lines was asked for and is not here yet.
    pub(super) fn is_loading(&self) -> bool {
        self.hold == Hold::Loading
    }

    /// Begins to load a user's unsent lines: true the first time in a run. Nothing is sent before
    /// [`Sending::end_loading`].
    pub(super) fn begin_loading(&mut self, user: &str) -> bool {
        let is_first = self.loaded.insert(user.to_owned());
        if is_first {
            self.hold = Hold::Loading;
        }
        is_first
    }

    fn end_loading(&mut self) {
        self.hold = Hold::None;
    }

    /// Holds lines until a unix second.
    fn hold_until(&mut self, end: u64) {
        self.hold = Hold::Until(end);
    }

    /// Whether the user is to be told of the hold: once, until the last line got through.
    fn must_say_hold(&mut self) -> bool {
        !std::mem::replace(&mut self.hold_said, true)
    }

    /// A line got through.
    fn got_through(&mut self, is_last: bool) {
        self.hold_said &= !is_last;
    }

    /// Numbers a line that was typed.
    fn next_txn_id(&mut self, prefix: &str) -> TxnId {
        self.typed += 1;
        self.unsent_said = false;
        TxnId::new(format!("{prefix}-{}", self.typed)).expect("a short prefix and a number")
    }

    /// Whether the user is to be told what becomes of unsent lines: once for all that were typed.
    fn must_say_unsent(&mut self) -> bool {
        !std::mem::replace(&mut self.unsent_said, true)
    }

    /// Sets where the user's unsent lines are kept, if they are.
    pub(super) fn keep_in(&mut self, files: Option<Files>) {
        self.files = files;
    }
}

/// What keeps lines from being sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Hold {
    /// Nothing.
    #[default]
    None,
    /// The server takes none before this unix second.
    Until(u64),
    /// The file of unsent lines was asked for: its lines go first.
    Loading,
}

impl App {
    pub(super) fn send_line(&mut self, target: Target, text: &str) {
        self.send_reply(target, text, None);
    }

    /// Sends a line that answers a message.
    pub(super) fn send_reply(&mut self, target: Target, text: &str, reply_to: Option<u64>) {
        let Some(user) = self.context.session.me().map(str::to_owned) else {
            return self.refuse(Code::NotLoggedIn);
        };
        // A script is told by the server's refusal.
        if self.context.settings.interactive && self.context.session.is_former_friend(&target) {
            let name = target.name();
            self.fail(Text::FormerFriend { name });
            let lines = self.context.refused_line(text);
            return self.print(lines);
        }
        let content = match self.context.session.limits().text(&target, text) {
            Ok(content) => content,
            Err(excess) => return self.never(&excess),
        };
        let txn_id = self.sending.next_txn_id(&self.context.settings.txn_prefix);
        let waits = !self.connection.is_online() || !self.sending.is_open(self.context.now);
        if waits && self.context.settings.interactive && !self.context.has_footer() {
            let lines = self.context.pending_line(content.as_str());
            self.print(lines);
        }
        self.context.outgoing.push(Entry {
            user: user.clone(),
            txn_id,
            target,
            content,
            reply_to,
            typed_at: self.context.now,
            was_sent: false,
        });
        self.save(user);
        self.send_next();
        if self.login.is_wanted() {
            self.connect();
        }
    }

    /// Says that something can never be accepted. On a terminal it returns to the editor; without
    /// one the line is an error and the last one, since what follows may be meant for after it.
    pub(super) fn never(&mut self, excess: &Excess) {
        let why = if self.context.settings.interactive {
            self.context.excess(excess)
        } else {
            self.context.reason(excess)
        };
        self.cannot(&why);
    }

    /// The same for another reason.
    pub(super) fn cannot(&mut self, why: &str) {
        if self.context.settings.interactive {
            self.print(vec![error_line(why)]);
            self.draft.refuse();
        } else {
            let line = self.input.line_number();
            self.fail(Text::InLine { line, why });
            self.input.clear();
            self.quit(Exit::Usage);
        }
    }

    /// Puts what can never be accepted into the edited line again, if that is empty. It is
    /// edited here on every terminal, with `--plain` too.
    pub(super) fn give_back(&mut self, line: &str) {
        let may_be_edited = self.context.settings.interactive && !self.mode.is_secret();
        self.draft.restore_refused(line, may_be_edited);
    }

    /// Asks before a line is sent that looks like a command. Without a terminal there is no user to
    /// ask, and the line is sent.
    pub(super) fn ask_if_meant(&mut self, target: Target, text: String) {
        if !self.context.settings.interactive {
            return self.send_line(target, &text);
        }
        self.ask_question(Question::SendAsText(target, text));
    }

    /// Carries out a command that asks the server. If its row has a question, the user is asked on a terminal first,
    /// but not about a room that is none of the user's: the server refuses that.
    pub(super) fn carry_out_typed(&mut self, typed: TypedRequest) {
        if typed.lacks_privacy() && self.context.settings.interactive {
            return self.ask_about_privacy(typed);
        }
        let room = typed.room().map(Target::Room);
        let is_known = room.is_none_or(|room| self.context.session.has(&room));
        let asks = typed.question(self.context.language).is_some();
        if !asks || !is_known || !self.context.settings.interactive {
            return self.ask_typed(typed);
        }
        let question = Question::Confirm(typed);
        if self.questions.newest() != Some(&question) {
            self.ask_question(question);
        }
    }

    /// Asks who can find and join a room that is to be made, if it can be made.
    fn ask_about_privacy(&mut self, typed: TypedRequest) {
        match typed.request(self.context.now) {
            Ok(request) => {
                if let Err(excess) = self.context.session.limits().check(&request) {
                    return self.never(&excess);
                }
            }
            Err(unfit) => return self.never(&unfit.into()),
        }
        let question = Question::Privacy(typed);
        if self.questions.newest() != Some(&question) {
            self.ask_question(question);
        }
    }

    /// Asks the server what was typed.
    pub(super) fn ask_typed(&mut self, typed: TypedRequest) {
        if typed.is_timed() {
            return self.ask_time_for(Timed::Typed(typed));
        }
        match typed.request(self.context.now) {
            Ok(request) => self.ask_aloud(request, RequestContext::Typed(typed)),
            Err(unfit) => self.never(&unfit.into()),
        }
    }

    /// Asks for the server's time first: an end is a moment of its clock.
    pub(super) fn ask_time_for(&mut self, timed: Timed) {
        if self.login.is_wanted() {
            self.ask_aloud(Request::QueryServerTime {}, RequestContext::Clock(timed));
        } else {
            self.refuse(Code::NotLoggedIn);
        }
    }

    /// Asks for what has an end, `now` being the server's time.
    pub(super) fn ask_timed(&mut self, timed: Timed, now: u64) {
        match timed {
            Timed::Typed(typed) => match typed.request(now) {
                Ok(request) => self.ask_aloud(request, RequestContext::Typed(typed)),
                Err(unfit) => self.never(&unfit.into()),
            },
            Timed::Invitation { uses, lasts } => {
                let expires = Some(now.saturating_add(lasts));
                let request = Request::CreateInvitation { uses, expires };
                let asked = RequestContext::of(&request);
                self.ask_aloud(request, asked);
            }
        }
    }

    /// Sends the next line, if it may go.
    pub(super) fn send_next(&mut self) {
        if !self.connection.is_online() || !self.sending.is_open(self.context.now) {
            return;
        }
        let Some(me) = self.context.session.me() else {
            return;
        };
        let (now, slow) = (self.context.now, &mut self.sending.slow);
        slow.retain(|_, end| *end > now);
        let takes = |target: &Target| !slow.contains_key(target);
        if let Some(entry) = self.context.outgoing.next_to(me, takes) {
            let request = entry.request();
            self.sending.sent_at = self.at;
            self.write_unsaved();
            self.send(&request, RequestContext::Send);
        }
    }

    /// The server has answered the line under way.
    pub(super) fn sent(&mut self, outcome: Result<(), &Fail>) {
        match outcome {
            Err(fail) if is_passing(fail) => self.send_later(fail),
            Err(fail) => {
                self.verdict.note(WorstOutcome::Refused);
                let fail = with_local_times(fail, &self.context);
                let reason = self.context.language.refusal(&fail);
                if let Some(entry) = self.context.outgoing.done() {
                    let target = entry.target.name();
                    self.fail(Text::MessageRefused {
                        target,
                        reason: &reason,
                    });
                    let content = entry.content.as_str();
                    let lines = self.context.refused_line(content);
                    self.print(lines);
                    self.save(entry.user);
                }
            }
            Ok(()) => {
                self.sending.got_through(self.context.pending() <= 1);
                if let Some(entry) = self.context.outgoing.done() {
                    let (user, target) = (&entry.user, &entry.target);
                    if self
                        .context
                        .outgoing
                        .waiting_for(user, target)
                        .next()
                        .is_none()
                    {
                        self.sending.slow_said.remove(target);
                    }
                    self.save(entry.user);
                }
            }
        }
        self.send_next();
    }

    fn send_later(&mut self, fail: &Fail) {
        let seconds = retry_after(fail).unwrap_or(STORAGE_WAIT).max(1);
        let end = self.context.now.saturating_add(seconds);
        // Slow mode is that of one room: lines to others go on.
        let is_slow = fail.code == Code::SlowMode.as_str();
        if !is_slow {
            self.sending.hold_until(end);
        }
        // How long it waits is said once.
        let reason = self.context.language.refusal(&Fail {
            detail: Vec::new(),
            ..fail.clone()
        });
        let target = self
            .context
            .outgoing
            .again()
            .map(|entry| entry.target.clone());
        let Some(target) = target else {
            return;
        };
        let is_news = if is_slow {
            self.sending.slow_down(&target, end)
        } else {
            self.sending.must_say_hold()
        };
        if is_news {
            let (target, reason) = (target.name(), reason.as_str());
            self.say(Text::MessageWaits {
                target,
                reason,
                seconds,
            });
        }
    }

    /// The file of unsent lines of an earlier run.
    pub(super) fn take_outgoing(&mut self, user: &str, lines: Option<&[u8]>) {
        self.sending.end_loading();
        match lines {
            None => self.say(Text::OutgoingLocked),
            Some(lines) => {
                let limits = self.context.session.limits();
                let possible = |target: &Target, text: &str| limits.text(target, text).ok();
                let loaded = self.context.outgoing.load(user, lines, possible);
                if loaded.found > 0 {
                    self.say(Text::OutgoingFound {
                        count: loaded.found as u64,
                    });
                }
                self.set_aside(user, loaded.aside);
                self.save(user.to_owned());
            }
        }
        self.send_next();
    }

    /// The connection is lost. Whether a line was in flight: it is sent again with the next
    /// connection, or set aside if it may be why three in a row were lost.
    pub(super) fn cut_line(&mut self, loss: Loss) -> bool {
        let was_sending = self.context.outgoing.is_sending();
        let since_sent = self.at.saturating_sub(self.sending.sent_at);
        let may_be_why = loss.can_be_by_a_line(since_sent);
        if let Some(entry) = self.context.outgoing.cut(may_be_why) {
            self.verdict.note(WorstOutcome::Refused);
            self.fail(Text::LineCutsOff {
                target: entry.target.name(),
            });
            let user = entry.user.clone();
            self.set_aside(&user, vec![entry.into()]);
            self.save(user);
        }
        was_sending
    }

    /// The limits may be lower than when these lines were typed.
    pub(super) fn heed_limits(&mut self) {
        let Some(me) = self.context.session.me().map(str::to_owned) else {
            return;
        };
        let limits = self.context.session.limits();
        let passes = |entry: &Entry| limits.text(&entry.target, entry.content.as_str()).is_ok();
        let failed = self.context.outgoing.sift(&me, passes);
        if failed.is_empty() {
            return;
        }
        let failed = failed.into_iter().map(Aside::from).collect();
        self.set_aside(&me, failed);
        self.save(me);
    }

    /// Shows lines that are never sent, and where they are kept. Those that cannot be read are counted,
    /// and the first ones shown.
    fn set_aside(&mut self, user: &str, asides: Vec<Aside>) {
        if asides.is_empty() {
            return;
        }
        let (readable, unreadable): (Vec<&Aside>, Vec<&Aside>) =
            asides.iter().partition(|aside| aside.text.is_some());
        for aside in readable {
            self.say_aside(aside);
        }
        if !unreadable.is_empty() {
            let count = unreadable.len() as u64;
            self.fail(Text::OutgoingUnreadable { count });
        }
        for aside in unreadable.into_iter().take(UNREADABLE_SHOWN) {
            let lines = self.context.aside_line(aside);
            self.print(lines);
        }
        let count = asides.len() as u64;
        let kept = self
            .sending
            .files
            .as_ref()
            .filter(|_| self.context.settings.config.keep_unsent);
        match kept.map(|files| files.aside.clone()) {
            Some(file) => self.fail(Text::SetAside { count, file: &file }),
            None => self.fail(Text::NotSentAgain { count }),
        }
        for aside in asides {
            self.output.push(Effect::SetAside {
                user: user.to_owned(),
                line: aside.line,
            });
        }
    }

    /// Shows a line that is set aside and why, if that is known.
    fn say_aside(&mut self, aside: &Aside) {
        if let Some((target, text)) = &aside.text
            && let Err(excess) = self.context.session.limits().text(target, text)
        {
            let reason = self.context.reason(&excess);
            let (target, reason) = (target.name(), reason.as_str());
            self.fail(if aside.was_sent {
                Text::NotResent { target, reason }
            } else {
                Text::MessageRefused { target, reason }
            });
        }
        let lines = self.context.aside_line(aside);
        self.print(lines);
    }

    /// The rows above the prompt: a notice for each conversation with new messages, then the unsent
    /// lines, in a chat its own, elsewhere all. At most so many rows, the newest last; one row says how
    /// many more there are.
    pub fn footer(&self, rows: usize) -> Vec<Line> {
        let rows = rows.min(FOOTER_ROWS);
        if rows == 0 || !self.context.has_footer() || self.mode.scope().is_none() {
            return Vec::new();
        }
        let is_pending = self.context.pending() > 0;
        let notices = (rows - usize::from(is_pending)).min(NOTICE_ROWS);
        let mut lines = self.context.notice_rows(notices);
        if is_pending {
            let rows = rows - lines.len();
            lines.extend(self.context.waiting_rows(self.mode.target(), rows));
        }
        lines
    }

    /// Takes lines back before they are sent.
    pub(super) fn withdraw(&mut self, which: Which) {
        let Some(me) = self.context.session.me().map(str::to_owned) else {
            return self.fail(Text::NothingWaits);
        };
        let number = match which {
            Which::All => None,
            Which::Number(number) => Some(number),
        };
        match self.context.outgoing.withdraw(&me, number) {
            Ok(entries) => {
                for entry in &entries {
                    let (target, text) = (entry.target.name(), entry.content.as_str());
                    let lines = if entry.was_sent {
                        self.say(Text::WithdrawnLate { target });
                        self.context.unanswered_line(text)
                    } else {
                        self.say(Text::Withdrawn { target });
                        self.context.refused_line(text)
                    };
                    self.print(lines);
                }
                self.save(me);
            }
            Err(NotWithdrawn::InFlight) => self.fail(Text::IsInFlight),
            Err(NotWithdrawn::Unknown) => match number {
                None => self.fail(Text::NothingToWithdraw),
                Some(number) => self.fail(Text::NoSuchLine { number }),
            },
        }
    }

    /// Says how many lines of the user are left, and what becomes of them.
    pub(super) fn say_unsent(&mut self) {
        let count = self.context.pending() as u64;
        let Some(user) = self.context.session.me().map(str::to_owned) else {
            return;
        };
        if count == 0 || !self.sending.must_say_unsent() {
            return;
        }
        self.fail(Text::UnsentAtExit { count });
        let files = self
            .sending
            .files
            .clone()
            .filter(|_| self.context.settings.config.keep_unsent);
        match files {
            Some(files) => self.fail(Text::UnsentKept {
                user: &user,
                file: &files.waiting,
            }),
            None => self.fail(Text::UnsentLost),
        }
    }

    /// That file cannot be had: lines go on without being kept.
    pub(super) fn lack_outgoing(&mut self, why: &str) {
        self.sending.end_loading();
        self.fail(Text::OutgoingFault { why });
        self.fail(Text::OutgoingNotKept);
        self.send_next();
    }

    /// The lines of this user have changed: their file is to be written.
    pub(super) fn save(&mut self, user: String) {
        if self.sending.unsaved.as_ref() != Some(&user) {
            self.write_unsaved();
            self.sending.unsaved = Some(user);
        }
    }

    /// Writes the file of unsent lines, if it does not hold what it should.
    pub(super) fn write_unsaved(&mut self) {
        let user = self.sending.unsaved.take();
        // Before the file was read, writing it would lose what it holds.
        if let Some(user) = user
            && self.context.settings.config.keep_unsent
            && !self.sending.is_loading()
        {
            let lines = self.context.outgoing.to_lines(&user);
            self.output.push(Effect::SaveOutgoing { user, lines });
        }
    }

    /// The end of a step.
    pub(super) fn end_saving(&mut self) {
        if !self.sending.is_batch {
            self.write_unsaved();
        }
    }

    /// Begins several steps that write the file of unsent lines once.
    pub(super) fn begin_batch(&mut self) {
        self.sending.is_batch = true;
    }

    /// Ends them. What is still to be done.
    pub(super) fn end_batch(&mut self) -> Vec<Effect> {
        self.sending.is_batch = false;
        self.write_unsaved();
        self.output.take()
    }
}

/// Whether the same line may be taken a little later. The limit of a day is not passing: a line that waited
/// for hours would hold up all others, and a script for ever.
fn is_passing(fail: &Fail) -> bool {
    let passes = [
        Code::RateLimited,
        Code::SlowMode,
        Code::StorageBusy,
        Code::StorageFull,
    ]
    .iter()
    .any(|code| code.as_str() == fail.code);
    passes && retry_after(fail).is_none_or(|seconds| seconds <= HOUR)
}
