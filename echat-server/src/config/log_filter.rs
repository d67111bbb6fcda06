//! Which events are logged.

use echat_proto::config::{nearest, quoted};
use thiserror::Error;
use tracing_subscriber::EnvFilter;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A log filter that is known to parse: a level (`info`), or levels by module
/// (`warn,echat_server::storage=debug`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

/// A text that is not a log filter.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum BadLogFilter {
    /// Nothing in it.
    #[error("must not be empty; {} logs nothing", quoted("off"))]
    Empty,
    /// A bare word that is no level. The filter's own parser would take it for a module's name,
    /// and log nothing.
    #[error("{word} is not a log level; {hint}")]
    NotALevel {
        /// The word, quoted.
        word: String,
        /// What to write instead.
        hint: String,
    },
    /// A directive that does not parse.
    #[error("{directive} is not a log filter; write level or module=level")]
    Directive {
        /// The directive, quoted.
        directive: String,
    },
}

impl LogFilter {
    /// Checks `text`.
    ///
    /// # Errors
    /// An empty text, a misspelt level, a directive that does not parse.
    pub fn parse(text: &str) -> Result<Self, BadLogFilter> {
        if text.split(',').all(str::is_empty) {
            return Err(BadLogFilter::Empty);
        }
        text.split(',')
            .filter(|directive| !directive.is_empty())
            .try_for_each(check)?;
        Ok(Self(text.to_owned()))
    }

    /// The filter as it was written.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The filter as `tracing` wants it.
    pub fn to_env_filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

fn check(directive: &str) -> Result<(), BadLogFilter> {
    let bare = !directive.contains(['=', '[']);
    if bare
        && !LEVELS
            .iter()
            .any(|level| level.eq_ignore_ascii_case(directive))
    {
        let hint = match nearest(&directive.to_ascii_lowercase(), &LEVELS) {
            Some(level) => format!("did you mean \"{level}\"?"),
            None => format!("known: {}", LEVELS.join(", ")),
        };
        return Err(BadLogFilter::NotALevel {
            word: quoted(directive),
            hint,
        });
    }
    // The filter's own parser takes a module without a level for all that the module logs.
    let has_level = !directive.ends_with('=');
    match EnvFilter::try_new(directive) {
        Ok(_) if has_level => Ok(()),
        _ => Err(BadLogFilter::Directive {
            directive: quoted(directive),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        LogFilter::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn levels_and_directives_parse() {
        for text in [
            "info",
            "OFF",
            "warn,echat_server::storage=debug",
            "[tick]=trace",
            "info,",
        ] {
            assert_eq!(LogFilter::parse(text), Ok(LogFilter(text.to_owned())));
        }
    }

    #[test]
    fn a_filter_that_would_log_nothing_unasked_is_refused() {
        assert_eq!(refusal(""), "must not be empty; \"off\" logs nothing");
        assert_eq!(refusal(","), "must not be empty; \"off\" logs nothing");
        assert_eq!(
            refusal("inof"),
            "\"inof\" is not a log level; did you mean \"info\"?"
        );
        assert_eq!(
            refusal("warn,loud"),
            "\"loud\" is not a log level; known: off, error, warn, info, debug, trace"
        );
        assert_eq!(
            refusal("echat_server="),
            "\"echat_server=\" is not a log filter; write level or module=level"
        );
        assert_eq!(
            refusal("echat_server=inof"),
            "\"echat_server=inof\" is not a log filter; write level or module=level"
        );
    }
}
