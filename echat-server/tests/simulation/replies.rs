//! Final replies judged. What a reply says must hold of what is committed when it arrives, however
//! slow it was; if nothing was committed between asking and hearing, it must be exactly what
//! [`crate::spec`] says.

use crate::client::{Client, matches};
use crate::facts::Facts;
use crate::fail;
use crate::plan::{PlannedRequest, Target, USERS};
use crate::request::{code, content};
use crate::secrets::Presented;
use crate::spec;
use crate::truth::Truth;
use echat_proto::commands::Event;
use echat_proto::records::{Code, Unread};
use echat_server::config::Limits;
use std::collections::BTreeSet;

/// A request that waits for its final reply.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) planned: PlannedRequest,
    /// The secret that it presents.
    pub(crate) presented: Option<Presented>,
    /// The users that may be logged in when it is handled.
    pub(crate) users: Vec<usize>,
    /// The newest message that the client knew.
    pub(crate) known: u64,
    /// The truth's version then.
    pub(crate) version: u64,
    /// The tick before it was asked.
    pub(crate) tick: u64,
    /// What the clock that people see said then.
    pub(crate) unix: i64,
}

/// What replies are judged by.
pub(crate) struct Judge<'w> {
    pub(crate) truth: &'w Truth,
    pub(crate) limits: &'w Limits,
    pub(crate) facts: &'w mut Facts,
    /// What the clock that people see says.
    pub(crate) unix: i64,
}

impl Judge<'_> {
    /// Judges the final reply of a request and lets the client believe it.
    pub(crate) fn reply(
        &mut self,
        client: &mut Client,
        asked: &Asked,
        event: &Event,
    ) -> Result<(), String> {
        let same = asked.version == self.truth.version && !self.facts.flapped_since(asked.tick);
        // LOGIN_SUCCESS came before the bundle: the request was a guest's.
        let user = client
            .user
            .filter(|_| !matches!(event, Event::LoginBundle { .. }));
        let at = |unix| spec::refusal(&asked.planned, user, self.truth, self.limits, unix);
        let refusal = at(self.unix);
        // Some answers depend on the time: whether it went over a bound must be known.
        let exact = same && refusal == at(asked.unix) && !self.facts.jumped_since(asked.tick);
        let command = asked.planned.name();
        let ending = code(event).unwrap_or("done");
        self.facts.meet(format!("{command} {ending}"));
        if exact {
            self.facts.meet(format!("{command} exactly {ending}"));
        }
        if let Some(code) = code(event) {
            return self.refused(
                asked,
                user,
                code,
                refusal.map(Code::as_str).filter(|_| exact),
                exact,
            );
        }
        if let Some(code) = refusal.filter(|_| exact) {
            return fail(&format!(
                "done, and should be refused with {}",
                code.as_str()
            ));
        }
        self.done(client, asked, event, exact)
    }

    fn refused(
        &mut self,
        asked: &Asked,
        user: Option<usize>,
        code: &str,
        expected: Option<&str>,
        exact: bool,
    ) -> Result<(), String> {
        let justified = match code {
            "storage_full" | "storage_busy" | "storage_damaged" => {
                self.facts.troubled_since(asked.tick)
            }
            "rate_limited" => {
                user.is_some_and(|user| self.facts.too_fast(&asked.planned, user, self.limits))
            }
            "login_throttled" => match asked.planned {
                PlannedRequest::Login { user, .. } | PlannedRequest::Resume { user, .. } => {
                    self.facts.tries(user) > self.limits.login_failures
                }
                _ => false,
            },
            "bad_credentials" if let Some(presented) = asked.presented => {
                self.facts.secrets.may_refuse(presented)
            }
            _ => !exact || expected == Some(code),
        };
        if justified {
            Ok(())
        } else {
            fail(&format!("refused with {code}, expected {expected:?}"))
        }
    }

    fn done(
        &mut self,
        client: &mut Client,
        asked: &Asked,
        event: &Event,
        exact: bool,
    ) -> Result<(), String> {
        if let PlannedRequest::Login { user, right } = asked.planned {
            check(
                right && client.user == Some(user),
                "logged in by a wrong password, or as another",
            )?;
            self.secret(client, user, asked, event)?;
            return self.bundle(client, user, event, exact);
        }
        if let (PlannedRequest::Resume { user, .. }, Some(presented)) =
            (&asked.planned, asked.presented)
        {
            check(
                self.facts.secrets.may_log_in(presented, *user) && client.user == Some(*user),
                "logged in by a secret that is void, or as another",
            )?;
            self.secret(client, *user, asked, event)?;
            return self.bundle(client, *user, event, exact);
        }
        self.used(client, asked);
        match (&asked.planned, client.user) {
            (PlannedRequest::Time, _) => Ok(()),
            (PlannedRequest::Register(name), None) => {
                let stored = self.truth.users.contains(name);
                check(stored, "an account that is not stored")
            }
            (_, Some(me)) => self.done_for(client, me, asked, event, exact),
            (_, None) => fail("a guest's request is done"),
        }
    }

    /// A login gives a new secret, unless the disk was in trouble.
    fn secret(
        &mut self,
        client: &mut Client,
        user: usize,
        asked: &Asked,
        event: &Event,
    ) -> Result<(), String> {
        let Event::LoginBundle {
            resume: Some(secret),
            ..
        } = event
        else {
            return fail("a login without a secret");
        };
        client.opened_by = asked.presented;
        client.secret = None;
        if secret.is_none() {
            let troubled = self.facts.troubled_since(asked.tick);
            return check(troubled, "a login gives no secret");
        }
        let given = self.facts.secrets.give(user, secret, asked.presented)?;
        client.secret = Some(given);
        if self.facts.troubled_since(asked.tick) || self.facts.jumped_since(asked.tick) {
            self.facts.secrets.trouble();
        }
        Ok(())
    }

    /// A session has a reply: the secret that opened it is used up, and with LOGOUT its own is void.
    fn used(&mut self, client: &mut Client, asked: &Asked) {
        if client.user.is_none() || self.facts.troubled_since(asked.tick) {
            return;
        }
        self.facts.secrets.use_up(client.opened_by);
        if asked.planned == PlannedRequest::Logout {
            self.facts.secrets.left(client.secret.take());
        }
    }

    fn done_for(
        &mut self,
        client: &mut Client,
        me: usize,
        asked: &Asked,
        event: &Event,
        exact: bool,
    ) -> Result<(), String> {
        let truth = self.truth;
        let flapped = self.facts.flapped_since(asked.tick);
        match &asked.planned {
            PlannedRequest::Logout => check(client.user.take().is_some(), "a guest logs out"),
            PlannedRequest::Befriend(other) => check(
                truth.are_friends(me, *other) || self.facts.asked.contains(&(me, *other)),
                "a friend request that is not stored",
            ),
            PlannedRequest::Resolve(other, true) => check(
                truth.are_friends(me, *other),
                "a friendship that is not stored",
            ),
            PlannedRequest::Create(room, _) => check(
                truth.rooms.get(room).is_some_and(|room| room.owner == me) || flapped,
                "a room that is not stored",
            ),
            PlannedRequest::Join(room) => check(
                truth.is_member(me, *room) || flapped,
                "a member that is not stored",
            ),
            PlannedRequest::Add(room, members) => check(
                members.iter().all(|user| truth.is_member(*user, *room)) || flapped,
                "members that are not stored",
            ),
            PlannedRequest::Read(of) => check(
                marked(event)
                    <= truth
                        .conversation(me, *of)
                        .map(|c| truth.seats[&(me, c)].read)
                    || flapped,
                "a read marker that is not stored",
            ),
            PlannedRequest::Part(room) => check(
                client.rooms.remove(room).is_some(),
                "left a room without being in it",
            ),
            PlannedRequest::Send { .. } => self.acknowledged(client, me, asked, event),
            PlannedRequest::Members(room) => {
                let told = presence_is_sent(self.limits);
                members(client, me, *room, event, truth, (exact, told))
            }
            PlannedRequest::History { .. } => {
                self.page(client, me, event)?;
                exactly(asked, me, event, truth, exact)
            }
            _ => exactly(asked, me, event, truth, exact),
        }
    }

    /// A message is acknowledged: it must be there, once, and stay.
    fn acknowledged(
        &mut self,
        client: &mut Client,
        me: usize,
        asked: &Asked,
        event: &Event,
    ) -> Result<(), String> {
        let PlannedRequest::Send {
            to,
            number,
            size,
            txn,
        } = &asked.planned
        else {
            return fail("this was no message");
        };
        let id = matches(event, me, self.truth)?;
        let stored = self
            .truth
            .message(id)
            .ok_or("a message that is not stored")?;
        let is_closed = self.truth.closed.contains_key(&id);
        let target = self.truth.target(me, stored.conversation);
        let same = stored.sender == me
            && *stored.content == *content(*number, *size)
            && (is_closed || stored.txn == txn.then(|| number.to_string()))
            && (target == Some(*to) || is_closed && matches!(to, Target::Room(_)));
        check(same, "another message is acknowledged than was sent")?;
        let anew = self.facts.acknowledged.insert(id);
        check(anew || *txn, "one message is acknowledged twice")?;
        check(
            *txn || !client.has_heard_of(id),
            "a message is sent to its own sender",
        )?;
        client.heard_of(id);
        client
            .unacknowledged
            .retain(|(user, planned)| *user != me || *planned != asked.planned);
        Ok(())
    }

    /// Whatever else: a page holds messages that are stored, in their order.
    fn page(&self, client: &mut Client, me: usize, event: &Event) -> Result<(), String> {
        let Event::History { messages, .. } = event else {
            return fail("this is no page");
        };
        let mut last = 0;
        for message in messages {
            let stored = self.truth.messages.get(&message.id);
            let right = stored.is_some_and(|stored| *stored.content == *message.content)
                && message.id > last
                && message.username == USERS[me];
            check(
                right,
                "a page holds what is not stored, or in another order",
            )?;
            last = message.id;
        }
        client.known = client.known.max(last);
        Ok(())
    }

    fn bundle(
        &self,
        client: &mut Client,
        me: usize,
        event: &Event,
        exact: bool,
    ) -> Result<(), String> {
        let Event::LoginBundle {
            chat_rooms,
            friends,
            online,
            pending_requests,
            messages,
            unread,
            ..
        } = event
        else {
            return fail("this is no bundle");
        };
        let users = |names: &[String]| -> BTreeSet<usize> {
            names.iter().map(|name| crate::client::user(name)).collect()
        };
        client.friends = users(friends);
        client.online = users(online);
        client.listed.clear();
        client.rooms = chat_rooms
            .iter()
            .map(|name| (crate::client::room(name), None))
            .collect();
        check(
            client.online.is_subset(&client.friends),
            "a stranger is online",
        )?;
        let newest = messages.iter().map(|message| message.id).max();
        client.known = client.known.max(newest.unwrap_or(0));
        if !exact {
            return Ok(());
        }
        let expected = spec::bundle(me, self.truth);
        let mut unread: Vec<Unread> = unread.clone();
        unread.sort_by(|a, b| a.target.cmp(&b.target));
        let lists = (chat_rooms, friends, pending_requests, &unread)
            == (
                &expected.rooms,
                &expected.friends,
                &expected.pending,
                &expected.unread,
            );
        check(
            lists,
            "a login shows other rooms, friends, requests or counts than there are",
        )?;
        check(
            expected.messages.is_none_or(|all| all == *messages),
            "a login shows other messages than there are",
        )
    }
}

/// Whether members hear of all coming and going. Otherwise, in a room that grows and shrinks, they may
/// get the offline event of a user without the online event.
pub(crate) fn presence_is_sent(limits: &Limits) -> bool {
    limits.presence_room_members >= USERS.len()
}

fn members(
    client: &mut Client,
    me: usize,
    room: usize,
    event: &Event,
    truth: &Truth,
    (exact, told): (bool, bool),
) -> Result<(), String> {
    let Event::Members { members } = event else {
        return fail("these are no members");
    };
    let members = &members.members;
    let all: BTreeSet<usize> = members
        .iter()
        .map(|line| crate::client::user(&line.username))
        .collect();
    check(
        !exact || all == truth.members(room),
        "other members than there are",
    )?;
    let online = members.iter().filter(|line| line.online);
    let mut online: BTreeSet<usize> = online
        .map(|line| crate::client::user(&line.username))
        .collect();
    check(online.remove(&me), "one is not online oneself")?;
    client.listed.insert(room, all);
    let believed = client.rooms.insert(room, told.then_some(online));
    check(believed.is_some(), "members of a room that one is not in")?;
    Ok(())
}

fn exactly(
    asked: &Asked,
    me: usize,
    event: &Event,
    truth: &Truth,
    exact: bool,
) -> Result<(), String> {
    let expected = spec::answer(&asked.planned, me, asked.known, truth).filter(|_| exact);
    match expected {
        Some(expected) if expected != *event => {
            fail(&format!("got {event:?}, expected {expected:?}"))
        }
        _ => Ok(()),
    }
}

fn check(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { fail(otherwise) }
}

/// Where a read marker is said to stand.
fn marked(event: &Event) -> Option<u64> {
    match event {
        Event::Marked { id, .. } => Some(*id),
        _ => None,
    }
}
