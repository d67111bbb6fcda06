//! Any typing, any messages and any resizing, in any order.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::screen::Scene;
use crate::render::safe::Safe;
use crate::render::styled::{Line, Style};

#[derive(Clone, Debug)]
enum Event {
    Type(String, prop::sample::Index),
    Message(String),
    Resize(usize, usize),
    Clear,
}

/// Not U+FFFD, which the emulator leaves out.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z ]{0,60}",
        "[a你👍🇨🇳👩❤\u{301}\u{200d}\u{fe0f}]{0,40}"
    ]
    .prop_map(|text| text.replace('\u{fffd}', ""))
}

fn event() -> impl Strategy<Value = Event> {
    let size = (2usize..60, 2usize..20);
    prop_oneof![
        4 => (text(), any::<prop::sample::Index>()).prop_map(|(text, at)| Event::Type(text, at)),
        4 => text().prop_map(Event::Message),
        1 => size.prop_map(|(cols, rows)| Event::Resize(cols, rows)),
        1 => Just(Event::Clear),
    ]
}

fn happen(scene: &mut Scene, event: Event) {
    match event {
        Event::Type(text, at) => {
            let places = text.grapheme_indices(true).map(|(at, _)| at);
            let places: Vec<usize> = places.chain([text.len()]).collect();
            scene.types(&text, places[at.index(places.len())]);
        }
        Event::Message(text) => scene.prints(&[
            Line::styled(Safe::text(&text), Style::Error),
            Line::plain(Safe::ours("-")),
        ]),
        Event::Resize(cols, rows) => scene.resizes(cols, rows),
        Event::Clear => scene.clears(),
    }
}

proptest! {
    #[test]
    fn the_prompt_is_always_whole_and_last(
        cols in 2usize..60,
        rows in 2usize..20,
        events in prop::collection::vec(event(), 1..12),
    ) {
        let mut scene = Scene::new(cols, rows);
        for event in events {
            let message = matches!(event, Event::Message(_));
            happen(&mut scene, event);
            let (_, rows) = scene.size();
            let laid = scene.laid_out().window(rows - 1);
            let screen = scene.all_rows();
            let start = usize::from(scene.place().0) - laid.cursor_row;
            for (row, expected) in screen[start..].iter().zip(&laid.rows) {
                prop_assert_eq!(row, &expected.text().trim_end().to_owned());
            }
            prop_assert!(screen[start + laid.rows.len()..].iter().all(String::is_empty));
            if message {
                prop_assert_eq!(&screen[start - 1], "-");
            }
        }
    }
}
