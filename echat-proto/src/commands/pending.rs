//! Which reply answers which request.
//!
//! Every request gets exactly one final reply, in the order of the requests (PROTOCOL.md, section 5).
//! So a final reply belongs to the oldest request that is still unanswered. Clients and tests all match
//! replies here.

use super::{Direction, Event, SessionEffect, by_number, event};
use crate::message::Message;
use crate::value::Value;
use std::collections::VecDeque;

/// How a final reply ends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The request was done.
    Done,
    /// The request was refused.
    Refused,
}

/// The parts of a message that decide which request it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    number: u32,
    /// Whether there is a key `txn_id`: ON_NEW_MESSAGE is then an acknowledgement.
    acknowledges: bool,
    /// Whether a RESULT says anything but success.
    refuses: bool,
    about: RefusedCommand,
}

/// The request that a refusal names with its key `command`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefusedCommand {
    /// The key is missing.
    Any,
    Number(u64),
    /// The key holds something else than a number.
    Unreadable,
}

impl RefusedCommand {
    fn of(command: Option<&Value>) -> Self {
        match command {
            None => Self::Any,
            Some(Value::Int(number)) => Self::Number(*number),
            Some(_) => Self::Unreadable,
        }
    }

    fn is(self, request: u32) -> bool {
        self == Self::Any || self == Self::Number(request.into())
    }
}

impl From<&Message> for Reply {
    fn from(message: &Message) -> Self {
        let params = &message.params;
        Self {
            number: message.command,
            acknowledges: params.at("txn_id").is_some(),
            refuses: params.at("success") != Some(&Value::Bool(true)),
            about: RefusedCommand::of(params.at("command")),
        }
    }
}

impl From<&Event> for Reply {
    fn from(event: &Event) -> Self {
        let fail = event.refusal();
        let mut detail = fail.iter().flat_map(|fail| &fail.detail);
        let command = detail.find(|(key, _)| key == "command");
        let is_event = matches!(event, Event::OnNewMessage { txn_id: None, .. });
        Self {
            number: event.number(),
            acknowledges: !is_event,
            refuses: fail.is_some(),
            about: RefusedCommand::of(command.map(|(_, value)| value)),
        }
    }
}

/// How `reply` ends a request with the number `request`; `None` if it is no final reply to it.
///
/// COMMAND_WRONG and REFUSED may refuse any request, unless their key `command` names another one.
pub fn ending(request: u32, reply: impl Into<Reply>) -> Option<Ending> {
    let reply = reply.into();
    if matches!(reply.number, event::COMMAND_WRONG | event::REFUSED) {
        return reply.about.is(request).then_some(Ending::Refused);
    }
    let info = by_number(request)?;
    let answers = info.answers?;
    if !info.is_ended_by(reply.number) || (may_be_event(reply.number) && !reply.acknowledges) {
        return None;
    }
    // One number may say both yes and no.
    let is_refusal = reply.number != answers.reply
        || (answers.refusals().any(|refusal| refusal == reply.number) && reply.refuses);
    Some(if is_refusal {
        Ending::Refused
    } else {
        Ending::Done
    })
}

/// Whether a message with this number may answer a request with the number `request`, finally or on the
/// way.
pub fn may_answer(request: u32, number: u32) -> bool {
    let on_the_way = |session| session == SessionEffect::Begins && number == event::LOGIN_SUCCESS;
    matches!(number, event::COMMAND_WRONG | event::REFUSED)
        || by_number(request).is_some_and(|info| {
            let session = info.answers.map(|answers| answers.session);
            session.is_some_and(|session| on_the_way(session) || info.is_ended_by(number))
        })
}

/// Whether a message with this number is a reply only with the key `txn_id`.
pub fn may_be_event(number: u32) -> bool {
    by_number(number).is_some_and(|info| info.direction == Direction::ReplyOrEvent)
}

/// Requests that were sent and are not answered, oldest first, each with what its sender keeps of it.
#[derive(Clone, Debug)]
pub struct PendingReplies<T> {
    requests: VecDeque<(u32, T)>,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered<T> {
    /// Its number.
    pub command: u32,
    /// What its sender kept of it.
    pub request: T,
    /// How it ended.
    pub ending: Ending,
}

impl<T> Default for PendingReplies<T> {
    fn default() -> Self {
        Self {
            requests: VecDeque::new(),
        }
    }
}

impl<T> PendingReplies<T> {
    /// Notes that a request was sent. A number that is not of the table is answered too, by
    /// COMMAND_WRONG.
    pub fn sent(&mut self, command: u32, request: T) {
        self.requests.push_back((command, request));
    }

    /// Takes the oldest request out if this is the final reply to it.
    pub fn answered(&mut self, reply: impl Into<Reply>) -> Option<Answered<T>> {
        let ending = ending(self.requests.front()?.0, reply)?;
        let (command, request) = self.requests.pop_front()?;
        Some(Answered {
            command,
            request,
            ending,
        })
    }

    /// The unanswered requests with their numbers, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u32, &T)> + ExactSizeIterator {
        self.requests
            .iter()
            .map(|(command, asked)| (*command, asked))
    }

    /// What is kept of each unanswered request, oldest first.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut T> + ExactSizeIterator {
        self.requests.iter_mut().map(|(_, asked)| asked)
    }

    /// Takes all requests out: the connection is gone, and nothing will be answered.
    pub fn drain(&mut self) -> impl Iterator<Item = T> + '_ {
        self.requests.drain(..).map(|(_, request)| request)
    }

    /// How many requests are unanswered.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether everything is answered.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CommandInfo, EVENTS, REQUESTS, RequestKind, request};
    use super::*;
    use crate::records::{Code, Fail, Outcome};

    fn fail() -> Fail {
        Fail {
            code: "code".to_owned(),
            message: "message".to_owned(),
            detail: Vec::new(),
        }
    }

    fn about(mut fail: Fail, number: u64) -> Fail {
        fail.detail = vec![("command".to_owned(), Value::Int(number))];
        fail
    }

    /// The ending by a message and by the event that it is read as, which agree.
    fn ends(request: u32, event: &Event) -> Option<Ending> {
        let by_message = ending(request, &event.to_message());
        assert_eq!(by_message, ending(request, event), "{request}: {event:?}");
        by_message
    }

    fn requests() -> impl Iterator<Item = &'static CommandInfo> {
        RequestKind::ALL.iter().map(|kind| kind.info())
    }

    #[test]
    fn every_request_is_ended_by_the_replies_of_its_row_and_by_no_others() {
        for info in requests() {
            let answers = info.answers.expect("a request's row");
            for row in EVENTS {
                // A dict with every key that decides something, and `success` as the row needs it.
                let params = vec![
                    ("txn_id".to_owned(), Value::Null),
                    ("success".to_owned(), Value::Bool(true)),
                ];
                let message = Message {
                    command: row.number,
                    params: Value::Dict(params),
                };
                let any = [event::COMMAND_WRONG, event::REFUSED].contains(&row.number);
                let expected = if row.number == answers.reply {
                    Some(Ending::Done)
                } else if any || answers.refusals().any(|refusal| refusal == row.number) {
                    Some(Ending::Refused)
                } else {
                    None
                };
                assert_eq!(
                    ending(info.number, &message),
                    expected,
                    "{} by {}",
                    info.name,
                    row.name
                );
            }
        }
    }

    #[test]
    fn a_refusal_in_any_row_refuses() {
        for info in requests() {
            let answers = info.answers.expect("a request's row");
            for number in answers.refusals() {
                let refusal = Event::refusing(number, fail()).expect("a row that can refuse");
                assert_eq!(refusal.refusal(), Some(&fail()));
                assert_eq!(ends(info.number, &refusal), Some(Ending::Refused));
            }
        }
        let done = Event::JoinRoomResult {
            result: Outcome::Done("in".to_owned()),
        };
        assert_eq!(done.refusal(), None);
        assert_eq!(ends(request::JOIN_ROOM, &done), Some(Ending::Done));
    }

    #[test]
    fn a_result_without_success_refuses() {
        for params in [
            Value::Null,
            Value::Dict(vec![("success".to_owned(), Value::Int(1))]),
        ] {
            let message = Message {
                command: event::ADD_MEMBERS_RESULT,
                params,
            };
            let ended = ending(request::ADD_MEMBERS, &message);
            assert_eq!(ended, Some(Ending::Refused));
        }
    }

    #[test]
    fn a_refusal_of_another_request_ends_nothing() {
        for refusal in [
            |fail| Event::Refused { fail },
            |fail| Event::CommandWrong { fail },
        ] {
            let other = refusal(about(fail(), 18));
            assert_eq!(ends(17, &other), None);
            assert_eq!(ends(18, &other), Some(Ending::Refused));
            assert_eq!(ends(17, &refusal(fail())), Some(Ending::Refused));
        }
        let unreadable = Message {
            command: event::REFUSED,
            params: Value::Dict(vec![("command".to_owned(), Value::Null)]),
        };
        assert_eq!(ending(17, &unreadable), None);
    }

    #[test]
    fn replies_are_taken_in_the_order_of_the_requests() {
        let mut pending = PendingReplies::default();
        pending.sent(request::QUERY_SERVER_TIME, 'a');
        pending.sent(4_000, 'b');
        pending.sent(request::LOGOUT, 'c');
        assert_eq!(pending.answered(&Event::LoggedOut {}), None);
        let time = pending.answered(&Event::SendServerTime { time: 1 });
        assert_eq!(time.map(|time| time.request), Some('a'));
        let wrong = Event::refusing(event::COMMAND_WRONG, about(fail(), 4_000));
        let wrong = pending.answered(&wrong.expect("a refusal"));
        assert_eq!(
            wrong,
            Some(Answered {
                command: 4_000,
                request: 'b',
                ending: Ending::Refused
            })
        );
        assert_eq!((pending.len(), pending.drain().next()), (1, Some('c')));
        assert!(pending.is_empty());
    }

    #[test]
    fn only_a_login_has_an_intermediate_reply() {
        for info in requests() {
            let is_login = info.number == request::LOGIN;
            let may = may_answer(info.number, event::LOGIN_SUCCESS);
            assert_eq!(may, is_login, "{}", info.name);
        }
        assert!(may_answer(77, event::COMMAND_WRONG) && !may_answer(77, event::LOGIN_SUCCESS));
    }

    #[test]
    fn the_codes_of_a_row_have_their_own_refusals() {
        let register = RequestKind::Register.answers();
        assert_eq!(register.refusal_for(Code::NameTaken), event::USERNAME_EXIST);
        assert_eq!(register.refusal_for(Code::BadName), event::REFUSED);
        assert_eq!(REQUESTS.len(), RequestKind::ALL.len());
    }
}
