//! Everything the programs of this package share. `echat` is the client people talk with; `echat-nc`
//! is the debug client: the protocol as lines of JSON, for people and for scripts.
//!
//! A module imports only from those below it:
//!
//! ```text
//! nc  load              the debug client; what measures a server
//! terminal              raw mode, bytes to keys, painting: the only place with escape bytes
//! view                  lines laid out in rows
//! line_editor           keys to an edited or submitted line
//! styled                lines in named styles
//! safe                  text that cannot control a terminal
//! columns               how wide a text is
//! link                  TCP, handshake and channel: a connection that can be trusted
//! socket  trust         a non-blocking connection; whether a key is the right one
//! known_hosts           which server showed which key
//! address               where a server is
//! fingerprint  clock    a server's key, as people compare it; the time
//! ```

pub mod address;
pub mod clock;
mod columns;
pub mod fingerprint;
pub mod known_hosts;
pub mod line_editor;
pub mod link;
pub mod load;
pub mod nc;
pub mod safe;
pub mod socket;
pub mod styled;
pub mod terminal;
pub mod trust;
pub mod view;
