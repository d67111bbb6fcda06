//! The server restarts behind a listening socket that the service manager keeps: no line is lost, and each client is
//! back with its first try, which it makes within a second (`net/connection/tests.rs`).

use std::net::TcpListener;

use echat_testkit::scene::SECRET;
use echat_testkit::server_process::ServerProcess;
use rustix::process::Signal;

use crate::server_folder::ServerFolder;

const RESTARTS: usize = 3;

#[test]
fn a_restart_costs_each_client_one_try_and_no_line() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut folder = ServerFolder::unhurried();
    folder.has("room1", &["ann", "bob"]);
    folder.falls();
    let place = folder.scene.path("");
    let start = || ServerProcess::start_at(&place, &socket, &["--log", "info"]);
    folder.server = start();
    let mut ann = folder.opens("ann", folder.server.address());
    let mut bob = folder.opens("bob", folder.server.address());
    let mut lines = Vec::new();
    for restart in 0..RESTARTS {
        let line = format!("line {restart}.");
        let (begun, rest) = line.split_at(3);
        ann.types(begun);
        ann.sees(&format!("room1> {begun}"));
        folder.server.signal(Signal::TERM);
        ann.sees("Reconnecting");
        bob.sees("Reconnecting");
        ann.types(&format!("{rest}\r"));
        ann.sees("(pending)");
        let ServerFolder { scene, server } = folder;
        assert_eq!(server.end().status.code(), Some(0));
        // No server runs. This try waits in the queue of the socket.
        bob.types("\r");
        folder = ServerFolder {
            scene,
            server: start(),
        };
        ann.sees("Reconnected. Logged in as ann.");
        bob.sees(&format!("ann: {line}"));
        // Connections are counted from the start of the server.
        for _ in ["ann", "bob"] {
            let login = folder.server.logs("logged in user=");
            let is_first = login.ends_with("conn=#1") || login.ends_with("conn=#2");
            assert!(is_first, "{login}");
        }
        lines.push(line);
    }
    assert_eq!(folder.counts("ann", &lines), vec![1; RESTARTS]);
}

#[test]
fn known_hosts_that_cannot_be_read_end_no_running_session() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut folder = ServerFolder::unhurried();
    folder.has("room1", &["ann"]);
    folder.falls();
    let place = folder.scene.path("");
    let start = || ServerProcess::start_at(&place, &socket, &["--log", "off"]);
    folder.server = start();
    let mut ann = folder.opens("ann", folder.server.address());
    ann.types("half a line");
    ann.sees("room1> half a line");
    let hosts = folder.scene.known_hosts();
    std::fs::create_dir(&hosts).unwrap();
    folder.falls();
    folder.server = start();
    ann.sees("known_hosts");
    ann.sees("echat stays offline");
    ann.sees_that("the line", |screen| {
        screen.rest_from("room1").as_deref() == Some("room1 (offline)> half a line")
    });
    std::fs::remove_dir(&hosts).unwrap();
    ann.types("\x15login\r");
    ann.sees("user name (Enter: ann)");
    ann.types("\r");
    ann.sees("login password");
    ann.types(&format!("{SECRET}\r"));
    ann.sees("Logged in as ann.");
    ann.types("\\d\r");
    assert_eq!(ann.ends().0, 0);
}
