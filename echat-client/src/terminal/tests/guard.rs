//! A terminal's settings, before and after.

use std::fs::File;
use std::io::{Read, Write};
use std::panic::{self, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::net::wait::tests::terminal;
use crate::terminal::guard::report;
use crate::terminal::{EchoOff, RawGuard, restore_on_panic, size};

/// A process has one terminal, and these tests several: one at a time.
static ONE: Mutex<()> = Mutex::new(());

/// The settings, comparable.
fn settings(tty: &File) -> String {
    let attributes: Termios = tcgetattr(tty).unwrap();
    format!("{attributes:?}")
}

fn shown(master: &mut File, length: usize) -> String {
    let mut bytes = vec![0; length];
    master.read_exact(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn raw_mode_ends_with_its_guard() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut master, tty) = terminal();
    let before = settings(&tty);
    let guard = RawGuard::new(&tty, true).unwrap();
    let raw = settings(&tty);
    assert_ne!(raw, before);
    assert_eq!(shown(&mut master, 8), "\x1b[?2004h");

    guard.suspend().unwrap();
    assert_eq!(settings(&tty), before);
    assert_eq!(shown(&mut master, 11), "\x1b[?2004l\x1b[m");
    guard.resume().unwrap();
    assert_eq!(settings(&tty), raw);
    assert_eq!(shown(&mut master, 8), "\x1b[?2004h");

    drop(guard);
    assert_eq!(settings(&tty), before);
    assert_eq!(shown(&mut master, 11), "\x1b[?2004l\x1b[m");
}

#[test]
fn without_escape_codes_raw_mode_writes_nothing() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut master, mut tty) = terminal();
    let before = settings(&tty);
    let guard = RawGuard::new(&tty, false).unwrap();
    assert!(guard.showed_typing());
    let modes = tcgetattr(&tty).unwrap().local_modes;
    let cooked = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    assert!(!modes.intersects(cooked));
    guard.suspend().unwrap();
    assert_eq!(settings(&tty), before);
    guard.resume().unwrap();
    tty.write_all(b"a\nb").unwrap();
    drop(guard);
    assert_eq!(settings(&tty), before);
    assert_eq!(shown(&mut master, 4), "a\r\nb");
}

#[test]
fn a_panic_restores_the_terminal_before_it_is_reported() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut master, tty) = terminal();
    let before = settings(&tty);
    // Without its guard's own end, so that only the hook can have done it.
    std::mem::forget(RawGuard::new(&tty, true).unwrap());
    restore_on_panic();
    assert!(catch_unwind(|| panic!("as this test wants it")).is_err());
    assert_eq!(settings(&tty), before);
    assert_eq!(shown(&mut master, 8 + 11), "\x1b[?2004h\x1b[?2004l\x1b[m");
}

#[test]
fn a_panic_of_another_thread_leaves_the_terminal_to_the_one_that_paints() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut master, mut tty) = terminal();
    let before = settings(&tty);
    let guard = RawGuard::new(&tty, true).unwrap();
    let raw = settings(&tty);
    restore_on_panic();
    assert!(
        thread::spawn(|| panic!("as this test wants it"))
            .join()
            .is_err()
    );
    assert_eq!(settings(&tty), raw);
    // This thread does not know of it yet.
    tty.write_all(b"a prompt").unwrap();
    drop(guard);
    assert_eq!(settings(&tty), before);
    let expected = "\x1b[?2004ha prompt\x1b[?2004l\x1b[m";
    assert_eq!(shown(&mut master, expected.len()), expected);
}

#[test]
fn a_panic_that_quotes_a_message_controls_no_terminal() {
    // A process has one hook too.
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let said = Arc::new(Mutex::new(Vec::new()));
    let (out, before) = (Arc::clone(&said), panic::take_hook());
    // Other tests may panic at the same time: they are to be reported as ever.
    panic::set_hook(Box::new(move |info| {
        if thread::current().name() == Some("planted") {
            report(&mut *out.lock().unwrap(), info);
        } else {
            before(info);
        }
    }));
    let thread = thread::Builder::new().name("planted".into());
    let thread = thread.spawn(|| panic!("{}", "message \u{1b}]52;c;QQ==\u{7} \u{202e}".repeat(2)));
    assert!(thread.unwrap().join().is_err());
    let said = String::from_utf8(said.lock().unwrap().clone()).unwrap();
    assert!(
        said.starts_with("panicked at echat-client/src/terminal/tests/guard.rs:"),
        "{said}"
    );
    assert!(said.contains("message"), "{said}");
    assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{said}");
}

#[test]
fn a_hidden_password_ends_with_its_guard() {
    let (_master, tty) = terminal();
    let before = settings(&tty);
    let silent = EchoOff::new(&tty).unwrap();
    let modes = tcgetattr(&tty).unwrap().local_modes;
    assert!(!modes.contains(LocalModes::ECHO) && modes.contains(LocalModes::ICANON));
    drop(silent);
    assert_eq!(settings(&tty), before);
}

#[test]
fn the_size_is_the_terminals() {
    let (_master, tty) = terminal();
    assert_eq!(size(&tty), (80, 24));
    let told = Winsize {
        ws_row: 50,
        ws_col: 132,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&tty, told).unwrap();
    assert_eq!(size(&tty), (132, 50));
    assert_eq!(size(File::open("/dev/null").unwrap()), (80, 24));
}
