//! The application: inputs become effects. It has no file, no clock and no terminal.
//!
//! Each part of its state is a type of its own that keeps its own rules. A part knows those before it in this list, and
//! returns what only those after it can do:
//!
//! - `common`: what every part knows and adds to, such as the session and the effects of the step,
//! - `upstream`: the server as the client sees it, with `login`, `outage` and `requests`,
//! - `outbox`: the unsent lines,
//! - `export`: the export of the user's own data,
//! - `composer`: the edited line (`draft`) and the open questions (`question`),
//! - the current mode, and [`App`], which carries an input from one part to the next.
//!
//! `input` keeps lines that are not taken yet, and `prompt` draws the bottom of the terminal.

mod common;
mod composer;
mod draft;
mod effect;
mod export;
mod input;
mod login;
mod outage;
mod outbox;
mod output;
mod prompt;
mod question;
mod requests;
mod upstream;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use echat_proto::commands::{Event, Request, RequestKind};
use echat_proto::names::{DeviceSecret, NameQuery, Password};
use echat_proto::param::{KeepDays, NewPassword, RoomRole};
use echat_proto::records::{Code, Fail};

use crate::exit::Exit;
use crate::line_editor::{Key, LineEditor, PASTE_MAX};
use crate::modes::{Act, Goto, Mode, error_line, recall_own, recalled, refusal};
use crate::net::address::LinkTarget;
use crate::render::safe::Safe;
use crate::render::styled::{Line, Span, Style};
use crate::secret::Secret;
use crate::session::{
    LimitError, MembershipChange, Recall, RequestContext, RoomIdentity, RoomUpdate, TimedRequest,
    Update, possible,
};
use crate::settings::{Presence, Settings};
use crate::statement::{self, Scope, Statement, TypedRequest};
use crate::target::Target;
use crate::text::{Language, Text, code_of, fail_of};

pub use crate::session::has_long_name;
pub use effect::{Alert, Effect, ExportReport, Files, Input};

use common::Common;
use composer::{Composer, QuestionOutcome, Submitted};
use export::Exporter;
use input::{InputEnd, InputQueue, WorstOutcome};
use login::{LoginSecret, SecretError};
use outbox::Outbox;
use question::{Pasted, Question, QuestionAnswer};
use upstream::{Loss, SendError, Upstream};

/// The application.
#[derive(Debug)]
pub struct App {
    common: Common,
    upstream: Upstream,
    outbox: Outbox,
    exporter: Exporter,
    composer: Composer,
    mode: Box<dyn Mode>,
    /// Lines of input that are not taken yet.
    input: InputQueue,
    /// The room of the address, while it is being joined.
    joining: Option<Target>,
    /// The chat that was open when the session ended, and its user: a login opens it again.
    left_chat: Option<(String, Target)>,
    /// The room that the user joins or creates. Its chat opens when the server says yes, unless the user went
    /// elsewhere.
    opening: Option<Target>,
    /// The user that was registered last, until the first login.
    newcomer: Option<Newcomer>,
    is_over: bool,
}

/// A user that was just registered.
#[derive(Debug)]
struct Newcomer {
    name: String,
    /// Whether it was with an invitation code, as the first administrator is.
    with_code: bool,
}

impl App {
    /// An application that has not started; [`Input::Start`] starts it.
    pub fn new(settings: Settings, language: Language) -> Self {
        Self {
            upstream: Upstream::new(settings.jitter_seed),
            common: Common::new(settings, language),
            mode: Goto::Command.mode(),
            composer: Composer::new(),
            input: InputQueue::default(),
            outbox: Outbox::default(),
            exporter: Exporter::default(),
            joining: None,
            left_chat: None,
            opening: None,
            newcomer: None,
            is_over: false,
        }
    }

    /// Takes an input and says what to do, in order.
    pub fn step(&mut self, input: Input) -> Vec<Effect> {
        if self.is_over {
            return Vec::new();
        }
        let input = match input {
            Input::Lines(text) => return self.lines(&text),
            input => input,
        };
        let redraws = input.redraws();
        self.common.context.is_offline = !self.upstream.is_open();
        match input {
            Input::Start => self.start(),
            Input::Key(key) => self.key(key),
            Input::Line(line) => self.input.push(line),
            // Later lines may depend on one that cannot be taken.
            Input::NotText { line } => self.input.finish(InputEnd::NotText(line)),
            Input::LineTooLong { line } => self.input.finish(InputEnd::LineTooLong(line)),
            Input::Utf16 => self.input.finish(InputEnd::Utf16),
            Input::Garbled => self.composer.garble(),
            Input::PasteCut { whole } => self.common.say(Text::PasteCut {
                kept: PASTE_MAX as u64,
                whole: whole as u64,
            }),
            Input::Shown => self.composer.shown(),
            // Lines are taken apart above.
            Input::Resize | Input::Lines(_) => {}
            // Another program may have changed the title of the window.
            Input::Resume => self.common.output.forget_title(),
            Input::Elapsed { at } => self.common.at = at,
            Input::Due => {
                if let Some(loss) = self.upstream.due(&mut self.common) {
                    self.closed(loss);
                }
            }
            Input::Woke => self.upstream.woke(&self.common),
            Input::Heard => self.upstream.heard(&self.common),
            Input::Pong => self.upstream.pong(),
            Input::Server(server) => self.reached(server),
            Input::Connected => self.connected(),
            Input::Event(event) => self.event(event),
            Input::Closed(reason) => self.closed(reason.map_or(Loss::Cut, Loss::Closed)),
            Input::ConnectFailed { address, why } => self.connect_failed(&address, &why),
            Input::Untrusted(exit) => self.distrust(exit),
            Input::Outgoing { user, lines } => {
                let lines = lines.as_deref();
                self.outbox.take_file(&mut self.common, &user, lines);
                self.check_rooms();
            }
            Input::Kept { user, files } => self.outbox.keep_in(user, files),
            Input::NoOutgoing { user, why } => {
                self.outbox.lack_file(&mut self.common, &user, &why);
                self.check_rooms();
            }
            Input::Export(report) => {
                let next = self.exporter.take_report(&mut self.common, report);
                self.go_on_with_export(next);
            }
            Input::Tick { now } => self.tick(now),
            Input::EndOfInput => self.end_of_input(),
        }
        self.take_lines();
        self.end_if_done();
        self.finish(redraws)
    }

    /// When the next [`Input::Tick`] has something to do, in unix seconds.
    pub fn wakes_at(&self) -> Option<u64> {
        let waits = self.upstream.is_online() && self.common.context.pending() > 0;
        let sends_at = self
            .outbox
            .opens_at(self.common.context.now)
            .filter(|_| waits);
        let deadline = self.common.context.settings.deadline;
        let catches_up_at = self.upstream.catches_up_at();
        [sends_at, catches_up_at, deadline, self.mode.wakes_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// When the next [`Input::Due`] has something to do, as [`Input::Elapsed`] counts.
    pub fn elapses_at(&self) -> Option<Duration> {
        self.upstream.elapses_at(&self.common)
    }

    /// The edited line.
    pub fn editor(&self) -> &LineEditor {
        self.composer.editor()
    }

    /// The prompt: an open question, mode and target, whether the user is away, unread messages and unsent lines.
    pub fn prompt(&self) -> Line {
        prompt::prompt(self)
    }

    /// What stands in the prompt's place during a search in the history (Ctrl-R).
    pub fn search_prompt(&self) -> Option<Line> {
        prompt::search_prompt(self)
    }

    /// The rows above the prompt: a notice for each conversation with new messages, then the unsent
    /// lines, in a chat its own, elsewhere all. At most so many rows, the newest last; one row says how
    /// many more there are.
    pub fn footer(&self, rows: usize) -> Vec<Line> {
        prompt::footer(self, rows)
    }

    /// Whether a question waits for [`Input::Shown`].
    pub fn has_unseen_question(&self) -> bool {
        self.composer.has_unseen_question()
    }

    /// Whether something that was asked for is about to be shown. Where prompts stay on the
    /// screen, the next one can wait for it.
    pub fn is_expecting(&self) -> bool {
        self.upstream.is_expecting()
    }

    /// Whether the next line is a password.
    pub fn is_secret(&self) -> bool {
        self.mode.is_secret()
    }

    /// Whether the mode only asks, so that the next line is an answer.
    pub fn is_asking(&self) -> bool {
        self.mode.scope().is_none()
    }

    /// Whether more lines may come: lines that are not taken yet are kept in memory.
    pub fn wants_input(&self) -> bool {
        self.common.is_interactive() || self.input.has_room()
    }

    // The program: start, time and end.

    fn start(&mut self) {
        let settings = &mut self.common.context.settings;
        let interactive = settings.interactive;
        let is_invited = settings.invitation.is_some();
        let user = settings.user.clone();
        let token = settings.token.take().map(LoginSecret::Token);
        let secret = token.or(settings.password.take().map(LoginSecret::Password));
        if interactive {
            self.common.say(Text::Hello);
        }
        match (user, secret) {
            (Some(name), Some(secret)) => {
                self.go(Goto::Contact);
                self.log_in(name, secret);
            }
            (Some(name), None) if interactive => self.go(Goto::Login(Some(name))),
            (Some(_), None) => {
                self.common.fail(Text::NoPassword);
                self.quit(Exit::Usage);
            }
            (None, _) if is_invited && interactive => {
                self.common.say(Text::Invited);
                self.go(Goto::Register);
            }
            (None, _) => {}
        }
    }

    fn tick(&mut self, now: u64) {
        self.common.context.now = now;
        if self
            .common
            .context
            .settings
            .deadline
            .is_some_and(|deadline| now >= deadline)
        {
            self.common.fail(Text::TimeOut);
            return self.quit(Exit::TimeOut);
        }
        let acts = self.mode.on_tick(&self.common.context);
        self.act(acts);
        self.send_next();
        self.upstream.catch_up_later(&mut self.common);
    }

    /// Leaves because a person wants to.
    fn leave(&mut self) {
        if self.common.is_interactive() {
            self.composer.put_questions_aside(&mut self.common);
            self.upstream.drop_waiting(&mut self.common);
            self.outbox.say_unsent(&mut self.common);
            self.cancel_export(Text::ExportCancelled, WorstOutcome::Done);
            self.common.say(Text::Bye);
            self.quit(Exit::Success);
        } else {
            self.input.clear();
            self.end_of_input();
        }
    }

    fn quit(&mut self, exit: Exit) {
        if !self.is_over {
            self.cancel_export(Text::ExportCancelled, WorstOutcome::Done);
            self.input.drop_script(&mut self.common, exit);
            self.outbox.say_unsent(&mut self.common);
            self.is_over = true;
            self.forget_credentials();
            self.outbox.write_unsaved(&mut self.common);
            self.common.output.push(Effect::Disconnect);
            self.common.output.push(Effect::Quit(exit));
        }
    }

    fn quit_if(&mut self, end: Option<Exit>) {
        if let Some(exit) = end {
            self.quit(exit);
        }
    }

    fn end_of_input(&mut self) {
        if self.common.is_interactive() {
            self.leave();
        } else {
            self.input.finish(InputEnd::Closed);
        }
    }

    /// Ends when every request is answered and the input has ended.
    fn end_if_done(&mut self) {
        let idle = self.upstream.is_idle()
            && self.input.is_empty()
            && self.common.context.pending() == 0
            && !self.exporter.is_running()
            && !self.outbox.is_loading();
        let Some(end) = self.input.end().filter(|_| idle) else {
            return;
        };
        let why = match end {
            InputEnd::Closed => return self.quit(self.common.verdict.exit()),
            InputEnd::NotText(line) => Text::NotTextLine { line },
            InputEnd::LineTooLong(line) => Text::InputLineTooLong { line },
            InputEnd::Utf16 => Text::InputUtf16,
        };
        self.common.fail(why);
        self.quit(Exit::Usage);
    }

    fn finish(&mut self, redraws: bool) -> Vec<Effect> {
        self.outbox.end_saving(&mut self.common);
        let is_counted = self.upstream.count_down(&self.common);
        let drawn = redraws || is_counted || self.common.output.prints();
        if self.common.is_interactive() && !self.is_over {
            self.composer.adapt(&*self.mode);
            if self.common.context.settings.config.title {
                let title = format!("echat {}", prompt::title(self));
                self.common.output.name_window(title);
            }
            if drawn {
                self.common.output.push(Effect::Prompt);
            }
        }
        self.common.output.take()
    }

    // What is typed.

    fn key(&mut self, key: Key) {
        let submitted = self.composer.key(&mut self.common, &*self.mode, key);
        match submitted {
            Submitted::Nothing => {}
            Submitted::Line(line) => {
                self.typed(&line);
                self.give_back(&line);
            }
            Submitted::Edit { message, text } => {
                if !self.change_text(&message.target, message.id, &text) {
                    self.composer.edit_again(message, &text);
                }
                self.give_back(&text);
            }
            Submitted::EditLast(target) => self.recall_own(&target),
            Submitted::Interrupt => self.interrupt(),
            Submitted::EndOfInput => self.leave(),
        }
        self.composer.settle();
    }

    /// Lines that came faster than a person types. As long as they are commands, or answers where one
    /// is asked for after the other, each is typed: by a script, or by a password manager. From the
    /// first on that is a text, they are a paste.
    fn lines(&mut self, text: &str) -> Vec<Effect> {
        let is_garbled = self.composer.draft().garbles();
        let mut effects = Vec::new();
        let mut rest = text;
        self.outbox.begin_batch();
        while let Some((line, more)) = self.composer.typed_line(&*self.mode, rest) {
            if is_garbled {
                self.composer.garble();
            }
            effects.extend(self.step(Input::Key(Key::Paste(line.into()))));
            effects.extend(self.step(Input::Key(Key::Enter)));
            rest = more;
        }
        if !rest.is_empty() {
            if is_garbled {
                self.composer.garble();
            }
            effects.extend(self.step(Input::Key(Key::Paste(rest.into()))));
        }
        effects.extend(self.outbox.end_batch(&mut self.common));
        effects
    }

    /// Takes lines of input, as long as there is nothing to wait for.
    fn take_lines(&mut self) {
        while !self.is_over
            && self.may_take_line()
            && !self.upstream.awaits_login()
            && let Some(line) = self.input.take()
        {
            self.composer.submit();
            let number = self.input.line_number();
            self.common.context.line_number =
                Some(number).filter(|_| !self.common.is_interactive());
            self.submit(&line);
            self.common.context.line_number = None;
            self.give_back(&line);
        }
    }

    /// Whether the next line of input may be taken. A script does not read answers before it writes the next line, so
    /// each line waits for the answers to those before it.
    fn may_take_line(&self) -> bool {
        let has_all = self.upstream.has_all()
            && self.common.context.pending() == 0
            && !self.exporter.is_running()
            && !self.outbox.is_loading();
        self.common.is_interactive() || has_all
    }

    fn typed(&mut self, line: &str) {
        self.upstream.try_at_once(&mut self.common, line);
        self.echo(line);
        match self.composer.reply(&mut self.common, &*self.mode, line) {
            QuestionOutcome::Misspelt => {}
            QuestionOutcome::Answer(question, answer) => {
                self.answer(question, answer);
                self.composer.ask_newest(&mut self.common);
            }
            QuestionOutcome::None => self.enter(line),
        }
    }

    /// Does what a line says; what would be answered by what is not known before the login waits
    /// for that.
    fn enter(&mut self, line: &str) {
        if let Some(place) = Composer::way_in(&self.common, &*self.mode, line) {
            self.left_chat = self.common.me().zip(self.mode.target().cloned());
            return self.go(place);
        }
        if !self.upstream.awaits_login() || self.is_free(line) {
            return self.submit(line);
        }
        if self.input.has_room() {
            self.input.push(line.into());
            self.common.say(Text::WaitsForLogin);
        } else {
            self.common.say(self.common.context.please_wait());
        }
    }

    /// Whether a line means the same before and after the login.
    fn is_free(&self, line: &str) -> bool {
        let Some(scope) = self.mode.scope() else {
            return true;
        };
        match statement::parse(scope, line) {
            Ok(Statement::Ask(typed)) => !typed.needs_login(),
            Ok(statement) => matches!(
                statement,
                Statement::Help | Statement::Back | Statement::Quit | Statement::Query
            ),
            Err(_) => true,
        }
    }

    fn submit(&mut self, line: &str) {
        let awaited = self.mode.awaits();
        let acts = self.mode.submit(line, &self.common.context);
        // A line that leads out of a mode is as good as Ctrl-C.
        let leaves = acts.iter().any(|act| matches!(act, Act::Goto(_)));
        if let Some(asked) = awaited.filter(|_| leaves) {
            self.upstream.withdraw(&mut self.common, &asked);
        }
        self.act(acts);
    }

    /// A submitted line that can never be accepted returns to the editor.
    fn give_back(&mut self, line: &str) {
        self.composer.give_back(&self.common, &*self.mode, line);
    }

    /// Leaves what was typed above the prompt, but for a password.
    fn echo(&mut self, line: &str) {
        if !self.composer.is_echoed(&self.common, &*self.mode, line) {
            return;
        }
        let mut echo = self.prompt();
        if !self.mode.is_secret() {
            let text = Safe::line(line);
            echo.0.push(Span {
                text,
                style: Style::Dim,
            });
        }
        self.common.print(vec![echo]);
    }

    fn answer(&mut self, question: Question, reply: QuestionAnswer) {
        match (question, reply) {
            (_, QuestionAnswer::Aside) => {
                if !self.common.context.signed_in {
                    self.go(Goto::Command);
                }
            }
            (Question::Confirm(typed), QuestionAnswer::Yes) => self.ask_typed(typed),
            (Question::Privacy(typed), QuestionAnswer::Public) => {
                self.ask_typed(typed.with_privacy(false));
            }
            (Question::Privacy(typed), QuestionAnswer::Private) => {
                self.ask_typed(typed.with_privacy(true));
            }
            (Question::Delete(_, id), QuestionAnswer::Yes) => self.delete_at_once(id),
            (Question::SendAsText(target, text), QuestionAnswer::Yes) => {
                self.send(target, &text, None);
                self.give_back(&text);
            }
            (Question::Paste(pasted), QuestionAnswer::Yes) if !pasted.may_be_each() => {
                Composer::refuse_count(&mut self.common, &pasted);
                self.composer
                    .not_sent(&mut self.common, Question::Paste(pasted));
            }
            (Question::Paste(pasted), QuestionAnswer::Yes) => {
                let lines = pasted.non_blank().cloned().collect();
                self.paste(pasted, lines);
            }
            (Question::Paste(pasted), QuestionAnswer::One) => {
                let lines = vec![pasted.as_one()];
                self.paste(pasted, lines);
            }
            (question, _) => self.composer.not_sent(&mut self.common, question),
        }
    }

    /// Pasted lines were confirmed: in a chat they are text, whatever they look like. All of them are
    /// sent, or none. A command that is refused returns to the editor.
    fn paste(&mut self, pasted: Pasted, lines: Vec<String>) {
        if pasted.target.is_some() && self.refuses(lines.len(), Text::PasteOffline) {
            return self
                .composer
                .not_sent(&mut self.common, Question::Paste(pasted));
        }
        let limits = self.common.context.session.limits();
        let refusal = pasted.target.as_ref().and_then(|target| {
            let mut checked = lines.iter().map(|line| limits.text(target, line));
            checked.find_map(Result::err)
        });
        if let Some(error) = refusal {
            Composer::fail_to_paste(&mut self.common, &error);
            return self
                .composer
                .not_sent(&mut self.common, Question::Paste(pasted));
        }
        for line in lines {
            self.composer.submit();
            match &pasted.target {
                Some(target) => self.send(target.clone(), &line, None),
                None => self.enter(&line),
            }
            self.give_back(&line);
        }
    }

    /// Ctrl-C: out of a question, out of a mode that only asks, and out of an export.
    fn interrupt(&mut self) {
        self.input.drop_held(&mut self.common);
        let is_asking = self.composer.has_question();
        self.composer.put_questions_aside(&mut self.common);
        if self.mode.scope().is_none() {
            if let Some(asked) = self.mode.awaits() {
                self.upstream.withdraw(&mut self.common, &asked);
            } else if self.mode.changes() {
                self.common.say(Text::NothingEdited);
            }
            let back = self.mode.back();
            self.go(back);
        } else if !is_asking && self.exporter.is_running() {
            self.cancel_export(Text::ExportCancelled, WorstOutcome::Done);
        } else if !is_asking {
            self.common.say(Text::HowToLeave);
        }
    }

    // What a mode wants done.

    /// Does what a mode wants done.
    fn act(&mut self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Print(lines) => self.common.print(lines),
                Act::Ask(request) => {
                    let asked = RequestContext::of(&request);
                    self.ask_for_user(request, asked);
                }
                Act::AskFor(request, asked) => {
                    self.ask_for_user(request, asked);
                }
                Act::LookUp(lookup) => {
                    let request = lookup.request();
                    self.ask_for_user(request, RequestContext::Lookup(lookup));
                }
                Act::Reply(target, text, id) => self.send(target, &text, Some(id)),
                Act::Edit(target, post) => self.composer.edit(target, &post),
                Act::ChangeText(target, id, text) => {
                    self.change_text(&target, id, &text);
                }
                Act::Delete(target, id) => self.delete_message(target, id),
                Act::Typed(typed) => self.carry_out_typed(typed),
                Act::AskTimed(timed) => self.ask_time_for(timed),
                Act::LogIn { name, password } => self.log_in(name, LoginSecret::Password(password)),
                Act::ChangePassword { old, new } => self.change_password(&old, new),
                Act::Send(target, text) => self.send(target, &text, None),
                Act::SendIfMeant(target, text) => self.ask_if_meant(target, text),
                Act::Read(target) => self.upstream.mark_read(&mut self.common, &target),
                Act::Goto(place) if self.is_asked(&place) => {
                    self.common.say(Text::PleaseWait);
                }
                Act::Goto(place) => self.go(place),
                Act::Export(file) => self.export(file),
                Act::ListUnsent => Outbox::list(&mut self.common),
                Act::Withdraw(which) => self.outbox.withdraw(&mut self.common, which),
                Act::Reject(why) => self.reject_because(&why),
                Act::Mistake => self.common.verdict.record(WorstOutcome::Mistaken),
                Act::Quit => self.leave(),
            }
        }
    }

    /// Whether the server has not answered yet what this mode asks it.
    fn is_asked(&self, place: &Goto) -> bool {
        let kind = match place {
            Goto::ChangePassword(_) => RequestKind::ChangePassword,
            Goto::DeleteAccount(_) => RequestKind::DeleteAccount,
            _ => return false,
        };
        let asked = RequestContext::Other(kind);
        self.upstream.is_to_come(&asked)
    }

    fn go(&mut self, place: Goto) {
        self.opening = None;
        self.composer.end_edit(&mut self.common);
        if let Some(target) = place.target() {
            self.common.context.session.touch(target);
        }
        let opened = match &place {
            Goto::Chat(Target::Room(room)) => Some(room.clone()),
            _ => None,
        };
        if let Goto::Chat(target) = &place
            && self.upstream.may_ask()
        {
            self.common.context.session.forget_unwatched(target);
        }
        self.mode = place.mode();
        let acts = self.mode.enter(&self.common.context);
        if let Some(room) = opened {
            self.common.context.session.opened(&room);
        }
        self.act(acts);
    }

    /// Sends a line, now or when it is possible. It may answer a message.
    fn send(&mut self, target: Target, text: &str, reply_to: Option<u64>) {
        if self.refuses(1, Text::NotSentOffline) {
            return self.composer.refuse();
        }
        let (common, upstream) = (&mut self.common, &mut self.upstream);
        if let Err(error) = self.outbox.add(common, upstream, target, text, reply_to) {
            self.reject(&error);
        }
    }

    /// Refuses so many more lines, and says so: too many are unsent, or the server is not trusted, which `offline`
    /// tells. What is typed then may be an answer to that, and no message.
    fn refuses(&mut self, more: usize, offline: Text<'_>) -> bool {
        if self.upstream.is_distrusted() {
            self.common.fail(offline);
            return true;
        }
        Outbox::refuses(&mut self.common, more)
    }

    /// Sends the next line, if it may go.
    fn send_next(&mut self) {
        self.outbox.send_next(&mut self.common, &mut self.upstream);
    }

    /// Asks before a line is sent that looks like a command. Without a terminal there is no user to
    /// ask, and the line is sent.
    fn ask_if_meant(&mut self, target: Target, text: String) {
        if !self.common.is_interactive() {
            return self.send(target, &text, None);
        }
        self.composer
            .ask_question(&mut self.common, Question::SendAsText(target, text));
    }

    /// Says that something can never be accepted. On a terminal it returns to the editor; without
    /// one the line is an error and the last one, since what follows may be meant for after it.
    fn reject(&mut self, error: &LimitError) {
        let why = if self.common.is_interactive() {
            self.common.context.limit_sentence(error)
        } else {
            self.common.context.limit_reason(error)
        };
        self.reject_because(&why);
    }

    /// The same for another reason.
    fn reject_because(&mut self, why: &str) {
        if self.common.is_interactive() {
            self.common.print(vec![error_line(why)]);
            self.composer.refuse();
        } else {
            let line = self.input.line_number();
            self.common.fail(Text::InLine { line, why });
            self.input.clear();
            self.quit(Exit::Usage);
        }
    }

    /// Asks the server for another text of a message. Returns whether it is asked, now or later; if not, the user is
    /// told why.
    fn change_text(&mut self, target: &Target, id: u64, text: &str) -> bool {
        match self.common.context.session.limits().text(target, text) {
            Ok(content) => {
                let request = Request::EditMessage { id, content };
                let asked = RequestContext::of(&request);
                self.ask_for_user(request, asked)
            }
            Err(error) => {
                self.reject(&error);
                false
            }
        }
    }

    /// Up in an empty line: asks for the user's last message, to edit it. A second Up, before it came, goes to the
    /// history of lines, as it does where there is no connection.
    fn recall_own(&mut self, target: &Target) {
        match recall_own(target, &self.common.context) {
            Some((request, asked)) if self.upstream.may_ask() && !self.upstream.asks(&asked) => {
                self.ask(request, asked);
            }
            _ => self.composer.recall_line(),
        }
    }

    /// Deletes a message, on a terminal after a yes.
    fn delete_message(&mut self, target: Target, id: u64) {
        if !self.common.is_interactive() {
            return self.delete_at_once(id);
        }
        let question = Question::Delete(target, id);
        self.composer.ask_once(&mut self.common, question);
    }

    fn delete_at_once(&mut self, id: u64) {
        let request = Request::DeleteMessage { id };
        let asked = RequestContext::of(&request);
        self.ask_for_user(request, asked);
    }

    /// Asks the server for another password. It stays in memory until the answer, as the present one does.
    fn change_password(&mut self, old: &str, new: Secret) {
        let (Ok(old), Ok(password)) = (Password::presented(old), Password::new(&new)) else {
            return self.common.refuse(Code::BadPassword);
        };
        self.upstream.login.propose(new);
        let request = Request::ChangePassword {
            old,
            new: NewPassword(password),
        };
        let asked = RequestContext::of(&request);
        self.ask_for_user(request, asked);
    }

    // Requests.

    /// Asks the server, as soon as that is possible.
    fn ask(&mut self, request: Request, asked: RequestContext) {
        let outcome = self.upstream.ask(&mut self.common, request, asked);
        self.handle_send_error(outcome);
    }

    /// Sends a request that the user typed. Without a connection it is queued, and the user is told. Returns whether
    /// the server is asked, now or later.
    fn ask_for_user(&mut self, request: Request, asked: RequestContext) -> bool {
        // A chat that is opened once more takes the page that is to come.
        if asked.page().is_some() && self.upstream.is_to_come(&asked) {
            return true;
        }
        let outcome = self.upstream.ask_for_user(&mut self.common, request, asked);
        let is_asked = outcome.is_ok();
        self.handle_send_error(outcome);
        is_asked
    }

    fn handle_send_error(&mut self, outcome: Result<(), SendError>) {
        match outcome {
            Ok(()) => {}
            Err(SendError::Limit(error)) => self.reject(&error),
            Err(SendError::NotLoggedIn) => self.common.refuse(Code::NotLoggedIn),
            Err(SendError::Crowded) => {
                let why = self.common.context.language.say(Text::PleaseWait);
                self.reject_because(&why);
            }
            Err(SendError::LogoutOffline) => {
                self.upstream.log_out_offline(&mut self.common);
                self.event(Event::LoggedOut {});
            }
        }
    }

    fn ask_queued(&mut self) {
        for error in self.upstream.send_queued(&mut self.common) {
            self.reject(&error);
        }
    }

    /// Carries out a command that asks the server. If its row has a question, the user is asked on a terminal first,
    /// but not about a room that is none of the user's: the server refuses that.
    fn carry_out_typed(&mut self, typed: TypedRequest) {
        if typed.lacks_privacy() && self.common.is_interactive() {
            return self.ask_about_privacy(typed);
        }
        let room = typed.room().map(Target::Room);
        let is_known = room.is_none_or(|room| self.common.context.session.has(&room));
        let asks = typed.question(self.common.context.language).is_some()
            && self.upstream.login.is_wanted()
            && !self.keeps_all(&typed);
        if !asks || !is_known || !self.common.is_interactive() {
            return self.ask_typed(typed);
        }
        if let Some(code) = self.lacks_role(&typed) {
            let asked = RequestContext::Typed(typed);
            let lines = refusal(&asked, &fail_of(code), &self.common.context);
            self.common.verdict.record(WorstOutcome::Refused);
            return self.common.print(lines);
        }
        let question = Question::Confirm(typed);
        self.composer.ask_once(&mut self.common, question);
    }

    /// Whether a command sets for how long messages of a room are kept, by which none is removed.
    fn keeps_all(&self, typed: &TypedRequest) -> bool {
        let session = &self.common.context.session;
        match (typed.room(), typed.keeps()) {
            (Some(room), KeepDays::Set(days)) => session.keeps_all(&Target::Room(room), days),
            _ => false,
        }
    }

    /// The code by which the server would refuse a command, if the user's role in the room is known and not enough.
    /// The lobby, which has no owner, never closes and is never handed over.
    fn lacks_role(&self, typed: &TypedRequest) -> Option<Code> {
        let room = Target::Room(typed.room()?);
        let settings = self.common.context.session.room_settings(&room)?;
        let is_of_owners_only =
            matches!(typed.kind(), RequestKind::CloseRoom | RequestKind::SetRole);
        if settings.owner.is_empty() && is_of_owners_only {
            return Some(Code::NotAllowed);
        }
        let is_enough = match (typed.needs()?, settings.role?) {
            (RoomRole::Owner, role) => role == RoomRole::Owner,
            (RoomRole::Operator, role) => role != RoomRole::Member,
            (RoomRole::Member, _) => true,
        };
        let code = match typed.needs()? {
            RoomRole::Owner => Code::NotOwner,
            RoomRole::Operator | RoomRole::Member => Code::NotOperator,
        };
        (!is_enough).then_some(code)
    }

    /// Asks who can find and join a room that is to be made, if it can be made.
    fn ask_about_privacy(&mut self, typed: TypedRequest) {
        match typed.request(self.common.context.now) {
            Ok(request) => {
                if let Err(error) = self.common.context.session.limits().check(&request) {
                    return self.reject(&error);
                }
            }
            Err(unfit) => return self.reject(&unfit.into()),
        }
        let question = Question::Privacy(typed);
        self.composer.ask_once(&mut self.common, question);
    }

    /// Asks the server what was typed.
    fn ask_typed(&mut self, typed: TypedRequest) {
        if let Some(room) = typed.opens().filter(|_| self.common.is_interactive()) {
            self.opening = Some(room);
        }
        if typed.is_timed() {
            return self.ask_time_for(TimedRequest::Typed(typed));
        }
        match typed.request(self.common.context.now) {
            Ok(request) => {
                self.ask_for_user(request, RequestContext::Typed(typed));
            }
            Err(unfit) => self.reject(&unfit.into()),
        }
    }

    /// Asks for the server's time first: an end is a moment of its clock.
    fn ask_time_for(&mut self, timed: TimedRequest) {
        if self.upstream.login.is_wanted() {
            self.ask_for_user(Request::QueryServerTime {}, RequestContext::Clock(timed));
        } else {
            self.common.refuse(Code::NotLoggedIn);
        }
    }

    /// Asks for what has an end, `now` being the server's time.
    fn ask_timed(&mut self, timed: TimedRequest, now: u64) {
        match timed {
            TimedRequest::Typed(typed) => match typed.request(now) {
                Ok(request) => {
                    self.ask_for_user(request, RequestContext::Typed(typed));
                }
                Err(unfit) => self.reject(&unfit.into()),
            },
            TimedRequest::Invitation { uses, lasts } => {
                let expires = Some(now.saturating_add(lasts));
                let request = Request::CreateInvitation { uses, expires };
                let asked = RequestContext::of(&request);
                self.ask_for_user(request, asked);
            }
        }
    }

    // The export of the user's own data.

    /// Begins to write what the user may read to a file.
    fn export(&mut self, file: String) {
        if !self.upstream.login.is_wanted() {
            return self.common.refuse(Code::NotLoggedIn);
        }
        if !self.upstream.is_online() {
            return Exporter::refuse_offline(&mut self.common, &file);
        }
        self.exporter.begin(&mut self.common, file);
    }

    fn go_on_with_export(&mut self, next: Option<(Request, RequestContext)>) {
        if let Some((request, asked)) = next {
            self.ask(request, asked);
        }
    }

    fn cancel_export(&mut self, why: Text<'_>, outcome: WorstOutcome) {
        self.exporter.cancel(&mut self.common, why, outcome);
    }

    // The connection and the login.

    /// A connection is made to this server. The files of unsent lines are those of its key.
    fn reached(&mut self, server: LinkTarget) {
        let fingerprint = server.fingerprint.clone();
        let before = self.common.context.server.replace(server);
        if before.is_some_and(|before| before.fingerprint != fingerprint) {
            self.outbox.forget_files();
        }
    }

    fn connected(&mut self) {
        self.upstream.opened(&self.common);
        // What needs no login goes now, the rest after it.
        self.ask_queued();
        self.present();
    }

    /// Sends LOGIN, if a login is wanted.
    fn present(&mut self) {
        let Err(unfit) = self.upstream.present(&mut self.common) else {
            return;
        };
        self.forget_credentials();
        let why = match unfit {
            SecretError::Password(unfit) => self.common.context.language.bad_password(&unfit),
            SecretError::Token(unfit) => unfit.to_string(),
        };
        self.common.print(vec![error_line(&why)]);
        if !self.common.is_interactive() {
            self.quit(Exit::Usage);
        }
    }

    fn log_in(&mut self, name: String, secret: LoginSecret) {
        if let Err(error) = possible(&NameQuery::new(name.as_str())) {
            let why = self.common.context.limit_sentence(&error);
            self.common.print(vec![error_line(&why)]);
            if !self.common.is_interactive() {
                self.quit(Exit::Usage);
            } else if self.mode.scope().is_none() {
                self.go(Goto::Login(None));
            }
            return;
        }
        self.upstream.login.want(name, secret);
        self.common.context.signed_in = true;
        if self.upstream.is_open() {
            self.present();
        } else {
            self.upstream.connect(&mut self.common);
        }
    }

    /// The login holds, for the first time or again.
    fn logged_in(&mut self, bundle: &Event) {
        if let Event::LoginBundle { resume, device, .. } = bundle {
            self.upstream.login.keep_secret(resume.clone());
            self.keep_device(device.as_ref());
        }
        self.upstream.logged_in(&mut self.common);
        let Some(me) = self.common.me() else {
            return;
        };
        self.common.context.last_user = Some(me.clone());
        if let Some((user, chat)) = self.left_chat.take() {
            let session = &self.common.context.session;
            if user == me && (session.can_read(&chat) || session.is_missing(&chat)) {
                self.go(Goto::Chat(chat));
            }
        }
        self.outbox.at_login();
        if self.common.is_interactive() && !self.common.context.has_footer() {
            let open = self.mode.target();
            let rows = self.common.context.notice_rows(open, usize::MAX);
            self.common.print(rows);
        }
        self.outbox.load(&mut self.common, &me);
        self.check_rooms();
        self.ask_queued();
        self.open_again();
        self.welcome(&me);
        self.open_address();
        self.say_must_change(bundle);
        self.ask_whether_away();
    }

    /// Finds out whether the user is away, for the prompt.
    fn ask_whether_away(&mut self) {
        if let Some(me) = self.common.me()
            && self.common.is_interactive()
            && self.upstream.may_ask()
        {
            let (request, asked) = RequestContext::own_away(&me);
            self.ask(request, asked);
        }
    }

    /// A chat was opening when the connection was lost: its page is asked for again, behind what was missed.
    fn open_again(&mut self) {
        let is_behind = self.common.context.session.missed_after().is_some();
        let target = self.mode.opening().filter(|_| !is_behind);
        if target.is_some_and(|target| !self.upstream.loads(target)) {
            let acts = self.mode.open_again(&self.common.context);
            self.act(acts);
        }
    }

    /// Tells a user that was just registered what is there already: the room of all new accounts, and the
    /// administration.
    fn welcome(&mut self, me: &str) {
        let Some(newcomer) = self.newcomer.take_if(|newcomer| newcomer.name == me) else {
            return;
        };
        if !self.common.is_interactive() {
            return;
        }
        let context = &self.common.context;
        let opens = context.settings.open.clone().map(Target::normal);
        let is_opened = |room: &str| opens.as_ref().is_some_and(|open| open.name() == room);
        let rooms = context.session.rooms().iter();
        let rooms: Vec<String> = rooms.filter(|room| !is_opened(room)).cloned().collect();
        for room in &rooms {
            self.common.say(Text::NewInRoom { room });
        }
        if newcomer.with_code {
            let (request, asked) = RequestContext::privileges();
            self.ask(request, asked);
        }
    }

    /// Drops the queued requests, and ends a mode that waited for one of them.
    fn drop_waiting(&mut self) {
        self.upstream.drop_waiting(&mut self.common);
        let awaited = self.mode.awaits();
        if awaited.is_some_and(|asked| !self.upstream.asks(&asked)) {
            let acts = self.mode.on_cut();
            self.act(acts);
        }
    }

    fn log_in_refused(&mut self, fail: &Fail) {
        self.composer.put_questions_aside(&mut self.common);
        // No password opens a suspended account.
        if code_of(fail) == Some(Code::Suspended) {
            self.go(Goto::Command);
        } else {
            self.ask_password_again();
        }
        self.forget_credentials();
        self.drop_waiting();
        self.common.verdict.record(WorstOutcome::Refused);
        if !self.common.is_interactive() {
            self.quit(Exit::Refused);
        }
    }

    /// The login with a password that was given at the start is refused: what is typed next is that
    /// password. A line that was begun is none, and stays.
    fn ask_password_again(&mut self) {
        let is_start = self.upstream.login.is_first() && self.mode.scope() == Some(Scope::Contact);
        let name = self.upstream.login.name().map(str::to_owned);
        if let Some(name) = name.filter(|_| is_start && self.common.is_interactive()) {
            if !self.composer.draft().is_empty() {
                return self.common.say(Text::LineKept);
            }
            self.go(Goto::Login(Some(name.clone())));
            self.common.say(Text::PasswordAgainOf { name: &name });
        }
    }

    /// The user has logged out.
    fn logged_out(&mut self) {
        self.cancel_export(Text::ExportLoggedOut, WorstOutcome::Refused);
        self.outbox.say_unsent(&mut self.common);
        self.upstream.logged_out();
        self.forget_credentials();
        self.composer.put_questions_aside(&mut self.common);
        self.upstream.drop_waiting(&mut self.common);
    }

    /// Wipes password and secret: the client does not log in again by itself. Lines that were typed before a login
    /// that failed are dropped.
    fn forget_credentials(&mut self) {
        self.upstream.login.forget();
        self.common.context.signed_in = false;
        self.input.drop_held(&mut self.common);
    }

    fn closed(&mut self, loss: Loss) {
        self.cancel_export(Text::ExportCut, WorstOutcome::Lost);
        // The room of the address is joined after the next login.
        if let Some(target) = self.joining.take() {
            self.common.context.settings.open = Some(target);
        }
        let was_sending = self.outbox.cut(&mut self.common, loss);
        let opening = self.mode.opening().cloned();
        let mut aftermath =
            self.upstream
                .lost(&mut self.common, loss, was_sending, opening.as_ref());
        // What is queued goes with the next connection.
        let awaited = self.mode.awaits();
        if !awaited.is_some_and(|asked| self.upstream.is_queued(&asked)) {
            let acts = self.mode.on_cut();
            self.act(acts);
        }
        aftermath.comes_back &= !self.is_over;
        let has_ended = self.input.end().is_some();
        let end = self
            .upstream
            .come_back(&mut self.common, aftermath, has_ended);
        self.quit_if(end);
    }

    fn connect_failed(&mut self, address: &str, why: &str) {
        let has_ended = self.input.end().is_some();
        let end = self
            .upstream
            .connect_failed(&mut self.common, address, why, has_ended);
        self.quit_if(end);
    }

    /// The server is not trusted: the program ends, but not under a person who had a session and may be typing.
    fn distrust(&mut self, exit: Exit) {
        self.upstream.distrust(&self.common);
        if !self.common.is_interactive() || self.common.context.session.me().is_none() {
            return self.quit(exit);
        }
        self.forget_credentials();
        self.upstream.drop_waiting(&mut self.common);
        // A login under way has no answer.
        if self.mode.scope().is_none() {
            let chat = self.left_chat.take().map(|(_, chat)| Goto::Chat(chat));
            let back = self.mode.back();
            self.go(chat.unwrap_or(back));
        }
        self.common.fail(Text::StaysOffline);
    }

    /// SERVER_KICK ended the session: the user logged in elsewhere, or was sent away. Coming back by itself would send
    /// the other one away.
    fn kick(&mut self) {
        if self.upstream.login.is_wanted() {
            self.common.fail(Text::Kicked);
        }
        self.cancel_export(Text::ExportLoggedOut, WorstOutcome::Refused);
        self.composer.put_questions_aside(&mut self.common);
        self.forget_credentials();
        self.drop_waiting();
        if !self.common.is_interactive() {
            self.quit(Exit::Refused);
        }
    }

    // Rooms that open when they are joined.

    /// Opens the room that the user joined or created. A line that was begun since stays where it was begun.
    fn open_answered(&mut self, typed: &TypedRequest) {
        let Some(room) = typed
            .opens()
            .filter(|room| self.opening.as_ref() == Some(room))
        else {
            return;
        };
        self.opening = None;
        if self.common.context.session.has(&room) {
            self.open_room(room);
        }
    }

    /// Opens a room, unless a line was begun elsewhere, which may be a password.
    fn open_room(&mut self, room: Target) {
        self.opening = None;
        if self.composer.editor().text().is_empty() && self.mode.scope().is_some() {
            self.go(Goto::Chat(room));
        } else {
            let room = room.name();
            self.common.say(Text::HowToOpenRoom { room });
        }
    }

    /// Opens the room of the address. Lines that were typed before the login are taken first: they are commands of the
    /// mode in which they were typed, and no messages.
    fn open_address(&mut self) {
        if self.common.is_interactive() {
            self.take_lines();
        }
        if !self.is_over
            && let Some(target) = self.common.context.settings.open.take()
        {
            self.open_at_start(target.normal());
        }
    }

    fn open_at_start(&mut self, target: Target) {
        if self.common.context.session.has(&target) {
            // A line that was typed since may have opened another chat.
            let is_in_chat = self.mode.target().is_some_and(|open| *open != target);
            let is_elsewhere = is_in_chat || self.mode.scope().is_none();
            if is_elsewhere && self.common.is_interactive() {
                let room = target.name();
                return self.common.say(Text::HowToOpenRoom { room });
            }
            return self.go(Goto::Chat(target));
        }
        // Asked as if it was typed, and so answered.
        let line = format!("/join {}", target.name());
        if let Ok(Statement::Ask(typed)) = statement::parse(Scope::Contact, &line) {
            self.joining = typed
                .request(self.common.context.now)
                .is_ok()
                .then_some(target);
            self.ask_typed(typed);
        } else {
            self.common.fail(Text::NoTarget {
                name: target.name(),
            });
            self.lack_room();
        }
    }

    /// Opens the room of the address once it is joined.
    fn open_joined(&mut self, update: &Update) {
        let Some(target) = &self.joining else {
            return;
        };
        if self.common.context.session.has(target) {
            let target = target.clone();
            self.joining = None;
            self.open_room(target);
            self.check_rooms();
        } else if let Update::Answer(asked, Err(_)) = update
            && asked.kind() == RequestKind::JoinRoom
        {
            self.joining = None;
            self.check_rooms();
            self.lack_room();
        }
    }

    /// The room of the address cannot be opened. Lines that were meant for it would be taken for commands.
    fn lack_room(&mut self) {
        if !self.common.is_interactive() {
            self.quit(Exit::Refused);
        }
    }

    // What the server says.

    fn event(&mut self, event: Event) {
        let asked = self.upstream.answered(&event);
        if let (Some(RequestContext::Clock(timed)), Event::SendServerTime { time }) =
            (&asked, &event)
        {
            return self.ask_timed(timed.clone(), *time);
        }
        if asked == Some(RequestContext::Login) && self.logs_in_again(&event) {
            return;
        }
        self.change_login(&event);
        if let Some(RequestContext::Export { export, .. }) = asked {
            let next = self.exporter.take_reply(&mut self.common, export, &event);
            return self.go_on_with_export(next);
        }
        self.follow_names(&event);
        let missed = asked == Some(RequestContext::CatchUp);
        for update in self.apply(event, asked) {
            // Messages that were missed are not announced one by one: the prompt counts them.
            if !missed || self.shows(&update) {
                self.tell(&update);
            }
        }
        self.composer.revise(&mut self.common);
    }

    /// Logs in with the password if this reply to LOGIN says that the secret of the last login is void.
    fn logs_in_again(&mut self, event: &Event) -> bool {
        let is_void = |fail: &Fail| fail.code == Code::BadCredentials.as_str();
        let again = event.refusal().is_some_and(is_void) && self.upstream.login.drop_secret();
        if again {
            self.present();
        }
        again
    }

    /// What an event means for the login, before the session takes it.
    fn change_login(&mut self, event: &Event) {
        if event.refusal().is_some_and(Fail::wants_new_password) {
            self.upstream.login.lock();
        }
        match event {
            Event::ServerKick {} => self.kick(),
            Event::LoggedOut {} => self.logged_out(),
            Event::LoginSuccess { username } => {
                // Questions of another user are not for this one.
                let me = self.common.context.session.me();
                if !self.upstream.login.accepted(username, me) {
                    self.composer.put_questions_aside(&mut self.common);
                    self.outbox.say_left_behind(&mut self.common, username);
                }
            }
            _ => {}
        }
    }

    /// The session takes an event. What is bound to what it knew follows.
    fn apply(&mut self, event: Event, asked: Option<RequestContext>) -> Vec<Update> {
        let limits = self.common.context.session.limits();
        let told = match &event {
            Event::Room { room } => Some((room.roomname.clone(), room.created)),
            _ => None,
        };
        let updates = self.common.context.session.apply(event, asked);
        if let Some((room, created)) = told {
            self.outbox.bind(&mut self.common, &room, created);
        }
        if self.common.context.session.limits() != limits {
            self.outbox.apply_limits(&mut self.common);
        }
        if updates.contains(&Update::HistoryReplaced) {
            self.forget_history();
        }
        updates
    }

    /// Rooms and users have other names: chats, unsent lines and questions follow.
    fn follow_names(&mut self, event: &Event) {
        if let Event::OnRoomChanged { was, room, .. } = event {
            let target = |name: &str| Target::Room(name.to_owned());
            self.rename(&target(was), &target(&room.roomname), Some(room.created));
        }
        if let Event::OnUserRenamed { was, username } = event {
            let target = |name: &str| Target::Friend(name.to_owned());
            self.rename(&target(was), &target(username), None);
            if self.common.context.session.me() == Some(was) {
                self.rename_me(was, username);
            }
        }
        for (was, now) in self.common.context.session.renamed_in(event) {
            self.rename(&was, &now, None);
        }
    }

    fn tell(&mut self, update: &Update) {
        if let Update::NewRoom(room) = update
            && self.common.is_interactive()
            && !self.upstream.is_joining(room)
        {
            self.common.say(Text::AddedToRoom { room });
        } else if !self.upstream.is_told_by_answer(&self.common, update) {
            let acts = self.mode.on_update(update, &self.common.context);
            self.act(acts);
        }
        self.leave_lost_room(update);
        self.hold_lines(update);
        match update {
            Update::Answer(asked, outcome) => self.answered(asked, outcome),
            Update::NewRoom(room)
                if self.common.is_interactive() && !self.upstream.is_crowded() =>
            {
                let (request, asked) = RequestContext::introduce(room, true);
                self.ask(request, asked);
            }
            Update::FriendRemoved(name)
                if self.common.is_interactive() && !self.upstream.ends_friendship() =>
            {
                self.ask_whether_exists(name);
            }
            Update::Member(room, name, MembershipChange::Joined) => self.joined(room, name),
            Update::AccountDeleted { name, message } => self.account_deleted(name, *message),
            Update::Member(_, name, MembershipChange::Left) => self.ask_about_departed(name),
            Update::Message(target, post) => {
                if let Some(alert) = Alert::about(&self.common.context, target, post) {
                    self.common.output.push(Effect::Alert(alert));
                }
            }
            Update::OwnTextGone(text) => self.composer.forget_text(text),
            _ => {}
        }
        self.open_joined(update);
    }

    /// What follows from the final reply to a request, beside what is shown of it.
    fn answered(&mut self, asked: &RequestContext, outcome: &Result<Event, Fail>) {
        match (asked, outcome) {
            (RequestContext::Login, Ok(event)) => self.logged_in(event),
            (RequestContext::Login, Err(fail)) => self.log_in_refused(fail),
            (RequestContext::Register { name, with_code }, Ok(_)) => {
                self.common.context.last_user = Some(name.clone());
                self.newcomer = Some(Newcomer {
                    name: name.clone(),
                    with_code: *with_code,
                });
            }
            (RequestContext::Other(RequestKind::ChangePassword), outcome) => {
                self.upstream.login.change(outcome.is_ok());
                // What was refused until now.
                self.check_rooms();
                if outcome.is_ok() {
                    self.ask_whether_away();
                } else {
                    self.common.verdict.record(WorstOutcome::Refused);
                }
            }
            // The account is gone, whatever mode the user is in by now.
            (RequestContext::Other(RequestKind::DeleteAccount), Ok(_))
                if self.mode.scope() != Some(Scope::Command) =>
            {
                self.go(Goto::Command);
            }
            (RequestContext::Introduce { room, is_new }, outcome) => {
                self.introduced(room, *is_new && outcome.is_ok());
            }
            (RequestContext::Typed(typed), Ok(_)) => self.open_answered(typed),
            (RequestContext::Send, outcome) => {
                let outcome = outcome.as_ref().map(|_| ());
                self.outbox
                    .sent(&mut self.common, &mut self.upstream, outcome);
            }
            (RequestContext::Recall(recall), Ok(event)) => self.recalled(recall, event),
            (RequestContext::Identify { .. }, _) => self.check_rooms(),
            (RequestContext::DeletedAs { was, .. }, _) => self.follow_deleted(was),
            (RequestContext::PasswordKind, outcome) => {
                self.say_password_kind(outcome.as_ref().map(|_| ()));
            }
            (RequestContext::CatchUp, Ok(_)) => self.caught_up(),
            (RequestContext::CatchUp, Err(fail)) => self.catch_up_refused(fail),
            // More was shown since, even if its chat is left again.
            (RequestContext::MarkRead(target), Ok(_)) if self.is_read(target) => {
                self.upstream.mark_read(&mut self.common, target);
            }
            (_, Err(_)) => self.common.verdict.record(WorstOutcome::Refused),
            _ => {}
        }
    }

    /// A page of what was missed came.
    fn caught_up(&mut self) {
        self.upstream.caught_up();
        self.upstream.catch_up(&mut self.common);
        // What is not shown is not marked as read.
        if let Some(target) = self.mode.read_target().cloned() {
            self.upstream.mark_read(&mut self.common, &target);
        }
        self.open_again();
    }

    /// The server refused what was missed. It is asked for again if the server may give it soon; otherwise the client
    /// goes on without it.
    fn catch_up_refused(&mut self, fail: &Fail) {
        // It is asked for again when the password is changed.
        if fail.wants_new_password() {
            return self.common.verdict.record(WorstOutcome::Refused);
        }
        // How long it takes is said apart.
        let reason = &self.common.context.language.refusal(&Fail {
            detail: Vec::new(),
            ..fail.clone()
        });
        if let Some(seconds) = fail.passes_in() {
            match self.upstream.delay_catch_up(&self.common, seconds) {
                Some(true) => return self.common.say(Text::MissedWaits { reason, seconds }),
                Some(false) => return,
                None => {}
            }
        }
        self.common.verdict.record(WorstOutcome::Refused);
        self.common.fail(Text::MissedNotFetched { reason });
        self.mode.on_gap();
        for update in self.common.context.session.leave_gap() {
            if self.shows(&update) {
                self.tell(&update);
            }
        }
        self.open_again();
    }

    /// A message came that a command means. What was typed since stays in the line, and the message is not edited then.
    fn recalled(&mut self, recall: &Recall, event: &Event) {
        let may_edit = self.mode.target() == Some(&recall.target)
            && self.composer.may_edit(&self.common, &*self.mode);
        let mut acts = recalled(recall, event, &self.common.context);
        acts.retain(|act| may_edit || !matches!(act, Act::Edit(..)));
        self.act(acts);
    }

    /// A user joined a room that is not open. The owner and operators of the room are told, once it is known that the
    /// user is one of them.
    fn joined(&mut self, room: &str, name: &str) {
        let target = Target::Room(room.to_owned());
        let is_known = self.common.context.session.room_settings(&target).is_some();
        let is_open = self.mode.target() == Some(&target);
        let is_hidden = self.common.context.settings.config.presence == Presence::Hide;
        if self.common.is_interactive()
            && !(is_known || is_open || is_hidden)
            && !(self.upstream.asks_after_joining(room) || self.upstream.is_crowded())
        {
            let (request, asked) = RequestContext::joined(room, name);
            self.ask(request, asked);
        }
    }

    /// A new room was introduced to the user. Its chat need not do so again when it opens.
    fn introduced(&mut self, room: &str, is_new: bool) {
        let is_open = self.mode.target() == Some(&Target::Room(room.to_owned()));
        if is_new && !is_open {
            self.common.context.session.introduced(room);
        }
    }

    /// Finds out why the password is to be changed, if a login says so.
    fn say_must_change(&mut self, event: &Event) {
        if let Event::LoginBundle {
            must_change_password: Some(true),
            ..
        } = event
            && self.common.is_interactive()
        {
            // A weak password and a temporary one look alike in the reply to a login.
            self.ask(Request::ListBlocked {}, RequestContext::PasswordKind);
        }
    }

    /// Says why the password is to be changed.
    fn say_password_kind(&mut self, outcome: Result<(), &Fail>) {
        self.common.say(match outcome {
            Ok(()) => Text::WeakPassword,
            Err(fail) if fail.wants_new_password() => Text::TemporaryPasswordAtLogin,
            Err(_) => Text::MustChangePassword,
        });
    }

    /// Whether it is more than a message of another chat's.
    fn shows(&self, update: &Update) -> bool {
        match update {
            Update::Message(target, post) => post.mine || self.mode.target() == Some(target),
            _ => true,
        }
    }

    fn is_read(&self, target: &Target) -> bool {
        let conversation = self.common.context.session.conversation(target);
        conversation.is_none_or(|found| found.unread() == 0)
    }

    /// A room or a friend has another name: the chat, unsent lines and questions stay.
    /// `created`: when the room was created, if that is known.
    fn rename(&mut self, was: &Target, now: &Target, created: Option<u64>) {
        if was == now || self.common.context.session.me().is_none() {
            return;
        }
        self.outbox.rename(&mut self.common, was, now);
        self.exporter.rename(was, now);
        self.upstream.rename(was, now, created);
        self.upstream.repeat_queries(&mut self.common, was, now);
        self.composer.rename(was, now);
        self.mode.on_rename(was, now);
        if let Some((_, chat)) = self.left_chat.as_mut().filter(|(_, chat)| chat == was) {
            chat.clone_from(now);
        }
    }

    /// A user left a room. The account may be deleted, which nothing else tells.
    fn ask_about_departed(&mut self, name: &str) {
        let session = &self.common.context.session;
        let is_held = session.holds_messages_of(name) && !session.is_bot(name);
        if is_held && self.common.is_interactive() {
            self.ask_whether_exists(name);
        }
    }

    fn ask_whether_exists(&mut self, name: &str) {
        // What is held of the user is asked for again when its chat is opened.
        if self.upstream.is_crowded() {
            return self.common.context.session.is_out_of_sight(name);
        }
        let (request, asked) = RequestContext::departed(name);
        if !self.upstream.asks(&asked) {
            self.ask(request, asked);
        }
    }

    /// The account of a user is deleted: what is shown of its messages is asked for again. `message`: one by which the
    /// server is asked first which name the conversation with the user has now.
    fn account_deleted(&mut self, name: &str, message: Option<u64>) {
        match message {
            Some(id) if !self.upstream.is_crowded() => {
                let (request, asked) = RequestContext::deleted_as(name, id);
                self.ask(request, asked);
            }
            _ => self.follow_deleted(name),
        }
        let is_told = self.common.context.session.has_conversation_with(name);
        let is_room = self.mode.target().is_some_and(Target::is_room);
        if is_room && let Some(room) = self.forgotten_chat() {
            if !is_told {
                self.common.say(Text::AccountOfDeleted { name });
            }
            self.go(Goto::Chat(room));
        }
    }

    /// The chat with a user whose account is deleted goes on under the name that the server gave it.
    fn follow_deleted(&mut self, was: &str) {
        let old = Target::Friend(was.to_owned());
        let now = self.common.context.session.present_target(old.clone());
        self.composer.rename(&old, &now);
        self.mode.on_rename(&old, &now);
        if let Some(chat) = self.forgotten_chat().filter(|chat| *chat == now) {
            self.go(Goto::Chat(chat));
        }
    }

    /// The open chat, if its messages were forgotten: it is to be loaded again.
    fn forgotten_chat(&self) -> Option<Target> {
        let target = self.mode.target()?;
        let conversation = self.common.context.session.conversation(target)?;
        let is_empty = conversation.lines().next().is_none();
        is_empty.then(|| target.clone())
    }

    /// The user has another name: unsent lines are kept under it, and the next login is under it.
    fn rename_me(&mut self, was: &str, name: &str) {
        self.upstream.login.rename(name);
        self.common.context.last_user = Some(name.to_owned());
        let (was, name) = (was.to_owned(), name.to_owned());
        self.outbox.rename_user(&mut self.common, &was, &name);
        let device = Effect::RenameDevice { was, name };
        self.common.output.push(device);
    }

    /// The room of the open chat is gone, or of the chat behind a question for a password.
    fn leave_lost_room(&mut self, update: &Update) {
        let room = match update {
            Update::Room(room_update) => room_update.room(),
            Update::LeftRoom(room) | Update::Answer(_, Ok(Event::LeftRoom { roomname: room })) => {
                room
            }
            _ => return,
        };
        let room = Target::Room(room.to_owned());
        let is_replaced = matches!(update, Update::Room(RoomUpdate::Replaced { .. }));
        if self.common.context.session.has(&room) && !is_replaced {
            return;
        }
        self.composer.close_about(&mut self.common, &room);
        self.mode.on_lost_room(&room);
        if self.mode.target() == Some(&room) {
            self.go(Goto::Contact);
        }
    }

    /// Unsent lines for a room that the reader left or joined: they are not for another room that has the name later,
    /// and go if this is the room that they were typed for.
    fn hold_lines(&mut self, update: &Update) {
        let room = match update {
            Update::NewRoom(room) | Update::LeftRoom(room) => room,
            Update::Answer(_, Ok(Event::LeftRoom { roomname })) => roomname,
            Update::Room(room_update) => room_update.room(),
            Update::Answer(RequestContext::Introduce { .. }, _) => return self.check_rooms(),
            _ => return,
        };
        let target = Target::Room(room.to_owned());
        let is_member = self.common.context.session.has(&target);
        if let Some(me) = self.common.me().filter(|_| !is_member) {
            self.common.context.outgoing.leave(&me, &target);
        }
        if !is_member || matches!(update, Update::NewRoom(_)) {
            self.check_rooms();
        }
    }

    /// Finds out after a login which rooms the known names stand for, with one question at a time: for the open chat
    /// and for unsent lines. Until then nothing is sent there, and nothing that was missed is asked for.
    fn check_rooms(&mut self) {
        if !self.upstream.may_ask() || self.outbox.is_loading() || self.upstream.identifies() {
            return;
        }
        if let Some(room) = self.next_to_identify() {
            let (request, asked) = RequestContext::identify(&room);
            return self.ask(request, asked);
        }
        self.follow_rooms();
        for update in self.common.context.session.lose_missing_rooms() {
            self.tell(&update);
        }
        // A room that is being joined may be the one.
        if self.joining.is_none() {
            self.outbox.say_held(&mut self.common);
            self.upstream.refuse_held(&mut self.common);
        }
        self.upstream.catch_up(&mut self.common);
        self.send_next();
        self.ask_queued();
    }

    /// The open chat, or the one behind a question for a password.
    fn chat(&self) -> Option<Target> {
        let open = self.mode.target().cloned();
        let behind = || self.mode.back().target().cloned();
        open.or_else(|| self.mode.scope().is_none().then(behind).flatten())
    }

    /// The rooms of the open chat, of unsent lines and of queued requests that are not there under their names, and
    /// when each was created.
    fn wanted_rooms(&self) -> BTreeSet<(String, u64)> {
        let chats = self.common.context.session.missing_rooms();
        let mut wanted = Outbox::sought(&self.common);
        wanted.extend(self.upstream.sought(&self.common));
        wanted.extend(chats.map(|(room, created)| (room.to_owned(), created)));
        wanted
    }

    /// Chats, unsent lines and queued requests follow rooms that have another name.
    fn follow_rooms(&mut self) {
        let session = &self.common.context.session;
        let mut wanted = self.wanted_rooms();
        wanted.retain(|(was, created)| session.is_elsewhere(was, *created));
        let is_only = |created: u64| wanted.iter().filter(|room| room.1 == created).count() == 1;
        let moved: Vec<_> = wanted
            .iter()
            .filter(|(_, created)| is_only(*created))
            .filter_map(|(was, created)| {
                let now = session.new_room_of(*created)?.to_owned();
                Some((was.clone(), *created, now))
            })
            .collect();
        for (was, created, now) in moved {
            self.follow_room(&was, created, &now);
        }
    }

    /// The room that was created then has another name: its lines, the requests about it and its chat follow.
    fn follow_room(&mut self, was: &str, created: u64, now: &str) {
        let target = |name: &str| Target::Room(name.to_owned());
        self.upstream
            .rename(&target(was), &target(now), Some(created));
        if Outbox::rename_room(&mut self.common, was, created, now)
            && let Some(me) = self.common.me()
        {
            self.outbox.save(&mut self.common, me);
        }
        let session = &mut self.common.context.session;
        let is_chat = session.missing_rooms().any(|room| room == (was, created));
        if !is_chat {
            return self.common.say(Text::RoomHasAnotherName { was, room: now });
        }
        let update = session.found_room(was, now);
        self.composer.rename(&target(was), &target(now));
        self.mode.on_rename(&target(was), &target(now));
        self.tell(&update);
    }

    /// The next room whose identity is to be asked for: one that has unsent lines, queued requests, an open chat or an
    /// open question, then the names of those that are missing, and last the new rooms that they may be.
    fn next_to_identify(&mut self) -> Option<String> {
        let queued = || self.upstream.next_to_identify(&self.common);
        if let Some(room) = Outbox::next_to_identify(&self.common).or_else(queued) {
            return Some(room);
        }
        let session = &self.common.context.session;
        let is_unasked = |room: &str| session.identity(room) == RoomIdentity::Unasked;
        let chat = self.chat().into_iter();
        let mut open = chat.chain(self.composer.targets());
        if let Some(target) = open.find(|target| {
            session.has(target) && session.created(target).is_some() && is_unasked(target.name())
        }) {
            return Some(target.name().to_owned());
        }
        let wanted = self.wanted_rooms();
        let session = &mut self.common.context.session;
        let is_unasked = |room: &str| session.identity(room) == RoomIdentity::Unasked;
        if let Some((room, _)) = wanted.iter().find(|(room, _)| is_unasked(room)) {
            return Some(room.clone());
        }
        let mut wanted = wanted.iter();
        let is_any = wanted.any(|(room, created)| session.is_elsewhere(room, *created));
        is_any.then(|| session.next_to_search()).flatten()
    }

    /// What was asked by ids of the old history is void.
    fn forget_history(&mut self) {
        self.composer.forget_messages(&mut self.common);
        self.outbox.forget_replies(&mut self.common);
        self.upstream.drop_pages(&mut self.common);
    }

    /// Keeps the secret by which the server knows this device. It gives bots none.
    fn keep_device(&mut self, device: Option<&DeviceSecret>) {
        let device = device.filter(|device| !device.is_none()).cloned();
        let user = self.common.me();
        if let (Some(user), Some(device)) = (user, device) {
            self.common.output.push(Effect::KeepDevice { user, device });
        }
    }
}
