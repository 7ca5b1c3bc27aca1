//! A PulseAudio of its own with a null sink, as a sound device that can be listened to: for root, in a container, without a session bus.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The sink's rate; what a program plays is resampled to it if it must.
pub const SINK_RATE_HZ: u32 = 48_000;

/// A running server with one sink. Dropping it ends the server.
pub struct PulseSink {
    server: Child,
    folder: tempfile::TempDir,
}

/// What the sink's monitor hears, from [`PulseSink::listen`] on.
pub struct Recording {
    recorder: Child,
    reader: Option<JoinHandle<Vec<u8>>>,
}

impl PulseSink {
    /// Starts the server. `None` where PulseAudio is not installed; with `CI` set that is a failure.
    pub fn start() -> Option<Self> {
        crate::exclusive::assert_is_exclusive("a sound device");
        let is_installed = |tool: &str| Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
        if !is_installed("pulseaudio") || !is_installed("parec") {
            assert!(std::env::var_os("CI").is_none(), "CI needs pulseaudio and pulseaudio-utils");
            eprintln!("skipped: pulseaudio or parec is not installed");
            return None;
        }
        Some(Self::start_in(tempfile::tempdir().expect("a temporary folder")))
    }

    /// Starts the server in a folder, on a machine that has it.
    pub fn start_in(folder: tempfile::TempDir) -> Self {
        let server = Self::serve(folder.path());
        Self { server, folder }
    }

    /// Makes another server's sink a further device of the programs that have this one's environment.
    pub fn add_device(&self, name: &str, other: &Self) {
        let path = self.folder.path().join("asound.conf");
        let config = std::fs::read_to_string(&path).expect("asound.conf");
        let server = format!("unix:{}", other.folder.path().join("native").display());
        let device = format!("pcm.{name} {{ type pulse server \"{server}\" hint {{ show on description \"{name}\" }} }}\n");
        std::fs::write(path, config + &device).expect("asound.conf");
    }

    /// The sink is no more, as if it were unplugged.
    pub fn unplug(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }

    /// It is there again.
    pub fn plug(&mut self) {
        self.server = Self::serve(self.folder.path());
    }

    fn serve(at: &Path) -> Child {
        // The ALSA of the program under test plays to Pulse, whatever the machine's own configuration says.
        std::fs::write(at.join("asound.conf"), "</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n")
            .expect("asound.conf");
        let socket = at.join("native");
        // What a server that was killed leaves behind.
        let _ = std::fs::remove_file(&socket);
        let server = Command::new("pulseaudio")
            .args([
                "--daemonize=no",
                "--use-pid-file=no",
                "--exit-idle-time=-1",
                "--disable-shm=yes",
                "--log-target=stderr",
                "--log-level=error",
                "-n",
            ])
            .arg("-L")
            .arg(format!("module-native-protocol-unix socket={} auth-anonymous=1", socket.display()))
            .arg("-L")
            .arg(format!("module-null-sink sink_name=tagscape rate={SINK_RATE_HZ} channels=2 format=float32le"))
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "LD_LIBRARY_PATH"))
            .envs(Self::folders(at))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pulseaudio starts");
        let until = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < until, "pulseaudio did not open its socket within 20 s");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn folders(at: &Path) -> [(&'static str, PathBuf); 4] {
        [("HOME", at.into()), ("XDG_RUNTIME_DIR", at.into()), ("PULSE_RUNTIME_PATH", at.into()), ("PULSE_STATE_PATH", at.into())]
    }

    /// The environment in which a program's default sound device is this sink.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        Self::environment_in(self.folder.path())
    }

    /// The environment for a sink that will be started in a folder.
    pub fn environment_in(at: &Path) -> Vec<(&'static str, String)> {
        vec![
            ("ALSA_CONFIG_PATH", at.join("asound.conf").display().to_string()),
            ("PULSE_SERVER", format!("unix:{}", at.join("native").display())),
        ]
    }

    /// Starts to record what the sink plays, and returns once samples arrive.
    pub fn listen(&self) -> Recording {
        let mut recorder = Command::new("parec")
            .args(["--device=tagscape.monitor", "--format=float32le", "--channels=2", "--raw", "--latency-msec=10"])
            .arg(format!("--rate={SINK_RATE_HZ}"))
            .envs(self.environment())
            .envs(Self::folders(self.folder.path()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("parec starts");
        let mut output = recorder.stdout.take().expect("parec's output");
        let mut first = vec![0; 8];
        output.read_exact(&mut first).expect("the sink's monitor gives samples");
        let reader = std::thread::spawn(move || {
            let mut bytes = first;
            let _ = output.read_to_end(&mut bytes);
            bytes
        });
        Recording { recorder, reader: Some(reader) }
    }
}

impl Drop for PulseSink {
    fn drop(&mut self) {
        self.unplug();
    }
}

impl Recording {
    /// Stops, and returns what was heard: interleaved stereo at [`SINK_RATE_HZ`].
    pub fn finish(mut self) -> Vec<f32> {
        let _ = self.recorder.kill();
        let bytes = self.reader.take().and_then(|reader| reader.join().ok()).expect("the recorder's samples");
        bytes.as_chunks::<4>().0.iter().map(|&sample| f32::from_le_bytes(sample)).collect()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let _ = self.recorder.kill();
        let _ = self.recorder.wait();
    }
}

/// Where `wanted` begins in `heard`, and how alike they are there: the largest normalised correlation (-1..1), and its place.
/// Both are one channel. By FFT, so that seconds of audio take milliseconds.
pub fn best_match(heard: &[f32], wanted: &[f32]) -> (usize, f64) {
    if wanted.is_empty() || heard.len() < wanted.len() {
        return (0, 0.0);
    }
    let size = (heard.len() + wanted.len()).next_power_of_two();
    let mut planner = realfft::RealFftPlanner::<f64>::new();
    let (forward, inverse) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
    let spectrum = |samples: &[f32]| {
        let mut padded: Vec<f64> = samples.iter().map(|&sample| f64::from(sample)).collect();
        padded.resize(size, 0.0);
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut padded, &mut spectrum).expect("sizes fit");
        spectrum
    };
    let mut product: Vec<_> = spectrum(heard).iter().zip(spectrum(wanted)).map(|(heard, wanted)| heard * wanted.conj()).collect();
    (product[0].im, product[size / 2].im) = (0.0, 0.0);
    let mut correlation = inverse.make_output_vec();
    inverse.process(&mut product, &mut correlation).expect("sizes fit");
    let energy_before: Vec<f64> = std::iter::once(0.0)
        .chain(heard.iter().scan(0.0, |sum, &sample| {
            *sum += f64::from(sample).powi(2);
            Some(*sum)
        }))
        .collect();
    let wanted_energy: f64 = wanted.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    (0..=heard.len() - wanted.len())
        .map(|start| {
            let heard_energy = energy_before[start + wanted.len()] - energy_before[start];
            let scale = (heard_energy * wanted_energy).sqrt();
            (start, if scale > 1e-9 { correlation[start] / size as f64 / scale } else { 0.0 })
        })
        .fold((0, f64::MIN), |best, found| if found.1 > best.1 { found } else { best })
}

/// The share of `wanted` that is in `heard`, piece by piece of a fifth of a second, near where the whole matches best.
///
/// A busy machine makes a null sink drop out, which shifts what follows: then the whole correlates badly with what was really
/// played, while its pieces do not. Silent pieces do not count.
pub fn share_heard(heard: &[f32], wanted: &[f32]) -> f64 {
    let (piece, slack) = (SINK_RATE_HZ as usize / 5, SINK_RATE_HZ as usize);
    let (start, _) = best_match(heard, wanted);
    let near = &heard[start.saturating_sub(slack).min(heard.len())..(start + wanted.len() + slack).min(heard.len())];
    let pieces = wanted.chunks_exact(piece).filter(|piece| piece.iter().any(|sample| sample.abs() > 1e-3));
    let found: Vec<bool> = pieces.map(|piece| best_match(near, piece).1 > 0.95).collect();
    found.iter().filter(|&&is_found| is_found).count() as f64 / found.len().max(1) as f64
}

#[test]
fn pieces_are_heard_across_a_dropout_and_another_sound_is_not() {
    let second = SINK_RATE_HZ as usize;
    let wanted = noise(1, 2 * second);
    let mut heard = noise(2, 5 * second);
    assert!(share_heard(&heard, &wanted) < 0.05);
    let (first, rest) = wanted.split_at(second + 1000);
    heard[1000..1000 + first.len()].copy_from_slice(first);
    let gap = 1000 + first.len() + 7777;
    heard[gap..gap + rest.len()].copy_from_slice(rest);
    assert!(best_match(&heard, &wanted).1 < 0.95);
    let share = share_heard(&heard, &wanted);
    assert!((0.85..1.0).contains(&share), "{share}");
}

#[cfg(test)]
fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut random = tagscape::seed::SplitMix64::new(seed);
    (0..count).map(|_| (random.next_u64() >> 40) as f32 / 8_388_608.0 - 1.0).collect()
}

#[test]
fn the_best_match_is_found_and_another_sound_does_not_match() {
    let wanted = noise(1, 1000);
    let mut heard = noise(2, 3000);
    assert!(best_match(&heard, &wanted).1 < 0.5);
    heard[1234..2234].iter_mut().zip(&wanted).for_each(|(heard, wanted)| *heard = 0.25 * wanted);
    let (start, alike) = best_match(&heard, &wanted);
    assert_eq!(start, 1234);
    assert!(alike > 0.999, "{alike}");
}
