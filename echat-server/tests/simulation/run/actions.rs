//! What clients do.

use super::{Run, address, name};
use crate::devices;
use crate::plan::{Action, OfAccount, OfCode, OfSearch, PlannedRequest, Seat};
use crate::replies::Asked;
use crate::request::{self, Saying};
use crate::search::Searching;
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::channel;

impl Run {
    pub(super) fn connect(&mut self, seat: Seat) {
        let client = &mut self.clients[seat];
        if client.connected {
            return;
        }
        client.forget();
        let address = format!("{}:1", address(seat));
        self.sim.connect(name(seat), &address);
        client.connected = !self.sim.end(name(seat)).is_closed();
        (client.guest_since, client.connected_at) = (self.sim.now.running, self.sim.now.running);
    }

    pub(super) fn say(&mut self, seat: Seat, planned: &PlannedRequest) {
        if self.clients[seat].connected && !self.clients[seat].leaving {
            self.clients[seat].todo.push_back(planned.clone());
            self.say_all(seat);
        }
    }

    /// Sends the messages that wait for the handshake. True if there were any.
    pub(super) fn say_all(&mut self, seat: Seat) -> bool {
        let client = &self.clients[seat];
        if !client.connected || client.leaving || !self.sim.end(name(seat)).is_open() {
            return false;
        }
        let any = !client.todo.is_empty();
        while let Some(planned) = self.clients[seat].todo.pop_front() {
            let users = self.clients[seat].candidates();
            self.note(seat, &planned, &users);
            let (message, asked) = self.message(seat, planned, users);
            self.sim.say(name(seat), message.command, message.params);
            self.clients[seat].asked.push_back(asked);
        }
        any
    }

    /// Notes what a request may bring about.
    fn note(&mut self, seat: Seat, planned: &PlannedRequest, users: &[usize]) {
        self.facts.say(planned, users);
        let client = &mut self.clients[seat];
        match (planned, client.user) {
            (PlannedRequest::Send { txn: true, .. }, Some(user)) => {
                client.unacknowledged.push((user, planned.clone()));
            }
            // The first of several is the one that holds.
            (planned, Some(_))
                if planned.ends_session()
                    && !client
                        .asked
                        .iter()
                        .any(|asked| asked.planned.ends_session()) =>
            {
                client.guest_since = self.sim.now.running;
            }
            (PlannedRequest::Nonsense, _) => client.nonsense += 1,
            _ => {}
        }
        if let PlannedRequest::Account(
            OfAccount::ChangePassword(_) | OfAccount::Delete { .. } | OfAccount::EndOthers,
        ) = planned
        {
            for user in users {
                self.facts.secrets.end_all(*user);
            }
            if *planned != PlannedRequest::Account(OfAccount::EndOthers) {
                for user in users {
                    self.facts.devices.end_all(*user);
                }
                let device = client.device.filter(|_| client.user.is_some());
                self.facts.devices.try_own(users, device);
            }
        }
        if *planned == PlannedRequest::Logout {
            // A login that is asked for may come before it.
            for presented in client.asked.iter().filter_map(|asked| asked.presented) {
                self.facts.secrets.leave(presented.secret);
            }
            self.facts.secrets.leave(client.secret);
        }
    }

    /// The message of a request, and what its reply is judged by.
    fn message(
        &mut self,
        seat: Seat,
        planned: PlannedRequest,
        users: Vec<usize>,
    ) -> (Message, Asked) {
        let client = &self.clients[seat];
        let saying = Saying {
            truth: &self.truth,
            user: client.user.or(users.last().copied()),
            known: client.known,
            unix: self.sim.now.unix,
        };
        let (known, secrets) = (client.known, self.facts.secrets.count());
        let password = saying.presents(&planned);
        let (mut presented, mut token, mut code) = (None, None, None);
        let search = self.search(seat, &planned, &users);
        let devices = self.facts.devices.count();
        let mut message = match planned {
            PlannedRequest::Search(_) | PlannedRequest::SearchOn => {
                search.as_ref().expect("it was just made").message()
            }
            PlannedRequest::Resume { user, nth } => {
                let (secret, found) = self.facts.secrets.present(user, nth);
                presented = Some(found);
                request::resume(user, &secret)
            }
            PlannedRequest::Token { bot, nth } => {
                let (text, found) = self.facts.tokens.present(bot, nth);
                token = Some(found);
                request::login(bot, "token", &text)
            }
            PlannedRequest::RegisterBy { user, nth } => {
                let given = self.facts.codes.present(nth);
                request::register(user, code.insert(given))
            }
            PlannedRequest::Code(OfCode::Revoke(nth)) => {
                let given = self.facts.codes.present(nth);
                request::revoke(code.insert(given))
            }
            _ => saying.message(&planned),
        };
        let device = self.present_device(seat, &planned, &mut message);
        let asked = Asked {
            planned,
            presented,
            device,
            devices,
            password,
            token,
            code,
            search,
            secrets,
            users,
            known,
            version: self.truth.version,
            tick: self.ticks,
            unix: self.sim.now.unix,
        };
        (message, asked)
    }

    /// Adds the device of the client to a login.
    fn present_device(
        &mut self,
        seat: Seat,
        planned: &PlannedRequest,
        message: &mut Message,
    ) -> Option<devices::Presented> {
        let user = planned.logs_in()?;
        let device = self.clients[seat].device_of(user);
        let (unix, devices) = (self.sim.now.unix, &mut self.facts.devices);
        let (text, presented) = devices.present(user, device, unix)?;
        if let Value::Dict(entries) = &mut message.params {
            entries.push(("device".to_owned(), Value::Str(text)));
        }
        Some(presented)
    }

    /// What a request searches for: the next page is one of what was searched for last.
    fn search(&self, seat: Seat, planned: &PlannedRequest, users: &[usize]) -> Option<Searching> {
        let (client, unix) = (&self.clients[seat], self.sim.now.unix);
        let mut search = match planned {
            PlannedRequest::Search(of) => Searching::new(of, client.known, unix),
            PlannedRequest::SearchOn => {
                let next = client.search.as_ref();
                let next = next.map(|(search, next)| search.next(*next));
                let nothing = OfSearch {
                    limit: 1,
                    ..OfSearch::default()
                };
                next.unwrap_or_else(|| Searching::new(&nothing, client.known, unix))
            }
            _ => return None,
        };
        // A login that waits may be another user's.
        if let (Some(user), [_]) = (client.user, users) {
            search.asked_by(user, &self.truth, unix);
        }
        Some(search)
    }

    pub(super) fn resend(&mut self, seat: Seat) {
        let client = &self.clients[seat];
        let users = client.candidates();
        let mine = client
            .unacknowledged
            .iter()
            .filter(|(user, _)| users.contains(user));
        let again: Vec<PlannedRequest> = mine.map(|(_, planned)| planned.clone()).collect();
        for planned in again {
            self.say(seat, &planned);
        }
    }

    pub(super) fn leave(&mut self, seat: Seat, action: &Action) {
        let Some(conn) = self.conn(seat) else { return };
        if std::mem::replace(&mut self.clients[seat].leaving, true) {
            return;
        }
        match action {
            Action::HangUp(_) => self.sim.end(name(seat)).hang_up(),
            Action::Leave(_) if self.sim.end(name(seat)).is_open() => {
                self.sim
                    .say(name(seat), channel::CLOSE_NOTIFY, Value::Int(0));
            }
            _ => self.sim.engine.sever(conn),
        }
    }

    pub(super) fn listen(&mut self, seat: Seat, reads: bool, budget: usize) {
        if self.conn(seat).is_some() {
            let end = self.sim.end(name(seat));
            end.stalled = !reads;
            end.budget = budget;
            self.clients[seat].deaf |= !reads;
        }
    }
}
