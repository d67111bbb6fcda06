//! Runs many cases on all processors. Reports the first seed that fails, and the coverage of the cases that passed.

use crate::plan::Case;
use crate::run::Passed;
use echat_testkit::clock;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

/// Cases between two lines of progress.
const PROGRESS: u64 = 1_000;

/// The result of a campaign.
#[derive(Default)]
pub(crate) struct Campaign {
    /// Cases that passed.
    pub(crate) passed: u64,
    /// How often each situation of [`crate::coverage`] occurred in them.
    pub(crate) coverage: BTreeMap<String, u64>,
    /// The failing case with the lowest seed, and why it failed. All cases before it passed.
    pub(crate) failure: Option<(Case, String)>,
}

impl Campaign {
    fn pass(&mut self, passed: Passed) {
        self.passed += 1;
        for (what, times) in passed.coverage {
            *self.coverage.entry(what).or_insert(0) += times;
        }
    }

    fn fail(&mut self, case: Case, why: String) {
        let is_first = |(first, _): &(Case, String)| case.seed < first.seed;
        if self.failure.as_ref().is_none_or(is_first) {
            self.failure = Some((case, why));
        }
    }
}

/// Runs cases in the order of their seeds until one fails.
pub(crate) fn run(
    seeds: Range<u64>,
    outcome: impl Fn(&Case) -> Result<Passed, String> + Sync,
) -> Campaign {
    let next = AtomicU64::new(seeds.start);
    let end = AtomicU64::new(seeds.end);
    let campaign = Mutex::new(Campaign::default());
    let started = clock::now();
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end.load(Ordering::Relaxed) {
                break;
            }
            let case = Case::draw(seed);
            let done = outcome(&case);
            let mut campaign = campaign.lock().expect("no case panics in here");
            match done {
                Ok(passed) => {
                    campaign.pass(passed);
                    if campaign.passed.is_multiple_of(PROGRESS) {
                        log_progress(campaign.passed, started);
                    }
                }
                Err(why) => {
                    end.fetch_min(seed, Ordering::Relaxed);
                    campaign.fail(case, why);
                }
            }
        }
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(work);
        }
    });
    campaign.into_inner().expect("no case panics in here")
}

fn log_progress(passed: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52")]
    let rate = passed as f64 / seconds.max(0.001);
    println!("{passed} seeds passed, {rate:.1} a second");
}

#[test]
fn the_lowest_failing_seed_is_reported_in_any_order_of_completion() {
    let passed = || Passed {
        trace: 0,
        coverage: BTreeMap::from([("it".to_owned(), 1)]),
    };
    let fails = |case: &Case| {
        if case.seed % 10 == 7 {
            Err(format!("of {}", case.seed))
        } else {
            Ok(passed())
        }
    };
    let campaign = run(20..60, fails);
    let (case, why) = campaign.failure.expect("one fails");
    assert_eq!((case.seed, &*why), (27, "of 27"));
    assert!(campaign.passed >= 7 && campaign.coverage["it"] == campaign.passed);
    let campaign = run(20..27, fails);
    assert!(campaign.failure.is_none() && campaign.passed == 7);
}
