//! What `-v` and `-vv` show of a connection: fields, and bytes in hex. Here secrets are masked, for the
//! lines on standard output too.
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

use echat_proto::channel::{Channel, Incoming, Malformed, Message};
use echat_proto::commands::channel::BATCH;
use echat_proto::commands::{self, CommandInfo, Shape};
use echat_proto::json;
use echat_proto::value::Value;

use super::message;
use super::pending;
use crate::clock::Clock;
use crate::net::link::{Direction, Tap};

/// What stands for each byte of a secret.
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

    fn show(&mut self, way: Direction, what: &str, body: &str) {
        let arrow = if way == Direction::In { '<' } else { '>' };
        let time = self.clock.now().as_secs_f64();
        // A failure of standard error cannot be reported.
        let _ = write!(self.out, "{time:.6} {arrow} {what}\n{body}");
    }
}

impl<W: Write> Tap for Dump<W> {
    fn wire(&mut self, way: Direction, bytes: &[u8]) {
        if self.level >= 2 {
            self.show(
                way,
                &format!("{} bytes on the wire", bytes.len()),
                &hex_lines(bytes),
            );
        }
    }

    fn plain(&mut self, way: Direction, plain: &[u8]) {
        if self.level == 0 {
            return;
        }
        let safe = if self.show_secrets {
            plain.to_vec()
        } else {
            redacted_bytes(plain)
        };
        if self.level >= 2 {
            self.show(
                way,
                &format!("{} plain bytes", safe.len()),
                &hex_lines(&safe),
            );
        }
        match messages(&safe) {
            Ok(messages) => {
                for Message { command, params } in &messages {
                    let what = format!("{} ({command})", message::name(*command));
                    self.show(way, &what, &fields(params));
                }
            }
            Err(error) => self.show(way, &format!("not a message: {error}"), ""),
        }
    }
}

/// The messages that a plaintext holds: one, or the items of a BATCH.
fn messages(plain: &[u8]) -> Result<Vec<Message>, Malformed> {
    let message = Message::decode(plain)?;
    if message.command != BATCH {
        return Ok(vec![message]);
    }
    let items = Channel::read_plain(plain)?.into_iter();
    Ok(items
        .filter_map(|item| {
            if let Incoming::Message(item) = item {
                Some(item)
            } else {
                None
            }
        })
        .collect())
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
fn redacted_bytes(plain: &[u8]) -> Vec<u8> {
    let is_batch = plain.first_chunk() == Some(&BATCH.to_be_bytes());
    match messages(plain) {
        Ok(messages) if is_batch => redacted_batch(&messages),
        Ok(messages) => messages
            .first()
            .map(redacted_message_bytes)
            .unwrap_or_default(),
        // Malformed, made with .frame: stars for all that may hold a password.
        Err(_) if is_batch || pending::holds_secret(plain) => {
            let mut stars = plain.to_vec();
            stars[4..].fill(STAR);
            stars
        }
        Err(_) => plain.to_vec(),
    }
}

fn redacted_message_bytes(message: &Message) -> Vec<u8> {
    // Blotting changes no type and makes nothing longer.
    redacted(message).encode().unwrap_or_default()
}

/// The message with stars in the place of passwords and session secrets, of the same length.
pub(super) fn redacted(message: &Message) -> Message {
    let is_whole = is_secret_whole(message.command);
    let mut secrets = Vec::new();
    collect(&message.params, is_whole, &mut secrets);
    let params = redact_value(&message.params, is_whole);
    Message {
        command: message.command,
        params: redact_copies(params, &secrets),
    }
}

/// Adds the texts that are secret.
fn collect<'a>(value: &'a Value, secret: bool, secrets: &mut Vec<&'a str>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| collect(item, secret, secrets)),
        Value::Dict(entries) => {
            for (key, value) in entries {
                collect(value, secret || is_secret(key), secrets);
            }
        }
        Value::Str(text) if secret && !text.is_empty() => secrets.push(text),
        _ => {}
    }
}

/// Stars in the place of secrets that another text of the message repeats, as the text of ADMIN_RESULT repeats its
/// result.
fn redact_copies(value: Value, secrets: &[&str]) -> Value {
    match value {
        Value::List(items) => {
            let redacted_bytes = items.into_iter().map(|item| redact_copies(item, secrets));
            Value::List(redacted_bytes.collect())
        }
        Value::Dict(entries) => {
            let redacted_bytes = entries
                .into_iter()
                .map(|(key, value)| (key, redact_copies(value, secrets)));
            Value::Dict(redacted_bytes.collect())
        }
        Value::Str(text) => Value::Str(secrets.iter().fold(text, |text, secret| {
            text.replace(secret, &"*".repeat(secret.len()))
        })),
        other => other,
    }
}

fn redacted_batch(messages: &[Message]) -> Vec<u8> {
    let mut items = Vec::new();
    for message in messages {
        let item = redacted_message_bytes(message);
        items.extend(u32::try_from(item.len()).unwrap_or(u32::MAX).to_be_bytes());
        items.extend(item);
    }
    redacted_message_bytes(&Message {
        command: BATCH,
        params: Value::Bytes(items),
    })
}

/// Whether the value of this key is secret, wherever it stands: some command of the table says so. The name of a
/// parameter that is the whole of its message is no key.
fn is_secret(key: &str) -> bool {
    let rows = commands::COMMANDS.iter().copied().flatten();
    let dicts = rows.filter(|row| matches!(row.shape, Shape::Dict(_)));
    let mut secrets = dicts
        .flat_map(CommandInfo::fields)
        .filter(|field| field.secret);
    secrets.any(|field| key.eq_ignore_ascii_case(field.name))
}

/// Whether the whole of a message is one secret.
fn is_secret_whole(command: u32) -> bool {
    let row = commands::by_number(command);
    row.is_some_and(|row| matches!(row.shape, Shape::One(field) if field.secret))
}

fn redact_value(value: &Value, secret: bool) -> Value {
    match value {
        Value::List(items) => Value::List(
            items
                .iter()
                .map(|item| redact_value(item, secret))
                .collect(),
        ),
        Value::Dict(entries) => {
            let redact_value = |(key, value): &(String, Value)| {
                (key.clone(), redact_value(value, secret || is_secret(key)))
            };
            Value::Dict(entries.iter().map(redact_value).collect())
        }
        Value::Str(text) if secret => Value::Str("*".repeat(text.len())),
        Value::Bytes(bytes) if secret => Value::Bytes(vec![STAR; bytes.len()]),
        Value::Int(number) if secret => {
            let length = 8 - (number | 1).leading_zeros() / 8;
            Value::Int((0..length).fold(0, |stars, _| stars << 8 | u64::from(STAR)))
        }
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
        dump.wire(Direction::Out, b"\x00AB\xff");
        dump.plain(Direction::In, plain);
        String::from_utf8(out).unwrap()
    }

    fn plain(line: &str) -> Vec<u8> {
        resolve(&parse_line(line).unwrap())
            .unwrap()
            .encode()
            .unwrap()
    }

    #[test]
    fn the_verbosity_decides_what_is_shown() {
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
    fn passwords_are_redacted_by_default() {
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
    fn a_secret_is_redacted_where_another_text_repeats_it() {
        let secret = "7KQ2-M4XD-9PRT-HWEA";
        let line = format!(
            r#"ADMIN_RESULT {{"result":{{"done":"reset","password":"{secret}"}},"text":"reset\npassword: {secret}\n"}}"#
        );
        let shown = dumped(1, false, &plain(&line));
        assert!(!shown.contains("7KQ2"), "{shown}");
        assert!(shown.contains("password: *******************"), "{shown}");
        assert!(dumped(1, true, &plain(&line)).contains(secret));
    }

    #[test]
    fn session_secrets_are_redacted_in_both_directions() {
        let secret = "Zm9yIGEgdGVzdCBvZiB0aGUgZHVtcCBvbmx5Li4uLi4";
        for line in [
            format!(r#"LOGIN {{"username":"ann","resume":"{secret}"}}"#),
            format!(r#"LOGIN_BUNDLE {{"friends":["bob"],"resume":"{secret}"}}"#),
        ] {
            let bytes = plain(&line);
            let squeezed =
                |show| -> String { dumped(1, show, &bytes).split_whitespace().collect() };
            assert!(!squeezed(false).contains(secret));
            assert!(squeezed(true).contains(secret));
        }
    }

    #[test]
    fn redaction_keeps_every_length() {
        let login = plain(r#"LOGIN {"username":"ann","password":"hunter2"}"#);
        assert_eq!(redacted_bytes(&login).len(), login.len());
        let safe = Message::decode(&redacted_bytes(&login)).unwrap();
        assert_eq!(safe.params.at("password"), Some(&Value::from("*******")));
        assert_eq!(safe.params.at("username"), Some(&Value::from("ann")));
        assert_eq!(redacted_bytes(b"\0\0"), b"\0\0");
        for number in [0, 1, 255, 256, u64::MAX] {
            let login = plain(&format!("LOGIN {{\"password\":{number}}}"));
            let safe = redacted_bytes(&login);
            assert_ne!(safe, login);
            assert_eq!(safe.len(), login.len());
        }
    }

    #[test]
    fn the_items_of_a_batch_are_shown_one_by_one() {
        let item = plain("SEND_SERVER_TIME 5");
        let items = [&[0, 0, 0, 10][..], &item, &[0, 0, 0, 10], &item].concat();
        let batch = Message {
            command: BATCH,
            params: Value::Bytes(items),
        }
        .encode()
        .unwrap();
        assert_eq!(redacted_bytes(&batch), batch);
        let shown = dumped(1, false, &batch);
        assert_eq!(
            shown
                .matches(" < SEND_SERVER_TIME (101)\n  int 5\n")
                .count(),
            2,
            "{shown}"
        );
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
