//! What holds after every tick, when everything is at rest, and when all are gone.

use crate::client::{Client, shown};
use crate::fail;
use crate::plan::{Door, PlannedRequest, SEATS};
use crate::replies::presence_is_sent;
use crate::run::Run;
use crate::spec::{Spec, message};
use crate::truth::Truth;
use crate::truth::people::Account;
use crate::value::{equal, without};
use echat_proto::Value;
use echat_proto::commands::CloseReason;
use echat_server::config::Limits;
use echat_server::engine::WaitReason;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What a goodbye or a PING may add to a queue that is full; sealing it adds less than an eighth.
const OWN: usize = 100;
/// A queue may be long for so long, and a goodbye be flushed for two seconds more.
const TOO_LONG: Duration = Duration::from_secs(30);
const SLOW: Duration = Duration::from_secs(33);
const HELLO: Duration = Duration::from_secs(5);
const GUEST: Duration = Duration::from_mins(1);
const TOO_MANY_ERRORS: usize = 20;

/// Bounds of connections and sessions.
pub(crate) fn after_tick(run: &mut Run) -> Result<(), String> {
    let (now, limits) = (run.sim.now.running, run.limits.clone());
    for seat in 0..run.clients.len() {
        let Some(conn) = run.conn(seat) else { continue };
        let waiting = run.sim.engine.waiting(conn);
        let client = &mut run.clients[seat];
        let before = std::mem::replace(&mut client.waiting, waiting);
        if before > limits.send_queue_hard && waiting > before + before / 8 + OWN {
            return fail(&format!("{waiting} bytes wait for client {seat}"));
        }
        let too_long = |since: Duration| now >= since + TOO_LONG;
        client.flooded |= client.slow_since.is_some_and(too_long);
        if waiting <= limits.send_queue_soft {
            client.slow_since = None;
        } else if now > *client.slow_since.get_or_insert(now) + SLOW {
            return fail(&format!(
                "too much waits for client {seat}, and for too long"
            ));
        }
    }
    let sessions = run.sessions.get();
    if run.online().values().any(|conns| conns.len() > sessions) {
        return fail("more sessions of a user than may be");
    }
    let outcast = |user: &usize| {
        let account = run.truth.accounts.get(user);
        let for_ever = |of: &Account| of.suspended.is_some_and(|of| of.until.is_none());
        account.is_some_and(|of| of.deleted || for_ever(of))
    };
    // A user that has just left is taken out by the next tick, which comes at once.
    if run.sim.engine.has_work() {
        return Ok(());
    }
    if run.online().keys().any(outcast) {
        return fail("a user is online whose account is deleted or suspended");
    }
    let is_there = |conn| (0..run.clients.len()).any(|seat| run.conn(seat) == Some(conn));
    if run
        .sim
        .engine
        .roster()
        .sessions()
        .all(|(conn, _)| is_there(conn))
    {
        Ok(())
    } else {
        fail("a user is online without a connection")
    }
}

/// Everything was delivered: no reply is missing, and the state of each client is true.
pub(crate) fn at_rest(run: &mut Run) -> Result<(), String> {
    let online: BTreeSet<usize> = run.online().into_keys().collect();
    let strict = presence_is_sent(&run.limits);
    for seat in 0..run.clients.len() {
        let Some(conn) = run.conn(seat) else {
            continue;
        };
        let waits = run.sim.engine.why_waiting(conn);
        let owed = run.owed(seat);
        let client = &mut run.clients[seat];
        if owed > 0 || !client.asked.is_empty() {
            return fail(&format!(
                "client {seat} waits for replies: {:?}; the engine says {waits:?}",
                client.asked
            ));
        }
        if waits.is_some_and(|reason| reason != WaitReason::InboxEmpty) {
            return fail(&format!("the engine says of client {seat} {waits:?}"));
        }
        if !client.must.is_empty() {
            return fail(&format!(
                "client {seat} was never told of {:?}",
                client.must
            ));
        }
        client.may.clear();
        if let Some(me) = client.user.filter(|_| !client.kicked) {
            believes(client, me, &run.truth, &online, strict)
                .map_err(|what| format!("client {seat}: {what}"))?;
        }
    }
    Ok(())
}

fn believes(
    client: &Client,
    me: usize,
    truth: &Truth,
    online: &BTreeSet<usize>,
    strict: bool,
) -> Result<(), String> {
    let friends = truth.friends_of(me);
    let rooms: BTreeSet<usize> = client.rooms.keys().copied().collect();
    if !online.contains(&me) || client.friends != friends || rooms != truth.rooms_of(me) {
        return fail("friends, rooms or the login are not what the client was told");
    }
    if client.online != friends.intersection(online).copied().collect() {
        return fail(&format!(
            "friends online are {:?}, not {:?}",
            online, client.online
        ));
    }
    for (room, members) in client.rooms.iter().filter(|_| strict) {
        let mut there: BTreeSet<usize> =
            truth.members(*room).intersection(online).copied().collect();
        // Bots are never present, and who blocks is never shown to be.
        there.retain(|user| *user != me && !truth.is_bot(*user) && !truth.blocks(*user, me));
        if members.as_ref().is_some_and(|members| *members != there) {
            return fail(&format!("members online are {there:?}, not {members:?}"));
        }
    }
    lists(client, me, truth)
}

/// What the user's other sessions did is known here too.
fn lists(client: &Client, me: usize, truth: &Truth) -> Result<(), String> {
    if client.blocked != truth.blocked_by(me) {
        return fail("other users are blocked than the client was told");
    }
    let pending: BTreeSet<usize> = truth.pending(me).collect();
    if !pending.is_subset(&client.pending) {
        return fail("the client was not told of a request");
    }
    let invited = truth.invited_to(me).into_iter().map(|(room, _)| room);
    if !invited.eq(client.invitations.keys().copied()) {
        return fail("the client was told of other invitations than there are");
    }
    let away = truth.friends_of(me).into_iter();
    let away = away.filter_map(|user| Some((user, truth.accounts[&user].away.clone()?)));
    if client.away != away.collect::<BTreeMap<usize, String>>() {
        return fail("other friends are away than the client was told");
    }
    let spec = |room| {
        let now = 0;
        let limits = &Limits::default();
        let door = Door::default();
        let spec = Spec {
            truth,
            limits,
            door,
            now,
        };
        spec.room(room, None)
    };
    for (room, told) in client
        .told_rooms
        .iter()
        .filter(|(room, _)| client.rooms.contains_key(room))
    {
        // Who is a member and in which role is told by other events.
        let moving = ["owner", "operators", "members"];
        if !equal(&without(told, &moving), &without(&spec(*room), &moving)) {
            return fail("a room is another one than the client was told");
        }
    }
    messages(client, me, truth)?;
    if client.removed_from.is_empty() {
        Ok(())
    } else {
        fail("the client was removed from a room, and not told that it left")
    }
}

/// Of each message that the client knows and still sees, it was told how it is now. Of accounts that are deleted nothing is
/// told, and names change with them.
fn messages(client: &Client, me: usize, truth: &Truth) -> Result<(), String> {
    for (id, told) in &client.messages {
        let Some(stored) = truth.seen(me, *id, 0) else {
            continue;
        };
        let is_gone = !truth.is_there(stored.sender);
        let now = shown(&message(me, *id, stored, truth));
        if !is_gone && !equal(&without_lost(told, truth), &without_lost(&now, truth)) {
            return fail(&format!(
                "message {id} is {now:?}, and the client was told {told:?}"
            ));
        }
    }
    Ok(())
}

/// Without names, if any account is deleted.
fn without_lost(message: &Value, truth: &Truth) -> Value {
    let lost = truth.accounts.values().any(|account| account.deleted);
    without(message, if lost { &["mentions"] } else { &[] })
}

/// A connection was closed: there must be a reason, and none that is a matter of clocks that jump.
pub(crate) fn closed(
    client: &Client,
    heard_at: Duration,
    limits: &Limits,
    now: Duration,
) -> Result<&'static str, String> {
    // Its own farewell may be on its way.
    let leaves = client
        .asked
        .iter()
        .any(|asked| asked.planned == PlannedRequest::Logout);
    let guest = client.user.is_none() || leaves;
    let for_long = |since: Duration, time: Duration| now >= since + time;
    let dead =
        limits.dead_seconds > 0 && for_long(heard_at, Duration::from_secs(limits.dead_seconds));
    let crowded = guest && limits.unauthenticated < SEATS;
    let unopened = !client.opened && for_long(client.connected_at, HELLO);
    let planned = client.goodbye.map(CloseReason::from_number);
    // A client that does not read, or not in time, loses the goodbye of the first.
    let reasons = [
        (
            "slow",
            client.slow_since.is_some() || client.flooded,
            Some(CloseReason::TooSlow),
        ),
        (
            "taken over",
            client.kicked || client.displaced,
            Some(CloseReason::Kicked),
        ),
        (
            "idle",
            guest && for_long(client.guest_since, GUEST),
            Some(CloseReason::Idle),
        ),
        (
            "wrong",
            client.nonsense >= TOO_MANY_ERRORS,
            Some(CloseReason::TooManyErrors),
        ),
        ("left", client.leaving, None),
        ("dead", dead, None),
        ("unopened", unopened, None),
        ("crowded out", crowded, None),
        ("deaf", client.deaf, None),
    ];
    let fits = |(_, holds, reason): &&(_, bool, Option<CloseReason>)| {
        *holds && planned.is_none_or(|planned| planned.is_some() && planned == *reason)
    };
    match reasons.iter().find(fits) {
        Some((what, ..)) => Ok(what),
        None => fail(&format!(
            "closed without a reason, saying {:?}",
            client.goodbye
        )),
    }
}

/// All are gone: nothing is remembered of them.
pub(crate) fn all_gone(run: &Run) -> Result<(), String> {
    let engine = &run.sim.engine;
    // What the disk does not take is retried.
    let retries = engine.retries_revocations() || run.is_troubled();
    // Messages become too old without anyone there.
    let sweeps = run
        .truth
        .rooms
        .values()
        .any(|room| room.keep_days.is_some());
    let sweeps = sweeps || run.keeps_digests();
    let waits = engine.deadline().is_some() && !retries && !sweeps;
    let left = [
        (!engine.is_empty(), "connections"),
        (!engine.is_blank(), "memory of connections"),
        (engine.has_work(), "work"),
        (waits, "a deadline"),
    ];
    match left.iter().find(|(is_left, _)| *is_left) {
        None => Ok(()),
        Some((_, what)) => fail(&format!("of users that left there is still {what}")),
    }
}
