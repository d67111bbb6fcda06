//! Users who write to one room as fast as they are answered, and what they know in the end.

use std::collections::BTreeMap;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use echat_proto::Value;
use echat_proto::channel::Incoming;

use crate::place::{Place, Running};
use crate::wire::{Client, line, message, number};

/// The users, all of them members of [`HALL`].
pub(crate) const NAMES: [&str; 4] = ["ann", "bob", "cyn", "dan"];
/// Their room.
pub(crate) const HALL: &str = "hall";
/// Messages that one user has on the way at a time.
const WINDOW: usize = 16;

/// What one user knows when the connection has ended.
pub(crate) struct Written {
    /// Every message that was sent, by its txn_id, in order.
    pub(crate) sent: Vec<String>,
    /// The ids of those that were acknowledged.
    pub(crate) acknowledged: BTreeMap<String, u64>,
    /// The reason that the server gave, if it gave one.
    pub(crate) goodbye: Option<u64>,
}

/// A place with a server whose users are in the hall already.
pub(crate) fn hall() -> (Place, Running) {
    let place = Place::new();
    place.write(
        "config.json",
        r#"{"server": {"limits": {"message_rate": 0}}}"#,
    );
    let server = place.start(&["--log", "warn"]);
    let mut ann = Client::register(&server, NAMES[0]);
    let made = ann.asks(&format!(
        r#"CREATE_ROOM {{"roomname":"{HALL}","members":[]}}"#
    ));
    assert!(line(&made).contains(r#""success":true"#), "{}", line(&made));
    for name in &NAMES[1..] {
        let joined = Client::register(&server, name).asks(&format!("JOIN_ROOM \"{HALL}\""));
        assert!(
            line(&joined).contains(r#""success":true"#),
            "{}",
            line(&joined)
        );
    }
    (place, server)
}

/// Everybody writes until the server is gone. It is struck by `strike` once this many messages
/// have been acknowledged.
pub(crate) fn write_until(
    server: &Running,
    round: usize,
    acknowledged: usize,
    strike: impl FnOnce(&Running),
) -> Vec<Written> {
    let writers: Vec<_> = NAMES
        .iter()
        .map(|name| (name, Client::login(server, name)))
        .collect();
    thread::scope(|scope| {
        let (sender, acknowledgements) = channel();
        let threads: Vec<_> = writers
            .into_iter()
            .map(|(name, client)| {
                let sender = sender.clone();
                scope.spawn(move || write(client, &format!("{name}-{round}"), &sender))
            })
            .collect();
        drop(sender);
        assert_eq!(
            acknowledgements.iter().take(acknowledged).count(),
            acknowledged
        );
        strike(server);
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// The request that sends this message.
pub(crate) fn request(txn_id: &str) -> String {
    format!(
        r#"SEND_MESSAGE {{"target_type":1,"target":"{HALL}","content":"{txn_id}","txn_id":"{txn_id}"}}"#
    )
}

/// Writes until the connection ends. What comes must come in one order, whoever wrote it.
fn write(mut client: Client, prefix: &str, acknowledgements: &Sender<()>) -> Written {
    let mut written = Written {
        sent: Vec::new(),
        acknowledged: BTreeMap::new(),
        goodbye: None,
    };
    let mut last = 0;
    loop {
        let on_the_way = written.sent.len() - written.acknowledged.len();
        let more: Vec<_> = (0..WINDOW - on_the_way)
            .map(|n| format!("{prefix}-{}", written.sent.len() + n))
            .collect();
        // With nobody there, what has come already is still to be read.
        client.says(
            &more
                .iter()
                .map(|txn_id| request(txn_id))
                .collect::<Vec<_>>(),
        );
        written.sent.extend(more);
        match client.hears() {
            None => return written,
            Some(Incoming::Close(reason)) => {
                written.goodbye = Some(reason);
                return written;
            }
            Some(Incoming::Message(message)) if message.command == on_new_message() => {
                let id = number(&message.params, "id");
                assert!(id > last, "{id} after {last}");
                last = id;
                if let Some(Value::Str(txn_id)) = message.params.at("txn_id") {
                    written.acknowledged.insert(txn_id.clone(), id);
                    // Nobody counts any more once the server was struck.
                    let _ = acknowledgements.send(());
                }
            }
            Some(Incoming::Message(other)) => {
                assert!(line(&other).starts_with("ON_"), "{}", line(&other));
            }
            Some(Incoming::Ping | Incoming::Pong) => {}
        }
    }
}

fn on_new_message() -> u32 {
    message("ON_NEW_MESSAGE").command
}

/// What was acknowledged is there, once, with its id; nothing is there that was not sent; all see
/// the same in the same order. Then everything is sent again, twice: what was there keeps its id,
/// and nothing is doubled. Gives the last id.
pub(crate) fn check(server: &Running, after: u64, written: &[Written]) -> u64 {
    let mut members: Vec<_> = NAMES
        .iter()
        .map(|name| Client::login(server, name))
        .collect();
    let kept = members[0].history(HALL, after);
    for member in &mut members[1..] {
        assert_eq!(member.history(HALL, after), kept);
    }
    assert!(kept.is_sorted_by(|(a, _), (b, _)| a < b));
    let ids = by_content(&kept);
    for Written {
        sent, acknowledged, ..
    } in written
    {
        for (txn_id, id) in acknowledged {
            assert_eq!(ids.get(txn_id), Some(id), "{txn_id} was acknowledged");
        }
        // What is kept of one user's messages is the beginning of what was sent.
        let first_lost = sent.iter().position(|txn_id| !ids.contains_key(txn_id));
        let rest = &sent[first_lost.unwrap_or(sent.len())..];
        assert!(!rest.iter().any(|txn_id| ids.contains_key(txn_id)));
    }
    for _ in 0..2 {
        for (member, Written { sent, .. }) in members.iter_mut().zip(written) {
            for txn_id in sent {
                let reply = member.asks(&request(txn_id));
                assert_eq!(reply.command, on_new_message(), "{}", line(&reply));
                let id = number(&reply.params, "id");
                assert_eq!(*ids.get(txn_id).unwrap_or(&id), id);
            }
        }
    }
    let now = members[0].history(HALL, after);
    assert_eq!(now[..kept.len()], kept);
    assert_eq!(members[1].history(HALL, after), now);
    assert_eq!(
        by_content(&now).len(),
        written.iter().map(|w| w.sent.len()).sum::<usize>()
    );
    now.last().map_or(after, |(id, _)| *id)
}

/// Ids by content, none of which may be there twice.
fn by_content(history: &[(u64, String)]) -> BTreeMap<&String, u64> {
    let ids: BTreeMap<_, _> = history.iter().map(|(id, content)| (content, *id)).collect();
    assert_eq!(ids.len(), history.len(), "a message is doubled");
    ids
}
