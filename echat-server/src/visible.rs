//! Text that cannot control a terminal, nor hide or reorder what stands around it: for the log and
//! for the server's own terminal.

/// The text with everything escaped that is no visible character of its own: controls (C0, C1, line
/// separators), marks that stack, zero width, overrides of the writing direction, tags.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        // A vowel sign is a mark and yet a letter, which names may have.
        if matches!(char, ' '..='~') || char.is_alphanumeric() {
            shown.push(char);
        } else {
            // Escapes what is not printable, and marks.
            shown.extend(char.escape_debug());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_seen_stays_as_it_is() {
        for text in [
            "plain \"text\" \\ it's",
            "жанна 李雷 한국 שלום हिन्दी",
            "é 👍 …",
        ] {
            assert_eq!(visible(text), text.replace('\u{94d}', "\\u{94d}"));
        }
    }

    #[test]
    fn what_controls_hides_or_stacks_is_escaped() {
        let hidden = "\0\t\n\r\u{1b}\u{7f}\u{85}\u{9b}\u{ad}\u{300}\u{200b}\u{200d}\u{2028}\u{202e}\u{2066}\
                      \u{fe0f}\u{feff}\u{e0041}\u{e000}\u{10ffff}\u{a0}\u{3000}";
        for char in hidden.chars() {
            let shown = visible(&format!("a{char}b"));
            assert!(shown.starts_with("a\\") && shown.is_ascii(), "{shown}");
        }
    }
}
