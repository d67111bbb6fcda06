//! One tick: one transaction.
//!
//! 1. The users of connections that are gone are announced as offline.
//! 2. Requests whose worker jobs are done are finished.
//! 3. Connections have turns until the tick's budget is spent.
//! 4. The commit gives a receipt, and only the receipt releases the answers. A commit that a full disk or
//!    damage prevents is rolled back, and the requests that wrote are refused. Deferred writes are made
//!    before the answers leave; a secret leaves only with the receipt for these.
//! 5. The presence fan-out goes on.
//!
//! Requests that are left wait for the next tick, which comes at once.

use super::connections::Connections;
use super::presence::{EventSender, PresenceFanOut};
use super::rollback::{Handled, roll_back};
use super::room_events::RoomRun;
use super::scheduler::cost::{Counts, index_cost};
use super::scheduler::why_waiting::{WaitReason, result_waits, session_waits};
use super::scheduler::{FlowKey, TurnsEnd};
use super::tally::Tally;
use super::{Engine, MemoryState, deferred_writes};
use crate::clock::Now;
use crate::conn::{ConnId, Departure, End};
use crate::handlers::account::{self, LoginAttempt, Pending};
use crate::handlers::session_ends::SessionsEnd;
use crate::handlers::{
    AfterCommit, Answer, Caller, Ctx, DeferredWrite, Refusal, Reject, Unfinished, gate, refuse,
};
use crate::handlers::{administration, deletion, password};
use crate::metrics::count;
use crate::outbox::Delivery;
use crate::peer::Item;
use crate::routes::{self, Access, Cost};
use crate::storage::{Batch, ChainChange, ChainWrite, Receipt, Store, StoreError, UserId};
use crate::workers::jobs::{JobResult, Task, Verdict};
use echat_proto::channel::Message;
use echat_proto::commands::{CloseReason, Event, RequestKind, SessionEffect};
use echat_proto::records::Code;
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::slice;
use std::time::Duration;
use zeroize::Zeroize;

/// Messages that a connection has handled in one turn. A turn of nothing but messages to users and rooms may be
/// followed by another one in the same tick: they have a rate, and share the commit and the writes.
const MESSAGES: usize = 32;

/// The number in place of a request's: the end of a connection was handled.
const NO_REQUEST: u32 = 0;

/// The result that a login without a password has in place of a worker's.
const NO_PASSWORD: JobResult = JobResult::Verified(Verdict::Wrong);

/// Handles the requests that wait, commits what they wrote, and queues the answers.
pub(super) fn tick(engine: &mut Engine, now: Now) -> Result<(), StoreError> {
    engine.connections.begin_round();
    engine.connections.expire(&engine.state.limits, now);
    engine.state.session_log.expire(now.running);
    engine.full_disk_log.expire(now.running);
    engine.load_day(now)?;
    engine.removals.load(&mut engine.store, now)?;
    for counted in engine.connections.jobs.take_unjudged_secrets() {
        engine.state.rates.guesses.take_back(counted);
    }
    engine.state.gauges.connections = engine.connections.len();
    let (committed, record) = attempt(engine, now);
    match committed {
        Ok(receipt) => release(engine, now, receipt)?,
        Err(StoreError::Full) => {
            engine.full_disk_log.refused(now.running);
            refuse_writes(engine, now, &record, Code::StorageFull)?;
        }
        Err(StoreError::Damaged(_)) => {
            refuse_writes(engine, now, &record, Code::StorageDamaged)?;
        }
        Err(fatal) => return Err(fatal),
    }
    let index_is_damaged = engine.search_index.is_damaged();
    let lists =
        engine
            .removals
            .step(&mut engine.store, &mut engine.state, index_is_damaged, now)?;
    engine.untold_lists.add(lists);
    engine
        .untold_lists
        .step(&mut engine.store, &mut engine.state, now)?;
    let output_waits = engine.connections.has_output();
    engine
        .search_index
        .step(&mut engine.store, &mut engine.state, output_waits, now)?;
    engine.purge.step(&mut engine.store, now)?;
    engine.damage.report(&mut engine.store, now);
    for conn in &record.served {
        engine.connections.end_turn(*conn, &engine.state.limits);
    }
    engine.record = record.emptied();
    Ok(())
}

/// Runs the tick up to its commit; also returns what it did.
fn attempt(engine: &mut Engine, now: Now) -> (Result<Receipt, StoreError>, Record) {
    let record = std::mem::take(&mut engine.record);
    let mut tick = Tick {
        batch: engine.store.batch_at(now.unix),
        state: &mut engine.state,
        connections: &mut engine.connections,
        presence: &engine.presence,
        tally: &mut engine.tally,
        now,
        commit_alone: engine.damage.is_near(now),
        record,
    };
    let ran = tick.run();
    let Tick {
        batch,
        record,
        tally,
        ..
    } = tick;
    (ran.and_then(|()| tally.commit(batch)), record)
}

/// Rolls a tick back that cannot be committed: refuses its writes with this code, and releases the rest.
fn refuse_writes(
    engine: &mut Engine,
    now: Now,
    record: &Record,
    code: Code,
) -> Result<(), StoreError> {
    for _ in record
        .handled
        .iter()
        .filter(|request| request.depends_on_writes)
    {
        engine.tally.refused(code);
    }
    let handled = (&*record.handled, code);
    let receipt = roll_back(&mut engine.store, &mut engine.state, handled, now)?;
    release(engine, now, receipt)
}

/// Does what follows a commit: ends sessions, makes the deferred writes, and delivers the answers.
pub(super) fn release(engine: &mut Engine, now: Now, receipt: Receipt) -> Result<(), StoreError> {
    let AfterCommit {
        session_ends,
        removals,
        changed_lists,
        memory_changes,
    } = engine.state.commit();
    end_sessions(session_ends, &mut engine.store, &mut engine.state, now)?;
    engine.removals.add(removals, now);
    engine.untold_lists.add(changed_lists);
    engine.apply_memory_changes(memory_changes, now);
    let state = &mut engine.state;
    let log = &mut engine.full_disk_log;
    let secrets = deferred_writes::write(&mut engine.store, state, log, now)?;
    deliver_all(engine, now, receipt, secrets.as_ref());
    Ok(())
}

/// Delivers what the receipt releases, and a portion of the presence changes that rooms are still to be told of.
fn deliver_all(engine: &mut Engine, now: Now, receipt: Receipt, secrets: Option<&Receipt>) {
    let state = &mut engine.state;
    let limits = &state.limits;
    let mut delivering = Delivering {
        sender: EventSender {
            roster: &state.roster,
            connections: &mut engine.connections,
            limits,
            now,
        },
        presence: &mut engine.presence,
        tally: &mut engine.tally,
    };
    let mut deliveries = state.outbox.release(receipt, secrets);
    let mut next = deliveries.next();
    while let Some(delivery) = next.take().or_else(|| deliveries.next()) {
        match delivery {
            // Events in the same room that follow each other are sent together.
            Delivery::Room { to, event } => {
                let mut run = RoomRun::new(to, event);
                next = deliveries.find_map(|delivery| run.add(delivery));
                run.release(delivering.sender.connections, (limits, now));
            }
            delivery => delivering.deliver(delivery),
        }
    }
    let Delivering {
        mut sender,
        presence,
        ..
    } = delivering;
    let events = sender.connections.scheduler.presence_events();
    presence.send_portion(events, &mut sender);
}

/// What a delivery reaches.
struct Delivering<'e> {
    sender: EventSender<'e>,
    presence: &'e mut PresenceFanOut,
    tally: &'e mut Tally,
}

impl Delivering<'_> {
    fn deliver(&mut self, delivery: Delivery) {
        let EventSender { limits, now, .. } = self.sender;
        let connections = &mut *self.sender.connections;
        match delivery {
            Delivery::Event { to, event } => {
                let urgency = connections.urgency(to.len());
                for conn in to {
                    connections.send(conn, slice::from_ref(&event), urgency, (limits, now));
                }
            }
            Delivery::Room { to, event } => {
                RoomRun::new(to, event).release(connections, (limits, now));
            }
            Delivery::Presence(change) => self.presence.begin(change),
            Delivery::Renamed { room, name } => self.presence.rename(room, &name),
            Delivery::RenamedUser { user, name } => self.presence.rename_user(user, name),
            Delivery::CatchUp { user, room, to } => {
                self.presence.catch_up(user, room, &to, &mut self.sender);
            }
            Delivery::Reply { to, event, .. } => {
                connections.reply(to, event, (limits, now));
            }
            Delivery::Close { conn, end } => {
                connections.with(conn, limits, |peer| peer.close(end, now));
            }
            Delivery::Authenticated(conn, user) => {
                self.tally.logged_in();
                connections.log_in(conn, user, limits);
            }
            Delivery::Unauthenticated(conn) => {
                connections.log_out(conn, limits, now);
            }
        }
    }
}

/// Ends the sessions that end with the writes of the tick: the password of their user was changed, for example.
fn end_sessions(
    ends: Vec<SessionsEnd>,
    store: &mut Store,
    state: &mut MemoryState,
    now: Now,
) -> Result<(), StoreError> {
    if ends.is_empty() {
        return Ok(());
    }
    let mut batch = store.batch();
    for end in ends {
        let (conn, address) = (end.asked_by(), Ipv4Addr::UNSPECIFIED.into());
        end.carry_out(&mut state.ctx(&mut batch, conn, address, now));
    }
    batch.commit().map(drop)
}

/// What a tick did.
#[derive(Default)]
pub(super) struct Record {
    handled: Vec<Handled>,
    /// The connections that had a turn.
    served: Vec<ConnId>,
    /// Messages that were handled.
    messages: u64,
    /// Bytes of the requests that were handled, or will be retried.
    request_bytes: u64,
}

impl Record {
    /// A record of nothing, for the next tick, with the memory of this one.
    fn emptied(mut self) -> Self {
        self.handled.clear();
        self.served.clear();
        Self {
            handled: self.handled,
            served: self.served,
            ..Self::default()
        }
    }
}

/// The turn of a connection, and what its cost is for.
struct Turn {
    conn: ConnId,
    /// What pays for it.
    flow: FlowKey,
    /// The cost of the tick before it.
    begun: Duration,
    /// The cost of the tick with its last message.
    reached: Duration,
    /// The part of this that is work of the search index.
    indexed: Duration,
    /// The cost of messages to users and rooms: they have a rate limit of their own, and make no flow cool down. Work
    /// of the search index for a text that is changed or deleted does.
    sending: Duration,
    /// The cost for which users who logged in have paid.
    logins: Duration,
    /// The cost of the earlier turns of a request that went on in this one.
    earlier: Duration,
}

impl Turn {
    fn begin(conn: ConnId, flow: FlowKey, begun: Duration, indexed: Duration) -> Self {
        Self {
            conn,
            flow,
            begun,
            reached: begun,
            indexed,
            sending: Duration::ZERO,
            logins: Duration::ZERO,
            earlier: Duration::ZERO,
        }
    }
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TurnOutcome {
    /// The connection has no other in this tick.
    Over,
    /// The connection may have another one in this tick.
    Again,
    /// It is over after an attempt at a password that was refused unjudged, for which the prefix of the connection is
    /// charged.
    Refused,
}

/// What a handled request leads to in this tick.
enum Conclusion {
    /// The final reply.
    Reply(Event),
    /// A worker thread has to compute first; then `account` goes on.
    Wait(Task, Pending),
    /// A login that needs no worker, whose session may not begin yet: `account` goes on when it may.
    Ready(Pending),
}

/// A [`Conclusion`], or what an error of the database or a refusal leads to.
#[expect(
    clippy::large_enum_variant,
    reason = "it is matched where it is made, and moved once"
)]
enum Outcome {
    Concluded(Conclusion),
    Refused(Refusal),
    /// The database was busy: the request is handled again.
    Retried,
}

/// A request, and how things stood before it was handled.
struct RequestStart {
    number: u32,
    /// Where its deliveries begin in the outbox.
    mark: usize,
    /// Writes of the tick by then.
    writes: u64,
    /// The user, if the request may end the user's session.
    user: Option<Caller>,
}

/// A tick up to its commit.
struct Tick<'t> {
    batch: Batch<'t>,
    state: &'t mut MemoryState,
    connections: &'t mut Connections,
    presence: &'t PresenceFanOut,
    tally: &'t mut Tally,
    now: Now,
    /// Whether the tick ends with the first turn that writes.
    commit_alone: bool,
    record: Record,
}

impl<'t> Tick<'t> {
    fn run(&mut self) -> Result<(), StoreError> {
        self.announce_departed()?;
        self.finish_jobs()?;
        let start = self.cost();
        let end = loop {
            if self.cost_since(start) >= self.connections.scheduler.tick_cost() {
                break TurnsEnd::BudgetSpent;
            }
            if self.is_over() {
                break TurnsEnd::CommittedAlone;
            }
            let Some((conn, flow)) = self.connections.next_turn() else {
                break TurnsEnd::QueueEmpty;
            };
            self.record.served.push(conn);
            if self.serve(conn, flow)? == TurnOutcome::Again {
                self.record.served.pop();
                self.connections.end_turn(conn, &self.state.limits);
            }
        };
        self.connections.scheduler.end_turns(end);
        Ok(())
    }

    fn ctx(&mut self, conn: ConnId) -> Ctx<'_, 't> {
        // The address of a connection that is gone is not used.
        let address = self.connections.address(conn);
        let address = address.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        self.state.ctx(&mut self.batch, conn, address, self.now)
    }

    /// The cost of the tick so far.
    fn cost(&self) -> Duration {
        let counts = Counts {
            usage: self.batch.usage(),
            messages: self.record.messages,
            request_bytes: self.record.request_bytes,
            reply_bytes: count(self.state.outbox.bytes()),
            events: count(self.state.outbox.sends()),
            event_bytes: self.state.outbox.event_bytes(),
        };
        counts.cost()
    }

    /// The part of it that is work of the search index.
    fn index_cost(&self) -> Duration {
        index_cost(&self.batch.usage())
    }

    /// The cost of the tick since it had cost `before`.
    fn cost_since(&self, before: Duration) -> Duration {
        self.cost().saturating_sub(before)
    }

    /// Whether the tick is to be committed before anything else is done.
    fn is_over(&self) -> bool {
        // The next request is judged by what these have changed.
        let after = &self.state.after_commit;
        let changes_memory = !after.session_ends.is_empty() || !after.memory_changes.is_empty();
        (self.commit_alone || changes_memory) && self.batch.writes() > 0
    }

    /// Whether no more was done since than one turn may cost.
    fn is_within_a_turn(&self, since: Duration) -> bool {
        self.cost_since(since) <= self.connections.scheduler.turn_cost()
    }

    /// Charges a user for the cost since `before`; all of it may make the user cool down.
    fn charge_user(&mut self, user: UserId, before: Duration) {
        let cost = self.cost_since(before);
        let scheduler = &mut self.connections.scheduler;
        scheduler.charge(FlowKey::User(user), cost, cost, self.now.running);
    }

    /// Whether not all rooms were told of the last presence change of the user at a connection.
    fn is_presence_pending(&self, conn: ConnId) -> bool {
        let online = self.state.roster.at(conn);
        online.is_some_and(|online| self.presence.is_pending(online.user))
    }

    // Departures.

    /// Announces users whose connections are gone as offline, at the cost of one turn. A user whose last
    /// presence change is pending has to wait.
    fn announce_departed(&mut self) -> Result<(), StoreError> {
        let start = self.cost();
        let mut later = Vec::new();
        let mut departed = Ok(());
        while departed.is_ok()
            && self.is_within_a_turn(start)
            && let Some((conn, reason)) = self.connections.departed.pop_front()
        {
            if self.is_presence_pending(conn) {
                later.push((conn, reason));
            } else {
                let before = self.cost();
                let user = self.state.roster.at(conn).map(|online| online.user);
                departed = self.depart(conn, reason);
                if let Some(user) = user {
                    self.charge_user(user, before);
                }
            }
        }
        self.connections.departed.extend(later);
        departed
    }

    /// Ends the session of a connection, if it has one, and announces it.
    fn depart(&mut self, conn: ConnId, reason: Departure) -> Result<(), StoreError> {
        let mut ctx = self.ctx(conn);
        let Ok(me) = gate::logged_in(&ctx) else {
            return Ok(());
        };
        match account::depart(&mut ctx, &me, reason) {
            Ok(()) => Ok(()),
            Err(reject) => {
                // Friends and rooms cannot be looked up now, so they are not told.
                account::end_session(&mut ctx, &me, reason);
                match reject {
                    Reject::Store(error @ StoreError::Fatal(_)) => Err(error),
                    Reject::Store(_) | Reject::Refused(_) => Ok(()),
                }
            }
        }
    }

    // Job completion.

    /// Finishes the requests whose worker jobs are done, at the cost of one turn.
    fn finish_jobs(&mut self) -> Result<(), StoreError> {
        let mut completed = self.connections.jobs.take_completed().into_iter();
        let mut finished = Ok(());
        let mut later = Vec::new();
        let start = self.cost();
        while finished.is_ok()
            && self.is_within_a_turn(start)
            && !self.is_over()
            && let Some((conn, result)) = completed.next()
        {
            let user = self.changes_session(conn, &result);
            match self.result_waits(conn, user) {
                Some(WaitReason::PresenceFanOut) => later.push((conn, result)),
                Some(_) => self.connections.jobs.hold(conn, result),
                None => {
                    finished = self.finish_job(conn, result);
                    self.connections.settle(conn, &self.state.limits);
                }
            }
        }
        // The next tick does the rest.
        self.connections.jobs.put_back(later.into_iter());
        self.connections.jobs.put_back(completed);
        finished
    }

    /// The user whose session is about to begin or to end.
    fn changes_session(&self, conn: ConnId, result: &JobResult) -> Option<UserId> {
        let pending = self.connections.entry(conn)?.pending.as_ref()?;
        pending.changes_session(result)
    }

    /// What keeps a result from being used that begins or ends a session of `user`, if it does.
    fn result_waits(&self, conn: ConnId, user: Option<UserId>) -> Option<WaitReason> {
        result_waits(self.connections, self.presence, conn, user)
    }

    /// Finishes one request whose worker job is done.
    fn finish_job(&mut self, conn: ConnId, result: JobResult) -> Result<(), StoreError> {
        let Some(entry) = self.connections.entry_mut(conn) else {
            return Ok(());
        };
        let Some(pending) = entry.pending.take() else {
            return Ok(());
        };
        // The connection is being closed: no answer would be sent, so nothing is done either.
        if entry.peer.is_closing() {
            if let Some(counted) = pending.unjudged_secret() {
                self.state.rates.guesses.take_back(counted);
            }
            return Ok(());
        }
        let before = self.cost();
        let started = self.start(conn, pending.number());
        let answer = match (&*pending, &result) {
            (Pending::Register(name, invitation), JobResult::Hashed(hash)) => {
                account::registered(&mut self.ctx(conn), name, invitation.as_ref(), hash)
            }
            (Pending::Login(attempt), JobResult::Verified(verdict)) => {
                account::logged_in(&mut self.ctx(conn), attempt, verdict)
            }
            (Pending::ChangePassword(counted), JobResult::Changed(hash)) => {
                password::changed(&mut self.ctx(conn), *counted, hash.as_ref())
            }
            (Pending::DeleteAccount(deletion), JobResult::Verified(verdict)) => {
                deletion::deleted(&mut self.ctx(conn), *deletion, verdict)
            }
            (Pending::Administer(operation), JobResult::Hashed(hash)) => {
                administration::hashed(&mut self.ctx(conn), operation, hash)
            }
            _ => unreachable!("a worker's result of another kind than its request"),
        };
        let finished = self.finish_request(conn, started, answer.map(Conclusion::Reply))?;
        self.bill_login(conn, before);
        if !finished {
            if let Some(entry) = self.connections.entry_mut(conn) {
                entry.pending = Some(pending);
            }
            self.connections.jobs.hold(conn, result);
        }
        Ok(())
    }

    /// Lets the user who logged in at a connection, if one did, pay for the cost since `before`, and for what follows.
    /// Returns that cost.
    fn bill_login(&mut self, conn: ConnId, before: Duration) -> Duration {
        let Ok(me) = gate::logged_in(&self.ctx(conn)) else {
            return Duration::ZERO;
        };
        self.connections.bill(conn, Some(me.id));
        self.charge_user(me.id, before);
        self.cost_since(before)
    }

    // Turns.

    /// Gives a connection its turn: handles its messages within its budget, and charges for them.
    fn serve(&mut self, conn: ConnId, flow: FlowKey) -> Result<TurnOutcome, StoreError> {
        let mut turn = Turn::begin(conn, flow, self.cost(), self.index_cost());
        let served = self.serve_messages(&mut turn);
        self.charge(&turn);
        if matches!(served, Ok(TurnOutcome::Refused)) {
            self.connections.charge_refusal(conn, self.now);
        }
        served
    }

    /// Charges the flow of a turn for it. While a request goes on, nothing makes the flow cool down: the last of its
    /// turns does, by the cost of all.
    fn charge(&mut self, turn: &Turn) {
        let cost = self.cost_since(turn.begun).saturating_sub(turn.logins);
        let mut heavy = turn.earlier + cost.saturating_sub(turn.sending);
        if let Some(entry) = self.connections.entry_mut(turn.conn)
            && let Some((_, spent)) = &mut entry.unfinished
        {
            *spent += std::mem::take(&mut heavy);
        }
        let scheduler = &mut self.connections.scheduler;
        scheduler.charge(turn.flow, cost, heavy, self.now.running);
    }

    /// Handles the messages of a turn until it is over.
    fn serve_messages(&mut self, turn: &mut Turn) -> Result<TurnOutcome, StoreError> {
        let mut sends_only = true;
        for _ in 0..MESSAGES {
            let next = self.connections.next_item(turn.conn, &self.state.limits);
            let Some(item) = next.filter(|item| !self.must_wait(turn.conn, item)) else {
                return Ok(TurnOutcome::Over);
            };
            let sends = is_sending(&item);
            sends_only &= sends;
            let next = self.handle(turn, item)?;
            self.note_cost(turn, sends);
            if let ControlFlow::Break(outcome) = next {
                return Ok(outcome);
            }
            if self.is_spent(turn) {
                return Ok(TurnOutcome::Over);
            }
        }
        Ok(if sends_only {
            TurnOutcome::Again
        } else {
            TurnOutcome::Over
        })
    }

    /// Notes what the tick has cost with another message of a turn.
    fn note_cost(&self, turn: &mut Turn, sends: bool) {
        let (cost, indexed) = (self.cost(), self.index_cost());
        if sends {
            let index_work = indexed.saturating_sub(turn.indexed);
            turn.sending += cost.saturating_sub(turn.reached + index_work);
        }
        (turn.reached, turn.indexed) = (cost, indexed);
    }

    /// Whether an item would end a session that may not end yet.
    fn must_wait(&self, conn: ConnId, item: &Item) -> bool {
        let ends = || item.ends_session();
        session_waits(self.presence, &self.state.roster, conn, ends).is_some()
    }

    /// Whether a turn has cost as much as one may. Sending counts towards the budget of the tick alone.
    fn is_spent(&self, turn: &Turn) -> bool {
        let scheduler = &self.connections.scheduler;
        let all = turn.reached.saturating_sub(turn.begun);
        all.saturating_sub(turn.sending) > scheduler.turn_cost() || all > scheduler.tick_cost()
    }

    /// Handles the next entry of a connection's inbox.
    fn handle(
        &mut self,
        turn: &mut Turn,
        item: Item,
    ) -> Result<ControlFlow<TurnOutcome>, StoreError> {
        match item {
            Item::Request(message, bytes) => {
                self.record.request_bytes += count(bytes);
                self.request(turn, message)
            }
            Item::End(end) => {
                self.remove_item(turn.conn);
                self.close(turn.conn, end)?;
                Ok(ControlFlow::Break(TurnOutcome::Over))
            }
        }
    }

    /// Handles one message.
    fn request(
        &mut self,
        turn: &mut Turn,
        mut message: Message,
    ) -> Result<ControlFlow<TurnOutcome>, StoreError> {
        let conn = turn.conn;
        self.record.messages += 1;
        let Some(kind) = RequestKind::from_number(message.command) else {
            // It may have anything, also a secret of a newer version.
            message.params.zeroize();
            return self.unknown(conn, message.command);
        };
        self.confirm_secret(conn);
        let begins = kind.answers().session == SessionEffect::Begins;
        let before = begins.then(|| self.cost());
        let started = self.start(conn, message.command);
        let unfinished = self.take_unfinished(turn);
        let result = routes::dispatch(&mut self.ctx(conn), kind, &message.params, unfinished);
        if kind.info().is_secret() {
            message.params.zeroize();
        }
        // A refused attempt at a password is answered when the cool-down for those before it is over.
        let is_throttled = matches!(&result, Err(reject) if reject.is_throttled());
        let is_due = matches!(turn.flow, FlowKey::Refused(_));
        if is_throttled && !is_due && self.connections.defer_refusal(conn) {
            return Ok(ControlFlow::Break(TurnOutcome::Over));
        }
        let logs_in = before.filter(|_| matches!(result, Ok(Answer::LogIn(_))));
        let concluded = match result {
            Ok(Answer::Reply(event)) => Ok(Conclusion::Reply(event)),
            Ok(Answer::Wait(task, pending)) => Ok(Conclusion::Wait(task, pending)),
            Ok(Answer::LogIn(attempt)) => self.log_in(conn, attempt),
            Ok(Answer::Unfinished(left)) => {
                if let Some(entry) = self.connections.entry_mut(conn) {
                    entry.unfinished = Some((left, Duration::ZERO));
                }
                return Ok(ControlFlow::Break(TurnOutcome::Over));
            }
            Err(reject) => Err(reject),
        };
        let finished = self.finish_request(conn, started, concluded);
        if let Some(before) = logs_in {
            turn.logins += self.bill_login(conn, before);
        }
        let is_retried = matches!(finished, Ok(false));
        if !is_retried {
            self.remove_item(conn);
        }
        let may_go_on = finished? && routes::policy(kind).cost != Cost::Heavy;
        Ok(match (is_throttled, may_go_on) {
            (true, _) => ControlFlow::Break(TurnOutcome::Refused),
            (false, true) => ControlFlow::Continue(()),
            (false, false) => ControlFlow::Break(TurnOutcome::Over),
        })
    }

    /// Takes what earlier turns left of the request that goes on; this turn has their cost, too.
    fn take_unfinished(&mut self, turn: &mut Turn) -> Option<Unfinished> {
        let entry = self.connections.entry_mut(turn.conn)?;
        let (left, spent) = entry.unfinished.take()?;
        turn.earlier += spent;
        Some(left)
    }

    /// Confirms the secret of a resumed session at its first request: the secret that opened it is revoked.
    fn confirm_secret(&mut self, conn: ConnId) {
        let state = &mut *self.state;
        if let Some((user, secret)) = state.roster.confirm_first_request(conn) {
            let confirmed = DeferredWrite::Chain(ChainWrite {
                user,
                chain: secret.chain,
                change: ChainChange::Confirm(secret.issued),
            });
            state.deferred_writes.push(confirmed);
        }
    }

    /// Goes on with a login that needs no worker, unless a session of the user may not begin or end yet. After a write
    /// of the tick, the next tick does it before its own writes: LOGIN_BUNDLE never rests on rows that are rolled back.
    fn log_in(&mut self, conn: ConnId, attempt: LoginAttempt) -> Result<Conclusion, Reject> {
        let user = attempt.changes_session(false);
        if self.batch.writes() > 0 || self.result_waits(conn, user).is_some() {
            return Ok(Conclusion::Ready(Pending::Login(attempt)));
        }
        let mut ctx = self.ctx(conn);
        let answer = account::logged_in(&mut ctx, &attempt, &Verdict::Wrong);
        if matches!(answer, Err(Reject::Store(StoreError::Busy))) {
            // The request is handled again, and counted again.
            ctx.throttle.guesses.take_back(attempt.counted);
        }
        answer.map(Conclusion::Reply)
    }

    /// Removes the request that was handled from the inbox.
    fn remove_item(&mut self, conn: ConnId) {
        if let Some(entry) = self.connections.entry_mut(conn) {
            entry.peer.remove_item();
        }
    }

    /// Ends a connection. Its user is offline for all requests that are handled after it.
    fn close(&mut self, conn: ConnId, end: End) -> Result<(), StoreError> {
        let started = self.start(conn, NO_REQUEST);
        // A user whose presence change is pending departs when the connection is gone.
        if !self.is_presence_pending(conn) {
            self.depart(conn, end.into())?;
        }
        self.state.outbox.close(conn, end);
        self.record_handled(conn, started, false);
        Ok(())
    }

    /// Refuses an unknown command (204), and closes the connection after too many of them.
    fn unknown(
        &mut self,
        conn: ConnId,
        number: u32,
    ) -> Result<ControlFlow<TurnOutcome>, StoreError> {
        let started = self.start(conn, number);
        self.refuse(conn, number, Code::UnknownCommand.into());
        self.record_handled(conn, started, false);
        let now = self.now;
        self.remove_item(conn);
        let entry = self.connections.entry_mut(conn);
        let too_many = entry.is_some_and(|entry| entry.peer.count_error(now));
        if !too_many {
            return Ok(ControlFlow::Continue(()));
        }
        self.close(conn, End::Notify(CloseReason::TooManyErrors))?;
        Ok(ControlFlow::Break(TurnOutcome::Over))
    }

    // One request.

    /// The state before a request is handled.
    fn start(&mut self, conn: ConnId, number: u32) -> RequestStart {
        // Looked up only for what may end a session: most requests do not.
        let kind = RequestKind::from_number(number);
        let ends = kind.is_some_and(|kind| kind.answers().session == SessionEffect::Ends);
        let user = (ends || number == NO_REQUEST).then(|| gate::logged_in(&self.ctx(conn)).ok());
        RequestStart {
            number,
            mark: self.state.outbox.mark(),
            writes: self.batch.writes(),
            user: user.flatten(),
        }
    }

    /// Stages the final reply of a request, or gives its job to the workers. False if the database was busy
    /// and the request is to be retried.
    fn finish_request(
        &mut self,
        conn: ConnId,
        started: RequestStart,
        result: Result<Conclusion, Reject>,
    ) -> Result<bool, StoreError> {
        let is_answered = match self.outcome(conn, &started, result) {
            Ok(Outcome::Retried) => return Ok(false),
            Ok(Outcome::Concluded(conclusion)) => self.conclude(conn, conclusion),
            Ok(Outcome::Refused(refusal)) => {
                self.refuse(conn, started.number, refusal);
                true
            }
            Err(error) => {
                self.record_handled(conn, started, true);
                return Err(error);
            }
        };
        if is_answered {
            self.tally.answered(started.number);
        }
        let depends = self.may_depend_on_writes(&started) && is_answered;
        self.record_handled(conn, started, depends);
        if let Some(entry) = self.connections.entry_mut(conn) {
            entry.retry.done();
        }
        Ok(true)
    }

    /// What the result of a request leads to. The error ends the tick.
    fn outcome(
        &mut self,
        conn: ConnId,
        started: &RequestStart,
        result: Result<Conclusion, Reject>,
    ) -> Result<Outcome, StoreError> {
        Ok(match result {
            Ok(conclusion) => Outcome::Concluded(conclusion),
            Err(Reject::Refused(refusal)) => Outcome::Refused(refusal),
            Err(Reject::Store(StoreError::Busy)) => {
                if self.connections.retry_later(conn, self.now) {
                    Outcome::Retried
                } else {
                    Outcome::Refused(Code::StorageBusy.into())
                }
            }
            // Earlier writes of the tick stand: only what needs the damaged part is refused.
            Err(Reject::Store(StoreError::Damaged(_)))
                if self.batch.is_whole() && self.batch.writes() == started.writes =>
            {
                Outcome::Refused(Code::StorageDamaged.into())
            }
            Err(Reject::Store(error)) => return Err(error),
        })
    }

    /// Stages the final reply, or lets the request wait. False if it waits: then a later tick answers it, whatever
    /// becomes of this one.
    fn conclude(&mut self, conn: ConnId, conclusion: Conclusion) -> bool {
        match conclusion {
            Conclusion::Reply(event) => {
                self.state.outbox.reply(conn, event);
                true
            }
            Conclusion::Wait(task, pending) => {
                self.connections.wait_for(conn, task, pending);
                false
            }
            Conclusion::Ready(pending) => {
                if let Some(entry) = self.connections.entry_mut(conn) {
                    entry.pending = Some(Box::new(pending));
                    let result = std::iter::once((conn, NO_PASSWORD));
                    self.connections.jobs.put_back(result);
                }
                false
            }
        }
    }

    /// Stages a refusal as the final reply.
    fn refuse(&mut self, conn: ConnId, number: u32, refusal: Refusal) {
        self.tally.refused(refusal.code());
        self.state.outbox.reply(conn, refuse(number, refusal));
    }

    /// Whether the answer to a request may depend on something that this tick wrote.
    fn may_depend_on_writes(&self, started: &RequestStart) -> bool {
        let access =
            RequestKind::from_number(started.number).map(|kind| routes::policy(kind).access);
        debug_assert!(
            access == Some(Access::Writes) || self.batch.writes() == started.writes,
            "request {} writes, and its route does not say so",
            started.number
        );
        self.batch.writes() > 0 && access != Some(Access::Memory)
    }

    /// Records that a request was handled, for a rollback.
    fn record_handled(&mut self, conn: ConnId, started: RequestStart, depends_on_writes: bool) {
        let roster = &self.state.roster;
        let went_offline = |user: &Caller| !user.bot && !roster.is_online(user.id);
        self.record.handled.push(Handled {
            conn,
            number: started.number,
            mark: started.mark,
            depends_on_writes,
            gone: started.user.filter(went_offline),
        });
    }
}

/// Whether an item is a message to users or rooms.
fn is_sending(item: &Item) -> bool {
    let Item::Request(message, _) = item else {
        return false;
    };
    RequestKind::from_number(message.command)
        .is_some_and(|kind| routes::policy(kind).cost == Cost::Sending)
}
