package sample

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/compression"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// file is one regular file of a layer. Its path has no leading slash.
type file struct {
	path string
	text string
	mode int64 // 0 means 0644
}

// whiteout deletes one path of the layers below.
func whiteout(target string) file {
	return file{path: path.Join(path.Dir(target), ".wh."+path.Base(target))}
}

// opaque empties a directory of the layers below.
func opaque(dir string) file { return file{path: path.Join(dir, ".wh..wh..opq")} }

// makeLayer packs files into a layer of the given media type. The same files
// make the same digest.
func makeLayer(files []file, media types.MediaType) (v1.Layer, error) {
	archive, err := pack(files)
	if err != nil {
		return nil, err
	}
	options := []tarball.LayerOption{tarball.WithMediaType(media)}
	if media == types.OCILayerZStd {
		options = append(options, tarball.WithCompression(compression.ZStd))
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil }
	layer, err := tarball.LayerFromOpener(open, options...)
	if err != nil {
		return nil, fmt.Errorf("making a layer of %d files: %w", len(files), err)
	}
	return layer, nil
}

// pack writes the files, each directory once before what is in it.
func pack(files []file) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	made := map[string]bool{}
	for _, f := range files {
		if err := addDirs(w, path.Dir(f.path), made); err != nil {
			return nil, err
		}
		if err := addFile(w, f); err != nil {
			return nil, fmt.Errorf("packing %s: %w", f.path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing %d files: %w", len(files), err)
	}
	return out.Bytes(), nil
}

func addDirs(w *tar.Writer, dir string, made map[string]bool) error {
	if dir == "." || made[dir] {
		return nil
	}
	if err := addDirs(w, path.Dir(dir), made); err != nil {
		return err
	}
	made[dir] = true
	header := &tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: fileTime()}
	if err := w.WriteHeader(header); err != nil {
		return fmt.Errorf("packing directory %s: %w", dir, err)
	}
	return nil
}

func addFile(w *tar.Writer, f file) error {
	mode := f.mode
	if mode == 0 {
		mode = 0o644
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: f.path, Mode: mode, Size: int64(len(f.text)), ModTime: fileTime()}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.Copy(w, strings.NewReader(f.text))
	return err
}

// fileTime is the modification time of every file, fixed so that digests are.
func fileTime() time.Time { return time.Date(2024, time.March, 1, 0, 0, 0, 0, time.UTC) }
