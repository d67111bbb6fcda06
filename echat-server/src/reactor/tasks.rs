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
/// The code of a command that is not carried out, since its requester is gone and its result is shown once.
const CALLER_GONE: &str = "caller_gone";

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
    /// Whether the requester of the current task is gone.
    is_forgotten: bool,
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

    /// Drops the tasks of a requester that is gone. One that has begun goes on, but a password that was
    /// hashed is not set: it could not be shown.
    pub(super) fn forget(&mut self, requester: Requester) {
        self.hashes.forget(requester);
        self.files.forget(requester);
    }

    /// Whether a task of this requester is not done that a thread does.
    pub(super) fn waits_for_a_thread(&self, requester: Requester) -> bool {
        self.hashes.has(requester) || self.files.has(requester)
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
            is_forgotten: false,
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

    fn is_current(&self, requester: Requester) -> bool {
        self.current.as_ref().map(|(current, _)| *current) == Some(requester)
    }

    fn has(&self, requester: Requester) -> bool {
        self.is_current(requester)
            || self
                .waiting
                .iter()
                .any(|waiting| waiting.requester == requester)
    }

    fn forget(&mut self, requester: Requester) {
        self.is_forgotten |= self.is_current(requester);
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
            self.is_forgotten = false;
        }
        let outcome = match self.thread.outcome()? {
            TaskOutcome::Hashed(_) if self.is_forgotten => {
                let why = "The caller is gone, so the password could not be shown.";
                TaskOutcome::Failed(CALLER_GONE, why.to_owned())
            }
            outcome => outcome,
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Now;
    use crate::config::Limits;
    use crate::engine::{AdminAnswer, Engine};
    use crate::handlers::administration::RawArguments;
    use crate::storage::Store;
    use echat_proto::names::Username;
    use mio::{Events, Poll, Token};
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use std::path::PathBuf;
    use std::time::Duration;

    const NOW: Now = Now {
        running: Duration::ZERO,
        unix: 1,
    };

    #[test]
    fn a_password_that_no_requester_would_see_is_not_set() {
        let mut store = Store::in_memory().unwrap();
        let mut batch = store.batch();
        let ann = Username::new("ann").unwrap();
        batch.create_user(&ann, "phc", 1).unwrap().unwrap();
        let _receipt = batch.commit().unwrap();
        let mut engine = Engine::new(Limits::default(), store, StdRng::seed_from_u64(1));
        let mut poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
        let source = BackupSource {
            database: PathBuf::new(),
            host_key: None,
            config: None,
            free_bytes: 0,
        };
        let mut tasks = Tasks::new(&waker);
        for (serial, is_gone) in [(1, true), (2, false)] {
            let words = RawArguments::Words(vec!["ann".to_owned()]);
            let answer = engine.administer(Some(0), "reset-password", words, NOW);
            let AdminAnswer::Task(task, operation) = answer.unwrap() else {
                panic!("a password is hashed first");
            };
            let requester = Requester::Ctl(0, serial);
            tasks.add(requester, task, None, *operation);
            let mut outcome = tasks.next_outcome(&source, 1);
            if is_gone {
                tasks.forget(requester);
            }
            while outcome.is_none() {
                poll.poll(&mut Events::with_capacity(1), None).unwrap();
                outcome = tasks.next_outcome(&source, 1);
            }
            let is_set = !matches!(outcome, Some((_, _, TaskOutcome::Failed(CALLER_GONE, _))));
            assert_eq!(is_set, !is_gone);
        }
    }
}
