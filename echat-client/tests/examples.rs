//! The programs in `examples`, run as their first lines say, against the real server.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use echat_proto::json::from_json;
use echat_proto::value::Value;
use echat_testkit::scene::{Scene, text};
use echat_testkit::server_process::ServerProcess;

const ECHAT_NC: &str = env!("CARGO_BIN_EXE_echat-nc");

/// Ann, who owns the rooms tea and den, and her bot clerk in both.
struct Stage {
    scene: Scene,
    _server: ServerProcess,
    link: String,
    token: String,
}

/// A program that is killed with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // A program of Python starts echat-nc: the whole group ends.
        let group = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.0.wait();
    }
}

impl Stage {
    /// `None`, and a note, where Python is missing.
    fn new() -> Option<Self> {
        if Command::new("python3").arg("-V").output().is_err() {
            println!("NOT RUN: python3 is missing");
            return None;
        }
        let scene = Scene::new();
        // Each user has one session, as by default.
        let rates = r#"{"server": {"limits": {"message_rate": 0}}}"#;
        scene.write("config.json", rates);
        let server = ServerProcess::start_in(&scene.path(""), &["--log", "off"]);
        let link = format!("echat://{}/#{}", server.address(), server.fingerprint());
        scene.registers(&link, "ann");
        for room in ["tea", "den"] {
            let room = format!(r#"{{"roomname":"{room}","members":[]}}"#);
            scene.run_as(&link, "ann", &["CREATE_ROOM", &room]).exits(0);
        }
        let bot = r#"{"username":"clerk","rooms":["tea","den"]}"#;
        let made = scene.run_as(&link, "ann", &["CREATE_BOT", bot]).exits(0);
        let reply = from_json(made.out.lines().last().unwrap()).unwrap();
        let params = reply.at("params").expect("it was made");
        let Some(Value::Str(token)) = params.at("token") else {
            panic!("no token: {}", made.out)
        };
        let token = scene.write("token", &format!("{token}\n"));
        fs::set_permissions(&token, Permissions::from_mode(0o600)).unwrap();
        Some(Self {
            scene,
            _server: server,
            link,
            token,
        })
    }

    fn path(&self, name: &str) -> String {
        text(&self.scene.path(name))
    }

    fn example(&self, name: &str, args: &[&str]) -> Command {
        let mut command = Command::new(examples().join(name));
        command
            .args([self.link.as_str(), "clerk", &self.token])
            .args(args);
        command
            .env("ECHAT_NC", ECHAT_NC)
            .env("HOME", self.scene.path(""));
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }

    fn starts(&self, name: &str, args: &[&str]) -> Running {
        let mut command = self.example(name, args);
        Running(command.stdin(Stdio::null()).spawn().unwrap())
    }

    fn says(&self, room: &str, content: &str) {
        let content = echat_proto::json::to_json(&Value::from(content));
        let message = format!(r#"{{"target_type":1,"target":"{room}","content":{content}}}"#);
        self.scene
            .run_as(&self.link, "ann", &["SEND_MESSAGE", &message])
            .exits(0);
    }

    /// Sender, room and text of all messages.
    fn history(&self) -> Vec<(String, String, String)> {
        let asked = self
            .scene
            .run_as(&self.link, "ann", &["QUERY_HISTORY", "{}"])
            .exits(0);
        let page = from_json(asked.out.lines().last().unwrap()).unwrap();
        let Some(Value::List(messages)) = page.at("params").and_then(|page| page.at("messages"))
        else {
            panic!("no page: {}", asked.out)
        };
        let key = |message: &Value, key: &str| match message.at(key) {
            Some(Value::Str(text)) => text.clone(),
            other => panic!("{key}: {other:?}"),
        };
        let fields = |message| {
            (
                key(message, "sender"),
                key(message, "target"),
                key(message, "content"),
            )
        };
        messages.iter().map(fields).collect()
    }

    /// Waits for a message of the bot in a room with this text.
    fn hears(&self, room: &str, content: &str) {
        let script = format!(
            ".expect ON_NEW_MESSAGE {{\"sender\":\"clerk\",\"target\":\"{room}\",\"content\":\"{content}\"}}\n"
        );
        let is_there = |said: &(String, String, String)| said.1 == room && said.2 == content;
        let script = self.scene.write("hears", &script);
        // It may have been said before the listener was there.
        while !self.history().iter().any(is_there) {
            let login = [
                "--user",
                "ann",
                "--password-env",
                "TEST_PASSWORD",
                "-t",
                "2",
            ];
            let args = [&login[..], &["-f", &script, &self.link]].concat();
            self.scene.run(&args, "");
        }
    }

    /// Waits until a follower has saved its cursor: it hears what is said from now on.
    fn follows(&self, cursor: &str) {
        while !Path::new(&self.path(cursor)).exists() {
            std::thread::yield_now();
        }
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

#[test]
fn each_example_has_less_than_forty_lines_and_can_be_run() {
    let files: Vec<_> = fs::read_dir(examples())
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert_eq!(files.len(), 5);
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines < 40, "{} has {lines} lines", file.display());
        assert!(fs::metadata(&file).unwrap().permissions().mode() & 0o111 != 0);
    }
}

#[test]
fn the_output_of_a_command_is_one_message() {
    let Some(stage) = Stage::new() else { return };
    let notify = |input: &str| {
        let mut command = stage.example("notify.sh", &["tea", "make is done"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let (sender, room, content) = stage.history().pop().unwrap();
        assert_eq!((sender.as_str(), room.as_str()), ("clerk", "tea"));
        content
    };
    assert_eq!(
        notify("one\r\ntwo\x1b\n"),
        "make is done\n```\none\ntwo?\n```"
    );
    let long = (0..2_000).fold(String::new(), |text, line| {
        text + &line.to_string() + " 行\n"
    });
    let content = notify(&long);
    assert!(
        content.starts_with("make is done\n(cut: the last of "),
        "{content}"
    );
    assert!(content.ends_with("1999 行\n```"), "{content}");
    assert!(
        (3_800..=4_000).contains(&content.len()),
        "{}",
        content.len()
    );
    assert_eq!(stage.history().len(), 2);
}

#[test]
fn the_echo_bot_answers_people_and_not_itself() {
    let Some(stage) = Stage::new() else { return };
    let cursor = stage.path("cursor");
    let bot = stage.starts("echo_bot.py", &[&cursor]);
    stage.follows("cursor");
    stage.says("tea", "hello");
    stage.says("tea", "echo echo who");
    stage.hears("tea", "echo who");
    stage.says("den", "echo last");
    stage.hears("den", "last");
    drop(bot);
    let said: Vec<_> = stage.history().into_iter().map(|said| said.2).collect();
    assert_eq!(
        said,
        ["hello", "echo echo who", "echo who", "echo last", "last"]
    );
}

#[test]
fn a_bot_that_was_away_answers_more_than_pipes_hold() {
    const MESSAGES: usize = 100;
    let Some(stage) = Stage::new() else { return };
    let cursor = stage.path("cursor");
    drop({
        let bot = stage.starts("echo_bot.py", &[&cursor]);
        stage.follows("cursor");
        bot
    });
    let long = "x".repeat(3_900);
    let script = (0..MESSAGES).fold(String::new(), |script, number| {
        let content = format!("echo {number} {long}");
        let params = format!(r#"{{"target_type":1,"target":"tea","content":"{content}"}}"#);
        script + "SEND_MESSAGE " + &params + "\n"
    });
    let script = stage.scene.write("script", &script);
    stage
        .scene
        .run_as(&stage.link, "ann", &["-f", &script])
        .exits(0);
    let _bot = stage.starts("echo_bot.py", &[&cursor]);
    let newest = [
        "QUERY_HISTORY",
        r#"{"target_type":1,"target":"tea","limit":1}"#,
    ];
    let last = format!(r#""content":"{} x"#, MESSAGES - 1);
    while !stage
        .scene
        .run_as(&stage.link, "ann", &newest)
        .exits(0)
        .out
        .contains(&last)
    {}
}

#[test]
fn the_archive_goes_on_where_it_ended() {
    let Some(stage) = Stage::new() else { return };
    let archive = stage.path("archive");
    let mut expected = Vec::new();
    for round in 0..3 {
        for number in 0..3 {
            expected.push(format!("{round} {number}"));
            stage.says(["tea", "den"][number % 2], expected.last().unwrap());
        }
        let mut once = stage.example("archive.sh", &[&archive, "--once"]);
        assert_eq!(once.status().unwrap().code(), Some(0));
    }
    let lines = fs::read_to_string(&archive).unwrap();
    let content = |line: &str| match from_json(line).unwrap().at("content") {
        Some(Value::Str(content)) => content.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(lines.lines().map(content).collect::<Vec<_>>(), expected);
    let mode = fs::metadata(&archive).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_webhook_becomes_a_message() {
    let Some(stage) = Stage::new() else { return };
    let mut command = stage.example("webhook.py", &["tea", "0"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let mut address = String::new();
    let out = running.0.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut address).unwrap();
    let address = address
        .trim()
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    let post = |body: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST / HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(post("build 12 失败\u{7}"), "204");
    assert_eq!(post(""), "400");
    assert_eq!(post(&"x".repeat(4_001)), "413");
    let said = stage.history();
    let expected = (
        "clerk".to_owned(),
        "tea".to_owned(),
        "build 12 失败?".to_owned(),
    );
    assert_eq!(said, [expected]);
}

#[test]
fn a_bridge_repeats_each_message_once_and_does_not_go_round() {
    let Some(stage) = Stage::new() else { return };
    let cursor = stage.path("cursor");
    let bridge = stage.starts("bridge.py", &[&cursor, "tea", "den"]);
    stage.follows("cursor");
    stage.says("tea", "hello");
    stage.hears("den", "<ann> hello");
    stage.says("den", "hello back");
    stage.hears("tea", "<ann> hello back");
    stage.says("tea", "last");
    stage.hears("den", "<ann> last");
    drop(bridge);
    assert_eq!(stage.history().len(), 6);
    // A message that was deleted while the bridge was away is not repeated.
    stage.says("tea", "gone");
    let delete = ["DELETE_MESSAGE", r#"{"id":7}"#];
    stage.scene.run_as(&stage.link, "ann", &delete).exits(0);
    let _bridge = stage.starts("bridge.py", &[&cursor, "tea", "den"]);
    stage.says("tea", "new");
    stage.hears("den", "<ann> new");
    assert_eq!(stage.history().len(), 9);
}
