//! The requests before everything else: LOGIN, REGISTER with the code of the address if there is no such account yet,
//! and JOIN_ROOM for the room of the address. Pure.

use echat_proto::channel::Message;
use echat_proto::commands::request;
use echat_proto::names::InvitationCode;
use echat_proto::value::Value;

use super::args::SecretKind;
use super::message::{self, MessageError};
use crate::secret::SecretBytes;

/// The request that is sent next, or waits for its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LoginStage {
    LogIn,
    Register,
    /// With the account that was just made.
    LogInAgain,
    Join,
}

/// What follows from a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginStep {
    /// [`LoginSequence::plain`] is the next request.
    Next,
    /// The session is open.
    Done,
    /// It is over, for this reason.
    Refused(&'static str),
}

/// A login with what belongs to it, as the plain bytes of its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSequence {
    login: SecretBytes,
    register: Option<SecretBytes>,
    join: Option<SecretBytes>,
    stage: LoginStage,
    /// Whether the account was registered by this login.
    is_new: bool,
}

impl LoginSequence {
    /// A login, and no more.
    pub fn new(user: &str, secret: &str, kind: SecretKind) -> Result<Self, MessageError> {
        Ok(Self {
            login: login(user, secret, kind)?,
            register: None,
            join: None,
            stage: LoginStage::LogIn,
            is_new: false,
        })
    }

    /// Registers `user` with the code if the server knows no such user with this password.
    pub fn registering(
        mut self,
        user: &str,
        password: &str,
        code: &InvitationCode,
    ) -> Result<Self, MessageError> {
        let code = code.key().unwrap_or_default();
        let params = [
            ("username", user),
            ("password", password),
            ("invitation", &code),
        ];
        let params = params
            .iter()
            .map(|(key, text)| ((*key).into(), Value::from(*text)));
        let params = Value::Dict(params.collect());
        self.register = Some(plain_of(request::REGISTER, params)?);
        Ok(self)
    }

    /// Joins this room after the login.
    pub fn joining(mut self, room: &str) -> Result<Self, MessageError> {
        self.join = Some(plain_of(request::JOIN_ROOM, Value::from(room))?);
        Ok(self)
    }

    /// The plain bytes of the next request.
    pub fn plain(&self) -> &[u8] {
        let plain = match self.stage {
            LoginStage::LogIn | LoginStage::LogInAgain => Some(&self.login),
            LoginStage::Register => self.register.as_ref(),
            LoginStage::Join => self.join.as_ref(),
        };
        plain.map_or(&[], |plain| &**plain)
    }

    /// Takes the final reply to that request: the code of a refusal, or `None` for a success.
    pub fn answered(&mut self, refusal: Option<&str>) -> LoginStep {
        let (stage, has_code) = (self.stage, self.register.is_some());
        match (stage, refusal) {
            (LoginStage::LogIn, Some("bad_credentials")) if has_code => {
                self.advance(LoginStage::Register)
            }
            (LoginStage::LogIn, Some(_)) => LoginStep::Refused("the login was refused"),
            (LoginStage::LogInAgain, Some(_)) => {
                LoginStep::Refused("the account is registered, but the login was refused")
            }
            (LoginStage::LogIn | LoginStage::LogInAgain, None) if self.join.is_some() => {
                self.is_new = stage == LoginStage::LogInAgain;
                self.advance(LoginStage::Join)
            }
            (LoginStage::Register, None) => self.advance(LoginStage::LogInAgain),
            (LoginStage::Register, Some("name_taken")) => {
                LoginStep::Refused("the name is taken, and the password is not that of its user")
            }
            (LoginStage::Register, Some(_)) => LoginStep::Refused("the registration was refused"),
            (LoginStage::Join, Some(code)) if code != "already_member" => {
                LoginStep::Refused(if self.is_new {
                    "the account is registered, but it cannot join the room of the address"
                } else {
                    "the room of the address cannot be joined"
                })
            }
            (LoginStage::LogIn | LoginStage::LogInAgain | LoginStage::Join, _) => LoginStep::Done,
        }
    }

    fn advance(&mut self, stage: LoginStage) -> LoginStep {
        self.stage = stage;
        LoginStep::Next
    }
}

/// The plain bytes of the LOGIN that `--user` asks for.
pub(super) fn login(
    user: &str,
    secret: &str,
    kind: SecretKind,
) -> Result<SecretBytes, MessageError> {
    let key = match kind {
        SecretKind::Password => "password",
        SecretKind::Token => "token",
    };
    let params = Value::Dict(vec![
        ("username".into(), Value::from(user)),
        (key.into(), Value::from(secret)),
    ]);
    plain_of(request::LOGIN, params)
}

fn plain_of(command: u32, params: Value) -> Result<SecretBytes, MessageError> {
    message::plain(Message { command, params })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login_sequence() -> LoginSequence {
        let code = InvitationCode::presented("7KQM-2XWD-RT9H-C4VB").unwrap();
        let sequence = LoginSequence::new("ann", "password1", SecretKind::Password).unwrap();
        let sequence = sequence.registering("ann", "password1", &code).unwrap();
        sequence.joining("class").unwrap()
    }

    fn command(sequence: &LoginSequence) -> u32 {
        u32::from_be_bytes(sequence.plain()[..4].try_into().unwrap())
    }

    #[test]
    fn a_user_who_is_known_logs_in_and_joins() {
        let mut sequence = login_sequence();
        assert_eq!(command(&sequence), request::LOGIN);
        assert_eq!(sequence.answered(None), LoginStep::Next);
        assert_eq!(command(&sequence), request::JOIN_ROOM);
        assert_eq!(sequence.answered(Some("already_member")), LoginStep::Done);
    }

    #[test]
    fn a_user_who_is_not_known_registers_first() {
        let mut sequence = login_sequence();
        assert_eq!(sequence.answered(Some("bad_credentials")), LoginStep::Next);
        assert_eq!(command(&sequence), request::REGISTER);
        assert_eq!(sequence.answered(None), LoginStep::Next);
        assert_eq!(command(&sequence), request::LOGIN);
        assert_eq!(sequence.answered(None), LoginStep::Next);
        assert_eq!(command(&sequence), request::JOIN_ROOM);
        assert_eq!(sequence.answered(None), LoginStep::Done);
    }

    #[test]
    fn every_other_refusal_ends_it() {
        for refusals in [
            &["login_throttled"][..],
            &["bad_credentials", "name_taken"],
            &["bad_credentials", "bad_invitation"],
        ] {
            let mut sequence = login_sequence();
            let steps: Vec<_> = refusals
                .iter()
                .map(|code| sequence.answered(Some(code)))
                .collect();
            assert!(
                matches!(steps.last(), Some(LoginStep::Refused(_))),
                "{refusals:?}"
            );
        }
        let mut sequence = login_sequence();
        sequence.answered(None);
        let step = sequence.answered(Some("unknown_room"));
        assert!(matches!(step, LoginStep::Refused(_)));
    }

    #[test]
    fn without_a_code_a_wrong_password_is_a_refusal() {
        let mut sequence = LoginSequence::new("ann", "password1", SecretKind::Password).unwrap();
        let step = sequence.answered(Some("bad_credentials"));
        assert_eq!(step, LoginStep::Refused("the login was refused"));
    }
}
