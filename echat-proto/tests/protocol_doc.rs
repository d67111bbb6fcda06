//! PROTOCOL.md lists what the table of commands declares. `ECHAT_UPDATE=1` rewrites the lists:
//! `ECHAT_UPDATE=1 cargo test -p echat-proto --test protocol_doc`

use std::fmt::Write;
use std::fs;
use std::path::Path;

use echat_proto::code::Code;
use echat_proto::commands::{
    Answers, COMMANDS, CommandInfo, Direction, FieldInfo, SessionEffect, Shape,
};
use echat_testkit::generated;

#[test]
fn the_lists_of_the_document_are_those_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../PROTOCOL.md");
    let text = fs::read_to_string(&path).expect("PROTOCOL.md");
    let fresh = put(&text, "commands", &commands());
    let fresh = put(&fresh, "codes", &codes());
    generated::check(&path, &fresh);
}

/// Puts a list between its two markers.
fn put(text: &str, name: &str, list: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    generated::put(text, &begin, &end, list)
}

fn commands() -> String {
    let mut list = String::new();
    for (title, directions) in [
        ("Requests", &[Direction::Request][..]),
        (
            "Replies and events",
            &[Direction::Reply, Direction::Event, Direction::ReplyOrEvent],
        ),
        ("Refusals", &[Direction::Refusal]),
        ("Channel commands", &[Direction::Channel]),
    ] {
        let requests = directions == [Direction::Request];
        let mut rows: Vec<_> = COMMANDS
            .iter()
            .copied()
            .flatten()
            .filter(|row| directions.contains(&row.direction))
            .collect();
        rows.sort_by_key(|row| row.number);
        let (head, rule) = if requests {
            (" reply | refusal | session |", " --- | --- | --- |")
        } else {
            (" sent as |", " --- |")
        };
        writeln!(
            list,
            "**{title}**\n\n| n | name | parameters |{head} what for |"
        )
        .expect("text");
        writeln!(list, "| --- | --- | --- |{rule} --- |").expect("text");
        for row in rows {
            writeln!(list, "{}", line(row)).expect("text");
        }
        list.push('\n');
    }
    list.truncate(list.trim_end().len());
    list.push('\n');
    list
}

fn line(row: &CommandInfo) -> String {
    let number = match row.direction {
        Direction::Channel => format!("{:#010X}", row.number).replace("0X", "0x"),
        _ => row.number.to_string(),
    };
    let sent = row
        .answers
        .map_or_else(|| direction(row.direction).to_owned(), answers);
    let shape = shape(row.shape);
    format!(
        "| {number} | {} | {shape} | {sent} | {} |",
        row.name, row.about
    )
}

/// Reply, refusals and the other policies of a request.
fn answers(answers: Answers) -> String {
    let mut refusals = answers.refusal.to_string();
    for (code, number) in answers.own_refusals {
        write!(refusals, ", {code}: {number}").expect("text");
    }
    let reply = if answers.paged { " (page)" } else { "" };
    let session = match answers.session {
        SessionEffect::Keeps => "",
        SessionEffect::Begins => "begins",
        SessionEffect::Ends => "ends",
    };
    format!("{}{reply} | {refusals} | {session}", answers.reply)
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Request => "request",
        Direction::Reply => "reply",
        Direction::Event => "event",
        Direction::ReplyOrEvent => "reply or event",
        Direction::Refusal => "refusal",
        Direction::Channel => "both ways",
    }
}

fn shape(shape: Shape) -> String {
    match shape {
        Shape::Null => "null".to_owned(),
        Shape::One(field) => field.kind.to_owned(),
        Shape::Dict(fields) => {
            let fields: Vec<String> = fields.iter().map(parameter).collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

fn parameter(field: &FieldInfo) -> String {
    let optional = if field.optional { "?" } else { "" };
    let secret = if field.secret { " (secret)" } else { "" };
    format!("{}{optional}: {}{secret}", field.name, field.kind)
}

fn codes() -> String {
    let mut list = "| code | message |\n| --- | --- |\n".to_owned();
    for code in Code::ALL {
        writeln!(list, "| {} | {} |", code.as_str(), code.message()).expect("text");
    }
    list
}
