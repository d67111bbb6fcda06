//! What the client asks, and what a friend asks for: on real terminals, with and without redrawing.

use echat_testkit::scene::SECRET;
use echat_testkit::terminal::person::Person;

use crate::place::ServerFolder;

/// A member at a terminal where nothing is redrawn.
fn plain(place: &ServerFolder, name: &str) -> Person {
    let mut person = place.member(name);
    person.types("\\d\r");
    person.ends();
    let mut person = place.person("C.UTF-8", &[&place.link(), "--plain", "--user", name]);
    person.sees("password: ");
    person.types(&format!("{SECRET}\r"));
    person.sees("contact> ");
    person
}

#[test]
fn yes_to_a_friend_befriends_no_stranger() {
    for is_plain in [false, true] {
        let place = ServerFolder::new();
        let mut bob = place.member("bob");
        let mut ann = if is_plain {
            plain(&place, "ann")
        } else {
            place.member("ann")
        };
        bob.types("+f ann\r");
        ann.sees("`y bob` accepts, `n bob` declines.");
        ann.types("y bob\r");
        bob.sees("ann and you are friends now.");
        ann.sees("bob and you are friends now.");
        ann.types("&f bob\r");
        ann.sees("bob> ");
        bob.types("&f ann\r");
        bob.sees("ann> ");
        bob.types("lunch?\r");
        ann.sees("lunch?");
        let mut carol = place.member("carol");
        carol.types("+f ann\r");
        ann.sees("`/y carol` accepts, `/n carol` declines.");
        ann.types("yes\r");
        bob.sees("ann says: yes");
        ann.types("/n carol\r");
        ann.sees("The request from carol is declined.");
    }
}

#[test]
fn keys_typed_ahead_answer_no_question() {
    for is_plain in [false, true] {
        let place = ServerFolder::new();
        let mut bob = place.member("bob");
        let mut ann = if is_plain {
            plain(&place, "ann")
        } else {
            place.member("ann")
        };
        ann.types("room=\r");
        ann.sees("The room room is made.");
        bob.types("+r room\r");
        bob.sees("You are in the room room now.");
        bob.types("&r room\r");
        bob.sees("room> ");
        ann.types("&r room\r");
        ann.sees("room> ");
        // In one write they are pasted lines, and the second answers no question either.
        ann.types("hello\ry\r");
        ann.sees("2 lines (Y/O/N) room");
        ann.types("y\r");
        bob.sees("ann says: hello");
        bob.sees("ann says: y");
        ann.types("+f bob\r");
        ann.sees("send as text? (Y/N) room");
        ann.types("y\r");
        bob.sees("ann says: +f bob");
        ann.types("help\r");
        ann.sees("a command: help.");
        ann.sees("send as text? (Y/N) room");
        ann.types("\\c\r");
        ann.sees("Not sent.");
        ann.types("y\r");
        bob.sees("ann says: y");
    }
}

#[test]
fn a_wrong_password_is_typed_again_unseen() {
    let place = ServerFolder::new();
    let mut ann = place.member("ann");
    ann.types("\\c\rlogout\r");
    ann.sees("Logged out.");
    ann.types("login\r");
    ann.sees("user name: ");
    ann.types("ann\r");
    ann.sees("password: ");
    ann.types("not the password\r");
    ann.sees("Type the password of ann again; Ctrl-C goes back.");
    ann.types(&format!("{SECRET}\r"));
    ann.sees("Logged in as ann.");
    ann.types("\\d\r");
    let (code, shown) = ann.ends();
    assert_eq!(code, 0);
    assert!(
        !shown.contains(SECRET) && !shown.contains("not the password"),
        "{shown}"
    );
}

#[test]
fn a_name_is_completed_inside_chinese() {
    let place = ServerFolder::new();
    let mut xiaoming = place.member("小明");
    let mut ann = place.member("ann");
    ann.types("房间＝\r");
    ann.sees("The room 房间 is made.");
    ann.types("＆r 房间\r");
    ann.sees("房间> ");
    xiaoming.types("＋r 房间\r");
    xiaoming.sees("You are in the room 房间 now.");
    ann.sees("小明 came online");
    ann.types("请问（小\t在吗？\r");
    ann.sees("me says: 请问（小明在吗？");
    ann.types("、c\r");
    ann.sees("command> ");
}
