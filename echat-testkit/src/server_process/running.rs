//! A server that runs. It is waited for by what it writes, and killed when the test is over.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, kill_process};

use crate::programs;

/// No test waits longer than this for a server to write something, or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a failing test shows of the end of a server's log, in lines.
const TAIL: usize = 40;
/// The longest time between two chunks of the log of a process that was killed.
const LAST_CHUNK: Duration = Duration::from_secs(1);

/// A server, or anything else that the binary does.
pub struct ServerProcess {
    /// The command line, for the report of a failing test.
    command: String,
    child: Child,
    stdout: Stream,
    stderr: Stream,
    ready: Option<Ready>,
    /// The connections of the test's clients, as far as they are open.
    clients: Mutex<Vec<Weak<TcpStream>>>,
}

/// What the one line on stdout says.
#[derive(Clone, Debug)]
struct Ready {
    address: SocketAddr,
    fingerprint: String,
}

impl ServerProcess {
    /// Starts it and waits for nothing.
    pub fn begin(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let shown = format!("{command:?}");
        let stdout = Stream::of(child.stdout.take().unwrap());
        let stderr = Stream::of(child.stderr.take().unwrap());
        Self {
            command: shown,
            child,
            stdout,
            stderr,
            ready: None,
            clients: Mutex::default(),
        }
    }

    /// A client of the test has this connection.
    pub(crate) fn is_joined_by(&self, stream: &Arc<TcpStream>) {
        let mut clients = self.clients.lock().expect("no test panics here");
        clients.push(Arc::downgrade(stream));
    }

    /// Starts it and waits for its ready line.
    #[track_caller]
    pub fn start(command: Command) -> Self {
        let mut running = Self::begin(command);
        assert!(
            running.becomes_ready(),
            "no server: {}",
            String::from_utf8_lossy(running.stderr.rest(PATIENCE))
        );
        running
    }

    /// Starts a server on a free port that has its data in this folder, and waits for its ready line.
    #[track_caller]
    pub fn start_in(folder: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(programs::server());
        command
            .args(["--listen", "127.0.0.1:0", "--data", "data"])
            .args(args)
            .current_dir(folder)
            .env_remove("ECHAT_CONFIG")
            .env_remove("ECHAT_LOG");
        Self::start(command)
    }

    /// Starts a server with its data in this folder, which takes over this listening socket as from a service manager
    /// that keeps it (sd_listen_fds(3)), and waits for its ready line.
    #[track_caller]
    pub fn start_at(folder: &Path, socket: &TcpListener, args: &[&str]) -> Self {
        let shell = r#"exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$@""#;
        let mut command = Command::new("sh");
        command
            .args(["-c", shell])
            .arg(programs::server())
            .args(["--data", "data"])
            .args(args)
            .stdin(OwnedFd::from(socket.try_clone().unwrap()))
            .current_dir(folder)
            .env_remove("ECHAT_CONFIG")
            .env_remove("ECHAT_LOG");
        Self::start(command)
    }

    /// The next line on standard output that is no ready line, as the shell before it prints.
    #[track_caller]
    pub fn prints(&mut self) -> Option<String> {
        self.stdout.line()
    }

    /// Waits for its ready line; false if it ends before. Each call reads one line: a server that
    /// listens on several addresses has one for each.
    #[track_caller]
    pub fn becomes_ready(&mut self) -> bool {
        let Some(line) = self.stdout.line() else {
            return false;
        };
        let mut words = line
            .strip_prefix("listening on ")
            .expect("a ready line")
            .split(' ');
        self.ready = Some(Ready {
            address: words.next().unwrap().parse().expect("an address"),
            fingerprint: words.next().expect("a fingerprint").to_owned(),
        });
        assert_eq!(words.next(), None);
        true
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.ready.as_ref().expect("it was waited for").address
    }

    /// From now on clients call it at this address, which is one of its own.
    pub fn is_called_at(&mut self, address: SocketAddr) {
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let ready = self.ready.as_mut().expect("it was waited for");
        ready.address = SocketAddr::new(ip, address.port());
    }

    /// The host key's fingerprint, as the ready line has it.
    pub fn fingerprint(&self) -> &str {
        &self.ready.as_ref().expect("it was waited for").fingerprint
    }

    /// The number of the process, as `echat_system::proc` takes it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The process, as system calls take it.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal. A process that has ended stays there until it is waited for.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for the next line of the log that has these words.
    #[track_caller]
    pub fn logs(&mut self, words: &str) -> String {
        loop {
            let line = self
                .stderr
                .line()
                .unwrap_or_else(|| panic!("never logged: {words}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Waits for it to end; all that it ever wrote.
    #[track_caller]
    pub fn end(mut self) -> Output {
        let stdout = self.stdout.rest(PATIENCE).to_vec();
        let stderr = self.stderr.rest(PATIENCE).to_vec();
        Output {
            status: self.child.wait().unwrap(),
            stdout,
            stderr,
        }
    }

    /// Tells it to stop and waits for its end. Clients that are still there close their connections when the server has
    /// closed its side, as users' clients do: the server would wait two seconds for them.
    #[track_caller]
    pub fn stop(self) -> Output {
        self.signal(Signal::TERM);
        let clients = self.clients.lock().expect("no test panics here");
        for stream in clients.iter().filter_map(Weak::upgrade) {
            let mut fds = [PollFd::new(&*stream, PollFlags::RDHUP)];
            let patience = Timespec::try_from(PATIENCE).expect("half a minute");
            let closed = retry_on_intr(|| poll(&mut fds, Some(&patience)));
            assert_eq!(closed, Ok(1), "the server closes every connection");
            // Fails if the connection is gone.
            let _ = stream.shutdown(Shutdown::Write);
        }
        drop(clients);
        self.end()
    }

    /// Kills it as a power cut of the process would, and waits for its end.
    #[track_caller]
    pub fn kill(self) -> Output {
        self.signal(Signal::KILL);
        self.end()
    }

    /// The same for a test that goes on without it.
    pub fn falls(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().unwrap();
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let ended = self.child.try_wait();
        // Neither can fail but for a process that has ended, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A test that fails shows what its servers logged, with its own output.
        if thread::panicking() {
            let end = match ended {
                Ok(Some(status)) => format!("had ended ({status})"),
                _ => "still ran".to_owned(),
            };
            let (command, log) = (&self.command, self.stderr.last_lines(TAIL));
            eprintln!("a server of this test {end}: {command}\nthe end of its log:\n{log}");
        }
    }
}

/// What a process writes, read by a thread, so that waiting for it has an end.
struct Stream {
    /// Locked only so that the threads of a test can share a server.
    chunks: Mutex<Receiver<Vec<u8>>>,
    seen: Vec<u8>,
    /// Where the next line begins.
    line: usize,
}

impl Stream {
    fn of(mut from: impl Read + Send + 'static) -> Self {
        let (sender, chunks) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = from.read(&mut buffer) {
                if length == 0 || sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            chunks: Mutex::new(chunks),
            seen: Vec::new(),
            line: 0,
        }
    }

    /// Waits for more; false at the end.
    fn more(&mut self, patience: Duration) -> bool {
        use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};
        let chunks = self.chunks.get_mut().expect("only this thread locks it");
        match chunks.recv_timeout(patience) {
            Ok(chunk) => self.seen.extend(chunk),
            Err(Disconnected) => return false,
            Err(Timeout) => panic!("silent: {}", String::from_utf8_lossy(&self.seen)),
        }
        true
    }

    /// The next line without its end; `None` when there is none any more.
    fn line(&mut self) -> Option<String> {
        loop {
            let rest = &self.seen[self.line..];
            if let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                let line = str::from_utf8(&rest[..length]).unwrap().to_owned();
                self.line += length + 1;
                return Some(line);
            }
            if !self.more(PATIENCE) {
                return None;
            }
        }
    }

    /// The last lines of a process that has ended, as far as they were read: another process may hold the pipe.
    fn last_lines(&mut self, count: usize) -> String {
        let chunks = self
            .chunks
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        while let Ok(chunk) = chunks.recv_timeout(LAST_CHUNK) {
            self.seen.extend(chunk);
        }
        let text = String::from_utf8_lossy(&self.seen);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    /// All that was ever written, at the end.
    fn rest(&mut self, patience: Duration) -> &[u8] {
        while self.more(patience) {}
        &self.seen
    }
}
