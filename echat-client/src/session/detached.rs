//! Messages outside the conversations, which hold only their newest ones without gaps: search results, the page that
//! the user jumped to, and what a command about a message asked for.

use std::collections::BTreeSet;

use echat_proto::commands::{Event, Request};
use echat_proto::names::NameQuery;
use echat_proto::param::ShortText;

use super::Post;
use crate::target::{Target, normal_name};

/// Messages of one page of a search, or of mentions.
const PAGE: u64 = 20;
/// Bytes of the messages that are held here. With more, the oldest are forgotten, but for where they are: they are
/// asked for again. A thousand messages of the usual longest have as many.
const BYTES: usize = 4 << 20;
/// Found messages that are numbered on; after these the numbers begin again.
const NUMBERED: usize = 1_000;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// As it was typed, with its filters.
    pub typed: String,
    /// The words, as the server reads them.
    pub query: String,
    /// In which conversation.
    pub target: Option<Target>,
    /// From which user.
    pub sender: Option<String>,
    /// Not before this unix second.
    pub since: Option<u64>,
    /// Before this unix second.
    pub before: Option<u64>,
    /// Whether only messages with a link count.
    pub has_link: bool,
}

/// What messages are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupKind {
    /// Those that name the reader.
    Mentions,
    /// Those with words.
    Words(Search),
}

/// A page of messages from all conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// What is looked for.
    pub kind: LookupKind,
    /// Where the page begins; `None` for the first one.
    pub before: Option<u64>,
}

impl Lookup {
    /// The first page.
    pub fn new(kind: LookupKind) -> Self {
        Self { kind, before: None }
    }

    /// A room or a user has another name: the same messages are looked for.
    pub fn rename(&mut self, was: &Target, now: &Target) {
        let LookupKind::Words(search) = &mut self.kind else {
            return;
        };
        if search.target.as_ref() == Some(was) {
            search.target = Some(now.clone());
        }
        let is_sender = |sender: &String| !was.is_room() && normal_name(sender) == was.name();
        if search.sender.as_ref().is_some_and(is_sender) {
            search.sender = Some(now.name().to_owned());
        }
    }

    /// The request.
    pub fn request(&self) -> Request {
        let (before, limit) = (self.before, Some(PAGE));
        match &self.kind {
            LookupKind::Mentions => Request::ListMentions { before, limit },
            LookupKind::Words(search) => Request::Search {
                query: ShortText(search.query.clone()),
                target_type: search.target.as_ref().map(Target::target_type),
                target: search.target.as_ref().map(Target::query),
                sender: search.sender.as_deref().map(NameQuery::new),
                since: search.since,
                // The parameter is the last second that counts.
                until: search.before.map(|before| before.saturating_sub(1)),
                before,
                limit,
            },
        }
    }
}

/// A message outside the conversations.
#[derive(Debug)]
struct DetachedMessage {
    target: Target,
    id: u64,
    /// `None` after a lost connection: it may have been edited or deleted since.
    post: Option<Post>,
}

impl DetachedMessage {
    fn new(target: Target, post: Post) -> Self {
        let (id, post) = (post.id, Some(post));
        Self { target, id, post }
    }
}

/// Search results, the page that the user jumped to, and what a command about a message asked for.
#[derive(Debug, Default)]
pub(super) struct DetachedMessages {
    /// Found messages, in the order of their numbers.
    found: Vec<DetachedMessage>,
    /// Where the page that came last begins in them.
    page: usize,
    next: Option<Lookup>,
    /// The page that was jumped to.
    jumped: Vec<DetachedMessage>,
    /// What a command about a message asked for last.
    recalled: Vec<DetachedMessage>,
}

impl DetachedMessages {
    /// The message with this id.
    pub(super) fn get(&self, id: u64) -> Option<(&Target, &Post)> {
        let mut all = self.jumped.iter().chain(&self.found).chain(&self.recalled);
        all.find_map(|held| Some((&held.target, held.post.as_ref().filter(|_| held.id == id)?)))
    }

    /// Puts a message as it is now in the place of what it was. The message as it was.
    pub(super) fn replace(&mut self, post: &Post) -> Option<Post> {
        let mut before = None;
        let mut is_held = false;
        for held in self.all_mut().filter(|held| held.id == post.id) {
            before = held.post.replace(post.clone());
            is_held = true;
        }
        if is_held {
            self.forget_oldest();
        }
        before
    }

    /// Forgets messages that are too many, those that were found first.
    fn forget_oldest(&mut self) {
        let held = self.found.iter_mut().chain(&mut self.recalled);
        let mut held: Vec<&mut DetachedMessage> = held.chain(&mut self.jumped).collect();
        let bytes_of = |held: &&mut DetachedMessage| held.post.as_ref().map_or(0, Post::bytes);
        let mut bytes: usize = held.iter().map(bytes_of).sum();
        for held in &mut held {
            if bytes <= BYTES {
                return;
            }
            bytes -= bytes_of(held);
            held.post = None;
        }
    }

    /// The messages of a conversation that was jumped in.
    pub(super) fn jump(&mut self, target: &Target, page: &[Post]) {
        let page = page.iter().cloned();
        self.jumped = page
            .map(|post| DetachedMessage::new(target.clone(), post))
            .collect();
    }

    /// Messages of a conversation that a command asked for.
    pub(super) fn recall(&mut self, target: &Target, messages: Vec<Post>) {
        let messages = messages.into_iter();
        self.recalled = messages
            .map(|post| DetachedMessage::new(target.clone(), post))
            .collect();
    }

    /// Forgets the messages that a login did not bring, but for where they are.
    pub(super) fn keep_only(&mut self, brought: &BTreeSet<u64>) {
        for held in self.all_mut().filter(|held| !brought.contains(&held.id)) {
            held.post = None;
        }
    }

    /// Forgets the messages of a sender, but for where they are.
    pub(super) fn forget_sender(&mut self, name: &str) {
        for held in self.all_mut() {
            held.post = held.post.take().filter(|post| post.sender != name);
        }
    }

    /// Whether a message of this sender is held.
    pub(super) fn has_sender(&self, name: &str) -> bool {
        let mut all = self.jumped.iter().chain(&self.found).chain(&self.recalled);
        all.any(|held| held.post.as_ref().is_some_and(|post| post.sender == name))
    }

    /// A user has another name.
    pub(super) fn rename_sender(&mut self, was: &str, name: &str) {
        let posts = self.all_mut().filter_map(|held| held.post.as_mut());
        for post in posts.filter(|post| post.sender == was) {
            name.clone_into(&mut post.sender);
        }
    }

    /// A room or a user has another name.
    pub(super) fn rename(&mut self, was: &Target, name: &Target) {
        for held in self.all_mut().filter(|held| held.target == *was) {
            held.target.clone_from(name);
        }
        if let Some(next) = &mut self.next {
            next.rename(was, name);
        }
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut DetachedMessage> {
        let shown = self.jumped.iter_mut().chain(&mut self.found);
        shown.chain(&mut self.recalled)
    }

    /// A page of what was looked for.
    fn find(&mut self, lookup: &Lookup, page: Vec<DetachedMessage>, next: Option<u64>) {
        if lookup.before.is_none() || self.found.len() + page.len() > NUMBERED {
            self.found.clear();
        }
        self.page = self.found.len();
        self.found.extend(page);
        self.forget_oldest();
        self.next = next.map(|next| Lookup {
            before: Some(next),
            ..lookup.clone()
        });
    }
}

impl super::Session {
    /// What was found last: the messages, with their numbers, of the page that came last.
    pub fn found_page(&self) -> impl Iterator<Item = (u64, &Target, &Post)> {
        let found = self.detached.found.iter().enumerate();
        let page = found.skip(self.detached.page);
        page.filter_map(|(index, held)| Some((index as u64 + 1, &held.target, held.post.as_ref()?)))
    }

    /// The conversation and the id of the found message with a number.
    pub fn found(&self, number: u64) -> Option<(&Target, u64)> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let held = self.detached.found.get(index)?;
        Some((&held.target, held.id))
    }

    /// The page behind the one that came last.
    pub fn next_lookup(&self) -> Option<&Lookup> {
        self.detached.next.as_ref()
    }

    /// Takes the reply to a lookup: the newest message first.
    pub(super) fn take_found(
        &mut self,
        lookup: &Lookup,
        event: &Event,
        updates: &mut Vec<super::Update>,
    ) {
        let (messages, next) = match event {
            Event::FoundMessages {
                messages,
                more,
                next,
                ..
            } => (messages.clone(), next.filter(|_| *more)),
            Event::History { messages, more, .. } => {
                let next = messages.first().map(|oldest| oldest.id);
                let newest_first = messages.iter().rev().cloned().collect();
                (newest_first, next.filter(|_| *more))
            }
            _ => return,
        };
        self.take_as_now(&messages, updates);
        let wants_link = matches!(&lookup.kind, LookupKind::Words(search) if search.has_link);
        let messages = messages.into_iter();
        let page =
            messages.filter(|message| !wants_link || crate::links::has_link(&message.content));
        let page = page.map(|message| {
            let target = Target::new(message.target_type, message.target.clone());
            DetachedMessage::new(target, self.post_of(message))
        });
        let page = page.collect();
        self.detached.find(lookup, page, next);
    }
}
