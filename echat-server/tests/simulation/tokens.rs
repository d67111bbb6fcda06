//! The tokens of bots, from what clients heard.

use crate::truth::Truth;

/// A token that a client was given.
#[derive(Debug)]
struct Token {
    bot: usize,
    text: String,
    /// What the server stored of it; `None` if that is not known.
    stored: Option<Vec<u8>>,
}

/// All tokens of a case.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    all: Vec<Token>,
}

impl Tokens {
    /// A token was given. If nothing else happened, it is the one that is stored.
    pub(crate) fn give(&mut self, bot: usize, text: &str, truth: Option<&Truth>) -> bool {
        let is_new = self.all.iter().all(|token| token.text != text);
        let stored = truth.and_then(|truth| truth.bot(bot));
        self.all.push(Token {
            bot,
            text: text.to_owned(),
            stored: stored.map(|bot| bot.token.clone()),
        });
        is_new
    }

    /// The token that was given for a bot as the `nth` before the last, and what is stored of it; some text if there is
    /// none.
    pub(crate) fn present(&self, bot: usize, nth: usize) -> (String, Presented) {
        let mut given = self.all.iter().rev().filter(|token| token.bot == bot);
        match given.nth(nth) {
            Some(token) => {
                let presented = token
                    .stored
                    .clone()
                    .map_or(Presented::Unknown, Presented::Stored);
                (token.text.clone(), presented)
            }
            None => ("no token".to_owned(), Presented::Wrong),
        }
    }
}

/// What a login of a bot presents.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Presented {
    /// What is stored of the token.
    Stored(Vec<u8>),
    /// A token of which it is not known what is stored.
    Unknown,
    /// No token.
    Wrong,
}
