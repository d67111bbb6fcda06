//! Rules that matter are tests: lengths, walls between modules, comments, what must not be in the sources,
//! documents that must agree with each other and with the code. Reads the whole workspace; lives here because this
//! crate is below all others but the testkit. A violation is told as file:line.

mod comments;
mod documents;
mod imports;
mod lengths;
mod limits;
mod mutations;
mod pages;
mod source;
mod walls;

/// Fails with every violation at once.
fn none(violations: &[String], rule: &str) {
    assert!(
        violations.is_empty(),
        "{rule}:\n  {}\n",
        violations.join("\n  ")
    );
}
