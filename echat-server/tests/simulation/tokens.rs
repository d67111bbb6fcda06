//! Bot tokens that clients have received.

use crate::committed::CommittedState;

/// A token that a client has received.
#[derive(Debug)]
struct Token {
    bot: usize,
    text: String,
    /// The stored hash; `None` if it is not known.
    stored: Option<Vec<u8>>,
}

/// All tokens of a case.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    all: Vec<Token>,
}

impl Tokens {
    /// Adds a token. `committed` has its hash, unless another request may have replaced it.
    pub(crate) fn give(
        &mut self,
        bot: usize,
        text: &str,
        committed: Option<&CommittedState>,
    ) -> bool {
        let is_new = self.all.iter().all(|token| token.text != text);
        let stored = committed.and_then(|committed| committed.bot(bot));
        self.all.push(Token {
            bot,
            text: text.to_owned(),
            stored: stored.map(|bot| bot.token.clone()),
        });
        is_new
    }

    /// The `nth` token of a bot counted back from the newest, with its stored hash. An invalid text if there are not as
    /// many.
    pub(crate) fn present(&self, bot: usize, nth: usize) -> (String, PresentedToken) {
        let mut given = self.all.iter().rev().filter(|token| token.bot == bot);
        match given.nth(nth) {
            Some(token) => {
                let presented = token
                    .stored
                    .clone()
                    .map_or(PresentedToken::Unknown, PresentedToken::Stored);
                (token.text.clone(), presented)
            }
            None => ("no token".to_owned(), PresentedToken::Wrong),
        }
    }
}

/// The token that a login presents.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PresentedToken {
    /// A token with this stored hash.
    Stored(Vec<u8>),
    /// A token whose stored hash is not known.
    Unknown,
    /// No valid token.
    Wrong,
}
