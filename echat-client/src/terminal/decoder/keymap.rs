//! Which key a sequence is, in the dialects of xterm, the Linux console, rxvt and kitty.

use crate::line_editor::Key;

/// What is held down with a key. As a parameter: 1 and the sum of Shift 1, Alt 2, Control 4, and so
/// on (xterm ctlseqs, "PC-Style Function Keys"; kitty keyboard protocol, "Modifiers").
#[derive(Clone, Copy, Debug, Default)]
struct Modifiers(u32);

impl Modifiers {
    fn of(parameter: Option<u32>) -> Self {
        Self(parameter.unwrap_or(1).saturating_sub(1))
    }

    fn shift(self) -> bool {
        self.0 & 1 != 0
    }

    /// Meta counts as Alt.
    fn alt(self) -> bool {
        self.0 & (2 | 32) != 0
    }

    fn ctrl(self) -> bool {
        self.0 & 4 != 0
    }

    /// Super or Hyper: no key of this program has them.
    fn other(self) -> bool {
        self.0 & (8 | 16) != 0
    }

    /// Whether a key moves by words with it.
    fn by_words(self) -> bool {
        self.alt() || self.ctrl()
    }
}

/// A parameter's part: parts stand between colons.
fn part(field: Option<&[u8]>, index: usize) -> Option<u32> {
    let part = field?.split(|byte| *byte == b':').nth(index)?;
    str::from_utf8(part).ok()?.parse().ok()
}

/// The key of `CSI bytes end`; `None` for one that is let go.
pub(super) fn csi(bytes: &[u8], end: u8) -> Option<Key> {
    /// A key that is let go (kitty keyboard protocol, "Event types").
    const RELEASED: u32 = 3;
    let mut fields = bytes.split(|byte| *byte == b';');
    let (first, second, third) = (fields.next(), fields.next(), fields.next());
    let (number, held) = (part(first, 0), part(second, 0));
    if part(second, 1) == Some(RELEASED) {
        return None;
    }
    let modifiers = match end {
        // rxvt: the modifier is the end.
        b'^' => Modifiers::of(Some(5)),
        b'$' => Modifiers::of(Some(2)),
        b'@' => Modifiers::of(Some(6)),
        _ => Modifiers::of(held),
    };
    Some(match end {
        b'Z' => Key::BackTab,
        b'A'..=b'F' | b'H' => cursor(end, modifiers),
        // Shift and an arrow, in rxvt.
        b'a'..=b'd' => cursor(end.to_ascii_uppercase(), Modifiers::default()),
        b'~' if number == Some(27) => text(part(third, 0), None, modifiers),
        b'~' | b'^' | b'$' | b'@' => edit(number, modifiers),
        b'u' => {
            // For Control the key's place counts, on a keyboard that is not Latin.
            let base = part(first, 2).filter(|_| modifiers.ctrl());
            text(base.or(number), part(third, 0), modifiers)
        }
        _ => Key::Unknown,
    })
}

/// The key of `SS3 modifier end`.
pub(super) fn ss3(modifier: &[u8], end: u8) -> Key {
    let held = modifier.rsplit(|byte| *byte == b';').next();
    let modifiers = Modifiers::of(part(held, 0));
    match end {
        b'A'..=b'F' | b'H' => cursor(end, modifiers),
        // Control and an arrow, in rxvt.
        b'a'..=b'd' => cursor(end.to_ascii_uppercase(), Modifiers::of(Some(5))),
        b'M' => Key::Enter,
        // The number pad in application mode (DEC VT220, DECKPAM).
        b'j'..=b'y' => Key::Char(char::from(end - b'j' + b'*')),
        b'X' => Key::Char('='),
        _ => Key::Unknown,
    }
}

fn cursor(end: u8, modifiers: Modifiers) -> Key {
    match end {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' if modifiers.by_words() => Key::Alt('f'),
        b'C' => Key::Right,
        b'D' if modifiers.by_words() => Key::Alt('b'),
        b'D' => Key::Left,
        b'F' => Key::End,
        b'H' => Key::Home,
        _ => Key::Unknown,
    }
}

/// A key by its number (VT220).
fn edit(number: Option<u32>, modifiers: Modifiers) -> Key {
    match number {
        Some(1 | 7) => Key::Home,
        Some(3) if modifiers.by_words() => Key::Alt('d'),
        Some(3) => Key::Delete,
        Some(4 | 8) => Key::End,
        Some(5) => Key::PageUp,
        Some(6) => Key::PageDown,
        _ => Key::Unknown,
    }
}

/// A key by its character: xterm's modifyOtherKeys, and CSI u (kitty keyboard protocol). `said` is
/// the text that it types, where the terminal tells.
fn text(code: Option<u32>, said: Option<u32>, modifiers: Modifiers) -> Key {
    let Some(code) = code else {
        return Key::Unknown;
    };
    match code {
        _ if modifiers.other() => Key::Unknown,
        13 | 57_414 if modifiers.alt() || modifiers.shift() => Key::Alt('\r'),
        13 | 57_414 => Key::Enter,
        9 if modifiers.shift() => Key::BackTab,
        9 => Key::Tab,
        27 => Key::Esc,
        8 | 127 if modifiers.by_words() => Key::Alt('\u{7f}'),
        8 | 127 => Key::Backspace,
        57_344..=63_743 => functional(code, modifiers),
        _ => match char::from_u32(code).filter(|c| !c.is_control()) {
            None => Key::Unknown,
            Some(_) if modifiers.ctrl() && modifiers.alt() => Key::Unknown,
            Some(c) if modifiers.ctrl() => control(c),
            Some(c) if modifiers.alt() => Key::Alt(c),
            Some(c) => {
                let said = said
                    .and_then(char::from_u32)
                    .filter(|said| !said.is_control());
                Key::Char(said.unwrap_or_else(|| shifted(c, modifiers.shift())))
            }
        },
    }
}

fn shifted(c: char, shift: bool) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) if shift => upper,
        _ => c,
    }
}

/// Control and a character, as the older encoding has it.
fn control(c: char) -> Key {
    match c.to_ascii_lowercase() {
        'i' => Key::Tab,
        'j' | 'm' => Key::Enter,
        '[' => Key::Esc,
        '?' => Key::Backspace,
        ' ' | '2' => Key::Ctrl('@'),
        '/' | '-' | '7' => Key::Ctrl('_'),
        c if c.is_ascii_alphabetic() || "@\\]^_".contains(c) => Key::Ctrl(c),
        _ => Key::Unknown,
    }
}

/// Keys of the number pad (kitty keyboard protocol, "Functional key definitions").
fn functional(code: u32, modifiers: Modifiers) -> Key {
    let sign = |index: u32, signs: &str| signs.chars().nth(index as usize).map(Key::Char);
    match code {
        57_399..=57_413 => sign(code - 57_399, "0123456789./*-+").unwrap_or(Key::Unknown),
        57_415 => Key::Char('='),
        57_416 => Key::Char(','),
        57_417 => cursor(b'D', modifiers),
        57_418 => cursor(b'C', modifiers),
        57_419 => Key::Up,
        57_420 => Key::Down,
        57_421 => Key::PageUp,
        57_422 => Key::PageDown,
        57_423 => Key::Home,
        57_424 => Key::End,
        57_426 => edit(Some(3), modifiers),
        _ => Key::Unknown,
    }
}
