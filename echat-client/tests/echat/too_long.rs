//! Texts that no server accepts, and one that costs the connection: neither is sent for ever.

use std::fs;
use std::path::PathBuf;

use echat_testkit::terminal::person::Person;

use crate::server_folder::{PASSWORD, ServerFolder};

/// A server with limits below the defaults, which it tells.
const SMALL: &str = r#"{"server": {"limits": {
    "frame_bytes": 4096, "content_bytes": 3000, "message_rate": 0}}}"#;

/// Pastes a text and enters it.
fn pastes(person: &mut Person, text: &str) {
    person.types(&format!("\x1b[200~{text}\x1b[201~\r"));
}

/// The file of ann's unsent lines.
fn kept(folder: &ServerFolder) -> PathBuf {
    let path = folder.scene.path(".local/state/echat/unsent");
    let mut keys = fs::read_dir(path).unwrap();
    keys.next().unwrap().unwrap().path().join("ann")
}

#[test]
fn a_text_over_the_limit_is_refused_where_it_is_typed() {
    let folder = ServerFolder::unhurried();
    folder.has("room1", &["ann"]);
    let mut ann = folder.opens("ann", folder.server.address());
    pastes(&mut ann, &"a".repeat(65_500));
    ann.sees_that("why, above the text", |screen| {
        let rows = screen.rows();
        rows.iter().any(|row| row.contains("65500 bytes long"))
            && rows.iter().filter(|row| row.starts_with("aaaa")).count() > 10
    });
    // It is there to be edited.
    ann.types("\x15");
    pastes(&mut ann, &format!("你{}", "b".repeat(3_998)));
    ann.sees("4001 bytes long (3999 characters)");
    ann.types("\x7f\r");
    ann.sees("me: 你bbb");
    ann.types("\\d\r");
    let (code, shown) = ann.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("connection was lost"), "{shown}");
    let sent = [format!("你{}", "b".repeat(3_997)), "a".repeat(65_500)];
    assert_eq!(folder.counts("ann", &sent), [1, 0]);
}

#[test]
fn a_text_over_the_limit_in_a_pipe_is_an_error_with_its_line() {
    let folder = ServerFolder::unhurried();
    folder.has("room1", &["ann"]);
    let link = folder.link();
    let login = ["--user", "ann", "--password-file", PASSWORD, &link];
    let long = "a".repeat(65_500);
    let input = format!("@r room1 first\n@r room1 {long}\n@r room1 third\n");
    let outcome = folder.pipes(&login, &input).exits(2);
    assert!(outcome.err.contains("Line 2: "), "{}", outcome.err);
    assert!(outcome.err.contains("65500 bytes"), "{}", outcome.err);
    let sent = ["first", "third"].map(str::to_owned);
    assert_eq!(folder.counts("ann", &sent), [1, 0]);

    let request = |text: &str| {
        format!(
            r#"SEND_MESSAGE {{"target_type":1,"target":"room1","content":"{text}","txn_id":"x"}}"#
        )
    };
    let script = folder
        .scene
        .write("script", &[request("one"), request(&long)].join("\n"));
    let outcome = folder.scene.run_as(&link, "ann", &["-f", &script]).exits(2);
    assert!(
        outcome.err.contains("line 2: the message has 655"),
        "{}",
        outcome.err
    );
    let outcome = folder
        .scene
        .run(&[&link], &format!("\nFIND {long:?}"))
        .exits(2);
    assert!(
        outcome.err.contains("line 2: the message has 655"),
        "{}",
        outcome.err
    );
}

#[test]
fn a_line_over_the_limits_that_the_server_tells_is_not_sent() {
    let folder = ServerFolder::with(SMALL);
    // With the name of its room the text is longer than a frame.
    let room = "一二三四五六七八九十".repeat(2);
    folder.has(&room, &["ann"]);
    let mut ann = folder.comes("ann", folder.server.address());
    ann.sees("Logged in as ann.");
    ann.types(&format!("&r {room}\r"));
    ann.sees(&format!("{room}> "));
    let bad = "a".repeat(4_000);
    pastes(&mut ann, &bad);
    ann.sees("the limit is 3000");
    // The line is still there to be shortened.
    ann.types("\x15good\r");
    ann.sees("me: good");
    assert!(!kept(&folder).exists());
    ann.types("\\d\r");
    assert_eq!(ann.ends().0, 0);
    assert_eq!(folder.counts("ann", &["good".to_owned(), bad]), [1, 0]);
}

#[test]
fn unsendable_lines_of_an_older_version_are_set_aside_at_the_start() {
    let mut folder = ServerFolder::unhurried();
    folder.has("room1", &["ann"]);
    let mut ann = folder.opens("ann", folder.server.address());
    folder.falls();
    ann.sees("Reconnecting");
    ann.types("kept\r");
    ann.sees("(pending) kept");
    ann.types("\\d\r");
    ann.sees("Unsent lines: 1.");
    ann.sees("They are kept in ");
    assert_eq!(ann.ends().0, 0);
    let kept = kept(&folder);
    let good = fs::read_to_string(&kept).unwrap();
    let long = "b".repeat(65_500);
    let bad = good.replace("kept", &long).replace("-1\"", "-0\"");
    fs::write(&kept, format!("{bad}{good}")).unwrap();
    folder.rises();
    let mut ann = folder.comes("ann", folder.server.address());
    ann.sees("Unsent lines from an earlier session: 1.");
    ann.sees("65500 bytes long");
    ann.sees("(may have been received) bbb");
    ann.sees(".aside");
    ann.sees("me to room1: kept");
    ann.types("\\d\r");
    assert_eq!(ann.ends().0, 0);
    let aside = fs::read_to_string(kept.with_extension("aside")).unwrap();
    assert_eq!(aside, bad);
    assert!(!kept.exists());
    assert_eq!(folder.counts("ann", &["kept".to_owned(), long]), [1, 0]);
}

#[test]
fn an_invalid_byte_in_the_file_of_unsent_lines_loses_only_its_line() {
    let mut folder = ServerFolder::unhurried();
    folder.has("room1", &["ann"]);
    let mut ann = folder.opens("ann", folder.server.address());
    folder.falls();
    ann.sees("Reconnecting");
    for line in ["first", "second", "third"] {
        ann.types(&format!("{line}\r"));
        ann.sees(&format!("(pending) {line}"));
    }
    ann.types("\\d\r");
    assert_eq!(ann.ends().0, 0);
    let kept = kept(&folder);
    let mut bytes = fs::read(&kept).unwrap();
    let at = bytes.windows(6).position(|word| word == b"second");
    bytes[at.unwrap()] = 0xff;
    fs::write(&kept, &bytes).unwrap();
    folder.rises();
    let mut ann = folder.comes("ann", folder.server.address());
    ann.sees("Unsent lines from an earlier session: 2.");
    ann.sees("A saved line cannot be read.");
    ann.sees(r"\xffecond");
    ann.sees("me to room1: first");
    ann.sees("me to room1: third");
    ann.types("\\d\r");
    assert_eq!(ann.ends().0, 0);
    let aside = fs::read(kept.with_extension("aside")).unwrap();
    let bad = bytes.split_inclusive(|byte| *byte == b'\n').nth(1);
    assert_eq!(Some(aside.as_slice()), bad);
    assert!(!kept.exists());
}
