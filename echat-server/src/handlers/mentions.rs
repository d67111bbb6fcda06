//! What the text of a message mentions: members of its room, or the friend (PROTOCOL.md, section 5.14).

use super::Caller;
use crate::storage::{Batch, ConversationId, Mention, Role, StoreError, UserId};
use echat_proto::mentions::{MENTIONS, spots};
use echat_proto::names::Content;
use std::collections::{BTreeSet, HashMap};

/// The name behind an `@` that stands for all members. No account can have it.
const ALL: &str = "all";

/// Where a message is sent to.
#[derive(Clone, Copy, Debug)]
pub(super) struct MentionScope<'a> {
    pub(super) conversation: ConversationId,
    /// The name of the room, or of the friend.
    pub(super) name: &'a str,
    /// The friend, if the conversation is private.
    pub(super) friend: Option<UserId>,
}

/// What a text mentions, each once, in the order of the text; at most [`MENTIONS`]. The names of a text may be much
/// work, so rates are judged before it.
pub(super) fn mentioned(
    batch: &Batch<'_>,
    me: &Caller,
    scope: MentionScope<'_>,
    content: &Content,
) -> Result<Vec<Mention>, StoreError> {
    // Few messages mention anyone, and the others cost nothing.
    if !content.as_str().contains('@') {
        return Ok(Vec::new());
    }
    let spots = spots(content.as_str(), |name| batch.count_name(name));
    let names: BTreeSet<&str> = spots
        .iter()
        .flat_map(|spot| spot.names.iter().map(String::as_str))
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut known: HashMap<String, Mention> = HashMap::new();
    if let Some(friend) = scope.friend {
        known.insert(scope.name.to_owned(), Mention::User(friend));
    } else {
        let asked: Vec<&str> = names.iter().copied().collect();
        let members = batch.members_named(scope.conversation, &asked)?;
        known.extend(
            members
                .into_iter()
                .map(|user| (user.name, Mention::User(user.id))),
        );
        if names.contains(ALL) && is_operator(batch, me, scope.name)? {
            known.insert(ALL.to_owned(), Mention::All);
        }
    }
    let mut seen = BTreeSet::new();
    let found = spots.iter().filter_map(|spot| {
        let mut names = spot.names.iter();
        names.find_map(|name| known.get(name)).copied()
    });
    Ok(found
        .filter(|mention| seen.insert(*mention))
        .take(MENTIONS)
        .collect())
}

/// Whether the caller is an operator or the owner of a room.
fn is_operator(batch: &Batch<'_>, me: &Caller, room: &str) -> Result<bool, StoreError> {
    let Some(room) = batch.find_room(room)? else {
        return Ok(false);
    };
    let role = batch.role(&room, me.id)?;
    Ok(role.is_some_and(|role| role >= Role::Operator))
}
