//! Standard input: keys of a terminal in raw mode, or lines.

use std::io;
use std::time::Duration;

use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::line_editor::Key;
use crate::lines::{Lines, Numbered};
use crate::terminal::{Charset, Decoder, Reply, Transcoder};

/// How long after Escape the rest of a key may come.
const REST_OF_KEY: Duration = Duration::from_millis(50);
/// A paste that is silent for so long has lost its end on the way.
const REST_OF_PASTE: Duration = Duration::from_secs(5);
/// How many bytes one read takes at most.
const READ: usize = 64 << 10;

/// What was typed.
#[derive(Debug)]
pub(super) enum Typed {
    Key(Key),
    Line(String),
    /// A line, counted from 1, that is no text.
    NotText(usize),
    /// The keys after this hold bytes that are no text.
    Garbled,
    /// The terminal's answer to a question of the program's.
    Reply(Reply),
    /// Nothing more will come.
    End,
}

#[derive(Debug)]
enum Reader {
    Keys(Decoder),
    Lines(Lines),
    Ended,
}

/// Standard input. Nothing is read ahead of what poll(2) has announced.
#[derive(Debug)]
pub(super) struct Keyboard {
    reader: Reader,
    /// Where the locale's encoding is not UTF-8.
    transcoder: Option<Transcoder>,
    /// When the key under way is over.
    deadline: Option<Duration>,
}

impl Keyboard {
    /// Keys if the terminal is in raw mode, else lines.
    pub(super) fn new(raw: bool) -> Self {
        let reader = if raw {
            Reader::Keys(Decoder::new())
        } else {
            Reader::Lines(Lines::default())
        };
        Self {
            reader,
            transcoder: Charset::of_locale().map(Transcoder::new),
            deadline: None,
        }
    }

    /// Whether anything may still come.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.reader, Reader::Ended)
    }

    /// When [`Keyboard::late`] is due.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Reads once.
    pub(super) fn read(&mut self, clock: &Clock) -> io::Result<Vec<Typed>> {
        // What is typed may be a password.
        let mut buffer = Zeroizing::new(vec![0; READ]);
        let length = match rustix::io::read(rustix::stdio::stdin(), &mut buffer[..]) {
            Ok(length) => length,
            Err(Errno::INTR | Errno::AGAIN) => return Ok(Vec::new()),
            // A terminal that is gone.
            Err(Errno::IO) => 0,
            Err(error) => return Err(error.into()),
        };
        let text;
        let bytes = match &mut self.transcoder {
            Some(transcoder) => {
                text = transcoder.feed(&buffer[..length], length == 0);
                &text[..]
            }
            None => &buffer[..length],
        };
        let mut typed = match &mut self.reader {
            Reader::Keys(decoder) => {
                let mut typed = keys(decoder.feed(bytes), bytes);
                typed.extend(decoder.replies().into_iter().map(Typed::Reply));
                typed
            }
            Reader::Lines(lines) => {
                lines.push(bytes);
                let mut typed = Vec::new();
                while let Some(line) = lines.next_line().map_err(io::Error::other)? {
                    typed.push(as_line(line));
                }
                if length == 0
                    && let Some(line) = lines.last_line()
                {
                    typed.push(as_line(line));
                }
                typed
            }
            Reader::Ended => Vec::new(),
        };
        if length == 0 {
            self.reader = Reader::Ended;
            typed.push(Typed::End);
        }
        self.deadline = match &self.reader {
            Reader::Keys(decoder) if decoder.is_pending() => Some(clock.now() + REST_OF_KEY),
            Reader::Keys(decoder) if decoder.is_pasting() => Some(clock.now() + REST_OF_PASTE),
            _ => None,
        };
        Ok(typed)
    }

    /// The rest of a key did not come in time: what was there was a key of its own.
    pub(super) fn late(&mut self, clock: &Clock) -> Vec<Typed> {
        if self.deadline.is_none_or(|deadline| clock.now() < deadline) {
            return Vec::new();
        }
        self.deadline = None;
        let Reader::Keys(decoder) = &mut self.reader else {
            return Vec::new();
        };
        let keys = if decoder.is_pasting() {
            decoder.end_paste()
        } else {
            decoder.flush()
        };
        self::keys(keys, b"")
    }
}

fn as_line((number, bytes): Numbered) -> Typed {
    let bytes = Zeroizing::new(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(&bytes);
    match str::from_utf8(bytes) {
        // Editors of Windows begin a file with a byte order mark.
        Ok(text) if number == 1 => {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            Typed::Line(text.to_owned())
        }
        Ok(text) => Typed::Line(text.to_owned()),
        Err(_) => Typed::NotText(number),
    }
}

/// The keys that bytes were. Those that are no text became replacement characters; a replacement
/// character that was typed as such is text. The word about it comes before the keys: one of them
/// may end the line.
fn keys(keys: Vec<Key>, bytes: &[u8]) -> Vec<Typed> {
    const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;
    let is_replaced = |key: &Key| match key {
        Key::Char(c) | Key::Alt(c) => *c == REPLACEMENT,
        Key::Paste(text) => text.contains(REPLACEMENT),
        _ => false,
    };
    let is_typed = bytes
        .windows(REPLACEMENT.len_utf8())
        .any(|part| part == "\u{fffd}".as_bytes());
    let is_garbled = keys.iter().any(is_replaced) && !is_typed;
    let garbled = is_garbled.then_some(Typed::Garbled);
    garbled
        .into_iter()
        .chain(keys.into_iter().map(Typed::Key))
        .collect()
}
