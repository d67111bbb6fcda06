use super::inbox::AHEAD;
use super::outbound::ENTRY_BYTES;
use super::timers::HELLO;
use super::*;
use echat_proto::channel::{Draft, Incoming};
use echat_proto::handshake::{AwaitServerHello, ClientStart, Step, respond};
use ed25519_dalek::SigningKey;
use rand::SeedableRng;
use rand::rngs::StdRng;

impl Peer {
    fn is_closed(&self) -> bool {
        self.closed().is_some()
    }
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn at(seconds: u64) -> Now {
    Now {
        running: Duration::from_secs(seconds),
        unix: 0,
    }
}

fn limits() -> Limits {
    Limits {
        send_queue_soft: 4_096,
        send_queue_hard: 8_192,
        ..Limits::default()
    }
}

fn accepted() -> Peer {
    Peer::new(([127, 0, 0, 1], 1).into(), false, at(0))
}

/// A peer that has sent its hello and got its answer, and the client.
fn answered() -> (Peer, AwaitServerHello) {
    let mut peer = accepted();
    let (hello, client) = ClientStart::new(&mut rng()).send();
    let hello = peer
        .receive(&hello, &limits(), at(0))
        .expect("a whole hello");
    let ephemeral = echat_proto::group::Ephemeral::generate(&mut rng());
    let key = SigningKey::from_bytes(&[1; 32]);
    let (flight, waiting) = respond(&hello, ephemeral, &key, &mut rng());
    peer.respond(flight, Box::new(waiting));
    (peer, client)
}

/// A peer whose handshake is done at 0, and the client's channel.
fn open() -> (Peer, Channel) {
    let (mut peer, client) = answered();
    seal(&mut peer, &limits(), at(0));
    let flight = peer.output().to_vec();
    peer.wrote(flight.len(), &limits(), at(0));
    let Ok(Step::Next(client)) = client.next(&flight) else {
        panic!("an honest hello")
    };
    let Ok(Step::Next((channel, finished))) = client.next(&[], &mut rng()) else {
        panic!("an honest FINISHED")
    };
    assert!(peer.receive(&finished, &limits(), at(0)).is_none());
    (peer, channel)
}

fn sealed(channel: &mut Channel, command: u32) -> Vec<u8> {
    let plain = Message {
        command,
        params: Value::Null,
    }
    .encode()
    .expect("small");
    let mut frame = Vec::new();
    channel.sealer().seal(&plain, &mut rng(), &mut frame);
    frame
}

/// Seals the peer's next frame, as the engine does.
fn seal(peer: &mut Peer, limits: &Limits, now: Now) {
    let draft = peer.draft(&mut FrameBuffers::default(), &mut rng());
    if draft.map(Draft::seal).is_some() {
        peer.finish_sealing(&mut rng(), limits, now);
    }
}

/// Lets the peer write everything, and reads it.
fn read(peer: &mut Peer, channel: &mut Channel, now: Now) -> Vec<Incoming> {
    loop {
        seal(peer, &limits(), now);
        let bytes = peer.output().to_vec();
        if bytes.is_empty() {
            break;
        }
        channel.receive(&bytes);
        peer.wrote(bytes.len(), &limits(), now);
    }
    std::iter::from_fn(|| channel.next_incoming().expect("honest frames")).collect()
}

#[test]
fn a_hello_has_five_seconds_and_finished_ten() {
    let mut silent = accepted();
    assert_eq!(silent.deadline(&limits()), HELLO);
    silent.expire(&limits(), at(4));
    assert!(!silent.is_closed());
    silent.expire(&limits(), at(5));
    assert!(silent.is_closed());

    let (mut half, _) = answered();
    half.expire(&limits(), at(9));
    assert!(!half.is_closed());
    half.expire(&limits(), at(10));
    assert!(half.is_closed() && half.is_flushed());
}

#[test]
fn a_malformed_or_early_peer_is_closed_without_a_message() {
    let mut stranger = accepted();
    assert!(
        stranger
            .receive(b"GET / HTTP/1.1", &limits(), at(0))
            .is_none()
    );
    assert!(stranger.is_closed() && stranger.is_flushed());

    let mut hasty = accepted();
    let (mut hello, _) = ClientStart::new(&mut rng()).send();
    hello.push(0);
    assert!(hasty.receive(&hello, &limits(), at(0)).is_none());
    assert!(hasty.is_closed());
}

#[test]
fn input_is_opened_ahead_up_to_a_bound() {
    let (mut peer, mut channel) = open();
    let (mut bytes, mut frames, mut each) = (0, 0, 0);
    while peer.wants_bytes(&limits()) {
        let frame = sealed(&mut channel, 1);
        each = frame.len();
        peer.receive(&frame, &limits(), at(0));
        bytes += each;
        frames += 1;
    }
    let Stage::Open(open) = &peer.stage else {
        panic!("the channel is open")
    };
    assert_eq!(open.inbox.len(), AHEAD.div_ceil(each));
    let most = AHEAD + limits().frame_bytes + FRAME_OVERHEAD + 2 * each;
    assert!(bytes <= most, "{bytes} bytes were taken in");
    let mut handled = 0;
    while peer.next_item().is_some() {
        peer.remove_item();
        handled += 1;
    }
    assert_eq!(handled, frames);
    assert!(peer.wants_bytes(&limits()));
}

#[test]
fn a_queue_over_its_hard_limit_is_dropped_for_a_goodbye() {
    let (mut peer, mut channel) = open();
    for _ in 0..3 {
        peer.send(&[vec![0; 3_000].into()], &limits(), at(0));
    }
    assert!(peer.is_closing());
    let goodbye = Incoming::Close(CloseReason::TooSlow as u64);
    assert_eq!(read(&mut peer, &mut channel, at(0)), [goodbye]);
}

#[test]
fn a_queue_may_stay_over_its_soft_limit_for_thirty_seconds() {
    let message = || {
        Message {
            command: 1,
            params: Value::Str("x".repeat(5_000)),
        }
        .encode()
    };
    let message = || -> Rc<[u8]> { message().expect("small").into() };
    let (mut peer, mut channel) = open();
    peer.authenticate(&limits());
    peer.send(&[message()], &limits(), at(0));
    assert!(peer.is_backed_up(&limits()) && !peer.wants_bytes(&limits()));
    peer.expire(&limits(), at(29));
    assert_eq!(read(&mut peer, &mut channel, at(29)).len(), 1);
    assert!(peer.wants_bytes(&limits()));
    peer.send(&[message()], &limits(), at(29));
    peer.expire(&limits(), at(58));
    assert!(!peer.is_closing());
    peer.expire(&limits(), at(59));
    assert!(peer.is_closing());
    // The flush has two seconds.
    peer.expire(&limits(), at(60));
    assert!(!peer.is_closed());
    peer.expire(&limits(), at(61));
    assert!(peer.is_closed());
}

#[test]
fn a_queue_is_measured_by_a_new_limit_from_its_change_on() {
    let lower = limits();
    let higher = Limits {
        send_queue_soft: 8_192,
        ..limits()
    };
    let (mut peer, _) = open();
    peer.authenticate(&lower);
    peer.send(&[vec![0; 5_000].into()], &lower, at(0));
    peer.change_limits(&higher, false, at(10));
    peer.expire(&higher, at(60));
    assert!(!peer.is_closing(), "it is not over the limit of now");
    peer.change_limits(&lower, false, at(60));
    peer.expire(&lower, at(89));
    assert!(!peer.is_closing());
    peer.expire(&lower, at(90));
    assert!(peer.is_closing());
}

#[test]
fn a_queue_that_is_too_long_only_when_it_is_sealed_counts_too() {
    let limits = limits();
    let (mut peer, _) = open();
    peer.authenticate(&limits);
    // Kind and length of the string, and the command before it: the soft limit to the byte.
    let message = Message {
        command: 1,
        params: Value::Str("x".repeat(limits.send_queue_soft - ENTRY_BYTES - 9)),
    };
    peer.send(&[message.encode().expect("small").into()], &limits, at(1));
    assert_eq!(peer.waiting(), limits.send_queue_soft);
    assert!(!peer.is_backed_up(&limits));
    seal(&mut peer, &limits, at(2));
    assert!(peer.is_backed_up(&limits));
    assert_eq!(peer.deadline(&limits), Duration::from_secs(32));
}

#[test]
fn a_silent_peer_is_pinged_once_and_any_byte_restarts_the_timer() {
    let (mut peer, mut channel) = open();
    peer.authenticate(&limits());
    for now in [90, 91, 120] {
        peer.expire(&limits(), at(now));
    }
    assert_eq!(read(&mut peer, &mut channel, at(120)), [Incoming::Ping]);
    peer.receive(&sealed(&mut channel, command::PONG), &limits(), at(149));
    peer.expire(&limits(), at(150));
    assert!(!peer.is_closed());
    // PINGs are sent every 5 s.
    assert_eq!(peer.deadline(&limits()), Duration::from_mins(4));
    peer.expire(&limits(), at(149 + 150));
    assert!(peer.is_closed());
}

#[test]
fn a_half_closed_peer_is_closed_after_its_last_output() {
    let (mut peer, _) = open();
    peer.hang_up();
    assert!(matches!(peer.next_item(), Some(Item::End(End::Flush))));
    peer.close(End::Flush, at(0));
    assert!(peer.is_closed(), "nothing was left to say");
}

#[test]
fn a_peer_that_half_closes_during_a_goodbye_still_receives_it() {
    let (mut peer, mut channel) = open();
    peer.close(End::Notify(CloseReason::Idle), at(0));
    peer.hang_up();
    let goodbye = Incoming::Close(CloseReason::Idle as u64);
    assert_eq!(read(&mut peer, &mut channel, at(0)), [goodbye]);
    peer.hang_up();
    assert!(peer.is_closed(), "all is said on both sides");
}
