//! A server's process: started on a folder of its own, pinned to a processor, measured, and gone in the end.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, io};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use super::super::Failure;
use super::super::cleanup::{ChildProcess, TemporaryFolder};
use super::super::people::pause;
use crate::clock::Clock;
use echat_system::proc;

/// The time in which a server has to listen.
const STARTUP: Duration = Duration::from_secs(20);
/// The pause between two attempts to connect to it.
const RETRY: Duration = Duration::from_millis(20);
/// Lines of a server's own output that are shown when it fails to start.
const LAST_LINES: usize = 5;

/// The processors of the measured server and of the generator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cores {
    /// `None` on a machine with one processor: nothing is pinned.
    pinned: Option<Pair>,
    all: CpuSet,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    server: usize,
    generator: usize,
}

impl Cores {
    /// The last processor that this process may use is the server's, the one before it the generator's.
    pub(super) fn of_this_machine() -> Result<Self, Failure> {
        let all = nix::sched::sched_getaffinity(Pid::from_raw(0))?;
        let usable = (0..CpuSet::count()).filter(|number| all.is_set(*number).unwrap_or(false));
        let usable: Vec<usize> = usable.collect();
        let pinned = match usable[..] {
            [.., generator, server] => Some(Pair { server, generator }),
            _ => None,
        };
        Ok(Self { pinned, all })
    }

    /// The processors, for people.
    pub(super) fn describe(&self) -> String {
        self.pinned.map_or_else(
            || "nothing: there is one processor".to_owned(),
            |Pair { server, generator }| format!("server: {server}, generator: {generator}"),
        )
    }

    /// Pins this thread, and threads that it starts later, to the generator's processor.
    pub(super) fn pin_generator(&self) -> Result<(), Failure> {
        self.set(0, self.pinned.map(|pair| pair.generator))
    }

    /// Lets this thread run on every processor again.
    pub(super) fn release_generator(&self) -> Result<(), Failure> {
        self.set(0, None)
    }

    /// Pins all threads of a process to the server's processor.
    fn pin_server(&self, pid: u32) -> Result<(), Failure> {
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let name = task?.file_name();
            let thread = name.to_str().and_then(|name| name.parse().ok());
            let thread = thread.ok_or(Failure::NoUsage)?;
            self.set(thread, self.pinned.map(|pair| pair.server))?;
        }
        Ok(())
    }

    fn set(&self, thread: i32, processor: Option<usize>) -> Result<(), Failure> {
        let mut set = self.all;
        if let Some(processor) = processor {
            set = CpuSet::new();
            set.set(processor)?;
        }
        Ok(sched_setaffinity(Pid::from_raw(thread), &set)?)
    }
}

/// A running server. It is killed and then its folder removed when this is dropped.
pub(super) struct Process {
    child: ChildProcess,
    folder: TemporaryFolder,
    pub(super) address: SocketAddr,
}

impl Process {
    /// Starts `command` in `folder` and waits until something listens at `address`.
    ///
    /// # Errors
    /// The program is missing, or ends before it listens; then with its last lines of output.
    pub(super) fn start(
        mut command: Command,
        folder: TemporaryFolder,
        address: SocketAddr,
        clock: &Clock,
    ) -> Result<Self, Failure> {
        let output = folder.path().join("output");
        let out = File::create(&output)?;
        command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out);
        let child = ChildProcess::start(&mut command)
            .map_err(|error| Failure::NoServer(command.get_program().into(), error))?;
        let mut server = Self {
            child,
            folder,
            address,
        };
        let deadline = clock.now() + STARTUP;
        while clock.now() < deadline && !server.child.has_ended()? {
            if TcpStream::connect(address).is_ok() {
                return Ok(server);
            }
            pause(clock, RETRY)?;
        }
        let said = fs::read(&output)?;
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].join(" | ");
        Err(Failure::NotListening(command.get_program().into(), last))
    }

    /// The folder with its files.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Pins its threads to the server's processor.
    pub(super) fn pin(&self, cores: &Cores) -> Result<(), Failure> {
        cores.pin_server(self.child.id())
    }

    /// User and system time of all its threads so far, in nanoseconds of the kernel's accounts.
    pub(super) fn cpu(&self) -> Result<Duration, Failure> {
        let pid = i32::try_from(self.child.id()).map_err(|_| Failure::NoUsage)?;
        let time = clock_gettime(clock_getcpuclockid(Pid::from_raw(pid))?)?;
        Ok(time.into())
    }

    /// Its memory that is in RAM, in KiB.
    pub(super) fn resident_kib(&self) -> Result<u64, Failure> {
        proc::resident_kib(self.child.id()).ok_or(Failure::NoUsage)
    }

    /// Ends it as an operator would, so that its files are whole.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        self.child.end()?;
        Ok(())
    }
}

/// An address of this machine on which nothing listens now.
pub(super) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// The path of a program in PATH or in the folders for system programs; `None` if it is not installed.
pub(super) fn installed(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/usr/local/sbin", "/usr/bin"].map(PathBuf::from));
    let mut files = folders.into_iter().map(|folder| folder.join(program));
    files.find(|file| file.is_file())
}
