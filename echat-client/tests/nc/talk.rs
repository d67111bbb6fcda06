//! What `echat-nc` sends, shows and ends with, against a server that does as it is told.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;

use echat_proto::channel::Incoming;
use echat_testkit::scene::{SECRET, Scene, outcome};

use crate::ECHAT_NC;

const ECHAT: &str = env!("CARGO_BIN_EXE_echat");
const TIME: &str = "{\"command\":\"SEND_SERVER_TIME\",\"params\":5}\n";

#[test]
fn one_command_is_answered_and_the_program_says_goodbye() {
    let event = r#"{"command":"ON_NEW_ROOM","params":"\u001b[2J\u009b"}"#;
    for (flags, shown) in [
        (&[][..], TIME.to_owned()),
        (&["-v"], format!("{event}\n{TIME}")),
        (&["-n", "2"], format!("{event}\n{TIME}")),
        (&["--until", "SEND_SERVER_TIME"], format!("{event}\n{TIME}")),
    ] {
        let scene = Scene::new();
        let link = scene.link();
        let arguments = [flags, &[&link, "QUERY_SERVER_TIME"]].concat();
        let outcome = scene.with(&arguments, "", |server| {
            let mut end = server.accept();
            end.hears_line("QUERY_SERVER_TIME");
            end.says(&["ON_NEW_ROOM \"\\u001b[2J\\u009b\"", "SEND_SERVER_TIME 5"]);
            end.hears_goodbye();
        });
        let outcome = outcome.exits(0);
        assert_eq!(outcome.out, shown, "{flags:?}");
        assert_eq!(outcome.err.is_empty(), !flags.contains(&"-v"));
    }
}

#[test]
fn an_address_registers_with_its_code_and_joins_its_room() {
    let scene = Scene::new();
    let code = "7KQM-2XWD-RT9H-C4VB";
    let link = format!(
        "{}&invitation={code}",
        scene.link().replace("/#", "/class#")
    );
    let arguments = [
        "--user",
        "ann",
        "--password-env",
        "TEST_PASSWORD",
        &link,
        "LIST_ROOMS",
    ];
    let login = format!(r#"LOGIN {{"username":"ann","password":"{SECRET}"}}"#);
    let outcome = scene.with(&arguments, "", |server| {
        let mut end = server.accept();
        end.hears_line(&login);
        end.says(&["LOGIN_FAILURE {\"code\":\"bad_credentials\"}"]);
        end.hears_line(&format!(
            r#"REGISTER {{"username":"ann","password":"{SECRET}","invitation":"{code}"}}"#
        ));
        end.says(&["REGISTER_SUCCESS \"ann\""]);
        end.hears_line(&login);
        end.says(&["LOGIN_SUCCESS \"ann\"", "LOGIN_BUNDLE {}"]);
        end.hears_line(r#"JOIN_ROOM "class""#);
        end.says(&["JOIN_ROOM_RESULT {\"success\":true}"]);
        end.hears_line("LIST_ROOMS");
        end.says(&["ROOMS []"]);
        end.hears_goodbye();
    });
    let outcome = outcome.exits(0);
    assert_eq!(outcome.out, "{\"command\":\"ROOMS\",\"params\":[]}\n");
}

#[test]
fn the_secret_of_a_login_is_printed_only_if_that_is_asked_for() {
    let secret = "Zm9yIGEgdGVzdCBvZiB0aGUgb3V0cHV0IG9ubHkuLi4";
    for shows in [false, true] {
        let scene = Scene::new();
        let link = scene.link();
        let bundle = format!(r#"LOGIN_BUNDLE {{"friends":["bob"],"resume":"{secret}"}}"#);
        let expects = format!(".expect LOGIN_BUNDLE {{\"resume\":\"{secret}\"}}\n");
        let input = format!("QUERY_SERVER_TIME\n{expects}");
        let flags: &[&str] = if shows {
            &["--show-secrets", &link]
        } else {
            &[&link]
        };
        let outcome = scene.with(flags, &input, |server| {
            let mut end = server.accept();
            end.hears_line("QUERY_SERVER_TIME");
            end.says(&[&bundle, "SEND_SERVER_TIME 5"]);
            end.hears_goodbye();
        });
        let outcome = outcome.exits(0);
        let shown = if shows {
            secret.to_owned()
        } else {
            "*".repeat(secret.len())
        };
        let printed = format!(r#""params":{{"friends":["bob"],"resume":"{shown}"}}}}"#);
        assert!(outcome.out.contains(&printed), "{}", outcome.out);
    }
}

#[test]
fn a_refusal_is_shown_and_is_the_exit_code() {
    let scene = Scene::new();
    let outcome = scene.with(&[&scene.link(), "LIST_ROOMS"], "", |server| {
        let mut end = server.accept();
        end.hears_line("LIST_ROOMS");
        end.says(&[r#"REFUSED {"code":"not_logged_in","command":17}"#]);
        end.hears_goodbye();
    });
    assert!(outcome.exits(1).out.contains("not_logged_in"));
}

#[test]
fn lines_of_a_pipe_are_sent_without_waiting() {
    let scene = Scene::new();
    let input = "QUERY_SERVER_TIME\n# a comment\n1\n{\"command\":1,\"params\":null}";
    let outcome = scene.with(&[&scene.link()], input, |server| {
        let mut end = server.accept();
        for _ in 0..3 {
            end.hears_line("QUERY_SERVER_TIME");
        }
        end.says(&["SEND_SERVER_TIME 5"; 3]);
        end.hears_goodbye();
    });
    assert_eq!(outcome.exits(0).out, TIME.repeat(3));
}

#[test]
fn a_script_waits_for_what_it_expects() {
    let scene = Scene::new();
    let script = "REGISTER {}\n.expect 102 \"ann\"\nQUERY_SERVER_TIME\n.sleep 0.01\n\
                  .expect SEND_SERVER_TIME\n.frame 0000004d00\n.expect 204 {\"command\":77}\n";
    let script = scene.write("script", script);
    let outcome = scene.with(&[&scene.link(), "-f", &script], "", |server| {
        let mut end = server.accept();
        end.hears_line("REGISTER {}");
        end.says(&["PING", "REGISTER_SUCCESS \"ann\""]);
        assert_eq!(end.hears(), Some(Incoming::Pong));
        end.hears_line("QUERY_SERVER_TIME");
        end.says(&["SEND_SERVER_TIME 5"]);
        end.hears_line("77");
        end.says(&["COMMAND_WRONG {\"code\":\"unknown_command\",\"command\":77}"]);
        end.hears_goodbye();
    });
    assert_eq!(outcome.exits(0).out.lines().count(), 3);
}

#[test]
fn a_failed_expectation_shows_what_came_instead() {
    let scene = Scene::new();
    let input = "QUERY_SERVER_TIME\n.expect SEND_SERVER_TIME 6\nLIST_ROOMS\n";
    let outcome = scene.with(&[&scene.link()], input, |server| {
        let mut end = server.accept();
        end.hears_line("QUERY_SERVER_TIME");
        end.says(&["SEND_SERVER_TIME 5"]);
        end.hears_goodbye();
    });
    let outcome = outcome.exits(6);
    assert_eq!(outcome.out, TIME);
    assert!(
        outcome
            .err
            .contains("line 2: expected SEND_SERVER_TIME 6: "),
        "{}",
        outcome.err
    );
    assert!(outcome.err.contains(TIME), "{}", outcome.err);
}

#[test]
fn a_login_comes_first_and_its_password_stays_hidden() {
    let login = format!(r#"LOGIN {{"username":"ann","password":"{SECRET}"}}"#);
    for show in [false, true] {
        let scene = Scene::new();
        let mut arguments = vec!["-vv", "--user", "ann", "--password-env", "TEST_PASSWORD"];
        let link = scene.link();
        arguments.extend(show.then_some("--show-secrets"));
        arguments.extend([&link, "LIST_ROOMS"]);
        let outcome = scene.with(&arguments, "", |server| {
            let mut end = server.accept();
            end.hears_line(&login);
            end.says(&["LOGIN_SUCCESS \"ann\"", "LOGIN_BUNDLE {}"]);
            end.hears_line("LIST_ROOMS");
            end.says(&["ROOMS []"]);
            end.hears_goodbye();
        });
        let outcome = outcome.exits(0);
        assert_eq!(outcome.out.lines().count(), 3);
        assert_eq!(outcome.err.contains(SECRET), show, "{}", outcome.err);
        assert!(outcome.err.contains("  username: str \"ann\"\n"));
        assert!(
            outcome
                .err
                .contains(" bytes on the wire\n  0000  45 43 48 32 01 02 01 00 ")
        );
    }
}

#[test]
fn a_refused_login_ends_the_program() {
    let scene = Scene::new();
    let password = scene.write("password", "wrong\n");
    let link = scene.link().replace("echat://", "echat://ann@");
    let arguments = ["--password-file", &password, &link, "LIST_ROOMS"];
    let outcome = scene.with(&arguments, "", |server| {
        let mut end = server.accept();
        end.hears_line(r#"LOGIN {"username":"ann","password":"wrong"}"#);
        end.says(&["LOGIN_FAILURE {\"code\":\"bad_credentials\"}"]);
        end.hears_goodbye();
    });
    assert!(outcome.exits(1).err.contains("the login was refused"));
}

#[test]
fn listening_ends_after_the_wanted_count() {
    let scene = Scene::new();
    for stop in [
        &["-n", "2"][..],
        &["--until", "ON_NEW_CONTACT"],
        &["--until", "108"],
    ] {
        let link = scene.link();
        let arguments = [stop, &[&link]].concat();
        if stop[1] == "ON_NEW_CONTACT" {
            assert!(
                scene
                    .run(&arguments, "")
                    .exits(2)
                    .err
                    .contains("NEW_CONTACT")
            );
            continue;
        }
        let outcome = scene.with(&arguments, "", |server| {
            let mut end = server.accept();
            end.says(&["ON_NEW_ROOM \"a\"", "NEW_CONTACT \"b\""]);
            end.hears_goodbye();
        });
        assert_eq!(outcome.exits(0).out.lines().count(), 2);
    }
}

#[test]
fn the_time_limit_is_kept() {
    let scene = Scene::new();
    let silent = |server: &echat_testkit::server_end::Server| {
        let mut end = server.accept();
        while end.hears().is_some_and(|heard| heard != Incoming::Close(0)) {}
    };
    let link = scene.link();
    scene
        .with(&["-t", "0.05", &link, "LIST_ROOMS"], "", silent)
        .exits(5);
    scene
        .with(&["-t", "0.05", "-l", &link], "", silent)
        .exits(0);
    let script = scene.write("script", ".expect 101");
    scene
        .with(&["-t", "0.5", &link, "-f", &script], "", silent)
        .exits(6);
}

#[test]
fn input_may_be_a_file_or_nothing() {
    let scene = Scene::new();
    let path = scene.write("input", "QUERY_SERVER_TIME\n");
    for (input, lines) in [(path.as_str(), 1), ("/dev/null", 0)] {
        let outcome = thread::scope(|scope| {
            scope.spawn(|| {
                let mut end = scene.server.accept();
                for _ in 0..lines {
                    end.hears_line("QUERY_SERVER_TIME");
                    end.says(&["SEND_SERVER_TIME 5"]);
                }
                end.hears_goodbye();
            });
            let mut command = scene.command(ECHAT_NC);
            command.arg(scene.link()).stdin(File::open(input).unwrap());
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            outcome(command.spawn().unwrap())
        });
        assert_eq!(outcome.exits(0).out, TIME.repeat(lines));
    }
}

#[test]
fn output_that_does_not_fit_at_once_is_sent_in_parts() {
    let scene = Scene::new();
    let lines = 3000;
    let content = "x".repeat(2000);
    let line = format!("FIND {{\"keyword\":\"{content}\"}}\n");
    let outcome = scene.with(&[&scene.link()], &line.repeat(lines), |server| {
        let mut end = server.accept();
        for _ in 0..lines {
            assert!(matches!(end.hears(), Some(Incoming::Message(_))));
        }
        end.says(&["FOUND {}"].repeat(lines));
        end.hears_goodbye();
    });
    assert_eq!(outcome.exits(0).out.lines().count(), lines);
}

#[test]
fn a_closed_output_ends_the_program() {
    let scene = Scene::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut end = scene.server.accept();
            end.says(&["ON_NEW_ROOM \"a\""]);
            end.hears_goodbye();
        });
        let mut command = scene.command(ECHAT_NC);
        command.args(["-l", &scene.link()]).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let outcome = outcome(child).exits(8);
        assert_eq!(outcome.err, "");
    });
}

/// What a server does with the next connection.
type Misbehaviour = fn(&TcpListener);

/// What does not come up, and how both programs say so: each names the server once.
#[test]
fn an_error_names_the_server_once() {
    let scene = Scene::new();
    scene.write("password", SECRET);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let refuses = |_: &TcpListener| ();
    let hangs_up = |listener: &TcpListener| drop(listener.accept());
    let babbles = |listener: &TcpListener| {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&[b'x'; 4096]).unwrap();
        // The client closes first, so that it reads all of this.
        let _ = stream.read(&mut [0; 4096]);
    };
    let kinds: [(&str, Misbehaviour); 3] = [
        ("refuses", refuses),
        ("hangs up", hangs_up),
        ("babbles", babbles),
    ];
    for (kind, act) in kinds {
        for (program, args) in [
            (ECHAT_NC, &["QUERY_SERVER_TIME"][..]),
            (ECHAT, &["--user", "ann", "--password-file", "password"]),
        ] {
            // A port that nothing listens on is one that was just let go of.
            let listener = (kind != "refuses").then(|| silent.try_clone().unwrap());
            let address = match &listener {
                Some(_) => address,
                None => TcpListener::bind("127.0.0.1:0")
                    .unwrap()
                    .local_addr()
                    .unwrap(),
            };
            let mut command = scene.command(program);
            command.arg(address.to_string()).args(args);
            command
                .current_dir(scene.path(""))
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let child = command.spawn().unwrap();
            if let Some(listener) = &listener {
                act(listener);
            }
            let outcome = outcome(child);
            let said = format!("{}{}", outcome.out, outcome.err);
            let named = said.matches(&address.to_string()).count();
            assert_eq!(named, 1, "{program} {kind}: {said}");
            let words: Vec<&str> = said.split(": ").collect();
            assert_eq!(
                words.len(),
                words.iter().collect::<BTreeSet<_>>().len(),
                "{said}"
            );
        }
    }
}
