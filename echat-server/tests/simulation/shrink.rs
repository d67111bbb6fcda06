//! A failing case made smaller: steps are taken away in ever smaller pieces as long as it still
//! fails, then whole clients, then requests that were said in one breath.

use crate::plan::{Action, Case, PlannedRequest, SEATS, Seat, Step};

/// Runs that shrinking may cost, unless `ECHAT_SHRINKS` says another number.
const RUNS: usize = 600;

/// A case that still fails and from which nothing more can be taken.
pub(crate) fn shrink(case: &Case, fails: impl Fn(&Case) -> bool) -> Case {
    let mut smallest = case.clone();
    let mut runs = echat_testkit::campaign::count("ECHAT_SHRINKS", RUNS);
    let mut attempt = |smallest: &mut Case, steps: Vec<Step>| {
        if runs == 0 || steps.len() > smallest.steps.len() {
            return false;
        }
        runs -= 1;
        let candidate = Case {
            steps,
            ..smallest.clone()
        };
        let smaller = fails(&candidate);
        if smaller {
            *smallest = candidate;
        }
        smaller
    };
    loop {
        let before = size(&smallest);
        pieces(&mut smallest, &mut attempt);
        for seat in 0..SEATS {
            let others = smallest
                .steps
                .iter()
                .filter(|step| seat_of(&step.action) != Some(seat));
            let others: Vec<Step> = others.cloned().collect();
            if others.len() < smallest.steps.len() {
                attempt(&mut smallest, others);
            }
        }
        breaths(&mut smallest, &mut attempt);
        if size(&smallest) == before {
            return smallest;
        }
    }
}

/// Takes pieces of steps away: half of them, a quarter, down to each single one.
fn pieces(smallest: &mut Case, attempt: &mut impl FnMut(&mut Case, Vec<Step>) -> bool) {
    let mut length = smallest.steps.len().div_ceil(2);
    while length > 0 {
        let mut at = 0;
        while at < smallest.steps.len() {
            let mut steps = smallest.steps.clone();
            steps.drain(at..(at + length).min(steps.len()));
            if !attempt(smallest, steps) {
                at += length;
            }
        }
        length = if length == 1 { 0 } else { length.div_ceil(2) };
    }
}

/// Takes single requests away.
fn breaths(smallest: &mut Case, attempt: &mut impl FnMut(&mut Case, Vec<Step>) -> bool) {
    for index in 0..smallest.steps.len() {
        let mut at = 0;
        while let Action::Say(seat, planned) = &smallest.steps[index].action
            && planned.len() > 1
            && at < planned.len()
        {
            let (seat, mut fewer) = (*seat, planned.clone());
            fewer.remove(at);
            let mut steps = smallest.steps.clone();
            steps[index].action = Action::Say(seat, fewer);
            if !attempt(smallest, steps) {
                at += 1;
            }
        }
    }
}

fn size(case: &Case) -> usize {
    let requests = case.steps.iter().map(|step| match &step.action {
        Action::Say(_, planned) => planned.len(),
        _ => 1,
    });
    requests.sum()
}

fn seat_of(action: &Action) -> Option<Seat> {
    match action {
        Action::Connect(seat)
        | Action::Say(seat, _)
        | Action::Ask(seat, _)
        | Action::Resend(seat)
        | Action::Leave(seat)
        | Action::HangUp(seat)
        | Action::Reset(seat)
        | Action::Stall(seat)
        | Action::Mute(seat, _)
        | Action::Wake(seat) => Some(*seat),
        _ => None,
    }
}

#[test]
fn shrinking_removes_every_step_that_is_not_needed() {
    let needs = |case: &Case| {
        let planned = |step: &Step| matches!(&step.action, Action::Say(_, planned) if planned.contains(&PlannedRequest::Rooms));
        let crash = case
            .steps
            .iter()
            .position(|step| matches!(step.action, Action::Crash));
        crash.is_some_and(|at| case.steps[..at].iter().any(planned))
    };
    let case = (0..10_000)
        .map(Case::draw)
        .find(needs)
        .expect("one of them");
    let smallest = shrink(&case, needs);
    assert!(needs(&smallest) && size(&smallest) == 2, "{smallest:?}");
}
