//! Bells and notifications, as the terminal gets them.

use echat_testkit::scene::{SECRET, Scene};
use echat_testkit::server_end::{End, Server};
use echat_testkit::side_by_side;
use echat_testkit::terminal::person::{Person, SETSID};
use serde_json::json;

use crate::server_folder::ECHAT;

fn arrives(server: &Server) -> End {
    let mut end = server.accept();
    end.hears().expect("LOGIN");
    end.says(&[
        "LOGIN_SUCCESS \"ann\"",
        r#"LOGIN_BUNDLE {"chat_rooms":["room1","room2"],"friends":["bob"],"online":[],
            "pending_requests":[],"messages":[],"unread":[],"more":[]}"#,
    ]);
    end.says_that_the_user_is_back("ann");
    end
}

fn message(id: u64, kind: u8, target: &str, content: &str) -> String {
    let mut message = json!({
        "id": id, "content": content, "sender": "bob", "target_type": kind,
        "send_time": 1_795_355_498, "target": target,
    });
    if content.contains("@ann") {
        message["mentions"] = json!(["ann"]);
    }
    format!("ON_NEW_MESSAGE {message}")
}

/// What is said at once rings once a conversation, in one way.
#[test]
fn a_conversation_rings_once_and_in_one_way() {
    let cases = [
        ("off", ("VTE_VERSION", "7200"), ""),
        ("bell", ("VTE_VERSION", "7200"), ""),
        ("auto", ("VTE_VERSION", "7200"), "osc [\"777\", "),
        ("auto", ("TERM_PROGRAM", "iTerm.app"), "osc [\"9\", "),
        ("auto", ("TMUX", "/nowhere,1,0"), ""),
        ("osc9", ("TMUX", "/nowhere,1,0"), "osc [\"9\", "),
        ("osc777", ("LC_TERMINAL", "iTerm2"), "osc [\"777\", "),
    ];
    side_by_side::each(cases.into_iter(), |(notify, environment, own)| {
        let scene = Scene::new();
        let settings = format!(r#"{{"client": {{"notify": "{notify}"}}}}"#);
        scene.write("config.json", &settings);
        let password = scene.write("password", SECRET);
        let mut command = scene.command(SETSID);
        for inherited in ["TMUX", "STY", "ZELLIJ", "TERM_PROGRAM", "LC_TERMINAL"] {
            command.env_remove(inherited);
        }
        command.env_remove("VTE_VERSION");
        command.env("TERM", "xterm").env("LANG", "C.UTF-8");
        command.env(environment.0, environment.1);
        command.current_dir(scene.path(""));
        let link = scene.link();
        let login = ["--user", "ann", "--password-file", &password, &link];
        let mut ann = Person::starts(command, ECHAT, &login);
        let mut end = arrives(&scene.server);
        ann.sees("Logged in as ann.");
        ann.emulator().take_requests();
        // In one write, which the client takes in one turn of its loop.
        let said = [
            message(1, 1, "room1", "@ann one; two\u{1b}]9;three"),
            message(2, 1, "room1", "@ann?"),
            message(3, 1, "room1", "not for this reader"),
            message(4, 0, "ann", "hello"),
            message(5, 1, "room1", "@ann!"),
            message(6, 1, "room2", "@ann"),
            message(7, 0, "ann", "again"),
        ];
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        end.says(&said);
        end.says(&[&message(8, 1, "room1", "the end")]);
        ann.sees_that("all eight", |screen| {
            screen.rest_from("contact [8, @4]> ").is_some()
        });
        let asked = ann.emulator().take_requests();
        let rang = asked.iter().filter(|asked| *asked == "bell").count();
        let notes: Vec<&String> = asked.iter().filter(|asked| *asked != "bell").collect();
        assert_eq!(rang, 3, "{notify} {environment:?}: {asked:?}");
        let expected = if own.is_empty() { 0 } else { 3 };
        assert_eq!(notes.len(), expected, "{notify} {environment:?}: {asked:?}");
        for note in notes {
            assert!(note.starts_with(own) && !note.contains(';'), "{note}");
            assert!(!note.contains("\\u{1b}"), "{note}");
        }
        ann.types("\\d\r");
        end.hears_goodbye();
        ann.reads_to_the_end();
        ann.has_the_terminal_back();
    });
}
