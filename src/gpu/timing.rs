//! How long the passes of a frame take on the GPU, by its own clock: for measuring, and for who wants to see it; not in a plain frame.

use super::context::GpuContext;
use super::error::GpuError;
use super::late_readback::LateReadback;
use super::readback;

/// Passes that a frame may have.
const MOST_PASSES: usize = 16;

/// Two time stamps a pass. There is one only on a device that was opened for timing, of an adapter that can.
#[derive(Debug)]
pub struct PassTimer {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    names: Vec<&'static str>,
    ms_per_tick: f64,
    late: Option<(LateReadback, Vec<&'static str>)>,
}

impl PassTimer {
    /// A timer; `None` where the device has no time stamps.
    ///
    /// # Errors
    /// [`GpuError::OutOfMemory`].
    pub fn new(context: &GpuContext) -> Result<Option<Self>, GpuError> {
        if !context.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Ok(None);
        }
        let count = 2 * MOST_PASSES as u32;
        let (queries, resolved) = context.scoped("the timer", || {
            let queries =
                context.device.create_query_set(&wgpu::QuerySetDescriptor { label: Some("timer"), ty: wgpu::QueryType::Timestamp, count });
            let resolved = context.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("timer"),
                size: u64::from(count) * u64::from(wgpu::QUERY_SIZE),
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            });
            (queries, resolved)
        })?;
        let ms_per_tick = f64::from(context.queue.get_timestamp_period()) * 1e-6;
        Ok(Some(Self { queries, resolved, names: Vec::new(), ms_per_tick, late: None }))
    }

    /// Forgets the passes so far: a frame begins.
    pub fn restart(&mut self) {
        self.names.clear();
    }

    /// The time stamps of a compute pass; none past the most that there may be.
    pub fn compute(&mut self, name: &'static str) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        let [begin, end] = self.next(name)?;
        Some(wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(begin),
            end_of_pass_write_index: Some(end),
        })
    }

    /// The time stamps of a render pass.
    pub fn render(&mut self, name: &'static str) -> Option<wgpu::RenderPassTimestampWrites<'_>> {
        let [begin, end] = self.next(name)?;
        Some(wgpu::RenderPassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(begin),
            end_of_pass_write_index: Some(end),
        })
    }

    fn next(&mut self, name: &'static str) -> Option<[u32; 2]> {
        let pass = self.names.len();
        (pass < MOST_PASSES).then(|| {
            self.names.push(name);
            [2 * pass as u32, 2 * pass as u32 + 1]
        })
    }

    /// Fetches the stamps, after the last pass.
    pub fn finish(&self, encoder: &mut wgpu::CommandEncoder) {
        if !self.names.is_empty() {
            encoder.resolve_query_set(&self.queries, 0..2 * self.names.len() as u32, &self.resolved, 0);
        }
    }

    /// Milliseconds of each pass since [`PassTimer::restart`]. Waits for the device.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn read(&self, context: &GpuContext) -> Result<Vec<(&'static str, f64)>, GpuError> {
        let bytes = self.bytes();
        Ok(self.times(&self.names, &readback::read_range(context, &self.resolved, 0..bytes)?))
    }

    /// Copies the stamps that [`PassTimer::finish`] fetched for [`PassTimer::take`], unless earlier ones are still on their way.
    ///
    /// # Errors
    /// [`GpuError::OutOfMemory`].
    pub fn ask(&mut self, context: &GpuContext, encoder: &mut wgpu::CommandEncoder) -> Result<(), GpuError> {
        let bytes = self.bytes();
        if self.late.is_none() {
            self.late = Some((LateReadback::new(context, "timer", self.resolved.size())?, Vec::new()));
        }
        if let Some((late, names)) = &mut self.late
            && bytes > 0
            && late.copy(encoder, &self.resolved, bytes)
        {
            names.clone_from(&self.names);
        }
        Ok(())
    }

    /// The encoder of [`PassTimer::ask`] was submitted.
    pub fn submitted(&mut self) {
        if let Some((late, _)) = &mut self.late {
            late.submitted();
        }
    }

    /// Milliseconds of each pass of the frame that was asked for, once they are there. Does not wait.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn take(&mut self, context: &GpuContext) -> Result<Option<Vec<(&'static str, f64)>>, GpuError> {
        let Some((late, names)) = &mut self.late else { return Ok(None) };
        let bytes = late.take(context)?;
        let names = names.clone();
        Ok(bytes.map(|bytes| self.times(&names, &bytes)))
    }

    fn bytes(&self) -> u64 {
        2 * self.names.len() as u64 * u64::from(wgpu::QUERY_SIZE)
    }

    fn times(&self, names: &[&'static str], bytes: &[u8]) -> Vec<(&'static str, f64)> {
        let stamps: Vec<u64> = bytemuck::pod_collect_to_vec(bytes);
        let ms = |pair: &[u64]| pair[1].saturating_sub(pair[0]) as f64 * self.ms_per_tick;
        names.iter().copied().zip(stamps.chunks_exact(2).map(ms)).collect()
    }
}
