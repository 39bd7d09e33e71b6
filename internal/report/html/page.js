// Filters: kind, field, and text in the key or name. The page is complete without them.
for (const form of document.querySelectorAll('form.filter')) {
  const plan = form.closest('main');
  const list = plan.querySelector('.changes');
  const chunks = [...list.querySelectorAll('.chunk')].map(section => ({
    section,
    changes: [...section.children].map(article => ({ article, text: null })),
  }));
  const total = chunks.reduce((n, chunk) => n + chunk.changes.length, 0);
  const output = form.querySelector('output');
  const nomatch = plan.querySelector('.nomatch');
  const number = new Intl.NumberFormat('en');

  const apply = () => {
    const data = new FormData(form);
    const kinds = new Set(data.getAll('kind'));
    const text = (data.get('key') ?? '').trim().toLowerCase();
    const field = data.get('field') ? ` ${data.get('field')} ` : '';
    let shown = 0;
    for (const { section, changes } of chunks) {
      let some = false;
      for (const change of changes) {
        const { article } = change;
        let show = kinds.has(article.className) && (!field || (article.dataset.f ?? '').includes(field));
        if (show && text) {
          change.text ??= [...article.firstElementChild.querySelectorAll('bdi')].map(b => b.textContent).join(' ').toLowerCase();
          show = change.text.includes(text);
        }
        if (article.hidden === show) article.hidden = !show;
        if (show) { shown++; some = true; }
      }
      if (section.hidden === some) section.hidden = !some;
    }
    // A chunk out of sight counts with the height it had; few enough are laid out at once.
    list.classList.toggle('few', shown <= 500);
    nomatch.hidden = shown > 0;
    output.textContent = shown === total ? `${number.format(total)} changes` : `${number.format(shown)} of ${number.format(total)} changes`;
  };

  let waiting = 0;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(apply, total > 5000 ? 200 : 0); };
  form.addEventListener('input', soon);
  form.addEventListener('submit', event => { event.preventDefault(); apply(); });
  form.hidden = false;
  apply();
}
