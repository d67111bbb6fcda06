//! Pages: their links, their headings, and what both languages of a page have alike.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::documents::{CHINESE, documents};
use super::none;
use super::source::root;

#[test]
fn links_between_documents_resolve() {
    let mut dead = Vec::new();
    for page in documents() {
        for (number, link) in links(&page) {
            if !resolves(&page, &link) {
                dead.push(format!("{page}:{number}: {link}"));
            }
        }
    }
    none(&dead, "links lead to a file, and to a heading of it");
}

/// Whether a link of a page leads to a file, and to a heading of it if it names one.
fn resolves(page: &str, link: &str) -> bool {
    let (path, heading) = match link.split_once('#') {
        Some((path, heading)) => (path, Some(heading)),
        None => (link, None),
    };
    let target = if path.is_empty() {
        page.to_owned()
    } else {
        beside(page, path)
    };
    let has = |heading: &str| {
        let is_page = is_page(&target);
        is_page
            && headings(&target)
                .iter()
                .any(|(_, text)| anchor(text) == heading)
    };
    root().join(&target).exists() && heading.is_none_or(has)
}

#[test]
fn a_heading_stands_once_on_a_page() {
    let mut repeated = Vec::new();
    for page in documents() {
        let mut anchors = BTreeSet::new();
        for (number, heading) in headings(&page) {
            if !anchors.insert(anchor(&heading)) {
                repeated.push(format!("{page}:{number}: {heading}"));
            }
        }
    }
    none(&repeated, "a heading stands once on a page");
}

#[test]
fn both_languages_have_the_same_parts() {
    let mut different = Vec::new();
    for chinese_page in documents().iter().filter(|page| page.ends_with(CHINESE)) {
        let english_page = chinese_page.replace(CHINESE, ".md");
        let (english, chinese) = (parts(&english_page), parts(chinese_page));
        assert!(!english.is_empty(), "{english_page}");
        let end = (0, "the end".to_owned());
        let both = (0..english.len().max(chinese.len())).map(|index| {
            let [one, other] = [&english, &chinese].map(|parts| parts.get(index).unwrap_or(&end));
            (one, other)
        });
        let first = both.into_iter().find(|(one, other)| one.1 != other.1);
        if let Some(((number, part), (other, other_part))) = first {
            different.push(format!(
                "{english_page}:{number}: {part}; {chinese_page}:{other}: {other_part}"
            ));
        }
    }
    none(
        &different,
        "both languages have the same headings, tables, lists and pictures",
    );
}

/// The headings, tables, items and pictures of a page: where each begins, and what it is.
fn parts(page: &str) -> Vec<(usize, String)> {
    let mut parts: Vec<(usize, String)> = Vec::new();
    let mut rows = 0;
    for (number, line) in prose(page) {
        if line.starts_with('|') {
            rows += 1;
            if rows > 1 {
                parts.pop();
            }
            parts.push((number + 1 - rows, format!("a table of {rows} lines")));
            continue;
        }
        rows = 0;
        let (mark, _) = line.split_once(' ').unwrap_or((&line, ""));
        let is_number = mark
            .strip_suffix('.')
            .is_some_and(|digits| digits.parse::<u32>().is_ok());
        if is_heading(&line) {
            parts.push((number, format!("a heading of {mark}")));
        } else if is_number || mark == "-" || mark == "*" {
            parts.push((number, "an item of a list".to_owned()));
        } else if line.starts_with("![") {
            parts.push((number, "a picture".to_owned()));
        }
    }
    parts
}

#[test]
fn every_page_for_users_leads_to_its_other_language_and_the_readme() {
    let mut alone = Vec::new();
    for page in documents() {
        let Some(name) = page.strip_prefix("docs/") else {
            continue;
        };
        let line = if let Some(name) = name.strip_suffix(CHINESE) {
            format!("[English]({name}.md) · [README](../README.zh-CN.md)")
        } else {
            let other = name.replace(".md", CHINESE);
            format!("[中文]({other}) · [README](../README.md)")
        };
        if !prose(&page).iter().any(|(_, text)| *text == line) {
            alone.push(format!("{page}: {line}"));
        }
    }
    none(&alone, "a page for users begins with these links");
}

/// A page that is installed without those that it names has dead links.
#[test]
fn the_pages_of_the_servers_package_lead_to_pages_of_it() {
    let manifest = fs::read_to_string(root().join("echat-server/Cargo.toml")).expect("a manifest");
    let assets: Vec<&str> = manifest
        .split("[\"../docs/")
        .skip(1)
        .filter_map(|rest| rest.split_once("*.md\""))
        .map(|(start, _)| start)
        .collect();
    let is_installed = |page: &str| {
        let name = page.strip_prefix("docs/").filter(|name| is_page(name));
        name.is_some_and(|name| assets.iter().any(|start| name.starts_with(start)))
    };
    let pages: Vec<String> = documents()
        .into_iter()
        .filter(|page| is_installed(page))
        .collect();
    assert!(pages.len() > 10, "{pages:?}");
    let mut missing = Vec::new();
    for page in pages {
        for (number, link) in links(&page) {
            let path = link.split('#').next().unwrap_or_default();
            let target = beside(&page, path);
            let is_for_users = target.starts_with("docs/") && is_page(&target);
            if is_for_users && !is_installed(&target) {
                missing.push(format!("{page}:{number}: {link}"));
            }
        }
    }
    none(&missing, "pages that pages of the package name are in it");
}

/// The links of a page to files of the repository: where each stands, and its target.
fn links(page: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(page) {
        let targets = line.split("](").skip(1);
        let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0));
        let local = targets.filter(|target| !target.contains("://"));
        links.extend(local.map(|target| (number, target.to_owned())));
    }
    links
}

/// The file at a path from the folder of a page, as a path from the root.
fn beside(page: &str, path: &str) -> String {
    let mut folders: Vec<&str> = page.split('/').collect();
    folders.pop();
    for part in path.split('/') {
        match part {
            ".." => drop(folders.pop()),
            part => folders.push(part),
        }
    }
    folders.join("/")
}

/// The headings of a page: where each stands, and its text.
fn headings(page: &str) -> Vec<(usize, String)> {
    let lines = prose(page).into_iter();
    let headings = lines.filter(|(_, line)| is_heading(line));
    headings
        .map(|(number, line)| (number, line.trim_start_matches('#').trim().to_owned()))
        .collect()
}

/// Whether a file is a page.
fn is_page(path: &str) -> bool {
    let ending = Path::new(path).extension();
    ending.is_some_and(|ending| ending == "md")
}

fn is_heading(line: &str) -> bool {
    line.trim_start_matches('#').starts_with(' ') && line.starts_with('#')
}

/// What links call a heading, as forges make it of the text.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
    kept.flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The lines of a page outside of blocks, with their numbers.
fn prose(page: &str) -> Vec<(usize, String)> {
    let text = fs::read_to_string(root().join(page)).expect(page);
    let mut lines = Vec::new();
    let mut is_fenced = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced {
            lines.push((number, line.to_owned()));
        }
    }
    lines
}

#[test]
fn dead_links_are_told_from_others() {
    for link in [
        "README.md",
        "docs/client.md#your-account",
        "#install",
        "docs/screens",
    ] {
        assert!(resolves("README.md", link), "{link}");
    }
    for link in [
        "client.md",
        "docs/client.md#your-accounts",
        "#no-heading",
        "docs/screens#a",
    ] {
        assert!(!resolves("README.md", link), "{link}");
    }
    assert!(resolves("docs/client.md", "../README.md#start"));
    assert_eq!(anchor("What `--room` does, in 2"), "what---room-does-in-2");
    assert_eq!(anchor("升级之前（先看一下）"), "升级之前先看一下");
}
