//! The plaintext of a frame: one message, or a BATCH of them.

use super::cuts;
use super::memory::bounded;
use echat_proto::Value;
use echat_proto::channel::{Channel, Incoming, Message};
use echat_proto::commands::channel as command;
use echat_proto::group::Ephemeral;
use echat_proto::handshake::{AwaitClientHello, ClientStart, Step, respond};
use echat_proto::limits;
use ed25519_dalek::SigningKey;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::cell::RefCell;

thread_local! {
    /// Two ends that have met once: a handshake for every input would be all that is done.
    static ENDS: RefCell<Ends> = RefCell::new(Ends::meet());
}

/// A plaintext that can be read is the one form of what it says; sealed and cut in any way, it arrives
/// as it was. An empty one has no wire form: padding_n would be 16.
pub fn check(bytes: &[u8]) {
    if let Ok(said) = bounded(bytes.len(), || Channel::read_plain(bytes)) {
        assert_eq!(form_of(bytes, &said), bytes);
    }
    if (1..=limits::FRAME_TO_CLIENT).contains(&bytes.len()) {
        ENDS.with_borrow_mut(|ends| ends.carry(bytes));
    }
}

/// What was said, written again as it was: as a BATCH or alone.
fn form_of(bytes: &[u8], said: &[Incoming]) -> Vec<u8> {
    let messages: Vec<Vec<u8>> = said.iter().map(encoded).collect();
    if !bytes.starts_with(&command::BATCH.to_be_bytes()) {
        return messages.concat();
    }
    let items = messages.iter().flat_map(|item| {
        let length = u32::try_from(item.len()).expect("shorter than the input");
        [&length.to_be_bytes()[..], item].concat()
    });
    encoded(&Incoming::Message(Message {
        command: command::BATCH,
        params: Value::Bytes(items.collect()),
    }))
}

fn encoded(said: &Incoming) -> Vec<u8> {
    let (command, params) = match said {
        Incoming::Message(message) => return message.encode().expect("it was decoded"),
        Incoming::Ping => (command::PING, Value::Null),
        Incoming::Pong => (command::PONG, Value::Null),
        Incoming::Close(reason) => (command::CLOSE_NOTIFY, Value::Int(*reason)),
    };
    Message { command, params }.encode().expect("a wire form")
}

/// Both ends of a channel.
struct Ends {
    from: Channel,
    to: Channel,
    rng: StdRng,
}

impl Ends {
    fn meet() -> Self {
        let mut rng = StdRng::seed_from_u64(4);
        let (hello, client) = ClientStart::new(&mut rng).send();
        let (hello, _) = next(AwaitClientHello::default().next(&hello).ok());
        let host_key = SigningKey::from_bytes(&[4; 32]);
        let (flight, server) = respond(&hello, Ephemeral::generate(&mut rng), &host_key, &mut rng);
        let shown = next(client.next(&flight).ok());
        let (from, finished) = next(shown.next(&[], &mut rng).ok());
        let mut to = next(server.next(&finished).ok());
        to.set_receive_limit(limits::FRAME_TO_CLIENT);
        Self { from, to, rng }
    }

    fn carry(&mut self, bytes: &[u8]) {
        if self.from.is_worn_out() {
            *self = Self::meet();
        }
        let mut sealed = Vec::new();
        self.from.sealer().seal(bytes, &mut self.rng, &mut sealed);
        let [.., pieces] = cuts(&sealed);
        let arrived = bounded(sealed.len(), || {
            for piece in &pieces {
                self.to.receive(piece);
            }
            self.to.next_plain()
        });
        let arrived = arrived.map(|plain| plain.expect("a whole frame").to_vec());
        assert_eq!(arrived.as_deref(), Ok(bytes));
        assert_eq!(self.to.next_plain(), Ok(None));
    }
}

fn next<A, B>(step: Option<Step<A, B>>) -> B {
    match step {
        Some(Step::Next(next)) => next,
        _ => panic!("both ends are honest, and everything was given"),
    }
}
