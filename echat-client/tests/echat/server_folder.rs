//! A real server, and users at their terminals.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use echat_testkit::programs;
use echat_testkit::scene::{Outcome, SECRET, Scene, outcome};
use echat_testkit::server_process::ServerProcess;
use echat_testkit::terminal::person::{Person, SETSID};
use serde_json::{Value, json};

pub(crate) const ECHAT: &str = env!("CARGO_BIN_EXE_echat");
pub(crate) const ECHAT_NC: &str = env!("CARGO_BIN_EXE_echat-nc");
/// The file with the password of all users.
pub(crate) const PASSWORD: &str = "password";
/// A server without rate limits, for tests that type fast.
const UNHURRIED: &str = r#"{"server": {"limits": {"message_rate": 0, "registrations": 0}}}"#;

pub(crate) struct ServerFolder {
    pub(crate) scene: Scene,
    pub(crate) server: ServerProcess,
}

impl ServerFolder {
    pub(crate) fn new() -> Self {
        Self::with("{}")
    }

    /// With a server without rate limits.
    pub(crate) fn unhurried() -> Self {
        Self::with(UNHURRIED)
    }

    /// With these settings for the server and all clients. Without a lobby, unless they name one: other users would
    /// come to it.
    pub(crate) fn with(config: &str) -> Self {
        let scene = Scene::new();
        let mut config: Value = serde_json::from_str(config).expect("JSON");
        let server = &mut config["server"];
        if server["lobby"].is_null() {
            server["lobby"] = json!("");
        }
        scene.write("config.json", &config.to_string());
        scene.write(PASSWORD, SECRET);
        let server = ServerProcess::start_in(&scene.path(""), &["--log", "off"]);
        Self { scene, server }
    }

    /// Kills the server, which has its data on disk.
    pub(crate) fn falls(&mut self) {
        self.server.falls();
    }

    /// Starts the server again, with the same data at another port.
    pub(crate) fn rises(&mut self) {
        self.server = ServerProcess::start_in(&self.scene.path(""), &["--log", "off"]);
    }

    /// Copies the whole data folder, while the server is down.
    pub(crate) fn backs_up(&self) {
        self.copies("data", "backup");
    }

    /// Puts the copy in the place of the data folder, while the server is down.
    pub(crate) fn restores(&self) {
        std::fs::remove_dir_all(self.scene.path("data")).unwrap();
        self.copies("backup", "data");
    }

    /// Runs a command of `echat-server` in the place of the server, which succeeds.
    pub(crate) fn runs(&self, args: &[&str]) {
        let mut command = Command::new(programs::server());
        let output = command.args(args).current_dir(self.scene.path("")).output();
        assert!(output.unwrap().status.success(), "{args:?}");
    }

    fn copies(&self, from: &str, to: &str) {
        let mut copy = Command::new("cp");
        copy.arg("-a")
            .args([from, to])
            .current_dir(self.scene.path(""));
        assert!(copy.status().unwrap().success());
    }

    /// A link that pins the server's key.
    pub(crate) fn link(&self) -> String {
        self.link_by(self.server.address())
    }

    /// The same by way of another address.
    pub(crate) fn link_by(&self, address: SocketAddr) -> String {
        format!("echat://{address}/#{}", self.server.fingerprint())
    }

    pub(crate) fn command(&self, program: &str, language: &str) -> Command {
        let mut command = self.scene.command(program);
        command
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .env("LANG", language)
            .current_dir(self.scene.path(""));
        command
    }

    pub(crate) fn person(&self, language: &str, arguments: &[&str]) -> Person {
        Person::starts(self.command(SETSID, language), ECHAT, arguments)
    }

    /// A registered user, logged in at an English terminal.
    pub(crate) fn member(&self, name: &str) -> Person {
        let mut person = self.person("C.UTF-8", &[&self.link()]);
        person.sees("command> ");
        person.types("register\r");
        person.sees("user name: ");
        person.types(&format!("{name}\r"));
        person.sees("password: ");
        person.types(&format!("{SECRET}\r"));
        person.sees("again: ");
        person.types(&format!("{SECRET}\r"));
        person.sees(&format!("Registered as {name}."));
        person.types("login\r");
        person.sees(&format!("user name (Enter: {name}): "));
        person.types(&format!("{name}\r"));
        person.sees("password: ");
        person.types(&format!("{SECRET}\r"));
        person.sees(&format!("Logged in as {name}."));
        person.sees("contact> ");
        person
    }

    /// Makes accounts, and a room of the first one's that they are all in.
    pub(crate) fn has(&self, room: &str, names: &[&str]) {
        for name in names {
            self.scene.registers(&self.link(), name);
        }
        let made = format!(r#"{{"roomname":"{room}","members":[]}}"#);
        let joined = format!("{room:?}");
        self.asks(names[0], &["CREATE_ROOM", &made]);
        for name in &names[1..] {
            self.asks(name, &["JOIN_ROOM", &joined]);
        }
    }

    /// What the server answers a user.
    pub(crate) fn asks(&self, name: &str, request: &[&str]) -> String {
        let link = self.link();
        self.scene.run_as(&link, name, request).exits(0).out
    }

    /// How often each of these was said in any room or chat of a user's, as the server has it.
    pub(crate) fn counts(&self, name: &str, contents: &[String]) -> Vec<usize> {
        let (mut counts, mut after) = (vec![0; contents.len()], 0);
        loop {
            let asked = format!(r#"{{"after":{after}}}"#);
            let answer = self.asks(name, &["QUERY_HISTORY", &asked]);
            let answer: serde_json::Value =
                serde_json::from_str(answer.lines().last().unwrap()).unwrap();
            let page = &answer["params"];
            for message in page["messages"].as_array().unwrap() {
                after = message["id"].as_u64().unwrap();
                let said = message["content"].as_str().unwrap();
                if let Some(at) = contents.iter().position(|content| content == said) {
                    counts[at] += 1;
                }
            }
            if page["more"] == false {
                return counts;
            }
        }
    }

    /// A registered user, logged in over this address.
    pub(crate) fn comes(&self, name: &str, by: SocketAddr) -> Person {
        self.comes_with(name, by, self.command(SETSID, "C.UTF-8"))
    }

    /// The same in the chat of room1.
    pub(crate) fn opens(&self, name: &str, by: SocketAddr) -> Person {
        let mut person = self.comes(name, by);
        person.sees(&format!("Logged in as {name}."));
        person.types("&r room1\r");
        person.sees("room1> ");
        person
    }

    /// The same with an environment of one's own.
    pub(crate) fn comes_with(&self, name: &str, by: SocketAddr, command: Command) -> Person {
        let link = self.link_by(by);
        let login = ["--user", name, "--password-file", PASSWORD, &link];
        Person::starts(command, ECHAT, &login)
    }

    /// Runs it in a pipe.
    pub(crate) fn pipes(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut child = self
            .command(ECHAT, "C.UTF-8")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The program may end before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        outcome(child)
    }
}
