//! An attacker that changes bytes between two honest ends.

use std::collections::BTreeMap;

use echat_testkit::campaign;
use echat_testkit::scene::{Outcome, Scene};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::middle::{Direction, How, Middle, Seen, Tampering};
use crate::{knows, login, scene, through};

/// Tamperings of an ordinary run for each direction; `ECHAT_TAMPERINGS` asks for more.
const TAMPERINGS: usize = 16;
/// Parts of each direction that are always there: hello, FINISHED, a login, and requests or replies.
const PARTS: usize = 6;

fn tampering(way: Direction, part: usize, how: How) -> Tampering {
    Tampering { way, part, how }
}

/// Every kind of tampering for each part, then flipped bits as long as more are asked for. `honest` is
/// another session of the same two ends.
fn tamperings(way: Direction, honest: &Seen) -> Vec<Tampering> {
    let asked = campaign::count("ECHAT_TAMPERINGS", TAMPERINGS);
    let foreign = match way {
        Direction::ToServer => &honest.to_server,
        Direction::ToClient => &honest.to_client,
    };
    let mut kinds = Vec::new();
    for (part, other) in foreign.iter().enumerate().take(PARTS) {
        let mut hows = vec![How::Repeat, How::Replace(other.clone()), How::Truncate];
        // Nothing has come from the server before the first hello.
        if (way, part) != (Direction::ToServer, 0) {
            hows.push(How::Reflect);
        }
        // Only a client says more without having been answered.
        if way == Direction::ToServer && (1..PARTS - 1).contains(&part) {
            hows.extend([How::Drop, How::Swap]);
        }
        kinds.extend(hows.into_iter().map(|how| tampering(way, part, how)));
    }
    let rng = &mut StdRng::seed_from_u64(0);
    let flips = asked / 2;
    let others = (asked - flips).min(kinds.len());
    let mut chosen: Vec<Tampering> = (0..others)
        .map(|index| kinds[index * kinds.len() / others].clone())
        .collect();
    chosen.extend((others..asked).map(|_| {
        let bit = rng.random_range(0..usize::MAX);
        tampering(way, rng.random_range(0..PARTS), How::Flip(bit))
    }));
    chosen
}

/// The exit codes that are documented for a connection tampered with in this part: no server that can
/// be connected to, one that is not trusted, an expectation that the connection ended, or a protocol
/// error.
fn documented(tampering: &Tampering) -> &'static [i32] {
    match (tampering.part, tampering.way) {
        (0, _) => &[3, 4, 7],
        (1, _) => &[3, 7],
        (_, Direction::ToClient) => &[6, 7],
        (_, Direction::ToServer) => &[7],
    }
}

#[track_caller]
fn ends_as_documented(outcome: &Outcome, tampering: &Tampering) {
    let codes = documented(tampering);
    let told = format!("{tampering:?}\n{}\n{}", outcome.out, outcome.err);
    assert!(codes.contains(&outcome.code), "{}: {told}", outcome.code);
    assert_ne!(outcome.err, "", "a reason is given: {told}");
}

/// The scene, the middle that the client believes in, and an honest session through it.
fn honest(scene: &Scene, middle: &Middle, script: &str) -> (Outcome, Seen) {
    let (outcome, seen) = through(
        scene,
        middle,
        script,
        &tampering(Direction::ToServer, 0, How::Leave),
    );
    (outcome.exits(0), seen)
}

/// The output without the secret that resumes the session: each login gives another.
fn without_secret(out: &str) -> String {
    const KEY: &str = r#""resume":""#;
    match out.split_once(KEY) {
        Some((before, rest)) => {
            let (_, after) = rest.split_once('"').expect("the secret ends with a quote");
            format!("{before}{KEY}{after}")
        }
        None => out.to_owned(),
    }
}

#[test]
fn a_client_shows_only_messages_of_the_server() {
    let (scene, server) = scene(["ann", "bob"]);
    let middle = Middle::before(server.address());
    knows(&scene, &middle.address(), server.fingerprint());
    // One after another, so that every reply is a part of its own.
    let script = login("ann")
        + "LIST_ROOMS\n.expect ROOMS\nFIND {\"keyword\":\"bo\"}\n.expect FOUND\n\
           QUERY_HISTORY {}\n.expect HISTORY\nLIST_ROOMS\n.expect ROOMS\n";
    let (expected, seen) = honest(&scene, &middle, &script);
    let expected = without_secret(&expected.out);
    let again = honest(&scene, &middle, &script).0;
    assert_eq!(without_secret(&again.out), expected);
    assert!(
        seen.to_client.len() > PARTS,
        "{} parts",
        seen.to_client.len()
    );
    let mut codes = BTreeMap::new();
    for tampering in tamperings(Direction::ToClient, &seen) {
        let (outcome, seen) = through(&scene, &middle, &script, &tampering);
        ends_as_documented(&outcome, &tampering);
        *codes.entry(outcome.code).or_insert(0) += 1;
        let shown = without_secret(&outcome.out);
        assert!(expected.starts_with(&shown), "{tampering:?}: {shown}");
        assert!(shown.len() < expected.len(), "{tampering:?}");
        if outcome.code == 4 {
            assert_eq!(
                seen.to_server.len(),
                1,
                "{tampering:?}: nothing after the hello"
            );
        }
    }
    println!("tampered with on the way to the client, by exit code: {codes:?}");
}

#[test]
fn a_server_stores_only_messages_of_the_client() {
    let (scene, server) = scene(["ann", "bob"]);
    let middle = Middle::before(server.address());
    knows(&scene, &middle.address(), server.fingerprint());
    // All at once, so that a request is there to come in another's place.
    let script = |run: usize| {
        let send = |n| {
            format!(
                "SEND_MESSAGE {{\"target_type\":0,\"target\":\"bob\",\"content\":\"{run}.{n}\"}}\n"
            )
        };
        login("ann").replace(".expect LOGIN_BUNDLE\n", "") + &[1, 2, 3].map(send).concat()
    };
    let (_, seen) = honest(&scene, &middle, &script(0));
    assert!(
        seen.to_server.len() > PARTS,
        "{} parts",
        seen.to_server.len()
    );
    let tamperings = tamperings(Direction::ToServer, &seen);
    let mut bounds = vec![3..=3];
    let mut codes = BTreeMap::new();
    for (run, tampering) in (1..).zip(&tamperings) {
        let (outcome, _) = through(&scene, &middle, &script(run), tampering);
        ends_as_documented(&outcome, tampering);
        *codes.entry(outcome.code).or_insert(0) += 1;
        let receipt = format!("\"content\":\"{run}.");
        let acknowledged = outcome.out.matches(&receipt).count();
        bounds.push(acknowledged..=sent_before(tampering));
    }
    // What is kept of each run is a beginning of it, nothing twice, and all that was acknowledged.
    let direct = format!("echat://{}/#{}", server.address(), server.fingerprint());
    let mut kept = kept(&scene, &direct).into_iter().peekable();
    for (run, bounds) in bounds.into_iter().enumerate() {
        let mut count = 0;
        while let Some(content) = kept.next_if(|content| content.starts_with(&format!("{run}."))) {
            count += 1;
            assert_eq!(content, format!("{run}.{count}"));
        }
        assert!(
            bounds.contains(&count),
            "run {run}: {count} kept of {bounds:?}"
        );
    }
    assert_eq!(kept.next(), None);
    println!("tampered with on the way to the server, by exit code: {codes:?}");
}

/// The messages that were passed on whole and in their place: they come behind hello, FINISHED and login.
fn sent_before(tampering: &Tampering) -> usize {
    let untouched = tampering.part + usize::from(matches!(tampering.how, How::Repeat));
    untouched.saturating_sub(3)
}

/// The contents of every message that bob can read, the oldest first.
fn kept(scene: &Scene, direct: &str) -> Vec<String> {
    let mut contents = Vec::new();
    let mut after = 0;
    loop {
        let script = format!(
            "{}QUERY_HISTORY {{\"after\":{after},\"limit\":200}}\n",
            login("bob")
        );
        let out = scene.run(&[direct], &script).exits(0).out;
        let page: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
        for message in page["params"]["messages"].as_array().unwrap() {
            contents.push(message["content"].as_str().unwrap().to_owned());
            after = message["id"].as_u64().unwrap();
        }
        if page["params"]["more"] == false {
            return contents;
        }
    }
}
