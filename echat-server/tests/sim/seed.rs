//! A database to begin with.

use super::workers;
use echat_proto::names::{Password, RoomName, Username};
use echat_server::storage::{Store, UserId};

/// The password of all users.
pub(crate) const PASSWORD: &str = "correct horse";

/// Its hash.
pub(crate) fn hash() -> String {
    workers::hashed(Password::presented(PASSWORD).expect("short"))
}

fn user(store: &mut Store, name: &str) -> UserId {
    let found = store.batch().find_user(name).expect("a store that works");
    found
        .unwrap_or_else(|| panic!("no user is called {name:?}"))
        .id
}

/// Makes accounts.
pub(crate) fn accounts(store: &mut Store, names: &[&str]) {
    let hash = hash();
    let mut batch = store.batch();
    for name in names {
        let name = Username::new(name).expect("a possible name");
        batch
            .create_user(&name, &hash, 0)
            .expect("a store that works")
            .expect("a new name");
    }
    let _ = batch.commit().expect("a store that works");
}

/// Makes each two of them friends.
pub(crate) fn friends(store: &mut Store, names: &[&str]) {
    let ids: Vec<UserId> = names.iter().map(|name| user(store, name)).collect();
    let mut batch = store.batch();
    for (index, a) in ids.iter().enumerate() {
        for b in &ids[index + 1..] {
            batch.befriend(*a, *b, 0).expect("a store that works");
        }
    }
    let _ = batch.commit().expect("a store that works");
}

/// Makes a room; the first member owns it.
pub(crate) fn room(store: &mut Store, room: &str, members: &[&str]) {
    let ids: Vec<UserId> = members.iter().map(|name| user(store, name)).collect();
    let name = RoomName::new(room).expect("a possible name");
    let mut batch = store.batch();
    let room = batch
        .create_room(&name, ids[0], 0)
        .expect("a store that works");
    let room = room.expect("a new name");
    for id in ids {
        batch.add_member(room, id, 0).expect("a store that works");
    }
    let _ = batch.commit().expect("a store that works");
}

/// Takes a member out of a room.
pub(crate) fn leaves(store: &mut Store, room: &str, member: &str) {
    let id = user(store, member);
    let mut batch = store.batch();
    let room = batch.find_room(room).expect("a store that works");
    let was_in = batch.remove_member(room.expect("a room that is there").id, id);
    assert!(was_in.expect("a store that works"));
    let _ = batch.commit().expect("a store that works");
}
