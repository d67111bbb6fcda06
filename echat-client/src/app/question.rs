//! Open questions, which block nothing.
//!
//! A question is answered only by a line that begins after it was shown. The event loop reports that it is on the
//! terminal when no earlier key is unread. A text that is not an answer is not sent: the question is asked again,
//! unless the text begins with `//`.

use crate::line_editor::LINE_MAX;
use crate::session::{LimitError, Limits};
use crate::statement::{TypedRequest, answer_words, unquoted, yes_or_no};
use crate::target::{Target, normal_name};

/// Open questions at most. Each keeps a line of the user.
const OPEN: usize = 8;

/// Pasted lines that are sent or carried out one by one at most.
pub(super) const PASTED_LINES_MAX: usize = 1_000;

/// A question. Each follows from a line of the user's own, never from what another user does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Is a line that looks like a command meant as text?
    SendAsText(Target, String),
    /// Is a command meant that cannot be taken back?
    Confirm(TypedRequest),
    /// Who can find and join a room that is to be made?
    Privacy(TypedRequest),
    /// Shall the message with this id be deleted?
    Delete(Target, u64),
    /// Shall pasted lines be sent?
    Paste(Pasted),
}

/// Several lines that were pasted, and the line into which they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pasted {
    /// The target; without one they are commands.
    pub(super) target: Option<Target>,
    /// What was typed around them belongs to the first and the last.
    pub(super) lines: Vec<String>,
    /// The line as it was, and its cursor: it comes back if they are not sent.
    pub(super) typed: (String, usize),
    /// What the server takes.
    pub(super) limits: Limits,
}

impl Pasted {
    /// The lines that are not blank.
    pub(super) fn non_blank(&self) -> impl Iterator<Item = &String> {
        self.lines.iter().filter(|line| !line.trim().is_empty())
    }

    /// How many lines are not blank.
    pub(super) fn count(&self) -> usize {
        self.non_blank().count()
    }

    /// Why a line cannot be sent, if one cannot; blank ones are left out.
    pub(super) fn limit_error(&self) -> Option<LimitError> {
        let mut checked = self.non_blank().map(|line| self.check(line));
        checked.find_map(Result::err)
    }

    /// Whether they can be sent or carried out one by one.
    pub(super) fn may_be_each(&self) -> bool {
        self.count() <= PASTED_LINES_MAX
    }

    /// Whether they can be one message. Commands are one line each.
    pub(super) fn may_be_one(&self) -> bool {
        self.target.is_some() && self.limit_error().is_none() && self.check(&self.as_one()).is_ok()
    }

    fn check(&self, text: &str) -> Result<(), LimitError> {
        match &self.target {
            Some(target) => self.limits.text(target, text).map(|_| ()),
            None if text.len() > LINE_MAX => Err(LimitError::Text {
                bytes: text.len(),
                characters: text.chars().count(),
                limit: LINE_MAX,
            }),
            None => Ok(()),
        }
    }

    /// The lines as one text.
    pub(super) fn as_one(&self) -> String {
        self.lines.join("\n")
    }
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuestionAnswer {
    Yes,
    No,
    /// Pasted lines as one message.
    One,
    /// Every user can find and join the room.
    Public,
    /// Only invited users can.
    Private,
    /// `\c`: put aside, with every other open question.
    Aside,
}

/// Words that mean a public room, in lower case.
const PUBLIC: &[&str] = &["public", "pub", "公开", "公开的", "公"];
/// Words that mean a private room, in lower case.
const PRIVATE: &[&str] = &["private", "priv", "私密", "私密的", "私", "私有"];
/// Words that mean one message, in lower case. What the questions show is among the words of each list.
const ONE: &[&str] = &[
    "o",
    "one",
    "one message",
    "as one message",
    "send as one message",
    "一条",
    "一条消息",
    "合并",
    "合成一条",
    "合成一条消息",
    "合成一条消息发送",
];
/// Words that mean each pasted line, in lower case.
const EACH: &[&str] = &["each", "each line", "send each line", "逐行", "逐行发送"];
/// The same where the lines are commands.
const RUN: &[&str] = &[
    "run",
    "run each line",
    "run each line as a command",
    "执行",
    "逐行",
    "逐行执行",
    "逐行作为命令执行",
];
/// Words that mean that a line is a message, in lower case.
const SEND: &[&str] = &["send", "send as text", "发送", "作为消息发送"];
/// Words that mean that a message is deleted, in lower case.
const DELETE: &[&str] = &["delete", "删除"];

impl Question {
    /// What a line says to it; `None` if it is not an answer.
    pub(super) fn reply(&self, line: &str) -> Option<QuestionAnswer> {
        let words = answer_words(line);
        let word = words.as_str();
        if matches!(word, "\\c" | "、c") {
            return Some(QuestionAnswer::Aside);
        }
        let in_general = yes_or_no(word);
        if let Self::Confirm(typed) = self
            && let Some(name) = typed.confirmed_by()
        {
            let is_named = |typed: &str| normal_name(typed) == name;
            return match line.trim() {
                line if is_named(line) || is_named(unquoted(line)) => Some(QuestionAnswer::Yes),
                _ if in_general == Some(false) => Some(QuestionAnswer::No),
                _ => None,
            };
        }
        match self {
            Self::Privacy(_) if PUBLIC.contains(&word) => Some(QuestionAnswer::Public),
            Self::Privacy(_) if PRIVATE.contains(&word) => Some(QuestionAnswer::Private),
            Self::Privacy(_) if in_general == Some(true) => None,
            // Begins like the third answer.
            Self::Paste(pasted) if pasted.may_be_one() && matches!(word, "ok" | "okay") => None,
            Self::Paste(_) if ONE.contains(&word) => Some(QuestionAnswer::One),
            _ if self.words_for_yes().contains(&word) => Some(QuestionAnswer::Yes),
            _ if in_general? => Some(QuestionAnswer::Yes),
            _ => Some(QuestionAnswer::No),
        }
    }

    /// Words of the question that mean yes.
    fn words_for_yes(&self) -> &'static [&'static str] {
        match self {
            Self::SendAsText(..) => SEND,
            Self::Delete(..) => DELETE,
            Self::Paste(pasted) if pasted.target.is_some() => EACH,
            Self::Paste(_) => RUN,
            Self::Confirm(_) | Self::Privacy(_) => &[],
        }
    }

    /// The conversation that it is about. Without this conversation the question has no object.
    fn target(&self) -> Option<Target> {
        match self {
            Self::SendAsText(target, _) | Self::Delete(target, _) => Some(target.clone()),
            Self::Confirm(typed) => typed.room().map(Target::Room),
            Self::Privacy(_) => None,
            Self::Paste(pasted) => pasted.target.clone(),
        }
    }
}

/// Questions about what is gone.
#[derive(Debug)]
pub(super) struct VoidQuestions {
    /// The newest is the last.
    pub(super) questions: Vec<Question>,
    /// Whether the newest open question is among them: then the one before it is to be asked again.
    pub(super) has_newest: bool,
}

/// How far the newest question is from an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum QuestionStage {
    /// It is not on the terminal yet: every key that arrives was typed before it.
    #[default]
    Unseen,
    /// It is on the terminal, and the edited line was begun before.
    Seen,
    /// It is on the terminal, and the edited line was begun after it or is empty.
    Ready,
}

/// The open questions. The newest is asked, and answered by a line that begins after the question was
/// shown; then the one before it is asked again.
#[derive(Debug, Default)]
pub(super) struct Questions {
    /// The newest is the last.
    open: Vec<Question>,
    stage: QuestionStage,
}

impl Questions {
    /// Asks a question. Returns the oldest one if there are too many. The same command is asked about
    /// once: an older question gives way to the new one.
    pub(super) fn ask(&mut self, question: Question) -> Option<Question> {
        if matches!(
            question,
            Question::Confirm(_) | Question::Privacy(_) | Question::Delete(..)
        ) {
            self.open.retain(|open| *open != question);
        }
        self.open.push(question);
        self.stage = QuestionStage::Unseen;
        (self.open.len() > OPEN).then(|| self.open.remove(0))
    }

    /// Whether the newest question still has to be shown.
    pub(super) fn is_unseen(&self) -> bool {
        !self.open.is_empty() && self.stage == QuestionStage::Unseen
    }

    /// The terminal shows the newest question, and no key that was typed before is unread.
    pub(super) fn shown(&mut self, line_is_empty: bool) {
        if self.stage == QuestionStage::Unseen {
            self.stage = QuestionStage::Seen;
        }
        self.edited(line_is_empty);
    }

    /// The edited line has changed.
    pub(super) fn edited(&mut self, line_is_empty: bool) {
        if line_is_empty && self.stage == QuestionStage::Seen {
            self.stage = QuestionStage::Ready;
        }
    }

    /// The question for the prompt. It is left out while a line is edited that cannot answer it.
    pub(super) fn to_show(&self, line_is_empty: bool) -> Option<&Question> {
        let newest = self.open.last();
        newest.filter(|_| line_is_empty || self.stage == QuestionStage::Ready)
    }

    /// The question that a line answers.
    pub(super) fn answerable(&self) -> Option<&Question> {
        self.open
            .last()
            .filter(|_| self.stage == QuestionStage::Ready)
    }

    /// The newest question. The one before it has to be shown again.
    pub(super) fn newest(&self) -> Option<&Question> {
        self.open.last()
    }

    /// Removes the newest question.
    pub(super) fn take(&mut self) -> Option<Question> {
        self.stage = QuestionStage::Unseen;
        self.open.pop()
    }

    /// Removes every question, the newest last.
    pub(super) fn take_all(&mut self) -> Vec<Question> {
        self.stage = QuestionStage::Unseen;
        std::mem::take(&mut self.open)
    }

    /// A target has another name: questions about it are about the same target.
    pub(super) fn rename(&mut self, was: &Target, now: &Target) {
        for question in &mut self.open {
            if question.target().as_ref() != Some(was) {
                continue;
            }
            let new = now.clone();
            match question {
                Question::SendAsText(target, _) | Question::Delete(target, _) => *target = new,
                Question::Paste(pasted) => pasted.target = Some(new),
                Question::Confirm(typed) => typed.rename(was, now),
                Question::Privacy(_) => {}
            }
        }
    }

    /// The conversations that the open questions are about.
    pub(super) fn targets(&self) -> impl Iterator<Item = Target> {
        self.open.iter().filter_map(Question::target)
    }

    /// Removes the questions about a conversation.
    pub(super) fn take_about(&mut self, target: &Target) -> VoidQuestions {
        self.take_those(|question| question.target().as_ref() == Some(target))
    }

    /// Removes the questions about conversations and messages that are gone.
    pub(super) fn take_void(
        &mut self,
        has: impl Fn(&Target) -> bool,
        is_deleted: impl Fn(u64) -> bool,
    ) -> VoidQuestions {
        self.take_those(|question| {
            let lacks_message = matches!(question, Question::Delete(_, id) if is_deleted(*id));
            lacks_message || question.target().is_some_and(|target| !has(&target))
        })
    }

    /// Removes the questions about messages, whose ids are void.
    pub(super) fn take_about_messages(&mut self) -> VoidQuestions {
        self.take_those(|question| matches!(question, Question::Delete(..)))
    }

    fn take_those(&mut self, is_void: impl Fn(&Question) -> bool) -> VoidQuestions {
        let is_void = &is_void;
        let has_newest = self.open.last().is_some_and(is_void);
        if has_newest {
            self.stage = QuestionStage::Unseen;
        }
        let (questions, open) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(is_void);
        self.open = open;
        VoidQuestions {
            questions,
            has_newest,
        }
    }
}
