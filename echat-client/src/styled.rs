//! Lines as they are meant, before a terminal shows them.

use crate::safe::Safe;

/// What a span is, which decides how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Ordinary text.
    Plain,
    /// Less important.
    Dim,
    /// More important.
    Bold,
    /// A message that names the reader.
    Mention,
    /// Something went wrong.
    Error,
    /// A rule between lines.
    Rule,
    /// The prompt.
    Prompt,
    /// A name, with its colour.
    Name(u8),
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The text.
    pub text: Safe,
    /// What it is.
    pub style: Style,
}

/// A line to print.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub Vec<Span>);

/// The colour of a name: always the same one.
pub fn colour_of(name: &str) -> u8 {
    name.bytes()
        .fold(0, |sum: u8, byte| sum.wrapping_mul(31).wrapping_add(byte))
}
