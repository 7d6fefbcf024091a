/*
 * For the hub's own pages: banners for broadcasts to everyone, and a bell that leads a logged-in
 * user to the inbox. The hub's announcement loads this file asynchronously. If the service does not
 * answer, nothing is shown and nothing waits.
 */
'use strict';
// Longer than a screen: a site's templates name one plain script, which cannot import others from
// the service's own host under `subdomain_host`.
(() => {
  if (window.jupyterhubNotify) {
    return; // A site's templates may load this file twice.
  }
  window.jupyterhubNotify = true;
  const script = document.currentScript;
  const SERVICE = new URL('../', script.src).href;
  const EVERY_MS = 60_000;
  const SHOWN = 3;
  const TYPES = {
    error: 'danger',
    warning: 'warning',
    success: 'success',
    info: 'info',
    'in-progress': 'primary',
    default: 'secondary'
  };
  const DISMISSED = 'jupyterhub-notify-dismissed';
  /** Lead of the service's clock over this browser's, in ms. */
  let ahead = 0;

  function element(name, className, text) {
    const made = document.createElement(name);
    made.className = className;
    if (text !== undefined) {
      made.textContent = text;
    }
    return made;
  }

  function dismissed() {
    try {
      return JSON.parse(sessionStorage.getItem(DISMISSED)) ?? {};
    } catch {
      return {};
    }
  }

  function dismiss(one) {
    try {
      sessionStorage.setItem(
        DISMISSED,
        JSON.stringify({ ...dismissed(), [one.id]: version(one) })
      );
    } catch {
      // Without storage the banner comes back on the next page.
    }
  }

  const version = one => `${one.starts} ${one.updated}`;

  // --- Banners

  /** Return the text of a summary without its markup. */
  function plain(html) {
    // The parser makes a separate document: nothing in it is loaded or run.
    return new DOMParser().parseFromString(html, 'text/html').body.textContent;
  }

  function countdown(iso) {
    const seconds = (new Date(iso) - Date.now() - ahead) / 1000;
    if (seconds <= 0) {
      return '';
    }
    const minutes = Math.ceil(seconds / 60);
    const hours = Math.floor(minutes / 60);
    const days = Math.floor(hours / 24);
    return days > 1
      ? `in ${days} days`
      : hours
        ? `in ${hours} h ${minutes % 60} min`
        : `in ${minutes} min`;
  }

  function banner(one) {
    const box = element(
      'div',
      `alert alert-${TYPES[one.type] ?? 'info'} d-flex gap-3 py-2 mb-2`
    );
    box.dataset.id = one.id;
    box.setAttribute('role', one.type === 'error' ? 'alert' : 'status');
    const text = element('div', 'flex-grow-1 text-start');
    const head = element(
      'div',
      'd-flex flex-wrap column-gap-3 justify-content-between'
    );
    head.append(element('strong', '', plain(one.summary.html)));
    text.append(head);
    const words = one.body && plain(one.body.html).trim();
    if (words) {
      text.append(element('div', 'small text-break', words.slice(0, 500)));
    }
    box.append(text);
    if (one.countdown) {
      const moment = new Date(one.countdown);
      const clock = moment.toLocaleTimeString([], { timeStyle: 'short' });
      const left = element(
        'span',
        'text-nowrap small',
        `${countdown(one.countdown)} · ${clock}`
      );
      left.title = moment.toLocaleString();
      head.append(left);
    }
    if (one.dismissable ?? true) {
      const close = element('button', 'btn-close flex-shrink-0');
      close.type = 'button';
      close.setAttribute('aria-label', 'Dismiss');
      close.addEventListener('click', () => {
        dismiss(one);
        box.remove();
      });
      box.append(close);
    }
    return box;
  }

  function place() {
    let area = document.getElementById('jupyterhub-notify-banners');
    if (!area) {
      area = element('section', 'container');
      area.id = 'jupyterhub-notify-banners';
      area.setAttribute('aria-label', 'Announcements');
      const own = script.closest('.announcement');
      const nav = document.querySelector('nav.navbar, nav');
      if (own) {
        own.after(area);
      } else if (nav) {
        nav.after(area);
      } else {
        document.body.prepend(area);
      }
    }
    return area;
  }

  async function showBanners() {
    // Without cookies, since everyone gets the same broadcasts.
    const query = loggedIn() ? '?everyone=true' : '';
    const answer = await fetch(`${SERVICE}v1/broadcasts${query}`, {
      credentials: 'omit'
    });
    if (!answer.ok) {
      return;
    }
    ahead = (Date.parse(answer.headers.get('Date')) || Date.now()) - Date.now();
    const gone = dismissed();
    const all = await answer.json();
    const shown = all.filter(
      one => one.active && one.banner && gone[one.id] !== version(one)
    );
    shown.sort(
      (a, b) => Number(b.type === 'error') - Number(a.type === 'error')
    );
    const area = place();
    // Redraw only changed banners, so that a screen reader does not read the same ones again.
    const now = JSON.stringify(
      shown.map(one => [one.id, version(one), one.summary])
    );
    if (area.dataset.shown === now && !shown.some(one => one.countdown)) {
      return;
    }
    area.dataset.shown = now;
    area.replaceChildren(...shown.slice(0, SHOWN).map(banner));
    if (shown.length > SHOWN) {
      const more = element(
        'a',
        'd-block small mb-2',
        `${shown.length - SHOWN} more`
      );
      more.href = `${SERVICE}inbox`;
      area.append(more);
    }
  }

  // --- The bell

  const loggedIn = () => Boolean(window.jhdata?.user);

  function bell() {
    let link = document.getElementById('jupyterhub-notify-bell');
    if (!link) {
      const items = document.querySelector('#login_widget')?.closest('ul');
      if (!items) {
        return null; // The site's own template has no place for the bell.
      }
      const item = element('li', 'nav-item me-3');
      link = element('a', 'btn btn-sm position-relative');
      link.id = 'jupyterhub-notify-bell';
      link.href = `${SERVICE}inbox`;
      const icon = element('i', 'fa fa-bell');
      icon.setAttribute('aria-hidden', 'true');
      link.append(icon);
      item.append(link);
      items.prepend(item);
    }
    return link;
  }

  function showCount(count) {
    const link = bell();
    if (!link) {
      return;
    }
    const name = count ? `Notifications, ${count} unread` : 'Notifications';
    link.setAttribute('aria-label', name);
    link.title = name;
    link.querySelector('.badge')?.remove();
    if (count) {
      const badge = element(
        'span',
        'badge rounded-pill bg-danger position-absolute top-0 start-100 translate-middle',
        count > 99 ? '99+' : String(count)
      );
      badge.setAttribute('aria-hidden', 'true');
      link.append(badge);
    }
  }

  async function unread() {
    const answer = await fetch(`${SERVICE}v1/unread`);
    return answer.ok ? (await answer.json()).unread : null;
  }

  async function showBell() {
    let count = await unread();
    if (count === null) {
      // The user is logged in at the hub but not here yet. This login needs no confirmation.
      const path = new URL(`${SERVICE}v1/unread`).pathname;
      await fetch(`${SERVICE}login?next=${encodeURIComponent(path)}`).catch(
        () => {}
      );
      count = await unread();
    }
    showCount(count ?? 0);
  }

  // --- Looking again, while the page is visible

  async function look() {
    if (document.hidden) {
      return;
    }
    const both = [showBanners()];
    if (loggedIn()) {
      both.push(showBell());
    }
    // If the service does not answer, the page stays as it is.
    await Promise.allSettled(both);
  }

  if (loggedIn()) {
    showCount(0);
  }
  void look();
  setInterval(look, EVERY_MS);
  document.addEventListener('visibilitychange', look);
})();
