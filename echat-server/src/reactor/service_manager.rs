//! What the service manager is told (sd_notify(3)): that the server is ready or stopping, and that its loop still turns
//! (sd_watchdog_enabled(3)). Without a service manager nothing is sent.

use sd_notify::NotifyState;
use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{self, UnixDatagram};
use std::time::Duration;

/// The variable with the address of the service manager's socket.
const SOCKET: &str = "NOTIFY_SOCKET";
/// The shortest interval of the watchdog's messages, whatever is asked for.
const SHORTEST: Duration = Duration::from_millis(10);

/// The service manager that started the server.
pub(super) struct ServiceManager {
    /// Non-blocking: a service manager that does not read must not stop the server.
    socket: Option<UnixDatagram>,
    watchdog: Option<Watchdog>,
}

/// The service manager ends a server from which it hears nothing for this long.
struct Watchdog {
    /// Half of the time that the service manager allows, as sd_watchdog_enabled(3) advises.
    interval: Duration,
    next: Duration,
}

impl ServiceManager {
    /// The one that the environment names, if any.
    pub(super) fn from_environment() -> Self {
        let Some(address) = env::var_os(SOCKET).filter(|address| !address.is_empty()) else {
            return Self::none();
        };
        match connect(&address) {
            Ok(socket) => Self {
                socket: Some(socket),
                watchdog: sd_notify::watchdog_enabled().map(|limit| Watchdog {
                    interval: (limit / 2).max(SHORTEST),
                    next: Duration::ZERO,
                }),
            },
            Err(error) => {
                tracing::warn!(%error, "cannot reach the service manager at {SOCKET}");
                Self::none()
            }
        }
    }

    fn none() -> Self {
        Self {
            socket: None,
            watchdog: None,
        }
    }

    /// The server accepts connections at these addresses.
    pub(super) fn ready(&self, addresses: impl Iterator<Item = SocketAddr>) {
        let addresses: Vec<String> = addresses.map(|address| address.to_string()).collect();
        let status = format!("listening on {}", addresses.join(", "));
        self.tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
    }

    /// The server is stopping.
    pub(super) fn stopping(&self) {
        let status = NotifyState::Status("closing connections");
        self.tell(&[NotifyState::Stopping, status]);
    }

    /// Feeds the watchdog when it is time. The loop calls it in every round, so a loop that hangs is noticed.
    pub(super) fn notify(&mut self, now: Duration) {
        if let Some(watchdog) = self.watchdog.as_mut().filter(|dog| now >= dog.next) {
            watchdog.next = now + watchdog.interval;
            self.tell(&[NotifyState::Watchdog]);
        }
    }

    /// When the watchdog is fed next.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.watchdog.as_ref().map(|watchdog| watchdog.next)
    }

    fn tell(&self, states: &[NotifyState<'_>]) {
        let Some(socket) = &self.socket else {
            return;
        };
        let mut message = String::new();
        for state in states {
            // A string takes all text.
            let _ = writeln!(message, "{state}");
        }
        if let Err(error) = socket.send(message.as_bytes()) {
            tracing::warn!(%error, "the service manager was not told {:?}", message.trim_end());
        }
    }
}

/// Connects to the service manager's socket, a path or an abstract name that begins with `@`. The sd-notify crate sends
/// on a blocking socket and knows no abstract names, so only its messages are used.
fn connect(address: &OsStr) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    match address.as_bytes().strip_prefix(b"@") {
        Some(name) => socket.connect_addr(&abstract_address(name)?)?,
        None => socket.connect(address)?,
    }
    Ok(socket)
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> io::Result<net::SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    net::SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_: &[u8]) -> io::Result<net::SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server with a watchdog of one second, and the service manager's end.
    fn watched() -> (ServiceManager, UnixDatagram) {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        let server = ServiceManager {
            socket: Some(ours),
            watchdog: Some(Watchdog {
                interval: Duration::from_millis(500),
                next: Duration::ZERO,
            }),
        };
        (server, theirs)
    }

    fn told(manager: &UnixDatagram) -> Vec<String> {
        let mut buffer = [0; 512];
        std::iter::from_fn(|| {
            let length = manager.recv(&mut buffer).ok()?;
            Some(str::from_utf8(&buffer[..length]).unwrap().to_owned())
        })
        .collect()
    }

    #[test]
    fn a_loop_that_turns_feeds_the_watchdog_twice_in_its_time_and_one_that_hangs_does_not() {
        let (mut server, manager) = watched();
        let mut feedings = 0;
        for millis in (0..10_000).step_by(7) {
            server.notify(Duration::from_millis(millis));
            let fed = told(&manager);
            assert!(fed.iter().all(|message| message == "WATCHDOG=1\n"));
            feedings += fed.len();
            assert!(server.deadline() > Some(Duration::from_millis(millis)));
        }
        assert!((18..=20).contains(&feedings), "{feedings}");
        // Nothing is sent by itself while the loop does not come round.
        assert_eq!(told(&manager), [""; 0]);
        server.notify(Duration::from_mins(1));
        assert_eq!(told(&manager).len(), 1, "no arrears");
    }

    #[test]
    fn a_service_manager_that_does_not_read_does_not_stop_the_loop() {
        let (mut server, manager) = watched();
        for second in 0..10_000 {
            server.notify(Duration::from_secs(second));
        }
        server.stopping();
        assert!(!told(&manager).is_empty());
    }
}
