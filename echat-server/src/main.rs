//! The echat server: flags and configuration in, exit code out.

use std::borrow::Cow;
use std::env;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use echat_proto::config::default_json;
use echat_system::{locked_file, private_memory};
use thiserror::Error;
use tracing::Level;
use zeroize::Zeroizing;

use echat_server::cli::{Cli, Invocation, Maintenance, wants_json};
use echat_server::config::{self, ConfigError, Loaded, Overrides};
use echat_server::ctl::{self, CtlError};
use echat_server::data_dir::{self, AdministratorCodeFile, DataDir, DataDirError};
use echat_server::exit::ExitCode;
use echat_server::host_key;
use echat_server::logging::{self, Log};
use echat_server::maintenance::{self, CommandReport, MaintenanceError};
use echat_server::reactor::{self, Inherited, ReactorError, Services, Signals};
use echat_server::storage::{OpenError, Store, StoreError, administrator_code_hash};

/// What is said of a file of the database when the server is told to open it.
const DATABASE_IN_USE: &str =
    "the database of this server, or a file of it: it is in use and not opened a second time";

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
    AdministratorCode(StoreError),
    Reactor(#[from] ReactorError),
    #[error("the sockets of the service manager cannot be used: {0}")]
    Inherited(#[source] io::Error),
    Defaults(#[from] serde_json::Error),
    #[error("stdout: {0}")]
    Stdout(#[source] io::Error),
    #[error("the system refuses: {0}")]
    System(#[source] io::Error),
    Maintenance(#[from] MaintenanceError),
    Ctl(#[from] CtlError),
    #[error("{path}: {source}")]
    LogFile {
        path: String,
        source: io::Error,
    },
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::Config,
            Self::DataDir(error) => error.exit_code(),
            Self::Database { source, .. } => maintenance::database_code(source),
            Self::Maintenance(error) => error.exit_code(),
            Self::Ctl(error) => error.exit_code(),
            Self::LogFile { .. } | Self::Reactor(ReactorError::Occupied(_)) => {
                ExitCode::CannotCreate
            }
            Self::Reactor(ReactorError::Listen { .. }) | Self::Inherited(_) => {
                ExitCode::Unavailable
            }
            Self::AdministratorCode(_)
            | Self::Reactor(_)
            | Self::Defaults(_)
            | Self::Stdout(_)
            | Self::System(_) => ExitCode::Io,
        }
    }
}

fn main() -> process::ExitCode {
    // Before anything is opened, and before there is a second thread.
    let inherited = Inherited::take();
    let as_json = wants_json(env::args_os());
    let cli = match Cli::read(env::args_os()) {
        Ok(cli) => cli,
        Err(error) if as_json && error.use_stderr() => {
            let message = error.to_string();
            let message = message.trim().trim_start_matches("error: ");
            // With stdout closed, the line has no reader.
            let _ = print(&ctl::failure_line(ExitCode::Usage, message));
            return ExitCode::Usage.into();
        }
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
    let _flush_guard = match logging::start() {
        Ok(guard) => guard,
        Err(error) => {
            let failure = Failure::System(error);
            // There is no thread to write this, nor a server that it could stop.
            let _ = writeln!(io::stderr(), "echat-server: {failure}");
            return failure.exit_code().into();
        }
    };
    match perform(cli.into(), inherited) {
        Ok(code) => code.into(),
        Err(failure) => {
            let code = failure.exit_code();
            let printed = match failure {
                // Nothing can be printed.
                Failure::Stdout(_) => None,
                _ if as_json => Some(print(&ctl::failure_line(code, &failure.to_string()))),
                _ => None,
            };
            if !matches!(printed, Some(Ok(()))) {
                logging::complain(Level::ERROR, &failure.to_string());
            }
            code.into()
        }
    }
}

fn perform(task: Invocation, inherited: io::Result<Inherited>) -> Result<ExitCode, Failure> {
    match task {
        Invocation::Serve { overrides, init } => {
            serve(&overrides, init, inherited.map_err(Failure::Inherited)?)?;
        }
        Invocation::CheckConfig(overrides) => {
            let file = config::load(overrides)?.file;
            print(&format!("config ok: {}\n", name(file.as_deref())))?;
        }
        Invocation::PrintDefaultConfig => print(&default_json()?)?,
        Invocation::Ctl {
            folder,
            words,
            option_behind,
            json,
            patience,
        } => {
            ctl::refuse_option_in_text(&words, option_behind)?;
            return ask(folder, &words, json, patience);
        }
        Invocation::Maintain(task) => return maintain(task),
    }
    Ok(ExitCode::Ok)
}

/// A command for the server that uses a data folder.
fn ask(
    folder: Overrides,
    words: &[String],
    as_json: bool,
    patience: Duration,
) -> Result<ExitCode, Failure> {
    logging::report_panics_without_contents();
    // A configuration that is being repaired is not in the way of one that names the folder.
    let data = match folder.data {
        Some(data) => data,
        None => config::load_for_folder(folder)?.config.data,
    };
    let said = ctl::ask(&data, words, as_json, patience)?;
    if said.is_error {
        logging::say(&said.text);
    } else {
        print(&said.text)?;
    }
    Ok(said.code)
}

/// A command that is about a data folder or a backup.
fn maintain(task: Maintenance) -> Result<ExitCode, Failure> {
    logging::report_panics_without_contents();
    // A backup has the host key.
    private_memory::forbid_dumps_and_tracing().map_err(Failure::System)?;
    data_dir::keep_new_files_private();
    let CommandReport {
        text,
        complaint,
        code,
    } = maintenance::perform(task, unix_now())?;
    print(&text)?;
    if let Some(complaint) = complaint {
        let level = match code {
            ExitCode::Ok => Level::WARN,
            _ => Level::ERROR,
        };
        logging::complain(level, &complaint);
    }
    Ok(code)
}

/// The time in unix seconds. One before 1970 counts as 1970.
#[expect(clippy::disallowed_methods, reason = "main may read the clock")]
fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_secs()).unwrap_or(i64::MAX)
}

fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(Failure::Stdout)
}

fn serve(overrides: &Overrides, init: bool, inherited: Inherited) -> Result<(), Failure> {
    logging::report_panics_without_contents();
    private_memory::forbid_dumps_and_tracing().map_err(Failure::System)?;
    let signals = Signals::catch().map_err(Failure::System)?;
    let loaded = config::load(overrides.clone())?;
    data_dir::keep_new_files_private();
    start_log(&loaded)?;
    tracing::info!("configuration: {}", name(loaded.file.as_deref()));
    let given = host_key::from_credentials().map_err(DataDirError::from)?;
    if given.is_some() {
        tracing::info!("the host key is a credential of the service manager");
    }
    let data = DataDir::open_with_key(&loaded.config.data, init, given)?;
    let store = Store::open_in_folder(&data.database(), &data.high_water(), init);
    let mut store = store.map_err(|source| Failure::Database {
        path: data.shown_database().display().to_string(),
        source,
    })?;
    locked_file::refuse_to_open(data.database_files(), DATABASE_IN_USE);
    store.sync_checkpoints_by(data.database_file());
    remove_left_over(data.path());
    let code = data.administrator_code();
    let new_code = adopt_administrator_code(&code, &mut store)?;
    let show_code = |link: &str, hint: &str| {
        if let Some(new) = &new_code {
            show_administrator_code(new, code.shown(), (link, hint));
        }
    };
    tracing::info!(data = %data.path().display(), "serving data folder");
    let remove_code = || {
        tracing::info!("there is an administrator: the code of the first one is void");
        if let Err(error) = code.remove() {
            tracing::warn!(%error, "{} cannot be removed", code.shown().display());
        }
    };
    let services = Services {
        backups: maintenance::schedule(&loaded),
        source: maintenance::source(&loaded, &data),
        socket: Some(data.path().join(ctl::SOCKET)),
        listening: &show_code,
        administrator_made: &remove_code,
        reload: &|known| {
            let loaded = config::load_again(overrides.clone(), known)?;
            let schedule = maintenance::schedule(&loaded);
            Ok((loaded, schedule))
        },
    };
    let ended = reactor::run(
        &loaded,
        store,
        data.host_key(),
        signals,
        inherited,
        services,
    );
    // A backup or an export that is being made ends with the process.
    data_dir::remove_own(data.path());
    Ok(ended?)
}

/// Sends the log where the configuration says. A file of the data folder is refused: lines would destroy it.
fn start_log(loaded: &Loaded) -> Result<(), Failure> {
    let file = loaded.config.log_file.as_ref().map(Path::new);
    let failure = |source| Failure::LogFile {
        path: file.map_or_else(String::new, |path| path.display().to_string()),
        source,
    };
    if file.is_some_and(|file| data_dir::is_own_file(&loaded.config.data, file)) {
        let why = "a file of the data folder; the log needs one of its own";
        return Err(failure(io::Error::other(why)));
    }
    let log = Log {
        filter: &loaded.log,
        file,
        format: loaded.config.log_format,
    };
    logging::init(log).map_err(failure)
}

/// Removes what killed processes were writing: backups and exports.
fn remove_left_over(folder: &Path) {
    let left = data_dir::remove_left_over(folder);
    for path in left.removed {
        tracing::info!("removed {}, which a killed process left", path.display());
    }
    for (path, error) in left.kept {
        let path = path.display();
        tracing::warn!(%error, "{path}, which a killed process left, cannot be removed");
    }
}

/// Lets a new database know the code of the first administrator, and returns it. Removes a file that is left from a
/// code that is void.
fn adopt_administrator_code(
    file: &AdministratorCodeFile,
    store: &mut Store,
) -> Result<Option<Zeroizing<String>>, Failure> {
    let Some(code) = file.read()? else {
        return Ok(None);
    };
    match adopt(&code, store) {
        Ok(Adopted::Now) => return Ok(Some(code)),
        Ok(Adopted::Before) => {}
        Ok(Adopted::Never) => file.remove().map_err(Failure::System)?,
        Err(error @ StoreError::Fatal(_)) => return Err(Failure::AdministratorCode(error)),
        Err(error) => {
            tracing::warn!(%error, "the administrator code is not good yet; restart the server");
        }
    }
    Ok(None)
}

/// Whether the database knows a code.
enum Adopted {
    Now,
    Before,
    /// It is void: the database has other users, an administrator, or another code.
    Never,
}

fn adopt(code: &Zeroizing<String>, store: &mut Store) -> Result<Adopted, StoreError> {
    let hash = administrator_code_hash(code);
    let mut batch = store.batch();
    match batch.administrator_code()? {
        // An earlier version kept it when another account was made an administrator.
        Some(_) if !batch.administrators(1)?.is_empty() => {
            batch.delete_administrator_code()?;
            drop(batch.commit()?);
            return Ok(Adopted::Never);
        }
        Some(known) if known == hash => return Ok(Adopted::Before),
        None if batch.users(1)?.is_empty() => {}
        _ => return Ok(Adopted::Never),
    }
    batch.set_administrator_code(&hash)?;
    drop(batch.commit()?);
    Ok(Adopted::Now)
}

/// Shows the code to a person. In a log that is kept, only its file is named.
fn show_administrator_code(code: &str, file: &Path, (link, hint): (&str, &str)) {
    let file = file.display();
    if io::stderr().is_terminal() {
        logging::say(&format!(
            "administrator code: {code}\n\
             Register with it as the invitation to become the administrator: give it to `register`, or start\n\
             echat '{link}&invitation={code}'{hint}\n\
             It is good once, and also in {file}.\n"
        ));
    } else {
        tracing::info!("the administrator code is in {file}");
    }
}

/// What to call the configuration in use.
fn name(file: Option<&Path>) -> Cow<'_, str> {
    file.map_or("built-in defaults".into(), Path::to_string_lossy)
}
