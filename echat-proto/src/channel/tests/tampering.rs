//! A recorded session of frames, tampered with in every way: what comes out is what was said before the
//! first change, and nothing else. (With the handshake, and one bit in many: tests/tampering.rs.)

use super::*;

/// Frames that one end sealed, with what each of them says.
struct Session {
    frames: Vec<Vec<u8>>,
    said: Vec<Vec<Incoming>>,
}

/// Frames of one message, of several, and of the channel itself.
fn session() -> Session {
    let (mut a, _) = pair();
    let channel = |command, params| Message { command, params };
    let groups = [
        vec![message(1)],
        vec![message(2), message(3)],
        vec![channel(command::PING, Value::Null)],
        vec![message(4)],
        vec![channel(command::CLOSE_NOTIFY, Value::Int(0))],
    ];
    let seal = |group: &Vec<Message>| {
        let mut out = Vec::new();
        let mut waiting: VecDeque<_> = group.iter().map(bytes).collect();
        a.sealer()
            .seal_waiting(&mut waiting, 4096, &mut rng(), &mut out);
        assert!(waiting.is_empty(), "one frame a group");
        out
    };
    let frames = groups.iter().map(seal).collect();
    let said = vec![
        vec![Incoming::Message(message(1))],
        vec![Incoming::Message(message(2)), Incoming::Message(message(3))],
        vec![Incoming::Ping],
        vec![Incoming::Message(message(4))],
        vec![Incoming::Close(0)],
    ];
    Session { frames, said }
}

/// What the other end hears of a stream, and how that ends.
fn heard(pieces: &[&[u8]]) -> (Vec<Incoming>, Result<(), ChannelError>) {
    let (_, mut b) = pair();
    let mut heard = Vec::new();
    for piece in pieces {
        b.receive(piece);
        loop {
            match b.next_incoming() {
                Ok(Some(incoming)) => heard.push(incoming),
                Ok(None) => break,
                Err(error) => return (heard, Err(error)),
            }
        }
    }
    (heard, Ok(()))
}

#[test]
fn a_flipped_bit_is_refused_and_only_earlier_frames_are_delivered() {
    let Session { frames, said } = session();
    let stream = frames.concat();
    let mut begins = 0;
    for (index, frame) in frames.iter().enumerate() {
        let before = said[..index].concat();
        for bit in 0..frame.len() * 8 {
            let mut spoiled = stream.clone();
            spoiled[begins + bit / 8] ^= 1 << (bit % 8);
            let (messages, end) = heard(&[&spoiled]);
            assert_eq!(messages, before, "frame {index}, bit {bit}");
            match end {
                Err(ChannelError::BadTag | ChannelError::BadLength(_)) => {}
                // A longer L within the limit: the rest never comes.
                Ok(()) => assert!(bit < 32, "frame {index}, bit {bit}"),
                Err(other) => panic!("frame {index}, bit {bit}: {other}"),
            }
        }
        begins += frame.len();
    }
}

#[test]
fn splits_change_nothing_and_a_cut_delivers_only_whole_frames() {
    let Session { frames, said } = session();
    let stream = frames.concat();
    let single: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(heard(&single), (said.concat(), Ok(())));
    let ends: Vec<usize> = (1..=frames.len())
        .map(|n| frames[..n].concat().len())
        .collect();
    for at in 0..=stream.len() {
        let (one, two) = stream.split_at(at);
        assert_eq!(heard(&[one, two]), (said.concat(), Ok(())), "at {at}");
        let whole = ends.iter().filter(|end| **end <= at).count();
        assert_eq!(
            heard(&[one]),
            (said[..whole].concat(), Ok(())),
            "cut at {at}"
        );
    }
}

#[test]
fn frames_that_are_dropped_repeated_moved_reflected_or_foreign_are_refused() {
    let Session { frames, said } = session();
    // The other end's frame of the same place, and one of the same end under other keys.
    let strange = |place: usize, mut end: Channel| {
        (0..place).for_each(|_| drop(frame_of(&mut end, b"\0\0\0\x09\0")));
        frame_of(&mut end, &bytes(&message(9)))
    };
    let elsewhere = || {
        let secret = |byte: u8| Zeroizing::new([byte; 32]);
        let (seal, open) = (SealKeys::derive(&secret(3)), OpenKeys::derive(&secret(4)));
        Channel::new(seal, open, 0, secret(0))
    };
    for at in 0..frames.len() {
        let refused = |what: &str, tampered: Vec<Vec<u8>>| {
            let (messages, end) = heard(&[&tampered.concat()]);
            let same = tampered.iter().zip(&frames).take_while(|(a, b)| a == b);
            let before = said[..same.count()].concat();
            assert_eq!(messages, before, "{what} at {at}");
            assert_eq!(end, Err(ChannelError::BadTag), "{what} at {at}");
        };
        let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let mut tampered = frames.clone();
            change(&mut tampered);
            tampered
        };
        if at + 1 < frames.len() {
            refused("dropped", with(&|frames| drop(frames.remove(at))));
        }
        for to in 0..=frames.len() {
            refused("repeated", with(&|all| all.insert(to, frames[at].clone())));
        }
        for to in at + 1..frames.len() {
            refused("swapped", with(&|all| all.swap(at, to)));
        }
        let reflected = strange(at, pair().1);
        refused("reflected", with(&|all| all.insert(at, reflected.clone())));
        let foreign = strange(at, elsewhere());
        refused("foreign", with(&|all| all[at].clone_from(&foreign)));
    }
}
