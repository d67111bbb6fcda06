//! One simulated client: what it asked and what it believes from what it was told. Its connection
//! tells one story in one order, so every event is judged against the story so far; what is stored
//! is judged elsewhere.

use crate::fail;
use crate::plan::{PlannedRequest, ROOMS, Target, USERS};
use crate::replies::Asked;
use crate::request::{content, named};
use crate::secrets::{Presented, SecretId};
use crate::truth::Truth;
use echat_proto::commands::Event;
use echat_proto::param::{RoomRole, TargetType};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// An event that is due on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    Message(u64),
    Asked(usize),
    Contact(usize),
    Room(usize),
}

/// A client of one connection at a time.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Client {
    pub(crate) connected: bool,
    /// Whether it has ended, or left in the lurch, its connection itself.
    pub(crate) leaving: bool,
    /// Whether it did not read, so that a goodbye may be lost.
    pub(crate) deaf: bool,
    /// Whether anything came on the channel: the server has its FINISHED.
    pub(crate) opened: bool,
    /// Why the server says that it closes the connection.
    pub(crate) goodbye: Option<u64>,
    /// Since when, at the earliest, no user is logged in here.
    pub(crate) guest_since: Duration,
    pub(crate) connected_at: Duration,
    /// Bytes that wait for it at the server, and since when they are too many.
    pub(crate) waiting: usize,
    pub(crate) slow_since: Option<Duration>,
    /// Whether one tick had more for it than a queue may hold.
    pub(crate) flooded: bool,
    pub(crate) user: Option<usize>,
    /// The secret that opened its session, if one did, and the one that the session was given.
    pub(crate) opened_by: Option<Presented>,
    pub(crate) secret: Option<SecretId>,
    pub(crate) kicked: bool,
    /// Whether another session took its place while the network was slow, when a goodbye may come too late.
    pub(crate) displaced: bool,
    /// Commands said that do not exist.
    pub(crate) nonsense: usize,
    /// What is to be said once the handshake is done.
    pub(crate) todo: VecDeque<PlannedRequest>,
    /// Requests without a final reply, oldest first.
    pub(crate) asked: VecDeque<Asked>,
    /// Messages with a transaction id that were not acknowledged, by their sender.
    pub(crate) unacknowledged: Vec<(usize, PlannedRequest)>,
    /// The newest message that was ever heard of.
    pub(crate) known: u64,
    /// The newest message that came on this connection.
    newest: u64,
    pub(crate) friends: BTreeSet<usize>,
    pub(crate) online: BTreeSet<usize>,
    /// Rooms, and the members that are online, once they were listed.
    pub(crate) rooms: BTreeMap<usize, Option<BTreeSet<usize>>>,
    /// Rooms whose members were listed, and those of whom nothing was told since: a list may have said
    /// already what the room is told later.
    pub(crate) listed: BTreeMap<usize, BTreeSet<usize>>,
    /// What must still be told here, and what may be.
    pub(crate) must: BTreeSet<Due>,
    pub(crate) may: BTreeSet<Due>,
}

impl Client {
    /// The connection is over, and what was believed with it. What was sent and not acknowledged is
    /// remembered, and so is what was read.
    pub(crate) fn forget(&mut self) {
        let unacknowledged = std::mem::take(&mut self.unacknowledged);
        *self = Self {
            unacknowledged,
            known: self.known,
            ..Self::default()
        };
    }

    /// The users that may be logged in when a request that is sent now is handled.
    pub(crate) fn candidates(&self) -> Vec<usize> {
        let logins = self.asked.iter().filter_map(|asked| match asked.planned {
            PlannedRequest::Login { user, right: true } | PlannedRequest::Resume { user, .. } => {
                Some(user)
            }
            _ => None,
        });
        logins.chain(self.user).collect()
    }

    /// Whether it may be this client's own message: then its acknowledgement tells of it.
    pub(crate) fn may_have_sent(&self, due: Due, truth: &Truth) -> bool {
        let Due::Message(id) = due else {
            return false;
        };
        self.asked.iter().any(|asked| match asked.planned {
            PlannedRequest::Send { number, size, .. } => {
                let sent = truth.message(id);
                sent.is_some_and(|sent| *sent.content == *content(number, size))
            }
            _ => false,
        })
    }

    /// Whether an event is about what its user does elsewhere.
    pub(crate) fn is_named_by(&self, event: &Event) -> bool {
        let name = match event {
            Event::OnNewMessage { sender, .. } => sender,
            Event::OnMemberOffline { membername, .. } => membername,
            _ => return false,
        };
        self.user == Some(user(name))
    }

    /// Takes an event, or what comes before a final reply.
    pub(crate) fn event(&mut self, event: &Event, truth: &Truth) -> Result<(), String> {
        if self.kicked {
            return fail("an event after the goodbye");
        }
        match event {
            Event::LoginSuccess { username } => {
                let user = user(username);
                if self.user.replace(user).is_some() {
                    return fail("logged in twice");
                }
                return Ok(());
            }
            Event::ServerKick {} => {
                self.kicked = true;
                return Ok(());
            }
            _ => {}
        }
        let Some(me) = self.user else {
            return fail("an event for a guest");
        };
        match event {
            Event::IncommingFriendRequest { .. } | Event::NewContact { .. } => {
                self.contact(event, me, truth)?;
            }
            Event::OnNewRoom { roomname } => {
                let room = room(roomname);
                self.owed(Due::Room(room))?;
                self.listed.remove(&room);
                if self.rooms.insert(room, None).is_some() {
                    return fail("told twice of being in a room");
                }
            }
            Event::OnFriendOnline { username } => {
                let friend = user(username);
                if !self.friends.contains(&friend) || !self.online.insert(friend) {
                    return fail("an online event of a stranger, or of a user that is online");
                }
            }
            Event::OnFriendOffline { username } => {
                let friend = user(username);
                if !self.friends.contains(&friend) || !self.online.remove(&friend) {
                    return fail("an offline event of a stranger, or of a user that is offline");
                }
            }
            Event::OnMemberOnline {
                roomname,
                membername,
                ..
            } => {
                self.member(room(roomname), user(membername), true)?;
            }
            Event::OnMemberOffline {
                roomname,
                membername,
                ..
            } => {
                self.member(room(roomname), user(membername), false)?;
            }
            Event::OnRole { roomname, role, .. } => self.role(roomname, *role)?,
            Event::OnNewMessage { .. } => self.message(me, event, truth)?,
            Event::OnRead { id, .. } => {
                let newest = truth.messages.keys().next_back();
                if newest.is_none_or(|newest| id > newest) {
                    return fail("a read marker behind every message");
                }
            }
            Event::OnRequestChanged { username, .. } => {
                let other = user(username);
                if other == me || !truth.users.contains(&other) {
                    return fail("a friend request to no other user");
                }
            }
            Event::OnWelcome { .. } => {}
            _ => return fail("this is no event"),
        }
        Ok(())
    }

    /// Rooms pass on, and nothing else changes a role here.
    fn role(&self, roomname: &str, role: RoomRole) -> Result<(), String> {
        let is_in = self.rooms.contains_key(&room(roomname));
        if is_in && role == RoomRole::Owner {
            Ok(())
        } else {
            fail("a role in a room that one is not in, or another than owner")
        }
    }

    /// Another user sent a friend request, or became a friend.
    fn contact(&mut self, event: &Event, me: usize, truth: &Truth) -> Result<(), String> {
        match event {
            Event::IncommingFriendRequest { username } => self.owed(Due::Asked(user(username))),
            Event::NewContact { username } => {
                let friend = user(username);
                self.owed(Due::Contact(friend))?;
                if !self.friends.insert(friend) || !truth.are_friends(me, friend) {
                    return fail("a contact that is none, or was one");
                }
                Ok(())
            }
            _ => fail("this is no event"),
        }
    }

    fn member(&mut self, room: usize, member: usize, online: bool) -> Result<(), String> {
        if self.user == Some(member) && !online {
            return match self.rooms.remove(&room) {
                Some(_) => Ok(()),
                None => fail("left a room elsewhere without being in it"),
            };
        }
        let Some(members) = self.rooms.get_mut(&room) else {
            return fail("presence in a room that one is not in");
        };
        let changed = members.as_mut().is_none_or(|members| {
            if online {
                members.insert(member)
            } else {
                members.remove(&member)
            }
        });
        let listed = self.listed.get_mut(&room);
        let again = listed.is_some_and(|listed| listed.remove(&member));
        if !(changed || again) || self.user == Some(member) {
            return fail("a member comes twice, goes twice, or is oneself");
        }
        Ok(())
    }

    /// A message of another user.
    fn message(&mut self, me: usize, event: &Event, truth: &Truth) -> Result<(), String> {
        let id = matches(event, me, truth)?;
        self.owed(Due::Message(id))?;
        if id <= self.newest {
            return fail("messages come out of order");
        }
        self.heard_of(id);
        let Some(stored) = truth.messages.get(&id) else {
            // Its room was closed since: its last member was the sender, at another connection.
            return Ok(());
        };
        let from = truth.target(me, stored.conversation);
        match from {
            Some(Target::User(friend)) if self.friends.contains(&friend) => Ok(()),
            Some(Target::Room(room)) if self.rooms.contains_key(&room) => Ok(()),
            _ => fail("a message of a conversation that one is not in"),
        }
    }

    /// Notes a message that came on this connection for the first time.
    pub(crate) fn heard_of(&mut self, id: u64) {
        self.newest = self.newest.max(id);
        self.known = self.known.max(id);
    }

    /// Whether it, or a later one, came on this connection.
    pub(crate) fn has_heard_of(&self, id: u64) -> bool {
        id <= self.newest
    }

    fn owed(&mut self, due: Due) -> Result<(), String> {
        // Asked, declined and asked again, over and over, while it was not read.
        let again = matches!(due, Due::Asked(_)) && self.may.contains(&due);
        if self.must.remove(&due) || again || self.may.remove(&due) {
            Ok(())
        } else {
            fail(&format!(
                "{due:?} is sent to a client that must not get it, or twice"
            ))
        }
    }
}

/// The id of an ON_NEW_MESSAGE, if it says of the message what is stored.
pub(crate) fn matches(event: &Event, me: usize, truth: &Truth) -> Result<u64, String> {
    let Event::OnNewMessage {
        id,
        content,
        sender,
        target_type,
        send_time,
        target,
        ..
    } = event
    else {
        return fail("this is no message");
    };
    let Some(stored) = truth.message(*id) else {
        return fail(&format!("message {id} is not stored"));
    };
    let kind = if stored.is_private(truth) {
        TargetType::Friend
    } else {
        TargetType::Room
    };
    // To the friend of a private message, target is the other one; the same to the sender.
    let other = truth.target(me, stored.conversation);
    let named = other.is_none_or(|other| named(other) == target);
    let time = u64::try_from(stored.time).unwrap_or(0);
    let same = (&**content, user(sender), *send_time, *target_type)
        == (&*stored.content, stored.sender, time, kind);
    if same && named {
        Ok(*id)
    } else {
        fail(&format!(
            "message {id} is told as another one than is stored"
        ))
    }
}

pub(crate) fn user(name: &str) -> usize {
    let known = USERS.iter().position(|user| *user == name);
    known.unwrap_or_else(|| panic!("no user is called {name:?}"))
}

pub(crate) fn room(name: &str) -> usize {
    let known = ROOMS.iter().position(|room| *room == name);
    known.unwrap_or_else(|| panic!("no room is called {name:?}"))
}
