//! Unsent lines: kept before they are sent, sent in order, gone when the server has them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use echat_proto::names::TxnId;
use echat_proto::records::{Code, Fail};

use super::common::Common;
use super::input::WorstOutcome;
use super::upstream::{Loss, Upstream};
use super::{Effect, Files};
use crate::modes::with_local_times;
use crate::session::outgoing::{AsideLine, UnsentLine, WithdrawError};
use crate::session::{LimitError, NamedRoom, RequestContext, SendDecision, Session};
use crate::statement::UnsentSelection;
use crate::target::Target;
use crate::text::Text;

/// Users whose files of unsent lines are read in one run. Each has a lock, and a server could give the user new names
/// without end. Lines of further users are kept in memory alone, and echat says so.
const USERS: usize = 100;
/// Unsent lines of a user that are kept: five pastes of the largest size. Their file is written with each of them.
const LINES_MAX: usize = 5_000;
/// Bytes of their texts; the last one may exceed it.
const BYTES_MAX: usize = 4 << 20;
/// So many of the kept lines that cannot be read are shown.
const UNREADABLE_SHOWN: usize = 5;

/// Whether the unsent lines may go, where they are kept, and what the user was told of them. The lines are in
/// [`Outgoing`](crate::session::outgoing::Outgoing).
#[derive(Debug, Default)]
pub(super) struct Outbox {
    hold: Hold,
    /// Whether the user was told of the hold. A line that gets through ends that, if it is the last.
    hold_told: bool,
    /// Rooms with slow mode that take no line of the user before a unix second.
    slow: BTreeMap<Target, u64>,
    /// Rooms of which the user was told that, until the last line for them got through.
    slow_told: BTreeSet<Target>,
    /// How many lines were typed in this run.
    typed: u64,
    /// When the line in flight was sent, as [`Input::Elapsed`](super::Input::Elapsed) counts.
    sent_at: Duration,
    /// Users whose files of unsent lines have been asked for.
    loaded: BTreeSet<String>,
    /// Where the unsent lines of each user are kept.
    files: BTreeMap<String, Files>,
    /// Names that the user had. Their files are emptied when the file of the present name is written.
    former: BTreeSet<String>,
    /// Whether the user was told what becomes of unsent lines, since the newest was typed.
    unsent_told: bool,
    /// The user whose file does not hold the lines of now. It is written before a line is sent, and
    /// at the end of a step: once for all lines of a paste.
    unsaved: Option<String>,
    /// Whether several steps are one write.
    is_batch: bool,
    /// Rooms whose held lines the user was told of since the login.
    held_told: BTreeSet<String>,
}

/// Decides whether a line may be sent. One for a room that was typed before this connection is sent only to the room
/// that it was typed for.
fn send_decision(line: &UnsentLine, session: &Session) -> SendDecision {
    if line.is_current || !line.target.is_room() {
        return SendDecision::Send;
    }
    session.send_decision(&NamedRoom {
        name: line.target.name().to_owned(),
        created: line.room_created,
        named_at: line.typed_at,
    })
}

/// Whether the user is a member of a room of this name.
fn session_has_room(common: &Common, room: &str) -> bool {
    common.context.session.rooms().contains(room)
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

impl Outbox {
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
        self.slow_told.insert(room.clone())
    }

    /// A target has another name.
    pub(super) fn rename(&mut self, common: &mut Common, was: &Target, now: &Target) {
        if let Some(me) = common.me()
            && common.context.outgoing.rename(&me, was, now)
        {
            self.save(common, me);
        }
        if let Some(end) = self.slow.remove(was) {
            self.slow.insert(now.clone(), end);
        }
        if self.slow_told.remove(was) {
            self.slow_told.insert(now.clone());
        }
    }

    /// The user has another name: unsent lines are kept under it, beside those that its file has.
    pub(super) fn rename_user(&mut self, common: &mut Common, was: &str, name: &str) {
        common.context.outgoing.rename_user(was, name);
        self.former.insert(was.to_owned());
        self.load(common, name);
        if !self.is_loading() {
            self.save(common, name.to_owned());
            self.empty_former(common, name);
        }
    }

    /// Empties the files of the names that this user had: another user may have one of them later. The file of the
    /// present name is written before.
    fn empty_former(&mut self, common: &mut Common, user: &str) {
        for name in std::mem::take(&mut self.former) {
            if name != user {
                self.save(common, name);
            }
        }
    }

    /// The history is another one: unsent lines answer no messages of the old one.
    pub(super) fn forget_replies(&mut self, common: &mut Common) {
        if let Some(me) = common.me()
            && common.context.outgoing.forget_replies(&me)
        {
            self.save(common, me);
        }
    }

    /// Whether the file of unsent lines was asked for and is not here yet.
    pub(super) fn is_loading(&self) -> bool {
        self.hold == Hold::Loading
    }

    /// Asks for the file of a user's unsent lines the first time in a run. Nothing is sent before it is here.
    pub(super) fn load(&mut self, common: &mut Common, user: &str) {
        let may_load = self.loaded.len() < USERS && common.context.settings.config.keep_unsent;
        if may_load && self.loaded.insert(user.to_owned()) {
            self.hold = Hold::Loading;
            let user = user.to_owned();
            common.output.push(Effect::LoadOutgoing { user });
        }
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
        !std::mem::replace(&mut self.hold_told, true)
    }

    /// A line got through.
    fn got_through(&mut self, is_last: bool) {
        self.hold_told &= !is_last;
    }

    /// Numbers a line that was typed.
    fn next_txn_id(&mut self, prefix: &str) -> TxnId {
        self.typed += 1;
        self.unsent_told = false;
        TxnId::new(format!("{prefix}-{}", self.typed)).expect("a short prefix and a number")
    }

    /// Whether the user is to be told what becomes of unsent lines: once for all that were typed.
    fn must_say_unsent(&mut self) -> bool {
        !std::mem::replace(&mut self.unsent_told, true)
    }

    /// Sets where a user's unsent lines are kept, if they are.
    pub(super) fn keep_in(&mut self, user: String, files: Option<Files>) {
        match files {
            Some(files) => self.files.insert(user, files),
            None => self.files.remove(&user),
        };
    }

    /// The server has another key, and so other files. The next login reads them.
    pub(super) fn forget_files(&mut self) {
        self.loaded.clear();
        self.files.clear();
    }

    /// Where a user's unsent lines are kept, if they are.
    fn files_of(&self, common: &Common, user: &str) -> Option<Files> {
        let keeps = common.context.settings.config.keep_unsent;
        self.files.get(user).filter(|_| keeps).cloned()
    }

    /// Refuses so many more lines, and says so, if too many are unsent.
    pub(super) fn refuses(common: &mut Common, more: usize) -> bool {
        let Some(me) = common.me() else {
            return false;
        };
        let lines = common.context.outgoing.listed(&me);
        let sizes: Vec<usize> = lines
            .map(|(_, line, _)| line.content.as_str().len())
            .collect();
        let count = sizes.len();
        let is_full = count + more > LINES_MAX || sizes.iter().sum::<usize>() >= BYTES_MAX;
        if is_full {
            common.fail(Text::TooManyUnsent {
                count: count as u64,
            });
        }
        is_full
    }

    /// Adds a line, which may answer a message, and sends it if it may go now. The user must be logged in once.
    ///
    /// # Errors
    /// The server can never accept the text.
    pub(super) fn add(
        &mut self,
        common: &mut Common,
        upstream: &mut Upstream,
        target: Target,
        text: &str,
        reply_to: Option<u64>,
    ) -> Result<(), LimitError> {
        let Some(user) = common.me() else {
            common.refuse(Code::NotLoggedIn);
            return Ok(());
        };
        // A script is told by the server's refusal.
        let is_blocked = common.context.session.is_blocked(&target);
        if common.is_interactive() && is_blocked {
            let name = target.name();
            common.fail(Text::BlockedByYou { name });
            let lines = common.context.refused_line(text);
            common.print(lines);
            return Ok(());
        }
        if common.is_interactive() && common.context.session.is_former_friend(&target) {
            let name = &common.context.language.user_name(target.name());
            common.fail(
                if common.context.session.is_deleted_account(target.name()) {
                    Text::AccountOfDeleted { name }
                } else {
                    Text::FormerFriend { name }
                },
            );
            let lines = common.context.refused_line(text);
            common.print(lines);
            return Ok(());
        }
        let content = common.context.session.limits().text(&target, text)?;
        let txn_id = self.next_txn_id(&common.context.settings.txn_prefix);
        let is_current = upstream.is_online() && !common.context.session.is_unsettled(&target);
        let room_created = common.context.session.created(&target);
        let waits = !upstream.is_online() || !self.is_open(common.context.now);
        if waits && common.is_interactive() && !common.context.has_footer() {
            let lines = common.context.pending_line(content.as_str());
            common.print(lines);
        }
        if upstream.login.is_locked() && common.is_interactive() {
            common.fail(Text::TemporaryPassword);
        }
        common.context.outgoing.push(UnsentLine {
            user: user.clone(),
            txn_id,
            target,
            room_created,
            content,
            reply_to,
            typed_at: common.context.now,
            is_current,
            was_sent: false,
        });
        self.save(common, user);
        self.send_next(common, upstream);
        if upstream.login.is_wanted() {
            upstream.connect(common);
        }
        Ok(())
    }

    /// Sends the next line, if it may go.
    pub(super) fn send_next(&mut self, common: &mut Common, upstream: &mut Upstream) {
        if !upstream.may_ask() || !self.is_open(common.context.now) {
            return;
        }
        let Some(me) = common.context.session.me() else {
            return;
        };
        let (now, slow) = (common.context.now, &mut self.slow);
        slow.retain(|_, end| *end > now);
        let session = &common.context.session;
        let may_go = |line: &UnsentLine| {
            !slow.contains_key(&line.target) && send_decision(line, session) == SendDecision::Send
        };
        if let Some(entry) = common.context.outgoing.next_of(me, may_go) {
            let request = entry.request();
            self.sent_at = common.at;
            self.write_unsaved(common);
            upstream.send(common, request, RequestContext::Send);
        }
    }

    /// The room for which the server is to be asked when it was created, before a line for it may go.
    pub(super) fn next_to_identify(common: &Common) -> Option<String> {
        let session = &common.context.session;
        let mut lines = common.context.outgoing.listed(session.me()?);
        let line = lines
            .find(|(_, line, _)| send_decision(line, session) == SendDecision::IdentifyRoom)?;
        Some(line.1.target.name().to_owned())
    }

    /// The rooms for which lines are held, with the time at which each was created.
    pub(super) fn sought(common: &Common) -> BTreeSet<(String, u64)> {
        let session = &common.context.session;
        let Some(me) = session.me() else {
            return BTreeSet::new();
        };
        let lines = common.context.outgoing.listed(me).map(|(_, line, _)| line);
        let held = lines.filter(|line| send_decision(line, session) == SendDecision::Hold);
        let named = |line: &UnsentLine| Some((line.target.name().to_owned(), line.room_created?));
        held.filter_map(named).collect()
    }

    /// The room that was created then has this name now: its lines go there.
    pub(super) fn rename_room(common: &mut Common, was: &str, created: u64, now: &str) -> bool {
        common.me().is_some_and(|me| {
            let outgoing = &mut common.context.outgoing;
            outgoing.rename_room(&me, was, created, now)
        })
    }

    /// The server has told when a room was created: lines of this connection are for that room.
    pub(super) fn bind(&mut self, common: &mut Common, room: &str, created: u64) {
        if let Some(me) = common.me()
            && common.context.outgoing.bind(&me, room, created)
        {
            self.save(common, me);
        }
    }

    /// Says which lines are held, once a login. A script does not wait for them: they count as refused.
    pub(super) fn say_held(&mut self, common: &mut Common) {
        let Some(me) = common.me() else {
            return;
        };
        if !common.is_interactive() {
            return self.refuse_held(common, &me);
        }
        let session = &common.context.session;
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (_, line, _) in common.context.outgoing.listed(&me) {
            if send_decision(line, session) == SendDecision::Hold {
                *counts.entry(line.target.name().to_owned()).or_default() += 1;
            }
        }
        for (room, count) in counts {
            if self.held_told.insert(room.clone()) {
                let room = room.as_str();
                let is_other = session_has_room(common, room);
                common.fail(if is_other {
                    Text::HeldForAnotherRoom { count, room }
                } else {
                    Text::HeldWithoutRoom { count, room }
                });
            }
        }
    }

    /// Gives up the held lines of a script.
    fn refuse_held(&mut self, common: &mut Common, me: &str) {
        let session = &common.context.session;
        let may_stay = |line: &UnsentLine| send_decision(line, session) != SendDecision::Hold;
        let held = common.context.outgoing.sift(me, may_stay);
        if held.is_empty() {
            return;
        }
        common.verdict.record(WorstOutcome::Refused);
        for line in held {
            let room = line.target.name();
            common.fail(if session_has_room(common, room) {
                Text::HeldForAnotherRoom { count: 1, room }
            } else {
                Text::HeldWithoutRoom { count: 1, room }
            });
            let lines = common.context.refused_line(line.content.as_str());
            common.print(lines);
        }
        self.save(common, me.to_owned());
    }

    /// A login: what is held is said again.
    pub(super) fn at_login(&mut self) {
        self.held_told.clear();
    }

    /// The server has answered the line under way.
    pub(super) fn sent(
        &mut self,
        common: &mut Common,
        upstream: &mut Upstream,
        outcome: Result<(), &Fail>,
    ) {
        match outcome {
            // It goes as soon as the password is changed. A script does not change it.
            Err(fail) if fail.wants_new_password() && common.is_interactive() => {
                common.context.outgoing.again();
            }
            Err(fail) if let Some(seconds) = fail.passes_in() => {
                self.send_later(common, fail, seconds);
            }
            // It goes to the name of now.
            Err(fail) if lacks_target(fail) && common.context.outgoing.again_if_renamed() => {}
            Err(fail) => {
                common.verdict.record(WorstOutcome::Refused);
                let fail = with_local_times(fail, &common.context);
                let reason = common.context.language.refusal(&fail);
                if let Some(entry) = common.context.outgoing.done() {
                    let target = &common.context.target_name(&entry.target);
                    common.fail(Text::MessageRefused {
                        target,
                        reason: &reason,
                    });
                    let content = entry.content.as_str();
                    let lines = common.context.refused_line(content);
                    common.print(lines);
                    self.save(common, entry.user);
                }
            }
            Ok(()) => {
                self.got_through(common.context.pending() <= 1);
                if let Some(entry) = common.context.outgoing.done() {
                    let (user, target) = (&entry.user, &entry.target);
                    if common
                        .context
                        .outgoing
                        .waiting_for(user, target)
                        .next()
                        .is_none()
                    {
                        self.slow_told.remove(target);
                    }
                    self.save(common, entry.user);
                }
            }
        }
        self.send_next(common, upstream);
    }

    fn send_later(&mut self, common: &mut Common, fail: &Fail, seconds: u64) {
        let end = common.context.now.saturating_add(seconds);
        // Slow mode is that of one room: lines to others go on.
        let is_slow = fail.code == Code::SlowMode.as_str();
        if !is_slow {
            self.hold_until(end);
        }
        // How long it waits is said once.
        let reason = common.context.language.refusal(&Fail {
            detail: Vec::new(),
            ..fail.clone()
        });
        let target = common
            .context
            .outgoing
            .again()
            .map(|entry| entry.target.clone());
        let Some(target) = target else {
            return;
        };
        let is_news = if is_slow {
            self.slow_down(&target, end)
        } else {
            self.must_say_hold()
        };
        if is_news {
            let target = &common.context.target_name(&target);
            common.say(Text::MessageWaits {
                target,
                reason: &reason,
                seconds,
            });
        }
    }

    /// The file of unsent lines of an earlier run.
    pub(super) fn take_file(&mut self, common: &mut Common, user: &str, lines: Option<&[u8]>) {
        self.end_loading();
        match lines {
            None => common.say(Text::OutgoingLocked),
            Some(lines) => {
                let limits = common.context.session.limits();
                let possible = |target: &Target, text: &str| limits.text(target, text).ok();
                let loaded = common.context.outgoing.load(user, lines, possible);
                if loaded.found > 0 {
                    common.say(Text::OutgoingFound {
                        count: loaded.found as u64,
                    });
                }
                self.set_aside(common, user, loaded.aside);
                self.save(common, user.to_owned());
            }
        }
        self.empty_former(common, user);
    }

    /// The connection is lost. Whether a line was in flight: it is sent again with the next
    /// connection, or set aside if it may be why three in a row were lost.
    pub(super) fn cut(&mut self, common: &mut Common, loss: Loss) -> bool {
        let was_sending = common.context.outgoing.is_sending();
        let since_sent = common.at.saturating_sub(self.sent_at);
        let may_be_why = loss.can_be_by_a_line(since_sent);
        if let Some(entry) = common.context.outgoing.cut(may_be_why) {
            common.verdict.record(WorstOutcome::Refused);
            let target = &common.context.target_name(&entry.target);
            common.fail(Text::LineCutsOff { target });
            let user = entry.user.clone();
            self.set_aside(common, &user, vec![entry.into()]);
            self.save(common, user);
        }
        was_sending
    }

    /// The limits may be lower than when these lines were typed.
    pub(super) fn apply_limits(&mut self, common: &mut Common) {
        let Some(me) = common.me() else {
            return;
        };
        let limits = common.context.session.limits();
        let passes =
            |entry: &UnsentLine| limits.text(&entry.target, entry.content.as_str()).is_ok();
        let failed = common.context.outgoing.sift(&me, passes);
        if failed.is_empty() {
            return;
        }
        let failed = failed.into_iter().map(AsideLine::from).collect();
        self.set_aside(common, &me, failed);
        self.save(common, me);
    }

    /// Shows lines that are never sent, and where they are kept. Those that cannot be read are counted,
    /// and the first ones shown.
    fn set_aside(&mut self, common: &mut Common, user: &str, asides: Vec<AsideLine>) {
        if asides.is_empty() {
            return;
        }
        let (readable, unreadable): (Vec<&AsideLine>, Vec<&AsideLine>) =
            asides.iter().partition(|aside| aside.text.is_some());
        for aside in readable {
            Self::say_aside(common, aside);
        }
        if !unreadable.is_empty() {
            let count = unreadable.len() as u64;
            common.fail(Text::OutgoingUnreadable { count });
        }
        for aside in unreadable.into_iter().take(UNREADABLE_SHOWN) {
            let lines = common.context.aside_line(aside);
            common.print(lines);
        }
        let count = asides.len() as u64;
        match self.files_of(common, user) {
            Some(files) => common.fail(Text::SetAside {
                count,
                file: &files.aside,
            }),
            None => common.fail(Text::NotSentAgain { count }),
        }
        for aside in asides {
            common.output.push(Effect::SetAside {
                user: user.to_owned(),
                line: aside.line,
            });
        }
    }

    /// Shows a line that is set aside and why, if that is known.
    fn say_aside(common: &mut Common, aside: &AsideLine) {
        if let Some((target, text)) = &aside.text
            && let Err(error) = common.context.session.limits().text(target, text)
        {
            let reason = common.context.limit_reason(&error);
            let (target, reason) = (&common.context.target_name(target), reason.as_str());
            common.fail(if aside.was_sent {
                Text::NotResent { target, reason }
            } else {
                Text::MessageRefused { target, reason }
            });
        }
        let lines = common.context.aside_line(aside);
        common.print(lines);
    }

    /// `/pending`: numbers the lines from 1, and shows them.
    pub(super) fn list(common: &mut Common) {
        if let Some(me) = common.me() {
            common.context.outgoing.renumber(&me);
        }
        common.print(common.context.waiting_list());
    }

    /// Takes lines back before they are sent.
    pub(super) fn withdraw(&mut self, common: &mut Common, which: UnsentSelection) {
        let Some(me) = common.me() else {
            return common.fail(Text::NothingWaits);
        };
        let number = match which {
            UnsentSelection::All => None,
            UnsentSelection::Number(number) => Some(number),
        };
        match common.context.outgoing.withdraw(&me, number) {
            Ok(entries) => {
                for entry in &entries {
                    let target = &common.context.target_name(&entry.target);
                    let text = entry.content.as_str();
                    let lines = if entry.was_sent {
                        common.say(Text::WithdrawnLate { target });
                        common.context.unanswered_line(text)
                    } else {
                        common.say(Text::Withdrawn { target });
                        common.context.refused_line(text)
                    };
                    common.print(lines);
                }
                self.save(common, me);
            }
            Err(WithdrawError::InFlight) => common.fail(Text::IsInFlight),
            Err(WithdrawError::Unknown) => match number {
                None => common.fail(Text::NothingToWithdraw),
                Some(number) => common.fail(Text::NoSuchLine { number }),
            },
        }
    }

    /// Says how many lines of the user are left, and what becomes of them.
    pub(super) fn say_unsent(&mut self, common: &mut Common) {
        let count = common.context.pending() as u64;
        let Some(user) = common.me() else {
            return;
        };
        if count == 0 || !self.must_say_unsent() {
            return;
        }
        common.fail(Text::UnsentAtExit { count });
        let files = self.files_of(common, &user);
        let session = &common.context.session;
        let is_held = |line: &UnsentLine| send_decision(line, session) == SendDecision::Hold;
        let is_any_held = common
            .context
            .outgoing
            .listed(&user)
            .any(|(_, line, _)| is_held(line));
        match files {
            // Not all are sent at the next login.
            Some(files) if is_any_held => common.fail(Text::LinesKept {
                file: &files.waiting,
            }),
            Some(files) => common.fail(Text::UnsentKept {
                user: &user,
                file: &files.waiting,
            }),
            None => common.fail(Text::UnsentLost),
        }
    }

    /// Another user logs in: says that the lines of the one before stay where they are. The account may be the same,
    /// under another name that an administrator gave it; the client cannot know.
    pub(super) fn say_left_behind(&mut self, common: &mut Common, name: &str) {
        let count = common.context.pending() as u64;
        let Some(user) = common.me().filter(|user| user != name && count > 0) else {
            return;
        };
        common.fail(Text::LinesOfAnother { count, user: &user });
        if let Some(files) = self.files_of(common, &user) {
            let file = &files.waiting;
            common.fail(Text::LinesKept { file });
        }
    }

    /// That file cannot be had: lines go on without being kept.
    pub(super) fn lack_file(&mut self, common: &mut Common, user: &str, why: &str) {
        self.end_loading();
        common.fail(Text::OutgoingFault { why });
        common.fail(Text::OutgoingNotKept);
        self.empty_former(common, user);
    }

    /// The lines of this user have changed: their file is to be written.
    pub(super) fn save(&mut self, common: &mut Common, user: String) {
        if self.unsaved.as_ref() != Some(&user) {
            self.write_unsaved(common);
            self.unsaved = Some(user);
        }
    }

    /// Writes the file of unsent lines, if it does not hold what it should.
    pub(super) fn write_unsaved(&mut self, common: &mut Common) {
        let user = self.unsaved.take();
        // Before the file was read, writing it would lose what it holds.
        if let Some(user) = user
            && common.context.settings.config.keep_unsent
            && !self.is_loading()
        {
            let lines = common.context.outgoing.to_lines(&user);
            common.output.push(Effect::SaveOutgoing { user, lines });
        }
    }

    /// The end of a step.
    pub(super) fn end_saving(&mut self, common: &mut Common) {
        if !self.is_batch {
            self.write_unsaved(common);
        }
    }

    /// Begins several steps that write the file of unsent lines once.
    pub(super) fn begin_batch(&mut self) {
        self.is_batch = true;
    }

    /// Ends them. What is still to be done.
    pub(super) fn end_batch(&mut self, common: &mut Common) -> Vec<Effect> {
        self.is_batch = false;
        self.write_unsaved(common);
        common.output.take()
    }
}

/// Whether the server knows no conversation of the user's under the name of the target.
fn lacks_target(fail: &Fail) -> bool {
    let codes = [
        Code::UnknownRoom,
        Code::NotAMember,
        Code::UnknownUser,
        Code::NotAFriend,
    ];
    codes.iter().any(|code| code.as_str() == fail.code)
}
