/* Presses of buttons that come before the page's own script does: they count once it is there. */
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
