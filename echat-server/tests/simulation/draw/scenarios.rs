//! Scenarios: short sequences of requests that lead to states which single random requests rarely reach.

use super::pick;
use crate::plan::{
    AccountRequest, Action, BotRequest, CLIENTS, ClientIndex, InvitationCodeRequest, LOBBY,
    MessageRequest, PEOPLE, PasswordChoice, PeopleRequest, PlannedRequest, ROOMS, Role,
    RoomRequest, SearchRequest, Setting, Target, Term, USERS,
};
use rand::RngExt;
use rand::rngs::StdRng;

/// The clients that connect at the start of a case.
#[derive(Clone, Copy)]
pub(super) struct InitialClients {
    pub(super) count: usize,
    pub(super) sessions_per_user: usize,
}

impl InitialClients {
    /// The user of a client.
    pub(super) fn user(self, client: ClientIndex) -> usize {
        client / self.sessions_per_user
    }

    /// Another client, mostly of another user.
    fn other(self, rng: &mut StdRng, client: ClientIndex) -> ClientIndex {
        let away = rng.random_range(1..self.count.max(2));
        (client + away) % self.count
    }

    /// A client that is not connected from the start, if there is one.
    fn spare(self, rng: &mut StdRng) -> ClientIndex {
        if self.count < CLIENTS {
            rng.random_range(self.count..CLIENTS)
        } else {
            rng.random_range(0..CLIENTS)
        }
    }
}

/// Draws one scenario.
pub(super) fn scenario(
    rng: &mut StdRng,
    client: ClientIndex,
    clients: InitialClients,
) -> Vec<Action> {
    let mut scenario = Scenario {
        clients,
        first: client,
        second: clients.other(rng, client),
        actions: Vec::new(),
        rng,
    };
    match scenario.rng.random_range(0..30) {
        19 | 20 => scenario.invitation_codes(),
        21..25 => scenario.message_changes(),
        25..28 => scenario.searches(),
        28 | 29 => scenario.devices(),
        0 | 1 => scenario.kicks_and_bans(),
        2 | 3 => scenario.private_rooms(),
        4 | 5 => scenario.roles(),
        6 | 7 => scenario.room_settings(),
        8 | 9 => scenario.blocks(),
        10 | 11 => scenario.unfriending(),
        12 | 13 => scenario.passwords(),
        14 => scenario.account_deletion(),
        15 => scenario.suspension(),
        _ => scenario.bots(),
    }
    scenario.actions
}

struct Scenario<'r> {
    clients: InitialClients,
    first: ClientIndex,
    second: ClientIndex,
    actions: Vec<Action>,
    rng: &'r mut StdRng,
}

impl Scenario<'_> {
    fn first_user(&self) -> usize {
        self.clients.user(self.first)
    }

    fn second_user(&self) -> usize {
        self.clients.user(self.second)
    }

    fn one_in(&mut self, of: u32) -> bool {
        self.rng.random_range(0..of) == 0
    }

    /// Mostly as a round trip, so that the expected reply is exact.
    fn request(&mut self, client: ClientIndex, planned: PlannedRequest) {
        let action = if self.one_in(4) {
            Action::Pipeline(client, vec![planned])
        } else {
            Action::RoundTrip(client, planned)
        };
        self.actions.push(action);
    }

    /// Sends the request in half of the cases.
    fn maybe_request(&mut self, client: ClientIndex, planned: PlannedRequest) {
        if self.one_in(2) {
            self.request(client, planned);
        }
    }

    /// Both clients send in one tick.
    fn in_one_tick(&mut self, one: PlannedRequest, two: PlannedRequest) {
        let planned = vec![(self.first, vec![one]), (self.second, vec![two])];
        self.actions.push(Action::InOneTick(planned));
    }

    fn room(&mut self) -> usize {
        super::room(self.rng)
    }

    fn send(&mut self, client: ClientIndex, to: Target) {
        let planned = PlannedRequest::Send {
            to,
            number: self.rng.random_range(0..250),
            size: 5,
            txn: true,
            reply: None,
        };
        self.request(client, planned);
    }

    fn read_history(&mut self, client: ClientIndex, of: Option<Target>) {
        let planned = PlannedRequest::History {
            of,
            from_known: false,
            limit: 30,
        };
        self.request(client, planned);
    }

    /// Tries to make the first user the owner of a room, which may exist already.
    fn owned_room(&mut self, private: bool) -> usize {
        let room = self.room();
        let members = if self.one_in(2) {
            vec![self.second_user()]
        } else {
            vec![]
        };
        self.request(self.first, PlannedRequest::Create(room, members, private));
        if !private {
            self.request(self.second, PlannedRequest::Join(room));
        }
        room
    }

    /// A message is edited, answered, reacted to and deleted, while members join and leave.
    fn message_changes(&mut self) {
        let (me, you) = (self.first_user(), self.second_user());
        let target = if self.one_in(4) {
            self.maybe_request(self.second, PlannedRequest::Befriend(me));
            self.maybe_request(self.first, PlannedRequest::Befriend(you));
            Target::User(you)
        } else {
            Target::Room(self.owned_room(false))
        };
        let number = self.rng.random();
        let size = *pick(self.rng, &[5, 5, 300]);
        let send = PlannedRequest::Send {
            to: target,
            number,
            size,
            txn: true,
            reply: None,
        };
        self.request(self.first, send.clone());
        for _ in 0..self.rng.random_range(2..8) {
            let (client, other) = if self.one_in(2) {
                (self.first, self.second)
            } else {
                (self.second, self.first)
            };
            match (self.rng.random_range(0..15), target) {
                (0..6, _) => {
                    let change = self.message_change();
                    self.request(client, change.clone());
                    // A repeated change causes no event.
                    self.maybe_request(client, change);
                }
                (6, _) => {
                    let (one, two) = (self.message_change(), self.message_change());
                    self.in_one_tick(one, two);
                }
                (7, _) => self.request(self.first, send.clone()),
                (8, _) => self.reply(client, target),
                (9, _) => self.edit_over_rate(client, target),
                (10, _) => self.block_and_name(client, other, target),
                (11, Target::Room(_)) => {
                    // The owner may delete a member's message.
                    self.send(self.second, target);
                    let delete = PlannedRequest::Message(MessageRequest::Delete(0));
                    self.request(self.first, delete);
                }
                (12.., Target::Room(room)) => self.change_membership(client, room),
                (_, Target::User(_)) => {
                    let other = self.clients.user(other);
                    let unfriend = PeopleRequest::Unfriend(other);
                    self.request(client, PlannedRequest::People(unfriend));
                }
                (_, Target::Room(_)) => unreachable!("all numbers are above"),
            }
            let around = PlannedRequest::Around {
                of: target,
                nth: self.rng.random_range(0..4),
                limit: self.rng.random_range(1..6),
            };
            self.maybe_request(self.first, around);
            self.maybe_request(self.second, PlannedRequest::Mentions(5));
            self.maybe_request(other, PlannedRequest::Rooms);
            if matches!(target, Target::Room(_)) {
                self.maybe_request(other, PlannedRequest::Read(target));
            }
        }
        self.read_history(self.second, None);
        self.read_history(self.first, None);
    }

    /// Messages are found by their words, indexed or not, but no longer once the words or the reader's rights are gone.
    fn searches(&mut self) {
        let room = self.owned_room(false);
        let (to, you) = (Target::Room(room), self.second_user());
        let mut numbers: Vec<u8> = Vec::new();
        for _ in 0..self.rng.random_range(1..5) {
            let number = self.rng.random_range(0..40);
            let size = *pick(self.rng, &[5, 5, 60, 3_900]);
            let send = PlannedRequest::Send {
                to,
                number,
                size,
                txn: false,
                reply: None,
            };
            self.request(self.first, send);
            numbers.push(number);
        }
        for _ in 0..self.rng.random_range(1..4) {
            if self.one_in(2) {
                // They are indexed.
                self.actions.push(Action::Wait(400));
            }
            self.search_as_both(&numbers, to);
            let nth = self.rng.random_range(0..3);
            let new = self.rng.random_range(0..40);
            let planned = match self.rng.random_range(0..8) {
                0..3 => PlannedRequest::Message(MessageRequest::Edit(nth, new)),
                3..5 => PlannedRequest::Message(MessageRequest::Delete(nth)),
                5 => PlannedRequest::Room(RoomRequest::Kick(room, you)),
                6 => PlannedRequest::Room(RoomRequest::Set(room, Setting::Keep(Some(1)))),
                _ => PlannedRequest::Room(RoomRequest::Close(room)),
            };
            let back = matches!(planned, PlannedRequest::Room(RoomRequest::Kick(..)));
            if matches!(planned, PlannedRequest::Room(RoomRequest::Set(..))) {
                let seconds = *pick(self.rng, &[86_399, 86_401, 86_401]);
                self.actions.push(Action::ClockJump(seconds));
            }
            numbers.push(new);
            self.request(self.first, planned);
            self.search_as_both(&numbers, to);
            if back {
                self.maybe_request(self.second, PlannedRequest::Join(room));
            }
        }
        self.search_as_both(&numbers, to);
    }

    /// Both users search for a text that was sent.
    fn search_as_both(&mut self, numbers: &[u8], to: Target) {
        for client in [self.first, self.second] {
            let number = *pick(self.rng, numbers);
            let terms = [
                Term::Number(number),
                Term::Number(number),
                Term::Word(number),
                Term::Character(number),
                Term::Phrase(number),
            ];
            let search = SearchRequest {
                terms: vec![*pick(self.rng, &terms)],
                of: self.one_in(3).then_some(to),
                limit: self.rng.random_range(1..4),
                ..SearchRequest::default()
            };
            self.request(client, PlannedRequest::Search(search));
            self.maybe_request(client, PlannedRequest::SearchNextPage);
        }
    }

    /// More edits than a small limit allows.
    fn edit_over_rate(&mut self, client: ClientIndex, target: Target) {
        let edit = |n| PlannedRequest::Message(MessageRequest::Edit(0, n));
        self.send(client, target);
        let edits = (0..6).map(edit).collect();
        self.actions.push(Action::Pipeline(client, edits));
    }

    fn message_change(&mut self) -> PlannedRequest {
        PlannedRequest::Message(super::message_request(self.rng))
    }

    fn reply(&mut self, client: ClientIndex, target: Target) {
        let to = match target {
            Target::User(_) if client == self.second => Target::User(self.first_user()),
            other => other,
        };
        let answer = PlannedRequest::Send {
            to,
            number: self.rng.random(),
            size: 5,
            txn: true,
            reply: Some(self.rng.random_range(0..3)),
        };
        self.request(client, answer);
    }

    /// One user blocks or unblocks the other, and is mentioned by the other.
    fn block_and_name(&mut self, client: ClientIndex, other: ClientIndex, target: Target) {
        let whom = self.clients.user(other);
        let block = if self.one_in(3) {
            PeopleRequest::Unblock(whom)
        } else {
            PeopleRequest::Block(whom)
        };
        self.request(client, PlannedRequest::People(block));
        if matches!(target, Target::Room(_)) {
            let named = u8::try_from(self.clients.user(client)).expect("few users");
            let send = PlannedRequest::Send {
                to: target,
                number: 4 * named + 3,
                size: 5,
                txn: false,
                reply: None,
            };
            self.request(other, send);
            self.request(client, PlannedRequest::Rooms);
            self.request(client, PlannedRequest::Mentions(5));
        }
    }

    /// A member leaves and joins, is kicked, or gets other rights.
    fn change_membership(&mut self, client: ClientIndex, room: usize) {
        let you = self.second_user();
        match self.rng.random_range(0..4) {
            0 => {
                self.request(client, PlannedRequest::Part(room));
                self.request(client, PlannedRequest::Join(room));
            }
            1 => self.request(
                self.first,
                PlannedRequest::Room(RoomRequest::Kick(room, you)),
            ),
            of => {
                let read_only = Setting::ReadOnly(!self.one_in(3));
                let role = *pick(self.rng, &[Role::Operator, Role::Member]);
                let planned = match of {
                    2 => RoomRequest::Set(room, read_only),
                    _ => RoomRequest::SetRole(room, you, role),
                };
                self.send(self.second, Target::Room(room));
                self.request(self.first, PlannedRequest::Room(planned));
                let own = MessageRequest::Edit(0, self.rng.random());
                self.request(self.second, PlannedRequest::Message(own));
                let react = MessageRequest::React(0, 0, true);
                self.request(self.second, PlannedRequest::Message(react));
            }
        }
    }

    /// A member is kicked or banned, and joins again, before or after the ban has ended.
    fn kicks_and_bans(&mut self) {
        let room = self.owned_room(false);
        let you = self.second_user();
        let seconds = *pick(self.rng, &[None, Some(1), Some(5), Some(5), Some(60)]);
        let ban = PlannedRequest::Room(RoomRequest::Ban(room, you, seconds));
        let removes = if self.one_in(3) {
            PlannedRequest::Room(RoomRequest::Kick(room, you))
        } else {
            ban
        };
        if self.one_in(3) {
            let sends = PlannedRequest::Send {
                to: Target::Room(room),
                number: self.rng.random_range(0..250),
                size: 5,
                txn: true,
                reply: None,
            };
            self.in_one_tick(removes, sends);
        } else {
            self.request(self.first, removes);
        }
        self.send(self.first, Target::Room(room));
        self.maybe_request(self.second, PlannedRequest::Join(room));
        self.maybe_request(self.first, PlannedRequest::Room(RoomRequest::Bans(room)));
        self.maybe_request(
            self.first,
            PlannedRequest::Room(RoomRequest::Invite(room, you)),
        );
        self.maybe_request(self.first, PlannedRequest::Add(room, vec![you]));
        match self.rng.random_range(0..4) {
            0 => self.request(
                self.first,
                PlannedRequest::Room(RoomRequest::Unban(room, you)),
            ),
            1 => self.actions.push(Action::ClockJump(100)),
            _ => self.actions.push(Action::Wait(7_000)),
        }
        self.request(self.second, PlannedRequest::Join(room));
        self.read_history(self.second, Some(Target::Room(room)));
        self.read_history(self.second, None);
        self.maybe_request(self.first, PlannedRequest::Room(RoomRequest::Bans(room)));
        self.maybe_request(self.second, PlannedRequest::Rooms);
    }

    /// A room that is private or becomes private, and a user who may or may not join.
    fn private_rooms(&mut self) {
        let room = self.owned_room(true);
        let (you, name) = (self.second_user(), ROOMS[room]);
        if self.one_in(3) {
            let set = RoomRequest::Set(room, Setting::Private(true));
            self.request(self.first, PlannedRequest::Room(set));
        }
        self.request(
            self.first,
            PlannedRequest::Room(RoomRequest::Kick(room, you)),
        );
        let strangers = [
            PlannedRequest::Find(name),
            PlannedRequest::Room(RoomRequest::Info(room)),
            PlannedRequest::Join(room),
            PlannedRequest::Room(RoomRequest::Public),
            PlannedRequest::Room(RoomRequest::Invite(room, self.first_user())),
            PlannedRequest::People(PeopleRequest::WhoIs(self.first_user())),
            PlannedRequest::Members(room),
            PlannedRequest::Create(room, vec![], false),
            PlannedRequest::Room(RoomRequest::Decline(room)),
        ];
        for planned in strangers {
            self.maybe_request(self.second, planned);
        }
        self.request(
            self.first,
            PlannedRequest::Room(RoomRequest::Invite(room, you)),
        );
        self.maybe_request(self.second, PlannedRequest::Room(RoomRequest::Info(room)));
        match self.rng.random_range(0..5) {
            0 => self.request(
                self.second,
                PlannedRequest::Room(RoomRequest::Decline(room)),
            ),
            1 => self.request(
                self.first,
                PlannedRequest::Room(RoomRequest::Ban(room, you, None)),
            ),
            2 => self.request(
                self.first,
                PlannedRequest::People(PeopleRequest::Block(you)),
            ),
            3 => self.request(
                self.second,
                PlannedRequest::People(PeopleRequest::Block(self.first_user())),
            ),
            _ => {}
        }
        self.request(self.second, PlannedRequest::Join(room));
        self.maybe_request(self.second, PlannedRequest::Room(RoomRequest::Info(room)));
        let third = self.rng.random_range(0..PEOPLE);
        self.request(
            self.second,
            PlannedRequest::Room(RoomRequest::Invite(room, third)),
        );
        self.maybe_request(self.second, PlannedRequest::Part(room));
        self.request(self.second, PlannedRequest::Join(room));
    }

    /// A member is promoted and demoted; the room passes to another owner.
    fn roles(&mut self) {
        let room = self.owned_room(false);
        let (me, you) = (self.first_user(), self.second_user());
        let role = |user, role| PlannedRequest::Room(RoomRequest::SetRole(room, user, role));
        self.request(self.first, role(you, Role::Operator));
        let third = self.rng.random_range(0..PEOPLE);
        let acts = [
            PlannedRequest::Room(RoomRequest::Set(room, Setting::Topic(self.rng.random()))),
            PlannedRequest::Room(RoomRequest::Kick(room, third)),
            PlannedRequest::Room(RoomRequest::Kick(room, me)),
            PlannedRequest::Room(RoomRequest::Ban(room, third, None)),
            PlannedRequest::Room(RoomRequest::Unban(room, third)),
            PlannedRequest::Room(RoomRequest::Bans(room)),
            PlannedRequest::Room(RoomRequest::Set(room, Setting::Private(true))),
            PlannedRequest::Room(RoomRequest::Close(room)),
        ];
        let act = |scenario: &mut Self| {
            let act = pick(scenario.rng, &acts).clone();
            scenario.request(scenario.second, act);
        };
        act(self);
        if self.one_in(2) {
            self.request(self.first, role(you, Role::Member));
            act(self);
            act(self);
        }
        match self.rng.random_range(0..5) {
            0 => {
                self.request(self.first, role(you, Role::Owner));
                self.request(self.first, PlannedRequest::Room(RoomRequest::Close(room)));
                self.request(self.second, role(me, Role::Member));
            }
            1 => self.in_one_tick(role(you, Role::Member), acts[1].clone()),
            2 => self.request(self.first, PlannedRequest::Room(RoomRequest::Close(room))),
            _ => {
                self.request(self.first, PlannedRequest::Part(room));
                act(self);
                self.maybe_request(self.second, PlannedRequest::Room(RoomRequest::Info(room)));
            }
        }
        self.maybe_request(self.first, PlannedRequest::Room(RoomRequest::Info(room)));
        self.read_history(self.first, None);
        self.maybe_request(self.second, PlannedRequest::Create(room, vec![], false));
    }

    /// Settings that restrict writing, and a new name for the room.
    fn room_settings(&mut self) {
        let mut room = self.owned_room(false);
        let slow = *pick(self.rng, &[1, 3, 10, 0]);
        let settings = [
            Setting::ReadOnly(true),
            Setting::Slow(slow),
            Setting::Name(self.rng.random_range(0..ROOMS.len())),
            Setting::Topic(self.rng.random()),
            Setting::ReadOnly(false),
            Setting::Keep(*pick(self.rng, &[None, Some(1), Some(30), Some(36_500)])),
        ];
        for _ in 0..self.rng.random_range(2..5) {
            let set = *pick(self.rng, &settings);
            let speaker = if self.one_in(4) {
                self.second
            } else {
                self.first
            };
            self.request(speaker, PlannedRequest::Room(RoomRequest::Set(room, set)));
            if let Setting::Name(new) = set {
                room = new;
            }
            self.send(self.second, Target::Room(room));
            if self.one_in(2) {
                self.actions.push(Action::Wait(1_500));
            }
            self.send(self.second, Target::Room(room));
            self.maybe_request(self.second, PlannedRequest::Room(RoomRequest::Info(room)));
        }
        if self.one_in(3) {
            let client = self.second;
            self.actions.push(Action::Resend(client));
        }
        if self.one_in(3) {
            let keep = RoomRequest::Set(room, Setting::Keep(Some(1)));
            self.request(self.first, PlannedRequest::Room(keep));
            self.send(self.second, Target::Room(room));
            self.actions.push(Action::ClockJump(86_401));
            self.read_history(self.first, Some(Target::Room(room)));
        }
    }

    /// One user blocks another, who continues as before.
    fn blocks(&mut self) {
        let (me, you) = (self.first_user(), self.second_user());
        let room = self.room();
        self.maybe_request(self.second, PlannedRequest::Befriend(me));
        self.maybe_request(self.first, PlannedRequest::Befriend(you));
        self.request(self.second, PlannedRequest::Members(room));
        self.request(
            self.first,
            PlannedRequest::People(PeopleRequest::Block(you)),
        );
        let second = [
            PlannedRequest::Befriend(me),
            PlannedRequest::Befriend(me),
            PlannedRequest::Resolve(me, true),
            PlannedRequest::Room(RoomRequest::Invite(room, me)),
            PlannedRequest::People(PeopleRequest::WhoIs(me)),
            PlannedRequest::Members(room),
            PlannedRequest::Find(USERS[me]),
            PlannedRequest::Create(1, vec![me], false),
            PlannedRequest::Add(room, vec![me]),
        ];
        let first = [
            PlannedRequest::Befriend(you),
            PlannedRequest::Resolve(you, true),
            PlannedRequest::People(PeopleRequest::WhoIs(you)),
            PlannedRequest::People(PeopleRequest::Blocked),
            PlannedRequest::Join(room),
            PlannedRequest::Account(AccountRequest::Away(Some(1))),
            PlannedRequest::Room(RoomRequest::Invite(room, you)),
        ];
        for _ in 0..self.rng.random_range(1..5) {
            let (one, two) = (
                pick(self.rng, &first).clone(),
                pick(self.rng, &second).clone(),
            );
            self.maybe_request(self.first, one);
            self.request(self.second, two);
        }
        if self.one_in(2) {
            // The blocker goes offline and online, and the blocked user sees neither.
            self.request(self.first, PlannedRequest::Logout);
            let login = PlannedRequest::Login {
                user: me,
                password: PasswordChoice::Current,
            };
            self.request(self.first, login);
        }
        self.maybe_request(self.second, PlannedRequest::Members(room));
        self.send(self.second, Target::Room(room));
        if self.one_in(2) {
            self.request(
                self.first,
                PlannedRequest::People(PeopleRequest::Unblock(you)),
            );
            self.maybe_request(self.first, PlannedRequest::Resolve(you, true));
            self.maybe_request(self.second, PlannedRequest::Members(room));
            self.maybe_request(self.second, PlannedRequest::Befriend(me));
        }
    }

    /// Friends end the friendship, and may renew it.
    fn unfriending(&mut self) {
        let (me, you) = (self.first_user(), self.second_user());
        let (to_you, to_me) = (Target::User(you), Target::User(me));
        self.request(self.first, PlannedRequest::Befriend(you));
        self.request(self.second, PlannedRequest::Befriend(me));
        self.send(self.first, to_you);
        let parts = PlannedRequest::People(PeopleRequest::Unfriend(you));
        if self.one_in(3) {
            let sends = PlannedRequest::Send {
                to: to_me,
                number: self.rng.random_range(0..250),
                size: 5,
                txn: true,
                reply: None,
            };
            self.in_one_tick(parts, sends);
        } else {
            self.request(self.first, parts);
        }
        self.send(self.second, to_me);
        self.read_history(self.second, Some(to_me));
        self.read_history(self.first, None);
        self.maybe_request(self.second, PlannedRequest::Read(to_me));
        self.maybe_request(self.first, PlannedRequest::People(PeopleRequest::Friends));
        self.maybe_request(self.second, PlannedRequest::Befriend(me));
        self.maybe_request(self.first, PlannedRequest::Befriend(you));
        self.send(self.first, to_you);
        self.read_history(self.second, Some(to_me));
    }

    /// Passwords change and sessions end. Old passwords and secrets open no session.
    fn passwords(&mut self) {
        let me = self.first_user();
        let spare = self.clients.spare(self.rng);
        self.actions.push(Action::Connect(spare));
        let login = |password| PlannedRequest::Login { user: me, password };
        if self.one_in(2) {
            self.request(spare, login(PasswordChoice::Current));
        }
        let word = *pick(
            self.rng,
            &[
                PasswordChoice::Current,
                PasswordChoice::Current,
                PasswordChoice::Current,
                PasswordChoice::Other,
                PasswordChoice::Wrong,
            ],
        );
        let planned = match self.rng.random_range(0..4) {
            0 => PlannedRequest::Account(AccountRequest::EndOthers),
            1 => PlannedRequest::Account(AccountRequest::Sessions),
            _ => PlannedRequest::Account(AccountRequest::ChangePassword(word)),
        };
        self.request(self.first, planned);
        self.actions.push(Action::Connect(spare));
        for _ in 0..self.rng.random_range(1..4) {
            let nth = self.rng.random_range(0..3);
            let tries = [
                login(PasswordChoice::Other),
                login(PasswordChoice::Current),
                PlannedRequest::Resume { user: me, nth },
            ];
            let planned = pick(self.rng, &tries).clone();
            self.request(spare, planned);
        }
        self.maybe_request(
            self.first,
            PlannedRequest::Account(AccountRequest::Sessions),
        );
        let shows = self.one_in(2);
        self.maybe_request(
            self.first,
            PlannedRequest::Account(AccountRequest::Privacy(shows)),
        );
        self.maybe_request(
            self.second,
            PlannedRequest::People(PeopleRequest::WhoIs(me)),
        );
        self.maybe_request(self.second, PlannedRequest::People(PeopleRequest::Friends));
    }

    /// Guesses at a password from its owner's address, and a login from the owner's device. The device has attempts of
    /// its own until it is forgotten: with a new password, for newer devices, or after 90 days.
    fn devices(&mut self) {
        let me = self.first_user();
        // Two clients share an address.
        let neighbour = self.first ^ 1;
        self.actions.push(Action::Reset(neighbour));
        self.actions.push(Action::Connect(neighbour));
        let login = |password| PlannedRequest::Login { user: me, password };
        let change =
            PlannedRequest::Account(AccountRequest::ChangePassword(PasswordChoice::Current));
        match self.rng.random_range(0..8) {
            0 => self.request(self.first, change),
            1 => {
                let days = 90 * 86_400 + self.rng.random_range(-2..3);
                self.actions.push(Action::ClockJump(days));
            }
            2 => {
                let each = [login(PasswordChoice::Current), PlannedRequest::Logout];
                let many = each.iter().cycle().take(44).cloned();
                self.actions
                    .push(Action::Pipeline(neighbour, many.collect()));
                self.actions.push(Action::Quiesce);
            }
            3 => {
                let wrong = AccountRequest::ChangePassword(PasswordChoice::Wrong);
                let wrong = PlannedRequest::Account(wrong);
                self.actions
                    .push(Action::Pipeline(self.first, vec![wrong; 7]));
            }
            _ => {}
        }
        if self.one_in(2) {
            let guesses = vec![login(PasswordChoice::Wrong); self.rng.random_range(5..9)];
            self.actions.push(Action::Pipeline(neighbour, guesses));
            self.actions.push(Action::Wait(500));
        }
        self.maybe_request(
            self.first,
            PlannedRequest::Account(AccountRequest::Sessions),
        );
        self.request(self.first, PlannedRequest::Logout);
        self.request(self.first, login(PasswordChoice::Current));
        self.maybe_request(self.second, PlannedRequest::Logout);
        self.maybe_request(self.second, login(PasswordChoice::Current));
        if self.one_in(2) {
            self.request(
                self.first,
                PlannedRequest::Account(AccountRequest::EndOthers),
            );
        }
        self.request(
            self.first,
            PlannedRequest::Account(AccountRequest::Sessions),
        );
    }

    /// An account is deleted, and its name with it.
    fn account_deletion(&mut self) {
        let me = self.first_user();
        let room = self.room();
        self.send(self.first, Target::Room(room));
        self.maybe_request(self.first, PlannedRequest::Befriend(self.second_user()));
        let delete = PlannedRequest::Account(AccountRequest::Delete {
            password: *pick(
                self.rng,
                &[
                    PasswordChoice::Current,
                    PasswordChoice::Current,
                    PasswordChoice::Current,
                    PasswordChoice::Wrong,
                ],
            ),
            erase: self.rng.random_range(0..2) == 0,
        });
        self.request(self.first, delete);
        self.maybe_request(self.first, PlannedRequest::Register(me));
        let login = PlannedRequest::Login {
            user: me,
            password: PasswordChoice::Current,
        };
        self.maybe_request(self.first, login);
        let after = [
            PlannedRequest::People(PeopleRequest::WhoIs(me)),
            PlannedRequest::Find(USERS[me]),
            PlannedRequest::Befriend(me),
            PlannedRequest::Members(room),
            PlannedRequest::Room(RoomRequest::Info(room)),
            PlannedRequest::Rooms,
            PlannedRequest::Find("deleted"),
        ];
        for planned in after {
            self.maybe_request(self.second, planned);
        }
        self.read_history(self.second, Some(Target::Room(room)));
        self.read_history(self.second, None);
    }

    /// A user makes an invitation code, and others register with it: in time, too often, too late, or after it was
    /// revoked.
    fn invitation_codes(&mut self) {
        let seconds = *pick(self.rng, &[None, None, Some(5), Some(600)]);
        let make = InvitationCodeRequest::Make(self.rng.random_range(1..3), seconds);
        self.request(self.first, PlannedRequest::InvitationCode(make));
        self.maybe_request(
            self.first,
            PlannedRequest::InvitationCode(InvitationCodeRequest::List),
        );
        // New accounts become members of the lobby, unless it is full.
        if self.one_in(2) {
            for client in 0..self.clients.count {
                self.request(client, PlannedRequest::Join(LOBBY));
            }
        }
        if self.one_in(4) {
            self.maybe_request(
                self.second,
                PlannedRequest::InvitationCode(InvitationCodeRequest::Revoke(0)),
            );
        }
        if self.one_in(5) {
            self.actions
                .push(Action::ClockJump(self.rng.random_range(0..10)));
        }
        let client = self.clients.spare(self.rng);
        self.actions.push(Action::Reset(client));
        self.actions.push(Action::Connect(client));
        let mut users: Vec<usize> = (0..PEOPLE).collect();
        for _ in 0..self.rng.random_range(1..4) {
            let user = users.remove(self.rng.random_range(0..users.len()));
            let nth = *pick(self.rng, &[0, 0, 0, 0, 1, 99]);
            self.request(client, PlannedRequest::RegisterBy { user, nth });
            self.maybe_request(client, PlannedRequest::Register(user));
            if self.one_in(3) {
                let login = PlannedRequest::Login {
                    user,
                    password: PasswordChoice::Current,
                };
                self.request(client, login);
                self.maybe_request(client, PlannedRequest::Rooms);
                self.maybe_request(client, PlannedRequest::Members(LOBBY));
                self.request(client, PlannedRequest::Logout);
            }
        }
        self.maybe_request(
            self.first,
            PlannedRequest::InvitationCode(InvitationCodeRequest::Revoke(0)),
        );
        self.maybe_request(
            self.first,
            PlannedRequest::InvitationCode(InvitationCodeRequest::List),
        );
    }

    /// A user is suspended, and logs in again before or after the end.
    fn suspension(&mut self) {
        let me = self.first_user();
        let seconds = *pick(self.rng, &[None, Some(5), Some(600)]);
        self.maybe_request(self.second, PlannedRequest::Members(0));
        self.actions.push(Action::Suspend(me, seconds));
        self.actions.push(Action::Connect(self.first));
        let logins = [
            PlannedRequest::Login {
                user: me,
                password: PasswordChoice::Current,
            },
            PlannedRequest::Resume { user: me, nth: 0 },
        ];
        let login = pick(self.rng, &logins).clone();
        self.request(self.first, login);
        let asks = [
            PlannedRequest::Befriend(me),
            PlannedRequest::People(PeopleRequest::WhoIs(me)),
            PlannedRequest::Room(RoomRequest::Invite(0, me)),
            PlannedRequest::Members(0),
        ];
        for planned in asks {
            self.maybe_request(self.second, planned);
        }
        match self.rng.random_range(0..3) {
            0 => self.actions.push(Action::Unsuspend(me)),
            _ => self.actions.push(Action::Wait(7_000)),
        }
        let login = pick(self.rng, &logins).clone();
        self.request(self.first, login);
    }

    /// A bot is created, sends messages, gets a new token, and is removed.
    fn bots(&mut self) {
        let bot = self.rng.random_range(PEOPLE..USERS.len());
        let spare = self.clients.spare(self.rng);
        let room = if self.one_in(2) {
            self.owned_room(false)
        } else {
            self.room()
        };
        let seconds = *pick(self.rng, &[None, None, Some(5), Some(600)]);
        let rooms = if self.one_in(4) {
            vec![room, 1]
        } else {
            vec![room]
        };
        self.request(
            self.first,
            PlannedRequest::Bot(BotRequest::Create(bot, rooms, seconds)),
        );
        let again = BotRequest::Create(bot, vec![room], None);
        self.maybe_request(self.first, PlannedRequest::Bot(again));
        self.actions.push(Action::Connect(spare));
        self.request(spare, PlannedRequest::Token { bot, nth: 0 });
        self.request(spare, PlannedRequest::Members(room));
        self.send(spare, Target::Room(room));
        let shows = [
            PlannedRequest::People(PeopleRequest::WhoIs(bot)),
            PlannedRequest::Members(room),
            PlannedRequest::Bot(BotRequest::List),
            PlannedRequest::Befriend(bot),
            PlannedRequest::Find(USERS[bot]),
        ];
        for _ in 0..2 {
            let planned = pick(self.rng, &shows).clone();
            self.maybe_request(self.second, planned.clone());
            self.maybe_request(self.first, planned);
        }
        let (me, you) = (self.first_user(), self.second_user());
        match self.rng.random_range(0..6) {
            0 | 1 => {
                self.request(
                    self.first,
                    PlannedRequest::Bot(BotRequest::NewToken(bot, None)),
                );
                self.actions.push(Action::Connect(spare));
                let nth = *pick(self.rng, &[1, 1, 0]);
                self.request(spare, PlannedRequest::Token { bot, nth });
            }
            2 => {
                let over = RoomRequest::SetRole(room, you, Role::Owner);
                self.request(self.first, PlannedRequest::Room(over));
                let down = RoomRequest::SetRole(room, me, Role::Member);
                self.request(self.second, PlannedRequest::Room(down));
            }
            3 => self.request(self.first, PlannedRequest::Part(room)),
            4 => self.request(self.first, PlannedRequest::Bot(BotRequest::Remove(bot))),
            _ => self.actions.push(Action::Wait(6_000)),
        }
        self.send(spare, Target::Room(room));
        self.maybe_request(spare, PlannedRequest::Befriend(me));
        self.maybe_request(spare, PlannedRequest::Join(1));
        self.actions.push(Action::Connect(spare));
        self.request(spare, PlannedRequest::Token { bot, nth: 0 });
        self.read_history(spare, None);
    }
}
