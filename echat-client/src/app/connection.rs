//! The connection and the login: made when they are needed, and again when they are lost.

use echat_proto::commands::{CloseReason, Event, Request};
use echat_proto::limits::HISTORY_MAX;
use echat_proto::names::{NameQuery, Password};
use echat_proto::records::{Code, Fail};
use zeroize::Zeroizing;

use super::{App, Credentials, Effect, Exit, Link};
use crate::modes::{Goto, error_line};
use crate::session::{Asked, possible};
use crate::target::{Target, normal_name};
use crate::text::Text;

/// How often a server that is gone is called again when no more input comes: for about a minute.
const CALLS: u32 = 6;

impl App {
    /// Asks the server, as soon as that is possible; connects for it.
    pub(super) fn ask(&mut self, request: Request) {
        if let Err(excess) = self.world.session.limits().check(&request) {
            return self.never(&excess);
        }
        if matches!(request, Request::Logout {}) && self.link != Link::Up {
            return self.log_out_here();
        }
        let needs_login = !matches!(
            request,
            Request::QueryServerTime {} | Request::Register { .. } | Request::Login { .. }
        );
        if self.link == Link::Up && (self.logged_in || !needs_login) {
            self.send(&request);
        } else if !needs_login || self.credentials.is_some() {
            self.waiting.push_back(request);
            self.connect();
        } else {
            self.refuse(Code::NotLoggedIn);
        }
    }

    /// The session ended with the connection: the server need not be told.
    fn log_out_here(&mut self) {
        self.effects.push(Effect::Disconnect);
        self.link = Link::Down;
        self.owed.sent(Asked::Logout);
        self.event(Event::LoggedOut {});
    }

    /// Says a refusal that the server need not be asked for.
    pub(super) fn refuse(&mut self, code: Code) {
        self.refused = true;
        let fail = Fail {
            code: code.as_str().to_owned(),
            message: code.message().to_owned(),
            detail: Vec::new(),
        };
        let said = self.world.language.refusal(&fail);
        self.print(vec![error_line(&said)]);
    }

    pub(super) fn send(&mut self, request: &Request) {
        self.owed.sent(Asked::of(request));
        self.effects.push(Effect::Send(request.to_message()));
    }

    pub(super) fn log_in(&mut self, name: String, password: Zeroizing<String>) {
        if let Err(excess) = possible(&NameQuery::new(name.as_str())) {
            let why = self.world.excess(&excess);
            self.print(vec![error_line(&why)]);
            if !self.world.settings.interactive {
                self.quit(Exit::Usage);
            } else if self.mode.scope().is_none() {
                self.go(Goto::Login(None));
            }
            return;
        }
        self.kicked = false;
        self.credentials = Some(Credentials { name, password });
        self.world.signed_in = true;
        match self.link {
            Link::Up => self.present(),
            _ => self.connect(),
        }
    }

    /// The password is wiped, and nobody is logged in again by itself.
    pub(super) fn forget_credentials(&mut self) {
        self.credentials = None;
        self.world.signed_in = false;
        self.drop_held();
    }

    /// Connects because a person wants something, who has been told nothing of it yet.
    pub(super) fn connect(&mut self) {
        if self.link == Link::Down {
            self.attempt = 0;
            self.link = Link::Coming;
            self.effects.push(Effect::Connect);
        }
    }

    pub(super) fn connected(&mut self) {
        self.link = Link::Up;
        let waiting = std::mem::take(&mut self.waiting);
        // What needs no login goes now, the rest after it.
        for request in waiting {
            self.ask(request);
        }
        self.present();
    }

    /// Sends LOGIN, if there is somebody to log in.
    fn present(&mut self) {
        let Some(credentials) = &self.credentials else {
            return;
        };
        match Password::presented(&credentials.password) {
            Ok(password) => {
                let username = NameQuery::new(credentials.name.as_str());
                self.send(&Request::Login { username, password });
            }
            Err(bad) => {
                self.forget_credentials();
                let said = self.world.language.bad_password(&bad);
                self.print(vec![error_line(&said)]);
                if !self.world.settings.interactive {
                    self.quit(Exit::Usage);
                }
            }
        }
    }

    /// The login holds, for the first time or again.
    pub(super) fn logged_in(&mut self) {
        self.logged_in = true;
        let Some(me) = self.world.session.me().map(str::to_owned) else {
            return;
        };
        self.known = Some(normal_name(&me));
        if self.world.settings.interactive {
            let name = me.as_str();
            self.say(if self.same_user {
                Text::LoggedInAgain { name }
            } else {
                Text::LoggedIn { name }
            });
        }
        if self.world.settings.keep_unsent && self.loaded.insert(me.clone()) {
            self.effects.push(Effect::LoadOutgoing { user: me });
            self.hold_until = u64::MAX;
        }
        self.catch_up();
        for request in std::mem::take(&mut self.waiting) {
            self.ask(request);
        }
        self.send_next();
        if let Some(target) = self.world.settings.open.take() {
            self.open_at_start(target.normal());
        }
    }

    fn open_at_start(&mut self, target: Target) {
        if self.world.session.has(&target) {
            self.go(Goto::Chat(target));
        } else {
            self.fail(Text::NoTarget {
                name: target.name(),
            });
            // Lines that were meant for a room would be taken for commands.
            if !self.world.settings.interactive {
                self.quit(Exit::Refused);
            }
        }
    }

    /// Asks for what was missed, a page at a time.
    pub(super) fn catch_up(&mut self) {
        if let Some(after) = self.world.session.missed_after()
            && !self.owed.has(&Asked::CatchUp)
        {
            self.send(&Request::QueryHistory {
                target_type: None,
                target: None,
                before: None,
                after: Some(after),
                limit: Some(HISTORY_MAX),
            });
        }
    }

    pub(super) fn log_in_refused(&mut self) {
        self.forget_credentials();
        self.waiting.clear();
        self.refused = true;
        if !self.world.settings.interactive {
            self.quit(Exit::Refused);
        }
    }

    pub(super) fn mark_read(&mut self, target: &Target) {
        self.world.session.read(target);
        // One at a time: the answer sends the next, if there is more to mark by then.
        let asked = Asked::MarkRead(target.clone());
        if !self.logged_in || self.owed.has(&asked) {
            return;
        }
        if let Some(id) = self.world.session.unmarked(target) {
            self.send(&Request::MarkRead {
                target_type: target.target_type(),
                target: target.query(),
                id,
            });
        }
    }

    pub(super) fn closed(&mut self, reason: Option<u64>) {
        let was_logged_in = self.logged_in;
        self.link = Link::Down;
        self.logged_in = false;
        let was_sending = self.cut_line();
        let mut unanswered = false;
        for asked in self.owed.cut() {
            unanswered |= asked.is_awaited();
        }
        let reason = reason.map(|number| (number, CloseReason::from_number(number)));
        let is_silent = match reason {
            // Nobody logged in for a while: the next request connects again.
            Some((_, Some(CloseReason::Idle))) => !unanswered,
            Some((_, Some(CloseReason::KeyWornOut))) => true,
            // SERVER_KICK has said it.
            Some((_, Some(CloseReason::Kicked))) => self.kicked,
            // Nobody is there to whom it matters.
            None => !was_logged_in && !unanswered && self.credentials.is_none(),
            Some(_) => false,
        };
        let comes_back = was_sending
            || !matches!(
                reason,
                Some((
                    _,
                    Some(CloseReason::Idle | CloseReason::Malformed | CloseReason::TooManyErrors)
                ))
            );
        // A server that goes on being full is so once.
        let is_repeated = comes_back && self.attempt > 0;
        if !is_silent && !is_repeated {
            self.fail(said_of(reason));
        }
        if unanswered {
            self.fail(Text::Unanswered);
        }
        if let Some((_, Some(CloseReason::Kicked))) = reason {
            self.kick();
        }
        let acts = self.mode.on_cut();
        self.act(acts);
        self.come_back(comes_back, is_silent);
    }

    pub(super) fn connect_failed(&mut self, address: &str, why: &str) {
        self.link = Link::Down;
        if self.attempt == 0 {
            self.fail(Text::CannotConnect { address, why });
        }
        if !self.world.settings.interactive && self.world.session.me().is_none() {
            return self.quit(Exit::CannotConnect);
        }
        self.come_back(true, false);
    }

    /// Connects again after a while, if there is a reason to.
    fn come_back(&mut self, may: bool, is_silent: bool) {
        let wanted = self.credentials.is_some() || !self.waiting.is_empty();
        if !may || !wanted || self.over {
            if !self.world.settings.interactive && wanted {
                self.quit(Exit::Protocol);
            }
            return;
        }
        // What a script leaves behind is not to wait for ever; one that goes on writing is a bot.
        if self.ending && self.attempt >= CALLS {
            return self.quit(Exit::CannotConnect);
        }
        self.attempt += 1;
        self.link = Link::Coming;
        if self.attempt == 1 && !is_silent {
            let was_here = self.world.session.me().is_some();
            self.say(if was_here {
                Text::TryingAgain
            } else {
                Text::TryingToConnect
            });
        }
        self.effects.push(Effect::ReconnectIn {
            attempt: self.attempt,
        });
    }

    /// The user logged in elsewhere. Coming back by itself would send the other one away.
    pub(super) fn kick(&mut self) {
        if !self.kicked {
            self.kicked = true;
            self.fail(Text::Kicked);
        }
        self.forget_credentials();
        self.waiting.clear();
        if !self.world.settings.interactive {
            self.quit(Exit::Refused);
        }
    }

    /// Whether something that was asked for is about to be shown. Where prompts stay on the
    /// screen, the next one can wait for it.
    pub fn is_expecting(&self) -> bool {
        match self.link {
            Link::Up => self.owed.has_visible(),
            Link::Coming => self.attempt == 0,
            Link::Down => false,
        }
    }

    /// Ends when nothing is owed any more and nothing more will be typed.
    pub(super) fn end_if_done(&mut self) {
        let idle = self.owed.is_empty()
            && self.waiting.is_empty()
            && self.held.is_empty()
            && self.world.pending() == 0
            && self.link != Link::Coming
            && self.hold_until != u64::MAX;
        if self.ending
            && idle
            && let Some(line) = self.not_text.take()
        {
            self.fail(Text::NotTextLine { line });
            self.quit(Exit::Usage);
        } else if self.ending && idle {
            self.quit(match (self.refused, self.mistaken) {
                (true, _) => Exit::Refused,
                (false, true) => Exit::Usage,
                (false, false) => Exit::Success,
            });
        }
    }

    pub(super) fn end_of_input(&mut self) {
        if self.world.settings.interactive {
            self.leave();
        } else {
            self.ending = true;
        }
    }

    /// What a final LOGIN_BUNDLE or LOGGED_OUT changes here.
    pub(super) fn note_login(&mut self, event: &Event) {
        if matches!(event, Event::LoggedOut {}) {
            self.say_unsent();
            self.files = None;
            self.logged_in = false;
            self.known = None;
            self.forget_credentials();
            self.questions.clear();
            self.waiting.clear();
        }
    }
}

fn said_of(reason: Option<(u64, Option<CloseReason>)>) -> Text<'static> {
    match reason {
        None | Some((_, Some(CloseReason::KeyWornOut | CloseReason::Kicked))) => {
            Text::ConnectionLost
        }
        Some((number, None)) => Text::ServerReason { number },
        Some((_, Some(CloseReason::Bye))) => Text::ServerSaidBye,
        Some((_, Some(CloseReason::Idle))) => Text::ServerIdle,
        Some((_, Some(CloseReason::Malformed))) => Text::ServerMalformed,
        Some((_, Some(CloseReason::TooManyErrors))) => Text::ServerTooManyErrors,
        Some((_, Some(CloseReason::Full))) => Text::ServerFull,
        Some((_, Some(CloseReason::Restarting))) => Text::ServerRestarting,
        Some((_, Some(CloseReason::TooSlow))) => Text::ServerTooSlow,
    }
}
