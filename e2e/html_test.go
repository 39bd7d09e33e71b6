package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"jstsync/diff"
)

// One browser serves all tests of pages; each page has a tab of its own.
func TestHTML(t *testing.T) {
	b := start(t)
	for name, test := range map[string]func(*testing.T, browser){
		"Screens": testScreens, "Filters": testFilters, "Two": testTwo, "NoScript": testNoScript,
		"Hostile": testHostile, "Marks": testMarks, "Many": testMany,
	} {
		t.Run(name, func(t *testing.T) { test(t, b) })
	}
}

// On every screen a plan is quiet, as wide as the screen, and readable.
func testScreens(t *testing.T, b browser) {
	for name, plan := range map[string]*diff.Plan{"typical": typical(t), "held": held(t)} {
		file := page(t, plan)
		for _, s := range screens {
			t.Run(name+"/"+s.name, func(t *testing.T) {
				p := b.open(t, file, s)
				p.shoot(name)
				if got := eval[int64](p, `document.documentElement.scrollWidth`); got > s.width {
					t.Errorf("the page is %d pixels wide on a screen of %d", got, s.width)
				}
				for _, problem := range eval[[]string](p, accessibility) {
					t.Error(problem)
				}
				p.quiet()
			})
		}
	}
}

// accessibility lists what would keep a person from reading or using a page:
// text without contrast (WCAG 2 AA), fields without a label, headings that skip
// a level, and targets too small to touch.
const accessibility = `(() => {
	const problems = [];
	const colors = new Map();
	const color = text => {
		if (!colors.has(text)) colors.set(text, pixel(text));
		return colors.get(text);
	};
	const pixel = text => {
		const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
		canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
		return [...canvas.getImageData(0, 0, 1, 1).data];
	};
	const luminance = rgb => {
		const [r, g, b] = rgb.map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const background = e => {
		for (; e; e = e.parentElement) {
			const c = color(getComputedStyle(e).backgroundColor);
			if (c[3] === 255) return c;
		}
		return [255, 255, 255, 255];
	};
	const seen = new Set();
	for (const e of document.body.querySelectorAll('*')) {
		if (!e.checkVisibility({ visibilityProperty: true })) continue;
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const style = getComputedStyle(e), size = parseFloat(style.fontSize), bold = style.fontWeight >= 700;
		const [a, b] = [luminance(color(style.color)), luminance(background(e))];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < (size >= 24 || bold && size >= 18.66 ? 3 : 4.5))
			seen.add('contrast ' + ratio.toFixed(2) + ' of ' + e.tagName + '.' + e.className + ' in ' + e.parentElement.tagName + '.' + e.parentElement.className);
		if (size < 11.5) seen.add('text of ' + size + ' pixels: ' + e.tagName + ' in ' + e.parentElement.tagName);
	}
	problems.push(...seen);
	for (const e of document.querySelectorAll('input, select, button, summary')) {
		if (!e.checkVisibility()) continue;
		if (e.labels && !e.labels.length && !(e.tagName === 'BUTTON' && e.textContent.trim())) problems.push('no label: ' + e.name);
		const box = e.getBoundingClientRect();
		if (box.height < 24 || box.width < 24) problems.push('too small to touch: ' + (e.name || e.tagName) + ' ' + box.width + 'x' + box.height);
	}
	let level = 0;
	for (const e of document.querySelectorAll('h1, h2, h3, h4')) {
		const next = +e.tagName[1];
		if (next > level + 1) problems.push('heading ' + e.textContent + ' skips a level');
		level = next;
	}
	if (!document.documentElement.lang || !document.title) problems.push('no language or title');
	return problems;
})()`

const listed = `[...document.querySelectorAll('article')].filter(a => a.checkVisibility()).map(a => a.querySelector('bdi').textContent).join(' ')`

func testFilters(t *testing.T, b browser) {
	p := b.open(t, page(t, typical(t)), desktop)
	const all = "10394533 10394541 10394562 10394570 10394580 10394601 10394602 10394603 10394999"
	const search, field = `document.querySelector('input[name=key]')`, `document.querySelector('select[name=field]')`
	find := func(text string) {
		eval[bool](p, search+`.focus(), `+search+`.select(), true`)
		p.do(chromedp.KeyEvent(text))
	}
	expect := func(keys, count string) {
		t.Helper()
		p.waitFor(`document.querySelector('output').textContent === '` + count + `' && ` + listed + ` === '` + keys + `'`)
	}
	choose := func(column string) {
		eval[bool](p, field+`.value = '`+column+`', `+field+`.dispatchEvent(new Event('input', {bubbles: true}))`)
	}
	expect(all, "9 changes")

	p.do(chromedp.Click(chromedp.CSS(`.kind.i`)))
	expect("10394533 10394541 10394562 10394570 10394580 10394999", "6 of 9 changes")
	p.do(chromedp.Click(chromedp.CSS(`.kind.u`)), chromedp.Click(chromedp.CSS(`.kind.d`)))
	expect("", "0 of 9 changes")
	if !eval[bool](p, `document.querySelector('.nomatch').checkVisibility()`) {
		t.Error("nothing says that nothing matches")
	}
	p.do(chromedp.Click(chromedp.CSS(`.kind.i`)), chromedp.Click(chromedp.CSS(`.kind.u`)), chromedp.Click(chromedp.CSS(`.kind.d`)))
	expect(all, "9 changes")

	find("533")
	expect("10394533", "1 of 9 changes")
	find("<SCRIPT")
	expect("10394602", "1 of 9 changes")
	find("龙井")
	expect("10394570", "1 of 9 changes")
	find(" ")
	expect(all, "9 changes")

	choose("3")
	expect("10394541 10394562", "2 of 9 changes")
	choose("1")
	expect("10394533 10394541 10394570 10394580", "4 of 9 changes")
	if got, want := eval[string](p, field+`.selectedOptions[0].textContent`), "shop_name 店铺名称 (4)"; got != want {
		t.Errorf("the field is called %q, want %q", got, want)
	}
	choose("")
	expect(all, "9 changes")

	// By keyboard alone.
	eval[bool](p, search+`.focus(), true`)
	p.do(chromedp.KeyEvent("\t"), chromedp.KeyEvent(" "))
	expect("10394533 10394541 10394562 10394570 10394580 10394999", "6 of 9 changes")
	if got := eval[string](p, `getComputedStyle(document.querySelector('.kind input:focus-visible + span')).outlineStyle`); got != "solid" {
		t.Errorf("the focus is drawn %s", got)
	}
	p.quiet()
}

// Two plans on one page are filtered apart.
func testTwo(t *testing.T, b browser) {
	other := many(t, 6)
	other.Pipeline = "other"
	p := b.open(t, page(t, typical(t), other), phone)
	p.do(chromedp.Click(chromedp.CSS(`main:nth-of-type(2) .kind.i`)))
	p.waitFor(`[...document.querySelectorAll('output')].map(o => o.textContent).join() === '9 changes,4 of 6 changes'`)
	p.quiet()
}

// Without JavaScript everything is there but the filters.
func testNoScript(t *testing.T, b browser) {
	s := desktop
	s.noScript = true
	p := b.open(t, page(t, typical(t)), s)
	if got := eval[int](p, `[...document.querySelectorAll('article, .verdict, .figures div')].filter(e => e.checkVisibility()).length`); got != 9+4+7 {
		t.Errorf("%d parts of the page are to be seen, want %d", got, 9+4+7)
	}
	if eval[bool](p, `document.querySelector('form').checkVisibility()`) {
		t.Error("filters that do nothing are to be seen")
	}
	p.quiet()
}

// What a record holds is text, and the policy would stop it if it were not.
func testHostile(t *testing.T, b browser) {
	p := b.open(t, page(t, typical(t)), desktop)
	if got := eval[int](p, `document.querySelectorAll('img, iframe, body script, body [onerror], body a').length`); got != 0 {
		t.Errorf("%d elements came out of a record", got)
	}
	name := eval[string](p, `[...document.querySelectorAll('article')].find(a => a.textContent.includes('10394602')).ownerDocument.evaluate("//article[contains(.,'10394602')]//dd[2]", document, null, 2).stringValue`)
	if name != hostile {
		t.Errorf("the name is shown as %q", name)
	}
	p.quiet()
	eval[bool](p, `(() => {
		const script = document.createElement('script');
		script.textContent = 'window.ran = true';
		document.head.append(script);
		document.body.insertAdjacentHTML('beforeend', '<img src="https://example.invalid/x.png"><p style="color: red" id="styled">');
		return true;
	})()`)
	if eval[bool](p, `window.ran === true || getComputedStyle(document.getElementById('styled')).color === 'rgb(255, 0, 0)'`) {
		t.Error("the policy lets scripts or styles run that are not the page's own")
	}
	p.waitFor(`document.querySelector('img').complete`)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.blocked == 0 {
		t.Errorf("the policy stops no request; there were %q", p.requests)
	}
}

// The changed part of a value is marked, and no more than it.
func testMarks(t *testing.T, b browser) {
	p := b.open(t, page(t, typical(t)), desktop)
	got := eval[string](p, `[...document.querySelectorAll('article.u')].map(a => [...a.querySelectorAll('mark')].map(m => m.textContent).join('|')).join('\n')`)
	want := "工厂店|旗舰店🎉|6|7\n" +
		"👨‍👩‍👧‍👦|👨‍👩‍👧\n" +
		"zh|en\n" +
		" |\\n|\\u202e\n" +
		" ٢"
	if got != want {
		t.Errorf("marked are\n%s\nwant\n%s", got, want)
	}
}

// Many changes open and can be searched.
func testMany(t *testing.T, b browser) {
	const n = 20_000
	p := b.open(t, page(t, many(t, n)), phone)
	p.waitFor(`document.querySelector('output').textContent === '20,000 changes'`)
	if got := eval[int](p, `document.querySelectorAll('article').length`); got != n {
		t.Errorf("%d changes are in the page, want %d", got, n)
	}
	eval[bool](p, `document.querySelector('input[name=key]').focus(), true`)
	p.do(chromedp.KeyEvent("10019999"))
	p.waitFor(`document.querySelector('output').textContent === '1 of 20,000 changes'`)
	if got := eval[string](p, listed); got != "10019999" {
		t.Errorf("listed are %q", got)
	}
	p.quiet()
}
