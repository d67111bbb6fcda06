//! What the server reads besides the wire, against hostile bytes: config.json and mutations of it, and lines of the
//! administration's socket, with the corpus that the fuzzer keeps and mutations of it.

mod decoders;

use std::collections::BTreeSet;
use std::fs;

use echat_server::config::{Overrides, load};
use echat_server::ctl::{CtlRequest, read_line};
use echat_server::engine::{AdminAnswer, COMMANDS, RawArguments};
use echat_testkit::corpus::{corpus, decodings, smoke};
use echat_testkit::decoders::memory::bounded;
use echat_testkit::folder;

#[test]
fn any_config_is_read_or_refused_with_a_reason() {
    let folder = folder::in_memory();
    let file = folder.path().join("config.json");
    let committed = include_bytes!("../../config.json").to_vec();
    let short = br#"{"server":{"listen":["[::1]:1"],"log":"info,a=debug","limits":{"friends":1}}}"#;
    let read = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let overrides = Overrides {
            file: Some(file.clone()),
            ..Overrides::default()
        };
        if let Err(refusal) = bounded(bytes.len(), || load(overrides)) {
            let told = refusal.to_string();
            assert!(told.contains("config.json"), "{told}");
            assert!(!told.contains(char::is_control), "{told:?}");
        }
    };
    smoke(&[committed, short.to_vec()], read, decodings());
}

/// A line of the corpus gives each command, to an engine that does not refuse its parameters.
#[test]
fn the_corpus_has_every_command_of_the_administration() {
    let mut missing: BTreeSet<&str> = COMMANDS.iter().map(|command| command.name).collect();
    for line in corpus("ctl") {
        let Ok(CtlRequest {
            command: first,
            arguments,
            ..
        }) = read_line(&line)
        else {
            continue;
        };
        // The second word of a name may be the first one of `words`.
        let both = match arguments {
            RawArguments::Words(words) if !words.is_empty() => format!("{first} {}", words[0]),
            _ => first.clone(),
        };
        let is_taken = match decoders::ctl::answer(&mut decoders::ctl::engine(), &line) {
            Some(AdminAnswer::Refused(refused)) => refused.code != "bad_params",
            answer => answer.is_some(),
        };
        if is_taken && !missing.remove(both.as_str()) {
            missing.remove(first.as_str());
        }
    }
    assert!(missing.is_empty(), "fuzz/corpus/ctl has no {missing:?}");
}

#[test]
fn lines_of_the_administration() {
    smoke(&corpus("ctl"), decoders::ctl::check, decodings());
}
