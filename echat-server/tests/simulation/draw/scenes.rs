//! Scenes: a few requests that lead to states which single requests rarely reach.

use super::pick;
use crate::plan::{
    Action, LOBBY, OfAccount, OfBot, OfCode, OfMessage, OfPeople, OfRoom, OfSearch, PEOPLE,
    PlannedRequest, ROOMS, Role, SEATS, Seat, Setting, Target, Term, USERS, Word,
};
use rand::RngExt;
use rand::rngs::StdRng;

/// The clients that are there from the beginning.
#[derive(Clone, Copy)]
pub(super) struct Cast {
    pub(super) present: usize,
    pub(super) sessions: usize,
}

impl Cast {
    /// The user of a client.
    pub(super) fn user(self, seat: Seat) -> usize {
        seat / self.sessions
    }

    /// Another client, mostly of another user.
    fn other(self, rng: &mut StdRng, seat: Seat) -> Seat {
        let away = rng.random_range(1..self.present.max(2));
        (seat + away) % self.present
    }

    /// A client that is not there from the beginning, or one that is.
    fn spare(self, rng: &mut StdRng) -> Seat {
        if self.present < SEATS {
            rng.random_range(self.present..SEATS)
        } else {
            rng.random_range(0..SEATS)
        }
    }
}

/// One of the scenes.
pub(super) fn scene(rng: &mut StdRng, seat: Seat, cast: Cast) -> Vec<Action> {
    let mut scene = Scene {
        cast,
        one: seat,
        two: cast.other(rng, seat),
        actions: Vec::new(),
        rng,
    };
    match scene.rng.random_range(0..30) {
        19 | 20 => scene.codes(),
        21..25 => scene.changing(),
        25..28 => scene.searching(),
        28 | 29 => scene.devices(),
        0 | 1 => scene.removal(),
        2 | 3 => scene.private(),
        4 | 5 => scene.roles(),
        6 | 7 => scene.rules(),
        8 | 9 => scene.blocking(),
        10 | 11 => scene.parting(),
        12 | 13 => scene.passwords(),
        14 => scene.ending(),
        15 => scene.suspension(),
        _ => scene.bots(),
    }
    scene.actions
}

struct Scene<'r> {
    cast: Cast,
    one: Seat,
    two: Seat,
    actions: Vec<Action>,
    rng: &'r mut StdRng,
}

impl Scene<'_> {
    fn me(&self) -> usize {
        self.cast.user(self.one)
    }

    fn you(&self) -> usize {
        self.cast.user(self.two)
    }

    fn chance(&mut self, of: u32) -> bool {
        self.rng.random_range(0..of) == 0
    }

    /// Mostly alone, so that the answer is known exactly.
    fn say(&mut self, seat: Seat, planned: PlannedRequest) {
        let action = if self.chance(4) {
            Action::Say(seat, vec![planned])
        } else {
            Action::Ask(seat, planned)
        };
        self.actions.push(action);
    }

    /// Says it, perhaps.
    fn may(&mut self, seat: Seat, planned: PlannedRequest) {
        if self.chance(2) {
            self.say(seat, planned);
        }
    }

    /// What both say at once, in one tick.
    fn both(&mut self, one: PlannedRequest, two: PlannedRequest) {
        let planned = vec![(self.one, vec![one]), (self.two, vec![two])];
        self.actions.push(Action::Together(planned));
    }

    fn room(&mut self) -> usize {
        super::room(self.rng)
    }

    fn send(&mut self, seat: Seat, to: Target) {
        let planned = PlannedRequest::Send {
            to,
            number: self.rng.random_range(0..250),
            size: 5,
            txn: true,
            reply: None,
        };
        self.say(seat, planned);
    }

    fn look(&mut self, seat: Seat, of: Option<Target>) {
        let planned = PlannedRequest::History {
            of,
            from_known: false,
            limit: 30,
        };
        self.say(seat, planned);
    }

    /// Makes sure that the first owns a room, which may be there already.
    fn owned(&mut self, private: bool) -> usize {
        let room = self.room();
        let members = if self.chance(2) {
            vec![self.you()]
        } else {
            vec![]
        };
        self.say(self.one, PlannedRequest::Create(room, members, private));
        if !private {
            self.say(self.two, PlannedRequest::Join(room));
        }
        room
    }

    /// A message is edited, answered, reacted to and deleted, and members come and go.
    fn changing(&mut self) {
        let (me, you) = (self.me(), self.you());
        let target = if self.chance(4) {
            self.may(self.two, PlannedRequest::Befriend(me));
            self.may(self.one, PlannedRequest::Befriend(you));
            Target::User(you)
        } else {
            Target::Room(self.owned(false))
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
        self.say(self.one, send.clone());
        for _ in 0..self.rng.random_range(2..8) {
            let (seat, other) = if self.chance(2) {
                (self.one, self.two)
            } else {
                (self.two, self.one)
            };
            match (self.rng.random_range(0..15), target) {
                (0..6, _) => {
                    let change = self.change();
                    self.say(seat, change.clone());
                    // What is already so is told to no user.
                    self.may(seat, change);
                }
                (6, _) => {
                    let (one, two) = (self.change(), self.change());
                    self.both(one, two);
                }
                (7, _) => self.say(self.one, send.clone()),
                (8, _) => self.answer(seat, target),
                (9, _) => self.edit_fast(seat, target),
                (10, _) => self.block_and_name(seat, other, target),
                (11, Target::Room(_)) => {
                    // The owner may delete what a member wrote.
                    self.send(self.two, target);
                    self.say(self.one, PlannedRequest::Message(OfMessage::Delete(0)));
                }
                (12.., Target::Room(room)) => self.upset(seat, room),
                (_, Target::User(_)) => {
                    let other = self.cast.user(other);
                    self.say(seat, PlannedRequest::People(OfPeople::Unfriend(other)));
                }
                (_, Target::Room(_)) => unreachable!("all numbers are above"),
            }
            let around = PlannedRequest::Around {
                of: target,
                nth: self.rng.random_range(0..4),
                limit: self.rng.random_range(1..6),
            };
            self.may(self.one, around);
            self.may(self.two, PlannedRequest::Mentions(5));
            self.may(other, PlannedRequest::Rooms);
            if matches!(target, Target::Room(_)) {
                self.may(other, PlannedRequest::Read(target));
            }
        }
        self.look(self.two, None);
        self.look(self.one, None);
    }

    /// Messages are found by their words, before they are indexed and after, and not when the words are gone, or the
    /// reader.
    fn searching(&mut self) {
        let room = self.owned(false);
        let (to, you) = (Target::Room(room), self.you());
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
            self.say(self.one, send);
            numbers.push(number);
        }
        for _ in 0..self.rng.random_range(1..4) {
            if self.chance(2) {
                // They are indexed.
                self.actions.push(Action::Wait(400));
            }
            self.seek(&numbers, to);
            let nth = self.rng.random_range(0..3);
            let new = self.rng.random_range(0..40);
            let planned = match self.rng.random_range(0..8) {
                0..3 => PlannedRequest::Message(OfMessage::Edit(nth, new)),
                3..5 => PlannedRequest::Message(OfMessage::Delete(nth)),
                5 => PlannedRequest::Room(OfRoom::Kick(room, you)),
                6 => PlannedRequest::Room(OfRoom::Set(room, Setting::Keep(Some(1)))),
                _ => PlannedRequest::Room(OfRoom::Close(room)),
            };
            let back = matches!(planned, PlannedRequest::Room(OfRoom::Kick(..)));
            if matches!(planned, PlannedRequest::Room(OfRoom::Set(..))) {
                let seconds = *pick(self.rng, &[86_399, 86_401, 86_401]);
                self.actions.push(Action::Jump(seconds));
            }
            numbers.push(new);
            self.say(self.one, planned);
            self.seek(&numbers, to);
            if back {
                self.may(self.two, PlannedRequest::Join(room));
            }
        }
        self.seek(&numbers, to);
    }

    /// Both search for what was said.
    fn seek(&mut self, numbers: &[u8], to: Target) {
        for seat in [self.one, self.two] {
            let number = *pick(self.rng, numbers);
            let terms = [
                Term::Number(number),
                Term::Number(number),
                Term::Word(number),
                Term::Character(number),
                Term::Phrase(number),
            ];
            let search = OfSearch {
                terms: vec![*pick(self.rng, &terms)],
                of: self.chance(3).then_some(to),
                limit: self.rng.random_range(1..4),
                ..OfSearch::default()
            };
            self.say(seat, PlannedRequest::Search(search));
            self.may(seat, PlannedRequest::SearchOn);
        }
    }

    /// More edits than the rate allows where it is small.
    fn edit_fast(&mut self, seat: Seat, target: Target) {
        let edit = |n| PlannedRequest::Message(OfMessage::Edit(0, n));
        self.send(seat, target);
        let edits = (0..6).map(edit).collect();
        self.actions.push(Action::Say(seat, edits));
    }

    fn change(&mut self) -> PlannedRequest {
        PlannedRequest::Message(super::of_message(self.rng))
    }

    fn answer(&mut self, seat: Seat, target: Target) {
        let to = match target {
            Target::User(_) if seat == self.two => Target::User(self.me()),
            other => other,
        };
        let answer = PlannedRequest::Send {
            to,
            number: self.rng.random(),
            size: 5,
            txn: true,
            reply: Some(self.rng.random_range(0..3)),
        };
        self.say(seat, answer);
    }

    /// One blocks the other, or blocks no more, and is named by the other.
    fn block_and_name(&mut self, seat: Seat, other: Seat, target: Target) {
        let whom = self.cast.user(other);
        let block = if self.chance(3) {
            OfPeople::Unblock(whom)
        } else {
            OfPeople::Block(whom)
        };
        self.say(seat, PlannedRequest::People(block));
        if matches!(target, Target::Room(_)) {
            let named = u8::try_from(self.cast.user(seat)).expect("few users");
            let send = PlannedRequest::Send {
                to: target,
                number: 4 * named + 3,
                size: 5,
                txn: false,
                reply: None,
            };
            self.say(other, send);
            self.say(seat, PlannedRequest::Rooms);
            self.say(seat, PlannedRequest::Mentions(5));
        }
    }

    /// Members of a room come and go, or may do other things than before.
    fn upset(&mut self, seat: Seat, room: usize) {
        let you = self.you();
        match self.rng.random_range(0..4) {
            0 => {
                self.say(seat, PlannedRequest::Part(room));
                self.say(seat, PlannedRequest::Join(room));
            }
            1 => self.say(self.one, PlannedRequest::Room(OfRoom::Kick(room, you))),
            of => {
                let read_only = Setting::ReadOnly(!self.chance(3));
                let role = *pick(self.rng, &[Role::Operator, Role::Member]);
                let planned = match of {
                    2 => OfRoom::Set(room, read_only),
                    _ => OfRoom::SetRole(room, you, role),
                };
                self.send(self.two, Target::Room(room));
                self.say(self.one, PlannedRequest::Room(planned));
                let own = OfMessage::Edit(0, self.rng.random());
                self.say(self.two, PlannedRequest::Message(own));
                let react = OfMessage::React(0, 0, true);
                self.say(self.two, PlannedRequest::Message(react));
            }
        }
    }

    /// A member is kicked or banned, and comes back as soon as possible, or sooner.
    fn removal(&mut self) {
        let room = self.owned(false);
        let you = self.you();
        let seconds = *pick(self.rng, &[None, Some(1), Some(5), Some(5), Some(60)]);
        let ban = PlannedRequest::Room(OfRoom::Ban(room, you, seconds));
        let removes = if self.chance(3) {
            PlannedRequest::Room(OfRoom::Kick(room, you))
        } else {
            ban
        };
        if self.chance(3) {
            let sends = PlannedRequest::Send {
                to: Target::Room(room),
                number: self.rng.random_range(0..250),
                size: 5,
                txn: true,
                reply: None,
            };
            self.both(removes, sends);
        } else {
            self.say(self.one, removes);
        }
        self.send(self.one, Target::Room(room));
        self.may(self.two, PlannedRequest::Join(room));
        self.may(self.one, PlannedRequest::Room(OfRoom::Bans(room)));
        self.may(self.one, PlannedRequest::Room(OfRoom::Invite(room, you)));
        self.may(self.one, PlannedRequest::Add(room, vec![you]));
        match self.rng.random_range(0..4) {
            0 => self.say(self.one, PlannedRequest::Room(OfRoom::Unban(room, you))),
            1 => self.actions.push(Action::Jump(100)),
            _ => self.actions.push(Action::Wait(7_000)),
        }
        self.say(self.two, PlannedRequest::Join(room));
        self.look(self.two, Some(Target::Room(room)));
        self.look(self.two, None);
        self.may(self.one, PlannedRequest::Room(OfRoom::Bans(room)));
        self.may(self.two, PlannedRequest::Rooms);
    }

    /// A room that is private, or becomes so, and one who is let in, or not.
    fn private(&mut self) {
        let room = self.owned(true);
        let (you, name) = (self.you(), ROOMS[room]);
        if self.chance(3) {
            let set = OfRoom::Set(room, Setting::Private(true));
            self.say(self.one, PlannedRequest::Room(set));
        }
        self.say(self.one, PlannedRequest::Room(OfRoom::Kick(room, you)));
        let strangers = [
            PlannedRequest::Find(name),
            PlannedRequest::Room(OfRoom::Info(room)),
            PlannedRequest::Join(room),
            PlannedRequest::Room(OfRoom::Public),
            PlannedRequest::Room(OfRoom::Invite(room, self.me())),
            PlannedRequest::People(OfPeople::WhoIs(self.me())),
            PlannedRequest::Members(room),
            PlannedRequest::Create(room, vec![], false),
            PlannedRequest::Room(OfRoom::Decline(room)),
        ];
        for planned in strangers {
            self.may(self.two, planned);
        }
        self.say(self.one, PlannedRequest::Room(OfRoom::Invite(room, you)));
        self.may(self.two, PlannedRequest::Room(OfRoom::Info(room)));
        match self.rng.random_range(0..5) {
            0 => self.say(self.two, PlannedRequest::Room(OfRoom::Decline(room))),
            1 => self.say(self.one, PlannedRequest::Room(OfRoom::Ban(room, you, None))),
            2 => self.say(self.one, PlannedRequest::People(OfPeople::Block(you))),
            3 => self.say(self.two, PlannedRequest::People(OfPeople::Block(self.me()))),
            _ => {}
        }
        self.say(self.two, PlannedRequest::Join(room));
        self.may(self.two, PlannedRequest::Room(OfRoom::Info(room)));
        let third = self.rng.random_range(0..PEOPLE);
        self.say(self.two, PlannedRequest::Room(OfRoom::Invite(room, third)));
        self.may(self.two, PlannedRequest::Part(room));
        self.say(self.two, PlannedRequest::Join(room));
    }

    /// A member becomes an operator and is one no longer; the room passes on.
    fn roles(&mut self) {
        let room = self.owned(false);
        let (me, you) = (self.me(), self.you());
        let role = |user, role| PlannedRequest::Room(OfRoom::SetRole(room, user, role));
        self.say(self.one, role(you, Role::Operator));
        let third = self.rng.random_range(0..PEOPLE);
        let acts = [
            PlannedRequest::Room(OfRoom::Set(room, Setting::Topic(self.rng.random()))),
            PlannedRequest::Room(OfRoom::Kick(room, third)),
            PlannedRequest::Room(OfRoom::Kick(room, me)),
            PlannedRequest::Room(OfRoom::Ban(room, third, None)),
            PlannedRequest::Room(OfRoom::Unban(room, third)),
            PlannedRequest::Room(OfRoom::Bans(room)),
            PlannedRequest::Room(OfRoom::Set(room, Setting::Private(true))),
            PlannedRequest::Room(OfRoom::Close(room)),
        ];
        let act = |scene: &mut Self| {
            let act = pick(scene.rng, &acts).clone();
            scene.say(scene.two, act);
        };
        act(self);
        if self.chance(2) {
            self.say(self.one, role(you, Role::Member));
            act(self);
            act(self);
        }
        match self.rng.random_range(0..5) {
            0 => {
                self.say(self.one, role(you, Role::Owner));
                self.say(self.one, PlannedRequest::Room(OfRoom::Close(room)));
                self.say(self.two, role(me, Role::Member));
            }
            1 => self.both(role(you, Role::Member), acts[1].clone()),
            2 => self.say(self.one, PlannedRequest::Room(OfRoom::Close(room))),
            _ => {
                self.say(self.one, PlannedRequest::Part(room));
                act(self);
                self.may(self.two, PlannedRequest::Room(OfRoom::Info(room)));
            }
        }
        self.may(self.one, PlannedRequest::Room(OfRoom::Info(room)));
        self.look(self.one, None);
        self.may(self.two, PlannedRequest::Create(room, vec![], false));
    }

    /// A room in which not every member may always write, under another name perhaps.
    fn rules(&mut self) {
        let mut room = self.owned(false);
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
            let speaker = if self.chance(4) { self.two } else { self.one };
            self.say(speaker, PlannedRequest::Room(OfRoom::Set(room, set)));
            if let Setting::Name(new) = set {
                room = new;
            }
            self.send(self.two, Target::Room(room));
            if self.chance(2) {
                self.actions.push(Action::Wait(1_500));
            }
            self.send(self.two, Target::Room(room));
            self.may(self.two, PlannedRequest::Room(OfRoom::Info(room)));
        }
        if self.chance(3) {
            let seat = self.two;
            self.actions.push(Action::Resend(seat));
        }
        if self.chance(3) {
            let keep = OfRoom::Set(room, Setting::Keep(Some(1)));
            self.say(self.one, PlannedRequest::Room(keep));
            self.send(self.two, Target::Room(room));
            self.actions.push(Action::Jump(86_401));
            self.look(self.one, Some(Target::Room(room)));
        }
    }

    /// One blocks another, who goes on as if nothing were.
    fn blocking(&mut self) {
        let (me, you) = (self.me(), self.you());
        let room = self.room();
        self.may(self.two, PlannedRequest::Befriend(me));
        self.may(self.one, PlannedRequest::Befriend(you));
        self.say(self.two, PlannedRequest::Members(room));
        self.say(self.one, PlannedRequest::People(OfPeople::Block(you)));
        let second = [
            PlannedRequest::Befriend(me),
            PlannedRequest::Befriend(me),
            PlannedRequest::Resolve(me, true),
            PlannedRequest::Room(OfRoom::Invite(room, me)),
            PlannedRequest::People(OfPeople::WhoIs(me)),
            PlannedRequest::Members(room),
            PlannedRequest::Find(USERS[me]),
            PlannedRequest::Create(1, vec![me], false),
            PlannedRequest::Add(room, vec![me]),
        ];
        let first = [
            PlannedRequest::Befriend(you),
            PlannedRequest::Resolve(you, true),
            PlannedRequest::People(OfPeople::WhoIs(you)),
            PlannedRequest::People(OfPeople::Blocked),
            PlannedRequest::Join(room),
            PlannedRequest::Account(OfAccount::Away(Some(1))),
            PlannedRequest::Room(OfRoom::Invite(room, you)),
        ];
        for _ in 0..self.rng.random_range(1..5) {
            let (one, two) = (
                pick(self.rng, &first).clone(),
                pick(self.rng, &second).clone(),
            );
            self.may(self.one, one);
            self.say(self.two, two);
        }
        if self.chance(2) {
            // The blocker goes and comes, and the blocked one hears nothing.
            self.say(self.one, PlannedRequest::Logout);
            let login = PlannedRequest::Login {
                user: me,
                password: Word::Right,
            };
            self.say(self.one, login);
        }
        self.may(self.two, PlannedRequest::Members(room));
        self.send(self.two, Target::Room(room));
        if self.chance(2) {
            self.say(self.one, PlannedRequest::People(OfPeople::Unblock(you)));
            self.may(self.one, PlannedRequest::Resolve(you, true));
            self.may(self.two, PlannedRequest::Members(room));
            self.may(self.two, PlannedRequest::Befriend(me));
        }
    }

    /// Friends part, and make it up, perhaps.
    fn parting(&mut self) {
        let (me, you) = (self.me(), self.you());
        let (to_you, to_me) = (Target::User(you), Target::User(me));
        self.say(self.one, PlannedRequest::Befriend(you));
        self.say(self.two, PlannedRequest::Befriend(me));
        self.send(self.one, to_you);
        let parts = PlannedRequest::People(OfPeople::Unfriend(you));
        if self.chance(3) {
            let sends = PlannedRequest::Send {
                to: to_me,
                number: self.rng.random_range(0..250),
                size: 5,
                txn: true,
                reply: None,
            };
            self.both(parts, sends);
        } else {
            self.say(self.one, parts);
        }
        self.send(self.two, to_me);
        self.look(self.two, Some(to_me));
        self.look(self.one, None);
        self.may(self.two, PlannedRequest::Read(to_me));
        self.may(self.one, PlannedRequest::People(OfPeople::Friends));
        self.may(self.two, PlannedRequest::Befriend(me));
        self.may(self.one, PlannedRequest::Befriend(you));
        self.send(self.one, to_you);
        self.look(self.two, Some(to_me));
    }

    /// Passwords change and sessions end: what opened them opens nothing more.
    fn passwords(&mut self) {
        let me = self.me();
        let spare = self.cast.spare(self.rng);
        self.actions.push(Action::Connect(spare));
        let login = |password| PlannedRequest::Login { user: me, password };
        if self.chance(2) {
            self.say(spare, login(Word::Right));
        }
        let word = *pick(
            self.rng,
            &[
                Word::Right,
                Word::Right,
                Word::Right,
                Word::Other,
                Word::Wrong,
            ],
        );
        let planned = match self.rng.random_range(0..4) {
            0 => PlannedRequest::Account(OfAccount::EndOthers),
            1 => PlannedRequest::Account(OfAccount::Sessions),
            _ => PlannedRequest::Account(OfAccount::ChangePassword(word)),
        };
        self.say(self.one, planned);
        self.actions.push(Action::Connect(spare));
        for _ in 0..self.rng.random_range(1..4) {
            let nth = self.rng.random_range(0..3);
            let tries = [
                login(Word::Other),
                login(Word::Right),
                PlannedRequest::Resume { user: me, nth },
            ];
            let planned = pick(self.rng, &tries).clone();
            self.say(spare, planned);
        }
        self.may(self.one, PlannedRequest::Account(OfAccount::Sessions));
        let shows = self.chance(2);
        self.may(self.one, PlannedRequest::Account(OfAccount::Privacy(shows)));
        self.may(self.two, PlannedRequest::People(OfPeople::WhoIs(me)));
        self.may(self.two, PlannedRequest::People(OfPeople::Friends));
    }

    /// Guesses at a password from the address of its owner, and a login from the owner's device, which has tries of its own
    /// until it is forgotten: with the password, for others, or after 90 days.
    fn devices(&mut self) {
        let me = self.me();
        // Two clients have one address.
        let neighbour = self.one ^ 1;
        self.actions.push(Action::Reset(neighbour));
        self.actions.push(Action::Connect(neighbour));
        let login = |password| PlannedRequest::Login { user: me, password };
        let change = PlannedRequest::Account(OfAccount::ChangePassword(Word::Right));
        match self.rng.random_range(0..8) {
            0 => self.say(self.one, change),
            1 => {
                let days = 90 * 86_400 + self.rng.random_range(-2..3);
                self.actions.push(Action::Jump(days));
            }
            2 => {
                let each = [login(Word::Right), PlannedRequest::Logout];
                let many = each.iter().cycle().take(44).cloned();
                self.actions.push(Action::Say(neighbour, many.collect()));
                self.actions.push(Action::Calm);
            }
            3 => {
                let wrong = OfAccount::ChangePassword(Word::Wrong);
                let wrong = PlannedRequest::Account(wrong);
                self.actions.push(Action::Say(self.one, vec![wrong; 7]));
            }
            _ => {}
        }
        if self.chance(2) {
            let guesses = vec![login(Word::Wrong); self.rng.random_range(5..9)];
            self.actions.push(Action::Say(neighbour, guesses));
            self.actions.push(Action::Wait(500));
        }
        self.may(self.one, PlannedRequest::Account(OfAccount::Sessions));
        self.say(self.one, PlannedRequest::Logout);
        self.say(self.one, login(Word::Right));
        self.may(self.two, PlannedRequest::Logout);
        self.may(self.two, login(Word::Right));
        if self.chance(2) {
            self.say(self.one, PlannedRequest::Account(OfAccount::EndOthers));
        }
        self.say(self.one, PlannedRequest::Account(OfAccount::Sessions));
    }

    /// An account ends, and its name with it.
    fn ending(&mut self) {
        let me = self.me();
        let room = self.room();
        self.send(self.one, Target::Room(room));
        self.may(self.one, PlannedRequest::Befriend(self.you()));
        let delete = PlannedRequest::Account(OfAccount::Delete {
            password: *pick(
                self.rng,
                &[Word::Right, Word::Right, Word::Right, Word::Wrong],
            ),
            erase: self.rng.random_range(0..2) == 0,
        });
        self.say(self.one, delete);
        self.may(self.one, PlannedRequest::Register(me));
        let login = PlannedRequest::Login {
            user: me,
            password: Word::Right,
        };
        self.may(self.one, login);
        let after = [
            PlannedRequest::People(OfPeople::WhoIs(me)),
            PlannedRequest::Find(USERS[me]),
            PlannedRequest::Befriend(me),
            PlannedRequest::Members(room),
            PlannedRequest::Room(OfRoom::Info(room)),
            PlannedRequest::Rooms,
            PlannedRequest::Find("deleted"),
        ];
        for planned in after {
            self.may(self.two, planned);
        }
        self.look(self.two, Some(Target::Room(room)));
        self.look(self.two, None);
    }

    /// One makes a code, and others register with it: at once, too often, too late, or in vain.
    fn codes(&mut self) {
        let seconds = *pick(self.rng, &[None, None, Some(5), Some(600)]);
        let make = OfCode::Make(self.rng.random_range(1..3), seconds);
        self.say(self.one, PlannedRequest::Code(make));
        self.may(self.one, PlannedRequest::Code(OfCode::List));
        // New accounts are in the lobby while it has a place.
        if self.chance(2) {
            for seat in 0..self.cast.present {
                self.say(seat, PlannedRequest::Join(LOBBY));
            }
        }
        if self.chance(4) {
            self.may(self.two, PlannedRequest::Code(OfCode::Revoke(0)));
        }
        if self.chance(5) {
            self.actions
                .push(Action::Jump(self.rng.random_range(0..10)));
        }
        let seat = self.cast.spare(self.rng);
        self.actions.push(Action::Reset(seat));
        self.actions.push(Action::Connect(seat));
        let mut users: Vec<usize> = (0..PEOPLE).collect();
        for _ in 0..self.rng.random_range(1..4) {
            let user = users.remove(self.rng.random_range(0..users.len()));
            let nth = *pick(self.rng, &[0, 0, 0, 0, 1, 99]);
            self.say(seat, PlannedRequest::RegisterBy { user, nth });
            self.may(seat, PlannedRequest::Register(user));
            if self.chance(3) {
                let login = PlannedRequest::Login {
                    user,
                    password: Word::Right,
                };
                self.say(seat, login);
                self.may(seat, PlannedRequest::Rooms);
                self.may(seat, PlannedRequest::Members(LOBBY));
                self.say(seat, PlannedRequest::Logout);
            }
        }
        self.may(self.one, PlannedRequest::Code(OfCode::Revoke(0)));
        self.may(self.one, PlannedRequest::Code(OfCode::List));
    }

    /// A user is suspended, and comes back when it is over, or sooner.
    fn suspension(&mut self) {
        let me = self.me();
        let seconds = *pick(self.rng, &[None, Some(5), Some(600)]);
        self.may(self.two, PlannedRequest::Members(0));
        self.actions.push(Action::Suspend(me, seconds));
        self.actions.push(Action::Connect(self.one));
        let logins = [
            PlannedRequest::Login {
                user: me,
                password: Word::Right,
            },
            PlannedRequest::Resume { user: me, nth: 0 },
        ];
        let login = pick(self.rng, &logins).clone();
        self.say(self.one, login);
        let asks = [
            PlannedRequest::Befriend(me),
            PlannedRequest::People(OfPeople::WhoIs(me)),
            PlannedRequest::Room(OfRoom::Invite(0, me)),
            PlannedRequest::Members(0),
        ];
        for planned in asks {
            self.may(self.two, planned);
        }
        match self.rng.random_range(0..3) {
            0 => self.actions.push(Action::Pardon(me)),
            _ => self.actions.push(Action::Wait(7_000)),
        }
        let login = pick(self.rng, &logins).clone();
        self.say(self.one, login);
    }

    /// A bot is made, talks, gets another token, and goes.
    fn bots(&mut self) {
        let bot = self.rng.random_range(PEOPLE..USERS.len());
        let spare = self.cast.spare(self.rng);
        let room = if self.chance(2) {
            self.owned(false)
        } else {
            self.room()
        };
        let seconds = *pick(self.rng, &[None, None, Some(5), Some(600)]);
        let rooms = if self.chance(4) {
            vec![room, 1]
        } else {
            vec![room]
        };
        self.say(
            self.one,
            PlannedRequest::Bot(OfBot::Create(bot, rooms, seconds)),
        );
        let again = OfBot::Create(bot, vec![room], None);
        self.may(self.one, PlannedRequest::Bot(again));
        self.actions.push(Action::Connect(spare));
        self.say(spare, PlannedRequest::Token { bot, nth: 0 });
        self.say(spare, PlannedRequest::Members(room));
        self.send(spare, Target::Room(room));
        let shows = [
            PlannedRequest::People(OfPeople::WhoIs(bot)),
            PlannedRequest::Members(room),
            PlannedRequest::Bot(OfBot::List),
            PlannedRequest::Befriend(bot),
            PlannedRequest::Find(USERS[bot]),
        ];
        for _ in 0..2 {
            let planned = pick(self.rng, &shows).clone();
            self.may(self.two, planned.clone());
            self.may(self.one, planned);
        }
        let (me, you) = (self.me(), self.you());
        match self.rng.random_range(0..6) {
            0 | 1 => {
                self.say(self.one, PlannedRequest::Bot(OfBot::NewToken(bot, None)));
                self.actions.push(Action::Connect(spare));
                let nth = *pick(self.rng, &[1, 1, 0]);
                self.say(spare, PlannedRequest::Token { bot, nth });
            }
            2 => {
                let over = OfRoom::SetRole(room, you, Role::Owner);
                self.say(self.one, PlannedRequest::Room(over));
                let down = OfRoom::SetRole(room, me, Role::Member);
                self.say(self.two, PlannedRequest::Room(down));
            }
            3 => self.say(self.one, PlannedRequest::Part(room)),
            4 => self.say(self.one, PlannedRequest::Bot(OfBot::Remove(bot))),
            _ => self.actions.push(Action::Wait(6_000)),
        }
        self.send(spare, Target::Room(room));
        self.may(spare, PlannedRequest::Befriend(me));
        self.may(spare, PlannedRequest::Join(1));
        self.actions.push(Action::Connect(spare));
        self.say(spare, PlannedRequest::Token { bot, nth: 0 });
        self.look(spare, None);
    }
}
