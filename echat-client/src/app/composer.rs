//! The composer: what is typed and not carried out yet. It joins the edited line and the open questions, which block
//! nothing: a line answers a question only if the question was shown before the line was begun.

use std::collections::BTreeSet;

use super::Effect;
use super::common::Common;
use super::draft::{Draft, EditedMessage};
use super::question::{
    PASTED_LINES_MAX, Pasted, Question, QuestionAnswer, Questions, VoidQuestions,
};
use crate::line_editor::{Key, KeyOutcome, LINE_MAX, LineEditor};
use crate::modes::{Goto, Mode, QUIT, error_line, plain, recall_own};
use crate::secret::Secret;
use crate::session::{LimitError, Post, Session};
use crate::statement::{self, Names, Scope, Statement, Substitution};
use crate::target::Target;
use crate::text::Text;

/// So many words are listed that Tab could make of one.
const CANDIDATES_SHOWN: usize = 40;

/// What a key submits.
#[derive(Debug)]
pub(super) enum Submitted {
    /// Nothing.
    Nothing,
    /// A line.
    Line(Secret),
    /// Another text of a message.
    Edit {
        /// The message as it is.
        message: EditedMessage,
        /// Its new text.
        text: String,
    },
    /// Up in the empty line of this chat, in which no message of the user's is remembered.
    EditLast(Target),
    /// Ctrl-C, outside of an edited message.
    Interrupt,
    /// Ctrl-D in an empty line.
    EndOfInput,
}

/// How a line meets the open question.
#[derive(Debug)]
pub(super) enum QuestionOutcome {
    /// There is no question, or the line is carried out beside it.
    None,
    /// An answer to this question, which is closed.
    Answer(Question, QuestionAnswer),
    /// Neither: the question was asked again.
    Misspelt,
}

/// The edited line and the open questions.
#[derive(Debug)]
pub(super) struct Composer {
    draft: Draft,
    questions: Questions,
}

impl Composer {
    /// An empty line, and no question.
    pub(super) fn new() -> Self {
        Self {
            draft: Draft::new(),
            questions: Questions::default(),
        }
    }

    /// The edited line.
    pub(super) fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The line editor, to look at.
    pub(super) fn editor(&self) -> &LineEditor {
        self.draft.editor()
    }

    /// A key. What it submits, to be followed by [`Composer::settle`]: a line that is submitted does not answer a
    /// question only because it leaves the line empty.
    pub(super) fn key(&mut self, common: &mut Common, mode: &dyn Mode, key: Key) -> Submitted {
        if self.edit_key(common, mode, &key) {
            return Submitted::Nothing;
        }
        if key == Key::Up
            && let Some(target) = mode.target().filter(|_| self.may_edit(common, mode))
            && recall_own(target, &common.context).is_some()
        {
            return Submitted::EditLast(target.clone());
        }
        match self.draft.key(key) {
            // An emptied line is an ordinary one: what is typed next is no other text for the message.
            KeyOutcome::None | KeyOutcome::Redraw
                if self.draft.edited_message().is_some() && self.draft.is_empty() =>
            {
                self.leave_edit(common);
            }
            KeyOutcome::None | KeyOutcome::Redraw => {}
            KeyOutcome::Submit(line) if self.draft.is_garbled(&line) => {
                self.draft.restore(&line, line.len());
                common.fail(Text::NotTextHere);
            }
            KeyOutcome::Submit(line) => {
                self.draft.submit();
                return match self.draft.take_edit() {
                    Some(message) => self.submit_edit(common, message, line),
                    None => Submitted::Line(line),
                };
            }
            KeyOutcome::Complete => self.complete(common, mode, false),
            KeyOutcome::CompletePrevious => self.complete(common, mode, true),
            KeyOutcome::PasteOfLines(lines)
                if lines.iter().any(|line| self.draft.is_garbled(line)) =>
            {
                common.fail(Text::NotTextHere);
            }
            KeyOutcome::PasteOfLines(lines) if self.draft.edited_message().is_some() => {
                self.insert(common, &lines.join("\n"));
            }
            KeyOutcome::PasteOfLines(lines) => self.ask_about_paste(common, mode, lines),
            KeyOutcome::ClearScreen => common.output.push(Effect::ClearScreen),
            KeyOutcome::EndOfInput => return Submitted::EndOfInput,
            KeyOutcome::Interrupt if self.draft.edited_message().is_some() => {
                self.leave_edit(common);
            }
            KeyOutcome::Interrupt => {
                self.draft.clear();
                return Submitted::Interrupt;
            }
        }
        Submitted::Nothing
    }

    /// The line has changed: an empty one is not garbled, and may answer the question on the terminal.
    pub(super) fn settle(&mut self) {
        self.draft.edited();
        self.questions.edited(self.draft.is_empty());
    }

    /// The keys that come now contain bytes that are not text.
    pub(super) fn garble(&mut self) {
        self.draft.garble();
    }

    /// A line is submitted, and not refused yet.
    pub(super) fn submit(&mut self) {
        self.draft.submit();
    }

    /// The submitted line can never be accepted.
    pub(super) fn refuse(&mut self) {
        self.draft.refuse();
    }

    /// Prepares the editor for a mode.
    pub(super) fn adapt(&mut self, mode: &dyn Mode) {
        let history = mode.history().unwrap_or("");
        self.draft.adapt(mode.is_secret(), history);
    }

    /// Takes a message into the line, which is empty or has the command that asks for this.
    pub(super) fn edit(&mut self, target: Target, post: &Post) {
        self.draft.edit(EditedMessage::new(target, post));
    }

    /// A message is edited no longer. Says so if its text was changed.
    pub(super) fn end_edit(&mut self, common: &mut Common) {
        if let Some(text) = self.draft.end_edit() {
            Self::say_not_edited(common, &text);
        }
    }

    /// Whether a question is open.
    pub(super) fn has_question(&self) -> bool {
        self.questions.newest().is_some()
    }

    /// Whether a question waits for [`Input::Shown`](super::Input::Shown).
    pub(super) fn has_unseen_question(&self) -> bool {
        self.questions.is_unseen()
    }

    /// The question for the prompt.
    pub(super) fn question_to_show(&self) -> Option<&Question> {
        self.questions.to_show(self.draft.is_empty())
    }

    /// The terminal shows the newest question, and no key that was typed before is unread.
    pub(super) fn shown(&mut self) {
        self.questions.shown(self.draft.is_empty());
    }

    /// Compares a line with the open question.
    pub(super) fn reply(
        &mut self,
        common: &mut Common,
        mode: &dyn Mode,
        line: &str,
    ) -> QuestionOutcome {
        let Some(question) = self.open_question(mode).cloned() else {
            return QuestionOutcome::None;
        };
        match question.reply(line) {
            Some(QuestionAnswer::Aside) => {
                self.put_questions_aside(common);
                QuestionOutcome::Answer(question, QuestionAnswer::Aside)
            }
            Some(answer) => {
                self.questions.take();
                QuestionOutcome::Answer(question, answer)
            }
            None if !Self::is_meant_beside_question(common, mode, line) => {
                // The line is not repeated: it may be a password.
                if !line.trim().is_empty() {
                    common.say(Text::NotAnAnswer);
                }
                Self::say_question(common, &question);
                QuestionOutcome::Misspelt
            }
            None => {
                self.questions.take();
                self.not_sent(common, question);
                self.ask_newest(common);
                QuestionOutcome::None
            }
        }
    }

    /// A target has another name.
    pub(super) fn rename(&mut self, was: &Target, now: &Target) {
        self.questions.rename(was, now);
    }

    /// The session has changed: closes the questions about what is gone, and brings the message under edit up to date.
    pub(super) fn revise(&mut self, common: &mut Common) {
        let session = &common.context.session;
        let is_deleted = |id| session.message(id).is_some_and(|(_, post)| post.deleted);
        let void = self
            .questions
            .take_void(|target| session.has(target), is_deleted);
        self.close(common, void);
        let Some(message) = self.draft.edited_message() else {
            return;
        };
        let now = common.context.session.message(message.id);
        let Some((_, now)) = now.filter(|(_, now)| now.content != message.content) else {
            return;
        };
        let (now, before) = (now.clone(), message.content.clone());
        if now.deleted {
            self.end_edit(common);
            self.draft.forget_text(&before, |_| false);
        } else {
            self.draft.edit_from(&now.content);
        }
    }

    /// A message of the user's does not have this text any more: it is not brought back by Up, Ctrl-R, undo or Ctrl-Y.
    pub(super) fn forget_text(&mut self, text: &str) {
        self.draft
            .forget_text(text, |line| statement::sends(line, text));
    }

    /// The ids of messages are void: no message is edited, and no question is about one.
    pub(super) fn forget_messages(&mut self, common: &mut Common) {
        self.end_edit(common);
        let void = self.questions.take_about_messages();
        self.close(common, void);
    }

    /// The conversations that questions are about.
    pub(super) fn targets(&self) -> impl Iterator<Item = Target> {
        self.questions.targets()
    }

    /// A conversation is gone: closes the questions about it, since its name may be another one's.
    pub(super) fn close_about(&mut self, common: &mut Common, target: &Target) {
        let void = self.questions.take_about(target);
        self.close(common, void);
    }

    fn close(&mut self, common: &mut Common, void: VoidQuestions) {
        for question in void.questions {
            // A room that is left needs no sentence about leaving it, and a deleted message none about deleting it.
            let is_moot = match &question {
                Question::Confirm(_) => true,
                Question::Delete(_, id) => {
                    let message = common.context.session.message(*id);
                    message.is_some_and(|(_, post)| post.deleted)
                }
                _ => false,
            };
            if !is_moot {
                self.not_sent(common, question);
            }
        }
        if void.has_newest {
            self.ask_newest(common);
        }
    }

    /// Whether a line is to be left above the prompt: not what a chat shows anyway, and not what does not answer the
    /// open question.
    pub(super) fn is_echoed(&self, common: &Common, mode: &dyn Mode, line: &str) -> bool {
        let is_text = matches!(
            statement::parse(Scope::Chat, line),
            Ok(Statement::Say(_) | Statement::Action(_) | Statement::Reply(..))
        );
        let question = self.open_question(mode);
        let is_answer = question.is_some_and(|question| question.reply(line).is_some());
        let is_command = !is_text || is_answer || Self::way_in(common, mode, line).is_some();
        let is_misspelt =
            question.is_some() && !is_answer && !Self::is_meant_beside_question(common, mode, line);
        !line.is_empty()
            && !is_misspelt
            && common.context.settings.echoes
            && (mode.target().is_none() || is_command)
    }

    /// Divides lines that came faster than a person types: the first of them, if it is typed rather than pasted.
    pub(super) fn typed_line<'a>(
        &self,
        mode: &dyn Mode,
        text: &'a str,
    ) -> Option<(&'a str, &'a str)> {
        let is_typed = |line: &str| {
            !is_several(text) || mode.scope().is_none() || self.is_command_with(mode, line)
        };
        text.split_once('\n').filter(|(line, _)| is_typed(line))
    }

    /// The question that the next line answers, if it is an answer. What is asked for in a mode without
    /// commands is no answer.
    fn open_question(&self, mode: &dyn Mode) -> Option<&Question> {
        let answerable = self.questions.answerable();
        answerable.filter(|_| mode.scope().is_some())
    }

    /// Whether a line that does not answer the open question is still carried out: a command, or a
    /// text that begins with `//`. Any other text may be a misspelt answer, and is not sent.
    fn is_meant_beside_question(common: &Common, mode: &dyn Mode, line: &str) -> bool {
        let Some(scope) = mode.scope() else {
            return true;
        };
        let is_command = statement::parse(scope, line)
            .is_ok_and(|statement| !matches!(statement, Statement::Say(_)));
        is_command
            || Self::way_in(common, mode, line).is_some()
            || statement::begins_with_two_slashes(line)
    }

    /// Where `login` and `register` lead in a mode that requires a login, while there is none: after a
    /// takeover the chat is still open. Elsewhere they are no commands, or command mode reads them.
    pub(super) fn way_in(common: &Common, mode: &dyn Mode, line: &str) -> Option<Goto> {
        let requires_login = matches!(mode.scope(), Some(Scope::Contact | Scope::Chat));
        let is_logged_out = !common.context.signed_in && common.is_interactive();
        if !requires_login || !is_logged_out {
            return None;
        }
        match statement::parse(Scope::Command, line) {
            Ok(Statement::Login) => Some(Goto::Login(None)),
            Ok(Statement::Register) => Some(Goto::Register),
            _ => None,
        }
    }

    /// Asks a question, unless it is the newest already.
    pub(super) fn ask_once(&mut self, common: &mut Common, question: Question) {
        if self.questions.newest() != Some(&question) {
            self.ask_question(common, question);
        }
    }

    /// Asks a question, unless too many are open: then the oldest is put aside.
    pub(super) fn ask_question(&mut self, common: &mut Common, question: Question) {
        Self::say_question(common, &question);
        if let Some(oldest) = self.questions.ask(question) {
            self.not_sent(common, oldest);
        }
    }

    /// Asks again what is open once the question after it is closed.
    pub(super) fn ask_newest(&mut self, common: &mut Common) {
        if let Some(question) = self.questions.newest().cloned() {
            Self::say_question(common, &question);
        }
    }

    fn say_question(common: &mut Common, question: &Question) {
        common.say(match question {
            Question::Confirm(typed) => {
                let question = typed.question(common.context.language);
                let (question, _) = question.unwrap_or_default();
                return common.print(vec![plain(&question)]);
            }
            Question::Privacy(typed) => {
                let room = typed.room().unwrap_or_default();
                return common.say(Text::PublicOrPrivate { room: &room });
            }
            Question::Delete(_, id) => {
                let mut lines = vec![common.context.line(Text::DeleteQuestion)];
                if let Some((_, post)) = common.context.session.message(*id) {
                    lines.extend(common.context.message(post));
                }
                return common.print(lines);
            }
            Question::SendAsText(_, line) if statement::begins_with_slash(line) => {
                Text::UnknownSlash { line }
            }
            Question::SendAsText(_, line) if Substitution::read(line).is_some() => {
                Text::NothingToReplace { line: line.trim() }
            }
            Question::SendAsText(_, line) if line.trim() == QUIT => Text::QuitOrSend,
            Question::SendAsText(_, line) => match statement::parse(Scope::Contact, line) {
                Ok(Statement::Ask(typed)) if typed.command().words() == "y" => {
                    Text::AcceptOrSend { line: line.trim() }
                }
                Ok(Statement::Ask(typed)) if typed.command().words() == "n" => {
                    Text::DeclineOrSend { line: line.trim() }
                }
                _ => match statement::slash_form(line) {
                    Some(way) => {
                        let (line, way) = (line.trim(), way.as_str());
                        return common.say(Text::SlashOrSend { line, way });
                    }
                    None => Text::LooksLikeCommand { line },
                },
            },
            Question::Paste(pasted) => {
                let count = pasted.count() as u64;
                let limit = PASTED_LINES_MAX as u64;
                match pasted.target {
                    _ if !pasted.may_be_each() => Text::PasteOne { count, limit },
                    Some(_) if pasted.may_be_one() => Text::Paste { count },
                    Some(_) => Text::PasteEach { count },
                    None => Text::PasteOfCommands { count },
                }
            }
        });
    }

    /// Closes every question unanswered: Ctrl-C or `\c` at a question, a logout, the end.
    pub(super) fn put_questions_aside(&mut self, common: &mut Common) {
        for question in self.questions.take_all() {
            self.not_sent(common, question);
        }
    }

    /// What was asked about is not done. What was typed before a paste is there again, unless another
    /// line is under edition.
    pub(super) fn not_sent(&mut self, common: &mut Common, question: Question) {
        match &question {
            Question::Confirm(typed) => {
                let declined = typed.declined(common.context.language);
                common.print(vec![plain(&declined.unwrap_or_default())]);
            }
            Question::Privacy(typed) => {
                let room = typed.room().unwrap_or_default();
                common.say(Text::NotCreated { room: &room });
            }
            Question::Delete(..) => common.say(Text::NotDeleted),
            _ => common.say(Text::NotSent),
        }
        if let Question::Paste(Pasted { typed, .. }) = question {
            self.draft.restore(&typed.0, typed.1);
        }
    }

    /// Inserts what was pasted, or says that it is too long.
    fn insert(&mut self, common: &mut Common, pasted: &str) {
        if let Err(bytes) = self.draft.insert(pasted) {
            common.fail(Text::PasteTooLong {
                bytes: bytes as u64,
                limit: LINE_MAX as u64,
            });
        }
    }

    pub(super) fn ask_about_paste(
        &mut self,
        common: &mut Common,
        mode: &dyn Mode,
        mut lines: Vec<String>,
    ) {
        // Where one name is asked for, several lines are no answer.
        if mode.scope().is_none() {
            return self.insert(common, &lines[0]);
        }
        let (text, cursor) = self.draft.contents();
        let typed = (text.to_owned(), cursor);
        // One line is here only because it is too long for the edited line.
        if let ([line], Some(target)) = (&lines[..], mode.target())
            && let Err(error) = common.context.session.limits().text(target, line)
        {
            return Self::fail_to_paste(common, &error);
        }
        if lines.iter().all(|line| line.trim().is_empty()) {
            return;
        }
        let (before, after) = typed.0.split_at(typed.1);
        lines[0].insert_str(0, before);
        if let Some(last) = lines.last_mut() {
            last.push_str(after);
        }
        let pasted = Pasted {
            target: mode.target().cloned(),
            lines,
            typed,
            limits: common.context.session.limits(),
        };
        match pasted.limit_error() {
            None => {}
            Some(LimitError::Text { bytes, limit, .. }) => {
                return common.fail(Text::PasteTooLong {
                    bytes: bytes as u64,
                    limit: limit as u64,
                });
            }
            Some(error) => return Self::fail_to_paste(common, &error),
        }
        if !pasted.may_be_each() && !pasted.may_be_one() {
            return Self::refuse_count(common, &pasted);
        }
        self.draft.clear();
        self.ask_question(common, Question::Paste(pasted));
    }

    /// Whether the edited line is a command of the mode, with this behind the cursor.
    fn is_command_with(&self, mode: &dyn Mode, inserted: &str) -> bool {
        let (text, cursor) = self.draft.contents();
        let (before, after) = text.split_at(cursor);
        let line = [before, inserted, after].concat();
        mode.scope().is_some_and(|scope| {
            let read = statement::parse(scope, &line);
            read.is_ok_and(|statement| !matches!(statement, Statement::Say(_)))
        })
    }

    /// Says that pasted lines are too many to be sent one by one.
    pub(super) fn refuse_count(common: &mut Common, pasted: &Pasted) {
        common.fail(Text::PasteTooMany {
            count: pasted.count() as u64,
            limit: PASTED_LINES_MAX as u64,
        });
    }

    pub(super) fn fail_to_paste(common: &mut Common, error: &LimitError) {
        let why = common.context.limit_sentence(error);
        common.print(vec![error_line(&why)]);
    }

    /// Tab. What there is to choose from is listed once.
    fn complete(&mut self, common: &mut Common, mode: &dyn Mode, backwards: bool) {
        let Some(scope) = mode.words() else {
            return;
        };
        let (session, open) = (&common.context.session, mode.target());
        let choices = self.draft.complete(backwards, |line| {
            let target = statement::addressee(scope, line).map(Target::normal);
            let names = names(session, target.as_ref().or(open));
            statement::complete(scope, line, &names)
        });
        if choices.is_empty() {
            return;
        }
        let (shown, rest) = choices.split_at(choices.len().min(CANDIDATES_SHOWN));
        let shown: Vec<&str> = shown.iter().map(|choice| choice.trim()).collect();
        let mut lines = vec![plain(&format!("  {}", shown.join("  ")))];
        let count = rest.len() as u64;
        lines.extend((count > 0).then(|| common.context.line(Text::MoreCandidates { count })));
        common.print(lines);
    }

    /// Keys that mean something else while a message is edited, or that begin to edit one. Whether it was one.
    fn edit_key(&mut self, common: &mut Common, mode: &dyn Mode, key: &Key) -> bool {
        let Some(message) = self.draft.edited_message() else {
            return *key == Key::Up && self.edit_last(common, mode);
        };
        let is_untouched = message.content == self.draft.contents().0;
        match key {
            Key::Esc => self.leave_edit(common),
            // The next key up is in the history.
            Key::Up | Key::Down | Key::Ctrl('p' | 'n') if is_untouched => {
                self.draft.end_edit();
                return false;
            }
            Key::Up | Key::Down | Key::Ctrl('p' | 'n' | 'r') => {}
            _ => return false,
        }
        true
    }

    /// Takes the user's last message of the open chat into the empty line, or says that it is still pending. Whether
    /// there is one.
    fn edit_last(&mut self, common: &mut Common, mode: &dyn Mode) -> bool {
        let Some(target) = mode.target().filter(|_| self.may_edit(common, mode)) else {
            return false;
        };
        if let Some(number) = common.context.pending_number(target) {
            common.say(Text::LastIsPending { number });
            return true;
        }
        let conversation = common.context.session.conversation(target);
        let mut own = conversation
            .into_iter()
            .flat_map(|found| found.lines().rev());
        let Some(last) = own.find(|post| post.mine && !post.deleted) else {
            return false;
        };
        let message = EditedMessage::new(target.clone(), last);
        self.draft.edit(message);
        true
    }

    /// Up: the line before this one, from the history.
    pub(super) fn recall_line(&mut self) {
        self.draft.key(Key::Up);
    }

    /// Whether a message may be taken into the line, which is empty.
    pub(super) fn may_edit(&self, common: &Common, mode: &dyn Mode) -> bool {
        let editor = self.draft.editor();
        common.is_interactive()
            && self.draft.is_empty()
            && editor.search().is_none()
            && !mode.is_secret()
            && self.open_question(mode).is_none()
    }

    /// Esc, Ctrl-C: the message stays as it is.
    fn leave_edit(&mut self, common: &mut Common) {
        match self.draft.end_edit() {
            Some(text) => Self::say_not_edited(common, &text),
            None => common.say(Text::NothingEdited),
        }
    }

    /// Says that a changed text is not sent, and shows it.
    fn say_not_edited(common: &mut Common, text: &str) {
        common.say(Text::NothingEdited);
        let lines = common.context.refused_line(text);
        common.print(lines);
    }

    /// Enter, while a message is edited: what the line is.
    fn submit_edit(
        &mut self,
        common: &mut Common,
        message: EditedMessage,
        line: Secret,
    ) -> Submitted {
        if line.trim().is_empty() {
            common.say(Text::EditIsEmpty);
            return Submitted::Nothing;
        }
        if *line == message.content {
            common.say(Text::NothingEdited);
            return Submitted::Nothing;
        }
        let read = statement::parse(Scope::Chat, &line);
        let text = match read {
            _ if statement::begins_with_slash(&message.content) => line.to_string(),
            Ok(Statement::Say(text)) => text,
            Ok(Statement::Action(_)) | Err(_) => line.to_string(),
            Ok(_) => return Submitted::Line(line),
        };
        match common.context.session.limits().text(&message.target, &text) {
            Ok(_) => Submitted::Edit { message, text },
            Err(error) => {
                let why = common.context.limit_sentence(&error);
                common.print(vec![error_line(&why)]);
                self.draft.edit_again(message, &line);
                Submitted::Nothing
            }
        }
    }

    /// Goes on with an edit whose text was not taken.
    pub(super) fn edit_again(&mut self, message: EditedMessage, text: &str) {
        self.draft.edit_again(message, text);
    }

    /// Puts what can never be accepted into the edited line again, if that is empty. It is
    /// edited here on every terminal, with `--plain` too.
    pub(super) fn give_back(&mut self, common: &Common, mode: &dyn Mode, line: &str) {
        let may_be_edited = common.is_interactive() && !mode.is_secret();
        self.draft.restore_refused(line, may_be_edited);
    }
}

/// Whether a text has a line behind the end of another.
fn is_several(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
}

/// Names for completion: those of recent conversations first, then by the alphabet. In a text to a room
/// they are its members, the latest speakers first; in a text to a friend the friend.
fn names(session: &Session, target: Option<&Target>) -> Names {
    let (mut users, mut rooms, mut here) = (List::default(), List::default(), List::default());
    for (recent, _) in session.recent() {
        match recent {
            Target::Friend(name) => users.add(name),
            Target::Room(name) => rooms.add(name),
        }
    }
    match target {
        Some(Target::Friend(name)) => here.add(name),
        Some(Target::Room(room)) => session.members(room).for_each(|name| here.add(name)),
        None => {}
    }
    for name in session.friends().keys() {
        users.add(name);
        here.add(name);
    }
    // To ask back is to accept.
    session.pending().iter().for_each(|name| users.add(name));
    session.rooms().iter().for_each(|name| rooms.add(name));
    Names {
        users: users.names,
        rooms: rooms.names,
        askers: session.pending().to_vec(),
        invited: session
            .invitations()
            .iter()
            .map(|invitation| invitation.roomname.clone())
            .collect(),
        here: here.names,
    }
}

/// Names in order, each once.
#[derive(Default)]
struct List<'a> {
    names: Vec<String>,
    known: BTreeSet<&'a str>,
}

impl<'a> List<'a> {
    fn add(&mut self, name: &'a str) {
        if self.known.insert(name) {
            self.names.push(name.to_owned());
        }
    }
}
