//! Who may import whom. A row's modules may import those of the row's list and no others, and a list
//! names only rows above its own: so there is no cycle, by construction.

use std::collections::BTreeSet;

use super::none;
use super::source::{Source, sources};

type Row = (&'static str, &'static [&'static str]);

const PROTO: &[Row] = &[
    ("config", &[]),
    ("limits", &[]),
    ("value", &[]),
    ("fingerprint", &[]),
    ("crypto", &[]),
    ("group", &[]),
    ("names", &["limits"]),
    ("codec", &["limits", "value"]),
    ("terminal_text", &[]),
    ("json", &["limits", "terminal_text", "value"]),
    ("frame", &["crypto"]),
    ("code", &["value"]),
    ("param", &["code", "limits", "names", "value"]),
    ("records", &["code", "names", "param", "value"]),
    ("message", &["codec", "value"]),
    (
        "commands",
        &["message", "names", "param", "records", "value"],
    ),
    (
        "channel",
        &["commands", "crypto", "frame", "limits", "message", "value"],
    ),
    ("handshake", &["channel", "crypto", "group", "limits"]),
];

const SYSTEM: &[Row] = &[
    ("exit", &[]),
    ("private_file", &[]),
    ("private_memory", &[]),
];

const SERVER: &[Row] = &[
    ("clock", &[]),
    ("conn", &[]),
    ("exit", &[]),
    ("config", &[]),
    ("store", &[]),
    ("escape", &[]),
    ("output", &[]),
    ("logging", &["config", "output", "escape"]),
    ("cli", &["config", "exit"]),
    ("host_key", &["exit"]),
    ("data_dir", &["exit", "host_key"]),
    ("roster", &["conn", "store"]),
    ("session_log", &["conn", "store"]),
    ("limits", &["config", "store"]),
    ("outbox", &["conn", "store"]),
    ("workers", &["conn", "limits", "store"]),
    ("peer", &["clock", "config", "conn", "limits"]),
    (
        "handlers",
        &[
            "clock",
            "config",
            "conn",
            "limits",
            "outbox",
            "roster",
            "session_log",
            "store",
            "workers",
        ],
    ),
    ("routes", &["handlers"]),
    ("replay", &["config", "handlers", "routes", "store"]),
    (
        "engine",
        &[
            "clock",
            "config",
            "conn",
            "handlers",
            "limits",
            "outbox",
            "peer",
            "roster",
            "routes",
            "session_log",
            "store",
            "escape",
            "workers",
        ],
    ),
    (
        "console",
        &["clock", "conn", "engine", "roster", "store", "escape"],
    ),
    (
        "reactor",
        &[
            "clock", "config", "conn", "console", "engine", "limits", "logging", "output", "store",
            "workers",
        ],
    ),
];

const CLIENT: &[Row] = &[
    ("exit", &[]),
    ("fingerprint", &[]),
    ("clock", &[]),
    ("folders", &[]),
    ("ask", &[]),
    ("lines", &[]),
    ("password", &["lines"]),
    ("address", &["fingerprint"]),
    ("columns", &[]),
    ("safe", &["columns"]),
    ("styled", &["safe"]),
    ("target", &[]),
    ("local_time", &[]),
    ("text", &[]),
    ("settings", &["local_time", "target"]),
    ("liveness", &[]),
    ("connection", &["liveness"]),
    ("outgoing", &["target"]),
    ("line_editor", &[]),
    ("session", &["target"]),
    ("statement", &["target", "text"]),
    (
        "modes",
        &[
            "local_time",
            "outgoing",
            "safe",
            "session",
            "settings",
            "statement",
            "styled",
            "target",
            "text",
        ],
    ),
    (
        "app",
        &[
            "connection",
            "exit",
            "line_editor",
            "modes",
            "outgoing",
            "safe",
            "session",
            "settings",
            "statement",
            "styled",
            "target",
            "text",
        ],
    ),
    ("view", &["columns", "safe", "styled"]),
    (
        "terminal",
        &["columns", "line_editor", "safe", "styled", "view"],
    ),
    (
        "known_hosts",
        &["address", "fingerprint", "folders", "lines"],
    ),
    ("trust", &["fingerprint"]),
    ("wait", &["clock"]),
    ("wake", &["clock", "wait"]),
    ("socket", &["address", "clock", "wait"]),
    ("link", &["clock", "fingerprint", "socket", "trust", "wait"]),
    (
        "load",
        &["address", "clock", "link", "socket", "trust", "wait"],
    ),
    (
        "nc",
        &[
            "address",
            "ask",
            "clock",
            "exit",
            "fingerprint",
            "known_hosts",
            "line_editor",
            "lines",
            "link",
            "liveness",
            "password",
            "socket",
            "terminal",
            "trust",
            "wait",
            "wake",
        ],
    ),
    (
        "chat",
        &[
            "address",
            "app",
            "ask",
            "clock",
            "exit",
            "fingerprint",
            "folders",
            "known_hosts",
            "line_editor",
            "lines",
            "link",
            "local_time",
            "password",
            "safe",
            "settings",
            "socket",
            "styled",
            "target",
            "terminal",
            "text",
            "trust",
            "view",
            "wait",
            "wake",
        ],
    ),
];

const CRATES: &[(&str, &[Row])] = &[
    ("echat-proto", PROTO),
    ("echat-system", SYSTEM),
    ("echat-server", SERVER),
    ("echat-client", CLIENT),
];

#[test]
fn modules_import_only_what_is_below_them() {
    let sources = sources();
    let mut wrong = Vec::new();
    for (krate, rows) in CRATES {
        for source in sources.iter().filter(|source| source.is_shipped()) {
            let Some(module) = source.inside(krate).and_then(module_of) else {
                continue;
            };
            let Some((_, allowed)) = rows.iter().find(|(name, _)| *name == module) else {
                wrong.push(format!("{}: {module} has no row", source.at(1)));
                continue;
            };
            for (line, import) in imports(source, rows) {
                if import != module && !allowed.contains(&import.as_str()) {
                    wrong.push(format!("{}: {module} imports {import}", source.at(line)));
                }
            }
        }
    }
    none(
        &wrong,
        "the table in tidy/imports.rs says who may import whom",
    );
}

#[test]
fn the_table_has_no_cycle_and_no_idle_permission() {
    let sources = sources();
    let mut wrong = Vec::new();
    for (krate, rows) in CRATES {
        for (index, (module, allowed)) in rows.iter().enumerate() {
            let used: BTreeSet<String> = sources
                .iter()
                .filter(|source| source.is_shipped())
                .filter(|source| source.inside(krate).and_then(module_of) == Some(module))
                .flat_map(|source| imports(source, rows))
                .map(|(_, import)| import)
                .collect();
            for import in *allowed {
                if !rows[..index].iter().any(|(above, _)| above == import) {
                    wrong.push(format!("{krate}: {module} -> {import}: not above it"));
                }
                if !used.contains(*import) {
                    wrong.push(format!("{krate}: {module} -> {import}: not needed"));
                }
            }
        }
    }
    none(&wrong, "the table is in order and no wider than the code");
}

/// The top-level module that a file of `src` belongs to; `None` for lib.rs and programs.
fn module_of(inside: &str) -> Option<&str> {
    let module = inside.split('/').next()?;
    let module = module.strip_suffix(".rs").unwrap_or(module);
    (!["lib", "main", "bin"].contains(&module)).then_some(module)
}

/// The modules of its own crate that a file names, with lines: by `crate::x`, by `crate::{x, y}`,
/// and by `super::x` where that is the crate's root. A doc link in a comment is no import.
fn imports(source: &Source, rows: &[Row]) -> Vec<(usize, String)> {
    let depth = source.path.split("/src/").nth(1).map_or(0, |inside| {
        inside.trim_end_matches("/mod.rs").matches('/').count()
    });
    let mut prefixes = vec!["crate::"];
    if depth == 0 {
        prefixes.push("super::");
    }
    let mut found = Vec::new();
    for (number, line) in source.code() {
        for prefix in &prefixes {
            for (at, _) in line.match_indices(prefix) {
                let rest = &line[at + prefix.len()..];
                let names = match rest.strip_prefix('{') {
                    Some(group) => group.split(',').map(str::trim).collect(),
                    None => vec![rest],
                };
                for name in names {
                    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
                    let name = &name[..end.unwrap_or(name.len())];
                    if rows.iter().any(|(module, _)| *module == name) {
                        found.push((number, name.to_owned()));
                    }
                }
            }
        }
    }
    found
}
