//! An administrator gives the reader another name while the reader is online.

use super::*;

/// Where the lines of a user are kept.
fn files(user: &str) -> Files {
    Files {
        waiting: format!("/state/{user}"),
        aside: format!("/state/{user}.aside"),
    }
}

/// Ann in a chat with two unsent lines, the first of which is in flight.
fn with_lines() -> Stage {
    let mut stage = ann(Language::English);
    stage.happens(Input::Kept {
        user: "ann".to_owned(),
        files: Some(files("ann")),
    });
    stage.types("&r room1").types("one").types("two");
    stage.says(live(in_room(8, "bob", "hi"), None));
    stage.says(Event::Marked {
        target_type: TargetType::Room,
        target: "room1".to_owned(),
        id: 8,
    });
    stage.effects.clear();
    stage
}

fn renamed(stage: &mut Stage, was: &str, name: &str) {
    stage.says(Event::OnUserRenamed {
        was: was.to_owned(),
        username: name.to_owned(),
    });
}

/// The file of the new name is locked, and holds this.
fn has_file(stage: &mut Stage, user: &str, lines: &str) {
    stage.happens(Input::Kept {
        user: user.to_owned(),
        files: Some(files(user)),
    });
    stage.happens(Input::Outgoing {
        user: user.to_owned(),
        lines: Some(lines.as_bytes().to_vec()),
    });
}

/// The files that were read and written since the last look: whose, and how many lines were written.
fn files_used(stage: &mut Stage) -> Vec<(String, Option<usize>)> {
    let used = stage.effects.iter().filter_map(|effect| match effect {
        Effect::LoadOutgoing { user } => Some((user.clone(), None)),
        Effect::SaveOutgoing { user, lines } => Some((user.clone(), Some(lines.lines().count()))),
        _ => None,
    });
    let used = used.collect();
    stage.effects.clear();
    used
}

#[test]
fn the_file_of_the_new_name_is_read_and_written_before_the_old_one_is_emptied() {
    let mut stage = with_lines();
    renamed(&mut stage, "ann", "anna");
    assert_eq!(files_used(&mut stage), [("anna".to_owned(), None)]);
    let kept = r#"{"txn_id":"k-1","target_type":0,"target":"bob","content":"kept","typed_at":7}"#;
    has_file(&mut stage, "anna", kept);
    let written = [("anna".to_owned(), Some(3)), ("ann".to_owned(), Some(0))];
    assert_eq!(files_used(&mut stage), written);
    stage.types("three");
    assert_eq!(files_used(&mut stage), [("anna".to_owned(), Some(4))]);
    stage.happens(Input::Closed(None)).printed();
    stage.types("\\d");
    let said = "They are kept in /state/anna and will be sent when anna next logs in here.";
    let printed = stage.printed();
    assert!(printed.contains(&said.to_owned()), "{printed:?}");
}

#[test]
fn the_secret_of_the_device_is_kept_under_the_new_name() {
    let mut stage = ann(Language::English);
    renamed(&mut stage, "bob", "ella");
    let of = |was: &str, name: &str| Effect::RenameDevice {
        was: was.to_owned(),
        name: name.to_owned(),
    };
    assert!(!stage.has(&of("bob", "ella")));
    renamed(&mut stage, "ann", "anna");
    assert!(stage.has(&of("ann", "anna")));
}

#[test]
fn nothing_is_sent_before_the_file_of_the_new_name_is_read() {
    let mut stage = with_lines();
    renamed(&mut stage, "ann", "anna");
    stage.says(live(in_room(9, "anna", "one"), Some("t-1")));
    assert_eq!(stage.sent(), [RequestKind::MarkRead; 0]);
    has_file(&mut stage, "anna", "");
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
}

#[test]
fn lines_that_the_new_name_cannot_keep_are_not_called_kept() {
    for is_locked in [true, false] {
        let mut stage = with_lines();
        renamed(&mut stage, "ann", "anna");
        stage.happens(Input::Kept {
            user: "anna".to_owned(),
            files: None,
        });
        let user = "anna".to_owned();
        stage.happens(if is_locked {
            Input::Outgoing { user, lines: None }
        } else {
            let why = "full".to_owned();
            Input::NoOutgoing { user, why }
        });
        // A later user of the old name does not send them.
        assert!(files_used(&mut stage).contains(&("ann".to_owned(), Some(0))));
        stage.happens(Input::Closed(None)).printed();
        stage.types("\\d");
        let said = "They are not saved and will be lost when the program ends.";
        let printed = stage.printed();
        assert!(printed.contains(&said.to_owned()), "{printed:?}");
    }
}

#[test]
fn a_name_that_comes_back_has_its_file_again() {
    let mut stage = with_lines();
    renamed(&mut stage, "ann", "anna");
    has_file(&mut stage, "anna", "");
    stage.effects.clear();
    renamed(&mut stage, "anna", "ann");
    let written = [("ann".to_owned(), Some(2)), ("anna".to_owned(), Some(0))];
    assert_eq!(files_used(&mut stage), written);
    stage.happens(Input::Closed(None)).types("\\d");
    assert!(stage.printed().concat().contains("/state/ann "));
}

/// The lock that a run took stays with it.
#[test]
fn a_user_who_logs_out_and_in_again_is_told_where_lines_are_kept() {
    let mut stage = with_lines();
    stage.says(live(in_room(9, "ann", "one"), Some("t-1")));
    stage.says(live(in_room(10, "ann", "two"), Some("t-2")));
    stage.types("\\c").types("logout").says(Event::LoggedOut {});
    stage.types("login").types("ann").types("password1");
    stage.welcome("ann", vec![]);
    stage.happens(Input::Closed(None));
    stage.types("@r room1 three").types("quit");
    let printed = stage.printed();
    assert!(
        printed.concat().contains("kept in /state/ann "),
        "{printed:?}"
    );
}

#[test]
fn a_server_with_another_key_has_other_files() {
    let key = |letter: char| {
        let address = "chat.example:9410".parse().unwrap();
        let fingerprint = format!("SHA256:{letter}{}", "A".repeat(42))
            .parse()
            .unwrap();
        Input::Server(LinkTarget {
            fingerprint: Some(fingerprint),
            ..LinkTarget::at(address)
        })
    };
    let mut stage = ann(Language::English);
    stage.happens(key('A'));
    for (letter, reads) in [('A', false), ('B', true), ('B', false)] {
        stage.happens(Input::Closed(None)).effects.clear();
        stage.happens(key(letter)).happens(Input::Connected);
        stage.welcome("ann", vec![]);
        let is_read = |effect: &Effect| matches!(effect, Effect::LoadOutgoing { .. });
        assert_eq!(stage.effects.iter().any(is_read), reads, "{letter}");
        has_file(&mut stage, "ann", "");
    }
}
