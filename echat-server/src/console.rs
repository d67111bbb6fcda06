//! The server's own terminal: a line is a command of the administration, and its answer is text.

use crate::clock::Now;
use crate::engine::{
    AdministrationAnswer, AdministrationTask as Task, Applied, Engine, Fatal, Refused,
};
use crate::escape::escape;
use echat_proto::Value;

/// The answer to a typed line.
#[derive(Debug)]
pub enum Response {
    /// Text to print, with its newline.
    Text(String),
    /// First this has to be done.
    Task(Task, Box<Applied>),
}

/// Carries out the command of a typed line.
///
/// # Errors
/// The database failed, which ends the server.
pub fn run(engine: &mut Engine, line: &str, now: Now) -> Result<Response, Fatal> {
    let mut words = line.split_whitespace().map(str::to_owned);
    let Some(command) = words.next() else {
        return Ok(Response::Text(String::new()));
    };
    let answer = engine.administer(None, &command, Ok(words.collect()), now)?;
    Ok(response(answer, &command))
}

/// An answer as it is printed.
pub fn response(answer: AdministrationAnswer, command: &str) -> Response {
    match answer {
        AdministrationAnswer::Done(report) => Response::Text(report.text()),
        AdministrationAnswer::Task(task, order) => Response::Task(task, order),
        AdministrationAnswer::Refused(refused) => Response::Text(refusal(&refused, command)),
    }
}

/// The line that refuses a command.
pub fn refusal(refused: &Refused, command: &str) -> String {
    let Refused {
        code,
        message,
        detail,
    } = refused;
    let field = ("field".to_owned(), Value::Str("command".to_owned()));
    if detail.contains(&field) {
        return format!("{}: unknown command; try help\n", escape(command));
    }
    format!("{}: {} ({code})\n", escape(command), escape(message))
}
