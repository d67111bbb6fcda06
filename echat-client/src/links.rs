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
            let rest = &text[from..];
            let start = from
                + SCHEMES
                    .iter()
                    .filter_map(|scheme| find(rest, scheme))
                    .min()?;
            let length = length(&text[start..]);
            from = start + length;
            let is_inside = text[..start].ends_with(|c: char| c.is_ascii_alphanumeric());
            let scheme = SCHEMES.iter().find(|scheme| begins(&text[start..], scheme));
            if !is_inside && scheme.is_some_and(|scheme| length > scheme.len()) {
                return Some(start..from);
            }
        }
    })
}

/// Where a scheme stands, in letters of any case.
fn find(text: &str, scheme: &str) -> Option<usize> {
    let mut places = text.char_indices().map(|(at, _)| at);
    places.find(|at| begins(&text[*at..], scheme))
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
    loop {
        let last = link.chars().next_back().unwrap_or('/');
        let opens = |open| link.matches(open).count();
        let is_closing = match last {
            ')' => opens(')') > opens('('),
            ']' => opens(']') > opens('['),
            last => ".,;:!?'".contains(last),
        };
        let scheme_ends = link.ends_with("://");
        if !is_closing || scheme_ends {
            return link.len();
        }
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
}
