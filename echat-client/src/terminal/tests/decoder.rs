//! Bytes to keys, however they are cut.

use proptest::prelude::*;

use crate::line_editor::Key;
use crate::terminal::{Decoder, PASTE_MAX, Position, Reply};

fn decode(bytes: &[u8]) -> Vec<Key> {
    let mut decoder = Decoder::new();
    let mut keys = decoder.feed(bytes);
    keys.extend(decoder.flush());
    keys
}

#[test]
fn every_key_has_its_bytes() {
    let cases: [(&[u8], Key); 40] = [
        (b"a", Key::Char('a')),
        ("你".as_bytes(), Key::Char('你')),
        ("👍".as_bytes(), Key::Char('👍')),
        (b"\r", Key::Enter),
        (b"\n", Key::Enter),
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
        (b"\x1b[H", Key::Home),
        (b"\x1bOF", Key::End),
        (b"\x1b[1~", Key::Home),
        (b"\x1b[8~", Key::End),
        (b"\x1b[3~", Key::Delete),
        (b"\x1b[3;5~", Key::Alt('d')),
        (b"\x1b[5~", Key::PageUp),
        (b"\x1b[6~", Key::PageDown),
        (b"\x1b[15~", Key::Unknown),
        (b"\x1b[[A", Key::Unknown),
        (b"\xff", Key::Char('\u{fffd}')),
        (b"\xe4\xbd", Key::Char('\u{fffd}')),
    ];
    for (bytes, key) in cases {
        assert_eq!(decode(bytes), [key], "{bytes:?}");
    }
}

#[test]
fn a_paste_is_one_key_whatever_is_in_it() {
    let keys = decode(b"a\x1b[200~one\rtwo\x1b[A\x1b\x1b[20\x1b[201~b");
    let paste = Key::Paste("one\rtwo\x1b[A\x1b\x1b[20".into());
    assert_eq!(keys, [Key::Char('a'), paste, Key::Char('b')]);
}

#[test]
fn a_paste_is_bounded() {
    for length in [PASTE_MAX, PASTE_MAX + 3, PASTE_MAX + 3_000] {
        let text = "你".repeat(length / 3 + 1);
        let pasted = format!("\x1b[200~{}\x1b[201~x", &text[..length / 3 * 3]);
        let keys = decode(pasted.as_bytes());
        let [Key::Paste(text), Key::Char('x')] = keys.as_slice() else {
            panic!("a paste and a key");
        };
        assert_eq!(text.len(), PASTE_MAX / 3 * 3);
        assert!(!text.contains('\u{fffd}'));
    }
}

#[test]
fn a_broken_sequence_costs_only_itself() {
    assert_eq!(decode(b"\x1b[12\x03"), [Key::Unknown, Key::Ctrl('c')]);
    assert_eq!(decode(b"\x1b[1\x1b[A"), [Key::Unknown, Key::Up]);
    assert_eq!(decode(b"\xe4a"), [Key::Char('\u{fffd}'), Key::Char('a')]);
    assert_eq!(decode(b"\x1b\x1b[A"), [Key::Esc, Key::Up]);
    let long = [b"\x1b[".as_slice(), &[b'1'; 40], b"A"].concat();
    assert_eq!(decode(&long)[0], Key::Unknown);
}

#[test]
fn only_half_a_key_waits_for_more() {
    let mut decoder = Decoder::new();
    for (bytes, waits) in [(b"\x1b".as_slice(), true), (b"[", true), (b"A", false)] {
        decoder.feed(bytes);
        assert_eq!(decoder.is_pending(), waits);
    }
    decoder.feed(b"\x1b[200~half");
    assert!(!decoder.is_pending());
    assert_eq!(decoder.flush(), []);
    assert_eq!(decoder.feed(b"\x1b[201~"), [Key::Paste("half".into())]);
}

#[test]
fn a_paste_without_an_end_can_be_ended() {
    let mut decoder = Decoder::new();
    decoder.feed(b"\x1b[200~half\x1b[2");
    assert!(decoder.is_pasting());
    assert_eq!(decoder.end_paste(), [Key::Paste("half\x1b[2".into())]);
    assert_eq!(decoder.end_paste(), []);
    assert_eq!(decoder.feed(b"a"), [Key::Char('a')]);
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
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_keys(bytes in some_bytes(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4)) {
        let whole = Decoder::new().feed(&bytes);
        for cut in 0..=bytes.len() {
            let mut decoder = Decoder::new();
            let mut keys = decoder.feed(&bytes[..cut]);
            keys.extend(decoder.feed(&bytes[cut..]));
            prop_assert_eq!(&keys, &whole);
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut decoder = Decoder::new();
        let keys: Vec<Key> = cuts.windows(2).flat_map(|cut| decoder.feed(&bytes[cut[0]..cut[1]])).collect();
        prop_assert_eq!(keys, whole);
    }
}

#[test]
fn an_answer_of_the_terminal_is_no_key() {
    let answers = b"a\x1b[12;40R\x1b[>83;40900;0cb";
    for cut in 0..answers.len() {
        let mut decoder = Decoder::new();
        let mut keys = decoder.feed(&answers[..cut]);
        keys.extend(decoder.feed(&answers[cut..]));
        assert_eq!(keys, [Key::Char('a'), Key::Char('b')], "{cut}");
        let position = Position { row: 12, col: 40 };
        let expected = [Reply::Cursor(position), Reply::Device(83)];
        assert_eq!(decoder.replies(), expected, "{cut}");
        assert_eq!(decoder.replies(), []);
    }
}
