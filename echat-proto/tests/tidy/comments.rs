//! What comments look like.

use std::collections::BTreeSet;

use super::none;
use super::source::{Source, sources};

/// The longest line of a comment, in characters.
const WIDTH: usize = 120;

/// Names of types that are words of the wire or the field too.
const WORDS: [&str; 2] = ["ClientHello", "ServerHello"];

#[test]
fn comments_name_types_as_code() {
    let sources = sources();
    let types: BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| source.text.lines())
        .filter_map(declared_type)
        .filter(|name| has_humps(name) && !WORDS.contains(name))
        .collect();
    assert!(types.len() > 100, "found {} types", types.len());
    let mut found = Vec::new();
    for source in &sources {
        for (line, text) in prose(source) {
            for word in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
                if types.contains(word) {
                    found.push(format!("{}: {word}", source.at(line)));
                }
            }
        }
    }
    none(
        &found,
        "a type in a comment stands in backticks or brackets",
    );
}

#[test]
fn comments_are_no_wider_than_the_window() {
    let mut found = Vec::new();
    for source in sources() {
        for (number, line) in (1..).zip(source.text.lines()) {
            let width = line.chars().count();
            let is_comment = line.trim_start().starts_with("//");
            if is_comment && width > WIDTH && !line.contains("://") {
                found.push(format!("{} has {width} characters", source.at(number)));
            }
        }
    }
    none(&found, "lines of comments have at most 120 characters");
}

#[test]
fn modules_say_what_they_are_for() {
    let sources = sources();
    let silent = sources
        .iter()
        .filter(|source| source.is_source() && !source.text.starts_with("//! "))
        .map(|source| source.path.clone())
        .collect::<Vec<_>>();
    none(
        &silent,
        "a module begins with a comment that says what it is for",
    );
}

#[test]
fn comments_cite_no_line_numbers() {
    let mut found = Vec::new();
    for source in sources() {
        for (number, line) in (1..).zip(source.text.lines()) {
            let comment = line.trim_start().strip_prefix("//");
            let cited = comment
                .into_iter()
                .flat_map(|text| text.split(".rs:").skip(1));
            if cited
                .into_iter()
                .any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            {
                found.push(source.at(number));
            }
        }
    }
    none(&found, "line numbers change");
}

/// The type that a line declares.
fn declared_type(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    words.find(|word| ["struct", "enum", "trait", "type", "union"].contains(word))?;
    let name = words.next()?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
    Some(&name[..end.unwrap_or(name.len())])
}

/// Whether a name is of several words, as `SendQueue`: one of a single word may begin a sentence.
fn has_humps(name: &str) -> bool {
    let humps = name.chars().filter(char::is_ascii_uppercase).count();
    let begins = name.starts_with(|c: char| c.is_ascii_uppercase());
    begins && humps > 1 && humps < name.len() && !name.contains('_')
}

/// The lines of comments without what is code in them: backticks, brackets, and blocks between fences.
fn prose(source: &Source) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut state = Prose::default();
    for (number, line) in (1..).zip(source.text.lines()) {
        match line.trim_start().strip_prefix("//") {
            Some(text) => lines.push((number, state.strip(text.trim_start_matches(['/', '!'])))),
            None => state = Prose::default(),
        }
    }
    lines
}

/// Where a comment is in its code: backticks and brackets may span lines.
#[derive(Default)]
struct Prose {
    is_fenced: bool,
    is_quoted: bool,
    /// Open brackets.
    depth: usize,
    /// Whether a closed bracket is followed by the target of a link.
    is_target: bool,
}

impl Prose {
    /// What of a line is prose.
    fn strip(&mut self, line: &str) -> String {
        if line.trim_start().starts_with("```") {
            self.is_fenced = !self.is_fenced;
            return String::new();
        }
        if self.is_fenced {
            return String::new();
        }
        let mut text = String::new();
        let mut before = '\n';
        for c in line.chars() {
            match c {
                '`' => self.is_quoted = !self.is_quoted,
                _ if self.is_quoted => {}
                '[' => self.depth += 1,
                ']' => self.depth = self.depth.saturating_sub(1),
                '(' if before == ']' => self.is_target = true,
                ')' if self.is_target => self.is_target = false,
                _ if self.depth == 0 && !self.is_target => text.push(c),
                _ => {}
            }
            before = c;
        }
        text
    }
}

#[test]
fn code_in_comments_is_told_from_prose() {
    let text = "/// A SendQueue of `SendQueue`, [SendQueue],\n/// [a queue](crate::SendQueue) and [`Send\n/// Queue`].\n\
                //! ```\n//! SendQueue\n//! ```\n// The SendQueue.\nlet queue = SendQueue::new();";
    let source = Source {
        path: "a.rs".to_owned(),
        text: text.to_owned(),
    };
    let named: Vec<usize> = prose(&source)
        .iter()
        .filter(|(_, text)| text.contains("SendQueue"))
        .map(|(line, _)| *line)
        .collect();
    assert_eq!(named, [1, 7]);
}

#[test]
fn names_of_several_words_are_told_from_others() {
    assert!(has_humps("SendQueue") && has_humps("TokenBuckets"));
    assert!(
        !has_humps("Queue") && !has_humps("LOGIN") && !has_humps("T") && !has_humps("JSON_VALUE")
    );
    assert_eq!(
        declared_type("pub(crate) struct SendQueue<'a> {"),
        Some("SendQueue")
    );
    assert_eq!(declared_type("type Bucket = u16;"), Some("Bucket"));
    assert_eq!(declared_type("let a = 1;"), None);
}
