//! What is unread, at login and after reading.

use echat_proto::records::Older;

use super::*;

const ROOM: &str = "room1";
/// Stands below the list of what is unread.
const HINT: &str = "`/msg <user>` or `/msg #<room>` opens one.";

/// Ann, who logs in to so many unread messages in a room. The bundle has none of them, and perhaps
/// not even that there are any.
fn with_unread(count: u64, is_in_more: bool) -> Stage {
    let mut stage = stage(Language::English);
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected);
    let more = is_in_more.then(|| Older {
        target_type: TargetType::Room,
        target: ROOM.to_owned(),
        before: 100,
    });
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    stage.says(
        LoginBundle {
            chat_rooms: vec![ROOM.to_owned()],
            unread: vec![Unread {
                target_type: TargetType::Room,
                target: ROOM.to_owned(),
                count,
                read_id: 3,
                mentions: None,
            }],
            more: more.into_iter().collect(),
            ..LoginBundle::default()
        }
        .into(),
    );
    stage.printed();
    stage
}

fn marked(id: u64) -> Event {
    Event::Marked {
        target_type: TargetType::Room,
        target: ROOM.to_owned(),
        id,
    }
}

#[test]
fn a_conversation_without_a_message_in_the_bundle_is_listed() {
    let mut stage = with_unread(7, true);
    assert_eq!(stage.prompt(), "contact [7]> ");
    stage.types("?");
    assert_eq!(stage.printed()[1..], ["Unread:", "  room1: 7 unread", HINT]);
    stage.types(":m");
    assert_eq!(stage.printed()[1..], ["Messages:", "  room1: 7 unread"]);
    // Nothing was used later, so that this is where `chat` goes.
    stage.types("\\c").types("chat");
    assert_eq!(stage.prompt(), "room1 [7]> ");
}

#[test]
fn opening_such_a_conversation_asks_for_its_messages() {
    for is_in_more in [true, false] {
        let mut stage = with_unread(1, is_in_more);
        stage.sent();
        stage.types("&r room1");
        assert_eq!(stage.sent(), [RequestKind::QueryHistory]);
        stage.printed();
        stage.says(Event::History {
            messages: vec![in_room(3, "bob", "old"), in_room(4, "bob", "new")],
            more: false,
            newer: None,
        });
        assert_eq!(
            stage.printed(),
            [
                "[2023-11-14 22:13:23] bob: old",
                "------ history above ------",
                "[2023-11-14 22:13:24] bob: new",
            ]
        );
    }
}

#[test]
fn a_message_that_arrives_while_a_chat_opens_hides_no_earlier_one() {
    let unread = || (4..=10).map(|id| in_room(id, "bob", "new"));
    for (is_in_more, is_early) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut stage = with_unread(6, is_in_more);
        let newest = || live(in_room(10, "bob", "new"), None);
        if is_early {
            stage.says(newest()).types("&r room1");
        } else {
            stage.types("&r room1").says(newest());
        }
        assert!(!stage.sent().contains(&RequestKind::MarkRead));
        stage.printed();
        stage.says(Event::History {
            messages: unread().collect(),
            more: true,
            newer: None,
        });
        let printed = stage.printed();
        // Nothing is shown that a rule could stand below.
        assert_eq!(printed.len(), 7, "{printed:?}");
        assert_eq!(stage.sent(), [RequestKind::MarkRead]);
        stage.types("/history");
        assert_eq!(stage.sent(), [RequestKind::QueryHistory]);
    }
}

/// Everything unread is on the screen before it counts as read, however many pages that are.
#[test]
fn all_unread_messages_are_shown_before_they_are_marked_as_read() {
    let mut stage = with_unread(430, false);
    stage.sent();
    stage.types("&r room1");
    let mut shown = 0;
    for (first, last) in [(384, 433), (184, 383), (4, 183)] {
        assert_eq!(stage.sent(), [RequestKind::QueryHistory], "{first}");
        shown = stage.printed().len();
        stage.says(Event::History {
            messages: (first..=last).map(|id| in_room(id, "bob", "new")).collect(),
            more: true,
            newer: None,
        });
    }
    let printed = stage.printed();
    assert!(
        shown <= 1 && printed.len() == 430,
        "{shown} {}",
        printed.len()
    );
    assert_eq!(stage.sent(), [RequestKind::MarkRead]);
    assert_eq!(stage.prompt(), "room1> ");
}

/// More than the client remembers are counted in a row above those that it shows.
#[test]
fn unread_messages_that_a_chat_cannot_show_are_named() {
    let mut stage = with_unread(900, false);
    stage.types("&r room1");
    let mut last = 903;
    for page in [50, 200, 200, 200] {
        stage.sent();
        stage.printed();
        stage.says(Event::History {
            messages: (last - page + 1..=last)
                .map(|id| in_room(id, "bob", "new"))
                .collect(),
            more: true,
            newer: None,
        });
        last -= page;
    }
    let printed = stage.printed();
    assert_eq!(
        printed[0],
        "450 older unread messages are not shown here. `/history` shows older messages."
    );
    assert_eq!(printed.len(), 451);
    assert_eq!(stage.sent(), [RequestKind::MarkRead]);
    stage.types("/history");
    assert_eq!(stage.sent(), [RequestKind::QueryHistory]);
}

#[test]
fn messages_read_before_this_run_stand_above_the_rule() {
    let mut stage = stage(Language::English);
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    stage.says(
        LoginBundle {
            chat_rooms: vec![ROOM.to_owned()],
            messages: vec![in_room(1, "bob", "old")],
            ..LoginBundle::default()
        }
        .into(),
    );
    stage.says(live(in_room(2, "bob", "new"), None)).printed();
    stage.types("&r room1");
    assert_eq!(
        stage.printed()[1..],
        [
            "[2023-11-14 22:13:21] bob: old",
            "------ history above ------",
            "[2023-11-14 22:13:22] bob: new",
        ]
    );
}

#[test]
fn shown_messages_are_marked_as_read_even_after_leaving_the_chat() {
    let mut stage = ann(Language::English);
    stage.types("&r room1");
    stage.says(live(in_room(5, "bob", "one"), None));
    stage.says(live(in_room(6, "bob", "two"), None));
    assert_eq!(stage.sent(), [RequestKind::MarkRead]);
    stage.types("\\c").says(marked(5));
    assert_eq!(stage.sent(), [RequestKind::MarkRead]);
    stage.says(marked(6));
    assert_eq!(stage.sent(), []);
    // What is not shown is not read.
    stage.says(live(in_room(7, "bob", "three"), None));
    assert_eq!(stage.sent(), []);
    assert_eq!(stage.prompt(), "command [1]> ");
}

/// The rows above the prompt.
fn rows(stage: &Stage) -> Vec<String> {
    stage.app.footer(9).iter().map(text).collect()
}

fn private(id: u64) -> Event {
    live(
        ChatMessage {
            target: "bob".to_owned(),
            target_type: TargetType::Friend,
            ..in_room(id, "bob", "hello")
        },
        None,
    )
}

#[test]
fn new_messages_in_other_chats_are_one_notice_with_a_count() {
    let mut stage = ann(Language::English);
    for id in 5..15 {
        stage.says(private(id));
    }
    stage.says(live(in_room(15, "carol", "x"), None));
    assert_eq!(stage.printed(), [""; 0], "no line for each message");
    assert_eq!(
        rows(&stage),
        ["bob: 10 new messages", "room1: 1 new message"]
    );
    stage.app.common.context.language = Language::Chinese;
    assert_eq!(
        rows(&stage),
        ["“bob”发来 10 条新消息", "聊天室“room1”有一条新消息"]
    );
    stage.app.common.context.language = Language::English;
    // Opening a conversation ends its notice, and the next message begins a new count.
    stage.types("&f bob");
    assert_eq!(rows(&stage), ["room1: 1 new message"]);
    stage.types("\\c").says(private(16));
    assert_eq!(rows(&stage), ["room1: 1 new message", "bob: 1 new message"]);
}

#[test]
fn notices_leave_room_for_unsent_lines() {
    let mut stage = ann(Language::English);
    let friends = ["bob", "carol", "dave", "eve"];
    for (id, friend) in (5..).zip(friends) {
        stage.says(Event::NewContact {
            username: friend.to_owned(),
        });
        let message = ChatMessage {
            target: friend.to_owned(),
            target_type: TargetType::Friend,
            ..in_room(id, friend, "hello")
        };
        stage.says(live(message, None));
    }
    let notices = [
        "and 2 new messages elsewhere",
        "dave: 1 new message",
        "eve: 1 new message",
    ];
    assert_eq!(rows(&stage), notices);
    stage.happens(Input::Closed(None));
    stage.types("@r room1 one").types("@r room1 two");
    assert_eq!(rows(&stage)[..3], notices);
    assert_eq!(
        rows(&stage)[3..],
        ["(pending) to room1: one", "(pending) to room1: two"]
    );
    let low: Vec<String> = stage.app.footer(1).iter().map(text).collect();
    assert_eq!(low, ["(pending) 2 more before these"]);
}

#[test]
fn several_conversations_share_a_row_of_a_small_window() {
    for (language, shared, alone) in [
        (
            Language::English,
            "unread: room1 2 @1, bob 1",
            "bob: 1 new message",
        ),
        (
            Language::Chinese,
            "未读：room1 2 @1、bob 1",
            "“bob”发来一条新消息",
        ),
    ] {
        let mut stage = ann(language);
        let footer = |stage: &Stage, rows| -> Vec<String> {
            stage.app.footer(rows).iter().map(text).collect()
        };
        stage.says(private(5));
        assert_eq!(footer(&stage, 3), [alone]);
        stage.says(live(mentioning(in_room(6, "bob", "@ann")), None));
        stage.says(live(in_room(7, "bob", "more"), None));
        assert_eq!(footer(&stage, 3), [shared]);
        assert_eq!(footer(&stage, 1), [shared]);
        assert_eq!(footer(&stage, 9).len(), 2, "there is place for both");
        // Unsent lines come first where there is one row.
        stage.happens(Input::Closed(None)).types("@r room1 one");
        assert_eq!(footer(&stage, 2)[0], shared);
        assert_eq!(footer(&stage, 1).len(), 1);
        assert_ne!(footer(&stage, 1), [shared]);
    }
}

#[test]
fn plain_output_prints_a_notice_once() {
    let mut stage = ann(Language::English);
    stage.app.common.context.settings.echoes = false;
    for id in 5..15 {
        stage.says(private(id));
    }
    assert_eq!(stage.printed(), ["bob: 1 new message"]);
    assert_eq!(stage.prompt(), "contact [10]> ");
    assert_eq!(rows(&stage), [""; 0]);
}

/// A bundle of what bob, room1 and the former friend eve have unread.
fn unread_of_three() -> LoginBundle {
    let of = |target_type, target: &str, count, mentions| Unread {
        target_type,
        target: target.to_owned(),
        count,
        read_id: 3,
        mentions: Some(mentions),
    };
    LoginBundle {
        chat_rooms: vec![ROOM.to_owned()],
        friends: vec!["bob".to_owned()],
        unread: vec![
            of(TargetType::Friend, "bob", 2, 0),
            of(TargetType::Room, ROOM, 3, 1),
            of(TargetType::Friend, "eve", 1, 0),
        ],
        ..LoginBundle::default()
    }
}

fn logs_in(stage: &mut Stage) {
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    stage.says(unread_of_three().into());
}

#[test]
fn what_is_unread_at_the_login_has_its_rows_and_the_prompt_counts_the_same() {
    let mut stage = stage(Language::English);
    logs_in(&mut stage);
    assert_eq!(stage.prompt(), "contact [6, @1]> ");
    assert_eq!(
        rows(&stage),
        [
            "eve: 1 new message",
            "room1: 3 new messages; 1 mention of you",
            "bob: 2 new messages"
        ]
    );
    stage.says(private(9));
    assert_eq!(stage.prompt(), "contact [7, @1]> ");
    assert_eq!(rows(&stage)[2], "bob: 3 new messages");
    // An open chat has no row, also while its messages are on their way.
    stage.types("/msg #room1");
    assert_eq!(rows(&stage), ["eve: 1 new message", "bob: 3 new messages"]);
    // Where rows would stay on the screen, the login prints them once.
    let mut stage = super::stage(Language::English);
    stage.app.common.context.settings.echoes = false;
    logs_in(&mut stage);
    let printed = stage.printed();
    assert_eq!(printed[printed.len() - 3..][2], "bob: 2 new messages");
    stage.says(private(9)).says(private(10));
    assert_eq!(stage.printed(), ["bob: 3 new messages"]);
}

#[test]
fn unread_conversations_are_listed_and_opened_from_every_mode() {
    let mut stage = stage(Language::English);
    logs_in(&mut stage);
    for mode in ["\\c", "query", "\\c", "contact", "&f bob"] {
        stage.types(mode).printed();
        stage.types("/unread");
        let printed = stage.printed();
        let list = [
            "Unread:",
            "  bob: 2 unread",
            "  room1: 3 unread; 1 mention of you",
            "  eve: 1 unread",
        ];
        assert_eq!(printed[printed.len() - 5..][..4], list, "{mode}");
        assert_eq!(printed.last().unwrap(), HINT);
    }
    // A friendship that ended leaves a conversation to be read.
    stage.types("/msg eve").sent();
    stage.says(Event::History {
        messages: vec![],
        more: false,
        newer: None,
    });
    stage.says(Event::History {
        messages: vec![ChatMessage {
            target: "eve".to_owned(),
            target_type: TargetType::Friend,
            ..in_room(4, "eve", "hi")
        }],
        more: false,
        newer: None,
    });
    assert_eq!(stage.prompt(), "eve [5, @1]> ");
    assert_eq!(stage.sent(), [RequestKind::MarkRead]);
}

#[test]
fn a_room_that_is_named_like_a_user_has_its_mark() {
    let mut stage = stage(Language::English);
    stage.types("login").types("ann").types("password1");
    stage.happens(Input::Connected);
    stage.says(Event::LoginSuccess {
        username: "ann".to_owned(),
    });
    let unread = |target_type| Unread {
        target_type,
        target: "bob".to_owned(),
        count: 1,
        read_id: 3,
        mentions: None,
    };
    stage.says(
        LoginBundle {
            chat_rooms: vec!["bob".to_owned(), ROOM.to_owned()],
            friends: vec!["bob".to_owned()],
            unread: vec![unread(TargetType::Friend), unread(TargetType::Room)],
            ..LoginBundle::default()
        }
        .into(),
    );
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    stage.printed();
    assert_eq!(rows(&stage), ["#bob: 1 new message", "bob: 1 new message"]);
    stage.types("/unread");
    assert_eq!(
        stage.printed()[1..4],
        ["Unread:", "  bob: 1 unread", "  #bob: 1 unread"]
    );
    let to_room = |id| ChatMessage {
        target: "bob".to_owned(),
        ..in_room(id, "ann", "hi")
    };
    stage
        .types("/msg #bob hi")
        .says(live(to_room(9), Some("t-1")));
    let printed = stage.printed();
    assert!(printed[1].ends_with("me to #bob: hi"), "{printed:?}");
    stage.happens(Input::Closed(None));
    stage.types("/msg #bob later");
    assert!(rows(&stage).contains(&"(pending) to #bob: later".to_owned()));
    stage.types("/msg #bob");
    assert!(stage.prompt().starts_with("#bob "), "{}", stage.prompt());
    stage.types("/msg #room1");
    assert!(stage.prompt().starts_with("room1 "), "{}", stage.prompt());
    stage.types("/msg bob");
    assert!(stage.prompt().starts_with("bob "), "{}", stage.prompt());
}

/// Ann is logged in and can send; the room has this number of unread messages.
fn ready(count: u64) -> Stage {
    let mut stage = with_unread(count, false);
    stage.happens(Input::Outgoing {
        user: "ann".to_owned(),
        lines: Some(Vec::new()),
    });
    stage.sent();
    stage
}

/// The connection comes back, and so many messages of the room are unread.
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
            unread: vec![unread],
            ..LoginBundle::default()
        }
        .into(),
    );
}

/// A page of messages of the room.
fn page(ids: std::ops::RangeInclusive<u64>, more: bool) -> Event {
    Event::History {
        messages: ids.map(|id| in_room(id, "bob", "new")).collect(),
        more,
        newer: None,
    }
}

/// A page without a message.
fn nothing() -> Event {
    Event::History {
        messages: vec![],
        more: false,
        newer: None,
    }
}

/// What was asked of the history since the last look: `missed` after an id, or the newest messages of the room.
fn asked(stage: &mut Stage) -> Vec<&'static str> {
    let mut asked = Vec::new();
    stage.effects.retain(|effect| match effect {
        Effect::Send(message) => {
            let asks = message.command == RequestKind::QueryHistory.info().number;
            let is_missed = format!("{:?}", message.params).contains("\"after\"");
            if asks {
                asked.push(if is_missed { "missed" } else { "newest" });
            }
            !asks
        }
        _ => true,
    });
    asked
}

#[test]
fn a_reconnect_marks_nothing_as_read_that_a_jump_left_out() {
    let mut stage = ready(40);
    let around = Goto::ChatAround(Target::Room(ROOM.to_owned()), 5);
    stage.app.go(around);
    let effects = stage.app.finish(true);
    stage.takes(effects);
    stage.says(page(4..=10, true));
    assert_eq!(stage.prompt(), "room1 [40]> ");
    stage.happens(Input::Closed(None));
    comes_back(&mut stage, 41);
    stage.sent();
    stage.says(page(44..=44, false));
    assert_eq!(stage.sent(), []);
    assert_eq!(stage.prompt(), "room1 [41]> ");
    assert!(stage.printed().concat().ends_with("bob: new"));
}

/// A question for a password, and out of it again.
fn asks_for_a_password(stage: &mut Stage) {
    stage.types("/passwd");
    assert!(stage.app.is_secret());
    stage.happens(Input::Key(Key::Ctrl('c')));
}

#[test]
fn a_question_for_a_password_marks_nothing_as_read_that_a_jump_left_out() {
    let mut stage = ready(7);
    stage.says(live(in_room(11, "bob", "new"), None));
    let around = Goto::ChatAround(Target::Room(ROOM.to_owned()), 3);
    stage.app.go(around);
    let effects = stage.app.finish(true);
    stage.takes(effects);
    stage.says(page(1..=4, true)).sent();
    assert_eq!(stage.prompt(), "room1 [8]> ");
    stage.printed();
    asks_for_a_password(&mut stage);
    assert_eq!(asked(&mut stage), ["newest"]);
    assert_eq!(stage.sent(), []);
    assert_eq!(stage.prompt(), "room1 [8]> ");
    stage.says(page(1..=10, false));
    let printed = stage.printed();
    let shown = printed.iter().filter(|line| line.ends_with("bob: new"));
    assert_eq!(shown.count(), 11, "{printed:?}");
    assert_eq!(stage.sent(), [RequestKind::MarkRead]);
}

/// The last page of 64 messages comes: all are shown, and only then marked as read.
fn the_rest_comes(stage: &mut Stage) {
    assert_eq!(stage.sent(), []);
    stage.says(page(1..=14, false));
    let printed = stage.printed();
    let shown = printed.iter().filter(|line| line.ends_with("bob: new"));
    assert_eq!(shown.count(), 64, "{printed:?}");
    assert_eq!(stage.sent(), [RequestKind::MarkRead]);
}

#[test]
fn a_question_for_a_password_marks_nothing_as_read_that_is_on_its_way() {
    let mut stage = ready(60);
    stage.says(live(in_room(64, "bob", "new"), None));
    stage.types("&r room1").printed();
    assert_eq!(asked(&mut stage), ["newest"]);
    asks_for_a_password(&mut stage);
    // The page that is on its way serves.
    assert_eq!(asked(&mut stage), [""; 0]);
    assert_eq!(stage.sent(), []);
    stage.says(page(15..=63, true));
    assert_eq!(asked(&mut stage), ["newest"]);
    the_rest_comes(&mut stage);
}

#[test]
fn a_question_for_a_password_marks_nothing_as_read_that_came_behind_it() {
    let mut stage = ready(60);
    stage.says(live(in_room(64, "bob", "new"), None));
    stage.types("&r room1").types("/passwd").printed();
    stage.says(page(15..=63, true));
    stage.sent();
    stage.happens(Input::Key(Key::Ctrl('c')));
    assert_eq!(asked(&mut stage), ["newest"]);
    the_rest_comes(&mut stage);
}

#[test]
fn a_question_for_a_password_marks_nothing_as_read_that_is_missing_offline() {
    let mut stage = ready(60);
    stage.says(live(in_room(64, "bob", "new"), None));
    stage.happens(Input::Closed(None));
    stage.types("&r room1");
    asks_for_a_password(&mut stage);
    assert_eq!(stage.prompt(), "room1 [61] (offline)> ");
    comes_back(&mut stage, 61);
    assert_eq!(asked(&mut stage), ["missed"]);
    stage.says(nothing());
    assert!(!stage.sent().contains(&RequestKind::MarkRead));
    assert_eq!(stage.prompt(), "room1 [61]> ");
}

#[test]
fn a_chat_that_is_opened_twice_offline_asks_for_its_page_once() {
    let mut stage = ready(60);
    stage.happens(Input::Closed(None));
    stage.types("&r room1").types("\\c").types("chat room1");
    comes_back(&mut stage, 60);
    assert_eq!(asked(&mut stage), ["missed", "newest"]);
    stage.says(nothing()).printed();
    stage.says(page(14..=63, true));
    assert_eq!(asked(&mut stage), ["newest"]);
    stage.says(page(1..=13, false));
    let printed = stage.printed();
    assert!(!printed.concat().contains("older"), "{printed:?}");
    assert_eq!(printed.len(), 64, "{printed:?}");
}

#[test]
fn a_chat_that_was_opening_at_a_loss_opens_after_the_reconnect() {
    for is_interactive in [true, false] {
        let mut stage = ready(60);
        stage.app.common.context.settings.interactive = is_interactive;
        stage.happens(Input::Line("&r room1".into()));
        assert_eq!(asked(&mut stage), ["newest"]);
        stage.happens(Input::Closed(None));
        let printed = stage.printed().concat();
        assert!(!printed.contains("lost before the answer"), "{printed}");
        // Another loss before the login changes nothing.
        stage.happens(Input::Connected).happens(Input::Closed(None));
        comes_back(&mut stage, 60);
        assert_eq!(asked(&mut stage), ["missed"]);
        stage.says(nothing());
        assert_eq!(asked(&mut stage), ["newest"]);
        assert!(!stage.sent().contains(&RequestKind::MarkRead));
        assert_eq!(stage.app.common.context.session.unread(), 60);
        stage.printed();
        stage.says(page(14..=63, true));
        assert_eq!(stage.printed(), [""; 0]);
        stage.says(page(1..=13, false));
        let printed = stage.printed();
        assert_eq!(printed.len(), 64, "{printed:?}");
        assert_eq!(printed[3], "------ history above ------");
        assert_eq!(
            stage.sent(),
            [RequestKind::QueryHistory, RequestKind::MarkRead]
        );
        assert_eq!(stage.app.common.context.session.unread(), 0);
    }
}

#[test]
fn a_chat_that_is_opened_offline_shows_all_that_is_unread_before_it_is_read() {
    let mut stage = ready(60);
    stage.happens(Input::Closed(None));
    stage.types("&r room1");
    // The queued page is asked for once.
    stage.happens(Input::Connected).happens(Input::Closed(None));
    comes_back(&mut stage, 61);
    assert_eq!(asked(&mut stage).len(), 2);
    stage.says(page(64..=64, false));
    assert!(!stage.sent().contains(&RequestKind::MarkRead));
    stage.printed();
    stage.says(page(14..=63, true));
    assert_eq!(asked(&mut stage), ["newest"]);
    stage.says(page(1..=13, false));
    let printed = stage.printed();
    assert_eq!(printed.len(), 65, "{printed:?}");
    assert_eq!(printed[3], "------ history above ------");
    assert_eq!(stage.prompt(), "room1> ");
    assert_eq!(stage.sent(), [RequestKind::MarkRead]);
}

#[test]
fn an_open_chat_that_shows_everything_is_read_after_a_reconnect() {
    let mut stage = ready(0);
    stage.types("&r room1").happens(Input::Closed(None));
    comes_back(&mut stage, 2);
    assert_eq!(asked(&mut stage), ["missed"]);
    stage.says(page(4..=5, false));
    assert!(stage.sent().contains(&RequestKind::MarkRead));
    assert_eq!(stage.prompt(), "room1> ");
}

/// Without a connection a chat shows what is remembered. The rest stays unread, and `/history` asks for it later.
#[test]
fn what_a_chat_that_is_opened_offline_cannot_show_stays_unread() {
    let mut stage = ready(60);
    stage.says(live(in_room(64, "bob", "new"), None));
    stage.happens(Input::Closed(None)).printed();
    stage.types("&r room1");
    assert_eq!(stage.printed()[1..], ["[2023-11-14 22:14:24] bob: new"]);
    assert_eq!(stage.prompt(), "room1 [61] (offline)> ");
    comes_back(&mut stage, 61);
    assert_eq!(asked(&mut stage), ["missed"]);
    stage.says(nothing());
    assert!(!stage.sent().contains(&RequestKind::MarkRead));
    assert_eq!(stage.prompt(), "room1 [61]> ");
    stage.types("/history");
    assert_eq!(asked(&mut stage), ["newest"]);
    stage.printed();
    stage.says(page(14..=63, true)).says(page(1..=13, false));
    assert_eq!(stage.printed().len(), 64);
    assert!(stage.sent().contains(&RequestKind::MarkRead));
    assert_eq!(stage.prompt(), "room1> ");
}

#[test]
fn a_chat_whose_page_is_refused_says_why_and_stays_unread() {
    let refused = || Event::Refused {
        fail: fail("storage_damaged", &[]),
    };
    let said = "Part of the server's database is damaged; its operator must repair it.";
    let mut stage = ready(60);
    stage.types("&r room1").sent();
    stage.says(live(in_room(64, "bob", "new"), None));
    stage.printed();
    stage.says(refused());
    let printed = stage.printed();
    assert!(printed[0].contains(said), "{printed:?}");
    assert_eq!(printed[1..], ["[2023-11-14 22:14:24] bob: new"]);
    stage.says(live(in_room(65, "bob", "more"), None));
    assert_eq!(stage.printed(), ["[2023-11-14 22:14:25] bob: more"]);
    assert_eq!(stage.sent(), []);
    assert_eq!(stage.prompt(), "room1 [62]> ");
    // It is asked again when the user wants it.
    stage.types("/history");
    assert_eq!(asked(&mut stage), ["newest"]);
    stage.says(refused());
    assert!(stage.printed().concat().contains(said));
    stage.types("\\c").types("chat room1");
    assert_eq!(asked(&mut stage), ["newest"]);
    stage.says(page(4..=63, false));
    assert_eq!(stage.sent(), [RequestKind::MarkRead]);
    assert_eq!(stage.prompt(), "room1> ");
}
