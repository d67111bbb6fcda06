//! The server as the client sees it: the connection, the login on it, and the requests that wait for it or for their
//! answers. It connects when there is something to send, comes back after a loss, and says what was lost.
//!
//! States and times are [`Connection`]'s, what is told of an outage is [`Outage`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use echat_proto::commands::{CloseReason, Event, Request, RequestKind};
use echat_proto::limits::HISTORY_MAX;

use super::common::Common;
use super::input::WorstOutcome;
use super::login::{Login, SecretError};
use super::outage::{Outage, seconds_to_attempt};
use super::requests::Requests;
use super::{Effect, Exit};
use crate::modes::command_of;
use crate::net::connection::{Action, Connection, State};
use crate::session::{LimitError, NamedRoom, RequestContext, RoomUpdate, SendDecision, Update};
use crate::statement::{TypedRequest, needs_login};
use crate::target::Target;
use crate::text::Text;

/// How many attempts to connect may fail in a row after the end of input: about a minute.
const ATTEMPTS_AFTER_INPUT: u32 = 6;

/// A connection that ends without a goodbye later than this after a line was sent does not end because
/// of the line.
const AT_ONCE: Duration = Duration::from_secs(10);

/// So often in a row the server may refuse what was missed for now, and so many seconds the client waits for it at
/// most. Messages that arrive in the meantime are held back.
const CATCH_UP_REFUSALS: u32 = 6;
const CATCH_UP_WAIT: u64 = 60;

/// Requests that are queued or unanswered. Beyond these a command is refused, and the client asks nothing by itself: a
/// server that does not answer could have it ask without end.
const REQUESTS: usize = 1_000;

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
    pub(super) fn reason(self) -> Option<CloseReason> {
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

    fn sentence(self) -> Text<'static> {
        let Self::Closed(number) = self else {
            return match self {
                Self::Silent => Text::ServerSilent,
                _ => Text::ConnectionLost,
            };
        };
        match self.reason() {
            None => Text::ServerReason { number },
            Some(CloseReason::KeyWornOut) => Text::ConnectionLost,
            // Without SERVER_KICK, which ends a session, it is the connection that is not wanted (PROTOCOL.md, 5.15).
            Some(CloseReason::Kicked) => Text::AddressNotServed,
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

/// How the client goes on after a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AfterLoss {
    /// Whether the client may connect again by itself.
    pub(super) comes_back: bool,
    /// Whether the user is not told.
    pub(super) is_silent: bool,
}

/// Why a request cannot be sent, now or later.
#[derive(Debug)]
pub(super) enum SendError {
    /// It exceeds a limit, so that the server can never accept it.
    Limit(LimitError),
    /// It needs a login, and none is wanted.
    NotLoggedIn,
    /// A logout without a connection: the session ended with the connection.
    LogoutOffline,
    /// Too many requests are queued or unanswered.
    Crowded,
}

impl From<LimitError> for SendError {
    fn from(error: LimitError) -> Self {
        Self::Limit(error)
    }
}

/// The server refused what was missed for now.
#[derive(Debug, Default)]
struct CatchUpDelay {
    /// How often in a row.
    refusals: u32,
    /// The unix second at which it is asked for again.
    until: Option<u64>,
}

/// The server as the client sees it.
#[derive(Debug)]
pub(super) struct Upstream {
    connection: Connection,
    outage: Outage,
    requests: Requests,
    delay: CatchUpDelay,
    /// Whether the last connection failed because the server is not trusted, or because the known servers cannot be
    /// read or written.
    is_distrusted: bool,
    /// The wanted login.
    pub(super) login: Login,
}

impl Upstream {
    /// No connection, and no wanted login. `seed`: as [`Connection::new`].
    pub(super) fn new(seed: u64) -> Self {
        Self {
            connection: Connection::new(seed),
            outage: Outage::default(),
            requests: Requests::default(),
            delay: CatchUpDelay::default(),
            is_distrusted: false,
            login: Login::default(),
        }
    }

    /// Asks the server, as soon as that is possible; connects for it.
    ///
    /// # Errors
    /// The request cannot be sent, and why.
    pub(super) fn ask(
        &mut self,
        common: &mut Common,
        request: Request,
        asked: RequestContext,
    ) -> Result<(), SendError> {
        // A room that is joined and opened at once is introduced once.
        if let RequestContext::Introduce { room, .. } = &asked
            && self.requests.introduces(room)
        {
            return Ok(());
        }
        let session = &common.context.session;
        session.limits().check(&request)?;
        if matches!(request, Request::Logout {}) && !self.connection.is_open() {
            return Err(SendError::LogoutOffline);
        }
        if asked.is_awaited() && self.is_crowded() {
            return Err(SendError::Crowded);
        }
        let rooms = asked.rooms().into_iter();
        let rooms: Vec<NamedRoom> = rooms
            .filter_map(|room| session.named_room(&room, common.context.now))
            .collect();
        // What a user types right after a login may name a room that has another name now. A server that wants another
        // password says of no room which it is, and carries nothing out.
        let is_unsettled = asked.is_awaited()
            && !self.login.is_locked()
            && rooms
                .iter()
                .any(|room| session.is_unsettled(&room.target()));
        // The time for a ban is asked for when it is known which room that is about.
        let needs_login = needs_login(request.kind()) || !rooms.is_empty();
        let is_ready = if needs_login {
            self.connection.is_online() && !is_unsettled
        } else {
            self.connection.is_open()
        };
        if is_ready {
            self.send(common, request, asked);
        } else if !needs_login || self.login.is_wanted() {
            self.requests.queue(request, asked, rooms);
            self.connect(common);
        } else {
            return Err(SendError::NotLoggedIn);
        }
        Ok(())
    }

    pub(super) fn send(&mut self, common: &mut Common, request: Request, asked: RequestContext) {
        common.output.push(Effect::Send(request.to_message()));
        self.requests.sent_request(request, asked);
    }

    /// Connects because something is to be sent, if no connection is there or under way.
    pub(super) fn connect(&mut self, common: &mut Common) {
        if self.connection.state() == State::Offline {
            self.outage.end();
            self.dial(common, true);
        }
    }

    /// A line was entered: the client connects without waiting longer. An empty line asks for nothing else, so the
    /// user is told if this attempt fails.
    pub(super) fn try_at_once(&mut self, common: &mut Common, line: &str) {
        if matches!(self.connection.state(), State::Waiting(_)) {
            self.dial(common, line.trim().is_empty());
        }
        common.context.is_offline = !self.connection.is_open();
    }

    fn dial(&mut self, common: &mut Common, is_requested: bool) {
        if self.connection.connect(is_requested).is_some() {
            common.output.push(Effect::Connect);
        }
    }

    /// Connects, pings or gives up, if it is time. The loss, if the connection is given up.
    pub(super) fn due(&mut self, common: &mut Common) -> Option<Loss> {
        match self.connection.due(common.at, self.awaits(common))? {
            Action::Dial => common.output.push(Effect::Connect),
            Action::Ping => common.output.push(Effect::Ping),
            Action::GiveUp => {
                common.output.push(Effect::GiveUp);
                return Some(Loss::Silent);
            }
        }
        None
    }

    /// Whether something is expected from the server, so that its silence means more.
    fn awaits(&self, common: &Common) -> bool {
        self.requests.has_unanswered() || common.context.pending() > 0
    }

    /// When the next [`Input::Due`](super::Input::Due) has something to do, as
    /// [`Input::Elapsed`](super::Input::Elapsed) counts.
    pub(super) fn elapses_at(&self, common: &Common) -> Option<Duration> {
        let due = self.connection.due_at(self.awaits(common));
        // Where the prompt is redrawn, the seconds in it count down.
        let counts = common.context.settings.echoes && self.says_offline(common);
        let next = self.outage.next_change(&self.connection, common.at);
        next.filter(|_| counts).or(due)
    }

    /// Whether the prompt says that there is no connection. Before the first login that is no
    /// news, until an attempt has failed.
    pub(super) fn says_offline(&self, common: &Common) -> bool {
        let is_offline = !self.connection.is_online() && !self.requests.has(&RequestContext::Login);
        let is_expected = self.login.is_wanted() && self.connection.failures() > 0;
        is_offline && (common.context.session.me().is_some() || is_expected)
    }

    /// Takes the oldest request out if this is the final reply to it. What it asked, if that is still wanted. What the
    /// server is asked with every connection proves only that it is there; what is asked once ends the back-off.
    pub(super) fn answered(&mut self, event: &Event) -> Option<RequestContext> {
        let asked = self.requests.answered(event)?;
        self.outage.end();
        if asked.is_awaited() || asked == RequestContext::Send {
            self.connection.got_through();
        }
        Some(asked)
    }

    /// Sends LOGIN, if a login is wanted.
    ///
    /// # Errors
    /// The password or the token cannot be sent.
    pub(super) fn present(&mut self, common: &mut Common) -> Result<(), SecretError> {
        let Some(request) = self.login.request().transpose()? else {
            return Ok(());
        };
        let has_device = !matches!(request, Request::Login { token: Some(_), .. });
        match self.login.name().filter(|_| has_device) {
            Some(user) => {
                let user = user.to_owned();
                self.requests.sent(RequestContext::Login);
                let login = request.to_message();
                common.output.push(Effect::LogIn { user, login });
            }
            None => self.send(common, request, RequestContext::Login),
        }
        Ok(())
    }

    /// Asks for what was missed, a page at a time.
    pub(super) fn catch_up(&mut self, common: &mut Common) {
        if let Some(after) = common.context.session.missed_after()
            && self.delay.until.is_none()
            && !self.requests.has(&RequestContext::CatchUp)
            && self.may_ask()
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
            self.send(common, request, RequestContext::CatchUp);
        }
    }

    /// The server has sent a page of what was missed.
    pub(super) fn caught_up(&mut self) {
        self.delay = CatchUpDelay::default();
    }

    /// The server refused what was missed, but may give it in so many seconds: waits, if that is not too long. Whether
    /// the user is to be told, which is once; `None` if the client does not wait.
    pub(super) fn delay_catch_up(&mut self, common: &Common, seconds: u64) -> Option<bool> {
        let refusals = self.delay.refusals + 1;
        self.caught_up();
        if refusals >= CATCH_UP_REFUSALS || seconds > CATCH_UP_WAIT {
            return None;
        }
        let until = Some(common.context.now.saturating_add(seconds));
        self.delay = CatchUpDelay { refusals, until };
        Some(refusals == 1)
    }

    /// When what was missed is asked for again, in unix seconds.
    pub(super) fn catches_up_at(&self) -> Option<u64> {
        self.delay.until.filter(|_| self.is_online())
    }

    /// Asks again for what was missed, if it is time.
    pub(super) fn catch_up_later(&mut self, common: &mut Common) {
        let now = common.context.now;
        if self.catches_up_at().is_some_and(|until| until <= now) {
            self.delay.until = None;
            self.catch_up(common);
        }
    }

    pub(super) fn mark_read(&mut self, common: &mut Common, target: &Target) {
        common.context.session.read(target);
        // One at a time: the answer sends the next, if there is more to mark by then.
        let asked = RequestContext::MarkRead(target.clone());
        if !self.connection.is_online() || self.requests.has(&asked) {
            return;
        }
        if let Some(id) = common.context.session.unmarked(target) {
            let request = Request::MarkRead {
                target_type: target.target_type(),
                target: target.query(),
                id,
            };
            self.send(common, request, asked);
        }
    }

    /// The connection is lost. Says so, unless the user was told of this outage or need not know. `was_sending`:
    /// whether a line was in flight. `opening`: the chat whose page is asked for again after the next login.
    pub(super) fn lost(
        &mut self,
        common: &mut Common,
        loss: Loss,
        was_sending: bool,
        opening: Option<&Target>,
    ) -> AfterLoss {
        let was_logged_in = self.connection.is_online();
        self.connection.lost(common.at);
        let open = common.context.settings.open.clone().map(Target::normal);
        // The room of the address is joined after the next login.
        let is_repeated = |asked: &RequestContext| {
            let opens = asked.typed().and_then(TypedRequest::opens);
            asked.page().is_some() && asked.page() == opening || open.is_some() && opens == open
        };
        let awaited = self.requests.cut().filter(|asked| !is_repeated(asked));
        let unanswered: Vec<String> = awaited.map(|asked| command_of(&asked)).collect();
        let reason = loss.reason();
        let is_silent = match reason {
            // A connection without a login: the next request connects again.
            Some(CloseReason::Idle) => unanswered.is_empty(),
            // The client comes back for new keys.
            Some(CloseReason::KeyWornOut) => true,
            // SERVER_KICK was told before, and ended the login.
            Some(CloseReason::Kicked) => !self.login.is_wanted(),
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
            common.fail(loss.sentence());
        }
        if !unanswered.is_empty() {
            common.verdict.record(WorstOutcome::Lost);
            let commands = &common.named(&unanswered);
            common.fail(Text::Unanswered { commands });
        }
        AfterLoss {
            comes_back,
            is_silent,
        }
    }

    /// The connection did not come up. `has_ended`: whether no more input comes. How the program ends, if it does.
    pub(super) fn connect_failed(
        &mut self,
        common: &mut Common,
        address: &str,
        why: &str,
        has_ended: bool,
    ) -> Option<Exit> {
        let is_requested = self.connection.state() == State::Dialling { requested: true };
        self.is_distrusted = false;
        self.connection.lost(common.at);
        if is_requested || !self.outage.is_told() || self.gives_up(has_ended) {
            common.fail(Text::CannotConnect { address, why });
        }
        if !common.is_interactive() && common.context.session.me().is_none() {
            return Some(Exit::CannotConnect);
        }
        let aftermath = AfterLoss {
            comes_back: true,
            is_silent: false,
        };
        self.come_back(common, aftermath, has_ended)
    }

    /// The server is not trusted: the client does not try again by itself.
    pub(super) fn distrust(&mut self, common: &Common) {
        self.connection.lost(common.at);
        self.connection.closed();
        self.is_distrusted = true;
    }

    /// Whether the last connection failed because the server is not trusted.
    pub(super) fn is_distrusted(&self) -> bool {
        self.is_distrusted
    }

    /// Whether a script stops trying to connect. A script whose input has ended does not wait for ever; one whose input
    /// is open may be a bot, which does.
    fn gives_up(&self, has_ended: bool) -> bool {
        has_ended && self.connection.failures() > ATTEMPTS_AFTER_INPUT
    }

    /// Waits for the next attempt, if there is a reason to connect again. How the program ends, if it does.
    pub(super) fn come_back(
        &mut self,
        common: &mut Common,
        aftermath: AfterLoss,
        has_ended: bool,
    ) -> Option<Exit> {
        let wanted = self.login.is_wanted() || self.requests.queued() > 0;
        if !aftermath.comes_back || !wanted {
            self.connection.closed();
            return (!common.is_interactive() && wanted).then_some(Exit::Protocol);
        }
        if self.gives_up(has_ended) {
            return Some(Exit::CannotConnect);
        }
        if !aftermath.is_silent && self.outage.must_tell() {
            let was_here = common.context.session.me().is_some();
            common.say(match (common.is_interactive(), was_here) {
                (false, _) => Text::TryingInPipe,
                (true, true) => Text::TryingAgain,
                (true, false) => Text::TryingToConnect,
            });
        }
        None
    }

    /// Whether something that was asked for is about to be shown. Where prompts stay on the
    /// screen, the next one can wait for it.
    pub(super) fn is_expecting(&self) -> bool {
        match self.connection.state() {
            State::LoggedOut | State::Online(_) => self.requests.has_visible(),
            State::Dialling { requested } => requested,
            State::Offline | State::Waiting(_) => false,
        }
    }

    /// Asks the server, and says that the request waits if the prompt says that there is no connection.
    ///
    /// # Errors
    /// As [`Upstream::ask`].
    pub(super) fn ask_for_user(
        &mut self,
        common: &mut Common,
        request: Request,
        asked: RequestContext,
    ) -> Result<(), SendError> {
        let command = command_of(&asked);
        let about = asked.message();
        let before = self.requests.queued();
        self.ask(common, request, asked)?;
        let is_queued =
            !command.is_empty() && self.requests.queued() > before && self.says_offline(common);
        if is_queued && common.is_interactive() {
            common.say(Text::WaitsForConnection { command: &command });
            let about = about.map(|id| common.context.quote(id));
            common.print(about.unwrap_or_default());
        }
        Ok(())
    }

    /// Drops the queued requests, and says which commands they were.
    pub(super) fn drop_waiting(&mut self, common: &mut Common) {
        let queued = self.requests.take_queued();
        let awaited = queued.filter(RequestContext::is_awaited);
        let (queries, changes): (Vec<_>, Vec<_>) = awaited.partition(RequestContext::is_query);
        let name = |asked: &Vec<RequestContext>| {
            let commands: Vec<String> = asked.iter().map(command_of).collect();
            (!commands.is_empty()).then(|| common.named(&commands))
        };
        let (queries, changes) = (name(&queries), name(&changes));
        if let Some(commands) = &changes {
            common.fail(Text::Dropped { commands });
        }
        if let Some(commands) = &queries {
            common.fail(Text::NotRun { commands });
        }
    }

    /// Drops a request that is still queued, and says so. Of one that was sent it says that it cannot be taken back.
    pub(super) fn withdraw(&mut self, common: &mut Common, asked: &RequestContext) {
        let command = command_of(asked);
        if self.requests.withdraw(asked) {
            if asked.kind() == RequestKind::ChangePassword {
                self.login.change(false);
            }
            let commands = &common.named(&[command]);
            common.fail(Text::Dropped { commands });
        } else if self.requests.has(asked) {
            common.say(Text::SentAlready { command: &command });
        }
    }

    /// Whether this waits for a connection or a login.
    pub(super) fn is_queued(&self, asked: &RequestContext) -> bool {
        self.requests.is_queued(asked)
    }

    /// Drops the queued requests that name messages, whose ids are void, and says which commands they were.
    pub(super) fn drop_pages(&mut self, common: &mut Common) {
        let dropped = self.requests.drop_pages();
        let commands: Vec<String> = dropped.iter().map(command_of).collect();
        if !commands.is_empty() {
            let commands = &common.named(&commands);
            common.fail(Text::Dropped { commands });
        }
    }

    /// Sends the queued requests that may go now, oldest first: without a login those that need none. The errors of
    /// those that can never be accepted.
    pub(super) fn send_queued(&mut self, common: &mut Common) -> Vec<LimitError> {
        let ready = if self.connection.is_online() {
            self.requests.take_ready(&common.context.session)
        } else if self.connection.is_open() {
            self.requests.take_free()
        } else {
            return Vec::new();
        };
        let limits = common.context.session.limits();
        let mut errors = Vec::new();
        for (request, asked) in ready {
            match limits.check(&request) {
                Ok(()) => self.send(common, request, asked),
                Err(error) => errors.push(error),
            }
        }
        errors
    }

    /// The room for which the server is to be asked when it was created, before a queued request may go.
    pub(super) fn next_to_identify(&self, common: &Common) -> Option<String> {
        let session = &common.context.session;
        let mut rooms = self.requests.named_rooms();
        let room = rooms.find(|room| session.send_decision(room) == SendDecision::IdentifyRoom)?;
        Some(room.name.clone())
    }

    /// The rooms for which queued requests are held, with the time at which each was created.
    pub(super) fn sought(&self, common: &Common) -> BTreeSet<(String, u64)> {
        let session = &common.context.session;
        let rooms = self.requests.named_rooms();
        let held = rooms.filter(|room| session.send_decision(room) == SendDecision::Hold);
        held.filter_map(|room| Some((room.name.clone(), room.created?)))
            .collect()
    }

    /// A room or a user has another name: queued requests are about the same one. `created`: when the room was created,
    /// if that is known.
    pub(super) fn rename(&mut self, was: &Target, now: &Target, created: Option<u64>) {
        self.requests.rename(was, now, created);
    }

    /// An event says that a room or a user has another name: unanswered queries about the old one are sent again.
    pub(super) fn repeat_queries(&mut self, common: &mut Common, was: &Target, now: &Target) {
        // Otherwise they are answered about the old name.
        if self.is_crowded() {
            return;
        }
        for (request, asked) in self.requests.rename_unanswered(was, now) {
            self.send(common, request, asked);
        }
    }

    /// Whether so many requests are queued or unanswered that the client asks nothing more.
    pub(super) fn is_crowded(&self) -> bool {
        self.requests.count() >= REQUESTS
    }

    /// Drops the queued requests whose rooms are not those that have their names now, and says which commands they
    /// were.
    pub(super) fn refuse_held(&mut self, common: &mut Common) {
        let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (asked, room) in self.requests.take_held(&common.context.session) {
            if asked.is_awaited() {
                held.entry(room).or_default().push(command_of(&asked));
            }
        }
        for (room, commands) in held {
            common.verdict.record(WorstOutcome::Refused);
            let commands = &common.named(&commands);
            let room = room.as_str();
            common.fail(if common.context.session.rooms().contains(room) {
                Text::CommandsForAnotherRoom { commands, room }
            } else {
                Text::CommandsWithoutRoom { commands, room }
            });
        }
    }

    /// Whether an update follows from a request of this session whose answer tells the same.
    pub(super) fn is_told_by_answer(&self, common: &Common, update: &Update) -> bool {
        let Update::Room(room_update) = update else {
            return false;
        };
        let asked: &[RequestKind] = match room_update {
            RoomUpdate::Changed { .. } => &[RequestKind::SetRoom],
            RoomUpdate::Closed { .. } => &[RequestKind::CloseRoom],
            RoomUpdate::Removed { .. } => &[RequestKind::Kick, RequestKind::Ban],
            RoomUpdate::Role { .. } => &[RequestKind::SetRole],
            RoomUpdate::Invitation(_)
            | RoomUpdate::Renamed { .. }
            | RoomUpdate::Lost { .. }
            | RoomUpdate::Replaced { .. } => &[],
        };
        room_update.by() == common.context.session.me()
            && asked.iter().any(|kind| self.requests.has_kind(*kind))
    }

    /// Whether this session joins or creates a room.
    pub(super) fn is_joining(&self, room: &str) -> bool {
        self.requests.is_joining(room)
    }

    /// Whether a request of this session is unanswered that ends a friendship.
    pub(super) fn ends_friendship(&self) -> bool {
        let mut kinds = [RequestKind::RemoveFriend, RequestKind::Block].into_iter();
        kinds.any(|kind| self.requests.has_kind(kind))
    }

    /// Whether this is asked and not answered yet.
    pub(super) fn asks(&self, asked: &RequestContext) -> bool {
        self.requests.has(asked)
    }

    /// Whether this is queued, or sent and not answered yet.
    pub(super) fn is_to_come(&self, asked: &RequestContext) -> bool {
        self.requests.has(asked) || self.requests.is_queued(asked)
    }

    /// Whether a page of this conversation is to come.
    pub(super) fn loads(&self, target: &Target) -> bool {
        self.requests.loads(target)
    }

    /// Whether the client asks for a room that a user joined.
    pub(super) fn asks_after_joining(&self, room: &str) -> bool {
        self.requests.asks_after_joining(room)
    }

    /// Whether the client asks which room a name stands for.
    pub(super) fn identifies(&self) -> bool {
        self.requests.identifies()
    }

    /// Whether everything that a user asked for has come, and the wanted login holds.
    pub(super) fn has_all(&self) -> bool {
        self.requests.is_done() && (self.connection.is_online() || !self.login.is_wanted())
    }

    /// Whether no request is queued or unanswered, and no connection under way.
    pub(super) fn is_idle(&self) -> bool {
        self.requests.is_empty() && !self.connection.is_coming()
    }

    /// Whether a login is under way and nothing of its user is known yet.
    pub(super) fn awaits_login(&self) -> bool {
        !self.connection.is_online() && self.login.is_of_new_user()
    }

    /// Whether the channel is open.
    pub(super) fn is_open(&self) -> bool {
        self.connection.is_open()
    }

    /// Whether a login holds.
    pub(super) fn is_online(&self) -> bool {
        self.connection.is_online()
    }

    /// Whether a login holds in which the server answers what the client asks by itself: it answers nothing until a
    /// temporary password is changed.
    pub(super) fn may_ask(&self) -> bool {
        self.is_online() && !self.login.is_locked()
    }

    /// The channel is open, without a login.
    pub(super) fn opened(&mut self, common: &Common) {
        self.is_distrusted = false;
        self.connection.opened(common.at);
    }

    /// The login holds, for the first time or again.
    pub(super) fn logged_in(&mut self, common: &mut Common) {
        self.connection.logged_in(common.at);
        self.caught_up();
        let Some(name) = &common.me() else {
            return;
        };
        let is_again = self.login.succeeded(name);
        if common.is_interactive() {
            common.say(if is_again {
                Text::LoggedInAgain { name }
            } else {
                Text::LoggedIn { name }
            });
        }
    }

    /// The user logged out: the channel stays, and nothing of the login is remembered.
    pub(super) fn logged_out(&mut self) {
        self.connection.logged_out();
        self.login.end();
    }

    /// Logs out without a connection: the session ended with it, and the server need not be told.
    pub(super) fn log_out_offline(&mut self, common: &mut Common) {
        common.output.push(Effect::Disconnect);
        self.connection.closed();
        let logout = RequestContext::Other(RequestKind::Logout);
        self.requests.sent(logout);
    }

    /// Bytes came from the server.
    pub(super) fn heard(&mut self, common: &Common) {
        self.connection.heard(common.at);
    }

    /// The server sent a PONG.
    pub(super) fn pong(&mut self) {
        self.connection.pong();
    }

    /// The machine was resumed, or the process was continued.
    pub(super) fn woke(&mut self, common: &Common) {
        self.connection.woke(common.at);
    }

    /// The seconds to the next attempt to connect that the prompt shows, while it says that there is no connection.
    /// Where every prompt stays on the screen there are none: each second would be a prompt.
    pub(super) fn seconds_to_attempt(&self, common: &Common) -> Option<u64> {
        let counts = common.context.settings.echoes && self.says_offline(common);
        seconds_to_attempt(&self.connection, common.at).filter(|_| counts)
    }

    /// The prompt shows the seconds of now. Whether they are others than before.
    pub(super) fn count_down(&mut self, common: &Common) -> bool {
        let seconds = self.seconds_to_attempt(common);
        self.outage.show(seconds)
    }

    /// The requests, for tests.
    #[cfg(test)]
    pub(super) fn requests(&self) -> &Requests {
        &self.requests
    }

    /// The connection, for tests.
    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Another connection, for tests.
    #[cfg(test)]
    pub(super) fn set_connection(&mut self, connection: Connection) {
        self.connection = connection;
    }
}
