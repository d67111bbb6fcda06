//! Finding users and rooms by part of their names.

use std::collections::BTreeSet;

use rusqlite::params;

use super::{Batch, Kind, StoreError, UserId};

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Names of users, sorted.
    pub users: Vec<String>,
    /// Names of rooms, sorted.
    pub rooms: Vec<String>,
    /// Whether there are more of either.
    pub more: bool,
}

/// Rows are by ending, so one name that has the keyword twice comes twice.
pub(super) const USERS: &str =
    "SELECT u.name FROM name_endings AS e CROSS JOIN users AS u ON u.id = e.id
     WHERE e.kind = 0 AND e.ending >= ?1 AND e.ending < ?2 AND e.id IS NOT ?3
     ORDER BY e.ending, e.id LIMIT ?4";
pub(super) const ROOMS: &str =
    "SELECT r.name FROM name_endings AS e CROSS JOIN rooms AS r ON r.id = e.id
     WHERE e.kind = 1 AND e.ending >= ?1 AND e.ending < ?2 AND e.id IS NOT ?3
     ORDER BY e.ending, e.id LIMIT ?4";

impl Batch<'_> {
    /// Users other than the asker, and rooms, whose names contain `keyword` (in the form that
    /// names are stored in); at most `limit` of each. An empty keyword finds nothing.
    pub fn find(&self, keyword: &str, asker: UserId, limit: usize) -> Result<Found, StoreError> {
        let (users, more_users) = self.containing(USERS, keyword, Some(asker), limit)?;
        let (rooms, more_rooms) = self.containing(ROOMS, keyword, None, limit)?;
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
        except: Option<UserId>,
        limit: usize,
    ) -> Result<(Vec<String>, bool), StoreError> {
        if keyword.is_empty() {
            return Ok((Vec::new(), false));
        }
        // A name of n characters has at most n endings with the keyword.
        let rows = (limit + 1).saturating_mul(echat_proto::limits::NAME_CHARS);
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let end = format!("{keyword}{}", char::MAX);
        let found = self.all(sql, params![keyword, end, except, rows], |row| row.get(0))?;
        let mut names = BTreeSet::new();
        for name in found {
            if names.len() == limit && !names.contains(&name) {
                return Ok((names.into_iter().collect(), true));
            }
            names.insert(name);
        }
        Ok((names.into_iter().collect(), false))
    }

    /// Makes a new name findable by every part of it.
    pub(super) fn index_name(&mut self, kind: Kind, id: i64, name: &str) -> Result<(), StoreError> {
        for (start, _) in name.char_indices() {
            let sql = "INSERT INTO name_endings (kind, ending, id) VALUES (?1, ?2, ?3)";
            self.write(sql, params![kind, &name[start..], id])?;
        }
        Ok(())
    }
}
