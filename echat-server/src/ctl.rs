//! `echat-server ctl`: asks the server that uses a data folder, and the form of what is said (docs/administration.md).
//!
//! A command is a line of JSON: `{"command": "suspend", "params": {"name": "bob"}}`, or with the parameters in their
//! order as `{"command": "suspend", "words": ["bob", "2h"]}`. The answer is a line, too:
//! `{"ok": true, "result": {...}, "text": "..."}`, or `{"ok": false, "code": "unknown_user", "message": "..."}`. While
//! a command is under way, the server writes a space each second, which JSON ignores before a value: a client that
//! hears nothing for long knows that the server does not answer.

use crate::engine::{AdminRefusal, AdminReport, CommandInfo, RawArguments};
use crate::exit::ExitCode;
use crate::maintenance::FolderView;
use echat_proto::Value;
use echat_proto::json::{from_json, from_json_any_number, to_json};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use std::env;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// The name of the socket in the data folder.
pub const SOCKET: &str = "ctl.sock";

/// Bytes of a line.
pub const LINE_MAX: usize = 65_536;

/// Bytes of the path of a socket (unix(7)).
const PATH_MAX: usize = 107;

/// Why a command was not carried out.
#[derive(Debug, Error)]
pub enum CtlError {
    /// No server answers.
    #[error("{}: no server uses this data folder: {source}", socket.display())]
    NoServer {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The socket is not this user's.
    #[error("{}: {source}", socket.display())]
    Permission {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The socket is that of another system user than the owner of the data folder.
    #[error(
        "{}: user {user} of the system listens there, and the data folder belongs to user {owner}: this is not its server",
        socket.display()
    )]
    Foreign {
        /// The socket.
        socket: PathBuf,
        /// The number of the user that listens.
        user: u32,
        /// The number of the owner.
        owner: u32,
    },
    /// The server is there, and silent.
    #[error(
        "{}: the server does not answer: nothing came from it for {} s (--timeout); it may still carry out the command",
        socket.display(), patience.as_secs()
    )]
    NoAnswer {
        /// The socket.
        socket: PathBuf,
        /// How long it was waited for.
        patience: Duration,
    },
    /// An option stands behind a command that takes a text.
    #[error(
        "--{0} stands behind a command that takes a text, and may be meant as a word of it: options stand before the \
         command; behind --, all words are the text's"
    )]
    OptionInText(String),
    /// The connection failed, or the server ended.
    #[error("the server did not answer: {0}")]
    Broken(#[from] io::Error),
}

impl CtlError {
    /// The exit code of this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::OptionInText(_) => ExitCode::Usage,
            Self::NoServer { .. } => ExitCode::Unavailable,
            Self::Permission { .. } | Self::Foreign { .. } => ExitCode::Permission,
            Self::NoAnswer { .. } => ExitCode::Busy,
            Self::Broken(_) => ExitCode::Io,
        }
    }
}

/// The answer of the server, as it is printed.
#[derive(Debug)]
pub struct CtlOutput {
    /// Whole lines.
    pub text: String,
    /// Whether they are for standard error.
    pub is_error: bool,
    /// The exit code.
    pub code: ExitCode,
}

/// Bytes of an answer at most, with the signs of life before it: more than any page of a list has.
const ANSWER_BYTES: u64 = 16 * 1024 * 1024;

/// Calls `with` with a path to a socket that is short enough for the system, however long its own path is.
///
/// # Errors
/// Those of `with`, and of opening the folder.
pub fn with_short_path<T>(path: &Path, with: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if path.as_os_str().len() > PATH_MAX => {
            let folder = File::open(folder)?;
            with(
                &Path::new("/proc/self/fd")
                    .join(folder.as_raw_fd().to_string())
                    .join(name),
            )
        }
        _ => with(path),
    }
}

/// Refuses an option behind a command that takes a text, such as a broadcast: the words would be sent without it.
///
/// # Errors
/// [`CtlError::OptionInText`].
pub fn refuse_option_in_text(
    words: &[String],
    option_behind: Option<String>,
) -> Result<(), CtlError> {
    let takes_text = CommandInfo::of_words(words).is_some_and(|(info, _)| info.takes_text());
    match option_behind.filter(|_| takes_text) {
        Some(option) => Err(CtlError::OptionInText(option)),
        None => Ok(()),
    }
}

/// Sends a command to the server that uses the data folder, and waits for the answer, however long that takes as long
/// as the server gives signs of life: at most `patience` from one to the next.
///
/// # Errors
/// See [`CtlError`].
pub fn ask(
    data: &Path,
    words: &[String],
    as_json: bool,
    patience: Duration,
) -> Result<CtlOutput, CtlError> {
    let socket = data.join(SOCKET);
    let silent = || CtlError::NoAnswer {
        socket: socket.clone(),
        patience,
    };
    let mut stream =
        with_short_path(&socket, |path| connect(path, patience)).map_err(|source| {
            let socket = socket.clone();
            match source.kind() {
                ErrorKind::PermissionDenied => CtlError::Permission { socket, source },
                ErrorKind::WouldBlock => silent(),
                _ => CtlError::NoServer { socket, source },
            }
        })?;
    refuse_other_user(&stream, data, &socket)?;
    stream.set_read_timeout(Some(patience))?;
    let line = request(words);
    // A refusal comes before the end of a line that is too long.
    let sent = stream.write_all(line.as_bytes());
    let mut answer = String::new();
    let read = BufReader::new((&stream).take(ANSWER_BYTES)).read_line(&mut answer);
    read.map_err(|error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => silent(),
        _ => error.into(),
    })?;
    // Signs of life are no answer, and neither is a part of one.
    if !answer.ends_with('\n') {
        sent?;
        let ended = "the connection ended before its answer was complete; it may have carried out the command";
        return Err(io::Error::new(ErrorKind::UnexpectedEof, ended).into());
    }
    Ok(output(&answer, as_json))
}

/// Connects to a socket. Waits for no longer than `patience` for a place in its queue, which a stopped server does not
/// empty; no write waits for longer either.
fn connect(path: &Path, patience: Duration) -> io::Result<UnixStream> {
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(patience))?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket.into())
}

/// Refuses a server that neither the owner of the data folder nor root has started: it would learn the command, and
/// could answer anything.
#[cfg(target_os = "linux")]
fn refuse_other_user(stream: &UnixStream, data: &Path, socket: &Path) -> Result<(), CtlError> {
    let owner = data.metadata()?.uid();
    let peer = rustix::net::sockopt::socket_peercred(stream).map_err(io::Error::from)?;
    match peer.uid.as_raw() {
        0 => Ok(()),
        user if user == owner => Ok(()),
        user => Err(CtlError::Foreign {
            socket: socket.to_owned(),
            user,
            owner,
        }),
    }
}

/// Elsewhere the modes of the folder and of the socket alone decide.
#[cfg(not(target_os = "linux"))]
fn refuse_other_user(_: &UnixStream, _: &Path, _: &Path) -> Result<(), CtlError> {
    Ok(())
}

/// The line of a command. The server knows the current folder of its own process only, so paths are made full. It may
/// see another folder under such a path, so it is told which one is meant.
fn request(words: &[String]) -> String {
    let named = CommandInfo::of_words(words);
    let mut words: Vec<String> = words.to_vec();
    let command = if words.is_empty() {
        "help".to_owned()
    } else {
        words.remove(0)
    };
    let mut view = None;
    if let (Some((info, count)), Ok(folder)) = (named, env::current_dir()) {
        for (word, param) in words.iter_mut().skip(count - 1).zip(info.params) {
            // The server has no streams of its client.
            if param.kind == "file" && word != "-" {
                let path = folder.join(&*word);
                *word = path.to_string_lossy().into_owned();
                view = Some(FolderView::of(&path));
            }
        }
    }
    let words = words.into_iter().map(Value::Str).collect();
    let mut line = vec![
        ("command".to_owned(), Value::Str(command)),
        ("words".to_owned(), Value::List(words)),
    ];
    line.extend(view.map(|view| (FOLDER.to_owned(), folder_value(view))));
    format!("{}\n", to_json(&Value::Dict(line)))
}

/// The key of the folder of a command's file, and those of its value.
const FOLDER: &str = "folder";
const DEVICE: &str = "device";
const INODE: &str = "inode";

/// The form of a folder: null if it is not there.
fn folder_value(view: FolderView) -> Value {
    match view {
        FolderView::Absent => Value::Null,
        FolderView::Present { device, inode } => Value::Dict(vec![
            (DEVICE.to_owned(), device.into()),
            (INODE.to_owned(), inode.into()),
        ]),
    }
}

/// Reads the form of a folder.
fn read_folder(value: &Value) -> Result<FolderView, String> {
    let entries = match value {
        Value::Null => return Ok(FolderView::Absent),
        Value::Dict(entries) => &entries[..],
        _ => &[],
    };
    let number = |name: &str| {
        entries.iter().find_map(|(key, value)| match value {
            Value::Int(number) if key == name => Some(*number),
            _ => None,
        })
    };
    match (number(DEVICE), number(INODE)) {
        (Some(device), Some(inode)) if entries.len() == 2 => {
            Ok(FolderView::Present { device, inode })
        }
        _ => Err(format!(
            "{FOLDER} must be null, or have {DEVICE} and {INODE} as whole numbers"
        )),
    }
}

/// The printed form of an answer.
fn output(answer: &str, as_json: bool) -> CtlOutput {
    // Before it stand the signs of life.
    let answer = answer.trim();
    let value = from_json(answer).unwrap_or(Value::Null);
    let field = |name: &str| match &value {
        Value::Dict(entries) => entries
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, it)| it),
        _ => None,
    };
    let text = |name: &str| match field(name) {
        Some(Value::Str(text)) => text.clone(),
        _ => String::new(),
    };
    let is_error = field("ok") != Some(&Value::Bool(true));
    let code = match text("code").as_str() {
        _ if !is_error => ExitCode::Ok,
        "bad_params" | "bad_line" | "too_long" => ExitCode::Usage,
        // As of the commands that do the same without a server.
        "storage_damaged" => ExitCode::Data,
        "not_found" => ExitCode::NoInput,
        "cannot_create" => ExitCode::CannotCreate,
        "storage_full" | "storage_busy" | "failed" => ExitCode::Io,
        "busy" => ExitCode::Busy,
        "bad_config" => ExitCode::Config,
        _ => ExitCode::Refused,
    };
    let lines = if as_json {
        format!("{answer}\n")
    } else if is_error {
        format!("echat-server: {} ({})\n", text("message"), text("code"))
    } else {
        text("text")
    };
    CtlOutput {
        text: lines,
        is_error: is_error && !as_json,
        code,
    }
}

/// A command that a line asks for. One of its arguments may be a secret: there is no `Debug`.
pub struct CtlRequest {
    /// The name of the command, or its first word.
    pub command: String,
    /// The arguments.
    pub arguments: RawArguments,
    /// The folder of the file that the command names, as the client sees it; `None` if the client does not say.
    pub folder: Option<FolderView>,
}

/// Reads a line that asks for a command.
///
/// # Errors
/// Why the line is no command.
pub fn read_line(line: &[u8]) -> Result<CtlRequest, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    // A number that no parameter has is refused by the name of the parameter.
    let value = from_json_any_number(text).map_err(|error| error.to_string())?;
    let Value::Dict(entries) = value else {
        return Err(format!("it is {}, not an object", value.kind()));
    };
    let (mut command, mut words, mut params, mut folder) = (None, None, None, None);
    for (key, value) in entries {
        match (key.as_str(), value) {
            ("command", Value::Str(text)) => command = Some(text),
            ("words", Value::List(list)) => words = Some(list),
            ("params", Value::Dict(entries)) => params = Some(entries),
            (FOLDER, value) => folder = Some(read_folder(&value)?),
            (key @ ("command" | "words" | "params"), value) => {
                return Err(format!("{key} cannot be {}", value.kind()));
            }
            (key, _) => return Err(format!("{key:?} is unknown")),
        }
    }
    let command = command.ok_or("command is missing")?;
    let arguments = match (words, params) {
        (Some(_), Some(_)) => return Err("it has both words and params".to_owned()),
        (Some(words), None) => RawArguments::from_words(words),
        (None, params) => RawArguments::from_entries(params.unwrap_or_default()),
    };
    Ok(CtlRequest {
        command,
        arguments,
        folder,
    })
}

/// The answer that something was done.
pub fn reply_line(report: &AdminReport) -> String {
    let value = Value::Dict(vec![
        ("ok".to_owned(), Value::Bool(true)),
        ("result".to_owned(), Value::Dict(report.entries())),
        ("text".to_owned(), Value::Str(report.text())),
    ]);
    format!("{}\n", to_json(&value))
}

/// The answer in place of the server's, where a command comes to none.
pub fn failure_line(code: ExitCode, message: &str) -> String {
    let value = Value::Dict(vec![
        ("ok".to_owned(), Value::Bool(false)),
        ("code".to_owned(), code.word().into()),
        ("message".to_owned(), Value::Str(message.to_owned())),
    ]);
    format!("{}\n", to_json(&value))
}

/// The answer that nothing was done.
pub fn refusal_line(refused: &AdminRefusal) -> String {
    let mut entries = vec![
        ("ok".to_owned(), Value::Bool(false)),
        ("code".to_owned(), Value::Str(refused.code.to_owned())),
        ("message".to_owned(), Value::Str(refused.message.clone())),
    ];
    entries.extend_from_slice(&refused.detail);
    format!("{}\n", to_json(&Value::Dict(entries)))
}
