//! The rules of PRECIS for names (RFC 8264 and 8265), computed from current Unicode. Existing crates use the tables of
//! Unicode 6.3 and refuse all later letters.
//!
//! A letter is allowed once the standard library knows it: otherwise its lower case would change with a later library.

use std::iter;

use unicode_bidi::{BidiClass, bidi_class};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_compatible;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Why a text is not an identifier.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PrecisError {
    /// A character outside the identifier class.
    Character(char),
    /// A violation of the Bidi rule.
    Directions,
}

/// One application of `UsernameCaseMapped` (RFC 8265 section 3.3.3): width mapping, the class of
/// identifiers, lower case, NFC, the Bidi rule.
pub(super) fn username_case_mapped(name: &str) -> Result<String, PrecisError> {
    let mapped = to_usual_width(name);
    let stranger = mapped.chars().find(|&c| !is_identifier(c, &mapped));
    if let Some(stranger) = stranger {
        return Err(PrecisError::Character(stranger));
    }
    let lower = mapped.chars().flat_map(char::to_lowercase);
    let normal: String = lower.nfc().collect();
    if keeps_bidi_rule(&normal) {
        Ok(normal)
    } else {
        Err(PrecisError::Directions)
    }
}

/// Maps full-width and half-width characters to their normal forms (RFC 8264, section 5.2.1).
fn to_usual_width(name: &str) -> String {
    let mut mapped = String::with_capacity(name.len());
    for c in name.chars() {
        // All of these have a decomposition, and no other character has the tags <wide> and <narrow>.
        if matches!(c, '\u{3000}' | '\u{ff01}'..='\u{ffee}') {
            decompose_compatible(c, |part| mapped.push(part));
        } else {
            mapped.push(c);
        }
    }
    mapped
}

/// Whether RFC 8264 allows the character in an identifier (sections 8 and 9.18). Default ignorable
/// characters are left to the security profile of UTS 39, which has none of them.
fn is_identifier(c: char, name: &str) -> bool {
    match c {
        // Printable ASCII (section 9.11) and exceptions (section 9.6).
        '!'..='~' | 'ß' | 'ς' | '\u{6fd}' | '\u{6fe}' | '\u{f0b}' | '〇' => true,
        '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}' => {
            false
        }
        // Contextual rules (RFC 5892, appendix A): the two sets of Arabic digits are not mixed. The other
        // characters with such rules are punctuation, which names do not have.
        '\u{660}'..='\u{669}' => !name.contains(|other| matches!(other, '\u{6f0}'..='\u{6f9}')),
        '\u{6f0}'..='\u{6f9}' => !name.contains(|other| matches!(other, '\u{660}'..='\u{669}')),
        _ => is_letter_or_digit(c) && !is_old_hangul_jamo(c) && !has_compatibility_form(c),
    }
}

/// `LetterDigits` (section 9.1). Unassigned code points have another category.
fn is_letter_or_digit(c: char) -> bool {
    matches!(
        c.general_category(),
        GeneralCategory::LowercaseLetter
            | GeneralCategory::UppercaseLetter
            | GeneralCategory::OtherLetter
            | GeneralCategory::ModifierLetter
            | GeneralCategory::DecimalNumber
            | GeneralCategory::NonspacingMark
            | GeneralCategory::SpacingMark
    )
}

/// `OldHangulJamo` (section 9.9): `Hangul_Syllable_Type` L, V and T.
fn is_old_hangul_jamo(c: char) -> bool {
    matches!(
        c,
        '\u{1100}'..='\u{11ff}'
            | '\u{a960}'..='\u{a97c}'
            | '\u{d7b0}'..='\u{d7c6}'
            | '\u{d7cb}'..='\u{d7fb}'
    )
}

/// `HasCompat` (section 9.17).
fn has_compatibility_form(c: char) -> bool {
    iter::once(c).nfkc().ne(iter::once(c))
}

/// The Bidi rule (RFC 5893, section 2), for names with a character of a right-to-left script. Such a name must begin
/// with one, so it is always an RTL label.
fn keeps_bidi_rule(name: &str) -> bool {
    use BidiClass::{AL, AN, BN, CS, EN, ES, ET, L, NSM, ON, R};
    let has = |class| name.chars().any(|c| bidi_class(c) == class);
    if !(has(R) || has(AL) || has(AN)) {
        return true;
    }
    let mut classes = name.chars().map(bidi_class);
    let first = classes.next().unwrap_or(L);
    let last = name.chars().rev().map(bidi_class).find(|c| *c != NSM);
    matches!(first, R | AL)
        && classes.all(|c| matches!(c, R | AL | AN | EN | ES | CS | ET | ON | BN | NSM))
        && matches!(last, Some(R | AL | EN | AN))
        && !(has(EN) && has(AN))
}

#[cfg(test)]
mod tests {
    use precis_core::profile::PrecisFastInvocation;
    use precis_profiles::UsernameCaseMapped;
    use proptest::prelude::*;
    use unicode_security::GeneralSecurityProfile;

    use super::*;

    /// Whether a text that PRECIS let pass became something that a name may hold.
    fn is_possible(name: &str) -> bool {
        let possible =
            |c: char| "_.-".contains(c) || (c.is_alphanumeric() && c.identifier_allowed());
        name.chars().all(possible)
    }

    fn agrees_with_the_old_tables(text: &str) {
        if let Ok(old) = UsernameCaseMapped::enforce(text)
            && is_possible(&old)
        {
            assert_eq!(username_case_mapped(text), Ok(old.into_owned()), "{text:?}");
        }
    }

    #[test]
    fn each_character_of_the_old_tables_maps_as_it_did() {
        let mut agreed = 0;
        for c in '\0'..=char::MAX {
            for text in [
                c.to_string(),
                format!("q{c}"),
                format!("ش{c}"),
                format!("カ{c}"),
            ] {
                agrees_with_the_old_tables(&text);
                agreed += u32::from(UsernameCaseMapped::enforce(&text).is_ok());
            }
        }
        assert!(agreed > 100_000, "{agreed} texts were possible");
    }

    #[test]
    fn each_letter_of_a_right_to_left_script_is_known_as_one() {
        for c in '\0'..=char::MAX {
            let block = matches!(
                u32::from(c),
                0x590..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff | 0x1_0800..=0x1_0fff
                    | 0x1_e800..=0x1_efff
            );
            // One of these blocks is Ethiopic, which runs from left to right.
            if block && c.is_alphanumeric() && c.identifier_allowed() {
                let ethiopic = matches!(c, '\u{1e7e0}'..='\u{1e7ff}');
                assert_eq!(bidi_class(c) == BidiClass::L, ethiopic, "{c:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn each_text_of_the_old_tables_maps_as_it_did(
            text in "[a-zA-Zß0-9._-]{1,6}|[\\p{Arabic}\\p{Hebrew}0-9._-]{1,6}|[\\p{L}\\p{N}\\p{M}._-]{1,5}|[Ａ-ｚｦ-ﾟ가-힣あ-ヺ一-龥]{1,6}"
        ) {
            agrees_with_the_old_tables(&text);
            let decomposed: String = text.nfd().collect();
            agrees_with_the_old_tables(&decomposed);
        }
    }
}
