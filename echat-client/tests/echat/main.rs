//! `echat` as people have it: in a terminal, against the real server; and in a pipe.

mod actor;
mod alerts;
mod asked;
mod busy;
mod cuts;
mod elsewhere;
mod garbled;
mod given_back;
mod hostile;
mod keys;
mod kills;
mod multiplexed;
mod pending;
mod pictures;
mod place;
mod resized;
mod restored;
mod screens;
mod silence;
mod start;
mod talk;
mod too_long;
