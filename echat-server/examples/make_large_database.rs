//! Writes a database of many messages, to measure with:
//! `cargo run --release -p echat-server --example make_large_database PATH MESSAGES`. Its users are `user0` to
//! `user999`.

#[path = "../benches/large/mod.rs"]
mod large;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, messages] = arguments.as_slice() else {
        eprintln!("usage: make_large_database PATH MESSAGES");
        return ExitCode::from(64);
    };
    let Ok(messages) = messages.parse() else {
        eprintln!("MESSAGES is a number");
        return ExitCode::from(64);
    };
    match large::fill(Path::new(path), messages) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
