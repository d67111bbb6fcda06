//! Which characters of a text can control a terminal, hide from its reader or reorder what stands around
//! them. The log and console of the server, the screen of the client and the JSON of echat-nc all go by this
//! one answer; each makes such a character visible in its own way.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The empty pattern of Braille: nothing to see, but a column wide, and a part of pictures drawn in Braille.
pub const BRAILLE_BLANK: char = '\u{2800}';

/// Whether a character acts on a terminal or its reader by other means than its shape:
///
/// * controls: C0, DEL and C1 (ECMA-48, 5.2 and 5.3);
/// * format characters: overrides of the writing direction, zero width, tags, the soft hyphen (Unicode
///   Standard, 23.2), and separators of lines and paragraphs;
/// * characters whose effect is not known: private use and unassigned;
/// * selectors of a variation (Unicode Standard, 23.4), which are a hiding place anywhere but behind the few
///   characters that have variations;
/// * letters and symbols without ink: fillers of Hangul, inherent vowels of Khmer, the grapheme joiner, the
///   empty pattern of Braille, the null note head.
///
/// Spaces and combining marks are none of these.
pub fn is_hazard(character: char) -> bool {
    match character {
        ' '..='~' => return false,
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | BRAILLE_BLANK
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{ffa0}'
        | '\u{1d159}'
        // Selectors, tags, and what is reserved for more of them.
        | '\u{e0000}'..='\u{e0fff}' => return true,
        _ => {}
    }
    matches!(
        character.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::Unassigned
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_hazard_is_one() {
        let hazards = "\0\t\n\r\u{1b}\u{7f}\u{80}\u{85}\u{9b}\u{9f}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\
            \u{17b4}\u{17b5}\u{180b}\u{180e}\u{180f}\u{200b}\u{200d}\u{200f}\u{2028}\u{2029}\u{202e}\u{2060}\
            \u{2066}\u{206f}\u{2800}\u{3164}\u{e000}\u{fe00}\u{fe0f}\u{feff}\u{ffa0}\u{fff0}\u{fffb}\
            \u{1bca0}\u{1d159}\u{1d173}\u{378}\u{e0001}\u{e0041}\u{e0100}\u{e01ef}\u{e0fff}\u{10ffff}";
        for hazard in hazards.chars() {
            assert!(is_hazard(hazard), "{hazard:?}");
        }
    }

    #[test]
    fn ordinary_text_has_no_hazard() {
        let text = "plain \"text\" \\ it's ~ e\u{301} 你好，世界 жанна שלום हिन्दी 한국어 ｶﾅ 👍🏽 🇨🇳 … \u{a0}\u{3000}\
            \u{645}\u{64e}\u{651} ⠁ 𝅘 𝄞";
        for character in text.chars() {
            assert!(!is_hazard(character), "{character:?}");
        }
    }

    /// The three earlier lists. None of them contained all characters of the others.
    #[test]
    fn hazards_of_the_earlier_lists_are_known() {
        let json = |c| {
            matches!(c,
                '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        };
        let server = |c| "\u{115f}\u{1160}\u{2800}\u{3164}\u{ffa0}\u{1d159}".contains(c);
        let client = |c| {
            matches!(
                c,
                '\u{17b4}' | '\u{17b5}' | '\u{fe00}'..='\u{fe0f}' | '\u{e000}'
            )
        };
        for c in '\0'..=char::MAX {
            assert!(
                is_hazard(c) || !(json(c) || server(c) || client(c)),
                "{c:?}"
            );
        }
    }
}
