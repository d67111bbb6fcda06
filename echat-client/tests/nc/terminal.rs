//! `echat-nc` on a terminal: questions, a hidden password, and mistakes that end nothing.

use std::thread;

use echat_testkit::scene::{SECRET, Scene};
use echat_testkit::terminal::person::{Person, SETSID};
use rustix::process::{Signal, WaitStatus};

use crate::ECHAT_NC;

/// Starts a program with other dispositions of signals.
const ENV: &str = "/usr/bin/env";
const DEFAULT_SIGNALS: &str = "--default-signal=HUP,INT,QUIT,TERM";

#[test]
fn an_unknown_server_is_asked_about_and_remembered() {
    let scene = Scene::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            scene.server.show_key();
            let mut end = scene.server.accept();
            end.hears_line("QUERY_SERVER_TIME");
            end.says(&["SEND_SERVER_TIME 5"]);
            end.hears_line("LIST_ROOMS");
            end.says(&[r#"REFUSED {"code":"not_logged_in","command":17}"#]);
            end.hears_goodbye();
        });
        let mut person =
            Person::starts(scene.command(SETSID), ECHAT_NC, &[&scene.server.address()]);
        person.sees(&scene.server.fingerprint());
        person.sees("Type yes");
        person.types("yes\n");
        person.sees("> ");
        person.types("NONSENSE\n");
        person.sees("unknown command NONSENSE");
        person.types("QUERY_SERVER_TIME\n");
        person.sees("{\"command\":\"SEND_SERVER_TIME\",\"params\":5}");
        person.types("LIST_ROOMS\n");
        person.sees("not_logged_in");
        person.types("\u{4}");
        let (code, shown) = person.ends();
        assert_eq!(code, 0, "a person has seen the refusal: {shown}");
    });
    let known = std::fs::read_to_string(scene.known_hosts()).unwrap();
    assert_eq!(
        known,
        format!(
            "{} {}\n",
            scene.server.address(),
            scene.server.fingerprint()
        )
    );
}

#[test]
fn only_a_typed_yes_is_accepted() {
    for (almost, answer) in [("y\n", "\n"), ("yse\n", "n\n"), ("", "\n"), ("", "\u{4}")] {
        let scene = Scene::new();
        thread::scope(|scope| {
            scope.spawn(|| scene.server.show_key());
            let mut person =
                Person::starts(scene.command(SETSID), ECHAT_NC, &[&scene.server.address()]);
            person.sees("Type yes");
            if !almost.is_empty() {
                person.types(almost);
                person.sees("Please type yes or no");
            }
            person.types(answer);
            assert_eq!(person.ends().0, 4, "{almost:?} {answer:?}");
        });
        assert!(!scene.known_hosts().exists());
    }
}

#[test]
fn a_dumb_terminal_gets_no_escape_code() {
    for (term, has_escapes) in [(Some("dumb"), false), (None, false), (Some("xterm"), true)] {
        let scene = Scene::new();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut end = scene.server.accept();
                end.hears_line("QUERY_SERVER_TIME");
                end.says(&["SEND_SERVER_TIME 5"]);
                end.hears_goodbye();
            });
            let mut command = scene.command(SETSID);
            command.env_remove("TERM");
            command.envs(term.map(|term| ("TERM", term)));
            let mut person = Person::starts(command, ECHAT_NC, &[&scene.link()]);
            person.sees("> ");
            person.types("QUERY_SERVER_TIME\n");
            person.sees("{\"command\":\"SEND_SERVER_TIME\",\"params\":5}");
            person.types("\u{4}");
            let (code, shown) = person.ends();
            assert_eq!(
                (code, shown.contains('\u{1b}')),
                (0, has_escapes),
                "{term:?}: {shown}"
            );
        });
    }
}

/// Serves one session of ann, which asks for the rooms.
fn serve_a_login(scene: &Scene) {
    let mut end = scene.server.accept();
    end.hears_line(&format!(
        r#"LOGIN {{"username":"ann","password":"{SECRET}"}}"#
    ));
    end.says(&["LOGIN_SUCCESS \"ann\"", "LOGIN_BUNDLE {}"]);
    end.hears_line("LIST_ROOMS");
    end.says(&["ROOMS []"]);
    end.hears_goodbye();
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let scene = Scene::new();
    thread::scope(|scope| {
        scope.spawn(|| serve_a_login(&scene));
        let mut person = Person::starts(
            scene.command(SETSID),
            ECHAT_NC,
            &["-vv", "--user", "ann", &scene.link()],
        );
        person.sees("password of \"ann\": ");
        person.types(&format!("{SECRET}x\u{7f}\r"));
        person.sees("LOGIN_BUNDLE");
        person.sees("> ");
        // The line discipline works again: a line feed ends a line.
        person.types("LIST_ROOMS\n");
        person.sees("{\"command\":\"ROOMS\",\"params\":[]}");
        person.types("\u{4}");
        let (code, shown) = person.ends();
        assert_eq!(code, 0, "{shown}");
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(!shown.contains("\u{1b}[?1049h"), "{shown}");
    });
}

#[test]
fn a_signal_at_the_question_for_a_password_restores_the_terminal() {
    for signal in [Signal::TERM, Signal::HUP, Signal::QUIT, Signal::INT] {
        let scene = Scene::new();
        let link = scene.link();
        // Also where the tests themselves ignore them.
        let arguments = [DEFAULT_SIGNALS, ECHAT_NC, "follow", "--user", "ann", &link];
        let mut person = Person::starts(scene.command(SETSID), ENV, &arguments);
        person.sees("password of");
        person.types("secret");
        person.signals(signal);
        person.reads_to_the_end();
        person.has_the_terminal_back();
        let by = WaitStatus::terminating_signal(person.waits());
        assert_eq!(by, Some(signal.as_raw()), "{}", person.shown());
        assert!(!person.shown().contains("secret"));
    }
}

#[test]
fn a_signal_after_the_question_for_a_password_ends_the_program() {
    for signal in [Signal::TERM, Signal::INT] {
        let scene = Scene::new();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut end = scene.server.accept();
                end.hears_line(&format!(
                    r#"LOGIN {{"username":"ann","password":"{SECRET}"}}"#
                ));
                end.says(&["LOGIN_SUCCESS \"ann\"", "LOGIN_BUNDLE {}"]);
                assert_eq!(end.hears(), None);
            });
            let link = scene.link();
            let arguments = [DEFAULT_SIGNALS, ECHAT_NC, "--user", "ann", &link];
            let mut person = Person::starts(scene.command(SETSID), ENV, &arguments);
            person.sees("password of");
            person.types(&format!("{SECRET}\r"));
            person.sees("LOGIN_BUNDLE");
            person.signals(signal);
            let by = WaitStatus::terminating_signal(person.waits());
            assert_eq!(by, Some(signal.as_raw()), "{}", person.shown());
        });
    }
}

#[test]
fn an_ignored_signal_stays_ignored_at_the_question_for_a_password_and_after_it() {
    let scene = Scene::new();
    thread::scope(|scope| {
        scope.spawn(|| serve_a_login(&scene));
        // As under nohup(1).
        let link = scene.link();
        let arguments = ["--ignore-signal=HUP", ECHAT_NC, "--user", "ann", &link];
        let mut person = Person::starts(scene.command(SETSID), ENV, &arguments);
        person.sees("password of");
        person.signals(Signal::HUP);
        person.types(&format!("{SECRET}\r"));
        person.sees("LOGIN_BUNDLE");
        person.signals(Signal::HUP);
        person.types("LIST_ROOMS\n");
        person.sees("{\"command\":\"ROOMS\",\"params\":[]}");
        person.types("\u{4}");
        let (code, shown) = person.ends();
        assert_eq!(code, 0, "{shown}");
    });
}

#[test]
fn a_password_need_not_be_given() {
    let scene = Scene::new();
    thread::scope(|scope| {
        scope.spawn(|| scene.server.accept().hears_goodbye());
        let mut person = Person::starts(
            scene.command(SETSID),
            ECHAT_NC,
            &["--user", "ann", &scene.link()],
        );
        person.sees("password of");
        person.types("\u{3}");
        let (code, shown) = person.ends();
        assert_eq!(code, 2, "{shown}");
    });
}
