//! Finds users and rooms by a part of their names.

use std::collections::BTreeSet;

use rusqlite::params;

use super::{Batch, Kind, StoreError};

/// The result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Names of users, sorted.
    pub users: Vec<String>,
    /// Names of rooms, sorted.
    pub rooms: Vec<String>,
    /// Whether there are more of either.
    pub more: bool,
}

/// There is a row for each suffix of a name, so a name that contains the keyword twice occurs twice.
pub(super) const USERS: &str =
    "SELECT u.name FROM name_endings AS e CROSS JOIN users AS u ON u.id = e.id
     WHERE e.kind = 0 AND e.ending >= ?1 AND e.ending < ?2
     ORDER BY e.ending, e.id LIMIT ?3";
pub(super) const ROOMS: &str =
    "SELECT r.name FROM name_endings AS e CROSS JOIN rooms AS r ON r.id = e.id
     WHERE e.kind = 1 AND e.ending >= ?1 AND e.ending < ?2
     ORDER BY e.ending, e.id LIMIT ?3";

impl Batch<'_> {
    /// Users and rooms whose names contain `keyword` (in stored form), at most `limit` of each. An empty keyword finds
    /// nothing.
    pub fn find(&self, keyword: &str, limit: usize) -> Result<Found, StoreError> {
        let (users, more_users) = self.containing(USERS, keyword, limit)?;
        let (rooms, more_rooms) = self.containing(ROOMS, keyword, limit)?;
        Ok(Found {
            users,
            rooms,
            more: more_users || more_rooms,
        })
    }

    fn containing(
        &self,
        sql: &str,
        keyword: &str,
        limit: usize,
    ) -> Result<(Vec<String>, bool), StoreError> {
        if keyword.is_empty() {
            return Ok((Vec::new(), false));
        }
        // A name of n characters has at most n suffixes that begin with the keyword.
        let rows = (limit + 1).saturating_mul(echat_proto::limits::NAME_CHARS);
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let end = format!("{keyword}{}", char::MAX);
        let found = self.all(sql, params![keyword, end, rows], |row| row.get(0))?;
        let mut names = BTreeSet::new();
        for name in found {
            if names.len() == limit && !names.contains(&name) {
                return Ok((names.into_iter().collect(), true));
            }
            names.insert(name);
        }
        Ok((names.into_iter().collect(), false))
    }

    /// Indexes a new name by all its suffixes.
    pub(super) fn index_name(&mut self, kind: Kind, id: i64, name: &str) -> Result<(), StoreError> {
        for (start, _) in name.char_indices() {
            let sql = "INSERT INTO name_endings (kind, ending, id) VALUES (?1, ?2, ?3)";
            self.write(sql, params![kind, &name[start..], id])?;
        }
        Ok(())
    }
}
