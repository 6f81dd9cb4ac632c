package chromedpfair

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"strings"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"
)

// A browser is a process of ours, or a connection to a remote one, from launch
// to burial. What it is used for its set keeps account of.
type browser struct {
	number  uint64
	address string // "": launched here
	started time.Time
	profile *profile
	command *exec.Cmd
	group   int // its process group, 0: none of ours

	// end kills it and gives the cause to every page.
	end  context.CancelCauseFunc
	ctx  context.Context // chromedp's; ends with the browser, however that comes
	conn *chromedp.Browser
	wait func() // until chromedp has let go of it

	clipboard clipboard

	account // guarded by the lock of the set
}

// launch starts the browser, or connects to it. It fails if that takes longer
// than the timeout, and leaves nothing behind then.
func launch(number uint64, address string, cfg *Config, log *slog.Logger) (*browser, error) {
	b := &browser{number: number, address: address, started: time.Now()}
	var life context.Context
	life, b.end = context.WithCancelCause(context.Background())
	allocator, release, err := b.allocator(life, cfg)
	if err != nil {
		return nil, err
	}
	quiet := func(format string, args ...any) {
		log.Debug("chromedp: "+fmt.Sprintf(format, args...), "browser", number)
	}
	var cancel func()
	b.ctx, cancel = chromedp.NewContext(allocator, chromedp.WithLogf(quiet), chromedp.WithErrorf(quiet))
	b.wait = func() { cancel(); release() }

	timer := time.AfterFunc(cfg.LaunchTimeout, func() {
		b.end(fmt.Errorf("chromedpfair: the browser did not start within %v", cfg.LaunchTimeout))
	})
	// No tab is attached to: the one that it starts with is in the browser
	// context that we use for nobody.
	_, err = chromedp.CallBrowser(b.ctx, cdpbrowser.GetVersion, cdp.Empty{})
	if !timer.Stop() && err == nil {
		err = context.Canceled
	}
	b.conn = chromedp.FromContext(b.ctx).Browser
	if b.command != nil && b.command.Process != nil {
		b.group = b.command.Process.Pid
	}
	if err != nil {
		if cause := context.Cause(life); cause != nil {
			err = cause
		}
		b.end(err)
		return nil, errors.Join(fmt.Errorf("chromedpfair: start a browser: %w", err), b.bury())
	}
	return b, nil
}

func (b *browser) allocator(life context.Context, cfg *Config) (ctx context.Context, release func(), err error) {
	if b.address != "" {
		ctx, cancel := remote.NewAllocator(life, b.address, cfg.RemoteOptions...)
		return ctx, func() {
			cancel()
			chromedp.FromContext(ctx).Allocator.Wait()
		}, nil
	}
	if b.profile, err = newProfile(cfg.ProfileRoot); err != nil {
		return nil, nil, err
	}
	ours := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(cfg.ExecPath),
		chromedp.UserDataDir(b.profile.path),
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
			ownGroup(cmd)
			cmd.Args = disableFeatures(cmd.Args)
			b.command = cmd
		}),
	}
	if b.profile.temp != "" {
		ours = append(ours, chromedp.Env("TMPDIR="+b.profile.temp))
	}
	ctx, release = chromedp.NewExecAllocator(life, slices.Concat(chromedp.DefaultExecAllocatorOptions[:], cfg.Options, ours)...)
	return ctx, release, nil
}

// slowFeatures are of no use to tabs that are used as they are here, and cost
// much: RenderDocument makes a new frame for each document, also within a site,
// which takes a third of the time of a small page; BackForwardCache keeps pages
// that have been left.
const slowFeatures = "RenderDocument,BackForwardCache"

// disableFeatures adds them to those that the arguments disable: of several
// flags of that name a browser heeds the last alone.
func disableFeatures(args []string) []string {
	const flag = "--disable-features="
	for i, arg := range args {
		if list, ok := strings.CutPrefix(arg, flag); ok {
			args[i] = flag + slowFeatures + "," + list
			return args
		}
	}
	return slices.Insert(args, 1, flag+slowFeatures)
}

// gone reports whether the browser has ended. Actions fail with the connection,
// and a little later chromedp ends the context.
func (b *browser) gone() bool {
	select {
	case <-b.conn.LostConnection:
		return true
	default:
		return b.ctx.Err() != nil
	}
}

// ask reports whether the browser answers.
func (b *browser) ask(timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	_, err := cdp.Call(ctx, b.conn, cdpbrowser.GetVersion, cdp.Empty{})
	return err
}

// leave asks the browser to end by itself, which it does in better order than
// if it is killed, and waits for that.
func (b *browser) leave(timeout time.Duration) {
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	_ = chromedp.Cancel(ctx) // if it does not, bury kills it
}

// bury kills what is left of the browser, waits until no process of it runs,
// and removes its profile. That takes as long as it takes: the place of a
// browser is free when it is gone.
func (b *browser) bury() error {
	b.end(&LostError{ErrBrowserDied, b.number})
	if b.group != 0 {
		killGroup(b.group)
	}
	b.wait()
	for pause := time.Millisecond; b.group != 0 && !groupGone(b.group); pause = min(2*pause, time.Second) {
		killGroup(b.group) // one may have been born after the first look
		time.Sleep(pause)
	}
	if b.profile == nil {
		return nil
	}
	return b.profile.remove()
}

// memory is what the browser's processes take, 0 if that cannot be told.
func (b *browser) memory() int64 {
	if b.group == 0 {
		return 0
	}
	n, _ := memoryOfGroup(b.group)
	return n
}

func (b *browser) LogValue() slog.Value {
	if b.address != "" {
		return slog.GroupValue(slog.Uint64("number", b.number), slog.String("address", b.address))
	}
	return slog.GroupValue(slog.Uint64("number", b.number), slog.Int("pid", b.group))
}
