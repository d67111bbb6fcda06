//! What a login brings, for tests that name only the part that they are about.

use echat_proto::commands::Event;
use echat_proto::names::{DeviceSecret, ResumeSecret};
use echat_proto::records::{AwayLine, ChatMessage, InvitationLine, Older, Unread};

/// The parameters of LOGIN_BUNDLE. By default there is nothing in it:
/// `LoginBundle { friends, ..LoginBundle::default() }` is the login of a user with friends and nothing else.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "PROTOCOL.md describes the parameters")]
pub struct LoginBundle {
    pub chat_rooms: Vec<String>,
    pub friends: Vec<String>,
    pub online: Vec<String>,
    pub pending_requests: Vec<String>,
    pub messages: Vec<ChatMessage>,
    pub unread: Vec<Unread>,
    pub more: Vec<Older>,
    pub newest: Option<u64>,
    pub history: Option<String>,
    pub resume: Option<ResumeSecret>,
    pub must_change_password: Option<bool>,
    pub away: Option<Vec<AwayLine>>,
    pub device: Option<DeviceSecret>,
    pub invitations: Option<Vec<InvitationLine>>,
    pub blocked: Option<Vec<String>>,
}

impl From<LoginBundle> for Event {
    fn from(bundle: LoginBundle) -> Self {
        let LoginBundle {
            chat_rooms,
            friends,
            online,
            pending_requests,
            messages,
            unread,
            more,
            newest,
            history,
            resume,
            must_change_password,
            away,
            device,
            invitations,
            blocked,
        } = bundle;
        Self::LoginBundle {
            chat_rooms,
            friends,
            online,
            pending_requests,
            messages,
            unread,
            more,
            newest,
            history,
            resume,
            must_change_password,
            away,
            device,
            invitations,
            blocked,
        }
    }
}
