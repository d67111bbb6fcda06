//! Checks that each patch of `faults/` has a valid head and still applies. `faults/run` plants the faults and runs the
//! simulation.

use std::path::Path;
use std::process::Command;

#[test]
fn every_fault_applies() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let faults = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/simulation/faults");
    let cases = include_str!("cases.rs");
    let mut planted = 0;
    for file in std::fs::read_dir(faults).expect("the folder is there") {
        let path = file.expect("readable").path();
        if path
            .extension()
            .is_none_or(|extension| extension != "patch")
        {
            continue;
        }
        let fits = Command::new("git")
            .args(["apply", "--check"])
            .arg(&path)
            .current_dir(&workspace)
            .status();
        assert!(fits.expect("git is there").success(), "{}", path.display());
        let text = std::fs::read_to_string(&path).expect("text");
        let head = |key: &str| text.lines().take(2).find_map(|line| line.strip_prefix(key));
        let seeds = head("seeds: ").and_then(|seeds| seeds.parse::<u64>().ok());
        let case = head("case: ").map(|case| format!("fn {case}()"));
        assert!(
            head("fault: ").is_some()
                && (seeds.is_some_and(|seeds| seeds > 0)
                    || case.is_some_and(|case| cases.contains(&case))),
            "{} has no head",
            path.display()
        );
        planted += 1;
    }
    assert!(planted >= 34);
}
