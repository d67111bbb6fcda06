//! InspIRCd and ngIRCd: rooms are channels of IRC (RFC 2812). A sender gets no copy of its message; a PING behind a
//! private message has the place of an acknowledgement.

use std::fs;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::process::Command;

use super::super::Failure;
use super::super::cleanup::TemporaryFolder;
use super::super::crowd::TEXT;
use super::peer::{Heard, Peer, Speaker};
use super::process::{Process, free_address, installed};
use super::stream::{Stream, Tls, write_certificate};
use super::{Bench, first_line};

/// Which server of IRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Daemon {
    Inspircd,
    Ngircd,
}

/// A server of IRC, with or without TLS.
pub(super) struct Irc {
    pub(super) daemon: Daemon,
    pub(super) tls: bool,
}

impl Daemon {
    fn program(self) -> &'static str {
        match self {
            Self::Inspircd => "inspircd",
            Self::Ngircd => "ngircd",
        }
    }
}

impl Irc {
    fn tls<'b>(&self, bench: &'b Bench) -> Option<&'b Tls> {
        self.tls.then_some(match self.daemon {
            Daemon::Inspircd => &bench.tls,
            // It reads 2 KiB at a time, and does not look for more of the record.
            Daemon::Ngircd => &bench.short_tls,
        })
    }
}

impl Peer for Irc {
    fn name(&self) -> &'static str {
        match (self.daemon, self.tls) {
            (Daemon::Inspircd, false) => "inspircd",
            (Daemon::Inspircd, true) => "inspircd + TLS",
            (Daemon::Ngircd, false) => "ngircd",
            (Daemon::Ngircd, true) => "ngircd + TLS",
        }
    }

    fn version(&self, _: &Bench) -> Option<String> {
        first_line(installed(self.daemon.program())?, "--version")
    }

    fn start(&self, bench: &Bench, users: usize, pings: bool) -> Result<Process, Failure> {
        let folder = TemporaryFolder::new()?;
        let address = free_address()?;
        if self.tls {
            write_certificate(folder.path())?;
        }
        let program = installed(self.daemon.program()).ok_or(Failure::NotReady)?;
        let mut command = Command::new(program);
        let file = folder.path().join("server.conf");
        match self.daemon {
            Daemon::Inspircd => {
                let text = inspircd(address.port(), self.tls, users, pings, folder.path());
                fs::write(&file, text)?;
                command.args(["--nofork", "--nopid", "--nolog", "--config"]);
                command.arg(&file);
                if rustix::process::geteuid().is_root() {
                    command.arg("--runasroot");
                }
            }
            Daemon::Ngircd => {
                fs::write(
                    &file,
                    ngircd(address.port(), self.tls, pings, folder.path()),
                )?;
                command.arg("--nodaemon").arg("--config").arg(&file);
            }
        }
        Process::start(command, folder, address, &bench.clock)
    }

    fn connect(
        &self,
        bench: &Bench,
        server: &Process,
        number: usize,
    ) -> Result<Box<dyn Speaker>, Failure> {
        let mut stream = Stream::connect(server.address, self.tls(bench))?;
        let name = nick(number);
        stream.queue(format!("NICK {name}\r\nUSER {name} 0 * :load\r\n").as_bytes());
        // Some servers welcome users once in a second: nothing waits for it here.
        stream.flush()?;
        Ok(Box::new(User { stream }))
    }

    fn welcomes(&self) -> bool {
        true
    }

    fn touch(&self, bench: &Bench, server: &Process) -> Result<(), Failure> {
        Stream::connect(server.address, self.tls(bench)).map(drop)
    }

    fn sender_gets_a_copy(&self) -> bool {
        false
    }

    /// Each join is told to all members: 5,000 of them take both servers many minutes.
    fn fills_large_rooms(&self) -> bool {
        false
    }
}

struct User {
    stream: Stream,
}

impl Speaker for User {
    fn socket(&self) -> BorrowedFd<'_> {
        self.stream.socket()
    }

    fn join(&mut self, room: &str) {
        self.stream.queue(format!("JOIN #{room}\r\n").as_bytes());
    }

    fn meet(&mut self, _: usize) -> bool {
        false
    }

    fn say(&mut self, room: &str) {
        let line = format!("PRIVMSG #{room} :{TEXT}\r\n");
        self.stream.queue(line.as_bytes());
    }

    fn tell(&mut self, other: usize) {
        let line = format!("PRIVMSG {} :{TEXT}\r\nPING told\r\n", nick(other));
        self.stream.queue(line.as_bytes());
    }

    fn ping(&mut self) {
        self.stream.queue(b"PING here\r\n");
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.stream.flush()
    }

    fn hear(&mut self, scratch: &mut [u8]) -> Result<Heard, Failure> {
        self.stream.read(scratch)?;
        let (mut heard, mut at, mut pongs) = (Heard::default(), 0, Vec::new());
        let input = &self.stream.input;
        while let Some(length) = input[at..].iter().position(|byte| *byte == b'\n') {
            let line = &input[at..at + length];
            at += length + 1;
            match meaning(line) {
                Meaning::Message => heard.deliveries += 1,
                Meaning::Answer => heard.answers += 1,
                Meaning::Ping(token) => {
                    pongs.extend_from_slice(b"PONG ");
                    pongs.extend_from_slice(token);
                    pongs.extend_from_slice(b"\r\n");
                }
                Meaning::Other => {}
                Meaning::Error => {
                    return Err(Failure::Strange(String::from_utf8_lossy(line).into_owned()));
                }
            }
        }
        self.stream.input.drain(..at);
        if !pongs.is_empty() {
            self.stream.queue(&pongs);
            self.stream.flush()?;
        }
        Ok(heard)
    }
}

fn nick(number: usize) -> String {
    format!("u{number}")
}

#[derive(Debug, PartialEq, Eq)]
enum Meaning<'a> {
    Message,
    Answer,
    Ping(&'a [u8]),
    Error,
    Other,
}

/// What a line of a server says to a user.
fn meaning(line: &[u8]) -> Meaning<'_> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut words = line.split(|byte| *byte == b' ');
    let first = words.next().unwrap_or_default();
    match first {
        b"PING" => return Meaning::Ping(line.get(5..).unwrap_or_default()),
        b"ERROR" => return Meaning::Error,
        _ => {}
    }
    match words.next() {
        Some(b"PRIVMSG") => Meaning::Message,
        // 001 welcomes a user, 366 ends the names of a room that was joined.
        Some(b"001" | b"366" | b"PONG") => Meaning::Answer,
        // From 400 on: refusals, but for a missing message of the day (422).
        Some([b'4', digits @ ..]) if digits != b"22" => Meaning::Error,
        _ => Meaning::Other,
    }
}

/// The configuration of InspIRCd: no limits on connections and messages.
fn inspircd(port: u16, tls: bool, users: usize, pings: bool, folder: &Path) -> String {
    let folder = folder.display();
    let (module, profile, bind) = if tls {
        (
            "<module name=\"ssl_gnutls\">\n".to_owned(),
            format!(
                "<sslprofile name=\"tls\" provider=\"gnutls\" certfile=\"{folder}/cert.pem\" \
                 keyfile=\"{folder}/key.pem\" requestclientcert=\"no\">\n"
            ),
            "sslprofile=\"tls\" ",
        )
    } else {
        (String::new(), String::new(), "")
    };
    // The default of <connect:pingfreq> is two minutes.
    let period = if pings { "2m" } else { "1d" };
    let users = users + 1_000;
    format!(
        "<server name=\"load.test\" description=\"load\" network=\"load\" id=\"001\">\n\
         <admin name=\"load\" nick=\"load\" email=\"load@load.test\">\n\
         {module}{profile}\
         <bind address=\"127.0.0.1\" port=\"{port}\" type=\"clients\" {bind}>\n\
         <connect allow=\"*\" timeout=\"60\" pingfreq=\"{period}\" fakelag=\"no\" resolvehostnames=\"no\" \
         useident=\"no\" hardsendq=\"1G\" softsendq=\"1G\" recvq=\"1M\" threshold=\"1000000\" \
         commandrate=\"1000000\" localmax=\"{users}\" globalmax=\"{users}\" limit=\"{users}\" \
         maxchans=\"100\" maxconnwarn=\"no\">\n\
         <performance softlimit=\"{users}\" somaxconn=\"4096\" netbuffersize=\"65534\" clonesonconnect=\"no\">\n\
         <limits maxnick=\"30\">\n\
         <files motd=\"/dev/null\">\n"
    )
}

/// The configuration of ngIRCd: no limits on connections and messages.
fn ngircd(port: u16, tls: bool, pings: bool, folder: &Path) -> String {
    let folder = folder.display();
    let (ports, section) = if tls {
        // A list of plain ports cannot be empty: this one is not of the measurement.
        (
            "Ports = 0".to_owned(),
            format!(
                "[SSL]\nCertFile = {folder}/cert.pem\nKeyFile = {folder}/key.pem\nPorts = {port}\n"
            ),
        )
    } else {
        (format!("Ports = {port}"), String::new())
    };
    // Two minutes is the default.
    let period = if pings { 120 } else { 86_400 };
    format!(
        "[Global]\nName = load.test\nInfo = load\nListen = 127.0.0.1\n{ports}\nMotdPhrase = load\n\
         ServerUID = root\nServerGID = root\n\
         [Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\nMaxJoins = 0\nMaxPenaltyTime = 0\n\
         MaxNickLength = 30\nPingTimeout = {period}\nPongTimeout = 120\n\
         [Options]\nDNS = no\nIdent = no\nPAM = no\nScrubCTCP = no\n{section}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_mean_what_rfc_2812_says() {
        let cases: [(&[u8], Meaning<'_>); 8] = [
            (b":load.test 001 u1 :Welcome\r", Meaning::Answer),
            (b":u1!~u1@host PRIVMSG #room :text\r", Meaning::Message),
            (b":load.test PONG load.test :here\r", Meaning::Answer),
            (
                b":load.test 366 u1 #room :End of NAMES list\r",
                Meaning::Answer,
            ),
            (b"PING :load.test\r", Meaning::Ping(b":load.test")),
            (b":load.test 422 u1 :MOTD file is missing\r", Meaning::Other),
            (b":load.test 401 u1 u2 :No such nick\r", Meaning::Error),
            (b"ERROR :Closing link\r", Meaning::Error),
        ];
        for (line, expected) in cases {
            assert_eq!(meaning(line), expected, "{}", String::from_utf8_lossy(line));
        }
    }
}
