//! What a member may put into a room.
//!
//! Sending, editing and reacting ask here, so a new rule that keeps a member from writing is written once.

use super::admission::View;
use super::{Caller, Reject};
use crate::storage::{ConversationId, Restriction};
use echat_proto::Value;
use echat_proto::names::Content;
use echat_proto::records::Code;
use std::time::Duration;

/// A user in a conversation, with what holds for the user there.
pub(super) struct Poster<'a> {
    pub(super) me: &'a Caller,
    pub(super) conversation: ConversationId,
    /// `None` if nothing restricts the user, as it is for operators and between friends.
    pub(super) restriction: Option<Restriction>,
}

/// Refuses a text that is longer than this server takes, with the keys of one that no server takes.
pub(super) fn check_length(view: &View<'_, '_>, content: &Content) -> Result<(), Reject> {
    if content.as_str().len() > view.limits.content_bytes {
        let field = Value::from("content");
        return Err(Reject::from(Code::BadContent).with_key("field", field));
    }
    Ok(())
}

impl Poster<'_> {
    /// Refuses everything that others would read: a message, an edit, a reaction.
    pub(super) fn check_writing(&self) -> Result<(), Reject> {
        if self.restriction.is_some_and(|held| held.read_only) {
            return Err(Code::ReadOnly.into());
        }
        Ok(())
    }

    /// Refuses a new message, which slow mode holds up too.
    pub(super) fn check_sending(&self, view: &View<'_, '_>) -> Result<(), Reject> {
        self.check_writing()?;
        let Some(restriction) = self.restriction else {
            return Ok(());
        };
        let last = view.batch.last_sent(self.conversation, self.me.id)?;
        // A time that lies ahead is of a clock that was put back since: it does not count.
        let passed = last.and_then(|last| u64::try_from(view.now.saturating_sub(last)).ok());
        let slow = u64::from(restriction.slow_seconds);
        if let Some(passed) = passed.filter(|passed| *passed < slow) {
            let wait = Duration::from_secs(slow - passed);
            return Err(Reject::retry_after(Code::SlowMode, wait));
        }
        Ok(())
    }
}
