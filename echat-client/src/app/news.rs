//! What the server says: applied to what is known, told by the mode, rung for.

use echat_proto::commands::{Event, Request};
use echat_proto::config::Notify;

use super::input::Verdict;
use super::question::Question;
use super::{Alert, App, Effect};
use crate::modes::{Goto, command_of, mentions};
use crate::render::safe::Safe;
use crate::session::{Asked, News, Said};
use crate::statement::Scope;
use crate::target::Target;
use crate::text::Text;

impl App {
    pub(super) fn event(&mut self, event: Event) {
        let asked = self.owed.answered(&event);
        if let Some(asked) = &asked {
            self.answered(asked);
        }
        if matches!(event, Event::ServerKick {}) {
            self.kick();
        }
        if asked == Some(Asked::Login) {
            self.keep_secret(&event);
            if event.refusal().is_some() && self.secret_refused() {
                return;
            }
        }
        self.note_login(&event);
        if let Event::LoginSuccess { username } = &event {
            self.greet(username);
        }
        let missed = asked == Some(Asked::CatchUp);
        let limits = self.world.session.limits();
        let news = self.world.session.apply(event, asked);
        if self.world.session.limits() != limits {
            self.heed_limits();
        }
        if news.contains(&News::HistoryReplaced) {
            self.forget_history();
        }
        for news in news {
            // A night's messages are not told one by one: the prompt counts them.
            if !missed || self.shows(&news) {
                self.tell(&news);
            }
        }
        self.drop_void_questions();
    }

    /// Closes the questions about conversations that are gone. A room that is left needs no sentence
    /// about leaving it.
    fn drop_void_questions(&mut self) {
        let session = &self.world.session;
        let void = self.questions.take_void(|target| session.has(target));
        for question in void.questions {
            if !matches!(question, Question::Leave(_)) {
                self.not_sent(question);
            }
        }
        if void.has_newest {
            self.ask_newest();
        }
    }

    /// Whether it is more than a message of another chat's.
    fn shows(&self, news: &News) -> bool {
        match news {
            News::Message(target, said) => said.mine || self.mode.target() == Some(target),
            _ => true,
        }
    }

    /// What was asked by ids of the old history is void.
    fn forget_history(&mut self) {
        let pages = |request: &Request| matches!(request, Request::QueryHistory { .. });
        self.waiting.retain(|request| !pages(request));
    }

    /// Questions of another user are not for this one.
    fn greet(&mut self, name: &str) {
        self.same_user = self.world.session.me() == Some(name);
        if !self.same_user {
            self.put_questions_aside();
        }
    }

    fn tell(&mut self, news: &News) {
        let acts = self.mode.on_news(news, &self.world);
        self.act(acts);
        match news {
            News::Message(target, said) => self.ring(target, said),
            News::Answer(Asked::Login, Ok(_)) => self.logged_in(),
            News::Answer(Asked::Login, Err(_)) => self.log_in_refused(),
            News::Answer(Asked::Send, outcome) => self.sent(outcome.as_ref().map(|_| ())),
            News::Answer(Asked::CatchUp, Ok(_)) => {
                self.catch_up();
                if let Some(target) = self.mode.target().cloned() {
                    self.mark_read(&target);
                }
            }
            // More was shown since, even if its chat is left again.
            News::Answer(Asked::MarkRead(target), Ok(_)) if self.is_read(target) => {
                self.mark_read(target);
            }
            News::Answer(_, Err(_)) => self.verdict.note(Verdict::Refused),
            _ => {}
        }
    }

    fn is_read(&self, target: &Target) -> bool {
        let conversation = self.world.session.conversation(target);
        conversation.is_none_or(|found| found.unread() == 0)
    }

    /// Asks the server, and says that the request waits if the prompt says that there is no connection.
    pub(super) fn ask_aloud(&mut self, request: Request) {
        let command = command_of(&Asked::of(&request));
        let waiting = self.waiting.len();
        self.ask(request);
        let waits = self.waiting.len() > waiting && self.says_offline();
        if waits && self.world.settings.interactive {
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

    /// Drops the requests that wait for the connection or the login, and says which commands they were.
    pub(super) fn drop_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let awaited = waiting.iter().map(Asked::of).filter(Asked::is_awaited);
        let commands: Vec<String> = awaited.map(|asked| command_of(&asked)).collect();
        if !commands.is_empty() {
            let commands = self.named(&commands);
            self.fail(Text::Dropped {
                commands: &commands,
            });
        }
    }

    /// Commands as a sentence names them.
    fn named(&self, commands: &[String]) -> String {
        let comma = self.world.language.say(Text::Comma);
        let commands: Vec<String> = commands.iter().map(|line| format!("`{line}`")).collect();
        commands.join(&comma)
    }

    /// The login with a password that was given at the start is refused: what is typed next is that
    /// password. In other modes a line may be under edition that is none.
    pub(super) fn ask_password_again(&mut self) {
        let is_start = self.known.is_none() && self.mode.scope() == Some(Scope::Contact);
        let name = self.credentials.as_ref().map(|user| user.name.clone());
        if let Some(name) = name.filter(|_| is_start && self.world.settings.interactive) {
            self.go(Goto::Login(Some(name.clone())));
            self.say(Text::PasswordAgainOf { name: &name });
        }
    }

    /// Asks for an alert where a message is meant for the reader. How often that may ring depends on
    /// the time, which is not known here to the millisecond.
    fn ring(&mut self, target: &Target, said: &Said) {
        let is_for_me = !target.is_room()
            || self
                .world
                .session
                .me()
                .is_some_and(|me| mentions(&said.content, me));
        if said.mine || !is_for_me || !self.world.settings.interactive {
            return;
        }
        let config = &self.world.settings.config;
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
            self.effects.push(Effect::Alert(alert));
        }
    }
}
