//! A property test of the engine: random clients, a simulated network, faults of disk and clock, and checks after every
//! tick against a reference model.
//!
//! ```text
//! seed ──draw──> case (plan) ──run──> actions and ticks ──> checks after each tick ──failure──> shrink
//! ```
//!
//! 1. **Plan.** [`draw`] makes a case from a seed: a list of steps, each an action and the ticks after it. A case is
//!    plain data ([`plan`]), and equal seeds give equal cases and equal traces.
//! 2. **Run.** [`run`] carries the actions out on the engine in a [`sim::Sim`], which replaces sockets, workers and
//!    clocks. Between ticks it reads the committed state from the database ([`committed`]).
//! 3. **Model.** [`model`] says what PROTOCOL.md requires of a request in a committed state: its refusal, or the
//!    content of its reply. What the database does not show is tracked from requests and replies alone:
//!    [`observations`] with [`secrets`], [`devices`], [`tokens`] and [`invitation_codes`], and each [`client`]'s view
//!    of the server.
//! 4. **Checks.** [`changes`]: each committed change follows from a request that may make it, and determines the events
//!    that clients must or may receive. [`client`]: each event is expected and agrees with the client's view.
//!    [`replies`]: each final reply agrees with the committed state, and with the model if nothing was committed in
//!    between. [`search`]: pages of a search. [`invariants`]: limits after every tick, views and replies in a quiescent
//!    state, nothing left after all clients are gone. [`disk`]: a replay of all writes gives the same database.
//! 5. **Shrink.** [`shrink`] reduces a failing case and prints it with the line that replays it.
//!
//! Where several requests may have been handled in one tick, their order is not known. Then checks accept every order:
//! events that are possible but not certain, and states that another request may have reverted ("ambiguous").
//!
//! | file | contains |
//! | --- | --- |
//! | `plan` | the types of a case: actions, requests, names of users and rooms |
//! | `draw/mod`, `draw/scenarios` | a random case; short stories that reach rare states |
//! | `run/mod`, `run/actions` | the state of a run; what clients do |
//! | `run/tick`, `run/phases` | one tick with its checks; waiting, settling, restarts, the final audit |
//! | `request`, `value` | requests as wire messages; values of the wire without the server's types |
//! | `committed/` | the committed state, by concept |
//! | `model/`, `changes/` | the reference model; checks of changes, by the same concepts |
//! | `client`, `replies`, `search`, `invariants` | checks of events, of replies, of pages of a search; invariants |
//! | `observations`, `secrets`, `devices`, `tokens`, `invitation_codes` | knowledge from requests and replies |
//! | `disk` | the database file, its faults, the replay of writes |
//! | `campaign`, `coverage` | many seeds on all processors; the situations that 1,000 seeds must reach |
//! | `cases` | regression cases |
//! | `shrink` | smaller failing cases |
//! | `faults`, `faults/` | patches that each plant a fault, and the script that expects the simulation to find it |
//!
//! # Running
//!
//! `ECHAT_SEEDS` sets the number of seeds, `ECHAT_SEED_FROM` the first one. `ECHAT_SEED` runs one seed and prints its
//! steps and events. `ECHAT_SHRINKS` limits the runs of the shrinker.
//!
//! # Adding a command
//!
//! 1. `plan`: a variant of [`plan::PlannedRequest`] or of the request type of its area, and its name.
//! 2. `request`: its number and parameters on the wire.
//! 3. `draw`: a branch of its function `request`, or a scenario. New draws change the cases of existing seeds.
//! 4. `committed`: the rows that it writes, if they are new.
//! 5. `model`: its refusals in the order of PROTOCOL.md, and its reply if it only reads.
//! 6. `changes`: which request permits the new rows, and which events follow.
//! 7. `replies`: how its success shows in the committed state. `client`: its events.
//! 8. `coverage`: its outcomes. `faults/`: a patch that breaks it, found within the seeds of its head.

mod campaign;
mod cases;
mod changes;
mod client;
mod committed;
mod coverage;
mod devices;
mod disk;
mod draw;
mod faults;
mod invariants;
mod invitation_codes;
mod model;
mod observations;
mod plan;
mod replies;
mod request;
mod run;
mod search;
mod secrets;
mod shrink;
#[path = "../sim/mod.rs"]
mod sim;
mod tokens;
mod value;

use std::panic::{AssertUnwindSafe, catch_unwind};

use echat_testkit::campaign::number;
use plan::Case;
use run::Passed;

/// Cases of a run without `ECHAT_SEEDS`.
const SEEDS: u64 = 1_000;

/// The failure of a check.
fn fail<T>(what: &str) -> Result<T, String> {
    Err(what.to_owned())
}

/// Runs a case. A panic is a failure, too.
fn outcome(case: &Case, verbose: bool) -> Result<Passed, String> {
    catch_unwind(AssertUnwindSafe(|| run::run(case, verbose))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panicked: {}", text.unwrap_or_default()))
    })
}

/// The kind of a failure: its first line without digits, which name users and messages.
fn kind(failure: &str) -> String {
    let line = failure.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// Describes a failing case, and its smallest form with the same kind of failure.
fn report(case: &Case, failure: &str) -> String {
    std::panic::set_hook(Box::new(|_| {}));
    let same = |other: &String| kind(other) == kind(failure);
    let smallest = shrink::shrink(case, |case| outcome(case, false).is_err_and(|e| same(&e)));
    let why = outcome(&smallest, false).err();
    let _ = std::panic::take_hook();
    let steps: Vec<String> = smallest
        .steps
        .iter()
        .map(|step| format!("    {step:?}"))
        .collect();
    format!(
        "{failure}\n\nECHAT_SEED={} cargo test -p echat-server --test simulation\n\n\
         {} of {} steps are enough, {:?}, {} accounts, {} sessions a user, {}:\n{}\n{}",
        case.seed,
        smallest.steps.len(),
        case.steps.len(),
        case.profile,
        case.accounts,
        case.sessions,
        if case.all_friends {
            "friends"
        } else {
            "strangers"
        },
        steps.join("\n"),
        why.unwrap_or_default(),
    )
}

#[test]
fn the_engine_keeps_its_promises_in_every_simulation() {
    if let Some(seed) = number::<u64>("ECHAT_SEED") {
        let case = Case::draw(seed);
        let done = outcome(&case, true);
        return assert!(done.is_ok(), "{}", report(&case, &done.unwrap_err()));
    }
    let from = number::<u64>("ECHAT_SEED_FROM").unwrap_or(0);
    let seeds = number::<u64>("ECHAT_SEEDS").unwrap_or(SEEDS);
    let campaign = campaign::run(from..from + seeds, |case| outcome(case, false));
    if let Some((case, failure)) = campaign.failure {
        panic!("seed {}: {}", case.seed, report(&case, &failure));
    }
    let coverage = campaign.coverage;
    println!("{seeds} seeds passed; coverage: {coverage:#?}");
    let missed: Vec<_> = coverage::required()
        .filter(|what| !coverage.contains_key(*what))
        .collect();
    assert!(
        seeds < SEEDS || missed.is_empty(),
        "not covered: {missed:?}"
    );
}

#[test]
fn equal_seeds_give_equal_traces() {
    for seed in 0..10 {
        let trace = outcome(&Case::draw(seed), false);
        assert_eq!(trace, outcome(&Case::draw(seed), false));
        assert_ne!(trace, outcome(&Case::draw(seed + 1), false));
    }
}
