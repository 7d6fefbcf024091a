/**
 * Presses of controls that are redrawn meanwhile.
 */

const CONTROLS = 'a, button, input, select, summary, label';

/** Describe a control so that it can be recognised after a redraw. */
function nameOf(control) {
  const { tagName, id, name, textContent } = control;
  return [tagName, id, name, textContent.trim(), { ...control.dataset }];
}

/**
 * Click the control that has meanwhile replaced the pressed one.
 *
 * Results and inbox are redrawn when something changes. A browser drops a click if its control
 * disappears between the press and the release.
 */
export function keepPresses() {
  let pressed = null;
  document.addEventListener(
    'pointerdown',
    ({ target }) => {
      pressed = target.closest?.(CONTROLS) ?? null;
    },
    true
  );
  document.addEventListener(
    'pointerup',
    ({ target }) => {
      const before = pressed;
      const now = target.closest?.(CONTROLS);
      pressed = null;
      if (
        before &&
        now &&
        !before.isConnected &&
        JSON.stringify(nameOf(before)) === JSON.stringify(nameOf(now))
      ) {
        now.click();
      }
    },
    true
  );
}
