//! A session with a server, without the server: which step is next, what is waited for, when it
//! is over and with which exit code. Pure: it is told what came and what time it is.

use std::collections::VecDeque;
use std::time::Duration;

use echat_proto::channel::{Incoming, Message};
use echat_proto::commands::{CloseReason, channel, event};
use echat_proto::limits::FRAME_BEFORE_LOGIN;
use echat_proto::value::Value;

use super::dump;
use super::expectation::{Expectation, ExpectationState, Inbox, PATIENCE, ReceivedMessage};
use super::login_sequence::{LoginSequence, LoginStep};
use super::message;
use super::pending::{self, Pending};
use super::rules::{Next, Rules, SessionEnd};
use super::step::ScriptStep;
use crate::exit::Exit;
use crate::net::liveness::{Liveness, Verdict};
use crate::secret::{Secret, SecretBytes};

/// With so many steps not yet done, or so many bytes in them, input is not read.
const MAX_STEPS: usize = 1024;
const MAX_STEP_BYTES: usize = 4 << 20;
/// With so many requests not answered, no more are sent.
const MAX_UNANSWERED: usize = 100_000;

/// How the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnectionState {
    Open,
    /// The server said goodbye, with this reason.
    Closed(u64),
    /// It ended without a goodbye.
    Cut,
    /// A PING had no answer.
    Silent,
    /// It ended as a script expected.
    Expected,
}

/// What the steps to come wait for.
#[derive(Debug)]
enum Waiting {
    Nothing,
    Sleep(Duration),
    Login(Box<LoginSequence>),
    Message(Box<Expectation>),
    Close { deadline: Duration, line: usize },
}

/// One session.
#[derive(Debug)]
pub struct ScriptSession {
    rules: Rules,
    steps: VecDeque<ScriptStep>,
    input_ended: bool,
    waiting: Waiting,
    connection: ConnectionState,
    pending: Pending,
    inbox: Inbox,
    /// Made by the first [`ScriptSession::next`], which says what time it is, if silence is judged.
    liveness: Option<Liveness>,
    /// PINGs of the session's own that no PONG has answered yet.
    own_pings: usize,
    logged_in: bool,
    said_goodbye: bool,
    /// Refusals that no expectation was for.
    refusals: usize,
    /// Set once it is over; nothing changes that.
    over: Option<SessionEnd>,
}

impl ScriptSession {
    /// A session that begins with these steps.
    pub fn new(rules: Rules, steps: impl IntoIterator<Item = ScriptStep>) -> Self {
        Self {
            rules,
            steps: steps.into_iter().collect(),
            input_ended: false,
            waiting: Waiting::Nothing,
            connection: ConnectionState::Open,
            pending: Pending::default(),
            inbox: Inbox::default(),
            liveness: None,
            own_pings: 0,
            logged_in: false,
            said_goodbye: false,
            refusals: 0,
            over: None,
        }
    }

    /// Adds a step.
    pub fn push(&mut self, step: ScriptStep) {
        self.steps.push_back(step);
    }

    /// No more steps will come.
    pub fn end_of_input(&mut self) {
        self.input_ended = true;
    }

    /// Whether more steps are welcome.
    pub fn wants_input(&self) -> bool {
        let bytes: usize = self.steps.iter().map(ScriptStep::bytes).sum();
        !self.input_ended && self.steps.len() < MAX_STEPS && bytes < MAX_STEP_BYTES
    }

    /// Whether the connection is still there, as far as is known.
    pub fn is_connected(&self) -> bool {
        self.connection == ConnectionState::Open
    }

    /// Whether a goodbye was sent as a message.
    pub fn has_said_goodbye(&self) -> bool {
        self.said_goodbye
    }

    /// Bytes came. To be told before [`ScriptSession::next`], which judges silence.
    pub fn heard(&mut self, now: Duration) {
        if let Some(liveness) = &mut self.liveness {
            liveness.heard(now);
        }
    }

    /// The machine was suspended or the process stopped: the server is asked at once.
    pub fn woke(&mut self) {
        if let Some(liveness) = &mut self.liveness {
            liveness.woke();
        }
    }

    /// Takes what came, and returns the line to show.
    pub fn received(&mut self, incoming: Incoming) -> Option<Secret> {
        // A BATCH brings several at once; what comes after the end is not shown.
        if self.over.is_some() {
            return None;
        }
        let message = match incoming {
            Incoming::Message(message) => message,
            // The link answers it.
            Incoming::Ping => return None,
            Incoming::Pong if self.pending.pong() => Message {
                command: channel::PONG,
                params: Value::Null,
            },
            Incoming::Pong => {
                self.own_pings = self.own_pings.saturating_sub(1);
                return None;
            }
            Incoming::Close(reason) => {
                self.connection = ConnectionState::Closed(reason);
                Message {
                    command: channel::CLOSE_NOTIFY,
                    params: Value::Int(reason),
                }
            }
        };
        // A token is asked for to be seen, and is told only once.
        let is_asked_for = message.command == event::BOT_TOKEN;
        let line = Secret::from(if self.rules.show_secrets || is_asked_for {
            message::to_line(&message)
        } else {
            message::to_line(&dump::redacted(&message))
        });
        let answers = self.pending.answered(&message);
        self.logged_in |= pending::logs_in(&message);
        let is_logging_in = matches!(self.waiting, Waiting::Login(_));
        let is_counted = !is_logging_in && answers.is_some_and(|answer| answer.refused);
        self.refusals += usize::from(is_counted);
        if let Some(answer) = answers.filter(|_| is_logging_in) {
            self.take_login_reply(&message, answer.refused);
        }
        if !is_logging_in && self.counts_to_the_end(&message) {
            self.over.get_or_insert(self.finished());
        }
        // A goodbye in place of the reply says why there is none.
        let is_last = [channel::PONG, channel::CLOSE_NOTIFY].contains(&message.command);
        let is_reply = is_last || (answers.is_some() && !is_logging_in);
        let is_shown = !self.rules.only_replies || is_reply || (is_logging_in && self.is_over());
        self.inbox.push(ReceivedMessage {
            message,
            line: line.clone(),
            answers,
            is_counted,
        });
        is_shown.then_some(line)
    }

    /// Whether the session is over: what comes now is not shown.
    pub fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// Takes the final reply to a request of the login sequence.
    fn take_login_reply(&mut self, reply: &Message, is_refused: bool) {
        let Waiting::Login(mut sequence) = std::mem::replace(&mut self.waiting, Waiting::Nothing)
        else {
            return;
        };
        let code = match reply.params.at("code") {
            Some(Value::Str(code)) => code.as_str(),
            _ => "",
        };
        match sequence.answered(is_refused.then_some(code)) {
            LoginStep::Next => self.steps.push_front(ScriptStep::LogIn(sequence)),
            LoginStep::Done => {}
            LoginStep::Refused(why) => self.over = Some(SessionEnd::because(Exit::Refused, &why)),
        }
    }

    /// Whether `count` or `until` came true with this message.
    fn counts_to_the_end(&mut self, message: &Message) -> bool {
        if let Some(left) = &mut self.rules.count {
            *left = left.saturating_sub(1);
        }
        self.rules.count == Some(0) || self.rules.until == Some(message.command)
    }

    /// The connection has ended.
    pub fn disconnected(&mut self) {
        if self.connection == ConnectionState::Open {
            self.connection = ConnectionState::Cut;
        }
    }

    /// What to do now. `room`: whether more may be sent at the moment.
    pub fn next(&mut self, now: Duration, room: bool) -> Next {
        if self.over.is_none() {
            if self.asks(now) {
                return ping();
            }
            match self.advance(now, room && self.pending.len() < MAX_UNANSWERED) {
                Next::End(end) => self.over = Some(end),
                Next::Wait(until) => return Next::rest(until, self.liveness_due()),
                next => return next,
            }
        }
        Next::End(self.over.clone().expect("set above"))
    }

    /// Judges the server's silence. Whether a PING is to be sent for it.
    fn asks(&mut self, now: Duration) -> bool {
        let waits = !self.pending.is_empty();
        if self.liveness.is_none() {
            self.liveness = self
                .rules
                .silence
                .map(|periods| Liveness::new(periods, now));
        }
        let Some(liveness) = self
            .liveness
            .as_mut()
            .filter(|_| self.connection == ConnectionState::Open)
        else {
            return false;
        };
        match liveness.check(now, waits) {
            Verdict::Alive => false,
            // After a goodbye nothing is answered, and the server has as long to close.
            Verdict::Ping if self.said_goodbye => false,
            Verdict::Ping => {
                self.own_pings += 1;
                true
            }
            Verdict::Dead => {
                self.connection = ConnectionState::Silent;
                false
            }
        }
    }

    fn liveness_due(&self) -> Option<Duration> {
        let liveness = self.liveness.as_ref()?;
        self.is_connected()
            .then(|| liveness.due(!self.pending.is_empty()))
    }

    fn advance(&mut self, now: Duration, room: bool) -> Next {
        if self.rules.deadline.is_some_and(|deadline| now >= deadline) {
            return self.time_over();
        }
        loop {
            if let Some(next) = self.keep_waiting(now) {
                return next;
            }
            let Some(step) = self.steps.pop_front() else {
                return self.idle();
            };
            if let Some(next) = self.begin(step, now, room) {
                return next;
            }
        }
    }

    /// What the present step still waits for, if it does.
    fn keep_waiting(&mut self, now: Duration) -> Option<Next> {
        let open = self.connection == ConnectionState::Open;
        let limit = self.rules.deadline;
        match &mut self.waiting {
            Waiting::Nothing => return None,
            Waiting::Sleep(until) if now < *until => return Some(Next::rest(Some(*until), limit)),
            Waiting::Sleep(_) => {}
            Waiting::Login(_) if open => return Some(Next::rest(None, limit)),
            Waiting::Login(_) => return Some(self.ended()),
            Waiting::Message(expectation) => match expectation.look(&mut self.inbox) {
                ExpectationState::Met(seen) => {
                    self.refusals -= usize::from(seen.is_counted);
                    if seen.message.command == channel::CLOSE_NOTIFY {
                        self.connection = ConnectionState::Expected;
                    }
                }
                ExpectationState::Missed => {
                    return Some(unmet(expectation, "another reply was received"));
                }
                ExpectationState::Open if !open => {
                    return Some(unmet(expectation, "the connection ended"));
                }
                ExpectationState::Open if now >= expectation.deadline => {
                    return Some(unmet(expectation, "timed out"));
                }
                ExpectationState::Open => return Some(Next::Wait(Some(expectation.deadline))),
            },
            Waiting::Close { .. } if !open => self.connection = ConnectionState::Expected,
            Waiting::Close { deadline, line } if now >= *deadline => {
                let note = format!("line {line}: expected the end of the connection: timed out");
                return Some(Next::end(Exit::Unexpected, &note));
            }
            Waiting::Close { deadline, .. } => return Some(Next::Wait(Some(*deadline))),
        }
        self.waiting = Waiting::Nothing;
        None
    }

    /// Begins a step; `None` if the next may be looked at.
    fn begin(&mut self, step: ScriptStep, now: Duration, room: bool) -> Option<Next> {
        let patience = self.rules.deadline.unwrap_or(now + PATIENCE);
        match step {
            ScriptStep::Expect(expect) => {
                let expectation = Expectation::new(expect, patience, &self.pending, &self.inbox);
                self.waiting = Waiting::Message(Box::new(expectation));
                None
            }
            ScriptStep::ExpectClose(line) => {
                self.waiting = Waiting::Close {
                    deadline: patience,
                    line,
                };
                None
            }
            ScriptStep::Sleep(time) => {
                self.waiting = Waiting::Sleep(now + time);
                None
            }
            ScriptStep::Quit => Some(self.finish()),
            _ if self.connection != ConnectionState::Open => Some(match self.ended() {
                Next::End(SessionEnd {
                    exit: Exit::Success,
                    ..
                }) => Next::end(
                    Exit::Refused,
                    &"the connection is closed; nothing more can be sent",
                ),
                ended => ended,
            }),
            _ if !room => Some(self.put_back(step)),
            ScriptStep::Send(plain, line)
                if !self.logged_in && plain.len() > FRAME_BEFORE_LOGIN =>
            {
                if self.pending.owes_login() {
                    return Some(self.put_back(ScriptStep::Send(plain, line)));
                }
                let note = format!(
                    "line {line}: the message has {} bytes, the limit before the login is \
                     {FRAME_BEFORE_LOGIN}; only .frame sends that",
                    plain.len()
                );
                Some(Next::end(Exit::Usage, &note))
            }
            ScriptStep::LogIn(sequence) if sequence.plain().len() > FRAME_BEFORE_LOGIN => {
                Some(Next::end(
                    Exit::Usage,
                    &"the user name and the password are too long for a LOGIN",
                ))
            }
            ScriptStep::LogIn(sequence) => {
                let plain = sequence.plain().to_vec().into();
                self.waiting = Waiting::Login(sequence);
                Some(self.send(plain))
            }
            ScriptStep::Send(plain, _) | ScriptStep::Frame(plain) => Some(self.send(plain)),
            ScriptStep::Raw(bytes) => Some(Next::Raw(bytes)),
        }
    }

    fn send(&mut self, plain: SecretBytes) -> Next {
        self.said_goodbye |= self.pending.sent(&plain);
        Next::Send(plain)
    }

    fn put_back(&mut self, step: ScriptStep) -> Next {
        self.steps.push_front(step);
        Next::rest(None, self.rules.deadline)
    }

    /// No step is left for now.
    fn idle(&self) -> Next {
        if self.connection != ConnectionState::Open {
            return self.ended();
        }
        if self.input_ended && self.pending.is_empty() && !self.stays() {
            return self.finish();
        }
        Next::rest(None, self.rules.deadline)
    }

    fn stays(&self) -> bool {
        let Rules {
            count,
            until,
            listen,
            raw,
            ..
        } = self.rules;
        listen || raw || count.is_some() || until.is_some()
    }

    fn time_over(&mut self) -> Next {
        // What came at the last moment counts; only then is it too late.
        if let Some(Next::End(end)) = self.keep_waiting(Duration::MAX) {
            return Next::End(end);
        }
        let Rules { count, until, .. } = self.rules;
        let at_rest = matches!(self.waiting, Waiting::Nothing) && self.steps.is_empty();
        if at_rest && self.pending.is_empty() && count.is_none() && until.is_none() {
            return self.finish();
        }
        let mut note = "timed out".to_owned();
        if !self.pending.is_empty() {
            note = format!("{note}; not answered: {}", self.pending.describe());
        }
        Next::end(Exit::TimeOut, &note)
    }

    /// The connection ended before we ended it.
    fn ended(&self) -> Next {
        let left = self.said_goodbye && self.pending.is_empty();
        if self.rules.raw || left || self.connection == ConnectionState::Expected {
            return self.finish();
        }
        match self.connection {
            ConnectionState::Closed(number) => {
                let reason = CloseReason::from_number(number);
                let reason = reason.map_or_else(String::new, |reason| format!(", {reason:?}"));
                Next::end(
                    Exit::Refused,
                    &format!("the server closed the connection ({number}{reason})"),
                )
            }
            ConnectionState::Silent => Next::end(
                Exit::Protocol,
                &"the server is not responding; the connection was closed",
            ),
            _ => Next::end(
                Exit::Protocol,
                &"connection lost: it ended without CLOSE_NOTIFY",
            ),
        }
    }

    /// Everything that was asked for has come.
    fn finish(&self) -> Next {
        Next::End(self.finished())
    }

    fn finished(&self) -> SessionEnd {
        let exit = if self.refusals > 0 && !self.rules.forgiving {
            Exit::Refused
        } else {
            Exit::Success
        };
        SessionEnd { exit, note: None }
    }
}

/// Sends a PING.
fn ping() -> Next {
    let ping = Message {
        command: channel::PING,
        params: Value::Null,
    };
    let plain = ping.encode().expect("null has a wire form");
    Next::Send(plain.into())
}

fn unmet(expectation: &Expectation, why: &str) -> Next {
    Next::end(Exit::Unexpected, &expectation.failure(why))
}

#[cfg(test)]
mod tests;
