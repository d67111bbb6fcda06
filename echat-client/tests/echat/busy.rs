//! A user types while a room has many messages: no key and no message is lost, the prompt is never torn,
//! and the client stays small.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use echat_system::proc;
use echat_testkit::campaign;
use echat_testkit::clock::now;
use echat_testkit::scene::SECRET;
use echat_testkit::terminal::person::Person;
use serde_json::{Value, json};

use crate::server_folder::{ECHAT_NC, ServerFolder};

/// Nothing is waited for longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many keys a line has.
const LINE: usize = 40;

/// A client that sends `message 0.`, `message 1.` and so on to the room, at the pace of the test.
struct Loud {
    child: Child,
    /// Until there is nothing more to say.
    says: Option<ChildStdin>,
    said: usize,
    /// Everything that ann was heard to say, at the end.
    heard: Option<JoinHandle<Vec<String>>>,
}

impl Loud {
    fn comes(folder: &ServerFolder) -> Self {
        let mut command: Command = folder.command(ECHAT_NC, "C.UTF-8");
        let login = ["--user", "bob", "--password-env", "TEST_PASSWORD"];
        command.args(login).arg(folder.link());
        command.env("TEST_PASSWORD", SECRET);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let says = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("LOGIN_BUNDLE") {
            line.clear();
            assert!(
                answers.read_line(&mut line).unwrap() > 0,
                "no user logged in"
            );
        }
        let heard = thread::spawn(move || {
            let lines = answers.lines().map(Result::unwrap);
            lines.filter_map(|line| of_ann(&line)).collect()
        });
        Self {
            child,
            says: Some(says),
            said: 0,
            heard: Some(heard),
        }
    }

    /// Leaves, with everything that ann was heard to say until then.
    fn leaves(mut self) -> Vec<String> {
        // What is answered to this comes behind all of hers.
        self.says(1);
        self.says = None;
        let heard = self.heard.take().expect("it leaves once");
        heard.join().unwrap()
    }

    fn says(&mut self, count: usize) {
        let line = |n| {
            let content = format!("message {n}.");
            let params = json!({"target_type": 1, "target": "room1", "content": content});
            format!("SEND_MESSAGE {params}\n")
        };
        let lines: String = (self.said..self.said + count).map(line).collect();
        let says = self.says.as_mut().expect("it has not left");
        says.write_all(lines.as_bytes()).unwrap();
        self.said += count;
    }
}

impl Drop for Loud {
    fn drop(&mut self) {
        // Neither can fail but for a process that has ended, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What ann says, if this line of JSON is that.
fn of_ann(line: &str) -> Option<String> {
    let heard: Value = serde_json::from_str(line).unwrap();
    let message = &heard["params"];
    let is_hers = heard["command"] == "ON_NEW_MESSAGE" && message["sender"] == "ann";
    is_hers.then(|| message["content"].as_str().unwrap().to_owned())
}

/// A user that types, and what was typed and seen.
struct Typist {
    ann: Person,
    /// What stands in the line.
    line: String,
    lines: Vec<String>,
    typed: usize,
    seen: usize,
    /// The end of what was shown without a whole message in it.
    rest: String,
}

impl Typist {
    /// The next key: a digit, and at the end of a line Enter.
    fn types(&mut self) {
        if self.line.len() == LINE {
            self.ann.types("\r");
            self.lines.push(std::mem::take(&mut self.line));
        } else {
            let key = char::from(b'a' + u8::try_from(self.typed * 7 % 26).unwrap());
            self.line.push(key);
            self.ann.types(key.encode_utf8(&mut [0; 4]));
        }
        self.typed += 1;
    }

    /// Counts the messages in what was shown: each once, in their order.
    fn counts(&mut self) {
        self.rest += &self.ann.takes_shown();
        let mut from = 0;
        while let Some(at) = self.rest[from..].find("bob: message ") {
            let number = &self.rest[from + at + "bob: message ".len()..];
            let Some((number, _)) = number.split_once('.') else {
                break;
            };
            assert_eq!(number, self.seen.to_string());
            self.seen += 1;
            from += at + "bob: message ".len() + number.len();
        }
        self.rest.drain(..from);
    }

    /// Reads what there is until then.
    fn reads_until(&mut self, until: Instant) {
        while now() < until && self.ann.has_more(until) {
            assert!(self.ann.reads());
            self.counts();
        }
    }

    /// Waits until every message is seen and the line stands whole behind its prompt.
    #[track_caller]
    fn catches_up(&mut self, said: usize) {
        while self.seen < said {
            let more = self.ann.has_more(now() + PATIENCE);
            assert!(more && self.ann.reads(), "{} of {said}", self.seen);
            self.counts();
        }
        let whole = format!("room1> {}", self.line);
        self.ann.sees_that(&whole, |screen| {
            screen.rest_from("room1").as_deref() == Some(whole.trim_end())
        });
        self.counts();
    }
}

/// The processor time that a process has taken, and the memory that it holds, in KiB.
fn costs(pid: u32) -> (Duration, u64) {
    let time = proc::cpu_time(pid).unwrap();
    (time, proc::resident_kib(pid).unwrap())
}

fn meets(folder: &ServerFolder) -> (Typist, Loud) {
    folder.has("room1", &["ann", "bob"]);
    let ann = folder.opens("ann", folder.server.address());
    let typist = Typist {
        ann,
        line: String::new(),
        lines: Vec::new(),
        typed: 0,
        seen: 0,
        rest: String::new(),
    };
    (typist, Loud::comes(folder))
}

/// At 30 keys and 200 messages a second, for so many seconds.
fn types_while_it_is_loud(typist: &mut Typist, loud: &mut Loud, seconds: u64) {
    let (before, _) = costs(typist.ann.id());
    let begin = now();
    for tick in 1..=seconds * 30 {
        typist.types();
        let due = usize::try_from(tick * 200 / 30).unwrap();
        loud.says(due - loud.said);
        typist.reads_until(begin + Duration::from_millis(tick * 1000 / 30));
        if tick % 60 == 0 {
            typist.catches_up(loud.said);
        }
    }
    typist.catches_up(loud.said);
    let (after, _) = costs(typist.ann.id());
    let percent =
        after.saturating_sub(before).as_secs_f64() * 100.0 / begin.elapsed().as_secs_f64();
    campaign::report(format_args!(
        "{} keys and {} messages in {:?}: {percent:.1} % of a processor",
        typist.typed,
        loud.said,
        begin.elapsed(),
    ));
}

/// As fast as it goes, up to so many messages.
fn listens(typist: &mut Typist, loud: &mut Loud, messages: usize) {
    let (_, before) = costs(typist.ann.id());
    let said = loud.said;
    while loud.said < messages {
        typist.types();
        loud.says((messages - loud.said).min(1_000));
        typist.catches_up(loud.said);
    }
    let (_, after) = costs(typist.ann.id());
    campaign::report(format_args!(
        "{before} KiB after {said} messages, {after} KiB after {messages}"
    ));
}

#[test]
fn no_key_and_no_message_is_lost() {
    let seconds = campaign::count("ECHAT_BUSY_SECONDS", 2);
    let messages = campaign::count("ECHAT_BUSY_MESSAGES", 2_000);
    let folder = ServerFolder::unhurried();
    let (mut typist, mut loud) = meets(&folder);
    types_while_it_is_loud(&mut typist, &mut loud, seconds);
    listens(&mut typist, &mut loud, messages);
    // What was dropped is paged in again.
    typist.ann.types("\x15\\c\rcontact\r&r room1\r");
    typist.ann.sees("history above ------");
    let (mut oldest, pages) = (usize::MAX, 12);
    for _ in 0..pages {
        typist.ann.types("/history\r");
        typist.ann.sees("older messages ------");
        typist.ann.sees("history above ------");
        let page = typist.ann.takes_shown();
        let first = page
            .split("bob: message ")
            .nth(1)
            .expect("a page of messages");
        let first: usize = first.split_once('.').unwrap().0.parse().unwrap();
        assert!(first < oldest);
        oldest = first;
    }
    let kept = 500;
    assert!(
        oldest < loud.said - kept,
        "{oldest}: older than what is kept"
    );
    let (_, held) = costs(typist.ann.id());
    campaign::report(format_args!(
        "{held} KiB after {pages} pages back to message {oldest}"
    ));
    assert_eq!(loud.leaves(), typist.lines);
}
