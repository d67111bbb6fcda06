//! Closed rooms: hidden at once, and removed in portions.
//!
//! A room is hidden by deleting its row of `rooms`, which every query of a room goes through. What is left under the id
//! of its conversation, which is never given out again, is listed in `closed_rooms` and removed a portion at a time,
//! also after a restart. The transaction ids of its messages stay known for a time ([`retention`](super::retention)).

use echat_proto::names::looks;
use rusqlite::params;

use super::dependents::OF_ROOM;
use super::page::sql_limit;
use super::{Batch, Kind, Room, StoreError};

/// Bytes of content that one portion removes at most, after its first message. A long content lies in pages of its own,
/// each of which is read to be freed.
const PORTION_BYTES: i64 = 256 * 1024;

/// The next messages of a conversation, oldest first. The length of a content is known without reading it.
pub(super) const NEXT: &str = "SELECT id, octet_length(content) FROM messages
     WHERE conversation = ?1 ORDER BY id LIMIT ?2";

impl Batch<'_> {
    /// Closes a room: it is hidden and its name is free. [`remove`](Batch::remove) does the rest.
    pub fn close_room(&mut self, room: &Room) -> Result<(), StoreError> {
        self.remove_looks(Kind::Room, room.id.0, &looks(&room.name))?;
        self.unindex_name(Kind::Room, room.id.0, &room.name)?;
        self.write("DELETE FROM rooms WHERE id = ?1", [room.id])?;
        self.write("INSERT INTO closed_rooms (id) VALUES (?1)", [room.id])
            .map(drop)
    }

    /// Removes up to `most` rows of the closed room with the lowest id. False if no closed room is left. The same
    /// database gives the same portions.
    pub(super) fn remove_closed(&mut self, most: usize, now: i64) -> Result<bool, StoreError> {
        let next = "SELECT id FROM closed_rooms ORDER BY id LIMIT 1";
        let Some(room) = self.first(next, [], |row| row.get::<_, i64>(0))? else {
            return Ok(false);
        };
        // Their words leave the index first.
        let most = most.min(self.removable()?);
        let mut left = most.saturating_sub(self.remove_messages_of(room, most, now)?);
        for sql in OF_ROOM {
            if left == 0 {
                return Ok(true);
            }
            let removed = self.write(sql, params![room, sql_limit(left)])?;
            left = left.saturating_sub(removed);
        }
        if left == 0 {
            return Ok(true);
        }
        self.write("DELETE FROM closed_rooms WHERE id = ?1", [room])?;
        self.exists("SELECT 1 FROM closed_rooms", [])
    }

    /// Removes the oldest messages of a closed room. Returns how many, or `most` if what belongs to them is a whole
    /// portion.
    fn remove_messages_of(
        &mut self,
        room: i64,
        most: usize,
        now: i64,
    ) -> Result<usize, StoreError> {
        let (mut ids, mut bytes) = (Vec::new(), 0);
        self.walk(NEXT, params![room, sql_limit(most)], |row| {
            ids.push(row.get::<_, i64>(0)?);
            bytes += row.get::<_, i64>(1)?;
            Ok(bytes < PORTION_BYTES)
        })?;
        let is_done = self.remove_messages(&ids, now)?;
        Ok(if is_done && bytes < PORTION_BYTES {
            ids.len()
        } else {
            most
        })
    }
}
