//! How long something lasts, as people type it: `10m`, `for 2 hours`, `1d12h`, `3天`, `半小时`.

use super::ascii_form;
use crate::text::{Language, Text};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
/// Seconds of a day.
pub const DAY: u64 = 24 * HOUR;
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
/// Words for numbers, which count only behind `for`. Each is a number of halves of the unit that follows.
const WORDS: &[(&str, u64)] = &[
    ("half an", 1),
    ("half a", 1),
    ("an", 2),
    ("a", 2),
    ("one", 2),
    ("two", 4),
    ("three", 6),
];
/// The longest duration, in seconds: 100 years.
const LONGEST: u64 = 100 * 365 * DAY;

/// The seconds of a text that is a duration and nothing else.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let (seconds, behind) = read(text)?;
    behind.trim().is_empty().then_some(seconds)
}

/// Whether a text begins like a duration, so that it is no other text even if [`read`] finds none in it: with `for`,
/// with a digit, perhaps behind a minus, or with a duration in Chinese that other words follow at once.
pub(super) fn is_meant(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '－']).unwrap_or(text);
    unsigned.chars().next().and_then(digit).is_some()
        || behind_for(text).is_some()
        || part(text).is_some()
}

/// A duration at the beginning of a text, in seconds, and what follows. Behind one in Chinese digits there is a space,
/// since `一天到晚` is none.
pub(super) fn read(text: &str) -> Option<(u64, &str)> {
    let behind_for = behind_for(text);
    let begin = behind_for.unwrap_or(text);
    let in_words = || behind_for.and_then(part_in_words);
    let (mut total, mut rest) = part(begin).or_else(in_words)?;
    while let Some((seconds, behind)) = part(rest) {
        total = total.checked_add(seconds)?;
        rest = behind;
    }
    let is_tight = begin.chars().next().and_then(digit).is_some() && ends_in_han(text, rest);
    let ends = rest.is_empty() || rest.starts_with(char::is_whitespace) || is_tight;
    (ends && (1..=LONGEST).contains(&total)).then(|| (total, rest.trim_start()))
}

/// The word at the beginning of a text that is meant as a duration and is none; `None` without such a word.
pub(super) fn misread(text: &str) -> Option<&str> {
    let begin = behind_for(text).unwrap_or(text);
    begin.split_whitespace().next()
}

/// What follows the word `for`.
fn behind_for(text: &str) -> Option<&str> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let word: String = word.chars().map(ascii_form).collect();
    word.eq_ignore_ascii_case("for").then(|| rest.trim_start())
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
    if let Some(rest) = text.strip_prefix('半') {
        let (unit, rest) = chinese_unit(rest)?;
        return Some((unit / 2, rest));
    }
    let end = text.find(|c| digit(c).is_none()).unwrap_or(text.len());
    let Some(number) = number(&text[..end]) else {
        return part_in_han(text);
    };
    let rest = text[end..].trim_start();
    if let Some((unit, rest)) = chinese_unit(rest) {
        return with_half(number, unit, rest);
    }
    if let Some(rest) = rest.strip_prefix("个半") {
        return and_a_half(number, rest);
    }
    let (unit, rest) = latin_unit(rest)?;
    Some((number.checked_mul(unit)?, rest))
}

/// The same with a number in Chinese digits. `分` alone stands behind others only: `十分` is a word for very.
fn part_in_han(text: &str) -> Option<(u64, &str)> {
    let (number, rest) = han_number(text)?;
    if let Some(rest) = rest.strip_prefix("个半") {
        return and_a_half(number, rest);
    }
    let (unit, behind) = chinese_unit(rest)?;
    let is_word = rest.starts_with('分') && !rest.starts_with("分钟");
    with_half(number, unit, behind).filter(|_| !is_word)
}

/// `an hour`, `half a day`
fn part_in_words(text: &str) -> Option<(u64, &str)> {
    WORDS.iter().find_map(|(words, halves)| {
        let head = text.get(..words.len())?;
        let rest = &text[words.len()..];
        let is_it = head.eq_ignore_ascii_case(words) && rest.starts_with(char::is_whitespace);
        let (unit, rest) = latin_unit(rest.trim_start()).filter(|_| is_it)?;
        Some((unit * halves / 2, rest))
    })
}

/// `两天`, and `两天半` if nothing follows that.
fn with_half(number: u64, unit: u64, rest: &str) -> Option<(u64, &str)> {
    let seconds = number.checked_mul(unit)?;
    let behind = rest.strip_prefix('半');
    let behind = behind.filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    match behind {
        Some(rest) => Some((seconds.checked_add(unit / 2)?, rest)),
        None => Some((seconds, rest)),
    }
}

/// What follows `一个半`.
fn and_a_half(number: u64, text: &str) -> Option<(u64, &str)> {
    let (unit, rest) = chinese_unit(text)?;
    Some((number.checked_mul(unit)?.checked_add(unit / 2)?, rest))
}

/// A unit in Chinese, in seconds.
fn chinese_unit(text: &str) -> Option<(u64, &str)> {
    CHINESE_UNITS
        .iter()
        .find_map(|(word, seconds)| Some((*seconds, text.strip_prefix(word)?)))
}

/// A unit in Latin letters, in seconds.
fn latin_unit(text: &str) -> Option<(u64, &str)> {
    let is_letter = |c: char| ascii_form(c).is_ascii_alphabetic();
    let end = text.find(|c| !is_letter(c)).unwrap_or(text.len());
    let word: String = text[..end].chars().map(ascii_form).collect();
    let word = word.to_ascii_lowercase();
    let (_, seconds) = UNITS.iter().find(|(unit, _)| *unit == word)?;
    Some((*seconds, &text[end..]))
}

/// A number below 1,000 in Chinese digits at the beginning of a text.
pub(super) fn han_number(text: &str) -> Option<(u64, &str)> {
    let (mut total, mut ones, mut end) = (0, None, 0);
    for (at, c) in text.char_indices() {
        let ten = match c {
            '十' => Some(10),
            '百' => Some(100),
            _ => None,
        };
        if let Some(ten) = ten {
            total += ones.take().unwrap_or(1) * ten;
        } else if let Some(digit) = "零一二三四五六七八九".chars().position(|han| han == c)
        {
            ones = Some(digit as u64);
        } else if c == '两' {
            ones = Some(2);
        } else {
            break;
        }
        end = at + c.len_utf8();
    }
    total += ones.unwrap_or(0);
    (total > 0).then(|| (total, &text[end..]))
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
            ("1 小时半", 5_400, ""),
            ("两小时 吵", 7_200, "吵"),
            ("半个小时", 1_800, ""),
            ("半天", 43_200, ""),
            ("一天", 86_400, ""),
            ("一个半小时", 5_400, ""),
            ("2个半小时", 9_000, ""),
            ("两天半", 216_000, ""),
            ("十五分钟", 900, ""),
            ("二十分钟 刷屏", 1_200, "刷屏"),
            ("三个月", 7_776_000, ""),
            ("for an hour", 3_600, ""),
            ("for half a day of noise", 43_200, "of noise"),
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
            "an hour",
            "一天到晚刷屏",
            "十分无礼",
            "一直刷屏",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        for text in [
            "for 10x",
            "for spam",
            "for",
            "2x",
            "-1h",
            "９９z",
            "0m",
            "一天到晚刷屏",
        ] {
            assert!(is_meant(text), "{text}");
        }
        for text in ["forging", "spam", "一直刷屏", "十分无礼", "- rude"] {
            assert!(!is_meant(text), "{text}");
        }
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
