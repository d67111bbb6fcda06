//! What the application wants done.

use std::io;

use echat_proto::channel::Message;
use echat_proto::commands::CloseReason;
use zeroize::{Zeroize, Zeroizing};

use super::{End, EventLoop, Peer};
use crate::app::{Effect, Input};
use crate::chat::backoff;
use crate::chat::fault::Fault;
use crate::chat::server::Dial;
use crate::chat::unsent::UnsentError;
use crate::link::Unwatched;
use crate::safe::Safe;
use crate::styled::{Line, Style};
use crate::text::Text;

impl EventLoop {
    pub(super) fn perform(&mut self, effect: Effect) -> io::Result<()> {
        match effect {
            Effect::Print(lines) => self.screen.print(lines),
            Effect::Prompt => self.screen.prompt(),
            Effect::Connect => self.dial()?,
            Effect::ReconnectIn { attempt } => {
                self.peer = Peer::Waiting(self.clock.now() + backoff::wait(attempt));
            }
            Effect::Disconnect => self.hang_up(),
            Effect::Send(message) => self.send(message),
            Effect::Bell => self.screen.bell()?,
            Effect::Title(title) => self.screen.title(&title)?,
            Effect::Notify { title, body } => self.screen.notify(&title, &body)?,
            Effect::LoadOutgoing { user } => {
                let loaded = self.unsent.load(&user);
                let files = self.unsent.files(&user).filter(|_| loaded.is_ok());
                self.inputs.push_back(Input::Kept { files });
                let input = match loaded {
                    Ok(lines) => Input::Outgoing { user, lines },
                    Err(error) => Input::NoOutgoing {
                        why: error.said(self.language),
                    },
                };
                self.inputs.push_back(input);
            }
            Effect::SaveOutgoing { user, lines } => {
                let saved = self.unsent.save(&user, &lines);
                if saved.is_err() != self.keeps_badly {
                    self.keeps_badly = saved.is_err();
                    let files = self.unsent.files(&user).filter(|_| saved.is_ok());
                    self.inputs.push_back(Input::Kept { files });
                }
                if let Err(error) = saved {
                    self.complain(&error);
                }
            }
            Effect::SetAside { user, line } => {
                if let Err(error) = self.unsent.set_aside(&user, &line) {
                    self.complain(&error);
                }
            }
            Effect::ClearScreen => self.screen.clear(&self.app)?,
            Effect::Quit(exit) => self.end = Some(End::Exit(exit)),
        }
        Ok(())
    }

    /// Sends a message, which may be a LOGIN, and wipes it.
    fn send(&mut self, mut message: Message) {
        if let Peer::Up(link) = &mut self.peer {
            let plain = message.encode().expect("a request has a wire form");
            let plain = Zeroizing::new(plain);
            link.send(&plain, &mut Unwatched);
        }
        message.params.zeroize();
    }

    /// Begins to connect.
    pub(super) fn dial(&mut self) -> io::Result<()> {
        self.peer = Peer::Dialling(Dial::start(&self.server, self.clock)?);
        Ok(())
    }

    /// Says goodbye, if there is somebody to say it to. What is still to be shown is shown first:
    /// the other end may take its time.
    pub(super) fn hang_up(&mut self) {
        let peer = std::mem::replace(&mut self.peer, Peer::Down);
        if let Peer::Up(link) = peer {
            // A failure is told at the end, when the other end has heard goodbye.
            if let Err(error) = self.screen.flush(&self.app) {
                self.broken.get_or_insert(error);
            }
            link.leave(Some(CloseReason::Bye), &self.clock, &mut Unwatched);
        }
    }

    /// Shows what is wrong with a file of unsent lines; people can go on without it.
    fn complain(&mut self, error: &UnsentError) {
        let why = error.said(self.language);
        let said = self.language.say(Text::OutgoingFault { why: &why });
        self.screen
            .print(vec![Line::styled(Safe::line(&said), Style::Error)]);
    }
}
