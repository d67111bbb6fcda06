//! One conversation: its newest messages, in order and without gaps, and what is unread of it.

use std::collections::{BTreeSet, VecDeque};

/// Messages of one conversation that are remembered; older ones are fetched again.
const LINES: usize = 500;
/// Bytes of them: more than any page has (240 KiB), so that a page always fits into an empty conversation.
const BYTES: usize = 256 * 1024;
/// Bytes that an entry of a list of short texts counts for besides its text: what it takes in memory, and less than it
/// takes in a page.
pub(super) const ENTRY: usize = 32;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Post {
    /// Grows over the whole server.
    pub id: u64,
    /// The sender.
    pub sender: String,
    /// Whether that is the reader.
    pub mine: bool,
    /// Unix seconds.
    pub time: u64,
    /// The text, as it came.
    pub content: String,
    /// Whether a bot sent it.
    pub bot: bool,
    /// Whether it was deleted. Its text is empty then.
    pub deleted: bool,
    /// The message of the same conversation that it answers.
    pub reply_to: Option<u64>,
    /// Whether its text was changed.
    pub edited: bool,
    /// Whether the server says that it names the reader.
    pub names_me: bool,
    /// The reactions to it.
    pub reactions: Vec<ReactionCount>,
}

impl Post {
    /// Bytes of its texts.
    pub fn bytes(&self) -> usize {
        let reactions = self.reactions.iter();
        let reactions: usize = reactions.map(|reaction| ENTRY + reaction.emoji.len()).sum();
        reactions + self.sender.len() + self.content.len()
    }
}

/// Reactions to a message with one emoji.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionCount {
    /// The emoji, as it came.
    pub emoji: String,
    /// How many users reacted with it.
    pub count: u64,
    /// Whether the reader did.
    pub mine: bool,
}

/// The newest messages of a conversation.
#[derive(Debug, Default)]
pub struct Conversation {
    lines: VecDeque<Post>,
    bytes: usize,
    /// What to ask for with `before`, if the server has older ones.
    older: Option<u64>,
    unread: u64,
    /// Messages of others that arrived since the login and were not shown.
    new: u64,
    /// Unread messages that name the reader.
    mentions: u64,
    /// Up to where the server knows that it was read, or is being told so.
    read_id: u64,
    /// The same before the server was asked to move its marker, until it answers.
    marked_from: Option<u64>,
    /// Whether the server has said that no message is the reader's. None of those held is.
    has_no_own: bool,
}

impl Conversation {
    /// The messages, oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &Post> + ExactSizeIterator {
        self.lines.iter()
    }

    /// How many messages of others are unread.
    pub fn unread(&self) -> u64 {
        self.unread
    }

    /// How many unread messages name the reader.
    pub fn mentions(&self) -> u64 {
        self.mentions
    }

    /// The message with this id, if it is remembered.
    pub fn get(&self, id: u64) -> Option<&Post> {
        let at = self.lines.binary_search_by_key(&id, |post| post.id).ok()?;
        self.lines.get(at)
    }

    /// How many unread messages arrived since the login, or since the conversation was read.
    pub fn new_messages(&self) -> u64 {
        // What was read elsewhere is not new any more.
        self.new.min(self.unread)
    }

    /// How many unread messages are not remembered.
    pub fn lacking_unread(&self) -> u64 {
        let is_unread = |post: &&Post| !post.mine && post.id > self.read_id;
        let known = self.lines.iter().filter(is_unread).count();
        self.unread.saturating_sub(known as u64)
    }

    /// Bytes of the messages.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether an older message can be remembered.
    pub fn has_room(&self) -> bool {
        self.lines.len() < LINES && self.bytes < BYTES
    }

    /// Up to where it was read.
    pub fn read_id(&self) -> u64 {
        self.read_id
    }

    /// What to ask for with `before` to see older messages than the remembered ones; `None` if
    /// there are none.
    pub fn older(&self) -> Option<u64> {
        self.older
    }

    /// Whether none of all messages of the conversation is the reader's, as far as that is known.
    pub fn has_no_own(&self) -> bool {
        self.has_no_own
    }

    /// None of all messages is the reader's.
    pub(super) fn lacks_own(&mut self) {
        self.has_no_own = true;
    }

    /// Whether this id would lie between two messages that are held, and is not held.
    pub(super) fn lacks(&self, id: u64) -> bool {
        match self.lines.binary_search_by_key(&id, |post| post.id) {
            Ok(_) => false,
            Err(place) => place > 0 && place < self.lines.len(),
        }
    }

    /// Whether this message is held, by its id and its time, which never change.
    pub(super) fn holds(&self, id: u64, time: u64) -> bool {
        let place = self.lines.binary_search_by_key(&id, |post| post.id);
        place.is_ok_and(|place| self.lines[place].time == time)
    }

    /// Whether this id is held, or is where the server knows that it was read.
    pub(super) fn has_read(&self, id: u64) -> bool {
        self.read_id == id || self.lines.binary_search_by_key(&id, |post| post.id).is_ok()
    }

    pub(super) fn has_older(&mut self, before: u64) {
        self.older = Some(self.lines.front().map_or(before, |first| first.id));
    }

    /// This is the end of another conversation, of which nothing between is held: older messages are asked for.
    pub(super) fn continues(&mut self, other: &Self) {
        if let Some(older) = other.older {
            self.older.get_or_insert(older);
        }
    }

    /// What follows on the messages held is not known: they are forgotten, and asked for again with what lies before
    /// this id.
    pub(super) fn leave_gap(&mut self, before: u64) {
        self.lines.clear();
        self.bytes = 0;
        self.has_no_own = false;
        self.older = Some(before);
    }

    pub(super) fn push(&mut self, post: Post) {
        if self.lines.is_empty() && self.older.is_some() {
            self.older = Some(post.id);
        }
        self.bytes += post.bytes();
        self.has_no_own &= !post.mine;
        self.lines.push_back(post);
        self.drop_oldest();
    }

    /// Forgets the oldest messages that are too many. They are asked for again when they are to be shown.
    fn drop_oldest(&mut self) {
        while self.lines.len() > LINES || (self.bytes > BYTES && self.lines.len() > 1) {
            let dropped = self.lines.pop_front().expect("there is more than one");
            self.bytes -= dropped.bytes();
            self.older = self.lines.front().map(|first| first.id);
        }
    }

    /// Takes what a page has before the first message, if there is room for it. The rest of it
    /// arrived while the page was on its way. `before`: the id before which the page was asked for; a page that ends
    /// further above the first message would leave a gap, and is not taken.
    pub(super) fn prepend(&mut self, mut page: Vec<Post>, before: Option<u64>, more: bool) {
        let first = self.lines.front().map(|first| first.id).or(self.older);
        let first = first.unwrap_or(u64::MAX);
        page.retain(|post| post.id < first);
        let bytes: usize = page.iter().map(Post::bytes).sum();
        let has_room = self.lines.len() + page.len() <= LINES && self.bytes + bytes <= BYTES;
        if !has_room || before.is_some_and(|before| before < first) {
            return;
        }
        let oldest = page.first().map_or(first, |post| post.id);
        self.older = more.then_some(oldest);
        self.bytes += bytes;
        for post in page.into_iter().rev() {
            self.lines.push_front(post);
        }
    }

    /// Puts a message as it is now in the place of what it was. The message as it was, if it is remembered.
    pub(super) fn replace(&mut self, post: Post) -> Option<Post> {
        let at = self.lines.binary_search_by_key(&post.id, |held| held.id);
        let held = self.lines.get_mut(at.ok()?)?;
        self.bytes = self.bytes + post.bytes() - held.bytes();
        // A deleted message is not unread any more, and an edit changes whom a message names.
        if self.unread > 0 && !post.mine && post.id > self.read_id {
            let gone = u64::from(post.deleted && !held.deleted);
            self.unread = self.unread.saturating_sub(gone);
            self.new = self.new.saturating_sub(gone);
            let before = u64::from(held.names_me && !held.deleted);
            let now = u64::from(post.names_me && !post.deleted);
            self.mentions = (self.mentions + now).saturating_sub(before);
        }
        let before = std::mem::replace(held, post);
        self.drop_oldest();
        Some(before)
    }

    /// A user has another name.
    pub(super) fn rename_sender(&mut self, was: &str, name: &str) {
        for post in self.lines.iter_mut().filter(|post| post.sender == was) {
            name.clone_into(&mut post.sender);
        }
        self.bytes = self.lines.iter().map(Post::bytes).sum();
        self.drop_oldest();
    }

    /// Forgets all messages. They are asked for again when they are to be shown.
    pub(super) fn forget(&mut self) {
        self.keep_only(&BTreeSet::new());
    }

    /// Forgets the messages that a login did not bring: they may have been edited or deleted while there was no
    /// connection. They are asked for again when they are to be shown.
    pub(super) fn keep_only(&mut self, brought: &BTreeSet<u64>) {
        self.has_no_own = false;
        let count = self.lines.len();
        let Some(last) = self.lines.back().map(|post| post.id) else {
            return;
        };
        self.lines.retain(|post| brought.contains(&post.id));
        if self.lines.len() < count {
            self.bytes = self.lines.iter().map(Post::bytes).sum();
            let first = self.lines.front().map(|first| first.id);
            self.older = Some(first.unwrap_or(last.saturating_add(1)));
        }
    }

    /// A message of another user arrived; whether it names the reader.
    pub(super) fn count_unread(&mut self, names_me: bool) {
        self.unread += 1;
        self.new += 1;
        self.mentions += u64::from(names_me);
    }

    /// What the server says at login; it knows best what it remembers.
    pub(super) fn set_unread(&mut self, count: u64, mentions: u64, read_id: u64) {
        self.unread = count;
        self.mentions = mentions.min(count);
        self.read_id = read_id;
        self.marked_from = None;
    }

    /// Everything was shown.
    pub(super) fn read(&mut self) {
        (self.unread, self.new, self.mentions) = (0, 0, 0);
    }

    /// Another session of the user has read up to this id.
    pub(super) fn read_to(&mut self, id: u64) {
        self.marked_from = self.marked_from.map(|from| from.max(id));
        if id <= self.read_id {
            return;
        }
        self.read_id = id;
        // Above a marker that stands before the oldest message held, the rest is not known.
        if self.lines.front().is_none_or(|first| first.id <= id) {
            let is_unread = |post: &&Post| !post.mine && post.id > id;
            let left = self.lines.iter().filter(is_unread).count() as u64;
            let naming = self.lines.iter().filter(is_unread);
            let naming = naming.filter(|post| post.names_me).count() as u64;
            self.unread = self.unread.min(left);
            self.new = self.new.min(left);
            self.mentions = self.mentions.min(naming);
        }
    }

    /// The server says that everything known here was read before.
    pub(super) fn read_elsewhere(&mut self) {
        (self.unread, self.mentions) = (0, 0);
        let newest = self.lines.back().map_or(0, |post| post.id);
        self.read_id = self.read_id.max(newest);
    }

    /// The id to move the server's marker to, if it stands lower; it counts as moved then, unless the server refuses.
    pub(super) fn unmarked(&mut self) -> Option<u64> {
        // One's own messages are read by themselves.
        let newest = self.lines.iter().rev().find(|post| !post.mine)?.id;
        if newest <= self.read_id {
            return None;
        }
        self.marked_from = Some(self.read_id);
        self.read_id = newest;
        Some(newest)
    }

    /// The server has moved its marker, or refuses to: then it stands where it stood.
    pub(super) fn marked(&mut self, is_moved: bool) {
        let from = self.marked_from.take();
        self.read_id = from.filter(|_| !is_moved).unwrap_or(self.read_id);
    }
}
