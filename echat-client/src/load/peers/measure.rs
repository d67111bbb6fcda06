//! What is measured, of every server with the same code.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::super::Failure;
use super::super::failure::PATIENCE;
use super::super::figure::number;
use super::super::people::each;
use super::Bench;
use super::peer::{Heard, Peer, Speaker};
use super::process::Process;
use super::stream::READ;

/// The period of messages in the room in which latency is measured.
const PERIOD: Duration = Duration::from_millis(10);
/// Members whose arrivals are read before the next ones join: an IRC server tells each member of every other.
const JOIN_TOGETHER: usize = 128;
/// Users that connect before the others answer pings again: some seconds' worth of password hashes.
const CONNECT_TOGETHER: usize = 256;

/// Connected users of one server, served by one thread.
pub(super) struct Crowd<'a> {
    bench: &'a Bench,
    speakers: Vec<Box<dyn Speaker>>,
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
}

/// The messages of a talk that are under way: complete when every receiver has them.
struct UnderWay {
    receivers: usize,
    /// For each message under way, oldest first, how many receivers have not got it.
    missing: VecDeque<usize>,
    complete: u64,
    /// How many messages each member has received.
    received: Vec<u64>,
}

impl UnderWay {
    fn new(receivers: usize, members: usize) -> Self {
        Self {
            receivers,
            missing: VecDeque::new(),
            complete: 0,
            received: vec![0; members],
        }
    }

    fn sent(&mut self) {
        self.missing.push_back(self.receivers);
    }

    fn all_sent(&self) -> u64 {
        self.complete + self.missing.len() as u64
    }

    /// Counts arrivals at a member, and calls `arrived` with the number of each message.
    fn heard(
        &mut self,
        member: usize,
        heard: Heard,
        mut arrived: impl FnMut(u64),
    ) -> Result<(), Failure> {
        for _ in 0..heard.deliveries {
            let message = self.received[member];
            let index = message.checked_sub(self.complete);
            let index = index.and_then(|index| usize::try_from(index).ok());
            let missing = index.and_then(|index| self.missing.get_mut(index));
            let strange = || Failure::Strange("a message that was not sent".to_owned());
            *missing.ok_or_else(strange)? -= 1;
            self.received[member] += 1;
            arrived(message);
        }
        while self.missing.front() == Some(&0) {
            self.missing.pop_front();
            self.complete += 1;
        }
        Ok(())
    }
}

impl<'a> Crowd<'a> {
    /// Connects so many users, with all processors, and pins both sides then.
    ///
    /// This can take minutes. Those that are connected answer pings, and `attend` is called every few seconds, so that
    /// the crowds of other servers can do so too.
    pub(super) fn gather(
        bench: &'a Bench,
        peer: &dyn Peer,
        server: &Process,
        users: usize,
        mut attend: impl FnMut() -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let mut crowd = Self {
            bench,
            speakers: Vec::with_capacity(users),
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            scratch: vec![0; READ],
        };
        bench.cores.release_generator()?;
        while crowd.len() < users {
            let more = CONNECT_TOGETHER.min(users - crowd.len());
            crowd.connect(peer, server, more)?;
            crowd.idle(Duration::ZERO)?;
            attend()?;
        }
        bench.cores.pin_generator()?;
        server.pin(&bench.cores)?;
        Ok(crowd)
    }

    /// Connects more users, and waits until they are welcomed.
    fn connect(&mut self, peer: &dyn Peer, server: &Process, more: usize) -> Result<(), Failure> {
        let (bench, first) = (self.bench, self.len());
        let mut speakers = each(more, |number| {
            let number = first + number;
            Ok((number, peer.connect(bench, server, number)?))
        })?;
        speakers.sort_by_key(|(number, _)| *number);
        for (number, speaker) in speakers {
            let fd = speaker.socket().as_raw_fd();
            let interest = Interest::READABLE | Interest::WRITABLE;
            let registry = self.poll.registry();
            registry.register(&mut SourceFd(&fd), Token(number), interest)?;
            self.speakers.push(speaker);
        }
        if peer.welcomes() {
            self.answered_from(first)?;
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.speakers.len()
    }

    /// Brings the first `members` users into a room.
    pub(super) fn enter(&mut self, room: &str, members: usize) -> Result<(), Failure> {
        for member in 0..members {
            self.speakers[member].join(room);
            self.bench.answered(self.speakers[member].as_mut(), 1)?;
            if member % JOIN_TOGETHER == 0 {
                self.settle()?;
            }
        }
        self.settle()
    }

    /// Makes the first two users able to tell each other something.
    pub(super) fn befriend(&mut self) -> Result<(), Failure> {
        for (one, other) in [(0, 1), (1, 0)] {
            if self.speakers[one].meet(other) {
                self.bench.answered(self.speakers[one].as_mut(), 1)?;
            }
        }
        self.settle()
    }

    /// Reads until nothing is under way on any connection.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        for speaker in &mut self.speakers {
            speaker.ping();
            speaker.flush()?;
        }
        self.all_answered()
    }

    /// Asks for the first user and waits for the answer.
    pub(super) fn barrier(&mut self) -> Result<(), Failure> {
        self.speakers[0].ping();
        self.bench.answered(self.speakers[0].as_mut(), 1)
    }

    /// Waits until each user has one more answer.
    fn all_answered(&mut self) -> Result<(), Failure> {
        self.answered_from(0)
    }

    /// Waits until each user from this number on has one more answer.
    fn answered_from(&mut self, first: usize) -> Result<(), Failure> {
        let mut waiting = vec![1; self.speakers.len()];
        waiting[..first].fill(0);
        let mut all = waiting.len() - first;
        while all > 0 {
            self.hear_some(|number, heard| {
                let answers = heard.answers.min(waiting[number]);
                all -= answers;
                waiting[number] -= answers;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Sends messages to a room, `window` of them under way at a time: a message is under way until each member has
    /// it. Returns how many arrived.
    pub(super) fn talk(
        &mut self,
        room: &Room<'_>,
        window: u64,
        messages: u64,
    ) -> Result<u64, Failure> {
        let mut under_way = UnderWay::new(room.receivers, self.speakers.len());
        while under_way.complete < messages {
            while under_way.all_sent() < messages && (under_way.missing.len() as u64) < window {
                self.speakers[0].say(room.name);
                under_way.sent();
            }
            self.speakers[0].flush()?;
            self.hear_some(|member, heard| under_way.heard(member, heard, drop))?;
        }
        Ok(messages * room.receivers as u64)
    }

    /// Sends private messages from the first user to the second, each when the one before has arrived and is
    /// acknowledged.
    pub(super) fn tell(&mut self, messages: u64) -> Result<(), Failure> {
        for _ in 0..messages {
            self.speakers[0].tell(1);
            self.speakers[0].flush()?;
            let (mut arrived, mut acknowledged) = (0, 0);
            while arrived == 0 || acknowledged == 0 {
                self.hear_some(|number, heard| {
                    match number {
                        0 => acknowledged += heard.answers,
                        _ => arrived += heard.deliveries,
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    /// Sends a message to a room every ten milliseconds. Returns how long each took to each member.
    pub(super) fn latencies(
        &mut self,
        room: &Room<'_>,
        messages: u64,
    ) -> Result<Vec<Duration>, Failure> {
        let clock = self.bench.clock;
        let mut under_way = UnderWay::new(room.receivers, self.speakers.len());
        let (mut sent_at, mut latencies) = (Vec::new(), Vec::new());
        let mut next = clock.now();
        while under_way.complete < messages {
            let now = clock.now();
            let more = under_way.all_sent() < messages;
            if more && now >= next {
                sent_at.push(now);
                self.speakers[0].say(room.name);
                self.speakers[0].flush()?;
                under_way.sent();
                next += PERIOD;
                continue;
            }
            let patience = if more {
                next.saturating_sub(now)
            } else {
                PATIENCE
            };
            let mut strange = false;
            self.hear(patience, |member, heard| {
                let now = clock.now();
                under_way.heard(member, heard, |message| {
                    let sent = usize::try_from(message).ok().and_then(|at| sent_at.get(at));
                    match sent {
                        Some(sent) => latencies.push(now.saturating_sub(*sent)),
                        None => strange = true,
                    }
                })
            })?;
            if strange {
                return Err(Failure::Strange("an answer before its question".to_owned()));
            }
        }
        Ok(latencies)
    }

    /// Answers pings for some time.
    pub(super) fn idle(&mut self, time: Duration) -> Result<(), Failure> {
        self.hear(time, |_, _| Ok(())).map(drop)
    }

    /// Waits until something has arrived, and hears it.
    fn hear_some(
        &mut self,
        mut each: impl FnMut(usize, Heard) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut any = false;
        // A socket that may be written to wakes as well.
        while !any {
            let woken = self.hear(PATIENCE, |number, heard| {
                any = true;
                each(number, heard)
            })?;
            if !woken {
                return Err(Failure::TimedOut);
            }
        }
        Ok(())
    }

    /// Waits once, for `patience` at most, and hears what has arrived. Returns whether anything woke it.
    fn hear(
        &mut self,
        patience: Duration,
        mut each: impl FnMut(usize, Heard) -> Result<(), Failure>,
    ) -> Result<bool, Failure> {
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            result => result?,
        }
        for event in &self.events {
            let Token(number) = event.token();
            let speaker = &mut self.speakers[number];
            if event.is_writable() {
                speaker.flush()?;
            }
            if event.is_readable() {
                each(number, speaker.hear(&mut self.scratch)?)?;
            }
        }
        Ok(!self.events.is_empty())
    }
}

/// A room of a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room<'a> {
    pub(super) name: &'a str,
    /// Members that a message arrives at.
    pub(super) receivers: usize,
}

/// Microseconds of a server's processor for each of `count` things that `act` causes.
pub(super) fn cost(
    server: &Process,
    count: u64,
    act: impl FnOnce() -> Result<(), Failure>,
) -> Result<f64, Failure> {
    let before = server.cpu()?;
    act()?;
    let cpu = server.cpu()?.saturating_sub(before);
    Ok(cpu.as_secs_f64() * 1e6 / number(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_complete_when_every_receiver_has_it() {
        let one = Heard {
            deliveries: 1,
            answers: 0,
        };
        let two = Heard {
            deliveries: 2,
            answers: 0,
        };
        let mut under_way = UnderWay::new(2, 2);
        under_way.sent();
        under_way.sent();
        let mut arrivals = Vec::new();
        under_way
            .heard(0, two, |message| arrivals.push(message))
            .unwrap();
        assert_eq!((arrivals, under_way.complete), (vec![0, 1], 0));
        under_way.heard(1, one, drop).unwrap();
        assert_eq!((under_way.complete, under_way.all_sent()), (1, 2));
        under_way.heard(1, one, drop).unwrap();
        assert_eq!((under_way.complete, under_way.all_sent()), (2, 2));
        assert!(under_way.heard(1, one, drop).is_err(), "never sent");
    }
}
