//! Escapes text for the log and the server's own terminal: the result cannot control a terminal, and
//! cannot hide or reorder the text around it.

use echat_proto::terminal_text::is_hazard;

/// Marks that one letter may bear: vowel signs, which are letters of a name.
const MARKS: usize = 2;

/// Escapes every character that is not visible by itself: controls (C0, C1, line separators), combining
/// marks, zero-width characters, blanks other than the space, overrides of the writing direction, tags.
/// Marks that are letters stay, up to [`MARKS`] on one letter.
pub(crate) fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut marks = 0;
    for char in text.chars() {
        marks = if is_mark(char) { marks + 1 } else { 0 };
        if is_hazard(char) && !char.is_control() {
            shown.extend(char.escape_unicode());
        } else if matches!(char, ' '..='~') || char.is_alphanumeric() && marks <= MARKS {
            shown.push(char);
        } else {
            // Escapes what is not printable, and marks.
            shown.extend(char.escape_debug());
        }
    }
    shown
}

/// Whether it is drawn over or under the character before it.
fn is_mark(char: char) -> bool {
    char.is_alphanumeric() && char.escape_debug().len() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_text_stays_unchanged() {
        for text in [
            "plain \"text\" \\ it's",
            "жанна 李雷 한국 שלום हिन्दी",
            "é 👍 …",
        ] {
            assert_eq!(escape(text), text.replace('\u{94d}', "\\u{94d}"));
        }
    }

    #[test]
    fn invisible_letters_are_escaped() {
        for filler in "\u{115f}\u{1160}\u{2800}\u{3164}\u{ffa0}\u{1d159}".chars() {
            let shown = escape(&format!("a{filler}b"));
            assert!(shown.starts_with("a\\") && shown.is_ascii(), "{shown}");
        }
    }

    #[test]
    fn no_hazard_is_shown() {
        for char in '\0'..=char::MAX {
            assert!(
                !escape(&char.to_string()).chars().any(is_hazard),
                "{char:?}"
            );
        }
    }

    #[test]
    fn stacked_marks_are_bounded() {
        for text in ["\u{e01}\u{e35}", "\u{645}\u{64e}\u{651}"] {
            assert_eq!(escape(text), text);
        }
        for mark in ["\u{e34}", "\u{64e}", "\u{e34}\u{e39}"] {
            let tower = format!("\u{e01}{}x", mark.repeat(50));
            let shown = escape(&tower);
            assert!(
                shown.chars().filter(|char| is_mark(*char)).count() <= MARKS,
                "{shown}"
            );
        }
    }

    #[test]
    fn control_invisible_and_stacking_characters_are_escaped() {
        let hidden = "\0\t\n\r\u{1b}\u{7f}\u{85}\u{9b}\u{ad}\u{300}\u{200b}\u{200d}\u{2028}\u{202e}\u{2066}\
                      \u{fe0f}\u{feff}\u{e0041}\u{e000}\u{10ffff}\u{a0}\u{3000}";
        for char in hidden.chars() {
            let shown = escape(&format!("a{char}b"));
            assert!(shown.starts_with("a\\") && shown.is_ascii(), "{shown}");
        }
    }
}
