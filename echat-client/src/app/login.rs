//! The login that the user wants: made again with every connection, until it is refused, until another
//! session takes over, or until the user logs out.

use echat_proto::commands::Request;
use echat_proto::names::{
    BotToken, BotTokenError, NameQuery, Password, PasswordError, ResumeSecret,
};

use crate::secret::Secret;
use crate::target::normal_name;

/// What a person or an option provides to log in with.
#[derive(Debug)]
pub(super) enum LoginSecret {
    /// The password of a user.
    Password(Secret),
    /// The token of a bot.
    Token(Secret),
}

/// Why a secret cannot be sent.
#[derive(Debug)]
pub(super) enum SecretError {
    /// It is no password.
    Password(PasswordError),
    /// It is no token.
    Token(BotTokenError),
}

/// What logs a user in, again after every reconnect: the secret of the last login, and without one the password. Both
/// stay in memory, and are wiped with [`Login::forget`]. The memory is kept from core dumps and other processes by
/// [`private_memory`](echat_system::private_memory).
#[derive(Debug)]
struct Credentials {
    name: String,
    secret: LoginSecret,
    /// The secret of the last login. It is kept until the next login gives another one: without a reply, the client
    /// presents it again.
    resume: Option<ResumeSecret>,
    /// The password that the server was asked to take in place of this one.
    next: Option<Secret>,
}

/// The wanted login, and the user of the last login that succeeded.
#[derive(Debug, Default)]
pub(super) struct Login {
    /// `None`: no login is wanted, and no connection is made for one.
    credentials: Option<Credentials>,
    /// The user of the last login that succeeded, by normal name: the remembered conversations are of
    /// this user.
    known_user: Option<String>,
    /// Whether the newest LOGIN_SUCCESS was for the user whose conversations are remembered.
    is_same_user: bool,
    /// Whether the server has refused a request of this login because the password is a temporary one.
    is_locked: bool,
}

impl Login {
    /// Logs in as this user from now on.
    pub(super) fn want(&mut self, name: String, secret: LoginSecret) {
        self.credentials = Some(Credentials {
            name,
            secret,
            resume: None,
            next: None,
        });
    }

    /// Wipes the password and the secret. The client does not log in by itself any more.
    pub(super) fn forget(&mut self) {
        self.credentials = None;
    }

    /// The user logged out: nothing is remembered.
    pub(super) fn end(&mut self) {
        self.forget();
        self.known_user = None;
    }

    /// Whether the client logs in with the next connection.
    pub(super) fn is_wanted(&self) -> bool {
        self.credentials.is_some()
    }

    /// The name of the user whose login is wanted, as it was typed.
    pub(super) fn name(&self) -> Option<&str> {
        self.credentials.as_ref().map(|user| user.name.as_str())
    }

    /// The LOGIN request, if a login is wanted: with the secret of the last login, and without one with the password or
    /// the token.
    ///
    /// # Errors
    /// The password or the token cannot be sent.
    pub(super) fn request(&self) -> Option<Result<Request, SecretError>> {
        let user = self.credentials.as_ref()?;
        let username = NameQuery::new(user.name.as_str());
        let login = |password, resume, token| Request::Login {
            username,
            password,
            resume,
            device: None,
            messages: None,
            token,
        };
        if let Some(resume) = user.resume.clone() {
            return Some(Ok(login(None, Some(resume), None)));
        }
        Some(match &user.secret {
            LoginSecret::Password(password) => Password::presented(password)
                .map(|password| login(Some(password), None, None))
                .map_err(SecretError::Password),
            LoginSecret::Token(token) => BotToken::presented(token)
                .map(|token| login(None, None, Some(token)))
                .map_err(SecretError::Token),
        })
    }

    /// The server is asked for another password.
    pub(super) fn propose(&mut self, password: Secret) {
        if let Some(credentials) = &mut self.credentials {
            credentials.next = Some(password);
        }
    }

    /// The server has answered: the proposed password is the one to log in with, or not. The secret of the login is
    /// void with the old password.
    pub(super) fn change(&mut self, is_taken: bool) {
        self.is_locked &= !is_taken;
        if let Some(credentials) = &mut self.credentials
            && let Some(password) = credentials.next.take()
            && is_taken
        {
            credentials.secret = LoginSecret::Password(password);
            credentials.resume = None;
        }
    }

    /// The server refuses everything until the password is changed.
    pub(super) fn lock(&mut self) {
        self.is_locked = true;
    }

    /// Whether the server refuses everything until the password is changed.
    pub(super) fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// Keeps the secret of a login in place of the one before.
    pub(super) fn keep_secret(&mut self, secret: Option<ResumeSecret>) {
        if let Some(credentials) = &mut self.credentials {
            credentials.resume = secret.filter(|secret| !secret.is_none());
        }
    }

    /// Drops the secret of the last login, which the server refused: the password logs in instead. Returns whether
    /// there was a secret. Any other refusal is not about the secret, which is kept. The server forgets secrets after a
    /// day, and when the user logs out elsewhere with the same one.
    pub(super) fn drop_secret(&mut self) -> bool {
        let credentials = self.credentials.as_mut();
        credentials.and_then(|user| user.resume.take()).is_some()
    }

    /// The user has another name.
    pub(super) fn rename(&mut self, name: &str) {
        if let Some(credentials) = &mut self.credentials {
            name.clone_into(&mut credentials.name);
        }
        if let Some(known) = &mut self.known_user {
            *known = normal_name(name);
        }
    }

    /// Whether a login is wanted of a user of whom nothing is known yet.
    pub(super) fn is_of_new_user(&self) -> bool {
        let name = self.name().map(normal_name);
        name.is_some() && name != self.known_user
    }

    /// Whether no login has succeeded yet, or the user has logged out since.
    pub(super) fn is_first(&self) -> bool {
        self.known_user.is_none()
    }

    /// The server has accepted a user; `remembered` is the one whose conversations are remembered.
    /// Whether both are the same.
    pub(super) fn accepted(&mut self, user: &str, remembered: Option<&str>) -> bool {
        self.is_locked = false;
        self.is_same_user = remembered == Some(user);
        self.is_same_user
    }

    /// The login has succeeded. Whether it is the same user's as the one before.
    pub(super) fn succeeded(&mut self, user: &str) -> bool {
        self.known_user = Some(normal_name(user));
        self.is_same_user
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str) -> Login {
        let mut login = Login::default();
        let password = Secret::from("password1");
        login.want(name.to_owned(), LoginSecret::Password(password));
        login
    }

    #[test]
    fn a_wanted_login_lasts_until_it_is_forgotten() {
        let mut login = wanted("Ann");
        assert!(login.is_wanted() && login.is_of_new_user() && login.is_first());
        assert!(matches!(login.request(), Some(Ok(Request::Login { .. }))));
        assert!(!login.accepted("ann", None));
        assert!(!login.succeeded("ann"));
        // After a lost connection.
        assert!(!login.is_of_new_user() && !login.is_first());
        assert!(login.accepted("ann", Some("ann")) && login.succeeded("ann"));
        login.forget();
        assert!(!login.is_wanted() && login.request().is_none());
        assert!(!login.is_first(), "conversations are still remembered");
        login.end();
        assert!(login.is_first());
    }

    #[test]
    fn a_login_as_another_user_is_new() {
        let mut login = wanted("ann");
        login.succeeded("ann");
        let password = Secret::from("password2");
        login.want("bob".to_owned(), LoginSecret::Password(password));
        assert!(login.is_of_new_user());
        assert!(!login.accepted("bob", Some("ann")));
    }
}
