//! The database: accounts, friendships, rooms, messages. The only SQL in the project.
//!
//! ```text
//! Store::open ── batch() ──> Batch: reads and writes in one transaction
//!                              │ commit()            │ drop
//!                              v                     v
//!                           Receipt: durable         rolled back
//! ```
//!
//! The store does not know the wire, sessions, sockets or clocks; callers pass times as unix seconds. It never waits: a
//! database that another process has locked is [`StoreError::Busy`] at once. It does not decide permissions; callers
//! check them first.

mod accounts;
mod administration;
mod annotations;
mod backup;
mod bans;
mod batch;
mod blocks;
mod bots;
mod check;
mod closed_rooms;
mod contacts;
mod deletion;
mod dependents;
mod devices;
mod expected;
mod export;
mod failure;
mod gather;
mod high_water;
mod history;
mod ids;
mod invitation_codes;
mod invitations;
mod left_rooms;
mod mentions;
mod message_runs;
mod messages;
mod migrate;
mod name_search;
mod open_error;
mod original;
mod page;
mod people;
mod removal;
mod resume;
mod retention;
mod rooms;
mod salvage;
mod schema;
mod search_index;
mod search_messages;
mod search_pages;
mod search_plan;
mod search_words;
mod settings;
mod skeletons;
mod template;
mod upgrade_copy;
mod write_ahead_log;

#[cfg(test)]
mod tests;

use thiserror::Error;

pub(crate) use accounts::KNOWN_ADDRESS;
pub use accounts::Suspension;
pub use administration::statistics;
pub(crate) use administration::{Account, AddressBan, AuditEntry};
pub use annotations::{ALL, Mention, StoredReaction};
pub use backup::{CopyError, DATABASE_HEADER, copy_database, mark_without_log};
pub use bans::{Ban, BanSummary};
pub use batch::{Batch, Receipt, Usage};
pub use bots::Bot;
pub use check::{Fault, Findings, Summary, check_copy, check_database, newest_time, rebuild};
pub use contacts::{FriendRequest, PrivateConversation};
pub(crate) use deletion::DeletedAccount;
pub use deletion::{AccountCursor, ChangedLists, DeletedAccountsCursor, ErasureCursor};
pub(crate) use devices::KNOWN_DEVICE;
pub use export::{EXPORT_FORMAT, Imported, Scope, TransferError, export, import, shortened};
pub use failure::Damage;
pub(crate) use gather::MESSAGE_VALUES;
pub use high_water::{HighWaterError, begin_history, recorded_id, reserved_ids};
pub use history::{Around, Bundle, Older, Page, UNREAD_MAX, Unread, UnreadBounds};
pub use ids::{ConversationId, MessageId, UserId};
pub(crate) use invitation_codes::InvitationCode;
pub use invitation_codes::{
    administrator_code_hash, administrator_code_of, set_administrator_code_of,
};
pub use invitations::{Invitation, InvitationCounts};
pub use mentions::{Mentions, MentionsProgress};
pub use messages::{Extras, SentBefore, StoredMessage};
pub use name_search::FoundNames;
pub use open_error::OpenError;
pub use original::{ImportedOriginal, import_original};
pub use page::RowPage;
pub(crate) use people::Friend;
pub use removal::Removal;
pub use resume::SecretHash;
pub(crate) use resume::{Chain, ChainChange, ChainId, ChainWrite, IssuedSecret};
pub use retention::{Retention, Sweep};
pub use rooms::{
    ListedMember, Member, OpenRoom, OwnRoom, Restriction, Role, Room, RoomSize, RoomSummary,
};
pub use salvage::{Salvaged, salvage};
pub use schema::{Store, create_template, schema_dump};
pub use search_index::Unindexed;
pub use search_messages::{FoundMessages, Search, SearchProgress, SearchRequest};
pub use search_words::SearchQuery;
pub(crate) use template::EMPTY_DATABASE;
pub use upgrade_copy::{Upgrade, UpgradePlan, upgrade_of};
pub use write_ahead_log::{Checkpoint, CheckpointOutcome, Purged, length_of_log};

/// The two kinds of conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Two friends.
    Private,
    /// A room and its members.
    Room,
}

/// The identity of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Constant for the life of the account.
    pub id: UserId,
    /// The name in its stored form.
    pub name: String,
}

/// Why an operation failed. A batch that has written must then be dropped, and so be rolled back.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process has locked the database, and this batch wrote nothing: retry later.
    #[error("the database is busy")]
    Busy,
    /// The disk is full. Nothing of this batch is kept; the database stays usable.
    #[error("the disk is full")]
    Full,
    /// A part of the database cannot be read, or contradicts another part. If the batch wrote, nothing of it is kept;
    /// the database stays usable.
    #[error("the database is damaged: {0}")]
    Damaged(#[source] rusqlite::Error),
    /// Any other error, such as a failed sync. The state of the disk is unknown until the database is opened again, so
    /// there is no retry.
    #[error("the database failed: {0}")]
    Fatal(#[source] rusqlite::Error),
}
