//! Hostile texts through the whole way to a terminal.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::screen::Scene;
use crate::safe::Safe;
use crate::styled::{Line, Style};

/// What each text is made of.
const WEAPONS: [&str; 30] = [
    "\x1b[2J",
    "\x1b[H",
    "\x1b[1A",
    "\x1b[999B",
    "\x1b]0;owned\x07",
    "\x1b]52;c;QQ==\x07",
    "\x1b[?1049h",
    "\x1b[?25l",
    "\x1bc",
    "\x1b[8;5;5t",
    "\x1b(0",
    "\x1bP+q\x1b\\",
    "\u{9b}2J",
    "\u{9d}0;owned\u{9c}",
    "\r",
    "\n",
    "\x08\x08",
    "\x0b",
    "\x0c",
    "\x0e",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{200d}",
    "\u{e0041}",
    "\u{2028}",
    "\u{85}",
    "\u{fe0f}",
    "\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}",
    "\x1b[31m",
];

fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => prop::sample::select(WEAPONS.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[ -~]{0,30}",
        1 => "[你👍🇨👩]{1,4}",
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

/// 10^5 with `ECHAT_LONG` set, else a tenth of that.
fn count() -> usize {
    if std::env::var_os("ECHAT_LONG").is_some() {
        100_000
    } else {
        10_000
    }
}

#[test]
fn no_text_reaches_beyond_its_own_lines() {
    let mut runner = TestRunner::deterministic();
    let texts = hostile();
    let mut scene = Scene::new(30, 8);
    scene.types("half a line 你好", 12);
    let col = scene.place().1;
    let prompt_row = |scene: &Scene| {
        let row = scene.place().0;
        let row = scene
            .terminal
            .screen()
            .rows_formatted(0, 30)
            .nth(row.into());
        row.expect("the cursor is on the screen")
    };
    let prompt = prompt_row(&scene);
    let modes = scene.terminal.screen().input_mode_formatted();
    for _ in 0..count() {
        let text = texts.new_tree(&mut runner).unwrap().current();
        let marker = Line::plain(Safe::ours("marker"));
        let line = Line::styled(Safe::line(&text), Style::Name(3))
            .with(Safe::ours(" says: "), Style::Plain)
            .with(Safe::text(&text), Style::Plain);
        let end = Line::plain(Safe::ours("end"));
        scene.prints(&[marker, line, end]);

        let screen = scene.terminal.screen();
        assert_eq!(scene.place().1, col, "{text:?}");
        assert_eq!(prompt_row(&scene), prompt, "{text:?}");
        let above = usize::from(scene.place().0) - 1;
        assert_eq!(screen.rows(0, 30).nth(above).unwrap(), "end", "{text:?}");
        assert_eq!(screen.input_mode_formatted(), modes, "{text:?}");
        assert!(
            !screen.alternate_screen() && !screen.hide_cursor(),
            "{text:?}"
        );
        assert_eq!(screen.fgcolor(), vt100::Color::Default, "{text:?}");
        assert_eq!(scene.terminal.callbacks().log, [""; 0], "{text:?}");
    }
}

#[test]
fn what_is_pasted_into_the_line_is_as_harmless() {
    let mut runner = TestRunner::deterministic();
    let texts = hostile();
    let mut scene = Scene::new(30, 12);
    scene.prints(&[Line::plain(Safe::ours("above"))]);
    for _ in 0..count() / 10 {
        let text = texts.new_tree(&mut runner).unwrap().current();
        scene.types(&text, text.len());
        scene.types("", 0);
        assert_eq!(scene.terminal.callbacks().log, [""; 0], "{text:?}");
        let rows: Vec<String> = scene.terminal.screen().rows(0, 30).collect();
        let place = scene.place();
        assert_eq!(
            (rows[usize::from(place.0)].trim_end(), place.1),
            ("room>", 6),
            "{text:?}"
        );
    }
}
