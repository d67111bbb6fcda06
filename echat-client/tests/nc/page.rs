//! The conversation of docs/scripts.md, typed as the page shows it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use echat_testkit::scene::{Scene, outcome};
use echat_testkit::server_process::ServerProcess;

use crate::ECHAT_NC;

/// Begins a line that is typed.
const PROMPT: &str = "> ";
/// Keys whose values differ from run to run.
const CHANGING: [&str; 2] = ["\"send_time\":", "\"history\":"];

#[test]
fn the_conversation_of_the_page_is_what_happens() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scripts.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let part = page
        .split("\n## ")
        .find(|part| part.starts_with("A conversation\n"));
    let blocks = part.expect("the conversation").split("```text\n").skip(1);
    let blocks: Vec<&str> = blocks.filter_map(|rest| rest.split("```").next()).collect();
    let [ann, bob] = blocks[..] else {
        panic!("{} blocks", blocks.len());
    };
    let scene = Scene::new();
    let server = ServerProcess::start_in(&scene.path(""), &["--log", "off"]);
    let link = format!("echat://{}/#{}", server.address(), server.fingerprint());
    let (scene, link) = (&scene, &link);
    let (logged_in, ann_logs_in) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            plays(scene, link, ann, |line| {
                // Ann is told when Bob comes, so Bob comes later.
                if line.contains("LOGIN_BUNDLE") {
                    logged_in.send(()).expect("Bob waits for it");
                }
            });
        });
        scope.spawn(move || {
            ann_logs_in.recv().expect("Ann logs in");
            plays(scene, link, bob, |_| {});
        });
    });
}

/// Types the lines of a terminal, and compares what is printed with the others.
fn plays(scene: &Scene, link: &str, terminal: &str, on_line: impl Fn(&str)) {
    let mut command = scene.command(ECHAT_NC);
    // A line that does not come ends the program, and the test.
    command.args(["-t", "60", link]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::piped());
    let mut child = command.spawn().expect("echat-nc is there");
    let mut input = child.stdin.take().expect("a pipe");
    let mut printed = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    // Before the first line it asks about the key.
    let lines = terminal
        .lines()
        .skip_while(|line| !line.starts_with(PROMPT));
    for line in lines {
        if let Some(typed) = line.strip_prefix(PROMPT) {
            writeln!(input, "{typed}").expect("it reads");
            continue;
        }
        let next = printed.next().and_then(Result::ok).unwrap_or_default();
        assert_eq!(unchanging(&next), unchanging(line));
        on_line(&next);
    }
    outcome(child).exits(0);
}

/// A line without the values that differ from run to run.
fn unchanging(line: &str) -> String {
    let mut line = line.to_owned();
    for key in CHANGING {
        let mut parts = line.split(key);
        let mut rest = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            rest += key;
            rest += part.find(',').map_or("", |end| &part[end..]);
        }
        line = rest;
    }
    line
}
