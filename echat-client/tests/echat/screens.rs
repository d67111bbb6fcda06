//! The whole screen in every mode, for a message in mid-line, for a paste and for a resize, in
//! both languages.

use echat_client::text::{Language, Text};
use echat_testkit::scene::SECRET;

use crate::actor::Actor;
use crate::server_folder::ServerFolder;

/// Wide enough for every sentence, and high enough for the whole test.
const SIZE: (u16, u16) = (120, 60);

/// A terminal from its first row on: what is expected is all that it shows.
struct Transcript {
    actor: Actor,
    rows: Vec<String>,
}

impl Transcript {
    fn says(&self, text: Text<'_>) -> String {
        self.actor.language.say(text)
    }

    /// The screen has these rows more, and under them this prompt with the cursor at its end.
    fn shows(&mut self, more: &[&str], prompt: &str) {
        self.rows.extend(more.iter().map(|row| (*row).to_owned()));
        let mut expected = self.rows.clone();
        expected.push(prompt.trim_end().to_owned());
        let columns: usize = prompt
            .chars()
            .map(|c| 1 + usize::from(c > '\u{2e80}'))
            .sum();
        self.actor
            .person
            .sees_that(&format!("{expected:#?}"), |screen| {
                let mut rows: Vec<String> = screen.rows().iter().map(|row| timeless(row)).collect();
                while rows.last().is_some_and(String::is_empty) {
                    rows.pop();
                }
                rows == expected && screen.place() == (expected.len() - 1, columns)
            });
    }

    fn presses(&mut self, keys: &str) {
        self.actor.person.types(keys);
    }

    /// Command, register and login modes.
    fn logs_in(&mut self, name: &str) {
        let hello = self.says(Text::Hello);
        self.shows(&[&hello], "command> ");
        let words = [Text::UserName, Text::Password, Text::AsksFor];
        let [user, password, asks] = words.map(|text| self.says(text));
        self.presses("register\r");
        self.shows(&["command> register"], &format!("register {user}{asks}"));
        self.presses("\x03");
        self.shows(&[], "command> ");
        self.presses("login\r");
        self.shows(&["command> login"], &format!("login {user}{asks}"));
        self.presses(&format!("{name}\r"));
        self.shows(
            &[&format!("login {user}{asks}{name}")],
            &format!("login {password}{asks}"),
        );
        self.presses(&SECRET[..3]);
        self.shows(&[], &format!("login {password}{asks}***"));
        self.presses(&format!("{}\r", &SECRET[3..]));
        let done = self.says(Text::LoggedIn { name });
        let asked = format!("login {password}{asks}");
        self.shows(&[asked.trim_end(), &done], "contact> ");
    }

    /// Contact mode, and chat mode with a message in mid-line, a paste and a resize.
    fn talks(&mut self, folder: &ServerFolder) {
        self.presses(":r\r");
        let rooms = self.says(Text::Rooms);
        self.shows(&["contact> :r", &rooms, "  room1"], "contact> ");
        self.presses("&r room1\r");
        self.shows(&["contact> &r room1"], "room1> ");
        self.presses("half 一半");
        self.shows(&[], "room1> half 一半");
        let [me, says] = [Text::Me, Text::Says].map(|text| self.says(text));
        folder.asks(
            "bob",
            &[
                "SEND_MESSAGE",
                r#"{"target_type":1,"target":"room1","content":"hi\nthere"}"#,
            ],
        );
        let hi = format!("[time] bob{says}hi");
        self.shows(&[&hi, "    there"], "room1> half 一半");
        self.presses("\r");
        self.shows(&[&format!("[time] {me}{says}half 一半")], "room1> ");
        self.presses("\x1b[200~one\ntwo\x1b[201~");
        let count = 2;
        let [long, short] =
            [Text::Paste { count }, Text::PasteShort { count }].map(|text| self.says(text));
        self.shows(&[&long], &format!("{short} room1> "));
        self.presses("o\r");
        let one = format!("[time] {me}{says}one");
        let answered = format!("{short} room1> o");
        self.shows(&[&answered, &one, "    two"], "room1> ");
        self.presses("a line that goes on");
        self.shows(&[], "room1> a line that goes on");
        self.actor.person.resizes(SIZE.0 + 20, SIZE.1);
        self.shows(&[], "room1> a line that goes on");
        self.presses("\x15");
    }

    fn asks(&mut self) {
        self.presses("\\c\rquery\r");
        self.shows(&["room1> \\c", "command> query"], "query> ");
        self.presses("who\r");
        let none = self.says(Text::NoFriendsOnline);
        self.shows(&["query> who", &none], "query> ");
        self.presses("\\d\r");
        self.actor.sees(Text::Bye);
        self.actor.person.reads_to_the_end();
        self.actor.person.has_the_terminal_back();
    }
}

/// A row with `[time]` for a time.
fn timeless(row: &str) -> String {
    match row.split_once("] ") {
        Some((time, rest)) if time.starts_with("[20") => format!("[time] {rest}"),
        _ => row.to_owned(),
    }
}

#[test]
fn every_mode_in_both_languages() {
    for language in [Language::English, Language::Chinese] {
        let folder = ServerFolder::with(r#"{"client": {"presence": "hide"}}"#);
        folder.has("room1", &["ann", "bob"]);
        let mut transcript = Transcript {
            actor: Actor::comes(&folder, folder.server.address(), language, SIZE),
            rows: Vec::new(),
        };
        transcript.logs_in("ann");
        transcript.talks(&folder);
        transcript.asks();
    }
}
