//! redis: a room is a channel of its publish and subscribe. RESP3 lets a subscriber publish on the same connection.

use std::os::fd::BorrowedFd;
use std::process::Command;

use super::super::Failure;
use super::super::cleanup::TemporaryFolder;
use super::super::crowd::TEXT;
use super::peer::{Heard, Peer, Speaker};
use super::process::{Process, free_address, installed};
use super::stream::{Stream, write_certificate};
use super::{Bench, first_line};

const PROGRAM: &str = "redis-server";

/// redis-server, with or without TLS.
pub(super) struct Redis {
    pub(super) tls: bool,
}

impl Peer for Redis {
    fn name(&self) -> &'static str {
        if self.tls { "redis + TLS" } else { "redis" }
    }

    fn version(&self, _: &Bench) -> Option<String> {
        first_line(installed(PROGRAM)?, "--version")
    }

    fn start(&self, bench: &Bench, users: usize, _: bool) -> Result<Process, Failure> {
        let folder = TemporaryFolder::new()?;
        let address = free_address()?;
        let port = address.port().to_string();
        let clients = (users + 1_000).to_string();
        let mut command = Command::new(installed(PROGRAM).ok_or(Failure::NotReady)?);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--maxclients", &clients, "--tcp-backlog", "4096"]);
        command.args(["--client-output-buffer-limit", "pubsub 0 0 0"]);
        if self.tls {
            write_certificate(folder.path())?;
            command.args(["--port", "0", "--tls-port", &port]);
            command.args(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"]);
            command.args(["--tls-auth-clients", "no"]);
        } else {
            command.args(["--port", &port]);
        }
        Process::start(command, folder, address, &bench.clock)
    }

    fn connect(
        &self,
        bench: &Bench,
        server: &Process,
        number: usize,
    ) -> Result<Box<dyn Speaker>, Failure> {
        let mut stream = Stream::connect(server.address, self.tls.then_some(&bench.tls))?;
        stream.queue(b"HELLO 3\r\n");
        stream.flush()?;
        Ok(Box::new(User { stream, number }))
    }

    fn welcomes(&self) -> bool {
        true
    }

    fn touch(&self, bench: &Bench, server: &Process) -> Result<(), Failure> {
        Stream::connect(server.address, self.tls.then_some(&bench.tls)).map(drop)
    }

    fn sender_gets_a_copy(&self) -> bool {
        true
    }
}

struct User {
    stream: Stream,
    number: usize,
}

impl User {
    fn publish(&mut self, channel: &str) {
        let request = format!(
            "*3\r\n$7\r\nPUBLISH\r\n${}\r\n{channel}\r\n${}\r\n{TEXT}\r\n",
            channel.len(),
            TEXT.len()
        );
        self.stream.queue(request.as_bytes());
    }
}

impl Speaker for User {
    fn socket(&self) -> BorrowedFd<'_> {
        self.stream.socket()
    }

    fn join(&mut self, room: &str) {
        self.stream
            .queue(format!("SUBSCRIBE {room}\r\n").as_bytes());
    }

    fn meet(&mut self, _: usize) -> bool {
        self.join(&inbox(self.number));
        true
    }

    fn say(&mut self, room: &str) {
        self.publish(room);
    }

    fn tell(&mut self, other: usize) {
        self.publish(&inbox(other));
    }

    fn ping(&mut self) {
        self.stream.queue(b"PING\r\n");
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.stream.flush()
    }

    fn hear(&mut self, scratch: &mut [u8]) -> Result<Heard, Failure> {
        self.stream.read(scratch)?;
        let (mut heard, mut at) = (Heard::default(), 0);
        while let Some((reply, end)) = reply(&self.stream.input[at..])? {
            at += end;
            match reply {
                Reply::Message => heard.deliveries += 1,
                Reply::Other => heard.answers += 1,
            }
        }
        self.stream.input.drain(..at);
        Ok(heard)
    }
}

/// The channel of a user's private messages.
fn inbox(number: usize) -> String {
    format!("user-{number}")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    /// A push of a published message.
    Message,
    /// Anything else that answers a request.
    Other,
}

/// The first whole reply and its length (RESP3); `None` until all of it has arrived.
fn reply(bytes: &[u8]) -> Result<Option<(Reply, usize)>, Failure> {
    let Some(end) = skip(bytes)? else {
        return Ok(None);
    };
    let is_message = bytes.starts_with(b">3\r\n$7\r\nmessage\r\n");
    let reply = if is_message {
        Reply::Message
    } else {
        Reply::Other
    };
    Ok(Some((reply, end)))
}

/// The length of the value at the front.
fn skip(bytes: &[u8]) -> Result<Option<usize>, Failure> {
    let Some(line) = bytes.windows(2).position(|pair| pair == b"\r\n") else {
        return Ok(None);
    };
    let head = &bytes[..line];
    let mut end = line + 2;
    let number = || {
        let digits = std::str::from_utf8(&head[1..]).ok()?;
        digits.parse::<usize>().ok()
    };
    let strange = || Failure::Strange(String::from_utf8_lossy(head).into_owned());
    let values = match head.first() {
        Some(b'+' | b':' | b'_' | b'#' | b',') => 0,
        Some(b'$' | b'=') => {
            end += number().ok_or_else(strange)? + 2;
            return Ok((end <= bytes.len()).then_some(end));
        }
        Some(b'*' | b'>' | b'~') => number().ok_or_else(strange)?,
        Some(b'%') => 2 * number().ok_or_else(strange)?,
        _ => return Err(strange()),
    };
    for _ in 0..values {
        let Some(length) = skip(&bytes[end..])? else {
            return Ok(None);
        };
        end += length;
    }
    Ok(Some(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_cut_where_they_end() {
        let push = b">3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$5\r\nhello\r\n";
        let mut all = push.to_vec();
        all.extend_from_slice(b":3\r\n");
        all.extend_from_slice(b"%1\r\n$5\r\nproto\r\n:3\r\n");
        let (first, end) = reply(&all).unwrap().unwrap();
        assert_eq!((first, end), (Reply::Message, push.len()));
        let (second, length) = reply(&all[end..]).unwrap().unwrap();
        assert_eq!((second, length), (Reply::Other, 4));
        let (third, length) = reply(&all[end + 4..]).unwrap().unwrap();
        assert_eq!((third, end + 4 + length), (Reply::Other, all.len()));
        for cut in 0..push.len() {
            assert_eq!(reply(&push[..cut]).unwrap(), None, "cut at {cut}");
        }
        assert!(reply(b"-ERR unknown command\r\n").is_err());
    }
}
