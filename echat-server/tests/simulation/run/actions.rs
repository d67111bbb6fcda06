//! The actions of clients.

use super::{Run, address, name};
use crate::devices;
use crate::plan::{
    AccountRequest, Action, ClientIndex, InvitationCodeRequest, PlannedRequest, SearchRequest,
};
use crate::replies::PendingRequest;
use crate::request::{self, RequestBuilder};
use crate::search::PendingSearch;
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::channel;

impl Run {
    pub(super) fn connect(&mut self, index: ClientIndex) {
        let client = &mut self.clients[index];
        if client.connected {
            return;
        }
        client.forget();
        let address = format!("{}:1", address(index));
        self.sim.connect(name(index), &address);
        client.connected = !self.sim.end(name(index)).is_closed();
        (client.unauthenticated_since, client.connected_at) =
            (self.sim.now.running, self.sim.now.running);
    }

    pub(super) fn send(&mut self, index: ClientIndex, planned: &PlannedRequest) {
        if self.clients[index].connected && !self.clients[index].leaving {
            self.clients[index].queued.push_back(planned.clone());
            self.send_queued(index);
        }
    }

    /// Sends the requests that waited for the handshake. True if there were any.
    pub(super) fn send_queued(&mut self, index: ClientIndex) -> bool {
        let client = &self.clients[index];
        if !client.connected || client.leaving || !self.sim.end(name(index)).is_open() {
            return false;
        }
        let any = !client.queued.is_empty();
        while let Some(planned) = self.clients[index].queued.pop_front() {
            let users = self.clients[index].candidates();
            self.note(index, &planned, &users);
            let (message, pending) = self.message(index, planned, users);
            self.sim.say(name(index), message.command, message.params);
            self.clients[index].unanswered.push_back(pending);
        }
        any
    }

    /// Notes what a request may cause.
    fn note(&mut self, index: ClientIndex, planned: &PlannedRequest, users: &[usize]) {
        self.observed.note_request(planned, users);
        let client = &mut self.clients[index];
        match (planned, client.user) {
            (PlannedRequest::Send { txn: true, .. }, Some(user)) => {
                client.unacknowledged.push((user, planned.clone()));
            }
            // If several end the session, the first one counts.
            (planned, Some(_))
                if planned.ends_session()
                    && !client
                        .unanswered
                        .iter()
                        .any(|pending| pending.planned.ends_session()) =>
            {
                client.unauthenticated_since = self.sim.now.running;
            }
            (PlannedRequest::UnknownCommand, _) => client.unknown_commands += 1,
            _ => {}
        }
        if let PlannedRequest::Account(
            AccountRequest::ChangePassword(_)
            | AccountRequest::Delete { .. }
            | AccountRequest::EndOthers,
        ) = planned
        {
            for user in users {
                self.observed.secrets.begin_void(*user);
            }
            if *planned != PlannedRequest::Account(AccountRequest::EndOthers) {
                for user in users {
                    self.observed.devices.begin_void(*user);
                }
                let device = client.device.filter(|_| client.user.is_some());
                self.observed.devices.attempt_own(users, device);
            }
        }
        if *planned == PlannedRequest::Logout {
            // An unanswered login may be handled before it.
            for presented in client
                .unanswered
                .iter()
                .filter_map(|pending| pending.presented)
            {
                self.observed.secrets.begin_logout(presented.secret);
            }
            self.observed.secrets.begin_logout(client.secret);
        }
    }

    /// The message of a request, and what its reply is checked against.
    fn message(
        &mut self,
        index: ClientIndex,
        planned: PlannedRequest,
        users: Vec<usize>,
    ) -> (Message, PendingRequest) {
        let client = &self.clients[index];
        let builder = RequestBuilder {
            committed: &self.committed,
            user: client.user.or(users.last().copied()),
            known: client.known,
            unix: self.sim.now.unix,
        };
        let (known, secrets) = (client.known, self.observed.secrets.count());
        let password = builder.password_index(&planned);
        let (mut presented, mut token, mut code) = (None, None, None);
        let search = self.search(index, &planned, &users);
        let devices = self.observed.devices.count();
        let mut message = match planned {
            PlannedRequest::Search(_) | PlannedRequest::SearchNextPage => {
                search.as_ref().expect("it was just made").message()
            }
            PlannedRequest::Resume { user, nth } => {
                let (secret, found) = self.observed.secrets.present(user, nth);
                presented = Some(found);
                request::resume(user, &secret)
            }
            PlannedRequest::Token { bot, nth } => {
                let (text, found) = self.observed.tokens.present(bot, nth);
                token = Some(found);
                request::login(bot, "token", &text)
            }
            PlannedRequest::RegisterBy { user, nth } => {
                let given = self.observed.codes.present(nth);
                request::register(user, code.insert(given))
            }
            PlannedRequest::InvitationCode(InvitationCodeRequest::Revoke(nth)) => {
                let given = self.observed.codes.present(nth);
                request::revoke(code.insert(given))
            }
            _ => builder.message(&planned),
        };
        let device = self.present_device(index, &planned, &mut message);
        let pending = PendingRequest {
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
            version: self.committed.version,
            tick: self.ticks,
            unix: self.sim.now.unix,
        };
        (message, pending)
    }

    /// Adds the client's device to a login.
    fn present_device(
        &mut self,
        index: ClientIndex,
        planned: &PlannedRequest,
        message: &mut Message,
    ) -> Option<devices::PresentedDevice> {
        let user = planned.logs_in()?;
        let device = self.clients[index].device_of(user);
        let (unix, devices) = (self.sim.now.unix, &mut self.observed.devices);
        let (text, presented) = devices.present(user, device, unix)?;
        if let Value::Dict(entries) = &mut message.params {
            entries.push(("device".to_owned(), Value::Str(text)));
        }
        Some(presented)
    }

    /// The search of a request. SEARCH with `before` continues the client's last search.
    fn search(
        &self,
        index: ClientIndex,
        planned: &PlannedRequest,
        users: &[usize],
    ) -> Option<PendingSearch> {
        let (client, unix) = (&self.clients[index], self.sim.now.unix);
        let mut search = match planned {
            PlannedRequest::Search(of) => PendingSearch::new(of, client.known, unix),
            PlannedRequest::SearchNextPage => {
                let next = client.search.as_ref();
                let next = next.map(|(search, next)| search.next(*next));
                let nothing = SearchRequest {
                    limit: 1,
                    ..SearchRequest::default()
                };
                next.unwrap_or_else(|| PendingSearch::new(&nothing, client.known, unix))
            }
            _ => return None,
        };
        // A pending login may be another user's.
        if let (Some(user), [_]) = (client.user, users) {
            search.set_user(user, &self.committed, unix);
        }
        Some(search)
    }

    pub(super) fn resend(&mut self, index: ClientIndex) {
        let client = &self.clients[index];
        let users = client.candidates();
        let mine = client
            .unacknowledged
            .iter()
            .filter(|(user, _)| users.contains(user));
        let again: Vec<PlannedRequest> = mine.map(|(_, planned)| planned.clone()).collect();
        for planned in again {
            self.send(index, &planned);
        }
    }

    pub(super) fn close(&mut self, index: ClientIndex, action: &Action) {
        let Some(conn) = self.conn(index) else { return };
        if std::mem::replace(&mut self.clients[index].leaving, true) {
            return;
        }
        match action {
            Action::HalfClose(_) => self.sim.end(name(index)).hang_up(),
            Action::CloseNotify(_) if self.sim.end(name(index)).is_open() => {
                self.sim
                    .say(name(index), channel::CLOSE_NOTIFY, Value::Int(0));
            }
            _ => self.sim.engine.sever(conn),
        }
    }

    pub(super) fn set_flow(&mut self, index: ClientIndex, reads: bool, budget: usize) {
        if self.conn(index).is_some() {
            let end = self.sim.end(name(index));
            end.stalled = !reads;
            end.budget = budget;
            self.clients[index].stopped_reading |= !reads;
        }
    }
}
