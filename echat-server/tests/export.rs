//! Exports beside a running server, and their import into a new data folder, with the real binary.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr, stdout};
use echat_testkit::wire::{Client, line, number};
use serde_json::{Value, json};

const TEXTS: [&str; 4] = ["hi", "你好，世界", "two\nlines \"quoted\"", "👋🏽 "];

/// Ann and bob are friends and in the room tea; eve is alone in nook, and left tea. The server runs.
fn dir() -> (ServerFolder, ServerProcess) {
    let dir = ServerFolder::new();
    dir.write(
        "config.json",
        r#"{"server": {"limits": {"message_rate": 0, "registrations": 0}}}"#,
    );
    let server = dir.start(&["--log", "warn"]);
    let mut ann = Client::register(&server, "ann");
    let mut bob = Client::register(&server, "bob");
    let mut eve = Client::register(&server, "eve");
    ann.befriends("ann", &mut bob, "bob");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":["bob"]}"#);
    eve.asks(r#"CREATE_ROOM {"roomname":"nook","members":[]}"#);
    eve.asks(r#"JOIN_ROOM "tea""#);
    for (n, text) in TEXTS.iter().enumerate() {
        let content = json!(text).to_string();
        let users = [&mut ann, &mut bob, &mut eve];
        for (user, kind, target) in [(0, 1, "tea"), (1, 0, "ann"), (2, 1, "tea"), (2, 1, "nook")] {
            let sent = users[user].asks(&format!(
                r#"SEND_MESSAGE {{"target_type":{kind},"target":"{target}","content":{content},"txn_id":"{target}{kind}{n}"}}"#
            ));
            assert!(line(&sent).starts_with("ON_NEW_MESSAGE"), "{}", line(&sent));
        }
    }
    eve.asks(r#"LEAVE_ROOM "tea""#);
    // Ann edits her first message, which names bob and all, and deletes another one; both react to the first.
    for (user, request) in [
        (0, r#"EDIT_MESSAGE {"id":1,"content":"hi @bob and @all"}"#),
        (1, r#"REACT {"id":1,"emoji":"👍","on":true}"#),
        (0, r#"REACT {"id":1,"emoji":"🦀","on":true}"#),
        (0, r#"REACT {"id":1,"emoji":"👍","on":true}"#),
        (0, r#"DELETE_MESSAGE {"id":5}"#),
    ] {
        let done = [&mut ann, &mut bob][user].asks(request);
        assert!(line(&done).starts_with("DONE"), "{}", line(&done));
    }
    (dir, server)
}

fn exports(dir: &ServerFolder, args: &[&str]) -> Vec<Value> {
    let file = args[0];
    let output = dir.run(&[&["export"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let path = dir.path(file);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of_type<'v>(lines: &'v [Value], kind: &str) -> Vec<&'v Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

#[test]
fn an_export_of_all_becomes_the_same_data_in_a_new_folder() {
    let (dir, server) = dir();
    let all = exports(&dir, &["all.jsonl", "--all", "--with-passwords"]);
    let mut ann = Client::login(&server, "ann");
    let tea = ann.history("tea", 0);
    let imported = dir.run(&["import", "all.jsonl", "--data", "new"]);
    assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
    assert_eq!(
        stdout(&imported),
        "imported all.jsonl into new: users 3, rooms 3, messages 16\nno account is an administrator; the code that makes \
         the first one: new/first_administrator_code\n"
    );
    let new = dir.start(&["--data", "new", "--log", "warn"]);
    // With the passwords of before.
    let mut ann = Client::login(&new, "ann");
    assert_eq!(ann.history("tea", 0), tea);
    let private =
        line(&ann.asks(r#"QUERY_HISTORY {"target_type":0,"target":"bob","after":0,"limit":9}"#));
    for text in TEXTS {
        assert!(private.contains(&json!(text).to_string()), "{private}");
    }
    let found = line(&ann.asks(r#"FIND {"keyword":"e"}"#));
    assert!(found.contains("eve") && found.contains("tea"), "{found}");
    // A message that was stored is the same one when it is sent again, and new ids are above.
    let again = r#"SEND_MESSAGE {"target_type":1,"target":"tea","content":"hi","txn_id":"tea10"}"#;
    let again = number(&ann.asks(again).params, "id");
    assert!(tea.iter().any(|(id, _)| *id == again));
    let next = r#"SEND_MESSAGE {"target_type":1,"target":"tea","content":"new"}"#;
    assert_eq!(number(&ann.asks(next).params, "id"), 17);
    assert_eq!(stderr(&new.stop()), "");
    // Exported again, it is the same but for the new message.
    let again = exports(
        &dir,
        &["again.jsonl", "--all", "--with-passwords", "--data", "new"],
    );
    assert_eq!(again[1..again.len() - 2], all[1..all.len() - 1]);
    let checked = dir.run(&["check", "--data", "new"]);
    assert_eq!(checked.status.code(), Some(0), "{}", stdout(&checked));
}

#[test]
fn an_export_of_a_user_has_what_the_user_can_see_and_no_secret() {
    let (dir, _server) = dir();
    let all = exports(&dir, &["all.jsonl", "--all"]);
    let text = fs::read_to_string(dir.path("all.jsonl")).unwrap();
    for secret in ["argon2", "echat-host-key", "password"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert_eq!(of_type(&all, "message").len(), 16);
    let ann = exports(&dir, &["ann.jsonl", "--user", "ann"]);
    assert_eq!(of_type(&ann, "user").len(), 1);
    let messages = of_type(&ann, "message");
    assert_eq!(messages.len(), 12, "tea, and what bob wrote");
    assert!(messages.iter().all(|message| message["room"] != "nook"));
    // Eve sees nook, and of tea what she said herself.
    let eve = exports(&dir, &["eve.jsonl", "--user", "eve"]);
    let messages = of_type(&eve, "message");
    assert_eq!(messages.len(), 8);
    assert!(messages.iter().all(|message| message["from"] == "eve"));
    assert!(of_type(&eve, "friends").is_empty());
    let room = exports(&dir, &["tea.jsonl", "--room", "TEA"]);
    assert_eq!(of_type(&room, "message").len(), 8);
    assert_eq!(of_type(&room, "member").len(), 2);
    assert!(
        of_type(&room, "message")
            .iter()
            .all(|line| line["txn_id"].is_null())
    );
    // Each can be imported by itself.
    for name in ["ann", "eve", "tea"] {
        let file = format!("{name}.jsonl");
        let data = format!("of-{name}");
        let imported = dir.run(&["import", &file, "--data", &data]);
        assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
        assert_eq!(dir.run(&["check", "--data", &data]).status.code(), Some(0));
        let server = dir.start(&["--data", &data, "--log", "warn"]);
        assert_eq!(server.stop().status.code(), Some(0));
    }
}

/// A folder whose ids are used up, as an import of an earlier version could leave one.
#[test]
fn a_server_without_message_ids_refuses_messages_and_runs_on() {
    let (dir, server) = dir();
    assert_eq!(server.stop().status.code(), Some(0));
    let last = 9_007_199_254_740_991;
    for assigned in [last - 1, i64::MAX - 1, i64::MAX] {
        let db = rusqlite::Connection::open(dir.path("data/database.db")).unwrap();
        let sql = "INSERT INTO message_ids (id, assigned) VALUES (1, ?1)
                   ON CONFLICT (id) DO UPDATE SET assigned = excluded.assigned";
        db.execute(sql, [assigned]).unwrap();
        drop(db);
        let server = dir.start(&["--log", "error"]);
        let mut ann = Client::login(&server, "ann");
        let send = r#"SEND_MESSAGE {"target_type":1,"target":"tea","content":"more"}"#;
        if assigned < last {
            assert_eq!(number(&ann.asks(send).params, "id"), last.unsigned_abs());
        }
        for keep_days in ["null", "0"] {
            let set = ann.asks(&format!(
                r#"SET_ROOM {{"roomname":"tea","keep_days":{keep_days}}}"#
            ));
            assert!(line(&set).starts_with("DONE"), "{}", line(&set));
            let refused = line(&ann.asks(send));
            assert!(refused.contains("storage_full"), "{refused}");
        }
        let page = line(&ann.asks(r#"QUERY_HISTORY {"target_type":0,"target":"bob"}"#));
        assert!(page.contains("你好"), "{page}");
        let output = server.stop();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let says = stderr(&output).contains("no id follows");
        assert_eq!(says, assigned > last, "{}", stderr(&output));
    }
}

/// docs/export.md shows the lines of an export: they can be imported as they stand, and are what is exported then.
#[test]
fn the_example_of_the_page_can_be_imported() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/export.md");
    let page = fs::read_to_string(page).unwrap();
    let example = page.split("```json\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let dir = ServerFolder::new();
    dir.write("example.jsonl", example);
    let imported = dir.run(&["import", "example.jsonl", "--data", "new"]);
    assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
    exports(&dir, &["again.jsonl", "--all", "--data", "new"]);
    // It stands there as the server writes it, but for the time and the version in the first line.
    let again = fs::read_to_string(dir.path("again.jsonl")).unwrap();
    let [again, example] = [&*again, example].map(|text| text.split_once('\n').unwrap());
    assert_eq!(again.1, example.1);
    let first = |line: &str| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["created_at"] = 0.into();
        line["echat"] = "".into();
        line
    };
    assert_eq!(first(again.0), first(example.0));
}

/// Imports a file that is refused with 65 and these words, and leaves nothing.
fn refuses(dir: &ServerFolder, text: &str, words: &str) {
    dir.write("bad.jsonl", text);
    let output = dir.run(&["import", "bad.jsonl", "--data", "new"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(65), "{words}: {said}");
    assert!(said.contains(words), "{words}: {said}");
    assert!(!dir.path("new/database.db").exists());
    assert!(!dir.path("new/incoming").exists());
}

#[test]
fn what_is_no_export_is_not_imported_and_says_where() {
    let (dir, server) = dir();
    exports(&dir, &["all.jsonl", "--all"]);
    server.stop();
    let text = fs::read_to_string(dir.path("all.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let refused = |text: &str, words: &str| refuses(&dir, text, words);
    refused("", "line 1: the last line is missing");
    refused("{}\n", "line 1: type must be a text");
    refused(
        "{\"type\":\"user\"}\n",
        "line 1: this is no export of echat",
    );
    refused(&lines[..lines.len() - 1].join("\n"), "cut off");
    let without_last = format!("{}\n", lines[..lines.len() - 1].join("\n"));
    let last = format!("line {}: the last line is missing", lines.len());
    refused(&without_last, &last);
    let shorter = [&lines[..3], &lines[4..]].concat().join("\n") + "\n";
    refused(&shorter, "line ");
    refused(&text.replace("\"format\":1", "\"format\":2"), "format 2");
    let doubled = [&lines[..2], &lines[1..]].concat().join("\n") + "\n";
    refused(&doubled, "line 3: the same user twice");
    refused(
        &text.replace("\"text\":\"hi\"", "\"text\":\"\""),
        "at least one character",
    );
    refused(
        &text.replace("\"text\":\"hi\"", r#""text":"\u001b[2J""#),
        "control character",
    );
    refused(
        &text.replace("\"name\":\"tea\"", "\"name\":\"\""),
        "not the name of a room",
    );
    let long = format!("{{\"type\":\"{}\"}}\n", "x".repeat(1 << 24));
    refused(&long, "line 1: the line is too long");
    // A line that is quoted is cut.
    let head = lines[0];
    let name = "x".repeat(100_000);
    for line in [
        json!({"type": name}),
        json!({"type": "user", "name": name}),
        json!({"type": "room", "name": name}),
        json!({"type": "message", "room": name}),
        json!({"type": "message", "friends": [name, name]}),
    ] {
        refused(&format!("{head}\n{line}\n"), "xxx...");
        let said = dir.run(&["import", "bad.jsonl", "--data", "new"]);
        assert!(stderr(&said).len() < 400, "{}", stderr(&said).len());
    }
    let format = json!({"type": "export", "format": name});
    refused(&format!("{format}\n"), "xxx...");
}

#[test]
fn numbers_and_topics_that_no_server_stores_are_not_imported() {
    let (dir, server) = dir();
    exports(&dir, &["all.jsonl", "--all"]);
    server.stop();
    let text = fs::read_to_string(dir.path("all.jsonl")).unwrap();
    let refused = |text: &str, words: &str| refuses(&dir, text, words);
    // Numbers that no server gives out. The largest ones would leave no ids for new messages.
    for (number, wrong, words) in [
        ("\"id\":16,", "\"id\":9223372036854775807,", "id must be"),
        ("\"id\":16,", "\"id\":9223372036854775806,", "id must be"),
        ("\"id\":16,", "\"id\":4503599627370497,", "id must be"),
        ("\"id\":1,", "\"id\":0,", "id must be"),
        (
            "\"newest_id\":16",
            "\"newest_id\":4503599627370497",
            "newest_id must be",
        ),
        (
            "\"read_id\":0",
            "\"read_id\":9223372036854775807",
            "read_id must be",
        ),
        ("\"after_id\":0", "\"after_id\":-1", "after_id must be"),
        (
            "\"administrator\":false,\"created_at\":",
            "\"created_at\":-",
            "created_at must be",
        ),
        ("\"ended_at\":null", "\"ended_at\":-1", "ended_at must be"),
        (
            "\"keep_days\":null",
            "\"keep_days\":36501",
            "keep_days must be",
        ),
        (
            "\"slow_seconds\":0",
            "\"slow_seconds\":3601",
            "slow_seconds must be",
        ),
        (
            "\"deleted_at\":",
            "\"deleted_at\":1.5,\"was\":",
            "deleted_at must be",
        ),
        (
            "\"edited_at\":",
            "\"edited_at\":253402300800,\"was\":",
            "edited_at must be",
        ),
    ] {
        assert!(text.contains(number), "{number}");
        refused(&text.replacen(number, wrong, 1), words);
    }
    refused(
        &text.replacen("\"topic\":\"\"", r#""topic":"\u001b[2J""#, 1),
        "control character",
    );
}

#[test]
fn an_import_without_a_folder_is_into_the_configured_one() {
    let (dir, server) = dir();
    exports(&dir, &["all.jsonl", "--all"]);
    server.stop();
    let exists = dir.run(&["import", "all.jsonl"]);
    assert_eq!(exists.status.code(), Some(73), "{}", stderr(&exists));
    let said = stderr(&exists);
    assert!(said.contains("data/database.db"), "{said}");
    dir.write("other.json", r#"{"server": {"data": "other"}}"#);
    let imported = dir.run(&["import", "all.jsonl", "--config", "other.json"]);
    assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
    let said = stdout(&imported);
    assert!(said.starts_with("imported all.jsonl into other:"), "{said}");
    let nowhere = dir.run(&["import", "all.jsonl", "--config", "nowhere.json"]);
    assert_eq!(nowhere.status.code(), Some(78), "{}", stderr(&nowhere));
}

#[test]
fn commands_that_cannot_be_carried_out_end_with_their_codes() {
    let (dir, server) = dir();
    exports(&dir, &["all.jsonl", "--all"]);
    server.stop();
    for (args, code) in [
        (&["export", "new.jsonl"][..], 64),
        (&["export", "new.jsonl", "--all", "--room", "tea"], 64),
        (
            &["export", "new.jsonl", "--room", "tea", "--with-passwords"],
            64,
        ),
        (&["export", "new.jsonl", "--room", "nowhere"], 1),
        (&["export", "new.jsonl", "--user", "\u{1b}"], 1),
        (&["export", "all.jsonl", "--all"], 73),
        (&["export", "nowhere/new.jsonl", "--all"], 73),
        (&["backup", "nowhere/new.backup"], 73),
        (&["backup", "-"], 64),
        (&["verify", "-"], 64),
        (&["restore", "-", "--data", "new"], 64),
        (&["import", "-", "--data", "new"], 64),
        (&["import", "all.jsonl", "--data", "data"], 73),
        (&["import", "nothing", "--data", "new"], 66),
    ] {
        let output = dir.run(args);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?}: {}",
            stderr(&output)
        );
        assert!(!dir.path("new.jsonl").exists());
    }
    let unknown = dir.run(&["export", "new.jsonl", "--room", "nowhere"]);
    let said = "echat-server: there is no room \"nowhere\"\n";
    assert_eq!(stderr(&unknown), said);
}

#[test]
fn an_export_goes_to_standard_output_too() {
    let (dir, server) = dir();
    let lines = exports(&dir, &["ann.jsonl", "--user", "ann"]);
    let output = dir.run(&["export", "-", "--user", "ann"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let printed = stdout(&output).lines();
    let printed: Vec<Value> = printed
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(printed[1..], lines[1..]);
    assert!(!dir.path("-").exists());
    server.stop();
}

#[test]
fn an_export_leaves_what_the_server_reserves_of_its_disk() {
    let (dir, server) = dir();
    server.stop();
    let config = r#"{"server": {"limits": {"free_bytes": 1000000000000}}}"#;
    dir.write("config.json", config);
    let output = dir.run(&["export", "new.jsonl", "--all"]);
    assert_eq!(output.status.code(), Some(74), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("`free_bytes`"),
        "{}",
        stderr(&output)
    );
    let mut names = fs::read_dir(dir.path("")).unwrap();
    assert!(!names.any(|entry| {
        let name = entry.unwrap().file_name();
        name.to_string_lossy().contains("new.jsonl")
    }));
    let server = dir.start(&[]);
    let output = dir.run(&["ctl", "export", "all", "new.jsonl"]);
    assert_eq!(output.status.code(), Some(74), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("`free_bytes`"),
        "{}",
        stderr(&output)
    );
    server.stop();
}
