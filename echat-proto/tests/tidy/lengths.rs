//! Functions fit on one screen. Files have no limit: a file is one concept, whatever its length.

use super::none;
use super::source::sources;

const FUNCTION: usize = 70;

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    for source in sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let length = function_length(line, &lines[index..]);
            if length > FUNCTION {
                long.push(format!("{} has {length} lines", source.at(index + 1)));
            }
        }
    }
    none(&long, "functions have at most 70 lines");
}

/// The lines of the function that begins in the first line; 0 if none does. rustfmt puts the
/// closing brace where the function's own line begins.
fn function_length(first: &str, lines: &[&str]) -> usize {
    let code = first.trim_start();
    if !begins_function(code) {
        return 0;
    }
    let indent = &first[..first.len() - code.len()];
    let end = format!("{indent}}}");
    for (index, line) in lines.iter().enumerate() {
        let own = line.strip_prefix(indent).unwrap_or("");
        let outer = !own.is_empty() && !own.starts_with(' ');
        if *line == end || (outer && own.ends_with([';', '}'])) {
            return index + 1;
        }
    }
    lines.len()
}

fn begins_function(code: &str) -> bool {
    const BEFORE: [&str; 6] = [
        "pub",
        "pub(crate)",
        "pub(super)",
        "const",
        "async",
        "unsafe",
    ];
    code.split_whitespace()
        .find(|word| !BEFORE.contains(word))
        .is_some_and(|word| word == "fn")
}

#[test]
fn lengths_are_counted_from_brace_to_brace() {
    let text =
        "    pub(crate) fn a(\n        b: u8,\n    ) {\n        if b {\n        }\n    }\n    x";
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(function_length(lines[0], &lines), 6);
    assert_eq!(function_length("fn a() {}", &["fn a() {}", "}"]), 1);
    assert_eq!(function_length("fn a();", &["fn a();", "}"]), 1);
    assert_eq!(function_length("// fn a() {", &["// fn a() {", "}"]), 0);
}
