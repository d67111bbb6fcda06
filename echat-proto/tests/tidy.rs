//! Rules that matter are tests: lengths, walls between modules, what must not be in the sources,
//! documents that must agree. Reads the whole workspace; lives here because this crate is below
//! all others. A violation is told as file:line.

#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/lengths.rs"]
mod lengths;
#[path = "tidy/mutations.rs"]
mod mutations;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/walls.rs"]
mod walls;
#[path = "../../docs/written.rs"]
mod written;

/// Fails with every violation at once.
fn none(violations: &[String], rule: &str) {
    assert!(
        violations.is_empty(),
        "{rule}:\n  {}\n",
        violations.join("\n  ")
    );
}
