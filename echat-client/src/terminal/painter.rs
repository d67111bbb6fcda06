//! Lines above a prompt that stays at the bottom.
//!
//! Lines are divided into rows here, not by the terminal: the rows after a line's first are indented,
//! so that none can pass for the beginning of another line. All that changes at once is one write.

mod plain;
mod reflow;
mod residue;
mod seek;

use std::io::{self, Write};

use echat_proto::config::Notify;
use termion::{clear, cursor};
use unicode_segmentation::UnicodeSegmentation;

use super::{Appearance, write};
use crate::render::safe::Safe;
use crate::render::styled::{Line, Span};
use crate::render::view::{PromptRows, Row, wrap};
use reflow::is_agreed;
use residue::{ErasePlan, Owner, Residue};
use seek::Seek;

/// The longest title and notification, in characters.
const NOTE_MAX: usize = 200;
/// The columns before every row of a line but its first.
const INDENT: usize = 4;
/// More rows than any screen has.
const DELETED: u16 = 999;
/// Gives the window the name it had.
const OLD_TITLE: &[u8] = b"\x1b[23;2t";
/// The memory kept from one write to the next, in bytes.
const BUFFER_KEPT: usize = 64 << 10;

/// Paints on `W`, which is at the start of a row when it begins.
#[derive(Debug)]
pub struct Painter<W: Write> {
    out: W,
    pub(super) look: Appearance,
    cols: usize,
    rows: usize,
    /// What stands at the bottom, or should once there is something to write.
    prompt: Option<PromptRows>,
    /// The rows of the prompt on the screen above the cursor's; `None` while none is there.
    above: Option<usize>,
    /// The same where nothing is redrawn.
    plain: Option<plain::ShownPrompt>,
    /// Whether `prompt` was laid out for another width than the terminal has.
    stale: bool,
    seek: Seek,
    /// Rows of earlier prompts above the screen.
    residue: Residue,
    /// What of them is erased with the prompt, and what is left of them then.
    plan: Option<(ErasePlan, Residue)>,
    titled: bool,
    /// Links that were marked so far.
    links: u64,
    buffer: Vec<u8>,
}

impl<W: Write> Painter<W> {
    /// A painter for a terminal of so many columns and rows; for what is no terminal, `usize::MAX`
    /// columns.
    pub fn new(out: W, look: Appearance, cols: usize, rows: usize) -> Self {
        Self {
            out,
            look,
            cols,
            rows,
            prompt: None,
            above: None,
            plain: None,
            stale: false,
            seek: Seek::default(),
            residue: Residue::default(),
            plan: None,
            titled: false,
            links: 0,
            buffer: Vec::new(),
        }
    }

    /// The width to lay out a prompt for. The last column stays free where it can: terminals
    /// disagree on where the cursor is once it is written.
    pub fn width(&self) -> usize {
        match self.cols {
            0..=2 => self.cols.max(1),
            cols => cols - 1,
        }
    }

    /// The columns and rows that it paints for.
    pub fn size(&self) -> (usize, usize) {
        (self.cols, self.rows)
    }

    /// How lines are painted.
    pub fn look(&self) -> Appearance {
        self.look
    }

    /// What was written so far, where that is memory.
    #[cfg(test)]
    pub(super) fn painted(&mut self) -> &mut W {
        &mut self.out
    }

    /// Puts lines above the prompt; where nothing is redrawn, the prompt stays above them, and the next
    /// one starts from the beginning.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn print(&mut self, lines: &[Line]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.erase();
        self.lines(lines);
        self.paint();
        self.send()
    }

    /// Puts lines above a prompt that takes the place of the one before, in one write: what moves from
    /// the prompt's rows to the lines is never seen twice.
    pub fn print_above(&mut self, lines: &[Line], prompt: &PromptRows) -> io::Result<()> {
        if lines.is_empty() || !self.look.redraw {
            self.print(lines)?;
            return self.prompt(prompt);
        }
        self.erase();
        self.lines(lines);
        self.prompt = Some(prompt.clone().window(self.height()));
        self.stale = false;
        self.paint();
        self.send()
    }

    /// Replaces the prompt.
    pub fn prompt(&mut self, prompt: &PromptRows) -> io::Result<()> {
        let prompt = prompt.clone().window(self.height());
        if self.above.is_some() && !self.stale && self.prompt.as_ref() == Some(&prompt) {
            return Ok(());
        }
        if !self.look.redraw {
            return self.prompt_plainly(&prompt);
        }
        if self.extend(&prompt) {
            self.prompt = Some(prompt);
            return self.send();
        }
        self.erase();
        self.prompt = Some(prompt);
        self.stale = false;
        self.paint();
        self.send()
    }

    fn prompt_plainly(&mut self, prompt: &PromptRows) -> io::Result<()> {
        let bytes = if let Some(shown) = &mut self.plain {
            shown.become_prompt(prompt, self.look)
        } else {
            let (shown, bytes) = plain::ShownPrompt::begin(prompt, self.look);
            self.plain = Some(shown);
            bytes
        };
        write::put(&mut self.buffer, bytes);
        self.send()
    }

    /// Whether a prompt stands on the screen, where nothing is redrawn.
    pub fn has_plain_prompt(&self) -> bool {
        self.plain.is_some()
    }

    /// Ends the prompt with what is typed in it, where nothing is redrawn: it stays above what comes.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn end_line(&mut self) -> io::Result<()> {
        if let Some(shown) = self.plain.take() {
            write::put(&mut self.buffer, shown.end());
        }
        self.send()
    }

    /// Clears the screen but for the prompt.
    pub fn clear(&mut self) -> io::Result<()> {
        if self.look.redraw {
            self.give_up();
            // A terminal may move what it clears to its scrollback.
            self.erase();
            self.residue.forget();
            write::put(&mut self.buffer, cursor::Goto(1, 1));
            write::put(&mut self.buffer, clear::All);
            self.paint();
        }
        self.send()
    }

    /// Takes the prompt away and leaves the cursor at the start of a row: before the program
    /// ends or is stopped. The next prompt is painted from the beginning.
    pub fn leave(&mut self) -> io::Result<()> {
        self.give_up();
        // Another program may read the replies that are still missing.
        self.seek.forget();
        self.erase();
        self.residue.forget();
        self.prompt = None;
        if std::mem::take(&mut self.titled) {
            self.buffer.extend(OLD_TITLE);
        }
        self.send()
    }

    /// Names the window; [`Painter::leave`] restores the name it had.
    pub fn title(&mut self, title: &Safe) -> io::Result<()> {
        if self.look.redraw {
            if !std::mem::replace(&mut self.titled, true) {
                self.buffer.extend(b"\x1b[22;2t");
            }
            let title = self.note(title);
            write::put(&mut self.buffer, format_args!("\x1b]2;{title}\x07"));
        }
        self.send()
    }

    /// Rings the bell if `rings`, and asks the desktop for a notification of a title and a body in
    /// the way of [`Appearance::notify`]: at most one bell and one sequence.
    pub fn alert(&mut self, rings: bool, note: Option<(&Safe, &Safe)>) -> io::Result<()> {
        if !self.look.redraw {
            return Ok(());
        }
        let note = note.map(|(title, body)| (self.note(title), self.note(body)));
        if rings || note.is_some() && self.look.notify == Notify::Bell {
            self.buffer.push(b'\x07');
        }
        match (note, self.look.notify) {
            (Some((title, body)), Notify::Osc9) => {
                // A number and a semicolon would be another command of ConEmu's.
                write::put(&mut self.buffer, format_args!("\x1b]9;{title}: {body}\x07"));
            }
            (Some((title, body)), Notify::Osc777) => {
                let osc = format_args!("\x1b]777;notify;{title};{body}\x07");
                write::put(&mut self.buffer, osc);
            }
            _ => {}
        }
        self.send()
    }

    /// A text for an OSC, whose fields a semicolon would end.
    fn note(&self, text: &Safe) -> String {
        let mut bytes = Vec::new();
        write::text(&mut bytes, text.as_str(), self.look);
        String::from_utf8_lossy(&bytes)
            .chars()
            .take(NOTE_MAX)
            .map(|c| match c {
                '\n' => ' ',
                ';' => ',',
                c => c,
            })
            .collect()
    }

    /// The rows that a prompt may take: one is left for messages, if there are two.
    fn height(&self) -> usize {
        self.rows.saturating_sub(1)
    }

    /// Adds lines, each with its end.
    fn lines(&mut self, lines: &[Line]) {
        let newline = self.newline();
        for line in lines {
            let mut marked = Links::of(line);
            for row in wrap(line, self.width(), INDENT) {
                if self.look.links {
                    self.linked_row(&row, &mut marked);
                } else {
                    self.row(&row, usize::MAX);
                }
                write::put(&mut self.buffer, newline);
                self.residue.message(&row);
            }
        }
    }

    /// Adds a row whose links are marked, each part of one with the whole of it.
    fn linked_row(&mut self, row: &Row, links: &mut Links<'_>) {
        for span in row.spans() {
            let link = links.next(span);
            if let Some((number, link)) = &link {
                self.links += u64::from(*number);
                let id = self.links;
                write::put(
                    &mut self.buffer,
                    format_args!("\x1b]8;id={id};{link}\x1b\\"),
                );
            }
            write::span(&mut self.buffer, span, self.look);
            if link.is_some() {
                write::put(&mut self.buffer, "\x1b]8;;\x1b\\");
            }
        }
    }

    fn newline(&self) -> &'static str {
        if self.look.redraw { "\r\n" } else { "\n" }
    }

    /// Takes the prompt off the screen; the cursor is then where it began.
    fn erase(&mut self) {
        if let Some(shown) = self.plain.take() {
            return write::put(&mut self.buffer, shown.end());
        }
        let Some(above) = self.above.take() else {
            return;
        };
        let plan = self
            .plan
            .take()
            .map_or_else(ErasePlan::default, |(plan, left)| {
                self.residue = left;
                plan
            });
        let rows = plan.runs.iter().map(|(rows, _)| rows).sum::<usize>();
        self.up(above + rows);
        write::put(&mut self.buffer, '\r');
        for (rows, owner) in plan.runs {
            match owner {
                Owner::Prompt => write::put(&mut self.buffer, format_args!("\x1b[{rows}M\r")),
                Owner::Message => write::put(&mut self.buffer, format_args!("\x1b[{rows}B")),
            }
        }
        if self.stale {
            // GNU screen remembers of a row that it was divided, until the row itself is gone.
            write::put(&mut self.buffer, format_args!("\x1b[{DELETED}M"));
        }
        write::put(&mut self.buffer, clear::AfterCursor);
        if plan.tail > 0 {
            write::put(&mut self.buffer, format_args!("\x1b[{DELETED};1H"));
            (0..plan.tail).for_each(|_| write::put(&mut self.buffer, '\n'));
            write::put(&mut self.buffer, cursor::Goto(1, 1));
        }
    }

    /// Puts the prompt on the screen, which has none at the moment.
    fn paint(&mut self) {
        let Some(prompt) = self.prompt.take_if(|_| !self.stale) else {
            return;
        };
        self.measure(&prompt);
        let newline = self.newline();
        for (index, row) in prompt.rows.iter().enumerate() {
            if index > 0 {
                write::put(&mut self.buffer, newline);
            }
            self.row(row, usize::MAX);
        }
        self.place_cursor(&prompt);
        self.above = Some(prompt.cursor_row);
        self.seek.painted(self.cols);
        self.prompt = Some(prompt);
    }

    /// Adds what was typed at the end of the prompt on the screen, if that is all that changes. Nothing
    /// above the cursor's row is touched then, wherever the terminal has moved it.
    fn extend(&mut self, prompt: &PromptRows) -> bool {
        let old = self.prompt.as_ref().filter(|_| self.above.is_some());
        let Some(kept) = old
            .filter(|_| !self.stale)
            .and_then(|old| kept(old, prompt))
        else {
            return false;
        };
        let last = old.map_or(0, |old| old.rows.len() - 1);
        let newline = self.newline();
        let row = &prompt.rows[last];
        if kept == 0 {
            self.row(row, usize::MAX);
        } else if let Some(span) = row.spans().last() {
            let text = Safe::line(&row.text()[kept..]);
            let style = span.style;
            write::span(&mut self.buffer, &Span { text, style }, self.look);
        }
        for row in &prompt.rows[last + 1..] {
            write::put(&mut self.buffer, newline);
            self.row(row, usize::MAX);
        }
        self.above = self.above.map(|above| above + prompt.rows.len() - 1 - last);
        true
    }

    /// From the end of the last row to the cursor's place. Its column is found by writing what
    /// stands left of it a second time: then it is right however wide the terminal shows that.
    fn place_cursor(&mut self, prompt: &PromptRows) {
        let row = &prompt.rows[prompt.cursor_row];
        let below = prompt.rows.len() - 1 - prompt.cursor_row;
        if below == 0 && prompt.cursor_byte == row.text().len() {
            return;
        }
        self.up(below);
        write::put(&mut self.buffer, '\r');
        self.row(row, prompt.cursor_byte);
    }

    /// Adds a row, or its first bytes.
    fn row(&mut self, row: &Row, bytes: usize) {
        let mut left = bytes;
        for span in row.spans() {
            let length = span.text.as_str().len();
            if left >= length {
                write::span(&mut self.buffer, span, self.look);
            } else if left > 0 {
                let mut part = span.clone();
                part.text = Safe::default();
                part.text.push_part(&span.text, 0..left);
                write::span(&mut self.buffer, &part, self.look);
            }
            left = left.saturating_sub(length);
        }
    }

    fn up(&mut self, rows: usize) {
        if rows > 0 {
            let rows = u16::try_from(rows).unwrap_or(u16::MAX);
            write::put(&mut self.buffer, cursor::Up(rows));
        }
    }

    /// One write for everything.
    fn send(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let sent = self.out.write_all(&self.buffer);
        self.buffer.clear();
        // A long history need not be kept twice.
        self.buffer.shrink_to(BUFFER_KEPT);
        sent.and_then(|()| self.out.flush())
    }
}

/// The links of a line, while its rows are written.
struct Links<'a> {
    rest: std::vec::IntoIter<&'a str>,
    /// The link that is being written, and how many bytes of it are missing.
    current: Option<(&'a str, usize)>,
}

impl<'a> Links<'a> {
    fn of(line: &'a Line) -> Self {
        let links = line.0.iter().filter(|span| span.style.is_link());
        let links: Vec<&str> = links.map(|span| span.text.as_str()).collect();
        Self {
            rest: links.into_iter(),
            current: None,
        }
    }

    /// The link that a part of a row belongs to, and whether that is its first part.
    fn next(&mut self, span: &Span) -> Option<(bool, &'a str)> {
        if !span.style.is_link() {
            // An indent stands inside a link that is divided, other text behind one.
            if !span.text.as_str().trim().is_empty() {
                self.current = None;
            }
            return None;
        }
        let begun = self.current.filter(|(_, left)| *left > 0);
        let is_first = begun.is_none();
        let (link, left) = match begun {
            Some(begun) => begun,
            None => self.rest.next().map(|link| (link, link.len()))?,
        };
        self.current = Some((link, left.saturating_sub(span.text.as_str().len())));
        // The characters of a link are those that an OSC may have; anything else is shown only.
        let is_plain = link.bytes().all(|byte| byte.is_ascii_graphic())
            && link
                .get(..4)
                .is_some_and(|head| head.eq_ignore_ascii_case("http"));
        is_plain.then_some((is_first, link))
    }
}

/// The bytes of the old prompt's last row that stay, if the new one only adds to its end. All that is
/// in the row has as many columns on any terminal: whether what is added joins what stands before it
/// would be the terminal's to say.
fn kept(old: &PromptRows, new: &PromptRows) -> Option<usize> {
    let is_at_end = |prompt: &PromptRows| {
        let last = prompt.rows.len() - 1;
        prompt.cursor_row == last && prompt.cursor_byte == prompt.rows[last].text().len()
    };
    let last = old.rows.len() - 1;
    let (was, is) = (&old.rows[last], new.rows.get(last)?);
    let stays = was.text();
    let is_alike = stays.is_empty() || was.spans().len() == is.spans().len();
    let is_simple = |row: &Row| row.text().graphemes(true).all(is_agreed);
    let is_added = old.rows[..last] == new.rows[..last]
        && is_at_end(old)
        && is_at_end(new)
        && is_alike
        && is.text().starts_with(&stays)
        && new.rows[last..].iter().all(is_simple);
    is_added.then_some(stays.len())
}

impl<W: Write> Drop for Painter<W> {
    /// After a panic, which [`Painter::leave`] did not see. The prompt stays: the report stands
    /// under it.
    fn drop(&mut self) {
        if self.titled {
            // A failure cannot be reported any more.
            let _ = self.out.write_all(OLD_TITLE);
        }
    }
}
