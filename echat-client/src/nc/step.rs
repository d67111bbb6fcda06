//! Statements with everything looked up: what a session does, one after the other.

use std::time::Duration;

use echat_proto::json;
use echat_proto::limits::FRAME_AFTER_LOGIN;

use super::expectation::Expect;
use super::login_sequence::LoginSequence;
use super::message::{self, MessageError};
use super::script::ScriptLine;
use crate::secret::SecretBytes;

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum ScriptStep {
    /// Send a message, within the limits of the protocol; the number of the line that says so.
    Send(SecretBytes, usize),
    /// Send the requests of a login, and go on when the session is open.
    LogIn(Box<LoginSequence>),
    /// Send a frame with this plaintext, whatever it is.
    Frame(SecretBytes),
    /// Send bytes that are no frame.
    Raw(Vec<u8>),
    /// Wait for a message.
    Expect(Expect),
    /// Wait for the end of the connection; the number of the line that says so.
    ExpectClose(usize),
    /// Wait.
    Sleep(Duration),
    /// Say goodbye.
    Quit,
}

impl ScriptStep {
    /// Bytes that it keeps in memory: those that it sends, or the parameters that it waits for.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Send(plain, _) | Self::Frame(plain) => plain.len(),
            Self::Raw(bytes) => bytes.len(),
            Self::Expect(expect) => expect.bytes(),
            _ => 0,
        }
    }
}

/// Why a statement cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The command or its parameters.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The message is longer than a frame may be, before and after a login.
    #[error("the message has {0} bytes; the limit is {FRAME_AFTER_LOGIN}, except with .frame")]
    TooLong(usize),
    /// It needs a channel, and there is none.
    #[error("without a handshake, only .raw, .sleep, .expect-close and .quit are available")]
    NoChannel,
}

/// Looks up what `statement`, in line number `line`, means. Without a handshake (`raw`) there
/// are no messages.
pub fn compile(statement: ScriptLine, line: usize, raw: bool) -> Result<ScriptStep, StepError> {
    let needs_channel = matches!(
        statement,
        ScriptLine::Send(_) | ScriptLine::Expect(..) | ScriptLine::Frame(_)
    );
    if raw && needs_channel {
        return Err(StepError::NoChannel);
    }
    Ok(match statement {
        ScriptLine::Send(written) => match message::plain(message::resolve(&written)?)? {
            long if long.len() > FRAME_AFTER_LOGIN => return Err(StepError::TooLong(long.len())),
            plain => ScriptStep::Send(plain, line),
        },
        ScriptLine::Expect(command, subset) => {
            let number = message::number(&command)?;
            let subset = subset.map(|text| json::from_json(&text)).transpose();
            ScriptStep::Expect(Expect {
                number,
                subset: subset.map_err(MessageError::from)?,
                line,
            })
        }
        ScriptLine::ExpectClose => ScriptStep::ExpectClose(line),
        ScriptLine::Sleep(time) => ScriptStep::Sleep(time),
        ScriptLine::Raw(bytes) => ScriptStep::Raw(bytes),
        ScriptLine::Frame(plain) => ScriptStep::Frame(plain.into()),
        ScriptLine::Quit => ScriptStep::Quit,
    })
}

#[cfg(test)]
mod tests {
    use echat_proto::value::Value;

    use super::*;
    use crate::nc::script;

    fn compiled(line: &str, raw: bool) -> Result<ScriptStep, StepError> {
        compile(script::parse(line.as_bytes()).unwrap().unwrap(), 7, raw)
    }

    #[test]
    fn statements_are_looked_up() {
        let time = vec![0, 0, 0, 1, 0];
        assert_eq!(
            compiled("QUERY_SERVER_TIME", false).unwrap(),
            ScriptStep::Send(time.into(), 7)
        );
        let ScriptStep::Expect(expect) = compiled(".expect 101 5", false).unwrap() else {
            panic!("no expectation");
        };
        assert_eq!(
            expect,
            Expect {
                number: 101,
                subset: Some(Value::Int(5)),
                line: 7
            }
        );
        assert_eq!(
            compiled(".frame 00", false).unwrap(),
            ScriptStep::Frame(vec![0].into())
        );
    }

    #[test]
    fn a_message_that_cannot_be_encoded_is_refused() {
        let deep = format!("FIND {}0{}", "[".repeat(8), "]".repeat(8));
        for line in [
            "FINDD {}",
            "FIND {",
            "FIND {\"\":1}",
            "FIND -1",
            ".expect X",
            &deep,
        ] {
            assert!(
                matches!(compiled(line, false), Err(StepError::Message(_))),
                "{line}"
            );
        }
    }

    #[test]
    fn a_message_is_no_longer_than_a_frame() {
        let text = |bytes: usize| format!("FIND {:?}", "a".repeat(bytes));
        // The command, and the kind and the length of its text.
        let Ok(ScriptStep::Send(plain, 7)) = compiled(&text(65_500), false) else {
            panic!("it fits");
        };
        let most = 65_500 + FRAME_AFTER_LOGIN - plain.len();
        assert!(compiled(&text(most), false).is_ok());
        let longer = compiled(&text(most + 1), false);
        assert!(
            matches!(longer, Err(StepError::TooLong(65_537))),
            "{longer:?}"
        );
    }

    #[test]
    fn a_raw_connection_has_no_messages() {
        for line in ["FIND {}", ".frame 00", ".expect FOUND"] {
            assert!(
                matches!(compiled(line, true), Err(StepError::NoChannel)),
                "{line}"
            );
        }
        assert_eq!(compiled(".raw 00", true).unwrap(), ScriptStep::Raw(vec![0]));
    }
}
