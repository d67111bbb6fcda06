//! The whole report: what is measured with which command, as a table in Markdown.

use clap::{Args, Parser};

use super::server::Scene;
use super::{Failure, Measure};

/// All of it, about fifteen minutes on a machine with two cores that does nothing else.
const FULL: &[&str] = &[
    "handshakes --count 2000",
    "logins --users 8 --times 100",
    "comeback --users 2000",
    "senders --count 1 --messages 10000",
    "senders --count 50 --messages 50000",
    "senders --count 500 --messages 100000",
    "senders --count 1 --messages 100000 --window 64",
    "room --members 10 --window 1 --messages 20000",
    "room --members 10 --window 64 --messages 100000",
    "room --members 100 --window 1 --messages 5000",
    "room --members 100 --window 64 --messages 50000",
    "room --members 1000 --window 1 --messages 1000",
    "room --members 1000 --window 64 --messages 10000",
    "idle --connections 0",
    "idle --connections 10000",
    "idle --connections 1000 --users",
    "idle --connections 10000 --users",
    "stored --messages 10",
    "stored --messages 1000000",
    "backup",
];

/// The limits of one node. Registering 20,000 users alone takes ten minutes on a machine with two cores.
const SCALE: &[&str] = &[
    "senders --count 1 --messages 10000",
    "senders --count 50 --messages 50000",
    "senders --count 500 --messages 100000",
    "senders --count 5000 --messages 200000",
    "room --members 5000 --window 64 --messages 2000",
    "room --members 10000 --window 64 --messages 1000",
    "idle --connections 20000 --users",
    "stored --messages 10000000",
];

/// The same with small numbers, about a minute: figures of no value, but all of the way.
const QUICK: &[&str] = &[
    "handshakes --count 100",
    "logins --users 4 --times 5",
    "comeback --users 20 --at-once 4",
    "senders --count 1 --messages 500",
    "senders --count 50 --messages 2000",
    "room --members 10 --window 1 --messages 500",
    "room --members 50 --window 64 --messages 2000",
    "idle --connections 0 --seconds 2",
    "idle --connections 200",
    "idle --connections 50 --users --seconds 2",
    "stored --messages 10 --times 10",
    "stored --messages 5000 --times 10",
    "backup --megabytes 5 --seconds 2",
];

/// All of it, as a table in Markdown.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// With small numbers, to see that it works.
    #[arg(long)]
    quick: bool,
    /// The limits of one node instead: many senders, large rooms, 20,000 connections, 10,000,000 messages; about an
    /// hour.
    #[arg(long, conflicts_with = "quick")]
    scale: bool,
}

/// A measurement as it is typed.
#[derive(Debug, Parser)]
#[command(name = "echat-load")]
struct Line {
    #[command(subcommand)]
    measure: Measure,
}

impl Report {
    pub(super) fn run(&self, scene: &Scene) -> Result<(), Failure> {
        println!("| what | figure | unit | echat-load |");
        println!("| --- | --- | --- | --- |");
        let lines = match self {
            Self { quick: true, .. } => QUICK,
            Self { scale: true, .. } => SCALE,
            _ => FULL,
        };
        for line in lines {
            for figure in parsed(line).run(scene)? {
                let value = significant(figure.value);
                println!("| {} | {value} | {} | `{line}` |", figure.what, figure.unit);
            }
        }
        Ok(())
    }
}

fn parsed(line: &str) -> Measure {
    let words = ["echat-load"].into_iter().chain(line.split(' '));
    Line::try_parse_from(words)
        .expect("the lines above are commands")
        .measure
}

/// Three digits that mean something, and all before the point.
fn significant(value: f64) -> String {
    let decimals = match value {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_report_is_a_command() {
        for line in FULL.iter().chain(QUICK).chain(SCALE) {
            parsed(line);
        }
    }

    #[test]
    fn figures_have_three_digits() {
        for (value, text) in [
            (0.123, "0.12"),
            (3.456, "3.46"),
            (34.56, "34.6"),
            (3456.7, "3457"),
        ] {
            assert_eq!(significant(value), text);
        }
    }
}
