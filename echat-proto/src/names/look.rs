//! What a name looks like (UTS 39 section 4), so that no two names can be taken for each other.
//!
//! A name is seen in lower case, and in capitals where people write it: `0` is like a small `o` to
//! most people and like a capital `O` to UTS 39, Cyrillic `в` is like `B` only as a capital. So a name has
//! several looks, and two names are alike when they share one. They are not merged into one: `ali`
//! would then be `all`, since `I` is like `l`.

use std::collections::BTreeSet;

use unicode_security::skeleton;

/// Separators: a name is also like the name without them at its ends.
const SEPARATORS: [char; 3] = ['_', '.', '-'];

/// How often a skeleton is folded before it is taken as it is. Two folds settle every one of today.
const FOLDS: usize = 4;

/// The looks of a name in its stored form, sorted: at most six, mostly two.
pub(super) fn looks(name: &str) -> BTreeSet<String> {
    let bare = name.trim_matches(SEPARATORS);
    let mut looks = BTreeSet::new();
    for name in [name, bare] {
        if !name.is_empty() {
            looks.insert(small(name));
            looks.insert(capital(name));
            looks.insert(capital_with_small_digits(name));
        }
    }
    looks
}

/// In lower case. Prototypes may be capitals (`0` has `O`), so they are folded too, until nothing
/// changes.
fn small(name: &str) -> String {
    let mut look: String = skeleton(&name.to_lowercase()).collect();
    for _ in 0..FOLDS {
        let folded = skeleton(&look.to_lowercase()).collect();
        if folded == look {
            break;
        }
        look = folded;
    }
    look
}

/// In upper case.
fn capital(name: &str) -> String {
    skeleton(&name.to_uppercase()).collect()
}

/// In upper case, with what has no case seen as small letters: `1` as `L`, where [`capital`] sees `I`.
fn capital_with_small_digits(name: &str) -> String {
    let mut seen = String::with_capacity(name.len());
    for c in name.chars() {
        let cased = c.is_lowercase() || c.is_uppercase();
        if cased {
            seen.push(c);
        } else {
            seen.push_str(&small(c.encode_utf8(&mut [0; 4])));
        }
    }
    capital(&seen)
}

#[cfg(test)]
mod tests {
    use unicode_security::GeneralSecurityProfile;

    use super::*;

    fn alike(a: &str, b: &str) -> bool {
        !looks(a).is_disjoint(&looks(b))
    }

    #[test]
    fn names_that_can_be_taken_for_each_other_share_a_look() {
        for (a, b) in [
            ("paypal", "paypa1"),
            ("сосо", "coco"),
            ("corner", "comer"),
            // Digits like small letters, like capitals, and both in one name.
            ("bob", "b0b"),
            ("ian", "1an"),
            ("lan", "1an"),
            ("google", "g00gle"),
            ("google", "go0gle"),
            ("google", "g00g1e"),
            ("diana0", "d1anao"),
            ("hello_world", "he11o_w0r1d"),
            // Letters that are alike as capitals only, with digits among them too.
            ("вова", "boba"),
            ("вор1", "bop1"),
            ("вор1", "bopl"),
            ("ρενα", "pena"),
            ("straße", "strasse"),
            // Separators at the end.
            ("bob", "bob_"),
            ("bob", "bob."),
            ("bob-", "bob"),
            ("bob_", "bob."),
            ("b0b_", "bob__.-"),
            ("علي.", "علي۰"),
        ] {
            assert!(alike(a, b), "{a} {:?} and {b} {:?}", looks(a), looks(b));
        }
    }

    #[test]
    fn names_that_people_tell_apart_share_no_look() {
        for (a, b) in [
            ("ann", "anna"),
            ("ali", "all"),
            ("ian", "lan"),
            ("bill", "bili"),
            ("5am", "sam"),
            ("b-ob", "bob"),
            ("b.ob", "b_ob"),
            ("wow", "vvovv"),
            ("ann1", "ann2"),
            ("علي١", "علي١٠"),
            ("李雷", "李磊"),
            ("жанна", "hanna"),
        ] {
            assert!(!alike(a, b), "{a} {:?} and {b} {:?}", looks(a), looks(b));
        }
    }

    #[test]
    fn a_name_has_few_looks() {
        assert_eq!(looks("ann").len(), 2);
        assert_eq!(looks("b0b_").len(), 4);
        let possible = |c: &char| c.is_alphanumeric() && c.identifier_allowed();
        for c in ('\0'..=char::MAX).filter(possible) {
            let name = format!("a{c}1_");
            assert!((1..=6).contains(&looks(&name).len()), "{name:?}");
            // Every look is settled: more folds would change nothing.
            let look = small(&name);
            assert_eq!(skeleton(&look.to_lowercase()).collect::<String>(), look);
        }
    }
}
