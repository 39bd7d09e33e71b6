// The pages are complete without this: it keeps them fresh, copies commands and listens to the keyboard.
const main = document.querySelector('main');
const said = document.querySelector('#said');
const help = document.querySelector('#help');
const busy = e => e && (e.closest('form, details[open], dialog') || ['INPUT', 'SELECT', 'TEXTAREA', 'BUTTON'].includes(e.tagName));

// Copying. Without a clipboard, as on a plain address of another machine, the text is selected.
const ready = root => {
  for (const button of root.querySelectorAll('[data-copy]')) button.hidden = false;
};
document.addEventListener('click', async event => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  const code = button.parentElement.querySelector('code');
  try {
    await navigator.clipboard.writeText(code.textContent);
    said.textContent = said.dataset.copied;
    const text = button.textContent;
    button.textContent = said.dataset.copied;
    setTimeout(() => { button.textContent = text; said.textContent = ''; }, 1500);
  } catch {
    getSelection().selectAllChildren(code);
  }
});

// Freshness: the page is asked for again, and its main part takes the place of the old one where it differs.
let wait = +main.dataset.live;
const refresh = async () => {
  if (!wait) return;
  if (document.hidden || help.open || main.contains(document.activeElement) && busy(document.activeElement) || getSelection().toString()) {
    setTimeout(refresh, 1000);
    return;
  }
  try {
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
    if (answer.redirected) { location.reload(); return; }
    if (answer.ok) {
      const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const fresh = next.querySelector('main');
      if (fresh.innerHTML !== main.dataset.was) {
        const at = [...main.querySelectorAll('a, button')].indexOf(document.activeElement);
        main.replaceChildren(...fresh.cloneNode(true).childNodes);
        ready(main);
        if (at >= 0) main.querySelectorAll('a, button')[at]?.focus({ preventScroll: true });
        main.dataset.was = fresh.innerHTML;
      }
      document.querySelector('footer time').replaceWith(next.querySelector('footer time'));
      document.title = next.title;
      wait = +fresh.dataset.live;
    }
  } catch { /* it is asked for again */ }
  setTimeout(refresh, Math.max(wait, 1) * 1000);
};
if (wait) setTimeout(refresh, wait * 1000);

// The keyboard.
const rows = () => [...main.querySelectorAll('[data-row]')].filter(row => row.checkVisibility?.() ?? true);
let at = -1;
const step = by => {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex(row => row.contains(document.activeElement));
  at = Math.min(Math.max((now >= 0 ? now : at) + by, 0), all.length - 1);
  const target = all[at].querySelector('a, summary');
  for (const row of all) row.classList.toggle('at', row === all[at]);
  (target ?? all[at]).focus();
  all[at].scrollIntoView({ block: 'nearest' });
};
let go = 0;
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open) return;
  if (event.target.closest('input, select, textarea')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const going = Date.now() - go < 1500;
  go = 0;
  if (going) {
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) { event.preventDefault(); link.click(); }
    return;
  }
  const act = {
    j: () => step(1), k: () => step(-1), g: () => { go = Date.now(); }, '?': () => help.showModal(),
    '/': () => (document.querySelector('.seek input') ?? document.querySelector('main input'))?.focus(),
    n: () => document.querySelector('[data-next]')?.click(),
  }[event.key];
  if (act) { event.preventDefault(); act(); }
});
for (const link of document.querySelectorAll('[data-go]')) {
  const [keys, page] = ['dt', 'dd'].map(name => help.querySelector('dl').appendChild(document.createElement(name)));
  keys.innerHTML = '<kbd>g</kbd> <kbd></kbd>';
  keys.lastChild.textContent = link.dataset.go;
  page.textContent = link.textContent;
}
for (const button of document.querySelectorAll('[data-help]')) {
  button.hidden = false;
  button.addEventListener('click', () => help.showModal());
}
help.addEventListener('click', event => { if (event.target === help) help.close(); });
ready(document);
