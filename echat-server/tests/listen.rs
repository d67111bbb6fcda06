//! Several addresses to listen on, as the real server does it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};

use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr, stdout, why_it_ended};
use echat_testkit::wire::Client;

/// The addresses of the ready lines, in order. A client is served at each, by one server.
fn served(mut server: ServerProcess, count: usize) -> Vec<SocketAddr> {
    let mut addresses = vec![server.address()];
    for _ in 1..count {
        assert!(server.becomes_ready());
        addresses.push(server.address());
    }
    Client::register(&server, "ann");
    for address in &addresses {
        server.is_called_at(*address);
        Client::login(&server, "ann").is_served();
    }
    let output = server.stop();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), count);
    addresses
}

#[test]
fn every_address_of_the_list_is_served_and_announced_in_order() {
    let dir = ServerFolder::new();
    dir.write(
        "config.json",
        r#"{"server": {"listen": ["127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0"]}}"#,
    );
    let addresses = served(ServerProcess::start(dir.command("", &[])), 3);
    let ips: Vec<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
    assert_eq!(ips, ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
}

#[test]
fn the_flag_is_repeated_and_takes_the_place_of_the_list() {
    let dir = ServerFolder::new();
    dir.write("config.json", r#"{"server": {"listen": ["192.0.2.1:1"]}}"#);
    let args = ["--listen", "127.0.0.2:0", "--listen", "127.0.0.1:0"];
    let addresses = served(ServerProcess::start(dir.command("", &args)), 2);
    let ips: Vec<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
    assert_eq!(ips, ["127.0.0.2", "127.0.0.1"]);
}

#[test]
fn an_address_that_cannot_be_bound_refuses_the_start() {
    let dir = ServerFolder::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let args = [
        "--log",
        "off",
        "--listen",
        "127.0.0.2:0",
        "--listen",
        &taken,
    ];
    let refused = dir.run(&args);
    assert_eq!(
        why_it_ended(&refused),
        format!("cannot listen on {taken}: Address already in use (os error 98)\n")
    );
    assert_eq!((refused.status.code(), stdout(&refused)), (Some(69), ""));
}

#[test]
fn all_addresses_are_for_ipv6_and_ipv4() {
    let dir = ServerFolder::new();
    let server = ServerProcess::start(dir.command("", &["--listen", "[::]:0"]));
    let port = server.address().port();
    for ip in [Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()] {
        TcpStream::connect(SocketAddr::new(ip, port)).unwrap();
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn the_log_has_an_address_to_connect_to_and_a_warning_about_open_registration() {
    let warning = "registration is open: everyone that reaches this server can make an account";
    for (listen, registration, warns) in [
        ("0.0.0.0:0", "open", true),
        ("0.0.0.0:0", "invitation", false),
        ("127.0.0.1:0", "open", false),
    ] {
        let dir = ServerFolder::new();
        let config = format!(r#"{{"server": {{"registration": "{registration}"}}}}"#);
        dir.write("config.json", &config);
        let args = ["--config", "config.json", "--listen", listen];
        let server = ServerProcess::start(dir.command("", &args));
        let (address, key) = (server.address(), server.fingerprint().to_owned());
        let output = server.stop();
        let log = stderr(&output);
        let host = match listen {
            "0.0.0.0:0" => "HOST",
            _ => "127.0.0.1",
        };
        let link = format!("echat 'echat://{host}:{}/#{key}'", address.port());
        assert!(log.contains(&link), "{log}");
        assert_eq!(
            log.contains(warning),
            warns,
            "{listen} {registration}: {log}"
        );
    }
}

#[test]
fn both_families_listen_on_all_addresses_at_one_port() {
    let port = TcpListener::bind("[::]:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let dir = ServerFolder::new();
    let listen = [format!("[::]:{port}"), format!("0.0.0.0:{port}")];
    let args = ["--listen", &listen[0], "--listen", &listen[1]];
    let addresses = served(ServerProcess::start(dir.command("", &args)), 2);
    assert_eq!(texts(&addresses), listen);
}

fn texts(addresses: &[SocketAddr]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

/// `[::]` under a system whose default is that an IPv6 socket is for IPv6 only, in a network of its own.
#[test]
#[ignore = "needs unshare for a network of its own"]
fn all_addresses_are_for_ipv4_too_whatever_the_system_says() {
    let own = std::env::current_exe().unwrap();
    let inner = format!(
        "ip link set lo up && echo 1 >/proc/sys/net/ipv6/bindv6only && exec '{}' --exact \
         all_addresses_are_for_ipv6_and_ipv4",
        own.display()
    );
    let output = std::process::Command::new("unshare")
        .args(["--map-root-user", "--net", "sh", "-c", &inner])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(stdout(&output).contains("1 passed"), "{output:?}");
}
