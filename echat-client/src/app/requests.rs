//! Requests on their way to the server: queued until there is a connection and a login, then unanswered.

use std::collections::VecDeque;

use echat_proto::commands::{Event, Request, RequestKind};

use crate::session::{NamedRoom, PendingRequests, RequestContext, SendDecision, Session};
use crate::statement::needs_login;
use crate::target::Target;

/// A request that waits for a connection or a login.
#[derive(Debug)]
struct QueuedRequest {
    request: Request,
    asked: RequestContext,
    /// The rooms of the user's that it names.
    rooms: Vec<NamedRoom>,
}

impl QueuedRequest {
    /// Whether it may be sent after a login: what is true of each room that it names.
    fn decision(&self, session: &Session) -> SendDecision {
        let decisions = self.rooms.iter().map(|room| session.send_decision(room));
        let has = |wanted| decisions.clone().any(|decision| decision == wanted);
        if has(SendDecision::IdentifyRoom) {
            SendDecision::IdentifyRoom
        } else if has(SendDecision::Hold) {
            SendDecision::Hold
        } else {
            SendDecision::Send
        }
    }
}

/// The queued and the unanswered requests, but for messages, which are in
/// [`Outgoing`](crate::session::outgoing::Outgoing).
#[derive(Debug, Default)]
pub(super) struct Requests {
    queued: VecDeque<QueuedRequest>,
    unanswered: PendingRequests,
}

impl Requests {
    /// Keeps a request that names these rooms of the user's until it is taken.
    pub(super) fn queue(&mut self, request: Request, asked: RequestContext, rooms: Vec<NamedRoom>) {
        self.queued.push_back(QueuedRequest {
            request,
            asked,
            rooms,
        });
    }

    /// Takes the queued requests, oldest first.
    pub(super) fn take_queued(&mut self) -> impl Iterator<Item = RequestContext> {
        let queued = std::mem::take(&mut self.queued);
        queued.into_iter().map(|queued| queued.asked)
    }

    /// Takes the queued requests that need no login and name no room, oldest first.
    pub(super) fn take_free(&mut self) -> Vec<(Request, RequestContext)> {
        let queued = std::mem::take(&mut self.queued).into_iter();
        let waits =
            |queued: &QueuedRequest| needs_login(queued.request.kind()) || !queued.rooms.is_empty();
        let (kept, free): (Vec<_>, Vec<_>) = queued.partition(waits);
        self.queued = kept.into();
        let free = free.into_iter();
        free.map(|queued| (queued.request, queued.asked)).collect()
    }

    /// Takes the queued requests that may be sent after a login, oldest first: none that is behind one that may not
    /// yet.
    pub(super) fn take_ready(&mut self, session: &Session) -> Vec<(Request, RequestContext)> {
        let is_ready = |queued: &QueuedRequest| queued.decision(session) == SendDecision::Send;
        let waiting = self.queued.iter().position(|queued| !is_ready(queued));
        let ready = self.queued.drain(..waiting.unwrap_or(self.queued.len()));
        ready.map(|queued| (queued.request, queued.asked)).collect()
    }

    /// Takes the queued requests that are not for the rooms that have their names now, each with the name of the first
    /// such room.
    pub(super) fn take_held(&mut self, session: &Session) -> Vec<(RequestContext, String)> {
        let is_held = |room: &&NamedRoom| session.send_decision(room) == SendDecision::Hold;
        let queued = std::mem::take(&mut self.queued);
        let mut held = Vec::new();
        for queued in queued {
            match queued.rooms.iter().find(is_held) {
                Some(room) => held.push((queued.asked, room.name.clone())),
                None => self.queued.push_back(queued),
            }
        }
        held
    }

    /// Takes a queued request out. Whether it was queued.
    pub(super) fn withdraw(&mut self, asked: &RequestContext) -> bool {
        let mut queued = self.queued.iter();
        let place = queued.position(|queued| queued.asked == *asked);
        place.is_some_and(|place| self.queued.remove(place).is_some())
    }

    /// Whether this is queued.
    pub(super) fn is_queued(&self, asked: &RequestContext) -> bool {
        let mut queued = self.queued.iter();
        queued.any(|queued| queued.asked == *asked)
    }

    /// The rooms that queued requests name.
    pub(super) fn named_rooms(&self) -> impl Iterator<Item = &NamedRoom> {
        self.queued.iter().flat_map(|queued| &queued.rooms)
    }

    /// A room or a user has another name: queued requests are about the same one. `created`: when the room was created,
    /// if that is known. Requests about another room that had the name stay.
    pub(super) fn rename(&mut self, was: &Target, now: &Target, created: Option<u64>) {
        for queued in &mut self.queued {
            let QueuedRequest {
                request,
                asked,
                rooms,
            } = queued;
            let is_meant = |room: &&mut NamedRoom| {
                let is_other = created
                    .zip(room.created)
                    .is_some_and(|(now, then)| now != then);
                was.is_room() && room.name == was.name() && !is_other
            };
            let mut renamed = rooms.iter_mut().filter(is_meant).peekable();
            // The name of a room that is none of the user's is meant as it was typed.
            if was.is_room() && renamed.peek().is_none() {
                continue;
            }
            renamed.for_each(|room| now.name().clone_into(&mut room.name));
            asked.rename(request, was, now);
        }
    }

    /// How many requests are queued.
    pub(super) fn queued(&self) -> usize {
        self.queued.len()
    }

    /// How many requests are queued or unanswered.
    pub(super) fn count(&self) -> usize {
        self.queued.len() + self.unanswered.count()
    }

    /// Drops the queued requests that name messages: their ids are void. Those that would have changed a message.
    pub(super) fn drop_pages(&mut self) -> Vec<RequestContext> {
        let names = |queued: &QueuedRequest| {
            matches!(
                queued.request,
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
        let dropped = dropped.into_iter().map(|queued| queued.asked);
        dropped.filter(|asked| !asked.is_query()).collect()
    }

    /// A request was sent that is not sent again.
    pub(super) fn sent(&mut self, asked: RequestContext) {
        self.unanswered.sent(asked);
    }

    /// A request was sent.
    pub(super) fn sent_request(&mut self, request: Request, asked: RequestContext) {
        self.unanswered.sent_request(request, asked);
    }

    /// As [`PendingRequests::rename`].
    pub(super) fn rename_unanswered(
        &mut self,
        was: &Target,
        now: &Target,
    ) -> Vec<(Request, RequestContext)> {
        self.unanswered.rename(was, now)
    }

    /// As [`PendingRequests::answered`].
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
        let mut queued = self.queued.iter().map(|queued| &queued.asked);
        self.unanswered.introduces(room) || queued.any(|asked| asked.introduces(room))
    }

    /// Whether a page of this conversation is queued or unanswered.
    pub(super) fn loads(&self, target: &Target) -> bool {
        let mut queued = self.queued.iter().map(|queued| &queued.asked);
        self.unanswered.loads(target) || queued.any(|asked| asked.page() == Some(target))
    }

    /// Whether the user joins or creates this room.
    pub(super) fn is_joining(&self, room: &str) -> bool {
        self.unanswered.is_joining(room)
    }

    /// Whether the client asks which room a name stands for.
    pub(super) fn identifies(&self) -> bool {
        self.unanswered.identifies()
    }

    /// Whether the client asks for a room that a user joined.
    pub(super) fn asks_after_joining(&self, room: &str) -> bool {
        self.unanswered.asks_after_joining(room)
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
        requests.queue(Request::ListRooms {}, rooms.clone(), Vec::new());
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
        requests.queue(page, asked, Vec::new());
        assert!(!requests.is_done() && !requests.has_unanswered());
        requests.drop_pages();
        assert_eq!(requests.queued(), 1);
        for (_, asked) in requests.take_ready(&Session::default()) {
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
