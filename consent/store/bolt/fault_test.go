package bolt_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

var ctx = context.Background()

const site = "a.example"

func TestMain(m *testing.M) {
	if path := os.Getenv("CONSENT_CRASH"); path != "" {
		writeUntilKilled(path)
	}
	os.Exit(m.Run())
}

func clientID(c int) (id consent.ID) {
	binary.BigEndian.PutUint64(id[8:], uint64(c+1))
	return id
}

const clients = 16

// writeUntilKilled is what the process does that TestKill kills: it says what was acknowledged.
func writeUntilKilled(path string) {
	signer, err := store.NewSigner(storetest.Key(1))
	if err != nil {
		panic(err)
	}
	s, err := bolt.Open(path, bolt.Options{Signer: signer, Timeout: 10 * time.Second})
	if err != nil {
		panic(err)
	}
	for c := range clients {
		go func() {
			id, seq := clientID(c), uint32(0)
			if st, err := s.Latest(ctx, site, id); err == nil {
				seq = st.Seq
			}
			for {
				seq++
				granted := consent.Purposes(seq) & storetest.All
				if err := s.Append(ctx, storetest.Record(site, id, seq, granted)); err != nil {
					panic(err)
				}
				fmt.Printf("%d %d\n", c, seq) // one write, unbuffered
			}
		}()
	}
	select {}
}

// TestKill ends a writing process with SIGKILL again and again. CONSENT_KILLS=200 is the full size.
func TestKill(t *testing.T) {
	kills := 8
	if n, err := strconv.Atoi(os.Getenv("CONSENT_KILLS")); err == nil {
		kills = n
	}
	path := filepath.Join(t.TempDir(), "consent.db")
	var acked [clients]uint32
	total := 0
	var anchors []store.Head
	for kill := range kills {
		n := runAndKill(t, path, &acked)
		total += n
		s := open(t, path, bolt.Options{Signer: storetest.Signer(t, 1)})
		for c, seq := range acked {
			st, err := s.Latest(ctx, site, clientID(c))
			if seq > 0 && (err != nil || st.Seq < seq || st.Granted != consent.Purposes(st.Seq)&storetest.All) {
				t.Fatalf("kill %d: client %d was acknowledged %d, found %+v, %v", kill, c, seq, st, err)
			}
		}
		if kill%10 == 0 || kill == kills-1 {
			anchors = append(anchors, storetest.MustVerify(t, s, anchors...).Head)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills, %d acknowledged records, all found; %d entries", kills, total, anchors[len(anchors)-1].Index)
	if total == 0 {
		t.Error("nothing was acknowledged: the test shows nothing")
	}
}

func runAndKill(t *testing.T, path string, acked *[clients]uint32) (n int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CONSENT_CRASH="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	after := 20 + rand.IntN(60)
	for lines.Scan() {
		var c int
		var seq uint32
		if _, err := fmt.Sscanf(lines.Text(), "%d %d", &c, &seq); err == nil && strings.HasSuffix(lines.Text(), strconv.Itoa(int(seq))) {
			acked[c] = max(acked[c], seq)
			n++
		}
		if n == after {
			time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
			_ = cmd.Process.Kill() // the rest of the pipe is still read
		}
	}
	_ = cmd.Wait()
	return n
}

func TestFullDisk(t *testing.T) {
	t.Run("limit of the file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "consent.db")
		s := open(t, path, bolt.Options{MaxSize: 1 << 20, Signer: storetest.Signer(t, 1)})
		fillAndRecover(t, s, nil)
	})
	t.Run("tmpfs", func(t *testing.T) {
		dir := t.TempDir()
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", dir).CombinedOutput(); err != nil {
			t.Skipf("needs the right to mount a small tmpfs: %v %s", err, out)
		}
		defer func() { _ = exec.Command("umount", "-l", dir).Run() }()
		ballast := filepath.Join(dir, "ballast")
		if err := os.WriteFile(ballast, make([]byte, 600<<10), 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, filepath.Join(dir, "consent.db"), bolt.Options{Signer: storetest.Signer(t, 1)})
		fillAndRecover(t, s, func() { _ = os.Remove(ballast) })
	})
}

// fillAndRecover appends until nothing goes any more, then makes room, by room or by erasing.
func fillAndRecover(t *testing.T, s *bolt.Store, room func()) {
	var acked []*consent.Record
	var err error
	for n := 0; n < 1000; n++ {
		batch := make([]*consent.Record, 10)
		for i := range batch {
			batch[i] = storetest.Record(site, consent.NewID(), 1, storetest.All)
		}
		if err = s.Append(ctx, batch...); err != nil {
			break
		}
		acked = append(acked, batch...)
	}
	if !errors.Is(err, store.ErrUnavailable) || len(acked) < 10 {
		t.Fatalf("after %d records: %v", len(acked), err)
	}
	check := func() {
		t.Helper()
		for _, r := range acked {
			if st, err := s.Latest(ctx, site, r.PrincipalID); err != nil || st.RecordID != r.RecordID {
				t.Fatalf("acknowledged record: %+v, %v", st, err)
			}
		}
		storetest.MustVerify(t, s)
	}
	check()
	for range 3 {
		if err := s.Append(ctx, storetest.Record(site, consent.NewID(), 1, storetest.All)); err != nil && !errors.Is(err, store.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	check()
	if room == nil {
		return
	}
	room()
	r := storetest.Record(site, consent.NewID(), 1, storetest.All)
	if err := s.Append(ctx, r); err != nil {
		t.Fatalf("after there was room again: %v", err)
	}
	acked = append(acked, r)
	check()
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	made := func(name string, change func(*bbolt.Tx) error) string {
		p := filepath.Join(dir, name)
		s := open(t, p, bolt.Options{})
		storetest.MustAppend(t, s, storetest.Record(site, consent.NewID(), 1, 0))
		_ = s.Close()
		edit(t, p, change)
		return p
	}
	held := filepath.Join(dir, "held")
	open(t, held, bolt.Options{})
	cut := made("cut", func(*bbolt.Tx) error { return nil })
	if err := os.Truncate(cut, 8192); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ path, want string }{
		"held":              {held, "another process holds the file"},
		"folder is a file":  {filepath.Join(file("file", nil), "consent.db"), "cannot make its folder"},
		"path is a folder":  {dir, "cannot open"},
		"not a database":    {file("text", bytes.Repeat([]byte("no database "), 1000)), "not a store, or damaged"},
		"cut off":           {cut, "damaged: restore it"},
		"newer":             {made("newer", func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte{0, 0, 0, 9}) }), "schema 9, this program knows 1"},
		"unreadable schema": {made("schema", func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte{1}) }), "schema cannot be read"},
		"of another program": {made("foreign", func(tx *bbolt.Tx) error {
			for _, b := range []string{"meta", "links", "bodies", "principals", "heads", "ledger"} {
				if err := tx.DeleteBucket([]byte(b)); err != nil {
					return err
				}
			}
			_, err := tx.CreateBucket([]byte("theirs"))
			return err
		}), "of another program"},
	} {
		s, err := bolt.Open(c.path, bolt.Options{Timeout: 10 * time.Millisecond})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %v", name, err)
		}
		if s != nil {
			t.Errorf("%s: a store next to an error", name)
		}
	}
	for refused, want := range map[error]string{
		os.ErrPermission: "give the file and its folder to the user",
		syscall.EROFS:    "the file system is read-only: make it writable",
	} {
		_, err := bolt.Open(filepath.Join(dir, "denied"), bolt.Options{OpenFile: func(string, int, os.FileMode) (*os.File, error) { return nil, refused }})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", refused, err, want)
		}
	}
}

func TestCompact(t *testing.T) {
	path := filepath.Join(t.TempDir(), "consent.db")
	s := open(t, path, bolt.Options{Signer: storetest.Signer(t, 1)})
	var gone []consent.ID
	for range 300 {
		id := consent.NewID()
		gone = append(gone, id)
		storetest.MustAppend(t, s, storetest.Record(site, id, 1, storetest.All))
	}
	stays := consent.NewID()
	storetest.MustAppend(t, s, storetest.Record(site, stays, 1, storetest.All))
	for _, id := range gone[:100] {
		if err := s.Erase(ctx, site, id); err != nil {
			t.Fatal(err)
		}
	}
	before := storetest.MustVerify(t, s)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 { // the store is in use all the time
		wg.Add(1)
		go func() {
			defer wg.Done()
			for seq := uint32(2); ; seq++ {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.Latest(ctx, site, stays); err != nil {
					t.Error(err)
				}
				if err := s.Append(ctx, storetest.Record(site, stays, seq, storetest.All)); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	for range 3 {
		if err := s.Compact(ctx); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
	storetest.MustVerify(t, s, before.Head)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range gone[:100] {
		if bytes.Contains(content, []byte(id.String())) || bytes.Contains(content, id[:]) {
			t.Fatal("an erased record is still in the file")
		}
	}
	s = open(t, path, bolt.Options{Signer: storetest.Signer(t, 1)})
	storetest.MustVerify(t, s, before.Head)
	if left, _ := filepath.Glob(path + ".*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "consent.db")
	open(t, path, bolt.Options{})
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(p)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
	}
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "consent.db")
	id := consent.NewID()
	for seq := uint32(1); seq <= 3; seq++ {
		s := open(t, path, bolt.Options{})
		storetest.MustAppend(t, s, storetest.Record(site, id, seq, storetest.All))
		if st, err := s.Latest(ctx, site, id); err != nil || st.Index != uint64(seq) {
			t.Errorf("%+v, %v", st, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
