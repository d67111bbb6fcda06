//! The server behind proxies that say by PROXY headers for which client they connect. The test is the proxy; HAProxy
//! and nginx are tried as docs/proxies.md configures them.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr};
use echat_testkit::wire::{Client, credentials, line, raw_connection};
use rustix::net::{AddressFamily, SocketType};
use rustix::process::{Pid, Signal, kill_process};

/// A server that trusts this network, on every address of the machine.
fn server(trusted: &str, limits: &str) -> (ServerFolder, ServerProcess) {
    let folder = ServerFolder::new();
    folder.write(
        "config.json",
        format!(
            r#"{{"server": {{"proxy_protocol": ["{trusted}"], "sessions_per_user": 8, "limits": {{{limits}}}}}}}"#
        ),
    );
    let server = folder.start(&[]);
    (folder, server)
}

/// A connection from an address of this machine.
fn connection_from(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddr::from((from, 0))).unwrap();
    rustix::net::connect(&socket, &to).unwrap();
    let stream = TcpStream::from(socket);
    let patience = Some(Duration::from_secs(30));
    stream.set_read_timeout(patience).unwrap();
    stream
}

fn v1(client: &str) -> Vec<u8> {
    format!("PROXY TCP4 {client} 10.0.0.1 4321 1024\r\n").into_bytes()
}

fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    let begin = b"\r\n\r\n\0\r\nQUIT\n";
    [begin, &[command, family][..], &length, body].concat()
}

/// Version 2 for a client with an IPv6 address, with an extension.
fn v2_of(client: &str) -> Vec<u8> {
    let client: std::net::Ipv6Addr = client.parse().unwrap();
    let ports = [0x10, 0xe1, 0x04, 0x00];
    let noop = [4, 0, 2, 0, 0];
    let body = [&client.octets()[..], &[0; 16], &ports, &noop].concat();
    v2(0x21, 0x21, &body)
}

/// A client whose connection begins with this header.
fn behind(server: &ServerProcess, header: &[u8]) -> Option<Client> {
    let mut stream = raw_connection(server.address());
    stream.write_all(header).unwrap();
    Client::try_over(stream, server)
}

/// The addresses of the sessions of a client's user.
fn session_addresses(client: &mut Client) -> String {
    line(&client.asks("LIST_SESSIONS null"))
}

/// The server closes without a byte.
fn is_refused(mut stream: TcpStream) {
    let mut bytes = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut bytes);
    assert_eq!(bytes, [0; 0]);
}

#[test]
fn sessions_and_logs_have_the_address_that_a_trusted_proxy_names() {
    let (_folder, mut server) = server("127.0.0.0/8", "");
    let mut ann = behind(&server, &v1("203.0.113.7")).unwrap();
    ann.asks(&format!("REGISTER {}", credentials("ann")));
    ann.logs_in("ann");
    let mut seen = Vec::new();
    for header in [
        v2_of("2001:db8::7"),
        v2_of("::ffff:198.51.100.9"),
        // The proxy speaks for itself, as to see whether the server is well.
        v2(0x20, 0x00, &[]),
        b"PROXY UNKNOWN\r\n".to_vec(),
    ] {
        let mut other = behind(&server, &header).unwrap();
        other.logs_in("ann");
        let sessions = session_addresses(&mut other);
        assert!(sessions.contains(r#""203.0.113.7""#), "{sessions}");
        seen.push(sessions);
    }
    assert!(seen[0].contains(r#""2001:db8::7""#), "{seen:?}");
    assert!(seen[1].contains(r#""198.51.100.9""#), "{seen:?}");
    for own in &seen[2..] {
        assert!(own.contains(r#""127.0.0.1""#), "{seen:?}");
    }
    let mut guess = behind(&server, &v1("203.0.113.66")).unwrap();
    guess.asks(r#"LOGIN {"username":"ann","password":"quite another one"}"#);
    let logged = server.logs("login failed");
    assert!(
        logged.ends_with(r#"user="ann" address=203.0.113.66"#),
        "{logged}"
    );
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn limits_count_the_clients_and_not_the_proxy() {
    let limits = r#""connections_per_address": 2, "registrations": 2"#;
    let (_folder, server) = server("127.0.0.1", limits);
    // Both ways to hold a limit: connections without a login are replaced, and attempts are refused.
    let registers = |from: &str, name: &str| {
        let mut client = behind(&server, &v1(from)).unwrap();
        line(&client.asks(&format!("REGISTER {}", credentials(name))))
    };
    for name in ["ann", "bob"] {
        let registered = registers("203.0.113.7", name);
        assert!(registered.starts_with("REGISTER_SUCCESS"), "{registered}");
    }
    let refused = registers("203.0.113.7", "cid");
    assert!(refused.contains("rate"), "{refused}");
    let registered = registers("203.0.113.8", "cid");
    assert!(registered.starts_with("REGISTER_SUCCESS"), "{registered}");

    let mut first = behind(&server, &v1("203.0.113.9")).unwrap();
    let mut second = behind(&server, &v1("203.0.113.9")).unwrap();
    let mut other = behind(&server, &v1("203.0.113.10")).unwrap();
    let mut third = behind(&server, &v1("203.0.113.9")).unwrap();
    assert!(first.hears().is_none(), "it gave way");
    for client in [&mut second, &mut other, &mut third] {
        client.is_served();
    }
}

#[test]
fn a_header_from_others_is_refused_and_logged() {
    let (_folder, mut server) = server("127.0.0.2/32", "");
    Client::register(&server, "ann").is_served();
    for header in [v1("203.0.113.7"), v2_of("2001:db8::7")] {
        assert!(behind(&server, &header).is_none());
    }
    let logged = server.logs("refused a PROXY header");
    assert!(logged.ends_with("address=127.0.0.1"), "{logged}");
    assert!(!logged.contains("203.0.113.7"), "{logged}");
    // A client of the proxy cannot forge an address by a header of its own.
    let proxy = Ipv4Addr::new(127, 0, 0, 2);
    let mut stream = connection_from(proxy, server.address());
    let forged = [v1("203.0.113.7"), v1("198.51.100.9")].concat();
    stream.write_all(&forged).unwrap();
    is_refused(stream);
    // Nor does a trusted address connect without one.
    let stream = connection_from(proxy, server.address());
    assert!(Client::try_over(stream, &server).is_none());
    server.logs("it does not begin with a PROXY header");
    let mut stream = connection_from(proxy, server.address());
    stream.write_all(&v1("203.0.113.7")).unwrap();
    let mut bob = Client::try_over(stream, &server).unwrap();
    bob.logs_in("ann");
    assert!(session_addresses(&mut bob).contains(r#""203.0.113.7""#));
}

#[test]
fn a_header_may_come_byte_by_byte_and_together_with_the_hello() {
    let (_folder, server) = server("127.0.0.1", "");
    for header in [v1("203.0.113.7"), v2_of("2001:db8::7")] {
        let mut stream = raw_connection(server.address());
        for byte in header {
            stream.write_all(&[byte]).unwrap();
            // The server is at work between the bytes.
            behind(&server, &v1("203.0.113.8")).unwrap().is_served();
        }
        Client::try_over(stream, &server).unwrap().is_served();
    }
    let mut stream = raw_connection(server.address());
    stream.set_nodelay(false).unwrap();
    stream.write_all(&v1("203.0.113.7")).unwrap();
    Client::try_over(stream, &server).unwrap().is_served();
}

#[test]
fn a_header_that_is_too_long_or_wrong_is_refused_before_it_is_whole() {
    let (_folder, mut server) = server("127.0.0.1", "");
    let long = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 200]].concat();
    let mut huge = v2(0x21, 0x11, &vec![0; 60_000]);
    huge.truncate(16);
    for bytes in [
        &long[..],
        &huge,
        b"GET / HTTP/1.1\r\n",
        b"PROXY TCP4 nonsense\r\n",
    ] {
        let mut stream = raw_connection(server.address());
        stream.write_all(bytes).unwrap();
        is_refused(stream);
    }
    server.logs("a connection from a trusted proxy is closed");
    behind(&server, &v1("203.0.113.7")).unwrap().is_served();
    let output = server.stop();
    let lines = stderr(&output).matches("is closed").count();
    assert_eq!(lines, 1, "one line in ten seconds: {}", stderr(&output));
}

#[test]
fn half_headers_are_bounded_in_number_and_time_and_hurt_no_other_client() {
    const MANY: usize = 600;
    let (_folder, server) = server("127.0.0.1", "");
    let mut ann = behind(&server, &v1("203.0.113.7")).unwrap();
    let half: Vec<TcpStream> = (0..MANY)
        .map(|n| {
            let mut stream = raw_connection(server.address());
            let header = if n % 2 == 0 {
                v1("203.0.113.8")
            } else {
                v2_of("::8")
            };
            stream.write_all(&header[..n % 14]).unwrap();
            if n % 50 == 0 {
                ann.is_served();
                behind(&server, &v1("203.0.113.9")).unwrap().is_served();
            }
            stream
        })
        .collect();
    // Those that had to give way and those whose time is over: all are closed.
    half.into_iter().for_each(is_refused);
    ann.is_served();
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn a_stop_does_not_wait_for_headers() {
    let (_folder, server) = server("127.0.0.1", "");
    let mut half = raw_connection(server.address());
    half.write_all(b"PROXY ").unwrap();
    behind(&server, &v1("203.0.113.7")).unwrap().is_served();
    let output = server.stop();
    assert_eq!(output.status.code(), Some(0));
    assert!(!stderr(&output).contains("PROXY"), "{}", stderr(&output));
    is_refused(half);
}

/// A proxy program in the background, which ends with this value.
struct Program(Pid);

impl Program {
    /// Starts it. A command that has ended listens, and has written the number of its process to the file `pid`.
    fn start(folder: &ServerFolder, command: &[&str]) -> Self {
        let mut program = Command::new(command[0]);
        let output = program.args(&command[1..]).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let pid = fs::read_to_string(folder.path("pid")).unwrap();
        let pid = pid.trim().parse().ok().and_then(Pid::from_raw);
        Self(pid.expect("the number of a process"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself, which the test notices.
        let _ = kill_process(self.0, Signal::TERM);
    }
}

/// The blocks of a language in docs/proxies.md.
fn blocks(language: &str) -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/proxies.md");
    let page = fs::read_to_string(page).unwrap();
    let begin = format!("```{language}\n");
    let blocks = page.split(&begin).skip(1);
    blocks
        .map(|rest| rest.split_once("```").unwrap().0.to_owned())
        .collect()
}

/// Whether a program is installed.
fn is_installed(program: &str) -> bool {
    let found = Command::new(program).arg("-v").output().is_ok();
    let required = std::env::var_os("ECHAT_PROXIES_REQUIRED").is_some();
    assert!(found || !required, "{program} is missing");
    if !found {
        eprintln!(
            "NOT RUN: {program} is missing (apt-get install haproxy nginx-light libnginx-mod-stream)"
        );
    }
    found
}

/// Starts the server of the page and a proxy before it, and looks whose address the server sees.
fn sees_the_client_through(program: &str, configured: impl Fn(&ServerFolder, &str) -> Vec<String>) {
    if !is_installed(program) {
        return;
    }
    let folder = ServerFolder::new();
    let [json] = &blocks("json")[..] else {
        panic!("one configuration of the server");
    };
    folder.write("config.json", json);
    let mut server = folder.start(&["--log", "debug"]);
    let [block] = &blocks(program)[..] else {
        panic!("one configuration of {program}");
    };
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let block = block.replace("1024", &port.to_string());
    let block = block.replace("127.0.0.1:1025", &server.address().to_string());
    assert!(block.contains(&server.address().to_string()));
    let command = configured(&folder, &block);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let proxy = Program::start(&folder, &command);
    let client = Ipv4Addr::new(127, 0, 0, 77);
    let stream = connection_from(client, (Ipv4Addr::LOCALHOST, port).into());
    let mut ann = Client::try_over(stream, &server).unwrap();
    ann.asks(&format!("REGISTER {}", credentials("ann")));
    ann.asks(r#"LOGIN {"username":"ann","password":"quite another one"}"#);
    let logged = server.logs("login failed");
    assert!(logged.ends_with("address=127.0.0.77"), "{logged}");
    drop(proxy);
    let output = server.stop();
    assert_eq!(output.status.code(), Some(0));
    // Looking whether the server is well is no fault of the proxy.
    let complaint = "a connection from a trusted proxy is closed";
    assert!(!stderr(&output).contains(complaint), "{}", stderr(&output));
}

#[test]
fn haproxy_works_as_the_page_configures_it() {
    sees_the_client_through("haproxy", |folder, block| {
        folder.write("haproxy.cfg", block);
        let path = |name| folder.path(name).to_str().unwrap().to_owned();
        let (config, pid) = (path("haproxy.cfg"), path("pid"));
        ["haproxy", "-D", "-p", &pid, "-f", &config]
            .map(str::to_owned)
            .into()
    });
}

#[test]
fn nginx_works_as_the_page_configures_it() {
    sees_the_client_through("nginx", |folder, block| {
        let path = |name| folder.path(name).to_str().unwrap().to_owned();
        let (config, pid, log) = (path("nginx.conf"), path("pid"), path("nginx.log"));
        let module = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;";
        let head = format!("{module}\npid {pid};\nerror_log {log};\nevents {{}}\n");
        folder.write("nginx.conf", head + block);
        ["nginx", "-e", &log, "-c", &config]
            .map(str::to_owned)
            .into()
    });
}
