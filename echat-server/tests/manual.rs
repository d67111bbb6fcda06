//! The man page and completions of the server: `ECHAT_UPDATE=1 cargo test --test manual` writes them.

use clap::CommandFactory;
use echat_server::cli::Cli;
use echat_server::exit::ExitCode;
use echat_testkit::manual::Program;

#[test]
fn the_manual_is_what_the_program_says() {
    let codes = ExitCode::ALL.iter();
    Program {
        command: Cli::command(),
        section: 8,
        exit_codes: codes.map(|code| (code.code(), code.meaning())).collect(),
        typed: Vec::new(),
    }
    .check();
}
