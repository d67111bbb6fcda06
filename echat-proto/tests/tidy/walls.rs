//! What may be named where, and what nowhere.

use super::none;
use super::source::{has_path, root, sources};

/// A name, the paths that may have it, and the reason.
struct Wall {
    name: &'static str,
    allowed: &'static [&'static str],
    why: &'static str,
}

const WALLS: &[Wall] = &[
    Wall {
        name: "echat_testkit",
        allowed: &["fuzz/"],
        why: "programs contain nothing of their tests",
    },
    Wall {
        name: "rusqlite",
        allowed: &["echat-server/src/storage/"],
        why: "SQL belongs to storage",
    },
    Wall {
        name: "mio",
        allowed: &[
            "echat-server/src/reactor",
            "echat-server/src/workers/pool",
            "echat-server/src/workers/helper_thread.rs",
            "echat-client/src/load/crowd.rs",
            "echat-client/src/load/peers/",
        ],
        why: "the engine is simulated without sockets",
    },
    Wall {
        name: "signal_hook_mio",
        allowed: &["echat-server/src/reactor"],
        why: "signals are events of the loop",
    },
    Wall {
        name: "argon2",
        allowed: &["echat-server/src/workers/jobs"],
        why: "a password hash never runs on the reactor's thread",
    },
    Wall {
        name: "termion",
        allowed: &["echat-client/src/terminal/", "echat-client/src/nc/ask.rs"],
        why: "one place knows escape bytes and raw mode",
    },
    Wall {
        name: "Instant::now",
        allowed: &[
            "echat-server/src/reactor",
            "echat-server/src/main.rs",
            "echat-client/src/clock.rs",
            "echat-testkit/src/clock.rs",
        ],
        why: "time is passed in",
    },
    Wall {
        name: "SystemTime::now",
        allowed: &[
            "echat-server/src/reactor",
            "echat-server/src/main.rs",
            "echat-client/src/clock.rs",
        ],
        why: "time is passed in",
    },
    Wall {
        name: "File::open",
        allowed: &[
            "echat-system/",
            "echat-client/",
            "echat-testkit/",
            // Before a database is open, in another process, or no file of it.
            "echat-server/src/config.rs",
            "echat-server/src/host_key.rs",
            "echat-server/src/ctl.rs",
            "echat-server/src/data_dir/replacement.rs",
            "echat-server/src/storage/backup.rs",
            "echat-server/src/storage/salvage.rs",
            "echat-server/src/storage/write_ahead_log/",
        ],
        why: "a descriptor of the database that is closed releases SQLite's locks: echat-system refuses to open it",
    },
    Wall {
        name: "tempfile",
        allowed: &["echat-system/", "echat-testkit/"],
        why: "private files are replaced in one place",
    },
    Wall {
        name: "echat_proto",
        allowed: &[
            "echat-proto/",
            "echat-server/",
            "echat-client/",
            "echat-testkit/",
            "fuzz/",
        ],
        why: "echat-system knows the operating system only",
    },
    Wall {
        name: "echat_system",
        allowed: &["echat-system/", "echat-server/", "echat-client/"],
        why: "the protocol does no IO",
    },
    Wall {
        name: "echat_server",
        allowed: &["echat-server/"],
        why: "client and server share echat-proto and echat-system only",
    },
    Wall {
        name: "echat_client",
        allowed: &["echat-client/"],
        why: "client and server share echat-proto and echat-system only",
    },
];

/// Comes before the dependencies of tests in a Cargo.toml.
const DEV_DEPENDENCIES: &str = "\n[dev-dependencies]\n";

/// What the protocol crate does without.
const NOT_IN_PROTO: &[&str] = &["net", "time", "thread", "fs", "env", "process", "os"];

/// Nowhere in shipped code.
const NOWHERE: &[(&str, &str)] = &[
    (
        "TODO",
        "say what is missing in the README's status, or do it",
    ),
    ("FIXME", "fix it"),
    ("XXX", "say it in words"),
    ("todo!", "a panic in waiting"),
    ("unimplemented!", "a panic in waiting"),
    ("dbg!", "a left-over"),
    ("thread::sleep", "use a deadline of the loop"),
];

#[test]
fn names_stay_behind_their_walls() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.is_source()) {
        for (number, line) in source.code() {
            for wall in WALLS {
                let free = wall
                    .allowed
                    .iter()
                    .any(|path| source.path.starts_with(path));
                if !free && has_path(line, wall.name) {
                    found.push(format!(
                        "{}: {}: {}",
                        source.at(number),
                        wall.name,
                        wall.why
                    ));
                }
            }
        }
    }
    none(&found, "some names belong to one place");
}

#[test]
fn only_tests_depend_on_the_testkit() {
    let mut found = Vec::new();
    for krate in [
        "echat-proto",
        "echat-system",
        "echat-server",
        "echat-client",
    ] {
        let manifest = root().join(krate).join("Cargo.toml");
        let text = std::fs::read_to_string(manifest).expect("a manifest");
        let shipped = text.split(DEV_DEPENDENCIES).next().unwrap_or_default();
        if shipped.contains("echat-testkit") {
            found.push(format!("{krate}/Cargo.toml"));
        }
    }
    none(&found, "echat-testkit stands under [dev-dependencies] only");
}

#[test]
fn the_protocol_does_no_io() {
    let mut found = Vec::new();
    for source in sources() {
        if source.inside("echat-proto").is_none() || !source.is_source() {
            continue;
        }
        for (number, line) in source.code() {
            let grouped = line.contains("std::{");
            let named = NOT_IN_PROTO
                .iter()
                .find(|module| has_path(line, &format!("std::{module}")));
            if let Some(module) = named {
                found.push(format!("{}: std::{module}", source.at(number)));
            } else if grouped {
                found.push(format!("{}: one use a module of std", source.at(number)));
            }
        }
    }
    none(
        &found,
        "echat-proto has no sockets, clocks, threads or files",
    );
}

#[test]
fn no_todo_and_no_sleep() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.is_source()) {
        // Comments too: that is where these words live.
        for (number, line) in (1..).zip(source.text.lines()) {
            for (word, why) in NOWHERE {
                let name = word.trim_end_matches('!');
                if line.contains(word) && has_path(line, name) {
                    found.push(format!("{}: {word}: {why}", source.at(number)));
                }
            }
        }
    }
    none(&found, "shipped code is finished code");
}
