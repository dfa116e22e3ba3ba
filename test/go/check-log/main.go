// Command check-log reads a log that Indelible wrote, with Go's own
// golang.org/x/mod/sumdb packages and nothing of ours: its checkpoints, its
// tiles and its proofs. It prints how much it checked, or the first fault.
//
//	check-log <input.json> <folder of the tiles>
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	Vkey      string
	WrongVkey string
	Origin    string
	Leaves    []string
	Trees     []struct {
		Checkpoint  string
		Inclusion   []proof
		Consistency []proof
	}
	Cosigned struct {
		Vkey, Name, Note string
		Time             uint64
	}
}

// A proof is of entry At in the tree, or from the tree of size At to it.
type proof struct {
	At     int64
	Hashes [][]byte
}

type counts struct{ Trees, Leaves, Inclusion, Consistency, Refused int }

var counted counts

func main() {
	data, err := os.ReadFile(os.Args[1])
	must(err)
	var in input
	must(json.Unmarshal(data, &in))
	verifier, err := note.NewVerifier(in.Vkey)
	must(err)
	wrong, err := note.NewVerifier(in.WrongVkey)
	must(err)

	roots := map[int64]tlog.Hash{}
	for n, want := range in.Trees {
		tree := open(in.Origin, want.Checkpoint, verifier)
		check(tree.N == int64(n+1), "checkpoint %d is of size %d", n, tree.N)
		roots[tree.N] = tree.Hash
		refuseNote(want.Checkpoint, wrong)
		refuseNote(strings.Replace(want.Checkpoint, fmt.Sprintf("\n%d\n", tree.N), fmt.Sprintf("\n%d\n", tree.N+1), 1), verifier)
		reader := tlog.TileHashReader(tree, &folder{path: os.Args[2]})
		checkTiles(tree, reader, in.Leaves, os.Args[2])
		for _, p := range want.Inclusion {
			checkInclusion(tree, reader, p, tlog.RecordHash([]byte(in.Leaves[p.At])))
		}
		for _, p := range want.Consistency {
			checkConsistency(tree, reader, p, roots[p.At])
		}
		counted.Trees++
	}
	checkCosignature(in)
	must(json.NewEncoder(os.Stdout).Encode(counted))
}

// open reads the tree of a checkpoint: origin, size and root, each a line.
func open(origin, text string, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	must(err)
	check(len(opened.Sigs) == 1 && len(opened.UnverifiedSigs) == 0, "one signature")
	lines := strings.Split(opened.Text, "\n")
	check(len(lines) == 4 && lines[0] == origin && lines[3] == "", "three lines of %s", origin)
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	return tlog.Tree{N: size, Hash: root}
}

// checkTiles reads every leaf hash, each tile checked against the root on the
// way, and finds a changed tile.
func checkTiles(tree tlog.Tree, reader tlog.HashReader, leaves []string, path string) {
	indexes := make([]int64, tree.N)
	for n := range indexes {
		indexes[n] = tlog.StoredHashIndex(0, int64(n))
	}
	hashes, err := reader.ReadHashes(indexes)
	must(err)
	for n, hash := range hashes {
		check(hash == tlog.RecordHash([]byte(leaves[n])), "leaf %d of %d", n, tree.N)
		counted.Leaves++
	}
	root, err := tlog.TreeHash(tree.N, reader)
	must(err)
	check(root == tree.Hash, "the root of the tiles at %d", tree.N)
	_, err = tlog.TileHashReader(tree, &folder{path: path, spoil: true}).ReadHashes(indexes)
	refuse(err, "a changed tile at %d", tree.N)
}

func checkInclusion(tree tlog.Tree, reader tlog.HashReader, p proof, leaf tlog.Hash) {
	ours := tlog.RecordProof(hashesOf(p))
	theirs, err := tlog.ProveRecord(tree.N, p.At, reader)
	must(err)
	check(same(ours, theirs), "inclusion of %d in %d is another proof", p.At, tree.N)
	must(tlog.CheckRecord(ours, tree.N, tree.Hash, p.At, leaf))
	counted.Inclusion++
	if tree.N > 1 {
		refuse(tlog.CheckRecord(ours, tree.N, tree.Hash, (p.At+1)%tree.N, leaf), "another index")
	}
	refuse(tlog.CheckRecord(ours, tree.N*2+1, tree.Hash, p.At, leaf), "another size")
	refuse(tlog.CheckRecord(ours, tree.N, flipped(tree.Hash), p.At, leaf), "another root")
	refuse(tlog.CheckRecord(ours, tree.N, tree.Hash, p.At, flipped(leaf)), "another leaf")
}

func checkConsistency(tree tlog.Tree, reader tlog.HashReader, p proof, old tlog.Hash) {
	ours := tlog.TreeProof(hashesOf(p))
	theirs, err := tlog.ProveTree(tree.N, p.At, reader)
	must(err)
	check(same(ours, theirs), "consistency from %d to %d is another proof", p.At, tree.N)
	must(tlog.CheckTree(ours, tree.N, tree.Hash, p.At, old))
	counted.Consistency++
	refuse(tlog.CheckTree(ours, tree.N*2+1, tree.Hash, p.At, old), "another size")
	refuse(tlog.CheckTree(ours, tree.N, flipped(tree.Hash), p.At, old), "another root")
	refuse(tlog.CheckTree(ours, tree.N, tree.Hash, p.At, flipped(old)), "another old root")
}

// checkCosignature does by hand what C2SP tlog-cosignature says, for sumdb/note
// knows no such key.
func checkCosignature(in input) {
	key, err := base64.StdEncoding.DecodeString(strings.SplitN(in.Cosigned.Vkey, "+", 3)[2])
	must(err)
	check(len(key) == 33 && key[0] == 4, "a cosigner's key")
	split := strings.LastIndex(in.Cosigned.Note, "\n\n") + 1
	lines := strings.Split(strings.TrimSuffix(in.Cosigned.Note[split+1:], "\n"), "\n")
	last := strings.Split(lines[len(lines)-1], " ")
	check(len(last) == 3 && last[1] == in.Cosigned.Name, "the witness's line is last")
	signature, err := base64.StdEncoding.DecodeString(last[2])
	must(err)
	check(len(signature) == 4+8+64, "a cosignature's length")
	check(binary.BigEndian.Uint64(signature[4:12]) == in.Cosigned.Time, "a cosignature's time")
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", in.Cosigned.Time, in.Cosigned.Note[:split])
	check(ed25519.Verify(key[1:], []byte(message), signature[12:]), "a cosignature")
	check(!ed25519.Verify(key[1:], []byte(message+"\n"), signature[12:]), "a cosignature of another text")
}

// A folder of tiles as C2SP tlog-tiles names them: Go's paths without the height.
type folder struct {
	path  string
	spoil bool
}

func (f *folder) Height() int                         { return 8 }
func (f *folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (f *folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for n, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		read, err := os.ReadFile(filepath.Join(f.path, path))
		if err != nil {
			return nil, err
		}
		data[n] = read
	}
	if f.spoil {
		data[0][0] ^= 1
	}
	return data, nil
}

func hashesOf(p proof) []tlog.Hash {
	hashes := []tlog.Hash{}
	for _, hash := range p.Hashes {
		var one tlog.Hash
		check(copy(one[:], hash) == 32 && len(hash) == 32, "a hash has 32 bytes")
		hashes = append(hashes, one)
	}
	return hashes
}

func same(a, b []tlog.Hash) bool {
	if len(a) != len(b) {
		return false
	}
	for n := range a {
		if !bytes.Equal(a[n][:], b[n][:]) {
			return false
		}
	}
	return true
}

func flipped(hash tlog.Hash) tlog.Hash {
	hash[31] ^= 1
	return hash
}

func refuseNote(text string, verifier note.Verifier) {
	_, err := note.Open([]byte(text), note.VerifierList(verifier))
	refuse(err, "a note of another key or text")
}

func refuse(err error, format string, args ...interface{}) {
	check(err != nil, "accepted: "+format, args...)
	counted.Refused++
}

func check(ok bool, format string, args ...interface{}) {
	if !ok {
		must(fmt.Errorf(format, args...))
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
