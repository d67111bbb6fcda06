//! The user's machine and the person at it: files and folders, passwords, questions, input in lines and
//! local time. Nothing here knows of servers.

pub(crate) mod ask;
pub(crate) mod folders;
pub(crate) mod ignored_signals;
pub(crate) mod lines;
pub mod local_time;
pub(crate) mod password;
