//! Accounts and sessions: the server's time, REGISTER, LOGIN, LOGOUT.
//!
//! Passwords are hashed by a worker thread: REGISTER and LOGIN answer in two steps, and until then the
//! connection's later requests wait. A LOGIN with the secret of an earlier session, or with a bot's token, needs no
//! worker.

use super::administration::{MemoryChange, Operation};
use super::admission::{Demand, Plan, View};
use super::deletion::Deletion;
use super::devices::PresentedDevice;
use super::gate::{Anyone, Unauthenticated};
use super::invitation_codes::{NewAccount, RegistrationGrant};
use super::journal::Entry;
use super::lobby::Lobby;
use super::presence::{Presence, PresenceAudience};
use super::resume::{Judgement, PresentedSecret};
use super::{
    Answer, Caller, Ctx, DeferredWrite, Reject, bots, bundle, devices, done_with, invitation_codes,
    resume,
};
use crate::config::{Limits, Settings};
use crate::conn::{ConnId, Departure, End};
use crate::limits::rate_limit_prefix;
use crate::limits::{CountedAttempt, Guesser};
use crate::roster::SessionStart;
use crate::secrets::PasswordHash;
use crate::storage::{
    ChainId, ConversationId, KNOWN_ADDRESS, SecretHash, StoreError, User, UserId,
};
use crate::workers::jobs::{JobResult, Task, Verdict};
use echat_proto::commands::{CloseReason, Event, RequestKind};
use echat_proto::names::{
    BotToken, DeviceSecret, InvitationCode, NameQuery, Password, ResumeSecret, Username,
};
use echat_proto::param::{NewPassword, ParamError};
use echat_proto::records::{Code, GivenLimits, Keeps};
use std::fmt;
use zeroize::Zeroizing;

/// A request that waits for a worker thread.
#[derive(Debug)]
pub(crate) enum Pending {
    /// REGISTER, until the password is hashed.
    Register(Username, Option<InvitationCode>),
    /// LOGIN, until the password is compared, or until the session may begin.
    Login(LoginAttempt),
    /// CHANGE_PASSWORD, until the present password is compared and the new one hashed.
    ChangePassword(CountedAttempt),
    /// DELETE_ACCOUNT, until the password is compared.
    DeleteAccount(Deletion),
    /// ADMIN, until the password that the command gives out is hashed.
    Administer(Box<Operation>),
}

/// An attempt to log in.
pub(crate) struct LoginAttempt {
    /// The account; `None` if the name has none, which the client must not learn.
    user: Option<User>,
    pub(crate) counted: CountedAttempt,
    /// Whether the password was presented, and is none that can be registered.
    is_weak: bool,
    /// The hash that the password is compared with.
    hash: Option<PasswordHash>,
    /// What was presented.
    presented: PresentedCredential,
    /// Whether what was presented in place of a password is or was good: it begins a session, or ends one.
    changes_session: bool,
    /// The secret of a device that was presented beside it.
    device: Option<PresentedDevice>,
    /// Whether LOGIN_BUNDLE has messages.
    has_messages: bool,
    /// The name as it is looked up. What is no account may be a password typed too early.
    key: Zeroizing<String>,
}

/// Shows the account and nothing that was typed or presented.
impl fmt::Debug for LoginAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginAttempt")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What is kept of a credential until it is judged.
enum PresentedCredential {
    /// A password, which a worker judges.
    Password,
    /// The secret of an earlier session.
    Resume(PresentedSecret),
    /// The hash of a bot's token.
    Token([u8; 32]),
}

impl PresentedCredential {
    fn of(credential: &Credential) -> Self {
        match credential {
            Credential::Password(_) => Self::Password,
            Credential::Resume(secret) => Self::Resume(PresentedSecret::of(secret)),
            Credential::Token(token) => Self::Token(bots::token_hash(token)),
        }
    }
}

impl LoginAttempt {
    /// The user whose session begins or ends with it. `is_right`: a password was presented, and is right.
    pub(crate) fn changes_session(&self, is_right: bool) -> Option<UserId> {
        let user = self.user.as_ref().map(|user| user.id);
        user.filter(|_| is_right || self.changes_session)
    }
}

impl Pending {
    /// The user whose session begins or ends with this result. A wrong secret of any kind changes none.
    pub(crate) fn changes_session(&self, result: &JobResult) -> Option<UserId> {
        let is_right = matches!(result, JobResult::Verified(Verdict::Right { .. }));
        match self {
            Self::Register(..) | Self::ChangePassword(_) | Self::Administer(_) => None,
            Self::Login(attempt) => attempt.changes_session(is_right),
            Self::DeleteAccount(deletion) => is_right.then_some(deletion.user),
        }
    }

    /// The attempt at a password, if it is one.
    pub(crate) fn counted(&self) -> Option<CountedAttempt> {
        match self {
            Self::Register(..) | Self::Administer(_) => None,
            Self::Login(attempt) => Some(attempt.counted),
            Self::ChangePassword(counted) => Some(*counted),
            Self::DeleteAccount(deletion) => Some(deletion.counted),
        }
    }

    /// The same, if it is a secret in place of a password, which no worker judges.
    pub(crate) fn unjudged_secret(&self) -> Option<CountedAttempt> {
        match self {
            Self::Login(attempt) => match attempt.presented {
                PresentedCredential::Password => None,
                PresentedCredential::Resume(_) | PresentedCredential::Token(_) => {
                    Some(attempt.counted)
                }
            },
            Self::Register(..)
            | Self::ChangePassword(_)
            | Self::DeleteAccount(_)
            | Self::Administer(_) => None,
        }
    }

    /// The number of the request that waits.
    pub(crate) fn number(&self) -> u32 {
        let kind = match self {
            Self::Register(..) => RequestKind::Register,
            Self::Login(_) => RequestKind::Login,
            Self::ChangePassword(_) => RequestKind::ChangePassword,
            Self::DeleteAccount(_) => RequestKind::DeleteAccount,
            Self::Administer(_) => RequestKind::Admin,
        };
        kind.info().number
    }
}

/// QUERY_SERVER_TIME.
#[expect(clippy::unnecessary_wraps, reason = "all handlers have one form")]
pub(crate) fn query_server_time(ctx: &mut Ctx<'_, '_>, _: Anyone) -> Result<Event, Reject> {
    Ok(Event::SendServerTime {
        time: u64::try_from(ctx.now.unix).unwrap_or(0),
    })
}

/// REGISTER, first step.
pub(crate) fn register(
    view: &View<'_, '_>,
    _: Unauthenticated,
    username: Username,
    password: NewPassword,
    invitation: Option<InvitationCode>,
) -> Result<Plan, Reject> {
    let grant = invitation_codes::grant(view.batch, view.settings, invitation.as_ref(), view.now);
    let taken = view.batch.find_user(username.as_str())?.is_some();
    // A wrong code and a taken name are admitted and counted first: neither codes nor names are to be tried without
    // end. Without a code that is good, a client does not learn which names are taken.
    let answer = match grant {
        Err(error @ Reject::Store(_)) => return Err(error),
        Err(refused @ Reject::Refused(_)) => Err(refused),
        Ok(_) if taken => Err(Code::NameTaken.into()),
        Ok(_) => {
            let password = password.0;
            Ok(Answer::Wait(
                Task::Hash { password },
                Pending::Register(username, invitation),
            ))
        }
    };
    Ok(Plan::Answer(Demand::Account, answer))
}

/// REGISTER, second step: the name may have been taken since, or look like one that is, and the code may be used up.
pub(crate) fn registered(
    ctx: &mut Ctx<'_, '_>,
    username: &Username,
    invitation: Option<&InvitationCode>,
    hash: &PasswordHash,
) -> Result<Event, Reject> {
    let now = ctx.now.unix;
    let grant = invitation_codes::grant(ctx.batch, ctx.settings, invitation, now)?;
    let is_administrator = grant == RegistrationGrant::Administrator;
    let account = NewAccount {
        name: username.clone(),
        hash: hash.clone(),
        grant,
        lobby: Lobby::of(ctx),
        now,
    };
    if !account.make(ctx.batch)? {
        return Err(Code::NameTaken.into());
    }
    ctx.journal.record(|| Entry::account(&account));
    ctx.session_log.registered(username.as_str(), ctx.address);
    if is_administrator {
        let made = MemoryChange::AdministratorMade;
        ctx.after_commit.memory_changes.push(made);
    }
    Ok(Event::RegisterSuccess {
        username: username.to_string(),
    })
}

/// What a client logs in with.
enum Credential {
    Password(Password),
    Resume(ResumeSecret),
    Token(BotToken),
}

impl Credential {
    /// Refuses none and more than one.
    fn only(
        password: Option<Password>,
        resume: Option<ResumeSecret>,
        token: Option<BotToken>,
    ) -> Result<Self, ParamError> {
        let credentials = [
            password.map(|password| ("password", Self::Password(password))),
            resume.map(|resume| ("resume", Self::Resume(resume))),
            token.map(|token| ("token", Self::Token(token))),
        ];
        let mut given = credentials.into_iter().flatten();
        let Some((_, credential)) = given.next() else {
            return Err(ParamError::new("password", "is missing"));
        };
        match given.next() {
            None => Ok(credential),
            Some((field, _)) => Err(ParamError::new(field, "is one secret too many")),
        }
    }
}

/// LOGIN, first step. An unknown user costs and says the same as a wrong secret.
#[expect(
    clippy::too_many_arguments,
    reason = "the route table gives each handler its parameters by name"
)]
pub(crate) fn login(
    ctx: &mut Ctx<'_, '_>,
    _: Unauthenticated,
    username: NameQuery,
    password: Option<Password>,
    resume: Option<ResumeSecret>,
    token: Option<BotToken>,
    device: Option<DeviceSecret>,
    messages: Option<bool>,
) -> Result<Answer, Reject> {
    let credential = Credential::only(password, resume, token)?;
    let found = username
        .key()
        .map(|key| ctx.batch.credentials(key))
        .transpose()?
        .flatten();
    let (user, hash) = found.unzip();
    // A missing password costs and says the same as an unknown user.
    let hash = hash.flatten();
    // Names that cannot exist share one budget: remembering each would be remembering anything.
    let key = username.key().unwrap_or_default();
    let device = device.and_then(PresentedDevice::of);
    let guesser = guesser(ctx, key, user.as_ref(), device.as_ref())?;
    let presented = PresentedCredential::of(&credential);
    let judgement = judge(ctx, user.as_ref(), &presented)?;
    let counted = count_attempt(ctx, key, guesser)?;
    let key = Zeroizing::new(username.key().unwrap_or("?").to_owned());
    let attempt = LoginAttempt {
        user,
        counted,
        is_weak: matches!(&credential, Credential::Password(password) if !password.is_allowed()),
        hash: hash.clone(),
        presented,
        changes_session: judgement != Judgement::Unknown,
        device,
        has_messages: messages.unwrap_or(true),
        key,
    };
    Ok(match credential {
        Credential::Password(password) => {
            Answer::Wait(Task::Verify { password, hash }, Pending::Login(attempt))
        }
        Credential::Resume(_) | Credential::Token(_) => Answer::LogIn(attempt),
    })
}

/// Judges what is presented in place of a password. For an unknown name too: it must cost as much time as a known one.
fn judge(
    ctx: &Ctx<'_, '_>,
    user: Option<&User>,
    presented: &PresentedCredential,
) -> Result<Judgement, StoreError> {
    let id = user.map_or(UserId(0), |user| user.id);
    match presented {
        PresentedCredential::Resume(presented) => resume::judge(ctx, id, presented),
        PresentedCredential::Token(hash) if ctx.batch.opens_bot(id, hash, ctx.now.unix)? => {
            // A token has no predecessor, and may open any number of sessions.
            Ok(Judgement::Good {
                issued_at: ctx.now.unix,
                replaced: None,
            })
        }
        PresentedCredential::Password | PresentedCredential::Token(_) => Ok(Judgement::Unknown),
    }
}

/// Strangers share one budget for an account. A device that its owner used has one of its own, and so has an address.
fn guesser(
    ctx: &Ctx<'_, '_>,
    name: &str,
    user: Option<&User>,
    device: Option<&PresentedDevice>,
) -> Result<Guesser, Reject> {
    // For an unknown name too: it must cost as much time as a known one.
    let id = user.map_or(UserId(0), |user| user.id);
    if let Some(device) = device
        && devices::is_known(ctx, id, device)?
    {
        return Ok(ctx.throttle.guesses.device(name, &device.hash));
    }
    let since = ctx.now.unix - KNOWN_ADDRESS;
    let known = match ctx
        .batch
        .logged_in_from(id, rate_limit_prefix(ctx.address), since)
    {
        // Notes about logins choose a budget, no more: damage of them locks no user out.
        Err(StoreError::Damaged(_)) => false,
        known => known?,
    };
    let guesses = &ctx.throttle.guesses;
    Ok(if known {
        guesses.known(name, ctx.address)
    } else {
        guesses.strangers(name)
    })
}

/// Counts an attempt at the password of the caller, as a LOGIN from the device of the session counts; also if the
/// secret of the device was revoked since.
pub(super) fn count_own_attempt(
    ctx: &mut Ctx<'_, '_>,
    me: &Caller,
) -> Result<CountedAttempt, Reject> {
    let guesser = match ctx.roster.start_of(ctx.conn) {
        Some(start) => ctx.throttle.guesses.device(&me.name, &start.device),
        None => guesser(ctx, &me.name, Some(&me.user()), None)?,
    };
    count_attempt(ctx, &me.name, guesser)
}

/// Counts an attempt, if there may be another one. Every attempt counts as wrong until it turns out right: many at once
/// are no more than many.
fn count_attempt(
    ctx: &mut Ctx<'_, '_>,
    name: &str,
    guesser: Guesser,
) -> Result<CountedAttempt, Reject> {
    let guesser = admit_attempt(ctx, name, guesser)?;
    let at = ctx.now.running;
    ctx.throttle.guesses.count(guesser, at, ctx.limits);
    Ok(CountedAttempt { guesser, at })
}

/// Whether there may be another attempt, and what it counts for. When the budget of all strangers is used up,
/// an address that is new to the account has one attempt of its own: guessers do not lock out an owner on a
/// journey.
fn admit_attempt(ctx: &mut Ctx<'_, '_>, name: &str, guesser: Guesser) -> Result<Guesser, Reject> {
    ctx.throttle.guesses.sweep(ctx.now.running);
    let counts = &ctx.throttle.guesses;
    let wait = |guesser| counts.wait(guesser, ctx.now.running, ctx.limits);
    let Some(mut refused) = wait(guesser) else {
        return Ok(guesser);
    };
    if let Guesser::Strangers(_) = guesser {
        let own = counts.newcomer(name, ctx.address);
        match wait(own) {
            None => return Ok(own),
            Some(wait) => refused = refused.min(wait),
        }
    }
    Err(Reject::retry_after(Code::LoginThrottled, refused))
}

/// LOGIN, second step. `verdict` is that of the password, if one was presented.
pub(crate) fn logged_in(
    ctx: &mut Ctx<'_, '_>,
    attempt: &LoginAttempt,
    verdict: &Verdict,
) -> Result<Event, Reject> {
    // Looked up again: an account of the first step may have been undone with a full disk.
    // For an unknown name too: it must cost as much time as a known one.
    // And the password may have been changed since it was compared.
    let (now, hash) = ctx.batch.credentials(&attempt.key)?.unzip();
    let is_current = !matches!(attempt.presented, PresentedCredential::Password)
        || hash.flatten() == attempt.hash;
    let user = now.filter(|now| is_current && attempt.user.as_ref() == Some(now));
    let judgement = judge(ctx, user.as_ref(), &attempt.presented)?;
    let Some((opened_by, upgrade)) = opening(&attempt.presented, judgement, verdict) else {
        return Err(wrong(ctx, user.as_ref(), attempt, judgement)?);
    };
    let Some(user) = user else {
        return Err(wrong(ctx, None, attempt, judgement)?);
    };
    refuse_suspended(ctx, &user, attempt)?;
    let is_bot = matches!(attempt.presented, PresentedCredential::Token(_));
    let audience = PresenceAudience::of(ctx, user.id)?;
    let places = ctx.batch.room_sizes_of(user.id)?;
    let me = Caller {
        id: user.id,
        name: user.name.as_str().into(),
        bot: is_bot,
    };
    let is_temporary = ctx.batch.must_change_password(user.id)?;
    let must_change = attempt.is_weak || is_temporary;
    let bundle = bundle::login_bundle(ctx, &me, attempt.has_messages, must_change)?;
    let device = match &attempt.device {
        Some(device) if devices::is_known(ctx, user.id, device)? => Some(device),
        _ => None,
    };
    let login = GoodLogin {
        user,
        is_bot,
        opened_by,
        upgrade,
        device,
        rooms: places.iter().map(|place| place.id).collect(),
        audience,
        is_temporary,
        bundle,
    };
    Ok(login.take_effect(ctx, attempt))
}

/// A login that nothing refuses any more, with all that had to be read for it.
struct GoodLogin<'a> {
    user: User,
    is_bot: bool,
    /// The secret that opens the session in place of the password.
    opened_by: Option<Used<'a>>,
    /// A new hash of the password, if it needs one.
    upgrade: Option<PasswordHash>,
    /// The device, if it is known.
    device: Option<&'a PresentedDevice>,
    rooms: Vec<ConversationId>,
    /// The users that learn of it, unless the user is online already.
    audience: PresenceAudience,
    /// Whether the password is a temporary one of the administration.
    is_temporary: bool,
    /// LOGIN_BUNDLE without its secrets.
    bundle: Event,
}

impl GoodLogin<'_> {
    /// Begins the session, which cannot fail. Returns LOGIN_BUNDLE.
    fn take_effect(self, ctx: &mut Ctx<'_, '_>, attempt: &LoginAttempt) -> Event {
        let Self { user, is_bot, .. } = self;
        remember(ctx, user.id, attempt, self.upgrade);
        let was_online = ctx.roster.is_online(user.id);
        let secret = begin_session(ctx, &user, self.rooms, (self.opened_by, is_bot));
        ctx.roster
            .set_hidden(user.id, self.audience.hidden_from().to_vec());
        // A further login is told to no other user: the user neither came nor went. A bot counts as present nowhere.
        if !was_online && !is_bot {
            self.audience
                .announce(ctx, user.id, &user.name, Presence::Online);
        }
        ctx.outbox.authenticated(ctx.conn, user.id);
        greet(ctx, user.name.clone());
        ctx.session_log.logged_in(
            (user.id, &user.name),
            ctx.address,
            ctx.conn,
            ctx.now.running,
        );
        let (device, hash) = devices::issue(ctx, user.id, self.device);
        let start = SessionStart {
            address: ctx.address,
            since: ctx.now.unix,
            device: hash,
        };
        ctx.roster.set_start(ctx.conn, start);
        if self.is_temporary {
            ctx.roster.mark_temporary_password(ctx.conn);
        }
        bundle::with_secrets(self.bundle, secret, device)
    }
}

/// The secret that opens the session in place of the password, and a new hash of the password if it needs one; `None`
/// if what was presented opens nothing.
fn opening<'a>(
    presented: &'a PresentedCredential,
    judgement: Judgement,
    verdict: &Verdict,
) -> Option<(Option<Used<'a>>, Option<PasswordHash>)> {
    match (presented, judgement, verdict) {
        (
            PresentedCredential::Resume(presented),
            Judgement::Good {
                issued_at,
                replaced,
            },
            _,
        ) => {
            let used = Used {
                presented,
                issued_at,
                replaced,
            };
            Some((Some(used), None))
        }
        (PresentedCredential::Token(_), Judgement::Good { .. }, _) => Some((None, None)),
        (PresentedCredential::Password, _, Verdict::Right { upgrade }) => {
            Some((None, upgrade.clone()))
        }
        _ => None,
    }
}

/// Refuses a suspended user, after the right password: others learn nothing of it.
fn refuse_suspended(
    ctx: &mut Ctx<'_, '_>,
    user: &User,
    attempt: &LoginAttempt,
) -> Result<(), Reject> {
    let Some(suspension) = ctx.batch.suspension(user.id, ctx.now.unix)? else {
        return Ok(());
    };
    ctx.throttle.guesses.forgive(attempt.counted.guesser);
    let (name, address) = (&user.name, ctx.address);
    tracing::info!(user = name, %address, "login of a suspended account");
    Err(Reject::suspended(suspension))
}

/// LOGIN_SUCCESS and ON_WELCOME.
fn greet(ctx: &mut Ctx<'_, '_>, username: String) {
    let success = Event::LoginSuccess { username };
    ctx.outbox.send(ctx.conn, &success);
    let welcome = welcome(ctx.settings, ctx.limits);
    ctx.outbox.send(ctx.conn, &welcome);
}

/// ON_WELCOME.
fn welcome(settings: &Settings, limits: &Limits) -> Event {
    let number = |limit: usize| u64::try_from(limit).unwrap_or(u64::MAX);
    Event::OnWelcome {
        server: concat!("echat-server ", env!("CARGO_PKG_VERSION")).to_owned(),
        message_of_the_day: settings.message_of_the_day.clone(),
        keeps: Keeps {
            days: settings.keep_days,
        },
        limits: GivenLimits {
            frame_bytes: number(limits.frame_bytes),
            content_bytes: number(limits.content_bytes),
            message_burst: limits.message_burst,
            message_rate: limits.message_rate,
        },
    }
}

/// Takes back what the attempt was counted as, and notes the login.
fn remember(
    ctx: &mut Ctx<'_, '_>,
    user: UserId,
    attempt: &LoginAttempt,
    upgrade: Option<PasswordHash>,
) {
    ctx.throttle.guesses.forgive(attempt.counted.guesser);
    ctx.deferred_writes.push(DeferredWrite::NoteLogin(
        user,
        rate_limit_prefix(ctx.address),
        ctx.now.unix,
    ));
    if let (Some(old), Some(new)) = (attempt.hash.clone(), upgrade) {
        ctx.deferred_writes
            .push(DeferredWrite::UpgradeHash { user, old, new });
    }
}

/// A secret that opens a session in place of the password.
struct Used<'a> {
    presented: &'a PresentedSecret,
    issued_at: i64,
    /// The secret of the session that it has opened before.
    replaced: Option<SecretHash>,
}

/// Begins the session of this connection, and ends those that it replaces; returns its secret.
fn begin_session(
    ctx: &mut Ctx<'_, '_>,
    user: &User,
    rooms: Vec<ConversationId>,
    (opened_by, is_bot): (Option<Used<'_>>, bool),
) -> ResumeSecret {
    if let Some(Used {
        presented,
        replaced: Some(replaced),
        ..
    }) = &opened_by
    {
        for conn in resume::sessions(ctx, user.id, &presented.chain, Some(replaced)) {
            displace(ctx, user, conn, Departure::Displaced);
        }
    }
    let replaced = ctx
        .roster
        .begin_session(ctx.conn, user.id, &user.name, rooms);
    for oldest in replaced {
        displace(ctx, user, oldest, Departure::Displaced);
    }
    if is_bot {
        // The token logs in again.
        ctx.roster.mark_bot(user.id);
        return ResumeSecret::none();
    }
    let opened_by = opened_by.map(|opened_by| (opened_by.presented, opened_by.issued_at));
    match resume::issue(ctx, user.id, opened_by) {
        Some((secret, session)) => {
            ctx.roster.give_secret(ctx.conn, session);
            secret
        }
        None => ResumeSecret::none(),
    }
}

/// Ends a session of a user at another connection, which is told and closed.
pub(super) fn displace(ctx: &mut Ctx<'_, '_>, user: &User, conn: ConnId, why: Departure) {
    ctx.roster.end_session(conn);
    ctx.outbox.send(conn, &Event::ServerKick {});
    ctx.outbox.close(conn, End::Notify(CloseReason::Kicked));
    ctx.session_log
        .logged_out((user.id, &user.name), conn, why, ctx.now.running);
}

/// Refuses a wrong secret. One that was used before ends the sessions that its chain opened.
fn wrong(
    ctx: &mut Ctx<'_, '_>,
    user: Option<&User>,
    attempt: &LoginAttempt,
    judgement: Judgement,
) -> Result<Reject, Reject> {
    // What was typed as a name may be a password, so only the name of an account is shown.
    let shown = user.map_or("?", |user| user.name.as_str());
    if let (Some(user), PresentedCredential::Resume(presented), Judgement::Reused) =
        (user, &attempt.presented, judgement)
    {
        end_chain(ctx, user, presented)?;
        tracing::warn!(user = shown, address = %ctx.address, "a used secret came again");
    }
    if matches!(attempt.presented, PresentedCredential::Resume(_)) {
        // Honest clients present old secrets too, after a restore for example: fail2ban must not count them. A secret
        // cannot be guessed.
        tracing::info!(user = shown, address = %ctx.address, "not resumed");
    } else {
        // A stable line, for fail2ban and its like.
        tracing::warn!(user = shown, address = %ctx.address, "login failed");
    }
    Ok(Code::BadCredentials.into())
}

/// Ends the sessions that a chain of secrets opened, and revokes the chain: two clients have its secrets.
fn end_chain(
    ctx: &mut Ctx<'_, '_>,
    user: &User,
    presented: &PresentedSecret,
) -> Result<(), Reject> {
    let sessions = resume::sessions(ctx, user.id, &presented.chain, None);
    let audience = if sessions.is_empty() {
        None
    } else {
        audience_or_none(ctx, user.id)?
    };
    resume::revoke(ctx, user.id, presented.chain);
    let was_online = ctx.roster.is_online(user.id);
    for conn in sessions {
        displace(ctx, user, conn, Departure::SecretReused);
    }
    if was_online && !ctx.roster.is_online(user.id) {
        go_offline(ctx, user, audience);
    }
    Ok(())
}

/// Notes and tells that the last session of a user ended.
pub(super) fn go_offline(ctx: &mut Ctx<'_, '_>, user: &User, audience: Option<PresenceAudience>) {
    note_seen(ctx, user.id);
    if let Some(audience) = audience {
        audience.announce(ctx, user.id, &user.name, Presence::Offline);
    }
}

/// The users to tell of a departure; `None` if they cannot be read: the session ends all the same.
pub(super) fn audience_or_none(
    ctx: &Ctx<'_, '_>,
    user: UserId,
) -> Result<Option<PresenceAudience>, Reject> {
    match PresenceAudience::of(ctx, user) {
        Err(Reject::Store(StoreError::Damaged(_))) => Ok(None),
        audience => audience.map(Some),
    }
}

/// LOGOUT.
pub(crate) fn logout(ctx: &mut Ctx<'_, '_>, me: Caller) -> Result<Event, Reject> {
    let secret = resume::of_session(ctx);
    match secret {
        Some(secret) if resume::was_used(ctx, me.id, secret)? => {
            depart_from_chain(ctx, &me, secret.0)?;
        }
        _ => {
            depart(ctx, &me, Departure::Logout)?;
            resume::leave(ctx, me.id, secret);
        }
    }
    ctx.outbox.unauthenticated(ctx.conn);
    Ok(Event::LoggedOut {})
}

/// END_OTHER_SESSIONS.
#[expect(clippy::unnecessary_wraps, reason = "all handlers have one form")]
pub(crate) fn end_other_sessions(ctx: &mut Ctx<'_, '_>, me: Caller) -> Result<Event, Reject> {
    end_others(ctx, &me);
    Ok(done_with(RequestKind::EndOtherSessions))
}

/// Ends the other sessions of a user, and revokes all secrets that resume one: also that of this session, whose next
/// login needs the password.
fn end_others(ctx: &mut Ctx<'_, '_>, me: &Caller) {
    let user = me.user();
    for conn in ctx.roster.others_of(ctx.conn) {
        displace(ctx, &user, conn, Departure::EndedElsewhere);
    }
    resume::revoke_secrets(ctx, me.id);
}

/// Ends a session whose secret opened another one since, perhaps a thief's: LOGOUT ends that one too, and revokes the
/// chain.
fn depart_from_chain(ctx: &mut Ctx<'_, '_>, me: &Caller, chain: ChainId) -> Result<(), Reject> {
    let audience = audience_or_none(ctx, me.id)?;
    end_session(ctx, me, Departure::Logout);
    let user = me.user();
    for conn in resume::sessions(ctx, me.id, &chain, None) {
        displace(ctx, &user, conn, Departure::EndedElsewhere);
    }
    resume::revoke(ctx, me.id, chain);
    if !ctx.roster.is_online(me.id) {
        go_offline(ctx, &user, audience);
    }
    Ok(())
}

/// Ends a session, whether by LOGOUT or because its connection is gone. If it was the user's last,
/// those who are to know are told.
pub(crate) fn depart(ctx: &mut Ctx<'_, '_>, me: &Caller, reason: Departure) -> Result<(), Reject> {
    let is_last = ctx.roster.others_of(ctx.conn).is_empty() && !me.bot;
    let audience = is_last.then(|| audience_or_none(ctx, me.id)).transpose()?;
    let audience = audience.flatten();
    end_session(ctx, me, reason);
    if let Some(audience) = audience {
        audience.announce(ctx, me.id, &me.name, Presence::Offline);
    }
    Ok(())
}

/// Ends a session without telling others.
pub(crate) fn end_session(ctx: &mut Ctx<'_, '_>, me: &Caller, reason: Departure) {
    ctx.roster.end_session(ctx.conn);
    if !ctx.roster.is_online(me.id) {
        note_seen(ctx, me.id);
    }
    ctx.session_log
        .logged_out((me.id, &me.name), ctx.conn, reason, ctx.now.running);
}

/// Notes when the last session of a user ended.
fn note_seen(ctx: &mut Ctx<'_, '_>, user: UserId) {
    let note = DeferredWrite::NoteSeen(user, ctx.now.unix);
    ctx.deferred_writes.push(note);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handlers::bots;
    use crate::limits::RateLimits;
    use std::time::Duration;

    /// As nothing else is written.
    const SECRET: &str = "canary-in-a-coal-mine";

    #[test]
    fn debug_shows_no_secret_of_a_request_that_waits() {
        let limits = RateLimits::new([0; 32]);
        let token = BotToken::from_bytes(&[0xab; BotToken::BYTES]);
        let counted = CountedAttempt {
            guesser: limits.guesses.strangers(SECRET),
            at: Duration::ZERO,
        };
        let presented = [
            PresentedCredential::of(&Credential::Token(token.clone())),
            PresentedCredential::of(&Credential::Resume(
                ResumeSecret::presented(SECRET).expect("short"),
            )),
            PresentedCredential::of(&Credential::Password(
                Password::presented(SECRET).expect("short"),
            )),
        ];
        let hash = PasswordHash::from(SECRET.to_owned());
        let attempts = presented.map(|presented| {
            Pending::Login(LoginAttempt {
                user: None,
                counted,
                is_weak: false,
                hash: Some(hash.clone()),
                presented,
                changes_session: false,
                device: PresentedDevice::of(DeviceSecret::from_bytes(&[0xcd; DeviceSecret::BYTES])),
                has_messages: true,
                key: Zeroizing::new(SECRET.to_owned()),
            })
        });
        let code = InvitationCode::presented(SECRET).expect("short");
        let name = Username::new("ann").expect("a good name");
        let account = NewAccount {
            name: name.clone(),
            hash: hash.clone(),
            grant: RegistrationGrant::Invitation(SECRET.to_owned()),
            lobby: None,
            now: 0,
        };
        let upgrade = DeferredWrite::UpgradeHash {
            user: UserId(1),
            old: hash.clone(),
            new: hash.clone(),
        };
        let shown = format!(
            "{attempts:?} {:?} {account:?} {upgrade:?} {:?} {:?}",
            Pending::Register(name, Some(code)),
            Entry::account(&account),
            Entry::password(UserId(1), &hash),
        );
        let token_hash = bots::token_hash(&token);
        for secret in [
            SECRET.to_owned(),
            format!("{:?}", SECRET.as_bytes()),
            token.to_text(),
            format!("{:?}", [0xab_u8; 4]).replace(['[', ']'], ""),
            format!("{:?}", &token_hash[..4]).replace(['[', ']'], ""),
        ] {
            assert!(!shown.contains(&secret), "{secret} is in {shown}");
        }
        assert!(shown.contains("ann"), "{shown}");
    }
}
