//! Accounts, contacts, rooms and search.

use std::net::IpAddr;

use echat_proto::names::{RoomName, Username};
use echat_server::secrets::PasswordHash;
use echat_server::storage::{Ban, BanSummary, Batch, FriendRequest, Store, UserId};

fn user(batch: &mut Batch<'_>, name: &str) -> UserId {
    batch
        .create_user(&Username::new(name).unwrap(), "phc", 1)
        .unwrap()
        .unwrap()
}

fn room_name(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

#[test]
fn an_account_is_unique_by_name_and_by_skeleton() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let ann = user(&mut batch, "paypal");
    user(&mut batch, "bob");
    user(&mut batch, "go0gle_");
    for taken in [
        "PayPal", "paypa1", "paypal_", "PAYPA1.-", "b0b", "bob.", "в0в", "g00gle",
    ] {
        let writes = batch.writes();
        let made = batch
            .create_user(&Username::new(taken).unwrap(), "x", 1)
            .unwrap();
        assert_eq!((made, batch.writes()), (None, writes));
    }
    batch.set_password(ann, "new").unwrap();
    let (found, phc) = batch.credentials("paypal").unwrap().unwrap();
    assert_eq!(found.id, ann);
    assert_eq!(phc, Some("new".to_owned().into()));
    assert_eq!(batch.credentials("nobody").unwrap(), None);
    // Without a password there is no hash to compare.
    for without in ["", PasswordHash::NO_PASSWORD] {
        batch.set_password(ann, without).unwrap();
        let (_, phc) = batch.credentials("paypal").unwrap().unwrap();
        assert_eq!(phc, None, "{without:?}");
    }
}

#[test]
fn addresses_are_remembered_for_thirty_days() {
    const DAY: i64 = 86_400;
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let (ann, bob) = (user(&mut batch, "ann"), user(&mut batch, "bob"));
    let here: IpAddr = "2001:db8::1".parse().unwrap();
    let there: IpAddr = "192.0.2.1".parse().unwrap();
    batch.note_login(ann, here, 0).unwrap();
    assert!(batch.logged_in_from(ann, here, 0).unwrap());
    assert!(!batch.logged_in_from(ann, here, 1).unwrap());
    assert!(!batch.logged_in_from(ann, there, 0).unwrap());
    assert!(!batch.logged_in_from(bob, here, 0).unwrap());
    batch.note_login(bob, there, 30 * DAY).unwrap();
    assert!(batch.logged_in_from(ann, here, 0).unwrap());
    batch.note_login(bob, there, 30 * DAY + 1).unwrap();
    assert!(!batch.logged_in_from(ann, here, 0).unwrap());
}

#[test]
fn requests_become_friendships() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let (ann, bob, eve) = (
        user(&mut batch, "ann"),
        user(&mut batch, "bob"),
        user(&mut batch, "eve"),
    );
    batch.add_request(eve, ann, 1).unwrap();
    batch.add_request(bob, ann, 2).unwrap();
    batch.add_request(eve, ann, 3).unwrap();
    batch.add_request(ann, bob, 3).unwrap();
    assert_eq!(batch.pending_requests(ann).unwrap(), ["eve", "bob"]);
    assert_eq!(batch.pending_count(ann).unwrap(), 2);
    let waits = FriendRequest {
        declined_at: None,
        asked_again: false,
    };
    assert_eq!(batch.request(bob, ann).unwrap(), Some(waits));
    assert_eq!(batch.request(ann, eve).unwrap(), None);
    assert_eq!(batch.oldest_pending(ann).unwrap(), Some((eve, 1)));
    let talk = batch.befriend(bob, ann, 4).unwrap();
    assert_eq!(batch.pending_requests(ann).unwrap(), ["eve"]);
    assert_eq!(batch.pending_count(bob).unwrap(), 0);
    assert_eq!(batch.befriend(ann, bob, 5).unwrap(), talk);
    assert_eq!(batch.friendship(ann, bob).unwrap(), Some(talk));
    assert_eq!(batch.friendship(bob, ann).unwrap(), Some(talk));
    assert_eq!(batch.friendship(ann, eve).unwrap(), None);
    assert!(batch.delete_request(eve, ann).unwrap());
    assert!(!batch.delete_request(eve, ann).unwrap());
    batch.befriend(ann, eve, 6).unwrap();
    let names: Vec<_> = batch
        .friends(ann)
        .unwrap()
        .into_iter()
        .map(|f| f.name)
        .collect();
    assert_eq!(names, ["bob", "eve"]);
    assert_eq!(
        (
            batch.friend_count(ann).unwrap(),
            batch.friend_count(bob).unwrap()
        ),
        (2, 1)
    );
}

#[test]
fn declined_requests_expire_in_portions() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let (ann, bob) = (user(&mut batch, "ann"), user(&mut batch, "bob"));
    let request = |declined_at, asked_again| {
        Some(FriendRequest {
            declined_at,
            asked_again,
        })
    };
    assert!(!batch.decline_request(ann, bob, 4).unwrap());
    batch.add_request(ann, bob, 3).unwrap();
    assert!(batch.decline_request(ann, bob, 4).unwrap());
    assert!(!batch.decline_request(ann, bob, 5).unwrap());
    assert_eq!(batch.request(ann, bob).unwrap(), request(Some(4), false));
    assert_eq!(batch.pending_count(bob).unwrap(), 0);
    assert_eq!(batch.oldest_pending(bob).unwrap(), None);
    assert!(batch.pending_requests(bob).unwrap().is_empty());
    batch.ask_again(ann, bob).unwrap();
    assert_eq!(batch.request(ann, bob).unwrap(), request(Some(4), true));
    // Requests that were made again are kept; the others are forgotten, ten at a time, the oldest first.
    let others: Vec<UserId> = (0..12)
        .map(|n| {
            let other = user(&mut batch, &format!("user{n}"));
            batch.add_request(other, bob, 1).unwrap();
            batch.decline_request(other, bob, 20 - n).unwrap();
            other
        })
        .collect();
    batch.forget_declined(18).unwrap();
    let left = |batch: &Batch<'_>| -> Vec<usize> {
        let there = |n: &usize| batch.request(others[*n], bob).unwrap().is_some();
        (0..others.len()).filter(there).collect()
    };
    assert_eq!(left(&batch), [0, 1]);
    batch.forget_declined(20).unwrap();
    assert!(left(&batch).is_empty());
    assert_eq!(batch.request(ann, bob).unwrap(), request(Some(4), true));
    // A repeated request is a new one.
    batch.add_request(ann, bob, 30).unwrap();
    assert_eq!(batch.request(ann, bob).unwrap(), request(None, false));
    assert_eq!(batch.oldest_pending(bob).unwrap(), Some((ann, 30)));
}

#[test]
fn rooms_have_members_and_keep_their_owner() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let (ann, bob) = (user(&mut batch, "ann"), user(&mut batch, "bob"));
    let tea = batch
        .create_room(&room_name("Tea"), bob, 1)
        .unwrap()
        .unwrap();
    for taken in ["tea", "tea_", "теа"] {
        let made = batch.create_room(&room_name(taken), ann, 1).unwrap();
        assert_eq!(made, None, "{taken}");
    }
    // Rooms are named beside users.
    batch
        .create_room(&room_name("ann."), ann, 1)
        .unwrap()
        .unwrap();
    for member in [bob, ann] {
        assert!(batch.add_member(tea, member, 1).unwrap());
        assert!(!batch.add_member(tea, member, 1).unwrap());
    }
    batch.befriend(ann, bob, 1).unwrap();
    assert_eq!(
        (
            batch.member_count(tea).unwrap(),
            batch.room_count(ann).unwrap()
        ),
        (2, 1)
    );
    let members = batch.members(tea, 9).unwrap();
    assert_eq!(batch.members(tea, 1).unwrap(), members[..1]);
    let shown: Vec<_> = members
        .iter()
        .map(|m| (m.user.name.as_str(), m.owner))
        .collect();
    assert_eq!(shown, [("ann", false), ("bob", true)]);
    assert!(batch.remove_member(tea, bob).unwrap());
    assert!(!batch.remove_member(tea, bob).unwrap());
    assert!(batch.is_member(tea, ann).unwrap() && !batch.is_member(tea, bob).unwrap());
    let room = batch.find_room("tea").unwrap().unwrap();
    assert_eq!(
        (room.id, room.owner, room.owner_name.as_str()),
        (tea, Some(bob), "bob")
    );
    assert_eq!(batch.find_room("coffee").unwrap(), None);
    let mine = batch.rooms_of(ann).unwrap();
    assert_eq!(
        (mine[0].name.as_str(), mine[0].members, mine[0].unread),
        ("tea", 1, 0)
    );
    let places = batch.room_sizes_of(ann).unwrap();
    assert_eq!(
        (places[0].id, places[0].name.as_str(), places[0].members),
        (tea, "tea", 1)
    );
}

#[test]
fn a_search_finds_any_part_of_a_name_once() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let ann = user(&mut batch, "banana");
    user(&mut batch, "anatole");
    user(&mut batch, "李雷雷");
    batch.create_room(&room_name("nan"), ann, 1).unwrap();
    let found = batch.find(ann, "an", 10).unwrap();
    assert_eq!(
        (found.users, found.rooms),
        (
            vec!["anatole".to_owned(), "banana".to_owned()],
            vec!["nan".to_owned()]
        )
    );
    assert!(!found.more);
    assert_eq!(batch.find(ann, "雷", 1).unwrap().users, ["李雷雷"]);
    assert!(!batch.find(ann, "雷", 1).unwrap().more);
    user(&mut batch, "韩雷");
    assert!(batch.find(ann, "雷", 1).unwrap().more);
    for nothing in ["", "%", "_", "zz"] {
        assert!(
            batch.find(ann, nothing, 10).unwrap().users.is_empty(),
            "{nothing:?}"
        );
    }
}

#[test]
fn a_ban_ends_when_it_says_and_is_pruned_with_the_next() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|name| user(&mut batch, name));
    let tea = batch.create_room(&room_name("tea"), ann, 1).unwrap();
    let tea = tea.unwrap();
    let ban = |until: Option<i64>| Ban {
        until,
        reason: Some("spam".to_owned()),
    };
    assert_eq!(batch.ban_of(tea, bob, 1).unwrap(), None);
    batch.ban(tea, bob, ann, &ban(Some(9)), 1).unwrap();
    assert_eq!(batch.ban_of(tea, bob, 8).unwrap(), Some(ban(Some(9))));
    assert_eq!(batch.ban_of(tea, bob, 9).unwrap(), None);
    assert_eq!(batch.bans(tea, 9).unwrap(), []);
    assert_eq!(batch.ban_count(tea, 9).unwrap(), 0);
    // A second ban of the same user replaces the first.
    batch.ban(tea, bob, ann, &ban(Some(7)), 2).unwrap();
    assert_eq!(batch.ban_count(tea, 2).unwrap(), 1);
    batch.ban(tea, eve, ann, &ban(None), 7).unwrap();
    let expected = BanSummary {
        username: "eve".to_owned(),
        by: "ann".to_owned(),
        at: 7,
        ban: ban(None),
    };
    assert_eq!(batch.bans(tea, 0).unwrap(), [expected], "bob's is pruned");
    assert!(batch.unban(tea, eve, 8).unwrap());
    assert!(!batch.unban(tea, eve, 8).unwrap());
    assert_eq!(batch.ban_of(tea, eve, 8).unwrap(), None);
}

#[test]
fn an_invitation_by_a_blocked_user_is_hidden() {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|name| user(&mut batch, name));
    let rooms = ["tea", "den"].map(|name| {
        let room = batch.create_room(&room_name(name), ann, 1).unwrap();
        room.unwrap()
    });
    let [tea, den] = rooms;
    batch.invite(tea, bob, ann, 2).unwrap();
    batch.invite(den, bob, eve, 3).unwrap();
    assert!(batch.is_invited(den, bob).unwrap());
    let counts = |batch: &Batch<'_>| {
        let counts = batch.invitation_counts(bob).unwrap();
        (counts.shown, counts.hidden)
    };
    assert_eq!(counts(&batch), (2, 0));
    batch.block(bob, eve, 4).unwrap();
    assert!(batch.blocks(bob, eve).unwrap() && !batch.blocks(eve, bob).unwrap());
    assert!(!batch.is_invited(den, bob).unwrap());
    assert_eq!(counts(&batch), (1, 1));
    let shown = batch.invitations_of(bob).unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!(
        (&*shown[0].roomname, shown[0].by.as_deref()),
        ("tea", Some("ann"))
    );
    // Another inviter takes the place of the hidden one.
    batch.invite(den, bob, ann, 5).unwrap();
    assert_eq!(counts(&batch), (2, 0));
    batch.invite(den, bob, eve, 6).unwrap();
    batch.forget_hidden_invitation(bob).unwrap();
    assert_eq!(batch.inviter(den, bob).unwrap(), None);
    batch.invite(den, bob, eve, 6).unwrap();
    batch.delete_invitations_by(bob, eve).unwrap();
    batch.unblock(bob, eve).unwrap();
    assert_eq!(counts(&batch), (1, 0));
    assert!(batch.delete_invitation(tea, bob).unwrap());
    assert!(!batch.delete_invitation(tea, bob).unwrap());
}
