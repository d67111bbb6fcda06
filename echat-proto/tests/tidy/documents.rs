//! Documents that must agree, and files that must be there.

use std::fs;
use std::process::Command;

use super::none;
use super::source::root;

#[test]
fn both_readmes_show_the_same_commands() {
    let (english, chinese) = (fences("README.md"), fences("README.zh-CN.md"));
    for (index, (one, other)) in english.iter().zip(&chinese).enumerate() {
        assert_eq!(
            one.1, other.1,
            "block {index}: README.md:{} and README.zh-CN.md:{}",
            one.0, other.0
        );
    }
    assert_eq!(english.len(), chinese.len(), "as many blocks in both");
    assert!(!english.is_empty());
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

#[test]
fn links_between_documents_lead_somewhere() {
    let mut dead = Vec::new();
    for name in documents() {
        let text = fs::read_to_string(root().join(name)).expect(name);
        for (number, line) in (1..).zip(text.lines()) {
            for link in line
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split_once(')'))
            {
                let path = link.0.split('#').next().unwrap_or_default();
                let local = !path.is_empty() && !path.contains("://");
                if local && !root().join(path).exists() {
                    dead.push(format!("{name}:{number}: {path}"));
                }
            }
        }
    }
    none(&dead, "links lead somewhere");
}

fn documents() -> [&'static str; 6] {
    [
        "README.md",
        "README.zh-CN.md",
        "ARCHITECTURE.md",
        "PROTOCOL.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ]
}

#[test]
fn what_a_clone_needs_is_there() {
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
        .into_iter()
        .chain(documents())
        .filter(|name| {
            let known = tracked
                .as_ref()
                .is_none_or(|list| list.iter().any(|file| file == name));
            !root().join(name).is_file() || !known
        })
        .map(str::to_owned)
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
