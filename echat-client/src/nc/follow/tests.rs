//! A follower and a server that the test plays.

use std::ffi::OsString;
use std::thread;

use echat_testkit::scene::{SECRET, Scene};
use echat_testkit::server_end::End;

use super::super::args::{RunMode, parse};
use super::*;

/// The server's end of a connection on which the follower has logged in.
fn followed(scene: &Scene) -> End {
    let mut end = scene.server.accept();
    end.hears_line(&format!(
        r#"LOGIN {{"username":"ann","password":"{SECRET}"}}"#
    ));
    end.says(&["LOGIN_SUCCESS \"ann\"", "LOGIN_BUNDLE {}"]);
    end
}

#[test]
fn worn_out_keys_are_told_before_the_follower_connects_again() {
    let scene = Scene::new();
    let (password, link) = (scene.write("password", SECRET), scene.link());
    let words = [
        "echat-nc",
        "follow",
        "--user",
        "ann",
        "--password-file",
        &password,
        &link,
    ];
    let RunMode::Follow(options) = parse(words.map(OsString::from)).unwrap() else {
        panic!("no follower");
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut end = followed(&scene);
            let worn_out = CloseReason::KeyWornOut as u64;
            assert_eq!(end.hears(), Some(Incoming::Close(worn_out)));
            assert_eq!(end.hears(), None);
            drop(end);
            followed(&scene).says(&["SERVER_KICK", "CLOSE_NOTIFY 6"]);
        });
        let mut follower = begin(&options).unwrap();
        assert_eq!(follower.connection.connect(false), Some(Action::Dial));
        follower.dial().unwrap();
        follower.link.as_mut().unwrap().is_said_worn_out = true;
        let end = follower.follow().unwrap_err();
        assert_eq!(end.exit, Exit::Refused);
    });
}
