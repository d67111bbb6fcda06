//! The server's administration, as its administrators read it.

use std::collections::BTreeSet;
use std::process::Command;

use echat_client::text::administration_key;
use echat_testkit::programs;
use serde_json::Value;

use crate::server_folder::ServerFolder;

/// The result of a command of the operator, by key.
fn result(folder: &ServerFolder, words: &[&str]) -> Value {
    let mut command = Command::new(programs::server());
    command.args(["ctl", "--json"]).args(words);
    let output = command.current_dir(folder.scene.path("")).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
    assert_eq!(answer["ok"], true, "{words:?}: {answer}");
    answer["result"].clone()
}

/// The keys of a result that a client shows: its own, or those of the rows of its table. Not among them is what has a
/// form of its own: the sentence, and whether there is more.
fn keys(result: &Value) -> Vec<String> {
    let own = result.as_object().expect("an object").iter();
    own.flat_map(|(key, value)| match value.as_array() {
        Some(rows) if rows.iter().all(Value::is_object) && result["more"].is_boolean() => {
            let first = rows.first().and_then(Value::as_object);
            first.expect("a row").keys().cloned().collect()
        }
        _ => vec![key.clone()],
    })
    .filter(|key| key != "done" && key != "more" && key != "unchanged" && !key.ends_with("_more"))
    .collect()
}

#[test]
fn every_key_that_administrators_are_shown_has_a_chinese_word() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann", "bob"]);
    let bot = r#"{"username":"robo","rooms":["room1"]}"#;
    folder.asks("ann", &["CREATE_BOT", bot]);
    let hello = r#"{"target_type":1,"target":"room1","content":"hello"}"#;
    folder.asks("ann", &["SEND_MESSAGE", hello]);
    let mut missing = BTreeSet::new();
    for command in [
        "help",
        "make-admin ann",
        "status",
        "users",
        "user bob",
        "rooms",
        "room room1",
        "bots",
        "quota",
        "suspend bob 2h spam",
        "user bob",
        "reset-password ann",
        "unmake-admin ann",
        "registration open",
        "invitation new 3 2d",
        "invitation list",
        "message-of-the-day hello",
        "ban-address 192.0.2.0/24 1d",
        "ban-address 192.0.2.7",
        "banned-addresses",
        "unban-address 192.0.2.7",
        "limits",
        "limits rooms 200",
        "delete-user bob",
        "audit",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        missing.extend(keys(&result(&folder, &words)));
    }
    // Commands for the operator alone are not shown.
    missing.remove("only_ctl");
    missing.retain(|key| administration_key(key).is_none());
    assert!(missing.is_empty(), "{missing:?}");
}
