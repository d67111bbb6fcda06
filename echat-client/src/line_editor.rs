//! Keys become an edited or submitted line.

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Char(char),
    /// Return.
    Enter,
    /// Tab.
    Tab,
}

/// What a key did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to see.
    None,
    /// The line or the cursor changed.
    Redraw,
    /// The line is done.
    Submit(String),
    /// Completion is wanted.
    Complete,
    /// The completion before is wanted.
    CompletePrevious,
    /// Several lines were pasted.
    PasteOfLines(Vec<String>),
    /// The screen is to be cleared.
    ClearScreen,
    /// Nothing more will be typed.
    EndOfInput,
    /// C-c.
    Interrupt,
}

/// A line under edition.
#[derive(Debug, Default)]
pub struct LineEditor {
    line: String,
    secret: bool,
    history: &'static str,
}

impl LineEditor {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// The line up to the cursor.
    pub fn text(&self) -> &str {
        &self.line
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Outcome {
        match key {
            Key::Char(c) => self.line.push(c),
            Key::Enter => return Outcome::Submit(std::mem::take(&mut self.line)),
            Key::Tab => return Outcome::Complete,
        }
        Outcome::Redraw
    }

    /// Whether the line is a password: masked, and never in a history.
    pub fn set_secret(&mut self, secret: bool) {
        self.secret = secret;
    }

    /// Whether the line is masked.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Which history to use: each mode has its own.
    pub fn set_history(&mut self, name: &'static str) {
        self.history = name;
    }

    /// The history in use.
    pub fn history(&self) -> &'static str {
        self.history
    }

    /// Puts the first of the candidates from byte `from` to the cursor; the next time the next.
    pub fn complete(&mut self, from: usize, candidates: &[String], _backwards: bool) {
        if let Some(first) = candidates.first() {
            self.line.truncate(from);
            self.line.push_str(first);
        }
    }
}
