//! A connection that did not come up, above all since the server's key is not trusted.

use std::io;
use std::os::fd::AsFd;

use echat_proto::handshake::HandshakeError;

use super::{EventLoop, ProgramEnd};
use crate::app::Input;
use crate::chat::fault::LocalizedError;
use crate::chat::server::{ConnectError, DamagedHosts};
use crate::chat::signals::{self, SignalAction};
use crate::exit::Exit;
use crate::local::ask::{self, TrustAnswer, Tty};
use crate::net::fingerprint::Fingerprint;
use crate::net::link::OpenError;
use crate::net::trust::Untrusted;
use crate::net::wait::{Interest, WatchedFd, wait};
use crate::render::safe::Safe;
use crate::render::styled::{Line, Style};
use crate::terminal::Encoded;
use crate::text::Text;

impl EventLoop {
    pub(super) fn failed(&mut self, failure: ConnectError) -> io::Result<()> {
        let address = self.server.address.to_string();
        let address = address.as_str();
        match failure {
            ConnectError::Unknown { shown, damaged } => {
                self.ask_about_unknown_server(address, &shown, damaged.as_ref())
            }
            ConnectError::Open(OpenError::Untrusted(Untrusted::Changed { shown, known })) => {
                let known: Vec<String> = known.iter().map(ToString::to_string).collect();
                let shown = &shown.to_string();
                let mut why = vec![Text::KeyChanged { address }, Text::KeyShown { key: shown }];
                why.extend(known.iter().map(|key| Text::KeyExpected { key }));
                why.push(Text::KeyChangedHint { address });
                self.distrust(&why)
            }
            ConnectError::Open(OpenError::Untrusted(Untrusted::NotPinned { shown, pinned })) => {
                let (shown, pinned) = (&shown.to_string(), &pinned.to_string());
                self.distrust(&[
                    Text::KeyNotPinned { address },
                    Text::KeyShown { key: shown },
                    Text::KeyExpected { key: pinned },
                ])
            }
            ConnectError::Open(OpenError::Handshake(error @ HandshakeError::BadSignature)) => {
                let why = &error.localized(self.language);
                self.distrust(&[Text::CannotConnect { address, why }])
            }
            ConnectError::Hosts(error) => {
                self.show(&error.localized(self.language), Style::Error);
                self.step(Input::Untrusted(Exit::Local))
            }
            other => self.unreachable(&other),
        }
    }

    fn unreachable(&mut self, fault: &dyn LocalizedError) -> io::Result<()> {
        self.step(Input::ConnectFailed {
            address: self.server.address.to_string(),
            why: fault.localized(self.language),
        })
    }

    /// A server that was never seen: a person is asked, and a person may take longer than the
    /// handshake may, so that it begins anew.
    fn ask_about_unknown_server(
        &mut self,
        address: &str,
        shown: &Fingerprint,
        damaged: Option<&DamagedHosts>,
    ) -> io::Result<()> {
        let key = shown.to_string();
        let key = key.as_str();
        let tty = (!self.interactive).then(Tty::open).and_then(Result::ok);
        // One of these lines may have been the key of this server.
        let damage = damaged.map(|hosts| (hosts.file(), hosts.lines()));
        let damage = damage
            .as_ref()
            .map(|(file, lines)| Text::HostsDamaged { file, lines });
        let told = [Text::UnknownServer { address }, Text::KeyShown { key }];
        let told = damage.into_iter().chain(told);
        if !self.interactive && tty.is_none() {
            let link = format!("echat://{address}/#{key}");
            let hint = Text::UnknownServerHint { link: &link };
            return self.distrust(&told.chain([hint]).collect::<Vec<_>>());
        }
        let origin = self.server.is_from_here.then_some(Text::AddressFromHere);
        for text in origin.into_iter().chain(told) {
            let text = self.language.say(text);
            match &tty {
                Some(tty) => {
                    let text = format!("{}\n", Safe::text(&text));
                    ask::put(Encoded::new(tty.file()), &text)?;
                }
                None => self.show(&text, Style::Bold),
            }
        }
        let Some(answer) = self.ask_for_yes(tty.as_ref())? else {
            return Ok(());
        };
        if !answer {
            return self.distrust(&[Text::NoYes]);
        }
        self.screen.prompt();
        match self.server.remember(shown) {
            Ok(()) => self.dial(),
            Err(error) => {
                self.show(&error.localized(self.language), Style::Error);
                if error.is_helped_by_pinning() {
                    let link = format!("echat://{address}/#{key}");
                    let hint = self.language.say(Text::KeyNotKept { link: &link });
                    self.show(&hint, Style::Error);
                }
                self.step(Input::Untrusted(Exit::Local))
            }
        }
    }

    /// Waits for a line, and only for that; signals are obeyed in that time. `None` if
    /// that is to end.
    fn ask_for_yes(&mut self, tty: Option<&Tty>) -> io::Result<Option<bool>> {
        let question = self.language.say(Text::TypeYes);
        self.screen.ask(&question, &self.app, tty)?;
        loop {
            let stdin = rustix::stdio::stdin();
            let typed = tty.map_or(stdin, AsFd::as_fd);
            let mut fds = [
                WatchedFd::new(&self.signals, Interest::Read),
                WatchedFd::new(&typed, Interest::Read),
            ];
            wait(&mut fds, &self.clock, None)?;
            let is_answered = fds[1].is_ready();
            for action in self.signals.take() {
                match action {
                    // Its size is asked for again when the question is over.
                    SignalAction::Resize => {}
                    SignalAction::Stop => signals::stop()?,
                    SignalAction::Continue => self.screen.ask(&question, &self.app, tty)?,
                    SignalAction::Interrupt => return Ok(Some(false)),
                    SignalAction::End(signal) => {
                        self.end = Some(ProgramEnd::Signal(signal));
                        return Ok(None);
                    }
                }
            }
            if is_answered {
                let now = self.clock.now();
                match self.screen.answer(typed, now)? {
                    TrustAnswer::Yes => return Ok(Some(true)),
                    TrustAnswer::No => return Ok(Some(false)),
                    TrustAnswer::Unclear => {
                        let hint = self.language.say(Text::YesOrNo);
                        let again = format!("{hint}\n{question}");
                        self.screen.ask(&again, &self.app, tty)?;
                    }
                }
            }
        }
    }

    /// Says why the server is not trusted. The application decides whether it ends: what is typed stays, where there
    /// was a session.
    fn distrust(&mut self, why: &[Text<'_>]) -> io::Result<()> {
        for text in why {
            let sentence = self.language.say(*text);
            self.show(&sentence, Style::Error);
        }
        self.step(Input::Untrusted(Exit::NotTrusted))
    }

    fn show(&mut self, text: &str, style: Style) {
        let rows = Safe::text(text);
        let lines = rows.lines().map(|row| Line::styled(row, style));
        self.screen.print(lines.collect());
    }
}
