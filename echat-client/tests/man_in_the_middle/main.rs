//! An attacker between the real debug client and the real server: with a key of its own it hears
//! nothing, and whatever it changes ends the connection by its exit code and without wrong output.

mod middle;
mod own_key;
mod tampered;

use std::fs;

use echat_testkit::scene::{Outcome, SECRET, Scene};
use echat_testkit::server_process::ServerProcess;
use middle::{Middle, Seen, Tampering};

/// A scene with the real server, and users who are friends.
fn scene(users: [&str; 2]) -> (Scene, ServerProcess) {
    let scene = Scene::new();
    let config = scene.write(
        "no_rates.json",
        r#"{"server":{"limits":{"message_rate":0}}}"#,
    );
    let server = ServerProcess::start_in(&scene.path(""), &["--log", "off", "--config", &config]);
    let direct = format!("echat://{}/#{}", server.address(), server.fingerprint());
    for name in users {
        scene
            .run(&[&direct, "REGISTER", &credentials(name)], "")
            .exits(0);
    }
    for (name, other) in [(users[0], users[1]), (users[1], users[0])] {
        let script = format!(
            "{}ADD_FRIEND \"{other}\"\n.expect ADD_FRIEND_RESULT\n",
            login(name)
        );
        scene.run(&[&direct], &script).exits(0);
    }
    (scene, server)
}

fn credentials(name: &str) -> String {
    format!(r#"{{"username":"{name}","password":"{SECRET}"}}"#)
}

fn login(name: &str) -> String {
    format!("LOGIN {}\n.expect LOGIN_BUNDLE\n", credentials(name))
}

/// What known_hosts says of an address.
fn knows(scene: &Scene, address: &str, fingerprint: &str) {
    fs::write(scene.known_hosts(), format!("{address} {fingerprint}\n")).unwrap();
}

/// Runs a script through the middle.
fn through(scene: &Scene, middle: &Middle, script: &str, tampering: &Tampering) -> (Outcome, Seen) {
    let mut seen = Seen::default();
    // No run ends by its time, however busy the machine is.
    let arguments = ["-t", "60", "--connect-timeout", "60", &middle.address()];
    let outcome = scene.with(&arguments, script, |_| {
        seen = middle.carry(tampering);
    });
    (outcome, seen)
}
