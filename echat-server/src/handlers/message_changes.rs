//! Editing and deleting messages, and reactions to them.

use super::admission::{Plan, View};
use super::{Caller, Reject};
use echat_proto::names::Content;
use echat_proto::param::Emoji;
use echat_proto::records::Code;

/// EDIT_MESSAGE.
pub(crate) fn edit_message(
    _view: &View<'_, '_>,
    _me: Caller,
    _id: u64,
    _content: Content,
) -> Result<Plan, Reject> {
    Err(Code::NotAllowed.into())
}

/// DELETE_MESSAGE.
pub(crate) fn delete_message(_view: &View<'_, '_>, _me: Caller, _id: u64) -> Result<Plan, Reject> {
    Err(Code::NotAllowed.into())
}

/// REACT.
pub(crate) fn react(
    _view: &View<'_, '_>,
    _me: Caller,
    _id: u64,
    _emoji: Emoji,
    _on: bool,
) -> Result<Plan, Reject> {
    Err(Code::NotAllowed.into())
}
