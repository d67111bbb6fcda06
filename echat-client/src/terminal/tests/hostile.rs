//! Hostile texts through the whole way to a terminal.

use echat_testkit::campaign;
use echat_testkit::hostile_texts::texts;

use super::screen::Scene;
use crate::render::safe::Safe;
use crate::render::styled::{Line, Style};

/// How many texts.
fn count() -> usize {
    campaign::count("ECHAT_HOSTILE", 10_000)
}

#[test]
fn no_text_changes_rows_of_other_lines() {
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
    for text in texts().take(count()) {
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
fn pasted_text_changes_no_other_rows() {
    let mut scene = Scene::new(30, 12);
    scene.prints(&[Line::plain(Safe::ours("above"))]);
    for text in texts().take(count() / 10) {
        scene.types(&text, text.len());
        scene.types("", 0);
        let mut asked = std::mem::take(&mut scene.terminal.callbacks_mut().log);
        // How wide a sequence is.
        asked.retain(|asked| asked != "csi [[6]] n");
        assert_eq!(asked, [""; 0], "{text:?}");
        let rows: Vec<String> = scene.terminal.screen().rows(0, 30).collect();
        let place = scene.place();
        assert_eq!(
            (rows[usize::from(place.0)].trim_end(), place.1),
            ("room>", 6),
            "{text:?}"
        );
    }
}
