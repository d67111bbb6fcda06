//! Query mode: questions to the server.

use super::{Act, Context, Mode, ReadLine, read};
use crate::statement::Scope;

/// Query mode.
#[derive(Debug)]
pub(super) struct QueryMode;

impl Mode for QueryMode {
    fn scope(&self) -> Option<Scope> {
        Some(Scope::Query)
    }

    fn prompt(&self, _: &Context) -> String {
        "query".to_owned()
    }

    fn history(&self) -> Option<&'static str> {
        Some("query")
    }

    fn submit(&mut self, line: &str, context: &Context) -> Vec<Act> {
        match read(Scope::Query, line, None, context) {
            ReadLine::Statement(_) => Vec::new(),
            ReadLine::Done(acts) => acts,
        }
    }
}
