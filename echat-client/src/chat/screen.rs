//! What people see: a terminal with a prompt, a terminal where nothing is redrawn, or plain lines
//! on standard output with what went wrong on standard error.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::time::Duration;

use super::alerts::Alerts;
use crate::app::{Alert, App};
use crate::local::ask::{self, TrustAnswer, Tty};
use crate::render::safe::Safe;
use crate::render::styled::{Line, Style};
use crate::render::view::{PromptRows, cut, prompt_rows};
use crate::terminal::{
    Appearance, EchoOff, Encoded, Painter, RawGuard, TerminalReply, restore_on_panic, size,
    typed_text,
};

/// How long a terminal has to say where its cursor is. One that never answered may not know how.
const ANSWER: Duration = Duration::from_secs(1);
/// A window that is dragged changes again and again: it is left alone until it has been quiet for so
/// long. What is painted for a size that has passed may erase what it should not.
const QUIET: Duration = Duration::from_millis(30);
/// The same where a size may be told so late.
const LATE_QUIET: Duration = Duration::from_millis(300);
/// How long one has that has answered before: the way to it is slow, and it shows nothing either way.
const SLOW_ANSWER: Duration = Duration::from_secs(10);

/// A line under edition of more bytes leaves rows for what is said about it.
const LONG: usize = 1_000;
/// How many.
const SAID: usize = 4;

/// Both outputs, and the terminal's mode.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Screen {
    painter: Painter<Encoded<File>>,
    errors: Painter<Encoded<File>>,
    /// Raw mode, where there is a prompt.
    raw: Option<RawGuard>,
    /// While a password is typed where the terminal itself shows what is typed.
    silent: Option<EchoOff>,
    /// The terminal that is typed at while what is shown goes elsewhere: questions stand there.
    tty: Option<Tty>,
    interactive: bool,
    /// Lines to show: everything that came at once is one write.
    lines: Vec<Line>,
    prompt: bool,
    /// Whether a line was entered or printed since the last prompt: where nothing is redrawn,
    /// every prompt stays, so that only this brings a new one, and not before the answer that is
    /// on its way.
    entered: bool,
    /// When an answer of the terminal's is not waited for any longer.
    deadline: Option<Duration>,
    /// The size that the system told last.
    told: (usize, usize),
    /// When the window will have been quiet long enough to look for the prompt, which may have moved.
    quiet: Option<Duration>,
    /// Whether the prompt's place is known for what is painted next.
    located: bool,
    /// Whether a size that the system is about to tell was waited for.
    doubted: bool,
    alerts: Alerts,
}

/// The size of what is no terminal, whose lines are not divided.
const ENDLESS: (usize, usize) = (usize::MAX, usize::MAX);

/// Columns and rows, if it is a terminal.
fn size_of(out: &(impl AsFd + IsTerminal)) -> Option<(usize, usize)> {
    out.is_terminal().then(|| size(out))
}

impl Screen {
    pub(super) fn new(look: Appearance, interactive: bool) -> io::Result<Self> {
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let errors = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let (cols, rows) = size_of(&out).unwrap_or(ENDLESS);
        let (error_cols, error_rows) = size_of(&errors).unwrap_or(ENDLESS);
        let raw = if interactive {
            restore_on_panic();
            Some(RawGuard::new(&out, look.redraw)?)
        } else {
            None
        };
        let is_typed_at = !interactive && io::stdin().is_terminal();
        Ok(Self {
            tty: is_typed_at.then(Tty::open).and_then(Result::ok),
            painter: Painter::new(Encoded::new(out), look, cols, rows),
            errors: Painter::new(Encoded::new(errors), look, error_cols, error_rows),
            raw,
            silent: None,
            interactive,
            lines: Vec::new(),
            prompt: false,
            entered: true,
            deadline: None,
            told: (cols, rows),
            quiet: None,
            located: false,
            doubted: false,
            alerts: Alerts::default(),
        })
    }

    /// Shows lines above the prompt, soon.
    pub(super) fn print(&mut self, lines: Vec<Line>) {
        self.lines.extend(lines);
    }

    /// The prompt has changed.
    pub(super) fn prompt(&mut self) {
        self.prompt = true;
    }

    /// Paints the lines and the prompt, and says whether it did. Nothing is painted while the place of the prompt
    /// is not known: after a resize, and until the terminal has said where its cursor is.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    pub(super) fn flush(&mut self, app: &App, now: Duration) -> io::Result<bool> {
        if self.is_told_late() {
            self.prompt = true;
            self.resize(now);
        }
        if let Some(quiet) = self.quiet
            && now >= quiet
        {
            self.quiet = None;
            self.located = true;
            self.painter.locate()?;
            self.wait_for_answer(now);
        }
        if self.quiet.is_some() || self.painter.is_seeking() {
            return Ok(false);
        }
        if self.located && !self.doubted && self.painter.size().0 != self.told.0 {
            self.doubted = true;
            self.quiet = Some(now + LATE_QUIET);
            return Ok(false);
        }
        // A multiplexer may have moved the prompt and not said so yet.
        if !self.lines.is_empty() && !self.located && self.painter.should_locate() {
            self.located = true;
            self.prompt = true;
            self.painter.locate()?;
            self.wait_for_answer(now);
            return Ok(false);
        }
        (self.located, self.doubted) = (false, false);
        self.paint(app)?;
        Ok(true)
    }

    /// Whether the terminal has another size than was told; a signal that says so is on its way.
    fn is_told_late(&self) -> bool {
        let redraws = self.interactive && self.painter.look().redraw;
        redraws && size_of(&io::stdout()).is_some_and(|size| size != self.told)
    }

    fn wait_for_answer(&mut self, now: Duration) {
        let patience = if self.painter.has_answers() {
            SLOW_ANSWER
        } else {
            ANSWER
        };
        self.deadline = Some(now + patience);
    }

    /// Paints the lines and the prompt, wherever the prompt is.
    pub(super) fn paint(&mut self, app: &App) -> io::Result<()> {
        if self.painter.is_seeking() {
            return Ok(());
        }
        if self.quiet.take().is_some() {
            self.painter.lose();
        }
        let lines = std::mem::take(&mut self.lines);
        if !self.interactive {
            let is_error = |line: &Line| line.0.iter().any(|span| span.style == Style::Error);
            let (errors, lines): (Vec<_>, Vec<_>) = lines.into_iter().partition(is_error);
            self.painter.print(&lines)?;
            self.errors.print(&errors)?;
            return self.ask_elsewhere(app);
        }
        let mut due = true;
        if !self.painter.look().redraw {
            self.entered |= !lines.is_empty();
            let is_free = !app.is_expecting() || !app.editor().text().is_empty();
            let is_changed = self.painter.has_plain_prompt() && lines.is_empty();
            due = is_changed || self.entered && is_free;
        }
        if due && std::mem::take(&mut self.prompt) {
            self.entered = false;
            let prompt = self.prompt_rows_of(app);
            self.painter.print_above(&lines, &prompt)
        } else {
            self.painter.print(&lines)
        }
    }

    /// Shows the question that the next typed line answers, where the lines go elsewhere.
    fn ask_elsewhere(&mut self, app: &App) -> io::Result<()> {
        self.set_echo(app)?;
        let Some(tty) = self
            .tty
            .as_ref()
            .filter(|_| app.is_asking() && self.entered)
        else {
            return Ok(());
        };
        self.entered = false;
        let spans = app.prompt().0;
        let question: String = spans.iter().map(|span| span.text.as_str()).collect();
        ask::put(Encoded::new(tty.file()), &question)
    }

    /// Switches the echo of a terminal that shows what is typed itself: off while a password is typed.
    fn set_echo(&mut self, app: &App) -> io::Result<()> {
        let masked = app.is_secret() && self.tty.is_some();
        if masked != self.silent.is_some() {
            self.silent = masked.then(|| EchoOff::new(io::stdin())).transpose()?;
        }
        Ok(())
    }

    /// The prompt, with notices and unsent lines in rows above it.
    fn prompt_rows_of(&self, app: &App) -> PromptRows {
        let editor = app.editor();
        let prompt = app.search_prompt().unwrap_or_else(|| app.prompt());
        let showed_typing = self.raw.as_ref().is_none_or(RawGuard::showed_typing);
        let is_shown = self.painter.look().redraw || showed_typing;
        let (text, cursor) = if is_shown {
            (editor.text(), editor.cursor())
        } else {
            ("", 0)
        };
        let (width, masked) = (self.painter.width(), editor.is_masked());
        let rows = prompt_rows(&prompt, text, cursor, width, masked);
        let (_, height) = self.painter.size();
        let is_long = text.len() > LONG && height > 2 * SAID;
        let rows = if is_long {
            rows.window(height - SAID)
        } else {
            rows
        };
        // A third of the screen at most, and one row is left for messages.
        let free = height.saturating_sub(rows.rows.len() + 1);
        let footer = app.footer(free.min(height / 3));
        let footer = footer.iter().map(|line| cut(line, width));
        rows.below(footer.collect())
    }

    /// A line is about to be taken. Where nothing is redrawn, it stays with its prompt as it is.
    pub(super) fn end_line(&mut self, app: &App) -> io::Result<()> {
        if self.interactive && !self.painter.look().redraw {
            let lines = std::mem::take(&mut self.lines);
            self.painter.print(&lines)?;
            let prompt = self.prompt_rows_of(app);
            self.painter.prompt(&prompt)?;
            self.painter.end_line()?;
            self.prompt = false;
        }
        self.entered = true;
        Ok(())
    }

    /// Reads the size of the terminal. Nothing is painted until it has been quiet for a while.
    pub(super) fn resize(&mut self, now: Duration) {
        if let Some((cols, rows)) = size_of(&io::stdout()) {
            (self.told, self.doubted) = ((cols, rows), false);
            self.painter.resize(cols, rows);
            let redraws = self.interactive && self.painter.look().redraw;
            let quiet = if self.painter.tells_late() {
                LATE_QUIET
            } else {
                QUIET
            };
            self.quiet = redraws.then_some(now + quiet);
        }
        if let Some((cols, rows)) = size_of(&io::stderr()) {
            self.errors.resize(cols, rows);
        }
    }

    /// When [`Screen::late`] or [`Screen::flush`] is due.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let answer = self.deadline.filter(|_| self.painter.is_seeking());
        answer.into_iter().chain(self.quiet).min()
    }

    /// Waits no longer for an answer of the terminal's, if it is time.
    pub(super) fn late(&mut self, now: Duration) {
        let is_over = self.deadline.is_some_and(|deadline| now >= deadline);
        if is_over && self.painter.is_seeking() {
            self.painter.late();
        }
    }

    /// The terminal has answered something.
    pub(super) fn reply(&mut self, reply: TerminalReply) {
        self.painter.reply(reply);
    }

    pub(super) fn clear(&mut self, app: &App) -> io::Result<()> {
        self.paint(app)?;
        self.painter.clear()
    }

    /// Rings and notifies, unless the conversation has just done so.
    pub(super) fn alert(&mut self, alert: &Alert, now: Duration) -> io::Result<()> {
        if !self.alerts.is_due(&alert.conversation, now) {
            return Ok(());
        }
        let note = alert.note.as_ref();
        let note = note.map(|(title, body)| (Safe::line(title), Safe::line(body)));
        let note = note.as_ref().map(|(title, body)| (title, body));
        self.painter.alert(alert.rings, note)
    }

    pub(super) fn title(&mut self, title: &str) -> io::Result<()> {
        self.painter.title(&Safe::line(title))
    }

    /// Gives the terminal back as it was.
    pub(super) fn leave(&mut self, app: &App) -> io::Result<()> {
        self.prompt = false;
        self.painter.give_up();
        let flushed = self.paint(app);
        let left = self.painter.leave();
        self.silent = None;
        let suspended = self.raw.as_ref().map_or(Ok(()), RawGuard::suspend);
        flushed.and(left).and(suspended)
    }

    /// Takes the terminal again, and reads its size.
    pub(super) fn enter(&mut self, now: Duration) -> io::Result<()> {
        self.painter.leave()?;
        self.entered = true;
        self.raw.as_ref().map_or(Ok(()), RawGuard::resume)?;
        self.resize(now);
        Ok(())
    }

    /// Asks a question that a typed line answers, outside of raw mode.
    pub(super) fn ask(&mut self, question: &str, app: &App, tty: Option<&Tty>) -> io::Result<()> {
        self.leave(app)?;
        match tty {
            Some(tty) => ask::put(Encoded::new(tty.file()), question),
            None => ask::put(Encoded::new(io::stdout()), question),
        }
    }

    /// What the line that was typed answers.
    pub(super) fn answer(&mut self, from: impl AsFd, now: Duration) -> io::Result<TrustAnswer> {
        let answer = ask::line(from).map(|line| ask::consent(&typed_text(&line)));
        self.enter(now)?;
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use crate::text::Language;

    const REDRAWN: Appearance = Appearance {
        redraw: true,
        ..Appearance::PLAIN
    };

    /// A screen that redraws, on no terminal.
    fn screen() -> Screen {
        let mut screen = Screen::new(Appearance::PLAIN, false).unwrap();
        let out = File::options().write(true).open("/dev/null").unwrap();
        screen.painter = Painter::new(Encoded::new(out), REDRAWN, 80, 24);
        // A prompt of several rows: its place has to be asked for.
        let prompt = Line::styled(Safe::line(&"prompt ".repeat(40)), Style::Prompt);
        let prompt = prompt_rows(&prompt, "", 0, 79, false);
        screen.painter.prompt(&prompt).unwrap();
        (screen.tty, screen.told) = (None, (80, 24));
        screen
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn deferred_output_does_not_count_as_painted() {
        let app = App::new(Settings::new("t"), Language::English);
        let mut screen = screen();
        screen.print(vec![Line::styled(Safe::line("a question"), Style::Bold)]);
        screen.quiet = Some(seconds(1));
        // The window changes its size.
        assert!(!screen.flush(&app, seconds(0)).unwrap());
        // The terminal is asked for the place of the prompt, and has not answered.
        assert!(!screen.flush(&app, seconds(1)).unwrap());
        assert!(!screen.flush(&app, seconds(1)).unwrap());
        assert_eq!(screen.lines.len(), 1);
        screen.late(seconds(60));
        assert!(screen.flush(&app, seconds(60)).unwrap());
        assert_eq!(screen.lines.len(), 0);
        assert!(screen.flush(&app, seconds(60)).unwrap());
        // The system tells another width than the terminal answered for.
        screen.print(vec![Line::styled(Safe::line("a question"), Style::Bold)]);
        (screen.located, screen.told) = (true, (100, 24));
        assert!(!screen.flush(&app, seconds(60)).unwrap());
        assert_eq!(screen.lines.len(), 1);
    }
}
