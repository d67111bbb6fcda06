//! A small client for tests: the protocol's own parts over a blocking socket. It waits only for
//! what has to come; its one deadline is there to fail a test, not to pace it.

mod words;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use echat_proto::channel::{Channel, Incoming, Message};
use echat_proto::commands;
use echat_proto::handshake::{ClientStart, Step};
use echat_proto::{Value, fingerprint};

use crate::server_process::ServerProcess;

pub use words::{PASSWORD, credentials, line, message, number, text};

/// No test waits longer than this for a byte.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most that one read takes.
const GULP: usize = 16 * 1024;

/// One connection to a server.
pub struct Client {
    /// Shared with the server's process, whose [`stop`](ServerProcess::stop) closes it.
    stream: Arc<TcpStream>,
    channel: Channel,
    /// Bytes received so far.
    pub received: u64,
    /// Bytes that one read takes at most. With a limit below the size of a frame, `received` tells where a
    /// message ended.
    pub gulp: usize,
    /// What came before the reply that was waited for, in order.
    pub events: Vec<Message>,
}

/// A connection without a handshake.
pub fn raw_connection(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// What one read gives; none at the end, which a reset is too.
#[track_caller]
pub fn some_bytes(stream: &mut TcpStream) -> Vec<u8> {
    bytes_up_to(stream, GULP)
}

#[track_caller]
fn bytes_up_to(mut stream: &TcpStream, most: usize) -> Vec<u8> {
    let mut buffer = [0; GULP];
    match stream.read(&mut buffer[..most]) {
        Ok(length) => buffer[..length].to_vec(),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Vec::new(),
        Err(error) => panic!("nothing came: {error}"),
    }
}

impl Client {
    /// A connection with a channel, to a server that shows the key it announced.
    #[track_caller]
    pub fn connect(server: &ServerProcess) -> Self {
        Self::try_connect(server).expect("a handshake")
    }

    /// The same; `None` if the server closes before the handshake is done.
    #[track_caller]
    pub fn try_connect(server: &ServerProcess) -> Option<Self> {
        Self::try_over(raw_connection(server.address()), server)
    }

    /// The same over a connection that is open already, and may have sent what comes before a handshake.
    #[track_caller]
    pub fn try_over(mut stream: TcpStream, server: &ServerProcess) -> Option<Self> {
        let mut rng = rand::rng();
        let mut received = 0;
        let mut more = |stream: &mut TcpStream| {
            let bytes = some_bytes(stream);
            received += bytes.len() as u64;
            Some(bytes).filter(|bytes| !bytes.is_empty())
        };
        let (hello, mut state) = ClientStart::new(&mut rng).send();
        stream.write_all(&hello).ok()?;
        let mut shown = loop {
            match state.next(&more(&mut stream)?).unwrap() {
                Step::More(same) => state = same,
                Step::Next(next) => break next,
            }
        };
        assert_eq!(fingerprint(shown.host_key()), server.fingerprint());
        let mut bytes = Vec::new();
        let (channel, finished) = loop {
            match shown.next(&bytes, &mut rng).unwrap() {
                Step::More(same) => shown = same,
                Step::Next(done) => break done,
            }
            bytes = more(&mut stream)?;
        };
        stream.write_all(&finished).ok()?;
        let stream = Arc::new(stream);
        server.is_joined_by(&stream);
        Some(Self {
            stream,
            channel,
            received,
            gulp: GULP,
            events: Vec::new(),
        })
    }

    /// A connection of an existing user.
    #[track_caller]
    pub fn login(server: &ServerProcess, name: &str) -> Self {
        let mut client = Self::connect(server);
        client.logs_in(name);
        client
    }

    /// A connection of a new user.
    #[track_caller]
    pub fn register(server: &ServerProcess, name: &str) -> Self {
        let mut client = Self::connect(server);
        let registered = client.asks(&format!("REGISTER {}", credentials(name)));
        assert_eq!(line(&registered), format!("REGISTER_SUCCESS \"{name}\""));
        client.logs_in(name);
        client
    }

    /// Logs in; the bundle.
    #[track_caller]
    pub fn logs_in(&mut self, name: &str) -> Value {
        let bundle = self.asks(&format!("LOGIN {}", credentials(name)));
        assert_eq!(
            bundle.command,
            message("LOGIN_BUNDLE").command,
            "{}",
            line(&bundle)
        );
        bundle.params
    }

    /// Makes two users friends.
    #[track_caller]
    pub fn befriends(&mut self, name: &str, other: &mut Client, other_name: &str) {
        self.asks(&format!("ADD_FRIEND \"{other_name}\""));
        let resolve = format!(r#"RESOLVE_FRIEND_REQUEST {{"username":"{name}","accepted":true}}"#);
        let resolved = line(&other.asks(&resolve));
        assert!(resolved.contains(r#""success":true"#), "{resolved}");
        self.asks("QUERY_SERVER_TIME");
    }

    /// Seals messages, one frame each, and sends them in one write; false if the server has closed.
    pub fn says(&mut self, lines: &[impl AsRef<str>]) -> bool {
        let plains = lines
            .iter()
            .map(|line| message(line.as_ref()).encode().unwrap());
        let plains: Vec<_> = plains.collect();
        self.says_plain(&plains)
    }

    /// The same for plaintexts, whatever they are.
    pub fn says_plain(&mut self, plains: &[Vec<u8>]) -> bool {
        let mut bytes = Vec::new();
        for plain in plains {
            self.channel
                .sealer()
                .seal(plain, &mut rand::rng(), &mut bytes);
        }
        self.says_bytes(&bytes)
    }

    /// The frame of a message, to be sent in pieces.
    pub fn sealed(&mut self, line: &str) -> Vec<u8> {
        let plain = message(line).encode().unwrap();
        let mut bytes = Vec::new();
        self.channel
            .sealer()
            .seal(&plain, &mut rand::rng(), &mut bytes);
        bytes
    }

    /// Sends bytes that need not be a frame.
    pub fn says_bytes(&mut self, bytes: &[u8]) -> bool {
        (&*self.stream).write_all(bytes).is_ok()
    }

    /// The next thing that comes; `None` at the end, however it came.
    #[track_caller]
    pub fn hears(&mut self) -> Option<Incoming> {
        loop {
            if let Some(incoming) = self.channel.next_incoming().expect("a frame") {
                return Some(incoming);
            }
            let bytes = bytes_up_to(&self.stream, self.gulp);
            if bytes.is_empty() {
                return None;
            }
            self.received += bytes.len() as u64;
            self.channel.receive(&bytes);
        }
    }

    /// The next message; a PING on the way is answered.
    #[track_caller]
    pub fn hears_message(&mut self) -> Message {
        loop {
            match self.hears() {
                Some(Incoming::Message(message)) => return message,
                Some(Incoming::Ping) => assert!(self.says(&["PONG"])),
                other => panic!("no message but {other:?}"),
            }
        }
    }

    /// Sends one request and waits for its final reply; what comes before it is kept in `events`.
    #[track_caller]
    pub fn asks(&mut self, request: &str) -> Message {
        assert!(self.says(&[request]));
        self.hears_reply(request)
    }

    /// Waits for the final reply of a request that was sent.
    #[track_caller]
    pub fn hears_reply(&mut self, request: &str) -> Message {
        let request = message(request).command;
        loop {
            let message = self.hears_message();
            if commands::ending(request, &message).is_some() {
                return message;
            }
            self.events.push(message);
        }
    }

    /// The server still handles what this client says.
    #[track_caller]
    pub fn is_served(&mut self) {
        let time = self.asks("QUERY_SERVER_TIME");
        assert!(matches!(time.params, Value::Int(_)));
    }

    /// Whether something comes within this time; what has come and was not looked at is not counted.
    pub fn has_heard_within(&self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let heard = self.stream.peek(&mut [0]);
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match heard {
            Ok(_) => true,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                false
            }
            Err(error) => panic!("nothing will come: {error}"),
        }
    }

    /// A PING is answered; what comes before the PONG is given back.
    #[track_caller]
    pub fn pings(&mut self) -> Vec<Message> {
        self.says(&["PING"]);
        let mut before = Vec::new();
        loop {
            match self.hears().expect("a PONG") {
                Incoming::Pong => return before,
                Incoming::Message(message) => before.push(message),
                other => panic!("no PONG but {other:?}"),
            }
        }
    }

    /// The messages of a room after an id, page by page: ids and contents.
    #[track_caller]
    pub fn history(&mut self, room: &str, after: u64) -> Vec<(u64, String)> {
        let mut all: Vec<(u64, String)> = Vec::new();
        loop {
            let after = all.last().map_or(after, |(id, _)| *id);
            let reply = self.asks(&format!(
                r#"QUERY_HISTORY {{"target_type":1,"target":"{room}","after":{after},"limit":200}}"#
            ));
            let Some(Value::List(page)) = reply.params.at("messages") else {
                panic!("no page: {}", line(&reply))
            };
            all.extend(
                page.iter()
                    .map(|m| (number(m, "id"), text(m, "content").to_owned())),
            );
            if reply.params.at("more") != Some(&Value::Bool(true)) {
                return all;
            }
        }
    }

    /// The socket, for a test that breaks it.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }
}
