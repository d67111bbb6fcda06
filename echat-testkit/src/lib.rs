//! What the tests of several packages or test targets share. Only `[dev-dependencies]` and `fuzz/` name this
//! crate; nothing of it is shipped.
//!
//! It knows the protocol and the operating system, and neither `echat-server` nor `echat-client`: unit tests of
//! those would link a second copy of the crate that they test. Support that needs their types lies in their
//! own `tests/`.
//!
//! * [`programs`]: where the programs under test are; [`server_process`] runs the server, [`scene`] the
//!   debug client;
//! * [`wire`]: a client over a blocking socket; [`server_end`]: the other end of a connection; [`proxy`]:
//!   between both; [`writers`]: clients that write under faults; [`schedule`]: the keys of a connection;
//! * [`terminal`]: terminals, multiplexers and their users;
//! * [`faults`]: disks and clocks that fail;
//! * [`decoders`], [`corpus`], [`hostile_texts`], [`campaign`]: inputs, and how many of them;
//! * [`log_capture`]: the log lines of a test; [`login_bundle`]: what a login brings;
//! * [`side_by_side`]: the cases of a test on all processors;
//! * [`clock`]: the time, for tests that measure; [`folder`]: places for files;
//! * [`generated`], [`manual`]: files of the repository that are written from the code.

#![allow(
    clippy::new_without_default,
    clippy::return_self_not_must_use,
    reason = "helpers of tests, which are not generic over them and may drop what a check returns"
)]

pub mod campaign;
pub mod clock;
pub mod corpus;
pub mod decoders;
pub mod faults;
pub mod folder;
pub mod generated;
pub mod hostile_texts;
pub mod log_capture;
pub mod login_bundle;
pub mod manual;
pub mod programs;
pub mod proxy;
pub mod scene;
pub mod schedule;
pub mod server_end;
pub mod server_process;
pub mod side_by_side;
pub mod terminal;
pub mod wire;
pub mod writers;
