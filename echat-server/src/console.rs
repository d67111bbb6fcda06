//! The commands of the server's own terminal, and their answers.

use crate::clock::Now;
use crate::conn::ConnId;
use crate::engine::Engine;
use crate::escape::escape;
use crate::roster::Online;
use crate::storage::StoreError;

/// Lines that one answer lists at most.
const LINES: usize = LISTED as usize;
const LISTED: u32 = 200;

/// The answer to a typed line.
#[derive(Debug, PartialEq, Eq)]
pub enum Response {
    /// Text to print, with its newline.
    Text(String),
    /// The server stops, as after SIGTERM.
    Quit,
}

/// A command of the terminal.
struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&mut Engine, Now) -> Result<Response, StoreError>,
}

macro_rules! console {
    ($(#[command($about:literal)] $name:ident;)*) => {
        const COMMANDS: &[Command] =
            &[$(Command { name: stringify!($name), about: $about, run: $name }),*];
    };
}

console! {
    #[command("lists these commands")]                  help;
    #[command("accounts, and which of them are online")] users;
    #[command("who is logged in, and from where")]      sessions;
    #[command("rooms, their owners and sizes")]         rooms;
    #[command("users by bytes sent in 24 hours, most first")]    quota;
    #[command("stops the server, as SIGTERM does")]     quit;
}

/// Runs the command of a typed line.
pub fn run(engine: &mut Engine, line: &str, now: Now) -> Response {
    let word = line.trim();
    if word.is_empty() {
        return Response::Text(String::new());
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == word) else {
        return Response::Text(format!("{}: unknown command; try help\n", escape(word)));
    };
    (command.run)(engine, now)
        .unwrap_or_else(|error| listed([error.to_string()].into_iter(), false))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one form")]
fn help(_: &mut Engine, _: Now) -> Result<Response, StoreError> {
    let line = |command: &Command| format!("{:<10}{}", command.name, command.about);
    Ok(listed(COMMANDS.iter().map(line), false))
}

fn users(engine: &mut Engine, _: Now) -> Result<Response, StoreError> {
    let mut users = engine.store().batch().users(LISTED + 1)?;
    let more = users.len() > LINES;
    users.truncate(LINES);
    let line = |user: crate::storage::User| {
        let online = if engine.roster().is_online(user.id) {
            "online"
        } else {
            ""
        };
        format!("{:<20} {online}", user.name).trim_end().to_owned()
    };
    Ok(listed(users.into_iter().map(line), more))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one form")]
fn sessions(engine: &mut Engine, _: Now) -> Result<Response, StoreError> {
    let sessions: Vec<_> = engine.roster().sessions().take(LINES + 1).collect();
    let line = |(conn, online): &(ConnId, &Online)| {
        let address = engine.address(*conn);
        let address = address.map_or_else(String::new, |address| address.to_string());
        format!("{:<8} {:<20} {address}", conn.to_string(), online.name)
    };
    let more = sessions.len() > LINES;
    Ok(listed(sessions.iter().take(LINES).map(line), more))
}

fn rooms(engine: &mut Engine, _: Now) -> Result<Response, StoreError> {
    let mut rooms = engine.store().batch().rooms(LISTED + 1)?;
    let more = rooms.len() > LINES;
    rooms.truncate(LINES);
    let line = |room: (String, String, u64)| {
        let (name, owner, members) = room;
        format!("{name:<20} {owner:<20} {members} members")
    };
    Ok(listed(rooms.into_iter().map(line), more))
}

fn quota(engine: &mut Engine, now: Now) -> Result<Response, StoreError> {
    let mut most = engine.most_stored(LINES + 1, now)?;
    let more = most.len() > LINES;
    most.truncate(LINES);
    let line = |(name, bytes): (String, u64)| format!("{name:<20} {bytes}");
    Ok(listed(most.into_iter().map(line), more))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one form")]
fn quit(_: &mut Engine, _: Now) -> Result<Response, StoreError> {
    Ok(Response::Quit)
}

fn listed(lines: impl Iterator<Item = String>, more: bool) -> Response {
    let mut text = String::new();
    for line in lines {
        text.push_str(&escape(&line));
        text.push('\n');
    }
    if text.is_empty() {
        text.push_str("none\n");
    }
    if more {
        text.push_str("... and more\n");
    }
    Response::Text(text)
}
