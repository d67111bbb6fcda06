//! How long something lasts, as people type it: `10m`, `for 2 hours`, `1d12h`, `3天`, `半小时`.

use super::ascii_form;
use crate::text::{Language, Text};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// The units and their seconds.
const UNITS: &[(&str, u64)] = &[
    ("s", 1),
    ("sec", 1),
    ("secs", 1),
    ("second", 1),
    ("seconds", 1),
    ("m", MINUTE),
    ("min", MINUTE),
    ("mins", MINUTE),
    ("minute", MINUTE),
    ("minutes", MINUTE),
    ("h", HOUR),
    ("hr", HOUR),
    ("hrs", HOUR),
    ("hour", HOUR),
    ("hours", HOUR),
    ("d", DAY),
    ("day", DAY),
    ("days", DAY),
    ("w", WEEK),
    ("wk", WEEK),
    ("week", WEEK),
    ("weeks", WEEK),
    ("month", 30 * DAY),
    ("months", 30 * DAY),
    ("y", 365 * DAY),
    ("year", 365 * DAY),
    ("years", 365 * DAY),
];
/// The units in Chinese. They need no space behind them, so a longer one stands before its beginning.
const CHINESE_UNITS: &[(&str, u64)] = &[
    ("秒钟", 1),
    ("秒", 1),
    ("分钟", MINUTE),
    ("分", MINUTE),
    ("个小时", HOUR),
    ("小时", HOUR),
    ("个钟头", HOUR),
    ("天", DAY),
    ("日", DAY),
    ("个星期", WEEK),
    ("星期", WEEK),
    ("周", WEEK),
    ("个月", 30 * DAY),
    ("年", 365 * DAY),
];
/// Chinese durations without a digit.
const CHINESE_HALVES: &[(&str, u64)] = &[
    ("半个小时", HOUR / 2),
    ("半小时", HOUR / 2),
    ("半天", DAY / 2),
];
/// The longest duration, in seconds: 100 years.
const LONGEST: u64 = 100 * 365 * DAY;

/// The seconds of a text that is a duration and nothing else.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let (seconds, behind) = read(text)?;
    behind.trim().is_empty().then_some(seconds)
}

/// Whether a text begins with `for` and a digit, so that a duration is meant.
pub(super) fn is_meant(text: &str) -> bool {
    behind_for(text).is_some_and(|rest| rest.chars().next().is_some_and(|c| digit(c).is_some()))
}

/// A duration at the beginning of a text, in seconds, and what follows.
pub(super) fn read(text: &str) -> Option<(u64, &str)> {
    let mut rest = behind_for(text).unwrap_or(text);
    let mut total: u64 = 0;
    let mut parts = 0;
    while let Some((seconds, behind)) = part(rest) {
        total = total.checked_add(seconds)?;
        parts += 1;
        rest = behind;
    }
    let ends = rest.is_empty() || rest.starts_with(char::is_whitespace) || ends_in_han(text, rest);
    (parts > 0 && ends && (1..=LONGEST).contains(&total)).then(|| (total, rest.trim_start()))
}

/// What follows the word `for`.
fn behind_for(text: &str) -> Option<&str> {
    let end = text.char_indices().nth(3).map(|(end, _)| end)?;
    let (word, rest) = text.split_at(end);
    let is_for = word
        .chars()
        .zip("for".chars())
        .all(|(typed, wanted)| ascii_form(typed).to_ascii_lowercase() == wanted);
    let rest = Some(rest).filter(|_| is_for)?;
    let trimmed = rest.trim_start();
    (trimmed.len() < rest.len()).then_some(trimmed)
}

/// Whether the part of a text before `rest` ends in a Chinese unit, behind which no space is needed.
fn ends_in_han(text: &str, rest: &str) -> bool {
    let before = &text[..text.len() - rest.len()];
    before
        .chars()
        .next_back()
        .is_some_and(|c| !c.is_ascii() && ascii_form(c) == c)
}

/// One number with its unit.
fn part(text: &str) -> Option<(u64, &str)> {
    for (word, seconds) in CHINESE_HALVES {
        if let Some(rest) = text.strip_prefix(word) {
            return Some((*seconds, rest));
        }
    }
    let end = text.find(|c| digit(c).is_none()).unwrap_or(text.len());
    let number = number(&text[..end])?;
    let rest = text[end..].trim_start();
    for (word, seconds) in CHINESE_UNITS {
        if let Some(rest) = rest.strip_prefix(word) {
            return Some((number.checked_mul(*seconds)?, rest));
        }
    }
    let is_letter = |c: char| ascii_form(c).is_ascii_alphabetic();
    let end = rest.find(|c| !is_letter(c)).unwrap_or(rest.len());
    let word: String = rest[..end].chars().map(ascii_form).collect();
    let word = word.to_ascii_lowercase();
    let (_, seconds) = UNITS.iter().find(|(unit, _)| *unit == word)?;
    Some((number.checked_mul(*seconds)?, &rest[end..]))
}

/// A number in digits of any width.
pub(super) fn number(text: &str) -> Option<u64> {
    let digits: Option<String> = text.chars().map(digit).collect();
    digits?.parse().ok()
}

fn digit(c: char) -> Option<char> {
    Some(ascii_form(c)).filter(char::is_ascii_digit)
}

/// The number and the unit that say this many seconds: 600 are 10 minutes.
fn in_units(seconds: u64) -> (u64, char) {
    [(WEEK, 'w'), (DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm')]
        .into_iter()
        .find(|(unit, _)| seconds.is_multiple_of(*unit) && seconds > 0)
        .map_or((seconds, 's'), |(unit, letter)| (seconds / unit, letter))
}

/// The form that [`read`] reads again.
pub(super) fn form(seconds: u64) -> String {
    let (count, unit) = in_units(seconds);
    format!("{count}{unit}")
}

/// A duration in words.
pub fn in_words(seconds: u64, language: Language) -> String {
    let (count, unit) = in_units(seconds);
    language.say(match unit {
        'w' => Text::Weeks { count },
        'd' => Text::Days { count },
        'h' => Text::Hours { count },
        'm' => Text::Minutes { count },
        _ => Text::Seconds { count },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_type_them() {
        for (text, expected, rest) in [
            ("10m", 600, ""),
            ("10m spam", 600, "spam"),
            ("for 2 hours", 7_200, ""),
            ("for 2 hours too loud", 7_200, "too loud"),
            ("For 3d", 259_200, ""),
            ("1w", 604_800, ""),
            ("1d12h x", 129_600, "x"),
            ("１０ｍ", 600, ""),
            ("10分钟", 600, ""),
            ("10 分钟 刷屏", 600, "刷屏"),
            ("2小时", 7_200, ""),
            ("3天", 259_200, ""),
            ("1周刷屏", 604_800, "刷屏"),
            ("半小时", 1_800, ""),
            ("1小时30分", 5_400, ""),
        ] {
            assert_eq!(read(text), Some((expected, rest)), "{text}");
        }
        for text in [
            "",
            "m",
            "3 strikes",
            "2d6 dice",
            "for ever",
            "spam",
            "0m",
            "10",
            "999999999y",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert!(is_meant("for 10x") && !is_meant("for spamming"));
    }

    #[test]
    fn the_form_of_a_duration_is_read_again() {
        for seconds in [1, 59, 60, 90, 600, 3_600, 86_400, 604_800, 129_600] {
            assert_eq!(super::seconds(&form(seconds)), Some(seconds));
        }
        assert_eq!(in_words(600, Language::English), "10 minutes");
        assert_eq!(in_words(86_400, Language::English), "1 day");
        assert_eq!(in_words(604_800, Language::Chinese), "1 周");
    }
}
