//! echat-load: what a server costs, measured from outside. It starts a server of its own on a
//! temporary folder, without rate limits and quotas, and sends it requests; figures are lines of JSON,
//! and `report` makes a table of all of them.

mod backup;
mod cleanup;
mod comeback;
mod crowd;
mod failure;
mod figure;
mod floor;
mod idle;
#[cfg(feature = "peers")]
mod peers;
mod peers_args;
mod people;
mod report;
mod room;
mod server;
mod sign_in;
mod stored;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Command, CommandFactory, Parser, Subcommand};

use crate::clock::Clock;
use failure::Failure;
use figure::Figure;
use server::Scene;

/// Measures an echat server that it starts itself.
#[derive(Debug, Parser)]
#[command(name = "echat-load", version)]
struct Args {
    /// The server's program; unless given, the one that lies beside this one.
    #[arg(long, global = true)]
    server: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

/// What is measured.
#[derive(Debug, Subcommand)]
enum What {
    /// All of it, as a table in Markdown.
    Report(report::Report),
    Peers(peers_args::Peers),
    /// Serves echat's wire from memory: what the comparison starts.
    #[cfg(feature = "peers")]
    #[command(hide = true)]
    Reference {
        /// Where it listens.
        address: String,
    },
    #[command(flatten)]
    One(Measure),
}

/// One measurement.
#[derive(Debug, Subcommand)]
enum Measure {
    /// Handshakes a second.
    Handshakes(sign_in::Handshakes),
    /// Logins a second.
    Logins(sign_in::Logins),
    /// All clients come back after a restart, and what that costs.
    Comeback(comeback::Comeback),
    /// Messages in a room, and what each delivery costs the server.
    Room(room::Room),
    /// Acknowledged messages a second of senders who are alone in their rooms.
    Senders(room::Senders),
    /// Memory of idle connections, and how often they wake the server.
    Idle(idle::Idle),
    /// Login and pages of history when much is stored.
    Stored(stored::Stored),
    /// What a backup costs a room that talks, and how long it takes.
    Backup(backup::Backup),
}

impl Measure {
    fn run(&self, scene: &Scene) -> Result<Vec<Figure>, Failure> {
        match self {
            Self::Handshakes(what) => what.run(scene),
            Self::Logins(what) => what.run(scene),
            Self::Comeback(what) => what.run(scene),
            Self::Room(what) => what.run(scene),
            Self::Senders(what) => what.run(scene),
            Self::Idle(what) => what.run(scene),
            Self::Stored(what) => what.run(scene),
            Self::Backup(what) => what.run(scene),
        }
    }
}

/// The definition of the command line.
pub fn command() -> Command {
    Args::command()
}

/// Runs the program.
pub fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("echat-load: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<(), Failure> {
    #[cfg(feature = "peers")]
    if let What::Reference { address } = &args.what {
        return peers::reference(address);
    }
    cleanup::remove_at_signals()?;
    let scene = Scene::new(args.server, Clock::start())?;
    match args.what {
        #[cfg(feature = "peers")]
        What::Reference { .. } => {}
        #[cfg(feature = "peers")]
        What::Peers(args) => peers::run(&args, &scene)?,
        #[cfg(not(feature = "peers"))]
        What::Peers(_) => return Err(Failure::NoPeers),
        What::Report(report) => report.run(&scene)?,
        What::One(measure) => {
            for figure in measure.run(&scene)? {
                println!("{}", figure.to_json());
            }
        }
    }
    Ok(())
}
