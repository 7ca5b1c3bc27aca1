//! Sound outputs as the state has them: listed when asked for, changed once there is a player, remembered, and named while they are missing.

use std::sync::Arc;

use tagscape::app::event_log::Event;
use tagscape::app::notices::Topic;
use tagscape::app::outputs::Outputs;
use tagscape::app::state::{AppState, Choices, Effect};
use tagscape::command::Command;
use tagscape::player::{FileSource, OutputChoice, OutputDevice, Player, PlayerConfig, PlayerStatus};
use tagscape::project::Compute;
use tagscape::store::Collection;

use crate::common::collection::wandering;

fn device(name: &str) -> OutputDevice {
    OutputDevice { id: format!("alsa:{name}"), name: name.to_owned() }
}

/// A state without a player, in which `wanted` was chosen before.
fn open(folder: &std::path::Path, wanted: OutputChoice) -> AppState {
    let collection = Collection::open(&wandering(folder, 1, 3)).unwrap();
    let choices = Choices::of("msd-musicnn-embeddings".parse().unwrap());
    let (mut state, _) = AppState::open(collection, choices, None, Compute::Cpu).unwrap();
    state.outputs = Outputs::of(wanted);
    state
}

fn status(output: &str, is_substitute: bool) -> PlayerStatus {
    let (player, _) = Player::start_by_hand(48_000, PlayerConfig::default(), Arc::new(FileSource::default()), None);
    PlayerStatus { output: output.to_owned(), is_audible: output != "none (silent)", is_substitute, ..player.status() }
}

/// Notices among effects, which are all that they are.
fn logged(effects: &[Effect]) -> Vec<&str> {
    let text = |effect| if let &Effect::Log(Event::Notice { ref text }) = effect { text.as_str() } else { panic!("{effect:?}") };
    effects.iter().map(text).collect()
}

#[test]
fn outputs_are_asked_for_one_at_a_time_and_another_is_chosen_once_there_is_a_player() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path(), OutputChoice::Default);
    assert!(!state.outputs_view().is_open && state.update(Command::SetOutput(Some("alsa:usb".into()))).is_empty());
    assert_eq!(logged(&state.output_changed(&status("Default", false))), Vec::<&str>::new(), "the first is no change");

    assert!(matches!(state.update(Command::ListOutputs)[..], [Effect::ListOutputs]));
    assert!(state.update(Command::ListOutputs).is_empty() && state.outputs_view().is_listing);
    assert_eq!(logged(&state.take_outputs(Err("they cannot be listed".into()))), ["they cannot be listed"]);
    state.update(Command::ListOutputs);
    assert!(state.take_outputs(Ok(vec![device("card"), device("usb")])).is_empty());
    let view = state.outputs_view();
    assert_eq!((view.devices, view.chosen, view.is_listing), (vec![("alsa:card", "card"), ("alsa:usb", "usb")], None, false));

    let effects = state.update(Command::SetOutput(Some("alsa:usb".into())));
    assert!(matches!(&effects[..], [Effect::SetOutput(OutputChoice::Device(chosen))] if *chosen == device("usb")), "{effects:?}");
    assert_eq!(logged(&state.output_changed(&status("usb", false))), ["sound goes to usb"]);
    assert_eq!((state.output.as_str(), state.outputs_view().chosen), ("usb", Some("alsa:usb")));
    assert!(state.update(Command::SetOutput(Some("alsa:usb".into()))).is_empty(), "it is there already");
    assert!(state.output_changed(&status("usb", false)).is_empty(), "the same with another buffer");
    assert!(matches!(state.update(Command::SetOutput(None))[..], [Effect::SetOutput(OutputChoice::Default)]));
}

#[test]
fn a_missing_output_stays_chosen_and_listed_and_its_notice_goes_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path(), OutputChoice::Device(device("usb")));
    state.output_changed(&status("Default", true));
    assert_eq!(logged(&state.notify_of_output("usb: it is not there".into())), ["usb: it is not there"]);
    state.update(Command::ListOutputs);
    state.take_outputs(Ok(vec![device("card")]));
    let view = state.outputs_view();
    assert_eq!(
        (view.devices, view.chosen, view.instead),
        (vec![("alsa:usb", "usb"), ("alsa:card", "card")], Some("alsa:usb"), Some("Default"))
    );
    assert!(matches!(state.update(Command::SetOutput(Some("alsa:usb".into())))[..], [Effect::SetOutput(_)]), "to try again");
    state.output_changed(&status("none (silent)", true));
    assert_eq!((state.output.as_str(), state.outputs_view().is_missing, state.outputs_view().instead), ("no sound", true, None));
    assert!(state.notices.newest().is_some());
    state.output_changed(&status("usb", false));
    assert_eq!((state.notices.newest(), state.outputs_view().is_missing, state.outputs_view().instead), (None, false, None));
    // What else was told stays.
    state.notify(Topic::Track, "something else".into());
    state.output_changed(&status("usb", false));
    assert_eq!(state.notices.newest(), Some("something else"));
}
