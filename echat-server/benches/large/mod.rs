//! A large database, made through the storage interface: the same arguments give the same rows.

use std::path::Path;

use echat_proto::names::{Content, RoomName, TxnId, Username};
use echat_server::storage::{Batch, ConversationId, OpenError, Store, StoreError, UserId};

/// Users, named `user0`, `user1`, ...
pub(crate) const USERS: usize = 1_000;
/// Rooms, named `room0`, `room1`, ..., each with its share of the users.
pub(crate) const ROOMS: usize = 100;
/// Friends of a user: the next ones in order.
const FRIENDS: usize = 5;
/// Members of a room.
const MEMBERS: usize = 50;
/// Messages of one transaction.
const AT_ONCE: u64 = 10_000;
/// The time of the first message, in unix seconds. Later ones follow every 16 seconds.
const BEGINNING: i64 = 1_600_000_000;
/// The hash of the password `correct horse battery`, for logins by hand.
const PHC: &str = "$argon2id$v=19$m=19456,t=2,p=1$Oc9CBV0QHWHSD+w7vVtdaw$73UFOex27P6gfBbFxl/8mcYG2XeV9ULVPL57ZgGFHaE";

/// Why the database cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0} is taken")]
    Taken(String),
}

/// A conversation and the users who write in it.
struct Talk {
    conversation: ConversationId,
    users: Vec<UserId>,
}

/// Fills the database at `path`, which has no users yet, with this many messages: half of them private, half in rooms,
/// all with a txn_id.
pub(crate) fn fill(path: &Path, messages: u64) -> Result<Store, Failure> {
    let mut store = Store::open(path)?;
    let mut batch = store.batch();
    let (private, rooms) = people(&mut batch)?;
    let _receipt = batch.commit()?;
    let mut stored = 0;
    while stored < messages {
        let mut batch = store.batch();
        for number in stored..messages.min(stored + AT_ONCE) {
            let talks = if number % 2 == 0 { &private } else { &rooms };
            say(&mut batch, talks, number)?;
        }
        stored = messages.min(stored + AT_ONCE);
        let _receipt = batch.commit()?;
        if let Some(checkpoint) = store.take_checkpoint() {
            store.checkpoint_done(checkpoint.run())?;
        }
    }
    Ok(store)
}

/// Users, friendships and rooms.
fn people(batch: &mut Batch<'_>) -> Result<(Vec<Talk>, Vec<Talk>), Failure> {
    let mut users = Vec::new();
    for number in 0..USERS {
        let name = Username::new(&format!("user{number}")).expect("a valid name");
        let user = batch.create_user(&name, PHC, BEGINNING)?;
        users.push(user.ok_or_else(|| Failure::Taken(name.to_string()))?);
    }
    let mut private = Vec::new();
    for (number, user) in users.iter().enumerate() {
        for next in 1..=FRIENDS {
            let friend = users[(number + next) % USERS];
            private.push(Talk {
                conversation: batch.befriend(*user, friend, BEGINNING)?,
                users: vec![*user, friend],
            });
        }
    }
    let mut rooms = Vec::new();
    for number in 0..ROOMS {
        let name = RoomName::new(&format!("room{number}")).expect("a valid name");
        let members: Vec<UserId> = (0..MEMBERS)
            .map(|member| users[(number * USERS / ROOMS + member) % USERS])
            .collect();
        let room = batch.create_room(&name, members[0], BEGINNING)?;
        let room = room.ok_or_else(|| Failure::Taken(name.to_string()))?;
        for member in &members {
            batch.add_member(room, *member, BEGINNING)?;
        }
        rooms.push(Talk {
            conversation: room,
            users: members,
        });
    }
    Ok((private, rooms))
}

/// Stores one message. Conversations take turns in an order that looks random.
fn say(batch: &mut Batch<'_>, talks: &[Talk], number: u64) -> Result<(), Failure> {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let at = usize::try_from(mixed).unwrap_or(0);
    let talk = &talks[at % talks.len()];
    let sender = talk.users[at / talks.len() % talk.users.len()];
    // 20 to 179 bytes.
    let length = usize::try_from(mixed % 160).unwrap_or(0);
    let text = format!("message {number:<12}{}", "x".repeat(length));
    let content = Content::new(text).expect("a valid text");
    let txn = TxnId::new(format!("{mixed:016x}{number:08x}")).expect("a valid txn_id");
    let seconds = i64::try_from(number).unwrap_or(0).saturating_mul(16);
    batch.insert_message(
        talk.conversation,
        sender,
        &content,
        Some(&txn),
        BEGINNING.saturating_add(seconds),
    )?;
    Ok(())
}
