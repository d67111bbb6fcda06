//! The real server over loopback: what users do with it, and what its log says of it.

use echat_testkit::server_process::{ServerFolder, stderr};
use echat_testkit::wire::{Client, PASSWORD, credentials, line, number, text};

/// Events as lines, without what differs from run to run.
fn lines(client: &mut Client) -> Vec<String> {
    client.is_served();
    let events = std::mem::take(&mut client.events);
    events.iter().map(line).collect()
}

/// Without ON_WELCOME, which has the version of the server.
fn without_welcome(mut lines: Vec<String>) -> Vec<String> {
    lines.retain(|line| !line.starts_with("ON_WELCOME "));
    lines
}

#[test]
fn two_users_meet_and_talk_and_find_everything_again() {
    let dir = ServerFolder::new();
    dir.write("config.json", r#"{"server":{"lobby":""}}"#);
    let server = dir.start(&[]);
    let mut ann = Client::register(&server, "ann");
    let mut bob = Client::register(&server, "bob");
    ann.befriends("ann", &mut bob, "bob");
    assert_eq!(
        without_welcome(lines(&mut ann)),
        [r#"LOGIN_SUCCESS "ann""#, r#"NEW_CONTACT "bob""#, ONLINE]
    );
    let asked = r#"INCOMMING_FRIEND_REQUEST "ann""#;
    let heard = without_welcome(lines(&mut bob));
    assert_eq!(
        heard[..3],
        [r#"LOGIN_SUCCESS "bob""#, asked, r#"NEW_CONTACT "ann""#]
    );

    let made = ann.asks(r#"CREATE_ROOM {"roomname":"hall","members":["bob"]}"#);
    assert!(line(&made).contains(r#""success":true"#));
    assert_eq!(lines(&mut bob), [r#"ON_NEW_ROOM "hall""#]);

    let hello = r#"{"target_type":0,"target":"bob","content":"hello","txn_id":"a-1"}"#;
    let first = ann.asks(&format!("SEND_MESSAGE {hello}"));
    assert_eq!(text(&first.params, "txn_id"), "a-1");
    let again = ann.asks(&format!("SEND_MESSAGE {hello}"));
    assert_eq!(again, first, "the same acknowledgement");
    let all = ann.asks(r#"SEND_MESSAGE {"target_type":1,"target":"hall","content":"all"}"#);
    bob.is_served();
    let heard: Vec<_> = bob.events.iter().map(|event| &event.params).collect();
    let contents: Vec<_> = heard.iter().map(|params| text(params, "content")).collect();
    assert_eq!(contents, ["hello", "all"]);
    assert_eq!(
        (text(heard[0], "target"), text(heard[1], "target")),
        ("ann", "hall")
    );
    let ids = [number(&first.params, "id"), number(&all.params, "id")];
    assert_eq!([number(heard[0], "id"), number(heard[1], "id")], ids);

    drop(ann);
    assert_eq!(server.stop().status.code(), Some(0));
    let server = dir.start(&[]);
    let mut bob = Client::connect(&server);
    let bundle = line(&echat_proto::channel::Message {
        command: 105,
        params: bob.logs_in("bob"),
    });
    for part in [
        r#""chat_rooms":["hall"]"#,
        r#""friends":["ann"]"#,
        r#""content":"hello""#,
    ] {
        assert!(bundle.contains(part), "{part} in {bundle}");
    }
    assert_eq!(bob.history("hall", 0), [(ids[1], "all".to_owned())]);
    let again = Client::login(&server, "ann").asks(&format!("SEND_MESSAGE {hello}"));
    assert_eq!(number(&again.params, "id"), ids[0], "also after a restart");
}

/// What ann hears of bob once they are friends.
const ONLINE: &str = r#"ON_FRIEND_ONLINE "bob""#;

#[test]
fn a_failed_login_is_one_stable_line_with_its_address() {
    let dir = ServerFolder::new();
    let server = dir.start(&["--log", "trace"]);
    Client::register(&server, "ann");
    let mut guest = Client::connect(&server);
    let address = server.address().ip();
    for name in ["ann", "nobody", "\\u001b[2J"] {
        let wrong = credentials(name).replace(PASSWORD, "wrong");
        assert!(line(&guest.asks(&format!("LOGIN {wrong}"))).contains("bad_credentials"));
    }
    let output = server.stop();
    let failed = stderr(&output)
        .lines()
        .filter(|line| line.contains("login failed"));
    let failed: Vec<_> = failed
        .map(|line| line.split_once("login failed ").unwrap().1)
        .collect();
    let expected = ["ann", "?", "?"].map(|user| format!("user={user:?} address={address}"));
    assert_eq!(failed, expected);
}
