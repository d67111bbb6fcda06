//! The server's own terminal: a line is a command of the administration, and its answer is text.

use crate::clock::Now;
use crate::engine::{
    AdminAnswer, AdminRefusal, AdminTask, Engine, Fatal, PendingOperation, RawArguments,
};
use crate::escape::escape;
use echat_proto::Value;

/// The answer to a typed line.
#[derive(Debug)]
pub enum Response {
    /// Text to print, with its newline.
    Text(String),
    /// This has to be done first.
    Task(AdminTask, Box<PendingOperation>),
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
    let arguments = RawArguments::Words(words.collect());
    let answer = engine.administer(None, &command, arguments, now)?;
    Ok(response(answer, &command))
}

/// An answer as it is printed.
pub fn response(answer: AdminAnswer, command: &str) -> Response {
    match answer {
        AdminAnswer::Done(report) => Response::Text(report.text()),
        AdminAnswer::Task(task, operation) => Response::Task(task, operation),
        AdminAnswer::Refused(refused) => Response::Text(refusal(&refused, command)),
    }
}

/// The line that refuses a command.
pub fn refusal(refused: &AdminRefusal, command: &str) -> String {
    let AdminRefusal {
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
