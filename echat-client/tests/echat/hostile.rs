//! A server, and users of it, that try to control the client's terminal. The real
//! client hears them in every place that shows something, with title, bell and notifications on;
//! nothing changes but the message area, and nothing is asked of the terminal but what the client
//! asks for itself.

use echat_client::clock::Clock;
use echat_proto::channel::Incoming;
use echat_proto::value::Value;
use echat_testkit::campaign;
use echat_testkit::hostile_texts::texts;
use echat_testkit::scene::{SECRET, Scene};
use echat_testkit::server_end::End;
use echat_testkit::terminal::emulator::Emulator;
use echat_testkit::terminal::person::{Person, SETSID};
use echat_testkit::wire::message;
use serde_json::json;

use crate::server_folder::ECHAT;

/// Everything that asks something of the terminal is on.
const SETTINGS: &str = r#"{"client": {"title": true, "notify": "osc777", "bell": true}}"#;
/// Enough rows for all that comes at once.
const SIZE: (u16, u16) = (100, 600);
/// How the half-typed line begins; a number follows, so that an old one is known.
const HALF: &str = "half a line 你好";
/// How many times at a time each thing happens that can happen to a client.
const ROUNDS: usize = 12;
/// How many waves one client has to stand, among friends who become more and more.
const WAVES: usize = 40;

struct Attack<T: Iterator<Item = String>> {
    texts: T,
    used: usize,
    end: End,
    ann: Person,
    id: u64,
    unread: u64,
    /// What stands in the line.
    half: String,
}

/// What must not change: the rows above the prompt and its notice, with their styles.
fn above(screen: &Emulator) -> Vec<String> {
    let prompt = screen.place().0;
    let row = prompt - notices(screen, prompt);
    let rows = screen.screen().rows_formatted(0, SIZE.0);
    rows.take(row).collect()
}

/// The rows directly above the prompt that count the messages of the friend.
fn notices(screen: &Emulator, prompt: usize) -> usize {
    let row = screen.row(prompt - 1);
    let is_notice = row.starts_with("bob: ") && row.ends_with(" new messages");
    usize::from(is_notice)
}

impl<T: Iterator<Item = String>> Attack<T> {
    fn text(&mut self) -> String {
        self.used += 1;
        self.texts.next().expect("they have no end")
    }

    /// A name that no user had before: a friend is not asked about twice.
    fn name(&mut self) -> String {
        format!("{}{}", self.text(), self.used)
    }

    fn message(&mut self, kind: u8, sender: &str, target: &str, content: &str) -> String {
        self.id += 1;
        let message = json!({
            "id": self.id, "content": content, "sender": sender, "target_type": kind,
            "send_time": 1_795_355_498, "target": target,
        });
        format!("ON_NEW_MESSAGE {message}")
    }

    /// The message that came last is edited, reacted to and answered, and the answer is deleted.
    fn changes(&mut self, sender: &str, by: &str) -> Vec<String> {
        let [text, emoji, answer] = [(); 3].map(|()| self.text());
        let id = self.id;
        let changed = |id: u64, content: &str, rest: serde_json::Value| {
            let mut event = json!({
                "id": id, "content": content, "sender": sender, "target_type": 1,
                "send_time": 1_795_355_498, "target": "room1", "by": by,
            });
            let rest = rest.as_object().unwrap().clone();
            event.as_object_mut().unwrap().extend(rest);
            format!("ON_MESSAGE_CHANGED {event}")
        };
        let reactions = json!([{"emoji": emoji, "count": 3}]);
        self.id += 1;
        let reply = json!({
            "id": self.id, "content": answer, "sender": by, "target_type": 1, "reply_to": id,
            "send_time": 1_795_355_498, "target": "room1",
        });
        vec![
            changed(id, &text, json!({"edited": 1_795_355_499})),
            changed(
                id,
                &text,
                json!({"reactions": reactions, "reacted": {"emoji": emoji, "on": true}}),
            ),
            format!("ON_NEW_MESSAGE {reply}"),
            changed(self.id, "", json!({"deleted": true})),
        ]
    }

    /// Everything that can be heard without having asked, a few times.
    fn news(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..ROUNDS {
            let [name, room, member] = [(); 3].map(|()| self.name());
            let text = self.text();
            lines.push(self.message(1, &name, "room1", &text));
            lines.extend(self.changes(&name, &member));
            lines.push(self.message(1, &name, &room, &text));
            lines.push(self.message(0, &name, "bob", &text));
            self.unread += 1;
            for (command, params) in [
                ("LEFT_ROOM", json!(room)),
                ("ON_NEW_ROOM", json!(room)),
                ("LEFT_ROOM", json!(room)),
                (
                    "ON_MEMBER_ONLINE",
                    json!({"roomname": "room1", "membername": member}),
                ),
                (
                    "ON_MEMBER_OFFLINE",
                    json!({"roomname": room, "membername": member}),
                ),
            ] {
                lines.push(format!("{command} {params}"));
            }
        }
        let name = json!(self.name());
        for command in [
            "INCOMMING_FRIEND_REQUEST",
            "NEW_CONTACT",
            "ON_FRIEND_ONLINE",
        ] {
            lines.push(format!("{command} {name}"));
        }
        lines
    }

    /// An answer to LIST_MEMBERS: names, or a refusal with an unknown code.
    fn answer(&mut self) -> String {
        let [one, other] = [(); 2].map(|()| self.text());
        if self.used % 4 < 2 {
            let row = |name: &str| json!({"username": name, "online": true, "owner": true});
            return format!("MEMBERS {}", json!([row(&one), row(&other)]));
        }
        format!("REFUSED {}", json!({"code": one, "message": other}))
    }

    /// Waits until the client has heard everything, and answers what it asks by itself.
    fn settle(&mut self) {
        let room_info = message("ROOM_INFO \"room1\"").command;
        let mut asked = true;
        while std::mem::take(&mut asked) {
            self.end.says(&["PING"]);
            loop {
                let ann = &mut self.ann;
                let heard = self.end.hears_while(|stream| ann.reads_until_ready(stream));
                match heard.expect("it stays") {
                    Incoming::Pong => break,
                    Incoming::Message(asks) if asks.command == room_info => {
                        let Value::Str(room) = asks.params else {
                            panic!("{asks:?}")
                        };
                        let topic = self.text();
                        self.end.says(&[&settings(&room, &topic)]);
                        asked = true;
                    }
                    Incoming::Message(marks) => {
                        let marked = json!({"target_type": 1, "target": "room1", "id": self.id});
                        assert_eq!(marks.command, message("MARK_READ").command);
                        self.end.says(&[&format!("MARKED {marked}")]);
                        asked = true;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    fn prompt(&self) -> String {
        match self.unread {
            0 => "room1> ".to_owned(),
            unread => format!("room1 [{unread}]> "),
        }
    }

    /// The prompt with the half line stands whole at the bottom, the cursor at its end.
    fn sees_prompt(&mut self, above: &str) {
        let whole = format!("{}{}", self.prompt(), self.half);
        // Two columns for each of the two wide characters.
        let columns = whole.chars().count() + 2;
        self.ann.sees_that(&format!("{above}, {whole}"), |screen| {
            let (row, col) = screen.place();
            let is_there = row > 0 && screen.row(row) == whole && col == columns;
            // The rest is looked at only then: it is many rows.
            is_there
                && screen.row(row - 1 - notices(screen, row)).ends_with(above)
                && screen.rows()[row + 1..].iter().all(String::is_empty)
        });
    }

    /// One wave: a mark, the news and another mark. Nothing above the first has changed.
    fn wave(&mut self, number: usize) {
        let before = above(self.ann.emulator());
        let modes = modes(self.ann.emulator());
        let (begin, end) = (format!("begin {number}."), format!("end {number}."));
        let mut lines = vec![self.message(1, "bob", "room1", &begin)];
        lines.extend(self.news());
        lines.push(self.message(1, "bob", "room1", &end));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        self.end.says(&lines);
        self.settle();
        self.sees_prompt(&format!("bob: {end}"));
        let screen = self.ann.emulator();
        let rows = screen.rows();
        let begins = |row: &String| row.ends_with(&format!("bob: {begin}"));
        let at = rows.iter().position(begins).expect("it is on the screen");
        let kept = &before[before.len() - at..];
        assert_eq!(&above(screen)[..at], kept, "wave {number}: {lines:#?}");
        assert_eq!(self::modes(screen), modes, "wave {number}: {lines:#?}");
        // A text cannot begin a line that passes for a message of another user.
        let forged = |row: u16| {
            let starts = rows[usize::from(row)].starts_with("[2026-11-22 12:00:00] ann: ");
            starts && !screen.screen().row_wrapped(row - 1)
        };
        assert!(!(1..SIZE.1).any(forged), "wave {number}: {rows:#?}");
        self.asked_for_its_own();
    }

    /// The client is asked something and asks the server; completes a name; is asked for
    /// friendship, in the prompt.
    fn questions(&mut self) {
        let before = above(self.ann.emulator());
        // To the start of the line, the rest put aside: the names that Tab finds are hostile.
        self.ann.types("\x01\x0b\t\t");
        let name = self.name();
        self.end
            .says(&[&format!("INCOMMING_FRIEND_REQUEST {}", json!(name))]);
        self.settle();
        self.ann.types("\x15/members\r");
        let asked = message("LIST_MEMBERS {\"roomname\":\"room1\"}");
        assert_eq!(self.end.hears(), Some(Incoming::Message(asked)));
        let answer = self.answer();
        self.end
            .says(&[&answer, &format!("NEW_CONTACT {}", json!(name))]);
        self.settle();
        self.half = format!("{HALF} {}", self.used);
        self.ann.types(&self.half);
        self.sees_prompt("");
        let screen = self.ann.emulator();
        let now = above(screen);
        let kept = before.len().min(20);
        let same = now
            .windows(kept)
            .any(|rows| rows == &before[before.len() - kept..]);
        assert!(same, "{name:?} {answer:?} {:#?}", screen.rows());
        self.asked_for_its_own();
    }

    /// Bells, this client's titles and questions, and notifications of as many fields as they have.
    fn asked_for_its_own(&mut self) {
        for asked in self.ann.emulator().take_requests() {
            // Where the cursor is, and which device it is.
            let own = asked == "bell"
                || ["csi [[6]] n", "csi [[0]] c"].contains(&asked.as_str())
                || asked.starts_with("title echat ")
                || (asked.starts_with("osc [\"9\", ")
                    || asked.starts_with("osc [\"777\", \"notify\", "));
            assert!(own && !asked.contains("\\u{1b}"), "{asked:?}");
        }
    }
}

/// The same without the title, which says how much is unread.
fn modes(screen: &Emulator) -> String {
    let modes = screen.modes();
    modes.split(" title ").next().unwrap().to_owned()
}

/// A user logged in with a room open and half a line typed.
fn meets<T: Iterator<Item = String>>(scene: &Scene, texts: T, used: usize) -> Attack<T> {
    let password = scene.write("password", SECRET);
    let mut command = scene.command(SETSID);
    command.env("TERM", "xterm").env("LANG", "C.UTF-8");
    command.current_dir(scene.path(""));
    let link = scene.link();
    let arguments = [
        "--user",
        "ann",
        "--password-file",
        &password,
        "--utc",
        &link,
    ];
    let ann = Person::starts_on(SIZE, command, ECHAT, &arguments);
    let mut end = scene.server.accept();
    end.hears().expect("LOGIN");
    end.says(&[
        "LOGIN_SUCCESS \"ann\"",
        r#"LOGIN_BUNDLE {"chat_rooms":["room1"],"friends":["bob"],"online":[],
            "pending_requests":[],"messages":[],"unread":[],"more":[]}"#,
    ]);
    end.says_that_the_user_is_back("ann");
    let mut attack = Attack {
        texts,
        used,
        end,
        ann,
        id: 0,
        unread: 0,
        half: HALF.to_owned(),
    };
    attack.ann.sees("Logged in as ann.");
    attack.ann.types(&format!("&r room1\r{HALF}"));
    let asked = message("ROOM_INFO \"room1\"");
    assert_eq!(attack.end.hears(), Some(Incoming::Message(asked)));
    let topic = format!("{} topic.", attack.text());
    attack.end.says(&[&settings("room1", &topic)]);
    attack.sees_prompt("topic.");
    attack.ann.emulator().take_requests();
    attack
}

/// What is set for a room.
fn settings(room: &str, topic: &str) -> String {
    let info = json!({
        "roomname": room, "topic": topic, "owner": "bob", "operators": [], "private": false,
        "read_only": false, "slow_seconds": 0, "members": 2, "created": 1_795_355_498,
    });
    format!("ROOM {info}")
}

/// Whether a character changes the writing direction of others (UAX 9), of which the emulator knows nothing.
fn turns_text_around(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn no_received_text_controls_the_terminal() {
    let scene = Scene::new();
    scene.write("config.json", SETTINGS);
    let count = campaign::count("ECHAT_HOSTILE", 10_000);
    let clock = Clock::start();
    let (mut texts, mut used, mut waves) = (texts(), 0, 0);
    while used < count {
        let mut attack = meets(&scene, &mut texts, used);
        for _ in 0..WAVES {
            attack.wave(waves);
            attack.questions();
            waves += 1;
            let shown = attack.ann.takes_shown();
            assert!(!shown.contains(turns_text_around), "wave {waves}");
        }
        used = attack.used;
        attack.ann.types("\x15\\d\r");
        attack.end.hears_goodbye();
        drop(attack.end);
        attack.ann.reads_to_the_end();
        attack.ann.has_the_terminal_back();
    }
    campaign::report(format_args!(
        "{used} hostile texts in {waves} waves, {:?}: nothing changed but the message area",
        clock.now()
    ));
}
