//! A backup of the whole data folder is put back: ids begin again below those that clients hold.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use echat_testkit::proxy::Proxy;
use echat_testkit::terminal::person::Person;

use crate::server_folder::{ECHAT, PASSWORD, ServerFolder};

const SAID: &str = "The server's history was replaced";

/// A room with ann and bob, and a proxy that leads to wherever the server is.
fn meets() -> (ServerFolder, Proxy) {
    let folder = ServerFolder::unhurried();
    folder.has("room1", &["ann", "bob"]);
    let front = Proxy::to(folder.server.address());
    (folder, front)
}

fn says(person: &mut Person, line: &str) {
    person.types(&format!("{line}\r"));
    person.sees(&format!("me: {line}"));
}

/// Bob says something by way of a script.
fn sends(folder: &ServerFolder, line: &str) {
    let params = format!(r#"{{"target_type":1,"target":"room1","content":"{line}"}}"#);
    folder.asks("bob", &["SEND_MESSAGE", &params]);
}

#[test]
fn an_open_chat_goes_on_with_what_the_server_has() {
    let (mut folder, front) = meets();
    let mut ann = folder.opens("ann", front.address());
    says(&mut ann, "kept.");
    folder.falls();
    folder.backs_up();
    folder.rises();
    front.leads_to(Some(folder.server.address()));
    ann.sees("Reconnected");
    for turn in 1..=3 {
        says(&mut ann, &format!("lost {turn}."));
    }
    sends(&folder, "lost too.");
    ann.sees("bob: lost too.");
    folder.falls();
    ann.sees("Reconnecting");
    ann.types("typed offline.\r");
    ann.sees("(pending)");
    folder.restores();
    folder.rises();
    front.leads_to(Some(folder.server.address()));
    ann.sees("Reconnected");
    ann.sees(SAID);
    ann.sees("me: kept.");
    ann.sees("history above");
    ann.sees("me: typed offline.");
    says(&mut ann, "after it.");
    sends(&folder, "answer.");
    ann.sees("bob: answer.");
    let lines = ["kept.", "lost 1.", "typed offline.", "after it.", "answer."];
    let lines = lines.map(str::to_owned);
    assert_eq!(folder.counts("bob", &lines), [1, 0, 1, 1, 1]);
    assert_eq!(ann.shown().matches(SAID).count(), 1);
    // From now on the same history goes on.
    folder.falls();
    ann.sees("Reconnecting");
    folder.rises();
    front.leads_to(Some(folder.server.address()));
    ann.sees("Reconnected");
    says(&mut ann, "and on.");
    assert_eq!(ann.shown().matches(SAID).count(), 1);
}

/// With the server's own commands: ids continue, so only the name of the history tells.
#[test]
fn an_open_chat_follows_a_restored_backup_to_another_port() {
    let (mut folder, front) = meets();
    let mut ann = folder.opens("ann", front.address());
    says(&mut ann, "kept.");
    folder.runs(&["backup", "monday.backup"]);
    for turn in 1..=3 {
        says(&mut ann, &format!("lost {turn}."));
    }
    folder.falls();
    ann.sees("Reconnecting");
    ann.types("typed offline.\r");
    ann.sees("(pending)");
    folder.runs(&["restore", "monday.backup", "--data", "data"]);
    folder.rises();
    front.leads_to(Some(folder.server.address()));
    ann.sees("Reconnected");
    ann.sees(SAID);
    ann.sees("me: kept.");
    ann.sees("me: typed offline.");
    says(&mut ann, "after it.");
    sends(&folder, "answer.");
    ann.sees("bob: answer.");
    let lines = ["kept.", "lost 1.", "typed offline.", "after it.", "answer."];
    let lines = lines.map(str::to_owned);
    assert_eq!(folder.counts("bob", &lines), [1, 0, 1, 1, 1]);
    assert_eq!(ann.shown().matches(SAID).count(), 1);
}

#[test]
fn ids_that_have_grown_beyond_the_known_ones_are_noticed_by_other_messages() {
    let (mut folder, front) = meets();
    let mut ann = folder.opens("ann", front.address());
    says(&mut ann, "kept.");
    folder.falls();
    folder.backs_up();
    folder.rises();
    front.leads_to(Some(folder.server.address()));
    ann.sees("Reconnected");
    says(&mut ann, "lost.");
    folder.falls();
    ann.sees("Reconnecting");
    front.leads_to(None);
    folder.restores();
    folder.rises();
    for turn in 1..=5 {
        sends(&folder, &format!("new {turn}."));
    }
    front.leads_to(Some(folder.server.address()));
    ann.sees(SAID);
    for turn in 1..=5 {
        ann.sees(&format!("bob: new {turn}."));
    }
    says(&mut ann, "me too.");
}

#[test]
fn a_pipe_notices_a_restored_backup_too() {
    let (mut folder, front) = meets();
    sends(&folder, "kept.");
    folder.falls();
    folder.backs_up();
    folder.rises();
    front.leads_to(Some(folder.server.address()));
    sends(&folder, "lost.");
    let link = folder.link_by(front.address());
    let login = ["--user", "ann", "--password-file", PASSWORD, &link];
    let mut ann = Pipe::starts(&folder, &login);
    ann.says("&r room1");
    ann.sees("bob: lost.");
    folder.falls();
    folder.restores();
    folder.rises();
    front.leads_to(Some(folder.server.address()));
    ann.sees("bob: kept.");
    sends(&folder, "anew.");
    ann.sees("bob: anew.");
    ann.ends();
}

/// echat without a terminal.
struct Pipe {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    errors: PathBuf,
}

impl Pipe {
    fn starts(folder: &ServerFolder, arguments: &[&str]) -> Self {
        let errors = folder.scene.path("errors");
        let mut child = folder
            .command(ECHAT, "C.UTF-8")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
            errors,
        }
    }

    fn says(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    fn sees(&mut self, text: &str) {
        let found = self.output.any(|line| line.unwrap().contains(text));
        assert!(found, "it ended without {text:?}");
    }

    fn ends(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
        let said = std::fs::read_to_string(self.errors).unwrap();
        assert_eq!(said.matches(SAID).count(), 1, "{said}");
    }
}
