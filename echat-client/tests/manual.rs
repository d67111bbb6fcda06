//! The man pages and completions of the clients, and the tables of slash commands in docs/client.md and its Chinese
//! page: `ECHAT_UPDATE=1 cargo test --test manual` writes them.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use echat_client::exit::Exit;
use echat_client::statement::slash_commands;
use echat_client::text::Language;
use echat_client::{chat, load, nc};
use echat_testkit::generated;
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

#[test]
fn the_pages_of_both_languages_list_the_slash_commands() {
    for (page, language, head) in [
        ("client.md", Language::English, "| command | does |"),
        ("client.zh-CN.md", Language::Chinese, "| 命令 | 作用 |"),
    ] {
        let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs")).join(page);
        let mut table = format!("{head}\n| --- | --- |\n");
        for (form, does) in slash_commands(language) {
            let form = form.replace('|', "\\|");
            writeln!(table, "| `{form}` | {does} |").expect("memory can be written to");
        }
        let text = fs::read_to_string(&path).expect("the page is there");
        let (begin, end) = ("<!-- slash -->\n", "<!-- /slash -->\n");
        generated::check(&path, &generated::put(&text, begin, end, &table));
    }
}
