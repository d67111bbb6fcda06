//! Reserved names: messages of the software could be mistaken for messages of such a user.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::look::looks;
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

/// Refuses reserved words and names that are confusable with one.
pub(super) fn refuse(stored: &str) -> Result<(), NameError> {
    if looks(stored).iter().any(|look| LOOKS.contains(look)) {
        return Err(NameError::Reserved);
    }
    Ok(())
}
