//! Every bound of the protocol, in one place.

/// Longest message text, in bytes of UTF-8.
pub const CONTENT_BYTES: usize = 4_000;

/// Longest name of a user or a room, in characters of its stored form.
pub const NAME_CHARS: usize = 20;

/// Longest name of a user or a room, in bytes of its stored form.
pub const NAME_BYTES: usize = 64;

/// Shortest password that may be registered, in bytes after normalisation.
pub const PASSWORD_MIN: usize = 8;

/// Longest password, in bytes, before and after normalisation.
pub const PASSWORD_MAX: usize = 1_024;

/// Longest transaction id, in bytes.
pub const TXN_ID_MAX: usize = 64;
