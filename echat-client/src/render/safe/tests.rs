//! What is shown of a text, and that nothing else gets through.

use echat_proto::terminal_text;
use proptest::prelude::*;

use super::*;

#[test]
fn ordinary_text_stays_as_it_is() {
    for text in [
        "",
        "hello",
        "你好，世界",
        "e\u{301}",
        "Việt Nam",
        "مرحبا",
        "हिन्दी",
        "한국어",
        "👍🏽",
        "👨\u{200d}👩\u{200d}👧\u{200d}👦",
        "❤\u{fe0f}",
        "🏳\u{fe0f}\u{200d}🌈",
        "1\u{fe0f}\u{20e3}",
        "🇨🇳🇩🇪",
        "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
        "葛\u{e0100}",
    ] {
        assert_eq!(Safe::line(text).as_str(), text);
        assert_eq!(Safe::text(text).as_str(), text);
    }
}

#[test]
fn invisible_characters_are_shown() {
    let cases = [
        ("\u{1b}[2J", "␛[2J"),
        ("\u{1b}]52;c;QQ==\u{7}", "␛]52;c;QQ==␇"),
        ("\u{9b}2J", "<U+009B>2J"),
        ("a\rb\u{7f}", "a␍b␡"),
        ("a\nb\tc", "a␊b␉c"),
        ("bob\u{202e}nimda", "bob<U+202E>nimda"),
        ("a\u{200b}b\u{feff}", "a<U+200B>b<U+FEFF>"),
        ("a\u{200d}b", "a<U+200D>b"),
        ("👍\u{200d}a", "👍<U+200D>a"),
        ("a\u{2028}b\u{2029}", "a<U+2028>b<U+2029>"),
        ("x\u{e0041}", "x<U+E0041>"),
        ("🏴\u{e0041}\u{e007f}", "🏴<U+E0041><U+E007F>"),
        ("a\u{fe0f}", "a<U+FE0F>"),
        ("❤\u{fe0f}\u{fe0f}", "❤\u{fe0f}<U+FE0F>"),
        ("\u{301}a", "◌\u{301}a"),
        ("\u{3164}", "<U+3164>"),
        ("\u{d4e}a", "<U+0D4E>a"),
        ("a\u{1161}", "a<U+1161>"),
        ("\u{1100}\u{1161}\u{11a8}", "\u{1100}\u{1161}\u{11a8}"),
        ("\u{e000}\u{378}", "<U+E000><U+0378>"),
    ];
    for (raw, shown) in cases {
        assert_eq!(Safe::line(raw).as_str(), shown, "{raw:?}");
    }
}

#[test]
fn a_text_keeps_its_newlines_and_its_indentation() {
    let text = Safe::text("fn a() {\n\tb\r\n}");
    assert_eq!(text.as_str(), "fn a() {\n    b␍\n}");
    assert_eq!(text.width(), 8);
    let lines: Vec<Safe> = text.lines().collect();
    assert_eq!(lines[1].as_str(), "    b␍");
}

#[test]
fn stacks_are_cut_and_say_so() {
    let stacked = format!("Z{}!", "\u{300}".repeat(100));
    let shown = format!("Z{}<+96>!", "\u{300}".repeat(4));
    assert_eq!(Safe::line(&stacked).as_str(), shown);

    let family = vec!["👩"; 50].join("\u{200d}");
    assert_eq!(Safe::line(&family).as_str().matches('\u{200d}').count(), 4);
}

#[test]
fn a_hazard_is_shown_only_where_it_belongs() {
    for c in '\0'..=char::MAX {
        let shown = Safe::line(&c.to_string());
        let is_hazard = |c| c != BRAILLE_BLANK && terminal_text::is_hazard(c);
        assert!(!shown.as_str().chars().any(is_hazard), "{c:?}");
    }
}

proptest! {
    #[test]
    fn nothing_hidden_gets_through(raw in any::<String>()) {
        let line = Safe::line(&raw);
        prop_assert!(!line.as_str().chars().any(char::is_control));
        let text = Safe::text(&raw);
        prop_assert!(!text.as_str().chars().any(|c| c.is_control() && c != '\n'));
        prop_assert_eq!(Safe::line(line.as_str()), line);
    }

    #[test]
    fn a_text_is_the_sum_of_its_graphemes(raw in any::<String>()) {
        let apart: String = raw
            .graphemes(true)
            .map(|grapheme| Safe::line(grapheme).to_string())
            .collect();
        prop_assert_eq!(Safe::line(&raw).to_string(), apart);
    }
}
