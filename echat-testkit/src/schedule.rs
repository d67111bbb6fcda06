//! The keys and FINISHED values of a connection, computed as PROTOCOL.md describes them (section 3): for an
//! end that holds every key of the connection and sends a wrong FINISHED.

use echat_proto::channel::Message;
use echat_proto::commands::channel::FINISHED;
use echat_proto::crypto::{BLOCK, SealKeys, Secret};
use echat_proto::value::Value;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// What both ends of one connection know.
pub struct Schedule {
    prk: Hkdf<Sha256>,
    th2: [u8; 32],
}

impl Schedule {
    /// From the two whole hellos and the shared number Z.
    pub fn new(client_hello: &[u8], server_hello: &[u8], z: &[u8]) -> Self {
        let th2 = Sha256::new()
            .chain_update(b"echat/2 transcript\0")
            .chain_update(client_hello)
            .chain_update(server_hello)
            .finalize();
        Self {
            prk: Hkdf::new(Some(&th2), z),
            th2: th2.into(),
        }
    }

    fn secret(&self, label: &str) -> Secret {
        let mut secret = Secret::default();
        self.prk
            .expand(label.as_bytes(), &mut *secret)
            .expect("32 bytes");
        secret
    }

    /// The value that the client has to send.
    pub fn client_finished(&self) -> [u8; 32] {
        self.finished("echat/2 c finished")
    }

    /// The value that the server has to send.
    pub fn server_finished(&self) -> [u8; 32] {
        self.finished("echat/2 s finished")
    }

    fn finished(&self, label: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.secret(label)).expect("32 bytes");
        mac.update(&self.th2);
        mac.finalize().into_bytes().into()
    }

    /// A client's first frame, FINISHED with this value.
    pub fn client_says(&self, value: &[u8]) -> Vec<u8> {
        self.frame("echat/2 c2s secret", 0, &finished(value))
    }

    /// A server's first frame, FINISHED with this value.
    pub fn server_says(&self, value: &[u8]) -> Vec<u8> {
        self.frame("echat/2 s2c secret", 0, &finished(value))
    }

    /// A client's second frame.
    pub fn client_asks(&self, message: &Message) -> Vec<u8> {
        self.frame("echat/2 c2s secret", 1, message)
    }

    fn frame(&self, secret: &str, seq: u64, message: &Message) -> Vec<u8> {
        let keys = SealKeys::derive(&self.secret(secret));
        let mut text = message.encode().expect("a wire form");
        let plain = text.len();
        text.resize(plain.next_multiple_of(BLOCK), 0);
        let (length, iv) = (u32::try_from(text.len()).expect("short"), [3; BLOCK]);
        let padding = u8::try_from(text.len() - plain).expect("less than a block");
        keys.encrypt(&iv, &mut text);
        let mut frame = [&length.to_be_bytes()[..], &[padding], &iv, &text].concat();
        frame.extend_from_slice(&keys.tag(seq, &frame));
        frame
    }
}

fn finished(value: &[u8]) -> Message {
    Message {
        command: FINISHED,
        params: Value::Bytes(value.to_vec()),
    }
}

/// Values that are not the one that is due, each with its name: a bit of every byte changed, the other end's
/// value, that of another connection, and values that no key is needed for.
pub fn wrong_values(
    due: [u8; 32],
    reflected: [u8; 32],
    foreign: [u8; 32],
) -> Vec<(String, Vec<u8>)> {
    let mut wrong: Vec<_> = (0..32)
        .map(|at| {
            let mut value = due;
            value[at] ^= 1 << (at % 8);
            (format!("byte {at} changed"), value.to_vec())
        })
        .collect();
    for (what, value) in [
        ("the other end's", reflected.to_vec()),
        ("another connection's", foreign.to_vec()),
        ("zeros", vec![0; 32]),
        ("ones", vec![0xff; 32]),
        ("nothing", Vec::new()),
        ("the first half", due[..16].to_vec()),
        ("the value and a byte", [&due[..], &[0]].concat()),
    ] {
        wrong.push((what.to_owned(), value));
    }
    wrong
}
