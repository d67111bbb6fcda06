//! From what somebody typed to the one form of a name that is stored and compared.

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

use super::precis::{self, Fault};
use crate::limits::{NAME_BYTES, NAME_CHARS};

/// Longest text that is normalised at all, in bytes. Normalisation shrinks a name at most
/// threefold (full-width letters, decomposed Hangul), so a longer text can become no valid name.
const RAW_BYTES: usize = 4 * NAME_BYTES;

/// How often the rules are applied before giving up on a text that does not settle
/// (RFC 8264 section 7).
const PASSES: usize = 4;

/// Why a name is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NameError {
    /// Nothing was typed.
    #[error("a name needs at least one character")]
    Empty,
    /// Over the limit of characters or bytes.
    #[error("a name has at most {NAME_CHARS} characters and {NAME_BYTES} bytes")]
    TooLong,
    /// The first character is `_`, `.` or `-`.
    #[error("a name begins with a letter or a digit")]
    BadStart(char),
    /// Neither letter nor digit nor `_ . -`, or one that UTS 39 keeps out of identifiers.
    /// Said by its number, since the character itself may do harm where it is printed.
    #[error("a name cannot have the character U+{:04X}", u32::from(*.0))]
    BadCharacter(char),
    /// Left-to-right and right-to-left characters, or digits, in a forbidden order
    /// (RFC 5893 section 2).
    #[error("a name cannot mix writing directions like this")]
    MixedDirections,
    /// Scripts that are not written together.
    #[error("a name cannot mix these scripts")]
    MixedScripts,
    /// A word that the software speaks with, or one that looks like it.
    #[error("this name is reserved")]
    Reserved,
    /// The rules of RFC 8265 give no lasting form to it.
    #[error("this name has no normal form")]
    Unstable,
}

/// The stored form of a name, or why there is none. A stored form gives itself again.
pub(super) fn normalise(raw: &str) -> Result<String, NameError> {
    if raw.is_empty() {
        return Err(NameError::Empty);
    }
    if raw.len() > RAW_BYTES {
        return Err(NameError::TooLong);
    }
    let name = settle(raw)?;
    check(&name)?;
    Ok(name)
}

/// Applies the profile until nothing changes any more (RFC 8264 section 7).
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

/// `UsernameCaseMapped` (RFC 8265 section 3.3), with two additions that give a name one form:
///
/// - It is composed first. The profile's preparation refuses the conjoining jamo that decomposed
///   Hangul is made of before its normalisation could compose them; to RFC 8264 section 7 a name
///   and its decomposition are one.
/// - Final sigma is a sigma: lower case alone leaves a Greek name with two forms, and what is typed
///   in capitals would find only one of them.
fn fold(name: &str) -> Result<String, NameError> {
    let composed: String = name.nfc().collect();
    match precis::username_case_mapped(&composed) {
        Ok(mapped) => Ok(mapped.replace('ς', "σ")),
        Err(Fault::Character(c)) => Err(NameError::BadCharacter(c)),
        Err(Fault::Directions) => Err(NameError::MixedDirections),
    }
}

/// What echat asks of a name beyond PRECIS.
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
    matches!(c, '_' | '.' | '-') || (c.is_alphanumeric() && c.identifier_allowed())
}
