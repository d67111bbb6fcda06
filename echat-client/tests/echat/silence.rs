//! A network that swallows everything: the client asks, says so, comes back, and loses no line.

use std::time::Duration;

use echat_testkit::proxy::Proxy;
use echat_testkit::terminal::person::Person;
use rustix::process::Signal;

use crate::server_folder::ServerFolder;

const GIVEN_UP: &str = "The server is not responding. The connection was closed.";

fn opens(folder: &ServerFolder, front: &Proxy) -> Person {
    let mut ann = folder.opens("ann", front.address());
    ann.types("before\r");
    ann.sees("me: before");
    ann
}

/// The connection is back, and this line was sent, once.
fn comes_back(folder: &ServerFolder, ann: &mut Person, line: &str) {
    ann.sees(GIVEN_UP);
    ann.sees("Reconnected. Logged in as ann.");
    ann.sees_that("everything is sent", |screen| {
        screen.rest_from("room1>").as_deref() == Some("room1>")
    });
    let lines = ["before".to_owned(), line.to_owned()];
    assert_eq!(folder.counts("ann", &lines), [1, 1]);
}

/// The client that goes on after a stop does not wait for the usual silence.
#[test]
fn a_continued_client_pings_at_once() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    let front = Proxy::to(folder.server.address());
    let mut ann = opens(&folder, &front);
    front.goes_silent();
    ann.signals(Signal::STOP);
    ann.waits();
    ann.signals(Signal::CONT);
    front.waits_for_swallowed();
    ann.types("after\r");
    comes_back(&folder, &mut ann, "after");
}

#[test]
#[ignore = "two minutes of silence"]
fn a_silent_server_is_given_up_while_nothing_is_awaited() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    let front = Proxy::to(folder.server.address());
    let mut ann = opens(&folder, &front);
    front.goes_silent();
    ann.has_patience(Duration::from_mins(3));
    ann.sees(GIVEN_UP);
    ann.sees("Reconnected. Logged in as ann.");
}

#[test]
#[ignore = "a minute of silence"]
fn a_silent_server_is_given_up_while_a_line_is_on_its_way() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    let front = Proxy::to(folder.server.address());
    let mut ann = opens(&folder, &front);
    front.goes_silent();
    ann.types("after\r");
    ann.has_patience(Duration::from_secs(80));
    comes_back(&folder, &mut ann, "after");
}

/// Enter does not wait for the next try.
#[test]
fn enter_reconnects_the_real_client_at_once() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    let front = Proxy::to(folder.server.address());
    let mut ann = opens(&folder, &front);
    // A port that hangs up: some failures, so that the wait is long.
    front.leads_to(None);
    front.cuts_now();
    ann.sees("retrying in 10 s");
    // Failures are told once, but for one that the user asked for.
    assert!(!ann.shown().contains("Cannot connect"), "{}", ann.shown());
    ann.types("\r");
    ann.sees("Cannot connect to ");
    front.leads_to(Some(folder.server.address()));
    ann.types("after\r");
    ann.sees("Reconnected. Logged in as ann.");
    ann.sees("me: after");
    let lines = ["before".to_owned(), "after".to_owned()];
    assert_eq!(folder.counts("ann", &lines), [1, 1]);
}
