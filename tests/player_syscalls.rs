//! The callback in a thread that the kernel kills at its first system call, while another one plays, stops and frees as fast as it can.
//!
//! A child process of this binary: the callback's thread puts a seccomp filter on itself (seccomp(2)) that allows nothing but reading the clock, for
//! machines on which that is a system call. A lock that is contended, an allocation that reaches the kernel, a line that is logged, a sleep, a
//! file, a wake-up of another thread: all of them end the process with SIGSYS. What stays below the kernel is `player_callback`'s.
#![allow(unsafe_code, reason = "the filter is put on by the C library's prctl")]

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use tagscape::player::output::device_writer::DeviceWriter;
use tagscape::player::{Cue, MixerCommand, MixerReport, MixerStatus, SegmentAudio, mixer_link};

/// Says in a child process what the callback's thread is to do besides.
const CHILD: &str = "TAGSCAPE_TEST_CHILD_WITHOUT_SYSTEM_CALLS";
/// Calls of the callback in the child, at least, and so many segments that began and ended meanwhile.
const CALLS: usize = 20_000;
const SEGMENTS: u64 = 200;
const SIGSYS: i32 = 31;

#[cfg(target_arch = "x86_64")]
const CLOCK_GETTIME: u32 = 228;
#[cfg(target_arch = "aarch64")]
const CLOCK_GETTIME: u32 = 113;

unsafe extern "C" {
    fn prctl(option: i32, ...) -> i32;
}

/// One instruction of a classic BPF program, and the program (linux/filter.h).
#[repr(C)]
struct SockFilter {
    code: u16,
    if_true: u8,
    if_false: u8,
    k: u32,
}

#[repr(C)]
struct SockFprog {
    len: u16,
    filter: *const SockFilter,
}

/// From here on this thread may call the kernel for the clock alone.
fn forbid_system_calls() {
    const PR_SET_NO_NEW_PRIVS: i32 = 38;
    const PR_SET_SECCOMP: i32 = 22;
    const MODE_FILTER: usize = 2;
    const KILL_PROCESS: u32 = 0x8000_0000;
    const ALLOW: u32 = 0x7fff_0000;
    let program = [
        // Load the call's number; if it is the clock's, go on, else over one.
        SockFilter { code: 0x20, if_true: 0, if_false: 0, k: 0 },
        SockFilter { code: 0x15, if_true: 0, if_false: 1, k: CLOCK_GETTIME },
        SockFilter { code: 0x06, if_true: 0, if_false: 0, k: ALLOW },
        SockFilter { code: 0x06, if_true: 0, if_false: 0, k: KILL_PROCESS },
    ];
    let filter = SockFprog { len: program.len() as u16, filter: program.as_ptr() };
    let (none, one) = (0_usize, 1_usize);
    // Safety: the arguments are those of prctl(2), and the program outlives the call.
    let set =
        unsafe { prctl(PR_SET_NO_NEW_PRIVS, one, none, none, none) | prctl(PR_SET_SECCOMP, MODE_FILTER, &raw const filter, none, none) };
    assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
}

#[test]
fn child_process_without_system_calls() {
    let Ok(misdeed) = std::env::var(CHILD) else { return };
    let (mixer, mut link) = mixer_link(48_000, Arc::new(MixerStatus::default()));
    let [is_enough, is_done] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let (hear_enough, tell_done) = (Arc::clone(&is_enough), Arc::clone(&is_done));
    let mut writer = DeviceWriter::new(mixer, 2);
    let mut buffer = vec![0_i16; 2 * 256];
    let run = move || {
        forbid_system_calls();
        let mut calls = 0;
        while calls < CALLS || !hear_enough.load(SeqCst) {
            writer.write(&mut buffer);
            calls += 1;
        }
        match misdeed.as_str() {
            "allocates" => drop(std::hint::black_box(vec![1_u8; 64 << 20])),
            "sleeps" => std::thread::sleep(Duration::from_micros(1)),
            "tells" => println!("it sounds"),
            _ => {}
        }
        tell_done.store(true, SeqCst);
        // A thread cannot even end without a system call.
        loop {
            std::hint::spin_loop();
        }
    };
    drop(std::thread::spawn(run));
    let (mut serial, mut started, mut ended) = (0, 0_u64, 0_u64);
    while !is_done.load(SeqCst) {
        serial += 1;
        let frames = 300 + serial as usize % 2_000;
        let audio = Arc::new(SegmentAudio::from_interleaved(&vec![0.2; frames * 2], frames, 480));
        let command = if serial % 9 == 0 {
            MixerCommand::Stop
        } else {
            MixerCommand::Play(Cue { serial, audio, requested_at: Instant::now(), from_frame: 0 })
        };
        drop(link.commands.push(command));
        while let Ok(report) = link.reports.pop() {
            match report {
                MixerReport::Started { .. } => started += 1,
                MixerReport::Ended { .. } => ended += 1,
            }
        }
        is_enough.store(started >= SEGMENTS && ended >= SEGMENTS, SeqCst);
    }
    println!("STARTED {started} ENDED {ended}");
    std::process::exit(0);
}

fn child(misdeed: &str) -> (ExitStatus, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "player_syscalls::child_process_without_system_calls", "--nocapture"])
        .env(CHILD, misdeed)
        .output()
        .unwrap();
    (output.status, String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_callback_makes_no_system_call() {
    let (status, told) = child("none");
    assert!(status.success(), "{status}: {told}");
    let numbers: Vec<u64> =
        told.lines().find(|line| line.contains("STARTED")).unwrap().split(' ').filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.len() == 2 && numbers.iter().all(|number| *number >= SEGMENTS), "voices came and went meanwhile: {told}");
}

#[test]
fn a_callback_that_calls_the_system_is_caught() {
    for misdeed in ["allocates", "sleeps", "tells"] {
        let (status, told) = child(misdeed);
        assert_eq!(status.signal(), Some(SIGSYS), "{misdeed}: {status}: {told}");
    }
}
