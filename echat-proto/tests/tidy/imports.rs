//! Which module may import which. A row's modules may import those of the row's list and no others, and a list
//! names only rows above its own: so there is no cycle, by construction. `a::b` is the row of a module in the
//! group `a`, which only declares its modules.

use std::collections::BTreeSet;

use super::none;
use super::source::{Source, sources};

type Row = (&'static str, &'static [&'static str]);

const PROTO: &[Row] = &[
    ("limits", &[]),
    ("value", &[]),
    ("fingerprint", &[]),
    ("crypto", &[]),
    ("group", &[]),
    ("names", &["limits"]),
    ("config", &["names"]),
    ("codec", &["limits", "value"]),
    ("terminal_text", &[]),
    ("json", &["limits", "terminal_text", "value"]),
    ("frame", &["crypto"]),
    ("code", &["limits", "value"]),
    ("param", &["code", "codec", "limits", "names", "value"]),
    ("emoji", &["param"]),
    ("mentions", &["names"]),
    ("records", &["code", "codec", "names", "param", "value"]),
    ("message", &["codec", "value"]),
    (
        "commands",
        &["codec", "message", "names", "param", "records", "value"],
    ),
    (
        "channel",
        &["commands", "crypto", "frame", "limits", "message", "value"],
    ),
    ("handshake", &["channel", "crypto", "group", "limits"]),
];

const SYSTEM: &[Row] = &[
    ("exit", &[]),
    ("free_space", &[]),
    ("locked_file", &[]),
    ("private_file", &["locked_file"]),
    ("private_memory", &[]),
    ("proc", &[]),
    ("regular_file", &["locked_file"]),
];

const SERVER: &[Row] = &[
    ("clock", &[]),
    ("conn", &[]),
    ("exit", &[]),
    ("config", &[]),
    ("secrets", &[]),
    ("storage", &["clock", "secrets"]),
    ("escape", &[]),
    ("output", &[]),
    ("logging", &["config", "output", "escape"]),
    ("cli", &["config", "exit"]),
    ("host_key", &["exit"]),
    ("metrics", &[]),
    ("data_dir", &["exit", "host_key", "storage"]),
    ("backup", &["data_dir", "exit", "host_key", "storage"]),
    ("roster", &["conn", "storage"]),
    ("session_log", &["conn", "storage"]),
    ("limits", &["clock", "config", "storage"]),
    ("presence_change", &["storage"]),
    ("outbox", &["conn", "presence_change", "roster", "storage"]),
    ("workers", &["conn", "limits", "secrets"]),
    ("peer", &["clock", "config", "conn", "limits"]),
    ("proxy_header", &[]),
    (
        "handlers",
        &[
            "clock",
            "config",
            "conn",
            "escape",
            "limits",
            "outbox",
            "presence_change",
            "roster",
            "secrets",
            "session_log",
            "storage",
            "workers",
        ],
    ),
    ("routes", &["handlers", "secrets"]),
    ("replay", &["config", "handlers", "routes", "storage"]),
    (
        "engine",
        &[
            "clock",
            "config",
            "conn",
            "handlers",
            "limits",
            "metrics",
            "outbox",
            "peer",
            "presence_change",
            "proxy_header",
            "roster",
            "routes",
            "secrets",
            "session_log",
            "storage",
            "escape",
            "workers",
        ],
    ),
    (
        "maintenance",
        &[
            "backup", "cli", "config", "data_dir", "engine", "escape", "exit", "host_key",
            "storage", "workers",
        ],
    ),
    ("console", &["clock", "engine", "escape"]),
    ("ctl", &["engine", "exit", "maintenance"]),
    (
        "reactor",
        &[
            "backup",
            "clock",
            "config",
            "conn",
            "console",
            "ctl",
            "engine",
            "limits",
            "logging",
            "maintenance",
            "metrics",
            "output",
            "proxy_header",
            "secrets",
            "storage",
            "workers",
        ],
    ),
];

const CLIENT: &[Row] = &[
    ("exit", &[]),
    ("secret", &[]),
    ("net::fingerprint", &[]),
    ("clock", &[]),
    ("local::folders", &[]),
    ("local::ignored_signals", &[]),
    ("local::ask", &[]),
    ("local::lines", &[]),
    ("local::password", &["local::lines", "secret"]),
    ("net::address", &["net::fingerprint"]),
    ("render::columns", &[]),
    ("render::safe", &["render::columns"]),
    ("render::styled", &["render::safe"]),
    ("target", &[]),
    ("links", &[]),
    ("local::local_time", &[]),
    ("text", &[]),
    ("settings", &["local::local_time", "secret", "target"]),
    ("net::wait", &["clock"]),
    ("net::liveness", &[]),
    ("net::connection", &["net::liveness"]),
    ("line_editor", &["secret"]),
    ("statement", &["target", "text"]),
    ("session", &["links", "statement", "target"]),
    (
        "modes",
        &[
            "links",
            "local::local_time",
            "net::address",
            "render::safe",
            "secret",
            "session",
            "settings",
            "statement",
            "render::styled",
            "target",
            "text",
        ],
    ),
    (
        "app",
        &[
            "net::address",
            "net::connection",
            "exit",
            "line_editor",
            "modes",
            "render::safe",
            "secret",
            "session",
            "settings",
            "statement",
            "render::styled",
            "target",
            "text",
        ],
    ),
    (
        "render::view",
        &["render::columns", "render::safe", "render::styled"],
    ),
    (
        "terminal",
        &[
            "render::columns",
            "line_editor",
            "render::safe",
            "secret",
            "render::styled",
            "render::view",
            "net::wait",
        ],
    ),
    (
        "net::known_hosts",
        &[
            "net::address",
            "net::fingerprint",
            "local::folders",
            "local::lines",
        ],
    ),
    ("net::trust", &["net::fingerprint"]),
    ("net::wake", &["clock", "net::wait"]),
    ("net::socket", &["net::address", "clock", "net::wait"]),
    (
        "net::link",
        &[
            "clock",
            "net::fingerprint",
            "net::socket",
            "net::trust",
            "net::wait",
        ],
    ),
    (
        "load",
        &[
            "net::address",
            "clock",
            "local::ignored_signals",
            "net::link",
            "net::socket",
            "net::trust",
            "net::wait",
        ],
    ),
    (
        "nc",
        &[
            "net::address",
            "net::connection",
            "local::ask",
            "clock",
            "exit",
            "net::fingerprint",
            "local::ignored_signals",
            "net::known_hosts",
            "line_editor",
            "local::lines",
            "net::link",
            "net::liveness",
            "local::password",
            "secret",
            "net::socket",
            "terminal",
            "net::trust",
            "net::wait",
            "net::wake",
        ],
    ),
    (
        "chat",
        &[
            "net::address",
            "app",
            "local::ask",
            "clock",
            "exit",
            "net::fingerprint",
            "local::folders",
            "local::ignored_signals",
            "net::known_hosts",
            "line_editor",
            "local::lines",
            "net::link",
            "local::local_time",
            "local::password",
            "render::safe",
            "secret",
            "settings",
            "net::socket",
            "render::styled",
            "target",
            "terminal",
            "text",
            "net::trust",
            "render::view",
            "net::wait",
            "net::wake",
        ],
    ),
];

const TESTKIT: &[Row] = &[
    ("campaign", &[]),
    ("clock", &[]),
    ("decoders", &[]),
    ("folder", &[]),
    ("generated", &[]),
    ("hostile_texts", &[]),
    ("log_capture", &[]),
    ("login_bundle", &[]),
    ("programs", &[]),
    ("proxy", &[]),
    ("schedule", &[]),
    ("side_by_side", &[]),
    ("corpus", &["campaign"]),
    ("manual", &["generated"]),
    ("server_process", &["folder", "programs"]),
    ("terminal", &["clock"]),
    ("wire", &["server_process"]),
    ("server_end", &["wire"]),
    ("scene", &["folder", "programs", "server_end", "terminal"]),
    ("faults", &["programs", "server_process"]),
    ("writers", &["server_process", "wire"]),
];

const CRATES: &[(&str, &[Row])] = &[
    ("echat-proto", PROTO),
    ("echat-system", SYSTEM),
    ("echat-server", SERVER),
    ("echat-client", CLIENT),
    ("echat-testkit", TESTKIT),
];

#[test]
fn modules_import_only_what_is_below_them() {
    let sources = sources();
    let mut wrong = Vec::new();
    for (krate, rows) in CRATES {
        for source in sources.iter().filter(|source| source.is_source()) {
            let module = source
                .inside(krate)
                .and_then(|inside| module_of(inside, rows));
            let Some(module) = module else {
                continue;
            };
            let row = rows.iter().find(|(name, _)| *name == module);
            let allowed = row.map_or(&[][..], |(_, allowed)| allowed);
            if row.is_none() && !is_group(rows, &module) {
                wrong.push(format!("{}: {module} has no row", source.at(1)));
            }
            for (line, import) in imports(source, rows) {
                if import != module && !allowed.contains(&import.as_str()) {
                    wrong.push(format!("{}: {module} imports {import}", source.at(line)));
                }
            }
        }
    }
    none(
        &wrong,
        "the table in tidy/imports.rs has the permitted imports",
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
                .filter(|source| source.is_source())
                .filter(|source| {
                    let inside = source.inside(krate);
                    inside
                        .and_then(|inside| module_of(inside, rows))
                        .is_some_and(|of| of == *module)
                })
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

/// The row that a file of `src` belongs to; `None` for lib.rs and programs. A module of a group has a row of
/// its own. The group's mod.rs declares modules and imports nothing, so it needs no row.
fn module_of(inside: &str, rows: &[Row]) -> Option<String> {
    let path = inside.strip_suffix(".rs").unwrap_or(inside);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    let mut parts = path.split('/');
    let module = parts.next()?;
    if ["lib", "main", "bin"].contains(&module) {
        return None;
    }
    match parts.next() {
        Some(part) if is_group(rows, module) => Some(format!("{module}::{part}")),
        _ => Some(module.to_owned()),
    }
}

/// Whether the table has rows for the modules inside of this one.
fn is_group(rows: &[Row], module: &str) -> bool {
    rows.iter()
        .filter_map(|(name, _)| name.split_once("::"))
        .any(|(group, _)| group == module)
}

/// The modules of its own crate that a file names, with lines: by `crate::x`, by `crate::{x, y}`,
/// and by `super::x` where that is the crate's root or a group. A doc link in a comment is no import.
fn imports(source: &Source, rows: &[Row]) -> Vec<(usize, String)> {
    let inside = source.path.split("/src/").nth(1).unwrap_or_default();
    let parent = inside
        .trim_end_matches("/mod.rs")
        .rsplit_once('/')
        .map_or("", |(parent, _)| parent);
    let mut prefixes = vec![("crate::", "")];
    if parent.is_empty() || is_group(rows, parent) {
        prefixes.push(("super::", parent));
    }
    let mut found = Vec::new();
    for (number, line) in source.code() {
        for (prefix, base) in &prefixes {
            for (at, _) in line.match_indices(prefix) {
                let mut names = Vec::new();
                resolve(rows, base, &line[at + prefix.len()..], &mut names);
                found.extend(names.into_iter().map(|name| (number, name)));
            }
        }
    }
    found
}

/// The rows that `path` names, which is read from `base`. A group that is imported whole counts as itself,
/// and no row allows that.
fn resolve(rows: &[Row], base: &str, path: &str, found: &mut Vec<String>) {
    if let Some(parts) = path.strip_prefix('{') {
        for part in parts.split(',') {
            resolve(rows, base, part.trim(), found);
        }
        return;
    }
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_');
    let (name, rest) = path.split_at(end.unwrap_or(path.len()));
    let name = match base {
        "" => name.to_owned(),
        _ => format!("{base}::{name}"),
    };
    if rows.iter().any(|(module, _)| *module == name) {
        found.push(name);
    } else if is_group(rows, &name) {
        match rest.strip_prefix("::") {
            Some(rest) => resolve(rows, &name, rest, found),
            None => found.push(name),
        }
    }
}

#[test]
fn modules_of_a_group_have_rows_of_their_own() {
    const ROWS: &[Row] = &[("exit", &[]), ("net::link", &[]), ("net::wait", &[])];
    assert_eq!(
        module_of("net/link/tests.rs", ROWS).as_deref(),
        Some("net::link")
    );
    assert_eq!(module_of("net/mod.rs", ROWS).as_deref(), Some("net"));
    assert_eq!(module_of("exit.rs", ROWS).as_deref(), Some("exit"));
    let cases: [(&str, &str, &[&str]); 5] = [
        ("a.rs", "use crate::net::link::Link;", &["net::link"]),
        (
            "a.rs",
            "use crate::net::{link::{Link, Tap}, wait};",
            &["net::link", "net::wait"],
        ),
        (
            "a.rs",
            "use crate::{exit::Exit, net::wait};",
            &["exit", "net::wait"],
        ),
        ("a.rs", "use crate::net;", &["net"]),
        ("net/link.rs", "use super::wait::Interest;", &["net::wait"]),
    ];
    for (file, text, expected) in cases {
        let source = Source {
            path: format!("echat-client/src/{file}"),
            text: text.to_owned(),
        };
        let found: Vec<String> = imports(&source, ROWS)
            .into_iter()
            .map(|(_, name)| name)
            .collect();
        assert_eq!(found, expected, "{text}");
    }
}
