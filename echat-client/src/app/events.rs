//! Events of the server: applied to the session, shown by the mode, and announced with alerts.

use echat_proto::commands::{Event, Request, RequestKind};
use echat_proto::config::Notify;
use echat_proto::names::DeviceSecret;
use echat_proto::records::{Code, Fail};

use super::input::WorstOutcome;
use super::question::{Question, Void};
use super::{Alert, App, Effect};
use crate::modes::{Goto, command_of};
use crate::render::safe::Safe;
use crate::session::{RequestContext, RoomNews, Said, Update};
use crate::statement::Scope;
use crate::target::Target;
use crate::text::Text;

impl App {
    pub(super) fn event(&mut self, event: Event) {
        let asked = self.requests.answered(&event);
        if let Some(asked) = &asked {
            self.answered(asked);
        }
        if let (Some(RequestContext::Clock(timed)), Event::SendServerTime { time }) =
            (&asked, &event)
        {
            return self.ask_timed(timed.clone(), *time);
        }
        if matches!(event, Event::ServerKick {}) {
            self.kick();
        }
        if asked == Some(RequestContext::Login) {
            if let Event::LoginBundle { resume, device, .. } = &event {
                self.login.keep_secret(resume.clone());
                self.keep_device(device.as_ref());
            }
            let is_void = |fail: &Fail| fail.code == Code::BadCredentials.as_str();
            if event.refusal().is_some_and(is_void) && self.login.drop_secret() {
                self.present();
                return;
            }
        }
        self.note_login(&event);
        if let Event::LoginSuccess { username } = &event {
            self.greet(username);
        }
        let missed = asked == Some(RequestContext::CatchUp);
        let limits = self.context.session.limits();
        if let Event::OnRoomChanged { was, room, .. } = &event {
            let target = |name: &str| Target::Room(name.to_owned());
            self.rename(&target(was), &target(&room.roomname));
        }
        if let Event::OnUserRenamed { was, username } = &event {
            let target = |name: &str| Target::Friend(name.to_owned());
            self.rename(&target(was), &target(username));
            if self.context.session.me() == Some(was) {
                self.rename_me(was, username);
            }
        }
        for (was, name) in self.context.session.renamed_in(&event) {
            self.rename(&Target::Room(was), &Target::Room(name));
        }
        let updates = self.context.session.apply(event, asked);
        if self.context.session.limits() != limits {
            self.heed_limits();
        }
        if updates.contains(&Update::HistoryReplaced) {
            self.forget_history();
        }
        for update in updates {
            // Messages that were missed are not announced one by one: the prompt counts them.
            if !missed || self.shows(&update) {
                self.tell(&update);
            }
        }
        self.drop_void_questions();
    }

    /// Keeps the secret by which the server knows this device. It gives bots none.
    fn keep_device(&mut self, device: Option<&DeviceSecret>) {
        let device = device.filter(|device| !device.is_none()).cloned();
        let user = self.context.session.me().map(str::to_owned);
        if let (Some(user), Some(device)) = (user, device) {
            self.output.push(Effect::KeepDevice { user, device });
        }
    }

    /// A room or a friend has another name: the chat, unsent lines and questions stay.
    fn rename(&mut self, was: &Target, now: &Target) {
        let Some(me) = self.context.session.me().filter(|_| was != now) else {
            return;
        };
        let me = me.to_owned();
        if self.context.outgoing.rename(&me, was, now) {
            self.save(me);
        }
        self.sending.rename(was, now);
        self.questions.rename(was, now);
        self.mode.on_rename(was, now);
    }

    /// The user has another name: unsent lines are kept under it, and the next login is under it.
    fn rename_me(&mut self, was: &str, name: &str) {
        self.login.rename(name);
        if self.context.outgoing.rename_user(was, name) {
            self.save(was.to_owned());
            self.save(name.to_owned());
        }
    }

    /// Whether an update follows from a request of this session whose answer tells the same.
    fn is_told_by_answer(&self, update: &Update) -> bool {
        let Update::Room(news) = update else {
            return false;
        };
        let asked: &[RequestKind] = match news {
            RoomNews::Changed { .. } => &[RequestKind::SetRoom],
            RoomNews::Closed { .. } => &[RequestKind::CloseRoom],
            RoomNews::Removed { .. } => &[RequestKind::Kick, RequestKind::Ban],
            RoomNews::Role { .. } => &[RequestKind::SetRole],
            RoomNews::Invitation(_) | RoomNews::Renamed { .. } => &[],
        };
        news.by() == self.context.session.me()
            && asked.iter().any(|kind| self.requests.has_kind(*kind))
    }

    /// The room of the open chat is gone.
    fn leave_lost_room(&mut self, update: &Update) {
        let Update::Room(news) = update else {
            return;
        };
        let room = Target::Room(news.room().to_owned());
        if self.mode.target() == Some(&room) && !self.context.session.has(&room) {
            self.go(Goto::Contact);
        }
    }

    /// Closes the questions about conversations that are gone. A room that is left needs no sentence
    /// about leaving it.
    fn drop_void_questions(&mut self) {
        let session = &self.context.session;
        let void = self.questions.take_void(|target| session.has(target));
        self.close(void);
    }

    fn close(&mut self, void: Void) {
        for question in void.questions {
            if !matches!(question, Question::Confirm(_)) {
                self.not_sent(question);
            }
        }
        if void.has_newest {
            self.ask_newest();
        }
    }

    /// Whether it is more than a message of another chat's.
    fn shows(&self, update: &Update) -> bool {
        match update {
            Update::Message(target, said) => said.mine || self.mode.target() == Some(target),
            _ => true,
        }
    }

    /// What was asked by ids of the old history is void.
    fn forget_history(&mut self) {
        if let Some(text) = self.draft.end_edit() {
            self.say_not_edited(&text);
        }
        let void = self.questions.take_about_messages();
        self.close(void);
        let me = self.context.session.me().map(str::to_owned);
        if let Some(me) = me.filter(|me| self.context.outgoing.forget_replies(me)) {
            self.save(me);
        }
        let dropped = self.requests.drop_pages();
        let commands: Vec<String> = dropped.iter().map(command_of).collect();
        if !commands.is_empty() {
            let commands = &self.named(&commands);
            self.fail(Text::Dropped { commands });
        }
    }

    /// Questions of another user are not for this one.
    fn greet(&mut self, name: &str) {
        if !self.login.accepted(name, self.context.session.me()) {
            self.put_questions_aside();
        }
    }

    fn tell(&mut self, update: &Update) {
        if !self.is_told_by_answer(update) {
            let acts = self.mode.on_update(update, &self.context);
            self.act(acts);
        }
        self.leave_lost_room(update);
        match update {
            Update::NewRoom(room) if self.context.settings.interactive => {
                let (request, asked) = RequestContext::introduce(room, true);
                self.ask(request, asked);
            }
            Update::Answer(RequestContext::Introduce { .. }, _) => {}
            Update::Message(target, said) => self.ring(target, said),
            Update::Answer(RequestContext::Login, Ok(event)) => {
                self.logged_in();
                let must_change = |event: &Event| {
                    matches!(
                        event,
                        Event::LoginBundle {
                            must_change_password: Some(true),
                            ..
                        }
                    )
                };
                if must_change(event) && self.context.settings.interactive {
                    self.say(Text::MustChangePassword);
                }
            }
            Update::Answer(RequestContext::Other(RequestKind::ChangePassword), outcome) => {
                self.login.change(outcome.is_ok());
                if outcome.is_err() {
                    self.verdict.note(WorstOutcome::Refused);
                }
            }
            Update::Answer(RequestContext::Login, Err(_)) => self.log_in_refused(),
            Update::Answer(RequestContext::Send, outcome) => {
                self.sent(outcome.as_ref().map(|_| ()));
            }
            Update::Answer(RequestContext::CatchUp, Ok(_)) => {
                self.catch_up();
                if let Some(target) = self.mode.target().cloned() {
                    self.mark_read(&target);
                }
            }
            // More was shown since, even if its chat is left again.
            Update::Answer(RequestContext::MarkRead(target), Ok(_)) if self.is_read(target) => {
                self.mark_read(target);
            }
            Update::Answer(_, Err(_)) => self.verdict.note(WorstOutcome::Refused),
            _ => {}
        }
        self.open_joined(update);
    }

    fn is_read(&self, target: &Target) -> bool {
        let conversation = self.context.session.conversation(target);
        conversation.is_none_or(|found| found.unread() == 0)
    }

    /// Asks the server, and says that the request waits if the prompt says that there is no connection.
    pub(super) fn ask_aloud(&mut self, request: Request, asked: RequestContext) {
        let command = command_of(&asked);
        let before = self.requests.queued();
        self.ask(request, asked);
        let is_queued =
            !command.is_empty() && self.requests.queued() > before && self.says_offline();
        if is_queued && self.context.settings.interactive {
            self.say(Text::WaitsForConnection { command: &command });
        }
    }

    /// Says which commands got no answer before the connection was lost.
    pub(super) fn say_unanswered(&mut self, commands: &[String]) {
        if commands.is_empty() {
            return;
        }
        let commands = self.named(commands);
        self.fail(Text::Unanswered {
            commands: &commands,
        });
    }

    /// Drops the queued requests, and says which commands they were.
    pub(super) fn drop_waiting(&mut self) {
        let queued = self.requests.take_queued();
        let asked = queued.into_iter().map(|(_, asked)| asked);
        let awaited = asked.filter(RequestContext::is_awaited);
        let (queries, changes): (Vec<_>, Vec<_>) = awaited.partition(RequestContext::is_query);
        let name = |asked: &Vec<RequestContext>| {
            let commands: Vec<String> = asked.iter().map(command_of).collect();
            (!commands.is_empty()).then(|| self.named(&commands))
        };
        let (queries, changes) = (name(&queries), name(&changes));
        if let Some(commands) = &changes {
            self.fail(Text::Dropped { commands });
        }
        if let Some(commands) = &queries {
            self.fail(Text::NotRun { commands });
        }
    }

    /// Commands as a sentence names them.
    fn named(&self, commands: &[String]) -> String {
        let comma = self.context.language.say(Text::Comma);
        let commands: Vec<String> = commands.iter().map(|line| format!("`{line}`")).collect();
        commands.join(&comma)
    }

    /// The login with a password that was given at the start is refused: what is typed next is that
    /// password. In other modes a line may be under edition that is none.
    pub(super) fn ask_password_again(&mut self) {
        let is_start = self.login.is_first() && self.mode.scope() == Some(Scope::Contact);
        let name = self.login.name().map(str::to_owned);
        if let Some(name) = name.filter(|_| is_start && self.context.settings.interactive) {
            self.go(Goto::Login(Some(name.clone())));
            self.say(Text::PasswordAgainOf { name: &name });
        }
    }

    /// Asks for an alert where a message is meant for the reader. How often that may ring depends on
    /// the time, which is not known here to the millisecond.
    fn ring(&mut self, target: &Target, said: &Said) {
        let is_for_me = !target.is_room() || self.context.is_for_me(said);
        let is_folded = self.context.session.folds(target, &said.sender);
        if said.mine || !is_for_me || is_folded || !self.context.settings.interactive {
            return;
        }
        let config = &self.context.settings.config;
        let notifies = config.notify != Notify::Off;
        let first = said.content.lines().next().unwrap_or_default();
        let note = || {
            let [title, body] = [&said.sender, first].map(Safe::line);
            (title.as_str().to_owned(), body.as_str().to_owned())
        };
        if config.bell || notifies {
            let alert = Alert {
                conversation: target.clone(),
                rings: config.bell,
                note: notifies.then(note),
            };
            self.output.push(Effect::Alert(alert));
        }
    }
}
