//! config.json: every setting has a default, every mistake is refused by the path of its key.
//!
//! The file is one object with the sections `server`, read here, and `client`, of which the
//! server only checks that the keys are known. `--print-default-config` writes it with every
//! default spelt out. [`load`] says which file is read and what overrides it.

mod error;
mod limits;
mod listen;
mod load;
mod log_filter;
mod section;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use echat_proto::config::CLIENT_KEYS;
use serde::Serialize;

pub use self::error::{ConfigError, Fault, Reason};
pub use self::limits::{Limits, MESSAGE_OVERHEAD};
pub use self::listen::Listen;
pub use self::load::{Loaded, MAX_FILE_BYTES, Overrides, load};
pub use self::log_filter::{BadLogFilter, LogFilter};
use self::section::{Node, Section};

/// What `sessions_per_user` may be.
const SESSIONS: RangeInclusive<usize> = 1..=64;

/// What one server is told: the section `server`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Config {
    /// The addresses to listen on; default 127.0.0.1:1024.
    pub listen: Listen,
    /// The folder for everything a running server owns; default `data`. A relative one is taken
    /// from the current directory, not from the folder of config.json.
    pub data: PathBuf,
    /// What to log; default `info`.
    pub log: LogFilter,
    /// Connections one user may be logged in at, up to 64; default 1: a further login takes over
    /// the oldest.
    pub sessions_per_user: NonZeroUsize,
    /// The bounds on what clients may do.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Listen::default(),
            data: PathBuf::from("data"),
            log: LogFilter::default(),
            sessions_per_user: NonZeroUsize::MIN,
            limits: Limits::default(),
        }
    }
}

impl Config {
    fn read(node: Node) -> Result<Self, Fault> {
        let mut root = Section::root(node)?;
        let mut server = root.section("server")?;
        let defaults = Self::default();
        let config = Self {
            listen: read_listen(&mut server)?.unwrap_or(defaults.listen),
            data: server.text("data", parse_data)?.unwrap_or(defaults.data),
            log: server
                .text("log", |text| {
                    LogFilter::parse(text).map_err(|bad| bad.to_string())
                })?
                .unwrap_or(defaults.log),
            sessions_per_user: server
                .number("sessions_per_user", &SESSIONS)?
                .and_then(NonZeroUsize::new)
                .unwrap_or(defaults.sessions_per_user),
            limits: Limits::read(server.section("limits")?)?,
        };
        server.finish()?;
        let mut client = root.section("client")?;
        for key in CLIENT_KEYS {
            client.skip(key);
        }
        client.finish()?;
        root.finish()?;
        Ok(config)
    }
}

fn read_listen(server: &mut Section) -> Result<Option<Listen>, Fault> {
    let addresses = server.texts("listen", parse_listen)?;
    let listen = addresses.map(Listen::new).transpose();
    listen.map_err(|why| server.fault("listen", Reason::Invalid(why)))
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let found = error::quoted(text);
        format!("must be an IP address and port, such as 127.0.0.1:1024 or [::]:1024, not {found}")
    })
}

fn parse_data(text: &str) -> Result<PathBuf, String> {
    // A path with NUL in it would be refused by every call, with a message that names no key.
    if text.is_empty() || text.contains('\0') {
        return Err(format!(
            "must be the path of a folder, not {}",
            error::quoted(text)
        ));
    }
    Ok(PathBuf::from(text))
}

/// The whole of config.json, for printing.
#[derive(Serialize)]
struct File {
    server: Config,
    client: ClientSection,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
struct ClientSection {
    address: String,
    language: &'static str,
    compact: bool,
    presence: &'static str,
    bell: bool,
    notify: bool,
    title: bool,
    keep_unsent: bool,
    utc: bool,
}

/// config.json with every default spelt out, ending in a newline.
///
/// # Errors
/// None in practice: the defaults are all JSON.
pub fn default_json() -> serde_json::Result<String> {
    let server = Config::default();
    let client = ClientSection {
        address: server.listen.addresses()[0].to_string(),
        language: "auto",
        compact: false,
        presence: "collapse",
        bell: true,
        notify: false,
        title: false,
        keep_unsent: true,
        utc: false,
    };
    let mut text = serde_json::to_string_pretty(&File { server, client })?;
    text.push('\n');
    Ok(text)
}
