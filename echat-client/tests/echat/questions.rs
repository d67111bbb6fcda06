//! What the client asks, and what a friend asks for: on real terminals, with and without redrawing.

use echat_testkit::scene::SECRET;
use echat_testkit::terminal::person::Person;

use crate::server_folder::ServerFolder;

/// A member at a terminal where nothing is redrawn.
fn plain(folder: &ServerFolder, name: &str) -> Person {
    let mut person = folder.member(name);
    person.types("\\d\r");
    person.ends();
    let mut person = folder.person("C.UTF-8", &[&folder.link(), "--plain", "--user", name]);
    person.sees("password: ");
    person.types(&format!("{SECRET}\r"));
    person.sees("contact> ");
    person
}

#[test]
fn an_answer_to_a_friend_accepts_no_other_request() {
    for is_plain in [false, true] {
        let folder = ServerFolder::new();
        let mut bob = folder.member("bob");
        let mut ann = if is_plain {
            plain(&folder, "ann")
        } else {
            folder.member("ann")
        };
        bob.types("+f ann\r");
        ann.sees("Type `y bob` to accept or `n bob` to decline.");
        ann.types("y bob\r");
        bob.sees("You and ann are now friends.");
        ann.sees("You and bob are now friends.");
        ann.types("&f bob\r");
        ann.sees("bob> ");
        bob.types("&f ann\r");
        bob.sees("ann> ");
        bob.types("lunch?\r");
        ann.sees("lunch?");
        let mut carol = folder.member("carol");
        carol.types("+f ann\r");
        ann.sees("Type `/y carol` to accept");
        ann.types("yes\r");
        bob.sees("ann: yes");
        ann.types("/n carol\r");
        ann.sees("Friend request from carol declined.");
    }
}

#[test]
fn keys_typed_ahead_answer_no_question() {
    for is_plain in [false, true] {
        let folder = ServerFolder::new();
        let mut bob = folder.member("bob");
        let mut ann = if is_plain {
            plain(&folder, "ann")
        } else {
            folder.member("ann")
        };
        ann.types("/create public room\r");
        ann.sees("Public room room created.");
        bob.types("+r room\r");
        bob.sees("You joined room.");
        bob.types("&r room\r");
        bob.sees("room> ");
        ann.sees("room> ");
        // In one write they are pasted lines, and the second answers no question either.
        ann.types("hello\ry\r");
        ann.sees("2 lines (Y/O/N) room");
        ann.types("y\r");
        bob.sees("ann: hello");
        bob.sees("ann: y");
        ann.types("+f bob\r");
        ann.sees("send as text? (Y/N) room");
        ann.types("y\r");
        bob.sees("ann: +f bob");
        ann.types("help\r");
        ann.sees("type `/help`.");
        ann.sees("send as text? (Y/N) room");
        ann.types("\\c\r");
        ann.sees("Not sent.");
        ann.types("y\r");
        bob.sees("ann: y");
    }
}

#[test]
fn a_wrong_password_is_asked_for_again_without_echo() {
    let folder = ServerFolder::new();
    let mut ann = folder.member("ann");
    ann.types("\\c\rlogout\r");
    ann.sees("Logged out.");
    ann.types("login\r");
    ann.sees("user name (Enter: ann): ");
    ann.types("ann\r");
    ann.sees("password: ");
    ann.types("not the password\r");
    ann.sees("Enter the password of ann again, or press Ctrl-C to go back.");
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
    let folder = ServerFolder::new();
    let mut xiaoming = folder.member("小明");
    let mut ann = folder.member("ann");
    ann.types("房间＝\r");
    ann.sees("public or private?");
    ann.types("公开\r");
    ann.sees("Public room 房间 created.");
    ann.types("＆r 房间\r");
    ann.sees("房间> ");
    xiaoming.types("＋r 房间\r");
    xiaoming.sees("You joined 房间.");
    ann.sees("小明 joined");
    ann.types("请问（小\t在吗？\r");
    ann.sees("me: 请问（小明在吗？");
    ann.types("、c\r");
    ann.sees("command> ");
}
