//! The user's machine and the person at it: files and folders, passwords, questions, input in lines and
//! local time. Nothing here knows of servers.

pub mod ask;
pub mod folders;
pub mod lines;
pub mod local_time;
pub mod password;
