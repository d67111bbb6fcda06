//! The skeletons of names (UTS 39, section 4), so that no two names are confusable.
//!
//! People see a name in lower case and in capitals. `0` resembles a small `o` to most people and a capital `O` in
//! UTS 39; Cyrillic `в` resembles `B` only as a capital. So a name has several skeletons, and two names are
//! confusable if they share one. Merging them into one would make `ali` equal to `all`, since `I` resembles `l`.

use std::collections::BTreeSet;

use unicode_security::skeleton;

/// Separators: a name is also confusable with the name without them at its ends.
pub(super) const SEPARATORS: [char; 3] = ['_', '.', '-'];

/// How often a skeleton is folded at most. Two folds are enough for every current character.
const FOLDS: usize = 4;

/// The skeletons of a name in its stored form, sorted: at most six, usually two.
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

/// The skeleton of the lower case. Prototypes can be capitals (that of `0` is `O`), so they are folded too, until
/// nothing changes.
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

/// The skeleton of the upper case.
fn capital(name: &str) -> String {
    skeleton(&name.to_uppercase()).collect()
}

/// The skeleton of the upper case, with caseless characters seen as small letters: `1` as `L`, where [`capital`] has
/// `I`.
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
    fn confusable_names_share_a_skeleton() {
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
    fn distinct_names_share_no_skeleton() {
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
    fn a_name_has_few_skeletons() {
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
