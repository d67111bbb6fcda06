//! Lines on their way: kept before they are sent, sent in order, gone when the server has them.

use echat_proto::names::{Content, TxnId};
use echat_proto::records::{Code, Fail};

use super::question::Question;
use super::{App, Effect, Link};
use crate::outgoing::Entry;
use crate::target::Target;
use crate::text::{HOUR, Text, retry_after};

/// How long to wait when the server cannot store and does not say how long, in seconds.
const STORAGE_WAIT: u64 = 5;

impl App {
    pub(super) fn send_line(&mut self, target: Target, text: String) {
        let Some(user) = self.world.session.me().map(str::to_owned) else {
            return self.refuse(Code::NotLoggedIn);
        };
        let Ok(content) = Content::new(text) else {
            return self.refuse(Code::BadContent);
        };
        self.lines_typed += 1;
        let txn_id = format!("{}-{}", self.world.settings.txn_prefix, self.lines_typed);
        let waits = !self.logged_in || self.world.now < self.hold_until;
        if waits && self.world.settings.interactive {
            let lines = self.world.pending_line(content.as_str());
            self.print(lines);
        }
        self.world.outgoing.push(Entry {
            user: user.clone(),
            txn_id: TxnId::new(txn_id).expect("a short prefix and a number"),
            target,
            content,
            typed_at: self.world.now,
        });
        self.save(user);
        self.send_next();
        if self.link == Link::Down && self.credentials.is_some() {
            self.connect();
        }
    }

    /// Asks before a line is sent that looks like a command. Without a terminal nobody is there to
    /// ask, and a line is what it was written for.
    pub(super) fn ask_if_meant(&mut self, target: Target, text: String) {
        if !self.world.settings.interactive {
            return self.send_line(target, text);
        }
        self.say(Text::LooksLikeCommand { line: &text });
        self.questions
            .push_front(Question::SendAsText(target, text));
    }

    /// Sends the next line, if it may go.
    pub(super) fn send_next(&mut self) {
        if !self.logged_in || self.world.now < self.hold_until {
            return;
        }
        let Some(me) = self.world.session.me() else {
            return;
        };
        if let Some(entry) = self.world.outgoing.next(me) {
            let request = entry.request();
            self.send(&request);
        }
    }

    /// The server has answered the line under way.
    pub(super) fn sent(&mut self, outcome: Result<(), &Fail>) {
        match outcome {
            Err(fail) if is_passing(fail) => self.send_later(fail),
            Err(fail) => {
                self.refused = true;
                let reason = self.world.language.refusal(fail);
                if let Some(entry) = self.world.outgoing.done() {
                    let target = entry.target.name();
                    self.fail(Text::MessageRefused {
                        target,
                        reason: &reason,
                    });
                    let content = entry.content.as_str();
                    let lines = self.world.refused_line(content);
                    self.print(lines);
                    self.save(entry.user);
                }
            }
            Ok(()) => {
                self.hold_said &= self.world.pending() > 1;
                if let Some(entry) = self.world.outgoing.done() {
                    self.save(entry.user);
                }
            }
        }
        self.send_next();
    }

    fn send_later(&mut self, fail: &Fail) {
        let seconds = retry_after(fail).unwrap_or(STORAGE_WAIT).max(1);
        self.hold_until = self.world.now.saturating_add(seconds).min(u64::MAX - 1);
        // How long it waits is said once.
        let reason = self.world.language.refusal(&Fail {
            detail: Vec::new(),
            ..fail.clone()
        });
        let target = self
            .world
            .outgoing
            .again()
            .map(|entry| entry.target.name().to_owned());
        if let Some(target) = target
            && !std::mem::replace(&mut self.hold_said, true)
        {
            let (target, reason) = (target.as_str(), reason.as_str());
            self.say(Text::MessageWaits {
                target,
                reason,
                seconds,
            });
        }
    }

    /// The file of unsent lines of an earlier run.
    pub(super) fn take_outgoing(&mut self, user: &str, lines: Option<&str>) {
        self.hold_until = 0;
        match lines {
            None => self.say(Text::OutgoingLocked),
            Some(lines) => {
                let (found, unreadable) = self.world.outgoing.load(user, lines);
                if found > 0 {
                    self.say(Text::OutgoingFound {
                        count: found as u64,
                    });
                }
                if unreadable > 0 {
                    self.fail(Text::OutgoingUnreadable {
                        count: unreadable as u64,
                    });
                }
                self.save(user.to_owned());
            }
        }
        self.send_next();
    }

    /// That file cannot be had: lines go on without being kept.
    pub(super) fn lack_outgoing(&mut self, why: &str) {
        self.hold_until = 0;
        self.fail(Text::OutgoingFault { why });
        self.fail(Text::OutgoingNotKept);
        self.send_next();
    }

    fn save(&mut self, user: String) {
        // Before the file was read, writing it would lose what it holds.
        if self.world.settings.keep_unsent && self.hold_until < u64::MAX {
            let lines = self.world.outgoing.to_lines(&user);
            self.effects.push(Effect::SaveOutgoing { user, lines });
        }
    }
}

/// Whether the same line may be taken a little later. The limit of a day is not passing: a line that waited
/// for hours would hold up all others, and a script for ever.
fn is_passing(fail: &Fail) -> bool {
    let passes = [Code::RateLimited, Code::StorageBusy, Code::StorageFull]
        .iter()
        .any(|code| code.as_str() == fail.code);
    passes && retry_after(fail).is_none_or(|seconds| seconds <= HOUR)
}
