//! One grapheme made safe: what is invisible or stacked in it is told from what belongs to it.

use std::fmt::Write;

use echat_proto::terminal_text::{BRAILLE_BLANK, is_hazard};
use unicode_properties::{GeneralCategory, UnicodeEmoji, UnicodeGeneralCategory};
use unicode_width::UnicodeWidthChar;

use super::{Layout, TAB};

/// Marks on one character: Vietnamese and Hebrew need three, Tibetan four.
const MARKS: usize = 4;
/// Joiners in one emoji: the longest of Unicode's own sequences has three.
const JOINERS: usize = 4;
/// What a mark stands on that has nothing of its own to stand on.
const NOTHING: char = '◌';
/// The flags of England, Scotland and Wales: the only tag sequences there are.
const FLAG: char = '\u{1f3f4}';
const REGIONS: [&str; 3] = [
    "\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

/// What a character is to a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CharacterKind {
    /// Shown as it is.
    Plain,
    /// Stands on the character before it.
    Mark,
    /// Chooses a shape of the character before it.
    Selector,
    /// Joins two emoji.
    Joiner,
    /// A letter of a flag's region.
    Tag,
    /// Nothing that a person could see.
    Hidden,
}

/// What the next character follows.
#[derive(Default)]
struct Preceding {
    /// The last character shown as it is; `None` at the start and behind what was neutralised.
    plain: Option<char>,
    /// Whether an emoji stands there, complete, so that a joiner may follow.
    emoji: bool,
    marks: usize,
    cut: usize,
    joiners: usize,
}

/// Appends `grapheme` in a form that is safe to show.
pub(super) fn show(grapheme: &str, layout: Layout, shown: &mut String) {
    let mut before = Preceding::default();
    let mut rest = grapheme.chars();
    while let Some(c) = rest.next() {
        let next = rest.clone().next();
        match kind(c) {
            CharacterKind::Plain => {
                before.end_marks(shown);
                before.plain = Some(c);
                before.emoji = is_emoji(c);
                shown.push(c);
            }
            // A vowel of Hangul joins nothing but Hangul, and would have no width alone.
            CharacterKind::Mark if before.plain.is_some() || !is_jamo(c) => before.mark(c, shown),
            CharacterKind::Selector if before.allows_selector(c, next) => shown.push(c),
            CharacterKind::Joiner if before.allows_joiner(next) => {
                before.joiners += 1;
                before.emoji = false;
                shown.push(c);
            }
            CharacterKind::Tag if before.plain == Some(FLAG) && is_region(c, rest.as_str()) => {
                shown.push(c);
                shown.push_str(rest.as_str());
                return;
            }
            CharacterKind::Mark
            | CharacterKind::Selector
            | CharacterKind::Joiner
            | CharacterKind::Tag
            | CharacterKind::Hidden => {
                before.end_marks(shown);
                before.plain = None;
                before.emoji = false;
                show_hidden(c, layout, shown);
            }
        }
    }
    before.end_marks(shown);
}

impl Preceding {
    fn mark(&mut self, c: char, shown: &mut String) {
        if self.plain.is_none() {
            self.plain = Some(NOTHING);
            shown.push(NOTHING);
        }
        if self.marks == MARKS {
            self.cut += 1;
        } else {
            self.marks += 1;
            shown.push(c);
        }
    }

    /// Says how many marks were cut.
    fn end_marks(&mut self, shown: &mut String) {
        if self.cut > 0 {
            write!(shown, "<+{}>", self.cut).expect("a String takes everything");
        }
        self.marks = 0;
        self.cut = 0;
    }

    /// An emoji may choose between picture and text, a Chinese character between its variants, a
    /// digit only becomes a keycap. Anywhere else, and twice, a selector is a hiding place.
    fn allows_selector(&mut self, selector: char, next: Option<char>) -> bool {
        let Some(base) = self.plain.filter(|_| self.marks == 0) else {
            return false;
        };
        self.marks += 1;
        if matches!(selector, '\u{fe0e}' | '\u{fe0f}') {
            is_emoji(base) || base.is_emoji_char() && next == Some('\u{20e3}')
        } else {
            is_ideograph(base)
        }
    }

    fn allows_joiner(&self, next: Option<char>) -> bool {
        self.emoji && self.joiners < JOINERS && next.is_some_and(is_emoji)
    }
}

fn kind(c: char) -> CharacterKind {
    match c {
        ' '..='~' => return CharacterKind::Plain,
        '\u{200d}' => return CharacterKind::Joiner,
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => return CharacterKind::Selector,
        '\u{e0020}'..='\u{e007f}' => return CharacterKind::Tag,
        // The empty pattern of Braille is a column wide, and a part of pictures that people draw.
        _ if is_hazard(c) && c != BRAILLE_BLANK => return CharacterKind::Hidden,
        _ if is_jamo(c) => return CharacterKind::Mark,
        _ => {}
    }
    match c.general_category() {
        GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark => CharacterKind::Mark,
        GeneralCategory::SpacingMark if c.width() == Some(0) => CharacterKind::Mark,
        // Some letters that are written on top of the next one: terminals show them nowhere.
        _ if c.width() == Some(0) => CharacterKind::Hidden,
        _ => CharacterKind::Plain,
    }
}

/// Shows what cannot be seen.
fn show_hidden(c: char, layout: Layout, shown: &mut String) {
    match (c, layout) {
        ('\n', Layout::Text) => shown.push('\n'),
        ('\t', Layout::Text) => shown.push_str(TAB),
        ('\0'..='\u{1f}', _) => {
            let picture = char::from_u32(0x2400 + u32::from(c));
            shown.push(picture.expect("the block Control Pictures has all 32"));
        }
        ('\u{7f}', _) => shown.push('␡'),
        _ => write!(shown, "<U+{:04X}>", u32::from(c)).expect("a String takes everything"),
    }
}

/// An emoji of its own, unlike the digits, which only a keycap makes one.
fn is_emoji(c: char) -> bool {
    !c.is_ascii() && c.is_emoji_char()
}

/// Vowels and finals of Hangul, which stack on an initial.
fn is_jamo(c: char) -> bool {
    matches!(c, '\u{1161}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7ff}')
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3fffd}')
}

fn is_region(first: char, rest: &str) -> bool {
    REGIONS
        .iter()
        .any(|region| region.strip_prefix(first) == Some(rest))
}
