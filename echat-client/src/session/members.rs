//! The members of each room as far as the client has seen them, for completing names. The server sends a
//! member list only on request, so these are the names that lists, presence and messages have shown.

use std::collections::BTreeMap;

/// Names that are remembered of one room.
const PER_ROOM: usize = 4_096;
/// Names that are remembered of all rooms together.
const ALL: usize = 16_384;

/// The seen members of all rooms.
#[derive(Debug, Default)]
pub(super) struct Members {
    rooms: BTreeMap<String, Room>,
    /// Counts changes, to tell which room changed last.
    changes: u64,
}

/// The seen members of one room.
#[derive(Debug, Default)]
struct Room {
    /// The id of each member's newest message; 0 without one.
    spoke: BTreeMap<String, u64>,
    changed: u64,
}

impl Members {
    /// A member was seen, perhaps by the message of this id.
    pub(super) fn see(&mut self, room: &str, name: &str, id: u64) {
        self.changes += 1;
        let known = self.rooms.entry(room.to_owned()).or_default();
        known.changed = self.changes;
        let spoke = known.spoke.entry(name.to_owned()).or_default();
        *spoke = id.max(*spoke);
        if known.spoke.len() > PER_ROOM {
            known.forget_quietest();
        }
        while self.count() > ALL {
            self.forget_stalest();
        }
    }

    /// The members of a room, the latest speakers first, then by name.
    pub(super) fn of(&self, room: &str) -> Vec<&str> {
        let known = self.rooms.get(room);
        let mut names: Vec<(&String, &u64)> = known.iter().flat_map(|known| &known.spoke).collect();
        names.sort_by_key(|(name, spoke)| (std::cmp::Reverse(**spoke), *name));
        names.into_iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The reader has left the room.
    pub(super) fn forget(&mut self, room: &str) {
        self.rooms.remove(room);
    }

    fn count(&self) -> usize {
        self.rooms.values().map(|room| room.spoke.len()).sum()
    }

    fn forget_stalest(&mut self) {
        let stalest = self.rooms.iter().min_by_key(|(_, room)| room.changed);
        if let Some(name) = stalest.map(|(name, _)| name.clone()) {
            self.rooms.remove(&name);
        }
    }
}

impl Room {
    fn forget_quietest(&mut self) {
        let quietest = self.spoke.iter().min_by_key(|(_, spoke)| **spoke);
        if let Some(name) = quietest.map(|(name, _)| name.clone()) {
            self.spoke.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_speakers_come_first() {
        let mut members = Members::default();
        for (name, id) in [
            ("carol", 0),
            ("bob", 5),
            ("ann", 0),
            ("dave", 9),
            ("bob", 2),
        ] {
            members.see("room", name, id);
        }
        assert_eq!(members.of("room"), ["dave", "bob", "ann", "carol"]);
        members.forget("room");
        assert!(members.of("room").is_empty());
    }

    #[test]
    fn a_large_room_keeps_its_speakers_and_many_rooms_the_last_ones() {
        let mut members = Members::default();
        members.see("large", "speaker", 1);
        for index in 0..PER_ROOM + 10 {
            members.see("large", &format!("silent{index:05}"), 0);
        }
        assert_eq!(members.of("large").len(), PER_ROOM);
        assert_eq!(members.of("large")[0], "speaker");
        for room in 0..20 {
            for index in 0..1_000 {
                members.see(&format!("room{room:02}"), &format!("m{index}"), 0);
            }
        }
        assert!(members.count() <= ALL);
        assert!(members.of("large").is_empty());
        assert_eq!(members.of("room19").len(), 1_000);
    }
}
