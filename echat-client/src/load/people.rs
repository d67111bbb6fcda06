//! Users: each a connection that asks and waits for the answer.

use std::thread;
use std::time::Duration;

use echat_proto::channel::{Incoming, Message};
use echat_proto::commands::{Ending, Request, ending};
use echat_proto::names::{NameQuery, Password, ResumeSecret, RoomName, Username};
use echat_proto::param::Names;
use echat_proto::param::NewPassword;

use super::Failure;
use super::failure::PATIENCE;
use crate::clock::Clock;
use crate::net::address::Address;
use crate::net::link::{Link, Unwatched};
use crate::net::socket::{Received, Socket};
use crate::net::trust::Trust;
use crate::net::wait::{Interest, WatchedFd, wait};

/// The password of every user of ours.
const PASSWORD: &str = "a load of horses";
/// Threads that connect users: enough to keep a small server's helpers busy.
const THREADS: usize = 4;

/// Does something for each of so many numbers, several at a time.
pub(super) fn each<T: Send>(
    count: usize,
    act: impl Fn(usize) -> Result<T, Failure> + Sync,
) -> Result<Vec<T>, Failure> {
    let act = &act;
    thread::scope(|scope| {
        let share = |first| (first..count).step_by(THREADS).map(act).collect();
        let threads: Vec<_> = (0..THREADS)
            .map(|first| scope.spawn(move || share(first)))
            .collect();
        let mut all = Vec::with_capacity(count);
        for thread in threads {
            let some: Result<Vec<T>, Failure> = thread.join().expect("it does not panic");
            all.extend(some?);
        }
        Ok(all)
    })
}

/// A connection without a login.
pub(super) fn connect(address: &Address, clock: &Clock) -> Result<Link, Failure> {
    let deadline = clock.now() + PATIENCE;
    let socket = Socket::connect(address, clock, deadline)?;
    // Nothing secret is said: any server will do.
    let trust = Trust {
        accept_new: true,
        ..Trust::default()
    };
    Ok(Link::open(socket, &trust, clock, deadline, &mut Unwatched)?)
}

/// A connection of a new user who is logged in.
pub(super) fn join(address: &Address, number: usize, clock: &Clock) -> Result<Link, Failure> {
    let mut link = connect(address, clock)?;
    register(&mut link, number, clock)?;
    log_in(&mut link, number, clock)?;
    Ok(link)
}

pub(super) fn register(link: &mut Link, number: usize, clock: &Clock) -> Result<(), Failure> {
    let register = Request::Register {
        username: Username::new(&name(number)).expect("a good name"),
        password: NewPassword(Password::new(PASSWORD).expect("a good password")),
        invitation: None,
    };
    ask(link, &register, clock).map(drop)
}

pub(super) fn log_in(link: &mut Link, number: usize, clock: &Clock) -> Result<(), Failure> {
    ask(link, &login(number, None), clock).map(drop)
}

/// The LOGIN of a user: with the secret, and without one with the password.
pub(super) fn login(number: usize, resume: Option<ResumeSecret>) -> Request {
    let password = || Password::presented(PASSWORD).expect("a good password");
    Request::Login {
        username: NameQuery::new(name(number)),
        password: resume.is_none().then(password),
        resume,
        device: None,
        messages: None,
        token: None,
    }
}

pub(super) fn log_out(link: &mut Link, clock: &Clock) -> Result<(), Failure> {
    ask(link, &Request::Logout {}, clock).map(drop)
}

pub(super) fn make_room(link: &mut Link, room: &str, clock: &Clock) -> Result<(), Failure> {
    let request = Request::CreateRoom {
        roomname: RoomName::new(room).expect("a good name"),
        members: Names(Vec::new()),
        private: None,
        topic: None,
    };
    ask(link, &request, clock).map(drop)
}

pub(super) fn join_room(link: &mut Link, room: &str, clock: &Clock) -> Result<(), Failure> {
    let request = Request::JoinRoom {
        roomname: NameQuery::new(room),
    };
    ask(link, &request, clock).map(drop)
}

/// The name of the user with this number.
pub(super) fn name(number: usize) -> String {
    format!("load-{number}")
}

/// Seals a request and writes what the system takes of it now.
pub(super) fn send(link: &mut Link, request: &Request) {
    let plain = request.to_message().encode();
    link.send(&plain.expect("requests have a wire form"), &mut Unwatched);
    link.socket().flush();
}

/// Sends a request and waits for its final reply; the error if it is a refusal.
pub(super) fn ask(link: &mut Link, request: &Request, clock: &Clock) -> Result<Message, Failure> {
    send(link, request);
    let number = request.kind().info().number;
    let deadline = clock.now() + PATIENCE;
    while clock.now() < deadline {
        let mut fds = [WatchedFd::new(&*link, Interest::Read)];
        wait(&mut fds, clock, Some(deadline))?;
        for message in received(link)? {
            match ending(number, &message) {
                Some(Ending::Done) => return Ok(message),
                Some(Ending::Refused) => return Err(Failure::Refused(message)),
                None => {}
            }
        }
    }
    Err(Failure::TimedOut)
}

/// Reads all that is there, and gives the messages that are whole.
pub(super) fn received(link: &mut Link) -> Result<Vec<Message>, Failure> {
    loop {
        match link.receive(&mut Unwatched) {
            Received::Bytes(_) => {}
            Received::Nothing => break,
            Received::End => return Err(Failure::Closed),
        }
    }
    let mut messages = Vec::new();
    while let Some(incoming) = link.next_frame(&mut Unwatched)? {
        for one in incoming {
            match one {
                Incoming::Message(message) => messages.push(message),
                Incoming::Close(_) => return Err(Failure::Closed),
                Incoming::Ping | Incoming::Pong => {}
            }
        }
    }
    Ok(messages)
}

/// Lets time pass.
pub(super) fn pause(clock: &Clock, time: Duration) -> Result<(), Failure> {
    Ok(wait(&mut [], clock, Some(clock.now() + time))?)
}
