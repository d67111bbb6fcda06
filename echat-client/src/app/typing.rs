//! What is typed: keys, whole lines, answers to questions.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::question::{PASTED_LINES_MAX, Pasted, Question, QuestionAnswer};
use super::{App, Effect, Input};
use crate::line_editor::{Key, KeyOutcome};
use crate::modes::{Goto, QUIT, error_line, plain};
use crate::render::safe::Safe;
use crate::render::styled::{Span, Style};
use crate::session::{Excess, Session};
use crate::statement::{self, Names, Scope, Statement, Substitution};
use crate::target::Target;
use crate::text::Text;

impl App {
    pub(super) fn key(&mut self, key: Key) {
        if self.edit_key(&key) {
            return self.questions.edited(self.draft.is_empty());
        }
        match self.draft.key(key) {
            KeyOutcome::None | KeyOutcome::Redraw => {}
            KeyOutcome::Submit(line) if self.draft.is_garbled(&line) => {
                self.draft.restore(&line, line.len());
                self.fail(Text::NotTextHere);
            }
            KeyOutcome::Submit(line) => {
                let line = Zeroizing::new(line);
                self.draft.submit();
                match self.draft.take_edit() {
                    Some(message) => self.submit_edit(message, &line),
                    None => self.typed(&line),
                }
                self.give_back(&line);
            }
            KeyOutcome::Complete => self.complete(false),
            KeyOutcome::CompletePrevious => self.complete(true),
            KeyOutcome::PasteOfLines(lines)
                if lines.iter().any(|line| self.draft.is_garbled(line)) =>
            {
                self.fail(Text::NotTextHere);
            }
            KeyOutcome::PasteOfLines(lines) if self.draft.edited_message().is_some() => {
                self.draft.insert(&lines.join("\n"));
            }
            KeyOutcome::PasteOfLines(lines) => self.ask_about_paste(lines),
            KeyOutcome::ClearScreen => self.output.push(Effect::ClearScreen),
            KeyOutcome::EndOfInput => self.leave(),
            KeyOutcome::Interrupt => self.interrupt(),
        }
        self.draft.edited();
        self.questions.edited(self.draft.is_empty());
    }

    /// Whether a question waits for [`Input::Shown`].
    pub fn has_unseen_question(&self) -> bool {
        self.questions.is_unseen()
    }

    /// The terminal shows the newest question, and no key that was typed before is unread.
    pub(super) fn shown(&mut self) {
        self.questions.shown(self.draft.is_empty());
    }

    /// A line without a terminal. A script does not read answers before it writes the next line, so
    /// each line waits for the answers to those before it.
    pub(super) fn line(&mut self, line: Zeroizing<String>) {
        self.input.push(line);
    }

    /// Takes lines of input, as long as there is nothing to wait for.
    pub(super) fn take_lines(&mut self) {
        while !self.is_over
            && self.may_go_on()
            && !self.awaits_login()
            && let Some(line) = self.input.take()
        {
            self.draft.submit();
            let number = self.input.line_number();
            self.context.line_number = Some(number).filter(|_| !self.context.settings.interactive);
            self.submit(&line);
            self.context.line_number = None;
            self.give_back(&line);
        }
    }

    fn may_go_on(&self) -> bool {
        self.context.settings.interactive || self.has_all()
    }

    /// Whether everything that was asked for has come.
    fn has_all(&self) -> bool {
        self.requests.is_done()
            && self.context.pending() == 0
            && (self.connection.is_online() || !self.login.is_wanted())
            && !self.sending.is_loading()
    }

    /// Whether the next line is a password.
    pub fn is_secret(&self) -> bool {
        self.mode.is_secret()
    }

    /// Whether the mode only asks, so that the next line is an answer.
    pub fn is_asking(&self) -> bool {
        self.mode.scope().is_none()
    }

    /// Whether more lines may come: lines that are not taken yet are kept in memory.
    pub fn wants_input(&self) -> bool {
        self.context.settings.interactive || self.input.has_room()
    }

    pub(super) fn typed(&mut self, line: &str) {
        self.try_at_once(line);
        self.echo(line);
        if let Some(question) = self.open_question().cloned() {
            match question.reply(line) {
                Some(QuestionAnswer::Aside) => {
                    self.put_questions_aside();
                    if !self.context.signed_in {
                        self.go(Goto::Command);
                    }
                    return;
                }
                Some(reply) => {
                    self.questions.take();
                    self.answer(question, reply);
                    return self.ask_newest();
                }
                None if !self.is_meant_beside_question(line) => {
                    return self.ask_again(&question, line.trim().is_empty());
                }
                None => {
                    self.questions.take();
                    self.not_sent(question);
                    self.ask_newest();
                }
            }
        }
        self.enter(line);
    }

    /// Whether a line that does not answer the open question is still carried out: a command, `quit`, or a
    /// text that begins with `//`. Any other text may be a misspelt answer, and is not sent.
    fn is_meant_beside_question(&self, line: &str) -> bool {
        let Some(scope) = self.mode.scope() else {
            return true;
        };
        let is_command = statement::parse(scope, line)
            .is_ok_and(|statement| !matches!(statement, Statement::Say(_)));
        is_command
            || self.way_in(line).is_some()
            || line.trim() == QUIT
            || statement::begins_with_two_slashes(line)
    }

    /// Where `login` and `register` lead in a mode that requires a login, while there is none: after a
    /// takeover the chat is still open. Elsewhere they are no commands, or command mode reads them.
    fn way_in(&self, line: &str) -> Option<Goto> {
        let requires_login = matches!(self.mode.scope(), Some(Scope::Contact | Scope::Chat));
        let is_logged_out = !self.context.signed_in && self.context.settings.interactive;
        if !requires_login || !is_logged_out {
            return None;
        }
        match statement::parse(Scope::Command, line) {
            Ok(Statement::Login) => Some(Goto::Login(None)),
            Ok(Statement::Register) => Some(Goto::Register),
            _ => None,
        }
    }

    /// Repeats the question. The line is not repeated: it may be a password.
    fn ask_again(&mut self, question: &Question, is_empty: bool) {
        if !is_empty {
            self.say(Text::NotAnAnswer);
        }
        self.say_question(question);
    }

    /// Does what a line says; what would be answered by what is not known before the login waits
    /// for that.
    fn enter(&mut self, line: &str) {
        if let Some(place) = self.way_in(line) {
            return self.go(place);
        }
        if !self.awaits_login() || self.is_free(line) {
            return self.submit(line);
        }
        if self.input.has_room() {
            self.input.push(Zeroizing::new(line.to_owned()));
            self.say(Text::WaitsForLogin);
        } else {
            self.say(self.context.please_wait());
        }
    }

    /// Whether a login is under way and nothing of its user is known yet.
    fn awaits_login(&self) -> bool {
        !self.connection.is_online() && self.login.is_of_new_user()
    }

    /// Whether a line means the same before and after the login.
    fn is_free(&self, line: &str) -> bool {
        let Some(scope) = self.mode.scope() else {
            return true;
        };
        match statement::parse(scope, line) {
            Ok(Statement::Ask(typed)) => !typed.needs_login(),
            Ok(statement) => matches!(
                statement,
                Statement::Help | Statement::Back | Statement::Quit | Statement::Query
            ),
            Err(_) => true,
        }
    }

    /// Drops the lines that were typed before a login that failed.
    pub(super) fn drop_held(&mut self) {
        if self.context.settings.interactive && !self.input.is_empty() {
            let count = self.input.clear();
            self.fail(Text::HeldDropped { count });
        }
    }

    pub(super) fn submit(&mut self, line: &str) {
        let acts = self.mode.submit(line, &self.context);
        self.act(acts);
    }

    /// Leaves what was typed above the prompt; not a password, not what a chat shows anyway, and not what does
    /// not answer the open question.
    fn echo(&mut self, line: &str) {
        let answers = |question: &Question| question.reply(line).is_some();
        let is_text = matches!(
            statement::parse(Scope::Chat, line),
            Ok(Statement::Say(_) | Statement::Action(_) | Statement::Reply(..))
        );
        let is_answer = self.open_question().is_some_and(answers);
        let is_command = !is_text || is_answer || self.way_in(line).is_some();
        let is_misspelt =
            self.open_question().is_some() && !is_answer && !self.is_meant_beside_question(line);
        if line.is_empty()
            || is_misspelt
            || !self.context.settings.echoes
            || (self.mode.target().is_some() && !is_command)
        {
            return;
        }
        let mut echo = self.prompt();
        if !self.mode.is_secret() {
            let text = Safe::line(line);
            echo.0.push(Span {
                text,
                style: Style::Dim,
            });
        }
        self.print(vec![echo]);
    }

    fn answer(&mut self, question: Question, reply: QuestionAnswer) {
        match (question, reply) {
            (Question::Confirm(typed), QuestionAnswer::Yes) => self.ask_typed(typed),
            (Question::Privacy(typed), QuestionAnswer::Public) => {
                self.ask_typed(typed.with_privacy(false));
            }
            (Question::Privacy(typed), QuestionAnswer::Private) => {
                self.ask_typed(typed.with_privacy(true));
            }
            (Question::Delete(_, said), QuestionAnswer::Yes) => self.delete_at_once(&said),
            (Question::SendAsText(target, text), QuestionAnswer::Yes) => {
                self.send_line(target, &text);
                self.give_back(&text);
            }
            (Question::Paste(pasted), QuestionAnswer::Yes) if !pasted.may_be_each() => {
                self.refuse_count(&pasted);
                self.not_sent(Question::Paste(pasted));
            }
            (Question::Paste(pasted), QuestionAnswer::Yes) => {
                let lines = pasted.said().cloned().collect();
                self.paste(pasted, lines);
            }
            (Question::Paste(pasted), QuestionAnswer::One) => {
                let lines = vec![pasted.as_one()];
                self.paste(pasted, lines);
            }
            (question, _) => self.not_sent(question),
        }
    }

    /// Asks a question, unless too many are open: then the oldest is put aside.
    pub(super) fn ask_question(&mut self, question: Question) {
        self.say_question(&question);
        if let Some(oldest) = self.questions.ask(question) {
            self.not_sent(oldest);
        }
    }

    /// Asks again what is open once the question after it is closed.
    pub(super) fn ask_newest(&mut self) {
        if let Some(question) = self.questions.newest().cloned() {
            self.say_question(&question);
        }
    }

    fn say_question(&mut self, question: &Question) {
        self.say(match question {
            Question::Confirm(typed) => {
                let question = typed.question(self.context.language);
                let (question, _) = question.unwrap_or_default();
                return self.print(vec![plain(&question)]);
            }
            Question::Privacy(typed) => {
                let room = typed.room().unwrap_or_default();
                return self.say(Text::PublicOrPrivate { room: &room });
            }
            Question::Delete(_, said) => {
                let mut lines = vec![self.context.line(Text::DeleteQuestion)];
                lines.extend(self.context.message(said));
                return self.print(lines);
            }
            Question::SendAsText(_, line) if statement::begins_with_slash(line) => {
                Text::UnknownSlash { line }
            }
            Question::SendAsText(_, line) if Substitution::read(line).is_some() => {
                Text::NothingToReplace { line: line.trim() }
            }
            Question::SendAsText(_, line) => match statement::parse(Scope::Contact, line) {
                Ok(Statement::Ask(typed)) if typed.command().words() == "y" => {
                    Text::AcceptOrSend { line: line.trim() }
                }
                Ok(Statement::Ask(typed)) if typed.command().words() == "n" => {
                    Text::DeclineOrSend { line: line.trim() }
                }
                _ => Text::LooksLikeCommand { line },
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
    pub(super) fn put_questions_aside(&mut self) {
        for question in self.questions.take_all() {
            self.not_sent(question);
        }
    }

    /// What was asked about is not done. What was typed before a paste is there again, unless another
    /// line is under edition.
    pub(super) fn not_sent(&mut self, question: Question) {
        match &question {
            Question::Confirm(typed) => {
                let declined = typed.declined(self.context.language);
                self.print(vec![plain(&declined.unwrap_or_default())]);
            }
            Question::Privacy(typed) => {
                let room = typed.room().unwrap_or_default();
                self.say(Text::NotCreated { room: &room });
            }
            Question::Delete(..) => self.say(Text::NotDeleted),
            _ => self.say(Text::NotSent),
        }
        if let Question::Paste(Pasted { typed, .. }) = question {
            self.draft.restore(&typed.0, typed.1);
        }
    }

    pub(super) fn ask_about_paste(&mut self, mut lines: Vec<String>) {
        // Where one name is asked for, several lines are no answer.
        if self.mode.scope().is_none() {
            return self.draft.insert(&lines[0]);
        }
        let (text, cursor) = self.draft.contents();
        let typed = (text.to_owned(), cursor);
        // One line is here only because it is too long for the edited line.
        if let ([line], Some(target)) = (&lines[..], self.mode.target())
            && let Err(excess) = self.context.session.limits().text(target, line)
        {
            return self.fail_to_paste(&excess);
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
            target: self.mode.target().cloned(),
            lines,
            typed,
            limits: self.context.session.limits(),
        };
        match pasted.excess() {
            None => {}
            Some(Excess::Text { bytes, limit, .. }) => {
                return self.fail(Text::PasteTooLong {
                    bytes: bytes as u64,
                    limit: limit as u64,
                });
            }
            Some(excess) => return self.fail_to_paste(&excess),
        }
        if !pasted.may_be_each() && !pasted.may_be_one() {
            return self.refuse_count(&pasted);
        }
        self.draft.clear();
        self.ask_question(Question::Paste(pasted));
    }

    /// Lines that came faster than a person types. As long as they are commands, or answers where one
    /// is asked for after the other, each is typed: by a script, or by a password manager. From the
    /// first on that is a text, they are a paste.
    pub(super) fn lines(&mut self, text: &str) -> Vec<Effect> {
        let is_garbled = self.draft.garbles();
        let mut effects = Vec::new();
        let mut rest = text;
        self.begin_batch();
        while let Some((line, more)) = rest.split_once('\n')
            && (!is_several(rest) || self.is_asking() || self.is_command_with(line))
        {
            if is_garbled {
                self.draft.garble();
            }
            effects.extend(self.step(Input::Key(Key::Paste(line.to_owned()))));
            effects.extend(self.step(Input::Key(Key::Enter)));
            rest = more;
        }
        if !rest.is_empty() {
            if is_garbled {
                self.draft.garble();
            }
            effects.extend(self.step(Input::Key(Key::Paste(rest.to_owned()))));
        }
        effects.extend(self.end_batch());
        effects
    }

    /// Whether the edited line is a command of the mode, with this behind the cursor.
    fn is_command_with(&self, inserted: &str) -> bool {
        let (text, cursor) = self.draft.contents();
        let (before, after) = text.split_at(cursor);
        let line = [before, inserted, after].concat();
        self.mode.scope().is_some_and(|scope| {
            let read = statement::parse(scope, &line);
            read.is_ok_and(|statement| !matches!(statement, Statement::Say(_)))
        })
    }

    /// Says that pasted lines are too many to be sent one by one.
    fn refuse_count(&mut self, pasted: &Pasted) {
        self.fail(Text::PasteTooMany {
            count: pasted.count() as u64,
            limit: PASTED_LINES_MAX as u64,
        });
    }

    /// Pasted lines were confirmed: in a chat they are text, whatever they look like. All of them are
    /// sent, or none. A command that is refused returns to the editor.
    fn paste(&mut self, pasted: Pasted, lines: Vec<String>) {
        let limits = self.context.session.limits();
        let refusal = pasted.target.as_ref().and_then(|target| {
            let mut checked = lines.iter().map(|line| limits.text(target, line));
            checked.find_map(Result::err)
        });
        if let Some(excess) = refusal {
            self.fail_to_paste(&excess);
            return self.not_sent(Question::Paste(pasted));
        }
        for line in lines {
            self.draft.submit();
            match &pasted.target {
                Some(target) => self.send_line(target.clone(), &line),
                None => self.enter(&line),
            }
            self.give_back(&line);
        }
    }

    fn fail_to_paste(&mut self, excess: &Excess) {
        let why = self.context.excess(excess);
        self.print(vec![error_line(&why)]);
    }

    /// Ctrl-C: out of a question, and out of a mode that only asks.
    fn interrupt(&mut self) {
        if self.draft.edited_message().is_some() {
            return self.leave_edit();
        }
        self.draft.clear();
        self.drop_held();
        let is_asking = self.questions.newest().is_some();
        self.put_questions_aside();
        if self.mode.scope().is_none() {
            let back = self.mode.back();
            self.go(back);
        } else if !is_asking {
            self.say(Text::HowToLeave);
        }
    }

    /// Tab.
    fn complete(&mut self, backwards: bool) {
        let Some(scope) = self.mode.words() else {
            return;
        };
        let (session, open) = (&self.context.session, self.mode.target());
        self.draft.complete(backwards, |line| {
            let target = statement::addressee(scope, line).map(Target::normal);
            let names = names(session, target.as_ref().or(open));
            statement::complete(scope, line, &names)
        });
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
