//! Removal in portions: what is hidden already and takes long to remove.
//!
//! A portion is a function of the database, of what is removed, and of the time. It looks at a bounded number of rows,
//! so that it takes less than a turn of requests may, whatever there is.
//!
//! A deleted message loses its reactions at once, and the list of the users who reacted, of whom there may be 200,000,
//! in portions.

use super::deletion::{AccountCursor, ChangedLists, DeletedAccountsCursor};
use super::messages::REACTORS_REMOVED;
use super::{Batch, ErasureCursor, Retention, StoreError, Sweep, UserId};

/// Rows of closed rooms that one portion removes at most.
const CLOSED_ROWS: usize = 100;

/// What is removed, from where on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// What is left of closed rooms.
    ClosedRooms,
    /// The rows of a deleted account in other tables.
    AccountRows(UserId, AccountCursor),
    /// The same of all deleted accounts: an earlier process may have left some.
    RowsOfDeleted(DeletedAccountsCursor),
    /// The texts of a deleted account, whose messages become tombstones.
    Account(UserId, ErasureCursor),
    /// The users whose reactions were removed with a message.
    Reactors,
    /// Messages that are too old, and what is known for a time of messages that were removed.
    TooOld(Sweep),
}

impl Removal {
    /// Whether it makes another one unnecessary that has not begun or goes on.
    pub fn replaces(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::ClosedRooms, Self::ClosedRooms) | (Self::Reactors, Self::Reactors) => true,
            (Self::Account(user, _), Self::Account(other, _))
            | (Self::AccountRows(user, _), Self::AccountRows(other, _)) => user == other,
            (Self::TooOld(sweep), Self::TooOld(other)) => sweep.includes(*other),
            _ => false,
        }
    }
}

impl Batch<'_> {
    /// Removes one portion. Returns what is left; `None` after the last.
    pub fn remove(
        &mut self,
        removal: &Removal,
        retention: Retention,
    ) -> Result<Option<Removal>, StoreError> {
        Ok(self.remove_portion(removal, retention)?.0)
    }

    /// The same, with the lists of users that have changed.
    pub(crate) fn remove_portion(
        &mut self,
        removal: &Removal,
        retention: Retention,
    ) -> Result<(Option<Removal>, ChangedLists), StoreError> {
        let left = match removal {
            Removal::AccountRows(user, cursor) => {
                let (cursor, lists) = self.remove_rows_of(*user, *cursor)?;
                let left = cursor.map(|cursor| Removal::AccountRows(*user, cursor));
                return Ok((left, lists));
            }
            Removal::RowsOfDeleted(cursor) => {
                let (cursor, lists) = self.remove_rows_of_deleted(*cursor)?;
                return Ok((cursor.map(Removal::RowsOfDeleted), lists));
            }
            Removal::ClosedRooms => {
                let has_more = self.remove_closed(CLOSED_ROWS, retention.now)?;
                has_more.then_some(Removal::ClosedRooms)
            }
            Removal::Account(user, cursor) => {
                let cursor = self.erase(*user, *cursor, retention.now)?;
                Some(cursor.map_or(Removal::Reactors, |cursor| Removal::Account(*user, cursor)))
            }
            Removal::Reactors => {
                let has_more = self.remove_hidden_reactors(REACTORS_REMOVED)?;
                has_more.then_some(Removal::Reactors)
            }
            Removal::TooOld(sweep) => self.sweep(*sweep, retention)?.map(Removal::TooOld),
        };
        Ok((left, ChangedLists::default()))
    }

    /// What an earlier process left to remove, or may have left.
    pub fn removals(&self) -> Result<Vec<Removal>, StoreError> {
        let accounts = self.erasures()?.into_iter();
        let mut removals = vec![Removal::ClosedRooms, Removal::Reactors];
        removals.extend(accounts.map(|user| Removal::Account(user, ErasureCursor::default())));
        removals.push(Removal::RowsOfDeleted(DeletedAccountsCursor::default()));
        removals.push(Removal::TooOld(Sweep::of_all(true)));
        Ok(removals)
    }
}
