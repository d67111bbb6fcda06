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
//! connection            when to connect, to back off, to ping and to give up
//! liveness              whether a silent connection is dead
//! outgoing  settings    lines on their way; what the user chose
//! line_editor           keys to an edited or submitted line
//! local_time  text      times and sentences for people
//! styled  target        lines in named styles; whom a message is for
//! safe                  text that cannot control a terminal
//! columns               how wide a text is
//! ask  password         a typed yes and secrets; a password that need not be typed
//! link                  TCP, handshake and channel: a connection that can be trusted
//! socket  trust         a non-blocking connection; whether a key is the right one
//! wake                  whether the machine was suspended or the process stopped
//! wait                  until something can be read or written, or a time has come
//! folders               where a user's files are
//! known_hosts           which server showed which key
//! address               where a server is
//! fingerprint  clock    a server's key, as people compare it; the time
//! exit                  how a program ends
//! ```

pub mod address;
pub mod app;
pub mod ask;
pub mod chat;
pub mod clock;
mod columns;
pub mod connection;
pub mod exit;
pub mod fingerprint;
pub mod folders;
pub mod known_hosts;
pub mod line_editor;
pub mod lines;
pub mod link;
pub mod liveness;
pub mod load;
pub mod local_time;
pub mod modes;
pub mod nc;
pub mod outgoing;
pub mod password;
pub mod safe;
pub mod session;
pub mod settings;
pub mod socket;
pub mod statement;
pub mod styled;
pub mod target;
pub mod terminal;
pub mod text;
pub mod trust;
pub mod view;
pub mod wait;
pub mod wake;
