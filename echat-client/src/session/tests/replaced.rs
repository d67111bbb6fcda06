//! The server's database is replaced by an older one between two logins.

use super::*;
use echat_proto::records::Unread;

fn bundle_of(messages: Vec<ChatMessage>, newest: Option<u64>, history: Option<&str>) -> Event {
    LoginBundle {
        newest,
        history: history.map(str::to_owned),
        ..in_rooms(messages)
    }
    .into()
}

/// Ann, who has seen messages 1 to 9 of a history.
fn session(newest: Option<u64>, history: Option<&str>) -> Session {
    let mut session = Session::default();
    session.log_in("ann");
    let messages = (1..=8).map(|id| message(id, "r0", "bob")).collect();
    session.apply(
        bundle_of(messages, newest, history),
        Some(RequestContext::Login),
    );
    session.apply(live(&message(9, "r0", "bob"), false), None);
    session
}

fn ids(session: &Session) -> Vec<u64> {
    let room = Target::Room("r0".to_owned());
    let conversation = session.conversation(&room);
    let lines = conversation.iter().flat_map(|found| found.lines());
    lines.map(|post| post.id).collect()
}

/// Logs in again, and says whether the session started from the bundle.
fn comes_back(session: &mut Session, bundle: Event) -> bool {
    let updates = session.apply(bundle, Some(RequestContext::Login));
    let replaced = updates.contains(&Update::HistoryReplaced);
    if replaced {
        assert!(matches!(
            updates[..2],
            [
                Update::Answer(RequestContext::Login, Ok(_)),
                Update::HistoryReplaced
            ]
        ));
    }
    assert!(shown(&updates).is_empty());
    replaced
}

#[test]
fn another_name_or_a_lower_id_is_another_history() {
    let same = || (1..=3).map(|id| message(id, "r0", "bob")).collect();
    for (newest, history, replaced) in [
        (Some(9), Some("a"), false),
        (Some(50), Some("a"), false),
        (Some(50), None, false),
        (None, None, false),
        (None, Some("a"), false),
        (Some(8), Some("a"), true),
        (Some(8), None, true),
        (Some(0), None, true),
        (Some(50), Some("b"), true),
        (None, Some("b"), true),
    ] {
        let mut session = session(Some(8), Some("a"));
        let bundle = bundle_of(same(), newest, history);
        assert_eq!(
            comes_back(&mut session, bundle),
            replaced,
            "{newest:?} {history:?}"
        );
        // What the login did not bring is forgotten.
        assert_eq!(ids(&session), [1, 2, 3]);
        // Only what goes on where it was has missed something.
        assert_eq!(session.missed_after(), (!replaced).then_some(9));
    }
}

#[test]
fn the_highest_id_of_the_last_login_counts_though_no_message_had_it() {
    let mut session = Session::default();
    session.log_in("ann");
    session.apply(
        bundle_of(vec![], Some(40), Some("a")),
        Some(RequestContext::Login),
    );
    assert!(comes_back(
        &mut session,
        bundle_of(vec![], Some(39), Some("a"))
    ));
    // From here on the lower one is what is known.
    assert!(!comes_back(
        &mut session,
        bundle_of(vec![], Some(39), Some("a"))
    ));
}

#[test]
fn a_server_that_begins_to_name_its_history_changes_nothing() {
    let mut session = session(None, None);
    assert!(!comes_back(
        &mut session,
        bundle_of(vec![], Some(9), Some("a"))
    ));
    assert!(!comes_back(&mut session, bundle_of(vec![], None, None)));
    assert!(comes_back(
        &mut session,
        bundle_of(vec![], Some(9), Some("b"))
    ));
}

#[test]
fn new_messages_are_shown_under_ids_known_from_the_old_history() {
    let mut session = session(Some(8), Some("a"));
    assert!(comes_back(
        &mut session,
        bundle_of(vec![message(1, "r0", "bob")], Some(1), Some("b"))
    ));
    let own = session.apply(
        live(&message(2, "r0", "ann"), true),
        Some(RequestContext::Send),
    );
    let others = session.apply(live(&message(3, "r0", "bob"), false), None);
    assert_eq!((shown(&own), shown(&others)), (vec![2], vec![3]));
    assert_eq!(ids(&session), [1, 2, 3]);
    assert_eq!(session.unread(), 1);
}

#[test]
fn unread_counts_and_markers_are_those_of_the_new_history() {
    let mut session = session(Some(8), Some("a"));
    let room = Target::Room("r0".to_owned());
    session.read(&room);
    assert_eq!(session.unmarked(&room), Some(9));
    let mut bundle = bundle_of(vec![message(4, "r0", "bob")], Some(4), Some("b"));
    let Event::LoginBundle { unread, .. } = &mut bundle else {
        unreachable!("it is a bundle")
    };
    unread.push(Unread {
        target_type: TargetType::Room,
        target: "r0".to_owned(),
        count: 2,
        read_id: 2,
        mentions: None,
    });
    assert!(comes_back(&mut session, bundle));
    assert_eq!(session.unread(), 2);
    session.read(&room);
    assert_eq!(session.unmarked(&room), Some(4));
}

#[test]
fn another_message_under_a_known_id_is_another_history() {
    let other = |change: fn(&mut ChatMessage)| {
        let mut message = message(7, "r0", "bob");
        change(&mut message);
        message
    };
    for (told, replaced) in [
        (other(|_| {}), false),
        (other(|message| message.sent = true), false),
        (other(|message| message.content = "x".to_owned()), true),
        (other(|message| message.send_time = 70), true),
        // The user may have another name.
        (other(|message| message.sender = "carol".to_owned()), false),
        (other(|message| message.target = "r1".to_owned()), true),
    ] {
        for newest in [None, Some(50)] {
            let mut session = session(None, None);
            let bundle = bundle_of(vec![told.clone()], newest, None);
            assert_eq!(comes_back(&mut session, bundle), replaced, "{told:?}");
        }
    }
}

#[test]
fn a_message_between_two_known_ones_is_another_history() {
    let told = [10, 30].map(|id| message(id, "r0", "bob")).to_vec();
    for (id, room, replaced) in [
        (20, "r0", true),
        (20, "r1", false),
        (5, "r0", false),
        (31, "r0", false),
    ] {
        let mut session = Session::default();
        session.log_in("ann");
        session.apply(
            bundle_of(told.clone(), None, None),
            Some(RequestContext::Login),
        );
        let bundle = bundle_of(vec![message(id, room, "bob")], None, None);
        assert_eq!(comes_back(&mut session, bundle), replaced, "{id} {room}");
    }
}

#[test]
fn deferred_messages_of_the_old_history_are_dropped() {
    let mut session = session(Some(8), Some("a"));
    assert!(!comes_back(
        &mut session,
        bundle_of(vec![], Some(20), Some("a"))
    ));
    // It waits for the pages of what was missed, which the next cut prevents.
    session.apply(live(&message(21, "r0", "bob"), false), None);
    assert!(comes_back(
        &mut session,
        bundle_of(vec![message(1, "r0", "bob")], Some(20), Some("a"))
    ));
    let later = session.apply(live(&message(2, "r0", "bob"), false), None);
    assert_eq!(shown(&later), [2]);
    assert_eq!(ids(&session), [1, 2]);
}

#[derive(Clone, Copy, Debug)]
enum RestoreStep {
    /// Another user says something in one of two rooms.
    Say(bool),
    /// The client gets the next thing that is on the way to it.
    Deliver,
    Reconnect,
    /// The server falls, so many of its messages are lost, so many are said before the client is
    /// back. With true the server notices.
    Restore(usize, usize, bool),
}

/// A server whose ids begin again where its log ends, with one client.
struct RestoreSimulation {
    log: Vec<ChatMessage>,
    count: u64,
    name: u64,
    way: std::collections::VecDeque<(Event, Option<RequestContext>)>,
    session: Session,
}

impl RestoreSimulation {
    fn says(&mut self, in_first: bool) -> ChatMessage {
        self.count += 1;
        let id = self.log.last().map_or(0, |message| message.id) + 1;
        let room = if in_first { "r0" } else { "r1" };
        let sent = ChatMessage {
            content: format!("text {}", self.count),
            ..message(id, room, "bob")
        };
        self.log.push(sent.clone());
        sent
    }

    fn reconnects(&mut self) {
        self.way.clear();
        let newest = self.log.last().map_or(0, |message| message.id);
        let name = self.name.to_string();
        let bundle = bundle_of(self.log.clone(), Some(newest), Some(&name));
        self.way.push_back((bundle, Some(RequestContext::Login)));
    }

    fn deliver(&mut self) {
        let Some((event, asked)) = self.way.pop_front() else {
            return;
        };
        self.session.apply(event, asked.clone());
        if matches!(asked, Some(RequestContext::Login | RequestContext::CatchUp))
            && let Some(after) = self.session.missed_after()
        {
            let missed: Vec<ChatMessage> =
                self.log.iter().filter(|m| m.id > after).cloned().collect();
            let (messages, more) = (missed.iter().take(2).cloned().collect(), missed.len() > 2);
            let page = Event::History {
                messages,
                more,
                newer: None,
            };
            self.way.push_back((page, Some(RequestContext::CatchUp)));
        }
    }

    fn takes(&mut self, step: RestoreStep) {
        match step {
            RestoreStep::Say(in_first) => {
                let sent = self.says(in_first);
                self.way.push_back((live(&sent, false), None));
            }
            RestoreStep::Deliver => self.deliver(),
            RestoreStep::Reconnect => self.reconnects(),
            RestoreStep::Restore(lost, count, noticed) => {
                self.log.truncate(self.log.len().saturating_sub(lost));
                self.name += u64::from(noticed);
                for turn in 0..count {
                    self.says(turn % 2 == 0);
                }
                self.reconnects();
            }
        }
    }
}

proptest! {
    #[test]
    fn the_cache_equals_the_messages_of_the_server(steps in prop::collection::vec(
        prop_oneof![
            6 => any::<bool>().prop_map(RestoreStep::Say),
            6 => Just(RestoreStep::Deliver),
            1 => Just(RestoreStep::Reconnect),
            1 => (0usize..4, 0usize..8, any::<bool>())
                .prop_map(|(lost, count, noticed)| RestoreStep::Restore(lost, count, noticed)),
        ], 0..120,
    )) {
        let mut simulation = RestoreSimulation {
            log: vec![], count: 0, name: 0, way: [].into(), session: Session::default(),
        };
        simulation.session.log_in("ann");
        simulation.reconnects();
        for step in steps {
            simulation.takes(step);
        }
        while !simulation.way.is_empty() {
            simulation.deliver();
        }
        for room in ["r0", "r1"] {
            let conversation = simulation.session.conversation(&Target::Room(room.to_owned()));
            let held = conversation.iter().flat_map(|found| found.lines());
            let held: Vec<_> = held.map(|post| (post.id, post.content.clone())).collect();
            let has = simulation.log.iter().filter(|message| message.target == room);
            let has: Vec<_> = has.map(|message| (message.id, message.content.clone())).collect();
            prop_assert_eq!(held, has);
        }
    }
}

/// A bundle whose room r0 is called den.
fn renamed(messages: Vec<ChatMessage>, read_id: u64) -> Event {
    let mut event = bundle_of(messages, Some(50), Some("a"));
    if let Event::LoginBundle {
        chat_rooms, unread, ..
    } = &mut event
    {
        chat_rooms[0] = "den".to_owned();
        if read_id > 0 {
            unread.push(Unread {
                target_type: TargetType::Room,
                target: "den".to_owned(),
                count: 20,
                read_id,
                mentions: None,
            });
        }
    }
    event
}

#[test]
fn a_room_that_was_renamed_meanwhile_keeps_its_conversation() {
    let den = Target::Room("den".to_owned());
    let told = (8..=12).map(|id| message(id, "den", "bob")).collect();
    // Without a message that is held, the read marker tells.
    let later = (40..=50).map(|id| message(id, "den", "bob")).collect();
    for (messages, read_id, kept, older) in [(told, 0, &[8, 9][..], 8), (later, 9, &[], 10)] {
        let mut session = session(Some(8), Some("a"));
        let updates = session.apply(renamed(messages, read_id), Some(RequestContext::Login));
        assert!(!updates.contains(&Update::HistoryReplaced));
        assert!(!updates.contains(&Update::LeftRoom("r0".to_owned())));
        let news = RoomUpdate::Renamed {
            was: "r0".to_owned(),
            room: "den".to_owned(),
        };
        assert!(updates.contains(&Update::Room(news)), "{updates:?}");
        assert_eq!(ids(&session), [0; 0]);
        let conversation = session.conversation(&den).unwrap();
        let held: Vec<u64> = conversation.lines().map(|post| post.id).collect();
        assert_eq!((held.as_slice(), conversation.older()), (kept, Some(older)));
        assert!(session.has(&den));
    }
}

#[test]
fn a_room_of_other_messages_is_another_room() {
    let mut session = session(Some(8), Some("a"));
    let messages = (40..=50).map(|id| message(id, "den", "bob")).collect();
    let updates = session.apply(renamed(messages, 39), Some(RequestContext::Login));
    let lost = RoomUpdate::Lost {
        room: "r0".to_owned(),
        still_there: None,
    };
    assert!(updates.contains(&Update::Room(lost)), "{updates:?}");
    assert_eq!(ids(&session), [0; 0]);
}

#[test]
fn names_and_texts_change_within_a_history() {
    let change = |change: fn(&mut ChatMessage)| {
        let mut messages: Vec<_> = (1..=9).map(|id| message(id, "r0", "bob")).collect();
        change(&mut messages[4]);
        let mut session = session(Some(8), Some("a"));
        comes_back(&mut session, bundle_of(messages, Some(50), Some("a")))
    };
    assert!(!change(
        |message| message.sender = "deleted account 7".to_owned()
    ));
    assert!(!change(|message| {
        message.content.clear();
        message.deleted = Some(true);
    }));
    assert!(change(|message| message.content = "another text".to_owned()));
    assert!(change(|message| message.send_time += 1));
    assert!(change(|message| message.target = "r1".to_owned()));
}
