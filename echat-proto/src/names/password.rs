//! Passwords: normalised, so that every keyboard produces the same bytes, and wiped when dropped.

use std::fmt;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use zeroize::{Zeroize, Zeroizing};

use crate::limits::{PASSWORD_MAX, PASSWORD_MIN};

/// The factor by which NFC can lengthen a text in UTF-8 (UAX 15, section 12).
const NFC_GROWTH: usize = 3;

/// A password. It is wiped when dropped and cannot be cloned; `Debug` does not show it.
pub struct Password(Zeroizing<Vec<u8>>);

/// Why a password is refused. Contains no part of the password.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PasswordError {
    /// The password is empty.
    #[error("a password is required")]
    Empty,
    /// The password is too short to be registered.
    #[error("a password needs at least {PASSWORD_MIN} bytes")]
    TooShort,
    /// The password is too long, as typed or as normalised.
    #[error("a password can have at most {PASSWORD_MAX} bytes")]
    TooLong,
    /// A control character (general category Cc).
    #[error("a password cannot contain control characters")]
    BadCharacter,
}

impl Password {
    /// A new password: 8..=1,024 bytes after normalisation, and at most 1,024 before it. It may contain any character
    /// but control characters, unassigned ones included. It is never trimmed: spaces count.
    pub fn new(raw: &str) -> Result<Self, PasswordError> {
        check_presence(raw)?;
        let bytes = normalise(raw).ok_or(PasswordError::BadCharacter)?;
        match bytes.len() {
            0..PASSWORD_MIN => Err(PasswordError::TooShort),
            PASSWORD_MIN..=PASSWORD_MAX => Ok(Self(bytes)),
            _ => Err(PasswordError::TooLong),
        }
    }

    /// A password presented at login: 1..=1,024 bytes. One that cannot be normalised is used unchanged: it matches no
    /// stored password, so it fails after the same time as any wrong one.
    pub fn presented(raw: &str) -> Result<Self, PasswordError> {
        check_presence(raw)?;
        let as_typed = || Zeroizing::new(raw.as_bytes().to_vec());
        Ok(Self(normalise(raw).unwrap_or_else(as_typed)))
    }

    /// Whether it could be registered as a new password today. One of an older server may be too short.
    pub fn is_allowed(&self) -> bool {
        let is_control = |text: &str| text.contains(char::is_control);
        let length = (PASSWORD_MIN..=PASSWORD_MAX).contains(&self.0.len());
        length && std::str::from_utf8(&self.0).is_ok_and(|text| !is_control(text))
    }

    /// The text to send; what was presented as no text of its own cannot occur.
    pub(crate) fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

fn check_presence(raw: &str) -> Result<(), PasswordError> {
    match raw.len() {
        0 => Err(PasswordError::Empty),
        1..=PASSWORD_MAX => Ok(()),
        _ => Err(PasswordError::TooLong),
    }
}

/// Maps every space to U+0020, then applies NFC, as `OpaqueString` does (RFC 8265, section 4.2.2). `None` for a text
/// with a control character.
///
/// The copy made here is wiped. The last few characters, which the normalisation crate buffers internally, are not.
fn normalise(raw: &str) -> Option<Zeroizing<Vec<u8>>> {
    if raw.contains(char::is_control) {
        return None;
    }
    let mapped = raw.chars().map(|c| if is_space(c) { ' ' } else { c });
    // NFC produces at most three times the bytes (UAX 15): a buffer that never grows leaves no copies.
    let mut bytes = Zeroizing::new(Vec::with_capacity(NFC_GROWTH * raw.len()));
    let mut utf8 = [0; 4];
    for c in mapped.nfc() {
        bytes.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
    }
    utf8.zeroize();
    Some(bytes)
}

fn is_space(c: char) -> bool {
    c.general_category() == GeneralCategory::SpaceSeparator
}

#[cfg(test)]
mod tests {
    use precis_core::profile::PrecisFastInvocation;
    use precis_profiles::OpaqueString;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn passwords_are_normalised_and_never_trimmed() {
        let bytes = |raw| Password::new(raw).unwrap().as_bytes().to_vec();
        assert_eq!(bytes(" secret "), b" secret ");
        assert_eq!(bytes("e\u{301}e\u{301}e\u{301}e\u{301}"), "éééé".as_bytes());
        assert_eq!(bytes("pass\u{3000}word"), b"pass word");
        assert_ne!(bytes("Password"), bytes("password"));
        assert_eq!(
            Password::new("1234567").unwrap_err(),
            PasswordError::TooShort
        );
        // Nine bytes as typed, five as kept.
        assert_eq!(
            Password::new("a\u{3000}\u{3000}b1").unwrap_err(),
            PasswordError::TooShort
        );
        assert!(Password::new(&"a".repeat(1_024)).is_ok());
        assert_eq!(
            Password::new(&"a".repeat(1_025)).unwrap_err(),
            PasswordError::TooLong
        );
        assert_eq!(
            Password::new("bad\u{7}word").unwrap_err(),
            PasswordError::BadCharacter
        );
    }

    #[test]
    fn a_presented_password_is_normalised_where_possible() {
        let bytes = |raw| Password::presented(raw).unwrap().as_bytes().to_vec();
        assert_eq!(bytes("x"), b"x");
        assert_eq!(bytes("bad\u{7}word"), b"bad\x07word");
        assert_eq!(bytes("e\u{301}"), "é".as_bytes());
        assert_eq!(Password::presented("").unwrap_err(), PasswordError::Empty);
        assert_eq!(
            Password::presented(&"a".repeat(1_025)).unwrap_err(),
            PasswordError::TooLong
        );
        assert_eq!(
            format!("{:?}", Password::presented("x").unwrap()),
            "Password(..)"
        );
    }

    #[test]
    fn a_presented_password_tells_whether_it_could_be_registered() {
        for (text, allowed) in [
            ("12345678", true),
            ("1234567", false),
            ("🙂🙂", true),
            ("x\u{7}xxxxxxx", false),
            ("a\u{3000}\u{3000}b1", false),
        ] {
            let presented = Password::presented(text).unwrap();
            assert_eq!(presented.is_allowed(), allowed, "{text:?}");
            assert_eq!(Password::new(text).is_ok(), allowed, "{text:?}");
        }
    }

    #[test]
    fn any_text_without_control_characters_is_a_password() {
        for text in [
            "🙂🙂",
            "12345678₽",
            // Flags, families, skin tones, variation selectors, tags.
            "👩\u{200d}👧\u{200d}👦",
            "☂\u{fe0f}☂\u{fe0e}",
            "🏴\u{e0067}\u{e0062}\u{e007f}",
            // Emoji of Unicode 16, private use, unassigned, no characters at all.
            "\u{1fae9}\u{1fae9}",
            "\u{e000}\u{f0000}\u{10ffff}",
            "\u{378}\u{378}\u{378}\u{378}",
            "\u{fdd0}\u{fffe}\u{ffff}",
            "\u{200e}\u{202e}\u{2028}",
            "\u{ad}\u{feff}\u{fff9}",
            "\u{1100}\u{313f}\u{640}",
        ] {
            let kept = Password::new(text).unwrap_or_else(|bad| panic!("{text:?}: {bad}"));
            assert_eq!(kept.as_bytes(), text.as_bytes(), "{text:?}");
        }
        for c in (0..0x20).chain(0x7f..0xa0) {
            let text = format!("password{}", char::from(c));
            let refused = Password::new(&text).unwrap_err();
            assert_eq!(refused, PasswordError::BadCharacter, "{c:#x}");
        }
    }

    #[test]
    fn length_is_counted_before_and_after_normalisation() {
        // Three bytes as typed, twelve as kept: this one composes to nothing.
        let long = "\u{1d160}".repeat(86);
        assert_eq!(
            (long.len(), Password::new(&long).unwrap_err()),
            (344, PasswordError::TooLong)
        );
        assert_eq!(
            Password::new(&"\u{1d160}".repeat(85))
                .unwrap()
                .as_bytes()
                .len(),
            1_020
        );
    }

    /// A password set under the older rule keeps working: what the older crate accepts, it maps to
    /// the same bytes.
    fn maps_as_the_older_rule(text: &str) -> bool {
        let Ok(old) = OpaqueString::enforce(text) else {
            return false;
        };
        let new = normalise(text).unwrap_or_else(|| panic!("{text:?} was allowed"));
        assert_eq!(*new, old.as_bytes(), "{text:?}");
        true
    }

    #[test]
    fn each_character_of_the_older_rule_maps_as_it_did() {
        let mut agreed = 0;
        for c in '\0'..=char::MAX {
            for text in [
                c.to_string(),
                format!("e{c}\u{301}"),
                format!("{c}\u{1161}\u{11a8}"),
            ] {
                agreed += u32::from(maps_as_the_older_rule(&text));
            }
        }
        assert!(agreed > 200_000, "{agreed} texts were possible");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn each_password_of_the_older_rule_maps_as_it_did(
            text in "[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Zs}]{1,40}|[\\p{M}e]{1,40}"
        ) {
            maps_as_the_older_rule(&text);
        }

        #[test]
        fn a_kept_password_is_refused_for_its_length_or_control_characters_alone(
            text in any::<String>()
        ) {
            let control = text.contains(char::is_control);
            let refused = Password::new(&text).err() == Some(PasswordError::BadCharacter);
            prop_assert_eq!(refused, control && !text.is_empty() && text.len() <= PASSWORD_MAX);
        }
    }
}
