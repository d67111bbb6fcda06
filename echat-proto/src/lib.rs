//! The echat/2 protocol (PROTOCOL.md) without IO: no sockets, no clock, no threads; the caller passes the random
//! number generator. Server, clients, tests and tools are built on it.
//!
//! ```text
//! 0     4  L          length of the ciphertext CT; L % 16 == 0, 16 <= L <= limit
//! 4     1  padding_n  0..15, number of zero bytes at the end of the plaintext
//! 5    16  IV         fresh random bytes for every frame
//! 21    L  CT         AES-256-CBC(enc key, IV, plaintext | padding_n zero bytes)
//! 21+L 32  tag        HMAC-SHA256(mac key, seq as u64 | bytes 0 .. 21+L)
//!
//! plaintext = command (4 bytes) | value
//! value     = type (1 byte) | length of body (4 bytes) | body
//! ```
//!
//! Read the modules in this order; each depends only on earlier ones:
//!
//! * [`limits`], [`value`], [`names`]: limits, the eight types of values, and names, texts and passwords;
//! * [`codec`], [`frame`], [`crypto`], [`group`]: the encoding of values, frames, encryption, and Diffie-Hellman;
//! * [`code`], [`param`], [`records`]: parameters as Rust types, and the reasons of refusals;
//! * [`mentions`], [`emoji`]: the names that a text may mention, and what a reaction may be;
//! * [`message`], [`commands`]: a message, and the one table of commands;
//! * [`channel`], [`handshake`]: the encrypted channel, and how it is established;
//! * [`json`], [`mod@fingerprint`]: the forms for people and scripts;
//! * [`config`]: the keys of config.json that both programs know.

pub mod channel;
pub mod code;
pub mod codec;
pub mod commands;
pub mod config;
pub mod crypto;
pub mod emoji;
pub mod fingerprint;
pub mod frame;
pub mod group;
pub mod handshake;
pub mod json;
pub mod limits;
pub mod mentions;
pub mod message;
pub mod names;
pub mod param;
pub mod records;
pub mod terminal_text;
pub mod value;

pub use fingerprint::fingerprint;
pub use value::Value;
