//! The database: accounts, friendships, rooms, messages. The only SQL in the project.
//!
//! ```text
//! Store::open ── batch() ──> Batch: reads; the first write begins a transaction
//!                              │ commit()            │ drop
//!                              v                     v
//!                           Receipt: it is durable   as if it had never been
//! ```
//!
//! It knows nothing of the wire, of who is online, of sockets or of clocks: times come in as unix
//! seconds. It never waits: a database locked by another process is [`StoreError::Busy`] at once.
//! It does not judge who may do what; its callers ask first.

mod accounts;
mod batch;
mod contacts;
mod expected;
mod failure;
mod gather;
mod high_water;
mod history;
mod ids;
mod left_rooms;
mod log;
mod looks;
mod messages;
mod migrate;
mod open_error;
mod rooms;
mod schema;
mod search;

#[cfg(test)]
mod tests;

use thiserror::Error;

pub use batch::{Batch, Receipt};
pub use contacts::FriendRequest;
pub use failure::Damage;
pub use high_water::HighWaterError;
pub use history::{Bundle, Older, Page, UNREAD_MAX, Unread};
pub use ids::{ConversationId, MessageId, UserId};
pub use log::{Fold, Folded};
pub use messages::StoredMessage;
pub use open_error::OpenError;
pub use rooms::{Member, Place, Room, RoomSummary};
pub use schema::{Store, create_template, schema_dump};
pub use search::Found;

/// The two kinds of conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Two friends.
    Private,
    /// A room and its members.
    Room,
}

/// A user as others know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Stays the same as long as the account exists.
    pub id: UserId,
    /// The name in its stored form.
    pub name: String,
}

/// Why the database did not do what it was asked. After any of these the batch can only be
/// dropped, which rolls it back.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process holds the database, and nothing of this batch was written: try again.
    #[error("the database is busy")]
    Busy,
    /// No space is left. Nothing of this batch is kept; the database stays usable.
    #[error("the disk is full")]
    Full,
    /// A part of the database cannot be read, or contradicts another one. What rests on it is refused;
    /// nothing of this batch is kept if it had written; the database stays usable.
    #[error("the database is damaged: {0}")]
    Damaged(#[source] rusqlite::Error),
    /// Anything else, a failed sync above all. What is on the disk is uncertain until the
    /// database is opened again, so this is never tried again.
    #[error("the database failed: {0}")]
    Fatal(#[source] rusqlite::Error),
}
