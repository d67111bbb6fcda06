//! The token that opens the account of a bot.

use std::fmt;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::limits::PASSWORD_MAX;

/// Characters of a group of the text.
const GROUP: usize = 4;

/// Base 32 (RFC 4648, section 6) in small letters and without padding. Capitals are read as small letters.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut form = Specification::new();
    form.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    form.translate.from.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    form.translate.to.push_str("abcdefghijklmnopqrstuvwxyz");
    form.encoding().expect("the specification is constant")
});

/// A secret of 32 bytes that logs in a bot (PROTOCOL.md, section 5.13). Its text can be typed: base 32 in small
/// letters, in 13 groups of four characters with hyphens between them, 64 characters. A presented text may have
/// capitals, and leave hyphens out. It is wiped when dropped; `Debug` does not show it.
///
/// A text of any other form is kept as it is: presented at a login it matches no token, as a wrong password does.
#[derive(Clone, PartialEq, Eq)]
pub struct BotToken(Zeroizing<String>);

/// Why a text is refused as a token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BotTokenError {
    /// The text is longer than any token.
    #[error("a token has at most {PASSWORD_MAX} bytes")]
    TooLong,
}

impl BotToken {
    /// Bytes of a token.
    pub const BYTES: usize = 32;
    /// Characters of its text.
    pub const CHARACTERS: usize = 64;
    /// The same without hyphens.
    const DIGITS: usize = 52;

    /// The token with these bytes.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let mut digits = Zeroizing::new([0; Self::DIGITS]);
        BASE32.encode_mut(bytes, &mut *digits);
        // A buffer that never grows leaves no copies.
        let mut text = Zeroizing::new(String::with_capacity(Self::CHARACTERS));
        for (index, digit) in digits.iter().enumerate() {
            if index > 0 && index % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(*digit));
        }
        Self(text)
    }

    /// A text presented as a token: at most 1,024 bytes.
    pub fn presented(text: &str) -> Result<Self, BotTokenError> {
        if text.len() > PASSWORD_MAX {
            return Err(BotTokenError::TooLong);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The bytes of the token; `None` for a text of another form.
    pub fn bytes(&self) -> Option<Zeroizing<[u8; Self::BYTES]>> {
        let mut digits = Zeroizing::new(Vec::with_capacity(self.0.len()));
        digits.extend(self.0.bytes().filter(|byte| *byte != b'-'));
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        if digits.len() != Self::DIGITS {
            return None;
        }
        let length = BASE32.decode_mut(&digits, &mut *bytes).ok()?;
        (length == Self::BYTES).then_some(bytes)
    }

    /// The text to send, and to show once.
    pub fn to_text(&self) -> String {
        self.0.to_string()
    }
}

impl Zeroize for BotToken {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for BotToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BotToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_round_trips_as_it_is_typed() {
        let token = BotToken::from_bytes(&[0xfb; 32]);
        let text = token.to_text();
        // From Python's base64.b32encode.
        let expected = "7p57-x673-7p57-x673-7p57-x673-7p57-x673-7p57-x673-7p57-x673-7p5q";
        assert_eq!(text, expected);
        assert_eq!(text.len(), BotToken::CHARACTERS);
        for typed in [text.clone(), text.to_uppercase(), text.replace('-', "")] {
            let token = BotToken::presented(&typed).expect("short");
            assert_eq!(*token.bytes().expect("32 bytes"), [0xfb; 32], "{typed}");
        }
        assert!(!format!("{token:?}").contains(&text));
    }

    #[test]
    fn a_text_of_another_form_is_no_token() {
        let text = BotToken::from_bytes(&[0xfb; 32]).to_text();
        // The last digit holds four bits that belong to no byte.
        let loose = format!("{}r", &text[..63]);
        let long = format!("{text}aa");
        for other in [
            "",
            "wrong",
            &text[..63],
            &loose,
            &long,
            &text.replace('7', "1"),
        ] {
            let presented = BotToken::presented(other).expect("short");
            assert_eq!(presented.bytes(), None, "{other}");
        }
        assert!(BotToken::presented(&"a".repeat(1_025)).is_err());
    }
}
