//! How much a test does: little in `cargo test`, much in a campaign, which a variable of the environment
//! asks for (CONTRIBUTING.md, "Long campaigns"), and which then prints what it measured.

use std::env;
use std::fmt::Display;
use std::str::FromStr;

/// The number in `variable`, if it is set.
///
/// # Panics
///
/// If it is set to anything but a number: a campaign that does little by mistake would pass.
pub fn number<N: FromStr>(variable: &str) -> Option<N> {
    let value = env::var_os(variable)?;
    let value = value.to_string_lossy();
    let parsed = value.parse().ok();
    Some(parsed.unwrap_or_else(|| panic!("{variable} is a number, not {value}")))
}

/// The number in `variable`, or `ordinary`, that of `cargo test`.
pub fn count<N: FromStr>(variable: &str, ordinary: N) -> N {
    number(variable).unwrap_or(ordinary)
}

/// Prints what a campaign measured, which `--nocapture` shows.
pub fn report(measured: impl Display) {
    println!("{measured}");
}
