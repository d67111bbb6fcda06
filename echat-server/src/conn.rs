//! The id of a connection, maps by it, and the ways in which a connection ends.

use echat_proto::commands::CloseReason;
use smallvec::SmallVec;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;

/// A connection. The upper 40 bits are its serial number, which only grows: ids sort by age, and no id is ever
/// used again, so a late result for a connection that is gone reaches no other. The lower 24 bits are its slot in
/// each `ConnMap`; slots are used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

impl ConnId {
    /// Bits of a slot: 16 million connections at a time.
    pub(crate) const SLOT_BITS: u32 = 24;

    /// The id of the connection with this serial number, in this slot.
    fn new(serial: u64, slot: u32) -> Self {
        debug_assert!(slot >> Self::SLOT_BITS == 0, "more connections than slots");
        Self(serial << Self::SLOT_BITS | u64::from(slot))
    }

    /// The serial number: a later connection has a greater one.
    pub(crate) fn serial(self) -> u64 {
        self.0 >> Self::SLOT_BITS
    }

    fn slot(self) -> usize {
        let slot = self.0 & ((1 << Self::SLOT_BITS) - 1);
        usize::try_from(slot).expect("24 bits")
    }
}

impl fmt::Display for ConnId {
    /// The serial number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.serial())
    }
}

/// Gives ids. The lowest free slot is used first, so that a [`ConnMap`] stays short.
#[derive(Debug, Default)]
pub(crate) struct ConnIds {
    last: u64,
    free: BinaryHeap<Reverse<u32>>,
    /// Slots that were ever given since all were free.
    slots: u32,
}

impl ConnIds {
    /// The id of a new connection.
    pub(crate) fn give(&mut self) -> ConnId {
        self.last += 1;
        let slot = self.free.pop().map_or(self.slots, |Reverse(slot)| slot);
        self.slots = self.slots.max(slot + 1);
        ConnId::new(self.last, slot)
    }

    /// Takes the id of a connection that is gone: its slot is free.
    pub(crate) fn take_back(&mut self, conn: ConnId) {
        self.free
            .push(Reverse(u32::try_from(conn.slot()).expect("24 bits")));
        if self.free.len() == self.slots as usize {
            (self.free, self.slots) = (BinaryHeap::new(), 0);
        }
    }
}

/// The connections that [`ConnMap::get_many_mut`] borrows without an allocation.
const MANY: usize = 16;

/// What [`ConnMap::get_many_mut`] borrows.
pub(crate) type Many<'a, T> = SmallVec<[Option<&'a mut T>; MANY]>;

/// A map from connections to values: a vector with one element for each slot. A look-up compares the whole id,
/// so the id of a connection that is gone finds nothing. It is for values that go with their connection: the slot of
/// a connection that is gone may be given to the next one at once.
#[derive(Debug)]
pub(crate) struct ConnMap<T> {
    slots: Vec<Option<(ConnId, T)>>,
    len: usize,
}

impl<T> Default for ConnMap<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            len: 0,
        }
    }
}

impl<T> ConnMap<T> {
    /// Adds a value. The slot of the connection must be free, or its own.
    pub(crate) fn insert(&mut self, conn: ConnId, value: T) {
        let slot = conn.slot();
        if slot >= self.slots.len() {
            self.slots.resize_with(slot + 1, || None);
        }
        let old = self.slots[slot].replace((conn, value));
        debug_assert!(
            old.as_ref().is_none_or(|(other, _)| *other == conn),
            "two connections in one slot"
        );
        self.len += usize::from(old.is_none());
    }

    /// Removes a value. Memory is given back when three quarters of it are unused.
    pub(crate) fn remove(&mut self, conn: ConnId) -> Option<T> {
        let slot = self.slots.get_mut(conn.slot())?;
        let (_, value) = slot.take_if(|(other, _)| *other == conn)?;
        self.len -= 1;
        while self.slots.pop_if(|slot| slot.is_none()).is_some() {}
        if self.slots.len() < self.slots.capacity() / 4 {
            self.slots.shrink_to(self.slots.len() * 2);
        }
        Some(value)
    }

    pub(crate) fn get(&self, conn: ConnId) -> Option<&T> {
        let (other, value) = self.slots.get(conn.slot())?.as_ref()?;
        (*other == conn).then_some(value)
    }

    pub(crate) fn get_mut(&mut self, conn: ConnId) -> Option<&mut T> {
        let (other, value) = self.slots.get_mut(conn.slot())?.as_mut()?;
        (*other == conn).then_some(value)
    }

    /// Borrows the values of several connections at the same time, in the order of `conns`. `None` stands for a
    /// connection that is gone, and for one that is named a second time. The slots are sorted, so give few connections.
    pub(crate) fn get_many_mut(&mut self, conns: &[ConnId]) -> Many<'_, T> {
        if let [conn] = conns {
            return Many::from_iter([self.get_mut(*conn)]);
        }
        let mut found: Many<'_, T> = conns.iter().map(|_| None).collect();
        let mut order: SmallVec<[_; MANY]> = (0..)
            .zip(conns)
            .map(|(at, conn)| (conn.slot(), at))
            .collect();
        order.sort_unstable();
        // What is left of the slots, and the slot that it begins with.
        let (mut rest, mut first) = (self.slots.as_mut_slice(), 0);
        for (slot, at) in order {
            let Some(skipped) = slot
                .checked_sub(first)
                .filter(|skipped| *skipped < rest.len())
            else {
                continue;
            };
            let (_, from_slot) = rest.split_at_mut(skipped);
            let Some((value, behind)) = from_slot.split_first_mut() else {
                break;
            };
            let conn: &ConnId = &conns[at];
            found[at] = value
                .as_mut()
                .filter(|(other, _)| other == conn)
                .map(|(_, value)| value);
            (rest, first) = (behind, slot + 1);
        }
        found
    }

    /// All connections, oldest first. This looks at every slot.
    pub(crate) fn conns(&self) -> Vec<ConnId> {
        let ids = self.slots.iter().flatten().map(|(conn, _)| *conn);
        let mut conns: Vec<_> = ids.collect();
        conns.sort_unstable();
        conns
    }

    /// All values, in the order of their slots. This looks at every slot.
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().flatten().map(|(_, value)| value)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

/// Why a session ended, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Departure {
    /// LOGOUT.
    Logout,
    /// A further login of the same user took over.
    Displaced,
    /// The user ended it from another session.
    EndedElsewhere,
    /// A secret that resumes a session was used twice.
    SecretReused,
    /// The user changed the password in another session.
    PasswordChanged,
    /// The administration gave the account a temporary password.
    PasswordReset,
    /// The administration ended the sessions of the user.
    Kicked,
    /// The account was suspended.
    Suspended,
    /// The account was deleted.
    Deleted,
    /// The bot was removed, or got another token.
    TokenEnded,
    /// The address was banned.
    AddressBanned,
    /// The client closed the connection, or it broke.
    Closed,
    /// Nothing came for `dead_seconds`.
    Silent,
    /// The server ended the connection and said why.
    Ended(CloseReason),
    /// The database failed, and the server stops.
    Failed,
}

impl From<End> for Departure {
    fn from(end: End) -> Self {
        match end {
            End::Cut | End::Flush => Self::Closed,
            End::Notify(reason) => Self::Ended(reason),
        }
    }
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Logout => "logout",
            Self::Displaced => "displaced",
            Self::EndedElsewhere => "ended from another session",
            Self::SecretReused => "secret used again",
            Self::PasswordChanged => "password changed",
            Self::PasswordReset => "password reset",
            Self::Kicked => "kicked",
            Self::Suspended => "suspended",
            Self::Deleted => "account deleted",
            Self::TokenEnded => "token ended",
            Self::AddressBanned => "address banned",
            Self::Closed => "connection closed",
            Self::Silent => "silent",
            Self::Failed => "database failed",
            Self::Ended(reason) => match reason {
                CloseReason::Bye => "bye",
                CloseReason::Idle => "idle",
                CloseReason::Malformed => "malformed frame",
                CloseReason::TooManyErrors => "too many errors",
                CloseReason::Full => "full",
                CloseReason::Restarting => "server stopping",
                CloseReason::Kicked => "kicked",
                CloseReason::TooSlow => "too slow",
                CloseReason::KeyWornOut => "key worn out",
            },
        })
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At once, and nothing more is sent: its frames are not authentic, or it has said goodbye.
    Cut,
    /// When its send queue is written: the client has closed its half.
    Flush,
    /// With a CLOSE_NOTIFY at the end of its send queue.
    Notify(CloseReason),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_and_slots_are_used_again() {
        let mut ids = ConnIds::default();
        let mut map = ConnMap::default();
        let first: Vec<_> = (0..100).map(|_| ids.give()).collect();
        for conn in &first {
            map.insert(*conn, conn.serial());
        }
        for conn in &first[10..20] {
            assert_eq!(map.remove(*conn), Some(conn.serial()));
            assert_eq!(map.remove(*conn), None);
            ids.take_back(*conn);
        }
        let second: Vec<_> = (0..10).map(|_| ids.give()).collect();
        for conn in &second {
            map.insert(*conn, conn.serial());
        }
        assert!(second[0] > first[99] && second.is_sorted());
        assert_eq!(second[0].slot(), 10);
        assert_eq!(second[0].to_string(), "#101");
        // The older connection of the same slot is not found.
        assert_eq!(map.get(first[10]), None);
        assert_eq!(map.get_mut(first[10]), None);
        assert_eq!(map.get(second[0]), Some(&101));
        let expected: Vec<_> = [&first[..10], &first[20..], &second].concat();
        assert_eq!(map.conns(), expected);
        assert_eq!((map.len(), map.slots.len()), (100, 100));
    }

    #[test]
    fn several_values_are_borrowed_at_once_in_the_order_asked_for() {
        let mut ids = ConnIds::default();
        let mut map = ConnMap::default();
        let mut conns: Vec<_> = (0..40).map(|_| ids.give()).collect();
        for conn in &conns {
            map.insert(*conn, conn.serial());
        }
        let gone = [conns[3], conns[39]];
        for conn in gone {
            map.remove(conn);
        }
        conns.reverse();
        conns.push(conns[7]);
        let serials = |map: &mut ConnMap<u64>, conns: &[ConnId]| -> Vec<_> {
            let values = map.get_many_mut(conns).into_iter();
            values.map(|value| value.map(|value| *value)).collect()
        };
        let mut expected: Vec<_> = conns
            .iter()
            .map(|conn| Some(conn.serial()).filter(|_| !gone.contains(conn)))
            .collect();
        *expected.last_mut().expect("there are some") = None;
        assert_eq!(serials(&mut map, &conns), expected);
        for conn in &conns[..5] {
            assert_eq!(serials(&mut map, &[*conn]), [map.get(*conn).copied()]);
        }
        assert_eq!(serials(&mut map, &[]), []);
    }

    #[test]
    fn an_empty_map_keeps_no_memory() {
        let mut ids = ConnIds::default();
        let mut map = ConnMap::default();
        let conns: Vec<_> = (0..1_000).map(|_| ids.give()).collect();
        for conn in &conns {
            map.insert(*conn, [0_u8; 100]);
        }
        for conn in &conns {
            map.remove(*conn);
            ids.take_back(*conn);
        }
        assert_eq!((map.len(), map.slots.capacity()), (0, 0));
        assert_eq!(ids.free.capacity(), 0);
        assert_eq!(ids.give().slot(), 0);
    }
}
