//! Which replies the server still owes.
//!
//! Every request gets exactly one final reply, in the order of the requests (wire.md 5.1), so a
//! reply belongs to the oldest request that is still unanswered. A PONG may overtake replies.

use std::collections::VecDeque;

use echat_proto::channel::{Channel, Incoming, Message};
use echat_proto::commands::{self, Direction};
use echat_proto::value::Value;
use zeroize::Zeroize;

const REGISTER: u32 = 2;
/// The number of LOGIN.
pub const LOGIN: u32 = 3;
const LOGIN_SUCCESS: u32 = 103;
const ON_NEW_MESSAGE: u32 = 109;
const COMMAND_WRONG: u32 = 204;
const REFUSED: u32 = 205;

/// A request that was sent: a number of its own, and which command it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Counts requests; a later one is larger.
    pub id: u64,
    /// The command.
    pub command: u32,
}

/// A final reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was asked.
    pub request: Request,
    /// Whether the server said no.
    pub refused: bool,
}

/// What was asked and not answered.
#[derive(Debug, Default)]
pub struct Owed {
    requests: VecDeque<Request>,
    pongs: u64,
    last_id: u64,
}

impl Owed {
    /// Counts what a frame with this plaintext will be answered with, and says whether it is a
    /// goodbye, after which the server answers nothing.
    pub fn sent(&mut self, plain: &[u8]) -> bool {
        // What is malformed is answered by closing: nothing is owed for it.
        let mut goodbye = false;
        for message in Channel::read_plain(plain).unwrap_or_default() {
            match message {
                Incoming::Message(Message {
                    command,
                    mut params,
                }) => {
                    params.zeroize();
                    self.last_id += 1;
                    self.requests.push_back(Request {
                        id: self.last_id,
                        command,
                    });
                }
                Incoming::Ping => self.pongs += 1,
                Incoming::Pong => {}
                Incoming::Close(_) => goodbye = true,
            }
        }
        goodbye
    }

    /// If this message is the final reply of the oldest request, that is answered now.
    pub fn answered(&mut self, message: &Message) -> Option<Answer> {
        let request = *self.requests.front()?;
        let refused = final_reply(request.command, message)?;
        self.requests.pop_front();
        Some(Answer { request, refused })
    }

    /// Whether a PONG was asked for; then it is owed no longer.
    pub fn pong(&mut self) -> bool {
        let asked = self.pongs > 0;
        self.pongs = self.pongs.saturating_sub(1);
        asked
    }

    /// Whether everything has come.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.pongs == 0
    }

    /// Whether a login is under way.
    pub fn owes_login(&self) -> bool {
        self.requests.iter().any(|request| request.command == LOGIN)
    }

    /// The newest unanswered request that a message of this number may belong to.
    pub fn newest_for(&self, number: u32) -> Option<u64> {
        let found = self
            .requests
            .iter()
            .rev()
            .find(|asked| may_get(asked.command, number));
        found.map(|request| request.id)
    }

    /// What is still owed, for people.
    pub fn describe(&self) -> String {
        let names = self
            .requests
            .iter()
            .take(5)
            .map(|asked| super::message::name(asked.command));
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

/// Whether a message that answers `request`, finally or on the way, may have this number.
pub fn may_get(request: u32, number: u32) -> bool {
    let known = commands::by_number(request).filter(|info| info.direction == Direction::Request);
    let on_the_way = request == LOGIN && number == LOGIN_SUCCESS;
    matches!(number, COMMAND_WRONG | REFUSED)
        || on_the_way
        || known.is_some_and(|info| info.is_ended_by(number))
}

/// Whether a message of this number may be an event too, so that one which does not match an
/// expectation proves nothing.
pub fn may_be_event(number: u32) -> bool {
    number == ON_NEW_MESSAGE
}

/// Whether `message` ends a request, and then whether it refuses it.
fn final_reply(request: u32, message: &Message) -> Option<bool> {
    let Message { command, params } = message;
    if matches!(*command, COMMAND_WRONG | REFUSED) {
        let asked = params.at("command");
        return asked
            .is_none_or(|asked| *asked == Value::Int(request.into()))
            .then_some(true);
    }
    let info = commands::by_number(request).filter(|info| info.direction == Direction::Request)?;
    if !info.is_ended_by(*command) || (may_be_event(*command) && params.at("txn_id").is_none()) {
        return None;
    }
    if info.reply != Some(*command) {
        return Some(true);
    }
    // One number says both yes and no.
    let says_no = info.refusal == info.reply && params.at("success") != Some(&Value::Bool(true));
    Some(says_no)
}

/// Whether a frame with this plaintext asks for a login, or for an account.
pub fn holds_password(plain: &[u8]) -> bool {
    let number = plain
        .first_chunk()
        .map(|number| u32::from_be_bytes(*number));
    matches!(number, Some(REGISTER | LOGIN))
}

/// Whether a message says that the login holds.
pub fn logs_in(message: &Message) -> bool {
    message.command == LOGIN_SUCCESS
}

#[cfg(test)]
mod tests;
