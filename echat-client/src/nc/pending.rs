//! Which replies the server still has to send.
//!
//! Which reply answers which request is decided by [`echat_proto::commands::PendingReplies`]. A PONG may
//! overtake replies.

use echat_proto::channel::{Channel, Incoming, Message};
use echat_proto::commands::{self, CommandInfo, Ending, PendingReplies, SessionEffect};
use zeroize::Zeroize;

/// A request that was sent: a number of its own, and which command it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingRequest {
    /// Counts requests; a later one is larger.
    pub id: u64,
    /// The command.
    pub command: u32,
}

/// A final reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinalReply {
    /// The request that it answers.
    pub request: PendingRequest,
    /// Whether it refuses the request.
    pub refused: bool,
}

/// Requests and PINGs that are not answered.
#[derive(Debug, Default)]
pub struct Pending {
    requests: PendingReplies<PendingRequest>,
    pongs: u64,
    last_id: u64,
}

impl Pending {
    /// Counts what a frame with this plaintext will be answered with, and says whether it is a
    /// goodbye, after which the server answers nothing.
    pub fn sent(&mut self, plain: &[u8]) -> bool {
        // A malformed frame is answered by closing: no reply will come.
        let mut goodbye = false;
        for message in Channel::read_plain(plain).unwrap_or_default() {
            match message {
                Incoming::Message(Message {
                    command,
                    mut params,
                }) => {
                    params.zeroize();
                    self.last_id += 1;
                    let id = self.last_id;
                    self.requests.sent(command, PendingRequest { id, command });
                }
                Incoming::Ping => self.pongs += 1,
                Incoming::Pong => {}
                Incoming::Close(_) => goodbye = true,
            }
        }
        goodbye
    }

    /// Takes the oldest request out if this message is the final reply to it.
    pub fn answered(&mut self, message: &Message) -> Option<FinalReply> {
        let answered = self.requests.answered(message)?;
        Some(FinalReply {
            request: answered.request,
            refused: answered.ending == Ending::Refused,
        })
    }

    /// Whether a PING is unanswered; takes it out.
    pub fn pong(&mut self) -> bool {
        let asked = self.pongs > 0;
        self.pongs = self.pongs.saturating_sub(1);
        asked
    }

    /// Whether everything has come.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.pongs == 0
    }

    /// How many requests are unanswered.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether a login is under way.
    pub fn owes_login(&self) -> bool {
        let begins = |command| {
            let answers = commands::by_number(command).and_then(|info| info.answers);
            answers.is_some_and(|answers| answers.session == SessionEffect::Begins)
        };
        self.requests.iter().any(|(command, _)| begins(command))
    }

    /// The newest unanswered request that a message of this number may belong to.
    pub fn newest_for(&self, number: u32) -> Option<u64> {
        let found = self
            .requests
            .iter()
            .rev()
            .find(|(command, _)| commands::may_answer(*command, number));
        found.map(|(_, request)| request.id)
    }

    /// What is still unanswered, for people.
    pub fn describe(&self) -> String {
        let names = self
            .requests
            .iter()
            .take(5)
            .map(|(command, _)| super::message::name(command));
        let mut names: Vec<String> = names.collect();
        if self.requests.len() > names.len() {
            names.push(format!("and {} more", self.requests.len() - names.len()));
        }
        if self.pongs > 0 {
            names.push("PING".to_owned());
        }
        names.join(", ")
    }
}

/// Whether the parameters of a frame with this plaintext hold a secret.
pub fn holds_secret(plain: &[u8]) -> bool {
    let number = plain
        .first_chunk()
        .map(|number| u32::from_be_bytes(*number));
    let info = number.and_then(commands::by_number);
    info.is_some_and(CommandInfo::is_secret)
}

/// Whether a message says that the login holds.
pub fn logs_in(message: &Message) -> bool {
    message.command == commands::event::LOGIN_SUCCESS
}

#[cfg(test)]
mod tests;
