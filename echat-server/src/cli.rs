//! The flags of echat-server.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{
    NonEmptyStringValueParser, PathBufValueParser, RangedU64ValueParser, TypedValueParser,
};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::Overrides;
use crate::exit::ExitCode;

/// A self-hosted encrypted terminal chat: the server.
#[derive(Debug, Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[command(version, after_help = ExitCode::table(ExitCode::ALL).trim_end().to_owned())]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(
    subcommand_help_heading = "Commands in place of serving",
    subcommand_value_name = "COMMAND"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<CliCommand>,

    /// Read this configuration instead of ./config.json
    #[arg(
        long,
        value_name = "FILE",
        env = "ECHAT_CONFIG",
        hide_env_values = true
    )]
    config: Option<PathBuf>,

    /// Listen here instead of server.listen, for example [::]:1024; may be given up to 16 times
    #[arg(long, value_name = "ADDR")]
    listen: Vec<SocketAddr>,

    /// Keep everything in this folder instead of server.data
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Log this instead of server.log: a level, or module=level,...
    #[arg(long, value_name = "FILTER", env = "ECHAT_LOG", hide_env_values = true)]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    log: Option<String>,

    /// Make what is missing in a data folder that was used before, then serve
    ///
    /// That is the database, the host key, or both. What is there is kept.
    #[arg(long, conflicts_with_all = ["check_config", "print_default_config"])]
    init: bool,

    /// Check the configuration, say so in one line, and end
    #[arg(long)]
    check_config: bool,

    /// Print config.json with every default, and end
    #[arg(long, conflicts_with = "check_config")]
    print_default_config: bool,

    /// Say whether the next start upgrades the database and has room for the copy before it, and end
    #[arg(long, conflicts_with_all = ["check_config", "print_default_config", "init"])]
    upgrade_check: bool,
}

/// A file that is no stream.
fn file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.as_os_str() == "-" {
            Err("`-` is no file; ./- is the one of that name")
        } else {
            Ok(path)
        }
    })
}

/// Which data folder a command is about.
#[derive(Debug, Args)]
struct DataFolderArgs {
    /// Read this configuration instead of ./config.json
    #[arg(
        long,
        value_name = "FILE",
        env = "ECHAT_CONFIG",
        hide_env_values = true
    )]
    config: Option<PathBuf>,

    /// The data folder, instead of server.data
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl From<DataFolderArgs> for Overrides {
    fn from(folder: DataFolderArgs) -> Self {
        Self {
            file: folder.config,
            data: folder.data,
            ..Self::default()
        }
    }
}

/// What is exported.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct ExportArgs {
    /// Everything
    #[arg(long)]
    all: bool,
    /// What this user stored, and can see
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// This room with its members and messages
    #[arg(long, value_name = "NAME")]
    room: Option<String>,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Write a backup of the data folder, also while a server uses it
    Backup {
        /// The new file; with --keep, the folder for it
        #[arg(value_name = "FILE", value_parser = file())]
        target: PathBuf,
        /// Name the backup by the time, and remove all but the newest N of such names, 1 to 10000
        #[arg(long, value_name = "N", conflicts_with_all = ["without_key", "without_config"])]
        #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000))]
        keep: Option<usize>,
        /// Leave the host key out
        #[arg(long)]
        without_key: bool,
        /// Leave the configuration out
        #[arg(long)]
        without_config: bool,
        #[command(flatten)]
        folder: DataFolderArgs,
    },
    /// Check that a backup is complete, unchanged and sound
    Verify {
        /// The backup
        #[arg(value_name = "FILE", value_parser = file())]
        file: PathBuf,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Put a backup into a data folder, and keep what was there aside
    Restore {
        /// The backup
        #[arg(value_name = "FILE", value_parser = file())]
        file: PathBuf,
        /// FILE is a database, as Litestream restores one, and not a backup
        #[arg(long)]
        database: bool,
        /// The data folder, which no server uses
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Check the database of a data folder, and repair it
    Check {
        /// Repair what is found; no server may use the folder
        #[arg(long)]
        repair: bool,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        folder: DataFolderArgs,
    },
    /// Write accounts, rooms and messages as lines of JSON, also while a server uses them
    Export {
        /// The new file; `-` for standard output
        #[arg(value_name = "FILE")]
        target: PathBuf,
        #[command(flatten)]
        what: ExportArgs,
        /// With the hashes of passwords, so that users can log in after an import
        #[arg(long, conflicts_with_all = ["user", "room"])]
        with_passwords: bool,
        #[command(flatten)]
        folder: DataFolderArgs,
    },
    /// Give a command to the server that uses the data folder; `help` lists the commands
    Ctl {
        /// The command, and what it is about; behind --, words may begin with a hyphen. A command with a text takes
        /// options before it only
        #[arg(value_name = "COMMAND")]
        words: Vec<String>,
        // An option that was typed behind the first word; [`Cli::read`] sets it.
        #[arg(skip)]
        option_behind: Option<String>,
        /// Print the answer as one line of JSON
        #[arg(long)]
        json: bool,
        /// Give up when the server gives no sign of life for so many seconds, 2 to 3600
        #[arg(long, value_name = "SECONDS", default_value_t = 30)]
        #[arg(value_parser = RangedU64ValueParser::<u64>::new().range(2..=3_600))]
        timeout: u64,
        #[command(flatten)]
        folder: DataFolderArgs,
    },
    /// Read an export into a data folder without a database, or add a database of the original E-Chat to a data folder
    Import {
        /// The export, or the database
        #[arg(value_name = "FILE", value_parser = file())]
        file: PathBuf,
        #[command(flatten)]
        folder: DataFolderArgs,
    },
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Invocation {
    /// Serve.
    Serve {
        /// What the command line says about the configuration.
        overrides: Overrides,
        /// Whether what is missing in a used data folder is made.
        init: bool,
    },
    /// Load the configuration and say whether it is right.
    CheckConfig(Overrides),
    /// Write the default config.json to stdout.
    PrintDefaultConfig,
    /// Ask the server that uses a data folder.
    Ctl {
        /// Which data folder.
        folder: Overrides,
        /// The command.
        words: Vec<String>,
        /// An option that was typed behind the first word, without its hyphens.
        option_behind: Option<String>,
        /// Whether the answer is one line of JSON.
        json: bool,
        /// The longest silence of the server.
        patience: Duration,
    },
    /// Do something with a data folder or a backup, in place of serving.
    Maintain(Maintenance),
}

/// A command about a data folder or a backup.
#[derive(Debug)]
pub enum Maintenance {
    /// Say what the next start does to the database.
    CheckUpgrade(Overrides),
    /// Write a backup.
    Backup {
        /// Which data folder.
        folder: Overrides,
        /// The new file; with `keep`, the folder for it.
        target: PathBuf,
        /// How many backups with a name of the time are kept in the folder.
        keep: Option<usize>,
        /// Whether the backup has the host key.
        with_key: bool,
        /// Whether the backup has the configuration.
        with_config: bool,
    },
    /// Verify a backup.
    Verify {
        /// The backup.
        file: PathBuf,
        /// Whether the result is one line of JSON.
        json: bool,
    },
    /// Restore a backup, or a database.
    Restore {
        /// The file.
        file: PathBuf,
        /// Whether it is a database, and not a backup.
        is_database: bool,
        /// The data folder.
        data: PathBuf,
    },
    /// Check a database.
    Check {
        /// Which data folder.
        folder: Overrides,
        /// Whether what is found is repaired.
        repair: bool,
        /// Whether the result is one line of JSON.
        json: bool,
    },
    /// Export a part of a data folder.
    Export {
        /// Which data folder.
        folder: Overrides,
        /// The new file.
        target: PathBuf,
        /// What is exported.
        what: ExportSelection,
    },
    /// Import an export.
    Import {
        /// The export.
        file: PathBuf,
        /// Which data folder.
        folder: Overrides,
    },
}

/// What is exported.
#[derive(Debug)]
pub enum ExportSelection {
    /// Everything.
    All {
        /// Whether the hashes of passwords are exported too.
        passwords: bool,
    },
    /// What the user of this name stored, and can see.
    User(String),
    /// The room of this name.
    Room(String),
}

impl ExportArgs {
    fn exported(self, passwords: bool) -> ExportSelection {
        match (self.user, self.room) {
            (Some(user), _) => ExportSelection::User(user),
            (_, Some(room)) => ExportSelection::Room(room),
            _ => ExportSelection::All { passwords },
        }
    }
}

impl From<CliCommand> for Invocation {
    fn from(command: CliCommand) -> Self {
        Self::Maintain(match command {
            CliCommand::Ctl {
                words,
                option_behind,
                json,
                timeout,
                folder,
            } => {
                return Self::Ctl {
                    folder: folder.into(),
                    words,
                    option_behind,
                    json,
                    patience: Duration::from_secs(timeout),
                };
            }
            CliCommand::Backup {
                target,
                keep,
                without_key,
                without_config,
                folder,
            } => Maintenance::Backup {
                folder: folder.into(),
                target,
                keep,
                with_key: !without_key,
                with_config: !without_config,
            },
            CliCommand::Verify { file, json } => Maintenance::Verify { file, json },
            CliCommand::Restore {
                file,
                database,
                data,
            } => Maintenance::Restore {
                file,
                is_database: database,
                data,
            },
            CliCommand::Export {
                target,
                what,
                with_passwords,
                folder,
            } => Maintenance::Export {
                folder: folder.into(),
                target,
                what: what.exported(with_passwords),
            },
            CliCommand::Import { file, folder } => Maintenance::Import {
                file,
                folder: folder.into(),
            },
            CliCommand::Check {
                repair,
                json,
                folder,
            } => Maintenance::Check {
                folder: folder.into(),
                repair,
                json,
            },
        })
    }
}

impl Cli {
    /// Reads a command line, which begins with the program.
    ///
    /// # Errors
    /// It is wrong, or it asks for help or the version.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut definition = Self::command();
        let matches = definition.try_get_matches_from_mut(args)?;
        let read = Self::from_arg_matches(&matches);
        let mut cli = read.map_err(|error| error.format(&mut definition))?;
        if let (Some(CliCommand::Ctl { option_behind, .. }), Some((name, ctl))) =
            (&mut cli.command, matches.subcommand())
        {
            *option_behind = behind_words(definition.find_subcommand(name), ctl);
        }
        Ok(cli)
    }
}

/// An option that was typed behind the first word of `ctl`.
fn behind_words(definition: Option<&clap::Command>, ctl: &ArgMatches) -> Option<String> {
    let first = ctl.indices_of("words")?.min()?;
    let mut options = definition?.get_arguments().filter(|it| !it.is_positional());
    let behind = options.find(|option| {
        let id = option.get_id().as_str();
        let is_typed = ctl.value_source(id) == Some(ValueSource::CommandLine);
        is_typed && ctl.index_of(id).is_some_and(|index| index > first)
    });
    behind?.get_long().map(str::to_owned)
}

/// Whether a command line asks for one line of JSON, also one that is wrong. `args` begins with the program.
pub fn wants_json(args: impl IntoIterator<Item = OsString>) -> bool {
    let args: Vec<OsString> = args
        .into_iter()
        .skip(1)
        .take_while(|arg| arg != "--")
        .collect();
    let is_command = |arg: &OsString| ["ctl", "verify", "check"].iter().any(|it| arg == it);
    args.first().is_some_and(is_command) && args.iter().any(|arg| arg == "--json")
}

impl From<Cli> for Invocation {
    fn from(cli: Cli) -> Self {
        if let Some(command) = cli.command {
            return command.into();
        }
        if cli.print_default_config {
            return Self::PrintDefaultConfig;
        }
        let overrides = Overrides {
            file: cli.config,
            listen: cli.listen,
            data: cli.data,
            log: cli.log,
        };
        if cli.check_config {
            Self::CheckConfig(overrides)
        } else if cli.upgrade_check {
            Self::Maintain(Maintenance::CheckUpgrade(overrides))
        } else {
            Self::Serve {
                overrides,
                init: cli.init,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_option_behind_the_words_of_ctl_is_found() {
        let behind = |line: &str| match Cli::read(line.split(' ').map(OsString::from))
            .expect("it is right")
            .command
        {
            Some(CliCommand::Ctl { option_behind, .. }) => option_behind,
            _ => None,
        };
        for (line, option) in [
            ("echat-server ctl broadcast we use --json now", "json"),
            ("echat-server ctl --json suspend bob 2d --data x", "data"),
            (
                "echat-server ctl message-of-the-day a --timeout=9",
                "timeout",
            ),
            ("echat-server ctl status --json", "json"),
        ] {
            assert_eq!(behind(line).as_deref(), Some(option), "{line}");
        }
        for line in [
            "echat-server ctl --json --data x broadcast hello",
            "echat-server ctl broadcast -- we use --json now",
            "echat-server ctl --data broadcast status",
            "echat-server check --json",
        ] {
            assert_eq!(behind(line), None, "{line}");
        }
    }

    #[test]
    fn json_is_asked_for_by_its_flag_before_two_hyphens() {
        let wants = |line: &str| wants_json(line.split(' ').map(OsString::from));
        for line in [
            "echat-server ctl --json",
            "echat-server check --repair --json",
        ] {
            assert!(wants(line), "{line}");
        }
        for line in [
            "echat-server --json",
            "echat-server ctl -- --json",
            "echat-server ctl",
        ] {
            assert!(!wants(line), "{line}");
        }
    }
}
