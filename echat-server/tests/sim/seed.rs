//! Content of a database for tests.

use super::workers;
use echat_proto::names::{BotToken, Content, Password, RoomName, Username};
use echat_server::secrets::PasswordHash;
use echat_server::storage::{Ban, ConversationId, Room, Store, UserId, administrator_code_hash};
use sha2::{Digest, Sha256};

/// The password of all users.
pub(crate) const PASSWORD: &str = "correct horse";

/// Its hash.
pub(crate) fn hash() -> PasswordHash {
    workers::hashed(Password::presented(PASSWORD).expect("short"))
}

fn user(store: &mut Store, name: &str) -> UserId {
    let found = store.batch().find_user(name).expect("a store that works");
    found
        .unwrap_or_else(|| panic!("no user is called {name:?}"))
        .id
}

/// Creates accounts.
pub(crate) fn accounts(store: &mut Store, names: &[&str]) {
    let hash = hash();
    let mut batch = store.batch();
    for name in names {
        let name = Username::new(name).expect("a possible name");
        batch
            .create_user(&name, hash.as_str(), 0)
            .expect("a store that works")
            .expect("a new name");
    }
    let _ = batch.commit().expect("a store that works");
}

/// Suspends a user.
pub(crate) fn suspend(store: &mut Store, name: &str, until: Option<i64>, reason: Option<&str>) {
    let id = user(store, name);
    let mut batch = store.batch();
    let suspended = batch.suspend(id, until, reason, 0);
    suspended.expect("a store that works");
    let _ = batch.commit().expect("a store that works");
}

/// Marks a user's password as temporary, as an administrator does. The password stays the same.
pub(crate) fn temporary_password(store: &mut Store, name: &str) {
    let id = user(store, name);
    let hash = hash();
    let mut batch = store.batch();
    let reset = batch.reset_password(id, hash.as_str());
    reset.expect("a store that works");
    let _ = batch.commit().expect("a store that works");
}

/// Ends the suspension of a user.
pub(crate) fn unsuspend(store: &mut Store, name: &str) {
    let id = user(store, name);
    let mut batch = store.batch();
    batch.unsuspend(id).expect("a store that works");
    let _ = batch.commit().expect("a store that works");
}

/// Creates a user's bot in a room. These bytes are its token.
pub(crate) fn bot(
    store: &mut Store,
    (name, owner): (&str, &str),
    room: &str,
    token: &[u8; BotToken::BYTES],
) {
    let (owner, room) = (user(store, owner), room_id(store, room));
    let name = Username::new(name).expect("a possible name");
    let mut batch = store.batch();
    let bot = batch.create_bot(&name, owner, &Sha256::digest(token).into(), (0, None));
    let bot = bot.expect("a store that works").expect("a new name");
    batch.add_member(room, bot, 0).expect("a store that works");
    let _ = batch.commit().expect("a store that works");
}

/// Lets one user block another.
pub(crate) fn block(store: &mut Store, by: &str, other: &str) {
    let (by, other) = (user(store, by), user(store, other));
    let mut batch = store.batch();
    batch.block(by, other, 0).expect("a store that works");
    let _ = batch.commit().expect("a store that works");
}

/// Stores the code for the first administrator.
pub(crate) fn administrator_code(store: &mut Store, code: &str) {
    let mut batch = store.batch();
    let stored = batch.set_administrator_code(&administrator_code_hash(code));
    stored.expect("a store that works");
    let _ = batch.commit().expect("a store that works");
}

/// Makes all of them friends of each other.
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

/// Creates a room. The first member owns it.
pub(crate) fn room(store: &mut Store, room: &str, members: &[&str]) {
    let owner = user(store, members[0]);
    room_of(store, room, Some(owner), members);
}

/// Stores a message to a room.
pub(crate) fn message(store: &mut Store, room: &str, sender: &str, text: &str) {
    let (sender, room) = (user(store, sender), room_id(store, room));
    let text = Content::new(text).expect("a possible text");
    let mut batch = store.batch();
    let sent = batch.insert_message(room, sender, &text, None, 0);
    sent.expect("a store that works");
    let _ = batch.commit().expect("a store that works");
}

/// Creates a room without an owner.
pub(crate) fn lobby(store: &mut Store, room: &str, members: &[&str]) {
    room_of(store, room, None, members);
}

fn room_of(store: &mut Store, room: &str, owner: Option<UserId>, members: &[&str]) {
    let ids: Vec<UserId> = members.iter().map(|name| user(store, name)).collect();
    let name = RoomName::new(room).expect("a possible name");
    let mut batch = store.batch();
    let room = batch
        .create_room(&name, owner, 0)
        .expect("a store that works");
    let room = room.expect("a new name");
    for id in ids {
        batch.add_member(room, id, 0).expect("a store that works");
    }
    let _ = batch.commit().expect("a store that works");
}

/// Makes members operators of a room.
pub(crate) fn operators(store: &mut Store, room: &str, members: &[&str]) {
    let ids: Vec<UserId> = members.iter().map(|name| user(store, name)).collect();
    let mut batch = store.batch();
    let room = batch.find_room(room).expect("a store that works");
    let room = room.expect("a room that is there").id;
    for id in ids {
        batch
            .set_operator(room, id, true)
            .expect("a store that works");
    }
    let _ = batch.commit().expect("a store that works");
}

/// Makes users administrators.
pub(crate) fn administrators(store: &mut Store, names: &[&str]) {
    let ids: Vec<UserId> = names.iter().map(|name| user(store, name)).collect();
    let mut batch = store.batch();
    for id in ids {
        batch
            .set_administrator(id, true)
            .expect("a store that works");
    }
    let _ = batch.commit().expect("a store that works");
}

/// Removes a member from a room.
pub(crate) fn remove_member(store: &mut Store, room: &str, member: &str) {
    let id = user(store, member);
    let mut batch = store.batch();
    let room = batch.find_room(room).expect("a store that works");
    let was_in = batch.remove_member(room.expect("a room that is there").id, id);
    assert!(was_in.expect("a store that works"));
    let _ = batch.commit().expect("a store that works");
}

fn room_id(store: &mut Store, room: &str) -> ConversationId {
    let found = store.batch().find_room(room).expect("a store that works");
    found.expect("a room that is there").id
}

/// Makes a room private.
pub(crate) fn private(store: &mut Store, room: &str) {
    let mut batch = store.batch();
    let room = batch.find_room(room).expect("a store that works");
    let room = room.expect("a room that is there");
    let private = Room {
        private: true,
        ..room.clone()
    };
    let changed = batch.change_room(&room, &private);
    changed.expect("a store that works");
    let _ = batch.commit().expect("a store that works");
}

/// Accounts `user0`, `user1` and so on.
fn numbered_users(store: &mut Store, count: usize) -> Vec<UserId> {
    let names: Vec<String> = (0..count).map(|number| format!("user{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    accounts(store, &names);
    names.iter().map(|name| user(store, name)).collect()
}

/// Lets a user block `count` others.
pub(crate) fn blocks(store: &mut Store, name: &str, count: usize) {
    let (by, others) = (user(store, name), numbered_users(store, count));
    let mut batch = store.batch();
    for other in others {
        batch.block(by, other, 0).expect("a store that works");
    }
    let _ = batch.commit().expect("a store that works");
}

/// Bans `count` users from a room.
pub(crate) fn bans(store: &mut Store, room: &str, count: usize) {
    let (room, users) = (room_id(store, room), numbered_users(store, count));
    let mut batch = store.batch();
    let ban = Ban {
        until: None,
        reason: Some("x".repeat(200)),
    };
    for user in &users {
        batch
            .ban(room, *user, users[0], &ban, 0)
            .expect("a store that works");
    }
    let _ = batch.commit().expect("a store that works");
}

/// Invites a user to `count` rooms.
pub(crate) fn invitations(store: &mut Store, name: &str, count: usize) {
    let id = user(store, name);
    let mut batch = store.batch();
    for number in 0..count {
        let name = RoomName::new(&format!("room{number}")).expect("a possible name");
        let room = batch.create_room(&name, id, 0).expect("a store that works");
        batch
            .invite(room.expect("a new name"), id, id, 0)
            .expect("a store that works");
    }
    let _ = batch.commit().expect("a store that works");
}

/// Invites a user to a room.
pub(crate) fn invite(store: &mut Store, room: &str, name: &str) {
    let id = user(store, name);
    let mut batch = store.batch();
    let room = batch.find_room(room).expect("a store that works");
    let room = room.expect("a room that is there");
    let inviter = room.owner.expect("a room with an owner");
    batch
        .invite(room.id, id, inviter, 0)
        .expect("a store that works");
    let _ = batch.commit().expect("a store that works");
}

/// Bans a user from a room, until a time and for a reason.
pub(crate) fn ban(
    store: &mut Store,
    (room, name): (&str, &str),
    (until, reason): (Option<i64>, Option<&&str>),
    now: i64,
) {
    let id = user(store, name);
    let mut batch = store.batch();
    let room = batch.find_room(room).expect("a store that works");
    let room = room.expect("a room that is there");
    let operator = room.owner.expect("a room with an owner");
    let ban = Ban {
        until,
        reason: reason.map(|reason| (*reason).to_owned()),
    };
    batch
        .ban(room.id, id, operator, &ban, now)
        .expect("a store that works");
    let _ = batch.commit().expect("a store that works");
}
