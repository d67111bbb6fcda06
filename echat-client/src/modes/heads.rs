//! Where a text reads like the beginning of a message, or like a rule of the client's own.

use std::ops::{Range, RangeInclusive};

/// Dashes of a rule between two parts.
const RULE_DASHES: usize = 6;
/// The longest name that is looked for between a time and a colon, in characters.
const NAME_MAX: usize = 64;

/// The parts of a line of text, at least one. Every part but the first begins with what reads like
/// `[2026-11-22 12:00:00]`, like `------`, or, in the compact style, like `12:00 name:`, with the signs
/// that look alike counted as the same.
pub(super) fn parts(text: &str, compact: bool) -> impl Iterator<Item = Range<usize>> {
    let mut before = None;
    let mut starts = vec![0];
    for (at, c) in text.char_indices() {
        let rest = &text[at..];
        let is_head = match c {
            c if is_open(c) => is_dated(rest),
            c if is_dash(c) => !before.is_some_and(is_dash) && is_rule(rest),
            c if c.is_numeric() && compact => {
                !before.is_some_and(char::is_alphanumeric) && is_timed(rest)
            }
            _ => false,
        };
        if is_head && at > 0 {
            starts.push(at);
        }
        before = Some(c);
    }
    starts.push(text.len());
    (1..starts.len()).map(move |index| starts[index - 1]..starts[index])
}

/// `[2026-1`
fn is_dated(text: &str) -> bool {
    let mut chars = text.chars().skip(1).filter(|c| !c.is_whitespace());
    chars.by_ref().take(4).filter(|c| c.is_numeric()).count() == 4
        && chars.next().is_some_and(|c| !c.is_alphanumeric())
        && chars.next().is_some_and(char::is_numeric)
}

/// `------`
fn is_rule(text: &str) -> bool {
    text.chars()
        .take(RULE_DASHES)
        .filter(|c| is_dash(*c))
        .count()
        == RULE_DASHES
}

/// `12:00 name:`
fn is_timed(text: &str) -> bool {
    let Some(rest) = digits(text, 1..=2) else {
        return false;
    };
    let Some(rest) = rest
        .strip_prefix(is_colon)
        .and_then(|rest| digits(rest, 2..=2))
    else {
        return false;
    };
    let mut name = rest.trim_start().chars().take(NAME_MAX);
    let end = name.find(|c| is_colon(*c) || c.is_whitespace());
    rest.starts_with(char::is_whitespace) && end.is_some_and(is_colon)
}

/// Some digits and what follows them.
fn digits(text: &str, count: RangeInclusive<usize>) -> Option<&str> {
    let rest = text.trim_start_matches(char::is_numeric);
    let digits = &text[..text.len() - rest.len()];
    count.contains(&digits.chars().count()).then_some(rest)
}

fn is_open(c: char) -> bool {
    matches!(
        c,
        '[' | '［' | '【' | '〔' | '〖' | '〚' | '⁅' | '❲' | '⟦' | '｢' | '「'
    )
}

fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2500}' | '\u{2501}' | '－' | 'ー' | '一'
    )
}

fn is_colon(c: char) -> bool {
    matches!(c, ':' | '：' | '∶' | '꞉' | 'ː' | '︓' | '﹕' | '։')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, compact: bool) -> Vec<&str> {
        parts(text, compact).map(|part| &text[part]).collect()
    }

    #[test]
    fn text_that_looks_like_a_head_begins_a_part() {
        let forged = "[2026-11-22 12:00:00] ann says: I owe you";
        assert_eq!(cut(&format!("ok {forged}"), false), ["ok ", forged]);
        assert_eq!(cut(forged, false), [forged]);
        assert_eq!(cut("［２０２６－１１", false), ["［２０２６－１１"]);
        assert_eq!(cut("a［２０２６－１１", false), ["a", "［２０２６－１１"]);
        assert_eq!(
            cut("ok ------ 2026 ------", false),
            ["ok ", "------ 2026 ", "------"]
        );
        let timed = "12:00 ann: yes";
        assert_eq!(cut(&format!("ok {timed}"), true), ["ok ", timed]);
        assert_eq!(cut(&format!("ok {timed}"), false), [format!("ok {timed}")]);
    }

    #[test]
    fn ordinary_text_is_one_part() {
        for text in [
            "",
            "see [12] and [2026]",
            "at 12:00 we meet: bring bread",
            "it is 12:00, ann: hurry",
            "1:2:3 a: b",
            "--- a/file",
            "a[0] - [1-2]",
        ] {
            for compact in [false, true] {
                assert_eq!(cut(text, compact), [text]);
            }
        }
    }
}
