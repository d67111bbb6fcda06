//! The edited line: its editor, the completion under way, and whether it may be sent as it is.

use crate::line_editor::{Completer, Key, KeyOutcome, LINE_MAX, LineEditor};
use crate::session::Post;
use crate::statement::Completion;
use crate::target::Target;

/// A message of the user's that the line takes the place of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EditedMessage {
    /// Where it was said.
    pub(super) target: Target,
    /// Its id.
    pub(super) id: u64,
    /// Its text.
    pub(super) content: String,
}

impl EditedMessage {
    pub(super) fn new(target: Target, post: &Post) -> Self {
        Self {
            target,
            id: post.id,
            content: post.content.clone(),
        }
    }
}

/// The edited line.
#[derive(Debug)]
pub(super) struct Draft {
    editor: LineEditor,
    completer: Option<Completer>,
    /// Whether the line contains bytes that were not text, as replacement characters.
    is_garbled: bool,
    /// Whether the line that was submitted was refused, so that it is to be edited.
    is_refused: bool,
    /// The message that Enter changes.
    message: Option<EditedMessage>,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            editor: LineEditor::new(),
            completer: None,
            is_garbled: false,
            is_refused: false,
            message: None,
        }
    }

    /// The line editor, to look at.
    pub(super) fn editor(&self) -> &LineEditor {
        &self.editor
    }

    /// Whether nothing is typed.
    pub(super) fn is_empty(&self) -> bool {
        self.editor.text().is_empty()
    }

    /// The line, and the byte that the cursor stands at.
    pub(super) fn contents(&self) -> (&str, usize) {
        (self.editor.text(), self.editor.cursor())
    }

    /// A key.
    pub(super) fn key(&mut self, key: Key) -> KeyOutcome {
        self.editor.handle(key)
    }

    /// The keys that come now contain bytes that are not text.
    pub(super) fn garble(&mut self) {
        self.is_garbled = true;
    }

    /// Whether a part of the draft has such bytes.
    pub(super) fn is_garbled(&self, line: &str) -> bool {
        self.is_garbled && line.contains(char::REPLACEMENT_CHARACTER)
    }

    /// Whether the keys of this step are garbled, to garble those of the next one too.
    pub(super) fn garbles(&self) -> bool {
        self.is_garbled
    }

    /// A key was handled: an empty line is not garbled.
    pub(super) fn edited(&mut self) {
        self.is_garbled &= !self.is_empty();
    }

    /// A line is submitted, and not refused yet.
    pub(super) fn submit(&mut self) {
        self.is_refused = false;
    }

    /// The submitted line can never be accepted.
    pub(super) fn refuse(&mut self) {
        self.is_refused = true;
    }

    /// Puts the submitted line into the editor again if it was refused and may be edited. A line that
    /// was typed since stays.
    pub(super) fn restore_refused(&mut self, line: &str, may_be_edited: bool) {
        let is_refused = std::mem::take(&mut self.is_refused);
        if is_refused && may_be_edited {
            self.restore(line, line.len());
        }
    }

    /// Puts a line into the editor again, unless another one was started.
    pub(super) fn restore(&mut self, line: &str, cursor: usize) {
        if self.is_empty() {
            self.editor.set(line, cursor);
        }
    }

    /// The message that Enter changes, if it changes one.
    pub(super) fn edited_message(&self) -> Option<&EditedMessage> {
        self.message.as_ref()
    }

    /// Takes a message into the line, which is empty or has the command that asks for this.
    pub(super) fn edit(&mut self, message: EditedMessage) {
        let text = &message.content;
        self.editor.set(text, text.len());
        self.message = Some(message);
    }

    /// Gives a submitted line that cannot be the message back.
    pub(super) fn edit_again(&mut self, message: EditedMessage, line: &str) {
        self.editor.set(line, line.len());
        self.message = Some(message);
    }

    /// The line is an ordinary one again, and empty. The text as it was changed, if it was.
    pub(super) fn end_edit(&mut self) -> Option<String> {
        let message = self.message.take()?;
        let text = self.editor.text().to_owned();
        self.editor.clear();
        (text != message.content && !text.trim().is_empty()).then_some(text)
    }

    /// The message under edit has this text now, by another session of the user. A line that was not touched has it
    /// too.
    pub(super) fn edit_from(&mut self, text: &str) {
        let Some(message) = &mut self.message else {
            return;
        };
        let is_untouched = self.editor.text() == message.content;
        let before = std::mem::replace(&mut message.content, text.to_owned());
        if is_untouched {
            self.editor.set(text, text.len());
        }
        self.editor.forget_text(&before, |_| false);
    }

    /// Forgets a text that a message of the user's had, where the user could bring it back: in the lines that `sends`
    /// it says send it, in what undo and Ctrl-Y keep.
    pub(super) fn forget_text(&mut self, text: &str, sends: impl Fn(&str) -> bool) {
        self.editor.forget_text(text, sends);
    }

    /// The line was submitted as the message. What it changes.
    pub(super) fn take_edit(&mut self) -> Option<EditedMessage> {
        self.message.take()
    }

    /// Inserts text at the cursor. The bytes that the line would have, if they are more than [`LINE_MAX`]: then it
    /// stays as it is.
    pub(super) fn insert(&mut self, text: &str) -> Result<(), usize> {
        let (cursor, bytes) = (self.editor.cursor(), self.editor.text().len() + text.len());
        if bytes > LINE_MAX {
            return Err(bytes);
        }
        self.editor.replace(cursor..cursor, text);
        Ok(())
    }

    /// Empties the line.
    pub(super) fn clear(&mut self) {
        self.editor.clear();
    }

    /// Prepares the editor for a mode: a password is masked, and each mode has a history of its own.
    pub(super) fn adapt(&mut self, is_secret: bool, history: &'static str) {
        self.editor.masked(is_secret);
        self.editor.use_history(history);
    }

    /// Tab goes on with the completion that it began, as long as nothing else was typed; otherwise it begins with what
    /// `find` finds for the line up to the cursor. What there is to choose from, when the choice begins.
    pub(super) fn complete(
        &mut self,
        backwards: bool,
        find: impl FnOnce(&str) -> Completion,
    ) -> Vec<String> {
        let (line, cursor) = (self.editor.text(), self.editor.cursor());
        let current = self.completer.take();
        let current = current.filter(|completer| completer.continues(line, cursor));
        self.completer = current.or_else(|| {
            let found = find(&line[..cursor]);
            Completer::start(line, found.from..cursor, found.candidates)
        });
        let Some(completer) = &mut self.completer else {
            return Vec::new();
        };
        let choices = completer.choices().unwrap_or_default().to_vec();
        let (range, text) = if backwards {
            completer.backward()
        } else {
            completer.forward()
        };
        self.editor.replace(range, &text);
        choices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Draft {
        let mut draft = Draft::new();
        draft.key(Key::Paste(text.into()));
        draft
    }

    #[test]
    fn a_refused_line_returns_once_and_never_overwrites_a_draft() {
        let mut draft = typed("");
        draft.submit();
        draft.restore_refused("one", true);
        assert!(draft.is_empty(), "it was not refused");
        draft.refuse();
        draft.restore_refused("one", true);
        assert_eq!(draft.contents(), ("one", 3));
        draft.refuse();
        draft.restore_refused("two", true);
        assert_eq!(draft.contents(), ("one", 3));
        draft.clear();
        draft.restore_refused("one", true);
        assert!(draft.is_empty(), "once");
    }

    #[test]
    fn a_line_is_garbled_until_it_is_empty() {
        let mut draft = typed("a\u{fffd}");
        assert!(!draft.is_garbled("a\u{fffd}"), "a sign that was typed");
        draft.garble();
        draft.edited();
        assert!(draft.is_garbled("a\u{fffd}") && !draft.is_garbled("a"));
        draft.clear();
        draft.edited();
        assert!(!draft.is_garbled("a\u{fffd}"));
    }
}
