//! `mutations/README.md` lists the patches beside it. `ECHAT_UPDATE=1` writes the list:
//! `ECHAT_UPDATE=1 cargo test -p echat-proto --test tidy mutations`

use std::fmt::Write;
use std::fs;

use echat_testkit::generated;

use super::none;
use super::source::{Source, root, sources};

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
    let mut missing = Vec::new();
    for Head { fault, test, .. } in heads() {
        if !is_test(&sources, &test) {
            missing.push(format!("mutations, {fault}: {test}"));
        }
    }
    // The beginning of a name, as in `an_expensive_request…`.
    let names: Vec<&str> = sources
        .iter()
        .flat_map(|source| source.text.lines())
        .filter_map(|line| line.trim_start().strip_prefix("fn ")?.split('(').next())
        .collect();
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

#[test]
fn a_filter_names_a_test_of_its_own_target() {
    let sources = sources();
    for test in [
        "-p echat-proto --test tidy mutations",
        "-p echat-proto --test tidy mutations::a_filter_names_a_test",
        "-p echat-proto --test tidy",
        "-p echat-system --lib private_file",
        "-p echat-server --test transcripts promises::storage",
        "-p echat-server --test simulation",
    ] {
        assert!(is_test(&sources, test), "{test}");
    }
    for other in [
        "-p echat-proto --test tidy every_transcript_holds",
        "-p echat-proto --lib mutations::a_filter",
        "-p echat-server --test tidy mutations",
        "-p echat-server --test transcript",
        "-p echat-server --test transcripts private_file",
        "-p echat --lib private_file",
        "--lib private_file",
        "-p echat-system --lib private_file more",
    ] {
        assert!(!is_test(&sources, other), "{other}");
    }
}

/// Whether these arguments of `cargo test` name a target of a package, and part of the path of a test in it.
fn is_test(sources: &[Source], arguments: &str) -> bool {
    let words: Vec<&str> = arguments.split(' ').collect();
    let (roots, filter) = match words[..] {
        ["-p", package, "--lib", ref filter @ ..] => {
            ([format!("{package}/src/lib.rs"), String::new()], filter)
        }
        ["-p", package, "--test", target, ref filter @ ..] => {
            let tests = format!("{package}/tests/{target}");
            ([format!("{tests}.rs"), format!("{tests}/main.rs")], filter)
        }
        _ => return false,
    };
    let filter = match filter {
        [] => "",
        [filter] => filter,
        _ => return false,
    };
    let mut tests = Tests {
        sources,
        found: Vec::new(),
    };
    for root in roots {
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
        tests.find(&root, folder, "");
    }
    tests.found.iter().any(|test| test.contains(filter))
}

/// The tests of a target, by path.
struct Tests<'a> {
    sources: &'a [Source],
    found: Vec<String>,
}

impl Tests<'_> {
    /// Adds the tests of a file, if it is there, and of its modules, whose files lie in `folder`. `module` is its path
    /// with `::` at the end.
    fn find(&mut self, file: &str, folder: &str, module: &str) {
        let sources = self.sources;
        let Some(source) = sources.iter().find(|source| source.path == file) else {
            return;
        };
        let (mut inline, mut path, mut is_test) = (String::new(), None, false);
        for line in source.text.lines() {
            if let Some(written) = line.strip_prefix("#[path = \"") {
                path = written.strip_suffix("\"]");
            } else if let Some(name) = module_of(line, ";") {
                match path.take() {
                    Some(path) => self.find_at(file, path, &format!("{module}{name}::")),
                    None => self.find_in(folder, name, &format!("{module}{name}::")),
                }
            } else if let Some(name) = module_of(line, " {") {
                inline = format!("{name}::");
            } else if line == "}" {
                inline.clear();
            } else if line.trim_start() == "#[test]" {
                is_test = true;
            } else if let Some(function) = line.trim_start().strip_prefix("fn ") {
                let name = function.split('(').next().unwrap_or_default();
                if std::mem::take(&mut is_test) {
                    self.found.push(format!("{module}{inline}{name}"));
                }
            }
        }
    }

    /// Adds the tests of a module in its usual place.
    fn find_in(&mut self, folder: &str, name: &str, module: &str) {
        let inside = format!("{folder}/{name}");
        self.find(&format!("{inside}.rs"), &inside, module);
        self.find(&format!("{inside}/mod.rs"), &inside, module);
    }

    /// Adds the tests of a module at a path from the folder of the file that names it.
    fn find_at(&mut self, file: &str, mut path: &str, module: &str) {
        let above = |file: &str| file.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let mut folder = above(file).unwrap_or_default();
        while let Some(rest) = path.strip_prefix("../") {
            folder = above(&folder).unwrap_or_default();
            path = rest;
        }
        let file = format!("{folder}/{path}");
        let inside = above(&file).unwrap_or_default();
        self.find(&file, &inside, module);
    }
}

/// The name of the module that an unindented line declares, which ends like this.
fn module_of<'a>(line: &'a str, end: &str) -> Option<&'a str> {
    let (visibility, name) = line.split_once("mod ")?;
    let is_declared = visibility.is_empty() || visibility.starts_with("pub");
    name.strip_suffix(end).filter(|_| is_declared)
}
