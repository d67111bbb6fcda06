//! Every sentence shown to a person, in every language.
//!
//! [`Text`] is a sentence with its arguments. `sentences` has the table, with all languages of a sentence in its row;
//! `refusals` has that of the server's codes, `administration` the words of its administration. Nothing here is safe to
//! print yet: names and texts of other users stand in the sentences as they came.

mod administration;
mod language;
mod refusals;
mod sentences;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use echat_proto::limits::RATES_FILL_UP;
use echat_proto::names::{DELETED_ACCOUNT, NameError, PasswordError};
use echat_proto::records::{Code, Fail};
use echat_proto::value::Value;
use unicode_width::UnicodeWidthChar;

#[cfg(test)]
use administration::ADMINISTRATION;
pub use administration::{
    administration_column, administration_command, administration_key, administration_names,
    is_time,
};
pub use language::Language;
pub use refusals::RefusedRequest;
pub use sentences::Text;

/// Seconds of an hour. Longer waits are told in hours.
const HOUR: u64 = 3_600;

impl Language {
    /// What a refusal means.
    pub fn refusal(self, fail: &Fail) -> String {
        if fail.wants_new_password() {
            return self.say(Text::TemporaryPassword);
        }
        let known = code_of(fail);
        let wait = fail.retry_after();
        let mut sentence = match known {
            Some(Code::RateLimited) if wait.is_some_and(|seconds| seconds > RATES_FILL_UP) => {
                self.say(Text::DayLimit)
            }
            Some(code) => self.code(code).to_owned(),
            None => self.say(Text::OtherRefusal {
                code: &fail.code,
                message: &fail.message,
            }),
        };
        for (key, value) in &fail.detail {
            let detail = match (key.as_str(), value) {
                ("retry_after", Value::Int(seconds)) if *seconds > HOUR => {
                    self.say(Text::RetryAfterHours {
                        hours: seconds.div_ceil(HOUR),
                    })
                }
                ("retry_after", Value::Int(seconds)) => {
                    self.say(Text::RetryAfter { seconds: *seconds })
                }
                ("until", Value::Str(time)) if known == Some(Code::Banned) => {
                    self.say(Text::BannedUntil { time })
                }
                ("until", Value::Str(time)) => self.say(Text::SuspendedUntil { time }),
                ("reason", Value::Str(reason)) => self.say(Text::Reason { reason }),
                ("limit", Value::Int(limit)) => self.say(Text::Limit { limit: *limit }),
                ("names", Value::List(names)) => self.say(Text::Names {
                    names: &self.joined(names),
                }),
                _ => continue,
            };
            sentence.push_str(&detail);
        }
        sentence
    }

    /// Why a name is not allowed.
    pub fn bad_name(self, error: &NameError) -> String {
        let character;
        self.say(match error {
            NameError::Empty => Text::NameEmpty,
            NameError::TooLong => Text::NameOverLimit,
            NameError::BadStart(c) => {
                character = self.character(*c);
                Text::NameStart {
                    character: &character,
                }
            }
            NameError::BadCharacter(c) => {
                character = self.character(*c);
                Text::NameCharacter {
                    character: &character,
                }
            }
            NameError::MixedDirections => Text::NameDirections,
            NameError::MixedScripts => Text::NameScripts,
            NameError::Reserved => Text::NameReserved,
            NameError::Unstable => Text::NameUnstable,
        })
    }

    /// A character as a sentence shows it: itself if it can be seen, and its number.
    fn character(self, c: char) -> String {
        let number = format!("U+{:04X}", u32::from(c));
        let number = number.as_str();
        if c.is_whitespace() {
            return self.say(Text::SpaceCharacter { number });
        }
        if c.width().is_none_or(|columns| columns == 0) {
            return number.to_owned();
        }
        let character = c.to_string();
        let character = character.as_str();
        self.say(Text::NumberedCharacter { character, number })
    }

    /// Why a password is not allowed.
    pub fn bad_password(self, error: &PasswordError) -> String {
        self.say(match error {
            PasswordError::Empty => Text::PasswordEmpty,
            PasswordError::TooShort => Text::PasswordTooShort,
            PasswordError::TooLong => Text::PasswordTooLong,
            PasswordError::BadCharacter => Text::PasswordControl,
        })
    }

    fn joined(self, names: &[Value]) -> String {
        let names = names.iter().filter_map(|name| match name {
            Value::Str(name) => Some(name.as_str()),
            _ => None,
        });
        names.collect::<Vec<_>>().join(&self.say(Text::Comma))
    }
}

impl Language {
    /// The name of a user. That of a deleted account is said in this language.
    pub fn user_name(self, name: &str) -> Cow<'_, str> {
        match name.strip_prefix(DELETED_ACCOUNT) {
            Some(number) if is_number(number) => {
                Cow::Owned(self.say(Text::DeletedAccount { number }))
            }
            _ => Cow::Borrowed(name),
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A refusal that the server need not be asked for.
pub fn fail_of(code: Code) -> Fail {
    Fail {
        code: code.as_str().to_owned(),
        message: code.message().to_owned(),
        detail: Vec::new(),
    }
}

/// The code of a refusal; `None` for one of a newer server.
pub fn code_of(fail: &Fail) -> Option<Code> {
    let known = Code::ALL.iter().find(|code| code.as_str() == fail.code);
    known.copied()
}
