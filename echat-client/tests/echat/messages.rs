//! Messages that are edited, deleted, answered, reacted to and mentioned, by ann in English and 小明 in Chinese.

use echat_client::text::{Language, Text};

use crate::actor::Actor;
use crate::server_folder::{PASSWORD, ServerFolder};

const SIZE: (u16, u16) = (90, 40);

/// Waits until a row of the terminal has a text, whatever its colours.
fn shows(actor: &mut Actor, text: &str) {
    let has_it = |row: &String| row.contains(text);
    let person = &mut actor.person;
    person.sees_that(text, |screen| screen.rows().iter().any(has_it));
}

/// Ann and 小明 in ann's room tea, where 小明 said one thing; ann has it open.
fn meet(folder: &ServerFolder) -> (Actor, Actor) {
    let address = folder.server.address();
    let mut ann = Actor::comes(folder, address, Language::English, SIZE);
    let mut xiaoming = Actor::comes(folder, address, Language::Chinese, SIZE);
    ann.registers("ann");
    xiaoming.registers("小明");
    ann.types("/create public tea");
    ann.sees(Text::NewRoom { room: "tea" });
    ann.has("tea>");
    xiaoming.types("/join tea");
    xiaoming.sees(Text::NewRoom { room: "tea" });
    xiaoming.has("tea>");
    xiaoming.types("今天一起吃午饭吧");
    shows(&mut ann, "小明: 今天一起吃午饭吧");
    (ann, xiaoming)
}

#[test]
fn a_reply_an_edit_and_a_reaction_reach_the_other_one() {
    let folder = ServerFolder::unhurried();
    let (mut ann, mut xiaoming) = meet(&folder);
    ann.types("/reply great");
    shows(&mut xiaoming, "> 我：今天一起吃午饭吧");
    shows(&mut xiaoming, "ann（回复）：great");
    shows(&mut ann, "me (reply): great");
    // Up takes the last message into the line, Esc leaves it.
    ann.person.types("\x1b[A");
    ann.has("(editing, Esc leaves) tea> great");
    ann.person.types("\x1b");
    ann.has("tea>");
    ann.person.types("\x1b[A");
    ann.has("(editing, Esc leaves) tea> great");
    ann.types(" idea");
    shows(&mut xiaoming, "ann（回复、已修改）：great idea");
    xiaoming.types("s/午饭/晚饭/");
    shows(&mut ann, "小明 (edited): 今天一起吃晚饭吧");
    xiaoming.types("/react 赞");
    shows(&mut ann, "小明 reacted 👍 to you: great idea");
    // Only what the client knows of is taken back.
    shows(&mut xiaoming, "你用 👍 回应了“ann”的消息：great idea");
    xiaoming.types("/react :+1:");
    shows(&mut ann, "小明 took back 👍 from you: great idea");
    ann.types("/me goes to the kitchen");
    shows(&mut xiaoming, "* ann goes to the kitchen");
}

#[test]
fn an_owner_deletes_a_message_by_its_number() {
    let folder = ServerFolder::unhurried();
    let (mut ann, mut xiaoming) = meet(&folder);
    ann.types("no");
    shows(&mut xiaoming, "ann：no");
    ann.types("/n");
    shows(&mut ann, "  2 [");
    shows(&mut ann, "小明: 今天一起吃午饭吧");
    ann.types("/delete 2");
    ann.sees(Text::DeleteShort);
    ann.types("y");
    shows(&mut ann, "You deleted a message from 小明");
    shows(&mut xiaoming, "“ann”删除了你");
    // A message of others is not a member's to delete.
    xiaoming.types("/delete 1");
    xiaoming.sees(Text::OnlySenderDeletes);
    xiaoming.types("/date 今天");
    shows(&mut xiaoming, "我：（已删除）");
}

#[test]
fn a_mention_beside_chinese_text_is_counted_and_found() {
    let folder = ServerFolder::unhurried();
    let (mut ann, mut xiaoming) = meet(&folder);
    ann.types("\\c");
    ann.types("contact");
    ann.has("contact>");
    xiaoming.types("大家好");
    ann.has("contact [1]>");
    xiaoming.types("请@ann看一下");
    ann.has("contact [2, @1]>");
    ann.types("/mentions");
    shows(&mut ann, "  1  tea  [");
    shows(&mut ann, "请@ann看一下");
    ann.types("/open 1");
    shows(&mut ann, "------ around");
    ann.has("tea>");
    ann.types("/n");
    shows(&mut ann, "请@ann看一下");
}

#[test]
fn a_pipe_edits_and_deletes() {
    let folder = ServerFolder::unhurried();
    folder.has("tea", &["ann", "bob"]);
    let link = folder.link();
    let arguments = ["--user", "ann", "--password-file", PASSWORD, &link];
    let outcome = folder
        .pipes(&arguments, "&r tea\none\ntwo\n/edit 2 three\n/delete 1\n")
        .exits(0);
    assert!(
        outcome.out.contains("me (edited): three"),
        "{}",
        outcome.out
    );
    assert!(
        outcome.out.contains("You deleted a message"),
        "{}",
        outcome.out
    );
    let counted = folder.counts("bob", &["one", "two", "three"].map(str::to_owned));
    assert_eq!(counted, [0, 0, 1]);
}

#[test]
fn a_message_that_a_login_does_not_bring_is_edited() {
    let folder = ServerFolder::unhurried();
    folder.has("tea", &["ann", "bob"]);
    let link = folder.link();
    let types = |user: &str, lines: &str| {
        let arguments = ["--user", user, "--password-file", PASSWORD, &link];
        folder
            .pipes(&arguments, &format!("&r tea\n{lines}"))
            .exits(0)
    };
    types("ann", "one\n");
    let others = format!("first\n{}", "other\n".repeat(59));
    types("bob", &others);
    // What is unread is in memory; the next login brings the newest messages alone.
    types("ann", "");
    let outcome = types("ann", "/edit two\n");
    assert!(outcome.out.contains("me (edited): two"), "{}", outcome.out);
    let outcome = types("ann", "/edit 61 three\n/reply 60 yes\n");
    assert!(
        outcome.out.contains("me (edited): three"),
        "{}",
        outcome.out
    );
    assert!(outcome.out.contains("> bob: first"), "{}", outcome.out);
    let counted = folder.counts("bob", &["one", "two", "three"].map(str::to_owned));
    assert_eq!(counted, [0, 0, 1]);
}

#[test]
fn words_of_any_length_are_found() {
    let folder = ServerFolder::unhurried();
    let (mut ann, mut xiaoming) = meet(&folder);
    ann.types("Café at noon, see https://example.org/menu");
    shows(&mut xiaoming, "Café at noon");
    for words in ["饭", "午饭", "吃午饭", "今天 来自:我", "“一起吃”"] {
        xiaoming.types(&format!("/search {words}"));
        xiaoming.sees(Text::FoundMessages { words });
        xiaoming.sees(Text::HowToOpenFound);
    }
    for words in ["cafe", "menu from:me", "has:link", "noo*"] {
        ann.types(&format!("/search {words}"));
        ann.sees(Text::FoundMessages { words });
        ann.sees(Text::HowToOpenFound);
    }
    ann.types("/search 晚饭");
    ann.sees(Text::FoundNoMessages { words: "晚饭" });
}
