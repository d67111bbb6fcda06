//! What helpers are asked to compute for connections, and what becomes of their results.

use super::Net;
use crate::config::Limits;
use crate::conn::ConnId;
use crate::handlers::account::Pending;
use crate::jobs::{Done, Job, Task};
use crate::peer::Peer;
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

    /// Hands a request's heavy part to the helpers.
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

    /// Takes a helper's result.
    pub(in crate::engine) fn complete(&mut self, conn: ConnId, done: Done, limits: &Limits) {
        match done {
            Done::Prepared(ephemeral) => {
                self.preparing -= 1;
                self.prepared.push(*ephemeral);
            }
            // The next handshake asks for another.
            Done::Failed if conn == NOBODY => self.preparing -= 1,
            Done::Failed => {
                tracing::error!(%conn, "a helper failed: its connection is closed");
                self.with(conn, limits, Peer::close_at_once);
            }
            Done::Responded(flight, waiting) => {
                self.with(conn, limits, |peer| peer.respond(flight, waiting));
            }
            Done::Hashed(_) | Done::Verified(_) => {
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
