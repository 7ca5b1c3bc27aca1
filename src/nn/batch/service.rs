//! The thread that owns the device: it gathers the patches of all callers into batches of one size,
//! and answers each with its rows.
//!
//! A batch goes out when it is full, or when nobody has added anything for [`LINGER`]. While a
//! batch runs, the next one gathers.
//!
//! A device can be lost, and a driver may make the thread panic then. The thread outlives it: from
//! then on it answers everything with the reason, and the caller does the work on the CPU.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::super::error::NnError;
use super::super::infer::SegmentFeatures;
use super::super::spec::MusicnnLayer;
use super::BatchNetwork;
use super::accelerator::BatchDevice;
use crate::catalog::ModelKey;

/// How long a batch that is not full waits for another caller's patches.
const LINGER: Duration = Duration::from_millis(4);

/// One answer a network of the group, or why there is none.
type Answer = Result<Vec<SegmentFeatures>, String>;

enum Request {
    Load { group: usize, model: ModelKey, weights: Cow<'static, [u8]>, layer: MusicnnLayer, done: Sender<Result<(), String>> },
    Infer { group: usize, job: Job },
    Lose,
}

/// Patches of one caller, at most a batch of them.
struct Job {
    patches: Vec<f32>,
    count: usize,
    answer: Sender<Answer>,
}

/// The callers' side. When it is dropped the thread ends after what it has been asked.
pub(in super::super) struct BatchService {
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
    batch: usize,
}

impl BatchService {
    /// Starts the thread; `batch` is the number of patches that go together.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub(in super::super) fn start(device: BatchDevice, batch: usize) -> Result<Self, String> {
        let (requests, incoming) = channel();
        let run = move || Engine { device, batch, groups: Vec::new(), failure: None }.run(&incoming);
        let thread = std::thread::Builder::new().name("networks-gpu".to_owned()).spawn(run);
        let thread = thread.map_err(|error| format!("no thread could be started for it ({error})"))?;
        Ok(Self { requests: Some(requests), thread: Some(thread), batch })
    }

    /// Loads a network onto the device, as the next one of a group.
    ///
    /// # Errors
    /// Why it could not be.
    pub(in super::super) fn load(
        &self,
        group: usize,
        model: ModelKey,
        weights: Cow<'static, [u8]>,
        layer: MusicnnLayer,
    ) -> Result<(), String> {
        let (done, answered) = channel();
        self.send(Request::Load { group, model, weights, layer, done })?;
        answered.recv().map_err(|_| GONE.to_owned())?
    }

    /// Runs a group over `patches`, which have been checked: one answer a network.
    ///
    /// # Errors
    /// Why the device gave none.
    pub(in super::super) fn infer(&self, group: usize, patches: &[&[f32]]) -> Answer {
        // All of them are under way before the first is waited for.
        let send = |run: &[&[f32]]| {
            let (answer, answered) = channel();
            let job = Job { patches: run.concat(), count: run.len(), answer };
            self.send(Request::Infer { group, job }).map(|()| answered)
        };
        let runs: Vec<_> = patches.chunks(self.batch).map(send).collect();
        let mut whole: Vec<SegmentFeatures> = Vec::new();
        for answered in runs {
            let part = answered?.recv().map_err(|_| GONE.to_owned())??;
            if whole.is_empty() {
                whole = part;
            } else {
                whole.iter_mut().zip(part).for_each(|(whole, part)| whole.append(part));
            }
        }
        Ok(whole)
    }

    /// For tests: the device is lost before the next batch. Where there is none that could be, the
    /// thread panics instead.
    pub(in super::super) fn lose_for_test(&self) {
        let _ = self.send(Request::Lose);
    }

    fn send(&self, request: Request) -> Result<(), String> {
        self.requests.as_ref().and_then(|requests| requests.send(request).ok()).ok_or_else(|| GONE.to_owned())
    }
}

const GONE: &str = "its thread has ended";

impl Drop for BatchService {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take() {
            // It catches its own panics.
            let _ = thread.join();
        }
    }
}

/// Networks of one architecture, and who waits for them.
#[derive(Default)]
struct Group {
    networks: Vec<BatchNetwork>,
    waiting: VecDeque<Job>,
    patches: usize,
}

/// The thread's side.
struct Engine {
    device: BatchDevice,
    batch: usize,
    groups: Vec<Group>,
    failure: Option<String>,
}

impl Engine {
    fn run(mut self, incoming: &Receiver<Request>) {
        loop {
            if self.fullest().is_none() {
                match incoming.recv() {
                    Ok(request) => self.take(request),
                    Err(_) => return,
                }
            }
            while let Ok(request) = incoming.try_recv() {
                self.take(request);
            }
            while self.fullest().is_some_and(|group| self.groups[group].patches < self.batch) {
                match incoming.recv_timeout(LINGER) {
                    Ok(request) => self.take(request),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                }
            }
            if let Some(group) = self.fullest() {
                self.run_batch(group);
            }
        }
    }

    /// The group with the most patches waiting.
    fn fullest(&self) -> Option<usize> {
        let waiting = self.groups.iter().enumerate().filter(|(_, group)| group.patches > 0);
        waiting.max_by_key(|(_, group)| group.patches).map(|(number, _)| number)
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Load { group, model, weights, layer, done } => {
                let loaded = self.guarded(|engine| {
                    let network = BatchNetwork::load(model, &weights, layer, &engine.device, engine.batch)?;
                    engine.group(group).networks.push(network);
                    Ok(())
                });
                // Nobody waits where the caller has given up.
                let _ = done.send(loaded);
            }
            Request::Infer { group, job } => {
                let group = self.group(group);
                group.patches += job.count;
                group.waiting.push_back(job);
            }
            Request::Lose => {
                let _ = self.guarded(|engine| match &engine.device {
                    BatchDevice::Gpu(device) => {
                        device.lose_for_test();
                        Ok(())
                    }
                    BatchDevice::Plain => panic!("as a test asked for"),
                });
            }
        }
    }

    fn group(&mut self, number: usize) -> &mut Group {
        if self.groups.len() <= number {
            self.groups.resize_with(number + 1, Group::default);
        }
        &mut self.groups[number]
    }

    /// As many jobs of a group as fit into a batch.
    fn run_batch(&mut self, number: usize) {
        let group = &mut self.groups[number];
        let (mut jobs, mut rows) = (Vec::new(), 0);
        while let Some(job) = group.waiting.pop_front_if(|job| rows == 0 || rows + job.count <= self.batch) {
            rows += job.count;
            jobs.push(job);
        }
        group.patches -= rows;
        let answers = self.guarded(|engine| {
            let patches: Vec<f32> = jobs.iter().flat_map(|job| &job.patches).copied().collect();
            engine.groups[number].networks.iter().map(|network| network.infer(&patches, engine.batch)).collect::<Result<Vec<_>, _>>()
        });
        let mut first = 0;
        for job in jobs {
            let own = first..first + job.count;
            first = own.end;
            let answer = match &answers {
                Ok(all) => Ok(all.iter().map(|features| features.rows(own.clone())).collect()),
                Err(reason) => Err(reason.clone()),
            };
            let _ = job.answer.send(answer);
        }
    }

    /// Does something on the device. After the first failure nothing is tried any more.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, NnError>) -> Result<T, String> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let done = match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(done) => done.map_err(|error| error.to_string()),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
                Err(text.unwrap_or("its driver failed").lines().next().unwrap_or_default().to_owned())
            }
        };
        self.failure = done.as_ref().err().cloned();
        done
    }
}
