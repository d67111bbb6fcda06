//! The real server's own terminal: what an administrator types, and what a client did, control
//! nothing there. It is here because a person at a terminal is.

use echat_testkit::scene::{SECRET, Scene, text};
use echat_testkit::terminal::person::{Person, SETSID};

/// What a client sends as a name, and an administrator may paste.
const HOSTILE: &str = "\x1b]52;c;QQ==\x07\x1b[2J";

#[test]
fn no_text_controls_the_console_of_the_server() {
    let scene = Scene::new();
    let data = text(&scene.path("data"));
    let args = ["--listen", "127.0.0.1:0", "--data", &data, "--log", "warn"];
    let server = text(echat_testkit::programs::server());
    let mut admin = Person::starts(scene.command(SETSID), &server, &args);
    let address = admin.reads_line("listening on ");
    let address = address.split(' ').next().unwrap();

    let hostile = format!(
        r#"{{"username":{},"password":"{SECRET}"}}"#,
        escaped(HOSTILE)
    );
    let ann = format!(r#"{{"username":"ann","password":"{SECRET}"}}"#);
    for (command, credentials, code) in [("REGISTER", &ann, 0), ("LOGIN", &hostile, 1)] {
        scene
            .run(&["--accept-new", address, command, credentials], "")
            .exits(code);
    }
    admin.sees("login failed user=\"?\"");
    admin.types("users\r");
    admin.sees("ann");
    admin.types(&format!("{HOSTILE}\r"));
    admin.sees(r"\u{1b}]52;c;QQ==\u{7}\u{1b}[2J: unknown command; try help");
    admin.types("quit\r");
    let (code, shown) = admin.ends();
    assert_eq!(code, 0, "{shown:?}");
    // All that is left of escapes are the log's own colours.
    for part in shown.split('\x1b').skip(1) {
        let colour = part.strip_prefix('[').and_then(|rest| rest.split_once('m'));
        let colour = colour.map(|(numbers, _)| numbers);
        let is_colour = |numbers: &str| numbers.chars().all(|c| c.is_ascii_digit() || c == ';');
        assert!(colour.is_some_and(is_colour), "{shown:?}");
    }
    assert!(!shown.contains('\x07'), "{shown:?}");
}

/// A text as JSON.
fn escaped(text: &str) -> String {
    echat_proto::json::to_json(&text.into())
}
