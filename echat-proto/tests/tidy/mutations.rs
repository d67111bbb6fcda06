//! `mutations/README.md` lists the patches beside it. `ECHAT_UPDATE=1` writes the list:
//! `ECHAT_UPDATE=1 cargo test -p echat-proto --test tidy mutations`

use std::fmt::Write;
use std::fs;

use echat_testkit::generated;

use super::none;
use super::source::{root, sources};

/// The first two lines of a patch.
struct Head {
    /// The row of PROMISES.md.
    row: u32,
    fault: String,
    /// The arguments of `cargo test`.
    test: String,
}

#[test]
fn the_list_of_mutations_is_that_of_the_patches() {
    let mut heads = heads();
    heads.sort_by(|a, b| (a.row, &a.fault).cmp(&(b.row, &b.fault)));
    let mut list = String::from("| row | fault | test |\n| --- | --- | --- |\n");
    for Head { row, fault, test } in &heads {
        writeln!(list, "| {row} | {fault} | `{test}` |").expect("text");
    }
    let path = root().join("mutations/README.md");
    let text = fs::read_to_string(&path).expect("mutations/README.md");
    let fresh = generated::put(&text, "<!-- list -->\n", "<!-- /list -->\n", &list);
    generated::check(&path, &fresh);
}

/// The heads of all patches.
fn heads() -> Vec<Head> {
    fs::read_dir(root().join("mutations"))
        .expect("mutations/")
        .map(|entry| entry.expect("an entry of mutations/").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "patch"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a patch is UTF-8");
            head(&text).unwrap_or_else(|| panic!("{} has no head", path.display()))
        })
        .collect()
}

fn head(patch: &str) -> Option<Head> {
    let mut lines = patch.lines();
    let (row, fault) = lines.next()?.strip_prefix("row ")?.split_once(": ")?;
    let test = lines.next()?.strip_prefix("test: ")?;
    Some(Head {
        row: row.parse().ok()?,
        fault: fault.to_owned(),
        test: test.to_owned(),
    })
}

#[test]
fn documents_name_tests_that_exist() {
    let sources = sources();
    let names: Vec<&str> = sources
        .iter()
        .flat_map(|source| source.text.lines())
        .filter_map(|line| line.trim_start().strip_prefix("fn ")?.split('(').next())
        .collect();
    let mut missing = Vec::new();
    // A filter of `cargo test`: a part of the path of a test.
    for Head { fault, test, .. } in heads() {
        let filter = test.split_whitespace().last().unwrap_or_default();
        let last = filter.rsplit("::").find(|part| !part.is_empty());
        let part = last.unwrap_or_default();
        let is_module = |path: &str| path.split(['/', '.']).any(|name| name == part);
        if !names.iter().any(|name| name.contains(part))
            && !sources.iter().any(|source| is_module(&source.path))
        {
            missing.push(format!("mutations, {fault}: {filter}"));
        }
    }
    // The beginning of a name, as in `an_expensive_request…`.
    let promises = fs::read_to_string(root().join("PROMISES.md")).expect("PROMISES.md");
    for begun in promises
        .split('`')
        .filter_map(|code| code.strip_suffix('…'))
    {
        if !names.iter().any(|name| name.starts_with(begun)) {
            missing.push(format!("PROMISES.md: {begun}"));
        }
    }
    none(&missing, "tests that documents name are there");
}
