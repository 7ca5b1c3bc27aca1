//! The output devices that a person may choose from.

use cpal::traits::{DeviceTrait, HostTrait};

use super::{DeviceError, keep_alsa_quiet};
use crate::player::output::OutputDevice;

/// PCMs of ALSA's own configuration and of Debian's plug-ins that are no devices: a hole, converters of rates and channels which lead to the default, and an
/// interface of the nineties.
const NO_DEVICES: [&str; 12] =
    ["default", "null", "lavrate", "samplerate", "speexrate", "speex", "upmix", "vdownmix", "a52", "oss", "usbstream", "sysdefault"];

/// A device as cpal lists it.
struct Listed {
    id: String,
    /// What the host knows it by.
    key: String,
    name: String,
}

/// The output devices that there are now, without the system's default, in the system's order. May take long; on ALSA it asks every card.
///
/// # Errors
///
/// [`DeviceError::List`].
pub fn output_devices() -> Result<Vec<OutputDevice>, DeviceError> {
    keep_alsa_quiet();
    let host = cpal::default_host();
    let listed = host.output_devices().map_err(DeviceError::List)?.filter_map(|device| {
        let (id, description) = (device.id().ok()?, device.description().ok()?);
        Some(Listed { id: id.to_string(), key: id.id().to_owned(), name: description.name().trim().to_owned() })
    });
    let listed: Vec<Listed> = listed.collect();
    let is_alsa = host.id().name().eq_ignore_ascii_case("alsa");
    Ok(named_apart(if is_alsa { of_alsa(listed) } else { listed }))
}

/// Of ALSA's PCMs those that a person would choose.
///
/// For one card ALSA names a dozen: `hw`, `plughw`, `sysdefault`, `front`, `surround21` to `surround71`, `iec958`, `dmix`, `dsnoop`, and cpal adds `hw`
/// and `plughw` by the card's number. Of these `plughw` is kept: the device itself, with what converts our rate and format to its own; a card's number
/// may be another after the next start, its name is not. What belongs to no card is a sound server (`pulse`, `pipewire`, `jack`) or of the user's own
/// making: all of it is kept but for what is no device.
fn of_alsa(listed: Vec<Listed>) -> Vec<Listed> {
    let is_of_card = |key: &str| key.contains("CARD=");
    let is_numbered = |key: &str| {
        let card = key.split_once("CARD=").map_or("", |(_, rest)| rest.split(',').next().unwrap_or_default());
        !card.is_empty() && card.bytes().all(|byte| byte.is_ascii_digit())
    };
    let has_named = listed.iter().any(|device| device.key.starts_with("plughw:") && !is_numbered(&device.key));
    let is_chosen = |device: &Listed| {
        if is_of_card(&device.key) {
            device.key.starts_with("plughw:") && !(has_named && is_numbered(&device.key))
        } else {
            !NO_DEVICES.contains(&device.key.as_str())
        }
    };
    listed.into_iter().filter(is_chosen).collect()
}

/// Devices of the same name get a number each, from the second on.
fn named_apart(listed: Vec<Listed>) -> Vec<OutputDevice> {
    let mut devices: Vec<OutputDevice> = Vec::new();
    for Listed { id, name, .. } in listed {
        let is_taken = |name: &str| devices.iter().any(|device| device.name == name);
        let mut apart = name.clone();
        let mut number = 1;
        while is_taken(&apart) {
            number += 1;
            apart = format!("{name} ({number})");
        }
        devices.push(OutputDevice { id, name: apart });
    }
    devices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(pcms: &[(&str, &str)]) -> Vec<Listed> {
        pcms.iter().map(|&(key, name)| Listed { id: format!("alsa:{key}"), key: key.to_owned(), name: name.to_owned() }).collect()
    }

    #[test]
    fn of_a_desktops_pcms_each_device_is_listed_once() {
        let pcms = listed(&[
            ("null", "Discard all samples (playback) or generate zero samples (capture)"),
            ("samplerate", "Rate Converter Plugin Using Samplerate Library"),
            ("jack", "JACK Audio Connection Kit"),
            ("oss", "Open Sound System"),
            ("pulse", "PulseAudio Sound Server"),
            ("upmix", "Plugin for channel upmix (4,6,8)"),
            ("default", "Default ALSA Output (currently PulseAudio Sound Server)"),
            ("living_room", "Living room"),
            ("hw:CARD=PCH,DEV=0", "HDA Intel PCH, ALC257 Analog"),
            ("hw:CARD=PCH,DEV=3", "HDA Intel PCH, HDMI 0"),
            ("plughw:CARD=PCH,DEV=0", "HDA Intel PCH, ALC257 Analog"),
            ("plughw:CARD=PCH,DEV=3", "HDA Intel PCH, HDMI 0"),
            ("sysdefault:CARD=PCH", "HDA Intel PCH, ALC257 Analog"),
            ("front:CARD=PCH,DEV=0", "HDA Intel PCH, ALC257 Analog"),
            ("surround51:CARD=PCH,DEV=0", "HDA Intel PCH, ALC257 Analog"),
            ("hdmi:CARD=PCH,DEV=0", "HDA Intel PCH, HDMI 0"),
            ("dmix:CARD=PCH,DEV=0", "HDA Intel PCH, ALC257 Analog"),
            ("plughw:CARD=Device,DEV=0", "USB Audio, USB Audio"),
            ("plughw:CARD=Device_1,DEV=0", "USB Audio, USB Audio"),
            ("plughw:CARD=0,DEV=0", "HDA Intel PCH, ALC257 Analog"),
        ]);
        let names: Vec<String> = named_apart(of_alsa(pcms)).into_iter().map(|device| device.name).collect();
        let expected = [
            "JACK Audio Connection Kit",
            "PulseAudio Sound Server",
            "Living room",
            "HDA Intel PCH, ALC257 Analog",
            "HDA Intel PCH, HDMI 0",
            "USB Audio, USB Audio",
            "USB Audio, USB Audio (2)",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn cards_that_have_numbers_alone_are_listed_by_them() {
        let devices = named_apart(of_alsa(listed(&[("hw:CARD=1,DEV=0", "Card"), ("plughw:CARD=1,DEV=0", "Card")])));
        assert_eq!(devices, [OutputDevice { id: "alsa:plughw:CARD=1,DEV=0".into(), name: "Card".into() }]);
    }
}
