//! Final replies judged. What a reply says must hold of what is committed when it arrives, however
//! slow it was; if nothing was committed between asking and hearing, it must be exactly what
//! [`crate::spec`] says.

use crate::client::{Client, matches};
use crate::devices::{self, Answered, Knows};
use crate::facts::Facts;
use crate::fail;
use crate::news::invitations;
use crate::plan::{
    Door, OfAccount, OfBot, OfCode, OfPeople, OfRoom, PEOPLE, PlannedRequest, Role, Setting,
    Target, USERS,
};
use crate::request::{away, code, content};
use crate::search::Searching;
use crate::secrets::Presented;
use crate::spec::bundle::bundle;
use crate::spec::{Reading, Spec, message as spec_message};
use crate::tokens;
use crate::truth::Truth;
use crate::value::{Params, equal, room, sorted, without};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::Event;
use echat_server::config::Limits;
use std::collections::BTreeSet;

/// A request that waits for its final reply.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) planned: PlannedRequest,
    /// The secret that it presents.
    pub(crate) presented: Option<Presented>,
    /// The device that it presents, and how many were given by then.
    pub(crate) device: Option<devices::Presented>,
    pub(crate) devices: usize,
    /// Which of the passwords it presents.
    pub(crate) password: Option<usize>,
    /// The token that it presents.
    pub(crate) token: Option<tokens::Presented>,
    /// The code to register with that it names.
    pub(crate) code: Option<String>,
    /// What it searches for.
    pub(crate) search: Option<Searching>,
    /// How many secrets were given by then.
    pub(crate) secrets: usize,
    /// The users that may be logged in when it is handled.
    pub(crate) users: Vec<usize>,
    /// The newest message that the client knew.
    pub(crate) known: u64,
    /// The truth's version then.
    pub(crate) version: u64,
    /// The tick before it was asked.
    pub(crate) tick: u64,
    /// What the clock that people see said then.
    pub(crate) unix: i64,
}

/// What replies are judged by.
pub(crate) struct Judge<'w> {
    pub(crate) truth: &'w Truth,
    pub(crate) limits: &'w Limits,
    pub(crate) facts: &'w mut Facts,
    pub(crate) door: Door,
    /// What the clock that people see says.
    pub(crate) unix: i64,
    /// The sessions of the user who asks, with the request for them and for their end, if they are known.
    pub(crate) sessions: Option<&'w [Session]>,
}

/// A session that there is.
pub(crate) struct Session {
    /// Of the connection.
    pub(crate) address: String,
    /// The tick in which it began.
    pub(crate) began_in: u64,
    /// Whether it is that of the one who asks.
    pub(crate) this: bool,
}

impl<'w> Judge<'w> {
    fn spec(&self, now: i64) -> Spec<'w> {
        Spec {
            truth: self.truth,
            limits: self.limits,
            door: self.door,
            now,
        }
    }

    fn params<'m>(&self, message: &'m Message) -> Params<'m>
    where
        'w: 'm,
    {
        Params {
            all: &message.params,
            truth: self.truth,
        }
    }

    /// Judges the final reply of a request and lets the client believe it.
    pub(crate) fn reply(
        &mut self,
        client: &mut Client,
        asked: &Asked,
        message: &Message,
    ) -> Result<(), String> {
        let event = Event::from_message(message).and_then(Result::ok);
        let event = event.ok_or("what came is in no table")?;
        let same = asked.version == self.truth.version && !self.facts.flapped_since(asked.tick);
        // LOGIN_SUCCESS came before the bundle: the request was a guest's.
        let is_login = matches!(event, Event::LoginBundle { .. });
        let user = client.user.filter(|_| !is_login);
        let at = |unix| self.spec(unix).refusal(asked, user);
        let refusal = at(self.unix);
        // Some answers depend on the time: whether it went over a bound must be known.
        let exact = same
            && refusal == at(asked.unix)
            && self.truth.ages_alike(asked.unix, self.unix)
            && !self.facts.jumped_since(asked.tick)
            && asked.token != Some(tokens::Presented::Unknown);
        let command = asked.planned.name();
        let ending = code(&event).unwrap_or("done");
        self.facts.meet(format!("{command} {ending}"));
        if exact {
            self.facts.meet(format!("{command} exactly {ending}"));
        }
        if let Some(code) = code(&event) {
            let expected = refusal.filter(|_| exact);
            let judged = self.refused(client, (asked, user), code, expected, exact);
            self.end_devices(asked, user, false);
            return judged;
        }
        if let Some(code) = refusal.filter(|_| exact) {
            return fail(&format!("done, and should be refused with {code}"));
        }
        self.done(client, asked, (message, &event), exact)
    }

    fn refused(
        &mut self,
        client: &Client,
        (asked, user): (&Asked, Option<usize>),
        code: &str,
        expected: Option<&str>,
        exact: bool,
    ) -> Result<(), String> {
        let planned = &asked.planned;
        let justified = match code {
            "storage_full" | "storage_busy" | "storage_damaged" => {
                self.facts.troubled_since(asked.tick)
            }
            "rate_limited" => {
                user.is_some_and(|user| self.facts.too_fast(planned, user, self.limits))
            }
            "login_throttled" => self.tried(client, asked, user) > self.limits.login_failures,
            "bad_credentials" if let Some(presented) = asked.presented => {
                self.facts.secrets.may_refuse(presented)
            }
            "suspended" if let PlannedRequest::Resume { user, .. } = planned => {
                !exact || self.truth.is_suspended(*user, self.unix)
            }
            _ => !exact || expected == Some(code),
        };
        if justified {
            Ok(())
        } else {
            fail(&format!("refused with {code}, expected {expected:?}"))
        }
    }

    /// Tries at a password that may have been counted with that of a request: a device that is known has its own count.
    fn tried(&mut self, client: &Client, asked: &Asked, user: Option<usize>) -> u64 {
        let jumped = self.facts.jumped_since(asked.tick);
        let devices = &self.facts.devices;
        let (device, user) = match (asked.planned.logs_in(), &asked.planned) {
            (Some(user), _) => {
                let is_known = devices.knows(user, asked.device, jumped) == Knows::Yes;
                let presented = asked.device.filter(|_| is_known);
                (presented.map(|presented| presented.device), Some(user))
            }
            (
                None,
                PlannedRequest::Account(OfAccount::ChangePassword(_) | OfAccount::Delete { .. }),
            ) => (client.device, user),
            _ => return 0,
        };
        match (device, user) {
            (Some(device), _) => {
                let tries = devices.tries(device);
                self.facts.meet("a device that was throttled".to_owned());
                tries
            }
            (None, user) => user.map_or(0, |user| self.facts.tries(user)),
        }
    }

    /// What voids devices has an answer, and so has a login that was refused.
    fn end_devices(&mut self, asked: &Asked, user: Option<usize>, done: bool) {
        if let (Some(user), false) = (asked.planned.logs_in(), done) {
            self.facts.devices.refuse(user, asked.device);
        }
        let PlannedRequest::Account(OfAccount::ChangePassword(_) | OfAccount::Delete { .. }) =
            asked.planned
        else {
            return;
        };
        // All users that might have been logged in meant to.
        for other in &asked.users {
            let void = (done && user == Some(*other)).then_some(asked.devices);
            self.facts.end_devices(*other, void);
        }
    }

    fn done(
        &mut self,
        client: &mut Client,
        asked: &Asked,
        (message, event): (&Message, &Event),
        exact: bool,
    ) -> Result<(), String> {
        match &asked.planned {
            PlannedRequest::Login { user, .. } => {
                let right = asked.password.is_some()
                    && (asked.password == self.truth.password(*user)
                        || self.facts.password_changed_since(*user, asked.tick)
                        || !self.truth.is_there(*user));
                login(
                    client,
                    *user,
                    right,
                    "logged in by a wrong password, or as another",
                )?;
                self.secret(client, *user, asked, event)?;
                return self.bundle(client, *user, message, exact);
            }
            PlannedRequest::Token { bot, .. } => {
                let right = asked.token != Some(tokens::Presented::Wrong);
                login(
                    client,
                    *bot,
                    right,
                    "logged in by a wrong token, or as another",
                )?;
                self.secret(client, *bot, asked, event)?;
                return self.bundle(client, *bot, message, exact);
            }
            PlannedRequest::Resume { user, .. } => {
                let presented = asked.presented.expect("a resume presents a secret");
                let right = self.facts.secrets.may_log_in(presented, *user);
                let what = "logged in by a secret that is void, or as another";
                login(client, *user, right, what)?;
                self.secret(client, *user, asked, event)?;
                return self.bundle(client, *user, message, exact);
            }
            _ => {}
        }
        self.used(client, asked);
        self.end_devices(asked, client.user, true);
        match (&asked.planned, client.user) {
            (PlannedRequest::Time, _) => Ok(()),
            (
                PlannedRequest::Register(name) | PlannedRequest::RegisterBy { user: name, .. },
                None,
            ) => {
                let stored = self.truth.accounts.contains_key(name);
                check(stored, "an account that is not stored")
            }
            (_, Some(me)) => {
                client.did(&asked.planned);
                self.done_for(client, me, asked, (message, event), exact)
            }
            (_, None) => fail("a guest's request is done"),
        }
    }

    /// A login gives a new secret, unless the disk was in trouble.
    fn secret(
        &mut self,
        client: &mut Client,
        user: usize,
        asked: &Asked,
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
        let answered = Answered {
            tick: asked.tick,
            unix: (asked.unix, self.unix),
            jumped: self.facts.jumped_since(asked.tick),
            troubled: self.facts.troubled_since(asked.tick),
        };
        client.since = if answered.jumped {
            (0, i64::MAX)
        } else {
            (asked.unix.max(0), self.unix.max(0))
        };
        let devices = &mut self.facts.devices;
        let known = devices.knows(user, asked.device, answered.jumped);
        client.device = devices.give(user, asked.device, device, answered)?;
        client
            .devices
            .extend(client.device.map(|device| (user, device)));
        let what = match (known, asked.device) {
            (Knows::Yes, _) => "a device that is known",
            (Knows::No, Some(_)) => "a device that is not known",
            _ => "a login without a device that is known",
        };
        self.facts.meet(what.to_owned());
        client.opened_by = asked.presented;
        client.secret = None;
        if secret.is_none() {
            let troubled = self.facts.troubled_since(asked.tick);
            let may = troubled || user >= PEOPLE;
            return check(may, "a login gives no secret");
        }
        let given = self.facts.secrets.give(user, secret, asked.presented)?;
        client.secret = Some(given);
        // It may have logged out already.
        if client
            .asked
            .iter()
            .any(|asked| asked.planned == PlannedRequest::Logout)
        {
            self.facts.secrets.leave(client.secret);
        }
        if self.facts.troubled_since(asked.tick) || self.facts.jumped_since(asked.tick) {
            self.facts.secrets.trouble();
        }
        Ok(())
    }

    /// A session has a reply: the secret that opened it is used up, and with LOGOUT its own is void, and by what ends
    /// other sessions all that were given before.
    fn used(&mut self, client: &mut Client, asked: &Asked) {
        let Some(user) = client.user else { return };
        if self.facts.troubled_since(asked.tick) {
            return;
        }
        self.facts.secrets.use_up(client.opened_by);
        match asked.planned {
            PlannedRequest::Logout => self.facts.secrets.left(client.secret.take()),
            PlannedRequest::Account(
                OfAccount::ChangePassword(_) | OfAccount::Delete { .. } | OfAccount::EndOthers,
            ) => self.facts.secrets.void_all(user, asked.secrets),
            _ => {}
        }
    }

    fn done_for(
        &mut self,
        client: &mut Client,
        me: usize,
        asked: &Asked,
        (message, event): (&Message, &Event),
        exact: bool,
    ) -> Result<(), String> {
        let flapped = self.facts.flapped_since(asked.tick);
        match &asked.planned {
            PlannedRequest::Logout => check(client.user.take().is_some(), "a guest logs out"),
            PlannedRequest::Befriend(_)
            | PlannedRequest::Resolve(_, true)
            | PlannedRequest::Create(..)
            | PlannedRequest::Join(_)
            | PlannedRequest::Add(..) => {
                let stands = self.stands(me, &asked.planned) || flapped;
                check(stands, "friends or members that are not stored")
            }
            PlannedRequest::Read(of) => self.read(me, *of, message, flapped),
            PlannedRequest::Part(room) => {
                let was_there = client.rooms.remove(room).is_some();
                check(was_there || flapped, "left a room without being in it")
            }
            PlannedRequest::Send { .. } => self.acknowledged(client, me, asked, message),
            PlannedRequest::Members(room) => {
                let told = presence_is_sent(self.limits);
                let params = self.params(message);
                members(client, me, *room, params, (exact, told, flapped))
            }
            PlannedRequest::History { .. }
            | PlannedRequest::Around { .. }
            | PlannedRequest::Mentions(_) => {
                if exact {
                    self.meet_former_friend(me, &asked.planned);
                }
                self.page(client, me, message)?;
                self.exactly(client, asked, me, message, exact)
            }
            PlannedRequest::Search(_) | PlannedRequest::SearchOn => {
                self.found(client, me, asked, message, (exact, flapped))
            }
            PlannedRequest::Message(of) => {
                let is_done = self.spec(self.unix).is_done(of, me, asked.known) || flapped;
                check(is_done, "a change of a message that is not stored")
            }
            PlannedRequest::Account(of) => {
                let holds = self.holds(me, of) || flapped;
                check(holds, "a change of an account that is not stored")?;
                self.sessions(client, me, (asked, of), message)?;
                if matches!(of, OfAccount::Delete { .. }) {
                    let ended = matches!(event, Event::LoggedOut {});
                    check(ended, "an end without a goodbye")?;
                    client.user = None;
                }
                Ok(())
            }
            PlannedRequest::Code(of @ (OfCode::Make(..) | OfCode::Revoke(_))) => {
                self.code(of, me, asked, message, flapped)
            }
            PlannedRequest::Bot(OfBot::Create(bot, ..) | OfBot::NewToken(bot, _)) => {
                self.token(*bot, me, message, flapped)
            }
            planned => {
                let is_so = self.is_so(me, planned) || flapped;
                check(is_so, "what is done is not stored")?;
                self.exactly(client, asked, me, message, exact)
            }
        }
    }

    fn meet_former_friend(&mut self, me: usize, planned: &PlannedRequest) {
        if let PlannedRequest::History {
            of: Some(Target::User(other)),
            ..
        } = planned
            && !self.truth.are_friends(me, *other)
        {
            self.facts.meet("history of a former friend".to_owned());
        }
    }

    fn read(&self, me: usize, of: Target, message: &Message, flapped: bool) -> Result<(), String> {
        let seat = self.truth.conversation(me, of);
        let read = seat.and_then(|c| Some(self.truth.seats.get(&(me, c))?.read));
        let said = self.params(message).at("id")?.int()?;
        check(
            Some(said) <= read || flapped,
            "a read marker that is not stored",
        )
    }

    /// Whether users came together as a request asked for.
    fn stands(&self, me: usize, planned: &PlannedRequest) -> bool {
        let truth = self.truth;
        match planned {
            PlannedRequest::Befriend(other) => {
                truth.are_friends(me, *other) || self.facts.asked.contains(&(me, *other))
            }
            PlannedRequest::Resolve(other, _) => truth.are_friends(me, *other),
            PlannedRequest::Create(room, ..) => truth.role(me, *room) == Some(Role::Owner),
            PlannedRequest::Join(room) => truth.is_member(me, *room),
            PlannedRequest::Add(room, members) => {
                members.iter().all(|user| truth.is_member(*user, *room))
            }
            _ => true,
        }
    }

    /// Whether what a user asked for the account is so.
    fn holds(&self, me: usize, of: &OfAccount) -> bool {
        let account = &self.truth.accounts[&me];
        match of {
            OfAccount::Delete { .. } => account.deleted,
            OfAccount::Away(text) => account.away == text.map(away),
            OfAccount::Privacy(shows) => account.hides_last_seen != *shows,
            OfAccount::ChangePassword(_) | OfAccount::EndOthers | OfAccount::Sessions => true,
        }
    }

    /// Judges the list of a user's sessions, and that others have ended.
    fn sessions(
        &mut self,
        client: &Client,
        me: usize,
        (asked, of): (&Asked, &OfAccount),
        message: &Message,
    ) -> Result<(), String> {
        let Some(sessions) = self.sessions else {
            return Ok(());
        };
        let others = sessions.iter().filter(|session| !session.this);
        match of {
            OfAccount::ChangePassword(_) | OfAccount::EndOthers => {
                // Others may have begun since.
                let ended = others.clone().all(|session| session.began_in > asked.tick);
                return check(ended, "another session goes on that has ended");
            }
            OfAccount::Sessions if !self.facts.moved_since(me, asked.tick) => {}
            _ => return Ok(()),
        }
        let mut listed: Vec<_> = self.params(message).items()?.collect();
        let own = listed.iter().position(|line| line.flag("this"));
        let own = listed.swap_remove(own.ok_or("the own session is not listed")?);
        let since = |line: Params<'_>| Ok::<i64, String>(line.at("since")?.int()?.cast_signed());
        let (from, to) = client.since;
        check(
            (from..=to).contains(&since(own)?),
            "the own session began at another time",
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
        self.facts.meet(what);
        Ok(())
    }

    /// Whether what a user asked about others, or about a room, is so.
    fn is_so(&self, me: usize, planned: &PlannedRequest) -> bool {
        let truth = self.truth;
        match planned {
            PlannedRequest::People(of) => match of {
                OfPeople::Unfriend(other) => !truth.are_friends(me, *other),
                OfPeople::Block(other) => truth.blocks(me, *other),
                OfPeople::Unblock(other) => !truth.blocks(me, *other),
                _ => true,
            },
            PlannedRequest::Bot(OfBot::Remove(bot)) => !truth.is_there(*bot),
            PlannedRequest::Room(of) => match of {
                OfRoom::Set(room, setting) => self.is_set(*room, *setting),
                OfRoom::Close(room) => !truth.rooms.contains_key(room),
                OfRoom::Invite(room, user) => {
                    let conversation = truth.rooms.get(room).map(|room| room.conversation);
                    conversation.is_some_and(|c| truth.invitations.contains_key(&(*user, c)))
                }
                OfRoom::Decline(room) => !truth.is_invited(me, *room),
                OfRoom::Kick(room, user) => !truth.is_member(*user, *room),
                // One that ends may be over when this is heard.
                OfRoom::Ban(room, user, seconds) => {
                    let holds = truth.ban(*user, *room, self.unix).is_some();
                    (holds || seconds.is_some()) && !truth.is_member(*user, *room)
                }
                OfRoom::Unban(room, user) => truth.ban(*user, *room, self.unix).is_none(),
                OfRoom::SetRole(room, user, role) => truth.role(*user, *room) == Some(*role),
                _ => true,
            },
            _ => true,
        }
    }

    fn is_set(&self, room: usize, setting: Setting) -> bool {
        let truth = self.truth;
        if let Setting::Name(new) = setting {
            return truth.rooms.contains_key(&new);
        }
        let Some(room) = truth.rooms.get(&room) else {
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

    /// A code was made or revoked.
    fn code(
        &mut self,
        of: &OfCode,
        me: usize,
        asked: &Asked,
        message: &Message,
        flapped: bool,
    ) -> Result<(), String> {
        let stored = |code: &str| self.truth.codes.get(code);
        let OfCode::Make(uses, _) = of else {
            // The answer for the code of another user is the same.
            let own = asked.code.as_deref().and_then(stored);
            let is_gone = own.is_none_or(|found| found.maker != me);
            return check(is_gone || flapped, "a revoked code stands");
        };
        let params = self.params(message);
        let code = params.at("code")?.text()?;
        let is_stored = stored(code).is_some_and(|found| found.maker == me);
        check(is_stored || flapped, "a code that is not stored")?;
        check(params.at("uses")?.int()? == *uses, "a code for other uses")?;
        let is_new = self.facts.codes.give(code);
        check(is_new, "a code is given twice")
    }

    /// A bot has a new token.
    fn token(
        &mut self,
        bot: usize,
        me: usize,
        message: &Message,
        flapped: bool,
    ) -> Result<(), String> {
        let text = self.params(message).at("token")?.text()?;
        let owner = self.truth.bot(bot).map(|bot| bot.owner);
        check(owner == Some(me) || flapped, "a bot that is not stored")?;
        // If others asked about it too, it is not known which token is stored.
        let truth = Some(self.truth).filter(|_| !flapped);
        let is_new = self.facts.tokens.give(bot, text, truth);
        check(is_new, "a token is given twice")
    }

    /// A message is acknowledged: it must be there, once, and stay.
    fn acknowledged(
        &mut self,
        client: &mut Client,
        me: usize,
        asked: &Asked,
        message: &Message,
    ) -> Result<(), String> {
        let PlannedRequest::Send {
            to,
            number,
            size,
            txn,
            ..
        } = &asked.planned
        else {
            return fail("this was no message");
        };
        let id = matches(self.params(message), me)?;
        let truth = self.truth;
        let is_it = truth.told(id).any(|stored| {
            let target = truth.target(me, stored.conversation);
            stored.sender == me
                && truth.first(id) == content(*number, *size)
                && stored.txn == txn.then(|| number.to_string())
                && (target == Some(*to) || matches!(to, Target::Room(_)))
        });
        check(is_it, "another message is acknowledged than was sent")?;
        let anew = match truth.messages.get(&id) {
            Some(stored) if !truth.is_hidden(stored) => self.facts.acknowledged.insert(id),
            _ => true,
        };
        check(anew || *txn, "one message is acknowledged twice")?;
        check(
            *txn || !client.has_heard_of(id),
            "a message is sent to its own sender",
        )?;
        client.heard_of(id);
        client.acknowledges(id, self.params(message));
        client
            .unacknowledged
            .retain(|(user, planned)| *user != me || *planned != asked.planned);
        Ok(())
    }

    /// A page of what was searched for, the newest first.
    fn found(
        &mut self,
        client: &mut Client,
        me: usize,
        asked: &Asked,
        message: &Message,
        (exact, flapped): (bool, bool),
    ) -> Result<(), String> {
        let search = asked.search.as_ref().expect("a search");
        let params = self.params(message);
        let mut lines: Vec<_> = params.at("messages")?.items()?.collect();
        let shows_all = lines.iter().all(|line| !line.flag("deleted"));
        check(shows_all, "a deleted message is found")?;
        check(!params.has("indexed"), "a new database is being indexed")?;
        let next = params.at("next").ok().map(Params::int).transpose()?;
        check(
            params.flag("more") == next.is_some(),
            "a page that goes on and says not where",
        )?;
        let ids: Result<Vec<u64>, String> = lines.iter().map(|line| line.at("id")?.int()).collect();
        let ids = ids?;
        if !flapped {
            search.judge(&ids, next)?;
        }
        client.search = next.map(|next| (search.clone(), next));
        lines.reverse();
        self.lines(client, me, &lines)?;
        if exact {
            for (id, line) in ids.iter().rev().zip(&lines) {
                let stored = self.truth.messages.get(id).ok_or("it is not stored")?;
                let shown = spec_message(me, *id, stored, self.truth);
                if !equal(&shown, line.all) {
                    return fail(&format!("found {:?}, expected {shown:?}", line.all));
                }
            }
        }
        self.meet_found(search, &ids, next);
        Ok(())
    }

    fn meet_found(&mut self, search: &Searching, ids: &[u64], next: Option<u64>) {
        let was_said = |id: u64| {
            let mut former = self.truth.told(id);
            former.any(|former| search.says(&former.content)) && !ids.contains(&id)
        };
        let has_words = !search.planned.terms.is_empty();
        let changed = self.truth.former_after(0);
        let met = [
            (
                !ids.is_empty() && has_words,
                "a search by words that found something",
            ),
            (
                !ids.is_empty() && next.is_some(),
                "a search of several pages",
            ),
            (
                has_words && changed.into_iter().any(was_said),
                "a search by words that are gone",
            ),
        ];
        for (_, what) in met.into_iter().filter(|(is_so, _)| *is_so) {
            self.facts.meet(what.to_owned());
        }
    }

    /// Whatever else: a page holds messages that are stored, in their order.
    fn page(&self, client: &mut Client, me: usize, message: &Message) -> Result<(), String> {
        let lines = self.params(message).at("messages")?.items()?;
        self.lines(client, me, &lines.collect::<Vec<_>>())
    }

    fn lines(&self, client: &mut Client, me: usize, lines: &[Params<'_>]) -> Result<(), String> {
        let mut last = 0;
        for line in lines {
            let id = line.at("id")?.int()?;
            let content = line.at("content")?.text()?;
            let says = |stored: &crate::truth::Stored| *stored.content == *content;
            let hidden = line.flag("deleted") && content.is_empty();
            let mut known = self.truth.told(id).peekable();
            let right = known.peek().is_some()
                && (hidden || known.any(says) || self.truth.may_have_said(id, content))
                && id > last
                && line.user("username")? == me;
            check(
                right,
                "a page holds what is not stored, or in another order",
            )?;
            last = id;
            client.told(id, *line);
        }
        client.known = client.known.max(last);
        Ok(())
    }

    fn bundle(
        &self,
        client: &mut Client,
        me: usize,
        message: &Message,
        exact: bool,
    ) -> Result<(), String> {
        let params = self.params(message);
        client.friends = params.users("friends")?;
        client.online = params.users("online")?;
        client.pending = params.users("pending_requests")?;
        client.blocked = params.users("blocked").unwrap_or_default();
        client.listed.clear();
        client.told_rooms.clear();
        client.removed_from.clear();
        client.renamed_to.clear();
        let rooms = params.at("chat_rooms")?.items()?;
        let rooms: Result<_, String> = rooms.map(|name| Ok((room(name.text()?)?, None))).collect();
        client.rooms = rooms?;
        let empty = Value::List(vec![]);
        let or_empty = |key| {
            params.at(key).unwrap_or(Params {
                all: &empty,
                truth: self.truth,
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
            client.told(id, line);
        }
        if !exact {
            return Ok(());
        }
        for (key, expected) in bundle(me, self.truth, self.unix) {
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

    fn exactly(
        &self,
        client: &Client,
        asked: &Asked,
        me: usize,
        message: &Message,
        exact: bool,
    ) -> Result<(), String> {
        if !exact {
            return Ok(());
        }
        let reading = Reading {
            me,
            known: asked.known,
            online: &client.online,
        };
        let mut got = message.params.clone();
        let mut hidden: &[&str] = &[];
        if let PlannedRequest::People(OfPeople::WhoIs(other)) = asked.planned
            && !client.friends.contains(&other)
        {
            // What members of a room are told of each other's presence is judged elsewhere.
            hidden = &["online", "away"];
        }
        got = without(&got, hidden);
        // It was read at some moment between asking and hearing.
        let at = |now| self.spec(now).answer(&asked.planned, reading);
        let Some(expected) = at(self.unix).zip(at(asked.unix)) else {
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

/// Whether members hear of all coming and going. Otherwise, in a room that grows and shrinks, they may
/// get the offline event of a user without the online event.
pub(crate) fn presence_is_sent(limits: &Limits) -> bool {
    limits.presence_room_members >= USERS.len()
}

fn members(
    client: &mut Client,
    me: usize,
    room: usize,
    params: Params<'_>,
    (exact, told, flapped): (bool, bool, bool),
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
        !exact || all == params.truth.members(room),
        "other members than there are",
    )?;
    let present = online.remove(&me);
    check(present || me >= PEOPLE, "one is not online oneself")?;
    client.listed.insert(room, all);
    let believed = client.rooms.insert(room, told.then_some(online));
    if believed.is_none() && flapped {
        client.rooms.remove(&room);
        return Ok(());
    }
    check(believed.is_some(), "members of a room that one is not in")
}

fn login(client: &Client, user: usize, right: bool, otherwise: &str) -> Result<(), String> {
    check(right && client.user == Some(user), otherwise)
}

fn check(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { fail(otherwise) }
}
