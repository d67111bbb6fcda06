//! The result of a command: one value, of which the form for programs and that for people are made.

use crate::escape::escape;
use echat_proto::Value;
use jiff::Timestamp;
use std::fmt::{self, Write};
use std::iter;
use unicode_width::UnicodeWidthStr;

/// A part of a report.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact {
    /// A name or another text.
    Text(String),
    /// A count.
    Number(u64),
    /// Unix seconds.
    Time(i64),
    /// Whether something is so. A table shows yes, or nothing.
    Flag(bool),
    /// Several names, and whether there are more.
    Names(Vec<String>, bool),
    /// Nothing to say.
    None,
}

impl Fact {
    fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::Str(text.clone()),
            Self::Number(number) => Value::Int(*number),
            Self::Time(at) => Value::Int(at.unsigned_abs()),
            Self::Flag(flag) => Value::Bool(*flag),
            Self::Names(names, _) => Value::List(names.iter().cloned().map(Value::Str).collect()),
            Self::None => Value::Null,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Time(at) => {
                Timestamp::from_second(*at).map_or_else(|_| at.to_string(), |at| at.to_string())
            }
            Self::Flag(true) => "yes".to_owned(),
            Self::Flag(false) | Self::None => String::new(),
            Self::Names(names, false) => names.join(", "),
            Self::Names(names, true) => format!("{} {MORE}", names.join(", ")),
        }
    }
}

/// What stands for the rest of a list.
const MORE: &str = "... and more";

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Fact {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Fact {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

impl From<bool> for Fact {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Vec<String>> for Fact {
    fn from(names: Vec<String>) -> Self {
        Self::Names(names, false)
    }
}

impl<T: Into<Fact>> From<Option<T>> for Fact {
    fn from(fact: Option<T>) -> Self {
        fact.map_or(Self::None, Into::into)
    }
}

/// A fact that is a time in unix seconds.
pub(crate) fn at(unix: impl Into<Option<i64>>) -> Fact {
    unix.into().map_or(Fact::None, Fact::Time)
}

/// A fact of the first `limit` names of a list.
pub(crate) fn names(mut names: Vec<String>, limit: usize) -> Fact {
    let more = names.len() > limit;
    names.truncate(limit);
    Fact::Names(names, more)
}

/// The result of a command.
#[derive(Clone, Default, PartialEq)]
pub struct AdminReport {
    done: Option<String>,
    facts: Vec<(&'static str, Fact)>,
    /// Facts for programs alone: the sentence about what was done says them to people.
    keys: Vec<(&'static str, Fact)>,
    table: Option<Table>,
    /// Lines as they are, under a name.
    page: Option<(&'static str, String)>,
}

/// Shows what was done and the names of the facts: a fact may be a secret that the command gives out.
impl fmt::Debug for AdminReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts: Vec<_> = self.facts.iter().map(|(name, _)| name).collect();
        f.debug_struct("AdminReport")
            .field("done", &self.done)
            .field("facts", &facts)
            .finish_non_exhaustive()
    }
}

/// Columns between those of a table.
const GAP: usize = 2;

/// Bytes of the rows of a table in both forms, without the blanks between columns.
const TABLE_BYTES: usize = 160 * 1024;

/// At least the bytes of a row: a value by name, and what is shown of it.
fn row_bytes(columns: &[&str], row: &[Fact]) -> usize {
    let cell = |(name, fact): (&&str, &Fact)| {
        let text = fact.text();
        16 + name.len() + text.len() + escape(&text).len()
    };
    columns.iter().zip(row).map(cell).sum()
}

#[derive(Clone, Debug, PartialEq)]
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<Fact>>,
    more: bool,
}

impl AdminReport {
    /// A change, in a sentence.
    pub(crate) fn done(what: impl Into<String>) -> Self {
        Self {
            done: Some(what.into()),
            ..Self::default()
        }
    }

    /// Why there was nothing to change, in a sentence.
    pub(crate) fn unchanged(why: impl Into<String>) -> Self {
        Self::done(why).key("unchanged", true)
    }

    /// Lines that are shown as they are; they contain nothing that users wrote.
    pub(crate) fn page(name: &'static str, lines: String) -> Self {
        Self {
            page: Some((name, lines)),
            ..Self::default()
        }
    }

    /// Facts by name.
    pub(crate) fn facts(facts: Vec<(&'static str, Fact)>) -> Self {
        Self {
            facts,
            ..Self::default()
        }
    }

    /// Adds a fact.
    pub(crate) fn with(mut self, name: &'static str, fact: impl Into<Fact>) -> Self {
        self.facts.push((name, fact.into()));
        self
    }

    /// Adds a fact that the sentence about what was done says already: only the form for programs has it.
    pub(crate) fn key(mut self, name: &'static str, fact: impl Into<Fact>) -> Self {
        self.keys.push((name, fact.into()));
        self
    }

    /// A table. `limit` rows are shown at most, and as many as fit into a frame to a client; and whether there are
    /// more.
    pub(crate) fn table(
        name: &'static str,
        columns: &'static [&'static str],
        mut rows: Vec<Vec<Fact>>,
        limit: usize,
    ) -> Self {
        let asked = rows.len();
        let mut bytes = 0;
        let fitting = rows.iter().take(limit).take_while(|row| {
            bytes += row_bytes(columns, row);
            bytes <= TABLE_BYTES
        });
        let fitting = fitting.count();
        rows.truncate(fitting);
        let more = asked > fitting;
        Self {
            table: Some(Table {
                name,
                columns,
                rows,
                more,
            }),
            ..Self::default()
        }
    }

    /// The form for programs: a dict. Times are unix seconds.
    pub fn entries(&self) -> Vec<(String, Value)> {
        let mut entries = Vec::new();
        if let Some(done) = &self.done {
            entries.push(("done".to_owned(), Value::Str(done.clone())));
        }
        for (name, fact) in self.facts.iter().chain(&self.keys) {
            entries.push(((*name).to_owned(), fact.value()));
            if let Fact::Names(_, true) = fact {
                entries.push((format!("{name}_more"), Value::Bool(true)));
            }
        }
        if let Some(table) = &self.table {
            let row = |row: &Vec<Fact>| {
                let cells = table.columns.iter().zip(row);
                Value::Dict(
                    cells
                        .map(|(name, fact)| ((*name).to_owned(), fact.value()))
                        .collect(),
                )
            };
            let rows = table.rows.iter().map(row).collect();
            entries.push((table.name.to_owned(), Value::List(rows)));
            entries.push(("more".to_owned(), Value::Bool(table.more)));
        }
        if let Some((name, lines)) = &self.page {
            entries.push(((*name).to_owned(), Value::Str(lines.clone())));
        }
        entries
    }

    /// The form for people: lines, whose texts cannot control a terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Some(done) = &self.done {
            text.push_str(&escape(done));
            text.push('\n');
        }
        for (name, fact) in &self.facts {
            let value = match fact {
                Fact::Flag(false) => "no".to_owned(),
                fact => fact.text(),
            };
            if value.is_empty() {
                continue;
            }
            // A string takes all text.
            let _ = writeln!(text, "{}: {}", name.replace('_', " "), escape(&value));
        }
        if text.is_empty()
            && let [(name, _)] = &self.facts[..]
        {
            let _ = writeln!(text, "{}: none", name.replace('_', " "));
        }
        if let Some(table) = &self.table {
            table.write(&mut text);
        }
        if let Some((_, lines)) = &self.page {
            text.push_str(lines);
        }
        text
    }
}

impl Table {
    /// A heading, and a line for each row; a column without any text is left out.
    fn write(&self, text: &mut String) {
        let row = |row: &Vec<Fact>| row.iter().map(|fact| escape(&fact.text())).collect();
        let rows: Vec<Vec<String>> = self.rows.iter().map(row).collect();
        let mut widths = vec![0; self.columns.len()];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let heading = self
            .columns
            .iter()
            .map(|name| name.to_uppercase().replace('_', " "));
        let heading: Vec<String> = heading.collect();
        for (width, name) in widths
            .iter_mut()
            .zip(&heading)
            .filter(|(width, _)| **width > 0)
        {
            *width = (*width).max(name.len());
        }
        let heading = (!rows.is_empty()).then_some(&heading);
        for row in heading.into_iter().chain(&rows) {
            let mut line = String::new();
            for (width, cell) in widths.iter().zip(row).filter(|(width, _)| **width > 0) {
                line.push_str(cell);
                line.extend(iter::repeat_n(' ', *width - cell.width() + GAP));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        if rows.is_empty() {
            text.push_str("none\n");
        }
        if self.more {
            text.push_str(MORE);
            text.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use echat_proto::limits::PAGE_BYTES;

    #[test]
    fn both_forms_are_made_of_one_value() {
        let rows = vec![
            vec!["ann".into(), true.into(), at(0)],
            vec!["b\u{1b}[2J".into(), false.into(), at(None)],
        ];
        let report = AdminReport::table("users", &["name", "online", "since"], rows, 2);
        let text =
            "NAME        ONLINE  SINCE\nann         yes     1970-01-01T00:00:00Z\nb\\u{1b}[2J\n";
        assert_eq!(report.text(), text);
        let [(name, Value::List(rows)), (more, Value::Bool(false))] = &report.entries()[..] else {
            panic!("{:?}", report.entries());
        };
        assert_eq!(
            (name.as_str(), more.as_str(), rows.len()),
            ("users", "more", 2)
        );
        // A Chinese character takes two columns.
        let rows = vec![
            vec!["小明".into(), "茶馆".into()],
            vec!["ann".into(), "tea".into()],
        ];
        let report = AdminReport::table("rooms", &["name", "room"], rows, 2);
        assert_eq!(report.text(), "NAME  ROOM\n小明  茶馆\nann   tea\n");
        // A line of the audit may be long, and 200 of them fit into no frame.
        let rows = vec![vec![Fact::from("\u{7}".repeat(1_200)); 2]; 200];
        let report = AdminReport::table("audit", &["by", "command"], rows, 200);
        let [(_, Value::List(rows)), (_, Value::Bool(true))] = &report.entries()[..] else {
            panic!("it is cut");
        };
        let shown = report.text();
        assert!(rows.len() > 5 && shown.ends_with("... and more\n"));
        assert!(shown.len() + rows.len() * 2_400 < PAGE_BYTES);
        let done = AdminReport::done("done it")
            .with("password", "x")
            .with("none", Fact::None);
        assert_eq!(done.text(), "done it\npassword: x\n");
    }

    #[test]
    fn a_list_of_names_says_whether_there_are_more_and_an_empty_answer_says_so() {
        let list = |count: usize| (0..count).map(|it| it.to_string()).collect();
        let report = AdminReport::facts(vec![("members", names(list(3), 2))]);
        assert_eq!(report.text(), "members: 0, 1 ... and more\n");
        let has_more = ("members_more".to_owned(), Value::Bool(true));
        assert_eq!(report.entries().last(), Some(&has_more));
        let report = AdminReport::facts(vec![("members", names(list(2), 2))]);
        assert_eq!(report.text(), "members: 0, 1\n");
        assert_eq!(report.entries().len(), 1);
        let report = AdminReport::facts(vec![("message", Fact::None)]);
        assert_eq!(report.text(), "message: none\n");
        // What the sentence says is a key for programs.
        let report = AdminReport::done("wrote 7 lines").key("lines", 7_u64);
        assert_eq!(report.text(), "wrote 7 lines\n");
        assert_eq!(report.entries()[1], ("lines".to_owned(), Value::Int(7)));
    }
}
