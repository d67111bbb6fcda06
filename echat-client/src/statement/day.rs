//! Days as people type them: `2026-01-31`, `2026年1月31日`, `yesterday`, `三天前`, `3d`.

use jiff::ToSpan;
use jiff::civil::Date;

use super::{ascii_form, duration};

/// Words for days, with how many days they lie back. Days to come are read, so that they can be told from words that
/// name none.
const WORDS: &[(&str, i64)] = &[
    ("today", 0),
    ("yesterday", 1),
    ("今天", 0),
    ("今日", 0),
    ("昨天", 1),
    ("昨日", 1),
    ("前天", 2),
    ("大前天", 3),
    ("tomorrow", -1),
    ("明天", -1),
    ("明日", -1),
    ("后天", -2),
    ("大后天", -3),
];
/// Words behind a number of days, with the days of one.
const BACK: &[(&str, i64)] = &[
    ("d", 1),
    ("day", 1),
    ("days", 1),
    ("w", 7),
    ("week", 7),
    ("weeks", 7),
    ("天", 1),
    ("天前", 1),
    ("日前", 1),
    ("周", 7),
    ("周前", 7),
    ("个星期前", 7),
];

/// The day that a text names, seen from `today`; `None` if it names none.
pub fn day(text: &str, today: Date) -> Option<Date> {
    let text: String = text.trim().chars().map(ascii_form).collect();
    let text = text.to_lowercase();
    if let Some((_, days)) = WORDS.iter().find(|(word, _)| *word == text) {
        return today.checked_sub(days.days()).ok();
    }
    let bare = text.strip_suffix("ago").unwrap_or(&text).trim();
    let end = bare
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(bare.len());
    let in_digits = || Some((bare[..end].parse::<i64>().ok()?, &bare[end..]));
    let in_han = || {
        let (count, unit) = duration::han_number(bare)?;
        Some((i64::try_from(count).ok()?, unit))
    };
    let counted = in_digits().or_else(in_han);
    let back = |(count, unit): (i64, &str)| {
        let (_, days) = BACK.iter().find(|(word, _)| *word == unit.trim())?;
        Some((count, days))
    };
    if let Some((count, days)) = counted.and_then(back) {
        // A longer time than a calendar has is none.
        let count = Some(count).filter(|count| *count <= 100_000)?;
        return today.checked_sub((days * count).days()).ok();
    }
    of_calendar(&text, today)
}

/// `2026-01-31`, `2026/1/31`, `2026.1.31`, `20260131`, `2026年1月31日`, and without a year the last such day.
fn of_calendar(text: &str, today: Date) -> Option<Date> {
    let is_digit = |c: char| c.is_ascii_digit();
    let separators: String = text.chars().filter(|c| !is_digit(*c)).collect();
    let numbers: Option<Vec<i16>> = text
        .split(|c| !is_digit(c))
        .filter(|digits| !digits.is_empty())
        .map(|digits| {
            digits
                .parse()
                .ok()
                .or_else(|| (digits.len() == 8).then_some(-1))
        })
        .collect();
    let date = |year: i16, month: i16, day: i16| {
        Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    };
    match (separators.as_str(), numbers?.as_slice()) {
        ("--" | "//" | ".." | "年月日" | "年月" | "年月号", [year, month, day])
            if *year >= 1_000 =>
        {
            date(*year, *month, *day)
        }
        ("-" | "/" | "月日" | "月" | "月号", [month, day]) => {
            let this_year = date(today.year(), *month, *day);
            let is_past = |date: &Date| *date <= today;
            this_year
                .filter(is_past)
                .or_else(|| date(today.year() - 1, *month, *day))
        }
        ("", [-1]) => date(
            text.get(..4)?.parse().ok()?,
            text.get(4..6)?.parse().ok()?,
            text.get(6..)?.parse().ok()?,
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_people_type_them() {
        let today = Date::constant(2026, 3, 1);
        for (text, expected) in [
            ("2026-01-31", "2026-01-31"),
            ("2026/1/31", "2026-01-31"),
            ("2026.1.31", "2026-01-31"),
            ("20260131", "2026-01-31"),
            ("2026年1月31日", "2026-01-31"),
            ("２０２６－０１－３１", "2026-01-31"),
            ("1月31日", "2026-01-31"),
            ("3月2日", "2025-03-02"),
            ("3-1", "2026-03-01"),
            ("today", "2026-03-01"),
            ("Yesterday", "2026-02-28"),
            ("昨天", "2026-02-28"),
            ("前天", "2026-02-27"),
            ("明天", "2026-03-02"),
            ("3d", "2026-02-26"),
            ("3 days ago", "2026-02-26"),
            ("2w", "2026-02-15"),
            ("3天前", "2026-02-26"),
            ("三天前", "2026-02-26"),
            ("两周前", "2026-02-15"),
            ("十天前", "2026-02-19"),
        ] {
            let read = day(text, today).map(|date| date.to_string());
            assert_eq!(read.as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "2026",
            "2026-02-30",
            "2026-13-01",
            "soon",
            "d",
            "99999999999d",
            "1-2-3",
            "99999-01-01",
            "2026-01-31x",
            "-31",
            "20261301",
        ] {
            assert_eq!(day(text, today), None, "{text}");
        }
    }
}
