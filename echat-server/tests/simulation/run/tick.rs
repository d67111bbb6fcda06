//! One round of the world, and everything that is judged after it.

use super::{Online, Run, Written, address, name};
use crate::changes::{Ask, Changes, Dues};
use crate::client::Due;
use crate::fail;
use crate::invariants;
use crate::plan::{OfAccount, OfMessage, PlannedRequest, Seat, USERS};
use crate::replies::{Asked, Judge, Session};
use crate::request::edited;
use crate::truth::{Stored, Truth};
use echat_proto::Value;
use echat_proto::channel::Incoming;
use echat_proto::commands::{CommandInfo, channel};
use echat_server::conn::ConnId;

/// What a message has besides its content, at most.
const ROUGHLY: usize = 300;

impl Run {
    /// One round of the world, judged. True if anything moved.
    pub(super) fn tick(&mut self) -> Result<bool, String> {
        self.ticks += 1;
        self.facts.begin(self.ticks);
        self.facts.devices.age(self.sim.now.unix);
        if self.disk.is_troubled() {
            self.facts.trouble(self.ticks);
        }
        let online = self.online();
        let stepped = self.sim.step();
        let journal = self.sim.engine.take_journal();
        self.written
            .extend(journal.into_iter().map(Written::Request));
        self.note_displaced(&online);
        let before = self.disk.read(&mut self.truth);
        if let Some(before) = &before {
            self.judge(before, &online)?;
        }
        self.note_floods(before.as_ref());
        self.go_on_searching();
        let heard = self.hear()?;
        self.note_lost()?;
        invariants::after_tick(self)?;
        match stepped {
            Ok(moved) => Ok(moved || heard),
            Err(_) if self.disk.is_broken() => {
                self.facts.meet("a commit that failed".to_owned());
                self.restart().map(|()| true)
            }
            Err(fatal) => fail(&format!("the database failed without a reason: {fatal}")),
        }
    }

    /// Notes whose place another session took.
    fn note_displaced(&mut self, before: &Online) {
        let after = self.online();
        for user in 0..USERS.len() {
            if before.get(&user) != after.get(&user) {
                self.facts.moved(user, self.ticks);
            }
        }
        for seat in 0..self.clients.len() {
            let Some(conn) = self.conn(seat) else {
                continue;
            };
            let ended = |user: &usize| {
                let all = self.clients.iter().flat_map(|client| &client.asked);
                let mut ends = all.filter(|asked| asked.users.contains(user));
                ends.any(|asked| {
                    matches!(
                        asked.planned,
                        PlannedRequest::Account(OfAccount::Delete { .. })
                    )
                }) || self.truth.is_suspended(*user, self.sim.now.unix)
                    || self.truth.is_bot(*user)
            };
            let lost = |(user, conns): (&usize, &Vec<ConnId>)| {
                let now = after.get(user);
                let gone = now.map_or_else(|| ended(user), |conns| !conns.contains(&conn));
                conns.contains(&conn) && gone
            };
            let lost = before.iter().any(lost);
            let is_in = |online: &Online| online.values().any(|conns| conns.contains(&conn));
            let client = &mut self.clients[seat];
            if is_in(&after) && !is_in(before) {
                client.began_in = self.ticks;
            }
            let goes = client
                .asked
                .iter()
                .any(|asked| asked.planned == PlannedRequest::Logout);
            client.displaced |= self.sim.schedule.is_some() && !goes && lost;
        }
    }

    /// Judges what this tick committed, and notes the events that are due.
    pub(super) fn judge(&mut self, before: &Truth, online: &Online) -> Result<(), String> {
        let mut asked = Vec::new();
        let requests = || self.clients.iter().flat_map(|client| &client.asked);
        if requests().count() > 1 && requests().any(|request| request.planned.undoes()) {
            self.facts.flap(self.ticks);
        }
        for request in requests() {
            let registers = matches!(
                request.planned,
                PlannedRequest::Register(_) | PlannedRequest::RegisterBy { .. }
            );
            let guest = registers.then_some(usize::MAX);
            let users = request.users.iter().copied().chain(guest);
            asked.extend(users.map(|user| Ask {
                user,
                planned: request.planned.clone(),
                password: request.password,
                code: request.code.clone(),
                unix: request.unix,
                known: request.known,
            }));
        }
        for ask in &asked {
            if let PlannedRequest::Message(of) = &ask.planned {
                let id = of.id(ask.known);
                if let OfMessage::Edit(_, number) = of
                    && self
                        .truth
                        .seen(ask.user, id, ask.unix)
                        .is_some_and(|seen| seen.sender == ask.user)
                {
                    self.truth.say(id, edited(*number));
                }
            }
        }
        let changes = Changes {
            before,
            after: &self.truth,
            asked: &asked,
            limits: &self.limits,
            door: self.door,
            now: self.sim.now,
        };
        let dues = changes.judge(&mut self.facts)?;
        self.expect(&dues, online);
        Ok(())
    }

    /// Searches without an answer go on in what is committed now.
    fn go_on_searching(&mut self) {
        let now = self.sim.now.unix;
        let asked = self.clients.iter_mut().flat_map(|client| &mut client.asked);
        for search in asked.filter_map(|asked| asked.search.as_mut()) {
            search.goes_on(&self.truth, now);
        }
    }

    /// Notes the connections for which a tick may have more than a queue may hold: new messages, and pages.
    pub(super) fn note_floods(&mut self, before: Option<&Truth>) {
        let size = |message: &Stored| message.content.len() + ROUGHLY;
        let all: usize = self.truth.messages.values().map(size).sum();
        // Messages of a room that was closed are gone: what is new is not the difference.
        let is_new = |id: &u64| before.is_some_and(|before| !before.messages.contains_key(id));
        let messages = self.truth.messages.iter().filter(|(id, _)| is_new(id));
        let new: usize = messages.map(|(_, message)| size(message)).sum();
        // Each change tells the whole message.
        let largest = self.truth.messages.values().map(size).max().unwrap_or(0);
        let requests = self.clients.iter().flat_map(|client| &client.asked);
        let changes = requests.filter(|asked| matches!(asked.planned, PlannedRequest::Message(_)));
        let new = new + changes.count() * largest;
        for client in &mut self.clients {
            let asks = |asked: &Asked| {
                let planned = &asked.planned;
                matches!(
                    planned,
                    PlannedRequest::Login { .. }
                        | PlannedRequest::Resume { .. }
                        | PlannedRequest::Token { .. }
                        | PlannedRequest::History { .. }
                        | PlannedRequest::Around { .. }
                        | PlannedRequest::Mentions(_)
                        | PlannedRequest::Search(_)
                        | PlannedRequest::SearchOn
                )
            };
            let pages = if client.asked.iter().any(asks) {
                all
            } else {
                0
            };
            // What is sent again is acknowledged again, and replies wait for the end of the tick.
            let acknowledged = |asked: &Asked| match asked.planned {
                PlannedRequest::Send { size, .. } => size + ROUGHLY,
                _ => 0,
            };
            let again: usize = client.asked.iter().map(acknowledged).sum();
            let most = client.waiting + new + pages + again;
            client.flooded |= most > self.limits.send_queue_hard;
        }
    }

    /// An event is due surely for a user that was online before and after, and perhaps for one that may have been
    /// online between.
    pub(super) fn expect(&mut self, dues: &Dues, before: &Online) {
        let after = self.online();
        let flapped = self.facts.flapped_since(self.ticks);
        for (user, due, surely) in dues {
            for seat in 0..self.clients.len() {
                let conn = self.conn(seat);
                let is_in = |online: &Online| {
                    let here = online.get(user).zip(conn);
                    here.is_some_and(|(conns, conn)| conns.contains(&conn))
                };
                let stayed = is_in(before) && is_in(&after);
                let client = &mut self.clients[seat];
                if *surely && stayed && !client.may_have_caused(*due, &self.truth) {
                    if !client.must.insert(*due) {
                        // It waits to be read since an earlier tick: it comes twice.
                        client.may.insert(*due);
                    }
                    continue;
                }
                // Into one room one may come twice in a tick, or be asked twice for friendship.
                let again = match due {
                    Due::Message(_) => false,
                    Due::Room(_) => true,
                    _ => flapped,
                };
                if client.candidates().contains(user) && (again || !client.must.contains(due)) {
                    client.may.insert(*due);
                }
            }
        }
    }

    /// Lets clients take what came. True if they have something to say to it.
    pub(super) fn hear(&mut self) -> Result<bool, String> {
        let mut planned = false;
        for seat in 0..self.clients.len() {
            while self.sim.ends.contains_key(name(seat))
                && let Some((incoming, ended)) = self.sim.end(name(seat)).next()
            {
                self.tell(|| format!("  {seat} < {incoming:?}"));
                planned |= self
                    .take(seat, incoming, ended)
                    .map_err(|what| format!("client {seat}: {what}"))?;
            }
            planned |= self.say_all(seat);
        }
        Ok(planned)
    }

    pub(super) fn take(
        &mut self,
        seat: Seat,
        incoming: Incoming,
        ended: Option<&'static CommandInfo>,
    ) -> Result<bool, String> {
        let client = &mut self.clients[seat];
        client.opened = true;
        match incoming {
            Incoming::Ping => {
                let open = self.sim.end(name(seat)).is_open();
                if open && !client.leaving {
                    self.sim.say(name(seat), channel::PONG, Value::Null);
                }
                return Ok(open);
            }
            Incoming::Pong => return fail("an answer to no question"),
            Incoming::Close(reason) => client.goodbye = Some(reason),
            Incoming::Message(message) => {
                if ended.is_none() {
                    self.facts.meet(format!("told {}", message.command));
                    if client.is_named_by(&message, &self.truth) {
                        let what = format!("told {} of oneself", message.command);
                        self.facts.meet(what);
                    }
                    client.event(&message, &self.truth)?;
                    return Ok(false);
                }
                let asked = client.asked.pop_front().ok_or("a reply to nothing")?;
                let sessions = self.sessions(seat, &asked);
                let client = &mut self.clients[seat];
                let mut judge = Judge {
                    truth: &self.truth,
                    limits: &self.limits,
                    facts: &mut self.facts,
                    door: self.door,
                    unix: self.sim.now.unix,
                    sessions: sessions.as_deref(),
                };
                let judged = judge.reply(client, &asked, &message);
                judged.map_err(|what| format!("{what}\n    {asked:?}"))?;
            }
        }
        Ok(false)
    }

    /// The sessions of a client's user, if the request is about them, and if none is about to end with its connection.
    fn sessions(&self, seat: Seat, asked: &Asked) -> Option<Vec<Session>> {
        let PlannedRequest::Account(of) = &asked.planned else {
            return None;
        };
        let is_about = matches!(
            of,
            OfAccount::Sessions | OfAccount::EndOthers | OfAccount::ChangePassword(_)
        );
        let user = self.clients[seat].user.filter(|_| is_about);
        let conns = user.and_then(|user| self.online().remove(&user))?;
        let seats = (0..self.clients.len())
            .filter(|seat| self.conn(*seat).is_some_and(|conn| conns.contains(&conn)));
        let session = |other: Seat| Session {
            address: address(other),
            began_in: self.clients[other].began_in,
            this: other == seat,
        };
        let sessions: Vec<Session> = seats.map(session).collect();
        (sessions.len() == conns.len()).then_some(sessions)
    }

    pub(super) fn note_lost(&mut self) -> Result<(), String> {
        let now = self.sim.now.running;
        for seat in 0..self.clients.len() {
            if !self.clients[seat].connected || self.conn(seat).is_some() {
                continue;
            }
            let heard_at = self.sim.end(name(seat)).heard_at;
            if !self.stopping {
                let client = &self.clients[seat];
                let why = invariants::closed(client, heard_at, &self.limits, now)
                    .map_err(|what| format!("client {seat}: {what}"))?;
                self.facts.meet(format!("closed: {why}"));
            }
            self.clients[seat].forget();
        }
        Ok(())
    }
}
