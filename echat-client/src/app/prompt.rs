//! What stands at the bottom of the terminal: notices, unsent lines and the prompt; and the title of the window. It
//! reads the application and changes nothing.

use super::App;
use super::question::Question;
use crate::render::safe::Safe;
use crate::render::styled::{Line, Span, Style};
use crate::text::Text;

/// Rows above the prompt that notices and unsent lines take at most.
const FOOTER_ROWS: usize = 5;
/// Rows of them that notices take at most.
const NOTICE_ROWS: usize = 3;

/// The prompt: an open question, mode and target, whether the user is away, unread messages and unsent lines.
pub(super) fn prompt(app: &App) -> Line {
    let language = app.common.context.language;
    let mut spans = Vec::new();
    let mut add = |text: &str, style| {
        let text = Safe::line(text);
        spans.push(Span { text, style });
    };
    let question = app.composer.question_to_show();
    if let Some(question) = question.filter(|_| app.mode.scope().is_some()) {
        let asks = match question {
            Question::Confirm(typed) => {
                let question = typed.question(language);
                question.map(|(_, prompt)| prompt).unwrap_or_default()
            }
            Question::Privacy(_) => language.say(Text::PublicOrPrivateShort),
            Question::Delete(..) => language.say(Text::DeleteShort),
            Question::SendAsText(..) => language.say(Text::SendAsText),
            Question::Paste(pasted) => {
                let count = pasted.count() as u64;
                language.say(match (pasted.may_be_each(), pasted.may_be_one()) {
                    (true, true) => Text::PasteShort { count },
                    (true, false) => Text::PasteShortEach { count },
                    (false, _) => Text::PasteShortOne { count },
                })
            }
        };
        add(&format!("{asks} "), Style::Bold);
    }
    if app.composer.draft().edited_message().is_some() {
        let editing = language.say(Text::Editing);
        add(&format!("({editing}) "), Style::Bold);
    }
    add(&app.mode.prompt(&app.common.context), Style::Prompt);
    let session = &app.common.context.session;
    let is_away = app.common.context.signed_in && session.own_away().is_some();
    if is_away && app.mode.scope().is_some() {
        let away = language.say(Text::AwayMark);
        add(&format!(" ({away})"), Style::Dim);
    }
    match (session.unread(), session.mentions()) {
        (0, _) => {}
        (unread, 0) => add(&format!(" [{unread}]"), Style::Bold),
        (unread, mentions) => {
            add(&format!(" [{unread}, "), Style::Bold);
            add(&format!("@{mentions}"), Style::Mention);
            add("]", Style::Bold);
        }
    }
    let count = app.common.context.pending() as u64;
    if count > 0 {
        let pending = language.say(Text::PendingCount { count });
        add(&format!(" ({pending})"), Style::Dim);
    }
    if app.upstream.says_offline(&app.common) {
        let sentence = match app.upstream.seconds_to_attempt(&app.common) {
            Some(seconds) => language.say(Text::OfflineUntil { seconds }),
            None => language.say(Text::Offline),
        };
        add(&format!(" ({sentence})"), Style::Error);
    }
    if app.mode.scope().is_some() {
        add("> ", Style::Prompt);
    } else {
        add(&language.say(Text::AsksFor), Style::Prompt);
    }
    Line(spans)
}

/// What stands in the prompt's place during a search in the history (Ctrl-R).
pub(super) fn search_prompt(app: &App) -> Option<Line> {
    let query = app.editor().search()?;
    let prompt = if app.editor().is_search_failed() {
        let failed = app.common.context.language.say(Text::NoMatch);
        format!("(Ctrl-R, {failed}) {query}: ")
    } else {
        format!("(Ctrl-R) {query}: ")
    };
    Some(Line::styled(Safe::line(&prompt), Style::Prompt))
}

/// The prompt without its end, and without the seconds to the next try.
pub(super) fn title(app: &App) -> String {
    let mut spans = prompt(app).0;
    if app.upstream.says_offline(&app.common)
        && let Some(span) = spans.iter_mut().find(|span| span.style == Style::Error)
    {
        let offline = app.common.context.language.say(Text::Offline);
        span.text = Safe::line(&format!(" ({offline})"));
    }
    let text: String = spans.iter().map(|span| span.text.as_str()).collect();
    text.trim_end_matches(['>', ':', '：', ' ']).to_owned()
}

/// The rows above the prompt: a notice for each conversation with new messages, then the unsent
/// lines, in a chat its own, elsewhere all. At most so many rows, the newest last; one row says how
/// many more there are. Where there is no place for all rows, several conversations share one.
pub(super) fn footer(app: &App, rows: usize) -> Vec<Line> {
    let is_small = rows < FOOTER_ROWS;
    let rows = rows.min(FOOTER_ROWS);
    if rows == 0 || !app.common.context.has_footer() || app.mode.scope().is_none() {
        return Vec::new();
    }
    let (context, open) = (&app.common.context, app.mode.target());
    let is_pending = context.pending() > 0;
    let notices = (rows - usize::from(is_pending)).min(NOTICE_ROWS);
    let shared = context.notice_row(open).filter(|_| is_small && notices > 0);
    let mut lines = match shared {
        Some(row) => vec![row],
        None => context.notice_rows(open, notices),
    };
    if is_pending {
        let rows = rows - lines.len();
        lines.extend(context.waiting_rows(open, rows));
    }
    lines
}
