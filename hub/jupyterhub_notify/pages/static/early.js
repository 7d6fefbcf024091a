/* Keeps a press of a button until the page's own script has loaded. */
'use strict';
(() => {
  let pressed = null;
  const keep = event => {
    const button = event.target.closest?.('.jn button');
    if (button) {
      event.preventDefault();
      event.stopImmediatePropagation();
      pressed = button;
    }
  };
  document.addEventListener('click', keep, true);
  document.addEventListener('jn-ready', () => {
    document.removeEventListener('click', keep, true);
    pressed?.click();
  });
})();
