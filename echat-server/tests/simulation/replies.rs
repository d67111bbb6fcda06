//! Checks final replies. A reply must agree with the committed state when it arrives, however late. If nothing was
//! committed between request and reply, it must equal what [`crate::model`] expects.

use crate::client::{Client, invitations, matches};
use crate::committed::CommittedState;
use crate::devices::{self, LoginTiming, Recognition};
use crate::fail;
use crate::model::bundle::bundle;
use crate::model::{Model, ReaderContext, message as model_message};
use crate::observations::Observations;
use crate::plan::{
    AccountRequest, BotRequest, InvitationCodeRequest, PEOPLE, PeopleRequest, PlannedRequest,
    RegistrationPolicy, Role, RoomRequest, Setting, Target, USERS,
};
use crate::request::{away, content, refusal_code};
use crate::search::PendingSearch;
use crate::secrets::PresentedSecret;
use crate::tokens;
use crate::value::{Params, equal, room, sorted, without};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::Event;
use echat_server::config::Limits;
use std::collections::BTreeSet;

/// A request that waits for its final reply.
#[derive(Clone, Debug)]
pub(crate) struct PendingRequest {
    pub(crate) planned: PlannedRequest,
    /// The session secret that it presents.
    pub(crate) presented: Option<PresentedSecret>,
    /// The device that it presents, and the number of devices at that time.
    pub(crate) device: Option<devices::PresentedDevice>,
    pub(crate) devices: usize,
    /// Which of [`crate::plan::PASSWORDS`] it presents.
    pub(crate) password: Option<usize>,
    /// The bot token that it presents.
    pub(crate) token: Option<tokens::PresentedToken>,
    /// The invitation code that it names.
    pub(crate) code: Option<String>,
    /// What it searches for.
    pub(crate) search: Option<PendingSearch>,
    /// The number of session secrets at that time.
    pub(crate) secrets: usize,
    /// The users that may be logged in when it is handled.
    pub(crate) users: Vec<usize>,
    /// The newest message that the client knew.
    pub(crate) known: u64,
    /// The version of the committed state at that time.
    pub(crate) version: u64,
    /// The tick before it was sent.
    pub(crate) tick: u64,
    /// The unix time when it was sent.
    pub(crate) unix: i64,
}

/// What replies are checked against.
pub(crate) struct ReplyChecker<'w> {
    pub(crate) committed: &'w CommittedState,
    pub(crate) limits: &'w Limits,
    pub(crate) observed: &'w mut Observations,
    pub(crate) policy: RegistrationPolicy,
    /// The unix time now.
    pub(crate) unix: i64,
    /// The user's sessions, for requests about them, unless they are uncertain.
    pub(crate) sessions: Option<&'w [Session]>,
}

/// A session of a user.
pub(crate) struct Session {
    /// The address of its connection.
    pub(crate) address: String,
    /// The tick in which it began.
    pub(crate) began_in: u64,
    /// Whether it is the session of the request.
    pub(crate) this: bool,
}

impl<'w> ReplyChecker<'w> {
    fn model(&self, now: i64) -> Model<'w> {
        Model {
            committed: self.committed,
            limits: self.limits,
            policy: self.policy,
            now,
        }
    }

    fn params<'m>(&self, message: &'m Message) -> Params<'m>
    where
        'w: 'm,
    {
        Params {
            all: &message.params,
            committed: self.committed,
        }
    }

    /// Checks the final reply of a request, and applies it to the client's view.
    pub(crate) fn check(
        &mut self,
        client: &mut Client,
        pending: &PendingRequest,
        message: &Message,
    ) -> Result<(), String> {
        let event = Event::from_message(message).and_then(Result::ok);
        let event = event.ok_or("a message that is in no table")?;
        let same = pending.version == self.committed.version
            && !self.observed.ambiguous_since(pending.tick);
        // LOGIN_SUCCESS precedes the bundle, but the request was made before the login.
        let is_login = matches!(event, Event::LoginBundle { .. });
        let user = client.user.filter(|_| !is_login);
        let at = |unix| self.model(unix).refusal(pending, user);
        let refusal = at(self.unix);
        // Some replies depend on the time, so a bound must not lie between request and reply.
        let exact = same
            && refusal == at(pending.unix)
            && self.committed.expires_alike(pending.unix, self.unix)
            && !self.observed.clock_jumped_since(pending.tick)
            && pending.token != Some(tokens::PresentedToken::Unknown);
        let command = pending.planned.name();
        let ending = refusal_code(&event).unwrap_or("done");
        self.observed.cover(format!("{command} {ending}"));
        if exact {
            self.observed.cover(format!("{command} exactly {ending}"));
        }
        if let Some(code) = refusal_code(&event) {
            let expected = refusal.filter(|_| exact);
            let checked = self.check_refusal(client, (pending, user), code, expected, exact);
            self.end_devices(pending, user, false);
            return checked;
        }
        if let Some(code) = refusal.filter(|_| exact) {
            return fail(&format!("success, expected the refusal {code}"));
        }
        self.check_success(client, pending, (message, &event), exact)
    }

    fn check_refusal(
        &mut self,
        client: &Client,
        (pending, user): (&PendingRequest, Option<usize>),
        code: &str,
        expected: Option<&str>,
        exact: bool,
    ) -> Result<(), String> {
        let planned = &pending.planned;
        let justified = match code {
            "storage_full" | "storage_busy" | "storage_damaged" => {
                self.observed.storage_faulty_since(pending.tick)
            }
            "rate_limited" => {
                user.is_some_and(|user| self.observed.may_exceed_rate(planned, user, self.limits))
            }
            "login_throttled" => {
                self.counted_attempts(client, pending, user) > self.limits.login_failures
            }
            "bad_credentials" if let Some(presented) = pending.presented => {
                self.observed.secrets.may_refuse(presented)
            }
            "suspended" if let PlannedRequest::Resume { user, .. } = planned => {
                !exact || self.committed.is_suspended(*user, self.unix)
            }
            _ => !exact || expected == Some(code),
        };
        if justified {
            Ok(())
        } else {
            fail(&format!("refused with {code}, expected {expected:?}"))
        }
    }

    /// Password attempts that may have been counted for a request. A recognised device has a count of its own.
    fn counted_attempts(
        &mut self,
        client: &Client,
        pending: &PendingRequest,
        user: Option<usize>,
    ) -> u64 {
        let jumped = self.observed.clock_jumped_since(pending.tick);
        let devices = &self.observed.devices;
        let (device, user) = match (pending.planned.logs_in(), &pending.planned) {
            (Some(user), _) => {
                let is_known =
                    devices.recognition(user, pending.device, jumped) == Recognition::Known;
                let presented = pending.device.filter(|_| is_known);
                (presented.map(|presented| presented.device), Some(user))
            }
            (
                None,
                PlannedRequest::Account(
                    AccountRequest::ChangePassword(_) | AccountRequest::Delete { .. },
                ),
            ) => (client.device, user),
            _ => return 0,
        };
        match (device, user) {
            (Some(device), _) => {
                let tries = devices.attempts(device);
                self.observed.cover("a throttled device".to_owned());
                tries
            }
            (None, user) => user.map_or(0, |user| self.observed.login_attempts(user)),
        }
    }

    /// Notes the answer to a request that voids devices, or to a login that was refused.
    fn end_devices(&mut self, pending: &PendingRequest, user: Option<usize>, done: bool) {
        if let (Some(user), false) = (pending.planned.logs_in(), done) {
            self.observed.devices.refuse(user, pending.device);
        }
        let PlannedRequest::Account(
            AccountRequest::ChangePassword(_) | AccountRequest::Delete { .. },
        ) = pending.planned
        else {
            return;
        };
        // The request counted for every user that may have been logged in.
        for other in &pending.users {
            let void = (done && user == Some(*other)).then_some(pending.devices);
            self.observed.end_devices(*other, void);
        }
    }

    fn check_success(
        &mut self,
        client: &mut Client,
        pending: &PendingRequest,
        (message, event): (&Message, &Event),
        exact: bool,
    ) -> Result<(), String> {
        match &pending.planned {
            PlannedRequest::Login { user, .. } => {
                let right = pending.password.is_some()
                    && (pending.password == self.committed.password(*user)
                        || self.observed.password_changed_since(*user, pending.tick)
                        || !self.committed.is_active(*user));
                login(
                    client,
                    *user,
                    right,
                    "logged in by a wrong password, or as another",
                )?;
                self.check_session_secret(client, *user, pending, event)?;
                return self.check_bundle(client, *user, message, exact);
            }
            PlannedRequest::Token { bot, .. } => {
                let right = pending.token != Some(tokens::PresentedToken::Wrong);
                login(
                    client,
                    *bot,
                    right,
                    "logged in by a wrong token, or as another",
                )?;
                self.check_session_secret(client, *bot, pending, event)?;
                return self.check_bundle(client, *bot, message, exact);
            }
            PlannedRequest::Resume { user, .. } => {
                let presented = pending.presented.expect("a resume presents a secret");
                let right = self.observed.secrets.may_log_in(presented, *user);
                let what = "logged in by a secret that is void, or as another";
                login(client, *user, right, what)?;
                self.check_session_secret(client, *user, pending, event)?;
                return self.check_bundle(client, *user, message, exact);
            }
            _ => {}
        }
        self.note_session_reply(client, pending);
        self.end_devices(pending, client.user, true);
        match (&pending.planned, client.user) {
            (PlannedRequest::Time, _) => Ok(()),
            (
                PlannedRequest::Register(name) | PlannedRequest::RegisterBy { user: name, .. },
                None,
            ) => {
                let stored = self.committed.accounts.contains_key(name);
                check(stored, "an account that is not stored")
            }
            (_, Some(me)) => {
                client.apply_own_request(&pending.planned);
                self.check_success_of(client, me, pending, (message, event), exact)
            }
            (_, None) => fail("a request without a login succeeds"),
        }
    }

    /// A login gives a new secret, unless storage had a fault.
    fn check_session_secret(
        &mut self,
        client: &mut Client,
        user: usize,
        pending: &PendingRequest,
        event: &Event,
    ) -> Result<(), String> {
        let Event::LoginBundle {
            resume: Some(secret),
            device: Some(device),
            ..
        } = event
        else {
            return fail("a login without a secret");
        };
        let timing = LoginTiming {
            tick: pending.tick,
            unix: (pending.unix, self.unix),
            jumped: self.observed.clock_jumped_since(pending.tick),
            storage_faulty: self.observed.storage_faulty_since(pending.tick),
        };
        client.since = if timing.jumped {
            (0, i64::MAX)
        } else {
            (pending.unix.max(0), self.unix.max(0))
        };
        let devices = &mut self.observed.devices;
        let known = devices.recognition(user, pending.device, timing.jumped);
        client.device = devices.give(user, pending.device, device, timing)?;
        client
            .devices
            .extend(client.device.map(|device| (user, device)));
        let what = match (known, pending.device) {
            (Recognition::Known, _) => "a recognised device",
            (Recognition::Unknown, Some(_)) => "an unrecognised device",
            _ => "a login without a recognised device",
        };
        self.observed.cover(what.to_owned());
        client.opened_by = pending.presented;
        client.secret = None;
        if secret.is_none() {
            let storage_faulty = self.observed.storage_faulty_since(pending.tick);
            let may = storage_faulty || user >= PEOPLE;
            return check(may, "a login gives no secret");
        }
        let given = self
            .observed
            .secrets
            .give(user, secret, pending.presented)?;
        client.secret = Some(given);
        // A LOGOUT may be on its way already.
        if client
            .unanswered
            .iter()
            .any(|pending| pending.planned == PlannedRequest::Logout)
        {
            self.observed.secrets.begin_logout(client.secret);
        }
        if self.observed.storage_faulty_since(pending.tick)
            || self.observed.clock_jumped_since(pending.tick)
        {
            self.observed.secrets.note_fault();
        }
        Ok(())
    }

    /// Notes a reply in a session. The secret that opened the session is used up. LOGOUT voids the session's own
    /// secret; ending other sessions voids all earlier ones.
    fn note_session_reply(&mut self, client: &mut Client, pending: &PendingRequest) {
        let Some(user) = client.user else { return };
        if self.observed.storage_faulty_since(pending.tick) {
            return;
        }
        self.observed.secrets.use_up(client.opened_by);
        match pending.planned {
            PlannedRequest::Logout => self.observed.secrets.logged_out(client.secret.take()),
            PlannedRequest::Account(
                AccountRequest::ChangePassword(_)
                | AccountRequest::Delete { .. }
                | AccountRequest::EndOthers,
            ) => self.observed.secrets.void_all(user, pending.secrets),
            _ => {}
        }
    }

    fn check_success_of(
        &mut self,
        client: &mut Client,
        me: usize,
        pending: &PendingRequest,
        (message, event): (&Message, &Event),
        exact: bool,
    ) -> Result<(), String> {
        let ambiguous = self.observed.ambiguous_since(pending.tick);
        match &pending.planned {
            PlannedRequest::Logout => {
                check(client.user.take().is_some(), "a logout without a login")
            }
            PlannedRequest::Befriend(_)
            | PlannedRequest::Resolve(_, true)
            | PlannedRequest::Create(..)
            | PlannedRequest::Join(_)
            | PlannedRequest::Add(..) => {
                let stands = self.is_joined(me, &pending.planned) || ambiguous;
                check(stands, "friends or members that are not stored")
            }
            PlannedRequest::Read(of) => self.check_read_marker(me, *of, message, ambiguous),
            PlannedRequest::Part(room) => {
                let was_there = client.rooms.remove(room).is_some();
                check(was_there || ambiguous, "left a room without being in it")
            }
            PlannedRequest::Send { .. } => self.check_acknowledgement(client, me, pending, message),
            PlannedRequest::Members(room) => {
                let told = presence_is_sent(self.limits);
                let params = self.params(message);
                members(client, me, *room, params, (exact, told, ambiguous))
            }
            PlannedRequest::History { .. }
            | PlannedRequest::Around { .. }
            | PlannedRequest::Mentions(_) => {
                if exact {
                    self.cover_former_friend(me, &pending.planned);
                }
                self.check_history_page(client, me, message)?;
                self.check_exactly(client, pending, me, message, exact)
            }
            PlannedRequest::Search(_) | PlannedRequest::SearchNextPage => {
                self.check_search_page(client, me, pending, message, (exact, ambiguous))
            }
            PlannedRequest::Message(of) => {
                let is_done = self.model(self.unix).is_done(of, me, pending.known) || ambiguous;
                check(is_done, "a change of a message that is not stored")
            }
            PlannedRequest::Account(of) => {
                let is_changed = self.is_account_changed(me, of) || ambiguous;
                check(is_changed, "a change of an account that is not stored")?;
                self.check_sessions(client, me, (pending, of), message)?;
                note_deletion(client, of, event)
            }
            PlannedRequest::InvitationCode(
                of @ (InvitationCodeRequest::Make(..) | InvitationCodeRequest::Revoke(_)),
            ) => self.check_invitation_code(of, me, pending, message, ambiguous),
            PlannedRequest::Bot(BotRequest::Create(bot, ..) | BotRequest::NewToken(bot, _)) => {
                self.check_token(*bot, me, message, ambiguous)
            }
            planned => {
                let is_so = self.is_stored(me, planned) || ambiguous;
                check(is_so, "a success that is not stored")?;
                self.check_exactly(client, pending, me, message, exact)
            }
        }
    }

    fn cover_former_friend(&mut self, me: usize, planned: &PlannedRequest) {
        if let PlannedRequest::History {
            of: Some(Target::User(other)),
            ..
        } = planned
            && !self.committed.are_friends(me, *other)
        {
            self.observed.cover("history of a former friend".to_owned());
        }
    }

    fn check_read_marker(
        &self,
        me: usize,
        of: Target,
        message: &Message,
        ambiguous: bool,
    ) -> Result<(), String> {
        let conversation = self.committed.conversation(me, of);
        let read =
            conversation.and_then(|c| Some(self.committed.participations.get(&(me, c))?.read));
        let id = self.params(message).at("id")?.int()?;
        check(
            Some(id) <= read || ambiguous,
            "a read marker that is not stored",
        )
    }

    /// Whether the friendship or membership that a request asked for is stored.
    fn is_joined(&self, me: usize, planned: &PlannedRequest) -> bool {
        let committed = self.committed;
        match planned {
            PlannedRequest::Befriend(other) => {
                committed.are_friends(me, *other)
                    || self.observed.friend_requests.contains(&(me, *other))
            }
            PlannedRequest::Resolve(other, _) => committed.are_friends(me, *other),
            PlannedRequest::Create(room, ..) => committed.role(me, *room) == Some(Role::Owner),
            PlannedRequest::Join(room) => committed.is_member(me, *room),
            PlannedRequest::Add(room, members) => {
                members.iter().all(|user| committed.is_member(*user, *room))
            }
            _ => true,
        }
    }

    /// Whether a change of the account is stored.
    fn is_account_changed(&self, me: usize, of: &AccountRequest) -> bool {
        let account = &self.committed.accounts[&me];
        match of {
            AccountRequest::Delete { .. } => account.deleted,
            AccountRequest::Away(text) => account.away == text.map(away),
            AccountRequest::Privacy(shows) => account.hides_last_seen != *shows,
            AccountRequest::ChangePassword(_)
            | AccountRequest::EndOthers
            | AccountRequest::Sessions => true,
        }
    }

    /// Checks the list of a user's sessions, and that other sessions ended.
    fn check_sessions(
        &mut self,
        client: &Client,
        me: usize,
        (pending, of): (&PendingRequest, &AccountRequest),
        message: &Message,
    ) -> Result<(), String> {
        let Some(sessions) = self.sessions else {
            return Ok(());
        };
        let others = sessions.iter().filter(|session| !session.this);
        match of {
            AccountRequest::ChangePassword(_) | AccountRequest::EndOthers => {
                // Sessions may have begun since.
                let ended = others
                    .clone()
                    .all(|session| session.began_in > pending.tick);
                return check(ended, "another session continues after its end");
            }
            AccountRequest::Sessions if !self.observed.sessions_changed_since(me, pending.tick) => {
            }
            _ => return Ok(()),
        }
        let mut listed: Vec<_> = self.params(message).items()?.collect();
        let own = listed.iter().position(|line| line.flag("this"));
        let own = listed.swap_remove(own.ok_or("the own session is not listed")?);
        let since = |line: Params<'_>| Ok::<i64, String>(line.at("since")?.int()?.cast_signed());
        let (from, to) = client.since;
        check(
            (from..=to).contains(&since(own)?),
            "the own session has another start",
        )?;
        check(
            listed.len() == others.clone().count() && listed.iter().all(|line| !line.flag("this")),
            "other sessions are listed than there are",
        )?;
        let mut addresses: Vec<&str> = Vec::new();
        for line in listed.iter().chain([&own]) {
            addresses.push(line.at("address")?.text()?);
        }
        let mut expected: Vec<&str> = sessions.iter().map(|session| &*session.address).collect();
        addresses.sort_unstable();
        expected.sort_unstable();
        check(
            addresses == expected,
            "sessions are listed with other addresses",
        )?;
        let what = format!("a list of {} sessions", expected.len());
        self.observed.cover(what);
        Ok(())
    }

    /// Whether the effect of a request about a user or a room is stored.
    fn is_stored(&self, me: usize, planned: &PlannedRequest) -> bool {
        let committed = self.committed;
        match planned {
            PlannedRequest::People(of) => match of {
                PeopleRequest::Unfriend(other) => !committed.are_friends(me, *other),
                PeopleRequest::Block(other) => committed.blocks(me, *other),
                PeopleRequest::Unblock(other) => !committed.blocks(me, *other),
                _ => true,
            },
            PlannedRequest::Bot(BotRequest::Remove(bot)) => !committed.is_active(*bot),
            PlannedRequest::Room(of) => match of {
                RoomRequest::Set(room, setting) => self.is_set(*room, *setting),
                RoomRequest::Close(room) => !committed.rooms.contains_key(room),
                RoomRequest::Invite(room, user) => {
                    let conversation = committed.rooms.get(room).map(|room| room.conversation);
                    conversation.is_some_and(|c| committed.invitations.contains_key(&(*user, c)))
                }
                RoomRequest::Decline(room) => !committed.is_invited(me, *room),
                RoomRequest::Kick(room, user) => !committed.is_member(*user, *room),
                // A ban may have expired before the reply arrives.
                RoomRequest::Ban(room, user, seconds) => {
                    let holds = committed.ban(*user, *room, self.unix).is_some();
                    (holds || seconds.is_some()) && !committed.is_member(*user, *room)
                }
                RoomRequest::Unban(room, user) => committed.ban(*user, *room, self.unix).is_none(),
                RoomRequest::SetRole(room, user, role) => {
                    committed.role(*user, *room) == Some(*role)
                }
                _ => true,
            },
            _ => true,
        }
    }

    fn is_set(&self, room: usize, setting: Setting) -> bool {
        let committed = self.committed;
        if let Setting::Name(new) = setting {
            return committed.rooms.contains_key(&new);
        }
        let Some(room) = committed.rooms.get(&room) else {
            return false;
        };
        match setting {
            Setting::Name(_) => true,
            Setting::Topic(number) => room.topic == crate::request::topic(number),
            Setting::Private(private) => room.private == private,
            Setting::ReadOnly(read_only) => room.read_only == read_only,
            Setting::Slow(seconds) => room.slow_seconds == u64::from(seconds),
            Setting::Keep(days) => room.keep_days == days.map(u64::from),
        }
    }

    /// Checks the reply to making or revoking a code.
    fn check_invitation_code(
        &mut self,
        of: &InvitationCodeRequest,
        me: usize,
        pending: &PendingRequest,
        message: &Message,
        ambiguous: bool,
    ) -> Result<(), String> {
        let stored = |code: &str| self.committed.codes.get(code);
        let InvitationCodeRequest::Make(uses, _) = of else {
            // The reply is the same for a code of another user.
            let own = pending.code.as_deref().and_then(stored);
            let is_gone = own.is_none_or(|found| found.maker != me);
            return check(is_gone || ambiguous, "a revoked code is still stored");
        };
        let params = self.params(message);
        let code = params.at("code")?.text()?;
        let is_stored = stored(code).is_some_and(|found| found.maker == me);
        check(is_stored || ambiguous, "a code that is not stored")?;
        check(
            params.at("uses")?.int()? == *uses,
            "a code for another number of accounts",
        )?;
        let is_new = self.observed.codes.give(code);
        check(is_new, "a code is given twice")
    }

    /// Checks the reply with a bot's new token.
    fn check_token(
        &mut self,
        bot: usize,
        me: usize,
        message: &Message,
        ambiguous: bool,
    ) -> Result<(), String> {
        let text = self.params(message).at("token")?.text()?;
        let owner = self.committed.bot(bot).map(|bot| bot.owner);
        check(owner == Some(me) || ambiguous, "a bot that is not stored")?;
        // If another request changed the token too, it is not known which one is stored.
        let committed = Some(self.committed).filter(|_| !ambiguous);
        let is_new = self.observed.tokens.give(bot, text, committed);
        check(is_new, "a token is given twice")
    }

    /// An acknowledged message is stored, exactly once, and stays.
    fn check_acknowledgement(
        &mut self,
        client: &mut Client,
        me: usize,
        pending: &PendingRequest,
        message: &Message,
    ) -> Result<(), String> {
        let PlannedRequest::Send {
            to,
            number,
            size,
            txn,
            ..
        } = &pending.planned
        else {
            return fail("an acknowledgement of another request");
        };
        let id = matches(self.params(message), me)?;
        let committed = self.committed;
        let is_it = committed.versions(id).any(|stored| {
            let target = committed.target(me, stored.conversation);
            stored.sender == me
                && committed.original_text(id) == content(*number, *size)
                && stored.txn == txn.then(|| number.to_string())
                && (target == Some(*to) || matches!(to, Target::Room(_)))
        });
        check(is_it, "another message is acknowledged than was sent")?;
        let anew = match committed.messages.get(&id) {
            Some(stored) if !committed.is_hidden(stored) => self.observed.acknowledged.insert(id),
            _ => true,
        };
        check(anew || *txn, "one message is acknowledged twice")?;
        check(
            *txn || !client.has_received(id),
            "a message is sent to its own sender",
        )?;
        client.note_received(id);
        client.note_acknowledged(id, self.params(message));
        client
            .unacknowledged
            .retain(|(user, planned)| *user != me || *planned != pending.planned);
        Ok(())
    }

    /// Checks a page of a search, newest message first.
    fn check_search_page(
        &mut self,
        client: &mut Client,
        me: usize,
        pending: &PendingRequest,
        message: &Message,
        (exact, ambiguous): (bool, bool),
    ) -> Result<(), String> {
        let search = pending.search.as_ref().expect("a search");
        let params = self.params(message);
        let mut lines: Vec<_> = params.at("messages")?.items()?.collect();
        let shows_all = lines.iter().all(|line| !line.flag("deleted"));
        check(shows_all, "a deleted message is found")?;
        check(!params.has("indexed"), "a new database is being indexed")?;
        let next = params.at("next").ok().map(Params::int).transpose()?;
        check(
            params.flag("more") == next.is_some(),
            "`more` and `next` disagree",
        )?;
        let ids: Result<Vec<u64>, String> = lines.iter().map(|line| line.at("id")?.int()).collect();
        let ids = ids?;
        if !ambiguous {
            search.check_page(&ids, next)?;
        }
        client.search = next.map(|next| (search.clone(), next));
        lines.reverse();
        self.check_lines(client, me, &lines)?;
        if exact {
            for (id, line) in ids.iter().rev().zip(&lines) {
                let stored = self.committed.messages.get(id).ok_or("it is not stored")?;
                let shown = model_message(me, *id, stored, self.committed);
                if !equal(&shown, line.all) {
                    return fail(&format!("found {:?}, expected {shown:?}", line.all));
                }
            }
        }
        self.cover_search(search, &ids, next);
        Ok(())
    }

    fn cover_search(&mut self, search: &PendingSearch, ids: &[u64], next: Option<u64>) {
        let was_said = |id: u64| {
            let mut former = self.committed.versions(id);
            former.any(|former| search.matches_text(&former.content)) && !ids.contains(&id)
        };
        let has_words = !search.planned.terms.is_empty();
        let changed = self.committed.former_after(0);
        let met = [
            (
                !ids.is_empty() && has_words,
                "a search for words with results",
            ),
            (
                !ids.is_empty() && next.is_some(),
                "a search of several pages",
            ),
            (
                has_words && changed.into_iter().any(was_said),
                "a search for former words",
            ),
        ];
        for (_, what) in met.into_iter().filter(|(is_so, _)| *is_so) {
            self.observed.cover(what.to_owned());
        }
    }

    /// A page has stored messages in order, whether or not its exact content is known.
    fn check_history_page(
        &self,
        client: &mut Client,
        me: usize,
        message: &Message,
    ) -> Result<(), String> {
        let lines = self.params(message).at("messages")?.items()?;
        self.check_lines(client, me, &lines.collect::<Vec<_>>())
    }

    fn check_lines(
        &self,
        client: &mut Client,
        me: usize,
        lines: &[Params<'_>],
    ) -> Result<(), String> {
        let mut last = 0;
        for line in lines {
            let id = line.at("id")?.int()?;
            let content = line.at("content")?.text()?;
            let says = |stored: &crate::committed::StoredMessage| *stored.content == *content;
            let hidden = line.flag("deleted") && content.is_empty();
            let mut known = self.committed.versions(id).peekable();
            let right = known.peek().is_some()
                && (hidden || known.any(says) || self.committed.may_have_had_text(id, content))
                && id > last
                && line.user("username")? == me;
            check(right, "a page has unknown messages, or another order")?;
            last = id;
            client.note_message(id, *line);
        }
        client.known = client.known.max(last);
        Ok(())
    }

    fn check_bundle(
        &self,
        client: &mut Client,
        me: usize,
        message: &Message,
        exact: bool,
    ) -> Result<(), String> {
        let params = self.params(message);
        client.friends = params.users("friends")?;
        client.online = params.users("online")?;
        client.friend_requests = params.users("pending_requests")?;
        client.blocked = params.users("blocked").unwrap_or_default();
        client.listed.clear();
        client.latest_rooms.clear();
        client.removed_from.clear();
        client.renamed_to.clear();
        let rooms = params.at("chat_rooms")?.items()?;
        let rooms: Result<_, String> = rooms.map(|name| Ok((room(name.text()?)?, None))).collect();
        client.rooms = rooms?;
        let empty = Value::List(vec![]);
        let or_empty = |key| {
            params.at(key).unwrap_or(Params {
                all: &empty,
                committed: self.committed,
            })
        };
        client.invitations = invitations(or_empty("invitations"))?;
        let away = or_empty("away").items()?;
        let away: Result<_, String> = away
            .map(|line| Ok((line.user("username")?, line.at("text")?.text()?.to_owned())))
            .collect();
        client.away = away?;
        check(
            client.online.is_subset(&client.friends),
            "a stranger is online",
        )?;
        client.messages.clear();
        for line in params.at("messages")?.items()? {
            let id = line.at("id")?.int()?;
            client.known = client.known.max(id);
            client.note_message(id, line);
        }
        if !exact {
            return Ok(());
        }
        for (key, expected) in bundle(me, self.committed, self.unix) {
            let told = or_empty(key);
            let ordered = key == "messages" || key == "pending_requests";
            let (told, expected) = if ordered {
                (told.all.clone(), expected)
            } else {
                (sorted(told.all), sorted(&expected))
            };
            if !equal(&told, &expected) {
                return fail(&format!(
                    "a login shows other {key} than there are: {told:?}, not {expected:?}"
                ));
            }
        }
        Ok(())
    }

    fn check_exactly(
        &self,
        client: &Client,
        pending: &PendingRequest,
        me: usize,
        message: &Message,
        exact: bool,
    ) -> Result<(), String> {
        if !exact {
            return Ok(());
        }
        let context = ReaderContext {
            me,
            known: pending.known,
            online: &client.online,
        };
        let mut got = message.params.clone();
        let mut hidden: &[&str] = &[];
        if let PlannedRequest::People(PeopleRequest::WhoIs(other)) = pending.planned
            && !client.friends.contains(&other)
        {
            // Presence in rooms is checked by events.
            hidden = &["online", "away"];
        }
        got = without(&got, hidden);
        // The state was read at some moment between request and reply.
        let at = |now| self.model(now).answer(&pending.planned, context);
        let Some(expected) = at(self.unix).zip(at(pending.unix)) else {
            return Ok(());
        };
        let is_it = |expected: &Value| equal(&got, &without(expected, hidden));
        if is_it(&expected.0) || is_it(&expected.1) {
            Ok(())
        } else {
            fail(&format!("got {got:?}, expected {:?}", expected.0))
        }
    }
}

/// The deletion of an account ends the session.
fn note_deletion(client: &mut Client, of: &AccountRequest, event: &Event) -> Result<(), String> {
    if matches!(of, AccountRequest::Delete { .. }) {
        let is_ended = matches!(event, Event::LoggedOut {});
        check(is_ended, "a deletion without LOGGED_OUT")?;
        client.user = None;
    }
    Ok(())
}

/// Whether all members are told of presence. Otherwise members of a room that grows and shrinks may receive an offline
/// event without the online event.
pub(crate) fn presence_is_sent(limits: &Limits) -> bool {
    limits.presence_room_members >= USERS.len()
}

fn members(
    client: &mut Client,
    me: usize,
    room: usize,
    params: Params<'_>,
    (exact, told, ambiguous): (bool, bool, bool),
) -> Result<(), String> {
    let mut all = BTreeSet::new();
    let mut online = BTreeSet::new();
    for line in params.items()? {
        let user = line.user("username")?;
        all.insert(user);
        if line.flag("online") {
            online.insert(user);
        }
    }
    check(
        !exact || all == params.committed.members(room),
        "other members than there are",
    )?;
    let present = online.remove(&me);
    check(present || me >= PEOPLE, "the own user is not online")?;
    client.listed.insert(room, all);
    let believed = client.rooms.insert(room, told.then_some(online));
    if believed.is_none() && ambiguous {
        client.rooms.remove(&room);
        return Ok(());
    }
    check(
        believed.is_some(),
        "members of a room that the client is not in",
    )
}

fn login(client: &Client, user: usize, right: bool, otherwise: &str) -> Result<(), String> {
    check(right && client.user == Some(user), otherwise)
}

fn check(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { fail(otherwise) }
}
