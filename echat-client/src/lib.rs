//! Everything the programs of this package share. `echat-nc` is the debug client: the protocol
//! as lines of JSON, for people and for scripts.
//!
//! A module imports only from those below it:
//!
//! ```text
//! nc            the debug client: arguments, statements, session, loop
//! known_hosts   which server showed which key
//! address       where a server is
//! fingerprint   a server's key, as people compare it
//! ```

pub mod address;
pub mod fingerprint;
pub mod known_hosts;
pub mod nc;
