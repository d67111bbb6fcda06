//! Flags before configuration before environment before defaults.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand::RngExt;
use zeroize::Zeroizing;

use super::args::Flags;
use super::config::{self, Config};
use super::server::Server;
use super::unsent::Unsent;
use crate::address;
use crate::clock::Clock;
use crate::exit::Exit;
use crate::folders;
use crate::known_hosts::{KnownHosts, KnownHostsError};
use crate::local_time::Zone;
use crate::password::{self, PasswordError};
use crate::settings::Settings;
use crate::target::Target;
use crate::terminal::{Look, Wishes};
use crate::text::Language;

/// The server of this computer.
const ADDRESS: &str = "127.0.0.1:1024";

/// Everything that was chosen.
#[derive(Debug)]
pub(super) struct Choices {
    pub(super) settings: Settings,
    pub(super) language: Language,
    pub(super) look: Look,
    pub(super) server: Server,
    pub(super) unsent: Unsent,
    pub(super) clock: Clock,
}

/// Why nothing can begin.
pub(super) type Refusal = (Exit, String);

/// All that can be wrong with what was chosen is found here, before anything is shown.
pub(super) fn of(flags: Flags) -> Result<Choices, Refusal> {
    let variable = |name: &str| env::var_os(name);
    let config = config::load(flags.config.as_deref(), folders::config(variable))
        .map_err(|error| usage(&error))?;
    let address = flags.address.as_ref().or(config.address.as_ref());
    let address: address::Target = address
        .map_or(ADDRESS, String::as_str)
        .parse()
        .map_err(|error| usage(&format!("ADDRESS: {error}")))?;
    let clock = Clock::start();
    let interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    let wishes = Wishes {
        no_colour: flags.no_color,
        plain: flags.plain,
    };
    let seen = Look::of(variable, wishes);
    let look = if interactive {
        seen
    } else {
        Look {
            utf8: seen.utf8,
            ..Look::PLAIN
        }
    };
    let hosts = match KnownHosts::of_user(variable) {
        Ok(hosts) => Some(hosts),
        // Whoever has pinned the key needs no file.
        Err(KnownHostsError::NoPlace) if address.fingerprint.is_some() => None,
        Err(error) => return Err((Exit::Local, error.to_string())),
    };
    let language = Language::choose(flags.lang, config.language, |name| env::var(name).ok());
    let mut settings = settings(&flags, &config, &clock);
    settings.interactive = interactive;
    settings.echoes = look.redraw;
    settings.user = flags.user.clone().or(address.user).or(config.user);
    settings.password = password(flags, config.password)?;
    settings.open = address.room.map(Target::Room);
    if settings.password.is_some() && settings.user.is_none() {
        return Err(usage(&"a password without --user"));
    }
    Ok(Choices {
        settings,
        language,
        look,
        server: Server {
            address: address.address,
            pinned: address.fingerprint,
            hosts,
        },
        unsent: Unsent::new(folders::state(variable)),
        clock,
    })
}

fn settings(flags: &Flags, config: &Config, clock: &Clock) -> Settings {
    let run: u64 = rand::rng().random();
    let mut settings = Settings::new(format!("{run:016x}"));
    let or = |chosen: Option<bool>, default| chosen.unwrap_or(default);
    settings.compact = flags.compact || or(config.compact, settings.compact);
    settings.presence = config.presence.unwrap_or(settings.presence);
    settings.bell = or(config.bell, settings.bell);
    settings.notify = or(config.notify, settings.notify);
    settings.title = or(config.title, settings.title);
    settings.keep_unsent = or(config.keep_unsent, settings.keep_unsent);
    if !flags.utc && !or(config.utc, false) {
        settings.zone = local_zone();
    }
    settings.deadline = flags.timeout.map(|limit| (clock.unix() + limit).as_secs());
    settings
}

/// The zone that `TZ` or the system names.
fn local_zone() -> Zone {
    let zone = TimeZone::system();
    Zone::new(move |unix| {
        let second = i64::try_from(unix).unwrap_or(i64::MAX);
        Timestamp::from_second(second).map_or(0, |time| zone.to_offset(time).seconds().into())
    })
}

/// A password of the flags, else that of the configuration.
fn password(
    flags: Flags,
    config: Option<password::Source>,
) -> Result<Option<Zeroizing<String>>, Refusal> {
    let variable = flags.password_env.map(password::Source::Variable);
    let file = flags.password_file.map(password::Source::File);
    let command = flags.password_command.map(password::Source::Command);
    let source = variable.or(file).or(command).or(config);
    let read = source.as_ref().map(password::Source::read).transpose();
    read.map_err(|error| match error {
        PasswordError::Io(..) => (Exit::Local, error.to_string()),
        _ => usage(&error),
    })
}

fn usage(error: &dyn Display) -> Refusal {
    (Exit::Usage, error.to_string())
}
