//! Words that answer a question.

use super::ascii_form;

/// Words that mean yes, in lower case.
const YES: &[&str] = &[
    "y",
    "yes",
    "yep",
    "yeah",
    "yup",
    "ok",
    "okay",
    "sure",
    "是",
    "是的",
    "好",
    "好的",
    "可以",
    "行",
    "对",
    "对的",
    "确定",
    "同意",
    "当然",
    "好吧",
    "没问题",
];
/// Words that mean no, in lower case.
const NO: &[&str] = &[
    "n",
    "no",
    "nope",
    "nah",
    "no thanks",
    "cancel",
    "discard",
    "否",
    "不",
    "不是",
    "不要",
    "不行",
    "不可以",
    "不用",
    "不了",
    "不对",
    "不必",
    "不发",
    "不发送",
    "不删除",
    "别",
    "算了",
    "取消",
    "放弃",
];

/// A line as answers are compared. Letters of any width and case count; quotes around the words and a full stop or an
/// exclamation mark behind them do not.
pub fn answer_words(line: &str) -> String {
    let line: String = line.trim().chars().map(ascii_form).collect();
    let words = line.trim_end_matches(['.', '!', '。', '~', ' ']);
    unquoted(words).to_lowercase()
}

/// A text without the quotes around it.
pub fn unquoted(text: &str) -> &str {
    text.trim_matches(['“', '”', '"', '＂', '「', '」', '`'])
}

/// Whether an answer, in the form of [`answer_words`], means yes or no; `None` if it means neither.
pub fn yes_or_no(words: &str) -> Option<bool> {
    let is_yes = YES.contains(&words);
    (is_yes || NO.contains(&words)).then_some(is_yes)
}
