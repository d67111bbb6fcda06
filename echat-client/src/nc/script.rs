//! What a line of input says.
//!
//! ```text
//! QUERY_SERVER_TIME                          a command without parameters
//! JOIN_ROOM "lobby"                          a command and its parameters, JSON
//! 7 "lobby"                                  its number in place of its name
//! {"command": "JOIN_ROOM", "params": "lobby"}    the form in which answers are shown
//! .expect JOIN_ROOM_RESULT {"success": true} wait for a message
//! .expect-close                              wait for the server to close the connection
//! .sleep 0.5                                 wait for half a second
//! .raw 00 00 00 10                           these bytes, as they are
//! .frame 00000001 00                         a sealed frame with these plain bytes
//! .quit                                      goodbye, without waiting for missing answers
//! # a comment                                (and empty lines mean nothing)
//! ```
//!
//! Nothing is looked up here: whether a command exists is decided where it is sent. No error
//! quotes parameters, since they may hold a password.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::clock::parse_seconds;
use crate::local::lines::{is_utf16, without_mark};
use crate::secret::Secret;

/// The longest time for `.sleep` and the options that take seconds: a day.
const SECONDS_MAX: Duration = Duration::from_hours(24);

/// One line of input, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptLine {
    /// Send a message.
    Send(ScriptCommand),
    /// Wait for a message with this name whose parameters have what is given (`None`: any).
    Expect(CommandRef, Option<String>),
    /// Wait for the server to close the connection.
    ExpectClose,
    /// Wait.
    Sleep(Duration),
    /// Send bytes as they are.
    Raw(Vec<u8>),
    /// Seal these bytes as a frame, whatever they mean, and send it.
    Frame(Vec<u8>),
    /// Say goodbye now.
    Quit,
}

/// A command and its parameters, as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptCommand {
    /// Which command.
    pub command: CommandRef,
    /// JSON, perhaps not well-formed; `null` if nothing was written.
    pub params: Secret,
}

/// How a line names its command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandRef {
    /// By name, perhaps of no command.
    Name(String),
    /// By number.
    Number(u32),
}

/// Why a line means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// The line is not text.
    #[error("not UTF-8")]
    NotUtf8,
    /// It is UTF-16, as some programs of Windows write.
    #[error("this is UTF-16; save it as UTF-8")]
    Utf16,
    /// An unknown word after the dot.
    #[error("unknown directive; use .expect, .expect-close, .sleep, .raw, .frame and .quit")]
    Directive,
    /// A directive without what it needs, or with more.
    #[error("usage: {0}")]
    Usage(&'static str),
    /// The first word is no name and no number.
    #[error("a line must start with a command's name or number, a dot or '#', or be a JSON object")]
    Command,
    /// An object that is not `{"command": ..., "params": ...}`.
    #[error("not {{\"command\": NAME or number, \"params\": ...}} (column {column})")]
    Object {
        /// Where reading stopped.
        column: usize,
    },
}

/// Understands one line; `None` for an empty line and a comment.
pub fn parse(line: &[u8]) -> Result<Option<ScriptLine>, ScriptError> {
    let text = text_of(line)?.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    if let Some(directive) = text.strip_prefix('.') {
        let (word, rest) = split_word(directive);
        return parse_directive(word, rest).map(Some);
    }
    parse_line(text).map(ScriptLine::Send).map(Some)
}

/// A line as text.
pub fn text_of(line: &[u8]) -> Result<&str, ScriptError> {
    if is_utf16(line) {
        return Err(ScriptError::Utf16);
    }
    str::from_utf8(line).map_err(|_| ScriptError::NotUtf8)
}

/// Understands a whole script: each statement with its line's number, from 1. The first error
/// comes with the number of its line.
pub fn parse_all(script: &[u8]) -> Result<Vec<(usize, ScriptLine)>, (usize, ScriptError)> {
    let script = without_mark(script);
    let lines = (1..).zip(script.split(|byte| *byte == b'\n'));
    lines
        .filter_map(|(number, line)| match parse(line) {
            Ok(statement) => statement.map(|statement| Ok((number, statement))),
            Err(error) => Some(Err((number, error))),
        })
        .collect()
}

/// Understands `NAME json`, `number json` or `{"command": ..., "params": ...}`.
pub fn parse_line(text: &str) -> Result<ScriptCommand, ScriptError> {
    if text.starts_with('{') {
        return parse_object(text);
    }
    let (word, params) = split_word(text);
    let params = if params.is_empty() { "null" } else { params };
    Ok(ScriptCommand {
        command: parse_command(word)?,
        params: params.into(),
    })
}

/// Reads a command's name or number.
pub fn parse_command(word: &str) -> Result<CommandRef, ScriptError> {
    if word.starts_with(|first: char| first.is_ascii_digit()) {
        return word
            .parse()
            .map(CommandRef::Number)
            .map_err(|_| ScriptError::Command);
    }
    let named = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    if word.is_empty() || !word.bytes().all(named) {
        return Err(ScriptError::Command);
    }
    Ok(CommandRef::Name(word.to_owned()))
}

/// Reads seconds of a script or an option: 0 to a day.
pub fn script_seconds(text: &str) -> Option<Duration> {
    parse_seconds(text).filter(|seconds| *seconds <= SECONDS_MAX)
}

/// Reads hexadecimal digits, with blanks between bytes or not.
pub fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.split_whitespace().collect();
    hex::decode(digits).ok()
}

fn parse_directive(word: &str, rest: &str) -> Result<ScriptLine, ScriptError> {
    let alone = |statement, usage| {
        if rest.is_empty() {
            Ok(statement)
        } else {
            Err(ScriptError::Usage(usage))
        }
    };
    let bytes = |usage| {
        parse_hex(rest)
            .filter(|bytes| !bytes.is_empty())
            .ok_or(ScriptError::Usage(usage))
    };
    match word {
        "expect" => {
            const USAGE: ScriptError = ScriptError::Usage(".expect NAME [json]");
            let (name, subset) = split_word(rest);
            let subset = (!subset.is_empty()).then(|| subset.to_owned());
            Ok(ScriptLine::Expect(
                parse_command(name).map_err(|_| USAGE)?,
                subset,
            ))
        }
        "expect-close" => alone(ScriptLine::ExpectClose, ".expect-close"),
        "sleep" => script_seconds(rest)
            .map(ScriptLine::Sleep)
            .ok_or(ScriptError::Usage(".sleep SECONDS (0 to 86400)")),
        "raw" => bytes(".raw HEX").map(ScriptLine::Raw),
        "frame" => bytes(".frame HEX").map(ScriptLine::Frame),
        "quit" => alone(ScriptLine::Quit, ".quit"),
        _ => Err(ScriptError::Directive),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object<'a> {
    command: WrittenCommand,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenCommand {
    Number(u32),
    Name(String),
}

fn parse_object(text: &str) -> Result<ScriptCommand, ScriptError> {
    // serde's own message may quote what it read.
    let object: Object<'_> = serde_json::from_str(text).map_err(|error| ScriptError::Object {
        column: error.column(),
    })?;
    let command = match object.command {
        WrittenCommand::Number(number) => CommandRef::Number(number),
        WrittenCommand::Name(name) => parse_command(&name)?,
    };
    let params = object.params.map_or("null", RawValue::get).into();
    Ok(ScriptCommand { command, params })
}

/// The first word and what follows it, without the blanks between.
fn split_word(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests;
