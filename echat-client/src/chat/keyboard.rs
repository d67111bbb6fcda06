//! Standard input: keys of a terminal in raw mode, or lines.

use std::io::{self, IsTerminal};
use std::time::Duration;

use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::line_editor::Key;
use crate::local::lines::{Lines, NumberedLine, TooLong, is_utf16};
use crate::secret::Secret;
use crate::terminal::{Burst, Charset, Decoder, TerminalReply, Token, Transcoder, typed_text};

/// Waiting for longer than this means that nothing was there to read at first.
const LOOK: Duration = Duration::from_millis(1);
/// How many bytes one read takes at most.
const READ: usize = 64 << 10;

/// What was typed.
#[derive(Debug)]
pub(super) enum KeyboardInput {
    Key(Key),
    Line(Secret),
    /// Several lines that were pasted where the terminal does not mark a paste.
    Lines(Secret),
    /// The paste after this was so many bytes, of which some are left out.
    PasteCut {
        whole: usize,
    },
    /// A line, counted from 1, that is no text.
    NotText(usize),
    /// The line with this number is too long. Nothing after it is read.
    LineTooLong(usize),
    /// The input is UTF-16.
    Utf16,
    /// The keys after this hold bytes that are no text.
    Garbled,
    /// The terminal's answer to a question of the program's.
    Reply(TerminalReply),
    /// Nothing more will come.
    End,
}

enum Reader {
    /// A terminal in raw mode.
    Keys(Decoder, Burst),
    /// A terminal that edits lines itself, or a pipe or a file.
    Lines(Lines, InputSource),
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InputSource {
    Terminal,
    Other,
}

/// Standard input. Nothing is read ahead of what poll(2) has announced.
pub(super) struct Keyboard {
    reader: Reader,
    /// Where the locale's encoding is not UTF-8.
    transcoder: Option<Transcoder>,
    /// When it was last known that nothing was there to read; `None` before the first look.
    looked: Option<Duration>,
}

impl Keyboard {
    /// Keys in interactive use, where the terminal is in raw mode; else lines.
    pub(super) fn new(interactive: bool) -> Self {
        let reader = if interactive {
            Reader::Keys(Decoder::new(), Burst::default())
        } else if io::stdin().is_terminal() {
            Reader::Lines(Lines::default(), InputSource::Terminal)
        } else {
            Reader::Lines(Lines::default(), InputSource::Other)
        };
        Self {
            reader,
            transcoder: Charset::of_locale().map(Transcoder::new),
            looked: None,
        }
    }

    /// Whether anything may still come.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.reader, Reader::Ended)
    }

    /// When [`Keyboard::late`] is due.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match &self.reader {
            Reader::Keys(decoder, burst) => [decoder.deadline(), burst.deadline()]
                .into_iter()
                .flatten()
                .min(),
            Reader::Lines(..) | Reader::Ended => None,
        }
    }

    /// It was waited for from one time to another, and then something was there to read, or not.
    /// What is there at once came at any time since the last look.
    pub(super) fn waited(&mut self, from: Duration, to: Duration, ready: bool) {
        if !ready || to >= from + LOOK {
            self.looked = Some(to);
        }
    }

    /// Reads once.
    pub(super) fn read(&mut self, clock: &Clock) -> io::Result<Vec<KeyboardInput>> {
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
        let now = clock.now();
        let away = self.looked.map_or(now, |looked| now.saturating_sub(looked));
        self.looked = Some(now);
        let is_last = length == 0;
        let mut typed = match &mut self.reader {
            Reader::Keys(decoder, burst) => {
                let mut tokens = burst.feed(decoder.feed(bytes, now), away, now);
                if is_last {
                    tokens.extend(burst.feed(decoder.end(), away, now));
                    tokens.extend(burst.end());
                }
                tokens.into_iter().map(of_token).collect()
            }
            Reader::Lines(lines, source) => {
                let source = *source;
                let (whole, too_long) = cut(lines, bytes, is_last);
                let mut typed: Vec<KeyboardInput> = whole
                    .into_iter()
                    .map(|line| as_line(line, source))
                    .collect();
                if let Some(TooLong(line)) = too_long {
                    typed.push(KeyboardInput::LineTooLong(line));
                    self.reader = Reader::Ended;
                }
                typed
            }
            Reader::Ended => Vec::new(),
        };
        if is_last {
            self.reader = Reader::Ended;
            typed.push(KeyboardInput::End);
        }
        Ok(typed)
    }

    /// Nothing more came in time: decides what was begun. Only where nothing is there to read.
    pub(super) fn late(&mut self, clock: &Clock) -> Vec<KeyboardInput> {
        let now = clock.now();
        match &mut self.reader {
            Reader::Keys(decoder, burst) => {
                let mut tokens = burst.late(now);
                tokens.extend(burst.feed(decoder.late(now), Duration::ZERO, now));
                tokens.into_iter().map(of_token).collect()
            }
            Reader::Lines(..) | Reader::Ended => Vec::new(),
        }
    }
}

/// The lines that these bytes complete, and the line after them if it is too long.
fn cut(lines: &mut Lines, bytes: &[u8], is_last: bool) -> (Vec<NumberedLine>, Option<TooLong>) {
    lines.push(bytes);
    let mut whole = Vec::new();
    loop {
        match lines.next_line() {
            Ok(Some(line)) => whole.push(line),
            Ok(None) => break,
            Err(too_long) => return (whole, Some(too_long)),
        }
    }
    if is_last {
        whole.extend(lines.last_line());
    }
    (whole, None)
}

fn as_line((number, bytes): NumberedLine, source: InputSource) -> KeyboardInput {
    if number == 1 && is_utf16(&bytes) {
        return KeyboardInput::Utf16;
    }
    let bytes = match source {
        InputSource::Terminal => typed_text(&bytes),
        InputSource::Other => bytes,
    };
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(&bytes);
    match str::from_utf8(bytes) {
        Ok(text) => KeyboardInput::Line(text.into()),
        Err(_) => KeyboardInput::NotText(number),
    }
}

fn of_token(token: Token) -> KeyboardInput {
    match token {
        Token::Key(key) => KeyboardInput::Key(key),
        Token::Lines(text) => KeyboardInput::Lines(text),
        Token::NotText => KeyboardInput::Garbled,
        Token::PasteCut { whole } => KeyboardInput::PasteCut { whole },
        Token::Reply(reply) => KeyboardInput::Reply(reply),
    }
}
