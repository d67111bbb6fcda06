//! Real terminal multiplexers (tmux and GNU screen), with a program in a window of any size.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::person::{Person, SETSID};
use crate::clock::now;

/// How often a screen is looked at before it counts as different for good.
const LOOKS: usize = 500;
/// The longest time between two looks at a screen. A change of it ends that time.
const PAUSE: Duration = Duration::from_millis(50);
/// How long GNU screen is given between two looks for its copy, unless it shows something.
const COPY_PAUSE: Duration = Duration::from_millis(10);
/// Stands between what has left a window and what it shows.
const MARK: &str = "== what is shown ==";
/// The size that it begins with. Screen copies the rows that it shows, and no others.
const SIZE: (u16, u16) = (80, TALL);
/// Begins far down: both keep the cursor in its row when they become narrower, and what is above it moves
/// out of sight.
const BELOW: &str = "yes '' | head -150; exec env \"$@\"";
/// The variable that says that a missing multiplexer is a failure.
const REQUIRED: &str = "ECHAT_MULTIPLEXERS_REQUIRED";
/// Rows in which all of it is shown.
const TALL: u16 = 200;

/// A multiplexer with one window.
pub enum Multiplexer {
    /// tmux.
    Tmux {
        /// Its socket.
        socket: PathBuf,
        /// A client in control mode, which tells what the window shows.
        control: Child,
        /// One for each time that it told something.
        news: Receiver<()>,
    },
    /// GNU screen.
    Screen {
        /// The folder of its sockets and copies.
        folder: PathBuf,
        /// The terminal that it runs on.
        host: Box<Person>,
    },
}

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path);
    command
        .env("LANG", "C.UTF-8")
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm");
    command
}

fn tmux_at(socket: &Path) -> Command {
    let mut tmux = command("tmux");
    tmux.arg("-S").arg(socket);
    tmux
}

fn run(mut command: Command) -> Output {
    match command.output() {
        Ok(output) => output,
        Err(error) => {
            panic!("{command:?}: {error}; apt-get install tmux screen")
        }
    }
}

/// Whether a program is installed. Where it must be, as in .ci/run, a missing one is a failure;
/// elsewhere standard error says that the test was not run, which libtest does not capture there.
pub fn is_installed(program: &str) -> bool {
    // GNU screen does not know the option, which makes no difference here.
    let is_there = Command::new(program).arg("-V").output().is_ok();
    if !is_there {
        assert!(
            std::env::var_os(REQUIRED).is_none(),
            "{program} is missing: apt-get install tmux screen"
        );
        let _ = writeln!(std::io::stderr(), "NOT RUN: {program} is not installed");
    }
    is_there
}

impl Multiplexer {
    /// tmux with this program in its window, which learns nothing of it from the environment.
    pub fn tmux(folder: &Path, program: &[&str]) -> Self {
        let socket = folder.join("tmux");
        let (cols, rows) = (SIZE.0.to_string(), SIZE.1.to_string());
        let folder = folder.to_str().unwrap();
        let start = [
            "-f",
            "/dev/null",
            "-u",
            "new-session",
            "-d",
            "-x",
            &cols,
            "-y",
            &rows,
            "-c",
            folder,
        ];
        let plain = ["env", "-u", "TMUX", "TERM=xterm", "sh", "-c", BELOW, "sh"];
        let mut session = tmux_at(&socket);
        session.args(start).args(plain).args(program);
        let output = run(session);
        assert!(output.status.success(), "{output:?}");
        let mut control = tmux_at(&socket);
        control.args(["-C", "attach-session", "-f", "ignore-size"]);
        let mut control = control
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = control.stdout.take().unwrap();
        let (tells, news) = channel();
        thread::spawn(move || {
            while let Ok(1..) = told.read(&mut [0; 4096])
                && tells.send(()).is_ok()
            {}
        });
        Self::Tmux {
            socket,
            control,
            news,
        }
    }

    /// GNU screen with this program in its window.
    pub fn screen(folder: &Path, program: &[&str]) -> Self {
        use std::os::unix::fs::DirBuilderExt;
        let sockets = folder.join("s");
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&sockets)
            .unwrap();
        std::fs::write(folder.join("screenrc"), "startup_message off\n").unwrap();
        let mut host = command(SETSID);
        host.env("SCREENDIR", &sockets)
            .env("HOME", folder)
            .current_dir(folder);
        let plain = [
            "-U",
            "-c",
            "screenrc",
            "-S",
            "echat",
            "env",
            "TERM=xterm",
            "sh",
            "-c",
            BELOW,
            "sh",
        ];
        let host = Person::starts_on(
            (SIZE.0, TALL),
            host,
            "screen",
            &[&plain[..], program].concat(),
        );
        let folder = folder.to_owned();
        let host = Box::new(host);
        Self::Screen { folder, host }
    }

    fn asks(&self, arguments: &[&str]) -> Output {
        let mut asked = match self {
            Self::Tmux { socket, .. } => tmux_at(socket),
            Self::Screen { folder, .. } => {
                let mut screen = command("screen");
                screen
                    .env("SCREENDIR", folder.join("s"))
                    .env("HOME", folder);
                screen.args(["-S", "echat", "-p", "0", "-X"]);
                screen
            }
        };
        asked.args(arguments);
        run(asked)
    }

    /// Types into the window.
    pub fn types(&mut self, keys: &str) {
        match self {
            Self::Tmux { .. } => {
                let hex: Vec<String> = keys.bytes().map(|byte| format!("{byte:02x}")).collect();
                let hex: Vec<&str> = hex.iter().map(String::as_str).collect();
                let output = self.asks(&[&["send-keys", "-H"][..], &hex].concat());
                assert!(output.status.success(), "{output:?}");
            }
            Self::Screen { host, .. } => host.types(keys),
        }
    }

    /// Gives it a tall window, in which all is shown, and so many rows more.
    pub fn resizes(&mut self, cols: u16, more: u16) {
        self.becomes(cols, TALL + more);
    }

    /// Gives the window this size.
    pub fn becomes(&mut self, cols: u16, rows: u16) {
        match self {
            Self::Tmux { .. } => {
                let (cols, rows) = (cols.to_string(), rows.to_string());
                let output = self.asks(&["resize-window", "-x", &cols, "-y", &rows]);
                assert!(output.status.success(), "{output:?}");
            }
            Self::Screen { host, .. } => host.resizes(cols, rows),
        }
    }

    /// Whether it can be asked for characters beyond ASCII.
    pub fn copies_unicode(&self) -> bool {
        matches!(self, Self::Tmux { .. })
    }

    /// What GNU screen shows. It writes that after the command has returned, every row of it.
    fn hardcopy(&mut self) -> Vec<u8> {
        let Self::Screen { folder, .. } = &*self else {
            return Vec::new();
        };
        let copy = folder.join("hardcopy");
        let _ = std::fs::remove_file(&copy);
        self.asks(&["hardcopy", copy.to_str().unwrap()]);
        let Self::Screen { host, .. } = self else {
            return Vec::new();
        };
        for _ in 0..LOOKS {
            let copied = std::fs::read(&copy).unwrap_or_default();
            let rows = copied.split(|byte| *byte == b'\n').count() - 1;
            if rows >= usize::from(host.emulator().size().1) {
                return copied;
            }
            if host.has_more(now() + COPY_PAUSE) && !host.reads() {
                break;
            }
        }
        Vec::new()
    }

    /// Waits for a change of what is shown.
    fn waits(&mut self) {
        match self {
            Self::Tmux { news, .. } => {
                // What was told before the last look is known.
                let _ = news.recv_timeout(PAUSE);
                while news.try_recv().is_ok() {}
            }
            Self::Screen { host, .. } => {
                if host.has_more(now() + PAUSE) {
                    host.reads();
                }
            }
        }
    }

    /// The rows that are shown, and what has left the window at its top.
    fn rows(&mut self) -> (Vec<String>, Vec<String>) {
        let shown = match self {
            Self::Tmux { .. } => {
                // Both at once, with nothing between.
                let asked = [
                    "capture-pane",
                    "-p",
                    "-S",
                    "-",
                    "-E",
                    "-1",
                    ";",
                    "display-message",
                    "-p",
                    MARK,
                    ";",
                    "capture-pane",
                    "-p",
                ];
                self.asks(&asked).stdout
            }
            Self::Screen { .. } => self.hardcopy(),
        };
        let shown = match self {
            Self::Tmux { .. } => String::from_utf8_lossy(&shown).into_owned(),
            // A byte of every column, whatever character it is a part of.
            Self::Screen { .. } => shown.iter().copied().map(char::from).collect(),
        };
        let (above, shown) = shown.split_once(MARK).unwrap_or(("", &shown));
        let rows = |text: &str| -> Vec<String> {
            text.trim_end()
                .lines()
                .map(|row| row.trim_end().to_owned())
                .collect()
        };
        (rows(shown), rows(above))
    }

    /// Waits until the rows are like this.
    #[track_caller]
    pub fn shows(&mut self, what: &str, is: impl Fn(&[String], &[String]) -> bool) {
        for _ in 0..LOOKS {
            let (shown, above) = self.rows();
            if is(&shown, &above) {
                return;
            }
            self.waits();
        }
        panic!("{what}: {:#?}", self.rows());
    }
}

impl Drop for Multiplexer {
    fn drop(&mut self) {
        let end = match self {
            Self::Tmux { .. } => "kill-server",
            Self::Screen { .. } => "quit",
        };
        self.asks(&[end]);
        if let Self::Tmux { control, .. } = self {
            // It ends with its server.
            let _ = control.wait();
        }
    }
}
