//! A message that a command means and that is not remembered: which one, and the one request that asks for it.

use echat_proto::commands::{Event, Request, RequestKind};
use echat_proto::limits::HISTORY_MAX;
use echat_proto::names::NameQuery;
use echat_proto::param::ShortText;

use super::{Post, RequestContext, Session, Update};
use crate::statement::Statement;
use crate::target::Target;

/// Which message is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recalled {
    /// The last one of the user.
    Own,
    /// The last one of another user before this id.
    OfOthers {
        /// `None` for the newest one.
        before: Option<u64>,
    },
    /// The one with this id.
    WithId(u64),
    /// The one with this number, counted from below.
    FromBelow {
        /// From 1 on.
        number: u64,
        /// Counted from the last one before this id; `None` for the newest one.
        before: Option<u64>,
    },
}

/// A command whose message is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recall {
    /// The conversation.
    pub target: Target,
    /// The message.
    pub which: Recalled,
    /// The command.
    pub command: Statement,
}

impl Recall {
    /// The request, of this user. The search for an own message returns one message however far back that is; any
    /// other request is for one page.
    pub fn request(&self, me: &str) -> Request {
        let (before, around, limit) = match self.which {
            Recalled::Own => {
                return Request::Search {
                    query: ShortText(String::new()),
                    target_type: Some(self.target.target_type()),
                    target: Some(self.target.query()),
                    sender: Some(NameQuery::new(me)),
                    since: None,
                    until: None,
                    before: None,
                    limit: Some(1),
                };
            }
            Recalled::OfOthers { before } | Recalled::FromBelow { before, .. } => {
                (before, None, HISTORY_MAX)
            }
            Recalled::WithId(id) => (None, Some(id), 1),
        };
        Request::QueryHistory {
            target_type: Some(self.target.target_type()),
            target: Some(self.target.query()),
            before,
            after: None,
            limit: Some(limit),
            around,
            at: None,
        }
    }

    /// The request's row in the table of the protocol.
    pub(super) fn kind(&self) -> RequestKind {
        match self.which {
            Recalled::Own => RequestKind::Search,
            _ => RequestKind::QueryHistory,
        }
    }
}

impl Session {
    /// Remembers the messages that were asked for, so that the command can be about one of them.
    pub(super) fn take_recalled(
        &mut self,
        asked: &RequestContext,
        event: &Event,
        updates: &mut Vec<Update>,
    ) {
        let RequestContext::Recall(recall) = asked else {
            return;
        };
        let (messages, is_all) = match event {
            Event::History { messages, .. } => (messages, false),
            Event::FoundMessages { messages, more, .. } => (messages, !more),
            _ => return,
        };
        self.take_as_now(messages, updates);
        let posts = messages.iter().cloned();
        let posts: Vec<Post> = posts.map(|message| self.post_of(message)).collect();
        if posts.is_empty()
            && is_all
            && let Some(conversation) = self.conversations.get_mut(&recall.target)
        {
            conversation.lacks_own();
        }
        self.detached.recall(&recall.target, posts);
    }
}
