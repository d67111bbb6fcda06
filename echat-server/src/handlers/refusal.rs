//! Why a request is refused, and the form that its refusal takes on the wire (PROTOCOL.md, section 5).

use crate::storage::{Ban, StoreError, Suspension};
use echat_proto::Value;
use echat_proto::commands::{Event, RequestKind, event};
use echat_proto::limits::NAME_BYTES;
use echat_proto::param::ParamError;
use echat_proto::records::{Code, Fail, MUST_CHANGE_PASSWORD};
use std::time::Duration;

/// The most names that a refusal lists: enough to correct a mistake, without repeating the whole request.
const NAMED: usize = 100;
/// The most bytes of a name that a refusal repeats. The name is as the client sent it, not in its stored form.
const NAME_LENGTH: usize = 4 * NAME_BYTES;

/// Why a handler gave no reply.
#[derive(Debug)]
pub(crate) enum Reject {
    /// The request is wrong, or a limit is reached.
    Refused(Refusal),
    /// The database failed. The engine decides how to continue.
    Store(StoreError),
}

/// A code with its further keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    code: Code,
    message: String,
    detail: Vec<(String, Value)>,
}

impl Refusal {
    /// The code.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// The sentence for people.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The keys beside code and message.
    pub(crate) fn detail(&self) -> &[(String, Value)] {
        &self.detail
    }

    fn with(code: Code, key: &str, value: Value) -> Self {
        Self {
            detail: vec![(key.to_owned(), value)],
            ..code.into()
        }
    }
}

impl Reject {
    /// `bad_params` for a field that the types could not judge alone.
    pub(super) fn bad_params(field: &str, message: &str) -> Self {
        ParamError::new(field, message).into()
    }

    /// The account is suspended.
    pub(super) fn suspended(suspension: Suspension) -> Self {
        let until = suspension.until.and_then(|until| u64::try_from(until).ok());
        let until = until.map(|until| ("until".to_owned(), Value::Int(until)));
        let reason = suspension.reason;
        let reason = reason.map(|reason| ("reason".to_owned(), Value::Str(reason)));
        Self::Refused(Refusal {
            detail: until.into_iter().chain(reason).collect(),
            ..Code::Suspended.into()
        })
    }

    /// The password is a temporary one, and has to be changed before anything else.
    pub(super) fn temporary_password() -> Self {
        let message = "Your password is temporary; change it first.";
        Self::with_message(Code::NotAllowed, message)
            .with_key(MUST_CHANGE_PASSWORD, Value::Bool(true))
    }

    /// A count is at its limit.
    pub(super) fn too_many(limit: usize) -> Self {
        Self::Refused(Refusal::with(
            Code::TooMany,
            "limit",
            Value::Int(limit as u64),
        ))
    }

    /// A rate limit; `retry_after` is in whole seconds, rounded up.
    pub(super) fn retry_after(code: Code, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self::Refused(Refusal::with(code, "retry_after", Value::Int(seconds)))
    }

    /// Whether an attempt at a password is refused unjudged. Its prefix pays for it as for a hash: polls are not free.
    pub(crate) fn is_throttled(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == Code::LoginThrottled)
    }

    /// The code with a sentence of its own, where that of the code would not say why.
    pub(super) fn with_message(code: Code, message: impl Into<String>) -> Self {
        Self::Refused(Refusal {
            message: message.into(),
            ..code.into()
        })
    }

    /// The same with a further key.
    pub(super) fn with_key(self, key: &str, value: Value) -> Self {
        match self {
            Self::Refused(mut refusal) => {
                refusal.detail.push((key.to_owned(), value));
                Self::Refused(refusal)
            }
            store @ Self::Store(_) => store,
        }
    }

    /// The quota of a day is used up. It has a sentence of its own, since the rate is not the reason.
    pub(super) fn quota(message: &str, wait: Duration) -> Self {
        match Self::retry_after(Code::RateLimited, wait) {
            Self::Refused(refusal) => Self::Refused(Refusal {
                message: message.to_owned(),
                ..refusal
            }),
            store @ Self::Store(_) => store,
        }
    }

    /// These users left the room; the first hundred are named.
    pub(super) fn former_members(names: Vec<String>) -> Self {
        let names = names.into_iter().take(NAMED).map(Value::Str).collect();
        Self::Refused(Refusal {
            message: "Some of these left the room; they can join again themselves.".to_owned(),
            ..Refusal::with(Code::NotAllowed, "names", Value::List(names))
        })
    }

    /// The caller is banned from a room.
    pub(super) fn banned(ban: Ban) -> Self {
        Self::banned_users(ban, Vec::new())
    }

    /// These users are banned from a room; the first hundred are named. The end and the reason are those of the first.
    pub(super) fn banned_users(ban: Ban, names: Vec<String>) -> Self {
        let mut detail = Vec::new();
        if let Some(until) = ban.until {
            detail.push(("until".to_owned(), Value::Int(super::unix(until))));
        }
        if let Some(reason) = ban.reason {
            detail.push(("reason".to_owned(), Value::Str(reason)));
        }
        if !names.is_empty() {
            let names = names.into_iter().take(NAMED).map(Value::Str).collect();
            detail.push(("names".to_owned(), Value::List(names)));
        }
        Self::Refused(Refusal {
            detail,
            ..Code::Banned.into()
        })
    }

    /// These users are not friends of the caller. The first hundred are named, except texts that are too long for any
    /// name.
    pub(super) fn not_friends(names: Vec<String>) -> Self {
        let names = names.into_iter().filter(|name| name.len() <= NAME_LENGTH);
        let names = names.take(NAMED).map(Value::Str).collect();
        let names = Value::List(names);
        Self::Refused(Refusal::with(Code::NotFriends, "names", names))
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self {
            code,
            message: code.message().to_owned(),
            detail: Vec::new(),
        }
    }
}

impl From<Code> for Reject {
    fn from(code: Code) -> Self {
        Self::Refused(code.into())
    }
}

impl From<StoreError> for Reject {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ParamError> for Reject {
    fn from(error: ParamError) -> Self {
        Self::Refused(Refusal {
            code: error.code,
            message: format!("{}: {}", error.field, error.message),
            detail: vec![("field".to_owned(), Value::Str(error.field))],
        })
    }
}

/// The message that refuses a request with this number, in the form that its row gives;
/// COMMAND_WRONG for a number that is no request's.
pub(crate) fn refuse(number: u32, refusal: Refusal) -> Event {
    let Refusal {
        code,
        message,
        mut detail,
    } = refusal;
    let kind = RequestKind::from_number(number);
    let form = kind.map_or(event::COMMAND_WRONG, |kind| {
        kind.answers().refusal_for(code)
    });
    if matches!(form, event::COMMAND_WRONG | event::REFUSED) {
        detail.push(("command".to_owned(), Value::Int(number.into())));
    }
    let fail = Fail {
        code: code.as_str().to_owned(),
        message,
        detail,
    };
    Event::refusing(form, fail).expect("a test sees that every refusal of a row carries a FAIL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_refused_in_the_form_the_table_gives() {
        for kind in RequestKind::ALL {
            let info = kind.info();
            for code in Code::ALL {
                let event = refuse(info.number, (*code).into());
                let expected = kind.answers().refusal_for(*code);
                assert_eq!(event.number(), expected, "{} by {code}", info.name);
            }
        }
        assert_eq!(refuse(2, Code::NameTaken.into()).number(), 201);
        assert_eq!(refuse(2, Code::BadName.into()).number(), 205);
        assert_eq!(refuse(101, Code::UnknownCommand.into()).number(), 204);
    }
}
