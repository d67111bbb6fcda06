//! Requests that are not answered yet. Which reply answers which request is decided by
//! [`echat_proto::commands::PendingReplies`].

use echat_proto::commands::{Event, PendingReplies, Request, RequestKind};
use echat_proto::records::Fail;

use crate::target::{Target, normal_name};

/// A request, as far as its answer needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the request of its name")]
pub enum RequestContext {
    ServerTime,
    Register(String),
    Login,
    AddFriend(String),
    Resolve {
        name: String,
        accepted: bool,
    },
    Send,
    Join(String),
    Create(String),
    Logout,
    /// Older messages of one conversation.
    Page(Target),
    /// Messages of all conversations that were missed.
    CatchUp,
    MarkRead(Target),
    Leave(String),
    /// The room, and the users to add as they were typed.
    AddMembers(String, Vec<String>),
    Find(String),
    Rooms,
    Members(String),
    /// A request whose answer needs nothing of it.
    Other(RequestKind),
}

impl RequestContext {
    /// What a request asks.
    pub fn of(request: &Request) -> Self {
        let room = |name: &echat_proto::names::NameQuery| normal_name(name.raw());
        match request {
            Request::QueryServerTime {} => Self::ServerTime,
            Request::Register { username, .. } => Self::Register(username.to_string()),
            Request::Login { .. } => Self::Login,
            Request::AddFriend { username } => Self::AddFriend(room(username)),
            Request::ResolveFriendRequest { username, accepted } => Self::Resolve {
                name: room(username),
                accepted: *accepted,
            },
            Request::SendMessage { .. } => Self::Send,
            Request::JoinRoom { roomname } => Self::Join(room(roomname)),
            Request::CreateRoom { roomname, .. } => Self::Create(roomname.to_string()),
            Request::Logout {} => Self::Logout,
            Request::QueryHistory {
                target_type: Some(target_type),
                target: Some(target),
                ..
            } => Self::Page(Target::new(*target_type, room(target))),
            Request::QueryHistory { .. } => Self::CatchUp,
            Request::MarkRead {
                target_type,
                target,
                ..
            } => Self::MarkRead(Target::new(*target_type, room(target))),
            Request::LeaveRoom { roomname } => Self::Leave(room(roomname)),
            Request::AddMembers { roomname, members } => {
                Self::AddMembers(room(roomname), members.0.clone())
            }
            Request::Find { keyword } => Self::Find(keyword.clone()),
            Request::ListRooms {} => Self::Rooms,
            Request::ListMembers { roomname } => Self::Members(room(roomname)),
            other => Self::Other(other.kind()),
        }
    }

    /// Whether a person waits for the answer. The client repeats the other requests by itself.
    pub fn is_awaited(&self) -> bool {
        !matches!(
            self,
            Self::Login | Self::Send | Self::CatchUp | Self::MarkRead(_)
        )
    }

    /// Whether it changes nothing on the server.
    pub fn is_query(&self) -> bool {
        matches!(
            self,
            Self::ServerTime | Self::Rooms | Self::Members(_) | Self::Find(_) | Self::Page(_)
        )
    }

    fn kind(&self) -> RequestKind {
        match self {
            Self::ServerTime => RequestKind::QueryServerTime,
            Self::Register(_) => RequestKind::Register,
            Self::Login => RequestKind::Login,
            Self::AddFriend(_) => RequestKind::AddFriend,
            Self::Resolve { .. } => RequestKind::ResolveFriendRequest,
            Self::Send => RequestKind::SendMessage,
            Self::Join(_) => RequestKind::JoinRoom,
            Self::Create(_) => RequestKind::CreateRoom,
            Self::Logout => RequestKind::Logout,
            Self::Page(_) | Self::CatchUp => RequestKind::QueryHistory,
            Self::MarkRead(_) => RequestKind::MarkRead,
            Self::Leave(_) => RequestKind::LeaveRoom,
            Self::AddMembers(..) => RequestKind::AddMembers,
            Self::Find(_) => RequestKind::Find,
            Self::Rooms => RequestKind::ListRooms,
            Self::Members(_) => RequestKind::ListMembers,
            Self::Other(kind) => *kind,
        }
    }
}

/// Unanswered requests, oldest first.
#[derive(Debug, Default)]
pub struct PendingRequests(PendingReplies<RequestContext>);

impl PendingRequests {
    /// Notes that a request was sent.
    pub fn sent(&mut self, asked: RequestContext) {
        self.0.sent(asked.kind().info().number, asked);
    }

    /// Takes the oldest request out if this is the final reply to it.
    pub fn answered(&mut self, event: &Event) -> Option<RequestContext> {
        self.0.answered(event).map(|answered| answered.request)
    }

    /// Takes all requests out: the connection is gone, and nothing will be answered.
    pub fn cut(&mut self) -> impl Iterator<Item = RequestContext> {
        self.0.drain()
    }

    /// Whether this is asked already.
    pub fn has(&self, asked: &RequestContext) -> bool {
        self.requests().any(|pending| pending == asked)
    }

    /// Whether an answer is on its way that will be shown.
    pub fn has_visible(&self) -> bool {
        self.requests()
            .any(|asked| !matches!(asked, RequestContext::MarkRead(_)))
    }

    /// Whether a person waits for an answer.
    pub fn has_awaited(&self) -> bool {
        self.requests().any(RequestContext::is_awaited)
    }

    /// Whether everything is answered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn requests(&self) -> impl Iterator<Item = &RequestContext> {
        self.0.iter().map(|(_, asked)| asked)
    }
}

/// A reply as yes or no. Every event that carries a refusal is a no, whichever row of the table it is.
pub(super) fn outcome(event: Event) -> Result<Event, Fail> {
    match event.refusal() {
        Some(fail) => Err(fail.clone()),
        None => Ok(event),
    }
}
