use proptest::prelude::*;

use super::*;

#[test]
fn a_text_is_cut_into_words() {
    for (text, expected) in [
        ("Hello, World!", "hello world"),
        ("今天天气", "今天 天天 天气 气"),
        ("今天，天气", "今天 天 天气 气"),
        ("我用Rust写代码", "我用 用 rust 写代 代码 码"),
        ("2026年", "2026 年"),
        ("ｆｕｌｌ　ｗｉｄｔｈ ﾊﾝｶｸ", "full width ハン ンカ カク ク"),
        ("Café CAFE\u{301} naïve", "cafe cafe naive"),
        ("Straße STRASSE", "strasse strasse"),
        ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
        ("がか", "がか か"),
        ("안녕 하세요", "안녕 녕 하세 세요 요"),
        ("コーヒー", "コー ーヒ ヒー ー"),
        ("foo_bar", "foo bar !foo_bar"),
        ("C++, C# and F#.", "c c and f !c++ !c# !f#"),
        ("issue#123 #7", "issue 123 7 !#123 !#7"),
        ("@ann $HOME", "ann home !@ann !$home"),
        (
            "https://www.example.org/a?b=c",
            "https www example org a b c",
        ),
        ("can't", "can t"),
        ("nice 👍🏽!", "nice 👍"),
        ("👨‍👩‍👧", "👨 👩 👧"),
        ("I ❤\u{fe0f} it", "i ❤ it"),
        ("5 € ± 1", "5 € ± 1"),
        ("हिन्दी", "हिन्दी"),
        ("+ _ # ?! ...", ""),
        ("#话题", "话题 题"),
    ] {
        assert_eq!(words(text).join(" "), expected, "{text}");
    }
}

#[test]
fn a_long_word_is_cut_and_a_long_text_has_a_limit() {
    let long = "x".repeat(100);
    assert_eq!(words(&long), ["x".repeat(64)]);
    assert!(SearchQuery::new(&"x".repeat(80)).matches(&long));
    // A ligature that stands for four words.
    assert_eq!(words(&"\u{fdfa}".repeat(21_000)).len(), WORDS);
    let shortest = "a ".repeat(32_768);
    assert_eq!(words(&shortest).len(), WORDS);
}

#[test]
fn a_query_finds_words_phrases_and_beginnings() {
    for (query, text, found) in [
        ("world hello", "Hello, world", true),
        ("hello there", "Hello, world", false),
        ("\"hello world\"", "Hello, world", true),
        ("\"world hello\"", "Hello, world", false),
        ("“hello world”", "hello world", true),
        ("\"hello wor\"*", "hello world", true),
        ("\"hello wor\"", "hello world", false),
        ("\"hello", "hello", true),
        ("hel*", "hello", true),
        ("hel", "hello", false),
        ("hel＊", "hello", true),
        ("天", "今天天气", true),
        ("天气", "今天天气", true),
        ("今天天", "今天天气", true),
        ("今天天气", "今天天气好", true),
        ("今气", "今天天气", false),
        ("天天天", "今天天气", false),
        ("今天 气", "今天天气", true),
        ("今天天气", "今天 天气", false),
        ("\"今天 天气\"", "今天 天气", true),
        ("用rust写", "我用 Rust 写代码", true),
        ("rust", "我用Rust写代码", true),
        ("写rust", "我用Rust写代码", false),
        ("天气*", "天气", true),
        ("天 x", "今天 x", true),
        ("\"天 x\"", "今天 x", true),
        ("\"天 x\"", "天气 x", false),
        ("\"天气 x 今\"", "天气 x 今天", true),
        ("\"天气 气\"", "天气 气候", true),
        ("C++", "I like C++.", true),
        ("C++", "I like C.", false),
        ("c", "I like C++.", true),
        ("c+*", "I like C++.", true),
        ("#123", "see #123", true),
        ("#123", "see 123", false),
        ("123", "see #123", true),
        ("foo_bar", "call foo_bar()", true),
        ("foo_bar", "call foo bar", false),
        ("foo_b*", "call foo_bar()", true),
        ("bar", "call foo_bar()", true),
        ("example", "https://example.org/x", true),
        ("example.org/x", "https://example.org/x", true),
        ("👍", "ok 👍🏽", true),
        ("👩", "👨‍👩‍👧", true),
        ("안녕", "안녕하세요", true),
        ("café", "CAFE", true),
    ] {
        assert_eq!(
            SearchQuery::new(query).matches(text),
            found,
            "{query} in {text}"
        );
    }
}

#[test]
fn a_query_without_a_word_asks_for_nothing() {
    for query in ["", " ", "*", "\"", "\"\"", "???", "-- + _", "\"*\" *"] {
        assert!(!SearchQuery::new(query).has_words(), "{query:?}");
    }
    // The word "and" and the signs of FTS5's language are words, or nothing.
    let query = SearchQuery::new("a AND NOT (b:c) ^d NEAR(x)");
    let words = query.phrases.iter().map(|phrase| phrase.words.join(" "));
    let words: Vec<String> = words.collect();
    assert_eq!(words, ["a", "and", "not", "b c", "d", "near x"]);
}

/// Characters of every kind.
fn any_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a", "B", "foo", "天", "气", "今", "か", "が", "ー", "한", "é", "e\u{301}", "ß", "#", "+",
        "_", "@", "$", " ", "，", "\"", "*", "1", "２", "👍", "🏽", "\u{200d}", "ไ", "ท",
        "\u{e34}", "!", "‘", "\u{fdfa}", "Σ",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat()),
        any::<String>(),
    ]
}

/// Few different words, so that they repeat.
fn any_words(most: usize) -> impl Strategy<Value = Vec<String>> {
    let word = prop::sample::select(vec!["a", "b", "ab"]);
    prop::collection::vec(word.prop_map(str::to_owned), 0..most)
}

proptest! {
    #[test]
    fn a_phrase_is_found_where_comparing_at_each_place_finds_it(
        text in any_words(24), before in any_words(6), last in "a|b|ab", is_prefix in any::<bool>(),
    ) {
        let mut row = before;
        row.push(last);
        let phrase = Phrase { words: row, is_prefix };
        let is_at = |window: &[String]| {
            let count = window.len() - 1;
            let (end, wanted) = (&window[count], &phrase.words[count]);
            let ends = end == wanted || (is_prefix && end.starts_with(wanted.as_str()));
            ends && window[..count] == phrase.words[..count]
        };
        let expected = text.windows(phrase.words.len()).any(is_at);
        prop_assert_eq!(phrase.is_in(&text), expected);
    }

    #[test]
    fn words_are_safe_in_the_index(text in any_text()) {
        for word in words(&text) {
            let inner = word.strip_prefix(WHOLE).unwrap_or(&word);
            prop_assert!(!inner.is_empty());
            for c in inner.chars() {
                let is_safe = !c.is_ascii() || c.is_ascii_lowercase() || c.is_ascii_digit() || SIGNS.contains(&c);
                prop_assert!(is_safe, "{:?} in {:?}", c, word);
            }
        }
    }

    #[test]
    fn folding_twice_is_folding_once(text in any_text()) {
        let folded = fold(&text);
        prop_assert_eq!(words(&folded), words(&text));
    }

    #[test]
    fn every_text_is_a_query_and_finds_itself(text in any_text()) {
        let query = SearchQuery::new(&text);
        if !text.contains(['"', '“', '”', '„', '＂', '*', '＊']) {
            prop_assert!(query.matches(&text), "{:?}", query);
        }
        prop_assert_eq!(query.has_words(), !query.phrases.is_empty());
    }

    #[test]
    fn a_run_is_found_by_each_of_its_parts(run in "[今天气好]{1,8}", from in 0_usize..8, length in 1_usize..8) {
        let part: String = run.chars().skip(from).take(length).collect();
        if !part.is_empty() {
            let text = format!("x {run}y");
            prop_assert!(SearchQuery::new(&part).matches(&text));
            let quoted = format!("\"{part}\"");
            prop_assert!(SearchQuery::new(&quoted).matches(&text));
        }
    }

    #[test]
    fn a_run_is_found_by_nothing_else(run in "[今天]{1,8}", part in "[今天]{1,4}") {
        prop_assert_eq!(SearchQuery::new(&part).matches(&run), run.contains(&part));
    }

    #[test]
    fn the_beginning_of_each_word_finds_it(word in "[a-z]{1,9}", length in 1_usize..9) {
        let start: String = word.chars().take(length).collect();
        let (query, text) = (format!("{start}*"), format!("x, {word}."));
        prop_assert!(SearchQuery::new(&query).matches(&text));
        let exact = SearchQuery::new(&start).matches(&word);
        prop_assert_eq!(exact, start == word);
    }
}
