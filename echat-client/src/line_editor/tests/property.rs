//! Any keys in any order.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::*;

fn any_key() -> impl Strategy<Value = Key> {
    let text = || {
        prop_oneof![
            "\\PC",
            Just("\u{301}".to_owned()),
            Just("\u{200d}".to_owned()),
            Just("👩".to_owned()),
            Just("🇨".to_owned()),
            Just(" ".to_owned()),
            any::<String>(),
        ]
    };
    let typed = text().prop_map(|text| Key::Char(text.chars().next().unwrap_or('你')));
    let plain = prop::sample::select(vec![
        Key::Enter,
        Key::Tab,
        Key::BackTab,
        Key::Backspace,
        Key::Delete,
        Key::Left,
        Key::Right,
        Key::Up,
        Key::Down,
        Key::Home,
        Key::End,
        Key::PageUp,
        Key::Esc,
        Key::Unknown,
    ]);
    let letters = "abcdefghklnprstuwy_@z".chars().collect::<Vec<_>>();
    prop_oneof![
        6 => typed,
        3 => plain,
        4 => prop::sample::select(letters).prop_map(Key::Ctrl),
        1 => prop::sample::select(vec!['b', 'f', 'd', '\u{7f}', '\r', 'x']).prop_map(Key::Alt),
        1 => text().prop_map(|text| Key::Paste(text.into())),
    ]
}

/// Keys of which a model can be told in a line. No combining marks: one character is one grapheme.
fn simple_key() -> impl Strategy<Value = Key> {
    let keys = [
        Key::Backspace,
        Key::Delete,
        Key::Left,
        Key::Right,
        Key::Home,
        Key::End,
        Key::Ctrl('k'),
        Key::Ctrl('u'),
    ];
    let letters = "ab 你好é".chars().collect::<Vec<_>>();
    prop_oneof![
        2 => prop::sample::select(letters).prop_map(Key::Char),
        1 => prop::sample::select(keys.to_vec()),
    ]
}

fn is_boundary(text: &str, at: usize) -> bool {
    at == text.len() || text.grapheme_indices(true).any(|(start, _)| start == at)
}

proptest! {
    #[test]
    fn the_cursor_stands_between_graphemes(
        keys in prop::collection::vec(any_key(), 0..60),
        masked_from in 0usize..120,
    ) {
        let mut editor = LineEditor::new();
        for (index, key) in keys.into_iter().enumerate() {
            if index == masked_from {
                editor.masked(true);
            }
            let before = (editor.text().to_owned(), editor.cursor(), editor.search().is_some());
            let outcome = editor.handle(key.clone());
            let (text, cursor) = (editor.text(), editor.cursor());
            prop_assert!(is_boundary(text, cursor), "{key:?}: {text:?} at {cursor}");
            prop_assert!(!text.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n')));
            if outcome == KeyOutcome::None {
                prop_assert_eq!(before, (text.to_owned(), cursor, editor.search().is_some()));
            }
        }
    }

    #[test]
    fn undo_restores_every_earlier_state(text in "\\PC{0,20}", keys in prop::collection::vec(any_key(), 1..20)) {
        let mut editor = LineEditor::new();
        editor.set(&text, text.len());
        for key in keys {
            // What leaves the line ends what can be undone, and C-_ is what is tested.
            if !matches!(
                key,
                Key::Enter | Key::Up | Key::Down | Key::Ctrl('_' | 'p' | 'n' | 'r')
            ) {
                editor.handle(key);
            }
        }
        while editor.handle(Key::Ctrl('_')) != KeyOutcome::None {}
        prop_assert_eq!(editor.text(), "");
    }

    #[test]
    fn edits_equal_those_of_a_plain_string(keys in prop::collection::vec(simple_key(), 0..80)) {
        let mut editor = LineEditor::new();
        let (mut left, mut right) = (String::new(), String::new());
        let first = |text: &mut String| (!text.is_empty()).then(|| text.remove(0));
        for key in keys {
            match key {
                Key::Char(c) => left.push(c),
                Key::Backspace => { left.pop(); }
                Key::Delete => { first(&mut right); }
                Key::Left => right.insert_str(0, &left.pop().map_or(String::new(), String::from)),
                Key::Right => left.extend(first(&mut right)),
                Key::Home => right.insert_str(0, &std::mem::take(&mut left)),
                Key::End => left.push_str(&std::mem::take(&mut right)),
                Key::Ctrl('k') => right.clear(),
                _ => left.clear(),
            }
            editor.handle(key);
            prop_assert_eq!(picture(&editor), format!("{left}|{right}"));
        }
    }

    #[test]
    fn any_byte_range_is_accepted_or_refused(text in any::<String>(), start in 0usize..40, end in 0usize..40) {
        let mut editor = LineEditor::new();
        editor.set(&text, start);
        editor.replace(start..end, "é👍");
        prop_assert!(is_boundary(editor.text(), editor.cursor()));
    }
}
