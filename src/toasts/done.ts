/**
 * The button of a toast that moves its message out of the inbox. It stands below the cross, which
 * closes the toast but leaves the message in the inbox.
 */

/** An archive box, as in the center. */
const ICON = `<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
<path d="M4 5h16v4H4zm1.5 4v10h13V9M10 13h4"/></svg>`;

/**
 * Give a toast the button, or remove it.
 *
 * @param label - The label of the button; if there is none, the button is removed.
 */
export function setDone(node: HTMLElement, label: string | undefined): void {
  let button = node.querySelector<HTMLButtonElement>('.jp-NotifyToast-done');
  if (!label) {
    button?.remove();
    return;
  }
  if (!button) {
    button = document.createElement('button');
    button.type = 'button';
    button.className = 'jp-NotifyToast-done';
    button.innerHTML = ICON;
    node.append(button);
  }
  button.title = label;
  button.setAttribute('aria-label', label);
}
