//! A line that is begun when something happens is the writer's still.

use super::*;
use crate::line_editor::Key;

impl Stage {
    fn pastes(&mut self, text: &str) -> &mut Self {
        self.happens(Input::Key(Key::Paste(text.to_owned())))
    }

    fn enters(&mut self) -> &mut Self {
        self.happens(Input::Key(Key::Enter))
    }

    fn contents(&mut self) -> Vec<String> {
        let lines = self.app.world.outgoing.to_lines("ann");
        let content = |line: &str| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            value["content"].as_str().unwrap().to_owned()
        };
        lines.lines().map(content).collect()
    }
}

fn carol_asks(stage: &mut Stage) {
    stage.says(Event::IncommingFriendRequest {
        username: "carol".to_owned(),
    });
}

#[test]
fn what_was_begun_before_a_question_is_no_answer_to_it() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").pastes("yes");
    carol_asks(&mut stage);
    assert_eq!(stage.prompt(), "room1> ");
    stage.enters();
    assert_eq!(stage.sent(), [RequestKind::SendMessage]);
    assert_eq!(stage.contents(), ["yes"]);
    assert_eq!(stage.prompt(), "befriend carol? (Y/N) room1 (1 pending)> ");
    stage.pastes("yes").enters();
    assert_eq!(stage.sent(), [RequestKind::ResolveFriendRequest]);
}

#[test]
fn a_line_that_was_emptied_makes_place_for_the_question() {
    let mut stage = ann(Language::English);
    stage.pastes("n");
    carol_asks(&mut stage);
    assert_eq!(stage.prompt(), "contact> ");
    stage.happens(Input::Key(Key::Backspace));
    assert_eq!(stage.prompt(), "befriend carol? (Y/N) contact> ");
}

#[test]
fn lines_pasted_into_a_line_are_sent_with_it() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").pastes("hello !");
    stage
        .happens(Input::Key(Key::Left))
        .pastes("one\ntwo\nthree");
    assert_eq!(stage.prompt(), "3 lines (Y/O/N) room1> ");
    stage.pastes("Y").enters();
    assert_eq!(stage.contents(), ["hello one", "two", "three!"]);
}

#[test]
fn lines_that_are_not_sent_leave_the_line_as_it_was() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").pastes("hello !");
    for answer in ["N", "something else"] {
        stage.happens(Input::Key(Key::Left)).pastes("one\ntwo");
        assert_eq!(stage.app.editor().text(), "");
        stage.pastes(answer).enters();
        assert_eq!(stage.app.editor().text(), "hello !");
        stage.happens(Input::Key(Key::End));
    }
    assert_eq!(stage.contents(), ["something else"]);
}

#[test]
fn lines_go_to_the_chat_in_which_they_were_pasted() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").pastes("one\ntwo");
    stage.says(Event::LeftRoom {
        roomname: "room1".to_owned(),
    });
    stage.pastes("y").enters();
    for line in stage.app.world.outgoing.to_lines("ann").lines() {
        assert!(line.contains("room1"), "{line}");
    }
}

#[test]
fn of_lines_that_are_pasted_for_a_name_the_first_is_taken() {
    let mut stage = stage(Language::English);
    stage.types("register").printed();
    stage.pastes("ann\nbob");
    assert_eq!(stage.app.editor().text(), "ann");
    assert_eq!(stage.prompt(), "register user name: ");
}
