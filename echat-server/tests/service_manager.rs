//! The server under a service manager, which the test plays: it is told that the server is ready, alive and stopping
//! (sd_notify(3)), and opens the listening sockets, which it keeps while the server restarts (sd_listen_fds(3)).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixDatagram};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use echat_proto::handshake::ClientStart;
use echat_testkit::programs;
use echat_testkit::server_process::{HOST_KEY, ServerFolder, ServerProcess, stderr};
use echat_testkit::wire::{Client, raw_connection, some_bytes};
use echat_testkit::writers::{Crowd, check};
use rustix::process::Signal;

/// No refusal takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first descriptor that is passed.
const FIRST: i32 = 3;

/// What the service manager was told.
struct Told(UnixDatagram);

impl Told {
    fn at(folder: &ServerFolder) -> Self {
        Self::of(UnixDatagram::bind(folder.path("notify")).unwrap())
    }

    fn of(socket: UnixDatagram) -> Self {
        let patience = Some(Duration::from_secs(30));
        socket.set_read_timeout(patience).unwrap();
        Self(socket)
    }

    /// The next message.
    fn next(&self) -> String {
        let mut buffer = [0; 512];
        let length = self.0.recv(&mut buffer).expect("a message");
        str::from_utf8(&buffer[..length]).unwrap().to_owned()
    }

    /// How many messages have come that were not read yet.
    fn unread(&self) -> usize {
        self.0.set_nonblocking(true).unwrap();
        let mut buffer = [0; 512];
        let count = std::iter::from_fn(|| self.0.recv(&mut buffer).ok()).count();
        self.0.set_nonblocking(false).unwrap();
        count
    }
}

/// The server with these descriptors, and with the variables that a service manager sets.
fn passing(folder: &ServerFolder, sockets: Vec<OwnedFd>, args: &[&str]) -> Command {
    let shell = format!("export LISTEN_PID=$$ LISTEN_FDS={}", sockets.len());
    passing_behind(folder, &shell, sockets, args)
}

fn passing_behind(
    folder: &ServerFolder,
    shell: &str,
    sockets: Vec<OwnedFd>,
    args: &[&str],
) -> Command {
    let mut command = folder.command(shell, args);
    let mappings = (FIRST..).zip(sockets);
    let mappings = mappings.map(|(child_fd, parent_fd)| FdMapping {
        parent_fd,
        child_fd,
    });
    command.fd_mappings(mappings.collect()).unwrap();
    command
}

/// A listening socket with a queue as long as that of the socket unit.
fn listening_socket() -> TcpListener {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&socket, 4_096).unwrap();
    socket
}

fn copy_of(socket: &TcpListener) -> OwnedFd {
    socket.try_clone().unwrap().into()
}

#[test]
fn the_service_manager_is_told_of_the_start_and_the_stop() {
    let folder = ServerFolder::new();
    let name = format!("echat-test-{}", std::process::id());
    let abstract_name = UnixAddress::from_abstract_name(&name).unwrap();
    for (told, address) in [
        (Told::at(&folder), "./notify".to_owned()),
        (
            Told::of(UnixDatagram::bind_addr(&abstract_name).unwrap()),
            format!("@{name}"),
        ),
    ] {
        let args = ["--listen", "127.0.0.1:0"];
        let mut command = folder.command("", &args);
        command.env("NOTIFY_SOCKET", address);
        let mut server = ServerProcess::begin(command);
        let ready = told.next();
        let mut lines = ready.lines();
        assert_eq!(lines.next(), Some("READY=1"));
        let status = lines.next().unwrap();
        let address: SocketAddr = status
            .strip_prefix("STATUS=listening on ")
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("{status}"));
        TcpStream::connect(address).expect("ready means that it accepts");
        assert!(server.becomes_ready());
        assert_eq!(server.address(), address);
        let output = server.stop();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(told.next().lines().next(), Some("STOPPING=1"));
        assert_eq!(told.unread(), 0, "no watchdog was asked for");
    }
}

#[test]
fn the_loop_feeds_the_watchdog_that_is_meant_for_this_process() {
    let folder = ServerFolder::new();
    let told = Told::at(&folder);
    let args = ["--listen", "127.0.0.1:0"];
    for (process, is_fed) in [("$$", true), ("1", false)] {
        let shell = format!("export WATCHDOG_USEC=100000 WATCHDOG_PID={process}");
        let mut command = folder.command(&shell, &args);
        command.env("NOTIFY_SOCKET", folder.path("notify"));
        let server = ServerProcess::start(command);
        assert!(told.next().starts_with("READY=1\n"));
        if is_fed {
            // The server has nothing else to do, so the watchdog itself wakes the loop.
            for _ in 0..5 {
                assert_eq!(told.next(), "WATCHDOG=1\n");
            }
            assert_eq!(server.stop().status.code(), Some(0));
            while !told.next().starts_with("STOPPING=1\n") {}
        } else {
            Client::register(&server, "ann").is_served();
            assert_eq!(server.stop().status.code(), Some(0));
            assert!(told.next().starts_with("STOPPING=1\n"));
        }
    }
}

#[test]
fn a_service_manager_that_does_not_read_stops_no_server() {
    let folder = ServerFolder::new();
    let told = Told::at(&folder);
    let full = UnixDatagram::unbound().unwrap();
    full.set_nonblocking(true).unwrap();
    full.connect(folder.path("notify")).unwrap();
    while full.send(b"X_OTHER=1\n").is_ok() {}
    let shell = "export WATCHDOG_USEC=20000";
    let mut command = folder.command(shell, &["--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", folder.path("notify"));
    let mut server = ServerProcess::start(command);
    server.logs("the service manager was not told \"READY=1");
    Client::register(&server, "ann").is_served();
    assert_eq!(server.stop().status.code(), Some(0));
    drop(told);
}

#[test]
fn sockets_that_are_passed_take_the_place_of_the_configured_ones() {
    let folder = ServerFolder::new();
    let sockets = ["127.0.0.1:0", "[::1]:0"].map(|at| TcpListener::bind(at).unwrap());
    let addresses = sockets.each_ref().map(|s| s.local_addr().unwrap());
    // No server could listen at this address.
    let args = ["--listen", "192.0.2.1:1"];
    let passed = sockets.iter().map(copy_of).collect();
    let mut server = ServerProcess::start(passing(&folder, passed, &args));
    assert_eq!(server.address(), addresses[0]);
    assert!(server.becomes_ready());
    assert_eq!(server.address(), addresses[1]);
    server.logs("listening on passed sockets");
    Client::register(&server, "ann");
    for address in addresses {
        server.is_called_at(address);
        Client::login(&server, "ann").is_served();
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn what_is_passed_to_another_process_or_is_no_listening_socket_is_not_used() {
    let folder = ServerFolder::new();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let shell = "export LISTEN_PID=1 LISTEN_FDS=1";
    let args = ["--listen", "127.0.0.2:0"];
    let others = passing_behind(&folder, shell, vec![copy_of(&socket)], &args);
    let server = ServerProcess::start(others);
    assert_eq!(server.address().ip().to_string(), "127.0.0.2");
    server.stop();

    let client = TcpStream::connect(socket.local_addr().unwrap()).unwrap();
    let (accepted, _) = socket.accept().unwrap();
    let datagrams = UnixDatagram::unbound().unwrap();
    let file = std::fs::File::open("/dev/null").unwrap();
    for passed in [accepted.into(), datagrams.into(), file.into()] {
        let output = ServerProcess::begin(passing(&folder, vec![passed], &[])).end();
        assert_eq!(output.status.code(), Some(69), "{}", stderr(&output));
        let words = "the sockets of the service manager cannot be used";
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
    drop(client);
    for count in ["17", "2000000000", "-1", "many"] {
        let shell = format!("export LISTEN_PID=$$ LISTEN_FDS={count}");
        let output = ServerProcess::begin(folder.command(&shell, &[])).end();
        assert_eq!(output.status.code(), Some(69), "{}", stderr(&output));
    }
}

#[test]
fn a_host_key_among_the_credentials_takes_the_place_of_the_one_in_the_data_folder() {
    let folder = ServerFolder::new();
    let start = |folder: &ServerFolder| {
        let mut command = folder.command("", &["--listen", "127.0.0.1:0"]);
        command.env("CREDENTIALS_DIRECTORY", folder.path("credentials"));
        ServerProcess::begin(command)
    };
    // Credentials of other names are none of the server's.
    std::fs::create_dir(folder.path("credentials")).unwrap();
    let mut server = start(&folder);
    assert!(server.becomes_ready());
    let own = server.fingerprint().to_owned();
    server.stop();

    folder.write("credentials/host_key", HOST_KEY);
    let mut fingerprints = Vec::new();
    for _ in 0..2 {
        let mut server = start(&folder);
        assert!(server.becomes_ready());
        fingerprints.push(server.fingerprint().to_owned());
        Client::connect(&server).is_served();
        assert_eq!(server.stop().status.code(), Some(0));
        // The folder needs no key of its own then.
        let _ = std::fs::remove_file(folder.path("data/host_key"));
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
    assert_ne!(fingerprints[0], own);
    assert!(!folder.path("data/host_key").exists());
    let backup = folder.run(&["backup", "one.backup"]);
    let said = String::from_utf8_lossy(&backup.stdout).into_owned();
    assert!(said.contains("without the host key"), "{said}");

    for wrong in [&b"echat-host-key-ed25519 AAAA\n"[..], b"\xff", b""] {
        folder.write("credentials/host_key", wrong);
        let output = start(&folder).end();
        assert_eq!(output.status.code(), Some(78), "{}", stderr(&output));
    }
}

/// The units of `packaging/systemd`, with the server under test for the installed one.
fn units() -> Option<(ServerFolder, Vec<String>)> {
    let found = Command::new("systemd-analyze").arg("--version").output();
    if found.is_err() {
        let required = std::env::var_os("ECHAT_SYSTEMD_REQUIRED").is_some();
        assert!(!required, "systemd-analyze is missing");
        eprintln!("NOT RUN: systemd-analyze is missing (apt-get install systemd)");
        return None;
    }
    let folder = ServerFolder::new();
    let server = programs::server().to_str().unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/systemd");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let unit = std::fs::read_to_string(&path).unwrap();
        folder.write(&name, unit.replace("/usr/bin/echat-server", server));
        names.push(name);
    }
    Some((folder, names))
}

/// What `systemd-analyze` says of units, and whether it is content.
fn analyze(folder: &ServerFolder, args: &[&str]) -> (bool, String) {
    let mut command = Command::new("systemd-analyze");
    let command = command.args(args).current_dir(folder.path(""));
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    (output.status.success(), said)
}

#[test]
fn the_units_are_valid_and_the_services_are_confined() {
    let Some((folder, names)) = units() else {
        return;
    };
    let paths: Vec<String> = names.iter().map(|name| format!("./{name}")).collect();
    let paths = paths.iter().map(String::as_str);
    let verify: Vec<&str> = ["verify", "--man=no"].into_iter().chain(paths).collect();
    let (valid, said) = analyze(&folder, &verify);
    // The back-off of restarts is new in systemd 254; older ones say that they ignore it.
    let is_newer = |line: &&str| {
        let key = ["RestartSteps", "RestartMaxDelaySec"];
        let ignored = |key| line.contains(&format!("Unknown key '{key}'"));
        key.into_iter().any(ignored)
    };
    let complaints: Vec<&str> = said.lines().filter(|line| !is_newer(line)).collect();
    assert!(valid && complaints.is_empty(), "{complaints:#?}");
    let services = names.iter().filter(|name| name.ends_with(".service"));
    let mut count = 0;
    for name in services {
        let path = format!("./{name}");
        // In tenths: the exposure is below 2.0.
        let args = ["security", "--offline=true", "--threshold=19", "--no-pager"];
        let (confined, said) = analyze(&folder, &[&args[..], &[&path]].concat());
        assert!(confined, "{name}: {said}");
        count += 1;
    }
    assert_eq!(count, 2);
}

#[test]
fn the_commands_of_the_units_are_understood() {
    let folder = ServerFolder::new();
    folder.write("config.json", "{}");
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/systemd");
    let command = |unit: &str| {
        let unit = std::fs::read_to_string(format!("{sources}/{unit}")).unwrap();
        let line = unit.lines().find(|line| line.starts_with("ExecStart="));
        let line = line
            .unwrap()
            .strip_prefix("ExecStart=/usr/bin/echat-server");
        let here = folder.path("").to_str().unwrap().to_owned();
        let line = line.unwrap().replace("/etc/echat/", &format!("{here}/"));
        line.replace("/var/lib/", &format!("{here}/"))
    };
    // Relative paths of the configuration, and the folder of the nightly backups, are where the service may write.
    let unit = std::fs::read_to_string(format!("{sources}/echat.service")).unwrap();
    for line in [
        "StateDirectory=echat echat-backups",
        "WorkingDirectory=/var/lib/echat",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
    let serve = command("echat.service");
    let serve: Vec<&str> = serve.split_whitespace().collect();
    let socket = listening_socket();
    let passed = vec![copy_of(&socket)];
    let server = ServerProcess::start(passing(&folder, passed, &serve));
    Client::register(&server, "ann").is_served();
    assert!(folder.path("echat/database.db").is_file());
    let backup = command("echat-backup.service");
    let backup: Vec<&str> = backup.split_whitespace().collect();
    let output = folder.run(&backup);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        std::fs::read_dir(folder.path("echat-backups"))
            .unwrap()
            .count(),
        1
    );
    assert_eq!(server.stop().status.code(), Some(0));
}

/// Connects again and again until it is told to stop, each time until the server answers or closes. A refused
/// connection fails the test. Returns how many connections were answered.
/// In the queue of a socket that stays open, a client would wait for the end of the drain.
#[test]
fn a_drain_refuses_connections_at_a_passed_socket_too() {
    let socket = listening_socket();
    let address = socket.local_addr().unwrap();
    let folder = ServerFolder::new();
    let start = || ServerProcess::start(passing(&folder, vec![copy_of(&socket)], &[]));
    let server = start();
    let mut ann = Client::register(&server, "ann");
    let drains = folder.run(&["ctl", "drain", "3600"]);
    assert_eq!(drains.status.code(), Some(0), "{}", stderr(&drains));
    for _ in 0..3 {
        let mut refused = TcpStream::connect(address).unwrap();
        refused.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(refused.read(&mut [0]).unwrap(), 0, "it is closed");
    }
    ann.is_served();
    assert_eq!(server.stop().status.code(), Some(0));
    // With the next server it waits, as at any restart.
    let waiting = raw_connection(address);
    let server = start();
    let client = Client::try_over(waiting, &server);
    client.expect("it is served").is_served();
}

fn connects_all_the_time(address: SocketAddr, stop: &AtomicBool) -> usize {
    let mut answered = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut stream = raw_connection(address);
        let (hello, _) = ClientStart::new(&mut rand::rng()).send();
        let was_sent = stream.write_all(&hello).is_ok();
        answered += usize::from(was_sent && !some_bytes(&mut stream).is_empty());
    }
    answered
}

#[test]
fn a_restart_refuses_no_connection_and_loses_no_acknowledged_line() {
    const WAITING: usize = 20;
    let crowd = Crowd {
        writers: 3,
        window: 5,
    };
    let socket = listening_socket();
    let address = socket.local_addr().unwrap();
    let start =
        |folder: &ServerFolder| ServerProcess::start(passing(folder, vec![copy_of(&socket)], &[]));
    let (folder, mut server, mut members) = crowd.enter(start);
    let mut after = 0;
    for round in 0..3 {
        let stop = AtomicBool::new(false);
        let (next, written) = thread::scope(|scope| {
            let others = scope.spawn(|| connects_all_the_time(address, &stop));
            let strike = |server: &ServerProcess| server.signal(Signal::TERM);
            let written = crowd.write_until(&server, members, round, 50, strike);
            let output = server.end();
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            assert!(written.iter().all(|written| written.goodbye.is_some()));
            // No server runs. These clients wait for the next one.
            let waiting: Vec<_> = (0..WAITING).map(|_| raw_connection(address)).collect();
            let next = start(&folder);
            for stream in waiting {
                let client = Client::try_over(stream, &next);
                client.expect("it is served after the restart").is_served();
            }
            stop.store(true, Ordering::Relaxed);
            assert!(others.join().expect("none is refused") > 0);
            (next, written)
        });
        server = next;
        members = crowd.return_to(&server);
        after = check(&mut members, after, &written);
    }
}
