//! What a backup costs a room that talks, and how long it takes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Args;

use super::Failure;
use super::crowd::{Crowd, Pace, Rooms};
use super::figure::{Figure, number};
use super::server::Scene;

/// Backups beside a room that talks.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// Megabytes of the database before it is measured.
    #[arg(long, default_value_t = 250)]
    megabytes: u64,
    /// Members of the room; they send in turn.
    #[arg(long, default_value_t = 20)]
    members: usize,
    /// Messages a second of all of them together.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// Seconds that are measured without backups, and as many beside them.
    #[arg(long, default_value_t = 20)]
    seconds: u32,
}

impl Backup {
    pub(super) fn run(&self, scene: &Scene) -> Result<Vec<Figure>, Failure> {
        let clock = &scene.clock;
        let server = scene.start()?;
        let mut crowd = Crowd::gather(&server, self.members.max(1), Rooms::Shared, clock)?;
        while server.database_bytes()? < self.megabytes * 1_000_000 {
            crowd.fill()?;
        }
        let rate = self.rate.max(1);
        let pace = Pace {
            period: Duration::from_secs(1) / rate,
            messages: u64::from(rate) * u64::from(self.seconds.max(1)),
        };
        let alone = crowd.talk_steadily(&pace, clock)?;
        let is_over = AtomicBool::new(false);
        let (beside, backups) = thread::scope(|scope| {
            let backups = scope.spawn(|| {
                let mut backups = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let begun = clock.now();
                    let bytes = server.back_up(scene)?;
                    backups.push((clock.now().saturating_sub(begun), bytes));
                }
                Ok::<_, Failure>(backups)
            });
            let times = crowd.talk_steadily(&pace, clock);
            is_over.store(true, Ordering::Relaxed);
            let backups = backups.join().expect("it does not panic");
            Ok::<_, Failure>((times?, backups?))
        })?;
        let bytes = backups.iter().map(|(_, bytes)| *bytes).max();
        let durations: Vec<Duration> = backups.into_iter().map(|(lasted, _)| lasted).collect();
        let of = format!(
            "a message to {} members at {rate} a second",
            crowd.members()
        );
        let percentiles = |when: &str, times: &[Duration]| {
            [50, 99].map(|part| Figure::percentile(format!("{of}, {when}, p{part}"), times, part))
        };
        let mut figures = Vec::from(percentiles("alone", &alone));
        figures.extend(percentiles("beside backups", &beside));
        let ratio = figures[3].value / figures[1].value;
        let megabytes = number(bytes.unwrap_or_default()) / 1e6;
        figures.extend([
            Figure::new(format!("{of}, p99 beside backups"), ratio, "x alone"),
            Figure::new("backups made", number(durations.len() as u64), ""),
            Figure::new("a backup", megabytes, "MB"),
            Figure::median("a backup takes", durations),
        ]);
        Ok(figures)
    }
}
