//! Man pages and completions from the definitions that `--help` is made of.
//!
//! A page is written by hand but for what stands between two marks (`.\" options`, `.\" /options`
//! and the like); completions are written whole. `ECHAT_UPDATE=1` writes both.

use std::fs;
use std::path::PathBuf;

use clap::{Arg, Command};
use clap_complete::{Generator, Shell};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use crate::generated;

/// A program: its definition, its exit codes with their meaning.
pub struct Program {
    /// The definition that `--help` is made of.
    pub command: Command,
    /// The section of its man page.
    pub section: u8,
    /// Its exit codes, each with its meaning.
    pub exit_codes: Vec<(u8, &'static str)>,
    /// What can be typed while it runs, with its meaning.
    pub typed: Vec<(String, String)>,
}

impl Program {
    /// Compares its page and its completions with its definition, or writes them.
    pub fn check(self) {
        self.check_page();
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut command = self.command.clone();
            let name = command.get_name().to_owned();
            let path = docs().join("completions").join(shell.file_name(&name));
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, name, &mut script);
            let script = String::from_utf8(script).expect("a script is UTF-8");
            generated::check(&path, &script);
        }
    }

    fn check_page(&self) {
        let mut command = self.command.clone();
        command.build();
        let name = command.get_name().to_owned();
        let version = command.get_version().unwrap_or_default();
        let path = docs().join(format!("man/{name}.{}", self.section));
        let mut page = fs::read_to_string(&path).expect("a page is written by hand first");
        assert!(
            page.contains(&format!("\"{name} {version}\"")),
            ".TH of {name}"
        );
        for (part, text) in [
            ("name", render(&command, Man::render_name_section)),
            ("synopsis", render(&command, Man::render_synopsis_section)),
            ("options", render(&command, Man::render_options_section)),
            ("subcommands", subcommands(&command)),
            ("commands", commands(&command)),
            ("typed", self.typed()),
            ("exit", self.exit_status()),
        ] {
            let (begin, end) = (format!(".\\\" {part}\n"), format!(".\\\" /{part}\n"));
            // A page has its subcommands in short or in full.
            let in_full = page.contains(".\\\" commands\n");
            let is_other = (part == "subcommands" && in_full) || (part == "commands" && !in_full);
            if !text.is_empty() && !is_other {
                page = generated::put(&page, &begin, &end, &text);
            }
        }
        generated::check(&path, &page);
    }

    fn typed(&self) -> String {
        let mut roff = Roff::new();
        for (form, meaning) in &self.typed {
            roff.control("TP", []);
            roff.text([bold(form.as_str())]);
            roff.text([roman(meaning.as_str())]);
        }
        if self.typed.is_empty() {
            String::new()
        } else {
            without_head(&roff.render())
        }
    }

    fn exit_status(&self) -> String {
        if self.exit_codes.is_empty() {
            return String::new();
        }
        let mut roff = Roff::new();
        roff.control("SH", ["EXIT STATUS"]);
        for (code, meaning) in &self.exit_codes {
            roff.control("TP", []);
            roff.text([bold(code.to_string())]);
            roff.text([roman(*meaning)]);
        }
        without_head(&roff.render())
    }
}

type Section = fn(&Man, &mut dyn std::io::Write) -> std::io::Result<()>;

fn render(command: &Command, section: Section) -> String {
    let mut text = Vec::new();
    section(&Man::new(command.clone()), &mut text).expect("memory can be written to");
    without_head(&String::from_utf8(text).expect("a page is UTF-8"))
}

/// What a program can do in place of its main work; one page describes all.
fn subcommands(command: &Command) -> String {
    let mut roff = Roff::new();
    let heading = command.get_subcommand_help_heading();
    for (index, subcommand) in command.get_subcommands().enumerate() {
        if index == 0 {
            roff.control(
                "SH",
                [heading.unwrap_or("Subcommands").to_uppercase().as_str()],
            );
        }
        let mut line = vec![bold(subcommand.get_name())];
        for argument in subcommand.get_positionals() {
            line.extend([roman(" "), italic(value_of(argument))]);
        }
        roff.control("TP", []);
        roff.text(line);
        let about = subcommand.get_about().map(ToString::to_string);
        roff.text([roman(about.unwrap_or_default())]);
    }
    without_head(&roff.render())
}

/// The same with the options of each.
fn commands(command: &Command) -> String {
    let mut roff = Roff::new();
    let heading = command.get_subcommand_help_heading();
    for (index, subcommand) in command.get_subcommands().enumerate() {
        if index == 0 {
            roff.control(
                "SH",
                [heading.unwrap_or("Commands").to_uppercase().as_str()],
            );
        }
        let mut line = vec![bold(subcommand.get_name())];
        for argument in subcommand.get_positionals() {
            line.extend([roman(" "), italic(value_of(argument))]);
        }
        roff.control("TP", []);
        roff.text(line);
        let text = |text: Option<&clap::builder::StyledStr>| {
            [roman(text.map(ToString::to_string).unwrap_or_default())]
        };
        roff.text(text(subcommand.get_about()));
        roff.control("RS", []);
        for option in subcommand.get_opts().chain(flags(subcommand)) {
            let long = option.get_long().unwrap_or_default();
            let mut line = vec![bold(format!("--{long}"))];
            if option.get_action().takes_values() {
                let names = option.get_value_names().unwrap_or_default();
                line.extend([roman(" "), italic(names.join(" "))]);
            }
            roff.control("TP", []);
            roff.text(line);
            roff.text(text(option.get_help()));
        }
        roff.control("RE", []);
    }
    without_head(&roff.render())
}

/// The options without a value, but for those that every command has.
fn flags(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_flag = |argument: &&Arg| {
        let long = argument.get_long();
        !argument.get_action().takes_values() && long.is_some_and(|long| long != "help")
    };
    command.get_arguments().filter(is_flag)
}

fn value_of(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let name = names.join(" ");
    if argument.is_required_set() {
        name
    } else {
        format!("[{name}]")
    }
}

/// What stands at the head of everything that is rendered, a page has once.
fn without_head(text: &str) -> String {
    let head = Roff::new().render();
    text.strip_prefix(&head).unwrap_or(text).to_owned()
}

fn docs() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs"))
}
