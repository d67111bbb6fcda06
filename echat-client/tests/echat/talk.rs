//! People who meet and talk, a server that must be trusted first, and a pipe.

use echat_testkit::scene::SECRET;
use echat_testkit::terminal::person::{Person, SETSID};

use crate::server_folder::{ECHAT, PASSWORD, ServerFolder};

#[test]
fn two_people_meet_and_talk() {
    let folder = ServerFolder::new();
    let mut ann = folder.member("ann");
    let mut bob = folder.member("bob");
    ann.types("+f bob\r");
    bob.sees("ann sent you a friend request");
    bob.types("y ann\r");
    ann.sees("You and bob are now friends.");
    ann.types("/create public room1 bob\r");
    ann.sees("Public room room1 created.");
    bob.sees("room1");
    ann.sees("room1> ");
    ann.types("hello everybody\r");
    ann.sees("me: hello everybody");
    bob.sees("contact [1]> ");
    bob.types("&r room1\r");
    bob.sees("ann: hello everybody");
    ann.types("half a line");
    ann.sees("half a line");
    bob.types("你好\r");
    ann.sees("bob: 你好");
    ann.sees("room1> half a line");
    ann.types("\r");
    bob.sees("ann: half a line");
    bob.types("\\c\r");
    bob.sees("command> ");
    bob.types("contact\r");
    bob.sees("contact> ");
    bob.types("&f ann\r");
    bob.sees("ann> ");
    bob.types("between us\r");
    ann.sees("room1 [1]> ");
    for mut person in [ann, bob] {
        person.types("\\d\r");
        person.sees("Goodbye.");
        person.reads_to_the_end();
        person.has_the_terminal_back();
        let (code, shown) = person.ends();
        assert_eq!(code, 0, "{shown}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn the_prompt_of_plain_output_waits_for_the_answer() {
    let folder = ServerFolder::new();
    let mut ann = folder.member("ann");
    ann.types("\\d\r");
    ann.ends();
    let mut ann = folder.person("C.UTF-8", &[&folder.link(), "--plain", "--user", "ann"]);
    ann.sees("login password: ");
    ann.types(&format!("{SECRET}\r"));
    ann.sees("Logged in as ann.");
    ann.sees("contact> ");
    ann.types("+f nobody-here\r");
    ann.sees("User nobody-here does not exist.");
    ann.sees("contact> ");
    ann.types("\\d\r");
    ann.reads_to_the_end();
    ann.has_the_terminal_back();
    let (code, shown) = ann.ends();
    assert_eq!(code, 0, "{shown}");
    let prompts = |prompt| shown.matches(prompt).count();
    assert_eq!((prompts("login "), prompts("contact> ")), (1, 2), "{shown}");
    assert!(
        !shown.contains('\x1b') && !shown.contains(SECRET),
        "{shown}"
    );
}

/// The part of a plain screen from the last prompt on, as rows.
fn last_line(ann: &mut Person, prompt: &str, line: &str) {
    let what = format!("{prompt}{line}");
    ann.sees_that(&what, |screen| {
        let (row, col) = screen.place();
        screen.row(row) == what.trim_end() && col == what.len()
    });
}

#[test]
fn plain_output_shows_a_half_typed_line_again() {
    let folder = ServerFolder::new();
    folder.has("room1", &["ann", "bob"]);
    let password = folder.scene.path(PASSWORD);
    let password = password.to_str().unwrap();
    let login = ["--plain", "--user", "ann", "--password-file", password];
    let mut ann = folder.person("C.UTF-8", &[&login[..], &[&folder.link()]].concat());
    ann.sees("contact> ");
    ann.types("&r room1\r");
    last_line(&mut ann, "room1> ", "");
    ann.types("half a lone");
    last_line(&mut ann, "room1> ", "half a lone");
    for said in ["one", "two"] {
        let message = format!(r#"{{"target_type":1,"target":"room1","content":"{said}"}}"#);
        folder.asks("bob", &["SEND_MESSAGE", &message]);
        ann.sees(&format!("bob: {said}"));
        last_line(&mut ann, "room1> ", "half a lone");
    }
    // What was typed before the messages can be corrected.
    ann.types("\u{7f}\u{7f}\u{7f}ine");
    last_line(&mut ann, "room1> ", "half a line");
    ann.types(", whole\r");
    ann.sees("me: half a line, whole\r\n");
    last_line(&mut ann, "room1> ", "");
    ann.types("dropped\u{3}");
    ann.sees("dropped\r\n");
    last_line(&mut ann, "room1> ", "");
    ann.types("\\d\r");
    ann.reads_to_the_end();
    ann.has_the_terminal_back();
    let (code, shown) = ann.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains('\x1b'), "{shown}");
}

#[test]
fn an_unknown_server_is_trusted_only_after_a_typed_yes() {
    let folder = ServerFolder::new();
    let address = folder.server.address().to_string();
    for (answers, remembered) in [(["y\r", "n\r"], false), (["好\r", "yes\r"], true)] {
        let mut person = folder.person("zh_CN.UTF-8", &[&address, "--user", "ann"]);
        person.sees("密码");
        person.types(&format!("{SECRET}\r"));
        person.sees(folder.server.fingerprint());
        person.sees("yes：");
        // What is probably a yes is asked for as the whole word.
        person.types(answers[0]);
        person.sees("请输入 yes（或“是”）或 no。");
        person.sees("yes：");
        person.types(answers[1]);
        if remembered {
            // No user is registered here: the password is asked for again.
            person.sees("请重新输入“ann”的密码");
            person.types("\x03");
            person.sees("command> ");
            person.types("quit\r");
        } else {
            person.sees("输入的不是 yes");
        }
        let (code, shown) = person.ends();
        assert_eq!(code, if remembered { 0 } else { 4 }, "{shown}");
        assert_eq!(folder.scene.known_hosts().exists(), remembered);
    }
    let other = ServerFolder::new();
    let known = format!("{address} {}\n", folder.server.fingerprint());
    let address = other.server.address().to_string();
    let known = known.replace(&folder.server.address().to_string(), &address);
    // The key of the first server: every scene's server has its own.
    std::fs::write(other.scene.known_hosts(), known).unwrap();
    let mut person = other.person("C.UTF-8", &[&address, "--user", "ann"]);
    person.sees("password");
    person.types(&format!("{SECRET}\r"));
    person.sees("has changed");
    person.sees(other.server.fingerprint());
    person.sees(folder.server.fingerprint());
    person.sees("echat-nc --forget-host");
    person.reads_to_the_end();
    person.has_the_terminal_back();
    assert_eq!(person.ends().0, 4);
}

#[test]
fn damaged_known_hosts_are_told_with_the_question() {
    let folder = ServerFolder::new();
    let address = folder.server.address().to_string();
    let damaged = format!("# hosts\n{address} SHA256:cut off\n\nnothing\n");
    std::fs::write(folder.scene.known_hosts(), damaged).unwrap();
    let told = "is damaged: cannot parse line 2, 4. The key of this server may have been there.";
    let login = ["--user", "ann", "--password-file", PASSWORD, &address];
    let command = folder.command(SETSID, "C.UTF-8");
    let mut ann = Person::starts_on((200, 24), command, ECHAT, &login);
    ann.sees(told);
    ann.sees("Type yes");
    ann.types("no\r");
    assert_eq!(ann.ends().0, 4);
    let outcome = folder.pipes(&login, "").exits(4);
    assert!(outcome.err.contains(told), "{}", outcome.err);
}

#[test]
fn a_key_that_cannot_be_remembered_can_be_pinned() {
    let folder = ServerFolder::new();
    let address = folder.server.address().to_string();
    std::fs::create_dir(folder.scene.path("known_hosts.lock")).unwrap();
    let password = std::fs::canonicalize(folder.scene.path(PASSWORD)).unwrap();
    let login = [
        "--user",
        "ann",
        "--password-file",
        password.to_str().unwrap(),
    ];
    for (language, hint) in [("C.UTF-8", "the address: "), ("zh_CN.UTF-8", "写进地址：")] {
        for option in [&["--plain"][..], &[]] {
            let arguments = [&login[..], option, &[&address]].concat();
            let mut command = folder.command(SETSID, language);
            let person = |command, arguments: &[&str]| {
                Person::starts_on((200, 24), command, ECHAT, arguments)
            };
            command.env("ECHAT_KNOWN_HOSTS", folder.scene.known_hosts());
            let mut ann = person(command, &arguments);
            ann.sees("yes");
            ann.types("yes\r");
            ann.sees("known_hosts");
            let link = ann.reads_line(hint);
            ann.reads_to_the_end();
            ann.has_the_terminal_back();
            assert_eq!(ann.ends().0, 8);
            assert_eq!(link, folder.link());
            let mut ann = person(folder.command(SETSID, language), &[&link]);
            ann.sees("> ");
            ann.types("quit\r");
            assert_eq!(ann.ends().0, 0);
        }
    }
}

#[test]
fn a_pipe_sends_its_lines_and_reports_refusals() {
    let folder = ServerFolder::new();
    let mut ann = folder.member("ann");
    ann.types("/create public room1\r");
    let link = folder.link();
    let login = ["--user", "ann", "--password-file", PASSWORD];
    let pipes =
        |address: &str, input: &str| folder.pipes(&[&login[..], &[address]].concat(), input);
    ann.sees("Public room room1 created.");
    // The second login takes over the first.
    let outcome = pipes(&link, "@r room1 done\n").exits(0);
    assert!(outcome.out.contains("me to room1: done"), "{}", outcome.out);
    assert!(!outcome.out.contains('\x1b') && outcome.err.is_empty());
    ann.sees("You were logged out");
    let refused = pipes(&link, "@r room2 done").exits(1);
    assert!(refused.err.contains("No such room"), "{}", refused.err);
    pipes(&link, "what?\n").exits(2);
    let unknown = pipes(&folder.server.address().to_string(), "").exits(4);
    assert!(unknown.err.contains(&link), "{}", unknown.err);
    let wrong = folder.scene.write("wrong", "another password");
    let login = ["--user", "ann", "--password-file", &wrong, &link];
    folder.pipes(&login, "@r room1 done\n").exits(1);
    folder.pipes(&["--user", "ann", &link], "").exits(2);
    // With a code, too, a password needs a user.
    let code = "7KQM-2XWD-RT9H-C4VB";
    let arguments = ["--invitation", code, "--password-file", &wrong, &link];
    let refused = folder.pipes(&arguments, "").exits(2);
    assert!(refused.err.contains("no user name"), "{}", refused.err);
    folder
        .pipes(
            &["127.0.0.1:1", "--user", "ann", "--password-file", &wrong],
            "",
        )
        .exits(3);
}
