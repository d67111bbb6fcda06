//! A room with messages, and how soon its members get them.

use std::ops::Range;
use std::time::Duration;

use echat_proto::channel::{Incoming, Message};
use echat_testkit::server_process::ServerProcess;
use echat_testkit::wire::{Client, line, number, text};

use super::watch::{Times, Watch};

/// The room's name.
pub(crate) const NAME: &str = "parlour";

/// A room. A test fails if one of its members misses a message.
pub(crate) struct Room {
    members: Vec<Client>,
    said: u64,
    last_id: u64,
}

/// How messages are sent.
pub(crate) struct Talk {
    pub(crate) messages: u64,
    /// Messages that are sent at once; then every member is awaited.
    pub(crate) burst: u64,
    /// Time from one burst to the next; zero: as soon as every member has the last one.
    pub(crate) pace: Duration,
    /// Bytes of a message.
    pub(crate) length: usize,
}

impl Talk {
    /// One message after another, with nothing between them.
    pub(crate) fn messages(messages: u64) -> Self {
        Self {
            messages,
            burst: 1,
            pace: Duration::ZERO,
            length: 100,
        }
    }

    /// Fifty a second.
    pub(crate) fn at_ease(messages: u64) -> Self {
        Self {
            pace: Duration::from_millis(20),
            ..Self::messages(messages)
        }
    }
}

impl Room {
    /// Registers this many users, and brings them into the room.
    pub(crate) fn gather(server: &ServerProcess, size: usize) -> Self {
        let mut room = Self {
            members: Vec::new(),
            said: 0,
            last_id: 0,
        };
        for n in 0..size {
            let member = enter(server, &format!("member{n}"), n == 0);
            room.members.push(member);
        }
        room
    }

    /// The members send by turns. Each gets each message once and in order; the times that it took from the
    /// moment at which the message was due.
    pub(crate) fn talk(&mut self, talk: &Talk) -> Times {
        let watch = Watch::start();
        let mut times = Times::default();
        let mut due = Duration::ZERO;
        let end = self.said + talk.messages;
        while self.said < end {
            watch.pause_until(due);
            if talk.pace.is_zero() {
                due = watch.elapsed();
            }
            let burst = talk.burst.min(end - self.said);
            self.say(burst, talk.length);
            let mut all_heard = None;
            for member in &mut self.members {
                let heard = hear(member, self.said..self.said + burst);
                times.push(watch.elapsed().saturating_sub(due));
                assert_eq!(*all_heard.get_or_insert(heard.clone()), heard);
            }
            let ids = all_heard.expect("a room has members");
            assert!(ids.is_sorted() && ids[0] > self.last_id);
            self.last_id = ids[ids.len() - 1];
            self.said += burst;
            due += talk.pace;
        }
        times
    }

    /// The id of the last message.
    pub(crate) fn last_id(&self) -> u64 {
        self.last_id
    }

    fn say(&mut self, burst: u64, length: usize) {
        let speaker = usize::try_from(self.said).unwrap() % self.members.len();
        let requests: Vec<_> = (0..burst)
            .map(|n| {
                let content = format!("{:x<length$}", format!("{} ", self.said + n));
                format!(
                    r#"SEND_MESSAGE {{"target_type":1,"target":"{NAME}","content":"{content}"}}"#
                )
            })
            .collect();
        assert!(self.members[speaker].says(&requests));
    }
}

/// Reads these messages and no others, in order; their ids.
fn hear(member: &mut Client, said: Range<u64>) -> Vec<u64> {
    said.map(|n| {
        let message = next_said(member);
        let content = text(&message.params, "content");
        assert!(content.starts_with(&format!("{n} ")), "{content}, not {n}");
        number(&message.params, "id")
    })
    .collect()
}

/// Registers a user and brings it into the room, which is made first.
pub(crate) fn enter(server: &ServerProcess, name: &str, first: bool) -> Client {
    let mut member = Client::register(server, name);
    let way = if first {
        format!(r#"CREATE_ROOM {{"roomname":"{NAME}","members":[]}}"#)
    } else {
        format!("JOIN_ROOM \"{NAME}\"")
    };
    let entered = line(&member.asks(&way));
    assert!(entered.contains(r#""success":true"#), "{entered}");
    member
}

/// Reads what a member has not read yet, to the end of its connection: the id of the last message,
/// and the reason that was given for the end, if one was.
pub(crate) fn read_to_the_end(member: &mut Client) -> (u64, Option<u64>) {
    let mut last = 0;
    loop {
        match member.hears() {
            Some(Incoming::Message(message)) if message.params.at("content").is_some() => {
                last += 1;
                assert_eq!(number(&message.params, "id"), last);
            }
            Some(Incoming::Message(_) | Incoming::Ping | Incoming::Pong) => {}
            Some(Incoming::Close(reason)) => return (last, Some(reason)),
            None => return (last, None),
        }
    }
}

/// The next message; presence is passed over.
fn next_said(member: &mut Client) -> Message {
    loop {
        let message = member.hears_message();
        assert!(message.command < 200, "{}", line(&message));
        if message.params.at("content").is_some() {
            return message;
        }
    }
}
