//! Requests that are not answered yet. Which reply answers which request is decided by
//! [`echat_proto::commands::PendingReplies`].

use echat_proto::commands::{Event, PendingReplies, Request, RequestKind};
use echat_proto::names::NameQuery;
use echat_proto::param::Dict;
use echat_proto::records::Fail;
use echat_proto::value::Value;

use super::{Lookup, LookupKind, Recall};
use crate::statement::TypedRequest;
use crate::target::{Target, normal_name};

/// A request, as far as its answer needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestContext {
    /// A command of the table.
    Typed(TypedRequest),
    /// A new account.
    Register {
        /// Its name.
        name: String,
        /// Whether it was asked for with an invitation code.
        with_code: bool,
    },
    /// A login.
    Login,
    /// A message.
    Send,
    /// The messages of one conversation before an id, or its newest.
    Page(Target, Option<u64>),
    /// Messages of one conversation that do not follow on the remembered ones.
    Jump(Target, Jump),
    /// Messages of all conversations by what they are.
    Lookup(Lookup),
    /// A message that a command means.
    Recall(Recall),
    /// Another text of a message.
    Edit {
        /// The message.
        id: u64,
        /// Its new text.
        text: String,
    },
    /// The end of a message.
    Delete {
        /// The message.
        id: u64,
    },
    /// A reaction.
    React {
        /// The message.
        id: u64,
        /// The emoji.
        emoji: String,
        /// Whether it comes.
        on: bool,
    },
    /// What is set for a room that the reader opened or came to.
    Introduce {
        /// The room.
        room: String,
        /// Whether the reader is a new member.
        is_new: bool,
    },
    /// When a room was created, to know whether it is the one that its name stood for before.
    Identify {
        /// The room.
        room: String,
    },
    /// Whether a user still exists whose friendship ended: the account may be deleted.
    Departed {
        /// The user.
        name: String,
    },
    /// The name that the conversation with a deleted account has now: that of this message.
    DeletedAs {
        /// The name of the user until now.
        was: String,
        /// A message of the conversation.
        id: u64,
    },
    /// Whether the password that is to be changed is a temporary one: then the server refuses what it is asked.
    PasswordKind,
    /// Whether the reader is away: a login does not say so.
    OwnAway,
    /// What is set for a room that a user joined, to know whether the reader runs it.
    Joined {
        /// The room.
        room: String,
        /// The new member.
        name: String,
    },
    /// Whether the reader is an administrator: the server tells only those of its administration.
    Privileges,
    /// Messages of all conversations that were missed.
    CatchUp,
    /// What was read in a conversation.
    MarkRead(Target),
    /// The server's time, for a request with an end: the clock of this machine may be wrong.
    Clock(TimedRequest),
    /// A page of an export.
    Export {
        /// The number of the export.
        export: u64,
        /// What is asked.
        kind: RequestKind,
    },
    /// A request whose answer needs nothing more.
    Other(RequestKind),
}

/// A request with an end that is counted from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimedRequest {
    /// A command of the table.
    Typed(TypedRequest),
    /// An invitation code for so many accounts and seconds.
    Invitation {
        /// Accounts.
        uses: Option<u64>,
        /// Seconds.
        lasts: u64,
    },
}

impl RequestContext {
    /// What a request asks that was not typed as a command.
    pub fn of(request: &Request) -> Self {
        match request {
            Request::Register {
                username,
                invitation,
                ..
            } => Self::Register {
                name: username.to_string(),
                with_code: invitation.is_some(),
            },
            Request::Login { .. } => Self::Login,
            Request::SendMessage { .. } => Self::Send,
            Request::EditMessage { id, content } => Self::Edit {
                id: *id,
                text: content.to_string(),
            },
            Request::DeleteMessage { id } => Self::Delete { id: *id },
            Request::React { id, emoji, on } => Self::React {
                id: *id,
                emoji: emoji.0.clone(),
                on: *on,
            },
            Request::QueryHistory {
                target_type: Some(target_type),
                target: Some(target),
                before,
                ..
            } => {
                let target = Target::new(*target_type, normal_name(target.raw()));
                Self::Page(target, *before)
            }
            Request::QueryHistory { .. } => Self::CatchUp,
            Request::MarkRead {
                target_type,
                target,
                ..
            } => Self::MarkRead(Target::new(*target_type, normal_name(target.raw()))),
            request => Self::Other(request.kind()),
        }
    }

    /// Asks what is set for a room, to show what is news of it.
    pub fn introduce(room: &str, is_new: bool) -> (Request, Self) {
        let request = Request::RoomInfo {
            roomname: NameQuery::new(room),
        };
        let room = room.to_owned();
        (request, Self::Introduce { room, is_new })
    }

    /// Asks when a room was created.
    pub fn identify(room: &str) -> (Request, Self) {
        let request = Request::RoomInfo {
            roomname: NameQuery::new(room),
        };
        let room = room.to_owned();
        (request, Self::Identify { room })
    }

    /// Asks whether a user still exists.
    pub fn departed(name: &str) -> (Request, Self) {
        let request = Request::Whois {
            username: NameQuery::new(name),
        };
        let name = name.to_owned();
        (request, Self::Departed { name })
    }

    /// Asks whether the reader, by this name, is away.
    pub fn own_away(me: &str) -> (Request, Self) {
        let request = Request::Whois {
            username: NameQuery::new(me),
        };
        (request, Self::OwnAway)
    }

    /// Asks which name the conversation with a deleted account has now. A message of it tells.
    pub fn deleted_as(was: &str, id: u64) -> (Request, Self) {
        let request = Request::QueryHistory {
            target_type: None,
            target: None,
            before: None,
            after: Some(id.saturating_sub(1)),
            limit: Some(1),
            around: None,
            at: None,
        };
        let was = was.to_owned();
        (request, Self::DeletedAs { was, id })
    }

    /// The message that it changes.
    pub fn message(&self) -> Option<u64> {
        match self {
            Self::Edit { id, .. } | Self::Delete { id } | Self::React { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// The rooms that it names.
    pub fn rooms(&self) -> Vec<String> {
        match self {
            Self::Typed(typed) | Self::Clock(TimedRequest::Typed(typed)) => typed.rooms(),
            Self::Introduce { room, .. } => vec![room.clone()],
            _ => {
                let target = self.target().filter(|target| target.is_room());
                target
                    .map(|room| room.name().to_owned())
                    .into_iter()
                    .collect()
            }
        }
    }

    /// The conversation whose messages it asks for.
    fn target(&self) -> Option<&Target> {
        match self {
            Self::Page(target, _) | Self::Jump(target, _) => Some(target),
            Self::Lookup(lookup) => match &lookup.kind {
                LookupKind::Words(search) => search.target.as_ref(),
                LookupKind::Mentions => None,
            },
            Self::Recall(recall) => Some(&recall.target),
            _ => None,
        }
    }

    /// A room or a user has another name: it is about the same one, and so is its request.
    pub fn rename(&mut self, request: &mut Request, was: &Target, now: &Target) {
        match self {
            Self::Typed(typed) => {
                typed.rename(was, now);
                // An end is counted from the time of the server, which is asked for first.
                if let Ok(renamed) = typed.request(0) {
                    *request = renamed;
                }
            }
            Self::Clock(TimedRequest::Typed(typed)) => typed.rename(was, now),
            Self::Introduce { room, is_new } if was.is_room() && room.as_str() == was.name() => {
                (*request, *self) = Self::introduce(now.name(), *is_new);
            }
            Self::Identify { room } if was.is_room() && room.as_str() == was.name() => {
                (*request, *self) = Self::identify(now.name());
            }
            Self::Joined { room, name } if was.is_room() && room.as_str() == was.name() => {
                (*request, *self) = Self::joined(now.name(), name);
            }
            Self::Departed { name } if !was.is_room() && name.as_str() == was.name() => {
                (*request, *self) = Self::departed(now.name());
            }
            Self::MarkRead(target) if *target == *was => {
                *target = now.clone();
                if let Request::MarkRead { target, .. } = request {
                    *target = now.query();
                }
            }
            Self::Page(target, _) | Self::Jump(target, _) if *target == *was => {
                *target = now.clone();
                if let Request::QueryHistory { target, .. } = request {
                    *target = Some(now.query());
                }
            }
            Self::Recall(recall) if recall.target == *was => {
                recall.target = now.clone();
                if let Request::QueryHistory { target, .. } | Request::Search { target, .. } =
                    request
                {
                    *target = Some(now.query());
                }
            }
            Self::Lookup(lookup) => {
                lookup.rename(was, now);
                *request = lookup.request();
            }
            _ => {}
        }
    }

    /// Whether its request changes nothing, or is sent a second time without harm.
    fn is_repeatable(&self) -> bool {
        match self {
            Self::Recall(_)
            | Self::Introduce { .. }
            | Self::Identify { .. }
            | Self::Joined { .. }
            | Self::Departed { .. }
            | Self::MarkRead(_) => true,
            Self::CatchUp | Self::Export { .. } => false,
            asked => asked.is_query(),
        }
    }

    /// Asks what is set for a room that a user joined.
    pub fn joined(room: &str, name: &str) -> (Request, Self) {
        let request = Request::RoomInfo {
            roomname: NameQuery::new(room),
        };
        let (room, name) = (room.to_owned(), name.to_owned());
        (request, Self::Joined { room, name })
    }

    /// Asks whether the reader is an administrator: for the help about one command of the administration.
    pub fn privileges() -> (Request, Self) {
        let words = Value::List(vec![Value::from("help")]);
        let request = Request::Admin {
            command: "help".to_owned(),
            params: Dict(vec![("words".to_owned(), words)]),
        };
        (request, Self::Privileges)
    }

    /// Whether it asks what is set for this room, to show what is news of it.
    pub fn introduces(&self, room: &str) -> bool {
        matches!(self, Self::Introduce { room: of, .. } if of == room)
    }

    /// The conversation of which it asks for a page.
    pub fn page(&self) -> Option<&Target> {
        match self {
            Self::Page(target, _) => Some(target),
            _ => None,
        }
    }

    /// The command of the table.
    pub fn typed(&self) -> Option<&TypedRequest> {
        match self {
            Self::Typed(typed) => Some(typed),
            _ => None,
        }
    }

    /// Whether a person waits for the answer. The client repeats the other requests by itself.
    pub fn is_awaited(&self) -> bool {
        !matches!(
            self,
            Self::Login
                | Self::Send
                | Self::Introduce { .. }
                | Self::Identify { .. }
                | Self::Departed { .. }
                | Self::DeletedAs { .. }
                | Self::PasswordKind
                | Self::OwnAway
                | Self::Joined { .. }
                | Self::Privileges
                | Self::CatchUp
                | Self::MarkRead(_)
                | Self::Export { .. }
        )
    }

    /// Whether it changes nothing on the server.
    pub fn is_query(&self) -> bool {
        match self {
            Self::Typed(typed) => typed.is_query(),
            Self::Page(..)
            | Self::Jump(..)
            | Self::Lookup(_)
            | Self::CatchUp
            | Self::Export { .. } => true,
            _ => false,
        }
    }

    /// The request's row in the table of the protocol.
    pub fn kind(&self) -> RequestKind {
        match self {
            Self::Typed(typed) => typed.kind(),
            Self::Register { .. } => RequestKind::Register,
            Self::Privileges => RequestKind::Admin,
            Self::Login => RequestKind::Login,
            Self::Send => RequestKind::SendMessage,
            Self::Page(..) | Self::Jump(..) | Self::CatchUp | Self::DeletedAs { .. } => {
                RequestKind::QueryHistory
            }
            Self::Lookup(lookup) => match lookup.kind {
                LookupKind::Mentions => RequestKind::ListMentions,
                LookupKind::Words(_) => RequestKind::Search,
            },
            Self::Recall(recall) => recall.kind(),
            Self::Edit { .. } => RequestKind::EditMessage,
            Self::Delete { .. } => RequestKind::DeleteMessage,
            Self::React { .. } => RequestKind::React,
            Self::Introduce { .. } | Self::Identify { .. } | Self::Joined { .. } => {
                RequestKind::RoomInfo
            }
            Self::Departed { .. } | Self::OwnAway => RequestKind::Whois,
            Self::MarkRead(_) => RequestKind::MarkRead,
            Self::Clock(_) => RequestKind::QueryServerTime,
            Self::PasswordKind => RequestKind::ListBlocked,
            Self::Export { kind, .. } | Self::Other(kind) => *kind,
        }
    }
}

/// Where to jump to in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// Around the message with this id.
    Around(u64),
    /// From this unix second on.
    At(u64),
    /// The messages before those that are shown.
    Older,
    /// The messages behind them.
    Newer,
}

/// A request that was sent.
#[derive(Debug)]
struct SentRequest {
    /// What it asks; `None` if its answer is not wanted any more.
    asked: Option<RequestContext>,
    /// The request, if it may be sent again.
    request: Option<Request>,
}

/// Unanswered requests, oldest first.
#[derive(Debug, Default)]
pub struct PendingRequests(PendingReplies<SentRequest>);

impl PendingRequests {
    /// A request was sent that is not sent again: its parameters are not kept.
    pub fn sent(&mut self, asked: RequestContext) {
        self.push(None, asked);
    }

    /// A request was sent.
    pub fn sent_request(&mut self, request: Request, asked: RequestContext) {
        let request = Some(request).filter(|_| asked.is_repeatable());
        self.push(request, asked);
    }

    fn push(&mut self, request: Option<Request>, asked: RequestContext) {
        let number = asked.kind().info().number;
        let asked = Some(asked);
        self.0.sent(number, SentRequest { asked, request });
    }

    /// Takes the oldest request out if this is the final reply to it. What it asked, if that is still wanted.
    pub fn answered(&mut self, event: &Event) -> Option<RequestContext> {
        self.0.answered(event)?.request.asked
    }

    /// A room or a user has another name, as an event says. The server reads the requests that are unanswered after
    /// the event under the names of now: the old name is unknown, or another room's. Queries about the old name are to
    /// be sent again under the new one, and their first answers are not wanted. Returns those queries, oldest first.
    pub fn rename(&mut self, was: &Target, now: &Target) -> Vec<(Request, RequestContext)> {
        let mut again = Vec::new();
        for sent in self.0.iter_mut() {
            let Some(asked) = &mut sent.asked else {
                continue;
            };
            // The time of the server is the same under every name. What follows it is sent with the new one.
            if let RequestContext::Clock(TimedRequest::Typed(typed)) = asked {
                typed.rename(was, now);
            }
            let Some(request) = &mut sent.request else {
                continue;
            };
            let before = asked.clone();
            asked.rename(request, was, now);
            if *asked != before {
                again.extend(sent.request.take().zip(sent.asked.take()));
            }
        }
        again
    }

    /// Takes all requests out: the connection is gone, and nothing will be answered.
    pub fn cut(&mut self) -> impl Iterator<Item = RequestContext> {
        self.0.drain().filter_map(|sent| sent.asked)
    }

    /// Whether this is asked already.
    pub fn has(&self, asked: &RequestContext) -> bool {
        self.requests().any(|pending| pending == asked)
    }

    /// Whether the settings of this room are asked for, to show what is news of it.
    pub fn introduces(&self, room: &str) -> bool {
        self.requests().any(|asked| asked.introduces(room))
    }

    /// Whether a page of this conversation is asked for.
    pub fn loads(&self, target: &Target) -> bool {
        self.requests().any(|asked| asked.page() == Some(target))
    }

    /// Whether the client asks which room a name stands for.
    pub fn identifies(&self) -> bool {
        self.requests()
            .any(|asked| matches!(asked, RequestContext::Identify { .. }))
    }

    /// Whether the client asks for a room that a user joined.
    pub fn asks_after_joining(&self, room: &str) -> bool {
        self.requests()
            .any(|asked| matches!(asked, RequestContext::Joined { room: of, .. } if of == room))
    }

    /// Whether the user joins or creates this room.
    pub fn is_joining(&self, room: &str) -> bool {
        self.requests().any(|asked| {
            let is_way_in = matches!(
                asked.kind(),
                RequestKind::JoinRoom | RequestKind::CreateRoom
            );
            let typed = asked.typed().filter(|_| is_way_in);
            typed.and_then(TypedRequest::room).as_deref() == Some(room)
        })
    }

    /// Whether a request of this kind is unanswered.
    pub fn has_kind(&self, kind: RequestKind) -> bool {
        self.requests().any(|asked| asked.kind() == kind)
    }

    /// Whether an answer is on its way that will be shown.
    pub fn has_visible(&self) -> bool {
        self.requests().any(|asked| {
            !matches!(
                asked,
                RequestContext::MarkRead(_)
                    | RequestContext::Identify { .. }
                    | RequestContext::Departed { .. }
                    | RequestContext::DeletedAs { .. }
                    | RequestContext::OwnAway
                    | RequestContext::Joined { .. }
                    | RequestContext::Privileges
                    | RequestContext::Export { .. }
            )
        })
    }

    /// Whether a person waits for an answer.
    pub fn has_awaited(&self) -> bool {
        self.requests().any(RequestContext::is_awaited)
    }

    /// How many requests are unanswered.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether everything is answered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The request that the server answers next.
    #[cfg(test)]
    pub fn oldest(&self) -> Option<&RequestContext> {
        let (_, oldest) = self.0.iter().next()?;
        oldest.asked.as_ref()
    }

    /// The request that was sent last.
    #[cfg(test)]
    pub fn newest(&self) -> Option<&RequestContext> {
        self.requests().last()
    }

    /// The unanswered requests, oldest first.
    #[cfg(test)]
    pub fn all(&self) -> impl Iterator<Item = &RequestContext> {
        self.requests()
    }

    fn requests(&self) -> impl Iterator<Item = &RequestContext> {
        self.0.iter().filter_map(|(_, sent)| sent.asked.as_ref())
    }
}

/// A reply as yes or no. Every event that carries a refusal is a no, whichever row of the table it is.
pub(super) fn outcome(event: Event) -> Result<Event, Fail> {
    match event.refusal() {
        Some(fail) => Err(fail.clone()),
        None => Ok(event),
    }
}
