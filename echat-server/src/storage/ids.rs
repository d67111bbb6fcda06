//! Row ids as distinct types.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::Kind;

/// A user's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub i64);

/// A friendship or a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId(pub i64);

/// A message. Ids increase in the order of storing, over all conversations, and are never reused; 0 is before every
/// message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

impl MessageId {
    /// The last id that is assigned: the largest integer that every reader of JSON takes exactly (RFC 8259, section 6).
    pub const LAST: Self = Self((1 << 53) - 1);

    /// The highest id that an import takes. At least as many are left for new messages.
    pub const LAST_IMPORTED: Self = Self(1 << 52);

    /// The id as an integer of `SQLite`, clamped to its largest.
    pub(super) fn row(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The id of a row; rows are numbered from 1.
    pub(super) fn of_row(row: i64) -> Self {
        Self(u64::try_from(row).unwrap_or(0))
    }
}

impl ToSql for UserId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for UserId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

impl ToSql for ConversationId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for ConversationId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

impl ToSql for MessageId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.row().into())
    }
}

impl FromSql for MessageId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let row = i64::column_result(value)?;
        u64::try_from(row)
            .map(Self)
            .map_err(|_| FromSqlError::OutOfRange(row))
    }
}

impl ToSql for Kind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Private => 0.into(),
            Self::Room => 1.into(),
        })
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match i64::column_result(value)? {
            0 => Ok(Self::Private),
            1 => Ok(Self::Room),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}
