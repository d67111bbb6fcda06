//! The escape bytes themselves.

use std::fmt::Display;
use std::io::Write;

use termion::style;
use unicode_segmentation::UnicodeSegmentation;

use super::Appearance;
use crate::render::styled::{Span, Style};

/// The colours of names (of the 256), readable on white and on black.
const NAMES: [u8; crate::render::styled::COLOURS as usize] =
    [32, 34, 37, 64, 67, 71, 98, 132, 136, 139, 166, 172];
const RED: u8 = 1;
const YELLOW: u8 = 3;
/// Readable on white and on black.
const CODE: u8 = 66;

/// Adds bytes; writing to memory cannot fail.
pub(super) fn put(buffer: &mut Vec<u8>, bytes: impl Display) {
    write!(buffer, "{bytes}").expect("a Vec takes everything");
}

/// Adds one span, which is of one row.
pub(super) fn span(buffer: &mut Vec<u8>, span: &Span, look: Appearance) {
    let coloured =
        look.colour && !matches!(span.style, Style::Plain | Style::Command | Style::Shell);
    if coloured {
        begin(buffer, span.style);
    }
    text(buffer, span.text.as_str(), look);
    if coloured {
        put(buffer, style::Reset);
    }
}

/// Adds text, in ASCII if that is all the terminal has: one `?` a character.
pub(super) fn text(buffer: &mut Vec<u8>, text: &str, look: Appearance) {
    if look.utf8 || text.is_ascii() {
        return put(buffer, text);
    }
    for grapheme in text.graphemes(true) {
        put(buffer, if grapheme.is_ascii() { grapheme } else { "?" });
    }
}

fn begin(buffer: &mut Vec<u8>, style: Style) {
    match style {
        Style::Plain | Style::Command | Style::Shell => {}
        Style::Dim | Style::Rule => put(buffer, style::Faint),
        Style::Bold | Style::Prompt => put(buffer, style::Bold),
        Style::Mention => {
            put(buffer, style::Bold);
            colour(buffer, YELLOW);
        }
        Style::Link => put(buffer, style::Underline),
        Style::FoundLink => {
            put(buffer, style::Underline);
            begin(buffer, Style::Mention);
        }
        Style::Code => colour(buffer, CODE),
        Style::Error => colour(buffer, RED),
        Style::Name(index) => colour(buffer, NAMES[usize::from(index) % NAMES.len()]),
    }
}

/// Not termion's own colours, which look at `NO_COLOR` a second time.
fn colour(buffer: &mut Vec<u8>, index: u8) {
    put(buffer, format_args!("\x1b[38;5;{index}m"));
}
