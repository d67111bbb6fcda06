//! The faults that `faults/run` plants: here only that each still fits the sources.

use std::path::Path;
use std::process::Command;

#[test]
fn every_fault_can_still_be_planted() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let faults = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/simulation/faults");
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
        planted += 1;
    }
    assert!(planted >= 25);
}
