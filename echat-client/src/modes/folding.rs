//! Messages of blocked users in the open chat: one line stands for those that follow one another, until `/show`.

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use crate::render::styled::Line;
use crate::session::{Post, Update};
use crate::text::Text;

/// How many messages `/show` can open.
const KEPT: usize = 200;
/// Bytes of them: as many as a conversation remembers.
const BYTES: usize = 256 * 1024;

/// The folded messages of the open chat.
#[derive(Debug, Default)]
pub(super) struct FoldedMessages {
    /// Those that `/show` opens, by their ids: at most [`KEPT`].
    posts: BTreeMap<u64, Post>,
    /// The ids of those that `/show` opened: at most [`KEPT`].
    opened: BTreeSet<u64>,
    /// How many arrived that the line shown last stands for.
    row: u64,
}

impl FoldedMessages {
    /// Keeps a message for `/show`. A line is shown for it elsewhere.
    pub(super) fn keep(&mut self, post: &Post) {
        self.posts.insert(post.id, post.clone());
        self.drop_oldest();
    }

    fn drop_oldest(&mut self) {
        let mut bytes: usize = self.posts.values().map(Post::bytes).sum();
        while self.posts.len() > KEPT || (bytes > BYTES && self.posts.len() > 1) {
            let dropped = self.posts.pop_first();
            bytes -= dropped.map_or(0, |(_, post)| post.bytes());
        }
    }

    /// Keeps a message that arrives. The first in a row is shown as a line, which stands for the others too.
    pub(super) fn arrive(&mut self, post: &Post, context: &Context) -> Option<Line> {
        self.keep(post);
        self.row += 1;
        (self.row == 1).then(|| context.dim(Text::Folding))
    }

    /// Another line follows on the row: how many more messages there were than the first one.
    pub(super) fn end_row(&mut self, context: &Context) -> Option<Line> {
        let count = std::mem::take(&mut self.row).saturating_sub(1);
        (count > 0).then(|| context.dim(Text::FoldedMore { count }))
    }

    /// `/show`: takes the messages that were folded since it was typed last, the oldest first.
    pub(super) fn unfold(&mut self) -> Vec<Post> {
        self.row = 0;
        let posts = std::mem::take(&mut self.posts);
        self.opened.extend(posts.keys());
        while self.opened.len() > KEPT {
            self.opened.pop_first();
        }
        posts.into_values().collect()
    }

    /// Forgets all: the chat is shown from its beginning.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// A message is this one now.
    pub(super) fn change(&mut self, post: &Post) {
        if let Some(folded) = self.posts.get_mut(&post.id) {
            folded.clone_from(post);
            self.drop_oldest();
        }
    }

    /// A user may have another name.
    pub(super) fn rename(&mut self, update: &Update) {
        let Update::Renamed { was, name } = update else {
            return;
        };
        let posts = self.posts.values_mut();
        for post in posts.filter(|post| post.sender == *was) {
            name.clone_into(&mut post.sender);
        }
    }

    /// Whether `/show` has shown a message.
    pub(super) fn has_opened(&self, id: u64) -> bool {
        self.opened.contains(&id)
    }

    /// Folds a message again that `/show` has shown.
    pub(super) fn fold_again(&mut self, post: &Post) {
        self.opened.remove(&post.id);
        self.keep(post);
    }

    /// The messages that the session has are as they are now. The others may have been deleted.
    pub(super) fn confirm(&mut self, context: &Context) {
        let now = |id: &u64| Some((*id, context.session.message(*id)?.1.clone()));
        self.posts = self.posts.keys().filter_map(now).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_folded_messages_are_bounded() {
        let post = |id: u64, length: usize| Post {
            id,
            sender: "eve".to_owned(),
            mine: false,
            time: id,
            content: "x".repeat(length),
            bot: false,
            deleted: false,
            reply_to: None,
            edited: false,
            names_me: false,
            reactions: Vec::new(),
        };
        let mut folded = FoldedMessages::default();
        for id in 1..=KEPT as u64 {
            folded.keep(&post(id, 100));
        }
        assert_eq!(folded.posts.len(), KEPT);
        for id in 1..=KEPT as u64 {
            folded.change(&post(id, BYTES / 4));
        }
        // With the names of the sender, four are too many.
        assert_eq!(folded.posts.len(), 3);
        folded.keep(&post(1_000, BYTES * 2));
        assert_eq!(folded.unfold().len(), 1);
    }
}
