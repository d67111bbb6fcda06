//! Bytes to keys, however they are cut.

use std::time::Duration;

use proptest::prelude::*;

use crate::line_editor::{Key, PASTE_MAX};
use crate::terminal::{Decoder, Position, TerminalReply, Token, typed_text};

fn tokens(bytes: &[u8]) -> Vec<Token> {
    let mut decoder = Decoder::new();
    let mut tokens = decoder.feed(bytes, Duration::ZERO);
    tokens.extend(decoder.end());
    tokens
}

fn keys_of(tokens: Vec<Token>) -> Vec<Key> {
    let key = |token| match token {
        Token::Key(key) => Some(key),
        _ => None,
    };
    tokens.into_iter().filter_map(key).collect()
}

fn decode(bytes: &[u8]) -> Vec<Key> {
    keys_of(tokens(bytes))
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

static KEYS: &[(&[u8], Key)] = &[
    (b"a", Key::Char('a')),
    ("你".as_bytes(), Key::Char('你')),
    ("👍".as_bytes(), Key::Char('👍')),
    (b"\r", Key::Enter),
    (b"\n", Key::Enter),
    (b"\r\n", Key::Enter),
    (b"\x1b\r", Key::Alt('\r')),
    (b"\x1bOM", Key::Enter),
    (b"\t", Key::Tab),
    (b"\x1b[Z", Key::BackTab),
    (b"\x7f", Key::Backspace),
    (b"\x08", Key::Ctrl('h')),
    (b"\x01", Key::Ctrl('a')),
    (b"\x1a", Key::Ctrl('z')),
    (b"\x00", Key::Ctrl('@')),
    (b"\x1c", Key::Ctrl('\\')),
    (b"\x1f", Key::Ctrl('_')),
    (b"\x1b", Key::Esc),
    (b"\x1bb", Key::Alt('b')),
    (b"\x1b\x7f", Key::Alt('\x7f')),
    ("\x1bé".as_bytes(), Key::Alt('é')),
    (b"\x1b[", Key::Alt('[')),
    (b"\x1bO", Key::Alt('O')),
    (b"\x1b[A", Key::Up),
    (b"\x1bOB", Key::Down),
    (b"\x1b[C", Key::Right),
    (b"\x1b[D", Key::Left),
    (b"\x1b[1;5C", Key::Alt('f')),
    (b"\x1b[1;3D", Key::Alt('b')),
    (b"\x1b[1;2D", Key::Left),
    (b"\x1bO5D", Key::Alt('b')),
    (b"\x1b[H", Key::Home),
    (b"\x1bOF", Key::End),
    (b"\x1b[1~", Key::Home),
    (b"\x1b[8~", Key::End),
    (b"\x1b[3~", Key::Delete),
    (b"\x1b[3;5~", Key::Alt('d')),
    (b"\x1b[5~", Key::PageUp),
    (b"\x1b[6~", Key::PageDown),
    (b"\x1b[15~", Key::Unknown),
    (b"\xff", Key::Char('\u{fffd}')),
    (b"\xe4\xbd", Key::Char('\u{fffd}')),
    // rxvt: Control and Shift with an arrow, and with a key that has a number.
    (b"\x1bOa", Key::Up),
    (b"\x1bOb", Key::Down),
    (b"\x1bOc", Key::Alt('f')),
    (b"\x1bOd", Key::Alt('b')),
    (b"\x1b[a", Key::Up),
    (b"\x1b[b", Key::Down),
    (b"\x1b[c", Key::Right),
    (b"\x1b[d", Key::Left),
    (b"\x1b[7^", Key::Home),
    (b"\x1b[7$", Key::Home),
    (b"\x1b[8@", Key::End),
    (b"\x1b[3^", Key::Alt('d')),
    (b"\x1b[3$", Key::Delete),
    (b"\x1b[5$", Key::PageUp),
    (b"\x1b[23$", Key::Unknown),
    (b"\x1b[23@", Key::Unknown),
    // Function keys of the Linux console.
    (b"\x1b[[A", Key::Unknown),
    (b"\x1b[[E", Key::Unknown),
    (b"\x1b[17~", Key::Unknown),
    // The number pad in application mode.
    (b"\x1bOp", Key::Char('0')),
    (b"\x1bOy", Key::Char('9')),
    (b"\x1bOk", Key::Char('+')),
    (b"\x1bOn", Key::Char('.')),
    // Keys by their characters: xterm's modifyOtherKeys and CSI u.
    (b"\x1b[97;5u", Key::Ctrl('a')),
    (b"\x1b[27;5;97~", Key::Ctrl('a')),
    (b"\x1b[1089::99;5u", Key::Ctrl('c')),
    (b"\x1b[98;3u", Key::Alt('b')),
    (b"\x1b[97;2u", Key::Char('A')),
    (b"\x1b[97;1u", Key::Char('a')),
    (b"\x1b[49;2;33u", Key::Char('!')),
    (b"\x1b[20320u", Key::Char('你')),
    (b"\x1b[27;2;65~", Key::Char('A')),
    (b"\x1b[13u", Key::Enter),
    (b"\x1b[13;3u", Key::Alt('\r')),
    (b"\x1b[13;2u", Key::Alt('\r')),
    (b"\x1b[13;5u", Key::Enter),
    (b"\x1b[27;3;13~", Key::Alt('\r')),
    (b"\x1b[9;2u", Key::BackTab),
    (b"\x1b[27u", Key::Esc),
    (b"\x1b[27;129u", Key::Esc),
    (b"\x1b[127;5u", Key::Alt('\u{7f}')),
    (b"\x1b[105;5u", Key::Tab),
    (b"\x1b[57399u", Key::Char('0')),
    (b"\x1b[57414u", Key::Enter),
    (b"\x1b[57417;5u", Key::Alt('b')),
    (b"\x1b[57441;2u", Key::Unknown),
    (b"\x1b[1;1:1A", Key::Up),
    (b"\x1b[1;5:2C", Key::Alt('f')),
    (b"\x1b[97;9u", Key::Unknown),
];

#[test]
fn every_key_has_its_bytes() {
    for (bytes, key) in KEYS {
        let shown = bytes.escape_ascii().to_string();
        assert_eq!(decode(bytes), std::slice::from_ref(key), "{shown}");
    }
    assert_eq!(decode(b"\x1b[97;1:3u"), [], "a key that is let go");
}

/// What terminals answer, and tell without being asked.
const REPLIES: &[&str] = &[
    "\x1b]4;1;rgb:cdcd/0000/0000\x07",
    "\x1b]10;rgb:e5e5/e5e5/e5e5\x1b\\",
    "\x1b]11;rgb:0000/0000/0000\x07",
    "\x1b]11;rgba:ffff/ffff/ffff/ffff\x1b\\",
    "\x1b]52;c;aGVsbG8gd29ybGQ=\x1b\\",
    "\x1b]lstatus: 100 ✓ 你好\x1b\\",
    "\x1b]Lxterm\x1b\\",
    "\u{9d}11;rgb:0000/0000/0000\u{9c}",
    "\x1bP>|XTerm(390)\x1b\\",
    "\x1bP>|tmux 3.4\x07",
    "\x1bP1$r0;1m\x1b\\",
    "\x1bP0$r\x1b\\",
    "\x1bP1+r544e=787465726d\x1b\\",
    "\x1bP!|00000000\x1b\\",
    "\u{90}1$r0m\u{9c}",
    "\x1b_Gi=31;OK\x1b\\",
    "\u{9f}Gi=31;ENOENT:no such file\u{9c}",
    "\x1b^a privacy message\x1b\\",
    "\x1bXa string\x1b\\",
    "\u{98}a string\x1b\\",
    "\u{9e}a message\x1b\\",
    "\x1b[12;40R",
    "\x1b[?12;40;1R",
    "\x1b[>83;40900;0c",
    "\x1b[?64;1;2;6;9;15;16;17;18;21;22;28;29;42;52c",
    "\x1b[?62;c",
    "\x1b[=0c",
    "\u{9b}?1;2c",
    "\x1b[0n",
    "\x1b[?997;1n",
    "\x1b[?2026;2$y",
    "\x1b[4;2$y",
    "\x1b[8;24;80t",
    "\x1b[4;480;640t",
    "\x1b[48;24;80;480;640t",
    "\x1b[I",
    "\x1b[O",
    "\x1b[?0u",
    "\x1b[?31u",
    "\x1b[2;1;1;112;112;1;0x",
    "\x1b[?1;0;256S",
    "\x1b[<35;20;10M",
    "\x1b[<0;20;10m",
    "\x1b[32;20;10M",
    "\x1b[M !!",
    "\x1b[M\x20\u{7f}\u{7f}",
];

#[test]
fn a_reply_is_no_key_however_it_is_split() {
    for reply in REPLIES {
        let bytes = format!("a{reply}b");
        for cut in 0..=bytes.len() {
            let (one, other) = bytes.as_bytes().split_at(cut);
            let mut decoder = Decoder::new();
            let mut keys = decoder.feed(one, ms(0));
            keys.extend(decoder.late(ms(99)));
            keys.extend(decoder.feed(other, ms(99)));
            assert_eq!(decoder.deadline(), None, "{reply:?}");
            let expected = [Key::Char('a'), Key::Char('b')];
            assert_eq!(keys_of(keys), expected, "{reply:?} at {cut}");
        }
    }
}

#[test]
fn single_bytes_of_c1_begin_a_reply_only_where_it_fits() {
    for reply in [
        &b"\x9d11;rgb:0000/0000/0000\x9c"[..],
        b"\x9d11;rgb:0000/0000/0000\x07",
        b"\x90>|XTerm(390)\x9c",
        b"\x901$r0m\x1b\\",
        b"\x9b?1;2c",
        b"\x9b12;40R",
    ] {
        let bytes = [b"a", reply, b"b"].concat();
        let shown = reply.escape_ascii().to_string();
        assert_eq!(decode(&bytes), [Key::Char('a'), Key::Char('b')], "{shown}");
    }
    // What has no end, or begins otherwise, is text of another encoding.
    for no_text in [
        &b"\x9d1"[..],
        b"\x9bA",
        b"\x90a",
        b"\x9b\x9b",
        b"\x9d",
        b"\x9b?1",
    ] {
        let shown = no_text.escape_ascii().to_string();
        assert!(tokens(no_text).contains(&Token::NotText), "{shown}");
    }
}

#[test]
fn replies_to_queries_of_the_program_are_returned() {
    let answers = b"a\x1b[12;40R\x1b[>83;40900;0cb";
    for cut in 0..answers.len() {
        let mut decoder = Decoder::new();
        let mut tokens = decoder.feed(&answers[..cut], ms(0));
        tokens.extend(decoder.feed(&answers[cut..], ms(0)));
        let position = Position { row: 12, col: 40 };
        let expected = [
            Token::Key(Key::Char('a')),
            Token::Reply(TerminalReply::Cursor(position)),
            Token::Reply(TerminalReply::Device(83)),
            Token::Key(Key::Char('b')),
        ];
        assert_eq!(tokens, expected, "{cut}");
    }
}

#[test]
fn a_reply_without_an_end_does_not_swallow_for_ever() {
    for start in [
        "\x1b]11;rgb:00",
        "\x1bP1$r",
        "\x1b_G",
        "\x1b[?64;1",
        "\x1b[M",
    ] {
        let mut decoder = Decoder::new();
        assert_eq!(decoder.feed(start.as_bytes(), ms(0)), [], "{start:?}");
        assert_eq!(decoder.late(ms(999)), [], "{start:?}");
        assert_eq!(decoder.deadline(), Some(ms(1000)), "{start:?}");
        assert_eq!(decoder.late(ms(1000)), [], "{start:?}");
        let typed = decoder.feed(b"hello", ms(1000));
        assert_eq!(keys_of(typed).len(), 5, "{start:?}");
    }
    // Enter and C-c are never part of a reply.
    let keys = [Key::Ctrl('c'), Key::Char('a')];
    assert_eq!(decode(b"\x1b]11;rgb\x03a"), keys);
    assert_eq!(decode(b"\x1bP1$r\r"), [Key::Enter]);
    assert_eq!(decode(b"\x1b]11;rgb\x1b[A"), [Key::Up]);
    // After a length too.
    let long = [b"\x1b]52;c;".as_slice(), &vec![b'A'; 3 * PASTE_MAX]].concat();
    let let_go = decode(&long).len();
    assert!((1..2 * PASTE_MAX).contains(&let_go), "{let_go}");
    let long = [b"\x1b[".as_slice(), &[b'1'; 400], b"A"].concat();
    assert!(decode(&long).len() > 100);
}

#[test]
fn a_lone_escape_and_half_a_character_wait_for_more_bytes() {
    let mut decoder = Decoder::new();
    decoder.feed(b"\x1b", ms(0));
    assert_eq!(decoder.late(ms(99)), []);
    assert_eq!(decoder.late(ms(100)), [Token::Key(Key::Esc)]);
    decoder.feed(b"\x1b", ms(200));
    assert_eq!(keys_of(decoder.feed(b"[", ms(299))), []);
    assert_eq!(decoder.late(ms(1298)), []);
    assert_eq!(keys_of(decoder.feed(b"A", ms(1298))), [Key::Up]);
    decoder.feed(b"\xe4", ms(2000));
    decoder.feed(b"\xbd", ms(2900));
    assert_eq!(keys_of(decoder.feed(b"\xa0", ms(3800))), [Key::Char('你')]);
    decoder.feed(b"\xe4", ms(4000));
    let late = [Token::NotText, Token::Key(Key::Char('\u{fffd}'))];
    assert_eq!(decoder.late(ms(5000)), late);
    // What is there before the time is up came in time, however late it is read.
    decoder.feed(b"\x1b", ms(6000));
    assert_eq!(keys_of(decoder.feed(b"[B", ms(9000))), [Key::Down]);
}

#[test]
fn a_paste_is_one_key_whatever_it_contains() {
    let keys = decode(b"a\x1b[200~one\rtwo\x1b[A\x1b\x1a\x1b[20\x1b[201~b");
    let paste = Key::Paste("one\rtwo\x1b[A\x1b\x1a\x1b[20".into());
    assert_eq!(keys, [Key::Char('a'), paste, Key::Char('b')]);
}

#[test]
fn a_paste_is_bounded_and_says_what_is_left_out() {
    for length in [PASTE_MAX, PASTE_MAX + 3, PASTE_MAX + 3_000] {
        let text = "你".repeat(length / 3 + 1);
        let whole = length / 3 * 3;
        let pasted = format!("\x1b[200~{}\x1b[201~x", &text[..whole]);
        let mut tokens = tokens(pasted.as_bytes());
        if whole > PASTE_MAX {
            assert_eq!(tokens.remove(0), Token::PasteCut { whole });
        }
        let [Token::Key(Key::Paste(text)), Token::Key(Key::Char('x'))] = tokens.as_slice() else {
            panic!("a paste and a key");
        };
        assert_eq!(text.len(), PASTE_MAX / 3 * 3);
        assert!(!text.contains('\u{fffd}'));
    }
}

#[test]
fn a_broken_sequence_loses_only_itself() {
    assert_eq!(decode(b"\x1b[12\x03"), [Key::Ctrl('c')]);
    assert_eq!(decode(b"\x1b[1\x1b[A"), [Key::Up]);
    assert_eq!(decode(b"\xe4a"), [Key::Char('\u{fffd}'), Key::Char('a')]);
    assert_eq!(decode(b"\x1b\x1b[A"), [Key::Esc, Key::Up]);
    assert_eq!(decode(b"\x1b[M\x03"), [Key::Ctrl('c')]);
    assert_eq!(decode(b"\x1b[[\x03"), [Key::Ctrl('c')]);
}

#[test]
fn a_paste_without_an_end_is_ended_by_silence() {
    let mut decoder = Decoder::new();
    decoder.feed(b"\x1b[200~half\x1b[2", ms(0));
    assert_eq!(decoder.late(ms(4_999)), []);
    let paste = Key::Paste("half\x1b[2".into());
    assert_eq!(keys_of(decoder.late(ms(5_000))), [paste]);
    assert_eq!(keys_of(decoder.feed(b"a", ms(5_000))), [Key::Char('a')]);
}

#[test]
fn the_end_of_input_ends_an_open_sequence() {
    assert_eq!(decode(b"\x1b[200~half"), [Key::Paste("half".into())]);
    assert_eq!(decode(b"a\x1b]11;rgb:0"), [Key::Char('a')]);
    assert_eq!(decode(b"a\x1b[1;"), [Key::Char('a')]);
    let half = tokens(b"\xe4");
    assert_eq!(half[0], Token::NotText);
}

#[test]
fn invalid_bytes_differ_from_a_replacement_character() {
    assert_eq!(tokens("\u{fffd}".as_bytes()).len(), 1);
    for bytes in [
        &b"\xff"[..],
        b"\xe4a",
        b"\xc4\xe3",
        b"\xe0\x80\x80",
        b"\x1b[200~\xe9\x1b[201~",
    ] {
        assert_eq!(tokens(bytes)[0], Token::NotText, "{bytes:?}");
    }
}

#[test]
fn a_line_that_the_terminal_has_edited_loses_its_replies() {
    for reply in REPLIES {
        let line = format!("sec{reply}ret\n");
        assert_eq!(*typed_text(line.as_bytes()), *b"secret\n", "{reply:?}");
    }
    assert_eq!(*typed_text(b"a\tb \xe9\n"), *b"a\tb \xff\n");
    assert_eq!(
        *typed_text("密码 \u{fffd}".as_bytes()),
        *"密码 \u{fffd}".as_bytes()
    );
    assert_eq!(*typed_text(b"\x1b[200~pasted\x1b[201~\n"), *b"pasted\n");
}

fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        any::<String>().prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..6),
        prop::sample::select(vec![
            "\x1b",
            "\x1b[",
            "\x1bO",
            "\x1b[A",
            "\x1b[3;5~",
            "\x1b[200~",
            "\x1b[201~",
            "你",
            "\r",
            "\x1b]11;",
            "\x1bP",
            "\x1b\\",
            "\x07",
            "\u{9d}",
            "\x1b[M",
            "\x1b[[",
            "\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

/// Replies and typed text in any order, in any pieces, with pauses below the limit between them.
fn talk() -> impl Strategy<Value = (Vec<u8>, String, Vec<(usize, u64)>)> {
    let part = prop_oneof![
        "[ -~你好é👍]{0,6}".prop_map(|text| (text.clone(), text)),
        prop::sample::select(REPLIES.to_vec()).prop_map(|reply| (reply.to_owned(), String::new())),
    ];
    let cut = (0usize..400, 0u64..100);
    (
        prop::collection::vec(part, 0..12),
        prop::collection::vec(cut, 0..20),
    )
        .prop_map(|(parts, cuts)| {
            let (sent, typed): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            (sent.concat().into_bytes(), typed.concat(), cuts)
        })
}

proptest! {
    #[test]
    fn any_split_gives_the_same_keys(bytes in some_bytes(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4)) {
        let whole = Decoder::new().feed(&bytes, ms(0));
        for cut in 0..=bytes.len() {
            let mut decoder = Decoder::new();
            let mut keys = decoder.feed(&bytes[..cut], ms(0));
            keys.extend(decoder.feed(&bytes[cut..], ms(0)));
            prop_assert_eq!(&keys, &whole);
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut decoder = Decoder::new();
        let keys: Vec<Token> = cuts.windows(2).flat_map(|cut| decoder.feed(&bytes[cut[0]..cut[1]], ms(0))).collect();
        prop_assert_eq!(keys, whole);
    }

    #[test]
    fn replies_leave_exactly_what_was_typed((sent, typed, cuts) in talk()) {
        let mut cuts: Vec<(usize, u64)> = cuts.into_iter().filter(|(at, _)| *at < sent.len()).collect();
        cuts.push((sent.len(), 0));
        cuts.sort_unstable();
        let (mut decoder, mut now, mut from) = (Decoder::new(), ms(0), 0);
        let mut keys = Vec::new();
        for (at, pause) in cuts {
            keys.extend(decoder.feed(&sent[from..at], now));
            now += ms(pause).min(ms(99));
            // Several cuts at one place are one pause.
            if at > from {
                from = at;
                keys.extend(decoder.late(now));
            }
        }
        keys.extend(decoder.feed(&sent[from..], now));
        let decoded: String = keys_of(keys).into_iter().map(|key| match key {
            Key::Char(c) => c,
            other => panic!("{other:?}"),
        }).collect();
        prop_assert_eq!(decoded, typed);
    }
}
