use echat_proto::names::{Content, RoomName, Username};

use super::super::Store;
use super::super::search_index::prefix;
use super::*;

/// A store with one block, of these texts.
fn indexed(texts: impl IntoIterator<Item = String>) -> Store {
    let mut store = Store::in_memory().unwrap();
    let mut batch = store.batch();
    let ann = Username::new("ann").unwrap();
    let ann = batch.create_user(&ann, "phc", 1).unwrap().unwrap();
    let tea = RoomName::new("tea").unwrap();
    let tea = batch.create_room(&tea, ann, 1).unwrap().unwrap();
    for text in texts {
        let text = Content::new(text).unwrap();
        batch.insert_message(tea, ann, &text, None, 1).unwrap();
    }
    while batch.index_messages().unwrap().is_some() {}
    let _ = batch.commit().unwrap();
    store
}

fn word(word: &str) -> Vec<u8> {
    format!("0{}{word}", prefix(1)).into_bytes()
}

#[test]
fn the_pages_of_a_word_are_not_those_of_its_neighbours() {
    let texts = (0..100).map(|number| format!("{}a{number} z{number}", "m ".repeat(1_500)));
    let mut store = indexed(texts);
    let batch = store.batch();
    let pages = |first: &str, last: &str| batch.index_pages(&word(first), &word(last)).unwrap();
    // A position is a byte.
    let all = 100 * 1_500 / 4_096 - 2;
    assert!(
        (all..all + 20).contains(&pages("m", "m")),
        "{}",
        pages("m", "m")
    );
    for other in ["a", "a99", "l", "ma", "n", "z1", "zz"] {
        assert_eq!(pages(other, other), 0, "{other}");
    }
    assert!(pages("m", "n") >= all && pages("a", "z") >= all && pages("l", "ma") >= all);
    assert_eq!(pages("a", "l"), 0);
    assert!(pages("ma", "z") <= 2);
    // Another block.
    let other = format!("0{}m", prefix(2)).into_bytes();
    assert_eq!(batch.index_pages(&other, &other).unwrap(), 0);
}

#[test]
fn many_words_fill_the_pages_between_the_first_and_the_last() {
    let texts = (0..200).map(|number: u64| {
        let words = (0..100).map(|word| format!("b{:08x}", (number * 100 + word) * 7_919));
        words.collect::<Vec<String>>().join(" ")
    });
    let mut store = indexed(texts);
    let batch = store.batch();
    let pages = |first: &str, last: &str| batch.index_pages(&word(first), &word(last)).unwrap();
    let all = pages("b", "c");
    // A word shares most of its bytes with the one before.
    assert!((30..200).contains(&all), "{all}");
    assert_eq!(pages("c", "d"), 0);
    assert_eq!(pages("a", "b"), 0);
    let half = pages("b00000000", "b04b00000");
    assert!(half > all / 4 && half < all, "{half} of {all}");
}

#[test]
fn the_last_word_of_each_page_is_read_as_the_index_has_it() {
    let texts = (0..300).map(|number: u64| format!("w{number} 天气 {}", "x y ".repeat(20)));
    let store = indexed(texts);
    let db = store.connection();
    let vocabulary = "CREATE VIRTUAL TABLE temp.all_words USING fts5vocab(main, search, row)";
    db.execute_batch(vocabulary).unwrap();
    let mut pages = db
        .prepare("SELECT d.block FROM search_idx AS i JOIN search_data AS d ON d.id = (i.segid << 37) + i.pgno / 2")
        .unwrap();
    let pages = pages.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let mut read = 0;
    for page in pages {
        let last = last_word(&page.unwrap()).unwrap();
        let last = String::from_utf8(last[1..].to_vec()).unwrap();
        let sql = "SELECT count(*) FROM temp.all_words WHERE term = ?1";
        let found: i64 = db.query_row(sql, [&last], |row| row.get(0)).unwrap();
        assert_eq!(found, 1, "{last}");
        read += 1;
    }
    assert!(read > 3, "{read}");
    for bytes in [
        &[][..],
        &[0; 3],
        &[0, 0, 255, 255, 1],
        &[0, 0, 0, 4, 4],
        &[255; 40],
    ] {
        assert_eq!(last_word(bytes), None);
    }
}
