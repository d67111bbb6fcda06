//! What `/search` looks for: words, and filters as people type them.

use jiff::civil::Date;

use super::complete::fold;
use super::{ascii_form, day};

/// What a filter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    From,
    In,
    Before,
    After,
    On,
    Has,
}

/// The words before the colon of a filter.
const FILTERS: &[(&str, Filter)] = &[
    ("from", Filter::From),
    ("by", Filter::From),
    ("来自", Filter::From),
    ("发送者", Filter::From),
    ("in", Filter::In),
    ("with", Filter::In),
    ("在", Filter::In),
    ("聊天室", Filter::In),
    ("before", Filter::Before),
    ("until", Filter::Before),
    ("之前", Filter::Before),
    ("早于", Filter::Before),
    ("after", Filter::After),
    ("since", Filter::After),
    ("之后", Filter::After),
    ("晚于", Filter::After),
    ("on", Filter::On),
    ("日期", Filter::On),
    ("当天", Filter::On),
    ("has", Filter::Has),
    ("含", Filter::Has),
    ("包含", Filter::Has),
    ("有", Filter::Has),
];

/// What was typed, in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedSearch {
    /// The words, for the server.
    pub words: String,
    /// Which user, as typed.
    pub from: Option<String>,
    /// Which conversation, as typed.
    pub within: Option<String>,
    /// From the beginning of this day on.
    pub since: Option<Date>,
    /// Before the beginning of this day.
    pub before: Option<Date>,
    /// Whether only messages with a link are meant.
    pub has_link: bool,
}

impl ParsedSearch {
    /// All filters count: only what is on this day or later.
    fn begins_on(&mut self, day: Date) {
        self.since = self.since.max(Some(day));
    }

    /// The same of what is before this day.
    fn ends_before(&mut self, day: Date) {
        self.before = Some(self.before.map_or(day, |before| before.min(day)));
    }
}

/// Why a search is not made, with the filter as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterError {
    /// Nothing stands behind the colon.
    Empty(String),
    /// It wants a day, and has none.
    Day(String),
    /// It wants a day up to today, and has one that is still to come.
    Future(String),
    /// It wants the word for a link, and has another one.
    Has(String),
    /// It is there already. The filter is without its value.
    Twice(String),
}

/// Reads a search. Quotes of any form hold a phrase together, in which nothing is a filter.
///
/// # Errors
/// A filter does not have what it wants.
pub fn sift(text: &str, today: Date) -> Result<ParsedSearch, FilterError> {
    let mut sifted = ParsedSearch::default();
    let mut words = Vec::new();
    let mut seen = Vec::new();
    for part in parts(text) {
        let Some((filter, value)) = filter(&part) else {
            words.push(part);
            continue;
        };
        let value = value.trim_matches('"');
        if value.is_empty() {
            return Err(FilterError::Empty(part));
        }
        if seen.contains(&filter) {
            let behind = part.find([':', '：']).map_or(part.len(), |colon| colon);
            return Err(FilterError::Twice(part[..behind].to_owned()));
        }
        seen.push(filter);
        let date = || day::day(value, today).ok_or_else(|| FilterError::Day(part.clone()));
        let past = || {
            let is_past = |date: &Date| *date <= today;
            Some(date()?)
                .filter(is_past)
                .ok_or_else(|| FilterError::Future(value.to_owned()))
        };
        match filter {
            Filter::From => sifted.from = Some(value.trim_start_matches(['@', '＠']).to_owned()),
            Filter::In => sifted.within = Some(value.to_owned()),
            Filter::Before => sifted.ends_before(date()?),
            Filter::After => sifted.begins_on(past()?),
            Filter::On => {
                let date = past()?;
                sifted.begins_on(date);
                if let Ok(next) = date.tomorrow() {
                    sifted.ends_before(next);
                }
            }
            Filter::Has if is_link(value) => sifted.has_link = true,
            Filter::Has => return Err(FilterError::Has(part)),
        }
    }
    // The server finds by words, and this is one of every link.
    if sifted.has_link {
        words.push("http*".to_owned());
    }
    sifted.words = words.join(" ");
    Ok(sifted)
}

fn is_link(value: &str) -> bool {
    let value = value.to_lowercase();
    matches!(
        value.as_str(),
        "link" | "links" | "url" | "链接" | "网址" | "连接"
    )
}

/// The filter that a part of a search is, and its value.
fn filter(part: &str) -> Option<(Filter, &str)> {
    let (word, value) = part.split_once([':', '：'])?;
    let word: String = word.chars().map(ascii_form).collect();
    let word = word.to_lowercase();
    let (_, filter) = FILTERS.iter().find(|(known, _)| *known == word)?;
    Some((*filter, value))
}

/// The parts between blanks. Quotes hold what has blanks, and are ASCII then.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    for c in text.chars() {
        match c {
            '"' | '“' | '”' | '＂' | '「' | '」' => {
                is_quoted = !is_quoted;
                parts.last_mut().expect("there is one").push('"');
            }
            c if c.is_whitespace() && !is_quoted => parts.push(String::new()),
            c => parts.last_mut().expect("there is one").push(c),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The words of a search that are to be found in a text, in the form in which they are compared.
pub fn folded_words(query: &str) -> Vec<String> {
    let phrases = query.split('"').enumerate().flat_map(|(index, part)| {
        if index % 2 == 1 {
            vec![part.trim()]
        } else {
            part.split_whitespace().collect()
        }
    });
    let bare = phrases.map(|word| folded(word.trim_matches('*')));
    bare.filter(|word| !word.is_empty()).collect()
}

/// The form in which found words are compared: case, width and diacritics do not count.
pub fn folded(text: &str) -> String {
    let is_diacritic = |c: &char| matches!(c, '\u{300}'..='\u{36f}');
    fold(text).chars().filter(|c| !is_diacritic(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ParsedSearch {
        sift(text, Date::constant(2026, 3, 1)).unwrap()
    }

    #[test]
    fn filters_are_read_as_people_type_them() {
        let typed = "lunch from:Ann in:room1 before:2026-01-31 after:yesterday has:link menu";
        let english = read(typed);
        let expected = ParsedSearch {
            words: "lunch menu http*".to_owned(),
            from: Some("Ann".to_owned()),
            within: Some("room1".to_owned()),
            since: Some(Date::constant(2026, 2, 28)),
            before: Some(Date::constant(2026, 1, 31)),
            has_link: true,
        };
        assert_eq!(english, expected);
        let chinese = read("午饭 来自：@小明 在：茶馆 之前：2026年1月31日 之后:昨天 含:链接");
        let expected = ParsedSearch {
            words: "午饭 http*".to_owned(),
            from: Some("小明".to_owned()),
            within: Some("茶馆".to_owned()),
            ..expected
        };
        assert_eq!(chinese, expected);
        let day = read("on:2026-01-31");
        assert_eq!(day.since, Some(Date::constant(2026, 1, 31)));
        assert_eq!(day.before, Some(Date::constant(2026, 2, 1)));
        for (typed, since, before) in [
            ("on:2026-01-10 before:2026-01-20", 10, 11),
            ("before:2026-01-20 on:2026-01-10", 10, 11),
            ("on:2026-01-10 after:2026-01-05", 10, 11),
            ("after:2026-01-05 before:2026-01-20", 5, 20),
            // Nothing is in both.
            ("on:2026-01-10 after:2026-01-20", 20, 11),
        ] {
            let day = |day| Some(Date::constant(2026, 1, day));
            let read = read(typed);
            assert_eq!((read.since, read.before), (day(since), day(before)));
        }
        let wide = read("ｆｒｏｍ：ann");
        assert_eq!(wide.from.as_deref(), Some("ann"));
    }

    #[test]
    fn what_is_no_filter_is_a_word() {
        for text in [
            "a:b",
            "https://a.org",
            "\"from:\"",
            "\"has:fun\"",
            "\"from:ann\"",
            "\"a  b\" c",
        ] {
            assert_eq!(read(text).words, text);
            assert_eq!(read(text).from, None);
        }
        assert_eq!(read("“你 好”").words, "\"你 好\"");
        let refused = |text: &str| sift(text, Date::constant(2026, 3, 1)).unwrap_err();
        let filter = |text: &str| text.to_owned();
        assert_eq!(
            refused("x before:soon"),
            FilterError::Day(filter("before:soon"))
        );
        for empty in ["from:", "来自：", "in:", "before:\"\""] {
            assert_eq!(refused(empty), FilterError::Empty(filter(empty)));
        }
        for (twice, word) in [
            ("from:ann from:bob", "from"),
            ("来自:小红 x 发送者：小明", "发送者"),
            ("in:a 在：b", "在"),
            ("before:2026-01-31 before:2026-02-01", "before"),
        ] {
            assert_eq!(refused(twice), FilterError::Twice(filter(word)));
        }
        for other in ["has:foo", "含:图片"] {
            assert_eq!(refused(other), FilterError::Has(filter(other)));
        }
    }

    #[test]
    fn words_are_compared_folded() {
        assert_eq!(folded_words("Café \"A b\" ba* *"), ["cafe", "a b", "ba"]);
    }
}
