//! `echat-nc follow` against the real server: every message exactly once, whatever ends.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Read, Write, pipe};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::thread;

use echat_proto::json::from_json;
use echat_proto::value::Value;
use echat_testkit::campaign;
use echat_testkit::proxy::{Direction, Proxy};
use echat_testkit::scene::{SECRET, Scene, text};
use echat_testkit::server_end::End;
use echat_testkit::server_process::ServerProcess;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::io::ioctl_fionbio;

use crate::ECHAT_NC;

/// A server behind a proxy, ann with the rooms tea and den, and her bot clerk in both.
struct Stage {
    scene: Scene,
    server: Option<ServerProcess>,
    proxy: Proxy,
    link: String,
    said: usize,
}

impl Stage {
    fn new() -> Self {
        Self::with_limits(r#"{"message_rate": 0, "message_burst": 1000000}"#)
    }

    fn with_limits(limits: &str) -> Self {
        let scene = Scene::new();
        let config = format!(r#"{{"server": {{"limits": {limits}}}}}"#);
        scene.write("config.json", &config);
        let server = ServerProcess::start_in(&scene.path(""), &["--log", "off"]);
        let proxy = Proxy::to(server.address());
        let link = format!("echat://{}/#{}", proxy.address(), server.fingerprint());
        scene.registers(&link, "ann");
        for room in ["tea", "den"] {
            let room = format!(r#"{{"roomname":"{room}","members":[]}}"#);
            scene.run_as(&link, "ann", &["CREATE_ROOM", &room]).exits(0);
        }
        let stage = Self {
            scene,
            server: Some(server),
            proxy,
            link,
            said: 0,
        };
        stage.new_token(
            "CREATE_BOT",
            r#"{"username":"clerk","rooms":["tea","den"]}"#,
        );
        stage
    }

    /// Makes a token, and writes it to its file.
    fn new_token(&self, command: &str, params: &str) {
        let made = self
            .scene
            .run_as(&self.link, "ann", &[command, params])
            .exits(0);
        let reply = from_json(made.out.lines().last().unwrap()).unwrap();
        let params = reply.at("params").expect("it was made");
        let Some(Value::Str(token)) = params.at("token") else {
            panic!("no token: {}", made.out)
        };
        let path = self.scene.write("token", &format!("{token}\n"));
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }

    /// Ann says so many things, each in one of the rooms in turn, of such a length.
    fn says(&mut self, count: usize, length: usize) {
        let mut script = String::new();
        for _ in 0..count {
            self.said += 1;
            let room = ["tea", "den"][self.said % 2];
            let content = format!("{} {}", self.said, "x".repeat(length));
            let params = format!(r#"{{"target_type":1,"target":"{room}","content":"{content}"}}"#);
            script.push_str("SEND_MESSAGE ");
            script.push_str(&params);
            script.push('\n');
        }
        let script = self.scene.write("script", &script);
        // Not through the proxy, which cuts.
        let server = self.server.as_ref().unwrap();
        let link = format!("echat://{}/#{}", server.address(), server.fingerprint());
        self.scene.run_as(&link, "ann", &["-f", &script]).exits(0);
    }

    /// Kills the server, and starts another one on its data.
    fn restarts(&mut self) {
        self.proxy.leads_to(None);
        self.server.take().unwrap().kill();
        let server = ServerProcess::start_in(&self.scene.path(""), &["--log", "off"]);
        self.proxy.leads_to(Some(server.address()));
        self.server = Some(server);
    }

    fn follow(&self, options: &[&str]) -> Command {
        self.follow_with("cursor", options)
    }

    /// With the cursor in this file.
    fn follow_with(&self, cursor: &str, options: &[&str]) -> Command {
        let mut command = Command::new(ECHAT_NC);
        command.env_clear().env("HOME", self.scene.path(""));
        command.args(["follow", "--user", "clerk", "--token-file"]);
        command.arg(self.scene.path("token")).arg("--cursor");
        command
            .arg(self.scene.path(cursor))
            .args(options)
            .arg(&self.link);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Starts it with the output appended to the file `lines`.
    fn appends(&self, options: &[&str]) -> Child {
        self.appends_with("cursor", options)
    }

    /// With the cursor in this file.
    fn appends_with(&self, cursor: &str, options: &[&str]) -> Child {
        let path = self.scene.path("lines");
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        let mut command = self.follow_with(cursor, options);
        command.stdout(file).spawn().unwrap()
    }

    /// The size of the output file.
    fn bytes(&self) -> u64 {
        fs::metadata(self.scene.path("lines")).map_or(0, |found| found.len())
    }

    /// The numbers of the messages in the output file.
    fn appended(&self) -> Vec<usize> {
        let lines = fs::read_to_string(self.scene.path("lines")).unwrap();
        lines
            .lines()
            .map(|line| number(line).expect(line))
            .collect()
    }
}

/// The number of the message on a line.
fn number(line: &str) -> Option<usize> {
    match from_json(line).ok()?.at("content") {
        Some(Value::Str(content)) => content.split(' ').next()?.parse().ok(),
        _ => None,
    }
}

fn upto(count: usize) -> Vec<usize> {
    (1..=count).collect()
}

#[test]
fn a_file_has_each_message_once_however_often_both_sides_are_killed() {
    let mut stage = Stage::new();
    let mut random = StdRng::seed_from_u64(7);
    let kills = campaign::count("ECHAT_FOLLOW_KILLS", 10);
    for round in 0..kills {
        let cuts = stage.proxy.cuts();
        stage.says(40, random.random_range(1..2_000));
        // Up to the size of the pages; a handshake and a login take some 1,500 bytes.
        stage
            .proxy
            .cuts_after(Direction::Down, random.random_range(600..90_000));
        let written = stage.bytes();
        let mut follower = stage.appends(&[]);
        if round % 2 == 0 {
            // As soon as it has written something: in the middle of a page.
            while stage.bytes() == written {
                thread::yield_now();
            }
        } else {
            stage.says(20, 1_000);
            stage.proxy.cuts_now();
            stage.proxy.waits_for_cut(cuts + 1);
        }
        follower.kill().unwrap();
        follower.wait().unwrap();
        if round % 3 == 1 {
            stage.restarts();
        }
    }
    let mut last = stage.appends(&["--once"]);
    assert_eq!(last.wait().unwrap().code(), Some(0));
    assert_eq!(stage.appended(), upto(stage.said));
    // A further run has nothing to add.
    assert_eq!(stage.appends(&["--once"]).wait().unwrap().code(), Some(0));
    assert_eq!(stage.appended().len(), stage.said);
}

#[test]
fn lines_whose_cursor_was_not_saved_are_found_in_the_file() {
    let mut stage = Stage::new();
    let once = |stage: &Stage| stage.appends(&["--once"]).wait().unwrap().code();
    stage.says(2, 1);
    assert_eq!(once(&stage), Some(0));
    let saved = fs::read(stage.scene.path("cursor")).unwrap();
    // What stands in the place of the next cursor keeps it from being saved, as a kill before that does.
    fs::create_dir(stage.scene.path("cursor.tmp")).unwrap();
    stage.says(5, 1);
    assert_eq!(once(&stage), Some(8));
    assert_eq!(fs::read(stage.scene.path("cursor")).unwrap(), saved);
    assert_eq!(stage.appended(), upto(7));
    fs::remove_dir(stage.scene.path("cursor.tmp")).unwrap();
    // And a line of which a part was written.
    let lines = File::options().append(true).open(stage.scene.path("lines"));
    lines
        .unwrap()
        .write_all(br#"{"id":8,"username":"cl"#)
        .unwrap();
    stage.says(1, 1);
    assert_eq!(once(&stage), Some(0));
    assert_eq!(stage.appended(), upto(8));
}

#[test]
fn a_pipe_gets_each_message_once_over_lost_connections_and_a_killed_server() {
    let mut stage = Stage::new();
    stage.says(20, 500);
    let mut follower = stage.follow(&[]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut seen = Vec::new();
    let mut read = |seen: &mut Vec<usize>, count: usize| {
        while seen.len() < count {
            let line = lines.next().expect("it goes on").unwrap();
            seen.push(number(&line).expect("a message"));
        }
    };
    read(&mut seen, 20);
    stage.proxy.cuts_now();
    // More than a pipe holds: it writes while nothing is read, and the connection is lost then.
    stage.says(200, 1_000);
    read(&mut seen, 30);
    stage.proxy.cuts_now();
    stage.restarts();
    stage.says(50, 100);
    read(&mut seen, 270);
    assert_eq!(seen, upto(270));
    // When its reader is gone it ends by itself.
    drop(lines);
    stage.says(1, 1);
    assert_eq!(follower.wait().unwrap().code(), Some(8));
}

#[test]
fn a_pipe_without_a_reader_ends_a_follower_that_has_nothing_to_say() {
    let stage = Stage::new();
    let mut follower = stage.follow(&[]).stdout(Stdio::piped()).spawn().unwrap();
    drop(follower.stdout.take());
    assert_eq!(follower.wait().unwrap().code(), Some(8));
}

#[test]
fn one_room_is_followed_and_new_messages_alone() {
    let mut stage = Stage::new();
    stage.says(3, 1);
    let run = |options: &[&str]| {
        let output = stage.follow(options).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0));
        lines.lines().map(number).collect::<Vec<_>>()
    };
    assert_eq!(run(&["--once", "--from", "new"]), []);
    fs::remove_file(stage.scene.path("cursor")).unwrap();
    // The rooms take turns.
    assert_eq!(run(&["--once", "--room", "tea"]), [Some(2)]);
    fs::remove_file(stage.scene.path("cursor")).unwrap();
    assert_eq!(run(&["--once", "--from", "1"]), [Some(2), Some(3)]);
}

#[test]
fn a_cursor_of_one_room_stays_that_of_the_room_when_all_rooms_were_followed_with_it() {
    let mut stage = Stage::new();
    let run = |stage: &Stage, options: &[&str]| {
        let output = stage.follow(options).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0));
        lines.lines().map(number).collect::<Vec<_>>()
    };
    // The rooms take turns: the odd messages are in den.
    stage.says(2, 1);
    assert_eq!(run(&stage, &["--once", "--room", "tea"]), [Some(2)]);
    stage.says(1, 1);
    assert_eq!(run(&stage, &["--once"]), [Some(3)]);
    stage.says(3, 1);
    assert_eq!(
        run(&stage, &["--once", "--room", "tea"]),
        [Some(4), Some(6)]
    );
}

#[test]
fn messages_are_printed_while_a_request_is_refused_for_a_time() {
    let stage =
        Stage::with_limits(r#"{"message_rate": 1, "message_burst": 1, "user_bytes_a_day": 500}"#);
    let mut follower = stage.follow(&["--send"]);
    let follower = follower.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut follower = follower.stderr(Stdio::piped()).spawn().unwrap();
    let mut input = follower.stdin.take().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || number(&lines.next().expect("it goes on").unwrap());
    let message = |content: &str| {
        format!(r#"SEND_MESSAGE {{"target_type":1,"target":"tea","content":"{content}"}}"#)
    };
    // The second and the third one are refused first.
    let three = [1, 2, 3].map(|number| message(&format!("{number} x")));
    writeln!(input, "{}", three.join("\n")).unwrap();
    assert_eq!([next(), next(), next()], [Some(1), Some(2), Some(3)]);
    // A day's limit ends no follower: this one is not sent again.
    writeln!(input, "{}", message(&format!("4 {}", "x".repeat(600)))).unwrap();
    writeln!(input, "{}", message("5 x")).unwrap();
    assert_eq!(next(), Some(5));
    drop(input);
    follower.kill().unwrap();
    let notes = follower.wait_with_output().unwrap().stderr;
    let notes = String::from_utf8(notes).unwrap();
    assert_eq!(notes, "echat-nc: line 4 is refused: rate_limited\n");
}

/// A follower of the server of a scene.
fn follows(scene: &Scene) -> Command {
    let mut command = Command::new(ECHAT_NC);
    command.env_clear().env("HOME", scene.path(""));
    command.env("TEST_PASSWORD", SECRET).stdin(Stdio::null());
    command.args(["follow", "--from", "all", "--user", "ann"]);
    command.args(["--password-env", "TEST_PASSWORD", &scene.link()]);
    command
}

/// The server's end of a follower that has logged in and asked for messages.
fn followed(scene: &Scene) -> End {
    let mut end = scene.server.accept();
    end.hears_line(&format!(
        r#"LOGIN {{"username":"ann","password":"{SECRET}"}}"#
    ));
    end.says(&["LOGIN_SUCCESS \"ann\"", "LOGIN_BUNDLE {}"]);
    end.hears_line(r#"QUERY_HISTORY {"after":0,"limit":200}"#);
    end
}

#[test]
fn a_follower_comes_back_unless_its_session_was_ended() {
    let scene = Scene::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            // The keys are worn out for the server.
            followed(&scene).says(&["CLOSE_NOTIFY 8"]);
            // Its address is banned.
            followed(&scene).says(&["CLOSE_NOTIFY 6"]);
            followed(&scene).says(&["SERVER_KICK", "CLOSE_NOTIFY 6"]);
        });
        assert_eq!(follows(&scene).status().unwrap().code(), Some(1));
    });
}

#[test]
fn an_empty_page_before_the_last_one_is_not_asked_for_without_end() {
    let scene = Scene::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut end = followed(&scene);
            end.says(&[r#"HISTORY {"messages":[],"more":true}"#]);
            assert_eq!(end.hears(), None);
            followed(&scene).says(&["SERVER_KICK", "CLOSE_NOTIFY 6"]);
        });
        let output = follows(&scene).output().unwrap();
        let notes = String::from_utf8(output.stderr).unwrap();
        assert!(
            notes.contains("has more messages and sends none; trying again"),
            "{notes}"
        );
    });
}

#[test]
fn a_non_blocking_output_is_waited_for() {
    let mut stage = Stage::new();
    stage.says(60, 3_900);
    let (mut reader, writer) = pipe().unwrap();
    ioctl_fionbio(&writer, true).unwrap();
    let mut command = Command::new(ECHAT_NC);
    command.env_clear().env("TEST_PASSWORD", SECRET);
    command.env("HOME", stage.scene.path(""));
    command.args(["--user", "ann", "--password-env", "TEST_PASSWORD"]);
    // The reply is one line, and longer than what the pipe holds.
    command.args([&stage.link, "QUERY_HISTORY", r#"{"limit":200}"#]);
    let mut child = command.stdout(writer).spawn().unwrap();
    drop(command);
    let mut printed = String::new();
    reader.read_to_string(&mut printed).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(printed.len() > 200_000, "{}", printed.len());
    assert!(from_json(printed.lines().last().unwrap()).is_ok());
}

#[test]
fn every_request_to_a_room_with_slow_mode_is_sent() {
    let stage = Stage::new();
    let room = r#"{"roomname":"tea","slow_seconds":1}"#;
    let set = stage.scene.run_as(&stage.link, "ann", &["SET_ROOM", room]);
    set.exits(0);
    let mut follower = stage.follow(&["--send", "--once"]);
    let follower = follower.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut follower = follower.stderr(Stdio::piped()).spawn().unwrap();
    let mut input = follower.stdin.take().unwrap();
    for (number, room) in [(1, "tea"), (2, "tea"), (3, "den")] {
        let params = format!(r#"{{"target_type":1,"target":"{room}","content":"{number} x"}}"#);
        writeln!(input, "SEND_MESSAGE {params}").unwrap();
    }
    drop(input);
    let output = follower.wait_with_output().unwrap();
    let notes = String::from_utf8(output.stderr).unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<_> = lines.lines().map(number).collect();
    assert_eq!((output.status.code(), notes.as_str()), (Some(0), ""));
    assert_eq!(numbers, [1, 2, 3].map(Some));
}

#[test]
fn a_long_wait_is_told_once_also_after_a_short_one() {
    let scene = Scene::new();
    let mut follower = follows(&scene);
    let follower = follower.arg("--send").stdin(Stdio::piped());
    let mut follower = follower.stderr(Stdio::piped()).spawn().unwrap();
    let mut input = follower.stdin.take().unwrap();
    let request = r#"SEND_MESSAGE {"target_type":1,"target":"tea","content":"x"}"#;
    let mut end = followed(&scene);
    end.says(&[r#"HISTORY {"messages":[],"more":false}"#]);
    writeln!(input, "{request}").unwrap();
    let mut refuses = |code: &str, seconds: u64| {
        end.hears_line(request);
        let why = format!(r#"{{"code":"{code}","message":"","retry_after":{seconds}}}"#);
        end.says(&[&format!("SEND_MESSAGE_FAILURE {why}")]);
    };
    refuses("rate_limited", 1);
    refuses("storage_full", 1);
    refuses("storage_full", 1);
    refuses("slow_mode", 3_600);
    end.says(&["SERVER_KICK", "CLOSE_NOTIFY 6"]);
    let output = follower.wait_with_output().unwrap();
    let notes = String::from_utf8(output.stderr).unwrap();
    let told: Vec<_> = notes
        .lines()
        .filter(|note| note.contains("for now"))
        .collect();
    assert_eq!(
        told,
        [
            "echat-nc: the server refuses for now: storage_full; trying again in 1 s",
            "echat-nc: the server refuses for now: slow_mode; trying again in 3600 s",
        ]
    );
}

#[test]
fn a_room_is_followed_under_its_new_names() {
    let stage = Stage::new();
    let ann = |command: &str, params: &str| {
        let done = stage.scene.run_as(&stage.link, "ann", &[command, params]);
        done.exits(0);
    };
    let says = |room: &str, number: usize| {
        let params = format!(r#"{{"target_type":1,"target":"{room}","content":"{number} x"}}"#);
        ann("SEND_MESSAGE", &params);
    };
    let renames = |was: &str, name: &str| {
        let params = format!(r#"{{"roomname":"{was}","new_name":"{name}"}}"#);
        ann("SET_ROOM", &params);
    };
    says("tea", 1);
    let mut follower = stage.follow(&["--room", "tea"]);
    let mut follower = follower.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || number(&lines.next().expect("it goes on").unwrap());
    assert_eq!(next(), Some(1));
    // While it follows.
    renames("tea", "cup");
    says("cup", 2);
    assert_eq!(next(), Some(2));
    // It ends with its reader, when the cursor is saved.
    drop(lines);
    assert_eq!(follower.wait().unwrap().code(), Some(8));
    // While it is away, and other rooms have the names from before then.
    renames("cup", "mug");
    for room in ["tea", "cup"] {
        let room = format!(r#"{{"roomname":"{room}","members":[]}}"#);
        ann("CREATE_ROOM", &room);
    }
    says("tea", 3);
    says("mug", 4);
    says("den", 5);
    let run = |room: &str| {
        let output = stage.follow(&["--once", "--room", room]).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<_> = lines.lines().map(number).collect();
        (output.status.code(), lines)
    };
    // By its name of then, and by its present one. Nothing is printed again.
    assert_eq!(run("tea"), (Some(0), vec![Some(4)]));
    says("mug", 6);
    assert_eq!(run("mug"), (Some(0), vec![Some(6)]));
    // Another name is another room.
    says("den", 7);
    assert_eq!(run("den"), (Some(0), vec![Some(7)]));
}

#[test]
fn a_restored_backup_is_told_and_all_is_printed_again() {
    let mut stage = Stage::new();
    stage.says(2, 1);
    stage.server.take().unwrap().stop();
    let [database, copy] = ["data/database.db", "copy.db"].map(|name| stage.scene.path(name));
    fs::copy(&database, &copy).unwrap();
    let start = |stage: &mut Stage| {
        let server = ServerProcess::start_in(&stage.scene.path(""), &["--log", "off"]);
        stage.proxy.leads_to(Some(server.address()));
        stage.server = Some(server);
    };
    start(&mut stage);
    stage.says(2, 1);
    assert_eq!(stage.appends(&["--once"]).wait().unwrap().code(), Some(0));
    stage.server.take().unwrap().stop();
    for name in ["data/database.db-wal", "data/database.db-shm"] {
        let _ = fs::remove_file(stage.scene.path(name));
    }
    fs::copy(&copy, &database).unwrap();
    start(&mut stage);
    assert_eq!(stage.appends(&["--once"]).wait().unwrap().code(), Some(0));
    let lines = fs::read_to_string(stage.scene.path("lines")).unwrap();
    let lines: Vec<_> = lines.lines().map(number).collect();
    let [one, two, three, four] = [1, 2, 3, 4].map(Some);
    assert_eq!(lines, [one, two, three, four, None, one, two]);
}

#[test]
fn two_followers_do_not_append_to_one_file() {
    let mut stage = Stage::new();
    stage.says(1, 1);
    let mut first = stage.appends(&[]);
    while stage.bytes() == 0 {
        thread::yield_now();
    }
    // Each has a cursor of its own.
    let mut second = stage.appends_with("other", &["--once"]);
    assert_eq!(second.wait().unwrap().code(), Some(8));
    assert_eq!(stage.appended(), upto(1));
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(stage.appends(&["--once"]).wait().unwrap().code(), Some(0));
}

#[test]
fn every_end_of_a_follower_has_its_exit_code() {
    let stage = Stage::new();
    let ends = |command: &mut Command| command.stdout(Stdio::null()).status().unwrap().code();
    assert_eq!(ends(&mut stage.follow(&["--once"])), Some(0));
    assert_eq!(
        ends(&mut stage.follow(&["--once", "--room", "nowhere"])),
        Some(1)
    );
    // Another run holds the cursor.
    let mut first = stage.follow(&[]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = first.stdout.take().unwrap();
    let mut stage = stage;
    stage.says(1, 1);
    out.read_exact(&mut [0; 1]).unwrap();
    assert_eq!(ends(&mut stage.follow(&["--once"])), Some(8));
    // A new token ends the session for good.
    stage.new_token("NEW_BOT_TOKEN", r#"{"username":"clerk"}"#);
    assert_eq!(first.wait().unwrap().code(), Some(1));
    let token = text(&stage.scene.path("token"));
    fs::set_permissions(&token, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(ends(&mut stage.follow(&["--once"])), Some(2));
    fs::set_permissions(&token, Permissions::from_mode(0o600)).unwrap();
    fs::write(&token, "wrong\n").unwrap();
    assert_eq!(ends(&mut stage.follow(&["--once"])), Some(1));
    stage.scene.write("cursor", "no cursor");
    assert_eq!(ends(&mut stage.follow(&["--once"])), Some(2));
}

#[test]
fn one_session_reads_and_sends_and_each_request_is_stored_once() {
    let stage = Stage::new();
    let mut follower = stage
        .follow(&["--send"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = follower.stdin.take().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    for said in 1..=30 {
        let room = ["tea", "den"][said % 2];
        let params = format!(
            r#"{{"target_type":1,"target":"{room}","content":"{said} x","txn_id":"t{said}"}}"#
        );
        writeln!(input, "SEND_MESSAGE {params}").unwrap();
        if said % 3 == 0 {
            stage.proxy.cuts_now();
        }
        // Its own session is told, too: the next line is this message, and none comes twice.
        let line = lines.next().expect("it goes on").unwrap();
        assert_eq!(number(&line), Some(said), "{line}");
    }
    // The end of the input ends nothing.
    drop(input);
    let mut stage = stage;
    stage.said = 30;
    stage.says(1, 1);
    assert_eq!(number(&lines.next().unwrap().unwrap()), Some(31));
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn a_refused_request_is_a_note_and_what_is_no_request_ends_a_follower() {
    let stage = Stage::new();
    let sends = |input: &str| {
        let mut command = stage.follow(&["--send", "--once"]);
        let mut follower = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let written = follower.stdin.take().unwrap().write_all(input.as_bytes());
        let output = follower.wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), lines, told, written.is_ok())
    };
    let message = |room: &str, text: &str| {
        format!(r#"SEND_MESSAGE {{"target_type":1,"target":"{room}","content":"{text}"}}"#)
    };
    let input = format!(
        "{}\n\n{}\nQUERY_HISTORY {{}}\n{}",
        message("tea", "1 x"),
        message("nowhere", "2 x"),
        message("den", "3 x")
    );
    let (code, lines, told, written) = sends(&input);
    assert!(written);
    assert_eq!(code, Some(1), "{told}");
    assert_eq!(told, "echat-nc: line 3 is refused: unknown_room\n");
    let numbers: Vec<_> = lines.lines().map(number).collect();
    assert_eq!(numbers, [Some(1), Some(3)]);
    assert_eq!(sends(&message("tea", "4 x")).0, Some(0));
    for bad in [
        "SEND_MESAGE {}\n",
        "LOGOUT\n",
        r#"LOGIN {"username":"ann","password":"x"}"#,
        ".quit\n",
        "SEND_MESSAGE {\n",
    ] {
        let (code, _, told, _) = sends(bad);
        assert_eq!(code, Some(2), "{bad}: {told}");
        assert!(told.contains("line 1: "), "{bad}: {told}");
    }
}
