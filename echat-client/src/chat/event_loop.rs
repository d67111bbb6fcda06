//! The loop: poll(2) over the keyboard, the connection and signals, with what the application
//! wants done. It blocks elsewhere only for a typed yes before a server is trusted, and for the
//! goodbye at the end. While nothing happens, nothing runs.
//!
//! The application decides when to connect, to ping and to give up; the loop holds what that
//! needs, a thread that connects or a link, and reports what becomes of it.

mod secret;
mod trust;

use std::collections::{BTreeSet, VecDeque};
use std::env;
use std::io;
use std::time::Duration;

use echat_proto::channel::{ChannelError, Incoming, Message};
use echat_proto::commands::{CloseReason, Event, channel};
use echat_proto::value::Value;
use zeroize::{Zeroize, Zeroizing};

use super::choices::Choices;
use super::devices::Devices;
use super::export::{ExportError, ExportFile};
use super::fault::LocalizedError;
use super::keyboard::{Keyboard, KeyboardInput};
use super::screen::Screen;
use super::server::{Dial, KnownServer};
use super::signals::{self, SignalAction, Signals};
use super::unsent::{Unsent, UnsentError};
use crate::app::{App, Effect, ExportReport, Input, has_long_name};
use crate::clock::Clock;
use crate::exit::Exit;
use crate::line_editor::Key;
use crate::net::address::LinkTarget;
use crate::net::link::{Link, Unwatched};
use crate::net::socket::Received;
use crate::net::wait::{Interest, WatchedFd, wait};
use crate::net::wake::Wakes;
use crate::render::safe::Safe;
use crate::render::styled::{Line, Style};
use crate::text::{Language, Text};
use secret::SecretAnswer;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProgramEnd {
    Exit(Exit),
    /// By this signal.
    Signal(i32),
}

/// What the loop holds of the connection. Its states are the application's.
enum LinkState {
    None,
    Dialling(Dial),
    Up(Box<Link>),
}

/// Everything that the loop holds.
pub(super) struct EventLoop {
    app: App,
    screen: Screen,
    keyboard: Keyboard,
    signals: Signals,
    wakes: Wakes,
    peer: LinkState,
    server: KnownServer,
    unsent: Unsent,
    /// The export that is being written.
    export: Option<ExportFile>,
    devices: Devices,
    /// The users whose unsent lines could not be written the last time.
    save_failed: BTreeSet<String>,
    clock: Clock,
    language: Language,
    interactive: bool,
    /// What happened and was not told yet.
    inputs: VecDeque<Input>,
    /// The unix second that the application knows.
    second: u64,
    end: Option<ProgramEnd>,
    /// The first failure to show something on the way out.
    broken: Option<io::Error>,
}

/// What poll(2) found.
struct Ready {
    signals: bool,
    input: bool,
    peer: bool,
}

impl EventLoop {
    pub(super) fn new(mut choices: Choices) -> io::Result<Self> {
        let interactive = choices.settings.interactive;
        // Before the terminal changes its mode, so that no signal leaves it changed.
        let mut signals = Signals::new()?;
        let wakes = Wakes::new(&choices.clock)?;
        let end = ask_for_password(&mut choices, &mut signals)?;
        let screen = Screen::new(choices.look, interactive)?;
        Ok(Self {
            app: App::new(choices.settings, choices.language),
            keyboard: Keyboard::new(interactive),
            screen,
            signals,
            wakes,
            peer: LinkState::None,
            server: choices.server,
            unsent: choices.unsent,
            export: None,
            devices: choices.devices,
            save_failed: BTreeSet::new(),
            clock: choices.clock,
            language: choices.language,
            interactive,
            inputs: VecDeque::new(),
            second: 0,
            end,
            broken: None,
        })
    }

    /// Runs to the end. The terminal is restored whatever the end is.
    pub(super) fn run(mut self) -> io::Result<ProgramEnd> {
        let ended = self.converse();
        let left = self.screen.leave(&self.app);
        self.hang_up();
        let end = ended?;
        // After a signal the terminal may be gone, so a failure to write to it means nothing.
        if matches!(end, ProgramEnd::Exit(_)) {
            self.broken.map_or(left, Err)?;
        }
        Ok(end)
    }

    fn converse(&mut self) -> io::Result<ProgramEnd> {
        if self.end.is_none() {
            self.step(Input::Start)?;
        }
        loop {
            if let Some(end) = self.end {
                return Ok(end);
            }
            let is_read = self.has_read_for_question()?;
            let is_painted = self.screen.flush(&self.app, self.clock.now())?;
            if is_read && is_painted {
                self.step(Input::Shown)?;
            }
            let ready = self.wait()?;
            if ready.signals {
                self.handle_signals()?;
            }
            if self.wakes.take(&self.clock) {
                self.step(Input::Woke)?;
            }
            // What is there has come in time.
            let typed = if ready.input {
                self.keyboard.read(&self.clock)?
            } else {
                self.keyboard.late(&self.clock)
            };
            for typed in typed {
                self.take(typed)?;
            }
            self.screen.late(self.clock.now());
            if ready.peer {
                self.serve_connection()?;
            }
            self.step_if_due()?;
        }
    }

    /// Tells the application what happened and when, and does what it wants, and so on.
    fn step(&mut self, input: Input) -> io::Result<()> {
        let now = self.clock.unix().as_secs();
        if now != self.second {
            self.second = now;
            self.inputs.push_back(Input::Tick { now });
        }
        let at = self.clock.now();
        self.inputs.push_back(Input::Elapsed { at });
        self.inputs.push_back(input);
        while let Some(input) = self.inputs.pop_front() {
            for effect in self.app.step(input) {
                self.perform(effect)?;
            }
        }
        Ok(())
    }

    /// Whether a question is to be shown and every key that was typed before this moment is read.
    fn has_read_for_question(&self) -> io::Result<bool> {
        if !self.app.has_unseen_question() || self.keyboard.deadline().is_some() {
            return Ok(false);
        }
        if !self.keyboard.is_open() {
            return Ok(true);
        }
        let stdin = rustix::stdio::stdin();
        let mut fds = [WatchedFd::new(&stdin, Interest::Read)];
        wait(&mut fds, &self.clock, Some(self.clock.now()))?;
        Ok(!fds[0].is_ready())
    }

    /// Tells the time, if that is what the application waits for. Everything that came was read
    /// before.
    fn step_if_due(&mut self) -> io::Result<()> {
        let now = self.clock.unix().as_secs();
        if self.app.wakes_at().is_some_and(|due| due <= now) && now != self.second {
            self.second = now;
            self.step(Input::Tick { now })?;
        }
        let at = self.clock.now();
        if self.app.elapses_at().is_some_and(|due| due <= at) {
            self.step(Input::Due)?;
        }
        Ok(())
    }

    fn deadline(&self) -> Option<Duration> {
        let now = self.clock.now();
        let wakes = self.app.wakes_at().map(|unix| {
            // Not before the second after the one that was told: the answer would be the same.
            let due = Duration::from_secs(unix.max(self.second + 1));
            now.saturating_add(due.saturating_sub(self.clock.unix()))
        });
        [
            wakes,
            self.app.elapses_at(),
            self.keyboard.deadline(),
            self.screen.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn wait(&mut self) -> io::Result<Ready> {
        let deadline = self.deadline();
        let stdin = rustix::stdio::stdin();
        let reads = self.keyboard.is_open() && self.app.wants_input();
        let interest = match &mut self.peer {
            LinkState::Up(link) => {
                link.flush(&mut Unwatched);
                link.interest()
            }
            _ => Interest::Read,
        };
        let mut fds = vec![WatchedFd::new(&self.signals, Interest::Read)];
        match &self.peer {
            LinkState::Up(link) => fds.push(WatchedFd::new(&**link, interest)),
            LinkState::Dialling(dial) => fds.push(WatchedFd::new(dial, interest)),
            LinkState::None => {}
        }
        let has_peer = fds.len() > 1;
        fds.extend(self.wakes.watched());
        if reads {
            fds.push(WatchedFd::new(&stdin, Interest::Read));
        }
        let from = self.clock.now();
        wait(&mut fds, &self.clock, deadline)?;
        let is_ready = |fd: Option<&WatchedFd<'_>>| fd.is_some_and(WatchedFd::is_ready);
        let found = Ready {
            signals: is_ready(fds.first()),
            peer: has_peer && is_ready(fds.get(1)),
            input: reads && is_ready(fds.last()),
        };
        if reads {
            self.keyboard.waited(from, self.clock.now(), found.input);
        }
        Ok(found)
    }

    // ---- the system and the user

    fn handle_signals(&mut self) -> io::Result<()> {
        for action in self.signals.take() {
            match action {
                SignalAction::Resize => {
                    self.screen.resize(self.clock.now());
                    self.step(Input::Resize)?;
                }
                SignalAction::Stop => self.stop()?,
                SignalAction::Continue => {
                    self.screen.enter(self.clock.now())?;
                    self.step(Input::Resume)?;
                }
                SignalAction::Interrupt if self.interactive => {
                    self.screen.end_line(&self.app)?;
                    self.step(Input::Key(Key::Ctrl('c')))?;
                }
                SignalAction::Interrupt => {
                    self.end = Some(ProgramEnd::Signal(signal_hook::consts::SIGINT));
                }
                SignalAction::End(signal) => self.end = Some(ProgramEnd::Signal(signal)),
            }
        }
        Ok(())
    }

    /// Stops until continued, which is a signal of its own.
    fn stop(&mut self) -> io::Result<()> {
        self.screen.leave(&self.app)?;
        signals::stop()
    }

    fn take(&mut self, typed: KeyboardInput) -> io::Result<()> {
        match typed {
            KeyboardInput::Key(Key::Ctrl('z')) => self.stop(),
            KeyboardInput::Key(key) => {
                if matches!(key, Key::Enter | Key::Ctrl('c')) {
                    self.screen.end_line(&self.app)?;
                }
                self.step(Input::Key(key))
            }
            KeyboardInput::Reply(reply) => {
                self.screen.reply(reply);
                Ok(())
            }
            KeyboardInput::Line(line) => {
                self.screen.end_line(&self.app)?;
                self.step(Input::Line(line))
            }
            KeyboardInput::Lines(text) => {
                self.screen.end_line(&self.app)?;
                self.step(Input::Lines(text))
            }
            KeyboardInput::PasteCut { whole } => self.step(Input::PasteCut { whole }),
            KeyboardInput::Utf16 => self.step(Input::Utf16),
            KeyboardInput::NotText(line) => {
                self.screen.end_line(&self.app)?;
                let line = line as u64;
                self.step(Input::NotText { line })
            }
            KeyboardInput::LineTooLong(line) => {
                let line = line as u64;
                self.step(Input::LineTooLong { line })
            }
            KeyboardInput::Garbled => self.step(Input::Garbled),
            KeyboardInput::End => self.step(Input::EndOfInput),
        }
    }

    // ---- what the application wants done

    fn perform(&mut self, effect: Effect) -> io::Result<()> {
        match effect {
            Effect::Print(lines) => self.screen.print(lines),
            Effect::Prompt => self.screen.prompt(),
            Effect::Connect => self.dial()?,
            Effect::Disconnect => self.hang_up(),
            // Nothing waits for what such a socket still holds.
            Effect::GiveUp => self.peer = LinkState::None,
            Effect::Send(message) => self.send(message),
            Effect::LogIn { user, login } => self.log_in(&user, login),
            Effect::KeepDevice { user, device } => self.devices.keep(&user, &device),
            Effect::RenameDevice { was, name } => self.devices.rename(&was, &name),
            Effect::Ping => self.send(Message {
                command: channel::PING,
                params: Value::Null,
            }),
            Effect::Alert(alert) => self.screen.alert(&alert, self.clock.now())?,
            Effect::Title(title) => self.screen.title(&title)?,
            Effect::LoadOutgoing { user } => {
                let loaded = self.unsent.load(&user);
                let files = self.unsent.files(&user).filter(|_| loaded.is_ok());
                self.inputs.push_back(Input::Kept {
                    user: user.clone(),
                    files,
                });
                let input = match loaded {
                    Ok(lines) => Input::Outgoing { user, lines },
                    Err(error) => Input::NoOutgoing {
                        user,
                        why: error.localized(self.language),
                    },
                };
                self.inputs.push_back(input);
            }
            Effect::SaveOutgoing { user, lines } => self.save_unsent(user, &lines),
            Effect::SetAside { user, line } => {
                if let Err(error) = self.unsent.set_aside(&user, &line) {
                    self.show_unsent_error(&error);
                }
            }
            Effect::CreateExport { file } => {
                let created = ExportFile::create(&file, |name| env::var_os(name));
                let report = created.map(|file| self.export = Some(file));
                self.report_export(report, ExportReport::Created);
            }
            Effect::WriteExport { lines } => {
                if let Some(export) = &mut self.export {
                    let written = export.write(&lines);
                    self.report_export(written, ExportReport::Written);
                }
            }
            Effect::FinishExport => {
                if let Some(export) = self.export.take() {
                    self.report_export(export.finish(), ExportReport::Finished);
                }
            }
            Effect::DropExport => self.export = None,
            Effect::ClearScreen => self.screen.clear(&self.app)?,
            Effect::Quit(exit) => self.end = Some(ProgramEnd::Exit(exit)),
        }
        Ok(())
    }

    /// Writes a user's file of unsent lines, and says when that begins to fail or succeeds again.
    fn save_unsent(&mut self, user: String, lines: &str) {
        let saved = self.unsent.save(&user, lines);
        let is_news = match &saved {
            Ok(()) => self.save_failed.remove(&user),
            Err(_) => self.save_failed.insert(user.clone()),
        };
        if is_news {
            let files = self.unsent.files(&user).filter(|_| saved.is_ok());
            self.inputs.push_back(Input::Kept { user, files });
        }
        if let Err(error) = saved {
            self.show_unsent_error(&error);
        }
    }

    /// Shows what is wrong with a file of unsent lines; the program goes on without it.
    fn show_unsent_error(&mut self, error: &UnsentError) {
        let why = error.localized(self.language);
        let said = self.language.say(Text::OutgoingFault { why: &why });
        self.screen
            .print(vec![Line::styled(Safe::line(&said), Style::Error)]);
    }

    /// Tells the application what became of a step of the export. A file that cannot be written is dropped.
    fn report_export(&mut self, outcome: Result<(), ExportError>, done: ExportReport) {
        let report = match outcome {
            Ok(()) => done,
            Err(error) => {
                self.export = None;
                match error {
                    ExportError::Exists => ExportReport::Exists,
                    error => ExportReport::Failed {
                        why: error.localized(self.language),
                    },
                }
            }
        };
        self.inputs.push_back(Input::Export(report));
    }

    // ---- the connection

    /// Begins to connect.
    fn dial(&mut self) -> io::Result<()> {
        self.peer = LinkState::Dialling(Dial::start(&self.server, self.clock)?);
        Ok(())
    }

    /// Sends a LOGIN with the secret of this device.
    fn log_in(&mut self, user: &str, mut login: Message) {
        if let (Some(device), Value::Dict(entries)) = (self.devices.load(user), &mut login.params) {
            entries.push(("device".to_owned(), Value::Str(device.to_text())));
        }
        self.send(login);
    }

    /// Sends a message, which may be a LOGIN, and wipes it.
    fn send(&mut self, mut message: Message) {
        if let LinkState::Up(link) = &mut self.peer {
            let plain = Zeroizing::new(message.encode().expect("a request has a wire form"));
            link.send(&plain, &mut Unwatched);
        }
        message.params.zeroize();
    }

    /// Says goodbye, if a connection is there. What is still to be shown is shown first: the other
    /// end may take its time.
    fn hang_up(&mut self) {
        if matches!(self.peer, LinkState::Up(_)) {
            // A failure is told at the end, when the other end has heard goodbye.
            if let Err(error) = self.screen.paint(&self.app) {
                self.broken.get_or_insert(error);
            }
        }
        self.leave(CloseReason::Bye);
    }

    fn leave(&mut self, reason: CloseReason) {
        if let LinkState::Up(link) = std::mem::replace(&mut self.peer, LinkState::None) {
            link.leave(Some(reason), &self.clock, &mut Unwatched);
        }
    }

    /// The thread that connects is done, or bytes came.
    fn serve_connection(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.peer, LinkState::None) {
            LinkState::None => Ok(()),
            LinkState::Dialling(dial) => match dial.finish() {
                Ok(link) => {
                    self.unsent.server(link.key());
                    self.devices.server(link.key());
                    let server = LinkTarget {
                        fingerprint: Some(link.key().clone()),
                        ..LinkTarget::at(self.server.address.clone())
                    };
                    self.step(Input::Server(server))?;
                    self.peer = LinkState::Up(Box::new(link));
                    self.step(Input::Connected)
                }
                Err(failure) => self.failed(failure),
            },
            LinkState::Up(mut link) => {
                link.flush(&mut Unwatched);
                let received = link.receive(&mut Unwatched);
                self.peer = LinkState::Up(link);
                if let Received::Bytes(_) = received {
                    self.step(Input::Heard)?;
                }
                self.listen(received == Received::End)
            }
        }
    }

    /// Takes what came. What the application wants in response may end the connection.
    fn listen(&mut self, ended: bool) -> io::Result<()> {
        while let LinkState::Up(link) = &mut self.peer {
            let incoming = match link.next_frame(&mut Unwatched) {
                Ok(Some(incoming)) => incoming,
                Ok(None) => break,
                Err(error) => return self.reject_protocol(error),
            };
            for incoming in incoming {
                self.receive(incoming)?;
            }
        }
        let LinkState::Up(link) = &self.peer else {
            return Ok(());
        };
        if ended {
            self.peer = LinkState::None;
            self.step(Input::Closed(None))
        } else if link.is_worn_out() {
            let reason = CloseReason::KeyWornOut;
            self.leave(reason);
            self.step(Input::Closed(Some(reason as u64)))
        } else {
            Ok(())
        }
    }

    /// Takes what came over the channel.
    fn receive(&mut self, incoming: Incoming) -> io::Result<()> {
        // What follows the end of the connection in the same frame is not taken.
        let LinkState::Up(_) = &self.peer else {
            return Ok(());
        };
        match incoming {
            Incoming::Message(mut message) => {
                let event = Event::from_message(&message);
                // It may be a LOGIN_BUNDLE, with the secrets of the next login.
                message.params.zeroize();
                match event {
                    Some(Ok(event)) if !has_long_name(&event) => self.step(Input::Event(event)),
                    // A command of the future.
                    None => Ok(()),
                    Some(_) => {
                        self.leave(CloseReason::Malformed);
                        self.step(Input::Closed(None))
                    }
                }
            }
            // The link answers it.
            Incoming::Ping => Ok(()),
            Incoming::Pong => self.step(Input::Pong),
            Incoming::Close(reason) => {
                self.peer = LinkState::None;
                self.step(Input::Closed(Some(reason)))
            }
        }
    }

    /// Closes the connection: the server does not speak echat/2.
    fn reject_protocol(&mut self, error: ChannelError) -> io::Result<()> {
        if matches!(error, ChannelError::Malformed(_)) {
            self.leave(CloseReason::Malformed);
        }
        // Otherwise nothing is believed any more, so nothing is said.
        self.peer = LinkState::None;
        self.step(Input::Closed(None))
    }
}

/// Asks for the password of a user who is named, where there is no prompt to ask at later. How the
/// program ends, if it does.
fn ask_for_password(
    choices: &mut Choices,
    signals: &mut Signals,
) -> io::Result<Option<ProgramEnd>> {
    let settings = &mut choices.settings;
    let Some(name) = &settings.user else {
        return Ok(None);
    };
    if settings.interactive || settings.password.is_some() || settings.token.is_some() {
        return Ok(None);
    }
    let question = choices.language.say(Text::PasswordOf { name });
    match secret::ask(&question, signals, &choices.clock)? {
        SecretAnswer::Secret(password) => settings.password = Some(password),
        SecretAnswer::Nothing => {}
        SecretAnswer::End(end) => return Ok(Some(end)),
    }
    Ok(None)
}
