//! How `Debug` shows a message: with the name of its command, and without parameters that may hold a secret.

use std::fmt;

use super::{by_number, event, request};
use crate::message::Message;

/// Commands without a secret parameter whose values may be secrets all the same: an invitation code, or what a command
/// of the administration takes and gives out.
const WITH_SECRETS: [u32; 4] = [
    request::ADMIN,
    event::ADMIN_RESULT,
    event::INVITATION,
    event::INVITATIONS,
];

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = by_number(self.command);
        let name = info.map_or("unknown", |info| info.name);
        // What an unknown command has is unknown, too.
        let is_shown =
            info.is_some_and(|info| !info.is_secret() && !WITH_SECRETS.contains(&self.command));
        let mut shown = f.debug_struct("Message");
        shown.field("command", &format_args!("{} {name}", self.command));
        if is_shown {
            shown.field("params", &self.params).finish()
        } else {
            shown.finish_non_exhaustive()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::{COMMANDS, Event};
    use crate::names::BotToken;
    use crate::param::Dict;
    use crate::records::InvitationCodeLine;
    use crate::value::Value;

    /// As nothing else is written.
    const SECRET: &str = "canary";

    #[test]
    fn debug_shows_no_message_of_a_command_with_a_secret() {
        let params = Value::Dict(vec![("key".to_owned(), Value::Str(SECRET.to_owned()))]);
        let mut shown = 0;
        for info in COMMANDS.iter().copied().flatten() {
            let message = Message {
                command: info.number,
                params: params.clone(),
            };
            let text = format!("{message:?}");
            assert!(text.contains(info.name), "{text}");
            let has_secret = info.is_secret() || WITH_SECRETS.contains(&info.number);
            assert_ne!(text.contains(SECRET), has_secret, "{text}");
            shown += usize::from(!has_secret);
            // Whatever takes or gives any values by name may have a secret among them.
            let takes_any = info.fields().iter().any(|field| field.kind == "dict");
            assert!(has_secret || !takes_any, "{}", info.name);
        }
        assert!(shown > 50, "{shown}");
        let unknown = Message {
            command: 4_000,
            params,
        };
        assert!(!format!("{unknown:?}").contains(SECRET));
    }

    #[test]
    fn debug_shows_no_secret_of_an_event() {
        let token = BotToken::from_bytes(&[7; BotToken::BYTES]);
        let code = SECRET.to_owned();
        let events = [
            Event::Invitation {
                code: code.clone(),
                uses: 1,
                expires: None,
            },
            Event::Invitations {
                invitations: vec![InvitationCodeLine {
                    code: code.clone(),
                    uses: 1,
                    expires: None,
                }],
            },
            Event::AdminResult {
                result: Dict(vec![("password".to_owned(), Value::Str(code.clone()))]),
                text: format!("password: {code}"),
            },
            Event::BotToken {
                username: "bot".to_owned(),
                token: token.clone(),
            },
        ];
        for event in events {
            let text = format!("{event:?}");
            assert!(
                !text.contains(SECRET) && !text.contains(&token.to_text()),
                "{text}"
            );
        }
        let dict = Dict(vec![("code".to_owned(), Value::Str(code))]);
        assert_eq!(format!("{dict:?}"), r#"Dict["code"]"#);
    }
}
