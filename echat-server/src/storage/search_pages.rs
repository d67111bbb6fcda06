//! How many pages of the index words fill, without reading them.
//!
//! FTS5 keeps the words of each segment in order, in pages of about 4 KiB. `search_idx` has a word for each page that
//! begins with one: none before it is on the page or behind it. The positions of one word may fill many further pages.
//! Whether they are those of the words that are looked for, the last word of the page says, which is read from the
//! page. The format of pages is part of SQLite's file format.

use super::{Batch, StoreError};

/// Where a word would stand in each segment: the last page that begins with no greater word, and the next page that
/// begins with a word. The number of segments is not known. The last row of a segment in `search_data` is its last
/// page.
const PLACES: &str = "WITH RECURSIVE segments (id) AS (
         SELECT min(segid) FROM search_idx
         UNION ALL
         SELECT (SELECT min(i.segid) FROM search_idx AS i WHERE i.segid > s.id) FROM segments AS s
         WHERE s.id IS NOT NULL)
     SELECT s.id,
         (SELECT i.pgno / 2 FROM search_idx AS i WHERE i.segid = s.id AND i.term <= ?1 ORDER BY i.term DESC LIMIT 1),
         coalesce(
             (SELECT i.pgno / 2 FROM search_idx AS i WHERE i.segid = s.id AND i.term > ?1 ORDER BY i.term LIMIT 1),
             (SELECT (d.id & 0x7fffffff) + 1 FROM search_data AS d WHERE d.id <= (s.id << 37) + 0x7fffffff
                 ORDER BY d.id DESC LIMIT 1))
     FROM segments AS s WHERE s.id IS NOT NULL";

/// The place of a word in a segment.
struct Place {
    segment: i64,
    /// `None` if all words of the segment are greater.
    page: Option<i64>,
    next: i64,
}

impl Place {
    /// The pages behind this one that no word begins: they have positions of its last word.
    fn filled(&self) -> u64 {
        let page = self.page.unwrap_or(self.next);
        u64::try_from(self.next - page - 1).unwrap_or(0)
    }
}

impl Batch<'_> {
    /// The pages that the words from one to another fill in the index, besides one of each segment.
    pub(super) fn index_pages(&self, first: &[u8], last: &[u8]) -> Result<u64, StoreError> {
        let from = self.places(first)?;
        if first == last {
            let mut pages = 0;
            for place in &from {
                pages += self.filled_by(place, |word| word == first)?;
            }
            return Ok(pages);
        }
        let upto = self.places(last)?;
        let mut pages = 0;
        for (from, upto) in from.iter().zip(&upto) {
            if from.page == upto.page {
                pages += self.filled_by(from, |word| first <= word && word <= last)?;
                continue;
            }
            let between = upto.page.map_or(0, |page| page - from.next);
            pages += u64::try_from(between).unwrap_or(0);
            pages += self.filled_by(from, |word| first <= word)?;
            pages += self.filled_by(upto, |word| word <= last)?;
        }
        Ok(pages)
    }

    fn places(&self, word: &[u8]) -> Result<Vec<Place>, StoreError> {
        self.all(PLACES, [word], |row| {
            Ok(Place {
                segment: row.get(0)?,
                page: row.get(1)?,
                next: row.get(2)?,
            })
        })
    }

    /// The pages that the last word of a page fills behind it, if it is one of those that are meant.
    fn filled_by(
        &self,
        place: &Place,
        is_meant: impl Fn(&[u8]) -> bool,
    ) -> Result<u64, StoreError> {
        let (filled, Some(page)) = (place.filled(), place.page) else {
            return Ok(0);
        };
        if filled == 0 {
            return Ok(0);
        }
        let sql = "SELECT block FROM search_data WHERE id = ?1";
        let id = (place.segment << 37) + page;
        let bytes = self.first(sql, [id], |row| row.get::<_, Vec<u8>>(0))?;
        // Pages of a segment that is being merged are gone from its beginning on.
        let Some(bytes) = bytes else { return Ok(0) };
        let counts = last_word(&bytes).is_none_or(|word| is_meant(&word));
        Ok(if counts { filled } else { 0 })
    }
}

/// The last word that begins on a page of the index; `None` if the page is not understood.
///
/// Bytes 2 and 3 say where the contents end. Behind them stands where each word begins, as the distance from the one
/// before. A word is what it shares with the word before, except for the first, the number of its other bytes, and
/// these.
fn last_word(page: &[u8]) -> Option<Vec<u8>> {
    let end = page.get(2..4)?;
    let end = usize::from(u16::from_be_bytes([end[0], end[1]]));
    let (contents, mut places) = (page.get(..end)?, page.get(end..)?);
    let mut at = number(&mut places)?;
    let mut rest = contents.get(at..)?;
    let length = number(&mut rest)?;
    let mut word = rest.get(..length)?.to_vec();
    while !places.is_empty() {
        at += number(&mut places)?;
        let mut rest = contents.get(at..)?;
        word.truncate(number(&mut rest)?);
        let length = number(&mut rest)?;
        word.extend_from_slice(rest.get(..length)?);
    }
    Some(word)
}

/// Takes a number of SQLite's format from the beginning of bytes: seven bits of each byte, the highest first. Numbers
/// on a page have three bytes at most.
fn number(bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    for _ in 0..3 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value = (value << 7) | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests;
