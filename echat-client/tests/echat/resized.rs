//! A window that changes its size while a user types: the prompt is whole afterwards.

use echat_client::render::safe::Safe;
use echat_client::render::styled::Line;
use echat_client::render::view::prompt_rows;
use echat_testkit::campaign;
use echat_testkit::terminal::emulator::Emulator;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::server_folder::ServerFolder;

/// What is typed: one column, two, several code points, and a sequence that terminals disagree on.
const KEYS: [&str; 8] = ["a", " ", "你", "好", "é", "👍", "🇨🇳", "e\u{301}"];

/// The prompt's rows stand at the bottom of what is shown, and the cursor in its place.
fn is_whole(screen: &Emulator, typed: &str) -> bool {
    let (cols, rows) = screen.size();
    let width = match cols {
        0..=2 => cols,
        cols => cols - 1,
    };
    let prompt = Line::plain(Safe::ours("command> "));
    let laid = prompt_rows(&prompt, typed, typed.len(), width.into(), false);
    let laid = laid.window(usize::from(rows.saturating_sub(1)));
    let shown = screen.rows();
    let (row, _) = screen.place();
    let Some(start) = row.checked_sub(laid.cursor_row) else {
        return false;
    };
    let whole = shown[start..]
        .iter()
        .zip(&laid.rows)
        .all(|(shown, laid)| shown == laid.text().trim_end());
    let below = &shown[(start + laid.rows.len()).min(shown.len())..];
    whole && below.iter().all(String::is_empty) && row < shown.len()
}

#[test]
fn the_line_stays_whole_at_any_width_while_typing() {
    let folder = ServerFolder::new();
    let mut person = folder.person("C.UTF-8", &[&folder.link()]);
    person.sees("command> ");
    let mut random = StdRng::seed_from_u64(26);
    let mut typed = String::new();
    let sizes = campaign::count("ECHAT_RESIZES", 60);
    let started = echat_client::clock::Clock::start();
    for turn in 0..sizes {
        if typed.len() > 300 {
            person.types("\x15");
            typed.clear();
        }
        for _ in 0..random.random_range(0..8) {
            let key = KEYS[random.random_range(0..KEYS.len())];
            person.types(key);
            typed += key;
        }
        let cols = match turn % 4 {
            0 => random.random_range(1..4),
            1 => random.random_range(1..500),
            _ => random.random_range(4..100),
        };
        person.resizes(cols, random.random_range(1..60));
        person.sees_that(&format!("{cols} columns, {typed:?}"), |screen| {
            is_whole(screen, &typed)
        });
    }
    person.resizes(80, 24);
    person.types("\x15quit\r");
    person.reads_to_the_end();
    person.has_the_terminal_back();
    assert_eq!(person.ends().0, 0);
    campaign::report(format_args!(
        "{sizes} sizes in {:?}: the prompt was whole at each",
        started.now()
    ));
}
