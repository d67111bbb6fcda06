//! What was missed during a lost connection, when the server refuses it.

use super::*;

const ROOM: &str = "room1";

/// Ann in a place, with one message of the room, whose connection comes back to so many unread ones.
fn back(place: &str, count: u64) -> Stage {
    let mut stage = ann(Language::English);
    stage.says(live(in_room(3, "bob", "new"), None));
    stage.types(place).happens(Input::Closed(None));
    comes_back(&mut stage, count);
    stage.effects.clear();
    stage
}

fn comes_back(stage: &mut Stage, count: u64) {
    stage.happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    let unread = Unread {
        target_type: TargetType::Room,
        target: ROOM.to_owned(),
        count,
        read_id: 3,
        mentions: None,
    };
    stage.says(
        LoginBundle {
            chat_rooms: vec![ROOM.to_owned()],
            friends: vec!["bob".to_owned()],
            messages: vec![in_room(3, "bob", "new")],
            unread: vec![unread],
            newest: Some(2 + count),
            ..LoginBundle::default()
        }
        .into(),
    );
}

fn refused(code: &str, detail: &[(&str, u64)]) -> Event {
    Event::Refused {
        fail: fail(code, detail),
    }
}

fn page(ids: std::ops::RangeInclusive<u64>, more: bool) -> Event {
    Event::History {
        messages: ids.map(|id| in_room(id, "bob", "new")).collect(),
        more,
        newer: None,
    }
}

/// A message that arrives now.
fn arrives(stage: &mut Stage, id: u64) {
    stage.says(live(in_room(id, "bob", "live"), None));
}

#[test]
fn what_the_server_is_too_busy_for_is_asked_for_again() {
    for (code, detail, seconds) in [
        ("storage_busy", &[][..], 5),
        ("rate_limited", &[("retry_after", 7)][..], 7),
    ] {
        let mut stage = back("&r room1", 2);
        for wait in 1..=3 {
            stage.says(refused(code, detail));
            arrives(&mut stage, 5 + wait);
            let printed = stage.printed();
            assert_eq!(printed.len(), usize::from(wait == 1), "{printed:?}");
            if let Some(said) = printed.first() {
                let begin = format!("What you missed will be fetched in {seconds} s: ");
                assert!(said.starts_with(&begin), "{said}");
            }
            assert_eq!(stage.sent(), []);
            let at = 1_700_000_000 + seconds * wait;
            assert_eq!(stage.app.wakes_at(), Some(at));
            stage.happens(Input::Tick { now: at - 1 });
            assert_eq!(stage.sent(), []);
            stage.happens(Input::Tick { now: at });
            assert_eq!(stage.sent(), [RequestKind::QueryHistory]);
        }
        stage.says(page(4..=8, false));
        let printed = stage.printed();
        assert_eq!(printed.len(), 5, "{printed:?}");
        assert_eq!(printed[4], "[2023-11-14 22:13:28] bob: live");
        assert_eq!(stage.sent(), [RequestKind::MarkRead]);
        assert_eq!(stage.app.wakes_at(), None);
    }
}

#[test]
fn a_chat_goes_on_behind_what_cannot_be_fetched() {
    let mut stage = back("contact", 40);
    arrives(&mut stage, 50);
    stage.says(refused("storage_damaged", &[]));
    assert_eq!(
        stage.printed(),
        [
            "What you missed could not be fetched: Part of the server's database is damaged; its operator must repair \
             it. It stays unread, and opening a chat asks for it again."
        ]
    );
    assert_eq!(stage.sent(), []);
    assert_eq!(stage.prompt(), "contact [41]> ");
    // Nothing is held back any more.
    arrives(&mut stage, 51);
    let room = Target::Room(ROOM.to_owned());
    let session = &stage.app.common.context.session;
    let held = session.conversation(&room).unwrap().lines();
    assert_eq!(held.map(|post| post.id).collect::<Vec<_>>(), [50, 51]);
    stage.types("&r room1");
    assert_eq!(stage.sent(), [RequestKind::QueryHistory]);
    stage.printed();
    stage.says(page(1..=49, false));
    let printed = stage.printed();
    assert_eq!(printed.len(), 52, "{printed:?}");
    assert_eq!(printed[3], "------ history above ------");
    assert_eq!(printed[51], "[2023-11-14 22:14:11] bob: live");
    assert_eq!(stage.sent(), [RequestKind::MarkRead]);
    // The next reconnect asks for what came since.
    stage.happens(Input::Closed(None));
    comes_back(&mut stage, 60);
    assert_eq!(stage.app.common.context.session.missed_after(), Some(51));
}

#[test]
fn an_open_chat_asks_for_what_could_not_be_fetched() {
    let mut stage = back("&r room1", 40);
    arrives(&mut stage, 50);
    stage.says(refused("storage_damaged", &[]));
    assert_eq!(stage.printed().len(), 1);
    assert_eq!(stage.sent(), [RequestKind::QueryHistory]);
    assert_eq!(stage.prompt(), "room1 [41]> ");
    stage.says(page(4..=49, true));
    let printed = stage.printed();
    assert_eq!(printed.last().unwrap(), "[2023-11-14 22:14:10] bob: live");
    assert_eq!(stage.sent(), [RequestKind::MarkRead]);
    assert_eq!(stage.prompt(), "room1> ");

    // If the server refuses that too, what arrives is shown, and the rest stays unread.
    let mut stage = back("&r room1", 40);
    arrives(&mut stage, 50);
    stage.says(refused("storage_damaged", &[]));
    stage.says(refused("storage_damaged", &[]));
    let printed = stage.printed();
    assert_eq!(printed.last().unwrap(), "[2023-11-14 22:14:10] bob: live");
    arrives(&mut stage, 51);
    assert_eq!(stage.printed(), ["[2023-11-14 22:14:11] bob: live"]);
    assert!(!stage.sent().contains(&RequestKind::MarkRead));
    assert_eq!(stage.prompt(), "room1 [42]> ");
}

#[test]
fn a_server_that_stays_busy_is_not_waited_for_without_end() {
    let mut stage = back("contact", 2);
    let mut asked = 1;
    let mut now = 1_700_000_000;
    stage.says(refused("storage_busy", &[]));
    while let Some(at) = stage.app.wakes_at() {
        assert!(at > now && asked < 20);
        now = at;
        stage.happens(Input::Tick { now });
        assert_eq!(stage.sent(), [RequestKind::QueryHistory]);
        asked += 1;
        stage.says(refused("storage_busy", &[]));
    }
    assert!(asked > 3);
    let printed = stage.printed();
    assert_eq!(printed.len(), 2, "{printed:?}");
    assert!(printed[1].starts_with("What you missed could not be fetched: "));
    let mut stage = back("contact", 2);
    stage.says(refused("rate_limited", &[("retry_after", 3_000)]));
    assert_eq!((stage.printed().len(), stage.app.wakes_at()), (1, None));
}

#[test]
fn a_lost_connection_ends_the_wait() {
    let mut stage = back("contact", 2);
    stage.says(refused("storage_busy", &[]));
    stage.happens(Input::Closed(None)).sent();
    assert_eq!(stage.app.wakes_at(), None);
    comes_back(&mut stage, 2);
    assert!(stage.sent().contains(&RequestKind::QueryHistory));
}
