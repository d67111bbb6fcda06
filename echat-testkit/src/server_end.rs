//! The server's end of a connection, made of the protocol's own parts, over loopback TCP. It
//! says and does what a test tells it, right or wrong.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use echat_proto::channel::{Channel, ChannelError, Incoming};
use echat_proto::fingerprint;
use echat_proto::group::Ephemeral;
use echat_proto::handshake::{AwaitClientHello, Step, respond};
use ed25519_dalek::SigningKey;

use crate::wire::message;

/// No test waits longer than this for a byte.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server with a host key, of which every test has its own.
pub struct Server {
    listener: TcpListener,
    key: SigningKey,
}

/// The server's end of one connection.
pub struct End {
    stream: TcpStream,
    channel: Channel,
}

impl Server {
    /// A server on a free port of loopback, whose key is made of `seed`.
    pub fn new(seed: u8) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            listener,
            key: SigningKey::from_bytes(&[seed; 32]),
        }
    }

    /// Where it listens.
    pub fn socket_address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Where it listens, as text.
    pub fn address(&self) -> String {
        self.socket_address().to_string()
    }

    /// The fingerprint of its key.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.key.verifying_key())
    }

    /// The key that it shows and signs with.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The next connection, before the handshake.
    pub fn accept_raw(&self) -> TcpStream {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// The ServerHello and FINISHED that answer the next hello, and what comes after them.
    pub fn flight(&self, stream: &mut TcpStream) -> (Vec<u8>, AwaitingFinished) {
        let mut state = AwaitClientHello::default();
        let hello = loop {
            match state.next(&some_bytes(stream).expect("a hello")).unwrap() {
                Step::More(same) => state = same,
                Step::Next((hello, _)) => break hello,
            }
        };
        let mut rng = rand::rng();
        let ephemeral = Ephemeral::generate(&mut rng);
        let (flight, state) = respond(&hello, ephemeral, &self.key, &mut rng);
        (flight, AwaitingFinished(state))
    }

    /// Shows its key to the next connection, which must close then without another byte.
    pub fn show_key(&self) {
        let mut stream = self.accept_raw();
        let (flight, _) = self.flight(&mut stream);
        stream.write_all(&flight).unwrap();
        assert_eq!(some_bytes(&mut stream), None);
    }

    /// The next connection, after the handshake.
    pub fn accept(&self) -> End {
        let mut stream = self.accept_raw();
        let (flight, shaking) = self.flight(&mut stream);
        stream.write_all(&flight).unwrap();
        shaking.finish(stream)
    }
}

/// A server that waits for the client's FINISHED.
pub struct AwaitingFinished(echat_proto::handshake::AwaitClientFinished);

impl AwaitingFinished {
    /// Reads the FINISHED; the connection after it.
    pub fn finish(self, mut stream: TcpStream) -> End {
        let mut state = self.0;
        loop {
            match state
                .next(&some_bytes(&mut stream).expect("a FINISHED"))
                .unwrap()
            {
                Step::More(same) => state = same,
                Step::Next(channel) => return End { stream, channel },
            }
        }
    }
}

/// What one read gives; `None` at the end.
pub fn some_bytes(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut buffer = [0; 4096];
    let length = stream.read(&mut buffer).unwrap();
    (length > 0).then(|| buffer[..length].to_vec())
}

impl End {
    /// Seals and sends messages, one frame each, in one write.
    pub fn says(&mut self, lines: &[&str]) {
        let mut bytes = Vec::new();
        for line in lines {
            let plain = message(line).encode().unwrap();
            self.channel
                .sealer()
                .seal(&plain, &mut rand::rng(), &mut bytes);
        }
        self.says_bytes(&bytes);
    }

    /// Seals and sends a plaintext, whatever it is.
    pub fn says_plain(&mut self, plain: &[u8]) {
        let mut bytes = Vec::new();
        self.channel
            .sealer()
            .seal(plain, &mut rand::rng(), &mut bytes);
        self.says_bytes(&bytes);
    }

    /// Sends bytes as they are.
    pub fn says_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next message; `None` at the end of the stream.
    pub fn hears(&mut self) -> Option<Incoming> {
        self.tries_to_hear().unwrap()
    }

    /// The same; `waits` is called before each read and returns when there is something to read.
    pub fn hears_while(&mut self, waits: impl FnMut(&TcpStream)) -> Option<Incoming> {
        self.tries_to_hear_while(waits).unwrap()
    }

    /// The same from a client that may send what is no frame.
    pub fn tries_to_hear(&mut self) -> Result<Option<Incoming>, ChannelError> {
        self.tries_to_hear_while(|_| {})
    }

    fn tries_to_hear_while(
        &mut self,
        mut waits: impl FnMut(&TcpStream),
    ) -> Result<Option<Incoming>, ChannelError> {
        loop {
            if let Some(incoming) = self.channel.next_incoming()? {
                return Ok(Some(incoming));
            }
            waits(&self.stream);
            let Some(bytes) = some_bytes(&mut self.stream) else {
                return Ok(None);
            };
            self.channel.receive(&bytes);
        }
    }

    /// The next message must be this one.
    #[track_caller]
    pub fn hears_line(&mut self, line: &str) {
        assert_eq!(self.hears(), Some(Incoming::Message(message(line))));
    }

    /// A terminal client asks after its login whether its user is away. This end answers that the user is not.
    #[track_caller]
    pub fn says_that_the_user_is_back(&mut self, user: &str) {
        let asked = message(&format!("WHOIS {user:?}"));
        assert_eq!(self.hears(), Some(Incoming::Message(asked)));
        self.says(&[&format!(
            r#"USER {{"username":"{user}","online":true,"friend":false,"bot":false,"rooms":[]}}"#
        )]);
    }

    /// The client says goodbye and closes, and so does this end: the client would wait two seconds for it.
    #[track_caller]
    pub fn hears_goodbye(&mut self) {
        assert_eq!(self.hears(), Some(Incoming::Close(0)));
        assert_eq!(self.hears(), None);
        // Fails if the connection is gone.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
