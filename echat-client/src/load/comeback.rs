//! What it costs that all clients come back after a restart, and how long one that is back already then waits for its
//! acknowledgements.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use clap::Args;
use echat_proto::channel::Message;
use echat_proto::commands::{Event, Request};
use echat_proto::names::ResumeSecret;

use super::Failure;
use super::crowd::message;
use super::figure::{Figure, number};
use super::people::{ask, connect, each, login, make_room, pause, register};
use super::server::{Scene, Server};
use crate::clock::Clock;
use crate::net::link::Link;

/// How long a client waits after a connection that the server closed.
const BACK_OFF: Duration = Duration::from_millis(100);
/// The time between two messages of the bystander: the first user that the server accepts again.
const BETWEEN: Duration = Duration::from_millis(20);
/// That user's room.
const ROOM: &str = "load-room";

/// All clients come back after a restart.
#[derive(Debug, Args)]
pub(super) struct Comeback {
    /// How many users.
    #[arg(long, default_value_t = 2_000)]
    users: usize,
    /// How many of them connect at a time.
    #[arg(long, default_value_t = 64)]
    at_once: usize,
    /// They log in with passwords.
    #[arg(long)]
    passwords: bool,
    /// The limits for connections that are not logged in are the default ones: clients that the server closes try
    /// again.
    #[arg(long)]
    limited: bool,
}

/// What the clients share while they come back.
struct Shared<'a> {
    server: &'a Server,
    clock: &'a Clock,
    retries: AtomicU64,
    is_over: AtomicBool,
}

impl Comeback {
    pub(super) fn run(&self, scene: &Scene) -> Result<Vec<Figure>, Failure> {
        let clock = &scene.clock;
        let mut server = scene.start_limited(self.limited)?;
        // One more user: the bystander.
        let mut there = each(self.users + 1, |user| come(&server, user, clock))?;
        there.sort_by_key(|(user, _, _)| *user);
        if let Some((_, link, _)) = there.last_mut() {
            make_room(link, ROOM, clock)?;
        }
        server.restart(scene)?;
        let secrets: Vec<ResumeSecret> = there.into_iter().map(|(_, _, secret)| secret).collect();

        let shared = Shared {
            server: &server,
            clock,
            retries: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        };
        let (first, _) = self.comes_back(&shared, self.users, &secrets[self.users])?;
        let (started, before) = (clock.now(), server.cpu()?);
        let (back, waits) = thread::scope(|scope| {
            let bystander = scope.spawn(|| talk(first, &shared));
            let back = self.all_come_back(&shared, &secrets);
            let lasted = clock.now().saturating_sub(started);
            shared.is_over.store(true, Ordering::Relaxed);
            let waits = bystander.join().expect("it does not panic");
            Ok::<_, Failure>((back.map(|links| (links, lasted))?, waits?))
        })?;
        let ((links, lasted), cpu) = (back, server.cpu()?.saturating_sub(before));
        let users = self.users as u64;
        let retries = shared.retries.load(Ordering::Relaxed);
        drop(links);
        Ok(vec![
            Figure::new("all clients are back after", lasted.as_secs_f64(), "s"),
            Figure::rate("clients come back", users, lasted),
            Figure::cost("CPU a client that comes back", users, cpu),
            Figure::new("connections that were tried again", number(retries), ""),
            Figure::new(
                "messages of a user that is back",
                number(waits.len() as u64),
                "",
            ),
            Figure::percentile("acknowledged during it, p50", &waits, 50),
            Figure::percentile("acknowledged during it, p99", &waits, 99),
        ])
    }

    fn all_come_back(
        &self,
        shared: &Shared<'_>,
        secrets: &[ResumeSecret],
    ) -> Result<Vec<Link>, Failure> {
        let share = |first| -> Result<Vec<Link>, Failure> {
            let users = (first..self.users).step_by(self.at_once);
            let back = users.map(|user| self.comes_back(shared, user, &secrets[user]));
            back.map(|back| back.map(|(link, _)| link)).collect()
        };
        let share = &share;
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.at_once)
                .map(|first| scope.spawn(move || share(first)))
                .collect();
            let mut links = Vec::with_capacity(self.users);
            for thread in threads {
                links.extend(thread.join().expect("it does not panic")?);
            }
            Ok(links)
        })
    }

    /// Connects and logs in, again and again if the server closes the connection.
    fn comes_back(
        &self,
        shared: &Shared<'_>,
        user: usize,
        secret: &ResumeSecret,
    ) -> Result<(Link, ResumeSecret), Failure> {
        let secret = Some(secret.clone()).filter(|_| !self.passwords);
        let (address, clock) = (shared.server.address()?, shared.clock);
        loop {
            let back = connect(address, clock)
                .and_then(|link| logged_in(link, user, secret.clone(), clock));
            match back {
                Err(Failure::Closed | Failure::Connect(_) | Failure::Open(_)) => {
                    shared.retries.fetch_add(1, Ordering::Relaxed);
                    pause(clock, BACK_OFF)?;
                }
                back => return back,
            }
        }
    }
}

/// A new user with the number, and the secret of the login.
fn come(
    server: &Server,
    user: usize,
    clock: &Clock,
) -> Result<(usize, Link, ResumeSecret), Failure> {
    let mut link = connect(server.address()?, clock)?;
    register(&mut link, user, clock)?;
    let (link, secret) = logged_in(link, user, None, clock)?;
    Ok((user, link, secret))
}

/// Logs in, with the secret if there is one.
fn logged_in(
    mut link: Link,
    user: usize,
    secret: Option<ResumeSecret>,
    clock: &Clock,
) -> Result<(Link, ResumeSecret), Failure> {
    let bundle = ask(&mut link, &login(user, secret), clock)?;
    let secret = secret_in(&bundle).ok_or(Failure::Refused(bundle))?;
    Ok((link, secret))
}

fn secret_in(bundle: &Message) -> Option<ResumeSecret> {
    match Event::from_message(bundle)?.ok()? {
        Event::LoginBundle { resume, .. } => resume.filter(|secret| !secret.is_none()),
        _ => None,
    }
}

/// Sends messages until all are back; returns how long each waited for its acknowledgement.
fn talk(mut link: Link, shared: &Shared<'_>) -> Result<Vec<Duration>, Failure> {
    let mut waits = Vec::new();
    while !shared.is_over.load(Ordering::Relaxed) {
        let said: Request = message(ROOM);
        let at = shared.clock.now();
        ask(&mut link, &said, shared.clock)?;
        waits.push(shared.clock.now().saturating_sub(at));
        pause(shared.clock, BETWEEN)?;
    }
    Ok(waits)
}
