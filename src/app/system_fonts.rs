//! The system's fonts, for letters that egui's own lack: found when the first such letter is laid out; of their files, those are read that are needed.
//!
//! Emoji are monochrome and the program's own (`assets/fonts`): the systems' are coloured bitmaps, and a name on the map has one colour.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use egui::{FallbackRequest, FontData, FontFamily, FontInsert, FontProvider};
use fontdb::{Database, FaceInfo, ID, Stretch, Style};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::prelude::{FontRef, LocationRef, MetadataProvider as _, Size};

/// Noto Emoji, under the SIL Open Font License (`assets/fonts/OFL.txt`).
const EMOJI: &[u8] = include_bytes!("../../assets/fonts/NotoEmoji-Regular.ttf");
/// Letters before this one are never looked for among the emoji.
const FIRST_EMOJI: char = '\u{2000}';
/// Ends of the names of fonts that have Chinese, Japanese and Korean letters in the shapes of a language.
const LANGUAGES: [(&str, &str); 5] = [("ja", " JP"), ("zh_TW", " TC"), ("zh_HK", " HK"), ("zh", " SC"), ("ko", " KR")];
/// Scripts by their letters, for a line about letters that no font has.
const SCRIPTS: [(&str, std::ops::RangeInclusive<u32>); 9] = [
    ("Hebrew", 0x0590..=0x05ff),
    ("Arabic", 0x0600..=0x08ff),
    ("Indian", 0x0900..=0x0dff),
    ("Thai", 0x0e00..=0x0e7f),
    ("Japanese", 0x3040..=0x30ff),
    ("Chinese", 0x2e80..=0x9fff),
    ("Korean", 0xac00..=0xd7ff),
    ("Chinese", 0xf900..=0xfaff),
    ("Chinese", 0x2_0000..=0x3_ffff),
];

/// The fonts of the system, and the letters that none of them has.
#[derive(Default)]
pub struct SystemFonts {
    /// None until the first letter is looked for.
    found: OnceLock<Faces>,
    missing: Mutex<Missing>,
}

#[derive(Default)]
struct Missing {
    letters: BTreeSet<char>,
    is_told: bool,
}

/// Faces that letters are looked for in, the best first.
struct Faces {
    database: Database,
    faces: Vec<Face>,
    /// The files that were needed.
    loaded: Mutex<HashMap<ID, FontData>>,
}

struct Face {
    id: ID,
    name: String,
    is_monospaced: bool,
    /// Pages of 256 letters of which it has any, in order.
    pages: OnceLock<Vec<u16>>,
}

impl std::fmt::Debug for SystemFonts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SystemFonts").field("faces", &self.found.get().map(|found| found.faces.len())).finish()
    }
}

impl SystemFonts {
    /// Finds out what fonts there are, if that is not known yet. With thousands of them it takes a moment, which need not be a frame's.
    pub fn find(&self) {
        self.faces();
    }

    fn faces(&self) -> &Faces {
        self.found.get_or_init(|| {
            let mut database = Database::new();
            database.load_system_fonts();
            let language = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
            Faces::new(database, &language.into_iter().find(|value| !value.is_empty()).unwrap_or_default())
        })
    }

    fn lock(&self) -> MutexGuard<'_, Missing> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line about letters that no font has, once.
    pub fn notice(&self) -> Option<String> {
        let mut missing = self.lock();
        if missing.is_told || missing.letters.is_empty() {
            return None;
        }
        missing.is_told = true;
        let script = |letter: &char| SCRIPTS.iter().find(|(_, range)| range.contains(&u32::from(*letter))).map(|(name, _)| *name);
        let scripts: BTreeSet<&str> = missing.letters.iter().filter_map(script).collect();
        let first = missing.letters.first().map_or(0, |letter| u32::from(*letter));
        let which = if scripts.is_empty() { String::new() } else { format!("{}; ", scripts.into_iter().collect::<Vec<_>>().join(", ")) };
        Some(format!("letters of some names are boxes ({which}U+{first:04X}): no font of this system has them. Noto Sans has most"))
    }
}

impl FontProvider for SystemFonts {
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        let letter = request.cluster.chars().next()?;
        if letter >= FIRST_EMOJI && has_letter(EMOJI, 0, letter) {
            return Some(FontInsert::new("Noto Emoji", FontData::from_static(EMOJI), Vec::new()));
        }
        let found = self.faces().font_for(letter, *request.family == FontFamily::Monospace);
        if found.is_none() && !is_private(letter) {
            self.lock().letters.insert(letter);
        }
        found
    }
}

impl Faces {
    /// Of each family the face that is nearest to the regular one; `locale` is the user's, as in `ja_JP.UTF-8`.
    fn new(database: Database, locale: &str) -> Self {
        let mut best: BTreeMap<&str, &FaceInfo> = BTreeMap::new();
        let distance = |face: &FaceInfo| {
            let width = face.stretch.to_number().abs_diff(Stretch::Normal.to_number());
            (width, face.weight.0.abs_diff(fontdb::Weight::NORMAL.0))
        };
        for face in database.faces().filter(|face| face.style == Style::Normal) {
            let Some((family, _)) = face.families.first() else { continue };
            let held = best.entry(family).or_insert(face);
            if distance(face) < distance(held) {
                *held = face;
            }
        }
        let own = LANGUAGES.iter().find(|(language, _)| locale.starts_with(language)).map(|(_, ending)| *ending);
        let mut faces: Vec<(u8, Face)> = best
            .into_iter()
            .map(|(family, face)| {
                let pages = OnceLock::new();
                (strangeness(family, own), Face { id: face.id, name: family.to_owned(), is_monospaced: face.monospaced, pages })
            })
            .collect();
        // Families are in the order of their names already.
        faces.sort_by_key(|(strangeness, _)| *strangeness);
        Self { faces: faces.into_iter().map(|(_, face)| face).collect(), database, loaded: Mutex::default() }
    }

    fn font_for(&self, letter: char, is_monospaced: bool) -> Option<FontInsert> {
        let page = (u32::from(letter) >> 8) as u16;
        let has = |face: &&Face| {
            let pages = face.pages.get_or_init(|| self.database.with_face_data(face.id, pages_of).unwrap_or_default());
            let draws = || self.database.with_face_data(face.id, |data, index| has_letter(data, index, letter));
            pages.binary_search(&page).is_ok() && draws().unwrap_or(false)
        };
        let first = self.faces.iter().filter(|face| face.is_monospaced == is_monospaced).find(has);
        let face = first.or_else(|| self.faces.iter().filter(|face| face.is_monospaced != is_monospaced).find(has))?;
        let data = match self.loaded.lock().unwrap_or_else(PoisonError::into_inner).entry(face.id) {
            Entry::Occupied(loaded) => loaded.get().clone(),
            Entry::Vacant(place) => {
                let read = |data: &[u8], index| FontData::from_blob(Arc::new(data.to_vec()), index);
                place.insert(self.database.with_face_data(face.id, read)?).clone()
            }
        };
        Some(FontInsert::new(&format!("system: {}", face.name), data, Vec::new()))
    }
}

/// How far a family is from plain letters in the user's language: the least strange one is taken.
fn strangeness(family: &str, own: Option<&str>) -> u8 {
    let is_serif = ["Serif", "Mincho", "Myungjo", "Batang", "Ming", "Song"].iter().any(|word| family.contains(word));
    let is_known = ["Noto Sans", "Source Han Sans", "DejaVu Sans"].iter().any(|name| family.starts_with(name));
    // Without a language of its own, the shapes that most systems take.
    let place = LANGUAGES.iter().position(|(_, ending)| family.ends_with(ending));
    let language = match place {
        Some(place) if LANGUAGES.get(place).is_some_and(|(_, ending)| own == Some(*ending)) => 0,
        Some(place) => place as u8 + 1,
        None => 0,
    };
    16 * u8::from(is_serif) + 8 * u8::from(!is_known) + language
}

/// The pages of 256 letters of which a face has any.
fn pages_of(data: &[u8], index: u32) -> Vec<u16> {
    let Ok(font) = FontRef::from_index(data, index) else { return Vec::new() };
    let pages: BTreeSet<u16> = font.charmap().mappings().map(|(letter, _)| (letter >> 8) as u16).collect();
    pages.into_iter().collect()
}

/// Whether a face has a letter as an outline; a bitmap or layers of colours cannot be drawn in the ink of a text.
fn has_letter(data: &[u8], index: u32, letter: char) -> bool {
    let Ok(font) = FontRef::from_index(data, index) else { return false };
    let Some(glyph) = font.charmap().map(letter).filter(|glyph| glyph.to_u32() != 0) else { return false };
    let Some(outline) = font.outline_glyphs().get(glyph) else { return false };
    let mut lines = Lines(0);
    let drawn = outline.draw(DrawSettings::unhinted(Size::new(16.0), LocationRef::default()), &mut lines);
    drawn.is_ok() && (lines.0 > 0 || letter.is_whitespace())
}

/// Letters that mean what a program wants them to: no font is expected to have them.
fn is_private(letter: char) -> bool {
    matches!(u32::from(letter), 0xe000..=0xf8ff | 0xf_0000..)
}

/// Counts what an outline is made of.
struct Lines(usize);

impl OutlinePen for Lines {
    fn move_to(&mut self, _: f32, _: f32) {}

    fn line_to(&mut self, _: f32, _: f32) {
        self.0 += 1;
    }

    fn quad_to(&mut self, _: f32, _: f32, _: f32, _: f32) {
        self.0 += 1;
    }

    fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, _: f32, _: f32) {
        self.0 += 1;
    }

    fn close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use egui::{FontDefinitions, FontId};

    use super::*;

    /// A system that has these fonts of egui's, and nothing else.
    fn system(names: &[&str]) -> Arc<SystemFonts> {
        let mut database = Database::new();
        for name in names {
            database.load_font_data(FontDefinitions::default().font_data[*name].bytes().to_vec());
        }
        let fonts = SystemFonts::default();
        assert!(fonts.found.set(Faces::new(database, "de_DE.UTF-8")).is_ok());
        Arc::new(fonts)
    }

    /// Whether each letter can be laid out by egui's proportional font and this system's.
    fn laid_out(fonts: &Arc<SystemFonts>, letters: &str) -> Vec<bool> {
        let context = egui::Context::default();
        context.add_font_provider(fonts.clone());
        let mut has = Vec::new();
        let output = context.run_ui(egui::RawInput::default(), |ui| {
            let mut of = |letter| ui.fonts_mut(|fonts| fonts.has_glyph(&FontId::proportional(14.0), letter));
            has = letters.chars().map(&mut of).collect();
        });
        output.drop_without_applying_deltas();
        has
    }

    #[test]
    fn a_letter_comes_from_a_font_of_the_system_and_what_no_font_has_is_said_once() {
        // Hack has box drawings and braces of mathematics, which the proportional font lacks.
        let bare = laid_out(&system(&[]), "aЖ█한א");
        assert_eq!(bare, [true, true, false, false, false]);
        let fonts = system(&["Hack"]);
        assert_eq!(laid_out(&fonts, "aЖ"), [true, true]);
        assert!(fonts.found.get().unwrap().loaded.lock().unwrap().is_empty(), "nothing is read that is not needed");
        assert_eq!(laid_out(&fonts, "█▓"), [true, true]);
        assert_eq!(fonts.found.get().unwrap().loaded.lock().unwrap().len(), 1, "one file for both");
        assert_eq!(fonts.notice(), None);
        assert_eq!(laid_out(&fonts, "한א中"), [false; 3]);
        let notice = fonts.notice().unwrap();
        assert!(notice.contains("Chinese, Hebrew, Korean") && notice.contains("U+05D0"), "{notice}");
        laid_out(&fonts, "글\u{e001}");
        assert_eq!(fonts.notice(), None, "once");
        assert!(!fonts.lock().letters.contains(&'\u{e001}'), "private letters are nobody's");
    }

    #[test]
    fn emoji_are_there_on_every_system() {
        assert!(laid_out(&system(&[]), "😀🎵❤🐱🎸").iter().all(|&has| has));
        assert!(has_letter(EMOJI, 0, '🎷') && !has_letter(EMOJI, 0, '한'));
    }

    #[test]
    fn plain_letters_come_before_serifs_and_the_users_language_before_others() {
        let mut names = ["Noto Serif CJK JP", "Noto Sans CJK JP", "Aardvark", "Noto Sans CJK KR", "Noto Sans Hebrew", "Batang"];
        names.sort_by_key(|name| strangeness(name, None));
        assert_eq!(names[..3], ["Noto Sans Hebrew", "Noto Sans CJK JP", "Noto Sans CJK KR"]);
        assert_eq!(names[3], "Aardvark");
        for (locale, best) in [("ko_KR.UTF-8", "Noto Sans CJK KR"), ("zh_TW", "Noto Sans CJK TC"), ("zh_CN.UTF-8", "Noto Sans CJK SC")] {
            let own = LANGUAGES.iter().find(|(language, _)| locale.starts_with(language)).map(|(_, ending)| *ending);
            let of = |name: &&str| strangeness(name, own);
            let names = ["Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK KR"];
            assert_eq!(names.iter().min_by_key(|name| of(name)), Some(&best), "{locale}");
        }
    }

    #[test]
    fn damaged_fonts_have_no_letters_and_stop_nothing() {
        let bytes = FontDefinitions::default().font_data["Hack"].bytes().to_vec();
        for cut in [0, 3, 12, 100, 5_000, bytes.len() / 2] {
            let part = &bytes[..cut];
            assert!(!has_letter(part, 0, '█') || cut > 1000, "{cut}");
            pages_of(part, 7);
        }
    }
}
