//! What the server promises, tested against the real engine in a simulation without sockets and clocks.
//!
//! The transcripts are in `transcripts/`, one file for each subject; [`sim::script`] describes their syntax. Promises
//! that a table or a property states better are in `promises/`.

mod promises;
mod sim;

use echat_testkit::side_by_side;
use sim::script::{self, Ending};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// Every transcript by name.
static TRANSCRIPTS: LazyLock<Vec<(String, String)>> =
    LazyLock::new(|| transcripts_in("tests/transcripts"));

/// The transcripts of a folder by name, without those of folders in it.
fn transcripts_in(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found: Vec<_> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| {
            let name = path
                .file_name()
                .expect("a file")
                .to_string_lossy()
                .into_owned();
            (name, fs::read_to_string(path).expect("text"))
        })
        .collect();
    found.sort();
    found
}

/// How requests ended in all transcripts, and the failures.
static RUN: LazyLock<(BTreeSet<Ending>, Vec<String>)> = LazyLock::new(|| {
    let mut endings = BTreeSet::new();
    let mut failures = Vec::new();
    for run in side_by_side::each(TRANSCRIPTS.iter(), |(name, text)| {
        script::run(name, text, 1)
    }) {
        match run {
            Ok((found, _)) => endings.extend(found),
            Err(failure) => failures.push(failure),
        }
    }
    (endings, failures)
});

#[test]
fn every_transcript_holds() {
    assert!(RUN.1.is_empty(), "\n{}\n", RUN.1.join("\n"));
}

#[test]
fn every_way_a_request_can_end_is_in_a_transcript() {
    let (missing, undeclared) = promises::missing(&RUN.0);
    assert!(missing.is_empty(), "no transcript shows {missing:#?}");
    assert!(undeclared.is_empty(), "the table has no {undeclared:#?}");
}

#[test]
fn equal_seeds_give_equal_traces() {
    let (name, text) = &TRANSCRIPTS[0];
    let trace = |seed| script::run(name, text, seed).expect("it passes").1;
    assert_eq!(trace(5), trace(5));
    assert_ne!(trace(5), trace(6));
}
