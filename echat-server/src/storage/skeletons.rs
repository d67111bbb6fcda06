//! The skeletons of names, so that no new name is confusable with an existing one.

use std::collections::BTreeSet;

use echat_proto::names::looks;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, params};

use super::{Batch, Kind, StoreError};

/// Looks up a skeleton in the order of the table's key.
pub(super) const ALIKE: &str = "SELECT 1 FROM name_looks WHERE kind = ?1 AND look = ?2";

impl Batch<'_> {
    /// Whether an existing name of this kind shares one of these skeletons.
    pub(super) fn looks_taken(
        &self,
        kind: Kind,
        looks: &BTreeSet<String>,
    ) -> Result<bool, StoreError> {
        for look in looks {
            if self.exists(ALIKE, params![kind, look])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether an existing name of this kind, other than that of this row, shares one of these skeletons.
    pub(super) fn looks_taken_by_another(
        &self,
        kind: Kind,
        looks: &BTreeSet<String>,
        id: i64,
    ) -> Result<bool, StoreError> {
        for look in looks {
            let sql = "SELECT 1 FROM name_looks WHERE kind = ?1 AND look = ?2 AND id <> ?3";
            if self.exists(sql, params![kind, look, id])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a name that this row has or had shares one of these skeletons.
    pub(super) fn has_look(
        &self,
        kind: Kind,
        id: i64,
        looks: &BTreeSet<String>,
    ) -> Result<bool, StoreError> {
        for look in looks {
            let sql = "SELECT 1 FROM name_looks WHERE kind = ?1 AND look = ?2 AND id = ?3";
            if self.exists(sql, params![kind, look, id])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Deletes the skeletons of a name that is free from now on.
    pub(super) fn remove_looks(
        &mut self,
        kind: Kind,
        id: i64,
        looks: &BTreeSet<String>,
    ) -> Result<(), StoreError> {
        for look in looks {
            let sql = "DELETE FROM name_looks WHERE kind = ?1 AND look = ?2 AND id = ?3";
            self.write(sql, params![kind, look, id])?;
        }
        Ok(())
    }

    /// Stores the skeletons of a new name.
    pub(super) fn add_looks(
        &mut self,
        kind: Kind,
        id: i64,
        looks: &BTreeSet<String>,
    ) -> Result<(), StoreError> {
        for look in looks {
            let sql = "INSERT INTO name_looks (kind, look, id) VALUES (?1, ?2, ?3)";
            self.write(sql, params![kind, look, id])?;
        }
        Ok(())
    }
}

/// Registers the SQL function `looks(name)`, which returns the skeletons of a name as a JSON array. A migration uses it
/// for existing names.
pub(super) fn add_function(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    db.create_scalar_function("looks", 1, flags, |call| {
        let looks = looks(call.get_raw(0).as_str()?);
        serde_json::to_string(&looks)
            .map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
    })
}
