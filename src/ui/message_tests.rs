//! Where lines for the user stand: beside what they are about, and never longer than there is room for.

use egui_kittest::kittest::Queryable as _;

use super::descent_panel::DescentView;
use super::test_bed::{SIZE, Window};
use super::widgets::Work;
use crate::command::{Command, MethodKind, Tuning};
use crate::scene::ColorBy;

/// The section that each height of the left panel belongs to.
fn section_at(window: &Window, y: f32) -> &'static str {
    let captions = ["SPACE", "PROJECTION", "VIEW", "CHOOSE", "COLOUR", "LISTEN", "LOOK"];
    let above = captions.into_iter().filter(|caption| window.0.get_by_label(caption).rect().top() < y);
    above.last().expect("a caption above it")
}

#[test]
fn trouble_stands_in_the_section_that_it_concerns_and_a_long_line_is_cut() {
    let mut window = Window::open();
    let long = "a word ".repeat(100);
    window.0.state_mut().trouble = Some(long.clone());
    window.0.run();
    let lines: Vec<egui::Rect> = window.0.query_all_by_label_contains("a word a word").map(|node| node.rect()).collect();
    let sections: Vec<&str> = lines.iter().map(|line| section_at(&window, line.center().y)).collect();
    assert_eq!(sections, ["PROJECTION", "CHOOSE", "COLOUR", "LISTEN"]);
    for line in lines {
        assert!(line.right() <= 248.0 && line.height() < 110.0, "{line:?}");
    }
    window.0.state_mut().trouble = None;
    window.0.run();
    assert_eq!(window.0.query_all_by_label_contains("a word").count(), 0);
}

#[test]
fn the_status_bar_cuts_a_line_off_that_is_too_long_and_keeps_its_other_words() {
    for (notice, output) in
        [("n", "card"), ("a notice that does not end ", "card"), ("a notice that does not end ", "a very long name of an output ")]
    {
        let mut window = Window::open();
        let status = &mut window.0.state_mut().status;
        (status.notice, status.output, status.adapter) = (Some(notice.repeat(40)), output.repeat(10), "some GPU".into());
        window.0.run();
        let line = window.0.get_by_label_contains(&notice.repeat(40)).rect();
        let about = window.0.get_by_label_contains("some GPU").rect();
        let counts = window.0.get_by_label_contains("segments drawn").rect();
        assert!(counts.right() <= line.left() && line.right() <= about.left(), "{counts:?} {line:?} {about:?}");
        assert!(about.right() <= SIZE[0] && line.height() < 28.0 && line.width() > 5.0 && about.width() > 100.0, "{line:?} {about:?}");
    }
}

#[test]
fn work_stands_where_it_was_asked_for_and_can_be_ended_there() {
    let mut window = Window::open();
    window.0.state_mut().work = Some(Work::new("Projecting msd-vgg-taggrams".to_owned(), 0.123));
    window.0.run();
    let line = window.0.get_by_label("Projecting msd-vgg-taggrams … 12 %").rect();
    assert_eq!(section_at(&window, line.center().y), "PROJECTION");
    window.click("Stop");
    assert_eq!(window.take_commands(), [Command::StopProjecting]);
}

#[test]
fn colours_that_stand_in_for_others_say_so() {
    let mut window = Window::open();
    let bed = window.0.state_mut();
    (bed.by, bed.instead) = (ColorBy::Tag("rock".into()), Some(ColorBy::Genre));
    window.0.run();
    let line = window.0.get_by_label("Not in this space; coloured by genre meanwhile").rect();
    assert_eq!(section_at(&window, line.center().y), "COLOUR");
    assert!(window.0.query_all_by_label("Tag: rock").count() > 0 || window.has("By"), "the wish is still shown");
}

#[test]
fn an_embedding_that_is_done_says_what_its_sliders_do() {
    let descent = DescentView {
        method: MethodKind::Tsne,
        rows: 1000,
        iteration: 750,
        planned: 750,
        divergence: Some(1.5),
        exaggeration: None,
        is_paused: false,
        is_settled: true,
        tuning: Tuning::default(),
        calibrating: None,
    };
    let mut window = Window::open();
    window.0.state_mut().descent = Some(descent.clone());
    window.0.run();
    assert!(window.has("Done. Another value sets it in motion again."));
    window.0.state_mut().descent = Some(DescentView { iteration: 10, is_settled: false, ..descent });
    window.0.run();
    assert!(!window.has("Done. Another value sets it in motion again."));
}
