//! Which texts are one emoji, for reactions: a possible emoji of UTS #51 (section 1.4.9) that is shown in colour, and
//! one grapheme (UAX #29).

use unicode_properties::UnicodeEmoji;
use unicode_properties::emoji::{
    EmojiStatus, is_emoji_presentation_selector, is_regional_indicator, is_zwj,
};
use unicode_segmentation::UnicodeSegmentation;

use crate::param::EMOJI_BYTES;

/// The enclosing keycap, as in 1️⃣.
const KEYCAP: char = '\u{20e3}';

/// The end of a sequence of tags, as in 🏴󠁧󠁢󠁥󠁮󠁧󠁿.
const CANCEL_TAG: char = '\u{e007f}';

/// Whether a text is one emoji of at most [`EMOJI_BYTES`].
pub fn is_emoji(text: &str) -> bool {
    text.len() <= EMOJI_BYTES && is_possible_emoji(text) && text.graphemes(true).count() == 1
}

fn is_possible_emoji(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    if let [first, second] = chars[..]
        && is_regional_indicator(first)
    {
        return is_regional_indicator(second);
    }
    let mut elements = chars.split(|c| is_zwj(*c));
    let is_shown = elements
        .next()
        .is_some_and(|first| element(first) == Element::Emoji);
    is_shown && elements.all(|next| element(next) != Element::Other)
}

/// What a part of a sequence is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    /// An emoji that is shown in colour.
    Emoji,
    /// An emoji that is shown as text if it is alone.
    Text,
    /// Neither.
    Other,
}

fn element(chars: &[char]) -> Element {
    let Some((first, modification)) = chars.split_first() else {
        return Element::Other;
    };
    if !first.is_emoji_char() || is_regional_indicator(*first) {
        return Element::Other;
    }
    let is_key = first.is_ascii();
    match modification {
        [] if is_key => Element::Other,
        [] if is_presented(*first) => Element::Emoji,
        [] => Element::Text,
        [selector, KEYCAP] if is_key && is_emoji_presentation_selector(*selector) => Element::Emoji,
        _ if is_key => Element::Other,
        [selector] if is_emoji_presentation_selector(*selector) => Element::Emoji,
        [modifier] if is_modifier(*modifier) => Element::Emoji,
        [tags @ .., CANCEL_TAG] if !tags.is_empty() && tags.iter().copied().all(is_tag) => {
            Element::Emoji
        }
        _ => Element::Other,
    }
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0020}'..='\u{e007e}')
}

fn is_modifier(c: char) -> bool {
    c.emoji_status() == EmojiStatus::EmojiPresentationAndModifierAndEmojiComponent
}

/// `Emoji_Presentation`: shown in colour without a selector.
fn is_presented(c: char) -> bool {
    matches!(
        c.emoji_status(),
        EmojiStatus::EmojiPresentation
            | EmojiStatus::EmojiPresentationAndModifierBase
            | EmojiStatus::EmojiPresentationAndEmojiComponent
            | EmojiStatus::EmojiPresentationAndModifierAndEmojiComponent
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn emoji_are_told_from_other_texts() {
        for emoji in [
            "👍",
            "👍🏽",
            "❤️",
            "☹️",
            "1️⃣",
            "#️⃣",
            "🇨🇳",
            "👩‍👩‍👧",
            "👩‍❤️‍👨",
            "🏳️‍🌈",
            "✌🏽",
            "🦀",
            "🐻‍❄️",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "🈚",
            "㊙️",
            "©️",
            "🧑🏿‍🦰",
            "🏽",
        ] {
            assert!(is_emoji(emoji), "{emoji}");
        }
        for other in [
            "",
            " ",
            "a",
            "1",
            "#",
            "好",
            "❤",
            "©",
            "❤\u{fe0e}",
            "👍\u{fe0e}",
            "👍👍",
            "👍 ",
            " 👍",
            "👍a",
            "1\u{fe0f}",
            "1\u{20e3}",
            "🇨",
            "🇨🇳🇨🇳",
            "🇨👍",
            "\u{200d}",
            "👍\u{200d}",
            "\u{fe0f}",
            "👍\u{301}",
            "👩\u{200d}a",
            "a\u{fe0f}",
            ":)",
            "👍\u{1b}",
            "🏴\u{e0067}",
            "👩‍👩‍👧‍👦🏽🏽🏽🏽",
            "❤\u{200d}🔥",
            "👨🏿\u{200d}👩🏿\u{200d}👧🏿\u{200d}👦🏿\u{200d}👦🏿",
        ] {
            assert!(!is_emoji(other), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_and_text_never_hides_in_an_emoji(text in "\\PC{0,6}|[👍❤🇨🇳\u{200d}\u{fe0f}🏽a1\u{20e3}]{1,6}") {
            if is_emoji(&text) {
                prop_assert!(text.len() <= EMOJI_BYTES);
                prop_assert_eq!(text.graphemes(true).count(), 1);
                prop_assert!(!text.chars().any(|c| c.is_alphabetic() || c.is_control() || c.is_whitespace()));
            }
        }
    }
}
