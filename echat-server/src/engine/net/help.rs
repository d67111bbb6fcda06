//! What workers are asked to compute for connections, and what becomes of their results.

use super::Net;
use crate::config::Limits;
use crate::conn::ConnId;
use crate::handlers::account::Pending;
use crate::peer::Peer;
use crate::workers::jobs::{Job, JobResult, Task};
use echat_proto::handshake::ClientHello;
use std::net::{IpAddr, Ipv4Addr};

/// Exponents prepared for handshakes to come.
const PREPARED: usize = 16;
/// Whose a preparation is: connections count from 1.
const NOBODY: ConnId = ConnId(0);

impl Net {
    /// Has a hello answered, with an exponent that is ready if there is one.
    pub(super) fn answer(&mut self, conn: ConnId, address: IpAddr, hello: ClientHello) {
        let prepared = self.prepared.pop().map(Box::new);
        let task = Task::Respond { hello, prepared };
        self.jobs.push(Job {
            conn,
            address,
            task,
        });
        self.prepare_more();
    }

    /// Hands a request's heavy part to the workers.
    pub(in crate::engine) fn wait_for(&mut self, conn: ConnId, task: Task, pending: Pending) {
        if let Some(slot) = self.slots.get_mut(&conn) {
            slot.pending = Some(pending);
            self.jobs.push(Job {
                conn,
                address: slot.peer.address.ip(),
                task,
            });
        }
    }

    pub(super) fn prepare_more(&mut self) {
        while self.prepared.len() + self.preparing < PREPARED {
            self.preparing += 1;
            self.jobs.push(Job {
                conn: NOBODY,
                address: Ipv4Addr::UNSPECIFIED.into(),
                task: Task::Prepare,
            });
        }
    }

    pub(in crate::engine) fn take_jobs(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.jobs)
    }

    /// Takes a worker's result.
    pub(in crate::engine) fn complete(&mut self, conn: ConnId, done: JobResult, limits: &Limits) {
        match done {
            JobResult::Prepared(ephemeral) => {
                self.preparing -= 1;
                self.prepared.push(*ephemeral);
            }
            // The next handshake asks for another.
            JobResult::Failed if conn == NOBODY => self.preparing -= 1,
            JobResult::Failed => {
                tracing::error!(%conn, "a worker failed: its connection is closed");
                self.with(conn, limits, Peer::close_at_once);
            }
            JobResult::Responded(flight, waiting) => {
                self.with(conn, limits, |peer| peer.respond(flight, waiting));
            }
            JobResult::Hashed(_) | JobResult::Verified(_) => {
                if self
                    .slots
                    .get(&conn)
                    .is_some_and(|slot| slot.pending.is_some())
                {
                    self.completed.push((conn, done));
                }
            }
        }
    }
}
