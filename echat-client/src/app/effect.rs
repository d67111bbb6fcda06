//! What goes into the application and what comes out of it.

use std::time::Duration;

use echat_proto::channel::Message;
use echat_proto::commands::Event;
use echat_proto::config::Notify;
use echat_proto::names::DeviceSecret;

use crate::exit::Exit;
use crate::line_editor::Key;
use crate::modes::Context;
use crate::net::address::LinkTarget;
use crate::render::safe::Safe;
use crate::render::styled::Line;
use crate::secret::Secret;
use crate::session::Post;
pub use crate::session::outgoing::Files;
use crate::statement;
use crate::target::Target;

/// Something that happened.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "an input lives for one step of the application"
)]
pub enum Input {
    /// The program begins.
    Start,
    /// A key.
    Key(Key),
    /// A line, where there is no terminal.
    Line(Secret),
    /// A line of a pipe is longer than 1 MiB; nothing after it is read.
    LineTooLong {
        /// Its number, counted from 1.
        line: u64,
    },
    /// A line that is no text, where there is no terminal.
    NotText {
        /// Counted from 1.
        line: u64,
    },
    /// The input is UTF-16, and nothing of it was taken.
    Utf16,
    /// Text of several lines, each with a newline, that came faster than a person types.
    Lines(Secret),
    /// The paste that comes now was cut to [`PASTE_MAX`](crate::line_editor::PASTE_MAX) bytes.
    PasteCut {
        /// The bytes that it had.
        whole: usize,
    },
    /// The keys that come now hold bytes that are no text, as replacement characters.
    Garbled,
    /// The terminal shows the effects of the steps before, and no key that was typed before is unread. Sent when
    /// [`App::has_unseen_question`](super::App::has_unseen_question) is true.
    Shown,
    /// The terminal has another width.
    Resize,
    /// The server that a connection was made to, with its key. Comes before [`Input::Connected`].
    Server(LinkTarget),
    /// The channel is open, without a login.
    Connected,
    /// The server says something.
    Event(Event),
    /// The channel is down, by CLOSE_NOTIFY with a reason, or cut.
    Closed(Option<u64>),
    /// It did not come up.
    ConnectFailed {
        /// Where to.
        address: String,
        /// Why, in the user's language.
        why: String,
    },
    /// The server is not trusted, or what decides that cannot be read. The user was told why. How the program ends, if
    /// it does.
    Untrusted(Exit),
    /// The file that [`Effect::LoadOutgoing`] asked for: its lines, which need not be text, or `None`
    /// if another client holds it.
    Outgoing {
        /// The user's name.
        user: String,
        /// What it holds.
        lines: Option<Vec<u8>>,
    },
    /// Where a user's lines are kept from now on: comes before the file, and whenever writing them
    /// begins to fail or succeeds again.
    Kept {
        /// The user's name.
        user: String,
        /// The files; `None` if lines are not kept.
        files: Option<Files>,
    },
    /// That file cannot be read or locked.
    NoOutgoing {
        /// The user's name.
        user: String,
        /// Why, in the user's language.
        why: String,
    },
    /// What became of the file of an export.
    Export(ExportReport),
    /// Time passed, as people count it.
    Tick {
        /// Unix seconds.
        now: u64,
    },
    /// Time passed. What follows happened at this time.
    Elapsed {
        /// Time since some moment, monotonic.
        at: Duration,
    },
    /// [`App::elapses_at`](super::App::elapses_at) has come. Bytes that came before have to be
    /// told first: silence is judged now.
    Due,
    /// The machine was resumed, or the process was continued.
    Woke,
    /// Bytes came from the server.
    Heard,
    /// The server sent a PONG.
    Pong,
    /// Nothing more will be typed.
    EndOfInput,
    /// The program is in the foreground again: everything is to be drawn again.
    Resume,
}

impl Input {
    /// Whether the prompt is drawn again after it, even if nothing was shown.
    pub(super) fn redraws(&self) -> bool {
        match self {
            Self::Start
            | Self::Key(_)
            | Self::Line(_)
            | Self::LineTooLong { .. }
            | Self::NotText { .. }
            | Self::Utf16
            | Self::Lines(_)
            | Self::PasteCut { .. }
            | Self::Garbled
            | Self::Resize
            | Self::Connected
            | Self::Event(_)
            | Self::Closed(_)
            | Self::ConnectFailed { .. }
            | Self::Untrusted(_)
            | Self::Outgoing { .. }
            | Self::Kept { .. }
            | Self::NoOutgoing { .. }
            | Self::EndOfInput
            | Self::Resume => true,
            Self::Shown
            | Self::Export(_)
            | Self::Server(_)
            | Self::Tick { .. }
            | Self::Elapsed { .. }
            | Self::Due
            | Self::Woke
            | Self::Heard
            | Self::Pong => false,
        }
    }
}

/// What became of the file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportReport {
    /// It was begun.
    Created,
    /// Lines were written.
    Written,
    /// It is in its place.
    Finished,
    /// Its name is taken.
    Exists,
    /// It cannot be written, and is removed.
    Failed {
        /// Why, in the user's language.
        why: String,
    },
}

/// A message that is meant for the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Where it was said.
    pub conversation: Target,
    /// Whether the bell rings.
    pub rings: bool,
    /// The title and body of a desktop notification, if there is to be one.
    pub note: Option<(String, String)>,
}

impl Alert {
    /// The alert for a message that is meant for the reader, if alerts are wanted. How often one may ring depends on
    /// the time, which is not known here to the millisecond.
    pub(super) fn about(context: &Context, target: &Target, post: &Post) -> Option<Self> {
        let is_for_me = !target.is_room() || post.names_me;
        let is_folded = context.session.folds(target, &post.sender);
        if post.mine || !is_for_me || is_folded || !context.settings.interactive {
            return None;
        }
        let config = &context.settings.config;
        let notifies = config.notify != Notify::Off;
        let shown = statement::as_shown(&post.content);
        let first = shown.lines().next().unwrap_or_default();
        let note = || {
            let [title, body] = [&post.sender, first].map(Safe::line);
            (title.as_str().to_owned(), body.as_str().to_owned())
        };
        (config.bell || notifies).then(|| Self {
            conversation: target.clone(),
            rings: config.bell,
            note: notifies.then(note),
        })
    }
}

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Show lines above the prompt.
    Print(Vec<Line>),
    /// Draw the prompt and the edited line.
    Prompt,
    /// Connect now, and answer with [`Input::Connected`] or [`Input::ConnectFailed`].
    Connect,
    /// Say goodbye and close.
    Disconnect,
    /// Close without a goodbye: the other end does not answer.
    GiveUp,
    /// Send a PING.
    Ping,
    /// Send to the server.
    Send(Message),
    /// Send a LOGIN, with the secret by which this server knows the user's device, if one is kept.
    LogIn {
        /// The user's name, as typed.
        user: String,
        /// The request without the secret.
        login: Message,
    },
    /// Keep the secret by which this server knows the user's device, for the next login.
    KeepDevice {
        /// The user's name.
        user: String,
        /// The secret.
        device: DeviceSecret,
    },
    /// The user has another name: the secret by which this server knows the user's device is kept under it.
    RenameDevice {
        /// The name until now.
        was: String,
        /// The new one.
        name: String,
    },
    /// Ring or notify, if this conversation has not just done so.
    Alert(Alert),
    /// Name the window.
    Title(String),
    /// Read the user's file of unsent lines and answer with [`Input::Outgoing`] or
    /// [`Input::NoOutgoing`].
    LoadOutgoing {
        /// The user's name.
        user: String,
    },
    /// Write the user's file of unsent lines before anything is sent.
    SaveOutgoing {
        /// The user's name.
        user: String,
        /// What it shall hold.
        lines: String,
    },
    /// Add a line to the file of those that are never sent.
    SetAside {
        /// The user's name.
        user: String,
        /// The line, with its newline.
        line: Vec<u8>,
    },
    /// Begin the file of an export, and answer with [`ExportReport::Created`] or [`ExportReport::Failed`].
    CreateExport {
        /// The file, as typed.
        file: String,
    },
    /// Write lines to the file of the export, and answer with [`ExportReport::Written`] or [`ExportReport::Failed`].
    WriteExport {
        /// The lines, each with its newline.
        lines: String,
    },
    /// Put the file of the export in its place, and answer with [`ExportReport::Finished`] or [`ExportReport::Failed`].
    FinishExport,
    /// Remove what there is of the file of the export.
    DropExport,
    /// Clear the screen.
    ClearScreen,
    /// End.
    Quit(Exit),
}
