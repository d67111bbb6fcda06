//! One client that asks as fast as it can, each request in a frame of its own.

use echat_proto::channel::Incoming;

use crate::place::Running;
use crate::wire::{Client, line, message};

/// Frames that are under way at a time; their answers do not fill its queue, so that the server
/// goes on reading.
pub(crate) const WINDOW: usize = 1_000;
/// The room that it has for itself.
const DEN: &str = "den";

/// What it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Greed {
    /// The time.
    Time,
    /// A PONG.
    Pong,
    /// To say more than it may.
    Say,
}

impl Greed {
    fn request(self) -> String {
        match self {
            Greed::Time => "QUERY_SERVER_TIME".to_owned(),
            Greed::Pong => "PING".to_owned(),
            Greed::Say => format!(
                r#"SEND_MESSAGE {{"target_type":1,"target":"{DEN}","content":"me","txn_id":null}}"#
            ),
        }
    }

    fn is_answered_by(self, incoming: &Incoming) -> bool {
        let Incoming::Message(answer) = incoming else {
            return self == Greed::Pong && *incoming == Incoming::Pong;
        };
        match self {
            Greed::Time => answer.command == message("SEND_SERVER_TIME").command,
            Greed::Pong => false,
            Greed::Say => {
                let text = line(answer);
                text.contains(r#""code":"rate_limited""#) || text.contains(r#""txn_id":null"#)
            }
        }
    }
}

/// Registers a user with a room.
pub(crate) fn enter(server: &Running) -> Client {
    let mut greedy = Client::register(server, "greedy");
    let made = greedy.asks(&format!(
        r#"CREATE_ROOM {{"roomname":"{DEN}","members":[]}}"#
    ));
    assert!(line(&made).contains(r#""success":true"#), "{}", line(&made));
    greedy
}

/// Sends a window of frames, and hears one answer to each.
pub(crate) fn ask(greedy: &mut Client, greed: Greed) {
    let requests = vec![greed.request(); WINDOW];
    assert!(greedy.says(&requests));
    for _ in 0..WINDOW {
        let answer = greedy.hears().expect("an answer");
        assert!(greed.is_answered_by(&answer), "{greed:?}: {answer:?}");
    }
}
