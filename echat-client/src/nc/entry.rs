//! The way in before everything else: LOGIN, REGISTER with the code of the address where there is no such account yet, and
//! JOIN_ROOM for the room of the address. Pure.

use echat_proto::channel::Message;
use echat_proto::commands::request;
use echat_proto::names::InvitationCode;
use echat_proto::value::Value;
use zeroize::Zeroizing;

use super::args::SecretKind;
use super::message::MessageError;
use super::step;

/// Where the entry stands: the request that is sent next, or waits for its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    LogIn,
    Register,
    /// With the account that was just made.
    LogInAgain,
    Join,
}

/// What follows from a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryStep {
    /// [`DumpEntry::plain`] is the next request.
    Goes,
    /// The session is open.
    Done,
    /// It is over, for this reason.
    Refused(&'static str),
}

/// An entry, with the plain bytes of its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpEntry {
    login: Zeroizing<Vec<u8>>,
    register: Option<Zeroizing<Vec<u8>>>,
    join: Option<Zeroizing<Vec<u8>>>,
    stage: Stage,
}

impl DumpEntry {
    /// A login, and no more.
    pub fn new(user: &str, secret: &str, kind: SecretKind) -> Result<Self, MessageError> {
        Ok(Self {
            login: step::login(user, secret, kind)?.into(),
            register: None,
            join: None,
            stage: Stage::LogIn,
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
            Stage::LogIn | Stage::LogInAgain => Some(&self.login),
            Stage::Register => self.register.as_ref(),
            Stage::Join => self.join.as_ref(),
        };
        plain.map_or(&[], |plain| plain.as_slice())
    }

    /// Takes the final reply to that request: the code of a refusal, or `None` for a success.
    pub fn answered(&mut self, refusal: Option<&str>) -> EntryStep {
        let (stage, has_code) = (self.stage, self.register.is_some());
        match (stage, refusal) {
            (Stage::LogIn, Some("bad_credentials")) if has_code => self.goes(Stage::Register),
            (Stage::LogIn | Stage::LogInAgain, Some(_)) => {
                EntryStep::Refused("the login was refused")
            }
            (Stage::LogIn | Stage::LogInAgain, None) if self.join.is_some() => {
                self.goes(Stage::Join)
            }
            (Stage::Register, None) => self.goes(Stage::LogInAgain),
            (Stage::Register, Some("name_taken")) => {
                EntryStep::Refused("the name is taken, and the password is not that of its user")
            }
            (Stage::Register, Some(_)) => EntryStep::Refused("the registration was refused"),
            (Stage::Join, Some(code)) if code != "already_member" => {
                EntryStep::Refused("the room of the address cannot be joined")
            }
            (Stage::LogIn | Stage::LogInAgain | Stage::Join, _) => EntryStep::Done,
        }
    }

    fn goes(&mut self, stage: Stage) -> EntryStep {
        self.stage = stage;
        EntryStep::Goes
    }
}

fn plain_of(command: u32, params: Value) -> Result<Zeroizing<Vec<u8>>, MessageError> {
    step::plain(Message { command, params }).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> DumpEntry {
        let code = InvitationCode::presented("7KQM-2XWD-RT9H-C4VB").unwrap();
        let entry = DumpEntry::new("ann", "password1", SecretKind::Password).unwrap();
        let entry = entry.registering("ann", "password1", &code).unwrap();
        entry.joining("class").unwrap()
    }

    fn command(entry: &DumpEntry) -> u32 {
        u32::from_be_bytes(entry.plain()[..4].try_into().unwrap())
    }

    #[test]
    fn a_user_who_is_known_logs_in_and_joins() {
        let mut entry = entry();
        assert_eq!(command(&entry), request::LOGIN);
        assert_eq!(entry.answered(None), EntryStep::Goes);
        assert_eq!(command(&entry), request::JOIN_ROOM);
        assert_eq!(entry.answered(Some("already_member")), EntryStep::Done);
    }

    #[test]
    fn a_user_who_is_not_known_registers_first() {
        let mut entry = entry();
        assert_eq!(entry.answered(Some("bad_credentials")), EntryStep::Goes);
        assert_eq!(command(&entry), request::REGISTER);
        assert_eq!(entry.answered(None), EntryStep::Goes);
        assert_eq!(command(&entry), request::LOGIN);
        assert_eq!(entry.answered(None), EntryStep::Goes);
        assert_eq!(command(&entry), request::JOIN_ROOM);
        assert_eq!(entry.answered(None), EntryStep::Done);
    }

    #[test]
    fn every_other_refusal_ends_it() {
        for refusals in [
            &["login_throttled"][..],
            &["bad_credentials", "name_taken"],
            &["bad_credentials", "bad_invitation"],
        ] {
            let mut entry = entry();
            let steps: Vec<_> = refusals
                .iter()
                .map(|code| entry.answered(Some(code)))
                .collect();
            assert!(
                matches!(steps.last(), Some(EntryStep::Refused(_))),
                "{refusals:?}"
            );
        }
        let mut entry = entry();
        entry.answered(None);
        let step = entry.answered(Some("unknown_room"));
        assert!(matches!(step, EntryStep::Refused(_)));
    }

    #[test]
    fn without_a_code_a_wrong_password_is_a_refusal() {
        let mut entry = DumpEntry::new("ann", "password1", SecretKind::Password).unwrap();
        let step = entry.answered(Some("bad_credentials"));
        assert_eq!(step, EntryStep::Refused("the login was refused"));
    }
}
