//! The commands in docs/operate.md do what the page says. Each section runs in a folder of its own, with a server that
//! has a room and messages, in the order of the page and as the commands stand. The page in Chinese has the same
//! blocks, which the tidy test compares.
//!
//! To add a section, write it, and add its row to `SECTIONS`: the state before it, the commands that are meant to fail,
//! and what is true afterwards. A heading with commands and without a row fails this test, and so does a row without a
//! heading.
//!
//! The commands of docs/install.md, which need a clean system and its service manager, are run by
//! `packaging/debian/test`, as they stand too.

mod damage;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use echat_testkit::programs;
use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr, stdout};
use echat_testkit::wire::{Client, line, number, text};
use rusqlite::Connection;
use rustix::process::Signal;

/// A section of the page that has commands.
struct Section {
    /// Its heading, without the marks.
    heading: &'static str,
    /// Brings about the state in which the section is read. The server runs.
    before: fn(&mut Sandbox),
    /// Commands that are meant to fail, and the exit code that the page names.
    fails: &'static [(&'static str, i32)],
    /// Checks what the page promises.
    after: fn(&mut Sandbox),
}

const SECTIONS: &[Section] = &[
    Section {
        heading: "Stop the server",
        before: |sandbox| {
            let status = sandbox.says("echat-server ctl status");
            let process = sandbox.server.as_ref().expect("it runs").id();
            assert!(
                status.contains(&format!("process: {process}\n")),
                "{status}"
            );
        },
        fails: &[],
        after: |sandbox| {
            assert!(sandbox.server.is_none());
            sandbox.start();
            assert_eq!(sandbox.messages(), MESSAGES);
        },
    },
    Section {
        heading: "Administrators",
        before: |_| {},
        fails: &[],
        after: |sandbox| {
            assert!(
                sandbox
                    .says("echat-server ctl user ann")
                    .contains("administrator: no")
            );
            let audit = sandbox.says("echat-server ctl audit");
            assert!(audit.contains("make-admin ann"), "{audit}");
        },
    },
    Section {
        heading: "Invite people",
        before: |_| {},
        fails: &[],
        after: |sandbox| {
            let list = sandbox.says("echat-server ctl invitation list");
            let code = list.lines().nth(1).unwrap().split(' ').next().unwrap();
            let mut new = Client::connect(sandbox.server.as_ref().unwrap());
            let register = r#"REGISTER {"username":"new","password":"correct horse""#;
            assert!(line(&new.asks(&format!("{register}}}"))).contains("bad_invitation"));
            let invited = format!(r#"{register},"invitation":"{code}"}}"#);
            assert!(line(&new.asks(&invited)).starts_with("REGISTER_SUCCESS"));
        },
    },
    Section {
        heading: "See who is connected",
        before: |sandbox| sandbox.stays = Some(sandbox.client()),
        fails: &[],
        after: |sandbox| {
            let sessions = sandbox.says("echat-server ctl sessions");
            assert!(
                sessions.contains("ann") && sessions.contains("127.0.0.1"),
                "{sessions}"
            );
            assert!(
                sandbox
                    .says("echat-server ctl status")
                    .contains(&sandbox.fingerprint)
            );
        },
    },
    Section {
        heading: "Forgotten password",
        before: |sandbox| sandbox.stays = Some(sandbox.another("bob")),
        fails: &[],
        after: |sandbox| {
            sandbox.gone();
            let told = sandbox.says("echat-server ctl user bob");
            assert!(told.contains("must change password: yes"), "{told}");
        },
    },
    Section {
        heading: "Stop abuse",
        before: |sandbox| sandbox.stays = Some(sandbox.another("bob")),
        fails: &[],
        after: |sandbox| {
            sandbox.gone();
            let status = sandbox.says("echat-server ctl status");
            assert!(status.contains("registration: closed"), "{status}");
            let audit = sandbox.says("echat-server ctl audit");
            for command in [
                "suspend bob 2d spam in tea",
                "ban-address 198.51.100.0/24 12h",
                "limits message_rate 5",
            ] {
                assert!(audit.contains(command), "{command}: {audit}");
            }
            Client::login(sandbox.server.as_ref().unwrap(), "bob").is_served();
        },
    },
    Section {
        heading: "Rename or delete an account",
        before: |sandbox| sandbox.stays = Some(sandbox.another("bob")),
        fails: &[],
        after: |sandbox| {
            sandbox.gone();
            assert!(!sandbox.says("echat-server ctl users").contains("ob"));
        },
    },
    Section {
        heading: "Hand over or delete a room",
        before: |sandbox| {
            let mut bob = sandbox.another("bob");
            bob.asks(r#"JOIN_ROOM "tea""#);
        },
        fails: &[],
        after: |sandbox| {
            assert!(!sandbox.says("echat-server ctl rooms").contains("tea"));
            let audit = sandbox.says("echat-server ctl audit");
            assert!(audit.contains("room-owner tea bob"), "{audit}");
        },
    },
    Section {
        heading: "Tell users something",
        before: |sandbox| sandbox.stays = Some(sandbox.client()),
        fails: &[],
        after: |sandbox| {
            let told = line(&sandbox.stays.as_mut().unwrap().hears_message());
            assert_eq!(
                told,
                r#"ON_BROADCAST {"text":"The server restarts at six."}"#
            );
            let status = sandbox.says("echat-server ctl status");
            assert!(status.contains("Backups are made at four"), "{status}");
        },
    },
    Section {
        heading: "Change the configuration",
        before: |sandbox| {
            sandbox.stays = Some(sandbox.client());
            sandbox
                .dir
                .write("config.json", r#"{"server": {"limits": {"friends": 7}}}"#);
        },
        fails: &[],
        after: |sandbox| {
            assert!(
                sandbox
                    .says("echat-server ctl limits friends")
                    .contains('7')
            );
            sandbox.stays.as_mut().unwrap().is_served();
        },
    },
    Section {
        heading: "Monitor",
        before: |_| {},
        fails: &[],
        after: |sandbox| {
            let metrics = sandbox.says("echat-server ctl metrics");
            let messages = format!("\nechat_messages_total {MESSAGES}\n");
            assert!(metrics.contains(&messages), "{metrics}");
        },
    },
    Section {
        heading: "Rotate the log",
        before: |sandbox| {
            sandbox.stop();
            let config = r#"{"server": {"log_file": "echat.log"}}"#;
            sandbox.dir.write("config.json", config);
            sandbox.start();
        },
        fails: &[],
        after: |sandbox| {
            // The signal is handled beside the commands.
            while !sandbox.dir.path("echat.log").exists() {
                sandbox.client().is_served();
            }
            assert!(sandbox.dir.path("echat.log.1").exists());
        },
    },
    Section {
        heading: "Back up",
        before: |_| {},
        fails: &[],
        after: |sandbox| {
            assert!(sandbox.dir.path("backups/monday.backup").is_file());
            assert_eq!(sandbox.messages(), MESSAGES);
        },
    },
    Section {
        heading: "Restore",
        before: |sandbox| {
            sandbox.run("mkdir backups && echat-server backup backups/monday.backup");
            sandbox.send(7);
            sandbox.newest = sandbox.history().1;
        },
        fails: &[],
        after: |sandbox| {
            assert_eq!(sandbox.messages(), MESSAGES);
            let (history, newest) = sandbox.history();
            assert_ne!(history, sandbox.history);
            assert!(newest >= sandbox.newest);
            assert!(
                sandbox
                    .dir
                    .path("data/before-restore-1/database.db")
                    .is_file()
            );
        },
    },
    Section {
        heading: "Before an upgrade",
        before: Sandbox::becomes_older,
        fails: &[],
        after: |sandbox| {
            assert_eq!(version(&sandbox.dir.path("data/database.db")), 5);
            sandbox.start();
            assert_eq!(sandbox.messages(), OLDER_MESSAGES);
            assert_eq!(version(&sandbox.dir.path("data/database.db.before-5")), 5);
        },
    },
    Section {
        heading: "Upgrade",
        before: |sandbox| sandbox.stays = Some(sandbox.client()),
        fails: &[],
        after: |sandbox| {
            let told = line(&sandbox.stays.as_mut().unwrap().hears_message());
            assert_eq!(told, r#"ON_BROADCAST {"text":"The server stops in 5 s."}"#);
            assert_eq!(sandbox.messages(), MESSAGES);
        },
    },
    Section {
        heading: "Go back to an older version",
        before: |sandbox| {
            sandbox.becomes_older();
            sandbox.start();
            sandbox.send(2);
            sandbox.newest = sandbox.history().1;
        },
        fails: &[],
        after: |sandbox| {
            assert_eq!(version(&sandbox.dir.path("data/database.db")), 5);
            let newer = version(&sandbox.dir.path("newer/database.db"));
            assert!(newer > 5);
            // The older server is this one.
            sandbox.start();
            assert_eq!(sandbox.messages(), OLDER_MESSAGES);
            assert!(sandbox.history().1 >= sandbox.newest);
        },
    },
    Section {
        heading: "On the old machine",
        before: |_| {},
        fails: &[],
        after: |sandbox| {
            assert!(sandbox.server.is_none());
            sandbox.run("echat-server verify move.backup");
        },
    },
    Section {
        heading: "On the new machine",
        before: |sandbox| {
            sandbox.stop();
            sandbox.run("echat-server backup move.backup");
            sandbox.run("rm -r data config.json");
        },
        fails: &[],
        after: |sandbox| {
            assert_eq!(sandbox.messages(), MESSAGES);
            assert_ne!(sandbox.history().0, sandbox.history);
            let server = sandbox.server.as_ref().unwrap();
            assert_eq!(server.fingerprint(), sandbox.fingerprint);
            let config = fs::read_to_string(sandbox.dir.path("config.json")).unwrap();
            assert_eq!(config, CONFIG);
        },
    },
    Section {
        heading: "Give users their data",
        before: |_| {},
        fails: &[],
        after: |sandbox| {
            for file in ["ann.jsonl", "tea.jsonl"] {
                let text = fs::read_to_string(sandbox.dir.path(file)).unwrap();
                let messages = text.lines().filter(|line| line.contains("\"text\":\"x\""));
                assert_eq!(messages.count(), MESSAGES, "{file}");
            }
        },
    },
    Section {
        heading: "Damaged page",
        before: |sandbox| {
            sandbox.stop();
            let database = sandbox.dir.path("data/database.db");
            damage::fill(&database, &[("den", &[0])]);
            damage::strike_message(&database, "den", 700);
            damage::strike_last_leaf(&database, "name_endings");
            sandbox.start();
        },
        fails: &[
            ("echat-server check", 65),
            ("echat-server check --repair", 65),
        ],
        after: |sandbox| {
            assert_eq!(sandbox.messages(), MESSAGES);
            assert!(
                sandbox
                    .dir
                    .path("data/before-repair-1/database.db")
                    .is_file()
            );
            sandbox.run("echat-server check");
        },
    },
    Section {
        heading: "Full disk",
        before: |_| {},
        fails: &[],
        after: |sandbox| {
            let status = sandbox.says("echat-server ctl status");
            assert!(status.contains("disk is low: "), "{status}");
        },
    },
    Section {
        heading: "Lost host key",
        before: |sandbox| {
            sandbox.run("mkdir backups && echat-server backup backups/monday.backup");
            sandbox.stop();
            sandbox.run("rm data/host_key");
        },
        fails: &[],
        after: |sandbox| {
            let server = sandbox.server.as_ref().unwrap();
            assert_eq!(server.fingerprint(), sandbox.fingerprint);
            assert_eq!(sandbox.messages(), MESSAGES);
        },
    },
];

/// The page whose commands `packaging/debian/test` runs.
const INSTALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/install.md");

/// The section of it whose command makes what that test installs.
const BUILD: (&str, &str) = ("Build the packages", "packaging/debian/build");

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operate.md");

const CONFIG: &str = r#"{"server": {"limits": {"message_rate": 0}}}"#;

/// Messages in the room tea at the beginning of each section.
const MESSAGES: usize = 5;

const MESSAGE: &str = r#"SEND_MESSAGE {"target_type":1,"target":"tea","content":"x"}"#;

/// A database as an older server left it, and its messages in the room tea.
const OLDER: &str = include_str!("upgrade/0005.sql");
const OLDER_MESSAGES: usize = 3;

/// The version of the tables of a database.
fn version(database: &Path) -> u32 {
    let db = Connection::open(database).unwrap();
    let version = db.pragma_query_value(None, "user_version", |row| row.get(0));
    version.unwrap()
}

/// A folder with a server in it.
struct Sandbox {
    dir: ServerFolder,
    server: Option<ServerProcess>,
    /// The name of the history at the beginning.
    history: String,
    /// A message id that a section remembers.
    newest: u64,
    fingerprint: String,
    /// A session that is there while the commands run.
    stays: Option<Client>,
}

impl Sandbox {
    fn new() -> Self {
        let dir = ServerFolder::new();
        dir.write("config.json", CONFIG);
        fs::create_dir(dir.path("bin")).unwrap();
        symlink(programs::server(), dir.path("bin/echat-server")).unwrap();
        let mut sandbox = Self {
            dir,
            server: None,
            history: String::new(),
            newest: 0,
            fingerprint: String::new(),
            stays: None,
        };
        sandbox.start();
        let server = sandbox.server.as_ref().unwrap();
        server.fingerprint().clone_into(&mut sandbox.fingerprint);
        let mut ann = Client::register(server, "ann");
        ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
        sandbox.send(MESSAGES);
        (sandbox.history, sandbox.newest) = sandbox.history();
        sandbox
    }

    fn start(&mut self) {
        assert!(self.server.is_none(), "it runs already");
        self.server = Some(self.dir.start(&["--log", "warn"]));
    }

    fn stop(&mut self) {
        let stopped = self.server.take().expect("it runs").stop();
        assert_eq!(stopped.status.code(), Some(0), "{}", stderr(&stopped));
    }

    /// A new account with a session.
    fn another(&self, name: &str) -> Client {
        Client::register(self.server.as_ref().expect("it runs"), name)
    }

    /// The session that was there has ended.
    fn gone(&mut self) {
        let mut session = self.stays.take().expect("there was one");
        while session.hears().is_some() {}
    }

    /// The server has ended, and an older one has left its database in place of its own.
    fn becomes_older(&mut self) {
        self.stop();
        for file in fs::read_dir(self.dir.path("data")).unwrap() {
            let path = file.unwrap().path();
            if path.file_name().unwrap() != "host_key" {
                fs::remove_file(path).unwrap();
            }
        }
        let database = self.dir.path("data/database.db");
        Connection::open(database)
            .unwrap()
            .execute_batch(OLDER)
            .unwrap();
    }

    fn client(&self) -> Client {
        Client::login(self.server.as_ref().expect("it runs"), "ann")
    }

    fn send(&self, count: usize) {
        let mut ann = self.client();
        for _ in 0..count {
            let sent = line(&ann.asks(MESSAGE));
            assert!(sent.starts_with("ON_NEW_MESSAGE"), "{sent}");
        }
    }

    fn messages(&self) -> usize {
        self.client().history("tea", 0).len()
    }

    /// The name of the history, and the newest id.
    fn history(&self) -> (String, u64) {
        let mut ann = Client::connect(self.server.as_ref().expect("it runs"));
        let bundle = ann.logs_in("ann");
        (
            text(&bundle, "history").to_owned(),
            number(&bundle, "newest"),
        )
    }

    /// Runs a command in the folder; its exit code and what it said.
    fn tries(&mut self, command: &str) -> (i32, String) {
        // The service manager is the one part that a test does not have.
        match command {
            "systemctl start echat" => self.start(),
            "systemctl kill --signal=USR1 echat" => {
                self.server.as_ref().expect("it runs").signal(Signal::USR1);
            }
            "systemctl stop echat.socket echat" => self.stop(),
            _ => {
                let output = self.shell(command);
                if command.starts_with("echat-server ctl drain") || command.ends_with("ctl quit") {
                    let ended = self.server.take().expect("it runs").end();
                    assert_eq!(ended.status.code(), Some(0), "{}", stderr(&ended));
                }
                return (output.status.code().unwrap(), stderr(&output).to_owned());
            }
        }
        (0, String::new())
    }

    fn shell(&self, command: &str) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.dir.path("bin").display());
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", command])
            .current_dir(self.dir.path(""))
            .env_clear()
            .env("PATH", path)
            .output()
            .unwrap()
    }

    /// What a command prints.
    fn says(&self, command: &str) -> String {
        let output = self.shell(command);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{command}: {}",
            stderr(&output)
        );
        stdout(&output).to_owned()
    }

    fn run(&mut self, command: &str) {
        let (code, said) = self.tries(command);
        assert_eq!(code, 0, "{command}: {said}");
    }
}

/// The fenced blocks of a language under each heading, in order.
fn blocks(page: &str, language: &str) -> Vec<(String, Vec<String>)> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    let mut block: Option<(bool, String)> = None;
    for line in page.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            block = match block.take() {
                None => Some((fence == language, String::new())),
                Some((true, text)) => {
                    let (_, blocks) = sections.last_mut().expect("below a heading");
                    blocks.push(text);
                    None
                }
                Some((false, _)) => None,
            };
        } else if let Some((_, text)) = &mut block {
            text.push_str(line);
            text.push('\n');
        } else if line.starts_with("## ") || line.starts_with("### ") {
            let heading = line.trim_start_matches('#').trim().to_owned();
            sections.push((heading, Vec::new()));
        }
    }
    sections.retain(|(_, blocks)| !blocks.is_empty());
    sections
}

/// The commands of a block. A backslash at the end of a line continues it.
fn commands(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_commands_of_the_page_do_what_it_says() {
    let page = fs::read_to_string(PAGE).unwrap();
    let sections = blocks(&page, "sh");
    let headings: Vec<&str> = sections
        .iter()
        .map(|(heading, _)| heading.as_str())
        .collect();
    let rows: Vec<&str> = SECTIONS.iter().map(|section| section.heading).collect();
    assert_eq!(
        headings, rows,
        "each heading with commands has a row, in order"
    );
    for (section, (_, blocks)) in SECTIONS.iter().zip(&sections) {
        let mut sandbox = Sandbox::new();
        (section.before)(&mut sandbox);
        let mut failing: BTreeMap<&str, i32> = section.fails.iter().copied().collect();
        for command in blocks.iter().flat_map(|block| commands(block)) {
            let (code, said) = sandbox.tries(&command);
            let expected = failing.remove(command.as_str()).unwrap_or(0);
            assert_eq!(code, expected, "{}: {command}: {said}", section.heading);
        }
        assert!(failing.is_empty(), "{}: {failing:?}", section.heading);
        (section.after)(&mut sandbox);
    }
}

#[test]
fn the_commands_of_the_package_are_those_that_its_test_runs() {
    let page = fs::read_to_string(INSTALL).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/debian/test");
    let script = fs::read_to_string(script).unwrap();
    let sections = blocks(&page, "sh");
    assert!(sections.len() > 1);
    for (heading, blocks) in sections {
        if heading == BUILD.0 {
            assert_eq!(commands(&blocks[0]), [BUILD.1]);
            assert!(script.contains(&format!("run {} first", BUILD.1)));
            continue;
        }
        for number in 1..=blocks.len() {
            let call = format!("documented \"{heading}\"");
            let numbered = format!("{call} {number}");
            let is_run = script.contains(&numbered) || blocks.len() == 1 && script.contains(&call);
            assert!(is_run, "{heading}, block {number}");
        }
    }
}

#[test]
fn the_configurations_of_the_page_are_accepted() {
    let page = fs::read_to_string(PAGE).unwrap();
    let configurations = blocks(&page, "json");
    assert!(!configurations.is_empty());
    let dir = ServerFolder::new();
    for (heading, blocks) in configurations {
        for block in blocks {
            dir.write("config.json", &block);
            let output = dir.run(&["--check-config"]);
            let code = output.status.code();
            assert_eq!(code, Some(0), "{heading}: {}", stderr(&output));
        }
    }
}

#[test]
fn commands_are_found_under_their_headings() {
    let page = "## One\n\n```sh\na \\\n  b\n# a comment\nc\n```\n\n## Two\n\n```json\n{}\n```\n### Three\n```sh\nd\n```\n";
    let found = blocks(page, "sh");
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].0, "One");
    assert_eq!(commands(&found[0].1[0]), ["a    b", "c"]);
    assert_eq!(found[1], ("Three".to_owned(), vec!["d\n".to_owned()]));
}
