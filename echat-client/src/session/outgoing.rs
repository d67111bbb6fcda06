//! Lines that were typed and are not acknowledged yet: each is sent until the server has it, and
//! has it once, since it always carries the same `txn_id`.
//!
//! One line is in flight at a time, so that none overtakes another. Every line belongs to the user
//! who typed it and is never sent as another's. Reading and writing the files is the caller's.
//!
//! One bad line holds up no other. A text over the limits (`session::limits`) never enters the queue. A line
//! that the server refuses for good leaves the queue and is shown. A line that may have caused the loss of three
//! connections in a row is set aside: it is added to `USER.aside` and synced before it is removed from the file of
//! unsent lines. Losses with CLOSE_NOTIFY 2 (malformed) and 3 (too many errors) count, and cuts without a known reason
//! at most 10 s after the line was sent. A kept line that is not UTF-8 is set aside alone, byte for byte. A file that
//! cannot be read is not written or removed.
//!
//! A line that was sent and not answered is never called unsent ([`UnsentLine::was_sent`]): the server may have it.
//! That includes the first line of a file that an earlier run left.

use std::collections::VecDeque;
use std::fmt::Write as _;

use echat_proto::commands::Request;
use echat_proto::names::{Content, TxnId};
use echat_proto::param::TargetType;
use serde::{Deserialize, Serialize};

use crate::target::Target;

/// So many connections in a row are lost with the same line in flight before it is set aside.
const LOSSES: u32 = 3;

/// An unsent line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsentLine {
    /// The user who typed it.
    pub user: String,
    /// By which the server knows it again.
    pub txn_id: TxnId,
    /// For whom.
    pub target: Target,
    /// When the room was created, if it is one and that is known: a name can stand for another room later.
    pub room_created: Option<u64>,
    /// The text.
    pub content: Content,
    /// The message that it answers.
    pub reply_to: Option<u64>,
    /// Unix seconds.
    pub typed_at: u64,
    /// Whether it was typed in this connection, where the name of the target is the present one.
    pub is_current: bool,
    /// Whether the server may have it: it was sent, and the connection was lost before the answer.
    /// The file does not say so; the first line of a file may have been sent by the run that wrote it.
    pub was_sent: bool,
}

impl UnsentLine {
    /// The request that sends it.
    pub fn request(&self) -> Request {
        Request::SendMessage {
            target_type: self.target.target_type(),
            target: self.target.query(),
            content: self.content.clone(),
            txn_id: Some(self.txn_id.clone()),
            reply_to: self.reply_to,
        }
    }

    /// Its line of a file: one JSON object and a newline.
    pub fn to_line(&self) -> String {
        let kept = StoredLine {
            txn_id: self.txn_id.to_string(),
            target_type: u8::from(self.target.is_room()),
            target: self.target.name().to_owned(),
            room_created: self.room_created,
            content: self.content.to_string(),
            reply_to: self.reply_to,
            typed_at: self.typed_at,
        };
        serde_json::to_string(&kept).expect("texts and numbers have a JSON form") + "\n"
    }
}

/// A line of a file that is never sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsideLine {
    /// As it stands in the file, with a newline.
    pub line: Vec<u8>,
    /// For whom it was and its text, if that can be read.
    pub text: Option<(Target, String)>,
    /// Whether the server may have it.
    pub was_sent: bool,
}

impl From<UnsentLine> for AsideLine {
    fn from(entry: UnsentLine) -> Self {
        Self {
            line: entry.to_line().into_bytes(),
            was_sent: entry.was_sent,
            text: Some((entry.target, entry.content.to_string())),
        }
    }
}

impl AsideLine {
    /// The line as text without its newline. Each byte that is not UTF-8 stands as `\xNN`.
    pub fn escaped(&self) -> String {
        let mut escaped = String::new();
        for chunk in self.line.trim_ascii_end().utf8_chunks() {
            escaped.push_str(chunk.valid());
            for byte in chunk.invalid() {
                let _ = write!(escaped, "\\x{byte:02x}");
            }
        }
        escaped
    }
}

/// What was in a user's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadedLines {
    /// How many lines wait now that did not before.
    pub found: usize,
    /// The lines that cannot be sent.
    pub aside: Vec<AsideLine>,
}

/// Where the lines of a user are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The file of the unsent lines.
    pub waiting: String,
    /// The file of those that were set aside.
    pub aside: String,
}

/// Why a line is not taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithdrawError {
    /// No unsent line has this number.
    Unknown,
    /// It was sent, and the server has not answered yet.
    InFlight,
}

/// A line of the file. The file's name is that of the user.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredLine {
    txn_id: String,
    target_type: u8,
    target: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room_created: Option<u64>,
    content: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<u64>,
    typed_at: u64,
}

/// A line and its number. It keeps the number until the lines are listed again, so that a number never means another
/// line than the one that was shown with it last.
#[derive(Debug)]
struct NumberedEntry {
    number: u64,
    entry: UnsentLine,
}

/// The unsent lines, in the order they were typed.
#[derive(Debug, Default)]
pub struct Outgoing {
    entries: VecDeque<NumberedEntry>,
    in_flight: Option<TxnId>,
    /// Whether the target of the line in flight got another name since it was sent.
    is_renamed: bool,
    /// The line that may have cost a connection, and how many in a row.
    lost: Option<(TxnId, u32)>,
    /// The highest number.
    numbers: u64,
}

impl Outgoing {
    /// Adds a line at the end.
    pub fn push(&mut self, entry: UnsentLine) {
        let number = self.number();
        self.entries.push_back(NumberedEntry { number, entry });
    }

    /// The next line to send for this user, if none is in flight; it is in flight then.
    #[cfg(test)]
    pub fn next(&mut self, user: &str) -> Option<&UnsentLine> {
        self.next_of(user, |_| true)
    }

    /// The next line to send for this user that may go now, if none is in flight; it is in flight then.
    pub fn next_of(
        &mut self,
        user: &str,
        may_go: impl Fn(&UnsentLine) -> bool,
    ) -> Option<&UnsentLine> {
        if self.in_flight.is_some() {
            return None;
        }
        let mut entries = self.entries.iter().map(|numbered| &numbered.entry);
        let entry = entries.find(|entry| entry.user == user && may_go(entry))?;
        self.in_flight = Some(entry.txn_id.clone());
        self.is_renamed = false;
        Some(entry)
    }

    /// The server has answered the line in flight for good: it leaves.
    pub fn done(&mut self) -> Option<UnsentLine> {
        let txn_id = self.in_flight.take()?;
        self.lost = None;
        self.remove(&txn_id)
    }

    /// The line in flight has to be sent again, since the server said later.
    pub fn again(&mut self) -> Option<&UnsentLine> {
        let txn_id = self.in_flight.take()?;
        self.lost = None;
        let mut entries = self.entries.iter().map(|numbered| &numbered.entry);
        entries.find(|entry| entry.txn_id == txn_id)
    }

    /// The same if the line was sent to a name that its target does not have any more. Whether it was.
    pub fn again_if_renamed(&mut self) -> bool {
        self.is_renamed && self.again().is_some()
    }

    /// Whether a line is in flight.
    pub fn is_sending(&self) -> bool {
        self.in_flight.is_some()
    }

    /// The connection is lost. The line in flight is sent again with the next one. If it `may_be_why`,
    /// the loss counts against it, and it leaves at the third in a row.
    pub fn cut(&mut self, may_be_why: bool) -> Option<UnsentLine> {
        for numbered in &mut self.entries {
            numbered.entry.is_current = false;
        }
        let txn_id = self.in_flight.take()?;
        let mut entries = self.entries.iter_mut().map(|numbered| &mut numbered.entry);
        if let Some(entry) = entries.find(|entry| entry.txn_id == txn_id) {
            entry.was_sent = true;
        }
        if !may_be_why {
            return None;
        }
        let before = self.lost.take().filter(|(lost, _)| *lost == txn_id);
        let losses = before.map_or(0, |(_, losses)| losses) + 1;
        if losses >= LOSSES {
            return self.remove(&txn_id);
        }
        self.lost = Some((txn_id, losses));
        None
    }

    /// Takes the line of this user with this number back, or all that are not in flight; those that are
    /// gone, in order.
    ///
    /// # Errors
    /// There is no such line, or it is in flight.
    pub fn withdraw(
        &mut self,
        user: &str,
        number: Option<u64>,
    ) -> Result<Vec<UnsentLine>, WithdrawError> {
        let in_flight = self.in_flight.clone();
        let is_sent = |entry: &UnsentLine| in_flight.as_ref() == Some(&entry.txn_id);
        let is_meant = |numbered: &NumberedEntry| match number {
            None => !is_sent(&numbered.entry),
            Some(number) => numbered.number == number,
        };
        let of_user = |numbered: &&NumberedEntry| numbered.entry.user == user && is_meant(numbered);
        let meant: Vec<TxnId> = self
            .entries
            .iter()
            .filter(of_user)
            .map(|numbered| numbered.entry.txn_id.clone())
            .collect();
        if meant
            .iter()
            .any(|txn_id| in_flight.as_ref() == Some(txn_id))
        {
            return Err(WithdrawError::InFlight);
        }
        if meant.is_empty() {
            return Err(WithdrawError::Unknown);
        }
        Ok(meant.iter().filter_map(|id| self.remove(id)).collect())
    }

    /// Takes out the lines of this user that do not pass, but for the one in flight.
    pub fn sift(&mut self, user: &str, passes: impl Fn(&UnsentLine) -> bool) -> Vec<UnsentLine> {
        let fails = |entry: &&UnsentLine| {
            entry.user == user && self.in_flight.as_ref() != Some(&entry.txn_id) && !passes(entry)
        };
        let entries = self.entries.iter().map(|numbered| &numbered.entry);
        let failed: Vec<TxnId> = entries
            .filter(fails)
            .map(|entry| entry.txn_id.clone())
            .collect();
        failed.iter().filter_map(|id| self.remove(id)).collect()
    }

    /// A room or a friend of this user has another name: lines for it go there.
    /// Whether there are any.
    pub fn rename(&mut self, user: &str, was: &Target, now: &Target) -> bool {
        let mut is_any = false;
        for NumberedEntry { entry, .. } in &mut self.entries {
            if entry.user == user && entry.target == *was {
                entry.target = now.clone();
                self.is_renamed |= self.in_flight.as_ref() == Some(&entry.txn_id);
                is_any = true;
            }
        }
        is_any
    }

    /// The room that was created then has another name: the lines of this user for it go there. Whether there are any.
    pub fn rename_room(&mut self, user: &str, was: &str, created: u64, now: &str) -> bool {
        let mut is_any = false;
        for NumberedEntry { entry, .. } in &mut self.entries {
            let is_for = entry.target.is_room() && entry.target.name() == was;
            if entry.user == user && is_for && entry.room_created == Some(created) {
                entry.target = Target::Room(now.to_owned());
                is_any = true;
            }
        }
        is_any
    }

    /// The server tells when the room of a name was created: lines that were typed in this connection are for that
    /// room. Whether there are any.
    pub fn bind(&mut self, user: &str, room: &str, created: u64) -> bool {
        let mut is_any = false;
        for NumberedEntry { entry, .. } in &mut self.entries {
            let is_for = entry.target.is_room() && entry.target.name() == room;
            if entry.user == user && is_for && entry.is_current && entry.room_created.is_none() {
                entry.room_created = Some(created);
                is_any = true;
            }
        }
        is_any
    }

    /// The user is no member of a room any more: its name may stand for another one from now on.
    pub fn leave(&mut self, user: &str, room: &Target) {
        let entries = self.entries.iter_mut().map(|numbered| &mut numbered.entry);
        for entry in entries.filter(|entry| entry.user == user && entry.target == *room) {
            entry.is_current = false;
        }
    }

    /// This user has another name. Whether there are lines of the user.
    pub fn rename_user(&mut self, was: &str, name: &str) -> bool {
        let mut is_any = false;
        for NumberedEntry { entry, .. } in &mut self.entries {
            if entry.user == was {
                name.clone_into(&mut entry.user);
                is_any = true;
            }
        }
        is_any
    }

    /// The ids of messages are void: lines of this user that answer one answer none. Whether there are any.
    pub fn forget_replies(&mut self, user: &str) -> bool {
        let mut is_any = false;
        for NumberedEntry { entry, .. } in &mut self.entries {
            is_any |= entry.user == user && entry.reply_to.take().is_some();
        }
        is_any
    }

    /// How many lines of this user wait.
    pub fn waiting(&self, user: &str) -> usize {
        self.listed(user).count()
    }

    /// The unsent lines of this user, in order: the number of each, the line, and whether it is in
    /// flight.
    pub fn listed<'a>(
        &'a self,
        user: &'a str,
    ) -> impl DoubleEndedIterator<Item = (u64, &'a UnsentLine, bool)> {
        let of_user = self
            .entries
            .iter()
            .filter(move |numbered| numbered.entry.user == user);
        of_user.map(|NumberedEntry { number, entry }| {
            let is_sent = self.in_flight.as_ref() == Some(&entry.txn_id);
            (*number, entry, is_sent)
        })
    }

    /// Numbers the lines of this user from 1, in order: they are about to be listed.
    pub fn renumber(&mut self, user: &str) {
        let entries = self.entries.iter_mut();
        let of_user = entries.filter(|numbered| numbered.entry.user == user);
        for (number, numbered) in (1..).zip(of_user) {
            numbered.number = number;
        }
        let numbers = self.entries.iter().map(|numbered| numbered.number);
        self.numbers = numbers.max().unwrap_or(0);
    }

    /// The unsent lines of this user for a target, in order.
    pub fn waiting_for<'a>(
        &'a self,
        user: &'a str,
        target: &'a Target,
    ) -> impl DoubleEndedIterator<Item = &'a UnsentLine> {
        let entries = self.listed(user).map(|(_, entry, _)| entry);
        entries.filter(move |entry| entry.target == *target)
    }

    /// The file of a user: one JSON object a line.
    pub fn to_lines(&self, user: &str) -> String {
        self.listed(user)
            .map(|(_, entry, _)| entry.to_line())
            .collect()
    }

    /// Takes the lines of a user's file, before those typed since. A line that is there already is not
    /// taken again; one that is not `possible` to send, or cannot be read, is set aside.
    pub fn load(
        &mut self,
        user: &str,
        lines: &[u8],
        possible: impl Fn(&Target, &str) -> Option<Content>,
    ) -> LoadedLines {
        let (mut taken, mut aside) = (Vec::<UnsentLine>::new(), Vec::new());
        let lines = lines.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.trim_ascii().is_empty());
        for (index, line) in lines.enumerate() {
            // Lines are sent in order, one at a time.
            let was_sent = index == 0;
            let entry = match read(user, line, &possible) {
                Ok(entry) => UnsentLine { was_sent, ..entry },
                Err(text) => {
                    let line = [line, b"\n"].concat();
                    aside.push(AsideLine {
                        line,
                        text,
                        was_sent,
                    });
                    continue;
                }
            };
            let is_known = |other: &UnsentLine| other.txn_id == entry.txn_id;
            let mut known = self.entries.iter().map(|numbered| &numbered.entry);
            if !known.any(is_known) && !taken.iter().any(is_known) {
                taken.push(entry);
            }
        }
        let found = taken.len();
        let taken: Vec<NumberedEntry> = taken
            .into_iter()
            .map(|entry| NumberedEntry {
                number: self.number(),
                entry,
            })
            .collect();
        for numbered in taken.into_iter().rev() {
            self.entries.push_front(numbered);
        }
        LoadedLines { found, aside }
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn remove(&mut self, txn_id: &TxnId) -> Option<UnsentLine> {
        let is_it = |numbered: &NumberedEntry| numbered.entry.txn_id == *txn_id;
        let place = self.entries.iter().position(is_it)?;
        self.entries.remove(place).map(|numbered| numbered.entry)
    }
}

/// A line of a user's file, or of one that cannot be sent what can be read.
fn read(
    user: &str,
    line: &[u8],
    possible: impl Fn(&Target, &str) -> Option<Content>,
) -> Result<UnsentLine, Option<(Target, String)>> {
    let kept: StoredLine = serde_json::from_slice(line).map_err(|_| None)?;
    let target_type = match kept.target_type {
        0 => TargetType::Friend,
        1 => TargetType::Room,
        _ => return Err(None),
    };
    let target = Target::new(target_type, kept.target);
    match (possible(&target, &kept.content), TxnId::new(kept.txn_id)) {
        (Some(content), Ok(txn_id)) => Ok(UnsentLine {
            user: user.to_owned(),
            txn_id,
            target,
            room_created: kept.room_created,
            content,
            reply_to: kept.reply_to,
            typed_at: kept.typed_at,
            is_current: false,
            was_sent: false,
        }),
        _ => Err(Some((target, kept.content))),
    }
}

#[cfg(test)]
mod tests;
