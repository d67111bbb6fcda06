//! `mutations/README.md` lists the patches beside it. `ECHAT_UPDATE=1` writes the list:
//! `ECHAT_UPDATE=1 cargo test -p echat-proto --test tidy mutations`

use std::fmt::Write;
use std::fs;

use echat_testkit::generated;

use super::source::root;

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
    let folder = root().join("mutations");
    let mut heads: Vec<Head> = fs::read_dir(&folder)
        .expect("mutations/")
        .map(|entry| entry.expect("an entry of mutations/").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "patch"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a patch is UTF-8");
            head(&text).unwrap_or_else(|| panic!("{} has no head", path.display()))
        })
        .collect();
    heads.sort_by(|a, b| (a.row, &a.fault).cmp(&(b.row, &b.fault)));
    let mut list = String::from("| row | fault | test |\n| --- | --- | --- |\n");
    for Head { row, fault, test } in &heads {
        writeln!(list, "| {row} | {fault} | `{test}` |").expect("text");
    }
    let path = folder.join("README.md");
    let text = fs::read_to_string(&path).expect("mutations/README.md");
    let fresh = generated::put(&text, "<!-- list -->\n", "<!-- /list -->\n", &list);
    generated::check(&path, &fresh);
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
