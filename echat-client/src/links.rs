//! Links in a text.

use std::ops::Range;

/// What a link begins with.
const SCHEMES: [&str; 2] = ["https://", "http://"];

/// Whether a text has a link.
pub fn has_link(text: &str) -> bool {
    links(text).next().is_some()
}

/// The links of a text, in bytes. A link is of ASCII, so that Chinese text directly behind it is none of it. A full
/// stop or a bracket that ends a sentence is none of it either.
pub fn links(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let (place, scheme) = find(&text[from..])?;
            let start = from + place;
            let length = length(&text[start..]);
            from = start + length;
            let is_inside = text[..start].ends_with(|c: char| c.is_ascii_alphanumeric());
            if !is_inside && length > scheme.len() {
                return Some(start..from);
            }
        }
    })
}

/// Where the first scheme stands, in letters of any case. A text with many links is read once.
fn find(text: &str) -> Option<(usize, &'static str)> {
    let mut places = text.char_indices().map(|(at, _)| at);
    places.find_map(|at| {
        let scheme = SCHEMES.iter().find(|scheme| begins(&text[at..], scheme))?;
        Some((at, *scheme))
    })
}

fn begins(text: &str, scheme: &str) -> bool {
    let head = text.as_bytes().get(..scheme.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(scheme.as_bytes()))
}

/// The bytes of the link that a text begins with: at least those of its scheme.
fn length(text: &str) -> usize {
    let is_part = |c: char| c.is_ascii_graphic() && !"<>\"`\\^{}|".contains(c);
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let mut link = &text[..end];
    // Brackets that close nothing, counted once: a text may have a hundred thousand of them.
    let count = |bracket: char| link.matches(bracket).count();
    let mut round = count(')').saturating_sub(count('('));
    let mut square = count(']').saturating_sub(count('['));
    loop {
        let last = link.chars().next_back().unwrap_or('/');
        let is_closing = match last {
            ')' => round > 0,
            ']' => square > 0,
            last => ".,;:!?'".contains(last),
        };
        let scheme_ends = link.ends_with("://");
        if !is_closing || scheme_ends {
            return link.len();
        }
        round -= usize::from(last == ')');
        square -= usize::from(last == ']');
        link = &link[..link.len() - 1];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        links(text).map(|link| &text[link]).collect()
    }

    #[test]
    fn links_end_where_the_sentence_goes_on() {
        for (text, expected) in [
            (
                "see https://a.org/b?c=1&d=2#e, please",
                "https://a.org/b?c=1&d=2#e",
            ),
            ("看https://a.org/路 吧", "https://a.org/"),
            ("（https://a.org/b）。", "https://a.org/b"),
            ("(http://a.org/x_(y)).", "http://a.org/x_(y)"),
            ("HTTP://A.org!", "HTTP://A.org"),
            ("<https://a.org>", "https://a.org"),
        ] {
            assert_eq!(found(text), [expected], "{text}");
        }
        assert_eq!(found("http://a http://b"), ["http://a", "http://b"]);
        let nested = "https://a.org/(a[b)])]).";
        assert_eq!(found(nested), ["https://a.org/(a[b)]"]);
        for text in [
            "",
            "https://",
            "xhttps://a.org",
            "http:/a",
            "https://。",
            "http://...",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }

    /// A search of the whole text for each bracket, or for each link, would not come to an end here.
    #[test]
    fn a_text_is_read_once_whatever_its_brackets_and_links() {
        let brackets = format!("https://a.org{}", ")]".repeat(200_000));
        assert_eq!(found(&brackets), ["https://a.org"]);
        let many = "http://a ".repeat(200_000);
        assert_eq!(links(&many).count(), 200_000);
    }
}
