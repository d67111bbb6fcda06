//! Many cases, on all processors that there are: which of them fails first, and what is met in the others.

use crate::plan::Case;
use crate::run::Held;
use echat_testkit::clock;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

/// Cases from one line of progress to the next.
const PROGRESS: u64 = 1_000;

/// What a campaign came to.
#[derive(Default)]
pub(crate) struct Campaign {
    /// Cases that held.
    pub(crate) held: u64,
    /// What was met in them, and how often.
    pub(crate) met: BTreeMap<String, u64>,
    /// The first case that failed, and why. All before it held.
    pub(crate) failure: Option<(Case, String)>,
}

impl Campaign {
    fn hold(&mut self, held: Held) {
        self.held += 1;
        for (what, times) in held.met {
            *self.met.entry(what).or_insert(0) += times;
        }
    }

    fn fail(&mut self, case: Case, why: String) {
        let is_first = |(first, _): &(Case, String)| case.seed < first.seed;
        if self.failure.as_ref().is_none_or(is_first) {
            self.failure = Some((case, why));
        }
    }
}

/// Carries cases out in the order of their seeds, until one fails.
pub(crate) fn run(
    seeds: Range<u64>,
    outcome: impl Fn(&Case) -> Result<Held, String> + Sync,
) -> Campaign {
    let next = AtomicU64::new(seeds.start);
    let end = AtomicU64::new(seeds.end);
    let campaign = Mutex::new(Campaign::default());
    let begun = clock::now();
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
                Ok(held) => {
                    campaign.hold(held);
                    if campaign.held.is_multiple_of(PROGRESS) {
                        tell(campaign.held, begun);
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

fn tell(held: u64, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52")]
    let rate = held as f64 / seconds.max(0.001);
    println!("{held} seeds held, {rate:.1} a second");
}

#[test]
fn the_first_failing_seed_is_found_whichever_case_ends_first() {
    let held = || Held {
        trace: 0,
        met: BTreeMap::from([("it".to_owned(), 1)]),
    };
    let fails = |case: &Case| {
        if case.seed % 10 == 7 {
            Err(format!("of {}", case.seed))
        } else {
            Ok(held())
        }
    };
    let campaign = run(20..60, fails);
    let (case, why) = campaign.failure.expect("one fails");
    assert_eq!((case.seed, &*why), (27, "of 27"));
    assert!(campaign.held >= 7 && campaign.met["it"] == campaign.held);
    let campaign = run(20..27, fails);
    assert!(campaign.failure.is_none() && campaign.held == 7);
}
