//! Everything the programs of this package share. `echat` is the client people talk with;
//! `echat-nc` is the debug client: the protocol as lines of JSON, for people and for scripts.
//!
//! A module imports only from those below it:
//!
//! ```text
//! chat                  echat: arguments, configuration, the loop that does the effects
//! nc  load              the debug client; what measures a server
//! terminal              raw mode, bytes to keys, painting: the only place with escape bytes
//! view                  lines laid out in rows
//! app                   inputs become effects (pure, like all down to `target`)
//! modes                 what a typed line means, and what of the news is shown
//! statement  session    the little languages; what is known
//! outgoing  settings    lines on their way; what the user chose
//! line_editor           keys to an edited or submitted line
//! text                  sentences for people
//! styled  target        lines in named styles; whom a message is for
//! safe                  text that cannot control a terminal
//! columns               how wide a text is
//! net                   the connection: address, trust, socket, handshake, reconnecting
//! local                 folders, passwords, questions, input in lines, local time
//! clock                 the time
//! exit                  how a program ends
//! ```

pub mod app;
pub mod chat;
pub mod clock;
mod columns;
pub mod exit;
pub mod line_editor;
pub mod load;
pub mod local;
pub mod modes;
pub mod nc;
pub mod net;
pub mod outgoing;
pub mod safe;
pub mod session;
pub mod settings;
pub mod statement;
pub mod styled;
pub mod target;
pub mod terminal;
pub mod text;
pub mod view;
