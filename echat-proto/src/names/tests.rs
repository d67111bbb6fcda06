use crate::limits::CONTENT_MAX;
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;

fn stored(raw: &str) -> Result<String, NameError> {
    Username::new(raw).map(|name| name.as_str().to_owned())
}

fn same(a: &str, b: &str) {
    assert_eq!(Username::new(a), Username::new(b), "{a:?} and {b:?}");
    assert!(Username::new(a).is_ok(), "{a:?}");
}

#[test]
fn ordinary_names_are_stored_in_lower_case() {
    for (raw, name) in [
        ("Ann", "ann"),
        ("a", "a"),
        ("4chan", "4chan"),
        ("a_b.c-d", "a_b.c-d"),
        ("Жанна", "жанна"),
        ("Straße", "straße"),
        ("STRAẞE", "straße"),
        ("李雷", "李雷"),
        ("ann李", "ann李"),
        ("ひらカタ漢字", "ひらカタ漢字"),
        ("한국漢", "한국漢"),
        ("שלום", "שלום"),
    ] {
        assert_eq!(stored(raw).as_deref(), Ok(name), "{raw:?}");
        assert_eq!(
            RoomName::new(raw).map(|room| room.to_string()).as_deref(),
            Ok(name)
        );
    }
}

#[test]
fn one_name_has_one_form() {
    same("Zo\u{eb}", "Zoe\u{308}");
    same("ａｎｎ", "ANN");
    same("ΟΔΟΣ", "οδος");
    same("ｶﾅ", "カナ");
}

#[test]
fn a_decomposed_name_is_the_composed_one() {
    let decomposed: String = "한국漢".nfd().collect();
    assert_eq!(decomposed.chars().count(), 7, "six jamo and an ideograph");
    same("한국漢", &decomposed);
    assert_eq!(NameQuery::new(decomposed).key(), Some("한국漢"));
    // Twenty syllables, each three jamo of three bytes.
    same(&"각".repeat(20), &"\u{1100}\u{1161}\u{11a8}".repeat(20));
    // Jamo that make no syllable, and old ones, are no letters of a name.
    for jamo in ["\u{1100}", "한\u{1161}", "\u{1113}\u{1161}"] {
        assert!(
            matches!(stored(jamo), Err(NameError::BadCharacter(_))),
            "{jamo:?}"
        );
    }
}

#[test]
fn invisible_and_control_characters_are_refused() {
    for bad in [
        '\0',
        '\u{1b}',
        '\r',
        '\n',
        '\t',
        '\u{7f}',
        '\u{9b}',
        ' ',
        '\u{a0}',
        '\u{3000}',
        '\u{200b}',
        '\u{200d}',
        '\u{feff}',
        '\u{ad}',
        '\u{2028}',
        '\u{2029}',
        '\u{202e}',
        '\u{2066}',
        '\u{e0041}',
        '\u{fe0f}',
        '\u{301}',
        '\u{fffd}',
        '\u{e000}',
        '@',
        '#',
        '/',
        '+',
        '=',
        '😀',
        '🫩',
        '₽',
        '·',
        '・',
        '\u{378}',
    ] {
        for raw in [format!("q{bad}q"), format!("q{bad}"), bad.to_string()] {
            // q composes with no mark.
            let refused = matches!(
                stored(&raw),
                Err(NameError::BadCharacter(_) | NameError::Unstable)
            );
            assert!(refused, "{raw:?}: {:?}", stored(&raw));
            assert_eq!(NameQuery::new(raw).key(), None);
        }
    }
    assert!(stored(&format!("q{}", "\u{301}".repeat(100))).is_err());
    // Lower case of the dotted capital I is i and a mark of its own.
    assert_eq!(stored("İsmail"), Err(NameError::BadCharacter('\u{307}')));
}

#[test]
fn scripts_and_directions_are_not_mixed() {
    assert_eq!(stored("p\u{430}ypal"), Err(NameError::MixedScripts));
    assert_eq!(stored("annЖ"), Err(NameError::MixedScripts));
    assert_eq!(stored("annδ"), Err(NameError::MixedScripts));
    assert_eq!(stored("aשb"), Err(NameError::MixedDirections));
}

#[test]
fn letters_newer_than_unicode_6_3_are_letters() {
    for (raw, name) in [
        // Georgian capitals (11.0), Arabic letters (11.0, 13.0, 17.0), Ethiopic (14.0).
        ("ᲗᲐᲛᲐᲠ", "თამარ"),
        ("\u{8bb}\u{8c7}", "\u{8bb}\u{8c7}"),
        ("\u{88f}", "\u{88f}"),
        ("ሰላም\u{1e7e0}", "ሰላም\u{1e7e0}"),
    ] {
        assert_eq!(stored(raw).as_deref(), Ok(name), "{raw:?}");
        assert_eq!(NameQuery::new(raw).key(), Some(name));
    }
    // UTS 39 keeps these out of identifiers: Adlam, a capital for Gaulish, Vithkuqi, rare ideographs.
    for letter in ["\u{1e900}", "\u{a7c2}", "\u{10570}", "\u{30000}"] {
        let refused = matches!(stored(letter), Err(NameError::BadCharacter(_)));
        assert!(refused, "{letter:?}");
    }
}

#[test]
fn length_is_counted_after_normalisation() {
    assert!(stored(&"a".repeat(20)).is_ok());
    assert_eq!(stored(&"a".repeat(21)), Err(NameError::TooLong));
    assert!(stored(&"e\u{301}".repeat(20)).is_ok());
    // 20 characters, 60 and 64 and 65 bytes; the first are Han within the BMP, then beyond it.
    assert!(stored(&"李".repeat(20)).is_ok());
    assert!(stored(&format!("{}{}", "李".repeat(16), "𠜎".repeat(4))).is_ok());
    let long = format!("{}{}", "李".repeat(15), "𠜎".repeat(5));
    assert_eq!((long.len(), long.chars().count()), (65, 20));
    assert_eq!(stored(&long), Err(NameError::TooLong));
    assert_eq!(stored(&"a".repeat(1 << 20)), Err(NameError::TooLong));
    assert_eq!(stored(""), Err(NameError::Empty));
    for first in ['_', '.', '-'] {
        assert_eq!(
            stored(&format!("{first}a")),
            Err(NameError::BadStart(first))
        );
    }
}

#[test]
fn names_like_those_of_deleted_accounts_are_refused() {
    for name in [
        "deleted_account_2",
        "deleted.account.7",
        "Deleted-Account-19",
        "deletedaccount3",
        "deleted_account",
        "de1eted_acc0unt_4",
        "deleted_account_l",
        "deleted_account_O",
        "deleted__account__5",
    ] {
        assert_eq!(stored(name), Err(NameError::Reserved), "{name:?}");
    }
    assert!(stored("dеlеtеd-ассоunt-6").is_err(), "two scripts");
    for name in ["deleted", "account_2", "deleted_accounts", "accountant"] {
        assert!(stored(name).is_ok(), "{name:?}");
    }
}

#[test]
fn reserved_words_are_refused_but_can_be_asked_for() {
    for word in [
        "server",
        "Admin",
        "ＲＯＯＴ",
        "he1p",
        "管理员",
        "ѕуѕ\u{442}em",
    ] {
        assert!(stored(word).is_err(), "{word:?}");
    }
    for word in [
        "he1p",
        "r00t",
        "ro0t",
        "adm1n",
        "qu1t_",
        "system.",
        "SYSTEM-._",
        "管理员.",
    ] {
        assert_eq!(stored(word), Err(NameError::Reserved), "{word:?}");
    }
    let query = NameQuery::new("Server");
    assert_eq!((query.raw(), query.key()), ("Server", Some("server")));
}

#[test]
fn content_is_kept_unchanged() {
    let text = "two\n\tlines \u{202e}李";
    assert_eq!(Content::new(text).unwrap().as_str(), text);
    assert!(Content::new("a".repeat(CONTENT_MAX)).is_ok());
    assert_eq!(
        Content::new("a".repeat(CONTENT_MAX + 1)),
        Err(ContentError::TooLong(CONTENT_MAX + 1))
    );
    assert_eq!(Content::new(""), Err(ContentError::Empty));
    for c in ['\0', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}'] {
        assert_eq!(Content::new(format!("a{c}")), Err(ContentError::Control(c)));
    }
}

#[test]
fn a_txn_id_is_printable_ascii() {
    assert!(TxnId::new("!~").is_ok());
    assert!(TxnId::new("a".repeat(64)).is_ok());
    assert_eq!(TxnId::new(""), Err(TxnIdError::Length(0)));
    assert_eq!(TxnId::new("a".repeat(65)), Err(TxnIdError::Length(65)));
    assert_eq!(TxnId::new("a b"), Err(TxnIdError::Byte(b' ')));
    assert_eq!(TxnId::new("a\u{7f}"), Err(TxnIdError::Byte(0x7f)));
    assert_eq!(TxnId::new("é"), Err(TxnIdError::Byte(0xc3)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_stored_name_gives_itself(raw in "[\\p{L}\\p{N}\\p{M}]{1,8}") {
        if let Ok(name) = Username::new(&raw) {
            prop_assert_eq!(Username::new(name.as_str()), Ok(name.clone()));
            let query = NameQuery::new(name.as_str());
            prop_assert_eq!(query.key(), Some(name.as_str()));
        }
    }

    #[test]
    fn canonical_equivalents_are_one_name(raw in "[\\p{L}\\p{N}\\p{M}]{1,6}|[가-힣]{1,20}") {
        let (composed, decomposed): (String, String) = (raw.nfc().collect(), raw.nfd().collect());
        prop_assert_eq!(Username::new(&composed), Username::new(&decomposed));
        prop_assert_eq!(Username::new(&raw), Username::new(&composed));
    }

    #[test]
    fn a_stored_name_keeps_every_limit(raw in "\\PC{0,30}") {
        if let Some(key) = NameQuery::new(raw).key() {
            prop_assert!((1..=20).contains(&key.chars().count()) && key.len() <= 64);
            prop_assert!(key.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c)));
            prop_assert!(key.chars().next().is_some_and(char::is_alphanumeric));
        }
    }

    #[test]
    fn any_text_is_accepted_or_refused_without_a_panic(raw in any::<String>()) {
        let _ = Username::new(&raw).map(|name| name.looks());
        if let Ok(content) = Content::new(raw.clone()) {
            prop_assert_eq!(content.as_str(), raw.as_str());
        }
        if let Ok(kept) = Password::new(&raw) {
            let presented = Password::presented(&raw).unwrap();
            prop_assert_eq!(kept.as_bytes(), presented.as_bytes());
        }
    }
}
