//! The engine in a simulated world (ARCHITECTURE.md, "The simulation"): seeded clients, a network, a
//! disk and workers that misbehave, a clock that jumps; and after every tick everything is judged.
//!
//! ```text
//! draw: a seed becomes a case (plan) ──> run: actions done, world moved ──> tick
//!   truth: what is committed ──> changes: may it have changed so? which events are due?
//!   client: what it received ──> replies against spec, events against its own story
//!   invariants: bounds, rest, emptiness          shrink: a failing case made smaller
//! ```

mod campaign;
mod cases;
mod changes;
mod client;
mod codes;
mod devices;
mod disk;
mod draw;
mod facts;
mod faults;
mod invariants;
mod met;
mod news;
mod plan;
mod replies;
mod request;
mod run;
mod search;
mod secrets;
mod shrink;
#[path = "../sim/mod.rs"]
mod sim;
mod spec;
mod tokens;
mod truth;
mod value;

use std::panic::{AssertUnwindSafe, catch_unwind};

use echat_testkit::campaign::number;
use plan::Case;
use run::Held;

/// Cases of the ordinary run.
const SEEDS: u64 = 1_000;

/// A judgement against the server.
fn fail<T>(what: &str) -> Result<T, String> {
    Err(what.to_owned())
}

/// Carries a case out; panics are failures too.
fn outcome(case: &Case, loud: bool) -> Result<Held, String> {
    catch_unwind(AssertUnwindSafe(|| run::run(case, loud))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panicked: {}", text.unwrap_or_default()))
    })
}

/// What went wrong, without the numbers of users and messages.
fn kind(failure: &str) -> String {
    let line = failure.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// What a failing case looks like, in full and at its smallest.
fn shown(case: &Case, failure: &str) -> String {
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
        case.climate,
        case.accounts,
        case.sessions,
        if case.acquainted {
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
        return assert!(done.is_ok(), "{}", shown(&case, &done.unwrap_err()));
    }
    let from = number::<u64>("ECHAT_SEED_FROM").unwrap_or(0);
    let seeds = number::<u64>("ECHAT_SEEDS").unwrap_or(SEEDS);
    let campaign = campaign::run(from..from + seeds, |case| outcome(case, false));
    if let Some((case, failure)) = campaign.failure {
        panic!("seed {}: {}", case.seed, shown(&case, &failure));
    }
    let met = campaign.met;
    println!("{seeds} worlds held; met in them: {met:#?}");
    let missed: Vec<_> = met::all().filter(|what| !met.contains_key(*what)).collect();
    assert!(seeds < SEEDS || missed.is_empty(), "never met: {missed:?}");
}

#[test]
fn equal_seeds_give_equal_traces() {
    for seed in 0..10 {
        let trace = outcome(&Case::draw(seed), false);
        assert_eq!(trace, outcome(&Case::draw(seed), false));
        assert_ne!(trace, outcome(&Case::draw(seed + 1), false));
    }
}
