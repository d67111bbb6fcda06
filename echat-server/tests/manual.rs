//! The man page and completions of the server: `ECHAT_UPDATE=1 cargo test --test manual` writes them.

use clap::CommandFactory;
use echat_server::cli::Cli;
use echat_server::exit::ExitCode;
use echat_testkit::manual::Program;

#[test]
fn the_man_page_matches_the_program() {
    let codes = ExitCode::ALL.iter();
    Program {
        command: Cli::command(),
        section: 8,
        exit_codes: codes.map(|code| (code.code(), code.meaning())).collect(),
        typed: Vec::new(),
    }
    .check();
}
