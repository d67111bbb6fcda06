//! Questions: what asks, what answers, what puts them aside.

use super::*;

fn in_room() -> Stage {
    let mut stage = ann(Language::English);
    stage.types("&r room1");
    stage.sent();
    stage.printed();
    stage
}

/// The number of unsent lines.
fn answered(stage: &mut Stage) -> usize {
    stage.printed();
    stage.app.common.context.pending()
}

#[test]
fn keys_of_the_read_that_raised_a_question_do_not_answer_it() {
    let mut stage = in_room();
    stage.presses("+f bob\ny\n");
    // The question came between the two lines: the second one is a line of its own.
    assert_eq!(stage.contents(), ["y"]);
    assert_eq!(stage.prompt(), "send as text? (Y/N) room1 (1 pending)> ");
    stage.looks().presses("y\n");
    assert_eq!(stage.contents(), ["y", "+f bob"]);
}

#[test]
fn a_line_begun_before_the_question_is_not_its_answer() {
    let mut stage = in_room();
    stage.presses("+f bob\nye").looks();
    assert_eq!(
        stage.prompt(),
        "room1> ",
        "not asked in a line that cannot answer"
    );
    stage.presses("s\n");
    assert_eq!(stage.contents(), ["yes"]);
    stage.presses("y\n");
    assert_eq!(stage.contents(), ["yes", "+f bob"]);
}

#[test]
fn emptying_the_line_shows_the_question() {
    let mut stage = in_room();
    stage.presses("+f bob\nn").looks();
    stage.happens(Input::Key(Key::Backspace));
    assert_eq!(stage.prompt(), "send as text? (Y/N) room1> ");
    stage.presses("y\n");
    assert_eq!(stage.contents(), ["+f bob"]);
}

#[test]
fn the_words_that_a_question_shows_answer_it() {
    let paste = || Input::Key(Key::Paste("one\ntwo".into()));
    for (words, contents) in [
        ("逐行", &["one", "two"][..]),
        ("逐行发送。", &["one", "two"]),
        ("send each line", &["one", "two"]),
        ("合成一条", &["one\ntwo"]),
        ("合成一条消息", &["one\ntwo"]),
        ("合成一条消息发送", &["one\ntwo"]),
        ("一条消息", &["one\ntwo"]),
        ("Send as one message", &["one\ntwo"]),
        ("放弃", &[]),
        ("“放弃”", &[]),
        ("discard", &[]),
    ] {
        let mut stage = in_room();
        stage.happens(paste()).looks();
        stage.types(words);
        assert_eq!(stage.contents(), contents, "{words}");
        assert!(!stage.prompt().contains("(Y/O/N)"), "{words}");
    }
    for (words, contents) in [
        ("发送", &["+f bob"][..]),
        ("send as text", &["+f bob"]),
        ("不发送", &[]),
    ] {
        let mut stage = in_room();
        stage.types("+f bob").types(words);
        assert_eq!(stage.contents(), contents, "{words}");
        assert!(!stage.prompt().contains("(Y/N)"), "{words}");
    }
}

#[test]
fn messages_that_arrive_do_not_disturb_an_answer_being_typed() {
    let mut stage = in_room();
    stage.presses("+f bob\n").looks().presses("y");
    stage.says(live(in_room_message(5), None));
    assert_eq!(stage.prompt(), "send as text? (Y/N) room1> ");
    stage.presses("es\n");
    assert_eq!(stage.contents(), ["+f bob"]);
}

fn in_room_message(id: u64) -> ChatMessage {
    super::in_room(id, "bob", "x")
}

#[test]
fn ctrl_c_and_leaving_the_chat_cancel_only_the_question() {
    for way_out in ["\\c", "、c", "＼c"] {
        let mut stage = in_room();
        stage.types("+f bob").types(way_out);
        assert_eq!(answered(&mut stage), 0);
        assert_eq!(stage.prompt(), "room1> ");
        stage.types("y");
        assert_eq!(stage.contents(), ["y"]);
    }
    let mut stage = in_room();
    stage.types("+f bob").printed();
    stage.happens(Input::Key(Key::Ctrl('c')));
    assert_eq!(stage.printed(), ["Not sent."]);
    assert_eq!(stage.prompt(), "room1> ");
}

#[test]
fn cancelling_a_paste_restores_the_line() {
    let mut stage = in_room();
    stage.presses("before ");
    stage.happens(Input::Key(Key::Paste("one\ntwo".into())));
    stage.looks();
    assert_eq!(stage.line(), "");
    stage.happens(Input::Key(Key::Ctrl('c')));
    assert_eq!(stage.line(), "before ");
    assert_eq!(answered(&mut stage), 0);
}

#[test]
fn a_second_paste_loses_no_line_being_edited() {
    let paste = || Input::Key(Key::Paste("one\ntwo".into()));
    let mut stage = in_room();
    stage.presses("first ").happens(paste()).happens(paste());
    stage.happens(Input::Key(Key::Ctrl('c')));
    assert_eq!(stage.line(), "first ");
    let mut stage = in_room();
    stage.presses("first ").happens(paste()).looks();
    stage.presses("a new line");
    stage.says(Event::OnMemberOffline {
        roomname: "room1".to_owned(),
        membername: "ann".to_owned(),
        left: None,
    });
    assert_eq!(stage.line(), "a new line");
}

#[test]
fn several_questions_are_answered_one_by_one() {
    let mut stage = in_room();
    stage.presses("+f bob\nhelp\n").looks().printed();
    // Two answers in one read: only the first question was on the terminal.
    stage.presses("y\nn\n");
    assert_eq!(stage.contents(), ["help", "n"]);
    let asked = "In a chat, type `/add bob`. Send `+f bob` as text? (Y/N)";
    assert!(
        stage.printed().contains(&asked.to_owned()),
        "it is asked again"
    );
    stage.looks().presses("n\n");
    assert_eq!(stage.contents(), ["help", "n"]);
    assert_eq!(stage.prompt(), "room1 (2 pending)> ");
}

#[test]
fn the_number_of_open_questions_is_bounded() {
    let mut stage = in_room();
    stage.presses(&"help\n".repeat(1_000)).looks();
    let mut open = 0;
    while stage.prompt().contains("send as text?") {
        open += 1;
        stage.types("n");
    }
    assert_eq!(open, 8);
    assert!(stage.contents().is_empty());
}

#[test]
fn text_that_is_no_answer_is_not_sent_and_the_question_is_repeated() {
    let asked = "In a chat, type `/add bob`. Send `+f bob` as text? (Y/N)";
    for line in [
        "maybe",
        "yes please",
        "也许吧",
        "嗯",
        "what?",
        "+f carol",
        "n 2",
    ] {
        let mut stage = in_room();
        stage.types("+f bob").printed();
        stage.types(line);
        let said = "That is not an answer. Please answer first.";
        assert_eq!(stage.printed(), [said, asked]);
        assert!(stage.contents().is_empty(), "{line}");
        // The same question is still open.
        stage.types("y");
        assert_eq!(stage.contents(), ["+f bob"], "{line}");
    }
    // An empty line asks again too.
    let mut stage = in_room();
    stage.types("+f bob").printed();
    stage.types("");
    assert_eq!(stage.printed(), [asked]);
    // Two slashes send a text without being asked, and a command is carried out.
    let mut stage = in_room();
    stage.types("+f bob").types("//maybe");
    assert_eq!(stage.contents(), ["/maybe"]);
    let mut stage = in_room();
    stage.types("+f bob").types("/pending");
    assert!(stage.printed().contains(&"No unsent lines.".to_owned()));
    assert!(stage.contents().is_empty());
    assert_eq!(stage.prompt(), "room1> ");
    let mut stage = in_room();
    stage.types("+f bob").types("quit");
    assert!(!stage.has(&Effect::Quit(Exit::Success)));
    stage.types("/quit");
    assert!(stage.has(&Effect::Quit(Exit::Success)));
}

#[test]
fn a_line_typed_at_a_question_outside_a_chat_is_not_executed() {
    let mut stage = ann(Language::Chinese);
    stage.types("/leave room1").printed();
    stage.types("也许");
    assert_eq!(stage.printed()[0], "无法识别的回答，请先回答问题。");
    assert_eq!(stage.sent(), []);
    stage.types("好的");
    assert_eq!(stage.sent(), [RequestKind::LeaveRoom]);
}

#[test]
fn ok_is_no_answer_where_it_is_ambiguous() {
    let mut stage = in_room();
    stage.happens(Input::Key(Key::Paste("one\ntwo".into())));
    stage.looks().types("ok");
    assert!(stage.contents().is_empty());
    stage.types("一条");
    assert_eq!(stage.contents(), ["one\ntwo"]);
}

#[test]
fn a_question_about_a_room_ends_when_the_room_is_left() {
    let mut stage = in_room();
    stage.types("help").printed();
    stage.says(Event::OnMemberOffline {
        roomname: "room1".to_owned(),
        membername: "ann".to_owned(),
        left: None,
    });
    assert!(stage.printed().contains(&"Not sent.".to_owned()));
    assert_eq!(stage.prompt(), "contact> ");
    stage.types("y");
    assert!(stage.contents().is_empty());
    assert!(stage.printed().last().unwrap().starts_with("Usage: y"));
}

#[test]
fn the_usual_words_answer_and_are_not_sent() {
    let yes = [
        "Ｙ",
        "ｙｅｓ",
        "Yes!",
        "yep",
        "yeah",
        "ok",
        "OK.",
        "okay",
        "sure",
        "是",
        "是的",
        "好",
        "好的。",
        "可以",
        "行",
        "对",
        "确定",
        "当然",
        "好吧",
        "没问题",
    ];
    let no = [
        "Ｎ",
        "No.",
        "nope",
        "nah",
        "No thanks!",
        "cancel",
        "否",
        "不",
        "不是",
        "不要",
        "不行",
        "不用",
        "不必",
        "不发",
        "算了",
        "取消",
    ];
    let answers = yes.iter().map(|yes| (yes, 1));
    for (answer, sent) in answers.chain(no.iter().map(|no| (no, 0))) {
        let mut stage = in_room();
        stage.types("help").types(answer);
        assert_eq!(answered(&mut stage), sent, "{answer}");
    }
}

#[test]
fn a_takeover_closes_the_questions_and_a_password_is_never_an_answer() {
    for (mode, prompt) in [
        ("login", "login user name (Enter: ann): "),
        ("register", "register user name: "),
    ] {
        let mut stage = in_room();
        stage.types("+f bob").says(Event::ServerKick {});
        assert_eq!(stage.printed().last().unwrap(), "Not sent.");
        // The chat is still open, and the word is a command there.
        stage.types(mode);
        assert_eq!(stage.prompt(), prompt);
        stage.types("ann");
        assert!(stage.app.is_secret());
        stage.types("correct horse");
        assert!(!stage.printed().join("\n").contains("correct horse"));
        assert!(stage.contents().is_empty());
    }
    // A question that is asked after the takeover stands in the way of neither.
    let mut stage = in_room();
    stage
        .says(Event::ServerKick {})
        .types("+f bob")
        .types("login");
    assert_eq!(stage.prompt(), "login user name (Enter: ann): ");
    let mut stage = in_room();
    stage
        .says(Event::ServerKick {})
        .types("+f bob")
        .types("\\c");
    assert_eq!(stage.prompt(), "command> ");
    // In contact mode, too.
    let mut stage = ann(Language::English);
    stage.types("/leave room1").says(Event::ServerKick {});
    stage.types("login");
    assert_eq!(stage.prompt(), "login user name (Enter: ann): ");
}

#[test]
fn a_line_that_is_no_answer_is_not_echoed() {
    for is_in_room in [false, true] {
        let mut stage = if is_in_room {
            in_room()
        } else {
            ann(Language::English)
        };
        stage.app.common.context.settings.echoes = true;
        stage.types("/leave room1").types("correct horse");
        assert!(!stage.printed().join("\n").contains("correct horse"));
        assert_eq!(stage.sent(), []);
    }
}

#[test]
fn a_command_of_another_mode_is_asked_about_with_its_name_in_a_chat() {
    for (line, way) in [
        (":pr", "/requests"),
        ("+f eve", "/add eve"),
        ("-r room1", "/leave room1"),
        ("?", "/unread"),
        (":r", "/rooms"),
        (":f", "/friends"),
        ("@f bob hi", "/msg bob hi"),
        ("&r tea", "/msg #tea"),
        ("den=bob+eve", "/create den bob eve"),
        ("help", "/help"),
    ] {
        let mut stage = in_room();
        stage.types(line);
        let said = format!("In a chat, type `{way}`. Send `{line}` as text? (Y/N)");
        assert_eq!(*stage.printed().last().unwrap(), said);
    }
    let mut stage = in_room();
    stage.types(":m");
    let said = "This looks like a command: :m. Send it as text? (Y/N)";
    assert_eq!(stage.printed().last().unwrap(), said);
}

#[test]
fn requests_are_listed_in_a_chat_too() {
    let mut stage = in_room();
    stage.says(Event::IncommingFriendRequest {
        username: "eve".to_owned(),
    });
    stage.printed();
    stage.types("/requests");
    assert_eq!(stage.printed()[1..3], ["Pending friend requests:", "  eve"]);
}
