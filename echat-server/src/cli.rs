//! The flags of echat-server.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use clap::builder::NonEmptyStringValueParser;

use crate::config::Overrides;
use crate::exit::ExitCode;

/// A self-hosted encrypted terminal chat: the server.
#[derive(Debug, Parser)]
#[command(version, after_help = ExitCode::table(ExitCode::ALL).trim_end().to_owned())]
pub struct Cli {
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
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Task {
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
}

impl From<Cli> for Task {
    fn from(cli: Cli) -> Self {
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
}
