//! Rooms: what a delivery costs, and how many messages are acknowledged.

use clap::{Args, value_parser};

use super::crowd::{Crowd, Rooms, Talk};
use super::figure::Figure;
use super::server::Scene;
use super::{Failure, floor};

/// Messages that go before those that are measured.
const WARM_UP: u64 = 100;

/// Messages in a room, and what each delivery costs the server.
#[derive(Debug, Args)]
pub(super) struct Room {
    /// Members of the room; each is a connection that is logged in.
    #[arg(long, default_value_t = 100)]
    members: usize,
    /// How many members send.
    #[arg(long, default_value_t = 1)]
    senders: usize,
    /// Messages in all.
    #[arg(long, default_value_t = 2_000)]
    messages: u64,
    /// Messages that one sender has under way at a time.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u64).range(1..))]
    window: u64,
}

impl Room {
    pub(super) fn run(&self, scene: &Scene) -> Result<Vec<Figure>, Failure> {
        let Self {
            members, window, ..
        } = *self;
        let clock = &scene.clock;
        let floor = floor::cost(members, window, self.messages.div_ceil(window).min(200))?;
        let server = scene.start()?;
        let mut crowd = Crowd::gather(&server, members.max(1), Rooms::Shared, clock)?;
        let mut talk = Talk {
            senders: self.senders.clamp(1, members.max(1)),
            messages: WARM_UP,
            window,
        };
        crowd.talk(&talk)?;
        talk.messages = self.messages;
        let (started, before) = (clock.now(), server.cpu()?);
        let deliveries = crowd.talk(&talk)?;
        let cpu = server.cpu()?.saturating_sub(before);
        let lasted = clock.now().saturating_sub(started);

        let of = format!("in a room of {members}, window {window}");
        let cost = Figure::cost(format!("CPU a delivery {of}"), deliveries, cpu);
        let times = cost.value / floor;
        Ok(vec![
            cost,
            Figure::new(format!("sealing and writing alone {of}"), floor, "us"),
            Figure::new(format!("CPU a delivery {of}"), times, "x the floor"),
            Figure::rate(format!("deliveries {of}"), deliveries, lasted),
        ])
    }
}

/// Acknowledged messages a second of senders who are alone in their rooms.
#[derive(Debug, Args)]
pub(super) struct Senders {
    /// How many send, each in a room of its own.
    #[arg(long, default_value_t = 50)]
    count: usize,
    /// Messages in all.
    #[arg(long, default_value_t = 20_000)]
    messages: u64,
    /// Messages that one sender has under way at a time.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u64).range(1..))]
    window: u64,
}

impl Senders {
    pub(super) fn run(&self, scene: &Scene) -> Result<Vec<Figure>, Failure> {
        let Self { count, window, .. } = *self;
        let clock = &scene.clock;
        let server = scene.start()?;
        let mut crowd = Crowd::gather(&server, count.max(1), Rooms::Own, clock)?;
        let mut talk = Talk {
            senders: count.max(1),
            messages: WARM_UP,
            window,
        };
        crowd.talk(&talk)?;
        talk.messages = self.messages;
        let (started, before) = (clock.now(), server.cpu()?);
        let acknowledged = crowd.talk(&talk)?;
        let cpu = server.cpu()?.saturating_sub(before);
        let lasted = clock.now().saturating_sub(started);
        let of = format!("acknowledged messages of {count} senders, window {window}");
        Ok(vec![
            Figure::rate(of.clone(), acknowledged, lasted),
            Figure::cost(format!("CPU of {of}"), acknowledged, cpu),
        ])
    }
}
