//! Connections that do nothing: their memory, and how often they wake the server.

use std::time::Duration;

use clap::Args;

use super::Failure;
use super::figure::{Figure, number};
use super::people::{connect, each, join, pause};
use super::server::Scene;

/// Users who register and log in first, so that the memory of password hashes is there before.
const FIRST: usize = 16;
/// When the time limits of connecting are over and exponents are prepared.
const SETTLED: Duration = Duration::from_secs(11);

/// Memory of idle connections, and how often they wake the server.
#[derive(Debug, Args)]
pub(super) struct Idle {
    /// How many.
    #[arg(long, default_value_t = 1_000)]
    connections: usize,
    /// Log a user in on each connection. Connections without a login are closed after a minute, so their wake-ups are
    /// not counted.
    #[arg(long)]
    users: bool,
    /// For how many seconds wake-ups are counted.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

impl Idle {
    pub(super) fn run(&self, scene: &Scene) -> Result<Vec<Figure>, Failure> {
        let clock = &scene.clock;
        let server = scene.start()?;
        let address = server.address()?;
        each(FIRST, |number| join(address, number, clock).map(drop))?;
        let before = server.resident_kib()?;
        let links = each(self.connections, |number| {
            if self.users {
                join(address, FIRST + number, clock)
            } else {
                connect(address, clock)
            }
        })?;
        let grown = server.resident_kib()?.saturating_sub(before);
        let kind = if self.users { "users" } else { "guests" };
        let of = format!("{} idle {kind}", self.connections);
        let mut figures = Vec::new();
        if !links.is_empty() {
            let each = number(grown) / number(links.len() as u64);
            figures.push(Figure::new(format!("memory of each of {of}"), each, "KiB"));
        }
        if self.users || links.is_empty() {
            pause(clock, SETTLED)?;
            let before = server.switches()?;
            let time = Duration::from_secs(self.seconds.max(1));
            pause(clock, time)?;
            let woken = server.switches()?.saturating_sub(before);
            figures.push(Figure::rate(format!("wake-ups with {of}"), woken, time));
        }
        drop(links);
        Ok(figures)
    }
}
