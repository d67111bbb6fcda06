//! The effects of a step, in order.

use super::Effect;
use crate::render::styled::Line;

/// The effects that a step has collected, and the title of the window.
#[derive(Debug, Default)]
pub(super) struct Output {
    effects: Vec<Effect>,
    title: String,
}

impl Output {
    /// Adds an effect.
    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Shows lines; lines that directly follow one another are one effect.
    pub(super) fn print(&mut self, lines: Vec<Line>) {
        match self.effects.last_mut() {
            Some(Effect::Print(before)) => before.extend(lines),
            _ => self.effects.push(Effect::Print(lines)),
        }
    }

    /// Whether lines are shown.
    pub(super) fn prints(&self) -> bool {
        let is_print = |effect: &Effect| matches!(effect, Effect::Print(_));
        self.effects.iter().any(is_print)
    }

    /// Names the window, if it has another name.
    pub(super) fn name_window(&mut self, title: String) {
        if title != self.title {
            self.title.clone_from(&title);
            self.effects.push(Effect::Title(title));
        }
    }

    /// Another program may have named the window.
    pub(super) fn forget_title(&mut self) {
        self.title.clear();
    }

    /// Takes the effects.
    pub(super) fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}
