/**
 * The script of the pages: times in the reader's own zone, requests to the API, and changes while
 * a page is open.
 *
 * Parts of a page come from the service through htmx. No text of a message is made into HTML here.
 */
import { byId } from './api.js';
import { beginChannels } from './channels.js';
import { beginTemplates, beginToCompose, showCount } from './composing.js';
import { beginInbox } from './inbox.js';
import { keepPresses } from './press.js';
import { beginResults, countDown } from './results.js';
import { beginSelection } from './selection.js';
import { showTimes } from './times.js';

document.addEventListener('DOMContentLoaded', () => {
  keepPresses();
  showTimes();
  setInterval(showTimes, 15_000);
  document
    .querySelector('.jn-tabs [aria-current]')
    ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  document.addEventListener('htmx:afterSwap', event => {
    showTimes();
    countDown();
    if (event.target.id === 'jn-recipients') {
      showCount();
    }
  });
  document.addEventListener('htmx:responseError', event => {
    if (event.detail.xhr.status === 401) {
      location.reload();
    }
  });
  const form = byId('jn-compose');
  if (form) {
    beginToCompose(form);
  }
  const article = document.querySelector('[data-jn-broadcast]');
  if (article) {
    beginResults(article);
  }
  const list = document.querySelector('.jn-inbox');
  if (list) {
    beginInbox(list);
    beginSelection();
  }
  const channels = byId('jn-channels');
  if (channels) {
    beginChannels(channels);
  }
  if (byId('jn-delete')) {
    beginTemplates();
  }
  document.dispatchEvent(new Event('jn-ready'));
});
