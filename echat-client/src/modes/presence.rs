//! The coming and going of others, shown as noisily as the user wants it.

use std::collections::BTreeSet;

use super::Context;
use crate::render::styled::Line;
use crate::settings;
use crate::text::Text;

/// For how many seconds changes are gathered into one line.
const WHILE: u64 = 10;

/// Changes that are not shown yet.
#[derive(Debug, Default)]
pub(super) struct Presence {
    came: BTreeSet<String>,
    went: BTreeSet<String>,
    due: Option<u64>,
}

impl Presence {
    /// A user came online or went offline.
    pub(super) fn note(&mut self, name: &str, came: bool, context: &Context) -> Vec<Line> {
        if context.settings.config.presence == settings::Presence::Hide {
            return Vec::new();
        }
        let (here, there) = if came {
            (&mut self.came, &mut self.went)
        } else {
            (&mut self.went, &mut self.came)
        };
        // A user who went and came back causes no line.
        if !there.remove(name) {
            here.insert(name.to_owned());
        }
        if context.settings.config.presence == settings::Presence::Show {
            return self.flush(context);
        }
        self.due.get_or_insert(context.now + WHILE);
        Vec::new()
    }

    /// When there is something to show.
    pub(super) fn due(&self) -> Option<u64> {
        self.due
    }

    /// The changes, if it is time to show them.
    pub(super) fn tick(&mut self, context: &Context) -> Vec<Line> {
        let is_due = self.due.is_some_and(|due| context.now >= due);
        if is_due {
            self.flush(context)
        } else {
            Vec::new()
        }
    }

    /// All changes that are not shown yet.
    pub(super) fn flush(&mut self, context: &Context) -> Vec<Line> {
        self.due = None;
        let mut lines = Vec::new();
        let names = |set: &mut BTreeSet<String>| {
            let names: Vec<String> = std::mem::take(set).into_iter().collect();
            (!names.is_empty()).then(|| names.join(&context.language.say(Text::Comma)))
        };
        if let Some(names) = names(&mut self.came) {
            lines.push(context.dim(Text::CameOnline { names: &names }));
        }
        if let Some(names) = names(&mut self.went) {
            lines.push(context.dim(Text::WentOffline { names: &names }));
        }
        lines
    }
}
