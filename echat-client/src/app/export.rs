//! `/export`: what the server shows to the user becomes the lines of a file, in the format of docs/export.md.
//!
//! One request or one write is under way at a time: memory holds one page, and a message that the user types waits
//! behind one page at most. First comes each room, then the messages of all conversations from the oldest on, up to the
//! newest of the beginning. Names in the file are those of the beginning. An export that cannot go on leaves no file.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use echat_proto::commands::{Event, Request};
use echat_proto::limits::HISTORY_MAX;
use echat_proto::names::NameQuery;
use echat_proto::param::RoomRole;
use echat_proto::records::{ChatMessage, Code, NextPage, Reaction, RoomInfo};
use serde_json::{Value, json};

use super::Effect;
use super::common::Common;
use super::effect::ExportReport;
use super::input::WorstOutcome;
use crate::session::RequestContext;
use crate::target::Target;
use crate::text::{Text, code_of};

/// The version of the format.
const FORMAT: u64 = 1;

/// So many conversations have a line, and so many renamed users and rooms are remembered. An export with more ends
/// without a file: a server could send new names without end.
const REMEMBERED: usize = 50_000;

/// The export that is under way, if one is.
#[derive(Debug, Default)]
pub(super) struct Exporter {
    current: Option<Export>,
    /// How many exports have begun. A reply to a request of an earlier one is not for the present one.
    begun: u64,
}

/// An export.
#[derive(Debug)]
struct Export {
    /// The file, as typed.
    file: String,
    user: String,
    /// The highest message id that is exported.
    newest: u64,
    stage: Stage,
    /// The conversations that have a line, by their names in the file.
    listed: BTreeSet<Target>,
    /// What users and rooms that were renamed since the beginning are called in the file, by their present names.
    names: BTreeMap<Target, Target>,
    /// Whether a room got another name while it was asked for: it is asked for again.
    is_outdated: bool,
    /// How many lines the file has.
    lines: u64,
    friends: u64,
    rooms: u64,
    messages: u64,
}

/// How far an export is.
#[derive(Debug)]
enum Stage {
    /// The file is being created.
    Create,
    /// These rooms, by their present names, and then the messages are to be asked for.
    Rooms(VecDeque<String>),
    /// The messages after this id are to be asked for.
    Messages(u64),
    /// The last line is written.
    Finish,
}

impl Exporter {
    /// Whether an export is under way.
    pub(super) fn is_running(&self) -> bool {
        self.current.is_some()
    }

    /// Says that no export begins without a connection.
    pub(super) fn refuse_offline(common: &mut Common, file: &str) {
        refuse(common, file, Text::ExportOffline, WorstOutcome::Lost);
    }

    /// Begins an export to a file. The user is logged in.
    pub(super) fn begin(&mut self, common: &mut Common, file: String) {
        if self.is_running() {
            return refuse(common, &file, Text::ExportUnderWay, WorstOutcome::Mistaken);
        }
        let Some(user) = common.me() else {
            return refuse(common, &file, Text::ExportLoggedOut, WorstOutcome::Refused);
        };
        self.begun += 1;
        self.current = Some(Export {
            file: file.clone(),
            user,
            newest: common.context.session.newest(),
            stage: Stage::Create,
            listed: BTreeSet::new(),
            names: BTreeMap::new(),
            is_outdated: false,
            lines: 0,
            friends: 0,
            rooms: 0,
            messages: 0,
        });
        common.output.push(Effect::CreateExport { file });
    }

    /// Takes what became of the file. The next request, if it is time for it.
    pub(super) fn take_report(
        &mut self,
        common: &mut Common,
        report: ExportReport,
    ) -> Option<(Request, RequestContext)> {
        let export = self.current.as_mut()?;
        match (report, &export.stage) {
            (ExportReport::Created, Stage::Create) => {
                common.say(Text::ExportBegins { file: &export.file });
                let lines = export.head(common);
                common.output.push(Effect::WriteExport { lines });
                None
            }
            (ExportReport::Written, _) => self.next_request(),
            (ExportReport::Finished, Stage::Finish) => {
                common.say(Text::Exported {
                    file: &export.file,
                    friends: export.friends,
                    rooms: export.rooms,
                    messages: export.messages,
                });
                self.current = None;
                None
            }
            (report @ (ExportReport::Exists | ExportReport::Failed { .. }), _) => {
                let file = std::mem::take(&mut export.file);
                self.current = None;
                common.verdict.record(WorstOutcome::LocalFailure);
                let file = file.as_str();
                common.fail(match &report {
                    ExportReport::Failed { why } => Text::NotExported { file, why },
                    _ => Text::ExportFileExists { file },
                });
                None
            }
            _ => None,
        }
    }

    /// What is to be asked for next.
    fn next_request(&mut self) -> Option<(Request, RequestContext)> {
        let export = self.current.as_mut()?;
        if matches!(&export.stage, Stage::Rooms(rooms) if rooms.is_empty()) {
            export.stage = Stage::Messages(0);
        }
        let request = match &export.stage {
            Stage::Rooms(rooms) => Request::RoomInfo {
                roomname: NameQuery::new(rooms.front()?.as_str()),
            },
            Stage::Messages(after) => Request::QueryHistory {
                target_type: None,
                target: None,
                before: None,
                after: Some(*after),
                limit: Some(HISTORY_MAX),
                around: None,
                at: None,
            },
            Stage::Create | Stage::Finish => return None,
        };
        let asked = RequestContext::Export {
            export: self.begun,
            kind: request.kind(),
        };
        Some((request, asked))
    }

    /// Takes the final reply to a request of the export with this number. The next request, if nothing is to be written
    /// before it.
    pub(super) fn take_reply(
        &mut self,
        common: &mut Common,
        number: u64,
        event: &Event,
    ) -> Option<(Request, RequestContext)> {
        let export = self.current.as_mut().filter(|_| number == self.begun)?;
        // The old name is unknown by now, or another room's.
        if std::mem::take(&mut export.is_outdated) {
            return self.next_request();
        }
        if let (Stage::Rooms(rooms), Some(fail)) = (&mut export.stage, event.refusal())
            && code_of(fail) == Some(Code::UnknownRoom)
        {
            // The user is no longer a member, and sees no message of it.
            rooms.pop_front();
            return self.next_request();
        }
        if let Some(fail) = event.refusal() {
            let why = common.context.language.refusal(fail);
            self.stop(common, &why, WorstOutcome::Refused);
            return None;
        }
        let lines = match (&mut export.stage, event) {
            (Stage::Rooms(rooms), Event::Room { room }) => {
                rooms.pop_front();
                export.room(room)
            }
            (Stage::Messages(_), Event::History { messages, more, .. }) => {
                let Some(lines) = export.page(messages, *more) else {
                    self.cancel(common, Text::ExportStuck, WorstOutcome::Lost);
                    return None;
                };
                lines
            }
            _ => return None,
        };
        if export.remembers_too_much() {
            self.cancel(common, Text::ExportTooLarge, WorstOutcome::Lost);
            return None;
        }
        let is_last = matches!(export.stage, Stage::Finish);
        common.output.push(Effect::WriteExport { lines });
        if is_last {
            common.output.push(Effect::FinishExport);
        }
        None
    }

    /// A user or a room has another name.
    pub(super) fn rename(&mut self, was: &Target, now: &Target) {
        let Some(export) = &mut self.current else {
            return;
        };
        let in_file = export.names.remove(was).unwrap_or_else(|| was.clone());
        // Beyond the limit the next reply ends the export.
        if !export.remembers_too_much() {
            export.names.insert(now.clone(), in_file);
        }
        if let Stage::Rooms(rooms) = &mut export.stage
            && was.is_room()
            && let Some(place) = rooms.iter().position(|room| room == was.name())
        {
            now.name().clone_into(&mut rooms[place]);
            export.is_outdated |= place == 0;
        }
    }

    /// Ends the export without a file, if one is under way, and says why.
    pub(super) fn cancel(&mut self, common: &mut Common, why: Text<'_>, outcome: WorstOutcome) {
        let why = common.context.language.say(why);
        self.stop(common, &why, outcome);
    }

    fn stop(&mut self, common: &mut Common, why: &str, outcome: WorstOutcome) {
        if let Some(export) = self.current.take() {
            common.output.push(Effect::DropExport);
            common.verdict.record(outcome);
            let file = &export.file;
            common.fail(Text::NotExported { file, why });
        }
    }
}

/// Says why an export does not begin.
fn refuse(common: &mut Common, file: &str, why: Text<'_>, outcome: WorstOutcome) {
    let why = &common.context.language.say(why);
    common.verdict.record(outcome);
    common.fail(Text::NotExported { file, why });
}

impl Export {
    /// The lines of the file so far: the export, the user and the friends. The rooms are next.
    fn head(&mut self, common: &Common) -> String {
        let session = &common.context.session;
        let mut lines = String::new();
        self.add(
            &mut lines,
            &json!({
                "type": "export", "format": FORMAT, "echat": env!("CARGO_PKG_VERSION"), "scope": "user",
                "name": self.user, "created_at": common.context.now, "newest_id": self.newest,
            }),
        );
        self.add(&mut lines, &json!({"type": "user", "name": self.user}));
        for friend in session.friends().keys() {
            let users = [&self.user, friend];
            let line = json!({"type": "friends", "users": users, "ended_at": null});
            self.add(&mut lines, &line);
            self.listed.insert(Target::Friend(friend.clone()));
            self.friends += 1;
        }
        self.stage = Stage::Rooms(session.rooms().iter().cloned().collect());
        lines
    }

    /// The lines of a room and of the user in it.
    fn room(&mut self, room: &RoomInfo) -> String {
        let mut lines = String::new();
        let target = self.in_file(Target::Room(room.roomname.clone()));
        let owner = Some(&room.owner).filter(|owner| !owner.is_empty());
        let line = json!({
            "type": "room",
            "name": target.name(),
            "owner": owner.map(|owner| self.user_in_file(owner)),
            "topic": room.topic,
            "private": room.private,
            "read_only": room.read_only,
            "slow_seconds": room.slow_seconds,
            "keep_days": room.keep_days,
            "created_at": room.created,
        });
        self.add(&mut lines, &line);
        if let Some(role) = room.role {
            let operator = role == RoomRole::Operator;
            let line = json!({
                "type": "member", "room": target.name(), "user": self.user, "operator": operator,
            });
            self.add(&mut lines, &line);
        }
        self.listed.insert(target);
        self.rooms += 1;
        lines
    }

    /// The lines of a page of messages, behind the last one also the last line of the file. `None` if the rest of the
    /// messages cannot be had.
    fn page(&mut self, messages: &[ChatMessage], more: bool) -> Option<String> {
        let mut lines = String::new();
        let newest = self.newest;
        for message in messages.iter().filter(|message| message.id <= newest) {
            self.message(&mut lines, message);
        }
        match (NextPage::after(messages.is_empty(), more), messages.last()) {
            (NextPage::Stuck, _) => return None,
            (NextPage::Ask, Some(last)) if last.id < self.newest => {
                self.stage = Stage::Messages(last.id);
            }
            _ => {
                let line = json!({"type": "end", "lines": self.lines});
                self.add(&mut lines, &line);
                self.stage = Stage::Finish;
            }
        }
        Some(lines)
    }

    fn message(&mut self, lines: &mut String, message: &ChatMessage) {
        let target = Target::new(message.target_type, message.target.clone());
        let target = self.in_file(target);
        self.list(lines, &target);
        let mut line = json!({
            "type": "message",
            "id": message.id,
            "from": self.user_in_file(&message.sender),
            "time": message.send_time,
        });
        match &target {
            Target::Room(room) => line["room"] = room.as_str().into(),
            Target::Friend(friend) => line["friends"] = json!([self.user, friend]),
        }
        if message.deleted == Some(true) {
            line["deleted"] = true.into();
        } else {
            line["text"] = message.content.as_str().into();
            self.attach(&mut line, message);
        }
        self.add(lines, &line);
        self.messages += 1;
    }

    /// Adds what a message has besides its text.
    fn attach(&self, line: &mut Value, message: &ChatMessage) {
        for (key, number) in [
            ("reply_to", message.reply_to),
            ("edited_at", message.edited),
        ] {
            if let Some(number) = number {
                line[key] = number.into();
            }
        }
        let mentions = message.mentions.iter().flatten();
        let mentions: Vec<String> = mentions.map(|name| self.user_in_file(name)).collect();
        if !mentions.is_empty() {
            line["mentions"] = mentions.into();
        }
        // The server says how many users reacted, but of which only whether the reader is one of them.
        let reaction = |reaction: &Reaction| {
            let users = Some(&self.user).filter(|_| reaction.mine == Some(true));
            let users: Vec<&String> = users.into_iter().collect();
            json!({"emoji": reaction.emoji, "count": reaction.count, "users": users})
        };
        let reactions = message.reactions.iter().flatten();
        let reactions: Vec<Value> = reactions.map(reaction).collect();
        if !reactions.is_empty() {
            line["reactions"] = reactions.into();
        }
    }

    /// Adds the line of a conversation that has none yet: one with a former friend.
    fn list(&mut self, lines: &mut String, target: &Target) {
        if !self.listed.insert(target.clone()) {
            return;
        }
        let line = match target {
            Target::Friend(friend) => {
                json!({"type": "friends", "users": [&self.user, friend], "ended": true})
            }
            Target::Room(room) => json!({"type": "room", "name": room}),
        };
        self.add(lines, &line);
    }

    /// Adds a line. In JSON a line break is escaped: no text of another user can end the line.
    fn add(&mut self, lines: &mut String, line: &Value) {
        lines.push_str(&line.to_string());
        lines.push('\n');
        self.lines += 1;
    }

    /// Whether no more names can be remembered.
    fn remembers_too_much(&self) -> bool {
        self.listed.len().max(self.names.len()) > REMEMBERED
    }

    /// What a conversation is called in the file.
    fn in_file(&self, target: Target) -> Target {
        self.names.get(&target).cloned().unwrap_or(target)
    }

    fn user_in_file(&self, name: &str) -> String {
        let target = self.in_file(Target::Friend(name.to_owned()));
        target.name().to_owned()
    }
}
