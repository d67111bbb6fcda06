//! A server of one's own on a temporary folder, gone with it in the end.

use std::fs;
use std::io::{BufRead, BufReader};
#[cfg(feature = "peers")]
use std::path::Path;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, io};

use echat_system::{private_file, proc};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Failure;
use super::cleanup::{ChildProcess, TemporaryFolder};
use crate::clock::Clock;
use crate::net::address::Address;

/// Rates and quotas that would be in the way of a measurement, turned off.
macro_rules! limits {
    () => {
        r#""message_rate": 0, "user_bytes_a_day": 0, "rooms_a_day": 0, "free_bytes": 0, "registrations": 0,
        "login_failures": 0, "unauthenticated": 1000000, "connections": 1000000}}}"#
    };
}

/// A configuration without rate limits and quotas, which does not ping silent connections.
pub(super) const CONFIG: &str = concat!(
    r#"{"server": {"limits": {"ping_seconds": 0, "dead_seconds": 0, "#,
    limits!()
);
/// The same, with the default periods of pings.
#[cfg(feature = "peers")]
pub(super) const CONFIG_WITH_PINGS: &str = concat!(r#"{"server": {"limits": {"#, limits!());

/// Open files that suffice for every measurement.
const FILES: u64 = 200_000;
/// The part of it that lifts the limit for connections that are not logged in.
const UNAUTHENTICATED: &str = r#""unauthenticated": 1000000, "#;

/// Where servers come from, and the time.
pub(super) struct Scene {
    program: PathBuf,
    pub(super) clock: Clock,
}

impl Scene {
    /// Takes the server's program from beside this one, unless another is given, and as many files as the system
    /// allows, for the servers too.
    pub(super) fn new(program: Option<PathBuf>, clock: Clock) -> Result<Self, Failure> {
        let program = match program {
            Some(program) => match program.canonicalize() {
                Ok(program) => program,
                Err(error) => return Err(Failure::NoServer(program, error)),
            },
            None => env::current_exe()?.with_file_name("echat-server"),
        };
        let maximum = getrlimit(Resource::Nofile).maximum;
        let raised = maximum.map(|maximum| maximum.max(FILES));
        let limit = |maximum| Rlimit {
            current: maximum,
            maximum,
        };
        // Beyond the hard limit only root may go.
        setrlimit(Resource::Nofile, limit(raised))
            .or_else(|_| setrlimit(Resource::Nofile, limit(maximum)))?;
        Ok(Self { program, clock })
    }

    /// The server's program.
    #[cfg(feature = "peers")]
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// Starts a server without users and messages.
    pub(super) fn start(&self) -> Result<Server, Failure> {
        self.start_limited(false)
    }

    /// The same, with the default limit for connections that are not logged in if `limited`.
    pub(super) fn start_limited(&self, limited: bool) -> Result<Server, Failure> {
        let folder = TemporaryFolder::new()?;
        let config = if limited {
            CONFIG.replace(UNAUTHENTICATED, "")
        } else {
            CONFIG.to_owned()
        };
        fs::write(folder.path().join("config.json"), config)?;
        let (child, address) = self.launch(&folder)?;
        Ok(Server {
            child,
            address,
            folder,
        })
    }

    /// Starts the server's program on a folder; returns where it listens.
    fn launch(&self, folder: &TemporaryFolder) -> Result<(ChildProcess, Option<Address>), Failure> {
        let mut command = Command::new(&self.program);
        command
            .args(["--listen", "127.0.0.1:0", "--log", "warn"])
            .current_dir(folder.path())
            .env_remove("ECHAT_CONFIG")
            .env_remove("ECHAT_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = ChildProcess::start(&mut command)
            .map_err(|error| Failure::NoServer(self.program.clone(), error))?;
        let stdout = child.take_stdout();
        let mut line = String::new();
        BufReader::new(stdout.ok_or(Failure::NotReady)?).read_line(&mut line)?;
        // "listening on ADDRESS FINGERPRINT"
        let address = line.split_whitespace().nth(2);
        Ok((child, address.and_then(|address| address.parse().ok())))
    }
}

/// A server that runs; dropped, it and its folder are gone, in this order.
pub(super) struct Server {
    child: ChildProcess,
    address: Option<Address>,
    folder: TemporaryFolder,
}

impl Server {
    /// Ends the process at once, and starts another one on the same folder.
    pub(super) fn restart(&mut self, scene: &Scene) -> Result<(), Failure> {
        self.child.kill()?;
        (self.child, self.address) = scene.launch(&self.folder)?;
        Ok(())
    }

    /// Where it listens.
    pub(super) fn address(&self) -> Result<&Address, Failure> {
        self.address.as_ref().ok_or(Failure::NotReady)
    }

    /// Bytes of its database and of the log of that.
    pub(super) fn database_bytes(&self) -> Result<u64, Failure> {
        let length = |name: &str| -> io::Result<u64> {
            Ok(self.folder.path().join("data").join(name).metadata()?.len())
        };
        Ok(length("database.db")? + length("database.db-wal").unwrap_or(0))
    }

    /// Makes a backup with the command of the operator, and removes it. Returns its bytes.
    pub(super) fn back_up(&self, scene: &Scene) -> Result<u64, Failure> {
        let file = self.folder.path().join("measured.backup");
        let mut command = Command::new(&scene.program);
        command
            .arg("backup")
            .arg(&file)
            .current_dir(self.folder.path())
            .stdout(Stdio::null());
        if !ChildProcess::start(&mut command)?.succeeds()? {
            return Err(Failure::NoBackup);
        }
        let bytes = file.metadata()?.len();
        private_file::remove_large(&file)?;
        Ok(bytes)
    }

    /// The processor's time that it has used.
    pub(super) fn cpu(&self) -> Result<Duration, Failure> {
        proc::cpu_time(self.child.id()).ok_or(Failure::NoUsage)
    }

    /// Its memory that is in RAM, in KiB.
    pub(super) fn resident_kib(&self) -> Result<u64, Failure> {
        proc::resident_kib(self.child.id()).ok_or(Failure::NoUsage)
    }

    /// How often its threads have given up the processor by themselves: each wake-up ends so.
    pub(super) fn switches(&self) -> Result<u64, Failure> {
        proc::voluntary_switches(self.child.id()).ok_or(Failure::NoUsage)
    }
}
