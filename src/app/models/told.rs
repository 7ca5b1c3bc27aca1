//! What the user was told once and knows: a file in their data folder for each network that is not inside the program.

use crate::app::resources::user_data_dir;
use crate::app::small_file::write_whole;
use crate::catalog::ModelKey;

/// Whether the user has not been told yet that a network can be added. From now on they have: where that cannot be kept, it is told again.
#[must_use]
pub fn is_news(model: ModelKey) -> bool {
    let Some(file) = user_data_dir().map(|folder| folder.join(format!("told-of-{model}"))) else { return true };
    let is_news = !file.exists();
    if is_news && let Err(error) = write_whole(&file, "") {
        log::warn!("{}: {error}", file.display());
    }
    is_news
}
