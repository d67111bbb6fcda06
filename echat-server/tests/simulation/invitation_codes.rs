//! Invitation codes that the server has given to clients.

/// A code that no server has given out.
const NONE: &str = "2222-2222-2222-2222";

/// All codes of a case, oldest first.
#[derive(Debug, Default)]
pub(crate) struct InvitationCodes {
    all: Vec<String>,
}

impl InvitationCodes {
    /// Adds a new code. False if it was given before.
    pub(crate) fn give(&mut self, code: &str) -> bool {
        let is_new = self.all.iter().all(|known| known != code);
        self.all.push(code.to_owned());
        is_new
    }

    /// The `nth` code counted back from the newest, or an invalid code if there are not as many.
    pub(crate) fn present(&self, nth: usize) -> String {
        let given = self.all.iter().rev().nth(nth);
        given.cloned().unwrap_or_else(|| NONE.to_owned())
    }
}
