//! The cases of one test side by side. libtest runs tests in parallel, but the cases within one test run one after the
//! other unless the test divides them.

use std::iter;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Calls `case` for each item, on a thread for each processor; the results in the order of the items. The next item is
/// made when a thread is free, by one thread at a time.
///
/// # Panics
///
/// If a case does.
pub fn each<I: Send, R: Send>(
    items: impl Iterator<Item = I> + Send,
    case: impl Fn(I) -> R + Sync,
) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    on_threads(processors, items, case)
}

/// Calls `case` for all items at once, for cases that wait more than they work.
///
/// # Panics
///
/// If a case does.
pub fn all<I: Send, const N: usize>(items: [I; N], case: impl Fn(I) + Sync) {
    on_threads(N, items.into_iter(), case);
}

/// The index of a case, shown if it fails.
struct ShownOnPanic(usize);

impl Drop for ShownOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the case that failed has the index {}", self.0);
        }
    }
}

fn on_threads<I: Send, R: Send>(
    threads: usize,
    items: impl Iterator<Item = I> + Send,
    case: impl Fn(I) -> R + Sync,
) -> Vec<R> {
    let items = Mutex::new(items.enumerate());
    let next = || items.lock().expect("no item panics").next();
    let work = || -> Vec<(usize, R)> {
        iter::from_fn(next)
            .map(|(at, item)| {
                let shown = ShownOnPanic(at);
                (shown.0, case(item))
            })
            .collect()
    };
    let mut results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let results = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("a case failed"));
        results.collect()
    });
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Calls `holds` with 0, 1, 2 and so on; the first number for which it is false. It was called for every smaller one.
///
/// # Panics
///
/// If a call does.
pub fn count_while(holds: impl Fn(u64) -> bool + Sync) -> u64 {
    let end = AtomicU64::new(u64::MAX);
    let numbers = (0..).take_while(|number| *number < end.load(Ordering::Relaxed));
    each(numbers, |number| {
        if !holds(number) {
            end.fetch_min(number, Ordering::Relaxed);
        }
    });
    end.into_inner()
}
