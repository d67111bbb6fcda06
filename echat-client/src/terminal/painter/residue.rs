//! Rows of earlier prompts that have left the screen at its top, out of reach.
//!
//! A prompt that becomes higher than its screen loses its first rows to the scrollback. They come back
//! when the window grows, and are erased then. Only whole rows are erased: a row that the terminal has
//! divided stays one line until all of it is in reach.

use crate::render::view::Row;

/// More rows than this are not followed: what is above them is history.
const FOLLOWED_MAX: usize = 500;

/// The rows from the first row of an earlier prompt to the prompt of now, from top to bottom.
#[derive(Clone, Debug, Default)]
pub(super) struct Residue {
    rows: Vec<(Row, Owner)>,
}

/// What a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Prompt,
    Message,
}

/// What is to be erased on the screen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ErasePlan {
    /// Rows of the screen, from top to bottom, down to the prompt of now.
    pub(super) runs: Vec<(usize, Owner)>,
    /// The rows of the prompt of now above the cursor's.
    pub(super) above: usize,
    /// The rows at the top of the screen that end a row which begins above it, where nothing but prompts
    /// follows: they are moved out of sight.
    pub(super) tail: usize,
}

impl Residue {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn forget(&mut self) {
        self.rows.clear();
    }

    /// A row of a message was put above the prompt.
    pub(super) fn message(&mut self, row: &Row) {
        if self.rows.len() >= FOLLOWED_MAX {
            self.rows.clear();
        }
        if !self.rows.is_empty() {
            self.rows.push((row.clone(), Owner::Message));
        }
    }

    /// What to erase when the cursor is `reach` rows below the top of the screen. `prompt` are the rows of
    /// the prompt of now above the cursor's row, and `within` is how many rows the cursor's row has
    /// above the cursor. `height` is how many rows of the screen a row takes, if that is certain.
    pub(super) fn plan(
        &mut self,
        prompt: &[Row],
        within: usize,
        reach: usize,
        height: impl Fn(&Row) -> Option<usize>,
    ) -> ErasePlan {
        let mut plan = ErasePlan {
            above: within.min(reach),
            ..ErasePlan::default()
        };
        let mut left = reach - plan.above;
        let followed = self.rows.len();
        let ours = prompt.iter().map(|row| (row.clone(), Owner::Prompt));
        self.rows.extend(ours);
        if within > reach {
            // The cursor's row itself begins above the screen.
            self.rows.clear();
            return plan;
        }
        let mut kept = self.rows.len();
        while let Some((row, owner)) = kept.checked_sub(1).map(|at| &self.rows[at]) {
            let Some(rows) = height(row) else {
                self.rows.drain(..kept);
                kept = 0;
                break;
            };
            if rows > left {
                if *owner == Owner::Prompt && plan.runs.iter().all(|run| run.1 == Owner::Prompt) {
                    plan.tail = left;
                }
                break;
            }
            left -= rows;
            kept -= 1;
            if kept >= followed {
                plan.above += rows;
            } else {
                plan.runs.insert(0, (rows, *owner));
            }
        }
        let mut at = 0;
        self.rows.retain(|(_, owner)| {
            at += 1;
            at <= kept || *owner == Owner::Message
        });
        if self.rows.iter().all(|(_, owner)| *owner == Owner::Message) {
            self.rows.clear();
        }
        plan
    }
}
