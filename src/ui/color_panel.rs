//! What rows are coloured by: a list with a search field.

use std::path::Path;

use egui::{RichText, Ui};

use super::search_list::{ListEntry, SearchList, SearchListState, search_list_ui};
use super::widgets::{Work, section, trouble_ui, work_ui};
use crate::command::Command;
use crate::scene::ColorBy;

/// One of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColorOption {
    /// What it is.
    pub by: ColorBy,
    /// Its name.
    pub label: String,
    /// Whether the collection says anything of it.
    pub is_enabled: bool,
}

/// What the section shows.
#[derive(Clone, Debug, PartialEq)]
pub struct ColorView<'a> {
    /// What is chosen.
    pub by: &'a ColorBy,
    /// What there is.
    pub options: &'a [ColorOption],
    /// The colours that are being made.
    pub work: Option<Work>,
    /// What the rows are coloured by meanwhile, where the space that is shown has nothing of what is chosen.
    pub instead: Option<&'a ColorBy>,
    /// Why the colours that were asked for last are not shown.
    pub trouble: Option<&'a str>,
}

/// Draws the section.
pub fn color_panel_ui(ui: &mut Ui, view: &ColorView<'_>, list: &mut SearchListState, commands: &mut Vec<Command>) {
    section(ui, "COLOUR");
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new("By").weak());
        let of = SearchList { id: "colour", chosen: &view.by.label(), hint: "Search, or a file's path" };
        let (button, chosen) = search_list_ui(ui, of, list, |text| entries(view, text));
        button.labelled_by(label.id);
        commands.extend(chosen.map(Command::SetColorBy));
    });
    if view.work.as_ref().is_some_and(|work| work_ui(ui, work, "Keep the colours that are shown")) {
        commands.push(Command::StopColoring);
    }
    if let Some(instead) = view.instead {
        let words = format!("Not in this space; coloured by {} meanwhile", instead.label().to_lowercase());
        ui.add(egui::Label::new(RichText::new(words).small().weak()).wrap());
    }
    trouble_ui(ui, view.trouble);
}

/// What a text means: the file of that path, or what has these letters in its name.
fn entries<'a>(view: &ColorView<'a>, text: &str) -> Vec<ListEntry<'a, ColorBy>> {
    let (path, letters) = (text.trim(), text.trim().to_lowercase());
    let is_file = Path::new(path).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy"));
    let file = is_file.then(|| ListEntry {
        value: ColorBy::File(path.into()),
        label: format!("The numbers of {path}").into(),
        is_chosen: false,
        not_there: None,
    });
    let named = view.options.iter().filter(|option| option.label.to_lowercase().contains(&letters)).map(|option| ListEntry {
        value: option.by.clone(),
        label: option.label.as_str().into(),
        is_chosen: option.by == *view.by,
        not_there: (!option.is_enabled).then_some("Not in this collection"),
    });
    file.into_iter().chain(named).collect()
}
