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
        1 => prop::sample::select(vec!['b', 'f', 'd', '\u{7f}', 'x']).prop_map(Key::Alt),
        1 => text().prop_map(Key::Paste),
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
            prop_assert!(!text.contains(|c: char| c.is_control() && c != '\t'));
            if outcome == Outcome::None {
                prop_assert_eq!(before, (text.to_owned(), cursor, editor.search().is_some()));
            }
        }
    }

    #[test]
    fn undo_leads_back(text in "\\PC{0,20}", keys in prop::collection::vec(any_key(), 1..20)) {
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
        while editor.handle(Key::Ctrl('_')) != Outcome::None {}
        prop_assert_eq!(editor.text(), "");
    }

    #[test]
    fn any_range_is_taken_or_refused(text in any::<String>(), start in 0usize..40, end in 0usize..40) {
        let mut editor = LineEditor::new();
        editor.set(&text, start);
        editor.replace(start..end, "é👍");
        prop_assert!(is_boundary(editor.text(), editor.cursor()));
    }
}
