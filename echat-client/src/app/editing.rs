//! Messages that the user changes: edits in the line, deletions.

use echat_proto::commands::Request;

use super::question::Question;
use super::{App, EditedMessage};
use crate::line_editor::Key;
use crate::modes::error_line;
use crate::session::{RequestContext, Said};
use crate::statement::{self, Scope, Statement};
use crate::target::Target;
use crate::text::Text;

impl App {
    /// Keys that mean something else while a message is edited, or that begin to edit one. Whether it was one.
    pub(super) fn edit_key(&mut self, key: &Key) -> bool {
        let Some(message) = self.draft.edited_message() else {
            return *key == Key::Up && self.edit_last();
        };
        let is_untouched = message.content == self.draft.contents().0;
        match key {
            Key::Esc => self.leave_edit(),
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

    /// Takes the user's last message of the open chat into the empty line. Whether there is one.
    fn edit_last(&mut self) -> bool {
        let Some(target) = self.mode.target().filter(|_| self.may_edit()) else {
            return false;
        };
        let conversation = self.context.session.conversation(target);
        let mut own = conversation
            .into_iter()
            .flat_map(|found| found.lines().rev());
        let Some(last) = own.find(|said| said.mine && !said.deleted) else {
            return false;
        };
        let message = EditedMessage::new(target.clone(), last);
        self.draft.edit(message);
        true
    }

    fn may_edit(&self) -> bool {
        let editor = self.draft.editor();
        self.context.settings.interactive
            && self.draft.is_empty()
            && editor.search().is_none()
            && !self.mode.is_secret()
            && self.open_question().is_none()
    }

    /// Esc, Ctrl-C: the message stays as it is.
    pub(super) fn leave_edit(&mut self) {
        match self.draft.end_edit() {
            Some(text) => self.say_not_edited(&text),
            None => self.say(Text::NothingEdited),
        }
    }

    /// Says that a changed text is not sent, and shows it.
    pub(super) fn say_not_edited(&mut self, text: &str) {
        self.say(Text::NothingEdited);
        let lines = self.context.refused_line(text);
        self.print(lines);
    }

    /// Enter, while a message is edited.
    pub(super) fn submit_edit(&mut self, message: EditedMessage, line: &str) {
        if line.trim().is_empty() {
            return self.say(Text::EditIsEmpty);
        }
        if line == message.content {
            return self.say(Text::NothingEdited);
        }
        let read = statement::parse(Scope::Chat, line);
        let text = match read {
            _ if statement::begins_with_slash(&message.content) => line.to_owned(),
            Ok(Statement::Say(text)) => text,
            Ok(Statement::Action(_)) | Err(_) => line.to_owned(),
            Ok(_) => return self.typed(line),
        };
        match self.context.session.limits().text(&message.target, &text) {
            Ok(_) => self.change_text(&message.target, message.id, &text),
            Err(excess) => {
                let why = self.context.excess(&excess);
                self.print(vec![error_line(&why)]);
                self.draft.edit_again(message, line);
            }
        }
    }

    /// Asks the server for another text of a message.
    pub(super) fn change_text(&mut self, target: &Target, id: u64, text: &str) {
        match self.context.session.limits().text(target, text) {
            Ok(content) => {
                let request = Request::EditMessage { id, content };
                let asked = RequestContext::of(&request);
                self.ask_aloud(request, asked);
            }
            Err(excess) => self.never(&excess),
        }
    }

    /// Deletes a message, on a terminal after a yes.
    pub(super) fn delete_message(&mut self, target: Target, said: Said) {
        if !self.context.settings.interactive {
            return self.delete_at_once(&said);
        }
        let question = Question::Delete(target, said);
        if self.questions.newest() != Some(&question) {
            self.ask_question(question);
        }
    }

    pub(super) fn delete_at_once(&mut self, said: &Said) {
        let request = Request::DeleteMessage { id: said.id };
        let asked = RequestContext::of(&request);
        self.ask_aloud(request, asked);
    }
}
