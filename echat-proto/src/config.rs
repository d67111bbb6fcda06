//! config.json, which both programs read: what one must know of the other's section.

/// Every key of the section `client`. The client reads them; the server only refuses all others.
pub const CLIENT_KEYS: [&str; 12] = [
    "address",
    "user",
    "password_file",
    "password_command",
    "language",
    "compact",
    "presence",
    "bell",
    "notify",
    "title",
    "keep_unsent",
    "utc",
];
