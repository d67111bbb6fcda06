//! Which message of the open chat a number means.

use super::Context;
use crate::session::Post;
use crate::target::Target;

/// Messages that `/n` numbers.
pub(super) const NUMBERED: usize = 30;

/// Numbers of messages in the open chat, counted from below. Where numbers are shown, they mean what they stand beside,
/// however many messages arrive, until the user says something else or leaves the chat.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// The ids of the messages with numbers that are shown, number 1 first.
    shown: Vec<u64>,
}

impl Numbers {
    /// Numbers these messages, of which the newest is the last and gets number 1.
    pub(super) fn show(&mut self, messages: &[Post]) {
        self.shown = messages.iter().rev().map(|post| post.id).collect();
    }

    /// The numbers that are shown count no longer.
    pub(super) fn forget(&mut self) {
        self.shown.clear();
    }

    /// Whether no numbers are shown.
    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// The id of the message that stands beside a number.
    pub(super) fn id(&self, number: u64) -> Option<u64> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.shown.get(index).copied()
    }

    /// The message with a number, as it is now. `None` too for one that is not remembered.
    pub(super) fn get(&self, number: u64, target: &Target, context: &Context) -> Option<Post> {
        if self.is_empty() {
            let index = usize::try_from(number.checked_sub(1)?).ok()?;
            return newest_first(target, context).nth(index).cloned();
        }
        let (_, post) = context.session.message(self.id(number)?)?;
        Some(post.clone())
    }
}

/// The messages of a conversation that are remembered and not folded, from below.
pub(super) fn newest_first<'a>(
    target: &'a Target,
    context: &'a Context,
) -> impl Iterator<Item = &'a Post> {
    let conversation = context.session.conversation(target);
    let lines = conversation
        .into_iter()
        .flat_map(|found| found.lines().rev());
    lines.filter(|post| !context.session.folds(target, &post.sender))
}
