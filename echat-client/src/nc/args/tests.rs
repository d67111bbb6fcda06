use super::*;
use crate::exit::Exit;

const KEY: &str = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
const OTHER: &str = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn mode(words: &[&str]) -> Result<RunMode, clap::Error> {
    parse(["echat-nc"].iter().chain(words).map(OsString::from))
}

fn online(words: &[&str]) -> Online {
    match mode(words) {
        Ok(RunMode::Online(online)) => *online,
        other => panic!("{words:?} is {other:?}"),
    }
}

fn refused(words: &[&str]) -> String {
    mode(words).expect_err("refused").to_string()
}

#[test]
fn an_address_alone_reads_standard_input() {
    let online = online(&["Host:7000"]);
    assert_eq!(online.server.address.to_string(), "host:7000");
    assert_eq!(online.source, ScriptSource::Stdin);
    assert!(online.handshake && !online.server.accept_new && online.login.is_none());
    assert_eq!(online.server.connect_timeout, Duration::from_secs(10));
}

#[test]
fn a_link_has_what_a_login_needs() {
    let link = format!("echat://ann@h:1/class#{KEY}&invitation=7KQM-2XWD-RT9H-C4VB");
    let login = online(&[&link]).login.unwrap();
    assert_eq!(login.user, "ann");
    assert_eq!(login.room.as_deref(), Some("class"));
    assert!(login.invitation.is_some());
    let broken = refused(&["echat://h:1/#invitation=7KQM", "FIND"]);
    assert!(
        broken.contains("the invitation code is not complete"),
        "{broken}"
    );
}

#[test]
fn the_room_of_a_link_is_followed() {
    let room = |words: &[&str]| match mode(&[&["follow", "--user", "ann"], words].concat()) {
        Ok(RunMode::Follow(follow)) => follow.room,
        other => panic!("{words:?} is {other:?}"),
    };
    assert_eq!(room(&["echat://h:1/tea"]).as_deref(), Some("tea"));
    assert_eq!(
        room(&["--room", "tea", "echat://h:1/tea"]).as_deref(),
        Some("tea")
    );
    assert_eq!(room(&["echat://h:1"]), None);
    let two = [
        "follow",
        "--user",
        "ann",
        "--room",
        "den",
        "echat://h:1/tea",
    ];
    assert!(refused(&two).contains("two different rooms"));
}

#[test]
fn a_command_may_follow_even_one_named_like_offline_work() {
    let line = |name: &str, params: &str| {
        let command = CommandRef::Name(name.to_owned());
        ScriptSource::Once(ScriptCommand {
            command,
            params: params.into(),
        })
    };
    assert_eq!(online(&["h:1", "FIND", "{}"]).source, line("FIND", "{}"));
    assert_eq!(online(&["h:1", "FIND"]).source, line("FIND", "null"));
    assert_eq!(online(&["h:1", "FIND {}"]).source, line("FIND", "{}"));
    assert_eq!(
        online(&["h:1", r#"{"command":"FIND","params":{}}"#]).source,
        line("FIND", "{}")
    );
    assert_eq!(
        online(&["h:1", "commands"]).source,
        line("commands", "null")
    );
    assert_eq!(
        online(&["-n", "2", "h:1", "-v", "FIND"]).stop.count,
        Some(2)
    );
}

#[test]
fn offline_words_need_no_address() {
    assert!(matches!(
        mode(&["commands"]),
        Ok(RunMode::Offline(Offline::Commands))
    ));
    assert!(matches!(
        mode(&["describe", "7"]),
        Ok(RunMode::Offline(Offline::Describe { .. }))
    ));
    assert!(matches!(
        mode(&["encode"]),
        Ok(RunMode::Offline(Offline::Encode {
            name: None,
            json: None
        }))
    ));
    let Ok(RunMode::Offline(Offline::Decode { hex })) = mode(&["decode", "00", "01"]) else {
        panic!("no decode");
    };
    assert_eq!(hex, ["00".into(), "01".into()]);
}

#[test]
fn a_link_brings_user_and_key() {
    let link = format!("echat://ann@host:1/#{KEY}");
    let online = online(&[&link, "--password-env", "PW"]);
    assert_eq!(online.server.pinned.unwrap().to_string(), KEY);
    let login = online.login.unwrap();
    assert_eq!(login.user, "ann");
    assert_eq!(
        login.password,
        Some(password::PasswordSource::Variable("PW".to_owned()))
    );
    assert!(refused(&[&link, "--fingerprint", OTHER]).contains("two different keys"));
}

#[test]
fn contradictory_options_are_refused() {
    for words in [
        &[][..],
        &["host"],
        &["h:1", "--password-env", "PW"],
        &[
            "h:1",
            "--user",
            "a",
            "--password-env",
            "PW",
            "--password-file",
            "f",
        ],
        &["h:1", "--accept-new", "--fingerprint", KEY],
        &["h:1", "--fingerprint", "SHA256:x"],
        &["h:1", "-f", "script", "FIND"],
        &["h:1", "--no-handshake", "FIND"],
        &["h:1", "--no-handshake", "--user", "a"],
        &["h:1", "--forget-host", "h:1"],
        &["--forget-host", "h"],
        &["h:1", "-n", "0"],
        &["h:1", "-t", "-1"],
        &["h:1", "-t", "soon"],
        &["h:1", "--until", "A B"],
        &["h:1", "A-B"],
        &["-v", "commands", "x"],
    ] {
        refused(words);
    }
}

#[test]
fn a_server_can_be_forgotten() {
    let Ok(RunMode::Forget(address)) = mode(&["--forget-host", "H:1"]) else {
        panic!("not forgotten")
    };
    assert_eq!(address.to_string(), "h:1");
}

#[test]
fn a_password_in_a_link_is_not_repeated() {
    assert!(!refused(&["echat://ann:secret@host:1"]).contains("secret"));
}

#[test]
fn help_lists_every_exit_code_and_directive() {
    let help = refused(&["--help"]);
    assert!(help.contains(&Exit::table(Exit::ALL)));
    for word in [
        ".expect NAME",
        ".expect-close",
        ".sleep",
        ".raw",
        ".frame",
        ".quit",
    ] {
        assert!(help.contains(word), "{word}");
    }
    assert!(refused(&["-h"]).contains(&Exit::table(Exit::ALL)));
}
