//! What a terminal sends that is no key, keys of many terminals, and text that is pasted where no
//! paste is marked.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use echat_testkit::scene::{Outcome, SECRET, outcome};
use echat_testkit::terminal::person::{Person, SETSID};
use rustix::process::Signal;

use crate::server_folder::{ECHAT, ECHAT_NC, ServerFolder};

/// What terminals answer late, or tell without being asked.
const REPLIES: &[&str] = &[
    "\x1b]11;rgb:0000/0000/0000\x07",
    "\x1b]4;1;rgb:cdcd/0000/0000\x1b\\",
    "\x1b]52;c;aGVsbG8=\x1b\\",
    "\x1bP>|XTerm(390)\x1b\\",
    "\x1bP1$r0m\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
    "\x1b^private\x1b\\",
    "\x1bXstring\x1b\\",
    "\u{9d}10;rgb:ffff/ffff/ffff\u{9c}",
    "\x1b[24;80R",
    "\x1b[?64;1;2;6;9;15;16;17;18;21;22;28;29;42;52c",
    "\x1b[>41;390;0c",
    "\x1b[?2026;2$y",
    "\x1b[8;24;80t",
    "\x1b[I",
    "\x1b[O",
    "\x1b[?0u",
    "\x1b[<35;20;10M",
    "\x1b[M !!",
];

/// A text with every reply in it, some of them cut in two writes.
fn types_among_replies(person: &mut Person, text: &str) {
    let mut letters = text.chars();
    for reply in REPLIES {
        let (one, other) = reply.split_at(reply.floor_char_boundary(reply.len() / 2));
        person.types(one);
        person.types(other);
        if let Some(letter) = letters.next() {
            person.types(letter.encode_utf8(&mut [0; 4]));
        }
    }
    person.types(letters.as_str());
}

/// Ann in her chat, who is alone there.
fn in_chat(folder: &ServerFolder) -> Person {
    folder.has("room1", &["ann"]);
    folder.opens("ann", folder.server.address())
}

/// The contents of ann's newest messages, as JSON.
fn history(folder: &ServerFolder) -> String {
    folder.asks("ann", &["QUERY_HISTORY", "{}"])
}

#[test]
fn late_replies_are_no_part_of_a_password_or_a_line() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    let mut ann = folder.person("C.UTF-8", &[&folder.link(), "--user", "ann"]);
    ann.sees("password: ");
    types_among_replies(&mut ann, SECRET);
    ann.types("\r");
    ann.sees("Logged in as ann.");
    ann.types("&r room1\r");
    ann.sees("room1> ");
    let said = "exactly this, 你好, and nothing else";
    types_among_replies(&mut ann, said);
    ann.types("\r");
    ann.sees(&format!("me: {said}\r\n"));
    // One whose end is lost swallows no more than a second's keys.
    ann.types("before\x1b]11;rgb:");
    ann.sees_that("what was typed before", |screen| {
        screen.rest_from("room1> ").as_deref() == Some("room1> before")
    });
    ann.types("\x15\\d\r");
    assert_eq!(ann.ends().0, 0);
}

#[test]
fn late_replies_are_no_part_of_secrets_asked_outside_the_prompt() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    // The terminal's own line editing, and raw mode, in both programs.
    let among = |text: &str| {
        let (one, other) = text.split_at(3);
        let replies = REPLIES.concat();
        format!("{replies}{one}{replies}{other}{replies}")
    };
    let address = folder.server.address().to_string();
    let mut person = Person::starts(
        folder.command(SETSID, "C.UTF-8"),
        ECHAT_NC,
        &[&address, "--user", "ann"],
    );
    person.sees("Type yes");
    person.types(&format!("{}\n", among("yes")));
    person.sees("password of \"ann\": ");
    person.types(&format!("{}x\u{7f}\r", among(SECRET)));
    person.sees("LOGIN_BUNDLE");
    person.types(&format!("{}\n", among("QUERY_SERVER_TIME")));
    person.sees("SEND_SERVER_TIME");
    person.types("\u{4}");
    assert_eq!(person.ends().0, 0);

    fs::remove_file(folder.scene.known_hosts()).unwrap();
    let script = format!("exec \"{ECHAT}\" --user ann {address} >out 3<>/dev/tty");
    let shell = folder.command(SETSID, "C.UTF-8");
    let mut person = Person::starts(shell, "/bin/sh", &["-c", &script]);
    person.sees("Password of ann: ");
    person.types(&format!("{}\n", among(SECRET)));
    person.sees("right key: ");
    person.types(&format!("{}\n", among("yes")));
    person.types(&format!("{}\n\u{4}", among("@r room1 hello")));
    let (code, shown) = person.ends();
    assert_eq!(code, 0, "{shown}");
    let out = fs::read_to_string(folder.scene.path("out")).unwrap();
    assert!(out.contains("me to room1: hello\n"), "{out}");

    let mut person = folder.person("C.UTF-8", &[&folder.link(), "--plain", "--user", "ann"]);
    person.sees("login password: ");
    person.types(&format!("{}\n", among(SECRET)));
    person.sees("Logged in as ann.");
    person.types("\\d\n");
    assert_eq!(person.ends().0, 0);
}

#[test]
fn several_lines_at_once_are_one_paste_and_lines_one_by_one_are_not() {
    let folder = ServerFolder::new();
    let mut ann = in_chat(&folder);
    ann.types("begun ");
    ann.sees("begun ");
    ann.types("fn main() {\r\tprint()\r}\r");
    ann.sees("3 lines pasted. Y: send each line; O: send as one message; N: discard.");
    ann.types("n\r");
    ann.sees("Not sent.");
    ann.sees_that("what stood before", |screen| {
        screen.rest_from("room1> ").as_deref() == Some("room1> begun")
    });
    // Each byte by itself, as from a slow line.
    for byte in "first\nsecond".chars() {
        ann.types(byte.encode_utf8(&mut [0; 4]));
    }
    ann.sees("2 lines pasted.");
    ann.types("\x03");
    ann.sees("Not sent.");
    ann.types("\x15");
    for line in ["one", "two", "three"] {
        ann.types(&format!("{line}\r"));
        ann.sees(&format!("me: {line}\r\n"));
    }
    ann.types("a\tb\n\tc");
    ann.sees("2 lines pasted.");
    ann.types("o\r");
    ann.sees("me: a");
    ann.types("\\d\r");
    assert_eq!(ann.ends().0, 0);
    let all = history(&folder);
    assert!(all.contains(r#""a\tb\n\tc""#), "{all}");
    assert!(!all.contains("print") && !all.contains("second"), "{all}");
}

#[test]
fn a_password_manager_types_name_and_password_at_once() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann"]);
    let mut ann = folder.person("C.UTF-8", &[&folder.link()]);
    ann.sees("command> ");
    ann.types("login\r");
    ann.sees("user name: ");
    ann.types(&format!("ann\r{SECRET}\r"));
    ann.sees("Logged in as ann.");
    ann.types("\\d\r");
    let (code, shown) = ann.ends();
    assert_eq!(code, 0);
    assert!(!shown.contains(SECRET), "{shown}");
}

#[test]
fn a_paste_that_is_cut_says_so() {
    let folder = ServerFolder::new();
    let mut ann = in_chat(&folder);
    let line = format!("{}\n", "x".repeat(1_099));
    ann.types(&format!("\x1b[200~{}\x1b[201~", line.repeat(1_000)));
    ann.sees("The paste was cut: it has 1100000 bytes, and only the first 1048576 were kept.");
    ann.sees("954 lines pasted, too long for one message. Y: send each line; N: discard.");
    ann.types("n\r");
    ann.sees("Not sent.");
    ann.types(&format!("\x1b[200~{}\x1b[201~", "four\n".repeat(1_001)));
    ann.sees("Not accepted: 1001 lines pasted; the limit is 1000.");
    ann.types("\\d\r");
    assert_eq!(ann.ends().0, 0);
}

#[test]
fn alt_enter_makes_a_line_of_several_rows() {
    let folder = ServerFolder::new();
    let mut ann = in_chat(&folder);
    ann.types("one\x1b\rtwo\x1b[13;3uthree\x1b[27;3;13~four");
    ann.sees_that("four rows", |screen| {
        let rows = screen.rows().join("\n");
        rows.trim_end().ends_with("room1> one␊\ntwo␊\nthree␊\nfour")
    });
    ann.types("\r");
    ann.sees("me: one");
    ann.types("\x1b[A");
    ann.sees_that("the line again", |screen| {
        screen
            .rows()
            .join("\n")
            .trim_end()
            .ends_with("> one␊\ntwo␊\nthree␊\nfour")
    });
    ann.types("\x15\\d\r");
    assert_eq!(ann.ends().0, 0);
    let all = history(&folder);
    assert!(all.contains(r#""one\ntwo\nthree\nfour""#), "{all}");
}

#[test]
fn a_search_without_a_hit_says_so_and_sends_nothing() {
    let folder = ServerFolder::new();
    let mut ann = in_chat(&folder);
    ann.types("apple\r");
    ann.sees("me: apple");
    ann.types("draft\x12zz");
    ann.sees("(Ctrl-R, no match) zz: ");
    ann.types("\r\x07");
    ann.sees_that("the line before", |screen| {
        screen.rest_from("room1> ").as_deref() == Some("room1> draft")
    });
    ann.types("\x15\\d\r");
    assert_eq!(ann.ends().0, 0);
    assert!(!history(&folder).contains("draft"));
}

#[test]
fn keys_of_many_terminals_type_nothing_by_themselves() {
    let folder = ServerFolder::new();
    let mut ann = in_chat(&folder);
    ann.types("one two");
    // Control and arrows of rxvt, and what moves and deletes there.
    ann.types("\x1bOd\x1bOd\x1bOc\x1b[3^\x1b[7$\x1b[8@");
    for key in [
        "\x1b[[A",
        "\x1b[[E",
        "\x1b[17~",
        "\x1bOP",
        "\x1b[1;5P",
        "\x1b[23$",
        "\x1b[11^",
        "\x1b[a",
        "\x1b[b",
        "\x1bOa",
        "\x1bOb",
        "\x1b[57441;2u",
        "\x1b[97;1:3u",
        "\x1b[1;1:3A",
    ] {
        ann.types(key);
    }
    ann.sees_that("one word", |screen| {
        screen.rest_from("room1> ").as_deref() == Some("room1> one")
    });
    ann.types("\x1b[97;2u\x1b[27;2;66~\x1bOp\r");
    ann.sees("me: oneAB0");
    ann.types("\\d\r");
    assert_eq!(ann.ends().0, 0);
}

#[test]
fn a_client_stopped_in_the_middle_of_a_paste_recovers() {
    let folder = ServerFolder::new();
    let mut ann = in_chat(&folder);
    ann.types("one\rtwo\x1a");
    assert!(ann.waits().stopped());
    ann.sees("\x1b[?2004l");
    ann.signals(Signal::CONT);
    ann.sees("2 lines (Y/O/N) room1> ");
    ann.types("\x03");
    ann.sees("Not sent.");
    // Between marks it is a part of the text.
    ann.types("\x1b[200~three\x1afour\x1b[201~");
    ann.sees("three\u{fffd}four");
    ann.types("\x15\\d\r");
    assert_eq!(ann.ends().0, 0);
    assert!(!history(&folder).contains("two"));
}

/// Runs a program with these bytes as its input.
fn reads(folder: &ServerFolder, program: &str, arguments: &[&str], bytes: &[u8]) -> Outcome {
    let mut command = folder.command(program, "C.UTF-8");
    command.args(arguments).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The program may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(bytes);
    outcome(child)
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_byte_order_mark_is_passed_over_and_utf_16_is_named() {
    let folder = ServerFolder::unhurried();
    folder.has("room1", &["ann"]);
    let link = folder.link();
    let marked = "\u{feff}QUERY_SERVER_TIME\n";
    let script = folder.scene.write("script", marked);
    reads(&folder, ECHAT_NC, &[&link], marked.as_bytes()).exits(0);
    reads(&folder, ECHAT_NC, &["-f", &script, &link], b"").exits(0);
    let outcome = reads(&folder, ECHAT_NC, &["encode"], marked.as_bytes()).exits(0);
    assert_eq!(outcome.out.trim().len(), 10, "{}", outcome.out);
    let password = folder
        .scene
        .write("marked", &format!("\u{feff}{SECRET}\r\n"));
    let login = ["--user", "ann", "--password-file", &password, &link];
    reads(
        &folder,
        ECHAT,
        &login,
        "\u{feff}@r room1 hello\r\n".as_bytes(),
    )
    .exits(0);

    let wide = utf16("QUERY_SERVER_TIME\r\n");
    let script = folder.scene.path("wide");
    fs::write(&script, &wide).unwrap();
    let script = script.to_str().unwrap();
    for arguments in [&[link.as_str()][..], &["-f", script, &link], &["encode"]] {
        let outcome = reads(&folder, ECHAT_NC, arguments, &wide).exits(2);
        let said = outcome
            .err
            .contains("line 1: this is UTF-16; save it as UTF-8");
        assert!(said, "{}", outcome.err);
    }
    for text in [
        &utf16("@r room1 wide\n")[..],
        &utf16("@r room1 wide\n")[2..],
    ] {
        let outcome = reads(&folder, ECHAT, &login, text).exits(2);
        assert!(
            outcome.err.contains("The input is UTF-16"),
            "{}",
            outcome.err
        );
    }
    let wide_password = folder.scene.write("wide_password", "");
    fs::write(wide_password, utf16(SECRET)).unwrap();
    let login = ["--user", "ann", "--password-file", "wide_password", &link];
    let outcome = reads(&folder, ECHAT, &login, b"@r room1 wide\n").exits(2);
    assert!(outcome.err.contains("UTF-16"), "{}", outcome.err);
    let all = history(&folder);
    assert!(all.contains("\"hello\"") && !all.contains("wide"), "{all}");
}
