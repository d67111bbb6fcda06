//! Clients that know only requests 1 to 18 keep working.
//!
//! `transcripts/requests_1_to_18/` has transcripts that such clients produce, as they stood at commit b099ef15, the
//! last one without other requests. Its folder `recorded` has the same transcripts with all keys and values that the
//! engine of that commit sent, but for secrets, `history`, and what a transcript captures or leaves open. These files
//! never change.
//!
//! Today's engine must send every reply and event in them, in order, with all keys and values that they name. It may
//! send further keys, and between them events that these clients do not know and ignore. [`DIFFERENCES`] lists what
//! else it does, and why.

use crate::sim::script::{self, Ending};
use crate::transcripts_in;
use echat_testkit::side_by_side;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write;

const FOLDER: &str = "tests/transcripts/requests_1_to_18";
/// SHA-256 of the names and the contents of all files.
const UNCHANGED: &str = "6a3db78fe3cad3ff4574858f25c914cd67077bed0215abae865006e6e28b1b21";
/// The highest number of an event that these clients know.
const LAST_KNOWN_EVENT: u32 = 123;
/// What these clients request.
const REQUESTS: [&str; 16] = [
    "QUERY_SERVER_TIME",
    "REGISTER",
    "LOGIN",
    "ADD_FRIEND",
    "RESOLVE_FRIEND_REQUEST",
    "SEND_MESSAGE",
    "JOIN_ROOM",
    "CREATE_ROOM",
    "LOGOUT",
    "QUERY_HISTORY",
    "MARK_READ",
    "LEAVE_ROOM",
    "ADD_MEMBERS",
    "FIND",
    "LIST_ROOMS",
    "LIST_MEMBERS",
];

/// Lines of a transcript that today's engine answers differently.
struct Difference {
    transcript: &'static str,
    then: &'static str,
    now: &'static str,
    reason: &'static str,
}

const OWNER_LEFT: &str =
    "The owner of a room is a member. When the owner leaves, the room passes on.";
const LAST_MEMBER_LEFT: &str = "A room closes with its last member. It does not count towards the rooms of its owner any more.";
const FOR_DISPLAY: &str = "A client acts on `code` and `field`. `message` is for display.";

const DIFFERENCES: [Difference; 6] = [
    Difference {
        transcript: "rooms.txt",
        then: r#"
joe> LIST_ROOMS null
joe< ROOMS [{"roomname":"tea","members":2,"owner":"ann","unread":0}]
"#,
        now: r#"
joe> LIST_ROOMS null
joe< ROOMS [{"roomname":"tea","members":2,"owner":"bob","unread":0}]
"#,
        reason: OWNER_LEFT,
    },
    Difference {
        transcript: "recorded/rooms.txt",
        then: r#"
joe> LIST_ROOMS null
joe< ROOMS [{"roomname":"tea","members":2,"owner":"ann","unread":0}]
"#,
        now: r#"
joe> LIST_ROOMS null
joe< ROOMS [{"roomname":"tea","members":2,"owner":"bob","unread":0}]
"#,
        reason: OWNER_LEFT,
    },
    Difference {
        transcript: "rooms.txt",
        then: r#"
ann< LEFT_ROOM "two"
ann> CREATE_ROOM {"roomname":"three","members":[]}
ann< CREATE_ROOM_RESULT {"success":false,"code":"too_many","limit":2}
"#,
        now: r#"
ann< LEFT_ROOM "two"
ann> CREATE_ROOM {"roomname":"three","members":[]}
ann< ON_NEW_ROOM "three"
ann< CREATE_ROOM_RESULT {"success":true}
"#,
        reason: LAST_MEMBER_LEFT,
    },
    Difference {
        transcript: "recorded/rooms.txt",
        then: r#"
ann< LEFT_ROOM "two"
ann> CREATE_ROOM {"roomname":"three","members":[]}
ann< CREATE_ROOM_RESULT {"success":false,"code":"too_many","message":"There are too many of these.","limit":2}
"#,
        now: r#"
ann< LEFT_ROOM "two"
ann> CREATE_ROOM {"roomname":"three","members":[]}
ann< ON_NEW_ROOM "three"
ann< CREATE_ROOM_RESULT {"success":true,"code":null,"message":"The room was made."}
"#,
        reason: LAST_MEMBER_LEFT,
    },
    Difference {
        transcript: "recorded/rooms.txt",
        then: r#"
kim> LIST_MEMBERS null
kim< REFUSED {"code":"bad_params","message":"roomname: must be str, not null","field":"roomname","command":18}
"#,
        now: r#"
kim> LIST_MEMBERS null
kim< REFUSED {"code":"bad_params","message":"*","field":"roomname","command":18}
"#,
        reason: FOR_DISPLAY,
    },
    Difference {
        transcript: "recorded/find.txt",
        then: r#"
ann> FIND {"keyword":"x*65"}
ann< REFUSED {"code":"bad_params","message":"keyword: must have 1 to 64 bytes","field":"keyword","command":16}
"#,
        now: r#"
ann> FIND {"keyword":"x*65"}
ann< REFUSED {"code":"bad_params","message":"*","field":"keyword","command":16}
"#,
        reason: FOR_DISPLAY,
    },
];

/// All transcripts by name.
fn transcripts() -> Vec<(String, String)> {
    let recorded = transcripts_in(&format!("{FOLDER}/recorded")).into_iter();
    let recorded = recorded.map(|(name, text)| (format!("recorded/{name}"), text));
    transcripts_in(FOLDER).into_iter().chain(recorded).collect()
}

/// A transcript with all of its differences, or all but one.
fn with_differences(name: &str, text: &str, omitted: Option<usize>) -> String {
    let mut text = text.to_owned();
    for (index, difference) in DIFFERENCES.iter().enumerate() {
        if difference.transcript == name && Some(index) != omitted {
            let found = text.matches(difference.then).count();
            assert_eq!(found, 1, "in {name}:{}", difference.then);
            text = text.replace(difference.then, difference.now);
        }
    }
    text
}

/// Plays a transcript to clients that ignore what they do not know.
fn play(name: &str, text: &str) -> Result<BTreeSet<Ending>, String> {
    let played = script::run_for(name, text, 1, |event| event > LAST_KNOWN_EVENT);
    played.map(|(endings, _)| endings)
}

#[test]
fn clients_that_know_requests_1_to_18_keep_working() {
    let mut endings = BTreeSet::new();
    let mut failures = Vec::new();
    let transcripts = transcripts();
    for played in side_by_side::each(transcripts.iter(), |(name, text)| {
        play(name, &with_differences(name, text, None))
    }) {
        match played {
            Ok(found) => endings.extend(found),
            Err(failure) => failures.push(failure),
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    for request in REQUESTS {
        let mut ended = endings.iter().filter(|(name, ..)| *name == request);
        let refused = |(.., code): &&Ending| code.is_some();
        assert!(ended.clone().any(|end| refused(&end)), "{request} refused");
        assert!(ended.any(|end| !refused(&end)), "{request} done");
    }
    let mut others = endings.iter().map(|(name, ..)| name);
    let other = others.find(|name| !REQUESTS.contains(name) && **name != "(unknown)");
    assert_eq!(other, None, "these clients do not know it");
}

#[test]
fn each_listed_difference_from_clients_of_then_is_one() {
    let transcripts = transcripts();
    for (index, difference) in DIFFERENCES.iter().enumerate() {
        let mut all = transcripts.iter();
        let (name, text) = all
            .find(|(name, _)| name == difference.transcript)
            .expect("a transcript of the folder");
        let played = play(name, &with_differences(name, text, Some(index)));
        let failure = played.expect_err(difference.reason);
        let line = difference.then.trim_end().lines().last().expect("a line");
        assert!(failure.contains(line), "{failure}");
    }
}

#[test]
fn transcripts_of_older_clients_stay_as_they_were() {
    let mut digest = Sha256::new();
    for (name, text) in transcripts() {
        digest.update(format!("{name} {}\n{text}", text.len()));
    }
    let hex = digest
        .finalize()
        .iter()
        .fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a string takes all");
            hex
        });
    assert_eq!(hex, UNCHANGED, "requests_1_to_18 is never changed");
}
