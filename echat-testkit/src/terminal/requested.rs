//! What a program asks of a terminal beyond showing text: bells, titles, the clipboard, and
//! whatever the emulator does not know.

use vt100::{Callbacks, Screen};

/// Everything that was asked for.
#[derive(Default)]
pub struct Requested {
    /// Every request in order, as text.
    pub log: Vec<String>,
    /// The window's name.
    pub title: String,
    /// Names that were put aside (`CSI 22 t`).
    titles: Vec<String>,
    /// What it answers to questions, as xterm does.
    pub answers: Vec<u8>,
}

impl Callbacks for Requested {
    fn audible_bell(&mut self, _: &mut Screen) {
        self.log.push("bell".into());
    }
    fn visual_bell(&mut self, _: &mut Screen) {
        self.log.push("visual bell".into());
    }
    fn resize(&mut self, _: &mut Screen, size: (u16, u16)) {
        self.log.push(format!("resize {size:?}"));
    }
    fn set_window_icon_name(&mut self, _: &mut Screen, name: &[u8]) {
        self.log.push(format!("icon {name:?}"));
    }
    fn set_window_title(&mut self, _: &mut Screen, title: &[u8]) {
        self.title = String::from_utf8_lossy(title).into_owned();
        self.log.push(format!("title {}", self.title));
    }
    fn copy_to_clipboard(&mut self, _: &mut Screen, _: &[u8], data: &[u8]) {
        self.log.push(format!("copy {data:?}"));
    }
    fn paste_from_clipboard(&mut self, _: &mut Screen, _: &[u8]) {
        self.log.push("paste".into());
    }
    fn unhandled_control(&mut self, _: &mut Screen, byte: u8) {
        self.log.push(format!("control {byte}"));
    }
    fn unhandled_escape(&mut self, _: &mut Screen, _: Option<u8>, _: Option<u8>, byte: u8) {
        self.log.push(format!("escape {byte}"));
    }
    fn unhandled_csi(
        &mut self,
        screen: &mut Screen,
        first: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        end: char,
    ) {
        self.log.push(format!("csi {parameters:?} {end}"));
        match (parameters, end) {
            ([[6]], 'n') => {
                let (row, col) = screen.cursor_position();
                let answer = format!("\x1b[{};{}R", row + 1, col + 1);
                self.answers.extend(answer.bytes());
            }
            (_, 'c') if first == Some(b'>') => self.answers.extend(b"\x1b[>41;390;0c"),
            ([[22], [2]], 't') => self.titles.push(self.title.clone()),
            ([[23], [2]], 't') => self.title = self.titles.pop().unwrap_or_default(),
            _ => {}
        }
    }
    fn unhandled_osc(&mut self, _: &mut Screen, parameters: &[&[u8]]) {
        let fields = parameters
            .iter()
            .map(|field| String::from_utf8_lossy(field));
        let fields: Vec<_> = fields.collect();
        self.log.push(format!("osc {fields:?}"));
    }
}
