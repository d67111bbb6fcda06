//! Writes the migrated, empty database that is committed as `database.db`:
//! `cargo run -p echat-server --example make_template_database database.db`.

use std::path::Path;
use std::process::ExitCode;

use echat_server::storage::create_template;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: make_template_database PATH");
        return ExitCode::from(64);
    };
    match create_template(Path::new(&path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
