//! Files of the repository that are written from the code. `ECHAT_UPDATE=1` writes them again;
//! without it a test fails when they are not what the code says.

use std::path::Path;
use std::{env, fs};

/// Puts `list` between two markers of `text`, each a line of its own.
pub fn put(text: &str, begin: &str, end: &str, list: &str) -> String {
    let (before, rest) = text.split_once(begin).expect("the first marker");
    let (_, after) = rest.split_once(end).expect("the second marker");
    format!("{before}{begin}{list}{end}{after}")
}

/// Writes the file, or compares it.
pub fn check(path: &Path, fresh: &str) {
    if env::var_os("ECHAT_UPDATE").is_some() {
        fs::write(path, fresh).expect("the file can be written");
        return;
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = (1..)
        .zip(text.lines().zip(fresh.lines()))
        .find(|(_, (old, new))| old != new);
    assert!(
        text == fresh,
        "{} is not what the code says (run with ECHAT_UPDATE=1), first at: {line:?}",
        path.display()
    );
}
