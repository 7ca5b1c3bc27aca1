//! The command lines that are tried.

/// Lines with a known end: the exit code, `p` where the command does nothing but print, and the words. `{}` is a number of the line's own.
pub const KNOWN: &str = "
0p --help
0p --version
0p help
0p extract --help
0p merge -h
0p models --help
0p models help add
0p render --help
0p explore --help
0p project --help
0p bench --help
0p bench extract --help
2p --no-such
2p nonsense
2p models
2p bench
2p bench nonsense
2p models nonsense
0p models list
0p models list --json
0p models verify
0p models verify --json
2p models list extra
2p models add
2p models add vggish
2p models add vggish missing.pb
2p models add vggish junk.pb
2p models add vggish junk.pth
2p models add vggish music
2p models add mtt-vgg junk.pb
2p models add nonsense junk.pb
2p
2p explore
2p explore c.tagscape
2p explore missing
2p explore music
2p explore music --out e{}.tagscape
2p explore c.tagscape --screenshot shot.jpg
2p explore c.tagscape --event-log missing/log
2p explore c.tagscape --audio-root missing
2p explore broken.tagscape
2p explore c.tagscape --space nonsense
0 extract good --models mtt-vgg --out x{}.tagscape
0 extract good --models mtt-vgg --out x{}.tagscape --json
0 extract good/a.wav --models mtt-vgg --hop 1 --jobs 1 --out x{}.tagscape
0 extract good --models mtt-vgg --shard 1/1 --device cpu --out x{}.tagscape
0 extract good good/a.wav --models mtt-vgg --retry --out x{}.tagscape
1 extract music --models mtt-vgg --out x{}.tagscape
1 extract music --models mtt-vgg --out x{}.tagscape --json
1 extract music/bad.wav --models mtt-vgg --out x{}.tagscape --json
2 extract
2 extract good
2 extract --out x{}.tagscape
2 extract missing --out x{}.tagscape
2 extract good missing --out x{}.tagscape
2 extract empty --out x{}.tagscape
2 extract good --out x{}.tagscape --models nonsense
2 extract good --out x{}.tagscape --models vggish
2 extract good --out x{}.tagscape --models audioset-vggish,mtt-vgg
2 extract good --out x{}.tagscape --models ,
2 extract good --out x{}.tagscape --hop 0
2 extract good --out x{}.tagscape --hop nan
2 extract good --out x{}.tagscape --hop -1
2 extract good --out x{}.tagscape --jobs 0
2 extract good --out x{}.tagscape --jobs 1000000
2 extract good --out x{}.tagscape --shard 0/3
2 extract good --out x{}.tagscape --shard 4/3
2 extract good --out x{}.tagscape --shard x
2 extract good --out x{}.tagscape --device tpu
2 extract good --out x{}.tagscape --musicnn-layer last
2 extract good --out m.npy --models mtt-vgg
2 extract good --out m.npy/x{}.tagscape --models mtt-vgg
2 extract good --out c.tagscape --models mtt-vgg
2 extract good --out broken.tagscape --models mtt-vgg
2 merge
2 merge one.tagscape
2 merge --out y{}.tagscape
0 merge one.tagscape two.tagscape --out y{}.tagscape
0 merge one.tagscape two.tagscape --out y{}.tagscape --json
0 merge one.tagscape one.tagscape --out y{}.tagscape
0 merge two.tagscape --out y{}.tagscape
2 merge one.tagscape missing --out y{}.tagscape
2 merge one.tagscape c.tagscape --out y{}.tagscape
2 merge one.tagscape broken.tagscape --out y{}.tagscape
2 merge one.tagscape two.tagscape --out one.tagscape
2 merge one.tagscape two.tagscape --out m.npy
0 merge one.tagscape two.tagscape --out deep{}/er/y.tagscape
2 merge m.npy --out y{}.tagscape
0 project m.npy --method pca --out l{}.npy
0 project m.npy --method std-pca --dims 3 --device cpu --out l{}.npy
0 project m.npy --method original --axes 1,3 --out l{}.npy --json
0 project m.npy --method tsne --device cpu --iterations 30 --out l{}.npy
0 project m.npy --method umap --device cpu --iterations 10 --out l{}.npy --json
0 project c.tagscape --method pca --out l{}.npy
0 project c.tagscape --space mtt-musicnn-taggrams --method original --axes rock,2 --out l{}.npy --json
0 project c.tagscape --method pca --tracks 2 --every 2 --out l{}.npy
2 project
2 project m.npy
2 project m.npy --method pca
2 project --method pca --out l{}.npy
2 project missing.npy --method pca --out l{}.npy
2 project empty --method pca --out l{}.npy
2 project nan.npy --method pca --out l{}.npy
2 project junk.pb --method pca --out l{}.npy
2 project broken.tagscape --method pca --out l{}.npy
2 project m.npy --method lda --out l{}.npy
2 project m.npy --method pca --dims 0 --out l{}.npy
2 project m.npy --method pca --dims 7 --out l{}.npy
2 project m.npy --method tsne --dims 4 --out l{}.npy
2 project m.npy --method tsne --perplexity 0 --out l{}.npy
2 project m.npy --method tsne --perplexity nan --out l{}.npy
2 project m.npy --method tsne --exaggeration inf --out l{}.npy
2 project m.npy --method umap --neighbors 1 --out l{}.npy
2 project m.npy --method umap --min-dist 2 --out l{}.npy
2 project m.npy --method pca --seed 1 --out l{}.npy
2 project m.npy --method pca --axes 0,1 --out l{}.npy
2 project m.npy --method pca --axes rock --out l{}.npy
2 project m.npy --method pca --tracks 1 --out l{}.npy
2 project m.npy --method pca --every 0 --out l{}.npy
2 project m.npy --method pca --space mtt-vgg-taggrams --out l{}.npy
2 project c.tagscape --space msd-vgg-taggrams --method pca --out l{}.npy
2 project m.npy --method pca --out missing/l.npy
2 project m.npy --method pca --out empty
2 project m.npy --method pca --out m.npy
2 project m.npy --method pca --out m.npy/l.npy
2 project m.npy --method tsne --into missing.npy --out l{}.npy
2 project m.npy --method tsne --into nan.npy --out l{}.npy
2 project m.npy --method pca --into m.npy --out l{}.npy
0 render c.tagscape --size 64x48 --out p{}.png
0 render c.tagscape --size 64x48 --view density --device cpu --theme light --out p{}.png
0 render c.tagscape --size 64x48 --3d --azimuth -30 --view trajectories --out p{}.png
0 render c.tagscape --size 64x48 --space mtt-musicnn-taggrams --method original --axes rock,pop --labels tags --out p{}.png
2 render
2 render c.tagscape
2 render missing --out p{}.png
2 render broken.tagscape --out p{}.png
2 render m.npy --out p{}.png
2 render c.tagscape --out p{}.jpg
2 render c.tagscape --out p{}
2 render c.tagscape --size 0x5 --out p{}.png
2 render c.tagscape --size 99999x5 --out p{}.png
2 render c.tagscape --azimuth 3 --out p{}.png
2 render c.tagscape --space nonsense --out p{}.png
2 render c.tagscape --space msd-vgg-taggrams --out p{}.png
2 render c.tagscape --axes 1 --out p{}.png
2 render c.tagscape --axes 1,2,3,4 --out p{}.png
2 render c.tagscape --method tsne --log --out p{}.png
2 render c.tagscape --color-by tag:nonsense --out p{}.png
2 render c.tagscape --color-by file:missing.npy --out p{}.png
2 render c.tagscape --color-by nonsense --out p{}.png
2 render c.tagscape --labels artists --out p{}.png
2 render c.tagscape --highlight nonsense --out p{}.png
2 render c.tagscape --layout missing.npy --out p{}.png
2 render c.tagscape --layout m.npy --out p{}.png
2 render c.tagscape --size 64x48 --out missing/p{}.png
2 render c.tagscape --size 64x48 --out m.npy/p{}.png
0p bench project m.npy --methods pca --runs 2
0p bench project m.npy --methods pca,std-pca --json
2p bench project m.npy --methods nonsense
2p bench project m.npy --methods pca -- --nonsense
2p bench project missing.npy
0p bench extract good --models mtt-vgg --runs 1
0p bench extract good --models mtt-vgg --runs 1 --json
2p bench extract missing --models mtt-vgg
2p bench extract good --runs 0
1p bench extract music --models mtt-vgg --runs 1
0p bench render --points 100 --size 32x32 --frames 2
0p bench render --points 100 --size 32x32 --frames 2 --json
2p bench render --points 0
2p bench render --size 0x0
2p bench render --adapter nonsense
0p bench pick --points 50 --pointers 5 --json
2p bench pick --points 0
2p bench pick --adapter nonsense
0p bench audio good/a.wav --output null --seconds 1
2p bench audio missing --output null --seconds 1
2p bench audio empty --output null --seconds 1
2p bench audio good --seconds 0
";

/// Lines with one word (`@`) of a stranger's choice: a file to read, a name or a number.
pub const OPEN: &str = "
 @
 extract @ --models mtt-vgg --out x{}.tagscape
 extract good @ --models mtt-vgg --out x{}.tagscape
 extract good --models @ --out x{}.tagscape
 extract good --models mtt-vgg --hop @ --out x{}.tagscape
 extract good --models mtt-vgg --jobs @ --out x{}.tagscape
 extract good --models mtt-vgg --shard @ --out x{}.tagscape
 extract good --models mtt-vgg --device @ --out x{}.tagscape
 merge @ --out y{}.tagscape
 merge one.tagscape @ --out y{}.tagscape
 models @
 models add @ junk.pb
 models add vggish @
 project @ --method pca --out l{}.npy
 project m.npy --method @ --out l{}.npy
 project m.npy --method pca --dims @ --out l{}.npy
 project m.npy --method pca --axes @ --out l{}.npy
 project m.npy --method pca --every @ --out l{}.npy
 project m.npy --method pca --space @ --out l{}.npy
 project c.tagscape --method pca --space @ --out l{}.npy
 project c.tagscape --method pca --tracks @ --out l{}.npy
 project m.npy --method tsne --device cpu --iterations 5 --perplexity @ --out l{}.npy
 project m.npy --method tsne --device cpu --iterations 5 --exaggeration @ --out l{}.npy
 project m.npy --method tsne --device cpu --iterations 5 --pca-dims @ --out l{}.npy
 project m.npy --method tsne --device cpu --iterations 5 --seed @ --out l{}.npy
 project m.npy --method tsne --device cpu --iterations 5 --into @ --out l{}.npy
 project m.npy --method umap --device cpu --iterations 5 --neighbors @ --out l{}.npy
 project m.npy --method umap --device cpu --iterations 5 --min-dist @ --out l{}.npy
 render @ --size 32x32 --out p{}.png
 render c.tagscape --size @ --out p{}.png
 render c.tagscape --size 32x32 --axes @ --out p{}.png
 render c.tagscape --size 32x32 --space @ --out p{}.png
 render c.tagscape --size 32x32 --layout @ --out p{}.png
 render c.tagscape --size 32x32 --color-by @ --out p{}.png
 render c.tagscape --size 32x32 --color-by tag:@ --out p{}.png
 render c.tagscape --size 32x32 --color-by file:@ --out p{}.png
 render c.tagscape --size 32x32 --highlight @ --out p{}.png
 render c.tagscape --size 32x32 --3d --azimuth @ --out p{}.png
 explore @
 explore c.tagscape --audio-root @
 bench @
 bench project @ --methods pca
 bench render --points 10 --size 32x32 --frames 1 --adapter @
 bench audio @ --output null --seconds 1
";

/// Likewise a file or folder to write. None of these is there; nobody writes to what is not in the test's own folder.
pub const OPEN_OUTS: &str = "
 extract good --models mtt-vgg --out @
 merge one.tagscape two.tagscape --out @
 project m.npy --method pca --device cpu --out @
 render c.tagscape --size 32x32 --out @
 explore good --out @
 explore c.tagscape --event-log @
 explore c.tagscape --screenshot @
";
