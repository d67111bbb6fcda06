//! echat-load: what a server can do, measured from outside. It registers users of its own, fills a room
//! with them and sends; the figures are lines of JSON. For a server of one's own with its rates off
//! (`message_rate`, `registrations` 0): it measures, it does not attack.
//!
//! One thread does everything, so that on a small machine the server is what is measured.

mod crowd;
mod usage;

use std::process::ExitCode;

use clap::{Command, CommandFactory, Parser};
use serde_json::json;

use crate::address::Address;
use crate::clock::Clock;
use crowd::{Crowd, Failure};

/// Measures an echat server whose rates are turned off.
#[derive(Debug, Parser)]
#[command(name = "echat-load", version)]
struct Args {
    /// The server, as host:port or echat://host:port.
    address: Address,
    /// Members of the room; each is a connection that is logged in.
    #[arg(long, default_value_t = 100)]
    room: usize,
    /// How many members send.
    #[arg(long, default_value_t = 1)]
    senders: usize,
    /// Messages in all.
    #[arg(long, default_value_t = 1_000)]
    messages: u64,
    /// Messages that one sender has under way at a time.
    #[arg(long, default_value_t = 1)]
    window: u64,
    /// The server's process, whose CPU time and memory are read from /proc.
    #[arg(long)]
    pid: Option<u32>,
}

/// The definition of the command line.
pub fn command() -> Command {
    Args::command()
}

/// Runs the program.
pub fn main() -> ExitCode {
    match measure(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("echat-load: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &Args) -> Result<(), Failure> {
    let clock = Clock::start();
    let senders = args.senders.clamp(1, args.room.max(1));
    let mut crowd = Crowd::gather(&args.address, args.room.max(1), &clock)?;
    let joined = clock.now();
    println!(
        "{}",
        json!({
            "phase": "gather",
            "members": args.room,
            "seconds": joined.as_secs_f64(),
            "server_kib": args.pid.and_then(usage::resident_kib),
        })
    );

    let cpu = args.pid.and_then(usage::cpu);
    let started = clock.now();
    let deliveries = crowd.talk(senders, args.messages, args.window.max(1), &clock)?;
    let seconds = clock.now().saturating_sub(started).as_secs_f64();
    let cpu = args
        .pid
        .and_then(usage::cpu)
        .zip(cpu)
        .map(|(after, before)| after.saturating_sub(before));
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let (messages, deliveries) = (args.messages as f64, deliveries as f64);
    println!(
        "{}",
        json!({
            "phase": "talk",
            "members": args.room,
            "senders": senders,
            "window": args.window,
            "messages": messages,
            "deliveries": deliveries,
            "seconds": seconds,
            "acknowledged_per_second": messages / seconds,
            "deliveries_per_second": deliveries / seconds,
            "server_cpu_us_per_delivery": cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / deliveries),
            "server_kib": args.pid.and_then(usage::resident_kib),
        })
    );
    Ok(())
}
