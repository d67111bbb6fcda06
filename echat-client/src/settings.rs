//! What a user may choose, after flags and configuration were read.

use zeroize::Zeroizing;

use crate::local_time::Zone;
use crate::target::Target;

/// What to do with the coming and going of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// One line each.
    Show,
    /// One line for all of a while.
    #[default]
    Collapse,
    /// Nothing.
    Hide,
}

/// The choices.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Settings {
    /// Whether there is a terminal to ask at.
    pub interactive: bool,
    /// Whether what was typed is left above the prompt; not where the terminal itself shows it.
    pub echoes: bool,
    /// Who logs in at the start.
    pub user: Option<String>,
    /// With what.
    pub password: Option<Zeroizing<String>>,
    /// The chat to open after the first login.
    pub open: Option<Target>,
    /// `HH:MM name: text` instead of the original's lines.
    pub compact: bool,
    /// One space for every run of blanks in a message: where no prompt is redrawn.
    pub folds: bool,
    /// The coming and going of others.
    pub presence: Presence,
    /// Ring on mentions and private messages.
    pub bell: bool,
    /// Notify of mentions and private messages.
    pub notify: bool,
    /// Name the chat in the window's title.
    pub title: bool,
    /// Keep unsent lines over a restart.
    pub keep_unsent: bool,
    /// Local time.
    pub zone: Zone,
    /// Begins the `txn_id` of every line of this run: random, so that no two runs share one.
    pub txn_prefix: String,
    /// Spreads the tries to connect again: random, so that no two clients come back in step.
    pub jitter_seed: u64,
    /// When to give up, in unix seconds; only without a terminal.
    pub deadline: Option<u64>,
}

impl Settings {
    /// The defaults.
    pub fn new(txn_prefix: impl Into<String>) -> Self {
        Self {
            interactive: true,
            echoes: true,
            user: None,
            password: None,
            open: None,
            compact: false,
            folds: false,
            presence: Presence::default(),
            bell: true,
            notify: false,
            title: false,
            keep_unsent: true,
            zone: Zone::utc(),
            txn_prefix: txn_prefix.into(),
            jitter_seed: 0,
            deadline: None,
        }
    }
}
