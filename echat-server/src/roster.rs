//! The users who are online, their connections and their rooms. Knows neither database nor commands.
//!
//! One type owns every map, so that they cannot disagree: a user who is online is in `by_user`, in
//! `sessions` once for each connection, and in `rooms` once for each room.
//!
//! It also knows from whom each of them is hidden by a block: read at LOGIN, changed by BLOCK and UNBLOCK, reverted
//! with a tick that is rolled back. So presence to a room of 200 asks the database nothing. A departure carries the
//! list with it (`PresenceChange`), since the user is no longer in the roster.

use crate::conn::ConnId;
use crate::storage::{ChainId, ConversationId, SecretHash, UserId};
use smallvec::SmallVec;
use std::cell::OnceCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::rc::Rc;

/// Connections of one user: one or two need no allocation.
pub type Conns = SmallVec<[ConnId; 2]>;

/// A user who is online, at one connection or more.
#[derive(Clone, Debug)]
pub struct Online {
    /// The user.
    pub user: UserId,
    /// The name in its stored form.
    pub name: Rc<str>,
    /// The connections of the user's sessions, oldest first; never empty.
    pub conns: Conns,
    /// Whether the user is a bot, which counts as present nowhere.
    pub bot: bool,
    /// Sorted.
    rooms: Vec<ConversationId>,
    /// The users who do not see that this one is online; sorted.
    hidden_from: Vec<UserId>,
}

/// The secret that a session was given, for the time when its connection is lost.
#[derive(Debug)]
pub(crate) struct SessionSecret {
    /// The chain of the secret.
    pub(crate) chain: ChainId,
    /// The secret.
    pub(crate) issued: SecretHash,
    /// Whether a secret of the chain opened the session, and not a password.
    pub(crate) is_resumed: bool,
}

/// Where and when a session began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionStart {
    /// The address of the client.
    pub(crate) address: IpAddr,
    /// Unix seconds.
    pub(crate) since: i64,
    /// The hash of the secret that names the device of the client.
    pub(crate) device: SecretHash,
}

/// A session that a secret opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResumedSession {
    /// Its connection.
    pub(crate) conn: ConnId,
    /// The secret that it was given.
    pub(crate) issued: SecretHash,
    /// Whether it has sent a request, which confirms its secret.
    pub(crate) is_confirmed: bool,
}

/// All users who are online.
#[derive(Debug)]
pub struct Roster {
    sessions_per_user: NonZeroUsize,
    // In boxes, since a map has room for more entries than it has.
    by_user: BTreeMap<UserId, Box<Online>>,
    sessions: HashMap<ConnId, Box<Session>>,
    // The online members of each room; a room without any has no entry.
    rooms: HashMap<ConversationId, OnlineRoom>,
    // Changes since the last commit, for a rollback.
    changes: Vec<Change>,
}

/// What is known of a session.
#[derive(Debug)]
struct Session {
    user: UserId,
    /// How it began, once its login is complete.
    start: Option<SessionStart>,
    secret: Option<GivenSecret>,
    /// Whether its password is a temporary one of the administration.
    has_temporary_password: bool,
}

/// The secret of a session.
#[derive(Debug)]
struct GivenSecret {
    secret: SessionSecret,
    /// Whether the session has sent a request since it was given the secret.
    is_confirmed: bool,
}

impl Session {
    fn new(user: UserId) -> Self {
        Self {
            user,
            start: None,
            secret: None,
            has_temporary_password: false,
        }
    }
}

/// The online members of a room.
#[derive(Debug, Default)]
struct OnlineRoom {
    users: BTreeSet<UserId>,
    /// Their connections, gathered with the first message after a change.
    conns: OnceCell<Rc<[ConnId]>>,
}

/// The connections that a message to a room goes to.
#[derive(Clone, Debug)]
pub(crate) struct RoomConns {
    /// Those of all online members. Messages share the list until it changes.
    pub(crate) all: Rc<[ConnId]>,
    /// Those of the sender, which are left out.
    pub(crate) except: Conns,
}

#[derive(Clone, Debug)]
enum Change {
    Joined(UserId, ConversationId),
    Left(UserId, ConversationId),
    Hidden(UserId, UserId),
    Shown(UserId, UserId),
    /// With the name until now.
    Renamed(UserId, Rc<str>),
    /// The session's password is not a temporary one any more.
    PasswordChanged(ConnId),
}

impl Default for Roster {
    /// No user is online, and a further login takes over.
    fn default() -> Self {
        Self {
            sessions_per_user: NonZeroUsize::MIN,
            by_user: BTreeMap::new(),
            sessions: HashMap::new(),
            rooms: HashMap::new(),
            changes: Vec::new(),
        }
    }
}

impl Roster {
    /// Changes how many connections one user may be logged in at, from the next login on.
    pub(crate) fn allow_sessions(&mut self, per_user: NonZeroUsize) {
        self.sessions_per_user = per_user;
    }

    /// Logs a user in at `conn`: a member of these rooms and of no others, whatever was remembered. The
    /// oldest of the sessions that the user then has too many end, and are returned.
    pub(crate) fn begin_session(
        &mut self,
        conn: ConnId,
        user: UserId,
        name: &str,
        rooms: impl IntoIterator<Item = ConversationId>,
    ) -> Vec<ConnId> {
        let online = self.by_user.entry(user).or_insert_with(|| {
            Box::new(Online {
                user,
                name: name.into(),
                conns: Conns::new(),
                bot: false,
                rooms: Vec::new(),
                hidden_from: Vec::new(),
            })
        });
        online.conns.push(conn);
        let excess = online
            .conns
            .len()
            .saturating_sub(self.sessions_per_user.get());
        let oldest: Vec<ConnId> = online.conns.drain(..excess).collect();
        for conn in &oldest {
            self.sessions.remove(conn);
        }
        self.sessions.insert(conn, Box::new(Session::new(user)));
        self.set_rooms(user, rooms);
        oldest
    }

    /// Notes that a user who is online is a bot.
    pub(crate) fn mark_bot(&mut self, user: UserId) {
        if let Some(online) = self.by_user.get_mut(&user) {
            online.bot = true;
        }
    }

    /// Ends the session of a connection, if it has one; with the last one its user is gone.
    pub(crate) fn end_session(&mut self, conn: ConnId) {
        let Some(session) = self.sessions.remove(&conn) else {
            return;
        };
        let user = session.user;
        let Entry::Occupied(mut online) = self.by_user.entry(user) else {
            return;
        };
        online.get_mut().conns.retain(|other| *other != conn);
        if !online.get().conns.is_empty() {
            for room in &online.get().rooms {
                if let Some(room) = self.rooms.get_mut(room) {
                    room.conns.take();
                }
            }
            return;
        }
        for room in online.remove().rooms {
            self.remove_online(user, room);
        }
    }

    /// Notes how the session of a connection began.
    pub(crate) fn set_start(&mut self, conn: ConnId, start: SessionStart) {
        if let Some(session) = self.sessions.get_mut(&conn) {
            session.start = Some(start);
        }
    }

    /// How the session of a connection began.
    pub(crate) fn start_of(&self, conn: ConnId) -> Option<SessionStart> {
        self.sessions.get(&conn)?.start
    }

    /// Notes the secret that the session of a connection was given.
    pub(crate) fn give_secret(&mut self, conn: ConnId, secret: SessionSecret) {
        if let Some(session) = self.sessions.get_mut(&conn) {
            session.secret = Some(GivenSecret {
                secret,
                is_confirmed: false,
            });
        }
    }

    /// The secret that the session of a connection was given.
    pub(crate) fn secret_of(&self, conn: ConnId) -> Option<&SessionSecret> {
        let given = self.sessions.get(&conn)?.secret.as_ref()?;
        Some(&given.secret)
    }

    /// Notes that a connection sent a request. Returns the user and the secret if its session was resumed and this is
    /// the first one.
    pub(crate) fn confirm_first_request(
        &mut self,
        conn: ConnId,
    ) -> Option<(UserId, &SessionSecret)> {
        let Session { user, secret, .. } = &mut **self.sessions.get_mut(&conn)?;
        let given = secret.as_mut()?;
        let is_first = !std::mem::replace(&mut given.is_confirmed, true);
        (is_first && given.secret.is_resumed).then_some((*user, &given.secret))
    }

    /// A user's sessions that secrets of a chain opened.
    pub(crate) fn resumed(
        &self,
        user: UserId,
        chain: &ChainId,
    ) -> impl Iterator<Item = ResumedSession> {
        self.conns_of(user).iter().filter_map(move |conn| {
            let given = self.sessions.get(conn)?.secret.as_ref()?;
            let is_of_chain = given.secret.is_resumed && given.secret.chain == *chain;
            is_of_chain.then_some(ResumedSession {
                conn: *conn,
                issued: given.secret.issued,
                is_confirmed: given.is_confirmed,
            })
        })
    }

    /// Forgets the secrets of a user's sessions: of one chain, or all of them.
    pub(crate) fn forget_secrets(&mut self, user: UserId, chain: Option<&ChainId>) {
        let conns = self.by_user.get(&user).map(|online| &online.conns);
        for conn in conns.into_iter().flatten() {
            if let Some(session) = self.sessions.get_mut(conn) {
                let is_meant = |given: &mut GivenSecret| {
                    chain.is_none_or(|chain| given.secret.chain == *chain)
                };
                session.secret.take_if(is_meant);
            }
        }
    }

    /// Notes that the password of a session is a temporary one. It follows [`begin_session`](Self::begin_session), so
    /// it is never rolled back.
    pub(crate) fn mark_temporary_password(&mut self, conn: ConnId) {
        if let Some(session) = self.sessions.get_mut(&conn) {
            session.has_temporary_password = true;
        }
    }

    /// Whether the password of a session is a temporary one.
    pub(crate) fn has_temporary_password(&self, conn: ConnId) -> bool {
        let session = self.sessions.get(&conn);
        session.is_some_and(|session| session.has_temporary_password)
    }

    /// Notes that the user of a session has changed the password.
    pub(crate) fn change_password(&mut self, conn: ConnId) {
        if let Some(session) = self.sessions.get_mut(&conn)
            && std::mem::take(&mut session.has_temporary_password)
        {
            self.changes.push(Change::PasswordChanged(conn));
        }
    }

    /// Adds an online user to a room; nothing if the user is not online.
    pub(crate) fn join(&mut self, user: UserId, room: ConversationId) {
        if self.insert(user, room) {
            self.changes.push(Change::Joined(user, room));
        }
    }

    /// Removes a user from a room.
    pub(crate) fn leave(&mut self, user: UserId, room: ConversationId) {
        if self.remove(user, room) {
            self.changes.push(Change::Left(user, room));
        }
    }

    /// Removes a user from all rooms.
    pub(crate) fn leave_all(&mut self, user: UserId) {
        let rooms = self.by_user.get(&user).map(|online| online.rooms.clone());
        for room in rooms.into_iter().flatten() {
            self.leave(user, room);
        }
    }

    /// Sets which users do not see that a user is online: those that the user blocks, sorted. It follows
    /// [`begin_session`](Self::begin_session), so it is never rolled back.
    pub(crate) fn set_hidden(&mut self, user: UserId, from: Vec<UserId>) {
        if let Some(online) = self.by_user.get_mut(&user) {
            online.hidden_from = from;
        }
    }

    /// Notes that a user is hidden from another from now on.
    pub(crate) fn hide(&mut self, user: UserId, from: UserId) {
        if self.set_hides(user, from, true) {
            self.changes.push(Change::Hidden(user, from));
        }
    }

    /// Notes that a user is hidden from another no more.
    pub(crate) fn show(&mut self, user: UserId, to: UserId) {
        if self.set_hides(user, to, false) {
            self.changes.push(Change::Shown(user, to));
        }
    }

    /// Notes another name of a user; nothing if the user is not online.
    pub(crate) fn rename(&mut self, user: UserId, name: &str) {
        if let Some(was) = self.set_name(user, name.into()) {
            self.changes.push(Change::Renamed(user, was));
        }
    }

    /// Changes the name of a user who is online; returns the name until now.
    fn set_name(&mut self, user: UserId, name: Rc<str>) -> Option<Rc<str>> {
        let online = self.by_user.get_mut(&user)?;
        Some(std::mem::replace(&mut online.name, name))
    }

    /// Changes whether a user hides from another; false if nothing changes.
    fn set_hides(&mut self, user: UserId, from: UserId, hides: bool) -> bool {
        let Some(online) = self.by_user.get_mut(&user) else {
            return false;
        };
        match (online.hidden_from.binary_search(&from), hides) {
            (Err(place), true) => online.hidden_from.insert(place, from),
            (Ok(place), false) => {
                online.hidden_from.remove(place);
            }
            (Ok(_), true) | (Err(_), false) => return false,
        }
        true
    }

    /// Whether a user is online as another one may know.
    pub(crate) fn is_seen_online(&self, user: UserId, by: UserId) -> bool {
        let online = self.by_user.get(&user);
        online.is_some_and(|online| online.hidden_from.binary_search(&by).is_err())
    }

    /// Keeps every change since the last [`commit`](Self::commit): the database committed them.
    pub(crate) fn commit(&mut self) {
        self.changes = Vec::new();
    }

    /// Takes back every change since the last [`commit`](Self::commit): the database rolled them back.
    pub(crate) fn roll_back(&mut self) {
        for change in std::mem::take(&mut self.changes).into_iter().rev() {
            match change {
                Change::Joined(user, room) => {
                    self.remove(user, room);
                }
                Change::Left(user, room) => {
                    self.insert(user, room);
                }
                Change::Hidden(user, from) => {
                    self.set_hides(user, from, false);
                }
                Change::Shown(user, to) => {
                    self.set_hides(user, to, true);
                }
                Change::Renamed(user, name) => {
                    self.set_name(user, name);
                }
                Change::PasswordChanged(conn) => self.mark_temporary_password(conn),
            }
        }
    }

    fn insert(&mut self, user: UserId, room: ConversationId) -> bool {
        let Some(online) = self.by_user.get_mut(&user) else {
            return false;
        };
        let online_room = self.rooms.entry(room).or_default();
        online_room.users.insert(user);
        online_room.conns.take();
        let place = online.rooms.binary_search(&room);
        if let Err(place) = place {
            if online.rooms.is_empty() {
                // Most users are in few rooms: the first does not reserve space for four.
                online.rooms.reserve_exact(1);
            }
            online.rooms.insert(place, room);
        }
        place.is_err()
    }

    fn remove(&mut self, user: UserId, room: ConversationId) -> bool {
        let Some(online) = self.by_user.get_mut(&user) else {
            return false;
        };
        let place = online.rooms.binary_search(&room);
        if let Ok(place) = place {
            online.rooms.remove(place);
        }
        self.remove_online(user, room);
        place.is_ok()
    }

    /// Replaces what is known of a user's rooms.
    fn set_rooms(&mut self, user: UserId, rooms: impl IntoIterator<Item = ConversationId>) {
        let old = self.by_user.get(&user).map(|online| online.rooms.clone());
        for room in old.into_iter().flatten() {
            self.remove(user, room);
        }
        for room in rooms {
            self.insert(user, room);
        }
    }

    fn remove_online(&mut self, user: UserId, room: ConversationId) {
        if let Some(online) = self.rooms.get_mut(&room) {
            online.users.remove(&user);
            online.conns.take();
            if online.users.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }

    /// The user who is logged in at a connection.
    pub fn at(&self, conn: ConnId) -> Option<&Online> {
        let user = self.sessions.get(&conn)?.user;
        self.by_user.get(&user).map(Box::as_ref)
    }

    /// The connections of a user: none if they are not online.
    pub fn conns_of(&self, user: UserId) -> &[ConnId] {
        self.by_user
            .get(&user)
            .map_or(&[], |online| online.conns.as_slice())
    }

    /// The other connections of the user who is logged in at this one.
    pub(crate) fn others_of(&self, conn: ConnId) -> Conns {
        let online = self.at(conn).into_iter();
        online
            .flat_map(|online| online.conns.iter().copied())
            .filter(|other| *other != conn)
            .collect()
    }

    /// Whether a user is online.
    pub(crate) fn is_online(&self, user: UserId) -> bool {
        self.by_user.contains_key(&user)
    }

    /// How many of a room's members are online.
    pub(crate) fn online_in(&self, room: ConversationId) -> usize {
        self.rooms.get(&room).map_or(0, |room| room.users.len())
    }

    /// A room's members who are online.
    pub(crate) fn in_room(&self, room: ConversationId) -> impl Iterator<Item = &Online> {
        let online = self
            .rooms
            .get(&room)
            .into_iter()
            .flat_map(|room| &room.users);
        online.filter_map(|user| self.by_user.get(user).map(Box::as_ref))
    }

    /// The connections of a room's online members, except one member's.
    pub(crate) fn in_room_except(&self, room: ConversationId, except: UserId) -> Vec<ConnId> {
        self.in_room_without(room, except, &[])
    }

    /// The same, without those of some users, who are sorted.
    fn in_room_without(
        &self,
        room: ConversationId,
        except: UserId,
        without: &[UserId],
    ) -> Vec<ConnId> {
        self.in_room(room)
            .filter(|online| online.user != except && without.binary_search(&online.user).is_err())
            .flat_map(|online| online.conns.iter().copied())
            .collect()
    }

    /// The connections that are told of a user's presence in a room. `hidden_from` are the users from whom the user was
    /// hidden when the last session ended; while the user is online, the roster knows them.
    pub(crate) fn presence_conns(
        &self,
        room: ConversationId,
        of: UserId,
        hidden_from: &[UserId],
    ) -> Vec<ConnId> {
        let online = self.by_user.get(&of);
        let hidden_from = online.map_or(hidden_from, |online| &online.hidden_from);
        self.in_room_without(room, of, hidden_from)
    }

    /// The connections that a message of a user to a room goes to, if anyone else is online in it.
    pub(crate) fn message_conns(&self, room: ConversationId, sender: UserId) -> Option<RoomConns> {
        let online = self.rooms.get(&room)?;
        let gather = || {
            self.in_room(room)
                .flat_map(|online| online.conns.iter().copied())
                .collect()
        };
        let all = Rc::clone(online.conns.get_or_init(gather));
        let mut except = Conns::new();
        if online.users.contains(&sender) {
            except.extend_from_slice(self.conns_of(sender));
        }
        (all.len() > except.len()).then_some(RoomConns { all, except })
    }

    /// All users who are online, by account.
    pub fn online(&self) -> impl Iterator<Item = &Online> {
        self.by_user.values().map(Box::as_ref)
    }

    /// Every session: a connection and its user.
    pub fn sessions(&self) -> impl Iterator<Item = (ConnId, &Online)> {
        self.online()
            .flat_map(|online| online.conns.iter().map(move |conn| (*conn, online)))
    }

    /// Whether no user is online and nothing is remembered of any.
    pub fn is_empty(&self) -> bool {
        self.by_user.is_empty() && self.sessions.is_empty() && self.rooms.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logout_leaves_no_entry_behind() {
        let (ann, bob) = (UserId(1), UserId(2));
        let (here, there) = (ConnId(10), ConnId(11));
        let room = ConversationId(5);
        let mut roster = Roster::default();
        roster.begin_session(here, ann, "ann", [room]);
        roster.begin_session(there, bob, "bob", []);
        roster.join(bob, room);
        assert_eq!(roster.in_room_except(room, ann), [there]);
        roster.leave(bob, room);
        assert_eq!(roster.in_room_except(room, ann), []);
        roster.roll_back();
        assert_eq!(roster.in_room_except(room, ann), [], "as before both");
        roster.join(bob, room);
        roster.commit();
        roster.leave(bob, room);
        roster.roll_back();
        assert_eq!(roster.in_room_except(room, ann), [there]);
        assert_eq!(roster.in_room_except(room, bob), [here]);
        roster.end_session(here);
        roster.end_session(here);
        assert!(!roster.is_online(ann));
        roster.end_session(there);
        assert!(roster.is_empty());
    }

    #[test]
    fn a_changed_password_that_is_rolled_back_is_a_temporary_one_again() {
        let (ann, here) = (UserId(1), ConnId(10));
        let mut roster = Roster::default();
        roster.begin_session(here, ann, "ann", []);
        roster.mark_temporary_password(here);
        roster.change_password(here);
        assert!(!roster.has_temporary_password(here));
        roster.roll_back();
        assert!(roster.has_temporary_password(here));
        roster.change_password(here);
        roster.commit();
        roster.roll_back();
        assert!(!roster.has_temporary_password(here));
        // Nothing is left of a session that is gone.
        roster.mark_temporary_password(here);
        roster.change_password(here);
        roster.end_session(here);
        roster.roll_back();
        assert!(roster.is_empty());
    }

    #[test]
    fn a_user_is_hidden_from_those_that_the_user_blocks() {
        let [ann, bob, eve] = [UserId(1), UserId(2), UserId(3)];
        let room = ConversationId(5);
        let mut roster = Roster::default();
        for (conn, user) in [(10, ann), (11, bob), (12, eve)] {
            roster.begin_session(ConnId(conn), user, "x", [room]);
        }
        roster.set_hidden(ann, vec![eve]);
        let told = |roster: &Roster| roster.presence_conns(room, ann, &[]);
        assert_eq!(told(&roster), [ConnId(11)]);
        roster.hide(ann, bob);
        roster.show(ann, eve);
        assert_eq!(told(&roster), [ConnId(12)]);
        assert!(roster.is_seen_online(ann, eve) && !roster.is_seen_online(ann, bob));
        // The database did not take it.
        roster.roll_back();
        assert_eq!(told(&roster), [ConnId(11)]);
        roster.hide(ann, bob);
        roster.commit();
        roster.roll_back();
        assert_eq!(told(&roster), []);
        // Hidden once more is hidden still, and a rollback does not show.
        roster.hide(ann, bob);
        roster.roll_back();
        assert!(!roster.is_seen_online(ann, bob));
        // Bob's own presence is not hidden.
        assert_eq!(
            roster.presence_conns(room, bob, &[]),
            [ConnId(10), ConnId(12)]
        );
        // After the last session, the list of that time decides.
        roster.end_session(ConnId(10));
        assert_eq!(roster.presence_conns(room, ann, &[eve]), [ConnId(11)]);
        assert!(!roster.is_seen_online(ann, bob));
    }

    #[test]
    fn messages_share_the_list_of_a_room_until_it_changes() {
        let (ann, bob, room) = (UserId(1), UserId(2), ConversationId(5));
        let mut roster = Roster::default();
        roster.allow_sessions(NonZeroUsize::new(2).unwrap());
        roster.begin_session(ConnId(1), ann, "ann", [room]);
        assert!(roster.message_conns(room, ann).is_none(), "no other member");
        roster.begin_session(ConnId(2), bob, "bob", [room]);
        let told = |roster: &Roster, by| {
            let audience = roster
                .message_conns(room, by)
                .expect("the room has members online");
            (audience.all.to_vec(), audience.except)
        };
        let both = vec![ConnId(1), ConnId(2)];
        assert_eq!(
            told(&roster, ann),
            (both.clone(), Conns::from_slice(&[ConnId(1)]))
        );
        let [one, two] = [ann, bob].map(|by| roster.message_conns(room, by).unwrap().all);
        assert!(Rc::ptr_eq(&one, &two));
        // A second session comes and goes, a member leaves and is put back.
        roster.begin_session(ConnId(3), ann, "ann", [room]);
        let all = vec![ConnId(1), ConnId(3), ConnId(2)];
        assert_eq!(told(&roster, bob), (all, Conns::from_slice(&[ConnId(2)])));
        roster.end_session(ConnId(1));
        assert_eq!(told(&roster, bob).0, [ConnId(3), ConnId(2)]);
        roster.leave(ann, room);
        assert!(roster.message_conns(room, bob).is_none());
        roster.roll_back();
        assert_eq!(told(&roster, bob).0, [ConnId(3), ConnId(2)]);
        // A sender whose last session has ended is not in the list.
        roster.end_session(ConnId(2));
        assert_eq!(told(&roster, bob), (vec![ConnId(3)], Conns::new()));
    }

    #[test]
    fn the_oldest_session_is_replaced_and_the_last_one_ends_the_user() {
        let ann = UserId(1);
        let (room, later) = (ConversationId(5), ConversationId(6));
        let mut roster = Roster::default();
        roster.allow_sessions(NonZeroUsize::new(2).unwrap());
        assert_eq!(roster.begin_session(ConnId(1), ann, "ann", [room]), []);
        let displaced = roster.begin_session(ConnId(2), ann, "ann", [room, later]);
        assert_eq!(displaced, []);
        let displaced = roster.begin_session(ConnId(3), ann, "ann", [room, later]);
        assert_eq!(displaced, [ConnId(1)]);
        assert_eq!(roster.conns_of(ann), [ConnId(2), ConnId(3)]);
        assert_eq!(roster.others_of(ConnId(3)).as_slice(), [ConnId(2)]);
        assert!(roster.at(ConnId(1)).is_none());
        roster.end_session(ConnId(1));
        roster.end_session(ConnId(2));
        assert_eq!(roster.in_room_except(later, UserId(9)), [ConnId(3)]);
        roster.end_session(ConnId(3));
        assert!(roster.is_empty());
    }

    #[test]
    fn a_login_ends_all_sessions_that_a_lowered_limit_leaves_no_place_for() {
        let ann = UserId(1);
        let room = ConversationId(5);
        let mut roster = Roster::default();
        roster.allow_sessions(NonZeroUsize::new(3).unwrap());
        for conn in 1..=3 {
            assert_eq!(roster.begin_session(ConnId(conn), ann, "ann", [room]), []);
        }
        roster.allow_sessions(NonZeroUsize::MIN);
        let displaced = roster.begin_session(ConnId(4), ann, "ann", [room]);
        assert_eq!(displaced, [ConnId(1), ConnId(2), ConnId(3)]);
        assert_eq!(roster.conns_of(ann), [ConnId(4)]);
        assert!(displaced.iter().all(|conn| roster.at(*conn).is_none()));
        assert_eq!(roster.in_room_except(room, UserId(9)), [ConnId(4)]);
    }

    #[test]
    fn a_secret_ends_with_its_session_and_its_first_request_is_noted_once() {
        let ann = UserId(1);
        let secret = |chain, number, is_resumed| SessionSecret {
            chain: [chain; 16],
            issued: [number; 32],
            is_resumed,
        };
        let asked = |roster: &Roster| {
            let resumed = roster.resumed(ann, &[7; 16]);
            let asked = resumed.map(|session| (session.conn.0, session.is_confirmed));
            asked.collect::<Vec<_>>()
        };
        let mut roster = Roster::default();
        roster.allow_sessions(NonZeroUsize::new(2).unwrap());
        roster.give_secret(ConnId(9), secret(7, 9, true));
        roster.begin_session(ConnId(1), ann, "ann", []);
        roster.give_secret(ConnId(1), secret(7, 1, false));
        roster.begin_session(ConnId(2), ann, "ann", []);
        roster.give_secret(ConnId(2), secret(7, 2, true));
        assert_eq!(asked(&roster), [(2, false)], "a password opened the first");
        assert!(roster.confirm_first_request(ConnId(1)).is_none());
        let first = roster.confirm_first_request(ConnId(2));
        assert_eq!(
            first.map(|(user, secret)| (user, secret.issued)),
            Some((ann, [2; 32]))
        );
        assert!(roster.confirm_first_request(ConnId(2)).is_none());
        assert_eq!(asked(&roster), [(2, true)]);
        roster.begin_session(ConnId(3), ann, "ann", []);
        roster.give_secret(ConnId(3), secret(7, 3, true));
        assert!(roster.secret_of(ConnId(1)).is_none(), "the oldest gave way");
        roster.forget_secrets(ann, Some(&[8; 16]));
        assert_eq!(asked(&roster), [(2, true), (3, false)]);
        roster.end_session(ConnId(2));
        roster.forget_secrets(ann, None);
        assert!(roster.secret_of(ConnId(3)).is_none());
        roster.end_session(ConnId(3));
        assert!(roster.is_empty());
    }

    #[test]
    fn a_login_loads_exactly_the_rooms_of_its_user() {
        let ann = UserId(1);
        let (left, room) = (ConversationId(5), ConversationId(6));
        let mut roster = Roster::default();
        roster.allow_sessions(NonZeroUsize::new(2).unwrap());
        roster.begin_session(ConnId(1), ann, "ann", [left]);
        roster.begin_session(ConnId(2), ann, "ann", [room]);
        assert_eq!(roster.in_room_except(left, UserId(9)), []);
        let everywhere = [ConnId(1), ConnId(2)];
        assert_eq!(roster.in_room_except(room, UserId(9)), everywhere);
    }
}
