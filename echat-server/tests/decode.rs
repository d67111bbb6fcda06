//! What the server reads besides the wire, against hostile bytes: config.json and mutations of it, and lines of the
//! administration's socket, with the corpus that the fuzzer keeps and mutations of it.

mod decoders;

use std::fs;

use echat_server::config::{Overrides, load};
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

#[test]
fn lines_of_the_administration() {
    smoke(&corpus("ctl"), decoders::ctl::check, decodings());
}
