//! The server dies at every byte that it: the client says so in words, comes back, sends
//! what was typed once, and gives the terminal back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use echat_client::clock::Clock;
use echat_testkit::campaign;
use echat_testkit::proxy::{Direction, Proxy};

use crate::server_folder::ServerFolder;

/// People at a time: what takes long is the wait before a client tries again.
const PEOPLE: usize = 8;

/// After how many bytes from the server the connection is cut.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Never,
    /// Counted from the first one.
    Arriving(usize),
    /// Counted from the login: the answer to a line.
    Talking(usize),
}

/// From the first byte to the goodbye. How many bytes the server said up to the login, and after.
fn visits(folder: &ServerFolder, name: &str, cut: Cut) -> (usize, usize) {
    let proxy = Proxy::to(folder.server.address());
    if let Cut::Arriving(bytes) = cut {
        proxy.cuts_after(Direction::Down, bytes);
    }
    let mut person = folder.comes(name, proxy.address());
    person.sees(&format!("ogged in as {name}."));
    let arrived = proxy.down();
    if let Cut::Talking(bytes) = cut {
        proxy.cuts_after(Direction::Down, bytes);
    }
    let line = line(name, cut);
    person.types(&format!("@r {name} {line}\r"));
    // The room has the name of its user.
    person.sees(&format!("me to #{name}: {line}"));
    person.sees_that("a prompt and nothing that waits", |screen| {
        screen.rest_from("contact> ").as_deref() == Some("contact>")
    });
    let (talked, cuts) = (proxy.down(), proxy.cuts());
    // A cut from here on comes while the user is leaving.
    person.types("\\d\r");
    person.reads_to_the_end();
    person.has_the_terminal_back();
    let (code, shown) = person.ends();
    assert_eq!(code, 0, "{shown}");
    let notices = ["Connection lost.", "Cannot connect to "];
    let reported =
        notices.iter().any(|words| shown.contains(words)) && shown.contains("Reconnecting");
    assert_eq!(reported, cuts > 0, "{cut:?}: {shown}");
    (arrived, talked - arrived)
}

fn line(name: &str, cut: Cut) -> String {
    format!("{name} {cut:?}")
}

/// So many places, spread over a whole session.
fn cuts(folder: &ServerFolder, name: &str, count: usize) -> Vec<Cut> {
    let (arriving, talking) = visits(folder, name, Cut::Never);
    let arriving = (1..=arriving).map(Cut::Arriving);
    let all: Vec<Cut> = arriving.chain((1..=talking).map(Cut::Talking)).collect();
    let count = count.min(all.len());
    (0..count).map(|at| all[at * all.len() / count]).collect()
}

#[test]
fn a_connection_cut_at_any_byte_loses_no_message() {
    let folder = ServerFolder::unhurried();
    let names: Vec<String> = (0..PEOPLE).map(|n| format!("user{n}")).collect();
    for name in &names {
        // A room for each, so that no user gets messages of the others.
        folder.has(name, &[name]);
    }
    let cuts = cuts(
        &folder,
        &names[0],
        campaign::count("ECHAT_CUTS", 2 * PEOPLE),
    );
    let clock = Clock::start();
    let next = AtomicUsize::new(0);
    let (folder, cuts, next) = (&folder, &cuts, &next);
    thread::scope(|scope| {
        for name in &names {
            scope.spawn(move || {
                let mut lines = Vec::new();
                while let Some(cut) = cuts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    visits(folder, name, *cut);
                    lines.push(line(name, *cut));
                }
                let once = vec![1; lines.len()];
                assert_eq!(folder.counts(name, &lines), once, "{lines:?}");
            });
        }
    });
    campaign::report(format_args!(
        "{} cuts up to {:?} in {:?}: said in words, back again, every line once",
        cuts.len(),
        cuts.last(),
        clock.now()
    ));
}
