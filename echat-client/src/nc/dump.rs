//! What `-v` and `-vv` show of a connection: fields, and bytes in hex.
//!
//! ```text
//! 0.001204 > 424 bytes on the wire
//!   0000  45 43 48 32 01 02 01 00 ...                       ECH2....
//! 0.004810 > LOGIN (3)
//!   username: str "ann"
//!   password: str "******"
//! ```
//!
//! `<` came, `>` was sent; the time is in seconds since the start. What came on the wire is shown
//! as it was read, which need not be where frames begin and end.

use std::fmt::Write as _;
use std::io::Write;

use echat_proto::channel::Message;
use echat_proto::commands::channel::BATCH;
use echat_proto::json;
use echat_proto::value::Value;

use super::message;
use super::owed;
use crate::clock::Clock;
use crate::link::{Tap, Way};

/// The key of a dict whose value is secret, wherever it stands.
const SECRET: &str = "password";
const STAR: u8 = b'*';

/// Writes what goes over a link.
pub struct Dump<W> {
    level: u8,
    show_secrets: bool,
    clock: Clock,
    out: W,
}

impl<W: Write> Dump<W> {
    /// Level 0 shows nothing, 1 fields, 2 and more bytes too.
    pub fn new(level: u8, show_secrets: bool, clock: Clock, out: W) -> Self {
        Self {
            level,
            show_secrets,
            clock,
            out,
        }
    }

    fn show(&mut self, way: Way, what: &str, body: &str) {
        let arrow = if way == Way::In { '<' } else { '>' };
        let time = self.clock.now().as_secs_f64();
        // There is nobody to tell that standard error failed.
        let _ = write!(self.out, "{time:.6} {arrow} {what}\n{body}");
    }
}

impl<W: Write> Tap for Dump<W> {
    fn wire(&mut self, way: Way, bytes: &[u8]) {
        if self.level >= 2 {
            self.show(
                way,
                &format!("{} bytes on the wire", bytes.len()),
                &hex_lines(bytes),
            );
        }
    }

    fn plain(&mut self, way: Way, plain: &[u8]) {
        if self.level == 0 {
            return;
        }
        let safe = if self.show_secrets {
            plain.to_vec()
        } else {
            blotted(plain)
        };
        if self.level >= 2 {
            self.show(
                way,
                &format!("{} plain bytes", safe.len()),
                &hex_lines(&safe),
            );
        }
        match Message::decode(&safe) {
            Ok(message) => {
                let number = message.command;
                let what = format!("{} ({number})", message::name(number));
                self.show(way, &what, &fields(&message.params));
            }
            Err(error) => self.show(way, &format!("not a message: {error}"), ""),
        }
    }
}

/// One line for each entry of a dict, one for anything else.
fn fields(params: &Value) -> String {
    let mut text = String::new();
    match params {
        Value::Null => {}
        Value::Dict(entries) => {
            for (key, value) in entries {
                // A key is as treacherous as a text, and JSON escapes both.
                let key = json::to_json(&Value::from(key.as_str()));
                let key = key.trim_matches('"');
                let _ = writeln!(text, "  {key}: {} {}", value.kind(), json::to_json(value));
            }
        }
        value => {
            let _ = writeln!(text, "  {} {}", value.kind(), json::to_json(value));
        }
    }
    text
}

/// Sixteen bytes a line: where they stand, in hex, as text.
fn hex_lines(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (index, row) in bytes.chunks(16).enumerate() {
        let pairs: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown = |byte: &u8| {
            if matches!(byte, 0x20..=0x7e) {
                char::from(*byte)
            } else {
                '.'
            }
        };
        let letters: String = row.iter().map(shown).collect();
        let _ = writeln!(
            text,
            "  {:04x}  {:47}  {letters}",
            index * 16,
            pairs.join(" ")
        );
    }
    text
}

/// The plaintext with stars in the place of passwords, of the same length.
fn blotted(plain: &[u8]) -> Vec<u8> {
    let message = Message::decode(plain)
        .ok()
        .filter(|message| message.command != BATCH);
    if let Some(Message { command, params }) = message {
        let blotted = Message {
            command,
            params: blot(&params, false),
        };
        return blotted.encode().unwrap_or_default();
    }
    // A batch, or malformed, made with .frame: stars for all that may hold a password.
    let batch = plain.first_chunk() == Some(&BATCH.to_be_bytes());
    let mut bytes = plain.to_vec();
    if batch || owed::holds_password(plain) {
        bytes[4..].fill(STAR);
    }
    bytes
}

fn blot(value: &Value, secret: bool) -> Value {
    match value {
        Value::List(items) => Value::List(items.iter().map(|item| blot(item, secret)).collect()),
        Value::Dict(entries) => {
            let blot = |(key, value): &(String, Value)| {
                (
                    key.clone(),
                    blot(value, secret || key.eq_ignore_ascii_case(SECRET)),
                )
            };
            Value::Dict(entries.iter().map(blot).collect())
        }
        Value::Str(text) if secret => Value::Str("*".repeat(text.len())),
        Value::Bytes(bytes) if secret => Value::Bytes(vec![STAR; bytes.len()]),
        Value::Int(_) if secret => Value::Int(0),
        Value::Float(_) if secret => Value::Float(0.0),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nc::message::resolve;
    use crate::nc::script::parse_line;

    fn dumped(level: u8, show_secrets: bool, plain: &[u8]) -> String {
        let mut out = Vec::new();
        let mut dump = Dump::new(level, show_secrets, Clock::start(), &mut out);
        dump.wire(Way::Out, b"\x00AB\xff");
        dump.plain(Way::In, plain);
        String::from_utf8(out).unwrap()
    }

    fn plain(line: &str) -> Vec<u8> {
        resolve(&parse_line(line).unwrap())
            .unwrap()
            .encode()
            .unwrap()
    }

    #[test]
    fn the_level_says_how_much_is_shown() {
        let time = plain("SEND_SERVER_TIME 5");
        assert_eq!(dumped(0, false, &time), "");
        let fields = dumped(1, false, &time);
        assert!(
            fields.ends_with(" < SEND_SERVER_TIME (101)\n  int 5\n"),
            "{fields}"
        );
        assert_eq!(fields.lines().count(), 2);
        let bytes = dumped(2, false, &time);
        assert!(
            bytes.contains(" > 4 bytes on the wire\n  0000  00 41 42 ff "),
            "{bytes}"
        );
        assert!(bytes.contains("  .AB.\n"), "{bytes}");
        assert!(bytes.contains(" < 10 plain bytes\n  0000  00 00 00 65 01 00 00 00 01 05 "));
    }

    #[test]
    fn passwords_are_blotted_out_unless_asked_for() {
        let secret = "hunter2";
        let login = plain(&format!(
            r#"LOGIN {{"username":"ann","password":"{secret}"}}"#
        ));
        let nested = plain(&format!(r#"99 [{{"Password":[{{"a":"{secret}"}}]}}]"#));
        let malformed = [&login[..], b"\0"].concat();
        let item = u32::try_from(login.len()).unwrap().to_be_bytes();
        let batch = Message {
            command: BATCH,
            params: Value::Bytes([&item, &login[..]].concat()),
        };
        let letters = secret.as_bytes().iter().map(|byte| format!("{byte:02x}"));
        let letters = letters.collect::<Vec<_>>();
        for bytes in [login, nested, malformed, batch.encode().unwrap()] {
            let shown = dumped(2, false, &bytes);
            let squeezed: String = shown.split_whitespace().collect();
            assert!(!squeezed.contains(secret), "{shown}");
            assert!(!squeezed.contains(&letters.concat()), "{shown}");
            let hex: String = dumped(2, true, &bytes).chars().collect();
            assert!(hex.contains("68 75") || hex.contains(secret), "{hex}");
        }
    }

    #[test]
    fn blotting_keeps_every_length() {
        let login = plain(r#"LOGIN {"username":"ann","password":"hunter2"}"#);
        assert_eq!(blotted(&login).len(), login.len());
        let safe = Message::decode(&blotted(&login)).unwrap();
        assert_eq!(safe.params.at("password"), Some(&Value::from("*******")));
        assert_eq!(safe.params.at("username"), Some(&Value::from("ann")));
        assert_eq!(blotted(b"\0\0"), b"\0\0");
    }

    #[test]
    fn nothing_shown_controls_a_terminal() {
        let hostile = plain(r#"99 {"\u001b[2J":"\u009b\u202e"}"#);
        let shown = dumped(2, false, &hostile);
        assert!(
            !shown.contains(|c: char| c.is_control() && c != '\n'),
            "{shown}"
        );
        assert!(
            shown.contains(r#"  \u001b[2J: str "\u009b\u202e""#),
            "{shown}"
        );
    }
}
