use proptest::prelude::*;

use super::*;

fn one(line: &str) -> Result<Option<ScriptLine>, ScriptError> {
    parse(line.as_bytes())
}

fn sends(line: &str) -> (CommandRef, String) {
    match one(line) {
        Ok(Some(ScriptLine::Send(ScriptCommand { command, params }))) => {
            (command, params.to_string())
        }
        other => panic!("{line:?} is {other:?}"),
    }
}

fn name(text: &str) -> CommandRef {
    CommandRef::Name(text.to_owned())
}

#[test]
fn a_line_names_a_command_and_gives_its_parameters() {
    assert_eq!(
        sends("QUERY_SERVER_TIME"),
        (name("QUERY_SERVER_TIME"), "null".to_owned())
    );
    assert_eq!(
        sends("  JOIN_ROOM \t \"a b\" \r"),
        (name("JOIN_ROOM"), "\"a b\"".to_owned())
    );
    assert_eq!(
        sends("7 \"a\""),
        (CommandRef::Number(7), "\"a\"".to_owned())
    );
    assert_eq!(
        sends("4294967295"),
        (CommandRef::Number(u32::MAX), "null".to_owned())
    );
    // Whether the parameters are JSON is found out when they are sent.
    assert_eq!(sends("JOIN_ROOM {"), (name("JOIN_ROOM"), "{".to_owned()));
}

#[test]
fn shown_messages_can_be_sent_again() {
    let params = r#"{"a": [1, 2.0], "big": 18446744073709551615}"#;
    let line = format!(r#"{{"command": "LOGIN", "params": {params}}}"#);
    assert_eq!(sends(&line), (name("LOGIN"), params.to_owned()));
    assert_eq!(
        sends(r#"{"command":115}"#),
        (CommandRef::Number(115), "null".to_owned())
    );
    assert_eq!(
        sends(r#"{"params":null,"command":"A"}"#),
        (name("A"), "null".to_owned())
    );
}

#[test]
fn directives_are_understood() {
    let expect = |command, subset: Option<&str>| {
        Ok(Some(ScriptLine::Expect(command, subset.map(str::to_owned))))
    };
    assert_eq!(
        one(".expect LOGIN_SUCCESS"),
        expect(name("LOGIN_SUCCESS"), None)
    );
    assert_eq!(
        one(".expect 204 {\"a\": 1}"),
        expect(CommandRef::Number(204), Some("{\"a\": 1}"))
    );
    assert_eq!(
        one(".sleep 0.25"),
        Ok(Some(ScriptLine::Sleep(Duration::from_millis(250))))
    );
    assert_eq!(
        one(".raw 00 fF\t01"),
        Ok(Some(ScriptLine::Raw(vec![0, 255, 1])))
    );
    assert_eq!(
        one(".frame 0000000100"),
        Ok(Some(ScriptLine::Frame(vec![0, 0, 0, 1, 0])))
    );
    assert_eq!(one(".quit"), Ok(Some(ScriptLine::Quit)));
    assert_eq!(one(".expect-close"), Ok(Some(ScriptLine::ExpectClose)));
    for nothing in ["", "   ", "# a comment", "\r"] {
        assert_eq!(one(nothing), Ok(None), "{nothing:?}");
    }
}

#[test]
fn mistakes_are_refused() {
    for usage in [
        ".expect",
        ".expect {}",
        ".sleep",
        ".sleep -1",
        ".sleep NaN",
        ".sleep inf",
        ".sleep 86401",
        ".raw",
        ".raw 0",
        ".raw xx",
        ".frame",
        ".frame 0x00",
        ".quit now",
        ".expect-close 1",
    ] {
        assert!(matches!(one(usage), Err(ScriptError::Usage(_))), "{usage}");
    }
    for directive in [".", ".sleeep 1", ". quit"] {
        assert_eq!(one(directive), Err(ScriptError::Directive), "{directive}");
    }
    for command in [
        "\"a\"",
        "-1",
        "4294967296",
        "7a",
        "LOG-IN {}",
        "中文",
        "\u{1b}[2J",
    ] {
        assert_eq!(one(command), Err(ScriptError::Command), "{command:?}");
    }
    for object in [
        "{",
        "{}",
        r#"{"command":-1}"#,
        r#"{"command":"A","param":1}"#,
        "{} x",
    ] {
        assert!(
            matches!(one(object), Err(ScriptError::Object { .. })),
            "{object}"
        );
    }
    assert_eq!(one(r#"{"command":"A B"}"#), Err(ScriptError::Command));
    assert_eq!(parse(b"LOGIN \xff"), Err(ScriptError::NotUtf8));
}

#[test]
fn no_error_quotes_a_password() {
    let error = one(r#"{"command":"LOGIN","params":{"password":"hunter2"},"hunter2":"hunter2"}"#);
    assert!(!error.unwrap_err().to_string().contains("hunter2"));
}

#[test]
fn a_script_is_refused_with_the_line_that_is_wrong() {
    let good = b"# login\nLOGIN {}\n\n.quit";
    let lines: Vec<usize> = parse_all(good)
        .unwrap()
        .iter()
        .map(|(line, _)| *line)
        .collect();
    assert_eq!(lines, [2, 4]);
    let bad = b"# login\n\nLOGIN {}\n.sleep x\n.wait";
    assert_eq!(
        parse_all(bad),
        Err((4, ScriptError::Usage(".sleep SECONDS (0 to 86400)")))
    );
}

proptest! {
    #[test]
    fn any_bytes_are_understood_or_refused(line in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse(&line);
    }

    #[test]
    fn bytes_are_written_in_hexadecimal(bytes in proptest::collection::vec(any::<u8>(), 1..40)) {
        let line = format!(".raw {}", hex::encode(&bytes));
        prop_assert_eq!(one(&line), Ok(Some(ScriptLine::Raw(bytes))));
    }

    #[test]
    fn an_object_means_what_the_short_form_means(number: u32, text in "\\PC{0,20}") {
        let params = serde_json::to_string(&text).unwrap();
        let object = format!(r#"{{"command":{number},"params":{params}}}"#);
        prop_assert_eq!(one(&object), one(&format!("{number} {params}")));
    }
}
