//! The ready lines on standard output, one for each configured address. A thread writes them, so that an unread pipe
//! does not stop the server.

use super::listeners::Listeners;
use crate::output::{self, Output};
use mio::Waker;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Ready lines that are being written.
pub(super) struct Ready(Receiver<io::Error>);

/// The link to this address, and a hint where it needs one: an address of all interfaces is none that people can use.
fn link(address: SocketAddr, fingerprint: &str) -> (String, &'static str) {
    let (port, ip) = (address.port(), address.ip());
    if ip.is_unspecified() {
        let hint = ", with a name or an address of this machine as HOST";
        return (format!("echat://HOST:{port}/#{fingerprint}"), hint);
    }
    (format!("echat://{address}/#{fingerprint}"), "")
}

/// The [`link`] to the first of the addresses.
pub(super) fn first_link(
    listeners: &Listeners,
    fingerprint: &str,
) -> Option<(String, &'static str)> {
    let address = listeners.addresses().next()?;
    Some(link(address, fingerprint))
}

/// What people type to connect to this address.
fn how_to_connect(address: SocketAddr, fingerprint: &str) -> String {
    let (link, hint) = link(address, fingerprint);
    format!("to connect: echat '{link}'{hint}")
}

impl Ready {
    /// Starts writing; wakes `waker` on failure.
    pub(super) fn announce(
        addresses: impl Iterator<Item = SocketAddr>,
        fingerprint: &str,
        waker: Arc<Waker>,
    ) -> io::Result<Self> {
        let mut lines = String::new();
        for address in addresses {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "listening on {address} {fingerprint}");
            tracing::info!("{}", how_to_connect(address, fingerprint));
        }
        let (failure, failures) = channel();
        let writer = thread::Builder::new().name("ready".to_owned());
        writer.spawn(move || {
            let written = output::write_from_the_background()
                .and_then(|()| Output::stdout().write_all(lines.as_bytes()));
            if let Err(error) = written
                && failure.send(error).is_ok()
            {
                // If waking fails, a timer or a client wakes the loop.
                let _ = waker.wake();
            }
        })?;
        Ok(Self(failures))
    }

    /// The error of writing, once.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.0.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_all_interfaces_is_left_to_be_filled_in() {
        let said = |address: &str| how_to_connect(address.parse().unwrap(), "SHA256:key");
        let link = "to connect: echat 'echat://192.0.2.1:1024/#SHA256:key'";
        assert_eq!(said("192.0.2.1:1024"), link);
        let link = "to connect: echat 'echat://[2001:db8::1]:1024/#SHA256:key'";
        assert_eq!(said("[2001:db8::1]:1024"), link);
        for address in ["0.0.0.0:1024", "[::]:1024"] {
            let link = "echat 'echat://HOST:1024/#SHA256:key', with a name";
            assert!(said(address).contains(link), "{}", said(address));
        }
    }
}
