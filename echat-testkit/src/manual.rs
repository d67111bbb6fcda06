//! Man pages and completions from the definitions that `--help` is made of.
//!
//! A page is written by hand but for what stands between two marks (`.\" options`, `.\" /options`
//! and the like), in another language too; completions are written whole. `ECHAT_UPDATE=1` writes both.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, process};

use clap::builder::StyledStr;
use clap::{Arg, Command};
use clap_complete::{Generator, Shell};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

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

/// What the definition of a program says, in another language.
pub struct Translation {
    /// The folder of the pages in this language, as man(1) looks for it: `zh_CN`.
    pub folder: &'static str,
    /// Each text in English, and in this language. A text that changes in English is looked at again.
    pub texts: &'static [(&'static str, &'static str)],
}

impl Translation {
    /// The text in this language.
    pub fn text(&self, english: &str) -> &'static str {
        let row = self.texts.iter().find(|(text, _)| *text == english);
        row.unwrap_or_else(|| panic!("no text in {} for: {english}", self.folder))
            .1
    }
}

impl Program {
    /// Compares its page and its completions with its definition, or writes them.
    pub fn check(self) {
        self.check_page(&self.path(""), self.parts());
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut command = self.command.clone();
            let name = command.get_name().to_owned();
            let path = docs().join("completions").join(shell.file_name(&name));
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, name.as_str(), &mut script);
            let mut script = String::from_utf8(script).expect("a script is UTF-8");
            if shell == Shell::Bash {
                // clap_complete 4.6 spells a hyphen of the program's name in two ways, and so never offers the options
                // of its subcommands.
                script = script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"));
                check_bash(&command, &script);
            }
            generated::check(&path, &script);
        }
    }

    /// Compares its page in another language with its definition, or writes it. What can be typed is given in that
    /// language; every other text needs a row of the translation.
    pub fn check_translation(mut self, translation: &Translation) {
        let mut unused: BTreeSet<&str> = translation
            .texts
            .iter()
            .map(|(english, _)| *english)
            .collect();
        let mut text = |english: &str| {
            unused.remove(english);
            translation.text(english)
        };
        self.command.build();
        let about = text(&help_of(self.command.get_about()));
        self.command = self.command.about(about).mut_args(|argument| {
            let help = text(&help_of(argument.get_help()));
            argument.help(help)
        });
        for (_, meaning) in &mut self.exit_codes {
            *meaning = text(meaning);
        }
        let mut parts = self.parts();
        for (_, part) in &mut parts {
            let section = part
                .strip_prefix(".SH ")
                .and_then(|part| part.split_once('\n'));
            if let Some((heading, rest)) = section {
                *part = format!(".SH {}\n{rest}", text(heading.trim_matches('"')));
            }
        }
        assert!(unused.is_empty(), "texts that nothing says: {unused:?}");
        let (original, path) = (self.path(""), self.path(translation.folder));
        self.check_page(&path, parts);
        let (original, page) = (read(&original), read(&path));
        let known: BTreeSet<&str> = labels(&page).collect();
        let missing: Vec<&str> = labels(&original)
            .filter(|label| !known.contains(label))
            .collect();
        assert!(missing.is_empty(), "{} lacks {missing:?}", path.display());
    }

    /// Its page in a folder of docs/man.
    fn path(&self, folder: &str) -> PathBuf {
        let file = format!("{}.{}", self.command.get_name(), self.section);
        docs().join("man").join(folder).join(file)
    }

    /// What stands between two marks of its page: their name, and the text.
    fn parts(&self) -> Vec<(&'static str, String)> {
        let mut command = self.command.clone();
        command.build();
        let parts = [
            ("name", render(&command, Man::render_name_section)),
            ("synopsis", render(&command, Man::render_synopsis_section)),
            ("options", render(&command, Man::render_options_section)),
            ("commands", commands(&command)),
            ("typed", self.typed()),
            ("exit", self.exit_status()),
        ];
        parts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .collect()
    }

    fn check_page(&self, path: &Path, parts: Vec<(&str, String)>) {
        let name = self.command.get_name();
        let version = self.command.get_version().unwrap_or_default();
        let mut page = read(path);
        assert!(
            page.contains(&format!("\"{name} {version}\"")),
            ".TH of {name}"
        );
        for (part, text) in parts {
            let (begin, end) = (format!(".\\\" {part}\n"), format!(".\\\" /{part}\n"));
            page = generated::put(&page, &begin, &end, &text);
        }
        generated::check(path, &page);
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

/// Asks bash for the completions of each subcommand, and compares them with its options.
fn check_bash(command: &Command, script: &str) {
    let name = command.get_name();
    let mut command = command.clone();
    command.build();
    let mut script = script.to_owned();
    for subcommand in command.get_subcommands() {
        let (function, word) = (name.replace('-', "__"), subcommand.get_name());
        writeln!(
            script,
            "COMP_WORDS=({name} {word} --); COMP_CWORD=2; _{function} {name} -- {word}; echo {word}: ${{COMPREPLY[@]}}"
        )
        .expect("memory can be written to");
    }
    let bash = process::Command::new("bash").args(["-c", &script]).output();
    let bash = bash.expect("bash is there");
    assert!(bash.status.success(), "{bash:?}");
    let answers = String::from_utf8(bash.stdout).expect("options are UTF-8");
    for subcommand in command.get_subcommands() {
        let word = subcommand.get_name();
        let mut lines = answers.lines();
        let offered = lines.find_map(|line| line.strip_prefix(&format!("{word}: ")));
        let offered: Vec<&str> = offered.unwrap_or_default().split(' ').collect();
        for option in subcommand.get_opts().chain(flags(subcommand)) {
            let long = long_of(option);
            assert!(
                offered.contains(&long.as_str()),
                "{name} {word} {long}: {offered:?}"
            );
        }
    }
}

type Section = fn(&Man, &mut dyn std::io::Write) -> std::io::Result<()>;

fn render(command: &Command, section: Section) -> String {
    let mut text = Vec::new();
    section(&Man::new(command.clone()), &mut text).expect("memory can be written to");
    without_head(&String::from_utf8(text).expect("a page is UTF-8"))
}

/// The subcommands, each with its parameters and its options. An option that the program itself has too is described
/// once, among the options of the program.
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
        roff.text([roman(help_of(subcommand.get_about()))]);
        let described = |argument: &&Arg| argument.get_help().is_some();
        let parameters: Vec<&Arg> = subcommand.get_positionals().filter(described).collect();
        let options = subcommand.get_opts().chain(flags(subcommand));
        let (shared, own): (Vec<&Arg>, Vec<&Arg>) =
            options.partition(|option| is_option_of(command, option));
        if parameters.is_empty() && own.is_empty() && shared.is_empty() {
            continue;
        }
        roff.control("RS", []);
        for parameter in parameters {
            roff.control("TP", []);
            roff.text([italic(value_of(parameter))]);
            roff.text([roman(help_of(parameter.get_help()))]);
        }
        for option in own {
            roff.control("TP", []);
            roff.text(head_of(option));
            roff.text([roman(help_of(option.get_help()))]);
        }
        if !shared.is_empty() {
            let mut line = vec![roman("It also takes ")];
            for (index, option) in shared.iter().enumerate() {
                let is_last = index + 1 == shared.len();
                line.push(roman(match index {
                    0 => "",
                    _ if is_last => " and ",
                    _ => ", ",
                }));
                line.push(bold(long_of(option)));
            }
            line.push(roman("; see OPTIONS."));
            roff.control("PP", []);
            roff.text(line);
        }
        roff.control("RE", []);
    }
    without_head(&roff.render())
}

/// Whether the program itself has this option, with the same meaning.
fn is_option_of(command: &Command, option: &Arg) -> bool {
    let mut own = command.get_arguments();
    own.any(|own| {
        own.get_long() == option.get_long() && help_of(own.get_help()) == help_of(option.get_help())
    })
}

/// An option as it is typed, with its short form and its value.
fn head_of(option: &Arg) -> Vec<Inline> {
    let mut line = Vec::new();
    if let Some(short) = option.get_short() {
        line.extend([bold(format!("-{short}")), roman(", ")]);
    }
    line.push(bold(long_of(option)));
    if option.get_action().takes_values() {
        let names = option.get_value_names().unwrap_or_default();
        line.extend([roman(" "), italic(names.join(" "))]);
        let defaults: Vec<_> = option.get_default_values().iter().collect();
        if let [default] = defaults[..]
            && !option.is_hide_default_value_set()
        {
            line.push(roman(format!(" [default: {}]", default.display())));
        }
    }
    line
}

fn long_of(option: &Arg) -> String {
    format!("--{}", option.get_long().unwrap_or_default())
}

fn help_of(text: Option<&StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
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

/// The options, exit codes, variables and files of a page: what stands at the margin, but for what can be typed, whose
/// parameters have names in every language.
fn labels(page: &str) -> impl Iterator<Item = &str> {
    let (before, rest) = page.split_once(".\\\" typed\n").unwrap_or((page, ""));
    let (_, after) = rest.split_once(".\\\" /typed\n").unwrap_or_default();
    [before, after].into_iter().flat_map(|part| {
        let lines = part.lines().zip(part.lines().skip(1));
        lines
            .filter(|(line, _)| *line == ".TP")
            .map(|(_, label)| label)
    })
}

fn read(page: &Path) -> String {
    fs::read_to_string(page).expect("a page is written by hand first")
}

/// What stands at the head of everything that is rendered, a page has once.
fn without_head(text: &str) -> String {
    let head = Roff::new().render();
    text.strip_prefix(&head).unwrap_or(text).to_owned()
}

fn docs() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs"))
}
