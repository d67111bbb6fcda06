//! A half-typed line stays as it was when something happens.

use super::*;

impl Stage {
    fn pastes(&mut self, text: &str) -> &mut Self {
        self.happens(Input::Key(Key::Paste(text.into())))
    }

    fn enters(&mut self) -> &mut Self {
        self.happens(Input::Key(Key::Enter))
    }
}

#[test]
fn pasted_lines_are_sent_together_with_the_line_around_them() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").pastes("hello !");
    stage
        .happens(Input::Key(Key::Left))
        .pastes("one\ntwo\nthree");
    assert_eq!(stage.prompt(), "3 lines (Y/O/N) room1> ");
    stage.looks().pastes("Y").enters();
    assert_eq!(stage.contents(), ["hello one", "two", "three!"]);
}

#[test]
fn declining_a_paste_restores_the_line() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").pastes("hello !");
    for answer in ["N", "/pending"] {
        stage.happens(Input::Key(Key::Left)).pastes("one\ntwo");
        assert_eq!(stage.app.editor().text(), "");
        stage.looks().pastes(answer).enters();
        assert_eq!(stage.app.editor().text(), "hello !");
        stage.happens(Input::Key(Key::End));
    }
    assert!(stage.contents().is_empty());
}

#[test]
fn pasted_lines_go_to_the_chat_in_which_they_were_pasted() {
    let mut stage = ann(Language::English);
    stage.types("&r room1").pastes("one\ntwo").looks();
    stage.says(Event::NewContact {
        username: "carol".to_owned(),
    });
    stage.app.go(crate::modes::Goto::Contact);
    stage.pastes("y").enters();
    let lines = stage.app.common.context.outgoing.to_lines("ann");
    assert_eq!(lines.matches("room1").count(), 2, "{lines}");
}

#[test]
fn a_name_takes_only_the_first_pasted_line() {
    let mut stage = stage(Language::English);
    stage.types("register").printed();
    stage.pastes("ann\nbob");
    assert_eq!(stage.app.editor().text(), "ann");
    assert_eq!(stage.prompt(), "register user name: ");
}
