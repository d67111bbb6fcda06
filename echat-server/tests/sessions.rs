//! Nothing leaks between sessions: users log in, are taken over, leave in every way and come back,
//! and behind the last of them the maps are empty and the memory is what it was.
//!
//! A program of its own, since it looks at the memory of its own process. `ECHAT_CYCLES=100000` tries
//! so many logins against the engine, and a hundredth of that against the real server.

mod sim;

use echat_proto::channel::Incoming;
use echat_server::config::Limits;
use echat_server::storage::Store;
use echat_system::proc;
use echat_testkit::campaign;
use echat_testkit::server_process::ServerFolder;
use echat_testkit::wire::{Client, line};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sim::{HOME, Sim, seed};

/// Logins of the ordinary run.
const CYCLES: usize = 100;
const USERS: [&str; 4] = ["ann", "bob", "joe", "kim"];
/// What an allocator may keep and another test of this process may use at the same time, in KiB.
const NOISE: u64 = 6 * 1024;

fn cycles() -> usize {
    campaign::count("ECHAT_CYCLES", CYCLES)
}

fn sim() -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &USERS);
    seed::friends(&mut store, &USERS);
    seed::room(&mut store, "tea", &USERS);
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.skip_hashing = true;
    sim
}

/// Logs in over a new connection, which replaces an older session of the user. Then the user stays, or leaves in
/// one of many ways.
fn come_and_perhaps_go(sim: &mut Sim, user: &str, seat: usize, rng: &mut StdRng) {
    let new = format!("{user}.{seat}");
    let credentials = format!(r#"{{"username":"{user}","password":"{}"}}"#, seed::PASSWORD);
    sim.connect(&new, HOME);
    let told = sim.ask(&new, "LOGIN", &credentials);
    assert_eq!(
        told.last().map(|message| message.command),
        Some(105),
        "{user} gets in"
    );
    let here = sim.end(&new).conn;
    let roster = sim.engine.roster();
    let own = roster.sessions().find(|(_, online)| &*online.name == user);
    let own = own.map(|(conn, _)| conn);
    assert_eq!(own, here, "{user}'s one session");
    match rng.random_range(0..10) {
        0 => {
            sim.ask(&new, "LOGOUT", "null");
        }
        1 => {
            sim.ask(&new, "LOGOUT", "null");
            let again = sim.ask(&new, "LOGIN", &credentials);
            assert_eq!(again.last().map(|message| message.command), Some(105));
        }
        2 => sim.end(&new).hang_up(),
        3 => {
            let conn = sim.end(&new).conn.expect("it was taken in");
            sim.engine.sever(conn);
        }
        // It reads no more, and the next login finds it so.
        4 => sim.end(&new).stalled = true,
        _ => {}
    }
    sim.settle();
    sim.ends
        .values_mut()
        .for_each(|end| drop(end.take_messages()));
}

#[test]
fn sessions_leave_no_memory_behind() {
    let (mut sim, mut rng) = (sim(), StdRng::seed_from_u64(16));
    let cycles = cycles();
    let mut warm = 0;
    for cycle in 0..cycles {
        if cycle == cycles / 3 {
            warm = proc::resident_kib(std::process::id()).unwrap();
        }
        let round = cycle / USERS.len();
        come_and_perhaps_go(&mut sim, USERS[cycle % USERS.len()], round % 2, &mut rng);
        assert!(sim.engine.roster().sessions().count() <= USERS.len());
        if cycle % 50 == 0 {
            sim.advance(std::time::Duration::from_secs(3));
        }
    }
    let end = proc::resident_kib(std::process::id()).unwrap();
    println!("{cycles} logins; {warm} KiB after a third of them, {end} KiB at the end");
    assert!(end < warm + NOISE, "{warm} KiB, then {end} KiB");
    sim.clear();
    assert!(sim.engine.is_empty() && sim.engine.roster().is_empty());
    assert_eq!(sim.engine.deadline(), None);
    assert!(!sim.engine.has_work());
}

#[test]
fn the_real_server_is_taken_over_again_and_again() {
    let dir = ServerFolder::new();
    // In a lobby both would be told of each other twice.
    dir.write("config.json", r#"{"server": {"lobby": ""}}"#);
    let server = dir.start(&["--log", "warn"]);
    let mut bob = Client::register(&server, "bob");
    let mut ann = Client::register(&server, "ann");
    ann.befriends("ann", &mut bob, "bob");
    bob.events.clear();
    let cycles = cycles() / 100 + 20;
    let mut warm = 0;
    for cycle in 0..cycles {
        if cycle == cycles / 3 {
            warm = proc::resident_kib(server.id()).unwrap();
        }
        let mut next = Client::login(&server, "ann");
        while line(&ann.hears_message()) != "SERVER_KICK null" {}
        assert_eq!(ann.hears(), Some(Incoming::Close(6)));
        assert_eq!(ann.hears(), None);
        if cycle % 2 == 0 {
            next.asks("LOGOUT");
            next.logs_in("ann");
        }
        ann = next;
    }
    let end = proc::resident_kib(server.id()).unwrap();
    println!("{cycles} logins of the real server; {warm} KiB, then {end} KiB");
    assert!(end < warm + NOISE, "{warm} KiB, then {end} KiB");
    // A replaced session changes no presence: only each LOGOUT and the login behind it cause events.
    bob.is_served();
    let told: Vec<String> = bob.events.iter().map(line).collect();
    let both = [r#"ON_FRIEND_OFFLINE "ann""#, r#"ON_FRIEND_ONLINE "ann""#];
    assert_eq!(told, both.repeat(cycles.div_ceil(2)));
    assert_eq!(server.stop().status.code(), Some(0));
}
