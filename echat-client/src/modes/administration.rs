//! What the server's administration answers, in the language of the reader: the result by key becomes sentences, a list
//! or a table. Times are those of the reader's zone.

use echat_proto::commands::RequestKind;
use echat_proto::records::{Code, Fail};
use echat_proto::value::Value;

use super::Context;
use super::lines::{plain, styled};
use crate::render::safe::Safe;
use crate::render::styled::{Line, Style};
use crate::statement::TypedRequest;
use crate::target::normal_name;
use crate::text::{
    Language, Text, administration_column, administration_command, administration_key, code_of,
    is_time,
};

/// Columns between those of a table.
const GAP: usize = 2;
/// The table of `help`, and in it the key of commands that only the operator has.
const COMMANDS: &str = "commands";
const ONLY_OPERATOR: &str = "only_ctl";
/// The key of a result that changed nothing.
const UNCHANGED: &str = "unchanged";

/// A key and its value.
type Fact = (String, Value);

/// The result of a command that is done.
pub(super) fn result(
    typed: Option<&TypedRequest>,
    entries: &[Fact],
    context: &Context,
) -> Vec<Line> {
    let language = context.language;
    let words = typed.map_or_else(Vec::new, TypedRequest::order);
    // A table says whether it has more rows. Any other list is one of names.
    let has_table = entries.iter().any(|(key, _)| key == "more");
    let is_unchanged = entries.contains(&(UNCHANGED.to_owned(), Value::Bool(true)));
    let mut lines = Vec::new();
    for (key, value) in entries {
        match (key.as_str(), value) {
            ("done", Value::Str(_)) if is_unchanged && language == Language::Chinese => {
                lines.push(context.line(Text::AlreadySo));
            }
            ("done", Value::Str(done)) => lines.push(plain(&sentence(done, &words, language))),
            (UNCHANGED, _) => {}
            (key, Value::Bool(more)) if key == "more" || key.ends_with("_more") => {
                lines.extend(more.then(|| context.dim(Text::AndMore)));
            }
            (key, Value::List(rows)) if has_table => lines.extend(table(key, rows, context)),
            (_, Value::Str(text)) if text.contains('\n') => lines.extend(text.lines().map(plain)),
            (key, value) => {
                let text = match value {
                    Value::Bool(false) => language.say(Text::No),
                    value => cell(key, value, context),
                };
                if !text.is_empty() {
                    let label = &label(key, administration_key(key), language);
                    lines.push(context.line(Text::Labelled { label, text: &text }));
                }
            }
        }
    }
    if lines.is_empty() {
        lines.push(context.line(Text::Nothing));
    }
    lines
}

/// What was done. The server says it in English.
fn sentence(done: &str, words: &[String], language: Language) -> String {
    let known = administration_command(words).filter(|_| language == Language::Chinese);
    let sentence = known.and_then(|(command, behind)| command.done(behind));
    sentence.unwrap_or_else(|| done.to_owned())
}

fn label(key: &str, chinese: Option<&str>, language: Language) -> String {
    let known = chinese.filter(|_| language == Language::Chinese);
    known.map_or_else(|| key.replace('_', " "), str::to_owned)
}

/// A value in words; empty for one that says nothing.
fn cell(key: &str, value: &Value, context: &Context) -> String {
    let language = context.language;
    match value {
        Value::Str(text) => context.language.user_name(text).into_owned(),
        Value::Int(unix) if is_time(key) => context.settings.zone.at(*unix).to_string(),
        Value::Int(number) => number.to_string(),
        Value::Bool(true) => language.say(Text::Yes),
        Value::List(names) => {
            let names = names.iter().map(|name| cell(key, name, context));
            names.collect::<Vec<_>>().join(&language.say(Text::Comma))
        }
        _ => String::new(),
    }
}

/// The widest column of a table. A longer cell moves only what stands behind it in its row: padding every row to the
/// width of one long cell could take a gigabyte.
const COLUMN_MAX: usize = 100;

/// A column of a table: its heading, and a cell for each row.
struct Column {
    heading: Safe,
    cells: Vec<Safe>,
    /// Columns of the terminal that it takes; 0 without any text.
    width: usize,
}

impl Column {
    fn new(heading: Safe, cells: Vec<Safe>) -> Self {
        let widest = cells.iter().map(Safe::width).max().unwrap_or(0);
        let width = if widest == 0 {
            0
        } else {
            widest.max(heading.width()).min(COLUMN_MAX)
        };
        Self {
            heading,
            cells,
            width,
        }
    }
}

/// A heading, and a line for each row. A column without any text is left out.
fn table(name: &str, rows: &[Value], context: &Context) -> Vec<Line> {
    let rows = rows.iter().filter_map(|row| match row {
        Value::Dict(entries) => Some(entries.as_slice()),
        _ => None,
    });
    let is_help = name == COMMANDS;
    let only_operator = (ONLY_OPERATOR.to_owned(), Value::Bool(true));
    let rows: Vec<&[Fact]> = rows
        .filter(|row| !is_help || !row.contains(&only_operator))
        .collect();
    let Some(first) = rows.first() else {
        return vec![context.line(Text::Nothing)];
    };
    let columns = first.iter().map(|(key, _)| {
        let cells = rows
            .iter()
            .map(|row| Safe::line(&text_of(row, key, is_help, context)))
            .collect();
        let heading = label(key, administration_column(name, key), context.language);
        Column::new(Safe::line(&heading), cells)
    });
    let columns: Vec<Column> = columns.filter(|column| column.width > 0).collect();
    let heading = line(&columns, |column| &column.heading);
    let mut lines = vec![styled(&heading, Style::Bold)];
    lines.extend((0..rows.len()).map(|at| plain(&line(&columns, |column| &column.cells[at]))));
    lines
}

/// The cell of a row under a key.
fn text_of(row: &[Fact], key: &str, is_help: bool, context: &Context) -> String {
    let value = row.iter().find(|(of, _)| of == key).map(|(_, value)| value);
    match value {
        Some(Value::Str(_)) if is_help && key == "about" => about(row, context.language),
        Some(value) => cell(key, value, context),
        None => String::new(),
    }
}

/// One cell of each column, one below the other.
fn line<'c>(columns: &'c [Column], cell_of: impl Fn(&'c Column) -> &'c Safe) -> String {
    let mut line = String::new();
    for column in columns {
        let cell = cell_of(column);
        line += cell.as_str();
        line += &" ".repeat(column.width.saturating_sub(cell.width()) + GAP);
    }
    line.trim_end().to_owned()
}

/// What a command of the list does.
fn about(row: &[Fact], language: Language) -> String {
    let text = |key: &str| {
        row.iter().find_map(|(of, value)| match value {
            Value::Str(text) if of == key => Some(text.as_str()),
            _ => None,
        })
    };
    let usage = text("command").unwrap_or_default();
    let words: Vec<String> = usage.split_whitespace().map(str::to_owned).collect();
    let known = administration_command(&words).filter(|_| language == Language::Chinese);
    let sentence = known.map(|(command, _)| command.about);
    sentence
        .or_else(|| text("about"))
        .unwrap_or_default()
        .to_owned()
}

/// What a refusal of a command means; `None` if its code says it all.
pub(super) fn refusal(typed: &TypedRequest, fail: &Fail, context: &Context) -> Option<String> {
    if typed.kind() != RequestKind::Admin {
        return None;
    }
    let language = context.language;
    let words = typed.order();
    let known = administration_command(&words);
    let (command, behind) = known.map_or_else(
        || (words.first().map_or("", String::as_str), &words[..]),
        |(command, behind)| (command.name, behind),
    );
    let word = |at: usize| behind.get(at).map(|word| normal_name(word));
    let (first, second) = (word(0), word(1));
    let me = context.session.me();
    let detail = |name: &str| {
        fail.detail.iter().find_map(|(key, value)| match value {
            Value::Str(text) if key == name => Some(text.as_str()),
            _ => None,
        })
    };
    let (field, owner) = (detail("field"), detail("bot_of"));
    let wider = fail.detail.iter().find(|(key, _)| key == "banned_by");
    let wider = wider.map_or_else(String::new, |(key, bans)| cell(key, bans, context));
    let is_about_me = first.as_deref().is_some_and(|name| me == Some(name));
    Some(language.say(match (code_of(fail)?, first.as_deref()) {
        (Code::BadParams, _) if field == Some("command") => {
            Text::NoAdministrationCommand { command }
        }
        (Code::BadParams, _) if matches!(field, Some("until" | "expires")) => {
            Text::AdministrationTime {
                command,
                parameter: field?,
            }
        }
        (Code::BadParams, _) if field == Some("address") => Text::AdministrationAddress { command },
        (Code::BadParams, _) => Text::AdministrationParameter {
            command,
            parameter: field?,
        },
        (Code::NotAllowed, _) if known.is_some_and(|(command, _)| !command.is_in_chat) => {
            Text::OnlyOperator { command }
        }
        (Code::NotAllowed, Some(name)) if owner.is_some() => Text::IsBotOf {
            name,
            owner: owner?,
        },
        (Code::NotAllowed, Some(_)) if is_about_me => Text::NotYourself { command },
        (Code::NotAllowed, Some(_)) if command == "ban-address" => Text::NotYourAddress,
        (Code::NotAllowed, Some(address)) if command == "unban-address" => Text::BannedByWider {
            address,
            bans: &wider,
        },
        (Code::NotAllowed, Some(room)) if command == "close-room" => Text::LobbyStays { room },
        (Code::NotAllowed, Some(room)) if command == "room-owner" => Text::NoOwnerFor { room },
        (Code::BadInvitation, _) => Text::NoSuchInvitation,
        (Code::UnknownUser, Some(name)) => Text::NoSuchUser { name },
        (Code::UnknownRoom, Some(room)) => Text::NoSuchRoom { room },
        (Code::NotAMember, Some(room)) => Text::IsNoMember {
            name: second.as_deref()?,
            room,
        },
        (Code::NameTaken, _) => Text::UserTaken {
            name: second.as_deref()?,
        },
        _ => return None,
    }))
}
