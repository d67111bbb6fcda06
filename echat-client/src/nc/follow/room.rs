//! The room of `--room`, which is followed by what it is and not by its name.
//!
//! A room keeps its time of creation and the ids of its messages when it is renamed. Event 143 tells of a new name.
//! After a login, the room is the one of the message that was printed last. Without such a message, it is the one of
//! the name that was known last, unless that room was made at another time; else one of the user's rooms that was made
//! at that time.

use echat_proto::channel::Message;
use echat_proto::commands::{event, request};
use echat_proto::value::Value;

use super::cursor::{int, text_of};

/// The room that is followed, as the cursor file remembers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KnownRoom {
    /// Its name in the option.
    pub(super) option: String,
    /// Its name on the server, as far as it is known.
    pub(super) name: String,
    /// When it was made, in unix seconds; `None` before the first login.
    pub(super) created: Option<u64>,
    /// The id of the message of it that was printed last; 0 for none.
    pub(super) message: u64,
}

impl KnownRoom {
    /// The room that an option names: the one that is known already, by its present name or by that of an earlier
    /// option, or another one.
    pub(super) fn of_option(option: &str, known: Option<&Self>) -> Self {
        let is_known = |known: &&Self| known.option == option || known.name == option;
        let known = known.filter(is_known).cloned().unwrap_or_else(|| Self {
            name: option.to_owned(),
            ..Self::default()
        });
        Self {
            option: option.to_owned(),
            ..known
        }
    }

    /// Takes an ON_ROOM_CHANGED. True if the room has a new name.
    pub(super) fn changed(&mut self, change: &Value) -> bool {
        let room = change.at("room");
        let created = room.and_then(|room| int(room, "created"));
        let is_this = text_of(change, "was").as_ref() == Some(&self.name)
            && (self.created.is_none() || self.created == created);
        let name = room.and_then(|room| text_of(room, "roomname"));
        match name.filter(|name| is_this && *name != self.name) {
            Some(name) => {
                self.name = name;
                true
            }
            None => false,
        }
    }
}

/// What is known about the room after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// There is another question.
    Open,
    /// Its name is known.
    Found,
    /// No room of the user is the one that was followed, or several may be.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Which room has the message that was printed last? Two rooms can be made in the same second; they never have
    /// the same message.
    Message,
    /// Has the room the name that was known last?
    Name,
    /// Which rooms were made when it was?
    Creation,
}

/// The confirmation of the room's name after a login, one question at a time.
#[derive(Debug)]
pub(super) struct Lookup {
    step: Step,
    /// The user's rooms that were not asked about.
    rooms: Vec<String>,
    /// Rooms that were made at the same time.
    found: Vec<String>,
}

impl Lookup {
    /// Of this room, for a user with these rooms.
    pub(super) fn new(room: &KnownRoom, rooms: Vec<String>) -> Self {
        let step = match room.message {
            0 => Step::Name,
            _ => Step::Message,
        };
        Self {
            step,
            rooms,
            found: Vec::new(),
        }
    }

    /// The next question.
    pub(super) fn question(&self, room: &KnownRoom) -> Message {
        let about = |name: &str| Message {
            command: request::ROOM_INFO,
            params: Value::from(name),
        };
        match (self.step, self.rooms.last()) {
            (Step::Message, _) => Message {
                command: request::QUERY_HISTORY,
                params: Value::Dict(vec![
                    ("after".into(), Value::Int(room.message.saturating_sub(1))),
                    ("limit".into(), Value::Int(1)),
                ]),
            },
            (Step::Creation, Some(name)) => about(name),
            _ => about(&room.name),
        }
    }

    /// Takes the answer. A refusal that passes is not taken for one.
    pub(super) fn take(&mut self, room: &mut KnownRoom, answer: &Message) -> Finding {
        let named = (answer.command == event::ROOM)
            .then(|| text_of(&answer.params, "roomname"))
            .flatten();
        let created = int(&answer.params, "created");
        let is_same = created.is_some() && created == room.created;
        match self.step {
            Step::Message => {
                if let Some(name) = room_of(&answer.params, room.message) {
                    room.name = name;
                    return Finding::Found;
                }
                self.step = Step::Name;
            }
            Step::Name => match named {
                Some(name) if room.created.is_none() || is_same => {
                    room.name = name;
                    room.created = created;
                    return Finding::Found;
                }
                // The messages are asked for, and refused if there is no such room.
                None if room.created.is_none() => return Finding::Found,
                _ => self.step = Step::Creation,
            },
            Step::Creation => {
                self.rooms.pop();
                self.found.extend(named.filter(|_| is_same));
            }
        }
        self.judge(room)
    }

    fn judge(&mut self, room: &mut KnownRoom) -> Finding {
        if self.step != Step::Creation || !self.rooms.is_empty() {
            return Finding::Open;
        }
        // Rooms that were made within the same second are not told apart.
        match (self.found.pop(), self.found.is_empty()) {
            (Some(name), true) => {
                room.name = name;
                Finding::Found
            }
            _ => Finding::Lost,
        }
    }
}

/// The room of a message, which is the first of a page.
fn room_of(page: &Value, id: u64) -> Option<String> {
    let Some(Value::List(messages)) = page.at("messages") else {
        return None;
    };
    let message = messages.first()?;
    let is_it = int(message, "id") == Some(id) && int(message, "target_type") == Some(1);
    text_of(message, "target").filter(|_| is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(message: u64) -> KnownRoom {
        KnownRoom {
            option: "tea".to_owned(),
            name: "tea".to_owned(),
            created: Some(5),
            message,
        }
    }

    fn dict(entries: &[(&str, Value)]) -> Value {
        let entries = entries.iter();
        Value::Dict(
            entries
                .map(|(key, value)| ((*key).into(), value.clone()))
                .collect(),
        )
    }

    fn room(name: &str, created: u64) -> Message {
        let params = dict(&[
            ("roomname", Value::from(name)),
            ("created", Value::Int(created)),
        ]);
        Message {
            command: event::ROOM,
            params,
        }
    }

    fn refusal() -> Message {
        Message {
            command: event::REFUSED,
            params: dict(&[("code", Value::from("unknown_room"))]),
        }
    }

    fn page(id: u64, target: &str) -> Message {
        let message = dict(&[
            ("id", Value::Int(id)),
            ("target_type", Value::Int(1)),
            ("target", Value::from(target)),
        ]);
        Message {
            command: event::HISTORY,
            params: dict(&[("messages", Value::List(vec![message]))]),
        }
    }

    /// What is found, with the name, after these answers for a user in den, cup and pot.
    fn found(mut room: KnownRoom, answers: &[Message]) -> (Finding, String) {
        let rooms = ["pot", "cup", "den"].map(str::to_owned);
        let mut lookup = Lookup::new(&room, rooms.to_vec());
        let mut last = Finding::Open;
        for answer in answers {
            assert_eq!(last, Finding::Open);
            last = lookup.take(&mut room, answer);
        }
        (last, room.name)
    }

    #[test]
    fn a_room_is_found_by_what_stays_the_same() {
        let is = |name: &str| (Finding::Found, name.to_owned());
        let lost = (Finding::Lost, "tea".to_owned());
        let first = KnownRoom::of_option("TEA", None);
        assert_eq!(found(first.clone(), &[room("tea", 5)]), is("tea"));
        assert_eq!(found(first, &[refusal()]), is("TEA"));
        assert_eq!(found(known(0), &[room("tea", 5)]), is("tea"));
        // Its message names it, also if another room was given its name within the second in which it was made.
        assert_eq!(found(known(7), &[page(7, "tea")]), is("tea"));
        assert_eq!(found(known(7), &[page(7, "cup")]), is("cup"));
        // The message was removed, and the next one is in another room.
        let removed = page(8, "den");
        assert_eq!(
            found(known(7), &[removed.clone(), room("tea", 5)]),
            is("tea")
        );
        for other in [refusal(), room("tea", 6)] {
            let rooms = [room("den", 4), room("cup", 5), refusal()];
            let all = [std::slice::from_ref(&other), &rooms[..]].concat();
            assert_eq!(found(known(0), &all), is("cup"));
            let all = [&[removed.clone(), other.clone()], &rooms[..]].concat();
            assert_eq!(found(known(7), &all), is("cup"));
            let alike = [room("den", 5), room("cup", 5), room("pot", 4)];
            let all = [std::slice::from_ref(&other), &alike[..]].concat();
            assert_eq!(found(known(0), &all), lost);
            let none = [room("den", 4), refusal(), room("pot", 4)];
            assert_eq!(found(known(0), &[&[other], &none[..]].concat()), lost);
        }
    }

    #[test]
    fn an_option_names_the_known_room_by_both_names() {
        let mut room = known(7);
        let change = dict(&[
            ("was", Value::from("tea")),
            ("room", self::room("cup", 5).params),
        ]);
        assert!(room.changed(&change));
        assert!(!room.changed(&change));
        for (option, name, message) in [("tea", "cup", 7), ("cup", "cup", 7), ("mug", "mug", 0)] {
            let known = KnownRoom::of_option(option, Some(&room));
            assert_eq!((known.name.as_str(), known.message), (name, message));
            assert_eq!(known.option, option);
        }
    }
}
