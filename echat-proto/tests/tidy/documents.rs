//! Documents that must agree, and files that must be there.

use std::fs;
use std::process::Command;

use super::none;
use super::source::{Source, has_path, root, sources};

#[test]
fn both_languages_show_the_same_commands() {
    let chinese_pages: Vec<String> = documents()
        .into_iter()
        .filter(|name| name.ends_with(CHINESE))
        .collect();
    for chinese_page in &chinese_pages {
        let english_page = chinese_page.replace(CHINESE, ".md");
        let (english, chinese) = (fences(&english_page), fences(chinese_page));
        for (index, (one, other)) in english.iter().zip(&chinese).enumerate() {
            let (one, other) = (alike(one), alike(other));
            assert_eq!(
                one.1, other.1,
                "block {index}: {english_page}:{} and {chinese_page}:{}",
                one.0, other.0
            );
        }
        assert_eq!(english.len(), chinese.len(), "blocks of {english_page}");
    }
    assert!(!fences("README.md").is_empty());
}

/// What must be the same of a block: a command without the option for the language, and of a session with
/// echat, which each page shows in its language, the number of lines.
fn alike((line, block): &(usize, String)) -> (usize, String) {
    let alike = if block.contains("\ncontact> ") {
        format!("a session of {} lines", block.lines().count())
    } else {
        block.replace(" -- --lang zh", "")
    };
    (*line, alike)
}

#[test]
fn every_page_for_users_is_in_both_languages() {
    let pages = documents();
    let alone: Vec<&String> = pages
        .iter()
        .filter(|name| name.starts_with("docs/") && !name.ends_with(CHINESE))
        .filter(|name| !pages.contains(&name.replace(".md", CHINESE)))
        .collect();
    assert!(alone.is_empty(), "without a Chinese page: {alone:?}");
}

/// The fenced blocks of a document: where each begins, and its text with the fence's own line.
fn fences(name: &str) -> Vec<(usize, String)> {
    let text = fs::read_to_string(root().join(name)).expect(name);
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in (1..).zip(text.lines()) {
        let fence = line.starts_with("```");
        if fence && !open {
            blocks.push((number, String::new()));
        }
        if (fence || open)
            && let Some((_, block)) = blocks.last_mut()
        {
            block.push_str(line);
            block.push('\n');
        }
        open ^= fence;
    }
    assert!(!open, "{name}: a block is not closed");
    blocks
}

/// The documents for developers.
const FOR_DEVELOPERS: [&str; 2] = ["ARCHITECTURE.md", "CONTRIBUTING.md"];

/// Files that CONTRIBUTING.md names as examples of new ones.
const EXAMPLES: [&str; 5] = [
    "mutes.rs",
    "topics.rs",
    "mute.txt",
    "search_topics.txt",
    "new.db",
];

#[test]
fn files_that_developers_are_sent_to_exist() {
    // Outside of a repository there is no list of files.
    let Some(files) = tracked_files() else {
        return;
    };
    let mut missing = Vec::new();
    for (at, span) in FOR_DEVELOPERS.iter().flat_map(|name| code_spans(name)) {
        let file = span.rsplit('/').next().unwrap_or_default();
        let ending = file.rsplit_once('.').map(|(_, ending)| ending);
        let is_file = matches!(ending, Some("rs" | "md" | "sql" | "txt" | "db" | "toml"))
            && span
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
        let is_example = EXAMPLES.contains(&file) || file.starts_with("NNNN");
        let is_there = || {
            let below = format!("/{span}");
            files
                .iter()
                .any(|path| *path == span || path.ends_with(&below))
        };
        if is_file && !is_example && !is_there() {
            missing.push(format!("{at}: {span}"));
        }
    }
    none(&missing, "files that a document names exist");
}

#[test]
fn modules_that_developers_are_sent_to_exist() {
    let sources = sources();
    let mut missing = Vec::new();
    for (at, span) in FOR_DEVELOPERS.iter().flat_map(|name| code_spans(name)) {
        let span = span.strip_prefix("echat_proto::").unwrap_or(&span);
        let Some((module, items)) = span.rsplit_once("::") else {
            continue;
        };
        for item in items.trim_matches(['{', '}']).split(", ") {
            let is_lower = |c: char| c.is_ascii_lowercase() || c == '_';
            let is_path = module
                .replace("::", "")
                .chars()
                .chain(item.chars())
                .all(is_lower);
            if is_path && !names_something((module, item), &sources) {
                missing.push(format!("{at}: {module}::{item}"));
            }
        }
    }
    none(
        &missing,
        "modules and functions that a document names exist",
    );
}

#[test]
fn tests_that_documents_run_exist() {
    let sources = sources();
    let mut missing = Vec::new();
    let spans = ["CONTRIBUTING.md", "PROMISES.md"];
    for (at, span) in spans.iter().flat_map(|name| code_spans(name)) {
        let words: Vec<&str> = span.split_whitespace().collect();
        let word = |index: usize| {
            words
                .get(index)
                .copied()
                .filter(|word| !word.starts_with('-'))
        };
        for (index, option) in words.iter().enumerate() {
            // `T` and `C` stand for the tests of the server and of the client.
            let (package, target, filter) = match *option {
                "T" => ("echat-server", word(index + 1), word(index + 2)),
                "C" => ("echat-client", word(index + 1), word(index + 2)),
                "--test" => ("", word(index + 1), word(index + 2)),
                "--lib" => ("", None, word(index + 1)),
                _ => continue,
            };
            let of_package = || {
                let sources = sources.iter();
                sources.filter(|source| source.path.starts_with(package))
            };
            let has_target = target.is_none_or(|target| {
                let ends = [
                    format!("/tests/{target}.rs"),
                    format!("/tests/{target}/main.rs"),
                ];
                of_package().any(|source| ends.iter().any(|end| source.path.ends_with(end)))
            });
            let has_filter = filter.is_none_or(|filter| {
                of_package()
                    .any(|source| source.path.contains(filter) || has_function(source, filter))
            });
            if !has_target || !has_filter {
                missing.push(format!("{at}: {span}"));
            }
        }
    }
    none(&missing, "tests that a document runs exist");
}

/// Whether the name of a function in it contains this.
fn has_function(source: &Source, part: &str) -> bool {
    let names = source.text.split("fn ").skip(1);
    names
        .filter_map(|rest| rest.split('(').next())
        .any(|name| name.contains(part))
}

/// Whether a module has this submodule, or else something of this name.
fn names_something((module, item): (&str, &str), sources: &[Source]) -> bool {
    let files = |path: String| [format!("/{path}.rs"), format!("/{path}/mod.rs")];
    let module = module.replace("::", "/");
    let (own, parent) = (files(format!("{module}/{item}")), files(module));
    sources.iter().any(|source| {
        let is_at = |ends: &[String; 2]| ends.iter().any(|end| source.path.ends_with(end));
        is_at(&own) || (is_at(&parent) && source.code().any(|(_, line)| has_path(line, item)))
    })
}

/// What stands in backticks in a document, outside of blocks: where, and the text.
fn code_spans(name: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join(name)).expect(name);
    let mut spans = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with("    ") || line.starts_with("```") {
            continue;
        }
        let quoted = line.split('`').skip(1).step_by(2);
        spans.extend(quoted.map(|span| (format!("{name}:{number}"), span.to_owned())));
    }
    spans
}

/// Ends the name of a page in Chinese.
pub(super) const CHINESE: &str = ".zh-CN.md";

/// The pages for people, as paths from the root.
pub(super) fn documents() -> Vec<String> {
    let mut pages: Vec<String> = [
        "README.md",
        "README.zh-CN.md",
        "ARCHITECTURE.md",
        "PROTOCOL.md",
        "PROMISES.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ]
    .map(str::to_owned)
    .to_vec();
    for entry in fs::read_dir(root().join("docs")).expect("docs/") {
        let path = entry.expect("an entry of docs/").path();
        if path.extension().is_some_and(|ending| ending == "md") {
            let name = path.file_name().and_then(|name| name.to_str());
            pages.push(format!("docs/{}", name.expect("a name in UTF-8")));
        }
    }
    pages
}

#[test]
fn the_map_names_each_module_of_the_engine() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let map = text.split_once("\n    engine/\n").expect("the map").1;
    let map = map.split("\n\n").next().unwrap_or_default();
    let mut missing = Vec::new();
    for source in sources() {
        let module = source.path.strip_prefix("echat-server/src/engine/");
        let module = module.and_then(|path| path.strip_suffix(".rs"));
        let name = module.and_then(|path| path.rsplit('/').next());
        let Some(name) = name.filter(|name| *name != "tests") else {
            continue;
        };
        if !map
            .lines()
            .any(|line| line.split_whitespace().next() == Some(name))
        {
            missing.push(source.path.clone());
        }
    }
    none(&missing, "the map of the engine names its modules");
}

#[test]
fn files_that_a_clone_needs_are_committed() {
    let needed = [
        "Cargo.lock",
        "config.json",
        "database.db",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "clippy.toml",
        "rustfmt.toml",
        "deny.toml",
        ".ci/run",
    ];
    let tracked = tracked_files();
    let missing: Vec<String> = needed
        .map(str::to_owned)
        .into_iter()
        .chain(documents())
        .filter(|name| {
            let known = tracked
                .as_ref()
                .is_none_or(|list| list.iter().any(|file| file == name));
            !root().join(name).is_file() || !known
        })
        .collect();
    none(&missing, "there, and known to git");
}

/// What git knows of; `None` outside a repository.
fn tracked_files() -> Option<Vec<String>> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root())
        .args(["ls-files", "-z"])
        .output()
        .ok()
        .filter(|output| output.status.success() && !output.stdout.is_empty())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.split('\0').map(str::to_owned).collect())
}
