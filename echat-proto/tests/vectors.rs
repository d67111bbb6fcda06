//! The golden vectors, byte for byte and both ways. They were made by another implementation; the
//! folder named by `ECHAT_VECTORS` is read when it is set, else the copies beside this file.

use echat_proto::Value;
use echat_proto::channel::{Channel, Incoming, Message};
use echat_proto::codec::{decode, encode};
use echat_proto::group::{EXPONENT, Ephemeral};
use echat_proto::handshake::{AwaitClientHello, ClientStart, Step, respond};
use echat_proto::json::{from_json, to_json};
use ed25519_dalek::SigningKey;
use rand::{TryCryptoRng, TryRng};
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::PathBuf;

fn text_of(file: &str) -> String {
    let folder = std::env::var_os("ECHAT_VECTORS").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors").into(),
        PathBuf::from,
    );
    let path = folder.join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A frame of the file. Parameters stay raw text: a parsed JSON object would lose its keys' order.
#[derive(Deserialize)]
struct Frame {
    direction: String,
    seq: Option<u64>,
    iv: Json,
    command: u32,
    params: Option<Box<RawValue>>,
    items: Option<Vec<(u32, Box<RawValue>)>>,
    plain: String,
    #[serde(rename = "frame")]
    sealed: String,
}

#[derive(Deserialize)]
struct ChannelFile {
    frames: Vec<Frame>,
}

/// A value of the original's, as raw text: a parsed number would lose digits beyond 2^64.
#[derive(Deserialize)]
struct Case {
    // serde gives None for null.
    value: Option<Box<RawValue>>,
    hex: String,
}

#[derive(Deserialize)]
struct OriginalFile {
    values: Vec<Case>,
}

fn bytes(json: &Json) -> Vec<u8> {
    hex::decode(json.as_str().expect("hexadecimal text")).expect("hexadecimal")
}

/// An RNG that gives what the vectors drew, in the order in which it was drawn.
struct Drawn(VecDeque<u8>);

impl Drawn {
    fn of(parts: &[&Json]) -> Self {
        Self(parts.iter().flat_map(|part| bytes(part)).collect())
    }
}

impl TryRng for Drawn {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("only bytes are drawn")
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("only bytes are drawn")
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.fill_with(|| {
            self.0
                .pop_front()
                .expect("no more is drawn than the vectors have")
        });
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

fn ephemeral(json: &Json) -> Ephemeral {
    let exponent: [u8; EXPONENT] = bytes(json).try_into().expect("40 bytes");
    Ephemeral::from_exponent(&exponent)
}

fn next<A, B>(step: Step<A, B>) -> B {
    match step {
        Step::Next(next) => next,
        Step::More(_) => panic!("everything was given"),
    }
}

/// Both ends' channels, the handshake checked on the way.
fn channels(v: &Json) -> (Channel, Channel) {
    let random = bytes(&v["client_random"]).try_into().expect("32 bytes");
    let (hello, client) = ClientStart::with(ephemeral(&v["client_exponent"]), &random).send();
    assert_eq!(hex::encode(&hello), v["client_hello"], "ClientHello");

    let (client_hello, _) = next(AwaitClientHello::default().next(&hello).expect("good"));
    let host_key = SigningKey::from_bytes(&bytes(&v["host_key_seed"]).try_into().expect("32"));
    let rng = &mut Drawn::of(&[&v["server_random"], &v["server_finished_iv"]]);
    let (flight, server) = respond(
        &client_hello,
        ephemeral(&v["server_exponent"]),
        &host_key,
        rng,
    );
    let expected = [
        bytes(&v["server_hello"]),
        bytes(&v["server_finished_frame"]),
    ]
    .concat();
    assert_eq!(
        hex::encode(&flight),
        hex::encode(expected),
        "ServerHello | FINISHED"
    );

    let waiting = next(client.next(&flight).expect("good"));
    assert_eq!(hex::encode(waiting.host_key()), v["host_key_public"]);
    let rng = &mut Drawn::of(&[&v["client_finished_iv"]]);
    let (client, finished) = next(waiting.next(&[], rng).expect("good"));
    assert_eq!(
        hex::encode(&finished),
        v["client_finished_frame"],
        "client's FINISHED"
    );
    assert_eq!(hex::encode(**client.exporter()), v["exporter"], "exporter");
    (client, next(server.next(&finished).expect("good")))
}

#[test]
fn the_channel_equals_the_vectors_byte_for_byte() {
    let text = text_of("echat2-channel.json");
    let (mut client, mut server) = channels(&serde_json::from_str(&text).expect("JSON"));
    let file: ChannelFile = serde_json::from_str(&text).expect("the file's form");
    assert!(!file.frames.is_empty());
    for frame in file.frames {
        let (from, to) = match frame.direction.as_str() {
            "c2s" => (&mut client, &mut server),
            _ => (&mut server, &mut client),
        };
        let messages = messages_of(&frame);
        let mut sealed = Vec::new();
        let mut waiting: VecDeque<_> = messages.iter().map(|m| m.encode().expect("good")).collect();
        if let [plain] = waiting.make_contiguous() {
            assert_eq!(hex::encode(plain), frame.plain);
        }
        let rng = &mut Drawn::of(&[&frame.iv]);
        from.sealer()
            .seal_waiting(&mut waiting, 4096, rng, &mut sealed);
        assert_eq!(hex::encode(&sealed), frame.sealed, "frame {:?}", frame.seq);

        to.receive(&sealed);
        for message in messages {
            assert_eq!(to.next_incoming(), Ok(Some(incoming(message))));
        }
        assert_eq!(to.next_incoming(), Ok(None));
    }
}

fn messages_of(frame: &Frame) -> Vec<Message> {
    let message = |command: u32, params: &RawValue| Message {
        command,
        params: from_json(params.get()).expect("a value"),
    };
    match (&frame.items, &frame.params) {
        (Some(items), _) => items
            .iter()
            .map(|(n, params)| message(*n, params))
            .collect(),
        (None, Some(params)) => vec![message(frame.command, params)],
        // serde gives None for null.
        (None, None) => vec![Message {
            command: frame.command,
            params: Value::Null,
        }],
    }
}

fn incoming(message: Message) -> Incoming {
    match (message.command, &message.params) {
        (0xFFFF_FF02, Value::Int(reason)) => Incoming::Close(*reason),
        (0xFFFF_FF03, Value::Null) => Incoming::Ping,
        (0xFFFF_FF04, Value::Null) => Incoming::Pong,
        _ => Incoming::Message(message),
    }
}

#[test]
fn the_originals_values_have_the_same_bytes() {
    let file: OriginalFile =
        serde_json::from_str(&text_of("original-wire.json")).expect("its form");
    assert!(!file.values.is_empty());
    let mut refused = 0;
    for case in file.values {
        let wire = hex::decode(&case.hex).expect("hexadecimal");
        let text = case.value.as_ref().map_or("null", |raw| raw.get());
        if let Ok(value) = from_json(text) {
            let mut out = Vec::new();
            encode(&value, &mut out).expect("a wire form");
            assert_eq!(hex::encode(&out), case.hex, "{text}");
            assert_eq!(decode(&wire), Ok(value.clone()), "{text}");
            assert_eq!(from_json(&to_json(&value)), Ok(value));
        } else {
            assert!(decode(&wire).is_err(), "{text} is outside echat/2");
            refused += 1;
        }
    }
    assert_eq!(refused, 2, "2^64 and 10^20");
}
