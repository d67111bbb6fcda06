//! The codes to register with, from what clients heard.

/// A code that no server has given out.
const NONE: &str = "2222-2222-2222-2222";

/// All codes of a case, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    all: Vec<String>,
}

impl Codes {
    /// A code was given; false if it was given before.
    pub(crate) fn give(&mut self, code: &str) -> bool {
        let is_new = self.all.iter().all(|known| known != code);
        self.all.push(code.to_owned());
        is_new
    }

    /// The code that was given as the `nth` before the last; one that was never given if there is none.
    pub(crate) fn present(&self, nth: usize) -> String {
        let given = self.all.iter().rev().nth(nth);
        given.cloned().unwrap_or_else(|| NONE.to_owned())
    }
}
