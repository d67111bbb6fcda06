//! Accounts and sessions: the server's time, REGISTER, LOGIN, LOGOUT.
//!
//! Passwords are hashed by a worker thread: REGISTER and LOGIN answer in two steps, and meanwhile
//! the connection's later requests wait.

use super::admission::{Demand, Plan, View};
use super::gate::{Anyone, Unauthenticated};
use super::journal::Entry;
use super::presence::{Audience, Presence};
use super::{Answer, Caller, Ctx, DeferredWrite, Reject, bundle};
use crate::conn::{Departure, End};
use crate::limits::rate_limit_prefix;
use crate::limits::{CountedTry, Guesser};
use crate::storage::{KNOWN_ADDRESS, StoreError, User, UserId};
use crate::workers::jobs::{Task, Verdict};
use echat_proto::commands::{CloseReason, Event, RequestKind};
use echat_proto::names::{NameQuery, Password, Username};
use echat_proto::param::NewPassword;
use echat_proto::records::Code;

/// A request that waits for a worker thread.
#[derive(Debug)]
pub(crate) enum Pending {
    /// REGISTER, until the password is hashed.
    Register(Username),
    /// LOGIN, until the password is compared.
    Login(LoginAttempt),
}

/// Who tries to log in.
#[derive(Debug)]
pub(crate) struct LoginAttempt {
    /// The account; `None` if nobody has the name, which the client must not learn.
    user: Option<User>,
    counted: CountedTry,
    /// The name as it is looked up. Not for the log: what is no account may be a password typed too early.
    key: String,
}

impl Pending {
    /// Who is to be logged in, if the name is anybody's.
    pub(crate) fn user(&self) -> Option<UserId> {
        match self {
            Self::Register(_) => None,
            Self::Login(attempt) => attempt.user.as_ref().map(|user| user.id),
        }
    }

    /// The try at a password, if it is one.
    pub(crate) fn counted(&self) -> Option<CountedTry> {
        match self {
            Self::Register(_) => None,
            Self::Login(attempt) => Some(attempt.counted),
        }
    }

    /// The number of the request that waits.
    pub(crate) fn number(&self) -> u32 {
        let kind = match self {
            Self::Register(_) => RequestKind::Register,
            Self::Login(_) => RequestKind::Login,
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
) -> Result<Plan, Reject> {
    let taken = view.batch.find_user(username.as_str())?.is_some();
    // A taken name is admitted and counted first: which names exist is not to be asked without end.
    let answer = if taken {
        Err(Code::NameTaken.into())
    } else {
        let password = password.0;
        Ok(Answer::Wait(
            Task::Hash { password },
            Pending::Register(username),
        ))
    };
    Ok(Plan::Answer(Demand::Account, answer))
}

/// REGISTER, second step: the name may have been taken since, or look like one that is.
pub(crate) fn registered(
    ctx: &mut Ctx<'_, '_>,
    username: &Username,
    hash: &str,
) -> Result<Event, Reject> {
    let now = ctx.now.unix;
    if ctx.batch.create_user(username, hash, now)?.is_none() {
        return Err(Code::NameTaken.into());
    }
    ctx.journal.note(|| Entry::account(username, hash, now));
    ctx.sessions.registered(username.as_str(), ctx.address);
    Ok(Event::RegisterSuccess {
        username: username.to_string(),
    })
}

/// LOGIN, first step. An unknown user costs and says the same as a wrong password.
pub(crate) fn login(
    ctx: &mut Ctx<'_, '_>,
    _: Unauthenticated,
    username: NameQuery,
    password: Password,
) -> Result<Answer, Reject> {
    let found = username
        .key()
        .map(|key| ctx.batch.credentials(key))
        .transpose()?
        .flatten();
    let (user, hash) = found.unzip();
    let guesser = guesser(ctx, &username, user.as_ref())?;
    let guesser = may_try(ctx, &username, guesser)?;
    let counts = &mut ctx.throttle.guesses;
    // Every try counts as wrong until it turns out right: many at once are no more than many.
    counts.count(guesser, ctx.now.running, ctx.limits);
    let key = username.key().unwrap_or("?").to_owned();
    let at = ctx.now.running;
    let counted = CountedTry { guesser, at };
    let attempt = LoginAttempt { user, counted, key };
    Ok(Answer::Wait(
        Task::Verify { password, hash },
        Pending::Login(attempt),
    ))
}

/// Strangers share one budget for an account; an address that its owner used has one of its own.
fn guesser(
    ctx: &Ctx<'_, '_>,
    username: &NameQuery,
    user: Option<&User>,
) -> Result<Guesser, Reject> {
    // Names that cannot exist share one budget: remembering each would be remembering anything.
    let name = username.key().unwrap_or_default();
    // For an unknown name too: it must cost as much time as a known one.
    let id = user.map_or(UserId(0), |user| user.id);
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

/// Whether there may be another try, and what it counts for. When the budget of all strangers is used up,
/// an address that is new to the account has one try of its own: guessers do not lock out an owner on a
/// journey. A refusal costs its origin as much as a password's hash would: polls are not free.
fn may_try(
    ctx: &mut Ctx<'_, '_>,
    username: &NameQuery,
    guesser: Guesser,
) -> Result<Guesser, Reject> {
    ctx.throttle.guesses.sweep(ctx.now.running);
    let counts = &ctx.throttle.guesses;
    let wait = |guesser| counts.wait(guesser, ctx.now.running, ctx.limits);
    let Some(mut refused) = wait(guesser) else {
        return Ok(guesser);
    };
    if let Guesser::Strangers(_) = guesser {
        let own = counts.newcomer(username.key().unwrap_or_default(), ctx.address);
        match wait(own) {
            None => return Ok(own),
            Some(wait) => refused = refused.min(wait),
        }
    }
    *ctx.login_refused = true;
    Err(Reject::retry_after(Code::LoginThrottled, refused))
}

/// LOGIN, second step.
pub(crate) fn logged_in(
    ctx: &mut Ctx<'_, '_>,
    attempt: &LoginAttempt,
    verdict: &Verdict,
) -> Result<Event, Reject> {
    // Looked up again: an account of the first step may have been undone with a full disk.
    // For an unknown name too: it must cost as much time as a known one.
    let now = ctx.batch.find_user(&attempt.key)?;
    let user = now.filter(|now| attempt.user.as_ref() == Some(now));
    let (Some(user), Verdict::Right { upgrade }) = (&user, verdict) else {
        // A stable line, for fail2ban and its like. What was typed as a name may be a password, so only
        // the name of an account is shown.
        let shown = user.as_ref().map_or("?", |user| user.name.as_str());
        tracing::warn!("login failed user={shown:?} address={}", ctx.address);
        return Err(Code::BadCredentials.into());
    };
    let audience = Audience::of(ctx, user.id)?;
    let places = ctx.batch.room_sizes_of(user.id)?;
    let me = Caller {
        id: user.id,
        name: user.name.as_str().into(),
    };
    let bundle = bundle::login_bundle(ctx, &me)?;

    ctx.throttle.guesses.forgive(attempt.counted.guesser);
    ctx.deferred_writes.push(DeferredWrite::NoteLogin(
        user.id,
        rate_limit_prefix(ctx.address),
        ctx.now.unix,
    ));
    ctx.deferred_writes.extend(
        upgrade
            .clone()
            .map(|hash| DeferredWrite::UpgradeHash(user.id, hash)),
    );
    let was_online = ctx.roster.is_online(user.id);
    let rooms = places.iter().map(|place| place.id);
    let displaced = ctx.roster.enter(ctx.conn, user.id, &user.name, rooms);

    if let Some(oldest) = displaced {
        ctx.outbox.send(oldest, &Event::ServerKick {});
        ctx.outbox.close(oldest, End::Notify(CloseReason::Kicked));
        ctx.sessions.logged_out(
            (user.id, &user.name),
            oldest,
            Departure::Displaced,
            ctx.now.running,
        );
    }
    // A further login is told to nobody: the user neither came nor went.
    if !was_online {
        audience.announce(ctx, user.id, &user.name, Presence::Online);
    }
    ctx.outbox.authenticated(ctx.conn, user.id);
    ctx.outbox.send(
        ctx.conn,
        &Event::LoginSuccess {
            username: user.name.clone(),
        },
    );
    ctx.sessions.logged_in(
        (user.id, &user.name),
        ctx.address,
        ctx.conn,
        ctx.now.running,
    );
    Ok(bundle)
}

/// LOGOUT.
pub(crate) fn logout(ctx: &mut Ctx<'_, '_>, me: Caller) -> Result<Event, Reject> {
    depart(ctx, &me, Departure::Logout)?;
    ctx.outbox.unauthenticated(ctx.conn);
    Ok(Event::LoggedOut {})
}

/// Ends a session, whether by LOGOUT or because its connection is gone. If it was the user's last,
/// those who are to know are told.
pub(crate) fn depart(ctx: &mut Ctx<'_, '_>, me: &Caller, reason: Departure) -> Result<(), Reject> {
    let is_last = ctx.roster.others_of(ctx.conn).is_empty();
    let audience = match is_last.then(|| Audience::of(ctx, me.id)).transpose() {
        // The users to tell cannot be read. The session ends all the same.
        Err(Reject::Store(StoreError::Damaged(_))) => None,
        audience => audience?,
    };
    leave(ctx, me, reason);
    if let Some(audience) = audience {
        audience.announce(ctx, me.id, &me.name, Presence::Offline);
    }
    Ok(())
}

/// Ends a session without telling others.
pub(crate) fn leave(ctx: &mut Ctx<'_, '_>, me: &Caller, reason: Departure) {
    ctx.roster.leave(ctx.conn);
    ctx.sessions
        .logged_out((me.id, &me.name), ctx.conn, reason, ctx.now.running);
}
