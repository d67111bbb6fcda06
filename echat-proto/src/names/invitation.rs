//! Codes with which accounts are made.

use std::fmt;

use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// Letters and digits without those that are taken for others: 0 and O, 1 and I. Five bits each.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Characters of a group.
const GROUP: usize = 4;

/// A code of an invitation to register, or that of a first administrator (PROTOCOL.md, section 5.10): 80 random bits as
/// four groups of four characters, such as `7KQM-2XWD-RT9H-C4VB`. Case, spaces and hyphens do not matter when it is
/// presented. It is wiped when dropped; `Debug` does not show it.
///
/// A text of any other form is kept, and is no code that a server knows.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationCode(Zeroizing<String>);

/// Why a text is refused as a code.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvitationCodeError {
    /// The text is longer than any code.
    #[error("a code has at most {} bytes", InvitationCode::PRESENTED_MAX)]
    TooLong,
}

impl InvitationCode {
    /// Random bytes of a code.
    pub const BYTES: usize = 10;
    /// Most bytes of a text that is presented as a code.
    pub const PRESENTED_MAX: usize = 256;
    /// Characters of a code, without hyphens.
    const CHARACTERS: usize = Self::BYTES * 8 / 5;

    /// The code with these bytes.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let number = bytes
            .iter()
            .fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
        let mut text = Zeroizing::new(String::with_capacity(2 * Self::CHARACTERS));
        for at in 0..Self::CHARACTERS {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            let shift = 5 * (Self::CHARACTERS - 1 - at);
            let index = usize::try_from(number >> shift & 31).expect("five bits");
            text.push(ALPHABET[index].into());
        }
        Self(text)
    }

    /// A text presented as a code: at most 256 bytes.
    pub fn presented(text: &str) -> Result<Self, InvitationCodeError> {
        if text.len() > Self::PRESENTED_MAX {
            return Err(InvitationCodeError::TooLong);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The code in its stored form; `None` for a text of another form.
    pub fn key(&self) -> Option<Zeroizing<String>> {
        let is_between = |character: &char| *character == '-' || character.is_whitespace();
        let characters = self.0.chars().filter(|character| !is_between(character));
        let mut key = Zeroizing::new(String::with_capacity(2 * Self::CHARACTERS));
        let mut count = 0;
        for character in characters {
            let character = u8::try_from(character).ok()?.to_ascii_uppercase();
            if count == Self::CHARACTERS || !ALPHABET.contains(&character) {
                return None;
            }
            if count > 0 && count % GROUP == 0 {
                key.push('-');
            }
            key.push(character.into());
            count += 1;
        }
        (count == Self::CHARACTERS).then_some(key)
    }

    /// The text to send.
    pub fn to_text(&self) -> String {
        self.0.to_string()
    }
}

impl Zeroize for InvitationCode {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<String> {
        let code = InvitationCode::presented(text).expect("short");
        code.key().map(|key| key.to_string())
    }

    #[test]
    fn a_code_is_typed_in_any_case_with_or_without_hyphens() {
        let code = InvitationCode::from_bytes(&[
            0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf,
        ]);
        assert_eq!(code.to_text(), "2345-6789-ABCD-EFGH");
        for typed in [
            "2345-6789-ABCD-EFGH",
            "23456789abcdefgh",
            " 2345 6789\tabcd-EFGH\n",
            "-2-345678-9ABCDEFGH--",
        ] {
            assert_eq!(
                key(typed).as_deref(),
                Some("2345-6789-ABCD-EFGH"),
                "{typed}"
            );
        }
        assert_eq!(
            InvitationCode::from_bytes(&[0xff; 10]).to_text(),
            "ZZZZ-ZZZZ-ZZZZ-ZZZZ"
        );
        assert!(!format!("{code:?}").contains("2345"));
    }

    #[test]
    fn a_text_of_another_form_is_no_code() {
        for typed in [
            "",
            "2345-6789-ABCD-EFG",
            "2345-6789-ABCD-EFGHJ",
            "2345-6789-ABCD-EFG0",
            "2345-6789-ABCD-EFGI",
            "2345-6789-ABCD-EFGé",
            "2345_6789-ABCD-EFGH",
        ] {
            assert_eq!(key(typed), None, "{typed}");
        }
        assert!(InvitationCode::presented(&"2".repeat(257)).is_err());
    }
}
