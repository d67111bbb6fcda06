//! The connection to a server: where it is, whether it is the right one, the bytes, and when to
//! connect, ping and give up.
//!
//! [`link`] opens a TCP connection ([`socket`]), does the handshake and asks [`trust`] about the server's
//! key. `connection` is the state machine above it; it has no socket and no clock.

pub mod address;
pub(crate) mod connection;
pub mod fingerprint;
pub(crate) mod known_hosts;
pub mod link;
pub(crate) mod liveness;
pub mod socket;
pub mod trust;
pub mod wait;
pub(crate) mod wake;
