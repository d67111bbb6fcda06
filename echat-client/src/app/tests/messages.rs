//! Messages that are edited, deleted, answered, reacted to, mentioned and found.

use echat_proto::commands::Request;
use echat_proto::records::{Reacted, Reaction};

use super::*;
use crate::session::Jump;
use crate::target::Target;
use RequestKind as R;

/// Ann in room1, where bob said one and two, and she said three.
pub(super) fn in_chat(language: Language) -> Stage {
    let mut stage = ann(language);
    for message in [
        in_room(1, "bob", "one"),
        in_room(2, "bob", "two"),
        in_room(3, "ann", "three"),
    ] {
        stage.says(live(message, None));
    }
    stage.types("&r room1");
    stage.says(Event::Marked {
        target_type: TargetType::Room,
        target: "room1".into(),
        id: 2,
    });
    stage.effects.clear();
    stage
}

pub(super) fn changed(message: ChatMessage, by: &str, reacted: Option<(&str, bool)>) -> Event {
    Event::OnMessageChanged {
        id: message.id,
        sender: message.sender,
        send_time: message.send_time,
        target: message.target,
        target_type: message.target_type,
        content: message.content,
        deleted: message.deleted,
        bot: message.bot,
        reply_to: message.reply_to,
        edited: message.edited,
        mentions: message.mentions,
        reactions: message.reactions,
        by: by.to_owned(),
        reacted: reacted.map(|(emoji, on)| Reacted {
            emoji: emoji.to_owned(),
            on,
        }),
    }
}

pub(super) fn edited(id: u64, sender: &str, content: &str) -> ChatMessage {
    ChatMessage {
        edited: Some(1_700_000_100),
        ..in_room(id, sender, content)
    }
}

pub(super) fn deleted(id: u64, sender: &str) -> ChatMessage {
    ChatMessage {
        deleted: Some(true),
        ..in_room(id, sender, "")
    }
}

fn thumbs(count: u64) -> Vec<Reaction> {
    vec![Reaction {
        emoji: "👍".to_owned(),
        count,
        mine: None,
    }]
}

pub(super) fn done(command: R) -> Event {
    Event::Done {
        command: u64::from(command.info().number),
    }
}

fn refused(code: &str) -> Event {
    Event::Refused {
        fail: fail(code, &[]),
    }
}

impl Stage {
    /// The requests that were sent since the last look.
    fn requests(&mut self) -> Vec<Request> {
        let effects = std::mem::take(&mut self.effects);
        let requests = effects.iter().filter_map(|effect| match effect {
            Effect::Send(message) if message.command != R::MarkRead.info().number => {
                let kind = RequestKind::from_number(message.command)?;
                kind.read(&message.params).ok()
            }
            _ => None,
        });
        let requests = requests.collect();
        self.effects = effects;
        self.sent();
        requests
    }

    pub(super) fn presses_key(&mut self, key: Key) -> &mut Self {
        self.happens(Input::Key(key))
    }
}

pub(super) fn asked(stage: &mut Stage) -> String {
    let requests = stage.requests();
    let told = requests.iter().map(|request| match request {
        Request::EditMessage { id, content } => format!("edit {id} {content}"),
        Request::DeleteMessage { id } => format!("delete {id}"),
        Request::React { id, emoji, on } => format!("react {id} {} {on}", emoji.0),
        Request::SendMessage {
            content, reply_to, ..
        } => format!("send {content} {reply_to:?}"),
        Request::QueryHistory {
            before,
            after,
            around,
            at,
            ..
        } => format!("history {before:?} {after:?} {around:?} {at:?}"),
        request => format!("{request:?}"),
    });
    told.collect::<Vec<_>>().join("; ")
}

#[test]
fn up_in_an_empty_line_edits_the_last_message() {
    let mut stage = in_chat(Language::English);
    stage.presses_key(Key::Up);
    assert_eq!(stage.line(), "three");
    assert_eq!(stage.prompt(), "(editing, Esc leaves) room1> ");
    stage.presses("!\n");
    assert_eq!(asked(&mut stage), "edit 3 three!");
    assert_eq!((stage.line(), stage.prompt().as_str()), ("", "room1> "));
    assert_eq!(stage.printed(), [""; 0]);
    stage.says(done(R::EditMessage));
    assert_eq!(
        stage.printed(),
        ["[2023-11-14 22:13:23] me (edited): three!"]
    );
    // The event of the same change is no news.
    stage.says(changed(edited(3, "ann", "three!"), "ann", None));
    assert_eq!(stage.printed(), [""; 0]);
    // What is typed is not lost by a key up.
    stage.presses("draft").presses_key(Key::Up);
    assert_eq!(stage.prompt(), "room1> ");
}

#[test]
fn an_edit_is_left_by_escape_and_ctrl_c() {
    for key in [Key::Esc, Key::Ctrl('c')] {
        let mut stage = in_chat(Language::English);
        stage.presses_key(Key::Up).presses_key(key.clone());
        assert_eq!((stage.line(), stage.prompt().as_str()), ("", "room1> "));
        assert_eq!(stage.printed(), ["Nothing was changed."]);
        stage.presses_key(Key::Up).presses(" more").presses_key(key);
        assert_eq!(
            stage.printed(),
            ["Nothing was changed.", "(not sent) three more"]
        );
        assert_eq!(asked(&mut stage), "");
    }
}

#[test]
fn an_edit_without_a_change_asks_nothing() {
    let mut stage = in_chat(Language::English);
    stage.presses_key(Key::Up).presses("\n");
    assert_eq!(stage.printed(), ["Nothing was changed."]);
    stage.presses_key(Key::Up).presses_key(Key::Ctrl('u'));
    stage.presses("\n");
    assert_eq!(stage.printed(), ["Nothing was changed."]);
    stage
        .presses_key(Key::Up)
        .presses(" ")
        .presses_key(Key::Ctrl('a'));
    for _ in "three".chars() {
        stage.presses_key(Key::Delete);
    }
    stage.presses("\n");
    assert_eq!(
        stage.printed(),
        ["Nothing was changed. Type `/delete` to delete the message."]
    );
    // A second key up goes to the history of lines.
    stage.presses("/rooms\n").presses_key(Key::Up);
    assert_eq!(stage.line(), "three");
    stage.presses_key(Key::Up);
    assert_eq!(
        (stage.line(), stage.prompt().as_str()),
        ("/rooms", "room1> ")
    );
}

#[test]
fn a_command_while_a_message_is_edited_is_a_command() {
    let mut stage = in_chat(Language::English);
    stage.presses_key(Key::Up).presses_key(Key::Ctrl('a'));
    stage.presses("/rooms").presses_key(Key::Ctrl('k'));
    stage.presses("\n");
    assert_eq!(stage.sent(), [R::ListRooms]);
    assert_eq!(stage.prompt(), "room1> ");
}

#[test]
fn a_refused_edit_says_why_and_shows_the_text() {
    for (code, language, reason) in [
        (
            "too_late",
            Language::English,
            "The message was not changed: it is too old to be edited on this server.",
        ),
        (
            "not_yours",
            Language::Chinese,
            "消息没有修改：只有发送者可以修改。",
        ),
        (
            "unknown_message",
            Language::English,
            "The message was not changed: the message is not there any more.",
        ),
        (
            "read_only",
            Language::English,
            "The message was not changed: This room is read-only: only its operators and its owner can write.",
        ),
    ] {
        let mut stage = in_chat(language);
        stage.types("/edit 1 drei").printed();
        assert_eq!(asked(&mut stage), "edit 3 drei");
        stage.says(refused(code));
        let mark = language.say(Text::NotSentMark);
        assert_eq!(stage.printed(), [reason, &format!("{mark}drei")]);
    }
}

#[test]
fn a_text_that_no_server_takes_stays_in_the_line_as_an_edit() {
    let mut stage = in_chat(Language::English);
    stage.presses_key(Key::Up);
    let long = "three".to_owned() + &"x".repeat(4_995);
    stage.presses(&"x".repeat(4_995)).presses("\n");
    assert!(stage.printed()[0].starts_with("Not sent: the text is 5000 bytes"));
    assert_eq!(stage.line(), long);
    assert_eq!(stage.prompt(), "(editing, Esc leaves) room1> ");
    assert_eq!(asked(&mut stage), "");
}

#[test]
fn an_edit_that_cannot_be_sent_stays_in_the_line() {
    let mut stage = in_chat(Language::English);
    stage.presses_key(Key::Up).presses("!");
    stage.happens(Input::Closed(None));
    stage.happens(Input::Untrusted(Exit::NotTrusted));
    stage.printed();
    stage.presses("\n");
    assert_eq!(stage.printed().len(), 1);
    assert_eq!(stage.line(), "three!");
    assert!(stage.prompt().starts_with("(editing, Esc leaves) room1"));
    assert_eq!(asked(&mut stage), "");
}

#[test]
fn an_edit_that_gets_no_answer_is_told_with_its_text() {
    let mut stage = in_chat(Language::English);
    stage.types("/edit drei").printed();
    stage.happens(Input::Closed(None));
    assert!(stage.printed().contains(
        &"The connection was lost before the answer to `/edit drei`. Please try again.".to_owned()
    ));
}

#[test]
fn messages_are_meant_by_their_number_from_below() {
    let mut stage = in_chat(Language::English);
    for (line, expected) in [
        ("/edit drei", "edit 3 drei"),
        ("/edit 1 drei", "edit 3 drei"),
        ("／ｅｄｉｔ １ drei", "edit 3 drei"),
        ("/reply yes", "send yes Some(2)"),
        ("/reply 3 yes", "send yes Some(1)"),
        ("/react 👍", "react 2 👍 true"),
        ("/react ３ +1", "react 1 👍 true"),
        ("/react 3 ：heart：", "react 1 ❤\u{fe0f} true"),
    ] {
        stage.types(line);
        assert_eq!(asked(&mut stage), expected, "{line}");
        stage.app.common.context.outgoing = crate::session::outgoing::Outgoing::default();
    }
    stage.printed();
    for (line, said) in [
        (
            "/react hello",
            "hello is not an emoji. Examples: 👍, :heart:, +1.",
        ),
        ("/reply 1", "Usage: /reply [<number>] <text>"),
        ("/delete it", "Usage: /delete [<number>]"),
    ] {
        stage.types(line);
        assert_eq!(stage.printed()[1..], [said], "{line}");
        assert_eq!(asked(&mut stage), "", "{line}");
    }
    // A text that is not sent is shown.
    stage.types("/reply 4 x");
    assert_eq!(
        stage.printed(),
        [
            "There is no message 4 here. Type `/n` to show the numbers.",
            "(not sent) x"
        ]
    );
    stage.types("/edit 2 x");
    assert_eq!(
        stage.printed()[1..],
        [
            "This message is from bob. You can only edit your own.",
            "(not sent) x"
        ]
    );
    stage.types("/edit");
    assert_eq!(stage.line(), "three");
}

#[test]
fn shown_numbers_keep_their_meaning_while_messages_arrive() {
    let mut stage = in_chat(Language::English);
    stage.types("/n");
    assert_eq!(
        stage.printed()[1..],
        [
            "------ 2023-11-14 ------",
            "  3 [2023-11-14 22:13:21] bob: one",
            "  2 [2023-11-14 22:13:22] bob: two",
            "  1 [2023-11-14 22:13:23] me: three",
        ]
    );
    stage.says(live(in_room(4, "bob", "four"), None));
    stage.types("/react 2 👍");
    assert_eq!(asked(&mut stage), "react 2 👍 true");
    // After a message of the user's the newest has number 1 again.
    stage.types("hi");
    stage.says(live(in_room(5, "ann", "hi"), Some("t-1")));
    stage.sent();
    stage.types("/react 2 👍");
    assert_eq!(asked(&mut stage), "react 4 👍 true");
}

#[test]
fn a_deletion_is_asked_about_first() {
    let mut stage = in_chat(Language::English);
    stage.types("/delete");
    assert_eq!(
        stage.printed()[1..],
        [
            "Delete this message for everyone? (Y/N)",
            "[2023-11-14 22:13:23] me: three"
        ]
    );
    assert_eq!(stage.prompt(), "delete the message? (Y/N) room1> ");
    stage.types("n");
    assert_eq!(stage.printed()[1..], ["The message was not deleted."]);
    stage.types("/delete 2").types("y");
    assert_eq!(asked(&mut stage), "delete 2");
    stage.printed();
    stage.says(refused("not_yours"));
    assert_eq!(
        stage.printed(),
        [
            "The message was not deleted: only its sender can delete it, and in a room its owner and operators."
        ]
    );
    stage.types("/delete").types("y").printed();
    stage.says(done(R::DeleteMessage));
    assert_eq!(
        stage.printed(),
        ["You deleted a message sent 2023-11-14 22:13:23"]
    );
    stage.types("/edit 1 x");
    assert_eq!(
        stage.printed()[1..],
        ["This message is deleted.", "(not sent) x"]
    );
}

#[test]
fn a_substitution_edits_the_last_message() {
    let mut stage = in_chat(Language::English);
    for (line, expected) in [
        ("s/three/drei/", "edit 3 drei"),
        ("ｓ／three／drei／", "edit 3 drei"),
        ("s/e/a/", "edit 3 thrae"),
        ("s/e/a/g", "edit 3 thraa"),
        ("s/e//", "edit 3 thre"),
    ] {
        stage.types(line);
        assert_eq!(asked(&mut stage), expected, "{line}");
    }
    stage.printed();
    // What it would replace is not there: it may be meant as text.
    stage.types("s/four/vier/");
    assert_eq!(asked(&mut stage), "");
    assert_eq!(
        stage.printed(),
        ["Your last message does not contain what s/four/vier/ replaces. Send it as text? (Y/N)"]
    );
    assert!(stage.prompt().starts_with("send as text?"));
    stage.types("y");
    assert_eq!(asked(&mut stage), "send s/four/vier/ None");
}

#[test]
fn changes_of_others_are_shown() {
    let mut stage = in_chat(Language::English);
    stage.says(changed(edited(1, "bob", "eins"), "bob", None));
    let eins = "[2023-11-14 22:13:21] bob (edited): eins";
    assert_eq!(stage.printed(), [eins]);
    let reacted = ChatMessage {
        reactions: Some(thumbs(1)),
        ..in_room(2, "bob", "two")
    };
    stage.says(changed(reacted.clone(), "carol", Some(("👍", true))));
    assert_eq!(stage.printed(), ["  carol reacted 👍 to bob: two"]);
    stage.says(changed(reacted, "carol", Some(("👍", true))));
    assert_eq!(stage.printed(), [""; 0], "told twice");
    let own = ChatMessage {
        reactions: Some(thumbs(1)),
        ..in_room(3, "ann", "three")
    };
    stage.says(changed(own, "bob", Some(("👍", true))));
    assert_eq!(stage.printed(), ["  bob reacted 👍 to you: three"]);
    stage.says(changed(
        in_room(3, "ann", "three"),
        "bob",
        Some(("👍", false)),
    ));
    assert_eq!(stage.printed(), ["  bob took back 👍 from you: three"]);
    stage.says(changed(deleted(2, "bob"), "carol", None));
    assert_eq!(
        stage.printed(),
        ["carol deleted a message from bob, sent 2023-11-14 22:13:22"]
    );
    stage.types("\\c").types("chat room1");
    let printed = stage.printed();
    assert!(printed.contains(&eins.to_owned()), "{printed:?}");
    assert!(printed.contains(&"[2023-11-14 22:13:22] bob: (deleted)".to_owned()));
}

#[test]
fn a_second_reaction_with_the_same_emoji_takes_it_back() {
    let mut stage = in_chat(Language::Chinese);
    stage.types("/react 赞").printed();
    assert_eq!(asked(&mut stage), "react 2 👍 true");
    stage.says(done(R::React));
    assert_eq!(stage.printed(), ["  你用 👍 回应了“bob”的消息：two"]);
    // What others do does not change what is the reader's own.
    let reacted = ChatMessage {
        reactions: Some(thumbs(2)),
        ..in_room(2, "bob", "two")
    };
    stage.says(changed(reacted, "carol", Some(("👍", true))));
    stage.types("/n");
    assert!(stage.printed().contains(&"  👍 2".to_owned()));
    stage.types("/react 2 赞");
    assert_eq!(asked(&mut stage), "react 2 👍 false");
}

#[test]
fn an_emoji_is_the_same_in_all_its_forms() {
    let mut stage = in_chat(Language::English);
    stage.types("/react ❤");
    assert_eq!(asked(&mut stage), "react 2 ❤\u{fe0f} true");
    stage.says(done(R::React));
    stage.types("/react ❤");
    assert_eq!(asked(&mut stage), "react 2 ❤\u{fe0f} false");
    // A bot has sent another form, which the server takes for another emoji.
    let reacted = ChatMessage {
        reactions: Some(vec![Reaction {
            emoji: "👍\u{fe0f}".to_owned(),
            count: 1,
            mine: None,
        }]),
        ..in_room(2, "bob", "two")
    };
    stage.says(done(R::React));
    stage.says(changed(reacted, "bob", Some(("👍\u{fe0f}", true))));
    stage.types("/react 2 👍");
    assert_eq!(asked(&mut stage), "react 2 👍\u{fe0f} true");
    stage.says(done(R::React));
    stage.types("/react 2 👍");
    assert_eq!(asked(&mut stage), "react 2 👍\u{fe0f} false");
}

#[test]
fn a_reply_shows_a_quote_in_one_line() {
    let mut stage = in_chat(Language::English);
    let reply = |id, to| ChatMessage {
        reply_to: Some(to),
        ..in_room(id, "bob", "yes")
    };
    let event = |message: ChatMessage| {
        let reply_to = message.reply_to;
        let mut event = live(message, None);
        if let Event::OnNewMessage { reply_to: to, .. } = &mut event {
            *to = reply_to;
        }
        event
    };
    stage.says(live(in_room(4, "ann", "long\ntext ------ 2026"), None));
    stage.printed();
    stage.says(event(reply(5, 3)));
    assert_eq!(
        stage.printed(),
        ["  > me: three", "[2023-11-14 22:13:25] bob (reply): yes"]
    );
    stage.says(event(reply(6, 4)));
    assert_eq!(
        stage.printed(),
        [
            "  > me: long text ",
            "    ------ 2026",
            "[2023-11-14 22:13:26] bob (reply): yes"
        ]
    );
    stage.says(event(reply(7, 99)));
    assert_eq!(
        stage.printed(),
        [
            "  > (an earlier message)",
            "[2023-11-14 22:13:27] bob (reply): yes"
        ]
    );
}

#[test]
fn mentions_are_counted_apart() {
    let mut stage = ann(Language::English);
    let naming = |id, sender: &str, names: &[&str]| {
        let mut event = live(in_room(id, sender, "@ann hi"), None);
        if let Event::OnNewMessage { mentions, .. } = &mut event {
            *mentions = Some(names.iter().map(|name| (*name).to_owned()).collect());
        }
        event
    };
    stage.says(live(in_room(1, "bob", "hello"), None));
    stage.says(naming(2, "bob", &["ann"]));
    stage.says(naming(3, "bob", &["@all", "carol"]));
    stage.says(naming(4, "bob", &["carol"]));
    assert_eq!(stage.prompt(), "contact [4, @2]> ");
    assert_eq!(
        text(&stage.app.footer(9)[0]),
        "room1: 4 new messages; 2 mentions of you"
    );
    stage.types("?");
    assert!(
        stage
            .printed()
            .contains(&"  room1: 4 unread; 2 mentions of you".to_owned())
    );
    // A deleted message is not unread, and an edit may name other users. Told twice, it changes nothing more.
    for _ in 0..2 {
        stage.says(changed(deleted(2, "bob"), "bob", None));
        assert_eq!(stage.prompt(), "contact [3, @1]> ");
    }
    stage.says(changed(edited(3, "bob", "nobody"), "bob", None));
    assert_eq!(stage.prompt(), "contact [3]> ");
    // Blocked users do not reach the reader by a mention.
    stage.says(Event::OnSelfChanged {
        blocked: Some(vec!["bob".to_owned()]),
        invitations: None,
        away: None,
        last_seen: None,
    });
    stage.says(naming(5, "bob", &["ann"]));
    assert_eq!(stage.prompt(), "contact [4]> ");
    stage.types("&r room1");
    assert_eq!(stage.prompt(), "room1> ");
}

#[test]
fn what_a_user_does_stands_behind_the_name() {
    let mut stage = in_chat(Language::Chinese);
    stage.types("/me 挥手");
    assert_eq!(asked(&mut stage), "send /me 挥手 None");
    stage.says(live(in_room(4, "bob", "/me 点头"), None));
    assert_eq!(stage.printed(), ["[2023-11-14 22:13:24] * bob 点头"]);
    stage.says(changed(edited(4, "bob", "/me 摇头"), "bob", None));
    assert_eq!(
        stage.printed(),
        ["[2023-11-14 22:13:24] （已修改） * bob 摇头"]
    );
}

#[test]
fn reactions_and_answers_to_what_a_user_does_do_not_show_the_command() {
    for (language, reacted) in [
        (
            Language::English,
            [
                "  carol reacted 👍 to bob: * nods",
                "  You took back 👍 from bob: * nods",
            ],
        ),
        (
            Language::Chinese,
            [
                "  “carol”用 👍 回应了“bob”的消息：* nods",
                "  你收回了对“bob”的消息的回应 👍：* nods",
            ],
        ),
    ] {
        let mut stage = in_chat(language);
        let nods = || in_room(4, "bob", "/me nods");
        stage.says(live(nods(), None));
        stage.printed();
        let with_thumb = ChatMessage {
            reactions: Some(thumbs(1)),
            ..nods()
        };
        stage.says(changed(with_thumb, "carol", Some(("👍", true))));
        stage.says(changed(nods(), "ann", Some(("👍", false))));
        assert_eq!(stage.printed(), reacted);
    }
    let mut stage = in_chat(Language::English);
    let nods = ChatMessage {
        reactions: Some(thumbs(2)),
        ..in_room(4, "bob", "/me nods")
    };
    stage.says(live(in_room(4, "bob", "/me nods"), None));
    stage.says(changed(nods, "carol", Some(("👍", true))));
    stage.printed();
    stage.types("/n");
    let printed = stage.printed();
    let at = printed.iter().position(|line| line.ends_with("* bob nods"));
    assert_eq!(printed[at.unwrap() + 1], "  👍 2");
    stage.types("/reply yes");
    let mut reply = live(in_room(5, "ann", "yes"), Some("t-1"));
    if let Event::OnNewMessage { reply_to, .. } = &mut reply {
        *reply_to = Some(4);
    }
    stage.says(reply);
    assert!(stage.printed().contains(&"  > bob: * nods".to_owned()));
}

#[test]
fn code_keeps_its_indentation() {
    for folds in [false, true] {
        let mut stage = in_chat(Language::English);
        stage.app.common.context.settings.folds = folds;
        let code = "look:\n```rust\nfn f() {\n    g()\n}\n```\ndone";
        stage.says(live(in_room(4, "bob", code), None));
        assert_eq!(
            stage.printed(),
            [
                "[2023-11-14 22:13:24] bob: look:",
                "        fn f() {",
                "            g()",
                "        }",
                "    done",
            ]
        );
        // A row that begins code which nothing ends is text.
        stage.says(live(in_room(5, "bob", "```\nx"), None));
        assert_eq!(stage.printed(), ["[2023-11-14 22:13:25] bob: ```", "    x"]);
        for (id, lone) in [(7, "```rust"), (8, "```")] {
            stage.says(live(in_room(id, "bob", lone), None));
            let shown = format!("[2023-11-14 22:13:2{id}] bob: {lone}");
            assert_eq!(stage.printed(), [shown]);
        }
        stage.says(live(in_room(9, "bob", "```\n```"), None));
        assert_eq!(
            stage.printed(),
            ["[2023-11-14 22:13:29] bob: ```", "    ```"]
        );
        stage.says(live(in_room(10, "bob", "```\nx\n```\n```sh\ny"), None));
        assert_eq!(
            stage.printed(),
            [
                "[2023-11-14 22:13:30] bob: ",
                "        x",
                "    ```sh",
                "    y"
            ]
        );
        // Nothing of a text is hidden.
        stage.says(live(in_room(11, "bob", "``` I owe you\n```code```"), None));
        assert_eq!(
            stage.printed(),
            ["[2023-11-14 22:13:31] bob: ``` I owe you", "    ```code```"]
        );
    }
}

pub(super) fn found(messages: Vec<ChatMessage>, next: Option<u64>) -> Event {
    Event::FoundMessages {
        messages,
        more: next.is_some(),
        next,
        indexed: None,
    }
}

#[test]
fn a_search_is_asked_with_its_filters_and_shown_with_numbers() {
    let mut stage = in_chat(Language::English);
    stage.types("/search lunch from:bob in:room1 after:2023-11-14 before:2023-11-15");
    let request = stage.requests().remove(0);
    let Request::Search {
        query,
        target_type,
        target,
        sender,
        since,
        until,
        before,
        ..
    } = request
    else {
        panic!("{request:?}");
    };
    assert_eq!((query.0.as_str(), before), ("lunch", None));
    assert_eq!(target_type, Some(TargetType::Room));
    assert_eq!(target.unwrap().raw(), "room1");
    assert_eq!(sender.unwrap().raw(), "bob");
    assert_eq!((since, until), (Some(1_699_920_000), Some(1_700_006_399)));
    stage.printed();
    let hits = vec![in_room(2, "bob", "Lunch?"), in_room(1, "bob", "a lunch")];
    stage.says(found(hits, Some(1)));
    assert_eq!(
        stage.printed(),
        [
            "Messages found for lunch from:bob in:room1 after:2023-11-14 before:2023-11-15, newest first:",
            "  1  room1  [2023-11-14 22:13:22] bob: Lunch?",
            "  2  room1  [2023-11-14 22:13:21] bob: a lunch",
            "Type `/open <number>` to go to a message, `/more` for more.",
        ]
    );
    stage.types("/more");
    let more = stage.requests().remove(0);
    assert!(matches!(
        more,
        Request::Search {
            before: Some(1),
            ..
        }
    ));
    stage.says(found(vec![], None));
    assert_eq!(stage.printed()[1..], ["There is nothing more to show."]);
    stage.types("/more").printed();
    assert_eq!(stage.sent(), []);
    stage.types("/search x in:nowhere");
    assert_eq!(
        stage.printed()[1..],
        ["nowhere is neither a room of yours nor a friend."]
    );
    stage.types("/search x before:soon");
    assert_eq!(
        stage.printed()[1..],
        ["before:soon: this is not a day. Examples: 2026-01-31, yesterday, 3d."]
    );
    stage.types("／ｓｅａｒｃｈ 午饭 来自:我");
    let request = stage.requests().remove(0);
    assert!(matches!(request, Request::Search { sender: Some(me), .. } if me.raw() == "ann"));
    stage.printed();
    stage.says(found(vec![], None));
    assert_eq!(stage.printed(), ["No message found for 午饭 来自:我."]);
}

#[test]
fn a_found_message_is_opened_with_those_around_it() {
    let mut stage = ann(Language::English);
    stage.types("/mentions");
    assert_eq!(stage.sent(), [R::ListMentions]);
    stage.says(Event::History {
        messages: vec![in_room(7, "bob", "@ann one"), in_room(9, "bob", "@ann two")],
        more: false,
        newer: None,
    });
    assert_eq!(
        stage.printed()[1..],
        [
            "Messages that mention you, newest first:",
            "  1  room1  [2023-11-14 22:13:29] bob: @ann two",
            "  2  room1  [2023-11-14 22:13:27] bob: @ann one",
            "Type `/open <number>` to go to a message.",
        ]
    );
    stage.types("/open 3");
    assert_eq!(
        stage.printed()[1..],
        ["Nothing found has the number 3. Type `/search <words>` or `/mentions` first."]
    );
    stage.types("/open 2");
    assert_eq!(asked(&mut stage), "history None None Some(7) None");
    assert_eq!(stage.prompt(), "room1> ");
    stage.printed();
    let page = |messages| Event::History {
        messages,
        more: true,
        newer: Some(true),
    };
    stage.says(page(vec![
        in_room(6, "carol", "before"),
        in_room(7, "bob", "@ann one"),
    ]));
    assert_eq!(
        stage.printed(),
        [
            "------ around 2023-11-14 22:13:27 ------",
            "------ 2023-11-14 ------",
            "  2 [2023-11-14 22:13:26] carol: before",
            " >1 [2023-11-14 22:13:27] bob: @ann one",
            "------ end of the page ------",
            "`/history` goes back from here, `/newer` forward.",
        ]
    );
    stage.types("/reply 2 hm");
    assert_eq!(asked(&mut stage), "send hm Some(6)");
    stage.says(live(in_room(10, "ann", "hm"), Some("t-1")));
    stage.types("/newer");
    assert_eq!(asked(&mut stage), "history None Some(7) None None");
    stage.says(page(vec![in_room(8, "bob", "next")]));
    stage.types("/history");
    assert_eq!(asked(&mut stage), "history Some(8) None None None");
    stage.says(refused("unknown_room"));
    let target = Target::Room("room1".to_owned());
    let conversation = stage.app.common.context.session.conversation(&target);
    let remembered = conversation.map_or(0, |found| found.lines().count());
    assert_eq!(remembered, 1, "a page from elsewhere leaves no gap");
}

#[test]
fn a_jump_leaves_unread_what_it_does_not_show() {
    for (newer, marks) in [(true, vec![]), (false, vec![R::MarkRead])] {
        let mut stage = ann(Language::English);
        stage.says(live(in_room(7, "bob", "one"), None));
        stage.says(live(in_room(9, "bob", "two"), None));
        stage.types("/mentions");
        stage.says(Event::History {
            messages: vec![in_room(7, "bob", "one")],
            more: false,
            newer: None,
        });
        stage.types("/open 1").sent();
        stage.says(Event::History {
            messages: vec![in_room(7, "bob", "one")],
            more: false,
            newer: Some(newer),
        });
        assert_eq!(stage.sent(), marks, "{newer}");
        assert_eq!(
            stage.prompt(),
            if newer { "room1 [2]> " } else { "room1> " }
        );
    }
}

#[test]
fn a_day_is_jumped_to() {
    for (line, language) in [
        ("/date 2023-11-14", Language::English),
        ("／date 11月14日", Language::Chinese),
        ("/date 今天", Language::Chinese),
    ] {
        let mut stage = in_chat(language);
        stage.types(line);
        let expected = "history None None None Some(1699920000)";
        assert_eq!(asked(&mut stage), expected, "{line}");
        stage.printed();
        stage.says(Event::History {
            messages: vec![],
            more: false,
            newer: Some(false),
        });
        let none = language.say(Text::NothingSince);
        assert_eq!(stage.printed(), [none]);
        let jump = RequestContext::Jump(Target::Room("room1".to_owned()), Jump::At(0));
        assert!(!stage.app.upstream.requests().has(&jump));
    }
    let mut stage = in_chat(Language::English);
    stage.types("/date soon");
    assert_eq!(
        stage.printed()[1..],
        ["soon: this is not a day. Examples: 2026-01-31, yesterday, 3d."]
    );
    stage.types("\\c").types("/date today");
    assert!(stage.printed()[2].ends_with("works only in a chat."));
}

#[test]
fn blocked_users_are_neither_quoted_nor_found() {
    let mut stage = in_chat(Language::English);
    stage.says(Event::OnSelfChanged {
        blocked: Some(vec!["bob".to_owned()]),
        invitations: None,
        away: None,
        last_seen: None,
    });
    stage.printed();
    let mut reply = live(in_room(4, "carol", "yes"), None);
    if let Event::OnNewMessage { reply_to, .. } = &mut reply {
        *reply_to = Some(2);
    }
    stage.says(reply);
    assert_eq!(stage.printed()[0], "  > bob: (message from a blocked user)");
    stage.says(Event::Marked {
        target_type: TargetType::Room,
        target: "room1".into(),
        id: 4,
    });
    stage.types("/search two").printed();
    stage.says(found(vec![in_room(2, "bob", "two")], None));
    assert_eq!(
        stage.printed()[1],
        "  1  room1  [2023-11-14 22:13:22] bob: (message from a blocked user)"
    );
    stage.says(changed(edited(1, "bob", "eins"), "bob", None));
    let reacted = ChatMessage {
        reactions: Some(thumbs(1)),
        ..in_room(3, "ann", "three")
    };
    stage.says(changed(reacted, "bob", Some(("👍", true))));
    assert_eq!(stage.printed(), [""; 0]);
    stage.sent();
    // Numbers pass over what is folded.
    stage.types("/reply 1 x");
    assert_eq!(asked(&mut stage), "send x Some(4)");
    stage.types("/react 3 👍");
    assert!(stage.printed()[1].starts_with("There is no message 3 here."));
}

#[test]
fn a_login_brings_changes_that_were_missed() {
    let mut stage = in_chat(Language::English);
    stage.happens(Input::Closed(None));
    stage.passes(60).happens(Input::Connected);
    let own = in_room(3, "ann", "three");
    stage.welcome(
        "ann",
        vec![edited(1, "bob", "eins"), deleted(2, "bob"), own],
    );
    assert!(
        !stage
            .printed()
            .contains(&Language::English.say(Text::HistoryReplaced)),
        "it is the same history"
    );
    stage.types("/n");
    let printed = stage.printed();
    assert!(
        printed.contains(&"  3 [2023-11-14 22:13:21] bob (edited): eins".to_owned()),
        "{printed:?}"
    );
    assert!(printed.contains(&"  2 [2023-11-14 22:13:22] bob: (deleted)".to_owned()));
}

#[test]
fn a_script_edits_without_questions() {
    let mut stage = in_chat(Language::English);
    stage.app.common.context.settings.interactive = false;
    stage.happens(Input::Line("/delete".into()));
    assert_eq!(asked(&mut stage), "delete 3");
    stage.says(done(R::DeleteMessage));
    // Without a terminal a substitution is text.
    stage.happens(Input::Line("s/two/zwei/".into()));
    assert_eq!(asked(&mut stage), "send s/two/zwei/ None");
}

#[test]
fn a_reply_waits_with_its_quote() {
    let mut stage = in_chat(Language::English);
    stage.happens(Input::Closed(None));
    stage.types("/reply 2 later");
    let lines = stage.app.common.context.outgoing.to_lines("ann");
    assert!(
        lines.contains(r#""content":"later","reply_to":2"#),
        "{lines}"
    );
}

#[test]
fn a_line_that_was_emptied_is_no_other_text_for_the_message() {
    let emptied: [&[Key]; 3] = [
        &[Key::Ctrl('u')],
        &[Key::Ctrl('a'), Key::Ctrl('k')],
        &[Key::Ctrl('w')],
    ];
    for keys in emptied {
        let mut stage = in_chat(Language::English);
        stage.presses_key(Key::Up);
        for key in keys {
            stage.presses_key(key.clone());
        }
        assert_eq!(stage.prompt(), "room1> ", "{keys:?}");
        assert_eq!(stage.printed(), ["Nothing was changed."]);
        stage.presses("four\n");
        assert_eq!(stage.sent(), [R::SendMessage], "{keys:?}");
    }
}

#[test]
fn what_means_the_last_message_does_not_mean_the_one_before_a_pending_one() {
    for (language, said) in [
        (
            Language::English,
            "Your last message here is still pending. `/withdraw 1` takes it back.",
        ),
        (
            Language::Chinese,
            "你在这里的最后一条消息还没有发送。输入 `/withdraw 1` 可以撤回。",
        ),
    ] {
        let mut stage = in_chat(language);
        stage.happens(Input::Closed(None));
        stage.types("four").printed();
        for line in ["/edit drei", "/edit", "s/three/drei/", "s/four/vier/"] {
            stage.types(line);
            let printed = stage.printed();
            assert!(printed.contains(&said.to_owned()), "{line}: {printed:?}");
        }
        stage.presses_key(Key::Up);
        assert_eq!(stage.printed(), [said]);
        assert_eq!(asked(&mut stage), "");
        assert_eq!(stage.line(), "");
        assert_eq!(stage.contents(), ["four"]);
        // One with a number is another message.
        stage.types("/edit 1 drei");
        assert!(!stage.printed().contains(&said.to_owned()));
        stage.types("/delete");
        assert_eq!(stage.contents(), [""; 0]);
    }
}

/// Ann blocks carol.
fn blocks_carol(stage: &mut Stage) {
    stage.says(Event::OnSelfChanged {
        blocked: Some(vec!["carol".to_owned()]),
        invitations: None,
        away: None,
        last_seen: None,
    });
}

#[test]
fn what_a_page_folds_stands_in_its_place_and_is_shown_with_numbers() {
    let page = || Event::History {
        messages: vec![
            in_room(4, "bob", "four"),
            in_room(5, "carol", "five"),
            in_room(6, "carol", "six"),
            in_room(7, "ann", "seven"),
        ],
        more: false,
        newer: None,
    };
    for line in ["/date today", "/search six"] {
        let mut stage = in_chat(Language::English);
        blocks_carol(&mut stage);
        stage.types(line);
        if line.starts_with("/search") {
            stage.says(found(vec![in_room(6, "carol", "six")], None));
            stage.types("/open 1");
        }
        stage.printed();
        stage.says(page());
        let printed = stage.printed();
        let at = |part: &str| printed.iter().position(|line| line.contains(part));
        let fold = at("(2 messages from blocked users; `/show` to read them)");
        assert!(at("four") < fold && fold < at("seven"), "{printed:?}");
        stage.types("/show");
        let printed = stage.printed();
        assert!(printed[1].starts_with("  2 [") && printed[1].ends_with("carol: five"));
        assert!(printed[2].starts_with("  1 [") && printed[2].ends_with("carol: six"));
        // An operator deletes what was shown, by its number.
        asked(&mut stage);
        stage.types("/delete 1").types("y");
        assert_eq!(asked(&mut stage), "delete 6");
    }
}

#[test]
fn what_a_blocked_user_edits_after_it_was_shown_is_folded_again() {
    let mut stage = in_chat(Language::English);
    blocks_carol(&mut stage);
    stage.says(live(in_room(4, "carol", "four"), None));
    stage.types("/show").printed();
    let reaction = changed(in_room(4, "carol", "four"), "bob", Some(("👍", true)));
    stage.says(reaction);
    assert_eq!(stage.printed(), [""; 0]);
    stage.says(changed(edited(4, "carol", "vier"), "carol", None));
    let said =
        "(a blocked user changed a message that you have read; `/show` to read it as it is now)";
    assert_eq!(stage.printed(), [said]);
    stage.types("/show");
    let printed = stage.printed();
    assert!(printed[1].ends_with("carol (edited): vier"), "{printed:?}");
    stage.says(changed(deleted(4, "carol"), "bob", None));
    assert!(stage.printed()[0].starts_with("bob deleted"));
    // One that was not shown is shown as it is now, without a line for that.
    stage
        .says(live(in_room(5, "carol", "five"), None))
        .printed();
    stage.says(changed(edited(5, "carol", "fünf"), "carol", None));
    assert_eq!(stage.printed(), [""; 0]);
}

#[test]
fn a_search_that_cannot_find_anything_says_why() {
    let mut stage = in_chat(Language::English);
    for (line, said) in [
        (
            "/search from:",
            "from: lacks what follows the colon. Write it in quotes to search for the word.",
        ),
        (
            "/search has:foo",
            "There is no filter has:foo: has: takes link. Write it in quotes to search for the words.",
        ),
    ] {
        stage.types(line);
        assert_eq!(stage.printed().last().unwrap(), said);
        assert_eq!(stage.sent(), []);
    }
    for (name, is_known) in [("stranger", false), ("Bob", true), ("me", true)] {
        stage.types(&format!("/search from:{name}")).printed();
        stage.says(found(vec![], None));
        let printed = stage.printed();
        let said = format!("echat has seen no user named {name}. from: takes the whole name.");
        assert_eq!(printed.contains(&said), !is_known, "{printed:?}");
    }
}

#[test]
fn a_number_behind_n_is_no_user() {
    let mut stage = in_chat(Language::English);
    stage.types("/n 5");
    assert_eq!(stage.sent(), []);
    assert!(stage.printed().last().unwrap().starts_with("  1 ["));
    stage.says(Event::IncommingFriendRequest {
        username: "5".to_owned(),
    });
    stage.types("/n 5");
    assert_eq!(stage.sent(), [R::ResolveFriendRequest]);
}

#[test]
fn the_message_that_was_found_is_marked_and_stands_near_the_end() {
    let mut stage = in_chat(Language::English);
    stage.types("/search word");
    stage.says(found(vec![in_room(10, "bob", "a word")], None));
    stage.types("/open 1").printed();
    let page = (1..40).map(|id| in_room(id, "bob", "x"));
    stage.says(Event::History {
        messages: page.collect(),
        more: false,
        newer: Some(false),
    });
    let printed = stage.printed();
    let marked: Vec<usize> = (0..printed.len())
        .filter(|at| printed[*at].starts_with(" >6 ["))
        .collect();
    assert_eq!(marked.len(), 1, "{printed:?}");
    assert_eq!(
        printed.len() - marked[0],
        8,
        "five messages and two rows follow"
    );
    assert!(printed.last().unwrap().contains("`/newer` forward"));
    // What was left out is the next page; behind the newest message there is none.
    stage.types("/newer");
    let last = asked(&mut stage);
    assert!(last.contains("15"), "{last}");
    stage.printed();
    stage.says(Event::History {
        messages: (16..40).map(|id| in_room(id, "bob", "x")).collect(),
        more: true,
        newer: Some(false),
    });
    assert_eq!(
        stage.printed().last().unwrap(),
        "`/history` goes back from here. There is nothing newer."
    );
}

#[test]
fn a_substitution_without_its_last_slash_is_meant_if_it_fits() {
    let mut stage = in_chat(Language::English);
    stage.types("s/three/drei");
    assert_eq!(asked(&mut stage), "edit 3 drei");
    stage.types("s/zzz/drei");
    assert_eq!(stage.sent(), [R::SendMessage]);
}

#[test]
fn found_actions_and_bots_look_as_in_the_chat() {
    let mut stage = in_chat(Language::English);
    stage.types("/search nods").printed();
    let bot = ChatMessage {
        bot: Mark(true),
        ..in_room(5, "clerk", "nods")
    };
    stage.says(found(vec![in_room(4, "bob", "/me nods"), bot], None));
    let printed = stage.printed().join("|");
    assert!(
        printed.contains("* bob nods|") && printed.contains("clerk (bot): nods"),
        "{printed}"
    );
}

#[test]
fn a_reaction_that_waits_shows_its_message() {
    let mut stage = ann(Language::English);
    stage.types("&r room1");
    stage.says(live(in_room(1, "bob", "lunch?"), None));
    stage.happens(Input::Closed(None)).printed();
    stage.types("/react +1");
    assert_eq!(
        stage.printed()[1..],
        [
            "`/react 👍` will be carried out when the connection is back.",
            "  > bob: lunch?",
        ]
    );
}

#[test]
fn the_marks_of_a_message_share_their_brackets() {
    for (language, head) in [
        (Language::English, "bob (bot, reply, edited): yes"),
        (Language::Chinese, "bob（机器人、回复、已修改）：yes"),
    ] {
        let mut stage = ann(language);
        stage.types("&r room1");
        stage
            .says(live(in_room(1, "ann", "lunch?"), None))
            .printed();
        let mut event = live(in_room(2, "bob", "yes"), None);
        let Event::OnNewMessage {
            bot,
            reply_to,
            edited,
            ..
        } = &mut event
        else {
            panic!("{event:?}");
        };
        (*bot, *reply_to, *edited) = (Mark(true), Some(1), Some(1_700_000_003));
        stage.says(event);
        let printed = stage.printed();
        assert!(printed[1].ends_with(head), "{printed:?}");
    }
}
