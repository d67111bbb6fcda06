//! What a user may choose, after flags and configuration were read.

use echat_proto::config::ClientConfig;
pub use echat_proto::config::Presence;

use crate::local::local_time::Zone;
use crate::secret::Secret;
use crate::target::Target;

/// The choices.
#[derive(Debug)]
pub struct Settings {
    /// The section `client` of config.json, with what flags say instead.
    pub config: ClientConfig,
    /// Whether there is a terminal to ask at.
    pub interactive: bool,
    /// Whether what was typed is left above the prompt; not where the terminal itself shows it.
    pub echoes: bool,
    /// The user to log in at the start.
    pub user: Option<String>,
    /// With what.
    pub password: Option<Secret>,
    /// Or with the token of a bot.
    pub token: Option<Secret>,
    /// The invitation code to register with: on a terminal, without a user, echat begins with that.
    pub invitation: Option<Secret>,
    /// The chat to open after the first login. A room is joined if need be.
    pub open: Option<Target>,
    /// One space for every run of blanks in a message: where no prompt is redrawn.
    pub folds: bool,
    /// Local time.
    pub zone: Zone,
    /// Begins the `txn_id` of every line of this run: random, so that no two runs share one.
    pub txn_prefix: String,
    /// Seed of the back-off: random, so that clients do not connect again at the same moments.
    pub jitter_seed: u64,
    /// When to give up, in unix seconds; only without a terminal.
    pub deadline: Option<u64>,
}

impl Settings {
    /// The defaults.
    pub fn new(txn_prefix: impl Into<String>) -> Self {
        Self {
            config: ClientConfig::default(),
            interactive: true,
            echoes: true,
            user: None,
            password: None,
            token: None,
            invitation: None,
            open: None,
            folds: false,
            zone: Zone::utc(),
            txn_prefix: txn_prefix.into(),
            jitter_seed: 0,
            deadline: None,
        }
    }
}
