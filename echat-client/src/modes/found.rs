//! Searching in messages: what is typed becomes a lookup, and what is found a list with numbers.

use std::ops::Range;

use echat_proto::commands::Event;
use unicode_segmentation::UnicodeSegmentation;

use super::lines::{LINK, plain_excerpt, span};
use super::{Act, Context, Goto, mistake, print};
use crate::links::links;
use crate::render::styled::{Line, Style, colour_of};
use crate::session::{Lookup, LookupKind, Post, Search};
use crate::statement::{self, FilterError, ParsedSearch};
use crate::target::{Target, normal_name};
use crate::text::Text;

/// Characters of a found message that are shown, and of them those before the first word that was found.
const CONTEXT: usize = 120;
const BEFORE: usize = 30;

/// `/search`
pub(super) fn search(typed: &str, open: Option<&Target>, context: &Context) -> Vec<Act> {
    let zone = &context.settings.zone;
    let today = zone.at(context.now).date();
    let sifted = match statement::sift(typed, today) {
        Ok(sifted) => sifted,
        Err(error) => {
            let text = match &error {
                FilterError::Day(typed) => Text::NoDay { typed },
                FilterError::Future(typed) => Text::FutureDay { typed },
                FilterError::Empty(typed) => Text::FilterIsEmpty { typed },
                FilterError::Has(typed) => Text::FilterTakesLink { typed },
                FilterError::Twice(filter) => Text::FilterTwice { filter },
            };
            return mistake(context, text);
        }
    };
    let ParsedSearch {
        words,
        from,
        within,
        since,
        before,
        has_link,
    } = sifted;
    let target = match within {
        None => None,
        Some(name) => match conversation(&name, open, context) {
            Some(target) => Some(target),
            None => return mistake(context, Text::NotYourConversation { name: &name }),
        },
    };
    let me = context.session.me().unwrap_or_default();
    let sender = from.map(|name| match name.as_str() {
        "me" | "我" | "自己" => me.to_owned(),
        name => name.to_owned(),
    });
    vec![Act::LookUp(Lookup::new(LookupKind::Words(Search {
        typed: typed.trim().to_owned(),
        query: words,
        target,
        sender,
        since: since.map(|day| zone.start_of(day)),
        before: before.map(|day| zone.start_of(day)),
        has_link,
    })))]
}

/// The conversation that a filter names. A room comes before a friend of the same name, unless a sign says which is
/// meant.
fn conversation(name: &str, open: Option<&Target>, context: &Context) -> Option<Target> {
    if matches!(name, "here" | "this" | "这里" | "此处" | "本聊天") {
        return open.cloned();
    }
    let bare = name.trim_start_matches(['#', '＃', '@', '＠']);
    let normal = normal_name(bare);
    let (room, friend) = (Target::Room(normal.clone()), Target::Friend(normal));
    let wants_room = name.starts_with(['#', '＃']);
    let wants_friend = name.starts_with(['@', '＠']);
    if !wants_friend && context.session.has(&room) {
        return Some(room);
    }
    (!wants_room && context.session.can_read(&friend)).then_some(friend)
}

/// `/more`
pub(super) fn more(context: &Context) -> Vec<Act> {
    match context.session.next_lookup() {
        Some(lookup) => vec![Act::LookUp(lookup.clone())],
        None => print(vec![context.dim(Text::NoMoreFound)]),
    }
}

/// `/open`
pub(super) fn open(number: u64, context: &Context) -> Vec<Act> {
    let Some((target, id)) = context.session.found(number) else {
        return mistake(context, Text::NoFoundNumber { number });
    };
    // The conversation with a deleted account is no other than the search says.
    let is_of_deleted = !target.is_room() && context.session.is_deleted_account(target.name());
    if !is_of_deleted && !context.session.can_read(target) {
        let name = target.name();
        return mistake(context, Text::NoTarget { name });
    }
    vec![Act::Goto(Goto::ChatAround(target.clone(), id))]
}

/// What was found.
pub(super) fn lines(lookup: &Lookup, event: &Event, context: &Context) -> Vec<Line> {
    let (heading, none, words) = match &lookup.kind {
        LookupKind::Mentions => (Text::MentionsHeading, Text::NoMentions, Vec::new()),
        LookupKind::Words(search) => {
            let words = search.typed.as_str();
            (
                Text::FoundMessages { words },
                Text::FoundNoMessages { words },
                statement::folded_words(&search.query),
            )
        }
    };
    let page: Vec<_> = context.session.found_page().collect();
    let has_more = context.session.next_lookup().is_some();
    let mut lines = Vec::new();
    if page.is_empty() && !has_more {
        lines.push(context.line(if lookup.before.is_none() {
            none
        } else {
            Text::NoMoreFound
        }));
        let sender = match &lookup.kind {
            LookupKind::Words(search) => search.sender.as_deref(),
            LookupKind::Mentions => None,
        };
        let unknown = sender.filter(|name| !context.session.is_user(&normal_name(name)));
        lines.extend(unknown.map(|name| context.dim(Text::UnknownSender { name })));
    } else {
        lines.push(context.bold(heading));
        for (number, target, post) in page {
            lines.extend(row(number, target, post, &words, context));
        }
        lines.push(context.dim(if has_more {
            Text::HowToSeeMore
        } else {
            Text::HowToOpenFound
        }));
    }
    let is_partial = matches!(event, Event::FoundMessages { indexed: Some(id), .. } if *id > 1);
    lines.extend(is_partial.then(|| context.dim(Text::StillIndexing)));
    lines
}

/// A found message: its number, conversation, time and sender, and its words in their context.
fn row(
    number: u64,
    target: &Target,
    post: &Post,
    words: &[String],
    context: &Context,
) -> Vec<Line> {
    let at = context.settings.zone.at(post.time);
    let place = match target {
        Target::Room(room) => room.clone(),
        Target::Friend(name) => format!("@{}", context.language.user_name(name)),
    };
    let mut head = vec![
        span(&format!("{number:>3}  "), Style::Bold),
        span(&place, Style::Plain),
        span(&format!("  [{at}] "), Style::Dim),
    ];
    let name = span(&context.name_of(post), Style::Name(colour_of(&post.sender)));
    let bot = span(&context.language.say(Text::BotMark), Style::Dim);
    let does = statement::action(&post.content).filter(|_| !post.deleted);
    if does.is_some() {
        head.extend([span("* ", Style::Bold), name, span(" ", Style::Plain)]);
    } else {
        head.push(name);
        head.extend(post.bot.then_some(bot));
        head.push(span(&context.language.say(Text::Says), Style::Plain));
    }
    if context.session.folds(target, &post.sender) {
        let text = context.language.say(Text::OfBlocked);
        return context.excerpt(head, &text, Style::Dim);
    }
    if post.deleted {
        let text = context.language.say(Text::Deleted);
        return context.excerpt(head, &text, Style::Dim);
    }
    context.excerpt_with(head, &in_context(does.unwrap_or(&post.content), words))
}

/// The part of a text around the first word that was found, in pieces of which the found ones are marked. A link is
/// in it as a whole, to be copied, or not at all.
fn in_context(text: &str, words: &[String]) -> Vec<(String, Style)> {
    let text = plain_excerpt(text);
    let graphemes: Vec<&str> = text.graphemes(true).collect();
    let is_found = found_graphemes(&graphemes, words);
    let links = grapheme_links(&text);
    let Range { start, end } = excerpt_of(&is_found, &links);
    let mut pieces: Vec<(String, Style)> = Vec::new();
    if start > 0 {
        pieces.push(("…".to_owned(), Style::Dim));
    }
    for at in start..end {
        let link = links.iter().find(|link| link.contains(&at));
        let is_found = match link {
            Some(link) => has_found(&is_found, link),
            None => is_found[at],
        };
        let style = match (link, is_found) {
            (Some(_), true) => Style::FoundLink,
            (Some(_), false) => Style::Link,
            (None, true) => Style::Mention,
            (None, false) => Style::Plain,
        };
        match pieces.last_mut() {
            Some((piece, last)) if *last == style => piece.push_str(graphemes[at]),
            _ => pieces.push((graphemes[at].to_owned(), style)),
        }
    }
    if end < graphemes.len() {
        pieces.push(("…".to_owned(), Style::Dim));
    }
    pieces
}

/// Which graphemes belong to words that were found.
fn found_graphemes(graphemes: &[&str], words: &[String]) -> Vec<bool> {
    let folded = graphemes.iter().map(|grapheme| statement::folded(grapheme));
    let folded: Vec<String> = folded.collect();
    let mut is_found = vec![false; graphemes.len()];
    for word in words {
        for start in 0..graphemes.len() {
            if let Some(length) = length_of(word, &folded[start..]) {
                is_found[start..start + length].fill(true);
            }
        }
    }
    is_found
}

/// Where the links of a text stand, in graphemes.
fn grapheme_links(text: &str) -> Vec<Range<usize>> {
    let starts: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    let grapheme = |byte: usize| starts.partition_point(|start| *start < byte);
    links(text)
        .map(|link| grapheme(link.start)..grapheme(link.end))
        .collect()
}

fn has_found(is_found: &[bool], link: &Range<usize>) -> bool {
    is_found[link.clone()].contains(&true)
}

/// The graphemes that are shown. They end where a link does that would be cut, or before it, if it is long and nothing
/// in it was found.
fn excerpt_of(is_found: &[bool], links: &[Range<usize>]) -> Range<usize> {
    let count = is_found.len();
    let first = is_found.iter().position(|found| *found).unwrap_or(0);
    let start = first
        .saturating_sub(BEFORE)
        .min(count.saturating_sub(CONTEXT));
    let end = count.min(start + CONTEXT);
    let cut = |at: usize| {
        let link = links.iter().find(|link| link.start < at && at < link.end);
        link.map(|link| (link, link.len() <= LINK || has_found(is_found, link)))
    };
    let start = match cut(start) {
        Some((link, true)) => link.start,
        Some((link, false)) => link.end,
        None => start,
    };
    let end = match cut(end) {
        // One that begins the text is all there is to show.
        Some((link, false)) if link.start > start => link.start,
        Some((link, _)) => link.end,
        None => end,
    };
    start..end
}

/// How many graphemes a word takes, if they begin with it.
fn length_of(word: &str, folded: &[String]) -> Option<usize> {
    let mut rest = word;
    for (index, grapheme) in folded.iter().enumerate() {
        if rest.is_empty() {
            return Some(index);
        }
        rest = rest
            .strip_prefix(grapheme.as_str())
            .filter(|_| !grapheme.is_empty())?;
    }
    rest.is_empty().then_some(folded.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of a text, with `<` and `>` around what was found, and `{` and `}` around links.
    fn shown(text: &str, query: &str) -> String {
        let pieces = in_context(text, &statement::folded_words(query));
        let marked = pieces.iter().map(|(piece, style)| match style {
            Style::Mention => format!("<{piece}>"),
            Style::Link => format!("{{{piece}}}"),
            Style::FoundLink => format!("<{{{piece}}}>"),
            _ => piece.clone(),
        });
        marked.collect()
    }

    #[test]
    fn a_link_is_shown_as_a_whole_or_not_at_all() {
        let link = format!("https://a.org/{}", "x".repeat(100));
        let text = format!(
            "see {link}, lunch {} {link} {}",
            "b".repeat(100),
            "c".repeat(200)
        );
        assert_eq!(shown(&text, "see"), format!("<see> {{{link}}}, …"));
        let around = shown(&text, "lunch");
        assert_eq!(around, format!("…{{{link}}}, <lunch> {}…", "b".repeat(84)));
        let behind = format!("{} {link} {}", "b".repeat(100), "c".repeat(200));
        assert_eq!(
            shown(&format!("lunch {behind}"), "lunch"),
            format!("<lunch> {} {{{link}}}…", "b".repeat(100))
        );
        // What is found in it marks it all.
        assert_eq!(shown(&link, "org"), format!("<{{{link}}}>"));
        assert_eq!(shown(&link, ""), format!("{{{link}}}"));
        let long = format!("https://a.org/{}", "x".repeat(600));
        assert_eq!(shown(&long, ""), format!("{{{long}}}"));
        assert_eq!(shown(&format!("lunch {long} end"), "lunch"), "<lunch> …");
        assert_eq!(shown(&format!("{long} lunch"), "lunch"), "… <lunch>");
        assert_eq!(
            shown(&format!("lunch {long}?"), "lunch org"),
            format!("<lunch> <{{{long}}}>…")
        );
    }

    #[test]
    fn found_words_are_marked_in_their_context() {
        assert_eq!(shown("Lunch at noon", "lunch"), "<Lunch> at noon");
        assert_eq!(shown("明天一起吃午饭吗", "午饭"), "明天一起吃<午饭>吗");
        assert_eq!(shown("a\nb", "b"), "a <b>");
        assert_eq!(shown("ＣＡＦÉ", "café"), "<ＣＡＦÉ>");
        assert_eq!(shown("un café", "CAFE"), "un <café>");
        assert_eq!(shown("x", "y"), "x");
        let long = format!("{}word{}", "a ".repeat(200), " b".repeat(200));
        let context = shown(&long, "word");
        assert!(context.starts_with('…') && context.ends_with('…'));
        assert!(context.contains("<word>") && context.chars().count() < 2 * CONTEXT);
    }
}
