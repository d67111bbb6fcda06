//! Reserved names: messages of the software could be mistaken for messages of such a user.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use super::DELETED_ACCOUNT;
use super::look::{SEPARATORS, looks};
use super::normal::NameError;

/// Names of the software, of administrators, of everyone at once, the prompts of the client's modes (`contact> ` must
/// not be a chat with "contact"), and words that are commands.
const RESERVED: &[&str] = &[
    "admin",
    "administrator",
    "echat",
    "mod",
    "moderator",
    "official",
    "operator",
    "root",
    "security",
    "server",
    "staff",
    "support",
    "sysop",
    "system",
    "all",
    "anonymous",
    "everybody",
    "everyone",
    "here",
    "me",
    "nobody",
    "you",
    "command",
    "contact",
    "query",
    "exit",
    "help",
    "quit",
    "系统",
    "管理员",
    "服务器",
    "客服",
    "所有人",
    "大家",
    "帮助",
    "我",
    "你",
];

static LOOKS: LazyLock<HashSet<String>> =
    LazyLock::new(|| RESERVED.iter().flat_map(|word| looks(word)).collect());

/// The skeletons of what the names of deleted accounts begin with, without the space, which a name cannot have.
static DELETED_ACCOUNT_LOOKS: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| looks(&DELETED_ACCOUNT.replace(' ', "")));

/// The characters of the skeletons of digits.
static DIGIT_LOOKS: LazyLock<HashSet<char>> = LazyLock::new(|| {
    let looks = ('0'..='9').flat_map(|digit| looks(digit.encode_utf8(&mut [0; 4])));
    looks
        .flat_map(|look| look.chars().collect::<Vec<_>>())
        .collect()
});

/// Whether a name is confusable with that of a deleted account, with any or no separators in place of its spaces.
fn is_like_deleted_account(stored: &str) -> bool {
    let bare = stored.replace(SEPARATORS, "");
    let is_digit = |c: char| c.is_numeric() || DIGIT_LOOKS.contains(&c);
    looks(&bare).iter().any(|look| {
        let begin = DELETED_ACCOUNT_LOOKS.iter();
        let mut numbers = begin.filter_map(|begin| look.strip_prefix(begin.as_str()));
        numbers.any(|number| number.chars().all(is_digit))
    })
}

/// Refuses reserved words, names of deleted accounts, and names that are confusable with one.
pub(super) fn refuse(stored: &str) -> Result<(), NameError> {
    if is_like_deleted_account(stored) {
        return Err(NameError::Reserved);
    }
    if looks(stored).iter().any(|look| LOOKS.contains(look)) {
        return Err(NameError::Reserved);
    }
    Ok(())
}
