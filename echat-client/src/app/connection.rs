//! The connection and the login: made when they are needed, and again when they are lost. The
//! states and the times are [`Connection`](crate::net::connection::Connection)'s; here is what they mean
//! for what was asked and for what the user is told.

use std::time::Duration;

use echat_proto::commands::{CloseReason, Event, Request, RequestKind};
use echat_proto::limits::HISTORY_MAX;
use echat_proto::names::{NameQuery, Password};
use echat_proto::param::NewPassword;
use echat_proto::records::{Code, Fail};

use zeroize::Zeroizing;

use super::input::{InputEnd, WorstOutcome};
use super::login::{LoginSecret, SecretError};
use super::{App, Effect, Exit};
use crate::modes::{Goto, command_of, error_line};
use crate::net::connection::{Action, State};
use crate::session::{RequestContext, Update, possible};
use crate::statement::{self, Scope, Statement};
use crate::target::Target;
use crate::text::Text;

/// How often a connection may fail in a row when no more input comes: for about a minute.
const CALLS: u32 = 6;

/// A connection that ends without a goodbye later than this after a line was sent does not end because
/// of the line.
const AT_ONCE: Duration = Duration::from_secs(10);

/// How a connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// It ended without a goodbye.
    Cut,
    /// By CLOSE_NOTIFY with this reason.
    Closed(u64),
    /// A PING had no answer.
    Silent,
}

impl Loss {
    fn reason(self) -> Option<CloseReason> {
        match self {
            Self::Closed(number) => CloseReason::from_number(number),
            Self::Cut | Self::Silent => None,
        }
    }

    /// Whether a line that was sent so long ago can be why: the server cannot read it, refuses it once
    /// too often, or ends over it at once and without a goodbye. A reason that is not known counts.
    pub(super) fn can_be_by_a_line(self, since_sent: Duration) -> bool {
        match (self, self.reason()) {
            (Self::Silent, _) => false,
            (_, Some(CloseReason::Malformed | CloseReason::TooManyErrors)) => true,
            (_, Some(_)) => false,
            (_, None) => since_sent <= AT_ONCE,
        }
    }

    fn said(self) -> Text<'static> {
        let Self::Closed(number) = self else {
            return match self {
                Self::Silent => Text::ServerSilent,
                _ => Text::ConnectionLost,
            };
        };
        match self.reason() {
            None => Text::ServerReason { number },
            Some(CloseReason::KeyWornOut | CloseReason::Kicked) => Text::ConnectionLost,
            Some(CloseReason::Bye) => Text::ServerSaidBye,
            Some(CloseReason::Idle) => Text::ServerIdle,
            Some(CloseReason::Malformed) => Text::ServerMalformed,
            Some(CloseReason::TooManyErrors) => Text::ServerTooManyErrors,
            Some(CloseReason::Full) => Text::ServerFull,
            Some(CloseReason::Restarting) => Text::ServerRestarting,
            Some(CloseReason::TooSlow) => Text::ServerTooSlow,
        }
    }
}

impl App {
    /// Asks the server, as soon as that is possible; connects for it.
    pub(super) fn ask(&mut self, request: Request, asked: RequestContext) {
        if let Err(excess) = self.context.session.limits().check(&request) {
            return self.never(&excess);
        }
        if matches!(request, Request::Logout {}) && !self.connection.is_open() {
            return self.log_out_here();
        }
        let needs_login = !matches!(
            request,
            Request::QueryServerTime {} | Request::Register { .. } | Request::Login { .. }
        );
        if self.connection.is_online() || (self.connection.is_open() && !needs_login) {
            self.send(&request, asked);
        } else if !needs_login || self.login.is_wanted() {
            self.requests.queue(request, asked);
            self.connect();
        } else {
            self.refuse(Code::NotLoggedIn);
        }
    }

    /// The session ended with the connection: the server need not be told.
    fn log_out_here(&mut self) {
        self.output.push(Effect::Disconnect);
        self.connection.closed();
        self.requests
            .sent(RequestContext::Other(RequestKind::Logout));
        self.event(Event::LoggedOut {});
    }

    /// Says a refusal that the server need not be asked for.
    pub(super) fn refuse(&mut self, code: Code) {
        self.verdict.note(WorstOutcome::Refused);
        let fail = Fail {
            code: code.as_str().to_owned(),
            message: code.message().to_owned(),
            detail: Vec::new(),
        };
        let said = self.context.language.refusal(&fail);
        self.print(vec![error_line(&said)]);
    }

    pub(super) fn send(&mut self, request: &Request, asked: RequestContext) {
        self.requests.sent(asked);
        self.output.push(Effect::Send(request.to_message()));
    }

    /// Asks the server for another password. It stays in memory until the answer, as the present one does.
    pub(super) fn change_password(&mut self, old: &str, new: Zeroizing<String>) {
        let (Ok(old), Ok(password)) = (Password::presented(old), Password::new(&new)) else {
            return self.refuse(Code::BadPassword);
        };
        self.login.propose(new);
        let request = Request::ChangePassword {
            old,
            new: NewPassword(password),
        };
        let asked = RequestContext::of(&request);
        self.ask_aloud(request, asked);
    }

    pub(super) fn log_in(&mut self, name: String, secret: LoginSecret) {
        if let Err(excess) = possible(&NameQuery::new(name.as_str())) {
            let why = self.context.excess(&excess);
            self.print(vec![error_line(&why)]);
            if !self.context.settings.interactive {
                self.quit(Exit::Usage);
            } else if self.mode.scope().is_none() {
                self.go(Goto::Login(None));
            }
            return;
        }
        self.login.want(name, secret);
        self.context.signed_in = true;
        if self.connection.is_open() {
            self.present();
        } else {
            self.connect();
        }
    }

    /// Wipes password and secret: the client does not log in again by itself.
    pub(super) fn forget_credentials(&mut self) {
        self.login.forget();
        self.context.signed_in = false;
        self.drop_held();
    }

    /// Connects because something is to be sent, if no connection is there or under way.
    pub(super) fn connect(&mut self) {
        if self.connection.state() == State::Offline {
            self.outage.end();
            let action = self.connection.wish(true);
            self.carry_out(action);
        }
    }

    /// A line was entered: a wait for the next try is over. Only an empty line asks for nothing
    /// but that, so that only its failure is told once more.
    pub(super) fn try_at_once(&mut self, line: &str) {
        if matches!(self.connection.state(), State::Waiting(_)) {
            let action = self.connection.wish(line.trim().is_empty());
            self.carry_out(action);
        }
        self.context.is_offline = !self.connection.is_open();
    }

    /// Connects, pings or gives up, if it is time.
    pub(super) fn due(&mut self) {
        let action = self.connection.due(self.at, self.awaits());
        self.carry_out(action);
    }

    fn carry_out(&mut self, action: Option<Action>) {
        match action {
            None => {}
            Some(Action::Dial) => self.output.push(Effect::Connect),
            Some(Action::Ping) => self.output.push(Effect::Ping),
            Some(Action::GiveUp) => {
                self.output.push(Effect::GiveUp);
                self.closed(Loss::Silent);
            }
        }
    }

    /// Whether something is expected from the server, so that its silence means more.
    fn awaits(&self) -> bool {
        self.requests.has_unanswered() || self.context.pending() > 0
    }

    /// When the next [`Input::Due`](super::Input::Due) has something to do, as
    /// [`Input::Elapsed`](super::Input::Elapsed) counts.
    pub fn elapses_at(&self) -> Option<Duration> {
        let due = self.connection.due_at(self.awaits());
        // Where the prompt is redrawn, the seconds in it count down.
        let counts = self.context.settings.echoes && self.says_offline();
        let next = self.outage.next_change(&self.connection, self.at);
        next.filter(|_| counts).or(due)
    }

    /// Whether the prompt says that there is no connection. Before the first login that is no
    /// news, until a try has failed.
    pub(super) fn says_offline(&self) -> bool {
        let is_offline = !self.connection.is_online() && !self.requests.has(&RequestContext::Login);
        let is_expected = self.login.is_wanted() && self.connection.failures() > 0;
        is_offline && (self.context.session.me().is_some() || is_expected)
    }

    /// The server has answered a request of ours. What it is asked with every connection proves
    /// only that it is there; what is asked once ends the back-off.
    pub(super) fn answered(&mut self, asked: &RequestContext) {
        self.outage.end();
        if asked.is_awaited() || *asked == RequestContext::Send {
            self.connection.got_through();
        }
    }

    pub(super) fn connected(&mut self) {
        self.connection.opened(self.at);
        // What needs no login goes now, the rest after it.
        for (request, asked) in self.requests.take_queued() {
            self.ask(request, asked);
        }
        self.present();
    }

    /// Sends LOGIN, if a login is wanted.
    pub(super) fn present(&mut self) {
        match self.login.request() {
            None => {}
            Some(Ok(request)) => {
                let has_device = !matches!(request, Request::Login { token: Some(_), .. });
                match self.login.name().filter(|_| has_device) {
                    Some(user) => {
                        let user = user.to_owned();
                        self.requests.sent(RequestContext::Login);
                        let login = request.to_message();
                        self.output.push(Effect::LogIn { user, login });
                    }
                    None => self.send(&request, RequestContext::Login),
                }
            }
            Some(Err(bad)) => {
                self.forget_credentials();
                let said = match bad {
                    SecretError::Password(bad) => self.context.language.bad_password(&bad),
                    SecretError::Token(bad) => bad.to_string(),
                };
                self.print(vec![error_line(&said)]);
                if !self.context.settings.interactive {
                    self.quit(Exit::Usage);
                }
            }
        }
    }

    /// The login holds, for the first time or again.
    pub(super) fn logged_in(&mut self) {
        self.connection.logged_in(self.at);
        let Some(me) = self.context.session.me().map(str::to_owned) else {
            return;
        };
        let is_again = self.login.succeeded(&me);
        if self.context.settings.interactive {
            let name = me.as_str();
            self.say(if is_again {
                Text::LoggedInAgain { name }
            } else {
                Text::LoggedIn { name }
            });
        }
        if self.context.settings.config.keep_unsent && self.sending.begin_loading(&me) {
            self.output.push(Effect::LoadOutgoing { user: me });
        }
        self.catch_up();
        for (request, asked) in self.requests.take_queued() {
            self.ask(request, asked);
        }
        self.send_next();
        if let Some(target) = self.context.settings.open.take() {
            self.open_at_start(target.normal());
        }
    }

    fn open_at_start(&mut self, target: Target) {
        if self.context.session.has(&target) {
            return self.go(Goto::Chat(target));
        }
        // Asked as if it was typed, and so answered.
        let line = format!("/join {}", target.name());
        if let Ok(Statement::Ask(typed)) = statement::parse(Scope::Contact, &line) {
            self.joining = typed.request(self.context.now).is_ok().then_some(target);
            self.ask_typed(typed);
        } else {
            self.fail(Text::NoTarget {
                name: target.name(),
            });
            self.lack_room();
        }
    }

    /// Opens the room of the address once it is joined.
    pub(super) fn open_joined(&mut self, update: &Update) {
        let Some(target) = &self.joining else {
            return;
        };
        if self.context.session.has(target) {
            let target = target.clone();
            self.joining = None;
            self.go(Goto::Chat(target));
        } else if let Update::Answer(asked, Err(_)) = update
            && asked.kind() == RequestKind::JoinRoom
        {
            self.joining = None;
            self.lack_room();
        }
    }

    /// The room of the address cannot be opened. Lines that were meant for it would be taken for commands.
    fn lack_room(&mut self) {
        if !self.context.settings.interactive {
            self.quit(Exit::Refused);
        }
    }

    /// Asks for what was missed, a page at a time.
    pub(super) fn catch_up(&mut self) {
        if let Some(after) = self.context.session.missed_after()
            && !self.requests.has(&RequestContext::CatchUp)
        {
            let request = Request::QueryHistory {
                target_type: None,
                target: None,
                before: None,
                after: Some(after),
                limit: Some(HISTORY_MAX),
                around: None,
                at: None,
            };
            self.send(&request, RequestContext::CatchUp);
        }
    }

    pub(super) fn log_in_refused(&mut self) {
        self.put_questions_aside();
        self.ask_password_again();
        self.forget_credentials();
        self.drop_waiting();
        self.verdict.note(WorstOutcome::Refused);
        if !self.context.settings.interactive {
            self.quit(Exit::Refused);
        }
    }

    pub(super) fn mark_read(&mut self, target: &Target) {
        self.context.session.read(target);
        // One at a time: the answer sends the next, if there is more to mark by then.
        let asked = RequestContext::MarkRead(target.clone());
        if !self.connection.is_online() || self.requests.has(&asked) {
            return;
        }
        if let Some(id) = self.context.session.unmarked(target) {
            let request = Request::MarkRead {
                target_type: target.target_type(),
                target: target.query(),
                id,
            };
            self.send(&request, asked);
        }
    }

    pub(super) fn closed(&mut self, loss: Loss) {
        let was_logged_in = self.connection.is_online();
        self.connection.lost(self.at);
        // The room of the address is joined after the next login.
        if let Some(target) = self.joining.take() {
            self.context.settings.open = Some(target);
        }
        let was_sending = self.cut_line(loss);
        let awaited = self.requests.cut();
        let unanswered: Vec<String> = awaited.map(|asked| command_of(&asked)).collect();
        let reason = loss.reason();
        let is_silent = match reason {
            // A connection without a login: the next request connects again.
            Some(CloseReason::Idle) => unanswered.is_empty(),
            // The client comes back for new keys; kick() has its own words.
            Some(CloseReason::KeyWornOut | CloseReason::Kicked) => true,
            None if !matches!(loss, Loss::Closed(_)) => {
                !was_logged_in && unanswered.is_empty() && !self.login.is_wanted()
            }
            _ => false,
        };
        let comes_back = was_sending
            || !matches!(
                reason,
                Some(CloseReason::Idle | CloseReason::Malformed | CloseReason::TooManyErrors)
            );
        let is_repeated = comes_back && self.outage.is_told();
        if !is_silent && !is_repeated {
            self.fail(loss.said());
        }
        self.say_unanswered(&unanswered);
        if reason == Some(CloseReason::Kicked) {
            self.kick();
        }
        let acts = self.mode.on_cut();
        self.act(acts);
        self.come_back(comes_back, is_silent);
    }

    pub(super) fn connect_failed(&mut self, address: &str, why: &str) {
        let is_wished = self.connection.state() == State::Dialling { wished: true };
        self.connection.lost(self.at);
        if is_wished || !self.outage.is_told() || self.gives_up() {
            self.fail(Text::CannotConnect { address, why });
        }
        if !self.context.settings.interactive && self.context.session.me().is_none() {
            return self.quit(Exit::CannotConnect);
        }
        self.come_back(true, false);
    }

    /// Whether a script has called in vain often enough. One that has ended does not wait for ever; one that
    /// goes on writing is a bot.
    fn gives_up(&self) -> bool {
        self.input.end().is_some() && self.connection.failures() > CALLS
    }

    /// Goes on waiting for the next try, if there is a reason to connect again.
    fn come_back(&mut self, may: bool, is_silent: bool) {
        let wanted = self.login.is_wanted() || self.requests.queued() > 0;
        if !may || !wanted || self.is_over {
            self.connection.closed();
            if !self.context.settings.interactive && wanted {
                self.quit(Exit::Protocol);
            }
            return;
        }
        if self.gives_up() {
            return self.quit(Exit::CannotConnect);
        }
        if !is_silent && self.outage.must_tell() {
            let was_here = self.context.session.me().is_some();
            self.say(match (self.context.settings.interactive, was_here) {
                (false, _) => Text::TryingInPipe,
                (true, true) => Text::TryingAgain,
                (true, false) => Text::TryingToConnect,
            });
        }
    }

    /// The user logged in elsewhere. Coming back by itself would send the other one away.
    pub(super) fn kick(&mut self) {
        if self.login.is_wanted() {
            self.fail(Text::Kicked);
        }
        self.put_questions_aside();
        self.forget_credentials();
        self.drop_waiting();
        if !self.context.settings.interactive {
            self.quit(Exit::Refused);
        }
    }

    /// Whether something that was asked for is about to be shown. Where prompts stay on the
    /// screen, the next one can wait for it.
    pub fn is_expecting(&self) -> bool {
        match self.connection.state() {
            State::LoggedOut | State::Online(_) => self.requests.has_visible(),
            State::Dialling { wished } => wished,
            State::Offline | State::Waiting(_) => false,
        }
    }

    /// Ends when every request is answered and the input has ended.
    pub(super) fn end_if_done(&mut self) {
        let idle = self.requests.is_empty()
            && self.input.is_empty()
            && self.context.pending() == 0
            && !self.connection.is_coming()
            && !self.sending.is_loading();
        let Some(end) = self.input.end().filter(|_| idle) else {
            return;
        };
        let why = match end {
            InputEnd::Closed => return self.quit(self.verdict.exit()),
            InputEnd::NotText(line) => Text::NotTextLine { line },
            InputEnd::LineTooLong(line) => Text::InputLineTooLong { line },
            InputEnd::Utf16 => Text::InputUtf16,
        };
        self.fail(why);
        self.quit(Exit::Usage);
    }

    pub(super) fn end_of_input(&mut self) {
        if self.context.settings.interactive {
            self.leave();
        } else {
            self.input.finish(InputEnd::Closed);
        }
    }

    /// What a final LOGIN_BUNDLE or LOGGED_OUT changes here.
    pub(super) fn note_login(&mut self, event: &Event) {
        if matches!(event, Event::LoggedOut {}) {
            self.say_unsent();
            self.sending.keep_in(None);
            self.connection.logged_out();
            self.login.end();
            self.forget_credentials();
            self.put_questions_aside();
            self.drop_waiting();
        }
    }
}
