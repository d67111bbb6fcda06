//! What the program does, from the command line, the environment and config.json. A flag wins over the
//! environment, the environment over the file, the file over the default; the language and the time zone of
//! the environment only stand in for what neither a flag nor the file says.

use std::env;
use std::io::{self, IsTerminal, Write};

use echat_proto::config::{ClientConfig, LanguageSetting};
use echat_proto::names::InvitationCode;
use rand::RngExt;

use super::args::Flags;
use super::config::{self, ConfigError};
use super::devices::Devices;
use super::fault::LocalizedError;
use super::server::KnownServer;
use super::unsent::Unsent;
use crate::clock::Clock;
use crate::exit::Exit;
use crate::local::folders;
use crate::local::local_time::Zone;
use crate::local::password::{self, PasswordError};
use crate::net::address::{self, AddressError};
use crate::net::known_hosts::{KnownHosts, KnownHostsError};
use crate::render::safe::Safe;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::target::Target;
use crate::terminal::{Appearance, AppearanceOptions, Encoded, notification_for};
use crate::text::{Language, Text};

/// Everything that was chosen.
#[derive(Debug)]
pub(super) struct Choices {
    pub(super) settings: Settings,
    pub(super) language: Language,
    pub(super) look: Appearance,
    pub(super) server: KnownServer,
    pub(super) unsent: Unsent,
    pub(super) devices: Devices,
    pub(super) clock: Clock,
}

/// Why nothing can begin, in the user's language.
pub(super) type Refusal = (Exit, String);

/// All that can be wrong with what was chosen is found here, before anything is shown.
pub(super) fn of(flags: Flags) -> Result<Choices, Refusal> {
    let variable = |name: &str| env::var_os(name);
    let clock = Clock::start();
    let interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    let wishes = AppearanceOptions {
        no_colour: flags.no_color,
        plain: flags.plain,
    };
    let seen = Appearance::of(variable, wishes);
    let speaks = |config| language(flags.lang, config, seen);
    let (config, ignored) = config::load(flags.config.as_deref(), folders::config(variable))
        .map_err(|error| refusal(Exit::Usage, &error, speaks(LanguageSetting::Auto)))?;
    let language = speaks(config.chosen.language);
    if let Some(error) = ignored {
        warn_about_ignored(&error, language);
    }
    let is_from_here = flags.address.is_none() && config.is_address_from_here;
    let wrong = |exit, fault: &dyn LocalizedError| refusal(exit, fault, language);
    let config = config.chosen;
    let address: address::LinkTarget = flags
        .address
        .as_ref()
        .unwrap_or(&config.address)
        .parse()
        .map_err(|error: AddressError| wrong(Exit::Usage, &error))?;
    let look = if interactive {
        Appearance {
            notify: notification_for(config.notify, variable),
            ..seen
        }
    } else {
        Appearance {
            utf8: seen.utf8,
            ..Appearance::PLAIN
        }
    };
    let hosts = match KnownHosts::of_user(variable) {
        Ok(hosts) => Some(hosts),
        // A pinned key needs no file.
        Err(KnownHostsError::NoPlace) if address.fingerprint.is_some() => None,
        Err(error) => return Err(wrong(Exit::Local, &error)),
    };
    let mut settings = settings(&flags, config, &clock);
    settings.interactive = interactive;
    settings.deadline = settings.deadline.filter(|_| !interactive);
    settings.echoes = look.redraw;
    settings.folds = !look.redraw;
    let user = settings.config.user.take().filter(|user| !user.is_empty());
    let invited = address.invitation.as_ref().and_then(InvitationCode::key);
    settings.invitation = flags.invitation.clone().or(invited.map(Secret::from));
    settings.user = flags.user.clone().or(address.user).or(user);
    take_secret(flags, &mut settings, language)?;
    settings.open = address.room.map(Target::Room);
    Ok(Choices {
        settings,
        language,
        look,
        server: KnownServer {
            address: address.address,
            pinned: address.fingerprint,
            hosts,
            is_from_here,
        },
        unsent: Unsent::new(folders::state(variable)),
        devices: Devices::new(folders::state(variable)),
        clock,
    })
}

/// Says that a file which was not named is not used, and why.
fn warn_about_ignored(error: &ConfigError, language: Language) {
    let why = &error.localized(language);
    let note = language.say(Text::ConfigIgnored { why });
    // Without standard error there is nothing to tell it by.
    let note = format!("echat: {}\n", Safe::text(&note));
    let _ = Encoded::new(io::stderr()).write_all(note.as_bytes());
}

fn settings(flags: &Flags, mut config: ClientConfig, clock: &Clock) -> Settings {
    let run: u64 = rand::rng().random();
    let mut settings = Settings::new(format!("{run:016x}"));
    settings.jitter_seed = rand::rng().random();
    config.compact |= flags.compact;
    config.utc |= flags.utc;
    if !config.utc {
        settings.zone = Zone::system();
    }
    settings.config = config;
    let ends = |limit| clock.unix().saturating_add(limit).as_secs();
    settings.deadline = flags.timeout.map(ends);
    settings
}

/// The token or the password to log in with, for which there must be a user.
fn take_secret(flags: Flags, settings: &mut Settings, language: Language) -> Result<(), Refusal> {
    settings.token = token(&flags, language)?;
    if settings.token.is_none() {
        settings.password = password(flags, &mut settings.config, language)?;
    }
    let has_secret = settings.password.is_some() || settings.token.is_some();
    if has_secret && settings.user.is_none() {
        return Err((Exit::Usage, language.say(Text::NoUser)));
    }
    Ok(())
}

/// A password of the flags, else that of the configuration.
fn password(
    flags: Flags,
    config: &mut ClientConfig,
    language: Language,
) -> Result<Option<Secret>, Refusal> {
    let variable = flags.password_env.map(password::PasswordSource::Variable);
    let file = flags.password_file.map(password::PasswordSource::File);
    let command = flags
        .password_command
        .map(password::PasswordSource::Command);
    let config_file = config.password_file.take();
    let config_file = config_file.map(|path| password::PasswordSource::File(path.into()));
    let config_command = config
        .password_command
        .take()
        .map(password::PasswordSource::Command);
    let source = variable
        .or(file)
        .or(command)
        .or(config_file)
        .or(config_command);
    read(source.as_ref(), language)
}

/// The token of a bot, if a flag names its file.
fn token(flags: &Flags, language: Language) -> Result<Option<Secret>, Refusal> {
    let source = flags
        .token_file
        .clone()
        .map(password::PasswordSource::Token);
    read(source.as_ref(), language)
}

fn read(
    source: Option<&password::PasswordSource>,
    language: Language,
) -> Result<Option<Secret>, Refusal> {
    let read = source.map(password::PasswordSource::read).transpose();
    read.map_err(|error| {
        let exit = match error {
            PasswordError::Io(..) => Exit::Local,
            _ => Exit::Usage,
        };
        refusal(exit, &error, language)
    })
}

/// A language that can be read: where only ASCII can be shown, that is English.
fn language(flag: Option<Language>, config: LanguageSetting, seen: Appearance) -> Language {
    let config = match config {
        LanguageSetting::Auto => None,
        LanguageSetting::En => Some(Language::English),
        LanguageSetting::Zh => Some(Language::Chinese),
    };
    if seen.utf8 {
        Language::choose(flag, config, |name| env::var(name).ok())
    } else {
        Language::English
    }
}

fn refusal(exit: Exit, fault: &dyn LocalizedError, language: Language) -> Refusal {
    (exit, fault.localized(language))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn a_timeout_beyond_the_end_of_time_is_none() {
        let clock = Clock::start();
        for (timeout, is_last) in [("18446744073709551615", true), ("5", false)] {
            let flags =
                super::super::args::parse(["echat", "--timeout", timeout].map(OsString::from));
            let settings = settings(&flags.unwrap(), ClientConfig::default(), &clock);
            assert_eq!(settings.deadline == Some(u64::MAX), is_last, "{timeout}");
        }
    }

    #[test]
    fn a_locale_without_chinese_characters_gets_english() {
        let chinese = Some(Language::Chinese);
        assert_eq!(
            language(chinese, LanguageSetting::Auto, Appearance::PLAIN),
            Language::Chinese
        );
        let ascii = Appearance {
            utf8: false,
            ..Appearance::PLAIN
        };
        assert_eq!(
            language(chinese, LanguageSetting::Zh, ascii),
            Language::English
        );
    }
}
