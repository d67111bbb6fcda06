//! Where a text mentions users: `@` and a name (PROTOCOL.md, section 5.14).
//!
//! The names of members are not known here. [`spots`] lists for each `@` the names that it may mean, and the longest
//! one that a member has is mentioned.

use unicode_script::{Script, UnicodeScript};

use crate::names::NameQuery;

/// The most names in the list of one message.
pub const MENTIONS: usize = 50;

/// The most names that are looked up for one message. A name begins at each `@` and ends before the next one, so only a
/// text that is nothing but names has more.
const LOOKED_UP: usize = 1_000;

/// The most texts of a message whose stored form takes the tables of Unicode ([`NameQuery::needs_tables`]): 6 ms. Such
/// a name ends where its script does, so only a text that is made for it has more.
const WITH_TABLES: usize = 200;

/// The most characters behind an `@` that can be a name. One of 20 characters may be typed with more.
const TYPED: usize = 60;

/// A place in a text that may mention a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The names that it may mean, in their stored form, the longest first.
    pub names: Vec<String>,
}

/// The places of a text that may mention users, in order. `tries` is told each text that is brought into the stored
/// form of a name, which is most of the work.
pub fn spots(text: &str, tries: impl FnMut(&str)) -> Vec<Spot> {
    let mut search = Search {
        left: LOOKED_UP,
        with_tables: WITH_TABLES,
        tries,
    };
    let mut spots = Vec::new();
    for (at, _) in text.match_indices('@') {
        if search.left == 0 {
            break;
        }
        if !is_latin_or_digit_before(&text[..at]) {
            let names = search.names_at(&text[at + 1..]);
            if !names.is_empty() {
                spots.push(Spot { names });
            }
        }
    }
    spots
}

/// A search for names, with what is left of its bounds.
struct Search<F> {
    /// Names.
    left: usize,
    /// Texts whose stored form takes tables.
    with_tables: usize,
    tries: F,
}

/// Whether a text ends with a Latin letter or a digit, as the first part of an e-mail address does.
fn is_latin_or_digit_before(text: &str) -> bool {
    // An accent that follows its letter is a part of it.
    let last = text.chars().rev().find(|c| c.script() != Script::Inherited);
    last.is_some_and(|c| c.is_numeric() || (c.is_alphabetic() && c.script() == Script::Latin))
}

impl<F: FnMut(&str)> Search<F> {
    /// The names that a text may begin with, the longest first.
    fn names_at(&mut self, text: &str) -> Vec<String> {
        let mut names = Vec::new();
        let mut script = None;
        for (at, c) in text.char_indices().take(TYPED) {
            if !may_be_in_name(c) {
                break;
            }
            if c.is_alphabetic() && !is_of_all_scripts(c) {
                script = Some(c.script());
            }
            let end = at + c.len_utf8();
            let next = text[end..].chars().next();
            if next.is_none_or(|next| ends(script, next)) {
                names.extend(self.name(&text[..end]));
            }
        }
        names.reverse();
        names.truncate(self.left);
        self.left -= names.len();
        names
    }

    /// The stored form of a name, if the text can be one.
    fn name(&mut self, text: &str) -> Option<String> {
        if NameQuery::needs_tables(text) {
            self.with_tables = self.with_tables.checked_sub(1)?;
        }
        (self.tries)(text);
        NameQuery::new(text).key().map(str::to_owned)
    }
}

fn is_of_all_scripts(c: char) -> bool {
    matches!(c.script(), Script::Common | Script::Inherited)
}

/// Names are letters, digits and separators; an accent may be typed behind its letter.
fn may_be_in_name(c: char) -> bool {
    c.is_alphanumeric() || is_separator(c) || c.script() == Script::Inherited
}

fn is_separator(c: char) -> bool {
    matches!(c, '_' | '.' | '-')
}

/// Whether a name, whose last letter is of a script, ends before a character.
fn ends(script: Option<Script>, next: char) -> bool {
    if next.script() == Script::Inherited {
        // It belongs to the last character of the name.
        return false;
    }
    if script == Some(Script::Han) || !may_be_in_name(next) || is_separator(next) {
        return true;
    }
    // A digit continues a name.
    let is_letter = next.is_alphabetic() && !is_of_all_scripts(next);
    is_letter && next.script() != script.unwrap_or(Script::Latin)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The names that a text mentions, of these members.
    fn mentioned(text: &str, members: &[&str]) -> Vec<String> {
        let found = spots(text, |_| ()).into_iter().filter_map(|spot| {
            let mut names = spot.names.into_iter();
            names.find(|name| members.contains(&name.as_str()))
        });
        found.collect()
    }

    #[test]
    fn names_end_where_the_rule_says() {
        let members = [
            "ann",
            "ann-marie",
            "bob",
            "小明",
            "小明明",
            "жанна",
            "bob2",
            "老王x",
        ];
        for (text, names) in [
            ("@ann", &["ann"][..]),
            ("@ANN!", &["ann"]),
            ("hi @ann, @bob", &["ann", "bob"]),
            ("@ann.", &["ann"]),
            ("@ann-", &["ann"]),
            ("@ann-marie", &["ann-marie"]),
            ("@ann-mariette", &["ann"]),
            ("@anna", &[]),
            ("@ann2", &[]),
            ("@bob2", &["bob2"]),
            ("@bob2x", &[]),
            ("@bob你好", &["bob"]),
            ("@bobжанна", &["bob"]),
            ("@жаннаx", &["жанна"]),
            ("@жаннаж", &[]),
            ("@жанна1", &[]),
            // Behind a Han name anything may follow, and the longest name counts.
            ("@小明你好", &["小明"]),
            ("@小明明你好", &["小明明"]),
            ("@小明2", &["小明"]),
            ("@小明abc", &["小明"]),
            ("你好@小明", &["小明"]),
            ("你好@bob你好", &["bob"]),
            ("@老王x你好", &["老王x"]),
            ("@老王xy", &[]),
            // No Latin letter or digit stands before it.
            ("me@ann", &[]),
            ("1@ann", &[]),
            ("é@ann", &[]),
            ("e\u{301}@ann", &[]),
            ("１@ann", &[]),
            ("ж@ann", &["ann"]),
            ("_@ann", &["ann"]),
            ("(@ann)", &["ann"]),
            ("@@ann", &["ann"]),
            ("@ann@bob", &["ann"]),
            ("@小明@bob", &["小明", "bob"]),
            ("@ ann", &[]),
            ("@", &[]),
            ("@\u{ff41}nn", &["ann"]),
            ("@ann\u{301}", &[]),
        ] {
            assert_eq!(mentioned(text, &members), names, "{text:?}");
        }
    }

    #[test]
    fn a_text_of_nothing_but_names_is_looked_up_to_a_bound() {
        let text = "@明明明明明明明明明明明明明明明明明明明明".repeat(400);
        let names: usize = spots(&text, |_| ())
            .iter()
            .map(|spot| spot.names.len())
            .sum();
        assert_eq!(names, LOOKED_UP);
    }

    #[test]
    fn texts_that_are_no_names_are_tried_to_a_bound() {
        // Full-width digits are mapped, and Han before them lets a name end at each character.
        let text = format!("@明{}_", "１".repeat(58)).repeat(21);
        let mut with_tables = 0;
        spots(&text, |tried| {
            with_tables += usize::from(NameQuery::needs_tables(tried));
        });
        assert_eq!(with_tables, WITH_TABLES);
    }

    #[test]
    fn a_chinese_text_with_a_mention_in_each_sentence_mentions_all() {
        let text = "@小明你好今天天气很好我们一起去公园吧，".repeat(MENTIONS);
        assert_eq!(mentioned(&text, &["小明"]).len(), MENTIONS);
        let text = "@Zoë, @Жанна @たろうさん、".repeat(MENTIONS / 3);
        let names = ["zoë", "жанна", "たろうさん"];
        assert_eq!(mentioned(&text, &names).len(), MENTIONS / 3 * 3);
    }

    proptest! {
        #[test]
        fn each_candidate_is_a_stored_name_that_the_text_has(text in "[@ab1_.é小明ж \u{301}]{0,24}|\\PC{0,20}") {
            for spot in spots(&text, |_| ()) {
                let lengths: Vec<usize> = spot.names.iter().map(|name| name.chars().count()).collect();
                prop_assert!(lengths.is_sorted_by(|a, b| a >= b));
                for name in &spot.names {
                    let query = NameQuery::new(name.as_str());
                    prop_assert_eq!(query.key(), Some(name.as_str()));
                }
            }
        }

        #[test]
        fn a_name_between_spaces_is_always_found(name in "[a-z][a-z0-9_.-]{0,18}[a-z0-9]|[一-十]{1,5}|[а-я]{1,9}") {
            if NameQuery::new(name.as_str()).key() == Some(name.as_str()) {
                let text = format!("x @{name} y");
                prop_assert_eq!(mentioned(&text, &[&name]), [name]);
            }
        }
    }
}
