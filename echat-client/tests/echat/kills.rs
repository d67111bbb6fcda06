//! The server is killed while a user types, and sometimes the client too: the line that was
//! typed survives and arrives once.

use std::time::Duration;

use echat_client::clock::Clock;
use echat_testkit::campaign;
use echat_testkit::proxy::{Direction, Proxy};
use echat_testkit::terminal::person::Person;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::Signal;

use crate::server_folder::ServerFolder;

/// When the server is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// With the line half typed; the rest is typed without a server.
    Typing(usize),
    /// After so many bytes of the request, or of the answer.
    Saying(Direction, usize),
    /// When the line is there.
    Said,
}

impl Moment {
    fn any(random: &mut StdRng, line: &str) -> Self {
        match random.random_range(0..6) {
            0 | 1 => Self::Typing(random.random_range(1..=line.len())),
            2 | 3 => Self::Saying(Direction::Up, random.random_range(1..100)),
            4 => Self::Saying(Direction::Down, random.random_range(1..100)),
            _ => Self::Said,
        }
    }
}

/// Types the line, and the server dies at that moment.
fn says(folder: &mut ServerFolder, ann: &mut Person, front: &Proxy, line: &str, moment: Moment) {
    let typed = |rest: &str| format!("room1> {rest}");
    match moment {
        Moment::Typing(length) => {
            ann.types(&line[..length]);
            ann.sees(&typed(&line[..length]));
            folder.falls();
            ann.sees("Reconnecting");
            ann.types(&line[length..]);
            ann.sees_that("the line that was begun", |screen| {
                let shown = screen.rest_from("room1").unwrap_or_default();
                shown.starts_with("room1 (offline") && shown.ends_with(&format!(")> {line}"))
            });
            ann.types("\r");
            ann.sees("(pending)");
        }
        Moment::Saying(way, bytes) => {
            let cuts = front.cuts();
            front.cuts_after(way, bytes);
            ann.types(&format!("{line}\r"));
            front.waits_for_cut(cuts + 1);
            folder.falls();
            ann.sees("Reconnecting");
        }
        Moment::Said => {
            ann.types(&format!("{line}\r"));
            ann.sees(&format!("me: {line}"));
            folder.falls();
            ann.sees("Reconnecting");
        }
    }
}

#[test]
fn a_line_survives_and_arrives_once() {
    let kills = campaign::count("ECHAT_LINE_KILLS", 4);
    let seed = campaign::count("ECHAT_SEED", 26);
    let mut random = StdRng::seed_from_u64(seed);
    let mut folder = ServerFolder::unhurried();
    folder.has("room1", &["ann", "bob"]);
    let address = folder.server.address();
    let (front, side) = (Proxy::to(address), Proxy::to(address));
    let mut ann = folder.opens("ann", front.address());
    let mut bob = folder.opens("bob", side.address());
    // Bob only listens: no answer proves his connections good, so that their back-off goes on, up to 30 s.
    bob.has_patience(Duration::from_mins(1));
    let mut lines = Vec::new();
    let clock = Clock::start();
    for turn in 0..kills {
        let line = format!("line {turn}.");
        let moment = Moment::any(&mut random, &line);
        println!("seed {seed}, {line} {moment:?}");
        says(&mut folder, &mut ann, &front, &line, moment);
        if turn % 2 == 1 {
            ann.signals(Signal::KILL);
            ann.reads_to_the_end();
        }
        folder.rises();
        for proxy in [&front, &side] {
            proxy.leads_to(Some(folder.server.address()));
        }
        bob.types("\r");
        if turn % 2 == 1 {
            ann = folder.opens("ann", front.address());
        } else {
            ann.sees("Reconnected. Logged in as ann.");
        }
        ann.sees_that("everything is sent", |screen| {
            screen.rest_from("room1").as_deref() == Some("room1>")
        });
        bob.sees(&format!("ann: {line}"));
        lines.push(line);
    }
    assert_eq!(folder.counts("ann", &lines), vec![1; kills]);
    for line in &lines {
        let shown = bob.shown().matches(&format!("ann: {line}")).count();
        assert_eq!(shown, 1, "{line} {}", bob.shown());
    }
    campaign::report(format_args!(
        "{kills} kills in {:?}, the client too in every second: every line once",
        clock.now()
    ));
}
