//! Rows at every width.

use proptest::prelude::*;

use super::*;

fn line(text: &str) -> Line {
    Line::plain(Safe::text(text))
}

fn texts(rows: &[Row]) -> Vec<String> {
    rows.iter().map(Row::text).collect()
}

#[test]
fn graphemes_are_never_split() {
    assert_eq!(texts(&wrap(&line("你好吗"), 5, 0)), ["你好", "吗"]);
    assert_eq!(texts(&wrap(&line("ab\ncd"), 9, 0)), ["ab", "cd"]);
    assert_eq!(texts(&wrap(&line("a🇨🇳"), 2, 0)), ["a", "🇨🇳"]);
    assert_eq!(texts(&wrap(&line("a你"), 1, 0)), ["a", "?"]);
    assert_eq!(texts(&wrap(&line(""), 0, 0)), [""]);
}

#[test]
fn rows_that_go_on_may_be_indented() {
    let rows = wrap(&line("abcdefgh"), 5, 2);
    assert_eq!(texts(&rows), ["abcde", "  fgh"]);
    assert_eq!(texts(&wrap(&line("abc"), 2, 2)), ["ab", "c"]);
}

#[test]
fn rows_end_between_words() {
    let rows = |text: &str, width| texts(&wrap(&line(text), width, 2));
    assert_eq!(
        rows("the quick brown fox", 10),
        ["the quick ", "  brown ", "  fox"]
    );
    assert_eq!(
        rows("the quick   brown", 9),
        ["the quick", "  brown"],
        "spaces that do not fit"
    );
    assert_eq!(rows("    indented code", 13), ["    indented ", "  code"]);
    assert_eq!(rows("a b\nc", 10), ["a b", "  c"]);
    // A word that is longer than a row is divided where it stands.
    assert_eq!(
        rows("a abcdefghijkl z", 6),
        ["a abcd", "  efgh", "  ijkl", "  z"]
    );
    // Chinese is divided between characters, but no row begins with a closing sign.
    assert_eq!(rows("你好世界", 7), ["你好世", "  界"]);
    assert_eq!(rows("你好世界。", 8), ["你好世", "  界。"]);
    assert_eq!(rows("see 你好吧", 7), ["see 你", "  好吧"]);
}

#[test]
fn a_word_may_lie_in_several_spans() {
    let line = Line::styled(Safe::line("[12:00] "), Style::Dim)
        .with(Safe::line("ann"), Style::Bold)
        .with(Safe::line(": hello there"), Style::Plain);
    assert_eq!(
        texts(&wrap(&line, 14, 2)),
        ["[12:00] ann: ", "  hello there"]
    );
    assert_eq!(
        texts(&wrap(&line, 9, 0)),
        ["[12:00] ", "ann: ", "hello ", "there"]
    );
    let rows = wrap(&line, 9, 0);
    assert_eq!(rows[1].spans()[0].style, Style::Bold);
}

#[test]
fn the_cursor_always_has_a_column() {
    let prompt = Line::styled(Safe::ours("> "), Style::Prompt);
    let laid = prompt_rows(&prompt, "abc", 3, 5, false);
    assert_eq!(texts(&laid.rows), ["> abc", ""]);
    assert_eq!((laid.cursor_row, laid.cursor_col), (1, 0));
    let laid = prompt_rows(&prompt, "a你", 1, 4, false);
    assert_eq!(texts(&laid.rows), ["> a", "你"]);
    assert_eq!((laid.cursor_row, laid.cursor_col), (1, 0));
    let laid = prompt_rows(&prompt, "密码", 3, 80, true);
    assert_eq!(texts(&laid.rows), ["> **"]);
    assert_eq!((laid.cursor_col, laid.cursor_byte), (3, 3));
    let laid = prompt_rows(&prompt, "a\u{202e}b", 4, 80, false);
    assert_eq!(texts(&laid.rows), ["> a<U+202E>b"]);
    assert_eq!(laid.cursor_col, 11);
}

#[test]
fn a_line_is_cut_to_one_row() {
    let cut_to = |text: &str, width| cut(&line(text), width).text();
    assert_eq!(cut_to("hello", 5), "hello");
    assert_eq!(cut_to("hello!", 5), "he...");
    assert_eq!(cut_to("你好吗？", 7), "你好...");
    assert_eq!(cut_to("a\nb", 9), "a...");
    assert_eq!(cut_to("hello", 3), "hel");
    for width in 1..20 {
        let row = cut(&line("你a👍🇨🇳好 and more of it"), width);
        assert!(row.width <= width);
    }
}

#[test]
fn rows_above_a_prompt_move_its_cursor() {
    let prompt = Line::styled(Safe::ours("> "), Style::Prompt);
    let alone = prompt_rows(&prompt, "abcdef", 2, 5, false);
    let above = vec![cut(&line("(pending) one"), 5), cut(&line("two"), 5)];
    let below = alone.clone().below(above);
    assert_eq!(texts(&below.rows), ["(p...", "two", "> abc", "def"]);
    assert_eq!(below.cursor_row, alone.cursor_row + 2);
    assert_eq!(below.cursor_byte, alone.cursor_byte);
}

#[test]
fn a_low_screen_shows_the_rows_around_the_cursor() {
    let text = "0123456789";
    for cursor in 0..=text.len() {
        let whole = prompt_rows(&Line::new(), text, cursor, 2, false);
        let row = whole.rows[whole.cursor_row].clone();
        let window = whole.window(3);
        assert_eq!(window.rows.len(), 3);
        assert_eq!(window.rows[window.cursor_row], row);
    }
}

#[test]
fn a_slash_at_the_end_is_shown() {
    for text in ["/", "either /", "`/"] {
        assert_eq!(texts(&wrap(&line(text), 80, 0)).concat(), text);
    }
}

proptest! {
    #[test]
    fn rows_hold_the_text_and_are_never_too_wide(
        text in prop_oneof![any::<String>(), "[a你👍🇨🇳\u{301}\u{200d}\n ]{0,80}"],
        width in 1usize..200,
    ) {
        let line = line(&text);
        let graphemes: Vec<String> = line.text().graphemes(true)
            .filter(|grapheme| *grapheme != "\n")
            .map(|grapheme| if columns::of_grapheme(grapheme) > width { "?" } else { grapheme })
            .map(str::to_owned)
            .collect();
        let filled = fill(&line, width);
        prop_assert!(filled.iter().all(|row| row.width <= width));
        prop_assert_eq!(texts(&filled).concat(), graphemes.concat());
        let rows = wrap(&line, width, 0);
        prop_assert!(rows.iter().all(|row| row.width <= width));
        let inked = |text: String| text.replace(' ', "");
        prop_assert_eq!(inked(texts(&rows).concat()), inked(graphemes.concat()));
    }

    #[test]
    fn a_word_that_fits_in_a_row_is_in_one(
        words in prop::collection::vec("[a-z]{1,12}|[你好吗]", 1..30),
        width in 1usize..40,
        indent in 0usize..6,
    ) {
        let text = words.join(" ");
        let rows = texts(&wrap(&line(&text), width, indent));
        let room = width - indent.min(width.saturating_sub(2));
        for word in words.iter().filter(|word| columns::of(word) <= room) {
            prop_assert!(rows.iter().any(|row| row.contains(word.as_str())), "{word} in {rows:?}");
        }
    }

    #[test]
    fn a_prompt_fits_and_shows_its_cursor(
        prompt in any::<String>(),
        text in prop_oneof![any::<String>(), "[a你👍🇨🇳\u{301}\u{200d}\t]{0,80}"],
        cursor in any::<prop::sample::Index>(),
        width in 1usize..200,
        masked in any::<bool>(),
    ) {
        let boundaries: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at)
            .chain([text.len()]).collect();
        let cursor = boundaries[cursor.index(boundaries.len())];
        let prompt = Line::plain(Safe::line(&prompt));
        let laid = prompt_rows(&prompt, &text, cursor, width, masked);
        prop_assert!(laid.rows.iter().all(|row| row.width <= width));
        prop_assert!(laid.cursor_col < width);
        let row = laid.rows[laid.cursor_row].text();
        prop_assert!(row.is_char_boundary(laid.cursor_byte));
        // Less only where the prompt's end and the text's start are written as one.
        prop_assert!(columns::of(&row[..laid.cursor_byte]) <= laid.cursor_col);
        if width > 60 && !masked {
            let left: String = texts(&laid.rows[..laid.cursor_row]).concat() + &row[..laid.cursor_byte];
            let typed = Safe::line(&text[..cursor]);
            let expected = prompt.text() + typed.as_str();
            prop_assert_eq!(left, expected);
        }
    }
}

#[test]
fn a_newline_that_is_typed_begins_a_row_and_is_seen() {
    let prompt = Line::styled(Safe::line("> "), Style::Plain);
    let text = |rows: &PromptRows| -> Vec<String> { rows.rows.iter().map(Row::text).collect() };
    for (cursor, place) in [
        (0, (0, 2)),
        (3, (0, 5)),
        (4, (1, 0)),
        (5, (1, 1)),
        (8, (2, 0)),
    ] {
        let rows = prompt_rows(&prompt, "one\ntwo\n", cursor, 20, false);
        assert_eq!(text(&rows), ["> one␊", "two␊", ""], "{cursor}");
        assert_eq!((rows.cursor_row, rows.cursor_col), place, "{cursor}");
    }
}

#[test]
fn a_command_is_not_divided() {
    let rows = |text: &str, width| texts(&wrap(&line(text), width, 2));
    assert_eq!(
        rows("people come by `/invite #shed bob` only", 22),
        ["people come by ", "  `/invite #shed bob` ", "  only"]
    );
    assert_eq!(rows("numbers for /reply", 15), ["numbers for ", "  /reply"]);
    // What is longer than a row is divided between its words.
    assert_eq!(rows("`/away at lunch`", 9), ["`/away at", "  lunch`"]);
}

#[test]
fn the_name_of_a_command_is_never_divided() {
    let rows = |text: &str, width| texts(&wrap(&line(text), width, 2));
    assert_eq!(
        rows("type /delete-account now", 18),
        ["type ", "  /delete-account ", "  now"]
    );
    let list =
        "/kick  /ban  /unban  /op  /deop  /rename-user  /delete-account  /privacy  /mentions";
    for form in [list, "/rename-user <name> <new-name>"] {
        let line = Line::plain(Safe::line("  ")).with(Safe::line(form), Style::Command);
        for width in 20..100 {
            for row in texts(&wrap(&line, width, 4)) {
                let mut known = form.split_whitespace();
                let is_known = |word: &str| known.any(|other| other == word);
                assert!(row.split_whitespace().all(is_known), "{width}: {row}");
            }
        }
    }
}

/// What a shell makes of rows that were copied.
fn joined(rows: &[String]) -> Vec<String> {
    let text = rows.join("\n").replace("\\\n", "");
    text.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn a_command_for_a_shell_is_one_when_its_rows_are_copied() {
    let shell =
        "echat-nc 'echat://chat.example.org:1024/#SHA256:abcdefgh' --user build --token-file FILE";
    let copied = Line::plain(Safe::line("  ")).with(Safe::line(shell), Style::Shell);
    assert_eq!(
        texts(&wrap(&copied, 60, 4)),
        [
            "  echat-nc \\",
            "    'echat://chat.example.org:1024/#SHA256:abcdefgh' \\",
            "    --user build --token-file FILE"
        ]
    );
    for width in 56..100 {
        let rows = wrap(&copied, width, 4);
        assert!(rows.iter().all(|row| row.width <= width), "{width}");
        assert_eq!(joined(&texts(&rows)), [shell], "{width}");
    }
    // The address is longer than a row, and may be divided itself: no other line of the command is one of its own.
    for width in 20..56 {
        let rows = wrap(&copied, width, 4);
        assert!(rows.iter().all(|row| row.width <= width), "{width}");
        let text = texts(&rows).join("\n");
        let (_, behind) = text.rsplit_once('\'').unwrap();
        let inside = behind.lines().rev().skip(1);
        assert!(
            inside.clone().all(|row| row.ends_with(" \\")),
            "{width}: {text}"
        );
    }
}

#[test]
fn a_command_in_a_sentence_is_divided_at_blanks_only() {
    let shell = "echat-nc --user build --token-file FILE";
    let copied = Line::plain(Safe::line("  ")).with(Safe::line(shell), Style::Command);
    assert_eq!(
        texts(&wrap(&copied, 30, 2)),
        ["  echat-nc --user build ", "  --token-file FILE"]
    );
    let quoted = format!("start `{shell}`");
    assert_eq!(
        texts(&wrap(&line(&quoted), 30, 2)),
        ["start `echat-nc --user build ", "  --token-file FILE`"]
    );
}
