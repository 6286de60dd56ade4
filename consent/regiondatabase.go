package consent

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"

	"github.com/oschwald/maxminddb-golang/v2"
)

// RegionDatabase looks addresses up in a file of the MaxMind DB format 2.0 with the fields of GeoIP2 Country or City. It
// holds the file in memory: one that is mapped and then written over ends the process. It is safe for concurrent use.
type RegionDatabase struct {
	regions *Regions
	path    string
	reader  atomic.Pointer[maxminddb.Reader]
	mu      sync.Mutex // held by Refresh
	info    os.FileInfo
}

// maxDatabase is the largest file that is read, in bytes: eight times the largest of cities.
const maxDatabase = 512 << 20

// OpenDatabase reads the file at path.
func (t *Regions) OpenDatabase(path string) (*RegionDatabase, error) {
	d := &RegionDatabase{regions: t, path: path}
	if _, err := d.Refresh(); err != nil {
		return nil, err
	}
	return d, nil
}

// Refresh reads the file again if it is another one, or was written to, since the last time, and reports whether it did. After an
// error, as with one that is half written, what was read before stays in use.
func (d *RegionDatabase) Refresh() (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	changed, err := d.refresh()
	if err != nil {
		err = fmt.Errorf("region database %s: %w; give a readable .mmdb file of countries or cities", d.path, err)
	}
	return changed, err
}

func (d *RegionDatabase) refresh() (bool, error) {
	info, err := os.Stat(d.path)
	switch {
	case err != nil:
		return false, err
	case d.info != nil && same(info, d.info):
		return false, nil
	case !info.Mode().IsRegular():
		return false, errors.New("it is no regular file") // reading a pipe, or a device, need not end
	case info.Size() > maxDatabase:
		return false, fmt.Errorf("it has %d bytes, the limit is %d", info.Size(), maxDatabase)
	}
	content, err := os.ReadFile(d.path)
	if err != nil {
		return false, err
	}
	if after, err := os.Stat(d.path); err != nil || !same(info, after) || int64(len(content)) != info.Size() {
		return false, errors.New("it is being written")
	}
	reader, err := maxminddb.OpenBytes(content)
	if err != nil {
		return false, err
	}
	d.reader.Store(reader)
	d.info = info
	return true, nil
}

func same(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// Region returns where an address is; unknown if the database does not say. Its signature is that of ReaderConfig.Region.
func (d *RegionDatabase) Region(_ http.Header, addr netip.Addr) Region {
	if !addr.IsValid() {
		return Region{}
	}
	found := d.reader.Load().Lookup(addr.Unmap().WithZone(""))
	var country, sub string
	_ = found.DecodePath(&country, "country", "iso_code") // what is not there, or no text, stays empty, and is unknown
	_ = found.DecodePath(&sub, "subdivisions", 0, "iso_code")
	return d.regions.strictest(country, sub)
}
