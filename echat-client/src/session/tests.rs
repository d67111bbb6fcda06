use super::*;
use echat_proto::param::{Mark, Nullable, TargetType};
use echat_testkit::login_bundle::LoginBundle;
use proptest::prelude::*;

mod bounds;
mod replaced;

fn message(id: u64, room: &str, sender: &str) -> ChatMessage {
    ChatMessage {
        id,
        username: "ann".to_owned(),
        sender: sender.to_owned(),
        send_time: id,
        target: room.to_owned(),
        target_type: TargetType::Room,
        sent: false,
        content: format!("text {id}"),
        deleted: None,
        bot: Mark::default(),
        reply_to: None,
        edited: None,
        mentions: None,
        reactions: None,
    }
}

fn live(message: &ChatMessage, own: bool) -> Event {
    Event::OnNewMessage {
        id: message.id,
        content: message.content.clone(),
        sender: message.sender.clone(),
        target_type: message.target_type,
        send_time: message.send_time,
        target: message.target.clone(),
        txn_id: own.then_some(Nullable(None)),
        deleted: None,
        bot: message.bot,
        reply_to: None,
        edited: None,
        mentions: None,
    }
}

/// A login of a user in two rooms.
fn in_rooms(messages: Vec<ChatMessage>) -> LoginBundle {
    LoginBundle {
        chat_rooms: vec!["r0".to_owned(), "r1".to_owned()],
        friends: vec!["bob".to_owned()],
        pending_requests: vec!["carol".to_owned()],
        messages,
        ..LoginBundle::default()
    }
}

fn bundle(messages: Vec<ChatMessage>) -> Event {
    in_rooms(messages).into()
}

fn logged_in(messages: Vec<ChatMessage>) -> Session {
    let mut session = Session::default();
    session.log_in("ann");
    session.apply(bundle(messages), Some(RequestContext::Login));
    session
}

fn shown(updates: &[Update]) -> Vec<u64> {
    let ids = updates.iter().filter_map(|updates| match updates {
        Update::Message(_, post) => Some(post.id),
        _ => None,
    });
    ids.collect()
}

#[test]
fn presence_and_friends_are_reported_once() {
    let mut session = logged_in(vec![]);
    let bob = || "bob".to_owned();
    let came = Event::OnFriendOnline { username: bob() };
    assert_eq!(
        session.apply(came.clone(), None),
        [Update::Friend(bob(), true)]
    );
    assert_eq!(session.apply(came, None), []);
    let asks = Event::IncommingFriendRequest {
        username: "carol".to_owned(),
    };
    assert_eq!(session.apply(asks, None), []);
    assert_eq!(session.pending(), ["carol"]);
    let friends = Event::NewContact {
        username: "carol".to_owned(),
    };
    assert_eq!(
        session.apply(friends, None),
        [Update::NewContact("carol".to_owned())]
    );
    assert!(session.pending().is_empty());
}

#[test]
fn unread_counts_others_and_reading_moves_the_marker() {
    let mut session = logged_in(vec![message(1, "r0", "bob")]);
    let room = Target::Room("r0".to_owned());
    session.apply(live(&message(2, "r0", "bob"), false), None);
    session.apply(
        live(&message(3, "r0", "ann"), true),
        Some(RequestContext::Send),
    );
    assert_eq!(session.unread(), 1);
    session.read(&room);
    assert_eq!(session.unread(), 0);
    assert_eq!(
        (session.unmarked(&room), session.unmarked(&room)),
        (Some(2), None)
    );
}

#[test]
fn a_marker_that_the_server_does_not_move_is_sent_again() {
    let refused = || Event::Refused {
        fail: Fail {
            code: "rate_limited".to_owned(),
            message: String::new(),
            detail: Vec::new(),
        },
    };
    let mut session = logged_in(vec![]);
    let room = Target::Room("r0".to_owned());
    session.apply(live(&message(2, "r0", "bob"), false), None);
    session.apply(live(&message(4, "r0", "bob"), false), None);
    session.read(&room);
    let asked = || Some(RequestContext::MarkRead(room.clone()));
    assert_eq!(session.unmarked(&room), Some(4));
    assert_eq!(session.unmarked(&room), None);
    session.apply(refused(), asked());
    assert_eq!(session.unmarked(&room), Some(4));
    // Another session has moved it in between.
    let read = Event::OnRead {
        target_type: TargetType::Room,
        target: "r0".to_owned(),
        id: 4,
    };
    session.apply(read, None);
    session.apply(refused(), asked());
    assert_eq!(session.unmarked(&room), None);
}

#[test]
fn scrollback_is_bounded_and_paged_in_again() {
    let mut session = logged_in(vec![]);
    for id in 1..=2_000 {
        session.apply(live(&message(id, "r0", "bob"), false), None);
    }
    let room = Target::Room("r0".to_owned());
    let conversation = session.conversation(&room).unwrap();
    assert_eq!(conversation.lines().count(), 500);
    assert_eq!(conversation.older(), Some(1_501));
    let page = Event::History {
        messages: vec![message(1_500, "r0", "bob")],
        more: true,
        newer: None,
    };
    session.apply(page, Some(RequestContext::Page(room.clone(), Some(1_501))));
    // Room for it: it is shown and asked for again another time does not exist.
    assert_eq!(session.conversation(&room).unwrap().older(), Some(1_501));
}

#[test]
fn a_page_that_did_not_fit_leaves_no_gap() {
    let mut session = logged_in(vec![]);
    let room = Target::Room("r0".to_owned());
    let long = |id| ChatMessage {
        content: "x".repeat(150 * 1024),
        ..message(id, "r0", "bob")
    };
    let page = |message| Event::History {
        messages: vec![message],
        more: true,
        newer: None,
    };
    session.apply(live(&long(9), false), None);
    session.apply(
        page(long(8)),
        Some(RequestContext::Page(room.clone(), Some(9))),
    );
    session.apply(
        page(message(7, "r0", "bob")),
        Some(RequestContext::Page(room.clone(), Some(8))),
    );
    let lines = session.conversation(&room).unwrap().lines();
    assert_eq!(lines.map(|post| post.id).collect::<Vec<_>>(), [9]);
}

#[test]
fn a_user_sees_nothing_of_the_user_before() {
    let mut session = logged_in(vec![message(1, "r0", "bob")]);
    session.log_in("bob");
    assert!(session.rooms().is_empty() && session.recent().next().is_none());
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Another user says something in one of two rooms.
    Say(bool),
    /// The client gets the next thing that is on the way to it.
    Deliver,
    Reconnect,
}

/// A server with one client, whose connection holds what is on the way.
struct Simulation {
    log: Vec<ChatMessage>,
    way: std::collections::VecDeque<(Event, Option<RequestContext>)>,
    session: Session,
    shown: Vec<u64>,
}

impl Simulation {
    fn deliver(&mut self) {
        let Some((event, asked)) = self.way.pop_front() else {
            return;
        };
        let updates = self.session.apply(event, asked.clone());
        self.shown.extend(shown(&updates));
        if matches!(asked, Some(RequestContext::Login | RequestContext::CatchUp))
            && let Some(after) = self.session.missed_after()
        {
            let missed: Vec<ChatMessage> =
                self.log.iter().filter(|m| m.id > after).cloned().collect();
            let (messages, more) = (missed.iter().take(3).cloned().collect(), missed.len() > 3);
            self.way.push_back((
                Event::History {
                    messages,
                    more,
                    newer: None,
                },
                Some(RequestContext::CatchUp),
            ));
        }
    }
}

proptest! {
    #[test]
    fn every_message_is_shown_once_and_in_order(steps in prop::collection::vec(
        prop_oneof![
            4 => any::<bool>().prop_map(Step::Say),
            4 => Just(Step::Deliver),
            1 => Just(Step::Reconnect),
        ], 0..120,
    )) {
        let mut simulation = Simulation {
            log: vec![], way: [].into(), session: logged_in(vec![]), shown: vec![],
        };
        for step in steps {
            match step {
                Step::Say(own) => {
                    let id = 10 + 2 * simulation.log.len() as u64;
                    let sender = if own { "ann" } else { "bob" };
                    let sent = message(id, if id.is_multiple_of(4) { "r0" } else { "r1" }, sender);
                    simulation.way.push_back((live(&sent, own), own.then_some(RequestContext::Send)));
                    simulation.log.push(sent);
                }
                Step::Deliver => simulation.deliver(),
                Step::Reconnect => {
                    simulation.way.clear();
                    let newest = simulation.log.iter().rev().take(2).rev().cloned().collect();
                    simulation.way.push_back((bundle(newest), Some(RequestContext::Login)));
                }
            }
        }
        while !simulation.way.is_empty() {
            simulation.deliver();
        }
        let sent: Vec<u64> = simulation.log.iter().map(|message| message.id).collect();
        prop_assert_eq!(&simulation.shown, &sent);
    }
}
