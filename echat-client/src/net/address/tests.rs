use proptest::prelude::*;

use super::*;

const KEY: &str = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";

fn target(text: &str) -> Result<LinkTarget, AddressError> {
    text.parse()
}

fn shown(text: &str) -> String {
    target(text).unwrap().address.to_string()
}

#[test]
fn an_address_has_one_spelling() {
    assert_eq!(shown("Chat.Example.ORG:7000"), "chat.example.org:7000");
    assert_eq!(shown("127.0.0.1:1"), "127.0.0.1:1");
    assert_eq!(shown("[2001:DB8:0:0::1]:65535"), "[2001:db8::1]:65535");
    assert_eq!(shown("ECHAT://Host:0080"), "host:80");
}

#[test]
fn the_resolver_gets_an_ipv6_address_without_brackets() {
    let address = target("[::1]:7000").unwrap().address;
    assert_eq!((address.host(), address.port()), ("::1", 7000));
}

#[test]
fn a_link_carries_user_room_and_key() {
    let full = target(&format!("echat://ann@host:7000/%E4%B8%AD%E6%96%87#{KEY}")).unwrap();
    assert_eq!(full.user.as_deref(), Some("ann"));
    assert_eq!(full.room.as_deref(), Some("中文"));
    assert_eq!(full.fingerprint, Some(KEY.parse().unwrap()));

    let pinned = target(&format!("echat://[::1]:7000/#{KEY}")).unwrap();
    assert_eq!((pinned.user, pinned.room), (None, None));
    assert_eq!(pinned.fingerprint, Some(KEY.parse().unwrap()));
    assert_eq!(
        target(&format!("echat://[::1]:7000#{KEY}")).unwrap().room,
        None
    );

    let escaped = format!("echat://host:1/#{}", KEY.replace('/', "%2F"));
    assert_eq!(
        target(&escaped).unwrap().fingerprint,
        Some(KEY.parse().unwrap())
    );
}

const CODE: &str = "7KQM-2XWD-RT9H-C4VB";

fn code_of(target: &LinkTarget) -> Option<String> {
    let code = target.invitation.as_ref()?;
    code.key().map(|key| key.to_string())
}

#[test]
fn a_link_carries_an_invitation_with_and_without_room_and_key() {
    for (link, room, has_key) in [
        (
            format!("echat://host:1/room1#{KEY}&invitation={CODE}"),
            Some("room1"),
            true,
        ),
        (
            format!("echat://host:1/#{KEY}&invitation={CODE}"),
            None,
            true,
        ),
        (
            format!("echat://host:1#invitation={CODE}&{KEY}"),
            None,
            true,
        ),
        (
            format!("echat://host:1/room1#invitation={CODE}"),
            Some("room1"),
            false,
        ),
        (
            "echat://host:1/#&invitation=7kqm2xwdrt9hc4vb&".to_owned(),
            None,
            false,
        ),
        (
            "echat://host:1/#invitation=7KQM%2D2XWD%20RT9H%20C4VB".to_owned(),
            None,
            false,
        ),
    ] {
        let found = target(&link).unwrap();
        assert_eq!(code_of(&found).as_deref(), Some(CODE), "{link}");
        assert_eq!(found.room.as_deref(), room, "{link}");
        assert_eq!(found.fingerprint.is_some(), has_key, "{link}");
    }
    assert_eq!(target("echat://host:1/#").unwrap().fingerprint, None);
}

#[test]
fn a_link_may_be_cut_into_rows() {
    let link = format!("echat://host:1/room1#{KEY}&invitation={CODE}");
    for at in [8, 14, 20, 30, 60, 80, link.len() - 3] {
        let cut = format!("{}\n    {} ", &link[..at], &link[at..]);
        assert_eq!(target(&cut), target(&link), "{cut}");
    }
}

#[test]
fn a_link_is_written_as_it_is_read() {
    for link in [
        format!("echat://host:1/room1#{KEY}&invitation={CODE}"),
        format!("echat://ann@[::1]:1/中文#{KEY}"),
        format!("echat://host:1/#invitation={CODE}"),
        "echat://host:1/".to_owned(),
        "echat://host:1/a%27%20%26b%24".to_owned(),
    ] {
        let found = target(&link).unwrap();
        assert_eq!(found.to_string(), link);
        assert_eq!(found.quoted(), format!("'{link}'"));
    }
}

#[test]
fn every_mistake_has_its_own_error() {
    use AddressError as E;
    for (text, error) in [
        ("", E::NoPort),
        ("host", E::NoPort),
        ("host:", E::NoPort),
        ("[::1]", E::NoPort),
        (":7000", E::NoHost),
        ("host:0", E::BadPort),
        ("host:65536", E::BadPort),
        ("host:+80", E::BadPort),
        ("host:80 ", E::BadPort),
        ("ho st:80", E::BadHost),
        ("hôst:80", E::BadHost),
        ("host\u{1b}[2J:80", E::BadHost),
        ("::1:80", E::Unbracketed),
        ("[host]:80", E::BadIpv6),
        ("[::1:80", E::BadIpv6),
        ("http://host:80", E::Scheme),
        ("ann@host:80", E::UserWithoutLink),
        ("echat://ann:secret@host:80", E::Password),
        ("echat://@host:80", E::NoUser),
        ("echat://host:80/a/b", E::Extra),
        ("echat://host:80/?a", E::Extra),
        ("echat://a%4@host:80", E::BadEscape),
        ("echat://a%+4@host:80", E::BadEscape),
        ("echat://a%ff@host:80", E::BadEscape),
        (
            "echat://host:80/#SHA256:short",
            E::Fingerprint(FingerprintError),
        ),
        ("echat://", E::NoPort),
        ("echat://host:80/#code=1", E::UnknownPart),
        ("echat://host:80/#invite", E::Fingerprint(FingerprintError)),
        ("echat://host:80/#invitation=", E::BadInvitation),
        (
            "echat://host:80/#invitation=7KQM-2XWD-RT9H",
            E::BadInvitation,
        ),
        (
            "echat://host:80/#invitation=7KQM-2XWD-RT9H-C4VB&invitation=7KQM-2XWD-RT9H-C4VB",
            E::Repeated,
        ),
        ("echat://host:80/?invitation=7KQM-2XWD-RT9H-C4VB", E::Extra),
        ("echat://host:80/&invitation=7KQM-2XWD-RT9H-C4VB", E::NoHash),
        (
            "echat://host:80/room1&invitation=7KQM-2XWD-RT9H-C4VB",
            E::NoHash,
        ),
    ] {
        assert_eq!(target(text), Err(error), "{text:?}");
    }
    let long = "a".repeat(MAX_HOST + 1);
    assert_eq!(target(&format!("{long}:80")), Err(E::BadHost));
    assert!(target(&format!("{}:80", &long[1..])).is_ok());
}

#[test]
fn no_error_repeats_a_password() {
    let error = target("echat://ann:secret@host:80").unwrap_err();
    assert!(!error.to_string().contains("secret"));
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in "(echat://)?\\PC{0,60}") {
        if let Ok(found) = target(&text) {
            let spelled = found.address.to_string();
            prop_assert_eq!(spelled.parse::<Address>(), Ok(found.address));
            prop_assert!(!spelled.contains(char::is_whitespace));
        }
    }

    #[test]
    fn every_room_is_written_so_that_it_is_read_again(room in "\\PC{1,20}") {
        let link = LinkTarget { room: Some(room.clone()), ..target("host:1").unwrap() };
        prop_assert!(!link.to_string().contains('\''));
        prop_assert_eq!(target(&link.to_string()).unwrap().room, Some(room));
    }

    #[test]
    fn escaped_text_is_decoded_again(user in "\\PC{1,20}") {
        let escaped = user.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02x}"));
        let found = target(&format!("echat://{escaped}@host:1")).unwrap();
        prop_assert_eq!(found.user, Some(user));
    }
}
