//! Requests on their way to the server: queued until there is a connection and a login, then unanswered.

use std::collections::VecDeque;

use echat_proto::commands::{Event, Request, RequestKind};

use crate::session::{PendingRequests, RequestContext};

/// The queued and the unanswered requests, but for messages, which are in
/// [`Outgoing`](crate::session::outgoing::Outgoing).
#[derive(Debug, Default)]
pub(super) struct Requests {
    queued: VecDeque<(Request, RequestContext)>,
    unanswered: PendingRequests,
}

impl Requests {
    /// Keeps a request until [`Requests::take_queued`].
    pub(super) fn queue(&mut self, request: Request, asked: RequestContext) {
        self.queued.push_back((request, asked));
    }

    /// Takes the queued requests, oldest first.
    pub(super) fn take_queued(&mut self) -> VecDeque<(Request, RequestContext)> {
        std::mem::take(&mut self.queued)
    }

    /// How many requests are queued.
    pub(super) fn queued(&self) -> usize {
        self.queued.len()
    }

    /// Drops the queued requests that name messages: their ids are void. Those that would have changed a message.
    pub(super) fn drop_pages(&mut self) -> Vec<RequestContext> {
        let names = |(request, _): &(Request, RequestContext)| {
            matches!(
                request,
                Request::QueryHistory { .. }
                    | Request::ListMentions { .. }
                    | Request::Search { .. }
                    | Request::EditMessage { .. }
                    | Request::DeleteMessage { .. }
                    | Request::React { .. }
            )
        };
        let queued = std::mem::take(&mut self.queued).into_iter();
        let (dropped, kept): (Vec<_>, Vec<_>) = queued.partition(names);
        self.queued = kept.into();
        let dropped = dropped.into_iter().map(|(_, asked)| asked);
        dropped.filter(|asked| !asked.is_query()).collect()
    }

    /// A request was sent.
    pub(super) fn sent(&mut self, asked: RequestContext) {
        self.unanswered.sent(asked);
    }

    /// Takes the oldest request out if this is the final reply to it.
    pub(super) fn answered(&mut self, event: &Event) -> Option<RequestContext> {
        self.unanswered.answered(event)
    }

    /// The connection is lost: nothing that was sent will be answered. The requests whose answers a user
    /// waits for.
    pub(super) fn cut(&mut self) -> impl Iterator<Item = RequestContext> {
        self.unanswered.cut().filter(RequestContext::is_awaited)
    }

    /// Whether this was sent and is not answered yet.
    pub(super) fn has(&self, asked: &RequestContext) -> bool {
        self.unanswered.has(asked)
    }

    /// Whether the settings of this room are asked for and not told yet.
    pub(super) fn introduces(&self, room: &str) -> bool {
        let queued = self.queued.iter().map(|(_, asked)| asked);
        self.unanswered.introduces(room) || queued.into_iter().any(|asked| asked.introduces(room))
    }

    /// Whether the client asks which room a name stands for.
    pub(super) fn identifies(&self) -> bool {
        self.unanswered.identifies()
    }

    /// Whether a request of this kind was sent and is not answered yet.
    pub(super) fn has_kind(&self, kind: RequestKind) -> bool {
        self.unanswered.has_kind(kind)
    }

    /// The request that the server answers next.
    #[cfg(test)]
    pub(super) fn oldest(&self) -> Option<&RequestContext> {
        self.unanswered.oldest()
    }

    /// How often the settings of this room are asked for and not told yet.
    #[cfg(test)]
    pub(super) fn introductions(&self, room: &str) -> usize {
        let unanswered = self.unanswered.all();
        unanswered.filter(|asked| asked.introduces(room)).count()
    }

    /// The request that was sent last.
    #[cfg(test)]
    pub(super) fn newest(&self) -> Option<&RequestContext> {
        self.unanswered.newest()
    }

    /// Whether an answer is on its way that will be shown.
    pub(super) fn has_visible(&self) -> bool {
        self.unanswered.has_visible()
    }

    /// Whether an answer is on its way.
    pub(super) fn has_unanswered(&self) -> bool {
        !self.unanswered.is_empty()
    }

    /// Whether a user waits for nothing: no such request is unanswered, and none is queued.
    pub(super) fn is_done(&self) -> bool {
        !self.unanswered.has_awaited() && self.queued.is_empty()
    }

    /// Whether no request is queued or unanswered.
    pub(super) fn is_empty(&self) -> bool {
        self.unanswered.is_empty() && self.queued.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queued_request_is_neither_done_nor_unanswered() {
        let mut requests = Requests::default();
        assert!(requests.is_empty() && requests.is_done());
        let rooms = RequestContext::Other(RequestKind::ListRooms);
        requests.queue(Request::ListRooms {}, rooms.clone());
        let page = Request::QueryHistory {
            target_type: None,
            target: None,
            before: None,
            after: Some(1),
            limit: None,
            around: None,
            at: None,
        };
        let asked = RequestContext::of(&page);
        requests.queue(page, asked);
        assert!(!requests.is_done() && !requests.has_unanswered());
        requests.drop_pages();
        assert_eq!(requests.queued(), 1);
        for (_, asked) in requests.take_queued() {
            requests.sent(asked);
        }
        assert!(requests.has(&rooms) && !requests.is_done());
        assert_eq!(requests.cut().count(), 1);
        assert!(requests.is_empty());
    }

    #[test]
    fn requests_that_the_client_repeats_itself_are_not_awaited() {
        let mut requests = Requests::default();
        requests.sent(RequestContext::CatchUp);
        assert!(requests.is_done() && !requests.is_empty());
        assert_eq!(requests.cut().count(), 0);
    }
}
