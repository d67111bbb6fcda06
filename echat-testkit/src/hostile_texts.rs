//! Texts that try to control a terminal.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Parts of hostile texts: sequences that control terminals, and characters that hide or reorder text.
pub const WEAPONS: &[&str] = &[
    "\x1b[2J",
    "\x1b[H",
    "\x1b[1A",
    "\x1b[999B",
    "\x1b]0;owned\x07",
    "\x1b]52;c;QQ==\x07",
    "\x1b[?1049h",
    "\x1b[?25l",
    "\x1bc",
    "\x1b[8;5;5t",
    "\x1b(0",
    "\x1bP+q\x1b\\",
    "\u{9b}2J",
    "\u{9d}0;owned\u{9c}",
    "\r",
    "\n",
    "\x08\x08",
    "\x0b",
    "\x0c",
    "\x0e",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{200d}",
    "\u{e0041}",
    "\u{2028}",
    "\u{85}",
    "\u{fe0f}",
    "\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}",
    "\x1b[31m",
    "\n[2026-11-22 12:00:00] ann: I owe you everything",
    ";notify;\x07",
    "\t",
    "\x1b[31;1m",
    "\x08",
    "\0",
    "\u{7f}",
    "\u{300}",
];

fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => prop::sample::select(WEAPONS).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[ -~]{0,30}",
        1 => "[你👍🇨👩]{1,4}",
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

/// Hostile texts without end, the same on every day.
pub fn texts() -> impl Iterator<Item = String> {
    let mut runner = TestRunner::deterministic();
    let texts = hostile();
    let next = move || Some(texts.new_tree(&mut runner).unwrap().current());
    std::iter::from_fn(next)
}
