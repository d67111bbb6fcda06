//! The words by which messages are found, and queries for them. Pure: it knows no SQL.
//!
//! A text is folded: full-width and other compatible forms (NFKD), case, diacritics. Then it is a sequence of words:
//!
//! * A run of letters and digits is a word.
//! * In scripts that are written without spaces (Chinese, Japanese, Korean, Thai, ...), each character begins a word of
//!   two characters: it and the next one. The last character of a run is a word of one character. So each character
//!   begins exactly one word, one character is found as the beginning of a word, and several are found as words in a
//!   row. No dictionary is needed, and nothing is indexed twice.
//! * An emoji or another symbol is a word.
//!
//! Behind these stand *whole* words, which have signs of identifiers in or at them: `c++`, `#123`, `foo_bar`. They
//! begin with [`WHOLE`], which no other word contains.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};

/// Words of a text at most. Only a text made for it has more: 64 KiB of the shortest words that people write have
/// fewer.
pub(super) const WORDS: usize = 32_768;

/// Characters of a word at most. What follows in a longer one is neither indexed nor searched for.
const WORD_CHARS: usize = 64;

/// The first character of a whole word.
pub(super) const WHOLE: char = '!';

/// Signs that belong to a whole word. The tokenizer of the index takes them, and [`WHOLE`], for letters.
const SIGNS: [char; 5] = ['#', '+', '@', '$', '_'];

/// Signs that begin a whole word if a letter follows.
const LEADING: [char; 3] = ['#', '@', '$'];

/// Scripts that are written without spaces between words.
const DENSE: [Script; 9] = [
    Script::Han,
    Script::Hiragana,
    Script::Katakana,
    Script::Hangul,
    Script::Bopomofo,
    Script::Thai,
    Script::Lao,
    Script::Khmer,
    Script::Myanmar,
];

/// Letters of no single script that belong to Japanese words: the mark of a long vowel.
const LONG_VOWEL: char = 'ー';

/// What a character of a folded text is to words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// A letter or digit of a word.
    Letter,
    /// A character of a script without spaces.
    Dense,
    /// A word by itself.
    Symbol,
    /// It belongs to what stands before it, and is left out.
    Ignored,
    /// It ends a word.
    Gap,
}

fn class(c: char) -> Class {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() {
            Class::Letter
        } else {
            Class::Gap
        };
    }
    let letter = || {
        if c == LONG_VOWEL || DENSE.contains(&c.script()) {
            Class::Dense
        } else {
            Class::Letter
        }
    };
    match c.general_category() {
        _ if c.is_alphanumeric() => letter(),
        // Vowel signs of Indian scripts, for example. Others were folded away.
        GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark => letter(),
        GeneralCategory::OtherSymbol
        | GeneralCategory::MathSymbol
        | GeneralCategory::CurrencySymbol => Class::Symbol,
        // Joiners, and modifiers such as those of the skin.
        GeneralCategory::Format
        | GeneralCategory::ModifierSymbol
        | GeneralCategory::EnclosingMark => Class::Ignored,
        _ => Class::Gap,
    }
}

/// Marks that folding drops: accents, points of Hebrew and Arabic, variants of a form. The marks of Indian vowels, and
/// the two marks of kana that make another letter, stay.
fn is_diacritic(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}'
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c5}' | '\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Folds a text. Upper case and then lower case is a full case folding: ß is ss, and there is one sigma.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkd()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkd()
        .filter(|c| !is_diacritic(*c))
        .nfc()
        .collect()
}

/// The words of a text, and behind them its whole words.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut collector = Collector::default();
    let folded = fold(text);
    let mut characters = folded.chars().peekable();
    while let Some(c) = characters.next() {
        if collector.words.len() >= WORDS {
            break;
        }
        let next = characters.peek().copied();
        if SIGNS.contains(&c) {
            collector.sign(c, next);
        } else {
            collector.character(c, class(c));
        }
    }
    collector.finish()
}

#[derive(Default)]
struct Collector {
    words: Vec<String>,
    wholes: Vec<String>,
    /// The word that goes on, with the number of its characters.
    word: (String, usize),
    /// The last character of a run of a script without spaces.
    dense: Option<char>,
    /// The whole word that goes on, with the number of its characters, and whether it has a sign and a letter.
    whole: (String, usize),
    has_sign: bool,
    has_letter: bool,
}

impl Collector {
    fn character(&mut self, c: char, class: Class) {
        match class {
            Class::Letter => {
                self.end_dense();
                push(&mut self.word, c);
                push(&mut self.whole, c);
                self.has_letter = true;
            }
            Class::Dense => {
                self.end_word();
                self.end_whole();
                if let Some(last) = self.dense.replace(c) {
                    self.words.push(String::from_iter([last, c]));
                }
            }
            Class::Symbol => {
                self.end_all();
                self.words.push(c.into());
            }
            Class::Ignored => {}
            Class::Gap => self.end_all(),
        }
    }

    fn sign(&mut self, sign: char, next: Option<char>) {
        self.end_dense();
        self.end_word();
        let leads = next.is_some_and(|next| class(next) == Class::Letter);
        if LEADING.contains(&sign) && leads && self.has_letter {
            self.end_whole();
        }
        push(&mut self.whole, sign);
        self.has_sign = true;
    }

    fn end_word(&mut self) {
        let (word, _) = std::mem::take(&mut self.word);
        if !word.is_empty() {
            self.words.push(word);
        }
    }

    fn end_dense(&mut self) {
        self.words.extend(self.dense.take().map(String::from));
    }

    fn end_whole(&mut self) {
        let (whole, _) = std::mem::take(&mut self.whole);
        if self.has_sign && self.has_letter {
            self.wholes.push(format!("{WHOLE}{whole}"));
        }
        (self.has_sign, self.has_letter) = (false, false);
    }

    fn end_all(&mut self) {
        self.end_word();
        self.end_dense();
        self.end_whole();
    }

    fn finish(mut self) -> Vec<String> {
        self.end_all();
        self.words.append(&mut self.wholes);
        self.words.truncate(WORDS);
        self.words
    }
}

/// Adds a character to a word, unless it is too long.
fn push((word, length): &mut (String, usize), c: char) {
    if *length < WORD_CHARS {
        word.push(c);
        *length += 1;
    }
}

/// What stands behind the beginning of a word.
const STARS: [char; 2] = ['*', '＊'];

/// Words that stand in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phrase {
    pub(super) words: Vec<String>,
    /// Whether the last word is only the beginning of one.
    pub(super) is_prefix: bool,
}

/// What to search for: all phrases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    pub(super) phrases: Vec<Phrase>,
}

impl SearchQuery {
    /// Reads a query. Every text is one: what has no words asks for nothing.
    ///
    /// Quotation marks enclose a phrase, and an asterisk behind a word makes it the beginning of one.
    pub fn new(text: &str) -> Self {
        let mut query = Self::default();
        let is_quote = |c| matches!(c, '"' | '“' | '”' | '„' | '＂');
        let mut parts = text.split(is_quote).peekable();
        let mut is_quoted = false;
        while let Some(part) = parts.next() {
            if is_quoted {
                let is_prefix = parts.peek().is_some_and(|next| next.starts_with(STARS));
                query.add(part, is_prefix);
            } else {
                for part in part.split_whitespace() {
                    query.add(part, part.ends_with(STARS));
                }
            }
            is_quoted = !is_quoted;
        }
        query
    }

    /// Adds what must stand in a row.
    fn add(&mut self, text: &str, is_prefix: bool) {
        let mut row = words(text);
        let wholes = row.iter().position(|word| word.starts_with(WHOLE));
        let wholes = row.split_off(wholes.unwrap_or(row.len()));
        let text = text.trim_end_matches(STARS);
        // The last run of a script without spaces may go on in the text that is searched. If it has several characters,
        // its last word but one ends with its last character; a single character is the beginning of a word.
        let runs_on = row.last().is_some_and(|last| is_dense(last));
        let is_covered = runs_on && row.len() > 1 && {
            let (before, last) = (&row[row.len() - 2], &row[row.len() - 1]);
            !is_one(before) && is_dense(before) && before.ends_with(last.as_str())
        };
        if is_covered {
            row.pop();
        }
        if !row.is_empty() {
            let is_open = is_prefix && !runs_on && !text.ends_with(SIGNS);
            self.push(Phrase {
                words: row,
                is_prefix: is_open || (runs_on && !is_covered),
            });
        }
        let end = text.rsplit(|c: char| !c.is_alphanumeric() && !SIGNS.contains(&c));
        let ends_whole = end
            .take(1)
            .any(|end| words(end).iter().any(|word| word.starts_with(WHOLE)));
        let count = wholes.len();
        for (at, whole) in wholes.into_iter().enumerate() {
            self.push(Phrase {
                words: vec![whole],
                is_prefix: is_prefix && ends_whole && at + 1 == count,
            });
        }
    }

    fn push(&mut self, phrase: Phrase) {
        if !self.phrases.contains(&phrase) {
            self.phrases.push(phrase);
        }
    }

    /// Whether the query asks for words at all.
    pub fn has_words(&self) -> bool {
        !self.phrases.is_empty()
    }

    /// Whether the query asks for one word, and not only for its beginning.
    pub(super) fn is_one_word(&self) -> bool {
        matches!(&self.phrases[..], [only] if only.words.len() == 1 && !only.is_prefix)
    }

    /// Whether a text has all that the query asks for.
    pub fn matches(&self, text: &str) -> bool {
        let words = words(text);
        self.phrases.iter().all(|phrase| phrase.is_in(&words))
    }
}

impl Phrase {
    /// Whether the words of a text have these in a row. Knuth, Morris and Pratt's search for all but the last, so a
    /// text of few different words takes no longer than others.
    fn is_in(&self, words: &[String]) -> bool {
        let Some((last, before)) = self.words.split_last() else {
            return false;
        };
        let ends = |word: &str| word == last || (self.is_prefix && word.starts_with(last.as_str()));
        let borders = borders(before);
        // So many of the words before the last stand directly before the next word.
        let mut read = 0;
        for word in words {
            if read == before.len() {
                if ends(word) {
                    return true;
                }
                read = borders.last().copied().unwrap_or(0);
            }
            while read > 0 && *word != before[read] {
                read = borders[read - 1];
            }
            if before.get(read).is_some_and(|wanted| word == wanted) {
                read += 1;
            }
        }
        false
    }
}

/// For each beginning of some words, how many words it begins and ends with, without being all of it.
fn borders(words: &[String]) -> Vec<usize> {
    let mut borders = vec![0; words.len()];
    let mut border = 0;
    for at in 1..words.len() {
        while border > 0 && words[at] != words[border] {
            border = borders[border - 1];
        }
        if words[at] == words[border] {
            border += 1;
        }
        borders[at] = border;
    }
    borders
}

/// Whether a word is of a script without spaces.
fn is_dense(word: &str) -> bool {
    word.chars()
        .next()
        .is_some_and(|c| class(c) == Class::Dense)
}

/// Whether a word has one character.
fn is_one(word: &str) -> bool {
    word.chars().nth(1).is_none()
}

#[cfg(test)]
mod tests;
