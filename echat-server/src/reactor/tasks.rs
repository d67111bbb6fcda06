//! What commands of the administration need besides the database: a thread for what waits for the disk or takes long, one
//! task at a time in the order of the commands.

use crate::backup::{self, Source};
use crate::engine::{AdministrationTask as Task, Applied};
use crate::maintenance;
use crate::workers::{HelperThread, jobs};
use mio::Waker;
use std::collections::VecDeque;
use std::sync::Arc;

/// The door that a command came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// The server's own terminal.
    Terminal,
    /// The client of the socket in this place, with this number.
    Ctl(usize, u64),
}

/// What a task came to.
pub(super) enum Outcome {
    /// The hash of a password.
    Hashed(String),
    /// What was done, in a line.
    Done(String),
    /// Why it was not done: a code, and a sentence.
    Failed(&'static str, String),
}

/// A task of the thread with its order.
struct Waiting {
    asker: Asker,
    task: Task,
    order: Applied,
}

/// The tasks that are not done.
pub(super) struct Tasks {
    thread: HelperThread<Outcome>,
    source: Source,
    current: Option<(Asker, Applied)>,
    waiting: VecDeque<Waiting>,
}

impl Tasks {
    pub(super) fn new(source: Source, waker: &Arc<Waker>) -> Self {
        Self {
            thread: HelperThread::new("administration", waker),
            source,
            current: None,
            waiting: VecDeque::new(),
        }
    }

    /// Adds a task.
    pub(super) fn add(&mut self, asker: Asker, task: Task, order: Applied) {
        self.waiting.push_back(Waiting { asker, task, order });
    }

    /// Whether a task from this door is not done.
    pub(super) fn has(&self, asker: Asker) -> bool {
        let mut waiting = self.waiting.iter().map(|waiting| waiting.asker);
        let current = self.current.as_ref().map(|(asker, _)| *asker);
        current == Some(asker) || waiting.any(|other| other == asker)
    }

    /// The next task that the loop does itself.
    pub(super) fn take_own(&mut self) -> Option<(Asker, Task, Applied)> {
        let is_own = |waiting: &Waiting| {
            matches!(waiting.task, Task::Reload | Task::Drain(_) | Task::Quit)
        };
        let at = self.waiting.iter().position(is_own)?;
        let Waiting { asker, task, order } = self.waiting.remove(at)?;
        Some((asker, task, order))
    }

    /// Begins the next task of the thread, and gives the outcome of the last one. `now` is in unix seconds.
    pub(super) fn attend(&mut self, now: i64) -> Option<(Asker, Applied, Outcome)> {
        if self.current.is_none() {
            let Waiting { asker, task, order } = self.waiting.pop_front()?;
            let source = self.source.clone();
            let begun = self.thread.begin(move || run(task, &source, now), broken_off);
            if let Err(error) = begun {
                let outcome = Outcome::Failed("storage_busy", format!("no thread: {error}"));
                return Some((asker, order, outcome));
            }
            self.current = Some((asker, order));
        }
        let outcome = self.thread.outcome()?;
        let (asker, order) = self.current.take()?;
        Some((asker, order, outcome))
    }

    /// Whether the next round has something to do at once.
    pub(super) fn has_work(&self) -> bool {
        self.current.is_none() && !self.waiting.is_empty()
    }
}

fn broken_off() -> Outcome {
    Outcome::Failed("failed", "The task was broken off by a bug.".to_owned())
}

fn run(task: Task, source: &Source, now: i64) -> Outcome {
    if let Task::Hash(password) = &task {
        return match jobs::hash_once(password) {
            Ok(hash) => Outcome::Hashed(hash),
            Err(error) => Outcome::Failed("failed", error.to_string()),
        };
    }
    backup::give_way();
    match maintenance::beside(task, source, now) {
        Ok(text) => Outcome::Done(text),
        Err((code, text)) => Outcome::Failed(code, text),
    }
}
