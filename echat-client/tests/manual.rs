//! The man pages and completions of the clients: `ECHAT_UPDATE=1 cargo test --test manual` writes
//! them.

use echat_client::exit::Exit;
use echat_client::statement::slash_commands;
use echat_client::text::Language;
use echat_client::{chat, load, nc};
use echat_testkit::manual::Program;

#[test]
fn the_man_pages_match_the_programs() {
    let codes = |exits: Vec<Exit>| {
        let exits = exits.into_iter();
        exits.map(|exit| (exit.code(), exit.meaning())).collect()
    };
    let typed = slash_commands(Language::English);
    for (command, exit_codes, typed) in [
        (chat::command(), codes(Exit::of_chat().collect()), typed),
        (nc::command(), codes(Exit::ALL.to_vec()), Vec::new()),
        (load::command(), Vec::new(), Vec::new()),
    ] {
        Program {
            command,
            section: 1,
            exit_codes,
            typed,
        }
        .check();
    }
}
