//! Emoji as people type them: the emoji itself, its shortcode, or a common word for it.

use echat_proto::emoji::is_emoji;

use super::ascii_form;

/// Shows the character before it in colour, and as text.
const SELECTORS: [char; 2] = ['\u{fe0f}', '\u{fe0e}'];

/// Words and signs that are no shortcode.
const WORDS: &[(&str, &str)] = &[
    ("+", "👍"),
    ("-", "👎"),
    ("yes", "👍"),
    ("no", "👎"),
    ("like", "👍"),
    ("love", "❤️"),
    ("<3", "❤️"),
    (":)", "🙂"),
    (":d", "😄"),
    (":(", "🙁"),
    (";)", "😉"),
    ("赞", "👍"),
    ("踩", "👎"),
    ("心", "❤️"),
    ("爱", "❤️"),
    ("爱心", "❤️"),
    ("笑", "😄"),
    ("哭", "😭"),
    ("好", "👌"),
    ("好的", "👌"),
    ("庆祝", "🎉"),
    ("鼓掌", "👏"),
    ("谢谢", "🙏"),
    ("收到", "✅"),
    ("疑问", "❓"),
    ("火", "🔥"),
    ("看", "👀"),
    ("点赞", "👍"),
    ("强", "👍"),
    ("弱", "👎"),
    ("加油", "💪"),
    ("怒", "😡"),
    ("生气", "😡"),
    ("大笑", "😂"),
    ("微笑", "🙂"),
    ("惊讶", "😮"),
    ("汗", "😅"),
    ("思考", "🤔"),
    ("抱拳", "🙏"),
    ("握手", "🤝"),
    ("玫瑰", "🌹"),
];

/// The emoji that a word means; `None` if it can be none.
pub fn emoji(word: &str) -> Option<String> {
    let plain: String = word.trim().chars().map(ascii_form).collect();
    let plain = plain.to_lowercase();
    if let Some((_, emoji)) = WORDS.iter().find(|(known, _)| *known == plain) {
        return Some((*emoji).to_owned());
    }
    let code = plain.trim_matches(':');
    if let Some(emoji) = emojis::get_by_shortcode(code) {
        return Some(emoji.as_str().to_owned());
    }
    // Which characters are emoji is the server's to judge; letters and digits are none.
    let word = word.trim();
    let is_word = word.is_empty() || word.chars().any(char::is_alphabetic) || word.is_ascii();
    (!is_word).then(|| in_one_form(word))
}

/// The form of an emoji that echat sends. Input methods leave out the selector that shows ❤ in colour, or add one where
/// none is needed, and to the server these are different emoji. A text that is no emoji stays as it is.
pub fn in_one_form(emoji: &str) -> String {
    let bare = emoji.replace(SELECTORS, "");
    if let Some(known) = emojis::get(emoji).or_else(|| emojis::get(&bare)) {
        return known.as_str().to_owned();
    }
    let coloured = format!("{bare}{}", SELECTORS[0]);
    let is_better = !is_emoji(emoji) && is_emoji(&coloured);
    if is_better {
        coloured
    } else {
        emoji.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_are_typed_in_many_ways() {
        for (word, expected) in [
            ("👍", "👍"),
            ("+1", "👍"),
            (":+1:", "👍"),
            ("：heart：", "❤️"),
            ("tada", "🎉"),
            ("赞", "👍"),
            ("点赞", "👍"),
            ("加油", "💪"),
            ("怒", "😡"),
            ("握手", "🤝"),
            ("👩‍👩‍👧", "👩‍👩‍👧"),
            ("🇨🇳", "🇨🇳"),
            // One form of those that look alike, each of which the server takes.
            ("❤", "❤\u{fe0f}"),
            ("❤\u{fe0f}", "❤\u{fe0f}"),
            ("❤\u{fe0e}", "❤\u{fe0f}"),
            ("☺", "☺\u{fe0f}"),
            ("👍\u{fe0f}", "👍"),
            ("👍🏽", "👍🏽"),
            ("☝\u{fe0f}🏽", "☝🏽"),
            ("👩\u{200d}❤\u{200d}👨", "👩\u{200d}❤\u{fe0f}\u{200d}👨"),
            ("🏳\u{200d}🌈", "🏳\u{fe0f}\u{200d}🌈"),
            ("1\u{20e3}", "1\u{fe0f}\u{20e3}"),
            ("㊙", "㊙\u{fe0f}"),
            ("🏽", "🏽"),
        ] {
            assert!(is_emoji(expected), "{expected}");
            assert_eq!(emoji(word).as_deref(), Some(expected), "{word}");
        }
        for word in ["", "hello", "7", "你好", "!", "a👍"] {
            assert_eq!(emoji(word), None, "{word}");
        }
    }
}
