//! The code of the first administrator: made with a new database, good once, and gone afterwards.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;

use echat_server::storage::administrator_code_hash;
use echat_testkit::faults::{Rule, Shim};
use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr, stdout};
use echat_testkit::side_by_side::count_while;
use echat_testkit::terminal::pty::Pty;
use echat_testkit::wire::{Client, message};
use rusqlite::Connection;
use rustix::process::Signal;

const FILE: &str = "data/first_administrator_code";

fn register(client: &mut Client, name: &str, code: &str) -> u32 {
    let register = format!(
        r#"REGISTER {{"username":"{name}","password":"correct horse","invitation":"{code}"}}"#
    );
    client.asks(&register).command
}

#[test]
fn a_first_start_makes_a_code_that_is_good_once_also_after_a_restart() {
    let dir = ServerFolder::new();
    let stopped = dir.start(&[]).stop();
    let code = fs::read_to_string(dir.path(FILE)).unwrap();
    let code = code.trim();
    let metadata = fs::metadata(dir.path(FILE)).unwrap();
    assert_eq!(metadata.mode() & 0o777, 0o600);
    // Standard error is no terminal here: it may be kept.
    assert!(!stderr(&stopped).contains(code));
    assert!(stderr(&stopped).contains("first_administrator_code"));

    let server = dir.start(&[]);
    let mut client = Client::connect(&server);
    let refused = register(&mut client, "eve", "2345-6789-ABCD-EFGH");
    assert_eq!(refused, message("REFUSED").command);
    assert!(dir.path(FILE).exists());
    let made = register(&mut client, "ann", code);
    assert_eq!(made, message("REGISTER_SUCCESS").command);
    // The file goes before the next round, so before this is answered.
    let refused = register(&mut client, "bob", code);
    assert_eq!(refused, message("REFUSED").command);
    assert!(!dir.path(FILE).exists());
    client.asks(r#"LOGIN {"username":"ann","password":"correct horse"}"#);
    let made = client.asks("CREATE_INVITATION {}").command;
    assert_eq!(made, message("INVITATION").command);
    // The audit has it, without the code.
    let audit = dir.run(&["ctl", "--json", "audit"]);
    let audit: serde_json::Value = serde_json::from_str(stdout(&audit)).unwrap();
    let entries = audit["result"]["audit"].as_array().unwrap();
    let entry = &entries[entries.len() - 1];
    let said = ["via", "by", "command", "result"].map(|key| entry[key].as_str().unwrap());
    let command = "REGISTER as the first administrator";
    assert_eq!(said, ["chat", "ann", command, "done"]);
    assert!(!audit.to_string().contains(code));
    server.stop();

    // As if the server had been killed before it removed the file.
    dir.write_private(FILE, code);
    let server = dir.start(&[]);
    assert!(!dir.path(FILE).exists());
    let refused = register(&mut Client::connect(&server), "bob", code);
    assert_eq!(refused, message("REFUSED").command);
    server.stop();
}

#[test]
fn the_log_warns_when_the_last_administrator_deletes_the_account() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let code = fs::read_to_string(dir.path(FILE)).unwrap();
    let deletes = |mut client: Client, name: &str| {
        let login = format!(r#"LOGIN {{"username":"{name}","password":"correct horse"}}"#);
        client.asks(&login);
        let delete = r#"DELETE_ACCOUNT {"password":"correct horse","erase":false}"#;
        assert_eq!(client.asks(delete).command, message("LOGGED_OUT").command);
    };
    let register_without_code = r#"REGISTER {"username":"bob","password":"correct horse"}"#;
    let (mut ann, mut bob) = (Client::connect(&server), Client::connect(&server));
    register(&mut ann, "ann", code.trim());
    bob.asks(register_without_code);
    deletes(ann, "ann");
    deletes(bob, "bob");
    let log = server.stop();
    let warned = stderr(&log)
        .lines()
        .filter(|line| line.contains("the last administrator deleted the account"));
    let warned: Vec<_> = warned.collect();
    assert_eq!(warned.len(), 1, "{}", stderr(&log));
    assert!(warned[0].contains("user=ann"), "{}", warned[0]);
}

#[test]
fn a_database_of_before_gets_no_code() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    Client::register(&server, "ann").is_served();
    server.stop();
    fs::remove_file(dir.path(FILE)).unwrap();
    dir.start(&[]).stop();
    assert!(!dir.path(FILE).exists());
}

#[test]
fn a_first_start_killed_at_any_moment_has_one_code_in_the_end() {
    let moments = count_while(has_a_code_after_a_kill);
    assert!(moments >= 20, "{moments}");
    eprintln!("killed before each of {moments} changes of the disk");
}

/// Kills a first start before it changes the disk once more than so often, and starts again; false if it was ready
/// before that.
fn has_a_code_after_a_kill(calls: u64) -> bool {
    let (dir, shim) = (ServerFolder::new(), Shim::new());
    let kill = Rule::kill_after(calls);
    let mut server = ServerProcess::begin(shim.command(&dir, Some(kill)));
    if server.becomes_ready() {
        server.kill();
        return false;
    }
    assert_eq!(server.end().status.signal(), Some(Signal::KILL.as_raw()));
    let server = dir.start(&["--log", "warn"]);
    let code = fs::read_to_string(dir.path(FILE)).unwrap();
    let mode = fs::metadata(dir.path(FILE)).unwrap().mode() & 0o777;
    assert_eq!(mode, 0o600, "after {calls}");
    assert!(!dir.path("data/first_administrator_code.tmp").exists());
    // The database knows this code, and no other.
    let db = Connection::open(dir.path("data/database.db")).unwrap();
    let known = |row: &rusqlite::Row<'_>| row.get::<_, [u8; 32]>(0);
    let known = db.query_row("SELECT code FROM administrator_code", [], known);
    let expected = administrator_code_hash(code.trim());
    assert_eq!(known.unwrap(), expected, "after {calls}");
    server.kill();
    true
}

#[test]
fn the_code_is_shown_on_the_terminal_of_a_first_start_only() {
    let (dir, pty) = (ServerFolder::new(), Pty::open());
    // Wherever the log goes.
    dir.write("config.json", r#"{"server": {"log_file": "echat.log"}}"#);
    let start = || {
        let shell = pty.shell(r#""$0" "$@""#);
        let args = ["--listen", "127.0.0.1:0", "--log", "info"];
        ServerProcess::start(dir.command(&shell, &args))
    };
    let server = start();
    let shown = pty.shows("first_administrator_code");
    let code = fs::read_to_string(dir.path(FILE)).unwrap();
    let code = code.trim();
    let says = format!("administrator code: {code}");
    assert!(shown.contains(&says), "{shown}");
    let link = format!("echat 'echat://{}/#SHA256:", server.address());
    assert!(shown.contains(&link), "{shown}");
    assert!(shown.contains(&format!("&invitation={code}'")), "{shown}");
    server.stop();
    let server = start();
    pty.types("status\n");
    let shown = pty.shows("fingerprint");
    assert!(!shown.contains(code), "{shown}");
    server.stop();
}

#[test]
fn others_can_read_the_file_of_the_code_until_the_next_start_at_most() {
    let dir = ServerFolder::new();
    dir.start(&[]).stop();
    fs::set_permissions(dir.path(FILE), fs::Permissions::from_mode(0o644)).unwrap();
    dir.start(&[]).stop();
    let mode = fs::metadata(dir.path(FILE)).unwrap().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

/// Whether the code in this data folder makes an administrator.
fn code_is_good(dir: &ServerFolder, data: &str) -> bool {
    let code = fs::read_to_string(dir.path(data).join("first_administrator_code")).unwrap();
    let server = dir.start(&["--data", data]);
    let made = register(&mut Client::connect(&server), "newcomer", code.trim());
    server.stop();
    made == message("REGISTER_SUCCESS").command
}

/// A backup has the hash of an unused code, not the code. Restored elsewhere, or over another database, it gets a new
/// one.
#[test]
fn a_restored_database_without_administrator_has_a_code_that_is_good() {
    let dir = ServerFolder::new();
    dir.start(&[]).stop();
    let code = fs::read_to_string(dir.path(FILE)).unwrap();
    assert_eq!(dir.run(&["backup", "saved"]).status.code(), Some(0));

    // The old code fits.
    let restored = dir.run(&["restore", "saved", "--data", "data"]);
    assert_eq!(restored.status.code(), Some(0));
    assert_eq!(fs::read_to_string(dir.path(FILE)).unwrap(), code);

    let restored = dir.run(&["restore", "saved", "--data", "elsewhere"]);
    assert_eq!(restored.status.code(), Some(0));
    let file = dir.path("elsewhere/first_administrator_code");
    let new = fs::read_to_string(&file).unwrap();
    assert_ne!(new, code);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    fs::copy(dir.path("data/host_key"), dir.path("elsewhere/host_key")).unwrap();
    assert!(code_is_good(&dir, "elsewhere"));

    // The code was used there; the database of the backup waits for its first administrator again.
    assert!(!file.exists());
    let restored = dir.run(&["restore", "saved", "--data", "elsewhere"]);
    assert_eq!(restored.status.code(), Some(0));
    assert!(code_is_good(&dir, "elsewhere"));
}

/// The code of a database goes with it when another one takes its place.
#[test]
fn a_code_is_moved_away_with_its_database() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let code = fs::read_to_string(dir.path(FILE)).unwrap();
    register(&mut Client::connect(&server), "ann", code.trim());
    server.stop();
    assert_eq!(dir.run(&["backup", "saved"]).status.code(), Some(0));
    dir.start(&["--data", "other"]).stop();
    let restored = dir.run(&["restore", "saved", "--data", "other"]);
    assert_eq!(restored.status.code(), Some(0));
    assert!(!dir.path("other/first_administrator_code").exists());
    let aside = dir.path("other/before-restore-1/first_administrator_code");
    assert!(aside.exists());
}

/// An import of a room has no administrator.
#[test]
fn an_import_without_administrators_has_a_code_that_is_good() {
    let dir = ServerFolder::new();
    dir.start(&[]).stop();
    let exported = dir.run(&["export", "lobby.jsonl", "--room", "lobby"]);
    assert_eq!(exported.status.code(), Some(0), "{}", stderr(&exported));
    let imported = dir.run(&["import", "lobby.jsonl", "--data", "new"]);
    assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
    assert!(code_is_good(&dir, "new"));
}
