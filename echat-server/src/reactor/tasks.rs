//! What commands of the administration need besides the database. A thread reads and writes files, one task at a time in
//! the order of the commands; another one hashes passwords, which do not wait for a backup.

use crate::backup::{self, BackupSource};
use crate::engine::{AdminReport, AdminTask, PendingOperation};
use crate::maintenance;
use crate::secrets::PasswordHash;
use crate::workers::{HelperThread, jobs};
use mio::Waker;
use std::collections::VecDeque;
use std::sync::Arc;

/// The sender of a command, which gets the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requester {
    /// The server's own terminal.
    Terminal,
    /// The client of the socket in this place, with this number.
    Ctl(u16, u64),
}

/// The result of a task.
pub(super) enum TaskOutcome {
    /// The hash of a password.
    Hashed(PasswordHash),
    /// It is done.
    Done(AdminReport),
    /// Why it was not done: a code, and a sentence.
    Failed(&'static str, String),
}

/// A task that waits for its thread.
struct QueuedTask {
    requester: Requester,
    task: AdminTask,
    operation: PendingOperation,
}

/// A thread, and the tasks that wait for it.
struct TaskThread {
    thread: HelperThread<TaskOutcome>,
    current: Option<(Requester, PendingOperation)>,
    waiting: VecDeque<QueuedTask>,
}

/// The tasks that are not done.
pub(super) struct Tasks {
    source: BackupSource,
    hashes: TaskThread,
    files: TaskThread,
    /// Those that the loop does itself.
    own: VecDeque<QueuedTask>,
}

impl Tasks {
    pub(super) fn new(source: BackupSource, waker: &Arc<Waker>) -> Self {
        Self {
            source,
            hashes: TaskThread::new(waker),
            files: TaskThread::new(waker),
            own: VecDeque::new(),
        }
    }

    /// Adds a task.
    pub(super) fn add(
        &mut self,
        requester: Requester,
        task: AdminTask,
        operation: PendingOperation,
    ) {
        let queue = match task {
            AdminTask::Hash(_) => &mut self.hashes.waiting,
            AdminTask::Metrics | AdminTask::Reload | AdminTask::Drain(_) | AdminTask::Quit => {
                &mut self.own
            }
            AdminTask::Backup(_)
            | AdminTask::Verify(_)
            | AdminTask::Check
            | AdminTask::Statistics
            | AdminTask::Export(..) => &mut self.files.waiting,
        };
        queue.push_back(QueuedTask {
            requester,
            task,
            operation,
        });
    }

    /// Drops the tasks of a requester that is gone. One that has begun goes on.
    pub(super) fn forget(&mut self, requester: Requester) {
        for queue in [&mut self.hashes.waiting, &mut self.files.waiting] {
            queue.retain(|waiting| waiting.requester != requester);
        }
    }

    /// Whether a task of this requester is not done.
    pub(super) fn has(&self, requester: Requester) -> bool {
        self.hashes.has(requester)
            || self.files.has(requester)
            || self.own.iter().any(|own| own.requester == requester)
    }

    /// The next task that the loop does itself.
    pub(super) fn take_own(&mut self) -> Option<(Requester, AdminTask, PendingOperation)> {
        let QueuedTask {
            requester,
            task,
            operation,
        } = self.own.pop_front()?;
        Some((requester, task, operation))
    }

    /// Begins the next task of each thread, and gives the outcome of one that is done. `now` is in unix seconds.
    pub(super) fn next_outcome(
        &mut self,
        now: i64,
    ) -> Option<(Requester, PendingOperation, TaskOutcome)> {
        let hashed = self.hashes.next_outcome(&self.source, now);
        hashed.or_else(|| self.files.next_outcome(&self.source, now))
    }

    /// Whether the next round has something to do at once.
    pub(super) fn has_work(&self) -> bool {
        self.hashes.has_work() || self.files.has_work() || !self.own.is_empty()
    }
}

impl TaskThread {
    fn new(waker: &Arc<Waker>) -> Self {
        Self {
            thread: HelperThread::new("administration", waker),
            current: None,
            waiting: VecDeque::new(),
        }
    }

    fn has(&self, requester: Requester) -> bool {
        let current = self.current.as_ref().map(|(requester, _)| *requester);
        current == Some(requester)
            || self
                .waiting
                .iter()
                .any(|waiting| waiting.requester == requester)
    }

    fn has_work(&self) -> bool {
        self.current.is_none() && !self.waiting.is_empty()
    }

    fn next_outcome(
        &mut self,
        source: &BackupSource,
        now: i64,
    ) -> Option<(Requester, PendingOperation, TaskOutcome)> {
        if self.current.is_none() {
            let QueuedTask {
                requester,
                task,
                operation,
            } = self.waiting.pop_front()?;
            let source = source.clone();
            let begun = self
                .thread
                .begin(move || run(task, &source, now), broken_off);
            if let Err(error) = begun {
                let outcome = TaskOutcome::Failed("storage_busy", format!("no thread: {error}"));
                return Some((requester, operation, outcome));
            }
            self.current = Some((requester, operation));
        }
        let outcome = self.thread.outcome()?;
        let (requester, operation) = self.current.take()?;
        Some((requester, operation, outcome))
    }
}

fn broken_off() -> TaskOutcome {
    TaskOutcome::Failed("failed", "The task was broken off by a bug.".to_owned())
}

fn run(task: AdminTask, source: &BackupSource, now: i64) -> TaskOutcome {
    if let AdminTask::Hash(password) = &task {
        return match jobs::hash_once(password) {
            Ok(hash) => TaskOutcome::Hashed(hash),
            Err(error) => TaskOutcome::Failed("failed", error.to_string()),
        };
    }
    backup::give_way();
    match maintenance::beside(task, source, now) {
        Ok(report) => TaskOutcome::Done(report),
        Err((code, text)) => TaskOutcome::Failed(code, text),
    }
}
