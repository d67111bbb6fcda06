//! What commands of the administration need besides the database. A thread reads and writes files, one task at a time
//! in the order of the commands; another one hashes passwords, which do not wait for a backup.

use crate::backup::{self, BackupSource};
use crate::engine::{AdminReport, AdminTask, FileTask, LoopTask, PendingOperation};
use crate::maintenance::{self, FolderView};
use crate::secrets::PasswordHash;
use crate::workers::{HelperThread, jobs};
use echat_proto::names::Password;
use mio::Waker;
use std::collections::VecDeque;
use std::sync::Arc;

/// The code of a command for which the server has no thread or slot now.
pub(super) const BUSY: &str = "busy";

/// The sender of a command, which gets the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requester {
    /// The server's own terminal.
    Terminal,
    /// The client of the socket in this slot, with this number.
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

/// A task that is not begun.
pub(super) struct QueuedTask<T> {
    pub(super) requester: Requester,
    pub(super) task: T,
    pub(super) operation: PendingOperation,
}

/// A thread, and the tasks that wait for it.
struct TaskThread<T> {
    thread: HelperThread<TaskOutcome>,
    current: Option<(Requester, PendingOperation)>,
    waiting: VecDeque<QueuedTask<T>>,
}

/// The tasks that are not done.
pub(super) struct Tasks {
    hashes: TaskThread<Password>,
    /// With how the requester sees the folder of the file, if that is known.
    files: TaskThread<(FileTask, Option<FolderView>)>,
    /// Those that the loop does itself.
    own: VecDeque<QueuedTask<LoopTask>>,
}

impl Tasks {
    pub(super) fn new(waker: &Arc<Waker>) -> Self {
        Self {
            hashes: TaskThread::new("admin-hash", waker),
            files: TaskThread::new("admin-files", waker),
            own: VecDeque::new(),
        }
    }

    /// Adds a task. `folder` is how the requester sees the folder of its file, if that is known.
    pub(super) fn add(
        &mut self,
        requester: Requester,
        task: AdminTask,
        folder: Option<FolderView>,
        operation: PendingOperation,
    ) {
        match task {
            AdminTask::Hash(password) => self.hashes.add(requester, password, operation),
            AdminTask::Files(task) => self.files.add(requester, (task, folder), operation),
            AdminTask::Loop(task) => self.own.push_back(QueuedTask {
                requester,
                task,
                operation,
            }),
        }
    }

    /// Drops the tasks of a requester that is gone. One that has begun goes on.
    pub(super) fn forget(&mut self, requester: Requester) {
        self.hashes.forget(requester);
        self.files.forget(requester);
    }

    /// Whether a task of this requester is not done.
    pub(super) fn has(&self, requester: Requester) -> bool {
        self.hashes.has(requester)
            || self.files.has(requester)
            || self.own.iter().any(|own| own.requester == requester)
    }

    /// The next task that the loop does itself.
    pub(super) fn take_own(&mut self) -> Option<QueuedTask<LoopTask>> {
        self.own.pop_front()
    }

    /// Begins the next task of each thread, and gives the outcome of one that is done. `source` is what a backup is
    /// made of, `now` in unix seconds.
    pub(super) fn next_outcome(
        &mut self,
        source: &BackupSource,
        now: i64,
    ) -> Option<(Requester, PendingOperation, TaskOutcome)> {
        let hashed = self.hashes.next_outcome(|password| move || hash(&password));
        hashed.or_else(|| {
            self.files.next_outcome(|task| {
                let source = source.clone();
                move || perform(task, &source, now)
            })
        })
    }

    /// Whether the next round has something to do at once.
    pub(super) fn has_work(&self) -> bool {
        self.hashes.has_work() || self.files.has_work() || !self.own.is_empty()
    }
}

impl<T> TaskThread<T> {
    fn new(name: &'static str, waker: &Arc<Waker>) -> Self {
        Self {
            thread: HelperThread::new(name, waker),
            current: None,
            waiting: VecDeque::new(),
        }
    }

    fn add(&mut self, requester: Requester, task: T, operation: PendingOperation) {
        self.waiting.push_back(QueuedTask {
            requester,
            task,
            operation,
        });
    }

    fn has(&self, requester: Requester) -> bool {
        let current = self.current.as_ref().map(|(requester, _)| *requester);
        current == Some(requester)
            || self
                .waiting
                .iter()
                .any(|waiting| waiting.requester == requester)
    }

    fn forget(&mut self, requester: Requester) {
        self.waiting
            .retain(|waiting| waiting.requester != requester);
    }

    fn has_work(&self) -> bool {
        self.current.is_none() && !self.waiting.is_empty()
    }

    /// Begins the next task as the job that `job` makes of it, and gives the outcome of one that is done.
    fn next_outcome<J>(
        &mut self,
        job: impl FnOnce(T) -> J,
    ) -> Option<(Requester, PendingOperation, TaskOutcome)>
    where
        J: FnOnce() -> TaskOutcome + Send + 'static,
    {
        if self.current.is_none() {
            let QueuedTask {
                requester,
                task,
                operation,
            } = self.waiting.pop_front()?;
            if let Err(error) = self.thread.begin(job(task), broken_off) {
                let outcome = TaskOutcome::Failed(BUSY, format!("no thread: {error}"));
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

fn hash(password: &Password) -> TaskOutcome {
    match jobs::hash_once(password) {
        Ok(hash) => TaskOutcome::Hashed(hash),
        Err(error) => TaskOutcome::Failed("failed", error.to_string()),
    }
}

fn perform(
    (task, folder): (FileTask, Option<FolderView>),
    source: &BackupSource,
    now: i64,
) -> TaskOutcome {
    backup::lower_priority();
    match maintenance::perform_task(task, folder, source, now) {
        Ok(report) => TaskOutcome::Done(report),
        Err((code, text)) => TaskOutcome::Failed(code, text),
    }
}
