//! What is a paste and what is typed, by the pauses between keys.

use std::time::Duration;

use proptest::prelude::*;

use crate::line_editor::{Key, PASTE_MAX};
use crate::terminal::{Burst, Token};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn keys(text: &str) -> Vec<Token> {
    let key = |c| match c {
        '\n' => Key::Enter,
        '\t' => Key::Tab,
        c => Key::Char(c),
    };
    text.chars().map(|c| Token::Key(key(c))).collect()
}

fn lines(text: &str) -> Token {
    Token::Lines(text.into())
}

/// What comes of texts that are read at these milliseconds by a program that looks all the time.
fn reads(texts: &[(u64, &str)]) -> Vec<Token> {
    let mut burst = Burst::default();
    let mut out = Vec::new();
    for (at, text) in texts {
        if let Some(deadline) = burst.deadline()
            && deadline <= ms(*at)
        {
            out.extend(burst.late(deadline));
        }
        out.extend(burst.feed(keys(text), ms(0), ms(*at)));
    }
    out.extend(burst.end());
    out
}

#[test]
fn lines_without_a_pause_are_one_paste() {
    for texts in [
        &[(0, "one\ntwo")][..],
        &[(0, "one\n"), (3, "two")],
        &[(0, "one"), (5, "\n"), (9, "two")],
        &[(0, "one\n"), (1, "two")],
        // On a slow line, once it is known for a paste.
        &[(0, "one\ntw"), (90, "o")],
    ] {
        assert_eq!(reads(texts), [lines("one\ntwo")], "{texts:?}");
    }
    let lines_at_once = [(0, "one\n"), (1, "two\n"), (2, "three\n")];
    assert_eq!(reads(&lines_at_once), [lines("one\ntwo\nthree\n")]);
    assert_eq!(reads(&[(0, "a\tb\n\n\tc\n")]), [lines("a\tb\n\n\tc\n")]);
    // Byte by byte: the first key was passed on, and is taken back.
    let back = Token::Key(Key::Backspace);
    let first = Token::Key(Key::Char('a'));
    let apart = [(0, "a"), (1, "\n"), (2, "b"), (3, "\n")];
    assert_eq!(reads(&apart), [first, back, lines("a\nb\n")]);
}

#[test]
fn lines_with_a_pause_between_them_are_typed() {
    for texts in [
        &[(0, "one\n"), (10, "two\n")][..],
        &[(0, "one"), (10, "\n"), (20, "two\n")],
        // A script that types line by line.
        &[(0, "one\n"), (2, "two\n")],
        &[(0, "o"), (20, "n"), (22, "e"), (40, "\n"), (50, "two\n")],
    ] {
        assert_eq!(reads(texts), keys("one\ntwo\n"), "{texts:?}");
    }
    // One line is typed at any speed, with its Tab and its Enter.
    for text in ["one", "one\n", "\n", "on\te\n", "one\n\n"] {
        assert_eq!(reads(&[(0, text)]), keys(text), "{text:?}");
    }
}

#[test]
fn only_the_end_of_a_line_is_delayed() {
    let mut burst = Burst::default();
    assert_eq!(burst.feed(keys("a"), ms(0), ms(100)), keys("a"));
    assert_eq!(burst.deadline(), None);
    assert_eq!(burst.feed(keys("\n"), ms(0), ms(200)), []);
    assert_eq!(burst.deadline(), Some(ms(210)));
    assert_eq!(burst.late(ms(209)), []);
    assert_eq!(burst.late(ms(210)), keys("\n"));
    // A key of long ago is no part of a paste.
    burst.feed(keys("a"), ms(0), ms(1000));
    burst.feed(keys("b\nc"), ms(0), ms(2000));
    assert_eq!(burst.late(ms(2100)), [lines("b\nc")]);
}

#[test]
fn keys_typed_while_the_program_was_stopped_are_typed() {
    let mut burst = Burst::default();
    assert_eq!(
        burst.feed(keys("ok\nyes"), ms(300), ms(300)),
        keys("ok\nyes")
    );
    // No person types that much in that time.
    burst.feed(keys("one line\nanother line\n"), ms(300), ms(900));
    let pasted = [lines("one line\nanother line\n")];
    assert_eq!(burst.late(ms(1000)), pasted);
    // The rest of a paste is part of it, however slow the program is.
    burst.feed(keys("one\ntwo"), ms(0), ms(2000));
    assert_eq!(burst.feed(keys("\nx"), ms(150), ms(2150)), []);
    assert_eq!(burst.late(ms(2250)), [lines("one\ntwo\nx")]);
}

#[test]
fn another_key_ends_what_was_pasted() {
    for key in [Key::Ctrl('c'), Key::Ctrl('z'), Key::Up, Key::Alt('\r')] {
        let mut burst = Burst::default();
        let mut tokens = keys("one\ntwo");
        tokens.push(Token::Key(key.clone()));
        let out = burst.feed(tokens, ms(0), ms(0));
        assert_eq!(out, [lines("one\ntwo"), Token::Key(key)]);
        assert_eq!(burst.deadline(), None);
    }
}

#[test]
fn text_over_the_bound_is_dropped_and_reported() {
    let text = format!("one\n{}", "x".repeat(PASTE_MAX));
    let out = reads(&[(0, &text)]);
    let [Token::PasteCut { whole }, Token::Lines(kept)] = out.as_slice() else {
        panic!("{} tokens", out.len());
    };
    assert_eq!((*whole, kept.len()), (text.len(), PASTE_MAX));
}

#[test]
fn invalid_bytes_are_reported_before_their_line() {
    let mut burst = Burst::default();
    let not_text = || vec![Token::NotText, Token::Key(Key::Char('\u{fffd}'))];
    assert_eq!(burst.feed(not_text(), ms(0), ms(0)), not_text());
    let read = [keys("a\n"), not_text()].concat();
    burst.feed(read, ms(0), ms(100));
    assert_eq!(burst.end(), [Token::NotText, lines("a\n\u{fffd}")]);
}

proptest! {
    /// Whatever is typed or pasted, no character is lost, doubled or moved.
    #[test]
    fn every_character_arrives(reads in prop::collection::vec(("[ab\n\t]{0,5}", 0u64..40, 0u64..200), 0..12)) {
        let (mut burst, mut now) = (Burst::default(), ms(0));
        let (mut sent, mut out) = (String::new(), Vec::new());
        for (text, pause, away) in &reads {
            sent.push_str(text);
            now += ms(*pause);
            out.extend(burst.feed(keys(text), ms(*away), now));
            if away % 2 == 0 {
                out.extend(burst.late(now));
            }
        }
        out.extend(burst.end());
        let mut arrived = String::new();
        for token in out {
            match token {
                Token::Key(Key::Char(c)) => arrived.push(c),
                Token::Key(Key::Tab) => arrived.push('\t'),
                Token::Key(Key::Enter) => arrived.push('\n'),
                Token::Key(Key::Backspace) => { arrived.pop(); }
                Token::Lines(text) => arrived.push_str(&text),
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(arrived, sent);
    }
}
