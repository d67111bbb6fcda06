//! Keys in, a line and a cursor out.

mod property;

use super::*;

/// Keys written as words: a letter or a text types itself, `C-x` and `M-x` are chords.
fn keys(words: &str) -> Vec<Key> {
    words.split(' ').flat_map(key).collect()
}

fn key(word: &str) -> Vec<Key> {
    let last = |word: &str| word.chars().next_back().expect("a chord has a letter");
    vec![match word {
        "ENTER" => Key::Enter,
        "TAB" => Key::Tab,
        "SPACE" => Key::Char(' '),
        "BS" => Key::Backspace,
        "DEL" => Key::Delete,
        "LEFT" => Key::Left,
        "RIGHT" => Key::Right,
        "UP" => Key::Up,
        "DOWN" => Key::Down,
        "HOME" => Key::Home,
        "END" => Key::End,
        "ESC" => Key::Esc,
        "M-BS" => Key::Alt('\u{7f}'),
        "M-ENTER" => Key::Alt('\r'),
        _ if word.starts_with("C-") => Key::Ctrl(last(word)),
        _ if word.starts_with("M-") => Key::Alt(last(word)),
        _ => return word.chars().map(Key::Char).collect(),
    }]
}

fn press(editor: &mut LineEditor, words: &str) -> KeyOutcome {
    keys(words)
        .into_iter()
        .map(|key| editor.handle(key))
        .last()
        .expect("a test presses keys")
}

/// The line with `|` for the cursor.
fn picture(editor: &LineEditor) -> String {
    let (left, right) = editor.text().split_at(editor.cursor());
    format!("{left}|{right}")
}

#[test]
fn every_key_has_its_effect() {
    let cases = [
        ("abc", "abc|"),
        ("abc LEFT C-b x", "ax|bc"),
        ("abc HOME RIGHT C-f x", "abx|c"),
        ("abc C-a x C-e y", "xabcy|"),
        ("abc BS C-h", "a|"),
        ("abc HOME DEL C-d", "|c"),
        ("abc LEFT C-k", "ab|"),
        ("abc LEFT C-u", "|c"),
        ("abc LEFT C-u END C-y", "cab|"),
        ("one SPACE two SPACE C-w", "one |"),
        ("one SPACE two C-w C-w C-y", "one two|"),
        ("one-two M-BS", "one-|"),
        ("one SPACE two M-b M-b x", "x|one two"),
        ("one SPACE two C-a M-f x", "onex| two"),
        ("one SPACE two C-a M-d", "| two"),
        ("abc C-t", "acb|"),
        ("abc LEFT C-t", "acb|"),
        ("abc C-a C-t", "|abc"),
        ("abc C-u C-_", "abc|"),
        ("ab SPACE cd C-_", "ab |"),
        ("ab SPACE cd C-_ C-_ C-_", "|"),
        ("ab C-x M-z ESC", "ab|"),
        ("abc C-a C-k C-y C-y", "abcabc|"),
        ("one SPACE two LEFT C-w", "one |o"),
        ("one SPACE two C-a M-d C-e M-BS C-y", " two|"),
        ("one SPACE two HOME END LEFT DEL", "one tw|"),
        ("abc C-a C-b BS C-h C-w C-u M-b M-BS", "|abc"),
        ("abc C-f DEL C-d C-k M-f M-d", "abc|"),
        ("a C-t", "a|"),
        ("one M-ENTER two BS", "one\ntw|"),
        ("one M-ENTER two C-a x", "x|one\ntwo"),
        ("one M-ENTER M-ENTER BS BS BS", "on|"),
        ("one M-ENTER two M-b M-b M-f", "one|\ntwo"),
        ("one M-ENTER two C-w", "one\n|"),
        ("one M-ENTER two C-_", "one\n|"),
        ("one M-ENTER C-_", "one|"),
    ];
    for (words, shown) in cases {
        let mut editor = LineEditor::new();
        press(&mut editor, words);
        assert_eq!(picture(&editor), shown, "{words}");
    }
}

#[test]
fn grapheme_clusters_stay_whole() {
    let cases = [
        ("你好 BS", "你|"),
        ("你好 LEFT x", "你x|好"),
        ("你好吗 M-b", "你好|吗"),
        ("e\u{301}a LEFT LEFT x", "x|e\u{301}a"),
        ("e\u{301} BS", "|"),
        ("a👍🏽 BS", "a|"),
        ("👩\u{200d}👩\u{200d}👧b LEFT LEFT DEL", "|b"),
        ("🇨🇳🇩🇪 BS", "🇨🇳|"),
        ("🇨🇳🇩🇪 C-t", "🇩🇪🇨🇳|"),
        ("你好 LEFT C-k C-y C-y", "你好好|"),
        ("e\u{301}你 C-a DEL", "|你"),
        ("e\u{301}👍🏽 LEFT C-u", "|👍🏽"),
        ("你好 C-a C-f C-d", "你|"),
        ("1\u{fe0f}\u{20e3}❤\u{fe0f} BS BS", "|"),
        ("ab LEFT \u{301} x", "a\u{301}x|b"),
        ("你好，世界 M-b", "你好，世|界"),
        ("你好，世界 M-b M-b M-b", "你|好，世界"),
        ("你好 SPACE 世界 C-w", "你好 |"),
        ("你好\u{3000}世界 C-w C-y", "你好\u{3000}世界|"),
        ("👩\u{200d}👩\u{200d}👧你 C-a M-d", "|"),
        ("👍🏽 M-ENTER 👍🏽 LEFT BS", "👍🏽|👍🏽"),
    ];
    for (words, shown) in cases {
        let mut editor = LineEditor::new();
        press(&mut editor, words);
        assert_eq!(picture(&editor), shown, "{words}");
    }
}

#[test]
fn keys_for_the_caller_are_returned() {
    let mut editor = LineEditor::new();
    assert_eq!(editor.handle(Key::Ctrl('d')), KeyOutcome::EndOfInput);
    press(&mut editor, "ab");
    assert_eq!(editor.handle(Key::Ctrl('d')), KeyOutcome::None);
    assert_eq!(editor.handle(Key::Tab), KeyOutcome::Complete);
    assert_eq!(editor.handle(Key::BackTab), KeyOutcome::CompletePrevious);
    assert_eq!(editor.handle(Key::Ctrl('l')), KeyOutcome::ClearScreen);
    assert_eq!(editor.handle(Key::Ctrl('c')), KeyOutcome::Interrupt);
    assert_eq!(picture(&editor), "ab|");
    assert_eq!(editor.handle(Key::Enter), KeyOutcome::Submit("ab".into()));
    assert_eq!(picture(&editor), "|");
}

#[test]
fn each_bucket_has_its_history() {
    let mut editor = LineEditor::new();
    editor.use_history("chat");
    press(&mut editor, "one ENTER two ENTER two ENTER SPACE ENTER");
    press(&mut editor, "draft UP");
    assert_eq!(picture(&editor), "two|");
    press(&mut editor, "UP UP UP");
    assert_eq!(picture(&editor), "one|");
    press(&mut editor, "DOWN DOWN DOWN");
    assert_eq!(picture(&editor), "draft|");
    editor.use_history("command");
    assert_eq!(press(&mut editor, "UP"), KeyOutcome::None);
}

#[test]
fn a_draft_outlives_the_edit_of_a_recalled_line() {
    for recall in [
        "UP",
        "C-p",
        "UP UP",
        "C-r on C-e",
        "C-r tw LEFT",
        "UP C-r on C-e",
    ] {
        for edit in ["x", "BS", "C-u", "LEFT DEL"] {
            let recalled = || {
                let mut editor = LineEditor::new();
                press(&mut editor, "one ENTER two ENTER a SPACE draft LEFT");
                press(&mut editor, recall);
                press(&mut editor, edit);
                editor
            };
            let mut editor = recalled();
            press(&mut editor, "C-_ C-_");
            assert_eq!(picture(&editor), "a draf|t", "{recall} {edit}");
            // It is the line again: below it stands none.
            assert_eq!(press(&mut editor, "DOWN"), KeyOutcome::None);
            let mut editor = recalled();
            let edited = picture(&editor);
            press(&mut editor, "DOWN");
            assert_eq!(picture(&editor), "a draft|", "{recall} {edit}");
            press(&mut editor, "C-_");
            assert_eq!(picture(&editor), edited, "{recall} {edit}");
        }
    }
}

#[test]
fn a_draft_outlives_the_line_that_is_sent_in_its_place() {
    for recall in ["UP", "UP x", "C-r tw", "C-r tw LEFT x", "UP C-r on"] {
        let mut editor = LineEditor::new();
        press(&mut editor, "one ENTER two ENTER draft");
        press(&mut editor, recall);
        press(&mut editor, "ENTER");
        assert_eq!(picture(&editor), "|", "{recall}");
        press(&mut editor, "other ENTER DOWN");
        assert_eq!(picture(&editor), "draft|", "{recall}");
        assert_eq!(press(&mut editor, "DOWN"), KeyOutcome::None, "{recall}");
        // It was shown, and with that it is the line.
        press(&mut editor, "ENTER");
        assert_eq!(press(&mut editor, "DOWN"), KeyOutcome::None, "{recall}");
    }
    // It is sent without being shown.
    for sent in [
        "one ENTER draft UP ENTER draft ENTER",
        "one ENTER one UP ENTER",
    ] {
        let mut editor = LineEditor::new();
        press(&mut editor, sent);
        assert_eq!(press(&mut editor, "DOWN"), KeyOutcome::None, "{sent}");
    }
    // A line of the history is a draft like others.
    let mut editor = LineEditor::new();
    press(&mut editor, "one ENTER two ENTER one UP x DOWN");
    assert_eq!(picture(&editor), "one|");
}

#[test]
fn a_second_draft_makes_the_first_one_a_line_of_the_history() {
    for keys in [
        "one ENTER two ENTER first UP x UP ENTER",
        "one ENTER two ENTER first UP ENTER second UP ENTER",
    ] {
        let mut editor = LineEditor::new();
        press(&mut editor, keys);
        let mut seen = Vec::new();
        for _ in 0..5 {
            press(&mut editor, "UP");
            seen.push(picture(&editor));
        }
        assert!(seen.contains(&"first|".to_owned()), "{keys}: {seen:?}");
    }
}

#[test]
fn undo_forgets_only_the_draft_that_it_brings_back() {
    for recall in ["UP", "C-r tw C-e"] {
        let mut editor = LineEditor::new();
        press(&mut editor, "one ENTER two ENTER draft");
        press(&mut editor, recall);
        press(&mut editor, "x C-_");
        assert_eq!(picture(&editor), "two|", "{recall}");
        press(&mut editor, "DOWN");
        assert_eq!(picture(&editor), "draft|", "{recall}");
    }
    // Undo of a change that has nothing to do with it.
    let mut editor = LineEditor::new();
    press(&mut editor, "one ENTER draft UP ENTER new C-_ DOWN");
    assert_eq!(picture(&editor), "draft|");
}

#[test]
fn a_draft_changes_places_with_what_was_typed_since() {
    let mut editor = LineEditor::new();
    press(&mut editor, "one ENTER draft UP ENTER new DOWN");
    assert_eq!(picture(&editor), "draft|");
    press(&mut editor, "DOWN");
    assert_eq!(picture(&editor), "new|");
    press(&mut editor, "DOWN C-_");
    assert_eq!(picture(&editor), "new|");
    press(&mut editor, "DOWN");
    assert_eq!(picture(&editor), "draft|");
}

#[test]
fn a_draft_with_a_text_that_is_forgotten_goes_too() {
    for recall in ["UP", "UP x", "C-r on", "C-r on LEFT", "UP ENTER"] {
        let mut editor = LineEditor::new();
        press(&mut editor, "one ENTER secret");
        press(&mut editor, recall);
        editor.forget_text("secret", |line| line == "secret");
        press(&mut editor, "DOWN");
        assert!(!editor.text().contains("secret"), "{recall}");
        press(&mut editor, "C-g C-_ C-_ C-_");
        assert!(!editor.text().contains("secret"), "{recall}");
    }
}

#[test]
fn a_draft_outlives_a_line_that_is_forgotten() {
    let forget =
        |editor: &mut LineEditor, line: &str| editor.forget_text(line, |sent| sent == line);
    for (recall, back) in [
        ("UP", "DOWN"),
        ("C-r t", "C-g"),
        ("UP x", "DOWN"),
        ("UP UP UP", "DOWN DOWN DOWN"),
    ] {
        for gone in ["one", "two", "three"] {
            let mut editor = LineEditor::new();
            press(&mut editor, "one ENTER two ENTER three ENTER draft");
            press(&mut editor, recall);
            forget(&mut editor, gone);
            if editor.text() != "draft" {
                press(&mut editor, back);
            }
            assert_eq!(picture(&editor), "draft|", "{recall}, without {gone}");
        }
    }
    // The walk goes on from the line that it shows.
    let mut editor = LineEditor::new();
    press(&mut editor, "one ENTER two ENTER three ENTER draft UP UP");
    forget(&mut editor, "one");
    assert_eq!(picture(&editor), "two|");
    press(&mut editor, "UP");
    assert_eq!(picture(&editor), "two|");
    press(&mut editor, "DOWN");
    assert_eq!(picture(&editor), "three|");
}

#[test]
fn a_history_is_bounded() {
    let mut editor = LineEditor::new();
    for n in 0..1_005 {
        editor.set(&n.to_string(), 0);
        editor.handle(Key::Enter);
    }
    for _ in 0..2_000 {
        editor.handle(Key::Up);
    }
    assert_eq!(editor.text(), "5");
}

#[test]
fn the_history_is_searched_backwards() {
    let mut editor = LineEditor::new();
    press(&mut editor, "apple ENTER banana ENTER apricot ENTER draft");
    press(&mut editor, "C-r ap");
    assert_eq!(editor.search(), Some("ap"));
    assert_eq!(picture(&editor), "|apricot");
    press(&mut editor, "p");
    assert_eq!(picture(&editor), "|apple");
    press(&mut editor, "BS C-r");
    assert_eq!(picture(&editor), "|apple");
    press(&mut editor, "C-s");
    assert_eq!(picture(&editor), "|apricot");
    press(&mut editor, "C-g");
    assert_eq!(
        (picture(&editor).as_str(), editor.search()),
        ("draft|", None)
    );

    press(&mut editor, "C-r ban C-e");
    assert_eq!(
        (picture(&editor).as_str(), editor.search()),
        ("banana|", None)
    );
    press(&mut editor, "C-r app");
    assert_eq!(
        editor.handle(Key::Enter),
        KeyOutcome::Submit("apple".into())
    );
}

#[test]
fn a_search_without_a_hit_says_so_and_sends_nothing() {
    let mut editor = LineEditor::new();
    press(&mut editor, "apple ENTER draft C-r");
    assert!(!editor.is_search_failed());
    press(&mut editor, "x");
    assert!(editor.is_search_failed());
    for _ in 0..2 {
        assert_eq!(press(&mut editor, "ENTER"), KeyOutcome::None);
        assert_eq!(editor.search(), Some("x"));
    }
    // A hit after all.
    press(&mut editor, "BS a");
    assert!(!editor.is_search_failed());
    press(&mut editor, "q");
    assert!(editor.is_search_failed());
    for end in ["C-g", "C-c", "ESC"] {
        press(&mut editor, end);
        assert_eq!(picture(&editor), "draft|", "{end}");
        assert!(editor.search().is_none() && !editor.is_search_failed());
        press(&mut editor, "C-r zzz");
        assert!(editor.is_search_failed());
    }
    // Nothing to search in at all.
    let mut editor = LineEditor::new();
    press(&mut editor, "C-r x");
    assert!(editor.is_search_failed());
    assert_eq!(press(&mut editor, "ENTER"), KeyOutcome::None);
}

#[test]
fn a_line_of_several_rows_is_sent_and_recalled_whole() {
    let mut editor = LineEditor::new();
    press(&mut editor, "one M-ENTER two");
    let sent = KeyOutcome::Submit("one\ntwo".into());
    assert_eq!(editor.handle(Key::Enter), sent);
    press(&mut editor, "three ENTER UP UP");
    assert_eq!(picture(&editor), "one\ntwo|");
    press(&mut editor, "DOWN DOWN C-r tw");
    assert_eq!(picture(&editor), "one\n|two");
    assert_eq!(editor.handle(Key::Enter), sent);
    editor.set("one\ntwo\u{1b}", 4);
    assert_eq!(picture(&editor), "one\n|two\u{fffd}");
}

#[test]
fn undo_takes_a_paste_back_at_once() {
    let mut editor = LineEditor::new();
    press(&mut editor, "ab LEFT");
    editor.handle(Key::Paste("one two".into()));
    press(&mut editor, "x C-_");
    assert_eq!(picture(&editor), "aone two|b");
    press(&mut editor, "C-_");
    assert_eq!(picture(&editor), "a|b");
}

#[test]
fn a_password_leaves_nothing_behind() {
    let mut editor = LineEditor::new();
    editor.masked(true);
    assert_eq!(press(&mut editor, "secret TAB"), KeyOutcome::None);
    assert_eq!(press(&mut editor, "M-ENTER"), KeyOutcome::None);
    press(&mut editor, "C-u secret");
    assert_eq!(
        editor.handle(Key::Enter),
        KeyOutcome::Submit("secret".into())
    );
    press(&mut editor, "again");
    editor.masked(false);
    assert_eq!(picture(&editor), "|");
    for word in ["C-y", "C-_", "UP"] {
        assert_eq!(press(&mut editor, word), KeyOutcome::None, "{word}");
    }
    press(&mut editor, "C-r s");
    assert_eq!(editor.text(), "");
}

#[test]
fn a_pasted_password_is_one_line() {
    let mut editor = LineEditor::new();
    editor.masked(true);
    editor.handle(Key::Paste("first\nsecond\n".into()));
    assert_eq!(editor.text(), "first");
    // One that is cut off is still longer than a password may be, in every normal form.
    for _ in 0..2 {
        editor.handle(Key::Paste("\u{1112}\u{1161}\u{11ab}".repeat(10_000).into()));
        let line = editor.text();
        assert!(line.len() <= MASKED_MAX && line.len() > MASKED_MAX - 3);
        let long = Err(echat_proto::names::PasswordError::TooLong);
        assert_eq!(echat_proto::names::Password::new(line).map(|_| ()), long);
    }
}

#[test]
fn a_paste_is_one_line_or_several() {
    let mut editor = LineEditor::new();
    press(&mut editor, "ab LEFT");
    editor.handle(Key::Paste("one\ttwo\u{1b}\r\n".into()));
    assert_eq!(picture(&editor), "aone\ttwo\u{fffd}|b");
    assert_eq!(editor.handle(Key::Paste("\n\n".into())), KeyOutcome::None);
    let lines = editor.handle(Key::Paste("1\r\n2\r\r3\n\n".into()));
    let expected = ["1", "2", "", "3"].map(String::from).to_vec();
    assert_eq!(lines, KeyOutcome::PasteOfLines(expected));
    let long = "x".repeat(LINE_MAX);
    let lines = editor.handle(Key::Paste(long.clone().into()));
    assert_eq!(lines, KeyOutcome::PasteOfLines(vec![long]));
    assert_eq!(picture(&editor), "aone\ttwo\u{fffd}|b");
}

#[test]
fn completion_cycles() {
    let mut editor = LineEditor::new();
    press(&mut editor, "@f SPACE AN");
    let candidates = ["anna", "andrew", "anna"].map(String::from);
    let mut completer = Completer::start(editor.text(), 3..5, candidates.to_vec()).unwrap();
    // In common is only what was typed, and so the first one comes at once.
    for expected in ["anna", "andrew", "anna"] {
        assert!(completer.continues(editor.text(), editor.cursor()));
        let (range, text) = completer.forward();
        editor.replace(range, &text);
        assert_eq!(picture(&editor), format!("@f {expected}|"));
    }
    let (range, text) = completer.backward();
    editor.replace(range, &text);
    assert_eq!(picture(&editor), "@f andrew|");
    press(&mut editor, "x");
    assert!(!completer.continues(editor.text(), editor.cursor()));
}

#[test]
fn completion_first_inserts_the_common_prefix() {
    let candidates = ["room-b", "room-a"].map(String::from).to_vec();
    let mut completer = Completer::start("r", 0..1, candidates).unwrap();
    assert_eq!(completer.forward(), (0..1, "room-".into()));
    assert_eq!(completer.forward(), (0..5, "room-b".into()));
    assert_eq!(completer.forward(), (0..6, "room-a".into()));
    assert_eq!(Completer::start("x", 0..1, vec![]), None);
}
