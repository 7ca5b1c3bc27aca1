//! A PNG that is written row by row, so that a picture need never be in memory as a whole.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::error::AppError;

/// A picture file that grows under another name, and has its own once it is whole. Dropped before that, it is gone.
pub struct PngFile {
    path: PathBuf,
    partial: PathBuf,
    writer: Option<png::StreamWriter<'static, BufWriter<File>>>,
}

impl PngFile {
    /// Begins a file of opaque RGBA, 8 bits, `size` pixels wide and high.
    ///
    /// # Errors
    /// [`AppError::Write`], [`AppError::Picture`].
    pub fn create(path: &Path, size: [u32; 2]) -> Result<Self, AppError> {
        let partial = path.with_extension("png.partial");
        let file = File::create(&partial).map_err(|source| AppError::Write { path: path.to_owned(), source })?;
        let mut made = Self { path: path.to_owned(), partial, writer: None };
        let wrong = |source| AppError::Picture { path: path.to_owned(), source };
        let mut encoder = png::Encoder::new(BufWriter::new(file), size[0], size[1]);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
        made.writer = Some(encoder.write_header().and_then(png::Writer::into_stream_writer).map_err(wrong)?);
        Ok(made)
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`AppError::Write`].
    pub fn write(&mut self, rgba: &[u8]) -> Result<(), AppError> {
        let written = self.writer.as_mut().map_or(Ok(()), |writer| writer.write_all(rgba));
        written.map_err(|source| AppError::Write { path: self.path.clone(), source })
    }

    /// Gives the file its name, now that all rows are in it.
    ///
    /// # Errors
    /// [`AppError::Write`], [`AppError::Picture`] where rows are missing.
    pub fn finish(mut self) -> Result<(), AppError> {
        let finished = self.writer.take().map_or(Ok(()), png::StreamWriter::finish);
        finished.map_err(|source| AppError::Picture { path: self.path.clone(), source })?;
        std::fs::rename(&self.partial, &self.path).map_err(|source| AppError::Write { path: self.path.clone(), source })
    }
}

impl Drop for PngFile {
    fn drop(&mut self) {
        self.writer = None;
        // Where it has its own name by now, there is nothing to remove.
        let _ = std::fs::remove_file(&self.partial);
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
}
