//! Messages that came, and the wait for a certain one among them.
//!
//! Every message that comes goes through the [`Inbox`]; an [`Expectation`] takes messages from it
//! in order until one matches. So a message that came before the script got to its expectation is
//! found, and each message answers at most one expectation.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

use echat_proto::channel::Message;
use echat_proto::commands;
use echat_proto::json;
use echat_proto::value::Value;
use zeroize::Zeroize;

use super::message;
use super::pending::{FinalReply, Pending};
use super::subset;
use crate::secret::Secret;

/// How long an expectation waits when there is no limit on the whole session.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// The inbox forgets its oldest messages when it has more than these: most sessions never ask.
const MAX_MESSAGES: usize = 4096;
const MAX_BYTES: usize = 16 << 20;
/// How much of what came instead is shown: the newest messages, and the beginning of each.
const SHOWN_MESSAGES: usize = 10;
const SHOWN_CHARS: usize = 400;

/// A message that came.
#[derive(Clone, Debug)]
pub struct ReceivedMessage {
    /// The message.
    pub message: Message,
    /// The same as a line. The shorter buffers that it had while it was written are not wiped.
    pub line: Secret,
    /// What it is the final reply to.
    pub answers: Option<FinalReply>,
    /// Whether it was counted as a refusal, as one in the login sequence is not.
    pub is_counted: bool,
}

/// It may be a LOGIN_BUNDLE, with the secrets of the next login, or the BOT_TOKEN.
impl Drop for ReceivedMessage {
    fn drop(&mut self) {
        self.message.params.zeroize();
    }
}

/// Messages that no expectation has looked at.
#[derive(Debug, Default)]
pub struct Inbox {
    seen: VecDeque<ReceivedMessage>,
    bytes: usize,
}

impl Inbox {
    /// Adds a message that came.
    pub fn push(&mut self, seen: ReceivedMessage) {
        self.bytes += seen.line.len();
        self.seen.push_back(seen);
        while self.seen.len() > MAX_MESSAGES || (self.bytes > MAX_BYTES && self.seen.len() > 1) {
            self.pop();
        }
    }

    fn pop(&mut self) -> Option<ReceivedMessage> {
        let seen = self.seen.pop_front()?;
        self.bytes -= seen.line.len();
        Some(seen)
    }

    /// The newest request whose answer lies here and may have this number.
    fn newest_for(&self, number: u32) -> Option<u64> {
        let answered = self.seen.iter().rev().filter_map(|seen| seen.answers);
        let mut asked = answered.map(|answer| answer.request);
        asked
            .find(|request| commands::may_answer(request.command, number))
            .map(|request| request.id)
    }
}

/// What a script waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// The command.
    pub number: u32,
    /// What its parameters must have; `None`: anything.
    pub subset: Option<Value>,
    /// The number of the line that says so.
    pub line: usize,
}

impl Expect {
    /// Bytes that its parameters take in memory.
    pub fn bytes(&self) -> usize {
        self.subset.as_ref().map_or(0, bytes_of)
    }
}

/// Bytes that a value takes in memory.
fn bytes_of(value: &Value) -> usize {
    let inside = match value {
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.iter().map(bytes_of).sum(),
        Value::Dict(entries) => {
            let entries = entries.iter();
            let sizes =
                entries.map(|(key, value)| size_of::<String>() + key.len() + bytes_of(value));
            sizes.sum()
        }
        Value::Null | Value::Int(_) | Value::Float(_) | Value::Bool(_) => 0,
    };
    size_of::<Value>() + inside
}

/// An [`Expect`] that is waited for.
#[derive(Debug)]
pub struct Expectation {
    expect: Expect,
    /// The newest request that could be answered by it: when that is answered otherwise, only
    /// an event could still match, and this is none.
    request: Option<u64>,
    /// When it fails.
    pub deadline: Duration,
    passed_over: VecDeque<Secret>,
    passed_over_before: usize,
}

/// How an expectation stands.
#[derive(Debug)]
pub enum ExpectationState {
    /// This message was waited for.
    Met(ReceivedMessage),
    /// It may still come.
    Open,
    /// The request was answered otherwise.
    Missed,
}

impl Expectation {
    /// Begins to wait until `deadline`.
    pub fn new(expect: Expect, deadline: Duration, pending: &Pending, inbox: &Inbox) -> Self {
        // Pending requests were sent after those that are answered.
        let newest = pending
            .newest_for(expect.number)
            .or_else(|| inbox.newest_for(expect.number));
        Self {
            request: newest,
            deadline,
            passed_over: VecDeque::new(),
            passed_over_before: 0,
            expect,
        }
    }

    /// Looks at what came, up to the message that settles it.
    pub fn look(&mut self, inbox: &mut Inbox) -> ExpectationState {
        while let Some(seen) = inbox.pop() {
            if self.is_met_by(&seen.message) {
                return ExpectationState::Met(seen);
            }
            let missed = self.is_missed_by(&seen);
            self.pass_over(&seen.line);
            if missed {
                return ExpectationState::Missed;
            }
        }
        ExpectationState::Open
    }

    fn is_met_by(&self, message: &Message) -> bool {
        let wanted = &self.expect.subset;
        message.command == self.expect.number
            && wanted
                .as_ref()
                .is_none_or(|wanted| subset::matches(wanted, &message.params))
    }

    fn is_missed_by(&self, seen: &ReceivedMessage) -> bool {
        seen.answers.is_some_and(|answer| {
            Some(answer.request.id) == self.request
                && (answer.refused || !commands::may_be_event(self.expect.number))
        })
    }

    fn pass_over(&mut self, line: &str) {
        if self.passed_over.len() == SHOWN_MESSAGES {
            self.passed_over.pop_front();
            self.passed_over_before += 1;
        }
        let mut shown: String = line.chars().take(SHOWN_CHARS).collect();
        if shown.len() < line.len() {
            shown.push_str("...");
        }
        self.passed_over.push_back(shown.into());
    }

    /// What was expected, why it failed and what came instead.
    pub fn failure(&self, why: &str) -> String {
        let Expect {
            number,
            subset,
            line,
        } = &self.expect;
        let mut text = format!("line {line}: expected {}", message::name(*number));
        if let Some(subset) = subset {
            let _ = write!(text, " {}", json::to_json(subset));
        }
        let _ = write!(text, ": {why}");
        if self.passed_over_before > 0 {
            let _ = write!(
                text,
                "\n  received before: {} messages",
                self.passed_over_before
            );
        }
        for line in &self.passed_over {
            let _ = write!(text, "\n  received instead: {}", &**line);
        }
        if self.passed_over.is_empty() {
            text.push_str("\n  received nothing");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inbox_forgets_its_oldest() {
        let mut inbox = Inbox::default();
        let seen = |command: u32, length| ReceivedMessage {
            message: Message {
                command,
                params: Value::Null,
            },
            line: "x".repeat(length).into(),
            answers: None,
            is_counted: false,
        };
        for number in 0..5000 {
            inbox.push(seen(number, 10));
        }
        assert_eq!(
            (inbox.seen.len(), inbox.bytes),
            (MAX_MESSAGES, MAX_MESSAGES * 10)
        );
        assert_eq!(inbox.pop().unwrap().message.command, 5000 - 4096);
        inbox.push(seen(1, MAX_BYTES));
        assert_eq!((inbox.seen.len(), inbox.bytes), (1, MAX_BYTES));
        // One message is kept however long it is.
        inbox.push(seen(2, MAX_BYTES + 1));
        assert_eq!(
            (inbox.seen.len(), inbox.pop().unwrap().message.command),
            (1, 2)
        );
    }
}
