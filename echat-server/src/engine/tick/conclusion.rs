//! How the handling of one request ends: an answer staged, a worker asked, or another try later.

use super::Tick;
use super::requests::NO_REQUEST;
use crate::conn::ConnId;
use crate::engine::undo::Handled;
use crate::handlers::{Answer, Member, Refusal, Reject, gate, refuse};
use crate::store::StoreError;
use echat_proto::commands::RequestKind;
use echat_proto::records::Code;
use std::time::Duration;

/// How long a request waits for a database that another program holds.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the database is tried meanwhile.
const RETRY: Duration = Duration::from_millis(50);

/// Requests whose answers never rest on what a tick wrote: a full disk does not refuse them.
const FROM_MEMORY: [RequestKind; 3] = [
    RequestKind::QueryServerTime,
    RequestKind::Login,
    RequestKind::Logout,
];

/// A request, and how things stood before it was handled.
pub(super) struct Started {
    number: u32,
    mark: usize,
    /// Writes of the tick by then.
    writes: u64,
    member: Option<Member>,
}

impl Tick<'_> {
    /// Notes how things stand before a request is handled.
    pub(super) fn start(&mut self, conn: ConnId, number: u32) -> Started {
        // Asked only of what may end a session: most requests do not.
        let may_leave = number == NO_REQUEST || number == RequestKind::Logout.info().number;
        let member = may_leave.then(|| gate::member(&self.ctx(conn)).ok());
        Started {
            number,
            mark: self.memory.outbox.mark(),
            writes: self.batch.writes(),
            member: member.flatten(),
        }
    }

    /// Stages the final reply of a request, or hands it to the workers. False if the database was
    /// busy and the request is to be tried again.
    pub(super) fn conclude(
        &mut self,
        conn: ConnId,
        started: Started,
        result: Result<Answer, Reject>,
    ) -> Result<bool, StoreError> {
        // The answer of a request that waits is still to come, whatever becomes of this tick.
        let waits = matches!(result, Ok(Answer::Wait(..)));
        let refusal = match result {
            Err(Reject::Store(StoreError::Busy)) => {
                if !self.net.block(conn, PATIENCE, RETRY, self.now) {
                    return Ok(false);
                }
                Some(Refusal::from(Code::StorageBusy))
            }
            // Others' writes stand: only what needs the damaged part is refused.
            Err(Reject::Store(StoreError::Damaged(_)))
                if self.batch.is_whole() && self.batch.writes() == started.writes =>
            {
                Some(Refusal::from(Code::StorageDamaged))
            }
            Err(Reject::Store(error)) => {
                self.note(conn, started, true);
                return Err(error);
            }
            Err(Reject::Refused(refusal)) => Some(refusal),
            Ok(Answer::Wait(task, pending)) => {
                self.net.wait_for(conn, task, pending);
                None
            }
            Ok(Answer::Reply(event)) => {
                self.memory.outbox.reply(conn, &event);
                None
            }
        };
        if let Some(refusal) = refusal {
            self.memory
                .outbox
                .reply(conn, &refuse(started.number, refusal));
        }
        let number = started.number;
        let keeps = FROM_MEMORY.map(|kind| kind.info().number);
        let rests = self.batch.writes() > 0 && !waits && !keeps.contains(&number);
        self.note(conn, started, rests);
        if let Some(slot) = self.net.slot(conn) {
            slot.busy_since = None;
        }
        Ok(true)
    }

    /// Notes that a request was handled, for the case that the tick is undone.
    pub(super) fn note(&mut self, conn: ConnId, started: Started, rests_on_writes: bool) {
        let roster = &self.memory.roster;
        let went = |member: &Member| !roster.is_online(member.id);
        self.did.handled.push(Handled {
            conn,
            number: started.number,
            mark: started.mark,
            rests_on_writes,
            gone: started.member.filter(went),
        });
    }
}
