//! `echat-nc follow`: prints every message exactly once, across restarts and lost connections of both sides.
//!
//! All lines come from QUERY_HISTORY after the cursor. An ON_NEW_MESSAGE only says that there is something to ask for:
//! the server may tell of messages in large rooms later than of others, so their ids do not come in order.

mod cursor;
mod printer;
mod request_queue;
mod room;
#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use echat_proto::channel::{Incoming, Message};
use echat_proto::commands::{CloseReason, channel, ending, event, request};
use echat_proto::limits::HISTORY_MAX;
use echat_proto::records::{NextPage, passes_in};
use echat_proto::value::Value;
use rand::RngExt;
use zeroize::Zeroize;

use super::args::{Follow, From};
use super::ask;
use super::connect;
use super::dump::{self, Dump};
use super::known::{HistoryCheck, KnownHistory};
use super::login_sequence;
use super::message;
use super::output;
use super::rules::SessionEnd;
use crate::clock::Clock;
use crate::exit::Exit;
use crate::net::connection::{Action, Connection};
use crate::net::link::Link;
use crate::net::socket::Received;
use crate::net::wait::{Interest, WatchedFd, wait};
use crate::net::wake::Wakes;
use crate::secret::SecretBytes;
use cursor::{Cursor, int, text_of};
use printer::Printer;
use request_queue::RequestQueue;
use room::{Finding, Lookup};

/// Refusals that pass: the connection is made again, as after a loss.
const PASSING: [&str; 5] = [
    "login_throttled",
    "rate_limited",
    "storage_busy",
    "storage_full",
    "storage_damaged",
];

/// Seconds from which on a wait for a rate limit or for slow mode is told. Other refusals are told at once.
const LONG_WAIT: u64 = 10;

/// What was asked and is not answered. There is one request at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SentRequest {
    Nothing,
    Login,
    /// A question about the room.
    Room,
    History,
    /// A request of `--send`, by its number.
    Request(u32),
}

/// Follows until something ends it.
pub(super) fn run(options: &Follow) -> SessionEnd {
    match begin(options).and_then(|mut follower| follower.follow()) {
        Ok(()) => SessionEnd::success(),
        Err(end) => end,
    }
}

/// All that can be wrong here is found before the server hears of it.
fn begin(options: &Follow) -> Result<Follower<'_>, SessionEnd> {
    let first = match options.from {
        From::New => None,
        From::After(id) => Some(id),
    };
    let secret = ask::password_from(options.login.password.as_ref())?;
    let mut printer = Printer::open(options.cursor.as_deref(), first)?;
    if let Some(room) = &options.room {
        printer.follow_room(room);
    }
    let clock = Clock::start();
    let user = &options.login.user;
    let secret = match secret {
        Some(secret) => secret,
        None => ask::password(user, &clock)?,
    };
    let login = login_sequence::login(user, &secret, options.login.kind());
    let login = login.map_err(|error| SessionEnd::because(Exit::Usage, &error))?;
    let (verbose, show_secrets) = (options.verbose, options.show_secrets);
    Ok(Follower {
        options,
        wakes: Wakes::new(&clock).map_err(|error| SessionEnd::local(&error))?,
        dump: Dump::new(verbose, show_secrets, clock, output::stderr()),
        clock,
        login,
        printer,
        requests: RequestQueue::new(options.send),
        connection: Connection::new(rand::rng().random()),
        link: None,
        asked: SentRequest::Nothing,
        lookup: None,
        asked_room: None,
        has_more: false,
        is_told_lost: false,
        is_kicked: false,
    })
}

struct Follower<'a> {
    options: &'a Follow,
    clock: Clock,
    dump: Dump<output::Stderr>,
    wakes: Wakes,
    /// The plain bytes of LOGIN.
    login: SecretBytes,
    printer: Printer,
    requests: RequestQueue,
    connection: Connection,
    link: Option<Link>,
    asked: SentRequest,
    /// While it is open what the room is called.
    lookup: Option<Lookup>,
    /// The name of the room in the last request for messages.
    asked_room: Option<String>,
    /// Whether there may be messages after the cursor.
    has_more: bool,
    /// Whether people were told that there is no connection.
    is_told_lost: bool,
    /// Whether the server has said on this connection that the session is over.
    is_kicked: bool,
}

impl Follower<'_> {
    /// Prints until all that was wanted is printed.
    fn follow(&mut self) -> Result<(), SessionEnd> {
        let mut action = self.connection.connect(false);
        loop {
            match action {
                Some(Action::Dial) => self.dial()?,
                Some(Action::Ping) => self.send(&Message {
                    command: channel::PING,
                    params: Value::Null,
                }),
                Some(Action::GiveUp) => self.lose(&"the server is not responding"),
                None => {
                    if self.is_done() {
                        self.leave();
                        return self.outcome();
                    }
                    self.ask();
                    self.pause()?;
                }
            }
            let now = self.clock.now();
            action = self.connection.due(now, self.asked != SentRequest::Nothing);
        }
    }

    /// Whether all that was wanted is printed.
    fn is_done(&self) -> bool {
        let is_idle =
            self.asked == SentRequest::Nothing && !self.has_more && self.requests.is_done();
        self.options.once && self.connection.is_online() && is_idle
    }

    /// How it ends when all is printed. The notes of refusals stand on standard error already.
    fn outcome(&self) -> Result<(), SessionEnd> {
        if self.requests.has_refusal() {
            return Err(SessionEnd {
                exit: Exit::Refused,
                note: None,
            });
        }
        Ok(())
    }

    fn leave(&mut self) {
        if let Some(link) = self.link.take() {
            link.leave(Some(CloseReason::Bye), &self.clock, &mut self.dump);
        }
    }

    fn dial(&mut self) -> Result<(), SessionEnd> {
        match connect::sealed(&self.options.server, &self.clock, &mut self.dump) {
            Ok(mut link) => {
                self.connection.opened(self.clock.now());
                link.send(&self.login, &mut self.dump);
                self.link = Some(link);
                self.is_kicked = false;
                self.asked = SentRequest::Login;
            }
            Err(end) if end.exit == Exit::CannotConnect => {
                let why = end.note.unwrap_or_default();
                self.lose(&why);
            }
            Err(end) => return Err(end),
        }
        Ok(())
    }

    /// The connection is gone, and comes back after the back-off.
    fn lose(&mut self, why: &dyn std::fmt::Display) {
        if !std::mem::replace(&mut self.is_told_lost, true) {
            output::diagnostic(&format!("{why}; trying again"));
        }
        self.link = None;
        self.asked = SentRequest::Nothing;
        self.connection.lost(self.clock.now());
    }

    /// Sends the next request of standard input, or else asks for the messages after the cursor, if there may be any.
    fn ask(&mut self) {
        if self.asked != SentRequest::Nothing || !self.connection.is_online() {
            return;
        }
        let next = self.requests.next(self.clock.now());
        if let (Some((command, plain)), Some(link)) = (next, &mut self.link) {
            link.send(plain, &mut self.dump);
            self.asked = SentRequest::Request(command);
            return;
        }
        let cursor = self.printer.cursor();
        if let (Some(lookup), Some(room)) = (&self.lookup, &cursor.room) {
            let question = lookup.question(room);
            self.send(&question);
            self.asked = SentRequest::Room;
            return;
        }
        if !self.has_more {
            return;
        }
        let (id, room) = (cursor.id, followed_room(self.options, cursor));
        let mut params = vec![
            ("after".into(), Value::Int(id)),
            ("limit".into(), Value::Int(HISTORY_MAX)),
        ];
        if let Some(room) = &room {
            params.push(("target_type".into(), Value::Int(1)));
            params.push(("target".into(), Value::from(room.as_str())));
        }
        self.asked_room = room;
        self.send(&Message {
            command: request::QUERY_HISTORY,
            params: Value::Dict(params),
        });
        self.has_more = false;
        self.asked = SentRequest::History;
    }

    fn send(&mut self, message: &Message) {
        if let Some(link) = &mut self.link {
            let plain = message.encode().expect("it is short and shallow");
            link.send(&plain, &mut self.dump);
        }
    }

    /// Waits until something comes or is due, and handles what came.
    fn pause(&mut self) -> Result<(), SessionEnd> {
        let due = self.connection.due_at(self.asked != SentRequest::Nothing);
        let held_until = self.requests.held_until();
        let can_send = self.asked == SentRequest::Nothing && self.connection.is_online();
        let held_until = held_until.filter(|_| can_send);
        let deadline = due.into_iter().chain(held_until).min();
        let interest = self.link.as_mut().map(|link| {
            link.flush(&mut self.dump);
            link.interest()
        });
        let mut fds = Vec::new();
        if let (Some(link), Some(interest)) = (&self.link, interest) {
            fds.push(WatchedFd::new(link, interest));
        }
        let pipe_at = fds.len();
        fds.extend(
            self.printer
                .pipe()
                .map(|pipe| WatchedFd::new(pipe, Interest::Read)),
        );
        let has_pipe = fds.len() > pipe_at;
        fds.extend(self.wakes.watched());
        let stdin = rustix::stdio::stdin();
        let reads = self.requests.wants_input();
        if reads {
            fds.push(WatchedFd::new(&stdin, Interest::Read));
        }
        wait(&mut fds, &self.clock, deadline).map_err(|error| SessionEnd::local(&error))?;
        let has_input = reads && fds.last().is_some_and(WatchedFd::is_ready);
        let is_link_ready = interest.is_some() && fds[0].is_ready();
        if has_pipe && fds[pipe_at].is_ready() {
            // The reader of the pipe is gone.
            return Err(SessionEnd::output(&io::ErrorKind::BrokenPipe.into()));
        }
        drop(fds);
        if self.wakes.take(&self.clock) {
            self.connection.woke(self.clock.now());
        }
        if has_input {
            self.requests.read()?;
        }
        if is_link_ready {
            self.receive()?;
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<(), SessionEnd> {
        let Some(link) = &mut self.link else {
            return Ok(());
        };
        let received = link.receive(&mut self.dump);
        if let Received::Bytes(_) = received {
            self.connection.heard(self.clock.now());
        }
        while let Some(link) = &mut self.link {
            let frame = link.next_frame(&mut self.dump);
            let frame = frame.map_err(|error| SessionEnd::because(Exit::Protocol, &error))?;
            let Some(frame) = frame else {
                break;
            };
            for incoming in frame {
                self.take(incoming)?;
            }
        }
        if received == Received::End && self.link.is_some() {
            self.lose(&"the connection was lost");
        }
        if let Some(link) = self.link.take_if(|link| link.is_worn_out()) {
            link.leave(Some(CloseReason::KeyWornOut), &self.clock, &mut self.dump);
            self.lose(&"the keys of this connection are used up");
        }
        Ok(())
    }

    fn take(&mut self, incoming: Incoming) -> Result<(), SessionEnd> {
        let mut message = match incoming {
            Incoming::Message(message) => message,
            // The link answers it.
            Incoming::Ping => return Ok(()),
            Incoming::Pong => {
                self.connection.pong();
                return Ok(());
            }
            Incoming::Close(number) => return self.closed(number),
        };
        let taken = self.take_message(&message);
        // It may be a LOGIN_BUNDLE, with the secrets of the next login.
        message.params.zeroize();
        taken
    }

    fn take_message(&mut self, message: &Message) -> Result<(), SessionEnd> {
        self.has_more |= message.command == event::ON_NEW_MESSAGE;
        self.is_kicked |= message.command == event::SERVER_KICK;
        if message.command == event::ON_ROOM_CHANGED {
            self.room_changed(&message.params)?;
        }
        match (self.asked, message.command) {
            (SentRequest::Request(command), _) => self.answered(command, message),
            (SentRequest::Login, event::LOGIN_BUNDLE) => self.logged_in(&message.params)?,
            (SentRequest::History, event::HISTORY) => self.print(&message.params)?,
            (SentRequest::Room, event::ROOM | event::HISTORY | event::REFUSED) => {
                self.room_told(message)?;
            }
            (SentRequest::Login, event::LOGIN_FAILURE) | (SentRequest::History, event::REFUSED) => {
                self.refused(message)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a message that may answer the request that was sent.
    fn answered(&mut self, command: u32, message: &Message) {
        let Some(ending) = ending(command, message) else {
            return;
        };
        let code = text_of(&message.params, "code").unwrap_or_default();
        // Messages are printed in the meantime.
        if let Some(wait) = passes_in(&code, int(&message.params, "retry_after")) {
            let is_usual =
                matches!(code.as_str(), "rate_limited" | "slow_mode") && wait < LONG_WAIT;
            if !is_usual && self.requests.tells(&code) {
                output::diagnostic(&format!(
                    "the server refuses for now: {code}; trying again in {wait} s"
                ));
            }
            let until = self.clock.now() + Duration::from_secs(wait);
            self.requests.hold(until);
        } else if let Some(line) = self.requests.answered(ending) {
            output::diagnostic(&format!("line {line} is refused: {code}"));
        }
        self.connection.got_through();
        self.asked = SentRequest::Nothing;
    }

    fn logged_in(&mut self, bundle: &Value) -> Result<(), SessionEnd> {
        let newest = int(bundle, "newest");
        let history = text_of(bundle, "history");
        let rooms = names(bundle, "chat_rooms");
        let cursor = self.printer.cursor().clone();
        let mut next = Cursor {
            history: history.or_else(|| cursor.history.clone()),
            ..cursor.clone()
        };
        if self.printer.has_begun() {
            let known = KnownHistory {
                after: Some(cursor.id),
                history: cursor.history,
            };
            if let HistoryCheck::Replaced(line) = known.judge_bundle(bundle) {
                output::diagnostic(
                    &"an older database was restored on the server: all messages are printed again",
                );
                self.printer.line(&line)?;
                next.begin_again();
            }
        } else {
            next.id = newest.unwrap_or(0);
        }
        self.printer.begin_at(next)?;
        // With the cursor of this history: in another one, the message of the room is another message.
        let room = self.options.room.as_ref();
        let known = room.and(self.printer.cursor().room.as_ref());
        self.lookup = known.map(|known| Lookup::new(known, rooms));
        self.connection.logged_in(self.clock.now());
        if std::mem::take(&mut self.is_told_lost) {
            output::diagnostic(&"connected again");
        }
        self.asked = SentRequest::Nothing;
        self.has_more = true;
        Ok(())
    }

    /// Takes an ON_ROOM_CHANGED.
    fn room_changed(&mut self, change: &Value) -> Result<(), SessionEnd> {
        let Some(mut room) = self
            .options
            .room
            .as_ref()
            .and(self.printer.cursor().room.clone())
        else {
            return Ok(());
        };
        if room.changed(change) {
            output::diagnostic(&format!("the room is called {:?} now", room.name));
            self.printer.know_room(room)?;
        }
        Ok(())
    }

    /// Takes the answer to a question about the room.
    fn room_told(&mut self, answer: &Message) -> Result<(), SessionEnd> {
        let code = text_of(&answer.params, "code").unwrap_or_default();
        if PASSING.contains(&code.as_str()) {
            return self.refused(answer);
        }
        let (Some(mut lookup), Some(mut room)) =
            (self.lookup.take(), self.printer.cursor().room.clone())
        else {
            return Ok(());
        };
        self.asked = SentRequest::Nothing;
        self.connection.got_through();
        let was = room.name.clone();
        match lookup.take(&mut room, answer) {
            Finding::Open => self.lookup = Some(lookup),
            Finding::Found => {
                // The first answer may spell the name of the option otherwise.
                if room.name != was && was != room.option {
                    output::diagnostic(&format!("the room is called {:?} now", room.name));
                }
                self.printer.know_room(room)?;
            }
            Finding::Lost => {
                let note = format!("no room of this user is the one that was {was:?}");
                return Err(SessionEnd::because(Exit::Refused, &note));
            }
        }
        Ok(())
    }

    /// Prints a page.
    fn print(&mut self, page: &Value) -> Result<(), SessionEnd> {
        let before = self.printer.cursor().id;
        if let Some(Value::List(messages)) = page.at("messages") {
            for message in messages {
                self.requests.read_what_is_there(&self.clock)?;
                self.printer.message(message)?;
            }
        }
        self.asked = SentRequest::Nothing;
        let is_empty = self.printer.cursor().id == before;
        if !is_empty {
            self.printer.end_of_page()?;
            self.connection.got_through();
        }
        let more = page.at("more") == Some(&Value::Bool(true));
        match NextPage::after(is_empty, more) {
            NextPage::None => {}
            NextPage::Ask => self.has_more = true,
            NextPage::Stuck => self.lose(&"the server has more messages and sends none"),
        }
        Ok(())
    }

    fn refused(&mut self, refusal: &Message) -> Result<(), SessionEnd> {
        let code = text_of(&refusal.params, "code").unwrap_or_default();
        if PASSING.contains(&code.as_str()) {
            self.lose(&format!("the server refuses for now: {code}"));
            return Ok(());
        }
        let room = followed_room(self.options, self.printer.cursor());
        if self.asked == SentRequest::History && room != self.asked_room {
            // It was renamed between the request and the answer.
            self.asked = SentRequest::Nothing;
            self.has_more = true;
            return Ok(());
        }
        let what = match self.asked {
            SentRequest::Login => "the login".to_owned(),
            _ => format!("the messages of {:?}", room.as_deref().unwrap_or("all")),
        };
        // Standard output is for messages: the reply, with what it says besides the code, goes to standard error.
        let line = message::to_line(&dump::redacted(refusal));
        let has_unused_code = self.asked == SentRequest::Login
            && code == "bad_credentials"
            && self.options.login.invitation.is_some();
        let hint = if has_unused_code {
            "; follow does not register with the code of the address: use echat-nc without follow first"
        } else {
            ""
        };
        let note = format!("the server refuses {what}: {code}{hint}\n{line}");
        Err(SessionEnd::because(Exit::Refused, &note))
    }

    fn closed(&mut self, number: u64) -> Result<(), SessionEnd> {
        let reason = CloseReason::from_number(number);
        let name = reason.map_or_else(String::new, |reason| format!(", {reason:?}"));
        let note = format!("the server closed the connection ({number}{name})");
        match reason {
            // Another session took the place of this one, and would be ended by a new login, or the account has ended.
            // Without SERVER_KICK the address is not served, which may pass.
            Some(CloseReason::Kicked) if self.is_kicked => {
                Err(SessionEnd::because(Exit::Refused, &note))
            }
            Some(CloseReason::Malformed | CloseReason::TooManyErrors) => {
                Err(SessionEnd::because(Exit::Protocol, &note))
            }
            _ => {
                self.lose(&note);
                Ok(())
            }
        }
    }
}

/// The present name of the room that is followed, if only one is.
fn followed_room(options: &Follow, cursor: &Cursor) -> Option<String> {
    let room = options.room.as_ref()?;
    let name = cursor.room.as_ref().map(|known| known.name.clone());
    Some(name.unwrap_or_else(|| room.clone()))
}

/// A list of names.
fn names(params: &Value, key: &str) -> Vec<String> {
    let Some(Value::List(names)) = params.at(key) else {
        return Vec::new();
    };
    let name = |name: &Value| match name {
        Value::Str(name) => Some(name.clone()),
        _ => None,
    };
    names.iter().filter_map(name).collect()
}
