//! What a room costs without a server: each member's frame sealed by the real channel and written
//! to a socket, and nothing else. A server is measured against it.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use echat_proto::channel::Channel;
use echat_proto::commands::Event;
use echat_proto::group::Ephemeral;
use echat_proto::handshake::{AwaitClientHello, ClientStart, Step, respond};
use echat_proto::limits::FRAME_TO_CLIENT;
use echat_proto::param::{Mark, TargetType};
use ed25519_dalek::SigningKey;
use rustix::time::{ClockId, clock_gettime};

use super::Failure;
use super::crowd::TEXT;
use super::figure::number;
use super::people::each;

/// The key that signs handshakes with oneself.
const KEY: [u8; 32] = [1; 32];
/// Pairs of sockets at most: further members are written to the same ones, since a process may have few open files.
const SOCKETS: usize = 4_000;

/// The processor's time of one delivery in a room of `members` with `window` messages at a time, in
/// microseconds.
pub(super) fn cost(members: usize, window: u64, rounds: u64) -> Result<f64, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut channels = each(members, |_| Ok(channel()))?;
    let mut sockets = Vec::new();
    for _ in 0..members.min(SOCKETS) {
        let near = TcpStream::connect(listener.local_addr()?)?;
        near.set_nodelay(true)?;
        sockets.push((near, listener.accept()?.0));
    }
    let message = event();
    let mut rng = rand::rng();
    let (mut frame, mut cpu) = (Vec::new(), Duration::ZERO);
    for _ in 0..rounds {
        for channels in channels.chunks_mut(SOCKETS) {
            let before = own_cpu()?;
            let mut lengths = Vec::with_capacity(channels.len());
            for (channel, (near, _)) in channels.iter_mut().zip(&mut sockets) {
                let mut waiting: VecDeque<_> = (0..window).map(|_| Rc::clone(&message)).collect();
                frame.clear();
                let sealer = channel.sealer();
                sealer.seal_waiting(&mut waiting, FRAME_TO_CLIENT, &mut rng, &mut frame);
                near.write_all(&frame)?;
                lengths.push(frame.len());
            }
            cpu += own_cpu()?.saturating_sub(before);
            for ((_, far), length) in sockets.iter_mut().zip(lengths) {
                far.read_exact(&mut vec![0; length])?;
            }
        }
    }
    let deliveries = number(members as u64 * window * rounds);
    Ok(cpu.as_secs_f64() * 1e6 / deliveries)
}

/// A server's end of a channel, after a handshake with oneself.
fn channel() -> Channel {
    let mut rng = rand::rng();
    let (hello, client) = ClientStart::new(&mut rng).send();
    let Ok(Step::Next((hello, _))) = AwaitClientHello::default().next(&hello) else {
        unreachable!("a whole hello of ours")
    };
    let key = SigningKey::from_bytes(&KEY);
    let exponent = Ephemeral::generate(&mut rng);
    let (flight, server) = respond(&hello, exponent, &key, &mut rng);
    let Ok(Step::Next(client)) = client.next(&flight) else {
        unreachable!("a whole hello of ours")
    };
    let Ok(Step::Next((_, finished))) = client.next(&[], &mut rng) else {
        unreachable!("FINISHED came with the hello")
    };
    let Ok(Step::Next(channel)) = server.next(&finished) else {
        unreachable!("a whole FINISHED of ours")
    };
    channel
}

/// The event that a message is to each member.
fn event() -> Rc<[u8]> {
    let event = Event::OnNewMessage {
        id: 1_000_000,
        content: TEXT.to_owned(),
        sender: "load-0".to_owned(),
        target_type: TargetType::Room,
        send_time: 1_700_000_000,
        target: "load-room".to_owned(),
        txn_id: None,
        deleted: None,
        bot: Mark::default(),
        reply_to: None,
        edited: None,
        mentions: None,
    };
    let bytes = event.to_message().encode();
    bytes.expect("events have a wire form").into()
}

/// The processor's time that this thread has used.
fn own_cpu() -> Result<Duration, Failure> {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).map_err(|_| Failure::NoUsage)
}
