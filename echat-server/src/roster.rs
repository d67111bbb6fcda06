//! Who is online, and where. Knows neither database nor commands.
//!
//! One type owns every map, so that they cannot disagree:
//! a session is in `by_user`, in `by_conn`, and in `rooms` under each of its rooms.

use crate::conn::ConnId;
use crate::store::{ConversationId, UserId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// A user who is logged in.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who.
    pub user: UserId,
    /// The name in its stored form.
    pub name: Rc<str>,
    /// Where.
    pub conn: ConnId,
    rooms: BTreeSet<ConversationId>,
}

/// Everybody who is online. One user has at most one connection.
#[derive(Debug, Default)]
pub struct Roster {
    by_user: BTreeMap<UserId, Session>,
    by_conn: HashMap<ConnId, UserId>,
    // Who of a room is online; a room with nobody online is not there.
    rooms: HashMap<ConversationId, BTreeSet<UserId>>,
}

impl Roster {
    /// Makes `conn` the user's. The caller has taken away any session the user had.
    pub fn enter(
        &mut self,
        conn: ConnId,
        user: UserId,
        name: &str,
        rooms: impl IntoIterator<Item = ConversationId>,
    ) {
        debug_assert!(!self.by_user.contains_key(&user), "one user, one session");
        let session = Session {
            user,
            name: name.into(),
            conn,
            rooms: BTreeSet::new(),
        };
        self.by_user.insert(user, session);
        self.by_conn.insert(conn, user);
        rooms.into_iter().for_each(|room| self.join(user, room));
    }

    /// Ends the session of a connection, if it has one.
    pub fn leave(&mut self, conn: ConnId) -> Option<Session> {
        let user = self.by_conn.remove(&conn)?;
        let session = self.by_user.remove(&user)?;
        for room in &session.rooms {
            self.forget(user, *room);
        }
        Some(session)
    }

    /// Notes that a user is in a room from now on; nothing if they are not online.
    pub fn join(&mut self, user: UserId, room: ConversationId) {
        if let Some(session) = self.by_user.get_mut(&user) {
            session.rooms.insert(room);
            self.rooms.entry(room).or_default().insert(user);
        }
    }

    /// Notes that a user is in a room no more.
    pub fn part(&mut self, user: UserId, room: ConversationId) {
        if let Some(session) = self.by_user.get_mut(&user) {
            session.rooms.remove(&room);
            self.forget(user, room);
        }
    }

    /// Replaces what is known of a user's rooms.
    pub fn set_rooms(&mut self, user: UserId, rooms: impl IntoIterator<Item = ConversationId>) {
        let old = self.by_user.get(&user).map(|session| session.rooms.clone());
        old.into_iter()
            .flatten()
            .for_each(|room| self.part(user, room));
        rooms.into_iter().for_each(|room| self.join(user, room));
    }

    fn forget(&mut self, user: UserId, room: ConversationId) {
        if let Some(online) = self.rooms.get_mut(&room) {
            online.remove(&user);
            if online.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }

    /// The session of a connection.
    pub fn at(&self, conn: ConnId) -> Option<&Session> {
        self.by_conn
            .get(&conn)
            .and_then(|user| self.by_user.get(user))
    }

    /// The connection of a user who is online.
    pub fn conn_of(&self, user: UserId) -> Option<ConnId> {
        self.by_user.get(&user).map(|session| session.conn)
    }

    /// Whether a user is online.
    pub fn is_online(&self, user: UserId) -> bool {
        self.by_user.contains_key(&user)
    }

    /// The connections of a room's members who are online, but for one of them.
    pub fn in_room_but(&self, room: ConversationId, but: UserId) -> Vec<ConnId> {
        let online = self.rooms.get(&room).into_iter().flatten();
        online
            .filter(|user| **user != but)
            .filter_map(|user| self.conn_of(*user))
            .collect()
    }

    /// Everybody who is online, by account.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.by_user.values()
    }

    /// Whether nobody is online and nothing is remembered of anybody.
    pub fn is_empty(&self) -> bool {
        self.by_user.is_empty() && self.by_conn.is_empty() && self.rooms.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaving_leaves_nothing_behind() {
        let (ann, bob) = (UserId(1), UserId(2));
        let (here, there) = (ConnId(10), ConnId(11));
        let room = ConversationId(5);
        let mut roster = Roster::default();
        roster.enter(here, ann, "ann", [room]);
        roster.enter(there, bob, "bob", []);
        roster.join(bob, room);
        assert_eq!(roster.in_room_but(room, ann), [there]);
        roster.part(bob, room);
        assert_eq!(roster.in_room_but(room, ann), []);
        roster.set_rooms(bob, [room]);
        assert_eq!(roster.in_room_but(room, bob), [here]);
        assert_eq!(roster.leave(here).map(|session| session.user), Some(ann));
        assert!(roster.leave(here).is_none());
        assert!(!roster.is_online(ann));
        roster.leave(there);
        assert!(roster.is_empty());
    }
}
