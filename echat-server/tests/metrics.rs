//! The metrics with the real server: both doors, the dashboard, and bad input at the port.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr, stdout};
use echat_testkit::wire::{Client, line};

/// A server that shows metrics, and where.
fn watched(dir: &ServerFolder) -> (ServerProcess, SocketAddr) {
    dir.write("config.json", r#"{"server": {"metrics": 0}}"#);
    let mut server = dir.start(&["--log", "info"]);
    let said = server.logs("metrics at http://");
    let (_, address) = said.split_once("http://").unwrap();
    let address = address.trim_end().strip_suffix("/metrics").unwrap();
    (server, address.parse().unwrap())
}

/// All that the server says to these bytes.
fn says(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn page(address: SocketAddr) -> String {
    let answer = says(address, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(
        head.contains("Content-Type: text/plain; version=0.0.4"),
        "{head}"
    );
    assert!(
        head.contains(&format!("Content-Length: {}\r\n", body.len())),
        "{head}"
    );
    body.to_owned()
}

/// The numbers of a page by name and labels.
fn numbers(page: &str) -> BTreeMap<&str, f64> {
    let samples = page
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    samples
        .map(|sample| {
            let (name, value) = sample.rsplit_once(' ').unwrap();
            (name, value.parse().unwrap_or_else(|_| panic!("{sample}")))
        })
        .collect()
}

#[test]
fn the_numbers_are_those_of_what_happened() {
    let dir = ServerFolder::new();
    let (server, address) = watched(&dir);
    assert!(address.ip().is_loopback());
    let mut ann = Client::register(&server, "ann");
    let mut bob = Client::register(&server, "bob");
    ann.asks(r#"CREATE_ROOM {"roomname":"tea","members":[]}"#);
    bob.asks(r#"JOIN_ROOM "tea""#);
    let before = page(address);
    let before = numbers(&before);
    for text in ["one", "two", "three"] {
        let message =
            format!(r#"SEND_MESSAGE {{"target_type":1,"target":"tea","content":"{text}"}}"#);
        assert!(line(&ann.asks(&message)).starts_with("ON_NEW_MESSAGE"));
        bob.hears_message();
    }
    ann.asks(r#"JOIN_ROOM "nowhere""#);
    let after = page(address);
    let after = numbers(&after);
    let grown = |name: &str| after[name] - before.get(name).copied().unwrap_or(0.0);
    for (name, by) in [
        ("echat_messages_total", 3.0),
        ("echat_deliveries_total", 3.0),
        (r#"echat_requests_total{command="SEND_MESSAGE"}"#, 3.0),
        (r#"echat_requests_total{command="JOIN_ROOM"}"#, 1.0),
        (r#"echat_refusals_total{code="unknown_room"}"#, 1.0),
        ("echat_newest_message", 3.0),
        ("echat_logins_total", 0.0),
    ] {
        assert!((grown(name) - by).abs() < 0.5, "{name}: {after:?}");
    }
    assert!(grown("echat_commit_duration_seconds_count") >= 3.0);
    assert!(grown("echat_tick_duration_seconds_count") >= 4.0);
    assert!(grown("echat_sent_bytes_total") > 300.0);
    for (name, value) in [("echat_connections", 2.0), ("echat_users_online", 2.0)] {
        assert!((after[name] - value).abs() < 0.5, "{name}: {after:?}");
    }
    for name in [
        "echat_database_size_bytes",
        "echat_write_ahead_log_size_bytes",
        "echat_disk_free_bytes",
        "echat_resident_memory_bytes",
    ] {
        assert!(after[name] > 4_096.0, "{name}: {after:?}");
    }
    // The other door has the same names, and there is no name of a user anywhere.
    let ctl = dir.run(&["ctl", "metrics"]);
    let ctl = stdout(&ctl);
    let names =
        |page: &str| -> Vec<String> { numbers(page).keys().map(ToString::to_string).collect() };
    assert_eq!(
        names(ctl),
        after.keys().map(ToString::to_string).collect::<Vec<_>>()
    );
    let mut words = ctl.split(|character: char| !character.is_alphanumeric());
    assert!(!words.any(|word| ["ann", "tea"].contains(&word)), "{ctl}");
    assert!(!stdout(&dir.run(&["ctl", "audit"])).contains("metrics"));
    // The index follows within a second.
    let lag = |page: &str| numbers(page)["echat_search_lag_messages"];
    while lag(&page(address)) > 0.5 {
        bob.is_served();
    }
}

/// Names of metrics in a text.
fn metrics_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    words.filter(|word| word.starts_with("echat_"))
}

#[test]
fn the_dashboard_names_metrics_that_exist() {
    let dir = ServerFolder::new();
    dir.write(
        "config.json",
        r#"{"server": {"backup": {"folder": "backups"}}}"#,
    );
    let mut server = dir.start(&["--log", "info"]);
    server.logs("made the backup");
    let mut ann = Client::register(&server, "ann");
    ann.asks(r#"JOIN_ROOM "nowhere""#);
    let output = dir.run(&["ctl", "metrics"]);
    let known: Vec<&str> = metrics_in(stdout(&output)).collect();
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../packaging/grafana/dashboard.json"
    );
    let dashboard: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap());
    let expressions: Vec<&str> = targets
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(expressions.len() >= panels.len());
    let mut shown = Vec::new();
    for name in expressions
        .iter()
        .flat_map(|expression| metrics_in(expression))
    {
        assert!(known.contains(&name), "{name}");
        shown.push(name);
    }
    // And all that there is, is shown.
    for name in known {
        let name = name.trim_end_matches("_count").trim_end_matches("_sum");
        let buckets = format!("{name}_bucket");
        assert!(
            shown.contains(&name) || shown.contains(&&*buckets),
            "{name}"
        );
    }
}

#[test]
fn health_is_told_until_the_server_stops() {
    let dir = ServerFolder::new();
    let (server, address) = watched(&dir);
    let health = || says(address, b"GET /healthz HTTP/1.1\r\n\r\n");
    assert!(health().starts_with("HTTP/1.1 200 OK"));
    assert!(health().ends_with("\r\n\r\nok\n"));
    assert_eq!(dir.run(&["ctl", "drain", "600"]).status.code(), Some(0));
    assert!(health().starts_with("HTTP/1.1 503 "));
    assert_eq!(server.stop().status.code(), Some(0));
}

/// When the server started, in unix seconds.
fn started_at(page: &str) -> f64 {
    let mut lines = page.lines();
    let at = lines.find_map(|line| line.strip_prefix("echat_started_at_seconds "));
    at.expect("the start").parse().unwrap()
}

#[test]
fn every_series_is_there_before_its_first_event() {
    let dir = ServerFolder::new();
    let (server, address) = watched(&dir);
    let first = page(address);
    for series in [
        r#"echat_refusals_total{code="bad_params"} 0"#,
        r#"echat_refusals_total{code="storage_full"} 0"#,
        r#"echat_requests_total{command="SEND_MESSAGE"} 0"#,
    ] {
        assert!(
            first.lines().any(|line| line == series),
            "{series}: {first}"
        );
    }
    // No backup was made; and then one by a process of its own, as by the timer of the package.
    assert!(!first.contains("last_backup"), "{first}");
    let before = started_at(&first);
    for (backup, name) in [(&["backup"][..], "one"), (&["ctl", "backup"], "two")] {
        fs::remove_file(dir.path("data/last_backup")).ok();
        let made = dir.run(&[backup, &[name]].concat());
        assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
        let page = page(address);
        let at = page
            .lines()
            .find_map(|line| line.strip_prefix("echat_last_backup_at_seconds "));
        let at: f64 = at.unwrap_or_else(|| panic!("{page}")).parse().unwrap();
        assert!(at >= before, "{at} {before}");
    }
    let get = says(address, b"GET /healthz HTTP/1.1\r\n\r\n");
    let head = says(address, b"HEAD /healthz HTTP/1.1\r\n\r\n");
    assert_eq!(get, format!("{head}ok\n"));
    let head = says(address, b"HEAD /metrics HTTP/1.1\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    server.stop();
}

#[test]
fn bad_requests_are_refused_and_hurt_no_one_else() {
    let dir = ServerFolder::new();
    let (server, address) = watched(&dir);
    let mut ann = Client::register(&server, "ann");
    let long = format!("GET /{}", "x".repeat(100_000));
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(1_000));
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "404"),
        ("GET /metrics/x HTTP/1.1\r\n\r\n", "404"),
        (
            "POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
            "405",
        ),
        ("PUT /healthz HTTP/1.1\r\n\r\n", "405"),
        ("\u{0}\u{1}\u{2}", "400"),
        ("hello\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421"),
        (&long, "431"),
        (&many, "431"),
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        // The server may refuse before it has read all.
        let sent = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{status}: {answer} {sent:?} {read:?}"
        );
        ann.is_served();
    }
    assert!(page(address).contains("echat_connections 1\n"));
}

#[test]
fn neither_slow_clients_nor_a_thousand_stop_the_server() {
    let dir = ServerFolder::new();
    let (server, address) = watched(&dir);
    let mut ann = Client::register(&server, "ann");
    // Half a request; no more comes.
    let mut slow = TcpStream::connect(address).unwrap();
    slow.write_all(b"GET /met").unwrap();
    // Requests whose answers are not read.
    let mut crowd = Vec::new();
    for number in 0..1_000 {
        let mut stream = TcpStream::connect(address).unwrap();
        // It may be closed for another one by now.
        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n");
        crowd.push(stream);
        if number % 100 == 0 {
            ann.is_served();
        }
    }
    ann.is_served();
    assert!(page(address).contains("echat_users_online 1\n"));
    // The slow one was closed for the others.
    let mut rest = Vec::new();
    match slow.read_to_end(&mut rest) {
        Ok(_) => assert!(rest.is_empty()),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn the_address_is_a_port_of_this_machine_or_written_out() {
    let dir = ServerFolder::new();
    for (value, is_good) in [
        ("9464", true),
        (r#""127.0.0.1:9464""#, true),
        (r#""[::]:9464""#, true),
        ("null", false),
        ("65536", false),
        ("-1", false),
        ("1.5", false),
        (r#""9464""#, false),
        (r#""localhost:9464""#, false),
        ("true", false),
        ("[]", false),
    ] {
        dir.write(
            "config.json",
            format!(r#"{{"server": {{"metrics": {value}}}}}"#),
        );
        let output = dir.run(&["--check-config"]);
        let code = if is_good { 0 } else { 78 };
        assert_eq!(
            output.status.code(),
            Some(code),
            "{value}: {}",
            stderr(&output)
        );
        if !is_good {
            let told = stderr(&output);
            assert!(told.contains("server.metrics: "), "{told}");
        }
    }
    dir.write("config.json", r#"{"server": {"metrics": "0.0.0.0:0"}}"#);
    let mut server = dir.start(&["--log", "info"]);
    server.logs("other machines can read the metrics");
    // An address that is taken ends the start.
    let (taken, address) = {
        let other = ServerFolder::new();
        let (server, address) = watched(&other);
        ((other, server), address)
    };
    dir.write(
        "other.json",
        format!(r#"{{"server": {{"metrics": "{address}"}}}}"#),
    );
    let args = [
        "--config",
        "other.json",
        "--data",
        "other",
        "--listen",
        "127.0.0.1:0",
    ];
    let output = dir.run(&args);
    assert_eq!(output.status.code(), Some(69), "{}", stderr(&output));
    drop(taken);
}
