package debugfair_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// A color is linear RGB.
type color [3]float64

func parseColor(t *testing.T, hex string) (c color) {
	t.Helper()
	for i := range c {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		require.NoError(t, err)
		if s := float64(n) / 255; s <= 0.04045 {
			c[i] = s / 12.92
		} else {
			c[i] = math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	return c
}

// seen is the colour as somebody sees it: Machado, Oliveira and Fernandes, A
// physiologically-based model for simulation of color vision deficiency, 2009,
// at severity 1.
func (c color) seen(by [3]color) (s color) {
	for i := range s {
		for k := range c {
			s[i] += by[i][k] * c[k]
		}
		s[i] = min(max(s[i], 0), 1)
	}
	return s
}

var eyes = map[string][3]color{
	"usual":        {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// lab is the colour in Oklab (Ottosson, 2020), where distances are about as
// they are perceived.
func (c color) lab() color {
	l := math.Cbrt(0.4122214708*c[0] + 0.5363325363*c[1] + 0.0514459929*c[2])
	m := math.Cbrt(0.2119034982*c[0] + 0.6806995451*c[1] + 0.1073969566*c[2])
	s := math.Cbrt(0.0883024619*c[0] + 0.2817188376*c[1] + 0.6299787005*c[2])
	return color{
		0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

func distance(a, b color) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// contrast is that of WCAG 2.
func contrast(a, b color) float64 {
	light := func(c color) float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] + 0.05 }
	return max(light(a), light(b)) / min(light(a), light(b))
}

func TestColoursOfTenantsAreToldApartByEveryEye(t *testing.T) {
	css, err := os.ReadFile("static/page.css")
	require.NoError(t, err)
	values := map[string][]color{} // light, and dark if it is another
	for _, m := range regexp.MustCompile(`--([a-z0-9]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(string(css), -1) {
		values[m[1]] = append(values[m[1]], parseColor(t, m[2]))
	}
	for theme, name := range []string{"light", "dark"} {
		in := func(what string) color {
			of := values[what]
			require.NotEmpty(t, of, what)
			return of[min(theme, len(of)-1)]
		}
		all := map[string]color{"others": in("others")}
		for i := range 8 {
			all[fmt.Sprint("c", i)] = in(fmt.Sprint("c", i))
		}
		for eye, by := range eyes {
			least := math.Inf(1)
			for a := range all {
				for b := range all {
					if a < b {
						d := distance(all[a].seen(by).lab(), all[b].seen(by).lab())
						require.Greater(t, d, 0.08, "%s: %s and %s by %s", name, a, b, eye)
						least = min(least, d)
					}
				}
			}
			t.Logf("%s, %s: at least %.3f apart", name, eye, least)
		}
		for what, c := range all {
			require.Greater(t, contrast(c, in("card")), 1.7, "%s: %s against its background", name, what)
		}
		for _, text := range []string{"text", "faint", "bad"} {
			require.Greater(t, contrast(in(text), in("card")), 4.5, "%s: %s", name, text)
			require.Greater(t, contrast(in(text), in("page")), 4.3, "%s: %s", name, text)
		}
	}
}
