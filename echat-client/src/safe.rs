//! Text that cannot control a terminal, whoever wrote it.

/// Text that is safe to print.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Safe(String);

impl Safe {
    /// One line: newlines and tabs are shown, not obeyed.
    pub fn line(text: &str) -> Self {
        Self(text.replace(char::is_control, "\u{fffd}"))
    }

    /// A text that may have several lines.
    pub fn text(text: &str) -> Self {
        Self(text.replace(
            |c: char| c.is_control() && c != '\n' && c != '\t',
            "\u{fffd}",
        ))
    }

    /// A text of our own.
    pub fn ours(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Columns on a terminal.
    pub fn width(&self) -> usize {
        self.0.chars().count()
    }
}
