//! Finds users and rooms by a part of their names.

use std::collections::BTreeSet;

use rusqlite::params;

use super::{Batch, Kind, StoreError, UserId};

/// The result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundNames {
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

/// The private rooms of a user, and those that the user is invited to, whose names contain a keyword.
pub(super) const PRIVATE_ROOMS: &str = "SELECT r.name FROM participants AS p
     CROSS JOIN rooms AS r ON r.id = p.conversation
     WHERE p.user = ?1 AND r.private = 1 AND instr(r.name, ?2) > 0
     UNION
     SELECT r.name FROM room_invitations AS i
     CROSS JOIN rooms AS r ON r.id = i.room
     WHERE i.user = ?1 AND r.private = 1 AND instr(r.name, ?2) > 0 AND NOT EXISTS
         (SELECT 1 FROM blocks AS b WHERE b.user = i.user AND b.blocked = i.inviter)";

impl Batch<'_> {
    /// Users and rooms whose names contain `keyword` (in stored form), at most `limit` of each. An empty keyword finds
    /// nothing. Private rooms are not in the index: `me` finds those that `me` is in or invited to.
    pub fn find(&self, me: UserId, keyword: &str, limit: usize) -> Result<FoundNames, StoreError> {
        let (users, more_users) = self.containing(USERS, keyword, limit)?;
        let (public, more_public) = self.containing(ROOMS, keyword, limit)?;
        let mut rooms: BTreeSet<String> = public.into_iter().collect();
        if !keyword.is_empty() {
            let private = self.all(PRIVATE_ROOMS, params![me, keyword], |row| row.get(0))?;
            rooms.extend(private);
        }
        let more_rooms = more_public || rooms.len() > limit;
        Ok(FoundNames {
            users,
            rooms: rooms.into_iter().take(limit).collect(),
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

    /// Deletes a name from the index.
    pub(super) fn unindex_name(
        &mut self,
        kind: Kind,
        id: i64,
        name: &str,
    ) -> Result<(), StoreError> {
        for (start, _) in name.char_indices() {
            let sql = "DELETE FROM name_endings WHERE kind = ?1 AND ending = ?2 AND id = ?3";
            self.write(sql, params![kind, &name[start..], id])?;
        }
        Ok(())
    }
}
