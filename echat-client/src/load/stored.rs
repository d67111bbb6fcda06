//! Size, start, backup, login and pages of history when much is stored.

use std::time::Duration;

use clap::Args;
use echat_proto::commands::Request;
use echat_proto::names::NameQuery;
use echat_proto::param::TargetType;

use super::Failure;
use super::crowd::{Crowd, Rooms, Talk};
use super::figure::{Figure, number};
use super::people::{ask, connect, join, join_room, log_in, log_out};
use super::server::{Scene, Server};

/// Messages under way while the database is filled.
const WINDOW: u64 = 64;
/// The room that holds them.
const ROOM: &str = "load-room";
/// The user who reads; the first one wrote.
const READER: usize = 1;

/// How often the server is started, and how many backups are made; the median counts.
const STARTS: usize = 3;

/// Size, start, backup, login and pages of history when much is stored.
#[derive(Debug, Args)]
pub(super) struct Stored {
    /// Messages in the one room of a user who has read none of them.
    #[arg(long, default_value_t = 10)]
    messages: u64,
    /// How often each thing is measured; the median counts.
    #[arg(long, default_value_t = 50)]
    times: usize,
}

impl Stored {
    pub(super) fn run(&self, scene: &Scene) -> Result<Vec<Figure>, Failure> {
        let clock = &scene.clock;
        let mut server = scene.start()?;
        let mut writer = Crowd::gather(&server, 1, Rooms::Shared, clock)?;
        let mut reader = join(server.address()?, READER, clock)?;
        join_room(&mut reader, ROOM, clock)?;
        // The server closes a connection that is without a login for a minute, and the talk may take longer.
        drop(reader);
        let talk = Talk {
            senders: 1,
            messages: self.messages,
            window: WINDOW,
        };
        writer.talk(&talk)?;
        drop(writer);
        let of = format!("with {} messages stored", self.messages);
        let mut figures = files(&mut server, scene, &of)?;
        let mut reader = connect(server.address()?, clock)?;

        let logins = (0..self.times).map(|_| {
            let started = clock.now();
            log_in(&mut reader, READER, clock)?;
            let lasted = clock.now().saturating_sub(started);
            log_out(&mut reader, clock)?;
            Ok::<_, Failure>(lasted)
        });
        let logins = logins.collect::<Result<_, _>>()?;
        log_in(&mut reader, READER, clock)?;
        let mut page = |before: Option<u64>, after: Option<u64>, everywhere: bool| {
            let request = Request::QueryHistory {
                target_type: (!everywhere).then_some(TargetType::Room),
                target: (!everywhere).then(|| NameQuery::new(ROOM)),
                before,
                after,
                limit: None,
                around: None,
                at: None,
            };
            (0..self.times)
                .map(|_| {
                    let started = clock.now();
                    ask(&mut reader, &request, clock)?;
                    Ok(clock.now().saturating_sub(started))
                })
                .collect::<Result<Vec<Duration>, Failure>>()
        };
        let middle = Some(self.messages / 2);
        figures.extend([
            Figure::median(format!("login {of}"), logins),
            Figure::median(format!("newest page {of}"), page(None, None, false)?),
            Figure::median(
                format!("page in the middle {of}"),
                page(middle, None, false)?,
            ),
            Figure::median(format!("catching up {of}"), page(None, middle, true)?),
        ]);
        Ok(figures)
    }
}

/// What the database takes on the disk, and the time of a backup and of a start after a kill. The server listens again
/// at the end.
fn files(server: &mut Server, scene: &Scene, of: &str) -> Result<Vec<Figure>, Failure> {
    let clock = &scene.clock;
    let mut timed = |act: &mut dyn FnMut(&mut Server) -> Result<(), Failure>| {
        (0..STARTS)
            .map(|_| {
                let begun = clock.now();
                act(server)?;
                Ok(clock.now().saturating_sub(begun))
            })
            .collect::<Result<Vec<Duration>, Failure>>()
    };
    let backups = timed(&mut |server| server.back_up(scene).map(drop))?;
    let starts = timed(&mut |server| server.restart(scene))?;
    let megabytes = number(server.database_bytes()?) / 1e6;
    Ok(vec![
        Figure::new(format!("database and log {of}"), megabytes, "MB"),
        Figure::median(format!("a backup {of}"), backups),
        Figure::median(format!("a start after a kill {of}"), starts),
    ])
}
