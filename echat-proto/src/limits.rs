//! Every limit of the wire, in one place (PROTOCOL.md, sections 1, 2 and 7.2). Limits that an operator can
//! change are keys of config.json; their defaults are here too.

/// Deepest nesting of a value; the outermost value has depth 1.
pub const DEPTH: usize = 8;
/// Values in one message, including containers and the outermost value.
pub const VALUES: usize = 16_384;
/// Bytes of a dict key.
pub const KEY_BYTES: usize = 64;

/// Limit on L, the ciphertext's length, to a server that has not yet sent LOGIN_SUCCESS.
pub const FRAME_BEFORE_LOGIN: usize = 4 * 1024;
/// Limit on L to a server after LOGIN_SUCCESS (default of `server.limits.frame_bytes`).
pub const FRAME_AFTER_LOGIN: usize = 64 * 1024;
/// Limit on L to a client.
pub const FRAME_TO_CLIENT: usize = 256 * 1024;
/// AES blocks that one direction's key may encrypt; then the connection closes.
pub const BLOCKS_PER_KEY: u64 = 1 << 32;

/// Bytes of one message's content (default of `server.limits.content_bytes`).
pub const CONTENT_BYTES: usize = 4_000;
/// Bytes of one message's content, the most that a configuration can allow.
pub const CONTENT_MAX: usize = 65_536;
/// Characters of a user's or a room's name.
pub const NAME_CHARS: usize = 20;
/// Bytes of a user's or a room's name.
pub const NAME_BYTES: usize = 64;
/// Names in one request, and the most friends that a configuration can allow.
pub const NAMES: usize = 1_000;
/// Fewest bytes of a new password.
pub const PASSWORD_MIN: usize = 8;
/// Most bytes of a password.
pub const PASSWORD_MAX: usize = 1_024;
/// Bytes of a `txn_id`.
pub const TXN_ID_MAX: usize = 64;
/// Bytes of the reason for sending a user away.
pub const REASON_BYTES: usize = 200;
/// Users that a user can block, and users that a room can ban.
pub const BLOCKS: usize = 1_000;
/// Bytes of the text of a user who is away.
pub const AWAY_BYTES: usize = 200;
/// Bytes of a room's topic.
pub const TOPIC_BYTES: usize = 300;
/// The longest time, in seconds, that slow mode can put between two messages of a member.
pub const SLOW_SECONDS_MAX: u64 = 3_600;
/// The most days that a room can keep its messages.
pub const KEEP_DAYS_MAX: u64 = 36_500;
/// Bytes of a `FIND` keyword.
pub const KEYWORD_BYTES: usize = 64;

/// Bytes of messages in one reply; a longer reply ends there and says that there is more.
pub const PAGE_BYTES: usize = 240 * 1024;
/// Messages of one conversation in a login bundle.
pub const BUNDLE_PER_CONVERSATION: usize = 50;
/// Messages in a login bundle.
pub const BUNDLE_MESSAGES: usize = 500;
/// Most messages that one QUERY_HISTORY may ask for.
pub const HISTORY_MAX: u64 = 200;
/// Messages that QUERY_HISTORY returns without a `limit`.
pub const HISTORY_DEFAULT: u64 = 50;

/// Seconds until a rate, however much it was used, allows as much as at first, and slow mode another message. A refusal
/// whose `retry_after` is longer is that of the limit of a day.
pub const RATES_FILL_UP: u64 = 3_600;

/// Most items that one request for a page of members or public rooms may ask for, and the default.
pub const LIST_PAGE: u64 = 200;

const _: () = assert!(FRAME_BEFORE_LOGIN <= FRAME_AFTER_LOGIN);
const _: () = assert!(FRAME_AFTER_LOGIN <= FRAME_TO_CLIENT);
const _: () = assert!(
    PAGE_BYTES < FRAME_TO_CLIENT,
    "a full page must fit one frame"
);
const _: () = assert!(CONTENT_BYTES <= CONTENT_MAX && CONTENT_MAX * 2 < FRAME_TO_CLIENT);
const _: () = assert!(PASSWORD_MAX + NAME_BYTES + 256 <= FRAME_BEFORE_LOGIN);
