//! The members of each room as far as the client has seen them, for completing names. The server sends a
//! member list only on request, so these are the names that lists, presence and messages have shown.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Names that are remembered of one room: the default of
/// `server.limits.room_members`.
const PER_ROOM: usize = 10_000;
/// Names that are remembered of all rooms together: four rooms of that size.
const ALL: usize = 4 * PER_ROOM;

/// The seen members of all rooms.
#[derive(Debug, Default)]
pub(super) struct Members {
    rooms: BTreeMap<String, SeenMembers>,
    /// Counts sightings, to tell which name and which room was seen last.
    sightings: u64,
}

/// The seen members of one room.
#[derive(Debug, Default)]
struct SeenMembers {
    members: BTreeMap<String, Member>,
    /// The names by their last sighting, the oldest first.
    by_sighting: BTreeMap<u64, String>,
}

/// A seen member.
#[derive(Debug, Default)]
struct Member {
    /// The id of the newest message; 0 without one.
    spoke: u64,
    /// The number of the last sighting.
    seen: u64,
}

impl Members {
    /// A member was seen, perhaps by the message of this id. Over the bounds, the name in the room and
    /// the room whose last sighting is the oldest are forgotten.
    pub(super) fn see(&mut self, room: &str, name: &str, id: u64) {
        self.sightings += 1;
        let known = self.rooms.entry(room.to_owned()).or_default();
        known.see(name, id, self.sightings);
        while self.count() > ALL {
            self.forget_stalest();
        }
    }

    /// The members of a room, the latest speakers first, then by name.
    pub(super) fn of(&self, room: &str) -> Vec<&str> {
        let known = self.rooms.get(room);
        let members = known.iter().flat_map(|known| &known.members);
        let mut names: Vec<(&str, u64)> = members
            .map(|(name, member)| (name.as_str(), member.spoke))
            .collect();
        names.sort_by_key(|(name, spoke)| (Reverse(*spoke), *name));
        names.into_iter().map(|(name, _)| name).collect()
    }

    /// Whether a member of any room was seen under this name.
    pub(super) fn has_seen(&self, name: &str) -> bool {
        let mut rooms = self.rooms.values();
        rooms.any(|known| known.members.contains_key(name))
    }

    /// A user has another name.
    pub(super) fn rename_user(&mut self, was: &str, name: &str) {
        for known in self.rooms.values_mut() {
            if let Some(member) = known.members.remove(was) {
                known.by_sighting.remove(&member.seen);
                self.sightings += 1;
                known.see(name, member.spoke, self.sightings);
            }
        }
    }

    /// The room has another name.
    pub(super) fn rename(&mut self, was: &str, name: &str) {
        if let Some(known) = self.rooms.remove(was) {
            self.rooms.insert(name.to_owned(), known);
        }
    }

    /// The reader has left the room.
    pub(super) fn forget(&mut self, room: &str) {
        self.rooms.remove(room);
    }

    fn count(&self) -> usize {
        self.rooms.values().map(|room| room.members.len()).sum()
    }

    fn forget_stalest(&mut self) {
        let stalest = self.rooms.iter().min_by_key(|(_, room)| room.last_seen());
        if let Some(name) = stalest.map(|(name, _)| name.clone()) {
            self.rooms.remove(&name);
        }
    }
}

impl SeenMembers {
    fn see(&mut self, name: &str, id: u64, sighting: u64) {
        let member = self.members.entry(name.to_owned()).or_default();
        member.spoke = id.max(member.spoke);
        let before = std::mem::replace(&mut member.seen, sighting);
        let kept = self.by_sighting.remove(&before);
        let kept = kept.unwrap_or_else(|| name.to_owned());
        self.by_sighting.insert(sighting, kept);
        if self.members.len() > PER_ROOM
            && let Some((_, oldest)) = self.by_sighting.pop_first()
        {
            self.members.remove(&oldest);
        }
    }

    fn last_seen(&self) -> u64 {
        self.by_sighting.keys().next_back().copied().unwrap_or(0)
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
    fn a_room_of_the_largest_size_is_remembered_whole() {
        let mut members = Members::default();
        // The default of `server.limits.room_members`.
        let largest = 10_000;
        for index in 0..largest {
            members.see("large", &format!("m{index}"), 0);
        }
        assert_eq!(members.of("large").len(), largest);
    }

    #[test]
    fn the_oldest_sighting_is_forgotten_first() {
        let mut members = Members::default();
        // Seen in the opposite order of their names.
        for index in (0..PER_ROOM).rev() {
            members.see("large", &format!("m{index:05}"), index as u64);
        }
        let (first, second) = (
            format!("m{:05}", PER_ROOM - 1),
            format!("m{:05}", PER_ROOM - 2),
        );
        members.see("large", &first, 0);
        members.see("large", "a newcomer", 0);
        let names = members.of("large");
        assert_eq!(names.len(), PER_ROOM);
        assert!(names.contains(&"a newcomer") && names.contains(&"m00000"));
        assert!(names.contains(&first.as_str()));
        assert!(!names.contains(&second.as_str()));
    }

    #[test]
    fn the_room_with_the_oldest_sighting_is_forgotten_first() {
        let mut members = Members::default();
        for room in ["old", "new"] {
            for index in 0..PER_ROOM {
                members.see(room, &format!("m{index}"), 0);
            }
        }
        members.see("old", "m0", 0);
        for room in 0..21 {
            for index in 0..1_000 {
                members.see(&format!("room{room:02}"), &format!("m{index}"), 0);
            }
        }
        assert!(members.count() <= ALL);
        assert!(members.of("new").is_empty());
        assert_eq!(members.of("old").len(), PER_ROOM);
        assert_eq!(members.of("room20").len(), 1_000);
    }
}
