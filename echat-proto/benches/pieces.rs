//! The pieces that a message and a handshake cost: `cargo bench -p echat-proto`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use echat_proto::Value;
use echat_proto::channel::{Channel, Message, seal_all};
use echat_proto::group::{Ephemeral, KeyShare, PUBLIC, Public};
use echat_proto::handshake::{AwaitClientHello, ClientStart, Step, respond};
use echat_proto::limits::FRAME_TO_CLIENT;
use ed25519_dalek::SigningKey;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::VecDeque;
use zeroize::Zeroizing;

fn main() {
    divan::main();
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

/// A share whose agreement costs nothing, for many channels.
struct Free([u8; PUBLIC]);

impl Free {
    fn new() -> Self {
        Self([2; PUBLIC])
    }
}

impl KeyShare for Free {
    fn public(&self) -> &[u8; PUBLIC] {
        &self.0
    }

    fn agree(self, _other: &Public) -> Zeroizing<[u8; PUBLIC]> {
        Zeroizing::new([3; PUBLIC])
    }
}

/// Both ends of a channel, the server's first.
fn channel(rng: &mut StdRng) -> (Channel, Channel) {
    let (hello, client) = ClientStart::with(Free::new(), &[1; 32]).send();
    let Ok(Step::Next((hello, _))) = AwaitClientHello::default().next(&hello) else {
        panic!("a whole hello")
    };
    let key = SigningKey::from_bytes(&[1; 32]);
    let (flight, server) = respond(&hello, Free::new(), &key, rng);
    let Ok(Step::Next(client)) = client.next(&flight) else {
        panic!("a whole answer")
    };
    let Ok(Step::Next((client, finished))) = client.next(&[], rng) else {
        panic!("a FINISHED")
    };
    let Ok(Step::Next(server)) = server.next(&finished) else {
        panic!("a FINISHED")
    };
    (server, client)
}

/// A message with a content of 100 bytes, in the form of ON_NEW_MESSAGE.
fn message() -> Message {
    let fields = [
        ("content", Value::from("x".repeat(100).as_str())),
        ("message_id", Value::Int(1 << 40)),
        ("roomname", Value::from("general")),
        ("sender", Value::from("ann")),
        ("timestamp", Value::Int(1 << 42)),
    ];
    let fields = fields.map(|(key, value)| (key.to_owned(), value));
    Message {
        command: 106,
        params: Value::Dict(fields.to_vec()),
    }
}

fn encoded() -> Vec<u8> {
    message().encode().expect("a wire form")
}

const PEERS: [usize; 5] = [1, 4, 10, 100, 1_000];

/// The same messages for each of so many peers, sixteen peers at a time as the server does it.
fn seal(bencher: Bencher, peers: usize, messages: usize) {
    let mut rng = rng();
    let mut channels: Vec<_> = (0..peers).map(|_| channel(&mut rng).0).collect();
    let mut frames = vec![Vec::new(); 16];
    let message = encoded();
    bencher
        .counter(ItemsCount::new(peers * messages))
        .bench_local(|| {
            for group in channels.chunks_mut(frames.len()) {
                let drafts = group.iter_mut().zip(&mut frames).map(|(channel, frame)| {
                    let mut waiting: VecDeque<&[u8]> =
                        (0..messages).map(|_| &message[..]).collect();
                    frame.clear();
                    let sealer = channel.sealer();
                    let draft =
                        sealer.draft_waiting(&mut waiting, FRAME_TO_CLIENT, &mut rng, frame);
                    draft.expect("messages wait").0
                });
                seal_all(&mut drafts.collect::<Vec<_>>());
                black_box(&frames);
            }
        });
}

#[divan::bench(args = PEERS)]
fn seal_one_message(bencher: Bencher, peers: usize) {
    seal(bencher, peers, 1);
}

#[divan::bench(args = PEERS)]
fn seal_64_messages(bencher: Bencher, peers: usize) {
    seal(bencher, peers, 64);
}

#[divan::bench]
fn seal_alone(bencher: Bencher) {
    let mut rng = rng();
    let (mut channel, _) = channel(&mut rng);
    let message = encoded();
    let mut frame = Vec::new();
    bencher.bench_local(|| {
        frame.clear();
        channel.sealer().seal(&message, &mut rng, &mut frame);
        black_box(&frame);
    });
}

#[divan::bench(args = [1, 64])]
fn open(bencher: Bencher, messages: usize) {
    let mut rng = rng();
    let (mut server, mut client) = channel(&mut rng);
    let message = encoded();
    bencher
        .counter(ItemsCount::new(messages))
        .with_inputs(|| {
            let mut waiting: VecDeque<&[u8]> = (0..messages).map(|_| &message[..]).collect();
            let mut frame = Vec::new();
            let sealer = server.sealer();
            sealer.seal_waiting(&mut waiting, FRAME_TO_CLIENT, &mut rng, &mut frame);
            frame
        })
        .bench_local_values(|frame| {
            client.receive(&frame);
            client.next_opened().expect("an authentic frame")
        });
}

#[divan::bench]
fn encode(bencher: Bencher) {
    let message = message();
    bencher.bench_local(|| black_box(&message).encode());
}

#[divan::bench]
fn decode(bencher: Bencher) {
    let bytes = encoded();
    bencher.bench_local(|| Message::decode(black_box(&bytes)));
}

#[divan::bench]
fn power_of_g(bencher: Bencher) {
    let mut rng = rng();
    bencher.bench_local(|| Ephemeral::generate(&mut rng));
}

#[divan::bench]
fn power_of_the_peer(bencher: Bencher) {
    let mut rng = rng();
    let other = Ephemeral::generate(&mut rng);
    let other = Public::new(other.public()).expect("a power of g");
    bencher
        .with_inputs(|| Ephemeral::generate(&mut rng))
        .bench_local_values(|share| share.agree(&other));
}

/// Everything of a handshake on the server but the powers: key schedule, signature, FINISHED.
#[divan::bench]
fn respond_without_powers(bencher: Bencher) {
    let mut rng = rng();
    let (hello, _) = ClientStart::with(Free::new(), &[1; 32]).send();
    let Ok(Step::Next((hello, _))) = AwaitClientHello::default().next(&hello) else {
        panic!("a whole hello")
    };
    let key = SigningKey::from_bytes(&[1; 32]);
    bencher.bench_local(|| respond(&hello, Free::new(), &key, &mut rng));
}
