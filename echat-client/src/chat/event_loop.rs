//! The loop: poll(2) over the keyboard, the connection and signals, with what the application
//! wants done. Nothing here waits for anything else, but for a typed yes before a server is
//! trusted, and for the goodbye at the end. While nothing happens, nothing runs.

mod connection;
mod effects;
mod secret;
mod trust;

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use super::choices::Choices;
use super::keyboard::{Keyboard, Typed};
use super::screen::Screen;
use super::server::{Dial, Server};
use super::signals::{self, Signals, Wish};
use super::unsent::Unsent;
use crate::app::{App, Input};
use crate::clock::Clock;
use crate::exit::Exit;
use crate::line_editor::Key;
use crate::link::Link;
use crate::text::{Language, Text};
use crate::wait::{Interest, Watched, wait};
use secret::Answer;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Exit(Exit),
    /// By this signal.
    Signal(i32),
}

/// The other end.
enum Peer {
    Down,
    /// To be called at this time.
    Waiting(Duration),
    Dialling(Dial),
    Up(Box<Link>),
}

/// Everything that the loop holds.
pub(super) struct EventLoop {
    app: App,
    screen: Screen,
    keyboard: Keyboard,
    signals: Signals,
    peer: Peer,
    server: Server,
    unsent: Unsent,
    /// Whether unsent lines could not be written the last time.
    keeps_badly: bool,
    clock: Clock,
    language: Language,
    interactive: bool,
    /// What happened and was not told yet.
    inputs: VecDeque<Input>,
    /// The unix second that the application knows.
    second: u64,
    end: Option<End>,
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
        let end = ask_for_password(&mut choices, &mut signals)?;
        let screen = Screen::new(choices.look, interactive)?;
        Ok(Self {
            app: App::new(choices.settings, choices.language),
            keyboard: Keyboard::new(screen.is_raw()),
            screen,
            signals,
            peer: Peer::Down,
            server: choices.server,
            unsent: choices.unsent,
            keeps_badly: false,
            clock: choices.clock,
            language: choices.language,
            interactive,
            inputs: VecDeque::new(),
            second: 0,
            end,
            broken: None,
        })
    }

    /// Runs to the end. The terminal is given back whatever the end is.
    pub(super) fn run(mut self) -> io::Result<End> {
        let ended = self.converse();
        let left = self.screen.leave(&self.app);
        self.hang_up();
        let end = ended?;
        // A terminal that hung up cannot be written to, and nobody is there to tell.
        if matches!(end, End::Exit(_)) {
            self.broken.map_or(left, Err)?;
        }
        Ok(end)
    }

    fn converse(&mut self) -> io::Result<End> {
        if self.end.is_none() {
            self.step(Input::Start)?;
        }
        loop {
            if let Some(end) = self.end {
                return Ok(end);
            }
            self.screen.flush(&self.app)?;
            let ready = self.wait()?;
            if ready.signals {
                self.obey()?;
            }
            let mut typed = self.keyboard.late(&self.clock);
            if ready.input {
                typed.extend(self.keyboard.read(&self.clock)?);
            }
            for typed in typed {
                self.take(typed)?;
            }
            self.screen.late(self.clock.now());
            self.turn_to_peer(ready.peer)?;
            self.step_if_due()?;
        }
    }

    /// Tells the application what happened, and does what it wants, and so on.
    fn step(&mut self, input: Input) -> io::Result<()> {
        let now = self.clock.unix().as_secs();
        if now != self.second {
            self.second = now;
            self.inputs.push_back(Input::Tick { now });
        }
        self.inputs.push_back(input);
        while let Some(input) = self.inputs.pop_front() {
            for effect in self.app.step(input) {
                self.perform(effect)?;
            }
        }
        Ok(())
    }

    /// Tells the time, if that is what the application waits for.
    fn step_if_due(&mut self) -> io::Result<()> {
        let now = self.clock.unix().as_secs();
        match self.app.wakes_at() {
            Some(due) if due <= now && now != self.second => {
                self.second = now;
                self.step(Input::Tick { now })
            }
            _ => Ok(()),
        }
    }

    fn deadline(&self) -> Option<Duration> {
        let now = self.clock.now();
        let wakes = self.app.wakes_at().map(|unix| {
            // Not before the second after the one that was told: the answer would be the same.
            let due = Duration::from_secs(unix.max(self.second + 1));
            now.saturating_add(due.saturating_sub(self.clock.unix()))
        });
        let calls = match self.peer {
            Peer::Waiting(at) => Some(at),
            _ => None,
        };
        [
            wakes,
            calls,
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
            Peer::Up(link) => {
                link.socket().flush();
                link.socket().interest()
            }
            _ => Interest::Read,
        };
        let mut fds = vec![Watched::new(&self.signals, Interest::Read)];
        match &self.peer {
            Peer::Up(link) => fds.push(Watched::new(&**link, interest)),
            Peer::Dialling(dial) => fds.push(Watched::new(dial, interest)),
            Peer::Down | Peer::Waiting(_) => {}
        }
        let has_peer = fds.len() > 1;
        if reads {
            fds.push(Watched::new(&stdin, Interest::Read));
        }
        wait(&mut fds, &self.clock, deadline)?;
        let is_ready = |fd: Option<&Watched<'_>>| fd.is_some_and(Watched::is_ready);
        Ok(Ready {
            signals: is_ready(fds.first()),
            peer: has_peer && is_ready(fds.get(1)),
            input: reads && is_ready(fds.last()),
        })
    }

    fn obey(&mut self) -> io::Result<()> {
        for wish in self.signals.take() {
            match wish {
                Wish::Resize => {
                    let cols = self.screen.resize(self.clock.now())?;
                    self.step(Input::Resize { cols })?;
                }
                Wish::Stop => self.stop()?,
                Wish::Continue => {
                    self.screen.enter(self.clock.now())?;
                    self.step(Input::Resume)?;
                }
                Wish::Interrupt if self.interactive => {
                    self.screen.line_entered();
                    self.step(Input::Key(Key::Ctrl('c')))?;
                }
                Wish::Interrupt => self.end = Some(End::Signal(signal_hook::consts::SIGINT)),
                Wish::End(signal) => self.end = Some(End::Signal(signal)),
            }
        }
        Ok(())
    }

    /// Stops until continued, which is a signal of its own.
    fn stop(&mut self) -> io::Result<()> {
        self.screen.leave(&self.app)?;
        signals::stop()
    }

    fn take(&mut self, typed: Typed) -> io::Result<()> {
        match typed {
            Typed::Key(Key::Ctrl('z')) => self.stop(),
            Typed::Key(key) => self.step(Input::Key(key)),
            Typed::Reply(reply) => self.screen.reply(reply),
            Typed::Line(line) if self.interactive => {
                self.screen.line_entered();
                // The terminal has shown the line; all that matters is that it was entered.
                let _ = self.app.step(Input::Key(Key::Paste(line)));
                self.step(Input::Key(Key::Enter))
            }
            Typed::Line(line) => {
                self.screen.line_entered();
                self.step(Input::Line(line))
            }
            Typed::NotText(line) => {
                self.screen.line_entered();
                let line = line as u64;
                self.step(Input::NotText { line })
            }
            Typed::Garbled => self.step(Input::Garbled),
            Typed::End => self.step(Input::EndOfInput),
        }
    }
}

/// Asks for the password of a user who is named, where there is no prompt to ask at later. How the
/// program ends, if it does.
fn ask_for_password(choices: &mut Choices, signals: &mut Signals) -> io::Result<Option<End>> {
    let settings = &mut choices.settings;
    let Some(name) = &settings.user else {
        return Ok(None);
    };
    if settings.interactive || settings.password.is_some() {
        return Ok(None);
    }
    let question = choices.language.say(Text::PasswordOf { name });
    match secret::ask(&question, signals, &choices.clock)? {
        Answer::Secret(password) => settings.password = Some(password),
        Answer::Nothing => {}
        Answer::End(end) => return Ok(Some(end)),
    }
    Ok(None)
}
