//! Invariants after every tick, in a quiescent state, and after all clients have left.

use crate::client::{Client, shown};
use crate::committed::CommittedState;
use crate::committed::people::Account;
use crate::fail;
use crate::model::{Model, message};
use crate::plan::{CLIENTS, PlannedRequest, RegistrationPolicy};
use crate::replies::presence_is_sent;
use crate::run::Run;
use crate::value::{equal, without};
use echat_proto::Value;
use echat_proto::commands::CloseReason;
use echat_server::config::Limits;
use echat_server::engine::WaitReason;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Bytes that a CLOSE_NOTIFY or a PING may add to a full queue. Sealing adds less than an eighth.
const CONTROL_BYTES: usize = 100;
/// How long a queue may be over the soft limit; CLOSE_NOTIFY may take two seconds more to be flushed.
const TOO_LONG: Duration = Duration::from_secs(30);
const SLOW_LIMIT: Duration = Duration::from_secs(33);
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
const UNAUTHENTICATED_LIMIT: Duration = Duration::from_mins(1);
const TOO_MANY_ERRORS: usize = 20;

/// Limits of connections and sessions.
pub(crate) fn after_tick(run: &mut Run) -> Result<(), String> {
    let (now, limits) = (run.sim.now.running, run.limits.clone());
    for index in 0..run.clients.len() {
        let Some(conn) = run.conn(index) else {
            continue;
        };
        let waiting = run.sim.engine.waiting(conn);
        let client = &mut run.clients[index];
        let before = std::mem::replace(&mut client.waiting, waiting);
        if before > limits.send_queue_hard && waiting > before + before / 8 + CONTROL_BYTES {
            return fail(&format!("{waiting} bytes are queued for client {index}"));
        }
        let too_long = |since: Duration| now >= since + TOO_LONG;
        client.queue_exceeded |= client.slow_since.is_some_and(too_long);
        if waiting <= limits.send_queue_soft {
            client.slow_since = None;
        } else if now > *client.slow_since.get_or_insert(now) + SLOW_LIMIT {
            return fail(&format!(
                "the queue of client {index} is too long for too long"
            ));
        }
    }
    let sessions = run.sessions.get();
    if run.online().values().any(|conns| conns.len() > sessions) {
        return fail("more sessions of a user than the limit");
    }
    let is_barred = |user: &usize| {
        let account = run.committed.accounts.get(user);
        let for_ever = |of: &Account| of.suspended.is_some_and(|of| of.until.is_none());
        account.is_some_and(|of| of.deleted || for_ever(of))
    };
    // A user who has just left is removed by the next tick, which comes at once.
    if run.sim.engine.has_work() {
        return Ok(());
    }
    if run.online().keys().any(is_barred) {
        return fail("a user is online whose account is deleted or suspended");
    }
    let is_there = |conn| (0..run.clients.len()).any(|index| run.conn(index) == Some(conn));
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

/// Checks that everything was delivered: no reply is missing, and each client's view agrees with the committed state.
pub(crate) fn when_quiescent(run: &mut Run) -> Result<(), String> {
    let online: BTreeSet<usize> = run.online().into_keys().collect();
    let strict = presence_is_sent(&run.limits);
    for index in 0..run.clients.len() {
        let Some(conn) = run.conn(index) else {
            continue;
        };
        let waits = run.sim.engine.why_waiting(conn);
        let unanswered = run.unanswered(index);
        let client = &mut run.clients[index];
        if unanswered > 0 || !client.unanswered.is_empty() {
            return fail(&format!(
                "client {index} waits for replies: {:?}; the engine says {waits:?}",
                client.unanswered
            ));
        }
        if waits.is_some_and(|reason| reason != WaitReason::InboxEmpty) {
            return fail(&format!("the engine says of client {index} {waits:?}"));
        }
        if !client.required.is_empty() {
            return fail(&format!(
                "client {index} did not receive {:?}",
                client.required
            ));
        }
        client.possible.clear();
        if let Some(me) = client.user.filter(|_| !client.kicked) {
            check_client_view(client, me, &run.committed, &online, strict)
                .map_err(|what| format!("client {index}: {what}"))?;
        }
    }
    Ok(())
}

fn check_client_view(
    client: &Client,
    me: usize,
    committed: &CommittedState,
    online: &BTreeSet<usize>,
    strict: bool,
) -> Result<(), String> {
    let friends = committed.friends_of(me);
    let rooms: BTreeSet<usize> = client.rooms.keys().copied().collect();
    if !online.contains(&me) || client.friends != friends || rooms != committed.rooms_of(me) {
        return fail("friends, rooms or the login differ from the client's view");
    }
    if client.online != friends.intersection(online).copied().collect() {
        return fail(&format!(
            "friends online are {:?}, not {:?}",
            online, client.online
        ));
    }
    for (room, members) in client.rooms.iter().filter(|_| strict) {
        let mut there: BTreeSet<usize> = committed
            .members(*room)
            .intersection(online)
            .copied()
            .collect();
        // Bots are never shown as present, nor is a user to those whom the user blocks.
        there
            .retain(|user| *user != me && !committed.is_bot(*user) && !committed.blocks(*user, me));
        if members.as_ref().is_some_and(|members| *members != there) {
            return fail(&format!("members online are {there:?}, not {members:?}"));
        }
    }
    check_lists(client, me, committed)
}

/// Changes by the user's other sessions are known here too.
fn check_lists(client: &Client, me: usize, committed: &CommittedState) -> Result<(), String> {
    if client.blocked != committed.blocked_by(me) {
        return fail("blocked users differ from the client's view");
    }
    let pending: BTreeSet<usize> = committed.incoming_requests(me).collect();
    if !pending.is_subset(&client.friend_requests) {
        return fail("a friend request is missing in the client's view");
    }
    let invited = committed.invited_to(me).into_iter().map(|(room, _)| room);
    if !invited.eq(client.invitations.keys().copied()) {
        return fail("invitations differ from the client's view");
    }
    let away = committed.friends_of(me).into_iter();
    let away = away.filter_map(|user| Some((user, committed.accounts[&user].away.clone()?)));
    if client.away != away.collect::<BTreeMap<usize, String>>() {
        return fail("absent friends differ from the client's view");
    }
    let model = |room| {
        let now = 0;
        let limits = &Limits::default();
        let policy = RegistrationPolicy::default();
        let model = Model {
            committed,
            limits,
            policy,
            now,
        };
        model.room(room, None)
    };
    for (room, told) in client
        .latest_rooms
        .iter()
        .filter(|(room, _)| client.rooms.contains_key(room))
    {
        // Other events tell the members and their roles.
        let moving = ["owner", "operators", "members"];
        if !equal(&without(told, &moving), &without(&model(*room), &moving)) {
            return fail("a room differs from the client's view");
        }
    }
    check_messages(client, me, committed)?;
    if client.removed_from.is_empty() {
        Ok(())
    } else {
        fail("the client was removed from a room, without an event that it left")
    }
}

/// The client knows the latest version of each message that it sees. The deletion of an account is not told, and it
/// changes names.
fn check_messages(client: &Client, me: usize, committed: &CommittedState) -> Result<(), String> {
    for (id, told) in &client.messages {
        let Some(stored) = committed.seen(me, *id, 0) else {
            continue;
        };
        let is_gone = !committed.is_active(stored.sender);
        let now = shown(&message(me, *id, stored, committed));
        if !is_gone
            && !equal(
                &without_deleted_names(told, committed),
                &without_deleted_names(&now, committed),
            )
        {
            return fail(&format!(
                "message {id} is {now:?}, but {told:?} in the client's view"
            ));
        }
    }
    Ok(())
}

/// Removes names, if any account is deleted.
fn without_deleted_names(message: &Value, committed: &CommittedState) -> Value {
    let deleted_names = committed.accounts.values().any(|account| account.deleted);
    without(message, if deleted_names { &["mentions"] } else { &[] })
}

/// Checks that a closed connection has a reason, and that a jump of the wall clock is not it. Returns the reason.
pub(crate) fn reason_of_close(
    client: &Client,
    heard_at: Duration,
    limits: &Limits,
    now: Duration,
) -> Result<&'static str, String> {
    // Its LOGOUT may be on its way.
    let leaves = client
        .unanswered
        .iter()
        .any(|pending| pending.planned == PlannedRequest::Logout);
    let unauthenticated = client.user.is_none() || leaves;
    let for_long = |since: Duration, time: Duration| now >= since + time;
    let dead =
        limits.dead_seconds > 0 && for_long(heard_at, Duration::from_secs(limits.dead_seconds));
    let crowded = unauthenticated && limits.unauthenticated < CLIENTS;
    let unopened = !client.opened && for_long(client.connected_at, HANDSHAKE_LIMIT);
    let planned = client.close_reason.map(CloseReason::from_number);
    // A client that reads late or not at all misses the first CLOSE_NOTIFY.
    let reasons = [
        (
            "slow",
            client.slow_since.is_some() || client.queue_exceeded,
            Some(CloseReason::TooSlow),
        ),
        (
            "taken over",
            client.kicked || client.displaced,
            Some(CloseReason::Kicked),
        ),
        (
            "idle",
            unauthenticated && for_long(client.unauthenticated_since, UNAUTHENTICATED_LIMIT),
            Some(CloseReason::Idle),
        ),
        (
            "wrong",
            client.unknown_commands >= TOO_MANY_ERRORS,
            Some(CloseReason::TooManyErrors),
        ),
        ("left", client.leaving, None),
        ("dead", dead, None),
        ("unopened", unopened, None),
        ("crowded out", crowded, None),
        ("deaf", client.stopped_reading, None),
    ];
    let fits = |(_, holds, reason): &&(_, bool, Option<CloseReason>)| {
        *holds && planned.is_none_or(|planned| planned.is_some() && planned == *reason)
    };
    match reasons.iter().find(fits) {
        Some((what, ..)) => Ok(what),
        None => fail(&format!(
            "closed without a reason, with CLOSE_NOTIFY {:?}",
            client.close_reason
        )),
    }
}

/// Checks that no state is left after all clients have gone.
pub(crate) fn no_state_left(run: &Run) -> Result<(), String> {
    let engine = &run.sim.engine;
    // Writes that the disk refused are retried.
    let retries = engine.retries_revocations() || run.has_fault();
    // Messages expire without a client, too.
    let sweeps = run.plans_sweep();
    let waits = engine.deadline().is_some() && !retries && !sweeps;
    let left = [
        (!engine.is_empty(), "connections"),
        (!engine.is_blank(), "memory of connections"),
        (engine.has_work(), "work"),
        (waits, "a deadline"),
    ];
    match left.iter().find(|(is_left, _)| *is_left) {
        None => Ok(()),
        Some((_, what)) => fail(&format!(
            "after all clients have left there is still {what}"
        )),
    }
}
