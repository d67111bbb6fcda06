//! Everything the programs of this package share. `echat` is the client people talk with;
//! `echat-nc` is the debug client: the protocol as lines of JSON, for people and for scripts.
//!
//! A module imports only from those below it:
//!
//! ```text
//! app                   echat: inputs become effects (pure, like all down to `target`)
//! modes                 what a typed line means, and what of the news is shown
//! statement  session    the little languages; what is known
//! outgoing  settings    lines on their way; what the user chose
//! line_editor           keys become lines
//! local_time  text      times and sentences for people
//! styled  safe  target  lines as they are meant; harmless text; whom a message is for
//! nc                    the debug client: arguments, statements, session, loop
//! link                  TCP, handshake and channel: a connection that can be trusted
//! socket  trust         a non-blocking connection; whether a key is the right one
//! known_hosts           which server showed which key
//! address               where a server is
//! fingerprint  clock    a server's key, as people compare it; the time
//! ```

pub mod address;
pub mod app;
pub mod clock;
pub mod fingerprint;
pub mod known_hosts;
pub mod line_editor;
pub mod link;
pub mod local_time;
pub mod modes;
pub mod nc;
pub mod outgoing;
pub mod safe;
pub mod session;
pub mod settings;
pub mod socket;
pub mod statement;
pub mod styled;
pub mod target;
pub mod text;
pub mod trust;
