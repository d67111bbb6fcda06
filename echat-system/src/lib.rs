//! What server and client both ask of the operating system, once. It is a crate of its own because it does
//! IO, which `echat-proto` never does.
//!
//! * [`private_file`]: files that only their owner can read, replaced as a whole;
//! * [`regular_file`]: regular files that a user names, opened without blocking;
//! * [`free_space`]: what a disk has left;
//! * [`locked_file`]: files that are not opened, since closing them would release locks of this process;
//! * [`private_memory`]: no core dump, no reading by other processes;
//! * [`proc`]: what a process uses, from /proc, for measurements;
//! * [`exit_codes!`]: the declaration of a program's exit codes.

mod exit;
pub mod free_space;
pub mod locked_file;
pub mod private_file;
pub mod private_memory;
pub mod proc;
pub mod regular_file;
