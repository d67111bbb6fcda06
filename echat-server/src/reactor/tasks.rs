//! What commands of the administration need besides the database. A thread reads and writes files, one task at a time in
//! the order of the commands; another one hashes passwords, which do not wait for a backup.

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
    /// What is shown, as it is.
    Page(&'static str, String),
    /// Why it was not done: a code, and a sentence.
    Failed(&'static str, String),
}

/// A task with its order.
struct Waiting {
    asker: Asker,
    task: Task,
    order: Applied,
}

/// A thread, and the tasks for it that are not done.
struct Lane {
    thread: HelperThread<Outcome>,
    current: Option<(Asker, Applied)>,
    waiting: VecDeque<Waiting>,
}

/// The tasks that are not done.
pub(super) struct Tasks {
    source: Source,
    hashes: Lane,
    files: Lane,
    /// Those that the loop does itself.
    own: VecDeque<Waiting>,
}

impl Tasks {
    pub(super) fn new(source: Source, waker: &Arc<Waker>) -> Self {
        Self {
            source,
            hashes: Lane::new(waker),
            files: Lane::new(waker),
            own: VecDeque::new(),
        }
    }

    /// Adds a task.
    pub(super) fn add(&mut self, asker: Asker, task: Task, order: Applied) {
        let queue = match task {
            Task::Hash(_) => &mut self.hashes.waiting,
            Task::Metrics | Task::Reload | Task::Drain(_) | Task::Quit => &mut self.own,
            Task::Backup(_) | Task::Verify(_) | Task::Check | Task::Export(..) => {
                &mut self.files.waiting
            }
        };
        queue.push_back(Waiting { asker, task, order });
    }

    /// Whether a task from this door is not done.
    pub(super) fn has(&self, asker: Asker) -> bool {
        self.hashes.has(asker)
            || self.files.has(asker)
            || self.own.iter().any(|own| own.asker == asker)
    }

    /// The next task that the loop does itself.
    pub(super) fn take_own(&mut self) -> Option<(Asker, Task, Applied)> {
        let Waiting { asker, task, order } = self.own.pop_front()?;
        Some((asker, task, order))
    }

    /// Begins the next task of each thread, and gives the outcome of one that is done. `now` is in unix seconds.
    pub(super) fn attend(&mut self, now: i64) -> Option<(Asker, Applied, Outcome)> {
        let hashed = self.hashes.attend(&self.source, now);
        hashed.or_else(|| self.files.attend(&self.source, now))
    }

    /// Whether the next round has something to do at once.
    pub(super) fn has_work(&self) -> bool {
        self.hashes.has_work() || self.files.has_work() || !self.own.is_empty()
    }
}

impl Lane {
    fn new(waker: &Arc<Waker>) -> Self {
        Self {
            thread: HelperThread::new("administration", waker),
            current: None,
            waiting: VecDeque::new(),
        }
    }

    fn has(&self, asker: Asker) -> bool {
        let current = self.current.as_ref().map(|(asker, _)| *asker);
        current == Some(asker) || self.waiting.iter().any(|waiting| waiting.asker == asker)
    }

    fn has_work(&self) -> bool {
        self.current.is_none() && !self.waiting.is_empty()
    }

    fn attend(&mut self, source: &Source, now: i64) -> Option<(Asker, Applied, Outcome)> {
        if self.current.is_none() {
            let Waiting { asker, task, order } = self.waiting.pop_front()?;
            let source = source.clone();
            let begun = self
                .thread
                .begin(move || run(task, &source, now), broken_off);
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
