//! The application: inputs become effects. It owns the line under edition, what is known and the
//! current mode; it has no file, no clock and no terminal.

mod connection;
mod effect;
mod input;
mod news;
mod question;
mod sending;
mod typing;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Duration;

use echat_proto::commands::Request;
use echat_proto::names::ResumeSecret;
use zeroize::Zeroizing;

use crate::exit::Exit;
use crate::line_editor::{Completer, LineEditor, PASTE_MAX};
use crate::modes::{Act, Goto, Mode, World};
use crate::net::connection::Connection;
use crate::render::safe::Safe;
use crate::render::styled::{Line, Span, Style};
use crate::session::outgoing::Outgoing;
use crate::session::{PendingRequests, Session};
use crate::settings::Settings;
use crate::text::{Language, Text};

pub use effect::{Alert, Effect, Files, Input};

use connection::Loss;
use input::{InputEnd, InputQueue, Verdict};
use question::{Question, Questions};
use sending::Sending;

/// What logs in, again after every reconnect: the secret of the last login, once, and else the password. Both stay in
/// memory, and are wiped at logout, when the password is refused, when another session takes over, and at the end. The
/// memory is kept from core dumps and other processes by [`private_memory`](echat_system::private_memory).
#[derive(Debug)]
struct Credentials {
    name: String,
    password: Zeroizing<String>,
    /// The secret of the last login. It is kept until the next login has given another one: as long as this client got
    /// no answer, it logs in again.
    resume: Option<ResumeSecret>,
}

/// The application.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct App {
    world: World,
    editor: LineEditor,
    completer: Option<Completer>,
    mode: Box<dyn Mode>,
    owed: PendingRequests,
    /// Requests that wait for the connection or the login.
    waiting: VecDeque<Request>,
    /// Lines of input that are not taken yet.
    input: InputQueue,
    connection: Connection,
    /// The monotonic time of the last [`Input::Elapsed`].
    at: Duration,
    /// The user of the last login that held, by normal name: what is remembered is of this one.
    known: Option<String>,
    /// Whether the newest login is of the user whose conversations are remembered.
    same_user: bool,
    credentials: Option<Credentials>,
    /// Whether the user was told of the present outage. It ends when the server answers.
    told_offline: bool,
    /// The seconds to the next try that the prompt shows.
    shown_wait: Option<u64>,
    sending: Sending,
    /// Whether the line under way can never be accepted, and is to be edited.
    is_given_back: bool,
    questions: Questions,
    /// The worst that happened, for the exit code.
    verdict: Verdict,
    /// Whether the line under edition holds what was no text.
    garbled: bool,
    over: bool,
    title: String,
    effects: Vec<Effect>,
}

impl App {
    /// An application that has not begun; [`Input::Start`] begins it.
    pub fn new(settings: Settings, language: Language) -> Self {
        let connection = Connection::new(settings.jitter_seed);
        Self {
            world: World {
                session: Session::default(),
                outgoing: Outgoing::default(),
                settings,
                language,
                now: 0,
                signed_in: false,
                is_offline: true,
                shown_day: Cell::new(None),
            },
            editor: LineEditor::new(),
            completer: None,
            mode: Goto::Command.mode(),
            owed: PendingRequests::default(),
            waiting: VecDeque::new(),
            input: InputQueue::default(),
            connection,
            at: Duration::ZERO,
            known: None,
            same_user: false,
            credentials: None,
            told_offline: false,
            shown_wait: None,
            sending: Sending::default(),
            is_given_back: false,
            questions: Questions::default(),
            verdict: Verdict::default(),
            garbled: false,
            over: false,
            title: String::new(),
            effects: Vec::new(),
        }
    }

    /// Takes an input and says what to do, in order.
    pub fn step(&mut self, input: Input) -> Vec<Effect> {
        if self.over {
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
                | Input::Heard
                | Input::Pong
                | Input::Shown
        );
        self.world.is_offline = !self.connection.is_open();
        match input {
            Input::Start => self.start(),
            Input::Key(key) => self.key(key),
            Input::Line(line) => self.line(Zeroizing::new(line)),
            // Later lines may depend on one that cannot be taken.
            Input::NotText { line } => self.input.finish(InputEnd::NotText(line)),
            Input::LineTooLong { line } => self.input.finish(InputEnd::LineTooLong(line)),
            Input::Utf16 => self.input.finish(InputEnd::Utf16),
            Input::Garbled => self.garbled = true,
            Input::PasteCut { whole } => self.say(Text::PasteCut {
                kept: PASTE_MAX as u64,
                whole: whole as u64,
            }),
            Input::Shown => self.shown(),
            // Lines are taken apart above.
            Input::Resize | Input::Lines(_) => {}
            // Another program may have changed the title of the window.
            Input::Resume => self.title.clear(),
            Input::Elapsed { at } => self.at = at,
            Input::Due => self.due(),
            Input::Woke => self.connection.woke(self.at),
            Input::Heard => self.connection.heard(self.at),
            Input::Pong => self.connection.pong(),
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
        let waits = self.connection.is_online() && self.world.pending() > 0;
        let sends_at = self.sending.opens_at(self.world.now).filter(|_| waits);
        let deadline = self.world.settings.deadline;
        [sends_at, deadline, self.mode.wakes_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The line under edition.
    pub fn editor(&self) -> &LineEditor {
        &self.editor
    }

    /// The prompt: an open question, mode and target, what is unread and what waits.
    pub fn prompt(&self) -> Line {
        let language = self.world.language;
        let mut spans = Vec::new();
        let mut add = |text: &str, style| {
            let text = Safe::line(text);
            spans.push(Span { text, style });
        };
        let is_empty = self.editor.text().is_empty();
        let question = self.questions.to_show(is_empty);
        if let Some(question) = question.filter(|_| self.mode.scope().is_some()) {
            let asks = match question {
                Question::Leave(room) => language.say(Text::LeaveRoomShort { room: room.name() }),
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
        add(&self.mode.prompt(&self.world), Style::Prompt);
        let unread = self.world.session.unread();
        if unread > 0 {
            add(&format!(" [{unread}]"), Style::Bold);
        }
        let count = self.world.pending() as u64;
        if count > 0 {
            let pending = language.say(Text::PendingCount { count });
            add(&format!(" ({pending})"), Style::Dim);
        }
        if self.says_offline() {
            // Where every prompt stays on the screen, the seconds would be a prompt each.
            let seconds = self
                .seconds_to_try()
                .filter(|_| self.world.settings.echoes);
            let said = match seconds {
                Some(seconds) => language.say(Text::OfflineUntil { seconds }),
                None => language.say(Text::Offline),
            };
            add(&format!(" ({said})"), Style::Error);
        }
        let end = if self.mode.scope().is_some() {
            "> "
        } else {
            ": "
        };
        add(end, Style::Prompt);
        Line(spans)
    }

    /// What stands in the prompt's place during a search in the history (C-r).
    pub fn search_prompt(&self) -> Option<Line> {
        let query = self.editor.search()?;
        let prompt = if self.editor.is_search_failed() {
            let failed = self.world.language.say(Text::NoMatch);
            format!("(C-r, {failed}) {query}: ")
        } else {
            format!("(C-r) {query}: ")
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
        let settings = &mut self.world.settings;
        let interactive = settings.interactive;
        let (user, password) = (settings.user.clone(), settings.password.take());
        if interactive {
            self.say(Text::Hello);
        }
        match (user, password) {
            (Some(name), Some(password)) => {
                self.go(Goto::Contact);
                self.log_in(name, password);
            }
            (Some(name), None) if interactive => self.go(Goto::Login(Some(name))),
            (Some(_), None) => {
                self.fail(Text::NoPassword);
                self.quit(Exit::Usage);
            }
            (None, _) => {}
        }
    }

    /// Does what a mode wants done.
    fn act(&mut self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Print(lines) => self.print(lines),
                Act::Ask(request) => self.ask_aloud(request),
                Act::LogIn { name, password } => self.log_in(name, password),
                Act::Send(target, text) => self.send_line(target, &text),
                Act::SendIfMeant(target, text) => self.ask_if_meant(target, text),
                Act::Read(target) => self.mark_read(&target),
                Act::Goto(place) => self.go(place),
                Act::Leave(room) => self.leave_room(room),
                Act::Withdraw(which) => self.withdraw(which),
                Act::Never(why) => self.cannot(&why),
                Act::Mistake => self.verdict.note(Verdict::Mistaken),
                Act::Quit => self.leave(),
            }
        }
    }

    fn go(&mut self, place: Goto) {
        if let Goto::Chat(target) = &place {
            self.world.session.touch(target);
        }
        self.mode = place.mode();
        let acts = self.mode.enter(&self.world);
        self.act(acts);
    }

    fn tick(&mut self, now: u64) {
        self.world.now = now;
        if self
            .world
            .settings
            .deadline
            .is_some_and(|deadline| now >= deadline)
        {
            self.fail(Text::TimeOut);
            return self.quit(Exit::TimeOut);
        }
        let acts = self.mode.on_tick(&self.world);
        self.act(acts);
        self.send_next();
    }

    fn print(&mut self, lines: Vec<Line>) {
        match self.effects.last_mut() {
            Some(Effect::Print(before)) => before.extend(lines),
            _ => self.effects.push(Effect::Print(lines)),
        }
    }

    fn say(&mut self, text: Text<'_>) {
        let line = self.world.line(text);
        self.print(vec![line]);
    }

    fn fail(&mut self, text: Text<'_>) {
        let line = self.world.error(text);
        self.print(vec![line]);
    }

    /// Leaves because a person wants to.
    fn leave(&mut self) {
        if self.world.settings.interactive {
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
        if !self.over {
            self.say_not_carried_out(exit);
            self.say_unsent();
            self.over = true;
            self.forget_credentials();
            self.write_unsaved();
            self.effects
                .extend([Effect::Disconnect, Effect::Quit(exit)]);
        }
    }

    /// Lines of a script that the end leaves behind. A line that is wrong itself says so already.
    fn say_not_carried_out(&mut self, exit: Exit) {
        let line = self.input.line_number() + 1;
        let count = self.input.clear();
        if count > 0 && !self.world.settings.interactive && exit != Exit::Usage {
            self.fail(Text::NotCarriedOut { line, count });
        }
    }

    fn finish(&mut self, shows: bool) -> Vec<Effect> {
        self.end_saving();
        let drawn = shows
            || self
                .effects
                .iter()
                .any(|effect| matches!(effect, Effect::Print(_)));
        let counts = self.says_offline() && self.world.settings.echoes;
        let wait = self.seconds_to_try().filter(|_| counts);
        let is_counted = wait != std::mem::replace(&mut self.shown_wait, wait);
        let drawn = drawn || is_counted;
        if self.world.settings.interactive && !self.over {
            self.editor.masked(self.mode.is_secret());
            self.editor.use_history(self.mode.history().unwrap_or(""));
            if self.world.settings.config.title {
                let title = format!("echat {}", self.title_text());
                if title != self.title {
                    self.title.clone_from(&title);
                    self.effects.push(Effect::Title(title));
                }
            }
            if drawn {
                self.effects.push(Effect::Prompt);
            }
        }
        std::mem::take(&mut self.effects)
    }

    /// The prompt without its end, and without the seconds to the next try.
    fn title_text(&self) -> String {
        let mut spans = self.prompt().0;
        if self.says_offline()
            && let Some(span) = spans.iter_mut().find(|span| span.style == Style::Error)
        {
            let offline = self.world.language.say(Text::Offline);
            span.text = Safe::line(&format!(" ({offline})"));
        }
        let text: String = spans.iter().map(|span| span.text.as_str()).collect();
        text.trim_end_matches(['>', ':', ' ']).to_owned()
    }
}
