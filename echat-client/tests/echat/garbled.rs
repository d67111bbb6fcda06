//! Bytes that are no text are never sent as something else.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use echat_testkit::scene::{Outcome, outcome};
use echat_testkit::terminal::person::{Person, SETSID};

use crate::server_folder::{ECHAT, ECHAT_NC, PASSWORD, ServerFolder};

/// Runs a program with the bytes of a file as its input.
fn reads(folder: &ServerFolder, program: &str, arguments: &[&str], bytes: &[u8]) -> Outcome {
    fs::write(folder.scene.path("in"), bytes).unwrap();
    let mut command = folder.command(program, "C.UTF-8");
    command.args(arguments);
    command.stdin(fs::File::open(folder.scene.path("in")).unwrap());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    outcome(command.spawn().unwrap())
}

#[test]
fn invalid_bytes_of_a_pipe_are_reported_by_line_and_not_sent() {
    let folder = ServerFolder::unhurried();
    folder.has("room1", &["ann"]);
    let link = folder.link();
    let login = ["--user", "ann", "--password-file", PASSWORD, &link];
    let input = b"@r room1 first\n@r room1 caf\xe9\n@r room1 third\n";
    let outcome = reads(&folder, ECHAT, &login, input).exits(2);
    assert!(outcome.err.contains("Line 2 "), "{}", outcome.err);
    // The last line needs no end, and GBK is no UTF-8 either.
    let outcome = reads(&folder, ECHAT, &login, b"@r room1 \xc4\xe3\xba\xc3").exits(2);
    assert!(outcome.err.contains("Line 1 "), "{}", outcome.err);
    let sent = ["first", "third"].map(str::to_owned);
    assert_eq!(folder.counts("ann", &sent), [1, 0]);
    let all = folder.asks("ann", &["QUERY_HISTORY", "{}"]);
    assert!(!all.contains("caf") && !all.contains('\u{fffd}'), "{all}");

    let request = b"QUERY_SERVER_TIME\nFIND \"\xe9\"\n";
    let outcome = reads(&folder, ECHAT_NC, &[&link], request).exits(2);
    assert!(outcome.err.contains("line 2: not UTF-8"), "{}", outcome.err);
    for work in ["encode", "decode"] {
        let outcome = reads(&folder, ECHAT_NC, &[work], b"# \xe9\n").exits(2);
        assert!(outcome.err.contains("line 1: not UTF-8"), "{}", outcome.err);
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    let login = ["--user", "ann", "--password-file", PASSWORD, &folder.link()];
    let input = "\u{feff}@r room1 hello\n".as_bytes();
    let outcome = reads(&folder, ECHAT, &login, input).exits(0);
    assert!(
        outcome.out.contains("me to room1: hello"),
        "{}",
        outcome.out
    );
}

#[test]
fn invalid_bytes_of_a_terminal_are_refused_and_stay_editable() {
    let folder = ServerFolder::new();
    let mut ann = folder.member("ann");
    ann.types("/create public room1\r");
    ann.sees("Public room room1 created.");
    ann.sees("room1> ");
    let mut keys = ann.terminal();
    keys.write_all(b"\xc4\xe3\xba\xc3 abc\r").unwrap();
    ann.sees("Not sent");
    ann.sees("LC_ALL");
    ann.sees_that("the line, to be edited", |screen| {
        let line = screen.rest_from("room1> ");
        line.is_some_and(|line| line.ends_with("abc"))
    });
    // What was typed as a replacement character is text.
    ann.types("\u{15}sent \u{fffd}\r");
    ann.sees("me: sent \u{fffd}");
    let mut keys = ann.terminal();
    keys.write_all(b"\x1b[200~caf\xe9\x1b[201~\r").unwrap();
    ann.sees("Not sent");
    ann.types("\u{15}\\d\r");
    assert_eq!(ann.ends().0, 0);
    let all = folder.asks("ann", &["QUERY_HISTORY", "{}"]);
    assert!(
        all.contains("sent \u{fffd}") && !all.contains("abc"),
        "{all}"
    );
    assert!(!all.contains("caf"), "{all}");
}

/// "你好" in an encoding, and the locale that names it.
const ENCODED: [(&str, &[u8]); 3] = [
    ("zh_CN.GBK", b"\xc4\xe3\xba\xc3"),
    ("zh_CN.GB18030", b"\xc4\xe3\xba\xc3"),
    ("zh_TW.BIG5", b"\xa7\x41\xa6\x6e"),
];

#[test]
fn other_encodings_of_chinese_go_both_ways() {
    let folder = ServerFolder::unhurried();
    folder.has("room1", &["ann"]);
    for (locale, bytes) in ENCODED {
        let login = ["--user", "ann", "--password-file", PASSWORD, &folder.link()];
        fs::write(
            folder.scene.path("in"),
            [b"@r room1 ", bytes, b"\n"].concat(),
        )
        .unwrap();
        let mut command = folder.command(ECHAT, locale);
        command.args(login);
        command.stdin(fs::File::open(folder.scene.path("in")).unwrap());
        let outcome = command.output().unwrap();
        let holds = |part: &[u8]| {
            outcome
                .stdout
                .windows(part.len())
                .any(|found| found == part)
        };
        assert!(
            outcome.status.success() && holds(bytes),
            "{locale}: {outcome:?}"
        );
        assert!(str::from_utf8(&outcome.stdout).is_err(), "{locale}");

        let mut ann = Person::starts(folder.command(SETSID, locale), ECHAT, &login);
        ann.sees("contact> ");
        ann.types("&r room1\r");
        ann.sees("room1> ");
        let mut keys = ann.terminal();
        for byte in bytes {
            keys.write_all(&[*byte]).unwrap();
        }
        ann.types(" typed\r");
        ann.sees("typed");
        ann.types("\\d\r");
        assert_eq!(ann.ends().0, 0);
    }
    let all = folder.asks("ann", &["QUERY_HISTORY", "{}"]);
    let all = all.lines().last().unwrap();
    assert_eq!(all.matches("\"你好\"").count(), 3, "{all}");
    assert_eq!(all.matches("\"你好 typed\"").count(), 3, "{all}");
}
