//! Users that write to one room as fast as they are answered, and what they know in the end.

use std::collections::BTreeMap;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use echat_proto::Value;
use echat_proto::channel::Incoming;
use rustix::process::Signal;

use crate::server_process::{ServerFolder, ServerProcess};
use crate::wire::{Client, line, message, number};

/// The room they all are in.
const HALL: &str = "hall";
/// The most that is read at a time, less than any frame: then it is known to the byte by when a
/// message was acknowledged.
const GULP: usize = 64;

/// Messages of one user, at most: on a slow machine, where the test goes on for long, the user then only reads.
const MOST: usize = 20_000;

/// How they write.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// How many they are.
    pub writers: usize,
    /// Messages that each has on the way at a time.
    pub window: usize,
}

/// What one user knows when the connection has ended.
pub struct Written {
    /// Every message that was sent, by its txn_id, in order.
    pub sent: Vec<String>,
    /// Those that were acknowledged.
    pub acknowledged: BTreeMap<String, Acknowledged>,
    /// The client's end of the connection.
    pub port: u16,
    /// The reason that the server gave, if it gave one.
    pub goodbye: Option<u64>,
}

/// A message that is safe, as its sender knows.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged {
    /// The id that the server gave it.
    pub id: u64,
    /// Bytes that had come on the connection when it was said.
    pub received: u64,
}

impl Crowd {
    /// A place with a server, and all of them in its hall already.
    pub fn enter(
        self,
        start: impl FnOnce(&ServerFolder) -> ServerProcess,
    ) -> (ServerFolder, ServerProcess, Vec<Client>) {
        let dir = ServerFolder::new();
        dir.write(
            "config.json",
            r#"{"server": {"limits": {"message_rate": 0}}}"#,
        );
        let server = start(&dir);
        let mut members: Vec<_> = (0..self.writers)
            .map(|writer| Client::register(&server, &name(writer)))
            .collect();
        for (n, member) in members.iter_mut().enumerate() {
            let entered = member.asks(&match n {
                0 => format!(r#"CREATE_ROOM {{"roomname":"{HALL}","members":[]}}"#),
                _ => format!("JOIN_ROOM \"{HALL}\""),
            });
            let entered = line(&entered);
            assert!(entered.contains(r#""success":true"#), "{entered}");
        }
        (dir, server, members)
    }

    /// They are back in the hall.
    pub fn return_to(self, server: &ServerProcess) -> Vec<Client> {
        (0..self.writers)
            .map(|writer| Client::login(server, &name(writer)))
            .collect()
    }

    /// All write until the server is gone, or until each has sent 20,000 messages, and read until it is gone. It is
    /// struck by `strike` once this many messages have been acknowledged.
    pub fn write_until(
        self,
        server: &ServerProcess,
        members: Vec<Client>,
        round: usize,
        acknowledged: usize,
        strike: impl FnOnce(&ServerProcess),
    ) -> Vec<Written> {
        thread::scope(|scope| {
            let (sender, acknowledgements) = channel();
            let threads: Vec<_> = (0..)
                .zip(members)
                .map(|(writer, client)| {
                    let (sender, prefix) = (sender.clone(), format!("{writer}-{round}"));
                    scope.spawn(move || write(client, self.window, &prefix, &sender))
                })
                .collect();
            drop(sender);
            let gone = GoneWithThePanic(server);
            assert_eq!(
                acknowledgements.iter().take(acknowledged).count(),
                acknowledged
            );
            strike(server);
            drop(gone);
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        })
    }
}

/// Kills the server when the test panics: its writers end with it, and the test waits for them.
struct GoneWithThePanic<'a>(&'a ServerProcess);

impl Drop for GoneWithThePanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.signal(Signal::KILL);
        }
    }
}

fn name(writer: usize) -> String {
    format!("writer{writer}")
}

/// The request that sends this message.
pub fn request(txn_id: &str) -> String {
    format!(
        r#"SEND_MESSAGE {{"target_type":1,"target":"{HALL}","content":"{txn_id}","txn_id":"{txn_id}"}}"#
    )
}

/// Writes until the connection ends. All messages must come in one order.
fn write(
    mut client: Client,
    window: usize,
    prefix: &str,
    acknowledgements: &Sender<()>,
) -> Written {
    let mut written = Written {
        sent: Vec::new(),
        acknowledged: BTreeMap::new(),
        port: client.stream().local_addr().unwrap().port(),
        goodbye: None,
    };
    client.events.clear();
    client.gulp = GULP;
    let mut last = 0;
    loop {
        let on_the_way = written.sent.len() - written.acknowledged.len();
        let room = (window - on_the_way).min(MOST - written.sent.len());
        let more: Vec<_> = (0..room)
            .map(|n| format!("{prefix}-{}", written.sent.len() + n))
            .collect();
        // After the server has ended, what has come already is still read.
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
                    let received = client.received;
                    let acknowledged = Acknowledged { id, received };
                    written.acknowledged.insert(txn_id.clone(), acknowledged);
                    // The count has ended once the server was struck.
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
pub fn check(members: &mut [Client], after: u64, written: &[Written]) -> u64 {
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
        for (txn_id, Acknowledged { id, .. }) in acknowledged {
            assert_eq!(ids.get(txn_id), Some(id), "{txn_id} was acknowledged");
        }
        // What is kept of one user's messages is the beginning of what was sent.
        let first_lost = sent.iter().position(|txn_id| !ids.contains_key(txn_id));
        let rest = &sent[first_lost.unwrap_or(sent.len())..];
        assert!(!rest.iter().any(|txn_id| ids.contains_key(txn_id)));
    }
    for _ in 0..2 {
        for (member, Written { sent, .. }) in members.iter_mut().zip(written) {
            let requests: Vec<_> = sent.iter().map(|txn_id| request(txn_id)).collect();
            member.says(&requests);
            for (txn_id, request) in sent.iter().zip(&requests) {
                let reply = member.hears_reply(request);
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
