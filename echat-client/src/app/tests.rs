//! Transcripts: what is typed and what the server says, and what is printed, asked and done.

use std::collections::BTreeMap;

use echat_proto::commands::{Event, RequestKind};
use echat_proto::names::{ResumeSecret, TxnId};
use echat_proto::param::{Mark, Nullable, TargetType};
use echat_proto::records::{ChatMessage, Fail, Outcome, RoomInfo, Unread};
use echat_proto::value::Value;
use echat_testkit::login_bundle::LoginBundle;

use super::*;
use crate::line_editor::Key;

mod account;
mod accounts;
mod administration;
mod anything;
mod bounds;
mod completing;
mod connection;
mod days;
mod drafts;
mod erased;
mod export;
mod forged;
mod leaving;
mod limits;
mod messages;
mod missed;
mod modes;
mod pasted;
mod pending;
mod people;
mod pipe;
mod questions;
mod recalled;
mod refusals;
mod renamed;
mod replaced;
mod room_identities;
mod rooms;
mod secrets;
mod sessions;
mod silence;
mod unread;
mod waiting;

/// An application, and a server that answers only what it is told to.
struct Stage {
    app: App,
    effects: Vec<Effect>,
    /// When the server's rooms were created that are not as [`info`] says; `None` for a room that the user cannot find.
    created: BTreeMap<String, Option<u64>>,
    /// The rooms that the server was asked to identify.
    identified: Vec<String>,
    /// What the server says of the user, if it is asked whether the user is away.
    away: Option<String>,
}

fn stage(language: Language) -> Stage {
    let mut stage = Stage::of(App::new(Settings::new("t"), language));
    stage.happens(Input::Tick { now: 1_700_000_000 });
    stage.happens(Input::Start);
    stage
}

/// A logged-in user in contact mode, without pending requests.
fn ann(language: Language) -> Stage {
    let mut stage = stage(language);
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected);
    stage.welcome("ann", vec![]);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    stage.effects.clear();
    stage
}

impl Stage {
    fn of(app: App) -> Self {
        Self {
            app,
            effects: Vec::new(),
            created: BTreeMap::new(),
            identified: Vec::new(),
            away: None,
        }
    }

    fn happens(&mut self, input: Input) -> &mut Self {
        let effects = self.app.step(input);
        self.takes(effects);
        self.identifies();
        self
    }

    /// The server says at once which room a name stands for, and whether the user is away.
    fn identifies(&mut self) {
        loop {
            let event = match self.app.upstream.requests().oldest() {
                Some(RequestContext::Identify { room }) => {
                    self.identified.push(room.clone());
                    match self.created.get(room) {
                        Some(None) => Event::Refused {
                            fail: fail("unknown_room", &[]),
                        },
                        created => Event::Room {
                            room: RoomInfo {
                                created: created.copied().flatten().unwrap_or(info(room).created),
                                ..info(room)
                            },
                        },
                    }
                }
                Some(RequestContext::OwnAway) => Event::User {
                    username: "ann".to_owned(),
                    online: true,
                    away: self.away.clone(),
                    last_seen: None,
                    friend: false,
                    bot: false,
                    owner: None,
                    rooms: Vec::new(),
                },
                _ => return,
            };
            let effects = self.app.step(Input::Event(event));
            self.takes(effects);
        }
    }

    /// Notes what happens, but for what echat asks of a room that is opened, and whether the user is away.
    fn takes(&mut self, effects: Vec<Effect>) {
        let requests = self.app.upstream.requests();
        let is_asked_away = requests.has(&RequestContext::OwnAway);
        let newest = requests.newest();
        let asked = matches!(
            newest,
            Some(
                RequestContext::Introduce { .. }
                    | RequestContext::Identify { .. }
                    | RequestContext::OwnAway
            )
        );
        let asks = |effect: &Effect| {
            let number = RequestKind::RoomInfo.info().number;
            let whois = RequestKind::Whois.info().number;
            matches!(effect, Effect::Send(message)
                if (asked && message.command == number) || (is_asked_away && message.command == whois))
        };
        let told = effects.into_iter().filter(|effect| !asks(effect));
        self.effects.extend(told);
    }

    /// The server says what is set for a room that was opened before it says anything else.
    fn says(&mut self, event: Event) -> &mut Self {
        while !matches!(event, Event::Room { .. })
            && let Some(RequestContext::Introduce { room, .. }) =
                self.app.upstream.requests().oldest()
        {
            // Of a room of one's own nothing is told.
            let owner = "ann".to_owned();
            let room = RoomInfo {
                owner,
                created: self
                    .created
                    .get(room)
                    .copied()
                    .flatten()
                    .unwrap_or(info(room).created),
                ..info(room)
            };
            self.happens(Input::Event(Event::Room { room }));
        }
        self.happens(Input::Event(event))
    }

    /// A line typed by a person who looks at what it does.
    fn types(&mut self, line: &str) -> &mut Self {
        self.app.typed(line);
        let effects = self.app.finish(true);
        self.takes(effects);
        self.looks()
    }

    /// The terminal shows everything, and nothing was typed before that.
    fn looks(&mut self) -> &mut Self {
        self.happens(Input::Shown)
    }

    /// Keys; `\n` is Enter and `\t` is Tab.
    fn presses(&mut self, keys: &str) -> &mut Self {
        for c in keys.chars() {
            let key = match c {
                '\n' => Key::Enter,
                '\t' => Key::Tab,
                c => Key::Char(c),
            };
            self.happens(Input::Key(key));
        }
        self
    }

    /// Lines are pasted.
    fn pastes_lines(&mut self, lines: Vec<String>) {
        let App {
            composer,
            common,
            mode,
            ..
        } = &mut self.app;
        composer.ask_about_paste(common, &**mode, lines);
    }

    fn line(&self) -> &str {
        self.app.editor().text()
    }

    /// A login that holds and gives this secret.
    fn given(&mut self, name: &str, secret: Option<&str>) -> &mut Self {
        self.says(Event::LoginSuccess {
            username: name.to_owned(),
        });
        self.says(
            LoginBundle {
                resume: secret.map(|secret| ResumeSecret::presented(secret).unwrap()),
                ..LoginBundle::default()
            }
            .into(),
        )
    }

    fn welcome(&mut self, name: &str, messages: Vec<ChatMessage>) -> &mut Self {
        let unread = messages.iter().rev().take(1).map(|message| Unread {
            target_type: message.target_type,
            target: message.target.clone(),
            count: 1,
            read_id: message.id - 1,
            mentions: None,
        });
        let unread = unread.collect();
        self.says(Event::LoginSuccess {
            username: name.to_owned(),
        });
        self.says(
            LoginBundle {
                chat_rooms: vec!["room1".to_owned()],
                friends: vec!["bob".to_owned()],
                online: vec!["bob".to_owned()],
                messages,
                unread,
                ..LoginBundle::default()
            }
            .into(),
        )
    }

    /// What was printed since the last look, one string a line.
    fn printed(&mut self) -> Vec<String> {
        let mut printed = Vec::new();
        self.effects.retain(|effect| match effect {
            Effect::Print(lines) => {
                printed.extend(lines.iter().map(text));
                false
            }
            _ => true,
        });
        printed
    }

    /// What was sent since the last look.
    fn sent(&mut self) -> Vec<RequestKind> {
        let mut sent = Vec::new();
        self.effects.retain(|effect| match effect {
            Effect::Send(message) | Effect::LogIn { login: message, .. } => {
                sent.extend(RequestKind::from_number(message.command));
                false
            }
            _ => true,
        });
        sent
    }

    fn failures(&self) -> u32 {
        self.app.upstream.connection().failures()
    }

    /// Seconds pass, counted from the start, and what is due is done.
    fn passes(&mut self, at: u64) -> &mut Self {
        let at = Duration::from_secs(at);
        self.happens(Input::Elapsed { at }).happens(Input::Due)
    }

    fn has(&self, effect: &Effect) -> bool {
        self.effects.contains(effect)
    }

    fn alerts(&self) -> Vec<Alert> {
        let alert = |effect: &Effect| match effect {
            Effect::Alert(alert) => Some(alert.clone()),
            _ => None,
        };
        self.effects.iter().filter_map(alert).collect()
    }

    /// The unsent texts.
    fn contents(&mut self) -> Vec<String> {
        let lines = self.app.common.context.outgoing.to_lines("ann");
        let content = |line: &str| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            value["content"].as_str().unwrap().to_owned()
        };
        lines.lines().map(content).collect()
    }

    fn prompt(&self) -> String {
        text(&self.app.prompt())
    }
}

/// A public room without a topic.
fn info(name: &str) -> RoomInfo {
    RoomInfo {
        roomname: name.to_owned(),
        topic: String::new(),
        owner: "bob".to_owned(),
        operators: Vec::new(),
        private: false,
        read_only: false,
        slow_seconds: 0,
        keep_days: None,
        members: 2,
        created: 1_700_000_000,
        role: None,
    }
}

fn unreachable() -> Input {
    Input::ConnectFailed {
        address: "chat:1".to_owned(),
        why: "no route".to_owned(),
    }
}

fn text(line: &Line) -> String {
    line.0.iter().map(|span| span.text.as_str()).collect()
}

fn in_room(id: u64, sender: &str, content: &str) -> ChatMessage {
    ChatMessage {
        id,
        username: "ann".to_owned(),
        sender: sender.to_owned(),
        send_time: 1_700_000_000 + id,
        target: "room1".to_owned(),
        target_type: TargetType::Room,
        sent: false,
        content: content.to_owned(),
        deleted: None,
        bot: Mark::default(),
        reply_to: None,
        edited: None,
        mentions: None,
        reactions: None,
    }
}

/// The same message, which mentions the reader.
fn mentioning(message: ChatMessage) -> ChatMessage {
    let mentions = Some(vec!["ann".to_owned()]);
    ChatMessage {
        mentions,
        ..message
    }
}

fn live(message: ChatMessage, txn_id: Option<&str>) -> Event {
    Event::OnNewMessage {
        id: message.id,
        content: message.content,
        sender: message.sender,
        target_type: message.target_type,
        send_time: message.send_time,
        target: message.target,
        txn_id: txn_id.map(|id| Nullable(Some(TxnId::new(id).unwrap()))),
        deleted: None,
        bot: message.bot,
        reply_to: None,
        edited: None,
        mentions: message.mentions,
    }
}

fn fail(code: &str, detail: &[(&str, u64)]) -> Fail {
    Fail {
        code: code.to_owned(),
        message: String::new(),
        detail: detail
            .iter()
            .map(|(key, n)| ((*key).to_owned(), Value::Int(*n)))
            .collect(),
    }
}

/// The connection is lost and comes back with these messages of room1.
fn reconnect(stage: &mut Stage, messages: Vec<ChatMessage>) {
    stage.happens(Input::Closed(None));
    stage.happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    let bundle = LoginBundle {
        chat_rooms: vec!["room1".to_owned()],
        friends: vec!["bob".to_owned()],
        messages,
        ..LoginBundle::default()
    };
    stage.says(bundle.into());
    stage.says(Event::History {
        messages: vec![],
        more: false,
        newer: None,
    });
    stage.effects.clear();
}

/// What WHOIS says of a user that exists and has nothing in common with this one.
fn stranger(name: &str) -> Event {
    Event::User {
        username: name.to_owned(),
        online: false,
        away: None,
        last_seen: None,
        friend: false,
        bot: false,
        owner: None,
        rooms: vec![],
    }
}
