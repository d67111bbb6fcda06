//! What every part of the application knows and adds to: what the modes read, the time, and the effects of the step.

use std::cell::Cell;
use std::time::Duration;

use echat_proto::records::Code;

use super::input::WorstOutcome;
use super::output::Output;
use crate::modes::{Context, error_line};
use crate::render::styled::Line;
use crate::session::Session;
use crate::session::outgoing::Outgoing;
use crate::settings::Settings;
use crate::text::{Language, Text, fail_of};

/// What every part of the application knows and adds to.
#[derive(Debug)]
pub(super) struct Common {
    /// What modes read.
    pub(super) context: Context,
    /// What the step has to do so far.
    pub(super) output: Output,
    /// The worst that happened, for the exit code.
    pub(super) verdict: WorstOutcome,
    /// The monotonic time of the last [`Input::Elapsed`](super::Input::Elapsed).
    pub(super) at: Duration,
}

impl Common {
    /// Nothing is known yet.
    pub(super) fn new(settings: Settings, language: Language) -> Self {
        Self {
            context: Context {
                session: Session::default(),
                outgoing: Outgoing::default(),
                settings,
                language,
                now: 0,
                signed_in: false,
                last_user: None,
                is_offline: true,
                line_number: None,
                shown_day: Cell::new(None),
                server: None,
            },
            output: Output::default(),
            verdict: WorstOutcome::default(),
            at: Duration::ZERO,
        }
    }

    /// Whether a person types at a terminal.
    pub(super) fn is_interactive(&self) -> bool {
        self.context.settings.interactive
    }

    /// The user of the session, if there is one.
    pub(super) fn me(&self) -> Option<String> {
        self.context.session.me().map(str::to_owned)
    }

    /// Shows lines.
    pub(super) fn print(&mut self, lines: Vec<Line>) {
        self.output.print(lines);
    }

    /// Says a sentence.
    pub(super) fn say(&mut self, text: Text<'_>) {
        let line = self.context.line(text);
        self.print(vec![line]);
    }

    /// Says what went wrong.
    pub(super) fn fail(&mut self, text: Text<'_>) {
        let line = self.context.error(text);
        self.print(vec![line]);
    }

    /// Says a refusal that the server need not be asked for.
    pub(super) fn refuse(&mut self, code: Code) {
        self.verdict.record(WorstOutcome::Refused);
        let sentence = self.context.language.refusal(&fail_of(code));
        self.print(vec![error_line(&sentence)]);
    }

    /// Commands as a sentence names them.
    pub(super) fn named(&self, commands: &[String]) -> String {
        let comma = self.context.language.say(Text::Comma);
        let commands: Vec<String> = commands.iter().map(|line| format!("`{line}`")).collect();
        commands.join(&comma)
    }
}
