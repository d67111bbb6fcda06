//! Messages of blocked users in the open chat: one line stands for those that follow one another, until `/show`.

use std::collections::VecDeque;

use super::Context;
use crate::render::styled::Line;
use crate::session::Post;
use crate::text::Text;

/// How many messages `/show` can open.
const KEPT: usize = 200;

/// The folded messages of the open chat.
#[derive(Debug, Default)]
pub(super) struct FoldedMessages {
    /// Those that `/show` opens: the newest [`KEPT`].
    posts: VecDeque<Post>,
    /// How many arrived that the line shown last stands for.
    row: u64,
}

impl FoldedMessages {
    /// Keeps a message for `/show`. A line is shown for it elsewhere.
    pub(super) fn keep(&mut self, post: &Post) {
        if self.posts.len() == KEPT {
            self.posts.pop_front();
        }
        self.posts.push_back(post.clone());
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

    /// `/show`: takes the messages that were folded since it was typed last.
    pub(super) fn unfold(&mut self, context: &Context) -> Vec<Line> {
        let Self { posts, .. } = std::mem::take(self);
        if posts.is_empty() {
            return vec![context.dim(Text::NothingFolded)];
        }
        context.begin_list();
        posts
            .iter()
            .flat_map(|post| context.message(post))
            .collect()
    }

    /// Forgets all: the chat is shown from its beginning.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// A message is this one now.
    pub(super) fn change(&mut self, post: &Post) {
        for folded in self.posts.iter_mut().filter(|folded| folded.id == post.id) {
            folded.clone_from(post);
        }
    }

    /// After a login the messages are as they are now. Those that it did not bring may have been deleted.
    pub(super) fn confirm(&mut self, context: &Context) {
        let now = |post: &Post| Some(context.session.message(post.id)?.1.clone());
        self.posts = self.posts.iter().filter_map(now).collect();
    }
}
