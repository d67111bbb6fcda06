//! config.json and the tables of docs/configuration*.md are made from the table of settings.
//! `ECHAT_UPDATE=1 cargo test -p echat-proto --test configuration` writes them.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use echat_proto::config::{Allowed, ClientConfig, Document, Row, ServerConfig, default_json, rows};
use echat_testkit::generated;

#[test]
fn the_committed_config_is_the_default() {
    let text = default_json().expect("JSON");
    generated::check(&path("config.json"), &text);
    let document = Document::parse(text.as_bytes()).expect("JSON");
    assert_eq!(document.server(), Ok(ServerConfig::default()));
    assert_eq!(document.client(), Ok(ClientConfig::default()));
}

#[test]
fn the_documents_list_every_setting() {
    let rows = rows();
    for (name, language) in [
        ("docs/configuration.md", &ENGLISH),
        ("docs/configuration.zh-CN.md", &CHINESE),
    ] {
        let text = fs::read_to_string(path(name)).expect(name);
        let (begin, end) = ("<!-- settings -->\n", "<!-- /settings -->\n");
        let table = table(&rows, language);
        generated::check(&path(name), &generated::put(&text, begin, end, &table));
    }
}

#[test]
fn every_setting_is_described_in_both_languages() {
    for row in rows() {
        let [english, chinese] = &row.meaning;
        let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(english.ends_with('.') && !is_chinese(english), "{row:?}");
        assert!(chinese.ends_with('。') && is_chinese(chinese), "{row:?}");
        assert!(!english.contains('|') && !chinese.contains('|'), "{row:?}");
        let needs_unit = !matches!(row.allowed, Allowed::OneOf(_));
        assert_eq!(
            row.unit.map(|unit| !unit.is_empty()),
            [needs_unit; 2],
            "{row:?}"
        );
    }
}

/// The words of one language.
struct Words {
    index: usize,
    head: &'static str,
    to: &'static str,
    or: &'static str,
    none: &'static str,
}

const ENGLISH: Words = Words {
    index: 0,
    head: "| key | default | value | meaning |",
    to: " to ",
    or: ", ",
    none: "none",
};
const CHINESE: Words = Words {
    index: 1,
    head: "| 键 | 默认值 | 取值 | 含义 |",
    to: " 到 ",
    or: "、",
    none: "无",
};

fn table(rows: &[Row], words: &Words) -> String {
    let mut table = format!("{}\n| --- | --- | --- | --- |\n", words.head);
    for row in rows {
        let default = match &row.default {
            Some(json) => format!("`{json}`"),
            None => words.none.to_owned(),
        };
        let unit = row.unit[words.index];
        let value = match &row.allowed {
            Allowed::Text => unit.to_owned(),
            Allowed::Range(range) => {
                format!("{}{}{} {unit}", range.start(), words.to, range.end())
            }
            Allowed::OneOf(values) => {
                let values: Vec<String> = values.iter().map(|json| format!("`{json}`")).collect();
                values.join(words.or)
            }
        };
        let (path, meaning) = (&row.path, &row.meaning[words.index]);
        writeln!(table, "| `{path}` | {default} | {value} | {meaning} |")
            .expect("a String takes everything");
    }
    table
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}
