//! Lines that wait stand above the prompt until the server has them.

use echat_testkit::proxy::Proxy;
use echat_testkit::terminal::emulator::Emulator;

use crate::server_folder::ServerFolder;

/// The rows that show this.
fn rows_with(screen: &Emulator, text: &str) -> Vec<usize> {
    let rows = screen.rows();
    let has = |row: &usize| rows[*row].contains(text);
    (0..rows.len()).filter(has).collect()
}

#[test]
fn queued_lines_move_to_the_messages_when_they_are_sent() {
    let mut folder = ServerFolder::unhurried();
    folder.has("room1", &["ann", "bob"]);
    let proxy = Proxy::to(folder.server.address());
    let mut ann = folder.comes("ann", proxy.address());
    ann.sees("Logged in as ann.");
    ann.types("&r room1\r");
    ann.sees("room1> ");
    folder.falls();
    ann.sees("Reconnecting");
    ann.types("one\r");
    ann.sees("(pending) one");
    ann.types("two 你好\r");
    ann.sees("(pending) two");
    ann.types("three");
    let waits = |screen: &Emulator| {
        let prompt = rows_with(screen, "room1 (2");
        let (one, two) = (
            rows_with(screen, "(pending) one"),
            rows_with(screen, "(pending) two"),
        );
        let above = |rows: &[usize], by: usize| prompt.first().is_some_and(|at| rows == [at - by]);
        above(&one, 2) && above(&two, 1)
    };
    ann.sees_that("both lines directly above the prompt", waits);
    for cols in (40..80).rev().step_by(5).chain((41..100).step_by(7)) {
        ann.resizes(cols, 24);
        ann.sees_that("the same at another width", waits);
    }
    ann.resizes(80, 24);
    ann.types("\x15/pending\r");
    ann.sees("Unsent lines:");
    ann.types("/withdraw 1\r");
    ann.sees("(not sent) one");
    ann.types("four\r");
    folder.rises();
    proxy.leads_to(Some(folder.server.address()));
    // Enter does not wait for the next try.
    ann.types("\r");
    ann.sees("Reconnected");
    ann.sees("me: two 你好");
    ann.sees("me: four");
    ann.sees_that("nothing that waits", |screen| {
        rows_with(screen, "(pending)").is_empty()
            && rows_with(screen, "me: two").len() == 1
            && screen.rest_from("room1").as_deref() == Some("room1>")
    });
    ann.types("\\d\r");
    ann.reads_to_the_end();
    ann.has_the_terminal_back();
    assert_eq!(ann.ends().0, 0);
    let said = ["one", "two 你好", "four"].map(str::to_owned);
    assert_eq!(folder.counts("bob", &said), [0, 1, 1]);
}

#[test]
fn a_room_is_left_after_a_yes() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    let mut ann = folder.comes("ann", folder.server.address());
    ann.sees("Logged in as ann.");
    ann.types("&r room1\r");
    ann.sees("room1> ");
    ann.types("/leave\r");
    ann.sees("leave room1? (Y/N) room1> ");
    ann.types("n\r");
    ann.sees("You did not leave room1.");
    ann.types("／leave\r");
    ann.sees("leave room1? (Y/N) room1> ");
    ann.types("y\r");
    ann.sees("You left room1.");
    ann.sees("contact> ");
    ann.types("\\d\r");
    assert_eq!(ann.ends().0, 0);
}

#[test]
fn a_line_follows_its_room_and_not_the_name_that_another_room_took() {
    let folder = ServerFolder::unhurried();
    folder.has("room1", &["ann", "bob"]);
    folder.has("tea", &["carol"]);
    // Rooms are known by the second in which they were created.
    let time = || folder.asks("ann", &["QUERY_SERVER_TIME", "null"]);
    let before = time();
    while time() == before {}
    let server = folder.server.address();
    let proxy = Proxy::to(server);
    let mut bob = folder.opens("bob", proxy.address());
    // After this answer the client knows which room it is.
    bob.types("/room\r");
    bob.sees("owner: ann");
    proxy.leads_to(None);
    proxy.cuts_now();
    bob.sees("Reconnecting");
    bob.types("secret\r");
    bob.sees("(pending) secret");
    let renamed = r#"{"roomname":"room1","new_name":"den"}"#;
    folder.asks("ann", &["SET_ROOM", renamed]);
    let made = r#"{"roomname":"room1","members":[]}"#;
    folder.asks("carol", &["CREATE_ROOM", made]);
    folder.asks("bob", &["JOIN_ROOM", r#""room1""#]);
    proxy.leads_to(Some(server));
    bob.types("\r");
    bob.sees("The room room1 is called den now.");
    bob.sees("me: secret");
    bob.sees("den> ");
    bob.types("\\d\r");
    assert_eq!(bob.ends().0, 0);
    let said = ["secret".to_owned()];
    assert_eq!(folder.counts("carol", &said), [0]);
    assert_eq!(folder.counts("ann", &said), [1]);
}

#[test]
fn unsent_lines_of_a_renamed_user_are_kept_and_sent_under_the_new_name() {
    let folder = ServerFolder::unhurried();
    folder.has("room1", &["ann", "bob"]);
    let server = folder.server.address();
    let proxy = Proxy::to(server);
    let mut bob = folder.opens("bob", proxy.address());
    folder.runs(&["ctl", "rename-user", "bob", "bobby"]);
    bob.sees("bobby");
    proxy.leads_to(None);
    proxy.cuts_now();
    bob.sees("Reconnecting");
    bob.types("late\r");
    bob.sees("(pending) late");
    bob.types("\\d\r");
    let (code, shown) = bob.ends();
    assert_eq!(code, 0);
    let shown = shown.split_whitespace().collect::<String>();
    assert!(
        shown.contains("/bobbyandwillbesentwhenbobbynext"),
        "{shown}"
    );
    let mut bob = folder.comes("bobby", server);
    // Until then it stands there as a pending line.
    bob.sees("me to room1: late");
    bob.types("\\d\r");
    assert_eq!(bob.ends().0, 0);
    assert_eq!(folder.counts("ann", &["late".to_owned()]), [1]);
}
