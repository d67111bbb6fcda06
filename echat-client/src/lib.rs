//! The code of the programs of this package. `echat` is the client people talk with; `echat-nc` is the debug client:
//! the protocol as lines of JSON, for people and for scripts; `echat-load` measures a server.
//!
//! A module imports only from those below it, and within `net`, `local` and `render` each module has
//! its own list: `echat-proto/tests/tidy/imports.rs` has the table, and a test holds it.
//!
//! ```text
//! chat                  echat: arguments, configuration, the loop that carries out effects
//! nc  load              the debug client; what measures a server
//! terminal              raw mode, bytes to keys, painting: all escape bytes but the one that erases the prompt of `nc`
//! app                   inputs become effects
//! modes                 what a typed line means, and which events are shown
//! session               conversations, contacts, pending requests, lines on their way
//! statement             the table of what can be typed
//! settings              what the user chose
//! line_editor           keys to an edited or submitted line
//! text                  every sentence, in both languages
//! links                 links in a text
//! target                the friend or room that a message is for
//! render                text that cannot control a terminal, its width, styles and rows
//! net                   the connection: address, trust, socket, handshake, reconnecting
//! local                 folders, passwords, questions, input in lines, local time
//! secret                texts and bytes that nothing shows
//! clock                 the only place that reads a clock
//! exit                  exit codes
//! ```
//!
//! `app`, `modes`, `statement`, `session`, `line_editor`, `text`, `render` and `net::connection`
//! are pure: they have no files, sockets, clocks or terminals, so a test of them is a transcript.

pub mod app;
pub mod chat;
pub mod clock;
pub mod exit;
pub mod line_editor;
pub mod links;
pub mod load;
pub mod local;
pub mod modes;
pub mod nc;
pub mod net;
pub mod render;
pub mod secret;
pub mod session;
pub mod settings;
pub mod statement;
pub mod target;
pub mod terminal;
pub mod text;
