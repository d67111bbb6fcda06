//! A user of the client in English or in Chinese, who waits for what it says in that
//! language.

use std::net::SocketAddr;

use echat_client::text::{Language, Text};
use echat_testkit::scene::SECRET;
use echat_testkit::terminal::person::{Person, SETSID};

use crate::server_folder::{ECHAT, ServerFolder};

/// A user at a terminal with a language.
pub(crate) struct Actor {
    pub(crate) person: Person,
    pub(crate) language: Language,
}

impl Actor {
    /// On a terminal of so many columns and rows, by way of this address.
    pub(crate) fn comes(
        folder: &ServerFolder,
        by: SocketAddr,
        language: Language,
        size: (u16, u16),
    ) -> Self {
        let lang = match language {
            Language::English => "en",
            Language::Chinese => "zh",
        };
        let mut command = folder.command(SETSID, "C.UTF-8");
        command.env_remove("NO_COLOR");
        let link = folder.link_by(by);
        let arguments = ["--lang", lang, "--utc", &link];
        Self {
            person: Person::starts_on(size, command, ECHAT, &arguments),
            language,
        }
    }

    /// Types a line and Enter.
    pub(crate) fn types(&mut self, line: &str) {
        self.person.types(&format!("{line}\r"));
    }

    /// Waits for a sentence of the client's.
    pub(crate) fn sees(&mut self, text: Text<'_>) {
        self.person.sees(&self.language.say(text));
    }

    /// The prompt and what is typed, whole and last.
    pub(crate) fn has(&mut self, prompt: &str) {
        self.person.sees_that(prompt, |screen| {
            let (row, _) = screen.place();
            screen.row(row) == prompt
        });
    }

    /// Makes an account and logs in.
    pub(crate) fn registers(&mut self, name: &str) {
        self.has("command>");
        self.types("register");
        self.sees(Text::UserName);
        self.types(name);
        self.sees(Text::Password);
        self.types(SECRET);
        self.sees(Text::PasswordAgain);
        self.types(SECRET);
        self.sees(Text::Registered { name });
        self.types("login");
        self.sees(Text::UserName);
        self.types(name);
        self.sees(Text::Password);
        self.types(SECRET);
        self.sees(Text::LoggedIn { name });
        self.has("contact>");
    }
}
