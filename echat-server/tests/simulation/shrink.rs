//! Shrinks a failing case: removes chunks of steps, from large to small, then all steps of one client, then single
//! requests of a pipeline, as long as the case still fails.

use crate::plan::{Action, CLIENTS, Case, ClientIndex, PlannedRequest, Step};

/// Runs that shrinking may use, unless `ECHAT_SHRINKS` sets another number.
const RUNS: usize = 600;

/// A minimal case that still fails.
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
        remove_chunks(&mut smallest, &mut attempt);
        for client in 0..CLIENTS {
            let others = smallest
                .steps
                .iter()
                .filter(|step| client_of(&step.action) != Some(client));
            let others: Vec<Step> = others.cloned().collect();
            if others.len() < smallest.steps.len() {
                attempt(&mut smallest, others);
            }
        }
        remove_requests(&mut smallest, &mut attempt);
        if size(&smallest) == before {
            return smallest;
        }
    }
}

/// Removes chunks of steps: halves, quarters, down to single steps.
fn remove_chunks(smallest: &mut Case, attempt: &mut impl FnMut(&mut Case, Vec<Step>) -> bool) {
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

/// Removes single requests of pipelines.
fn remove_requests(smallest: &mut Case, attempt: &mut impl FnMut(&mut Case, Vec<Step>) -> bool) {
    for index in 0..smallest.steps.len() {
        let mut at = 0;
        while let Action::Pipeline(client, planned) = &smallest.steps[index].action
            && planned.len() > 1
            && at < planned.len()
        {
            let (client, mut fewer) = (*client, planned.clone());
            fewer.remove(at);
            let mut steps = smallest.steps.clone();
            steps[index].action = Action::Pipeline(client, fewer);
            if !attempt(smallest, steps) {
                at += 1;
            }
        }
    }
}

fn size(case: &Case) -> usize {
    let requests = case.steps.iter().map(|step| match &step.action {
        Action::Pipeline(_, planned) => planned.len(),
        _ => 1,
    });
    requests.sum()
}

fn client_of(action: &Action) -> Option<ClientIndex> {
    match action {
        Action::Connect(client)
        | Action::Pipeline(client, _)
        | Action::RoundTrip(client, _)
        | Action::Resend(client)
        | Action::CloseNotify(client)
        | Action::HalfClose(client)
        | Action::Reset(client)
        | Action::StopReading(client)
        | Action::StopSending(client, _)
        | Action::Unstall(client) => Some(*client),
        _ => None,
    }
}

#[test]
fn shrinking_removes_every_step_that_is_not_needed() {
    let needs = |case: &Case| {
        let planned = |step: &Step| matches!(&step.action, Action::Pipeline(_, planned) if planned.contains(&PlannedRequest::Rooms));
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
