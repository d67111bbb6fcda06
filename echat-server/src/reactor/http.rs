//! The page of metrics, and a health check, for programs that watch the server: HTTP/1.1, one request for each
//! connection. What a client costs is bounded by one request, one answer and ten seconds.

use super::accepting::Accepting;
use super::slots::{PolledStream, Slots};
use super::tokens::EventSource;
use crate::metrics::CONTENT_TYPE;
use httparse::{EMPTY_HEADER, Error, Status};
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry};
use std::cell::LazyCell;
use std::io;
use std::net::{IpAddr, Ipv6Addr, Shutdown, SocketAddr};
use std::time::Duration;

/// Clients at the same time. One more has the oldest closed.
const SLOTS: u16 = 16;
/// Clients that one round accepts.
const ACCEPTS: usize = 64;
/// Bytes of a request: of its line and its headers.
const REQUEST_MAX: usize = 8 * 1024;
/// Headers of a request.
const HEADERS: usize = 64;
/// Bytes of one read.
const CHUNK: usize = 4 * 1024;
/// The longest time that a client has.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a client may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HttpPage {
    Metrics,
    Health,
}

/// What a request comes to: a page, or the line of a status that refuses it.
type Requested = Result<HttpRequest, &'static str>;

/// A request that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct HttpRequest {
    page: HttpPage,
    /// Whether the answer has a body: that of HEAD has none.
    has_body: bool,
}

/// The listener, and its clients.
pub(super) struct Http {
    /// `None`: nothing is shown.
    listener: Option<TcpListener>,
    /// The hosts that a request may name.
    hosts: Hosts,
    accepting: Accepting,
    clients: Slots<HttpClient>,
    /// The number of the next client.
    serial: u64,
}

struct HttpClient {
    stream: PolledStream<TcpStream>,
    serial: u64,
    /// When it is closed, whatever it does.
    until: Duration,
    input: Vec<u8>,
    output: Vec<u8>,
    state: HttpState,
}

/// The hosts that a request may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hosts {
    /// Any: other machines reach the listener by names that it does not know.
    Any,
    /// Addresses and `localhost`, for a listener on a loopback address. A page in a browser of this machine whose name
    /// resolves to that address (DNS rebinding) sends its own name, and reads nothing.
    Local,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HttpState {
    /// Its request is not complete.
    Requesting,
    /// The response is being written.
    Responding,
    /// The response is written. What the client still sends is read and dropped: a close before that could cut the
    /// response off.
    Draining,
    Closed,
}

impl Http {
    /// Listens on an address.
    pub(super) fn bind(address: Option<SocketAddr>, registry: &Registry) -> io::Result<Self> {
        let listen = |address| {
            let mut listener = TcpListener::bind(address)?;
            let token = EventSource::HttpListener.token();
            registry.register(&mut listener, token, Interest::READABLE)?;
            Ok::<_, io::Error>(listener)
        };
        let is_local = address.is_some_and(|address| address.ip().is_loopback());
        Ok(Self {
            listener: address.map(listen).transpose()?,
            hosts: if is_local { Hosts::Local } else { Hosts::Any },
            accepting: Accepting::new("programs that read the metrics"),
            clients: Slots::new(EventSource::HttpClient, SLOTS),
            serial: 0,
        })
    }

    /// The address, with the real port.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.listener.as_ref()?.local_addr().ok()
    }

    /// Notes that clients wait to be accepted.
    pub(super) fn ready(&mut self) {
        self.accepting.ready();
    }

    /// Ends a pause of accepting, since a descriptor is free.
    pub(super) fn try_again(&mut self) {
        self.accepting.try_again();
    }

    /// Takes in what became possible at the client in a slot.
    pub(super) fn take_event(&mut self, slot: u16, event: &Event) {
        if let Some(client) = self.clients.get_mut(slot) {
            client.stream.take_event(event);
        }
    }

    /// Whether a round would find something to do at once.
    pub(super) fn has_work(&self, now: Duration) -> bool {
        let reads =
            |client: &HttpClient| client.stream.can_read() && client.state != HttpState::Responding;
        self.listener.is_some() && self.accepting.is_ready(now) || self.clients.iter().any(reads)
    }

    /// When the next client is closed, or one is accepted after a pause.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let clients = self.clients.iter().map(|client| client.until);
        clients.chain(self.accepting.retry_at()).min()
    }

    /// Accepts clients, and gives them what they ask for. `metrics` makes the page, once for all that ask in this
    /// round; `is_well` says whether the server takes new users.
    pub(super) fn serve(
        &mut self,
        registry: &Registry,
        now: Duration,
        is_well: bool,
        metrics: impl FnOnce() -> String,
    ) {
        self.accept(registry, now);
        let metrics = LazyCell::new(metrics);
        for slot in 0..self.clients.count() {
            let Some(client) = self.clients.get_mut(slot) else {
                continue;
            };
            client.read();
            if let Some(asked) = client.requested(self.hosts) {
                let has_body = asked.is_ok_and(|request| request.has_body) || asked.is_err();
                client.output = match asked.map(|request| request.page) {
                    Ok(HttpPage::Metrics) => answer("200 OK", (CONTENT_TYPE, &metrics), has_body),
                    Ok(HttpPage::Health) if is_well => answer("200 OK", (PLAIN, "ok\n"), has_body),
                    Ok(HttpPage::Health) => {
                        answer("503 Service Unavailable", (PLAIN, "stopping\n"), has_body)
                    }
                    Err(status) => answer(status, (PLAIN, &format!("{status}\n")), has_body),
                };
                client.state = HttpState::Responding;
            }
            client.write();
            if client.state == HttpState::Closed || client.until <= now {
                self.clients.take(slot);
            }
        }
    }

    fn accept(&mut self, registry: &Registry, now: Duration) {
        let Some(listener) = &self.listener else {
            return;
        };
        for _ in 0..ACCEPTS {
            let Some((stream, _)) = self.accepting.next(now, || listener.accept()) else {
                return;
            };
            self.serial += 1;
            let slot = self.clients.free_or_lowest(|client| Some(client.serial));
            let slot = slot.expect("every client has a rank");
            let until = now + TIMEOUT;
            let source = self.clients.source(slot);
            let client = HttpClient::new(stream, self.serial, until, registry, source);
            self.clients.put(slot, client);
        }
    }
}

const PLAIN: &str = "text/plain; charset=utf-8";

/// An answer, which is the last one of its connection.
fn answer(status: &str, (kind, body): (&str, &str), has_body: bool) -> Vec<u8> {
    let allow = if status.starts_with("405") {
        "Allow: GET, HEAD\r\n"
    } else {
        ""
    };
    let length = body.len();
    let body = if has_body { body } else { "" };
    format!(
        "HTTP/1.1 {status}\r\n{allow}Content-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Whether a `Host` names an address or `localhost`, with or without a port.
fn is_local(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let literal = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    match literal {
        Some(literal) => literal.parse::<Ipv6Addr>().is_ok(),
        None => name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok(),
    }
}

/// What the bytes of a request ask for; `None` while it is not complete.
fn requested(input: &[u8], hosts: Hosts) -> Option<Requested> {
    let mut headers = [EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(input) {
        Ok(Status::Partial) if input.len() < REQUEST_MAX => None,
        Ok(Status::Partial) | Err(Error::TooManyHeaders) => {
            Some(Err("431 Request Header Fields Too Large"))
        }
        Ok(Status::Complete(_)) => {
            let mut named = request.headers.iter();
            let is_foreign = |header: &httparse::Header<'_>| {
                header.name.eq_ignore_ascii_case("host") && !is_local(header.value)
            };
            if hosts == Hosts::Local && named.any(is_foreign) {
                return Some(Err("421 Misdirected Request"));
            }
            let path = request.path.unwrap_or_default();
            let path = path.split('?').next().unwrap_or_default();
            let page = match path {
                "/metrics" => HttpPage::Metrics,
                "/healthz" => HttpPage::Health,
                _ => return Some(Err("404 Not Found")),
            };
            let has_body = match request.method {
                Some("GET") => true,
                Some("HEAD") => false,
                _ => return Some(Err("405 Method Not Allowed")),
            };
            Some(Ok(HttpRequest { page, has_body }))
        }
        Err(_) => Some(Err("400 Bad Request")),
    }
}

impl HttpClient {
    fn new(
        stream: TcpStream,
        serial: u64,
        until: Duration,
        registry: &Registry,
        source: EventSource,
    ) -> Option<Self> {
        Some(Self {
            stream: PolledStream::register(stream, registry, source).ok()?,
            serial,
            until,
            input: Vec::new(),
            output: Vec::new(),
            state: HttpState::Requesting,
        })
    }

    /// Reads once.
    fn read(&mut self) {
        if self.state == HttpState::Responding {
            return;
        }
        let mut chunk = [0; CHUNK];
        match self.stream.read(&mut chunk) {
            Some(Ok(0) | Err(_)) => self.state = HttpState::Closed,
            Some(Ok(length)) if self.state == HttpState::Requesting => {
                self.input.extend_from_slice(&chunk[..length]);
            }
            None | Some(Ok(_)) => {}
        }
    }

    fn requested(&self, hosts: Hosts) -> Option<Requested> {
        if self.state != HttpState::Requesting || self.input.is_empty() {
            return None;
        }
        requested(&self.input, hosts)
    }

    fn write(&mut self) {
        if self.state != HttpState::Responding {
            return;
        }
        match self.stream.write(&self.output) {
            Ok(written) => drop(self.output.drain(..written)),
            Err(_) => self.state = HttpState::Closed,
        }
        if self.state == HttpState::Responding && self.output.is_empty() {
            self.state = match self.stream.stream.shutdown(Shutdown::Write) {
                Ok(()) => HttpState::Draining,
                Err(_) => HttpState::Closed,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_judged_when_it_is_complete() {
        let served = |page, has_body| Some(Ok(HttpRequest { page, has_body }));
        for (request, expected) in [
            ("", None),
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n", None),
            (
                "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
                served(HttpPage::Metrics, true),
            ),
            (
                "GET /metrics?x=1 HTTP/1.0\r\n\r\n",
                served(HttpPage::Metrics, true),
            ),
            (
                "GET /healthz HTTP/1.1\r\n\r\n",
                served(HttpPage::Health, true),
            ),
            (
                "HEAD /metrics HTTP/1.1\r\n\r\n",
                served(HttpPage::Metrics, false),
            ),
            (
                "POST /healthz HTTP/1.1\r\n\r\n",
                Some(Err("405 Method Not Allowed")),
            ),
            ("GET / HTTP/1.1\r\n\r\n", Some(Err("404 Not Found"))),
            (
                "GET /metrics/../x HTTP/1.1\r\n\r\n",
                Some(Err("404 Not Found")),
            ),
            ("\u{0}", Some(Err("400 Bad Request"))),
            ("GET /metrics HTTP/9\r\n\r\n", Some(Err("400 Bad Request"))),
        ] {
            assert_eq!(
                requested(request.as_bytes(), Hosts::Any),
                expected,
                "{request:?}"
            );
        }
        let large = Some(Err("431 Request Header Fields Too Large"));
        let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(REQUEST_MAX));
        assert_eq!(requested(long.as_bytes(), Hosts::Any), large);
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS + 1));
        assert_eq!(requested(many.as_bytes(), Hosts::Any), large);
    }

    #[test]
    fn on_a_loopback_address_only_local_hosts_are_answered() {
        let foreign = Some(Err("421 Misdirected Request"));
        for (lines, is_answered) in [
            ("", true),
            ("Host: localhost\r\n", true),
            ("hOst:LocalHost:9464\r\n", true),
            ("Host: 127.0.0.1:9464\r\n", true),
            ("Host: [::1]:9464\r\n", true),
            ("Host: [::1]\r\n", true),
            ("Host: 192.0.2.7\r\n", true),
            ("Host:\r\n", false),
            ("Host: evil.example\r\n", false),
            ("Host: evil.example:9464\r\n", false),
            ("Host: localhost.evil.example:9464\r\n", false),
            ("Host: localhost\r\nHost: evil.example\r\n", false),
            ("Host: 127.0.0.1:9464@evil.example\r\n", false),
            ("Host: [::1]:9464:evil\r\n", false),
        ] {
            let request = format!("GET /metrics HTTP/1.1\r\n{lines}\r\n");
            let answer = requested(request.as_bytes(), Hosts::Local);
            assert_eq!(answer != foreign, is_answered, "{lines:?}");
            assert_ne!(requested(request.as_bytes(), Hosts::Any), foreign);
        }
    }
}
