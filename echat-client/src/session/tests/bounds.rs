//! What the session keeps is bounded, whatever a server sends, and what it forgets is asked for again.

use super::*;
use echat_proto::param::RoomRole;

/// A text that is long for any field.
const LONG: usize = 200 * 1024;

fn room(number: usize) -> Target {
    Target::Room(format!("r{number}"))
}

/// Bytes of the messages of a conversation.
fn bytes(session: &Session, target: &Target) -> usize {
    let conversation = session.conversation(target);
    let lines = conversation.into_iter().flat_map(Conversation::lines);
    let reactions = |post: &Post| -> usize {
        let reactions = post.reactions.iter();
        reactions
            .map(|reaction| size_of::<ReactionCount>() + reaction.emoji.len())
            .sum()
    };
    lines
        .map(|post| post.sender.len() + post.content.len() + reactions(post))
        .sum()
}

/// The message with a text of so many bytes.
fn long(message: ChatMessage, length: usize) -> ChatMessage {
    ChatMessage {
        content: "x".repeat(length),
        ..message
    }
}

fn changed(message: ChatMessage) -> Event {
    Event::OnMessageChanged {
        id: message.id,
        by: message.sender.clone(),
        sender: message.sender,
        send_time: message.send_time,
        target: message.target,
        target_type: message.target_type,
        content: message.content,
        deleted: None,
        bot: message.bot,
        reply_to: None,
        edited: Some(1),
        mentions: None,
        reactions: message.reactions,
        reacted: None,
    }
}

fn page(messages: Vec<ChatMessage>) -> Event {
    Event::History {
        messages,
        more: false,
        newer: None,
    }
}

/// What holds a conversation and one message over its bound.
const CONVERSATION: usize = 256 * 1024 + 2 * LONG;

#[test]
fn every_text_of_a_message_counts() {
    let target = room(0);
    let mut session = logged_in(vec![]);
    for id in 1..=100 {
        let sender = format!("{id}{}", "x".repeat(LONG));
        session.apply(live(&message(id, "r0", &sender), false), None);
    }
    let kept = bytes(&session, &target);
    assert!(kept <= CONVERSATION, "{kept} bytes with long names");

    let mut session = logged_in(vec![]);
    for id in 1..=500 {
        session.apply(live(&message(id, "r0", "bob"), false), None);
    }
    for id in 1..=500 {
        session.apply(changed(long(message(id, "r0", "bob"), LONG)), None);
    }
    let kept = bytes(&session, &target);
    assert!(kept <= CONVERSATION, "{kept} bytes with long new texts");
    let conversation = session.conversation(&target).unwrap();
    let first = conversation.lines().next().map(|post| post.id);
    assert_eq!(conversation.older(), first);

    let mut session = logged_in(vec![]);
    for id in 1..=500 {
        session.apply(live(&message(id, "r0", "bob"), false), None);
    }
    let renamed = Event::OnUserRenamed {
        was: "bob".to_owned(),
        username: "x".repeat(LONG),
    };
    session.apply(renamed, None);
    let kept = bytes(&session, &target);
    assert!(kept <= CONVERSATION, "{kept} bytes with a long new name");
}

#[test]
fn reactions_count_however_short_they_are() {
    let reaction = Reaction {
        emoji: String::new(),
        count: 1,
        mine: None,
    };
    let mut session = logged_in(vec![]);
    for id in 1..=100 {
        let reactions = Some(vec![reaction.clone(); 5_000]);
        session.apply(live(&message(id, "r0", "bob"), false), None);
        let message = message(id, "r0", "bob");
        session.apply(
            changed(ChatMessage {
                reactions,
                ..message
            }),
            None,
        );
    }
    let kept = bytes(&session, &room(0));
    assert!(kept <= CONVERSATION, "{kept} bytes");
}

#[test]
fn a_page_of_the_largest_size_fits() {
    let mut session = logged_in(vec![message(1_000, "r0", "bob")]);
    let length = echat_proto::limits::PAGE_BYTES / 200 - 64;
    let messages = (1..=200).map(|id| long(message(id, "r0", "bob"), length));
    let asked = RequestContext::Page(room(0), Some(1_000));
    session.apply(page(messages.collect()), Some(asked));
    assert_eq!(session.conversation(&room(0)).unwrap().lines().len(), 201);
}

#[test]
fn the_messages_of_all_conversations_are_bounded() {
    let rooms = 250;
    let mut session = logged_in(vec![]);
    for number in 0..rooms {
        let name = format!("r{number}");
        session.apply(
            Event::OnNewRoom {
                roomname: name.clone(),
            },
            None,
        );
        let id = number as u64 + 1;
        session.apply(live(&long(message(id, &name, "bob"), LONG), false), None);
        let kept: usize = (0..rooms)
            .map(|number| bytes(&session, &room(number)))
            .sum();
        assert!(kept <= MESSAGE_BYTES, "{kept} bytes");
    }
    let is_held = |number| bytes(&session, &room(number)) > 0;
    assert!(is_held(rooms - 1) && is_held(rooms - 50));
    // The conversation stays, with its unread message, which is asked for when it is opened.
    assert!(!is_held(0));
    let oldest = session.conversation(&room(0)).unwrap();
    assert_eq!((oldest.older(), oldest.unread()), (Some(2), 1));
}

#[test]
fn conversations_are_bounded() {
    let mut session = logged_in(vec![]);
    session.conversations.clear();
    session.recent = (0..CONVERSATIONS).map(room).collect();
    for target in &session.recent {
        session
            .conversations
            .insert(target.clone(), Conversation::default());
    }
    for id in 1..=10 {
        let name = format!("new{id}");
        session.apply(live(&message(id, &name, "bob"), false), None);
        assert_eq!(session.conversations.len(), CONVERSATIONS);
        assert_eq!(session.recent.len(), CONVERSATIONS);
    }
    assert!(session.conversation(&room(0)).is_some());
    assert!(session.conversation(&room(CONVERSATIONS - 1)).is_none());
}

#[test]
fn names_are_bounded() {
    let mut session = logged_in(vec![]);
    let more = NAMED + 10;
    session.pending = (0..NAMED).map(|number| format!("p{number}")).collect();
    for number in 0..more {
        let [username, roomname] = ["u", "n"].map(|name| format!("{name}{number}"));
        session.apply(Event::NewContact { username }, None);
        session.apply(Event::OnNewRoom { roomname }, None);
    }
    for number in 0..10 {
        let username = format!("new{number}");
        let asks = Event::IncommingFriendRequest { username };
        assert_eq!(session.apply(asks, None), []);
    }
    assert_eq!(session.friends().len(), NAMED);
    assert_eq!(session.rooms().len(), NAMED);
    assert_eq!(session.pending().len(), NAMED);
}

/// A room with a topic of so many bytes.
fn settings(roomname: String, topic: usize) -> RoomInfo {
    RoomInfo {
        roomname,
        topic: "x".repeat(topic),
        owner: "bob".to_owned(),
        operators: Vec::new(),
        private: false,
        read_only: false,
        slow_seconds: 0,
        keep_days: None,
        members: 2,
        created: 1,
        role: None,
    }
}

#[test]
fn settings_of_rooms_are_bounded() {
    let mut session = logged_in(vec![]);
    let topic = 1_000;
    let told = 10_000;
    for number in 0..told {
        let room = settings(format!("r{number}"), topic);
        session.apply(Event::Room { room }, None);
    }
    let known = (0..told).filter(|number| session.room_settings(&room(*number)).is_some());
    let known = known.count();
    assert!(known * topic < 4 << 20, "{known} rooms");
    assert!(session.room_settings(&room(told - 1)).is_some());
    for number in 0..2_000 {
        let event = Event::OnRole {
            roomname: format!("r{}", told - 1),
            membername: format!("m{number}"),
            role: RoomRole::Operator,
            by: None,
        };
        session.apply(event, None);
    }
    let operators = &session.room_settings(&room(told - 1)).unwrap().operators;
    assert_eq!(operators.len(), 1_000);
}

#[test]
fn found_messages_are_bounded() {
    let mut session = logged_in(vec![]);
    let lookup = Lookup::new(LookupKind::Mentions);
    let found: Vec<ChatMessage> = (1..=1_000).map(|id| message(id, "r0", "bob")).collect();
    let asked = RequestContext::Lookup(lookup);
    session.apply(page(found.clone()), Some(asked));
    assert_eq!(session.found_page().count(), found.len());
    for message in found {
        session.apply(changed(long(message, LONG)), None);
    }
    let kept: usize = session
        .found_page()
        .map(|(_, _, post)| post.content.len())
        .sum();
    assert!(kept <= 4 << 20, "{kept} bytes");
    // Each still says where it is.
    assert!((1..=1_000).all(|number| session.found(number).is_some()));
}
