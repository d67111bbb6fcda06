//! `echat-nc` against the real server: two users, their scripts, and every way to end.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use echat_testkit::proxy::Proxy;
use echat_testkit::scene::{SECRET, Scene};
use echat_testkit::server_process::ServerProcess;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::ECHAT_NC;

/// A scene whose server is the real one.
fn scene(args: &[&str]) -> (Scene, ServerProcess) {
    let scene = Scene::new();
    let server = ServerProcess::start_in(&scene.path(""), args);
    (scene, server)
}

/// A link that pins the server's key.
fn link(server: &ServerProcess) -> String {
    format!("echat://{}/#{}", server.address(), server.fingerprint())
}

#[test]
fn two_scripts_meet_befriend_make_a_room_and_talk() {
    let (scene, server) = scene(&["--log", "off"]);
    let link = link(&server);
    for name in ["ann", "bob"] {
        scene.registers(&link, name);
    }
    // Both send a request; the second one makes the friendship.
    let ann = r#"
        ADD_FRIEND "bob"
        .expect NEW_CONTACT "bob"
        CREATE_ROOM {"roomname":"hall","members":["bob"]}
        .expect CREATE_ROOM_RESULT {"success":true}
        .expect ON_NEW_MESSAGE {"content":"hi all","sender":"bob","target":"hall"}
        SEND_MESSAGE {"target_type":0,"target":"bob","content":"hi bob","txn_id":"1"}
        .expect ON_NEW_MESSAGE {"content":"hi bob","txn_id":"1"}
        .expect ON_NEW_MESSAGE {"content":"bye","target":"bob"}
    "#;
    let bob = r#"
        ADD_FRIEND "ann"
        .expect NEW_CONTACT "ann"
        .expect ON_NEW_ROOM "hall"
        SEND_MESSAGE {"target_type":1,"target":"hall","content":"hi all"}
        .expect ON_NEW_MESSAGE {"content":"hi bob","sender":"ann","target":"ann"}
        LIST_MEMBERS "hall"
        .expect MEMBERS [{"username":"ann","owner":true},{"username":"bob","owner":false}]
        SEND_MESSAGE {"target_type":0,"target":"ann","content":"bye"}
    "#;
    let [ann, bob] =
        [("ann", ann), ("bob", bob)].map(|(name, text)| (name, scene.write(name, text)));
    thread::scope(|scope| {
        for (name, script) in [&ann, &bob] {
            let (scene, link) = (&scene, &link);
            scope.spawn(move || scene.run_as(link, name, &["-f", script]).exits(0));
        }
    });
    scene.registers(&link, "cyn");
    scene
        .run_as(&link, "cyn", &["ADD_FRIEND", "\"ann\""])
        .exits(0);
    scene
        .run_as(&link, "cyn", &["JOIN_ROOM", "\"hall\""])
        .exits(0);
    let accept = r#"{"username":"cyn","accepted":true}"#;
    let login = ["-v", "--user", "ann", "--password-env", "TEST_PASSWORD"];
    let asks = [&link, "RESOLVE_FRIEND_REQUEST", accept];
    let outcome = scene.run(&[&login[..], &asks].concat(), "").exits(0);
    assert!(
        outcome.out.contains(r#""pending_requests":["cyn"]"#),
        "{}",
        outcome.out
    );
    let outcome = scene
        .run_as(&link, "bob", &["QUERY_HISTORY", "{}"])
        .exits(0);
    let page = outcome.out.lines().last().unwrap();
    let at = ["hi all", "hi bob", "bye"].map(|content| page.find(content).expect(content));
    assert!(at.is_sorted());
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn a_new_key_is_remembered_and_a_changed_key_gets_no_data() {
    let (scene, server) = scene(&["--log", "off"]);
    let address = server.address().to_string();
    let fingerprint = server.fingerprint().to_owned();
    let unknown = scene.run(&[&address, "QUERY_SERVER_TIME"], "").exits(4);
    assert!(unknown.err.contains(&fingerprint), "{}", unknown.err);
    assert!(!scene.known_hosts().exists());
    scene
        .run(&["--accept-new", &address, "QUERY_SERVER_TIME"], "")
        .exits(0);
    let known = fs::read_to_string(scene.known_hosts()).unwrap();
    assert_eq!(known, format!("{address} {fingerprint}\n"));
    scene.run(&[&address, "QUERY_SERVER_TIME"], "").exits(0);
    scene
        .run(&["--fingerprint", &fingerprint, &address, "1"], "")
        .exits(0);
    server.stop();

    // The same address shows another key: what is known moves to the new server's address.
    fs::remove_file(scene.path("data/host_key")).unwrap();
    let server = ServerProcess::start_in(&scene.path(""), &["--init", "--log", "info"]);
    let moved = server.address().to_string();
    assert_ne!(server.fingerprint(), fingerprint);
    fs::write(scene.known_hosts(), known.replace(&address, &moved)).unwrap();
    let credentials = format!(r#"{{"username":"ann","password":"{SECRET}"}}"#);
    for option in [&[][..], &["--accept-new"], &["--fingerprint", &fingerprint]] {
        let args = [option, &[&moved, "REGISTER", &credentials]].concat();
        let refused = scene.run(&args, "").exits(4);
        assert_eq!(refused.out, "");
        assert!(
            refused.err.contains(server.fingerprint()),
            "{}",
            refused.err
        );
        assert!(refused.err.contains(&fingerprint), "{}", refused.err);
    }
    scene.run(&["--forget-host", &moved], "").exits(0);
    scene
        .run(&["--accept-new", &moved, "QUERY_SERVER_TIME"], "")
        .exits(0);
    let log = String::from_utf8(server.stop().stderr).unwrap();
    assert!(!log.contains("registered"), "{log}");
}

#[test]
fn every_end_has_its_exit_code() {
    let (scene, server) = scene(&["--log", "off"]);
    scene.registers(&link(&server), "ann");
    let link = link(&server);
    let run = |args: &[&str], input: &str| scene.run(args, input);
    run(&[&link, "QUERY_SERVER_TIME"], "").exits(0);
    run(&[&link], "QUERY_SERVER_TIME\n").exits(0);
    // 1: a refused request, a refused login, a goodbye before the end.
    assert!(
        run(&[&link, "LIST_ROOMS"], "")
            .exits(1)
            .out
            .contains("not_logged_in")
    );
    let wrong = scene.write("wrong", "wrong\n");
    let login = [
        "--user",
        "ann",
        "--password-file",
        &wrong,
        &link,
        "LIST_ROOMS",
    ];
    assert!(run(&login, "").exits(1).out.contains("bad_credentials"));
    run(&[&link], ".frame 00000001 09\nQUERY_SERVER_TIME\n").exits(1);
    // 2: what cannot be understood.
    run(&[&link, "--no-such-flag"], "").exits(2);
    run(&[&link], ".no-such-directive\n").exits(2);
    // 4: a key that was not asked for.
    let other = format!("SHA256:{}", "A".repeat(43));
    let address = server.address().to_string();
    run(&["--fingerprint", &other, &address, "1"], "").exits(4);
    // 5 and 6: what was waited for does not come, or something else does.
    run(
        &["-t", "0.05", "--until", "ON_NEW_MESSAGE", "-l", &link],
        "",
    )
    .exits(5);
    run(&[&link], "QUERY_SERVER_TIME\n.expect SEND_SERVER_TIME 1\n").exits(6);
    // 7: the connection is cut, as after bytes that are no frame.
    let garbage = format!(".raw {}\nQUERY_SERVER_TIME\n", "ff".repeat(64));
    run(&[&link], &garbage).exits(7);
    // 8: a file that is not there.
    run(
        &["-f", Path::new("/no/such/file").to_str().unwrap(), &link],
        "",
    )
    .exits(8);
    // 3: no server listens.
    assert_eq!(server.stop().status.code(), Some(0));
    run(&[&link, "QUERY_SERVER_TIME"], "").exits(3);
}

/// `params` of the first LOGIN_BUNDLE in an output.
fn bundle(out: &str) -> serde_json::Value {
    let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut bundles = lines.filter(|line: &serde_json::Value| line["command"] == "LOGIN_BUNDLE");
    bundles.next().unwrap()["params"].take()
}

#[test]
fn a_bot_notices_a_restored_backup_and_reads_its_history() {
    let (scene, mut server) = scene(&["--log", "off"]);
    scene.registers(&link(&server), "bot");
    let made = r#"{"roomname":"hall","members":[]}"#;
    let say = |scene: &Scene, server: &ServerProcess, line: &str| {
        let params = format!(r#"{{"target_type":1,"target":"hall","content":"{line}"}}"#);
        let login = ["-v", "--user", "bot", "--password-env", "TEST_PASSWORD"];
        let link = link(server);
        let said = scene.run(
            &[&login[..], &[&link, "SEND_MESSAGE", &params]].concat(),
            "",
        );
        bundle(&said.exits(0).out)
    };
    scene
        .run_as(&link(&server), "bot", &["CREATE_ROOM", made])
        .exits(0);
    say(&scene, &server, "kept");
    server.falls();
    let copy = |from: &str, to: &str| {
        let mut copy = Command::new("cp");
        copy.arg("-a").args([from, to]).current_dir(scene.path(""));
        assert!(copy.status().unwrap().success());
    };
    copy("data", "backup");
    server = ServerProcess::start_in(&scene.path(""), &["--log", "off"]);
    say(&scene, &server, "lost 1");
    say(&scene, &server, "lost 2");
    let known = say(&scene, &server, "lost 3");
    let history = known["history"].as_str().unwrap().to_owned();
    let newest = known["newest"].as_u64().unwrap();
    assert_eq!(newest, 3);
    let asks = |server: &ServerProcess, after: u64, history: &str| {
        let after = after.to_string();
        let page = format!(r#"{{"after":{after}}}"#);
        let login = ["--user", "bot", "--password-env", "TEST_PASSWORD"];
        let known = ["--after", &after, "--history", history];
        let link = link(server);
        let asked = [&link, "QUERY_HISTORY", &page];
        scene
            .run(&[&login[..], &known, &asked].concat(), "")
            .exits(0)
    };
    let event = "HISTORY_REPLACED";
    assert!(!asks(&server, newest, &history).out.contains(event));
    server.falls();
    fs::remove_dir_all(scene.path("data")).unwrap();
    copy("backup", "data");
    server = ServerProcess::start_in(&scene.path(""), &["--log", "off"]);
    let outcome = asks(&server, newest, &history);
    let lines = outcome.out.lines();
    let lines: Vec<&str> = lines.filter(|line| !line.contains("ON_WELCOME")).collect();
    assert_eq!(lines.len(), 4, "{}", outcome.out);
    let line: serde_json::Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!(line["event"], event);
    assert_eq!(line["params"]["newest"], 1);
    assert_eq!(line["params"]["known_after"], newest);
    assert_eq!(line["params"]["known_history"], history);
    assert!(lines[2].contains("LOGIN_BUNDLE"));
    // A name that the server does not have says so by itself.
    assert!(asks(&server, 0, "another").out.contains(event));
    let anew = asks(&server, 0, line["params"]["history"].as_str().unwrap());
    assert!(!anew.out.contains(event) && anew.out.contains("kept"));
}

#[test]
fn a_server_that_names_no_history_is_no_replacement() {
    let scene = Scene::new();
    let link = scene.link();
    let login = ["--user", "ann", "--password-env", "TEST_PASSWORD"];
    let known = ["--after", "9", "--history", "a", "-n", "1"];
    let outcome = scene.with(&[&login[..], &known, &[&link]].concat(), "", |server| {
        let mut end = server.accept();
        end.hears().unwrap();
        end.says(&[
            "LOGIN_SUCCESS \"ann\"",
            r#"LOGIN_BUNDLE {"chat_rooms":[],"friends":[],"online":[],"pending_requests":[],
                "messages":[],"unread":[],"more":[]}"#,
            "ON_NEW_ROOM \"hall\"",
        ]);
        end.hears_goodbye();
    });
    let outcome = outcome.exits(0);
    assert!(!outcome.out.contains("event"), "{}", outcome.out);
    assert!(outcome.err.contains("does not report its history"));
}

/// Listens through a network that is then gone. How it ends.
fn listens_in_silence(is_continued: bool) -> echat_testkit::scene::Outcome {
    let (scene, server) = scene(&["--log", "off"]);
    let front = Proxy::to(server.address());
    let link = format!("echat://{}/#{}", front.address(), server.fingerprint());
    let mut command = scene.command(ECHAT_NC);
    command
        .args(["-l", &link, "QUERY_SERVER_TIME"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = [0; 1];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    front.goes_silent();
    if is_continued {
        let pid = Pid::from_child(&child);
        kill_process(pid, Signal::STOP).unwrap();
        waitpid(Some(pid), WaitOptions::UNTRACED).unwrap();
        kill_process(pid, Signal::CONT).unwrap();
        // Long before a silence of the usual length ends.
        front.waits_for_swallowed();
    }
    echat_testkit::scene::outcome(child)
}

fn is_given_up(outcome: echat_testkit::scene::Outcome) {
    let outcome = outcome.exits(7);
    let said = "echat-nc: the server is not responding; the connection was closed\n";
    assert_eq!(outcome.err, said);
}

#[test]
fn a_continued_listener_pings_at_once() {
    is_given_up(listens_in_silence(true));
}

#[test]
#[ignore = "two minutes of silence"]
fn a_listener_gives_up_a_silent_server() {
    is_given_up(listens_in_silence(false));
}

#[test]
fn people_are_let_in_by_an_address_with_a_room_and_a_code() {
    let scene = Scene::new();
    let config = r#"{"server": {"registration": "invitation", "invitations": "users"}}"#;
    scene.write("config.json", config);
    let server = ServerProcess::start_in(&scene.path(""), &["--log", "off"]);
    let link = link(&server);
    let with = |code: &str, room: &str| {
        let link = link.replace("/#", &format!("/{room}#"));
        format!("{link}&invitation={}", code.trim())
    };
    let first = fs::read_to_string(scene.path("data/first_administrator_code")).unwrap();
    let room = r#"{"roomname":"class","members":[]}"#;
    let ann = with(&first, "");
    scene.run_as(&ann, "ann", &["CREATE_ROOM", room]).exits(0);
    let made = scene.run_as(&link, "ann", &["CREATE_INVITATION", r#"{"uses":1}"#]);
    let made: serde_json::Value = serde_json::from_str(&made.exits(0).out).unwrap();
    let code = made["params"]["code"].as_str().unwrap();
    let bob = with(code, "class");
    // The second time the account is there, and bob is a member.
    for _ in 0..2 {
        let rooms = scene.run_as(&bob, "bob", &["LIST_ROOMS"]).exits(0);
        assert_eq!(rooms.out.lines().count(), 1);
        assert!(rooms.out.contains(r#""roomname":"class""#), "{}", rooms.out);
    }
    // The code is used up, and a room that is not there is no entry.
    let refused = scene.run_as(&bob, "cyn", &["LIST_ROOMS"]).exits(1);
    assert!(refused.out.contains("bad_invitation"), "{}", refused.out);
    let nowhere = scene.run_as(&with(code, "nowhere"), "bob", &["LIST_ROOMS"]);
    assert!(nowhere.exits(1).out.contains("unknown_room"));
    // The code of the server is none for a private room: the account is made, and the reply that ends it is shown.
    let den = r#"{"roomname":"den","members":[],"private":true}"#;
    scene.run_as(&link, "ann", &["CREATE_ROOM", den]).exits(0);
    let made = scene.run_as(&link, "ann", &["CREATE_INVITATION", r#"{"uses":1}"#]);
    let made: serde_json::Value = serde_json::from_str(&made.exits(0).out).unwrap();
    let den = with(made["params"]["code"].as_str().unwrap(), "den");
    for said in ["the account is registered, but", "the room of the address"] {
        let refused = scene.run_as(&den, "cyn", &["LIST_ROOMS"]).exits(1);
        assert_eq!(refused.out.lines().count(), 1, "{}", refused.out);
        assert!(refused.out.starts_with(r#"{"command":"JOIN_ROOM_RESULT""#));
        assert!(refused.out.contains("unknown_room"), "{}", refused.out);
        assert!(refused.err.contains(said), "{}", refused.err);
    }
    // `follow` prints messages to standard output, and does not register.
    let options = ["--user", "dan", "--password-env", "TEST_PASSWORD"];
    let followed = scene.run(&[&["follow", "--once"], &options[..], &[&den]].concat(), "");
    let followed = followed.exits(1);
    assert_eq!(followed.out, "");
    assert!(
        followed.err.contains("follow does not register"),
        "{}",
        followed.err
    );
    assert!(
        followed.err.contains(r#"{"command":"LOGIN_FAILURE""#),
        "{}",
        followed.err
    );
}
