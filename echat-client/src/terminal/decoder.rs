//! Bytes to keys, one byte at a time, so that it makes no difference how they are cut.

use crate::line_editor::Key;

/// The largest paste, in bytes; what is beyond is left out.
pub const PASTE_MAX: usize = 1 << 20;
/// The longest sequence that is still taken for one.
const SEQUENCE_MAX: usize = 32;
/// What ends a bracketed paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// Turns what a terminal sends into keys.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    keys: Vec<Key>,
    replies: Vec<Reply>,
}

/// What a terminal answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Where its cursor is (CPR, ECMA-48 8.3.14).
    Cursor(Position),
    /// Which device it is (the first number of a secondary DA).
    Device(u16),
}

/// A place on a screen; rows and columns count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// From the top.
    pub row: usize,
    /// From the left.
    pub col: usize,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    /// Some bytes of a character, perhaps after Escape.
    Character {
        bytes: Vec<u8>,
        length: usize,
        alt: bool,
    },
    Escape,
    /// After `ESC [`: parameters.
    Csi(Vec<u8>),
    /// After `ESC [ [`: the function keys of the Linux console.
    Console,
    /// After `ESC O`.
    Ss3,
    Paste {
        bytes: Vec<u8>,
        /// How much of [`PASTE_END`] came last.
        ended: usize,
    },
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes some bytes and gives the keys that are complete with them.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Key> {
        for byte in bytes {
            self.byte(*byte);
        }
        std::mem::take(&mut self.keys)
    }

    /// The answers that are complete since the last call. None of them is a key.
    pub fn replies(&mut self) -> Vec<Reply> {
        std::mem::take(&mut self.replies)
    }

    /// Whether a key has begun that [`Decoder::flush`] would end. A paste has no time-out.
    pub fn is_pending(&self) -> bool {
        !matches!(self.state, State::Ground | State::Paste { .. })
    }

    /// The time for the rest of a key is over: an Escape alone was the key Escape.
    pub fn flush(&mut self) -> Vec<Key> {
        if self.is_pending() {
            let key = match std::mem::take(&mut self.state) {
                State::Escape => Key::Esc,
                State::Ss3 => Key::Alt('O'),
                State::Csi(parameters) if parameters.is_empty() => Key::Alt('['),
                State::Character { .. } => Key::Char(char::REPLACEMENT_CHARACTER),
                _ => Key::Unknown,
            };
            self.keys.push(key);
        }
        std::mem::take(&mut self.keys)
    }

    /// Whether a paste has begun and not ended.
    pub fn is_pasting(&self) -> bool {
        matches!(self.state, State::Paste { .. })
    }

    /// Ends a paste whose end was lost on the way, which would otherwise swallow every key from
    /// now on: for a caller that has seen a long silence.
    pub fn end_paste(&mut self) -> Vec<Key> {
        if self.is_pasting() {
            self.feed(PASTE_END)
        } else {
            Vec::new()
        }
    }

    fn byte(&mut self, byte: u8) {
        match std::mem::take(&mut self.state) {
            State::Ground => self.ground(byte, false),
            State::Escape => self.after_escape(byte),
            State::Character { bytes, length, alt } => self.character(bytes, length, alt, byte),
            State::Csi(parameters) => self.csi(parameters, byte),
            State::Console => self.keys.push(Key::Unknown),
            State::Ss3 => match byte {
                0x20..=0x7e => self.keys.push(cursor_key(byte)),
                _ => self.abort(byte),
            },
            State::Paste { bytes, ended } => self.paste(bytes, ended, byte),
        }
    }

    fn ground(&mut self, byte: u8, alt: bool) {
        let key = match byte {
            0x1b => {
                self.state = State::Escape;
                return;
            }
            0x20..=0x7f if alt => Key::Alt(char::from(byte)),
            0x08 if alt => Key::Alt('\u{8}'),
            b'\r' | b'\n' => Key::Enter,
            b'\t' => Key::Tab,
            0x7f => Key::Backspace,
            0x00 => Key::Ctrl('@'),
            0x01..=0x1a => Key::Ctrl(char::from(byte - 1 + b'a')),
            0x1c..=0x1f => Key::Ctrl(char::from(byte - 0x1c + b'\\')),
            0x20..=0x7e => Key::Char(char::from(byte)),
            0x80.. => {
                let length = match byte {
                    0xc2..=0xdf => 2,
                    0xe0..=0xef => 3,
                    0xf0..=0xf4 => 4,
                    _ => {
                        self.keys.push(Key::Char(char::REPLACEMENT_CHARACTER));
                        return;
                    }
                };
                let bytes = vec![byte];
                self.state = State::Character { bytes, length, alt };
                return;
            }
        };
        self.keys.push(key);
    }

    fn after_escape(&mut self, byte: u8) {
        match byte {
            b'[' => self.state = State::Csi(Vec::new()),
            b'O' => self.state = State::Ss3,
            0x1b => {
                self.keys.push(Key::Esc);
                self.state = State::Escape;
            }
            _ => self.ground(byte, true),
        }
    }

    fn character(&mut self, mut bytes: Vec<u8>, length: usize, alt: bool, byte: u8) {
        if !matches!(byte, 0x80..=0xbf) {
            self.keys.push(Key::Char(char::REPLACEMENT_CHARACTER));
            return self.ground(byte, false);
        }
        bytes.push(byte);
        if bytes.len() < length {
            self.state = State::Character { bytes, length, alt };
            return;
        }
        let c = str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.chars().next())
            .unwrap_or(char::REPLACEMENT_CHARACTER);
        // A C1 control, which no keyboard has.
        self.keys.push(match c {
            c if c.is_control() => Key::Unknown,
            c if alt => Key::Alt(c),
            c => Key::Char(c),
        });
    }

    fn csi(&mut self, mut parameters: Vec<u8>, byte: u8) {
        match byte {
            b'[' if parameters.is_empty() => self.state = State::Console,
            b'~' if parameters == b"200" => {
                let (bytes, ended) = (Vec::new(), 0);
                self.state = State::Paste { bytes, ended };
            }
            0x40..=0x7e => match reply(&parameters, byte) {
                Some(reply) => self.replies.push(reply),
                None => self.keys.push(sequence(&parameters, byte)),
            },
            0x20..=0x3f if parameters.len() < SEQUENCE_MAX => {
                parameters.push(byte);
                self.state = State::Csi(parameters);
            }
            _ => self.abort(byte),
        }
    }

    /// A sequence that ended in a byte that belongs to something else.
    fn abort(&mut self, byte: u8) {
        self.keys.push(Key::Unknown);
        self.ground(byte, false);
    }

    fn paste(&mut self, mut bytes: Vec<u8>, ended: usize, byte: u8) {
        // Only its first byte is an ESC, so that a false start can only begin at another ESC.
        let ended = match byte {
            byte if byte == PASTE_END[ended] => ended + 1,
            0x1b => 1,
            _ => 0,
        };
        if bytes.len() < PASTE_MAX + PASTE_END.len() {
            bytes.push(byte);
        }
        if ended < PASTE_END.len() {
            self.state = State::Paste { bytes, ended };
            return;
        }
        let text = bytes.strip_suffix(PASTE_END).unwrap_or(&bytes);
        let text = &text[..text.len().min(PASTE_MAX)];
        let text = match str::from_utf8(text) {
            Err(cut) if text.len() == PASTE_MAX && cut.error_len().is_none() => {
                &text[..cut.valid_up_to()]
            }
            _ => text,
        };
        let text = String::from_utf8_lossy(text).into_owned();
        self.keys.push(Key::Paste(text));
    }
}

/// The answer that a sequence is. F3 with a modifier looks like one, and means nothing here either.
fn reply(parameters: &[u8], end: u8) -> Option<Reply> {
    let mut numbers = parameters
        .strip_prefix(b">")
        .unwrap_or(parameters)
        .split(|byte| *byte == b';')
        .map_while(|number| str::from_utf8(number).ok()?.parse::<u16>().ok());
    match (end, parameters.first()) {
        (b'R', Some(b'0'..=b'9')) => {
            let (row, col) = (numbers.next()?.into(), numbers.next()?.into());
            Some(Reply::Cursor(Position { row, col }))
        }
        (b'c', Some(b'>')) => numbers.next().map(Reply::Device),
        _ => None,
    }
}

/// A key that has a sequence with parameters; a modifier makes an arrow one of words.
fn sequence(parameters: &[u8], end: u8) -> Key {
    let mut numbers = parameters
        .split(|byte| *byte == b';')
        .map(|number| str::from_utf8(number).unwrap_or("").parse::<u8>());
    let number = numbers.next().and_then(Result::ok);
    let modifier = numbers.next().and_then(Result::ok);
    // 1 and the sum of Shift 1, Alt 2, Control 4.
    let by_words = modifier.is_some_and(|modifier| modifier.saturating_sub(1) & 6 != 0);
    match (end, number) {
        (b'Z', _) => Key::BackTab,
        (b'C', _) if by_words => Key::Alt('f'),
        (b'D', _) if by_words => Key::Alt('b'),
        (b'A'..=b'D' | b'F' | b'H', _) => cursor_key(end),
        (b'~', Some(1 | 7)) => Key::Home,
        (b'~', Some(3)) if by_words => Key::Alt('d'),
        (b'~', Some(3)) => Key::Delete,
        (b'~', Some(4 | 8)) => Key::End,
        (b'~', Some(5)) => Key::PageUp,
        (b'~', Some(6)) => Key::PageDown,
        _ => Key::Unknown,
    }
}

fn cursor_key(byte: u8) -> Key {
    match byte {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'F' => Key::End,
        b'H' => Key::Home,
        // Enter of the number pad.
        b'M' => Key::Enter,
        _ => Key::Unknown,
    }
}
