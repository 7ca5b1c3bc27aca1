//! Reading a few bytes back without waiting: they are asked for in one frame and fetched in a later one, or after a short wait.

use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use super::context::GpuContext;
use super::error::GpuError;

/// One buffer that the CPU reads, with at most one copy on its way.
#[derive(Debug)]
pub struct LateReadback {
    staging: wgpu::Buffer,
    bytes: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Free,
    /// A copy is in an encoder that was not submitted yet.
    Recorded,
    /// It was submitted; this tells when it can be read.
    OnItsWay(Receiver<Result<(), wgpu::BufferAsyncError>>),
}

impl LateReadback {
    /// For up to `bytes` bytes at a time.
    ///
    /// # Errors
    /// [`GpuError::OutOfMemory`].
    pub fn new(context: &GpuContext, label: &str, bytes: u64) -> Result<Self, GpuError> {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let descriptor = wgpu::BufferDescriptor { label: Some(label), size: bytes, usage, mapped_at_creation: false };
        Ok(Self { staging: context.scoped(label, || context.device.create_buffer(&descriptor))?, bytes: 0, state: State::Free })
    }

    /// Whether nothing is on its way.
    #[must_use]
    pub fn is_free(&self) -> bool {
        matches!(self.state, State::Free)
    }

    /// Copies the first bytes (a multiple of 4, no more than there is room for) of a buffer with the usage `COPY_SRC`; says whether it does, which it does
    /// not while an earlier copy is on its way. [`Self::submitted`] must follow.
    pub fn copy(&mut self, encoder: &mut wgpu::CommandEncoder, source: &wgpu::Buffer, bytes: u64) -> bool {
        let is_free = self.is_free();
        if is_free {
            self.bytes = bytes.min(self.staging.size());
            encoder.copy_buffer_to_buffer(source, 0, &self.staging, 0, self.bytes);
            self.state = State::Recorded;
        }
        is_free
    }

    /// The encoder of [`Self::copy`] was submitted.
    pub fn submitted(&mut self) {
        if matches!(self.state, State::Recorded) {
            let (tell, told) = channel();
            self.staging.map_async(wgpu::MapMode::Read, ..self.bytes, move |mapped| {
                // Nobody listens any more where the buffer is gone.
                let _ = tell.send(mapped);
            });
            self.state = State::OnItsWay(told);
        }
    }

    /// The bytes, once they are there; after that it is free again. Does not wait.
    ///
    /// # Errors
    /// [`GpuError::Lost`]; it is free again then, too.
    pub fn take(&mut self, context: &GpuContext) -> Result<Option<Vec<u8>>, GpuError> {
        if !matches!(self.state, State::OnItsWay(_)) {
            return Ok(None);
        }
        context.device.poll(wgpu::PollType::Poll).map_err(|error| lost(&error))?;
        self.fetch()
    }

    /// The same, but waits for the bytes, no longer than `longest`.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn take_within(&mut self, context: &GpuContext, longest: Duration) -> Result<Option<Vec<u8>>, GpuError> {
        if !matches!(self.state, State::OnItsWay(_)) {
            return Ok(None);
        }
        match context.device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(longest) }) {
            Ok(_) | Err(wgpu::PollError::Timeout) => self.fetch(),
            Err(error) => Err(lost(&error)),
        }
    }

    fn fetch(&mut self) -> Result<Option<Vec<u8>>, GpuError> {
        let State::OnItsWay(told) = &self.state else { return Ok(None) };
        let mapped = match told.try_recv() {
            Err(TryRecvError::Empty) => return Ok(None),
            Err(TryRecvError::Disconnected) => Err(lost(&"the buffer was never mapped")),
            Ok(mapped) => mapped.map_err(|error| lost(&error)),
        };
        self.state = State::Free;
        mapped?;
        let bytes = self.staging.get_mapped_range(..self.bytes).map_err(|error| lost(&error))?.to_vec();
        self.staging.unmap();
        Ok(Some(bytes))
    }
}

fn lost(error: &impl std::fmt::Display) -> GpuError {
    GpuError::Lost { what: "reading back".to_owned(), message: error.to_string() }
}
