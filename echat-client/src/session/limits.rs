//! What a server takes at most. What is over a limit is refused before it is sent: a frame that is too
//! long closes the connection, and a line that closes it would be sent again after every reconnect.

use echat_proto::commands::Request;
use echat_proto::limits::{CONTENT_BYTES, CONTENT_MAX, FRAME_AFTER_LOGIN, NAMES};
use echat_proto::names::{Content, ContentError, NameError, NameQuery, TxnId, Username};
use echat_proto::param::Part;
use zeroize::{Zeroize, Zeroizing};

use crate::statement::RequestError;
use crate::target::Target;

/// A ciphertext is a whole number of blocks of so many bytes (PROTOCOL.md, "Frames").
const BLOCK: usize = 16;

/// The limits of one server. [`Limits::default`] is what PROTOCOL.md gives a server that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one frame's ciphertext after the login.
    pub frame_bytes: usize,
    /// Bytes of one message's text.
    pub content_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: FRAME_AFTER_LOGIN,
            content_bytes: CONTENT_BYTES,
        }
    }
}

/// Why a server can never accept something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitError {
    /// A message without text.
    NoText,
    /// A control character in a message.
    Control(char),
    /// A message is too long.
    Text {
        /// Its bytes.
        bytes: usize,
        /// Its characters.
        characters: usize,
        /// The bytes that are allowed.
        limit: usize,
    },
    /// A parameter is too long.
    Parameter {
        /// Its bytes.
        bytes: usize,
        /// The bytes that are allowed.
        limit: usize,
    },
    /// A name that no user and no room can have.
    Name(NameError),
    /// A name is too long.
    LongName {
        /// Its bytes.
        bytes: usize,
        /// Its characters.
        characters: usize,
    },
    /// A list with too many names.
    Names {
        /// How many it has.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// A request is too long as a whole.
    Request {
        /// The bytes of its frame.
        bytes: usize,
        /// The bytes that are allowed.
        limit: usize,
    },
}

impl From<RequestError> for LimitError {
    fn from(unfit: RequestError) -> Self {
        match unfit {
            RequestError::Name(error) => Self::Name(error),
            RequestError::TooLong {
                bytes,
                characters,
                limit,
            } => Self::Text {
                bytes,
                characters,
                limit,
            },
            RequestError::Control(c) => Self::Control(c),
        }
    }
}

impl Limits {
    /// The text as a message for this target.
    ///
    /// # Errors
    /// It can never be sent there.
    pub fn text(&self, target: &Target, text: &str) -> Result<Content, LimitError> {
        possible(&target.query())?;
        let too_long = |limit| LimitError::Text {
            bytes: text.len(),
            characters: text.chars().count(),
            limit,
        };
        let most = self.content_bytes.min(CONTENT_MAX);
        if text.len() > most {
            return Err(too_long(most));
        }
        let content = Content::new(text).map_err(|error| match error {
            ContentError::Empty => LimitError::NoText,
            ContentError::TooLong(_) => too_long(most),
            ContentError::Control(c) => LimitError::Control(c),
        })?;
        let txn_id = TxnId::new("x".repeat(echat_proto::limits::TXN_ID_MAX));
        let request = Request::SendMessage {
            target_type: target.target_type(),
            target: target.query(),
            content,
            txn_id: Some(txn_id.expect("as long as one may be")),
            reply_to: None,
        };
        let over = frame_bytes(&request).saturating_sub(self.frame_bytes);
        match request {
            Request::SendMessage { content, .. } if over == 0 => Ok(content),
            _ => Err(too_long(text.len().saturating_sub(over))),
        }
    }

    /// Whether a server can accept this request. Passwords are checked where they are typed.
    ///
    /// # Errors
    /// It never can.
    pub fn check(&self, request: &Request) -> Result<(), LimitError> {
        match request {
            // They hold a password, and are shorter than any limit.
            Request::Login { .. }
            | Request::Register { .. }
            | Request::ChangePassword { .. }
            | Request::DeleteAccount { .. } => return Ok(()),
            Request::SendMessage {
                target_type,
                target,
                content,
                ..
            } => {
                let target = Target::new(*target_type, target.raw());
                return self.text(&target, content.as_str()).map(|_| ());
            }
            _ => request.parts().into_iter().try_for_each(allowed)?,
        }
        let bytes = frame_bytes(request);
        if bytes > self.frame_bytes {
            let limit = self.frame_bytes;
            return Err(LimitError::Request { bytes, limit });
        }
        Ok(())
    }
}

/// Whether a user or a room can have this name.
///
/// # Errors
/// None can.
pub fn possible(name: &NameQuery) -> Result<(), LimitError> {
    let raw = name.raw();
    match Username::new(raw) {
        Err(NameError::TooLong) => Err(LimitError::LongName {
            bytes: raw.len(),
            characters: raw.chars().count(),
        }),
        Err(error) if name.key().is_none() => Err(LimitError::Name(error)),
        _ => Ok(()),
    }
}

/// Whether a server can accept a part of a request, by its type.
fn allowed(part: Part<'_>) -> Result<(), LimitError> {
    match part {
        Part::Name(name) => possible(name),
        Part::Names(names) => listed(names),
        Part::Text { bytes, limit } if bytes > limit => Err(LimitError::Parameter { bytes, limit }),
        Part::Text { .. } => Ok(()),
    }
}

fn listed(names: &[String]) -> Result<(), LimitError> {
    if names.len() > NAMES {
        return Err(LimitError::Names {
            count: names.len(),
            limit: NAMES,
        });
    }
    names
        .iter()
        .try_for_each(|name| possible(&NameQuery::new(name.as_str())))
}

/// The length of the ciphertext that a request becomes, as the limit on a frame counts it.
fn frame_bytes(request: &Request) -> usize {
    let mut message = request.to_message();
    let plain = message.encode().map(Zeroizing::new);
    // It may be one with a password.
    message.params.zeroize();
    plain.map_or(usize::MAX, |plain| plain.len().next_multiple_of(BLOCK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use echat_proto::names::RoomName;
    use echat_proto::param::{Names, ShortText};

    fn room() -> Target {
        Target::Room("room1".to_owned())
    }

    fn length(limits: Limits, bytes: usize) -> Result<usize, LimitError> {
        let sent = limits.text(&room(), &"a".repeat(bytes));
        sent.map(|content| content.as_str().len())
    }

    #[test]
    fn a_text_has_a_limit_in_bytes() {
        let limits = Limits::default();
        assert_eq!(length(limits, 4_000), Ok(4_000));
        let error = |bytes, characters| LimitError::Text {
            bytes,
            characters,
            limit: 4_000,
        };
        for bytes in [4_001, 65_500, CONTENT_MAX + 1, 1 << 20] {
            assert_eq!(length(limits, bytes), Err(error(bytes, bytes)));
        }
        let text = "你".repeat(1_334);
        assert_eq!(limits.text(&room(), &text), Err(error(4_002, 1_334)));
        assert_eq!(
            limits.text(&room(), "\u{7}"),
            Err(LimitError::Control('\u{7}'))
        );
        assert_eq!(limits.text(&room(), ""), Err(LimitError::NoText));
    }

    #[test]
    fn a_text_that_is_allowed_fits_a_frame() {
        for frame_bytes in [4_096, 65_536, 70_000] {
            let limits = Limits {
                frame_bytes,
                content_bytes: CONTENT_MAX,
            };
            let Err(LimitError::Text { limit, .. }) = length(limits, CONTENT_MAX) else {
                assert_eq!(frame_bytes, 70_000);
                continue;
            };
            assert_eq!(length(limits, limit), Ok(limit));
            assert!(limit > frame_bytes - 300, "{limit}");
            let longer = length(limits, limit + BLOCK);
            assert!(matches!(longer, Err(LimitError::Text { .. })), "{longer:?}");
        }
    }

    #[test]
    fn a_text_that_no_server_accepts_makes_no_request() {
        let limits = Limits::default();
        let long = "a".repeat(21);
        let names = |count: usize, name: &str| Names(vec![name.to_owned(); count]);
        let make = |members| Request::CreateRoom {
            roomname: RoomName::new("room1").unwrap(),
            members,
            private: None,
            topic: None,
        };
        let query = |name: &str| NameQuery::new(name);
        for request in [
            Request::AddFriend {
                username: query(&long),
            },
            Request::JoinRoom {
                roomname: query(&"a".repeat(65_000)),
            },
            Request::LeaveRoom {
                roomname: query(&long),
            },
            Request::ListMembers {
                roomname: query("two words").into(),
            },
            Request::Find {
                keyword: ShortText("a".repeat(65)),
            },
            make(names(1_001, "bob")),
            make(names(1, &long)),
            // Each name is possible, and all of them are too much for a frame.
            make(names(1_000, &"\u{20000}".repeat(16))),
            Request::AddMembers {
                roomname: query(&long),
                members: names(1, "bob"),
            },
        ] {
            assert!(limits.check(&request).is_err(), "{request:?}");
        }
        assert_eq!(limits.check(&make(names(1_000, "bob"))), Ok(()));
        let keyword = ShortText("a".repeat(64));
        assert_eq!(limits.check(&Request::Find { keyword }), Ok(()));
    }
}
