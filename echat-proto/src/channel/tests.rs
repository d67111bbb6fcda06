mod tampering;

use super::sealer::length_of;
use super::*;
use crate::codec::{DecodeError, encode};
use crate::crypto::TAG;
use crate::frame::HEADER;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::VecDeque;
use zeroize::Zeroizing;

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

/// Two ends under the same keys, past their handshake.
fn pair() -> (Channel, Channel) {
    let secret = |byte: u8| Zeroizing::new([byte; 32]);
    let end = |seal, open| {
        Channel::new(
            SealKeys::derive(&secret(seal)),
            OpenKeys::derive(&secret(open)),
            limits::FRAME_AFTER_LOGIN,
            Zeroizing::new([0; 32]),
        )
    };
    (end(1, 2), end(2, 1))
}

fn message(command: u32) -> Message {
    Message {
        command,
        params: Value::from("hi"),
    }
}

fn bytes(message: &Message) -> Vec<u8> {
    message.encode().expect("good")
}

fn frame_of(channel: &mut Channel, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    channel.sealer().seal(plain, &mut rng(), &mut out);
    out
}

fn all(channel: &mut Channel) -> Vec<Incoming> {
    std::iter::from_fn(|| channel.next_incoming().expect("good")).collect()
}

#[test]
fn queued_messages_leave_in_one_batch_within_the_limit() {
    let (mut a, mut b) = pair();
    let mut waiting: VecDeque<_> = (1..=20).map(|n| bytes(&message(n))).collect();
    let each = waiting[0].len();
    // Nine bytes of the BATCH itself, then as many as 160 bytes of ciphertext hold.
    let fits = (160 - 9) / (each + 4);
    let mut out = Vec::new();
    assert_eq!(
        a.sealer()
            .seal_waiting(&mut waiting, 160, &mut rng(), &mut out),
        fits * each
    );
    assert_eq!(waiting.len(), 20 - fits);
    assert!(out.len() <= HEADER + 160 + TAG);
    while a
        .sealer()
        .seal_waiting(&mut waiting, 4096, &mut rng(), &mut out)
        > 0
    {}
    b.receive(&out);
    let expected: Vec<_> = (1..=20).map(|n| Incoming::Message(message(n))).collect();
    assert_eq!(all(&mut b), expected);
}

#[test]
fn a_channel_command_stands_alone() {
    let (mut a, mut b) = pair();
    let ping = Message {
        command: command::PING,
        params: Value::Null,
    };
    let mut waiting: VecDeque<_> = [message(1), message(2), ping, message(3)]
        .iter()
        .map(bytes)
        .collect();
    let mut out = Vec::new();
    while a
        .sealer()
        .seal_waiting(&mut waiting, 4096, &mut rng(), &mut out)
        > 0
    {}
    b.receive(&out);
    let expected = [
        Incoming::Message(message(1)),
        Incoming::Message(message(2)),
        Incoming::Ping,
        Incoming::Message(message(3)),
    ];
    assert_eq!(all(&mut b), expected);
}

#[test]
fn bad_contents_are_refused_in_spite_of_a_good_tag() {
    let batch = |items: &[u8]| {
        let mut plain = command::BATCH.to_be_bytes().to_vec();
        encode(&Value::Bytes(items.to_vec()), &mut plain).expect("good");
        plain
    };
    let item = |message: &Message| {
        let bytes = bytes(message);
        [&length_of(bytes.len())[..], &bytes].concat()
    };
    let ping = Message {
        command: command::PING,
        params: Value::Null,
    };
    let cases: Vec<(Vec<u8>, Malformed)> = vec![
        (vec![0, 0, 1], Malformed::NoCommand),
        (vec![0, 0, 0, 1], Malformed::Value(DecodeError::Truncated)),
        (
            vec![0, 0, 0, 1, 0, 0],
            Malformed::Value(DecodeError::Trailing),
        ),
        (
            bytes(&message(command::PING)),
            Malformed::ChannelCommand(command::PING),
        ),
        (
            bytes(&message(command::FINISHED)),
            Malformed::ChannelCommand(command::FINISHED),
        ),
        (
            bytes(&message(0xFFFF_FF06)),
            Malformed::ChannelCommand(0xFFFF_FF06),
        ),
        (batch(&[]), Malformed::Batch),
        (batch(&[0, 0, 0, 9, 0]), Malformed::Batch),
        (
            batch(&[item(&message(1)), vec![0, 0]].concat()),
            Malformed::Batch,
        ),
        (batch(&item(&ping)), Malformed::Batch),
    ];
    for (plain, malformed) in cases {
        let (mut a, mut b) = pair();
        b.receive(&frame_of(&mut a, &plain));
        assert_eq!(b.next_incoming(), Err(malformed.into()), "{plain:02x?}");
    }
}

#[test]
fn messages_are_decoded_only_when_they_are_taken() {
    let (mut a, mut b) = pair();
    let mut waiting: VecDeque<_> = (1..=3).map(|n| bytes(&message(n))).collect();
    let mut frame = Vec::new();
    a.sealer()
        .seal_waiting(&mut waiting, 4096, &mut rng(), &mut frame);
    b.receive(&frame);
    b.receive(&frame_of(&mut a, &bytes(&message(4))));
    let mut taken = Vec::new();
    while let Some(opened) = b.next_opened().expect("good") {
        let Opened::Messages(mut messages) = opened else {
            panic!("{opened:?} was not sent")
        };
        while let Some(command) = messages.command() {
            assert_eq!(messages.peek(), Some(message(command)), "as often as asked");
            assert_eq!(messages.peek(), Some(message(command)));
            messages.pass();
            taken.push(command);
        }
        assert!(messages.is_empty() && messages.peek().is_none());
        messages.pass();
        assert!(messages.is_empty());
    }
    assert_eq!(taken, [1, 2, 3, 4]);
}

#[test]
fn a_malformed_item_refuses_its_whole_batch() {
    let (mut a, mut b) = pair();
    let good = bytes(&message(1));
    let mut plain = command::BATCH.to_be_bytes().to_vec();
    let items = [
        &length_of(good.len())[..],
        &good,
        &length_of(5),
        &[0, 0, 0, 1, 99],
    ]
    .concat();
    encode(&Value::Bytes(items), &mut plain).expect("good");
    b.receive(&frame_of(&mut a, &plain));
    assert!(matches!(b.next_incoming(), Err(ChannelError::Malformed(_))));
}

#[test]
fn padding_must_be_zero_and_short() {
    for (padding, last, malformed) in [(11, 1, true), (16, 0, true), (11, 0, false)] {
        let (a, mut b) = pair();
        let mut frame = vec![0; HEADER];
        frame[3] = 16;
        frame[4] = padding;
        let mut text = [0; 16];
        text[3] = 1;
        text[15] = last;
        a.sealer.keys.encrypt(&[0; 16], &mut text);
        frame.extend_from_slice(&text);
        frame.extend_from_slice(&a.sealer.keys.tag(0, &frame));
        b.receive(&frame);
        let padding = Err(ChannelError::Malformed(Malformed::Padding));
        assert_eq!(b.next_incoming() == padding, malformed);
    }
}

#[test]
fn a_key_has_a_limit_of_blocks_and_reports_it_early() {
    let (mut a, mut b) = pair();
    assert!(!a.is_worn_out());
    a.sealer.blocks = limits::BLOCKS_PER_KEY - RESERVE + 1;
    assert!(a.is_worn_out());
    b.opener.blocks = limits::BLOCKS_PER_KEY;
    b.receive(&frame_of(&mut a, &bytes(&message(1))));
    assert_eq!(b.next_incoming(), Err(ChannelError::WornOut));
}

/// Channels under keys of their own, each with its other end.
fn several(count: u8) -> Vec<(Channel, Channel)> {
    let end = |seal, open| {
        let secret = |byte: u8| Zeroizing::new([byte; 32]);
        let (seal, open) = (
            SealKeys::derive(&secret(seal)),
            OpenKeys::derive(&secret(open)),
        );
        Channel::new(seal, open, limits::FRAME_TO_CLIENT, secret(0))
    };
    (0..count)
        .map(|n| (end(2 * n, 2 * n + 1), end(2 * n + 1, 2 * n)))
        .collect()
}

#[test]
fn a_frame_sealed_for_many_is_opened_only_by_its_receiver() {
    for count in [0, 1, 2, 3, 7, 8, 15, 20] {
        let mut pairs = several(count);
        // Twice, so that numbers and blocks go on; frames of different lengths, some of them a BATCH.
        for _ in 0..2 {
            let mut frames: Vec<Vec<u8>> = vec![Vec::new(); pairs.len()];
            let mut queues: Vec<VecDeque<_>> = (0..u32::from(count))
                .map(|n| {
                    (1..=n % 5 + 1)
                        .map(|k| bytes(&message(100 * n + k)))
                        .collect()
                })
                .collect();
            let drafts = pairs.iter_mut().zip(&mut queues).zip(&mut frames);
            let drafts = drafts.map(|(((from, _), queue), frame)| {
                let drafted = from.sealer().draft_waiting(queue, 4096, &mut rng(), frame);
                drafted.expect("messages wait").0
            });
            seal_all(&mut drafts.collect::<Vec<_>>());
            for (n, frame) in (0_u32..).zip(&frames) {
                let (_, to) = &mut pairs[n as usize];
                to.receive(frame);
                let expected = (1..=n % 5 + 1).map(|k| Incoming::Message(message(100 * n + k)));
                assert_eq!(all(to), expected.collect::<Vec<_>>(), "{n} of {count}");
            }
        }
    }
}

#[test]
fn frames_sealed_together_equal_those_sealed_alone() {
    let mut together = vec![Vec::new(); 11];
    let mut pairs = several(11);
    let mut draws = rng();
    let drafts = pairs.iter_mut().zip(&mut together).map(|((from, _), out)| {
        let mut queue = VecDeque::from([bytes(&message(1))]);
        let drafted = from
            .sealer()
            .draft_waiting(&mut queue, 4096, &mut draws, out);
        drafted.expect("a message waits").0
    });
    seal_all(&mut drafts.collect::<Vec<_>>());
    let mut draws = rng();
    for ((mut from, _), together) in several(11).into_iter().zip(&together) {
        let mut alone = Vec::new();
        from.sealer()
            .seal(&bytes(&message(1)), &mut draws, &mut alone);
        assert_eq!(&alone, together);
    }
}

#[test]
fn a_frame_that_is_not_sealed_is_wiped() {
    let (mut a, _) = pair();
    let mut out = frame_of(&mut a, &bytes(&message(1)));
    let sealed = out.clone();
    let mut queue = VecDeque::from([bytes(&message(2))]);
    drop(
        a.sealer()
            .draft_waiting(&mut queue, 4096, &mut rng(), &mut out),
    );
    assert_eq!(out[..sealed.len()], sealed);
    assert!(out.len() > sealed.len());
    assert!(out[sealed.len()..].iter().all(|byte| *byte == 0));
}
