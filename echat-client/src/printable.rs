//! Text from elsewhere, made harmless for a terminal.
//!
//! What a server sends may hold escape sequences, direction overrides and characters that take no
//! room. [`escape`] spells them `\uXXXX`, so that the result is only what it looks like; inside a
//! JSON string that spelling means the same character, so lines of JSON stay true.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Replaces every character that could control a terminal or deceive its reader.
///
/// A text of JSON (where such characters stand only in strings) stays the same JSON.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_treacherous(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// Controls, marks of direction, separators that break lines, characters without width, tags,
/// private use and what Unicode promises never to be a character.
fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..)
        || u32::from(character) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in ["", "ann says: hi", "中文 é 🙂 ß", r#"{"a":"\"\\"}"#] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_controls_is_spelled() {
        assert_eq!(escape("\u{1b}]52;c;\u{7}"), r"\u001b]52;c;\u0007");
        assert_eq!(escape("a\r\n\u{7f}\u{9b}"), r"a\u000d\u000a\u007f\u009b");
        assert_eq!(
            escape("\u{202e}\u{2028}\u{200b}\u{feff}"),
            r"\u202e\u2028\u200b\ufeff"
        );
        assert_eq!(escape("\u{e0041}\u{10ffff}"), r"\udb40\udc41\udbff\udfff");
    }

    proptest! {
        #[test]
        fn json_keeps_its_meaning(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let safe = escape(&json);
            prop_assert!(!safe.contains(is_treacherous));
            prop_assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
        }
    }
}
