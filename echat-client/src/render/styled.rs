//! Lines in styles that have names. What a style looks like, and whether it looks like anything
//! at all, is the terminal's to know.

use crate::render::safe::Safe;

/// How many colours names have.
pub const COLOURS: u8 = 12;

/// What a part of a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Text like any other.
    #[default]
    Plain,
    /// What matters less: times, presence.
    Dim,
    /// What matters more.
    Bold,
    /// A line that names the reader.
    Mention,
    /// A link.
    Link,
    /// A link with a word that was searched for.
    FoundLink,
    /// A text to copy, such as a command of echat. It is divided at blanks only.
    Command,
    /// A command for a shell. The same, and where it is divided a row ends in a backslash: all rows can be copied
    /// together.
    Shell,
    /// Code in a message.
    Code,
    /// A refusal or a failure.
    Error,
    /// A rule between two parts, as between old and new lines.
    Rule,
    /// The prompt.
    Prompt,
    /// A name, in the colour with this index: see [`colour_of`].
    Name(u8),
}

impl Style {
    /// Whether a part in this style is a link, as a whole.
    pub fn is_link(self) -> bool {
        matches!(self, Self::Link | Self::FoundLink)
    }
}

/// A part of a line in one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What is shown.
    pub text: Safe,
    /// How.
    pub style: Style,
}

/// A line to show, of any width. A span made by [`Safe::text`] may hold newlines; what follows
/// one begins a new row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub Vec<Span>);

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line of one text in the plain style.
    pub fn plain(text: Safe) -> Self {
        Self::new().with(text, Style::Plain)
    }

    /// A line of one text in one style.
    pub fn styled(text: Safe, style: Style) -> Self {
        Self::new().with(text, style)
    }

    /// This line with one more part at the end.
    #[must_use]
    pub fn with(mut self, text: Safe, style: Style) -> Self {
        self.push(text, style);
        self
    }

    /// Adds a part at the end.
    pub fn push(&mut self, text: Safe, style: Style) {
        if text.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.style == style => last.text.push(&text),
            _ => self.0.push(Span { text, style }),
        }
    }

    /// Its text without the styles.
    pub fn text(&self) -> String {
        self.0.iter().map(|span| span.text.as_str()).collect()
    }
}

/// The colour of a name, below [`COLOURS`]: always the same for every reader, so that
/// people learn it. (FNV-1a, whose last steps are folded in since few bits are taken.)
pub fn colour_of(name: &str) -> u8 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let folded = (hash ^ (hash >> 16)) % u32::from(COLOURS);
    u8::try_from(folded).expect("a remainder below COLOURS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_built_of_parts() {
        let line = Line::plain(Safe::line("["))
            .with(Safe::line("9:00"), Style::Plain)
            .with(Safe::ours("] "), Style::Plain)
            .with(Safe::line("小明"), Style::Name(colour_of("小明")))
            .with(Safe::ours(""), Style::Error);
        assert_eq!(line.0.len(), 2);
        assert_eq!(line.text(), "[9:00] 小明");
    }

    #[test]
    fn colours_are_stable_and_all_used() {
        assert_eq!(colour_of("ann"), colour_of("ann"));
        let used: std::collections::BTreeSet<u8> =
            (0..200).map(|n| colour_of(&format!("user{n}"))).collect();
        assert_eq!(used.len(), usize::from(COLOURS));
    }
}
