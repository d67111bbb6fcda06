//! Whom `echat-nc` trusts, what it makes of connections that go wrong, and its exit codes.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use echat_proto::channel::{ChannelError, Incoming};
use echat_proto::frame::BadLength;
use echat_testkit::scene::Scene;
use echat_testkit::server_end::{Server, some_bytes};

use crate::ECHAT_NC;

/// Answers one connection that asks for nothing.
fn greet(server: &Server) {
    server.accept().hears_goodbye();
}

#[test]
fn an_unknown_server_is_refused_without_a_terminal() {
    let scene = Scene::new();
    let address = scene.server.address();
    let outcome = scene
        .with(&[&address], "LOGIN {}", Server::show_key)
        .exits(4);
    let key = scene.server.fingerprint();
    assert!(
        outcome.err.contains(&format!("--fingerprint {key}")),
        "{}",
        outcome.err
    );
    assert!(!scene.known_hosts().exists());
    scene
        .with(&["--fingerprint", &key, &address], "", greet)
        .exits(0);
    assert!(
        !scene.known_hosts().exists(),
        "a pinned key is not remembered"
    );
}

#[test]
fn a_new_server_is_remembered_once_and_can_be_forgotten() {
    let scene = Scene::new();
    let address = scene.server.address();
    let line = format!("{address} {}\n", scene.server.fingerprint());
    scene.with(&["--accept-new", &address], "", greet).exits(0);
    for _ in 0..2 {
        assert_eq!(std::fs::read_to_string(scene.known_hosts()).unwrap(), line);
        scene.with(&["--accept-new", &address], "", greet).exits(0);
        scene.with(&[&address], "", greet).exits(0);
    }
    let mode = std::fs::metadata(scene.known_hosts())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let outcome = scene.run(&["--forget-host", &address], "").exits(0);
    assert!(outcome.err.contains("was removed from the known servers"));
    scene.with(&[&address], "", Server::show_key).exits(4);
    assert!(
        scene
            .run(&["--forget-host", &address], "")
            .exits(0)
            .err
            .contains("is not a known server")
    );
}

/// Ways in which known_hosts can be read and not written, which hold for root too.
fn unwritable(scene: &Scene) -> Vec<std::path::PathBuf> {
    let paths = ["locked/known_hosts", "half/known_hosts", "null"].map(|name| scene.path(name));
    std::fs::create_dir_all(scene.path("locked/known_hosts.lock")).unwrap();
    std::fs::create_dir_all(scene.path("half/known_hosts.tmp")).unwrap();
    std::os::unix::fs::symlink("/dev/null", &paths[2]).unwrap();
    let mut paths = paths.to_vec();
    if cfg!(target_os = "linux") {
        paths.push("/proc/echat/known_hosts".into());
    }
    paths
}

#[test]
fn a_key_that_cannot_be_remembered_can_be_pinned() {
    let scene = Scene::new();
    let address = scene.server.address();
    for path in unwritable(&scene) {
        let run = |arguments: &[&str], server: fn(&Server)| {
            std::thread::scope(|scope| {
                scope.spawn(|| server(&scene.server));
                let mut command = scene.command(ECHAT_NC);
                command.env("ECHAT_KNOWN_HOSTS", &path).args(arguments);
                let output = command.stdin(std::process::Stdio::null()).output().unwrap();
                let said = String::from_utf8(output.stderr).unwrap();
                (output.status.code(), said)
            })
        };
        let (code, said) = run(&["--accept-new", &address, "LIST_ROOMS"], |server| {
            assert_eq!(server.accept().hears(), None);
        });
        assert_eq!(code, Some(8), "{said}");
        let link = said.rsplit("the address: ").next().unwrap().trim_end();
        assert_eq!(link, scene.link(), "{said}");
        let (code, said) = run(&[link], greet);
        assert_eq!(code, Some(0), "{said}");
    }
}

#[test]
fn nothing_overrides_a_changed_key() {
    let scene = Scene::new();
    let (address, shown) = (scene.server.address(), scene.server.fingerprint());
    let known = Server::new(2).fingerprint();
    scene.write("known_hosts", &format!("junk\n{address} {known}\n"));
    for options in [&[][..], &["--accept-new"], &["--fingerprint", &shown]] {
        let arguments = [options, &[&address, "LIST_ROOMS"]].concat();
        let outcome = scene.with(&arguments, "", Server::show_key).exits(4);
        assert!(
            outcome.err.contains(&known) && outcome.err.contains(&shown),
            "{}",
            outcome.err
        );
        assert!(outcome.err.contains(&format!("--forget-host {address}")));
        assert!(outcome.err.contains("cannot parse line 1"));
    }
}

#[test]
fn a_pinned_key_must_be_the_one_shown() {
    let scene = Scene::new();
    let (address, other) = (scene.server.address(), Server::new(2).fingerprint());
    scene
        .with(
            &[&format!("echat://{address}/#{other}")],
            "",
            Server::show_key,
        )
        .exits(4);
}

#[test]
fn a_bad_signature_is_not_trusted() {
    let scene = Scene::new();
    let outcome = scene.with(&[&scene.link()], "LIST_ROOMS", |server| {
        let mut stream = server.accept_raw();
        let (mut flight, _) = server.flight(&mut stream);
        flight[500] ^= 1;
        stream.write_all(&flight).unwrap();
        assert_eq!(some_bytes(&mut stream), None);
    });
    outcome.exits(4);
}

#[test]
fn an_address_without_an_echat_server_is_a_connection_error() {
    let scene = Scene::new();
    let link = scene.link();
    let closed = scene
        .with(&[&link], "", |server| drop(server.accept_raw()))
        .exits(3);
    assert!(
        closed.err.contains("not an echat/2 server"),
        "{}",
        closed.err
    );
    let other = scene.with(&[&link], "", |server| {
        server
            .accept_raw()
            .write_all(b"220 mail.example.org ESMTP\r\n")
            .unwrap();
    });
    other.exits(3);
    let silent = scene.with(&["--connect-timeout", "0.05", &link], "", |server| {
        let mut stream = server.accept_raw();
        while some_bytes(&mut stream).is_some() {}
    });
    silent.exits(3);
    scene.run(&["no-such-host.invalid:1"], "").exits(3);
}

#[test]
fn errors_in_a_script_are_found_before_anything_is_sent() {
    let scene = Scene::new();
    let link = scene.link();
    let bad = scene.write("bad", "QUERY_SERVER_TIME\n.expect\n");
    for arguments in [
        &[&link, "QUERY_SERVER_TIM"][..],
        &[&link, "FIND", "{"],
        &[&link, "-f", &bad],
        &[&link, "--user", "a", "--password-env", "NO_SUCH_VARIABLE"],
        &["host"],
        &[],
    ] {
        scene.run(arguments, "").exits(2);
    }
    scene.run(&[&link, "-f", "/no/such/file"], "").exits(8);
    let outcome = scene.with(&[&link], "QUERY_SERVER_TIME\nNONSENSE\n", |server| {
        server.accept();
    });
    assert!(
        outcome
            .exits(2)
            .err
            .contains("line 2: unknown command NONSENSE")
    );
}

#[test]
fn each_kind_of_end_has_its_own_exit_code() {
    let scene = Scene::new();
    let link = scene.link();
    let one = [&*link, "LIST_ROOMS"];
    let cut = scene
        .with(&one, "", |server| drop(server.accept()))
        .exits(7);
    assert!(cut.err.contains("connection lost"), "{}", cut.err);

    let kicked = scene.with(&one, "", |server| {
        let mut end = server.accept();
        end.hears_line("LIST_ROOMS");
        end.says(&["SERVER_KICK", "CLOSE_NOTIFY 6"]);
        assert_eq!(end.hears(), None);
    });
    let kicked = kicked.exits(1);
    assert!(
        kicked
            .out
            .ends_with("{\"command\":\"CLOSE_NOTIFY\",\"params\":6}\n")
    );
    assert!(kicked.err.contains("Kicked"), "{}", kicked.err);

    let malformed = scene.with(&one, "", |server| {
        let mut end = server.accept();
        end.hears_line("LIST_ROOMS");
        end.says_plain(b"\0\0\0\x65\x09");
        assert_eq!(end.hears(), Some(Incoming::Close(2)));
        assert_eq!(end.hears(), None);
    });
    malformed.exits(7);

    let tampered = scene.with(&one, "", |server| {
        let mut end = server.accept();
        end.hears_line("LIST_ROOMS");
        end.says_bytes(&[[0, 0, 0, 16, 0].as_slice(), &[0; 64]].concat());
        assert_eq!(end.hears(), None);
    });
    assert!(tampered.exits(7).err.contains("tag"));
}

#[test]
fn the_wire_can_be_broken_on_purpose() {
    let scene = Scene::new();
    let raw = scene.with(
        &[&scene.link()],
        ".raw 00 00 00 01\n.expect-close\n",
        |server| {
            let error = server.accept().tries_to_hear().unwrap_err();
            assert_eq!(error, ChannelError::BadLength(BadLength(1)));
        },
    );
    raw.exits(0);

    let raw = scene.with(
        &["--no-handshake", &scene.server.address()],
        ".raw 45434832\n.raw 00\n",
        |server| {
            let mut stream = server.accept_raw();
            let mut heard = Vec::new();
            while heard.len() < 5 {
                heard.extend(some_bytes(&mut stream).unwrap());
            }
            assert_eq!(heard, b"ECH2\0");
            stream.write_all(b"\x00\xff").unwrap();
        },
    );
    assert_eq!(raw.exits(0).out, "{\"$bytes\":\"00ff\"}\n");
    let address = scene.server.address();
    let refused = scene.with(&["--no-handshake", &address], "LIST_ROOMS", |server| {
        // Until the client has gone: a close that it sees first would be the reason to end.
        let mut stream = server.accept_raw();
        assert!(some_bytes(&mut stream).is_none());
    });
    refused.exits(2);
}

#[test]
fn offline_commands_need_no_server() {
    let scene = Scene::new();
    assert!(
        scene
            .run(&["commands"], "")
            .exits(0)
            .out
            .contains("SEND_MESSAGE")
    );
    assert!(
        scene
            .run(&["describe", "LOGIN"], "")
            .exits(0)
            .out
            .contains("LOGIN_BUNDLE")
    );
    scene.run(&["describe", "LOGON"], "").exits(2);
    let plain = scene.run(&["encode", "LIST_ROOMS"], "").exits(0).out;
    assert_eq!(plain, "0000001100\n");
    let line = "{\"command\":\"LIST_ROOMS\",\"params\":null}\n";
    assert_eq!(scene.run(&["decode"], &plain).exits(0).out, line);
    assert!(
        scene
            .run(&["--help"], "")
            .exits(0)
            .out
            .contains("Exit codes:")
    );
    assert!(
        scene
            .run(&["--version"], "")
            .exits(0)
            .out
            .starts_with("echat-nc ")
    );
}
