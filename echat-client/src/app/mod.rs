//! The application: inputs become effects. It owns the edited line, the session and the current mode; it
//! has no file, no clock and no terminal.

mod connection;
mod draft;
mod editing;
mod effect;
mod events;
mod input;
mod login;
mod outage;
mod output;
mod question;
mod requests;
mod sending;
mod typing;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::exit::Exit;
use crate::line_editor::{LineEditor, PASTE_MAX};
use crate::modes::{Act, Context, Goto, Mode};
use crate::net::connection::Connection;
use crate::render::safe::Safe;
use crate::render::styled::{Line, Span, Style};
use crate::session::outgoing::Outgoing;
use crate::session::{RequestContext, Session};
use crate::settings::Settings;
use crate::target::Target;
use crate::text::{Language, Text};

pub use effect::{Alert, Effect, Files, Input};

use connection::Loss;
use draft::{Draft, EditedMessage};
use input::{InputEnd, InputQueue, WorstOutcome};
use login::{Login, LoginSecret};
use outage::{Outage, seconds_to_attempt};
use output::Output;
use question::{Question, Questions};
use requests::Requests;
use sending::Sending;

/// The application. Each part of its state is a type that keeps its own rules; the methods here and in
/// the modules of events (`connection`, `events`, `typing`, `sending`) only carry an input from one to
/// another.
#[derive(Debug)]
pub struct App {
    /// What modes read.
    context: Context,
    mode: Box<dyn Mode>,
    draft: Draft,
    questions: Questions,
    /// Lines of input that are not taken yet.
    input: InputQueue,
    /// The worst that happened, for the exit code.
    verdict: WorstOutcome,
    login: Login,
    connection: Connection,
    outage: Outage,
    /// The room of the address, while it is being joined.
    joining: Option<Target>,
    requests: Requests,
    sending: Sending,
    /// The monotonic time of the last [`Input::Elapsed`].
    at: Duration,
    is_over: bool,
    output: Output,
}

impl App {
    /// An application that has not started; [`Input::Start`] starts it.
    pub fn new(settings: Settings, language: Language) -> Self {
        let connection = Connection::new(settings.jitter_seed);
        Self {
            context: Context {
                session: Session::default(),
                outgoing: Outgoing::default(),
                settings,
                language,
                now: 0,
                signed_in: false,
                is_offline: true,
                line_number: None,
                shown_day: Cell::new(None),
                server: None,
            },
            mode: Goto::Command.mode(),
            draft: Draft::new(),
            questions: Questions::default(),
            input: InputQueue::default(),
            verdict: WorstOutcome::default(),
            login: Login::default(),
            connection,
            outage: Outage::default(),
            joining: None,
            requests: Requests::default(),
            sending: Sending::default(),
            at: Duration::ZERO,
            is_over: false,
            output: Output::default(),
        }
    }

    /// Takes an input and says what to do, in order.
    pub fn step(&mut self, input: Input) -> Vec<Effect> {
        if self.is_over {
            return Vec::new();
        }
        let input = match input {
            Input::Lines(text) => return self.lines(&Zeroizing::new(text)),
            input => input,
        };
        let shows = !matches!(
            input,
            Input::Tick { .. }
                | Input::Elapsed { .. }
                | Input::Due
                | Input::Woke
                | Input::Server(_)
                | Input::Heard
                | Input::Pong
                | Input::Shown
        );
        self.context.is_offline = !self.connection.is_open();
        match input {
            Input::Start => self.start(),
            Input::Key(key) => self.key(key),
            Input::Line(line) => self.line(Zeroizing::new(line)),
            // Later lines may depend on one that cannot be taken.
            Input::NotText { line } => self.input.finish(InputEnd::NotText(line)),
            Input::LineTooLong { line } => self.input.finish(InputEnd::LineTooLong(line)),
            Input::Utf16 => self.input.finish(InputEnd::Utf16),
            Input::Garbled => self.draft.garble(),
            Input::PasteCut { whole } => self.say(Text::PasteCut {
                kept: PASTE_MAX as u64,
                whole: whole as u64,
            }),
            Input::Shown => self.shown(),
            // Lines are taken apart above.
            Input::Resize | Input::Lines(_) => {}
            // Another program may have changed the title of the window.
            Input::Resume => self.output.forget_title(),
            Input::Elapsed { at } => self.at = at,
            Input::Due => self.due(),
            Input::Woke => self.connection.woke(self.at),
            Input::Heard => self.connection.heard(self.at),
            Input::Pong => self.connection.pong(),
            Input::Server(server) => self.context.server = Some(server),
            Input::Connected => self.connected(),
            Input::Event(event) => self.event(event),
            Input::Closed(reason) => self.closed(reason.map_or(Loss::Cut, Loss::Closed)),
            Input::ConnectFailed { address, why } => self.connect_failed(&address, &why),
            Input::Outgoing { user, lines } => self.take_outgoing(&user, lines.as_deref()),
            Input::Kept { files } => self.sending.keep_in(files),
            Input::NoOutgoing { why } => self.lack_outgoing(&why),
            Input::Tick { now } => self.tick(now),
            Input::EndOfInput => self.end_of_input(),
        }
        self.take_lines();
        self.end_if_done();
        self.finish(shows)
    }

    /// When the next [`Input::Tick`] has something to do, in unix seconds.
    pub fn wakes_at(&self) -> Option<u64> {
        let waits = self.connection.is_online() && self.context.pending() > 0;
        let sends_at = self.sending.opens_at(self.context.now).filter(|_| waits);
        let deadline = self.context.settings.deadline;
        [sends_at, deadline, self.mode.wakes_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The edited line.
    pub fn editor(&self) -> &LineEditor {
        self.draft.editor()
    }

    /// The prompt: an open question, mode and target, unread messages and unsent lines.
    pub fn prompt(&self) -> Line {
        let language = self.context.language;
        let mut spans = Vec::new();
        let mut add = |text: &str, style| {
            let text = Safe::line(text);
            spans.push(Span { text, style });
        };
        let is_empty = self.draft.is_empty();
        let question = self.questions.to_show(is_empty);
        if let Some(question) = question.filter(|_| self.mode.scope().is_some()) {
            let asks = match question {
                Question::Confirm(typed) => {
                    let question = typed.question(language);
                    question.map(|(_, prompt)| prompt).unwrap_or_default()
                }
                Question::Privacy(_) => language.say(Text::PublicOrPrivateShort),
                Question::Delete(..) => language.say(Text::DeleteShort),
                Question::SendAsText(..) => language.say(Text::SendAsText),
                Question::Paste(pasted) => {
                    let count = pasted.count() as u64;
                    language.say(match (pasted.may_be_each(), pasted.may_be_one()) {
                        (true, true) => Text::PasteShort { count },
                        (true, false) => Text::PasteShortEach { count },
                        (false, _) => Text::PasteShortOne { count },
                    })
                }
            };
            add(&format!("{asks} "), Style::Bold);
        }
        if self.draft.edited_message().is_some() {
            let editing = language.say(Text::Editing);
            add(&format!("({editing}) "), Style::Bold);
        }
        add(&self.mode.prompt(&self.context), Style::Prompt);
        let session = &self.context.session;
        match (session.unread(), session.mentions()) {
            (0, _) => {}
            (unread, 0) => add(&format!(" [{unread}]"), Style::Bold),
            (unread, mentions) => {
                add(&format!(" [{unread}, "), Style::Bold);
                add(&format!("@{mentions}"), Style::Mention);
                add("]", Style::Bold);
            }
        }
        let count = self.context.pending() as u64;
        if count > 0 {
            let pending = language.say(Text::PendingCount { count });
            add(&format!(" ({pending})"), Style::Dim);
        }
        if self.says_offline() {
            // Where every prompt stays on the screen, the seconds would be a prompt each.
            let seconds = self
                .seconds_to_attempt()
                .filter(|_| self.context.settings.echoes);
            let said = match seconds {
                Some(seconds) => language.say(Text::OfflineUntil { seconds }),
                None => language.say(Text::Offline),
            };
            add(&format!(" ({said})"), Style::Error);
        }
        if self.mode.scope().is_some() {
            add("> ", Style::Prompt);
        } else {
            add(&language.say(Text::AsksFor), Style::Prompt);
        }
        Line(spans)
    }

    /// What stands in the prompt's place during a search in the history (Ctrl-R).
    pub fn search_prompt(&self) -> Option<Line> {
        let query = self.editor().search()?;
        let prompt = if self.editor().is_search_failed() {
            let failed = self.context.language.say(Text::NoMatch);
            format!("(Ctrl-R, {failed}) {query}: ")
        } else {
            format!("(Ctrl-R) {query}: ")
        };
        Some(Line::styled(Safe::line(&prompt), Style::Prompt))
    }

    /// The question that the next line answers, if it is an answer. What is asked for in a mode without
    /// commands is no answer.
    fn open_question(&self) -> Option<&Question> {
        let answerable = self.questions.answerable();
        answerable.filter(|_| self.mode.scope().is_some())
    }

    fn start(&mut self) {
        let settings = &mut self.context.settings;
        let interactive = settings.interactive;
        let is_invited = settings.is_invited;
        let user = settings.user.clone();
        let token = settings.token.take().map(LoginSecret::Token);
        let secret = token.or(settings.password.take().map(LoginSecret::Password));
        if interactive {
            self.say(Text::Hello);
        }
        match (user, secret) {
            (Some(name), Some(secret)) => {
                self.go(Goto::Contact);
                self.log_in(name, secret);
            }
            (Some(name), None) if interactive => self.go(Goto::Login(Some(name))),
            (Some(_), None) => {
                self.fail(Text::NoPassword);
                self.quit(Exit::Usage);
            }
            (None, _) if is_invited && interactive => {
                self.say(Text::Invited);
                self.go(Goto::Register);
            }
            (None, _) => {}
        }
    }

    /// Does what a mode wants done.
    fn act(&mut self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Print(lines) => self.print(lines),
                Act::Ask(request) => {
                    let asked = RequestContext::of(&request);
                    self.ask_aloud(request, asked);
                }
                Act::AskFor(request, asked) => self.ask_aloud(request, asked),
                Act::Look(lookup) => {
                    let request = lookup.request();
                    self.ask_aloud(request, RequestContext::Lookup(lookup));
                }
                Act::Reply(target, text, id) => self.send_reply(target, &text, Some(id)),
                Act::Edit(target, said) => self.draft.edit(EditedMessage::new(target, &said)),
                Act::ChangeText(target, id, text) => self.change_text(&target, id, &text),
                Act::Delete(target, said) => self.delete_message(target, said),
                Act::Typed(typed) => self.carry_out_typed(typed),
                Act::AskTimed(timed) => self.ask_time_for(timed),
                Act::LogIn { name, password } => self.log_in(name, LoginSecret::Password(password)),
                Act::ChangePassword { old, new } => self.change_password(&old, new),
                Act::Send(target, text) => self.send_line(target, &text),
                Act::SendIfMeant(target, text) => self.ask_if_meant(target, text),
                Act::Read(target) => self.mark_read(&target),
                Act::Goto(place) => self.go(place),
                Act::Withdraw(which) => self.withdraw(which),
                Act::Never(why) => self.cannot(&why),
                Act::Mistake => self.verdict.note(WorstOutcome::Mistaken),
                Act::Quit => self.leave(),
            }
        }
    }

    fn go(&mut self, place: Goto) {
        if let Some(edited) = self.draft.end_edit() {
            self.say_not_edited(&edited);
        }
        if let Goto::Chat(target) | Goto::ChatAround(target, _) | Goto::ChatAfter(target, _) =
            &place
        {
            self.context.session.touch(target);
        }
        self.mode = place.mode();
        let acts = self.mode.enter(&self.context);
        self.act(acts);
    }

    fn tick(&mut self, now: u64) {
        self.context.now = now;
        if self
            .context
            .settings
            .deadline
            .is_some_and(|deadline| now >= deadline)
        {
            self.fail(Text::TimeOut);
            return self.quit(Exit::TimeOut);
        }
        let acts = self.mode.on_tick(&self.context);
        self.act(acts);
        self.send_next();
    }

    fn print(&mut self, lines: Vec<Line>) {
        self.output.print(lines);
    }

    fn say(&mut self, text: Text<'_>) {
        let line = self.context.line(text);
        self.print(vec![line]);
    }

    fn fail(&mut self, text: Text<'_>) {
        let line = self.context.error(text);
        self.print(vec![line]);
    }

    /// Leaves because a person wants to.
    fn leave(&mut self) {
        if self.context.settings.interactive {
            self.put_questions_aside();
            self.drop_waiting();
            self.say_unsent();
            self.say(Text::Bye);
            self.quit(Exit::Success);
        } else {
            self.input.clear();
            self.end_of_input();
        }
    }

    fn quit(&mut self, exit: Exit) {
        if !self.is_over {
            self.say_not_carried_out(exit);
            self.say_unsent();
            self.is_over = true;
            self.forget_credentials();
            self.write_unsaved();
            self.output.push(Effect::Disconnect);
            self.output.push(Effect::Quit(exit));
        }
    }

    /// Lines of a script that the end leaves behind. A line that is wrong itself says so already.
    fn say_not_carried_out(&mut self, exit: Exit) {
        let line = self.input.line_number() + 1;
        let count = self.input.clear();
        if count > 0 && !self.context.settings.interactive && exit != Exit::Usage {
            self.fail(Text::NotCarriedOut { line, count });
        }
    }

    fn finish(&mut self, shows: bool) -> Vec<Effect> {
        self.end_saving();
        let counts = self.says_offline() && self.context.settings.echoes;
        let seconds = self.seconds_to_attempt().filter(|_| counts);
        let is_counted = self.outage.show(seconds);
        let drawn = shows || is_counted || self.output.prints();
        if self.context.settings.interactive && !self.is_over {
            let history = self.mode.history().unwrap_or("");
            self.draft.adapt(self.mode.is_secret(), history);
            if self.context.settings.config.title {
                let title = format!("echat {}", self.title_text());
                self.output.name_window(title);
            }
            if drawn {
                self.output.push(Effect::Prompt);
            }
        }
        self.output.take()
    }

    /// The seconds to the next attempt to connect, as they are shown.
    fn seconds_to_attempt(&self) -> Option<u64> {
        seconds_to_attempt(&self.connection, self.at)
    }

    /// The prompt without its end, and without the seconds to the next try.
    fn title_text(&self) -> String {
        let mut spans = self.prompt().0;
        if self.says_offline()
            && let Some(span) = spans.iter_mut().find(|span| span.style == Style::Error)
        {
            let offline = self.context.language.say(Text::Offline);
            span.text = Safe::line(&format!(" ({offline})"));
        }
        let text: String = spans.iter().map(|span| span.text.as_str()).collect();
        text.trim_end_matches(['>', ':', '：', ' ']).to_owned()
    }
}
