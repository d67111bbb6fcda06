//! Events for rooms, released to their connections.
//!
//! The messages of a tick to one room go to the same connections. They are gathered in a [`RoomRun`], so that each
//! connection is looked up once and gets all of them together. What comes between them, such as the sender's replies,
//! is part of the run. Each connection gets its events in the order in which they were staged.

use super::connections::{Connections, Urgency};
use crate::clock::Now;
use crate::config::Limits;
use crate::conn::ConnId;
use crate::outbox::Delivery;
use crate::roster::{Conns, RoomConns};
use std::rc::Rc;
use std::slice;

/// Recipients of an event that may be part of a run for a room.
const FEW: usize = 8;

/// Successive deliveries to one room, and to single connections.
pub(super) struct RoomRun {
    /// All connections of the room.
    all: Rc<[ConnId]>,
    /// The events for all of them.
    events: Vec<Rc<[u8]>>,
    /// Connections that do not get exactly these: they are left out of an event, or get a reply or a further one.
    apart: Vec<ConnId>,
    steps: Vec<RunStep>,
}

/// A delivery of a run.
enum RunStep {
    Room { except: Conns, event: Rc<[u8]> },
    Event { to: Conns, event: Rc<[u8]> },
    Reply { to: ConnId, event: Rc<[u8]> },
}

impl RoomRun {
    /// A run that begins with this event.
    pub(super) fn new(to: RoomConns, event: Rc<[u8]>) -> Self {
        let mut run = Self {
            all: Rc::clone(&to.all),
            events: Vec::new(),
            apart: Vec::new(),
            steps: Vec::new(),
        };
        run.add_event(to.except, event);
        run
    }

    fn add_event(&mut self, except: Conns, event: Rc<[u8]>) {
        self.apart.extend_from_slice(&except);
        self.events.push(Rc::clone(&event));
        self.steps.push(RunStep::Room { except, event });
    }

    /// Adds a delivery, or returns it if it is no part of the run.
    pub(super) fn add(&mut self, delivery: Delivery) -> Option<Delivery> {
        match delivery {
            Delivery::Room { to, event } if Rc::ptr_eq(&to.all, &self.all) => {
                self.add_event(to.except, event);
            }
            Delivery::Event { to, event } if to.len() <= FEW => {
                self.apart.extend_from_slice(&to);
                self.steps.push(RunStep::Event { to, event });
            }
            Delivery::Reply { to, event, .. } => {
                self.apart.push(to);
                self.steps.push(RunStep::Reply { to, event });
            }
            other => return Some(other),
        }
        None
    }

    /// Queues everything.
    pub(super) fn release(mut self, connections: &mut Connections, at: (&Limits, Now)) {
        self.apart.sort_unstable();
        self.apart.dedup();
        let urgency = connections.urgency(self.all.len());
        // Those of the connections apart that are in the room.
        let mut members = Vec::new();
        for conn in self.all.iter() {
            if self.apart.binary_search(conn).is_ok() {
                members.push(*conn);
            } else {
                connections.send(*conn, &self.events, urgency, at);
            }
        }
        for step in self.steps {
            match step {
                RunStep::Room { except, event } => {
                    for conn in members.iter().filter(|conn| !except.contains(conn)) {
                        connections.send(*conn, slice::from_ref(&event), urgency, at);
                    }
                }
                RunStep::Event { to, event } => {
                    for conn in to {
                        connections.send(conn, slice::from_ref(&event), Urgency::Prompt, at);
                    }
                }
                RunStep::Reply { to, event } => connections.reply(to, event, at),
            }
        }
    }
}
