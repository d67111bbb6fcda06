//! Bytes to keys, one byte at a time, so that it makes no difference how they are cut.
//!
//! Not all that a terminal sends is a key. It also answers questions, those of a program that ran
//! before this one among them: such replies are recognised by their form (ECMA-48, 5.4 and 5.6) and
//! leave no key behind. Times are passed in, and only the pauses between two calls count.

mod keymap;

use std::time::Duration;

use zeroize::Zeroizing;

use crate::line_editor::{Key, MASKED_MAX, PASTE_MAX};
use crate::secret::Secret;

/// The longest control sequence, in bytes: the attributes of a device (DA1) take some forty.
const SEQUENCE_MAX: usize = 256;
/// The longest string (OSC, DCS, APC, PM, SOS), in bytes: a clipboard (OSC 52) may be as large as a
/// paste. Behind it, bytes are keys again.
const STRING_MAX: usize = 2 * PASTE_MAX;
/// What ends a bracketed paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// How long after an Escape the rest of its sequence may come; later it was the key Escape.
const REST_OF_ESCAPE: Duration = Duration::from_millis(100);
/// How long the next byte of a sequence, a string or a character may take. After a longer pause the
/// begun one is dropped, and bytes are keys again.
const REST: Duration = Duration::from_secs(1);
/// A paste that is silent for so long has lost its end on the way.
const REST_OF_PASTE: Duration = Duration::from_secs(5);
/// A line feed so soon after a carriage return belongs to it.
const LINE_FEED: Duration = Duration::from_millis(10);

/// What came from a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A key, or a text that was pasted between marks.
    Key(Key),
    /// Text of several lines that came faster than a person types ([`Burst`](super::Burst)).
    Lines(Secret),
    /// The next token holds bytes that are no text, as U+FFFD.
    NotText,
    /// The next token is a paste whose end is left out.
    PasteCut {
        /// The bytes that were pasted; [`PASTE_MAX`] is kept.
        whole: usize,
    },
    /// An answer to a question of this program's.
    Reply(TerminalReply),
}

/// What a terminal answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminalReply {
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

/// Turns what a terminal sends into keys.
#[derive(Default)]
pub struct Decoder {
    state: DecoderState,
    tokens: Vec<Token>,
    /// The time of the call, later of the last one that brought bytes.
    now: Duration,
    /// When a carriage return came, if that was the last byte.
    returned: Option<Duration>,
}

#[derive(Default)]
enum DecoderState {
    #[default]
    Ground,
    Escape,
    /// Some bytes of a character, perhaps after Escape.
    Character {
        bytes: Vec<u8>,
        length: usize,
        alt: bool,
    },
    /// A byte that is a C1 control if what follows fits, and else no text.
    C1(u8),
    Csi(Csi),
    /// After `ESC [ [`: the function keys of the Linux console.
    Console,
    /// After `ESC O`: a modifier, at most.
    Ss3(Vec<u8>),
    /// After `CSI M`: so many bytes of a report of the mouse (X10).
    Mouse(u8),
    String(Str),
    Paste(Paste),
}

/// A control sequence: its parameters and intermediate bytes.
#[derive(Default)]
struct Csi {
    bytes: Vec<u8>,
    /// Whether it began with the single byte 0x9b, which is no UTF-8.
    raw: bool,
}

/// A control string, of which nothing is kept.
#[derive(Default)]
struct Str {
    length: usize,
    /// Whether its last byte is an ESC, which may begin the end.
    escaped: bool,
    /// How many bytes of a UTF-8 character are still to come: among them 0x9c is no end.
    rest: u8,
    /// Whether it began with a single byte of C1, which is no UTF-8.
    raw: bool,
    last: u8,
}

struct Paste {
    /// It may be a password: a buffer that does not grow leaves no copies behind, and no password is longer.
    bytes: Zeroizing<Vec<u8>>,
    /// All bytes, those that were left out too.
    whole: usize,
    /// How much of [`PASTE_END`] came last.
    ended: usize,
}

impl Default for Paste {
    fn default() -> Self {
        Self {
            bytes: Zeroizing::new(Vec::with_capacity(MASKED_MAX + PASTE_END.len())),
            whole: 0,
            ended: 0,
        }
    }
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the bytes that came at `now` and gives what is complete with them. However late it is:
    /// bytes that were there before [`Decoder::late`] was called came in time.
    pub fn feed(&mut self, bytes: &[u8], now: Duration) -> Vec<Token> {
        if !bytes.is_empty() {
            self.now = now;
        }
        for byte in bytes {
            self.byte(*byte);
        }
        std::mem::take(&mut self.tokens)
    }

    /// When [`Decoder::late`] has something to do, if nothing comes before.
    pub fn deadline(&self) -> Option<Duration> {
        let patience = match self.state {
            DecoderState::Ground => return None,
            DecoderState::Escape => REST_OF_ESCAPE,
            DecoderState::Paste(_) => REST_OF_PASTE,
            _ => REST,
        };
        Some(self.now + patience)
    }

    /// Nothing has come up to `now`. What was begun and is overdue is over: an Escape alone was the
    /// key, half a character is no text, a paste is taken as it is, the rest is dropped.
    pub fn late(&mut self, now: Duration) -> Vec<Token> {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            return self.end();
        }
        Vec::new()
    }

    /// Nothing more will come.
    pub fn end(&mut self) -> Vec<Token> {
        match std::mem::take(&mut self.state) {
            DecoderState::Escape => self.key(Key::Esc),
            DecoderState::Character { .. } | DecoderState::C1(_) => self.not_text(),
            DecoderState::Csi(csi) if csi.bytes.is_empty() => self.key(Key::Alt('[')),
            DecoderState::Ss3(modifier) if modifier.is_empty() => self.key(Key::Alt('O')),
            DecoderState::Csi(Csi { raw, .. }) | DecoderState::String(Str { raw, .. }) => {
                self.drop_begun(raw);
            }
            DecoderState::Ground
            | DecoderState::Console
            | DecoderState::Mouse(_)
            | DecoderState::Ss3(_) => {}
            DecoderState::Paste(paste) => self.pasted(&paste.bytes, paste.whole),
        }
        std::mem::take(&mut self.tokens)
    }

    fn key(&mut self, key: Key) {
        self.tokens.push(Token::Key(key));
    }

    fn not_text(&mut self) {
        self.tokens.push(Token::NotText);
        self.key(Key::Char(char::REPLACEMENT_CHARACTER));
    }

    /// A sequence that has no end: nothing of it is a key.
    fn drop_begun(&mut self, raw: bool) {
        if raw {
            self.not_text();
        }
    }

    fn byte(&mut self, byte: u8) {
        let returned = self.returned.take();
        match std::mem::take(&mut self.state) {
            DecoderState::Ground if byte == b'\n' && self.is_rest_of_newline(returned) => {}
            DecoderState::Ground => self.ground(byte, false),
            DecoderState::Escape => self.after_escape(byte),
            DecoderState::Character { bytes, length, alt } => {
                self.character(bytes, length, alt, byte);
            }
            DecoderState::C1(control) => self.after_c1(control, byte),
            DecoderState::Csi(csi) => self.csi(csi, byte),
            DecoderState::Console => match byte {
                0x20..=0x7e => self.key(Key::Unknown),
                _ => self.ground(byte, false),
            },
            DecoderState::Ss3(modifier) => self.ss3(modifier, byte),
            DecoderState::Mouse(left) => match (byte, left) {
                (..0x20, _) => self.ground(byte, false),
                (_, ..=1) => {}
                (_, left) => self.state = DecoderState::Mouse(left - 1),
            },
            DecoderState::String(string) => self.string(string, byte),
            DecoderState::Paste(paste) => self.paste(paste, byte),
        }
    }

    fn is_rest_of_newline(&self, returned: Option<Duration>) -> bool {
        returned.is_some_and(|at| self.now < at + LINE_FEED)
    }

    fn ground(&mut self, byte: u8, alt: bool) {
        let key = match byte {
            0x1b => {
                self.state = DecoderState::Escape;
                return;
            }
            0x20..=0x7f if alt => Key::Alt(char::from(byte)),
            0x08 if alt => Key::Alt('\u{8}'),
            b'\r' | b'\n' if alt => Key::Alt('\r'),
            b'\r' | b'\n' => {
                self.returned = (byte == b'\r').then_some(self.now);
                Key::Enter
            }
            b'\t' => Key::Tab,
            0x7f => Key::Backspace,
            0x00 => Key::Ctrl('@'),
            0x01..=0x1a => Key::Ctrl(char::from(byte - 1 + b'a')),
            0x1c..=0x1f => Key::Ctrl(char::from(byte - 0x1c + b'\\')),
            0x20..=0x7e => Key::Char(char::from(byte)),
            0x80.. => {
                let length = match byte {
                    0x90 | 0x9b | 0x9d => {
                        self.state = DecoderState::C1(byte);
                        return;
                    }
                    0xc2..=0xdf => 2,
                    0xe0..=0xef => 3,
                    0xf0..=0xf4 => 4,
                    _ => return self.not_text(),
                };
                let bytes = vec![byte];
                self.state = DecoderState::Character { bytes, length, alt };
                return;
            }
        };
        self.key(key);
    }

    fn after_escape(&mut self, byte: u8) {
        match byte {
            b'[' => self.state = DecoderState::Csi(Csi::default()),
            b'O' => self.state = DecoderState::Ss3(Vec::new()),
            // OSC, DCS, APC, PM, SOS.
            b']' | b'P' | b'_' | b'^' | b'X' => self.state = DecoderState::String(Str::default()),
            0x1b => {
                self.key(Key::Esc);
                self.state = DecoderState::Escape;
            }
            _ => self.ground(byte, true),
        }
    }

    fn character(&mut self, mut bytes: Vec<u8>, length: usize, alt: bool, byte: u8) {
        if !matches!(byte, 0x80..=0xbf) {
            self.not_text();
            return self.ground(byte, false);
        }
        bytes.push(byte);
        if bytes.len() < length {
            self.state = DecoderState::Character { bytes, length, alt };
            return;
        }
        let c = str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.chars().next());
        match c {
            None => self.not_text(),
            Some('\u{8f}') => self.state = DecoderState::Ss3(Vec::new()),
            Some('\u{9b}') => self.state = DecoderState::Csi(Csi::default()),
            Some('\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}') => {
                self.state = DecoderState::String(Str::default());
            }
            // Another C1 control, which no keyboard has.
            Some(c) if c.is_control() => {}
            Some(c) if alt => self.key(Key::Alt(c)),
            Some(c) => self.key(Key::Char(c)),
        }
    }

    /// Bytes of C1 are no UTF-8, but first bytes of characters in other encodings. Only what every
    /// reply begins with makes one of them, and what no such character goes on with.
    fn after_c1(&mut self, control: u8, byte: u8) {
        match (control, byte) {
            (0x9b, 0x30..=0x3f) => {
                let bytes = vec![byte];
                self.state = DecoderState::Csi(Csi { bytes, raw: true });
            }
            (0x9d, b'0'..=b'9') | (0x90, b'0'..=b'?' | b'!' | b'$' | b'+') => {
                let raw = true;
                self.state = DecoderState::String(Str {
                    raw,
                    ..Str::default()
                });
            }
            _ => {
                self.not_text();
                self.ground(byte, false);
            }
        }
    }

    fn csi(&mut self, mut csi: Csi, byte: u8) {
        let is_number = !csi.bytes.is_empty() && csi.bytes.iter().all(u8::is_ascii_digit);
        match byte {
            b'[' if csi.bytes.is_empty() => self.state = DecoderState::Console,
            b'M' if csi.bytes.is_empty() => self.state = DecoderState::Mouse(3),
            b'~' if csi.bytes == b"200" => self.state = DecoderState::Paste(Paste::default()),
            // Shift with a key, in rxvt. Elsewhere that byte is never the last one.
            b'$' if is_number => self.sequence(&csi.bytes, byte),
            0x40..=0x7e => self.sequence(&csi.bytes, byte),
            0x20..=0x3f if csi.bytes.len() < SEQUENCE_MAX => {
                csi.bytes.push(byte);
                self.state = DecoderState::Csi(csi);
            }
            _ => {
                self.drop_begun(csi.raw);
                self.ground(byte, false);
            }
        }
    }

    fn sequence(&mut self, bytes: &[u8], end: u8) {
        if let Some(reply) = reply(bytes, end) {
            self.tokens.push(Token::Reply(reply));
        } else if !is_report(bytes, end)
            && let Some(key) = keymap::csi(bytes, end)
        {
            self.key(key);
        }
    }

    fn ss3(&mut self, mut modifier: Vec<u8>, byte: u8) {
        match byte {
            b'0'..=b'9' | b';' if modifier.len() < 8 => {
                modifier.push(byte);
                self.state = DecoderState::Ss3(modifier);
            }
            0x20..=0x7e => self.key(keymap::ss3(&modifier, byte)),
            _ => self.ground(byte, false),
        }
    }

    fn string(&mut self, mut string: Str, byte: u8) {
        if string.escaped {
            if byte != b'\\' {
                self.drop_begun(string.raw);
                self.after_escape(byte);
            }
            return;
        }
        string.length += 1;
        let is_encoded_end = string.last == 0xc2 && string.rest == 1;
        match byte {
            0x07 => return,
            0x9c if string.rest == 0 || is_encoded_end => return,
            0x1b => string.escaped = true,
            // No reply holds another control character.
            0x00..=0x1f => {
                self.drop_begun(string.raw);
                return self.ground(byte, false);
            }
            _ if string.length > STRING_MAX => return self.drop_begun(string.raw),
            0x80..=0xbf => string.rest = string.rest.saturating_sub(1),
            0xc2..=0xdf => string.rest = 1,
            0xe0..=0xef => string.rest = 2,
            0xf0..=0xf4 => string.rest = 3,
            _ => string.rest = 0,
        }
        string.last = byte;
        self.state = DecoderState::String(string);
    }

    fn paste(&mut self, mut paste: Paste, byte: u8) {
        // Only its first byte is an ESC, so that a false start can only begin at another ESC.
        paste.ended = match byte {
            byte if byte == PASTE_END[paste.ended] => paste.ended + 1,
            0x1b => 1,
            _ => 0,
        };
        paste.whole += 1;
        if paste.bytes.len() < PASTE_MAX + PASTE_END.len() {
            paste.bytes.push(byte);
        }
        if paste.ended < PASTE_END.len() {
            self.state = DecoderState::Paste(paste);
            return;
        }
        let bytes = &paste.bytes[..];
        let text = bytes.strip_suffix(PASTE_END).unwrap_or(bytes);
        self.pasted(text, paste.whole - PASTE_END.len());
    }

    fn pasted(&mut self, text: &[u8], whole: usize) {
        let text = &text[..text.len().min(PASTE_MAX)];
        let text = match str::from_utf8(text) {
            Err(cut) if whole > PASTE_MAX && cut.error_len().is_none() => {
                &text[..cut.valid_up_to()]
            }
            _ => text,
        };
        if whole > PASTE_MAX {
            self.tokens.push(Token::PasteCut { whole });
        }
        let text = String::from_utf8_lossy(text);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            self.tokens.push(Token::NotText);
        }
        let text = text.into_owned();
        self.key(Key::Paste(text.into()));
    }
}

/// The answer that a sequence is. F3 with a modifier looks like one, and means nothing here either.
fn reply(parameters: &[u8], end: u8) -> Option<TerminalReply> {
    let mut numbers = parameters
        .strip_prefix(b">")
        .unwrap_or(parameters)
        .split(|byte| *byte == b';')
        .map_while(|number| str::from_utf8(number).ok()?.parse::<u16>().ok());
    match (end, parameters.first()) {
        (b'R', Some(b'0'..=b'9')) => {
            let (row, col) = (numbers.next()?.into(), numbers.next()?.into());
            Some(TerminalReply::Cursor(Position { row, col }))
        }
        (b'c', Some(b'>')) => numbers.next().map(TerminalReply::Device),
        _ => None,
    }
}

/// Whether a sequence is what a terminal tells of itself: no key has a private parameter (`<=>?`) or
/// an intermediate byte, or ends like an answer about the cursor (R), the device (c), its state (n),
/// the window (t) or its parameters (x), or like a report of the focus (I, O) or the mouse (M).
fn is_report(bytes: &[u8], end: u8) -> bool {
    let is_private = bytes
        .iter()
        .any(|byte| matches!(byte, 0x20..=0x2f | b'<'..=b'?'));
    // Alone, c is Shift and an arrow in rxvt.
    let is_device = end == b'c' && !bytes.is_empty();
    is_private || is_device || matches!(end, b'R' | b'n' | b't' | b'x' | b'I' | b'O' | b'M')
}

/// A line that the terminal itself has edited, without what the terminal sent besides: its replies,
/// and keys that type nothing. Bytes that are no UTF-8 become 0xff, which is none either.
pub fn typed_text(line: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut decoder = Decoder::new();
    // It may be a password: a buffer that never grows leaves no copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(3 * line.len()));
    let mut is_text = true;
    let add = |token: Token, text: &mut Vec<u8>, is_text: &mut bool| {
        let was_text = std::mem::replace(is_text, true);
        match token {
            Token::NotText => *is_text = false,
            Token::Key(_) if !was_text => text.push(0xff),
            Token::Key(Key::Char(c)) => {
                text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Token::Key(Key::Tab) => text.push(b'\t'),
            Token::Key(Key::Enter) => text.push(b'\n'),
            Token::Key(Key::Paste(pasted)) => text.extend_from_slice(pasted.as_bytes()),
            _ => {}
        }
    };
    for byte in line {
        for token in decoder.feed(&[*byte], Duration::ZERO) {
            add(token, &mut text, &mut is_text);
        }
    }
    for token in decoder.end() {
        add(token, &mut text, &mut is_text);
    }
    text
}
