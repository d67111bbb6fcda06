//! Commands by name and number, and messages as lines.

use echat_proto::channel::Message;
use echat_proto::codec::EncodeError;
use echat_proto::commands::{self, COMMANDS};
use echat_proto::json::{self, JsonError};
use echat_proto::value::Value;
use zeroize::{Zeroize, Zeroizing};

use super::script::{CommandRef, ScriptCommand};
use crate::secret::SecretBytes;

/// How alike an unknown name and its suggestion must be (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.8;

/// Why a line is no message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// There is no command of this name.
    #[error("unknown command {name}{}", suggestion(*.nearest))]
    Unknown {
        /// The name.
        name: String,
        /// A similar one.
        nearest: Option<&'static str>,
    },
    /// The parameters are no value.
    #[error("parameters: {0}")]
    Json(#[from] JsonError),
    /// The parameters have no wire form.
    #[error("parameters: {0}")]
    Encode(#[from] EncodeError),
}

/// The number of a command. Any number is taken: the server shall see unknown ones too.
pub fn number(command: &CommandRef) -> Result<u32, MessageError> {
    match command {
        CommandRef::Number(number) => Ok(*number),
        CommandRef::Name(name) => match commands::by_name(name) {
            Some(info) => Ok(info.number),
            None => Err(MessageError::Unknown {
                name: name.clone(),
                nearest: nearest(name),
            }),
        },
    }
}

/// The message that a line says.
pub fn resolve(line: &ScriptCommand) -> Result<Message, MessageError> {
    let command = number(&line.command)?;
    Ok(Message {
        command,
        params: json::from_json(&line.params)?,
    })
}

/// A command's name, or its number if it has none.
pub fn name(number: u32) -> String {
    commands::by_number(number).map_or_else(|| number.to_string(), |info| info.name.to_owned())
}

/// `{"command": NAME or number, "params": ...}`; nothing in it controls a terminal.
pub fn to_line(message: &Message) -> String {
    let command = match commands::by_number(message.command) {
        Some(info) => Value::from(info.name),
        None => Value::Int(message.command.into()),
    };
    // It may hold a token.
    let (command, params) = (
        json::to_json(&command),
        Zeroizing::new(json::to_json(&message.params)),
    );
    format!("{{\"command\":{command},\"params\":{}}}", *params)
}

/// `{"event": NAME, "params": ...}`: what echat-nc itself has to say, never the server.
pub fn event_line(name: &str, params: &Value) -> String {
    let (name, params) = (json::to_json(&Value::from(name)), json::to_json(params));
    format!("{{\"event\":{name},\"params\":{params}}}")
}

fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    COMMANDS
        .iter()
        .copied()
        .flatten()
        .map(|info| (strsim::jaro_winkler(info.name, &name), info.name))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, nearest)| nearest)
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; do you mean {name}?"))
}

/// The plain bytes of a message, which may be a LOGIN: its parameters are wiped.
pub(super) fn plain(mut message: Message) -> Result<SecretBytes, MessageError> {
    let plain = message.encode();
    message.params.zeroize();
    Ok(plain?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nc::script::parse_line;

    fn resolved(line: &str) -> Result<Message, MessageError> {
        resolve(&parse_line(line).unwrap())
    }

    #[test]
    fn a_line_becomes_a_message_and_a_line_again() {
        for (line, same) in [
            ("JOIN_ROOM \"a\"", r#"{"command":"JOIN_ROOM","params":"a"}"#),
            ("7 \"a\"", r#"{"command":"JOIN_ROOM","params":"a"}"#),
            ("77777", r#"{"command":77777,"params":null}"#),
            ("CLOSE_NOTIFY 1", r#"{"command":"CLOSE_NOTIFY","params":1}"#),
            (
                r#"SEND_MESSAGE {"content":{"$bytes":"00ff"},"n":1.0}"#,
                r#"{"command":"SEND_MESSAGE","params":{"content":{"$bytes":"00ff"},"n":1.0}}"#,
            ),
        ] {
            let message = resolved(line).unwrap();
            assert_eq!(to_line(&message), same);
            assert_eq!(resolved(same).unwrap(), message);
        }
    }

    #[test]
    fn nothing_in_a_line_controls_a_terminal() {
        let params = Value::from("\u{1b}[2J\u{9b}\u{202e}");
        let line = to_line(&Message {
            command: 109,
            params,
        });
        assert_eq!(
            line,
            r#"{"command":"ON_NEW_MESSAGE","params":"\u001b[2J\u009b\u202e"}"#
        );
    }

    #[test]
    fn a_mistyped_name_gets_a_suggestion() {
        let error = resolved("send_mesage {}").unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown command send_mesage; do you mean SEND_MESSAGE?"
        );
        let error = resolved("XYZZY").unwrap_err().to_string();
        assert_eq!(error, "unknown command XYZZY");
        assert!(matches!(resolved("LOGIN {"), Err(MessageError::Json(_))));
    }
}
