//! What works without a server: the list of commands, one command explained, and messages between
//! JSON and plain bytes.

use std::fmt::{Display, Write as _};
use std::io::{BufRead, Read, Write};

use echat_proto::channel::{Channel, Incoming, Message};
use echat_proto::commands::{self, COMMANDS, CommandInfo, Direction, FieldInfo, Shape, channel};

use super::args::{self, Offline};
use super::message;
use super::rules::SessionEnd;
use super::script::{self, CommandRef};
use crate::exit::Exit;
use crate::local::lines::{MAX_LINE, TooLong, without_mark};
use crate::secret::Secret;

/// Does the work. Input is read only by `encode` and `decode` without arguments.
pub fn run(work: &Offline, input: impl BufRead, out: &mut impl Write) -> Result<(), SessionEnd> {
    match work {
        Offline::Commands => print(out, &list()),
        Offline::Describe { command } => {
            print(out, &describe(command).map_err(|error| usage(&error))?)
        }
        Offline::Encode {
            name: Some(name),
            json,
        } => print(
            out,
            &encode(name, json.clone()).map_err(|error| usage(&error))?,
        ),
        Offline::Encode { name: None, .. } => each_line(input, out, |line| encode(line, None)),
        Offline::Decode { hex } if hex.is_empty() => each_line(input, out, decode),
        Offline::Decode { hex } => {
            let hex: String = hex.iter().map(|part| &**part).collect();
            print(out, &decode(&hex).map_err(|error| usage(&error))?)
        }
    }
}

fn usage(note: &dyn Display) -> SessionEnd {
    SessionEnd::because(Exit::Usage, note)
}

fn print(out: &mut impl Write, text: &str) -> Result<(), SessionEnd> {
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| SessionEnd::output(&error))
}

/// Translates the lines of the input; empty ones and comments are passed over.
fn each_line(
    mut input: impl BufRead,
    out: &mut impl Write,
    translate: impl Fn(&str) -> Result<String, String>,
) -> Result<(), SessionEnd> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let mut limited = input.by_ref().take(MAX_LINE as u64);
        let length = limited
            .read_until(b'\n', &mut line)
            .map_err(|error| SessionEnd::output(&error))?;
        if length == 0 {
            break;
        }
        if length == MAX_LINE {
            return Err(usage(&TooLong(number)));
        }
        let line = if number == 1 {
            without_mark(&line)
        } else {
            &line
        };
        let line =
            script::text_of(line).map_err(|error| usage(&format!("line {number}: {error}")))?;
        let text = line.trim();
        if !text.is_empty() && !text.starts_with('#') {
            let translated =
                translate(text).map_err(|error| usage(&format!("line {number}: {error}")))?;
            print(out, &translated)?;
        }
    }
    Ok(())
}

fn encode(name: &str, json: Option<Secret>) -> Result<String, String> {
    let line = args::line(name, json)?;
    let message = message::resolve(&line).map_err(|error| error.to_string())?;
    let plain = message.encode().map_err(|error| error.to_string())?;
    Ok(hex::encode(plain) + "\n")
}

fn decode(hex: &str) -> Result<String, String> {
    let plain = script::parse_hex(hex).ok_or("not hexadecimal bytes")?;
    let message = Message::decode(&plain).map_err(|error| error.to_string())?;
    if message.command != channel::BATCH {
        return Ok(message::to_line(&message) + "\n");
    }
    let items = Channel::read_plain(&plain).map_err(|error| error.to_string())?;
    Ok(items
        .iter()
        .filter_map(|item| match item {
            Incoming::Message(message) => Some(message::to_line(message) + "\n"),
            _ => None,
        })
        .collect())
}

fn list() -> String {
    COMMANDS
        .iter()
        .copied()
        .flatten()
        .fold(String::new(), |mut text, info| {
            let direction = direction(info.direction);
            let _ = writeln!(text, "{:>10}  {:<24}  {direction}", info.number, info.name);
            text
        })
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Request => "request",
        Direction::Reply => "reply",
        Direction::Event => "event",
        Direction::ReplyOrEvent => "reply or event",
        Direction::Refusal => "refusal",
        Direction::Channel => "channel",
    }
}

fn describe(command: &str) -> Result<String, String> {
    let command: CommandRef = script::parse_command(command).map_err(|error| error.to_string())?;
    let number = message::number(&command).map_err(|error| error.to_string())?;
    let info =
        commands::by_number(number).ok_or_else(|| format!("there is no command {number}"))?;
    let mut text = format!(
        "{} {} ({})\n{}\n",
        info.number,
        info.name,
        direction(info.direction),
        info.about
    );
    match info.shape {
        Shape::Null => text.push_str("parameters: null\n"),
        Shape::One(field) => {
            let _ = writeln!(text, "parameters: {} ({})", field.kind, field.name);
        }
        Shape::Dict(fields) => {
            text.push_str("parameters: a dict\n");
            for FieldInfo {
                name,
                kind,
                optional,
                ..
            } in fields
            {
                let optional = if *optional { ", optional" } else { "" };
                let _ = writeln!(text, "  {name}: {kind}{optional}");
            }
        }
    }
    text.push_str(&answers(info));
    Ok(text)
}

/// What a request is answered with; nothing for other commands.
fn answers(info: &CommandInfo) -> String {
    let mut text = String::new();
    let Some(answers) = info.answers else {
        return text;
    };
    for (what, number) in [
        ("final reply", answers.reply),
        ("refused by", answers.refusal),
    ] {
        let _ = writeln!(text, "{what}: {number} {}", message::name(number));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(work: &Offline, input: &str) -> Result<String, SessionEnd> {
        let mut out = Vec::new();
        run(work, input.as_bytes(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn encoded(name: Option<&str>, json: Option<&str>, input: &str) -> Result<String, SessionEnd> {
        let (name, json) = (name.map(Secret::from), json.map(Secret::from));
        done(&Offline::Encode { name, json }, input)
    }

    fn decoded(hex: &[&str], input: &str) -> Result<String, SessionEnd> {
        let hex = hex.iter().map(|&part| part.into()).collect();
        done(&Offline::Decode { hex }, input)
    }

    #[test]
    fn every_command_is_listed_and_can_be_described() {
        let listed = done(&Offline::Commands, "").unwrap();
        assert!(
            listed.contains("         6  SEND_MESSAGE              request\n"),
            "{listed}"
        );
        for line in listed.lines() {
            let mut words = line.split_whitespace();
            let (number, name) = (words.next().unwrap(), words.next().unwrap());
            let by_name = done(
                &Offline::Describe {
                    command: name.to_owned(),
                },
                "",
            )
            .unwrap();
            assert!(
                by_name.starts_with(&format!("{number} {name} (")),
                "{by_name}"
            );
            let by_number = Offline::Describe {
                command: number.to_owned(),
            };
            assert_eq!(done(&by_number, "").unwrap(), by_name);
        }
    }

    #[test]
    fn a_description_lists_parameters_and_answers() {
        let text = done(
            &Offline::Describe {
                command: "SEND_MESSAGE".to_owned(),
            },
            "",
        )
        .unwrap();
        assert!(
            text.contains("\nparameters: a dict\n  target_type: "),
            "{text}"
        );
        assert!(
            text.contains("  txn_id: ") && text.contains(", optional\n"),
            "{text}"
        );
        assert!(
            text.ends_with(
                "final reply: 109 ON_NEW_MESSAGE\nrefused by: 203 SEND_MESSAGE_FAILURE\n"
            )
        );
        let error = done(
            &Offline::Describe {
                command: "SEND_MESAGE".to_owned(),
            },
            "",
        )
        .unwrap_err();
        assert!(error.note.unwrap().contains("SEND_MESSAGE"));
    }

    #[test]
    fn messages_go_both_ways() {
        let hex = "000000070300000001";
        assert_eq!(
            encoded(Some("JOIN_ROOM"), Some("\"a\""), "").unwrap(),
            format!("{hex}61\n")
        );
        assert_eq!(
            encoded(Some("JOIN_ROOM \"a\""), None, "").unwrap(),
            format!("{hex}61\n")
        );
        let line = "{\"command\":\"JOIN_ROOM\",\"params\":\"a\"}\n";
        assert_eq!(
            decoded(&["00000007", "03", "0000000161"], "").unwrap(),
            line
        );
        assert_eq!(
            encoded(None, None, &format!("# x\n\n{line}")).unwrap(),
            format!("{hex}61\n")
        );
        assert_eq!(
            decoded(&[], &format!("{hex}61\n{hex} 61")).unwrap(),
            line.repeat(2)
        );
        let batch = format!("ffffff05070000000e0000000a{hex}61");
        assert_eq!(decoded(&[&batch], "").unwrap(), line);
        assert_eq!(decoded(&[&batch[..20], &batch[20..]], "").unwrap(), line);
        assert!(
            decoded(&["ffffff020100000001 01"], "")
                .unwrap()
                .contains("CLOSE_NOTIFY")
        );
    }

    #[test]
    fn errors_name_their_line() {
        let error = encoded(None, None, "LIST_ROOMS\nXYZZY\n").unwrap_err();
        assert_eq!(
            (error.exit, error.note.unwrap().as_str()),
            (Exit::Usage, "line 2: unknown command XYZZY")
        );
        for bad in ["", "0", "00000001", "0000000109", "zz"] {
            assert_eq!(decoded(&[bad], "").unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }
}
