//! One tick of a run, and the checks after it.

use super::{CommittedWrite, Online, Run, address, name};
use crate::changes::{CandidateRequest, Changes, ExpectedEvents};
use crate::client::ExpectedEvent;
use crate::committed::{CommittedState, StoredMessage};
use crate::fail;
use crate::invariants;
use crate::plan::{AccountRequest, ClientIndex, MessageRequest, PlannedRequest, Target, USERS};
use crate::replies::{PendingRequest, ReplyChecker, Session};
use crate::request::edited;
use echat_proto::Value;
use echat_proto::channel::Incoming;
use echat_proto::commands::{CommandInfo, channel};
use echat_server::conn::ConnId;
use std::collections::BTreeSet;

/// Upper bound of what a message has besides its content.
const OVERHEAD: usize = 300;

impl Run {
    /// Moves the simulation by one round and checks it. True if anything moved.
    pub(super) fn tick(&mut self) -> Result<bool, String> {
        self.ticks += 1;
        self.observed.begin_tick(self.ticks);
        self.observed.devices.age(self.sim.now.unix);
        if self.disk.has_fault() {
            self.observed.note_storage_fault(self.ticks);
        }
        let online = self.online();
        let stepped = self.sim.step();
        let journal = self.sim.engine.take_journal();
        self.writes
            .extend(journal.into_iter().map(CommittedWrite::Request));
        self.note_displaced(&online);
        let before = self.disk.read(&mut self.committed);
        if let Some(before) = &before {
            self.check_changes(before, &online)?;
            self.note_sweeps();
        }
        self.note_queue_exceeded(before.as_ref());
        self.observe_searches();
        let delivered = self.deliver()?;
        self.check_closed()?;
        invariants::after_tick(self)?;
        match stepped {
            Ok(moved) => Ok(moved || delivered),
            Err(_) if self.disk.fails_commits() => {
                self.observed.cover("a commit that failed".to_owned());
                self.restart().map(|()| true)
            }
            Err(fatal) => fail(&format!("the database failed without a reason: {fatal}")),
        }
    }

    /// Notes sessions that another session displaced.
    fn note_displaced(&mut self, before: &Online) {
        let after = self.online();
        for user in 0..USERS.len() {
            if before.get(&user) != after.get(&user) {
                self.observed.note_sessions_changed(user, self.ticks);
            }
        }
        for index in 0..self.clients.len() {
            let Some(conn) = self.conn(index) else {
                continue;
            };
            let ended = |user: &usize| {
                let all = self.clients.iter().flat_map(|client| &client.unanswered);
                let mut ends = all.filter(|pending| pending.users.contains(user));
                ends.any(|pending| {
                    matches!(
                        pending.planned,
                        PlannedRequest::Account(AccountRequest::Delete { .. })
                    )
                }) || self.committed.is_suspended(*user, self.sim.now.unix)
                    || self.committed.is_bot(*user)
            };
            let lost = |(user, conns): (&usize, &Vec<ConnId>)| {
                let now = after.get(user);
                let gone = now.map_or_else(|| ended(user), |conns| !conns.contains(&conn));
                conns.contains(&conn) && gone
            };
            let lost = before.iter().any(lost);
            let is_in = |online: &Online| online.values().any(|conns| conns.contains(&conn));
            let client = &mut self.clients[index];
            if is_in(&after) && !is_in(before) {
                client.began_in = self.ticks;
            }
            let logs_out = client
                .unanswered
                .iter()
                .any(|pending| pending.planned == PlannedRequest::Logout);
            client.displaced |= self.sim.schedule.is_some() && !logs_out && lost;
        }
    }

    /// Checks what this tick committed, and notes the expected events.
    pub(super) fn check_changes(
        &mut self,
        before: &CommittedState,
        online: &Online,
    ) -> Result<(), String> {
        let mut candidates = Vec::new();
        let requests = || self.clients.iter().flat_map(|client| &client.unanswered);
        if requests().count() > 1 && requests().any(|request| request.planned.may_revert()) {
            self.observed.note_ambiguity(self.ticks);
        }
        for request in requests() {
            let registers = matches!(
                request.planned,
                PlannedRequest::Register(_) | PlannedRequest::RegisterBy { .. }
            );
            let new_user = registers.then_some(usize::MAX);
            let users = request.users.iter().copied().chain(new_user);
            candidates.extend(users.map(|user| CandidateRequest {
                user,
                planned: request.planned.clone(),
                password: request.password,
                code: request.code.clone(),
                unix: request.unix,
                known: request.known,
            }));
        }
        for candidate in &candidates {
            if let PlannedRequest::Message(of) = &candidate.planned {
                let id = of.id(candidate.known);
                if let MessageRequest::Edit(_, number) = of
                    && self
                        .committed
                        .seen(candidate.user, id, candidate.unix)
                        .is_some_and(|seen| seen.sender == candidate.user)
                {
                    self.committed.note_transient_text(id, edited(*number));
                }
            }
        }
        let changes = Changes {
            before,
            after: &self.committed,
            requests: &candidates,
            limits: &self.limits,
            policy: self.policy,
            now: self.sim.now,
        };
        let expected_events = changes.check(&mut self.observed)?;
        self.note_expected(&expected_events, online);
        Ok(())
    }

    /// Updates unanswered searches with the committed state.
    fn observe_searches(&mut self) {
        let now = self.sim.now.unix;
        let pending = self
            .clients
            .iter_mut()
            .flat_map(|client| &mut client.unanswered);
        for search in pending.filter_map(|pending| pending.search.as_mut()) {
            search.observe(&self.committed, now);
        }
    }

    /// Notes the connections for which a tick may produce more than a send queue may hold, by new messages and pages.
    pub(super) fn note_queue_exceeded(&mut self, before: Option<&CommittedState>) {
        let (all, new) = self.most_delivered(before);
        for client in &mut self.clients {
            let asks = |pending: &PendingRequest| {
                let planned = &pending.planned;
                matches!(
                    planned,
                    PlannedRequest::Login { .. }
                        | PlannedRequest::Resume { .. }
                        | PlannedRequest::Token { .. }
                        | PlannedRequest::History { .. }
                        | PlannedRequest::Around { .. }
                        | PlannedRequest::Mentions(_)
                        | PlannedRequest::Search(_)
                        | PlannedRequest::SearchNextPage
                )
            };
            let pages = if client.unanswered.iter().any(asks) {
                all
            } else {
                0
            };
            // A message that is sent again is acknowledged again, and replies wait for the end of the tick.
            let acknowledged = |pending: &PendingRequest| match pending.planned {
                PlannedRequest::Send { size, .. } => size + OVERHEAD,
                _ => 0,
            };
            let again: usize = client.unanswered.iter().map(acknowledged).sum();
            let most = client.waiting + new + pages + again;
            client.queue_exceeded |= most > self.limits.send_queue_hard;
        }
    }

    /// Upper bounds of the bytes of all messages, which pages may contain, and of those that a tick delivers.
    fn most_delivered(&self, before: Option<&CommittedState>) -> (usize, usize) {
        let size = |message: &StoredMessage| message.content.len() + OVERHEAD;
        let now = &self.committed.messages;
        // Messages of closed rooms are gone, so new messages are not the difference of two counts.
        let is_new = |id: &u64| before.is_some_and(|before| !before.messages.contains_key(id));
        let new = now.iter().filter(|(id, _)| is_new(id));
        let new: usize = new.map(|(_, message)| size(message)).sum();
        // Messages that are gone were delivered before, in pages too.
        let gone = before.into_iter().flat_map(|before| &before.messages);
        let gone = gone.filter(|(id, _)| !now.contains_key(id));
        let known = now.iter().chain(gone).map(|(_, message)| size(message));
        let unseen = self.unseen_messages(before);
        let new = new + unseen.iter().sum::<usize>();
        let all = known.clone().sum::<usize>() + unseen.iter().sum::<usize>();
        // Each change delivers the whole message.
        let largest = known.chain(unseen).max().unwrap_or(0);
        let requests = self.clients.iter().flat_map(|client| &client.unanswered);
        let changes =
            requests.filter(|pending| matches!(pending.planned, PlannedRequest::Message(_)));
        (all, new + changes.count() * largest)
    }

    /// The bytes of messages to rooms that a tick may have closed: delivered, but in no committed state.
    fn unseen_messages(&self, before: Option<&CommittedState>) -> Vec<usize> {
        let Some(before) = before else {
            return Vec::new();
        };
        let conversation =
            |of: &CommittedState, room| of.rooms.get(&room).map(|room| room.conversation);
        let stays = |room| {
            let now = conversation(&self.committed, room);
            now.is_some() && now == conversation(before, room)
        };
        let requests = self.clients.iter().flat_map(|client| &client.unanswered);
        let unseen = requests.filter_map(|pending| match pending.planned {
            PlannedRequest::Send {
                to: Target::Room(room),
                size,
                ..
            } if !stays(room) => Some(size + OVERHEAD),
            _ => None,
        });
        unseen.collect()
    }

    /// An event must arrive on a connection that was online before and after the tick. It may arrive on one that was
    /// online in between.
    pub(super) fn note_expected(&mut self, expected_events: &ExpectedEvents, before: &Online) {
        let after = self.online();
        let ambiguous = self.observed.ambiguous_since(self.ticks);
        // An event of an earlier tick that a client has not read yet does not stand for one of this tick.
        let mut required_by_tick = BTreeSet::new();
        for (user, event, certain) in expected_events {
            for index in 0..self.clients.len() {
                let conn = self.conn(index);
                let is_in = |online: &Online| {
                    let here = online.get(user).zip(conn);
                    here.is_some_and(|(conns, conn)| conns.contains(&conn))
                };
                let stayed = is_in(before) && is_in(&after);
                let client = &mut self.clients[index];
                if *certain && stayed && !client.may_have_caused(*event, &self.committed) {
                    required_by_tick.insert((index, *event));
                    if !client.required.insert(*event) {
                        // The client has not read the event of an earlier tick yet, so the event comes twice.
                        client.possible.insert(*event);
                    }
                    continue;
                }
                // In one tick a user may join a room twice, or receive two friend requests of one user.
                let again = match event {
                    ExpectedEvent::Message(_) => false,
                    ExpectedEvent::RoomJoined(_) => true,
                    _ => ambiguous,
                };
                let repeats = required_by_tick.contains(&(index, *event));
                if client.candidates().contains(user) && (again || !repeats) {
                    client.possible.insert(*event);
                }
            }
        }
    }

    /// Delivers to each client what has arrived. True if a client sent something in response.
    pub(super) fn deliver(&mut self) -> Result<bool, String> {
        let mut planned = false;
        for index in 0..self.clients.len() {
            while self.sim.ends.contains_key(name(index))
                && let Some((incoming, ended)) = self.sim.end(name(index)).next()
            {
                self.log(|| format!("  {index} < {incoming:?}"));
                planned |= self
                    .handle_incoming(index, incoming, ended)
                    .map_err(|what| format!("client {index}: {what}"))?;
            }
            planned |= self.send_queued(index);
        }
        Ok(planned)
    }

    pub(super) fn handle_incoming(
        &mut self,
        index: ClientIndex,
        incoming: Incoming,
        ended: Option<&'static CommandInfo>,
    ) -> Result<bool, String> {
        let client = &mut self.clients[index];
        client.opened = true;
        match incoming {
            Incoming::Ping => {
                let open = self.sim.end(name(index)).is_open();
                if open && !client.leaving {
                    self.sim.say(name(index), channel::PONG, Value::Null);
                }
                return Ok(open);
            }
            Incoming::Pong => return fail("a PONG without a PING"),
            Incoming::Close(reason) => client.close_reason = Some(reason),
            Incoming::Message(message) => {
                if ended.is_none() {
                    self.observed.cover(format!("event {}", message.command));
                    if client.is_named_by(&message, &self.committed) {
                        let what = format!("event {} of the own user", message.command);
                        self.observed.cover(what);
                    }
                    client.event(&message, &self.committed)?;
                    return Ok(false);
                }
                let pending = client.unanswered.pop_front().ok_or("a reply to nothing")?;
                let sessions = self.sessions(index, &pending);
                let client = &mut self.clients[index];
                let mut checker = ReplyChecker {
                    committed: &self.committed,
                    limits: &self.limits,
                    observed: &mut self.observed,
                    policy: self.policy,
                    unix: self.sim.now.unix,
                    sessions: sessions.as_deref(),
                };
                let result = checker.check(client, &pending, &message);
                result.map_err(|what| format!("{what}\n    {pending:?}"))?;
            }
        }
        Ok(false)
    }

    /// The sessions of a client's user, for a request about them. `None` if one of them is about to end with its
    /// connection.
    fn sessions(&self, index: ClientIndex, pending: &PendingRequest) -> Option<Vec<Session>> {
        let PlannedRequest::Account(of) = &pending.planned else {
            return None;
        };
        let is_about = matches!(
            of,
            AccountRequest::Sessions
                | AccountRequest::EndOthers
                | AccountRequest::ChangePassword(_)
        );
        let user = self.clients[index].user.filter(|_| is_about);
        let conns = user.and_then(|user| self.online().remove(&user))?;
        let indexes = (0..self.clients.len())
            .filter(|index| self.conn(*index).is_some_and(|conn| conns.contains(&conn)));
        let session = |other: ClientIndex| Session {
            address: address(other),
            began_in: self.clients[other].began_in,
            this: other == index,
        };
        let sessions: Vec<Session> = indexes.map(session).collect();
        (sessions.len() == conns.len()).then_some(sessions)
    }

    pub(super) fn check_closed(&mut self) -> Result<(), String> {
        let now = self.sim.now.running;
        for index in 0..self.clients.len() {
            if !self.clients[index].connected || self.conn(index).is_some() {
                continue;
            }
            let heard_at = self.sim.end(name(index)).heard_at;
            if !self.stopping {
                let client = &self.clients[index];
                let why = invariants::reason_of_close(client, heard_at, &self.limits, now)
                    .map_err(|what| format!("client {index}: {what}"))?;
                self.observed.cover(format!("closed: {why}"));
            }
            self.clients[index].forget();
        }
        Ok(())
    }
}
