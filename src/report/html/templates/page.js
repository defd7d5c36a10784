'use strict';
(() => {
  const root = document.documentElement;
  const kept = (key, value) => {
    try {
      if (value === undefined) return localStorage.getItem(key);
      localStorage.setItem(key, value);
    } catch { /* no storage: the system's theme stays */ }
    return null;
  };
  const theme = kept('assay-theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;

  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  function switchTheme() {
    const button = one('#theme');
    button.hidden = false;
    button.addEventListener('click', () => {
      const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
      root.dataset.theme = dark ? 'light' : 'dark';
      kept('assay-theme', root.dataset.theme);
    });
  }

  function copyLines() {
    if (!navigator.clipboard) return;
    for (const button of all('.copy')) {
      button.hidden = false;
      button.addEventListener('click', async () => {
        await navigator.clipboard.writeText(one('pre', button.parentElement).textContent);
        button.textContent = 'copied';
        setTimeout(() => { button.textContent = 'copy'; }, 2000);
      });
    }
  }

  function sortTables() {
    for (const table of all('table.checks')) {
      const heads = all('thead th', table);
      heads.forEach((head, column) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.textContent = head.textContent;
        head.replaceChildren(button);
        button.addEventListener('click', () => {
          const up = head.getAttribute('aria-sort') !== 'ascending';
          heads.forEach((other) => other.removeAttribute('aria-sort'));
          head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
          const body = one('tbody', table);
          const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
          const order = (a, b) => value(a).localeCompare(value(b), 'en', { numeric: true });
          body.append(...all('tr', body).sort((a, b) => (up ? order(a, b) : order(b, a))));
        });
      });
    }
  }

  function filterChecks() {
    const tools = one('#tools');
    if (!tools) return;
    tools.hidden = false;
    const input = one('#filter');
    const toggles = ['not-passed', 'musts', 'open-all'].map((id) => one('#' + id));
    const [notPassed, musts, openAll] = toggles;
    const pressed = (button) => button.getAttribute('aria-pressed') === 'true';
    const groups = all('details.group');
    const opened = groups.map((group) => group.open);

    const matches = (row, word, group) => {
      const [, key, rest] = /^([svb]):(.*)$/.exec(word) ?? [];
      if (key === 's') return row.dataset.s.startsWith(rest);
      if (key === 'v') return row.dataset.m.startsWith(rest);
      if (key === 'b') return one('.b', row).textContent.toLowerCase().includes(rest);
      return (row.cells[0].textContent + ' ' + row.cells[1].textContent + ' ' + group).toLowerCase().includes(word);
    };

    function apply() {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const narrowed = words.length > 0 || pressed(notPassed) || pressed(musts);
      let shown = 0;
      let total = 0;
      groups.forEach((group, at) => {
        let any = false;
        for (const row of all('tbody tr', group)) {
          const show = words.every((word) => matches(row, word, group.dataset.g))
            && (!pressed(notPassed) || row.dataset.s !== 'pass')
            && (!pressed(musts) || row.dataset.m === 'must');
          row.hidden = !show;
          any ||= show;
          shown += show;
          total += 1;
        }
        group.hidden = !any;
        group.open = pressed(openAll) || (narrowed ? any : opened[at]);
      });
      one('#count').textContent = shown + ' of ' + total;
    }

    function remember() {
      const state = new URLSearchParams();
      if (input.value) state.set('q', input.value);
      for (const button of toggles) if (pressed(button)) state.set(button.id, '1');
      const text = state.toString();
      history.replaceState(null, '', text ? '#?' + text : location.pathname + location.search);
    }

    input.addEventListener('input', () => { apply(); remember(); });
    for (const button of toggles) {
      button.addEventListener('click', () => {
        button.setAttribute('aria-pressed', String(!pressed(button)));
        apply();
        remember();
      });
    }
    if (location.hash.startsWith('#?')) {
      const state = new URLSearchParams(location.hash.slice(2));
      input.value = state.get('q') ?? '';
      for (const button of toggles) if (state.has(button.id)) button.setAttribute('aria-pressed', 'true');
    }
    apply();
  }

  /* A link to something folded opens it. */
  function openTarget() {
    const id = location.hash.slice(1);
    if (!id || id.startsWith('?')) return;
    const target = document.getElementById(decodeURIComponent(id));
    const folded = target?.closest('details');
    if (folded && !folded.open) {
      folded.open = true;
      target.scrollIntoView();
    }
  }

  /* On paper: shoulds stand open, groups without a failure are one line. */
  function print() {
    let before = [];
    addEventListener('beforeprint', () => {
      before = all('details').map((details) => [details, details.open]);
      for (const [details] of before) {
        if (details.classList.contains('weak')) details.open = true;
        if (details.classList.contains('data')) details.open = false;
      }
    });
    addEventListener('afterprint', () => before.forEach(([details, open]) => { details.open = open; }));
  }

  /* Of many nights the newest are what one came for. */
  function showNewest() {
    for (const strip of all('.strip')) strip.parentElement.scrollLeft = strip.scrollWidth;
  }

  addEventListener('DOMContentLoaded', () => {
    showNewest();
    switchTheme();
    copyLines();
    sortTables();
    filterChecks();
    openTarget();
    print();
    addEventListener('hashchange', openTarget);
  });
})();
