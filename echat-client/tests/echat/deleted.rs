//! Accounts are deleted while another user has their messages on screen and in memory.

use echat_testkit::scene::SECRET;

use crate::server_folder::ServerFolder;

/// A user says something by way of a script.
fn sends(folder: &ServerFolder, name: &str, (kind, target): (u64, &str), text: &str) {
    let params = format!(r#"{{"target_type":{kind},"target":"{target}","content":"{text}"}}"#);
    folder.asks(name, &["SEND_MESSAGE", &params]);
}

fn deletes(folder: &ServerFolder, name: &str, erase: bool) {
    let params = format!(r#"{{"password":"{SECRET}","erase":{erase}}}"#);
    folder.asks(name, &["DELETE_ACCOUNT", &params]);
}

#[test]
fn texts_of_a_deleted_account_are_not_shown_again() {
    let folder = ServerFolder::unhurried();
    folder.has("room1", &["ann", "bob", "carol"]);
    folder.asks("carol", &["ADD_FRIEND", r#""ann""#]);
    let yes = r#"{"username":"carol","accepted":true}"#;
    folder.asks("ann", &["RESOLVE_FRIEND_REQUEST", yes]);
    let mut ann = folder.opens("ann", folder.server.address());
    sends(&folder, "bob", (1, "room1"), "secret.");
    ann.sees("bob: secret.");
    sends(&folder, "carol", (0, "ann"), "good-bye.");
    ann.sees("1 new message");
    deletes(&folder, "bob", true);
    ann.sees("The account bob was deleted.");
    ann.sees("deleted account 2: (deleted)");
    ann.types("/n\r");
    ann.sees("  1 [");
    deletes(&folder, "carol", false);
    ann.sees("The account carol was deleted.");
    ann.types("/msg carol\r");
    ann.sees("good-bye.");
    ann.sees("deleted account 3> ");
    ann.types("/msg #room1\r");
    ann.sees("room1> ");
    assert_eq!(ann.shown().matches("secret.").count(), 1);
}
