//! A PNG that is written row by row, so that a picture need never be in memory as a whole.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::AppError;
use crate::whole_file::WholeFile;

/// A picture file that gets its name once it is whole. Dropped before that, it is gone.
pub struct PngFile {
    writer: png::StreamWriter<'static, Watched>,
    /// The first error of the file: the encoder writes the last bytes as it is dropped, where an error has no way out.
    failure: Arc<Mutex<Option<io::Error>>>,
    file: WholeFile,
}

impl PngFile {
    /// Begins a file of opaque RGBA, 8 bits, `size` pixels wide and high.
    ///
    /// # Errors
    /// [`AppError::Write`], [`AppError::Picture`].
    pub fn create(path: &Path, size: [u32; 2]) -> Result<Self, AppError> {
        let file = WholeFile::create(path, &[])?;
        let failure = Arc::default();
        let watched = Watched { file: file.file().try_clone().map_err(|source| file.failure(source))?, failure: Arc::clone(&failure) };
        let mut encoder = png::Encoder::new(watched, size[0], size[1]);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
        let writer = encoder.write_header().and_then(png::Writer::into_stream_writer);
        let writer = writer.map_err(|source| AppError::Picture { path: path.to_owned(), source })?;
        Ok(Self { writer, failure, file })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`AppError::Write`].
    pub fn write(&mut self, rgba: &[u8]) -> Result<(), AppError> {
        Ok(self.writer.write_all(rgba).map_err(|source| self.file.failure(source))?)
    }

    /// Gives the file its name, now that all rows are in it.
    ///
    /// # Errors
    /// [`AppError::Write`], [`AppError::Picture`] where rows are missing.
    pub fn finish(self) -> Result<(), AppError> {
        let Self { writer, failure, file } = self;
        writer.finish().map_err(|source| AppError::Picture { path: file.path().to_owned(), source })?;
        if let Some(source) = failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(file.failure(source).into());
        }
        Ok(file.finish()?)
    }
}

/// The file, with a note of its first error. It needs no buffer: the encoder writes 32 KiB at a time.
struct Watched {
    file: File,
    failure: Arc<Mutex<Option<io::Error>>>,
}

impl Watched {
    fn watch<T>(&self, done: io::Result<T>) -> io::Result<T> {
        done.inspect_err(|error| {
            let copy = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(copy);
        })
    }
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        self.watch(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.file.flush();
        self.watch(flushed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_is_not_whole_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.png");
        let mut file = PngFile::create(&path, [3, 2]).unwrap();
        file.write(&[9; 12]).unwrap();
        drop(file);
        let mut short = PngFile::create(&path, [3, 2]).unwrap();
        short.write(&[9; 12]).unwrap();
        assert!(short.finish().is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

        let mut whole = PngFile::create(&path, [3, 2]).unwrap();
        whole.write(&[9; 20]).unwrap();
        whole.write(&[8; 4]).unwrap();
        whole.finish().unwrap();
        let mut reader = png::Decoder::new(std::io::BufReader::new(File::open(&path).unwrap())).read_info().unwrap();
        let mut rgba = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut rgba).unwrap();
        assert_eq!((rgba.len(), rgba[19], rgba[20]), (24, 9, 8));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_error_in_the_last_bytes_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.png");
        let mut picture = PngFile::create(&path, [3, 2]).unwrap();
        picture.write(&[9; 24]).unwrap();
        // All that this small picture has is written at the end, to a disk that is full.
        let full = File::options().write(true).open("/dev/full").unwrap();
        let watched = Watched { file: full, failure: Arc::clone(&picture.failure) };
        assert!(io::copy(&mut &[1_u8][..], &mut { watched }).is_err());
        let said = picture.finish().unwrap_err().to_string();
        assert!(said.contains("map.png") && said.contains("space"), "{said}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
