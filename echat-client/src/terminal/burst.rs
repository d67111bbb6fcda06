//! Text of several lines that was pasted where a terminal does not mark a paste.
//!
//! No person types a key within [`PAUSE`] of the one before. Text that goes on behind the end of a line
//! without such a pause is a paste, in one read or in several: it becomes [`Token::Lines`]. Text of
//! one line, with or without its end, is typed, whatever its speed, and so is every line behind a
//! pause. Where each read is one whole line, as of a script that types line by line, two milliseconds
//! are a pause. A read that holds no more than a person could have typed since the terminal was last
//! looked at is typed too: then it was the program that was slow.

use std::time::Duration;

use zeroize::Zeroizing;

use super::decoder::Token;
use crate::line_editor::{Key, PASTE_MAX};

/// The pause that a person makes between two keys, at least; for so long the end of a line is kept
/// back, and text of which several keys came at once.
const PAUSE: Duration = Duration::from_millis(10);
/// The pause between whole lines that come one by one. What is pasted comes faster, or is divided
/// elsewhere too.
const PAUSE_OF_LINE: Duration = Duration::from_millis(2);
/// The pause at the end of several lines: on a slow line they come in parts.
const PAUSE_OF_LINES: Duration = Duration::from_millis(100);
/// The time that a person takes for a key, at least, over several keys.
const KEY: Duration = Duration::from_millis(50);

/// Keys that came without a pause.
#[derive(Default)]
pub struct Burst {
    /// The text that is kept back; each line's end is a newline. It may be a password.
    held: Zeroizing<String>,
    /// The bytes that came, those beyond [`PASTE_MAX`] too.
    whole: usize,
    /// The key before that text, which was passed on.
    head: Option<char>,
    /// Whether the text has the end of a line, and text behind it.
    lines: NewlineCount,
    not_text: bool,
    /// When its last key came.
    last: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum NewlineCount {
    #[default]
    None,
    One,
    Several,
}

/// The character that a key types; the end of a line is a newline.
fn typed(token: &Token) -> Option<char> {
    match token {
        Token::Key(Key::Char(c)) => Some(*c),
        Token::Key(Key::Tab) => Some('\t'),
        Token::Key(Key::Enter) => Some('\n'),
        _ => None,
    }
}

/// Whether tokens are one whole line.
fn is_line(tokens: &[Token]) -> bool {
    let ends = |token: &Token| typed(token) == Some('\n');
    tokens.last().is_some_and(ends) && tokens.iter().filter(|token| ends(token)).count() == 1
}

impl Burst {
    /// Takes what was read at once, at `now`, `away` after it was last known that nothing was there
    /// to read. Gives what is decided.
    pub fn feed(&mut self, tokens: Vec<Token>, away: Duration, now: Duration) -> Vec<Token> {
        let count = tokens.iter().filter_map(typed).count();
        // When it was last known that nothing more had come.
        let looked = now.saturating_sub(away);
        let is_paused = self.pauses_at().is_none_or(|end| end <= looked)
            || self.is_line() && is_line(&tokens) && self.pauses_for_line(looked);
        let possible = away.as_millis() / KEY.as_millis();
        let was_slow = self.held.len() <= 1 && count as u128 <= possible;
        let is_by_hand = was_slow || is_paused && count <= 1;
        let mut out = Vec::new();
        if is_by_hand || is_paused {
            self.release(&mut out);
        }
        for token in tokens {
            let c = typed(&token);
            match (c, token) {
                (Some(c), token) if is_by_hand && (count > 1 || !matches!(c, '\t' | '\n')) => {
                    out.extend(std::mem::take(&mut self.not_text).then_some(Token::NotText));
                    out.push(token);
                    self.head = (count == 1).then_some(c);
                    self.last = Some(now);
                }
                (Some(c), _) => self.hold(c, now),
                (None, Token::NotText) => self.not_text = true,
                (None, Token::Reply(reply)) => out.push(Token::Reply(reply)),
                (None, token) => {
                    self.release(&mut out);
                    out.extend(std::mem::take(&mut self.not_text).then_some(Token::NotText));
                    out.push(token);
                }
            }
        }
        out
    }

    /// When [`Burst::late`] has something to do, if nothing comes before.
    pub fn deadline(&self) -> Option<Duration> {
        self.pauses_at().filter(|_| !self.held.is_empty())
    }

    /// Nothing has come up to `now`.
    pub fn late(&mut self, now: Duration) -> Vec<Token> {
        match self.deadline() {
            Some(deadline) if deadline <= now => self.end(),
            _ => Vec::new(),
        }
    }

    /// Nothing more will come.
    pub fn end(&mut self) -> Vec<Token> {
        let mut out = Vec::new();
        self.release(&mut out);
        out
    }

    fn pauses_at(&self) -> Option<Duration> {
        let pause = match self.lines {
            NewlineCount::Several => PAUSE_OF_LINES,
            NewlineCount::None | NewlineCount::One => PAUSE,
        };
        self.last.map(|last| last + pause)
    }

    /// Whether what is kept back is one whole line.
    fn is_line(&self) -> bool {
        self.lines == NewlineCount::One && self.held.ends_with('\n')
    }

    fn pauses_for_line(&self, now: Duration) -> bool {
        self.last.is_some_and(|last| last + PAUSE_OF_LINE <= now)
    }

    fn hold(&mut self, c: char, now: Duration) {
        self.lines = match (self.lines, c) {
            (NewlineCount::None, '\n') => NewlineCount::One,
            (NewlineCount::One, c) if c != '\n' => NewlineCount::Several,
            (lines, _) => lines,
        };
        self.whole += c.len_utf8();
        if self.whole <= PASTE_MAX {
            self.held.push(c);
        }
        self.last = Some(now);
    }

    /// Decides what the text was that is kept back.
    fn release(&mut self, out: &mut Vec<Token>) {
        let mut before = std::mem::take(self);
        let text = &mut before.held;
        if before.lines != NewlineCount::Several {
            if text.is_empty() {
                self.not_text = before.not_text;
            } else {
                out.extend(before.not_text.then_some(Token::NotText));
            }
            let key = |c| match c {
                '\t' => Key::Tab,
                '\n' => Key::Enter,
                c => Key::Char(c),
            };
            out.extend(text.chars().map(|c| Token::Key(key(c))));
            return;
        }
        if let Some(head) = before.head {
            out.push(Token::Key(Key::Backspace));
            text.insert(0, head);
        }
        if before.whole > PASTE_MAX {
            let whole = before.whole;
            out.push(Token::PasteCut { whole });
        }
        out.extend(before.not_text.then_some(Token::NotText));
        out.push(Token::Lines(std::mem::take(text).into()));
    }
}
