//! The echat server: flags and configuration in, exit code out.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;
use std::process;

use clap::Parser;
use echat_proto::config::default_json;
use echat_system::private_memory;
use thiserror::Error;

use echat_server::cli::{Cli, Task};
use echat_server::config::{self, ConfigError, Overrides};
use echat_server::data_dir::{self, DataDir, DataDirError};
use echat_server::exit::ExitCode;
use echat_server::logging;
use echat_server::reactor::{self, ReactorError, Signals};
use echat_server::storage::{HighWaterError, OpenError, Store};

/// Why the server does not start, or stops.
#[derive(Debug, Error)]
#[error(transparent)]
enum Failure {
    Config(#[from] ConfigError),
    DataDir(#[from] DataDirError),
    #[error("{path}: {source}")]
    Database {
        path: String,
        source: OpenError,
    },
    Reactor(#[from] ReactorError),
    Defaults(#[from] serde_json::Error),
    #[error("stdout: {0}")]
    Stdout(#[source] io::Error),
    #[error("the system refuses: {0}")]
    System(#[source] io::Error),
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::Config,
            Self::DataDir(error) => error.exit_code(),
            Self::Database { source, .. } => database_code(source),
            Self::Reactor(ReactorError::Listen { .. }) => ExitCode::Unavailable,
            Self::Reactor(_) | Self::Defaults(_) | Self::Stdout(_) | Self::System(_) => {
                ExitCode::Io
            }
        }
    }
}

fn database_code(error: &OpenError) -> ExitCode {
    match error {
        OpenError::Busy => ExitCode::Busy,
        OpenError::Blank => ExitCode::NoInput,
        OpenError::HighWater(HighWaterError::Damaged) => ExitCode::Config,
        _ => ExitCode::Io,
    }
}

fn main() -> process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // With stdout or stderr closed, the message has no reader.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::Usage
            } else {
                ExitCode::Ok
            }
            .into();
        }
    };
    let _started = match logging::start() {
        Ok(started) => started,
        Err(error) => {
            let failure = Failure::System(error);
            // There is no thread to write this, nor a server that it could stop.
            let _ = writeln!(io::stderr(), "echat-server: {failure}");
            return failure.exit_code().into();
        }
    };
    match perform(cli.into()) {
        Ok(()) => ExitCode::Ok.into(),
        Err(failure) => {
            logging::say(&format!("echat-server: {failure}\n"));
            failure.exit_code().into()
        }
    }
}

fn perform(task: Task) -> Result<(), Failure> {
    match task {
        Task::Serve { overrides, init } => serve(overrides, init),
        Task::CheckConfig(overrides) => {
            let file = config::load(overrides)?.file;
            print(&format!("config ok: {}\n", name(file.as_deref())))
        }
        Task::PrintDefaultConfig => print(&default_json()?),
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(Failure::Stdout)
}

fn serve(overrides: Overrides, init: bool) -> Result<(), Failure> {
    logging::report_panics_without_contents();
    private_memory::close().map_err(Failure::System)?;
    let signals = Signals::catch().map_err(Failure::System)?;
    let loaded = config::load(overrides)?;
    data_dir::keep_new_files_private();
    logging::init(&loaded.log);
    tracing::info!("configuration: {}", name(loaded.file.as_deref()));
    let data = DataDir::open(&loaded.config.data, init)?;
    let store = Store::open_in_folder(&data.database(), &data.high_water(), init);
    let mut store = store.map_err(|source| Failure::Database {
        path: data.shown_database().display().to_string(),
        source,
    })?;
    store.sync_checkpoints_by(data.database_file());
    tracing::info!(data = %data.path().display(), "serving data folder");
    Ok(reactor::run(
        &loaded.config,
        store,
        data.host_key(),
        signals,
    )?)
}

/// What to call the configuration in use.
fn name(file: Option<&Path>) -> Cow<'_, str> {
    file.map_or("built-in defaults".into(), Path::to_string_lossy)
}
