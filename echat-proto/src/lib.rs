//! The echat/2 wire, without IO: no sockets, no clock, no threads and no randomness of its own (an
//! RNG is passed in). Both ends of a channel, their tests and every tool are built on it.
//!
//! ```text
//! 0     4  L          length of the ciphertext CT; L % 16 == 0, 16 <= L <= limit
//! 4     1  padding_n  0..15, number of zero bytes at the end of the plaintext
//! 5    16  IV         fresh random bytes for every frame
//! 21    L  CT         AES-256-CBC(enc key, IV, plaintext | padding_n zero bytes)
//! 21+L 32  tag        HMAC-SHA256(mac key, seq as u64 | bytes 0 .. 21+L)
//!
//! plaintext = Command (4 bytes) | value
//! value     = type (1 byte) | length of body (4 bytes) | body
//! ```
//!
//! Read the modules in this order; each knows only the ones before it:
//!
//! * [`limits`], [`value`], [`names`]: bounds, the eight kinds of value, the texts people choose;
//! * [`codec`], [`frame`], [`crypto`], [`group`]: bytes of values, of frames, their protection, and
//!   Diffie-Hellman;
//! * [`code`], [`param`], [`records`]: values as Rust types, and why a request is refused;
//! * [`message`], [`commands`]: a number and its parameters, and the one table of commands;
//! * [`channel`], [`handshake`]: two ends that trust each other, and how they come to;
//! * [`json`], [`mod@fingerprint`]: what people and scripts see of all this;
//! * [`config`]: what both programs know of config.json.

pub mod channel;
pub mod code;
pub mod codec;
pub mod commands;
pub mod config;
pub mod crypto;
pub mod fingerprint;
pub mod frame;
pub mod group;
pub mod handshake;
pub mod json;
pub mod limits;
pub mod message;
pub mod names;
pub mod param;
pub mod records;
pub mod value;

pub use fingerprint::fingerprint;
pub use value::Value;
