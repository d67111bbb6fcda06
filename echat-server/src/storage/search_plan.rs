//! How a block is searched: what the index is asked, and what the texts of messages decide.
//!
//! FTS5 does much in one step that no row shows. It compares the positions of the words of a phrase in each message
//! that has them all, it passes over messages that have only some words, and it reads all words with one beginning
//! before it gives the first message. So the index is asked for as many phrases of a query as cost little in this
//! block, the cheapest first, and the texts of the messages that it finds decide the others. If none costs little, the
//! texts of the block are read instead, in portions.
//!
//! The cost follows from the pages that the words fill ([`search_pages`](super::search_pages)).

use super::search_index::prefix;
use super::search_words::{Phrase, SearchQuery};
use super::{Batch, StoreError};

/// Words of a query that the index is asked for at most, of one phrase or of several.
const ASKED: usize = 16;

/// What the question for a block may cost, in microseconds of the estimates below.
const AT_ONCE: u64 = 4_000;

/// Finding one word of a block in the index.
const WORD: u64 = 20;

/// Reading a page of the positions of one word.
const PAGE: u64 = 20;

/// Reading and merging a page of words that begin alike.
const BEGINNINGS: u64 = 200;

/// What the index is asked about a block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BlockQuery {
    /// In the language of FTS5.
    pub(super) expression: String,
    /// Whether each message that the index finds has all that is searched for. If not, its text is read.
    pub(super) is_all: bool,
    /// What the answer costs besides the messages that are found, in microseconds.
    pub(super) work: u64,
}

/// A phrase that the index can be asked for.
struct Candidate<'q> {
    words: &'q [String],
    is_prefix: bool,
    /// Whether these are all words of the phrase.
    is_whole: bool,
    work: u64,
}

impl Batch<'_> {
    /// What to ask the index about a block. `None` if the texts of its messages are to be read.
    pub(super) fn block_query(
        &self,
        query: &SearchQuery,
        block: i64,
    ) -> Result<Option<BlockQuery>, StoreError> {
        let prefix = prefix(block);
        let mut candidates = Vec::new();
        let mut left = ASKED;
        for phrase in query.phrases.iter().take(ASKED) {
            if left == 0 {
                break;
            }
            let mut candidate = Candidate::of(phrase, left);
            left -= candidate.words.len();
            candidate.work = if query.is_one_word() {
                // Each message that has it is a row.
                WORD
            } else {
                self.phrase_work(&prefix, &candidate)?
            };
            candidates.push(candidate);
        }
        candidates.sort_by_key(|candidate| candidate.work);
        let mut work = 0;
        candidates.retain(|candidate| {
            work += candidate.work;
            work <= AT_ONCE
        });
        if candidates.is_empty() {
            return Ok(None);
        }
        let phrases = candidates
            .iter()
            .map(|candidate| candidate.expression(&prefix));
        let is_whole = candidates.iter().all(|candidate| candidate.is_whole);
        Ok(Some(BlockQuery {
            expression: phrases.collect::<Vec<String>>().join(" AND "),
            is_all: is_whole && candidates.len() == query.phrases.len(),
            work: candidates.iter().map(|candidate| candidate.work).sum(),
        }))
    }

    /// What it costs to find a phrase in a block.
    fn phrase_work(&self, prefix: &str, phrase: &Candidate<'_>) -> Result<u64, StoreError> {
        let mut work = 0;
        for (at, word) in phrase.words.iter().enumerate() {
            let is_prefix = phrase.is_prefix && at + 1 == phrase.words.len();
            // FTS5 writes the number of the index, 0, before each word.
            let first = format!("0{prefix}{word}").into_bytes();
            let mut last = first.clone();
            if is_prefix {
                // No byte of a text is as high.
                last.push(u8::MAX);
            }
            let pages = self.index_pages(&first, &last)?;
            let page = if is_prefix { BEGINNINGS } else { PAGE };
            work += WORD + page.saturating_mul(pages);
        }
        Ok(work)
    }
}

impl<'q> Candidate<'q> {
    /// The beginning of a phrase, of so many words at most.
    fn of(phrase: &'q Phrase, most: usize) -> Self {
        let is_whole = phrase.words.len() <= most;
        Self {
            words: &phrase.words[..phrase.words.len().min(most)],
            is_prefix: phrase.is_prefix && is_whole,
            is_whole,
            work: 0,
        }
    }

    fn expression(&self, prefix: &str) -> String {
        let words = self.words.iter().map(|word| format!("{prefix}{word}"));
        let words: Vec<String> = words.collect();
        let end = if self.is_prefix { "*" } else { "" };
        format!("\"{}\"{end}", words.join(" "))
    }
}
