//! From a typed name to its stored form, which is compared.

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

use super::precis::{self, PrecisError};
use crate::limits::{NAME_BYTES, NAME_CHARS};

/// Longest text that is normalised, in bytes. Normalisation shrinks a name at most threefold (full-width letters,
/// decomposed Hangul), so a longer text cannot become a valid name.
const RAW_BYTES: usize = 4 * NAME_BYTES;

/// How often the rules are applied to a text that does not become stable (RFC 8264, section 7).
const PASSES: usize = 4;

/// Why a name is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NameError {
    /// The name is empty.
    #[error("a name needs at least one character")]
    Empty,
    /// The name has too many characters or bytes.
    #[error("a name can have at most {NAME_CHARS} characters and {NAME_BYTES} bytes")]
    TooLong,
    /// The first character is `_`, `.` or `-`.
    #[error("a name must start with a letter or a digit")]
    BadStart(char),
    /// A character that is not a letter, digit or `_ . -`, or that UTS 39 excludes from identifiers. Shown by its
    /// number, since the character itself may be harmful where it is printed.
    #[error("a name cannot contain the character U+{:04X}", u32::from(*.0))]
    BadCharacter(char),
    /// Left-to-right and right-to-left characters, or digits, in a forbidden order (RFC 5893, section 2).
    #[error("a name cannot mix writing directions like this")]
    MixedDirections,
    /// A mixture of scripts that is not Highly Restrictive (UTS 39, section 5.2).
    #[error("a name cannot mix these scripts")]
    MixedScripts,
    /// A reserved word, or one that is confusable with it.
    #[error("this name is reserved")]
    Reserved,
    /// The rules of RFC 8265 give it no stable form.
    #[error("this name has no normal form")]
    Unstable,
}

/// The stored form of a name, or why there is none. A stored form is its own stored form.
pub(super) fn normalise(raw: &str) -> Result<String, NameError> {
    if raw.is_empty() {
        return Err(NameError::Empty);
    }
    if raw.len() > RAW_BYTES {
        return Err(NameError::TooLong);
    }
    if raw.is_ascii() {
        return normalise_ascii(raw);
    }
    if is_han(raw) {
        return normalise_han(raw);
    }
    normalise_any(raw)
}

/// Whether the stored form of a text takes the tables of Unicode, and about thirty times as long as that of another.
pub(super) fn needs_tables(raw: &str) -> bool {
    !raw.is_ascii() && !is_han(raw)
}

/// Whether a text is nothing but characters of the oldest block of Han. All of them are letters of one script that have
/// no other form, and few are none of a name.
fn is_han(raw: &str) -> bool {
    raw.chars().all(|c| matches!(c, '\u{4e00}'..='\u{9fef}'))
}

/// What the rules come to for the text of [`is_han`]. Behind an `@` each beginning of a Chinese text is looked up.
fn normalise_han(raw: &str) -> Result<String, NameError> {
    if let Some(bad) = raw.chars().find(|&c| !allowed(c)) {
        return Err(NameError::BadCharacter(bad));
    }
    if raw.chars().count() > NAME_CHARS {
        return Err(NameError::TooLong);
    }
    Ok(raw.to_owned())
}

/// The rules for any text.
fn normalise_any(raw: &str) -> Result<String, NameError> {
    let name = settle(raw)?;
    check(&name)?;
    Ok(name)
}

/// What the rules come to for ASCII, without their tables: most names are ASCII, and each request that names a user or
/// a room looks one up. PRECIS allows the printable characters, and lower case is its only mapping. ASCII is one script
/// and has one direction.
fn normalise_ascii(raw: &str) -> Result<String, NameError> {
    if let Some(bad) = raw.chars().find(|c| !c.is_ascii_graphic()) {
        return Err(NameError::BadCharacter(bad));
    }
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || is_separator(*c);
    let name = raw.to_ascii_lowercase();
    if let Some(bad) = name.chars().find(|c| !is_allowed(c)) {
        return Err(NameError::BadCharacter(bad));
    }
    match name.chars().next() {
        None => Err(NameError::Empty),
        Some(first) if is_separator(first) => Err(NameError::BadStart(first)),
        Some(_) if name.len() > NAME_CHARS => Err(NameError::TooLong),
        Some(_) => Ok(name),
    }
}

/// Applies the profile until nothing changes (RFC 8264, section 7).
fn settle(raw: &str) -> Result<String, NameError> {
    let mut name = raw.to_owned();
    for _ in 0..PASSES {
        let next = fold(&name)?;
        if next == name {
            return Ok(next);
        }
        name = next;
    }
    Err(NameError::Unstable)
}

/// `UsernameCaseMapped` (RFC 8265, section 3.3), with two additions that give a name a single form:
///
/// - It is composed first. The profile's preparation refuses the conjoining jamo of decomposed Hangul before its
///   normalisation could compose them; RFC 8264, section 7, treats a name and its decomposition as equal.
/// - Final sigma is a sigma. Lower case alone leaves two forms of a Greek name, and capitals would match only one.
fn fold(name: &str) -> Result<String, NameError> {
    let composed: String = name.nfc().collect();
    match precis::username_case_mapped(&composed) {
        Ok(mapped) => Ok(mapped.replace('ς', "σ")),
        Err(PrecisError::Character(c)) => Err(NameError::BadCharacter(c)),
        Err(PrecisError::Directions) => Err(NameError::MixedDirections),
    }
}

/// The rules of echat beyond PRECIS.
fn check(name: &str) -> Result<(), NameError> {
    if let Some(bad) = name.chars().find(|&c| !allowed(c)) {
        return Err(NameError::BadCharacter(bad));
    }
    match name.chars().next() {
        None => return Err(NameError::Empty),
        Some(first) if !first.is_alphanumeric() => return Err(NameError::BadStart(first)),
        Some(_) => {}
    }
    if name.len() > NAME_BYTES || name.chars().count() > NAME_CHARS {
        return Err(NameError::TooLong);
    }
    if !name.check_restriction_level(RestrictionLevel::HighlyRestrictive) {
        return Err(NameError::MixedScripts);
    }
    Ok(())
}

fn allowed(c: char) -> bool {
    is_separator(c) || (c.is_alphanumeric() && c.identifier_allowed())
}

fn is_separator(c: char) -> bool {
    matches!(c, '_' | '.' | '-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ASCII: std::ops::RangeInclusive<char> = '\0'..='\x7f';

    /// The short way of a text and the way of any text come to the same.
    fn is_the_same_both_ways(name: &str) {
        assert!(!needs_tables(name), "{name:?}");
        assert_eq!(normalise(name), normalise_any(name), "{name:?}");
    }

    #[test]
    fn every_pair_of_a_han_character_has_the_form_that_the_tables_give_it() {
        for c in '\u{4e00}'..='\u{9fef}' {
            is_the_same_both_ways(&format!("{c}"));
            is_the_same_both_ways(&format!("{c}明"));
            is_the_same_both_ways(&format!("明{c}"));
        }
        for (first, last) in [('\u{4dff}', '\u{9ff0}'), ('1', '１'), ('ア', '〇')] {
            assert!(needs_tables(&format!("明{first}")) && needs_tables(&format!("{last}明")));
        }
    }

    #[test]
    fn every_short_ascii_text_has_the_form_that_the_tables_give_it() {
        for first in ASCII {
            is_the_same_both_ways(&format!("{first}"));
            for second in ASCII {
                is_the_same_both_ways(&format!("{first}{second}"));
                for third in ASCII {
                    is_the_same_both_ways(&format!("{first}{second}{third}"));
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn each_han_text_has_the_form_that_the_tables_give_it(name in "[\u{4e00}-\u{9fef}]{1,24}") {
            is_the_same_both_ways(&name);
        }

        #[test]
        fn each_ascii_text_has_the_form_that_the_tables_give_it(
            name in "[\\x00-\\x7f]{1,24}|[a-zA-Z0-9_.-]{1,80}|[a-zA-Z][a-zA-Z0-9_.-]{0,19}[ -~]?"
        ) {
            is_the_same_both_ways(&name);
        }
    }
}
