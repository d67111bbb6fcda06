//! `echat` as people have it: in a terminal, against the real server; and in a pipe.

mod actor;
mod administration;
mod alerts;
mod busy;
mod cuts;
mod export;
mod garbled;
mod hostile;
mod keys;
mod kills;
mod messages;
mod multiplexed;
mod pending;
mod pictures;
mod questions;
mod redirected;
mod resized;
mod restarts;
mod restored;
mod screens;
mod server_folder;
mod silence;
mod start;
mod talk;
mod terminal_restored;
mod too_long;
