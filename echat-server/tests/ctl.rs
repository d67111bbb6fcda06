//! The administration with the real server: each way in, what changes at once, the audit, reloading, the files of the
//! log, and bad input at the socket.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr, stdout};
use echat_testkit::terminal::pty::Pty;
use echat_testkit::wire::{Client, PASSWORD, line, raw_connection, some_bytes};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use rusqlite::Connection;
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use rustix::process::Signal;

/// Runs `echat-server ctl` with these words.
fn ctl(dir: &ServerFolder, words: &str) -> Output {
    let words: Vec<&str> = words.split(' ').collect();
    dir.run(&[&["ctl"], &words[..]].concat())
}

/// What a command prints that is carried out.
fn done(dir: &ServerFolder, words: &str) -> String {
    let output = ctl(dir, words);
    let code = output.status.code();
    assert_eq!(code, Some(0), "{words}: {}", stderr(&output));
    stdout(&output).to_owned()
}

/// A connection to the socket.
struct Socket(BufReader<UnixStream>);

impl Socket {
    fn connect(dir: &ServerFolder) -> Self {
        let stream = UnixStream::connect(dir.path("data/ctl.sock")).unwrap();
        Self(BufReader::new(stream))
    }

    fn sends(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// The next answer; empty if the server has closed the connection.
    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    /// Waits for a sign of life, so that the server has begun with the command.
    fn is_told_to_wait(&mut self) {
        let mut sign = [0];
        self.0.read_exact(&mut sign).unwrap();
        assert_eq!(&sign, b" ");
    }

    fn asks(&mut self, line: &str) -> String {
        self.sends(format!("{line}\n"));
        self.hears()
    }
}

const ADMIN: &str = r#"ADMIN {"command":"status","params":{}}"#;

#[test]
fn a_server_without_administrators_gets_one_by_ctl_and_every_way_in_is_in_the_audit() {
    let dir = ServerFolder::new();
    let pty = Pty::open();
    let shell = pty.shell(r#""$0" "$@""#);
    let args = ["--listen", "127.0.0.1:0", "--log", "off"];
    let server = ServerProcess::start(dir.command(&shell, &args));
    let mut ann = Client::register(&server, "ann");
    assert!(line(&ann.asks(ADMIN)).contains("not_allowed"));
    done(&dir, "make-admin ann");
    let status = line(&ann.asks(ADMIN));
    assert!(status.contains(r#""administrators":["ann"]"#), "{status}");
    ann.asks(r#"ADMIN {"command":"kick","params":{"words":["zoe"]}}"#);
    pty.types("suspend ann\n");
    pty.shows("ann is suspended");
    pty.types("unsuspend ann\n");
    pty.shows("ann is not suspended");
    let audit = done(&dir, "--json audit");
    let mut at = usize::MAX;
    for entry in [
        r#""via":"ctl","by":"uid "#,
        r#""via":"chat","by":"ann","result":"unknown_user","command":"kick zoe"}"#,
        r#""via":"terminal","by":"operator","result":"done","command":"suspend ann"}"#,
    ] {
        // Newest first.
        let found = audit
            .find(entry)
            .unwrap_or_else(|| panic!("{entry}: {audit}"));
        assert!(found < at, "{audit}");
        at = found;
    }
    let screen = pty.reads_on();
    assert_eq!(server.stop().status.code(), Some(0));
    drop(screen);
}

#[test]
fn a_suspended_or_deleted_user_is_gone_from_every_session_at_once() {
    let dir = ServerFolder::new();
    dir.write("config.json", r#"{"server": {"sessions_per_user": 3}}"#);
    let server = dir.start(&[]);
    for command in ["suspend ann 1h spam", "delete-user ann"] {
        let mut sessions = vec![Client::register(&server, "ann")];
        sessions.push(Client::login(&server, "ann"));
        done(&dir, command);
        for session in &mut sessions {
            let mut heard = Vec::new();
            while let Some(incoming) = session.hears() {
                heard.push(format!("{incoming:?}"));
            }
            assert!(
                heard.iter().any(|heard| heard.contains("command: 104")),
                "{heard:?}"
            );
        }
        assert!(!done(&dir, "sessions").contains("ann"));
        if command.starts_with("suspend") {
            let mut again = Client::connect(&server);
            let login = format!(r#"LOGIN {{"username":"ann","password":"{PASSWORD}"}}"#);
            let refused = line(&again.asks(&login));
            assert!(refused.contains(r#""reason":"spam""#), "{refused}");
            done(&dir, "delete-user ann erase-messages");
            // The name is never given out again.
            let register = r#"REGISTER {"username":"ann","password":"correct horse"}"#;
            assert!(line(&again.asks(register)).contains("name_taken"));
            return;
        }
    }
}

#[test]
fn an_administrator_resets_no_password_of_the_own_account() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    done(&dir, "make-admin ann");
    let reset = r#"ADMIN {"command":"reset-password","params":{"words":["ann"]}}"#;
    let refused = line(&ann.asks(reset));
    assert!(refused.contains("not_allowed"), "{refused}");
    ann.is_served();
    // The operator resets it.
    done(&dir, "reset-password ann");
    server.stop();
}

#[test]
fn members_are_not_told_of_a_bot_that_is_kicked_or_suspended() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    let made = line(&ann.asks(r#"CREATE_BOT {"username":"clerk","rooms":["tea"]}"#));
    let token = made.split(r#""token":""#).nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    for command in ["kick clerk", "suspend clerk"] {
        let mut bot = Client::connect(&server);
        bot.asks(&format!(
            r#"LOGIN {{"username":"clerk","token":"{token}"}}"#
        ));
        done(&dir, command);
        while bot.hears().is_some() {}
    }
    done(&dir, "broadcast the end");
    let mut heard = Vec::new();
    while !heard
        .last()
        .is_some_and(|last: &String| last.contains("151"))
    {
        heard.push(format!("{:?}", ann.hears().unwrap()));
    }
    assert!(
        !heard.iter().any(|heard| heard.contains("command: 114")),
        "{heard:?}"
    );
    server.stop();
}

/// Makes a bot, and returns the LOGIN with its token.
fn bot_login(owner: &mut Client, name: &str, room: &str) -> String {
    let made = owner.asks(&format!(
        r#"CREATE_BOT {{"username":"{name}","rooms":["{room}"]}}"#
    ));
    let Some(echat_proto::Value::Str(token)) = made.params.at("token") else {
        panic!("{made:?}");
    };
    format!(r#"LOGIN {{"username":"{name}","token":"{token}"}}"#)
}

#[test]
fn a_bot_is_removed_by_the_administration_and_other_commands_say_whose_it_is() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    let login = bot_login(&mut ann, "clerk", "tea");
    for command in [
        "make-admin clerk",
        "unmake-admin clerk",
        "reset-password clerk",
        "rename-user clerk page",
    ] {
        let refused = ctl(&dir, command);
        assert_eq!(refused.status.code(), Some(1), "{command}");
        assert!(
            stderr(&refused).contains("clerk is a bot of ann"),
            "{command}"
        );
        let json = ctl(&dir, &format!("--json {command}"));
        assert!(stdout(&json).contains(r#""bot_of":"ann""#), "{command}");
    }
    done(&dir, "suspend clerk");
    assert!(line(&Client::connect(&server).asks(&login)).contains("bad_credentials"));
    done(&dir, "unsuspend clerk");
    let mut bot = Client::connect(&server);
    assert!(!line(&bot.asks(&login)).contains("bad_credentials"));
    let removed = done(&dir, "delete-user clerk");
    assert!(removed.contains("sessions ended: 1"), "{removed}");
    while bot.hears().is_some() {}
    assert!(line(&Client::connect(&server).asks(&login)).contains("bad_credentials"));
    assert_eq!(line(&ann.asks("LIST_BOTS null")), "BOTS []");
    let again = r#"CREATE_BOT {"username":"clerk","rooms":["tea"]}"#;
    assert!(line(&ann.asks(again)).contains("name_taken"));
    let counted = done(&dir, "statistics");
    for count in ["users: 1\n", "deleted users: 0\n", "bots: 0\n"] {
        assert!(counted.contains(count), "{count}: {counted}");
    }
    server.stop();
}

#[test]
fn a_temporary_password_voids_the_tokens_of_bots_unless_told_otherwise() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    let login = bot_login(&mut ann, "clerk", "tea");
    let mut bot = Client::connect(&server);
    bot.asks(&login);
    let kept = done(&dir, "reset-password ann keep-tokens");
    assert!(kept.contains("sessions ended: 1\n"), "{kept}");
    assert!(!kept.contains("bots without token"), "{kept}");
    bot.is_served();
    let voided = done(&dir, "reset-password ann");
    assert!(voided.contains("bots without token: clerk\n"), "{voided}");
    assert!(voided.contains("sessions ended: 1\n"), "{voided}");
    while bot.hears().is_some() {}
    assert!(line(&Client::connect(&server).asks(&login)).contains("bad_credentials"));
    server.stop();
}

#[test]
fn a_command_says_what_it_found_and_not_what_it_would_have_done() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    for name in ["ann", "bob"] {
        Client::register(&server, name).is_served();
    }
    Client::login(&server, "ann")
        .asks(r#"SEND_MESSAGE {"target_type":1,"target":"lobby","content":"hi","txn_id":"1"}"#);
    assert!(done(&dir, "unmake-admin ann").contains("ann is not an administrator"));
    // A code with a typing error leaves the good one good, so it is not said to be revoked.
    let made: serde_json::Value =
        serde_json::from_str(&done(&dir, "--json invitation new")).unwrap();
    let code = made["result"]["code"].as_str().unwrap().to_owned();
    let revoke = format!("invitation revoke {code}");
    done(&dir, &revoke);
    for unknown in [revoke.as_str(), "invitation revoke 2222-2222-2222-2222"] {
        let refused = ctl(&dir, unknown);
        assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("There is no such code"));
    }
    assert!(done(&dir, "audit").contains("bad_invitation"));
    done(&dir, "make-admin ann");
    done(&dir, "make-admin bob");
    let first = done(&dir, "unmake-admin ann");
    assert!(
        !first.contains("no other account is an administrator"),
        "{first}"
    );
    let last = done(&dir, "unmake-admin bob");
    assert!(
        last.contains("no other account is an administrator"),
        "{last}"
    );
    Client::register(&server, "eve").is_served();
    done(&dir, "make-admin eve");
    let last = done(&dir, "delete-user eve");
    assert!(
        last.contains("no other account is an administrator"),
        "{last}"
    );
    Client::login(&server, "ann").is_served();
    while done(&dir, "sessions").contains("ann") {}
    let kicked = done(&dir, "kick ann");
    assert_eq!(kicked, "ann is not logged in\nsessions ended: 0\n");
    for (first, again, said) in [
        (
            "make-admin bob",
            "make-admin bob",
            "bob is an administrator already\n",
        ),
        (
            "unmake-admin bob",
            "unmake-admin bob",
            "bob is not an administrator\n",
        ),
        ("suspend bob", "unsuspend ann", "ann was not suspended\n"),
        (
            "delete-message 1",
            "delete-message 1",
            "the message 1 was deleted before\n",
        ),
    ] {
        assert!(!done(&dir, &format!("--json {first}")).contains("unchanged"));
        assert_eq!(done(&dir, again), said);
        assert!(done(&dir, &format!("--json {again}")).contains(r#""unchanged":true"#));
    }
    server.stop();
}

#[test]
fn a_one_time_password_is_shown_once_and_has_to_be_changed() {
    let dir = ServerFolder::new();
    let server = dir.start(&["--log", "trace"]);
    let mut ann = Client::register(&server, "ann");
    let shown = done(&dir, "reset-password ann");
    let password = shown
        .lines()
        .find_map(|line| line.strip_prefix("password: "))
        .unwrap();
    assert_eq!(password.len(), 19, "{shown}");
    while ann.hears().is_some() {}
    let mut again = Client::connect(&server);
    let old = format!(r#"LOGIN {{"username":"ann","password":"{PASSWORD}"}}"#);
    assert!(line(&again.asks(&old)).contains("bad_credentials"));
    let new = format!(r#"LOGIN {{"username":"ann","password":"{password}"}}"#);
    assert!(line(&again.asks(&new)).contains(r#""must_change_password":true"#));
    let change = format!(r#"CHANGE_PASSWORD {{"old":"{password}","new":"another horse"}}"#);
    assert!(line(&again.asks(&change)).starts_with("DONE"));
    let account = done(&dir, "--json user ann");
    assert!(
        account.contains(r#""must_change_password":false"#),
        "{account}"
    );
    // The password is in no log, and not in the audit.
    assert!(!done(&dir, "audit").contains(password));
    // Nor is an invitation code.
    let made = done(&dir, "invitation new");
    let code = made
        .lines()
        .find_map(|line| line.strip_prefix("code: "))
        .unwrap();
    done(&dir, &format!("invitation revoke {code}"));
    let audit = done(&dir, "audit");
    assert!(
        audit.contains("invitation revoke ...") && !audit.contains(code),
        "{audit}"
    );
    let output = server.stop();
    assert!(!stderr(&output).contains(password));
}

#[test]
fn the_operator_deletes_a_message_and_its_text_is_gone_from_the_files() {
    const TEXT: &str = "unforgettable words";
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    let message = format!(r#"SEND_MESSAGE {{"target_type":1,"target":"tea","content":"{TEXT}"}}"#);
    let sent = ann.asks(&message);
    let Some(echat_proto::Value::Int(id)) = sent.params.at("id") else {
        panic!("{sent:?}");
    };
    let is_stored = || {
        let files = ["data/database.db", "data/database.db-wal"].map(|file| dir.path(file));
        let has_text = |bytes: Vec<u8>| {
            let mut parts = bytes.windows(TEXT.len());
            parts.any(|part| part == TEXT.as_bytes())
        };
        let mut bytes = files.iter().filter_map(|file| fs::read(file).ok());
        bytes.any(has_text)
    };
    assert!(is_stored());
    assert_eq!(ctl(&dir, "delete-message 99").status.code(), Some(1));
    assert_eq!(ctl(&dir, "delete-message all").status.code(), Some(64));
    done(&dir, &format!("delete-message {id}"));
    // The operator has no account: the name is empty.
    let told = line(&ann.hears_message());
    assert!(told.starts_with("ON_MESSAGE_CHANGED"), "{told}");
    assert!(told.contains(r#""deleted":true"#), "{told}");
    assert!(told.contains(r#""by":"""#), "{told}");
    while is_stored() {
        ann.is_served();
    }
    let audit = done(&dir, "--json audit");
    let entry = format!(r#""result":"done","command":"delete-message {id}""#);
    assert!(audit.contains(&entry), "{audit}");
    server.stop();
}

#[test]
fn prune_removes_what_is_too_old_at_once() {
    let dir = ServerFolder::new();
    dir.write("config.json", r#"{"server": {"keep_days": 1}}"#);
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    ann.asks(r#"SEND_MESSAGE {"target_type":1,"target":"tea","content":"old"}"#);
    let database = dir.path("data/database.db");
    let open = || rusqlite::Connection::open(&database).unwrap();
    let count = || {
        let sql = "SELECT count(*) FROM messages";
        let count = open().query_row(sql, [], |row| row.get::<_, i64>(0));
        count.unwrap()
    };
    open()
        .execute("UPDATE messages SET send_time = 1", ())
        .unwrap();
    assert_eq!(count(), 1);
    assert!(done(&dir, "prune").contains("being removed"));
    while count() > 0 {
        ann.is_served();
    }
    server.stop();
}

#[test]
fn what_is_refused_before_its_arguments_are_judged_is_in_the_audit_too() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    done(&dir, "make-admin ann");
    for (command, words) in [
        ("backup", r#"["/tmp/x"]"#),
        ("quit", "[]"),
        ("drain", r#"["5"]"#),
        ("reload", "[]"),
    ] {
        let ask = format!(r#"ADMIN {{"command":"{command}","params":{{"words":{words}}}}}"#);
        let refused = line(&ann.asks(&ask));
        assert!(refused.contains("not_allowed"), "{refused}");
    }
    for bad in [
        "kick a b",
        "quit now",
        "invitation revoke 2222-2222-2222-2222 now",
        // A password is not typed into a command; an operator may think so.
        "reset-password ann hunter2",
        "reset-password ann keep-tokens hunter2",
        "make-admin ann hunter2",
        "registration hunter2",
        "drain hunter2",
        "use-configured hunter2",
        "invitation new hunter2",
    ] {
        assert_eq!(ctl(&dir, bad).status.code(), Some(64), "{bad}");
    }
    let mut socket = Socket::connect(&dir);
    socket.asks(r#"{"command":"suspend","params":{"nmae":"ann","reason":"spam"}}"#);
    socket.asks(r#"{"command":"reload","params":{"words":[1]}}"#);
    socket.asks(r#"{"command":"reset-password","params":{"name":"ann","tokens":"hunter2"}}"#);
    let audit = done(&dir, "--json audit");
    assert!(!audit.contains("hunter2"), "{audit}");
    for (via, result, command) in [
        ("ctl", "bad_params", "reset-password ann ..."),
        ("ctl", "bad_params", "reset-password ann keep-tokens ..."),
        ("chat", "not_allowed", "backup /tmp/x"),
        ("chat", "not_allowed", "quit"),
        ("chat", "not_allowed", "drain 5"),
        ("chat", "not_allowed", "reload"),
        ("ctl", "bad_params", "kick a ..."),
        ("ctl", "bad_params", "quit ..."),
        ("ctl", "bad_params", "invitation revoke ..."),
        ("ctl", "bad_params", "suspend spam"),
        ("ctl", "bad_params", "reload"),
    ] {
        let entry = format!(r#""result":"{result}","command":"{command}"}}"#);
        let found = audit.split(r#"{"id":"#).find(|line| line.contains(&entry));
        let via = format!(r#""via":"{via}""#);
        assert!(
            found.is_some_and(|line| line.contains(&via)),
            "{entry}: {audit}"
        );
    }
    ann.is_served();
    server.stop();
}

#[test]
fn a_number_out_of_its_range_is_refused_by_name_and_with_the_range() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut socket = Socket::connect(&dir);
    for (command, name, value, range) in [
        ("drain", "seconds", "-1", "from 0 to 86400"),
        ("drain", "seconds", "1.5", "from 0 to 86400"),
        ("drain", "seconds", "86401", "from 0 to 86400"),
        ("drain", "seconds", "\"x\"", "from 0 to 86400"),
        (
            "drain",
            "seconds",
            "100000000000000000000",
            "from 0 to 86400",
        ),
        ("invitation new", "uses", "0", "from 1 to 10000"),
        ("invitation new", "uses", "10001", "from 1 to 10000"),
        (
            "delete-message",
            "id",
            "-1",
            "from 0 to 18446744073709551615",
        ),
        ("audit", "before", "0.5", "from 0 to 18446744073709551615"),
    ] {
        let ask = format!(r#"{{"command":"{command}","params":{{"{name}":{value}}}}}"#);
        let answer = socket.asks(&ask);
        assert!(answer.contains(r#""code":"bad_params""#), "{answer}");
        assert!(answer.contains(&format!(r#""field":"{name}""#)), "{answer}");
        assert!(answer.contains(range), "{answer}");
    }
    for blank in ["", "  ", "\r"] {
        let answer = socket.asks(blank);
        assert!(
            answer.contains("The line is no command: it is empty."),
            "{answer}"
        );
    }
    server.stop();
}

#[test]
fn what_signals_change_is_in_the_audit_too() {
    let dir = ServerFolder::new();
    dir.write(
        "config.json",
        r#"{"server": {"log_file": "echat.log", "log": "info"}}"#,
    );
    let server = dir.start(&["--config", "config.json"]);
    let is_audited = |entry: &str| while !done(&dir, "--data data --json audit").contains(entry) {};
    server.signal(Signal::HUP);
    is_audited(r#""via":"ctl","by":"SIGHUP","result":"done","command":"reload""#);
    dir.write("config.json", "{");
    server.signal(Signal::HUP);
    is_audited(r#""by":"SIGHUP","result":"bad_config","command":"reload""#);
    server.signal(Signal::USR1);
    is_audited(r#""by":"SIGUSR1","result":"done","command":"reopen-log""#);
    server.stop();
}

#[test]
fn statistics_count_what_is_there_and_backups_leave_deleted_users_out() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let [mut ann, mut bob, _cyn] =
        ["ann", "bob", "cyn"].map(|name| Client::register(&server, name));
    ann.befriends("ann", &mut bob, "bob");
    assert!(done(&dir, "statistics").contains("friendships: 1\n"));
    ann.asks(r#"REMOVE_FRIEND "bob""#);
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    bot_login(&mut ann, "clerk", "tea");
    assert!(done(&dir, "statistics").contains("bots: 1\n"));
    ann.asks(r#"REMOVE_BOT "clerk""#);
    for text in ["one", "two", "three"] {
        ann.asks(&format!(
            r#"SEND_MESSAGE {{"target_type":1,"target":"tea","content":"{text}"}}"#
        ));
    }
    done(&dir, "delete-user cyn");
    let counted = done(&dir, "statistics");
    for count in [
        "users: 2\n",
        "deleted users: 1\n",
        "bots: 0\n",
        "rooms: 2\n",
        "friendships: 0\n",
        "messages: 3\n",
        "newest message: 3\n",
    ] {
        assert!(counted.contains(count), "{count}: {counted}");
    }
    assert!(done(&dir, "backup now.backup").contains("users 2,"));
    assert!(done(&dir, "verify now.backup").contains("users 2,"));
    server.stop();
}

#[test]
fn a_time_that_is_none_is_an_error_and_no_reason() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    for bad in [
        "suspend ann tomorrow",
        "suspend ann spam in tea",
        "suspend ann 2x spam",
        "suspend ann 2020-01-01",
        "ban-address 192.0.2.1 tomorrow",
        "ban-address 192.0.2.1 0h",
        "invitation new 3 soon",
        "invitation new soon",
        "suspend ann 99999999d",
        "ban-address 192.0.2.1 99999999999d",
    ] {
        let refused = ctl(&dir, bad);
        assert_eq!(refused.status.code(), Some(64), "{bad}");
        let told = stderr(&refused);
        assert!(told.contains("must be a time"), "{bad}: {told}");
    }
    ann.is_served();
    assert!(done(&dir, "invitation new 7d").contains("uses: 1"));
    assert!(!done(&dir, "invitation new 3 forever").contains("expires"));
    let suspended = done(&dir, "suspend ann 2100-01-01 spam in tea");
    assert!(
        suspended.contains("until: 2100-01-01T00:00:00Z"),
        "{suspended}"
    );
    assert!(suspended.contains("reason: spam in tea"), "{suspended}");
    assert!(!done(&dir, "suspend ann forever spam").contains("until"));
    assert!(!done(&dir, "suspend ann").contains("until"));
    server.stop();
}

/// A configuration that is being repaired is in the way of no command that names the folder.
#[test]
fn with_data_no_command_needs_the_configuration() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    dir.write("config.json", "{ broken");
    for words in [
        "ctl status",
        "backup one.backup",
        "backup --keep 2 .",
        "check",
        "export all.jsonl --all",
        "--upgrade-check",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let refused = dir.run(&words);
        assert_eq!(refused.status.code(), Some(78), "{words:?}");
        let told = stderr(&refused);
        assert!(told.contains("--data DIR names the data folder"), "{told}");
        let named = dir.run(&[&words[..], &["--data", "data"]].concat());
        assert_eq!(
            named.status.code(),
            Some(0),
            "{words:?}: {}",
            stderr(&named)
        );
    }
    let import = ["import", "all.jsonl"];
    assert_eq!(dir.run(&import).status.code(), Some(78));
    let imported = dir.run(&[&import[..], &["--data", "new"]].concat());
    assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
    // One that is named is wanted.
    let named = ["check", "--data", "data", "--config", "config.json"];
    assert_eq!(dir.run(&named).status.code(), Some(78));
    let reload = ctl(&dir, "--data data reload");
    assert!(stderr(&reload).contains("config.json"), "{reload:?}");
    server.stop();
}

#[test]
fn an_option_within_a_text_is_not_swallowed() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    let refused = ctl(&dir, "broadcast we use --data now");
    assert_eq!(refused.status.code(), Some(64));
    assert!(stderr(&refused).contains("options stand before the command"));
    done(&dir, "broadcast -- we use --data now");
    assert!(line(&ann.hears_message()).contains("we use --data now"));
    assert!(done(&dir, "status --json").starts_with("{\"ok\":true"));
    server.stop();
}

#[test]
fn the_code_of_the_first_administrator_is_void_once_there_is_one() {
    let dir = ServerFolder::new();
    let file = dir.path("data/first_administrator_code");
    let server = dir.start(&[]);
    Client::register(&server, "ann").is_served();
    assert!(file.exists());
    done(&dir, "make-admin ann");
    // A connection is served after the file is removed.
    Client::login(&server, "ann").is_served();
    assert!(!file.exists());
    let log = server.stop();
    assert!(stderr(&log).contains("the code of the first one is void"));
}

#[test]
fn the_answer_has_an_exit_code_and_a_form_for_programs() {
    let dir = ServerFolder::new();
    let missing = ctl(&dir, "status");
    assert_eq!(missing.status.code(), Some(69), "{}", stderr(&missing));
    let server = dir.start(&[]);
    for (words, code) in [
        ("suspend nobody", 1),
        ("room nowhere", 1),
        ("suspend", 64),
        ("nothing", 64),
        ("registration shut", 64),
        ("limits friends 0", 64),
        ("user a b", 64),
        ("verify missing.backup", 66),
    ] {
        let output = ctl(&dir, words);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{words}: {}",
            stderr(&output)
        );
        assert_eq!(stdout(&output), "", "{words}");
        assert!(stderr(&output).starts_with("echat-server: "), "{words}");
        let output = ctl(&dir, &format!("--json {words}"));
        assert_eq!(output.status.code(), Some(code), "{words}");
        assert!(
            stdout(&output).starts_with(r#"{"ok":false,"code":""#),
            "{words}"
        );
    }
    let json = done(&dir, "--json registration");
    let expected = r#"{"ok":true,"result":{"registration":"open"},"text":"registration: open\n"}"#;
    assert_eq!(json.trim_end(), expected);
    assert_eq!(done(&dir, "registration --json"), json);
    done(&dir, "broadcast -- --json is a flag, not a text");
    assert!(done(&dir, "audit").contains("broadcast --json is a flag, not a text"));
    let help = done(&dir, "help");
    for command in [
        "suspend NAME [UNTIL] [REASON]",
        "invitation new [USES] [EXPIRES]",
    ] {
        assert!(help.contains(command), "{help}");
    }
    assert_eq!(server.stop().status.code(), Some(0));
    assert!(!dir.path("data/ctl.sock").exists());
}

/// The line of JSON that a command prints, and its exit code.
fn json(dir: &ServerFolder, words: &str) -> (serde_json::Value, Option<i32>) {
    let words: Vec<&str> = words.split(' ').collect();
    let output = dir.run(&words);
    assert_eq!(stderr(&output), "", "{words:?}");
    let line = stdout(&output).trim_end();
    assert!(!line.contains('\n'), "{words:?}: {line}");
    let value = serde_json::from_str(line);
    let value = value.unwrap_or_else(|error| panic!("{words:?}: {error}: {line:?}"));
    (value, output.status.code())
}

#[test]
fn a_program_gets_json_whatever_happens() {
    let dir = ServerFolder::new();
    dir.write("bad.json", "{");
    for (words, code, exit) in [
        ("ctl --json --data missing status", "no_server", 69),
        ("ctl --json --config bad.json status", "bad_config", 78),
        ("ctl --json --nonsense status", "bad_params", 64),
        ("ctl --json --timeout 0 status", "bad_params", 64),
        ("check --json --data missing", "not_found", 66),
        ("check --json --nonsense", "bad_params", 64),
        ("verify --json", "bad_params", 64),
    ] {
        let (value, ended) = json(&dir, words);
        assert_eq!(value["ok"], false, "{words}");
        assert_eq!(value["code"], code, "{words}");
        assert!(
            value["message"].as_str().is_some_and(|it| !it.is_empty()),
            "{words}"
        );
        assert_eq!(ended, Some(exit), "{words}");
    }
    let server = dir.start(&[]);
    server.signal(Signal::STOP);
    let (value, ended) = json(&dir, "ctl --json --timeout 2 status");
    assert_eq!((&value["code"], ended), (&"busy".into(), Some(75)));
    server.signal(Signal::CONT);
    Client::register(&server, "ann").is_served();
    // What a sentence says is there by key, too.
    for (words, keys) in [
        (
            "backup now.backup",
            &[
                "file",
                "users",
                "rooms",
                "messages",
                "newest_message",
                "schema",
            ][..],
        ),
        (
            "verify now.backup",
            &[
                "file",
                "users",
                "host_key",
                "created",
                "echat",
                "fingerprint",
            ],
        ),
        ("check", &["outcome"]),
        ("export all all.jsonl", &["file", "messages"]),
        ("reload", &["need_restart", "overridden"]),
        ("drain 600", &["seconds"]),
    ] {
        let (value, ended) = json(&dir, &format!("ctl --json {words}"));
        assert_eq!(ended, Some(0), "{words}: {value}");
        assert!(value["result"]["done"].is_string(), "{words}");
        for key in keys {
            assert!(!value["result"][key].is_null(), "{words}: {key}: {value}");
        }
    }
    server.stop();
}

#[test]
fn what_is_set_holds_over_a_restart_but_for_limits() {
    let dir = ServerFolder::new();
    dir.write(
        "config.json",
        r#"{"server": {"message_of_the_day": "of the file"}}"#,
    );
    let server = dir.start(&[]);
    assert!(done(&dir, "status").contains("message of the day: of the file"));
    done(&dir, "registration closed");
    done(&dir, "message-of-the-day be kind");
    done(&dir, "limits friends 7");
    assert!(done(&dir, "limits friends").contains('7'));
    server.stop();
    let server = dir.start(&[]);
    let status = done(&dir, "status");
    assert!(status.contains("registration: closed"), "{status}");
    assert!(status.contains("message of the day: be kind"), "{status}");
    assert!(done(&dir, "limits friends").contains("500"));
    let mut new = Client::connect(&server);
    let register = r#"REGISTER {"username":"new","password":"correct horse"}"#;
    assert!(line(&new.asks(register)).contains("registration_closed"));
}

#[test]
fn what_a_command_has_set_is_named_by_a_reload_and_given_back() {
    let dir = ServerFolder::new();
    dir.write(
        "config.json",
        r#"{"server": {"message_of_the_day": "of the file"}}"#,
    );
    let server = dir.start(&[]);
    done(&dir, "message-of-the-day of a command");
    done(&dir, "registration closed");
    let said = done(&dir, "reload");
    let named = "these are set by a command instead: registration, message_of_the_day";
    assert!(said.contains(named), "{said}");
    assert!(done(&dir, "status").contains("message of the day: of a command"));
    done(&dir, "use-configured message-of-the-day");
    done(&dir, "use-configured registration");
    assert!(!done(&dir, "reload").contains("instead"));
    server.stop();
    let server = dir.start(&[]);
    let status = done(&dir, "status");
    assert!(
        status.contains("message of the day: of the file"),
        "{status}"
    );
    assert!(status.contains("registration: open"), "{status}");
    drop(server);
}

#[test]
fn long_lists_have_pages_and_say_that_there_is_more() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    assert_eq!(server.stop().status.code(), Some(0));
    let db = rusqlite::Connection::open(dir.path("data/database.db")).unwrap();
    db.execute_batch(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
         INSERT INTO users (name, password, created_at) SELECT printf('member%03d', i), '*', 1 FROM n;
         INSERT INTO participants (user, conversation, after_id, read_id, joined_at)
             SELECT u.id, r.id, 0, 0, 1 FROM users AS u, rooms AS r
             WHERE u.name LIKE 'member%' AND r.name = 'tea';
         UPDATE rooms SET members = 301 WHERE name = 'tea';
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 201)
         INSERT INTO invitation_codes (code, uses, created_at)
             SELECT '2222-2222-2222-' || replace(replace(printf('%04d', i), '0', 'A'), '1', 'B'), 1, i / 2 FROM n;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 201)
         INSERT INTO address_bans (prefix, created_at) SELECT printf('192.0.2.%d/32', i), 1 FROM n;",
    )
    .unwrap();
    drop(db);
    let server = dir.start(&[]);
    // Each name on exactly one page.
    let room = done(&dir, "room tea");
    assert!(room.contains("member199 ... and more\n"), "{room}");
    assert!(!room.contains("member200"), "{room}");
    assert!(done(&dir, "--json room tea").contains(r#""members_more":true"#));
    let rest = done(&dir, "room tea member199");
    assert!(rest.contains("members: member200, "), "{rest}");
    assert!(
        rest.contains("member300\n") && !rest.contains("more"),
        "{rest}"
    );
    let first = done(&dir, "banned-addresses");
    assert_eq!(first.lines().count(), 202, "a heading, 200 rows, and more");
    let second = first.lines().nth(2).unwrap();
    assert_eq!(second.trim(), "192.0.2.2/32", "by number, not as text");
    let last = first.lines().nth(200).unwrap();
    let rest = done(&dir, &format!("banned-addresses {}", last.trim()));
    assert_eq!(rest.lines().count(), 2, "{rest}");
    assert!(!first.contains(rest.lines().last().unwrap()), "{rest}");
    let mut seen = std::collections::BTreeSet::new();
    let mut page = done(&dir, "invitation list");
    loop {
        let more = page.ends_with("... and more\n");
        let codes = page.lines().skip(1).filter(|line| !line.starts_with("..."));
        let codes: Vec<&str> = codes.map(|line| line.split(' ').next().unwrap()).collect();
        for code in &codes {
            assert!(seen.insert((*code).to_owned()), "{code} twice");
        }
        if !more {
            break;
        }
        page = done(&dir, &format!("invitation list {}", codes.last().unwrap()));
    }
    assert_eq!(seen.len(), 201);
    assert_eq!(
        ctl(&dir, "invitation list nonsense").status.code(),
        Some(64)
    );
    server.stop();
}

#[test]
fn sessions_have_pages_in_the_order_of_their_connections() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let _all = ["cyn", "bob", "ann"].map(|name| Client::register(&server, name));
    let sessions = done(&dir, "sessions");
    let names: Vec<&str> = sessions
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_eq!(names, ["cyn", "bob", "ann"]);
    let first = sessions.lines().nth(1).unwrap().split(' ').next().unwrap();
    let rest = done(&dir, &format!("sessions {first}"));
    assert_eq!(rest.lines().count(), 3, "{rest}");
    assert!(!rest.contains("cyn"));
}

#[test]
fn a_line_of_the_audit_is_kept_for_400_days_or_as_long_as_configured() {
    kept_for(400, "{}");
    kept_for(30, r#"{"server": {"audit_days": 30}}"#);
}

/// An entry of the audit is listed, and in the database, for so many days.
fn kept_for(days: i64, config: &str) {
    let dir = ServerFolder::new();
    dir.write("config.json", config);
    let (late, early) = (format!("kick {}", days - 1), format!("kick {}", days + 1));
    let server = dir.start(&[]);
    let status: serde_json::Value = serde_json::from_str(&done(&dir, "--json status")).unwrap();
    let now = status["result"]["time"].as_i64().unwrap();
    server.stop();
    let database = dir.path("data/database.db");
    let db = rusqlite::Connection::open(&database).unwrap();
    for days in [days + 1, days - 1] {
        let sql = "INSERT INTO audit (at, door, by, command, result) VALUES (?1, 'ctl', 'uid 0', ?2, 'done')";
        let line = (now - days * 24 * 60 * 60, format!("kick {days}"));
        db.execute(sql, line).unwrap();
    }
    drop(db);
    let server = dir.start(&[]);
    let audit = done(&dir, "audit");
    assert!(audit.contains(&late) && !audit.contains(&early), "{audit}");
    // The next change removes it from the file.
    done(&dir, "log-level info");
    server.stop();
    let db = rusqlite::Connection::open(&database).unwrap();
    let mut lines = db.prepare("SELECT command FROM audit ORDER BY id").unwrap();
    let lines = lines.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let lines: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(lines, [late.as_str(), "log-level info"]);
}

#[test]
fn a_password_does_not_wait_for_a_file() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    Client::register(&server, "ann").is_served();
    let (mut slow, file) = long_verification(&dir);
    assert!(done(&dir, "reset-password ann").contains("password: "));
    file.set_len(0).unwrap();
    assert!(slow.hears().contains(r#""ok":false"#));
    server.stop();
}

/// A backup of a tebibyte without blocks on the disk: it is verified until the file is made shorter.
fn long_backup(path: &Path) -> fs::File {
    let last = format!(
        "echat-backup {:<4} database {:020} sha256 {:064}\n",
        1, 0, 0
    );
    let file = fs::File::create_new(path).unwrap();
    file.write_all_at(last.as_bytes(), 1 << 40).unwrap();
    file
}

/// A client whose file is verified until the file is made shorter.
fn long_verification(dir: &ServerFolder) -> (Socket, fs::File) {
    let path = dir.path("long");
    let file = long_backup(&path);
    let mut client = Socket::connect(dir);
    client.sends(format!(
        "{{\"command\":\"verify\",\"words\":[\"{}\"]}}\n",
        path.display()
    ));
    (client, file)
}

#[test]
fn while_a_typed_command_is_not_done_the_loop_does_its_own_and_the_audit_has_what_is_refused() {
    let dir = ServerFolder::new();
    let pty = Pty::open();
    let shell = pty.shell(r#""$0" "$@""#);
    let args = ["--listen", "127.0.0.1:0", "--log", "off"];
    let server = ServerProcess::start(dir.command(&shell, &args));
    Client::register(&server, "ann").is_served();
    let path = dir.path("long");
    let _file = long_backup(&path);
    pty.types(&format!("verify {}\n", path.display()));
    pty.types("reset-password ann\n");
    pty.shows("the last command is not done yet");
    let refused =
        r#""via":"terminal","by":"operator","result":"busy","command":"reset-password ann"}"#;
    let audit = done(&dir, "--json audit");
    assert!(audit.contains(refused), "{audit}");
    pty.types("reload\nquit\n");
    let shown = pty.shows("the server stops");
    assert!(
        shown.contains("the configuration was read again"),
        "{shown}"
    );
    let screen = pty.reads_on();
    assert_eq!(server.end().status.code(), Some(0));
    drop(screen);
}

#[test]
fn a_task_of_a_client_that_is_gone_is_dropped_and_a_waiting_client_keeps_its_place() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let (mut slow, file) = long_verification(&dir);
    let backs_up = |name: &str| {
        let mut client = Socket::connect(&dir);
        let path = dir.path(name);
        let path = path.display();
        client.sends(format!(
            "{{\"command\":\"backup\",\"words\":[\"{path}\"]}}\n"
        ));
        client
    };
    drop(backs_up("abandoned.db"));
    // The server has noticed that this client is gone when it answers another one that came later.
    done(&dir, "status");
    done(&dir, "status");
    // All places of the socket but the last.
    let mut waiting: Vec<Socket> = (0..30)
        .map(|number| backs_up(&format!("backup{number}.db")))
        .collect();
    done(&dir, "status");
    let mut last = backs_up("last.db");
    last.is_told_to_wait();
    waiting.push(last);
    let output = ctl(&dir, "status");
    assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
    assert!(stderr(&output).contains("(busy)"));
    file.set_len(0).unwrap();
    assert!(slow.hears().contains(r#""ok":false"#));
    for mut client in waiting {
        assert!(client.hears().contains(r#""ok":true"#));
    }
    assert!(dir.path("last.db").exists());
    assert!(!dir.path("abandoned.db").exists());
    server.stop();
}

#[test]
fn a_silent_server_is_given_up_and_a_long_command_is_not() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    server.signal(Signal::STOP);
    let output = ctl(&dir, "--timeout 2 status");
    assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
    assert!(stderr(&output).contains("the server does not answer"));
    server.signal(Signal::CONT);
    // A command that waits for its turn for longer than that is told each second that the server is there.
    let (mut slow, file) = long_verification(&dir);
    let check = dir.command("umask 000", &["ctl", "--timeout", "2", "check"]);
    let waiting = ServerProcess::begin(check);
    let mut signs = [0; 5];
    slow.0.read_exact(&mut signs).unwrap();
    assert_eq!(signs, *b"     ");
    file.set_len(0).unwrap();
    let answer = slow.hears();
    let value: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(value["ok"], false, "{answer}");
    let output = waiting.end();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stdout(&output).contains("sound"), "{output:?}");
    server.stop();
}

#[test]
fn a_server_that_dies_during_a_command_has_not_answered() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let (mut slow, _file) = long_verification(&dir);
    let waiting = |args: &[&str]| ServerProcess::begin(dir.command("umask 000", args));
    let plain = waiting(&["ctl", "check"]);
    let json = waiting(&["ctl", "--json", "check"]);
    // All of them have signs of life by now, and no answer.
    slow.0.read_exact(&mut [0; 4]).unwrap();
    server.signal(Signal::KILL);
    let (plain, json) = (plain.end(), json.end());
    assert_eq!(plain.status.code(), Some(74), "{plain:?}");
    assert!(
        stderr(&plain).contains("before its answer was complete"),
        "{plain:?}"
    );
    assert_eq!(stdout(&plain), "");
    assert_eq!(json.status.code(), Some(74), "{json:?}");
    let value: serde_json::Value = serde_json::from_str(stdout(&json)).unwrap();
    assert_eq!(value["ok"], false, "{value}");
    server.end();
}

#[test]
fn a_socket_of_another_system_user_is_not_asked() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT RUN: only root can be another user");
        return;
    }
    let dir = ServerFolder::new();
    dir.start(&[]).stop();
    for path in [dir.path(""), dir.path("data")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let listen = r#"
$ctl = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or exit 1;
chmod 0666, $ARGV[0];
print "listening\n";
STDOUT->flush;
$asked = $ctl->accept;
print scalar <$asked>;
"#;
    let mut command = Command::new("setpriv");
    let ids = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let perl = ["perl", "-MIO::Handle", "-MIO::Socket::UNIX", "-e", listen];
    command.args(ids).args(perl).arg(dir.path("data/ctl.sock"));
    let mut other = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(other.stdout.take().unwrap());
    let mut first = String::new();
    said.read_line(&mut first).unwrap();
    assert_eq!(first, "listening\n");
    let output = ctl(&dir, "reset-password ann");
    assert_eq!(output.status.code(), Some(77), "{}", stderr(&output));
    assert!(stderr(&output).contains("user 65534"));
    // It has not learned the command.
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    other.wait().unwrap();
}

#[test]
fn a_path_that_no_system_accepts_is_refused_with_its_key() {
    let dir = ServerFolder::new();
    for (config, key) in [
        (r#"{"server": {"log_file": ""}}"#, "server.log_file"),
        (r#"{"server": {"log_file": "a\u0000b"}}"#, "server.log_file"),
        (
            r#"{"server": {"backup": {"folder": ""}}}"#,
            "server.backup.folder",
        ),
        (r#"{"server": {"data": ""}}"#, "server.data"),
    ] {
        dir.write("config.json", config);
        let output = dir.run(&["--check-config"]);
        assert_eq!(output.status.code(), Some(78), "{config}");
        let said = stderr(&output);
        assert!(
            said.contains(&format!("{key}: must be the path of a")),
            "{said}"
        );
    }
}

/// Makes a pipe that no process reads or writes.
fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

#[test]
fn a_file_that_is_not_regular_is_refused_and_blocks_no_other_command() {
    let dir = ServerFolder::new();
    let pipe = dir.path("pipe");
    make_pipe(&pipe);
    for command in [
        &["verify", "pipe"][..],
        &["restore", "pipe", "--data", "new"],
        &["import", "pipe", "--data", "new"],
    ] {
        let output = dir.run(command);
        let said = stderr(&output);
        assert!(
            said.contains("pipe: not a regular file"),
            "{command:?}: {said}"
        );
    }
    let server = dir.start(&[]);
    let output = ctl(&dir, "verify pipe");
    assert_eq!(output.status.code(), Some(74), "{}", stderr(&output));
    assert!(stderr(&output).contains("pipe: not a regular file"));
    for target in ["backup pipe", "export all pipe"] {
        assert_eq!(ctl(&dir, target).status.code(), Some(73), "{target}");
    }
    done(&dir, "check");
    server.stop();
}

#[test]
fn a_log_file_that_is_no_regular_file_is_refused_and_the_old_one_goes_on() {
    let dir = ServerFolder::new();
    dir.write("config.json", r#"{"server": {"log_file": "echat.log"}}"#);
    let log = dir.path("echat.log");
    make_pipe(&log);
    let output = dir.run(&["--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(73), "{}", stderr(&output));
    fs::remove_file(&log).unwrap();
    let server = dir.start(&["--log", "info"]);
    let old = dir.path("old.log");
    fs::rename(&log, &old).unwrap();
    make_pipe(&log);
    server.signal(Signal::USR1);
    let failed = r#""by":"SIGUSR1","result":"cannot_create","command":"reopen-log""#;
    while !done(&dir, "--json audit").contains(failed) {}
    server.stop();
    let lines = fs::read_to_string(&old).unwrap();
    assert!(lines.contains("not a regular file"), "{lines}");
    assert!(!lines.contains("goes on in this file"), "{lines}");
    assert!(lines.contains("stopping"), "{lines}");
}

/// Whether the server still holds its locks on the database: this process could take them else. Programs with an older
/// `SQLite` would then believe that no other uses the database, and delete its write-ahead log.
#[track_caller]
fn is_still_locked(dir: &ServerFolder, after: &str) {
    for file in ["database.db", "database.db-shm"] {
        let path = dir.path("data").join(file);
        let opened = fs::File::options().read(true).write(true).open(path);
        let opened = opened.unwrap();
        let taken = fcntl_lock(&opened, FlockOperation::NonBlockingLockExclusive);
        assert_eq!(taken, Err(Errno::AGAIN), "{file} after {after}");
    }
}

#[test]
fn a_file_of_the_database_is_not_opened_by_name_whatever_the_name_is() {
    const DATABASE: &str = "data/database.db";
    let link = |dir: &ServerFolder, file: &str, name: &str| {
        symlink(dir.path(file), dir.path(name)).unwrap();
    };
    let hard_link = |dir: &ServerFolder, name: &str| {
        fs::hard_link(dir.path(DATABASE), dir.path(name)).unwrap();
    };
    for (command, code, name) in [
        ("verify data/database.db", 74, None),
        ("verify data/database.db-shm", 74, None),
        ("verify data/database.db-wal", 74, None),
        ("verify link", 74, Some("link")),
        ("verify hard", 74, Some("hard")),
        ("backup hard", 73, Some("hard.tmp")),
    ] {
        let dir = ServerFolder::new();
        let server = dir.start(&[]);
        match name {
            Some(name @ "link") => link(&dir, DATABASE, name),
            Some(name) => hard_link(&dir, name),
            None => {}
        }
        let refused = ctl(&dir, command);
        is_still_locked(&dir, command);
        let said = stderr(&refused);
        assert_eq!(refused.status.code(), Some(code), "{command}: {said}");
        assert!(said.contains("is in use"), "{command}: {said}");
        server.stop();
    }
}

#[test]
fn a_configuration_and_a_log_that_are_the_database_are_not_opened() {
    let dir = ServerFolder::new();
    dir.write("config.json", r#"{"server": {"log_file": "echat.log"}}"#);
    let server = dir.start(&["--log", "info"]);
    let database = dir.path("data/database.db");
    fs::remove_file(dir.path("config.json")).unwrap();
    symlink(&database, dir.path("config.json")).unwrap();
    let refused = ctl(&dir, "--data data reload");
    is_still_locked(&dir, "reload");
    assert_eq!(refused.status.code(), Some(78), "{}", stderr(&refused));
    let log = dir.path("old.log");
    fs::rename(dir.path("echat.log"), &log).unwrap();
    symlink(&database, dir.path("echat.log")).unwrap();
    server.signal(Signal::USR1);
    let failed = r#""by":"SIGUSR1","result":"cannot_create","command":"reopen-log""#;
    let audit = || {
        let output = ctl(&dir, "--data data --json audit");
        stdout(&output).to_owned()
    };
    while !audit().contains("SIGUSR1") {}
    assert!(audit().contains(failed), "{}", audit());
    is_still_locked(&dir, "SIGUSR1");
    server.stop();
    let lines = fs::read_to_string(&log).unwrap();
    assert!(lines.contains("is in use"), "{lines}");
}

/// What is told of a database that cannot be read is not found out by reading it.
#[test]
fn a_check_of_a_database_with_a_damaged_header_keeps_the_locks() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let path = dir.path("data/database.db");
    // From now on the first page is read from the file.
    let db = Connection::open(&path).unwrap();
    let emptied = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    assert_eq!(emptied, Ok(0), "the server does nothing");
    drop(db);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(b"damaged", 0).unwrap();
    let damaged = ctl(&dir, "check");
    file.write_all_at(b"SQLite ", 0).unwrap();
    is_still_locked(&dir, "check");
    assert_eq!(damaged.status.code(), Some(65), "{}", stderr(&damaged));
    assert!(stderr(&damaged).contains("damaged"), "{}", stderr(&damaged));
    server.stop();
}

/// Lines that are appended to a file of the data folder would destroy it.
#[test]
fn a_log_file_that_is_a_file_of_the_data_folder_is_refused() {
    let dir = ServerFolder::new();
    dir.start(&[]).stop();
    symlink("data", dir.path("link")).unwrap();
    symlink("data/database.db", dir.path("database")).unwrap();
    let content = |name: &str| fs::read(dir.path(name)).ok();
    let names = [
        "database.db",
        "database.db-wal",
        "host_key",
        "high_water",
        "lock",
    ];
    let before = names.map(|name| content(&format!("data/{name}")));
    let files = names.map(|name| format!("data/{name}"));
    let files = files.iter().map(String::as_str);
    for file in files.chain(["link/database.db-wal", "database"]) {
        let config = format!(r#"{{"server": {{"log_file": "{file}"}}}}"#);
        dir.write("config.json", config);
        let output = dir.run(&["--listen", "127.0.0.1:0"]);
        assert_eq!(output.status.code(), Some(73), "{}", stderr(&output));
        let why = format!("{file}: a file of the data folder");
        assert!(stderr(&output).contains(&why), "{}", stderr(&output));
        let after = names.map(|name| content(&format!("data/{name}")));
        assert!(after == before, "{file}");
    }
}

#[test]
fn a_banned_address_is_not_served_until_the_ban_ends() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    done(&dir, "ban-address 127.0.0.0/8 1h");
    while ann.hears().is_some() {}
    assert!(some_bytes(&mut raw_connection(server.address())).is_empty());
    assert!(done(&dir, "banned-addresses").contains("127.0.0.0/8"));
    server.stop();
    let server = dir.start(&[]);
    assert!(some_bytes(&mut raw_connection(server.address())).is_empty());
    done(&dir, "unban-address 127.0.0.0/8");
    Client::login(&server, "ann").is_served();
}

#[test]
fn an_address_inside_another_ban_is_not_said_to_be_served() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    done(&dir, "ban-address 10.0.0.0/8");
    let refused = ctl(&dir, "unban-address 10.1.2.3");
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("it is in 10.0.0.0/8, which is banned"));
    let json = ctl(&dir, "--json unban-address 10.1.2.3");
    assert!(stdout(&json).contains(r#""banned_by":["10.0.0.0/8"]"#));
    done(&dir, "ban-address 10.1.2.3");
    let lifted = done(&dir, "unban-address 10.1.2.3");
    let said = "the ban of 10.1.2.3/32 is lifted\nstill banned by: 10.0.0.0/8\n";
    assert_eq!(lifted, said);
    done(&dir, "ban-address 10.1.0.0/16");
    let lifted = done(&dir, "unban-address 10.0.0.0/8");
    assert!(lifted.contains("still banned: 10.1.0.0/16\n"), "{lifted}");
    assert_eq!(
        done(&dir, "unban-address 11.0.0.0/8"),
        "11.0.0.0/8 is not banned\n"
    );
    server.stop();
}

#[test]
fn the_message_of_the_day_is_shown_set_and_removed_within_one_length() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    assert_eq!(
        done(&dir, "message-of-the-day"),
        "message of the day: none\n"
    );
    let long = "x".repeat(4_000);
    done(&dir, &format!("message-of-the-day {long}"));
    let too_long = ctl(&dir, &format!("message-of-the-day {long}x"));
    assert_eq!(too_long.status.code(), Some(64));
    assert!(stderr(&too_long).contains("1 to 4000 bytes"));
    assert_eq!(
        done(&dir, "message-of-the-day"),
        format!("message of the day: {long}\n")
    );
    let audit = done(&dir, "audit");
    done(&dir, "message-of-the-day none");
    assert_eq!(
        done(&dir, "message-of-the-day"),
        "message of the day: none\n"
    );
    // Showing it is not in the audit.
    assert_eq!(
        done(&dir, "audit").lines().count(),
        audit.lines().count() + 1
    );
    let config = |text: &str| {
        let file = format!(r#"{{"server": {{"message_of_the_day": "{text}"}}}}"#);
        dir.write("config.json", file);
        dir.run(&["--check-config"]).status.code()
    };
    assert_eq!(config(&long), Some(0));
    assert_eq!(config(&format!("{long}x")), Some(78));
    server.stop();
}

#[test]
fn the_level_of_the_log_is_shown_set_and_configured_again() {
    let dir = ServerFolder::new();
    dir.write("config.json", r#"{"server":{"log":"warn"}}"#);
    let server = dir.start(&[]);
    assert_eq!(done(&dir, "log-level"), "log level: warn\n");
    let set = done(&dir, "log-level warn,echat_server::storage=debug");
    assert!(
        set.ends_with("log level: warn,echat_server::storage=debug\n"),
        "{set}"
    );
    for bad in ["log-level storage=", "log-level loud"] {
        assert_eq!(ctl(&dir, bad).status.code(), Some(64), "{bad}");
    }
    let shown = done(&dir, "log-level");
    assert_eq!(shown, "log level: warn,echat_server::storage=debug\n");
    done(&dir, "reload");
    assert_eq!(done(&dir, "log-level"), "log level: warn\n");
    server.stop();
}

#[test]
fn a_limit_that_is_set_is_named_and_one_that_is_wrong_says_why() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let set = done(&dir, "--json limits friends 7");
    assert!(set.contains(r#""name":"friends","value":7"#), "{set}");
    for (bad, why) in [
        (
            "limits nonsense",
            "name: is not a limit; `limits` lists them",
        ),
        (
            "limits nonsense 7",
            "name: is not a limit; `limits` lists them",
        ),
        ("limits friends 1001", "value: must be 1 to 1000, not 1001"),
        (
            "limits frame_bytes 5000",
            "value: server.limits.content_bytes: must be",
        ),
    ] {
        let refused = ctl(&dir, bad);
        assert_eq!(refused.status.code(), Some(64), "{bad}");
        assert!(
            stderr(&refused).contains(why),
            "{bad}: {}",
            stderr(&refused)
        );
    }
    for (registration, said) in [
        ("open", "no code is needed"),
        ("invitation", "made an invitation code\n"),
        ("closed", "is not good yet: registration is closed"),
    ] {
        done(&dir, &format!("registration {registration}"));
        let made = done(&dir, "invitation new");
        assert!(made.contains(said), "{made}");
        assert!(
            made.contains(&format!("registration: {registration}\n")),
            "{made}"
        );
    }
    server.stop();
}

#[test]
fn a_limit_of_connections_stays_within_that_of_open_files() {
    let dir = ServerFolder::new();
    let server = dir.start_behind("ulimit -n 200", &[]);
    let limit = || done(&dir, "limits connections");
    let bound = limit();
    let refused = ctl(&dir, "limits connections 5000");
    assert_eq!(refused.status.code(), Some(64), "{}", stdout(&refused));
    let said = stderr(&refused);
    assert!(
        said.contains("value: must be at most 150: the system"),
        "{said}"
    );
    assert_eq!(limit(), bound);
    done(&dir, "limits connections 20");
    done(&dir, "reload");
    assert_eq!(limit(), bound);
    server.stop();
}

#[test]
fn a_backup_a_check_and_exports_are_made_beside_the_server() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    ann.asks(r#"SEND_MESSAGE {"target_type":1,"target":"tea","content":"a text"}"#);
    done(&dir, "backup now.backup");
    assert!(done(&dir, "verify now.backup").contains("messages 1"));
    assert_eq!(ctl(&dir, "backup now.backup").status.code(), Some(73));
    assert!(done(&dir, "check").contains("sound"));
    for command in [
        "export all all",
        "export user ann user",
        "export room tea room",
    ] {
        done(&dir, command);
        let file = dir.path(command.rsplit(' ').next().unwrap());
        assert!(
            fs::read_to_string(&file).unwrap().contains("a text"),
            "{command}"
        );
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let unknown = ctl(&dir, "--json export user nobody file");
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stdout(&unknown).contains(r#""code":"unknown_user""#));
    assert!(stdout(&ctl(&dir, "--json export room no file")).contains(r#""unknown_room""#));
    assert_eq!(ctl(&dir, "export all no/file").status.code(), Some(73));
    assert_eq!(ctl(&dir, "export all -").status.code(), Some(64));
    // No other command shows a text.
    for command in [
        "status", "users", "user ann", "rooms", "room tea", "sessions", "audit",
    ] {
        assert!(!done(&dir, command).contains("a text"), "{command}");
    }
    ann.is_served();
}

#[test]
fn a_file_in_a_folder_that_the_server_sees_otherwise_is_refused() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    done(&dir, "backup good.backup");
    let mut socket = Socket::connect(&dir);
    let metadata = dir.path("").metadata().unwrap();
    let (device, inode) = (metadata.dev(), metadata.ino());
    let root = Path::new("/").metadata().unwrap().ino();
    let folder = |inode: u64| format!(r#"{{"device":{device},"inode":{inode}}}"#);
    let other = if inode == root { root + 1 } else { root };
    for (command, words, code) in [
        ("backup", "", "cannot_create"),
        ("export all", "", "cannot_create"),
        ("export user", r#""ann","#, "cannot_create"),
        ("verify", "", "not_found"),
    ] {
        let name = if command == "verify" {
            "good.backup"
        } else {
            "new"
        };
        let file = dir.path(name);
        for seen in [folder(other), "null".to_owned()] {
            let answer = socket.asks(&format!(
                r#"{{"command":"{command}","words":[{words}"{}"],"folder":{seen}}}"#,
                file.display()
            ));
            assert!(answer.contains(&format!(r#""code":"{code}""#)), "{answer}");
            assert!(answer.contains("sees another folder there"), "{answer}");
            assert!(!dir.path("new").exists() && !dir.path("new.tmp").exists());
        }
    }
    // A folder that only the caller sees is the same mistake.
    let elsewhere = format!(
        r#"{{"command":"backup","words":["/nowhere/x"],"folder":{}}}"#,
        folder(inode)
    );
    assert!(
        socket
            .asks(&elsewhere)
            .contains("sees another folder there")
    );
    let audit = done(&dir, "audit");
    assert!(audit.contains("cannot_create"), "{audit}");
    for bad in [
        "1",
        "{}",
        r#"{"device":1}"#,
        r#"{"device":-1,"inode":1}"#,
        "[]",
    ] {
        let answer = socket.asks(&format!(
            r#"{{"command":"backup","words":["/x"],"folder":{bad}}}"#
        ));
        assert!(answer.contains("bad_line"), "{bad}: {answer}");
    }
    // A program that does not say is believed to know.
    for seen in [format!(r#","folder":{}"#, folder(inode)), String::new()] {
        let file = dir.path(format!("new{}", seen.len()));
        let answer = socket.asks(&format!(
            r#"{{"command":"backup","words":["{}"]{seen}}}"#,
            file.display()
        ));
        assert!(answer.contains(r#""ok":true"#) && file.exists(), "{answer}");
    }
    server.stop();
}

/// As with a service that has a /tmp of its own: here the caller has the folder of its own.
#[test]
fn a_caller_with_another_folder_under_the_path_is_told_so() {
    let own_folder = |command: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", command]);
        unshare
    };
    if !own_folder("mount -t tmpfs none /tmp")
        .output()
        .is_ok_and(|run| run.status.success())
    {
        eprintln!("NOT RUN: the system gives no mount namespaces");
        return;
    }
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    fs::create_dir(dir.path("out")).unwrap();
    let ask = format!(
        "mount -t tmpfs none out && exec {} ctl backup out/new.backup",
        env!("CARGO_BIN_EXE_echat-server")
    );
    let output = own_folder(&ask).current_dir(dir.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(73), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("/out: the server sees another folder there"),
        "{output:?}"
    );
    assert!(!dir.path("out/new.backup").exists());
    done(&dir, "backup out/new.backup");
    assert!(dir.path("out/new.backup").exists());
    server.stop();
}

/// A folder whose backup and export are of 60 MB: much more than is written while a server ends.
fn large_folder() -> ServerFolder {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    ann.asks(r#"SEND_MESSAGE {"target_type":1,"target":"tea","content":"a text"}"#);
    assert_eq!(server.stop().status.code(), Some(0));
    let db = rusqlite::Connection::open(dir.path("data/database.db")).unwrap();
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
               INSERT INTO messages (conversation, sender, send_time, content)
               SELECT conversation, sender, send_time, printf('%.*c', 1000, 'x') FROM messages, n";
    db.execute(sql, []).unwrap();
    drop(db);
    dir
}

/// Has the server write `name`, and returns when it does.
fn begins_to_write(dir: &ServerFolder, command: &str, name: &str) {
    let target = dir.path(name);
    let words = match command {
        "backup" => format!("[\"{}\"]", target.display()),
        _ => format!("[\"all\",\"{}\"]", target.display()),
    };
    let mut socket = Socket::connect(dir);
    socket.sends(format!(r#"{{"command":"{command}","words":{words}}}"#) + "\n");
    socket.0.get_ref().set_nonblocking(true).unwrap();
    let is_begun = || {
        let temporary = temporary(dir, name).and_then(|path| path.metadata().ok());
        temporary.is_some_and(|found| found.len() > 0)
    };
    while !is_begun() {
        let mut said = [0; 4_096];
        if let Ok(length) = socket.0.get_mut().read(&mut said) {
            let said = String::from_utf8_lossy(&said[..length]);
            assert_eq!(said.trim(), "", "{command}");
        }
        std::thread::yield_now();
    }
}

/// The file that is to become `name`: `.tmp` follows the name of a backup, and that of an export is hidden.
fn temporary(dir: &ServerFolder, name: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(dir.path("")).unwrap();
    let mut names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found = names.find(|found| {
        let is_hidden = found.starts_with(&format!(".{name}.")) && found.ends_with(".echat-tmp");
        is_hidden || *found == format!("{name}.tmp")
    });
    found.map(|found| dir.path(found))
}

/// What a killed server left is recognised as what it is.
#[test]
fn a_backup_and_an_export_of_a_killed_server_are_removed_by_the_next_of_either_and_at_a_start() {
    let dir = large_folder();
    dir.write("mine.tmp", "of the user");
    for (command, name, remover) in [
        ("backup", "big", &[][..]),
        ("export", "all", &[]),
        ("backup", "big", &["backup", "other"]),
        ("export", "all", &["backup", "another"]),
        ("backup", "big", &["export", "ann", "--user", "ann"]),
        ("export", "all", &["export", "same", "--user", "ann"]),
    ] {
        let server = dir.start(&["--log", "info"]);
        begins_to_write(&dir, command, name);
        server.kill();
        let left = temporary(&dir, name);
        let left = left.unwrap_or_else(|| panic!("{command}: it was too fast for this test"));
        if remover.is_empty() {
            let log = dir.start(&["--log", "info"]).stop();
            let said = format!("removed {}, which a killed process left", left.display());
            assert!(stderr(&log).contains(&said), "{}", stderr(&log));
        } else {
            let output = dir.run(remover);
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        }
        assert!(!left.exists(), "{command} {remover:?}");
        assert!(!dir.path(name).exists(), "{command}");
    }
    let names = fs::read_dir(dir.path("data")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!names.into_iter().any(|name| name.starts_with("unfinished")));
    assert_eq!(
        fs::read_to_string(dir.path("mine.tmp")).unwrap(),
        "of the user"
    );
}

/// The end of a server stops what its threads write, and leaves nothing of it.
#[test]
fn a_backup_and_an_export_that_a_stop_ends_leave_no_file() {
    let dir = large_folder();
    for (command, name) in [("backup", "big"), ("export", "all")] {
        let server = dir.start(&["--log", "error"]);
        begins_to_write(&dir, command, name);
        assert_eq!(server.stop().status.code(), Some(0));
        assert_eq!(temporary(&dir, name), None, "{command}");
        let target = dir.path(name);
        assert!(!target.exists(), "{command}: it was too fast for this test");
    }
}

#[test]
fn a_reload_changes_what_it_can_and_names_the_rest_and_drops_no_one() {
    let dir = ServerFolder::new();
    dir.write("config.json", r#"{"server": {"log": "info"}}"#);
    let mut server = dir.start(&["--config", "config.json"]);
    let mut ann = Client::register(&server, "ann");
    let config = r#"{"server": {"message_of_the_day": "new", "limits": {"friends": 9}, "lobby": "hall", "log": "info", "proxy_protocol": ["192.0.2.0/24"]}}"#;
    dir.write("config.json", config);
    for _ in 0..2 {
        let said = done(&dir, "reload");
        let restart = "these need a restart: server.proxy_protocol, server.lobby";
        assert!(said.contains(restart), "{said}");
    }
    let status = done(&dir, "status");
    assert!(status.contains("message of the day: new"), "{status}");
    assert!(done(&dir, "limits friends").contains('9'));
    // A bad file changes nothing, and says why.
    for bad in [r#"{"server": {"limits": {"friends": 0}}}"#, "{", ""] {
        dir.write("config.json", bad);
        assert_eq!(ctl(&dir, "reload").status.code(), Some(78), "{bad}");
        let output = ctl(&dir, "--data data reload");
        assert_eq!(output.status.code(), Some(78), "{bad}");
        assert!(
            stderr(&output).contains("the configuration is kept: config.json"),
            "{bad}"
        );
        server.signal(Signal::HUP);
        server.logs("SIGHUP: the configuration is kept: config.json");
        assert!(done(&dir, "--data data limits friends").contains('9'));
    }
    dir.write(
        "config.json",
        r#"{"server": {"limits": {"friends": 8}, "log": "info"}}"#,
    );
    server.signal(Signal::HUP);
    let logged = server.logs("SIGHUP: the configuration was read again");
    assert!(!logged.contains("restart"), "{logged}");
    assert!(done(&dir, "limits friends").contains('8'));
    ann.is_served();
}

/// An editor may remove the file before it writes the new one.
/// As requests that store do.
#[test]
fn backups_and_exports_follow_what_a_reload_and_a_command_change() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let backup = |file: &str| ctl(&dir, &format!("--json backup {file}"));
    let is_refused = |output: &Output| {
        assert_eq!(output.status.code(), Some(74));
        let said = format!("{}{}", stdout(output), stderr(output));
        assert!(said.contains("`free_bytes`"), "{said}");
    };
    assert!(stdout(&backup("one")).contains(r#""config":false"#));
    dir.write("config.json", "{}");
    done(&dir, "reload");
    assert!(stdout(&backup("two")).contains(r#""config":true"#));
    done(&dir, "limits free_bytes 1000000000000");
    is_refused(&backup("three"));
    is_refused(&ctl(&dir, "export all all"));
    done(&dir, "reload");
    assert_eq!(backup("four").status.code(), Some(0));
    dir.write(
        "config.json",
        r#"{"server": {"limits": {"free_bytes": 1000000000000}}}"#,
    );
    done(&dir, "reload");
    is_refused(&backup("five"));
    server.stop();
}

#[test]
fn a_reload_without_the_file_that_was_read_keeps_the_configuration() {
    let dir = ServerFolder::new();
    let closed = r#"{"server": {"registration": "closed", "log": "info"}}"#;
    dir.write("config.json", closed);
    let mut server = dir.start(&[]);
    let aside = || fs::rename(dir.path("config.json"), dir.path("aside")).unwrap();
    aside();
    let refused = ctl(&dir, "reload");
    assert_eq!(refused.status.code(), Some(78), "{}", stderr(&refused));
    let why = "the configuration is kept: config.json: No such file";
    assert!(stderr(&refused).contains(why), "{}", stderr(&refused));
    server.signal(Signal::HUP);
    server.logs("SIGHUP: the configuration is kept: config.json: No such file");
    assert!(done(&dir, "registration").contains("closed"));
    server.stop();
    // A server that began without a file takes one that is there later, and from then on it has to be there.
    let server = dir.start(&[]);
    assert!(done(&dir, "registration").contains("open"));
    done(&dir, "reload");
    dir.write("config.json", closed);
    done(&dir, "reload");
    assert!(done(&dir, "registration").contains("closed"));
    aside();
    assert_eq!(ctl(&dir, "reload").status.code(), Some(78));
    assert!(done(&dir, "registration").contains("closed"));
    server.stop();
}

#[test]
fn the_log_goes_to_a_file_that_is_opened_again() {
    let dir = ServerFolder::new();
    dir.write(
        "config.json",
        r#"{"server": {"log_file": "echat.log", "log_format": "json"}}"#,
    );
    let server = dir.start(&["--log", "info"]);
    Client::register(&server, "ann").is_served();
    let mut guess = Client::connect(&server);
    guess.asks(r#"LOGIN {"username":"ann","password":"wrong horse"}"#);
    let log = dir.path("echat.log");
    assert_eq!(log.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    fs::rename(&log, dir.path("echat.log.1")).unwrap();
    server.signal(Signal::USR1);
    while !log.exists() {
        Client::login(&server, "ann").is_served();
    }
    let output = server.stop();
    assert_eq!(stderr(&output), "");
    let old = fs::read_to_string(dir.path("echat.log.1")).unwrap();
    let new = fs::read_to_string(&log).unwrap();
    assert!(
        old.contains("listening") || old.contains("serving data folder"),
        "{old}"
    );
    assert!(new.contains("SIGUSR1") && new.contains("stopping"), "{new}");
    let value = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let failed = old
        .lines()
        .map(value)
        .find(|line| line["message"] == "login failed");
    let failed = failed.unwrap();
    assert_eq!(
        (&failed["user"], &failed["address"]),
        (&"ann".into(), &"127.0.0.1".into())
    );
    for line in old.lines().chain(new.lines()) {
        let value = value(line);
        for key in ["time", "level", "target", "message"] {
            assert!(value[key].is_string(), "{key}: {line}");
        }
    }
    dir.write(
        "config.json",
        r#"{"server": {"log_file": "missing/echat.log"}}"#,
    );
    let output = dir.run(&["--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(73), "{}", stderr(&output));
}

#[test]
fn lines_for_the_journal_begin_with_their_priority() {
    let dir = ServerFolder::new();
    for (stream, first) in [
        ("$(stat -L -c %d:%i /proc/self/fd/2)", "<6>"),
        ("1:1", "20"),
    ] {
        // The shell's own standard error is that of the server.
        let shell = format!("export JOURNAL_STREAM={stream}");
        let output = dir.start_behind(&shell, &["--log", "info"]).stop();
        let lines: Vec<&str> = stderr(&output).lines().collect();
        assert!(lines.len() > 2, "{lines:?}");
        assert!(
            lines.iter().all(|line| line.starts_with(first)),
            "{lines:?}"
        );
    }
}

/// What a server writes to standard error that ends while it serves: its files may have half a megabyte.
fn stderr_of_a_failing_server(dir: &ServerFolder, shell: &str) -> String {
    let server = dir.start_behind(&format!("{shell}; ulimit -f 1024"), &["--log", "off"]);
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    let content = "x".repeat(3_900);
    let send = format!(r#"SEND_MESSAGE {{"target_type":1,"target":"tea","content":"{content}"}}"#);
    while ann.says(&[&send]) {}
    let output = server.end();
    assert_eq!(output.status.code(), Some(74));
    stderr(&output).to_owned()
}

#[test]
fn why_the_server_ended_is_in_the_log_in_its_form_whatever_the_filter() {
    const WHY: &str = "stopping, nothing unsaved was acknowledged";
    let configured = |log: &str| {
        let dir = ServerFolder::new();
        let config = format!(r#"{{"server": {{{log} "limits": {{"message_rate": 0}}}}}}"#);
        dir.write("config.json", config);
        dir
    };
    let is_json = |said: &str| {
        let line: serde_json::Value = serde_json::from_str(said).unwrap();
        let message = line["message"].as_str().unwrap();
        assert!(line["level"] == "ERROR" && message.ends_with(WHY), "{said}");
        assert!(line["time"].is_string() && line["target"].is_string());
    };
    is_json(&stderr_of_a_failing_server(
        &configured(r#""log_format": "json","#),
        "true",
    ));
    let journal = "export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)";
    let said = stderr_of_a_failing_server(&configured(""), journal);
    assert!(said.starts_with("<3>20") && said.ends_with(&format!("{WHY}\n")));
    assert_eq!(said.lines().count(), 1, "{said}");
    // With a log file the terminal and the journal are told too.
    let dir = configured(r#""log_file": "echat.log", "log_format": "json","#);
    let said = stderr_of_a_failing_server(&dir, journal);
    assert!(
        said.starts_with("<3>echat-server: the database failed: "),
        "{said}"
    );
    is_json(&fs::read_to_string(dir.path("echat.log")).unwrap());
    // A start that fails, after and before the configuration was read.
    dir.write("config.json", "{}");
    for (args, first) in [
        (["--data", "config.json"], "<3>20"),
        (["--config", "none"], "<3>echat-server: none: "),
    ] {
        let command = dir.command(journal, &args);
        let output = ServerProcess::begin(command).end();
        let last = stderr(&output).lines().last().unwrap_or_default();
        assert!(last.starts_with(first), "{output:?}");
    }
}

#[test]
fn the_log_says_why_sessions_ended_and_by_whom_the_server_was_stopped() {
    let dir = ServerFolder::new();
    let server = dir.start(&["--log", "info"]);
    let mut expected = Vec::new();
    for (command, name, reason) in [
        ("kick ann", "ann", "kicked"),
        ("suspend bob", "bob", "suspended"),
        ("reset-password cyn", "cyn", "password reset"),
        ("delete-user dan", "dan", "account deleted"),
        ("ban-address 127.0.0.0/8", "eve", "address banned"),
    ] {
        let mut session = Client::register(&server, name);
        done(&dir, command);
        while session.hears().is_some() {}
        expected.push(format!("logged out user={name} "));
        expected.push(format!("reason={reason}"));
    }
    assert!(done(&dir, "status").contains("drains: no"));
    done(&dir, "drain 600");
    let status = done(&dir, "status");
    assert!(status.contains("drains: yes\nstops: 20"), "{status}");
    done(&dir, "quit");
    let output = server.end();
    let log = stderr(&output);
    let by = format!("uid {} (ctl)", rustix::process::geteuid().as_raw());
    expected.push(format!(
        "draining: new connections are refused by={by} seconds=600"
    ));
    expected.push(format!("stopping reason=quit by {by}"));
    let mut rest = log;
    for words in expected {
        let at = rest
            .find(&words)
            .unwrap_or_else(|| panic!("{words}: {log}"));
        rest = &rest[at..];
    }
    assert!(!log.contains("displaced"), "{log}");
    let log = dir.start(&["--log", "info"]).stop();
    assert!(stderr(&log).contains("stopping reason=SIGTERM"));
}

#[test]
fn a_drain_tells_users_and_ends_the_server() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    done(&dir, "drain 1");
    let told = ann.hears_message();
    assert_eq!(
        line(&told),
        r#"ON_BROADCAST {"text":"The server stops in 1 s."}"#
    );
    assert_eq!(server.end().status.code(), Some(0));
    let server = dir.start(&[]);
    done(&dir, "quit");
    assert_eq!(server.end().status.code(), Some(0));
}

#[test]
fn bad_lines_are_refused_one_by_one_and_hurt_no_one_else() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    let mut socket = Socket::connect(&dir);
    for bad in [
        "",
        "x",
        "{",
        "7",
        "null",
        "[]",
        "{}",
        r#"{"command":7}"#,
        r#"{"command":"status","params":[]}"#,
        r#"{"command":"status","words":{}}"#,
        r#"{"command":"status","words":[1]}"#,
        r#"{"command":"status","words":[],"params":{}}"#,
        r#"{"command":"status","more":1}"#,
        r#"{"command":"status","command":"users"}"#,
        r#"{"command":"user","params":{"name":["ann"]}}"#,
        r#"{"command":"user","params":{"name":null}}"#,
        r#"{"command":"suspend","params":{"name":"ann","until":"soon"}}"#,
        r#"{"command":"suspend","params":{"name":"ann","until":1.5}}"#,
        r#"{"command":"drain","params":{"seconds":-1}}"#,
        r#"{"command":"drain","params":{"seconds":18446744073709551615}}"#,
        "\u{1b}[2J",
    ] {
        let answer = socket.asks(bad);
        assert!(
            answer.starts_with(r#"{"ok":false,"code":"bad_"#),
            "{bad}: {answer}"
        );
        assert!(!answer.contains('\u{1b}'), "{answer}");
    }
    socket.sends(b"\xff\xfe\n");
    assert!(socket.hears().contains("not UTF-8"));
    socket.sends(format!("{}\n", "[".repeat(60_000)));
    assert!(socket.hears().contains("bad_line"));
    // Several lines at once, and one in pieces.
    socket.sends("{\"command\":\"users\"}\n{\"command\":\"rooms\"}\n{\"com");
    assert!(socket.hears().contains(r#""users":[{"name":"ann""#));
    assert!(socket.hears().contains(r#""rooms":["#));
    ann.is_served();
    socket.sends("mand\":\"bots\"}\n");
    assert!(socket.hears().contains(r#""bots":[]"#));
    // Half a line at the end is no command.
    let mut half = Socket::connect(&dir);
    half.sends(r#"{"command":"delete-user","params":{"name":"ann"}}"#);
    half.0
        .get_ref()
        .shutdown(std::net::Shutdown::Write)
        .unwrap();
    assert_eq!(half.hears(), "");
    ann.is_served();
    // A line that is too long is refused before its end, and the connection closed.
    let mut long = Socket::connect(&dir);
    long.sends(vec![b'x'; 65_537]);
    assert!(long.hears().contains("too_long"));
    assert_eq!(long.hears(), "");
    ann.is_served();
}

#[test]
fn neither_a_thousand_clients_nor_one_that_never_reads_stop_the_server() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    // Commands whose answers are not read: more than the socket holds.
    let deaf = UnixStream::connect(dir.path("data/ctl.sock")).unwrap();
    deaf.set_nonblocking(true).unwrap();
    let mut sent = 0;
    for _ in 0..100_000 {
        match (&deaf).write(b"{\"command\":\"help\"}\n") {
            Ok(length) => sent += length,
            Err(_) => break,
        }
    }
    assert!(sent > 0);
    ann.is_served();
    let memory = memory(server.id());
    let mut crowd = Vec::new();
    for number in 0..1_000 {
        let client = Socket::connect(&dir);
        crowd.push(client);
        if number % 100 == 0 {
            ann.is_served();
            done(&dir, "status");
        }
    }
    ann.is_served();
    assert!(done(&dir, "sessions").contains("ann"));
    let grown = self::memory(server.id()).saturating_sub(memory);
    assert!(grown < 16 * 1024, "{grown} KiB");
    // The newest are served; the oldest were closed for them.
    let last = crowd.last_mut().unwrap();
    assert!(
        last.asks(r#"{"command":"status"}"#)
            .contains(r#""ok":true"#)
    );
    assert_eq!(crowd[0].hears(), "");
    drop(deaf);
    assert_eq!(server.stop().status.code(), Some(0));
}

/// The resident memory of a process, in KiB.
fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap()
        .trim()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

#[test]
fn a_socket_that_is_left_is_replaced_and_another_file_is_not() {
    let dir = ServerFolder::new();
    dir.start(&[]).kill();
    let socket = dir.path("data/ctl.sock");
    assert!(socket.metadata().unwrap().file_type().is_socket());
    let server = dir.start(&[]);
    done(&dir, "status");
    assert_eq!(
        socket.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    server.stop();
    dir.write_private("data/ctl.sock", "mine");
    let output = dir.run(&["--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(73), "{}", stderr(&output));
    assert!(stderr(&output).contains("ctl.sock: this is the name of the socket"));
    assert_eq!(fs::read_to_string(&socket).unwrap(), "mine");
    fs::remove_file(&socket).unwrap();
    std::os::unix::fs::symlink("elsewhere", &socket).unwrap();
    let output = dir.run(&["--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(73), "{}", stderr(&output));
    assert!(socket.is_symlink());
}

#[test]
fn another_user_of_the_system_may_not_ask() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT RUN: only root can be another user");
        return;
    }
    // Other users can reach it.
    let dir = ServerFolder::new();
    let server = dir.start(&["--log", "warn"]);
    let socket = dir.path("data/ctl.sock");
    let ask = r#"
$SIG{PIPE} = 'IGNORE';
$ctl = IO::Socket::UNIX->new($ARGV[0]) or exit($!{EACCES} ? 13 : 1);
print $ctl "{\"command\":\"status\"}\n";
$ctl->flush;
print <$ctl>;
"#;
    let as_another = || {
        let mut command = Command::new("setpriv");
        let ids = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
        let perl = ["perl", "-MErrno", "-MIO::Socket::UNIX", "-e", ask];
        command.args(ids).args(perl).arg(&socket);
        command.stdin(Stdio::null()).output().unwrap()
    };
    assert_eq!(as_another().status.code(), Some(13));
    // Even if the file system lets the user through.
    for path in [dir.path(""), dir.path("data")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
    let refused = as_another();
    assert!(stdout(&refused).contains("not_allowed"), "{refused:?}");
    assert!(!stdout(&refused).contains("fingerprint"));
    // However often it asks, a line of the log is written each ten seconds.
    for _ in 0..9 {
        as_another();
    }
    done(&dir, "status");
    let output = server.stop();
    let lines = stderr(&output).matches("may not ask").count();
    assert!((1..5).contains(&lines), "{}", stderr(&output));
}

#[test]
fn the_socket_is_found_however_long_its_path_is() {
    let dir = ServerFolder::new();
    let long = "d".repeat(120);
    fs::create_dir(dir.path(&long)).unwrap();
    let data = format!("{long}/data");
    let args = ["--data", &data];
    let server = dir.start(&args);
    let output = dir.run(&["ctl", "--data", &data, "status"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    server.stop();
    assert!(!dir.path(format!("{data}/ctl.sock")).exists());
}

/// Pieces of lines that are nearly commands.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just("\"command\"".to_owned()),
        Just("\"words\"".to_owned()),
        Just("\"params\"".to_owned()),
        Just("\"user\"".to_owned()),
        Just("\"invitation\"".to_owned()),
        Just("\"limits\"".to_owned()),
        Just("\"name\"".to_owned()),
        "[\\[\\]{}:,0-9.e-]",
        "\"\\PC{0,8}\"",
    ];
    let text = proptest::collection::vec(word, 0..12).prop_map(|words| words.concat().into_bytes());
    prop_oneof![text, proptest::collection::vec(any::<u8>(), 0..64)]
}

/// What the fuzzed lines must not contain: commands that end the server or the test.
fn is_harmless(line: &[u8]) -> bool {
    let has = |word: &str| line.windows(word.len()).any(|part| part == word.as_bytes());
    !has("quit") && !has("drain") && !line.contains(&b'\n')
}

#[test]
fn every_line_has_one_answer_whatever_is_in_it() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut socket = Socket::connect(&dir);
    for _ in 0..2_000 {
        let mut line = nearly().new_tree(&mut runner).unwrap().current();
        if !is_harmless(&line) {
            continue;
        }
        line.push(b'\n');
        socket.sends(&line);
        let answer = socket.hears();
        let value: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert!(value["ok"].is_boolean(), "{line:?}: {answer}");
    }
    ann.is_served();
    let mut rest = String::new();
    socket
        .0
        .get_ref()
        .shutdown(std::net::Shutdown::Write)
        .unwrap();
    socket.0.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}
