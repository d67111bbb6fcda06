//! What a bot knew of a server's history when it was here last, and whether that still holds.
//!
//! The `history` and the highest id that was seen come from the options of a session, or from the cursor of `follow`.
//! A line of its own says that the LOGIN_BUNDLE contradicts them.

use echat_proto::channel::Incoming;
use echat_proto::commands::event::LOGIN_BUNDLE;
use echat_proto::value::Value;

use super::message;

/// What the arguments said; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownHistory {
    /// The highest message id that was seen.
    pub after: Option<u64>,
    /// The `history` of the last LOGIN_BUNDLE.
    pub history: Option<String>,
}

/// What a message says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryCheck {
    /// It holds, or the message says nothing of it.
    Holds,
    /// The server has another history, or ids began again: the line that says so.
    Replaced(String),
    /// The server is older and does not send the values to compare.
    Untold,
}

impl KnownHistory {
    /// Compares with what came: only a LOGIN_BUNDLE says something.
    pub fn judge(&self, incoming: &Incoming) -> HistoryCheck {
        match incoming {
            Incoming::Message(message) if message.command == LOGIN_BUNDLE => {
                self.judge_bundle(&message.params)
            }
            _ => HistoryCheck::Holds,
        }
    }

    /// Compares with a LOGIN_BUNDLE.
    pub fn judge_bundle(&self, params: &Value) -> HistoryCheck {
        let newest = match params.at("newest") {
            Some(Value::Int(newest)) => Some(*newest),
            _ => None,
        };
        let history = match params.at("history") {
            Some(Value::Str(history)) => Some(history.as_str()),
            _ => None,
        };
        let known = self.history.as_deref();
        let is_renamed = known.zip(history).is_some_and(|(known, now)| known != now);
        let is_lower = self
            .after
            .zip(newest)
            .is_some_and(|(after, now)| now < after);
        if is_renamed || is_lower {
            return HistoryCheck::Replaced(line(history, newest, self));
        }
        let lacks_history = known.is_some() && history.is_none();
        if lacks_history || (self.after.is_some() && newest.is_none()) {
            return HistoryCheck::Untold;
        }
        HistoryCheck::Holds
    }
}

/// `{"event":"HISTORY_REPLACED","params":{...}}`: what the server has, and what was known.
fn line(history: Option<&str>, newest: Option<u64>, known: &KnownHistory) -> String {
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    let id = |id: Option<u64>| id.map_or(Value::Null, Value::Int);
    let params = vec![
        ("history".into(), text(history)),
        ("newest".into(), id(newest)),
        ("known_history".into(), text(known.history.as_deref())),
        ("known_after".into(), id(known.after)),
    ];
    message::event_line("HISTORY_REPLACED", &Value::Dict(params))
}

#[cfg(test)]
mod tests {
    use super::*;
    use echat_proto::channel::Message;
    use echat_proto::json;

    fn bundle(keys: &str) -> Incoming {
        Incoming::Message(Message {
            command: LOGIN_BUNDLE,
            params: json::from_json(keys).unwrap(),
        })
    }

    fn known(after: Option<u64>, history: Option<&str>) -> KnownHistory {
        KnownHistory {
            after,
            history: history.map(str::to_owned),
        }
    }

    #[test]
    fn another_name_or_a_lower_id_contradicts() {
        let both = r#"{"newest":9,"history":"b"}"#;
        for (after, history, keys, replaced) in [
            (None, None, both, false),
            (Some(9), Some("b"), both, false),
            (Some(9), None, both, false),
            (Some(10), None, both, true),
            (Some(10), Some("b"), both, true),
            (Some(9), Some("a"), both, true),
            (None, Some("a"), both, true),
            (None, Some("a"), r#"{"history":"b"}"#, true),
            (Some(1), Some("a"), r#"{"newest":0}"#, true),
        ] {
            let verdict = known(after, history).judge(&bundle(keys));
            let is_replaced = matches!(verdict, HistoryCheck::Replaced(_));
            assert_eq!(is_replaced, replaced, "{after:?} {history:?} {keys}");
        }
    }

    #[test]
    fn the_line_names_the_known_and_the_new_history() {
        let verdict = known(Some(12), Some("a\u{1b}")).judge(&bundle(r#"{"newest":9}"#));
        let line = r#"{"event":"HISTORY_REPLACED","params":{"history":null,"newest":9,"#.to_owned()
            + r#""known_history":"a\u001b","known_after":12}}"#;
        assert_eq!(verdict, HistoryCheck::Replaced(line));
    }

    #[test]
    fn missing_values_do_not_contradict() {
        for (after, history, keys) in [
            (Some(12), None, "{}"),
            (None, Some("a"), r#"{"newest":9}"#),
            (Some(9), Some("a"), r#"{"newest":9}"#),
        ] {
            let verdict = known(after, history).judge(&bundle(keys));
            assert_eq!(verdict, HistoryCheck::Untold, "{keys}");
        }
        assert_eq!(
            KnownHistory::default().judge(&bundle("{}")),
            HistoryCheck::Holds
        );
        let other = Incoming::Message(Message {
            command: 101,
            params: Value::Int(1),
        });
        assert_eq!(known(Some(9), Some("a")).judge(&other), HistoryCheck::Holds);
        assert_eq!(
            known(Some(9), None).judge(&Incoming::Ping),
            HistoryCheck::Holds
        );
    }
}
