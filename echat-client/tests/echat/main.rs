//! `echat` as people have it: in a terminal, against the real server; and in a pipe.

mod busy;
mod cuts;
mod given_back;
mod hostile;
mod kills;
mod pictures;
mod place;
#[path = "../real/mod.rs"]
mod real;
mod resized;
#[path = "../support/mod.rs"]
mod support;
mod talk;
