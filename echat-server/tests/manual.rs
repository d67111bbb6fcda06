//! The man page and completions of the server, and the table of its administration:
//! `ECHAT_UPDATE=1 cargo test --test manual` writes them.

use clap::CommandFactory;
use echat_server::cli::Cli;
use echat_server::engine::COMMANDS;
use echat_server::exit::ExitCode;
use echat_testkit::generated;
use echat_testkit::manual::Program;
use std::fs;
use std::path::PathBuf;

/// The marks around the table on the page.
const MARKS: (&str, &str) = ("<!-- commands -->\n", "<!-- /commands -->\n");

fn page(name: &str) -> (PathBuf, String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name);
    let text = fs::read_to_string(&path).expect(name);
    (path, text)
}

/// The first cell of each row.
fn usages() -> Vec<String> {
    let usage = |usage: String| format!("`{}`", usage.replace('|', "\\|"));
    COMMANDS
        .iter()
        .map(|command| usage(command.usage()))
        .collect()
}

#[test]
fn the_page_has_the_commands_of_the_administration() {
    let (path, text) = page("administration.md");
    let mut table = "| command | in the chat | does |\n| --- | --- | --- |\n".to_owned();
    for (command, usage) in COMMANDS.iter().zip(usages()) {
        let in_chat = if command.in_chat { "yes" } else { "" };
        let row = [&usage, in_chat, command.about].join(" | ");
        table.extend(["| ", &row, " |\n"]);
    }
    generated::check(&path, &generated::put(&text, MARKS.0, MARKS.1, &table));
}

#[test]
fn the_page_in_chinese_has_them_too() {
    let (_, text) = page("administration.zh-CN.md");
    let (_, table) = text.split_once(MARKS.0).expect("it begins");
    let (table, _) = table.split_once(MARKS.1).expect("it ends");
    let rows = table
        .lines()
        .skip(2)
        .map(|row| row.trim_matches('|').replace("\\|", "\0"));
    for ((row, usage), command) in rows.clone().zip(usages()).zip(COMMANDS) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [found, in_chat, about] = cells[..] else {
            panic!("{row}");
        };
        assert_eq!(found.replace('\0', "\\|"), usage);
        assert_eq!(in_chat, if command.in_chat { "是" } else { "" }, "{usage}");
        let is_chinese = |char: char| ('\u{4e00}'..='\u{9fff}').contains(&char);
        assert!(about.contains(is_chinese), "{usage}: {about}");
    }
    assert_eq!(rows.count(), COMMANDS.len());
}

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

/// The part of the man page that is written by hand.
#[test]
fn the_manual_names_each_file_of_the_data_folder_and_each_signal() {
    let (_, manual) = page("man/echat-server.8");
    let (_, operations) = page("operations.md");
    let table = operations
        .split("## Data folder")
        .nth(1)
        .and_then(|after| after.split("\n\n").nth(1))
        .expect("the table of the data folder");
    let rows = table.lines().skip(2);
    let files = rows.filter_map(|row| row.split('|').nth(1)?.split('`').nth(1));
    let files: Vec<&str> = files.collect();
    assert!(files.len() > 8, "{files:?}");
    for file in files {
        // A name without the number in it, as the page writes it.
        let name = file.trim_end_matches(|last: char| last.is_ascii_digit() || "-.".contains(last));
        let name = name.replace('-', "\\-");
        assert!(manual.contains(&format!("data/{name}")), "{file}");
    }
    let signals = manual.split("\n.SH SIGNALS\n").nth(1);
    let signals = signals.and_then(|after| after.split("\n.SH ").next());
    let signals = signals.expect("a section on signals");
    for signal in ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGQUIT"] {
        assert!(signals.contains(signal), "{signal}");
    }
}
