//! Both ways of waiting, on whatever the client waits for: each has to find the same.

use std::fs::{File, OpenOptions};
use std::io::{PipeWriter, Write, pipe};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::*;

type Sleep = fn(&mut [WatchedFd<'_>], Option<Duration>) -> io::Result<()>;
const WAYS: [(&str, Sleep); 2] = [("poll", poll::sleep), ("select", select::sleep)];
const READY: Readiness = Readiness {
    any: true,
    room: false,
};
const ROOM: Readiness = Readiness {
    any: true,
    room: true,
};

/// What each of the ways finds, without sleeping.
#[track_caller]
fn finds(fd: &impl AsFd, interest: Interest, expected: Readiness) {
    for (way, sleep) in WAYS {
        let mut watched = [WatchedFd::new(fd, interest)];
        sleep(&mut watched, Some(Duration::ZERO)).unwrap();
        assert_eq!(watched[0].found, expected, "{way}");
    }
}

#[test]
fn bytes_and_the_end_of_a_pipe_are_ready() {
    let (reader, mut writer) = pipe().unwrap();
    finds(&reader, Interest::Read, Readiness::default());
    writer.write_all(b"x").unwrap();
    finds(&reader, Interest::Read, READY);
    let (reader, writer) = pipe().unwrap();
    drop::<PipeWriter>(writer);
    finds(&reader, Interest::Read, READY);
}

#[test]
fn space_bytes_and_the_end_of_a_socket_are_ready() {
    let (one, mut other) = UnixStream::pair().unwrap();
    finds(&one, Interest::Read, Readiness::default());
    finds(&one, Interest::ReadAndWrite, ROOM);
    finds(&one, Interest::Write, ROOM);
    other.write_all(b"x").unwrap();
    finds(&one, Interest::Read, READY);
    finds(&one, Interest::ReadAndWrite, ROOM);

    one.set_nonblocking(true).unwrap();
    while (&one).write(&[0; 4096]).is_ok() {}
    finds(&one, Interest::ReadAndWrite, READY);
    // Bytes to read are not what is waited for.
    finds(&one, Interest::Write, Readiness::default());

    let (one, other) = UnixStream::pair().unwrap();
    drop(other);
    finds(&one, Interest::Read, READY);
}

/// Both ends of a new terminal: the one of a person, and the one of a program.
pub(crate) fn terminal() -> (File, File) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap();
    let program = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap());
    (person.into(), program.unwrap())
}

#[test]
fn lines_and_the_end_of_a_terminal_are_ready() {
    let (mut person, program) = terminal();
    finds(&program, Interest::Read, Readiness::default());
    person.write_all(b"half a line").unwrap();
    finds(&program, Interest::Read, Readiness::default());
    person.write_all(b", and the rest\n").unwrap();
    finds(&program, Interest::Read, READY);

    let (person, program) = terminal();
    drop(person);
    finds(&program, Interest::Read, READY);
}

#[test]
fn only_ready_sources_are_reported() {
    let (quiet, _kept) = pipe().unwrap();
    let (ready, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    for (way, sleep) in WAYS {
        for left in [
            None,
            Some(Duration::ZERO),
            Some(Duration::from_secs(1 << 40)),
        ] {
            let mut watched = [&quiet, &ready].map(|fd| WatchedFd::new(fd, Interest::Read));
            sleep(&mut watched, left).unwrap();
            assert_eq!(watched.map(|fd| fd.is_ready()), [false, true], "{way}");
        }
    }
}

#[test]
fn input_ends_the_sleep() {
    for (way, sleep) in WAYS {
        let (one, mut other) = UnixStream::pair().unwrap();
        let mut watched = [WatchedFd::new(&one, Interest::Read)];
        thread::scope(|scope| {
            scope.spawn(|| other.write_all(b"x").unwrap());
            sleep(&mut watched, None).unwrap();
        });
        assert!(watched[0].is_ready(), "{way}");
    }
}

#[test]
fn readiness_is_not_kept_between_waits() {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    let mut watched = [WatchedFd::new(&reader, Interest::Read)];
    let clock = Clock::start();
    wait(&mut watched, &clock, None).unwrap();
    assert!(watched[0].is_ready());
    rustix::io::read(&reader, &mut [0; 8]).unwrap();
    wait(&mut watched, &clock, Some(clock.now())).unwrap();
    assert!(!watched[0].is_ready());
}
