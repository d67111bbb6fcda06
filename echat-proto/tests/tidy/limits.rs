//! The figures of the table of limits in ARCHITECTURE.md are those of the constants that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::none;
use super::source::{Source, root, sources};

const DAY: u64 = 24 * 60 * 60;

#[test]
fn the_table_of_limits_has_the_figures_of_the_code() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let sources = sources();
    let constants = Constants::of(&sources);
    let mut wrong = Vec::new();
    let mut compared = 0;
    for row in rows(&text) {
        for (path, name) in row.constants() {
            let at = format!("ARCHITECTURE.md:{}: {path}::{name}", row.line);
            match constants
                .find(&path, &name)
                .and_then(|it| constants.figure(it))
            {
                None => wrong.push(format!("{at}: no such constant, or not a plain number")),
                Some(figure) if !row.shows(&figure) => {
                    wrong.push(format!("{at} is {}", figure.forms().join(" or ")));
                }
                Some(_) => compared += 1,
            }
        }
    }
    none(&wrong, "the table of limits is true");
    assert!(compared > 100, "compared {compared} figures");
}

/// A row of the table.
#[derive(Debug)]
struct LimitRow {
    line: usize,
    /// The package that paths belong to.
    package: String,
    limit: String,
    place: String,
}

/// The rows below the heading "Limits".
fn rows(text: &str) -> Vec<LimitRow> {
    let mut found = Vec::new();
    let (mut is_inside, mut package) = (false, String::new());
    for (line, text) in (1..).zip(text.lines()) {
        if let Some(heading) = text.strip_prefix("## ") {
            is_inside = heading == "Limits";
        } else if let Some(heading) = text.strip_prefix("### ") {
            let named = heading.split_once('(').map(|(_, rest)| rest);
            named
                .unwrap_or_default()
                .trim_end_matches(')')
                .clone_into(&mut package);
        }
        let cells: Vec<&str> = text.split('|').map(str::trim).collect();
        if let ["", what, limit, place, ""] = cells[..]
            && is_inside
            && what != "what"
            && what != "---"
        {
            found.push(LimitRow {
                line,
                package: package.clone(),
                limit: limit.to_owned(),
                place: place.to_owned(),
            });
        }
    }
    found
}

impl LimitRow {
    /// The constants that the row names, each with the path of its module: those in capitals.
    fn constants(&self) -> Vec<(String, String)> {
        let spans = self.place.split('`').skip(1).step_by(2);
        let paths = spans.filter_map(|span| span.rsplit_once("::"));
        let each = paths.flat_map(|(path, items)| {
            let items = items.trim_matches(['{', '}']).split(", ");
            items.map(move |name| (path, name))
        });
        each.filter(|(_, name)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            .map(|(path, name)| {
                let path = match path.split_once("::") {
                    Some(("echat_proto", rest)) => format!("echat-proto::{rest}"),
                    _ => format!("{}::{path}", self.package),
                };
                (path, name.to_owned())
            })
            .collect()
    }

    /// Whether the limit has this figure, as a word of its own.
    fn shows(&self, figure: &Figure) -> bool {
        let part = |c: char| c.is_alphanumeric() || c == ',' || c == '.';
        figure.forms().iter().any(|form| {
            self.limit.match_indices(form).any(|(at, _)| {
                let before = self.limit[..at].chars().next_back();
                let mut after = self.limit[at + form.len()..].chars();
                let (next, second) = (after.next(), after.next());
                let ends = match next {
                    Some(',' | '.') => !second.is_some_and(char::is_numeric),
                    Some(next) => !next.is_alphanumeric(),
                    None => true,
                };
                !before.is_some_and(part) && ends
            })
        })
    }
}

/// The value of a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Figure {
    /// A count, of bytes for example.
    Count(u64),
    /// A duration, in milliseconds.
    Time(u64),
}

impl Figure {
    /// The forms in which the table may have it.
    fn forms(self) -> Vec<String> {
        let mut forms = Vec::new();
        match self {
            Self::Count(count) => {
                forms.push(thousands(count));
                for (unit, name) in [(1024, "KiB"), (1024 * 1024, "MiB")] {
                    if count >= unit && count % unit == 0 {
                        forms.push(format!("{} {name}", thousands(count / unit)));
                    }
                }
                if count >= DAY && count % DAY == 0 {
                    forms.push(format!("{} days", count / DAY));
                }
            }
            Self::Time(time) => {
                forms.push(format!("{time} ms"));
                for (unit, name) in [(1_000, "s"), (60_000, "minute"), (3_600_000, "hour")] {
                    if time >= unit && time % unit == 0 {
                        forms.push(format!("{} {name}", time / unit));
                        forms.push(format!("{} {name}s", time / unit));
                    }
                }
            }
        }
        forms
    }
}

/// A number with a comma between thousands.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A constant: its file, its name, and the expression of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Constant<'a> {
    file: &'a str,
    name: &'a str,
    value: &'a str,
}

/// All constants of the workspace, by name.
struct Constants<'a>(BTreeMap<&'a str, Vec<Constant<'a>>>);

impl<'a> Constants<'a> {
    fn of(sources: &'a [Source]) -> Self {
        let mut all: BTreeMap<&str, Vec<Constant<'_>>> = BTreeMap::new();
        for source in sources.iter().filter(|source| source.is_source()) {
            for (_, line) in source.code() {
                let Some((name, value)) = declared(line) else {
                    continue;
                };
                let file = source.path.as_str();
                all.entry(name)
                    .or_default()
                    .push(Constant { file, name, value });
            }
        }
        Self(all)
    }

    /// The constant of a module, or of a type in it.
    fn find(&self, path: &str, name: &str) -> Option<Constant<'a>> {
        let (package, module) = path.split_once("::")?;
        let module = module.replace("::", "/");
        let files = [
            format!("{package}/src/{module}.rs"),
            format!("{package}/src/{module}/mod.rs"),
        ];
        let named = self.0.get(name)?;
        named
            .iter()
            .copied()
            .find(|it| files.iter().any(|file| file == it.file))
    }

    /// The value of a product or a shift of numbers and other constants.
    fn figure(&self, constant: Constant<'_>) -> Option<Figure> {
        let value = constant.value;
        for (form, unit) in [
            ("millis", 1),
            ("secs", 1_000),
            ("mins", 60_000),
            ("hours", 3_600_000),
        ] {
            let call = format!("Duration::from_{form}(");
            if let Some(number) = value.strip_prefix(&call) {
                let number = self.count(number.strip_suffix(')')?, constant.file)?;
                return Some(Figure::Time(number * unit));
            }
        }
        let count = self.count(value, constant.file)?;
        let unit = if constant.name.ends_with("_KIB") {
            1024
        } else {
            1
        };
        Some(Figure::Count(count * unit))
    }

    fn count(&self, value: &str, file: &str) -> Option<u64> {
        if let Some((number, bits)) = value.split_once(" << ") {
            return Some(self.count(number, file)? << self.count(bits, file)?);
        }
        value.split(" * ").try_fold(1_u64, |product, factor| {
            let factor = match factor.replace('_', "").parse() {
                Ok(number) => number,
                Err(_) => self.named(factor, file)?,
            };
            product.checked_mul(factor)
        })
    }

    /// The value of a constant that another one names: that of the same file, or else the only value that one of this
    /// name has.
    fn named(&self, name: &str, file: &str) -> Option<u64> {
        let named = self.0.get(name)?;
        let own = named.iter().find(|it| it.file == file);
        let values: BTreeSet<u64> = own
            .map_or(named.as_slice(), std::slice::from_ref)
            .iter()
            .filter_map(|it| self.count(it.value, it.file))
            .collect();
        values.first().copied().filter(|_| values.len() == 1)
    }
}

/// The name and the value of the constant that a line declares.
fn declared(line: &str) -> Option<(&str, &str)> {
    let declaration = line.trim_start();
    let declaration = match declaration.strip_prefix("pub") {
        Some(rest) => {
            rest.split_once("const ")
                .filter(|(before, _)| !before.contains("fn"))?
                .1
        }
        None => declaration.strip_prefix("const ")?,
    };
    let (name, rest) = declaration.split_once(": ")?;
    let (_, value) = rest.split_once(" = ")?;
    Some((name, value.strip_suffix(';')?))
}

#[test]
fn values_of_constants_are_computed() {
    let text = "const A: usize = 16 * 1024;\npub(super) const B: u64 = 2 * A;\nconst C: u8 = 64 << 10;\n\
                const D: Duration = Duration::from_mins(10);\nconst E_KIB: u32 = 19 * 1024;\nconst F: f64 = 0.5;";
    let source = [Source {
        path: "echat-server/src/a/mod.rs".to_owned(),
        text: text.to_owned(),
    }];
    let constants = Constants::of(&source);
    let figure = |name| {
        constants
            .find("echat-server::a", name)
            .and_then(|it| constants.figure(it))
    };
    assert_eq!(figure("A"), Some(Figure::Count(16_384)));
    assert_eq!(figure("B"), Some(Figure::Count(32_768)));
    assert_eq!(figure("C"), Some(Figure::Count(65_536)));
    assert_eq!(figure("D"), Some(Figure::Time(600_000)));
    assert_eq!(figure("E_KIB"), Some(Figure::Count(19 * 1024 * 1024)));
    assert_eq!(figure("F"), None);
    assert_eq!(figure("G"), None);
}

#[test]
fn a_figure_is_a_word_of_its_own() {
    let table = "## Limits\n### A (echat-server)\n| what | limit | where |\n| --- | --- | --- |\n\
                 | a | 64 KiB; 10,000 rows of 2 MiB in 90 days, 5 s each | `a::{B, C}`, `d`, `echat_proto::e::F` |";
    let rows = rows(table);
    let [row] = &rows[..] else {
        panic!("{rows:?}");
    };
    let named = ["echat-server::a B", "echat-server::a C", "echat-proto::e F"];
    let constants: Vec<String> = row
        .constants()
        .iter()
        .map(|(path, name)| format!("{path} {name}"))
        .collect();
    assert_eq!(constants, named);
    for figure in [65_536, 10_000, 2 << 20, 90 * DAY] {
        assert!(row.shows(&Figure::Count(figure)), "{figure}");
    }
    for figure in [10, 4, 1_024, 0, 9] {
        assert!(!row.shows(&Figure::Count(figure)), "{figure}");
    }
    assert!(row.shows(&Figure::Time(5_000)) && !row.shows(&Figure::Time(5)));
}
