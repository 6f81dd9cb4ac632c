package protocol

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every step and every body of the model stands for a function of the code
// that exists. What these do, only a reader can compare.
func TestTheModelStandsForFunctionsThatExist(t *testing.T) {
	found := make(map[string]bool)
	for _, pkg := range []string{"fairshare", "pool"} {
		for _, f := range functions(t, filepath.Join("..", "..", "..", pkg)) {
			found[pkg+" "+f] = true
		}
	}
	where := codeOf[:]
	for _, s := range steps {
		if s.where != "" {
			where = append(where, s.where)
		}
	}
	for _, w := range where {
		require.True(t, found[w], "the model describes %q, which is gone: does it still do the same elsewhere?", w)
	}
}

// functions lists what a package declares, methods as "Type.method".
func functions(t *testing.T, dir string) (names []string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files, dir)
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				names = append(names, receiver(f)+f.Name.Name)
			}
		}
	}
	return names
}

func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	kind := f.Recv.List[0].Type
	if p, ok := kind.(*ast.StarExpr); ok {
		kind = p.X
	}
	if g, ok := kind.(*ast.IndexExpr); ok { // of a generic type
		kind = g.X
	}
	return kind.(*ast.Ident).Name + "."
}
