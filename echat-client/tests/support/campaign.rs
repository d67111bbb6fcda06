//! Tests that are campaigns when they are told a number: few in `cargo test`, many by an
//! environment variable, and then they say what they measured.

/// The number in this variable, or the one for every day.
pub(crate) fn count(variable: &str, every_day: usize) -> usize {
    match std::env::var(variable) {
        Ok(number) => number.parse().expect("a number"),
        Err(_) => every_day,
    }
}

/// Says what was measured, for whoever asks with `--nocapture`.
pub(crate) fn says(measured: &str) {
    println!("{measured}");
}
