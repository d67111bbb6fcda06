//! Handshakes and logins a second, and what each costs the server. The client's side of a handshake
//! costs as much as the server's: on one machine they share its cores.

use clap::Args;

use super::Failure;
use super::figure::Figure;
use super::people::{connect, each, log_in, log_out, register};
use super::server::Scene;

/// Handshakes a second.
#[derive(Debug, Args)]
pub(super) struct Handshakes {
    /// How many.
    #[arg(long, default_value_t = 2_000)]
    count: usize,
}

impl Handshakes {
    pub(super) fn run(&self, scene: &Scene) -> Result<Vec<Figure>, Failure> {
        let clock = &scene.clock;
        let server = scene.start()?;
        let address = server.address()?;
        let (started, before) = (clock.now(), server.cpu()?);
        each(self.count, |_| connect(address, clock).map(drop))?;
        let lasted = clock.now().saturating_sub(started);
        let cpu = server.cpu()?.saturating_sub(before);
        let count = self.count as u64;
        Ok(vec![
            Figure::rate("handshakes", count, lasted),
            Figure::cost("CPU a handshake", count, cpu),
        ])
    }
}

/// Logins a second.
#[derive(Debug, Args)]
pub(super) struct Logins {
    /// How many users log in, each on a connection of its own.
    #[arg(long, default_value_t = 8)]
    users: usize,
    /// How often each of them logs in and out again.
    #[arg(long, default_value_t = 50)]
    times: usize,
}

impl Logins {
    pub(super) fn run(&self, scene: &Scene) -> Result<Vec<Figure>, Failure> {
        let clock = &scene.clock;
        let server = scene.start()?;
        let address = server.address()?;
        each(self.users, |number| {
            register(&mut connect(address, clock)?, number, clock)
        })?;
        let (started, before) = (clock.now(), server.cpu()?);
        each(self.users, |number| {
            let mut link = connect(address, clock)?;
            for _ in 0..self.times {
                log_in(&mut link, number, clock)?;
                log_out(&mut link, clock)?;
            }
            Ok(())
        })?;
        let lasted = clock.now().saturating_sub(started);
        let cpu = server.cpu()?.saturating_sub(before);
        let count = (self.users * self.times) as u64;
        Ok(vec![
            Figure::rate("logins", count, lasted),
            Figure::cost("CPU a login", count, cpu),
        ])
    }
}
